// SPDX-License-Identifier: MIT
//! Retry budgets: bound retries and hedges to a share of the traffic.

use std::time::Duration;

use weir_sys as sys;

use crate::error::Invalid;
use crate::ffi::{changed, created, defaults, handle, ms, stats, Text};
use crate::rejection::Rejection;
use crate::Runtime;

/// What a budget is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Retries per first attempt; 0 to 1000, default 0.2.
    pub ratio: f64,
    /// Retries that are always allowed; 0 to 1e6, default 1.
    pub min_per_second: f64,
    /// Looks back this far; 10 ms to a day, default 10 s.
    pub window: Duration,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    fn default() -> Self {
        let window = Duration::from_secs(10);
        Options { ratio: 0.2, min_per_second: 1.0, window, name: String::new() }
    }
}

impl Options {
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_budget_options) -> R) -> R {
        let mut raw = defaults!(weir_budget_options, weir_budget_options_init);
        let name = Text::optional(&self.name);
        raw.name = name.as_ptr();
        raw.ratio = self.ratio;
        raw.min_per_second = self.min_per_second;
        raw.window_ms = ms(self.window);
        use_it(&raw)
    }
}

handle! {
    /// A budget of retries. One may serve many policies, threads and languages.
    Budget, weir_budget, weir_budget_ref, weir_budget_unref
}

impl Budget {
    /// Makes a budget.
    pub fn new(runtime: &Runtime, options: Options) -> Result<Budget, Invalid> {
        let raw = options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe { sys::weir_budget_new(runtime.as_raw(), raw, out, error) })
        })?;
        Ok(Budget { raw, runtime: runtime.clone() })
    }

    /// The runtime it belongs to.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Changes ratio and min_per_second live; the window has to be as it is, the name empty.
    pub fn set_options(&self, options: Options) -> Result<(), Invalid> {
        options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            changed(|error| unsafe { sys::weir_budget_set_options(self.as_raw(), raw, error) })
        })
    }

    /// Counts a first attempt, for those who retry by themselves.
    pub fn deposit(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_budget_deposit(self.as_raw()) };
    }

    /// Takes one retry, or says why not and when.
    pub fn try_withdraw(&self) -> Result<(), Rejection> {
        let mut rejection = Rejection::room();
        // SAFETY: the handle is held; weir fills the rejection when it refuses.
        unsafe {
            let status = sys::weir_budget_try_withdraw(self.as_raw(), rejection.as_mut_ptr());
            if status == sys::WEIR_OK {
                return Ok(());
            }
            Err(Rejection::read(status, &rejection))
        }
    }

    /// Gives a withdrawn retry back that never started.
    pub fn refund(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_budget_refund(self.as_raw()) };
    }

    /// A label on its metrics; each key once.
    pub fn set_label(&self, key: &str, value: &str) -> Result<(), Invalid> {
        let (key, value) = (Text::new(key), Text::new(value));
        // SAFETY: the texts live during the call, which copies them.
        changed(|error| unsafe {
            sys::weir_budget_set_label(self.as_raw(), key.as_ptr(), value.as_ptr(), error)
        })
    }

    /// What it holds.
    pub fn stats(&self) -> sys::weir_budget_stats {
        stats!(weir_budget_stats, weir_budget_get_stats, self.as_raw())
    }
}
