// SPDX-License-Identifier: MIT
//! How any thread calls the one future that drives a runtime.
//!
//! - A ring that comes after `listen` has begun wakes the waker of that `listen` or of a later one;
//! - a ring that comes before is answered by what is done after `listen`: whoever rings has posted before;
//! - of rings between two `listen`s only the first wakes;
//! - the waker runs with no lock held: it is foreign code.

use std::task::Waker;

#[cfg(weir_loom)]
use loom::sync::{
    atomic::{AtomicBool, Ordering},
    Mutex, MutexGuard,
};
#[cfg(not(weir_loom))]
use std::sync::{
    atomic::{AtomicBool, Ordering},
    Mutex, MutexGuard,
};

pub(crate) struct Bell {
    rung: AtomicBool,
    listener: Mutex<Option<Waker>>,
}

impl Bell {
    pub(crate) fn new() -> Bell {
        Bell { rung: AtomicBool::new(false), listener: Mutex::new(None) }
    }

    fn listener(&self) -> MutexGuard<'_, Option<Waker>> {
        // Cloning a waker is all that is foreign under this lock.
        self.listener.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Any thread, after whatever there is to see was posted.
    pub(crate) fn ring(&self) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let listener = self.listener().clone();
        if let Some(listener) = listener {
            listener.wake();
        }
    }

    /// From here on a ring wakes `waker`; what was posted before is to be looked for now.
    pub(crate) fn listen(&self, waker: &Waker) {
        let mut listener = self.listener();
        let replaced = match &*listener {
            Some(same) if same.will_wake(waker) => None,
            _ => listener.replace(waker.clone()),
        };
        drop(listener);
        drop(replaced);
        // A swap and not a store: it sees what the last to ring had posted.
        self.rung.swap(false, Ordering::AcqRel);
    }

    /// Nobody listens any more.
    pub(crate) fn leave(&self) {
        let listener = self.listener().take();
        drop(listener);
    }
}

#[cfg(all(test, weir_loom))]
mod model {
    use super::*;
    use crate::counting::{counting, leaked};
    use loom::sync::atomic::AtomicU32;
    use loom::sync::Arc;
    use loom::thread;

    #[test]
    fn what_was_posted_before_a_ring_is_seen_or_wakes() {
        loom::model(|| {
            let bell = Arc::new(Bell::new());
            let posted = Arc::new(AtomicU32::new(0));
            let (theirs, post) = (bell.clone(), posted.clone());
            let ringer = thread::spawn(move || {
                for _ in 0..2 {
                    post.fetch_add(1, Ordering::Relaxed);
                    theirs.ring();
                }
            });
            let wakes = leaked();
            bell.listen(&counting(wakes));
            let seen = posted.load(Ordering::Relaxed);
            ringer.join().expect("a ringer does not panic");
            assert!(seen == 2 || wakes.load(Ordering::SeqCst) >= 1);
        });
    }
}
