// SPDX-License-Identifier: MIT
//! U10: breaker around retry around timeout around fetch, one call.

use std::time::Duration;

use weir::{retry, testing, Breaker, Pipeline, Retry, Timeout};

async fn fetch(url: &str, attempt: u32) -> Result<String, std::io::Error> {
    match attempt {
        1 => Err(std::io::Error::other("connection reset")),
        2 => std::future::pending().await, // the timeout cuts it off
        _ => Ok(format!("body of {url}")),
    }
}

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let breaker = Breaker::new(&runtime, Default::default())?;
    let retry = Retry::new(
        &runtime,
        retry::Options { base_delay: Duration::from_millis(100), ..Default::default() },
    )?;
    let timeout = Timeout::new(&runtime, Duration::from_secs(2))?;
    let api = Pipeline::new(&runtime, &[&breaker, &retry, &timeout], "api")?;

    let url = String::from("https://example.org/"); // borrowed by the call below
    let body = runtime.block_on(api.run(|attempt| fetch(&url, attempt.number())));
    assert_eq!(body.unwrap(), "body of https://example.org/");
    assert_eq!(breaker.stats().succeeded, 1);
    Ok(())
}
