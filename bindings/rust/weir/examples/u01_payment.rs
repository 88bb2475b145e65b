// SPDX-License-Identifier: MIT
//! U1: polls a payment until it is no longer pending (a value judged a failure), 5 attempts, exponential.

use std::time::Duration;

use weir::{retry, testing, Classify, Error, Retry};

#[derive(Debug, PartialEq)]
enum Payment {
    Pending,
    Paid,
}

async fn fetch_payment(attempt: u32, paid_at: u32) -> Result<Payment, std::io::Error> {
    Ok(if attempt < paid_at { Payment::Pending } else { Payment::Paid })
}

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1); // virtual time; a program has weir::Runtime::new()
    let until_settled = Retry::new(
        &runtime,
        retry::Options {
            max_attempts: Some(5),
            backoff: retry::Backoff::Exponential,
            base_delay: Duration::from_millis(500),
            jitter: retry::Jitter::None,
            classify: Some(Classify::value(|payment: &Payment| *payment == Payment::Pending)),
            ..Default::default()
        },
    )?;

    let run = until_settled.run(|attempt| fetch_payment(attempt.number(), 4));
    let settled = runtime.block_on(run.settled());
    println!("{:?} after {} attempts in {:?}", settled.result, settled.attempts, settled.elapsed);
    assert_eq!(settled.result.unwrap(), Payment::Paid);
    assert_eq!(settled.elapsed, Duration::from_millis(500 + 1000 + 2000));

    let never = until_settled.run(|attempt| fetch_payment(attempt.number(), 9));
    match runtime.block_on(never) {
        Err(error @ Error::Exhausted(_)) => {
            assert_eq!(error.value().and_then(|value| value.take()), Some(Payment::Pending));
        }
        other => panic!("{other:?}"),
    }
    Ok(())
}
