/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_FLOW_H
#define WEIR_TESTS_FLOW_H

/* What the tests of operations that run others share. */

#include "support.h"

/* Scripted operations as the array that the functions take. */
#define OPERATIONS(...) ((weir_operation *const[]){__VA_ARGS__})
#define COUNTED(...) \
  OPERATIONS(__VA_ARGS__), sizeof(OPERATIONS(__VA_ARGS__)) / sizeof(weir_operation *)

/* The outcome of a run that has settled. */
static inline const weir_outcome *outcome_of(const struct run *run) {
  settled(run);
  return weir_call_outcome(run->call);
}

/* Begins a run and lets everything happen that needs no time; gives `operation` back. */
static inline struct run *run_once(struct fixture *fx, weir_operation *operation) {
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  return run;
}

/* Asserts that the outcome lists the failures of exactly these indices, with these codes. */
static inline void assert_failures(const struct run *run, size_t count, const size_t *indices,
                                   const int64_t *codes) {
  const weir_outcome *outcome = outcome_of(run);
  assert_int_equal(outcome->status, WEIR_EAGGREGATE);
  assert_int_equal(outcome->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(weir_error_count(outcome->error), count);
  for (size_t i = 0; i < count; i++) {
    size_t index = 99;
    weir_error *failure = weir_error_at(outcome->error, i, &index);
    assert_int_equal(index, indices[i]);
    assert_int_equal(weir_error_code(failure), codes[i]);
  }
  assert_null(weir_error_at(outcome->error, count, NULL));
}

/* Of item `index` of a run's list: the number; -1 if it is none. */
static inline int64_t item_number(const struct run *run, size_t index) {
  return value_number(weir_value_item(outcome_of(run)->value, index));
}

/* Of an item that is an error: its code, else 0. */
static inline int64_t item_code(const struct run *run, size_t index) {
  return weir_error_code(weir_value_item_error(outcome_of(run)->value, index));
}

static inline weir_operation *sleep_of(struct fixture *fx, int64_t ms, weir_status status) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, ms, status, NULL, NULL, &sleep, NULL), WEIR_OK);
  return sleep;
}

static inline uint64_t orphans_of(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  weir_runtime_get_stats(fx->runtime, &stats);
  return stats.orphans;
}

#endif
