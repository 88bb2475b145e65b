/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_SUPPORT_RETRY_H
#define WEIR_TESTS_SUPPORT_RETRY_H

/* What the tests of retry share. */

#include "support.h"

/* Constant, without jitter, so that a test can say when things happen. */
static inline weir_retry_options plain(int64_t max_attempts, int64_t delay_ms) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.backoff = WEIR_BACKOFF_CONSTANT;
  options.jitter = WEIR_JITTER_NONE;
  options.max_attempts = max_attempts;
  options.base_delay_ms = delay_ms;
  return options;
}

static inline weir_retry *make_retry(struct fixture *fx, const weir_retry_options *options) {
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, options, &retry, NULL), WEIR_OK);
  return retry;
}

/* Starts `script` under a retry that the run alone keeps alive. */
static inline struct run *begin_retried(struct fixture *fx, const weir_retry_options *options,
                                        struct script *script) {
  weir_retry *retry = make_retry(fx, options);
  struct run *run = begin_under(fx, weir_retry_policy(retry), script->operation);
  weir_retry_unref(retry);
  return run;
}

static inline struct run *begin_with_deadline(struct fixture *fx, const weir_retry_options *options,
                                              struct script *script, int64_t deadline_ms) {
  weir_retry *retry = make_retry(fx, options);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.policy = weir_retry_policy(retry);
  run_options.deadline_ms = deadline_ms;
  struct run *run = begin(fx, script->operation, &run_options);
  weir_retry_unref(retry);
  return run;
}

static inline uint64_t armed_timers(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  return stats.timers;
}

/* A classifier: 8-byte values below 100 are failures ("PENDING"). */
static inline uint32_t small_is_pending(void *data, const weir_outcome *outcome) {
  if (data != NULL) ++*(unsigned *)data;
  if (outcome->channel != WEIR_CHANNEL_VALUE) return WEIR_CLASS_NONE;
  return value_number(outcome->value) < 100 ? WEIR_CLASS_FAILURE : WEIR_CLASS_SUCCESS;
}

#endif
