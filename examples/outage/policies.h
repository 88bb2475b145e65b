/* SPDX-License-Identifier: MIT */
/*
 * The arms: eight ways to protect the same call. This is the file to copy from.
 *
 *   bare      nothing
 *   timeout   timeout
 *   retry     retry -> timeout
 *   breaker   retry with a budget -> breaker -> timeout
 *   adaptive  adaptive limiter -> retry with a budget -> breaker -> timeout
 *   cached    cache, stale if loading fails -> retry with a budget -> breaker -> timeout
 *   hedged    hedge with a budget -> timeout
 *   fallback  fallback to a stale answer -> retry with a budget -> breaker -> timeout
 */
#ifndef OUTAGE_POLICIES_H
#define OUTAGE_POLICIES_H

#include <weir/weir.h>

enum arm_kind {
  ARM_BARE,
  ARM_TIMEOUT,
  ARM_RETRY,
  ARM_BREAKER,
  ARM_ADAPTIVE,
  ARM_CACHED,
  ARM_HEDGED,
  ARM_FALLBACK,
  ARM_COUNT
};

/*
 * The numbers. A run squeezes the weather of hours into a minute, so times are short; what matters
 * is how they relate to each other, and that holds at any scale.
 */
enum {
  /* Thirty times a healthy answer, so that noise does not fire it, and half of a slow one: better
   * try again than wait. */
  TIMEOUT_MS = 150,

  /* First try and two more. */
  MAX_ATTEMPTS = 3,

  /* The first retry comes after about five healthy answers; two delays and three tries then fit
   * well inside any phase. */
  BASE_DELAY_MS = 25,

  /* Caps the server's wish too: it cannot say less than a second, which in these compressed times
   * would be an hour. */
  MAX_DELAY_MS = 100,

  /* The default. Five in a row happen once in three million calls when one in twenty is too slow,
   * and within a tenth of a second when all fail. */
  FAILURE_THRESHOLD = 5,

  /* How long the breaker stays open. Each moment of it after the upstream is back costs answers,
   * each trial before costs the upstream a request: at a tenth of a second, a trial for every ten
   * calls. */
  RESET_TIMEOUT_MS = 100,

  /* A trial is judged by its timeout; this lease only has to be longer. */
  TRIAL_TIMEOUT_MS = 1000,

  /* Healthy, a hundred calls a second of 5 ms are half a call in flight, and in the slow phase,
   * with retries, one and a half. The limit begins well above, and its floor carries both, so that
   * recovery needs no ramp: what it cuts is the pile of hanging calls before the breaker opens. */
  CONCURRENCY_START = 10,
  CONCURRENCY_MIN = 5,
  CONCURRENCY_MAX = 50,

  /* Longer than this is overload; a healthy call is far below, one that had to retry above. */
  OVERLOAD_LATENCY_MS = 100,

  /* Short: a caller who has queued for longer than a timeout had better be told. */
  QUEUE_LENGTH = 50,
  QUEUE_TIMEOUT_MS = 150,

  /* How old an answer may be. Short, so that most of what this saves is saved by what follows. */
  CACHE_TTL_MS = 1000,

  /* How much older it may be when there is no other: as long as any outage lasts. */
  CACHE_STALE_MS = 3600 * 1000,

  /* Ten times a healthy answer, so that only what is slow is asked for again, and a sixth of a slow
   * one. Where the healthy latency is not known, the quantile 0.9 measures it. */
  HEDGE_DELAY_MS = 50,

  /* The second is slow, too, once in twenty times; two delays and an answer still fit into the
   * timeout. */
  MAX_HEDGES = 2
};

/* At most so many hedges for each call: what slow and failing calls may cost the upstream. Of the
 * slow phase's calls one in twenty is hedged. */
#define HEDGE_RATIO 0.08

/* Null where an arm has none. A call is a run of `operation` under `outermost`. */
struct policies {
  weir_limiter *limiter;
  weir_budget *budget;
  weir_retry *retry;
  weir_breaker *breaker;
  weir_timeout *timeout;
  weir_hedge *hedge;
  weir_fallback *fallback;
  weir_pipeline *pipeline;
  weir_policy *outermost;
  weir_cache *cache; /* fallback: of the answers, which the caller puts there */
  weir_operation *operation;
};

const char *arm_name(enum arm_kind kind);

/* What stands around the call, outermost first. */
const char *arm_description(enum arm_kind kind);

/* Whether the arm has both a budget and a breaker, which is what an upstream survives. */
int arm_is_protected(enum arm_kind kind);

/* Makes what the arm has around `fetch`. `on_change` (data) hears of the breaker's states. */
void policies_init(struct policies *policies, enum arm_kind kind, weir_operation *fetch,
                   weir_runtime *runtime, weir_breaker_change_fn on_change, void *data);
void policies_release(struct policies *policies);

#endif
