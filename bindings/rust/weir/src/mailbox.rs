// SPDX-License-Identifier: MIT
//! What weir's thread tells a future, and how the future is woken for it.
//!
//! Any thread posts, one future takes. The rules, which the model check in this file goes through:
//!
//! - a mail that is posted is taken exactly once, or given back to its poster once the box is closed;
//! - when `take` found nothing, the next post wakes the waker of that very `take`, and only it;
//! - the waker runs, and mails are dropped, with no lock held: both are foreign code.

use std::task::Waker;

#[cfg(weir_loom)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(weir_loom))]
use std::sync::{Mutex, MutexGuard};

/// A queue of mails with one taker, who sleeps while it is empty.
pub(crate) struct Mailbox<M> {
    state: Mutex<State<M>>,
}

struct State<M> {
    /// Most futures get one mail at a time, which then needs no memory.
    first: Option<M>,
    rest: Vec<M>,
    /// Who found the box empty. Present only while it is.
    sleeper: Option<Waker>,
    closed: bool,
}

/// Mails in the order in which they were posted.
pub(crate) struct Batch<M> {
    first: Option<M>,
    rest: std::vec::IntoIter<M>,
}

impl<M> Iterator for Batch<M> {
    type Item = M;

    fn next(&mut self) -> Option<M> {
        self.first.take().or_else(|| self.rest.next())
    }
}

impl<M> Mailbox<M> {
    pub(crate) fn new() -> Self {
        let state = State { first: None, rest: Vec::new(), sleeper: None, closed: false };
        Mailbox { state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State<M>> {
        // Nothing that may panic runs under this lock.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Leaves a mail and wakes the sleeper; gives it back if nobody will take it.
    pub(crate) fn post(&self, mail: M) -> Result<(), M> {
        let mut state = self.lock();
        if state.closed {
            return Err(mail);
        }
        if state.first.is_none() {
            state.first = Some(mail);
        } else {
            state.rest.push(mail);
        }
        let sleeper = state.sleeper.take();
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
        Ok(())
    }

    /// Takes all there is; if that is nothing, `waker` is woken by the next mail.
    pub(crate) fn take(&self, waker: &Waker) -> Option<Batch<M>> {
        let mut state = self.lock();
        if let Some(first) = state.first.take() {
            let rest = std::mem::take(&mut state.rest).into_iter();
            return Some(Batch { first: Some(first), rest });
        }
        let replaced = match &state.sleeper {
            Some(sleeper) if sleeper.will_wake(waker) => None,
            _ => state.sleeper.replace(waker.clone()),
        };
        drop(state);
        drop(replaced);
        None
    }

    /// Takes nothing more: what is there is given out, what comes is given back.
    pub(crate) fn close(&self) -> Batch<M> {
        let mut state = self.lock();
        state.closed = true;
        let sleeper = state.sleeper.take();
        let batch =
            Batch { first: state.first.take(), rest: std::mem::take(&mut state.rest).into_iter() };
        drop(state);
        drop(sleeper);
        batch
    }
}

#[cfg(all(test, not(weir_loom)))]
mod tests {
    use super::*;

    #[test]
    fn mails_are_taken_in_order_and_given_back_once_closed() {
        let mailbox = Mailbox::new();
        for mail in 0..3 {
            assert!(mailbox.post(mail).is_ok());
        }
        let waker = Waker::noop();
        assert_eq!(mailbox.take(waker).expect("three wait").collect::<Vec<_>>(), [0, 1, 2]);
        assert!(mailbox.take(waker).is_none());
        assert!(mailbox.post(3).is_ok());
        assert_eq!(mailbox.close().collect::<Vec<_>>(), [3]);
        assert_eq!(mailbox.post(4), Err(4));
    }
}

#[cfg(all(test, weir_loom))]
mod model {
    use super::*;
    use crate::counting::{counting, leaked};
    use loom::sync::atomic::Ordering;
    use loom::sync::Arc;
    use loom::thread;

    #[test]
    fn a_sleeper_is_woken_and_every_mail_is_taken_once() {
        loom::model(|| {
            let mailbox = Arc::new(Mailbox::new());
            let posters: Vec<_> = (0..2)
                .map(|number| {
                    let mailbox = mailbox.clone();
                    thread::spawn(move || assert!(mailbox.post(1 << number).is_ok()))
                })
                .collect();
            let wakes = leaked();
            let waker = counting(wakes);
            let mut seen = 0;
            let slept = match mailbox.take(&waker) {
                Some(batch) => {
                    seen += batch.sum::<u32>();
                    false
                }
                None => true,
            };
            for poster in posters {
                poster.join().expect("a poster does not panic");
            }
            assert_eq!(wakes.load(Ordering::SeqCst), usize::from(slept));
            seen += mailbox.take(&waker).map_or(0, |batch| batch.sum());
            assert_eq!(seen, 3);
        });
    }

    #[test]
    fn a_mail_is_taken_or_given_back_when_the_box_closes() {
        loom::model(|| {
            let mailbox = Arc::new(Mailbox::new());
            let theirs = mailbox.clone();
            let poster = thread::spawn(move || theirs.post(7).is_err());
            let taken = mailbox.close().count();
            let given_back = poster.join().expect("a poster does not panic");
            assert_eq!(taken + usize::from(given_back), 1);
        });
    }

    #[test]
    fn the_last_waker_is_the_one_that_is_woken() {
        loom::model(|| {
            let mailbox = Arc::new(Mailbox::new());
            let (before, now) = (leaked(), leaked());
            assert!(mailbox.take(&counting(before)).is_none());
            let theirs = mailbox.clone();
            let poster = thread::spawn(move || assert!(theirs.post(1).is_ok()));
            let slept = mailbox.take(&counting(now)).is_none();
            poster.join().expect("a poster does not panic");
            assert_eq!(now.load(Ordering::SeqCst), usize::from(slept));
            assert_eq!(before.load(Ordering::SeqCst), usize::from(!slept));
        });
    }
}
