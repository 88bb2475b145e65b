/* SPDX-License-Identifier: MIT */
#ifndef WEIR_DEBOUNCE_H
#define WEIR_DEBOUNCE_H

/*
 * A debounce runs its operation once a stream of calls has been quiet for
 * wait_ms, with the latest argument: type-ahead search, saving a document,
 * reloading what changed. See weir/pacing.h.
 */

#include <weir/pacing.h>
#include <weir/run.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_debounce weir_debounce;

typedef struct weir_debounce_options {
  uint32_t size;     /* sizeof(weir_debounce_options) */
  uint32_t leading;  /* 1: run at the first call of a burst; default 0 */
  uint32_t trailing; /* 1 (default): run after the quiet period with the latest
                          argument; never twice for a single call */
  uint32_t superseded; /* WEIR_SUPERSEDED_*; default cancel */
  uint32_t overlap;    /* WEIR_OVERLAP_*; default queue */
  uint32_t reserved;   /* 0 */
  int64_t wait_ms; /* the quiet period; 0 or more, or WEIR_FOREVER; default 300.
                          0 runs once what is ready has had its turn */
  /* Under constant calls it runs at least this often; at least wait_ms, or
   * WEIR_FOREVER (default). With leading alone: a burst ends after it, and the
   * next call leads again. */
  int64_t max_wait_ms;
  weir_policy *policy; /* around each run; nullable, a reference is taken */
  const char *name;    /* copied; nullable */
} weir_debounce_options;

#define WEIR_DEBOUNCE_OPTIONS_INIT                               \
  {                                                              \
    sizeof(weir_debounce_options), 0, 1, WEIR_SUPERSEDED_CANCEL, \
        WEIR_OVERLAP_QUEUE, 0, 300, WEIR_FOREVER, NULL, NULL     \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_debounce_options). */
WEIR_API void weir_debounce_options_init(weir_debounce_options *options,
                                         size_t size);

/* Makes a debounce of `operation`, of which it takes a reference; the caller
 * owns one reference. `options` NULL: defaults. Errors: WEIR_EINVAL (neither
 * leading nor trailing, too), WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_debounce_new(weir_runtime *runtime,
                                       weir_operation *operation,
                                       const weir_debounce_options *options,
                                       weir_debounce **out, weir_error **error);

/* Changes wait_ms and max_wait_ms live: what is pending keeps the time it is
 * due, the next call and the next run go by the new ones. leading, trailing,
 * superseded and overlap must be as they are, policy and name NULL. A bad set
 * changes nothing. Errors: WEIR_EINVAL (`options` NULL too), WEIR_EABI,
 * WEIR_ENOMEM (off the runtime's thread), WEIR_EFORKED. Any thread; takes
 * effect on the runtime's. */
WEIR_API weir_status weir_debounce_set_options(
    weir_debounce *debounce, const weir_debounce_options *options,
    weir_error **error);

/* One reference more; returns `debounce`. Any thread. */
WEIR_API weir_debounce *weir_debounce_ref(weir_debounce *debounce);

/* One reference less; what is pending still runs. Any thread. */
WEIR_API void weir_debounce_unref(weir_debounce *debounce);

/* The operation this is; borrowed. */
WEIR_API weir_operation *weir_debounce_operation(weir_debounce *debounce);

/* Calls with `argument` (nullable, a reference is taken) and, if `key` is not
 * NULL, for that key of `key_size` bytes (copied; at most 2^30). The rest is as
 * weir_run(). Any thread. Errors: as weir_run(). */
WEIR_API weir_status weir_debounce_call(weir_debounce *debounce,
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
WEIR_API weir_status weir_debounce_touch(weir_debounce *debounce,
                                         const void *key, size_t key_size,
                                         weir_value *argument);
/* As touch, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_debounce_touch_at(weir_debounce *debounce,
                                            const void *key, size_t key_size,
                                            weir_value *argument,
                                            int64_t now_ns);

/* Forgets what is pending (its calls settle as stopped, WEIR_ECANCELLED), tells
 * the running operation, and begins afresh: the next call leads. `key` NULL:
 * the calls without a key. A key that is idle: does nothing. Any thread; takes
 * effect on the runtime's. Errors: WEIR_EINVAL, WEIR_ENOMEM (off that thread).
 */
WEIR_API weir_status weir_debounce_cancel(weir_debounce *debounce,
                                          const void *key, size_t key_size);

/* Runs now what is pending; otherwise does nothing. What waits for the end of
 * the run before it (WEIR_OVERLAP_QUEUE) goes on waiting. As cancel. */
WEIR_API weir_status weir_debounce_flush(weir_debounce *debounce,
                                         const void *key, size_t key_size);

/* Calls of all keys for which no run has begun; those that the coming run
 * stands for count though they were superseded or left. Any thread. */
WEIR_API uint64_t weir_debounce_pending(weir_debounce *debounce);

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_debounce_get_stats(weir_debounce *debounce,
                                             weir_pacing_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
