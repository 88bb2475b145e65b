/* SPDX-License-Identifier: MIT */
#ifndef WEIR_THROTTLE_H
#define WEIR_THROTTLE_H

/*
 * A throttle runs its operation at most once in interval_ms, however many calls
 * come: progress reports, scroll handlers, samples. Runs start at least
 * interval_ms apart, counted from the last start; only cancel and flush reset
 * that. See weir/pacing.h.
 */

#include <weir/pacing.h>
#include <weir/run.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_throttle weir_throttle;

typedef struct weir_throttle_options {
  uint32_t size;       /* sizeof(weir_throttle_options) */
  uint32_t leading;    /* 1 (default): run at the first call at once */
  uint32_t trailing;   /* 1 (default): run at the interval's end with the latest
                          argument; never twice for a single call */
  uint32_t superseded; /* WEIR_SUPERSEDED_*; default share */
  uint32_t overlap;    /* WEIR_OVERLAP_*; default queue */
  uint32_t reserved;   /* 0 */
  int64_t interval_ms; /* 0 or more, or WEIR_FOREVER; default 100 */
  weir_policy *policy; /* around each run; nullable, a reference is taken */
  const char *name;    /* copied; nullable */
} weir_throttle_options;

#define WEIR_THROTTLE_OPTIONS_INIT                              \
  {                                                             \
    sizeof(weir_throttle_options), 1, 1, WEIR_SUPERSEDED_SHARE, \
        WEIR_OVERLAP_QUEUE, 0, 100, NULL, NULL                  \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_throttle_options). */
WEIR_API void weir_throttle_options_init(weir_throttle_options *options,
                                         size_t size);

/* Makes a throttle of `operation`, of which it takes a reference; the caller
 * owns one reference. `options` NULL: defaults. Errors: WEIR_EINVAL (neither
 * leading nor trailing, too), WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_throttle_new(weir_runtime *runtime,
                                       weir_operation *operation,
                                       const weir_throttle_options *options,
                                       weir_throttle **out, weir_error **error);

/* Changes interval_ms live: what is pending keeps the time it is due, the
 * next call and the next run go by the new ones. leading, trailing, superseded
 * and overlap must be as they are, policy and name NULL. A bad set changes
 * nothing. Errors: WEIR_EINVAL (`options` NULL too), WEIR_EABI, WEIR_ENOMEM
 * (off the runtime's thread), WEIR_EFORKED. Any thread; takes effect on the
 * runtime's. */
WEIR_API weir_status weir_throttle_set_options(
    weir_throttle *throttle, const weir_throttle_options *options,
    weir_error **error);

/* One reference more; returns `throttle`. Any thread. */
WEIR_API weir_throttle *weir_throttle_ref(weir_throttle *throttle);

/* One reference less; what is pending still runs. Any thread. */
WEIR_API void weir_throttle_unref(weir_throttle *throttle);

/* The operation this is; borrowed. */
WEIR_API weir_operation *weir_throttle_operation(weir_throttle *throttle);

/* Calls with `argument` (nullable, a reference is taken) and, if `key` is not
 * NULL, for that key of `key_size` bytes (copied; at most 2^30). The rest is as
 * weir_run(). Any thread. Errors: as weir_run(). */
WEIR_API weir_status weir_throttle_call(weir_throttle *throttle,
                                        const void *key, size_t key_size,
                                        weir_value *argument,
                                        weir_settle_fn settle, void *data,
                                        weir_free_fn free_data,
                                        weir_call **call, weir_error **error);

/* Calls without asking for a settlement: the cheapest form, which allocates
 * nothing while something is pending already. `argument` is nullable, a
 * reference is taken. The runtime's thread (WEIR_ETHREAD elsewhere); as long as
 * an attached loop has not run, the thread that will run it. Errors:
 * WEIR_EINVAL, WEIR_ENOMEM, WEIR_ECLOSED. */
WEIR_API weir_status weir_throttle_touch(weir_throttle *throttle,
                                         const void *key, size_t key_size,
                                         weir_value *argument);
/* As touch, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_throttle_touch_at(weir_throttle *throttle,
                                            const void *key, size_t key_size,
                                            weir_value *argument,
                                            int64_t now_ns);

/* Forgets what is pending (its calls settle as stopped, WEIR_ECANCELLED), tells
 * the running operation, and begins afresh: the next call leads. `key` NULL:
 * the calls without a key. A key that is idle: does nothing. Any thread; takes
 * effect on the runtime's. Errors: WEIR_EINVAL, WEIR_ENOMEM (off that thread).
 */
WEIR_API weir_status weir_throttle_cancel(weir_throttle *throttle,
                                          const void *key, size_t key_size);

/* Runs now what is pending; otherwise does nothing. What waits for the end of
 * the run before it (WEIR_OVERLAP_QUEUE) goes on waiting. As cancel. */
WEIR_API weir_status weir_throttle_flush(weir_throttle *throttle,
                                         const void *key, size_t key_size);

/* Calls of all keys for which no run has begun; those that the coming run
 * stands for count though they were superseded or left. Any thread. */
WEIR_API uint64_t weir_throttle_pending(weir_throttle *throttle);

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_throttle_get_stats(weir_throttle *throttle,
                                             weir_pacing_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
