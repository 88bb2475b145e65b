// SPDX-License-Identifier: MIT
//! A runtime without a thread of weir's: the executor's own does its work.
//!
//! The C runtime has the host driver. Its turns are taken by `&mut Driver` alone, and so one after the
//! other; the last reference cannot go before the driver has, which holds one. What else has to keep apart
//! from turns, the audit, asks whether it is inside of one. A small thread beside it sleeps until the next
//! timer is due, and only rings.

use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use weir_sys as sys;

use crate::bell::Bell;
use crate::error::Invalid;
use crate::ffi::guarded;
use crate::runtime::Options;
use crate::Runtime;

/// Turns in one poll, before the executor's other tasks get theirs.
const TURNS: u32 = 4;

/// Does the work of a [driven](Runtime::driven) runtime whenever it is polled.
///
/// It ends when the runtime has closed. Dropping it closes the runtime: what is in flight then settles
/// with [`Error::Closed`](crate::Error::Closed).
#[must_use = "nothing of the runtime's goes on unless its driver is polled"]
pub struct Driver {
    runtime: Runtime,
    bell: Arc<Bell>,
    alarm: Arc<Alarm>,
}

thread_local!(static TURN_OF: Cell<*mut sys::weir_runtime> = const { Cell::new(ptr::null_mut()) });

/// Whether this thread takes a turn of that runtime now: what is asked comes from a callback.
pub(crate) fn in_turn(runtime: *mut sys::weir_runtime) -> bool {
    TURN_OF.try_with(|turn_of| turn_of.get() == runtime).unwrap_or(false)
}

/// Marks a turn; another may be going on outside, of a runtime whose callback polls this one's driver.
struct Turn(*mut sys::weir_runtime);

impl Turn {
    fn of(runtime: *mut sys::weir_runtime) -> Turn {
        Turn(TURN_OF.try_with(|turn_of| turn_of.replace(runtime)).unwrap_or(ptr::null_mut()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = TURN_OF.try_with(|turn_of| turn_of.set(self.0));
    }
}

impl Runtime {
    /// A runtime that has no thread: the task that polls the [`Driver`] does its work, between your own.
    /// Above all for executors of one thread, where a run then costs no switch of threads: `LocalExecutor`,
    /// tokio's `current_thread`. Handles may be used on any thread as always, and the driver's task may
    /// move between threads.
    ///
    /// Deciders and listeners are called from the driver's poll. Runs make progress only while the
    /// executor runs: whoever blocks its thread for their sake ([`block_on`](crate::block_on), `run_wait`,
    /// [`close_wait`](Runtime::close_wait)) waits for himself.
    /// There is no [`Operation::blocking`](crate::Operation::blocking).
    ///
    /// ```
    /// let (runtime, driver) = weir::Runtime::driven(Default::default())?;
    /// let retry = weir::Retry::new(&runtime, Default::default())?;
    /// let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// let fetched = tokio.block_on(driver.drive(async {
    ///     retry.run(|_attempt| async { Ok::<_, std::io::Error>("body") }).await
    /// }));
    /// assert_eq!(fetched.unwrap(), "body");
    /// # Ok::<(), weir::Invalid>(())
    /// ```
    pub fn driven(options: Options) -> Result<(Runtime, Driver), Invalid> {
        let bell = Arc::new(Bell::new());
        let data = Arc::into_raw(Arc::clone(&bell)).cast_mut().cast();
        let raw = options.make_with(sys::WEIR_DRIVER_HOST, |raw| {
            raw.wakeup = Some(on_wakeup);
            raw.wakeup_data = data;
            raw.wakeup_free_data = Some(free_bell);
        })?;
        // SAFETY: the reference is ours.
        let runtime = unsafe { Runtime::adopt_driven(raw, options.spawner) }?;
        let alarm = Arc::new(Alarm::new(Arc::clone(&bell)));
        let driver = Driver { runtime: runtime.clone(), bell, alarm };
        Ok((runtime, driver))
    }
}

impl Driver {
    /// Polls `future` to its end and does the runtime's work meanwhile; then closes the runtime.
    pub async fn drive<F: Future>(mut self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(move |context| {
            let poll = future.as_mut().poll(context);
            if poll.is_pending() {
                let _ = Pin::new(&mut self).poll(context);
            }
            poll
        })
        .await
    }

    /// One turn: when the next is due, by the runtime's clock; None if it is due now.
    fn turn(&mut self) -> Option<i64> {
        let raw = self.runtime.as_raw();
        let _turn = Turn::of(raw);
        // SAFETY: the handle is held, and `&mut self` keeps turns apart.
        unsafe {
            sys::weir_runtime_process(raw, 0);
            let next = sys::weir_runtime_next_deadline(raw);
            (next > sys::weir_runtime_now(raw)).then_some(next)
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.bell.listen(context.waker());
        for _ in 0..TURNS {
            match self.turn() {
                None => {}
                Some(i64::MAX) if self.runtime.is_closed() => return Poll::Ready(()),
                Some(next) => {
                    self.alarm.set(next, self.runtime.now());
                    return Poll::Pending;
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.bell.leave();
        self.alarm.end();
        self.runtime.close();
        // What is in flight settles in these turns; inside of a callback, where there are none, with the
        // last handle.
        for _ in 0..1_000_000 {
            if self.turn().is_some() {
                break;
            }
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Driver").field(&self.runtime).finish()
    }
}

unsafe extern "C" fn on_wakeup(data: *mut c_void) {
    // SAFETY: the reference is given back by free_bell, which runs later.
    guarded((), || unsafe { &*data.cast_const().cast::<Bell>() }.ring());
}

unsafe extern "C" fn free_bell(data: *mut c_void) {
    // SAFETY: the reference that the options were given.
    guarded((), || drop(unsafe { Arc::from_raw(data.cast_const().cast::<Bell>()) }));
}

/// Rings when the next timer is due. A timer that moves away is not told: the thread looks again when
/// it has slept.
struct Alarm {
    state: Mutex<Waiting>,
    changed: Condvar,
    bell: Arc<Bell>,
}

#[derive(Default)]
struct Waiting {
    /// None: nothing waits for time.
    due: Option<Instant>,
    /// Until when the thread sleeps now; None: until it is told.
    sleeps_until: Option<Instant>,
    started: bool,
    over: bool,
}

impl Alarm {
    fn new(bell: Arc<Bell>) -> Alarm {
        Alarm { state: Mutex::default(), changed: Condvar::new(), bell }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that may panic runs under this lock.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn set(self: &Arc<Self>, next_ns: i64, now: Duration) {
        let mut state = self.lock();
        if next_ns == i64::MAX {
            state.due = None;
            return;
        }
        let wait = Duration::from_nanos(next_ns as u64).saturating_sub(now);
        // What the clock has no number for is as good as never.
        let Some(due) = Instant::now().checked_add(wait) else { return state.due = None };
        state.due = Some(due);
        if !std::mem::replace(&mut state.started, true) {
            let theirs = Arc::clone(self);
            let run = move || theirs.run();
            // Without a thread timers wait for the next poll.
            let thread = std::thread::Builder::new().name("weir-timer".to_owned()).spawn(run);
            state.started = thread.is_ok();
        } else if state.sleeps_until.is_none_or(|until| due < until) {
            self.changed.notify_one();
        }
    }

    fn end(&self) {
        self.lock().over = true;
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.over {
            let now = Instant::now();
            match state.due {
                Some(due) if due <= now => {
                    state.due = None;
                    drop(state);
                    self.bell.ring();
                    state = self.lock();
                }
                due => {
                    state.sleeps_until = due;
                    state = match due {
                        Some(due) => self
                            .changed
                            .wait_timeout(state, due - now)
                            .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state),
                        None => self
                            .changed
                            .wait(state)
                            .unwrap_or_else(|poisoned| poisoned.into_inner()),
                    };
                }
            }
        }
    }
}
