// SPDX-License-Identifier: MIT
//! What may go to other threads, by construction. That a testing runtime and a run of futures that may
//! not do not compile is shown by the examples that must fail, below.
#![allow(missing_docs)]

use std::rc::Rc;

fn send<T: Send>(_: &T) {}
fn both<T: Send + Sync>() {}

#[test]
fn handles_are_send_and_sync() {
    both::<weir::Runtime>();
    both::<weir::AnyPolicy>();
    both::<weir::Retry>();
    both::<weir::Breaker>();
    both::<weir::Limiter>();
    both::<weir::Timeout>();
    both::<weir::Pipeline>();
    both::<weir::Hedge>();
    both::<weir::Fallback>();
    both::<weir::Chaos>();
    both::<weir::Budget>();
    both::<weir::Scope>();
    both::<weir::Value>();
    both::<weir::Spawner>();
    both::<weir::Attempt>();
    both::<weir::Rejection>();
    both::<weir::Error<String>>();
    both::<weir::Cache<str, String>>();
    both::<weir::Flight<String, String>>();
    both::<weir::Memoize<String, String, String>>();
    both::<weir::Debounce<String, String, String>>();
    both::<weir::Throttle<String, String, String>>();
    both::<weir::Pool<String, String>>();
    both::<weir::Operation<String, String>>();
    both::<weir::OperationRun<String, String>>();
    both::<weir::Completer<String, String>>();
}

#[test]
fn a_run_is_send_if_its_function_and_futures_are() {
    let runtime = weir::Runtime::new();
    let retry = weir::Retry::new(&runtime, Default::default()).unwrap();
    send(&retry.run(|_| async { Ok::<_, ()>(1) }));
    // One that is not still runs where it is made.
    let local = Rc::new(5);
    let run = retry.run(|_| {
        let local = Rc::clone(&local);
        async move { Ok::<_, ()>(*local) }
    });
    assert_eq!(weir::block_on(run).unwrap(), 5);
}
