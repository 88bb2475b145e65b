// SPDX-License-Identifier: MIT
//! U5: calls an API at most 5 at once and 100 in any minute; the rest wait their turn.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use weir::{limiter, testing, Limiter};

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let api = Limiter::new(
        &runtime,
        limiter::Options {
            rate: Some(limiter::Rate::new(100, Duration::from_secs(60))),
            algorithm: limiter::Algorithm::SlidingWindow,
            max_concurrent: Some(5),
            name: "api".to_owned(),
            ..Default::default()
        },
    )?;

    let running = Rc::new(Cell::new(0));
    let calls: Vec<_> = (0..150)
        .map(|number| {
            let (api, running) = (api.clone(), Rc::clone(&running));
            let clock = weir::Runtime::clone(&runtime);
            runtime.spawn(async move {
                let call = api.run(|_attempt| async {
                    running.set(running.get() + 1);
                    assert!(running.get() <= 5);
                    clock.sleep(Duration::from_millis(200)).await?;
                    running.set(running.get() - 1);
                    Ok::<_, weir::Invalid>(number)
                });
                call.await
            })
        })
        .collect();

    runtime.advance(Duration::from_secs(59));
    assert_eq!(calls.iter().filter(|call| call.is_done()).count(), 100);
    runtime.advance(Duration::from_secs(62));
    assert!(calls.iter().all(|call| call.take().is_some_and(|result| result.is_ok())));
    Ok(())
}
