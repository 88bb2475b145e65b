// SPDX-License-Identifier: MIT
//! Memoize: runs a function once for each input, and gives later calls its value.

use std::ffi::c_void;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::attempt::Attempt;
use crate::cache::{Cache, Eviction};
use crate::error::Invalid;
use crate::ffi::{count, created, defaults, guarded, handle, ms_or_none, Text};
use crate::flight::shared;
use crate::key::Key;
use crate::operation::{make_raw, Operation, OperationRun};
use crate::run::Options as RunOptions;
use crate::value::{look, Value};
use crate::Runtime;

/// What a memoized function is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Default adaptive.
    pub eviction: Eviction,
    /// Values kept at most. None: no bound. Default 1000.
    pub max_entries: Option<u64>,
    /// How long a value is kept. None (default): for ever.
    pub ttl: Option<Duration>,
    /// Of one call of the function. Default none.
    pub load_timeout: Option<Duration>,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            eviction: Eviction::Adaptive,
            max_entries: Some(1000),
            ttl: None,
            load_timeout: None,
            name: String::new(),
        }
    }
}

handle! {
    /// The C handle.
    Handle, weir_memoize, weir_memoize_ref, weir_memoize_unref
}

/// A function of `I` that is called once for each input. Calls with an equal input that come meanwhile
/// wait for it. Errors are not kept.
pub struct Memoize<I, V, E> {
    handle: Handle,
    types: PhantomData<fn(I) -> (V, E)>,
}

impl<I, V, E> Clone for Memoize<I, V, E> {
    fn clone(&self) -> Self {
        Memoize { handle: self.handle.clone(), types: PhantomData }
    }
}

impl<I, V, E> fmt::Debug for Memoize<I, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memoize").field(&self.handle.raw).finish()
    }
}

unsafe extern "C" fn write_key<I: Key + Send + 'static>(
    _: *mut c_void,
    input: *const sys::weir_value,
    buffer: *mut c_void,
    capacity: usize,
) -> usize {
    let write = |input: &I| {
        let key = input.key();
        // SAFETY: the buffer has room for as many bytes as is said.
        unsafe {
            if key.len() <= capacity && !key.is_empty() {
                ptr::copy_nonoverlapping(key.as_ptr(), buffer.cast::<u8>(), key.len());
            }
        }
        key.len()
    };
    if input.is_null() {
        return 0; // no input is an input, too
    }
    // SAFETY: the input is lent for the call. What cannot be a key is refused.
    guarded(usize::MAX, || unsafe { look(input, write) }.unwrap_or(usize::MAX))
}

impl<I, V, E> Memoize<I, V, E>
where
    I: Key + Clone + Send + 'static,
    V: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    /// Makes a memoized function. Its futures are polled by the runtime's spawner.
    pub fn new<F, Fut>(runtime: &Runtime, options: Options, function: F) -> Result<Self, Invalid>
    where
        F: Fn(I, Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        let operation = make_raw(runtime, move |attempt| {
            let input = attempt.input().and_then(Value::take::<I>).expect("the call's input");
            shared(function(input, attempt))
        })?;
        // SAFETY: made just now; weir takes a reference of its own.
        let operation = unsafe { Operation::from_raw(operation, runtime) };
        Memoize::of(&operation, options)
    }

    /// As `new`, of an operation, which finds the call's input in [`Attempt::input`].
    pub fn of(operation: &Operation<Arc<V>, Arc<E>>, options: Options) -> Result<Self, Invalid> {
        let runtime = operation.runtime();
        let mut raw = defaults!(weir_memoize_options, weir_memoize_options_init);
        let name = Text::optional(&options.name);
        raw.name = name.as_ptr();
        raw.eviction = options.eviction.raw();
        raw.max_entries = count(options.max_entries);
        raw.ttl_ms = ms_or_none(options.ttl);
        raw.load_timeout_ms = ms_or_none(options.load_timeout);
        raw.key = Some(write_key::<I>);
        let raw = created(|out, error| {
            // SAFETY: what the options point to lives during the call.
            unsafe {
                let (runtime, operation) = (runtime.as_raw(), operation.as_raw());
                sys::weir_memoize_new(runtime, operation, &raw, out, error)
            }
        })?;
        Ok(Memoize { handle: Handle { raw, runtime: runtime.clone() }, types: PhantomData })
    }

    /// Its value for `input`, computed if it is not there.
    pub fn call(&self, input: I) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid> {
        self.call_with(RunOptions::default(), input)
    }

    /// As `call`, with options, of which the input is `input`.
    pub fn call_with(
        &self,
        options: RunOptions,
        input: I,
    ) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid> {
        let options = RunOptions { input: Some(Value::shared(input)?), ..options };
        Ok(self.operation().run_with(options))
    }

    /// The memoized function as an operation, whose runs' input is a [`Value::shared`] of an `I`.
    pub fn operation(&self) -> Operation<Arc<V>, Arc<E>> {
        // SAFETY: the handle is held; the operation gets a reference of its own.
        unsafe {
            let raw = sys::weir_memoize_operation(self.handle.as_raw());
            let raw = NonNull::new(sys::weir_operation_ref(raw)).expect("it is an operation");
            Operation::from_raw(raw, &self.handle.runtime)
        }
    }

    /// The cache behind it, for invalidating, clearing and its stats.
    pub fn cache(&self) -> Cache<I, V> {
        // SAFETY: the handle is held; the cache gets a reference of its own.
        let raw = unsafe { sys::weir_cache_ref(sys::weir_memoize_cache(self.handle.as_raw())) };
        let raw = NonNull::new(raw).expect("it has a cache");
        let handle = crate::cache::Handle { raw, runtime: self.handle.runtime.clone() };
        Cache { handle, types: PhantomData }
    }
}
