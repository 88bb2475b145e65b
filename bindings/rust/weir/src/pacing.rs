// SPDX-License-Identifier: MIT
//! Debounce and throttle: decide when to run a function for a stream of calls.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::attempt::Attempt;
use crate::error::Invalid;
use crate::ffi::{changed, created, defaults, handle, ms_or_none, stats, Text};
use crate::flight::shared;
use crate::key::Key;
use crate::operation::{make_raw, Operation, OperationRun};
use crate::run::Options as RunOptions;
use crate::status::{numbers, Status};
use crate::value::Value;
use crate::{AnyPolicy, Runtime};

numbers! {
    /// What a call gets that a later one of its batch replaced.
    Superseded {
        /// [`Error::Superseded`](crate::Error::Superseded), at once.
        Cancel = WEIR_SUPERSEDED_CANCEL,
        /// The outcome of the run that covers its batch.
        Share = WEIR_SUPERSEDED_SHARE,
    }
}

numbers! {
    /// What happens when a run is due while the last one goes on.
    Overlap {
        /// It waits for its end, then runs with the latest.
        Queue = WEIR_OVERLAP_QUEUE,
        /// It runs beside it.
        Concurrent = WEIR_OVERLAP_CONCURRENT,
        /// The last one is told to stop.
        Cancel = WEIR_OVERLAP_CANCEL,
    }
}

/// What a debounce is made with.
#[derive(Clone, Debug)]
pub struct DebounceOptions {
    /// The quiet period; None: for ever, until flushed. Default 300 ms.
    pub wait: Option<Duration>,
    /// Under constant calls it runs at least this often; at least `wait`. Default none.
    pub max_wait: Option<Duration>,
    /// Run at the first call of a burst. Default false.
    pub leading: bool,
    /// Run after the quiet period, with the latest argument. Default true.
    pub trailing: bool,
    /// Default cancel.
    pub superseded: Superseded,
    /// Default queue.
    pub overlap: Overlap,
    /// Around each run. Default none.
    pub policy: Option<AnyPolicy>,
    /// Default "".
    pub name: String,
}

impl Default for DebounceOptions {
    fn default() -> Self {
        DebounceOptions {
            wait: Some(Duration::from_millis(300)),
            max_wait: None,
            leading: false,
            trailing: true,
            superseded: Superseded::Cancel,
            overlap: Overlap::Queue,
            policy: None,
            name: String::new(),
        }
    }
}

/// What a throttle is made with.
#[derive(Clone, Debug)]
pub struct ThrottleOptions {
    /// Runs start at least so far apart. None: one run, until cancelled or flushed. Default 100 ms.
    pub interval: Option<Duration>,
    /// Run at the first call at once. Default true.
    pub leading: bool,
    /// Run at the interval's end with the latest argument. Default true.
    pub trailing: bool,
    /// Default share.
    pub superseded: Superseded,
    /// Default queue.
    pub overlap: Overlap,
    /// Around each run. Default none.
    pub policy: Option<AnyPolicy>,
    /// Default "".
    pub name: String,
}

impl Default for ThrottleOptions {
    fn default() -> Self {
        ThrottleOptions {
            interval: Some(Duration::from_millis(100)),
            leading: true,
            trailing: true,
            superseded: Superseded::Share,
            overlap: Overlap::Queue,
            policy: None,
            name: String::new(),
        }
    }
}

fn raw_policy(policy: &Option<AnyPolicy>) -> *mut sys::weir_policy {
    policy.as_ref().map_or(ptr::null_mut(), AnyPolicy::as_raw)
}

impl DebounceOptions {
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_debounce_options) -> R) -> R {
        let mut raw = defaults!(weir_debounce_options, weir_debounce_options_init);
        let name = Text::optional(&self.name);
        raw.name = name.as_ptr();
        raw.wait_ms = ms_or_none(self.wait);
        raw.max_wait_ms = ms_or_none(self.max_wait);
        raw.leading = u32::from(self.leading);
        raw.trailing = u32::from(self.trailing);
        raw.superseded = self.superseded.raw();
        raw.overlap = self.overlap.raw();
        raw.policy = raw_policy(&self.policy);
        use_it(&raw)
    }
}

impl ThrottleOptions {
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_throttle_options) -> R) -> R {
        let mut raw = defaults!(weir_throttle_options, weir_throttle_options_init);
        let name = Text::optional(&self.name);
        raw.name = name.as_ptr();
        raw.interval_ms = ms_or_none(self.interval);
        raw.leading = u32::from(self.leading);
        raw.trailing = u32::from(self.trailing);
        raw.superseded = self.superseded.raw();
        raw.overlap = self.overlap.raw();
        raw.policy = raw_policy(&self.policy);
        use_it(&raw)
    }
}

handle! {
    /// The C handle.
    DebounceHandle, weir_debounce, weir_debounce_ref, weir_debounce_unref
}

handle! {
    /// The C handle.
    ThrottleHandle, weir_throttle, weir_throttle_ref, weir_throttle_unref
}

/// The operation of a pacer's function.
fn paced<A, V, E, F, Fut>(
    runtime: &Runtime,
    function: F,
) -> Result<Operation<Arc<V>, Arc<E>>, Invalid>
where
    A: Clone + Send + 'static,
    V: Send + Sync + 'static,
    E: Send + Sync + 'static,
    F: Fn(A, Attempt) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<V, E>> + Send + 'static,
{
    let raw = make_raw(runtime, move |attempt| {
        let argument = attempt.input().and_then(Value::take::<A>).expect("the call's argument");
        shared(function(argument, attempt))
    })?;
    // SAFETY: made just now.
    Ok(unsafe { Operation::from_raw(raw, runtime) })
}

fn key_parts(key: &Option<std::borrow::Cow<'_, [u8]>>) -> (*const std::ffi::c_void, usize) {
    match key {
        None => (ptr::null(), 0),
        Some(key) => (key.as_ptr().cast(), key.len()),
    }
}

macro_rules! pacer {
    (
        $(#[$doc:meta])* $name:ident, $handle:ident, $options:ident, $new:ident, $set:ident,
        $operation:ident, $call:ident, $cancel:ident, $flush:ident, $pending:ident, $stats:ident
    ) => {
        $(#[$doc])*
        pub struct $name<A, V, E> {
            handle: $handle,
            types: PhantomData<fn(A) -> (V, E)>,
        }

        impl<A, V, E> Clone for $name<A, V, E> {
            fn clone(&self) -> Self {
                $name { handle: self.handle.clone(), types: PhantomData }
            }
        }

        impl<A, V, E> fmt::Debug for $name<A, V, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.handle.raw).finish()
            }
        }

        impl<A, V, E> $name<A, V, E>
        where
            A: Clone + Send + 'static,
            V: Send + Sync + 'static,
            E: Send + Sync + 'static,
        {
            /// Makes one for a function of the argument. Its futures are polled by the runtime's spawner,
            /// as a run goes on whoever leaves.
            pub fn new<F, Fut>(
                runtime: &Runtime,
                options: $options,
                function: F,
            ) -> Result<Self, Invalid>
            where
                F: Fn(A, Attempt) -> Fut + Send + Sync + 'static,
                Fut: Future<Output = Result<V, E>> + Send + 'static,
            {
                $name::of(&paced(runtime, function)?, options)
            }

            /// As `new`, of an operation, which finds the call's argument in [`Attempt::input`].
            pub fn of(
                operation: &Operation<Arc<V>, Arc<E>>,
                options: $options,
            ) -> Result<Self, Invalid> {
                let runtime = operation.runtime();
                let raw = options.with_raw(|raw| {
                    // SAFETY: all are held; what the options point to lives during the call.
                    created(|out, error| unsafe {
                        sys::$new(runtime.as_raw(), operation.as_raw(), raw, out, error)
                    })
                })?;
                let handle = $handle { raw, runtime: runtime.clone() };
                Ok($name { handle, types: PhantomData })
            }

            /// Changes the times live; the other options have to be as they are, policy and name empty.
            pub fn set_options(&self, options: $options) -> Result<(), Invalid> {
                options.with_raw(|raw| {
                    // SAFETY: what the options point to lives during the call.
                    changed(|error| unsafe { sys::$set(self.handle.as_raw(), raw, error) })
                })
            }

            /// Calls, and waits for the run that covers the call. The call counts from when it is first
            /// polled.
            pub fn call(&self, argument: A) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid> {
                self.call_with(RunOptions::default(), argument)
            }

            /// As `call`, with options: calls with different keys are paced apart. The input is the
            /// argument.
            pub fn call_with(
                &self,
                options: RunOptions,
                argument: A,
            ) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid> {
                let options = RunOptions { input: Some(Value::shared(argument)?), ..options };
                Ok(self.operation().run_with(options))
            }

            /// The pacer as an operation, whose runs' input is a [`Value::shared`] of the argument.
            pub fn operation(&self) -> Operation<Arc<V>, Arc<E>> {
                // SAFETY: the handle is held; the operation gets a reference of its own.
                unsafe {
                    let raw = sys::weir_operation_ref(sys::$operation(self.handle.as_raw()));
                    let raw = NonNull::new(raw).expect("it is an operation");
                    Operation::from_raw(raw, &self.handle.runtime)
                }
            }

            /// Calls at once, and waits for nothing.
            pub fn send(&self, argument: A) -> Result<(), Invalid> {
                self.send_bytes(None, argument)
            }

            /// As `send`, for a key.
            pub fn send_key(&self, key: &(impl Key + ?Sized), argument: A) -> Result<(), Invalid> {
                self.send_bytes(Some(key.key()), argument)
            }

            fn send_bytes(
                &self,
                key: Option<std::borrow::Cow<'_, [u8]>>,
                argument: A,
            ) -> Result<(), Invalid> {
                let argument = Value::shared(argument)?;
                let (key, size) = key_parts(&key);
                // SAFETY: the key lives during the call; weir adds a reference to the argument.
                changed(|error| unsafe {
                    sys::$call(
                        self.handle.as_raw(),
                        key,
                        size,
                        argument.as_raw(),
                        None,
                        ptr::null_mut(),
                        None,
                        ptr::null_mut(),
                        error,
                    )
                })
            }

            /// Forgets what is pending, tells the running one to stop, and begins afresh: of the calls
            /// with this key, or with None of those without.
            pub fn cancel(&self, key: Option<&dyn Key>) -> Result<(), Status> {
                let key = key.map(Key::key);
                let (key, size) = key_parts(&key);
                // SAFETY: the key lives during the call.
                crate::ffi::answered(unsafe { sys::$cancel(self.handle.as_raw(), key, size) })
            }

            /// Runs now what is pending: of the calls with this key, or with None of those without.
            pub fn flush(&self, key: Option<&dyn Key>) -> Result<(), Status> {
                let key = key.map(Key::key);
                let (key, size) = key_parts(&key);
                // SAFETY: the key lives during the call.
                crate::ffi::answered(unsafe { sys::$flush(self.handle.as_raw(), key, size) })
            }

            /// Calls that wait for a run to begin.
            pub fn pending(&self) -> u64 {
                // SAFETY: the handle is held.
                unsafe { sys::$pending(self.handle.as_raw()) }
            }

            /// What it has counted.
            pub fn stats(&self) -> sys::weir_pacing_stats {
                stats!(weir_pacing_stats, $stats, self.handle.as_raw())
            }
        }
    };
}

pacer! {
    /// Runs a function once a stream of calls has been quiet for a while, with the latest argument.
    Debounce, DebounceHandle, DebounceOptions, weir_debounce_new, weir_debounce_set_options,
    weir_debounce_operation, weir_debounce_call, weir_debounce_cancel, weir_debounce_flush,
    weir_debounce_pending, weir_debounce_get_stats
}

pacer! {
    /// Runs a function at most once in an interval, however many calls come.
    Throttle, ThrottleHandle, ThrottleOptions, weir_throttle_new, weir_throttle_set_options,
    weir_throttle_operation, weir_throttle_call, weir_throttle_cancel, weir_throttle_flush,
    weir_throttle_pending, weir_throttle_get_stats
}
