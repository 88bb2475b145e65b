/* SPDX-License-Identifier: MIT */
/* Breakers that judge rates: of the last calls, and of the last milliseconds. */

#include "breaker.h"

static weir_breaker_options count_window(uint32_t size, uint32_t min_calls) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  options.window_size = size;
  options.min_calls = min_calls;
  return options;
}

static weir_breaker_options time_window(int64_t window_ms, uint32_t min_calls) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.mode = WEIR_BREAKER_TIME_WINDOW;
  options.window_ms = window_ms;
  options.min_calls = min_calls;
  return options;
}

static void a_rate_opens_from_min_calls_on(struct fixture *fx) {
  weir_breaker_options options = count_window(100, 10);
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 9);
  assert_state(breaker, CLOSED);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);
  weir_breaker_stats stats = stats_of(breaker);
  assert_int_equal(stats.calls, 10);
  assert_int_equal(stats.failures, 10);
  assert_true(stats.failure_rate == 1.0);
  assert_int_equal(stats.failed, 10);
  weir_breaker_unref(breaker);
}

static void a_success_that_completes_min_calls_opens_too(struct fixture *fx) {
  weir_breaker_options options = count_window(100, 10);
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 5);
  calls_succeed(breaker, 4);
  assert_state(breaker, CLOSED);
  calls_succeed(breaker, 1);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

static void rates_of_two_decimals_are_met_exactly(struct fixture *fx) {
  for (uint32_t percent = 1; percent <= 100; percent++) {
    weir_breaker_options options = count_window(100, 100);
    options.failure_rate = percent / 100.0;
    weir_breaker *breaker = make_breaker(fx, &options);
    calls_fail(breaker, percent - 1);
    calls_succeed(breaker, 100 - percent);
    calls_succeed(breaker, 1); /* one too few */
    assert_state(breaker, CLOSED);
    assert_int_equal(weir_breaker_reset(breaker), WEIR_OK);
    calls_fail(breaker, percent);
    calls_succeed(breaker, 100 - percent);
    assert_state(breaker, OPEN);
    weir_breaker_unref(breaker);
  }
}

static void ignored_calls_are_not_in_the_window(struct fixture *fx) {
  weir_breaker_options options = count_window(10, 2);
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_succeed(breaker, 1);
  calls_end(breaker, 50, WEIR_CLASS_IGNORE);
  calls_end(breaker, 50, WEIR_CLASS_REFUSAL);
  assert_int_equal(stats_of(breaker).calls, 1);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

static void closing_begins_with_an_empty_window(struct fixture *fx) {
  weir_breaker_options options = count_window(10, 10);
  weir_breaker *breaker = make_breaker(fx, &options);
  for (int round = 0; round < 3; round++) {
    calls_fail(breaker, 9);
    assert_state(breaker, CLOSED);
    calls_fail(breaker, 1);
    advance_ms(fx, 60000);
    calls_succeed(breaker, 2);
    assert_state(breaker, CLOSED);
    assert_int_equal(stats_of(breaker).calls, 0);
  }
  assert_int_equal(stats_of(breaker).failed, 30);
  assert_int_equal(stats_of(breaker).succeeded, 6);
  weir_breaker_unref(breaker);
}

static uint64_t next_random(uint64_t *seed) {
  *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
  return *seed >> 33;
}

/* The window against one that keeps every call. */
static void a_count_window_holds_exactly_the_last_calls(struct fixture *fx) {
  static const uint32_t sizes[] = {1, 2, 31, 32, 33, 64, 100};
  enum { CALLS = 500 };
  for (size_t which = 0; which < COUNT_OF(sizes); which++) {
    uint64_t seed = 7 + which;
    weir_breaker_options options = count_window(sizes[which], 1);
    options.slow_call_ms = 10;
    weir_breaker *breaker = make_breaker(fx, &options);
    assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_METRICS_ONLY), WEIR_OK);
    int failed[CALLS];
    int slow[CALLS];
    for (size_t i = 0; i < CALLS; i++) {
      failed[i] = next_random(&seed) % 3 == 0;
      slow[i] = next_random(&seed) % 4 == 0;
      assert_int_equal(weir_breaker_report(breaker, admitted(breaker),
                                           failed[i] ? WEIR_CLASS_FAILURE : WEIR_CLASS_SUCCESS,
                                           slow[i] ? 11 * MS : 10 * MS),
                       WEIR_OK);
      size_t first = i + 1 < sizes[which] ? 0 : i + 1 - sizes[which];
      uint64_t failures = 0;
      uint64_t slow_calls = 0;
      for (size_t j = first; j <= i; j++) {
        failures += failed[j] ? 1 : 0;
        slow_calls += slow[j] ? 1 : 0;
      }
      weir_breaker_stats stats = stats_of(breaker);
      assert_int_equal(stats.calls, i + 1 - first);
      assert_int_equal(stats.failures, failures);
      assert_int_equal(stats.slow_calls, slow_calls);
    }
    weir_breaker_unref(breaker);
  }
}

/* The window against one that keeps every call with the slice it fell into. */
static void a_time_window_holds_exactly_the_last_ten_slices(struct fixture *fx) {
  enum { CALLS = 600, SLICE_MS = 100 };
  for (uint64_t round = 0; round < 5; round++) {
    uint64_t seed = 100 + round;
    weir_breaker_options options = time_window(10 * SLICE_MS, 1);
    weir_breaker *breaker = make_breaker(fx, &options);
    assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_METRICS_ONLY), WEIR_OK);
    int64_t slice[CALLS];
    int failed[CALLS];
    for (size_t i = 0; i < CALLS; i++) {
      uint64_t gap = next_random(&seed) % 100;
      advance_ms(fx, gap < 90 ? (int64_t)(gap / 3) : (int64_t)(gap - 89) * SLICE_MS);
      slice[i] = now_ns(fx) / (SLICE_MS * MS);
      failed[i] = next_random(&seed) % 2 == 0;
      calls_end(breaker, 1, failed[i] ? WEIR_CLASS_FAILURE : WEIR_CLASS_SUCCESS);
      uint64_t calls = 0;
      uint64_t failures = 0;
      for (size_t j = 0; j <= i; j++) {
        if (slice[j] <= slice[i] - 10) continue;
        calls++;
        failures += failed[j] ? 1 : 0;
      }
      weir_breaker_stats stats = stats_of(breaker);
      assert_int_equal(stats.calls, calls);
      assert_int_equal(stats.failures, failures);
    }
    advance_ms(fx, 10 * SLICE_MS);
    assert_int_equal(stats_of(breaker).calls, 0); /* current without a call */
    weir_breaker_unref(breaker);
  }
}

static void B07_four_failures_an_hour_idle_and_one_failure_stay_closed(struct fixture *fx) {
  weir_breaker_options options = time_window(5000, 5);
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 4);
  advance_ms(fx, 3600 * 1000);
  calls_fail(breaker, 1);
  assert_state(breaker, CLOSED);
  assert_int_equal(stats_of(breaker).calls, 1);
  calls_fail(breaker, 4);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

static void B08_a_year_between_two_calls_is_no_more_work_than_ten_slices(struct fixture *fx) {
  weir_breaker_options options = time_window(10, 1000000); /* a year is 3 * 10^10 slices */
  weir_breaker *breaker = make_breaker(fx, &options);
  int64_t year_ns = INT64_C(365) * 24 * 3600 * SECOND;
  weir_permit permit = admitted(breaker);
  for (int64_t year = 0; year < 250; year++) {
    assert_int_equal(weir_breaker_report_at(breaker, permit, WEIR_CLASS_FAILURE, 0, year * year_ns),
                     WEIR_OK);
    if (year == 0) assert_int_equal(stats_of(breaker).calls, 0); /* now is a second later */
  }
  assert_int_equal(stats_of(breaker).calls, 1); /* earlier times count into the newest slice */
  assert_int_equal(weir_breaker_report_at(breaker, permit, WEIR_CLASS_FAILURE, 0, INT64_MAX),
                   WEIR_OK);
  assert_int_equal(weir_breaker_report_at(breaker, permit, WEIR_CLASS_FAILURE, 0, INT64_MIN),
                   WEIR_OK);
  assert_int_equal(stats_of(breaker).calls, 2);
  weir_breaker_unref(breaker);
}

static void time_windows_work_before_zero(struct fixture *fx) {
  weir_breaker_options options = time_window(1000, 1000000);
  weir_breaker *breaker = make_breaker(fx, &options);
  weir_permit permit = admitted(breaker);
  /* Slices of 100 ms around zero: -200..-101, -100..-1, 0..99; all within one window. */
  for (int64_t at_ms = -250; at_ms <= 250; at_ms++) {
    assert_int_equal(weir_breaker_report_at(breaker, permit, WEIR_CLASS_FAILURE, 0, at_ms * MS),
                     WEIR_OK);
  }
  /* The clock stands at 1000 ms: the slices from 100 ms on are left. */
  assert_int_equal(stats_of(breaker).calls, 151);
  weir_breaker_unref(breaker);
}

static void B13_a_call_of_exactly_slow_call_ms_is_not_slow(struct fixture *fx) {
  weir_breaker_options options = count_window(10, 2);
  options.slow_call_ms = 50;
  options.slow_call_rate = 0.5;
  weir_breaker *breaker = make_breaker(fx, &options);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(weir_breaker_report(breaker, admitted(breaker), WEIR_CLASS_SUCCESS, 50 * MS),
                     WEIR_OK);
  }
  assert_int_equal(stats_of(breaker).slow, 0);
  for (int i = 0; i < 4; i++) {
    assert_state(breaker, CLOSED);
    assert_int_equal(
        weir_breaker_report(breaker, admitted(breaker), WEIR_CLASS_SUCCESS, 50 * MS + 1), WEIR_OK);
  }
  assert_state(breaker, OPEN);
  weir_breaker_stats stats = stats_of(breaker);
  assert_int_equal(stats.slow, 4);
  assert_int_equal(stats.slow_calls, 4);
  assert_int_equal(stats.calls, 8);
  assert_true(stats.slow_call_rate == 0.5);
  weir_breaker_unref(breaker);
}

static void slow_calls_are_counted_but_do_not_open_in_consecutive_mode(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.slow_call_ms = 0;
  weir_breaker *breaker = make_breaker(fx, &options);
  for (int i = 0; i < 50; i++) {
    assert_int_equal(weir_breaker_report(breaker, admitted(breaker), WEIR_CLASS_SUCCESS, 1),
                     WEIR_OK);
  }
  calls_succeed(breaker, 50);
  assert_state(breaker, CLOSED);
  assert_int_equal(stats_of(breaker).slow, 50);
  assert_int_equal(stats_of(breaker).succeeded, 100);
  weir_breaker_unref(breaker);
}

static void B12_min_calls_above_the_window_size_is_refused(struct fixture *fx) {
  weir_breaker_options options = count_window(5, 10);
  weir_breaker *breaker = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, &error), WEIR_EINVAL);
  assert_null(breaker);
  assert_message(error, "breaker.min_calls must not exceed window_size (got 10 and 5)");
  options.min_calls = 5;
  breaker = make_breaker(fx, &options);
  options.window_size = 4;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_EINVAL);
  calls_fail(breaker, 5);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

TEST_MAIN("breaker_window", TEST(a_rate_opens_from_min_calls_on),
          TEST(a_success_that_completes_min_calls_opens_too),
          TEST(rates_of_two_decimals_are_met_exactly), TEST(ignored_calls_are_not_in_the_window),
          TEST(closing_begins_with_an_empty_window),
          TEST(a_count_window_holds_exactly_the_last_calls),
          TEST(a_time_window_holds_exactly_the_last_ten_slices),
          TEST(B07_four_failures_an_hour_idle_and_one_failure_stay_closed),
          TEST(B08_a_year_between_two_calls_is_no_more_work_than_ten_slices),
          TEST(time_windows_work_before_zero), TEST(B13_a_call_of_exactly_slow_call_ms_is_not_slow),
          TEST(slow_calls_are_counted_but_do_not_open_in_consecutive_mode),
          TEST(B12_min_calls_above_the_window_size_is_refused))
