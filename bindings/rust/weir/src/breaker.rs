// SPDX-License-Identifier: MIT
//! Circuit breaker: stops calling what keeps failing.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::error::Invalid;
use crate::ffi::{
    changed, closure, closure_data, created, defaults, free_closure, guarded, handle, ms,
    ms_or_none, ns, stats, Text,
};
use crate::outcome::{ranges, Classify, Codes};
use crate::policy::policy;
use crate::rejection::Rejection;
use crate::status::{numbers, Class, Status};
use crate::Runtime;

numbers! {
    /// What a breaker does.
    State {
        /// Calls pass and are judged.
        Closed = WEIR_BREAKER_CLOSED,
        /// Calls are refused.
        Open = WEIR_BREAKER_OPEN,
        /// A few trials pass.
        HalfOpen = WEIR_BREAKER_HALF_OPEN,
        /// Forced open by hand.
        ForcedOpen = WEIR_BREAKER_FORCED_OPEN,
        /// Disabled: all pass, nothing is judged.
        ForcedClosed = WEIR_BREAKER_FORCED_CLOSED,
        /// All pass and are judged; it never opens.
        MetricsOnly = WEIR_BREAKER_METRICS_ONLY,
    }
}

numbers! {
    /// What a closed breaker judges by.
    Mode {
        /// Failures in a row.
        Consecutive = WEIR_BREAKER_CONSECUTIVE,
        /// The share of failures among the last calls.
        CountWindow = WEIR_BREAKER_COUNT_WINDOW,
        /// The share of failures in the last time.
        TimeWindow = WEIR_BREAKER_TIME_WINDOW,
    }
}

numbers! {
    /// Why a state changed.
    Because {
        /// Failures in a row, or their share.
        Failures = WEIR_BREAKER_BY_FAILURES,
        /// The share of slow calls.
        SlowCalls = WEIR_BREAKER_BY_SLOW_CALLS,
        /// The reset timeout is over.
        Time = WEIR_BREAKER_BY_TIME,
        /// Trials succeeded, failed or hung.
        Trials = WEIR_BREAKER_BY_TRIALS,
        /// Somebody asked for it.
        Hand = WEIR_BREAKER_BY_HAND,
    }
}

/// A change of a breaker's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why.
    pub because: Because,
    /// 1, 2, 3 and so on; gaps are changes missed under load.
    pub sequence: u64,
    /// Calls judged.
    pub calls: u64,
    /// Of these failed.
    pub failures: u64,
    /// Of these slow.
    pub slow_calls: u64,
}

type OnChangeFn = dyn Fn(Change) + Send + Sync;

/// Told of each change, on weir's thread, in order.
#[derive(Clone)]
pub struct OnChange(Arc<OnChangeFn>);

impl OnChange {
    /// From any function.
    pub fn new(tell: impl Fn(Change) + Send + Sync + 'static) -> Self {
        OnChange(Arc::new(tell))
    }
}

impl fmt::Debug for OnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnChange(..)")
    }
}

/// What a breaker is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Default consecutive.
    pub mode: Mode,
    /// Consecutive: failures in a row that open; 1 to a million, default 5.
    pub failure_threshold: u32,
    /// Count window: the last this many calls; 1 to 2^20, default 100.
    pub window_size: u32,
    /// Time window: the last this much, in 10 slices; 10 ms to a day, default 60 s.
    pub window: Duration,
    /// Windows: opens at this share or more; above 0 to 1, default 0.5.
    pub failure_rate: f64,
    /// Windows: judged only from this many calls on; at least 1, default 10.
    pub min_calls: u32,
    /// Verdicts that a half-open period judges; 1 to 32, default 3.
    pub half_open_max_calls: u32,
    /// Successes that close; at least 1, default 2.
    pub half_open_success_threshold: u32,
    /// Failed trials that reopen; at least 1, default 1.
    pub half_open_failures: u32,
    /// A call that took longer is slow. Default none.
    pub slow_call: Option<Duration>,
    /// Opens at this share of slow calls or more; above 0 to 1, default 1.
    pub slow_call_rate: f64,
    /// How long it stays open. Default 60 s.
    pub reset_timeout: Duration,
    /// Each reopening multiplies the next open period; 1 to 1000, default 1.
    pub reset_multiplier: f64,
    /// At most. Default 10 min.
    pub max_reset_timeout: Duration,
    /// The lease of a trial. None: for ever. Default 60 s.
    pub trial_timeout: Option<Duration>,
    /// After closing the admitted share grows from a tenth to all over this time. Default none.
    pub ramp_up: Option<Duration>,
    /// Judges outcomes of runs; who acquires and reports judges by himself. Default none.
    pub classify: Option<Classify>,
    /// If not empty: only these user errors are failures.
    pub failures: Vec<Codes>,
    /// Default none.
    pub on_change: Option<OnChange>,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Options {
            mode: Mode::Consecutive,
            failure_threshold: 5,
            window_size: 100,
            window: minute,
            failure_rate: 0.5,
            min_calls: 10,
            half_open_max_calls: 3,
            half_open_success_threshold: 2,
            half_open_failures: 1,
            slow_call: None,
            slow_call_rate: 1.0,
            reset_timeout: minute,
            reset_multiplier: 1.0,
            max_reset_timeout: minute * 10,
            trial_timeout: Some(minute),
            ramp_up: None,
            classify: None,
            failures: Vec::new(),
            on_change: None,
            name: String::new(),
        }
    }
}

impl Options {
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_breaker_options) -> R) -> R {
        let mut raw = defaults!(weir_breaker_options, weir_breaker_options_init);
        let name = Text::optional(&self.name);
        let failures = ranges(&self.failures);
        raw.name = name.as_ptr();
        raw.mode = self.mode.raw();
        raw.failure_threshold = self.failure_threshold;
        raw.window_size = self.window_size;
        raw.window_ms = ms(self.window);
        raw.failure_rate = self.failure_rate;
        raw.min_calls = self.min_calls;
        raw.half_open_max_calls = self.half_open_max_calls;
        raw.half_open_success_threshold = self.half_open_success_threshold;
        raw.half_open_failures = self.half_open_failures;
        raw.slow_call_ms = ms_or_none(self.slow_call);
        raw.slow_call_rate = self.slow_call_rate;
        raw.reset_timeout_ms = ms(self.reset_timeout);
        raw.reset_multiplier = self.reset_multiplier;
        raw.max_reset_timeout_ms = ms(self.max_reset_timeout);
        raw.trial_timeout_ms = ms_or_none(self.trial_timeout);
        raw.ramp_up_ms = ms_or_none(self.ramp_up);
        (raw.classify, raw.classify_data, raw.classify_free_data) =
            Classify::callback(&self.classify);
        if !failures.is_empty() {
            raw.failures = failures.as_ptr();
            raw.failures_count = failures.len() as u64;
        }
        if let Some(on_change) = &self.on_change {
            raw.on_state_change = Some(tell);
            raw.change_data = closure_data(&on_change.0);
            raw.change_free_data = Some(free_closure::<OnChangeFn>);
        }
        use_it(&raw)
    }
}

unsafe extern "C" fn tell(
    data: *mut c_void,
    _: *mut sys::weir_breaker,
    change: *const sys::weir_breaker_change,
) {
    // SAFETY: the closure's data; the change is lent for the call.
    guarded((), || unsafe {
        let change = &*change;
        closure::<OnChangeFn>(data)(Change {
            from: State::from_raw(change.from),
            to: State::from_raw(change.to),
            because: Because::from_raw(change.reason),
            sequence: change.sequence,
            calls: change.calls,
            failures: change.failures,
            slow_calls: change.slow_calls,
        })
    });
}

handle! {
    /// A circuit breaker.
    ///
    /// Runs are judged by themselves; who makes his calls himself asks and reports:
    ///
    /// ```
    /// use weir::{breaker, testing, Breaker};
    ///
    /// let runtime = testing::Runtime::new(1);
    /// let breaker = Breaker::new(&runtime, breaker::Options::default())?;
    /// match breaker.try_acquire() {
    ///     Ok(permit) => permit.success(), // or failure(); dropped, it counts as neither
    ///     Err(rejection) => eprintln!("{rejection}"),
    /// }
    /// # Ok::<(), weir::Invalid>(())
    /// ```
    Breaker, weir_breaker, weir_breaker_ref, weir_breaker_unref
}

policy!(Breaker, weir_breaker_policy, weir_policy_breaker, weir_breaker_ref);

impl Breaker {
    /// Makes a breaker, closed.
    pub fn new(runtime: &Runtime, options: Options) -> Result<Breaker, Invalid> {
        let raw = options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe {
                sys::weir_breaker_new(runtime.as_raw(), raw, out, error)
            })
        })?;
        Ok(Breaker { raw, runtime: runtime.clone() })
    }

    /// Asks to make a call: a permit to report on, or why not and when.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Rejection> {
        let mut permit = 0;
        let mut rejection = Rejection::room();
        // SAFETY: the handle is held; a refusal is written.
        unsafe {
            let status =
                sys::weir_breaker_acquire(self.as_raw(), &mut permit, rejection.as_mut_ptr());
            if status == sys::WEIR_OK {
                Ok(Permit { breaker: self, permit })
            } else {
                Err(Rejection::read(status, &rejection))
            }
        }
    }

    /// As `try_acquire`, at a time of [`Runtime::now`].
    pub fn try_acquire_at(&self, now: Duration) -> Result<Permit<'_>, Rejection> {
        let mut permit = 0;
        let mut rejection = Rejection::room();
        let now = ns(now);
        // SAFETY: the handle is held; a refusal is written.
        unsafe {
            let room = rejection.as_mut_ptr();
            let status = sys::weir_breaker_acquire_at(self.as_raw(), &mut permit, room, now);
            if status == sys::WEIR_OK {
                Ok(Permit { breaker: self, permit })
            } else {
                Err(Rejection::read(status, &rejection))
            }
        }
    }

    /// Its state, now: one whose open time is over is half-open, traffic or not.
    pub fn state(&self) -> State {
        // SAFETY: the handle is held.
        State::from_raw(unsafe { sys::weir_breaker_state(self.as_raw()) })
    }

    /// As `state`, at a time of [`Runtime::now`].
    pub fn state_at(&self, now: Duration) -> State {
        // SAFETY: the handle is held.
        State::from_raw(unsafe { sys::weir_breaker_state_at(self.as_raw(), ns(now)) })
    }

    /// Forces it open until as many releases came.
    pub fn isolate(&self) -> Result<(), Invalid> {
        // SAFETY: the handle is held.
        Invalid::check(unsafe { sys::weir_breaker_isolate(self.as_raw()) })
    }

    /// Undoes one isolate.
    pub fn release(&self) -> Result<(), Invalid> {
        // SAFETY: the handle is held.
        Invalid::check(unsafe { sys::weir_breaker_release(self.as_raw()) })
    }

    /// Puts it into a forced state; [`State::Closed`] has it judge by itself again.
    pub fn force(&self, state: State) -> Result<(), Invalid> {
        // SAFETY: the handle is held.
        Invalid::check(unsafe { sys::weir_breaker_force(self.as_raw(), state.raw()) })
    }

    /// Closed, counts as new; permits that are out become stale.
    pub fn reset(&self) -> Result<(), Invalid> {
        // SAFETY: the handle is held.
        Invalid::check(unsafe { sys::weir_breaker_reset(self.as_raw()) })
    }

    /// Changes the numbers live; classify, failures, on_change and name have to be empty here.
    pub fn set_options(&self, options: Options) -> Result<(), Invalid> {
        options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            changed(|error| unsafe { sys::weir_breaker_set_options(self.as_raw(), raw, error) })
        })
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_breaker_stats {
        stats!(weir_breaker_stats, weir_breaker_get_stats, self.as_raw())
    }

    /// Its state as bytes, for another process: see [`Breaker::restore`].
    pub fn snapshot(&self) -> Result<Vec<u8>, Invalid> {
        let mut bytes = vec![0; sys::WEIR_BREAKER_SNAPSHOT_SIZE as usize];
        let mut size = bytes.len();
        // SAFETY: there is room for as many bytes as is said.
        Invalid::check(unsafe {
            sys::weir_breaker_snapshot(self.as_raw(), bytes.as_mut_ptr().cast(), &mut size)
        })?;
        bytes.truncate(size);
        Ok(bytes)
    }

    /// Takes a snapshot's state over, `elapsed` after it was taken.
    pub fn restore(&self, snapshot: &[u8], elapsed: Duration) -> Result<(), Invalid> {
        // SAFETY: the bytes live during the call.
        Invalid::check(unsafe {
            sys::weir_breaker_restore(
                self.as_raw(),
                snapshot.as_ptr().cast(),
                snapshot.len(),
                ms(elapsed),
            )
        })
    }
}

/// The right to make one call. Report how it ended; dropped without that, it counts as neither success
/// nor failure, and its place is free.
#[must_use = "a permit that is dropped counts as ignored"]
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    permit: sys::weir_permit,
}

impl Permit<'_> {
    /// It worked.
    #[inline]
    pub fn success(self) {
        self.end(sys::WEIR_CLASS_SUCCESS, 0);
    }

    /// It failed.
    #[inline]
    pub fn failure(self) {
        self.end(sys::WEIR_CLASS_FAILURE, 0);
    }

    /// It ended so after so long. Err: the verdict did not count, because the permit was of an earlier
    /// life of the breaker ([`Status::STALE`]) or its lease had run out ([`Status::EXPIRED`]).
    pub fn report(self, class: Class, elapsed: Duration) -> Result<(), Status> {
        crate::ffi::answered(self.end(class.raw(), ns(elapsed)))
    }

    /// As `report`, at a time of [`Runtime::now`].
    pub fn report_at(self, class: Class, elapsed: Duration, now: Duration) -> Result<(), Status> {
        let permit = self.into_raw();
        // SAFETY: the breaker is held.
        crate::ffi::answered(unsafe {
            let (breaker, permit) = permit;
            sys::weir_breaker_report_at(breaker, permit, class.raw(), ns(elapsed), ns(now))
        })
    }

    #[inline]
    fn end(self, class: u32, elapsed_ns: i64) -> i32 {
        let (breaker, permit) = self.into_raw();
        // SAFETY: the breaker is held.
        unsafe { sys::weir_breaker_report(breaker, permit, class, elapsed_ns) }
    }

    #[inline]
    fn into_raw(self) -> (*mut sys::weir_breaker, sys::weir_permit) {
        let raw = (self.breaker.as_raw(), self.permit);
        std::mem::forget(self);
        raw
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // SAFETY: the breaker is held.
        unsafe {
            sys::weir_breaker_report(
                self.breaker.as_raw(),
                self.permit,
                sys::WEIR_CLASS_ABANDON,
                0,
            );
        }
    }
}
