/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_LIMITER_HELP_H
#define WEIR_TESTS_LIMITER_HELP_H

/* What the limiter's test programs share. */

#include "support.h"

/* Asserts that it can be made. */
static inline weir_limiter *make_limiter(struct fixture *fx, const weir_limiter_options *options) {
  weir_limiter *limiter = NULL;
  weir_error *error = NULL;
  weir_status status = weir_limiter_new(fx->runtime, options, &limiter, &error);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  assert_non_null(limiter);
  return limiter;
}

/* `permits` in `interval_ms`; algorithm WEIR_LIMITER_*. */
static inline weir_limiter_options rate_options(uint32_t algorithm, int64_t permits,
                                                int64_t interval_ms) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.algorithm = algorithm;
  options.permits = permits;
  options.interval_ms = interval_ms;
  return options;
}

static inline weir_limiter *make_rate(struct fixture *fx, uint32_t algorithm, int64_t permits,
                                      int64_t interval_ms) {
  weir_limiter_options options = rate_options(algorithm, permits, interval_ms);
  return make_limiter(fx, &options);
}

/* A keyed limiter of `permits` in `interval_ms`. */
static inline weir_limiter *make_keyed(struct fixture *fx, uint32_t algorithm, int64_t permits,
                                       int64_t interval_ms, int64_t max_keys, uint32_t overflow) {
  weir_limiter_options options = rate_options(algorithm, permits, interval_ms);
  options.max_keys = max_keys;
  options.key_overflow = overflow;
  return make_limiter(fx, &options);
}

static inline weir_limiter *make_concurrent(struct fixture *fx, int64_t max_concurrent,
                                            int64_t max_queue) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = max_concurrent;
  options.max_queue = max_queue;
  return make_limiter(fx, &options);
}

/* Whether `permits` pass at `at_ns`. */
static inline int passes(weir_limiter *limiter, uint32_t permits, int64_t at_ns) {
  return weir_limiter_try_acquire_at(limiter, permits, NULL, NULL, at_ns) == WEIR_OK;
}

/* How many single permits pass at `at_ns`, up to `most`. */
static inline int64_t count_passing(weir_limiter *limiter, int64_t at_ns, int64_t most) {
  int64_t count = 0;
  while (count < most && passes(limiter, 1, at_ns)) ++count;
  return count;
}

/* The rejection of an acquire that is refused at `at_ns`; asserts that it is. */
static inline weir_rejection rejected_at(weir_limiter *limiter, uint32_t permits, int64_t at_ns) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_limiter_try_acquire_at(limiter, permits, NULL, &rejection, at_ns),
                   WEIR_ELIMITED);
  assert_int_equal(rejection.status, WEIR_ELIMITED);
  assert_int_equal(rejection.policy, WEIR_POLICY_LIMITER);
  return rejection;
}

static inline weir_limiter_stats stats_of(weir_limiter *limiter) {
  weir_limiter_stats stats = {.size = sizeof(stats)};
  assert_int_equal(weir_limiter_get_stats(limiter, &stats), WEIR_OK);
  return stats;
}

/* Begins a run under `limiter`; options NULL: defaults. */
static inline struct run *begin_limited(struct fixture *fx, weir_limiter *limiter,
                                        struct script *script, const weir_run_options *options) {
  weir_run_options copy = WEIR_RUN_OPTIONS_INIT;
  if (options != NULL) copy = *options;
  copy.policy = weir_limiter_policy(limiter);
  return begin(fx, script->operation, &copy);
}

/* Finishes the hanging attempt `index` and lets what follows happen. */
static inline void end_attempt(struct fixture *fx, struct script *script, size_t index) {
  assert_int_equal(finish(script, index, "v1"), WEIR_OK);
  run_until_idle(fx);
}

static inline void assert_refused(const struct run *run, weir_status status, uint32_t reason) {
  const struct settlement *result = settled(run);
  assert_int_equal(result->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(result->status, status);
  assert_int_equal(result->error_status, status);
  assert_true(result->has_rejection);
  assert_int_equal(result->rejection.policy, WEIR_POLICY_LIMITER);
  assert_int_equal(result->rejection.status, status);
  assert_int_equal(result->rejection.reason, reason);
}

/* A small generator of its own for property tests. */
static inline uint64_t next_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

#endif
