/* SPDX-License-Identifier: MIT */
/* The breaker's decide door, judging failures in a row: closed, open, half-open and its trials. */

#include "breaker.h"

/* ---- closed and open ------------------------------------------------------------------------- */

static void U07_five_failures_open_it_and_a_minute_later_two_successes_close_it(
    struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  calls_fail(breaker, 4);
  assert_state(breaker, CLOSED);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);
  assert_refused(breaker, WEIR_REJECTION_OPEN, 60000);

  advance_ms(fx, 59999);
  assert_refused(breaker, WEIR_REJECTION_OPEN, 1);
  advance_ns(fx, MS - 1);
  assert_state(breaker, OPEN);
  assert_refused(breaker, WEIR_REJECTION_OPEN, 1);
  advance_ns(fx, 1);
  assert_state(breaker, HALF_OPEN);

  calls_succeed(breaker, 1);
  assert_state(breaker, HALF_OPEN);
  calls_succeed(breaker, 1);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void a_success_ends_the_row_of_failures(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  for (int i = 0; i < 3; i++) {
    calls_fail(breaker, 4);
    assert_int_equal(stats_of(breaker).failures, 4);
    calls_succeed(breaker, 1);
    assert_int_equal(stats_of(breaker).failures, 0);
  }
  calls_fail(breaker, 5);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

static void ignored_abandoned_and_refused_calls_neither_count_nor_end_the_row(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  calls_fail(breaker, 4);
  calls_end(breaker, 9, WEIR_CLASS_IGNORE);
  calls_end(breaker, 9, WEIR_CLASS_ABANDON);
  calls_end(breaker, 9, WEIR_CLASS_REFUSAL);
  assert_state(breaker, CLOSED);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);
  assert_int_equal(stats_of(breaker).ignored, 27);
  weir_breaker_unref(breaker);
}

static void a_threshold_of_one_opens_at_the_first_failure(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_succeed(breaker, 3);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

static void a_refusal_carries_its_numbers(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.name = "payments";
  options.reset_timeout_ms = 1500;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 5);
  advance_ns(fx, 500 * MS + 1);

  weir_permit permit = 1;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, &rejection), WEIR_EOPEN);
  assert_int_equal(rejection.retry_after_ns, 1000 * MS - 1);
  assert_int_equal(rejection.retry_after_ms, 1000);
  assert_int_equal(rejection.calls, 5);
  assert_int_equal(rejection.failures, 5);
  assert_int_equal(rejection.slow_calls, 0);
  assert_string_equal(rejection.name, "payments");
  assert_int_equal(rejection.size, sizeof rejection);
  assert_int_equal(stats_of(breaker).rejected, 1);

  struct { /* an older caller's struct, and what lies behind it */
    unsigned char bytes[16];
    unsigned char behind[8];
  } old;
  memset(&old, 0x77, sizeof old);
  uint32_t size = sizeof old.bytes;
  memcpy(old.bytes, &size, sizeof size);
  assert_int_equal(weir_breaker_acquire(breaker, &permit, (weir_rejection *)(void *)&old),
                   WEIR_EOPEN);
  for (size_t i = 0; i < sizeof old.behind; i++) assert_int_equal(old.behind[i], 0x77);
  rejection.size = 0;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, &rejection), WEIR_EABI);
  assert_int_equal(permit, 0);
  weir_breaker_unref(breaker);
}

static void open_for_no_time_is_half_open_at_once_and_for_ever_stays(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  options.reset_timeout_ms = 0;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 1);
  assert_state(breaker, HALF_OPEN);
  calls_fail(breaker, 1);
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(stats_of(breaker).times_opened, 2);
  weir_breaker_unref(breaker);

  options.reset_timeout_ms = options.max_reset_timeout_ms = INT64_MAX;
  breaker = make_breaker(fx, &options);
  calls_fail(breaker, 1);
  assert_int_equal(weir_breaker_state_at(breaker, INT64_MAX), WEIR_BREAKER_OPEN);
  assert_refused(breaker, WEIR_REJECTION_OPEN, -1);
  assert_int_equal(stats_of(breaker).open_remaining_ns, INT64_MAX);
  weir_breaker_unref(breaker);
}

static void B09_open_duration_times_multiplier_saturates_at_the_maximum(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  options.reset_timeout_ms = 1000;
  options.reset_multiplier = 3;
  options.max_reset_timeout_ms = 20000;
  weir_breaker *breaker = make_breaker(fx, &options);
  static const int64_t expected_ms[] = {1000, 3000, 9000, 20000, 20000};
  for (size_t i = 0; i < COUNT_OF(expected_ms); i++) {
    calls_fail(breaker, 1);
    assert_int_equal(stats_of(breaker).open_remaining_ns, expected_ms[i] * MS);
    advance_ms(fx, expected_ms[i]);
  }
  calls_succeed(breaker, 2); /* closing forgets it */
  calls_fail(breaker, 1);
  assert_int_equal(stats_of(breaker).open_remaining_ns, 1000 * MS);
  weir_breaker_unref(breaker);

  options.reset_timeout_ms = INT64_MAX / 2000000;
  options.reset_multiplier = 1000;
  options.max_reset_timeout_ms = INT64_MAX;
  breaker = make_breaker(fx, &options);
  calls_fail(breaker, 1);
  weir_permit permit = 0;
  int64_t later_ns = INT64_MAX / 2 + 1000 * SECOND;
  assert_int_equal(weir_breaker_acquire_at(breaker, &permit, NULL, later_ns), WEIR_OK);
  assert_int_equal(weir_breaker_report_at(breaker, permit, WEIR_CLASS_FAILURE, 0, later_ns),
                   WEIR_OK);
  assert_int_equal(stats_of(breaker).open_remaining_ns, INT64_MAX);
  weir_breaker_unref(breaker);

  options = BREAKER_OPTIONS; /* nothing, however often multiplied, stays nothing */
  options.failure_threshold = 1;
  options.reset_timeout_ms = 0;
  options.reset_multiplier = 1000;
  breaker = make_breaker(fx, &options);
  for (int i = 0; i < 200; i++) calls_fail(breaker, 1);
  assert_state(breaker, HALF_OPEN);
  weir_breaker_unref(breaker);
}

static void time_before_zero_and_backwards_is_harmless(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  weir_breaker *breaker = make_breaker(fx, &options);
  weir_permit permit = 0;
  int64_t begin_ns = INT64_MIN;
  assert_int_equal(weir_breaker_acquire_at(breaker, &permit, NULL, begin_ns), WEIR_OK);
  assert_int_equal(weir_breaker_report_at(breaker, permit, WEIR_CLASS_FAILURE, 0, begin_ns),
                   WEIR_OK);
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_breaker_acquire_at(breaker, &permit, &rejection, begin_ns), WEIR_EOPEN);
  assert_int_equal(rejection.retry_after_ms, 60000);
  int64_t over_ns = begin_ns + 60 * SECOND;
  assert_int_equal(weir_breaker_state_at(breaker, over_ns - 1), WEIR_BREAKER_OPEN);
  assert_int_equal(weir_breaker_acquire_at(breaker, &permit, NULL, over_ns), WEIR_OK);
  assert_int_equal(weir_breaker_state_at(breaker, begin_ns), WEIR_BREAKER_HALF_OPEN);
  assert_int_equal(weir_breaker_report_at(breaker, permit, WEIR_CLASS_FAILURE, 0, begin_ns),
                   WEIR_OK);
  assert_int_equal(weir_breaker_state_at(breaker, begin_ns), WEIR_BREAKER_OPEN);
  weir_breaker_unref(breaker);
}

/* ---- permits --------------------------------------------------------------------------------- */

static void B01_a_call_made_while_closed_that_ends_late_has_no_effect(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  weir_permit late[3] = {admitted(breaker), admitted(breaker), admitted(breaker)};
  calls_fail(breaker, 5);
  assert_int_equal(weir_breaker_report(breaker, late[0], WEIR_CLASS_SUCCESS, 0), WEIR_ESTALE);
  assert_state(breaker, OPEN);

  advance_ms(fx, 60000);
  assert_state(breaker, HALF_OPEN);
  calls_succeed(breaker, 1);
  assert_int_equal(weir_breaker_report(breaker, late[1], WEIR_CLASS_SUCCESS, 0), WEIR_ESTALE);
  assert_int_equal(weir_breaker_report(breaker, late[2], WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  assert_state(breaker, HALF_OPEN);
  calls_succeed(breaker, 1);
  assert_state(breaker, CLOSED);

  calls_fail(breaker, 4); /* and not in the next closed life either */
  assert_int_equal(weir_breaker_report(breaker, late[0], WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  assert_state(breaker, CLOSED);
  assert_int_equal(stats_of(breaker).stale, 4);
  weir_breaker_unref(breaker);
}

static void batches_are_as_good_as_single_calls(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  weir_permit permits[8];
  size_t granted = 0;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_breaker_acquire_n(breaker, 7, permits, &granted, NULL), WEIR_OK);
  assert_int_equal(granted, 7);
  weir_breaker_report_entry entries[8];
  for (size_t i = 0; i < 7; i++) {
    entries[i] = (weir_breaker_report_entry){permits[i], 0, WEIR_CLASS_FAILURE, 99};
  }
  entries[1].class_ = WEIR_CLASS_NONE;
  assert_int_equal(weir_breaker_report_many(breaker, entries, 7), WEIR_OK);
  for (size_t i = 0; i < 7; i++) {
    assert_int_equal(entries[i].result, i == 1 ? WEIR_EINVAL : i == 6 ? WEIR_ESTALE : WEIR_OK);
    if (i == 5) assert_state(breaker, OPEN);
  }
  assert_int_equal(weir_breaker_acquire_n(breaker, 3, permits, &granted, &rejection), WEIR_EOPEN);
  assert_int_equal(granted, 0);
  assert_int_equal(rejection.reason, WEIR_REJECTION_OPEN);

  advance_ms(fx, 60000);
  assert_int_equal(weir_breaker_acquire_n(breaker, 8, permits, &granted, &rejection), WEIR_OK);
  assert_int_equal(granted, 3);
  for (size_t i = 0; i < 3; i++) {
    entries[i] = (weir_breaker_report_entry){permits[i], 0, WEIR_CLASS_SUCCESS, 99};
  }
  assert_int_equal(weir_breaker_report_many_at(breaker, entries, 3, now_ns(fx)), WEIR_OK);
  assert_int_equal(entries[1].result, WEIR_OK);
  assert_int_equal(entries[2].result, WEIR_ESTALE);
  assert_state(breaker, CLOSED);
  assert_int_equal(weir_breaker_acquire_n_at(breaker, 2, permits, &granted, NULL, 0), WEIR_OK);
  assert_int_equal(granted, 2);
  assert_int_equal(weir_breaker_report_many(breaker, NULL, 0), WEIR_OK);
  weir_breaker_unref(breaker);
}

static void C08_wrong_arguments_get_a_status_and_change_nothing(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  weir_permit permit = 0;
  size_t granted = 9;
  assert_int_equal(weir_breaker_acquire(NULL, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire(breaker, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_at(NULL, &permit, NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_at(breaker, NULL, NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_n(breaker, 0, &permit, &granted, NULL), WEIR_EINVAL);
  assert_int_equal(granted, 0);
  assert_int_equal(weir_breaker_acquire_n(breaker, 1, NULL, &granted, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_n(breaker, 1, &permit, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_n(NULL, 1, &permit, &granted, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_n_at(NULL, 1, &permit, &granted, NULL, 0), WEIR_EINVAL);

  permit = admitted(breaker);
  static const uint32_t classes[] = {WEIR_CLASS_NONE, WEIR_CLASS_ABANDON + 1, UINT32_MAX};
  for (size_t i = 0; i < COUNT_OF(classes); i++) {
    assert_int_equal(weir_breaker_report(breaker, permit, classes[i], 0), WEIR_EINVAL);
  }
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, -1), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report(breaker, 0, WEIR_CLASS_FAILURE, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report(NULL, permit, WEIR_CLASS_FAILURE, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report_at(NULL, permit, WEIR_CLASS_FAILURE, 0, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report_many(breaker, NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report_many(NULL, NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report_many_at(NULL, NULL, 0, 0), WEIR_EINVAL);
  weir_breaker_stats stats = {0};
  assert_int_equal(weir_breaker_get_stats(breaker, &stats), WEIR_EABI);
  assert_int_equal(weir_breaker_get_stats(breaker, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_int_equal(weir_breaker_state(NULL), WEIR_BREAKER_CLOSED);
  assert_int_equal(weir_breaker_state_at(NULL, 0), WEIR_BREAKER_CLOSED);
  assert_null(weir_breaker_ref(NULL));
  weir_breaker_unref(NULL);

  for (unsigned bit = 0; bit < 64; bit++) { /* a permit that nobody gave out */
    weir_permit forged = permit ^ (UINT64_C(1) << bit);
    if (forged == 0) continue;
    assert_int_equal(weir_breaker_report(breaker, forged, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
    assert_int_equal(weir_breaker_report(breaker, forged, WEIR_CLASS_SUCCESS, 0), WEIR_ESTALE);
  }
  stats = stats_of(breaker);
  assert_int_equal(stats.succeeded + stats.failed + stats.ignored, 0);
  assert_int_equal(stats.failures, 0);

  calls_fail(breaker, 5); /* nor one of a life that gives out none, though its number is right */
  assert_int_equal(weir_breaker_report(breaker, permit + 2, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

static void an_idle_breaker_takes_at_most_512_bytes(struct fixture *fx) {
  uint64_t before = fx->memory.live_bytes;
  weir_breaker *breaker = make_breaker(fx, NULL);
  assert_in_range(fx->memory.live_bytes - before, 1, 512);
  uint64_t allocations = fx->memory.allocations; /* deciding allocates nothing */
  calls_fail(breaker, 5);
  assert_refused(breaker, WEIR_REJECTION_OPEN, 60000);
  advance_ms(fx, 60000);
  calls_succeed(breaker, 2);
  assert_int_equal(fx->memory.allocations, allocations);
  weir_breaker_unref(breaker);
}

TEST_MAIN("breaker", TEST(U07_five_failures_open_it_and_a_minute_later_two_successes_close_it),
          TEST(a_success_ends_the_row_of_failures),
          TEST(ignored_abandoned_and_refused_calls_neither_count_nor_end_the_row),
          TEST(a_threshold_of_one_opens_at_the_first_failure), TEST(a_refusal_carries_its_numbers),
          TEST(open_for_no_time_is_half_open_at_once_and_for_ever_stays),
          TEST(B09_open_duration_times_multiplier_saturates_at_the_maximum),
          TEST(time_before_zero_and_backwards_is_harmless),
          TEST(B01_a_call_made_while_closed_that_ends_late_has_no_effect),
          TEST(batches_are_as_good_as_single_calls),
          TEST(C08_wrong_arguments_get_a_status_and_change_nothing),
          TEST(an_idle_breaker_takes_at_most_512_bytes))
