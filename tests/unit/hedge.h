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

#endif
