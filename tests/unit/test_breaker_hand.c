/* SPDX-License-Identifier: MIT */
/* What is done to a breaker by hand: isolate, force, reset. */

#include "breaker.h"

static weir_breaker *listened(struct fixture *fx, weir_breaker_options options,
                              struct changes *changes) {
  options.on_state_change = note_change;
  options.change_data = changes;
  return make_breaker(fx, &options);
}

static void assert_change(const struct changes *changes, size_t index, uint32_t from, uint32_t to,
                          uint32_t reason) {
  assert_true(index < changes->count);
  assert_int_equal(changes->list[index].from, from);
  assert_int_equal(changes->list[index].to, to);
  assert_int_equal(changes->list[index].reason, reason);
  assert_int_equal(changes->list[index].sequence, index + 1);
}

/* ---- isolate, force, reset ------------------------------------------------------------------- */

static void n_isolates_need_n_releases(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker *breaker = listened(fx, BREAKER_OPTIONS, changes);
  weir_permit before = admitted(breaker);
  assert_int_equal(weir_breaker_release(breaker), WEIR_EINVAL);
  for (int i = 0; i < 3; i++) assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  assert_state(breaker, FORCED_OPEN);
  assert_refused(breaker, WEIR_REJECTION_FORCED_OPEN, -1);
  assert_int_equal(weir_breaker_report(breaker, before, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  assert_int_equal(weir_breaker_state_at(breaker, INT64_MAX), WEIR_BREAKER_FORCED_OPEN);
  for (int i = 0; i < 2; i++) assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  assert_state(breaker, FORCED_OPEN);
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  assert_state(breaker, CLOSED);
  assert_int_equal(weir_breaker_release(breaker), WEIR_EINVAL);
  run_until_idle(fx);
  assert_int_equal(changes->count, 2);
  assert_change(changes, 0, WEIR_BREAKER_CLOSED, WEIR_BREAKER_FORCED_OPEN, WEIR_BREAKER_BY_HAND);
  assert_change(changes, 1, WEIR_BREAKER_FORCED_OPEN, WEIR_BREAKER_CLOSED, WEIR_BREAKER_BY_HAND);
  weir_breaker_unref(breaker);
}

static void release_returns_to_closed_with_empty_counts(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  calls_fail(breaker, 4);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  calls_fail(breaker, 4);
  assert_state(breaker, CLOSED);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK); /* of an open one too */
  weir_permit permit = 1;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, &rejection), WEIR_EOPEN);
  assert_int_equal(rejection.failures, 0); /* not what opened it, but a hand */
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void isolation_goes_before_what_is_forced(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_FORCED_CLOSED), WEIR_OK);
  assert_state(breaker, FORCED_OPEN);
  assert_int_equal(weir_breaker_reset(breaker), WEIR_OK);
  assert_state(breaker, FORCED_OPEN);
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  assert_state(breaker, FORCED_CLOSED);
  assert_int_equal(weir_breaker_reset(breaker), WEIR_OK);
  assert_state(breaker, FORCED_CLOSED);
  weir_breaker_unref(breaker);
}

static void forced_closed_admits_all_and_judges_nothing(struct fixture *fx) {
  for (uint32_t mode = WEIR_BREAKER_CONSECUTIVE; mode <= WEIR_BREAKER_TIME_WINDOW; mode++) {
    weir_breaker_options options = BREAKER_OPTIONS;
    options.mode = mode;
    weir_breaker *breaker = make_breaker(fx, &options);
    calls_fail(breaker, 4);
    assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_FORCED_CLOSED), WEIR_OK);
    weir_permit permit = admitted(breaker);
    calls_fail(breaker, 100);
    assert_state(breaker, FORCED_CLOSED);
    assert_int_equal(stats_of(breaker).calls, 0);
    assert_int_equal(stats_of(breaker).failed, 104);
    assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_CLOSED), WEIR_OK);
    assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
    calls_fail(breaker, 4);
    assert_state(breaker, CLOSED);
    weir_breaker_unref(breaker);
  }
}

static void force_takes_only_states_that_can_be_forced(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  static const uint32_t wrong[] = {WEIR_BREAKER_OPEN, WEIR_BREAKER_HALF_OPEN, 6, 7, UINT32_MAX};
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    assert_int_equal(weir_breaker_force(breaker, wrong[i]), WEIR_EINVAL);
  }
  assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_FORCED_OPEN), WEIR_OK);
  assert_refused(breaker, WEIR_REJECTION_FORCED_OPEN, -1);
  assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_CLOSED), WEIR_OK);
  calls_succeed(breaker, 1);
  assert_int_equal(weir_breaker_force(NULL, WEIR_BREAKER_CLOSED), WEIR_EINVAL);
  assert_int_equal(weir_breaker_isolate(NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_release(NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_reset(NULL), WEIR_EINVAL);
  weir_breaker_unref(breaker);
}

static void B14_metrics_only_admits_all_and_says_once_that_it_would_have_opened(
    struct fixture *fx) {
  for (uint32_t mode = WEIR_BREAKER_CONSECUTIVE; mode <= WEIR_BREAKER_TIME_WINDOW; mode++) {
    struct changes *changes = fresh_changes();
    weir_breaker_options options = BREAKER_OPTIONS;
    options.mode = mode;
    options.min_calls = 5;
    weir_breaker *breaker = listened(fx, options, changes);
    assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_METRICS_ONLY), WEIR_OK);
    calls_fail(breaker, 100);
    assert_state(breaker, METRICS_ONLY);
    run_until_idle(fx);
    assert_int_equal(changes->count, 2);
    assert_change(changes, 1, WEIR_BREAKER_METRICS_ONLY, WEIR_BREAKER_METRICS_ONLY,
                  WEIR_BREAKER_BY_FAILURES);
    assert_int_equal(changes->list[1].failures, 5);
    assert_int_equal(stats_of(breaker).times_opened, 0);
    assert_int_equal(stats_of(breaker).failures, 100);

    calls_succeed(breaker, mode == WEIR_BREAKER_CONSECUTIVE ? 1 : 101);
    calls_fail(breaker, 101); /* well again, and ill again */
    run_until_idle(fx);
    assert_int_equal(changes->count, 3);
    weir_breaker_unref(breaker);
  }
}

static void reset_closes_and_makes_permits_stale(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 2;
  options.reset_timeout_ms = 1000;
  options.reset_multiplier = 2;
  weir_breaker *breaker = make_breaker(fx, &options);
  weir_permit permit = admitted(breaker);
  calls_fail(breaker, 2);
  advance_ms(fx, 1000);
  weir_permit trial = admitted(breaker);
  calls_fail(breaker, 1);
  assert_int_equal(stats_of(breaker).open_remaining_ns, 2000 * MS);
  assert_int_equal(weir_breaker_reset(breaker), WEIR_OK);
  assert_state(breaker, CLOSED);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  assert_int_equal(weir_breaker_report(breaker, trial, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  calls_fail(breaker, 1);
  weir_permit closed = admitted(breaker);
  assert_int_equal(weir_breaker_reset(breaker), WEIR_OK); /* a closed one has counts too */
  assert_int_equal(weir_breaker_report(breaker, closed, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  calls_fail(breaker, 1);
  assert_state(breaker, CLOSED);
  calls_fail(breaker, 1);
  assert_int_equal(stats_of(breaker).open_remaining_ns, 1000 * MS);
  assert_int_equal(stats_of(breaker).times_opened, 3);
  weir_breaker_unref(breaker);
}

TEST_MAIN("breaker_hand", TEST(n_isolates_need_n_releases),
          TEST(release_returns_to_closed_with_empty_counts),
          TEST(isolation_goes_before_what_is_forced),
          TEST(forced_closed_admits_all_and_judges_nothing),
          TEST(force_takes_only_states_that_can_be_forced),
          TEST(B14_metrics_only_admits_all_and_says_once_that_it_would_have_opened),
          TEST(reset_closes_and_makes_permits_stale))
