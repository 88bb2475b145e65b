// SPDX-License-Identifier: MIT
//! Chaos: makes an operation misbehave on purpose, to see whether what is around it holds.

use std::ptr;
use std::time::Duration;

use weir_sys as sys;

use crate::error::Invalid;
use crate::ffi::{changed, created, defaults, handle, ms, ms_or_none, stats, Text};
use crate::policy::policy;
use crate::status::numbers;
use crate::value::{UserError, Value};
use crate::Runtime;

numbers! {
    /// What is injected.
    Kind {
        /// A delay.
        Latency = WEIR_CHAOS_LATENCY,
        /// A failure.
        Failure = WEIR_CHAOS_FAILURE,
        /// A given value.
        Outcome = WEIR_CHAOS_OUTCOME,
        /// Nothing ever happens, until the run is stopped.
        Hang = WEIR_CHAOS_HANG,
    }
}

/// In this time the rate of `what` is another than the option's.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    /// Since the chaos was made or last enabled.
    pub from: Duration,
    /// Not included. None: for ever.
    pub until: Option<Duration>,
    /// What.
    pub what: Kind,
    /// 0 to 1.
    pub rate: f64,
}

/// What chaos is made with. The default injects nothing.
#[derive(Clone, Debug)]
pub struct Options {
    /// On from the beginning. Default true.
    pub enabled: bool,
    /// Of the sequence of draws. 0 (default): from the runtime's.
    pub seed: u64,
    /// The share of runs that fail; 0 to 1, default 0. With the next two at most 1.
    pub failure_rate: f64,
    /// The share that succeeds with `value`.
    pub outcome_rate: f64,
    /// The share that hangs.
    pub hang_rate: f64,
    /// The share that is delayed.
    pub latency_rate: f64,
    /// Default 0.
    pub latency_min: Duration,
    /// Default 1 s.
    pub latency_max: Duration,
    /// What outcomes succeed with. Default none.
    pub value: Option<Value>,
    /// The user's own error that failures fail with: a [`Value`] of it that gives out copies. Default
    /// none: [`Error::Other`](crate::Error::Other), "injected by chaos".
    pub failure: Option<Value>,
    /// A schedule. Default empty.
    pub phases: Vec<Phase>,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            enabled: true,
            seed: 0,
            failure_rate: 0.0,
            outcome_rate: 0.0,
            hang_rate: 0.0,
            latency_rate: 0.0,
            latency_min: Duration::ZERO,
            latency_max: Duration::from_secs(1),
            value: None,
            failure: None,
            phases: Vec::new(),
            name: String::new(),
        }
    }
}

impl Options {
    fn with_raw<R>(
        &self,
        use_it: impl FnOnce(&sys::weir_chaos_options) -> Result<R, Invalid>,
    ) -> Result<R, Invalid> {
        let mut raw = defaults!(weir_chaos_options, weir_chaos_options_init);
        let name = Text::optional(&self.name);
        let failure = self.failure.as_ref().map(UserError::new).transpose()?;
        let phases: Vec<_> = self
            .phases
            .iter()
            .map(|phase| sys::weir_chaos_phase {
                from_ms: ms(phase.from),
                until_ms: ms_or_none(phase.until),
                what: phase.what.raw(),
                reserved: 0,
                rate: phase.rate,
            })
            .collect();
        raw.name = name.as_ptr();
        raw.enabled = u32::from(self.enabled);
        raw.seed = self.seed;
        raw.failure_rate = self.failure_rate;
        raw.outcome_rate = self.outcome_rate;
        raw.hang_rate = self.hang_rate;
        raw.latency_rate = self.latency_rate;
        raw.latency_min_ms = ms(self.latency_min);
        raw.latency_max_ms = ms(self.latency_max);
        raw.failure = failure.as_ref().map_or(ptr::null_mut(), |failure| failure.0);
        raw.value = self.value.as_ref().map_or(ptr::null_mut(), Value::as_raw);
        if !phases.is_empty() {
            raw.phases = phases.as_ptr();
            raw.phases_count = phases.len() as u64;
        }
        use_it(&raw)
    }
}

handle! {
    /// Makes what is inside of it misbehave.
    Chaos, weir_chaos, weir_chaos_ref, weir_chaos_unref
}

policy!(Chaos, weir_chaos_policy, weir_policy_chaos, weir_chaos_ref);

impl Chaos {
    /// Makes a chaos.
    pub fn new(runtime: &Runtime, options: Options) -> Result<Chaos, Invalid> {
        let raw = options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe { sys::weir_chaos_new(runtime.as_raw(), raw, out, error) })
        })?;
        Ok(Chaos { raw, runtime: runtime.clone() })
    }

    /// Switches it on, which begins the schedule anew, or off.
    pub fn enable(&self, enabled: bool) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_chaos_enable(self.as_raw(), u32::from(enabled)) };
    }

    /// Changes all options live but the name, which has to be empty here, and `enabled`.
    pub fn set_options(&self, options: Options) -> Result<(), Invalid> {
        options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            changed(|error| unsafe { sys::weir_chaos_set_options(self.as_raw(), raw, error) })
        })
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_chaos_stats {
        stats!(weir_chaos_stats, weir_chaos_get_stats, self.as_raw())
    }
}
