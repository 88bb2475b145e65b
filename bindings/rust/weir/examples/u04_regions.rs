// SPDX-License-Identifier: MIT
//! U4: fetches from two regions; the first success wins; 5 s deadline; all failures when both fail.

use std::time::Duration;

use weir::{flow, run, testing, Error, Operation, Runtime};

fn region(
    runtime: &Runtime,
    name: &'static str,
    latency: Duration,
    up: bool,
) -> Result<Operation<String, String>, weir::Invalid> {
    let clock = runtime.clone();
    Operation::new(runtime, move |_attempt| {
        let clock = clock.clone();
        async move {
            clock.sleep(latency).await.map_err(|error| error.to_string())?;
            if up {
                Ok(format!("from {name}"))
            } else {
                Err(format!("{name} is down"))
            }
        }
    })
}

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let (fast, slow) = (Duration::from_millis(80), Duration::from_millis(200));
    let deadline = || run::Options::deadline(Duration::from_secs(5));

    let racers = [region(&runtime, "eu", fast, false)?, region(&runtime, "us", slow, true)?];
    let fetch = flow::any(&runtime, &racers)?;
    assert_eq!(runtime.block_on(fetch.run_with(deadline())).unwrap(), "from us");

    let racers = [region(&runtime, "eu", fast, false)?, region(&runtime, "us", slow, false)?];
    let fetch = flow::any(&runtime, &racers)?;
    match runtime.block_on(fetch.run_with(deadline())) {
        Err(Error::Aggregate(errors, _)) => {
            for (index, error) in &errors {
                println!("region {index}: {error}");
            }
            assert_eq!(errors[0].1.failed().unwrap(), "eu is down");
            assert_eq!(errors[1].1.failed().unwrap(), "us is down");
        }
        other => panic!("{other:?}"),
    }

    let racers = [region(&runtime, "eu", Duration::from_secs(60), true)?];
    let fetch = flow::any(&runtime, &racers)?;
    assert!(matches!(runtime.block_on(fetch.run_with(deadline())), Err(Error::TimedOut(_))));
    Ok(())
}
