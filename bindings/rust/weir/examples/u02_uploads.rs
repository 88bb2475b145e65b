// SPDX-License-Identifier: MIT
//! U2: uploads 100 files, 5 at a time, with progress.

use std::time::Duration;

use weir::{parallel, testing, Runtime};

async fn upload(runtime: &Runtime, file: &str) -> Result<usize, std::io::Error> {
    runtime.sleep(Duration::from_millis(100)).await.map_err(std::io::Error::other)?;
    Ok(file.len())
}

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let files: Vec<String> = (0..100).map(|number| format!("photo-{number:02}.jpg")).collect();

    let options = parallel::Options {
        concurrency: 5,
        on_progress: Some(parallel::OnProgress::new(|done, total| {
            if done % 20 == 0 {
                println!("{done} of {}", total.unwrap_or_default());
            }
        })),
        ..Default::default()
    };
    let clock = weir::Runtime::clone(&runtime);
    let uploads = parallel::each(&runtime, files, options, move |file, _attempt| {
        let clock = clock.clone();
        async move { upload(&clock, &file).await }
    })?;

    let settled = runtime.block_on(uploads.run().settled());
    let sizes = settled.result.expect("every upload works").into_vec();
    assert_eq!(sizes.len(), 100);
    assert_eq!(settled.elapsed, Duration::from_millis(100) * (100 / 5));
    Ok(())
}
