// SPDX-License-Identifier: MIT
//! A runtime without a thread, driven by the executors' own.
#![allow(missing_docs)]

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir::{
    limiter, retry, runtime, Cache, Class, Classify, Driver, Error, Limiter, Operation, Retry,
    Runtime, Status, Timeout,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn driven() -> (Runtime, Driver) {
    Runtime::driven(Default::default()).expect("defaults are legal")
}

fn quick_retry(runtime: &Runtime) -> Retry {
    Retry::new(runtime, retry::Options { base_delay: MS, ..Default::default() }).expect("legal")
}

fn rate(permits: u32, per: Duration) -> limiter::Options {
    limiter::Options { rate: Some(limiter::Rate::new(permits, per)), ..Default::default() }
}

async fn flaky(retry: Retry, here: Rc<Cell<u32>>) {
    let run = retry.run(|attempt| {
        let here = Rc::clone(&here);
        async move {
            here.set(here.get() + 1);
            if attempt.number() < 3 {
                Err("flaky")
            } else {
                Ok(())
            }
        }
    });
    run.await.expect("the third works");
}

#[test]
fn a_local_executor_drives_and_its_timers_fire() {
    let (runtime, driver) = driven();
    let executor = smol::LocalExecutor::new();
    let driving = executor.spawn(driver);
    let count = Rc::new(Cell::new(0));
    let tasks: Vec<_> =
        (0..100).map(|_| executor.spawn(flaky(quick_retry(&runtime), Rc::clone(&count)))).collect();
    smol::block_on(executor.run(async {
        for task in tasks {
            task.await;
        }
        runtime.close();
        driving.await;
    }));
    assert_eq!(count.get(), 300);
    assert!(runtime.is_closed());
}

#[test]
fn a_local_set_drives() {
    let (runtime, driver) = driven();
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.spawn_local(driver);
    let timeout = Timeout::new(&runtime, 5 * MS).unwrap();
    let late = local.block_on(&tokio, async {
        timeout
            .run(|_| async {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok::<(), ()>(())
            })
            .await
    });
    assert!(matches!(late, Err(Error::TimedOut(_))));
}

#[test]
fn it_is_driven_beside_one_future() {
    let (runtime, driver) = driven();
    let retry = quick_retry(&runtime);
    let result = weir::block_on(driver.drive(retry.run(|attempt| async move {
        if attempt.number() < 3 {
            Err("flaky")
        } else {
            Ok(attempt.number())
        }
    })));
    assert_eq!(result.unwrap(), 3);
    assert!(runtime.is_closed(), "the driver is gone");
    let refused = weir::block_on(retry.run(|_| async { Ok::<_, ()>(()) }));
    assert!(matches!(refused, Err(Error::Closed(_))));
}

#[test]
fn other_threads_use_it_too() {
    let (runtime, driver) = driven();
    let limiter = Limiter::new(&runtime, rate(1_000_000, SECOND)).unwrap();
    let retry = quick_retry(&runtime);
    let (done, all) = (Arc::new(AtomicU32::new(0)), 4 * 50);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (retry, limiter, done) = (retry.clone(), limiter.clone(), Arc::clone(&done));
            std::thread::spawn(move || {
                for _ in 0..50 {
                    let run = retry.run(|_| async { Ok::<_, ()>(std::thread::current().id()) });
                    assert_eq!(weir::block_on(run).unwrap(), std::thread::current().id());
                    let _ = limiter.try_acquire(1);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let counted = Arc::clone(&done);
    weir::block_on(driver.drive(async move {
        while counted.load(Ordering::Relaxed) < all {
            let _ = retry.run(|_| async { Ok::<_, ()>(()) }).await;
        }
    }));
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(done.load(Ordering::Relaxed), all);
}

#[test]
fn what_decides_by_time_needs_no_turn() {
    let (runtime, driver) = driven();
    let limiter = Limiter::new(&runtime, rate(1, 10 * MS)).unwrap();
    let start = Instant::now();
    limiter.try_acquire(1).expect("the first").report(Class::Success, MS);
    assert!(limiter.try_acquire(1).is_err() || start.elapsed() >= 10 * MS);
    std::thread::sleep(15 * MS);
    assert!(limiter.try_acquire(1).is_ok(), "the clock goes though nobody polls");
    drop(driver);
}

#[test]
fn shared_work_goes_to_the_spawner() {
    let (runtime, driver) = driven();
    let cache: Cache<u64, String> = Cache::new(&runtime, Default::default()).unwrap();
    let name = |_| async { Ok::<_, ()>(std::thread::current().name().unwrap_or("").to_owned()) };
    let got = weir::block_on(driver.drive(cache.get(&1, name).unwrap()));
    assert_eq!(*got.unwrap(), "weir-tasks");
}

#[test]
fn dropping_the_driver_settles_what_is_in_flight() {
    let (runtime, driver) = driven();
    let executor = smol::LocalExecutor::new();
    let driving = executor.spawn(driver);
    let retry = quick_retry(&runtime);
    let hangs = executor.spawn(retry.run(|_| std::future::pending::<Result<(), ()>>()));
    let ended = smol::block_on(executor.run(async {
        for _ in 0..10 {
            smol::future::yield_now().await;
        }
        driving.cancel().await;
        hangs.await
    }));
    assert!(matches!(ended, Err(Error::Closed(_))));
}

#[test]
fn handles_may_outlive_the_driver_and_end_elsewhere() {
    let closed = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&closed);
    let on_closed = runtime::OnClosed::new(move |_| {
        told.fetch_add(1, Ordering::Relaxed);
    });
    let options = runtime::Options { on_closed: Some(on_closed), ..Default::default() };
    let (runtime, driver) = Runtime::driven(options).unwrap();
    let retry = quick_retry(&runtime);
    let mut run = Box::pin(retry.run(|_| std::future::pending::<Result<(), ()>>()));
    weir::block_on(driver.drive(std::future::poll_fn(|context| {
        let _ = run.as_mut().poll(context);
        std::task::Poll::Ready(())
    })));
    std::thread::spawn(move || drop((run, retry, runtime))).join().unwrap();
    assert_eq!(closed.load(Ordering::Relaxed), 1);
}

#[test]
fn what_needs_a_thread_of_weirs_is_refused() {
    let (runtime, driver) = driven();
    let blocking = Operation::<u32, ()>::blocking(&runtime, || Ok(1));
    assert_eq!(blocking.unwrap_err().status(), Status::NOT_SUPPORTED);
    assert_eq!(runtime.audit().unwrap_err().status(), Status::WRONG_THREAD);
    drop(driver);
}

#[test]
fn callbacks_audit() {
    let (runtime, driver) = driven();
    let (clock, seen) = (runtime.clone(), Arc::new(AtomicU32::new(0)));
    let theirs = Arc::clone(&seen);
    let classify = Classify::new(move |_| {
        theirs.store(clock.audit().expect("inside of a turn").len() as u32, Ordering::Relaxed);
        Class::None
    });
    let options = retry::Options { classify: Some(classify), ..Default::default() };
    let retry = Retry::new(&runtime, options).unwrap();
    weir::block_on(driver.drive(retry.run(|_| async { Ok::<_, ()>(()) }))).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[test]
fn the_driver_moves_between_threads() {
    let (runtime, driver) = driven();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let driving = tokio.spawn(driver);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let retry = quick_retry(&runtime);
            tokio.spawn(async move {
                let run = |attempt: weir::Attempt| async move {
                    if attempt.number() < 3 {
                        Err("flaky")
                    } else {
                        Ok(())
                    }
                };
                for _ in 0..10 {
                    retry.run(run).await.expect("the third works");
                }
            })
        })
        .collect();
    tokio.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    runtime.close_wait(Some(30 * SECOND)).expect("others drive");
    tokio.block_on(driving).unwrap();
}

#[test]
fn a_long_timer_does_not_hold_up_a_short_one() {
    let (runtime, driver) = driven();
    let start = Instant::now();
    let long = runtime.sleep(Duration::from_secs(3600));
    let short = runtime.sleep(5 * MS);
    weir::block_on(driver.drive(smol::future::or(
        async {
            let _ = long.await;
        },
        async { short.await.unwrap() },
    )));
    let took = start.elapsed();
    assert!(took >= 5 * MS && took < Duration::from_secs(60), "it took {took:?}");
}
