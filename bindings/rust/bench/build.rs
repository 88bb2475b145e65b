// SPDX-License-Identifier: MIT
//! Compiles the loop in C that the decide door is compared with.

fn main() {
    println!("cargo:rerun-if-changed=src/loop.c");
    let weir =
        pkg_config::Config::new().cargo_metadata(false).probe("weir").expect("weir is installed");
    cc::Build::new().includes(&weir.include_paths).opt_level(2).file("src/loop.c").compile("loop");
}
