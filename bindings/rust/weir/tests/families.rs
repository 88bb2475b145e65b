// SPDX-License-Identifier: MIT
//! Hedge, fallback, chaos, caches, flights, pacers, and what is composed of operations.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir::{
    budget, cache, chaos, fallback, flight, flow, hedge, memoize, pacing, parallel, run, scope,
    testing, Budget, Cache, Cancel, Chaos, Debounce, Error, Fallback, Flight, Hedge, Memoize,
    Operation, Pool, Retry, Runtime, Scope, Status, Throttle, Timeout, Value,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Gives `value` after `time`, or fails with it.
fn after<T: Clone + Send + Sync + 'static>(
    runtime: &Runtime,
    time: Duration,
    result: Result<T, &'static str>,
) -> Operation<T, &'static str> {
    let sleeps = runtime.clone();
    let function = move |_| {
        let (sleeps, result) = (sleeps.clone(), result.clone());
        async move {
            sleeps.sleep(time).await.expect("the runtime is open");
            result
        }
    };
    Operation::new(runtime, function).expect("legal")
}

#[test]
fn a_hedge_starts_a_copy_and_drops_the_loser() {
    let runtime = testing::Runtime::new(1);
    let hedge = Hedge::new(&runtime, 100 * MS).unwrap();
    let text = String::from("borrowed");
    let run = hedge.run(|attempt| {
        let text = &text;
        async move {
            if attempt.number() == 1 {
                std::future::pending::<()>().await;
            }
            Ok::<_, ()>((attempt.number(), text.len()))
        }
    });
    assert_eq!(runtime.block_on(run).unwrap(), (2, 8));
    assert_eq!(hedge.stats().won_by_hedge, 1);
    assert!(Hedge::new(&runtime, hedge::Options::default()).is_err());
}

#[test]
fn all_copies_failing_is_an_aggregate_with_each_error() {
    let runtime = testing::Runtime::new(1);
    let hedge =
        Hedge::new(&runtime, hedge::Options { max_hedges: 2, ..hedge::Options::from(100 * MS) })
            .unwrap();
    let run = hedge.run(|attempt| async move { Err::<(), _>(attempt.number()) });
    let Err(Error::Aggregate(errors, _)) = runtime.block_on(run) else { panic!("not aggregate") };
    let errors: Vec<_> =
        errors.into_iter().map(|(index, error)| (index, error.into_failed().unwrap())).collect();
    assert_eq!(errors, [(0, 1), (1, 2), (2, 3)]);
}

#[test]
fn a_fallback_answers_with_a_value_or_an_operation() {
    let runtime = testing::Runtime::new(1);
    let answer = fallback::Answer::value("default").unwrap();
    let values = Fallback::new(&runtime, answer, Default::default()).unwrap();
    let run = values.run(|_| async { Err::<&str, _>("down") });
    assert_eq!(runtime.block_on(run).unwrap(), "default");

    let seen = Operation::<_, &str>::new(&runtime, |attempt| async move {
        let failed = attempt.failed().expect("something failed");
        Ok(failed.error(|error: &&str| format!("instead of {error}")).unwrap())
    });
    let answer = fallback::Answer::operation(&seen.unwrap());
    let operations = Fallback::new(&runtime, answer, Default::default()).unwrap();
    let run = operations.run(|_| async { Err::<String, _>("down") });
    assert_eq!(runtime.block_on(run).unwrap(), "instead of down");

    let fails = Operation::<String, _>::new(&runtime, |_| async { Err("also down") }).unwrap();
    let answer = fallback::Answer::operation(&fails);
    let failing = Fallback::new(&runtime, answer, Default::default()).unwrap();
    let error = runtime.block_on(failing.run(|_| async { Err::<String, _>("down") })).unwrap_err();
    assert_eq!(error.failed(), Some(&"also down"));
    assert_eq!(error.cause().unwrap().failed(), Some(&"down"));
}

#[test]
fn shared_work_that_a_fallback_begins_outlives_its_first_caller() {
    let runtime = testing::Runtime::new(1);
    let cache: Cache<str, u32> = Cache::new(&runtime, Default::default()).unwrap();
    let flight: Flight<u32, &str> = Flight::new(&runtime, Default::default()).unwrap();
    let work = |calls: &Arc<AtomicU32>| {
        let (calls, clock) = (Arc::clone(calls), (*runtime).clone());
        move |_| {
            calls.fetch_add(1, Ordering::Relaxed);
            let clock = clock.clone();
            async move {
                clock.sleep(10 * MS).await.unwrap();
                Ok::<_, &str>(7)
            }
        }
    };
    let calls = [Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0))];
    let load = cache.operation(&cache.loader(work(&calls[0])).unwrap()).unwrap();
    let flown = Operation::shared(&runtime, work(&calls[1])).unwrap();
    let flown = flight.operation(&flown).unwrap();
    for (shared, calls) in [load, flown].iter().zip(&calls) {
        let answer = fallback::Answer::operation(shared);
        let fallback = Fallback::new(&runtime, answer, Default::default()).unwrap();
        let down = Operation::<Arc<u32>, Arc<&str>>::shared(&runtime, |_| async { Err("down") });
        let guarded = down.unwrap().under(&fallback).unwrap();
        let begin = |options| runtime.spawn(guarded.run_with(options));
        let dropped = begin(run::Options::key("k"));
        let late = begin(run::Options { deadline: Some(5 * MS), ..run::Options::key("k") });
        let waits = begin(run::Options::key("k"));
        runtime.run_until_idle();
        dropped.abort();
        runtime.advance(5 * MS);
        assert!(matches!(late.take(), Some(Err(Error::TimedOut(_)))));
        runtime.advance(5 * MS);
        assert_eq!(*waits.take().expect("it has ended").expect("it is loaded"), 7);
        assert_eq!(calls.load(Ordering::Relaxed), 1, "nobody had to begin anew");
    }
}

#[test]
fn chaos_injects_failures_values_and_hangs() {
    let runtime = testing::Runtime::new(1);
    let failing = Chaos::new(
        &runtime,
        chaos::Options {
            failure_rate: 1.0,
            failure: Some(Value::shared("injected").unwrap()),
            ..Default::default()
        },
    )
    .unwrap();
    let run = || failing.run(|_| async { Ok::<_, &str>(1) });
    assert_eq!(runtime.block_on(run()).unwrap_err().into_failed().unwrap(), "injected");
    failing.enable(false);
    assert_eq!(runtime.block_on(run()).unwrap(), 1);
    let giving = Chaos::new(
        &runtime,
        chaos::Options {
            outcome_rate: 1.0,
            value: Some(Value::shared(5).unwrap()),
            ..Default::default()
        },
    )
    .unwrap();
    assert_eq!(runtime.block_on(giving.run(|_| async { Ok::<_, ()>(1) })).unwrap(), 5);
}

#[test]
fn a_budget_bounds_retries() {
    let runtime = testing::Runtime::new(1);
    let budget = Budget::new(
        &runtime,
        budget::Options { ratio: 0.0, min_per_second: 0.1, ..Default::default() },
    )
    .unwrap();
    assert!(budget.try_withdraw().is_ok());
    let rejection = budget.try_withdraw().unwrap_err();
    assert_eq!(rejection.status(), Status::LIMITED);
    budget.refund();
    assert_eq!(budget.stats().available, 1);
}

#[test]
fn a_cache_loads_once_for_all_who_ask() {
    let runtime = testing::Runtime::new(1);
    let users: Cache<str, String> = Cache::new(&runtime, Default::default()).unwrap();
    let loads = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let (loads, sleeps) = (loads.clone(), Runtime::clone(&runtime));
            let get = users.get("ada", move |attempt| {
                loads.fetch_add(1, Ordering::Relaxed);
                assert_eq!(attempt.key(), Some(&b"ada"[..]));
                let sleeps = sleeps.clone();
                async move {
                    sleeps.sleep(SECOND).await.unwrap();
                    Ok::<_, ()>("Ada".to_owned())
                }
            });
            runtime.spawn(get.unwrap())
        })
        .collect();
    runtime.advance(SECOND);
    let values: Vec<_> = tasks.iter().map(|task| task.take().unwrap().unwrap()).collect();
    assert!(values.iter().all(|value| Arc::ptr_eq(value, &values[0])));
    assert_eq!(loads.load(Ordering::Relaxed), 1);
    assert!(Arc::ptr_eq(&users.lookup("ada").unwrap(), &values[0]));
    runtime.advance(Duration::from_secs(300));
    assert!(users.lookup("ada").is_none());
}

#[test]
fn a_load_goes_on_for_the_others_and_its_error_is_shared() {
    let runtime = testing::Runtime::new(1);
    let users: Cache<u32, ()> = Cache::new(&runtime, Default::default()).unwrap();
    let get = || {
        let sleeps = Runtime::clone(&runtime);
        users.get(&1, move |_| {
            let sleeps = sleeps.clone();
            async move {
                sleeps.sleep(SECOND).await.unwrap();
                Err::<(), _>("down".to_owned())
            }
        })
    };
    let leaves = runtime.spawn(get().unwrap());
    let stays = [runtime.spawn(get().unwrap()), runtime.spawn(get().unwrap())];
    runtime.advance(100 * MS);
    leaves.abort();
    runtime.advance(SECOND);
    let errors = stays.map(|task| task.take().unwrap().unwrap_err().into_failed().unwrap());
    assert!(Arc::ptr_eq(&errors[0], &errors[1]));
    assert_eq!(users.stats().loads, 1);
}

#[test]
fn a_cache_can_be_written_scanned_and_cleared() {
    let runtime = testing::Runtime::new(1);
    let evicted = Arc::new(Mutex::new(Vec::new()));
    let tells = evicted.clone();
    let numbers: Cache<str, u64> = Cache::new(
        &runtime,
        cache::Options {
            max_weight: Some(10),
            weigh: Some(Arc::new(|_, &number| number as u32)),
            on_evict: Some(Arc::new(move |cause, _, number| {
                tells.lock().unwrap().push((cause, **number));
            })),
            ..Default::default()
        },
    )
    .unwrap();
    numbers.put("three", 3).unwrap();
    assert_eq!(numbers.put_if_absent("three", 4).unwrap(), Some(Arc::new(3)));
    assert_eq!(numbers.put_if_absent("four", 4).unwrap(), None);
    assert_eq!(numbers.put("heavy", 11), Err(Status::FULL));
    let mut entries = numbers.scan().unwrap();
    entries.sort_by_key(|entry| entry.weight);
    let entries: Vec<_> = entries.iter().map(|entry| (&entry.key[..], *entry.value)).collect();
    assert_eq!(entries, [(&b"three"[..], 3), (&b"four"[..], 4)]);
    assert!(numbers.touch("four", Some(SECOND)));
    assert!(numbers.invalidate("three") && !numbers.invalidate("three"));
    runtime.advance(2 * SECOND);
    assert!(numbers.lookup("four").is_none());
    numbers.put("two", 2).unwrap();
    numbers.clear();
    runtime.run_until_idle();
    let causes: Vec<_> = evicted.lock().unwrap().iter().map(|&(cause, _)| cause).collect();
    assert_eq!(causes, [cache::Cause::Explicit, cache::Cause::Expired, cache::Cause::Cleared]);
}

#[test]
fn many_keys_are_loaded_in_one_call() {
    let runtime = testing::Runtime::new(1);
    let lengths: Cache<str, usize> = Cache::new(&runtime, Default::default()).unwrap();
    lengths.put("a", 100).unwrap();
    let many = lengths.get_many(&["a", "bb", "c", "bb"], |keys| async move {
        keys.iter().map(|key| if key.len() > 1 { Ok(key.len()) } else { Err("short") }).collect()
    });
    let results = runtime.block_on(many.unwrap()).unwrap().into_results();
    let results: Vec<_> = results
        .into_iter()
        .map(|result| result.map(|value| *value).map_err(|error| *error.into_failed().unwrap()))
        .collect();
    assert_eq!(results, [Ok(100), Ok(2), Err("short"), Ok(2)]);
}

#[test]
fn a_memoized_function_is_called_once_for_each_input() {
    let runtime = testing::Runtime::new(1);
    let calls = Arc::new(AtomicU32::new(0));
    let counts = calls.clone();
    let square = Memoize::new(&runtime, memoize::Options::default(), move |number: u64, _| {
        counts.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, ()>(number * number) }
    })
    .unwrap();
    for _ in 0..2 {
        assert_eq!(*runtime.block_on(square.call(7).unwrap()).unwrap(), 49);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(square.cache().invalidate(&7));
    assert_eq!(*runtime.block_on(square.call(7).unwrap()).unwrap(), 49);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_flight_does_the_work_once() {
    let runtime = testing::Runtime::new(1);
    let flight = Flight::new(&runtime, flight::Options::default()).unwrap();
    let tasks: Vec<_> = (0..3)
        .map(|number| {
            let sleeps = Runtime::clone(&runtime);
            let work = move |_| {
                let sleeps = sleeps.clone();
                async move {
                    sleeps.sleep(SECOND).await.unwrap();
                    Ok::<_, ()>(number)
                }
            };
            runtime.spawn(flight.run("key", work).unwrap())
        })
        .collect();
    runtime.advance(SECOND);
    assert!(tasks.iter().all(|task| *task.take().unwrap().unwrap() == 0));
    assert_eq!(flight.stats().runs, 1);
}

#[test]
fn a_debounce_runs_with_the_latest_argument() {
    let runtime = testing::Runtime::new(1);
    let search = Debounce::new(&runtime, pacing::DebounceOptions::default(), |text: &str, _| {
        let found = format!("results for {text}");
        async move { Ok::<_, ()>(found) }
    })
    .unwrap();
    let first = runtime.spawn(search.call("w").unwrap());
    runtime.advance(100 * MS);
    let second = runtime.spawn(search.call("weir").unwrap());
    runtime.advance(299 * MS);
    assert!(matches!(first.take(), Some(Err(Error::Superseded(_)))));
    assert!(!second.is_done());
    runtime.advance(MS);
    assert_eq!(*second.take().unwrap().unwrap(), "results for weir");
    search.send("later").unwrap();
    runtime.run_until_idle();
    assert_eq!(search.pending(), 1);
    search.cancel(None).unwrap();
    runtime.advance(SECOND);
    assert_eq!(search.stats().runs, 1);
}

#[test]
fn a_throttle_runs_at_most_once_in_an_interval() {
    let runtime = testing::Runtime::new(1);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = told.clone();
    let progress = Throttle::new(&runtime, pacing::ThrottleOptions::default(), move |share, _| {
        tells.lock().unwrap().push(share);
        async { Ok::<_, ()>(()) }
    })
    .unwrap();
    for share in 0..10 {
        progress.send(share).unwrap();
        runtime.advance(20 * MS);
    }
    runtime.advance(SECOND);
    assert_eq!(*told.lock().unwrap(), [0, 4, 9]);
}

#[test]
fn races_are_won_by_the_first_success() {
    let runtime = testing::Runtime::new(1);
    let slow = after(&runtime, 2 * SECOND, Ok("slow"));
    let fast = after(&runtime, SECOND, Ok("fast"));
    let down = after(&runtime, 10 * MS, Err("down"));
    let any = flow::any(&runtime, &[slow.clone(), fast, down.clone()]).unwrap();
    assert_eq!(runtime.block_on(any.run()).unwrap(), "fast");
    let timeout = flow::time_out(&runtime, 100 * MS).unwrap();
    let options = flow::RaceOptions { decisive: vec![false, true], ..Default::default() };
    let race = flow::race(&runtime, &[slow, timeout], options).unwrap();
    assert!(matches!(runtime.block_on(race.run()), Err(Error::TimedOut(_))));
    let all_down = flow::any(&runtime, &[down.clone(), down]).unwrap();
    let error = runtime.block_on(all_down.run()).unwrap_err();
    assert_eq!(error.errors().len(), 2);
    assert_eq!(error.errors()[1].1.failed(), Some(&"down"));
    runtime.run_until_idle();
    assert_eq!(runtime.stats().orphans, 0);
}

#[test]
fn all_gives_all_values_or_the_first_failure() {
    let runtime = testing::Runtime::new(1);
    let (one, two) = (after(&runtime, 2 * MS, Ok(1)), after(&runtime, MS, Ok(2)));
    let down = after(&runtime, MS, Err("down"));
    let all = flow::all(&runtime, &[one.clone(), two.clone()]).unwrap();
    assert_eq!(runtime.block_on(all.run()).unwrap(), [1, 2]);
    let failing = flow::all(&runtime, &[one.clone(), down.clone()]).unwrap();
    assert_eq!(runtime.block_on(failing.run()).unwrap_err().into_failed().unwrap(), "down");
    let settled = flow::all_settled(&runtime, &[one, down, two]).unwrap();
    let results = runtime.block_on(settled.run()).unwrap().into_results();
    let results: Vec<_> =
        results.into_iter().map(|r| r.map_err(|e| e.into_failed().unwrap())).collect();
    assert_eq!(results, [Ok(1), Err("down"), Ok(2)]);
}

#[test]
fn a_waterfall_feeds_each_step_by_the_last_and_names_the_failing_one() {
    let runtime = testing::Runtime::new(1);
    let steps = flow::waterfall(&runtime, |_| async { Ok::<_, String>(vec![1, 2, 3]) })
        .and_then(|steps| {
            steps.then(|numbers: &Vec<i32>| {
                let sum = numbers.iter().sum::<i32>();
                async move { Ok(sum) }
            })
        })
        .and_then(|steps| {
            steps.then(|&sum: &i32| async move { Err::<(), _>(format!("{sum} is too much")) })
        })
        .and_then(|steps| steps.build("price"))
        .unwrap();
    let error = runtime.block_on(steps.run()).unwrap_err();
    assert_eq!(error.failed().unwrap(), "6 is too much");
    assert!(error.report().message().starts_with("step 3 of 3 failed"));
}

#[test]
fn a_poll_ends_with_the_value_that_is_waited_for() {
    let runtime = testing::Runtime::new(1);
    let jobs = Arc::new(AtomicU32::new(0));
    let job = Operation::<_, &str>::new(&runtime, move |_| {
        let tries = jobs.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            if tries == 2 {
                Err("hiccup")
            } else {
                Ok(tries)
            }
        }
    })
    .unwrap();
    let options = flow::PollOptions { max_attempts: Some(5), ..flow::PollOptions::every(SECOND) };
    let done = flow::poll(&job, options, |&tries| tries >= 4).unwrap();
    let settled = runtime.block_on(done.run().settled());
    assert_eq!(settled.elapsed, 3 * SECOND);
    assert_eq!(settled.result.unwrap(), 4);
}

#[test]
fn parallel_bounds_and_collects() {
    let runtime = testing::Runtime::new(1);
    let sleeps = Runtime::clone(&runtime);
    let running = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
    let counts = running.clone();
    let progress = Arc::new(Mutex::new(Vec::new()));
    let tells = progress.clone();
    let options = parallel::Options {
        concurrency: 2,
        stop_on_error: false,
        on_progress: Some(parallel::OnProgress::new(move |done, total| {
            tells.lock().unwrap().push((done, total));
        })),
        ..Default::default()
    };
    let each = parallel::each(&runtime, 0..5, options, move |item, attempt| {
        let (sleeps, counts) = (sleeps.clone(), counts.clone());
        async move {
            let now = counts.0.fetch_add(1, Ordering::Relaxed) + 1;
            counts.1.fetch_max(now, Ordering::Relaxed);
            sleeps.sleep(SECOND).await.unwrap();
            counts.0.fetch_sub(1, Ordering::Relaxed);
            assert_eq!(attempt.index(), *item);
            if *item == 3 {
                Err("three")
            } else {
                Ok(*item * 10)
            }
        }
    })
    .unwrap();
    let results = runtime.block_on(each.run()).unwrap().into_results();
    let results: Vec<_> =
        results.into_iter().map(|r| r.map_err(|e| e.into_failed().unwrap())).collect();
    assert_eq!(results, [Ok(0), Ok(10), Ok(20), Err("three"), Ok(40)]);
    assert_eq!(running.1.load(Ordering::Relaxed), 2);
    assert_eq!(progress.lock().unwrap().last(), Some(&(5, Some(5))));
}

#[test]
fn parallel_takes_items_one_by_one_from_an_iterator() {
    let runtime = testing::Runtime::new(1);
    let sum = Arc::new(AtomicU32::new(0));
    let sums = sum.clone();
    let options = parallel::Options {
        on_item: Some(parallel::OnItem::new(move |_, outcome| {
            sums.fetch_add(outcome.value(|&value: &u32| value).unwrap(), Ordering::Relaxed);
        })),
        ..parallel::Options::concurrency(3)
    };
    let each =
        parallel::each_from(
            &runtime,
            1..=100_u32,
            options,
            |item, _| async move { Ok::<_, ()>(*item) },
        );
    assert!(runtime.block_on(each.unwrap().run()).unwrap().is_empty());
    assert_eq!(sum.load(Ordering::Relaxed), 5050);
}

#[test]
fn a_pool_takes_work_while_it_runs() {
    let runtime = testing::Runtime::new(1);
    let pool = Pool::new(&runtime, parallel::Options::concurrency(1)).unwrap();
    pool.add(&after(&runtime, SECOND, Ok(1))).unwrap();
    let task = runtime.spawn(pool.run());
    runtime.advance(10 * SECOND);
    assert!(!task.is_done());
    pool.add(&after(&runtime, SECOND, Ok(2))).unwrap();
    pool.seal();
    assert_eq!(pool.add(&after(&runtime, SECOND, Ok(3))).unwrap_err().status(), Status::CLOSED);
    runtime.advance(SECOND);
    assert_eq!(task.take().unwrap().unwrap().into_vec(), [1, 2]);
}

#[test]
fn a_scope_closes_what_it_opened_and_cancels_what_is_in_it() {
    let runtime = testing::Runtime::new(1);
    let scope = Scope::new(
        &runtime,
        scope::Options {
            name: "import".to_owned(),
            exit: scope::Exit::Cancel,
            ..Default::default()
        },
    )
    .unwrap();
    scope.set("ttl", 60_u64).unwrap();
    scope.set_bytes("who", "ada").unwrap();
    scope.set_i64("n", 7).unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    for name in ["connection", "file"] {
        let closes = log.clone();
        let open = scope.open(
            name,
            move |_| async move { Ok::<_, ()>(name) },
            move |name| {
                closes.lock().unwrap().push(name);
                async { Ok(()) }
            },
        );
        assert_eq!(runtime.block_on(open.unwrap()).unwrap(), name);
    }
    let inner = scope.run(|attempt| async move {
        let scope = attempt.scope().expect("it runs in one").clone();
        let who = scope.get_bytes("who");
        Ok::<_, ()>((scope.get::<u64>("ttl"), who, scope.get_i64("n"), scope.get::<&str>("file")))
    });
    let seen = runtime.block_on(inner).unwrap();
    assert_eq!(seen, (Some(60), Some(b"ada".to_vec()), Some(7), Some("file")));
    let hangs = scope.clone();
    let task =
        runtime.spawn(async move { hangs.run(|_| std::future::pending::<Result<(), ()>>()).await });
    runtime.run_until_idle();
    runtime.block_on(scope.join::<()>()).unwrap();
    let Some(Err(Error::Cancelled(report))) = task.take() else { panic!("not cancelled") };
    assert_eq!(report.cancel(), Cancel::Caller);
    assert_eq!(*log.lock().unwrap(), ["file", "connection"]);
    assert!(scope.has_ended());
    let late = runtime.block_on(scope.run(|_| async { Ok::<(), ()>(()) }));
    assert!(matches!(late, Err(Error::Closed(_))));
}

#[test]
fn an_operation_runs_in_a_scope_of_its_own() {
    let runtime = testing::Runtime::new(1);
    let hangs = Operation::<(), ()>::new(&runtime, |_| std::future::pending()).unwrap();
    let options = scope::Options { deadline: Some(SECOND), ..Default::default() };
    let scoped = hangs.in_scope(options).unwrap();
    assert!(matches!(runtime.block_on(scoped.run()), Err(Error::TimedOut(_))));
}

#[test]
fn metrics_recorder_and_audit_tell() {
    let runtime = testing::Runtime::new(1);
    let timeout = Timeout::new(
        &runtime,
        weir::timeout::Options { name: "slow".to_owned(), ..weir::timeout::Options::from(SECOND) },
    )
    .unwrap();
    timeout.set_label("team", "search").unwrap();
    assert!(timeout.set_label("team", "again").is_err());
    let task = runtime.spawn({
        let timeout = timeout.clone();
        async move {
            let options = run::Options { name: "fetch".to_owned(), ..Default::default() };
            timeout.run_with(options, |_| std::future::pending::<Result<(), ()>>()).await
        }
    });
    runtime.run_until_idle();
    assert_eq!(runtime.audit().unwrap()[0].name, "fetch");
    runtime.advance(SECOND);
    assert!(task.is_done());
    assert!(runtime.metrics().unwrap().contains("team=\"search\""));
    assert!(runtime.metrics_text().unwrap().contains("slow"));
    assert_eq!(runtime.recording().unwrap_err().status(), Status::NOT_SUPPORTED);
}

#[test]
fn the_recorder_is_read_from_where_one_stopped() {
    let options = weir::runtime::Options { recorder_entries: 8, ..Default::default() };
    let runtime = testing::Runtime::with(options).unwrap();
    let breaker = weir::Breaker::new(&runtime, Default::default()).unwrap();
    breaker.isolate().unwrap();
    let refused = runtime.block_on(breaker.run(|_| async { Ok::<(), ()>(()) }));
    assert!(matches!(refused, Err(Error::Open(_))));
    let mut cursor = 0;
    let kinds: Vec<_> =
        runtime.recorded(&mut cursor).unwrap().iter().map(|entry| entry.kind()).collect();
    assert!(kinds.contains(&weir::runtime::EventKind::Refusal), "{kinds:?}");
    assert!(runtime.recorded(&mut cursor).unwrap().is_empty());
    assert!(runtime.recording().unwrap().contains("breaker"));
}

#[test]
fn a_task_may_begin_others() {
    let runtime = std::rc::Rc::new(testing::Runtime::new(1));
    let begins = runtime.clone();
    let outer = runtime.spawn(async move { begins.spawn(async { 5 }) });
    runtime.run_until_idle();
    assert_eq!(outer.take().expect("it is done").take(), Some(5));
}

#[test]
fn everything_composes() {
    let runtime = testing::Runtime::new(1);
    let retry = Retry::new(&runtime, Default::default()).unwrap();
    let flaky = Operation::new(&runtime, |attempt| async move {
        if attempt.number() < 3 {
            Err("flaky")
        } else {
            Ok("won")
        }
    })
    .unwrap();
    let racers = [flaky.under(&retry).unwrap(), after(&runtime, 60 * SECOND, Ok("late"))];
    let race = flow::any(&runtime, &racers).unwrap();
    let timeout = Timeout::new(&runtime, 30 * SECOND).unwrap();
    let all = flow::all(&runtime, &[race.clone(), race]).unwrap().under(&timeout).unwrap();
    assert_eq!(runtime.block_on(all.run()).unwrap(), ["won", "won"]);
}
