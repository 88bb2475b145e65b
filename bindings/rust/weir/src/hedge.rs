// SPDX-License-Identifier: MIT
//! Hedge: starts another copy of what is slow; the first success wins.

use std::time::Duration;

use weir_sys as sys;

use crate::budget::Budget;
use crate::error::Invalid;
use crate::ffi::{changed, created, defaults, handle, ms, stats, Text};
use crate::outcome::{ranges, Classify, Codes};
use crate::policy::policy;
use crate::Runtime;

/// What a hedge is made with. A delay or a quantile is required.
#[derive(Clone, Debug)]
pub struct Options {
    /// Copies beside the first, 1 to 16; default 1.
    pub max_hedges: u32,
    /// A copy starts when nothing has succeeded so long after the last start. None (default) only beside
    /// a quantile.
    pub delay: Option<Duration>,
    /// Instead, from 20 samples on: this quantile of the latency; above 0 and below 1. Default none.
    pub quantile: Option<f64>,
    /// Bounds copies to a share of the traffic. Default none.
    pub budget: Option<Budget>,
    /// Judges outcomes. Default none.
    pub classify: Option<Classify>,
    /// If not empty: only these user errors are failures.
    pub failures: Vec<Codes>,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    /// Without a delay and a quantile, one of which is required.
    fn default() -> Self {
        Options {
            max_hedges: 1,
            delay: None,
            quantile: None,
            budget: None,
            classify: None,
            failures: Vec::new(),
            name: String::new(),
        }
    }
}

impl From<Duration> for Options {
    fn from(delay: Duration) -> Self {
        Options { delay: Some(delay), ..Options::default() }
    }
}

impl Options {
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_hedge_options) -> R) -> R {
        let mut raw = defaults!(weir_hedge_options, weir_hedge_options_init);
        let name = Text::optional(&self.name);
        let failures = ranges(&self.failures);
        raw.name = name.as_ptr();
        raw.max_hedges = self.max_hedges;
        if let Some(delay) = self.delay {
            raw.delay_ms = ms(delay);
        }
        if let Some(quantile) = self.quantile {
            raw.quantile = quantile;
        }
        raw.budget = self.budget.as_ref().map_or(std::ptr::null_mut(), Budget::as_raw);
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
    /// Starts another copy of what is slow. All copies are polled by the run's future; losers are dropped.
    Hedge, weir_hedge, weir_hedge_ref, weir_hedge_unref
}

policy!(Hedge, weir_hedge_policy);

impl Hedge {
    /// Makes a hedge, of options or simply of a delay.
    pub fn new(runtime: &Runtime, options: impl Into<Options>) -> Result<Hedge, Invalid> {
        let raw = options.into().with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe { sys::weir_hedge_new(runtime.as_raw(), raw, out, error) })
        })?;
        Ok(Hedge { raw, runtime: runtime.clone() })
    }

    /// Changes all options live but the name, which has to be empty here.
    pub fn set_options(&self, options: impl Into<Options>) -> Result<(), Invalid> {
        options.into().with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            changed(|error| unsafe { sys::weir_hedge_set_options(self.as_raw(), raw, error) })
        })
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_hedge_stats {
        stats!(weir_hedge_stats, weir_hedge_get_stats, self.as_raw())
    }
}
