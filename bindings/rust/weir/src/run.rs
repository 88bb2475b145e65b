// SPDX-License-Identifier: MIT
//! Runs: the futures that callers await. A run's future carries the attempts of the user's function
//! inside of itself: weir's thread says when one begins or has to stop, the caller's executor polls.
//!
//! | state    | what happens                              | next              |
//! |----------|-------------------------------------------|-------------------|
//! | prepared | first poll: weir_run()                    | running, or over  |
//! | running  | mail: attempts begin, are polled, stopped | running           |
//! | running  | mail: settled                             | over              |
//! | any      | dropped: the call is cancelled, attempts  | -                 |
//! |          | are dropped and completed, mail refused   |                   |
//!
//! What must stay true: the mailbox outlives every pointer to it that weir has, because the settlement's
//! data is a reference of it; an attempt that began is completed exactly once, by its `Carried` or, if
//! the mailbox is closed, by whoever gets its mail back.

use std::ffi::c_void;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use weir_sys as sys;

use crate::attempt::{Attempt, Carried, Completion, Mail, Packing, Ticket};
use crate::error::{Error, Invalid};
use crate::executor::BoxFuture;
use crate::ffi::{guarded, ms_or_none, Text};
use crate::mailbox::Mailbox;
use crate::outcome::{plain, result, Settled};
use crate::scope::ScopeView;
use crate::value::Value;
use crate::Runtime;

/// How a single run goes, beside its policy.
#[derive(Clone, Debug)]
pub struct Options {
    /// From the start of the run until it stops with [`Error::TimedOut`]. Nothing is started or waited for
    /// that cannot fit. None: no deadline (default).
    pub deadline: Option<Duration>,
    /// For keyed policies. Default none.
    pub key: Option<Vec<u8>>,
    /// For logs and the audit. Default "".
    pub name: String,
    /// What limiters count it as; at least 1, default 1.
    pub permits: u32,
    /// Order in queues that go by priority: 0 (first) to 63; default 31.
    pub priority: u32,
    /// The scope that the run joins. Default none.
    pub scope: Option<ScopeView>,
    /// What attempts get as [`Attempt::input`]. Default none.
    pub input: Option<Value>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            deadline: None,
            key: None,
            name: String::new(),
            permits: 1,
            priority: 31,
            scope: None,
            input: None,
        }
    }
}

impl Options {
    /// The defaults with a deadline.
    pub fn deadline(deadline: Duration) -> Options {
        Options { deadline: Some(deadline), ..Options::default() }
    }

    /// The defaults with a key.
    pub fn key(key: impl AsRef<[u8]>) -> Options {
        Options { key: Some(key.as_ref().to_vec()), ..Options::default() }
    }

    /// The defaults in a scope.
    pub fn scope(scope: &ScopeView) -> Options {
        Options { scope: Some(scope.clone()), ..Options::default() }
    }
}

/// What is run: an operation under a policy (nullable). A reference of each is held.
pub(crate) struct Target {
    operation: NonNull<sys::weir_operation>,
    policy: *mut sys::weir_policy,
}

// SAFETY: handles take any thread.
unsafe impl Send for Target {}

impl Target {
    /// # Safety
    /// The operation lives during the call, and the policy, unless it is null.
    pub(crate) unsafe fn new(
        operation: *mut sys::weir_operation,
        policy: *mut sys::weir_policy,
    ) -> Target {
        // SAFETY: as this function's.
        let (operation, policy) =
            unsafe { (sys::weir_operation_ref(operation), sys::weir_policy_ref(policy)) };
        let operation = NonNull::new(operation).expect("an operation has a handle");
        Target { operation, policy }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // SAFETY: the references are ours; null is legal.
        unsafe {
            sys::weir_operation_unref(self.operation.as_ptr());
            sys::weir_policy_unref(self.policy);
        }
    }
}

enum State {
    Prepared,
    Running,
    Over,
}

/// A run without its types: everything but the function that makes attempts and the one that reads the
/// outcome.
pub(crate) struct Engine<F> {
    pub(crate) runtime: Runtime,
    target: Target,
    options: Option<Box<Options>>,
    mailbox: Arc<Mailbox<Mail>>,
    call: *mut sys::weir_call,
    canceller: Option<Canceller>,
    state: State,
    children: Children<F>,
    /// Whether attempts are woken one by one (many at once) or all with the future (mostly one).
    singly: bool,
}

// SAFETY: a call takes any thread; the rest is Send if the children are.
unsafe impl<F: Send> Send for Engine<F> {}
// SAFETY: nothing can be done with a shared reference.
unsafe impl<F> Sync for Engine<F> {}

impl<F> Unpin for Engine<F> {}

/// The attempts of a run, by their tickets' slots.
struct Children<F> {
    first: Option<Carried<F>>,
    rest: Vec<Option<Carried<F>>>,
    free: Vec<usize>,
}

impl<F> Children<F> {
    fn insert(&mut self, child: Carried<F>) -> usize {
        if self.first.is_none() {
            self.first = Some(child);
            return 0;
        }
        match self.free.pop() {
            Some(slot) => {
                self.rest[slot - 1] = Some(child);
                slot
            }
            None => {
                self.rest.push(Some(child));
                self.rest.len()
            }
        }
    }

    fn at(&mut self, slot: usize) -> Option<&mut Carried<F>> {
        match slot {
            0 => self.first.as_mut(),
            _ => self.rest.get_mut(slot.wrapping_sub(1))?.as_mut(),
        }
    }

    fn remove(&mut self, slot: usize) {
        if slot == 0 {
            self.first = None;
        } else {
            self.rest[slot - 1] = None;
            self.free.push(slot);
        }
    }

    fn clear(&mut self) {
        self.first = None;
        self.rest.clear();
        self.free.clear();
    }
}

impl<F: Future<Output = Completion> + Unpin> Engine<F> {
    pub(crate) fn new(
        runtime: Runtime,
        target: Target,
        options: Option<Options>,
        singly: bool,
    ) -> Self {
        let options = options.map(Box::new);
        Engine {
            runtime,
            target,
            options,
            mailbox: Arc::new(Mailbox::new()),
            call: ptr::null_mut(),
            canceller: None,
            state: State::Prepared,
            children: Children { first: None, rest: Vec::new(), free: Vec::new() },
            singly,
        }
    }

    /// Polls the run; `make` gives the future of an attempt. The outcome is the call's: valid until the
    /// engine is dropped.
    pub(crate) fn poll<'a>(
        &'a mut self,
        context: &mut Context<'_>,
        make: &mut dyn FnMut(Attempt, Option<BoxFuture<Completion>>) -> F,
    ) -> Poll<Result<&'a sys::weir_outcome, Invalid>> {
        match self.state {
            State::Prepared => {
                if let Err(invalid) = self.start() {
                    self.state = State::Over;
                    return Poll::Ready(Err(invalid));
                }
                self.state = State::Running;
            }
            State::Running => {}
            State::Over => panic!("a run was polled after it was over"),
        }
        self.poll_all(context);
        while let Some(batch) = self.mailbox.take(context.waker()) {
            for mail in batch {
                match mail {
                    Mail::Start(ticket, recipe) => {
                        let attempt = Attempt(Arc::clone(&ticket));
                        let make =
                            || make(attempt.clone(), recipe.map(|recipe| recipe.make(attempt)));
                        self.begin(ticket, make, context);
                    }
                    Mail::Look(ticket) => self.look(&ticket, context),
                    Mail::Settled => self.state = State::Over,
                }
            }
            if matches!(self.state, State::Over) {
                return Poll::Ready(Ok(self.outcome()));
            }
        }
        Poll::Pending
    }

    fn begin(&mut self, ticket: Arc<Ticket>, make: impl FnOnce() -> F, context: &mut Context<'_>) {
        let Some(mut child) = Carried::new(Arc::clone(&ticket), make) else { return };
        ticket.look();
        if !self.poll_child(&mut child, context) {
            let slot = self.children.insert(child);
            ticket.slot.store(slot, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn poll_child(&self, child: &mut Carried<F>, context: &mut Context<'_>) -> bool {
        if self.singly {
            let waker = Waker::from(Arc::clone(&child.ticket));
            child.poll(&mut Context::from_waker(&waker))
        } else {
            child.poll(context)
        }
    }

    /// An attempt was woken, or told to stop.
    fn look(&mut self, ticket: &Arc<Ticket>, context: &mut Context<'_>) {
        ticket.look();
        let slot = ticket.slot.load(std::sync::atomic::Ordering::Relaxed);
        let singly = self.singly;
        let Some(child) = self.children.at(slot) else { return };
        if !Arc::ptr_eq(&child.ticket, ticket) {
            return; // it was over, and another has its place
        }
        let over = if singly {
            let waker = Waker::from(Arc::clone(ticket));
            child.poll(&mut Context::from_waker(&waker))
        } else {
            child.poll(context)
        };
        if over {
            self.children.remove(slot);
        }
    }

    /// The future was woken: unless attempts are woken one by one, it may have been for any of them.
    fn poll_all(&mut self, context: &mut Context<'_>) {
        if self.singly {
            return;
        }
        for slot in 0..=self.children.rest.len() {
            let over = self.children.at(slot).is_some_and(|child| child.poll(context));
            if over {
                self.children.remove(slot);
            }
        }
    }

    fn start(&mut self) -> Result<(), Invalid> {
        let data = Arc::into_raw(Arc::clone(&self.mailbox)).cast_mut().cast::<c_void>();
        let mut error = ptr::null_mut();
        let options = self.options.take();
        let target = &self.target;
        let status = with_raw(options.as_deref(), target.policy, data, |raw| {
            // SAFETY: the handles are held; the data is freed by weir, also if this fails.
            unsafe {
                sys::weir_run(
                    target.operation.as_ptr(),
                    raw,
                    Some(on_settled),
                    data,
                    Some(free_mailbox),
                    &mut self.call,
                    &mut error,
                )
            }
        });
        Invalid::from_call(status, error)?;
        if let Some(canceller) = &self.canceller {
            canceller.started(self.call);
        }
        Ok(())
    }

    fn outcome(&mut self) -> &sys::weir_outcome {
        self.children.clear();
        // SAFETY: the call has settled, and the reference is ours until this is dropped.
        unsafe { &*sys::weir_call_outcome(self.call) }
    }
}

impl<F> Engine<F> {
    /// Begins in `context`'s stead: weir knows the attempts' future by the mailbox's address.
    pub(crate) fn mailbox(&self) -> &Arc<Mailbox<Mail>> {
        &self.mailbox
    }

    pub(crate) fn canceller(&mut self) -> Canceller {
        self.canceller.get_or_insert_with(Canceller::new).clone()
    }

    pub(crate) fn call(&self) -> *mut sys::weir_call {
        self.call
    }
}

impl<F> Drop for Engine<F> {
    fn drop(&mut self) {
        if matches!(self.state, State::Running) {
            // SAFETY: the reference is ours.
            unsafe { sys::weir_call_cancel(self.call) };
        }
        refuse(self.mailbox.close());
        self.children.clear();
        // SAFETY: the reference is ours; null is legal.
        unsafe { sys::weir_call_unref(self.call) };
    }
}

/// Cancels a run from elsewhere: its future then gives [`Error::Cancelled`], unless it is about to give
/// something else. (Dropping a run cancels it, too, but nobody learns how it ended.)
#[derive(Clone)]
pub struct Canceller(Arc<Mutex<Cancelling>>);

enum Cancelling {
    Waiting,
    Cancelled,
    /// A call, with a reference of ours.
    Running(*mut sys::weir_call),
}

// SAFETY: calls take any thread.
unsafe impl Send for Cancelling {}

impl Canceller {
    fn new() -> Canceller {
        Canceller(Arc::new(Mutex::new(Cancelling::Waiting)))
    }

    /// Cancels it; before its first poll, too.
    pub fn cancel(&self) {
        let mut state = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match *state {
            Cancelling::Running(call) => {
                // SAFETY: the reference is ours.
                unsafe { sys::weir_call_cancel(call) };
            }
            _ => *state = Cancelling::Cancelled,
        }
    }

    fn started(&self, call: *mut sys::weir_call) {
        let mut state = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // SAFETY: the engine holds the call, of which this takes a reference of its own.
        unsafe {
            if matches!(*state, Cancelling::Cancelled) {
                sys::weir_call_cancel(call);
            }
            *state = Cancelling::Running(sys::weir_call_ref(call));
        }
    }
}

impl Drop for Cancelling {
    fn drop(&mut self) {
        if let Cancelling::Running(call) = self {
            // SAFETY: the reference is ours.
            unsafe { sys::weir_call_unref(*call) };
        }
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canceller")
    }
}

/// Completes what began too late.
pub(crate) fn refuse(mails: impl Iterator<Item = Mail>) {
    for mail in mails {
        if let Mail::Start(ticket, _) = mail {
            ticket.complete(Completion::Dropped);
        }
    }
}

/// Calls `use_it` with the C struct, which lives during that call.
fn with_raw<R>(
    given: Option<&Options>,
    policy: *mut sys::weir_policy,
    context: *mut c_void,
    use_it: impl FnOnce(&sys::weir_run_options) -> R,
) -> R {
    let mut options = sys::weir_run_options {
        size: size_of::<sys::weir_run_options>() as u32,
        permits: 1,
        policy,
        deadline_ms: i64::from(sys::WEIR_FOREVER),
        key: ptr::null(),
        key_size: 0,
        name: ptr::null(),
        input: ptr::null_mut(),
        context,
        queue: ptr::null_mut(),
        user: 0,
        priority: 31,
        reserved: 0,
        scope: ptr::null_mut(),
    };
    let Some(given) = given else { return use_it(&options) };
    let name = Text::optional(&given.name);
    options.name = name.as_ptr();
    options.permits = given.permits;
    options.priority = given.priority;
    options.deadline_ms = ms_or_none(given.deadline);
    if let Some(key) = &given.key {
        options.key = key.as_ptr().cast();
        options.key_size = key.len() as u64;
    }
    options.scope = given.scope.as_ref().map_or(ptr::null_mut(), ScopeView::as_raw);
    options.input = given.input.as_ref().map_or(ptr::null_mut(), Value::as_raw);
    use_it(&options)
}

unsafe extern "C" fn on_settled(
    data: *mut c_void,
    _: *mut sys::weir_call,
    _: *const sys::weir_outcome,
) {
    // SAFETY: the reference is given back by free_mailbox, which runs later.
    let mailbox = unsafe { &*data.cast_const().cast::<Mailbox<Mail>>() };
    // Closed: nobody waits any more.
    guarded((), || drop(mailbox.post(Mail::Settled)));
}

unsafe extern "C" fn free_mailbox(data: *mut c_void) {
    // SAFETY: the reference that `start` gave.
    guarded((), || drop(unsafe { Arc::from_raw(data.cast_const().cast::<Mailbox<Mail>>()) }));
}

/// The mailbox that a run's context points to.
///
/// # Safety
/// `context` is a running engine's mailbox.
pub(crate) unsafe fn mailbox_of(context: *mut c_void) -> Arc<Mailbox<Mail>> {
    let mailbox = context.cast_const().cast::<Mailbox<Mail>>();
    // SAFETY: as this function's; the settlement's data holds a reference.
    unsafe {
        Arc::increment_strong_count(mailbox);
        Arc::from_raw(mailbox)
    }
}

/// An attempt's future: mostly the caller's own function's, or another operation's that a policy runs.
pub(crate) enum Child<Fut, T, E> {
    Own(Packing<Fut, T, E>),
    Other(BoxFuture<Completion>),
}

impl<Fut: Future<Output = Result<T, E>>, T, E> Future for Child<Fut, T, E> {
    type Output = Completion;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Completion> {
        match self.get_mut() {
            Child::Own(own) => Pin::new(own).poll(context),
            Child::Other(other) => other.as_mut().poll(context),
        }
    }
}

/// A run of the caller's own function under a policy: `policy.run(|attempt| async { … })`.
///
/// Nothing happens until it is polled. The function's futures are polled by whoever polls this one, and
/// dropped when weir tells them to stop. Dropping the run cancels it. A panic of the function is resumed
/// here.
#[must_use = "a run does nothing unless it is awaited"]
pub struct Run<F, Fut, T, E> {
    engine: Engine<Child<Fut, T, E>>,
    function: F,
}

impl<F, Fut, T, E> Unpin for Run<F, Fut, T, E> {}

impl<F, Fut, T, E> Run<F, Fut, T, E>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: Send + 'static,
    E: Send + 'static,
{
    pub(crate) fn new(
        runtime: &Runtime,
        policy: *mut sys::weir_policy,
        options: Option<Options>,
        function: F,
    ) -> Self {
        // SAFETY: the runtime holds its operation, the caller the policy.
        let target = unsafe { Target::new(runtime.local_operation().as_ptr(), policy) };
        Run { engine: Engine::new(runtime.clone(), target, options, false), function }
    }

    fn poll_outcome(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<&sys::weir_outcome, Invalid>> {
        let function = &mut self.function;
        self.engine.poll(context, &mut |attempt, other| match other {
            Some(other) => Child::Other(other),
            None => Child::Own(Packing::new(function(attempt), Completion::of::<T, E>)),
        })
    }

    /// What cancels the run from elsewhere.
    pub fn canceller(&mut self) -> Canceller {
        self.engine.canceller()
    }

    /// The same run, but its future gives the numbers beside the result.
    pub fn settled(mut self) -> impl Future<Output = Settled<T, E>> {
        std::future::poll_fn(move |context| {
            self.poll_outcome(context).map(|outcome| match outcome {
                Err(invalid) => Settled::unstarted(invalid.into()),
                Ok(outcome) => Settled::new(read(outcome), outcome),
            })
        })
    }
}

/// The result of a run of one's own function.
fn read<T: Send + 'static, E: Send + 'static>(outcome: &sys::weir_outcome) -> Result<T, Error<E>> {
    // SAFETY: the outcome is a settled call's, and lends its value.
    unsafe { result(outcome, |value| plain(value)) }.unwrap_or_else(|panic| resume_unwind(panic))
}

impl<F, Fut, T, E> Future for Run<F, Fut, T, E>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: Send + 'static,
    E: Send + 'static,
{
    type Output = Result<T, Error<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_outcome(context).map(|outcome| read(outcome?))
    }
}

impl<F, Fut, T, E> fmt::Debug for Run<F, Fut, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}
