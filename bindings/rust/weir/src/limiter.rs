// SPDX-License-Identifier: MIT
//! Limiters: bound how often, how many at once, or both; per key if they are keyed.

use std::time::Duration;

use weir_sys as sys;

use crate::error::Invalid;
use crate::ffi::{changed, count, created, defaults, handle, ms, ms_or_none, ns, stats, Text};
use crate::outcome::{ranges, Classify, Codes};
use crate::policy::policy;
use crate::rejection::Rejection;
use crate::status::{numbers, Class, Status};
use crate::Runtime;

numbers! {
    /// How a rate is counted.
    Algorithm {
        /// At most burst + rate × time in any time.
        TokenBucket = WEIR_LIMITER_TOKEN_BUCKET,
        /// At most so many in each window.
        FixedWindow = WEIR_LIMITER_FIXED_WINDOW,
        /// At most so many in any interval whatsoever.
        SlidingWindow = WEIR_LIMITER_SLIDING_WINDOW,
    }
}

numbers! {
    /// Who goes first among those who wait.
    Order {
        /// Who came first.
        Fifo = WEIR_LIMITER_FIFO,
        /// By the run's priority, then who came first.
        Priority = WEIR_LIMITER_PRIORITY,
    }
}

numbers! {
    /// What happens when one key more comes than may be tracked.
    Overflow {
        /// It is refused.
        Deny = WEIR_LIMITER_DENY,
        /// It displaces the key that is closest to idle.
        Evict = WEIR_LIMITER_EVICT,
    }
}

numbers! {
    /// How a concurrency limit adapts.
    Adaptive {
        /// Not at all.
        Off = WEIR_ADAPTIVE_OFF,
        /// Shrinks by a factor on overload, else grows by one.
        Aimd = WEIR_ADAPTIVE_AIMD,
        /// Follows the ratio of long-term to recent latency.
        Gradient = WEIR_ADAPTIVE_GRADIENT,
    }
}

/// So many permits in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// 1 to 2^31 − 1.
    pub permits: u32,
    /// 1 ms to 100 years.
    pub per: Duration,
    /// The token bucket's depth; None: as permits.
    pub burst: Option<u32>,
}

impl Rate {
    /// `permits` in `per`, with a burst of as many.
    pub fn new(permits: u32, per: Duration) -> Rate {
        Rate { permits, per, burst: None }
    }

    fn burst(&self) -> i64 {
        self.burst.map_or(i64::from(sys::WEIR_OFF), i64::from)
    }
}

/// What a limiter is made with. Without a rate and a concurrency it limits nothing.
#[derive(Clone, Debug)]
pub struct Options {
    /// Default none.
    pub rate: Option<Rate>,
    /// Default token bucket.
    pub algorithm: Algorithm,
    /// How many hold a permit at once; with adaptive: where the limit begins (None: 20). Default none.
    pub max_concurrent: Option<u64>,
    /// Runs that wait. None: no bound. Default 1024.
    pub max_queue: Option<u64>,
    /// How long a run waits at most. Default none.
    pub queue_timeout: Option<Duration>,
    /// Default first come, first served.
    pub queue_order: Order,
    /// Keyed: at most this many keys are tracked, 1 to 2^30. Default None: not keyed.
    pub max_keys: Option<u32>,
    /// Default deny.
    pub key_overflow: Overflow,
    /// Default off; not for keyed ones.
    pub adaptive: Adaptive,
    /// Whether the permit of a run that was told to stop returns at once. Default false: when its attempt
    /// really ended.
    pub early_release: bool,
    /// Default 1.
    pub adaptive_min: u32,
    /// Default 1000.
    pub adaptive_max: u32,
    /// Aimd: a call that took longer counts as overload. Default none.
    pub adaptive_latency: Option<Duration>,
    /// Aimd: what the limit is multiplied with on overload; above 0, below 1; default 0.9.
    pub adaptive_backoff: f64,
    /// Gradient: how much slower than long-term is still fine; 1 to 10, default 1.5.
    pub adaptive_tolerance: f64,
    /// What adaptive counts as a failure. Default none.
    pub classify: Option<Classify>,
    /// If not empty: only these user errors are failures.
    pub failures: Vec<Codes>,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            rate: None,
            algorithm: Algorithm::TokenBucket,
            max_concurrent: None,
            max_queue: Some(1024),
            queue_timeout: None,
            queue_order: Order::Fifo,
            max_keys: None,
            key_overflow: Overflow::Deny,
            adaptive: Adaptive::Off,
            early_release: false,
            adaptive_min: 1,
            adaptive_max: 1000,
            adaptive_latency: None,
            adaptive_backoff: 0.9,
            adaptive_tolerance: 1.5,
            classify: None,
            failures: Vec::new(),
            name: String::new(),
        }
    }
}

impl Options {
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_limiter_options) -> R) -> R {
        let mut raw = defaults!(weir_limiter_options, weir_limiter_options_init);
        let name = Text::optional(&self.name);
        let failures = ranges(&self.failures);
        raw.name = name.as_ptr();
        raw.algorithm = self.algorithm.raw();
        if let Some(rate) = self.rate {
            raw.permits = i64::from(rate.permits);
            raw.interval_ms = ms(rate.per);
            raw.burst = rate.burst();
        }
        raw.max_concurrent = count(self.max_concurrent);
        raw.max_queue = count(self.max_queue);
        raw.queue_timeout_ms = ms_or_none(self.queue_timeout);
        raw.queue_order = self.queue_order.raw();
        raw.key_overflow = self.key_overflow.raw();
        raw.max_keys = self.max_keys.map_or(0, i64::from);
        raw.adaptive = self.adaptive.raw();
        raw.early_release = u32::from(self.early_release);
        raw.adaptive_min = i64::from(self.adaptive_min);
        raw.adaptive_max = i64::from(self.adaptive_max);
        raw.adaptive_latency_ms = ms_or_none(self.adaptive_latency);
        raw.adaptive_backoff = self.adaptive_backoff;
        raw.adaptive_tolerance = self.adaptive_tolerance;
        (raw.classify, raw.classify_data, raw.classify_free_data) =
            Classify::callback(&self.classify);
        if !failures.is_empty() {
            raw.failures = failures.as_ptr();
            raw.failures_count = failures.len() as u64;
        }
        use_it(&raw)
    }
}

handle! {
    /// A limiter of rate, concurrency or both. Runs over the limit wait in a bounded queue or are refused;
    /// who acquires by himself is refused at once.
    Limiter, weir_limiter, weir_limiter_ref, weir_limiter_unref
}

policy!(Limiter, weir_limiter_policy, weir_policy_limiter, weir_limiter_ref);

impl Limiter {
    /// Makes a limiter.
    pub fn new(runtime: &Runtime, options: Options) -> Result<Limiter, Invalid> {
        let raw = options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe {
                sys::weir_limiter_new(runtime.as_raw(), raw, out, error)
            })
        })?;
        Ok(Limiter { raw, runtime: runtime.clone() })
    }

    /// A bulkhead: at most `max_concurrent` at once, `queue_limit` (None: any number) wait, the rest is
    /// refused.
    pub fn bulkhead(
        runtime: &Runtime,
        max_concurrent: u32,
        queue_limit: Option<u64>,
        name: &str,
    ) -> Result<Limiter, Invalid> {
        let name = Text::optional(name);
        let raw = created(|out, error| {
            // SAFETY: the runtime is held, the text lives during the call.
            unsafe {
                sys::weir_bulkhead_new(
                    runtime.as_raw(),
                    i64::from(max_concurrent),
                    count(queue_limit),
                    name.as_ptr(),
                    out,
                    error,
                )
            }
        })?;
        Ok(Limiter { raw, runtime: runtime.clone() })
    }

    /// One rate more; all are granted, or none. At most 8 in all.
    pub fn add_limit(&self, algorithm: Algorithm, rate: Rate) -> Result<(), Invalid> {
        // SAFETY: the handle is held.
        changed(|error| unsafe {
            sys::weir_limiter_add_limit(
                self.as_raw(),
                algorithm.raw(),
                i64::from(rate.permits),
                ms(rate.per),
                rate.burst(),
                error,
            )
        })
    }

    /// Takes `permits` (at least 1), or nothing.
    pub fn try_acquire(&self, permits: u32) -> Result<Permit<'_>, Rejection> {
        self.acquire(|limiter, permit, rejection| {
            // SAFETY: the handle is held.
            unsafe { sys::weir_limiter_try_acquire(limiter, permits, permit, rejection) }
        })
    }

    /// As `try_acquire`, at a time of [`Runtime::now`].
    pub fn try_acquire_at(&self, permits: u32, now: Duration) -> Result<Permit<'_>, Rejection> {
        self.acquire(|limiter, permit, rejection| {
            // SAFETY: the handle is held.
            unsafe {
                sys::weir_limiter_try_acquire_at(limiter, permits, permit, rejection, ns(now))
            }
        })
    }

    /// As `try_acquire`, for one key of a keyed limiter.
    pub fn try_acquire_key<'a>(
        &'a self,
        key: &'a [u8],
        permits: u32,
    ) -> Result<Permit<'a>, Rejection> {
        self.acquire_key(key, |limiter, permit, rejection| {
            let (bytes, size) = (key.as_ptr().cast(), key.len());
            // SAFETY: the handle is held, the key lives during the call.
            unsafe {
                sys::weir_limiter_try_acquire_key(limiter, bytes, size, permits, permit, rejection)
            }
        })
    }

    /// As `try_acquire_key`, at a time of [`Runtime::now`].
    pub fn try_acquire_key_at<'a>(
        &'a self,
        key: &'a [u8],
        permits: u32,
        now: Duration,
    ) -> Result<Permit<'a>, Rejection> {
        self.acquire_key(key, |limiter, permit, rejection| {
            let (bytes, size, now) = (key.as_ptr().cast(), key.len(), ns(now));
            // SAFETY: the handle is held, the key lives during the call.
            unsafe {
                sys::weir_limiter_try_acquire_key_at(
                    limiter, bytes, size, permits, permit, rejection, now,
                )
            }
        })
    }

    fn acquire_key<'a>(
        &'a self,
        key: &'a [u8],
        ask: impl FnOnce(*mut sys::weir_limiter, &mut sys::weir_permit, *mut sys::weir_rejection) -> i32,
    ) -> Result<Permit<'a>, Rejection> {
        let permit = self.acquire(ask)?;
        let raw = permit.permit;
        std::mem::forget(permit);
        Ok(Permit { limiter: self, permit: raw, key: Some(key) })
    }

    #[inline]
    fn acquire(
        &self,
        ask: impl FnOnce(*mut sys::weir_limiter, &mut sys::weir_permit, *mut sys::weir_rejection) -> i32,
    ) -> Result<Permit<'_>, Rejection> {
        let mut permit = 0;
        let mut rejection = Rejection::room();
        let status = ask(self.as_raw(), &mut permit, rejection.as_mut_ptr());
        if status == sys::WEIR_OK {
            return Ok(Permit { limiter: self, permit, key: None });
        }
        // SAFETY: a refusal was written.
        Err(unsafe { Rejection::read(status, &rejection) })
    }

    /// Takes up to `most` single permits at once and says how many; for limiters of rates alone.
    pub fn acquire_many(&self, most: usize) -> Result<usize, Rejection> {
        let mut granted = 0;
        let mut rejection = Rejection::room();
        // SAFETY: the handle is held; a refusal is written.
        unsafe {
            let room = rejection.as_mut_ptr();
            let status = sys::weir_limiter_acquire_n(self.as_raw(), most, &mut granted, room);
            if status == sys::WEIR_OK {
                Ok(granted)
            } else {
                Err(Rejection::read(status, &rejection))
            }
        }
    }

    /// Takes `permits` in advance, and says how long to wait before going ahead. Only for one token bucket.
    pub fn reserve(&self, permits: u32) -> Result<Reservation<'_>, Status> {
        let mut wait_ns = 0;
        let mut permit = 0;
        // SAFETY: the handle is held.
        crate::ffi::answered(unsafe {
            sys::weir_limiter_reserve(self.as_raw(), permits, &mut wait_ns, &mut permit)
        })?;
        let wait = Duration::from_nanos(wait_ns.max(0) as u64);
        Ok(Reservation { limiter: self, permits, permit, wait })
    }

    /// Gives permits of the rate back, for work that was not done.
    pub fn refund(&self, permits: u32) -> Result<(), Invalid> {
        // SAFETY: the handle is held.
        Invalid::check(unsafe { sys::weir_limiter_refund(self.as_raw(), permits) })
    }

    /// Permits that could be had now; None if nothing limits.
    pub fn available(&self) -> Option<u64> {
        // SAFETY: the handle is held.
        let available = unsafe { sys::weir_limiter_available(self.as_raw()) };
        (available != i64::MAX).then_some(available.max(0) as u64)
    }

    /// As `available`, at a time of [`Runtime::now`].
    pub fn available_at(&self, now: Duration) -> Option<u64> {
        // SAFETY: the handle is held.
        let available = unsafe { sys::weir_limiter_available_at(self.as_raw(), ns(now)) };
        (available != i64::MAX).then_some(available.max(0) as u64)
    }

    /// Takes all that each rate has now, such as after a 429; says how many that were.
    pub fn drain(&self) -> Result<u64, Invalid> {
        let mut drained = 0;
        // SAFETY: the handle is held.
        Invalid::check(unsafe { sys::weir_limiter_drain(self.as_raw(), &mut drained) })?;
        Ok(drained.max(0) as u64)
    }

    /// Nothing passes until resume.
    pub fn pause(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_limiter_pause(self.as_raw()) };
    }

    /// Undoes pause.
    pub fn resume(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_limiter_resume(self.as_raw()) };
    }

    /// Changes the numbers live; see `weir_limiter_set_options` for what cannot change.
    pub fn set_options(&self, options: Options) -> Result<(), Invalid> {
        options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            changed(|error| unsafe { sys::weir_limiter_set_options(self.as_raw(), raw, error) })
        })
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_limiter_stats {
        stats!(weir_limiter_stats, weir_limiter_get_stats, self.as_raw())
    }
}

/// The right to go ahead; dropping it gives the concurrency back (the rate stays used).
#[must_use = "a permit that is dropped is given back"]
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    permit: sys::weir_permit,
    key: Option<&'a [u8]>,
}

impl Permit<'_> {
    /// Gives it back, and tells an adaptive limiter how the call ended and how long it took.
    pub fn report(self, class: Class, elapsed: Duration) {
        if self.key.is_none() {
            // SAFETY: the limiter is held; the permit is given back once.
            unsafe {
                sys::weir_limiter_release_with(
                    self.limiter.as_raw(),
                    self.permit,
                    class.raw(),
                    ns(elapsed),
                )
            };
            std::mem::forget(self);
        }
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.permit == 0 {
            return;
        }
        // SAFETY: the limiter is held; the permit is given back once.
        unsafe {
            match self.key {
                None => sys::weir_limiter_release(self.limiter.as_raw(), self.permit),
                Some(key) => sys::weir_limiter_release_key(
                    self.limiter.as_raw(),
                    key.as_ptr().cast(),
                    key.len(),
                    self.permit,
                ),
            };
        }
    }
}

/// Permits taken in advance.
#[derive(Debug)]
#[must_use = "a reservation says when its permits may be used"]
pub struct Reservation<'a> {
    limiter: &'a Limiter,
    permits: u32,
    permit: sys::weir_permit,
    wait: Duration,
}

impl Reservation<'_> {
    /// How long to wait before going ahead.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// Gives back of it what nobody has reserved after.
    pub fn cancel(&self) -> Result<(), Status> {
        // SAFETY: the limiter is held.
        crate::ffi::answered(unsafe {
            sys::weir_limiter_cancel_reservation(self.limiter.as_raw(), self.permits, self.permit)
        })
    }
}
