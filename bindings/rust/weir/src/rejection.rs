// SPDX-License-Identifier: MIT
//! Rejections: who refused, why, and when to come again.

use std::ffi::{c_char, CStr};
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use weir_sys as sys;

use crate::status::{PolicyKind, Reason, Status};

/// Who refused, why, by which numbers, and when trying again makes sense.
#[derive(Clone)]
pub struct Rejection(Box<sys::weir_rejection>);

impl Rejection {
    pub(crate) fn from_raw(raw: &sys::weir_rejection) -> Rejection {
        Rejection(Box::new(*raw))
    }

    /// What a decide function answered that did not say yes.
    ///
    /// # Safety
    /// `room` was filled, if `status` is a refusal.
    #[cold]
    pub(crate) unsafe fn read(status: i32, room: &MaybeUninit<sys::weir_rejection>) -> Rejection {
        match status {
            sys::WEIR_EOPEN | sys::WEIR_ELIMITED | sys::WEIR_EFULL | sys::WEIR_ENOTIME => {
                // SAFETY: as this function's.
                Rejection::from_raw(unsafe { room.assume_init_ref() })
            }
            status => {
                let size = size_of::<sys::weir_rejection>() as u32;
                let retry_after_ns = -1;
                let retry_after_ms = -1;
                let bare = sys::weir_rejection::default();
                Rejection(Box::new(sys::weir_rejection {
                    size,
                    status,
                    retry_after_ns,
                    retry_after_ms,
                    ..bare
                }))
            }
        }
    }

    /// A struct for a decide function to fill; only its size is set, because the path on which nothing
    /// is refused must not pay for clearing the rest.
    #[inline]
    pub(crate) fn room() -> MaybeUninit<sys::weir_rejection> {
        let mut room = MaybeUninit::<sys::weir_rejection>::uninit();
        // SAFETY: writes one field, in bounds.
        unsafe {
            ptr::addr_of_mut!((*room.as_mut_ptr()).size)
                .write(size_of::<sys::weir_rejection>() as u32)
        };
        room
    }

    /// The status: [`Status::OPEN`], [`Status::LIMITED`], [`Status::FULL`] or [`Status::NO_TIME`].
    pub fn status(&self) -> Status {
        Status(self.0.status)
    }

    /// Which kind of policy refused.
    pub fn policy(&self) -> PolicyKind {
        PolicyKind::from_raw(self.0.policy)
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        Reason::from_raw(self.0.reason)
    }

    /// So long from now trying again passes, if no call comes or ends before; None if nobody can know.
    pub fn retry_after(&self) -> Option<Duration> {
        u64::try_from(self.0.retry_after_ns).ok().map(Duration::from_nanos)
    }

    /// The policy's name; empty if it has none.
    pub fn name(&self) -> String {
        // SAFETY: weir terminates the name within its array.
        unsafe { CStr::from_ptr(self.0.name.as_ptr()) }.to_string_lossy().into_owned()
    }

    /// All the numbers, as C has them.
    pub fn numbers(&self) -> &sys::weir_rejection {
        &self.0
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0 as c_char; 512];
        // SAFETY: weir writes at most that many bytes, terminated.
        let text = unsafe {
            sys::weir_rejection_describe(&*self.0, buffer.as_mut_ptr(), buffer.len());
            CStr::from_ptr(buffer.as_ptr())
        };
        f.write_str(&text.to_string_lossy())
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rejection({self})")
    }
}

impl std::error::Error for Rejection {}
