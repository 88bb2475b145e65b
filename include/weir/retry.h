/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RETRY_H
#define WEIR_RETRY_H

/*
 * Tries again what failed. With n counting from 0 (the delay before the second
 * try), b = base_delay_ms, m = multiplier and U uniform in [0, 1), the delay is
 *
 *   constant         b
 *   linear           b·(n+1)
 *   exponential      b·mⁿ
 *   decorrelated     b + U·(min(3·previous, max) − b)
 *   decorrelated-v2  (f(n+U) − previous f)·b/1.4, f(t) = 2ᵗ·tanh(√(4t))
 *
 * then jitter (the decorrelated ones have their own), then min_delay_ms and
 * max_delay_ms. As the cap comes last, delays that grew far above it lie at the
 * cap and no longer spread; decorrelated goes on spreading. A delay that the
 * operation asked for (retry_after_ms) replaces the computed one, capped by
 * max_delay_ms. Sources: Brooker, "Exponential Backoff And Jitter" (2015);
 * Polly's DecorrelatedJitterBackoffV2 (2019).
 *
 * What returns after the last try is the last real error or judged value, with
 * the count and the last 8 statuses in the outcome. A value that was judged a
 * failure returns as an error with status WEIR_EEXHAUSTED that still carries
 * it, whatever the reason to stop. After real failures and then a refusal, the
 * last real error returns with stop_reason refused, and the refusal's rejection
 * and retry_after_ms beside it.
 */

#include <weir/budget.h>
#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_BACKOFF_CONSTANT = 0,
  WEIR_BACKOFF_LINEAR = 1,
  WEIR_BACKOFF_EXPONENTIAL = 2,
  WEIR_BACKOFF_DECORRELATED = 3,
  WEIR_BACKOFF_DECORRELATED_V2 = 4
};

/* With d the delay, f = jitter_factor. */
enum {
  WEIR_JITTER_NONE = 0,
  WEIR_JITTER_FULL = 1,         /* U·d */
  WEIR_JITTER_EQUAL = 2,        /* d/2 + U·d/2 */
  WEIR_JITTER_PROPORTIONAL = 3, /* d·(1 + f·U) */
  WEIR_JITTER_SYMMETRIC = 4     /* d·(1 + f·(2U − 1)) */
};

/* A decider: not 0 to try again, 0 to stop (stop_reason classified). `attempt`
 * counts from 1. */
typedef int32_t (*weir_should_retry_fn)(void *data, const weir_outcome *outcome,
                                        uint32_t attempt);

/* A listener: attempt number `attempt` ended with `outcome`; the next begins in
 * `delay_ns`. */
typedef void (*weir_on_retry_fn)(void *data, uint32_t attempt, int64_t delay_ns,
                                 const weir_outcome *outcome);

typedef struct weir_retry_options {
  uint32_t size;    /* sizeof(weir_retry_options) */
  uint32_t backoff; /* WEIR_BACKOFF_*; default exponential */
  /* Total tries, the first included; at least 1, or WEIR_UNLIMITED; default 3.
   */
  int64_t max_attempts;
  int64_t base_delay_ms; /* 0 or more; default 1000 */
  int64_t max_delay_ms;  /* 0 or more; default 30000; always holds */
  int64_t min_delay_ms;  /* 0 to max_delay_ms; default 0; of computed delays */
  double multiplier;     /* 1 to 1000; default 2 */
  double jitter_factor;  /* 0 to 1; default 0.3 */
  uint32_t jitter;       /* WEIR_JITTER_*; default proportional */
  /* 1: a refusal that carries retry_after is waited for and tried again, if it
   * fits the deadline; default 0: it returns at once. */
  uint32_t retry_refusals;
  /* From the first try: no try starts after it, and a delay that would pass it
   * is not slept; 0 or more, or WEIR_FOREVER (default). */
  int64_t max_elapsed_ms;
  /* For each try; when it passes, a failure (WEIR_ETIMEDOUT) for every layer
   * inside; 0 or more, or WEIR_FOREVER (default). */
  int64_t attempt_timeout_ms;
  /* Nullable, of the same runtime; a reference is taken. The first attempt of a
   * run is deposited, each later one withdrawn before its wait; neither counts
   * if no attempt came of it (refused, cancelled). */
  weir_budget *budget;
  /* Nullable; see weir/policy.h. */
  weir_classify_fn classify;
  void *classify_data;
  weir_free_fn classify_free_data;
  /* Nullable; `failures_count` ranges, copied: only these user errors are
   * failures, unless classify says otherwise. */
  const weir_error_range *failures;
  uint64_t failures_count;
  /* Nullable: asked for each failure that is not final. */
  weir_should_retry_fn should_retry;
  void *should_retry_data;
  weir_free_fn should_retry_free_data;
  /* Nullable: told before each wait. */
  weir_on_retry_fn on_retry;
  void *on_retry_data;
  weir_free_fn on_retry_free_data;
  const char *name; /* copied; nullable */
} weir_retry_options;

#define WEIR_RETRY_OPTIONS_INIT                                              \
  {                                                                          \
    sizeof(weir_retry_options), WEIR_BACKOFF_EXPONENTIAL, 3, 1000, 30000, 0, \
        2.0, 0.3, WEIR_JITTER_PROPORTIONAL, 0, WEIR_FOREVER, WEIR_FOREVER,   \
        NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, \
        NULL                                                                 \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_retry_options). */
WEIR_API void weir_retry_options_init(weir_retry_options *options, size_t size);

/* Makes a retry policy; the caller owns one reference. `options` NULL:
 * defaults. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_retry_new(weir_runtime *runtime,
                                    const weir_retry_options *options,
                                    weir_retry **out, weir_error **error);

/* Changes all options live but the name, which must be NULL here. A run that
 * has entered the policy goes on by what it entered with; the decide door
 * changes with its next call. What a replaced set held (callbacks' data, the
 * budget) is given back once, on the runtime's thread, when the last run that
 * goes by it is over. A bad set changes nothing. Errors: WEIR_EINVAL (`options`
 * NULL too), WEIR_EABI, WEIR_ENOMEM, WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_retry_set_options(weir_retry *retry,
                                            const weir_retry_options *options,
                                            weir_error **error);

/* One reference more; returns `retry`. Any thread. */
WEIR_API weir_retry *weir_retry_ref(weir_retry *retry);

/* One reference less. Any thread. */
WEIR_API void weir_retry_unref(weir_retry *retry);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_retry_policy(weir_retry *retry);

/* The retry that `policy` is, borrowed; NULL if it is of another kind, and of
 * NULL. Any thread. */
WEIR_API weir_retry *weir_policy_retry(weir_policy *policy);

/*
 * Decide door, for hosts that do the trying and the sleeping themselves:
 *
 *   weir_retry_state state;
 *   weir_retry_begin(retry, &state);
 *   while (try_it(&class_, &asked_ms),
 *          weir_retry_next(retry, &state, class_, asked_ms, &delay_ns,
 *                          &reason) == WEIR_OK)
 *     host_sleep(delay_ns);
 */

/* One logical call's progress; the caller's memory, no need to give back. One
 * thread at a time. */
typedef struct weir_retry_state {
  uint64_t opaque[4];
} weir_retry_state;

/* Starts: the first try begins now; deposits in the budget. Errors:
 * WEIR_EINVAL. Any thread, allocates nothing. */
WEIR_API weir_status weir_retry_begin(weir_retry *retry,
                                      weir_retry_state *state);
/* As begin, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_retry_begin_at(weir_retry *retry,
                                         weir_retry_state *state,
                                         int64_t now_ns);

/* A try ended as `class_` (WEIR_CLASS_SUCCESS to WEIR_CLASS_ABANDON; none is an
 * error: there is no outcome to judge); the peer asked for `asked_delay_ms`
 * (negative if not). WEIR_OK: try again after `delay_ns`. WEIR_ESTOP: do not,
 * `stop_reason` (nullable, WEIR_STOP_*) says why; also after a success, with
 * WEIR_STOP_NONE. Once stopped, asking again says the same. A withdrawn retry
 * that is then not started is given back with weir_budget_refund(). What needs
 * an outcome or a timer is the host's own: classify, failures, should_retry,
 * on_retry, attempt_timeout_ms. Reads the clock only for max_elapsed_ms and a
 * budget. Errors: WEIR_EINVAL (also a state that was never begun). */
WEIR_API weir_status weir_retry_next(weir_retry *retry, weir_retry_state *state,
                                     uint32_t class_, int64_t asked_delay_ms,
                                     int64_t *delay_ns, uint32_t *stop_reason);
/* As next, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_retry_next_at(weir_retry *retry,
                                        weir_retry_state *state,
                                        uint32_t class_, int64_t asked_delay_ms,
                                        int64_t *delay_ns,
                                        uint32_t *stop_reason, int64_t now_ns);

typedef struct weir_retry_stats {
  uint32_t size;            /* set by the caller: sizeof(weir_retry_stats) */
  uint32_t reserved;        /* 0 */
  uint64_t calls;           /* first attempts */
  uint64_t retries;         /* attempts after the first */
  uint64_t succeeded_first; /* calls that needed no retry */
  uint64_t succeeded_later; /* calls that a retry saved */
  uint64_t gave_up;         /* calls that ended as failures; the others ended
                               refused, ignored or cancelled, or go on */
  uint64_t refused_by_budget;
} weir_retry_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_retry_get_stats(weir_retry *retry,
                                          weir_retry_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
