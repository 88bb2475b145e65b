// SPDX-License-Identifier: MIT
//! Statuses, reasons and classes: weir's numbers as Rust's words.

use std::ffi::CStr;
use std::fmt;

use weir_sys as sys;

/// weir's number for how something ended: 0 is success, the others are the `WEIR_E…` of
/// `<weir/status.h>`. They never change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Status(pub i32);

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $raw:ident;)*) => {
        impl Status {
            $($(#[$doc])* pub const $name: Status = Status(sys::$raw as i32);)*
        }
    };
}

statuses! {
    /// It worked.
    OK = WEIR_OK;
    /// An argument or option is not legal.
    INVALID = WEIR_EINVAL;
    /// There was no memory.
    NO_MEMORY = WEIR_ENOMEM;
    /// Built against another version.
    ABI = WEIR_EABI;
    /// The caller cancelled.
    CANCELLED = WEIR_ECANCELLED;
    /// A timeout or a deadline passed.
    TIMED_OUT = WEIR_ETIMEDOUT;
    /// It cannot fit into the time that is left.
    NO_TIME = WEIR_ENOTIME;
    /// A circuit breaker is open.
    OPEN = WEIR_EOPEN;
    /// A limiter refuses.
    LIMITED = WEIR_ELIMITED;
    /// A queue, or the runtime, is full.
    FULL = WEIR_EFULL;
    /// The user's operation failed.
    FAILED = WEIR_EFAILED;
    /// Several failed.
    AGGREGATE = WEIR_EAGGREGATE;
    /// A retry or poll gave up on a value.
    EXHAUSTED = WEIR_EEXHAUSTED;
    /// A later call took this one's place.
    SUPERSEDED = WEIR_ESUPERSEDED;
    /// The token or permit belongs to an earlier life.
    STALE = WEIR_ESTALE;
    /// The runtime or handle is closed.
    CLOSED = WEIR_ECLOSED;
    /// There is nothing of that name or key.
    NOT_FOUND = WEIR_ENOTFOUND;
    /// There is already something of that name or key.
    EXISTS = WEIR_EEXISTS;
    /// This driver, platform or combination cannot do that.
    NOT_SUPPORTED = WEIR_ENOTSUP;
    /// The call belongs to another thread.
    WRONG_THREAD = WEIR_ETHREAD;
    /// The permit's lease ran out before its report.
    EXPIRED = WEIR_EEXPIRED;
    /// The process forked.
    FORKED = WEIR_EFORKED;
    /// No more attempts.
    STOP = WEIR_ESTOP;
}

impl Status {
    /// The name in C, such as `WEIR_EOPEN`.
    pub fn name(self) -> &'static str {
        // SAFETY: static text, never null.
        text(unsafe { CStr::from_ptr(sys::weir_status_name(self.0)) })
    }

    /// One sentence, such as "circuit breaker is open".
    pub fn message(self) -> &'static str {
        // SAFETY: static text, never null.
        text(unsafe { CStr::from_ptr(sys::weir_status_message(self.0)) })
    }
}

fn text(text: &'static CStr) -> &'static str {
    text.to_str().unwrap_or("")
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

/// An enum over C's numbers, with a place for numbers of later versions.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $raw:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_doc])* $word,)*
            /// A number of a later version of the library.
            Unknown(u32),
        }

        impl $name {
            #[allow(dead_code)]
            pub(crate) fn from_raw(number: u32) -> Self {
                match number {
                    $(sys::$raw => $name::$word,)*
                    other => $name::Unknown(other),
                }
            }

            #[allow(dead_code)]
            pub(crate) fn raw(self) -> u32 {
                match self {
                    $($name::$word => sys::$raw,)*
                    $name::Unknown(other) => other,
                }
            }
        }
    };
}
pub(crate) use numbers;

numbers! {
    /// How a policy judges an outcome.
    Class {
        /// Not judged: a value is a success, an error a failure.
        None = WEIR_CLASS_NONE,
        /// It worked.
        Success = WEIR_CLASS_SUCCESS,
        /// It failed: retries try again, breakers count it.
        Failure = WEIR_CLASS_FAILURE,
        /// An inner policy refused.
        Refusal = WEIR_CLASS_REFUSAL,
        /// Neither: passes all policies and is not counted.
        Ignore = WEIR_CLASS_IGNORE,
        /// Told to stop.
        Abandon = WEIR_CLASS_ABANDON,
    }
}

numbers! {
    /// Why a retry, or a poll, gave up.
    Stop {
        /// It did not.
        None = WEIR_STOP_NONE,
        /// All attempts were used.
        Attempts = WEIR_STOP_ATTEMPTS,
        /// The time for all of them was over, or the next delay would pass it.
        Elapsed = WEIR_STOP_ELAPSED,
        /// The budget had nothing left.
        Budget = WEIR_STOP_BUDGET,
        /// The next delay does not fit before the deadline.
        NoTime = WEIR_STOP_NO_TIME,
        /// An inner policy refused the attempt.
        Refused = WEIR_STOP_REFUSED,
        /// The failure was completed as final.
        Final = WEIR_STOP_FINAL,
        /// The class, or `should_retry`, said so.
        Classified = WEIR_STOP_CLASSIFIED,
        /// The next attempt could not be reserved.
        NoMemory = WEIR_STOP_NO_MEMORY,
    }
}

numbers! {
    /// Why a run or an attempt was told to stop.
    Cancel {
        /// It was not.
        None = WEIR_CANCEL_NONE,
        /// The caller dropped or cancelled it.
        Caller = WEIR_CANCEL_CALLER,
        /// The caller's or a scope's deadline passed.
        Deadline = WEIR_CANCEL_DEADLINE,
        /// A timeout passed.
        Timeout = WEIR_CANCEL_TIMEOUT,
        /// Another racer won, or a sibling stopped all.
        Lost = WEIR_CANCEL_LOST,
        /// A later call took its place.
        Superseded = WEIR_CANCEL_SUPERSEDED,
        /// The runtime closes.
        Shutdown = WEIR_CANCEL_SHUTDOWN,
    }
}

numbers! {
    /// Which kind of policy something is or came from.
    PolicyKind {
        /// None.
        None = WEIR_POLICY_NONE,
        /// A retry.
        Retry = WEIR_POLICY_RETRY,
        /// A circuit breaker.
        Breaker = WEIR_POLICY_BREAKER,
        /// A limiter.
        Limiter = WEIR_POLICY_LIMITER,
        /// A timeout.
        Timeout = WEIR_POLICY_TIMEOUT,
        /// A pipeline.
        Pipeline = WEIR_POLICY_PIPELINE,
        /// A retry budget.
        Budget = WEIR_POLICY_BUDGET,
        /// A hedge.
        Hedge = WEIR_POLICY_HEDGE,
        /// A fallback.
        Fallback = WEIR_POLICY_FALLBACK,
        /// Chaos.
        Chaos = WEIR_POLICY_CHAOS,
    }
}

numbers! {
    /// Why a policy refused.
    Reason {
        /// No reason.
        None = WEIR_REJECTION_NONE,
        /// Breaker: it is open.
        Open = WEIR_REJECTION_OPEN,
        /// Breaker: half-open, and no trial place is free.
        HalfOpen = WEIR_REJECTION_HALF_OPEN,
        /// Breaker: isolated, or forced open.
        ForcedOpen = WEIR_REJECTION_FORCED_OPEN,
        /// Breaker: outside the growing share after closing.
        RampUp = WEIR_REJECTION_RAMP_UP,
        /// Limiter: no permit in this interval.
        Rate = WEIR_REJECTION_RATE,
        /// Limiter: all permits are held.
        Concurrency = WEIR_REJECTION_CONCURRENCY,
        /// Limiter: no place to wait.
        QueueFull = WEIR_REJECTION_QUEUE_FULL,
        /// Limiter: waited too long.
        QueueTimeout = WEIR_REJECTION_QUEUE_TIMEOUT,
        /// Limiter: paused.
        Paused = WEIR_REJECTION_PAUSED,
        /// Limiter: more than it can ever give.
        Weight = WEIR_REJECTION_WEIGHT,
        /// Limiter: as many keys are live as may be.
        Keys = WEIR_REJECTION_KEYS,
        /// The wait does not fit the deadline.
        NoTime = WEIR_REJECTION_NO_TIME,
        /// Limiter: others wait.
        Waiters = WEIR_REJECTION_WAITERS,
        /// Budget: no retry is left.
        Budget = WEIR_REJECTION_BUDGET,
    }
}
