// SPDX-License-Identifier: MIT
//! U3: type-ahead search: 300 ms debounce; superseded calls settle as such and are ignored.

use std::time::Duration;

use weir::{pacing, testing, Debounce, Error};

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let options =
        pacing::DebounceOptions { wait: Some(Duration::from_millis(300)), ..Default::default() };
    let search = Debounce::new(&runtime, options, |text: String, _attempt| async move {
        Ok::<_, std::io::Error>(vec![format!("{text} (river)"), format!("{text} (dam)")])
    })?;

    let mut keystrokes = Vec::new();
    for text in ["w", "we", "wei", "weir"] {
        keystrokes.push(runtime.spawn(search.call(text.to_owned())?));
        runtime.advance(Duration::from_millis(100));
    }
    runtime.advance(Duration::from_millis(300));

    let mut shown = Vec::new();
    for keystroke in keystrokes {
        match keystroke.take().expect("all are settled") {
            Ok(results) => shown.push(results),
            Err(Error::Superseded(_)) => {} // a later one shows its results
            Err(error) => eprintln!("search failed: {error}"),
        }
    }
    assert_eq!(shown.len(), 1);
    assert_eq!(*shown[0], ["weir (river)", "weir (dam)"]);
    Ok(())
}
