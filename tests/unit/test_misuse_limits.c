/* SPDX-License-Identifier: MIT */
/* C08 for breaker and limiter: each option at its edges, structs of every wrong size, each required
 * argument NULL, permits that are none. */

#include <math.h>

#include "support_options.h"

/* ---- breaker --------------------------------------------------------------------------------- */

static void fill_breaker(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_breaker_options *)options = (weir_breaker_options)WEIR_BREAKER_OPTIONS_INIT;
}

static weir_status create_breaker(struct fixture *fx, const void *options, weir_error **error) {
  weir_breaker *breaker = NULL;
  weir_status status = weir_breaker_new(fx->runtime, options, &breaker, error);
  weir_breaker_unref(breaker);
  return status;
}

#define BREAKER(member, kind, value, legal) OPTION(weir_breaker_options, member, kind, value, legal)

static const struct option_row breaker_rows[] = {
    BREAKER(mode, OPTION_U32, WEIR_BREAKER_TIME_WINDOW, 1),
    BREAKER(mode, OPTION_U32, WEIR_BREAKER_TIME_WINDOW + 1, 0),
    BREAKER(mode, OPTION_U32, UINT32_MAX, 0),
    BREAKER(failure_threshold, OPTION_U32, 0, 0),
    BREAKER(failure_threshold, OPTION_U32, 1, 1),
    BREAKER(failure_threshold, OPTION_U32, 1000000, 1),
    BREAKER(failure_threshold, OPTION_U32, 1000001, 0),
    BREAKER(failure_threshold, OPTION_U32, UINT32_MAX, 0),
    BREAKER(window_size, OPTION_U32, 0, 0),
    BREAKER(window_size, OPTION_U32, 10, 1),
    BREAKER(window_size, OPTION_U32, 1 << 20, 1),
    BREAKER(window_size, OPTION_U32, (1 << 20) + 1, 0),
    BREAKER(window_size, OPTION_U32, UINT32_MAX, 0),
    BREAKER(window_ms, OPTION_I64, 0, 0),
    BREAKER(window_ms, OPTION_I64, -1, 0),
    BREAKER(window_ms, OPTION_I64, -2, 0),
    BREAKER(window_ms, OPTION_I64, 9, 0),
    BREAKER(window_ms, OPTION_I64, 10, 1),
    BREAKER(window_ms, OPTION_I64, 86400000, 1),
    BREAKER(window_ms, OPTION_I64, 86400001, 0),
    BREAKER(window_ms, OPTION_I64, INT64_MAX, 0),
    BREAKER(failure_rate, OPTION_DOUBLE, 0, 0),
    BREAKER(failure_rate, OPTION_DOUBLE, 1e-9, 1),
    BREAKER(failure_rate, OPTION_DOUBLE, 1, 1),
    BREAKER(failure_rate, OPTION_DOUBLE, 1.001, 0),
    BREAKER(failure_rate, OPTION_DOUBLE, -1, 0),
    BREAKER(failure_rate, OPTION_DOUBLE, NAN, 0),
    BREAKER(min_calls, OPTION_U32, 0, 0),
    BREAKER(min_calls, OPTION_U32, 1, 1),
    BREAKER(min_calls, OPTION_U32, 100, 1),
    BREAKER(half_open_max_calls, OPTION_U32, 0, 0),
    BREAKER(half_open_max_calls, OPTION_U32, 1, 0), /* too few for the two successes */
    BREAKER(half_open_max_calls, OPTION_U32, 2, 1),
    BREAKER(half_open_max_calls, OPTION_U32, 32, 1),
    BREAKER(half_open_max_calls, OPTION_U32, 33, 0),
    BREAKER(half_open_success_threshold, OPTION_U32, 0, 0),
    BREAKER(half_open_success_threshold, OPTION_U32, 3, 1),
    BREAKER(half_open_success_threshold, OPTION_U32, 4, 0),
    BREAKER(half_open_success_threshold, OPTION_U32, UINT32_MAX, 0),
    BREAKER(half_open_failures, OPTION_U32, 0, 0),
    BREAKER(half_open_failures, OPTION_U32, 2, 1),
    BREAKER(half_open_failures, OPTION_U32, 3, 0),
    BREAKER(half_open_failures, OPTION_U32, UINT32_MAX, 0),
    BREAKER(slow_call_ms, OPTION_I64, 0, 1),
    BREAKER(slow_call_ms, OPTION_I64, -1, 1),
    BREAKER(slow_call_ms, OPTION_I64, -2, 0),
    BREAKER(slow_call_ms, OPTION_I64, INT64_MAX, 1),
    BREAKER(slow_call_ms, OPTION_I64, INT64_MIN, 0),
    BREAKER(slow_call_rate, OPTION_DOUBLE, 0, 0),
    BREAKER(slow_call_rate, OPTION_DOUBLE, 1, 1),
    BREAKER(slow_call_rate, OPTION_DOUBLE, 1.5, 0),
    BREAKER(slow_call_rate, OPTION_DOUBLE, NAN, 0),
    BREAKER(reset_timeout_ms, OPTION_I64, 0, 1),
    BREAKER(reset_timeout_ms, OPTION_I64, -1, 0),
    BREAKER(reset_timeout_ms, OPTION_I64, -2, 0),
    BREAKER(reset_timeout_ms, OPTION_I64, 600000, 1),
    BREAKER(reset_timeout_ms, OPTION_I64, INT64_MIN, 0),
    BREAKER(reset_multiplier, OPTION_DOUBLE, 1, 1),
    BREAKER(reset_multiplier, OPTION_DOUBLE, 1000, 1),
    BREAKER(reset_multiplier, OPTION_DOUBLE, 0.5, 0),
    BREAKER(reset_multiplier, OPTION_DOUBLE, 1001, 0),
    BREAKER(reset_multiplier, OPTION_DOUBLE, NAN, 0),
    BREAKER(max_reset_timeout_ms, OPTION_I64, 60000, 1),
    BREAKER(max_reset_timeout_ms, OPTION_I64, 59999, 0),
    BREAKER(max_reset_timeout_ms, OPTION_I64, 0, 0),
    BREAKER(max_reset_timeout_ms, OPTION_I64, -1, 0),
    BREAKER(max_reset_timeout_ms, OPTION_I64, INT64_MAX, 1),
    BREAKER(trial_timeout_ms, OPTION_I64, 0, 0),
    BREAKER(trial_timeout_ms, OPTION_I64, -1, 1),
    BREAKER(trial_timeout_ms, OPTION_I64, -2, 0),
    BREAKER(trial_timeout_ms, OPTION_I64, 1, 1),
    BREAKER(trial_timeout_ms, OPTION_I64, INT64_MAX, 1),
    BREAKER(ramp_up_ms, OPTION_I64, 0, 1),
    BREAKER(ramp_up_ms, OPTION_I64, -1, 1),
    BREAKER(ramp_up_ms, OPTION_I64, -2, 0),
    BREAKER(ramp_up_ms, OPTION_I64, INT64_MAX, 1),
    BREAKER(failures_count, OPTION_U64, 1, 0), /* without failures */
};

static const struct option_table breaker_table = {
    "breaker",    sizeof(weir_breaker_options), fill_breaker, create_breaker, NULL, 0,
    breaker_rows, COUNT_OF(breaker_rows)};

static void C08_breaker_options_at_their_edges(struct fixture *fx) {
  check_option_values(fx, &breaker_table);
}

static void C08_breaker_options_of_every_size(struct fixture *fx) {
  check_option_sizes(fx, &breaker_table);
}

/* The same rules hold for options that replace those of a live breaker; a bad set changes nothing.
 * */
static weir_status replace_breaker(struct fixture *fx, const void *options, weir_error **error) {
  return weir_breaker_set_options(fx->user, options, error);
}

static void C08_breaker_set_options_at_their_edges(struct fixture *fx) {
  weir_breaker *breaker = NULL;
  struct option_table table = breaker_table;
  table.create = replace_breaker;
  table.count--; /* the last row: failures cannot be replaced at all */
  assert_int_equal(weir_breaker_new(fx->runtime, NULL, &breaker, NULL), WEIR_OK);
  fx->user = breaker;
  check_option_values(fx, &table);
  weir_breaker_unref(breaker);
}

static void C08_breaker_arguments_are_checked(struct fixture *fx) {
  weir_error *error = NULL;
  weir_breaker *breaker = NULL;
  assert_refused(weir_breaker_new(NULL, NULL, &breaker, &error), WEIR_EINVAL, &error, "runtime");
  assert_refused(weir_breaker_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL, &error, "out");
  assert_int_equal(weir_breaker_new(fx->runtime, NULL, &breaker, NULL), WEIR_OK);
  weir_permit permit = 0;
  weir_permit permits[2];
  size_t granted = 0;
  size_t size = WEIR_BREAKER_SNAPSHOT_SIZE;
  unsigned char bytes[WEIR_BREAKER_SNAPSHOT_SIZE] = {0};
  weir_breaker_report_entry entry = {0, 0, WEIR_CLASS_SUCCESS, 0};
  weir_breaker_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_breaker_acquire(NULL, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire(breaker, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_n(NULL, 2, permits, &granted, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_n(breaker, 2, NULL, &granted, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_acquire_n(breaker, 2, permits, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report(NULL, 0, WEIR_CLASS_SUCCESS, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report_many(NULL, &entry, 1), WEIR_EINVAL);
  assert_int_equal(weir_breaker_report_many(breaker, NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_breaker_isolate(NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_release(NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_release(breaker), WEIR_EINVAL);
  assert_int_equal(weir_breaker_force(NULL, WEIR_BREAKER_CLOSED), WEIR_EINVAL);
  assert_int_equal(weir_breaker_force(breaker, WEIR_BREAKER_OPEN), WEIR_EINVAL);
  assert_int_equal(weir_breaker_force(breaker, 99), WEIR_EINVAL);
  assert_int_equal(weir_breaker_reset(NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_int_equal(weir_breaker_get_stats(breaker, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_snapshot(NULL, bytes, &size), WEIR_EINVAL);
  assert_int_equal(weir_breaker_snapshot(breaker, bytes, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_restore(NULL, bytes, sizeof bytes, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_restore(breaker, NULL, 8, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_restore(breaker, bytes, 0, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_CLOSED);
  assert_null(weir_breaker_ref(NULL));
  assert_null(weir_breaker_policy(NULL));
  weir_breaker_unref(NULL);
  weir_breaker_unref(breaker);
}

static void C08_breaker_permits_that_are_none_change_nothing(struct fixture *fx) {
  static const weir_permit permits[] = {
      0, 1, UINT32_MAX, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(0xdeadbeefcafebabe)};
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.failure_threshold = 1;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK); /* permits of closed are stale now */
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  for (size_t i = 0; i < COUNT_OF(permits); i++) {
    weir_status status = weir_breaker_report(breaker, permits[i], WEIR_CLASS_FAILURE, 0);
    assert_true(status == WEIR_ESTALE || status == WEIR_EINVAL || status == WEIR_EEXPIRED);
    assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_CLOSED);
  }
  weir_permit permit = 0;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_report(breaker, permit, 99, 0), WEIR_EINVAL);
  weir_breaker_unref(breaker);
}

/* ---- limiter --------------------------------------------------------------------------------- */

static void fill_limiter(struct fixture *fx, void *options) {
  weir_limiter_options *limiter = options;
  (void)fx;
  *limiter = (weir_limiter_options)WEIR_LIMITER_OPTIONS_INIT;
  limiter->permits = 10;
  limiter->interval_ms = 1000;
}

static weir_status create_limiter(struct fixture *fx, const void *options, weir_error **error) {
  weir_limiter *limiter = NULL;
  weir_status status = weir_limiter_new(fx->runtime, options, &limiter, error);
  weir_limiter_unref(limiter);
  return status;
}

#define LIMITER(member, kind, value, legal) OPTION(weir_limiter_options, member, kind, value, legal)

static const struct option_row limiter_rows[] = {
    LIMITER(algorithm, OPTION_U32, WEIR_LIMITER_SLIDING_WINDOW, 1),
    LIMITER(algorithm, OPTION_U32, WEIR_LIMITER_SLIDING_WINDOW + 1, 0),
    LIMITER(algorithm, OPTION_U32, UINT32_MAX, 0),
    LIMITER(permits, OPTION_I64, 0, 0),
    LIMITER(permits, OPTION_I64, -1, 0), /* with an interval */
    LIMITER(permits, OPTION_I64, -2, 0),
    LIMITER(permits, OPTION_I64, 1, 1),
    LIMITER(permits, OPTION_I64, INT32_MAX, 1),
    LIMITER(permits, OPTION_I64, (int64_t)INT32_MAX + 1, 0),
    LIMITER(permits, OPTION_I64, INT64_MAX, 0),
    LIMITER(permits, OPTION_I64, INT64_MIN, 0),
    LIMITER(interval_ms, OPTION_I64, 0, 0),
    LIMITER(interval_ms, OPTION_I64, -1, 0), /* with permits */
    LIMITER(interval_ms, OPTION_I64, -2, 0),
    LIMITER(interval_ms, OPTION_I64, 1, 1),
    LIMITER(interval_ms, OPTION_I64, INT64_C(100) * 365 * 86400000, 1),
    LIMITER(interval_ms, OPTION_I64, INT64_MAX, 0),
    LIMITER(burst, OPTION_I64, 0, 0),
    LIMITER(burst, OPTION_I64, -1, 1),
    LIMITER(burst, OPTION_I64, -2, 0),
    LIMITER(burst, OPTION_I64, 1, 1),
    LIMITER(burst, OPTION_I64, INT32_MAX, 1),
    LIMITER(burst, OPTION_I64, (int64_t)INT32_MAX + 1, 0),
    LIMITER(max_concurrent, OPTION_I64, 0, 0),
    LIMITER(max_concurrent, OPTION_I64, -1, 1),
    LIMITER(max_concurrent, OPTION_I64, -2, 0),
    LIMITER(max_concurrent, OPTION_I64, 1, 1),
    LIMITER(max_concurrent, OPTION_I64, INT32_MAX, 1),
    LIMITER(max_concurrent, OPTION_I64, (int64_t)INT32_MAX + 1, 0),
    LIMITER(max_queue, OPTION_I64, 0, 1),
    LIMITER(max_queue, OPTION_I64, -1, 1),
    LIMITER(max_queue, OPTION_I64, -2, 0),
    LIMITER(max_queue, OPTION_I64, INT64_MAX, 1),
    LIMITER(queue_timeout_ms, OPTION_I64, 0, 1),
    LIMITER(queue_timeout_ms, OPTION_I64, -1, 1),
    LIMITER(queue_timeout_ms, OPTION_I64, -2, 0),
    LIMITER(queue_timeout_ms, OPTION_I64, INT64_MAX, 1),
    LIMITER(queue_order, OPTION_U32, 1, 1),
    LIMITER(queue_order, OPTION_U32, 2, 0),
    LIMITER(key_overflow, OPTION_U32, 1, 1),
    LIMITER(key_overflow, OPTION_U32, 2, 0),
    LIMITER(max_keys, OPTION_I64, 0, 1),
    LIMITER(max_keys, OPTION_I64, 1, 1),
    LIMITER(max_keys, OPTION_I64, -1, 0),
    LIMITER(max_keys, OPTION_I64, -2, 0),
    LIMITER(max_keys, OPTION_I64, (INT64_C(1) << 30) + 1, 0),
    LIMITER(max_keys, OPTION_I64, INT64_MAX, 0),
    LIMITER(adaptive, OPTION_U32, 3, 0),
    LIMITER(adaptive, OPTION_U32, UINT32_MAX, 0),
    LIMITER(early_release, OPTION_U32, 1, 1),
    LIMITER(early_release, OPTION_U32, 2, 0),
    LIMITER(adaptive_min, OPTION_I64, 0, 0),
    LIMITER(adaptive_min, OPTION_I64, -1, 0),
    LIMITER(adaptive_min, OPTION_I64, 1000, 1),
    LIMITER(adaptive_min, OPTION_I64, 1001, 0), /* above adaptive_max */
    LIMITER(adaptive_latency_ms, OPTION_I64, 0, 0),
    LIMITER(adaptive_latency_ms, OPTION_I64, -1, 1),
    LIMITER(adaptive_latency_ms, OPTION_I64, -2, 0),
    LIMITER(adaptive_latency_ms, OPTION_I64, 1, 1),
    LIMITER(adaptive_backoff, OPTION_DOUBLE, 0, 0),
    LIMITER(adaptive_backoff, OPTION_DOUBLE, 0.001, 1),
    LIMITER(adaptive_backoff, OPTION_DOUBLE, 1, 0),
    LIMITER(adaptive_backoff, OPTION_DOUBLE, NAN, 0),
    LIMITER(adaptive_tolerance, OPTION_DOUBLE, 1, 1),
    LIMITER(adaptive_tolerance, OPTION_DOUBLE, 10, 1),
    LIMITER(adaptive_tolerance, OPTION_DOUBLE, 0.9, 0),
    LIMITER(adaptive_tolerance, OPTION_DOUBLE, 10.1, 0),
    LIMITER(adaptive_tolerance, OPTION_DOUBLE, NAN, 0),
    LIMITER(failures_count, OPTION_U64, 1, 0), /* without failures */
};

/* Shorter than the interval, the rate is incomplete. */
static const struct option_table limiter_table = {
    "limiter",    sizeof(weir_limiter_options), fill_limiter, create_limiter, NULL, 24,
    limiter_rows, COUNT_OF(limiter_rows)};

static void C08_limiter_options_at_their_edges(struct fixture *fx) {
  check_option_values(fx, &limiter_table);
}

static void C08_limiter_options_of_every_size(struct fixture *fx) {
  check_option_sizes(fx, &limiter_table);
}

static void C08_limiter_contradictory_options(struct fixture *fx) {
  weir_error *error = NULL;
  weir_limiter *limiter = NULL;
  weir_limiter_options options;
  fill_limiter(fx, &options);
  options.permits = WEIR_OFF; /* an interval without permits */
  assert_refused(weir_limiter_new(fx->runtime, &options, &limiter, &error), WEIR_EINVAL, &error,
                 "permits");
  fill_limiter(fx, &options);
  options.adaptive = WEIR_ADAPTIVE_AIMD; /* a limit for each key would have to adapt */
  options.max_keys = 10;
  assert_refused(weir_limiter_new(fx->runtime, &options, &limiter, &error), WEIR_EINVAL, &error,
                 "max_keys");
  assert_null(limiter);
}

static void C08_limiter_add_limit_arguments(struct fixture *fx) {
  weir_error *error = NULL;
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_limiter_new(fx->runtime, NULL, &limiter, NULL), WEIR_OK);
  static const struct {
    uint32_t algorithm;
    int64_t permits;
    int64_t interval_ms;
    int64_t burst;
    const char *field;
  } wrong[] = {
      {3, 1, 1, WEIR_OFF, "algorithm"},
      {0, 0, 1, WEIR_OFF, "permits"},
      {0, -1, 1, WEIR_OFF, "permits"},
      {0, 1, 0, WEIR_OFF, "interval_ms"},
      {0, 1, -1, WEIR_OFF, "interval_ms"},
      {0, 1, 1, 0, "burst"},
      {0, 1, 1, -2, "burst"},
  };
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    assert_refused(weir_limiter_add_limit(limiter, wrong[i].algorithm, wrong[i].permits,
                                          wrong[i].interval_ms, wrong[i].burst, &error),
                   WEIR_EINVAL, &error, wrong[i].field);
  }
  assert_refused(weir_limiter_add_limit(NULL, 0, 1, 1, WEIR_OFF, &error), WEIR_EINVAL, &error,
                 "limiter");
  for (size_t i = 0; i < 8; i++) {
    assert_int_equal(weir_limiter_add_limit(limiter, 0, 1, 1000, WEIR_OFF, NULL), WEIR_OK);
  }
  assert_refused(weir_limiter_add_limit(limiter, 0, 1, 1000, WEIR_OFF, &error), WEIR_EFULL, &error,
                 "8");
  weir_limiter_unref(limiter);
}

static void C08_limiter_arguments_are_checked(struct fixture *fx) {
  weir_error *error = NULL;
  weir_limiter *limiter = NULL;
  weir_limiter_options options;
  weir_permit permit = 0;
  size_t granted = 0;
  int64_t wait_ns = 0;
  weir_limiter_stats stats = {.size = sizeof stats};
  assert_refused(weir_limiter_new(NULL, NULL, &limiter, &error), WEIR_EINVAL, &error, "runtime");
  assert_refused(weir_limiter_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL, &error, "out");
  fill_limiter(fx, &options);
  options.max_concurrent = 2;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire(NULL, 1, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire(limiter, 0, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire(limiter, 3, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire(limiter, UINT32_MAX, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 1, &permit, NULL) == WEIR_OK, 0);
  assert_int_equal(weir_limiter_acquire_n(limiter, 1, &granted, NULL), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_reserve(limiter, 1, &wait_ns, &permit), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_release(NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_limiter_release(limiter, 1), WEIR_EINVAL); /* none is out */
  assert_int_equal(weir_limiter_refund(NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_limiter_drain(NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_pause(NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_resume(NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_int_equal(weir_limiter_get_stats(limiter, NULL), WEIR_EINVAL);
  stats.size = 0;
  assert_int_equal(weir_limiter_get_stats(limiter, &stats), WEIR_EABI);
  assert_null(weir_limiter_ref(NULL));
  assert_null(weir_limiter_policy(NULL));
  weir_limiter_unref(NULL);
  weir_limiter_unref(limiter);
}

OPTION_INIT(breaker_options)
OPTION_INIT(limiter_options)

static void C08_limits_options_init_writes_the_defaults_for_every_size(struct fixture *fx) {
  (void)fx;
  static const weir_breaker_options breaker_options = WEIR_BREAKER_OPTIONS_INIT;
  static const weir_limiter_options limiter_options = WEIR_LIMITER_OPTIONS_INIT;
  check_option_init(init_breaker_options, &breaker_options, sizeof breaker_options);
  check_option_init(init_limiter_options, &limiter_options, sizeof limiter_options);
}

TEST_MAIN("misuse_limits", TEST(C08_breaker_options_at_their_edges),
          TEST(C08_breaker_options_of_every_size), TEST(C08_breaker_set_options_at_their_edges),
          TEST(C08_breaker_arguments_are_checked),
          TEST(C08_breaker_permits_that_are_none_change_nothing),
          TEST(C08_limiter_options_at_their_edges), TEST(C08_limiter_options_of_every_size),
          TEST(C08_limiter_contradictory_options), TEST(C08_limiter_add_limit_arguments),
          TEST(C08_limiter_arguments_are_checked),
          TEST(C08_limits_options_init_writes_the_defaults_for_every_size))
