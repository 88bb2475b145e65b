// SPDX-License-Identifier: MIT
//! Parallel and pool: many operations, or one function over many items, at most so many at once.

use std::ffi::c_void;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir_sys as sys;

use crate::attempt::{Attempt, Completion, Marks, Packing};
use crate::error::Invalid;
use crate::ffi::{
    changed, closure, closure_data, count, created, defaults, free_closure, guarded, handle,
    ms_or_none, stats, Text,
};
use crate::flow::List;
use crate::operation::{make_raw, Extract, Operation, OperationRun};
use crate::outcome::Outcome;
use crate::run::Options as RunOptions;
use crate::value::Value;
use crate::{AnyPolicy, Runtime};

type ItemFn = dyn Fn(u64, Outcome<'_>) + Send + Sync;
type ProgressFn = dyn Fn(u64, Option<u64>) + Send + Sync;

/// Told each item's index and outcome, on weir's thread, instead of collecting a list.
#[derive(Clone)]
pub struct OnItem(Arc<ItemFn>);

impl OnItem {
    /// From any function.
    pub fn new(tell: impl Fn(u64, Outcome<'_>) + Send + Sync + 'static) -> Self {
        OnItem(Arc::new(tell))
    }
}

impl fmt::Debug for OnItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnItem(..)")
    }
}

/// Told how many items have settled, of how many (None while nobody knows), on weir's thread.
#[derive(Clone)]
pub struct OnProgress(Arc<ProgressFn>);

impl OnProgress {
    /// From any function.
    pub fn new(tell: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        OnProgress(Arc::new(tell))
    }
}

impl fmt::Debug for OnProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnProgress(..)")
    }
}

/// All items at once.
pub const UNLIMITED: u64 = u64::MAX;

/// How a parallel or a pool goes.
#[derive(Clone, Debug)]
pub struct Options {
    /// Required: items at once, at least 1, or [`UNLIMITED`].
    pub concurrency: u64,
    /// Whether the first failure ends it. Default true.
    pub stop_on_error: bool,
    /// Each item may take so long. Default none.
    pub item_timeout: Option<Duration>,
    /// Around each item. Default none.
    pub policy: Option<AnyPolicy>,
    /// Default none: the results are collected in a list.
    pub on_item: Option<OnItem>,
    /// Default none.
    pub on_progress: Option<OnProgress>,
    /// Default "".
    pub name: String,
}

impl Default for Options {
    /// Without a concurrency, which is required.
    fn default() -> Self {
        Options {
            concurrency: 0,
            stop_on_error: true,
            item_timeout: None,
            policy: None,
            on_item: None,
            on_progress: None,
            name: String::new(),
        }
    }
}

impl Options {
    /// The defaults with so many at once.
    pub fn concurrency(concurrency: u64) -> Options {
        Options { concurrency, ..Options::default() }
    }
}

macro_rules! raw_options {
    ($options:expr, $name:expr, $raw:ident, $init:ident) => {{
        let options: &Options = $options;
        let mut raw = defaults!($raw, $init);
        raw.name = $name.as_ptr();
        raw.concurrency = count((options.concurrency != UNLIMITED).then_some(options.concurrency));
        raw.stop_on_error = u32::from(options.stop_on_error);
        raw.item_timeout_ms = ms_or_none(options.item_timeout);
        raw.policy = options.policy.as_ref().map_or(ptr::null_mut(), AnyPolicy::as_raw);
        if let Some(on_item) = &options.on_item {
            raw.on_item = Some(tell_item);
            raw.item_data = closure_data(&on_item.0);
            raw.item_free_data = Some(free_closure::<ItemFn>);
        }
        if let Some(on_progress) = &options.on_progress {
            raw.on_progress = Some(tell_progress);
            raw.progress_data = closure_data(&on_progress.0);
            raw.progress_free_data = Some(free_closure::<ProgressFn>);
        }
        raw
    }};
}

unsafe extern "C" fn tell_item(data: *mut c_void, index: u64, outcome: *const sys::weir_outcome) {
    // SAFETY: the closure's data; the outcome is lent for the call.
    guarded((), || unsafe { closure::<ItemFn>(data)(index, Outcome::new(&*outcome)) });
}

unsafe extern "C" fn tell_progress(data: *mut c_void, done: u64, total: u64) {
    let total = (total != u64::MAX).then_some(total);
    // SAFETY: the closure's data.
    guarded((), || unsafe { closure::<ProgressFn>(data)(done, total) });
}

/// All of the operations, at most so many at once. What it gives is the list of their results, which has
/// errors only if it does not stop on them, and is empty if there is a listener for items.
pub fn all<T: Send + 'static, E: Send + 'static>(
    runtime: &Runtime,
    operations: &[Operation<T, E>],
    options: Options,
) -> Result<Operation<List<T, E>, E>, Invalid> {
    let name = Text::optional(&options.name);
    let raw = raw_options!(&options, name, weir_parallel_options, weir_parallel_options_init);
    let members: Vec<_> = operations.iter().map(|operation| operation.raw.as_ptr()).collect();
    let raw = created(|out, error| {
        // SAFETY: the operations are held; what the options point to lives during the call.
        unsafe {
            let (members, count) = (members.as_ptr(), members.len());
            sys::weir_parallel_new(runtime.as_raw(), members, count, &raw, out, error)
        }
    })?;
    let extract = match operations.first() {
        Some(first) => Arc::clone(&first.extract),
        None => Arc::new(|_: *mut sys::weir_value| None) as Extract<T>,
    };
    let all = Operation::with_extract(raw, runtime, List::extractor(extract));
    Ok(all)
}

/// A function over items, at most so many at once. It gets the item, which several attempts may share.
///
/// ```
/// # use weir::{parallel, testing};
/// # let runtime = testing::Runtime::new(1);
/// let options = parallel::Options { concurrency: 2, ..Default::default() };
/// let lengths = parallel::each(&runtime, ["a", "bb", "ccc"], options, |item, _attempt| async move {
///     Ok::<_, String>(item.len())
/// })?;
/// assert_eq!(runtime.block_on(lengths.run()).unwrap().into_vec(), [1, 2, 3]);
/// # Ok::<(), weir::Invalid>(())
/// ```
pub fn each<I, T, E, F, Fut>(
    runtime: &Runtime,
    items: impl IntoIterator<Item = I>,
    options: Options,
    function: F,
) -> Result<Operation<List<T, E>, E>, Invalid>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(Arc<I>, Attempt) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    let items: Result<Vec<_>, _> =
        items.into_iter().map(|item| Value::shared(Arc::new(item))).collect();
    let items = Value::from_list(items?)?;
    each_of(runtime, Some(&items), options, function, |_| {})
}

/// As [`each`], but items are taken from an iterator when there is room for them: a million need no more
/// memory than ten, with a listener for items. The iterator is asked on weir's thread, and used up by one
/// run.
pub fn each_from<I, T, E, F, Fut>(
    runtime: &Runtime,
    items: impl IntoIterator<Item = I, IntoIter: Send + 'static>,
    options: Options,
    function: F,
) -> Result<Operation<List<T, E>, E>, Invalid>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(Arc<I>, Attempt) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    let mut items = items.into_iter();
    let next = move || items.next().map(|item| Value::shared(Arc::new(item)));
    let pull: Arc<Mutex<PullFn>> = Arc::new(Mutex::new(next));
    each_of(runtime, None, options, function, |raw| {
        raw.pull = Some(pull_next);
        raw.pull_data = closure_data(&pull);
        raw.pull_free_data = Some(free_closure::<Mutex<PullFn>>);
    })
}

/// As [`each`], but items are taken from a stream when there is room for them. The stream is used up by
/// one run, whose future polls it.
#[cfg(feature = "stream")]
pub fn each_of_stream<S, I, T, E, F, Fut>(
    runtime: &Runtime,
    items: S,
    options: Options,
    function: F,
) -> Result<Operation<List<T, E>, E>, Invalid>
where
    S: futures_core::Stream<Item = Result<I, E>> + Send + 'static,
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(Arc<I>, Attempt) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    let stream = Arc::new(Mutex::new(Box::pin(items)));
    let source = make_raw(runtime, move |_| {
        let stream = Arc::clone(&stream);
        let next = std::future::poll_fn(move |context| {
            let mut stream = stream.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            stream.as_mut().poll_next(context)
        });
        let item = async move {
            match next.await {
                None => Ok(None),
                Some(Ok(item)) => Ok(Value::shared(Arc::new(item)).ok()),
                Some(Err(error)) => Err(error),
            }
        };
        Box::pin(Packing::new(item, Completion::of::<Option<Value>, E>))
    })?;
    // SAFETY: made just now; weir takes a reference of its own.
    let source: Operation<Option<Value>, E> = unsafe { Operation::from_raw(source, runtime) };
    each_of(runtime, None, options, function, |raw| raw.source = source.as_raw())
}

type PullFn = dyn FnMut() -> Option<Result<Value, Invalid>> + Send;

unsafe extern "C" fn pull_next(
    data: *mut c_void,
    _: u64,
    item: *mut *mut sys::weir_value,
    error: *mut *mut sys::weir_error,
) -> u32 {
    // SAFETY: the closure's data; `item` and `error` are places to write to; without a runtime, memory is
    // malloc's.
    unsafe {
        let pull = closure::<Mutex<PullFn>>(data);
        let mut pull = pull.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match catch_unwind(AssertUnwindSafe(&mut *pull)) {
            Ok(None) => sys::WEIR_PULL_END,
            Ok(Some(Ok(value))) => {
                *item = value.into_raw();
                sys::WEIR_PULL_ITEM
            }
            Ok(Some(Err(_))) => sys::WEIR_PULL_ERROR,
            Err(panic) => {
                let panicked = Completion::Panicked(panic);
                (_, *error) = panicked.into_raw(ptr::null_mut(), &Marks::default());
                sys::WEIR_PULL_ERROR
            }
        }
    }
}

fn each_of<I, T, E, F, Fut>(
    runtime: &Runtime,
    items: Option<&Value>,
    options: Options,
    function: F,
    fill: impl FnOnce(&mut sys::weir_parallel_options),
) -> Result<Operation<List<T, E>, E>, Invalid>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(Arc<I>, Attempt) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    let item = make_raw(runtime, move |attempt| {
        let item = attempt.input().and_then(Value::take::<Arc<I>>).expect("each attempt's item");
        Box::pin(Packing::new(function(item, attempt), Completion::of::<T, E>))
    })?;
    // SAFETY: made just now; weir takes a reference of its own.
    let item: Operation<T, E> = unsafe { Operation::from_raw(item, runtime) };
    over_filled(&item, items, options, fill)
}

/// An operation over the items of a list ([`Value::from_list`]), at most so many at once. It finds its item
/// in [`Attempt::input`].
pub fn over<T: Send + 'static, E: Send + 'static>(
    operation: &Operation<T, E>,
    items: &Value,
    options: Options,
) -> Result<Operation<List<T, E>, E>, Invalid> {
    over_filled(operation, Some(items), options, |_| {})
}

fn over_filled<T: Send + 'static, E: Send + 'static>(
    item: &Operation<T, E>,
    items: Option<&Value>,
    options: Options,
    fill: impl FnOnce(&mut sys::weir_parallel_options),
) -> Result<Operation<List<T, E>, E>, Invalid> {
    let name = Text::optional(&options.name);
    let mut raw = raw_options!(&options, name, weir_parallel_options, weir_parallel_options_init);
    fill(&mut raw);
    let items = items.map_or(ptr::null_mut(), Value::as_raw);
    let raw = created(|out, error| {
        // SAFETY: all are held; what the options point to lives during the call.
        unsafe { sys::weir_parallel_new_each(item.as_raw(), items, &raw, out, error) }
    })?;
    let list = List::extractor(Arc::clone(&item.extract));
    Ok(Operation::with_extract(raw, item.runtime(), list))
}

handle! {
    /// The C handle.
    Handle, weir_pool, weir_pool_ref, weir_pool_unref
}

/// A parallel whose operations are added before and while it runs, from any thread. One run takes the
/// pool, and ends when it is sealed and drained.
///
/// ```
/// # use weir::{parallel, testing, Operation, Pool};
/// # let runtime = testing::Runtime::new(1);
/// let pool = Pool::new(&runtime, parallel::Options::concurrency(4))?;
/// for number in 0..3 {
///     pool.add(&Operation::new(&runtime, move |_| async move { Ok::<_, String>(number) })?)?;
/// }
/// pool.seal();
/// assert_eq!(runtime.block_on(pool.run()).unwrap().into_vec(), [0, 1, 2]);
/// # Ok::<(), weir::Invalid>(())
/// ```
pub struct Pool<T, E> {
    handle: Handle,
    types: PhantomData<fn() -> (T, E)>,
}

impl<T, E> Clone for Pool<T, E> {
    fn clone(&self) -> Self {
        Pool { handle: self.handle.clone(), types: PhantomData }
    }
}

impl<T, E> fmt::Debug for Pool<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.handle.raw).finish()
    }
}

impl<T: Send + 'static, E: Send + 'static> Pool<T, E> {
    /// Makes a pool.
    pub fn new(runtime: &Runtime, options: Options) -> Result<Self, Invalid> {
        let name = Text::optional(&options.name);
        let raw = raw_options!(&options, name, weir_pool_options, weir_pool_options_init);
        let raw = created(|out, error| {
            // SAFETY: what the options point to lives during the call.
            unsafe { sys::weir_pool_new(runtime.as_raw(), &raw, out, error) }
        })?;
        Ok(Pool { handle: Handle { raw, runtime: runtime.clone() }, types: PhantomData })
    }

    /// Adds an operation; refused once the pool is sealed or over.
    pub fn add(&self, operation: &Operation<T, E>) -> Result<(), Invalid> {
        self.add_with(operation, None)
    }

    /// As `add`, with what the operation finds in [`Attempt::input`].
    pub fn add_with(
        &self,
        operation: &Operation<T, E>,
        input: Option<&Value>,
    ) -> Result<(), Invalid> {
        let input = input.map_or(ptr::null_mut(), Value::as_raw);
        // SAFETY: all are held.
        changed(|error| unsafe {
            sys::weir_pool_add(self.handle.as_raw(), operation.as_raw(), input, error)
        })
    }

    /// No more is added.
    pub fn seal(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_pool_seal(self.handle.as_raw()) };
    }

    /// Runs what was and is added, until the pool is sealed and drained: the results in the order of
    /// adding. Once.
    pub fn run(&self) -> OperationRun<List<T, E>, E> {
        self.run_with(RunOptions::default())
    }

    /// As `run`, with options.
    pub fn run_with(&self, options: RunOptions) -> OperationRun<List<T, E>, E> {
        self.operation().run_with(options)
    }

    /// The pool as an operation, of which one run takes the pool.
    pub fn operation(&self) -> Operation<List<T, E>, E> {
        // SAFETY: the handle is held; the operation gets a reference of its own.
        let operation = unsafe {
            let raw = sys::weir_operation_ref(sys::weir_pool_operation(self.handle.as_raw()));
            NonNull::new(raw).expect("it is an operation")
        };
        // SAFETY: a list lends its items to the call.
        let extract: Extract<T> = Arc::new(|value| unsafe { crate::outcome::plain(value) });
        Operation::with_extract(operation, &self.handle.runtime, List::extractor(extract))
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_pool_stats {
        stats!(weir_pool_stats, weir_pool_get_stats, self.handle.as_raw())
    }
}
