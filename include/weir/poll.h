/* SPDX-License-Identifier: MIT */
#ifndef WEIR_POLL_H
#define WEIR_POLL_H

/*
 * An operation that runs another one again and again until its value is what is
 * waited for: a job that must be done, a payment that is no longer pending. The
 * first try begins at once; interval_ms counts from the end of a try, so tries
 * never overlap. What fails, is refused or times out further in is tolerated
 * and tried again, but not a failure that was completed as final, and not what
 * was cancelled or superseded.
 *
 * It ends with the value that was accepted; or, when no further try is allowed,
 * with the last error, or, if the last try brought a value, as an error with
 * status WEIR_EEXHAUSTED that still carries that value. stop_reason says why:
 * attempts, elapsed, no time left before the deadline (then it does not sleep
 * until there), final, or no memory. There is no sleep after the last try.
 *
 * Policies around the operation that is given are around each try; those around
 * the poll (a timeout, a run's deadline) around all of them.
 */

#include <weir/operation.h>
#include <weir/outcome.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A decider, asked for each value: not 0 if it is the one, 0 to poll again. */
typedef int32_t (*weir_poll_until_fn)(void *data, const weir_outcome *outcome);

typedef struct weir_poll_options {
  uint32_t size;       /* sizeof(weir_poll_options) */
  uint32_t reserved;   /* 0 */
  int64_t interval_ms; /* required; 0 or more */
  /* Tries, the first included; at least 1, or WEIR_UNLIMITED (default). */
  int64_t max_attempts;
  /* From the first try: no try starts after it, and an interval that would pass
   * it is not slept; 0 or more, or WEIR_FOREVER (default). */
  int64_t max_elapsed_ms;
  /* Nullable: any value that was not completed as a failure. */
  weir_poll_until_fn until;
  void *until_data;
  weir_free_fn until_free_data;
  const char *name; /* for the audit; copied; nullable */
} weir_poll_options;

/* interval_ms begins as an illegal -2, so that forgetting it is found. */
#define WEIR_POLL_OPTIONS_INIT                                            \
  {                                                                       \
    sizeof(weir_poll_options), 0, -2, WEIR_UNLIMITED, WEIR_FOREVER, NULL, \
        NULL, NULL, NULL                                                  \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_poll_options). */
WEIR_API void weir_poll_options_init(weir_poll_options *options, size_t size);

/* Makes an operation that polls `operation`, of which it takes a reference; the
 * caller owns one reference of it. Errors: WEIR_EINVAL (options NULL too:
 * interval_ms is required), WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_poll_new(weir_operation *operation,
                                   const weir_poll_options *options,
                                   weir_operation **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
