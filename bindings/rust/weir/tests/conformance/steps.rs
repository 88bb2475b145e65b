// SPDX-License-Identifier: MIT
//! The steps of a scenario's script.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{json, Value as Json};
use weir::{
    run, AnyPolicy, Breaker, Cache, Invalid, Limiter, PolicyKind, Retry, Status, Stop, Value,
};

use crate::build::{breaker_options, limiter_options, timeout_options, Thing};
use crate::compare::{settled_json, status_word, word};
use crate::world::{class, json_of, value_of, Data, World};

fn text<'a>(step: &'a Json, field: &str) -> &'a str {
    step[field].as_str().unwrap_or_else(|| panic!("{step} has no {field}"))
}

fn millis(json: &Json) -> Duration {
    Duration::from_millis(json.as_u64().expect("a time"))
}

fn answer(result: Result<(), Invalid>) -> Json {
    json!(result.map_or_else(|invalid| status_word(invalid.status()), |()| "ok".to_owned()))
}

fn said(result: Result<(), Status>) -> Json {
    json!(result.map_or_else(status_word, |()| "ok".to_owned()))
}

/// Lives as long as the program, as permits borrow it.
fn leaked<T>(thing: T) -> &'static T {
    Box::leak(Box::new(thing))
}

fn state_word(state: weir::breaker::State) -> String {
    word(state)
}

impl World<'_> {
    pub fn step(&mut self, step: &Json) {
        let answered = self.do_step(step);
        let default = json!("ok");
        let expected = step.get("expect").unwrap_or(&default);
        if let Some(answered) = answered {
            if !same(expected, &answered) {
                self.problem(format!("{step}\n        answered {answered}"));
            }
        }
    }

    fn check(&self, step: &Json, field: &str, actual: &Json) {
        if step.get(field).is_some_and(|expected| !same(expected, actual)) {
            self.problem(format!("{step}\n        {field} is {actual}"));
        }
    }

    fn breaker(&self, step: &Json) -> Breaker {
        match &self.things.policies[text(step, "policy")] {
            Thing::Breaker(breaker) => breaker.clone(),
            Thing::Found(found) => Breaker::find(&self.runtime, &found.name()).expect("a breaker"),
            _ => panic!("{step}: no breaker"),
        }
    }

    fn limiter(&self, step: &Json) -> Limiter {
        match &self.things.policies[text(step, "policy")] {
            Thing::Limiter(limiter) => limiter.clone(),
            Thing::Found(found) => Limiter::find(&self.runtime, &found.name()).expect("a limiter"),
            _ => panic!("{step}: no limiter"),
        }
    }

    fn retry(&self, step: &Json) -> Retry {
        match &self.things.policies[text(step, "policy")] {
            Thing::Retry(retry) => retry.clone(),
            _ => panic!("{step}: no retry"),
        }
    }

    /// What the step answers; None if it answers nothing.
    fn do_step(&mut self, step: &Json) -> Option<Json> {
        match text(step, "do") {
            "run" => return self.start(step),
            "cancel" => self.things.cancellers[text(step, "run")].cancel(),
            "close" => self.runtime.close(),
            "in_flight" => {
                let stats = self.runtime.stats();
                self.check(step, "calls", &json!(stats.live_calls));
                self.check(step, "orphans", &json!(stats.orphans));
            }
            "acquire" | "report" | "state" | "isolate" | "end_isolation" | "reset" | "force"
            | "snapshot" | "restore" => return self.breaker_step(step),
            "try_acquire" | "release" | "available" | "drain" | "refund" | "reserve"
            | "cancel_reservation" | "pause" | "resume" => return self.limiter_step(step),
            "deposit" | "withdraw" | "give_back" => return self.budget_step(step),
            "begin_retry" | "next_retry" => return self.retry_step(step),
            "set_options" => return Some(answer(self.set_options(step))),
            "stats" => {
                let stats = self.stats(text(step, "of"));
                for (field, expected) in step["expect"].as_object().into_iter().flatten() {
                    let actual = field_of(&stats, field);
                    if actual != expected.as_f64() {
                        self.problem(format!("{step}\n        {field} is {actual:?}"));
                    }
                }
                return None;
            }
            "lookup" | "put" | "put_if_absent" | "invalidate" | "touch" | "clear" => {
                return self.cache_step(step)
            }
            "forget" => self.things.flights[text(step, "flight")].forget(text(step, "key")),
            "flush" | "cancel_pacer" | "pending" => return self.pacer_step(step),
            "add" | "seal" => return self.pool_step(step),
            "cancel_scope" | "set_value" | "get_value" => return self.scope_step(step),
            "enable" => match &self.things.policies[text(step, "policy")] {
                Thing::Chaos(chaos) => chaos.enable(step["enabled"] == json!(true)),
                _ => panic!("{step}: no chaos"),
            },
            "register" | "unregister" => {
                let policy = self.things.policies[text(step, "policy")].policy().any();
                let register = text(step, "do") == "register";
                return Some(answer(if register {
                    policy.register()
                } else {
                    policy.unregister()
                }));
            }
            "find" => return Some(self.find(step)),
            "create" => return Some(self.create(step)),
            other => panic!("no step is called {other}"),
        }
        Some(json!("ok"))
    }

    fn start(&mut self, step: &Json) -> Option<Json> {
        let label = text(step, "run").to_owned();
        let operation = self.operation(&step["operation"]).expect("it was made");
        let mut options = run::Options { name: label.clone(), ..Default::default() };
        options.deadline = step["deadline_ms"].as_u64().map(Duration::from_millis);
        options.key = step["key"].as_str().map(|key| key.as_bytes().to_vec());
        options.input = value_of(&step["input"]);
        if let Some(keys) = step["keys"].as_array() {
            let key = |key: &Json| Value::from_bytes(key.as_str().expect("a key").as_bytes()).ok();
            options.input = Value::from_list(keys.iter().map(key)).ok();
        }
        options.permits = step["permits"].as_u64().unwrap_or(1) as u32;
        options.priority = step["priority"].as_u64().unwrap_or(31) as u32;
        let scope = step["scope"].as_str().map(|scope| self.things.scopes[scope].view().clone());
        options.scope = scope;
        let mut run = match step["policy"].as_str() {
            Some(policy) => operation.run_under(self.things.policies[policy].policy(), options),
            None => operation.run_with(options),
        };
        self.things.cancellers.insert(label.clone(), run.canceller());
        let expected = step["expect"].as_str().unwrap_or("ok") != "ok";
        let shared = self.shared.clone();
        let task = self.runtime.spawn(async move {
            let mut settled = settled_json(run.settled().await);
            settled["run"] = json!(label);
            settled["at_ms"] = json!(shared.now_ms());
            if expected {
                return Some(settled["status"].clone());
            }
            let mut notes = shared.notes();
            let event = notes.event;
            notes.settled.push((event, settled));
            None
        });
        if expected {
            self.runtime.run_until_idle();
            return Some(task.take().flatten().unwrap_or(json!("ok")));
        }
        Some(json!("ok"))
    }

    fn refusal(&self, step: &Json, rejection: &weir::Rejection) -> Json {
        let after = rejection.numbers().retry_after_ms;
        let after = if after < 0 { json!("off") } else { json!(after) };
        self.check(step, "retry_after_ms", &after);
        self.check(step, "reason", &json!(word(rejection.reason())));
        json!(status_word(rejection.status()))
    }

    fn breaker_step(&mut self, step: &Json) -> Option<Json> {
        let breaker = self.breaker(step);
        Some(match text(step, "do") {
            "acquire" => match leaked(breaker).try_acquire() {
                Ok(permit) => {
                    match step["permit"].as_str() {
                        Some(label) => {
                            self.things.breaker_permits.insert(label.to_owned(), permit);
                        }
                        None => std::mem::forget(permit),
                    }
                    json!("ok")
                }
                Err(rejection) => self.refusal(step, &rejection),
            },
            "report" => {
                let label = text(step, "permit");
                let elapsed = Duration::from_millis(step["elapsed_ms"].as_u64().unwrap_or(0));
                let permit = self.things.breaker_permits.remove(label).expect("a permit");
                said(permit.report(class(text(step, "class")), elapsed))
            }
            "state" => json!(state_word(breaker.state())),
            "isolate" => answer(breaker.isolate()),
            "end_isolation" => answer(breaker.release()),
            "reset" => answer(breaker.reset()),
            "force" => {
                use weir::breaker::State;
                let states = [
                    State::Closed,
                    State::ForcedOpen,
                    State::ForcedClosed,
                    State::MetricsOnly,
                    State::Open,
                    State::HalfOpen,
                ];
                let wanted = text(step, "state");
                let state = states.into_iter().find(|&state| state_word(state) == wanted);
                answer(breaker.force(state.expect("a state")))
            }
            "snapshot" => {
                let snapshot = breaker.snapshot().expect("there is room");
                self.things.snapshots.insert(text(step, "snapshot").to_owned(), snapshot);
                json!("ok")
            }
            _ => {
                let elapsed = Duration::from_millis(step["elapsed_ms"].as_u64().unwrap_or(0));
                answer(breaker.restore(&self.things.snapshots[text(step, "snapshot")], elapsed))
            }
        })
    }

    fn limiter_step(&mut self, step: &Json) -> Option<Json> {
        let limiter = leaked(self.limiter(step));
        let permits = step["permits"].as_u64().unwrap_or(1) as u32;
        Some(match text(step, "do") {
            "try_acquire" => {
                let key = step["key"].as_str().map(|key| leaked(key.as_bytes().to_vec()));
                let acquired = match key {
                    Some(key) => limiter.try_acquire_key(key, permits),
                    None => limiter.try_acquire(permits),
                };
                match acquired {
                    Ok(permit) => {
                        match step["permit"].as_str() {
                            Some(label) => {
                                self.things.limiter_permits.insert(label.to_owned(), permit);
                            }
                            None => std::mem::forget(permit),
                        }
                        json!("ok")
                    }
                    Err(rejection) => self.refusal(step, &rejection),
                }
            }
            "release" => {
                drop(self.things.limiter_permits.remove(text(step, "permit")).expect("a permit"));
                json!("ok")
            }
            "available" => json!(limiter.available().unwrap_or(i64::MAX as u64)),
            "drain" => json!(limiter.drain().expect("it is not keyed")),
            "refund" => answer(limiter.refund(permits)),
            "reserve" => match limiter.reserve(permits) {
                Ok(reservation) => {
                    let wait = reservation.wait().as_nanos().div_ceil(1_000_000) as u64;
                    self.check(step, "wait_ms", &json!(wait));
                    if let Some(label) = step["permit"].as_str() {
                        self.things.reservations.insert(label.to_owned(), reservation);
                    }
                    json!("ok")
                }
                Err(status) => json!(status_word(status)),
            },
            "cancel_reservation" => {
                let label = text(step, "permit");
                said(self.things.reservations[label].cancel())
            }
            "pause" => {
                limiter.pause();
                json!("ok")
            }
            _ => {
                limiter.resume();
                json!("ok")
            }
        })
    }

    fn budget_step(&mut self, step: &Json) -> Option<Json> {
        let Thing::Budget(budget) = &self.things.policies[text(step, "policy")] else {
            panic!("{step}: no budget");
        };
        match text(step, "do") {
            "deposit" => budget.deposit(),
            "withdraw" => {
                if let Err(rejection) = budget.try_withdraw() {
                    return Some(json!(status_word(rejection.status())));
                }
            }
            _ => budget.refund(),
        }
        Some(json!("ok"))
    }

    fn retry_step(&mut self, step: &Json) -> Option<Json> {
        let label = text(step, "state").to_owned();
        if text(step, "do") == "begin_retry" {
            let tries = leaked(self.retry(step)).begin();
            self.things.tries.insert(label, tries);
            return Some(json!("ok"));
        }
        let asked = step.get("asked_delay_ms").map(millis);
        let tries = self.things.tries.get_mut(&label).expect("it was begun");
        let next = tries.next(class(text(step, "class")), asked);
        Some(match next {
            Ok(delay) => {
                self.check(step, "delay_ms", &json!(delay.as_nanos().div_ceil(1_000_000) as u64));
                self.check(step, "stop_reason", &json!(word(Stop::None)));
                json!("ok")
            }
            Err(stop) => {
                self.check(step, "stop_reason", &json!(word(stop)));
                json!("stop")
            }
        })
    }

    fn set_options(&mut self, step: &Json) -> Result<(), Invalid> {
        let options = &step["options"];
        let retry = match &self.things.policies[text(step, "policy")] {
            Thing::Breaker(breaker) => return breaker.set_options(breaker_options(options, "")?),
            Thing::Limiter(limiter) => return limiter.set_options(limiter_options(options, "")?),
            Thing::Timeout(timeout) => return timeout.set_options(timeout_options(options, "")?),
            Thing::Retry(retry) => retry.clone(),
            _ => panic!("{step}: options of another kind"),
        };
        retry.set_options(self.retry_options(options, "")?)
    }

    fn stats(&self, name: &str) -> String {
        let things = &self.things;
        match things.policies.get(name) {
            Some(Thing::Retry(policy)) => return format!("{:?}", policy.stats()),
            Some(Thing::Budget(budget)) => return format!("{:?}", budget.stats()),
            Some(Thing::Breaker(policy)) => return format!("{:?}", policy.stats()),
            Some(Thing::Limiter(policy)) => return format!("{:?}", policy.stats()),
            Some(Thing::Timeout(policy)) => return format!("{:?}", policy.stats()),
            Some(Thing::Hedge(policy)) => return format!("{:?}", policy.stats()),
            Some(Thing::Fallback(policy)) => return format!("{:?}", policy.stats()),
            Some(Thing::Chaos(policy)) => return format!("{:?}", policy.stats()),
            _ => {}
        }
        let found = [
            things.caches.get(name).map(|thing| format!("{:?}", thing.stats())),
            things.memoized.get(name).map(|thing| format!("{:?}", thing.cache().stats())),
            things.flights.get(name).map(|thing| format!("{:?}", thing.stats())),
            things.debounces.get(name).map(|thing| format!("{:?}", thing.stats())),
            things.throttles.get(name).map(|thing| format!("{:?}", thing.stats())),
            things.pools.get(name).map(|thing| format!("{:?}", thing.stats())),
            things.scopes.get(name).map(|thing| format!("{:?}", thing.stats())),
        ];
        found.into_iter().flatten().next().unwrap_or_else(|| panic!("{name} has no stats"))
    }

    fn cache_step(&mut self, step: &Json) -> Option<Json> {
        let name = text(step, "cache");
        if text(step, "do") == "clear" {
            match self.things.memoized.get(name) {
                Some(memoized) => memoized.cache().clear(),
                None => self.things.caches[name].clear(),
            }
            return Some(json!("ok"));
        }
        let cache: Cache<str, Data> = self.things.caches[name].clone();
        let key = text(step, "key");
        let value = || Arc::new(Data(step["value"].clone()));
        let ttl = || step["ttl_ms"].as_u64().map(Duration::from_millis);
        let found = |found: bool| json!(if found { "ok" } else { "not_found" });
        Some(match text(step, "do") {
            "lookup" => match cache.lookup(key) {
                Some(value) => {
                    self.check(step, "value", &value.0);
                    json!("ok")
                }
                None => json!("not_found"),
            },
            "put" if step.get("ttl_ms").is_some() => said(cache.put_for(key, value(), ttl())),
            "put" => said(cache.put(key, value())),
            "put_if_absent" => match cache.put_if_absent(key, value()) {
                Ok(None) => json!("ok"),
                Ok(Some(existing)) => {
                    self.check(step, "existing", &existing.0);
                    json!("exists")
                }
                Err(status) => json!(status_word(status)),
            },
            "invalidate" => found(cache.invalidate(key)),
            _ => found(cache.touch(key, ttl())),
        })
    }

    fn pacer_step(&mut self, step: &Json) -> Option<Json> {
        let name = text(step, "operation");
        let key = step["key"].as_str();
        let key = key.as_ref().map(|key| key as &dyn weir::Key);
        let debounce = self.things.debounces.get(name);
        let throttle = self.things.throttles.get(name);
        Some(match (text(step, "do"), debounce, throttle) {
            ("flush", Some(pacer), _) => said(pacer.flush(key)),
            ("flush", _, Some(pacer)) => said(pacer.flush(key)),
            ("cancel_pacer", Some(pacer), _) => said(pacer.cancel(key)),
            ("cancel_pacer", _, Some(pacer)) => said(pacer.cancel(key)),
            (_, Some(pacer), _) => json!(pacer.pending()),
            (_, _, Some(pacer)) => json!(pacer.pending()),
            _ => panic!("{name} is no pacer"),
        })
    }

    fn pool_step(&mut self, step: &Json) -> Option<Json> {
        let pool = self.things.pools[text(step, "pool")].clone();
        if text(step, "do") == "seal" {
            pool.seal();
            return Some(json!("ok"));
        }
        let operation = self.operation(&step["operation"]).expect("it was made");
        Some(answer(pool.add_with(&operation, value_of(&step["input"]).as_ref())))
    }

    fn scope_step(&mut self, step: &Json) -> Option<Json> {
        let scope = self.things.scopes[text(step, "scope")].clone();
        match text(step, "do") {
            "cancel_scope" => scope.cancel(),
            "set_value" => {
                let key = text(step, "key");
                return Some(answer(match step["value"].as_str() {
                    Some(text) => scope.set_bytes(key, text),
                    None => scope.set_i64(key, step["value"].as_i64().expect("a number")),
                }));
            }
            _ => {
                let key = text(step, "key");
                let number = scope.get_i64(key).map(|number| json!(number));
                let value =
                    number.or_else(|| scope.get_value(key).map(|value| json_of(Some(&value))));
                let Some(value) = value else { return Some(json!("not_found")) };
                self.check(step, "value", &value);
            }
        }
        Some(json!("ok"))
    }

    fn find(&mut self, step: &Json) -> Json {
        match AnyPolicy::find(&self.runtime, text(step, "name")) {
            Err(invalid) => json!(status_word(invalid.status())),
            Ok(found) => {
                let kind: PolicyKind = found.kind();
                self.check(step, "kind", &json!(word(kind)));
                if let Some(name) = step["as"].as_str() {
                    self.things.policies.insert(name.to_owned(), Thing::Found(found));
                }
                json!("ok")
            }
        }
    }

    fn create(&mut self, step: &Json) -> Json {
        let made = if step.get("policy").is_some() {
            self.make_policy(&step["policy"], "").map(drop)
        } else if step.get("operation").is_some() {
            self.make_operation(&step["operation"], "").map(drop)
        } else {
            self.make_cache(&step["cache"], "").map(drop)
        };
        let Err(invalid) = made else { return json!("ok") };
        if let Some(wanted) = step["message"].as_str() {
            if !invalid.message().contains(wanted) {
                self.problem(format!("{step}\n        says: {invalid}"));
            }
        }
        json!(status_word(invalid.status()))
    }
}

fn same(expected: &Json, actual: &Json) -> bool {
    match (expected.as_f64(), actual.as_f64()) {
        (Some(expected), Some(actual)) => expected == actual,
        _ => expected == actual,
    }
}

/// The field of a stats struct, as its Debug text has it.
fn field_of(stats: &str, field: &str) -> Option<f64> {
    let start = stats.find(&format!(" {field}: "))? + field.len() + 3;
    let rest = &stats[start..];
    rest[..rest.find([',', ' ', '}'])?].parse().ok()
}
