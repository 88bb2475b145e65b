/* SPDX-License-Identifier: MIT */
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

#include <weir/operation.h>
#include <weir/outcome.h>
#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A listener: the call has settled. `outcome` is the call's own: valid while a
 * reference to `call` is held (during this function it is). Never runs inside
 * weir_run(), weir_complete() or weir_call_cancel(). */
typedef void (*weir_settle_fn)(void *data, weir_call *call,
                               const weir_outcome *outcome);

typedef struct weir_run_options {
  uint32_t size;    /* sizeof(weir_run_options) */
  uint32_t permits; /* what limiters count it as; at least 1, default 1 */
  /* Nullable; outside the operation's own policies. What weir_policy_wrap()
   * would refuse is refused here too (WEIR_EINVAL), but for a breaker or
   * limiter that is among these already: that counts the run twice, and the
   * limiter may make it wait for the permit it holds itself, until the queue's
   * timeout or the deadline. */
  weir_policy *policy;
  /* From now until the call settles as stopped with WEIR_ETIMEDOUT; 0 or more,
   * or WEIR_FOREVER (default). Flows inwards: nothing is started or waited for
   * that cannot fit. */
  int64_t deadline_ms;
  /* For keyed policies: `key_size` bytes (at most 2^30), copied. NULL with 0:
   * no key. */
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
  /* Nullable: the scope that the run joins (weir/scope.h); WEIR_ECLOSED if it
   * takes no more. */
  weir_scope *scope;
} weir_run_options;

#define WEIR_RUN_OPTIONS_INIT                                             \
  {                                                                       \
    sizeof(weir_run_options), 1, NULL, WEIR_FOREVER, NULL, 0, NULL, NULL, \
        NULL, NULL, 0, 31, 0, NULL                                        \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_run_options). */
WEIR_API void weir_run_options_init(weir_run_options *options, size_t size);

/* Starts a run. `options` NULL: defaults. `settle` nullable. `free_data`
 * (nullable) gets `data` once, after settle has returned, or at once when this
 * fails. `call` nullable: where to store the call, of which the caller then
 * owns one reference; it is stored before the run is published. `error`
 * nullable. The run begins in a later turn, never inside this function. Any
 * thread. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM, WEIR_ECLOSED,
 * WEIR_EFULL, WEIR_EFORKED, WEIR_ENOTSUP (the system gave no thread). */
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
 * has settled, WEIR_EFORKED. Never settles inside this function. Any thread. */
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
