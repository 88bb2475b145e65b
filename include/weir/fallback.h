/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FALLBACK_H
#define WEIR_FALLBACK_H

/*
 * A fallback answers in the place of what failed: with a value, or with another
 * operation, which sees in weir_attempt.failed how the inside ended. It steps
 * in on a failure and on a refusal (see weir/status.h), so also around an open
 * circuit breaker; never on what was cancelled or superseded. A success and an
 * ignored outcome pass unchanged.
 *
 * The operation runs once, with the run's input, key, context and the deadline
 * that is left; what it brings is the outcome. If it fails too, its error is,
 * with that of the inside as cause (without memory for that: its error alone).
 */

#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_fallback_options {
  uint32_t size;      /* sizeof(weir_fallback_options) */
  uint32_t has_value; /* 1: `value`, 0 (default): `operation`; one of both */
  /* Nullable: no value is a value, too; a reference is taken. */
  weir_value *value;
  /* Of the same runtime; a reference is taken. */
  weir_operation *operation;
  /* Nullable; see weir/policy.h. Judges the inside, not the operation. */
  weir_classify_fn classify;
  void *classify_data;
  weir_free_fn classify_free_data;
  /* Nullable; `failures_count` ranges, copied: only these user errors are
   * failures, unless classify says otherwise. */
  const weir_error_range *failures;
  uint64_t failures_count;
  const char *name; /* copied; nullable */
} weir_fallback_options;

#define WEIR_FALLBACK_OPTIONS_INIT                                           \
  {                                                                          \
    sizeof(weir_fallback_options), 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, \
        NULL                                                                 \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_fallback_options). */
WEIR_API void weir_fallback_options_init(weir_fallback_options *options,
                                         size_t size);

/* Makes a fallback policy; the caller owns one reference. Errors: WEIR_EINVAL
 * (options NULL too: a value or an operation is required), WEIR_EABI,
 * WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_fallback_new(weir_runtime *runtime,
                                       const weir_fallback_options *options,
                                       weir_fallback **out, weir_error **error);

/* Changes all options live but the name, which must be NULL here. A run that
 * has entered the policy keeps what it entered with; a new operation must not
 * run others deeper than the first one did. What a replaced set held is given
 * back once, on the runtime's thread, when the last run that goes by it is
 * over. A bad set changes nothing. Errors: WEIR_EINVAL (`options` NULL too),
 * WEIR_EABI, WEIR_ENOMEM, WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_fallback_set_options(
    weir_fallback *fallback, const weir_fallback_options *options,
    weir_error **error);

/* One reference more; returns `fallback`. Any thread. */
WEIR_API weir_fallback *weir_fallback_ref(weir_fallback *fallback);

/* One reference less. Any thread. */
WEIR_API void weir_fallback_unref(weir_fallback *fallback);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_fallback_policy(weir_fallback *fallback);

typedef struct weir_fallback_stats {
  uint32_t size;      /* set by the caller: sizeof(weir_fallback_stats) */
  uint32_t reserved;  /* 0 */
  uint64_t started;   /* runs, or tries of a retry outside */
  uint64_t fell_back; /* of these, those it stepped in for */
  uint64_t failed;    /* of these, those whose operation did not succeed */
} weir_fallback_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_fallback_get_stats(weir_fallback *fallback,
                                             weir_fallback_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
