/* SPDX-License-Identifier: MIT */
/* Delays, seen through retry's decide door: it takes the time and gives the delay, so no run is
 * needed. */

#include <math.h>

#include "support.h"

#define DAY_MS INT64_C(86400000)

static const int64_t far_ms = INT64_MAX;

static weir_retry_options endless(uint32_t backoff, uint32_t jitter, int64_t base_ms) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.max_attempts = WEIR_UNLIMITED;
  options.backoff = backoff;
  options.jitter = jitter;
  options.base_delay_ms = base_ms;
  options.max_delay_ms = far_ms;
  return options;
}

static weir_retry *make_retry(struct fixture *fx, const weir_retry_options *options) {
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, options, &retry, NULL), WEIR_OK);
  return retry;
}

static weir_retry_state begun(weir_retry *retry) {
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  return state;
}

static int64_t asked_delay(weir_retry *retry, weir_retry_state *state, int64_t asked_ms) {
  int64_t delay_ns = -1;
  assert_int_equal(weir_retry_next(retry, state, WEIR_CLASS_FAILURE, asked_ms, &delay_ns, NULL),
                   WEIR_OK);
  return delay_ns;
}

static int64_t delay(weir_retry *retry, weir_retry_state *state) {
  return asked_delay(retry, state, WEIR_OFF);
}

static int64_t to_ns(int64_t ms) { return ms > INT64_MAX / MS ? INT64_MAX : ms * MS; }

/* ---- bounds ---- */

static void check_1025_delays(struct fixture *fx, const weir_retry_options *options) {
  weir_retry *retry = make_retry(fx, options);
  weir_retry_state state = begun(retry);
  for (int n = 0; n < 1025; n++) {
    int64_t delay_ns = delay(retry, &state);
    if (delay_ns < 0 || delay_ns > to_ns(options->max_delay_ms)) {
      fail_msg("delay %d of backoff %u, jitter %u, base %lld, max %lld is %lld", n,
               options->backoff, options->jitter, (long long)options->base_delay_ms,
               (long long)options->max_delay_ms, (long long)delay_ns);
    }
  }
  weir_retry_unref(retry);
}

static void R01_every_backoff_and_jitter_stays_between_0_and_max(struct fixture *fx) {
  const int64_t bases[] = {0, 1, 1000, DAY_MS, INT64_MAX};
  const int64_t caps[] = {0, 1, 30000, INT64_MAX / MS, INT64_MAX};
  const double multipliers[] = {1, 2, 1000};
  for (uint32_t backoff = 0; backoff <= WEIR_BACKOFF_DECORRELATED_V2; backoff++) {
    for (uint32_t jitter = 0; jitter <= WEIR_JITTER_SYMMETRIC; jitter++) {
      for (size_t i = 0; i < COUNT_OF(bases) * COUNT_OF(caps) * COUNT_OF(multipliers); i++) {
        weir_retry_options options = endless(backoff, jitter, bases[i % COUNT_OF(bases)]);
        options.max_delay_ms = caps[i / COUNT_OF(bases) % COUNT_OF(caps)];
        options.multiplier = multipliers[i / COUNT_OF(bases) / COUNT_OF(caps)];
        options.jitter_factor = 1;
        check_1025_delays(fx, &options);
      }
    }
  }
}

static void R01_a_base_of_0_never_waits_whatever_the_growth(struct fixture *fx) {
  for (uint32_t backoff = 0; backoff <= WEIR_BACKOFF_DECORRELATED_V2; backoff++) {
    weir_retry_options options = endless(backoff, WEIR_JITTER_FULL, 0);
    options.multiplier = 1000;
    weir_retry *retry = make_retry(fx, &options);
    weir_retry_state state = begun(retry);
    for (int n = 0; n < 1025; n++) assert_int_equal(delay(retry, &state), 0);
    weir_retry_unref(retry);
  }
}

static void R02_the_thousandth_attempt_of_a_base_of_one_day_saturates_at_max(struct fixture *fx) {
  const int64_t caps[] = {30000, 2 * DAY_MS, INT64_MAX};
  for (size_t i = 0; i < COUNT_OF(caps); i++) {
    for (uint32_t jitter = 0; jitter <= WEIR_JITTER_SYMMETRIC; jitter++) {
      weir_retry_options options = endless(WEIR_BACKOFF_EXPONENTIAL, jitter, DAY_MS);
      options.max_delay_ms = caps[i];
      weir_retry *retry = make_retry(fx, &options);
      weir_retry_state state = begun(retry);
      int64_t delay_ns = -1;
      for (int n = 0; n < 1000; n++) delay_ns = delay(retry, &state);
      assert_int_equal(delay_ns, to_ns(caps[i]));
      weir_retry_unref(retry);
    }
  }
}

static void R02_decorrelated_v2_saturates_at_max_and_stays_there(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_DECORRELATED_V2, WEIR_JITTER_NONE, 1);
  options.max_delay_ms = INT64_MAX / MS;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state = begun(retry);
  for (int n = 0; n < 60; n++) delay(retry, &state);
  for (int n = 60; n < 1500; n++) assert_int_equal(delay(retry, &state), to_ns(INT64_MAX / MS));
  weir_retry_unref(retry);
}

/* ---- growth ---- */

static void expect_delays(struct fixture *fx, const weir_retry_options *options,
                          const double *expected_ms, size_t count) {
  weir_retry *retry = make_retry(fx, options);
  weir_retry_state state = begun(retry);
  for (size_t n = 0; n < count; n++) {
    assert_int_equal(delay(retry, &state), (int64_t)ceil(expected_ms[n] * (double)MS));
  }
  weir_retry_unref(retry);
}

static void constant_linear_and_exponential_grow_as_written(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_CONSTANT, WEIR_JITTER_NONE, 100);
  expect_delays(fx, &options, (const double[]){100, 100, 100}, 3);
  options.backoff = WEIR_BACKOFF_LINEAR;
  expect_delays(fx, &options, (const double[]){100, 200, 300, 400}, 4);
  options.backoff = WEIR_BACKOFF_EXPONENTIAL;
  expect_delays(fx, &options, (const double[]){100, 200, 400, 800}, 4);
  options.multiplier = 3;
  expect_delays(fx, &options, (const double[]){100, 300, 900}, 3);
}

static void fractions_of_a_millisecond_carry(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_EXPONENTIAL, WEIR_JITTER_NONE, 1);
  options.multiplier = 1.5;
  expect_delays(fx, &options, (const double[]){1, 1.5, 2.25, 3.375, 5.0625}, 5);
}

static void a_multiplier_just_above_1_still_grows_by_fractions_of_a_nanosecond(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_EXPONENTIAL, WEIR_JITTER_NONE, 1);
  options.multiplier = 1.0000001; /* a tenth of a nanosecond a step */
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state = begun(retry);
  assert_int_equal(delay(retry, &state), MS);
  assert_int_equal(delay(retry, &state), MS + 1); /* rounded up, and kept as it was */
  int64_t delay_ns = 0;
  for (int n = 2; n <= 100; n++) delay_ns = delay(retry, &state);
  assert_in_range(delay_ns, MS + 10, MS + 11);
  weir_retry_unref(retry);
}

static void min_raises_computed_delays_and_max_holds_above_all(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_EXPONENTIAL, WEIR_JITTER_NONE, 100);
  options.min_delay_ms = 250;
  options.max_delay_ms = 700;
  expect_delays(fx, &options, (const double[]){250, 250, 400, 700, 700}, 5);
}

static void max_comes_after_the_jitter(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_CONSTANT, WEIR_JITTER_PROPORTIONAL, 1000);
  options.jitter_factor = 1;
  options.max_delay_ms = 1000;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state = begun(retry);
  for (int n = 0; n < 100; n++) assert_int_equal(delay(retry, &state), SECOND);
  weir_retry_unref(retry);
}

/* ---- jitter ---- */

enum { DRAWS = 100000 };

/* DRAWS first delays of a base of one second: all within [low, high] seconds, their mean right to
 * one in a hundred, and both ends of the interval nearly reached. */
static void check_draws(struct fixture *fx, const weir_retry_options *options, double low,
                        double high, double mean) {
  weir_retry *retry = make_retry(fx, options);
  double sum = 0;
  double least = 1e9;
  double most = 0;
  for (int i = 0; i < DRAWS; i++) {
    weir_retry_state state = begun(retry);
    double seconds = (double)delay(retry, &state) / (double)SECOND;
    sum += seconds;
    least = seconds < least ? seconds : least;
    most = seconds > most ? seconds : most;
  }
  weir_retry_unref(retry);
  double margin = (high - low) / 1000;
  assert_true(least >= low && least <= low + margin);
  assert_true(most <= high + 1e-9 && most >= high - margin);
  assert_true(fabs(sum / DRAWS - mean) <= mean / 100);
}

static void R03_each_jitter_stays_in_its_interval_with_the_right_mean(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_EXPONENTIAL, WEIR_JITTER_FULL, 1000);
  options.jitter_factor = 0.3;
  check_draws(fx, &options, 0, 1, 0.5);
  options.jitter = WEIR_JITTER_EQUAL;
  check_draws(fx, &options, 0.5, 1, 0.75);
  options.jitter = WEIR_JITTER_PROPORTIONAL;
  check_draws(fx, &options, 1, 1.3, 1.15);
  options.jitter = WEIR_JITTER_SYMMETRIC;
  check_draws(fx, &options, 0.7, 1.3, 1);
  options.backoff = WEIR_BACKOFF_DECORRELATED;
  check_draws(fx, &options, 1, 3, 2);
}

static void R03_no_jitter_draws_nothing(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_CONSTANT, WEIR_JITTER_NONE, 1000);
  weir_retry *retry = make_retry(fx, &options);
  for (int i = 0; i < 1000; i++) {
    weir_retry_state state = begun(retry);
    assert_int_equal(delay(retry, &state), SECOND);
  }
  weir_retry_unref(retry);
}

/* Both decorrelated ones bring their own jitter: the option changes nothing. */
static void R03_decorrelated_ignores_the_jitter_option(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_DECORRELATED, WEIR_JITTER_NONE, 1000);
  check_draws(fx, &options, 1, 3, 2);
}

static void decorrelated_grows_from_the_delay_before_up_to_max(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_DECORRELATED, WEIR_JITTER_NONE, 100);
  options.max_delay_ms = 5000;
  weir_retry *retry = make_retry(fx, &options);
  double largest = 0;
  unsigned at_the_cap = 0;
  for (int call = 0; call < 1000; call++) {
    weir_retry_state state = begun(retry);
    double previous = 100.0 * (double)MS;
    for (int n = 0; n < 20; n++) {
      double delay_ns = (double)delay(retry, &state);
      double high = fmin(3 * previous, 5000.0 * (double)MS);
      assert_true(delay_ns >= 100.0 * (double)MS && delay_ns <= high + 1);
      previous = delay_ns;
      largest = fmax(largest, delay_ns);
      at_the_cap += delay_ns >= 5000.0 * (double)MS;
    }
  }
  assert_true(largest > 4900.0 * (double)MS);
  assert_int_equal(at_the_cap, 0); /* the cap bounds the draw, it does not cut it off */
  weir_retry_unref(retry);
}

/* ---- decorrelated-v2 ---- */

static double v2(double t) { return pow(2, t) * tanh(sqrt(4 * t)); }

/* The numbers of the specification, from the curve it names: what is checked below is that curve.
 * */
static void the_v2_curve_gives_the_published_numbers(struct fixture *fx) {
  (void)fx;
  const double half[] = {.897405, 1.093004, 2.035748, 4.045979, 8.083632, 16.163663};
  const double none[] = {0, 1.377182, 1.460067, 2.865850, 5.717807};
  for (int n = 0; n < 6; n++) {
    double step = (v2(n + 0.5) - (n == 0 ? 0 : v2(n - 0.5))) / 1.4;
    assert_true(fabs(step - half[n]) < 1e-6);
  }
  for (int n = 0; n < 5; n++) {
    double step = (v2(n) - (n == 0 ? 0 : v2(n - 1))) / 1.4;
    assert_true(fabs(step - none[n]) < 1e-6);
  }
}

/* Delays are differences of the curve at n + U, so their sum so far is the curve itself: between
 * its values at n and n + 1. */
static void decorrelated_v2_follows_its_curve(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_DECORRELATED_V2, WEIR_JITTER_NONE, 1000);
  weir_retry *retry = make_retry(fx, &options);
  double least[12];
  double most[12] = {0};
  for (int n = 0; n < 12; n++) least[n] = 1e18;
  for (int call = 0; call < 2000; call++) {
    weir_retry_state state = begun(retry);
    double sum = 0;
    for (int n = 0; n < 12; n++) {
      sum += (double)delay(retry, &state) / (double)SECOND;
      least[n] = fmin(least[n], sum);
      most[n] = fmax(most[n], sum);
    }
  }
  for (int n = 0; n < 12; n++) {
    double low = v2(n) / 1.4;
    double high = v2(n + 1) / 1.4;
    assert_true(least[n] >= low - 1e-6 && least[n] < low + (high - low) / 50);
    assert_true(most[n] <= high + 1e-6 && most[n] > high - (high - low) / 50);
  }
  weir_retry_unref(retry);
}

static void R03_decorrelated_v2_has_the_mean_of_its_curve(struct fixture *fx) {
  double mean = 0;
  for (int i = 0; i < 10000; i++) mean += v2((i + 0.5) / 10000) / 1.4 / 10000;
  weir_retry_options options = endless(WEIR_BACKOFF_DECORRELATED_V2, WEIR_JITTER_NONE, 1000);
  weir_retry *retry = make_retry(fx, &options);
  double sum = 0;
  for (int i = 0; i < DRAWS; i++) {
    weir_retry_state state = begun(retry);
    sum += (double)delay(retry, &state) / (double)SECOND;
  }
  assert_true(fabs(sum / DRAWS - mean) <= mean / 100);
  weir_retry_unref(retry);
}

/* ---- asked ---- */

static void R05_an_asked_delay_replaces_the_computed_one_up_to_max(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_CONSTANT, WEIR_JITTER_NONE, 1000);
  options.min_delay_ms = 500;
  options.max_delay_ms = 30000;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state = begun(retry);
  assert_int_equal(asked_delay(retry, &state, 250), 250 * MS); /* below min: honoured exactly */
  assert_int_equal(asked_delay(retry, &state, 0), 0);
  assert_int_equal(asked_delay(retry, &state, 29999), 29999 * MS);
  assert_int_equal(asked_delay(retry, &state, 30001), 30000 * MS);
  assert_int_equal(asked_delay(retry, &state, INT64_MAX), 30000 * MS);
  assert_int_equal(asked_delay(retry, &state, WEIR_OFF), 1000 * MS);
  assert_int_equal(asked_delay(retry, &state, -2), 1000 * MS);
  assert_int_equal(asked_delay(retry, &state, INT64_MIN), 1000 * MS);
  weir_retry_unref(retry);
}

static void R05_the_computed_sequence_goes_on_behind_asked_delays(struct fixture *fx) {
  weir_retry_options options = endless(WEIR_BACKOFF_EXPONENTIAL, WEIR_JITTER_NONE, 100);
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state = begun(retry);
  assert_int_equal(delay(retry, &state), 100 * MS);
  assert_int_equal(asked_delay(retry, &state, 7), 7 * MS);
  assert_int_equal(delay(retry, &state), 400 * MS);
  weir_retry_unref(retry);
}

TEST_MAIN("backoff", LONG_TEST(R01_every_backoff_and_jitter_stays_between_0_and_max),
          TEST(R01_a_base_of_0_never_waits_whatever_the_growth),
          TEST(R02_the_thousandth_attempt_of_a_base_of_one_day_saturates_at_max),
          TEST(R02_decorrelated_v2_saturates_at_max_and_stays_there),
          TEST(constant_linear_and_exponential_grow_as_written),
          TEST(fractions_of_a_millisecond_carry),
          TEST(a_multiplier_just_above_1_still_grows_by_fractions_of_a_nanosecond),
          TEST(min_raises_computed_delays_and_max_holds_above_all),
          TEST(max_comes_after_the_jitter),
          TEST(R03_each_jitter_stays_in_its_interval_with_the_right_mean),
          TEST(R03_no_jitter_draws_nothing), TEST(R03_decorrelated_ignores_the_jitter_option),
          TEST(decorrelated_grows_from_the_delay_before_up_to_max),
          TEST(the_v2_curve_gives_the_published_numbers), TEST(decorrelated_v2_follows_its_curve),
          TEST(R03_decorrelated_v2_has_the_mean_of_its_curve),
          TEST(R05_an_asked_delay_replaces_the_computed_one_up_to_max),
          TEST(R05_the_computed_sequence_goes_on_behind_asked_delays))
