// SPDX-License-Identifier: MIT
//! U9: polls a job every 2 s, at most 30 times, until it is completed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use weir::{flow, testing, Operation};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Job {
    Running(u32),
    Completed,
}

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let asked = AtomicU32::new(0);
    let status = Operation::<Job, String>::new(&runtime, move |_attempt| {
        let percent = asked.fetch_add(1, Ordering::Relaxed) * 25;
        async move { Ok(if percent < 100 { Job::Running(percent) } else { Job::Completed }) }
    })?;
    let options = flow::PollOptions {
        max_attempts: Some(30),
        ..flow::PollOptions::every(Duration::from_secs(2))
    };
    let completed = flow::poll(&status, options, |job| *job == Job::Completed)?;

    let settled = runtime.block_on(completed.run().settled());
    assert_eq!(settled.result.unwrap(), Job::Completed);
    assert_eq!(settled.elapsed, Duration::from_secs(8));
    Ok(())
}
