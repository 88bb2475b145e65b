// SPDX-License-Identifier: MIT
//! Small things that every module needs to speak to C.

use std::ffi::{c_void, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::error::Invalid;
use crate::status::Status;

/// Milliseconds, rounded up: delays never become shorter. The greatest duration is "for ever".
pub(crate) fn ms(duration: Duration) -> i64 {
    if duration == Duration::MAX {
        return i64::from(sys::WEIR_FOREVER);
    }
    let up = duration.as_nanos().div_ceil(1_000_000);
    i64::try_from(up).unwrap_or(i64::MAX)
}

/// Milliseconds; None is `WEIR_FOREVER` and `WEIR_OFF`, which are the same number.
pub(crate) fn ms_or_none(duration: Option<Duration>) -> i64 {
    duration.map_or(i64::from(sys::WEIR_FOREVER), ms)
}

/// Nanoseconds.
pub(crate) fn ns(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// None is `WEIR_UNLIMITED`, and so is what C has no number for.
pub(crate) fn count(number: Option<u64>) -> i64 {
    number.and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::from(sys::WEIR_UNLIMITED))
}

/// Of nanoseconds that may be "no end".
pub(crate) fn duration(ns: i64) -> Option<Duration> {
    (ns != i64::MAX).then(|| Duration::from_nanos(ns.max(0) as u64))
}

/// A text for C, kept for as long as this lives. Text ends where a NUL would cut it off.
pub(crate) struct Text(Option<CString>);

impl Text {
    pub(crate) fn new(text: &str) -> Text {
        let end = text.find('\0').unwrap_or(text.len());
        Text(CString::new(&text[..end]).ok())
    }

    /// Empty is NULL: "none".
    pub(crate) fn optional(text: &str) -> Text {
        if text.is_empty() {
            Text(None)
        } else {
            Text::new(text)
        }
    }

    pub(crate) fn as_ptr(&self) -> *const std::ffi::c_char {
        self.0.as_ref().map_or(ptr::null(), |text| text.as_ptr())
    }
}

/// What a creating call gives: its handle, or the error's message.
pub(crate) fn created<T>(
    create: impl FnOnce(*mut *mut T, *mut *mut sys::weir_error) -> i32,
) -> Result<ptr::NonNull<T>, Invalid> {
    let mut handle = ptr::null_mut();
    let mut error = ptr::null_mut();
    let status = create(&mut handle, &mut error);
    Invalid::from_call(status, error)?;
    Ok(ptr::NonNull::new(handle).expect("WEIR_OK comes with a handle"))
}

/// A call that changes something and has a message if it refuses.
pub(crate) fn changed(
    change: impl FnOnce(*mut *mut sys::weir_error) -> i32,
) -> Result<(), Invalid> {
    let mut error = ptr::null_mut();
    let status = change(&mut error);
    Invalid::from_call(status, error)
}

/// Asks twice: for the size, and for the text.
pub(crate) fn text_of(
    write: impl Fn(*mut std::ffi::c_char, usize, *mut usize) -> i32,
) -> Result<String, Invalid> {
    let mut size = 0;
    let first = write(ptr::null_mut(), 0, &mut size);
    if first != sys::WEIR_OK && first != sys::WEIR_EFULL {
        Invalid::check(first)?;
    }
    loop {
        let mut buffer = vec![0u8; size + 256];
        let status = write(buffer.as_mut_ptr().cast(), buffer.len(), &mut size);
        if status == sys::WEIR_EFULL {
            continue; // it has grown in between
        }
        Invalid::check(status)?;
        let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
        buffer.truncate(end);
        return Ok(String::from_utf8_lossy(&buffer).into_owned());
    }
}

/// Calls foreign code from a C callback: a panic must not unwind into C.
pub(crate) fn guarded<R>(otherwise: R, call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(otherwise)
}

/// The `data` of a callback: a closure that C keeps, as a pointer to an Arc.
pub(crate) fn closure_data<F: ?Sized>(closure: &Arc<F>) -> *mut c_void {
    Box::into_raw(Box::new(Arc::clone(closure))).cast()
}

/// Frees what [`closure_data`] made.
pub(crate) unsafe extern "C" fn free_closure<F: ?Sized>(data: *mut c_void) {
    // SAFETY: made by closure_data of the same F, freed once.
    guarded((), || drop(unsafe { Box::from_raw(data.cast::<Arc<F>>()) }));
}

/// The closure behind `data`.
///
/// # Safety
/// `data` was made by [`closure_data`] of the same F and is not freed during `'a`.
pub(crate) unsafe fn closure<'a, F: ?Sized>(data: *mut c_void) -> &'a F {
    // SAFETY: as this function's.
    unsafe { &*data.cast::<Arc<F>>() }
}

/// What a status is, where it is the answer.
pub(crate) fn answered(status: i32) -> Result<(), Status> {
    if status == sys::WEIR_OK {
        Ok(())
    } else {
        Err(Status(status))
    }
}

/// A counted C handle and the runtime that it belongs to.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $raw:ident, $add:ident, $remove:ident) => {
        $(#[$doc])*
        pub struct $name {
            pub(crate) raw: std::ptr::NonNull<weir_sys::$raw>,
            pub(crate) runtime: $crate::Runtime,
        }

        // SAFETY: weir's handles take any thread, and are counted atomically; the closures that they
        // hold are Send and Sync.
        unsafe impl Send for $name {}
        // SAFETY: as above.
        unsafe impl Sync for $name {}

        impl $name {
            /// The C handle, borrowed.
            pub fn as_raw(&self) -> *mut weir_sys::$raw {
                self.raw.as_ptr()
            }
        }

        impl Clone for $name {
            /// Another handle of the same.
            fn clone(&self) -> Self {
                // SAFETY: a reference is held.
                unsafe { weir_sys::$add(self.raw.as_ptr()) };
                $name { raw: self.raw, runtime: self.runtime.clone() }
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the reference is ours.
                unsafe { weir_sys::$remove(self.raw.as_ptr()) };
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.raw).finish()
            }
        }
    };
}
pub(crate) use handle;

/// An options struct with C's defaults.
macro_rules! defaults {
    ($raw:ident, $init:ident) => {{
        let mut options = std::mem::MaybeUninit::<weir_sys::$raw>::zeroed();
        // SAFETY: weir writes the whole struct, of which it is told the size; zeroes are legal anyway.
        unsafe {
            weir_sys::$init(options.as_mut_ptr(), size_of::<weir_sys::$raw>());
            options.assume_init()
        }
    }};
}
pub(crate) use defaults;

/// A statistics struct, filled by C.
macro_rules! stats {
    ($raw:ident, $get:ident, $handle:expr) => {{
        let mut stats =
            weir_sys::$raw { size: size_of::<weir_sys::$raw>() as u32, ..Default::default() };
        // SAFETY: the handle is held, and the struct has its size.
        unsafe { weir_sys::$get($handle, &mut stats) };
        stats
    }};
}
pub(crate) use stats;
