// SPDX-License-Identifier: MIT
//! Single flight: of runs with the same key that overlap, one does the work and all get its outcome.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::attempt::{Attempt, Completion, Packing};
use crate::error::Invalid;
use crate::ffi::{created, defaults, handle, ms_or_none, stats, Text};
use crate::key::Key;
use crate::operation::{Operation, OperationRun};
use crate::run::Options as RunOptions;
use crate::{BoxFuture, Runtime};

/// What a flight is made with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Of the shared work, which has no caller's deadline. Default none.
    pub timeout: Option<Duration>,
    /// Default "".
    pub name: String,
}

handle! {
    /// The C handle.
    Handle, weir_flight, weir_flight_ref, weir_flight_unref
}

/// A group of keys. `V` is what the work gives, `E` its error; as several get them, they come in an Arc.
#[derive(Debug)]
pub struct Flight<V, E> {
    handle: Handle,
    result: PhantomData<fn() -> (V, E)>,
}

impl<V, E> Clone for Flight<V, E> {
    fn clone(&self) -> Self {
        Flight { handle: self.handle.clone(), result: PhantomData }
    }
}

/// The future of an attempt of shared work.
pub(crate) fn shared<V, E, Fut>(future: Fut) -> BoxFuture<Completion>
where
    V: Send + Sync + 'static,
    E: Send + Sync + 'static,
    Fut: Future<Output = Result<V, E>> + Send + 'static,
{
    let arcs = async move { future.await.map(Arc::new).map_err(Arc::new) };
    Box::pin(Packing::new(arcs, Completion::shared::<Arc<V>, Arc<E>>))
}

impl<V: Send + Sync + 'static, E: Send + Sync + 'static> Flight<V, E> {
    /// Makes a flight.
    pub fn new(runtime: &Runtime, options: Options) -> Result<Self, Invalid> {
        let mut raw = defaults!(weir_flight_options, weir_flight_options_init);
        let name = Text::optional(&options.name);
        raw.name = name.as_ptr();
        raw.timeout_ms = ms_or_none(options.timeout);
        let raw = created(|out, error| {
            // SAFETY: what the options point to lives during the call.
            unsafe { sys::weir_flight_new(runtime.as_raw(), &raw, out, error) }
        })?;
        Ok(Flight { handle: Handle { raw, runtime: runtime.clone() }, result: PhantomData })
    }

    /// Does the work, or waits for that of the same key which is going on. The function's future is polled
    /// by the runtime's spawner, since it goes on for the others when this run is dropped.
    pub fn run<F, Fut>(
        &self,
        key: &(impl Key + ?Sized),
        work: F,
    ) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid>
    where
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        self.run_with(RunOptions::key(key.key()), work)
    }

    /// As `run`, with options, of which the key is the key.
    pub fn run_with<F, Fut>(
        &self,
        options: RunOptions,
        work: F,
    ) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid>
    where
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        let runtime = &self.handle.runtime;
        let work = Operation::shared(runtime, work)?;
        Ok(self.operation(&work)?.run_with(options))
    }

    /// The flight of an operation, as an operation: of runs with the same key one does the work.
    pub fn operation(
        &self,
        work: &Operation<Arc<V>, Arc<E>>,
    ) -> Result<Operation<Arc<V>, Arc<E>>, Invalid> {
        let raw = created(|out, error| {
            // SAFETY: both are held.
            let (flight, work) = (self.handle.as_raw(), work.as_raw());
            unsafe { sys::weir_flight_operation(flight, work, out, error) }
        })?;
        let extract = Arc::clone(&work.extract);
        Ok(Operation::with_extract(raw, &self.handle.runtime, extract))
    }

    /// The next run with this key begins anew; one that goes on stays with those who wait for it.
    pub fn forget(&self, key: &(impl Key + ?Sized)) {
        let key = key.key();
        // SAFETY: the handle is held, the key lives during the call.
        unsafe {
            sys::weir_flight_forget(self.handle.as_raw(), key.as_ptr().cast(), key.len());
        }
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_flight_stats {
        stats!(weir_flight_stats, weir_flight_get_stats, self.handle.as_raw())
    }
}
