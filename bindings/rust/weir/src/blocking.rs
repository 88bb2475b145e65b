// SPDX-License-Identifier: MIT
//! Functions that block, on libuv's pool.

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::NonNull;
use std::sync::Arc;

use weir_sys as sys;

use crate::attempt::{Completion, Marks};
use crate::error::Invalid;
use crate::ffi::{closure, closure_data, created, free_closure};
use crate::Runtime;

type Work = dyn Fn() -> Completion + Send + Sync;

pub(crate) fn make(
    runtime: &Runtime,
    work: Arc<Work>,
) -> Result<NonNull<sys::weir_operation>, Invalid> {
    created(|out, error| {
        // SAFETY: the runtime lives; the data is freed by weir, also if this fails.
        unsafe {
            sys::weir_operation_new_blocking(
                runtime.as_raw(),
                Some(work_on),
                closure_data(&work),
                Some(free_closure::<Work>),
                out,
                error,
            )
        }
    })
}

unsafe extern "C" fn work_on(
    data: *mut c_void,
    attempt: *const sys::weir_attempt,
    value: *mut *mut sys::weir_value,
    error: *mut *mut sys::weir_error,
) -> i32 {
    // SAFETY: the operation's data, and places to write to, all valid during this call.
    unsafe {
        let work = closure::<Work>(data);
        let completion = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(Completion::Panicked);
        let (given, failed) = completion.into_raw((*attempt).runtime, &Marks::default());
        *value = given;
        *error = failed;
        if failed.is_null() {
            sys::WEIR_OK
        } else {
            sys::WEIR_EFAILED
        }
    }
}
