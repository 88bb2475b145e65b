// SPDX-License-Identifier: MIT
//! Who polls the futures of shared work: work that no single caller's future can carry, such as the
//! load of a cache for which several wait.
//!
//! A [`Spawner`] hands them to the program's executor. Without one a thread of this crate's own does it,
//! with the small executor below, which also drives the runtime for tests.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

/// A future that can be given to an executor.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Gives futures to an executor.
///
/// ```no_run
/// # async fn example() {
/// let handle = tokio::runtime::Handle::current();
/// let spawner = weir::Spawner::new(move |future| drop(handle.spawn(future)));
/// # }
/// ```
#[derive(Clone)]
pub struct Spawner(Arc<Kind>);

enum Kind {
    Given(Box<dyn Fn(BoxFuture<()>) + Send + Sync>),
    Thread(OnceLock<Arc<Remote>>),
}

impl Spawner {
    /// A spawner from a function, which is called on any thread and must not block.
    pub fn new(spawn: impl Fn(BoxFuture<()>) + Send + Sync + 'static) -> Spawner {
        Spawner(Arc::new(Kind::Given(Box::new(spawn))))
    }

    /// A thread of its own, named "weir-tasks", started when it is first needed. Futures that want the
    /// reactor of a particular executor do not work there.
    pub fn thread() -> Spawner {
        Spawner(Arc::new(Kind::Thread(OnceLock::new())))
    }

    /// Gives `future` to the executor.
    pub fn spawn(&self, future: BoxFuture<()>) {
        match &*self.0 {
            Kind::Given(spawn) => spawn(future),
            Kind::Thread(remote) => remote.get_or_init(start_thread).spawn(future),
        }
    }
}

impl Default for Spawner {
    fn default() -> Self {
        Spawner::thread()
    }
}

impl std::fmt::Debug for Spawner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &*self.0 {
            Kind::Given(_) => "Spawner::new(..)",
            Kind::Thread(_) => "Spawner::thread()",
        })
    }
}

impl Drop for Kind {
    fn drop(&mut self) {
        if let Kind::Thread(remote) = self {
            if let Some(remote) = remote.get() {
                remote.lock().closed = true;
                remote.changed.notify_all();
            }
        }
    }
}

fn start_thread() -> Arc<Remote> {
    let remote = Arc::new(Remote::default());
    let theirs = Arc::clone(&remote);
    let run = move || Pool::new(theirs).run_until_closed();
    let thread = std::thread::Builder::new().name("weir-tasks".to_owned()).spawn(run);
    if thread.is_err() {
        // Nobody will poll: what is spawned is dropped at once, which completes it as failed.
        remote.lock().closed = true;
    }
    remote
}

/// The half of a pool that any thread may touch.
#[derive(Default)]
pub(crate) struct Remote {
    state: Mutex<Ready>,
    changed: Condvar,
}

#[derive(Default)]
struct Ready {
    arrived: VecDeque<BoxFuture<()>>,
    woken: VecDeque<u64>,
    closed: bool,
}

impl Remote {
    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn spawn(&self, future: BoxFuture<()>) {
        let mut ready = self.lock();
        if ready.closed {
            drop(ready);
            return drop(future);
        }
        ready.arrived.push_back(future);
        drop(ready);
        self.changed.notify_all();
    }

    pub(crate) fn wake(&self, task: u64) {
        self.lock().woken.push_back(task);
        self.changed.notify_all();
    }
}

struct TaskWaker {
    remote: Arc<Remote>,
    task: u64,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.remote.wake(self.task);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.remote.wake(self.task);
    }
}

type Local = Pin<Box<dyn Future<Output = ()>>>;

/// Futures and the one thread that polls them. A future may add others while it is polled, so it is
/// taken out for that time.
pub(crate) struct Pool {
    remote: Arc<Remote>,
    tasks: RefCell<HashMap<u64, (Local, Waker)>>,
    last: Cell<u64>,
}

impl Pool {
    pub(crate) fn new(remote: Arc<Remote>) -> Pool {
        Pool { remote, tasks: RefCell::default(), last: Cell::new(0) }
    }

    /// Says the task's number, for [`Remote::wake`].
    pub(crate) fn add(&self, future: Local) -> u64 {
        let task = self.last.get() + 1;
        self.last.set(task);
        let waker = TaskWaker { remote: Arc::clone(&self.remote), task };
        self.tasks.borrow_mut().insert(task, (future, Waker::from(Arc::new(waker))));
        self.remote.wake(task);
        task
    }

    /// Polls whoever was woken, until nobody is; says how many polls that took.
    pub(crate) fn run_ready(&self) -> usize {
        let mut polls = 0;
        loop {
            let arrived = std::mem::take(&mut self.remote.lock().arrived);
            for future in arrived {
                self.add(future);
            }
            let Some(task) = self.remote.lock().woken.pop_front() else { return polls };
            polls += 1;
            self.poll(task);
        }
    }

    fn poll(&self, task: u64) {
        let taken = self.tasks.borrow_mut().remove(&task);
        let Some((mut future, waker)) = taken else { return };
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_pending() {
            self.tasks.borrow_mut().insert(task, (future, waker));
        }
    }

    fn run_until_closed(&self) {
        loop {
            self.run_ready();
            let mut ready = self.remote.lock();
            while ready.arrived.is_empty() && ready.woken.is_empty() {
                if ready.closed {
                    return;
                }
                let woken = self.remote.changed.wait(ready);
                ready = woken.unwrap_or_else(|poisoned| poisoned.into_inner());
            }
        }
    }
}

/// Wakes a thread that waits for one future.
struct ThreadWaker {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.woken.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = true;
        self.changed.notify_one();
    }
}

/// Polls `future` on this thread until it is done, and sleeps in between.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let thread = Arc::new(ThreadWaker { woken: Mutex::new(false), changed: Condvar::new() });
    let waker = Waker::from(Arc::clone(&thread));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        let mut woken = thread.woken.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        while !*woken {
            woken = thread.changed.wait(woken).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        *woken = false;
    }
}
