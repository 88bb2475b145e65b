// SPDX-License-Identifier: MIT
pub use crate::uv_loop_s;

pub const WEIR_FOREVER: i32 = -1;
pub const WEIR_UNLIMITED: i32 = -1;
pub const WEIR_OFF: i32 = -1;
pub const WEIR_OUTCOME_STATUSES: u32 = 8;
pub const WEIR_BREAKER_SNAPSHOT_SIZE: u32 = 64;
pub const WEIR_EXPIRE_KEEP: i32 = -2;
pub const WEIR_HEDGE_MAX: u32 = 16;
pub const WEIR_PIPELINE_MAX: u32 = 32;
pub const WEIR_REGISTRY_NAME_MAX: u32 = 47;
pub const WEIR_VERSION_MAJOR: u32 = 0;
pub const WEIR_VERSION_MINOR: u32 = 1;
pub const WEIR_VERSION_PATCH: u32 = 0;
pub const WEIR_VERSION_NUMBER: u32 = 100;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_runtime {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_operation {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_policy {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_call {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_value {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_error {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_completions {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_retry {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_budget {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_breaker {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_limiter {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_timeout {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_pipeline {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_hedge {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_fallback {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_chaos {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_cache {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_scope {
    _unused: [u8; 0],
}
#[doc = " 0 (WEIR_OK) or one of the negative numbers in weir/status.h."]
pub type weir_status = i32;
#[doc = " Names one attempt: {index, generation}. Never 0. Completing with a token\n whose attempt is over returns WEIR_ESTALE and does nothing."]
pub type weir_token = u64;
#[doc = " What a decide function hands out and a report or release gives back. Its\n bits mean something only to the policy that made it. 0 is never a permit\n that has to be given back."]
pub type weir_permit = u64;
#[doc = " Frees the `data` that came with a callback. Runs exactly once, on the thread\n that drops the last reference, also when the call that took it fails."]
pub type weir_free_fn =
    ::core::option::Option<unsafe extern "C" fn(data: *mut ::core::ffi::c_void)>;
#[doc = " It worked."]
pub const WEIR_OK: _bindgen_ty_1 = 0;
#[doc = " An argument or option is not legal; the error names it."]
pub const WEIR_EINVAL: _bindgen_ty_1 = -1;
#[doc = " The allocator returned NULL. Nothing was changed."]
pub const WEIR_ENOMEM: _bindgen_ty_1 = -2;
#[doc = " A struct's size is zero, or unknown bytes at its end are not zero: the\n caller was built against another version."]
pub const WEIR_EABI: _bindgen_ty_1 = -3;
#[doc = " The caller cancelled the call."]
pub const WEIR_ECANCELLED: _bindgen_ty_1 = -4;
#[doc = " A timeout or a deadline passed."]
pub const WEIR_ETIMEDOUT: _bindgen_ty_1 = -5;
#[doc = " What was asked cannot fit into the time that is left. A refusal: of the\n operation's own (a limiter says WEIR_ELIMITED with the reason\n WEIR_REJECTION_NO_TIME)."]
pub const WEIR_ENOTIME: _bindgen_ty_1 = -6;
#[doc = " A circuit breaker is open. A refusal."]
pub const WEIR_EOPEN: _bindgen_ty_1 = -7;
#[doc = " A limiter refuses. A refusal."]
pub const WEIR_ELIMITED: _bindgen_ty_1 = -8;
#[doc = " A queue, or the runtime's limit of calls in flight, is full. A refusal."]
pub const WEIR_EFULL: _bindgen_ty_1 = -9;
#[doc = " The user's operation failed; the error carries domain, code, message."]
pub const WEIR_EFAILED: _bindgen_ty_1 = -10;
#[doc = " Several failed; the error lists them, each with its index."]
pub const WEIR_EAGGREGATE: _bindgen_ty_1 = -11;
#[doc = " A retry gave up and the last result, a value, was judged a failure. The\n outcome still carries that value."]
pub const WEIR_EEXHAUSTED: _bindgen_ty_1 = -12;
#[doc = " A later call took this one's place."]
pub const WEIR_ESUPERSEDED: _bindgen_ty_1 = -13;
#[doc = " The token or permit belongs to an earlier life; nothing was changed."]
pub const WEIR_ESTALE: _bindgen_ty_1 = -14;
#[doc = " The runtime, queue or handle is closed."]
pub const WEIR_ECLOSED: _bindgen_ty_1 = -15;
#[doc = " There is nothing of that name or key."]
pub const WEIR_ENOTFOUND: _bindgen_ty_1 = -16;
#[doc = " There is already something of that name or key."]
pub const WEIR_EEXISTS: _bindgen_ty_1 = -17;
#[doc = " This driver, platform or combination cannot do that; the error says why."]
pub const WEIR_ENOTSUP: _bindgen_ty_1 = -18;
#[doc = " The function belongs to another thread; the text of each function says\n which."]
pub const WEIR_ETHREAD: _bindgen_ty_1 = -19;
#[doc = " The permit's lease ran out before this report: the verdict had already\n been given."]
pub const WEIR_EEXPIRED: _bindgen_ty_1 = -20;
#[doc = " The process forked; a runtime lives in the process that made it."]
pub const WEIR_EFORKED: _bindgen_ty_1 = -21;
#[doc = " No more attempts: retry's decide door says stop (weir/retry.h)."]
pub const WEIR_ESTOP: _bindgen_ty_1 = -22;
pub type _bindgen_ty_1 = ::core::ffi::c_int;
#[doc = " not judged: use the default"]
pub const WEIR_CLASS_NONE: _bindgen_ty_2 = 0;
pub const WEIR_CLASS_SUCCESS: _bindgen_ty_2 = 1;
pub const WEIR_CLASS_FAILURE: _bindgen_ty_2 = 2;
pub const WEIR_CLASS_REFUSAL: _bindgen_ty_2 = 3;
pub const WEIR_CLASS_IGNORE: _bindgen_ty_2 = 4;
pub const WEIR_CLASS_ABANDON: _bindgen_ty_2 = 5;
#[doc = " How a policy judges an outcome, and what a report carries.\n\n   outcome                                                default class\n   value                                                  success\n   user's error, aggregate, exhausted, a policy's timeout failure\n   refusal by an inner policy (open, limited, full,\n   no time left)                                          refusal\n   stopped: caller's cancel or deadline, lost race,\n   superseded, shutdown                                   abandon"]
pub type _bindgen_ty_2 = ::core::ffi::c_uint;
pub const WEIR_STOP_NONE: _bindgen_ty_3 = 0;
#[doc = " max_attempts reached"]
pub const WEIR_STOP_ATTEMPTS: _bindgen_ty_3 = 1;
#[doc = " max_elapsed_ms reached, or the delay would"]
pub const WEIR_STOP_ELAPSED: _bindgen_ty_3 = 2;
#[doc = " the budget had nothing left"]
pub const WEIR_STOP_BUDGET: _bindgen_ty_3 = 3;
#[doc = " the delay does not fit before the deadline"]
pub const WEIR_STOP_NO_TIME: _bindgen_ty_3 = 4;
#[doc = " an inner policy refused the attempt"]
pub const WEIR_STOP_REFUSED: _bindgen_ty_3 = 5;
#[doc = " the failure was completed as final"]
pub const WEIR_STOP_FINAL: _bindgen_ty_3 = 6;
#[doc = " should_retry or the class said stop"]
pub const WEIR_STOP_CLASSIFIED: _bindgen_ty_3 = 7;
#[doc = " the next attempt could not be reserved"]
pub const WEIR_STOP_NO_MEMORY: _bindgen_ty_3 = 8;
#[doc = " Why a retry gave up (weir_outcome.stop_reason; weir_retry_next())."]
pub type _bindgen_ty_3 = ::core::ffi::c_uint;
pub const WEIR_CANCEL_NONE: _bindgen_ty_4 = 0;
#[doc = " weir_call_cancel()"]
pub const WEIR_CANCEL_CALLER: _bindgen_ty_4 = 1;
#[doc = " the caller's or a scope's deadline"]
pub const WEIR_CANCEL_DEADLINE: _bindgen_ty_4 = 2;
#[doc = " a timeout policy, attempt or item timeout"]
pub const WEIR_CANCEL_TIMEOUT: _bindgen_ty_4 = 3;
#[doc = " another racer won, or a sibling stopped all"]
pub const WEIR_CANCEL_LOST: _bindgen_ty_4 = 4;
#[doc = " a later call took its place"]
pub const WEIR_CANCEL_SUPERSEDED: _bindgen_ty_4 = 5;
#[doc = " the runtime closes"]
pub const WEIR_CANCEL_SHUTDOWN: _bindgen_ty_4 = 6;
#[doc = " Why a run or an attempt was told to stop (weir_outcome.cancel_reason,\n on_cancel, CANCEL records)."]
pub type _bindgen_ty_4 = ::core::ffi::c_uint;
#[doc = " A listener: the attempt should stop (WEIR_CANCEL_*). The run has settled or\n moved on without it. Comes at most once, and never starts after a completing\n call for this token has returned: such a call on another thread waits for an\n on_cancel that is running, so do not hold a lock there that on_cancel takes.\n Completing from inside on_cancel is fine."]
pub type weir_cancel_fn =
    ::core::option::Option<unsafe extern "C" fn(data: *mut ::core::ffi::c_void, reason: u32)>;
#[doc = " One start of an operation; valid while the start function runs."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_attempt {
    pub size: u32,
    #[doc = " of this operation within its run, from 1"]
    pub number: u32,
    #[doc = " completes this attempt, any thread, once"]
    pub token: weir_token,
    #[doc = " borrowed"]
    pub runtime: *mut weir_runtime,
    #[doc = " borrowed, ref it to keep it; NULL if none"]
    pub input: *mut weir_value,
    #[doc = " the run options' context"]
    pub context: *mut ::core::ffi::c_void,
    #[doc = " How long until the nearest deadline, in ns; INT64_MAX if there is none."]
    pub remaining_ns: i64,
    #[doc = " The start function may fill these three; they begin as NULL. free_data gets\n `data` after completion and on_cancel are both over, on the runtime's\n thread (after its end: on the completing thread)."]
    pub on_cancel: weir_cancel_fn,
    pub data: *mut ::core::ffi::c_void,
    pub free_data: weir_free_fn,
    #[doc = " The run's key; NULL with 0: none. Valid while the function runs."]
    pub key: *const ::core::ffi::c_void,
    pub key_size: u64,
    #[doc = " Which of the operations or items of a race, a parallel ... this is, from 0;\n 0 elsewhere."]
    pub index: u64,
    #[doc = " What failed before, for the operation of a fallback; NULL elsewhere. Valid\n while the function runs."]
    pub failed: *const weir_outcome,
    #[doc = " The run's scope (weir/scope.h), borrowed until the attempt is completed;\n NULL if it is in none."]
    pub scope: *mut weir_scope,
    #[doc = " 1: for several runs at once, such as a cache's load or a flight. `context`\n is then that of the run that began it, which may settle long before."]
    pub shared: u32,
    #[doc = " 0"]
    pub reserved: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_attempt"][::core::mem::size_of::<weir_attempt>() - 120usize];
    ["Alignment of weir_attempt"][::core::mem::align_of::<weir_attempt>() - 8usize];
    ["Offset of field: weir_attempt::size"][::core::mem::offset_of!(weir_attempt, size) - 0usize];
    ["Offset of field: weir_attempt::number"]
        [::core::mem::offset_of!(weir_attempt, number) - 4usize];
    ["Offset of field: weir_attempt::token"][::core::mem::offset_of!(weir_attempt, token) - 8usize];
    ["Offset of field: weir_attempt::runtime"]
        [::core::mem::offset_of!(weir_attempt, runtime) - 16usize];
    ["Offset of field: weir_attempt::input"]
        [::core::mem::offset_of!(weir_attempt, input) - 24usize];
    ["Offset of field: weir_attempt::context"]
        [::core::mem::offset_of!(weir_attempt, context) - 32usize];
    ["Offset of field: weir_attempt::remaining_ns"]
        [::core::mem::offset_of!(weir_attempt, remaining_ns) - 40usize];
    ["Offset of field: weir_attempt::on_cancel"]
        [::core::mem::offset_of!(weir_attempt, on_cancel) - 48usize];
    ["Offset of field: weir_attempt::data"][::core::mem::offset_of!(weir_attempt, data) - 56usize];
    ["Offset of field: weir_attempt::free_data"]
        [::core::mem::offset_of!(weir_attempt, free_data) - 64usize];
    ["Offset of field: weir_attempt::key"][::core::mem::offset_of!(weir_attempt, key) - 72usize];
    ["Offset of field: weir_attempt::key_size"]
        [::core::mem::offset_of!(weir_attempt, key_size) - 80usize];
    ["Offset of field: weir_attempt::index"]
        [::core::mem::offset_of!(weir_attempt, index) - 88usize];
    ["Offset of field: weir_attempt::failed"]
        [::core::mem::offset_of!(weir_attempt, failed) - 96usize];
    ["Offset of field: weir_attempt::scope"]
        [::core::mem::offset_of!(weir_attempt, scope) - 104usize];
    ["Offset of field: weir_attempt::shared"]
        [::core::mem::offset_of!(weir_attempt, shared) - 112usize];
    ["Offset of field: weir_attempt::reserved"]
        [::core::mem::offset_of!(weir_attempt, reserved) - 116usize];
};
impl Default for weir_attempt {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " Begins one attempt. On the runtime's thread; may call anything, also complete\n at once; must not block. `data` is the operation's."]
pub type weir_start_fn = ::core::option::Option<
    unsafe extern "C" fn(data: *mut ::core::ffi::c_void, attempt: *mut weir_attempt),
>;
#[doc = " Does one attempt's work on a thread of libuv's pool, and may block. Returns\n WEIR_OK and in `value` (nullable result, owned by weir from then on), or any\n other status and optionally in `error` an error (owned by weir from then on).\n The fields on_cancel, data and free_data of `attempt` are not used: a\n cancelled attempt's result is freed. `data` is the operation's."]
pub type weir_blocking_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        attempt: *const weir_attempt,
        value: *mut *mut weir_value,
        error: *mut *mut weir_error,
    ) -> weir_status,
>;
#[doc = " How a completion is to be judged, where value or error alone does not say."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_completion {
    #[doc = " sizeof(weir_completion)"]
    pub size: u32,
    #[doc = " WEIR_CLASS_*; default none: by the outcome"]
    pub class_: u32,
    #[doc = " 1: a failure that no layer retries; default 0"]
    pub final_: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " When trying again makes sense; WEIR_OFF (default) if the peer did not say."]
    pub retry_after_ms: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_completion"][::core::mem::size_of::<weir_completion>() - 24usize];
    ["Alignment of weir_completion"][::core::mem::align_of::<weir_completion>() - 8usize];
    ["Offset of field: weir_completion::size"]
        [::core::mem::offset_of!(weir_completion, size) - 0usize];
    ["Offset of field: weir_completion::class_"]
        [::core::mem::offset_of!(weir_completion, class_) - 4usize];
    ["Offset of field: weir_completion::final_"]
        [::core::mem::offset_of!(weir_completion, final_) - 8usize];
    ["Offset of field: weir_completion::reserved"]
        [::core::mem::offset_of!(weir_completion, reserved) - 12usize];
    ["Offset of field: weir_completion::retry_after_ms"]
        [::core::mem::offset_of!(weir_completion, retry_after_ms) - 16usize];
};
#[doc = " Returns `size` bytes (never 0) aligned for any scalar type (at least 16), or\n NULL. Any thread, also several at once. Must not call weir."]
pub type weir_alloc_fn = ::core::option::Option<
    unsafe extern "C" fn(
        context: *mut ::core::ffi::c_void,
        size: usize,
    ) -> *mut ::core::ffi::c_void,
>;
#[doc = " Frees what `alloc` returned; `size` is the size that was asked for. `pointer`\n is never NULL. Any thread, also several at once. Must not call weir."]
pub type weir_dealloc_fn = ::core::option::Option<
    unsafe extern "C" fn(
        context: *mut ::core::ffi::c_void,
        pointer: *mut ::core::ffi::c_void,
        size: usize,
    ),
>;
#[doc = " Told once, after the last byte was freed: nothing will use `context` again.\n That can be after the runtime's end, since values and errors outlive it; or\n within weir_runtime_new(), if that fails."]
pub type weir_release_fn =
    ::core::option::Option<unsafe extern "C" fn(context: *mut ::core::ffi::c_void)>;
#[doc = " Copied by the call that takes it."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_allocator {
    #[doc = " sizeof(weir_allocator)"]
    pub size: u64,
    #[doc = " required"]
    pub alloc: weir_alloc_fn,
    #[doc = " required"]
    pub free: weir_dealloc_fn,
    #[doc = " handed to all three"]
    pub context: *mut ::core::ffi::c_void,
    #[doc = " nullable"]
    pub release: weir_release_fn,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_allocator"][::core::mem::size_of::<weir_allocator>() - 40usize];
    ["Alignment of weir_allocator"][::core::mem::align_of::<weir_allocator>() - 8usize];
    ["Offset of field: weir_allocator::size"]
        [::core::mem::offset_of!(weir_allocator, size) - 0usize];
    ["Offset of field: weir_allocator::alloc"]
        [::core::mem::offset_of!(weir_allocator, alloc) - 8usize];
    ["Offset of field: weir_allocator::free"]
        [::core::mem::offset_of!(weir_allocator, free) - 16usize];
    ["Offset of field: weir_allocator::context"]
        [::core::mem::offset_of!(weir_allocator, context) - 24usize];
    ["Offset of field: weir_allocator::release"]
        [::core::mem::offset_of!(weir_allocator, release) - 32usize];
};
impl Default for weir_allocator {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " code is a weir_status"]
pub const WEIR_DOMAIN_WEIR: _bindgen_ty_5 = 0;
#[doc = " code is an errno"]
pub const WEIR_DOMAIN_ERRNO: _bindgen_ty_5 = 1;
#[doc = " code is a libuv error"]
pub const WEIR_DOMAIN_UV: _bindgen_ty_5 = 2;
#[doc = " code is an HTTP status"]
pub const WEIR_DOMAIN_HTTP: _bindgen_ty_5 = 3;
#[doc = " code is a gRPC status"]
pub const WEIR_DOMAIN_GRPC: _bindgen_ty_5 = 4;
#[doc = " code is a CURLcode"]
pub const WEIR_DOMAIN_CURL: _bindgen_ty_5 = 5;
pub const WEIR_DOMAIN_USER: _bindgen_ty_5 = 1000;
#[doc = " Whose number `code` is. Numbers from WEIR_DOMAIN_USER on are the user's."]
pub type _bindgen_ty_5 = ::core::ffi::c_uint;
#[doc = " A range of a domain's codes, both ends included. Options that take a list of\n them (65536 at most) judge exactly these errors as failures and ignore other\n user errors."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_error_range {
    pub domain: u32,
    #[doc = " 0"]
    pub reserved: u32,
    pub code_min: i64,
    #[doc = " not below code_min"]
    pub code_max: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_error_range"][::core::mem::size_of::<weir_error_range>() - 24usize];
    ["Alignment of weir_error_range"][::core::mem::align_of::<weir_error_range>() - 8usize];
    ["Offset of field: weir_error_range::domain"]
        [::core::mem::offset_of!(weir_error_range, domain) - 0usize];
    ["Offset of field: weir_error_range::reserved"]
        [::core::mem::offset_of!(weir_error_range, reserved) - 4usize];
    ["Offset of field: weir_error_range::code_min"]
        [::core::mem::offset_of!(weir_error_range, code_min) - 8usize];
    ["Offset of field: weir_error_range::code_max"]
        [::core::mem::offset_of!(weir_error_range, code_max) - 16usize];
};
#[doc = " of a NULL value"]
pub const WEIR_VALUE_NONE: _bindgen_ty_6 = 0;
pub const WEIR_VALUE_BYTES: _bindgen_ty_6 = 1;
pub const WEIR_VALUE_POINTER: _bindgen_ty_6 = 2;
pub const WEIR_VALUE_HOST: _bindgen_ty_6 = 3;
pub const WEIR_VALUE_LIST: _bindgen_ty_6 = 4;
pub type _bindgen_ty_6 = ::core::ffi::c_uint;
#[doc = " status WEIR_OK, `value` (nullable)"]
pub const WEIR_CHANNEL_VALUE: _bindgen_ty_7 = 1;
#[doc = " failed or refused: status, `error` (never NULL)"]
pub const WEIR_CHANNEL_ERROR: _bindgen_ty_7 = 2;
#[doc = " told to stop: status, cancel_reason"]
pub const WEIR_CHANNEL_STOPPED: _bindgen_ty_7 = 3;
pub type _bindgen_ty_7 = ::core::ffi::c_uint;
pub const WEIR_POLICY_NONE: _bindgen_ty_8 = 0;
pub const WEIR_POLICY_RETRY: _bindgen_ty_8 = 1;
pub const WEIR_POLICY_BREAKER: _bindgen_ty_8 = 2;
pub const WEIR_POLICY_LIMITER: _bindgen_ty_8 = 3;
pub const WEIR_POLICY_TIMEOUT: _bindgen_ty_8 = 4;
pub const WEIR_POLICY_PIPELINE: _bindgen_ty_8 = 5;
pub const WEIR_POLICY_BUDGET: _bindgen_ty_8 = 6;
pub const WEIR_POLICY_HEDGE: _bindgen_ty_8 = 7;
pub const WEIR_POLICY_FALLBACK: _bindgen_ty_8 = 8;
pub const WEIR_POLICY_CHAOS: _bindgen_ty_8 = 9;
#[doc = " Which policy refused."]
pub type _bindgen_ty_8 = ::core::ffi::c_uint;
pub const WEIR_REJECTION_NONE: _bindgen_ty_9 = 0;
#[doc = " breaker: open"]
pub const WEIR_REJECTION_OPEN: _bindgen_ty_9 = 1;
#[doc = " breaker: no trial place is free"]
pub const WEIR_REJECTION_HALF_OPEN: _bindgen_ty_9 = 2;
#[doc = " breaker: isolated or forced open"]
pub const WEIR_REJECTION_FORCED_OPEN: _bindgen_ty_9 = 3;
#[doc = " breaker: outside the growing share"]
pub const WEIR_REJECTION_RAMP_UP: _bindgen_ty_9 = 4;
#[doc = " limiter: no permit in this interval"]
pub const WEIR_REJECTION_RATE: _bindgen_ty_9 = 5;
#[doc = " limiter: all permits are held"]
pub const WEIR_REJECTION_CONCURRENCY: _bindgen_ty_9 = 6;
#[doc = " limiter: no place to wait"]
pub const WEIR_REJECTION_QUEUE_FULL: _bindgen_ty_9 = 7;
#[doc = " limiter: waited queue_timeout_ms"]
pub const WEIR_REJECTION_QUEUE_TIMEOUT: _bindgen_ty_9 = 8;
#[doc = " limiter: paused"]
pub const WEIR_REJECTION_PAUSED: _bindgen_ty_9 = 9;
#[doc = " limiter: more than it can ever give"]
pub const WEIR_REJECTION_WEIGHT: _bindgen_ty_9 = 10;
#[doc = " limiter: max_keys keys are live"]
pub const WEIR_REJECTION_KEYS: _bindgen_ty_9 = 11;
#[doc = " the wait does not fit the deadline"]
pub const WEIR_REJECTION_NO_TIME: _bindgen_ty_9 = 12;
#[doc = " limiter: others wait, no barging"]
pub const WEIR_REJECTION_WAITERS: _bindgen_ty_9 = 13;
#[doc = " budget: no retry is left"]
pub const WEIR_REJECTION_BUDGET: _bindgen_ty_9 = 14;
#[doc = " Why it refused."]
pub type _bindgen_ty_9 = ::core::ffi::c_uint;
#[doc = " Who refused, why, and the numbers. Decide functions fill a caller's own; a\n refused run's outcome points to one."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_rejection {
    #[doc = " set by the caller: sizeof(weir_rejection)"]
    pub size: u32,
    #[doc = " WEIR_EOPEN, WEIR_ELIMITED, WEIR_EFULL, WEIR_ENOTIME"]
    pub status: weir_status,
    #[doc = " WEIR_POLICY_*"]
    pub policy: u32,
    #[doc = " WEIR_REJECTION_*"]
    pub reason: u32,
    #[doc = " So long from now trying again passes, by the rule that refused and if no\n call comes or ends before; -1 if nobody can know. The second is the first\n rounded up."]
    pub retry_after_ns: i64,
    pub retry_after_ms: i64,
    #[doc = " limiter: permits asked for; budget: 1"]
    pub requested: i64,
    #[doc = " limiter: permits there are now"]
    pub available: i64,
    #[doc = " Limiter: permits per interval, or at once; what one call may ask (weight);\n runs that may wait (queue full); max_keys (keys). Half-open breaker: trials\n a period judges. Budget: retries the window may hold."]
    pub limit: i64,
    #[doc = " limiter: runs waiting"]
    pub queued: i64,
    #[doc = " breaker: calls judged; budget: first attempts"]
    pub calls: u64,
    #[doc = " breaker: of these failed; budget: retries"]
    pub failures: u64,
    #[doc = " breaker: of these slow"]
    pub slow_calls: u64,
    #[doc = " the policy's name, cut off; \"\" if it has none"]
    pub name: [::core::ffi::c_char; 48usize],
    #[doc = " Breaker: what `failures` or `slow_calls` reached when it opened: a number\n (failures in a row, failed trials), or a share of `calls`. Ramping up: the\n share that passes now. Budget: its ratio. Else 0."]
    pub threshold: f64,
    #[doc = " limiter: `limit` is per this time; budget: window"]
    pub interval_ns: i64,
    #[doc = " queue timeout: how long the run waited"]
    pub waited_ns: i64,
    #[doc = " no time: until the deadline"]
    pub remaining_ns: i64,
    #[doc = " breaker: why it opened, WEIR_BREAKER_BY_*"]
    pub cause: u32,
    #[doc = " 0"]
    pub reserved: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_rejection"][::core::mem::size_of::<weir_rejection>() - 176usize];
    ["Alignment of weir_rejection"][::core::mem::align_of::<weir_rejection>() - 8usize];
    ["Offset of field: weir_rejection::size"]
        [::core::mem::offset_of!(weir_rejection, size) - 0usize];
    ["Offset of field: weir_rejection::status"]
        [::core::mem::offset_of!(weir_rejection, status) - 4usize];
    ["Offset of field: weir_rejection::policy"]
        [::core::mem::offset_of!(weir_rejection, policy) - 8usize];
    ["Offset of field: weir_rejection::reason"]
        [::core::mem::offset_of!(weir_rejection, reason) - 12usize];
    ["Offset of field: weir_rejection::retry_after_ns"]
        [::core::mem::offset_of!(weir_rejection, retry_after_ns) - 16usize];
    ["Offset of field: weir_rejection::retry_after_ms"]
        [::core::mem::offset_of!(weir_rejection, retry_after_ms) - 24usize];
    ["Offset of field: weir_rejection::requested"]
        [::core::mem::offset_of!(weir_rejection, requested) - 32usize];
    ["Offset of field: weir_rejection::available"]
        [::core::mem::offset_of!(weir_rejection, available) - 40usize];
    ["Offset of field: weir_rejection::limit"]
        [::core::mem::offset_of!(weir_rejection, limit) - 48usize];
    ["Offset of field: weir_rejection::queued"]
        [::core::mem::offset_of!(weir_rejection, queued) - 56usize];
    ["Offset of field: weir_rejection::calls"]
        [::core::mem::offset_of!(weir_rejection, calls) - 64usize];
    ["Offset of field: weir_rejection::failures"]
        [::core::mem::offset_of!(weir_rejection, failures) - 72usize];
    ["Offset of field: weir_rejection::slow_calls"]
        [::core::mem::offset_of!(weir_rejection, slow_calls) - 80usize];
    ["Offset of field: weir_rejection::name"]
        [::core::mem::offset_of!(weir_rejection, name) - 88usize];
    ["Offset of field: weir_rejection::threshold"]
        [::core::mem::offset_of!(weir_rejection, threshold) - 136usize];
    ["Offset of field: weir_rejection::interval_ns"]
        [::core::mem::offset_of!(weir_rejection, interval_ns) - 144usize];
    ["Offset of field: weir_rejection::waited_ns"]
        [::core::mem::offset_of!(weir_rejection, waited_ns) - 152usize];
    ["Offset of field: weir_rejection::remaining_ns"]
        [::core::mem::offset_of!(weir_rejection, remaining_ns) - 160usize];
    ["Offset of field: weir_rejection::cause"]
        [::core::mem::offset_of!(weir_rejection, cause) - 168usize];
    ["Offset of field: weir_rejection::reserved"]
        [::core::mem::offset_of!(weir_rejection, reserved) - 172usize];
};
impl Default for weir_rejection {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_outcome {
    pub size: u32,
    #[doc = " WEIR_CHANNEL_*"]
    pub channel: u32,
    pub status: weir_status,
    #[doc = " WEIR_CLASS_* the completer attached; mostly none"]
    pub class_: u32,
    #[doc = " started in this run"]
    pub attempts: u32,
    #[doc = " WEIR_STOP_*: why a retry gave up"]
    pub stop_reason: u32,
    #[doc = " WEIR_CANCEL_* when stopped"]
    pub cancel_reason: u32,
    #[doc = " 1: completed as a final failure"]
    pub final_: u32,
    #[doc = " From the moment the runtime took the run up to its settlement."]
    pub elapsed_ns: i64,
    #[doc = " What the peer or the refusing policy asked for; -1 if nothing."]
    pub retry_after_ms: i64,
    #[doc = " borrowed from the call; nullable"]
    pub value: *mut weir_value,
    #[doc = " borrowed from the call; never NULL in the error\nchannel"]
    pub error: *mut weir_error,
    #[doc = " Set when a policy's refusal decided, or stopped a retry; else NULL."]
    pub rejection: *const weir_rejection,
    #[doc = " Statuses of the last attempts, oldest first; min(attempts, 8) are set. An\n attempt cut off by its timeout has WEIR_ETIMEDOUT."]
    pub statuses: [weir_status; 8usize],
    #[doc = " What weir_outcome_release() gives back; NULL in an outcome that is lent."]
    pub held: *mut weir_call,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_outcome"][::core::mem::size_of::<weir_outcome>() - 112usize];
    ["Alignment of weir_outcome"][::core::mem::align_of::<weir_outcome>() - 8usize];
    ["Offset of field: weir_outcome::size"][::core::mem::offset_of!(weir_outcome, size) - 0usize];
    ["Offset of field: weir_outcome::channel"]
        [::core::mem::offset_of!(weir_outcome, channel) - 4usize];
    ["Offset of field: weir_outcome::status"]
        [::core::mem::offset_of!(weir_outcome, status) - 8usize];
    ["Offset of field: weir_outcome::class_"]
        [::core::mem::offset_of!(weir_outcome, class_) - 12usize];
    ["Offset of field: weir_outcome::attempts"]
        [::core::mem::offset_of!(weir_outcome, attempts) - 16usize];
    ["Offset of field: weir_outcome::stop_reason"]
        [::core::mem::offset_of!(weir_outcome, stop_reason) - 20usize];
    ["Offset of field: weir_outcome::cancel_reason"]
        [::core::mem::offset_of!(weir_outcome, cancel_reason) - 24usize];
    ["Offset of field: weir_outcome::final_"]
        [::core::mem::offset_of!(weir_outcome, final_) - 28usize];
    ["Offset of field: weir_outcome::elapsed_ns"]
        [::core::mem::offset_of!(weir_outcome, elapsed_ns) - 32usize];
    ["Offset of field: weir_outcome::retry_after_ms"]
        [::core::mem::offset_of!(weir_outcome, retry_after_ms) - 40usize];
    ["Offset of field: weir_outcome::value"]
        [::core::mem::offset_of!(weir_outcome, value) - 48usize];
    ["Offset of field: weir_outcome::error"]
        [::core::mem::offset_of!(weir_outcome, error) - 56usize];
    ["Offset of field: weir_outcome::rejection"]
        [::core::mem::offset_of!(weir_outcome, rejection) - 64usize];
    ["Offset of field: weir_outcome::statuses"]
        [::core::mem::offset_of!(weir_outcome, statuses) - 72usize];
    ["Offset of field: weir_outcome::held"][::core::mem::offset_of!(weir_outcome, held) - 104usize];
};
impl Default for weir_outcome {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " A decider: how to judge this outcome (WEIR_CLASS_*; WEIR_CLASS_NONE or any\n other number means the default)."]
pub type weir_classify_fn = ::core::option::Option<
    unsafe extern "C" fn(data: *mut ::core::ffi::c_void, outcome: *const weir_outcome) -> u32,
>;
pub const WEIR_BREAKER_CLOSED: _bindgen_ty_10 = 0;
pub const WEIR_BREAKER_OPEN: _bindgen_ty_10 = 1;
pub const WEIR_BREAKER_HALF_OPEN: _bindgen_ty_10 = 2;
pub const WEIR_BREAKER_FORCED_OPEN: _bindgen_ty_10 = 3;
#[doc = " disabled: all pass, nothing is judged"]
pub const WEIR_BREAKER_FORCED_CLOSED: _bindgen_ty_10 = 4;
#[doc = " all pass, judged; never opens"]
pub const WEIR_BREAKER_METRICS_ONLY: _bindgen_ty_10 = 5;
#[doc = " States."]
pub type _bindgen_ty_10 = ::core::ffi::c_uint;
pub const WEIR_BREAKER_CONSECUTIVE: _bindgen_ty_11 = 0;
pub const WEIR_BREAKER_COUNT_WINDOW: _bindgen_ty_11 = 1;
pub const WEIR_BREAKER_TIME_WINDOW: _bindgen_ty_11 = 2;
#[doc = " What closed judges by."]
pub type _bindgen_ty_11 = ::core::ffi::c_uint;
#[doc = " failures in a row, or failure rate"]
pub const WEIR_BREAKER_BY_FAILURES: _bindgen_ty_12 = 1;
#[doc = " slow call rate"]
pub const WEIR_BREAKER_BY_SLOW_CALLS: _bindgen_ty_12 = 2;
#[doc = " reset timeout over: half-open"]
pub const WEIR_BREAKER_BY_TIME: _bindgen_ty_12 = 3;
#[doc = " trials succeeded, failed or hung"]
pub const WEIR_BREAKER_BY_TRIALS: _bindgen_ty_12 = 4;
#[doc = " isolate, force, reset, restore"]
pub const WEIR_BREAKER_BY_HAND: _bindgen_ty_12 = 5;
#[doc = " Why a state changed."]
pub type _bindgen_ty_12 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_breaker_stats {
    #[doc = " set by the caller: sizeof(weir_breaker_stats)"]
    pub size: u32,
    #[doc = " WEIR_BREAKER_*, current"]
    pub state: u32,
    #[doc = " In the window (consecutive: failures in a row). While open: the counts that\n opened it; half-open: verdicts so far, and failed ones."]
    pub calls: u64,
    pub failures: u64,
    pub slow_calls: u64,
    #[doc = " of these; 0 while there are no calls"]
    pub failure_rate: f64,
    pub slow_call_rate: f64,
    #[doc = " reports recorded, ever, by class"]
    pub succeeded: u64,
    pub failed: u64,
    pub slow: u64,
    #[doc = " ignore, abandon and refusal"]
    pub ignored: u64,
    #[doc = " stale and expired reports. With the three classes above\n(slow ones are among them) all reports, exactly"]
    pub stale: u64,
    #[doc = " refused, ever"]
    pub rejected: u64,
    pub times_opened: u64,
    #[doc = " until half-open (INT64_MAX: for ever); 0 unless\nopen"]
    pub open_remaining_ns: i64,
    #[doc = " changes that came too fast to be told"]
    pub missed_events: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_breaker_stats"][::core::mem::size_of::<weir_breaker_stats>() - 120usize];
    ["Alignment of weir_breaker_stats"][::core::mem::align_of::<weir_breaker_stats>() - 8usize];
    ["Offset of field: weir_breaker_stats::size"]
        [::core::mem::offset_of!(weir_breaker_stats, size) - 0usize];
    ["Offset of field: weir_breaker_stats::state"]
        [::core::mem::offset_of!(weir_breaker_stats, state) - 4usize];
    ["Offset of field: weir_breaker_stats::calls"]
        [::core::mem::offset_of!(weir_breaker_stats, calls) - 8usize];
    ["Offset of field: weir_breaker_stats::failures"]
        [::core::mem::offset_of!(weir_breaker_stats, failures) - 16usize];
    ["Offset of field: weir_breaker_stats::slow_calls"]
        [::core::mem::offset_of!(weir_breaker_stats, slow_calls) - 24usize];
    ["Offset of field: weir_breaker_stats::failure_rate"]
        [::core::mem::offset_of!(weir_breaker_stats, failure_rate) - 32usize];
    ["Offset of field: weir_breaker_stats::slow_call_rate"]
        [::core::mem::offset_of!(weir_breaker_stats, slow_call_rate) - 40usize];
    ["Offset of field: weir_breaker_stats::succeeded"]
        [::core::mem::offset_of!(weir_breaker_stats, succeeded) - 48usize];
    ["Offset of field: weir_breaker_stats::failed"]
        [::core::mem::offset_of!(weir_breaker_stats, failed) - 56usize];
    ["Offset of field: weir_breaker_stats::slow"]
        [::core::mem::offset_of!(weir_breaker_stats, slow) - 64usize];
    ["Offset of field: weir_breaker_stats::ignored"]
        [::core::mem::offset_of!(weir_breaker_stats, ignored) - 72usize];
    ["Offset of field: weir_breaker_stats::stale"]
        [::core::mem::offset_of!(weir_breaker_stats, stale) - 80usize];
    ["Offset of field: weir_breaker_stats::rejected"]
        [::core::mem::offset_of!(weir_breaker_stats, rejected) - 88usize];
    ["Offset of field: weir_breaker_stats::times_opened"]
        [::core::mem::offset_of!(weir_breaker_stats, times_opened) - 96usize];
    ["Offset of field: weir_breaker_stats::open_remaining_ns"]
        [::core::mem::offset_of!(weir_breaker_stats, open_remaining_ns) - 104usize];
    ["Offset of field: weir_breaker_stats::missed_events"]
        [::core::mem::offset_of!(weir_breaker_stats, missed_events) - 112usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_breaker_change {
    pub size: u32,
    #[doc = " WEIR_BREAKER_*"]
    pub from: u32,
    pub to: u32,
    #[doc = " WEIR_BREAKER_BY_*"]
    pub reason: u32,
    #[doc = " 1, 2, 3 …; gaps are changes missed under load"]
    pub sequence: u64,
    #[doc = " the counts that decided"]
    pub calls: u64,
    pub failures: u64,
    pub slow_calls: u64,
    #[doc = " when it happened, which may be before anybody looked"]
    pub at_ns: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_breaker_change"][::core::mem::size_of::<weir_breaker_change>() - 56usize];
    ["Alignment of weir_breaker_change"][::core::mem::align_of::<weir_breaker_change>() - 8usize];
    ["Offset of field: weir_breaker_change::size"]
        [::core::mem::offset_of!(weir_breaker_change, size) - 0usize];
    ["Offset of field: weir_breaker_change::from"]
        [::core::mem::offset_of!(weir_breaker_change, from) - 4usize];
    ["Offset of field: weir_breaker_change::to"]
        [::core::mem::offset_of!(weir_breaker_change, to) - 8usize];
    ["Offset of field: weir_breaker_change::reason"]
        [::core::mem::offset_of!(weir_breaker_change, reason) - 12usize];
    ["Offset of field: weir_breaker_change::sequence"]
        [::core::mem::offset_of!(weir_breaker_change, sequence) - 16usize];
    ["Offset of field: weir_breaker_change::calls"]
        [::core::mem::offset_of!(weir_breaker_change, calls) - 24usize];
    ["Offset of field: weir_breaker_change::failures"]
        [::core::mem::offset_of!(weir_breaker_change, failures) - 32usize];
    ["Offset of field: weir_breaker_change::slow_calls"]
        [::core::mem::offset_of!(weir_breaker_change, slow_calls) - 40usize];
    ["Offset of field: weir_breaker_change::at_ns"]
        [::core::mem::offset_of!(weir_breaker_change, at_ns) - 48usize];
};
#[doc = " A listener. In metrics-only mode it is told once per would-be opening, with\n from = to = WEIR_BREAKER_METRICS_ONLY, and again only when what would have\n opened it was over in between. What time alone changes (open to half-open, a\n trial's lease) is told when somebody next looks: a call, a report, a read.\n After the runtime's end a breaker goes on deciding, but tells nobody."]
pub type weir_breaker_change_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        breaker: *mut weir_breaker,
        change: *const weir_breaker_change,
    ),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_breaker_options {
    #[doc = " sizeof(weir_breaker_options)"]
    pub size: u32,
    #[doc = " WEIR_BREAKER_CONSECUTIVE (default), ..._WINDOW"]
    pub mode: u32,
    #[doc = " Consecutive mode: failures in a row that open; 1 to 10^6, default 5."]
    pub failure_threshold: u32,
    #[doc = " Count window: the last this many calls; 1 to 2^20, default 100."]
    pub window_size: u32,
    #[doc = " Time window: the last milliseconds, in 10 slices; 10 to one day, default\n 60000."]
    pub window_ms: i64,
    #[doc = " Windows: opens at this share or more; above 0 to 1, default 0.5."]
    pub failure_rate: f64,
    #[doc = " Windows: judged only from this many calls on; at least 1, in a count window\n at most window_size, default 10."]
    pub min_calls: u32,
    #[doc = " Verdicts a half-open period judges; 1 to 32, default 3."]
    pub half_open_max_calls: u32,
    #[doc = " Successes that close; at least 1, default 2."]
    pub half_open_success_threshold: u32,
    #[doc = " Failed trials that reopen; at least 1, default 1. success_threshold +\n failures - 1 may not exceed half_open_max_calls."]
    pub half_open_failures: u32,
    #[doc = " A call that took longer is slow; 0 or more, or WEIR_OFF (default). Trials\n are judged by their class alone."]
    pub slow_call_ms: i64,
    #[doc = " Opens at this share of slow calls or more; above 0 to 1, default 1. In\n consecutive mode slow calls do not open."]
    pub slow_call_rate: f64,
    #[doc = " How long it stays open; 0 or more, default 60000."]
    pub reset_timeout_ms: i64,
    #[doc = " Each reopening multiplies the next open period; 1 to 1000, default 1.\n Closing resets it."]
    pub reset_multiplier: f64,
    #[doc = " At most; at least reset_timeout_ms, default 600000."]
    pub max_reset_timeout_ms: i64,
    #[doc = " The lease of a trial; 1 or more, or WEIR_FOREVER; default 60000."]
    pub trial_timeout_ms: i64,
    #[doc = " After closing, the admitted share grows from a tenth to all over this time;\n 0 or more, or WEIR_OFF (default)."]
    pub ramp_up_ms: i64,
    #[doc = " Nullable; see weir/policy.h. Used by the run door; decide callers judge by\n themselves."]
    pub classify: weir_classify_fn,
    pub classify_data: *mut ::core::ffi::c_void,
    pub classify_free_data: weir_free_fn,
    #[doc = " Nullable; `failures_count` ranges, copied: only these user errors are\n failures."]
    pub failures: *const weir_error_range,
    pub failures_count: u64,
    #[doc = " Nullable; outside any lock, in order, on the runtime's thread. NULL with\n `queue`."]
    pub on_state_change: weir_breaker_change_fn,
    pub change_data: *mut ::core::ffi::c_void,
    pub change_free_data: weir_free_fn,
    #[doc = " Deliver state changes as EVENT records with `user` instead; nullable."]
    pub queue: *mut weir_completions,
    pub user: u64,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_breaker_options"][::core::mem::size_of::<weir_breaker_options>() - 192usize];
    ["Alignment of weir_breaker_options"][::core::mem::align_of::<weir_breaker_options>() - 8usize];
    ["Offset of field: weir_breaker_options::size"]
        [::core::mem::offset_of!(weir_breaker_options, size) - 0usize];
    ["Offset of field: weir_breaker_options::mode"]
        [::core::mem::offset_of!(weir_breaker_options, mode) - 4usize];
    ["Offset of field: weir_breaker_options::failure_threshold"]
        [::core::mem::offset_of!(weir_breaker_options, failure_threshold) - 8usize];
    ["Offset of field: weir_breaker_options::window_size"]
        [::core::mem::offset_of!(weir_breaker_options, window_size) - 12usize];
    ["Offset of field: weir_breaker_options::window_ms"]
        [::core::mem::offset_of!(weir_breaker_options, window_ms) - 16usize];
    ["Offset of field: weir_breaker_options::failure_rate"]
        [::core::mem::offset_of!(weir_breaker_options, failure_rate) - 24usize];
    ["Offset of field: weir_breaker_options::min_calls"]
        [::core::mem::offset_of!(weir_breaker_options, min_calls) - 32usize];
    ["Offset of field: weir_breaker_options::half_open_max_calls"]
        [::core::mem::offset_of!(weir_breaker_options, half_open_max_calls) - 36usize];
    ["Offset of field: weir_breaker_options::half_open_success_threshold"]
        [::core::mem::offset_of!(weir_breaker_options, half_open_success_threshold) - 40usize];
    ["Offset of field: weir_breaker_options::half_open_failures"]
        [::core::mem::offset_of!(weir_breaker_options, half_open_failures) - 44usize];
    ["Offset of field: weir_breaker_options::slow_call_ms"]
        [::core::mem::offset_of!(weir_breaker_options, slow_call_ms) - 48usize];
    ["Offset of field: weir_breaker_options::slow_call_rate"]
        [::core::mem::offset_of!(weir_breaker_options, slow_call_rate) - 56usize];
    ["Offset of field: weir_breaker_options::reset_timeout_ms"]
        [::core::mem::offset_of!(weir_breaker_options, reset_timeout_ms) - 64usize];
    ["Offset of field: weir_breaker_options::reset_multiplier"]
        [::core::mem::offset_of!(weir_breaker_options, reset_multiplier) - 72usize];
    ["Offset of field: weir_breaker_options::max_reset_timeout_ms"]
        [::core::mem::offset_of!(weir_breaker_options, max_reset_timeout_ms) - 80usize];
    ["Offset of field: weir_breaker_options::trial_timeout_ms"]
        [::core::mem::offset_of!(weir_breaker_options, trial_timeout_ms) - 88usize];
    ["Offset of field: weir_breaker_options::ramp_up_ms"]
        [::core::mem::offset_of!(weir_breaker_options, ramp_up_ms) - 96usize];
    ["Offset of field: weir_breaker_options::classify"]
        [::core::mem::offset_of!(weir_breaker_options, classify) - 104usize];
    ["Offset of field: weir_breaker_options::classify_data"]
        [::core::mem::offset_of!(weir_breaker_options, classify_data) - 112usize];
    ["Offset of field: weir_breaker_options::classify_free_data"]
        [::core::mem::offset_of!(weir_breaker_options, classify_free_data) - 120usize];
    ["Offset of field: weir_breaker_options::failures"]
        [::core::mem::offset_of!(weir_breaker_options, failures) - 128usize];
    ["Offset of field: weir_breaker_options::failures_count"]
        [::core::mem::offset_of!(weir_breaker_options, failures_count) - 136usize];
    ["Offset of field: weir_breaker_options::on_state_change"]
        [::core::mem::offset_of!(weir_breaker_options, on_state_change) - 144usize];
    ["Offset of field: weir_breaker_options::change_data"]
        [::core::mem::offset_of!(weir_breaker_options, change_data) - 152usize];
    ["Offset of field: weir_breaker_options::change_free_data"]
        [::core::mem::offset_of!(weir_breaker_options, change_free_data) - 160usize];
    ["Offset of field: weir_breaker_options::queue"]
        [::core::mem::offset_of!(weir_breaker_options, queue) - 168usize];
    ["Offset of field: weir_breaker_options::user"]
        [::core::mem::offset_of!(weir_breaker_options, user) - 176usize];
    ["Offset of field: weir_breaker_options::name"]
        [::core::mem::offset_of!(weir_breaker_options, name) - 184usize];
};
impl Default for weir_breaker_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_breaker_report_entry {
    pub permit: weir_permit,
    pub elapsed_ns: i64,
    pub class_: u32,
    #[doc = " written: what weir_breaker_report() would return"]
    pub result: weir_status,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_breaker_report_entry"]
        [::core::mem::size_of::<weir_breaker_report_entry>() - 24usize];
    ["Alignment of weir_breaker_report_entry"]
        [::core::mem::align_of::<weir_breaker_report_entry>() - 8usize];
    ["Offset of field: weir_breaker_report_entry::permit"]
        [::core::mem::offset_of!(weir_breaker_report_entry, permit) - 0usize];
    ["Offset of field: weir_breaker_report_entry::elapsed_ns"]
        [::core::mem::offset_of!(weir_breaker_report_entry, elapsed_ns) - 8usize];
    ["Offset of field: weir_breaker_report_entry::class_"]
        [::core::mem::offset_of!(weir_breaker_report_entry, class_) - 16usize];
    ["Offset of field: weir_breaker_report_entry::result"]
        [::core::mem::offset_of!(weir_breaker_report_entry, result) - 20usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_budget_options {
    #[doc = " sizeof(weir_budget_options)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " retries per first attempt; 0 to 1000, default 0.2"]
    pub ratio: f64,
    #[doc = " retries that are always allowed; 0 to 1e6,\ndefault 1"]
    pub min_per_second: f64,
    #[doc = " looks back this far; 10 to one day, default 10000"]
    pub window_ms: i64,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_budget_options"][::core::mem::size_of::<weir_budget_options>() - 40usize];
    ["Alignment of weir_budget_options"][::core::mem::align_of::<weir_budget_options>() - 8usize];
    ["Offset of field: weir_budget_options::size"]
        [::core::mem::offset_of!(weir_budget_options, size) - 0usize];
    ["Offset of field: weir_budget_options::reserved"]
        [::core::mem::offset_of!(weir_budget_options, reserved) - 4usize];
    ["Offset of field: weir_budget_options::ratio"]
        [::core::mem::offset_of!(weir_budget_options, ratio) - 8usize];
    ["Offset of field: weir_budget_options::min_per_second"]
        [::core::mem::offset_of!(weir_budget_options, min_per_second) - 16usize];
    ["Offset of field: weir_budget_options::window_ms"]
        [::core::mem::offset_of!(weir_budget_options, window_ms) - 24usize];
    ["Offset of field: weir_budget_options::name"]
        [::core::mem::offset_of!(weir_budget_options, name) - 32usize];
};
impl Default for weir_budget_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_budget_stats {
    #[doc = " set by the caller: sizeof(weir_budget_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " in the window"]
    pub deposits: u64,
    #[doc = " in the window, refunds taken off"]
    pub withdrawn: u64,
    #[doc = " withdrawals refused, ever"]
    pub refused: u64,
    #[doc = " withdrawals that would pass now"]
    pub available: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_budget_stats"][::core::mem::size_of::<weir_budget_stats>() - 40usize];
    ["Alignment of weir_budget_stats"][::core::mem::align_of::<weir_budget_stats>() - 8usize];
    ["Offset of field: weir_budget_stats::size"]
        [::core::mem::offset_of!(weir_budget_stats, size) - 0usize];
    ["Offset of field: weir_budget_stats::reserved"]
        [::core::mem::offset_of!(weir_budget_stats, reserved) - 4usize];
    ["Offset of field: weir_budget_stats::deposits"]
        [::core::mem::offset_of!(weir_budget_stats, deposits) - 8usize];
    ["Offset of field: weir_budget_stats::withdrawn"]
        [::core::mem::offset_of!(weir_budget_stats, withdrawn) - 16usize];
    ["Offset of field: weir_budget_stats::refused"]
        [::core::mem::offset_of!(weir_budget_stats, refused) - 24usize];
    ["Offset of field: weir_budget_stats::available"]
        [::core::mem::offset_of!(weir_budget_stats, available) - 32usize];
};
pub const WEIR_LIMITER_TOKEN_BUCKET: _bindgen_ty_13 = 0;
pub const WEIR_LIMITER_FIXED_WINDOW: _bindgen_ty_13 = 1;
pub const WEIR_LIMITER_SLIDING_WINDOW: _bindgen_ty_13 = 2;
pub type _bindgen_ty_13 = ::core::ffi::c_uint;
pub const WEIR_LIMITER_FIFO: _bindgen_ty_14 = 0;
pub const WEIR_LIMITER_PRIORITY: _bindgen_ty_14 = 1;
pub type _bindgen_ty_14 = ::core::ffi::c_uint;
pub const WEIR_LIMITER_DENY: _bindgen_ty_15 = 0;
pub const WEIR_LIMITER_EVICT: _bindgen_ty_15 = 1;
#[doc = " What happens at max_keys live keys when another comes: it is refused, or it\n displaces the key closest to idle (of those looked at; small tables are\n looked at whole). Each newcomer then begins with as much used as any\n displaced key had, until time has worn that off, and a displacement for which\n its request would not fit does not happen. So keys that come and go gain\n nobody a permit, a key that has nothing left or holds permits never gives\n way, and at a burst of 1 both are the same."]
pub type _bindgen_ty_15 = ::core::ffi::c_uint;
pub const WEIR_ADAPTIVE_OFF: _bindgen_ty_16 = 0;
pub const WEIR_ADAPTIVE_AIMD: _bindgen_ty_16 = 1;
pub const WEIR_ADAPTIVE_GRADIENT: _bindgen_ty_16 = 2;
pub type _bindgen_ty_16 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_limiter_options {
    #[doc = " sizeof(weir_limiter_options)"]
    pub size: u32,
    #[doc = " WEIR_LIMITER_*; default token bucket"]
    pub algorithm: u32,
    #[doc = " Rate: `permits` (1 to 2^31 - 1) in interval_ms (1 to 100 years). Both\n WEIR_OFF (default): no rate."]
    pub permits: i64,
    pub interval_ms: i64,
    #[doc = " Token bucket's depth; 1 to 2^31 - 1, or WEIR_OFF (default): as permits."]
    pub burst: i64,
    #[doc = " How many hold a permit at once; 1 to 2^31 - 1, or WEIR_UNLIMITED\n (default). With adaptive: where the limit begins, within adaptive_min and\n adaptive_max; unlimited means 20."]
    pub max_concurrent: i64,
    #[doc = " Runs that wait; 0 or more, or WEIR_UNLIMITED; default 1024."]
    pub max_queue: i64,
    #[doc = " How long a run waits at most, then it is refused as limited; 0 or more, or\n WEIR_FOREVER (default)."]
    pub queue_timeout_ms: i64,
    #[doc = " WEIR_LIMITER_FIFO (default) or PRIORITY, then fifo"]
    pub queue_order: u32,
    #[doc = " WEIR_LIMITER_DENY (default) or EVICT: the key that\nis closest to idle"]
    pub key_overflow: u32,
    #[doc = " Keyed: at most this many keys are tracked, 1 to 2^30. 0 (default): not\n keyed. Memory is taken at creation."]
    pub max_keys: i64,
    #[doc = " WEIR_ADAPTIVE_*; default off; not with max_keys"]
    pub adaptive: u32,
    #[doc = " 1: the permit of a run that was told to stop returns at once; default 0:\n when its attempt really ended."]
    pub early_release: u32,
    #[doc = " 1 to adaptive_max; default 1"]
    pub adaptive_min: i64,
    #[doc = " default 1000"]
    pub adaptive_max: i64,
    #[doc = " aimd: a call that took longer counts as overload; 1 or more, or WEIR_OFF\n (default): only failures do."]
    pub adaptive_latency_ms: i64,
    #[doc = " aimd: what the limit is multiplied with on overload; above 0, below 1;\n default 0.9."]
    pub adaptive_backoff: f64,
    #[doc = " gradient: how much slower than the long-term latency is still fine; 1 to\n 10, default 1.5."]
    pub adaptive_tolerance: f64,
    #[doc = " Nullable; see weir/policy.h: what adaptive counts as a failure."]
    pub classify: weir_classify_fn,
    pub classify_data: *mut ::core::ffi::c_void,
    pub classify_free_data: weir_free_fn,
    #[doc = " Nullable; `failures_count` ranges, copied."]
    pub failures: *const weir_error_range,
    pub failures_count: u64,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_limiter_options"][::core::mem::size_of::<weir_limiter_options>() - 168usize];
    ["Alignment of weir_limiter_options"][::core::mem::align_of::<weir_limiter_options>() - 8usize];
    ["Offset of field: weir_limiter_options::size"]
        [::core::mem::offset_of!(weir_limiter_options, size) - 0usize];
    ["Offset of field: weir_limiter_options::algorithm"]
        [::core::mem::offset_of!(weir_limiter_options, algorithm) - 4usize];
    ["Offset of field: weir_limiter_options::permits"]
        [::core::mem::offset_of!(weir_limiter_options, permits) - 8usize];
    ["Offset of field: weir_limiter_options::interval_ms"]
        [::core::mem::offset_of!(weir_limiter_options, interval_ms) - 16usize];
    ["Offset of field: weir_limiter_options::burst"]
        [::core::mem::offset_of!(weir_limiter_options, burst) - 24usize];
    ["Offset of field: weir_limiter_options::max_concurrent"]
        [::core::mem::offset_of!(weir_limiter_options, max_concurrent) - 32usize];
    ["Offset of field: weir_limiter_options::max_queue"]
        [::core::mem::offset_of!(weir_limiter_options, max_queue) - 40usize];
    ["Offset of field: weir_limiter_options::queue_timeout_ms"]
        [::core::mem::offset_of!(weir_limiter_options, queue_timeout_ms) - 48usize];
    ["Offset of field: weir_limiter_options::queue_order"]
        [::core::mem::offset_of!(weir_limiter_options, queue_order) - 56usize];
    ["Offset of field: weir_limiter_options::key_overflow"]
        [::core::mem::offset_of!(weir_limiter_options, key_overflow) - 60usize];
    ["Offset of field: weir_limiter_options::max_keys"]
        [::core::mem::offset_of!(weir_limiter_options, max_keys) - 64usize];
    ["Offset of field: weir_limiter_options::adaptive"]
        [::core::mem::offset_of!(weir_limiter_options, adaptive) - 72usize];
    ["Offset of field: weir_limiter_options::early_release"]
        [::core::mem::offset_of!(weir_limiter_options, early_release) - 76usize];
    ["Offset of field: weir_limiter_options::adaptive_min"]
        [::core::mem::offset_of!(weir_limiter_options, adaptive_min) - 80usize];
    ["Offset of field: weir_limiter_options::adaptive_max"]
        [::core::mem::offset_of!(weir_limiter_options, adaptive_max) - 88usize];
    ["Offset of field: weir_limiter_options::adaptive_latency_ms"]
        [::core::mem::offset_of!(weir_limiter_options, adaptive_latency_ms) - 96usize];
    ["Offset of field: weir_limiter_options::adaptive_backoff"]
        [::core::mem::offset_of!(weir_limiter_options, adaptive_backoff) - 104usize];
    ["Offset of field: weir_limiter_options::adaptive_tolerance"]
        [::core::mem::offset_of!(weir_limiter_options, adaptive_tolerance) - 112usize];
    ["Offset of field: weir_limiter_options::classify"]
        [::core::mem::offset_of!(weir_limiter_options, classify) - 120usize];
    ["Offset of field: weir_limiter_options::classify_data"]
        [::core::mem::offset_of!(weir_limiter_options, classify_data) - 128usize];
    ["Offset of field: weir_limiter_options::classify_free_data"]
        [::core::mem::offset_of!(weir_limiter_options, classify_free_data) - 136usize];
    ["Offset of field: weir_limiter_options::failures"]
        [::core::mem::offset_of!(weir_limiter_options, failures) - 144usize];
    ["Offset of field: weir_limiter_options::failures_count"]
        [::core::mem::offset_of!(weir_limiter_options, failures_count) - 152usize];
    ["Offset of field: weir_limiter_options::name"]
        [::core::mem::offset_of!(weir_limiter_options, name) - 160usize];
};
impl Default for weir_limiter_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_limiter_stats {
    #[doc = " set by the caller: sizeof(weir_limiter_stats)"]
    pub size: u32,
    #[doc = " 1 while paused"]
    pub paused: u32,
    #[doc = " of the rate, now; keyed: what a new key has"]
    pub available: i64,
    #[doc = " permits held"]
    pub concurrent: i64,
    #[doc = " of concurrency, now (adaptive: as it stands); -1: none"]
    pub limit: i64,
    #[doc = " runs waiting"]
    pub queued: u64,
    #[doc = " runs let through, ever"]
    pub granted: u64,
    #[doc = " runs refused, ever; decide denials are not counted"]
    pub refused: u64,
    #[doc = " of these, after waiting"]
    pub timed_out: u64,
    #[doc = " live keys, as far as known"]
    pub keys: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_limiter_stats"][::core::mem::size_of::<weir_limiter_stats>() - 72usize];
    ["Alignment of weir_limiter_stats"][::core::mem::align_of::<weir_limiter_stats>() - 8usize];
    ["Offset of field: weir_limiter_stats::size"]
        [::core::mem::offset_of!(weir_limiter_stats, size) - 0usize];
    ["Offset of field: weir_limiter_stats::paused"]
        [::core::mem::offset_of!(weir_limiter_stats, paused) - 4usize];
    ["Offset of field: weir_limiter_stats::available"]
        [::core::mem::offset_of!(weir_limiter_stats, available) - 8usize];
    ["Offset of field: weir_limiter_stats::concurrent"]
        [::core::mem::offset_of!(weir_limiter_stats, concurrent) - 16usize];
    ["Offset of field: weir_limiter_stats::limit"]
        [::core::mem::offset_of!(weir_limiter_stats, limit) - 24usize];
    ["Offset of field: weir_limiter_stats::queued"]
        [::core::mem::offset_of!(weir_limiter_stats, queued) - 32usize];
    ["Offset of field: weir_limiter_stats::granted"]
        [::core::mem::offset_of!(weir_limiter_stats, granted) - 40usize];
    ["Offset of field: weir_limiter_stats::refused"]
        [::core::mem::offset_of!(weir_limiter_stats, refused) - 48usize];
    ["Offset of field: weir_limiter_stats::timed_out"]
        [::core::mem::offset_of!(weir_limiter_stats, timed_out) - 56usize];
    ["Offset of field: weir_limiter_stats::keys"]
        [::core::mem::offset_of!(weir_limiter_stats, keys) - 64usize];
};
#[doc = " A listener: the call has settled. `outcome` is the call's own: valid while a\n reference to `call` is held (during this function it is). Never runs inside\n weir_run(), weir_complete() or weir_call_cancel()."]
pub type weir_settle_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        call: *mut weir_call,
        outcome: *const weir_outcome,
    ),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_run_options {
    #[doc = " sizeof(weir_run_options)"]
    pub size: u32,
    #[doc = " what limiters count it as; at least 1, default 1"]
    pub permits: u32,
    #[doc = " Nullable; outside the operation's own policies. What weir_policy_wrap()\n would refuse is refused here too (WEIR_EINVAL), but for a breaker or\n limiter that is among these already: that counts the run twice, and the\n limiter may make it wait for the permit it holds itself, until the queue's\n timeout or the deadline."]
    pub policy: *mut weir_policy,
    #[doc = " From now until the call settles as stopped with WEIR_ETIMEDOUT; 0 or more,\n or WEIR_FOREVER (default). Flows inwards: nothing is started or waited for\n that cannot fit."]
    pub deadline_ms: i64,
    #[doc = " For keyed policies: `key_size` bytes (at most 2^30), copied. NULL with 0:\n no key."]
    pub key: *const ::core::ffi::c_void,
    pub key_size: u64,
    #[doc = " For logs and the audit; copied; nullable."]
    pub name: *const ::core::ffi::c_char,
    #[doc = " What attempts get as input; a reference is taken; nullable."]
    pub input: *mut weir_value,
    #[doc = " Handed to start as it is; nullable."]
    pub context: *mut ::core::ffi::c_void,
    #[doc = " Deliver the settlement as a SETTLED record with `user` instead of calling\n `settle` (which must be NULL then); nullable."]
    pub queue: *mut weir_completions,
    pub user: u64,
    #[doc = " Order in queues that go by priority: 0 (first) to 63, default 31."]
    pub priority: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " Nullable: the scope that the run joins (weir/scope.h); WEIR_ECLOSED if it\n takes no more."]
    pub scope: *mut weir_scope,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_run_options"][::core::mem::size_of::<weir_run_options>() - 96usize];
    ["Alignment of weir_run_options"][::core::mem::align_of::<weir_run_options>() - 8usize];
    ["Offset of field: weir_run_options::size"]
        [::core::mem::offset_of!(weir_run_options, size) - 0usize];
    ["Offset of field: weir_run_options::permits"]
        [::core::mem::offset_of!(weir_run_options, permits) - 4usize];
    ["Offset of field: weir_run_options::policy"]
        [::core::mem::offset_of!(weir_run_options, policy) - 8usize];
    ["Offset of field: weir_run_options::deadline_ms"]
        [::core::mem::offset_of!(weir_run_options, deadline_ms) - 16usize];
    ["Offset of field: weir_run_options::key"]
        [::core::mem::offset_of!(weir_run_options, key) - 24usize];
    ["Offset of field: weir_run_options::key_size"]
        [::core::mem::offset_of!(weir_run_options, key_size) - 32usize];
    ["Offset of field: weir_run_options::name"]
        [::core::mem::offset_of!(weir_run_options, name) - 40usize];
    ["Offset of field: weir_run_options::input"]
        [::core::mem::offset_of!(weir_run_options, input) - 48usize];
    ["Offset of field: weir_run_options::context"]
        [::core::mem::offset_of!(weir_run_options, context) - 56usize];
    ["Offset of field: weir_run_options::queue"]
        [::core::mem::offset_of!(weir_run_options, queue) - 64usize];
    ["Offset of field: weir_run_options::user"]
        [::core::mem::offset_of!(weir_run_options, user) - 72usize];
    ["Offset of field: weir_run_options::priority"]
        [::core::mem::offset_of!(weir_run_options, priority) - 80usize];
    ["Offset of field: weir_run_options::reserved"]
        [::core::mem::offset_of!(weir_run_options, reserved) - 84usize];
    ["Offset of field: weir_run_options::scope"]
        [::core::mem::offset_of!(weir_run_options, scope) - 88usize];
};
impl Default for weir_run_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_EVICTION_ADAPTIVE: _bindgen_ty_17 = 0;
pub const WEIR_EVICTION_S3_FIFO: _bindgen_ty_17 = 1;
pub const WEIR_EVICTION_LRU: _bindgen_ty_17 = 2;
pub type _bindgen_ty_17 = ::core::ffi::c_uint;
pub const WEIR_EVICT_EXPIRED: _bindgen_ty_18 = 1;
#[doc = " to keep within the bounds"]
pub const WEIR_EVICT_SIZE: _bindgen_ty_18 = 2;
#[doc = " another value was written"]
pub const WEIR_EVICT_REPLACED: _bindgen_ty_18 = 3;
#[doc = " invalidated"]
pub const WEIR_EVICT_EXPLICIT: _bindgen_ty_18 = 4;
pub const WEIR_EVICT_CLEARED: _bindgen_ty_18 = 5;
#[doc = " Why an entry left."]
pub type _bindgen_ty_18 = ::core::ffi::c_uint;
#[doc = " written, the key was absent"]
pub const WEIR_EXPIRE_CREATED: _bindgen_ty_19 = 1;
#[doc = " written over another value"]
pub const WEIR_EXPIRE_UPDATED: _bindgen_ty_19 = 2;
pub const WEIR_EXPIRE_READ: _bindgen_ty_19 = 3;
#[doc = " When an expire function is asked."]
pub type _bindgen_ty_19 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_expiry {
    pub size: u32,
    #[doc = " WEIR_EXPIRE_*"]
    pub moment: u32,
    #[doc = " valid during the call"]
    pub key: *const ::core::ffi::c_void,
    pub key_size: u64,
    #[doc = " borrowed; nullable"]
    pub value: *mut weir_value,
    #[doc = " What is left of its lifetime; INT64_MAX if it has none; 0 when created."]
    pub remaining_ns: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_expiry"][::core::mem::size_of::<weir_expiry>() - 40usize];
    ["Alignment of weir_expiry"][::core::mem::align_of::<weir_expiry>() - 8usize];
    ["Offset of field: weir_expiry::size"][::core::mem::offset_of!(weir_expiry, size) - 0usize];
    ["Offset of field: weir_expiry::moment"][::core::mem::offset_of!(weir_expiry, moment) - 4usize];
    ["Offset of field: weir_expiry::key"][::core::mem::offset_of!(weir_expiry, key) - 8usize];
    ["Offset of field: weir_expiry::key_size"]
        [::core::mem::offset_of!(weir_expiry, key_size) - 16usize];
    ["Offset of field: weir_expiry::value"][::core::mem::offset_of!(weir_expiry, value) - 24usize];
    ["Offset of field: weir_expiry::remaining_ns"]
        [::core::mem::offset_of!(weir_expiry, remaining_ns) - 32usize];
};
impl Default for weir_expiry {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " A decider: the entry's lifetime from now in milliseconds (0: gone at once),\n WEIR_FOREVER, or WEIR_EXPIRE_KEEP. Another negative number counts as\n WEIR_EXPIRE_KEEP: who works it out as an end less now cuts it at 0. Asked by\n lookups and gets that find a value, which they give out whatever the answer,\n and by writes that bring no lifetime along. If it uses its own cache, it is\n asked for that, too: inside of itself, and it must see to an end."]
pub type weir_expire_fn = ::core::option::Option<
    unsafe extern "C" fn(data: *mut ::core::ffi::c_void, expiry: *const weir_expiry) -> i64,
>;
#[doc = " A decider: an entry's weight, asked once, when it is written; 0 to 2^32 - 1.\n A negative one refuses the write (WEIR_EFAILED); a greater one is too heavy\n for every bound."]
pub type weir_weigh_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        value: *const weir_value,
    ) -> i64,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_eviction {
    pub size: u32,
    #[doc = " WEIR_EVICT_*"]
    pub cause: u32,
    #[doc = " valid during the call"]
    pub key: *const ::core::ffi::c_void,
    pub key_size: u64,
    #[doc = " borrowed; ref it to keep it; nullable"]
    pub value: *mut weir_value,
    pub weight: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_eviction"][::core::mem::size_of::<weir_eviction>() - 40usize];
    ["Alignment of weir_eviction"][::core::mem::align_of::<weir_eviction>() - 8usize];
    ["Offset of field: weir_eviction::size"][::core::mem::offset_of!(weir_eviction, size) - 0usize];
    ["Offset of field: weir_eviction::cause"]
        [::core::mem::offset_of!(weir_eviction, cause) - 4usize];
    ["Offset of field: weir_eviction::key"][::core::mem::offset_of!(weir_eviction, key) - 8usize];
    ["Offset of field: weir_eviction::key_size"]
        [::core::mem::offset_of!(weir_eviction, key_size) - 16usize];
    ["Offset of field: weir_eviction::value"]
        [::core::mem::offset_of!(weir_eviction, value) - 24usize];
    ["Offset of field: weir_eviction::weight"]
        [::core::mem::offset_of!(weir_eviction, weight) - 32usize];
};
impl Default for weir_eviction {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " A listener: an entry with a value left. After the fact, in the order they\n left (of one shard); each is kept until it has been told, so they pile up\n where the runtime's thread is busy for long, or a manual one is not driven.\n Not told of what goes with the cache itself, nor of remembered failures. A\n runtime's event listener hears of WEIR_EVICT_SIZE too, by number\n (WEIR_EVENT_EVICTION, policy NULL)."]
pub type weir_evict_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        cache: *mut weir_cache,
        eviction: *const weir_eviction,
    ),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_cache_options {
    #[doc = " sizeof(weir_cache_options)"]
    pub size: u32,
    #[doc = " WEIR_EVICTION_*; default adaptive"]
    pub eviction: u32,
    #[doc = " Entries at most; 0 (stores nothing) to 2^32 - 1, or WEIR_UNLIMITED; default\n 1000."]
    pub max_entries: i64,
    #[doc = " Weight at most; 0 or more, or WEIR_UNLIMITED (default). A bound needs\n `weigh`. An entry of weight 0 is never evicted for weight; one heavier than\n the bound is refused, and the others stay."]
    pub max_weight: i64,
    #[doc = " After write; 0 (gone at once) or more, or WEIR_FOREVER; default 300000."]
    pub ttl_ms: i64,
    #[doc = " After the last use; 0 or more, or WEIR_OFF (default)."]
    pub idle_ms: i64,
    #[doc = " Of one load; a load has no caller's deadline. 0 or more, or WEIR_FOREVER\n (default)."]
    pub load_timeout_ms: i64,
    #[doc = " A get that finds an entry written longer ago than this gets its value and\n has it loaded again in the background, once; if that fails, the next such\n get tries again. 0 to ttl_ms, or WEIR_OFF (default)."]
    pub refresh_ms: i64,
    #[doc = " How long after its expiry a value still serves gets whose loading failed;\n 0 or more, WEIR_FOREVER is not offered; WEIR_OFF (default)."]
    pub stale_if_error_ms: i64,
    #[doc = " How long a get remembers that loading failed, with the error, and gives it\n out without loading; 0 or more, or WEIR_OFF (default). Such a failure is an\n entry, of weight 0 if there is `weigh`, and found by nothing but gets."]
    pub negative_ttl_ms: i64,
    #[doc = " Parts with bounds and writers' locks of their own; 0 (default): by the\n processors and the bound; at most 256, rounded up to a power of two, and\n no more than max_entries. Lookups on different processors do not meet even\n in one shard. An entry has to fit in its shard's part of max_weight."]
    pub shards: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " nullable: each entry weighs 1"]
    pub weigh: weir_weigh_fn,
    pub weigh_data: *mut ::core::ffi::c_void,
    pub weigh_free_data: weir_free_fn,
    #[doc = " nullable"]
    pub expire: weir_expire_fn,
    pub expire_data: *mut ::core::ffi::c_void,
    pub expire_free_data: weir_free_fn,
    #[doc = " nullable"]
    pub on_evict: weir_evict_fn,
    pub evict_data: *mut ::core::ffi::c_void,
    pub evict_free_data: weir_free_fn,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_cache_options"][::core::mem::size_of::<weir_cache_options>() - 160usize];
    ["Alignment of weir_cache_options"][::core::mem::align_of::<weir_cache_options>() - 8usize];
    ["Offset of field: weir_cache_options::size"]
        [::core::mem::offset_of!(weir_cache_options, size) - 0usize];
    ["Offset of field: weir_cache_options::eviction"]
        [::core::mem::offset_of!(weir_cache_options, eviction) - 4usize];
    ["Offset of field: weir_cache_options::max_entries"]
        [::core::mem::offset_of!(weir_cache_options, max_entries) - 8usize];
    ["Offset of field: weir_cache_options::max_weight"]
        [::core::mem::offset_of!(weir_cache_options, max_weight) - 16usize];
    ["Offset of field: weir_cache_options::ttl_ms"]
        [::core::mem::offset_of!(weir_cache_options, ttl_ms) - 24usize];
    ["Offset of field: weir_cache_options::idle_ms"]
        [::core::mem::offset_of!(weir_cache_options, idle_ms) - 32usize];
    ["Offset of field: weir_cache_options::load_timeout_ms"]
        [::core::mem::offset_of!(weir_cache_options, load_timeout_ms) - 40usize];
    ["Offset of field: weir_cache_options::refresh_ms"]
        [::core::mem::offset_of!(weir_cache_options, refresh_ms) - 48usize];
    ["Offset of field: weir_cache_options::stale_if_error_ms"]
        [::core::mem::offset_of!(weir_cache_options, stale_if_error_ms) - 56usize];
    ["Offset of field: weir_cache_options::negative_ttl_ms"]
        [::core::mem::offset_of!(weir_cache_options, negative_ttl_ms) - 64usize];
    ["Offset of field: weir_cache_options::shards"]
        [::core::mem::offset_of!(weir_cache_options, shards) - 72usize];
    ["Offset of field: weir_cache_options::reserved"]
        [::core::mem::offset_of!(weir_cache_options, reserved) - 76usize];
    ["Offset of field: weir_cache_options::weigh"]
        [::core::mem::offset_of!(weir_cache_options, weigh) - 80usize];
    ["Offset of field: weir_cache_options::weigh_data"]
        [::core::mem::offset_of!(weir_cache_options, weigh_data) - 88usize];
    ["Offset of field: weir_cache_options::weigh_free_data"]
        [::core::mem::offset_of!(weir_cache_options, weigh_free_data) - 96usize];
    ["Offset of field: weir_cache_options::expire"]
        [::core::mem::offset_of!(weir_cache_options, expire) - 104usize];
    ["Offset of field: weir_cache_options::expire_data"]
        [::core::mem::offset_of!(weir_cache_options, expire_data) - 112usize];
    ["Offset of field: weir_cache_options::expire_free_data"]
        [::core::mem::offset_of!(weir_cache_options, expire_free_data) - 120usize];
    ["Offset of field: weir_cache_options::on_evict"]
        [::core::mem::offset_of!(weir_cache_options, on_evict) - 128usize];
    ["Offset of field: weir_cache_options::evict_data"]
        [::core::mem::offset_of!(weir_cache_options, evict_data) - 136usize];
    ["Offset of field: weir_cache_options::evict_free_data"]
        [::core::mem::offset_of!(weir_cache_options, evict_free_data) - 144usize];
    ["Offset of field: weir_cache_options::name"]
        [::core::mem::offset_of!(weir_cache_options, name) - 152usize];
};
impl Default for weir_cache_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " One entry of a scan."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_cache_entry {
    #[doc = " a bytes value; the caller's reference"]
    pub key: *mut weir_value,
    #[doc = " the caller's reference; nullable"]
    pub value: *mut weir_value,
    #[doc = " of its lifetime; INT64_MAX: no end"]
    pub remaining_ns: i64,
    pub weight: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_cache_entry"][::core::mem::size_of::<weir_cache_entry>() - 32usize];
    ["Alignment of weir_cache_entry"][::core::mem::align_of::<weir_cache_entry>() - 8usize];
    ["Offset of field: weir_cache_entry::key"]
        [::core::mem::offset_of!(weir_cache_entry, key) - 0usize];
    ["Offset of field: weir_cache_entry::value"]
        [::core::mem::offset_of!(weir_cache_entry, value) - 8usize];
    ["Offset of field: weir_cache_entry::remaining_ns"]
        [::core::mem::offset_of!(weir_cache_entry, remaining_ns) - 16usize];
    ["Offset of field: weir_cache_entry::weight"]
        [::core::mem::offset_of!(weir_cache_entry, weight) - 24usize];
};
impl Default for weir_cache_entry {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_cache_stats {
    #[doc = " set by the caller: sizeof(weir_cache_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " of lookups and gets; ever, as all but the last three"]
    pub hits: u64,
    pub misses: u64,
    #[doc = " gets served by stale_if_error; also misses"]
    pub stale_hits: u64,
    #[doc = " stored, loads and remembered failures included"]
    pub puts: u64,
    #[doc = " begun; a key of a bulk load counts as one"]
    pub loads: u64,
    pub load_failures: u64,
    #[doc = " of all loads that ended"]
    pub load_time_ns: u64,
    #[doc = " heavier than the bound, or refused by weigh"]
    pub refused: u64,
    #[doc = " left, by cause"]
    pub expired: u64,
    #[doc = " WEIR_EVICT_SIZE"]
    pub evicted: u64,
    pub replaced: u64,
    pub invalidated: u64,
    pub cleared: u64,
    #[doc = " now; expired and not yet swept ones included"]
    pub entries: u64,
    pub weight: u64,
    #[doc = " keys being loaded"]
    pub loading: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_cache_stats"][::core::mem::size_of::<weir_cache_stats>() - 136usize];
    ["Alignment of weir_cache_stats"][::core::mem::align_of::<weir_cache_stats>() - 8usize];
    ["Offset of field: weir_cache_stats::size"]
        [::core::mem::offset_of!(weir_cache_stats, size) - 0usize];
    ["Offset of field: weir_cache_stats::reserved"]
        [::core::mem::offset_of!(weir_cache_stats, reserved) - 4usize];
    ["Offset of field: weir_cache_stats::hits"]
        [::core::mem::offset_of!(weir_cache_stats, hits) - 8usize];
    ["Offset of field: weir_cache_stats::misses"]
        [::core::mem::offset_of!(weir_cache_stats, misses) - 16usize];
    ["Offset of field: weir_cache_stats::stale_hits"]
        [::core::mem::offset_of!(weir_cache_stats, stale_hits) - 24usize];
    ["Offset of field: weir_cache_stats::puts"]
        [::core::mem::offset_of!(weir_cache_stats, puts) - 32usize];
    ["Offset of field: weir_cache_stats::loads"]
        [::core::mem::offset_of!(weir_cache_stats, loads) - 40usize];
    ["Offset of field: weir_cache_stats::load_failures"]
        [::core::mem::offset_of!(weir_cache_stats, load_failures) - 48usize];
    ["Offset of field: weir_cache_stats::load_time_ns"]
        [::core::mem::offset_of!(weir_cache_stats, load_time_ns) - 56usize];
    ["Offset of field: weir_cache_stats::refused"]
        [::core::mem::offset_of!(weir_cache_stats, refused) - 64usize];
    ["Offset of field: weir_cache_stats::expired"]
        [::core::mem::offset_of!(weir_cache_stats, expired) - 72usize];
    ["Offset of field: weir_cache_stats::evicted"]
        [::core::mem::offset_of!(weir_cache_stats, evicted) - 80usize];
    ["Offset of field: weir_cache_stats::replaced"]
        [::core::mem::offset_of!(weir_cache_stats, replaced) - 88usize];
    ["Offset of field: weir_cache_stats::invalidated"]
        [::core::mem::offset_of!(weir_cache_stats, invalidated) - 96usize];
    ["Offset of field: weir_cache_stats::cleared"]
        [::core::mem::offset_of!(weir_cache_stats, cleared) - 104usize];
    ["Offset of field: weir_cache_stats::entries"]
        [::core::mem::offset_of!(weir_cache_stats, entries) - 112usize];
    ["Offset of field: weir_cache_stats::weight"]
        [::core::mem::offset_of!(weir_cache_stats, weight) - 120usize];
    ["Offset of field: weir_cache_stats::loading"]
        [::core::mem::offset_of!(weir_cache_stats, loading) - 128usize];
};
pub const WEIR_CHAOS_LATENCY: _bindgen_ty_20 = 1;
pub const WEIR_CHAOS_FAILURE: _bindgen_ty_20 = 2;
pub const WEIR_CHAOS_OUTCOME: _bindgen_ty_20 = 3;
pub const WEIR_CHAOS_HANG: _bindgen_ty_20 = 4;
#[doc = " What is injected."]
pub type _bindgen_ty_20 = ::core::ffi::c_uint;
#[doc = " In this time the rate of `what` is `rate` instead of the option's."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_chaos_phase {
    #[doc = " 0 or more, since the chaos was made or last enabled"]
    pub from_ms: i64,
    #[doc = " above from_ms, or WEIR_FOREVER; itself not included"]
    pub until_ms: i64,
    #[doc = " WEIR_CHAOS_*"]
    pub what: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " 0 to 1"]
    pub rate: f64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_chaos_phase"][::core::mem::size_of::<weir_chaos_phase>() - 32usize];
    ["Alignment of weir_chaos_phase"][::core::mem::align_of::<weir_chaos_phase>() - 8usize];
    ["Offset of field: weir_chaos_phase::from_ms"]
        [::core::mem::offset_of!(weir_chaos_phase, from_ms) - 0usize];
    ["Offset of field: weir_chaos_phase::until_ms"]
        [::core::mem::offset_of!(weir_chaos_phase, until_ms) - 8usize];
    ["Offset of field: weir_chaos_phase::what"]
        [::core::mem::offset_of!(weir_chaos_phase, what) - 16usize];
    ["Offset of field: weir_chaos_phase::reserved"]
        [::core::mem::offset_of!(weir_chaos_phase, reserved) - 20usize];
    ["Offset of field: weir_chaos_phase::rate"]
        [::core::mem::offset_of!(weir_chaos_phase, rate) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_chaos_options {
    #[doc = " sizeof(weir_chaos_options)"]
    pub size: u32,
    #[doc = " 1 (default): on from the beginning; 0: off"]
    pub enabled: u32,
    #[doc = " Of the sequence of draws: the same one injects the same. 0 (default): from\n the runtime's own."]
    pub seed: u64,
    #[doc = " Shares of the runs; 0 to 1, default 0. The first three exclude each other\n and are at most 1 together; where phases make them more, failures go first,\n hangs last."]
    pub failure_rate: f64,
    pub outcome_rate: f64,
    pub hang_rate: f64,
    pub latency_rate: f64,
    #[doc = " Uniform between the two; 0 or more, default 0 and 1000."]
    pub latency_min_ms: i64,
    #[doc = " not below latency_min_ms"]
    pub latency_max_ms: i64,
    #[doc = " What failures fail with; a reference is taken. NULL (default): WEIR_EFAILED\n of WEIR_DOMAIN_WEIR, \"injected by chaos 'NAME'\"."]
    pub failure: *mut weir_error,
    #[doc = " What outcomes succeed with; a reference is taken; nullable."]
    pub value: *mut weir_value,
    #[doc = " A schedule; nullable; `phases_count` (65536 at most) phases, copied. Of\n those of one kind that hold at a moment the last counts."]
    pub phases: *const weir_chaos_phase,
    pub phases_count: u64,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_chaos_options"][::core::mem::size_of::<weir_chaos_options>() - 104usize];
    ["Alignment of weir_chaos_options"][::core::mem::align_of::<weir_chaos_options>() - 8usize];
    ["Offset of field: weir_chaos_options::size"]
        [::core::mem::offset_of!(weir_chaos_options, size) - 0usize];
    ["Offset of field: weir_chaos_options::enabled"]
        [::core::mem::offset_of!(weir_chaos_options, enabled) - 4usize];
    ["Offset of field: weir_chaos_options::seed"]
        [::core::mem::offset_of!(weir_chaos_options, seed) - 8usize];
    ["Offset of field: weir_chaos_options::failure_rate"]
        [::core::mem::offset_of!(weir_chaos_options, failure_rate) - 16usize];
    ["Offset of field: weir_chaos_options::outcome_rate"]
        [::core::mem::offset_of!(weir_chaos_options, outcome_rate) - 24usize];
    ["Offset of field: weir_chaos_options::hang_rate"]
        [::core::mem::offset_of!(weir_chaos_options, hang_rate) - 32usize];
    ["Offset of field: weir_chaos_options::latency_rate"]
        [::core::mem::offset_of!(weir_chaos_options, latency_rate) - 40usize];
    ["Offset of field: weir_chaos_options::latency_min_ms"]
        [::core::mem::offset_of!(weir_chaos_options, latency_min_ms) - 48usize];
    ["Offset of field: weir_chaos_options::latency_max_ms"]
        [::core::mem::offset_of!(weir_chaos_options, latency_max_ms) - 56usize];
    ["Offset of field: weir_chaos_options::failure"]
        [::core::mem::offset_of!(weir_chaos_options, failure) - 64usize];
    ["Offset of field: weir_chaos_options::value"]
        [::core::mem::offset_of!(weir_chaos_options, value) - 72usize];
    ["Offset of field: weir_chaos_options::phases"]
        [::core::mem::offset_of!(weir_chaos_options, phases) - 80usize];
    ["Offset of field: weir_chaos_options::phases_count"]
        [::core::mem::offset_of!(weir_chaos_options, phases_count) - 88usize];
    ["Offset of field: weir_chaos_options::name"]
        [::core::mem::offset_of!(weir_chaos_options, name) - 96usize];
};
impl Default for weir_chaos_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_chaos_stats {
    #[doc = " set by the caller: sizeof(weir_chaos_stats)"]
    pub size: u32,
    #[doc = " 1 while it is on"]
    pub enabled: u32,
    #[doc = " runs that entered while it was on"]
    pub drawn: u64,
    pub delayed: u64,
    pub failed: u64,
    pub outcomes: u64,
    pub hung: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_chaos_stats"][::core::mem::size_of::<weir_chaos_stats>() - 48usize];
    ["Alignment of weir_chaos_stats"][::core::mem::align_of::<weir_chaos_stats>() - 8usize];
    ["Offset of field: weir_chaos_stats::size"]
        [::core::mem::offset_of!(weir_chaos_stats, size) - 0usize];
    ["Offset of field: weir_chaos_stats::enabled"]
        [::core::mem::offset_of!(weir_chaos_stats, enabled) - 4usize];
    ["Offset of field: weir_chaos_stats::drawn"]
        [::core::mem::offset_of!(weir_chaos_stats, drawn) - 8usize];
    ["Offset of field: weir_chaos_stats::delayed"]
        [::core::mem::offset_of!(weir_chaos_stats, delayed) - 16usize];
    ["Offset of field: weir_chaos_stats::failed"]
        [::core::mem::offset_of!(weir_chaos_stats, failed) - 24usize];
    ["Offset of field: weir_chaos_stats::outcomes"]
        [::core::mem::offset_of!(weir_chaos_stats, outcomes) - 32usize];
    ["Offset of field: weir_chaos_stats::hung"]
        [::core::mem::offset_of!(weir_chaos_stats, hung) - 40usize];
};
#[doc = " Begin an attempt of a queued operation: user, object = token, detail =\n input (weir_value pointer, a reference of the host's own, or 0), number =\n attempt; weir_attempt_get() tells the rest. A START that is still undrained\n when its attempt is told to stop is taken back."]
pub const WEIR_RECORD_START: _bindgen_ty_21 = 1;
#[doc = " An attempt whose START was drained should stop: user, object = token,\n number = WEIR_CANCEL_*. It still has to be completed."]
pub const WEIR_RECORD_CANCEL: _bindgen_ty_21 = 2;
#[doc = " A run settled: user, object = weir_value or weir_error pointer (a\n reference of the host's own, or 0; which one `channel` says), detail =\n elapsed nanoseconds, status, number = attempts, channel."]
pub const WEIR_RECORD_SETTLED: _bindgen_ty_21 = 3;
#[doc = " A host value's last reference is gone: object = its id."]
pub const WEIR_RECORD_RELEASED: _bindgen_ty_21 = 4;
#[doc = " A breaker changed its state: user = the breaker option's word, object =\n sequence number, detail = events missed before it, status = reason, number\n = from × 256 + to."]
pub const WEIR_RECORD_EVENT: _bindgen_ty_21 = 5;
#[doc = " As START, of an operation that asks (weir_operation_new_asked): for the\n next item of a parallel, for example. The answer completes the token."]
pub const WEIR_RECORD_ASK: _bindgen_ty_21 = 6;
#[doc = " The queue's runtime closed; nothing else will come but RELEASED."]
pub const WEIR_RECORD_CLOSED: _bindgen_ty_21 = 7;
#[doc = " An item of a parallel or a pool settled (their option queue): user, object\n = weir_value or weir_error pointer as in SETTLED, detail = index, status,\n number = attempts, channel. Before the SETTLED of its run. Items that were\n stopped because the whole ended are not told of. If there is no memory to\n tell of an item that could not begin, the whole fails with WEIR_ENOMEM."]
pub const WEIR_RECORD_ITEM: _bindgen_ty_21 = 8;
#[doc = " The flight recorder has new entries (weir_recorder_notify): user."]
pub const WEIR_RECORD_RECORDED: _bindgen_ty_21 = 9;
pub type _bindgen_ty_21 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_record {
    pub user: u64,
    pub object: u64,
    pub detail: u64,
    pub status: i32,
    #[doc = " saturates at 65535"]
    pub number: u16,
    #[doc = " WEIR_RECORD_*"]
    pub kind: u8,
    #[doc = " WEIR_CHANNEL_* of SETTLED and ITEM"]
    pub channel: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_record"][::core::mem::size_of::<weir_record>() - 32usize];
    ["Alignment of weir_record"][::core::mem::align_of::<weir_record>() - 8usize];
    ["Offset of field: weir_record::user"][::core::mem::offset_of!(weir_record, user) - 0usize];
    ["Offset of field: weir_record::object"][::core::mem::offset_of!(weir_record, object) - 8usize];
    ["Offset of field: weir_record::detail"]
        [::core::mem::offset_of!(weir_record, detail) - 16usize];
    ["Offset of field: weir_record::status"]
        [::core::mem::offset_of!(weir_record, status) - 24usize];
    ["Offset of field: weir_record::number"]
        [::core::mem::offset_of!(weir_record, number) - 28usize];
    ["Offset of field: weir_record::kind"][::core::mem::offset_of!(weir_record, kind) - 30usize];
    ["Offset of field: weir_record::channel"]
        [::core::mem::offset_of!(weir_record, channel) - 31usize];
};
#[doc = " Called on the edge from empty to non-empty, on any thread. Must not call\n weir."]
pub type weir_notify_fn =
    ::core::option::Option<unsafe extern "C" fn(data: *mut ::core::ffi::c_void)>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_completions_options {
    #[doc = " sizeof(weir_completions_options)"]
    pub size: u32,
    #[doc = " 1: make a descriptor (weir_completions_fd); default 0"]
    pub with_fd: u32,
    #[doc = " nullable"]
    pub notify: weir_notify_fn,
    pub notify_data: *mut ::core::ffi::c_void,
    pub notify_free_data: weir_free_fn,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_completions_options"]
        [::core::mem::size_of::<weir_completions_options>() - 40usize];
    ["Alignment of weir_completions_options"]
        [::core::mem::align_of::<weir_completions_options>() - 8usize];
    ["Offset of field: weir_completions_options::size"]
        [::core::mem::offset_of!(weir_completions_options, size) - 0usize];
    ["Offset of field: weir_completions_options::with_fd"]
        [::core::mem::offset_of!(weir_completions_options, with_fd) - 4usize];
    ["Offset of field: weir_completions_options::notify"]
        [::core::mem::offset_of!(weir_completions_options, notify) - 8usize];
    ["Offset of field: weir_completions_options::notify_data"]
        [::core::mem::offset_of!(weir_completions_options, notify_data) - 16usize];
    ["Offset of field: weir_completions_options::notify_free_data"]
        [::core::mem::offset_of!(weir_completions_options, notify_free_data) - 24usize];
    ["Offset of field: weir_completions_options::name"]
        [::core::mem::offset_of!(weir_completions_options, name) - 32usize];
};
impl Default for weir_completions_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " stopped, WEIR_ESUPERSEDED, at once"]
pub const WEIR_SUPERSEDED_CANCEL: _bindgen_ty_22 = 0;
#[doc = " the outcome of the run that covers its batch"]
pub const WEIR_SUPERSEDED_SHARE: _bindgen_ty_22 = 1;
#[doc = " What a call gets that a later one of its batch replaced. A call that no later\n run will cover (trailing is off) is superseded as well; with SHARE it gets\n the outcome of the run that is out, if there is one."]
pub type _bindgen_ty_22 = ::core::ffi::c_uint;
#[doc = " wait for its end, then run with the latest"]
pub const WEIR_OVERLAP_QUEUE: _bindgen_ty_23 = 0;
#[doc = " run beside it"]
pub const WEIR_OVERLAP_CONCURRENT: _bindgen_ty_23 = 1;
#[doc = " tell it to stop (WEIR_CANCEL_SUPERSEDED); its\ncalls are superseded"]
pub const WEIR_OVERLAP_CANCEL: _bindgen_ty_23 = 2;
#[doc = " A run is due while the last one is still going."]
pub type _bindgen_ty_23 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_pacing_stats {
    #[doc = " set by the caller: sizeof(weir_pacing_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " ever"]
    pub calls: u64,
    #[doc = " started, ever"]
    pub runs: u64,
    #[doc = " calls that another replaced, ever"]
    pub superseded: u64,
    #[doc = " calls for which no run has begun, settled or not"]
    pub pending: u64,
    #[doc = " runs that have not settled"]
    pub running: u64,
    #[doc = " keys that are not idle"]
    pub keys: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_pacing_stats"][::core::mem::size_of::<weir_pacing_stats>() - 56usize];
    ["Alignment of weir_pacing_stats"][::core::mem::align_of::<weir_pacing_stats>() - 8usize];
    ["Offset of field: weir_pacing_stats::size"]
        [::core::mem::offset_of!(weir_pacing_stats, size) - 0usize];
    ["Offset of field: weir_pacing_stats::reserved"]
        [::core::mem::offset_of!(weir_pacing_stats, reserved) - 4usize];
    ["Offset of field: weir_pacing_stats::calls"]
        [::core::mem::offset_of!(weir_pacing_stats, calls) - 8usize];
    ["Offset of field: weir_pacing_stats::runs"]
        [::core::mem::offset_of!(weir_pacing_stats, runs) - 16usize];
    ["Offset of field: weir_pacing_stats::superseded"]
        [::core::mem::offset_of!(weir_pacing_stats, superseded) - 24usize];
    ["Offset of field: weir_pacing_stats::pending"]
        [::core::mem::offset_of!(weir_pacing_stats, pending) - 32usize];
    ["Offset of field: weir_pacing_stats::running"]
        [::core::mem::offset_of!(weir_pacing_stats, running) - 40usize];
    ["Offset of field: weir_pacing_stats::keys"]
        [::core::mem::offset_of!(weir_pacing_stats, keys) - 48usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_debounce {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_debounce_options {
    #[doc = " sizeof(weir_debounce_options)"]
    pub size: u32,
    #[doc = " 1: run at the first call of a burst; default 0"]
    pub leading: u32,
    #[doc = " 1 (default): run after the quiet period with the latest\nargument; never twice for a single call"]
    pub trailing: u32,
    #[doc = " WEIR_SUPERSEDED_*; default cancel"]
    pub superseded: u32,
    #[doc = " WEIR_OVERLAP_*; default queue"]
    pub overlap: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " the quiet period; 0 or more, or WEIR_FOREVER; default 300.\n0 runs once what is ready has had its turn"]
    pub wait_ms: i64,
    #[doc = " Under constant calls it runs at least this often; at least wait_ms, or\n WEIR_FOREVER (default). With leading alone: a burst ends after it, and the\n next call leads again."]
    pub max_wait_ms: i64,
    #[doc = " around each run; nullable, a reference is taken"]
    pub policy: *mut weir_policy,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_debounce_options"][::core::mem::size_of::<weir_debounce_options>() - 56usize];
    ["Alignment of weir_debounce_options"]
        [::core::mem::align_of::<weir_debounce_options>() - 8usize];
    ["Offset of field: weir_debounce_options::size"]
        [::core::mem::offset_of!(weir_debounce_options, size) - 0usize];
    ["Offset of field: weir_debounce_options::leading"]
        [::core::mem::offset_of!(weir_debounce_options, leading) - 4usize];
    ["Offset of field: weir_debounce_options::trailing"]
        [::core::mem::offset_of!(weir_debounce_options, trailing) - 8usize];
    ["Offset of field: weir_debounce_options::superseded"]
        [::core::mem::offset_of!(weir_debounce_options, superseded) - 12usize];
    ["Offset of field: weir_debounce_options::overlap"]
        [::core::mem::offset_of!(weir_debounce_options, overlap) - 16usize];
    ["Offset of field: weir_debounce_options::reserved"]
        [::core::mem::offset_of!(weir_debounce_options, reserved) - 20usize];
    ["Offset of field: weir_debounce_options::wait_ms"]
        [::core::mem::offset_of!(weir_debounce_options, wait_ms) - 24usize];
    ["Offset of field: weir_debounce_options::max_wait_ms"]
        [::core::mem::offset_of!(weir_debounce_options, max_wait_ms) - 32usize];
    ["Offset of field: weir_debounce_options::policy"]
        [::core::mem::offset_of!(weir_debounce_options, policy) - 40usize];
    ["Offset of field: weir_debounce_options::name"]
        [::core::mem::offset_of!(weir_debounce_options, name) - 48usize];
};
impl Default for weir_debounce_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_fallback_options {
    #[doc = " sizeof(weir_fallback_options)"]
    pub size: u32,
    #[doc = " 1: `value`, 0 (default): `operation`; one of both"]
    pub has_value: u32,
    #[doc = " Nullable: no value is a value, too; a reference is taken."]
    pub value: *mut weir_value,
    #[doc = " Of the same runtime; a reference is taken."]
    pub operation: *mut weir_operation,
    #[doc = " Nullable; see weir/policy.h. Judges the inside, not the operation."]
    pub classify: weir_classify_fn,
    pub classify_data: *mut ::core::ffi::c_void,
    pub classify_free_data: weir_free_fn,
    #[doc = " Nullable; `failures_count` ranges, copied: only these user errors are\n failures, unless classify says otherwise."]
    pub failures: *const weir_error_range,
    pub failures_count: u64,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_fallback_options"][::core::mem::size_of::<weir_fallback_options>() - 72usize];
    ["Alignment of weir_fallback_options"]
        [::core::mem::align_of::<weir_fallback_options>() - 8usize];
    ["Offset of field: weir_fallback_options::size"]
        [::core::mem::offset_of!(weir_fallback_options, size) - 0usize];
    ["Offset of field: weir_fallback_options::has_value"]
        [::core::mem::offset_of!(weir_fallback_options, has_value) - 4usize];
    ["Offset of field: weir_fallback_options::value"]
        [::core::mem::offset_of!(weir_fallback_options, value) - 8usize];
    ["Offset of field: weir_fallback_options::operation"]
        [::core::mem::offset_of!(weir_fallback_options, operation) - 16usize];
    ["Offset of field: weir_fallback_options::classify"]
        [::core::mem::offset_of!(weir_fallback_options, classify) - 24usize];
    ["Offset of field: weir_fallback_options::classify_data"]
        [::core::mem::offset_of!(weir_fallback_options, classify_data) - 32usize];
    ["Offset of field: weir_fallback_options::classify_free_data"]
        [::core::mem::offset_of!(weir_fallback_options, classify_free_data) - 40usize];
    ["Offset of field: weir_fallback_options::failures"]
        [::core::mem::offset_of!(weir_fallback_options, failures) - 48usize];
    ["Offset of field: weir_fallback_options::failures_count"]
        [::core::mem::offset_of!(weir_fallback_options, failures_count) - 56usize];
    ["Offset of field: weir_fallback_options::name"]
        [::core::mem::offset_of!(weir_fallback_options, name) - 64usize];
};
impl Default for weir_fallback_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_fallback_stats {
    #[doc = " set by the caller: sizeof(weir_fallback_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " runs, or tries of a retry outside"]
    pub started: u64,
    #[doc = " of these, those it stepped in for"]
    pub fell_back: u64,
    #[doc = " of these, those whose operation did not succeed"]
    pub failed: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_fallback_stats"][::core::mem::size_of::<weir_fallback_stats>() - 32usize];
    ["Alignment of weir_fallback_stats"][::core::mem::align_of::<weir_fallback_stats>() - 8usize];
    ["Offset of field: weir_fallback_stats::size"]
        [::core::mem::offset_of!(weir_fallback_stats, size) - 0usize];
    ["Offset of field: weir_fallback_stats::reserved"]
        [::core::mem::offset_of!(weir_fallback_stats, reserved) - 4usize];
    ["Offset of field: weir_fallback_stats::started"]
        [::core::mem::offset_of!(weir_fallback_stats, started) - 8usize];
    ["Offset of field: weir_fallback_stats::fell_back"]
        [::core::mem::offset_of!(weir_fallback_stats, fell_back) - 16usize];
    ["Offset of field: weir_fallback_stats::failed"]
        [::core::mem::offset_of!(weir_fallback_stats, failed) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_flight {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_flight_options {
    #[doc = " sizeof(weir_flight_options)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " Of the shared run, which has no caller's deadline; then it fails with\n WEIR_ETIMEDOUT. 0 or more, or WEIR_FOREVER (default)."]
    pub timeout_ms: i64,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_flight_options"][::core::mem::size_of::<weir_flight_options>() - 24usize];
    ["Alignment of weir_flight_options"][::core::mem::align_of::<weir_flight_options>() - 8usize];
    ["Offset of field: weir_flight_options::size"]
        [::core::mem::offset_of!(weir_flight_options, size) - 0usize];
    ["Offset of field: weir_flight_options::reserved"]
        [::core::mem::offset_of!(weir_flight_options, reserved) - 4usize];
    ["Offset of field: weir_flight_options::timeout_ms"]
        [::core::mem::offset_of!(weir_flight_options, timeout_ms) - 8usize];
    ["Offset of field: weir_flight_options::name"]
        [::core::mem::offset_of!(weir_flight_options, name) - 16usize];
};
impl Default for weir_flight_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_flight_stats {
    #[doc = " set by the caller: sizeof(weir_flight_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " ever"]
    pub calls: u64,
    #[doc = " of the work, begun, ever"]
    pub runs: u64,
    #[doc = " calls that found one going on, ever"]
    pub shared: u64,
    #[doc = " now"]
    pub running: u64,
    #[doc = " calls that have not settled, now"]
    pub waiting: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_flight_stats"][::core::mem::size_of::<weir_flight_stats>() - 48usize];
    ["Alignment of weir_flight_stats"][::core::mem::align_of::<weir_flight_stats>() - 8usize];
    ["Offset of field: weir_flight_stats::size"]
        [::core::mem::offset_of!(weir_flight_stats, size) - 0usize];
    ["Offset of field: weir_flight_stats::reserved"]
        [::core::mem::offset_of!(weir_flight_stats, reserved) - 4usize];
    ["Offset of field: weir_flight_stats::calls"]
        [::core::mem::offset_of!(weir_flight_stats, calls) - 8usize];
    ["Offset of field: weir_flight_stats::runs"]
        [::core::mem::offset_of!(weir_flight_stats, runs) - 16usize];
    ["Offset of field: weir_flight_stats::shared"]
        [::core::mem::offset_of!(weir_flight_stats, shared) - 24usize];
    ["Offset of field: weir_flight_stats::running"]
        [::core::mem::offset_of!(weir_flight_stats, running) - 32usize];
    ["Offset of field: weir_flight_stats::waiting"]
        [::core::mem::offset_of!(weir_flight_stats, waiting) - 40usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_hedge_options {
    #[doc = " sizeof(weir_hedge_options)"]
    pub size: u32,
    #[doc = " copies beside the first, 1 to 16; default 1"]
    pub max_hedges: u32,
    #[doc = " Required, unless quantile is set; 0 or more. 0: all copies start in the\n turn of the first, unless that ends inside its start. WEIR_OFF (or as\n WEIR_HEDGE_OPTIONS_INIT left it) beside quantile: no copy of what is slow\n before there are samples enough."]
    pub delay_ms: i64,
    #[doc = " Instead of delay_ms from 20 samples on: this quantile of the latency that\n the first starts had until something succeeded; above 0 and below 1, or\n WEIR_OFF (default). 0.95 hedges one run in twenty. Known to 1/16, rounded\n up; older samples count less and less."]
    pub quantile: f64,
    #[doc = " Nullable, of the same runtime; a reference is taken. The run's first start\n is deposited, unless a policy outside did with the same budget; each copy\n is withdrawn, and not started if that is refused. What no attempt came of\n is given back."]
    pub budget: *mut weir_budget,
    #[doc = " Nullable; see weir/policy.h."]
    pub classify: weir_classify_fn,
    pub classify_data: *mut ::core::ffi::c_void,
    pub classify_free_data: weir_free_fn,
    #[doc = " Nullable; `failures_count` ranges, copied: only these user errors are\n failures, unless classify says otherwise. The others are ignored outcomes,\n for which a copy is started, too."]
    pub failures: *const weir_error_range,
    pub failures_count: u64,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_hedge_options"][::core::mem::size_of::<weir_hedge_options>() - 80usize];
    ["Alignment of weir_hedge_options"][::core::mem::align_of::<weir_hedge_options>() - 8usize];
    ["Offset of field: weir_hedge_options::size"]
        [::core::mem::offset_of!(weir_hedge_options, size) - 0usize];
    ["Offset of field: weir_hedge_options::max_hedges"]
        [::core::mem::offset_of!(weir_hedge_options, max_hedges) - 4usize];
    ["Offset of field: weir_hedge_options::delay_ms"]
        [::core::mem::offset_of!(weir_hedge_options, delay_ms) - 8usize];
    ["Offset of field: weir_hedge_options::quantile"]
        [::core::mem::offset_of!(weir_hedge_options, quantile) - 16usize];
    ["Offset of field: weir_hedge_options::budget"]
        [::core::mem::offset_of!(weir_hedge_options, budget) - 24usize];
    ["Offset of field: weir_hedge_options::classify"]
        [::core::mem::offset_of!(weir_hedge_options, classify) - 32usize];
    ["Offset of field: weir_hedge_options::classify_data"]
        [::core::mem::offset_of!(weir_hedge_options, classify_data) - 40usize];
    ["Offset of field: weir_hedge_options::classify_free_data"]
        [::core::mem::offset_of!(weir_hedge_options, classify_free_data) - 48usize];
    ["Offset of field: weir_hedge_options::failures"]
        [::core::mem::offset_of!(weir_hedge_options, failures) - 56usize];
    ["Offset of field: weir_hedge_options::failures_count"]
        [::core::mem::offset_of!(weir_hedge_options, failures_count) - 64usize];
    ["Offset of field: weir_hedge_options::name"]
        [::core::mem::offset_of!(weir_hedge_options, name) - 72usize];
};
impl Default for weir_hedge_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_hedge_stats {
    #[doc = " set by the caller: sizeof(weir_hedge_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " runs, or tries of a retry outside"]
    pub started: u64,
    #[doc = " copies started"]
    pub hedged: u64,
    #[doc = " of `started`, those that a copy won"]
    pub won_by_hedge: u64,
    #[doc = " copies that it did not allow"]
    pub refused_by_budget: u64,
    #[doc = " What the next run waits; -1: nothing is started beside what is slow."]
    pub delay_ns: i64,
    #[doc = " latencies measured for the quantile"]
    pub samples: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_hedge_stats"][::core::mem::size_of::<weir_hedge_stats>() - 56usize];
    ["Alignment of weir_hedge_stats"][::core::mem::align_of::<weir_hedge_stats>() - 8usize];
    ["Offset of field: weir_hedge_stats::size"]
        [::core::mem::offset_of!(weir_hedge_stats, size) - 0usize];
    ["Offset of field: weir_hedge_stats::reserved"]
        [::core::mem::offset_of!(weir_hedge_stats, reserved) - 4usize];
    ["Offset of field: weir_hedge_stats::started"]
        [::core::mem::offset_of!(weir_hedge_stats, started) - 8usize];
    ["Offset of field: weir_hedge_stats::hedged"]
        [::core::mem::offset_of!(weir_hedge_stats, hedged) - 16usize];
    ["Offset of field: weir_hedge_stats::won_by_hedge"]
        [::core::mem::offset_of!(weir_hedge_stats, won_by_hedge) - 24usize];
    ["Offset of field: weir_hedge_stats::refused_by_budget"]
        [::core::mem::offset_of!(weir_hedge_stats, refused_by_budget) - 32usize];
    ["Offset of field: weir_hedge_stats::delay_ns"]
        [::core::mem::offset_of!(weir_hedge_stats, delay_ns) - 40usize];
    ["Offset of field: weir_hedge_stats::samples"]
        [::core::mem::offset_of!(weir_hedge_stats, samples) - 48usize];
};
pub const WEIR_LOG_OFF: _bindgen_ty_24 = 0;
pub const WEIR_LOG_ERROR: _bindgen_ty_24 = 1;
pub const WEIR_LOG_WARNING: _bindgen_ty_24 = 2;
pub const WEIR_LOG_INFO: _bindgen_ty_24 = 3;
pub const WEIR_LOG_DEBUG: _bindgen_ty_24 = 4;
pub type _bindgen_ty_24 = ::core::ffi::c_uint;
#[doc = " Gets one line: no newline at its end, valid during the call. Any thread, also\n several at once. Must not call weir."]
pub type weir_log_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        level: i32,
        subject: *const ::core::ffi::c_char,
        message: *const ::core::ffi::c_char,
    ),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_memoize {
    _unused: [u8; 0],
}
#[doc = " A decider: writes the key of `input` (borrowed, nullable) to `buffer`, at\n most `capacity` bytes, and returns how many the key has; if that is more than\n capacity it is asked again with enough. A key that has grown by then, or of\n 2^24 bytes or more, makes WEIR_EINVAL the outcome."]
pub type weir_key_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        input: *const weir_value,
        buffer: *mut ::core::ffi::c_void,
        capacity: usize,
    ) -> usize,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_memoize_options {
    #[doc = " sizeof(weir_memoize_options)"]
    pub size: u32,
    #[doc = " WEIR_EVICTION_*; default adaptive"]
    pub eviction: u32,
    #[doc = " as the cache's; default 1000"]
    pub max_entries: i64,
    #[doc = " as the cache's; default WEIR_FOREVER"]
    pub ttl_ms: i64,
    #[doc = " as the cache's; default WEIR_FOREVER"]
    pub load_timeout_ms: i64,
    #[doc = " Nullable: then the key is the bytes of the input; none: the empty key. An\n input of another kind is refused (WEIR_EINVAL is the outcome)."]
    pub key: weir_key_fn,
    pub key_data: *mut ::core::ffi::c_void,
    pub key_free_data: weir_free_fn,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_memoize_options"][::core::mem::size_of::<weir_memoize_options>() - 64usize];
    ["Alignment of weir_memoize_options"][::core::mem::align_of::<weir_memoize_options>() - 8usize];
    ["Offset of field: weir_memoize_options::size"]
        [::core::mem::offset_of!(weir_memoize_options, size) - 0usize];
    ["Offset of field: weir_memoize_options::eviction"]
        [::core::mem::offset_of!(weir_memoize_options, eviction) - 4usize];
    ["Offset of field: weir_memoize_options::max_entries"]
        [::core::mem::offset_of!(weir_memoize_options, max_entries) - 8usize];
    ["Offset of field: weir_memoize_options::ttl_ms"]
        [::core::mem::offset_of!(weir_memoize_options, ttl_ms) - 16usize];
    ["Offset of field: weir_memoize_options::load_timeout_ms"]
        [::core::mem::offset_of!(weir_memoize_options, load_timeout_ms) - 24usize];
    ["Offset of field: weir_memoize_options::key"]
        [::core::mem::offset_of!(weir_memoize_options, key) - 32usize];
    ["Offset of field: weir_memoize_options::key_data"]
        [::core::mem::offset_of!(weir_memoize_options, key_data) - 40usize];
    ["Offset of field: weir_memoize_options::key_free_data"]
        [::core::mem::offset_of!(weir_memoize_options, key_free_data) - 48usize];
    ["Offset of field: weir_memoize_options::name"]
        [::core::mem::offset_of!(weir_memoize_options, name) - 56usize];
};
impl Default for weir_memoize_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " `*item` is the next (NULL is legal)"]
pub const WEIR_PULL_ITEM: _bindgen_ty_25 = 1;
#[doc = " there are no more"]
pub const WEIR_PULL_END: _bindgen_ty_25 = 2;
#[doc = " the whole fails with `*error`"]
pub const WEIR_PULL_ERROR: _bindgen_ty_25 = 3;
#[doc = " What a pull decider answers."]
pub type _bindgen_ty_25 = ::core::ffi::c_uint;
#[doc = " A decider: the next item of this run, whose index is `index` (from 0). Asked\n when there is room for it. Stores at most one of `*item` and `*error`, whose\n reference is weir's from then on; both begin as NULL. Any other answer counts\n as WEIR_PULL_ERROR, and without an error that is a bare WEIR_EFAILED."]
pub type weir_pull_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        index: u64,
        item: *mut *mut weir_value,
        error: *mut *mut weir_error,
    ) -> u32,
>;
#[doc = " A listener: item `index` has settled. `outcome` is lent. Items that were\n stopped because the whole ended are not told of."]
pub type weir_item_fn = ::core::option::Option<
    unsafe extern "C" fn(data: *mut ::core::ffi::c_void, index: u64, outcome: *const weir_outcome),
>;
#[doc = " A listener: `done` items have settled, of `total`; UINT64_MAX while nobody\n knows."]
pub type weir_progress_fn = ::core::option::Option<
    unsafe extern "C" fn(data: *mut ::core::ffi::c_void, done: u64, total: u64),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_parallel_options {
    #[doc = " sizeof(weir_parallel_options)"]
    pub size: u32,
    #[doc = " 1 (default): the first failure ends it; 0: all items run."]
    pub stop_on_error: u32,
    #[doc = " Required: items at once, at least 1, or WEIR_UNLIMITED."]
    pub concurrency: i64,
    #[doc = " Each item may take so long, its policy's waits included; 0 or more, or\n WEIR_FOREVER (default). It settles as an error with WEIR_ETIMEDOUT then."]
    pub item_timeout_ms: i64,
    #[doc = " around each item; a reference is taken; nullable"]
    pub policy: *mut weir_policy,
    #[doc = " Nullable: an operation whose runs give the items one after another (a\n reference is taken); no value is the end, a failure fails the whole. With\n an operation of weir_operation_new_asked() the items are asked for by ASK\n records."]
    pub source: *mut weir_operation,
    #[doc = " nullable: gives the items instead"]
    pub pull: weir_pull_fn,
    pub pull_data: *mut ::core::ffi::c_void,
    pub pull_free_data: weir_free_fn,
    #[doc = " nullable: told each result instead of a list"]
    pub on_item: weir_item_fn,
    pub item_data: *mut ::core::ffi::c_void,
    pub item_free_data: weir_free_fn,
    #[doc = " nullable"]
    pub on_progress: weir_progress_fn,
    pub progress_data: *mut ::core::ffi::c_void,
    pub progress_free_data: weir_free_fn,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
    #[doc = " Deliver each item's settlement as an ITEM record (weir/completions.h)\n instead of collecting a list (the value is NULL); nullable, excludes\n on_item and on_progress. A reference is taken. `user` goes into the\n records; WEIR_USER_OF_RUN: the context of the run."]
    pub queue: *mut weir_completions,
    pub user: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_parallel_options"][::core::mem::size_of::<weir_parallel_options>() - 136usize];
    ["Alignment of weir_parallel_options"]
        [::core::mem::align_of::<weir_parallel_options>() - 8usize];
    ["Offset of field: weir_parallel_options::size"]
        [::core::mem::offset_of!(weir_parallel_options, size) - 0usize];
    ["Offset of field: weir_parallel_options::stop_on_error"]
        [::core::mem::offset_of!(weir_parallel_options, stop_on_error) - 4usize];
    ["Offset of field: weir_parallel_options::concurrency"]
        [::core::mem::offset_of!(weir_parallel_options, concurrency) - 8usize];
    ["Offset of field: weir_parallel_options::item_timeout_ms"]
        [::core::mem::offset_of!(weir_parallel_options, item_timeout_ms) - 16usize];
    ["Offset of field: weir_parallel_options::policy"]
        [::core::mem::offset_of!(weir_parallel_options, policy) - 24usize];
    ["Offset of field: weir_parallel_options::source"]
        [::core::mem::offset_of!(weir_parallel_options, source) - 32usize];
    ["Offset of field: weir_parallel_options::pull"]
        [::core::mem::offset_of!(weir_parallel_options, pull) - 40usize];
    ["Offset of field: weir_parallel_options::pull_data"]
        [::core::mem::offset_of!(weir_parallel_options, pull_data) - 48usize];
    ["Offset of field: weir_parallel_options::pull_free_data"]
        [::core::mem::offset_of!(weir_parallel_options, pull_free_data) - 56usize];
    ["Offset of field: weir_parallel_options::on_item"]
        [::core::mem::offset_of!(weir_parallel_options, on_item) - 64usize];
    ["Offset of field: weir_parallel_options::item_data"]
        [::core::mem::offset_of!(weir_parallel_options, item_data) - 72usize];
    ["Offset of field: weir_parallel_options::item_free_data"]
        [::core::mem::offset_of!(weir_parallel_options, item_free_data) - 80usize];
    ["Offset of field: weir_parallel_options::on_progress"]
        [::core::mem::offset_of!(weir_parallel_options, on_progress) - 88usize];
    ["Offset of field: weir_parallel_options::progress_data"]
        [::core::mem::offset_of!(weir_parallel_options, progress_data) - 96usize];
    ["Offset of field: weir_parallel_options::progress_free_data"]
        [::core::mem::offset_of!(weir_parallel_options, progress_free_data) - 104usize];
    ["Offset of field: weir_parallel_options::name"]
        [::core::mem::offset_of!(weir_parallel_options, name) - 112usize];
    ["Offset of field: weir_parallel_options::queue"]
        [::core::mem::offset_of!(weir_parallel_options, queue) - 120usize];
    ["Offset of field: weir_parallel_options::user"]
        [::core::mem::offset_of!(weir_parallel_options, user) - 128usize];
};
impl Default for weir_parallel_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " A decider, asked for each value: not 0 if it is the one, 0 to poll again."]
pub type weir_poll_until_fn = ::core::option::Option<
    unsafe extern "C" fn(data: *mut ::core::ffi::c_void, outcome: *const weir_outcome) -> i32,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_poll_options {
    #[doc = " sizeof(weir_poll_options)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " required; 0 or more"]
    pub interval_ms: i64,
    #[doc = " Tries, the first included; at least 1, or WEIR_UNLIMITED (default)."]
    pub max_attempts: i64,
    #[doc = " From the first try: no try starts after it, and an interval that would pass\n it is not slept; 0 or more, or WEIR_FOREVER (default)."]
    pub max_elapsed_ms: i64,
    #[doc = " Nullable: any value that was not completed as a failure."]
    pub until: weir_poll_until_fn,
    pub until_data: *mut ::core::ffi::c_void,
    pub until_free_data: weir_free_fn,
    #[doc = " for the audit; copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_poll_options"][::core::mem::size_of::<weir_poll_options>() - 64usize];
    ["Alignment of weir_poll_options"][::core::mem::align_of::<weir_poll_options>() - 8usize];
    ["Offset of field: weir_poll_options::size"]
        [::core::mem::offset_of!(weir_poll_options, size) - 0usize];
    ["Offset of field: weir_poll_options::reserved"]
        [::core::mem::offset_of!(weir_poll_options, reserved) - 4usize];
    ["Offset of field: weir_poll_options::interval_ms"]
        [::core::mem::offset_of!(weir_poll_options, interval_ms) - 8usize];
    ["Offset of field: weir_poll_options::max_attempts"]
        [::core::mem::offset_of!(weir_poll_options, max_attempts) - 16usize];
    ["Offset of field: weir_poll_options::max_elapsed_ms"]
        [::core::mem::offset_of!(weir_poll_options, max_elapsed_ms) - 24usize];
    ["Offset of field: weir_poll_options::until"]
        [::core::mem::offset_of!(weir_poll_options, until) - 32usize];
    ["Offset of field: weir_poll_options::until_data"]
        [::core::mem::offset_of!(weir_poll_options, until_data) - 40usize];
    ["Offset of field: weir_poll_options::until_free_data"]
        [::core::mem::offset_of!(weir_poll_options, until_free_data) - 48usize];
    ["Offset of field: weir_poll_options::name"]
        [::core::mem::offset_of!(weir_poll_options, name) - 56usize];
};
impl Default for weir_poll_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_pool {
    _unused: [u8; 0],
}
#[doc = " As weir_parallel_options."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_pool_options {
    #[doc = " sizeof(weir_pool_options)"]
    pub size: u32,
    #[doc = " 1 (default): the first failure ends it; 0: all items run."]
    pub stop_on_error: u32,
    #[doc = " Required: items at once, at least 1, or WEIR_UNLIMITED."]
    pub concurrency: i64,
    #[doc = " 0 or more, or WEIR_FOREVER (default)"]
    pub item_timeout_ms: i64,
    #[doc = " around each item; a reference is taken; nullable"]
    pub policy: *mut weir_policy,
    #[doc = " nullable: told each result instead of a list"]
    pub on_item: weir_item_fn,
    pub item_data: *mut ::core::ffi::c_void,
    pub item_free_data: weir_free_fn,
    #[doc = " nullable; the total is known when sealed"]
    pub on_progress: weir_progress_fn,
    pub progress_data: *mut ::core::ffi::c_void,
    pub progress_free_data: weir_free_fn,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
    #[doc = " nullable: told each result by ITEM records"]
    pub queue: *mut weir_completions,
    #[doc = " of these"]
    pub user: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_pool_options"][::core::mem::size_of::<weir_pool_options>() - 104usize];
    ["Alignment of weir_pool_options"][::core::mem::align_of::<weir_pool_options>() - 8usize];
    ["Offset of field: weir_pool_options::size"]
        [::core::mem::offset_of!(weir_pool_options, size) - 0usize];
    ["Offset of field: weir_pool_options::stop_on_error"]
        [::core::mem::offset_of!(weir_pool_options, stop_on_error) - 4usize];
    ["Offset of field: weir_pool_options::concurrency"]
        [::core::mem::offset_of!(weir_pool_options, concurrency) - 8usize];
    ["Offset of field: weir_pool_options::item_timeout_ms"]
        [::core::mem::offset_of!(weir_pool_options, item_timeout_ms) - 16usize];
    ["Offset of field: weir_pool_options::policy"]
        [::core::mem::offset_of!(weir_pool_options, policy) - 24usize];
    ["Offset of field: weir_pool_options::on_item"]
        [::core::mem::offset_of!(weir_pool_options, on_item) - 32usize];
    ["Offset of field: weir_pool_options::item_data"]
        [::core::mem::offset_of!(weir_pool_options, item_data) - 40usize];
    ["Offset of field: weir_pool_options::item_free_data"]
        [::core::mem::offset_of!(weir_pool_options, item_free_data) - 48usize];
    ["Offset of field: weir_pool_options::on_progress"]
        [::core::mem::offset_of!(weir_pool_options, on_progress) - 56usize];
    ["Offset of field: weir_pool_options::progress_data"]
        [::core::mem::offset_of!(weir_pool_options, progress_data) - 64usize];
    ["Offset of field: weir_pool_options::progress_free_data"]
        [::core::mem::offset_of!(weir_pool_options, progress_free_data) - 72usize];
    ["Offset of field: weir_pool_options::name"]
        [::core::mem::offset_of!(weir_pool_options, name) - 80usize];
    ["Offset of field: weir_pool_options::queue"]
        [::core::mem::offset_of!(weir_pool_options, queue) - 88usize];
    ["Offset of field: weir_pool_options::user"]
        [::core::mem::offset_of!(weir_pool_options, user) - 96usize];
};
impl Default for weir_pool_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_pool_stats {
    #[doc = " set by the caller: sizeof(weir_pool_stats)"]
    pub size: u32,
    #[doc = " 1: nothing more is taken"]
    pub sealed: u32,
    pub added: u64,
    #[doc = " of these, not started"]
    pub waiting: u64,
    #[doc = " started and not settled"]
    pub running: u64,
    #[doc = " settled; what was stopped with the pool is in none"]
    pub succeeded: u64,
    pub failed: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_pool_stats"][::core::mem::size_of::<weir_pool_stats>() - 48usize];
    ["Alignment of weir_pool_stats"][::core::mem::align_of::<weir_pool_stats>() - 8usize];
    ["Offset of field: weir_pool_stats::size"]
        [::core::mem::offset_of!(weir_pool_stats, size) - 0usize];
    ["Offset of field: weir_pool_stats::sealed"]
        [::core::mem::offset_of!(weir_pool_stats, sealed) - 4usize];
    ["Offset of field: weir_pool_stats::added"]
        [::core::mem::offset_of!(weir_pool_stats, added) - 8usize];
    ["Offset of field: weir_pool_stats::waiting"]
        [::core::mem::offset_of!(weir_pool_stats, waiting) - 16usize];
    ["Offset of field: weir_pool_stats::running"]
        [::core::mem::offset_of!(weir_pool_stats, running) - 24usize];
    ["Offset of field: weir_pool_stats::succeeded"]
        [::core::mem::offset_of!(weir_pool_stats, succeeded) - 32usize];
    ["Offset of field: weir_pool_stats::failed"]
        [::core::mem::offset_of!(weir_pool_stats, failed) - 40usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_race_options {
    #[doc = " sizeof(weir_race_options)"]
    pub size: u32,
    #[doc = " 1: the first settlement of any kind is the outcome; default 0."]
    pub first_settled: u32,
    #[doc = " Nullable: for each operation 1 if it is decisive, else 0; copied. A\n decisive racer ends the race however it settles: a sleep that fails is a\n timeout, one with a value a fallback. It is not waited for: when all others\n have failed, the race fails with their errors."]
    pub decisive: *const u8,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_race_options"][::core::mem::size_of::<weir_race_options>() - 24usize];
    ["Alignment of weir_race_options"][::core::mem::align_of::<weir_race_options>() - 8usize];
    ["Offset of field: weir_race_options::size"]
        [::core::mem::offset_of!(weir_race_options, size) - 0usize];
    ["Offset of field: weir_race_options::first_settled"]
        [::core::mem::offset_of!(weir_race_options, first_settled) - 4usize];
    ["Offset of field: weir_race_options::decisive"]
        [::core::mem::offset_of!(weir_race_options, decisive) - 8usize];
    ["Offset of field: weir_race_options::name"]
        [::core::mem::offset_of!(weir_race_options, name) - 16usize];
};
impl Default for weir_race_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " One entry, copied: nothing in it is borrowed."]
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_recorded {
    #[doc = " counts all there ever were, from 0"]
    pub number: u64,
    #[doc = " the runtime's time"]
    pub at_ns: i64,
    #[doc = " WEIR_EVENT_*: which fields say what"]
    pub kind: u32,
    #[doc = " WEIR_POLICY_*; WEIR_POLICY_NONE of runs, caches ..."]
    pub policy: u32,
    #[doc = " these as in weir_event ..."]
    pub status: weir_status,
    #[doc = " ... but a refusal's is its WEIR_REJECTION_*"]
    pub reason: u32,
    pub from: u32,
    pub to: u32,
    pub count: u64,
    pub delay_ns: i64,
    pub calls: u64,
    pub failures: u64,
    pub slow_calls: u64,
    #[doc = " of the policy, or the line's subject, cut off"]
    pub name: [::core::ffi::c_char; 48usize],
    #[doc = " of a refusal: a sentence; of a line: the line; cut off"]
    pub text: [::core::ffi::c_char; 208usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_recorded"][::core::mem::size_of::<weir_recorded>() - 336usize];
    ["Alignment of weir_recorded"][::core::mem::align_of::<weir_recorded>() - 8usize];
    ["Offset of field: weir_recorded::number"]
        [::core::mem::offset_of!(weir_recorded, number) - 0usize];
    ["Offset of field: weir_recorded::at_ns"]
        [::core::mem::offset_of!(weir_recorded, at_ns) - 8usize];
    ["Offset of field: weir_recorded::kind"]
        [::core::mem::offset_of!(weir_recorded, kind) - 16usize];
    ["Offset of field: weir_recorded::policy"]
        [::core::mem::offset_of!(weir_recorded, policy) - 20usize];
    ["Offset of field: weir_recorded::status"]
        [::core::mem::offset_of!(weir_recorded, status) - 24usize];
    ["Offset of field: weir_recorded::reason"]
        [::core::mem::offset_of!(weir_recorded, reason) - 28usize];
    ["Offset of field: weir_recorded::from"]
        [::core::mem::offset_of!(weir_recorded, from) - 32usize];
    ["Offset of field: weir_recorded::to"][::core::mem::offset_of!(weir_recorded, to) - 36usize];
    ["Offset of field: weir_recorded::count"]
        [::core::mem::offset_of!(weir_recorded, count) - 40usize];
    ["Offset of field: weir_recorded::delay_ns"]
        [::core::mem::offset_of!(weir_recorded, delay_ns) - 48usize];
    ["Offset of field: weir_recorded::calls"]
        [::core::mem::offset_of!(weir_recorded, calls) - 56usize];
    ["Offset of field: weir_recorded::failures"]
        [::core::mem::offset_of!(weir_recorded, failures) - 64usize];
    ["Offset of field: weir_recorded::slow_calls"]
        [::core::mem::offset_of!(weir_recorded, slow_calls) - 72usize];
    ["Offset of field: weir_recorded::name"]
        [::core::mem::offset_of!(weir_recorded, name) - 80usize];
    ["Offset of field: weir_recorded::text"]
        [::core::mem::offset_of!(weir_recorded, text) - 128usize];
};
impl Default for weir_recorded {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_BACKOFF_CONSTANT: _bindgen_ty_26 = 0;
pub const WEIR_BACKOFF_LINEAR: _bindgen_ty_26 = 1;
pub const WEIR_BACKOFF_EXPONENTIAL: _bindgen_ty_26 = 2;
pub const WEIR_BACKOFF_DECORRELATED: _bindgen_ty_26 = 3;
pub const WEIR_BACKOFF_DECORRELATED_V2: _bindgen_ty_26 = 4;
pub type _bindgen_ty_26 = ::core::ffi::c_uint;
pub const WEIR_JITTER_NONE: _bindgen_ty_27 = 0;
#[doc = " U·d"]
pub const WEIR_JITTER_FULL: _bindgen_ty_27 = 1;
#[doc = " d/2 + U·d/2"]
pub const WEIR_JITTER_EQUAL: _bindgen_ty_27 = 2;
#[doc = " d·(1 + f·U)"]
pub const WEIR_JITTER_PROPORTIONAL: _bindgen_ty_27 = 3;
#[doc = " d·(1 + f·(2U − 1))"]
pub const WEIR_JITTER_SYMMETRIC: _bindgen_ty_27 = 4;
#[doc = " With d the delay, f = jitter_factor."]
pub type _bindgen_ty_27 = ::core::ffi::c_uint;
#[doc = " A decider: not 0 to try again, 0 to stop (stop_reason classified). `attempt`\n counts from 1."]
pub type weir_should_retry_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        outcome: *const weir_outcome,
        attempt: u32,
    ) -> i32,
>;
#[doc = " A listener: attempt number `attempt` ended with `outcome`; the next begins in\n `delay_ns`."]
pub type weir_on_retry_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        attempt: u32,
        delay_ns: i64,
        outcome: *const weir_outcome,
    ),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_retry_options {
    #[doc = " sizeof(weir_retry_options)"]
    pub size: u32,
    #[doc = " WEIR_BACKOFF_*; default exponential"]
    pub backoff: u32,
    #[doc = " Total tries, the first included; at least 1, or WEIR_UNLIMITED; default 3."]
    pub max_attempts: i64,
    #[doc = " 0 or more; default 1000"]
    pub base_delay_ms: i64,
    #[doc = " 0 or more; default 30000; always holds"]
    pub max_delay_ms: i64,
    #[doc = " 0 to max_delay_ms; default 0; of computed delays"]
    pub min_delay_ms: i64,
    #[doc = " 1 to 1000; default 2"]
    pub multiplier: f64,
    #[doc = " 0 to 1; default 0.3"]
    pub jitter_factor: f64,
    #[doc = " WEIR_JITTER_*; default proportional"]
    pub jitter: u32,
    #[doc = " 1: a refusal that carries retry_after is waited for and tried again, if it\n fits the deadline; default 0: it returns at once."]
    pub retry_refusals: u32,
    #[doc = " From the first try: no try starts after it, and a delay that would pass it\n is not slept; 0 or more, or WEIR_FOREVER (default)."]
    pub max_elapsed_ms: i64,
    #[doc = " For each try; when it passes, a failure (WEIR_ETIMEDOUT) for every layer\n inside; 0 or more, or WEIR_FOREVER (default)."]
    pub attempt_timeout_ms: i64,
    #[doc = " Nullable, of the same runtime; a reference is taken. The first attempt of a\n run is deposited, each later one withdrawn before its wait; neither counts\n if no attempt came of it (refused, cancelled)."]
    pub budget: *mut weir_budget,
    #[doc = " Nullable; see weir/policy.h."]
    pub classify: weir_classify_fn,
    pub classify_data: *mut ::core::ffi::c_void,
    pub classify_free_data: weir_free_fn,
    #[doc = " Nullable; `failures_count` ranges, copied: only these user errors are\n failures, unless classify says otherwise."]
    pub failures: *const weir_error_range,
    pub failures_count: u64,
    #[doc = " Nullable: asked for each failure that is not final."]
    pub should_retry: weir_should_retry_fn,
    pub should_retry_data: *mut ::core::ffi::c_void,
    pub should_retry_free_data: weir_free_fn,
    #[doc = " Nullable: told before each wait."]
    pub on_retry: weir_on_retry_fn,
    pub on_retry_data: *mut ::core::ffi::c_void,
    pub on_retry_free_data: weir_free_fn,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_retry_options"][::core::mem::size_of::<weir_retry_options>() - 184usize];
    ["Alignment of weir_retry_options"][::core::mem::align_of::<weir_retry_options>() - 8usize];
    ["Offset of field: weir_retry_options::size"]
        [::core::mem::offset_of!(weir_retry_options, size) - 0usize];
    ["Offset of field: weir_retry_options::backoff"]
        [::core::mem::offset_of!(weir_retry_options, backoff) - 4usize];
    ["Offset of field: weir_retry_options::max_attempts"]
        [::core::mem::offset_of!(weir_retry_options, max_attempts) - 8usize];
    ["Offset of field: weir_retry_options::base_delay_ms"]
        [::core::mem::offset_of!(weir_retry_options, base_delay_ms) - 16usize];
    ["Offset of field: weir_retry_options::max_delay_ms"]
        [::core::mem::offset_of!(weir_retry_options, max_delay_ms) - 24usize];
    ["Offset of field: weir_retry_options::min_delay_ms"]
        [::core::mem::offset_of!(weir_retry_options, min_delay_ms) - 32usize];
    ["Offset of field: weir_retry_options::multiplier"]
        [::core::mem::offset_of!(weir_retry_options, multiplier) - 40usize];
    ["Offset of field: weir_retry_options::jitter_factor"]
        [::core::mem::offset_of!(weir_retry_options, jitter_factor) - 48usize];
    ["Offset of field: weir_retry_options::jitter"]
        [::core::mem::offset_of!(weir_retry_options, jitter) - 56usize];
    ["Offset of field: weir_retry_options::retry_refusals"]
        [::core::mem::offset_of!(weir_retry_options, retry_refusals) - 60usize];
    ["Offset of field: weir_retry_options::max_elapsed_ms"]
        [::core::mem::offset_of!(weir_retry_options, max_elapsed_ms) - 64usize];
    ["Offset of field: weir_retry_options::attempt_timeout_ms"]
        [::core::mem::offset_of!(weir_retry_options, attempt_timeout_ms) - 72usize];
    ["Offset of field: weir_retry_options::budget"]
        [::core::mem::offset_of!(weir_retry_options, budget) - 80usize];
    ["Offset of field: weir_retry_options::classify"]
        [::core::mem::offset_of!(weir_retry_options, classify) - 88usize];
    ["Offset of field: weir_retry_options::classify_data"]
        [::core::mem::offset_of!(weir_retry_options, classify_data) - 96usize];
    ["Offset of field: weir_retry_options::classify_free_data"]
        [::core::mem::offset_of!(weir_retry_options, classify_free_data) - 104usize];
    ["Offset of field: weir_retry_options::failures"]
        [::core::mem::offset_of!(weir_retry_options, failures) - 112usize];
    ["Offset of field: weir_retry_options::failures_count"]
        [::core::mem::offset_of!(weir_retry_options, failures_count) - 120usize];
    ["Offset of field: weir_retry_options::should_retry"]
        [::core::mem::offset_of!(weir_retry_options, should_retry) - 128usize];
    ["Offset of field: weir_retry_options::should_retry_data"]
        [::core::mem::offset_of!(weir_retry_options, should_retry_data) - 136usize];
    ["Offset of field: weir_retry_options::should_retry_free_data"]
        [::core::mem::offset_of!(weir_retry_options, should_retry_free_data) - 144usize];
    ["Offset of field: weir_retry_options::on_retry"]
        [::core::mem::offset_of!(weir_retry_options, on_retry) - 152usize];
    ["Offset of field: weir_retry_options::on_retry_data"]
        [::core::mem::offset_of!(weir_retry_options, on_retry_data) - 160usize];
    ["Offset of field: weir_retry_options::on_retry_free_data"]
        [::core::mem::offset_of!(weir_retry_options, on_retry_free_data) - 168usize];
    ["Offset of field: weir_retry_options::name"]
        [::core::mem::offset_of!(weir_retry_options, name) - 176usize];
};
impl Default for weir_retry_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " One logical call's progress; the caller's memory, no need to give back. One\n thread at a time."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_retry_state {
    pub opaque: [u64; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_retry_state"][::core::mem::size_of::<weir_retry_state>() - 32usize];
    ["Alignment of weir_retry_state"][::core::mem::align_of::<weir_retry_state>() - 8usize];
    ["Offset of field: weir_retry_state::opaque"]
        [::core::mem::offset_of!(weir_retry_state, opaque) - 0usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_retry_stats {
    #[doc = " set by the caller: sizeof(weir_retry_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " first attempts"]
    pub calls: u64,
    #[doc = " attempts after the first"]
    pub retries: u64,
    #[doc = " calls that needed no retry"]
    pub succeeded_first: u64,
    #[doc = " calls that a retry saved"]
    pub succeeded_later: u64,
    #[doc = " calls that ended as failures; the others ended\nrefused, ignored or cancelled, or go on"]
    pub gave_up: u64,
    pub refused_by_budget: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_retry_stats"][::core::mem::size_of::<weir_retry_stats>() - 56usize];
    ["Alignment of weir_retry_stats"][::core::mem::align_of::<weir_retry_stats>() - 8usize];
    ["Offset of field: weir_retry_stats::size"]
        [::core::mem::offset_of!(weir_retry_stats, size) - 0usize];
    ["Offset of field: weir_retry_stats::reserved"]
        [::core::mem::offset_of!(weir_retry_stats, reserved) - 4usize];
    ["Offset of field: weir_retry_stats::calls"]
        [::core::mem::offset_of!(weir_retry_stats, calls) - 8usize];
    ["Offset of field: weir_retry_stats::retries"]
        [::core::mem::offset_of!(weir_retry_stats, retries) - 16usize];
    ["Offset of field: weir_retry_stats::succeeded_first"]
        [::core::mem::offset_of!(weir_retry_stats, succeeded_first) - 24usize];
    ["Offset of field: weir_retry_stats::succeeded_later"]
        [::core::mem::offset_of!(weir_retry_stats, succeeded_later) - 32usize];
    ["Offset of field: weir_retry_stats::gave_up"]
        [::core::mem::offset_of!(weir_retry_stats, gave_up) - 40usize];
    ["Offset of field: weir_retry_stats::refused_by_budget"]
        [::core::mem::offset_of!(weir_retry_stats, refused_by_budget) - 48usize];
};
pub const WEIR_DRIVER_THREAD: _bindgen_ty_28 = 0;
pub const WEIR_DRIVER_UV: _bindgen_ty_28 = 1;
pub const WEIR_DRIVER_MANUAL: _bindgen_ty_28 = 2;
pub const WEIR_DRIVER_HOST: _bindgen_ty_28 = 3;
pub type _bindgen_ty_28 = ::core::ffi::c_uint;
#[doc = " a breaker: from, to, reason"]
pub const WEIR_EVENT_STATE_CHANGE: _bindgen_ty_29 = 1;
#[doc = " a retry is about to wait: count, delay_ns"]
pub const WEIR_EVENT_RETRY: _bindgen_ty_29 = 2;
#[doc = " a run was refused: status, delay_ns"]
pub const WEIR_EVENT_REFUSAL: _bindgen_ty_29 = 3;
#[doc = " a cache or keyed limiter gave entries up:\ncount"]
pub const WEIR_EVENT_EVICTION: _bindgen_ty_29 = 4;
#[doc = " a hedge starts a copy: count (which, from 1),\ndelay_ns (since the first start)"]
pub const WEIR_EVENT_HEDGE: _bindgen_ty_29 = 5;
#[doc = " a fallback steps in: status"]
pub const WEIR_EVENT_FALLBACK: _bindgen_ty_29 = 6;
#[doc = " a run waits for a limiter: count (now queued)"]
pub const WEIR_EVENT_WAITING: _bindgen_ty_29 = 7;
#[doc = " it goes on: count (left), delay_ns (it waited)"]
pub const WEIR_EVENT_GRANTED: _bindgen_ty_29 = 8;
#[doc = " a timeout, an attempt's timeout or (no policy; name\nis the run's) a deadline fired: status, delay_ns\n(what it gave)"]
pub const WEIR_EVENT_TIMEOUT: _bindgen_ty_29 = 9;
#[doc = " a retry gave up: status, reason (WEIR_STOP_*),\ncount (tries)"]
pub const WEIR_EVENT_GAVE_UP: _bindgen_ty_29 = 10;
#[doc = " a cache's load ended: status, count (keys),\ndelay_ns (it took)"]
pub const WEIR_EVENT_LOAD: _bindgen_ty_29 = 11;
#[doc = " a debounce's or throttle's run ended: status,\ncount (calls it stood for), delay_ns (it took)"]
pub const WEIR_EVENT_PACED: _bindgen_ty_29 = 12;
#[doc = " a hedge's copy won: count (which; the first is\nnot told), delay_ns (since the first start)"]
pub const WEIR_EVENT_HEDGE_WON: _bindgen_ty_29 = 13;
#[doc = " chaos injected: reason (what), delay_ns"]
pub const WEIR_EVENT_CHAOS: _bindgen_ty_29 = 14;
#[doc = " a line of the log: reason (WEIR_LOG_*); only the\nrecorder has these"]
pub const WEIR_EVENT_LOG: _bindgen_ty_29 = 15;
#[doc = " What a runtime's event listener is told, and its flight recorder keeps. Kinds\n may be added: ignore those you do not know."]
pub type _bindgen_ty_29 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_event {
    pub size: u32,
    #[doc = " WEIR_EVENT_*"]
    pub kind: u32,
    #[doc = " of the policy, valid during the call, or \"\""]
    pub name: *const ::core::ffi::c_char,
    #[doc = " borrowed; to be compared"]
    pub policy: *const weir_policy,
    #[doc = " the refusal's or the failed attempt's status"]
    pub status: weir_status,
    #[doc = " state before (WEIR_BREAKER_*)"]
    pub from: u32,
    #[doc = " state after"]
    pub to: u32,
    #[doc = " why, in the policy's own numbers"]
    pub reason: u32,
    #[doc = " attempt number; events missed before this one"]
    pub count: u64,
    #[doc = " the delay, or retry_after"]
    pub delay_ns: i64,
    #[doc = " the runtime's time"]
    pub at_ns: i64,
    #[doc = " A refusal's numbers, valid during the call; NULL with other kinds."]
    pub rejection: *const weir_rejection,
    #[doc = " state change: calls judged,"]
    pub calls: u64,
    #[doc = " of these failed,"]
    pub failures: u64,
    #[doc = " of these slow"]
    pub slow_calls: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_event"][::core::mem::size_of::<weir_event>() - 96usize];
    ["Alignment of weir_event"][::core::mem::align_of::<weir_event>() - 8usize];
    ["Offset of field: weir_event::size"][::core::mem::offset_of!(weir_event, size) - 0usize];
    ["Offset of field: weir_event::kind"][::core::mem::offset_of!(weir_event, kind) - 4usize];
    ["Offset of field: weir_event::name"][::core::mem::offset_of!(weir_event, name) - 8usize];
    ["Offset of field: weir_event::policy"][::core::mem::offset_of!(weir_event, policy) - 16usize];
    ["Offset of field: weir_event::status"][::core::mem::offset_of!(weir_event, status) - 24usize];
    ["Offset of field: weir_event::from"][::core::mem::offset_of!(weir_event, from) - 28usize];
    ["Offset of field: weir_event::to"][::core::mem::offset_of!(weir_event, to) - 32usize];
    ["Offset of field: weir_event::reason"][::core::mem::offset_of!(weir_event, reason) - 36usize];
    ["Offset of field: weir_event::count"][::core::mem::offset_of!(weir_event, count) - 40usize];
    ["Offset of field: weir_event::delay_ns"]
        [::core::mem::offset_of!(weir_event, delay_ns) - 48usize];
    ["Offset of field: weir_event::at_ns"][::core::mem::offset_of!(weir_event, at_ns) - 56usize];
    ["Offset of field: weir_event::rejection"]
        [::core::mem::offset_of!(weir_event, rejection) - 64usize];
    ["Offset of field: weir_event::calls"][::core::mem::offset_of!(weir_event, calls) - 72usize];
    ["Offset of field: weir_event::failures"]
        [::core::mem::offset_of!(weir_event, failures) - 80usize];
    ["Offset of field: weir_event::slow_calls"]
        [::core::mem::offset_of!(weir_event, slow_calls) - 88usize];
};
impl Default for weir_event {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " A listener."]
pub type weir_event_fn = ::core::option::Option<
    unsafe extern "C" fn(data: *mut ::core::ffi::c_void, event: *const weir_event),
>;
#[doc = " Called on any thread when a manual or host driven runtime has new work: have\n weir_runtime_process() called soon. Must not call weir."]
pub type weir_wakeup_fn =
    ::core::option::Option<unsafe extern "C" fn(data: *mut ::core::ffi::c_void)>;
#[doc = " Told once, on the runtime's thread, when everything has settled. `orphans`\n attempts were then still running. A runtime with the thread driver on which\n nothing ever ran has no thread: it ends inside the closing call, where this\n is told, too."]
pub type weir_closed_fn =
    ::core::option::Option<unsafe extern "C" fn(data: *mut ::core::ffi::c_void, orphans: u64)>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_runtime_options {
    #[doc = " sizeof(weir_runtime_options)"]
    pub size: u32,
    #[doc = " WEIR_DRIVER_*; default thread"]
    pub driver: u32,
    #[doc = " Required with WEIR_DRIVER_UV, otherwise NULL. Must be run until weir has\n closed its handles, which is soon after `on_closed`."]
    pub loop_: *mut uv_loop_s,
    #[doc = " Manual and host driver only; nullable."]
    pub wakeup: weir_wakeup_fn,
    pub wakeup_data: *mut ::core::ffi::c_void,
    pub wakeup_free_data: weir_free_fn,
    #[doc = " NULL: malloc and free. Copied."]
    pub allocator: *const weir_allocator,
    #[doc = " Seeds jitter and hashing. 0 (default): from the system. Any other number\n makes a manual runtime replay bit for bit."]
    pub seed: u64,
    #[doc = " Unsettled calls and orphans at most; beyond it weir_run() returns\n WEIR_EFULL. At least 1, or WEIR_UNLIMITED (default)."]
    pub max_in_flight: i64,
    #[doc = " How long orphans may go on after closing before they are reported; 0 or\n more, or WEIR_FOREVER. Default 5000."]
    pub close_grace_ms: i64,
    #[doc = " Nullable. Lines up to `log_level` reach it."]
    pub log: weir_log_fn,
    pub log_data: *mut ::core::ffi::c_void,
    pub log_free_data: weir_free_fn,
    #[doc = " Nullable listener of what the policies do."]
    pub on_event: weir_event_fn,
    pub event_data: *mut ::core::ffi::c_void,
    pub event_free_data: weir_free_fn,
    #[doc = " Nullable listener of the end."]
    pub on_closed: weir_closed_fn,
    pub closed_data: *mut ::core::ffi::c_void,
    pub closed_free_data: weir_free_fn,
    #[doc = " Copied; NULL means \"weir\"."]
    pub name: *const ::core::ffi::c_char,
    #[doc = " WEIR_LOG_*; default off"]
    pub log_level: i32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " Decisions the flight recorder keeps, about 400 bytes each; see\n weir/recorder.h. At most 10^6; 0 (default): off."]
    pub recorder_entries: u32,
    #[doc = " 1: histograms of latency and waiting, too; see weir/metrics.h. Default\n 0."]
    pub metrics: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_runtime_options"][::core::mem::size_of::<weir_runtime_options>() - 168usize];
    ["Alignment of weir_runtime_options"][::core::mem::align_of::<weir_runtime_options>() - 8usize];
    ["Offset of field: weir_runtime_options::size"]
        [::core::mem::offset_of!(weir_runtime_options, size) - 0usize];
    ["Offset of field: weir_runtime_options::driver"]
        [::core::mem::offset_of!(weir_runtime_options, driver) - 4usize];
    ["Offset of field: weir_runtime_options::loop_"]
        [::core::mem::offset_of!(weir_runtime_options, loop_) - 8usize];
    ["Offset of field: weir_runtime_options::wakeup"]
        [::core::mem::offset_of!(weir_runtime_options, wakeup) - 16usize];
    ["Offset of field: weir_runtime_options::wakeup_data"]
        [::core::mem::offset_of!(weir_runtime_options, wakeup_data) - 24usize];
    ["Offset of field: weir_runtime_options::wakeup_free_data"]
        [::core::mem::offset_of!(weir_runtime_options, wakeup_free_data) - 32usize];
    ["Offset of field: weir_runtime_options::allocator"]
        [::core::mem::offset_of!(weir_runtime_options, allocator) - 40usize];
    ["Offset of field: weir_runtime_options::seed"]
        [::core::mem::offset_of!(weir_runtime_options, seed) - 48usize];
    ["Offset of field: weir_runtime_options::max_in_flight"]
        [::core::mem::offset_of!(weir_runtime_options, max_in_flight) - 56usize];
    ["Offset of field: weir_runtime_options::close_grace_ms"]
        [::core::mem::offset_of!(weir_runtime_options, close_grace_ms) - 64usize];
    ["Offset of field: weir_runtime_options::log"]
        [::core::mem::offset_of!(weir_runtime_options, log) - 72usize];
    ["Offset of field: weir_runtime_options::log_data"]
        [::core::mem::offset_of!(weir_runtime_options, log_data) - 80usize];
    ["Offset of field: weir_runtime_options::log_free_data"]
        [::core::mem::offset_of!(weir_runtime_options, log_free_data) - 88usize];
    ["Offset of field: weir_runtime_options::on_event"]
        [::core::mem::offset_of!(weir_runtime_options, on_event) - 96usize];
    ["Offset of field: weir_runtime_options::event_data"]
        [::core::mem::offset_of!(weir_runtime_options, event_data) - 104usize];
    ["Offset of field: weir_runtime_options::event_free_data"]
        [::core::mem::offset_of!(weir_runtime_options, event_free_data) - 112usize];
    ["Offset of field: weir_runtime_options::on_closed"]
        [::core::mem::offset_of!(weir_runtime_options, on_closed) - 120usize];
    ["Offset of field: weir_runtime_options::closed_data"]
        [::core::mem::offset_of!(weir_runtime_options, closed_data) - 128usize];
    ["Offset of field: weir_runtime_options::closed_free_data"]
        [::core::mem::offset_of!(weir_runtime_options, closed_free_data) - 136usize];
    ["Offset of field: weir_runtime_options::name"]
        [::core::mem::offset_of!(weir_runtime_options, name) - 144usize];
    ["Offset of field: weir_runtime_options::log_level"]
        [::core::mem::offset_of!(weir_runtime_options, log_level) - 152usize];
    ["Offset of field: weir_runtime_options::reserved"]
        [::core::mem::offset_of!(weir_runtime_options, reserved) - 156usize];
    ["Offset of field: weir_runtime_options::recorder_entries"]
        [::core::mem::offset_of!(weir_runtime_options, recorder_entries) - 160usize];
    ["Offset of field: weir_runtime_options::metrics"]
        [::core::mem::offset_of!(weir_runtime_options, metrics) - 164usize];
};
impl Default for weir_runtime_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_runtime_stats {
    #[doc = " set by the caller: sizeof(weir_runtime_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    pub runs_accepted: u64,
    pub runs_settled: u64,
    pub attempts_started: u64,
    #[doc = " accepted and not yet settled"]
    pub live_calls: u64,
    #[doc = " attempts told to stop and not yet completed"]
    pub orphans: u64,
    #[doc = " armed now"]
    pub timers: u64,
    pub turns: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_runtime_stats"][::core::mem::size_of::<weir_runtime_stats>() - 64usize];
    ["Alignment of weir_runtime_stats"][::core::mem::align_of::<weir_runtime_stats>() - 8usize];
    ["Offset of field: weir_runtime_stats::size"]
        [::core::mem::offset_of!(weir_runtime_stats, size) - 0usize];
    ["Offset of field: weir_runtime_stats::reserved"]
        [::core::mem::offset_of!(weir_runtime_stats, reserved) - 4usize];
    ["Offset of field: weir_runtime_stats::runs_accepted"]
        [::core::mem::offset_of!(weir_runtime_stats, runs_accepted) - 8usize];
    ["Offset of field: weir_runtime_stats::runs_settled"]
        [::core::mem::offset_of!(weir_runtime_stats, runs_settled) - 16usize];
    ["Offset of field: weir_runtime_stats::attempts_started"]
        [::core::mem::offset_of!(weir_runtime_stats, attempts_started) - 24usize];
    ["Offset of field: weir_runtime_stats::live_calls"]
        [::core::mem::offset_of!(weir_runtime_stats, live_calls) - 32usize];
    ["Offset of field: weir_runtime_stats::orphans"]
        [::core::mem::offset_of!(weir_runtime_stats, orphans) - 40usize];
    ["Offset of field: weir_runtime_stats::timers"]
        [::core::mem::offset_of!(weir_runtime_stats, timers) - 48usize];
    ["Offset of field: weir_runtime_stats::turns"]
        [::core::mem::offset_of!(weir_runtime_stats, turns) - 56usize];
};
#[doc = " a run that has not settled"]
pub const WEIR_AUDIT_CALL: _bindgen_ty_30 = 1;
#[doc = " an attempt told to stop that goes on"]
pub const WEIR_AUDIT_ORPHAN: _bindgen_ty_30 = 2;
pub type _bindgen_ty_30 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_audit_entry {
    #[doc = " WEIR_AUDIT_*"]
    pub kind: u32,
    #[doc = " started so far"]
    pub attempts: u32,
    #[doc = " since the run was taken up, or the orphan told"]
    pub age_ns: i64,
    #[doc = " the run's name, cut off; \"\" if it has none"]
    pub name: [::core::ffi::c_char; 48usize],
    #[doc = " such as \"limiter 'api': a permit\""]
    pub waits_for: [::core::ffi::c_char; 80usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_audit_entry"][::core::mem::size_of::<weir_audit_entry>() - 144usize];
    ["Alignment of weir_audit_entry"][::core::mem::align_of::<weir_audit_entry>() - 8usize];
    ["Offset of field: weir_audit_entry::kind"]
        [::core::mem::offset_of!(weir_audit_entry, kind) - 0usize];
    ["Offset of field: weir_audit_entry::attempts"]
        [::core::mem::offset_of!(weir_audit_entry, attempts) - 4usize];
    ["Offset of field: weir_audit_entry::age_ns"]
        [::core::mem::offset_of!(weir_audit_entry, age_ns) - 8usize];
    ["Offset of field: weir_audit_entry::name"]
        [::core::mem::offset_of!(weir_audit_entry, name) - 16usize];
    ["Offset of field: weir_audit_entry::waits_for"]
        [::core::mem::offset_of!(weir_audit_entry, waits_for) - 64usize];
};
impl Default for weir_audit_entry {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " waits for them"]
pub const WEIR_SCOPE_JOIN: _bindgen_ty_31 = 0;
#[doc = " cancels them at once"]
pub const WEIR_SCOPE_CANCEL: _bindgen_ty_31 = 1;
#[doc = " waits grace_ms, then cancels them"]
pub const WEIR_SCOPE_GRACE: _bindgen_ty_31 = 2;
#[doc = " What the end does with calls that have not settled."]
pub type _bindgen_ty_31 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_scope_options {
    #[doc = " sizeof(weir_scope_options)"]
    pub size: u32,
    #[doc = " WEIR_SCOPE_*; default join"]
    pub exit: u32,
    #[doc = " Of every run in it, from now (weir_scope_operation(): from the run's\n begin); 0 or more, or WEIR_FOREVER (default). A parent's that is nearer\n holds, too."]
    pub deadline_ms: i64,
    #[doc = " How long the end waits for what does not stop; 0 or more, or WEIR_FOREVER.\n Default 5000. With WEIR_SCOPE_GRACE it waits as long before it cancels."]
    pub grace_ms: i64,
    #[doc = " Nullable; a reference is taken until this scope has ended.\n weir_scope_operation() takes the scope of its run instead: NULL there."]
    pub parent: *mut weir_scope,
    #[doc = " Copied; nullable. Log lines of the scope carry the names from the outermost\n on: \"import/user 7\"."]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_scope_options"][::core::mem::size_of::<weir_scope_options>() - 40usize];
    ["Alignment of weir_scope_options"][::core::mem::align_of::<weir_scope_options>() - 8usize];
    ["Offset of field: weir_scope_options::size"]
        [::core::mem::offset_of!(weir_scope_options, size) - 0usize];
    ["Offset of field: weir_scope_options::exit"]
        [::core::mem::offset_of!(weir_scope_options, exit) - 4usize];
    ["Offset of field: weir_scope_options::deadline_ms"]
        [::core::mem::offset_of!(weir_scope_options, deadline_ms) - 8usize];
    ["Offset of field: weir_scope_options::grace_ms"]
        [::core::mem::offset_of!(weir_scope_options, grace_ms) - 16usize];
    ["Offset of field: weir_scope_options::parent"]
        [::core::mem::offset_of!(weir_scope_options, parent) - 24usize];
    ["Offset of field: weir_scope_options::name"]
        [::core::mem::offset_of!(weir_scope_options, name) - 32usize];
};
impl Default for weir_scope_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_SCOPE_OPEN: _bindgen_ty_32 = 0;
#[doc = " waits for calls and attempts"]
pub const WEIR_SCOPE_ENDING: _bindgen_ty_32 = 1;
#[doc = " closes resources"]
pub const WEIR_SCOPE_CLOSING: _bindgen_ty_32 = 2;
pub const WEIR_SCOPE_ENDED: _bindgen_ty_32 = 3;
pub type _bindgen_ty_32 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_scope_stats {
    #[doc = " set by the caller: sizeof(weir_scope_stats)"]
    pub size: u32,
    #[doc = " WEIR_SCOPE_OPEN ..."]
    pub state: u32,
    #[doc = " 1: it was cancelled"]
    pub cancelled: u32,
    #[doc = " open now"]
    pub resources: u32,
    #[doc = " in it that have not settled, scopes in it that have not\nended"]
    pub calls: u64,
    #[doc = " calls whose attempts went on when the grace was over"]
    pub leaked: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_scope_stats"][::core::mem::size_of::<weir_scope_stats>() - 32usize];
    ["Alignment of weir_scope_stats"][::core::mem::align_of::<weir_scope_stats>() - 8usize];
    ["Offset of field: weir_scope_stats::size"]
        [::core::mem::offset_of!(weir_scope_stats, size) - 0usize];
    ["Offset of field: weir_scope_stats::state"]
        [::core::mem::offset_of!(weir_scope_stats, state) - 4usize];
    ["Offset of field: weir_scope_stats::cancelled"]
        [::core::mem::offset_of!(weir_scope_stats, cancelled) - 8usize];
    ["Offset of field: weir_scope_stats::resources"]
        [::core::mem::offset_of!(weir_scope_stats, resources) - 12usize];
    ["Offset of field: weir_scope_stats::calls"]
        [::core::mem::offset_of!(weir_scope_stats, calls) - 16usize];
    ["Offset of field: weir_scope_stats::leaked"]
        [::core::mem::offset_of!(weir_scope_stats, leaked) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_throttle {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_throttle_options {
    #[doc = " sizeof(weir_throttle_options)"]
    pub size: u32,
    #[doc = " 1 (default): run at the first call at once"]
    pub leading: u32,
    #[doc = " 1 (default): run at the interval's end with the latest\nargument; never twice for a single call"]
    pub trailing: u32,
    #[doc = " WEIR_SUPERSEDED_*; default share"]
    pub superseded: u32,
    #[doc = " WEIR_OVERLAP_*; default queue"]
    pub overlap: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " 0 or more, or WEIR_FOREVER; default 100"]
    pub interval_ms: i64,
    #[doc = " around each run; nullable, a reference is taken"]
    pub policy: *mut weir_policy,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_throttle_options"][::core::mem::size_of::<weir_throttle_options>() - 48usize];
    ["Alignment of weir_throttle_options"]
        [::core::mem::align_of::<weir_throttle_options>() - 8usize];
    ["Offset of field: weir_throttle_options::size"]
        [::core::mem::offset_of!(weir_throttle_options, size) - 0usize];
    ["Offset of field: weir_throttle_options::leading"]
        [::core::mem::offset_of!(weir_throttle_options, leading) - 4usize];
    ["Offset of field: weir_throttle_options::trailing"]
        [::core::mem::offset_of!(weir_throttle_options, trailing) - 8usize];
    ["Offset of field: weir_throttle_options::superseded"]
        [::core::mem::offset_of!(weir_throttle_options, superseded) - 12usize];
    ["Offset of field: weir_throttle_options::overlap"]
        [::core::mem::offset_of!(weir_throttle_options, overlap) - 16usize];
    ["Offset of field: weir_throttle_options::reserved"]
        [::core::mem::offset_of!(weir_throttle_options, reserved) - 20usize];
    ["Offset of field: weir_throttle_options::interval_ms"]
        [::core::mem::offset_of!(weir_throttle_options, interval_ms) - 24usize];
    ["Offset of field: weir_throttle_options::policy"]
        [::core::mem::offset_of!(weir_throttle_options, policy) - 32usize];
    ["Offset of field: weir_throttle_options::name"]
        [::core::mem::offset_of!(weir_throttle_options, name) - 40usize];
};
impl Default for weir_throttle_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[doc = " A decider: this run's timeout in ms: 0 fires on the next turn (so what\n completes inside its start passes), WEIR_FOREVER means none, other negatives\n count as 0. `context` and `key` are the run's."]
pub type weir_timeout_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut ::core::ffi::c_void,
        context: *mut ::core::ffi::c_void,
        key: *const ::core::ffi::c_void,
        key_size: usize,
    ) -> i64,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_timeout_options {
    #[doc = " sizeof(weir_timeout_options)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " Required, unless timeout_for is set; 0 or more, or WEIR_FOREVER."]
    pub timeout_ms: i64,
    #[doc = " Nullable: asked for each run, instead of timeout_ms (then WEIR_OFF, or as\n WEIR_TIMEOUT_OPTIONS_INIT left it)."]
    pub timeout_for: weir_timeout_fn,
    pub timeout_data: *mut ::core::ffi::c_void,
    pub timeout_free_data: weir_free_fn,
    #[doc = " copied; NULL: \"NAME timed out after N ms\""]
    pub message: *const ::core::ffi::c_char,
    #[doc = " copied; nullable"]
    pub name: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_timeout_options"][::core::mem::size_of::<weir_timeout_options>() - 56usize];
    ["Alignment of weir_timeout_options"][::core::mem::align_of::<weir_timeout_options>() - 8usize];
    ["Offset of field: weir_timeout_options::size"]
        [::core::mem::offset_of!(weir_timeout_options, size) - 0usize];
    ["Offset of field: weir_timeout_options::reserved"]
        [::core::mem::offset_of!(weir_timeout_options, reserved) - 4usize];
    ["Offset of field: weir_timeout_options::timeout_ms"]
        [::core::mem::offset_of!(weir_timeout_options, timeout_ms) - 8usize];
    ["Offset of field: weir_timeout_options::timeout_for"]
        [::core::mem::offset_of!(weir_timeout_options, timeout_for) - 16usize];
    ["Offset of field: weir_timeout_options::timeout_data"]
        [::core::mem::offset_of!(weir_timeout_options, timeout_data) - 24usize];
    ["Offset of field: weir_timeout_options::timeout_free_data"]
        [::core::mem::offset_of!(weir_timeout_options, timeout_free_data) - 32usize];
    ["Offset of field: weir_timeout_options::message"]
        [::core::mem::offset_of!(weir_timeout_options, message) - 40usize];
    ["Offset of field: weir_timeout_options::name"]
        [::core::mem::offset_of!(weir_timeout_options, name) - 48usize];
};
impl Default for weir_timeout_options {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_timeout_stats {
    #[doc = " set by the caller: sizeof(weir_timeout_stats)"]
    pub size: u32,
    #[doc = " 0"]
    pub reserved: u32,
    #[doc = " runs, or tries of a retry outside, that came by"]
    pub started: u64,
    #[doc = " of these, cut off here"]
    pub timed_out: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_timeout_stats"][::core::mem::size_of::<weir_timeout_stats>() - 24usize];
    ["Alignment of weir_timeout_stats"][::core::mem::align_of::<weir_timeout_stats>() - 8usize];
    ["Offset of field: weir_timeout_stats::size"]
        [::core::mem::offset_of!(weir_timeout_stats, size) - 0usize];
    ["Offset of field: weir_timeout_stats::reserved"]
        [::core::mem::offset_of!(weir_timeout_stats, reserved) - 4usize];
    ["Offset of field: weir_timeout_stats::started"]
        [::core::mem::offset_of!(weir_timeout_stats, started) - 8usize];
    ["Offset of field: weir_timeout_stats::timed_out"]
        [::core::mem::offset_of!(weir_timeout_stats, timed_out) - 16usize];
};
unsafe extern "C" {
    #[doc = " \"WEIR_EOPEN\" for WEIR_EOPEN; \"WEIR_UNKNOWN\" for a number that is none. Static\n text, never NULL, any thread."]
    pub fn weir_status_name(status: weir_status) -> *const ::core::ffi::c_char;
    #[doc = " One sentence in English, such as \"circuit breaker is open\". Static text,\n never NULL, any thread."]
    pub fn weir_status_message(status: weir_status) -> *const ::core::ffi::c_char;
    #[doc = " Makes an operation from a start function. The caller owns one reference.\n `free_data` (nullable) gets `data` once, also when this fails. Errors:\n WEIR_EINVAL (runtime, start or out NULL), WEIR_ENOMEM. Any thread."]
    pub fn weir_operation_new(
        runtime: *mut weir_runtime,
        start: weir_start_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes an operation from a function that blocks. Errors: as above, and\n WEIR_ENOTSUP with the manual driver, which has no pool. Any thread."]
    pub fn weir_operation_new_blocking(
        runtime: *mut weir_runtime,
        function: weir_blocking_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes an operation whose attempts are START records in `queue` (with `user`,\n or WEIR_USER_OF_RUN) instead of calls: see weir/completions.h. Errors:\n WEIR_EINVAL, WEIR_ENOMEM. Any thread."]
    pub fn weir_operation_new_queued(
        queue: *mut weir_completions,
        user: u64,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " As weir_operation_new_queued(), but its attempts are ASK records: a question\n that the host answers by completing the token, such as for the next item of a\n parallel (weir/parallel.h)."]
    pub fn weir_operation_new_asked(
        queue: *mut weir_completions,
        user: u64,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " What a start function would have been shown, for the host that holds a\n drained START or ASK record: fills `attempt`, whose `size` the caller has\n set; on_cancel, data and free_data are NULL and have no use. number is that\n attempt's, whatever the run has started since; remaining_ns is from now on.\n `failed` (nullable, its size set) gets what failed before, for the operation\n of a fallback, and the attempt's `failed` points to it then (without `failed`\n to a copy of weir's own); otherwise it gets an outcome whose channel is 0,\n and the attempt's is NULL.\n\n Everything that is pointed to is borrowed until the attempt is completed,\n also once it was told to stop and when its run has settled. So nobody else\n may complete it while that is read. Errors: WEIR_ESTALE (completed, or never\n started), WEIR_ENOTSUP (it was shown to a start function), WEIR_EINVAL,\n WEIR_EABI, WEIR_EFORKED. Any thread."]
    pub fn weir_attempt_get(
        runtime: *mut weir_runtime,
        token: weir_token,
        attempt: *mut weir_attempt,
        failed: *mut weir_outcome,
    ) -> weir_status;
    #[doc = " One reference more; returns `operation`. Any thread."]
    pub fn weir_operation_ref(operation: *mut weir_operation) -> *mut weir_operation;
    #[doc = " One reference less. Runs in flight keep it alive. Any thread."]
    pub fn weir_operation_unref(operation: *mut weir_operation);
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_completion)."]
    pub fn weir_completion_init(completion: *mut weir_completion, size: usize);
    #[doc = " Succeeds with `value` (NULL is legal); takes the caller's reference."]
    pub fn weir_complete(
        runtime: *mut weir_runtime,
        token: weir_token,
        value: *mut weir_value,
    ) -> weir_status;
    #[doc = " Succeeds with a copy of `size` bytes. If there is no memory for the copy the\n attempt fails with WEIR_ENOMEM, and this returns WEIR_ENOMEM."]
    pub fn weir_complete_bytes(
        runtime: *mut weir_runtime,
        token: weir_token,
        data: *const ::core::ffi::c_void,
        size: usize,
    ) -> weir_status;
    #[doc = " Succeeds with a pointer value; `free_pointer` (nullable) gets it at the end.\n No memory: as above."]
    pub fn weir_complete_pointer(
        runtime: *mut weir_runtime,
        token: weir_token,
        pointer: *mut ::core::ffi::c_void,
        free_pointer: weir_free_fn,
    ) -> weir_status;
    #[doc = " Fails with the user's own error (WEIR_DOMAIN_*, code, message; message is\n copied, nullable). If there is no memory for it the attempt fails with\n WEIR_ENOMEM, and this returns WEIR_ENOMEM."]
    pub fn weir_fail(
        runtime: *mut weir_runtime,
        token: weir_token,
        domain: u32,
        code: i64,
        message: *const ::core::ffi::c_char,
    ) -> weir_status;
    #[doc = " Fails with `error`; takes the caller's reference. NULL counts as WEIR_EINVAL\n and leaves the attempt as it was."]
    pub fn weir_fail_with(
        runtime: *mut weir_runtime,
        token: weir_token,
        error: *mut weir_error,
    ) -> weir_status;
    #[doc = " The general form: `value` and `error` are both nullable and both taken; an\n error makes it a failure. `completion` NULL: defaults."]
    pub fn weir_complete_with(
        runtime: *mut weir_runtime,
        token: weir_token,
        value: *mut weir_value,
        error: *mut weir_error,
        completion: *const weir_completion,
    ) -> weir_status;
    #[doc = " Makes an operation that runs `count` `operations` and succeeds with the list\n of their values (read them with weir_value_item); 0 of them: an empty list.\n It takes a reference of each. `name` is copied; nullable. The caller owns one\n reference. Errors: WEIR_EINVAL (one that is NULL, of another runtime, or\n nests others 64 levels deep), WEIR_ENOMEM. Any thread."]
    pub fn weir_all_new(
        runtime: *mut weir_runtime,
        operations: *const *mut weir_operation,
        count: usize,
        name: *const ::core::ffi::c_char,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " The same, but a failure is an item, too: weir_value_item_error has it. Errors\n as above. Any thread."]
    pub fn weir_all_settled_new(
        runtime: *mut weir_runtime,
        operations: *const *mut weir_operation,
        count: usize,
        name: *const ::core::ffi::c_char,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes an operation that runs `count` (at least 1) `operations` at once, each\n with the run's input; it takes a reference of each. Its outcome is the first\n success, or when all have failed an error with status WEIR_EAGGREGATE. `name`\n is copied; nullable. The caller owns one reference. Errors: WEIR_EINVAL (one\n that is NULL, of another runtime, or nests others 64 levels deep),\n WEIR_ENOMEM. Any thread."]
    pub fn weir_any_new(
        runtime: *mut weir_runtime,
        operations: *const *mut weir_operation,
        count: usize,
        name: *const ::core::ffi::c_char,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes a user's error (status WEIR_EFAILED). `message` is copied, NULL means\n none. `runtime` lends its allocator; NULL means malloc. The caller owns one\n reference. Errors: WEIR_EINVAL (out NULL), WEIR_ENOMEM. Any thread."]
    pub fn weir_error_new(
        runtime: *mut weir_runtime,
        domain: u32,
        code: i64,
        message: *const ::core::ffi::c_char,
        out: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " As weir_error_new(), with a cause and a detail value (both nullable; each\n gets a reference of its own)."]
    pub fn weir_error_new_with(
        runtime: *mut weir_runtime,
        domain: u32,
        code: i64,
        message: *const ::core::ffi::c_char,
        cause: *mut weir_error,
        detail: *mut weir_value,
        out: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `error`. NULL is legal. Any thread."]
    pub fn weir_error_ref(error: *mut weir_error) -> *mut weir_error;
    #[doc = " One reference less. NULL is legal. Any thread."]
    pub fn weir_error_unref(error: *mut weir_error);
    #[doc = " The status; WEIR_OK of NULL."]
    pub fn weir_error_status(error: *const weir_error) -> weir_status;
    #[doc = " WEIR_DOMAIN_*."]
    pub fn weir_error_domain(error: *const weir_error) -> u32;
    #[doc = " The domain's own number."]
    pub fn weir_error_code(error: *const weir_error) -> i64;
    #[doc = " The message; never NULL (\"\" if there is none). Valid while a reference is\n held."]
    pub fn weir_error_message(error: *const weir_error) -> *const ::core::ffi::c_char;
    #[doc = " The error that caused this one, borrowed; NULL if there is none."]
    pub fn weir_error_cause(error: *const weir_error) -> *mut weir_error;
    #[doc = " How many errors an aggregate lists; 0 of others."]
    pub fn weir_error_count(error: *const weir_error) -> usize;
    #[doc = " The error at `position` (0 to count - 1) of an aggregate, borrowed, and in\n `index` (nullable) the input it came from; NULL beyond the end."]
    pub fn weir_error_at(
        error: *const weir_error,
        position: usize,
        index: *mut usize,
    ) -> *mut weir_error;
    #[doc = " The detail value, borrowed; NULL if there is none."]
    pub fn weir_error_detail(error: *const weir_error) -> *mut weir_value;
    #[doc = " Copies `size` bytes (0 is legal, then data may be NULL). The copy is aligned\n to 16. `runtime` lends its allocator; NULL means malloc. The caller owns one\n reference. Errors: WEIR_EINVAL (out NULL, data NULL with size > 0),\n WEIR_ENOMEM. Any thread."]
    pub fn weir_value_new_bytes(
        runtime: *mut weir_runtime,
        data: *const ::core::ffi::c_void,
        size: usize,
        out: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " Holds `pointer`; `free_pointer` (nullable) gets it when the last reference\n goes, on that thread, also when this call fails. Errors: WEIR_EINVAL (out\n NULL), WEIR_ENOMEM. Any thread."]
    pub fn weir_value_new_pointer(
        runtime: *mut weir_runtime,
        pointer: *mut ::core::ffi::c_void,
        free_pointer: weir_free_fn,
        out: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " Holds a host object's number. When the last reference goes, the queue gets a\n RELEASED record with that number; the value keeps the queue alive until then.\n Errors: WEIR_EINVAL (queue or out NULL), WEIR_ENOMEM. Any thread."]
    pub fn weir_value_new_host(
        queue: *mut weir_completions,
        id: u64,
        out: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " Holds `count` items (0 is legal): item i is an error if `errors[i]` is not\n NULL, else the value `values[i]` (nullable). Either array may be NULL. A\n reference of each is added: the caller keeps its own. The caller owns one\n reference of the list. Errors: WEIR_EINVAL (out NULL, both arrays NULL with\n count > 0), WEIR_ENOMEM. Any thread."]
    pub fn weir_value_new_list(
        runtime: *mut weir_runtime,
        values: *const *mut weir_value,
        errors: *const *mut weir_error,
        count: usize,
        out: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " One reference more; returns `value`. NULL is legal. Any thread."]
    pub fn weir_value_ref(value: *mut weir_value) -> *mut weir_value;
    #[doc = " One reference less. NULL is legal. Any thread."]
    pub fn weir_value_unref(value: *mut weir_value);
    #[doc = " weir_value_unref() of each of `count` values; NULLs among them are skipped.\n One crossing for foreign languages. Any thread."]
    pub fn weir_values_unref(values: *const *mut weir_value, count: usize);
    #[doc = " 1 if there is one reference: then nobody can see the value but through the\n caller's (an outcome's, of a call that only the caller has), who may take\n out what a pointer value points to instead of copying it. 0 of NULL. Any\n thread."]
    pub fn weir_value_is_unique(value: *const weir_value) -> i32;
    #[doc = " WEIR_VALUE_*; WEIR_VALUE_NONE of NULL. Any thread."]
    pub fn weir_value_kind(value: *const weir_value) -> u32;
    #[doc = " The bytes of a bytes value, valid while a reference is held; NULL of others.\n Any thread."]
    pub fn weir_value_data(value: *const weir_value) -> *const ::core::ffi::c_void;
    #[doc = " The number of bytes of a bytes value; 0 of others. Any thread."]
    pub fn weir_value_size(value: *const weir_value) -> usize;
    #[doc = " The pointer of a pointer value; NULL of others. Any thread."]
    pub fn weir_value_pointer(value: *const weir_value) -> *mut ::core::ffi::c_void;
    #[doc = " The pointer of a pointer value that was made with this `free_pointer` (not\n NULL); NULL of others: so a module tells its own from what another, perhaps\n of another language, has made. Any thread."]
    pub fn weir_value_pointer_of(
        value: *const weir_value,
        free_pointer: weir_free_fn,
    ) -> *mut ::core::ffi::c_void;
    #[doc = " The number of a host value; 0 of others. Any thread."]
    pub fn weir_value_host_id(value: *const weir_value) -> u64;
    #[doc = " The number of a host value that was made with this `queue`; 0 of others. So a\n host that gives nothing the number 0 tells its own from what another host has\n put into a cache that both use. Any thread."]
    pub fn weir_value_host_id_of(value: *const weir_value, queue: *const weir_completions) -> u64;
    #[doc = " The number of a list's items; 0 of others. Any thread."]
    pub fn weir_value_count(value: *const weir_value) -> usize;
    #[doc = " A list's item, if it is a value; NULL if it is an error, has no value, or\n there is none of that index. Borrowed from the list. Any thread."]
    pub fn weir_value_item(value: *const weir_value, index: usize) -> *mut weir_value;
    #[doc = " A list's item, if it is an error; else NULL. Borrowed from the list. Any\n thread."]
    pub fn weir_value_item_error(value: *const weir_value, index: usize) -> *mut weir_error;
    #[doc = " Writes one line for logs into `buffer`, cut off and always terminated, such\n as \"failed: http 503 'overloaded' after 3 attempts in 412.000 ms (stopped:\n budget)\" or \"failed: circuit breaker 'api' is open (WEIR_EOPEN) after 0\n attempts in 0.000 ms (retry after 60000 ms)\". Returns the length the whole\n line has. Any thread."]
    pub fn weir_outcome_describe(
        outcome: *const weir_outcome,
        buffer: *mut ::core::ffi::c_char,
        size: usize,
    ) -> usize;
    #[doc = " Writes one sentence for people into `buffer`, cut off and always terminated:\n who refused, why, by which numbers, and when to try again, such as \"circuit\n breaker 'api' is open: 5 failures in a row (opens at 5); try again in 60000\n ms\". Returns the length the whole sentence has. NULL: \"no rejection\"; also\n reads a shorter struct of an earlier version. Any thread."]
    pub fn weir_rejection_describe(
        rejection: *const weir_rejection,
        buffer: *mut ::core::ffi::c_char,
        size: usize,
    ) -> usize;
    #[doc = " Gives back what weir_run_wait() filled (value, error, rejection) and clears\n it; harmless on a cleared one and on NULL. Never for an outcome that was\n lent."]
    pub fn weir_outcome_release(outcome: *mut weir_outcome);
    #[doc = " One reference more; returns `policy`. Any thread."]
    pub fn weir_policy_ref(policy: *mut weir_policy) -> *mut weir_policy;
    #[doc = " One reference less; runs in flight and wrapped operations keep it alive. Any\n thread."]
    pub fn weir_policy_unref(policy: *mut weir_policy);
    #[doc = " WEIR_POLICY_*; WEIR_POLICY_NONE of NULL."]
    pub fn weir_policy_kind(policy: *const weir_policy) -> u32;
    #[doc = " The name from its options, \"\" if it has none; valid while a reference is\n held."]
    pub fn weir_policy_name(policy: *const weir_policy) -> *const ::core::ffi::c_char;
    #[doc = " Makes an operation that runs `operation` under `policy`; the caller owns one\n reference. Both must be of the same runtime. What weir_pipeline_new() would\n refuse is refused here too, such as a breaker that the operation has around\n it already; what is around an operation that this one runs in its turn (a\n debounce's, a cache's load) is not seen. Errors: WEIR_EINVAL, WEIR_ENOMEM.\n Any thread."]
    pub fn weir_policy_wrap(
        policy: *mut weir_policy,
        operation: *mut weir_operation,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_breaker_options)."]
    pub fn weir_breaker_options_init(options: *mut weir_breaker_options, size: usize);
    #[doc = " Makes a breaker, closed; the caller owns one reference. `options` NULL:\n defaults. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_breaker_new(
        runtime: *mut weir_runtime,
        options: *const weir_breaker_options,
        out: *mut *mut weir_breaker,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `breaker`. Any thread."]
    pub fn weir_breaker_ref(breaker: *mut weir_breaker) -> *mut weir_breaker;
    #[doc = " One reference less. Any thread."]
    pub fn weir_breaker_unref(breaker: *mut weir_breaker);
    #[doc = " The policy this is; borrowed."]
    pub fn weir_breaker_policy(breaker: *mut weir_breaker) -> *mut weir_policy;
    #[doc = " The breaker that `policy` is, borrowed; NULL if it is of another kind, and of\n NULL. Any thread."]
    pub fn weir_policy_breaker(policy: *mut weir_policy) -> *mut weir_breaker;
    #[doc = " Asks to make a call. WEIR_OK: make it and report `permit`. WEIR_EOPEN: do\n not; `permit` is 0, `rejection` (nullable, its size set) says why and when.\n Reads no clock while it is closed. Errors: WEIR_EINVAL, WEIR_EABI."]
    pub fn weir_breaker_acquire(
        breaker: *mut weir_breaker,
        permit: *mut weir_permit,
        rejection: *mut weir_rejection,
    ) -> weir_status;
    #[doc = " As acquire, at a time of weir_runtime_now()'s clock."]
    pub fn weir_breaker_acquire_at(
        breaker: *mut weir_breaker,
        permit: *mut weir_permit,
        rejection: *mut weir_rejection,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " The call ended as `class_` (WEIR_CLASS_*; ignore, abandon and refusal free\n the place without a verdict). `elapsed_ns` is how long it took, 0 if slow\n calls are off. Once per permit. WEIR_OK: recorded. WEIR_ESTALE: of an earlier\n life, or reported before (which only trials can tell), changes nothing.\n WEIR_EEXPIRED: its lease had run out (WEIR_ESTALE once another trial has its\n place). Errors: WEIR_EINVAL (also a permit of 0, a class that is none, a\n negative time)."]
    pub fn weir_breaker_report(
        breaker: *mut weir_breaker,
        permit: weir_permit,
        class_: u32,
        elapsed_ns: i64,
    ) -> weir_status;
    #[doc = " As report, at a time of weir_runtime_now()'s clock."]
    pub fn weir_breaker_report_at(
        breaker: *mut weir_breaker,
        permit: weir_permit,
        class_: u32,
        elapsed_ns: i64,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Acquires up to `count` (at least 1) permits; returns how many in `granted`.\n WEIR_OK if at least one, otherwise as acquire."]
    pub fn weir_breaker_acquire_n(
        breaker: *mut weir_breaker,
        count: usize,
        permits: *mut weir_permit,
        granted: *mut usize,
        rejection: *mut weir_rejection,
    ) -> weir_status;
    #[doc = " As acquire_n, at a time of weir_runtime_now()'s clock."]
    pub fn weir_breaker_acquire_n_at(
        breaker: *mut weir_breaker,
        count: usize,
        permits: *mut weir_permit,
        granted: *mut usize,
        rejection: *mut weir_rejection,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Reports `count` calls, in order; each entry gets its own result. Errors:\n WEIR_EINVAL (`entries` NULL)."]
    pub fn weir_breaker_report_many(
        breaker: *mut weir_breaker,
        entries: *mut weir_breaker_report_entry,
        count: usize,
    ) -> weir_status;
    #[doc = " As report_many, at a time of weir_runtime_now()'s clock."]
    pub fn weir_breaker_report_many_at(
        breaker: *mut weir_breaker,
        entries: *mut weir_breaker_report_entry,
        count: usize,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " WEIR_BREAKER_*, current: a breaker whose open time is over is half-open,\n traffic or not."]
    pub fn weir_breaker_state(breaker: *mut weir_breaker) -> u32;
    #[doc = " As state, at a time of weir_runtime_now()'s clock."]
    pub fn weir_breaker_state_at(breaker: *mut weir_breaker, now_ns: i64) -> u32;
    #[doc = " Forces it open until as many weir_breaker_release() came. Counted. Errors:\n WEIR_EINVAL, WEIR_EFULL (2^32 - 1 times)."]
    pub fn weir_breaker_isolate(breaker: *mut weir_breaker) -> weir_status;
    #[doc = " Undoes one isolate; the last returns it to closed (or what is forced), counts\n empty. Errors: WEIR_EINVAL if there is none."]
    pub fn weir_breaker_release(breaker: *mut weir_breaker) -> weir_status;
    #[doc = " Puts it into WEIR_BREAKER_FORCED_OPEN, ..._FORCED_CLOSED or ..._METRICS_ONLY,\n or with WEIR_BREAKER_CLOSED back to judging by itself, counts empty.\n Isolation goes before it. Errors: WEIR_EINVAL."]
    pub fn weir_breaker_force(breaker: *mut weir_breaker, state: u32) -> weir_status;
    #[doc = " Closed, counts and reset multiplier as new; permits out become stale. A\n forced state and isolation stay."]
    pub fn weir_breaker_reset(breaker: *mut weir_breaker) -> weir_status;
    #[doc = " Changes the options live; its state and, where mode and window are the same,\n its counts stay. What runs already keeps its end: the open time, the leases\n of trials. Other half_open_* numbers begin a half-open period again, with its\n trials void. `options` must not be NULL; classify, failures, on_state_change,\n queue and name cannot change (they must be NULL or 0 here). A bad set changes\n nothing. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM."]
    pub fn weir_breaker_set_options(
        breaker: *mut weir_breaker,
        options: *const weir_breaker_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_breaker_get_stats(
        breaker: *mut weir_breaker,
        stats: *mut weir_breaker_stats,
    ) -> weir_status;
    #[doc = " Writes the state (open time left, forced state, isolations, failures in a\n row; not the window's calls) as bytes, portable between processes and\n machines; `size` holds the buffer's size and gets the\n snapshot's. Errors: WEIR_EINVAL (too small: `size` says what is needed)."]
    pub fn weir_breaker_snapshot(
        breaker: *mut weir_breaker,
        buffer: *mut ::core::ffi::c_void,
        size: *mut usize,
    ) -> weir_status;
    #[doc = " Takes a snapshot's state over, `elapsed_ms` (0 or more) after it was taken:\n one that was open is half-open if its time is over; half-open starts its\n trials from none. Permits that are out become stale. Errors: WEIR_EINVAL (not\n a snapshot), WEIR_EABI (of a later version)."]
    pub fn weir_breaker_restore(
        breaker: *mut weir_breaker,
        bytes: *const ::core::ffi::c_void,
        size: usize,
        elapsed_ms: i64,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_budget_options)."]
    pub fn weir_budget_options_init(options: *mut weir_budget_options, size: usize);
    #[doc = " Makes a budget; the caller owns one reference. `options` NULL: defaults.\n Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_budget_new(
        runtime: *mut weir_runtime,
        options: *const weir_budget_options,
        out: *mut *mut weir_budget,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Changes ratio and min_per_second live; what the window holds stays counted.\n window_ms must be as it is, and name NULL. A bad set changes nothing. Errors:\n WEIR_EINVAL (`options` NULL too), WEIR_EABI. Any thread."]
    pub fn weir_budget_set_options(
        budget: *mut weir_budget,
        options: *const weir_budget_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `budget`. Any thread."]
    pub fn weir_budget_ref(budget: *mut weir_budget) -> *mut weir_budget;
    #[doc = " One reference less. Any thread."]
    pub fn weir_budget_unref(budget: *mut weir_budget);
    #[doc = " Counts an outermost first attempt. Errors: WEIR_EINVAL."]
    pub fn weir_budget_deposit(budget: *mut weir_budget) -> weir_status;
    #[doc = " As deposit, at a time of weir_runtime_now()'s clock."]
    pub fn weir_budget_deposit_at(budget: *mut weir_budget, now_ns: i64) -> weir_status;
    #[doc = " Takes one retry: WEIR_OK, or WEIR_ELIMITED when there is nothing left.\n Errors: WEIR_EINVAL."]
    pub fn weir_budget_withdraw(budget: *mut weir_budget) -> weir_status;
    #[doc = " As withdraw, at a time of weir_runtime_now()'s clock."]
    pub fn weir_budget_withdraw_at(budget: *mut weir_budget, now_ns: i64) -> weir_status;
    #[doc = " As withdraw; a refusal fills `rejection` (nullable; its `size` set): the\n numbers of the window and when a withdrawal will pass. Errors: WEIR_EINVAL,\n WEIR_EABI (a size that cannot be; nothing was taken then)."]
    pub fn weir_budget_try_withdraw(
        budget: *mut weir_budget,
        rejection: *mut weir_rejection,
    ) -> weir_status;
    #[doc = " As try_withdraw, at a time of weir_runtime_now()'s clock."]
    pub fn weir_budget_try_withdraw_at(
        budget: *mut weir_budget,
        rejection: *mut weir_rejection,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Gives back a withdrawn retry that never started. Does nothing if none in the\n window is out. Errors: WEIR_EINVAL."]
    pub fn weir_budget_refund(budget: *mut weir_budget) -> weir_status;
    #[doc = " As refund, at a time of weir_runtime_now()'s clock."]
    pub fn weir_budget_refund_at(budget: *mut weir_budget, now_ns: i64) -> weir_status;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_budget_get_stats(
        budget: *mut weir_budget,
        stats: *mut weir_budget_stats,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_limiter_options)."]
    pub fn weir_limiter_options_init(options: *mut weir_limiter_options, size: usize);
    #[doc = " Makes a limiter; the caller owns one reference. `options` NULL: defaults,\n which limit nothing until weir_limiter_add_limit(). Errors: WEIR_EINVAL,\n WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_limiter_new(
        runtime: *mut weir_runtime,
        options: *const weir_limiter_options,
        out: *mut *mut weir_limiter,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `limiter`. Any thread."]
    pub fn weir_limiter_ref(limiter: *mut weir_limiter) -> *mut weir_limiter;
    #[doc = " One reference less. Any thread."]
    pub fn weir_limiter_unref(limiter: *mut weir_limiter);
    #[doc = " The policy this is; borrowed."]
    pub fn weir_limiter_policy(limiter: *mut weir_limiter) -> *mut weir_policy;
    #[doc = " The limiter that `policy` is, borrowed; NULL if it is of another kind, and of\n NULL. Any thread."]
    pub fn weir_policy_limiter(policy: *mut weir_policy) -> *mut weir_limiter;
    #[doc = " One rate more on the same handle (per second and per minute and per day); all\n are granted, or none. At most 8 in all. `burst` WEIR_OFF: as permits. A keyed\n limiter takes memory for all its keys anew. Errors: WEIR_EINVAL, WEIR_ENOMEM,\n WEIR_EFULL, WEIR_ENOTSUP (keyed, once keys are live). Any thread."]
    pub fn weir_limiter_add_limit(
        limiter: *mut weir_limiter,
        algorithm: u32,
        permits: i64,
        interval_ms: i64,
        burst: i64,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Takes `permits`, or nothing."]
    pub fn weir_limiter_try_acquire(
        limiter: *mut weir_limiter,
        permits: u32,
        permit: *mut weir_permit,
        rejection: *mut weir_rejection,
    ) -> weir_status;
    #[doc = " As try_acquire, at a time of weir_runtime_now()'s clock."]
    pub fn weir_limiter_try_acquire_at(
        limiter: *mut weir_limiter,
        permits: u32,
        permit: *mut weir_permit,
        rejection: *mut weir_rejection,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " As try_acquire, for one key of a keyed limiter (WEIR_ENOTSUP if it is not\n keyed)."]
    pub fn weir_limiter_try_acquire_key(
        limiter: *mut weir_limiter,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        permits: u32,
        permit: *mut weir_permit,
        rejection: *mut weir_rejection,
    ) -> weir_status;
    #[doc = " As try_acquire_key, at a time of weir_runtime_now()'s clock."]
    pub fn weir_limiter_try_acquire_key_at(
        limiter: *mut weir_limiter,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        permits: u32,
        permit: *mut weir_permit,
        rejection: *mut weir_rejection,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Takes up to `count` single permits at once; `granted` says how many. WEIR_OK\n if at least one. Only for limiters without a concurrency limit or keys\n (WEIR_ENOTSUP)."]
    pub fn weir_limiter_acquire_n(
        limiter: *mut weir_limiter,
        count: usize,
        granted: *mut usize,
        rejection: *mut weir_rejection,
    ) -> weir_status;
    #[doc = " As acquire_n, at a time of weir_runtime_now()'s clock."]
    pub fn weir_limiter_acquire_n_at(
        limiter: *mut weir_limiter,
        count: usize,
        granted: *mut usize,
        rejection: *mut weir_rejection,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Takes `permits` of the rate in advance and says in `wait_ns` how long to wait\n before going ahead. Only for limiters with one token bucket and no\n concurrency limit or keys (WEIR_ENOTSUP). WEIR_ELIMITED while paused, while\n runs wait, and when 2^31 - 1 permits are reserved ahead. `reservation`\n (nullable) names it for cancelling."]
    pub fn weir_limiter_reserve(
        limiter: *mut weir_limiter,
        permits: u32,
        wait_ns: *mut i64,
        reservation: *mut weir_permit,
    ) -> weir_status;
    #[doc = " As reserve, at a time of weir_runtime_now()'s clock."]
    pub fn weir_limiter_reserve_at(
        limiter: *mut weir_limiter,
        permits: u32,
        wait_ns: *mut i64,
        reservation: *mut weir_permit,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Gives back of a reservation what nobody has reserved after; at most once.\n Errors: WEIR_ESTALE if nothing could be given back, WEIR_EINVAL,\n WEIR_ENOTSUP."]
    pub fn weir_limiter_cancel_reservation(
        limiter: *mut weir_limiter,
        permits: u32,
        reservation: weir_permit,
    ) -> weir_status;
    #[doc = " Gives a concurrency permit back (the rate stays used). Exactly once per\n permit; more than are out is WEIR_EINVAL; 0 is nothing to give back and\n WEIR_OK. Errors: WEIR_EINVAL."]
    pub fn weir_limiter_release(limiter: *mut weir_limiter, permit: weir_permit) -> weir_status;
    #[doc = " As release, for adaptive limits: how the call ended (WEIR_CLASS_*) and how\n long it took."]
    pub fn weir_limiter_release_with(
        limiter: *mut weir_limiter,
        permit: weir_permit,
        class_: u32,
        elapsed_ns: i64,
    ) -> weir_status;
    #[doc = " As release, for one key of a keyed limiter (WEIR_ENOTSUP if it is not\n keyed)."]
    pub fn weir_limiter_release_key(
        limiter: *mut weir_limiter,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        permit: weir_permit,
    ) -> weir_status;
    #[doc = " Gives `permits` of the rate back, never above the burst: for work that was\n not done. Errors: WEIR_EINVAL, WEIR_ENOTSUP (keyed)."]
    pub fn weir_limiter_refund(limiter: *mut weir_limiter, permits: u32) -> weir_status;
    #[doc = " Permits a try_acquire could have now; INT64_MAX if nothing limits; 0 while\n paused or while runs wait."]
    pub fn weir_limiter_available(limiter: *mut weir_limiter) -> i64;
    #[doc = " As available, at a time of weir_runtime_now()'s clock."]
    pub fn weir_limiter_available_at(limiter: *mut weir_limiter, now_ns: i64) -> i64;
    #[doc = " Takes all each rate has now (such as after a 429); in `drained` (nullable)\n how many could have been acquired. Errors: WEIR_EINVAL, WEIR_ENOTSUP (keyed)."]
    pub fn weir_limiter_drain(limiter: *mut weir_limiter, drained: *mut i64) -> weir_status;
    #[doc = " Nothing passes until resume; runs wait."]
    pub fn weir_limiter_pause(limiter: *mut weir_limiter) -> weir_status;
    #[doc = " Undoes pause; waiting runs proceed in order."]
    pub fn weir_limiter_resume(limiter: *mut weir_limiter) -> weir_status;
    #[doc = " Changes every number live: growing wakes waiters, shrinking never blocks,\n waiters are rescheduled (each keeps the queue_timeout_ms it began to wait\n with). What is used stays used; the rate of these options is the first of\n several. `algorithm`, queue_order, max_keys, adaptive, whether there is a\n rate, and of a keyed limiter whether there is a concurrency limit, cannot\n change; classify, failures and name must be NULL, and `options` not. Of a\n keyed limiter a new rate takes time for each key. A bad set changes nothing.\n Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOTSUP (keyed, and the new bucket does\n not fit as said on top)."]
    pub fn weir_limiter_set_options(
        limiter: *mut weir_limiter,
        options: *const weir_limiter_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_limiter_get_stats(
        limiter: *mut weir_limiter,
        stats: *mut weir_limiter_stats,
    ) -> weir_status;
    #[doc = " Makes a limiter of concurrency alone, with the limiter's defaults besides;\n the caller owns one reference. `max_concurrent` runs hold a permit at once, 1\n to 2^31 - 1. `queue_limit` runs wait at most, 0 (the next is refused at once)\n or more, or WEIR_UNLIMITED. `name` is copied, nullable. Errors: WEIR_EINVAL,\n WEIR_ENOMEM. Any thread."]
    pub fn weir_bulkhead_new(
        runtime: *mut weir_runtime,
        max_concurrent: i64,
        queue_limit: i64,
        name: *const ::core::ffi::c_char,
        out: *mut *mut weir_limiter,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_run_options)."]
    pub fn weir_run_options_init(options: *mut weir_run_options, size: usize);
    #[doc = " Starts a run. `options` NULL: defaults. `settle` nullable. `free_data`\n (nullable) gets `data` once, after settle has returned, or at once when this\n fails. `call` nullable: where to store the call, of which the caller then\n owns one reference; it is stored before the run is published. `error`\n nullable. The run begins in a later turn, never inside this function. Any\n thread. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM, WEIR_ECLOSED,\n WEIR_EFULL, WEIR_EFORKED, WEIR_ENOTSUP (the system gave no thread)."]
    pub fn weir_run(
        operation: *mut weir_operation,
        options: *const weir_run_options,
        settle: weir_settle_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        call: *mut *mut weir_call,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Runs and waits for the settlement, at most `timeout_ms` (0 or more, or\n WEIR_FOREVER); when that passes the call is cancelled and WEIR_ETIMEDOUT\n returned. WEIR_OK means it settled: look into `outcome` (required; its size\n set, see WEIR_OUTCOME_INIT), and give it back with weir_outcome_release().\n Any thread but the runtime's own (WEIR_ETHREAD); with the manual driver\n another thread must be processing. Errors otherwise as weir_run()."]
    pub fn weir_run_wait(
        operation: *mut weir_operation,
        options: *const weir_run_options,
        timeout_ms: i64,
        outcome: *mut weir_outcome,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `call`. Any thread."]
    pub fn weir_call_ref(call: *mut weir_call) -> *mut weir_call;
    #[doc = " One reference less; the run goes on. Any thread."]
    pub fn weir_call_unref(call: *mut weir_call);
    #[doc = " Asks the run to stop: it settles as stopped with WEIR_ECANCELLED, attempts\n are told. WEIR_OK also if it is about to settle otherwise; WEIR_ESTALE if it\n has settled, WEIR_EFORKED. Never settles inside this function. Any thread."]
    pub fn weir_call_cancel(call: *mut weir_call) -> weir_status;
    #[doc = " Waits until the call has settled (with a settle function: until that has\n returned), at most `timeout_ms` (0 or more, or WEIR_FOREVER). Errors:\n WEIR_ETIMEDOUT (the run goes on), WEIR_ETHREAD on the runtime's thread,\n WEIR_EFORKED."]
    pub fn weir_call_wait(call: *mut weir_call, timeout_ms: i64) -> weir_status;
    #[doc = " The outcome, lent while a reference is held; NULL until settled. Any thread."]
    pub fn weir_call_outcome(call: *mut weir_call) -> *const weir_outcome;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_cache_options)."]
    pub fn weir_cache_options_init(options: *mut weir_cache_options, size: usize);
    #[doc = " Makes a cache; the caller owns one reference. `options` NULL: defaults.\n Errors: WEIR_EINVAL (a weight bound without weigh, refresh_ms above ttl_ms\n too), WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_cache_new(
        runtime: *mut weir_runtime,
        options: *const weir_cache_options,
        out: *mut *mut weir_cache,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `cache`. Any thread."]
    pub fn weir_cache_ref(cache: *mut weir_cache) -> *mut weir_cache;
    #[doc = " One reference less. Gets in flight keep it alive. Any thread."]
    pub fn weir_cache_unref(cache: *mut weir_cache);
    #[doc = " WEIR_OK and in `value` the entry's value (may be NULL if that was put) with a\n reference of the caller's own, or WEIR_ENOTFOUND and NULL. A remembered\n failure counts as absent."]
    pub fn weir_cache_lookup(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        value: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " As lookup, at a time of weir_runtime_now()'s clock."]
    pub fn weir_cache_lookup_at(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        now_ns: i64,
        value: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " Copies the bytes of a bytes value to `buffer` (at most `capacity`; nullable\n if that is 0) and stores in `size` (nullable) how many it has; to be compared\n with capacity. WEIR_OK, WEIR_ENOTFOUND, or WEIR_ENOTSUP if the value is of\n another kind."]
    pub fn weir_cache_lookup_copy(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        buffer: *mut ::core::ffi::c_void,
        capacity: usize,
        size: *mut usize,
    ) -> weir_status;
    #[doc = " As lookup_copy, at a time of weir_runtime_now()'s clock."]
    pub fn weir_cache_lookup_copy_at(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        now_ns: i64,
        buffer: *mut ::core::ffi::c_void,
        capacity: usize,
        size: *mut usize,
    ) -> weir_status;
    #[doc = " Writes an entry over what the key had; a reference of `value` (nullable) is\n added, the caller keeps its own. The plain form gives it the cache's\n lifetimes or what the expire function says; _for gives it `ttl_ms` (0 or\n more, or WEIR_FOREVER) instead of all these. Stores nothing and returns\n WEIR_OK, and the key is then absent, with a bound of 0 entries or a lifetime\n of 0. WEIR_EFULL: heavier than the bound; the key is then absent too, other\n entries stay. Errors otherwise: WEIR_ENOMEM (the key keeps what it had),\n WEIR_EFAILED (weigh refused; likewise), WEIR_ECLOSED (the runtime closes)."]
    pub fn weir_cache_put(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        value: *mut weir_value,
    ) -> weir_status;
    #[doc = " As put, at a time of weir_runtime_now()'s clock."]
    pub fn weir_cache_put_at(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        value: *mut weir_value,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " As put, with a lifetime of its own: `ttl_ms`, 0 or more, or WEIR_FOREVER."]
    pub fn weir_cache_put_for(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        value: *mut weir_value,
        ttl_ms: i64,
    ) -> weir_status;
    #[doc = " As put_for, at a time of weir_runtime_now()'s clock."]
    pub fn weir_cache_put_for_at(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        value: *mut weir_value,
        ttl_ms: i64,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " As put, unless the key has a value: then WEIR_EEXISTS, and in `existing`\n (nullable) that value with a reference of the caller's own. WEIR_EFULL takes\n no value away."]
    pub fn weir_cache_put_if_absent(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        value: *mut weir_value,
        existing: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " As put_if_absent, at a time of weir_runtime_now()'s clock."]
    pub fn weir_cache_put_if_absent_at(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        value: *mut weir_value,
        now_ns: i64,
        existing: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " Uses an entry without reading it: its idle time begins anew, and it has\n `ttl_ms` (0 or more, or WEIR_FOREVER) from now on. WEIR_OK, WEIR_ENOTFOUND or\n WEIR_ECLOSED. Asks no expire function, and is no hit in the stats."]
    pub fn weir_cache_touch(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        ttl_ms: i64,
    ) -> weir_status;
    #[doc = " As touch, at a time of weir_runtime_now()'s clock."]
    pub fn weir_cache_touch_at(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        ttl_ms: i64,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Removes an entry: once this has returned, no lookup and no get that begins\n later sees its value. WEIR_OK, or WEIR_ENOTFOUND: it had none. In both cases\n a remembered failure is forgotten, and a load in flight is not stored."]
    pub fn weir_cache_invalidate(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
    ) -> weir_status;
    #[doc = " Removes all entries; loads in flight are not stored. Takes as long as there\n are entries; other threads' lookups do not wait for it."]
    pub fn weir_cache_clear(cache: *mut weir_cache) -> weir_status;
    #[doc = " Goes on with a scan: up to `capacity` live entries, each `entry_size` (the\n caller's sizeof(weir_cache_entry)) bytes, into `entries`, and in `count` how\n many. `cursor` begins at 0 and is 0 again when the scan is over (also if\n count is not 0). Writers go on: an entry that is there all the time is\n returned exactly once, one that comes, goes or is written meanwhile at most\n once. Is no use of the entries. Errors: WEIR_EINVAL (a pointer NULL, capacity\n 0), WEIR_EABI, WEIR_ENOMEM (the cursor stays, and nothing is returned)."]
    pub fn weir_cache_scan(
        cache: *mut weir_cache,
        cursor: *mut u64,
        entries: *mut weir_cache_entry,
        entry_size: usize,
        capacity: usize,
        count: *mut usize,
    ) -> weir_status;
    #[doc = " Fills `stats`; from several shards one after the other. Errors: WEIR_EINVAL,\n WEIR_EABI. Any thread."]
    pub fn weir_cache_get_stats(
        cache: *mut weir_cache,
        stats: *mut weir_cache_stats,
    ) -> weir_status;
    #[doc = " Gets the value of a key, loading it with `loader` if it is absent. The rest\n is as weir_run(); for its options (deadline, queue, policy ...) see\n weir_cache_operation(). Any thread. Errors: as weir_run()."]
    pub fn weir_cache_get(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        loader: *mut weir_operation,
        settle: weir_settle_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        call: *mut *mut weir_call,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes the get an operation: the run's key is the key (none: WEIR_EINVAL is\n its outcome) and its input the loader's. The caller owns one reference.\n Errors: WEIR_EINVAL, WEIR_ENOMEM. Any thread."]
    pub fn weir_cache_operation(
        cache: *mut weir_cache,
        loader: *mut weir_operation,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Gets many keys at once: those that are absent and not being loaded are loaded\n in one run of `loader`, whose input is a list (weir/value.h) of them as bytes\n values, and which completes with a list of the same length: a value or an\n error for each; neither stands for WEIR_ENOTFOUND. If the loader fails as a\n whole, or gives anything else, each of these keys has that error. Settles\n with a list of `count` items, in the order of `keys`, when all are there;\n failed keys do not make it fail. `keys` and `key_sizes` (NULL with 0) are\n copied; a key may occur twice. The rest is as weir_cache_get()."]
    pub fn weir_cache_get_many(
        cache: *mut weir_cache,
        keys: *const *const ::core::ffi::c_void,
        key_sizes: *const usize,
        count: usize,
        loader: *mut weir_operation,
        settle: weir_settle_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        call: *mut *mut weir_call,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes the get of many keys an operation, for runs with a deadline, a queue, a\n policy ...: the run's input is the list of the keys (weir/value.h), each a\n bytes value of at most 2^24 - 1 bytes; any other input makes WEIR_EINVAL its\n outcome. The caller owns one reference. Errors: WEIR_EINVAL, WEIR_ENOMEM. Any\n thread."]
    pub fn weir_cache_operation_many(
        cache: *mut weir_cache,
        loader: *mut weir_operation,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_chaos_options)."]
    pub fn weir_chaos_options_init(options: *mut weir_chaos_options, size: usize);
    #[doc = " Makes a chaos; the caller owns one reference. `options` NULL: defaults, which\n inject nothing. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_chaos_new(
        runtime: *mut weir_runtime,
        options: *const weir_chaos_options,
        out: *mut *mut weir_chaos,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Switches it on (1), which begins the schedule at its beginning, or off (0).\n Runs that have drawn already keep what they drew. Errors: WEIR_EINVAL. Any\n thread."]
    pub fn weir_chaos_enable(chaos: *mut weir_chaos, enabled: u32) -> weir_status;
    #[doc = " Changes all options live but the name, which must be NULL here, and\n `enabled`, which is left to weir_chaos_enable(). The draws begin anew, the\n schedule goes on; runs that have drawn already keep what they drew. A bad set\n changes nothing. Errors: WEIR_EINVAL (`options` NULL too), WEIR_EABI,\n WEIR_ENOMEM, WEIR_EFORKED. Any thread."]
    pub fn weir_chaos_set_options(
        chaos: *mut weir_chaos,
        options: *const weir_chaos_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `chaos`. Any thread."]
    pub fn weir_chaos_ref(chaos: *mut weir_chaos) -> *mut weir_chaos;
    #[doc = " One reference less. Any thread."]
    pub fn weir_chaos_unref(chaos: *mut weir_chaos);
    #[doc = " The policy this is; borrowed."]
    pub fn weir_chaos_policy(chaos: *mut weir_chaos) -> *mut weir_policy;
    #[doc = " The chaos that `policy` is, borrowed; NULL if it is of another kind, and of\n NULL. Any thread."]
    pub fn weir_policy_chaos(policy: *mut weir_policy) -> *mut weir_chaos;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_chaos_get_stats(
        chaos: *mut weir_chaos,
        stats: *mut weir_chaos_stats,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's\n sizeof(weir_completions_options)."]
    pub fn weir_completions_options_init(options: *mut weir_completions_options, size: usize);
    #[doc = " Makes a queue; the caller owns one reference. Errors: WEIR_EINVAL, WEIR_EABI,\n WEIR_ENOMEM, WEIR_ENOTSUP (no descriptor to be had), WEIR_EFORKED. Any\n thread."]
    pub fn weir_completions_new(
        runtime: *mut weir_runtime,
        options: *const weir_completions_options,
        out: *mut *mut weir_completions,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `queue`. Any thread."]
    pub fn weir_completions_ref(queue: *mut weir_completions) -> *mut weir_completions;
    #[doc = " One reference less. At the last, undrained records are freed with what they\n carry; an undrained START fails as closed. Any thread."]
    pub fn weir_completions_unref(queue: *mut weir_completions);
    #[doc = " Moves up to `capacity` records, in the order posted, to `records`, each\n `record_size` (the caller's sizeof(weir_record)) bytes; returns how many. 0\n also for bad arguments. Any thread, one at a time or several."]
    pub fn weir_completions_drain(
        queue: *mut weir_completions,
        records: *mut weir_record,
        record_size: usize,
        capacity: usize,
    ) -> usize;
    #[doc = " As drain, but waits for the first record, at most `timeout_ms` (0 or more, or\n WEIR_FOREVER), and stores in `count` (required) how many it moved: at least 1\n with WEIR_OK, else 0. Any thread but the runtime's. Errors: WEIR_ETIMEDOUT;\n WEIR_ETHREAD on the runtime's thread, unless records are there already;\n WEIR_EINVAL, WEIR_EFORKED."]
    pub fn weir_completions_wait(
        queue: *mut weir_completions,
        records: *mut weir_record,
        record_size: usize,
        capacity: usize,
        timeout_ms: i64,
        count: *mut usize,
    ) -> weir_status;
    #[doc = " A descriptor that is readable while records wait; poll it, never read it. The\n queue's own: do not close it. -1 without `with_fd`. Any thread."]
    pub fn weir_completions_fd(queue: *mut weir_completions) -> ::core::ffi::c_int;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_debounce_options)."]
    pub fn weir_debounce_options_init(options: *mut weir_debounce_options, size: usize);
    #[doc = " Makes a debounce of `operation`, of which it takes a reference; the caller\n owns one reference. `options` NULL: defaults. Errors: WEIR_EINVAL (neither\n leading nor trailing, too), WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_debounce_new(
        runtime: *mut weir_runtime,
        operation: *mut weir_operation,
        options: *const weir_debounce_options,
        out: *mut *mut weir_debounce,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Changes wait_ms and max_wait_ms live: what is pending keeps the time it is\n due, the next call and the next run go by the new ones. leading, trailing,\n superseded and overlap must be as they are, policy and name NULL. A bad set\n changes nothing. Errors: WEIR_EINVAL (`options` NULL too), WEIR_EABI,\n WEIR_ENOMEM (off the runtime's thread), WEIR_EFORKED. Any thread; takes\n effect on the runtime's."]
    pub fn weir_debounce_set_options(
        debounce: *mut weir_debounce,
        options: *const weir_debounce_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `debounce`. Any thread."]
    pub fn weir_debounce_ref(debounce: *mut weir_debounce) -> *mut weir_debounce;
    #[doc = " One reference less; what is pending still runs. Any thread."]
    pub fn weir_debounce_unref(debounce: *mut weir_debounce);
    #[doc = " The operation this is; borrowed."]
    pub fn weir_debounce_operation(debounce: *mut weir_debounce) -> *mut weir_operation;
    #[doc = " Calls with `argument` (nullable, a reference is taken) and, if `key` is not\n NULL, for that key of `key_size` bytes (copied; at most 2^30). The rest is as\n weir_run(). Any thread. Errors: as weir_run()."]
    pub fn weir_debounce_call(
        debounce: *mut weir_debounce,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        argument: *mut weir_value,
        settle: weir_settle_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        call: *mut *mut weir_call,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Calls without asking for a settlement: the cheapest form, which allocates\n nothing while something is pending already. `argument` is nullable, a\n reference is taken. The runtime's thread (WEIR_ETHREAD elsewhere); as long as\n an attached loop has not run, the thread that will run it. Errors:\n WEIR_EINVAL, WEIR_ENOMEM, WEIR_ECLOSED."]
    pub fn weir_debounce_touch(
        debounce: *mut weir_debounce,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        argument: *mut weir_value,
    ) -> weir_status;
    #[doc = " As touch, at a time of weir_runtime_now()'s clock."]
    pub fn weir_debounce_touch_at(
        debounce: *mut weir_debounce,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        argument: *mut weir_value,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Forgets what is pending (its calls settle as stopped, WEIR_ECANCELLED), tells\n the running operation, and begins afresh: the next call leads. `key` NULL:\n the calls without a key. A key that is idle: does nothing. Any thread; takes\n effect on the runtime's. Errors: WEIR_EINVAL, WEIR_ENOMEM (off that thread)."]
    pub fn weir_debounce_cancel(
        debounce: *mut weir_debounce,
        key: *const ::core::ffi::c_void,
        key_size: usize,
    ) -> weir_status;
    #[doc = " Runs now what is pending; otherwise does nothing. What waits for the end of\n the run before it (WEIR_OVERLAP_QUEUE) goes on waiting. As cancel."]
    pub fn weir_debounce_flush(
        debounce: *mut weir_debounce,
        key: *const ::core::ffi::c_void,
        key_size: usize,
    ) -> weir_status;
    #[doc = " Calls of all keys for which no run has begun; those that the coming run\n stands for count though they were superseded or left. Any thread."]
    pub fn weir_debounce_pending(debounce: *mut weir_debounce) -> u64;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_debounce_get_stats(
        debounce: *mut weir_debounce,
        stats: *mut weir_pacing_stats,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_fallback_options)."]
    pub fn weir_fallback_options_init(options: *mut weir_fallback_options, size: usize);
    #[doc = " Makes a fallback policy; the caller owns one reference. Errors: WEIR_EINVAL\n (options NULL too: a value or an operation is required), WEIR_EABI,\n WEIR_ENOMEM. Any thread."]
    pub fn weir_fallback_new(
        runtime: *mut weir_runtime,
        options: *const weir_fallback_options,
        out: *mut *mut weir_fallback,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Changes all options live but the name, which must be NULL here. A run that\n has entered the policy keeps what it entered with; a new operation must not\n run others deeper than the first one did. What a replaced set held is given\n back once, on the runtime's thread, when the last run that goes by it is\n over. A bad set changes nothing. Errors: WEIR_EINVAL (`options` NULL too),\n WEIR_EABI, WEIR_ENOMEM, WEIR_EFORKED. Any thread."]
    pub fn weir_fallback_set_options(
        fallback: *mut weir_fallback,
        options: *const weir_fallback_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `fallback`. Any thread."]
    pub fn weir_fallback_ref(fallback: *mut weir_fallback) -> *mut weir_fallback;
    #[doc = " One reference less. Any thread."]
    pub fn weir_fallback_unref(fallback: *mut weir_fallback);
    #[doc = " The policy this is; borrowed."]
    pub fn weir_fallback_policy(fallback: *mut weir_fallback) -> *mut weir_policy;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_fallback_get_stats(
        fallback: *mut weir_fallback,
        stats: *mut weir_fallback_stats,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_flight_options)."]
    pub fn weir_flight_options_init(options: *mut weir_flight_options, size: usize);
    #[doc = " Makes a group of keys; the caller owns one reference. `options` NULL:\n defaults. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_flight_new(
        runtime: *mut weir_runtime,
        options: *const weir_flight_options,
        out: *mut *mut weir_flight,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `flight`. Any thread."]
    pub fn weir_flight_ref(flight: *mut weir_flight) -> *mut weir_flight;
    #[doc = " One reference less. Runs in flight keep it alive. Any thread."]
    pub fn weir_flight_unref(flight: *mut weir_flight);
    #[doc = " Runs `operation`, or waits for the run of this key (of `key_size` bytes,\n copied; NULL with 0: the empty key) that is going on. `input` is nullable, a\n reference is taken. The rest is as weir_run(). Any thread. Errors: as\n weir_run()."]
    pub fn weir_flight_run(
        flight: *mut weir_flight,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        operation: *mut weir_operation,
        input: *mut weir_value,
        settle: weir_settle_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        call: *mut *mut weir_call,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes it an operation: the run's key is the key (none: the empty key), its\n input the operation's. The caller owns one reference. Errors: WEIR_EINVAL,\n WEIR_ENOMEM. Any thread."]
    pub fn weir_flight_operation(
        flight: *mut weir_flight,
        operation: *mut weir_operation,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " The next run with this key begins anew; one that is going on stays with\n those who wait for it. Any thread; takes effect on the runtime's, before runs\n begun after it by this thread. Errors: WEIR_EINVAL, WEIR_ENOMEM."]
    pub fn weir_flight_forget(
        flight: *mut weir_flight,
        key: *const ::core::ffi::c_void,
        key_size: usize,
    ) -> weir_status;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_flight_get_stats(
        flight: *mut weir_flight,
        stats: *mut weir_flight_stats,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_hedge_options)."]
    pub fn weir_hedge_options_init(options: *mut weir_hedge_options, size: usize);
    #[doc = " Makes a hedge policy; the caller owns one reference. Errors: WEIR_EINVAL\n (options NULL too: delay_ms or quantile is required), WEIR_EABI, WEIR_ENOMEM.\n Any thread."]
    pub fn weir_hedge_new(
        runtime: *mut weir_runtime,
        options: *const weir_hedge_options,
        out: *mut *mut weir_hedge,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Changes all options live but the name, which must be NULL here. A run that\n has entered the policy keeps what it entered with; measured latencies are\n kept. What a replaced set held is given back once, on the runtime's thread,\n when the last run that goes by it is over. A bad set changes nothing. Errors:\n WEIR_EINVAL (`options` NULL too), WEIR_EABI, WEIR_ENOMEM, WEIR_EFORKED. Any\n thread."]
    pub fn weir_hedge_set_options(
        hedge: *mut weir_hedge,
        options: *const weir_hedge_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `hedge`. Any thread."]
    pub fn weir_hedge_ref(hedge: *mut weir_hedge) -> *mut weir_hedge;
    #[doc = " One reference less. Any thread."]
    pub fn weir_hedge_unref(hedge: *mut weir_hedge);
    #[doc = " The policy this is; borrowed."]
    pub fn weir_hedge_policy(hedge: *mut weir_hedge) -> *mut weir_policy;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_hedge_get_stats(
        hedge: *mut weir_hedge,
        stats: *mut weir_hedge_stats,
    ) -> weir_status;
    #[doc = " Hands `message` to the runtime's hook, and to its flight recorder, if its\n level lets `level` pass.\n `subject` names the part that speaks; NULL means the runtime's name. Any\n thread."]
    pub fn weir_log(
        runtime: *mut weir_runtime,
        level: i32,
        subject: *const ::core::ffi::c_char,
        message: *const ::core::ffi::c_char,
    );
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_memoize_options)."]
    pub fn weir_memoize_options_init(options: *mut weir_memoize_options, size: usize);
    #[doc = " Makes a memoized form of `operation`, of which it takes a reference; the\n caller owns one reference. `options` NULL: defaults. Errors: WEIR_EINVAL,\n WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_memoize_new(
        runtime: *mut weir_runtime,
        operation: *mut weir_operation,
        options: *const weir_memoize_options,
        out: *mut *mut weir_memoize,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `memoize`. Any thread."]
    pub fn weir_memoize_ref(memoize: *mut weir_memoize) -> *mut weir_memoize;
    #[doc = " One reference less. Runs in flight keep it alive. Any thread."]
    pub fn weir_memoize_unref(memoize: *mut weir_memoize);
    #[doc = " The operation this is; borrowed. A run's input is the operation's."]
    pub fn weir_memoize_operation(memoize: *mut weir_memoize) -> *mut weir_operation;
    #[doc = " Runs with `input` (nullable, a reference is taken). The rest is as\n weir_run(). Any thread. Errors: as weir_run()."]
    pub fn weir_memoize_call(
        memoize: *mut weir_memoize,
        input: *mut weir_value,
        settle: weir_settle_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        call: *mut *mut weir_call,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " The cache behind it, for looking up, invalidating, clearing, scanning and\n stats; borrowed. Its keys are the inputs' bytes, or what `key` wrote."]
    pub fn weir_memoize_cache(memoize: *mut weir_memoize) -> *mut weir_cache;
    #[doc = " Writes the whole text into `buffer`, at most `size` bytes, terminated;\n `needed` (nullable) becomes the size that it takes, terminator included,\n which may have grown at the next call. `buffer` NULL with `size` 0 only asks.\n Serve it as \"application/openmetrics-text; version=1.0.0; charset=utf-8\".\n Handles are made and ended by other threads only before or after: it holds\n the lock that this takes. Allocates nothing. Any thread. Errors: WEIR_EINVAL,\n WEIR_EFULL (cut off: what is there is no legal text), WEIR_EFORKED."]
    pub fn weir_runtime_metrics(
        runtime: *mut weir_runtime,
        buffer: *mut ::core::ffi::c_char,
        size: usize,
        needed: *mut usize,
    ) -> weir_status;
    #[doc = " The same in the text format 0.0.4 that came before OpenMetrics, for what\n reads only that (\"promtool check metrics\" does, and whoever asks for\n \"text/plain; version=0.0.4\")."]
    pub fn weir_runtime_metrics_text(
        runtime: *mut weir_runtime,
        buffer: *mut ::core::ffi::c_char,
        size: usize,
        needed: *mut usize,
    ) -> weir_status;
    #[doc = " On all samples."]
    pub fn weir_runtime_set_label(
        runtime: *mut weir_runtime,
        key: *const ::core::ffi::c_char,
        value: *const ::core::ffi::c_char,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " On a policy's (all kinds; weir_breaker_policy() and its like)."]
    pub fn weir_policy_set_label(
        policy: *mut weir_policy,
        key: *const ::core::ffi::c_char,
        value: *const ::core::ffi::c_char,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " On an operation's: its latency, and the numbers of what it belongs to\n (weir_debounce_operation() and its like). Without the runtime's option\n `metrics` a plain operation has no sample."]
    pub fn weir_operation_set_label(
        operation: *mut weir_operation,
        key: *const ::core::ffi::c_char,
        value: *const ::core::ffi::c_char,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " On a cache's."]
    pub fn weir_cache_set_label(
        cache: *mut weir_cache,
        key: *const ::core::ffi::c_char,
        value: *const ::core::ffi::c_char,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " On a budget's."]
    pub fn weir_budget_set_label(
        budget: *mut weir_budget,
        key: *const ::core::ffi::c_char,
        value: *const ::core::ffi::c_char,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_parallel_options)."]
    pub fn weir_parallel_options_init(options: *mut weir_parallel_options, size: usize);
    #[doc = " Makes an operation that runs `count` `operations` (0: an empty success), each\n with the run's input; it takes a reference of each. `options` must have\n neither source nor pull. The caller owns one reference. Errors: WEIR_EINVAL\n (options NULL too: concurrency is required; an operation that is NULL, of\n another runtime, or nests others 64 levels deep; a policy of another runtime,\n or one that must not stand around the operation: weir_pipeline_new()),\n WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_parallel_new(
        runtime: *mut weir_runtime,
        operations: *const *mut weir_operation,
        count: usize,
        options: *const weir_parallel_options,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes an operation that runs `operation` (a reference is taken) once for each\n item, which is its input. The items are `items` (a list, a reference is\n taken; nullable), or come from the options' pull or source (at most one of\n the three), or without these are the run's input, which must be a list then\n (WEIR_EINVAL is the outcome otherwise). An item of a list that is an error\n counts as settled with it. The caller owns one reference. Errors: as above.\n Any thread."]
    pub fn weir_parallel_new_each(
        operation: *mut weir_operation,
        items: *mut weir_value,
        options: *const weir_parallel_options,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes a pipeline of `count` (1 to WEIR_PIPELINE_MAX, nested ones counted with\n what they hold) policies, of each of which it takes a reference; the caller\n owns one reference of the pipeline. `name` is copied, nullable. What cannot\n work is refused with a message, also within a nested pipeline: a NULL;\n policies of another runtime; the same breaker or limiter twice (each call\n would count twice, and a limiter could wait for its own caller); two breakers\n or two limiters of one name that is not empty (nobody could tell which of\n them refused). The same retry twice multiplies its attempts. Errors:\n WEIR_EINVAL, WEIR_ENOMEM. Any thread."]
    pub fn weir_pipeline_new(
        runtime: *mut weir_runtime,
        policies: *const *mut weir_policy,
        count: usize,
        name: *const ::core::ffi::c_char,
        out: *mut *mut weir_pipeline,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `pipeline`. Any thread."]
    pub fn weir_pipeline_ref(pipeline: *mut weir_pipeline) -> *mut weir_pipeline;
    #[doc = " One reference less. Any thread."]
    pub fn weir_pipeline_unref(pipeline: *mut weir_pipeline);
    #[doc = " The policy this is; borrowed."]
    pub fn weir_pipeline_policy(pipeline: *mut weir_pipeline) -> *mut weir_policy;
    #[doc = " The pipeline that `policy` is, borrowed; NULL if it is of another kind, and\n of NULL. Any thread."]
    pub fn weir_policy_pipeline(policy: *mut weir_policy) -> *mut weir_pipeline;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_poll_options)."]
    pub fn weir_poll_options_init(options: *mut weir_poll_options, size: usize);
    #[doc = " Makes an operation that polls `operation`, of which it takes a reference; the\n caller owns one reference of it. Errors: WEIR_EINVAL (options NULL too:\n interval_ms is required), WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_poll_new(
        operation: *mut weir_operation,
        options: *const weir_poll_options,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_pool_options)."]
    pub fn weir_pool_options_init(options: *mut weir_pool_options, size: usize);
    #[doc = " Makes a pool; the caller owns one reference. Errors: WEIR_EINVAL (options\n NULL too: concurrency is required), WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_pool_new(
        runtime: *mut weir_runtime,
        options: *const weir_pool_options,
        out: *mut *mut weir_pool,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `pool`. Any thread."]
    pub fn weir_pool_ref(pool: *mut weir_pool) -> *mut weir_pool;
    #[doc = " One reference less; its run goes on. Any thread."]
    pub fn weir_pool_unref(pool: *mut weir_pool);
    #[doc = " The operation this is; borrowed. Its second run settles with WEIR_ESTALE. In\n the depth of operations that run others a pool counts for 32."]
    pub fn weir_pool_operation(pool: *mut weir_pool) -> *mut weir_operation;
    #[doc = " Adds an item: `operation` with `input` (nullable); a reference of both is\n taken. Errors: WEIR_ECLOSED (the pool is sealed or over, or the runtime\n closed), WEIR_EINVAL (an operation that is NULL, of another runtime, nests\n others more than 31 levels deep, or must not have the pool's policy around\n it), WEIR_ENOMEM, WEIR_EFORKED. Any thread."]
    pub fn weir_pool_add(
        pool: *mut weir_pool,
        operation: *mut weir_operation,
        input: *mut weir_value,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " No more is added. WEIR_OK also if it was sealed before; WEIR_EINVAL,\n WEIR_EFORKED. Any thread."]
    pub fn weir_pool_seal(pool: *mut weir_pool) -> weir_status;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_EFORKED. Any thread."]
    pub fn weir_pool_get_stats(pool: *mut weir_pool, stats: *mut weir_pool_stats) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_race_options)."]
    pub fn weir_race_options_init(options: *mut weir_race_options, size: usize);
    #[doc = " Makes an operation that races `count` (at least 1) `operations`; it takes a\n reference of each. `options` NULL: defaults. The caller owns one reference.\n Errors: WEIR_EINVAL (one that is NULL, of another runtime, or nests others\n 64 levels deep; a flag that is neither 0 nor 1; decisive beside\n first_settled), WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_race_new(
        runtime: *mut weir_runtime,
        operations: *const *mut weir_operation,
        count: usize,
        options: *const weir_race_options,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Writes what is kept as text, oldest first, one line each, after a line that\n says how many there were in all:\n\n   42 decisions, the last 2 of them:\n   1.250000000 breaker 'api': closed -> open, by failures (5 of 5 calls)\n   1.250000000 breaker 'api': refused: circuit breaker 'api' is open: ...\n\n `buffer` gets at most `size` bytes, always terminated; `needed` (nullable)\n what the whole text takes, its terminator included. The text is for people:\n its form is no promise. Decisions may go on meanwhile; what they overwrite is\n left out. `buffer` NULL with `size` 0 only asks for `needed`. Any thread.\n Errors: WEIR_EINVAL, WEIR_EFULL (cut off), WEIR_ENOTSUP (recorder_entries is\n 0), WEIR_EFORKED."]
    pub fn weir_recorder_dump(
        runtime: *mut weir_runtime,
        buffer: *mut ::core::ffi::c_char,
        size: usize,
        needed: *mut usize,
    ) -> weir_status;
    #[doc = " Copies up to `capacity` entries, oldest first, each `entry_size` (the\n caller's sizeof(weir_recorded)) bytes, into `entries`, and in `count` how\n many: 0 if there is nothing new. `cursor` is where to go on: 0 at first, for\n all that is kept. What was overwritten before it was read is left out, which\n shows as a gap in the numbers. Several readers may each have a cursor of\n their own. Any thread. Errors: WEIR_EINVAL (a pointer NULL, capacity 0),\n WEIR_EABI, WEIR_ENOTSUP (recorder_entries is 0), WEIR_EFORKED."]
    pub fn weir_recorder_read(
        runtime: *mut weir_runtime,
        cursor: *mut u64,
        entries: *mut weir_recorded,
        entry_size: usize,
        capacity: usize,
        count: *mut usize,
    ) -> weir_status;
    #[doc = " From now on an entry that is added posts a RECORDED record with `user` to\n `queue` (a reference is held until the runtime has closed), unless one waits\n there already: who drains it and then reads until `count` is 0 misses none.\n Another queue takes the place of the last; NULL: no more records. Errors:\n WEIR_EINVAL (runtime NULL, or a queue of another one), WEIR_ECLOSED,\n WEIR_ENOTSUP (recorder_entries is 0), WEIR_EFORKED. Any thread."]
    pub fn weir_recorder_notify(
        runtime: *mut weir_runtime,
        queue: *mut weir_completions,
        user: u64,
    ) -> weir_status;
    #[doc = " Registers `policy` with its runtime under its own name (of its options),\n which must be 1 to WEIR_REGISTRY_NAME_MAX letters, digits and _ . : / -\n (ASCII). Names are unique among policies of all kinds. The registry takes a\n reference. Errors: WEIR_EINVAL (NULL, a name that is empty, too long or has\n other characters), WEIR_EEXISTS (the name is taken, also by `policy` itself),\n WEIR_ECLOSED, WEIR_ENOMEM, WEIR_EFORKED."]
    pub fn weir_policy_register(
        policy: *mut weir_policy,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Stores in `policy` what is registered under `name`; the caller owns one\n reference (weir_policy_unref()). NULL is stored on failure. Errors:\n WEIR_EINVAL (runtime, name or policy NULL, or a name that could not be\n registered), WEIR_ENOTFOUND, WEIR_ECLOSED (the runtime is closing),\n WEIR_EFORKED."]
    pub fn weir_policy_find(
        runtime: *mut weir_runtime,
        name: *const ::core::ffi::c_char,
        policy: *mut *mut weir_policy,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Takes `policy` out again and gives the registry's reference back; who found\n it keeps what he has, and the name is free. Errors: WEIR_EINVAL,\n WEIR_ENOTFOUND (it is not in it, or the runtime has closed), WEIR_EFORKED."]
    pub fn weir_policy_unregister(policy: *mut weir_policy) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_retry_options)."]
    pub fn weir_retry_options_init(options: *mut weir_retry_options, size: usize);
    #[doc = " Makes a retry policy; the caller owns one reference. `options` NULL:\n defaults. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_retry_new(
        runtime: *mut weir_runtime,
        options: *const weir_retry_options,
        out: *mut *mut weir_retry,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Changes all options live but the name, which must be NULL here. A run that\n has entered the policy goes on by what it entered with; the decide door\n changes with its next call. What a replaced set held (callbacks' data, the\n budget) is given back once, on the runtime's thread, when the last run that\n goes by it is over. A bad set changes nothing. Errors: WEIR_EINVAL (`options`\n NULL too), WEIR_EABI, WEIR_ENOMEM, WEIR_EFORKED. Any thread."]
    pub fn weir_retry_set_options(
        retry: *mut weir_retry,
        options: *const weir_retry_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `retry`. Any thread."]
    pub fn weir_retry_ref(retry: *mut weir_retry) -> *mut weir_retry;
    #[doc = " One reference less. Any thread."]
    pub fn weir_retry_unref(retry: *mut weir_retry);
    #[doc = " The policy this is; borrowed."]
    pub fn weir_retry_policy(retry: *mut weir_retry) -> *mut weir_policy;
    #[doc = " The retry that `policy` is, borrowed; NULL if it is of another kind, and of\n NULL. Any thread."]
    pub fn weir_policy_retry(policy: *mut weir_policy) -> *mut weir_retry;
    #[doc = " Starts: the first try begins now; deposits in the budget. Errors:\n WEIR_EINVAL. Any thread, allocates nothing."]
    pub fn weir_retry_begin(retry: *mut weir_retry, state: *mut weir_retry_state) -> weir_status;
    #[doc = " As begin, at a time of weir_runtime_now()'s clock."]
    pub fn weir_retry_begin_at(
        retry: *mut weir_retry,
        state: *mut weir_retry_state,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " A try ended as `class_` (WEIR_CLASS_SUCCESS to WEIR_CLASS_ABANDON; none is an\n error: there is no outcome to judge); the peer asked for `asked_delay_ms`\n (negative if not). WEIR_OK: try again after `delay_ns`. WEIR_ESTOP: do not,\n `stop_reason` (nullable, WEIR_STOP_*) says why; also after a success, with\n WEIR_STOP_NONE. Once stopped, asking again says the same. A withdrawn retry\n that is then not started is given back with weir_budget_refund(). What needs\n an outcome or a timer is the host's own: classify, failures, should_retry,\n on_retry, attempt_timeout_ms. Reads the clock only for max_elapsed_ms and a\n budget. Errors: WEIR_EINVAL (also a state that was never begun)."]
    pub fn weir_retry_next(
        retry: *mut weir_retry,
        state: *mut weir_retry_state,
        class_: u32,
        asked_delay_ms: i64,
        delay_ns: *mut i64,
        stop_reason: *mut u32,
    ) -> weir_status;
    #[doc = " As next, at a time of weir_runtime_now()'s clock."]
    pub fn weir_retry_next_at(
        retry: *mut weir_retry,
        state: *mut weir_retry_state,
        class_: u32,
        asked_delay_ms: i64,
        delay_ns: *mut i64,
        stop_reason: *mut u32,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_retry_get_stats(
        retry: *mut weir_retry,
        stats: *mut weir_retry_stats,
    ) -> weir_status;
    #[doc = " Writes the defaults into `options`; `size` is the caller's\n sizeof(weir_runtime_options)."]
    pub fn weir_runtime_options_init(options: *mut weir_runtime_options, size: usize);
    #[doc = " Makes a runtime; the caller owns one reference. `options` NULL: all defaults.\n With WEIR_DRIVER_UV call it on the loop's thread, or before that thread runs\n the loop. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM, WEIR_ENOTSUP (the\n system gave no descriptor or thread). `error` nullable."]
    pub fn weir_runtime_new(
        options: *const weir_runtime_options,
        out: *mut *mut weir_runtime,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `runtime`. Any thread."]
    pub fn weir_runtime_ref(runtime: *mut weir_runtime) -> *mut weir_runtime;
    #[doc = " One reference less; the last begins closing (above). Never waits. Any thread;\n the last of a manual runtime on the thread that processes it."]
    pub fn weir_runtime_unref(runtime: *mut weir_runtime);
    #[doc = " Begins closing; further calls do nothing. Any thread. Errors: WEIR_EINVAL,\n WEIR_EFORKED."]
    pub fn weir_runtime_close(runtime: *mut weir_runtime) -> weir_status;
    #[doc = " Begins closing and waits until everything has settled and orphans have ended\n or their grace is over; with the thread driver also until the thread is gone,\n which is what has to be true before dlclose(). With the host driver another\n thread goes on processing. At most `timeout_ms` (0 or more, or WEIR_FOREVER).\n Errors: WEIR_ETIMEDOUT; WEIR_ETHREAD on the runtime's own thread;\n WEIR_ENOTSUP with the manual driver (process() it instead) or an attached\n loop. Does not unref."]
    pub fn weir_runtime_close_wait(runtime: *mut weir_runtime, timeout_ms: i64) -> weir_status;
    #[doc = " WEIR_OK while open, WEIR_ECLOSED from the beginning of closing. Any thread."]
    pub fn weir_runtime_state(runtime: *const weir_runtime) -> weir_status;
    #[doc = " Keeps an attached loop alive while nothing is in flight, so that other\n threads can submit. Counted: n holds need n releases. Loop's thread only\n (WEIR_ETHREAD), other drivers: no effect."]
    pub fn weir_runtime_hold(runtime: *mut weir_runtime) -> weir_status;
    #[doc = " Undoes one hold. Errors: WEIR_EINVAL if there is none, WEIR_ETHREAD."]
    pub fn weir_runtime_release(runtime: *mut weir_runtime) -> weir_status;
    #[doc = " The runtime's monotonic time in nanoseconds: CLOCK_MONOTONIC, or what the\n manual clock was last given. Any thread. 0 of NULL."]
    pub fn weir_runtime_now(runtime: *const weir_runtime) -> i64;
    #[doc = " Manual driver: sets the clock to `now_ns` (not backwards: an earlier time\n counts as the current one) and does what is due, at most about 1024 steps.\n Returns the number of steps taken; call again while\n weir_runtime_next_deadline() is not later than `now_ns`. One thread at a\n time, never from inside a callback (returns 0): the runtime's thread is the\n one that called last, and another takes over only while that one makes no\n call of weir. INT64_MAX counts as the moment before. Host driver: does what\n is due by the system's clock, whatever `now_ns` is; any thread, one at a time\n (see above). Other drivers: returns 0."]
    pub fn weir_runtime_process(runtime: *mut weir_runtime, now_ns: i64) -> u64;
    #[doc = " Manual and host driver: when process() must be called next: the current time\n if there is work now, INT64_MAX if nothing waits for time. May be earlier\n than the first timer, never later. Same thread as process()."]
    pub fn weir_runtime_next_deadline(runtime: *mut weir_runtime) -> i64;
    #[doc = " Gives pooled memory back to the allocator. Any thread; carried out on the\n runtime's thread (at once when called there). Errors: WEIR_EINVAL."]
    pub fn weir_runtime_trim(runtime: *mut weir_runtime) -> weir_status;
    #[doc = " Fills `stats`. The runtime's thread sees exact numbers, others a recent view.\n Errors: WEIR_EINVAL, WEIR_EABI."]
    pub fn weir_runtime_get_stats(
        runtime: *const weir_runtime,
        stats: *mut weir_runtime_stats,
    ) -> weir_status;
    #[doc = " Writes at most `capacity` entries of `entry_size` (the caller's\n sizeof(weir_audit_entry)) bytes and in `count` how many there are in all. The\n runtime's thread; from elsewhere WEIR_ETHREAD. Errors: WEIR_EINVAL,\n WEIR_EABI."]
    pub fn weir_runtime_audit(
        runtime: *mut weir_runtime,
        entries: *mut weir_audit_entry,
        entry_size: usize,
        capacity: usize,
        count: *mut usize,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_scope_options)."]
    pub fn weir_scope_options_init(options: *mut weir_scope_options, size: usize);
    #[doc = " Makes a scope; the caller owns one reference, with the last of which it ends\n unless it has. `options` NULL: defaults. Errors: WEIR_EINVAL (a parent of\n another runtime, scopes nested deeper than 64), WEIR_EABI, WEIR_ENOMEM,\n WEIR_ECLOSED (the parent ends or was cancelled), WEIR_EFORKED. Any thread."]
    pub fn weir_scope_new(
        runtime: *mut weir_runtime,
        options: *const weir_scope_options,
        out: *mut *mut weir_scope,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `scope`. Any thread."]
    pub fn weir_scope_ref(scope: *mut weir_scope) -> *mut weir_scope;
    #[doc = " One reference less; the last begins the end. Never waits. Any thread."]
    pub fn weir_scope_unref(scope: *mut weir_scope);
    #[doc = " Cancels every call in it and in the scopes inside it (WEIR_ECANCELLED,\n WEIR_CANCEL_CALLER) and refuses new ones from here on. It does not end the\n scope: resources stay open until that. Any thread; carried out on the\n runtime's. Errors: WEIR_EINVAL, WEIR_EFORKED."]
    pub fn weir_scope_cancel(scope: *mut weir_scope) -> weir_status;
    #[doc = " Makes an operation whose run ends the scope and settles when it has ended:\n without a value, or, if closing operations failed, with the error of the\n first that did. It may be run any number of times; a run that is stopped does\n not stop the end. It must not run inside the scope itself, nor in what closes\n its resources (WEIR_EINVAL). The caller owns one reference. Errors:\n WEIR_EINVAL, WEIR_ENOMEM. Any thread."]
    pub fn weir_scope_join(
        scope: *mut weir_scope,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes an operation that runs `body` in a fresh scope: inside the run's own,\n if there is one. When the body has settled, the scope ends, and then this\n settles with the body's outcome; only if the body succeeded and a closing\n operation failed, with that error. At the deadline the body is stopped and\n the outcome is WEIR_ETIMEDOUT. Stopped from outside, it settles at once, as\n every run; the scope is cancelled, and ends by itself. Where the run belongs\n to no scope but sees the values of one (a cache's load, what closes a\n resource), the fresh one sees them too, and is inside of none. Settles as\n WEIR_EINVAL if scopes nest deeper than 64 then. `options` NULL: defaults. The\n caller owns one reference. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any\n thread."]
    pub fn weir_scope_operation(
        body: *mut weir_operation,
        options: *const weir_scope_options,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Makes an operation that opens a resource in the scope of its run: it runs\n `open`, and if that succeeds, `close` runs at the scope's end, with open's\n value as its input. The value is this operation's, too, and is set in the\n scope as `key` (nullable: it is not). All that closing needs is reserved\n before `open` starts; a resource that is open counts as a call in flight.\n Settles as WEIR_EINVAL outside of a scope, as WEIR_EFULL where no call more\n may be in flight. Several: put them into weir_waterfall_new(), the work\n behind them. The caller owns one reference. Errors: WEIR_EINVAL, WEIR_ENOMEM.\n Any thread."]
    pub fn weir_scope_resource(
        open: *mut weir_operation,
        close: *mut weir_operation,
        key: *const ::core::ffi::c_char,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Sets a number."]
    pub fn weir_scope_set_int64(
        scope: *mut weir_scope,
        key: *const ::core::ffi::c_char,
        number: i64,
    ) -> weir_status;
    #[doc = " Sets a copy of `size` bytes (0 is legal)."]
    pub fn weir_scope_set_bytes(
        scope: *mut weir_scope,
        key: *const ::core::ffi::c_char,
        bytes: *const ::core::ffi::c_void,
        size: usize,
    ) -> weir_status;
    #[doc = " Sets a value (not NULL); a reference is taken."]
    pub fn weir_scope_set_value(
        scope: *mut weir_scope,
        key: *const ::core::ffi::c_char,
        value: *mut weir_value,
    ) -> weir_status;
    #[doc = " Gets a number."]
    pub fn weir_scope_get_int64(
        scope: *mut weir_scope,
        key: *const ::core::ffi::c_char,
        number: *mut i64,
    ) -> weir_status;
    #[doc = " Copies at most `capacity` bytes to `buffer`, and stores in `size` (required)\n how many there are."]
    pub fn weir_scope_get_bytes(
        scope: *mut weir_scope,
        key: *const ::core::ffi::c_char,
        buffer: *mut ::core::ffi::c_void,
        capacity: usize,
        size: *mut usize,
    ) -> weir_status;
    #[doc = " Gets a value, or bytes as one; the caller owns the reference."]
    pub fn weir_scope_get_value(
        scope: *mut weir_scope,
        key: *const ::core::ffi::c_char,
        value: *mut *mut weir_value,
    ) -> weir_status;
    #[doc = " The scope of the run whose start function, decider or listener is running on\n this thread, which is the runtime's; borrowed until that returns. NULL: it\n runs in none, or the thread is another."]
    pub fn weir_scope_current(runtime: *mut weir_runtime) -> *mut weir_scope;
    #[doc = " Logs with the scope's path as the subject, at WEIR_LOG_* `level`; what weir\n itself logs on behalf of a run in a scope has it, too. Any thread."]
    pub fn weir_scope_log(scope: *mut weir_scope, level: i32, message: *const ::core::ffi::c_char);
    #[doc = " Fills `stats`; a recent view. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_scope_get_stats(
        scope: *mut weir_scope,
        stats: *mut weir_scope_stats,
    ) -> weir_status;
    #[doc = " Makes an operation that settles `sleep_ms` (0 or more, or WEIR_FOREVER) after\n it was started: with `value` (nullable) if `status` is WEIR_OK, otherwise\n with `error_result` (nullable) or, if that is NULL, with a bare error; the\n outcome's status is `status` either way. A reference of value and error is\n taken. The caller owns one reference. Errors: WEIR_EINVAL (sleep_ms below -1,\n a status that is none, value beside a failure, error_result beside WEIR_OK),\n WEIR_ENOMEM. Any thread."]
    pub fn weir_sleep_new(
        runtime: *mut weir_runtime,
        sleep_ms: i64,
        status: weir_status,
        value: *mut weir_value,
        error_result: *mut weir_error,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_throttle_options)."]
    pub fn weir_throttle_options_init(options: *mut weir_throttle_options, size: usize);
    #[doc = " Makes a throttle of `operation`, of which it takes a reference; the caller\n owns one reference. `options` NULL: defaults. Errors: WEIR_EINVAL (neither\n leading nor trailing, too), WEIR_EABI, WEIR_ENOMEM. Any thread."]
    pub fn weir_throttle_new(
        runtime: *mut weir_runtime,
        operation: *mut weir_operation,
        options: *const weir_throttle_options,
        out: *mut *mut weir_throttle,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Changes interval_ms live: what is pending keeps the time it is due, the\n next call and the next run go by the new ones. leading, trailing, superseded\n and overlap must be as they are, policy and name NULL. A bad set changes\n nothing. Errors: WEIR_EINVAL (`options` NULL too), WEIR_EABI, WEIR_ENOMEM\n (off the runtime's thread), WEIR_EFORKED. Any thread; takes effect on the\n runtime's."]
    pub fn weir_throttle_set_options(
        throttle: *mut weir_throttle,
        options: *const weir_throttle_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `throttle`. Any thread."]
    pub fn weir_throttle_ref(throttle: *mut weir_throttle) -> *mut weir_throttle;
    #[doc = " One reference less; what is pending still runs. Any thread."]
    pub fn weir_throttle_unref(throttle: *mut weir_throttle);
    #[doc = " The operation this is; borrowed."]
    pub fn weir_throttle_operation(throttle: *mut weir_throttle) -> *mut weir_operation;
    #[doc = " Calls with `argument` (nullable, a reference is taken) and, if `key` is not\n NULL, for that key of `key_size` bytes (copied; at most 2^30). The rest is as\n weir_run(). Any thread. Errors: as weir_run()."]
    pub fn weir_throttle_call(
        throttle: *mut weir_throttle,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        argument: *mut weir_value,
        settle: weir_settle_fn,
        data: *mut ::core::ffi::c_void,
        free_data: weir_free_fn,
        call: *mut *mut weir_call,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Calls without asking for a settlement: the cheapest form, which allocates\n nothing while something is pending already. `argument` is nullable, a\n reference is taken. The runtime's thread (WEIR_ETHREAD elsewhere); as long as\n an attached loop has not run, the thread that will run it. Errors:\n WEIR_EINVAL, WEIR_ENOMEM, WEIR_ECLOSED."]
    pub fn weir_throttle_touch(
        throttle: *mut weir_throttle,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        argument: *mut weir_value,
    ) -> weir_status;
    #[doc = " As touch, at a time of weir_runtime_now()'s clock."]
    pub fn weir_throttle_touch_at(
        throttle: *mut weir_throttle,
        key: *const ::core::ffi::c_void,
        key_size: usize,
        argument: *mut weir_value,
        now_ns: i64,
    ) -> weir_status;
    #[doc = " Forgets what is pending (its calls settle as stopped, WEIR_ECANCELLED), tells\n the running operation, and begins afresh: the next call leads. `key` NULL:\n the calls without a key. A key that is idle: does nothing. Any thread; takes\n effect on the runtime's. Errors: WEIR_EINVAL, WEIR_ENOMEM (off that thread)."]
    pub fn weir_throttle_cancel(
        throttle: *mut weir_throttle,
        key: *const ::core::ffi::c_void,
        key_size: usize,
    ) -> weir_status;
    #[doc = " Runs now what is pending; otherwise does nothing. What waits for the end of\n the run before it (WEIR_OVERLAP_QUEUE) goes on waiting. As cancel."]
    pub fn weir_throttle_flush(
        throttle: *mut weir_throttle,
        key: *const ::core::ffi::c_void,
        key_size: usize,
    ) -> weir_status;
    #[doc = " Calls of all keys for which no run has begun; those that the coming run\n stands for count though they were superseded or left. Any thread."]
    pub fn weir_throttle_pending(throttle: *mut weir_throttle) -> u64;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_throttle_get_stats(
        throttle: *mut weir_throttle,
        stats: *mut weir_pacing_stats,
    ) -> weir_status;
    #[doc = " Writes the defaults; `size` is the caller's sizeof(weir_timeout_options)."]
    pub fn weir_timeout_options_init(options: *mut weir_timeout_options, size: usize);
    #[doc = " Makes a timeout policy; the caller owns one reference. Errors: WEIR_EINVAL\n (options NULL too: timeout_ms is required), WEIR_EABI, WEIR_ENOMEM. Any\n thread."]
    pub fn weir_timeout_new(
        runtime: *mut weir_runtime,
        options: *const weir_timeout_options,
        out: *mut *mut weir_timeout,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " Changes all options live but the name, which must be NULL here. A run that\n has entered the policy keeps the timeout it entered with. What a replaced set\n held (a callback's data) is given back once, on the runtime's thread, when\n the last run that goes by it is over. A bad set changes nothing. Errors:\n WEIR_EINVAL (`options` NULL too), WEIR_EABI, WEIR_ENOMEM, WEIR_EFORKED. Any\n thread."]
    pub fn weir_timeout_set_options(
        timeout: *mut weir_timeout,
        options: *const weir_timeout_options,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " One reference more; returns `timeout`. Any thread."]
    pub fn weir_timeout_ref(timeout: *mut weir_timeout) -> *mut weir_timeout;
    #[doc = " One reference less. Any thread."]
    pub fn weir_timeout_unref(timeout: *mut weir_timeout);
    #[doc = " The policy this is; borrowed."]
    pub fn weir_timeout_policy(timeout: *mut weir_timeout) -> *mut weir_policy;
    #[doc = " The timeout that `policy` is, borrowed; NULL if it is of another kind, and of\n NULL. Any thread."]
    pub fn weir_policy_timeout(policy: *mut weir_policy) -> *mut weir_timeout;
    #[doc = " Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread."]
    pub fn weir_timeout_get_stats(
        timeout: *mut weir_timeout,
        stats: *mut weir_timeout_stats,
    ) -> weir_status;
    #[doc = " WEIR_VERSION_NUMBER of the library that answers. Any thread."]
    pub fn weir_version() -> u32;
    #[doc = " \"0.1.0\". Static text. Any thread."]
    pub fn weir_version_string() -> *const ::core::ffi::c_char;
    #[doc = " Makes an operation that runs `count` `operations` in their order; it takes a\n reference of each. 0 of them succeed with the run's input. `name` is copied;\n nullable. The caller owns one reference. Errors: WEIR_EINVAL (one that is\n NULL, of another runtime, or nests others 64 levels deep), WEIR_ENOMEM. Any\n thread."]
    pub fn weir_waterfall_new(
        runtime: *mut weir_runtime,
        operations: *const *mut weir_operation,
        count: usize,
        name: *const ::core::ffi::c_char,
        out: *mut *mut weir_operation,
        error: *mut *mut weir_error,
    ) -> weir_status;
    #[doc = " A manual runtime with `seed` (0 counts as 1) and otherwise defaults; its\n clock begins at one second. Errors: WEIR_EINVAL, WEIR_ENOMEM."]
    pub fn weir_testing_runtime_new(seed: u64, out: *mut *mut weir_runtime) -> weir_status;
    #[doc = " Does everything that is due now, without moving the clock. Returns the steps\n taken. Stops after 100 million steps, so that a loop that never ends is\n found: compare with weir_runtime_next_deadline()."]
    pub fn weir_testing_run_until_idle(runtime: *mut weir_runtime) -> u64;
    #[doc = " Moves the clock forward by `ms`, stopping at each timer on the way, so that\n each fires at its own time. Returns the steps taken. Errors: 0 of anything\n but a manual runtime or a negative time."]
    pub fn weir_testing_advance(runtime: *mut weir_runtime, ms: i64) -> u64;
    #[doc = " As weir_testing_advance(), in nanoseconds."]
    pub fn weir_testing_advance_ns(runtime: *mut weir_runtime, ns: i64) -> u64;
    #[doc = " Moves the clock to the next timer and does what is due then; returns 0 if no\n timer is armed."]
    pub fn weir_testing_advance_to_next(runtime: *mut weir_runtime) -> u64;
}
// SHA-256 of the headers, wrapper.h, generate.sh and the lines above: e458a9395ca390098d43e082115de0d997113cd06010449e06a81bce64e774d8
