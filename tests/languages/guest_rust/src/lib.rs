// SPDX-License-Identifier: MIT
//! A Python extension in Rust over the crate `weir`. It is handed a capsule with a runtime in it, and
//! finds by their names the policies that others have registered there.

use std::ptr::NonNull;

use pyo3::exceptions::PyLookupError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use weir::{breaker::State, sys, Breaker, Limiter, Runtime};

fn lookup(error: weir::Invalid) -> PyErr {
    PyLookupError::new_err(error.to_string())
}

/// The runtime that the capsule lends, with a reference of our own.
fn open(capsule: &Bound<'_, PyCapsule>) -> PyResult<Runtime> {
    let pointer = capsule.pointer_checked(Some(c"weir.runtime"))?;
    // SAFETY: whoever made the capsule holds the runtime while the capsule lives.
    let lent = unsafe { sys::weir_runtime_ref(pointer.cast::<sys::weir_runtime>().as_ptr()) };
    let runtime = NonNull::new(lent).expect("a capsule has a pointer");
    // SAFETY: the reference is ours.
    unsafe { Runtime::from_raw(runtime) }.map_err(lookup)
}

/// is_open(capsule, name) -> bool
#[pyfunction]
fn is_open(capsule: &Bound<'_, PyCapsule>, name: &str) -> PyResult<bool> {
    let breaker = Breaker::find(&open(capsule)?, name).map_err(lookup)?;
    Ok(breaker.state() == State::Open)
}

/// fail(capsule, name, count) -> int: acquires and reports a failure; how many were let in.
#[pyfunction]
fn fail(capsule: &Bound<'_, PyCapsule>, name: &str, count: u32) -> PyResult<u32> {
    let breaker = Breaker::find(&open(capsule)?, name).map_err(lookup)?;
    let mut admitted = 0;
    for _ in 0..count {
        if let Ok(permit) = breaker.try_acquire() {
            permit.failure();
            admitted += 1;
        }
    }
    Ok(admitted)
}

/// take_all(capsule, name) -> int: takes permits until one is refused, without the interpreter's lock.
#[pyfunction]
fn take_all(py: Python<'_>, capsule: &Bound<'_, PyCapsule>, name: &str) -> PyResult<u64> {
    let limiter = Limiter::find(&open(capsule)?, name).map_err(lookup)?;
    Ok(py.detach(|| {
        let mut taken = 0;
        while let Ok(permit) = limiter.try_acquire(1) {
            std::mem::forget(permit);
            taken += 1;
        }
        taken
    }))
}

#[pymodule]
fn guest_rust(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(is_open, module)?)?;
    module.add_function(wrap_pyfunction!(fail, module)?)?;
    module.add_function(wrap_pyfunction!(take_all, module)?)
}
