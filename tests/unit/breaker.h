/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_BREAKER_H
#define WEIR_TESTS_BREAKER_H

/* What the breaker's tests say over and over. */

#include "support.h"

#define BREAKER_OPTIONS ((weir_breaker_options)WEIR_BREAKER_OPTIONS_INIT)

/* What an on_state_change listener was told. */
struct changes {
  weir_breaker_change list[64];
  size_t count;
  uint32_t state_seen[64]; /* by a read inside the listener */
};

/* An empty one that outlives the test's body: what is undelivered comes when the fixture ends. */
static inline struct changes *fresh_changes(void) {
  static struct changes changes;
  memset(&changes, 0, sizeof changes);
  return &changes;
}

static inline void note_change(void *data, weir_breaker *breaker,
                               const weir_breaker_change *change) {
  struct changes *changes = data;
  if (changes->count == COUNT_OF(changes->list)) return;
  changes->state_seen[changes->count] = weir_breaker_state(breaker);
  changes->list[changes->count++] = *change;
}

static inline weir_breaker *make_breaker(struct fixture *fx, const weir_breaker_options *options) {
  weir_breaker *breaker = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, options, &breaker, NULL), WEIR_OK);
  return breaker;
}

static inline weir_permit admitted(weir_breaker *breaker) {
  weir_permit permit = 0;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  assert_true(permit != 0);
  return permit;
}

/* Asserts a refusal for `reason` that says to come again in `retry_after_ms`. */
static inline void assert_refused(weir_breaker *breaker, uint32_t reason, int64_t retry_after_ms) {
  weir_permit permit = 1;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, &rejection), WEIR_EOPEN);
  assert_int_equal(permit, 0);
  assert_int_equal(rejection.status, WEIR_EOPEN);
  assert_int_equal(rejection.policy, WEIR_POLICY_BREAKER);
  assert_int_equal(rejection.reason, reason);
  assert_int_equal(rejection.retry_after_ms, retry_after_ms);
}

static inline void calls_end(weir_breaker *breaker, size_t count, uint32_t class_) {
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(weir_breaker_report(breaker, admitted(breaker), class_, 0), WEIR_OK);
  }
}

static inline void calls_fail(weir_breaker *breaker, size_t count) {
  calls_end(breaker, count, WEIR_CLASS_FAILURE);
}

static inline void calls_succeed(weir_breaker *breaker, size_t count) {
  calls_end(breaker, count, WEIR_CLASS_SUCCESS);
}

static inline weir_breaker_stats stats_of(weir_breaker *breaker) {
  weir_breaker_stats stats;
  memset(&stats, 0xEE, sizeof stats);
  stats.size = sizeof stats;
  assert_int_equal(weir_breaker_get_stats(breaker, &stats), WEIR_OK);
  return stats;
}

#define assert_state(breaker, expected)                                     \
  do {                                                                      \
    assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_##expected); \
    assert_int_equal(stats_of(breaker).state, WEIR_BREAKER_##expected);     \
  } while (0)

#endif
