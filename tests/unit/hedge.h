/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_HEDGE_H
#define WEIR_TESTS_HEDGE_H

/* What the hedge's test programs share. */

#include "support.h"

static inline weir_hedge_options hedge_options(uint32_t max_hedges, int64_t delay_ms) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  options.max_hedges = max_hedges;
  options.delay_ms = delay_ms;
  return options;
}

static inline weir_hedge *new_hedge(struct fixture *fx, const weir_hedge_options *options) {
  weir_hedge *hedge = NULL;
  assert_int_equal(weir_hedge_new(fx->runtime, options, &hedge, NULL), WEIR_OK);
  return hedge;
}

static inline weir_hedge *make_hedge(struct fixture *fx, uint32_t max_hedges, int64_t delay_ms) {
  weir_hedge_options options = hedge_options(max_hedges, delay_ms);
  return new_hedge(fx, &options);
}

/* Starts `script` under a hedge that the run alone keeps alive. */
static inline struct run *begin_hedged(struct fixture *fx, uint32_t max_hedges, int64_t delay_ms,
                                       struct script *script) {
  weir_hedge *hedge = make_hedge(fx, max_hedges, delay_ms);
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), script->operation);
  weir_hedge_unref(hedge);
  return run;
}

/* Starts `script` under `outer` around `inner`, which the run alone keeps alive. */
static inline struct run *begin_under_two(struct fixture *fx, weir_policy *outer,
                                          weir_policy *inner, struct script *script) {
  weir_policy *policies[] = {outer, inner};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
  weir_pipeline_unref(pipeline);
  return run;
}

static inline weir_hedge_stats hedge_stats(weir_hedge *hedge) {
  weir_hedge_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_hedge_get_stats(hedge, &stats), WEIR_OK);
  return stats;
}

static inline uint64_t armed_timers(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  return stats.timers;
}

/* The error of a run that has settled, borrowed. */
static inline weir_error *error_of(const struct run *run) {
  settled(run);
  const weir_outcome *outcome = weir_call_outcome(run->call);
  assert_non_null(outcome);
  return outcome->error;
}

/* Asserts that an aggregate lists `code` of start `index` at `position`. */
static inline void assert_listed(const struct run *run, size_t position, size_t index,
                                 int64_t code) {
  size_t found = 99;
  weir_error *error = weir_error_at(error_of(run), position, &found);
  assert_non_null(error);
  assert_int_equal(found, index);
  assert_int_equal(weir_error_code(error), code);
}

static inline weir_breaker *make_breaker(struct fixture *fx, uint32_t threshold) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  weir_breaker *breaker = NULL;
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  options.min_calls = threshold;
  options.half_open_max_calls = 2;
  options.half_open_success_threshold = 1;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  return breaker;
}

static inline weir_limiter *make_limiter(struct fixture *fx, int64_t max_concurrent,
                                         int64_t max_queue) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  weir_limiter *limiter = NULL;
  options.max_concurrent = max_concurrent;
  options.max_queue = max_queue;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_OK);
  return limiter;
}

static inline weir_retry *make_retry(struct fixture *fx, int64_t max_attempts, int64_t delay_ms,
                                     weir_budget *budget) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *retry = NULL;
  options.backoff = WEIR_BACKOFF_CONSTANT;
  options.jitter = WEIR_JITTER_NONE;
  options.max_attempts = max_attempts;
  options.base_delay_ms = delay_ms;
  options.budget = budget;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  return retry;
}

#endif
