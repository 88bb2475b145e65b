// SPDX-License-Identifier: MIT
//! On real executors and a real clock: any of them polls, from any thread; storms; blocking use.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir::{
    limiter, retry, run, runtime, Cache, Completer, Error, Limiter, Operation, Retry, Runtime,
    Spawner, Status, Timeout,
};

const MS: Duration = Duration::from_millis(1);

fn quick_retry(runtime: &Runtime) -> Retry {
    Retry::new(runtime, retry::Options { base_delay: MS, ..Default::default() }).expect("legal")
}

async fn flaky(retry: Retry) {
    let run = retry.run(|attempt| async move {
        if attempt.number() < 3 {
            Err("flaky")
        } else {
            Ok(std::thread::current().id())
        }
    });
    let polled_on = run.await.expect("the third works");
    assert_eq!(polled_on, std::thread::current().id(), "the caller's executor polls");
}

#[test]
fn tokio_current_thread_polls() {
    let runtime = Runtime::new();
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tokio.block_on(flaky(quick_retry(&runtime)));
}

#[test]
fn tokio_with_threads_polls() {
    let runtime = Runtime::new();
    let builder = &mut tokio::runtime::Builder::new_multi_thread();
    let tokio = builder.worker_threads(2).enable_time().build().unwrap();
    let timeout = Timeout::new(&runtime, 20 * MS).unwrap();
    tokio.block_on(async {
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let timeout = timeout.clone();
                tokio::spawn(async move {
                    timeout
                        .run(|_| async {
                            tokio::time::sleep(Duration::from_secs(60)).await;
                            Ok::<(), ()>(())
                        })
                        .await
                })
            })
            .collect();
        for task in tasks {
            assert!(matches!(task.await.unwrap(), Err(Error::TimedOut(_))));
        }
    });
}

#[test]
fn smol_polls() {
    let runtime = Runtime::new();
    smol::block_on(flaky(quick_retry(&runtime)));
    let task = smol::spawn({
        let retry = quick_retry(&runtime);
        async move { retry.run(|_| async { Ok::<_, ()>(5) }).await }
    });
    assert_eq!(smol::block_on(task).unwrap(), 5);
}

#[test]
fn the_built_in_block_on_polls() {
    let runtime = Runtime::new();
    weir::block_on(flaky(quick_retry(&runtime)));
}

#[test]
fn shared_work_runs_on_the_spawner() {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let handle = tokio.handle().clone();
    let spawner = Spawner::new(move |future| drop(handle.spawn(future)));
    let runtime = Runtime::with(runtime::Options { spawner, ..Default::default() }).unwrap();
    let cache: Cache<u64, u64> = Cache::new(&runtime, Default::default()).unwrap();
    tokio.block_on(async {
        let load = |_| async {
            tokio::time::sleep(MS).await; // only works on tokio
            Ok::<_, ()>(7)
        };
        assert_eq!(*cache.get(&1, load).unwrap().await.unwrap(), 7);
    });
}

#[test]
fn without_a_spawner_a_thread_does_it() {
    let runtime = Runtime::new();
    let cache: Cache<u64, String> = Cache::new(&runtime, Default::default()).unwrap();
    let name = |_| async { Ok::<_, ()>(std::thread::current().name().unwrap_or("").to_owned()) };
    assert_eq!(*weir::block_on(cache.get(&1, name).unwrap()).unwrap(), "weir-tasks");
}

#[test]
fn completers_complete_from_any_thread() {
    let runtime = Runtime::new();
    let operation = Operation::from_completer(&runtime, |completer: Completer<u32, &str>| {
        let number = completer.attempt().number();
        std::thread::spawn(move || match number {
            1 => drop(completer),
            2 => completer.complete(Err("second")),
            _ => completer.complete(Ok(number)),
        });
    })
    .unwrap();
    let retried = operation.under(&quick_retry(&runtime)).unwrap();
    assert_eq!(retried.run_wait().unwrap(), 3);
    let error = operation.run_wait().unwrap_err();
    assert_eq!(error.status(), Status::FAILED);
    assert!(error.report().message().contains("dropped"));
}

#[test]
fn completers_may_be_kept_beyond_the_end() {
    let kept: Arc<Mutex<Vec<Completer<u32, ()>>>> = Arc::default();
    let theirs = Arc::clone(&kept);
    let options = runtime::Options { close_grace: Some(Duration::ZERO), ..Default::default() };
    let runtime = Runtime::with(options).unwrap();
    let keep = move |completer| theirs.lock().unwrap().push(completer);
    let operation = Operation::from_completer(&runtime, keep).unwrap();
    let mut runs: Vec<_> = (0..3).map(|_| Box::pin(operation.run())).collect();
    for run in &mut runs {
        assert!(smol::block_on(smol::future::poll_once(run.as_mut())).is_none());
    }
    while kept.lock().unwrap().len() < 3 {
        std::thread::yield_now();
    }
    runtime.close_wait(None).unwrap();
    for run in runs {
        assert!(matches!(weir::block_on(run), Err(Error::Closed(_))));
    }
    drop((operation, runtime));
    let mut late = std::mem::take(&mut *kept.lock().unwrap()).into_iter();
    late.next().unwrap().complete(Ok(1));
    late.next().unwrap().complete(Err(()));
    drop(late);
}

#[test]
fn blocking_functions_run_on_the_pool_and_panic_here() {
    let runtime = Runtime::new();
    let blocking = Operation::blocking(&runtime, || {
        std::thread::sleep(MS);
        Ok::<_, ()>(std::thread::current().id())
    })
    .unwrap();
    assert_ne!(blocking.run_wait().unwrap(), std::thread::current().id());
    let panics = Operation::<(), ()>::blocking(&runtime, || std::panic::panic_any(3)).unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panics.run_wait()));
    assert_eq!(*caught.unwrap_err().downcast::<i32>().unwrap(), 3);
}

#[test]
fn waiting_has_a_deadline_and_not_on_the_runtimes_thread() {
    let runtime = Runtime::new();
    let hangs = Operation::<(), ()>::new(&runtime, |_| std::future::pending()).unwrap();
    let options = run::Options::deadline(5 * MS);
    assert!(matches!(hangs.run_wait_with(options), Err(Error::TimedOut(_))));
    let (inner, hung) = (runtime.clone(), hangs.clone());
    let asks = Operation::from_completer(&runtime, move |completer: Completer<Status, ()>| {
        assert!(!inner.is_closed());
        completer.complete(Ok(hung.run_wait().unwrap_err().status()));
    })
    .unwrap();
    assert_eq!(asks.run_wait().unwrap(), Status::WRONG_THREAD);
}

/// How many runs a storm has; longer under WEIR_LONG.
fn storm() -> u64 {
    if std::env::var_os("WEIR_STORM").is_some() {
        800 // under valgrind
    } else if std::env::var_os("WEIR_LONG").is_some() {
        200_000
    } else {
        4_000
    }
}

#[test]
fn a_cancel_storm_settles_or_drops_everything() {
    let runtime = Runtime::new();
    let retry = quick_retry(&runtime);
    let (started, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    struct Ends(Arc<AtomicU64>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let threads: Vec<_> = (0..4)
        .map(|seed: u64| {
            let (retry, started, ended) = (retry.clone(), started.clone(), ended.clone());
            std::thread::spawn(move || {
                for number in 0..storm() / 4 {
                    let mut run = Box::pin(retry.run(|_| {
                        started.fetch_add(1, Ordering::Relaxed);
                        let ends = Ends(ended.clone());
                        async move {
                            let _ends = ends;
                            if number % 3 == 0 {
                                std::future::pending::<()>().await;
                            }
                            Ok::<_, ()>(number)
                        }
                    }));
                    let polls = (number.wrapping_mul(7) + seed) % 4;
                    let some = async {
                        for _ in 0..polls {
                            let poll = std::future::poll_fn(|context| {
                                use std::future::Future;
                                std::task::Poll::Ready(run.as_mut().poll(context).is_ready())
                            });
                            if poll.await {
                                return;
                            }
                            std::thread::yield_now();
                        }
                    };
                    weir::block_on(some);
                    drop(run);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    runtime.close_wait(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(started.load(Ordering::Relaxed), ended.load(Ordering::Relaxed));
    let stats = runtime.stats();
    assert_eq!((stats.live_calls, stats.orphans), (0, 0));
    assert_eq!(stats.runs_accepted, stats.runs_settled);
}

#[test]
fn a_close_storm_settles_everything() {
    for _ in 0..storm() / 200 {
        let runtime = Runtime::new();
        let limiter = Limiter::new(
            &runtime,
            limiter::Options { max_concurrent: Some(2), ..Default::default() },
        )
        .unwrap();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let limiter = limiter.clone();
                std::thread::spawn(move || {
                    let run = limiter.run(|_| std::future::pending::<Result<(), ()>>());
                    weir::block_on(run).unwrap_err().status()
                })
            })
            .collect();
        std::thread::yield_now();
        runtime.close();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Status::CLOSED);
        }
        runtime.close_wait(None).unwrap();
    }
}

#[test]
fn handles_may_be_dropped_in_any_order_with_work_pending() {
    let runtime = Runtime::new();
    let retry = quick_retry(&runtime);
    let mut run = Box::pin(retry.run(|_| std::future::pending::<Result<(), ()>>()));
    weir::block_on(std::future::poll_fn(|context| {
        use std::future::Future;
        assert!(run.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    }));
    drop(runtime);
    drop(retry);
    drop(run);
}
