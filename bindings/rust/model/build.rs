// SPDX-License-Identifier: MIT
//! Has the mailbox be compiled with loom's primitives. A crate of its own, so that only this is.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cfg=weir_loom");
}
