// SPDX-License-Identifier: MIT
//! U7: a breaker around a failing service: 5 failures open it, a minute later 2 successes close it.

use std::time::Duration;

use weir::{breaker, testing, Breaker, Error};

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let service = Breaker::new(
        &runtime,
        breaker::Options {
            failure_threshold: 5,
            reset_timeout: Duration::from_secs(60),
            half_open_success_threshold: 2,
            on_change: Some(breaker::OnChange::new(|change| {
                println!("{:?} -> {:?}: {:?}", change.from, change.to, change.because);
            })),
            name: "service".to_owned(),
            ..Default::default()
        },
    )?;
    let call = |up: bool| {
        runtime.block_on(service.run(|_attempt| async move {
            if up {
                Ok("hello")
            } else {
                Err("connection refused")
            }
        }))
    };

    for _ in 0..5 {
        assert_eq!(call(false).unwrap_err().into_failed().unwrap(), "connection refused");
    }
    match call(true) {
        Err(error @ Error::Open(_)) => {
            println!("{error}");
            assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
        }
        other => panic!("{other:?}"),
    }

    runtime.advance(Duration::from_secs(60));
    assert_eq!(service.state(), breaker::State::HalfOpen);
    assert_eq!(call(true).unwrap(), "hello");
    assert_eq!(call(true).unwrap(), "hello");
    assert_eq!(service.state(), breaker::State::Closed);
    Ok(())
}
