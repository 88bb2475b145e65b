// SPDX-License-Identifier: MIT
//! Timeout: settles what takes too long.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::error::Invalid;
use crate::ffi::{
    changed, closure, closure_data, created, defaults, free_closure, guarded, handle, ms,
    ms_or_none, stats, Text,
};
use crate::policy::policy;
use crate::Runtime;

type ForFn = dyn Fn(&[u8]) -> Option<Duration> + Send + Sync;

/// Says the timeout of a run by its key; None means none. A decider: called on weir's thread.
#[derive(Clone)]
pub struct TimeoutFor(Arc<ForFn>);

impl TimeoutFor {
    /// From any function of the run's key (empty if it has none).
    pub fn new(timeout: impl Fn(&[u8]) -> Option<Duration> + Send + Sync + 'static) -> Self {
        TimeoutFor(Arc::new(timeout))
    }
}

impl fmt::Debug for TimeoutFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TimeoutFor(..)")
    }
}

/// What a timeout is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Required, unless `timeout_for` is there.
    pub timeout: Option<Duration>,
    /// Asked for each run, instead of `timeout`.
    pub timeout_for: Option<TimeoutFor>,
    /// Default "": "NAME timed out after N ms".
    pub message: String,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    /// Without a timeout, which is required: making one of these alone is refused.
    fn default() -> Self {
        Options { timeout: None, timeout_for: None, message: String::new(), name: String::new() }
    }
}

impl From<Duration> for Options {
    fn from(timeout: Duration) -> Self {
        Options { timeout: Some(timeout), ..Options::default() }
    }
}

impl Options {
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_timeout_options) -> R) -> R {
        let mut raw = defaults!(weir_timeout_options, weir_timeout_options_init);
        let (name, message) = (Text::optional(&self.name), Text::optional(&self.message));
        raw.name = name.as_ptr();
        raw.message = message.as_ptr();
        if let Some(timeout) = self.timeout {
            raw.timeout_ms = ms(timeout);
        }
        if let Some(timeout_for) = &self.timeout_for {
            raw.timeout_for = Some(ask);
            raw.timeout_data = closure_data(&timeout_for.0);
            raw.timeout_free_data = Some(free_closure::<ForFn>);
        }
        use_it(&raw)
    }
}

unsafe extern "C" fn ask(
    data: *mut c_void,
    _: *mut c_void,
    key: *const c_void,
    size: usize,
) -> i64 {
    let key: &[u8] = if key.is_null() {
        &[]
    } else {
        // SAFETY: the key is lent for the call.
        unsafe { std::slice::from_raw_parts(key.cast(), size) }
    };
    // SAFETY: the closure's data.
    guarded(0, || ms_or_none(unsafe { closure::<ForFn>(data)(key) }))
}

handle! {
    /// Settles what takes too long with [`Error::TimedOut`](crate::Error::TimedOut), and drops its future.
    Timeout, weir_timeout, weir_timeout_ref, weir_timeout_unref
}

policy!(Timeout, weir_timeout_policy, weir_policy_timeout, weir_timeout_ref);

impl Timeout {
    /// Makes a timeout, of options or simply of a Duration.
    pub fn new(runtime: &Runtime, options: impl Into<Options>) -> Result<Timeout, Invalid> {
        let raw = options.into().with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe {
                sys::weir_timeout_new(runtime.as_raw(), raw, out, error)
            })
        })?;
        Ok(Timeout { raw, runtime: runtime.clone() })
    }

    /// Changes all options live but the name, which has to be empty here.
    pub fn set_options(&self, options: impl Into<Options>) -> Result<(), Invalid> {
        options.into().with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            changed(|error| unsafe { sys::weir_timeout_set_options(self.as_raw(), raw, error) })
        })
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_timeout_stats {
        stats!(weir_timeout_stats, weir_timeout_get_stats, self.as_raw())
    }
}
