/* SPDX-License-Identifier: MIT */
#ifndef WEIR_HEDGE_H
#define WEIR_HEDGE_H

/*
 * A hedge starts another copy of what is slow: everything inside of it (the
 * operation with the policies around it that stand inside the hedge) runs once
 * more beside what runs already. The first success wins; the others are told to
 * stop (WEIR_CANCEL_LOST) and not waited for. So a hedge cuts the tail off the
 * latency of an operation that may safely run twice, at the price of a few more
 * requests. Source: Dean and Barroso, "The Tail at Scale" (CACM 56/2, 2013).
 *
 * A copy is started when nothing has succeeded delay_ms after the last start,
 * and at once for each that fails: a failure, refusal or ignored outcome (see
 * weir/status.h), but none for a failure that was completed as final. When all
 * have failed and no more may be started, the run fails with WEIR_EAGGREGATE:
 * its errors in the order of the starts, each with its index (0 for the first),
 * a value that was judged a failure as an error with WEIR_EEXHAUSTED that has
 * it as detail; retry_after_ms is the least that any of them asked for. If only
 * one failed, its outcome goes on unchanged (but such a value as status
 * WEIR_EEXHAUSTED that still carries it). What is abandoned (superseded) starts
 * nothing and is not listed; it is the outcome if nothing failed.
 *
 * Attempts of copies count among the outcome's, and their numbers go on. A
 * breaker inside judges the winner and what failed, not the losers; a
 * concurrency permit is held until the loser's work really ends.
 */

#include <weir/budget.h>
#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most copies beside the first. */
#define WEIR_HEDGE_MAX 16

typedef struct weir_hedge_options {
  uint32_t size;       /* sizeof(weir_hedge_options) */
  uint32_t max_hedges; /* copies beside the first, 1 to 16; default 1 */
  /* Required, unless quantile is set; 0 or more. 0: all copies start in the
   * turn of the first, unless that ends inside its start. WEIR_OFF (or as
   * WEIR_HEDGE_OPTIONS_INIT left it) beside quantile: no copy of what is slow
   * before there are samples enough. */
  int64_t delay_ms;
  /* Instead of delay_ms from 20 samples on: this quantile of the latency that
   * the first starts had until something succeeded; above 0 and below 1, or
   * WEIR_OFF (default). 0.95 hedges one run in twenty. Known to 1/16, rounded
   * up; older samples count less and less. */
  double quantile;
  /* Nullable, of the same runtime; a reference is taken. The run's first start
   * is deposited, unless a policy outside did with the same budget; each copy
   * is withdrawn, and not started if that is refused. What no attempt came of
   * is given back. */
  weir_budget *budget;
  /* Nullable; see weir/policy.h. */
  weir_classify_fn classify;
  void *classify_data;
  weir_free_fn classify_free_data;
  /* Nullable; `failures_count` ranges, copied: only these user errors are
   * failures, unless classify says otherwise. The others are ignored outcomes,
   * for which a copy is started, too. */
  const weir_error_range *failures;
  uint64_t failures_count;
  const char *name; /* copied; nullable */
} weir_hedge_options;

/* delay_ms begins as an illegal -2, so that forgetting it is found. */
#define WEIR_HEDGE_OPTIONS_INIT                                                \
  {                                                                            \
    sizeof(weir_hedge_options), 1, -2, WEIR_OFF, NULL, NULL, NULL, NULL, NULL, \
        0, NULL                                                                \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_hedge_options). */
WEIR_API void weir_hedge_options_init(weir_hedge_options *options, size_t size);

/* Makes a hedge policy; the caller owns one reference. Errors: WEIR_EINVAL
 * (options NULL too: delay_ms or quantile is required), WEIR_EABI, WEIR_ENOMEM.
 * Any thread. */
WEIR_API weir_status weir_hedge_new(weir_runtime *runtime,
                                    const weir_hedge_options *options,
                                    weir_hedge **out, weir_error **error);

/* Changes all options live but the name, which must be NULL here. A run that
 * has entered the policy keeps what it entered with; measured latencies are
 * kept. What a replaced set held is given back once, on the runtime's thread,
 * when the last run that goes by it is over. A bad set changes nothing. Errors:
 * WEIR_EINVAL (`options` NULL too), WEIR_EABI, WEIR_ENOMEM, WEIR_EFORKED. Any
 * thread. */
WEIR_API weir_status weir_hedge_set_options(weir_hedge *hedge,
                                            const weir_hedge_options *options,
                                            weir_error **error);

/* One reference more; returns `hedge`. Any thread. */
WEIR_API weir_hedge *weir_hedge_ref(weir_hedge *hedge);

/* One reference less. Any thread. */
WEIR_API void weir_hedge_unref(weir_hedge *hedge);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_hedge_policy(weir_hedge *hedge);

typedef struct weir_hedge_stats {
  uint32_t size;              /* set by the caller: sizeof(weir_hedge_stats) */
  uint32_t reserved;          /* 0 */
  uint64_t started;           /* runs, or tries of a retry outside */
  uint64_t hedged;            /* copies started */
  uint64_t won_by_hedge;      /* of `started`, those that a copy won */
  uint64_t refused_by_budget; /* copies that it did not allow */
  /* What the next run waits; -1: nothing is started beside what is slow. */
  int64_t delay_ns;
  uint64_t samples; /* latencies measured for the quantile */
} weir_hedge_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_hedge_get_stats(weir_hedge *hedge,
                                          weir_hedge_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
