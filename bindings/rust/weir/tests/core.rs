// SPDX-License-Identifier: MIT
//! The core: runs, retries, breakers, limiters, timeouts, pipelines, errors.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use weir::{
    breaker, limiter, retry, run, testing, Breaker, Class, Error, Limiter, Operation, Pipeline,
    Retry, Status, Stop, Timeout,
};

const MS: Duration = Duration::from_millis(1);

fn retry(runtime: &weir::Runtime, max_attempts: u64) -> Retry {
    let options = retry::Options {
        max_attempts: Some(max_attempts),
        base_delay: 100 * MS,
        jitter: retry::Jitter::None,
        ..Default::default()
    };
    Retry::new(runtime, options).expect("legal options")
}

#[test]
fn a_value_comes_back() {
    let runtime = testing::Runtime::new(1);
    let text = "borrowed".to_owned();
    let run = retry(&runtime, 3).run(|_| async { Ok::<_, ()>(text.len()) });
    assert_eq!(runtime.block_on(run).unwrap(), 8);
}

#[test]
fn the_last_error_comes_back_by_value_with_the_numbers() {
    #[derive(Debug, PartialEq)]
    struct Mine(Box<u32>);
    let runtime = testing::Runtime::new(1);
    let run = retry(&runtime, 3)
        .run(|attempt| async move { Err::<(), _>(Mine(Box::new(attempt.number()))) });
    let error = runtime.block_on(run).unwrap_err();
    assert_eq!(error.report().attempts(), 3);
    assert_eq!(error.report().stop(), Stop::Attempts);
    assert_eq!(error.report().elapsed(), 300 * MS);
    assert_eq!(error.report().statuses(), [Status::FAILED; 3]);
    assert_eq!(error.into_failed().unwrap(), Mine(Box::new(3)));
}

#[test]
fn a_panic_is_resumed_where_the_run_is_awaited() {
    let runtime = testing::Runtime::new(1);
    let calls = AtomicU32::new(0);
    let run = retry(&runtime, 3).run(|_| {
        calls.fetch_add(1, Ordering::Relaxed);
        async { std::panic::panic_any(77_u64) as Result<(), ()> }
    });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(run)));
    assert_eq!(*caught.unwrap_err().downcast::<u64>().unwrap(), 77);
    assert_eq!(calls.load(Ordering::Relaxed), 1, "a bug is not tried again");
}

#[test]
fn a_panic_of_the_function_itself_is_resumed_too() {
    let runtime = testing::Runtime::new(1);
    let run = retry(&runtime, 3).run(|_| -> std::future::Ready<Result<(), ()>> { panic!("here") });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(run)));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "here");
}

struct Dropped(Arc<AtomicU32>);
impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_timeout_drops_the_attempt() {
    let runtime = testing::Runtime::new(1);
    let timeout = Timeout::new(&runtime, 50 * MS).unwrap();
    let drops = Arc::new(AtomicU32::new(0));
    let run = timeout.run(|_| {
        let dropped = Dropped(drops.clone());
        async move {
            std::future::pending::<()>().await;
            drop(dropped);
            Ok::<(), ()>(())
        }
    });
    assert!(matches!(runtime.block_on(run), Err(Error::TimedOut(_))));
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    runtime.run_until_idle();
    assert_eq!(runtime.stats().orphans, 0);
}

#[test]
fn dropping_a_run_cancels_it_and_its_attempt() {
    let runtime = testing::Runtime::new(1);
    let drops = Arc::new(AtomicU32::new(0));
    let theirs = drops.clone();
    let retry = retry(&runtime, 3);
    let task = runtime.spawn(async move {
        let run = retry.run(|_| {
            let dropped = Dropped(theirs.clone());
            async move {
                std::future::pending::<()>().await;
                drop(dropped);
                Ok::<(), ()>(())
            }
        });
        let _ = run.await;
    });
    runtime.run_until_idle();
    assert_eq!(runtime.stats().live_calls, 1);
    task.abort();
    runtime.run_until_idle();
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    assert_eq!(runtime.stats().live_calls, 0);
}

#[test]
fn a_deadline_stops_a_run() {
    let runtime = testing::Runtime::new(1);
    let run = retry(&runtime, 100)
        .run_with(run::Options::deadline(250 * MS), |_| async { Err::<(), _>("down") });
    let error = runtime.block_on(run).unwrap_err();
    assert_eq!(error.report().stop(), Stop::NoTime);
    assert_eq!(error.into_failed().unwrap(), "down");
}

#[test]
fn a_breaker_opens_for_runs_and_permits() {
    let runtime = testing::Runtime::new(1);
    let options =
        breaker::Options { failure_threshold: 2, name: "api".to_owned(), ..Default::default() };
    let breaker = Breaker::new(&runtime, options).unwrap();
    breaker.try_acquire().unwrap().failure();
    let failed = runtime.block_on(breaker.run(|_| async { Err::<(), _>(1) }));
    assert_eq!(failed.unwrap_err().into_failed().unwrap(), 1);
    assert_eq!(breaker.state(), breaker::State::Open);
    let rejection = breaker.try_acquire().unwrap_err();
    assert_eq!(rejection.name(), "api");
    assert_eq!(rejection.retry_after(), Some(Duration::from_secs(60)));
    let refused = runtime.block_on(breaker.run(|_| async { Ok::<_, ()>(()) }));
    let Err(Error::Open(report)) = refused else { panic!("{refused:?}") };
    assert_eq!(report.rejection().unwrap().to_string(), rejection.to_string());
    runtime.advance(Duration::from_secs(60));
    for _ in 0..2 {
        breaker.try_acquire().unwrap().report(Class::Success, Duration::ZERO).unwrap();
    }
    assert_eq!(breaker.state(), breaker::State::Closed);
}

#[test]
fn a_permit_that_is_dropped_frees_its_place() {
    let runtime = testing::Runtime::new(1);
    let options = breaker::Options { failure_threshold: 1, ..Default::default() };
    let breaker = Breaker::new(&runtime, options).unwrap();
    breaker.try_acquire().unwrap().failure();
    runtime.advance(Duration::from_secs(60));
    let trials: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    assert!(breaker.try_acquire().is_err());
    drop(trials);
    assert!(breaker.try_acquire().is_ok());
    assert_eq!(breaker.stats().ignored, 4);
}

#[test]
fn runs_wait_for_a_limiter_in_order() {
    let runtime = testing::Runtime::new(1);
    let options =
        limiter::Options { rate: Some(limiter::Rate::new(1, 100 * MS)), ..Default::default() };
    let limiter = Limiter::new(&runtime, options).unwrap();
    let tasks: Vec<_> = (0..3)
        .map(|number| {
            let limiter = limiter.clone();
            runtime.spawn(async move {
                limiter.run(|_| async move { Ok::<_, ()>(number) }).settled().await
            })
        })
        .collect();
    runtime.advance(150 * MS);
    assert_eq!(tasks.iter().filter(|task| task.is_done()).count(), 2);
    runtime.advance(50 * MS);
    let settled = tasks[2].take().unwrap();
    assert_eq!(settled.elapsed, 200 * MS);
    assert_eq!(settled.result.unwrap(), 2);
}

#[test]
fn a_concurrency_permit_returns_when_it_is_dropped() {
    let runtime = testing::Runtime::new(1);
    let limiter = Limiter::bulkhead(&runtime, 1, Some(0), "").unwrap();
    let permit = limiter.try_acquire(1).unwrap();
    assert_eq!(limiter.try_acquire(1).unwrap_err().status(), Status::LIMITED);
    drop(permit);
    assert!(limiter.try_acquire(1).is_ok());
}

#[test]
fn a_pipeline_is_several_policies_as_one() {
    let runtime = testing::Runtime::new(1);
    let breaker = Breaker::new(&runtime, Default::default()).unwrap();
    let (retry, timeout) = (retry(&runtime, 2), Timeout::new(&runtime, 50 * MS).unwrap());
    let api = Pipeline::new(&runtime, &[&breaker, &retry, &timeout], "api").unwrap();
    let run = api.run(|attempt| async move {
        if attempt.number() == 1 {
            std::future::pending::<()>().await;
        }
        Ok::<_, ()>(attempt.number())
    });
    assert_eq!(runtime.block_on(run).unwrap(), 2);
    assert_eq!(breaker.stats().succeeded, 1);
    assert_eq!(timeout.stats().timed_out, 1);
}

#[test]
fn values_can_be_judged_failures() {
    let runtime = testing::Runtime::new(1);
    let run = retry(&runtime, 2).run(|attempt| async move {
        attempt.judge(Class::Failure);
        Ok::<_, ()>("pending")
    });
    let error = runtime.block_on(run).unwrap_err();
    assert!(matches!(error, Error::Exhausted(_)));
    assert_eq!(error.value().unwrap().take::<&str>(), Some("pending"));
}

#[test]
fn bad_options_say_which_and_why() {
    let runtime = testing::Runtime::new(1);
    let options = retry::Options { max_attempts: Some(0), ..Default::default() };
    let invalid = Retry::new(&runtime, options).unwrap_err();
    assert_eq!(invalid.status(), Status::INVALID);
    assert!(invalid.message().contains("max_attempts"), "{invalid}");
    assert!(Timeout::new(&runtime, weir::timeout::Options::default()).is_err());
}

#[test]
fn a_policy_is_found_by_its_name() {
    let runtime = testing::Runtime::new(1);
    let options = breaker::Options { name: "api".to_owned(), ..Default::default() };
    let breaker = Breaker::new(&runtime, options).unwrap();
    breaker.register().unwrap();
    breaker.isolate().unwrap();
    let found = Breaker::find(&runtime, "api").unwrap();
    assert_eq!(found.state(), breaker::State::ForcedOpen);
    assert_eq!(Retry::find(&runtime, "api").unwrap_err().status(), Status::NOT_FOUND);
    assert_eq!(Breaker::find(&runtime, "none").unwrap_err().status(), Status::NOT_FOUND);
}

#[test]
fn operations_run_under_policies() {
    let runtime = testing::Runtime::new(1);
    let fails_twice = Operation::new(&runtime, |attempt| async move {
        match attempt.number() {
            3 => Ok("third"),
            number => Err(number),
        }
    });
    let operation = fails_twice.unwrap().under(&retry(&runtime, 3)).unwrap();
    assert_eq!(runtime.block_on(operation.run()).unwrap(), "third");
}

#[test]
fn closing_settles_what_is_in_flight() {
    let runtime = testing::Runtime::new(1);
    let retry = retry(&runtime, 3);
    let task = runtime.spawn({
        let retry = retry.clone();
        async move {
            retry
                .run(|_| async {
                    std::future::pending::<()>().await;
                    Ok::<(), ()>(())
                })
                .await
        }
    });
    runtime.run_until_idle();
    runtime.close();
    runtime.run_until_idle();
    assert!(matches!(task.take(), Some(Err(Error::Closed(_)))));
    let refused = runtime.block_on(retry.run(|_| async { Ok::<(), ()>(()) }));
    assert!(matches!(refused, Err(Error::Closed(_))));
}
