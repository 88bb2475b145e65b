/* SPDX-License-Identifier: MIT */
/* The retry budget by itself: what hosts that retry on their own see of it. */

#include <math.h>

#include "support.h"

static weir_budget *make_budget(struct fixture *fx, double ratio, double min_per_second,
                                int64_t window_ms) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  options.ratio = ratio;
  options.min_per_second = min_per_second;
  options.window_ms = window_ms;
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, &options, &budget, NULL), WEIR_OK);
  return budget;
}

static weir_budget_stats stats_of(weir_budget *budget) {
  weir_budget_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_budget_get_stats(budget, &stats), WEIR_OK);
  return stats;
}

static void deposit(weir_budget *budget, int count) {
  for (int i = 0; i < count; i++) assert_int_equal(weir_budget_deposit(budget), WEIR_OK);
}

/* Withdraws until refused. */
static int withdraw_all(weir_budget *budget) {
  int count = 0;
  while (weir_budget_withdraw(budget) == WEIR_OK) count++;
  return count;
}

static void defaults_allow_one_a_second_over_ten_seconds(struct fixture *fx) {
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, NULL, &budget, NULL), WEIR_OK);
  assert_int_equal(stats_of(budget).available, 10);
  assert_int_equal(withdraw_all(budget), 10);
  deposit(budget, 100);
  assert_int_equal(withdraw_all(budget), 10); /* 0.2 × 100, of which 10 are used */
  weir_budget_unref(budget);
}

static void the_larger_of_share_and_minimum_holds_not_their_sum(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.2, 1, 10000);
  deposit(budget, 40);
  assert_int_equal(withdraw_all(budget), 10);
  deposit(budget, 15);
  assert_int_equal(withdraw_all(budget), 1);
  weir_budget_unref(budget);
}

static void a_share_is_cut_down_to_whole_retries_and_not_by_rounding(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.2, 0, 10000);
  deposit(budget, 4);
  assert_int_equal(withdraw_all(budget), 0);
  deposit(budget, 1);
  assert_int_equal(withdraw_all(budget), 1);
  weir_budget_unref(budget);
  budget = make_budget(fx, 0.29, 0, 10000); /* 0.29 × 100 is below 29 in doubles */
  deposit(budget, 100);
  assert_int_equal(withdraw_all(budget), 29);
  weir_budget_unref(budget);
}

static void a_fraction_of_a_retry_per_second_adds_up_over_the_window(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 0.25, 10000);
  assert_int_equal(withdraw_all(budget), 2);
  weir_budget_unref(budget);
}

static void nothing_is_allowed_where_both_are_0(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 0, 10000);
  deposit(budget, 1000);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_ELIMITED);
  assert_int_equal(stats_of(budget).refused, 1);
  weir_budget_unref(budget);
}

static void retries_come_back_when_the_window_has_passed_and_not_before(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1, 10000);
  advance_ns(fx, 700 * MS + 1);
  assert_int_equal(withdraw_all(budget), 10);
  advance_ns(fx, 10 * SECOND - 1);
  assert_int_equal(withdraw_all(budget), 0);
  advance_ns(fx, 1);
  assert_int_equal(withdraw_all(budget), 10);
  weir_budget_unref(budget);
}

static void deposits_count_for_nine_tenths_of_the_window_and_never_longer(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 1, 0, 10000);
  advance_ms(fx, 999); /* at the end of a slice */
  deposit(budget, 5);
  advance_ms(fx, 9000);
  assert_int_equal(stats_of(budget).deposits, 5);
  advance_ms(fx, 1000);
  assert_int_equal(stats_of(budget).deposits, 0);
  assert_int_equal(stats_of(budget).available, 0);
  weir_budget_unref(budget);
}

static void stats_tell_what_is_in_the_window(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.5, 0, 1000);
  deposit(budget, 10);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  weir_budget_stats stats = stats_of(budget);
  assert_int_equal(stats.deposits, 10);
  assert_int_equal(stats.withdrawn, 2);
  assert_int_equal(stats.available, 3);
  assert_int_equal(stats.refused, 0);
  advance_ms(fx, 2000);
  stats = stats_of(budget);
  assert_int_equal(stats.deposits, 0);
  assert_int_equal(stats.withdrawn, 0);
  assert_int_equal(stats.available, 0);
  weir_budget_unref(budget);
}

/* ---- refunds ---- */

static void a_refund_gives_back_one_and_no_more_than_was_taken(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1, 10000);
  assert_int_equal(weir_budget_refund(budget), WEIR_OK); /* nothing is out: changes nothing */
  assert_int_equal(stats_of(budget).available, 10);
  assert_int_equal(withdraw_all(budget), 10);
  assert_int_equal(weir_budget_refund(budget), WEIR_OK);
  assert_int_equal(withdraw_all(budget), 1);
  weir_budget_unref(budget);
}

static void a_refund_finds_withdrawals_of_earlier_slices(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1, 10000);
  assert_int_equal(withdraw_all(budget), 10);
  advance_ms(fx, 9500);
  assert_int_equal(weir_budget_refund(budget), WEIR_OK);
  assert_int_equal(stats_of(budget).available, 1);
  weir_budget_unref(budget);
}

static void a_refund_passes_over_what_no_longer_counts(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1, 10000);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  advance_ms(fx, 10000);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  assert_int_equal(weir_budget_refund(budget), WEIR_OK);
  assert_int_equal(stats_of(budget).withdrawn, 0);
  weir_budget_unref(budget);
}

/* The one given back is the oldest, so the later one is still counted when the first would be gone.
 * */
static void a_refund_never_makes_a_later_withdrawal_count_less_long(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 0.2, 10000); /* two */
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  advance_ms(fx, 5000);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  assert_int_equal(weir_budget_refund(budget), WEIR_OK);
  advance_ms(fx, 6000);
  assert_int_equal(stats_of(budget).withdrawn, 1);
  weir_budget_unref(budget);
}

static void an_old_refund_does_not_touch_a_later_window(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1, 10000);
  int64_t first_ns = now_ns(fx);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  for (int second = 1; second <= 48; second++) {
    advance_ms(fx, 1000);
    assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  }
  assert_int_equal(stats_of(budget).withdrawn, 10);
  assert_int_equal(weir_budget_refund_at(budget, first_ns), WEIR_OK);
  assert_int_equal(stats_of(budget).withdrawn, 10);
  weir_budget_unref(budget);
}

/* ---- the bound, against a list of everything that happened ---- */

enum { HISTORY = 20000 };

struct history {
  int64_t deposits[HISTORY];
  int64_t withdrawals[HISTORY];
  int deposit_count;
  int withdrawal_count;
};

static int later_than(const int64_t *times, int count, int64_t ns) {
  int found = 0;
  while (found < count && times[count - 1 - found] > ns) found++;
  return found;
}

static uint64_t next_random(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
  return *state >> 33;
}

static void the_bound_holds_in_every_window_that_ends_with_a_withdrawal(struct fixture *fx) {
  static struct history seen;
  memset(&seen, 0, sizeof seen);
  const int64_t window_ns = SECOND;
  weir_budget *budget = make_budget(fx, 0.3, 5, 1000);
  uint64_t random = 7;
  int64_t now = now_ns(fx);
  while (seen.deposit_count < HISTORY && seen.withdrawal_count < HISTORY) {
    now += (int64_t)(next_random(&random) % (next_random(&random) % 50 == 0 ? 400 * MS : 9 * MS));
    if (next_random(&random) % 3 != 0) {
      assert_int_equal(weir_budget_deposit_at(budget, now), WEIR_OK);
      seen.deposits[seen.deposit_count++] = now;
    } else if (weir_budget_withdraw_at(budget, now) == WEIR_OK) {
      seen.withdrawals[seen.withdrawal_count++] = now;
      int first = later_than(seen.deposits, seen.deposit_count, now - window_ns);
      int again = later_than(seen.withdrawals, seen.withdrawal_count, now - window_ns);
      assert_true(again <= (0.3 * first > 5 ? 0.3 * first : 5));
    }
  }
  assert_true(seen.withdrawal_count > 100);
  weir_budget_unref(budget);
}

/* ---- clocks ---- */

static void a_year_between_two_calls_leaves_an_empty_window(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 1, 1, 10);
  deposit(budget, 100);
  withdraw_all(budget);
  advance_ms(fx, INT64_C(365) * 86400000);
  assert_int_equal(stats_of(budget).deposits, 0);
  assert_int_equal(stats_of(budget).withdrawn, 0);
  weir_budget_unref(budget);
}

static void a_caller_whose_clock_is_behind_gets_nothing_extra(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 10, 1000);
  int64_t now = now_ns(fx);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(weir_budget_withdraw_at(budget, now + 1600 * MS), WEIR_OK);
  }
  for (int behind = 0; behind < 17; behind++) {
    int64_t then = now + (1600 - behind * 100) * MS;
    assert_int_equal(weir_budget_withdraw_at(budget, then), WEIR_ELIMITED);
  }
  weir_budget_unref(budget);
}

/* Sixteen slices behind is the same place in the ring: what is there must not be lost. */
static void a_caller_that_lags_by_the_whole_ring_counts_with_the_others(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 20, 1000);
  int64_t now = now_ns(fx);
  for (int i = 0; i < 20; i++) {
    int64_t at_ns = i < 10 ? now + 1600 * MS : now;
    assert_int_equal(weir_budget_withdraw_at(budget, at_ns), WEIR_OK);
  }
  assert_int_equal(weir_budget_withdraw_at(budget, now), WEIR_ELIMITED);
  assert_int_equal(weir_budget_withdraw_at(budget, now + 1600 * MS), WEIR_ELIMITED);
  weir_budget_unref(budget);
}

static void a_refund_by_a_clock_that_is_behind_finds_its_withdrawal(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1, 10000);
  int64_t now = now_ns(fx);
  assert_int_equal(weir_budget_withdraw_at(budget, now), WEIR_OK);
  assert_int_equal(weir_budget_refund_at(budget, now - 10 * MS), WEIR_OK); /* the slice before */
  assert_int_equal(stats_of(budget).withdrawn, 0);
  weir_budget_unref(budget);
}

static void absurd_times_do_not_spoil_the_budget_for_others(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1, 10000);
  const int64_t times[] = {INT64_MAX, INT64_MAX - 1, INT64_MIN, -1, 0};
  for (size_t i = 0; i < COUNT_OF(times); i++) {
    assert_int_equal(weir_budget_deposit_at(budget, times[i]), WEIR_OK);
    weir_budget_withdraw_at(budget, times[i]);
    assert_int_equal(weir_budget_refund_at(budget, times[i]), WEIR_OK);
    weir_budget_withdraw_at(budget, times[i]);
  }
  advance_ms(fx, 20000);
  assert_int_equal(withdraw_all(budget), 10);
  weir_budget_unref(budget);
}

/* ---- threads ---- */

enum { THREADS = 4, TRIES = 5000 };

static void *withdraw_many(void *data) {
  weir_budget *budget = data;
  intptr_t passed = 0;
  for (int i = 0; i < TRIES; i++) passed += weir_budget_withdraw(budget) == WEIR_OK;
  return (void *)passed;
}

static void *deposit_many(void *data) {
  for (int i = 0; i < TRIES; i++) weir_budget_deposit(data);
  return NULL;
}

static intptr_t on_threads(void *(*body)(void *), weir_budget *budget) {
  pthread_t threads[THREADS];
  int started = 0;
  while (started < THREADS && pthread_create(&threads[started], NULL, body, budget) == 0) started++;
  intptr_t sum = 0;
  for (int i = 0; i < started; i++) {
    void *result = NULL;
    pthread_join(threads[i], &result);
    sum += (intptr_t)result;
  }
  assert_int_equal(started, THREADS);
  return sum;
}

static void threads_that_race_get_exactly_what_there_is(struct fixture *fx) {
  for (int round = 0; round < 20; round++) {
    weir_budget *budget = make_budget(fx, 0.25, 0, 10000);
    on_threads(deposit_many, budget);
    assert_int_equal(stats_of(budget).deposits, THREADS * TRIES);
    assert_int_equal(on_threads(withdraw_many, budget), THREADS * TRIES / 4);
    assert_int_equal(stats_of(budget).withdrawn, THREADS * TRIES / 4);
    assert_int_equal(stats_of(budget).available, 0);
    weir_budget_unref(budget);
  }
}

static void *withdraw_and_refund(void *data) {
  intptr_t most = 0;
  for (int i = 0; i < TRIES; i++) {
    if (weir_budget_withdraw(data) == WEIR_OK) weir_budget_refund(data);
  }
  return (void *)most;
}

static void refunds_that_race_leave_everything_available(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 0.3, 10000);
  on_threads(withdraw_and_refund, budget);
  assert_int_equal(stats_of(budget).available, 3);
  weir_budget_unref(budget);
}

/* ---- bad input ---- */

static void expect_invalid(struct fixture *fx, const weir_budget_options *options,
                           const char *message) {
  weir_budget *budget = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, options, &budget, &error), WEIR_EINVAL);
  assert_null(budget);
  assert_message(error, message);
}

static void C08_options_out_of_range_are_named(struct fixture *fx) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  options.ratio = -0.1;
  expect_invalid(fx, &options, "budget.ratio");
  options.ratio = NAN;
  expect_invalid(fx, &options, "budget.ratio");
  options.ratio = 1000.1;
  expect_invalid(fx, &options, "budget.ratio");
  options.ratio = 0.2;
  options.min_per_second = -1;
  expect_invalid(fx, &options, "budget.min_per_second");
  options.min_per_second = 1e6 + 1;
  expect_invalid(fx, &options, "budget.min_per_second");
  options.min_per_second = 1;
  const int64_t windows[] = {9, 0, -1, -2, INT64_MIN, INT64_C(86400001), INT64_MAX};
  for (size_t i = 0; i < COUNT_OF(windows); i++) {
    options.window_ms = windows[i];
    expect_invalid(fx, &options, "budget.window_ms");
  }
  options.window_ms = 10;
  options.reserved = 1;
  expect_invalid(fx, &options, "budget.reserved");
}

static void C08_the_smallest_and_the_largest_options_work(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 1000, 1e6, 86400000);
  deposit(budget, 1);
  assert_int_equal(stats_of(budget).available, INT64_C(86400000000));
  weir_budget_unref(budget);
  budget = make_budget(fx, 0, 100, 10);
  assert_int_equal(withdraw_all(budget), 1);
  advance_ms(fx, 10);
  assert_int_equal(withdraw_all(budget), 1);
  weir_budget_unref(budget);
}

static void C08_null_arguments_are_errors(struct fixture *fx) {
  weir_budget *budget = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_budget_new(NULL, NULL, &budget, &error), WEIR_EINVAL);
  assert_message(error, "budget.runtime");
  assert_int_equal(weir_budget_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "budget.out");
  assert_int_equal(weir_budget_deposit(NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_deposit_at(NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_budget_withdraw(NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_withdraw_at(NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_budget_refund(NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_refund_at(NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_budget_get_stats(NULL, NULL), WEIR_EINVAL);
  assert_null(weir_budget_ref(NULL));
  weir_budget_unref(NULL);
  budget = make_budget(fx, 1, 1, 10000);
  assert_int_equal(weir_budget_get_stats(budget, NULL), WEIR_EINVAL);
  weir_budget_stats stats = {.size = 0};
  assert_int_equal(weir_budget_get_stats(budget, &stats), WEIR_EABI);
  weir_budget_unref(budget);
}

static void C08_sizes_of_the_options_are_checked(struct fixture *fx) {
  struct {
    weir_budget_options known;
    uint64_t unknown;
  } longer = {WEIR_BUDGET_OPTIONS_INIT, 0};
  weir_budget *budget = NULL;
  weir_error *error = NULL;
  longer.known.size = 0;
  assert_int_equal(weir_budget_new(fx->runtime, &longer.known, &budget, &error), WEIR_EABI);
  assert_message(error, "size");
  longer.known.size = sizeof longer;
  assert_int_equal(weir_budget_new(fx->runtime, &longer.known, &budget, NULL), WEIR_OK);
  weir_budget_unref(budget);
  longer.unknown = 1;
  assert_int_equal(weir_budget_new(fx->runtime, &longer.known, &budget, &error), WEIR_EABI);
  assert_message(error, "budget.options");
  /* As of a version that had only the ratio: the rest are defaults. */
  longer.known = (weir_budget_options){16, 0, 0, 77, 77, NULL};
  assert_int_equal(weir_budget_new(fx->runtime, &longer.known, &budget, NULL), WEIR_OK);
  assert_int_equal(stats_of(budget).available, 10);
  weir_budget_unref(budget);
}

static void the_macro_and_the_init_function_say_the_same(struct fixture *fx) {
  (void)fx;
  weir_budget_options by_macro = WEIR_BUDGET_OPTIONS_INIT;
  weir_budget_options by_function;
  weir_budget_options_init(&by_function, sizeof by_function);
  assert_memory_equal(&by_macro, &by_function, sizeof by_macro);
  weir_budget_options_init(NULL, sizeof by_function);
}

static void a_budget_outlives_its_runtime(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 1, 1, 10000);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  deposit(budget, 20);
  assert_int_equal(withdraw_all(budget), 20);
  weir_budget_unref(budget);
}

TEST_MAIN("budget", TEST(defaults_allow_one_a_second_over_ten_seconds),
          TEST(the_larger_of_share_and_minimum_holds_not_their_sum),
          TEST(a_share_is_cut_down_to_whole_retries_and_not_by_rounding),
          TEST(a_fraction_of_a_retry_per_second_adds_up_over_the_window),
          TEST(nothing_is_allowed_where_both_are_0),
          TEST(retries_come_back_when_the_window_has_passed_and_not_before),
          TEST(deposits_count_for_nine_tenths_of_the_window_and_never_longer),
          TEST(stats_tell_what_is_in_the_window),
          TEST(a_refund_gives_back_one_and_no_more_than_was_taken),
          TEST(a_refund_finds_withdrawals_of_earlier_slices),
          TEST(a_refund_passes_over_what_no_longer_counts),
          TEST(a_refund_never_makes_a_later_withdrawal_count_less_long),
          TEST(an_old_refund_does_not_touch_a_later_window),
          TEST(the_bound_holds_in_every_window_that_ends_with_a_withdrawal),
          TEST(a_year_between_two_calls_leaves_an_empty_window),
          TEST(a_caller_whose_clock_is_behind_gets_nothing_extra),
          TEST(a_caller_that_lags_by_the_whole_ring_counts_with_the_others),
          TEST(a_refund_by_a_clock_that_is_behind_finds_its_withdrawal),
          TEST(absurd_times_do_not_spoil_the_budget_for_others),
          LONG_TEST(threads_that_race_get_exactly_what_there_is),
          LONG_TEST(refunds_that_race_leave_everything_available),
          TEST(C08_options_out_of_range_are_named),
          TEST(C08_the_smallest_and_the_largest_options_work), TEST(C08_null_arguments_are_errors),
          TEST(C08_sizes_of_the_options_are_checked),
          TEST(the_macro_and_the_init_function_say_the_same), TEST(a_budget_outlives_its_runtime))
