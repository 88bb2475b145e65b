// SPDX-License-Identifier: MIT
//! U13: adds work to a pool while it runs; results when it is drained.

use std::time::Duration;

use weir::{parallel, testing, Operation, Pool, Runtime};

fn crawl(runtime: &Runtime, page: u32) -> Result<Operation<u32, String>, weir::Invalid> {
    let clock = runtime.clone();
    Operation::new(runtime, move |_attempt| {
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_millis(50)).await.map_err(|error| error.to_string())?;
            Ok(page)
        }
    })
}

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let pool = Pool::new(&runtime, parallel::Options::concurrency(4))?;
    let results = runtime.spawn(pool.run());

    for page in 0..10 {
        pool.add(&crawl(&runtime, page)?)?;
    }
    runtime.advance(Duration::from_millis(60));
    assert!(pool.stats().succeeded > 0);
    for page in 10..15 {
        pool.add(&crawl(&runtime, page)?)?; // found while crawling
    }
    pool.seal();
    runtime.advance(Duration::from_secs(1));

    let pages = results.take().expect("it is drained").unwrap().into_vec();
    assert_eq!(pages, (0..15).collect::<Vec<_>>());
    Ok(())
}
