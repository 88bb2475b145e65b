// SPDX-License-Identifier: MIT
//! What all policies have in common, and the registry in which they are found by name.

use std::ffi::CStr;
use std::future::Future;
use std::ptr::NonNull;

use weir_sys as sys;

use crate::attempt::Attempt;
use crate::error::Invalid;
use crate::ffi::{changed, handle, Text};
use crate::run::{Options, Run};
use crate::status::PolicyKind;
use crate::Runtime;

handle! {
    /// Any policy, whatever its kind.
    AnyPolicy, weir_policy, weir_policy_ref, weir_policy_unref
}

mod sealed {
    pub trait Sealed {}
}
pub(crate) use sealed::Sealed;

/// A policy: how to run something. Retry, breaker, limiter, timeout, pipeline and the others are
/// policies; all of them run functions, wrap operations and go into pipelines.
pub trait Policy: Sealed {
    /// The C handle, borrowed.
    fn policy_raw(&self) -> *mut sys::weir_policy;

    /// Its runtime.
    fn policy_runtime(&self) -> &Runtime;

    /// The same policy, its kind forgotten.
    fn any(&self) -> AnyPolicy {
        // SAFETY: the handle is held, and the reference is the new handle's.
        let raw = unsafe { sys::weir_policy_ref(self.policy_raw()) };
        let raw = NonNull::new(raw).expect("a policy has a handle");
        AnyPolicy { raw, runtime: self.policy_runtime().clone() }
    }
}

impl Sealed for AnyPolicy {}

impl Policy for AnyPolicy {
    fn policy_raw(&self) -> *mut sys::weir_policy {
        self.as_raw()
    }

    fn policy_runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl AnyPolicy {
    /// What is registered under `name` with the runtime, whoever made it; `Status::NOT_FOUND` if nothing
    /// is.
    pub fn find(runtime: &Runtime, name: &str) -> Result<AnyPolicy, Invalid> {
        let name = Text::new(name);
        let raw = crate::ffi::created(|out, error| {
            // SAFETY: the runtime is held, the text lives during the call.
            unsafe { sys::weir_policy_find(runtime.as_raw(), name.as_ptr(), out, error) }
        })?;
        Ok(AnyPolicy { raw, runtime: runtime.clone() })
    }

    /// Its kind.
    pub fn kind(&self) -> PolicyKind {
        // SAFETY: the handle is held.
        PolicyKind::from_raw(unsafe { sys::weir_policy_kind(self.as_raw()) })
    }
}

pub(crate) fn name_of(policy: *mut sys::weir_policy) -> String {
    // SAFETY: the caller's policy; never null.
    unsafe { CStr::from_ptr(sys::weir_policy_name(policy)) }.to_string_lossy().into_owned()
}

pub(crate) fn register(policy: *mut sys::weir_policy) -> Result<(), Invalid> {
    // SAFETY: the caller's policy.
    changed(|error| unsafe { sys::weir_policy_register(policy, error) })
}

pub(crate) fn unregister(policy: *mut sys::weir_policy) -> Result<(), Invalid> {
    // SAFETY: the caller's policy.
    Invalid::check(unsafe { sys::weir_policy_unregister(policy) })
}

pub(crate) fn label(policy: *mut sys::weir_policy, key: &str, value: &str) -> Result<(), Invalid> {
    let (key, value) = (Text::new(key), Text::new(value));
    // SAFETY: the caller's policy; the texts live during the call, which copies them.
    changed(|error| unsafe {
        sys::weir_policy_set_label(policy, key.as_ptr(), value.as_ptr(), error)
    })
}

pub(crate) fn run<F, Fut, T, E>(
    policy: &(impl Policy + ?Sized),
    options: Option<Options>,
    function: F,
) -> Run<F, Fut, T, E>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: Send + 'static,
    E: Send + 'static,
{
    Run::new(policy.policy_runtime(), policy.policy_raw(), options, function)
}

/// What every policy can do, as methods of its own.
macro_rules! policy_methods {
    ($name:ident) => {
        impl $name {
            /// Runs an async function under this policy. It is called once for each attempt; its futures
            /// are polled by whoever polls the run. Nothing happens until the run is awaited; dropping it
            /// cancels it.
            pub fn run<F, Fut, T, E>(&self, function: F) -> $crate::Run<F, Fut, T, E>
            where
                F: FnMut($crate::Attempt) -> Fut,
                Fut: std::future::Future<Output = Result<T, E>>,
                T: Send + 'static,
                E: Send + 'static,
            {
                $crate::policy::run(self, None, function)
            }

            /// As `run`, with options for this one run: a deadline, a key, permits and so on.
            pub fn run_with<F, Fut, T, E>(
                &self,
                options: $crate::run::Options,
                function: F,
            ) -> $crate::Run<F, Fut, T, E>
            where
                F: FnMut($crate::Attempt) -> Fut,
                Fut: std::future::Future<Output = Result<T, E>>,
                T: Send + 'static,
                E: Send + 'static,
            {
                $crate::policy::run(self, Some(options), function)
            }

            /// The name from its options; "" if it has none.
            pub fn name(&self) -> String {
                $crate::policy::name_of($crate::Policy::policy_raw(self))
            }

            /// Makes it found by its name, which has to be 1 to 47 letters, digits and `_ . : / -`, and
            /// not taken.
            pub fn register(&self) -> Result<(), $crate::Invalid> {
                $crate::policy::register($crate::Policy::policy_raw(self))
            }

            /// Takes it out of the registry.
            pub fn unregister(&self) -> Result<(), $crate::Invalid> {
                $crate::policy::unregister($crate::Policy::policy_raw(self))
            }

            /// A label on its metrics; each key once.
            pub fn set_label(&self, key: &str, value: &str) -> Result<(), $crate::Invalid> {
                $crate::policy::label($crate::Policy::policy_raw(self), key, value)
            }
        }
    };
}
pub(crate) use policy_methods;

/// A kind of policy: its methods, and how it is looked at as a policy.
macro_rules! policy {
    ($name:ident, $upcast:ident) => {
        impl $crate::policy::Sealed for $name {}

        impl $crate::Policy for $name {
            #[inline]
            fn policy_raw(&self) -> *mut weir_sys::weir_policy {
                // SAFETY: the handle is held; the policy is the same object.
                unsafe { weir_sys::$upcast(self.as_raw()) }
            }

            #[inline]
            fn policy_runtime(&self) -> &$crate::Runtime {
                &self.runtime
            }
        }

        $crate::policy::policy_methods!($name);
    };
    ($name:ident, $upcast:ident, $downcast:ident, $add:ident) => {
        $crate::policy::policy!($name, $upcast);

        impl $name {
            /// The one that is registered under `name` with the runtime, whoever made it, in whatever
            /// language; `Status::NOT_FOUND` if there is none of this kind.
            pub fn find(runtime: &$crate::Runtime, name: &str) -> Result<$name, $crate::Invalid> {
                let policy = $crate::AnyPolicy::find(runtime, name)?;
                // SAFETY: the policy is held, and gets a reference more as what it is.
                let raw = unsafe { weir_sys::$add(weir_sys::$downcast(policy.as_raw())) };
                match std::ptr::NonNull::new(raw) {
                    Some(raw) => Ok($name { raw, runtime: runtime.clone() }),
                    None => Err($crate::Invalid::new(
                        $crate::Status::NOT_FOUND,
                        format!("policy '{name}' is of another kind"),
                    )),
                }
            }
        }
    };
}
pub(crate) use policy;

policy_methods!(AnyPolicy);
