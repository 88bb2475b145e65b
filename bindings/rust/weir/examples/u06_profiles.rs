// SPDX-License-Identifier: MIT
//! U6: user profiles: three equal calls load once; cached a minute; stale when the backend is down.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use weir::{cache, testing, Cache};

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let profiles: Cache<u64, String> = Cache::new(
        &runtime,
        cache::Options {
            ttl: Some(Duration::from_secs(60)),
            stale_if_error: Some(Duration::from_secs(600)),
            ..Default::default()
        },
    )?;

    let loads = Arc::new(AtomicU32::new(0));
    let backend = Arc::clone(&loads);
    let load = profiles.loader(move |_attempt| {
        let first = backend.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                Ok("Ada".to_owned())
            } else {
                Err("backend is down")
            }
        }
    })?;
    let get = || profiles.get_by(weir::run::Options::default(), &7, &load);

    let three = [runtime.spawn(get()?), runtime.spawn(get()?), runtime.spawn(get()?)];
    runtime.run_until_idle();
    assert!(three.iter().all(|call| *call.take().unwrap().unwrap() == "Ada"));
    assert_eq!(loads.load(Ordering::Relaxed), 1);

    runtime.advance(Duration::from_secs(59));
    assert_eq!(*runtime.block_on(get()?).unwrap(), "Ada");
    assert_eq!(loads.load(Ordering::Relaxed), 1);

    runtime.advance(Duration::from_secs(2));
    assert_eq!(*runtime.block_on(get()?).unwrap(), "Ada"); // stale, as loading failed
    assert_eq!(loads.load(Ordering::Relaxed), 2);

    runtime.advance(Duration::from_secs(600));
    let error = runtime.block_on(get()?).unwrap_err();
    assert_eq!(**error.failed().unwrap(), "backend is down");
    Ok(())
}
