// SPDX-License-Identifier: MIT
//! What the models look at.

use std::task::{RawWaker, RawWakerVTable, Waker};

use loom::sync::atomic::{AtomicUsize, Ordering};

/// A waker that counts. Loom has no `Wake`, so the table is written out.
pub(crate) fn counting(count: &'static AtomicUsize) -> Waker {
    fn clone(data: *const ()) -> RawWaker {
        RawWaker::new(data, &TABLE)
    }
    fn wake(data: *const ()) {
        // SAFETY: the counter is leaked by `leaked`, and lives as long as the model runs.
        unsafe { &*data.cast::<AtomicUsize>() }.fetch_add(1, Ordering::SeqCst);
    }
    fn ignore(_: *const ()) {}
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, ignore);
    // SAFETY: the functions of the table take what is given here.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::from_ref(count).cast(), &TABLE)) }
}

pub(crate) fn leaked() -> &'static AtomicUsize {
    Box::leak(Box::new(AtomicUsize::new(0)))
}
