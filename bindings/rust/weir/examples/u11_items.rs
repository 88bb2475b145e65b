// SPDX-License-Identifier: MIT
//! U11: processes items 3 at a time, 5 s each, keeps going on errors, counts what succeeded and failed.

use std::time::Duration;

use weir::{parallel, testing, Error};

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let options = parallel::Options {
        concurrency: 3,
        item_timeout: Some(Duration::from_secs(5)),
        stop_on_error: false,
        ..Default::default()
    };
    let clock = weir::Runtime::clone(&runtime);
    let process = parallel::each(&runtime, 1..=12_u64, options, move |item, _attempt| {
        let clock = clock.clone();
        async move {
            let takes = Duration::from_millis(if *item == 7 { 60_000 } else { 100 * *item });
            clock.sleep(takes).await.map_err(|error| error.to_string())?;
            if *item % 5 == 0 {
                Err(format!("item {item} is broken"))
            } else {
                Ok(*item)
            }
        }
    })?;

    let results = runtime.block_on(process.run()).unwrap().into_results();
    let (mut succeeded, mut failed, mut timed_out) = (0, 0, 0);
    for result in results {
        match result {
            Ok(_) => succeeded += 1,
            Err(Error::TimedOut(_)) => timed_out += 1,
            Err(_) => failed += 1,
        }
    }
    println!("{succeeded} succeeded, {failed} failed, {timed_out} timed out");
    assert_eq!((succeeded, failed, timed_out), (9, 2, 1));
    Ok(())
}
