// SPDX-License-Identifier: MIT
//! Pipelines: several policies as one.

use weir_sys as sys;

use crate::error::Invalid;
use crate::ffi::{created, handle, Text};
use crate::policy::policy;
use crate::{Policy, Runtime};

handle! {
    /// Several policies as one; the first is outermost. They keep their state wherever they are used.
    ///
    /// ```
    /// use std::time::Duration;
    /// use weir::{testing, Breaker, Pipeline, Retry, Timeout};
    ///
    /// let runtime = testing::Runtime::new(1);
    /// let breaker = Breaker::new(&runtime, Default::default())?;
    /// let retry = Retry::new(&runtime, Default::default())?;
    /// let timeout = Timeout::new(&runtime, Duration::from_secs(2))?;
    /// let pipeline = Pipeline::new(&runtime, &[&breaker, &retry, &timeout], "api")?;
    /// let result = runtime.block_on(pipeline.run(|_| async { Ok::<_, String>(1) }));
    /// assert_eq!(result.unwrap(), 1);
    /// # Ok::<(), weir::Invalid>(())
    /// ```
    Pipeline, weir_pipeline, weir_pipeline_ref, weir_pipeline_unref
}

policy!(Pipeline, weir_pipeline_policy, weir_policy_pipeline, weir_pipeline_ref);

impl Pipeline {
    /// Makes a pipeline of 1 to 32 policies. What cannot work is refused: the same breaker or limiter
    /// twice, two breakers or limiters of one name.
    pub fn new(
        runtime: &Runtime,
        policies: &[&dyn Policy],
        name: &str,
    ) -> Result<Pipeline, Invalid> {
        let policies: Vec<_> = policies.iter().map(|policy| policy.policy_raw()).collect();
        let name = Text::optional(name);
        let raw = created(|out, error| {
            // SAFETY: the policies are held by the caller's handles.
            unsafe {
                sys::weir_pipeline_new(
                    runtime.as_raw(),
                    policies.as_ptr(),
                    policies.len(),
                    name.as_ptr(),
                    out,
                    error,
                )
            }
        })?;
        Ok(Pipeline { raw, runtime: runtime.clone() })
    }
}
