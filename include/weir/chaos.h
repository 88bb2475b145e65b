/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CHAOS_H
#define WEIR_CHAOS_H

/*
 * Chaos makes an operation misbehave on purpose, to see whether what is around
 * it holds: by seeded probability or by schedule it injects failures, latency,
 * a given outcome, or a hang. It is a policy like any other, so it goes where
 * the trouble is to come from: mostly innermost. Switched off, it costs a run
 * one branch; it is switched on and off live, on any thread.
 *
 * Each run that enters draws once. Latency comes first and goes with all the
 * rest: after it the run fails, gets the given outcome, hangs, or goes on
 * inwards. What is injected stands for an attempt, and is counted as one. A
 * hang ends when the run is stopped: by a timeout, a deadline or its caller.
 * The practice is "Principles of Chaos Engineering" (Basiri et al., 2016).
 */

#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is injected. */
enum {
  WEIR_CHAOS_LATENCY = 1,
  WEIR_CHAOS_FAILURE = 2,
  WEIR_CHAOS_OUTCOME = 3,
  WEIR_CHAOS_HANG = 4
};

/* In this time the rate of `what` is `rate` instead of the option's. */
typedef struct weir_chaos_phase {
  int64_t from_ms;   /* 0 or more, since the chaos was made or last enabled */
  int64_t until_ms;  /* above from_ms, or WEIR_FOREVER; itself not included */
  uint32_t what;     /* WEIR_CHAOS_* */
  uint32_t reserved; /* 0 */
  double rate;       /* 0 to 1 */
} weir_chaos_phase;

typedef struct weir_chaos_options {
  uint32_t size;    /* sizeof(weir_chaos_options) */
  uint32_t enabled; /* 1 (default): on from the beginning; 0: off */
  /* Of the sequence of draws: the same one injects the same. 0 (default): from
   * the runtime's own. */
  uint64_t seed;
  /* Shares of the runs; 0 to 1, default 0. The first three exclude each other
   * and are at most 1 together; where phases make them more, failures go first,
   * hangs last. */
  double failure_rate;
  double outcome_rate;
  double hang_rate;
  double latency_rate;
  /* Uniform between the two; 0 or more, default 0 and 1000. */
  int64_t latency_min_ms;
  int64_t latency_max_ms; /* not below latency_min_ms */
  /* What failures fail with; a reference is taken. NULL (default): WEIR_EFAILED
   * of WEIR_DOMAIN_WEIR, "injected by chaos 'NAME'". */
  weir_error *failure;
  /* What outcomes succeed with; a reference is taken; nullable. */
  weir_value *value;
  /* A schedule; nullable; `phases_count` (65536 at most) phases, copied. Of
   * those of one kind that hold at a moment the last counts. */
  const weir_chaos_phase *phases;
  uint64_t phases_count;
  const char *name; /* copied; nullable */
} weir_chaos_options;

#define WEIR_CHAOS_OPTIONS_INIT                                              \
  {                                                                          \
    sizeof(weir_chaos_options), 1, 0, 0, 0, 0, 0, 0, 1000, NULL, NULL, NULL, \
        0, NULL                                                              \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_chaos_options). */
WEIR_API void weir_chaos_options_init(weir_chaos_options *options, size_t size);

/* Makes a chaos; the caller owns one reference. `options` NULL: defaults, which
 * inject nothing. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_chaos_new(weir_runtime *runtime,
                                    const weir_chaos_options *options,
                                    weir_chaos **out, weir_error **error);

/* Switches it on (1), which begins the schedule at its beginning, or off (0).
 * Runs that have drawn already keep what they drew. Errors: WEIR_EINVAL. Any
 * thread. */
WEIR_API weir_status weir_chaos_enable(weir_chaos *chaos, uint32_t enabled);

/* Changes all options live but the name, which must be NULL here, and
 * `enabled`, which is left to weir_chaos_enable(). The draws begin anew, the
 * schedule goes on; runs that have drawn already keep what they drew. A bad set
 * changes nothing. Errors: WEIR_EINVAL (`options` NULL too), WEIR_EABI,
 * WEIR_ENOMEM, WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_chaos_set_options(weir_chaos *chaos,
                                            const weir_chaos_options *options,
                                            weir_error **error);

/* One reference more; returns `chaos`. Any thread. */
WEIR_API weir_chaos *weir_chaos_ref(weir_chaos *chaos);

/* One reference less. Any thread. */
WEIR_API void weir_chaos_unref(weir_chaos *chaos);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_chaos_policy(weir_chaos *chaos);

/* The chaos that `policy` is, borrowed; NULL if it is of another kind, and of
 * NULL. Any thread. */
WEIR_API weir_chaos *weir_policy_chaos(weir_policy *policy);

typedef struct weir_chaos_stats {
  uint32_t size;    /* set by the caller: sizeof(weir_chaos_stats) */
  uint32_t enabled; /* 1 while it is on */
  uint64_t drawn;   /* runs that entered while it was on */
  uint64_t delayed;
  uint64_t failed;
  uint64_t outcomes;
  uint64_t hung;
} weir_chaos_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_chaos_get_stats(weir_chaos *chaos,
                                          weir_chaos_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
