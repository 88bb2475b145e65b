// SPDX-License-Identifier: MIT
//! Attempts: one start of the user's function, from weir's START to the completion of its token.
//!
//! A [`Ticket`] stands for an attempt. weir's thread makes it, puts it into the mailbox of the future
//! that will carry the attempt, and posts again when it is to stop. Whoever completes first wins: `done`
//! is swapped once. Whoever carries an attempt completes it when it is dropped, see [`Carried`].

use std::ffi::c_void;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use weir_sys as sys;

use crate::error::{Panic, PANIC_DOMAIN};
use crate::ffi::{duration, guarded, ms, Text};
use crate::mailbox::Mailbox;
use crate::operation::Recipe;
use crate::outcome::Ended;
use crate::scope::ScopeView;
use crate::status::{Cancel, Class};
use crate::value::{free_packet, owned_pointer, same, shared_pointer, PacketPointer, Value};

/// What weir's thread tells the future that carries attempts.
pub(crate) enum Mail {
    /// An attempt begins. Without a recipe it is of the function that the future itself holds.
    Start(Arc<Ticket>, Option<Arc<Recipe>>),
    /// The attempt's own future was woken, or told to stop.
    Look(Arc<Ticket>),
    /// The run has settled.
    Settled,
}

pub(crate) struct Ticket {
    mailbox: Arc<Mailbox<Mail>>,
    /// Valid until the token has been completed: weir promises that much.
    runtime: *mut sys::weir_runtime,
    token: sys::weir_token,
    number: u32,
    index: u64,
    remaining_ns: i64,
    rare: Option<Box<Rare>>,
    /// A `WEIR_CANCEL_*`; 0 while nobody told it to stop.
    cancelled: AtomicU32,
    done: AtomicBool,
    /// Whether a `Mail::Look` is under way.
    looked: AtomicBool,
    /// Where the future that carries it keeps the attempt's.
    pub(crate) slot: AtomicUsize,
    /// Whether `marks` says anything.
    marked: AtomicBool,
    marks: Mutex<Marks>,
}

/// What few attempts have.
struct Rare {
    key: Option<Box<[u8]>>,
    input: Option<Value>,
    failed: Option<Ended>,
    scope: Option<ScopeView>,
}

/// What the function says about its result beside it.
pub(crate) struct Marks {
    class: Class,
    is_final: bool,
    retry_after_ms: i64,
    domain: u32,
    code: i64,
    message: String,
}

impl Default for Marks {
    fn default() -> Self {
        Marks {
            class: Class::None,
            is_final: false,
            retry_after_ms: i64::from(sys::WEIR_OFF),
            domain: sys::WEIR_DOMAIN_USER,
            code: 0,
            message: String::new(),
        }
    }
}

// SAFETY: the runtime's pointer is only used for completing, which takes any thread.
unsafe impl Send for Ticket {}
// SAFETY: as above; the rest is atomic, locked or constant.
unsafe impl Sync for Ticket {}

/// How a function ended, in weir's words.
pub(crate) enum Completion {
    Nothing,
    Packet(PacketPointer),
    Value(Value),
    /// What failed, and the text that the error says.
    Failure(PacketPointer, &'static str),
    Panicked(Box<dyn std::any::Any + Send>),
    /// It was dropped before it ended.
    Dropped,
}

impl Completion {
    pub(crate) fn of<T: Send + 'static, E: Send + 'static>(result: Result<T, E>) -> Completion {
        match result {
            Ok(value) => Completion::of_value(value, owned_pointer),
            Err(error) => Completion::Failure(owned_pointer(error), std::any::type_name::<E>()),
        }
    }

    /// As `of`, of what several wait for.
    pub(crate) fn shared<T, E>(result: Result<T, E>) -> Completion
    where
        T: Clone + Send + 'static,
        E: Clone + Send + 'static,
    {
        match result {
            Ok(value) => Completion::of_value(value, shared_pointer),
            Err(error) => Completion::Failure(shared_pointer(error), std::any::type_name::<E>()),
        }
    }

    fn of_value<T: Send + 'static>(value: T, packet: fn(T) -> PacketPointer) -> Completion {
        let value = match same::<T, ()>(value) {
            Ok(()) => return Completion::Nothing,
            Err(value) => value,
        };
        let value = match same::<T, Value>(value) {
            Ok(value) => return Completion::Value(value),
            Err(value) => value,
        };
        match same::<T, Option<Value>>(value) {
            Ok(value) => value.map_or(Completion::Nothing, Completion::Value),
            Err(value) => Completion::Packet(packet(value)),
        }
    }
}

impl Ticket {
    /// Makes the ticket of an attempt that begins, and has weir tell it when to stop.
    ///
    /// # Safety
    /// `attempt` is what a start function was given, during that call.
    pub(crate) unsafe fn begin(
        attempt: &mut sys::weir_attempt,
        mailbox: Arc<Mailbox<Mail>>,
    ) -> Arc<Ticket> {
        let ticket = Arc::new(Ticket {
            mailbox,
            runtime: attempt.runtime,
            token: attempt.token,
            number: attempt.number,
            index: attempt.index,
            remaining_ns: attempt.remaining_ns,
            // SAFETY: what the attempt points to is valid while the start function runs.
            rare: unsafe { Rare::of(attempt) },
            cancelled: AtomicU32::new(0),
            done: AtomicBool::new(false),
            looked: AtomicBool::new(false),
            slot: AtomicUsize::new(usize::MAX),
            marked: AtomicBool::new(false),
            marks: Mutex::new(Marks::default()),
        });
        attempt.data = Arc::into_raw(Arc::clone(&ticket)).cast_mut().cast();
        attempt.on_cancel = Some(on_cancel);
        attempt.free_data = Some(free_ticket);
        ticket
    }

    /// Whether it was told to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire) != 0
    }

    /// Has the carrying future look at it.
    fn call(self: &Arc<Self>) {
        if !self.looked.swap(true, Ordering::AcqRel) {
            // A closed mailbox has completed all of its attempts.
            let _ = self.mailbox.post(Mail::Look(Arc::clone(self)));
        }
    }

    /// The carrying future looks now; from here on it wants to be called again.
    pub(crate) fn look(&self) {
        self.looked.store(false, Ordering::Release);
    }

    /// Completes the attempt, unless somebody has.
    pub(crate) fn complete(&self, completion: Completion) {
        if self.done.swap(true, Ordering::AcqRel) {
            return; // and what it holds is freed
        }
        let marked = self.marked.load(Ordering::Acquire);
        // SAFETY: the token is not completed yet, so the runtime's pointer is valid; weir takes what
        // it is given, in every case.
        unsafe {
            match completion {
                Completion::Nothing if !marked => {
                    sys::weir_complete(self.runtime, self.token, ptr::null_mut());
                }
                Completion::Packet(packet) if !marked => {
                    sys::weir_complete_pointer(
                        self.runtime,
                        self.token,
                        packet.into_raw(),
                        Some(free_packet),
                    );
                }
                other => self.complete_with(other),
            }
        }
    }

    unsafe fn complete_with(&self, completion: Completion) {
        let marks = self.marks.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut how = sys::weir_completion {
            size: size_of::<sys::weir_completion>() as u32,
            class_: marks.class.raw(),
            final_: u32::from(marks.is_final),
            reserved: 0,
            retry_after_ms: marks.retry_after_ms,
        };
        if let Completion::Panicked(_) = completion {
            how.final_ = 1; // a bug is no reason to try again
            how.class_ = sys::WEIR_CLASS_NONE;
        }
        // SAFETY: as this function's: the runtime's pointer is valid.
        unsafe {
            let (value, error) = completion.into_raw(self.runtime, &marks);
            drop(marks);
            sys::weir_complete_with(self.runtime, self.token, value, error, &how);
        }
    }
}

impl Completion {
    /// As handles, whose references are the caller's: a value or an error, or none.
    ///
    /// # Safety
    /// The runtime is valid during the call.
    pub(crate) unsafe fn into_raw(
        self,
        runtime: *mut sys::weir_runtime,
        marks: &Marks,
    ) -> (*mut sys::weir_value, *mut sys::weir_error) {
        const NONE: *mut sys::weir_value = ptr::null_mut();
        // SAFETY: as this function's.
        unsafe {
            match self {
                Completion::Nothing => (NONE, ptr::null_mut()),
                Completion::Value(value) => (value.into_raw(), ptr::null_mut()),
                Completion::Packet(packet) => (value_of(runtime, packet), ptr::null_mut()),
                Completion::Failure(packet, what) => {
                    let message = if marks.message.is_empty() { what } else { &marks.message };
                    (NONE, failure(runtime, Some(packet), marks.domain, marks.code, message))
                }
                Completion::Panicked(panic) => {
                    let message = format!("panicked: {}", panic_text(&*panic));
                    let packet = owned_pointer(Panic(panic));
                    (NONE, failure(runtime, Some(packet), PANIC_DOMAIN, 0, &message))
                }
                Completion::Dropped => {
                    let code = i64::from(sys::WEIR_ECANCELLED);
                    let domain = sys::WEIR_DOMAIN_WEIR;
                    (NONE, failure(runtime, None, domain, code, "dropped before it ended"))
                }
            }
        }
    }
}

unsafe fn value_of(runtime: *mut sys::weir_runtime, packet: PacketPointer) -> *mut sys::weir_value {
    let mut value = ptr::null_mut();
    // SAFETY: the packet is freed with the value, also if there is no memory for that.
    unsafe {
        sys::weir_value_new_pointer(runtime, packet.into_raw(), Some(free_packet), &mut value);
    }
    value
}

/// Never null: without memory for it, an error of malloc's is tried, and then the process is beyond help.
unsafe fn failure(
    runtime: *mut sys::weir_runtime,
    packet: Option<PacketPointer>,
    domain: u32,
    code: i64,
    message: &str,
) -> *mut sys::weir_error {
    let message = Text::new(message);
    let mut error = ptr::null_mut();
    // SAFETY: the error adds a reference to its detail, of which this gives its own back.
    unsafe {
        let detail = packet.map_or(ptr::null_mut(), |packet| value_of(runtime, packet));
        let status = sys::weir_error_new_with(
            runtime,
            domain,
            code,
            message.as_ptr(),
            ptr::null_mut(),
            detail,
            &mut error,
        );
        sys::weir_value_unref(detail);
        if status != sys::WEIR_OK {
            sys::weir_error_new(ptr::null_mut(), domain, code, ptr::null(), &mut error);
        }
    }
    error
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        self.call();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.call();
    }
}

impl Rare {
    unsafe fn of(attempt: &sys::weir_attempt) -> Option<Box<Rare>> {
        if attempt.key.is_null()
            && attempt.input.is_null()
            && attempt.failed.is_null()
            && attempt.scope.is_null()
        {
            return None;
        }
        // SAFETY: all of them are null or valid while the start function runs.
        unsafe {
            let key = (!attempt.key.is_null()).then(|| {
                std::slice::from_raw_parts(attempt.key.cast::<u8>(), attempt.key_size as usize)
                    .into()
            });
            Some(Box::new(Rare {
                key,
                input: Value::borrowed(attempt.input),
                failed: attempt.failed.as_ref().map(|failed| Ended::of(failed)),
                scope: ScopeView::borrowed(attempt.scope),
            }))
        }
    }
}

unsafe extern "C" fn on_cancel(data: *mut c_void, reason: u32) {
    // SAFETY: the ticket's reference is given back by free_ticket, which runs later.
    let ticket = unsafe { Arc::from_raw(data.cast_const().cast::<Ticket>()) };
    guarded((), || {
        ticket.cancelled.store(reason, Ordering::Release);
        ticket.call();
    });
    std::mem::forget(ticket);
}

unsafe extern "C" fn free_ticket(data: *mut c_void) {
    // SAFETY: the reference that `begin` gave.
    guarded((), || drop(unsafe { Arc::from_raw(data.cast_const().cast::<Ticket>()) }));
}

/// What a panic says.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

/// An attempt and what carries it. Dropped before its end, it is completed as dropped, after the future:
/// until then its work may go on.
pub(crate) struct Carried<F> {
    future: Option<F>,
    pub(crate) ticket: Arc<Ticket>,
}

impl<F: Future<Output = Completion> + Unpin> Carried<F> {
    /// Makes the future, which is the first call of user code; None if that has ended the attempt.
    pub(crate) fn new(ticket: Arc<Ticket>, make: impl FnOnce() -> F) -> Option<Self> {
        if ticket.is_cancelled() {
            ticket.complete(Completion::Dropped);
            return None;
        }
        match catch_unwind(AssertUnwindSafe(make)) {
            Ok(future) => Some(Carried { future: Some(future), ticket }),
            Err(panic) => {
                ticket.complete(Completion::Panicked(panic));
                None
            }
        }
    }

    /// Polls it, unless it was told to stop; true when it is over.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let Some(future) = &mut self.future else { return true };
        if self.ticket.is_cancelled() {
            self.stop();
            return true;
        }
        match catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(context))) {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(completion)) => self.ticket.complete(completion),
            Err(panic) => self.ticket.complete(Completion::Panicked(panic)),
        }
        self.stop();
        true
    }

    fn stop(&mut self) {
        self.future = None;
        self.ticket.complete(Completion::Dropped);
    }
}

impl<F> Drop for Carried<F> {
    fn drop(&mut self) {
        self.future = None;
        self.ticket.complete(Completion::Dropped);
    }
}

/// Makes a completion of what a user's future gives.
pub(crate) struct Packing<F, T, E> {
    future: Pin<Box<F>>,
    pack: fn(Result<T, E>) -> Completion,
}

impl<F, T, E> Packing<F, T, E> {
    pub(crate) fn new(future: F, pack: fn(Result<T, E>) -> Completion) -> Self {
        Packing { future: Box::pin(future), pack }
    }
}

impl<F: Future<Output = Result<T, E>>, T, E> Future for Packing<F, T, E> {
    type Output = Completion;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Completion> {
        let pack = self.pack;
        self.future.as_mut().poll(context).map(pack)
    }
}

/// One start of the user's function: what it is told, and what it can say beside its result.
#[derive(Clone)]
pub struct Attempt(pub(crate) Arc<Ticket>);

impl Attempt {
    /// Which attempt of this function within its run this is, from 1.
    pub fn number(&self) -> u32 {
        self.0.number
    }

    /// Which of the operations or items of a race, a parallel and so on this is, from 0.
    pub fn index(&self) -> u64 {
        self.0.index
    }

    /// How long until the nearest deadline, at the attempt's start; None if there is none.
    pub fn remaining(&self) -> Option<Duration> {
        duration(self.0.remaining_ns)
    }

    /// The run's key.
    pub fn key(&self) -> Option<&[u8]> {
        self.0.rare.as_ref()?.key.as_deref()
    }

    /// What the run was given as input: an item, what the step before brought.
    pub fn input(&self) -> Option<&Value> {
        self.0.rare.as_ref()?.input.as_ref()
    }

    /// What failed before, for the operation of a fallback.
    pub fn failed(&self) -> Option<&Ended> {
        self.0.rare.as_ref()?.failed.as_ref()
    }

    /// The scope that the run is in.
    pub fn scope(&self) -> Option<&ScopeView> {
        self.0.rare.as_ref()?.scope.as_ref()
    }

    /// Why it was told to stop; [`Cancel::None`] as long as it was not. The future of an attempt that was
    /// told to stop is dropped: only what runs elsewhere on its behalf has to ask.
    pub fn cancelled(&self) -> Cancel {
        Cancel::from_raw(self.0.cancelled.load(Ordering::Acquire))
    }

    fn mark(&self, mark: impl FnOnce(&mut Marks)) {
        mark(&mut self.0.marks.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        self.0.marked.store(true, Ordering::Release);
    }

    /// How this attempt's result is to be judged: a value as a failure, an error as something to ignore.
    pub fn judge(&self, class: Class) {
        self.mark(|marks| marks.class = class);
    }

    /// If it fails, no layer tries again.
    pub fn give_up(&self) {
        self.mark(|marks| marks.is_final = true);
    }

    /// When trying again makes sense, such as a Retry-After of the peer.
    pub fn retry_after(&self, delay: Duration) {
        self.mark(|marks| marks.retry_after_ms = ms(delay));
    }

    /// If it fails: whose number which number is (`WEIR_DOMAIN_*`), for policies that judge by lists of
    /// them, for other languages and for logs.
    pub fn code(&self, domain: u32, code: i64) {
        self.mark(|marks| (marks.domain, marks.code) = (domain, code));
    }

    /// If it fails: one sentence for logs. Without it the error's type is named.
    pub fn message(&self, message: impl Into<String>) {
        let message = message.into();
        self.mark(|marks| marks.message = message);
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt")
            .field("number", &self.number())
            .field("index", &self.index())
            .field("cancelled", &self.cancelled())
            .finish_non_exhaustive()
    }
}
