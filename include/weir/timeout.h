/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TIMEOUT_H
#define WEIR_TIMEOUT_H

/*
 * A timeout settles what takes too long, at once, as an error with status
 * WEIR_ETIMEDOUT; the operation is told, its late result is freed. The time
 * left flows inwards: retries and queues inside do not wait beyond it. Of equal
 * nested timeouts the inner one fires; a caller's cancel in the same turn wins.
 */

#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A decider: this run's timeout in ms: 0 fires on the next turn (so what
 * completes inside its start passes), WEIR_FOREVER means none, other negatives
 * count as 0. `context` and `key` are the run's. */
typedef int64_t (*weir_timeout_fn)(void *data, void *context, const void *key,
                                   size_t key_size);

typedef struct weir_timeout_options {
  uint32_t size;     /* sizeof(weir_timeout_options) */
  uint32_t reserved; /* 0 */
  /* Required, unless timeout_for is set; 0 or more, or WEIR_FOREVER. */
  int64_t timeout_ms;
  /* Nullable: asked for each run, instead of timeout_ms (then WEIR_OFF, or as
   * WEIR_TIMEOUT_OPTIONS_INIT left it). */
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

/* Changes all options live but the name, which must be NULL here. A run that
 * has entered the policy keeps the timeout it entered with. What a replaced set
 * held (a callback's data) is given back once, on the runtime's thread, when
 * the last run that goes by it is over. A bad set changes nothing. Errors:
 * WEIR_EINVAL (`options` NULL too), WEIR_EABI, WEIR_ENOMEM, WEIR_EFORKED. Any
 * thread. */
WEIR_API weir_status weir_timeout_set_options(
    weir_timeout *timeout, const weir_timeout_options *options,
    weir_error **error);

/* One reference more; returns `timeout`. Any thread. */
WEIR_API weir_timeout *weir_timeout_ref(weir_timeout *timeout);

/* One reference less. Any thread. */
WEIR_API void weir_timeout_unref(weir_timeout *timeout);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_timeout_policy(weir_timeout *timeout);

/* The timeout that `policy` is, borrowed; NULL if it is of another kind, and of
 * NULL. Any thread. */
WEIR_API weir_timeout *weir_policy_timeout(weir_policy *policy);

typedef struct weir_timeout_stats {
  uint32_t size;      /* set by the caller: sizeof(weir_timeout_stats) */
  uint32_t reserved;  /* 0 */
  uint64_t started;   /* runs, or tries of a retry outside, that came by */
  uint64_t timed_out; /* of these, cut off here */
} weir_timeout_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_timeout_get_stats(weir_timeout *timeout,
                                            weir_timeout_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
