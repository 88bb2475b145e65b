// SPDX-License-Identifier: MIT
//! U12: a scope that sets a default TTL, a deadline, opens and closes its resources, logs under its name.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir::runtime::{Level, Log, Options};
use weir::{scope, Runtime, Scope};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&lines);
    let runtime = Runtime::with(Options {
        log: Some(Log::new(move |_, subject, message| {
            told.lock().unwrap().push(format!("{subject}: {message}"));
        })),
        log_level: Level::Info,
        ..Default::default()
    })?;
    let import = Scope::new(
        &runtime,
        scope::Options {
            deadline: Some(Duration::from_secs(30)),
            name: "import".to_owned(),
            ..Default::default()
        },
    )?;
    import.set("ttl", Duration::from_secs(60))?;

    let (opened, closed) = (import.view().clone(), import.view().clone());
    let connection = import.open(
        "connection",
        move |_attempt| {
            opened.log(Level::Info, "connected");
            async { Ok::<_, String>(42_u32) }
        },
        move |connection| {
            closed.log(Level::Info, &format!("closed {connection}"));
            async { Ok(()) }
        },
    )?;
    assert_eq!(weir::block_on(connection).unwrap(), 42);

    let imported = weir::block_on(import.run(|attempt| async move {
        let scope = attempt.scope().expect("it runs in one");
        assert!(attempt.remaining().is_some_and(|left| left <= Duration::from_secs(30)));
        let ttl: Duration = scope.get("ttl").ok_or("no ttl")?;
        let connection: u32 = scope.get("connection").ok_or("no connection")?;
        Ok::<_, &str>(format!("by connection {connection}, kept {ttl:?}"))
    }));
    assert_eq!(imported.unwrap(), "by connection 42, kept 60s");

    weir::block_on(import.join::<String>()).unwrap();
    assert_eq!(*lines.lock().unwrap(), ["import: connected", "import: closed 42"]);
    Ok(())
}
