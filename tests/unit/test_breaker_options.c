/* SPDX-License-Identifier: MIT */
/* Options: changed live, of other sizes, and those that cannot be. */

#include "breaker.h"

static void options_change_live_and_counts_stay(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  weir_breaker *breaker = make_breaker(fx, &options);
  weir_permit permit = admitted(breaker);
  calls_fail(breaker, 3);
  options.failure_threshold = 4;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  assert_int_equal(stats_of(breaker).failures, 3);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
  assert_state(breaker, OPEN);

  options.reset_timeout_ms = 10; /* what runs keeps its end */
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  assert_int_equal(stats_of(breaker).open_remaining_ns, 60000 * MS);
  advance_ms(fx, 60000);
  weir_permit trial = admitted(breaker);
  options.trial_timeout_ms = 5;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  advance_ms(fx, 100);
  assert_int_equal(weir_breaker_report(breaker, trial, WEIR_CLASS_FAILURE, 0), WEIR_OK);
  assert_int_equal(stats_of(breaker).open_remaining_ns, 10 * MS);
  weir_breaker_unref(breaker);
}

static void a_window_of_the_same_shape_keeps_its_calls(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  weir_breaker *breaker = make_breaker(fx, &options);
  weir_permit permit = admitted(breaker);
  calls_fail(breaker, 9);
  options.failure_rate = 0.9;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  assert_int_equal(stats_of(breaker).calls, 9);
  options.window_size = 50;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  assert_int_equal(stats_of(breaker).calls, 0);
  calls_fail(breaker, 9);
  options.mode = WEIR_BREAKER_TIME_WINDOW;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  assert_int_equal(stats_of(breaker).calls, 0);
  calls_fail(breaker, 9);
  options.mode = WEIR_BREAKER_CONSECUTIVE;
  options.failure_threshold = 3;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  assert_int_equal(stats_of(breaker).failures, 0);
  calls_fail(breaker, 2);
  assert_state(breaker, CLOSED);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
  assert_state(breaker, OPEN);
  assert_int_equal(stats_of(breaker).failed, 30);
  weir_breaker_unref(breaker);
}

static void the_stats_tell_all_that_was_ever_counted_whatever_the_mode(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.slow_call_ms = 10;
  options.failure_rate = 0.6;
  weir_breaker *breaker = make_breaker(fx, NULL);
  static const uint32_t modes[] = {WEIR_BREAKER_COUNT_WINDOW, WEIR_BREAKER_TIME_WINDOW,
                                   WEIR_BREAKER_CONSECUTIVE, WEIR_BREAKER_COUNT_WINDOW};
  for (uint64_t i = 0; i < COUNT_OF(modes); i++) {
    options.mode = modes[i];
    assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
    calls_succeed(breaker, 2);
    assert_int_equal(weir_breaker_report(breaker, admitted(breaker), WEIR_CLASS_SUCCESS, SECOND),
                     WEIR_OK);
    calls_fail(breaker, 2);
    calls_end(breaker, 1, WEIR_CLASS_IGNORE);
    weir_breaker_stats stats = stats_of(breaker);
    int windowed = modes[i] != WEIR_BREAKER_CONSECUTIVE;
    assert_int_equal(stats.calls, windowed ? 5 : 2);
    assert_int_equal(stats.failures, 2);
    assert_int_equal(stats.slow_calls, windowed ? 1 : 0);
    assert_true(stats.failure_rate == (windowed ? 0.4 : 1.0));
    assert_true(stats.slow_call_rate == (windowed ? 0.2 : 0.0));
    assert_int_equal(stats.succeeded, 3 * (i + 1));
    assert_int_equal(stats.failed, 2 * (i + 1));
    assert_int_equal(stats.slow, i + 1);
    assert_int_equal(stats.ignored, i + 1);
    assert_int_equal(stats.stale, 0);
    assert_int_equal(stats.rejected, 0);
    assert_int_equal(stats.open_remaining_ns, 0);
  }
  calls_fail(breaker, 5); /* 7 of 10 */
  advance_ms(fx, 1000);
  assert_refused(breaker, WEIR_REJECTION_OPEN, 59000);
  weir_breaker_stats stats = stats_of(breaker);
  assert_int_equal(stats.state, WEIR_BREAKER_OPEN);
  assert_int_equal(stats.calls, 10);
  assert_int_equal(stats.failures, 7);
  assert_int_equal(stats.slow_calls, 1);
  assert_int_equal(stats.times_opened, 1);
  assert_int_equal(stats.rejected, 1);
  assert_int_equal(stats.open_remaining_ns, 59 * SECOND);
  weir_breaker_unref(breaker);
}

static void other_numbers_of_trials_begin_the_period_again(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.half_open_max_calls = 1;
  options.half_open_success_threshold = 1;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 5);
  advance_ms(fx, 60000);
  weir_permit old = admitted(breaker);
  assert_refused(breaker, WEIR_REJECTION_HALF_OPEN, 120000);
  options.half_open_max_calls = 32;
  options.half_open_success_threshold = 32;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(weir_breaker_report(breaker, old, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  assert_int_equal(stats_of(breaker).times_opened, 1);
  calls_succeed(breaker, 31);
  assert_state(breaker, HALF_OPEN);
  calls_succeed(breaker, 1);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void what_cannot_change_is_refused_and_its_data_freed(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  unsigned freed = 0;
  static const weir_error_range range = {WEIR_DOMAIN_HTTP, 0, 500, 599};
  for (int which = 0; which < 4; which++) {
    static const char *const expected[] = {"breaker.on_state_change cannot change",
                                           "breaker.classify cannot change",
                                           "breaker.failures cannot", "breaker.name cannot"};
    weir_breaker_options options = BREAKER_OPTIONS;
    if (which == 0) options.on_state_change = note_change;
    if (which == 0) options.change_data = &freed;
    if (which == 0) options.change_free_data = count_free;
    if (which == 1) options.classify_data = &freed;
    if (which == 1) options.classify_free_data = count_free;
    if (which == 2) options.failures = &range;
    if (which == 2) options.failures_count = 1;
    if (which == 3) options.name = "other";
    weir_error *error = NULL;
    assert_int_equal(weir_breaker_set_options(breaker, &options, &error), WEIR_EINVAL);
    assert_message(error, expected[which]);
  }
  assert_int_equal(freed, 2);
  weir_error *error = NULL;
  weir_breaker_options defaults = BREAKER_OPTIONS;
  assert_int_equal(weir_breaker_set_options(NULL, &defaults, &error), WEIR_EINVAL);
  assert_message(error, "breaker must not be NULL");
  weir_breaker_unref(breaker);
}

/* Sets one field of `options` by number and returns what the message must say; NULL: no more. */
static const char *spoil_judging(weir_breaker_options *options, size_t which) {
  switch (which) {
    case 0:
      return options->mode = 3, "breaker.mode must be at most 2 (got 3)";
    case 1:
      return options->failure_threshold = 0, "breaker.failure_threshold must be";
    case 2:
      return options->failure_threshold = 1000001, "breaker.failure_threshold must be";
    case 3:
      return options->window_size = 0, "breaker.window_size must be";
    case 4:
      return options->window_size = (1 << 20) + 1, "breaker.window_size must be";
    case 5:
      return options->window_ms = 9, "breaker.window_ms must be";
    case 6:
      return options->window_ms = 86400001, "breaker.window_ms must be";
    case 7:
      return options->window_ms = -1, "breaker.window_ms must be";
    case 8:
      return options->failure_rate = 0, "breaker.failure_rate must be";
    case 9:
      return options->failure_rate = 1.01, "breaker.failure_rate must be";
    case 10:
      return options->failure_rate = 0.0 / 0.0, "breaker.failure_rate must be";
    case 11:
      return options->min_calls = 0, "breaker.min_calls must be";
    default:
      return NULL;
  }
}

static const char *spoil_recovering(weir_breaker_options *options, size_t which) {
  switch (which) {
    case 0:
      return options->half_open_max_calls = 0, "breaker.half_open_max_calls must be";
    case 1:
      return options->half_open_max_calls = 33, "breaker.half_open_max_calls must be";
    case 2:
      return options->half_open_success_threshold = 0, "breaker.half_open_success_thr";
    case 3:
      return options->half_open_failures = 0, "breaker.half_open_failures must be";
    case 4:
      return options->half_open_success_threshold = 4, "must not exceed half_open_max_calls";
    case 5:
      return options->half_open_failures = UINT32_MAX, "must not exceed half_open_max_calls";
    case 6:
      return options->slow_call_ms = -2, "breaker.slow_call_ms must be";
    case 7:
      return options->slow_call_rate = 0, "breaker.slow_call_rate must be";
    case 8:
      return options->slow_call_rate = 2, "breaker.slow_call_rate must be";
    case 9:
      return options->reset_timeout_ms = -1, "breaker.reset_timeout_ms must be";
    case 10:
      return options->reset_multiplier = 0.5, "breaker.reset_multiplier must be";
    case 11:
      return options->reset_multiplier = 1001, "breaker.reset_multiplier must be";
    case 12:
      return options->reset_timeout_ms = 600001, "must be at least reset_timeout_ms";
    case 13:
      return options->trial_timeout_ms = 0, "breaker.trial_timeout_ms must be";
    case 14:
      return options->trial_timeout_ms = -2, "breaker.trial_timeout_ms must be";
    case 15:
      return options->ramp_up_ms = -2, "breaker.ramp_up_ms must be";
    case 16:
      return options->failures_count = 1, "breaker.failures must not be NULL";
    default:
      return NULL;
  }
}

static const char *spoil(weir_breaker_options *options, size_t which) {
  enum { JUDGING = 12 };
  return which < JUDGING ? spoil_judging(options, which)
                         : spoil_recovering(options, which - JUDGING);
}

static void C08_each_option_that_cannot_be_is_named(struct fixture *fx) {
  for (size_t which = 0;; which++) {
    unsigned freed = 0;
    weir_breaker *breaker = NULL;
    weir_error *error = NULL;
    weir_breaker_options options = BREAKER_OPTIONS;
    options.change_data = &freed;
    options.change_free_data = count_free;
    options.classify_data = &freed;
    options.classify_free_data = count_free;
    const char *message = spoil(&options, which);
    if (message == NULL) {
      assert_true(which > 20);
      break;
    }
    assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, &error), WEIR_EINVAL);
    assert_null(breaker);
    assert_message(error, message);
    assert_int_equal(freed, 2);
    assert_int_equal(weir_breaker_new(fx->runtime, &options, NULL, NULL), WEIR_EINVAL);
    assert_int_equal(weir_breaker_new(NULL, &options, &breaker, NULL), WEIR_EINVAL);
    assert_int_equal(freed, 6);
  }
}

static void C08_options_of_other_sizes(struct fixture *fx) {
  struct {
    weir_breaker_options options;
    unsigned char more[64];
  } longer;
  memset(&longer, 0, sizeof longer);
  weir_breaker_options_init(&longer.options, sizeof longer);
  assert_int_equal(longer.options.size, sizeof longer);
  weir_breaker *breaker = make_breaker(fx, &longer.options);
  weir_breaker_unref(breaker);
  longer.more[63] = 1;
  assert_int_equal(weir_breaker_new(fx->runtime, &longer.options, &breaker, NULL), WEIR_EABI);
  longer.options.size = 0;
  assert_int_equal(weir_breaker_new(fx->runtime, &longer.options, &breaker, NULL), WEIR_EABI);
  longer.options.size = offsetof(weir_breaker_options, window_size); /* the rest: defaults */
  longer.options.failure_threshold = 2;
  longer.options.reset_timeout_ms = -77;
  breaker = make_breaker(fx, &longer.options);
  calls_fail(breaker, 2);
  assert_refused(breaker, WEIR_REJECTION_OPEN, 60000);
  weir_breaker_unref(breaker);
  weir_breaker_options_init(NULL, 8);
}

TEST_MAIN("breaker_options", TEST(options_change_live_and_counts_stay),
          TEST(a_window_of_the_same_shape_keeps_its_calls),
          TEST(the_stats_tell_all_that_was_ever_counted_whatever_the_mode),
          TEST(other_numbers_of_trials_begin_the_period_again),
          TEST(what_cannot_change_is_refused_and_its_data_freed),
          TEST(C08_each_option_that_cannot_be_is_named), TEST(C08_options_of_other_sizes))
