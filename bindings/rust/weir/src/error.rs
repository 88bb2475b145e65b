// SPDX-License-Identifier: MIT
//! Errors: what a run ends with when it does not end with a value.

use std::any::Any;
use std::ffi::CStr;
use std::fmt;
use std::ptr;
use std::time::Duration;

use weir_sys as sys;

use crate::rejection::Rejection;
use crate::status::{Cancel, Status, Stop};
use crate::value::{take, Value};

/// The domain of the errors that carry a panic.
pub(crate) const PANIC_DOMAIN: u32 = sys::WEIR_DOMAIN_USER + 0x70616e;

/// What a panicking function left; travels inside of a weir error.
pub(crate) struct Panic(pub Box<dyn Any + Send>);

/// An argument or option that is not legal, a name that is taken or unknown, a closed runtime: why
/// something was not made or not begun. The message names the field, the rule and the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    status: Status,
    message: String,
}

impl Invalid {
    /// What kind it is: mostly [`Status::INVALID`].
    pub fn status(&self) -> Status {
        self.status
    }

    /// Such as "limiter.permits must be at least 1 (got 0)".
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn new(status: Status, message: impl Into<String>) -> Invalid {
        Invalid { status, message: message.into() }
    }

    /// An error that comes without a message of its own.
    pub(crate) fn check(status: i32) -> Result<(), Invalid> {
        if status == sys::WEIR_OK {
            return Ok(());
        }
        Err(Invalid::new(Status(status), Status(status).message()))
    }

    /// What a creating call said, whose error this gives back.
    pub(crate) fn from_call(status: i32, error: *mut sys::weir_error) -> Result<(), Invalid> {
        if status == sys::WEIR_OK {
            return Ok(());
        }
        // SAFETY: `error` is null or an error whose reference is ours.
        let message = unsafe {
            let message = message_of(error);
            sys::weir_error_unref(error);
            message
        };
        if message.is_empty() {
            return Invalid::check(status);
        }
        Err(Invalid::new(Status(status), message))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

/// The message of an error; empty if there is none.
///
/// # Safety
/// `error` is null or lives during the call.
unsafe fn message_of(error: *const sys::weir_error) -> String {
    // SAFETY: takes null, and is never null.
    unsafe { CStr::from_ptr(sys::weir_error_message(error)) }.to_string_lossy().into_owned()
}

/// How a run that brought no value went. Comes with every [`Error`].
pub struct Report<E>(Box<Facts<E>>);

struct Facts<E> {
    status: Status,
    message: String,
    domain: u32,
    code: i64,
    attempts: u32,
    statuses: Vec<Status>,
    elapsed: Duration,
    retry_after: Option<Duration>,
    rejection: Option<Rejection>,
    stop: Stop,
    cancel: Cancel,
    is_final: bool,
    value: Option<Value>,
    cause: Option<Error<E>>,
}

impl<E> Report<E> {
    fn new(status: Status, message: String) -> Report<E> {
        Report(Box::new(Facts {
            status,
            message,
            domain: 0,
            code: i64::from(status.0),
            attempts: 0,
            statuses: Vec::new(),
            elapsed: Duration::ZERO,
            retry_after: None,
            rejection: None,
            stop: Stop::None,
            cancel: Cancel::None,
            is_final: false,
            value: None,
            cause: None,
        }))
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// One sentence for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whose number [`Report::code`] is: `WEIR_DOMAIN_*`.
    pub fn domain(&self) -> u32 {
        self.0.domain
    }

    /// The domain's own number: weir's status, or what [`Attempt::code`](crate::Attempt::code) said.
    pub fn code(&self) -> i64 {
        self.0.code
    }

    /// How many attempts the run started.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How the last attempts ended, at most 8, oldest first.
    pub fn statuses(&self) -> &[Status] {
        &self.0.statuses
    }

    /// From the moment the runtime took the run up to its settlement.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// What the peer, or the refusing policy, asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The refusal that decided, or that stopped a retry.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.0.rejection.as_ref()
    }

    /// Why a retry gave up.
    pub fn stop(&self) -> Stop {
        self.0.stop
    }

    /// Why the run was told to stop.
    pub fn cancel(&self) -> Cancel {
        self.0.cancel
    }

    /// Whether the failure was completed as final ([`Attempt::give_up`](crate::Attempt::give_up)).
    pub fn is_final(&self) -> bool {
        self.0.is_final
    }
}

impl<E> fmt::Debug for Report<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("status", &self.0.status)
            .field("message", &self.0.message)
            .field("attempts", &self.0.attempts)
            .field("elapsed", &self.0.elapsed)
            .field("stop", &self.0.stop)
            .field("retry_after", &self.0.retry_after)
            .finish_non_exhaustive()
    }
}

/// Why a run brought no value. `E` is the error of the user's own function; it comes back as the very
/// object that the function returned, also out of aggregates and after retries.
#[non_exhaustive]
pub enum Error<E> {
    /// The user's function failed, finally: its own error.
    Failed(E, Report<E>),
    /// A circuit breaker is open.
    Open(Report<E>),
    /// A limiter refuses.
    Limited(Report<E>),
    /// A queue, or the runtime, is full.
    Full(Report<E>),
    /// It cannot fit into the time that is left.
    NoTime(Report<E>),
    /// A timeout or a deadline passed.
    TimedOut(Report<E>),
    /// Somebody cancelled it.
    Cancelled(Report<E>),
    /// The runtime, or the handle, is closed.
    Closed(Report<E>),
    /// A later call took this one's place.
    Superseded(Report<E>),
    /// A retry or poll gave up on a value that was judged a failure: see [`Error::value`].
    Exhausted(Report<E>),
    /// Several failed: each with the index of the operation it came from.
    Aggregate(Vec<(usize, Error<E>)>, Report<E>),
    /// An argument is not legal; the message says which.
    Invalid(Report<E>),
    /// Anything else: no memory, the process forked, or a failure that holds no `E` (of another language,
    /// or of an operation with another error type).
    Other(Report<E>),
}

impl<E> Error<E> {
    /// How it came to this.
    pub fn report(&self) -> &Report<E> {
        match self {
            Error::Failed(_, report)
            | Error::Aggregate(_, report)
            | Error::Open(report)
            | Error::Limited(report)
            | Error::Full(report)
            | Error::NoTime(report)
            | Error::TimedOut(report)
            | Error::Cancelled(report)
            | Error::Closed(report)
            | Error::Superseded(report)
            | Error::Exhausted(report)
            | Error::Invalid(report)
            | Error::Other(report) => report,
        }
    }

    /// The user's own error, if that is what it is.
    pub fn failed(&self) -> Option<&E> {
        match self {
            Error::Failed(error, _) => Some(error),
            _ => None,
        }
    }

    /// The user's own error, taken out; `self` if it is another kind.
    pub fn into_failed(self) -> Result<E, Error<E>> {
        match self {
            Error::Failed(error, _) => Ok(error),
            other => Err(other),
        }
    }

    /// What an aggregate lists: the index of each operation that failed, and how.
    pub fn errors(&self) -> &[(usize, Error<E>)] {
        match self {
            Error::Aggregate(errors, _) => errors,
            _ => &[],
        }
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.report().status()
    }

    /// When trying again makes sense, if the peer or the refusing policy said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.report().retry_after()
    }

    /// The refusal that decided, or that stopped a retry.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.report().rejection()
    }

    /// The value that was judged a failure ([`Error::Exhausted`]).
    pub fn value(&self) -> Option<&Value> {
        self.report().0.value.as_ref()
    }

    /// What failed before, or further in: a waterfall's step, what a fallback stood in for.
    pub fn cause(&self) -> Option<&Error<E>> {
        self.report().0.cause.as_ref()
    }
}

impl<E: Send + 'static> Error<E> {
    /// How a run ended that did not end with a value.
    ///
    /// # Safety
    /// `outcome` is a settled call's, and lives during the call.
    pub(crate) unsafe fn from_outcome(outcome: &sys::weir_outcome) -> Error<E> {
        // SAFETY: the outcome owns its error.
        let mut found = unsafe { Error::from_error(outcome.error, outcome.status) };
        let count = (outcome.attempts as usize).min(outcome.statuses.len());
        let facts = &mut found.report_mut().0;
        facts.attempts = outcome.attempts;
        facts.statuses = outcome.statuses[..count].iter().map(|&status| Status(status)).collect();
        facts.elapsed = Duration::from_nanos(outcome.elapsed_ns.max(0) as u64);
        facts.retry_after = u64::try_from(outcome.retry_after_ms).ok().map(Duration::from_millis);
        // SAFETY: null or the outcome's own.
        facts.rejection = unsafe { outcome.rejection.as_ref() }.map(Rejection::from_raw);
        facts.stop = Stop::from_raw(outcome.stop_reason);
        facts.cancel = Cancel::from_raw(outcome.cancel_reason);
        facts.is_final = outcome.final_ != 0;
        if facts.value.is_none() {
            // SAFETY: null or the outcome's own.
            facts.value = unsafe { Value::borrowed(outcome.value) };
        }
        found
    }

    /// An error as weir holds it: with what it lists, what caused it, and the user's own object.
    ///
    /// # Safety
    /// `error` is null or lives during the call.
    pub(crate) unsafe fn from_error(error: *mut sys::weir_error, status: i32) -> Error<E> {
        // SAFETY: getters take null; what they lend lives as long as the error.
        unsafe {
            let own = if error.is_null() { status } else { sys::weir_error_status(error) };
            let mut message = message_of(error);
            if message.is_empty() {
                message = Status(status).message().to_owned();
            }
            let mut report = Report::new(Status(status), message);
            if !error.is_null() {
                report.0.domain = sys::weir_error_domain(error);
                report.0.code = sys::weir_error_code(error);
            }
            let detail = sys::weir_error_detail(error);
            let mine = take::<E>(detail);
            if own == sys::WEIR_EEXHAUSTED {
                report.0.value = Value::borrowed(detail);
            }
            let cause = sys::weir_error_cause(error);
            if !cause.is_null() {
                report.0.cause = Some(Error::from_error(cause, sys::weir_error_status(cause)));
            }
            match (mine, sys::weir_error_count(error)) {
                (Some(mine), _) => Error::Failed(mine, report),
                (None, 0) => Error::of_status(status, report),
                (None, count) => Error::Aggregate(list(error, count), report),
            }
        }
    }

    fn of_status(status: i32, report: Report<E>) -> Error<E> {
        match status {
            sys::WEIR_EOPEN => Error::Open(report),
            sys::WEIR_ELIMITED => Error::Limited(report),
            sys::WEIR_EFULL => Error::Full(report),
            sys::WEIR_ENOTIME => Error::NoTime(report),
            sys::WEIR_ETIMEDOUT => Error::TimedOut(report),
            sys::WEIR_ECANCELLED => Error::Cancelled(report),
            sys::WEIR_ECLOSED => Error::Closed(report),
            sys::WEIR_ESUPERSEDED => Error::Superseded(report),
            sys::WEIR_EEXHAUSTED => Error::Exhausted(report),
            sys::WEIR_EINVAL => Error::Invalid(report),
            _ => Error::Other(report),
        }
    }

    /// A value came, but it is none that this run can give back.
    pub(crate) fn mismatch(value: Option<Value>) -> Error<E> {
        let mut report = Report::new(
            Status::NOT_SUPPORTED,
            "the value is of another type than the run's result".to_owned(),
        );
        report.0.value = value;
        Error::Other(report)
    }

    pub(crate) fn refused(invalid: Invalid) -> Error<E> {
        let status = invalid.status.0;
        Error::of_status(status, Report::new(invalid.status, invalid.message))
    }
}

unsafe fn list<E: Send + 'static>(
    error: *mut sys::weir_error,
    count: usize,
) -> Vec<(usize, Error<E>)> {
    let item = |position| {
        let mut index = 0;
        // SAFETY: the item is lent by the error, which lives.
        unsafe {
            let item = sys::weir_error_at(error, position, &mut index);
            (index, Error::from_error(item, sys::weir_error_status(item)))
        }
    };
    (0..count).map(item).collect()
}

impl<E> Error<E> {
    fn report_mut(&mut self) -> &mut Report<E> {
        match self {
            Error::Failed(_, report)
            | Error::Aggregate(_, report)
            | Error::Open(report)
            | Error::Limited(report)
            | Error::Full(report)
            | Error::NoTime(report)
            | Error::TimedOut(report)
            | Error::Cancelled(report)
            | Error::Closed(report)
            | Error::Superseded(report)
            | Error::Exhausted(report)
            | Error::Invalid(report)
            | Error::Other(report) => report,
        }
    }
}

impl<E: Send + 'static> From<Invalid> for Error<E> {
    fn from(invalid: Invalid) -> Self {
        Error::refused(invalid)
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Failed(error, _) => error.fmt(f),
            Error::Aggregate(errors, report) => {
                f.write_str(report.message())?;
                for (index, error) in errors {
                    write!(f, "; {index}: {error}")?;
                }
                Ok(())
            }
            other => match other.rejection() {
                Some(rejection) => rejection.fmt(f),
                None => f.write_str(other.report().message()),
            },
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Error::Failed(error, report) => {
                return f.debug_tuple("Failed").field(error).field(report).finish()
            }
            Error::Aggregate(errors, report) => {
                return f.debug_tuple("Aggregate").field(errors).field(report).finish()
            }
            Error::Open(_) => "Open",
            Error::Limited(_) => "Limited",
            Error::Full(_) => "Full",
            Error::NoTime(_) => "NoTime",
            Error::TimedOut(_) => "TimedOut",
            Error::Cancelled(_) => "Cancelled",
            Error::Closed(_) => "Closed",
            Error::Superseded(_) => "Superseded",
            Error::Exhausted(_) => "Exhausted",
            Error::Invalid(_) => "Invalid",
            Error::Other(_) => "Other",
        };
        f.debug_tuple(name).field(self.report()).finish()
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Failed(error, _) => Some(error),
            other => match other.cause() {
                Some(cause) => Some(cause),
                None => other.rejection().map(|rejection| rejection as _),
            },
        }
    }
}

/// The panic that an error carries, anywhere in it.
///
/// # Safety
/// `error` is null or lives during the call.
pub(crate) unsafe fn panic_in(error: *mut sys::weir_error) -> Option<Box<dyn Any + Send>> {
    if error.is_null() {
        return None;
    }
    // SAFETY: what the getters lend lives as long as the error.
    unsafe {
        if sys::weir_error_domain(error) == PANIC_DOMAIN {
            // Of several that wait for one function the first gets what it left, the others a text.
            return Some(match take::<Panic>(sys::weir_error_detail(error)) {
                Some(panic) => panic.0,
                None => Box::new(message_of(error)),
            });
        }
        let items = 0..sys::weir_error_count(error);
        items
            .map(|position| sys::weir_error_at(error, position, ptr::null_mut()))
            .find_map(|item| panic_in(item))
            .or_else(|| panic_in(sys::weir_error_cause(error)))
    }
}
