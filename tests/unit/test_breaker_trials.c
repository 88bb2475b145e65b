/* SPDX-License-Identifier: MIT */
/* The half-open breaker: its trials, their leases, and what ends a period. */

#include "breaker.h"

/* A breaker that has just become half-open, by one failure and a second of waiting. */
static weir_breaker *half_open(struct fixture *fx, weir_breaker_options options) {
  options.failure_threshold = 1;
  options.reset_timeout_ms = 1000;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 1);
  advance_ms(fx, 1000);
  assert_state(breaker, HALF_OPEN);
  return breaker;
}

static weir_status report(weir_breaker *breaker, weir_permit permit, uint32_t class_) {
  return weir_breaker_report(breaker, permit, class_, 0);
}

static void B02_a_trial_that_never_returns_reopens_within_one_trial_timeout(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.trial_timeout_ms = 5000;
  weir_breaker *breaker = half_open(fx, options);
  weir_permit hung = admitted(breaker);
  advance_ns(fx, 5000 * MS - 1);
  assert_state(breaker, HALF_OPEN);
  advance_ns(fx, 1);
  assert_state(breaker, OPEN);
  assert_int_equal(stats_of(breaker).open_remaining_ns, 1000 * MS);
  assert_int_equal(report(breaker, hung, WEIR_CLASS_SUCCESS), WEIR_EEXPIRED);
  assert_state(breaker, OPEN);

  advance_ms(fx, 1000);
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(report(breaker, hung, WEIR_CLASS_SUCCESS), WEIR_EEXPIRED);
  calls_succeed(breaker, 2);
  assert_state(breaker, CLOSED);
  assert_int_equal(report(breaker, hung, WEIR_CLASS_FAILURE), WEIR_ESTALE); /* place taken since */
  weir_breaker_stats stats = stats_of(breaker);
  assert_int_equal(stats.stale, 3);
  assert_int_equal(stats.failed, 1);
  assert_int_equal(stats.succeeded, 2);
  weir_breaker_unref(breaker);
}

static void B02_with_two_failures_allowed_the_next_trial_is_admitted_after_the_lease(
    struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.half_open_max_calls = 2;
  options.half_open_success_threshold = 1;
  options.half_open_failures = 2;
  options.trial_timeout_ms = 5000;
  weir_breaker *breaker = half_open(fx, options);
  weir_permit hung = admitted(breaker);
  weir_permit other = admitted(breaker);
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 6000);
  assert_int_equal(report(breaker, other, WEIR_CLASS_IGNORE), WEIR_OK);
  advance_ms(fx, 5000);
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(stats_of(breaker).failures, 1);
  assert_int_equal(report(breaker, hung, WEIR_CLASS_SUCCESS), WEIR_EEXPIRED);
  weir_permit next = admitted(breaker);
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 6000); /* its verdict keeps its place */
  assert_int_equal(report(breaker, next, WEIR_CLASS_SUCCESS), WEIR_OK);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void B02_all_hang_and_nobody_looks_for_an_hour(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.half_open_failures = 2;
  options.trial_timeout_ms = 5000;
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = half_open(fx, options);
  int64_t begin_ns = now_ns(fx);
  admitted(breaker);
  advance_ms(fx, 100);
  admitted(breaker);
  advance_ms(fx, 3600 * 1000);
  assert_state(breaker, HALF_OPEN); /* reopened at the second lease's end, and over since */
  run_until_idle(fx);
  assert_int_equal(changes->count, 4);
  assert_int_equal(changes->list[2].to, WEIR_BREAKER_OPEN);
  assert_int_equal(changes->list[2].reason, WEIR_BREAKER_BY_TRIALS);
  assert_int_equal(changes->list[2].at_ns, begin_ns + 5100 * MS);
  assert_int_equal(changes->list[2].failures, 2);
  assert_int_equal(changes->list[3].to, WEIR_BREAKER_HALF_OPEN);
  assert_int_equal(changes->list[3].at_ns, begin_ns + 6100 * MS);
  calls_succeed(breaker, 2);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void a_lease_for_ever_waits_and_says_so(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.half_open_max_calls = 1;
  options.half_open_success_threshold = 1;
  options.trial_timeout_ms = WEIR_FOREVER;
  weir_breaker *breaker = half_open(fx, options);
  weir_permit permit = admitted(breaker);
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, -1);
  assert_int_equal(weir_breaker_state_at(breaker, INT64_MAX), WEIR_BREAKER_HALF_OPEN);
  assert_int_equal(report(breaker, permit, WEIR_CLASS_SUCCESS), WEIR_OK);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void B03_a_cancelled_trial_frees_its_slot_without_a_verdict(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.half_open_max_calls = 1;
  options.half_open_success_threshold = 1;
  weir_breaker *breaker = half_open(fx, options);
  for (int i = 0; i < 100; i++) {
    weir_permit permit = admitted(breaker);
    assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 61000);
    assert_int_equal(report(breaker, permit, WEIR_CLASS_ABANDON), WEIR_OK);
    assert_state(breaker, HALF_OPEN);
    assert_int_equal(report(breaker, permit, WEIR_CLASS_FAILURE), WEIR_ESTALE); /* given back */
  }
  assert_int_equal(stats_of(breaker).calls, 0);
  assert_int_equal(stats_of(breaker).ignored, 100);
  calls_succeed(breaker, 1);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void B04_an_ignored_trial_frees_its_slot_and_it_stays_half_open(struct fixture *fx) {
  weir_breaker *breaker = half_open(fx, BREAKER_OPTIONS);
  weir_permit permits[3] = {admitted(breaker), admitted(breaker), admitted(breaker)};
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 61000);
  assert_int_equal(report(breaker, permits[1], WEIR_CLASS_IGNORE), WEIR_OK);
  assert_state(breaker, HALF_OPEN);
  permits[1] = admitted(breaker);
  assert_int_equal(report(breaker, permits[1], WEIR_CLASS_REFUSAL), WEIR_OK);
  permits[1] = admitted(breaker);
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 61000);
  assert_int_equal(report(breaker, permits[1], WEIR_CLASS_SUCCESS), WEIR_OK);
  assert_int_equal(report(breaker, permits[0], WEIR_CLASS_SUCCESS), WEIR_OK);
  assert_state(breaker, CLOSED);
  assert_int_equal(report(breaker, permits[2], WEIR_CLASS_FAILURE), WEIR_ESTALE);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void B05_exactly_the_trials_there_are_places_for_are_admitted(struct fixture *fx) {
  for (uint32_t places = 1; places <= 32; places++) {
    weir_breaker_options options = BREAKER_OPTIONS;
    options.half_open_max_calls = places;
    options.half_open_success_threshold = places;
    weir_breaker *breaker = half_open(fx, options);
    weir_permit permits[32];
    for (uint32_t i = 0; i < places; i++) {
      permits[i] = admitted(breaker);
      for (uint32_t other = 0; other < i; other++) assert_true(permits[other] != permits[i]);
    }
    assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 61000);
    for (uint32_t i = 0; i < places; i++) {
      assert_state(breaker, HALF_OPEN);
      assert_int_equal(report(breaker, permits[i], WEIR_CLASS_SUCCESS), WEIR_OK);
      assert_int_equal(stats_of(breaker).calls, i + 1 == places ? 0 : i + 1);
    }
    assert_state(breaker, CLOSED);
    weir_breaker_unref(breaker);
  }
}

static void a_verdict_keeps_its_place_and_a_second_report_is_stale(struct fixture *fx) {
  weir_breaker *breaker = half_open(fx, BREAKER_OPTIONS);
  weir_permit permit = admitted(breaker);
  assert_int_equal(report(breaker, permit, WEIR_CLASS_SUCCESS), WEIR_OK);
  assert_int_equal(report(breaker, permit, WEIR_CLASS_SUCCESS), WEIR_ESTALE);
  assert_state(breaker, HALF_OPEN);
  admitted(breaker);
  admitted(breaker);
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 61000);
  weir_breaker_unref(breaker);
}

static void the_retry_after_of_a_full_period_is_the_end_of_the_next_open_time(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.half_open_failures = 2;
  options.trial_timeout_ms = 5000;
  weir_breaker *breaker = half_open(fx, options);
  weir_permit first = admitted(breaker);
  advance_ms(fx, 1000);
  admitted(breaker);
  advance_ms(fx, 1000);
  admitted(breaker);
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 5000);
  assert_int_equal(report(breaker, first, WEIR_CLASS_SUCCESS), WEIR_OK);
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 6000);
  weir_breaker_unref(breaker);
}

/* Every order of verdicts, for every legal set of numbers up to 4: a period ends, in the state that
 * comes first, after at most max_calls verdicts. */
static void every_row_of_verdicts_ends_a_period(struct fixture *fx) {
  for (uint32_t max = 1; max <= 4; max++) {
    for (uint32_t successes = 1; successes <= max; successes++) {
      for (uint32_t failures = 1; successes + failures - 1 <= max; failures++) {
        for (uint32_t row = 0; row < 1u << max; row++) {
          weir_breaker_options options = BREAKER_OPTIONS;
          options.half_open_max_calls = max;
          options.half_open_success_threshold = successes;
          options.half_open_failures = failures;
          weir_breaker *breaker = half_open(fx, options);
          uint32_t good = 0;
          uint32_t bad = 0;
          for (uint32_t i = 0; good < successes && bad < failures; i++) {
            assert_state(breaker, HALF_OPEN);
            assert_true(i < max);
            int succeeds = (row >> i & 1) != 0;
            calls_end(breaker, 1, succeeds ? WEIR_CLASS_SUCCESS : WEIR_CLASS_FAILURE);
            good += succeeds ? 1 : 0;
            bad += succeeds ? 0 : 1;
          }
          assert_int_equal(weir_breaker_state(breaker),
                           good == successes ? WEIR_BREAKER_CLOSED : WEIR_BREAKER_OPEN);
          weir_breaker_unref(breaker);
        }
      }
    }
  }
}

static void a_trial_of_an_earlier_period_is_stale(struct fixture *fx) {
  weir_breaker *breaker = half_open(fx, BREAKER_OPTIONS);
  weir_permit old = admitted(breaker);
  calls_fail(breaker, 1);
  assert_int_equal(report(breaker, old, WEIR_CLASS_SUCCESS), WEIR_ESTALE);
  advance_ms(fx, 1000);
  assert_int_equal(report(breaker, old, WEIR_CLASS_SUCCESS), WEIR_ESTALE);
  weir_permit now = admitted(breaker);
  assert_int_equal(report(breaker, old, WEIR_CLASS_FAILURE), WEIR_ESTALE);
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(report(breaker, now, WEIR_CLASS_SUCCESS), WEIR_OK);
  weir_breaker_unref(breaker);
}

static void ramp_up_admits_a_growing_share(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.ramp_up_ms = 10000;
  weir_breaker *breaker = half_open(fx, options);
  calls_succeed(breaker, 2);
  assert_state(breaker, CLOSED);
  weir_permit first = admitted(breaker);
  assert_refused(breaker, WEIR_REJECTION_RAMP_UP, 10000);
  assert_int_equal(report(breaker, first, WEIR_CLASS_SUCCESS), WEIR_OK);

  static const unsigned expected[] = {100, 190, 280, 370, 460, 550, 640, 730, 820, 910, 1000};
  for (size_t second = 0; second < COUNT_OF(expected); second++) {
    unsigned passed = 0;
    for (int i = 0; i < 1000; i++) {
      weir_permit permit = 0;
      if (weir_breaker_acquire(breaker, &permit, NULL) != WEIR_OK) continue;
      assert_int_equal(report(breaker, permit, WEIR_CLASS_SUCCESS), WEIR_OK);
      passed++;
    }
    assert_in_range(passed, expected[second] - 1, expected[second] + 1);
    advance_ms(fx, 1000);
  }
  assert_int_equal(report(breaker, first, WEIR_CLASS_SUCCESS), WEIR_OK); /* the same life */
  weir_breaker_unref(breaker);
}

static void failures_during_ramp_up_open_it_again(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.ramp_up_ms = 10000;
  weir_breaker *breaker = half_open(fx, options);
  calls_succeed(breaker, 2);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);
  assert_int_equal(stats_of(breaker).times_opened, 2);
  weir_breaker_unref(breaker);
}

TEST_MAIN("breaker_trials", TEST(B02_a_trial_that_never_returns_reopens_within_one_trial_timeout),
          TEST(B02_with_two_failures_allowed_the_next_trial_is_admitted_after_the_lease),
          TEST(B02_all_hang_and_nobody_looks_for_an_hour), TEST(a_lease_for_ever_waits_and_says_so),
          TEST(B03_a_cancelled_trial_frees_its_slot_without_a_verdict),
          TEST(B04_an_ignored_trial_frees_its_slot_and_it_stays_half_open),
          TEST(B05_exactly_the_trials_there_are_places_for_are_admitted),
          TEST(a_verdict_keeps_its_place_and_a_second_report_is_stale),
          TEST(the_retry_after_of_a_full_period_is_the_end_of_the_next_open_time),
          TEST(every_row_of_verdicts_ends_a_period), TEST(a_trial_of_an_earlier_period_is_stale),
          TEST(ramp_up_admits_a_growing_share), TEST(failures_during_ramp_up_open_it_again))
