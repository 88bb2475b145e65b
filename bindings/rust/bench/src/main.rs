// SPDX-License-Identifier: MIT
//! What this binding costs: lines of `name|value|unit|target|met or missed`.
//!
//! With `--short` it only shows that it runs.

use std::future::Future;
use std::time::{Duration, Instant};

use weir::{Breaker, Driver, Retry, Runtime};

unsafe extern "C" {
    fn bench_breaker(breaker: *mut weir::sys::weir_breaker, rounds: u64) -> u64;
}

fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    breaker(if short { 100_000 } else { 10_000_000 });
    let runs = if short { 20_000 } else { 1_000_000 };
    let smol = "async retry, smol's local executor";
    let tokio = "async retry, tokio current_thread";
    row_of_runs(&format!("{smol}, 1000 in flight"), runs, false, on_smol);
    row_of_runs(&format!("{tokio}, 1000 in flight"), runs, false, on_tokio);
    row_of_runs(&format!("{smol}, driven by it, 1000 in flight"), runs, true, on_smol);
    row_of_runs(&format!("{tokio}, driven by it, 1000 in flight"), runs, true, on_tokio);
}

fn row(name: &str, value: f64, unit: &str, target: &str, met: bool) {
    let met = if met { "met" } else { "missed" };
    println!("{name}|{value:.1}|{unit}|{target}|{met}");
}

/// The best of several: what disturbs only makes it slower.
fn best(mut measure: impl FnMut() -> f64) -> f64 {
    (0..5).map(|_| measure()).fold(f64::INFINITY, f64::min)
}

fn breaker(rounds: u64) {
    let runtime = Runtime::new();
    let breaker = Breaker::new(&runtime, Default::default()).expect("defaults are legal");
    let per_round = |time: Duration| time.as_nanos() as f64 / rounds as f64;
    let in_c = best(|| {
        let start = Instant::now();
        // SAFETY: the handle is held.
        let passed = unsafe { bench_breaker(breaker.as_raw(), rounds) };
        assert_eq!(passed, rounds);
        per_round(start.elapsed())
    });
    let in_rust = best(|| {
        let start = Instant::now();
        for _ in 0..rounds {
            match breaker.try_acquire() {
                Ok(permit) => permit.success(),
                Err(rejection) => panic!("{rejection}"),
            }
        }
        per_round(start.elapsed())
    });
    row("breaker acquire + report, C", in_c, "ns", "", true);
    row("breaker acquire + report, Rust", in_rust, "ns", "<= C + 8 ns", in_rust <= in_c + 8.0);
}

const IN_FLIGHT: u64 = 1000;

async fn some_runs(retry: Retry, runs: u64) {
    for number in 0..runs {
        let result = retry.run(|_| async move { Ok::<_, ()>(number) }).await;
        assert_eq!(result.expect("nothing fails"), number);
    }
}

fn row_of_runs(name: &str, runs: u64, driven: bool, measure: Measure) {
    let per_task = runs / IN_FLIGHT;
    let seconds = best(|| {
        let (runtime, driver) = if driven {
            let (runtime, driver) = Runtime::driven(Default::default()).expect("legal");
            (runtime, Some(driver))
        } else {
            (Runtime::new(), None)
        };
        let retry = Retry::new(&runtime, Default::default()).expect("defaults are legal");
        measure(retry, per_task, driver).as_secs_f64()
    });
    let rate = (per_task * IN_FLIGHT) as f64 / seconds;
    row(name, rate, "runs/s", ">= 500000", rate >= 500_000.0);
}

type Measure = fn(Retry, u64, Option<Driver>) -> Duration;

fn on_smol(retry: Retry, per_task: u64, driver: Option<Driver>) -> Duration {
    let executor = smol::LocalExecutor::new();
    let start = Instant::now();
    if let Some(driver) = driver {
        executor.spawn(driver).detach();
    }
    let tasks: Vec<_> =
        (0..IN_FLIGHT).map(|_| executor.spawn(some_runs(retry.clone(), per_task))).collect();
    smol::block_on(executor.run(all(tasks)));
    start.elapsed()
}

fn on_tokio(retry: Retry, per_task: u64, driver: Option<Driver>) -> Duration {
    let executor = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let start = Instant::now();
    let tasks = async {
        let tasks: Vec<_> =
            (0..IN_FLIGHT).map(|_| tokio::spawn(some_runs(retry.clone(), per_task))).collect();
        for task in tasks {
            task.await.expect("no task panics");
        }
    };
    match driver {
        Some(driver) => executor.block_on(driver.drive(tasks)),
        None => executor.block_on(tasks),
    }
    start.elapsed()
}

async fn all(tasks: Vec<impl Future<Output = ()>>) {
    for task in tasks {
        task.await;
    }
}
