// SPDX-License-Identifier: MIT
//! The layout of every struct, as a C compiler sees it in the headers that this is linked against. The
//! bindings assert at compile time that Rust agrees with what they say; this asserts that C does.

use std::fmt::Write;
use std::process::{Command, Stdio};

/// `["Size of NAME"][…size_of::<NAME>() - 96usize]` and its like, as C assertions.
fn assertions(bindings: &str) -> Vec<String> {
    let mut found = Vec::new();
    let text = bindings.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in text.split("[\"").skip(1) {
        let Some((what, rest)) = part.split_once("\"]") else { continue };
        let Some(number) = rest.split("usize]").next().and_then(|s| s.rsplit("- ").next()) else {
            continue;
        };
        let number: usize = number.trim().parse().expect("bindgen writes a number");
        found.push(if let Some(name) = what.strip_prefix("Size of ") {
            format!("sizeof({name}) == {number}")
        } else if let Some(name) = what.strip_prefix("Alignment of ") {
            format!("_Alignof({name}) == {number}")
        } else if let Some(field) = what.strip_prefix("Offset of field: ") {
            let (name, field) = field.split_once("::").expect("a field of a struct");
            format!("offsetof({name}, {}) == {number}", field.trim_end_matches('_'))
        } else {
            continue;
        });
    }
    found
}

#[test]
fn structs_are_laid_out_as_the_headers_say() {
    let found = assertions(include_str!("../src/bindings.rs"));
    assert!(found.len() > 400, "bindgen wrote {} assertions", found.len());
    let mut source = String::from(
        "#include <stddef.h>\n#define class class_\n\
         #include <weir/weir.h>\n#include <weir/testing.h>\n",
    );
    for assertion in found {
        writeln!(source, "_Static_assert({assertion}, \"{assertion}\");").unwrap();
    }
    let headers = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../include");
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c11", "-fsyntax-only", "-I", headers, "-xc", "-"]);
    let mut child = compiler.stdin(Stdio::piped()).spawn().expect("there is a C compiler");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), source.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_library_in_use_is_the_headers_version() {
    // SAFETY: takes nothing.
    assert_eq!(unsafe { weir_sys::weir_version() }, weir_sys::WEIR_VERSION_NUMBER);
}
