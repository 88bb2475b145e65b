/* SPDX-License-Identifier: MIT */
/* The limiter's rates through the decide door: exactness, bursts, windows, several limits. Times
 * are the test's own. */

#include "limiter_help.h"

static const int64_t minute_ns = 60 * SECOND;
static const int64_t hour_ns = 3600 * SECOND;
static const int64_t day_ns = 24 * 3600 * SECOND;
static const int64_t year_ns = 365 * 24 * 3600 * SECOND;

/* The limiter's rates through the decide door: exactness, bursts, windows, several limits, what can
 * be given back, and what is refused. Times are the test's own. */

static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_FIXED_WINDOW,
                                      WEIR_LIMITER_SLIDING_WINDOW};

static void L05_idle_for_a_year_gives_one_burst_and_then_exactly_the_rate(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  int64_t start = now_ns(fx);
  assert_int_equal(count_passing(limiter, start, 100), 10);

  int64_t later = start + year_ns;
  assert_int_equal(count_passing(limiter, later, 100), 10);
  for (int64_t i = 1; i <= 1000; ++i) {
    assert_false(passes(limiter, 1, later + i * 100 * MS - 1));
    assert_true(passes(limiter, 1, later + i * 100 * MS));
  }
  weir_limiter_unref(limiter);
}

static void L06_sleeping_exactly_retry_after_makes_the_next_acquire_pass(struct fixture *fx) {
  static const struct {
    int64_t permits, interval_ms;
  } rates[] = {{10, 1000}, {3, 1000}, {7, 13}, {1, 86400000}, {1000003, 1000}, {100, 60000}};
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    for (size_t r = 0; r < COUNT_OF(rates); ++r) {
      weir_limiter *limiter = make_rate(fx, algorithms[a], rates[r].permits, rates[r].interval_ms);
      int64_t at = now_ns(fx);
      for (int round = 0; round < 20; ++round) {
        uint32_t weight = 1 + (uint32_t)round % (rates[r].permits < 5 ? 1 : 5);
        int64_t spare = weir_limiter_available_at(limiter, at) - weight + 1;
        if (spare > 0) assert_true(passes(limiter, (uint32_t)spare, at));
        weir_rejection rejection = rejected_at(limiter, weight, at);
        assert_int_equal(rejection.reason, WEIR_REJECTION_RATE);
        assert_true(rejection.retry_after_ns > 0);
        assert_int_equal(rejection.retry_after_ms, (rejection.retry_after_ns + MS - 1) / MS);
        assert_false(passes(limiter, weight, at + rejection.retry_after_ns - 1));
        at += rejection.retry_after_ns;
        assert_true(passes(limiter, weight, at));
      }
      weir_limiter_unref(limiter);
    }
  }
}

static void L07_burst_of_5_lets_5_pass_and_never_6(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1, 60000);
  options.burst = 5;
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t start = now_ns(fx);
  assert_int_equal(count_passing(limiter, start, 100), 5);
  assert_int_equal(count_passing(limiter, start + 2 * SECOND, 100), 0);

  weir_limiter *idle_before = make_limiter(fx, &options);
  assert_int_equal(count_passing(idle_before, start + 2 * SECOND, 100), 5);
  assert_int_equal(count_passing(idle_before, start + 62 * SECOND - 1, 100), 0);
  assert_int_equal(count_passing(idle_before, start + 62 * SECOND, 100), 1);
  weir_limiter_unref(limiter);
  weir_limiter_unref(idle_before);
}

/* Takes one permit whenever there is one, for `duration_ns`. */
static int64_t saturate(weir_limiter *limiter, int64_t from_ns, int64_t duration_ns) {
  int64_t at = from_ns;
  int64_t count = 0;
  while (1) {
    weir_rejection rejection = WEIR_REJECTION_INIT;
    weir_status status = weir_limiter_try_acquire_at(limiter, 1, NULL, &rejection, at);
    if (status == WEIR_OK) {
      ++count;
      continue;
    }
    assert_int_equal(status, WEIR_ELIMITED);
    at += rejection.retry_after_ns;
    if (at > from_ns + duration_ns) return count;
  }
}

static void L08_3_a_second_admit_259200_a_day_and_a_burst(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 3, 1000);
  assert_int_equal(saturate(limiter, now_ns(fx), day_ns), 259200 + 3);
  weir_limiter_unref(limiter);
}

/* A burst of 1 may only have whole nanoseconds in a permit: who comes at the next whole one is late
 * by a fraction each time. */
static void L08_fractional_rates_do_not_drift_in_a_day(struct fixture *fx) {
  static const struct {
    int64_t permits, interval_ms, burst, hours;
  } rates[] = {
      {10, 13000, 10, 24}, {7, 1000, 2, 24}, {11, 7000, 3, 24}, {13, 170, 13, 1}, {1, 7, 1, 1}};
  for (size_t r = 0; r < COUNT_OF(rates); ++r) {
    weir_limiter_options options =
        rate_options(WEIR_LIMITER_TOKEN_BUCKET, rates[r].permits, rates[r].interval_ms);
    options.burst = rates[r].burst;
    weir_limiter *limiter = make_limiter(fx, &options);
    int64_t duration_ns = rates[r].hours * hour_ns;
    int64_t expected = duration_ns / MS * rates[r].permits / rates[r].interval_ms + rates[r].burst;
    assert_int_equal(saturate(limiter, now_ns(fx), duration_ns), expected);
    weir_limiter_unref(limiter);
  }
}

static void L08_one_a_year_and_one_a_century_do_not_overflow(struct fixture *fx) {
  static const int64_t intervals_ms[] = {INT64_C(31536000000), INT64_C(3153600000000)};
  for (size_t i = 0; i < COUNT_OF(intervals_ms); ++i) {
    weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 1, intervals_ms[i]);
    int64_t start = now_ns(fx);
    int64_t interval_ns = intervals_ms[i] * MS;
    assert_int_equal(count_passing(limiter, start, 10), 1);
    assert_int_equal(rejected_at(limiter, 1, start).retry_after_ns, interval_ns);
    assert_false(passes(limiter, 1, start + interval_ns - 1));
    assert_true(passes(limiter, 1, start + interval_ns));
    assert_int_equal(weir_limiter_available_at(limiter, start + interval_ns), 0);
    assert_int_equal(weir_limiter_available_at(limiter, INT64_MAX), 1);
    weir_limiter_unref(limiter);
  }
}

static void L08_the_largest_of_everything_does_not_overflow(struct fixture *fx) {
  int64_t century_ms = INT64_C(100) * 366 * 24 * 3600 * 1000;
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], INT32_MAX, century_ms);
    int64_t start = now_ns(fx);
    assert_int_equal(weir_limiter_available_at(limiter, start), INT32_MAX);
    assert_true(passes(limiter, INT32_MAX - 1, start));
    assert_int_equal(count_passing(limiter, start, 10), 1);
    weir_rejection all = rejected_at(limiter, INT32_MAX, start);
    assert_true(all.retry_after_ns >= century_ms * MS - 1);
    assert_false(passes(limiter, INT32_MAX, start + all.retry_after_ns - 1));
    assert_true(passes(limiter, INT32_MAX, start + all.retry_after_ns));
    weir_limiter_unref(limiter);
  }
}

/* 10^9 + 1 a second, in steps of all sizes: never more than burst + rate * t, and all of it. */
static void L08_a_billion_and_one_a_second_is_exact(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1000000001, 1000);
  options.burst = 1000;
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t start = now_ns(fx);
  int64_t at = start;
  int64_t taken = 1000;
  uint64_t random = 8;
  assert_true(passes(limiter, 1000, start));
  while (at < start + 50 * MS) {
    at += (int64_t)(next_random(&random) % 900);
    int64_t elapsed = at - start;
    int64_t allowed = 1000 + elapsed + elapsed / 1000000000;
    assert_int_equal(weir_limiter_available_at(limiter, at), allowed - taken);
    if (allowed == taken) continue;
    assert_true(passes(limiter, (uint32_t)(allowed - taken), at));
    assert_false(passes(limiter, 1, at));
    taken = allowed;
  }
  assert_true(passes(limiter, 1000, start + 10 * SECOND));
  assert_false(passes(limiter, 1, start + 10 * SECOND));
  weir_limiter_unref(limiter);
}

static void L07_a_bucket_never_gives_more_than_burst_and_rate_in_any_time(struct fixture *fx) {
  enum { GRANTS = 4000 };
  static int64_t granted_at[GRANTS];
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 7, 100);
  options.burst = 5;
  weir_limiter *limiter = make_limiter(fx, &options);
  uint64_t random = 77;
  int64_t at = now_ns(fx);
  int count = 0;
  while (count < GRANTS) {
    at += (int64_t)(next_random(&random) % (next_random(&random) % 8 == 0 ? 90 * MS : 9 * MS));
    if (passes(limiter, 1, at)) granted_at[count++] = at;
  }
  for (int i = 0; i < GRANTS; ++i) {
    for (int j = i; j < GRANTS && j < i + 60; ++j) {
      /* j - i + 1 grants in the closed interval: at most burst + rate * t. */
      assert_true((j - i + 1 - 5) * 100 * MS <= 7 * (granted_at[j] - granted_at[i]));
    }
  }
  weir_limiter_unref(limiter);
}

static void L09_fixed_window_counts_on_each_side_of_its_boundary(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_FIXED_WINDOW, 10, 1000);
  int64_t start = now_ns(fx);
  int64_t before = start + SECOND - 1;
  assert_int_equal(count_passing(limiter, before, 100), 10);
  assert_int_equal(rejected_at(limiter, 1, before).retry_after_ns, 1);
  assert_int_equal(count_passing(limiter, before + 1, 100), 10);
  assert_int_equal(rejected_at(limiter, 3, before + 1).retry_after_ns, SECOND);
  assert_int_equal(count_passing(limiter, start + 2 * SECOND - 1, 100), 0);
  assert_int_equal(count_passing(limiter, start + year_ns + 1, 100), 10);
  weir_limiter_unref(limiter);
}

/* The most grants in any closed interval of `interval_ns`. */
static int64_t most_within(const int64_t *at, int count, int64_t interval_ns) {
  int64_t most = 0;
  int first = 0;
  for (int last = 0; last < count; ++last) {
    while (at[last] - at[first] > interval_ns) ++first;
    if (last - first + 1 > most) most = last - first + 1;
  }
  return most;
}

static void L09_sliding_window_never_admits_more_in_any_interval(struct fixture *fx) {
  enum { GRANTS = 20000 };
  static int64_t granted_at[GRANTS];
  static const struct {
    int64_t permits, interval_ms;
  } rates[] = {{10, 1000}, {1, 50}, {100, 333}, {32, 7}, {33, 1}};
  for (size_t r = 0; r < COUNT_OF(rates); ++r) {
    weir_limiter *limiter =
        make_rate(fx, WEIR_LIMITER_SLIDING_WINDOW, rates[r].permits, rates[r].interval_ms);
    int64_t interval_ns = rates[r].interval_ms * MS;
    uint64_t random = 9 + r;
    int64_t at = now_ns(fx);
    int count = 0;
    while (count < GRANTS) {
      uint64_t scale = next_random(&random) % 4;
      uint64_t step = (uint64_t)interval_ns >> (3 * scale);
      at += (int64_t)(next_random(&random) % (step + 1));
      /* In half of the rounds one by one, so that slices expire one by one too. */
      do {
        if (!passes(limiter, 1, at)) break;
        granted_at[count++] = at;
      } while (count < GRANTS && r % 2 == 0 && next_random(&random) % 3 != 0);
    }
    assert_int_equal(most_within(granted_at, GRANTS, interval_ns), rates[r].permits);
    weir_limiter_unref(limiter);
  }
}

static void L09_sliding_window_refuses_at_most_one_slice_early(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_SLIDING_WINDOW, 10, 3200);
  int64_t slice_ns = 100 * MS;
  for (int64_t i = 0; i < 40; ++i) {
    int64_t at = now_ns(fx) + i * 100 * SECOND + i * 7 * MS;
    assert_int_equal(count_passing(limiter, at, 100), 10);
    int64_t wait = rejected_at(limiter, 1, at).retry_after_ns;
    assert_true(wait > 32 * slice_ns && wait <= 33 * slice_ns);
  }
  weir_limiter_unref(limiter);
}

static void L09_sliding_window_frees_what_is_older_than_the_interval(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_SLIDING_WINDOW, 10, 1000);
  int64_t begin = now_ns(fx);
  assert_true(passes(limiter, 4, begin));
  assert_true(passes(limiter, 6, begin + 500 * MS));
  /* The 4 are over, the 6 still count, for those who look and for those who take. */
  int64_t at = begin + 1100 * MS;
  assert_int_equal(weir_limiter_available_at(limiter, at), 4);
  assert_int_equal(count_passing(limiter, at, 100), 4);
  assert_in_range(rejected_at(limiter, 1, at).retry_after_ns, 400 * MS, 500 * MS);
  assert_int_equal(weir_limiter_available_at(limiter, begin + 1600 * MS), 6);
  assert_int_equal(count_passing(limiter, begin + 1600 * MS, 100), 6);
  weir_limiter_unref(limiter);
}

static void L18_100_a_minute_over_a_week_never_exceed_100_in_60_seconds(struct fixture *fx) {
  enum { WEEK = 7 * 24 * 60 * 100 + 1000 };
  int64_t *granted_at = calloc(WEEK, sizeof(*granted_at));
  assert_non_null(granted_at);
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_SLIDING_WINDOW, 100, 60000);
  uint64_t random = 18;
  int64_t start = now_ns(fx);
  int64_t at = start;
  int count = 0;
  while (at < start + 7 * day_ns && count < WEEK) {
    /* Hours in a rush, at the rate, and hardly busy. */
    int64_t mean = (at - start) / hour_ns % 3 == 0
                       ? 100 * MS
                       : (int64_t)(300 * MS) * (1 + (at - start) / hour_ns % 3);
    at += (int64_t)(next_random(&random) % (uint64_t)(2 * mean));
    if (passes(limiter, 1, at)) granted_at[count++] = at;
  }
  int64_t most = most_within(granted_at, count, minute_ns);
  free(granted_at);
  assert_true(count > 400000);
  assert_int_equal(most, 100);
  weir_limiter_unref(limiter);
}

static void L12_a_refusal_over_three_limits_takes_from_none(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 5, 1000);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_FIXED_WINDOW, 8, 60000, WEIR_OFF, NULL),
      WEIR_OK);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_SLIDING_WINDOW, 12, 3600000, WEIR_OFF, NULL),
      WEIR_OK);
  int64_t at = now_ns(fx);
  assert_int_equal(weir_limiter_available_at(limiter, at), 5);
  assert_int_equal(count_passing(limiter, at, 100), 5);

  /* The first limit refuses; neither of the others may lose anything. */
  for (int i = 0; i < 50; ++i) assert_false(passes(limiter, 1, at));
  assert_false(passes(limiter, 4, at));
  at += SECOND;
  assert_int_equal(weir_limiter_available_at(limiter, at), 3);
  weir_rejection second = rejected_at(limiter, 5, at);
  assert_int_equal(second.limit, 8);
  assert_int_equal(second.available, 3);
  assert_int_equal(second.retry_after_ns, 59 * SECOND);
  assert_int_equal(count_passing(limiter, at, 100), 3);

  /* A minute later the third has 4 left; that the first two refuse 5 takes none of them. */
  at += minute_ns;
  weir_rejection third = rejected_at(limiter, 5, at);
  assert_int_equal(third.limit, 12);
  assert_int_equal(third.available, 4);
  assert_true(third.retry_after_ns > 3600 * SECOND - 2 * minute_ns);
  assert_int_equal(count_passing(limiter, at, 100), 4);
  assert_int_equal(rejected_at(limiter, 1, at).limit, 12);
  weir_limiter_unref(limiter);
}

static void L12_a_refusal_names_the_limit_that_takes_longest(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_FIXED_WINDOW, 5, 60000);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_TOKEN_BUCKET, 4, 1000, WEIR_OFF, NULL), WEIR_OK);
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 4);
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).limit, 4);
  weir_rejection both = rejected_at(limiter, 2, now_ns(fx));
  assert_int_equal(both.limit, 5);
  assert_int_equal(both.retry_after_ns, 60 * SECOND);
  weir_limiter_unref(limiter);
}

static void L12_more_than_the_least_limit_can_give_is_an_error(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 50, 1000);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_TOKEN_BUCKET, 1000, 60000, 20, NULL), WEIR_OK);
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_limiter_try_acquire(limiter, 21, NULL, &rejection), WEIR_EINVAL);
  assert_int_equal(rejection.reason, WEIR_REJECTION_WEIGHT);
  assert_int_equal(rejection.requested, 21);
  assert_int_equal(rejection.limit, 20);
  assert_int_equal(rejection.retry_after_ns, -1);
  assert_true(passes(limiter, 20, now_ns(fx)));
  weir_limiter_unref(limiter);
}

static void L12_at_most_8_limits(struct fixture *fx) {
  weir_limiter *limiter = make_limiter(fx, NULL);
  assert_int_equal(weir_limiter_available(limiter), INT64_MAX);
  assert_true(passes(limiter, UINT32_MAX, now_ns(fx)));
  for (int i = 0; i < 8; ++i) {
    assert_int_equal(
        weir_limiter_add_limit(limiter, algorithms[i % 3], 10 + i, 1000, WEIR_OFF, NULL), WEIR_OK);
    assert_int_equal(weir_limiter_available(limiter), 10);
  }
  weir_error *error = NULL;
  assert_int_equal(weir_limiter_add_limit(limiter, 0, 1, 1, WEIR_OFF, &error), WEIR_EFULL);
  assert_message(error, "8 limits");
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 10);
  weir_limiter_unref(limiter);
}

static void L15_a_clock_that_steps_back_grants_nothing_more(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], 10, 1000);
    int64_t at = now_ns(fx) + 10 * SECOND;
    assert_int_equal(count_passing(limiter, at, 100), 10);
    for (int64_t back = 1; back < 11 * SECOND; back *= 3) {
      assert_int_equal(weir_limiter_available_at(limiter, at - back), 0);
      assert_false(passes(limiter, 1, at - back));
    }
    assert_int_equal(weir_limiter_available_at(limiter, at), 0);
    weir_limiter_unref(limiter);
  }
}

static void L15_a_step_back_keeps_what_a_window_has_used(struct fixture *fx) {
  for (size_t a = 1; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], 10, 1000);
    int64_t at = now_ns(fx) + 10 * SECOND;
    assert_true(passes(limiter, 4, at));
    assert_true(passes(limiter, 3, at - 1));
    assert_int_equal(weir_limiter_available_at(limiter, at), 3);
    assert_true(passes(limiter, 3, at - 1));
    assert_false(passes(limiter, 1, at));
    int64_t wait = rejected_at(limiter, 1, at).retry_after_ns;
    assert_int_equal(rejected_at(limiter, 1, at - SECOND / 2).retry_after_ns, wait + SECOND / 2);
    weir_limiter_unref(limiter);
  }
}

static void L15_threads_a_tick_apart_get_one_burst(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  int64_t at = now_ns(fx);
  int granted = 0;
  for (int i = 0; i < 100; ++i) granted += passes(limiter, 1, at - (i & 1));
  assert_int_equal(granted, 10);
  weir_limiter_unref(limiter);
}

static void absurd_times_neither_err_nor_grant_more(struct fixture *fx) {
  static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], 3, 1000);
    for (size_t i = 0; i < COUNT_OF(times); ++i) {
      assert_in_range(count_passing(limiter, times[i], 10), 0, 3);
      assert_int_equal(count_passing(limiter, times[i], 10), 0);
      assert_true(weir_limiter_available_at(limiter, times[i]) == 0);
    }
    weir_limiter_unref(limiter);
  }
}

/* A sliding window that is changed all the time still keeps each interval's bound. */
static void L09_sliding_window_keeps_its_bound_through_changes(struct fixture *fx) {
  enum { GRANTS = 3000 };
  static int64_t granted_at[GRANTS];
  weir_limiter_options options = rate_options(WEIR_LIMITER_SLIDING_WINDOW, 20, 1000);
  weir_limiter *limiter = make_limiter(fx, &options);
  uint64_t random = 99;
  int count = 0;
  while (count < GRANTS) {
    advance_ns(fx, (int64_t)(next_random(&random) % (80 * MS)));
    while (count < GRANTS && passes(limiter, 1, now_ns(fx))) granted_at[count++] = now_ns(fx);
    if (next_random(&random) % 16 == 0) {
      options.interval_ms = 1000 + (int64_t)(next_random(&random) % 500);
      assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    }
  }
  assert_int_equal(most_within(granted_at, GRANTS, 1000 * MS), 20);
  weir_limiter_unref(limiter);
}

TEST_MAIN("limiter: rates", TEST(L05_idle_for_a_year_gives_one_burst_and_then_exactly_the_rate),
          TEST(L06_sleeping_exactly_retry_after_makes_the_next_acquire_pass),
          TEST(L07_burst_of_5_lets_5_pass_and_never_6),
          LONG_TEST(L07_a_bucket_never_gives_more_than_burst_and_rate_in_any_time),
          LONG_TEST(L08_3_a_second_admit_259200_a_day_and_a_burst),
          LONG_TEST(L08_fractional_rates_do_not_drift_in_a_day),
          TEST(L08_one_a_year_and_one_a_century_do_not_overflow),
          TEST(L08_the_largest_of_everything_does_not_overflow),
          LONG_TEST(L08_a_billion_and_one_a_second_is_exact),
          TEST(L09_fixed_window_counts_on_each_side_of_its_boundary),
          LONG_TEST(L09_sliding_window_never_admits_more_in_any_interval),
          TEST(L09_sliding_window_refuses_at_most_one_slice_early),
          TEST(L09_sliding_window_frees_what_is_older_than_the_interval),
          LONG_TEST(L09_sliding_window_keeps_its_bound_through_changes),
          LONG_TEST(L18_100_a_minute_over_a_week_never_exceed_100_in_60_seconds),
          TEST(L12_a_refusal_over_three_limits_takes_from_none),
          TEST(L12_a_refusal_names_the_limit_that_takes_longest),
          TEST(L12_more_than_the_least_limit_can_give_is_an_error), TEST(L12_at_most_8_limits),
          TEST(L15_a_clock_that_steps_back_grants_nothing_more),
          TEST(L15_a_step_back_keeps_what_a_window_has_used),
          TEST(L15_threads_a_tick_apart_get_one_burst),
          TEST(absurd_times_neither_err_nor_grant_more))
