/* SPDX-License-Identifier: MIT */
/* Timeouts around runs: who fires, who wins, and what is told. */

#include "support.h"

static weir_timeout *make_timeout(struct fixture *fx, int64_t timeout_ms, const char *name) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = timeout_ms;
  options.name = name;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  return timeout;
}

/* The run alone keeps the policy alive. */
static struct run *begin_within(struct fixture *fx, int64_t timeout_ms, struct script *script) {
  weir_timeout *timeout = make_timeout(fx, timeout_ms, "fetch");
  struct run *run = begin_under(fx, weir_timeout_policy(timeout), script->operation);
  weir_timeout_unref(timeout);
  return run;
}

/* Two timeouts, the first outermost. */
static struct run *begin_within_two(struct fixture *fx, int64_t outer_ms, int64_t inner_ms,
                                    struct script *script) {
  weir_timeout *outer = make_timeout(fx, outer_ms, "outer");
  weir_timeout *inner = make_timeout(fx, inner_ms, "inner");
  weir_policy *policies[] = {weir_timeout_policy(outer), weir_timeout_policy(inner)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
  weir_pipeline_unref(pipeline);
  weir_timeout_unref(inner);
  weir_timeout_unref(outer);
  return run;
}

static uint64_t armed_timers(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  return stats.timers;
}

static void what_is_fast_enough_passes_and_leaves_no_timer(struct fixture *fx) {
  struct run *inside = begin_within(fx, 100, scripted(fx, "v1"));
  struct run *later = begin_within(fx, 100, scripted(fx, "v2+99"));
  struct run *failed = begin_within(fx, 100, scripted(fx, "f3+99"));
  advance_ms(fx, 99);
  assert_int_equal(settled(inside)->value, 1);
  assert_int_equal(settled(later)->value, 2);
  assert_int_equal(settled(failed)->code, 3);
  assert_int_equal(armed_timers(fx), 0);
}

static void what_takes_too_long_settles_at_once_and_is_told(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_within(fx, 100, fetch);
  advance_ns(fx, 100 * MS - 1);
  assert_pending(run);
  advance_ns(fx, 1);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->error_status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(run)->message, "fetch timed out after 100 ms");
  assert_int_equal(settled(run)->elapsed_ns, 100 * MS);
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(settled(run)->statuses[0], WEIR_ETIMEDOUT);
  assert_int_equal(fetch->attempts[0].cancels, 1);
  assert_int_equal(fetch->attempts[0].cancel_reason, WEIR_CANCEL_TIMEOUT);
}

static unsigned late_values_freed;

static void free_late_value(void *pointer) {
  (void)pointer;
  late_values_freed++;
}

static void a_late_result_is_freed(struct fixture *fx) {
  late_values_freed = 0;
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_within(fx, 100, fetch);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  weir_token token = fetch->attempts[0].token;
  fetch->attempts[0].completed = 1;
  assert_int_equal(weir_complete_pointer(fx->runtime, token, &late_values_freed, free_late_value),
                   WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(late_values_freed, 1);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(weir_complete(fx->runtime, token, NULL), WEIR_ESTALE);
}

static void without_a_name_the_message_has_none(struct fixture *fx) {
  weir_timeout *timeout = make_timeout(fx, 5, NULL);
  struct run *run = begin_under(fx, weir_timeout_policy(timeout), scripted(fx, "hang")->operation);
  weir_timeout_unref(timeout);
  advance_ms(fx, 5);
  assert_string_equal(settled(run)->message, "timed out after 5 ms");
}

static void a_message_of_ones_own_is_used_as_it_is(struct fixture *fx) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  char text[] = "the bank did not answer";
  options.timeout_ms = 5;
  options.message = text;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  memset(text, 'x', sizeof text - 1); /* it was copied */
  struct run *run = begin_under(fx, weir_timeout_policy(timeout), scripted(fx, "hang")->operation);
  weir_timeout_unref(timeout);
  advance_ms(fx, 5);
  assert_string_equal(settled(run)->message, "the bank did not answer");
}

static void forever_never_fires_and_arms_nothing(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_within(fx, WEIR_FOREVER, fetch);
  run_until_idle(fx);
  assert_int_equal(armed_timers(fx), 0);
  assert_int_equal(fetch->attempts[0].remaining_ns, INT64_MAX);
  advance_ms(fx, INT64_C(365) * 86400000);
  assert_pending(run);
}

/* ---- races ---- */

static void F01_a_result_and_a_timer_in_the_same_turn_have_one_winner(struct fixture *fx) {
  for (int round = 0; round < 3; round++) { /* the same each time */
    struct script *first = scripted(fx, "hang");
    struct run *completed_first = begin_within(fx, 100, first);
    run_until_idle(fx);
    int64_t due_ns = now_ns(fx) + 100 * MS;
    /* The completion is in the inbox when the turn of the timer begins: completions come first. */
    assert_int_equal(finish(first, 0, "v7"), WEIR_OK);
    weir_runtime_process(fx->runtime, due_ns);
    assert_int_equal(settled(completed_first)->value, 7);
    assert_int_equal(first->cancelled, 0);
    run_until_idle(fx);
    /* The completion comes after that turn: too late. */
    struct script *second = scripted(fx, "hang");
    struct run *timed_out = begin_within(fx, 100, second);
    run_until_idle(fx);
    weir_runtime_process(fx->runtime, now_ns(fx) + 100 * MS);
    assert_int_equal(finish(second, 0, "v7"), WEIR_OK); /* taken, and freed */
    run_until_idle(fx);
    assert_int_equal(settled(timed_out)->status, WEIR_ETIMEDOUT);
    assert_int_equal(second->cancelled, 1);
  }
}

static void F01_a_sleep_that_ends_with_the_timeout_wins_because_it_is_inside(struct fixture *fx) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, 100, WEIR_OK, NULL, NULL, &sleep, NULL), WEIR_OK);
  weir_timeout *timeout = make_timeout(fx, 100, "nap");
  struct run *run = begin_under(fx, weir_timeout_policy(timeout), sleep);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->status, WEIR_OK);
  weir_timeout_unref(timeout);
  weir_operation_unref(sleep);
}

static void a_callers_cancel_in_the_turn_of_the_timeout_wins(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_within(fx, 100, fetch);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  weir_runtime_process(fx->runtime, now_ns(fx) + 100 * MS);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(run)->cancel_reason, WEIR_CANCEL_CALLER);
  assert_int_equal(fetch->attempts[0].cancel_reason, WEIR_CANCEL_CALLER);
  run_until_idle(fx);
  assert_int_equal(armed_timers(fx), 0);
}

static void a_cancel_before_the_timeout_leaves_no_timer(struct fixture *fx) {
  struct run *run = begin_within_two(fx, 100, 200, scripted(fx, "yield"));
  advance_ms(fx, 50);
  assert_int_equal(armed_timers(fx), 2);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(armed_timers(fx), 0);
}

static void F02_of_equal_nested_timeouts_the_inner_reports_alone(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_within_two(fx, 100, 100, fetch);
  advance_ms(fx, 100);
  assert_string_equal(settled(run)->message, "inner timed out after 100 ms");
  assert_int_equal(fetch->attempts[0].cancels, 1);
  assert_int_equal(armed_timers(fx), 0);
}

static void F02_of_equal_timeouts_the_inner_reports_past_a_longer_one_between(struct fixture *fx) {
  weir_timeout *timeouts[] = {make_timeout(fx, 100, "outer"), make_timeout(fx, 200, "between"),
                              make_timeout(fx, 100, "inner")};
  weir_policy *policies[3];
  for (size_t i = 0; i < 3; i++) policies[i] = weir_timeout_policy(timeouts[i]);
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 3, NULL, &pipeline, NULL), WEIR_OK);
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  weir_pipeline_unref(pipeline);
  for (size_t i = 0; i < 3; i++) weir_timeout_unref(timeouts[i]);
  advance_ms(fx, 100);
  assert_string_equal(settled(run)->message, "inner timed out after 100 ms");
}

static void F02_of_an_equal_deadline_and_timeout_the_timeout_reports(struct fixture *fx) {
  weir_timeout *timeout = make_timeout(fx, 100, "inner");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_timeout_policy(timeout);
  options.deadline_ms = 100;
  struct run *run = begin(fx, scripted(fx, "hang")->operation, &options);
  weir_timeout_unref(timeout);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_string_equal(settled(run)->message, "inner timed out after 100 ms");
}

static void F02_of_different_nested_timeouts_the_nearer_one_reports(struct fixture *fx) {
  struct run *outer_first = begin_within_two(fx, 50, 100, scripted(fx, "hang"));
  struct run *inner_first = begin_within_two(fx, 100, 50, scripted(fx, "hang"));
  advance_ms(fx, 100);
  assert_string_equal(settled(outer_first)->message, "outer timed out after 50 ms");
  assert_string_equal(settled(inner_first)->message, "inner timed out after 50 ms");
  assert_int_equal(settled(inner_first)->elapsed_ns, 50 * MS);
}

static void a_nearer_deadline_of_the_caller_stops_instead(struct fixture *fx) {
  weir_timeout *timeout = make_timeout(fx, 100, "fetch");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_timeout_policy(timeout);
  options.deadline_ms = 99;
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin(fx, fetch->operation, &options);
  advance_ms(fx, 99);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->cancel_reason, WEIR_CANCEL_DEADLINE);
  assert_int_equal(fetch->attempts[0].cancel_reason, WEIR_CANCEL_DEADLINE);
  weir_timeout_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_timeout_get_stats(timeout, &stats), WEIR_OK);
  assert_int_equal(stats.started, 1);
  assert_int_equal(stats.timed_out, 0);
  weir_timeout_unref(timeout);
}

static void the_time_left_flows_inwards_from_the_nearest(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  begin_within_two(fx, 70, 200, fetch);
  run_until_idle(fx);
  assert_int_equal(fetch->attempts[0].remaining_ns, 70 * MS);
  struct script *other = scripted(fx, "hang");
  begin_within_two(fx, 200, 30, other);
  run_until_idle(fx);
  assert_int_equal(other->attempts[0].remaining_ns, 30 * MS);
  advance_ms(fx, 200);
}

static void a_timeout_inside_a_retry_starts_over_with_each_try(struct fixture *fx) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.backoff = WEIR_BACKOFF_CONSTANT;
  options.jitter = WEIR_JITTER_NONE;
  options.base_delay_ms = 200; /* more than the timeout: it must not bound the delay */
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  weir_timeout *timeout = make_timeout(fx, 100, "try");
  weir_policy *policies[] = {weir_retry_policy(retry), weir_timeout_policy(timeout)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct script *fetch = scripted(fx, "hang f1 v2+99");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(settled(run)->elapsed_ns, (100 + 200 + 200 + 99) * MS);
  assert_int_equal(fetch->attempts[2].remaining_ns, 100 * MS);
  weir_timeout_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_timeout_get_stats(timeout, &stats), WEIR_OK);
  assert_int_equal(stats.started, 3);
  assert_int_equal(stats.timed_out, 1);
  weir_pipeline_unref(pipeline);
  weir_timeout_unref(timeout);
  weir_retry_unref(retry);
}

/* ---- a timeout for each run ---- */

struct asked {
  unsigned calls;
  void *context;
  char key[8];
  size_t key_size;
  int64_t answer;
};

static int64_t timeout_for(void *data, void *context, const void *key, size_t key_size) {
  struct asked *asked = data;
  asked->calls++;
  asked->context = context;
  asked->key_size = key_size;
  if (key_size > 0 && key_size < sizeof asked->key) memcpy(asked->key, key, key_size);
  return asked->answer;
}

static struct run *begin_asking(struct fixture *fx, struct asked *asked, struct script *script) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_for = timeout_for;
  options.timeout_data = asked;
  options.name = "fetch";
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.policy = weir_timeout_policy(timeout);
  run_options.key = "abc";
  run_options.key_size = 3;
  run_options.context = asked;
  struct run *run = begin(fx, script->operation, &run_options);
  weir_timeout_unref(timeout);
  return run;
}

static void the_callback_is_asked_once_a_run_with_context_and_key(struct fixture *fx) {
  struct asked asked = {.answer = 40};
  struct run *run = begin_asking(fx, &asked, scripted(fx, "hang"));
  advance_ms(fx, 40);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(run)->message, "fetch timed out after 40 ms");
  assert_int_equal(asked.calls, 1);
  assert_ptr_equal(asked.context, &asked);
  assert_int_equal(asked.key_size, 3);
  assert_string_equal(asked.key, "abc");
}

static void F03_timeout_0_from_the_callback_fires_on_the_next_turn(struct fixture *fx) {
  struct asked asked = {.answer = 0};
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_asking(fx, &asked, fetch);
  int64_t begun_ns = now_ns(fx);
  run_until_idle(fx);
  assert_int_equal(fetch->started, 1); /* it was started, and not cut off before */
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->at_ns, begun_ns);
  struct run *inside = begin_asking(fx, &asked, scripted(fx, "v7"));
  run_until_idle(fx);
  assert_int_equal(settled(inside)->value, 7);
}

static void F03_negative_counts_as_0_and_forever_as_none(struct fixture *fx) {
  struct asked negative = {.answer = -2};
  struct asked least = {.answer = INT64_MIN};
  struct asked forever = {.answer = WEIR_FOREVER};
  struct run *first = begin_asking(fx, &negative, scripted(fx, "hang"));
  struct run *second = begin_asking(fx, &least, scripted(fx, "hang"));
  struct run *third = begin_asking(fx, &forever, scripted(fx, "hang"));
  advance_ms(fx, 1000000);
  assert_int_equal(settled(first)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(second)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(second)->elapsed_ns, 0);
  assert_pending(third);
}

static void F03_an_overflow_saturates(struct fixture *fx) {
  const int64_t answers[] = {INT64_MAX, INT64_MAX / MS, INT64_MAX / MS - 1};
  for (size_t i = 0; i < COUNT_OF(answers); i++) {
    struct asked asked = {.answer = answers[i]};
    struct run *run = begin_asking(fx, &asked, scripted(fx, "v7+1000"));
    advance_ms(fx, 1000);
    assert_int_equal(settled(run)->value, 7);
  }
}

static void without_memory_for_its_message_a_timeout_still_fires(struct fixture *fx) {
  struct asked asked = {.answer = 40};
  struct run *run = begin_asking(fx, &asked, scripted(fx, "hang"));
  run_until_idle(fx);
  memory_fail(&fx->memory, 1, 1);
  advance_ms(fx, 40);
  memory_fail(&fx->memory, 0, 0);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(run)->message, "fetch timed out");
}

/* ---- bad input ---- */

static void expect_invalid(struct fixture *fx, const weir_timeout_options *options,
                           const char *message) {
  weir_timeout *timeout = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, options, &timeout, &error), WEIR_EINVAL);
  assert_null(timeout);
  assert_message(error, message);
}

static void C08_timeout_ms_is_required(struct fixture *fx) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  expect_invalid(fx, &options, "timeout.timeout_ms is required");
  expect_invalid(fx, NULL, "timeout.timeout_ms is required");
  options.timeout_ms = INT64_MIN;
  expect_invalid(fx, &options, "timeout.timeout_ms");
  options.timeout_ms = 5;
  options.reserved = 1;
  expect_invalid(fx, &options, "timeout.reserved");
}

static void C08_a_number_beside_a_callback_is_a_contradiction(struct fixture *fx) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_for = timeout_for;
  options.timeout_ms = 5;
  expect_invalid(fx, &options, "timeout.timeout_ms must be -1 (off) beside timeout_for");
  options.timeout_ms = 0;
  expect_invalid(fx, &options, "timeout.timeout_ms");
  options.timeout_ms = WEIR_OFF;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  weir_timeout_unref(timeout);
}

static void C08_null_arguments_are_errors(struct fixture *fx) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 5;
  weir_timeout *timeout = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_timeout_new(NULL, &options, &timeout, &error), WEIR_EINVAL);
  assert_message(error, "timeout.runtime");
  assert_int_equal(weir_timeout_new(fx->runtime, &options, NULL, &error), WEIR_EINVAL);
  assert_message(error, "timeout.out");
  weir_timeout_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_timeout_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_null(weir_timeout_ref(NULL));
  assert_null(weir_timeout_policy(NULL));
  weir_timeout_unref(NULL);
  weir_timeout_options_init(NULL, sizeof options);
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  assert_int_equal(weir_timeout_get_stats(timeout, NULL), WEIR_EINVAL);
  stats.size = 3;
  assert_int_equal(weir_timeout_get_stats(timeout, &stats), WEIR_EABI);
  assert_int_equal(weir_policy_kind(weir_timeout_policy(timeout)), WEIR_POLICY_TIMEOUT);
  assert_ptr_equal(weir_timeout_ref(timeout), timeout);
  weir_timeout_unref(timeout);
  weir_timeout_unref(timeout);
}

static void C08_sizes_of_the_options_are_checked(struct fixture *fx) {
  struct {
    weir_timeout_options known;
    uint64_t unknown;
  } longer = {WEIR_TIMEOUT_OPTIONS_INIT, 0};
  weir_timeout *timeout = NULL;
  weir_error *error = NULL;
  longer.known.timeout_ms = 5;
  longer.known.size = 0;
  assert_int_equal(weir_timeout_new(fx->runtime, &longer.known, &timeout, &error), WEIR_EABI);
  assert_message(error, "timeout.options");
  longer.known.size = sizeof longer;
  assert_int_equal(weir_timeout_new(fx->runtime, &longer.known, &timeout, NULL), WEIR_OK);
  weir_timeout_unref(timeout);
  longer.unknown = 1;
  assert_int_equal(weir_timeout_new(fx->runtime, &longer.known, &timeout, &error), WEIR_EABI);
  assert_message(error, "timeout.options");
  weir_timeout_options by_macro = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_timeout_options by_function;
  weir_timeout_options_init(&by_function, sizeof by_function);
  assert_memory_equal(&by_macro, &by_function, sizeof by_macro);
}

static void C10_the_callbacks_data_is_freed_once_on_each_path(struct fixture *fx) {
  unsigned freed = 0;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_for = timeout_for;
  options.timeout_data = &freed;
  options.timeout_free_data = count_free;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  assert_int_equal(freed, 0);
  weir_timeout_unref(timeout);
  assert_int_equal(freed, 1);
  assert_int_equal(weir_timeout_new(NULL, &options, &timeout, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 2);
  options.timeout_ms = 7;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 3);
  options.size = 0; /* nothing was taken */
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_EABI);
  assert_int_equal(freed, 3);
}

TEST_MAIN("timeout", TEST(what_is_fast_enough_passes_and_leaves_no_timer),
          TEST(what_takes_too_long_settles_at_once_and_is_told), TEST(a_late_result_is_freed),
          TEST(without_a_name_the_message_has_none), TEST(a_message_of_ones_own_is_used_as_it_is),
          TEST(forever_never_fires_and_arms_nothing),
          TEST(F01_a_result_and_a_timer_in_the_same_turn_have_one_winner),
          TEST(F01_a_sleep_that_ends_with_the_timeout_wins_because_it_is_inside),
          TEST(a_callers_cancel_in_the_turn_of_the_timeout_wins),
          TEST(a_cancel_before_the_timeout_leaves_no_timer),
          TEST(F02_of_equal_nested_timeouts_the_inner_reports_alone),
          TEST(F02_of_equal_timeouts_the_inner_reports_past_a_longer_one_between),
          TEST(F02_of_an_equal_deadline_and_timeout_the_timeout_reports),
          TEST(F02_of_different_nested_timeouts_the_nearer_one_reports),
          TEST(a_nearer_deadline_of_the_caller_stops_instead),
          TEST(the_time_left_flows_inwards_from_the_nearest),
          TEST(a_timeout_inside_a_retry_starts_over_with_each_try),
          TEST(the_callback_is_asked_once_a_run_with_context_and_key),
          TEST(F03_timeout_0_from_the_callback_fires_on_the_next_turn),
          TEST(F03_negative_counts_as_0_and_forever_as_none), TEST(F03_an_overflow_saturates),
          TEST(without_memory_for_its_message_a_timeout_still_fires),
          TEST(C08_timeout_ms_is_required), TEST(C08_a_number_beside_a_callback_is_a_contradiction),
          TEST(C08_null_arguments_are_errors), TEST(C08_sizes_of_the_options_are_checked),
          TEST(C10_the_callbacks_data_is_freed_once_on_each_path))
