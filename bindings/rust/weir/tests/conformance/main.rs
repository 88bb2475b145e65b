// SPDX-License-Identifier: MIT
//! The conformance table (tests/conformance/*.json of the repository): every scenario of every file, on the
//! virtual clock. A scenario is a test; the lines are those of Rust's own test programs.
//!
//! `--must-fail FILE…`: each scenario of these files is wrong on purpose, and must be found so.
#![allow(missing_docs)]

mod build;
mod compare;
mod steps;
mod world;

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--test-")).collect();
    let must_fail = arguments.first().is_some_and(|first| first == "--must-fail");
    let only = arguments.iter().find(|argument| !argument.starts_with('-') && !must_fail);
    let files =
        if must_fail { arguments[1..].iter().map(PathBuf::from).collect() } else { table() };
    std::panic::set_hook(Box::new(|_| {}));
    let (mut run, mut failed) = (0, 0);
    for file in files {
        for scenario in scenarios(&file) {
            let name = scenario["name"].as_str().expect("scenarios have names");
            if only.is_some_and(|only| !name.contains(only.as_str())) {
                continue;
            }
            run += 1;
            let problems = world::play(&scenario);
            let good = problems.is_empty() != must_fail;
            failed += u32::from(!good);
            println!("test {name} ... {}", if good { "ok" } else { "FAILED" });
            if !good {
                println!("    {}", problems.join("\n    "));
            }
        }
    }
    println!("\n{run} scenarios, {failed} failed");
    if failed > 0 || (run == 0 && only.is_none()) {
        std::process::exit(1);
    }
}

fn table() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/conformance");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the table is in the repository")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "schema"))
        .collect();
    files.sort();
    files
}

fn scenarios(file: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let table: Json = serde_json::from_str(&text).expect("the file is JSON");
    assert_eq!(table["format"], 1, "{} is of another format", file.display());
    table["scenarios"].as_array().expect("a table has scenarios").clone()
}
