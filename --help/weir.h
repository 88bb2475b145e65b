/* SPDX-License-Identifier: MIT */
/*
 * weir, all public headers in one. Use with weir.cc.
 *
 * MIT License
 *
 * Copyright (c) 2026 The weir authors
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the "Software"), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all
 * copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 * SOFTWARE.
 */

/* include/weir/weir.h */

#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

/*
 * All of weir. See weir/types.h for the words, weir/runtime.h for threads and
 * lifetimes, weir/operation.h and weir/run.h for the first program.
 */

/* include/weir/allocator.h */

#ifndef WEIR_ALLOCATOR_H
#define WEIR_ALLOCATOR_H

/*
 * Where a runtime's memory comes from. One per runtime; NULL means malloc and
 * free. weir returns WEIR_ENOMEM where `alloc` returns NULL and never aborts.
 */

/* include/weir/types.h */

#ifndef WEIR_TYPES_H
#define WEIR_TYPES_H

/*
 * The words that every other header of weir uses.
 *
 * Five of them carry the API. An OPERATION is what to do: a recipe that can be
 * started any number of times, also at once. A POLICY is how: breaker, limiter,
 * retry, timeout, pipeline; wrapping an operation in a policy gives an
 * operation. A RUN is this time: weir_run() starts one. An ATTEMPT is one start
 * of a user's operation; its TOKEN completes it, from any thread, once. A CALL
 * is the handle of a run in flight; it settles exactly once, with an OUTCOME.
 *
 * Handles are pointers to incomplete structs. Each has weir_X_ref and
 * weir_X_unref; both take any thread, unref also takes NULL, and handles may be
 * given back in any order: what still needs a parent keeps it alive.
 *
 * Every function that can fail returns a weir_status. Where the text says
 * "error: nullable", a call that fails stores a message there that names the
 * field, the rule and the value; give it back with weir_error_unref().
 */

#include <stddef.h>
#include <stdint.h>

#if defined(WEIR_STATIC) || !defined(__GNUC__)
#define WEIR_API
#else
#define WEIR_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* No bound in time; any option named *_ms that says so accepts it. */
#define WEIR_FOREVER (-1)
/* No bound in number. */
#define WEIR_UNLIMITED (-1)
/* The feature is not used. */
#define WEIR_OFF (-1)

typedef struct weir_runtime weir_runtime;
typedef struct weir_operation weir_operation;
typedef struct weir_policy weir_policy;
typedef struct weir_call weir_call;
typedef struct weir_value weir_value;
typedef struct weir_error weir_error;
typedef struct weir_completions weir_completions;
typedef struct weir_retry weir_retry;
typedef struct weir_budget weir_budget;
typedef struct weir_breaker weir_breaker;
typedef struct weir_limiter weir_limiter;
typedef struct weir_timeout weir_timeout;
typedef struct weir_pipeline weir_pipeline;

/* 0 (WEIR_OK) or one of the negative numbers in weir/status.h. */
typedef int32_t weir_status;

/* Names one attempt: {index, generation}. Never 0. Completing with a token
 * whose attempt is over returns WEIR_ESTALE and does nothing. */
typedef uint64_t weir_token;

/* What a decide function hands out and a report or release gives back. Its
 * bits mean something only to the policy that made it. 0 is never a permit
 * that has to be given back. */
typedef uint64_t weir_permit;

/* Frees the `data` that came with a callback. Runs exactly once, on the thread
 * that drops the last reference, also when the call that took it fails. */
typedef void (*weir_free_fn)(void *data);

#ifdef __cplusplus
}
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Returns `size` bytes (never 0) aligned for any scalar type (at least 16), or
 * NULL. Any thread, also several at once. Must not call weir. */
typedef void *(*weir_alloc_fn)(void *context, size_t size);

/* Frees what `alloc` returned; `size` is the size that was asked for. `pointer`
 * is never NULL. Any thread, also several at once. Must not call weir. */
typedef void (*weir_dealloc_fn)(void *context, void *pointer, size_t size);

/* Told once, after the last byte was freed: nothing will use `context` again.
 * That can be after the runtime's end, since values and errors outlive it. */
typedef void (*weir_release_fn)(void *context);

/* Copied by the call that takes it. */
typedef struct weir_allocator {
  uint64_t size;           /* sizeof(weir_allocator) */
  weir_alloc_fn alloc;     /* required */
  weir_dealloc_fn free;    /* required */
  void *context;           /* handed to all three */
  weir_release_fn release; /* nullable */
} weir_allocator;

#define WEIR_ALLOCATOR_INIT \
  { sizeof(weir_allocator), NULL, NULL, NULL, NULL }

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/breaker.h */

#ifndef WEIR_BREAKER_H
#define WEIR_BREAKER_H

/*
 * A circuit breaker stops calling what keeps failing. CLOSED it lets calls pass
 * and judges them; enough failures OPEN it, and calls are refused at once with
 * WEIR_EOPEN; after reset_timeout_ms it is HALF-OPEN and admits a few trials:
 * enough successes close it, failures open it again.
 *
 * A permit names the life of the breaker it was given in: a result that comes
 * late can neither close nor reopen a later state (WEIR_ESTALE). A trial has a
 * lease: one that hangs is a failed verdict when trial_timeout_ms has passed
 * (its late report gets WEIR_EEXPIRED), so the breaker never wedges. Source of
 * the pattern: Nygard, "Release It!" (2007).
 *
 * Decide functions take any thread, allocate nothing and wait for no user code.
 * A permit that is never reported leaks nothing.
 */

/* include/weir/policy.h */

#ifndef WEIR_POLICY_H
#define WEIR_POLICY_H

/*
 * What all policies have in common. weir_breaker_policy() and its like turn a
 * typed handle into a weir_policy (borrowed: the same object, no reference
 * more).
 */

/* include/weir/operation.h */

#ifndef WEIR_OPERATION_H
#define WEIR_OPERATION_H

/*
 * An operation is an immutable recipe that can be started any number of times,
 * also at once. Its start function begins the work, must not block, and hands
 * the token to whoever will complete it.
 *
 *   static void fetch(void *data, weir_attempt *attempt) {
 *     struct request *r = request_begin(data, attempt->token);
 *     attempt->on_cancel = request_abort;   // told to stop
 *     attempt->data = r;
 *     attempt->free_data = request_free;    // after all is over
 *   }
 *   ... later, on any thread:
 *   weir_complete_bytes(runtime, token, body, body_size);
 *
 * Every started attempt must be completed, also after on_cancel: until then it
 * counts as in flight and keeps the concurrency permits it was started under.
 */

/* include/weir/status.h */

#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

/*
 * Statuses, classes and reasons. The numbers never change; new ones are added.
 */

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /* It worked. */
  WEIR_OK = 0,
  /* An argument or option is not legal; the error names it. */
  WEIR_EINVAL = -1,
  /* The allocator returned NULL. Nothing was changed. */
  WEIR_ENOMEM = -2,
  /* A struct's size is zero, or unknown bytes at its end are not zero: the
   * caller was built against another version. */
  WEIR_EABI = -3,
  /* The caller cancelled the call. */
  WEIR_ECANCELLED = -4,
  /* A timeout or a deadline passed. */
  WEIR_ETIMEDOUT = -5,
  /* What was asked cannot fit into the time that is left. A refusal. */
  WEIR_ENOTIME = -6,
  /* A circuit breaker is open. A refusal. */
  WEIR_EOPEN = -7,
  /* A limiter refuses. A refusal. */
  WEIR_ELIMITED = -8,
  /* A queue, or the runtime's limit of calls in flight, is full. A refusal. */
  WEIR_EFULL = -9,
  /* The user's operation failed; the error carries domain, code, message. */
  WEIR_EFAILED = -10,
  /* Several failed; the error lists them, each with its index. */
  WEIR_EAGGREGATE = -11,
  /* The attempts are used up and the last result, a value, was judged a
   * failure. The outcome still carries that value. */
  WEIR_EEXHAUSTED = -12,
  /* A later call took this one's place. */
  WEIR_ESUPERSEDED = -13,
  /* The token or permit belongs to an earlier life; nothing was changed. */
  WEIR_ESTALE = -14,
  /* The runtime, queue or handle is closed. */
  WEIR_ECLOSED = -15,
  /* There is nothing of that name or key. */
  WEIR_ENOTFOUND = -16,
  /* There is already something of that name or key. */
  WEIR_EEXISTS = -17,
  /* This driver, platform or combination cannot do that; the error says why. */
  WEIR_ENOTSUP = -18,
  /* The function belongs to another thread; the text of each function says
   * which. */
  WEIR_ETHREAD = -19,
  /* The permit's lease ran out before this report: the verdict had already
   * been given. */
  WEIR_EEXPIRED = -20,
  /* The process forked; a runtime lives in the process that made it. */
  WEIR_EFORKED = -21,
  /* No more attempts: retry's decide door says stop (weir/retry.h). */
  WEIR_ESTOP = -22
};

/* How a policy judges an outcome, and what a report carries.
 *
 *   outcome                                                default class
 *   value                                                  success
 *   user's error, aggregate, exhausted, a policy's timeout failure
 *   refusal by an inner policy (open, limited, full,
 *   no time left)                                          refusal
 *   stopped: caller's cancel or deadline, lost race,
 *   superseded, shutdown                                   abandon */
enum {
  WEIR_CLASS_NONE = 0, /* not judged: use the default */
  WEIR_CLASS_SUCCESS = 1,
  WEIR_CLASS_FAILURE = 2,
  WEIR_CLASS_REFUSAL = 3,
  WEIR_CLASS_IGNORE = 4,
  WEIR_CLASS_ABANDON = 5
};

/* Why a retry gave up (weir_outcome.stop_reason; weir_retry_next()). */
enum {
  WEIR_STOP_NONE = 0,
  WEIR_STOP_ATTEMPTS = 1,   /* max_attempts reached */
  WEIR_STOP_ELAPSED = 2,    /* max_elapsed_ms reached, or the delay would */
  WEIR_STOP_BUDGET = 3,     /* the budget had nothing left */
  WEIR_STOP_NO_TIME = 4,    /* the delay does not fit before the deadline */
  WEIR_STOP_REFUSED = 5,    /* an inner policy refused the attempt */
  WEIR_STOP_FINAL = 6,      /* the failure was completed as final */
  WEIR_STOP_CLASSIFIED = 7, /* should_retry or the class said stop */
  WEIR_STOP_NO_MEMORY = 8   /* the next attempt could not be reserved */
};

/* Why a run or an attempt was told to stop (weir_outcome.cancel_reason,
 * on_cancel, CANCEL records). */
enum {
  WEIR_CANCEL_NONE = 0,
  WEIR_CANCEL_CALLER = 1,     /* weir_call_cancel() */
  WEIR_CANCEL_DEADLINE = 2,   /* the caller's or a scope's deadline */
  WEIR_CANCEL_TIMEOUT = 3,    /* a timeout policy, attempt or item timeout */
  WEIR_CANCEL_LOST = 4,       /* another racer won, or a sibling stopped all */
  WEIR_CANCEL_SUPERSEDED = 5, /* a later call took its place */
  WEIR_CANCEL_SHUTDOWN = 6    /* the runtime closes */
};

/* "WEIR_EOPEN" for WEIR_EOPEN; "WEIR_UNKNOWN" for a number that is none. Static
 * text, never NULL, any thread. */
WEIR_API const char *weir_status_name(weir_status status);

/* One sentence in English, such as "circuit breaker is open". Static text,
 * never NULL, any thread. */
WEIR_API const char *weir_status_message(weir_status status);

#ifdef __cplusplus
}
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A listener: the attempt should stop (WEIR_CANCEL_*). The run has settled or
 * moved on without it. Comes at most once, and never starts after a completing
 * call for this token has returned: such a call on another thread waits for an
 * on_cancel that is running, so do not hold a lock there that on_cancel takes.
 * Completing from inside on_cancel is fine. */
typedef void (*weir_cancel_fn)(void *data, uint32_t reason);

/* One start of an operation; valid while the start function runs. */
typedef struct weir_attempt {
  uint32_t size;
  uint32_t number;       /* of this operation within its run, from 1 */
  weir_token token;      /* completes this attempt, any thread, once */
  weir_runtime *runtime; /* borrowed */
  weir_value *input;     /* borrowed, ref it to keep it; NULL if none */
  void *context;         /* the run options' context */
  /* How long until the nearest deadline, in ns; INT64_MAX if there is none. */
  int64_t remaining_ns;
  /* The start function may fill these three; they begin as NULL. free_data gets
   * `data` after completion and on_cancel are both over, on the runtime's
   * thread (after its end: on the completing thread). */
  weir_cancel_fn on_cancel;
  void *data;
  weir_free_fn free_data;
} weir_attempt;

/* Begins one attempt. On the runtime's thread; may call anything, also complete
 * at once; must not block. `data` is the operation's. */
typedef void (*weir_start_fn)(void *data, weir_attempt *attempt);

/* Does one attempt's work on a thread of libuv's pool, and may block. Returns
 * WEIR_OK and in `value` (nullable result, owned by weir from then on), or any
 * other status and optionally in `error` an error (owned by weir from then on).
 * The fields on_cancel, data and free_data of `attempt` are not used: a
 * cancelled attempt's result is freed. `data` is the operation's. */
typedef weir_status (*weir_blocking_fn)(void *data, const weir_attempt *attempt,
                                        weir_value **value, weir_error **error);

/* Makes an operation from a start function. The caller owns one reference.
 * `free_data` (nullable) gets `data` once, also when this fails. Errors:
 * WEIR_EINVAL (runtime, start or out NULL), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_operation_new(weir_runtime *runtime,
                                        weir_start_fn start, void *data,
                                        weir_free_fn free_data,
                                        weir_operation **out,
                                        weir_error **error);

/* Makes an operation from a function that blocks. Errors: as above, and
 * WEIR_ENOTSUP with the manual driver, which has no pool. Any thread. */
WEIR_API weir_status weir_operation_new_blocking(
    weir_runtime *runtime, weir_blocking_fn function, void *data,
    weir_free_fn free_data, weir_operation **out, weir_error **error);

/* Makes an operation whose attempts are START records in `queue` (with `user`)
 * instead of calls: see weir/completions.h. Errors: WEIR_EINVAL, WEIR_ENOMEM.
 * Any thread. */
WEIR_API weir_status weir_operation_new_queued(weir_completions *queue,
                                               uint64_t user,
                                               weir_operation **out,
                                               weir_error **error);

/* One reference more; returns `operation`. Any thread. */
WEIR_API weir_operation *weir_operation_ref(weir_operation *operation);

/* One reference less. Runs in flight keep it alive. Any thread. */
WEIR_API void weir_operation_unref(weir_operation *operation);

/* How a completion is to be judged, where value or error alone does not say. */
typedef struct weir_completion {
  uint32_t size;     /* sizeof(weir_completion) */
  uint32_t class_;   /* WEIR_CLASS_*; default none: by the outcome */
  uint32_t final;    /* 1: a failure that no layer retries; default 0 */
  uint32_t reserved; /* 0 */
  /* When trying again makes sense; WEIR_OFF (default) if the peer did not say.
   */
  int64_t retry_after_ms;
} weir_completion;

#define WEIR_COMPLETION_INIT \
  { sizeof(weir_completion), WEIR_CLASS_NONE, 0, 0, WEIR_OFF }

/* Writes the defaults; `size` is the caller's sizeof(weir_completion). */
WEIR_API void weir_completion_init(weir_completion *completion, size_t size);

/*
 * Completing. Exactly one of these ends an attempt; all take any thread and any
 * moment, also after the call settled or the runtime closed, and return WEIR_OK
 * (also for an attempt that was told to stop: its result is freed), WEIR_ESTALE
 * (completed before, or never started) or WEIR_EINVAL. What they take (value,
 * pointer, error) is theirs in every case.
 */

/* Succeeds with `value` (NULL is legal); takes the caller's reference. */
WEIR_API weir_status weir_complete(weir_runtime *runtime, weir_token token,
                                   weir_value *value);

/* Succeeds with a copy of `size` bytes. If there is no memory for the copy the
 * attempt fails with WEIR_ENOMEM, and this returns WEIR_ENOMEM. */
WEIR_API weir_status weir_complete_bytes(weir_runtime *runtime,
                                         weir_token token, const void *data,
                                         size_t size);

/* Succeeds with a pointer value; `free_pointer` (nullable) gets it at the end.
 * No memory: as above. */
WEIR_API weir_status weir_complete_pointer(weir_runtime *runtime,
                                           weir_token token, void *pointer,
                                           weir_free_fn free_pointer);

/* Fails with the user's own error (WEIR_DOMAIN_*, code, message; message is
 * copied, nullable). If there is no memory for it the attempt fails with
 * WEIR_ENOMEM, and this returns WEIR_ENOMEM. */
WEIR_API weir_status weir_fail(weir_runtime *runtime, weir_token token,
                               uint32_t domain, int64_t code,
                               const char *message);

/* Fails with `error`; takes the caller's reference. NULL counts as WEIR_EINVAL
 * and leaves the attempt as it was. */
WEIR_API weir_status weir_fail_with(weir_runtime *runtime, weir_token token,
                                    weir_error *error);

/* The general form: `value` and `error` are both nullable and both taken; an
 * error makes it a failure. `completion` NULL: defaults. */
WEIR_API weir_status weir_complete_with(weir_runtime *runtime, weir_token token,
                                        weir_value *value, weir_error *error,
                                        const weir_completion *completion);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/outcome.h */

#ifndef WEIR_OUTCOME_H
#define WEIR_OUTCOME_H

/*
 * How a run, or one attempt, ended.
 */

/* include/weir/error.h */

#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

/*
 * An error says what went wrong: a weir status, the user's own domain and code,
 * a message, optionally a cause, a list (of an aggregate, each with the index
 * it came from) and a detail value. Immutable, refcounted, any thread; may
 * outlive its runtime. All getters take NULL and answer as for "no error".
 */

#ifdef __cplusplus
extern "C" {
#endif

/* Whose number `code` is. Numbers from WEIR_DOMAIN_USER on are the user's. */
enum {
  WEIR_DOMAIN_WEIR = 0,  /* code is a weir_status */
  WEIR_DOMAIN_ERRNO = 1, /* code is an errno */
  WEIR_DOMAIN_UV = 2,    /* code is a libuv error */
  WEIR_DOMAIN_HTTP = 3,  /* code is an HTTP status */
  WEIR_DOMAIN_GRPC = 4,  /* code is a gRPC status */
  WEIR_DOMAIN_CURL = 5,  /* code is a CURLcode */
  WEIR_DOMAIN_USER = 1000
};

/* A range of a domain's codes, both ends included. Options that take a list of
 * them judge exactly these errors as failures and ignore other user errors. */
typedef struct weir_error_range {
  uint32_t domain;
  uint32_t reserved; /* 0 */
  int64_t code_min;
  int64_t code_max;
} weir_error_range;

/* Makes a user's error (status WEIR_EFAILED). `message` is copied, NULL means
 * none. `runtime` lends its allocator; NULL means malloc. The caller owns one
 * reference. Errors: WEIR_EINVAL (out NULL), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_error_new(weir_runtime *runtime, uint32_t domain,
                                    int64_t code, const char *message,
                                    weir_error **out);

/* As weir_error_new(), with a cause and a detail value (both nullable; each
 * gets a reference of its own). */
WEIR_API weir_status weir_error_new_with(weir_runtime *runtime, uint32_t domain,
                                         int64_t code, const char *message,
                                         weir_error *cause, weir_value *detail,
                                         weir_error **out);

/* One reference more; returns `error`. NULL is legal. Any thread. */
WEIR_API weir_error *weir_error_ref(weir_error *error);

/* One reference less. NULL is legal. Any thread. */
WEIR_API void weir_error_unref(weir_error *error);

/* The status; WEIR_OK of NULL. */
WEIR_API weir_status weir_error_status(const weir_error *error);

/* WEIR_DOMAIN_*. */
WEIR_API uint32_t weir_error_domain(const weir_error *error);

/* The domain's own number. */
WEIR_API int64_t weir_error_code(const weir_error *error);

/* The message; never NULL ("" if there is none). Valid while a reference is
 * held. */
WEIR_API const char *weir_error_message(const weir_error *error);

/* The error that caused this one, borrowed; NULL if there is none. */
WEIR_API weir_error *weir_error_cause(const weir_error *error);

/* How many errors an aggregate lists; 0 of others. */
WEIR_API size_t weir_error_count(const weir_error *error);

/* The error at `position` (0 to count - 1) of an aggregate, borrowed, and in
 * `index` (nullable) the input it came from; NULL beyond the end. */
WEIR_API weir_error *weir_error_at(const weir_error *error, size_t position,
                                   size_t *index);

/* The detail value, borrowed; NULL if there is none. */
WEIR_API weir_value *weir_error_detail(const weir_error *error);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/value.h */

#ifndef WEIR_VALUE_H
#define WEIR_VALUE_H

/*
 * A value is what operations take and give: immutable, refcounted, shared
 * freely between threads and runs. It is a copy of bytes, a pointer with the
 * function that frees it, or a host object's number (weir/completions.h).
 * A NULL weir_value pointer is legal wherever a value is: "no value".
 *
 * A value may outlive its runtime: it carries what frees it.
 */

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_VALUE_NONE = 0, /* of a NULL value */
  WEIR_VALUE_BYTES = 1,
  WEIR_VALUE_POINTER = 2,
  WEIR_VALUE_HOST = 3
};

/* Copies `size` bytes (0 is legal, then data may be NULL). The copy is aligned
 * to 16. `runtime` lends its allocator; NULL means malloc. The caller owns one
 * reference. Errors: WEIR_EINVAL (out NULL, data NULL with size > 0),
 * WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_value_new_bytes(weir_runtime *runtime,
                                          const void *data, size_t size,
                                          weir_value **out);

/* Holds `pointer`; `free_pointer` (nullable) gets it when the last reference
 * goes, on that thread, also when this call fails. Errors: WEIR_EINVAL (out
 * NULL), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_value_new_pointer(weir_runtime *runtime,
                                            void *pointer,
                                            weir_free_fn free_pointer,
                                            weir_value **out);

/* Holds a host object's number. When the last reference goes, the queue gets a
 * RELEASED record with that number; the value keeps the queue alive until then.
 * Errors: WEIR_EINVAL (queue or out NULL), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_value_new_host(weir_completions *queue, uint64_t id,
                                         weir_value **out);

/* One reference more; returns `value`. NULL is legal. Any thread. */
WEIR_API weir_value *weir_value_ref(weir_value *value);

/* One reference less. NULL is legal. Any thread. */
WEIR_API void weir_value_unref(weir_value *value);

/* weir_value_unref() of each of `count` values; NULLs among them are skipped.
 * One crossing for foreign languages. Any thread. */
WEIR_API void weir_values_unref(weir_value *const *values, size_t count);

/* WEIR_VALUE_*; WEIR_VALUE_NONE of NULL. Any thread. */
WEIR_API uint32_t weir_value_kind(const weir_value *value);

/* The bytes of a bytes value, valid while a reference is held; NULL of others.
 * Any thread. */
WEIR_API const void *weir_value_data(const weir_value *value);

/* The number of bytes of a bytes value; 0 of others. Any thread. */
WEIR_API size_t weir_value_size(const weir_value *value);

/* The pointer of a pointer value; NULL of others. Any thread. */
WEIR_API void *weir_value_pointer(const weir_value *value);

/* The number of a host value; 0 of others. Any thread. */
WEIR_API uint64_t weir_value_host_id(const weir_value *value);

#ifdef __cplusplus
}
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_CHANNEL_VALUE = 1,  /* status WEIR_OK, `value` (nullable) */
  WEIR_CHANNEL_ERROR = 2,  /* failed or refused: status, `error` (never NULL) */
  WEIR_CHANNEL_STOPPED = 3 /* told to stop: status, cancel_reason */
};

/* Which policy refused. */
enum {
  WEIR_POLICY_NONE = 0,
  WEIR_POLICY_RETRY = 1,
  WEIR_POLICY_BREAKER = 2,
  WEIR_POLICY_LIMITER = 3,
  WEIR_POLICY_TIMEOUT = 4,
  WEIR_POLICY_PIPELINE = 5,
  WEIR_POLICY_BUDGET = 6
};

/* Why it refused. */
enum {
  WEIR_REJECTION_NONE = 0,
  WEIR_REJECTION_OPEN = 1,          /* breaker: open */
  WEIR_REJECTION_HALF_OPEN = 2,     /* breaker: no trial place is free */
  WEIR_REJECTION_FORCED_OPEN = 3,   /* breaker: isolated or forced open */
  WEIR_REJECTION_RAMP_UP = 4,       /* breaker: outside the growing share */
  WEIR_REJECTION_RATE = 5,          /* limiter: no permit in this interval */
  WEIR_REJECTION_CONCURRENCY = 6,   /* limiter: all permits are held */
  WEIR_REJECTION_QUEUE_FULL = 7,    /* limiter: no place to wait */
  WEIR_REJECTION_QUEUE_TIMEOUT = 8, /* limiter: waited queue_timeout_ms */
  WEIR_REJECTION_PAUSED = 9,        /* limiter: paused */
  WEIR_REJECTION_WEIGHT = 10,       /* limiter: more than it can ever give */
  WEIR_REJECTION_KEYS = 11,         /* limiter: max_keys keys are live */
  WEIR_REJECTION_NO_TIME = 12,      /* the wait does not fit the deadline */
  WEIR_REJECTION_WAITERS = 13       /* limiter: others wait, no barging */
};

/* Who refused, why, and the numbers. Decide functions fill a caller's own; a
 * refused run's outcome points to one. */
typedef struct weir_rejection {
  uint32_t size;      /* set by the caller: sizeof(weir_rejection) */
  weir_status status; /* WEIR_EOPEN, WEIR_ELIMITED, WEIR_EFULL, WEIR_ENOTIME */
  uint32_t policy;    /* WEIR_POLICY_* */
  uint32_t reason;    /* WEIR_REJECTION_* */
  /* When trying again can succeed, from now; -1 if nobody can know. The second
   * is the first rounded up. */
  int64_t retry_after_ns;
  int64_t retry_after_ms;
  int64_t requested;   /* limiter: permits asked for */
  int64_t available;   /* limiter: permits there are now */
  int64_t limit;       /* limiter: permits per interval, or at once */
  int64_t queued;      /* limiter: runs waiting */
  uint64_t calls;      /* breaker: calls judged in the window */
  uint64_t failures;   /* breaker: failures in a row, or in the window */
  uint64_t slow_calls; /* breaker: slow calls in the window */
  char name[48];       /* the policy's name, cut off; "" if it has none */
} weir_rejection;

/* Statuses kept of the last attempts. */
#define WEIR_OUTCOME_STATUSES 8

typedef struct weir_outcome {
  uint32_t size;
  uint32_t channel; /* WEIR_CHANNEL_* */
  weir_status status;
  uint32_t class_;        /* WEIR_CLASS_* the completer attached; mostly none */
  uint32_t attempts;      /* started in this run */
  uint32_t stop_reason;   /* WEIR_STOP_*: why a retry gave up */
  uint32_t cancel_reason; /* WEIR_CANCEL_* when stopped */
  uint32_t final;         /* 1: completed as a final failure */
  /* From the moment the runtime took the run up to its settlement. */
  int64_t elapsed_ns;
  /* What the peer or the refusing policy asked for; -1 if nothing. */
  int64_t retry_after_ms;
  weir_value *value; /* borrowed from the call; nullable */
  weir_error *error; /* borrowed from the call; never NULL in the error
                        channel */
  /* Set when a policy's refusal decided, or stopped a retry; else NULL. */
  const weir_rejection *rejection;
  /* Statuses of the last attempts, oldest first; min(attempts, 8) are set. An
   * attempt cut off by its timeout has WEIR_ETIMEDOUT. */
  weir_status statuses[WEIR_OUTCOME_STATUSES];
  /* What weir_outcome_release() gives back; NULL in an outcome that is lent. */
  weir_call *held;
} weir_outcome;

/* For weir_run_wait(), which fills it. */
#define WEIR_OUTCOME_INIT                                               \
  {                                                                     \
    sizeof(weir_outcome), 0, 0, 0, 0, 0, 0, 0, 0, -1, NULL, NULL, NULL, \
        {0, 0, 0, 0, 0, 0, 0, 0}, NULL                                  \
  }

/* For decide functions. */
#define WEIR_REJECTION_INIT                                           \
  {                                                                   \
    sizeof(weir_rejection), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0 } \
  }

/* Writes one line for logs into `buffer`, cut off and always terminated, such
 * as "failed: http 503 'overloaded' after 3 attempts in 412 ms (stopped:
 * budget)". Returns the length the whole line has. Any thread. */
WEIR_API size_t weir_outcome_describe(const weir_outcome *outcome, char *buffer,
                                      size_t size);

/* Gives back what weir_run_wait() filled (value, error, rejection) and clears
 * it; harmless on a cleared one and on NULL. Never for an outcome that was
 * lent. */
WEIR_API void weir_outcome_release(weir_outcome *outcome);

#ifdef __cplusplus
}
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A decider: how to judge this outcome (WEIR_CLASS_*; WEIR_CLASS_NONE or any
 * other number means the default). */
typedef uint32_t (*weir_classify_fn)(void *data, const weir_outcome *outcome);

/* One reference more; returns `policy`. Any thread. */
WEIR_API weir_policy *weir_policy_ref(weir_policy *policy);

/* One reference less; runs in flight and wrapped operations keep it alive. Any
 * thread. */
WEIR_API void weir_policy_unref(weir_policy *policy);

/* WEIR_POLICY_*; WEIR_POLICY_NONE of NULL. */
WEIR_API uint32_t weir_policy_kind(const weir_policy *policy);

/* The name from its options, "" if it has none; valid while a reference is
 * held. */
WEIR_API const char *weir_policy_name(const weir_policy *policy);

/* Makes an operation that runs `operation` under `policy`; the caller owns one
 * reference. Both must be of the same runtime. Errors: WEIR_EINVAL,
 * WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_policy_wrap(weir_policy *policy,
                                      weir_operation *operation,
                                      weir_operation **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* States. */
enum {
  WEIR_BREAKER_CLOSED = 0,
  WEIR_BREAKER_OPEN = 1,
  WEIR_BREAKER_HALF_OPEN = 2,
  WEIR_BREAKER_FORCED_OPEN = 3,
  WEIR_BREAKER_FORCED_CLOSED = 4, /* disabled: all pass, nothing is judged */
  WEIR_BREAKER_METRICS_ONLY = 5   /* all pass, judged; never opens */
};

/* What closed judges by. */
enum {
  WEIR_BREAKER_CONSECUTIVE = 0,
  WEIR_BREAKER_COUNT_WINDOW = 1,
  WEIR_BREAKER_TIME_WINDOW = 2
};

/* Why a state changed. */
enum {
  WEIR_BREAKER_BY_FAILURES = 1,   /* failures in a row, or failure rate */
  WEIR_BREAKER_BY_SLOW_CALLS = 2, /* slow call rate */
  WEIR_BREAKER_BY_TIME = 3,       /* reset timeout over: half-open */
  WEIR_BREAKER_BY_TRIALS = 4,     /* trials succeeded, failed or hung */
  WEIR_BREAKER_BY_HAND = 5        /* isolate, force, reset, restore */
};

typedef struct weir_breaker_stats {
  uint32_t size;  /* set by the caller: sizeof(weir_breaker_stats) */
  uint32_t state; /* WEIR_BREAKER_*, current */
  /* In the window (consecutive: failures in a row). While open: the counts that
   * opened it; half-open: verdicts so far, and failed ones. */
  uint64_t calls;
  uint64_t failures;
  uint64_t slow_calls;
  double failure_rate; /* of these; 0 while there are no calls */
  double slow_call_rate;
  uint64_t succeeded; /* reports recorded, ever, by class */
  uint64_t failed;
  uint64_t slow;
  uint64_t ignored;  /* ignore, abandon and refusal */
  uint64_t stale;    /* stale and expired reports. With the three classes above
                        (slow ones are among them) all reports, exactly */
  uint64_t rejected; /* refused, ever */
  uint64_t times_opened;
  int64_t open_remaining_ns; /* until half-open (INT64_MAX: for ever); 0 unless
                                open */
  uint64_t missed_events;    /* changes that came too fast to be told */
} weir_breaker_stats;

typedef struct weir_breaker_change {
  uint32_t size;
  uint32_t from; /* WEIR_BREAKER_* */
  uint32_t to;
  uint32_t reason;   /* WEIR_BREAKER_BY_* */
  uint64_t sequence; /* 1, 2, 3 …; gaps are changes missed under load */
  uint64_t calls;    /* the counts that decided */
  uint64_t failures;
  uint64_t slow_calls;
  int64_t at_ns; /* when it happened, which may be before anybody looked */
} weir_breaker_change;

/* A listener. In metrics-only mode it is told once per would-be opening, with
 * from = to = WEIR_BREAKER_METRICS_ONLY, and again only when what would have
 * opened it was over in between. What time alone changes (open to half-open, a
 * trial's lease) is told when somebody next looks: a call, a report, a read. */
typedef void (*weir_breaker_change_fn)(void *data, weir_breaker *breaker,
                                       const weir_breaker_change *change);

typedef struct weir_breaker_options {
  uint32_t size; /* sizeof(weir_breaker_options) */
  uint32_t mode; /* WEIR_BREAKER_CONSECUTIVE (default), ..._WINDOW */
  /* Consecutive mode: failures in a row that open; 1 to 10^6, default 5. */
  uint32_t failure_threshold;
  /* Count window: the last this many calls; 1 to 2^20, default 100. */
  uint32_t window_size;
  /* Time window: the last milliseconds, in 10 slices; 10 to one day, default
   * 60000. */
  int64_t window_ms;
  /* Windows: opens at this share or more; above 0 to 1, default 0.5. */
  double failure_rate;
  /* Windows: judged only from this many calls on; at least 1, in a count window
   * at most window_size, default 10. */
  uint32_t min_calls;
  /* Verdicts a half-open period judges; 1 to 32, default 3. */
  uint32_t half_open_max_calls;
  /* Successes that close; at least 1, default 2. */
  uint32_t half_open_success_threshold;
  /* Failed trials that reopen; at least 1, default 1. success_threshold +
   * failures - 1 may not exceed half_open_max_calls. */
  uint32_t half_open_failures;
  /* A call that took longer is slow; 0 or more, or WEIR_OFF (default). Trials
   * are judged by their class alone. */
  int64_t slow_call_ms;
  /* Opens at this share of slow calls or more; above 0 to 1, default 1. In
   * consecutive mode slow calls do not open. */
  double slow_call_rate;
  /* How long it stays open; 0 or more, default 60000. */
  int64_t reset_timeout_ms;
  /* Each reopening multiplies the next open period; 1 to 1000, default 1.
   * Closing resets it. */
  double reset_multiplier;
  /* At most; at least reset_timeout_ms, default 600000. */
  int64_t max_reset_timeout_ms;
  /* The lease of a trial; 1 or more, or WEIR_FOREVER; default 60000. */
  int64_t trial_timeout_ms;
  /* After closing, the admitted share grows from a tenth to all over this time;
   * 0 or more, or WEIR_OFF (default). */
  int64_t ramp_up_ms;
  /* Nullable; see weir/policy.h. Used by the run door; decide callers judge by
   * themselves. */
  weir_classify_fn classify;
  void *classify_data;
  weir_free_fn classify_free_data;
  /* Nullable; `failures_count` ranges, copied: only these user errors are
   * failures. */
  const weir_error_range *failures;
  uint64_t failures_count;
  /* Nullable; outside any lock, in order, on the runtime's thread. NULL with
   * `queue`. */
  weir_breaker_change_fn on_state_change;
  void *change_data;
  weir_free_fn change_free_data;
  /* Deliver state changes as EVENT records with `user` instead; nullable. */
  weir_completions *queue;
  uint64_t user;
  const char *name; /* copied; nullable */
} weir_breaker_options;

#define WEIR_BREAKER_OPTIONS_INIT                                             \
  {                                                                           \
    sizeof(weir_breaker_options), WEIR_BREAKER_CONSECUTIVE, 5, 100, 60000,    \
        0.5, 10, 3, 2, 1, WEIR_OFF, 1.0, 60000, 1.0, 600000, 60000, WEIR_OFF, \
        NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL            \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_breaker_options). */
WEIR_API void weir_breaker_options_init(weir_breaker_options *options,
                                        size_t size);

/* Makes a breaker, closed; the caller owns one reference. `options` NULL:
 * defaults. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_breaker_new(weir_runtime *runtime,
                                      const weir_breaker_options *options,
                                      weir_breaker **out, weir_error **error);

/* One reference more; returns `breaker`. Any thread. */
WEIR_API weir_breaker *weir_breaker_ref(weir_breaker *breaker);

/* One reference less. Any thread. */
WEIR_API void weir_breaker_unref(weir_breaker *breaker);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_breaker_policy(weir_breaker *breaker);

/* Asks to make a call. WEIR_OK: make it and report `permit`. WEIR_EOPEN: do
 * not; `permit` is 0, `rejection` (nullable, its size set) says why and when.
 * Reads no clock while it is closed. Errors: WEIR_EINVAL, WEIR_EABI. */
WEIR_API weir_status weir_breaker_acquire(weir_breaker *breaker,
                                          weir_permit *permit,
                                          weir_rejection *rejection);
/* As acquire, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_breaker_acquire_at(weir_breaker *breaker,
                                             weir_permit *permit,
                                             weir_rejection *rejection,
                                             int64_t now_ns);

/* The call ended as `class_` (WEIR_CLASS_*; ignore, abandon and refusal free
 * the place without a verdict). `elapsed_ns` is how long it took, 0 if slow
 * calls are off. Once per permit. WEIR_OK: recorded. WEIR_ESTALE: of an earlier
 * life, or reported before (which only trials can tell), changes nothing.
 * WEIR_EEXPIRED: its lease had run out (WEIR_ESTALE once another trial has its
 * place). Errors: WEIR_EINVAL (also a permit of 0, a class that is none, a
 * negative time). */
WEIR_API weir_status weir_breaker_report(weir_breaker *breaker,
                                         weir_permit permit, uint32_t class_,
                                         int64_t elapsed_ns);
/* As report, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_breaker_report_at(weir_breaker *breaker,
                                            weir_permit permit, uint32_t class_,
                                            int64_t elapsed_ns, int64_t now_ns);

/* Acquires up to `count` (at least 1) permits; returns how many in `granted`.
 * WEIR_OK if at least one, otherwise as acquire. */
WEIR_API weir_status weir_breaker_acquire_n(weir_breaker *breaker, size_t count,
                                            weir_permit *permits,
                                            size_t *granted,
                                            weir_rejection *rejection);
/* As acquire_n, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_breaker_acquire_n_at(
    weir_breaker *breaker, size_t count, weir_permit *permits, size_t *granted,
    weir_rejection *rejection, int64_t now_ns);

typedef struct weir_breaker_report_entry {
  weir_permit permit;
  int64_t elapsed_ns;
  uint32_t class_;
  weir_status result; /* written: what weir_breaker_report() would return */
} weir_breaker_report_entry;

/* Reports `count` calls, in order; each entry gets its own result. Errors:
 * WEIR_EINVAL (`entries` NULL). */
WEIR_API weir_status weir_breaker_report_many(
    weir_breaker *breaker, weir_breaker_report_entry *entries, size_t count);
/* As report_many, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_breaker_report_many_at(
    weir_breaker *breaker, weir_breaker_report_entry *entries, size_t count,
    int64_t now_ns);

/* WEIR_BREAKER_*, current: a breaker whose open time is over is half-open,
 * traffic or not. */
WEIR_API uint32_t weir_breaker_state(weir_breaker *breaker);
/* As state, at a time of weir_runtime_now()'s clock. */
WEIR_API uint32_t weir_breaker_state_at(weir_breaker *breaker, int64_t now_ns);

/* Forces it open until as many weir_breaker_release() came. Counted. Errors:
 * WEIR_EINVAL, WEIR_EFULL (2^32 - 1 times). */
WEIR_API weir_status weir_breaker_isolate(weir_breaker *breaker);

/* Undoes one isolate; the last returns it to closed (or what is forced), counts
 * empty. Errors: WEIR_EINVAL if there is none. */
WEIR_API weir_status weir_breaker_release(weir_breaker *breaker);

/* Puts it into WEIR_BREAKER_FORCED_OPEN, ..._FORCED_CLOSED or ..._METRICS_ONLY,
 * or with WEIR_BREAKER_CLOSED back to judging by itself, counts empty.
 * Isolation goes before it. Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_breaker_force(weir_breaker *breaker, uint32_t state);

/* Closed, counts and reset multiplier as new; permits out become stale. A
 * forced state and isolation stay. */
WEIR_API weir_status weir_breaker_reset(weir_breaker *breaker);

/* Changes the options live; its state and, where mode and window are the same,
 * its counts stay. What runs already keeps its end: the open time, the leases
 * of trials. Other half_open_* numbers begin a half-open period again, with its
 * trials void. NULL: defaults. classify, failures, on_state_change, queue and name cannot
 * change (they must be NULL or 0 here). A bad set changes nothing. Errors:
 * WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. */
WEIR_API weir_status weir_breaker_set_options(
    weir_breaker *breaker, const weir_breaker_options *options,
    weir_error **error);

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_breaker_get_stats(weir_breaker *breaker,
                                            weir_breaker_stats *stats);

/* Bytes weir_breaker_snapshot() needs at most. */
#define WEIR_BREAKER_SNAPSHOT_SIZE 64

/* Writes the state (open time left, forced state, isolations, failures in a
 * row; not the window's calls) as bytes, portable between processes and
 * machines; `size` holds the buffer's size and gets the
 * snapshot's. Errors: WEIR_EINVAL (too small: `size` says what is needed). */
WEIR_API weir_status weir_breaker_snapshot(weir_breaker *breaker, void *buffer,
                                           size_t *size);

/* Takes a snapshot's state over, `elapsed_ms` (0 or more) after it was taken:
 * one that was open is half-open if its time is over; half-open starts its
 * trials from none. Permits that are out become stale. Errors: WEIR_EINVAL (not a snapshot), WEIR_EABI (of a later
 * version). */
WEIR_API weir_status weir_breaker_restore(weir_breaker *breaker,
                                          const void *bytes, size_t size,
                                          int64_t elapsed_ms);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/budget.h */

#ifndef WEIR_BUDGET_H
#define WEIR_BUDGET_H

/*
 * A retry budget bounds retries (and hedges) to a share of traffic, so that an
 * outage is not amplified: in the last window_ms no more of them than
 * max(ratio × first attempts, min_per_second × window in seconds). One budget
 * may serve many policies, threads and languages. Runs deposit and withdraw by
 * themselves through weir_retry; hosts that retry by themselves call the
 * functions below. All are lock-free and take any thread.
 *
 * The idea is Finagle's (RetryBudget); the bound here is exact over the
 * window's ten slices.
 */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_budget_options {
  uint32_t size;         /* sizeof(weir_budget_options) */
  uint32_t reserved;     /* 0 */
  double ratio;          /* retries per first attempt; 0 to 1000, default 0.2 */
  double min_per_second; /* retries that are always allowed; 0 to 1e6,
                            default 1 */
  int64_t window_ms;     /* looks back this far; 10 to one day, default 10000 */
  const char *name;      /* copied; nullable */
} weir_budget_options;

#define WEIR_BUDGET_OPTIONS_INIT \
  { sizeof(weir_budget_options), 0, 0.2, 1.0, 10000, NULL }

/* Writes the defaults; `size` is the caller's sizeof(weir_budget_options). */
WEIR_API void weir_budget_options_init(weir_budget_options *options,
                                       size_t size);

/* Makes a budget; the caller owns one reference. `options` NULL: defaults.
 * Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_budget_new(weir_runtime *runtime,
                                     const weir_budget_options *options,
                                     weir_budget **out, weir_error **error);

/* One reference more; returns `budget`. Any thread. */
WEIR_API weir_budget *weir_budget_ref(weir_budget *budget);

/* One reference less. Any thread. */
WEIR_API void weir_budget_unref(weir_budget *budget);

/* Counts an outermost first attempt. */
WEIR_API weir_status weir_budget_deposit(weir_budget *budget);
/* As deposit, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_budget_deposit_at(weir_budget *budget,
                                            int64_t now_ns);

/* Takes one retry: WEIR_OK, or WEIR_ELIMITED when there is nothing left. */
WEIR_API weir_status weir_budget_withdraw(weir_budget *budget);
/* As withdraw, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_budget_withdraw_at(weir_budget *budget,
                                             int64_t now_ns);

/* Gives back a withdrawn retry that never started. */
WEIR_API weir_status weir_budget_refund(weir_budget *budget);
/* As refund, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_budget_refund_at(weir_budget *budget, int64_t now_ns);

typedef struct weir_budget_stats {
  uint32_t size;      /* set by the caller: sizeof(weir_budget_stats) */
  uint32_t reserved;  /* 0 */
  uint64_t deposits;  /* in the window */
  uint64_t withdrawn; /* in the window, refunds taken off */
  uint64_t refused;   /* withdrawals refused, ever */
  int64_t available;  /* withdrawals that would pass now */
} weir_budget_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_budget_get_stats(weir_budget *budget,
                                           weir_budget_stats *stats);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/completions.h */

#ifndef WEIR_COMPLETIONS_H
#define WEIR_COMPLETIONS_H

/*
 * A completion queue delivers without ever calling back: for bindings of
 * languages that must not be called on foreign threads. weir posts records, the
 * host drains them in batches. Posting cannot fail: each record is embedded in
 * what it speaks of. There is one wake-up per edge from empty to non-empty,
 * by descriptor or by function.
 */

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /* Begin an attempt of a queued operation: user, object = token, detail =
   * input (weir_value pointer, a reference of the host's own, or 0), number =
   * attempt. A START that is still undrained when its attempt is told to stop
   * is taken back. */
  WEIR_RECORD_START = 1,
  /* An attempt whose START was drained should stop: user, object = token,
   * number = WEIR_CANCEL_*. It still has to be completed. */
  WEIR_RECORD_CANCEL = 2,
  /* A run settled: user, object = weir_value or weir_error pointer (a
   * reference of the host's own, or 0; which one `channel` says), detail =
   * elapsed nanoseconds, status, number = attempts, channel. */
  WEIR_RECORD_SETTLED = 3,
  /* A host value's last reference is gone: object = its id. */
  WEIR_RECORD_RELEASED = 4,
  /* A breaker changed its state: user = the breaker option's word, object =
   * sequence number, detail = events missed before it, status = reason, number
   * = from × 256 + to. */
  WEIR_RECORD_EVENT = 5,
  /* A pull or a decision is asked for: user, object = token. */
  WEIR_RECORD_ASK = 6,
  /* The queue's runtime closed; nothing else will come. */
  WEIR_RECORD_CLOSED = 7
};

typedef struct weir_record {
  uint64_t user;
  uint64_t object;
  uint64_t detail;
  int32_t status;
  uint16_t number; /* saturates at 65535 */
  uint8_t kind;    /* WEIR_RECORD_* */
  uint8_t channel; /* WEIR_CHANNEL_* of SETTLED */
} weir_record;

/* Called on the edge from empty to non-empty, on any thread. Must not call
 * weir. */
typedef void (*weir_notify_fn)(void *data);

typedef struct weir_completions_options {
  uint32_t size;    /* sizeof(weir_completions_options) */
  uint32_t with_fd; /* 1: make a descriptor (weir_completions_fd); default 0 */
  weir_notify_fn notify; /* nullable */
  void *notify_data;
  weir_free_fn notify_free_data;
  const char *name; /* copied; nullable */
} weir_completions_options;

#define WEIR_COMPLETIONS_OPTIONS_INIT \
  { sizeof(weir_completions_options), 0, NULL, NULL, NULL, NULL }

/* Writes the defaults; `size` is the caller's
 * sizeof(weir_completions_options). */
WEIR_API void weir_completions_options_init(weir_completions_options *options,
                                            size_t size);

/* Makes a queue; the caller owns one reference. Errors: WEIR_EINVAL, WEIR_EABI,
 * WEIR_ENOMEM, WEIR_ENOTSUP (no descriptor to be had). Any thread. */
WEIR_API weir_status weir_completions_new(
    weir_runtime *runtime, const weir_completions_options *options,
    weir_completions **out, weir_error **error);

/* One reference more; returns `queue`. Any thread. */
WEIR_API weir_completions *weir_completions_ref(weir_completions *queue);

/* One reference less. At the last, undrained records are freed with what they
 * carry; an undrained START fails as closed. Any thread. */
WEIR_API void weir_completions_unref(weir_completions *queue);

/* Moves up to `capacity` records, in the order posted, to `records`, each
 * `record_size` (the caller's sizeof(weir_record)) bytes; returns how many. 0
 * also for bad arguments. Any thread, one at a time or several. */
WEIR_API size_t weir_completions_drain(weir_completions *queue,
                                       weir_record *records, size_t record_size,
                                       size_t capacity);

/* As drain, but waits for the first record, at most `timeout_ms` (0 or more, or
 * WEIR_FOREVER); returns 0 when that passes. Any thread but the runtime's. */
WEIR_API size_t weir_completions_wait(weir_completions *queue,
                                      weir_record *records, size_t record_size,
                                      size_t capacity, int64_t timeout_ms);

/* A descriptor that is readable while records wait; poll it, never read it. The
 * queue's own: do not close it. -1 without `with_fd`. Any thread. */
WEIR_API int weir_completions_fd(weir_completions *queue);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/limiter.h */

#ifndef WEIR_LIMITER_H
#define WEIR_LIMITER_H

/*
 * A limiter bounds how often, how many at once, or both; per key if it is
 * keyed. Runs over the limit wait in a bounded queue or are refused; decide
 * callers are refused at once. While runs wait, decide does not barge.
 *
 * Rates are exact: nothing is rounded to whole nanoseconds, so 3 a second admit
 * 259,200 a day. Algorithms: token bucket as GCRA (ITU-T I.371; at most burst +
 * rate × t in any time t); fixed window (at most `permits` in each window, so
 * up to twice that around a boundary); sliding window (at most `permits` in any
 * interval whatsoever; it counts in slices and may refuse up to one slice, a
 * 32nd of the interval, early).
 *
 * Adaptive concurrency: `aimd` halves-and-adds on failures and slow calls (Chiu
 * & Jain 1989), `gradient` follows the ratio of long-term to recent latency
 * (Netflix concurrency-limits, 2018).
 */

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_LIMITER_TOKEN_BUCKET = 0,
  WEIR_LIMITER_FIXED_WINDOW = 1,
  WEIR_LIMITER_SLIDING_WINDOW = 2
};

enum { WEIR_LIMITER_FIFO = 0, WEIR_LIMITER_PRIORITY = 1 };

/* What happens at max_keys live keys when another comes. */
enum { WEIR_LIMITER_DENY = 0, WEIR_LIMITER_EVICT = 1 };

enum {
  WEIR_ADAPTIVE_OFF = 0,
  WEIR_ADAPTIVE_AIMD = 1,
  WEIR_ADAPTIVE_GRADIENT = 2
};

typedef struct weir_limiter_options {
  uint32_t size;      /* sizeof(weir_limiter_options) */
  uint32_t algorithm; /* WEIR_LIMITER_*; default token bucket */
  /* Rate: `permits` (1 to 2^31 - 1) in interval_ms (1 to 100 years). Both
   * WEIR_OFF (default): no rate. */
  int64_t permits;
  int64_t interval_ms;
  /* Token bucket's depth; 1 to 2^31 - 1, or WEIR_OFF (default): as permits. */
  int64_t burst;
  /* How many hold a permit at once; 1 to 2^31 - 1, or WEIR_UNLIMITED
   * (default). With adaptive: where the limit begins. */
  int64_t max_concurrent;
  /* Runs that wait; 0 or more, or WEIR_UNLIMITED; default 1024. */
  int64_t max_queue;
  /* How long a run waits at most, then it is refused as limited; 0 or more, or
   * WEIR_FOREVER (default). */
  int64_t queue_timeout_ms;
  uint32_t queue_order; /* WEIR_LIMITER_FIFO (default) or PRIORITY, then fifo */
  uint32_t key_overflow; /* WEIR_LIMITER_DENY (default) or EVICT: the key that
                            is closest to idle */
  /* Keyed: at most this many keys are tracked, 1 to 2^30. 0 (default): not
   * keyed. Memory is taken at creation. */
  int64_t max_keys;
  uint32_t adaptive; /* WEIR_ADAPTIVE_*; default off */
  /* 1: the permit of a run that was told to stop returns at once; default 0:
   * when its attempt really ended. */
  uint32_t early_release;
  int64_t adaptive_min; /* 1 to adaptive_max; default 1 */
  int64_t adaptive_max; /* default 1000 */
  /* aimd: a call that took longer counts as overload; 1 or more, or WEIR_OFF
   * (default): only failures do. */
  int64_t adaptive_latency_ms;
  /* aimd: what the limit is multiplied with on overload; above 0, below 1;
   * default 0.9. */
  double adaptive_backoff;
  /* gradient: how much slower than the long-term latency is still fine; 1 to
   * 10, default 1.5. */
  double adaptive_tolerance;
  /* Nullable; see weir/policy.h: what adaptive counts as a failure. */
  weir_classify_fn classify;
  void *classify_data;
  weir_free_fn classify_free_data;
  /* Nullable; `failures_count` ranges, copied. */
  const weir_error_range *failures;
  uint64_t failures_count;
  const char *name; /* copied; nullable */
} weir_limiter_options;

#define WEIR_LIMITER_OPTIONS_INIT                                         \
  {                                                                       \
    sizeof(weir_limiter_options), WEIR_LIMITER_TOKEN_BUCKET, WEIR_OFF,    \
        WEIR_OFF, WEIR_OFF, WEIR_UNLIMITED, 1024, WEIR_FOREVER,           \
        WEIR_LIMITER_FIFO, WEIR_LIMITER_DENY, 0, WEIR_ADAPTIVE_OFF, 0, 1, \
        1000, WEIR_OFF, 0.9, 1.5, NULL, NULL, NULL, NULL, 0, NULL         \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_limiter_options). */
WEIR_API void weir_limiter_options_init(weir_limiter_options *options,
                                        size_t size);

/* Makes a limiter; the caller owns one reference. `options` NULL: defaults,
 * which limit nothing until weir_limiter_add_limit(). Errors: WEIR_EINVAL,
 * WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_limiter_new(weir_runtime *runtime,
                                      const weir_limiter_options *options,
                                      weir_limiter **out, weir_error **error);

/* One reference more; returns `limiter`. Any thread. */
WEIR_API weir_limiter *weir_limiter_ref(weir_limiter *limiter);

/* One reference less. Any thread. */
WEIR_API void weir_limiter_unref(weir_limiter *limiter);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_limiter_policy(weir_limiter *limiter);

/* One rate more on the same handle (per second and per minute and per day); all
 * are granted, or none. At most 8 in all. `burst` WEIR_OFF: as permits. Errors:
 * WEIR_EINVAL, WEIR_ENOMEM, WEIR_EFULL, WEIR_ENOTSUP (keyed, once keys are
 * live). Any thread. */
WEIR_API weir_status weir_limiter_add_limit(weir_limiter *limiter,
                                            uint32_t algorithm, int64_t permits,
                                            int64_t interval_ms, int64_t burst,
                                            weir_error **error);

/*
 * Decide. `permits` is the weight, at least 1; more than the limit can ever
 * give is WEIR_EINVAL. WEIR_OK: go ahead, and give `permit` (nullable if there
 * is no concurrency limit) back with weir_limiter_release(). WEIR_ELIMITED: not
 * now; `rejection` (nullable, its size set) says why and when. Any thread.
 */

/* Takes `permits`, or nothing. */
WEIR_API weir_status weir_limiter_try_acquire(weir_limiter *limiter,
                                              uint32_t permits,
                                              weir_permit *permit,
                                              weir_rejection *rejection);
/* As try_acquire, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_limiter_try_acquire_at(weir_limiter *limiter,
                                                 uint32_t permits,
                                                 weir_permit *permit,
                                                 weir_rejection *rejection,
                                                 int64_t now_ns);

/* As try_acquire, for one key of a keyed limiter. */
WEIR_API weir_status weir_limiter_try_acquire_key(
    weir_limiter *limiter, const void *key, size_t key_size, uint32_t permits,
    weir_permit *permit, weir_rejection *rejection);
/* As try_acquire_key, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_limiter_try_acquire_key_at(
    weir_limiter *limiter, const void *key, size_t key_size, uint32_t permits,
    weir_permit *permit, weir_rejection *rejection, int64_t now_ns);

/* Takes up to `count` single permits at once; `granted` says how many. WEIR_OK
 * if at least one. Only for limiters without a concurrency limit or keys
 * (WEIR_ENOTSUP). */
WEIR_API weir_status weir_limiter_acquire_n(weir_limiter *limiter, size_t count,
                                            size_t *granted,
                                            weir_rejection *rejection);
/* As acquire_n, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_limiter_acquire_n_at(weir_limiter *limiter,
                                               size_t count, size_t *granted,
                                               weir_rejection *rejection,
                                               int64_t now_ns);

/* Takes `permits` of the rate in advance and says in `wait_ns` how long to wait
 * before going ahead. Only for limiters with token buckets and no concurrency
 * limit or keys (WEIR_ENOTSUP); `reservation` names it for cancelling. */
WEIR_API weir_status weir_limiter_reserve(weir_limiter *limiter,
                                          uint32_t permits, int64_t *wait_ns,
                                          weir_permit *reservation);
/* As reserve, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_limiter_reserve_at(weir_limiter *limiter,
                                             uint32_t permits, int64_t *wait_ns,
                                             weir_permit *reservation,
                                             int64_t now_ns);

/* Gives back of a reservation what nobody has reserved after. Errors:
 * WEIR_ESTALE if nothing could be given back. */
WEIR_API weir_status weir_limiter_cancel_reservation(weir_limiter *limiter,
                                                     uint32_t permits,
                                                     weir_permit reservation);

/* Gives a concurrency permit back (the rate stays used). Exactly once per
 * permit; more than are out is WEIR_EINVAL. Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_limiter_release(weir_limiter *limiter,
                                          weir_permit permit);

/* As release, for adaptive limits: how the call ended (WEIR_CLASS_*) and how
 * long it took. */
WEIR_API weir_status weir_limiter_release_with(weir_limiter *limiter,
                                               weir_permit permit,
                                               uint32_t class_,
                                               int64_t elapsed_ns);

/* As release, for one key of a keyed limiter. */
WEIR_API weir_status weir_limiter_release_key(weir_limiter *limiter,
                                              const void *key, size_t key_size,
                                              weir_permit permit);

/* Gives `permits` of the rate back, never above the burst: for work that was
 * not done. Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_limiter_refund(weir_limiter *limiter,
                                         uint32_t permits);

/* Permits a try_acquire could have now; INT64_MAX if nothing limits. */
WEIR_API int64_t weir_limiter_available(weir_limiter *limiter);
/* As available, at a time of weir_runtime_now()'s clock. */
WEIR_API int64_t weir_limiter_available_at(weir_limiter *limiter,
                                           int64_t now_ns);

/* Takes all the rate has now (such as after a 429); in `drained` (nullable) how
 * many. Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_limiter_drain(weir_limiter *limiter,
                                        int64_t *drained);

/* Nothing passes until resume; runs wait. */
WEIR_API weir_status weir_limiter_pause(weir_limiter *limiter);
/* Undoes pause; waiting runs proceed in order. */
WEIR_API weir_status weir_limiter_resume(weir_limiter *limiter);

/* Changes every number live: growing wakes waiters, shrinking never blocks,
 * waiters are rescheduled. What is used stays used. `algorithm`, max_keys,
 * adaptive, whether there is a rate at all, classify, failures and name cannot
 * change. A bad set changes nothing. Errors: WEIR_EINVAL, WEIR_EABI. */
WEIR_API weir_status weir_limiter_set_options(
    weir_limiter *limiter, const weir_limiter_options *options,
    weir_error **error);

typedef struct weir_limiter_stats {
  uint32_t size;      /* set by the caller: sizeof(weir_limiter_stats) */
  uint32_t paused;    /* 1 while paused */
  int64_t available;  /* of the rate, now */
  int64_t concurrent; /* permits held */
  int64_t limit;    /* of concurrency, now (adaptive: as it stands); -1: none */
  uint64_t queued;  /* runs waiting */
  uint64_t granted; /* runs let through, ever */
  uint64_t refused; /* runs refused, ever; decide denials are not counted */
  uint64_t timed_out; /* of these, after waiting */
  uint64_t keys;      /* live keys, as far as known */
} weir_limiter_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_limiter_get_stats(weir_limiter *limiter,
                                            weir_limiter_stats *stats);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/log.h */

#ifndef WEIR_LOG_H
#define WEIR_LOG_H

/*
 * Logging is off until the runtime's options name a hook and a level. weir says
 * little (what it reports is in events, stats and the audit); users may log
 * through it too, so that both go the same way.
 */

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_LOG_OFF = 0,
  WEIR_LOG_ERROR = 1,
  WEIR_LOG_WARNING = 2,
  WEIR_LOG_INFO = 3,
  WEIR_LOG_DEBUG = 4
};

/* Gets one line: no newline at its end, valid during the call. Any thread, also
 * several at once. Must not call weir. */
typedef void (*weir_log_fn)(void *data, int32_t level, const char *subject,
                            const char *message);

/* Hands `message` to the runtime's hook if its level lets `level` pass.
 * `subject` names the part that speaks; NULL means the runtime's name. Any
 * thread. */
WEIR_API void weir_log(weir_runtime *runtime, int32_t level,
                       const char *subject, const char *message);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/pipeline.h */

#ifndef WEIR_PIPELINE_H
#define WEIR_PIPELINE_H

/*
 * A pipeline is several policies as one: the first is outermost. Policies keep
 * their state wherever they are used: the same breaker may be in many
 * pipelines.
 */

#ifdef __cplusplus
extern "C" {
#endif

/* Policies in one pipeline or around one operation at most. */
#define WEIR_PIPELINE_MAX 32

/* Makes a pipeline of `count` (1 to WEIR_PIPELINE_MAX, nested ones counted with
 * what they hold) policies, of each of which it takes a reference; the caller
 * owns one reference of the pipeline. `name` is copied, nullable. What cannot
 * work is refused with a message: a NULL, policies of different runtimes, the
 * same stateful policy twice. Errors: WEIR_EINVAL, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_pipeline_new(weir_runtime *runtime,
                                       weir_policy *const *policies,
                                       size_t count, const char *name,
                                       weir_pipeline **out, weir_error **error);

/* One reference more; returns `pipeline`. Any thread. */
WEIR_API weir_pipeline *weir_pipeline_ref(weir_pipeline *pipeline);

/* One reference less. Any thread. */
WEIR_API void weir_pipeline_unref(weir_pipeline *pipeline);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_pipeline_policy(weir_pipeline *pipeline);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/retry.h */

#ifndef WEIR_RETRY_H
#define WEIR_RETRY_H

/*
 * Tries again what failed. With n counting from 0 (the delay before the second
 * try), b = base_delay_ms, m = multiplier and U uniform in [0, 1), the delay is
 *
 *   constant         b
 *   linear           b·(n+1)
 *   exponential      b·mⁿ
 *   decorrelated     b + U·(min(3·previous, max) − b)
 *   decorrelated-v2  (f(n+U) − previous f)·b/1.4, f(t) = 2ᵗ·tanh(√(4t))
 *
 * then jitter (the decorrelated ones have their own), then min_delay_ms and
 * max_delay_ms. A delay that the operation asked for (retry_after_ms) replaces
 * the computed one, capped by max_delay_ms. Sources: Brooker, "Exponential
 * Backoff And Jitter" (2015); Polly's DecorrelatedJitterBackoffV2 (2019).
 *
 * What returns after the last try is the last real error or judged value, with
 * the count and the last 8 statuses in the outcome. After real failures and
 * then a refusal, the last real error returns with stop_reason refused.
 */

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_BACKOFF_CONSTANT = 0,
  WEIR_BACKOFF_LINEAR = 1,
  WEIR_BACKOFF_EXPONENTIAL = 2,
  WEIR_BACKOFF_DECORRELATED = 3,
  WEIR_BACKOFF_DECORRELATED_V2 = 4
};

/* With d the delay, f = jitter_factor. */
enum {
  WEIR_JITTER_NONE = 0,
  WEIR_JITTER_FULL = 1,         /* U·d */
  WEIR_JITTER_EQUAL = 2,        /* d/2 + U·d/2 */
  WEIR_JITTER_PROPORTIONAL = 3, /* d·(1 + f·U) */
  WEIR_JITTER_SYMMETRIC = 4     /* d·(1 + f·(2U − 1)) */
};

/* A decider: 1 to try again, 0 to stop (stop_reason classified). `attempt`
 * counts from 1. */
typedef int32_t (*weir_should_retry_fn)(void *data, const weir_outcome *outcome,
                                        uint32_t attempt);

/* A listener: attempt number `attempt` ended with `outcome`; the next begins in
 * `delay_ns`. */
typedef void (*weir_on_retry_fn)(void *data, uint32_t attempt, int64_t delay_ns,
                                 const weir_outcome *outcome);

typedef struct weir_retry_options {
  uint32_t size;    /* sizeof(weir_retry_options) */
  uint32_t backoff; /* WEIR_BACKOFF_*; default exponential */
  /* Total tries, the first included; at least 1, or WEIR_UNLIMITED; default 3.
   */
  int64_t max_attempts;
  int64_t base_delay_ms; /* 0 or more; default 1000 */
  int64_t max_delay_ms;  /* 0 or more; default 30000; always holds */
  int64_t min_delay_ms;  /* 0 to max_delay_ms; default 0; of computed delays */
  double multiplier;     /* 1 to 1000; default 2 */
  double jitter_factor;  /* 0 to 1; default 0.3 */
  uint32_t jitter;       /* WEIR_JITTER_*; default proportional */
  /* 1: a refusal that carries retry_after is waited for and tried again, if it
   * fits the deadline; default 0: it returns at once. */
  uint32_t retry_refusals;
  /* No try starts after it, and a delay that would pass it is not slept; 0 or
   * more, or WEIR_FOREVER (default). */
  int64_t max_elapsed_ms;
  /* For each try; when it passes, a failure (WEIR_ETIMEDOUT) for every layer
   * inside; 0 or more, or WEIR_FOREVER (default). */
  int64_t attempt_timeout_ms;
  /* Nullable; a reference is taken. */
  weir_budget *budget;
  /* Nullable; see weir/policy.h. */
  weir_classify_fn classify;
  void *classify_data;
  weir_free_fn classify_free_data;
  /* Nullable; `failures_count` ranges, copied: only these user errors are
   * failures. */
  const weir_error_range *failures;
  uint64_t failures_count;
  /* Nullable: asked for each failure. */
  weir_should_retry_fn should_retry;
  void *should_retry_data;
  weir_free_fn should_retry_free_data;
  /* Nullable: told before each wait. */
  weir_on_retry_fn on_retry;
  void *on_retry_data;
  weir_free_fn on_retry_free_data;
  const char *name; /* copied; nullable */
} weir_retry_options;

#define WEIR_RETRY_OPTIONS_INIT                                              \
  {                                                                          \
    sizeof(weir_retry_options), WEIR_BACKOFF_EXPONENTIAL, 3, 1000, 30000, 0, \
        2.0, 0.3, WEIR_JITTER_PROPORTIONAL, 0, WEIR_FOREVER, WEIR_FOREVER,   \
        NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, \
        NULL                                                                 \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_retry_options). */
WEIR_API void weir_retry_options_init(weir_retry_options *options, size_t size);

/* Makes a retry policy; the caller owns one reference. `options` NULL:
 * defaults. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_retry_new(weir_runtime *runtime,
                                    const weir_retry_options *options,
                                    weir_retry **out, weir_error **error);

/* One reference more; returns `retry`. Any thread. */
WEIR_API weir_retry *weir_retry_ref(weir_retry *retry);

/* One reference less. Any thread. */
WEIR_API void weir_retry_unref(weir_retry *retry);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_retry_policy(weir_retry *retry);

/*
 * Decide door, for hosts that do the trying and the sleeping themselves:
 *
 *   weir_retry_state state;
 *   weir_retry_begin(retry, &state);
 *   while (try_it(&class_, &asked_ms),
 *          weir_retry_next(retry, &state, class_, asked_ms, &delay_ns,
 *                          &reason) == WEIR_OK)
 *     host_sleep(delay_ns);
 */

/* One logical call's progress; the caller's memory, no need to give back. One
 * thread at a time. */
typedef struct weir_retry_state {
  uint64_t opaque[4];
} weir_retry_state;

/* Starts: the first try begins now; deposits in the budget. Errors:
 * WEIR_EINVAL. Any thread, allocates nothing. */
WEIR_API weir_status weir_retry_begin(weir_retry *retry,
                                      weir_retry_state *state);
/* As begin, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_retry_begin_at(weir_retry *retry,
                                         weir_retry_state *state,
                                         int64_t now_ns);

/* A try ended as `class_` (WEIR_CLASS_*); the peer asked for `asked_delay_ms`
 * (WEIR_OFF if not). WEIR_OK: try again after `delay_ns`. WEIR_ESTOP: do not,
 * `stop_reason` (nullable, WEIR_STOP_*) says why; also after a success, with
 * WEIR_STOP_NONE. A withdrawn retry that is then not started is given back with
 * weir_budget_refund(). Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_retry_next(weir_retry *retry, weir_retry_state *state,
                                     uint32_t class_, int64_t asked_delay_ms,
                                     int64_t *delay_ns, uint32_t *stop_reason);
/* As next, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_retry_next_at(weir_retry *retry,
                                        weir_retry_state *state,
                                        uint32_t class_, int64_t asked_delay_ms,
                                        int64_t *delay_ns,
                                        uint32_t *stop_reason, int64_t now_ns);

typedef struct weir_retry_stats {
  uint32_t size;            /* set by the caller: sizeof(weir_retry_stats) */
  uint32_t reserved;        /* 0 */
  uint64_t calls;           /* first attempts */
  uint64_t retries;         /* attempts after the first */
  uint64_t succeeded_first; /* calls that needed no retry */
  uint64_t succeeded_later; /* calls that a retry saved */
  uint64_t gave_up;         /* calls that ended as failures */
  uint64_t refused_by_budget;
} weir_retry_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_retry_get_stats(weir_retry *retry,
                                          weir_retry_stats *stats);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/run.h */

#ifndef WEIR_RUN_H
#define WEIR_RUN_H

/*
 * weir_run() starts an operation, under a policy if one is named, and settles
 * exactly once for every run it accepts. A policy's refusal is a settlement;
 * the function itself fails only for bad arguments, a closed runtime, no
 * memory, or too many in flight, and then nothing settles.
 *
 *   weir_run_options options = WEIR_RUN_OPTIONS_INIT;
 *   options.policy = weir_pipeline_policy(pipeline);
 *   options.deadline_ms = 2000;
 *   weir_run(fetch, &options, on_settled, my_data, NULL, NULL, &error);
 */

#ifdef __cplusplus
extern "C" {
#endif

/* A listener: the call has settled. `outcome` is the call's own: valid while a
 * reference to `call` is held (during this function it is). Never runs inside
 * weir_run(), weir_complete() or weir_call_cancel(). */
typedef void (*weir_settle_fn)(void *data, weir_call *call,
                               const weir_outcome *outcome);

typedef struct weir_run_options {
  uint32_t size;       /* sizeof(weir_run_options) */
  uint32_t permits;    /* what limiters count it as; at least 1, default 1 */
  weir_policy *policy; /* nullable; outside the operation's own policies */
  /* From now until the call settles as stopped with WEIR_ETIMEDOUT; 0 or more,
   * or WEIR_FOREVER (default). Flows inwards: nothing is started or waited for
   * that cannot fit. */
  int64_t deadline_ms;
  /* For keyed policies: `key_size` bytes, copied. NULL with 0: no key. */
  const void *key;
  uint64_t key_size;
  /* For logs and the audit; copied; nullable. */
  const char *name;
  /* What attempts get as input; a reference is taken; nullable. */
  weir_value *input;
  /* Handed to start as it is; nullable. */
  void *context;
  /* Deliver the settlement as a SETTLED record with `user` instead of calling
   * `settle` (which must be NULL then); nullable. */
  weir_completions *queue;
  uint64_t user;
  /* Order in queues that go by priority: 0 (first) to 63, default 31. */
  uint32_t priority;
  uint32_t reserved; /* 0 */
} weir_run_options;

#define WEIR_RUN_OPTIONS_INIT                                             \
  {                                                                       \
    sizeof(weir_run_options), 1, NULL, WEIR_FOREVER, NULL, 0, NULL, NULL, \
        NULL, NULL, 0, 31, 0                                              \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_run_options). */
WEIR_API void weir_run_options_init(weir_run_options *options, size_t size);

/* Starts a run. `options` NULL: defaults. `settle` nullable. `free_data`
 * (nullable) gets `data` once, after settle has returned, or at once when this
 * fails. `call` nullable: where to store the call, of which the caller then
 * owns one reference; it is stored before the run is published. `error`
 * nullable. The run begins in a later turn, never inside this function. Any
 * thread. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM, WEIR_ECLOSED,
 * WEIR_EFULL, WEIR_EFORKED. */
WEIR_API weir_status weir_run(weir_operation *operation,
                              const weir_run_options *options,
                              weir_settle_fn settle, void *data,
                              weir_free_fn free_data, weir_call **call,
                              weir_error **error);

/* Runs and waits for the settlement, at most `timeout_ms` (0 or more, or
 * WEIR_FOREVER); when that passes the call is cancelled and WEIR_ETIMEDOUT
 * returned. WEIR_OK means it settled: look into `outcome` (required; its size
 * set, see WEIR_OUTCOME_INIT), and give it back with weir_outcome_release().
 * Any thread but the runtime's own (WEIR_ETHREAD); with the manual driver
 * another thread must be processing. Errors otherwise as weir_run(). */
WEIR_API weir_status weir_run_wait(weir_operation *operation,
                                   const weir_run_options *options,
                                   int64_t timeout_ms, weir_outcome *outcome,
                                   weir_error **error);

/* One reference more; returns `call`. Any thread. */
WEIR_API weir_call *weir_call_ref(weir_call *call);

/* One reference less; the run goes on. Any thread. */
WEIR_API void weir_call_unref(weir_call *call);

/* Asks the run to stop: it settles as stopped with WEIR_ECANCELLED, attempts
 * are told. WEIR_OK also if it is about to settle otherwise; WEIR_ESTALE if it
 * has settled. Never settles inside this function. Any thread. */
WEIR_API weir_status weir_call_cancel(weir_call *call);

/* Waits until the call has settled (with a settle function: until that has
 * returned), at most `timeout_ms` (0 or more, or WEIR_FOREVER). Errors:
 * WEIR_ETIMEDOUT (the run goes on), WEIR_ETHREAD on the runtime's thread,
 * WEIR_EFORKED. */
WEIR_API weir_status weir_call_wait(weir_call *call, int64_t timeout_ms);

/* The outcome, lent while a reference is held; NULL until settled. Any thread.
 */
WEIR_API const weir_outcome *weir_call_outcome(weir_call *call);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/runtime.h */

#ifndef WEIR_RUNTIME_H
#define WEIR_RUNTIME_H

/*
 * A runtime is the engine with its clock, timers, allocator and random source,
 * fed by a driver. All callbacks of its runs come on one thread, the RUNTIME'S
 * THREAD:
 *
 *   WEIR_DRIVER_THREAD  a thread of weir's own, named "weir", started when the
 *                       first run needs it, all signals blocked
 *   WEIR_DRIVER_UV      the thread that runs the caller's uv loop. weir never
 *                       runs, stops or walks the loop and closes only its own
 *                       handles. With nothing in flight it does not keep the
 *                       loop alive (see weir_runtime_hold())
 *   WEIR_DRIVER_MANUAL  the thread that calls weir_runtime_process()
 *
 * Callbacks come in two kinds. LISTENERS (settle, on_cancel, on_state_change,
 * on_event, on_retry, closed) run on the runtime's thread, in order, never
 * inside the call that caused them, with no lock held; they may call anything,
 * and unref what calls them. DECIDERS (classify, should_retry, ...) run on the
 * thread that asks, with no lock held, and must answer at once.
 *
 * Lifetime. The last weir_runtime_unref() begins closing, as does
 * weir_runtime_close(): new runs are refused with WEIR_ECLOSED, everything in
 * flight settles as stopped with status WEIR_ECLOSED, then `on_closed` runs.
 * Attempts that were started and not yet completed (orphans) get close_grace_ms
 * to end; what is still out then is reported through the log. Completing a
 * token later stays safe for ever. With the manual driver the last unref
 * settles what is left inside the call.
 *
 * fork(): a runtime lives in the process that made it. In the child, running
 * and waiting return WEIR_EFORKED; only unref is of use, and frees nothing.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

enum { WEIR_DRIVER_THREAD = 0, WEIR_DRIVER_UV = 1, WEIR_DRIVER_MANUAL = 2 };

/* What a runtime's event listener is told; for metrics. */
enum {
  WEIR_EVENT_STATE_CHANGE = 1, /* a breaker: from, to, reason */
  WEIR_EVENT_RETRY = 2,        /* a retry is about to wait: count, delay_ns */
  WEIR_EVENT_REFUSAL = 3,      /* a run was refused: status, delay_ns */
  WEIR_EVENT_EVICTION = 4      /* a cache or keyed limiter gave an entry up */
};

typedef struct weir_event {
  uint32_t size;
  uint32_t kind;             /* WEIR_EVENT_* */
  const char *name;          /* of the policy, valid during the call, or "" */
  const weir_policy *policy; /* borrowed; may be only compared and ref'd */
  weir_status status;        /* the refusal's or the failed attempt's status */
  uint32_t from;             /* state before (WEIR_BREAKER_*) */
  uint32_t to;               /* state after */
  uint32_t reason;           /* why, in the policy's own numbers */
  uint64_t count;            /* attempt number; events missed before this one */
  int64_t delay_ns;          /* the delay, or retry_after */
  int64_t at_ns;             /* the runtime's time */
} weir_event;

/* A listener. */
typedef void (*weir_event_fn)(void *data, const weir_event *event);

/* Called on any thread when a manual runtime has new work: have
 * weir_runtime_process() called soon. Must not call weir. */
typedef void (*weir_wakeup_fn)(void *data);

/* Told once, on the runtime's thread, when everything has settled. `orphans`
 * attempts were then still running. */
typedef void (*weir_closed_fn)(void *data, uint64_t orphans);

typedef struct weir_runtime_options {
  uint32_t size;   /* sizeof(weir_runtime_options) */
  uint32_t driver; /* WEIR_DRIVER_*; default thread */
  /* Required with WEIR_DRIVER_UV, otherwise NULL. Must stay open until
   * `on_closed` has run. */
  struct uv_loop_s *loop;
  /* Manual driver only; nullable. */
  weir_wakeup_fn wakeup;
  void *wakeup_data;
  weir_free_fn wakeup_free_data;
  /* NULL: malloc and free. Copied. */
  const weir_allocator *allocator;
  /* Seeds jitter and hashing. 0 (default): from the system. Any other number
   * makes a manual runtime replay bit for bit. */
  uint64_t seed;
  /* Unsettled calls and orphans at most; beyond it weir_run() returns
   * WEIR_EFULL. At least 1, or WEIR_UNLIMITED (default). */
  int64_t max_in_flight;
  /* How long orphans may go on after closing before they are reported; 0 or
   * more, or WEIR_FOREVER. Default 5000. */
  int64_t close_grace_ms;
  /* Nullable. Lines up to `log_level` reach it. */
  weir_log_fn log;
  void *log_data;
  weir_free_fn log_free_data;
  /* Nullable listener of what the policies do. */
  weir_event_fn on_event;
  void *event_data;
  weir_free_fn event_free_data;
  /* Nullable listener of the end. */
  weir_closed_fn on_closed;
  void *closed_data;
  weir_free_fn closed_free_data;
  /* Copied; NULL means "weir". */
  const char *name;
  int32_t log_level; /* WEIR_LOG_*; default off */
  uint32_t reserved; /* 0 */
} weir_runtime_options;

#define WEIR_RUNTIME_OPTIONS_INIT                                             \
  {                                                                           \
    sizeof(weir_runtime_options), WEIR_DRIVER_THREAD, NULL, NULL, NULL, NULL, \
        NULL, 0, WEIR_UNLIMITED, 5000, NULL, NULL, NULL, NULL, NULL, NULL,    \
        NULL, NULL, NULL, NULL, WEIR_LOG_OFF, 0                               \
  }

/* Writes the defaults into `options`; `size` is the caller's
 * sizeof(weir_runtime_options). */
WEIR_API void weir_runtime_options_init(weir_runtime_options *options,
                                        size_t size);

/* Makes a runtime; the caller owns one reference. `options` NULL: all defaults.
 * With WEIR_DRIVER_UV call it on the loop's thread, or before that thread runs
 * the loop. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM, WEIR_ENOTSUP (the
 * system gave no descriptor or thread). `error` nullable. */
WEIR_API weir_status weir_runtime_new(const weir_runtime_options *options,
                                      weir_runtime **out, weir_error **error);

/* One reference more; returns `runtime`. Any thread. */
WEIR_API weir_runtime *weir_runtime_ref(weir_runtime *runtime);

/* One reference less; the last begins closing (above). Never waits. Any thread;
 * the last of a manual runtime on the thread that processes it. */
WEIR_API void weir_runtime_unref(weir_runtime *runtime);

/* Begins closing; further calls do nothing. Any thread. Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_runtime_close(weir_runtime *runtime);

/* Begins closing and waits until everything has settled and orphans have ended
 * or their grace is over; with the thread driver also until the thread is gone,
 * which is what has to be true before dlclose(). At most `timeout_ms` (0 or
 * more, or WEIR_FOREVER). Errors: WEIR_ETIMEDOUT; WEIR_ETHREAD on the runtime's
 * own thread; WEIR_ENOTSUP with the manual driver (process() it instead) or an
 * attached loop. Does not unref. */
WEIR_API weir_status weir_runtime_close_wait(weir_runtime *runtime,
                                             int64_t timeout_ms);

/* WEIR_OK while open, WEIR_ECLOSED from the beginning of closing. Any thread.
 */
WEIR_API weir_status weir_runtime_state(const weir_runtime *runtime);

/* Keeps an attached loop alive while nothing is in flight, so that other
 * threads can submit. Counted: n holds need n releases. Loop's thread only
 * (WEIR_ETHREAD), other drivers: no effect. */
WEIR_API weir_status weir_runtime_hold(weir_runtime *runtime);

/* Undoes one hold. Errors: WEIR_EINVAL if there is none, WEIR_ETHREAD. */
WEIR_API weir_status weir_runtime_release(weir_runtime *runtime);

/* The runtime's monotonic time in nanoseconds: CLOCK_MONOTONIC, or what the
 * manual clock was last given. Any thread. 0 of NULL. */
WEIR_API int64_t weir_runtime_now(const weir_runtime *runtime);

/* Manual driver: sets the clock to `now_ns` (not backwards: an earlier time
 * counts as the current one) and does what is due, at most about 1024 steps.
 * Returns the number of steps taken; call again while
 * weir_runtime_next_deadline() is not later than `now_ns`. One thread at a
 * time, never from inside a callback (returns 0). Other drivers: returns 0. */
WEIR_API uint64_t weir_runtime_process(weir_runtime *runtime, int64_t now_ns);

/* Manual driver: when process() must be called next: the current time if there
 * is work now, INT64_MAX if nothing waits for time. May be earlier than the
 * first timer, never later. Same thread as process(). */
WEIR_API int64_t weir_runtime_next_deadline(weir_runtime *runtime);

/* Gives pooled memory back to the allocator. Any thread; carried out on the
 * runtime's thread (at once when called there). Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_runtime_trim(weir_runtime *runtime);

typedef struct weir_runtime_stats {
  uint32_t size;     /* set by the caller: sizeof(weir_runtime_stats) */
  uint32_t reserved; /* 0 */
  uint64_t runs_accepted;
  uint64_t runs_settled;
  uint64_t attempts_started;
  uint64_t live_calls; /* accepted and not yet settled */
  uint64_t orphans;    /* attempts told to stop and not yet completed */
  uint64_t timers;     /* armed now */
  uint64_t turns;
} weir_runtime_stats;

/* Fills `stats`. The runtime's thread sees exact numbers, others a recent view.
 * Errors: WEIR_EINVAL, WEIR_EABI. */
WEIR_API weir_status weir_runtime_get_stats(const weir_runtime *runtime,
                                            weir_runtime_stats *stats);

enum {
  WEIR_AUDIT_CALL = 1,  /* a run that has not settled */
  WEIR_AUDIT_ORPHAN = 2 /* an attempt told to stop that goes on */
};

typedef struct weir_audit_entry {
  uint32_t kind;      /* WEIR_AUDIT_* */
  uint32_t attempts;  /* started so far */
  int64_t age_ns;     /* since the run was taken up, or the orphan told */
  char name[48];      /* the run's name, cut off; "" if it has none */
  char waits_for[80]; /* such as "limiter 'api': a permit" */
} weir_audit_entry;

/* Writes at most `capacity` entries of `entry_size` (the caller's
 * sizeof(weir_audit_entry)) bytes and in `count` how many there are in all. The
 * runtime's thread, or any while it is not processing (manual); from elsewhere
 * WEIR_ETHREAD. Errors: WEIR_EINVAL, WEIR_EABI. */
WEIR_API weir_status weir_runtime_audit(weir_runtime *runtime,
                                        weir_audit_entry *entries,
                                        size_t entry_size, size_t capacity,
                                        size_t *count);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/sleep.h */

#ifndef WEIR_SLEEP_H
#define WEIR_SLEEP_H

/*
 * An operation that waits. By itself a timer; among racers a timeout or a
 * fallback.
 */

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an operation that settles `sleep_ms` (0 or more, or WEIR_FOREVER) after
 * it was started: with `value` (nullable) if `status` is WEIR_OK, otherwise
 * with `error` (nullable) or, if that is NULL, with a bare error of that
 * status. A reference of value and error is taken. The caller owns one
 * reference. Errors: WEIR_EINVAL (sleep_ms negative, status positive, value
 * beside a failure, error beside WEIR_OK), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_sleep_new(weir_runtime *runtime, int64_t sleep_ms,
                                    weir_status status, weir_value *value,
                                    weir_error *error_result,
                                    weir_operation **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/timeout.h */

#ifndef WEIR_TIMEOUT_H
#define WEIR_TIMEOUT_H

/*
 * A timeout settles what takes too long, at once, as an error with status
 * WEIR_ETIMEDOUT; the operation is told, its late result is freed. The time
 * left flows inwards: retries and queues inside do not wait beyond it.
 */

#ifdef __cplusplus
extern "C" {
#endif

/* A decider: this run's timeout in ms: 0 fires on the next turn, WEIR_FOREVER
 * means none, other negatives count as 0. `context` and `key` are the run's. */
typedef int64_t (*weir_timeout_fn)(void *data, void *context, const void *key,
                                   size_t key_size);

typedef struct weir_timeout_options {
  uint32_t size;     /* sizeof(weir_timeout_options) */
  uint32_t reserved; /* 0 */
  /* Required, unless timeout_for is set; 0 or more, or WEIR_FOREVER. */
  int64_t timeout_ms;
  /* Nullable: asked for each run, instead of timeout_ms (then WEIR_OFF). */
  weir_timeout_fn timeout_for;
  void *timeout_data;
  weir_free_fn timeout_free_data;
  const char *message; /* copied; NULL: "NAME timed out after N ms" */
  const char *name;    /* copied; nullable */
} weir_timeout_options;

/* timeout_ms is required and begins as an illegal -2, so that forgetting it is
 * found. */
#define WEIR_TIMEOUT_OPTIONS_INIT \
  { sizeof(weir_timeout_options), 0, -2, NULL, NULL, NULL, NULL, NULL }

/* Writes the defaults; `size` is the caller's sizeof(weir_timeout_options). */
WEIR_API void weir_timeout_options_init(weir_timeout_options *options,
                                        size_t size);

/* Makes a timeout policy; the caller owns one reference. Errors: WEIR_EINVAL
 * (options NULL too: timeout_ms is required), WEIR_EABI, WEIR_ENOMEM. Any
 * thread. */
WEIR_API weir_status weir_timeout_new(weir_runtime *runtime,
                                      const weir_timeout_options *options,
                                      weir_timeout **out, weir_error **error);

/* One reference more; returns `timeout`. Any thread. */
WEIR_API weir_timeout *weir_timeout_ref(weir_timeout *timeout);

/* One reference less. Any thread. */
WEIR_API void weir_timeout_unref(weir_timeout *timeout);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_timeout_policy(weir_timeout *timeout);

typedef struct weir_timeout_stats {
  uint32_t size;     /* set by the caller: sizeof(weir_timeout_stats) */
  uint32_t reserved; /* 0 */
  uint64_t started;
  uint64_t timed_out;
} weir_timeout_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_timeout_get_stats(weir_timeout *timeout,
                                            weir_timeout_stats *stats);

#ifdef __cplusplus
}
#endif
#endif

/* include/weir/version.h */

#ifndef WEIR_VERSION_H
#define WEIR_VERSION_H

/*
 * The version of the headers (macros) and of the library in use (functions).
 */

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0
/* major × 10000 + minor × 100 + patch, comparable as a number. */
#define WEIR_VERSION_NUMBER \
  (WEIR_VERSION_MAJOR * 10000 + WEIR_VERSION_MINOR * 100 + WEIR_VERSION_PATCH)

/* WEIR_VERSION_NUMBER of the library that answers. Any thread. */
WEIR_API uint32_t weir_version(void);

/* "0.1.0". Static text. Any thread. */
WEIR_API const char *weir_version_string(void);

#ifdef __cplusplus
}
#endif
#endif

#endif

/* include/weir/api.h */

#ifndef WEIR_API_H
#define WEIR_API_H

/*
 * Every function of weir once, for programs that load the library with dlopen()
 * and want a table of pointers. X gets the result, the name and the parameters:
 *
 *   #define MEMBER(result, name, parameters) result(*name) parameters;
 *   struct { WEIR_FUNCTIONS(MEMBER) } weir;
 *
 *   #define LOAD(result, name, parameters) \
 *     *(void **)&weir.name = dlsym(library, #name);
 *   WEIR_FUNCTIONS(LOAD)
 *
 * Written by tests/abi/symbols.py from the other headers; do not edit.
 */

/* include/weir/testing.h */

#ifndef WEIR_TESTING_H
#define WEIR_TESTING_H

/*
 * Virtual time for tests, weir's and users': a manual runtime whose clock goes
 * where the test says. An hour of retries passes in microseconds and the same
 * way each time. All on the thread that processes the runtime.
 *
 *   weir_runtime *runtime;
 *   weir_testing_runtime_new(42, &runtime);
 *   ... weir_run(...) ...
 *   weir_testing_advance(runtime, 1000);   // a second later
 */

#ifdef __cplusplus
extern "C" {
#endif

/* A manual runtime with `seed` (0 counts as 1) and otherwise defaults; its
 * clock begins at one second. Errors: WEIR_EINVAL, WEIR_ENOMEM. */
WEIR_API weir_status weir_testing_runtime_new(uint64_t seed,
                                              weir_runtime **out);

/* Does everything that is due now, without moving the clock. Returns the steps
 * taken. Stops after 100 million steps, so that a loop that never ends is
 * found: compare with weir_runtime_next_deadline(). */
WEIR_API uint64_t weir_testing_run_until_idle(weir_runtime *runtime);

/* Moves the clock forward by `ms`, stopping at each timer on the way, so that
 * each fires at its own time. Returns the steps taken. Errors: 0 of anything
 * but a manual runtime or a negative time. */
WEIR_API uint64_t weir_testing_advance(weir_runtime *runtime, int64_t ms);

/* As weir_testing_advance(), in nanoseconds. */
WEIR_API uint64_t weir_testing_advance_ns(weir_runtime *runtime, int64_t ns);

/* Moves the clock to the next timer and does what is due then; returns 0 if no
 * timer is armed. */
WEIR_API uint64_t weir_testing_advance_to_next(weir_runtime *runtime);

#ifdef __cplusplus
}
#endif
#endif

/* clang-format off */
#define WEIR_FUNCTIONS(X) \
  X(void, weir_breaker_options_init, (weir_breaker_options *options, size_t \
    size)) \
  X(weir_status, weir_breaker_new, (weir_runtime *runtime, const \
    weir_breaker_options *options, weir_breaker **out, weir_error **error)) \
  X(weir_breaker *, weir_breaker_ref, (weir_breaker *breaker)) \
  X(void, weir_breaker_unref, (weir_breaker *breaker)) \
  X(weir_policy *, weir_breaker_policy, (weir_breaker *breaker)) \
  X(weir_status, weir_breaker_acquire, (weir_breaker *breaker, weir_permit \
    *permit, weir_rejection *rejection)) \
  X(weir_status, weir_breaker_acquire_at, (weir_breaker *breaker, weir_permit \
    *permit, weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_breaker_report, (weir_breaker *breaker, weir_permit \
    permit, uint32_t class_, int64_t elapsed_ns)) \
  X(weir_status, weir_breaker_report_at, (weir_breaker *breaker, weir_permit \
    permit, uint32_t class_, int64_t elapsed_ns, int64_t now_ns)) \
  X(weir_status, weir_breaker_acquire_n, (weir_breaker *breaker, size_t count, \
    weir_permit *permits, size_t *granted, weir_rejection *rejection)) \
  X(weir_status, weir_breaker_acquire_n_at, (weir_breaker *breaker, size_t \
    count, weir_permit *permits, size_t *granted, weir_rejection *rejection, \
    int64_t now_ns)) \
  X(weir_status, weir_breaker_report_many, (weir_breaker *breaker, \
    weir_breaker_report_entry *entries, size_t count)) \
  X(weir_status, weir_breaker_report_many_at, (weir_breaker *breaker, \
    weir_breaker_report_entry *entries, size_t count, int64_t now_ns)) \
  X(uint32_t, weir_breaker_state, (weir_breaker *breaker)) \
  X(uint32_t, weir_breaker_state_at, (weir_breaker *breaker, int64_t now_ns)) \
  X(weir_status, weir_breaker_isolate, (weir_breaker *breaker)) \
  X(weir_status, weir_breaker_release, (weir_breaker *breaker)) \
  X(weir_status, weir_breaker_force, (weir_breaker *breaker, uint32_t state)) \
  X(weir_status, weir_breaker_reset, (weir_breaker *breaker)) \
  X(weir_status, weir_breaker_set_options, (weir_breaker *breaker, const \
    weir_breaker_options *options, weir_error **error)) \
  X(weir_status, weir_breaker_get_stats, (weir_breaker *breaker, \
    weir_breaker_stats *stats)) \
  X(weir_status, weir_breaker_snapshot, (weir_breaker *breaker, void *buffer, \
    size_t *size)) \
  X(weir_status, weir_breaker_restore, (weir_breaker *breaker, const void \
    *bytes, size_t size, int64_t elapsed_ms)) \
  X(void, weir_budget_options_init, (weir_budget_options *options, size_t \
    size)) \
  X(weir_status, weir_budget_new, (weir_runtime *runtime, const \
    weir_budget_options *options, weir_budget **out, weir_error **error)) \
  X(weir_budget *, weir_budget_ref, (weir_budget *budget)) \
  X(void, weir_budget_unref, (weir_budget *budget)) \
  X(weir_status, weir_budget_deposit, (weir_budget *budget)) \
  X(weir_status, weir_budget_deposit_at, (weir_budget *budget, int64_t \
    now_ns)) \
  X(weir_status, weir_budget_withdraw, (weir_budget *budget)) \
  X(weir_status, weir_budget_withdraw_at, (weir_budget *budget, int64_t \
    now_ns)) \
  X(weir_status, weir_budget_refund, (weir_budget *budget)) \
  X(weir_status, weir_budget_refund_at, (weir_budget *budget, int64_t now_ns)) \
  X(weir_status, weir_budget_get_stats, (weir_budget *budget, \
    weir_budget_stats *stats)) \
  X(void, weir_completions_options_init, (weir_completions_options *options, \
    size_t size)) \
  X(weir_status, weir_completions_new, (weir_runtime *runtime, const \
    weir_completions_options *options, weir_completions **out, weir_error \
    **error)) \
  X(weir_completions *, weir_completions_ref, (weir_completions *queue)) \
  X(void, weir_completions_unref, (weir_completions *queue)) \
  X(size_t, weir_completions_drain, (weir_completions *queue, weir_record \
    *records, size_t record_size, size_t capacity)) \
  X(size_t, weir_completions_wait, (weir_completions *queue, weir_record \
    *records, size_t record_size, size_t capacity, int64_t timeout_ms)) \
  X(int, weir_completions_fd, (weir_completions *queue)) \
  X(weir_status, weir_error_new, (weir_runtime *runtime, uint32_t domain, \
    int64_t code, const char *message, weir_error **out)) \
  X(weir_status, weir_error_new_with, (weir_runtime *runtime, uint32_t domain, \
    int64_t code, const char *message, weir_error *cause, weir_value *detail, \
    weir_error **out)) \
  X(weir_error *, weir_error_ref, (weir_error *error)) \
  X(void, weir_error_unref, (weir_error *error)) \
  X(weir_status, weir_error_status, (const weir_error *error)) \
  X(uint32_t, weir_error_domain, (const weir_error *error)) \
  X(int64_t, weir_error_code, (const weir_error *error)) \
  X(const char *, weir_error_message, (const weir_error *error)) \
  X(weir_error *, weir_error_cause, (const weir_error *error)) \
  X(size_t, weir_error_count, (const weir_error *error)) \
  X(weir_error *, weir_error_at, (const weir_error *error, size_t position, \
    size_t *index)) \
  X(weir_value *, weir_error_detail, (const weir_error *error)) \
  X(void, weir_limiter_options_init, (weir_limiter_options *options, size_t \
    size)) \
  X(weir_status, weir_limiter_new, (weir_runtime *runtime, const \
    weir_limiter_options *options, weir_limiter **out, weir_error **error)) \
  X(weir_limiter *, weir_limiter_ref, (weir_limiter *limiter)) \
  X(void, weir_limiter_unref, (weir_limiter *limiter)) \
  X(weir_policy *, weir_limiter_policy, (weir_limiter *limiter)) \
  X(weir_status, weir_limiter_add_limit, (weir_limiter *limiter, uint32_t \
    algorithm, int64_t permits, int64_t interval_ms, int64_t burst, weir_error \
    **error)) \
  X(weir_status, weir_limiter_try_acquire, (weir_limiter *limiter, uint32_t \
    permits, weir_permit *permit, weir_rejection *rejection)) \
  X(weir_status, weir_limiter_try_acquire_at, (weir_limiter *limiter, uint32_t \
    permits, weir_permit *permit, weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_limiter_try_acquire_key, (weir_limiter *limiter, const \
    void *key, size_t key_size, uint32_t permits, weir_permit *permit, \
    weir_rejection *rejection)) \
  X(weir_status, weir_limiter_try_acquire_key_at, (weir_limiter *limiter, \
    const void *key, size_t key_size, uint32_t permits, weir_permit *permit, \
    weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_limiter_acquire_n, (weir_limiter *limiter, size_t count, \
    size_t *granted, weir_rejection *rejection)) \
  X(weir_status, weir_limiter_acquire_n_at, (weir_limiter *limiter, size_t \
    count, size_t *granted, weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_limiter_reserve, (weir_limiter *limiter, uint32_t \
    permits, int64_t *wait_ns, weir_permit *reservation)) \
  X(weir_status, weir_limiter_reserve_at, (weir_limiter *limiter, uint32_t \
    permits, int64_t *wait_ns, weir_permit *reservation, int64_t now_ns)) \
  X(weir_status, weir_limiter_cancel_reservation, (weir_limiter *limiter, \
    uint32_t permits, weir_permit reservation)) \
  X(weir_status, weir_limiter_release, (weir_limiter *limiter, weir_permit \
    permit)) \
  X(weir_status, weir_limiter_release_with, (weir_limiter *limiter, \
    weir_permit permit, uint32_t class_, int64_t elapsed_ns)) \
  X(weir_status, weir_limiter_release_key, (weir_limiter *limiter, const void \
    *key, size_t key_size, weir_permit permit)) \
  X(weir_status, weir_limiter_refund, (weir_limiter *limiter, uint32_t \
    permits)) \
  X(int64_t, weir_limiter_available, (weir_limiter *limiter)) \
  X(int64_t, weir_limiter_available_at, (weir_limiter *limiter, int64_t \
    now_ns)) \
  X(weir_status, weir_limiter_drain, (weir_limiter *limiter, int64_t \
    *drained)) \
  X(weir_status, weir_limiter_pause, (weir_limiter *limiter)) \
  X(weir_status, weir_limiter_resume, (weir_limiter *limiter)) \
  X(weir_status, weir_limiter_set_options, (weir_limiter *limiter, const \
    weir_limiter_options *options, weir_error **error)) \
  X(weir_status, weir_limiter_get_stats, (weir_limiter *limiter, \
    weir_limiter_stats *stats)) \
  X(void, weir_log, (weir_runtime *runtime, int32_t level, const char \
    *subject, const char *message)) \
  X(weir_status, weir_operation_new, (weir_runtime *runtime, weir_start_fn \
    start, void *data, weir_free_fn free_data, weir_operation **out, \
    weir_error **error)) \
  X(weir_status, weir_operation_new_blocking, (weir_runtime *runtime, \
    weir_blocking_fn function, void *data, weir_free_fn free_data, \
    weir_operation **out, weir_error **error)) \
  X(weir_status, weir_operation_new_queued, (weir_completions *queue, uint64_t \
    user, weir_operation **out, weir_error **error)) \
  X(weir_operation *, weir_operation_ref, (weir_operation *operation)) \
  X(void, weir_operation_unref, (weir_operation *operation)) \
  X(void, weir_completion_init, (weir_completion *completion, size_t size)) \
  X(weir_status, weir_complete, (weir_runtime *runtime, weir_token token, \
    weir_value *value)) \
  X(weir_status, weir_complete_bytes, (weir_runtime *runtime, weir_token \
    token, const void *data, size_t size)) \
  X(weir_status, weir_complete_pointer, (weir_runtime *runtime, weir_token \
    token, void *pointer, weir_free_fn free_pointer)) \
  X(weir_status, weir_fail, (weir_runtime *runtime, weir_token token, uint32_t \
    domain, int64_t code, const char *message)) \
  X(weir_status, weir_fail_with, (weir_runtime *runtime, weir_token token, \
    weir_error *error)) \
  X(weir_status, weir_complete_with, (weir_runtime *runtime, weir_token token, \
    weir_value *value, weir_error *error, const weir_completion *completion)) \
  X(size_t, weir_outcome_describe, (const weir_outcome *outcome, char *buffer, \
    size_t size)) \
  X(void, weir_outcome_release, (weir_outcome *outcome)) \
  X(weir_status, weir_pipeline_new, (weir_runtime *runtime, weir_policy *const \
    *policies, size_t count, const char *name, weir_pipeline **out, weir_error \
    **error)) \
  X(weir_pipeline *, weir_pipeline_ref, (weir_pipeline *pipeline)) \
  X(void, weir_pipeline_unref, (weir_pipeline *pipeline)) \
  X(weir_policy *, weir_pipeline_policy, (weir_pipeline *pipeline)) \
  X(weir_policy *, weir_policy_ref, (weir_policy *policy)) \
  X(void, weir_policy_unref, (weir_policy *policy)) \
  X(uint32_t, weir_policy_kind, (const weir_policy *policy)) \
  X(const char *, weir_policy_name, (const weir_policy *policy)) \
  X(weir_status, weir_policy_wrap, (weir_policy *policy, weir_operation \
    *operation, weir_operation **out, weir_error **error)) \
  X(void, weir_retry_options_init, (weir_retry_options *options, size_t size)) \
  X(weir_status, weir_retry_new, (weir_runtime *runtime, const \
    weir_retry_options *options, weir_retry **out, weir_error **error)) \
  X(weir_retry *, weir_retry_ref, (weir_retry *retry)) \
  X(void, weir_retry_unref, (weir_retry *retry)) \
  X(weir_policy *, weir_retry_policy, (weir_retry *retry)) \
  X(weir_status, weir_retry_begin, (weir_retry *retry, weir_retry_state \
    *state)) \
  X(weir_status, weir_retry_begin_at, (weir_retry *retry, weir_retry_state \
    *state, int64_t now_ns)) \
  X(weir_status, weir_retry_next, (weir_retry *retry, weir_retry_state *state, \
    uint32_t class_, int64_t asked_delay_ms, int64_t *delay_ns, uint32_t \
    *stop_reason)) \
  X(weir_status, weir_retry_next_at, (weir_retry *retry, weir_retry_state \
    *state, uint32_t class_, int64_t asked_delay_ms, int64_t *delay_ns, \
    uint32_t *stop_reason, int64_t now_ns)) \
  X(weir_status, weir_retry_get_stats, (weir_retry *retry, weir_retry_stats \
    *stats)) \
  X(void, weir_run_options_init, (weir_run_options *options, size_t size)) \
  X(weir_status, weir_run, (weir_operation *operation, const weir_run_options \
    *options, weir_settle_fn settle, void *data, weir_free_fn free_data, \
    weir_call **call, weir_error **error)) \
  X(weir_status, weir_run_wait, (weir_operation *operation, const \
    weir_run_options *options, int64_t timeout_ms, weir_outcome *outcome, \
    weir_error **error)) \
  X(weir_call *, weir_call_ref, (weir_call *call)) \
  X(void, weir_call_unref, (weir_call *call)) \
  X(weir_status, weir_call_cancel, (weir_call *call)) \
  X(weir_status, weir_call_wait, (weir_call *call, int64_t timeout_ms)) \
  X(const weir_outcome *, weir_call_outcome, (weir_call *call)) \
  X(void, weir_runtime_options_init, (weir_runtime_options *options, size_t \
    size)) \
  X(weir_status, weir_runtime_new, (const weir_runtime_options *options, \
    weir_runtime **out, weir_error **error)) \
  X(weir_runtime *, weir_runtime_ref, (weir_runtime *runtime)) \
  X(void, weir_runtime_unref, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_close, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_close_wait, (weir_runtime *runtime, int64_t \
    timeout_ms)) \
  X(weir_status, weir_runtime_state, (const weir_runtime *runtime)) \
  X(weir_status, weir_runtime_hold, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_release, (weir_runtime *runtime)) \
  X(int64_t, weir_runtime_now, (const weir_runtime *runtime)) \
  X(uint64_t, weir_runtime_process, (weir_runtime *runtime, int64_t now_ns)) \
  X(int64_t, weir_runtime_next_deadline, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_trim, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_get_stats, (const weir_runtime *runtime, \
    weir_runtime_stats *stats)) \
  X(weir_status, weir_runtime_audit, (weir_runtime *runtime, weir_audit_entry \
    *entries, size_t entry_size, size_t capacity, size_t *count)) \
  X(weir_status, weir_sleep_new, (weir_runtime *runtime, int64_t sleep_ms, \
    weir_status status, weir_value *value, weir_error *error_result, \
    weir_operation **out, weir_error **error)) \
  X(const char *, weir_status_name, (weir_status status)) \
  X(const char *, weir_status_message, (weir_status status)) \
  X(weir_status, weir_testing_runtime_new, (uint64_t seed, weir_runtime \
    **out)) \
  X(uint64_t, weir_testing_run_until_idle, (weir_runtime *runtime)) \
  X(uint64_t, weir_testing_advance, (weir_runtime *runtime, int64_t ms)) \
  X(uint64_t, weir_testing_advance_ns, (weir_runtime *runtime, int64_t ns)) \
  X(uint64_t, weir_testing_advance_to_next, (weir_runtime *runtime)) \
  X(void, weir_timeout_options_init, (weir_timeout_options *options, size_t \
    size)) \
  X(weir_status, weir_timeout_new, (weir_runtime *runtime, const \
    weir_timeout_options *options, weir_timeout **out, weir_error **error)) \
  X(weir_timeout *, weir_timeout_ref, (weir_timeout *timeout)) \
  X(void, weir_timeout_unref, (weir_timeout *timeout)) \
  X(weir_policy *, weir_timeout_policy, (weir_timeout *timeout)) \
  X(weir_status, weir_timeout_get_stats, (weir_timeout *timeout, \
    weir_timeout_stats *stats)) \
  X(weir_status, weir_value_new_bytes, (weir_runtime *runtime, const void \
    *data, size_t size, weir_value **out)) \
  X(weir_status, weir_value_new_pointer, (weir_runtime *runtime, void \
    *pointer, weir_free_fn free_pointer, weir_value **out)) \
  X(weir_status, weir_value_new_host, (weir_completions *queue, uint64_t id, \
    weir_value **out)) \
  X(weir_value *, weir_value_ref, (weir_value *value)) \
  X(void, weir_value_unref, (weir_value *value)) \
  X(void, weir_values_unref, (weir_value *const *values, size_t count)) \
  X(uint32_t, weir_value_kind, (const weir_value *value)) \
  X(const void *, weir_value_data, (const weir_value *value)) \
  X(size_t, weir_value_size, (const weir_value *value)) \
  X(void *, weir_value_pointer, (const weir_value *value)) \
  X(uint64_t, weir_value_host_id, (const weir_value *value)) \
  X(uint32_t, weir_version, (void)) \
  X(const char *, weir_version_string, (void))

#endif
