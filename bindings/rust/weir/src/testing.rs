// SPDX-License-Identifier: MIT
//! Virtual time for tests: a runtime whose clock goes where the test says, and a small executor whose
//! tasks go with it. An hour of retries passes in microseconds, and the same way each time.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use weir_sys as sys;

use crate::executor::{Pool, Remote, Spawner};
use crate::ffi::ns;

/// A runtime for tests. It works on the thread that made it, and only in the calls below; all else is
/// [`weir::Runtime`](crate::Runtime), to which it dereferences.
///
/// ```
/// use std::time::Duration;
/// use weir::{testing, Retry};
///
/// let runtime = testing::Runtime::new(1);
/// let retry = Retry::new(&runtime, Default::default())?;
/// let task = runtime.spawn(retry.run(|_| async { Err::<(), _>("down") }));
/// runtime.advance(Duration::from_secs(60));
/// assert!(task.take().expect("three tries are over").is_err());
/// # Ok::<(), weir::Invalid>(())
/// ```
pub struct Runtime {
    runtime: crate::Runtime,
    pool: Pool,
    remote: Arc<Remote>,
    here: PhantomData<*const ()>,
}

impl Deref for Runtime {
    type Target = crate::Runtime;

    fn deref(&self) -> &crate::Runtime {
        &self.runtime
    }
}

impl Runtime {
    /// Makes one; the same seed gives the same run. Its clock begins at one second.
    ///
    /// # Panics
    /// If there is no memory.
    pub fn new(seed: u64) -> Runtime {
        let mut raw = ptr::null_mut();
        // SAFETY: `raw` is written.
        let status = unsafe { sys::weir_testing_runtime_new(seed, &mut raw) };
        assert_eq!(status, sys::WEIR_OK, "a runtime for tests can be made");
        let raw = NonNull::new(raw).expect("WEIR_OK comes with a handle");
        Runtime::of(raw)
    }

    /// As `new`, with options. Their spawner is not used: shared work is a task like any other.
    pub fn with(options: crate::runtime::Options) -> Result<Runtime, crate::Invalid> {
        let raw = options.make(sys::WEIR_DRIVER_MANUAL)?;
        // SAFETY: this thread processes the runtime.
        unsafe { sys::weir_runtime_process(raw.as_ptr(), 1_000_000_000) };
        Ok(Runtime::of(raw))
    }

    /// The time of the next timer, as [`weir::Runtime::now`](crate::Runtime::now) counts; None if there is
    /// none. May be earlier than the timer, never later.
    pub fn next_timer(&self) -> Option<Duration> {
        crate::ffi::duration(self.next_deadline())
    }

    fn of(raw: NonNull<sys::weir_runtime>) -> Runtime {
        let remote = Arc::new(Remote::default());
        let theirs = Arc::clone(&remote);
        let spawner = Spawner::new(move |future| theirs.spawn(future));
        // SAFETY: the reference is ours.
        let runtime = unsafe { crate::Runtime::adopt(raw, spawner) };
        let runtime = runtime.expect("there is memory for one operation");
        Runtime { runtime, pool: Pool::new(Arc::clone(&remote)), remote, here: PhantomData }
    }

    /// Begins a task; it is polled in the calls that advance time.
    pub fn spawn<F: Future + 'static>(&self, future: F) -> Task<F::Output> {
        let slot = Rc::new(RefCell::new(None));
        let abort = Rc::new(Cell::new(false));
        let (result, stop) = (Rc::clone(&slot), Rc::clone(&abort));
        let mut future = Some(Box::pin(future));
        let number = self.pool.add(Box::pin(std::future::poll_fn(move |context| {
            if stop.get() {
                future = None;
            }
            let Some(running) = &mut future else { return Poll::Ready(()) };
            running.as_mut().poll(context).map(|output| {
                future = None;
                *result.borrow_mut() = Some(output);
            })
        })));
        Task { slot, abort, number, remote: Arc::clone(&self.remote) }
    }

    /// Does everything that is due now, without moving the clock.
    pub fn run_until_idle(&self) {
        loop {
            // SAFETY: this thread processes the runtime; the handle is held.
            let steps = unsafe { sys::weir_testing_run_until_idle(self.as_raw()) };
            let polls = self.pool.run_ready();
            if steps == 0 && polls == 0 {
                return;
            }
        }
    }

    /// Moves the clock forward, stopping at each timer on the way.
    pub fn advance(&self, time: Duration) {
        self.run_until_idle();
        let end = self.clock().saturating_add(ns(time));
        loop {
            let next = self.next_deadline();
            if next > end {
                break;
            }
            self.move_to(next);
        }
        self.move_to(end);
    }

    /// Moves the clock to the next timer; false if there is none.
    pub fn advance_to_next(&self) -> bool {
        self.run_until_idle();
        let next = self.next_deadline();
        if next == i64::MAX {
            return false;
        }
        self.move_to(next);
        true
    }

    fn clock(&self) -> i64 {
        // SAFETY: the handle is held.
        unsafe { sys::weir_runtime_now(self.as_raw()) }
    }

    fn next_deadline(&self) -> i64 {
        // SAFETY: this thread processes the runtime.
        unsafe { sys::weir_runtime_next_deadline(self.as_raw()) }
    }

    fn move_to(&self, time: i64) {
        // SAFETY: this thread processes the runtime.
        unsafe { sys::weir_testing_advance_ns(self.as_raw(), (time - self.clock()).max(0)) };
        self.run_until_idle();
    }

    /// Polls `future` to its end, moving the clock from timer to timer.
    ///
    /// # Panics
    /// If nothing is left that could wake it.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            if woken.0.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return output;
                }
            }
            self.run_until_idle();
            let idle = !woken.0.load(Ordering::Acquire);
            assert!(!idle || self.advance_to_next(), "the future waits for nothing that can come");
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.close();
        self.run_until_idle();
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.runtime.fmt(f)
    }
}

/// A task of a runtime for tests.
pub struct Task<T> {
    slot: Rc<RefCell<Option<T>>>,
    abort: Rc<Cell<bool>>,
    number: u64,
    remote: Arc<Remote>,
}

impl<T> Task<T> {
    /// Whether it has ended.
    pub fn is_done(&self) -> bool {
        self.slot.borrow().is_some()
    }

    /// What it gave, once it has ended.
    pub fn take(&self) -> Option<T> {
        self.slot.borrow_mut().take()
    }

    /// Has its future dropped, when tasks are next polled.
    pub fn abort(&self) {
        self.abort.set(true);
        self.remote.wake(self.number);
    }
}

impl<T> std::fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("number", &self.number).finish_non_exhaustive()
    }
}
