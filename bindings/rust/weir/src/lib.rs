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
//! [`Spawner`].
//!
//! # Errors
//!
//! What your function returns as `Err(e)` comes back as [`Error::Failed`] with that very `e`, also after
//! retries and out of aggregates. The other kinds say what a policy did instead. A panic of your function
//! counts as a failure that nobody retries, and is resumed where the run is awaited.

#![warn(unreachable_pub)]

mod attempt;
mod blocking;
pub mod breaker;
pub mod budget;
mod error;
mod executor;
mod ffi;
pub mod flow;
pub mod limiter;
mod mailbox;
mod operation;
mod outcome;
pub mod pipeline;
mod policy;
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
pub use error::{Error, Invalid, Rejection, Report};
pub use executor::{block_on, BoxFuture, Spawner};
pub use limiter::Limiter;
pub use operation::{Completer, Operation, OperationRun};
pub use outcome::{Classify, Codes, Ended, Outcome, Settled};
pub use pipeline::Pipeline;
pub use policy::{AnyPolicy, Policy};
pub use retry::Retry;
pub use run::Run;
pub use runtime::{version, Runtime};
pub use scope::{Scope, ScopeView};
pub use status::{Cancel, Class, PolicyKind, Reason, Status, Stop};
pub use timeout::Timeout;
pub use value::Value;
