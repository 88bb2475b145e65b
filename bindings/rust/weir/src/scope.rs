// SPDX-License-Identifier: MIT
//! Scopes: one deadline and one cancel for many runs, values that they see, resources that are closed at
//! the end, and an end at which all of them are over.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::time::Duration;

use weir_sys as sys;

use crate::attempt::Attempt;
use crate::error::{Error, Invalid};
use crate::ffi::{changed, created, defaults, ms, ms_or_none, stats, Text};
use crate::operation::{make_raw, Operation, OperationRun};
use crate::run::Options as RunOptions;
use crate::runtime::Level;
use crate::status::{numbers, Status};
use crate::value::Value;
use crate::Runtime;

numbers! {
    /// What the end does with runs that have not settled.
    Exit {
        /// Waits for them.
        Join = WEIR_SCOPE_JOIN,
        /// Cancels them at once.
        Cancel = WEIR_SCOPE_CANCEL,
        /// Waits for the grace, then cancels them.
        Grace = WEIR_SCOPE_GRACE,
    }
}

/// What a scope is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Default join.
    pub exit: Exit,
    /// Of every run in it, from now. Default none.
    pub deadline: Option<Duration>,
    /// How long the end waits for what does not stop. None: for ever. Default 5 s.
    pub grace: Option<Duration>,
    /// The scope around it. Default none.
    pub parent: Option<ScopeView>,
    /// Log lines of the scope carry the names from the outermost on. Default "".
    pub name: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            exit: Exit::Join,
            deadline: None,
            grace: Some(Duration::from_secs(5)),
            parent: None,
            name: String::new(),
        }
    }
}

/// A scope as seen by what runs in it: its values, its log, its cancel.
pub struct ScopeView(NonNull<sys::weir_scope>);

// SAFETY: scopes take any thread, and are counted atomically.
unsafe impl Send for ScopeView {}
// SAFETY: as above.
unsafe impl Sync for ScopeView {}

impl Clone for ScopeView {
    fn clone(&self) -> Self {
        // SAFETY: the reference is ours.
        unsafe { sys::weir_scope_ref(self.as_raw()) };
        ScopeView(self.0)
    }
}

impl Drop for ScopeView {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::weir_scope_unref(self.as_raw()) };
    }
}

impl fmt::Debug for ScopeView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.0).finish()
    }
}

impl ScopeView {
    /// # Safety
    /// `raw` is null or lives during the call.
    pub(crate) unsafe fn borrowed(raw: *mut sys::weir_scope) -> Option<ScopeView> {
        // SAFETY: null is legal; the reference is ours.
        NonNull::new(unsafe { sys::weir_scope_ref(raw) }).map(ScopeView)
    }

    /// The C handle, borrowed.
    pub fn as_raw(&self) -> *mut sys::weir_scope {
        self.0.as_ptr()
    }

    /// The scope of the run on whose behalf a decider or listener is called now, on this thread. None: of
    /// none, or nothing of that runtime's is called here.
    pub fn current(runtime: &crate::Runtime) -> Option<ScopeView> {
        // SAFETY: the runtime is held, and the scope for as long as what is called.
        unsafe { ScopeView::borrowed(sys::weir_scope_current(runtime.as_raw())) }
    }

    /// Cancels every run in it, and refuses new ones. Resources stay open until the end.
    pub fn cancel(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_scope_cancel(self.as_raw()) };
    }

    /// Sets a number that whoever runs in the scope sees. Keys are 1 to 255 bytes.
    pub fn set_i64(&self, key: &str, number: i64) -> Result<(), Invalid> {
        let key = Text::new(key);
        // SAFETY: the handle is held, the key lives during the call.
        Invalid::check(unsafe { sys::weir_scope_set_int64(self.as_raw(), key.as_ptr(), number) })
    }

    /// A number set here or in a scope around it.
    pub fn get_i64(&self, key: &str) -> Option<i64> {
        let key = Text::new(key);
        let mut number = 0;
        // SAFETY: as above; `number` is written.
        let status = unsafe { sys::weir_scope_get_int64(self.as_raw(), key.as_ptr(), &mut number) };
        (status == sys::WEIR_OK).then_some(number)
    }

    /// Sets bytes, or a text, which every language can read.
    pub fn set_bytes(&self, key: &str, bytes: impl AsRef<[u8]>) -> Result<(), Invalid> {
        let (key, bytes) = (Text::new(key), bytes.as_ref());
        // SAFETY: as above; the bytes are copied.
        Invalid::check(unsafe {
            let data = bytes.as_ptr().cast();
            sys::weir_scope_set_bytes(self.as_raw(), key.as_ptr(), data, bytes.len())
        })
    }

    /// Bytes set here or in a scope around it.
    pub fn get_bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.get_value(key)?.bytes().map(<[u8]>::to_vec)
    }

    /// Sets a value of any type that can be cloned.
    pub fn set<T: Clone + Send + 'static>(&self, key: &str, content: T) -> Result<(), Invalid> {
        let (key, value) = (Text::new(key), Value::shared(content)?);
        // SAFETY: as above; the scope adds a reference of its own.
        Invalid::check(unsafe {
            sys::weir_scope_set_value(self.as_raw(), key.as_ptr(), value.as_raw())
        })
    }

    /// A copy of what was set here or in a scope around it, if it is a T.
    pub fn get<T: Clone + Send + 'static>(&self, key: &str) -> Option<T> {
        self.get_value(key)?.look(T::clone)
    }

    /// A value, or bytes as one, set here or in a scope around it.
    pub fn get_value(&self, key: &str) -> Option<Value> {
        let key = Text::new(key);
        let mut value = ptr::null_mut();
        // SAFETY: as above; the reference is ours.
        unsafe {
            sys::weir_scope_get_value(self.as_raw(), key.as_ptr(), &mut value);
            Value::owned(value)
        }
    }

    /// Logs with the scope's path as the subject.
    pub fn log(&self, level: Level, message: &str) {
        let message = Text::new(message);
        // SAFETY: the handle is held, the text lives during the call.
        unsafe { sys::weir_scope_log(self.as_raw(), level.raw() as i32, message.as_ptr()) }
    }

    /// What happens in it now.
    pub fn stats(&self) -> sys::weir_scope_stats {
        stats!(weir_scope_stats, weir_scope_get_stats, self.as_raw())
    }
}

/// A group of runs with one deadline, one cancel and one end. Runs join it by
/// [`run::Options::scope`](crate::run::Options::scope); it ends by [`Scope::join`], or when the last
/// handle is dropped, then in the background.
#[derive(Clone, Debug)]
pub struct Scope {
    view: ScopeView,
    runtime: Runtime,
}

impl Deref for Scope {
    type Target = ScopeView;

    fn deref(&self) -> &ScopeView {
        &self.view
    }
}

impl Scope {
    /// Makes a scope.
    pub fn new(runtime: &Runtime, options: Options) -> Result<Scope, Invalid> {
        let mut raw = defaults!(weir_scope_options, weir_scope_options_init);
        let name = Text::optional(&options.name);
        raw.name = name.as_ptr();
        raw.exit = options.exit.raw();
        raw.deadline_ms = ms_or_none(options.deadline);
        raw.grace_ms = ms_or_none(options.grace);
        raw.parent = options.parent.as_ref().map_or(ptr::null_mut(), ScopeView::as_raw);
        let scope = created(|out, error| {
            // SAFETY: what the options point to lives during the call.
            unsafe { sys::weir_scope_new(runtime.as_raw(), &raw, out, error) }
        })?;
        Ok(Scope { view: ScopeView(scope), runtime: runtime.clone() })
    }

    /// The scope as what runs in it sees it.
    pub fn view(&self) -> &ScopeView {
        &self.view
    }

    /// Runs a function in the scope, under no policy.
    pub fn run<F, Fut, T, E>(&self, function: F) -> crate::Run<F, Fut, T, E>
    where
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: Send + 'static,
        E: Send + 'static,
    {
        crate::Run::new(&self.runtime, ptr::null_mut(), Some(RunOptions::scope(self)), function)
    }

    /// Opens a resource: `open` runs now, and `close` at the scope's end with what `open` gave, the last
    /// opened first. The resource is also set as the value `key`, if that is not empty.
    pub fn open<R, E, Open, Opening, Close, Closing>(
        &self,
        key: &str,
        open: Open,
        close: Close,
    ) -> Result<OperationRun<R, E>, Invalid>
    where
        R: Clone + Send + 'static,
        E: Clone + Send + 'static,
        Open: Fn(Attempt) -> Opening + Send + Sync + 'static,
        Opening: Future<Output = Result<R, E>> + Send + 'static,
        Close: Fn(R) -> Closing + Send + Sync + 'static,
        Closing: Future<Output = Result<(), E>> + Send + 'static,
    {
        use crate::attempt::{Completion, Packing};
        let opens = make_raw(&self.runtime, move |attempt| {
            Box::pin(Packing::new(open(attempt), Completion::shared::<R, E>))
        })?;
        // SAFETY: made just now; it is given back at the end of this function.
        let opens: Operation<R, E> = unsafe { Operation::from_raw(opens, &self.runtime) };
        let closes = make_raw(&self.runtime, move |attempt| {
            let resource = attempt.input().and_then(Value::take::<R>);
            match resource {
                Some(resource) => {
                    Box::pin(Packing::new(close(resource), Completion::shared::<(), E>))
                }
                None => Box::pin(std::future::ready(Completion::Nothing)),
            }
        })?;
        // SAFETY: as above.
        let closes: Operation<(), E> = unsafe { Operation::from_raw(closes, &self.runtime) };
        Ok(resource(&opens, &closes, key)?.run_with(RunOptions::scope(self)))
    }

    /// Ends the scope: new runs are refused, those in it are waited for or cancelled, resources closed.
    /// Err: what the first closing function that failed said.
    pub async fn join<E: Send + 'static>(&self) -> Result<(), Error<E>> {
        self.joining()?.run().await
    }

    /// The scope's end as an operation; it must not run inside of the scope.
    pub fn joining<E: Send + 'static>(&self) -> Result<Operation<(), E>, Invalid> {
        let raw = created(|out, error| {
            // SAFETY: the handle is held.
            unsafe { sys::weir_scope_join(self.as_raw(), out, error) }
        })?;
        // SAFETY: made just now.
        Ok(unsafe { Operation::from_raw(raw, &self.runtime) })
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.stats().state == sys::WEIR_SCOPE_ENDED
    }
}

/// An operation that opens a resource in the scope of its run: it runs `open`, and at the scope's end
/// `close`, which finds what `open` gave in [`Attempt::input`]. The resource is also set as the value `key`,
/// if that is not empty. [`Scope::open`] does the same with types.
pub fn resource<T: Send + 'static, U: Send + 'static, E: Send + 'static>(
    open: &Operation<T, E>,
    close: &Operation<U, E>,
    key: &str,
) -> Result<Operation<T, E>, Invalid> {
    let key = Text::optional(key);
    let raw = created(|out, error| {
        // SAFETY: both are held.
        unsafe { sys::weir_scope_resource(open.as_raw(), close.as_raw(), key.as_ptr(), out, error) }
    })?;
    Ok(Operation::with_extract(raw, open.runtime(), open.extract.clone()))
}

impl<T: Send + 'static, E: Send + 'static> Operation<T, E> {
    /// The operation in a fresh scope of its own, which ends with it: inside of the run's scope, if there
    /// is one. `options.parent` has to be None.
    pub fn in_scope(&self, options: Options) -> Result<Operation<T, E>, Invalid> {
        if options.parent.is_some() {
            return Err(Invalid::new(Status::INVALID, "scope.parent is that of the run here"));
        }
        let mut raw = defaults!(weir_scope_options, weir_scope_options_init);
        let name = Text::optional(&options.name);
        raw.name = name.as_ptr();
        raw.exit = options.exit.raw();
        raw.deadline_ms = options.deadline.map_or(-1, ms);
        raw.grace_ms = ms_or_none(options.grace);
        let mut out = ptr::null_mut();
        // SAFETY: what the options point to lives during the call.
        changed(|error| unsafe {
            sys::weir_scope_operation(self.as_raw(), &raw, &mut out, error)
        })?;
        let raw = NonNull::new(out).expect("WEIR_OK comes with a handle");
        let scoped = Operation::with_extract(raw, &self.runtime, self.extract.clone());
        Ok(scoped)
    }
}
