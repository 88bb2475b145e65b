// SPDX-License-Identifier: MIT
//! Policies, operations, caches, flights and scopes from their definitions in the table.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{json, Value as Json};
use weir::{
    breaker, budget, cache, chaos, fallback, flight, flow, hedge, limiter, memoize, pacing,
    parallel, retry, scope, timeout, AnyPolicy, Breaker, Budget, Cache, Chaos, Codes, Debounce,
    Fallback, Flight, Hedge, Invalid, Limiter, Memoize, Pipeline, Policy, Pool, Retry, Scope,
    Status, Throttle, Timeout, Value,
};

use crate::world::{domain, value_of, Data, Fail, Op, World};

pub enum Thing {
    Retry(Retry),
    Budget(Budget),
    Breaker(Breaker),
    Limiter(Limiter),
    Timeout(Timeout),
    Pipeline(Pipeline),
    Hedge(Hedge),
    Fallback(Fallback),
    Chaos(Chaos),
    Found(AnyPolicy),
}

impl Thing {
    pub fn policy(&self) -> &dyn Policy {
        match self {
            Thing::Retry(policy) => policy,
            Thing::Breaker(policy) => policy,
            Thing::Limiter(policy) => policy,
            Thing::Timeout(policy) => policy,
            Thing::Pipeline(policy) => policy,
            Thing::Hedge(policy) => policy,
            Thing::Fallback(policy) => policy,
            Thing::Chaos(policy) => policy,
            Thing::Found(policy) => policy,
            Thing::Budget(_) => panic!("a budget is no policy"),
        }
    }
}

#[derive(Default)]
pub struct Things {
    pub policies: HashMap<String, Thing>,
    pub operations: HashMap<String, Op>,
    pub caches: HashMap<String, Cache<str, Data>>,
    pub memoized: HashMap<String, Memoize<Arc<Data>, Data, Fail>>,
    pub flights: HashMap<String, Flight<Data, Fail>>,
    pub debounces: HashMap<String, Debounce<Arc<Data>, Data, Fail>>,
    pub throttles: HashMap<String, Throttle<Arc<Data>, Data, Fail>>,
    pub pools: HashMap<String, Pool<Option<Value>, Arc<Fail>>>,
    pub scopes: HashMap<String, Scope>,
    pub breaker_permits: HashMap<String, breaker::Permit<'static>>,
    pub limiter_permits: HashMap<String, limiter::Permit<'static>>,
    pub reservations: HashMap<String, limiter::Reservation<'static>>,
    pub tries: HashMap<String, retry::Tries<'static>>,
    pub snapshots: HashMap<String, Vec<u8>>,
    pub cancellers: HashMap<String, weir::Canceller>,
}

/// Takes the fields of a definition that there are into an options struct.
macro_rules! fill {
    ($json:expr, $options:ident: $($field:ident = $name:literal as $kind:ident),* $(,)?) => {
        $(if let Some(given) = $json.get($name) {
            $options.$field = $kind(given)?;
        })*
    };
}

fn refused(given: &Json) -> Invalid {
    // What the types of Rust already refuse: weir never hears of it.
    let made = Timeout::new(&weir::Runtime::new(), timeout::Options::default());
    let _ = given;
    made.expect_err("it has no timeout")
}

fn number(given: &Json) -> Result<f64, Invalid> {
    given.as_f64().ok_or_else(|| refused(given))
}

fn small(given: &Json) -> Result<u32, Invalid> {
    given.as_u64().and_then(|number| number.try_into().ok()).ok_or_else(|| refused(given))
}

fn flag(given: &Json) -> Result<bool, Invalid> {
    given.as_bool().ok_or_else(|| refused(given))
}

fn text(given: &Json) -> Result<String, Invalid> {
    given.as_str().map(str::to_owned).ok_or_else(|| refused(given))
}

fn time(given: &Json) -> Result<Duration, Invalid> {
    if given == "forever" {
        return Ok(Duration::MAX);
    }
    given.as_u64().map(Duration::from_millis).ok_or_else(|| refused(given))
}

fn maybe_time(given: &Json) -> Result<Option<Duration>, Invalid> {
    if given == "forever" || given == "off" {
        return Ok(None);
    }
    time(given).map(Some)
}

fn some_time(given: &Json) -> Result<Option<Duration>, Invalid> {
    time(given).map(Some)
}

fn count(given: &Json) -> Result<Option<u64>, Invalid> {
    if given == "unlimited" {
        return Ok(None);
    }
    given.as_u64().map(Some).ok_or_else(|| refused(given))
}

fn at_once(given: &Json) -> Result<u64, Invalid> {
    Ok(count(given)?.unwrap_or(parallel::UNLIMITED))
}

fn codes(given: &Json) -> Result<Vec<Codes>, Invalid> {
    let range = |given: &Json| Codes {
        domain: domain(given["domain"].as_str().unwrap_or("user")),
        min: given["code_min"].as_i64().expect("a number"),
        max: given["code_max"].as_i64().expect("a number"),
    };
    Ok(given.as_array().into_iter().flatten().map(range).collect())
}

macro_rules! words {
    ($name:ident -> $type:path { $($word:literal = $value:path,)* }) => {
        fn $name(given: &Json) -> Result<$type, Invalid> {
            match given.as_str() {
                $(Some($word) => Ok($value),)*
                _ => Err(refused(given)),
            }
        }
    };
}

words!(backoff -> retry::Backoff {
    "constant" = retry::Backoff::Constant,
    "linear" = retry::Backoff::Linear,
    "exponential" = retry::Backoff::Exponential,
    "decorrelated" = retry::Backoff::Decorrelated,
    "decorrelated_v2" = retry::Backoff::DecorrelatedV2,
});
words!(jitter -> retry::Jitter {
    "none" = retry::Jitter::None,
    "full" = retry::Jitter::Full,
    "equal" = retry::Jitter::Equal,
    "proportional" = retry::Jitter::Proportional,
    "symmetric" = retry::Jitter::Symmetric,
});
words!(mode -> breaker::Mode {
    "consecutive" = breaker::Mode::Consecutive,
    "count_window" = breaker::Mode::CountWindow,
    "time_window" = breaker::Mode::TimeWindow,
});
words!(algorithm -> limiter::Algorithm {
    "token_bucket" = limiter::Algorithm::TokenBucket,
    "fixed_window" = limiter::Algorithm::FixedWindow,
    "sliding_window" = limiter::Algorithm::SlidingWindow,
});
words!(order -> limiter::Order {
    "fifo" = limiter::Order::Fifo,
    "priority" = limiter::Order::Priority,
});
words!(overflow -> limiter::Overflow {
    "deny" = limiter::Overflow::Deny,
    "evict" = limiter::Overflow::Evict,
});
words!(adaptive -> limiter::Adaptive {
    "off" = limiter::Adaptive::Off,
    "aimd" = limiter::Adaptive::Aimd,
    "gradient" = limiter::Adaptive::Gradient,
});
words!(eviction -> cache::Eviction {
    "adaptive" = cache::Eviction::Adaptive,
    "s3_fifo" = cache::Eviction::S3Fifo,
    "lru" = cache::Eviction::Lru,
});
words!(superseded -> pacing::Superseded {
    "cancel" = pacing::Superseded::Cancel,
    "share" = pacing::Superseded::Share,
});
words!(overlap -> pacing::Overlap {
    "queue" = pacing::Overlap::Queue,
    "concurrent" = pacing::Overlap::Concurrent,
    "cancel" = pacing::Overlap::Cancel,
});
words!(exit -> scope::Exit {
    "join" = scope::Exit::Join,
    "cancel" = scope::Exit::Cancel,
    "grace" = scope::Exit::Grace,
});
words!(injected -> chaos::Kind {
    "latency" = chaos::Kind::Latency,
    "failure" = chaos::Kind::Failure,
    "outcome" = chaos::Kind::Outcome,
    "hang" = chaos::Kind::Hang,
});

fn status(given: &Json) -> Status {
    match given.as_str() {
        None | Some("ok") => Status::OK,
        Some("timed_out") => Status::TIMED_OUT,
        Some("failed") => Status::FAILED,
        Some(other) => panic!("a sleep that ends as {other}"),
    }
}

fn rate(json: &Json) -> Result<Option<limiter::Rate>, Invalid> {
    if json.get("permits").is_none() && json.get("interval_ms").is_none() {
        return Ok(None);
    }
    let burst = json.get("burst").map(small).transpose()?;
    Ok(Some(limiter::Rate {
        permits: small(&json["permits"])?,
        per: time(&json["interval_ms"])?,
        burst,
    }))
}

fn failure(json: &Json) -> Option<Value> {
    (!json.is_null()).then(|| Value::shared(Fail::of(json)).expect("memory"))
}

/// The options of a limiter, which can be set anew.
pub fn limiter_options(json: &Json, name: &str) -> Result<limiter::Options, Invalid> {
    let mut options =
        limiter::Options { name: name.to_owned(), rate: rate(json)?, ..Default::default() };
    fill!(json, options: algorithm = "algorithm" as algorithm,
        max_concurrent = "max_concurrent" as count, max_queue = "max_queue" as count,
        queue_timeout = "queue_timeout_ms" as maybe_time, queue_order = "queue_order" as order,
        key_overflow = "key_overflow" as overflow, adaptive = "adaptive" as adaptive,
        early_release = "early_release" as flag, adaptive_min = "adaptive_min" as small,
        adaptive_max = "adaptive_max" as small, adaptive_latency = "adaptive_latency_ms" as maybe_time,
        adaptive_backoff = "adaptive_backoff" as number);
    if let Some(keys) = json.get("max_keys") {
        options.max_keys = Some(small(keys)?);
    }
    Ok(options)
}

pub fn breaker_options(json: &Json, name: &str) -> Result<breaker::Options, Invalid> {
    let mut options = breaker::Options { name: name.to_owned(), ..Default::default() };
    fill!(json, options: mode = "mode" as mode, failure_threshold = "failure_threshold" as small,
        window_size = "window_size" as small, window = "window_ms" as time,
        failure_rate = "failure_rate" as number, min_calls = "min_calls" as small,
        half_open_max_calls = "half_open_max_calls" as small,
        half_open_success_threshold = "half_open_success_threshold" as small,
        half_open_failures = "half_open_failures" as small, slow_call = "slow_call_ms" as maybe_time,
        slow_call_rate = "slow_call_rate" as number, reset_timeout = "reset_timeout_ms" as time,
        reset_multiplier = "reset_multiplier" as number,
        max_reset_timeout = "max_reset_timeout_ms" as time,
        trial_timeout = "trial_timeout_ms" as maybe_time, ramp_up = "ramp_up_ms" as maybe_time,
        failures = "failures" as codes);
    Ok(options)
}

pub fn timeout_options(json: &Json, name: &str) -> Result<timeout::Options, Invalid> {
    let mut options = timeout::Options { name: name.to_owned(), ..Default::default() };
    fill!(json, options: timeout = "timeout_ms" as some_time, message = "message" as text);
    Ok(options)
}

impl World<'_> {
    pub fn build_all(&mut self) {
        let scenario = self.scenario;
        let names = |group: &str| -> Vec<String> {
            scenario[group]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect()
        };
        let report = |world: &World<'_>, name: &str, built: Result<(), Invalid>| {
            if let Err(invalid) = built {
                world.problem(format!("{name} was not made: {invalid}"));
            }
        };
        for name in names("policies") {
            let built = self.need_policy(&name);
            report(self, &name, built);
        }
        for name in names("operations") {
            let built = self.need_operation(&name);
            report(self, &name, built);
        }
        for name in names("caches") {
            self.need_cache(&name);
        }
        for name in names("flights") {
            self.need_flight(&name);
        }
        for name in names("scopes") {
            self.need_scope(&name);
        }
    }

    fn need_policy(&mut self, name: &str) -> Result<(), Invalid> {
        if !self.things.policies.contains_key(name) {
            let json = &self.scenario["policies"][name];
            let made = self.make_policy(json, name)?;
            self.things.policies.insert(name.to_owned(), made);
        }
        Ok(())
    }

    fn need_operation(&mut self, name: &str) -> Result<(), Invalid> {
        if !self.things.operations.contains_key(name) {
            let json = &self.scenario["operations"][name];
            let made = self.make_operation(json, name)?;
            self.things.operations.insert(name.to_owned(), made);
        }
        Ok(())
    }

    fn need_cache(&mut self, name: &str) -> Cache<str, Data> {
        if let Some(cache) = self.things.caches.get(name) {
            return cache.clone();
        }
        let cache = self.make_cache(&self.scenario["caches"][name], name).expect("legal options");
        self.things.caches.insert(name.to_owned(), cache.clone());
        cache
    }

    fn need_flight(&mut self, name: &str) -> Flight<Data, Fail> {
        let json = &self.scenario["flights"][name];
        let runtime = &self.runtime;
        let make = || {
            let mut options = flight::Options { name: name.to_owned(), ..Default::default() };
            if let Some(given) = json.get("timeout_ms") {
                options.timeout = maybe_time(given).expect("a time");
            }
            Flight::new(runtime, options).expect("legal options")
        };
        let flight = self.things.flights.entry(name.to_owned()).or_insert_with(make);
        flight.clone()
    }

    fn need_scope(&mut self, name: &str) -> Scope {
        if let Some(scope) = self.things.scopes.get(name) {
            return scope.clone();
        }
        let json = &self.scenario["scopes"][name];
        let parent = json["parent"].as_str().map(|parent| self.need_scope(parent));
        let mut options = scope_options(json, name).expect("legal options");
        options.parent = parent.map(|parent| parent.view().clone());
        let scope = Scope::new(&self.runtime, options).expect("legal options");
        self.things.scopes.insert(name.to_owned(), scope.clone());
        scope
    }

    pub fn make_cache(&self, json: &Json, name: &str) -> Result<Cache<str, Data>, Invalid> {
        let mut options = cache::Options { name: name.to_owned(), ..Default::default() };
        fill!(json, options: eviction = "eviction" as eviction, max_entries = "max_entries" as count,
            ttl = "ttl_ms" as maybe_time, idle = "idle_ms" as maybe_time,
            load_timeout = "load_timeout_ms" as maybe_time, refresh = "refresh_ms" as maybe_time,
            stale_if_error = "stale_if_error_ms" as maybe_time,
            negative_ttl = "negative_ttl_ms" as maybe_time);
        Cache::new(&self.runtime, options)
    }

    fn budget(&mut self, json: &Json) -> Result<Option<Budget>, Invalid> {
        let Some(name) = json["budget"].as_str() else { return Ok(None) };
        self.need_policy(name)?;
        match &self.things.policies[name] {
            Thing::Budget(budget) => Ok(Some(budget.clone())),
            _ => panic!("{name} is no budget"),
        }
    }

    pub fn retry_options(&mut self, json: &Json, name: &str) -> Result<retry::Options, Invalid> {
        let budget = self.budget(json)?;
        let mut options = retry::Options { name: name.to_owned(), budget, ..Default::default() };
        fill!(json, options: backoff = "backoff" as backoff, max_attempts = "max_attempts" as count,
            base_delay = "base_delay_ms" as time, max_delay = "max_delay_ms" as time,
            min_delay = "min_delay_ms" as time, multiplier = "multiplier" as number,
            jitter = "jitter" as jitter, jitter_factor = "jitter_factor" as number,
            retry_refusals = "retry_refusals" as flag, max_elapsed = "max_elapsed_ms" as maybe_time,
            attempt_timeout = "attempt_timeout_ms" as maybe_time, failures = "failures" as codes);
        Ok(options)
    }

    pub fn make_policy(&mut self, json: &Json, name: &str) -> Result<Thing, Invalid> {
        let runtime = weir::Runtime::clone(&self.runtime);
        let named = || name.to_owned();
        match json["type"].as_str().expect("a policy has a type") {
            "retry" => {
                let options = self.retry_options(json, name)?;
                Retry::new(&runtime, options).map(Thing::Retry)
            }
            "budget" => {
                let mut options = budget::Options { name: named(), ..Default::default() };
                fill!(json, options: ratio = "ratio" as number,
                    min_per_second = "min_per_second" as number, window = "window_ms" as time);
                Budget::new(&runtime, options).map(Thing::Budget)
            }
            "breaker" => Breaker::new(&runtime, breaker_options(json, name)?).map(Thing::Breaker),
            "limiter" => {
                let limiter = Limiter::new(&runtime, limiter_options(json, name)?)?;
                for limit in json["limits"].as_array().into_iter().flatten() {
                    let algorithm = limit.get("algorithm").map(algorithm).transpose()?;
                    let algorithm = algorithm.unwrap_or(limiter::Algorithm::TokenBucket);
                    limiter.add_limit(algorithm, rate(limit)?.expect("a rate"))?;
                }
                Ok(Thing::Limiter(limiter))
            }
            "bulkhead" => {
                let most = small(&json["max_concurrent"])?;
                let queue = count(&json["queue_limit"])?;
                Limiter::bulkhead(&runtime, most, queue, name).map(Thing::Limiter)
            }
            "timeout" => Timeout::new(&runtime, timeout_options(json, name)?).map(Thing::Timeout),
            "pipeline" => {
                let members: Vec<_> = json["policies"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                    .collect();
                for member in &members {
                    self.need_policy(member)?;
                }
                let policies: Vec<_> =
                    members.iter().map(|&member| self.things.policies[member].policy()).collect();
                Pipeline::new(&runtime, &policies, name).map(Thing::Pipeline)
            }
            "hedge" => {
                let budget = self.budget(json)?;
                let mut options = hedge::Options { name: named(), budget, ..Default::default() };
                fill!(json, options: max_hedges = "max_hedges" as small, delay = "delay_ms" as some_time,
                    failures = "failures" as codes);
                Hedge::new(&runtime, options).map(Thing::Hedge)
            }
            "fallback" => {
                let mut options = fallback::Options { name: named(), ..Default::default() };
                fill!(json, options: failures = "failures" as codes);
                let answer = match json["operation"].as_str() {
                    Some(operation) => {
                        self.need_operation(operation)?;
                        fallback::Answer::operation(&self.things.operations[operation])
                    }
                    None => fallback::Answer::value(value_of(&json["value"]))?,
                };
                Fallback::new(&runtime, answer, options).map(Thing::Fallback)
            }
            "chaos" => self.make_chaos(json, name).map(Thing::Chaos),
            other => panic!("no policy is a {other}"),
        }
    }

    fn make_chaos(&self, json: &Json, name: &str) -> Result<Chaos, Invalid> {
        let mut options = chaos::Options {
            name: name.to_owned(),
            value: value_of(&json["value"]),
            failure: failure(&json["failure"]),
            ..Default::default()
        };
        fill!(json, options: enabled = "enabled" as flag, failure_rate = "failure_rate" as number,
            outcome_rate = "outcome_rate" as number, hang_rate = "hang_rate" as number,
            latency_rate = "latency_rate" as number, latency_min = "latency_min_ms" as time,
            latency_max = "latency_max_ms" as time);
        options.seed = json["seed"].as_u64().unwrap_or(0);
        for phase in json["phases"].as_array().into_iter().flatten() {
            options.phases.push(chaos::Phase {
                from: time(&phase["from_ms"])?,
                until: maybe_time(&phase["until_ms"])?,
                what: injected(&phase["what"])?,
                rate: number(&phase["rate"])?,
            });
        }
        Chaos::new(&self.runtime, options)
    }

    pub fn operation(&mut self, json: &Json) -> Result<Op, Invalid> {
        let name = json.as_str().expect("an operation's name");
        self.need_operation(name)?;
        Ok(self.things.operations[name].clone())
    }

    fn operations(&mut self, json: &Json) -> Result<Vec<Op>, Invalid> {
        json["operations"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| self.operation(name))
            .collect()
    }

    fn policy_of(&mut self, json: &Json) -> Result<Option<AnyPolicy>, Invalid> {
        let Some(name) = json["policy"].as_str() else { return Ok(None) };
        self.need_policy(name)?;
        Ok(Some(self.things.policies[name].policy().any()))
    }

    fn parallel_options(&mut self, json: &Json, name: &str) -> Result<parallel::Options, Invalid> {
        let policy = self.policy_of(json)?;
        let mut options = parallel::Options { name: name.to_owned(), policy, ..Default::default() };
        fill!(json, options: concurrency = "concurrency" as at_once,
            stop_on_error = "stop_on_error" as flag, item_timeout = "item_timeout_ms" as maybe_time);
        Ok(options)
    }

    pub fn make_operation(&mut self, json: &Json, name: &str) -> Result<Op, Invalid> {
        let runtime = weir::Runtime::clone(&self.runtime);
        match json["type"].as_str().expect("an operation has a type") {
            "leaf" => self.shared.leaf(name, json),
            "sleep" => {
                let (value, error) = (value_of(&json["value"]), failure(&json["error"]));
                let time = time(&json["sleep_ms"])?;
                flow::sleep_with(&runtime, time, status(&json["status"]), value, error)
            }
            "wrap" => {
                let policy = self.policy_of(json)?.expect("a wrap has a policy");
                self.operation(&json["operation"])?.under(&policy)
            }
            "race" => {
                let mut options = flow::RaceOptions { name: name.to_owned(), ..Default::default() };
                fill!(json, options: first_settled = "first_settled" as flag);
                let decisive = json["decisive"].as_array().into_iter().flatten();
                options.decisive = decisive.map(|flag| flag == &json!(true)).collect();
                flow::race(&runtime, &self.operations(json)?, options)
            }
            "any" => flow::any(&runtime, &self.operations(json)?),
            "all" => Ok(flow::all(&runtime, &self.operations(json)?)?.cast()),
            "all_settled" => Ok(flow::all_settled(&runtime, &self.operations(json)?)?.cast()),
            "waterfall" => flow::steps(&runtime, &self.operations(json)?, name),
            "parallel" => {
                let options = self.parallel_options(json, name)?;
                Ok(parallel::all(&runtime, &self.operations(json)?, options)?.cast())
            }
            "parallel_each" => {
                let options = self.parallel_options(json, name)?;
                let items = value_of(&json["items"]).expect("a list");
                let operation = self.operation(&json["operation"])?;
                Ok(parallel::over(&operation, &items, options)?.cast())
            }
            "pool" => {
                let pool = Pool::new(&runtime, self.parallel_options(json, name)?)?;
                let operation = pool.operation().cast();
                self.things.pools.insert(name.to_owned(), pool);
                Ok(operation)
            }
            "poll" => {
                let mut options = flow::PollOptions { name: name.to_owned(), ..Default::default() };
                fill!(json, options: interval = "interval_ms" as some_time,
                    max_attempts = "max_attempts" as count, max_elapsed = "max_elapsed_ms" as maybe_time);
                flow::poll_value(&self.operation(&json["operation"])?, options)
            }
            "scope" => {
                let options = scope_options(json, name)?;
                self.operation(&json["operation"])?.in_scope(options)
            }
            "resource" => {
                let (open, close) =
                    (self.operation(&json["open"])?, self.operation(&json["close"])?);
                scope::resource(&open, &close, json["key"].as_str().unwrap_or(""))
            }
            "join" => {
                let scope = self.need_scope(json["scope"].as_str().expect("a name"));
                Ok(scope.joining::<Arc<Fail>>()?.cast())
            }
            _ => self.make_shared(json, name),
        }
    }

    /// Operations that are shared by those who run them.
    fn make_shared(&mut self, json: &Json, name: &str) -> Result<Op, Invalid> {
        match json["type"].as_str().expect("an operation has a type") {
            "cache" => {
                let cache = self.need_cache(json["cache"].as_str().expect("a name"));
                let loader = self.operation(&json["loader"])?.cast::<Arc<Data>, Arc<Fail>>();
                Ok(cache.operation(&loader)?.cast())
            }
            "cache_many" => {
                let cache = self.need_cache(json["cache"].as_str().expect("a name"));
                let loader = self.operation(&json["loader"])?.cast::<Value, Arc<Fail>>();
                Ok(cache.operation_many(&loader)?.cast())
            }
            "memoize" => {
                let mut options = memoize::Options { name: name.to_owned(), ..Default::default() };
                fill!(json, options: max_entries = "max_entries" as count, ttl = "ttl_ms" as maybe_time,
                    load_timeout = "load_timeout_ms" as maybe_time);
                let operation = self.operation(&json["operation"])?.cast();
                let memoized: Memoize<Arc<Data>, Data, Fail> = Memoize::of(&operation, options)?;
                let operation = memoized.operation().cast();
                self.things.memoized.insert(name.to_owned(), memoized);
                Ok(operation)
            }
            "flight" => {
                let flight = self.need_flight(json["flight"].as_str().expect("a name"));
                let operation = self.operation(&json["operation"])?.cast();
                Ok(flight.operation(&operation)?.cast())
            }
            "debounce" => {
                let policy = self.policy_of(json)?;
                let mut options =
                    pacing::DebounceOptions { name: name.to_owned(), policy, ..Default::default() };
                fill!(json, options: leading = "leading" as flag, trailing = "trailing" as flag,
                    superseded = "superseded" as superseded, overlap = "overlap" as overlap,
                    wait = "wait_ms" as maybe_time, max_wait = "max_wait_ms" as maybe_time);
                let operation = self.operation(&json["operation"])?.cast();
                let pacer = Debounce::of(&operation, options)?;
                let operation = pacer.operation().cast();
                self.things.debounces.insert(name.to_owned(), pacer);
                Ok(operation)
            }
            "throttle" => {
                let policy = self.policy_of(json)?;
                let mut options =
                    pacing::ThrottleOptions { name: name.to_owned(), policy, ..Default::default() };
                fill!(json, options: leading = "leading" as flag, trailing = "trailing" as flag,
                    superseded = "superseded" as superseded, overlap = "overlap" as overlap,
                    interval = "interval_ms" as maybe_time);
                let operation = self.operation(&json["operation"])?.cast();
                let pacer = Throttle::of(&operation, options)?;
                let operation = pacer.operation().cast();
                self.things.throttles.insert(name.to_owned(), pacer);
                Ok(operation)
            }
            other => panic!("no operation is a {other}"),
        }
    }
}

fn scope_options(json: &Json, name: &str) -> Result<scope::Options, Invalid> {
    let mut options = scope::Options { name: name.to_owned(), ..Default::default() };
    fill!(json, options: exit = "exit" as exit, deadline = "deadline_ms" as maybe_time,
        grace = "grace_ms" as maybe_time);
    Ok(options)
}
