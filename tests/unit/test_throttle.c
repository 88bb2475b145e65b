/* SPDX-License-Identifier: MIT */
/* Throttle: cases D08 to D10 and what differs from debounce. */

#include "support.h"

static weir_throttle *make(struct fixture *fx, struct script *script, int64_t interval_ms,
                           uint32_t leading, uint32_t trailing) {
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  options.interval_ms = interval_ms;
  options.leading = leading;
  options.trailing = trailing;
  weir_throttle *throttle = NULL;
  assert_int_equal(weir_throttle_new(fx->runtime, script->operation, &options, &throttle, NULL),
                   WEIR_OK);
  return throttle;
}

static struct run *call(struct fixture *fx, weir_throttle *throttle, int64_t number) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.input = number_value(fx, number);
  struct run *run = try_begin(fx, weir_throttle_operation(throttle), &options, NULL);
  weir_value_unref(options.input);
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  return run;
}

static void D08_three_calls_run_now_and_at_the_intervals_end(struct fixture *fx) {
  struct script *report = scripted(fx, "v7 v8");
  weir_throttle *throttle = make(fx, report, 100, 1, 1);
  int64_t begun = now_ns(fx);
  struct run *first = call(fx, throttle, 1);
  struct run *second = call(fx, throttle, 2);
  struct run *third = call(fx, throttle, 3);
  assert_int_equal(settled(first)->value, 7);
  advance_ms(fx, 1000);
  assert_int_equal(report->started, 2);
  assert_int_equal(report->attempts[1].at_ns - begun, 100 * MS);
  assert_int_equal(report->attempts[1].input, 3);
  assert_int_equal(settled(second)->value, 8); /* shared: the default */
  assert_int_equal(settled(third)->value, 8);
  weir_throttle_unref(throttle);
}

static void D09_one_call_makes_no_trailing_run(struct fixture *fx) {
  struct script *report = scripted(fx, "v7");
  weir_throttle *throttle = make(fx, report, 100, 1, 1);
  call(fx, throttle, 1);
  advance_ms(fx, 1000);
  assert_int_equal(report->started, 1);
  weir_throttle_unref(throttle);
}

static void D10_without_leading_runs_keep_their_distance(struct fixture *fx) {
  struct script *report = scripted(fx, "v7");
  weir_throttle *throttle = make(fx, report, 128, 0, 1);
  int64_t begun = now_ns(fx);
  call(fx, throttle, 1);
  advance_ms(fx, 192);
  call(fx, throttle, 2);
  advance_ms(fx, 1000);
  assert_int_equal(report->started, 2);
  assert_int_equal(report->attempts[0].at_ns - begun, 128 * MS);
  assert_int_equal(report->attempts[1].at_ns - begun, 256 * MS);
  weir_throttle_unref(throttle);
}

static void D10_with_leading_runs_keep_their_distance(struct fixture *fx) {
  struct script *report = scripted(fx, "v7");
  weir_throttle *throttle = make(fx, report, 100, 1, 1);
  int64_t begun = now_ns(fx);
  call(fx, throttle, 1);
  advance_ms(fx, 50);
  call(fx, throttle, 2);
  advance_ms(fx, 100);
  call(fx, throttle, 3);
  advance_ms(fx, 1000);
  assert_int_equal(report->started, 3);
  assert_int_equal(report->attempts[1].at_ns - begun, 100 * MS);
  assert_int_equal(report->attempts[2].at_ns - begun, 200 * MS);
  weir_throttle_unref(throttle);
}

static void a_late_run_moves_the_ones_after_it(struct fixture *fx) {
  struct script *report = scripted(fx, "v7+150 v8");
  weir_throttle *throttle = make(fx, report, 100, 1, 1);
  int64_t begun = now_ns(fx);
  call(fx, throttle, 1);
  call(fx, throttle, 2); /* due at 100, but the first runs until 150 */
  advance_ms(fx, 160);
  call(fx, throttle, 3);
  advance_ms(fx, 1000);
  assert_int_equal(report->attempts[1].at_ns - begun, 150 * MS);
  assert_int_equal(report->attempts[2].at_ns - begun, 250 * MS);
  weir_throttle_unref(throttle);
}

static void without_an_interval_a_running_run_is_waited_for_at_rest(struct fixture *fx) {
  struct script *report = scripted(fx, "v7+150 v8");
  weir_throttle *throttle = make(fx, report, 0, 1, 1);
  call(fx, throttle, 1);
  struct run *second = call(fx, throttle, 2); /* due at once, but the first runs until 150 */
  assert_int_equal(weir_testing_run_until_idle(fx->runtime), 0);
  assert_true(weir_testing_advance(fx->runtime, 100) < 10);
  assert_int_equal(report->started, 1);
  advance_ms(fx, 50);
  assert_int_equal(settled(second)->value, 8);
  weir_throttle_unref(throttle);
}

static void what_an_end_leaves_overdue_settles_as_stopped(struct fixture *fx) {
  struct script *report = scripted(fx, "v7+150 v8");
  weir_throttle *throttle = make(fx, report, 10, 1, 1);
  call(fx, throttle, 1);
  struct run *second = call(fx, throttle, 2);
  advance_ms(fx, 20);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  advance_ms(fx, 200);
  assert_int_equal(settled(second)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(settled(second)->status, WEIR_ECLOSED);
  assert_int_equal(settled(second)->cancel_reason, WEIR_CANCEL_SHUTDOWN);
  weir_throttle_unref(throttle);
}

static void cancel_and_flush_reset_the_distance(struct fixture *fx) {
  struct script *report = scripted(fx, "v7");
  weir_throttle *throttle = make(fx, report, 100, 1, 1);
  call(fx, throttle, 1);
  assert_int_equal(weir_throttle_cancel(throttle, NULL, 0), WEIR_OK);
  call(fx, throttle, 2);
  assert_int_equal(report->started, 2);
  call(fx, throttle, 3);
  assert_int_equal(weir_throttle_flush(throttle, NULL, 0), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(report->started, 3);
  int64_t flushed = now_ns(fx);
  call(fx, throttle, 4);
  advance_ms(fx, 1000);
  assert_int_equal(report->attempts[3].at_ns - flushed, 100 * MS);
  assert_int_equal(report->started, 4);
  weir_throttle_unref(throttle);
}

static void a_keyed_throttle_remembers_a_key_for_its_interval(struct fixture *fx) {
  struct script *report = scripted(fx, "n");
  weir_throttle *throttle = make(fx, report, 100, 1, 0);
  for (int i = 0; i < 3; ++i) {
    assert_int_equal(weir_throttle_touch(throttle, "a", 1, NULL), WEIR_OK);
    assert_int_equal(weir_throttle_touch(throttle, "b", 1, NULL), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(report->started, 2);
  weir_pacing_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_throttle_get_stats(throttle, &stats), WEIR_OK);
  assert_int_equal(stats.keys, 2);
  assert_int_equal(stats.superseded, 4);
  advance_ms(fx, 100);
  assert_int_equal(weir_throttle_get_stats(throttle, &stats), WEIR_OK);
  assert_int_equal(stats.keys, 0);
  assert_int_equal(weir_throttle_touch(throttle, "a", 1, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(report->started, 3);
  weir_throttle_unref(throttle);
}

struct order {
  weir_throttle *throttle;
  weir_status touched;
  weir_status flushed;
};

static void *flush_elsewhere(void *data) {
  struct order *order = data;
  order->touched = weir_throttle_touch(order->throttle, NULL, 0, NULL);
  order->flushed = weir_throttle_flush(order->throttle, "a", 1);
  return NULL;
}

static void orders_come_from_any_thread_and_touches_do_not(struct fixture *fx) {
  struct script *report = scripted(fx, "n");
  weir_throttle *throttle = make(fx, report, 100, 0, 1);
  assert_int_equal(weir_throttle_touch(throttle, "a", 1, NULL), WEIR_OK);
  struct order order = {throttle, WEIR_OK, WEIR_EINVAL};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, flush_elsewhere, &order), 0);
  pthread_join(thread, NULL);
  assert_int_equal(order.touched, WEIR_ETHREAD);
  assert_int_equal(order.flushed, WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(report->started, 1);
  weir_throttle_unref(throttle);
}

struct far_order {
  weir_throttle *throttle;
  weir_status (*give)(weir_throttle *throttle, const void *key, size_t key_size);
  const char *key; /* nullable */
  weir_status status;
};

static void *give_far_order(void *data) {
  struct far_order *order = data;
  size_t size = order->key == NULL ? 0 : strlen(order->key);
  order->status = order->give(order->throttle, order->key, size);
  return NULL;
}

static weir_status order_elsewhere(struct far_order order) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, give_far_order, &order), 0);
  pthread_join(thread, NULL);
  return order.status;
}

static void orders_need_memory_on_other_threads_alone(struct fixture *fx) {
  struct script *report = scripted(fx, "n");
  weir_throttle *throttle = make(fx, report, 100, 0, 1);
  const char *const keys[] = {NULL, "", "a"};
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    size_t size = keys[i] == NULL ? 0 : strlen(keys[i]);
    assert_int_equal(weir_throttle_touch(throttle, keys[i], size, NULL), WEIR_OK);
    memory_fail(&fx->memory, 1, 1);
    assert_int_equal(
        order_elsewhere((struct far_order){throttle, weir_throttle_cancel, keys[i], WEIR_OK}),
        WEIR_ENOMEM);
    assert_int_equal(weir_throttle_pending(throttle), 1);
    assert_int_equal(weir_throttle_cancel(throttle, keys[i], size), WEIR_OK);
    memory_fail(&fx->memory, 0, 0);
    assert_int_equal(weir_throttle_pending(throttle), 0);
  }
  weir_throttle_unref(throttle);
}

static void orders_from_elsewhere_are_for_their_key(struct fixture *fx) {
  struct script *report = scripted(fx, "n");
  weir_throttle *throttle = make(fx, report, 100, 0, 1);
  const char *const keys[] = {NULL, "", "a", "b"};
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    for (size_t k = 0; k < COUNT_OF(keys); k++) {
      size_t size = keys[k] == NULL ? 0 : strlen(keys[k]);
      assert_int_equal(weir_throttle_touch(throttle, keys[k], size, NULL), WEIR_OK);
    }
    assert_int_equal(
        order_elsewhere((struct far_order){throttle, weir_throttle_cancel, keys[i], WEIR_EINVAL}),
        WEIR_OK);
    assert_int_equal(weir_throttle_pending(throttle), COUNT_OF(keys));
    run_until_idle(fx);
    assert_int_equal(weir_throttle_pending(throttle), COUNT_OF(keys) - 1);
    uint32_t before = report->started;
    for (size_t k = 0; k < COUNT_OF(keys); k++) {
      assert_int_equal(
          order_elsewhere((struct far_order){throttle, weir_throttle_flush, keys[k], WEIR_EINVAL}),
          WEIR_OK);
      run_until_idle(fx);
      before += k != i; /* that one was cancelled */
      assert_int_equal(report->started, before);
    }
    advance_ms(fx, 1000);
  }
  weir_throttle_unref(throttle);
}

static void bad_options_say_what_is_wrong(struct fixture *fx) {
  struct script *report = scripted(fx, "n");
  weir_throttle *throttle = NULL;
  weir_error *error = NULL;
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  options.interval_ms = -2;
  assert_int_equal(weir_throttle_new(fx->runtime, report->operation, &options, &throttle, &error),
                   WEIR_EINVAL);
  assert_message(error, "throttle.interval_ms must be at least 0");
  error = NULL;
  options = (weir_throttle_options)WEIR_THROTTLE_OPTIONS_INIT;
  options.overlap = 3;
  assert_int_equal(weir_throttle_new(fx->runtime, report->operation, &options, &throttle, &error),
                   WEIR_EINVAL);
  assert_message(error, "throttle.overlap");
  error = NULL;
  assert_int_equal(weir_throttle_new(fx->runtime, NULL, NULL, &throttle, &error), WEIR_EINVAL);
  assert_message(error, "throttle.operation must not be NULL");
  assert_int_equal(weir_throttle_touch(NULL, NULL, 0, NULL), WEIR_EINVAL);
  assert_int_equal(weir_throttle_flush(NULL, NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_throttle_get_stats(NULL, NULL), WEIR_EINVAL);
}

TEST_MAIN("throttle", TEST(D08_three_calls_run_now_and_at_the_intervals_end),
          TEST(D09_one_call_makes_no_trailing_run),
          TEST(D10_without_leading_runs_keep_their_distance),
          TEST(D10_with_leading_runs_keep_their_distance), TEST(a_late_run_moves_the_ones_after_it),
          TEST(without_an_interval_a_running_run_is_waited_for_at_rest),
          TEST(what_an_end_leaves_overdue_settles_as_stopped),
          TEST(cancel_and_flush_reset_the_distance),
          TEST(a_keyed_throttle_remembers_a_key_for_its_interval),
          TEST(orders_come_from_any_thread_and_touches_do_not),
          TEST(orders_need_memory_on_other_threads_alone),
          TEST(orders_from_elsewhere_are_for_their_key), TEST(bad_options_say_what_is_wrong))
