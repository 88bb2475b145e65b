// SPDX-License-Identifier: MIT
//! What nobody should do, and what happens then: never undefined behaviour, never a hang.
#![allow(missing_docs)]

use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use weir::{
    breaker, cache, limiter, parallel, retry, run, runtime, testing, Breaker, Cache, Classify,
    Error, Flight, Limiter, Operation, Retry, Runtime, ScopeView, Spawner, Timeout, Value,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn no_grace() -> Runtime {
    let options = runtime::Options { close_grace: Some(Duration::ZERO), ..Default::default() };
    Runtime::with(options).expect("legal")
}

#[test]
fn a_forgotten_run_holds_up_nobody() {
    let runtime = no_grace();
    let options =
        limiter::Options { max_concurrent: Some(2), max_queue: Some(0), ..Default::default() };
    let limiter = Limiter::new(&runtime, options).unwrap();
    let mut run = Box::pin(limiter.run(|_| std::future::pending::<Result<(), ()>>()));
    assert!(poll_once(run.as_mut()).is_pending());
    std::thread::sleep(5 * MS);
    assert!(poll_once(run.as_mut()).is_pending(), "it has begun");
    std::mem::forget(run);
    weir::block_on(limiter.run(|_| async { Ok::<_, ()>(()) })).expect("the other permit is free");
    runtime.close_wait(Some(30 * SECOND)).expect("closing does not wait for it");
}

#[test]
fn a_run_that_began_here_ends_there() {
    let runtime = Runtime::new();
    let retry = Retry::new(&runtime, Default::default()).unwrap();
    let dropped = Arc::new(AtomicU32::new(0));
    struct Counts(Arc<AtomicU32>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for _ in 0..50 {
        let counts = Arc::clone(&dropped);
        let mut run = Box::pin(retry.run(move |_| {
            let counts = Counts(Arc::clone(&counts));
            async move {
                let _counts = counts;
                std::future::pending::<Result<(), ()>>().await
            }
        }));
        assert!(poll_once(run.as_mut()).is_pending());
        std::thread::spawn(move || {
            let _ = poll_once(run.as_mut());
        })
        .join()
        .unwrap();
    }
    runtime.close_wait(None).unwrap();
    let begun = runtime.stats().attempts_started;
    assert!(u64::from(dropped.load(Ordering::Relaxed)) <= begun);
}

#[test]
fn the_last_handle_goes_inside_of_a_listener() {
    let slot: Arc<Mutex<Option<(Runtime, Retry)>>> = Arc::default();
    let theirs = Arc::clone(&slot);
    let on_event = runtime::OnEvent::new(move |_| drop(theirs.lock().unwrap().take()));
    let options = runtime::Options { on_event: Some(on_event), ..Default::default() };
    let runtime = Runtime::with(options).unwrap();
    let retry = Retry::new(&runtime, Default::default()).unwrap();
    let run = retry.run(|_| async { Err::<(), _>("down") });
    *slot.lock().unwrap() = Some((runtime, retry));
    // The run itself still holds the runtime; its waiting for the next try goes on.
    let mut run = Box::pin(run);
    assert!(poll_once(run.as_mut()).is_pending());
    drop(run);
}

/// Whatever panics is no concern of the library's: the default answer counts.
#[test]
fn panics_in_every_callback() {
    let on_event = runtime::OnEvent::new(|_| panic!("event"));
    let log = runtime::Log::new(|_, _, _| panic!("log"));
    let options = runtime::Options {
        on_event: Some(on_event),
        on_closed: Some(runtime::OnClosed::new(|_| panic!("closed"))),
        log: Some(log),
        log_level: runtime::Level::Debug,
        spawner: Spawner::new(|future| {
            drop(future);
            panic!("spawner")
        }),
        ..Default::default()
    };
    let runtime = Runtime::with(options).unwrap();
    runtime.log(runtime::Level::Error, "", "line");
    let retry = Retry::new(
        &runtime,
        retry::Options {
            base_delay: MS,
            classify: Some(Classify::new(|_| panic!("classify"))),
            should_retry: Some(retry::ShouldRetry::new(|_, _| panic!("should_retry"))),
            on_retry: Some(retry::OnRetry::new(|_, _, _| panic!("on_retry"))),
            ..Default::default()
        },
    )
    .unwrap();
    let failed = weir::block_on(retry.run(|_| async { Err::<(), _>("down") }));
    assert_eq!(failed.unwrap_err().failed(), Some(&"down"));
    let breaker = Breaker::new(
        &runtime,
        breaker::Options {
            failure_threshold: 1,
            on_change: Some(breaker::OnChange::new(|_| panic!("on_change"))),
            ..Default::default()
        },
    )
    .unwrap();
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.state(), breaker::State::Open);
    let cache = Cache::<u32, u32>::new(
        &runtime,
        cache::Options {
            max_entries: Some(1),
            expire: Some(Arc::new(|_, _, _| panic!("expire"))),
            on_evict: Some(Arc::new(|_, _, _| panic!("on_evict"))),
            ..Default::default()
        },
    )
    .unwrap();
    let _ = (cache.put(&1, 1), cache.put(&2, 2), cache.lookup(&1));
    let loaded = weir::block_on(cache.get(&3, |_| async { Ok::<_, ()>(3) }).unwrap());
    assert!(loaded.is_err(), "the spawner dropped the load");
    let started = Operation::<u32, ()>::from_completer(&runtime, |_| panic!("start")).unwrap();
    assert!(weir::block_on(started.run()).is_err());
    let blocking = Operation::<u32, ()>::blocking(&runtime, || panic!("blocking")).unwrap();
    let resumed = catch_unwind(AssertUnwindSafe(|| weir::block_on(blocking.run())));
    assert_eq!(resumed.unwrap_err().downcast_ref::<&str>(), Some(&"blocking"));
    runtime.close_wait(None).unwrap();
}

#[test]
fn panics_of_wakers_and_destructors_stay_where_they_are() {
    struct PanickingWaker(AtomicU32);
    impl Wake for PanickingWaker {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic!("wake");
        }
    }
    #[derive(Debug)]
    struct PanickingDrop;
    impl Drop for PanickingDrop {
        fn drop(&mut self) {
            panic!("drop");
        }
    }
    let runtime = Runtime::new();
    let retry = Retry::new(&runtime, Default::default()).unwrap();
    let waker = Arc::new(PanickingWaker(AtomicU32::new(0)));
    let mut run = Box::pin(retry.run(|_| async { Ok::<_, ()>(()) }));
    let theirs = Waker::from(Arc::clone(&waker));
    assert!(run.as_mut().poll(&mut Context::from_waker(&theirs)).is_pending());
    while waker.0.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    weir::block_on(run).expect("the runtime's thread goes on");
    // A value that nobody takes is dropped by weir.
    let given = Operation::<PanickingDrop, ()>::new(&runtime, |_| async { Ok(PanickingDrop) });
    let given = given.unwrap().cast::<Option<Value>, ()>();
    drop(weir::block_on(given.run()).unwrap());
    runtime.close_wait(None).unwrap();
}

#[test]
fn no_time_and_all_time() {
    let ages = Duration::from_secs(u64::MAX);
    for time in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX, ages] {
        let runtime = no_grace();
        let quick = |_| async { Ok::<_, ()>(7) };
        // Refused, or it works as it says; no panic and no overflow.
        if let Ok(timeout) = Timeout::new(&runtime, time) {
            let _ = weir::block_on(timeout.run(quick));
        }
        let options = retry::Options {
            base_delay: time,
            max_delay: time,
            max_attempts: Some(2),
            max_elapsed: Some(SECOND),
            ..Default::default()
        };
        if let Ok(retry) = Retry::new(&runtime, options) {
            let _ = weir::block_on(retry.run(|_| async { Err::<(), _>(()) }));
            let _ = weir::block_on(retry.run_with(run::Options::deadline(time), quick));
        }
        let options = cache::Options { ttl: Some(time), ..Default::default() };
        if let Ok(cache) = Cache::<u8, u8>::new(&runtime, options) {
            let _ = cache.put_for(&1, 1, Some(time));
            let _ = (cache.touch(&1, Some(time)), cache.lookup(&1), cache.lookup_at(&1, time));
        }
        let options = breaker::Options { reset_timeout: time, ..Default::default() };
        if let Ok(breaker) = Breaker::new(&runtime, options) {
            let _ = breaker.state_at(time);
            let _ = breaker.try_acquire_at(time).map(|permit| permit.success());
        }
        let mut sleep = Box::pin(runtime.sleep(time));
        let _ = poll_once(sleep.as_mut());
        runtime.close_wait(None).unwrap();
    }
}

#[test]
fn deciders_may_use_what_asks_them() {
    let runtime = testing::Runtime::new(1);
    let slot: Arc<Mutex<Option<Cache<u32, u32>>>> = Arc::default();
    let theirs = Arc::clone(&slot);
    let expire = move |moment, _: &[u8], value: &u32| {
        let cache = theirs.lock().unwrap().clone().expect("it is made");
        if moment != cache::Moment::Read && *value < 5 {
            // The value of another key, and this one while it is being read.
            let _ = (cache.lookup(&1), cache.put(&(value + 1), value + 1));
        } else if *value == 5 {
            let _ = cache.invalidate(&1);
        }
        cache::Lifetime::Keep
    };
    let options = cache::Options { expire: Some(Arc::new(expire)), ..Default::default() };
    let cache = Cache::new(&runtime, options).unwrap();
    *slot.lock().unwrap() = Some(cache.clone());
    cache.put(&1, 1).unwrap();
    assert_eq!(*cache.lookup(&5).expect("one led to the other"), 5);
    assert_eq!(cache.lookup(&1), None);
    // A cache that its own function holds would never end.
    slot.lock().unwrap().take();
}

#[test]
fn a_look_inside_of_a_look_panics_and_does_not_hang() {
    let value = Value::shared(5u32).unwrap();
    let inside = catch_unwind(AssertUnwindSafe(|| value.look(|_: &u32| value.take::<u32>())));
    let panic = inside.unwrap_err();
    assert!(panic.downcast_ref::<&str>().is_some_and(|text| text.contains("inside of a look")));
    assert_eq!(value.take::<u32>(), Some(5), "it is as it was");
    let other = Value::shared(6u32).unwrap();
    assert_eq!(value.look(|_: &u32| other.take::<u32>()), Some(Some(6)));
}

#[test]
fn runs_inside_of_runs_and_their_own_cancelling() {
    let runtime = Runtime::new();
    let retry = Retry::new(&runtime, Default::default()).unwrap();
    let (outer, inner) = (retry.clone(), retry.clone());
    let nested = outer.run(|_| async { inner.run(|_| async { Ok::<_, ()>(3) }).await });
    assert_eq!(weir::block_on(nested).unwrap(), 3);
    // A run that cancels itself and then waits for ever.
    let slot: Arc<OnceLock<run::Canceller>> = Arc::default();
    let theirs = Arc::clone(&slot);
    let mut run = retry.run(move |_| {
        theirs.get().expect("it is set").cancel();
        std::future::pending::<Result<(), ()>>()
    });
    slot.set(run.canceller()).expect("once");
    assert!(matches!(weir::block_on(run), Err(Error::Cancelled(_))));
}

#[test]
fn storms_of_flights_whose_callers_leave() {
    let long = std::env::var_os("WEIR_STORM").is_none();
    let runtime = Runtime::new();
    let flight: Flight<u64, ()> = Flight::new(&runtime, Default::default()).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let flight = flight.clone();
            std::thread::spawn(move || {
                for round in 0..if long { 500u64 } else { 50 } {
                    let work = move |_| async move { Ok(round) };
                    let mut run = Box::pin(flight.run(&(round % 3), work).unwrap());
                    if (round + thread) % 2 == 0 {
                        let _ = poll_once(run.as_mut());
                    } else {
                        // The work is the caller's or another's of this key; it never fails.
                        weir::block_on(run).expect("leaving callers fail nobody");
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    runtime.close_wait(None).unwrap();
}

#[test]
fn the_scope_of_a_run_is_known_to_its_deciders() {
    let runtime = testing::Runtime::new(1);
    let scope = weir::Scope::new(&runtime, Default::default()).unwrap();
    scope.view().set_i64("number", 5).unwrap();
    let (clock, seen) = ((*runtime).clone(), Arc::new(Mutex::new(Vec::new())));
    let theirs = Arc::clone(&seen);
    let classify = Classify::new(move |outcome| {
        let number = ScopeView::current(&clock).and_then(|scope| scope.get_i64("number"));
        theirs.lock().unwrap().push((number, outcome.to_string()));
        weir::Class::None
    });
    let options = retry::Options { classify: Some(classify), ..Default::default() };
    let retry = Retry::new(&runtime, options).unwrap();
    let in_scope = run::Options::scope(scope.view());
    runtime.block_on(retry.run_with(in_scope, |_| async { Ok::<_, ()>(()) })).unwrap();
    assert!(ScopeView::current(&runtime).is_none());
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].0, Some(5));
    assert!(seen[0].1.contains("attempt"), "{}", seen[0].1);
    assert_eq!(weir::version_text().split('.').count(), 3);
}

#[test]
fn items_that_are_none_and_items_that_panic() {
    let runtime = testing::Runtime::new(1);
    let give = |item: Arc<u32>, _| async move { Ok::<_, ()>(*item) };
    let two = || parallel::Options::concurrency(2);
    let none = parallel::each(&runtime, Vec::new(), two(), give).unwrap();
    assert!(runtime.block_on(none.run()).unwrap().is_empty());
    let items = (0..3u32).map(|item| if item < 2 { item } else { panic!("item") });
    let some = parallel::each_from(&runtime, items, two(), give).unwrap();
    let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(some.run())));
    let panic = ended.expect_err("it is resumed where the run is awaited");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"item"));
}
