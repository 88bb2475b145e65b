// SPDX-License-Identifier: MIT
//! Flow control and resilience for futures on any executor: retry, circuit breaker, limiter, timeout,
//! hedge, fallback, cache, debounce, and what is composed of them. A safe face of
//! [weir](https://docs.rs/weir-sys), a C library.
//!
//! ```
//! use std::time::Duration;
//! use weir::{retry, Breaker, Pipeline, Retry, Runtime, Timeout};
//!
//! let runtime = Runtime::new();
//! let breaker = Breaker::new(&runtime, Default::default())?;
//! let retry = Retry::new(&runtime, retry::Options { max_attempts: Some(5), ..Default::default() })?;
//! let timeout = Timeout::new(&runtime, Duration::from_secs(2))?;
//! let api = Pipeline::new(&runtime, &[&breaker, &retry, &timeout], "api")?;
//!
//! let fetched = weir::block_on(api.run(|_attempt| async { Ok::<_, std::io::Error>("body") }));
//! assert_eq!(fetched.unwrap(), "body");
//! # Ok::<(), weir::Invalid>(())
//! ```
//!
//! # Who polls
//!
//! A [`Runtime`] has a thread of weir's own, for timers and decisions. It never polls your futures: a run
//! is a future that carries the attempts of your function inside of itself, so they are polled by your
//! executor, may borrow from your function, and are dropped when weir tells them to stop or you drop the
//! run. Work that several share (a cache's load, a flight, a debounce's run) is handed to the runtime's
//! [`Spawner`]. On an executor of one thread [`Runtime::driven`] does without weir's thread: a task of the
//! executor's does its work, and a run costs no switch of threads.
//!
//! # Errors
//!
//! What your function returns as `Err(e)` comes back as [`Error::Failed`] with that very `e`, also after
//! retries and out of aggregates. The other kinds say what a policy did instead. A panic of your function
//! counts as a failure that nobody retries, and is resumed where the run is awaited.

//!
//! # What is not here
//!
//! All that the C library offers has a safe form here, but for
//!
//! - completion queues and queued operations (`weir_completions_*`, `weir_operation_new_queued`, host values,
//!   `weir_recorder_notify`): for languages that cannot be called back on another thread. Rust can;
//! - an attached uv loop (`WEIR_DRIVER_UV`, `weir_runtime_hold`): Rust's executors are not libuv.
//!   [`Runtime::driven`] is for those that want no second thread;
//! - an allocator of a runtime's own: values and errors cross into Rust's allocator anyway;
//! - permits of breakers in batches (`weir_breaker_acquire_n`): they spare crossings, which cost nothing here;
//! - `weir_run_wait` and the calls that take a start function of C's: [`Operation::run_wait`] and futures;
//! - deciding at a time that was read before, of retries, budgets, reservations and cache writes. Where it
//!   is worth its while there is an `_at` form;
//! - touching a debounce or throttle on the runtime's thread only: [`Debounce::send`] takes any.
//!
//! Each handle's `as_raw` and the crate [`sys`] are there for the rest.

#![warn(unreachable_pub)]

mod attempt;
mod bell;
mod blocking;
pub mod breaker;
pub mod budget;
pub mod cache;
pub mod chaos;
mod driven;
mod error;
mod executor;
pub mod fallback;
mod ffi;
pub mod flight;
pub mod flow;
pub mod hedge;
mod key;
pub mod limiter;
mod mailbox;
pub mod memoize;
mod operation;
mod outcome;
pub mod pacing;
pub mod parallel;
pub mod pipeline;
mod policy;
mod rejection;
pub mod retry;
pub mod run;
pub mod runtime;
pub mod scope;
mod status;
pub mod testing;
pub mod timeout;
mod value;

pub use weir_sys as sys;

pub use attempt::Attempt;
pub use breaker::Breaker;
pub use budget::Budget;
pub use cache::Cache;
pub use chaos::Chaos;
pub use driven::Driver;
pub use error::{Error, Invalid, Report};
pub use executor::{block_on, BoxFuture, Spawner};
pub use fallback::Fallback;
pub use flight::Flight;
pub use hedge::Hedge;
pub use key::Key;
pub use limiter::Limiter;
pub use memoize::Memoize;
pub use operation::{Completer, Operation, OperationRun};
pub use outcome::{Classify, Codes, Ended, Outcome, Settled};
pub use pacing::{Debounce, Throttle};
pub use parallel::Pool;
pub use pipeline::Pipeline;
pub use policy::{AnyPolicy, Policy};
pub use rejection::Rejection;
pub use retry::Retry;
pub use run::{Canceller, Run};
pub use runtime::{version, version_text, Runtime};
pub use scope::{Scope, ScopeView};
pub use status::{Cancel, Class, PolicyKind, Reason, Status, Stop};
pub use timeout::Timeout;
pub use value::Value;

/// Runs whose futures must stay on their thread cannot leave it:
///
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// let runtime = weir::Runtime::new();
/// let retry = weir::Retry::new(&runtime, Default::default()).unwrap();
/// let local = std::rc::Rc::new(1);
/// send(retry.run(move |_| {
///     let local = local.clone();
///     async move { Ok::<_, ()>(*local) }
/// }));
/// ```
///
/// Nor can a runtime for tests:
///
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// send(weir::testing::Runtime::new(1));
/// ```
///
/// What a run gives must be able to come from another thread:
///
/// ```compile_fail,E0277
/// let runtime = weir::Runtime::new();
/// let retry = weir::Retry::new(&runtime, Default::default()).unwrap();
/// weir::block_on(retry.run(|_| async { Ok::<_, ()>(std::rc::Rc::new(1)) }));
/// ```
///
/// A permit does not outlive its breaker:
///
/// ```compile_fail,E0505
/// let runtime = weir::Runtime::new();
/// let breaker = weir::Breaker::new(&runtime, Default::default()).unwrap();
/// let permit = breaker.try_acquire().unwrap();
/// drop(breaker);
/// permit.success();
/// ```
#[cfg(doctest)]
pub struct MustNotCompile;
