// SPDX-License-Identifier: MIT
//! Operations: recipes that can be started any number of times, and composed.
//!
//! Who polls the futures of an operation's attempts? The run's future, if the run is one of this crate's
//! and still there: weir's thread finds its mailbox among those that the runtime knows, by the run's
//! context. Else the spawner: shared work such as a cache's load, which goes on when the run that began it
//! is gone, wherever it is in what that run does; a run that another language began.

use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use weir_sys as sys;

use crate::attempt::{Attempt, Carried, Completion, Mail, Packing, Ticket};
use crate::error::{Error, Invalid};
use crate::executor::{block_on, BoxFuture, Spawner};
use crate::ffi::{changed, created, guarded, Text};
use crate::mailbox::Mailbox;
use crate::outcome::{plain, result, Settled};
use crate::run::{mailbox_of, refuse, Canceller, Engine, Options, Target};
use crate::{AnyPolicy, Runtime};

/// The mailboxes of the runs that carry operations' attempts, by their addresses.
#[derive(Default)]
pub(crate) struct Mailboxes(Mutex<HashMap<usize, Arc<Mailbox<Mail>>>>);

impl Mailboxes {
    fn with<R>(&self, f: impl FnOnce(&mut HashMap<usize, Arc<Mailbox<Mail>>>) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

/// What an operation's attempts are made by; the `data` of its C operation.
pub(crate) struct Recipe {
    make: Box<dyn Fn(Attempt) -> BoxFuture<Completion> + Send + Sync>,
    mailboxes: Arc<Mailboxes>,
    spawner: Spawner,
}

impl Recipe {
    pub(crate) fn make(&self, attempt: Attempt) -> BoxFuture<Completion> {
        (self.make)(attempt)
    }
}

/// An attempt that no run's future carries.
struct Spawned {
    mailbox: Arc<Mailbox<Mail>>,
    recipe: Option<Arc<Recipe>>,
    carried: Option<Carried<BoxFuture<Completion>>>,
    ticket: Arc<Ticket>,
}

impl Future for Spawned {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Some(recipe) = this.recipe.take() {
            let attempt = Attempt(Arc::clone(&this.ticket));
            this.carried = Carried::new(Arc::clone(&this.ticket), || recipe.make(attempt));
        }
        // All that comes by mail is that the attempt is to stop, which the poll below asks, too.
        while this.mailbox.take(context.waker()).is_some() {}
        let over = this.carried.as_mut().is_none_or(|carried| carried.poll(context));
        if over {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.carried = None;
        self.ticket.complete(Completion::Dropped);
        self.mailbox.close();
    }
}

/// The start function of a runtime's own operation, by which the functions of runs are started.
pub(crate) unsafe extern "C" fn start_local(_: *mut c_void, attempt: *mut sys::weir_attempt) {
    // SAFETY: the attempt is valid during this call; only engines run this operation.
    guarded((), || unsafe {
        let attempt = &mut *attempt;
        let mailbox = mailbox_of(attempt.context);
        post(attempt, mailbox, None);
    });
}

unsafe fn post(
    attempt: &mut sys::weir_attempt,
    mailbox: Arc<Mailbox<Mail>>,
    recipe: Option<Arc<Recipe>>,
) {
    // SAFETY: the caller's attempt.
    let ticket = unsafe { Ticket::begin(attempt, Arc::clone(&mailbox)) };
    refuse(mailbox.post(Mail::Start(ticket, recipe)).err().into_iter());
}

unsafe extern "C" fn start_recipe(data: *mut c_void, attempt: *mut sys::weir_attempt) {
    // SAFETY: the operation's data, and an attempt that is valid during this call.
    guarded((), || unsafe {
        let recipe = recipe_of(data);
        let attempt = &mut *attempt;
        let carrier = (attempt.shared == 0).then(|| {
            recipe.mailboxes.with(|boxes| boxes.get(&(attempt.context as usize)).cloned())
        });
        match carrier.flatten() {
            Some(mailbox) => post(attempt, mailbox, Some(recipe)),
            None => spawn(attempt, recipe),
        }
    });
}

unsafe fn spawn(attempt: &mut sys::weir_attempt, recipe: Arc<Recipe>) {
    let mailbox = Arc::new(Mailbox::new());
    // SAFETY: the caller's attempt.
    let ticket = unsafe { Ticket::begin(attempt, Arc::clone(&mailbox)) };
    let spawner = recipe.spawner.clone();
    spawner.spawn(Box::pin(Spawned { mailbox, recipe: Some(recipe), carried: None, ticket }));
}

unsafe fn recipe_of(data: *mut c_void) -> Arc<Recipe> {
    let recipe = data.cast_const().cast::<Recipe>();
    // SAFETY: the operation holds a reference.
    unsafe {
        Arc::increment_strong_count(recipe);
        Arc::from_raw(recipe)
    }
}

unsafe extern "C" fn free_recipe(data: *mut c_void) {
    // SAFETY: the operation's reference.
    guarded((), || drop(unsafe { Arc::from_raw(data.cast_const().cast::<Recipe>()) }));
}

/// Makes a C operation of a recipe.
pub(crate) fn make_raw(
    runtime: &Runtime,
    make: impl Fn(Attempt) -> BoxFuture<Completion> + Send + Sync + 'static,
) -> Result<NonNull<sys::weir_operation>, Invalid> {
    let recipe = Arc::new(Recipe {
        make: Box::new(make),
        mailboxes: Arc::clone(runtime.mailboxes()),
        spawner: runtime.spawner().clone(),
    });
    let data = Arc::into_raw(recipe).cast_mut().cast();
    created(|out, error| {
        // SAFETY: the runtime lives; the data is freed by weir, also if this fails.
        unsafe {
            sys::weir_operation_new(
                runtime.as_raw(),
                Some(start_recipe),
                data,
                Some(free_recipe),
                out,
                error,
            )
        }
    })
}

pub(crate) type Extract<T> = Arc<dyn Fn(*mut sys::weir_value) -> Option<T> + Send + Sync>;

/// What to do, as a value: it can be run any number of times, also at once, wrapped in policies, raced,
/// run in parallel. `T` is what it gives, `E` the error of the functions it is made of.
pub struct Operation<T, E> {
    pub(crate) raw: NonNull<sys::weir_operation>,
    pub(crate) runtime: Runtime,
    pub(crate) extract: Extract<T>,
    error: PhantomData<fn() -> E>,
}

// SAFETY: an operation takes any thread; its recipe is Send and Sync.
unsafe impl<T, E> Send for Operation<T, E> {}
// SAFETY: as above.
unsafe impl<T, E> Sync for Operation<T, E> {}

impl<T, E> Clone for Operation<T, E> {
    fn clone(&self) -> Self {
        // SAFETY: a reference is held.
        unsafe { sys::weir_operation_ref(self.raw.as_ptr()) };
        Operation {
            raw: self.raw,
            runtime: self.runtime.clone(),
            extract: Arc::clone(&self.extract),
            error: PhantomData,
        }
    }
}

impl<T, E> Drop for Operation<T, E> {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::weir_operation_unref(self.raw.as_ptr()) };
    }
}

impl<T, E> fmt::Debug for Operation<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Operation").field(&self.raw).finish()
    }
}

impl<T: Send + 'static, E: Send + 'static> Operation<T, E> {
    /// An operation from an async function, called once for each attempt.
    ///
    /// ```
    /// # use weir::{testing, Operation};
    /// # let runtime = testing::Runtime::new(1);
    /// let fetch = Operation::<_, String>::new(&runtime, |_attempt| async { Ok(7) })?;
    /// assert_eq!(runtime.block_on(fetch.run()).unwrap(), 7);
    /// # Ok::<(), weir::Invalid>(())
    /// ```
    pub fn new<F, Fut>(runtime: &Runtime, function: F) -> Result<Operation<T, E>, Invalid>
    where
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let make = move |attempt| -> BoxFuture<Completion> {
            Box::pin(Packing::new(function(attempt), Completion::of::<T, E>))
        };
        // SAFETY: the operation was made just now.
        make_raw(runtime, make).map(|raw| unsafe { Operation::from_raw(raw, runtime) })
    }

    /// An operation that begins its work at once, on weir's thread, and hands the [`Completer`] to whoever
    /// ends it. `start` must not block.
    pub fn from_completer(
        runtime: &Runtime,
        start: impl Fn(Completer<T, E>) + Send + Sync + 'static,
    ) -> Result<Operation<T, E>, Invalid> {
        type StartFn<T, E> = dyn Fn(Completer<T, E>) + Send + Sync;
        unsafe extern "C" fn begin<T: Send + 'static, E: Send + 'static>(
            data: *mut c_void,
            attempt: *mut sys::weir_attempt,
        ) {
            // SAFETY: the operation's data; the attempt is valid during this call.
            guarded((), || unsafe {
                let start = crate::ffi::closure::<StartFn<T, E>>(data);
                // Nobody takes mail: a cancel is asked for, see Attempt::cancelled. What lay there would keep
                // the ticket, and the ticket it.
                let mailbox = Arc::new(Mailbox::new());
                mailbox.close();
                let ticket = Ticket::begin(&mut *attempt, mailbox);
                start(Completer { attempt: Attempt(ticket), result: PhantomData });
            });
        }
        let start: Arc<StartFn<T, E>> = Arc::new(start);
        let raw = created(|out, error| {
            // SAFETY: the runtime lives; the data is freed by weir, also if this fails.
            unsafe {
                sys::weir_operation_new(
                    runtime.as_raw(),
                    Some(begin::<T, E>),
                    crate::ffi::closure_data(&start),
                    Some(crate::ffi::free_closure::<StartFn<T, E>>),
                    out,
                    error,
                )
            }
        })?;
        // SAFETY: the operation was made just now.
        Ok(unsafe { Operation::from_raw(raw, runtime) })
    }

    /// An operation whose function may block: it is called on a thread of libuv's pool. It cannot be
    /// stopped; a run that was told to does not wait for it. Not for [`testing`](crate::testing).
    pub fn blocking(
        runtime: &Runtime,
        function: impl Fn() -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Operation<T, E>, Invalid> {
        crate::blocking::make(runtime, Arc::new(move || Completion::of(function())))
            // SAFETY: the operation was made just now.
            .map(|raw| unsafe { Operation::from_raw(raw, runtime) })
    }

    /// An operation that another module or language made. Its value has to be a T of this crate's, a
    /// [`Value`](crate::Value), or with `()` none; runs end with [`Error::Other`] otherwise.
    ///
    /// # Safety
    /// `raw` is an operation of `runtime`, of which the caller owns a reference, which this takes.
    pub unsafe fn from_raw(
        raw: NonNull<sys::weir_operation>,
        runtime: &Runtime,
    ) -> Operation<T, E> {
        // SAFETY: an outcome lends its value to the call of `extract`.
        let extract: Extract<T> = Arc::new(|value| unsafe { plain(value) });
        Operation { raw, runtime: runtime.clone(), extract, error: PhantomData }
    }

    pub(crate) fn with_extract(
        raw: NonNull<sys::weir_operation>,
        runtime: &Runtime,
        extract: Extract<T>,
    ) -> Operation<T, E> {
        Operation { raw, runtime: runtime.clone(), extract, error: PhantomData }
    }

    /// The same operation, its results read as other types: a run ends with [`Error::Other`] if they are
    /// not. With `Option<Value>` every value is right.
    pub fn cast<U: Send + 'static, X: Send + 'static>(&self) -> Operation<U, X> {
        // SAFETY: the handle is held; the reference is the new handle's.
        let raw = unsafe { sys::weir_operation_ref(self.as_raw()) };
        let raw = NonNull::new(raw).expect("an operation has a handle");
        // SAFETY: as above.
        unsafe { Operation::from_raw(raw, &self.runtime) }
    }

    /// The C handle, borrowed.
    pub fn as_raw(&self) -> *mut sys::weir_operation {
        self.raw.as_ptr()
    }

    /// The operation's runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Runs it once.
    pub fn run(&self) -> OperationRun<T, E> {
        self.run_with(Options::default())
    }

    /// Runs it once, with options.
    pub fn run_with(&self, options: Options) -> OperationRun<T, E> {
        OperationRun::new(self, None, options)
    }

    /// Runs it once under a policy, with options: what [`Operation::under`] and a run do, without a new
    /// operation; and the policy may be one that the operation has inside already, which counts twice.
    pub fn run_under(
        &self,
        policy: &(impl crate::Policy + ?Sized),
        options: Options,
    ) -> OperationRun<T, E> {
        OperationRun::new(self, Some(policy.any()), options)
    }

    /// Runs it and waits, on this thread, which must not be the runtime's or one that has tasks to do.
    pub fn run_wait(&self) -> Result<T, Error<E>> {
        self.run_wait_with(Options::default())
    }

    /// As `run_wait`, with options.
    pub fn run_wait_with(&self, options: Options) -> Result<T, Error<E>> {
        block_on(WaitedFor(self.run_with(options)))
    }

    /// The operation under a policy: it goes around what is there already.
    pub fn under(
        &self,
        policy: &(impl crate::Policy + ?Sized),
    ) -> Result<Operation<T, E>, Invalid> {
        let policy: AnyPolicy = policy.any();
        let raw = created(|out, error| {
            // SAFETY: both are held.
            unsafe { sys::weir_policy_wrap(policy.as_raw(), self.raw.as_ptr(), out, error) }
        })?;
        let extract = Arc::clone(&self.extract);
        Ok(Operation::with_extract(raw, &self.runtime, extract))
    }

    /// A label on its metrics; each key once.
    pub fn set_label(&self, key: &str, value: &str) -> Result<(), Invalid> {
        let (key, value) = (Text::new(key), Text::new(value));
        // SAFETY: the texts live during the call, which copies them.
        changed(|error| unsafe {
            sys::weir_operation_set_label(self.as_raw(), key.as_ptr(), value.as_ptr(), error)
        })
    }
}

impl<T: Clone + Send + 'static, E: Clone + Send + 'static> Operation<T, E> {
    /// As `new`, but its results may be had by several, each of whom gets a clone.
    pub fn cloning<F, Fut>(runtime: &Runtime, function: F) -> Result<Self, Invalid>
    where
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let make = move |attempt| -> BoxFuture<Completion> {
            Box::pin(Packing::new(function(attempt), Completion::shared::<T, E>))
        };
        // SAFETY: the operation was made just now.
        make_raw(runtime, make).map(|raw| unsafe { Operation::from_raw(raw, runtime) })
    }
}

impl<V: Send + Sync + 'static, X: Send + Sync + 'static> Operation<Arc<V>, Arc<X>> {
    /// An operation whose results several may get, such as a cache's loader: they come in Arcs, of which
    /// each gets a copy. The function gives them bare.
    pub fn shared<F, Fut>(runtime: &Runtime, function: F) -> Result<Self, Invalid>
    where
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, X>> + Send + 'static,
    {
        let raw = make_raw(runtime, move |attempt| crate::flight::shared(function(attempt)))?;
        // SAFETY: made just now.
        Ok(unsafe { Operation::from_raw(raw, runtime) })
    }
}

/// A run of an [`Operation`]. Nothing happens until it is polled; dropping it cancels the run.
#[must_use = "a run does nothing unless it is awaited"]
pub struct OperationRun<T, E> {
    engine: Engine<BoxFuture<Completion>>,
    extract: Extract<T>,
    registered: bool,
    error: PhantomData<fn() -> E>,
}

impl<T, E> Unpin for OperationRun<T, E> {}

impl<T: Send + 'static, E: Send + 'static> OperationRun<T, E> {
    fn new(operation: &Operation<T, E>, policy: Option<AnyPolicy>, options: Options) -> Self {
        let policy = policy.as_ref().map_or(ptr::null_mut(), AnyPolicy::as_raw);
        // SAFETY: the operation is held, and so is the policy.
        let target = unsafe { Target::new(operation.as_raw(), policy) };
        let mut run = OperationRun {
            engine: Engine::new(operation.runtime.clone(), target, Some(options), true),
            extract: Arc::clone(&operation.extract),
            registered: false,
            error: PhantomData,
        };
        run.register();
        run
    }

    fn register(&mut self) {
        let mailbox = Arc::clone(self.engine.mailbox());
        let address = Arc::as_ptr(&mailbox) as usize;
        self.engine.runtime.mailboxes().with(|boxes| boxes.insert(address, mailbox));
        self.registered = true;
    }

    fn poll_outcome(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<&sys::weir_outcome, Invalid>> {
        self.engine.poll(context, &mut |_, other| other.expect("operations have recipes"))
    }

    fn read(extract: &Extract<T>, outcome: &sys::weir_outcome) -> Result<T, Error<E>> {
        // SAFETY: the outcome is a settled call's.
        unsafe { result(outcome, |value| extract(value)) }
            .unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// What cancels the run from elsewhere.
    pub fn canceller(&mut self) -> Canceller {
        self.engine.canceller()
    }

    /// The same run, but its future gives the numbers beside the result.
    pub fn settled(mut self) -> impl Future<Output = Settled<T, E>> {
        let extract = Arc::clone(&self.extract);
        std::future::poll_fn(move |context| {
            self.poll_outcome(context).map(|outcome| match outcome {
                Err(invalid) => Settled::unstarted(invalid.into()),
                Ok(outcome) => Settled::new(Self::read(&extract, outcome), outcome),
            })
        })
    }
}

impl<T: Send + 'static, E: Send + 'static> Future for OperationRun<T, E> {
    type Output = Result<T, Error<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let extract = Arc::clone(&self.extract);
        self.poll_outcome(context).map(|outcome| Self::read(&extract, outcome?))
    }
}

impl<T, E> Drop for OperationRun<T, E> {
    fn drop(&mut self) {
        if self.registered {
            let address = Arc::as_ptr(self.engine.mailbox()) as usize;
            drop(self.engine.runtime.mailboxes().with(|boxes| boxes.remove(&address)));
        }
    }
}

impl<T, E> fmt::Debug for OperationRun<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationRun").finish_non_exhaustive()
    }
}

/// A run that a thread waits for: refused on the runtime's own, which would wait for itself.
struct WaitedFor<T, E>(OperationRun<T, E>);

impl<T: Send + 'static, E: Send + 'static> Future for WaitedFor<T, E> {
    type Output = Result<T, Error<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = Pin::new(&mut self.0).poll(context);
        let call = self.0.engine.call();
        if poll.is_pending() && !call.is_null() {
            // SAFETY: the engine holds the call.
            let status = unsafe { sys::weir_call_wait(call, 0) };
            if status == sys::WEIR_ETHREAD {
                let refused = Invalid::new(
                    crate::Status::WRONG_THREAD,
                    "run_wait must not be called on the runtime's thread",
                );
                return Poll::Ready(Err(refused.into()));
            }
        }
        poll
    }
}

/// Ends an attempt, from any thread, once. Dropped without that, it fails the attempt.
#[must_use = "a completer that is dropped fails its attempt"]
pub struct Completer<T, E> {
    attempt: Attempt,
    result: PhantomData<fn(T, E)>,
}

impl<T: Send + 'static, E: Send + 'static> Completer<T, E> {
    /// What the attempt is told and can say beside its result.
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Ends it.
    pub fn complete(self, result: Result<T, E>) {
        self.attempt.0.complete(Completion::of(result));
    }

    /// Ends it with a result that several may get.
    pub fn complete_shared(self, result: Result<T, E>)
    where
        T: Clone,
        E: Clone,
    {
        self.attempt.0.complete(Completion::shared(result));
    }
}

impl<T, E> Drop for Completer<T, E> {
    fn drop(&mut self) {
        self.attempt.0.complete(Completion::Dropped);
    }
}

impl<T, E> fmt::Debug for Completer<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Completer").field(&self.attempt).finish()
    }
}
