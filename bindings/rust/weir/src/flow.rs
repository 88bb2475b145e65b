// SPDX-License-Identifier: MIT
//! Several operations as one: race, any, all, waterfall, poll, sleep.
//!
//! They make operations, so they compose with everything: a race of retries, a retry of a race.

use std::ffi::c_void;
use std::future::Future;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::attempt::{Attempt, Completion, Packing};
use crate::error::{Error, Invalid};
use crate::ffi::{
    closure, closure_data, count, created, defaults, free_closure, guarded, ms, ms_or_none, Text,
};
use crate::operation::{make_raw, Extract, Operation};
use crate::outcome::Outcome;
use crate::status::Status;
use crate::value::{of_shared, UserError, Value};
use crate::Runtime;

fn handles<T, E>(operations: &[Operation<T, E>]) -> Vec<*mut sys::weir_operation> {
    operations.iter().map(|operation| operation.raw.as_ptr()).collect()
}

/// An operation that waits. In a race it is a timeout.
pub fn sleep<E: Send + 'static>(
    runtime: &Runtime,
    time: Duration,
) -> Result<Operation<(), E>, Invalid> {
    let raw = sleep_raw(runtime, time, sys::WEIR_OK, None, None)?;
    // SAFETY: made just now.
    Ok(unsafe { Operation::from_raw(raw, runtime) })
}

/// An operation that waits and then gives `value`: in a race a fallback.
pub fn sleep_then<T: Clone + Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    time: Duration,
    value: T,
) -> Result<Operation<T, E>, Invalid> {
    let raw = sleep_raw(runtime, time, sys::WEIR_OK, of_shared(value)?, None)?;
    // SAFETY: made just now.
    Ok(unsafe { Operation::from_raw(raw, runtime) })
}

/// An operation that waits and then fails with [`Error::TimedOut`]: a decisive racer.
pub fn time_out<T: Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    time: Duration,
) -> Result<Operation<T, E>, Invalid> {
    let raw = sleep_raw(runtime, time, sys::WEIR_ETIMEDOUT, None, None)?;
    // SAFETY: made just now.
    Ok(unsafe { Operation::from_raw(raw, runtime) })
}

/// An operation that waits and then ends as `status` says: with `value`, if that is [`Status::OK`], else
/// with `error`, which has to be a [`Value`] of an `E`.
pub fn sleep_with<T: Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    time: Duration,
    status: Status,
    value: Option<Value>,
    error: Option<Value>,
) -> Result<Operation<T, E>, Invalid> {
    let raw = sleep_raw(runtime, time, status.0, value, error)?;
    // SAFETY: made just now.
    Ok(unsafe { Operation::from_raw(raw, runtime) })
}

fn sleep_raw(
    runtime: &Runtime,
    time: Duration,
    status: i32,
    value: Option<Value>,
    error: Option<Value>,
) -> Result<NonNull<sys::weir_operation>, Invalid> {
    let value = value.as_ref().map_or(std::ptr::null_mut(), Value::as_raw);
    let failure = error.as_ref().map(UserError::new).transpose()?;
    let failure = failure.as_ref().map_or(std::ptr::null_mut(), |failure| failure.0);
    // SAFETY: the runtime is held; weir adds references to value and error.
    created(|out, error| unsafe {
        sys::weir_sleep_new(runtime.as_raw(), ms(time), status, value, failure, out, error)
    })
}

/// How a race goes.
#[derive(Clone, Debug, Default)]
pub struct RaceOptions {
    /// The first settlement of any kind is the outcome. Default false: the first success.
    pub first_settled: bool,
    /// For each operation whether it ends the race however it settles. Empty (default): none does.
    pub decisive: Vec<bool>,
    /// Default "".
    pub name: String,
}

/// All at once, and the first success wins; the others are dropped. When all have failed:
/// [`Error::Aggregate`], each error with its operation's index.
pub fn race<T: Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    operations: &[Operation<T, E>],
    options: RaceOptions,
) -> Result<Operation<T, E>, Invalid> {
    let mut raw = defaults!(weir_race_options, weir_race_options_init);
    let name = Text::optional(&options.name);
    raw.name = name.as_ptr();
    raw.first_settled = u32::from(options.first_settled);
    let mut decisive: Vec<u8> = options.decisive.iter().map(|&yes| u8::from(yes)).collect();
    if !decisive.is_empty() {
        decisive.resize(operations.len(), 0);
        raw.decisive = decisive.as_ptr();
    }
    let racers = handles(operations);
    let raw = created(|out, error| {
        // SAFETY: the operations are held; what the options point to lives during the call.
        unsafe {
            let racers = (racers.as_ptr(), racers.len());
            sys::weir_race_new(runtime.as_raw(), racers.0, racers.1, &raw, out, error)
        }
    })?;
    let race = Operation::with_extract(raw, runtime, first_of(operations));
    Ok(race)
}

/// The first success of several: a race without options.
pub fn any<T: Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    operations: &[Operation<T, E>],
) -> Result<Operation<T, E>, Invalid> {
    race(runtime, operations, RaceOptions::default())
}

/// All of them give the same type, so whichever it was, the first one's way of reading it is right.
fn first_of<T: Send + 'static, E>(operations: &[Operation<T, E>]) -> Extract<T> {
    match operations.first() {
        Some(first) => Arc::clone(&first.extract),
        // SAFETY: an outcome lends its value to the call.
        None => Arc::new(|value| unsafe { crate::outcome::plain(value) }),
    }
}

/// The results of several operations or items, in their order.
pub struct List<T, E> {
    value: Option<Value>,
    extract: Extract<T>,
    error: PhantomData<fn() -> E>,
}

impl<T: Send + 'static, E: Send + 'static> List<T, E> {
    pub(crate) fn extractor(extract: Extract<T>) -> Extract<List<T, E>> {
        Arc::new(move |value| {
            // SAFETY: an outcome lends its value to the call.
            let value = unsafe { Value::borrowed(value) };
            Some(List { value, extract: Arc::clone(&extract), error: PhantomData })
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.value.as_ref().map_or(0, Value::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each result: a value, or its error.
    pub fn into_results(self) -> Vec<Result<T, Error<E>>> {
        let Some(list) = &self.value else { return Vec::new() };
        let item = |index| {
            // SAFETY: the list is held, and lends its items.
            unsafe {
                let error = sys::weir_value_item_error(list.as_raw(), index);
                if error.is_null() {
                    let item = sys::weir_value_item(list.as_raw(), index);
                    let mismatch = || Error::mismatch(Value::borrowed(item));
                    return (self.extract)(item).ok_or_else(mismatch);
                }
                if let Some(panic) = crate::error::panic_in(error) {
                    std::panic::resume_unwind(panic);
                }
                Err(Error::from_error(error, sys::weir_error_status(error)))
            }
        };
        (0..list.len()).map(item).collect()
    }

    /// The values; the errors, if there are any, are left out.
    pub fn into_vec(self) -> Vec<T> {
        self.into_results().into_iter().filter_map(Result::ok).collect()
    }
}

impl<T, E> std::fmt::Debug for List<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("List").field(&self.value).finish()
    }
}

/// The items of a value that is a list, each a value or an error; none of another value.
pub fn results<T: Send + 'static, E: Send + 'static>(list: &Value) -> Vec<Result<T, Error<E>>> {
    // SAFETY: a list lends its items to the call.
    let extract: Extract<T> = Arc::new(|value| unsafe { crate::outcome::plain(value) });
    List { value: Some(list.clone()), extract, error: PhantomData }.into_results()
}

type NewAll = unsafe extern "C" fn(
    *mut sys::weir_runtime,
    *const *mut sys::weir_operation,
    usize,
    *const std::ffi::c_char,
    *mut *mut sys::weir_operation,
    *mut *mut sys::weir_error,
) -> i32;

fn all_of<T: Send + 'static, E: Send + 'static>(
    new: NewAll,
    runtime: &Runtime,
    operations: &[Operation<T, E>],
) -> Result<NonNull<sys::weir_operation>, Invalid> {
    let members = handles(operations);
    created(|out, error| {
        let name = std::ptr::null();
        // SAFETY: the operations are held.
        unsafe { new(runtime.as_raw(), members.as_ptr(), members.len(), name, out, error) }
    })
}

/// All at once, and each must succeed: the values in their order, or the first failure; then the others
/// are dropped.
pub fn all<T: Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    operations: &[Operation<T, E>],
) -> Result<Operation<Vec<T>, E>, Invalid> {
    let raw = all_of(sys::weir_all_new, runtime, operations)?;
    let list = List::<T, E>::extractor(first_of(operations));
    let extract: Extract<Vec<T>> = Arc::new(move |value| list(value).map(List::into_vec));
    Ok(Operation::with_extract(raw, runtime, extract))
}

/// All at once, and each may fail: the results in their order.
pub fn all_settled<T: Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    operations: &[Operation<T, E>],
) -> Result<Operation<List<T, E>, E>, Invalid> {
    let raw = all_of(sys::weir_all_settled_new, runtime, operations)?;
    let extract = List::extractor(first_of(operations));
    Ok(Operation::with_extract(raw, runtime, extract))
}

/// Operations one after the other: each finds what the one before gave in
/// [`Attempt::input`](crate::Attempt::input). [`waterfall`] does the same with types.
pub fn steps<T: Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    operations: &[Operation<T, E>],
    name: &str,
) -> Result<Operation<T, E>, Invalid> {
    let raw = steps_raw(runtime, &handles(operations), name)?;
    let extract = match operations.last() {
        Some(last) => Arc::clone(&last.extract),
        None => first_of(operations),
    };
    Ok(Operation::with_extract(raw, runtime, extract))
}

fn steps_raw(
    runtime: &Runtime,
    steps: &[*mut sys::weir_operation],
    name: &str,
) -> Result<NonNull<sys::weir_operation>, Invalid> {
    let name = Text::optional(name);
    created(|out, error| {
        let (runtime, name) = (runtime.as_raw(), name.as_ptr());
        // SAFETY: the caller holds the steps.
        unsafe { sys::weir_waterfall_new(runtime, steps.as_ptr(), steps.len(), name, out, error) }
    })
}

/// Steps one after the other, each fed by the last. See [`waterfall`].
pub struct Waterfall<T, E> {
    runtime: Runtime,
    steps: Vec<Operation<(), E>>,
    result: PhantomData<fn() -> T>,
}

/// Begins a waterfall with its first step.
///
/// ```
/// # use weir::{flow, testing};
/// # let runtime = testing::Runtime::new(1);
/// let price = flow::waterfall(&runtime, |_| async { Ok::<u64, String>(20) })?
///     .then(|price: &u64| { let price = *price; async move { Ok(price + 1) } })?
///     .then(|price: &u64| { let price = *price; async move { Ok(format!("{price} EUR")) } })?
///     .build("price")?;
/// assert_eq!(runtime.block_on(price.run()).unwrap(), "21 EUR");
/// # Ok::<(), weir::Invalid>(())
/// ```
pub fn waterfall<T, E, F, Fut>(runtime: &Runtime, first: F) -> Result<Waterfall<T, E>, Invalid>
where
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(Attempt) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    let none: Waterfall<(), E> =
        Waterfall { runtime: runtime.clone(), steps: Vec::new(), result: PhantomData };
    none.add(move |attempt| Box::pin(Packing::new(first(attempt), Completion::of::<T, E>)))
}

impl<T: Send + 'static, E: Send + 'static> Waterfall<T, E> {
    fn add<U>(
        mut self,
        make: impl Fn(Attempt) -> crate::BoxFuture<Completion> + Send + Sync + 'static,
    ) -> Result<Waterfall<U, E>, Invalid> {
        let step = make_raw(&self.runtime, make)?;
        // SAFETY: made just now.
        self.steps.push(unsafe { Operation::from_raw(step, &self.runtime) });
        Ok(Waterfall { runtime: self.runtime, steps: self.steps, result: PhantomData })
    }

    /// One step more. It sees what the step before gave, which stays there for another try.
    pub fn then<U, F, Fut>(self, step: F) -> Result<Waterfall<U, E>, Invalid>
    where
        U: Send + 'static,
        F: Fn(&T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<U, E>> + Send + 'static,
    {
        self.add(move |attempt| {
            let future = attempt.input().and_then(|input| input.look(|value: &T| step(value)));
            let future = future.expect("the step before gives a T");
            Box::pin(Packing::new(future, Completion::of::<U, E>))
        })
    }

    /// The operation. The error of a step that failed says which it was; its own is the cause.
    pub fn build(self, name: &str) -> Result<Operation<T, E>, Invalid> {
        let raw = steps_raw(&self.runtime, &handles(&self.steps), name)?;
        // SAFETY: made just now.
        Ok(unsafe { Operation::from_raw(raw, &self.runtime) })
    }
}

impl<T, E> std::fmt::Debug for Waterfall<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Waterfall").field(&self.steps.len()).finish()
    }
}

type UntilFn = dyn Fn(Outcome<'_>) -> bool + Send + Sync;

/// How a poll goes.
#[derive(Clone, Debug, Default)]
pub struct PollOptions {
    /// Required: from the end of a try to the next one.
    pub interval: Option<Duration>,
    /// Tries, the first included. Default none: no bound.
    pub max_attempts: Option<u64>,
    /// From the first try: none starts after it, and no interval passes it. Default none.
    pub max_elapsed: Option<Duration>,
    /// For the audit. Default "".
    pub name: String,
}

impl PollOptions {
    /// With an interval, and no bounds.
    pub fn every(interval: Duration) -> PollOptions {
        PollOptions { interval: Some(interval), ..PollOptions::default() }
    }
}

/// Runs an operation again and again until its value is what is waited for. Failures are tolerated, but
/// for final ones. When no further try is allowed: the last error, or [`Error::Exhausted`] with the last
/// value.
pub fn poll<T: Send + 'static, E: Send + 'static>(
    operation: &Operation<T, E>,
    options: PollOptions,
    until: impl Fn(&T) -> bool + Send + Sync + 'static,
) -> Result<Operation<T, E>, Invalid> {
    poll_until(operation, options, Some(Box::new(until)))
}

/// As [`poll`], until there is a value that was not judged a failure ([`Attempt::judge`]).
pub fn poll_value<T: Send + 'static, E: Send + 'static>(
    operation: &Operation<T, E>,
    options: PollOptions,
) -> Result<Operation<T, E>, Invalid> {
    poll_until(operation, options, None)
}

type Until<T> = dyn Fn(&T) -> bool + Send + Sync;

fn poll_until<T: Send + 'static, E: Send + 'static>(
    operation: &Operation<T, E>,
    options: PollOptions,
    until: Option<Box<Until<T>>>,
) -> Result<Operation<T, E>, Invalid> {
    let mut raw = defaults!(weir_poll_options, weir_poll_options_init);
    let name = Text::optional(&options.name);
    raw.name = name.as_ptr();
    if let Some(interval) = options.interval {
        raw.interval_ms = ms(interval);
    }
    raw.max_attempts = count(options.max_attempts);
    raw.max_elapsed_ms = ms_or_none(options.max_elapsed);
    if let Some(until) = until {
        let until: Arc<UntilFn> = Arc::new(move |outcome: Outcome<'_>| {
            outcome.value(|value: &T| until(value)).unwrap_or(false)
        });
        raw.until = Some(ask_until);
        raw.until_data = closure_data(&until);
        raw.until_free_data = Some(free_closure::<UntilFn>);
    }
    let raw = created(|out, error| {
        // SAFETY: the operation is held; what the options point to lives during the call.
        unsafe { sys::weir_poll_new(operation.as_raw(), &raw, out, error) }
    })?;
    let poll = Operation::with_extract(raw, &operation.runtime, Arc::clone(&operation.extract));
    Ok(poll)
}

unsafe extern "C" fn ask_until(data: *mut c_void, outcome: *const sys::weir_outcome) -> i32 {
    // SAFETY: the closure's data; the outcome is lent for the call.
    i32::from(guarded(false, || unsafe { closure::<UntilFn>(data)(Outcome::new(&*outcome)) }))
}
