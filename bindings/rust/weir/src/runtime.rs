// SPDX-License-Identifier: MIT
//! Runtimes: the engine with its clock, timers and thread.

use std::ffi::{c_void, CStr};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::error::Invalid;
use crate::executor::Spawner;
use crate::ffi::{
    changed, closure, closure_data, count, created, defaults, duration, free_closure, guarded,
    ms_or_none, text_of, Text,
};
use crate::operation::{start_local, Mailboxes};
use crate::rejection::Rejection;
use crate::status::{numbers, Status};

numbers! {
    /// How much a log line matters.
    Level {
        /// Nothing is logged.
        Off = WEIR_LOG_OFF,
        /// Something went wrong.
        Error = WEIR_LOG_ERROR,
        /// Something may go wrong.
        Warning = WEIR_LOG_WARNING,
        /// Something happened.
        Info = WEIR_LOG_INFO,
        /// Something that only developers want to know.
        Debug = WEIR_LOG_DEBUG,
    }
}

numbers! {
    /// What an [`Event`] is about.
    EventKind {
        /// A breaker changed its state.
        StateChange = WEIR_EVENT_STATE_CHANGE,
        /// A retry is about to wait.
        Retry = WEIR_EVENT_RETRY,
        /// A run was refused.
        Refusal = WEIR_EVENT_REFUSAL,
        /// A cache or keyed limiter gave entries up.
        Eviction = WEIR_EVENT_EVICTION,
        /// A hedge starts a copy.
        Hedge = WEIR_EVENT_HEDGE,
        /// A fallback steps in.
        Fallback = WEIR_EVENT_FALLBACK,
        /// A run waits for a limiter.
        Waiting = WEIR_EVENT_WAITING,
        /// It goes on.
        Granted = WEIR_EVENT_GRANTED,
        /// A timeout or deadline fired.
        Timeout = WEIR_EVENT_TIMEOUT,
        /// A retry gave up.
        GaveUp = WEIR_EVENT_GAVE_UP,
        /// A cache's load ended.
        Load = WEIR_EVENT_LOAD,
        /// A debounce's or throttle's run ended.
        Paced = WEIR_EVENT_PACED,
        /// A hedge's copy won.
        HedgeWon = WEIR_EVENT_HEDGE_WON,
        /// Chaos injected something.
        Chaos = WEIR_EVENT_CHAOS,
        /// A line of the log; only the recorder has these.
        Log = WEIR_EVENT_LOG,
    }
}

/// What a policy did, lent to the runtime's listener.
pub struct Event<'a>(&'a sys::weir_event);

impl Event<'_> {
    /// What it is about.
    pub fn kind(&self) -> EventKind {
        EventKind::from_raw(self.0.kind)
    }

    /// The policy's name; "" if it has none.
    pub fn name(&self) -> String {
        if self.0.name.is_null() {
            return String::new();
        }
        // SAFETY: weir lends a terminated text for the call.
        unsafe { CStr::from_ptr(self.0.name) }.to_string_lossy().into_owned()
    }

    /// The refusal's or the failed attempt's status.
    pub fn status(&self) -> Status {
        Status(self.0.status)
    }

    /// The delay, or retry-after.
    pub fn delay(&self) -> Duration {
        Duration::from_nanos(self.0.delay_ns.max(0) as u64)
    }

    /// A refusal's numbers.
    pub fn rejection(&self) -> Option<Rejection> {
        // SAFETY: null or valid during the call.
        unsafe { self.0.rejection.as_ref() }.map(Rejection::from_raw)
    }

    /// All of it, as C has it.
    pub fn numbers(&self) -> &sys::weir_event {
        self.0
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("kind", &self.kind()).field("name", &self.name()).finish()
    }
}

macro_rules! listener {
    ($(#[$doc:meta])* $name:ident, $function:ident, $($signature:tt)*) => {
        type $function = dyn $($signature)* + Send + Sync;

        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Arc<$function>);

        impl $name {
            /// From any function.
            pub fn new(function: impl $($signature)* + Send + Sync + 'static) -> Self {
                $name(Arc::new(function))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

listener! {
    /// Gets log lines: level, subject, message. Called on any thread, also several at once; must not
    /// call weir.
    Log, LogFn, Fn(Level, &str, &str)
}
listener! {
    /// Told what policies do, on the runtime's thread.
    OnEvent, EventFn, Fn(Event<'_>)
}
listener! {
    /// Told once, when everything has settled: how many attempts were then still running.
    OnClosed, ClosedFn, Fn(u64)
}

/// What a runtime is made with. All have defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seeds jitter and hashing. 0 (default): from the system.
    pub seed: u64,
    /// Unsettled calls and attempts at most; beyond it runs end with `Error::Full`. None (default): no
    /// bound.
    pub max_in_flight: Option<u64>,
    /// How long attempts that were told to stop may go on after closing before they are reported. None:
    /// for ever. Default 5 s.
    pub close_grace: Option<Duration>,
    /// Gets lines up to `log_level`. Default none.
    pub log: Option<Log>,
    /// Default [`Level::Off`].
    pub log_level: Level,
    /// Default none.
    pub on_event: Option<OnEvent>,
    /// Default none.
    pub on_closed: Option<OnClosed>,
    /// Default "weir".
    pub name: String,
    /// Decisions that the flight recorder keeps, about 300 bytes each, at most a million. 0 (default):
    /// off. See [`Runtime::recording`].
    pub recorder_entries: u32,
    /// Histograms of latency and waiting in the metrics, too. Default false.
    pub histograms: bool,
    /// Who polls shared work: loads of caches, flights, runs of pacers. Default: a thread of this
    /// crate's own.
    pub spawner: Spawner,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 0,
            max_in_flight: None,
            close_grace: Some(Duration::from_secs(5)),
            log: None,
            log_level: Level::Off,
            on_event: None,
            on_closed: None,
            name: "weir".to_owned(),
            recorder_entries: 0,
            histograms: false,
            spawner: Spawner::default(),
        }
    }
}

impl Options {
    pub(crate) fn make(&self, driver: u32) -> Result<NonNull<sys::weir_runtime>, Invalid> {
        self.make_with(driver, |_| {})
    }

    pub(crate) fn make_with(
        &self,
        driver: u32,
        add: impl FnOnce(&mut sys::weir_runtime_options),
    ) -> Result<NonNull<sys::weir_runtime>, Invalid> {
        let mut raw = defaults!(weir_runtime_options, weir_runtime_options_init);
        raw.driver = driver;
        let name = Text::new(&self.name);
        raw.name = name.as_ptr();
        raw.seed = self.seed;
        raw.max_in_flight = count(self.max_in_flight);
        raw.close_grace_ms = ms_or_none(self.close_grace);
        raw.log_level = self.log_level.raw() as i32;
        raw.recorder_entries = self.recorder_entries;
        raw.metrics = u32::from(self.histograms);
        if let Some(log) = &self.log {
            raw.log = Some(on_log);
            raw.log_data = closure_data(&log.0);
            raw.log_free_data = Some(free_closure::<LogFn>);
        }
        if let Some(on_event) = &self.on_event {
            raw.on_event = Some(tell_event);
            raw.event_data = closure_data(&on_event.0);
            raw.event_free_data = Some(free_closure::<EventFn>);
        }
        if let Some(on_closed) = &self.on_closed {
            raw.on_closed = Some(tell_closed);
            raw.closed_data = closure_data(&on_closed.0);
            raw.closed_free_data = Some(free_closure::<ClosedFn>);
        }
        add(&mut raw);
        // SAFETY: what the options point to lives during the call.
        created(|out, error| unsafe { sys::weir_runtime_new(&raw, out, error) })
    }
}

/// The engine, with its clock, timers, and a thread of its own, named "weir", on which policies do their
/// work. It never polls the caller's futures. A clone is another handle of the same.
///
/// All policies keep their runtime alive; when the last handle is gone it closes: what is in flight
/// settles with [`Error::Closed`](crate::Error::Closed).
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    raw: NonNull<sys::weir_runtime>,
    /// What the functions of all runs are started by.
    local: NonNull<sys::weir_operation>,
    mailboxes: Arc<Mailboxes>,
    spawner: Spawner,
    /// Whether a [`Driver`](crate::Driver) of this crate's takes its turns.
    driven: bool,
}

// SAFETY: weir's handles take any thread, and so do the other parts.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: the references are ours.
        unsafe {
            sys::weir_operation_unref(self.local.as_ptr());
            sys::weir_runtime_unref(self.raw.as_ptr());
        }
    }
}

impl Runtime {
    /// A runtime with defaults.
    ///
    /// # Panics
    /// If there is no memory.
    pub fn new() -> Runtime {
        Runtime::with(Options::default()).expect("defaults are legal")
    }

    /// A runtime with options.
    pub fn with(options: Options) -> Result<Runtime, Invalid> {
        let runtime = options.make(sys::WEIR_DRIVER_THREAD)?;
        // SAFETY: the reference is ours.
        unsafe { Runtime::adopt(runtime, options.spawner) }
    }

    /// A runtime that somebody else made, perhaps in another language: all find the same policies by
    /// their names.
    ///
    /// # Safety
    /// `raw` is a runtime of which the caller owns a reference, which this takes.
    pub unsafe fn from_raw(raw: NonNull<sys::weir_runtime>) -> Result<Runtime, Invalid> {
        // SAFETY: as this function's.
        unsafe { Runtime::adopt(raw, Spawner::default()) }
    }

    /// As `from_raw`, with a spawner.
    ///
    /// # Safety
    /// As `from_raw`.
    pub unsafe fn adopt(
        raw: NonNull<sys::weir_runtime>,
        spawner: Spawner,
    ) -> Result<Runtime, Invalid> {
        // SAFETY: as this function's.
        unsafe { Runtime::make(raw, spawner, false) }
    }

    /// # Safety
    /// As `from_raw`; it has the host driver.
    pub(crate) unsafe fn adopt_driven(
        raw: NonNull<sys::weir_runtime>,
        spawner: Spawner,
    ) -> Result<Runtime, Invalid> {
        // SAFETY: as this function's.
        unsafe { Runtime::make(raw, spawner, true) }
    }

    unsafe fn make(
        raw: NonNull<sys::weir_runtime>,
        spawner: Spawner,
        driven: bool,
    ) -> Result<Runtime, Invalid> {
        let local = created(|out, error| {
            // SAFETY: the runtime is the caller's.
            unsafe {
                let nothing = std::ptr::null_mut();
                sys::weir_operation_new(raw.as_ptr(), Some(start_local), nothing, None, out, error)
            }
        });
        match local {
            Ok(local) => {
                let mailboxes = Arc::default();
                Ok(Runtime(Arc::new(Inner { raw, local, mailboxes, spawner, driven })))
            }
            Err(invalid) => {
                // SAFETY: the reference was given to us.
                unsafe { sys::weir_runtime_unref(raw.as_ptr()) };
                Err(invalid)
            }
        }
    }

    /// The C handle, borrowed.
    pub fn as_raw(&self) -> *mut sys::weir_runtime {
        self.0.raw.as_ptr()
    }

    /// A reference of the C handle, for another language; it gives it back with `weir_runtime_unref`.
    pub fn into_raw(self) -> NonNull<sys::weir_runtime> {
        // SAFETY: a reference is held.
        unsafe { sys::weir_runtime_ref(self.as_raw()) };
        self.0.raw
    }

    pub(crate) fn local_operation(&self) -> NonNull<sys::weir_operation> {
        self.0.local
    }

    pub(crate) fn mailboxes(&self) -> &Arc<Mailboxes> {
        &self.0.mailboxes
    }

    pub(crate) fn spawner(&self) -> &Spawner {
        &self.0.spawner
    }

    /// Begins closing: new runs are refused, what is in flight settles as closed.
    pub fn close(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_runtime_close(self.as_raw()) };
    }

    /// Closes, and waits until everything has settled and the thread is gone. None: as long as it takes.
    /// Not on the runtime's own thread, nor for [`testing`](crate::testing).
    pub fn close_wait(&self, timeout: Option<Duration>) -> Result<(), Invalid> {
        // SAFETY: the handle is held.
        let status = unsafe { sys::weir_runtime_close_wait(self.as_raw(), ms_or_none(timeout)) };
        Invalid::check(status)
    }

    /// Whether closing has begun.
    pub fn is_closed(&self) -> bool {
        // SAFETY: the handle is held.
        unsafe { sys::weir_runtime_state(self.as_raw()) != sys::WEIR_OK }
    }

    /// The runtime's monotonic time: what `_at` functions take.
    pub fn now(&self) -> Duration {
        // SAFETY: the handle is held.
        Duration::from_nanos(unsafe { sys::weir_runtime_now(self.as_raw()) }.max(0) as u64)
    }

    /// Gives pooled memory back.
    pub fn trim(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_runtime_trim(self.as_raw()) };
    }

    /// What it has done, and does.
    pub fn stats(&self) -> sys::weir_runtime_stats {
        crate::ffi::stats!(weir_runtime_stats, weir_runtime_get_stats, self.as_raw())
    }

    /// What has not settled, and attempts that go on though they were told to stop. Only on the
    /// runtime's thread ([`Status::WRONG_THREAD`] elsewhere): in listeners, and with
    /// [`testing`](crate::testing).
    pub fn audit(&self) -> Result<Vec<Audit>, Invalid> {
        if self.0.driven && !crate::driven::in_turn(self.as_raw()) {
            return Err(Invalid::new(Status::WRONG_THREAD, "audit: only inside of a callback"));
        }
        let mut entries = Vec::<sys::weir_audit_entry>::new();
        loop {
            let mut all = 0;
            // SAFETY: there is room for as many entries as is said, of that size.
            Invalid::check(unsafe {
                sys::weir_runtime_audit(
                    self.as_raw(),
                    entries.as_mut_ptr(),
                    size_of::<sys::weir_audit_entry>(),
                    entries.capacity(),
                    &mut all,
                )
            })?;
            if all <= entries.capacity() {
                // SAFETY: weir wrote that many.
                unsafe { entries.set_len(all) };
                return Ok(entries.iter().map(Audit::of).collect());
            }
            entries.reserve(all);
        }
    }

    /// What all handles have counted, as OpenMetrics 1.0.
    pub fn metrics(&self) -> Result<String, Invalid> {
        // SAFETY: there is room for as many bytes as is said.
        text_of(|text, size, needed| unsafe {
            sys::weir_runtime_metrics(self.as_raw(), text, size, needed)
        })
    }

    /// The same in Prometheus' text format 0.0.4.
    pub fn metrics_text(&self) -> Result<String, Invalid> {
        // SAFETY: as above.
        text_of(|text, size, needed| unsafe {
            sys::weir_runtime_metrics_text(self.as_raw(), text, size, needed)
        })
    }

    /// A label on all metrics; each key once.
    pub fn set_label(&self, key: &str, value: &str) -> Result<(), Invalid> {
        let (key, value) = (Text::new(key), Text::new(value));
        // SAFETY: the texts live during the call, which copies them.
        changed(|error| unsafe {
            sys::weir_runtime_set_label(self.as_raw(), key.as_ptr(), value.as_ptr(), error)
        })
    }

    /// The flight recorder's last decisions, as text for people ([`Options::recorder_entries`]).
    pub fn recording(&self) -> Result<String, Invalid> {
        // SAFETY: there is room for as many bytes as is said.
        text_of(|text, size, needed| unsafe {
            sys::weir_recorder_dump(self.as_raw(), text, size, needed)
        })
    }

    /// What the flight recorder has kept from `cursor` on, oldest first; 0 for all. The cursor is then where
    /// to go on. What was overwritten before it was read shows as a gap in the numbers.
    pub fn recorded(&self, cursor: &mut u64) -> Result<Vec<Recorded>, Invalid> {
        let mut entries = Vec::new();
        loop {
            let mut batch = [sys::weir_recorded::default(); 16];
            let mut count = 0;
            // SAFETY: there is room for as many entries as is said, of that size.
            Invalid::check(unsafe {
                let size = size_of::<sys::weir_recorded>();
                let (room, most) = (batch.as_mut_ptr(), batch.len());
                sys::weir_recorder_read(self.as_raw(), cursor, room, size, most, &mut count)
            })?;
            entries.extend(batch[..count].iter().map(|raw| Recorded(*raw)));
            if count == 0 {
                return Ok(entries);
            }
        }
    }

    /// Logs through the runtime's hook. An empty subject is the runtime's name.
    pub fn log(&self, level: Level, subject: &str, message: &str) {
        let (subject, message) = (Text::optional(subject), Text::new(message));
        // SAFETY: the texts live during the call.
        unsafe {
            sys::weir_log(self.as_raw(), level.raw() as i32, subject.as_ptr(), message.as_ptr())
        }
    }

    /// An operation's future that waits: a timer. Use the executor's own where there is one.
    pub async fn sleep(&self, time: Duration) -> Result<(), Invalid> {
        let sleep = crate::flow::sleep::<std::convert::Infallible>(self, time)?;
        sleep.run().await.map_err(|error| Invalid::new(error.status(), error.report().message()))
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Runtime::new()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runtime").field(&self.0.raw).finish()
    }
}

impl PartialEq for Runtime {
    fn eq(&self, other: &Self) -> bool {
        self.0.raw == other.0.raw
    }
}

impl Eq for Runtime {}

/// An entry of the flight recorder.
#[derive(Clone)]
pub struct Recorded(sys::weir_recorded);

impl Recorded {
    /// What it is about.
    pub fn kind(&self) -> EventKind {
        EventKind::from_raw(self.0.kind)
    }

    /// The policy's name.
    pub fn name(&self) -> String {
        // SAFETY: weir terminates the text within its array.
        unsafe { CStr::from_ptr(self.0.name.as_ptr()) }.to_string_lossy().into_owned()
    }

    /// Of a refusal: a sentence; of a line: the line.
    pub fn text(&self) -> String {
        // SAFETY: as above.
        unsafe { CStr::from_ptr(self.0.text.as_ptr()) }.to_string_lossy().into_owned()
    }

    /// All of it, as C has it.
    pub fn numbers(&self) -> &sys::weir_recorded {
        &self.0
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").field("kind", &self.kind()).field("name", &self.name()).finish()
    }
}

/// A call that has not settled, or an attempt that goes on though it was told to stop.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Whether it is an attempt that was told to stop.
    pub orphan: bool,
    /// Attempts so far.
    pub attempts: u32,
    /// Since the run was taken up, or the attempt told.
    pub age: Duration,
    /// The run's name; "" if it has none.
    pub name: String,
    /// Such as "limiter 'api': a permit".
    pub waits_for: String,
}

impl Audit {
    fn of(raw: &sys::weir_audit_entry) -> Audit {
        // SAFETY: weir terminates both texts within their arrays.
        let text = |text: &[std::ffi::c_char]| unsafe {
            CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned()
        };
        Audit {
            orphan: raw.kind == sys::WEIR_AUDIT_ORPHAN,
            attempts: raw.attempts,
            age: duration(raw.age_ns).unwrap_or(Duration::MAX),
            name: text(&raw.name),
            waits_for: text(&raw.waits_for),
        }
    }
}

unsafe extern "C" fn on_log(
    data: *mut c_void,
    level: i32,
    subject: *const std::ffi::c_char,
    message: *const std::ffi::c_char,
) {
    guarded((), || {
        // SAFETY: the closure's data; both texts are lent for the call.
        unsafe {
            let log = closure::<LogFn>(data);
            let subject = CStr::from_ptr(subject).to_string_lossy();
            log(Level::from_raw(level as u32), &subject, &CStr::from_ptr(message).to_string_lossy())
        }
    });
}

unsafe extern "C" fn tell_event(data: *mut c_void, event: *const sys::weir_event) {
    // SAFETY: the closure's data; the event is lent for the call.
    guarded((), || unsafe { closure::<EventFn>(data)(Event(&*event)) });
}

unsafe extern "C" fn tell_closed(data: *mut c_void, orphans: u64) {
    // SAFETY: the closure's data.
    guarded((), || unsafe { closure::<ClosedFn>(data)(orphans) });
}

/// The library's version as text, such as "0.1.0".
pub fn version_text() -> &'static str {
    // SAFETY: takes nothing, and gives a static terminated text.
    unsafe { CStr::from_ptr(sys::weir_version_string()) }.to_str().unwrap_or("")
}

/// The library's version, such as 100 for 0.1.0.
pub fn version() -> u32 {
    // SAFETY: takes nothing.
    unsafe { sys::weir_version() }
}
