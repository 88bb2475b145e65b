/* SPDX-License-Identifier: MIT */
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
 * The idea is Finagle's (RetryBudget). Here the bound holds at every
 * withdrawal, for the window that ends with it, with many threads too. Time is
 * counted in tenths of the window, always to the side of fewer retries: a first
 * attempt counts for nine to ten of them, a retry for ten to eleven.
 */

#include <weir/outcome.h>
#include <weir/types.h>

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

/* Changes ratio and min_per_second live; what the window holds stays counted.
 * window_ms must be as it is, and name NULL. A bad set changes nothing. Errors:
 * WEIR_EINVAL (`options` NULL too), WEIR_EABI. Any thread. */
WEIR_API weir_status weir_budget_set_options(weir_budget *budget,
                                             const weir_budget_options *options,
                                             weir_error **error);

/* One reference more; returns `budget`. Any thread. */
WEIR_API weir_budget *weir_budget_ref(weir_budget *budget);

/* One reference less. Any thread. */
WEIR_API void weir_budget_unref(weir_budget *budget);

/* Counts an outermost first attempt. Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_budget_deposit(weir_budget *budget);
/* As deposit, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_budget_deposit_at(weir_budget *budget,
                                            int64_t now_ns);

/* Takes one retry: WEIR_OK, or WEIR_ELIMITED when there is nothing left.
 * Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_budget_withdraw(weir_budget *budget);
/* As withdraw, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_budget_withdraw_at(weir_budget *budget,
                                             int64_t now_ns);

/* As withdraw; a refusal fills `rejection` (nullable; its `size` set): the
 * numbers of the window and when a withdrawal will pass. Errors: WEIR_EINVAL,
 * WEIR_EABI (a size that cannot be; nothing was taken then). */
WEIR_API weir_status weir_budget_try_withdraw(weir_budget *budget,
                                              weir_rejection *rejection);
/* As try_withdraw, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_budget_try_withdraw_at(weir_budget *budget,
                                                 weir_rejection *rejection,
                                                 int64_t now_ns);

/* Gives back a withdrawn retry that never started. Does nothing if none in the
 * window is out. Errors: WEIR_EINVAL. */
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
