// SPDX-License-Identifier: MIT
//! Retry: tries again what failed, with backoff, jitter and a budget.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::budget::Budget;
use crate::error::Invalid;
use crate::ffi::{
    changed, closure, closure_data, created, defaults, free_closure, guarded, handle, ms,
    ms_or_none, stats, Text,
};
use crate::outcome::{ranges, Classify, Codes, Outcome};
use crate::policy::policy;
use crate::status::{numbers, Class, Status, Stop};
use crate::Runtime;

numbers! {
    /// How the delay grows, with n counting the retries from 0.
    Backoff {
        /// The base.
        Constant = WEIR_BACKOFF_CONSTANT,
        /// Base × (n + 1).
        Linear = WEIR_BACKOFF_LINEAR,
        /// Base × multiplierⁿ.
        Exponential = WEIR_BACKOFF_EXPONENTIAL,
        /// Random between the base and three times the one before.
        Decorrelated = WEIR_BACKOFF_DECORRELATED,
        /// Polly's smoother form of it.
        DecorrelatedV2 = WEIR_BACKOFF_DECORRELATED_V2,
    }
}

numbers! {
    /// How delays are spread, with U uniform in [0, 1).
    Jitter {
        /// Not at all.
        None = WEIR_JITTER_NONE,
        /// U × delay.
        Full = WEIR_JITTER_FULL,
        /// Half of the delay, and U × the other half.
        Equal = WEIR_JITTER_EQUAL,
        /// Delay × (1 + factor × U).
        Proportional = WEIR_JITTER_PROPORTIONAL,
        /// Delay × (1 + factor × (2U − 1)).
        Symmetric = WEIR_JITTER_SYMMETRIC,
    }
}

type ShouldRetryFn = dyn Fn(Outcome<'_>, u32) -> bool + Send + Sync;
type OnRetryFn = dyn Fn(u32, Duration, Outcome<'_>) + Send + Sync;

/// Asked for each failure that is not final whether to try again. A decider: called on weir's thread,
/// must answer at once.
#[derive(Clone)]
pub struct ShouldRetry(Arc<ShouldRetryFn>);

impl ShouldRetry {
    /// From any function of the outcome and the attempt's number (from 1).
    pub fn new(decide: impl Fn(Outcome<'_>, u32) -> bool + Send + Sync + 'static) -> Self {
        ShouldRetry(Arc::new(decide))
    }

    /// By the user's own error; what is none of these is tried again.
    pub fn error<E: Send + 'static>(decide: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        ShouldRetry::new(move |outcome, _| outcome.error(|error: &E| decide(error)).unwrap_or(true))
    }
}

impl fmt::Debug for ShouldRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShouldRetry(..)")
    }
}

/// Told before each wait: the attempt's number, the delay, and how it ended. On weir's thread.
#[derive(Clone)]
pub struct OnRetry(Arc<OnRetryFn>);

impl OnRetry {
    /// From any function.
    pub fn new(tell: impl Fn(u32, Duration, Outcome<'_>) + Send + Sync + 'static) -> Self {
        OnRetry(Arc::new(tell))
    }
}

impl fmt::Debug for OnRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRetry(..)")
    }
}

/// What a retry is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Total tries, the first included; at least 1. None: no bound. Default 3.
    pub max_attempts: Option<u64>,
    /// Default exponential.
    pub backoff: Backoff,
    /// Default 1 s.
    pub base_delay: Duration,
    /// Always holds. Default 30 s.
    pub max_delay: Duration,
    /// Of computed delays; at most `max_delay`. Default 0.
    pub min_delay: Duration,
    /// 1 to 1000; default 2.
    pub multiplier: f64,
    /// Default proportional.
    pub jitter: Jitter,
    /// 0 to 1; default 0.3.
    pub jitter_factor: f64,
    /// Whether a refusal that says when to come again is waited for, if that fits the deadline. Default
    /// false: it returns at once.
    pub retry_refusals: bool,
    /// From the first try: no try starts after it, and no delay passes it. Default none.
    pub max_elapsed: Option<Duration>,
    /// For each try. Default none.
    pub attempt_timeout: Option<Duration>,
    /// Bounds retries to a share of the traffic. Default none.
    pub budget: Option<Budget>,
    /// Judges outcomes. Default none.
    pub classify: Option<Classify>,
    /// If not empty: only these user errors are failures, unless `classify` says otherwise.
    pub failures: Vec<Codes>,
    /// Default none: every failure is tried again.
    pub should_retry: Option<ShouldRetry>,
    /// Default none.
    pub on_retry: Option<OnRetry>,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_attempts: Some(3),
            backoff: Backoff::Exponential,
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(30),
            min_delay: Duration::ZERO,
            multiplier: 2.0,
            jitter: Jitter::Proportional,
            jitter_factor: 0.3,
            retry_refusals: false,
            max_elapsed: None,
            attempt_timeout: None,
            budget: None,
            classify: None,
            failures: Vec::new(),
            should_retry: None,
            on_retry: None,
            name: String::new(),
        }
    }
}

impl Options {
    /// Calls `use_it` with the C struct, whose callbacks it has to hand to weir.
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_retry_options) -> R) -> R {
        let mut raw = defaults!(weir_retry_options, weir_retry_options_init);
        let name = Text::optional(&self.name);
        let failures = ranges(&self.failures);
        raw.name = name.as_ptr();
        raw.backoff = self.backoff.raw();
        raw.max_attempts = crate::ffi::count(self.max_attempts);
        raw.base_delay_ms = ms(self.base_delay);
        raw.max_delay_ms = ms(self.max_delay);
        raw.min_delay_ms = ms(self.min_delay);
        raw.multiplier = self.multiplier;
        raw.jitter = self.jitter.raw();
        raw.jitter_factor = self.jitter_factor;
        raw.retry_refusals = u32::from(self.retry_refusals);
        raw.max_elapsed_ms = ms_or_none(self.max_elapsed);
        raw.attempt_timeout_ms = ms_or_none(self.attempt_timeout);
        raw.budget = self.budget.as_ref().map_or(std::ptr::null_mut(), Budget::as_raw);
        (raw.classify, raw.classify_data, raw.classify_free_data) =
            Classify::callback(&self.classify);
        raw.failures = failures.as_ptr();
        raw.failures_count = failures.len() as u64;
        if failures.is_empty() {
            raw.failures = std::ptr::null();
        }
        if let Some(should_retry) = &self.should_retry {
            raw.should_retry = Some(ask);
            raw.should_retry_data = closure_data(&should_retry.0);
            raw.should_retry_free_data = Some(free_closure::<ShouldRetryFn>);
        }
        if let Some(on_retry) = &self.on_retry {
            raw.on_retry = Some(tell);
            raw.on_retry_data = closure_data(&on_retry.0);
            raw.on_retry_free_data = Some(free_closure::<OnRetryFn>);
        }
        use_it(&raw)
    }
}

unsafe extern "C" fn ask(
    data: *mut c_void,
    outcome: *const sys::weir_outcome,
    attempt: u32,
) -> i32 {
    // SAFETY: the closure's data; the outcome is lent for the call.
    i32::from(guarded(false, || unsafe {
        closure::<ShouldRetryFn>(data)(Outcome::new(&*outcome), attempt)
    }))
}

unsafe extern "C" fn tell(
    data: *mut c_void,
    attempt: u32,
    delay_ns: i64,
    outcome: *const sys::weir_outcome,
) {
    let delay = Duration::from_nanos(delay_ns.max(0) as u64);
    // SAFETY: the closure's data; the outcome is lent for the call.
    guarded((), || unsafe { closure::<OnRetryFn>(data)(attempt, delay, Outcome::new(&*outcome)) });
}

handle! {
    /// Tries again what failed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use weir::{retry, testing, Retry};
    ///
    /// let runtime = testing::Runtime::new(1);
    /// let retry = Retry::new(&runtime, retry::Options {
    ///     max_attempts: Some(5),
    ///     base_delay: Duration::from_millis(100),
    ///     ..Default::default()
    /// })?;
    /// let result = runtime.block_on(retry.run(|attempt| async move {
    ///     if attempt.number() < 3 { Err("not yet") } else { Ok("done") }
    /// }));
    /// assert_eq!(result.unwrap(), "done");
    /// # Ok::<(), weir::Invalid>(())
    /// ```
    Retry, weir_retry, weir_retry_ref, weir_retry_unref
}

policy!(Retry, weir_retry_policy, weir_policy_retry, weir_retry_ref);

impl Retry {
    /// Makes a retry.
    pub fn new(runtime: &Runtime, options: Options) -> Result<Retry, Invalid> {
        let raw = options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe { sys::weir_retry_new(runtime.as_raw(), raw, out, error) })
        })?;
        Ok(Retry { raw, runtime: runtime.clone() })
    }

    /// Changes all options live but the name, which has to be empty here. Runs that have begun go on by
    /// the old ones.
    pub fn set_options(&self, options: Options) -> Result<(), Invalid> {
        options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            changed(|error| unsafe { sys::weir_retry_set_options(self.as_raw(), raw, error) })
        })
    }

    /// Begins a logical call whose trying and sleeping the caller does: see [`Tries::next`].
    pub fn begin(&self) -> Tries<'_> {
        let mut state = sys::weir_retry_state::default();
        // SAFETY: the handle is held; the state is written.
        unsafe { sys::weir_retry_begin(self.as_raw(), &mut state) };
        Tries { retry: self, state }
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_retry_stats {
        stats!(weir_retry_stats, weir_retry_get_stats, self.as_raw())
    }
}

/// One logical call's progress, for those who try and sleep by themselves.
#[derive(Debug)]
pub struct Tries<'a> {
    retry: &'a Retry,
    state: sys::weir_retry_state,
}

impl Tries<'_> {
    /// A try ended as `class`, and the peer asked for a delay or did not. Ok: try again after that long.
    /// Err: do not, and why ([`Stop::None`] after a success).
    pub fn next(&mut self, class: Class, asked: Option<Duration>) -> Result<Duration, Stop> {
        let mut delay_ns = 0;
        let mut stop = 0;
        // SAFETY: the handle is held, the state was begun.
        let status = unsafe {
            sys::weir_retry_next(
                self.retry.as_raw(),
                &mut self.state,
                class.raw(),
                asked.map_or(-1, ms),
                &mut delay_ns,
                &mut stop,
            )
        };
        match Status(status) {
            Status::OK => Ok(Duration::from_nanos(delay_ns.max(0) as u64)),
            _ => Err(Stop::from_raw(stop)),
        }
    }
}
