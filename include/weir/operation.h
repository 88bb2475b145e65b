/* SPDX-License-Identifier: MIT */
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

#include <weir/status.h>
#include <weir/types.h>

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
  /* The run's key; NULL with 0: none. Valid while the function runs. */
  const void *key;
  uint64_t key_size;
  /* Which of the operations or items of a race, a parallel ... this is, from 0;
   * 0 elsewhere. */
  uint64_t index;
  /* What failed before, for the operation of a fallback; NULL elsewhere. Valid
   * while the function runs. */
  const struct weir_outcome *failed;
  /* The run's scope (weir/scope.h), borrowed until the attempt is completed;
   * NULL if it is in none. */
  weir_scope *scope;
  /* 1: for several runs at once, such as a cache's load or a flight. `context`
   * is then that of the run that began it, which may settle long before. */
  uint32_t shared;
  uint32_t reserved; /* 0 */
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

/* As `user` of a queued operation: its records carry the `context` of the run
 * options, as a number, in their `user` (0 without one). So one operation
 * serves all runs of a host, which finds in each record which run it is of: a
 * run's items, racers and copies have its context, a load (weir/cache.h) that
 * of the run which began it. */
#define WEIR_USER_OF_RUN UINT64_MAX

/* Makes an operation whose attempts are START records in `queue` (with `user`,
 * or WEIR_USER_OF_RUN) instead of calls: see weir/completions.h. Errors:
 * WEIR_EINVAL, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_operation_new_queued(weir_completions *queue,
                                               uint64_t user,
                                               weir_operation **out,
                                               weir_error **error);

/* As weir_operation_new_queued(), but its attempts are ASK records: a question
 * that the host answers by completing the token, such as for the next item of a
 * parallel (weir/parallel.h). */
WEIR_API weir_status weir_operation_new_asked(weir_completions *queue,
                                              uint64_t user,
                                              weir_operation **out,
                                              weir_error **error);

/* What a start function would have been shown, for the host that holds a
 * drained START or ASK record: fills `attempt`, whose `size` the caller has
 * set; on_cancel, data and free_data are NULL and have no use. number is that
 * attempt's, whatever the run has started since; remaining_ns is from now on.
 * `failed` (nullable, its size set) gets what failed before, for the operation
 * of a fallback, and the attempt's `failed` points to it then (without `failed`
 * to a copy of weir's own); otherwise it gets an outcome whose channel is 0,
 * and the attempt's is NULL.
 *
 * Everything that is pointed to is borrowed until the attempt is completed,
 * also once it was told to stop and when its run has settled. So nobody else
 * may complete it while that is read. Errors: WEIR_ESTALE (completed, or never
 * started), WEIR_ENOTSUP (it was shown to a start function), WEIR_EINVAL,
 * WEIR_EABI, WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_attempt_get(weir_runtime *runtime, weir_token token,
                                      weir_attempt *attempt,
                                      struct weir_outcome *failed);

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
 * (completed before, or never started), WEIR_EFORKED or WEIR_EINVAL. What they
 * take (value, pointer, error) is theirs in every case.
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
