/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FLIGHT_H
#define WEIR_FLIGHT_H

/*
 * Single flight: of runs with the same key that overlap, one does the work and
 * all get its outcome. Nothing is kept afterwards; for that see weir/cache.h.
 *
 * Each waiting run has its own deadline and can be cancelled; the work goes on
 * for the others, and is cancelled when the last of them has left. The first
 * one's operation and input are used, its context, permits and priority too: so
 * what the context points to has to stay until the work has ended, which may be
 * after that run. Attempts get the key (weir_attempt.key).
 * The work is a run of its own, which counts towards the runtime's
 * max_in_flight; policies for it are wrapped around the operation.
 */

#include <weir/run.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_flight weir_flight;

typedef struct weir_flight_options {
  uint32_t size;     /* sizeof(weir_flight_options) */
  uint32_t reserved; /* 0 */
  /* Of the shared run, which has no caller's deadline; then it fails with
   * WEIR_ETIMEDOUT. 0 or more, or WEIR_FOREVER (default). */
  int64_t timeout_ms;
  const char *name; /* copied; nullable */
} weir_flight_options;

#define WEIR_FLIGHT_OPTIONS_INIT \
  { sizeof(weir_flight_options), 0, WEIR_FOREVER, NULL }

/* Writes the defaults; `size` is the caller's sizeof(weir_flight_options). */
WEIR_API void weir_flight_options_init(weir_flight_options *options,
                                       size_t size);

/* Makes a group of keys; the caller owns one reference. `options` NULL:
 * defaults. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_flight_new(weir_runtime *runtime,
                                     const weir_flight_options *options,
                                     weir_flight **out, weir_error **error);

/* One reference more; returns `flight`. Any thread. */
WEIR_API weir_flight *weir_flight_ref(weir_flight *flight);

/* One reference less. Runs in flight keep it alive. Any thread. */
WEIR_API void weir_flight_unref(weir_flight *flight);

/* Runs `operation`, or waits for the run of this key (of `key_size` bytes,
 * copied; NULL with 0: the empty key) that is going on. `input` is nullable, a
 * reference is taken. The rest is as weir_run(). Any thread. Errors: as
 * weir_run(). */
WEIR_API weir_status weir_flight_run(weir_flight *flight, const void *key,
                                     size_t key_size, weir_operation *operation,
                                     weir_value *input, weir_settle_fn settle,
                                     void *data, weir_free_fn free_data,
                                     weir_call **call, weir_error **error);

/* Makes it an operation: the run's key is the key (none: the empty key), its
 * input the operation's. The caller owns one reference. Errors: WEIR_EINVAL,
 * WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_flight_operation(weir_flight *flight,
                                           weir_operation *operation,
                                           weir_operation **out,
                                           weir_error **error);

/* The next run with this key begins anew; one that is going on stays with
 * those who wait for it. Any thread; takes effect on the runtime's, before runs
 * begun after it by this thread. Errors: WEIR_EINVAL, WEIR_ENOMEM. */
WEIR_API weir_status weir_flight_forget(weir_flight *flight, const void *key,
                                        size_t key_size);

typedef struct weir_flight_stats {
  uint32_t size;     /* set by the caller: sizeof(weir_flight_stats) */
  uint32_t reserved; /* 0 */
  uint64_t calls;    /* ever */
  uint64_t runs;     /* of the work, begun, ever */
  uint64_t shared;   /* calls that found one going on, ever */
  uint64_t running;  /* now */
  uint64_t waiting;  /* calls that have not settled, now */
} weir_flight_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_flight_get_stats(weir_flight *flight,
                                           weir_flight_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
