// SPDX-License-Identifier: MIT
//! Raw bindings of weir's C ABI: every function, struct and constant of `<weir/weir.h>` and
//! `<weir/testing.h>`, with the headers' own text as documentation. The safe crate is `weir`.
//!
//! The layout of each struct is asserted at compile time against what the headers said when the
//! bindings were made, and by a test against a C compiler.
#![no_std]
#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case)]

/// libuv's loop, of which weir takes only a pointer.
#[repr(C)]
pub struct uv_loop_s {
    _private: [u8; 0],
    _marker: core::marker::PhantomData<(*mut u8, core::marker::PhantomPinned)>,
}

#[allow(clippy::all, missing_docs, rustdoc::all)]
mod bindings;
pub use bindings::*;
