// SPDX-License-Identifier: MIT
//! Outcomes: what deciders look at, what a fallback stands in for, and what a run settles with.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::error::{panic_in, Error};
use crate::ffi::{closure_data, free_closure, guarded};
use crate::status::{Class, Status, Stop};
use crate::value::{look, same, take, Value};

/// How an attempt or a run ended, lent to a decider.
#[derive(Clone, Copy)]
pub struct Outcome<'a>(&'a sys::weir_outcome);

impl<'a> Outcome<'a> {
    /// # Safety
    /// The outcome's value and error live during `'a`.
    pub(crate) unsafe fn new(outcome: &'a sys::weir_outcome) -> Outcome<'a> {
        Outcome(outcome)
    }

    /// The status: [`Status::OK`] of a value.
    pub fn status(&self) -> Status {
        Status(self.0.status)
    }

    /// Calls `see` with the value, if there is one and it is a T.
    pub fn value<T: Send + 'static, R>(&self, see: impl FnOnce(&T) -> R) -> Option<R> {
        // SAFETY: the outcome lives.
        unsafe { look(self.0.value, see) }
    }

    /// Calls `see` with the user's error, if that is what it is and it is an E.
    pub fn error<E: Send + 'static, R>(&self, see: impl FnOnce(&E) -> R) -> Option<R> {
        // SAFETY: the outcome lives, and its error lends the detail.
        unsafe { look(sys::weir_error_detail(self.0.error), see) }
    }

    /// The error's domain and code; None of a value.
    pub fn code(&self) -> Option<(u32, i64)> {
        if self.0.error.is_null() {
            return None;
        }
        // SAFETY: the outcome lives.
        unsafe { Some((sys::weir_error_domain(self.0.error), sys::weir_error_code(self.0.error))) }
    }

    /// Attempts that were started.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What the peer or the refusing policy asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        u64::try_from(self.0.retry_after_ms).ok().map(Duration::from_millis)
    }

    /// The C struct.
    pub fn as_raw(&self) -> &sys::weir_outcome {
        self.0
    }
}

/// One line for logs.
impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = [0u8; 512];
        // SAFETY: the outcome lives; there is room for as many bytes as is said.
        unsafe { sys::weir_outcome_describe(self.0, line.as_mut_ptr().cast(), line.len()) };
        let end = line.iter().position(|&byte| byte == 0).unwrap_or(line.len());
        f.write_str(&String::from_utf8_lossy(&line[..end]))
    }
}

impl fmt::Debug for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// How the inside of a fallback ended: shown to the operation that stands in for it.
pub struct Ended {
    status: i32,
    error: *mut sys::weir_error,
}

// SAFETY: errors are immutable and counted atomically.
unsafe impl Send for Ended {}
// SAFETY: as above.
unsafe impl Sync for Ended {}

impl Ended {
    /// # Safety
    /// The outcome lives during the call.
    pub(crate) unsafe fn of(outcome: &sys::weir_outcome) -> Ended {
        // SAFETY: the error gets a reference; null is legal.
        Ended { status: outcome.status, error: unsafe { sys::weir_error_ref(outcome.error) } }
    }

    /// The status.
    pub fn status(&self) -> Status {
        Status(self.status)
    }

    /// One sentence.
    pub fn message(&self) -> String {
        // SAFETY: takes null, and is never null.
        let message = unsafe { std::ffi::CStr::from_ptr(sys::weir_error_message(self.error)) };
        message.to_string_lossy().into_owned()
    }

    /// Calls `see` with the user's error, if that is what it is and it is an E.
    pub fn error<E: Send + 'static, R>(&self, see: impl FnOnce(&E) -> R) -> Option<R> {
        // SAFETY: the reference is ours.
        unsafe { look(sys::weir_error_detail(self.error), see) }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::weir_error_unref(self.error) };
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// How a run ended, with its numbers: see [`Run::settled`](crate::Run::settled).
#[derive(Debug)]
pub struct Settled<T, E> {
    /// What the run gives.
    pub result: Result<T, Error<E>>,
    /// Attempts that it started.
    pub attempts: u32,
    /// From the moment the runtime took it up to its settlement.
    pub elapsed: Duration,
    /// How the last attempts ended, at most 8, oldest first.
    pub statuses: Vec<Status>,
    /// Why a retry gave up.
    pub stop: Stop,
}

impl<T, E> Settled<T, E> {
    pub(crate) fn unstarted(error: Error<E>) -> Self {
        Settled {
            result: Err(error),
            attempts: 0,
            elapsed: Duration::ZERO,
            statuses: Vec::new(),
            stop: Stop::None,
        }
    }

    pub(crate) fn new(result: Result<T, Error<E>>, outcome: &sys::weir_outcome) -> Self {
        let count = (outcome.attempts as usize).min(outcome.statuses.len());
        Settled {
            result,
            attempts: outcome.attempts,
            elapsed: Duration::from_nanos(outcome.elapsed_ns.max(0) as u64),
            statuses: outcome.statuses[..count].iter().map(|&status| Status(status)).collect(),
            stop: Stop::from_raw(outcome.stop_reason),
        }
    }
}

/// What a run's value is made into: the T that an attempt gave.
///
/// # Safety
/// `value` is null or lives during the call.
pub(crate) unsafe fn plain<T: Send + 'static>(value: *mut sys::weir_value) -> Option<T> {
    // SAFETY: as this function's.
    if let Some(content) = unsafe { take::<T>(value) } {
        return Some(content);
    }
    if let Ok(nothing) = same::<(), T>(()) {
        return Some(nothing);
    }
    // SAFETY: as this function's.
    let value = unsafe { Value::borrowed(value) };
    match same::<Option<Value>, T>(value) {
        Ok(optional) => Some(optional),
        Err(value) => value.and_then(|value| same::<Value, T>(value).ok()),
    }
}

/// The end of a run: its value by `extract`, or its error; or the panic that it carries, if any.
///
/// # Safety
/// `outcome` is a settled call's and lives during the call.
pub(crate) unsafe fn result<T, E: Send + 'static>(
    outcome: &sys::weir_outcome,
    extract: impl FnOnce(*mut sys::weir_value) -> Option<T>,
) -> Result<Result<T, Error<E>>, Box<dyn Any + Send>> {
    if outcome.channel == sys::WEIR_CHANNEL_VALUE {
        // SAFETY: the outcome lends its value.
        let mismatch = || Error::mismatch(unsafe { Value::borrowed(outcome.value) });
        return Ok(extract(outcome.value).ok_or_else(mismatch));
    }
    // SAFETY: the outcome lends its error.
    match unsafe { panic_in(outcome.error) } {
        Some(panic) => Err(panic),
        // SAFETY: as this function's.
        None => Ok(Err(unsafe { Error::from_outcome(outcome) })),
    }
}

type ClassifyFn = dyn Fn(Outcome<'_>) -> Class + Send + Sync;

/// Judges outcomes in a policy's stead: a decider, called on weir's thread, which must answer at once.
/// [`Class::None`] leaves the judgement to the policy.
#[derive(Clone)]
pub struct Classify(pub(crate) Arc<ClassifyFn>);

impl Classify {
    /// From any function.
    pub fn new(classify: impl Fn(Outcome<'_>) -> Class + Send + Sync + 'static) -> Classify {
        Classify(Arc::new(classify))
    }

    /// Values for which `failed` says so are failures.
    pub fn value<T: Send + 'static>(
        failed: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) -> Classify {
        Classify::new(move |outcome| match outcome.value(|value: &T| failed(value)) {
            Some(true) => Class::Failure,
            _ => Class::None,
        })
    }

    /// Judges the user's own errors.
    pub fn error<E: Send + 'static>(
        judge: impl Fn(&E) -> Class + Send + Sync + 'static,
    ) -> Classify {
        Classify::new(move |outcome| outcome.error(|error: &E| judge(error)).unwrap_or(Class::None))
    }

    /// What C calls, and with what.
    pub(crate) fn callback(
        classify: &Option<Classify>,
    ) -> (sys::weir_classify_fn, *mut std::ffi::c_void, sys::weir_free_fn) {
        match classify {
            None => (None, std::ptr::null_mut(), None),
            Some(classify) => {
                (Some(ask), closure_data(&classify.0), Some(free_closure::<ClassifyFn>))
            }
        }
    }
}

unsafe extern "C" fn ask(data: *mut std::ffi::c_void, outcome: *const sys::weir_outcome) -> u32 {
    // SAFETY: the data of Classify::callback; the outcome is lent for the call.
    let (classify, outcome) =
        unsafe { (crate::ffi::closure::<ClassifyFn>(data), Outcome::new(&*outcome)) };
    guarded(Class::None, || classify(outcome)).raw()
}

impl fmt::Debug for Classify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Classify(..)")
    }
}

/// A range of a domain's codes, both ends included: which of the user's errors count as failures
/// ([`Attempt::code`](crate::Attempt::code)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// `WEIR_DOMAIN_*`, or a number of the user's from `WEIR_DOMAIN_USER` on.
    pub domain: u32,
    /// The first code.
    pub min: i64,
    /// The last code.
    pub max: i64,
}

pub(crate) fn ranges(codes: &[Codes]) -> Vec<sys::weir_error_range> {
    codes
        .iter()
        .map(|range| sys::weir_error_range {
            domain: range.domain,
            reserved: 0,
            code_min: range.min,
            code_max: range.max,
        })
        .collect()
}
