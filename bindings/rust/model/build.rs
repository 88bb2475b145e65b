// SPDX-License-Identifier: MIT
//! Has the mailbox and the bell be compiled with loom's primitives. A crate of its own, so that only these are.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cfg=weir_loom");
}
