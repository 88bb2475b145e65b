// SPDX-License-Identifier: MIT
//! Fallback: answers in the place of what failed.

use std::ptr;

use weir_sys as sys;

use crate::error::Invalid;
use crate::ffi::{changed, created, defaults, handle, stats, Text};
use crate::outcome::{ranges, Classify, Codes};
use crate::policy::policy;
use crate::value::{of_shared, Value};
use crate::{Operation, Runtime};

/// What a fallback is made with, beside what it answers.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Judges the inside. Default none.
    pub classify: Option<Classify>,
    /// If not empty: only these user errors are failures.
    pub failures: Vec<Codes>,
    /// Default "".
    pub name: String,
}

/// What a fallback answers.
#[derive(Debug)]
pub struct Answer {
    value: Option<Value>,
    has_value: bool,
    operation: *mut sys::weir_operation,
}

// SAFETY: values and operations take any thread.
unsafe impl Send for Answer {}
// SAFETY: as above.
unsafe impl Sync for Answer {}

impl Answer {
    /// Always copies of one value, which has to be of the type that the runs give.
    pub fn value<T: Clone + Send + 'static>(value: T) -> Result<Answer, Invalid> {
        Ok(Answer { value: of_shared(value)?, has_value: true, operation: ptr::null_mut() })
    }

    /// What another operation gives, which sees in [`Attempt::failed`](crate::Attempt::failed) how the
    /// inside ended. If it fails too, its error is the outcome, with that of the inside as cause.
    pub fn operation<T: Send + 'static, E: Send + 'static>(operation: &Operation<T, E>) -> Answer {
        // SAFETY: the operation is held.
        let operation = unsafe { sys::weir_operation_ref(operation.as_raw()) };
        Answer { value: None, has_value: false, operation }
    }

    fn with_raw<R>(
        &self,
        options: &Options,
        use_it: impl FnOnce(&sys::weir_fallback_options) -> R,
    ) -> R {
        let mut raw = defaults!(weir_fallback_options, weir_fallback_options_init);
        let name = Text::optional(&options.name);
        let failures = ranges(&options.failures);
        raw.name = name.as_ptr();
        raw.has_value = u32::from(self.has_value);
        raw.value = self.value.as_ref().map_or(ptr::null_mut(), Value::as_raw);
        raw.operation = self.operation;
        (raw.classify, raw.classify_data, raw.classify_free_data) =
            Classify::callback(&options.classify);
        if !failures.is_empty() {
            raw.failures = failures.as_ptr();
            raw.failures_count = failures.len() as u64;
        }
        use_it(&raw)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: the reference is ours; null is legal.
        unsafe { sys::weir_operation_unref(self.operation) };
    }
}

handle! {
    /// Answers in the place of what failed or was refused.
    Fallback, weir_fallback, weir_fallback_ref, weir_fallback_unref
}

policy!(Fallback, weir_fallback_policy);

impl Fallback {
    /// Makes a fallback.
    pub fn new(runtime: &Runtime, answer: Answer, options: Options) -> Result<Fallback, Invalid> {
        let raw = answer.with_raw(&options, |raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe {
                sys::weir_fallback_new(runtime.as_raw(), raw, out, error)
            })
        })?;
        Ok(Fallback { raw, runtime: runtime.clone() })
    }

    /// Changes all options live but the name, which has to be empty here.
    pub fn set_options(&self, answer: Answer, options: Options) -> Result<(), Invalid> {
        answer.with_raw(&options, |raw| {
            // SAFETY: what the options point to lives during the call.
            changed(|error| unsafe { sys::weir_fallback_set_options(self.as_raw(), raw, error) })
        })
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_fallback_stats {
        stats!(weir_fallback_stats, weir_fallback_get_stats, self.as_raw())
    }
}
