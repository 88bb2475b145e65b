// SPDX-License-Identifier: MIT
//! Finds weir with pkg-config, or with the feature `vendored` compiles it: from vendor/weir.cc, which a
//! packaged crate carries, else from the repository that this crate lies in.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "vendored")]
    vendored::build();
    #[cfg(not(feature = "vendored"))]
    installed();
}

#[cfg(not(feature = "vendored"))]
fn installed() {
    let version = env!("CARGO_PKG_VERSION");
    if let Err(error) = pkg_config::Config::new().atleast_version(version).probe("weir") {
        panic!(
            "weir {version} was not found with pkg-config. Install it, or set PKG_CONFIG_PATH, or \
             use the feature `vendored`, which compiles it.\n{error}"
        );
    }
}

#[cfg(feature = "vendored")]
mod vendored {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    /// What the library itself is compiled with: no exceptions, so that no C++ runtime is needed.
    const FLAGS: [&str; 7] = [
        "-fno-exceptions",
        "-fno-rtti",
        "-fno-threadsafe-statics",
        "-fvisibility=hidden",
        "-fvisibility-inlines-hidden",
        "-U_GLIBCXX_ASSERTIONS",
        "-fno-gnu-unique",
    ];

    pub fn build() {
        let uv = match pkg_config::Config::new().atleast_version("1.44").probe("libuv") {
            Ok(uv) => uv,
            Err(error) => {
                panic!("weir needs libuv 1.44 or later (libuv1-dev, libuv-devel): {error}")
            }
        };
        let source = source();
        let mut build = cc::Build::new();
        build.cpp(true).cpp_link_stdlib(None).std("c++20").warnings(false).opt_level(2);
        for flag in FLAGS {
            build.flag_if_supported(flag);
        }
        if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("aarch64") {
            build.flag_if_supported("-mno-outline-atomics");
        }
        build.includes(&uv.include_paths).include(&source).file(source.join("weir.cc"));
        build.compile("weir");
        for directory in &uv.link_paths {
            println!("cargo:rustc-link-search=native={}", directory.display());
        }
        for library in &uv.libs {
            println!("cargo:rustc-link-lib={library}");
        }
        println!("cargo:rustc-link-lib=m");
    }

    /// The directory that has weir.cc and weir.h.
    fn source() -> PathBuf {
        let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
        let packaged = here.join("vendor");
        let repository = here.join("../../..");
        if repository.join("src/amalgamate.py").is_file() {
            return amalgamate(&repository);
        }
        assert!(packaged.join("weir.cc").is_file(), "{} has no weir.cc", packaged.display());
        packaged
    }

    fn amalgamate(repository: &Path) -> PathBuf {
        for watched in ["src", "include"] {
            println!("cargo:rerun-if-changed={}", repository.join(watched).display());
        }
        let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo")).join("vendor");
        let script = repository.join("src/amalgamate.py");
        let status = Command::new("python3").arg(&script).arg(&out).status();
        assert!(
            status.as_ref().is_ok_and(|status| status.success()),
            "{} did not work: {status:?}",
            script.display()
        );
        out
    }
}
