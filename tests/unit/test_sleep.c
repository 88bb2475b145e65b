/* SPDX-License-Identifier: MIT */
/* Sleep: an operation that is a timer. */

#include "support.h"

static weir_operation *make_sleep(struct fixture *fx, int64_t sleep_ms, weir_status status) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, sleep_ms, status, NULL, NULL, &sleep, NULL),
                   WEIR_OK);
  return sleep;
}

static void a_sleep_settles_at_its_time_and_not_before(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 100, WEIR_OK);
  struct run *run = begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  advance_ns(fx, 100 * MS - 1);
  assert_pending(run);
  advance_ns(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_NONE);
  assert_int_equal(settled(run)->elapsed_ns, 100 * MS);
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(settled(run)->statuses[0], WEIR_OK);
}

static void one_sleep_runs_many_times_at_once(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 100, WEIR_OK);
  struct run *first = begin(fx, sleep, NULL);
  advance_ms(fx, 50);
  struct run *second = begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  advance_ms(fx, 50);
  assert_int_equal(settled(first)->elapsed_ns, 100 * MS);
  assert_pending(second);
  advance_ms(fx, 50);
  assert_int_equal(settled(second)->elapsed_ns, 100 * MS);
}

static void a_sleep_may_carry_a_value(struct fixture *fx) {
  weir_value *value = number_value(fx, 42);
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, 10, WEIR_OK, value, NULL, &sleep, NULL), WEIR_OK);
  weir_value_unref(value);
  struct run *first = begin(fx, sleep, NULL);
  struct run *second = begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  advance_ms(fx, 10);
  assert_int_equal(settled(first)->value, 42);
  assert_int_equal(settled(second)->value, 42);
}

static void a_sleep_may_fail_with_a_bare_status(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 10, WEIR_ETIMEDOUT);
  struct run *run = begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->error_status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->statuses[0], WEIR_ETIMEDOUT);
}

static void a_sleep_may_fail_with_an_error_of_the_users(struct fixture *fx) {
  weir_error *failure = NULL;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_USER, 9, "no luck", &failure), WEIR_OK);
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, 10, WEIR_EFAILED, NULL, failure, &sleep, NULL),
                   WEIR_OK);
  weir_error_unref(failure);
  struct run *run = begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 9);
  assert_string_equal(settled(run)->message, "no luck");
}

static void the_given_status_holds_beside_an_error_of_another(struct fixture *fx) {
  weir_error *failure = NULL;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_USER, 9, "no luck", &failure), WEIR_OK);
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, 10, WEIR_ETIMEDOUT, NULL, failure, &sleep, NULL),
                   WEIR_OK);
  weir_error_unref(failure);
  struct run *run = begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->code, 9);
}

static void a_sleep_that_is_cut_off_notes_why(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 100, WEIR_OK);
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 50;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_timeout_policy(timeout), sleep);
  weir_timeout_unref(timeout);
  weir_operation_unref(sleep);
  advance_ms(fx, 50);
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(settled(run)->statuses[0], WEIR_ETIMEDOUT);
}

static void a_sleep_of_0_settles_without_waiting(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 0, WEIR_OK);
  struct run *run = begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  run_until_idle(fx);
  assert_int_equal(settled(run)->elapsed_ns, 0);
}

static void a_sleep_for_ever_ends_with_its_cancel(struct fixture *fx) {
  const int64_t times[] = {WEIR_FOREVER, INT64_MAX, INT64_MAX / MS};
  for (size_t i = 0; i < COUNT_OF(times); i++) {
    weir_operation *sleep = make_sleep(fx, times[i], WEIR_OK);
    struct run *run = begin(fx, sleep, NULL);
    weir_operation_unref(sleep);
    advance_ms(fx, INT64_C(365) * 86400000);
    assert_pending(run);
    assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  }
}

static void a_cancelled_sleep_drops_its_timer(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 100, WEIR_OK);
  struct run *run = begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  advance_ms(fx, 50);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->cancel_reason, WEIR_CANCEL_CALLER);
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.timers, 0);
  assert_int_equal(stats.orphans, 0);
}

static void a_failing_sleep_can_be_tried_again(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 10, WEIR_EFAILED);
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.base_delay_ms = 0;
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_retry_policy(retry), sleep);
  weir_retry_unref(retry);
  weir_operation_unref(sleep);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(settled(run)->elapsed_ns, 30 * MS);
}

static void the_callers_deadline_ends_a_sleep_that_does_not_fit(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 100, WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 60;
  struct run *run = begin(fx, sleep, &options);
  weir_operation_unref(sleep);
  advance_ms(fx, 59);
  assert_pending(run); /* unlike a retry's delay it is what the caller asked for, and is slept */
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->cancel_reason, WEIR_CANCEL_DEADLINE);
}

static void the_audit_names_a_sleep(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx, 100, WEIR_OK);
  begin(fx, sleep, NULL);
  weir_operation_unref(sleep);
  run_until_idle(fx);
  weir_audit_entry entry;
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, sizeof entry, 1, &count), WEIR_OK);
  assert_int_equal(count, 1);
  assert_string_equal(entry.waits_for, "sleep: its time");
}

static void expect_invalid(struct fixture *fx, int64_t sleep_ms, weir_status status,
                           weir_value *value, weir_error *failure, const char *message) {
  weir_operation *sleep = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, sleep_ms, status, value, failure, &sleep, &error),
                   WEIR_EINVAL);
  assert_null(sleep);
  assert_message(error, message);
}

static void C08_what_makes_no_sense_is_named(struct fixture *fx) {
  weir_value *value = number_value(fx, 1);
  weir_error *failure = NULL;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_USER, 9, NULL, &failure), WEIR_OK);
  expect_invalid(fx, -2, WEIR_OK, NULL, NULL, "sleep.sleep_ms");
  expect_invalid(fx, INT64_MIN, WEIR_OK, NULL, NULL, "sleep.sleep_ms");
  expect_invalid(fx, 1, 1, NULL, NULL, "sleep.status");
  expect_invalid(fx, 1, -1000, NULL, NULL, "sleep.status");
  expect_invalid(fx, 1, WEIR_EFAILED, value, NULL, "sleep.value");
  expect_invalid(fx, 1, WEIR_OK, NULL, failure, "sleep.error_result");
  weir_operation *sleep = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_sleep_new(NULL, 1, WEIR_OK, NULL, NULL, &sleep, &error), WEIR_EINVAL);
  assert_message(error, "sleep.runtime");
  assert_int_equal(weir_sleep_new(fx->runtime, 1, WEIR_OK, NULL, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "sleep.out");
  weir_error_unref(failure);
  weir_value_unref(value);
}

TEST_MAIN("sleep", TEST(a_sleep_settles_at_its_time_and_not_before),
          TEST(one_sleep_runs_many_times_at_once), TEST(a_sleep_may_carry_a_value),
          TEST(a_sleep_may_fail_with_a_bare_status),
          TEST(a_sleep_may_fail_with_an_error_of_the_users),
          TEST(the_given_status_holds_beside_an_error_of_another),
          TEST(a_sleep_that_is_cut_off_notes_why), TEST(a_sleep_of_0_settles_without_waiting),
          TEST(a_sleep_for_ever_ends_with_its_cancel), TEST(a_cancelled_sleep_drops_its_timer),
          TEST(a_failing_sleep_can_be_tried_again),
          TEST(the_callers_deadline_ends_a_sleep_that_does_not_fit), TEST(the_audit_names_a_sleep),
          TEST(C08_what_makes_no_sense_is_named))
