// SPDX-License-Identifier: MIT
//! Nothing stays of what was refused, dropped, cancelled or replaced while the runtime goes on: each
//! function and value here holds a part of what is counted.
#![allow(missing_docs)]

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use weir::{
    breaker, cache, fallback, limiter, parallel, retry, runtime, testing, Breaker, Cache, Fallback,
    Flight, Limiter, Operation, Retry, Runtime, Scope, Timeout,
};

const MS: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);

type Part = Arc<()>;

fn refused(runtime: &Runtime, part: &Part) {
    let own = Arc::clone(part);
    let told = retry::OnRetry::new(move |_, _, _| drop(Arc::clone(&own)));
    let options =
        retry::Options { max_attempts: Some(0), on_retry: Some(told), ..Default::default() };
    assert!(Retry::new(runtime, options).is_err());
    let own = Arc::clone(part);
    let told = breaker::OnChange::new(move |_| drop(Arc::clone(&own)));
    let options =
        breaker::Options { failure_threshold: 0, on_change: Some(told), ..Default::default() };
    assert!(Breaker::new(runtime, options).is_err());
    let own = Arc::clone(part);
    let options = cache::Options {
        shards: 1 << 30,
        on_evict: Some(Arc::new(move |_, _: &[u8], _: &Arc<Part>| drop(Arc::clone(&own)))),
        ..Default::default()
    };
    assert!(Cache::<u32, Part>::new(runtime, options).is_err());
    let options = limiter::Options { max_concurrent: Some(0), ..Default::default() };
    assert!(Limiter::new(runtime, options).is_err());
}

fn runs(runtime: &testing::Runtime, part: &Part) {
    let own = Arc::clone(part);
    let on_retry = retry::OnRetry::new(move |_, _, _| drop(Arc::clone(&own)));
    let options = retry::Options {
        max_attempts: Some(2),
        base_delay: MS,
        on_retry: Some(on_retry),
        ..Default::default()
    };
    let retry = Retry::new(runtime, options).unwrap();
    let timeout = Timeout::new(runtime, MS).unwrap();
    let own = || Arc::clone(part);
    assert!(runtime.block_on(retry.run(|_| async { Ok::<_, Part>(own()) })).is_ok());
    assert!(runtime.block_on(retry.run(|_| async { Err::<(), _>(own()) })).is_err());
    let held = own();
    let never = move |_| {
        let held = Arc::clone(&held);
        async move {
            let _held = held;
            std::future::pending::<Result<(), Part>>().await
        }
    };
    assert!(runtime.block_on(timeout.run(never.clone())).is_err());
    // Dropped before it began, and while it goes on.
    drop(retry.run(never.clone()));
    let mut begun = Box::pin(retry.run(never));
    let _ = begun.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    runtime.advance(MS);
    drop(begun);
}

fn stores(runtime: &testing::Runtime, part: &Part) {
    let own = Arc::clone(part);
    let options = cache::Options {
        max_entries: Some(2),
        on_evict: Some(Arc::new(move |_, _: &[u8], _: &Arc<Part>| drop(Arc::clone(&own)))),
        ..Default::default()
    };
    let cache = Cache::<u32, Part>::new(runtime, options).unwrap();
    for key in 0..5 {
        cache.put(&key, Arc::clone(part)).unwrap();
    }
    let own = Arc::clone(part);
    let loaded = cache.get(&7, move |_| {
        let own = Arc::clone(&own);
        async move { Ok::<_, Part>(own) }
    });
    assert!(runtime.block_on(loaded.unwrap()).is_ok());
    let own = Arc::clone(part);
    let failed = cache.get(&8, move |_| {
        let own = Arc::clone(&own);
        async move { Err::<Part, _>(own) }
    });
    assert!(runtime.block_on(failed.unwrap()).is_err());
    let flight: Flight<Part, Part> = Flight::new(runtime, Default::default()).unwrap();
    let own = Arc::clone(part);
    let work = move |_| {
        let own = Arc::clone(&own);
        async move { Ok(own) }
    };
    assert!(runtime.block_on(flight.run("key", work).unwrap()).is_ok());
}

fn groups(runtime: &testing::Runtime, part: &Part) {
    let items = vec![Arc::clone(part); 3];
    let give = |item: Arc<Part>, _| async move { Ok::<_, Part>(Part::clone(&item)) };
    let each = parallel::each(runtime, items.clone(), parallel::Options::concurrency(2), give);
    assert_eq!(runtime.block_on(each.unwrap().run()).unwrap().len(), 3);
    let unrun = parallel::each(runtime, items, parallel::Options::concurrency(2), give);
    drop(unrun);
    let own = Arc::clone(part);
    let operation = Operation::<Part, Part>::new(runtime, move |_| {
        let own = Arc::clone(&own);
        async move { Ok(own) }
    });
    let operation = operation.unwrap();
    assert!(runtime.block_on(operation.run()).is_ok());
    drop(operation.run());
    let scope = Scope::new(runtime, Default::default()).unwrap();
    scope.view().set_i64("number", 5).unwrap();
    let answer = fallback::Answer::value(Arc::clone(part)).unwrap();
    let spare = Fallback::new(runtime, answer, Default::default()).unwrap();
    let failing = spare.run(|_| async { Err::<Part, _>(Arc::clone(part)) });
    assert!(runtime.block_on(failing).is_ok());
}

#[test]
fn what_is_dropped_leaves_nothing_behind() {
    let runtime = testing::Runtime::new(1);
    let part: Part = Arc::default();
    for _ in 0..3 {
        for round in [runs, stores, groups] {
            refused(&runtime, &part);
            round(&runtime, &part);
            runtime.advance(MINUTE);
            assert_eq!(Arc::strong_count(&part), 1);
            let stats = runtime.stats();
            assert_eq!((stats.live_calls, stats.orphans), (0, 0));
        }
    }
}

#[test]
fn a_runtimes_functions_go_with_it() {
    let part: Part = Arc::default();
    for close in [true, false, true, false] {
        let own = Arc::clone(&part);
        let on_event = runtime::OnEvent::new(move |_| drop(Arc::clone(&own)));
        let options = runtime::Options { on_event: Some(on_event), ..Default::default() };
        let runtime = Runtime::with(options).unwrap();
        let retry = Retry::new(&runtime, Default::default()).unwrap();
        let own = Arc::clone(&part);
        assert!(weir::block_on(retry.run(|_| async { Ok::<_, ()>(Arc::clone(&own)) })).is_ok());
        if close {
            runtime.close_wait(None).unwrap();
        }
    }
    // Those that were only dropped end on their own threads.
    while Arc::strong_count(&part) > 1 {
        std::thread::yield_now();
    }
}
