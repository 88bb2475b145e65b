/* SPDX-License-Identifier: MIT */
/* parallel: how many at once, in which order, what a failure does, what stands around an item. */

#include "parallel.h"
#include "support_retry.h"

static weir_operation *parallel(struct fixture *fx, weir_operation *const *operations, size_t count,
                                const weir_parallel_options *options) {
  weir_operation *made = NULL;
  weir_error *error = NULL;
  weir_status status = weir_parallel_new(fx->runtime, operations, count, options, &made, &error);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  return made;
}

/* ---- how many, in which order ---------------------------------------------------------------- */

static void no_more_run_at_once_than_asked_for(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+10");
  weir_value *items = numbers(fx, 100, 10);
  weir_parallel_options options = at_once(3);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  assert_int_equal(script->running, 3);
  advance_ms(fx, 39);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->elapsed_ns, 40 * MS);
  assert_int_equal(script->max_running, 3);
  assert_int_equal(script->started, 10);
  for (int64_t i = 0; i < 10; i++) assert_int_equal(script->attempts[i].input, 100 + i);
}

static void results_come_in_the_order_of_the_items(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+30 v2+10 v3+20 v4");
  weir_value *items = numbers(fx, 0, 4);
  weir_parallel_options options = at_once(WEIR_UNLIMITED);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  advance_ms(fx, 30);
  assert_int_equal(weir_value_count(outcome_of(run)->value), 4);
  for (size_t i = 0; i < 4; i++) assert_int_equal(item_number(run, i), i + 1);
}

static void a_list_of_operations_runs_each_with_the_runs_input(struct fixture *fx) {
  struct script *a = scripted(fx, "v1+10");
  struct script *b = scripted(fx, "v2");
  weir_parallel_options options = at_once(1);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  weir_value *input = number_value(fx, 9);
  run_options.input = input;
  weir_operation *both = parallel(fx, COUNTED(a->operation, b->operation), &options);
  struct run *run = begin(fx, both, &run_options);
  weir_operation_unref(both);
  weir_value_unref(input);
  run_until_idle(fx);
  assert_int_equal(b->started, 0);
  advance_ms(fx, 10);
  assert_int_equal(item_number(run, 0), 1);
  assert_int_equal(item_number(run, 1), 2);
  assert_int_equal(b->attempts[0].input, 9);
}

static void the_input_of_the_run_may_be_the_items(struct fixture *fx) {
  struct script *script = scripted(fx, "v5");
  weir_parallel_options options = at_once(2);
  weir_operation *operation = each(fx, script->operation, NULL, &options);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  weir_value *list = numbers(fx, 1, 3);
  run_options.input = list;
  struct run *listed = begin(fx, operation, &run_options);
  weir_value_unref(list);
  struct run *without = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(weir_value_count(outcome_of(listed)->value), 3);
  assert_int_equal(settled(without)->status, WEIR_EINVAL);
  assert_string_equal(settled(without)->message, "parallel: the run's input must be a list");
}

static void an_item_that_is_an_error_counts_as_settled_with_it(struct fixture *fx) {
  struct script *script = scripted(fx, "v1 f2 v3");
  weir_value *items = numbers(fx, 1, 3);
  weir_parallel_options options = at_once(1);
  options.stop_on_error = 0;
  weir_operation *once = each(fx, script->operation, items, &options);
  weir_operation *twice = each(fx, script->operation, NULL, &options);
  weir_operation *steps[] = {once, twice};
  weir_operation *operation = NULL;
  weir_status status = weir_waterfall_new(fx->runtime, steps, 2, NULL, &operation, NULL);
  weir_operation_unref(once);
  weir_operation_unref(twice);
  weir_value_unref(items);
  assert_int_equal(status, WEIR_OK);
  struct run *run = run_once(fx, operation);
  assert_int_equal(script->started, 5);
  assert_int_equal(item_number(run, 0), 3);
  assert_int_equal(item_code(run, 1), 2);
  assert_int_equal(item_number(run, 2), 3);
}

static void F09_parallel_of_nothing_is_an_empty_success(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_parallel_options options = at_once(2);
  weir_value *none = numbers(fx, 0, 0);
  struct run *runs[] = {run_once(fx, parallel(fx, NULL, 0, &options)),
                        run_once(fx, each(fx, script->operation, none, &options))};
  weir_value_unref(none);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    assert_int_equal(settled(runs[i])->channel, WEIR_CHANNEL_VALUE);
    assert_int_equal(settled(runs[i])->value_kind, WEIR_VALUE_LIST);
    assert_int_equal(weir_value_count(outcome_of(runs[i])->value), 0);
  }
}

static void note_index(struct script *script, const weir_attempt *attempt) {
  uint64_t *sum = script->user;
  *sum = *sum * 10 + attempt->index;
}

static void an_attempt_finds_the_index_of_its_item(struct fixture *fx) {
  uint64_t seen = 0;
  struct script *script = scripted(fx, "v1");
  script->on_start = note_index;
  script->user = &seen;
  weir_value *items = numbers(fx, 0, 4);
  weir_parallel_options options = at_once(2);
  run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  assert_int_equal(seen, 123);
}

/* ---- failures -------------------------------------------------------------------------------- */

static void F11_no_item_starts_after_the_failure(struct fixture *fx) {
  struct script *script = scripted(fx, "hang f2 v3");
  weir_value *items = numbers(fx, 0, 9);
  weir_parallel_options options = at_once(5);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 2);
  assert_int_equal(script->started, 2);
  assert_int_equal(script->attempts[0].cancel_reason, WEIR_CANCEL_LOST);
  finish(script, 0, "v1");
  run_until_idle(fx);
  settled(run);
}

static void F11_running_items_are_told_of_a_late_failure(struct fixture *fx) {
  struct script *script = scripted(fx, "yield v2 f3+10 yield");
  weir_value *items = numbers(fx, 0, 16);
  weir_parallel_options options = at_once(3);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  assert_int_equal(script->started, 4);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->code, 3);
  assert_int_equal(settled(run)->attempts, 4);
  assert_int_equal(script->cancelled, 2);
  assert_int_equal(orphans_of(fx), 0);
}

static void without_stop_on_error_all_run_and_errors_are_listed(struct fixture *fx) {
  struct script *script = scripted(fx, "v1 f2 v3 f4");
  weir_value *items = numbers(fx, 0, 4);
  weir_parallel_options options = at_once(2);
  options.stop_on_error = 0;
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(item_number(run, 0), 1);
  assert_int_equal(item_code(run, 1), 2);
  assert_int_equal(item_number(run, 2), 3);
  assert_int_equal(item_code(run, 3), 4);
  assert_int_equal(settled(run)->attempts, 4);
}

/* ---- around each item ------------------------------------------------------------------------ */

static void U11_three_at_a_time_five_seconds_each_going_on_after_errors(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+1000 hang f3+2000 v4+4000 v5+1000");
  weir_value *items = numbers(fx, 0, 5);
  weir_parallel_options options = at_once(3);
  options.stop_on_error = 0;
  options.item_timeout_ms = 5000;
  options.name = "upload";
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  advance_ms(fx, 5000);
  assert_int_equal(settled(run)->elapsed_ns, 5 * SECOND);
  weir_error *late = weir_value_item_error(outcome_of(run)->value, 1);
  assert_int_equal(weir_error_status(late), WEIR_ETIMEDOUT);
  assert_string_equal(weir_error_message(late), "upload timed out after 5000 ms");
  assert_int_equal(script->attempts[1].cancel_reason, WEIR_CANCEL_TIMEOUT);
  assert_int_equal(item_number(run, 4), 5);
}

static void F22_a_retry_around_each_item_tries_that_item_again(struct fixture *fx) {
  weir_retry_options retry_options = plain(3, 10);
  weir_retry *retry = make_retry(fx, &retry_options);
  struct script *script = scripted(fx, "f1 v2 f3 v4");
  weir_value *items = numbers(fx, 10, 2);
  weir_parallel_options options = at_once(1);
  options.policy = weir_retry_policy(retry);
  options.item_timeout_ms = 1000;
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  weir_retry_unref(retry);
  advance_ms(fx, 20);
  assert_int_equal(item_number(run, 0), 2);
  assert_int_equal(item_number(run, 1), 4);
  assert_int_equal(script->attempts[1].input, 10);
  assert_int_equal(script->attempts[2].input, 11);
  assert_int_equal(settled(run)->attempts, 4);
  assert_int_equal(settled(run)->statuses[3], WEIR_OK);
}

static void items_wait_for_a_limiter_around_each(struct fixture *fx) {
  weir_limiter_options limits = WEIR_LIMITER_OPTIONS_INIT;
  limits.permits = 1;
  limits.interval_ms = 100;
  limits.burst = 1;
  limits.max_queue = 2;
  limits.max_concurrent = WEIR_OFF;
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_limiter_new(fx->runtime, &limits, &limiter, NULL), WEIR_OK);
  struct script *script = scripted(fx, "v1");
  weir_value *items = numbers(fx, 0, 4);
  weir_parallel_options options = at_once(4);
  options.stop_on_error = 0;
  options.policy = weir_limiter_policy(limiter);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  weir_limiter_unref(limiter);
  assert_int_equal(script->started, 1);
  advance_ms(fx, 100);
  assert_int_equal(script->started, 2);
  advance_ms(fx, 100);
  assert_int_equal(item_number(run, 2), 1);
  /* The queue had two places. */
  assert_int_equal(weir_error_status(weir_value_item_error(outcome_of(run)->value, 3)), WEIR_EFULL);
}

static void a_refused_item_ends_a_parallel_that_stops_on_errors(struct fixture *fx) {
  weir_breaker *breaker = NULL;
  weir_breaker_options guard = WEIR_BREAKER_OPTIONS_INIT;
  assert_int_equal(weir_breaker_new(fx->runtime, &guard, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  struct script *script = scripted(fx, "v1");
  weir_value *items = numbers(fx, 0, 4);
  weir_parallel_options options = at_once(4);
  options.policy = weir_breaker_policy(breaker);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  weir_breaker_unref(breaker);
  assert_int_equal(settled(run)->status, WEIR_EOPEN);
  assert_true(settled(run)->has_rejection);
  assert_int_equal(script->started, 0);
}

/* ---- ends from outside ----------------------------------------------------------------------- */

static void a_cancel_stops_what_runs_and_starts_no_more(struct fixture *fx) {
  struct script *script = scripted(fx, "v1 yield");
  weir_value *items = numbers(fx, 0, 9);
  weir_parallel_options options = at_once(2);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  assert_int_equal(script->running, 2);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(script->started, 3);
  assert_int_equal(script->cancelled, 2);
}

static void C06_a_runtime_that_closes_settles_a_parallel_in_flight(struct fixture *fx) {
  struct script *script = scripted(fx, "yield");
  weir_value *items = numbers(fx, 0, 9);
  weir_parallel_options options = at_once(4);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(script->started, 4);
  assert_int_equal(script->attempts[3].cancel_reason, WEIR_CANCEL_SHUTDOWN);
}

static void the_audit_says_how_far_a_parallel_is(struct fixture *fx) {
  struct script *script = scripted(fx, "v1 hang");
  weir_value *items = numbers(fx, 0, 9);
  weir_parallel_options options = at_once(2);
  options.name = "pages";
  run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  weir_audit_entry entries[4];
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof entries[0], 4, &count), WEIR_OK);
  assert_int_equal(count, 3);
  assert_string_equal(entries[0].waits_for,
                      "parallel pages: 2 of its operations run, 1 have ended");
  assert_string_equal(entries[1].waits_for, "operation: completion");
}

TEST_MAIN("parallel", TEST(no_more_run_at_once_than_asked_for),
          TEST(results_come_in_the_order_of_the_items),
          TEST(a_list_of_operations_runs_each_with_the_runs_input),
          TEST(the_input_of_the_run_may_be_the_items),
          TEST(an_item_that_is_an_error_counts_as_settled_with_it),
          TEST(F09_parallel_of_nothing_is_an_empty_success),
          TEST(an_attempt_finds_the_index_of_its_item), TEST(F11_no_item_starts_after_the_failure),
          TEST(F11_running_items_are_told_of_a_late_failure),
          TEST(without_stop_on_error_all_run_and_errors_are_listed),
          TEST(U11_three_at_a_time_five_seconds_each_going_on_after_errors),
          TEST(F22_a_retry_around_each_item_tries_that_item_again),
          TEST(items_wait_for_a_limiter_around_each),
          TEST(a_refused_item_ends_a_parallel_that_stops_on_errors),
          TEST(a_cancel_stops_what_runs_and_starts_no_more),
          TEST(C06_a_runtime_that_closes_settles_a_parallel_in_flight),
          TEST(the_audit_says_how_far_a_parallel_is))
