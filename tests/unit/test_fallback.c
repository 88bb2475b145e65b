/* SPDX-License-Identifier: MIT */
/* Fallbacks around runs: what they step in for, with what, and what comes of a second failure. */

#include "support.h"

static weir_fallback *new_fallback(struct fixture *fx, const weir_fallback_options *options) {
  weir_fallback *fallback = NULL;
  assert_int_equal(weir_fallback_new(fx->runtime, options, &fallback, NULL), WEIR_OK);
  return fallback;
}

static weir_fallback *with_value(struct fixture *fx, int64_t number) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.has_value = 1;
  options.value = number_value(fx, number);
  weir_fallback *fallback = new_fallback(fx, &options);
  weir_value_unref(options.value);
  return fallback;
}

static weir_fallback *with_operation(struct fixture *fx, struct script *script) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.operation = script->operation;
  return new_fallback(fx, &options);
}

/* The run alone keeps the policy alive. */
static struct run *begin_with(struct fixture *fx, weir_fallback *fallback, struct script *script) {
  struct run *run = begin_under(fx, weir_fallback_policy(fallback), script->operation);
  weir_fallback_unref(fallback);
  return run;
}

static struct run *begin_around(struct fixture *fx, weir_policy *outer, weir_policy *inner,
                                struct script *script) {
  weir_policy *policies[] = {outer, inner};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
  weir_pipeline_unref(pipeline);
  return run;
}

static weir_fallback_stats stats_of(weir_fallback *fallback) {
  weir_fallback_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_fallback_get_stats(fallback, &stats), WEIR_OK);
  return stats;
}

/* What the operation of a fallback was shown. */
static struct seen {
  int there;
  weir_status status;
  int64_t code;
  uint32_t attempts;
  uint64_t index;
} seen;

static void note_failed(struct script *script, const weir_attempt *attempt) {
  (void)script;
  seen.there = attempt->failed != NULL;
  seen.index = attempt->index;
  if (attempt->failed == NULL) return;
  seen.status = attempt->failed->status;
  seen.code = weir_error_code(attempt->failed->error);
  seen.attempts = attempt->failed->attempts;
}

/* ---- values ---- */

static void what_succeeds_passes(struct fixture *fx) {
  weir_fallback *fallback = with_value(fx, 9);
  struct run *run = begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "v1")->operation);
  struct run *empty = begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "n")->operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(empty)->value_kind, WEIR_VALUE_NONE);
  assert_int_equal(stats_of(fallback).started, 2);
  assert_int_equal(stats_of(fallback).fell_back, 0);
  weir_fallback_unref(fallback);
}

static void what_fails_is_answered_with_the_value(struct fixture *fx) {
  weir_fallback *fallback = with_value(fx, 9);
  struct run *run =
      begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "F503@250")->operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(settled(run)->value, 9);
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(settled(run)->statuses[0], WEIR_EFAILED);
  assert_false(settled(run)->has_error);
  assert_int_equal(settled(run)->retry_after_ms, -1);
  assert_int_equal(settled(run)->final, 0);
  assert_int_equal(stats_of(fallback).fell_back, 1);
  assert_int_equal(stats_of(fallback).failed, 0);
  weir_fallback_unref(fallback);
}

static void no_value_is_a_value(struct fixture *fx) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.has_value = 1;
  struct run *run = begin_with(fx, new_fallback(fx, &options), scripted(fx, "f1"));
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_NONE);
}

/* ---- what it steps in for ---- */

static void F21_around_an_open_breaker_it_serves(struct fixture *fx) {
  weir_breaker *breaker = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, NULL, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  struct script *fetch = scripted(fx, "v1");
  struct script *stale = scripted(fx, "v8");
  stale->on_start = note_failed;
  weir_fallback *value = with_value(fx, 9);
  weir_fallback *operation = with_operation(fx, stale);
  struct run *valued =
      begin_around(fx, weir_fallback_policy(value), weir_breaker_policy(breaker), fetch);
  struct run *operated =
      begin_around(fx, weir_fallback_policy(operation), weir_breaker_policy(breaker), fetch);
  run_until_idle(fx);
  assert_int_equal(settled(valued)->value, 9);
  assert_int_equal(settled(valued)->attempts, 0);
  assert_false(settled(valued)->has_rejection);
  assert_int_equal(settled(operated)->value, 8);
  assert_int_equal(settled(operated)->attempts, 1);
  assert_int_equal(seen.status, WEIR_EOPEN);
  assert_int_equal(fetch->started, 0);
  weir_fallback_unref(value);
  weir_fallback_unref(operation);
  weir_breaker_unref(breaker);
}

static void it_serves_what_timed_out_further_in(struct fixture *fx) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 10;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  weir_fallback *fallback = with_value(fx, 9);
  struct run *run = begin_around(fx, weir_fallback_policy(fallback), weir_timeout_policy(timeout),
                                 scripted(fx, "hang"));
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 9);
  weir_fallback_unref(fallback);
  weir_timeout_unref(timeout);
}

static void what_is_cancelled_gets_none(struct fixture *fx) {
  weir_fallback *fallback = with_value(fx, 9);
  struct run *cancelled =
      begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "hang")->operation);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_fallback_policy(fallback);
  options.deadline_ms = 10;
  struct run *late = begin(fx, scripted(fx, "hang")->operation, &options);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(cancelled->call), WEIR_OK);
  advance_ms(fx, 10);
  assert_int_equal(settled(cancelled)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(late)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(late)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(stats_of(fallback).fell_back, 0);
  weir_fallback_unref(fallback);
}

static uint32_t small_is_bad_404_is_fine(void *data, const weir_outcome *outcome) {
  (void)data;
  if (outcome->channel == WEIR_CHANNEL_VALUE && value_number(outcome->value) < 100) {
    return WEIR_CLASS_FAILURE;
  }
  if (weir_error_code(outcome->error) == 404) return WEIR_CLASS_IGNORE;
  if (weir_error_code(outcome->error) == 499) return WEIR_CLASS_ABANDON;
  return WEIR_CLASS_NONE;
}

static void classify_decides(struct fixture *fx) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.has_value = 1;
  options.classify = small_is_bad_404_is_fine;
  weir_fallback *fallback = new_fallback(fx, &options);
  static const char *const words[] = {"v1", "f404", "f499", "v100", "f500"};
  struct run *runs[COUNT_OF(words)];
  for (size_t i = 0; i < COUNT_OF(words); i++) {
    runs[i] = begin_under(fx, weir_fallback_policy(fallback), scripted(fx, words[i])->operation);
  }
  weir_fallback_unref(fallback);
  run_until_idle(fx);
  assert_int_equal(settled(runs[0])->value_kind, WEIR_VALUE_NONE);
  assert_int_equal(settled(runs[0])->status, WEIR_OK);
  assert_int_equal(settled(runs[1])->code, 404);
  assert_int_equal(settled(runs[2])->code, 499);
  assert_int_equal(settled(runs[3])->value, 100);
  assert_int_equal(settled(runs[4])->status, WEIR_OK);
}

static void only_listed_errors_are_failures(struct fixture *fx) {
  weir_error_range range = {WEIR_DOMAIN_HTTP, 0, 500, 599};
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.has_value = 1;
  options.failures = &range;
  options.failures_count = 1;
  weir_fallback *fallback = new_fallback(fx, &options);
  struct run *listed =
      begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "f503")->operation);
  struct run *other =
      begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "f404")->operation);
  weir_fallback_unref(fallback);
  run_until_idle(fx);
  assert_int_equal(settled(listed)->status, WEIR_OK);
  assert_int_equal(settled(other)->code, 404);
}

/* ---- operations ---- */

static void an_operation_sees_what_failed_and_answers(struct fixture *fx) {
  struct script *stale = scripted(fx, "v8+5");
  stale->on_start = note_failed;
  weir_fallback *fallback = with_operation(fx, stale);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_fallback_policy(fallback);
  options.input = number_value(fx, 41);
  options.context = &options;
  options.deadline_ms = 100;
  struct run *run = begin(fx, scripted(fx, "f503+20")->operation, &options);
  weir_value_unref(options.input);
  advance_ms(fx, 20);
  assert_int_equal(stale->started, 1);
  assert_true(seen.there);
  assert_int_equal(seen.status, WEIR_EFAILED);
  assert_int_equal(seen.code, 503);
  assert_int_equal(seen.attempts, 1);
  assert_int_equal(stale->attempts[0].input, 41);
  assert_ptr_equal(stale->attempts[0].context, &options);
  assert_int_equal(stale->attempts[0].remaining_ns, 80 * MS);
  assert_pending(run);
  advance_ms(fx, 5);
  assert_int_equal(settled(run)->value, 8);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(settled(run)->statuses[0], WEIR_EFAILED);
  assert_int_equal(settled(run)->statuses[1], WEIR_OK);
  assert_int_equal(settled(run)->elapsed_ns, 25 * MS);
  assert_int_equal(stats_of(fallback).fell_back, 1);
  weir_fallback_unref(fallback);
}

static void an_operation_elsewhere_sees_nothing(struct fixture *fx) {
  struct script *fetch = scripted(fx, "v1");
  fetch->on_start = note_failed;
  seen.there = 1;
  struct run *run = begin(fx, fetch->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  assert_false(seen.there);
}

static void F07_a_fallback_that_fails_names_the_first_as_cause(struct fixture *fx) {
  struct script *stale = scripted(fx, "f2+1");
  weir_fallback *fallback = with_operation(fx, stale);
  struct run *run = begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "f1")->operation);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->domain, WEIR_DOMAIN_HTTP);
  assert_int_equal(settled(run)->code, 2);
  assert_string_equal(settled(run)->message, "scripted");
  assert_int_equal(stale->started, 1); /* it runs once */
  weir_error *error = weir_call_outcome(run->call)->error;
  assert_non_null(weir_error_cause(error));
  assert_int_equal(weir_error_code(weir_error_cause(error)), 1);
  assert_null(weir_error_cause(weir_error_cause(error)));
  assert_int_equal(stats_of(fallback).failed, 1);
  weir_fallback_unref(fallback);
}

static void F07_an_error_without_a_text_of_its_own_still_says_what_it_is(struct fixture *fx) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  weir_operation *late = NULL;
  weir_status made = weir_sleep_new(fx->runtime, 1, WEIR_ETIMEDOUT, NULL, NULL, &late, NULL);
  assert_int_equal(made, WEIR_OK);
  options.operation = late;
  weir_fallback *fallback = NULL;
  made = weir_fallback_new(fx->runtime, &options, &fallback, NULL);
  weir_operation_unref(late);
  assert_int_equal(made, WEIR_OK);
  struct run *run = begin_with(fx, fallback, scripted(fx, "f1"));
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(run)->message, weir_status_message(WEIR_ETIMEDOUT));
}

static void F07_a_judged_value_is_the_cause_as_exhausted(struct fixture *fx) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.operation = scripted(fx, "f2")->operation;
  options.classify = small_is_bad_404_is_fine;
  struct run *run = begin_with(fx, new_fallback(fx, &options), scripted(fx, "v7"));
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 2);
  weir_error *cause = weir_error_cause(weir_call_outcome(run->call)->error);
  assert_int_equal(weir_error_status(cause), WEIR_EEXHAUSTED);
  assert_int_equal(value_number(weir_error_detail(cause)), 7);
}

static void F07_an_aggregate_keeps_its_list(struct fixture *fx) {
  weir_hedge_options hedged = WEIR_HEDGE_OPTIONS_INIT;
  hedged.delay_ms = 10;
  weir_hedge *hedge = NULL;
  assert_int_equal(weir_hedge_new(fx->runtime, &hedged, &hedge, NULL), WEIR_OK);
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  assert_int_equal(weir_policy_wrap(weir_hedge_policy(hedge), scripted(fx, "f2 f3")->operation,
                                    &options.operation, NULL),
                   WEIR_OK);
  weir_hedge_unref(hedge);
  weir_fallback *fallback = new_fallback(fx, &options);
  weir_operation_unref(options.operation);
  struct run *run = begin_with(fx, fallback, scripted(fx, "f1"));
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  weir_error *error = weir_call_outcome(run->call)->error;
  assert_int_equal(weir_error_count(error), 2);
  size_t index = 9;
  assert_int_equal(weir_error_code(weir_error_at(error, 1, &index)), 3);
  assert_int_equal(index, 1);
  assert_int_equal(weir_error_code(weir_error_cause(error)), 1);
}

static void a_fallback_that_is_refused_says_who_refused(struct fixture *fx) {
  weir_breaker_options broken = WEIR_BREAKER_OPTIONS_INIT;
  broken.name = "stale";
  weir_breaker *breaker = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, &broken, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  assert_int_equal(weir_policy_wrap(weir_breaker_policy(breaker), scripted(fx, "v1")->operation,
                                    &options.operation, NULL),
                   WEIR_OK);
  weir_breaker_unref(breaker);
  weir_fallback *fallback = new_fallback(fx, &options);
  weir_operation_unref(options.operation);
  struct run *run = begin_with(fx, fallback, scripted(fx, "f1"));
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EOPEN);
  assert_true(settled(run)->has_rejection);
  assert_string_equal(settled(run)->rejection.name, "stale");
  weir_error *error = weir_call_outcome(run->call)->error;
  assert_int_equal(weir_error_code(weir_error_cause(error)), 1);
}

static void cancelled_while_it_falls_back_the_operation_is_told(struct fixture *fx) {
  struct script *stale = scripted(fx, "hang");
  struct run *run = begin_with(fx, with_operation(fx, stale), scripted(fx, "f1"));
  run_until_idle(fx);
  assert_int_equal(stale->started, 1);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(stale->attempts[0].cancels, 1);
  assert_int_equal(stale->attempts[0].cancel_reason, WEIR_CANCEL_CALLER);
}

static void cancelled_when_it_has_just_answered_nothing_leaks(struct fixture *fx) {
  struct script *stale = scripted(fx, "hang");
  struct run *run = begin_with(fx, with_operation(fx, stale), scripted(fx, "f1"));
  run_until_idle(fx);
  assert_int_equal(finish(stale, 0, "v8"), WEIR_OK);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK); /* cancels come first */
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
}

static void a_timeout_around_it_covers_both(struct fixture *fx) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 30;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  struct script *stale = scripted(fx, "hang");
  weir_fallback *fallback = with_operation(fx, stale);
  struct run *run = begin_around(fx, weir_timeout_policy(timeout), weir_fallback_policy(fallback),
                                 scripted(fx, "f1+20"));
  advance_ms(fx, 30);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(stale->attempts[0].remaining_ns, 10 * MS);
  assert_int_equal(stale->attempts[0].cancel_reason, WEIR_CANCEL_TIMEOUT);
  weir_fallback_unref(fallback);
  weir_timeout_unref(timeout);
}

static void a_retry_around_it_sees_only_the_fallback(struct fixture *fx) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.base_delay_ms = 0;
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  struct script *stale = scripted(fx, "f2 v8");
  weir_fallback *fallback = with_operation(fx, stale);
  struct run *run = begin_around(fx, weir_retry_policy(retry), weir_fallback_policy(fallback),
                                 scripted(fx, "f1"));
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->value, 8);
  assert_int_equal(settled(run)->attempts, 4);
  weir_fallback_unref(fallback);
  weir_retry_unref(retry);
}

static void the_last_unref_may_come_while_it_falls_back(struct fixture *fx) {
  struct script *stale = scripted(fx, "hang");
  struct run *run = begin_with(fx, with_operation(fx, stale), scripted(fx, "f1"));
  run_until_idle(fx);
  weir_operation_unref(stale->operation);
  stale->operation = NULL;
  run_until_idle(fx);
  assert_int_equal(finish(stale, 0, "v8"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 8);
  assert_int_equal(stale->freed, 1);
}

static void closing_while_it_falls_back_settles_once(struct fixture *fx) {
  struct script *stale = scripted(fx, "hang");
  struct run *run = begin_with(fx, with_operation(fx, stale), scripted(fx, "f1"));
  run_until_idle(fx);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(stale->attempts[0].cancel_reason, WEIR_CANCEL_SHUTDOWN);
}

/* ---- events, and what cannot work ---- */

static weir_event told;

static void note_event(void *data, const weir_event *event) {
  (void)data;
  if (event->kind == WEIR_EVENT_FALLBACK) told = *event;
}

static void stepping_in_is_told(struct fixture *fx) {
  memset(&told, 0, sizeof told);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.on_event = note_event;
  remake_runtime(fx, &options);
  weir_fallback *fallback = with_value(fx, 9);
  struct run *run = begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "f1")->operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 9);
  assert_int_equal(told.kind, WEIR_EVENT_FALLBACK);
  assert_int_equal(told.status, WEIR_EFAILED);
  assert_ptr_equal(told.policy, weir_fallback_policy(fallback));
  weir_fallback_unref(fallback);
}

static void C08_a_hedge_around_a_fallback_is_refused(struct fixture *fx) {
  weir_hedge_options hedged = WEIR_HEDGE_OPTIONS_INIT;
  hedged.delay_ms = 10;
  weir_hedge *hedge = NULL;
  assert_int_equal(weir_hedge_new(fx->runtime, &hedged, &hedge, NULL), WEIR_OK);
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.has_value = 1;
  options.name = "stale";
  weir_fallback *fallback = new_fallback(fx, &options);
  weir_policy *wrong[] = {weir_hedge_policy(hedge), weir_fallback_policy(fallback)};
  weir_policy *right[] = {weir_fallback_policy(fallback), weir_hedge_policy(hedge)};
  weir_pipeline *pipeline = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, wrong, 2, NULL, &pipeline, &error), WEIR_EINVAL);
  assert_message(error, "a hedge around the fallback 'stale'");
  weir_operation *inner = NULL;
  assert_int_equal(weir_policy_wrap(wrong[1], scripted(fx, "v1")->operation, &inner, NULL),
                   WEIR_OK);
  weir_operation *outer = NULL;
  assert_int_equal(weir_policy_wrap(wrong[0], inner, &outer, NULL), WEIR_EINVAL);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.policy = wrong[0];
  assert_int_equal(try_begin(fx, inner, &run_options, NULL)->status, WEIR_EINVAL);
  weir_operation_unref(inner);
  assert_int_equal(weir_pipeline_new(fx->runtime, right, 2, NULL, &pipeline, NULL), WEIR_OK);
  weir_pipeline_unref(pipeline);
  weir_fallback_unref(fallback);
  weir_hedge_unref(hedge);
}

static void a_run_keeps_the_options_it_entered_with(struct fixture *fx) {
  weir_fallback *fallback = with_value(fx, 9);
  struct run *before =
      begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "f1+10")->operation);
  run_until_idle(fx);
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.operation = scripted(fx, "v8")->operation;
  assert_int_equal(weir_fallback_set_options(fallback, &options, NULL), WEIR_OK);
  struct run *after =
      begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "f1")->operation);
  advance_ms(fx, 10);
  assert_int_equal(settled(before)->value, 9);
  assert_int_equal(settled(after)->value, 8);
  weir_fallback_unref(fallback);
}

static void a_bad_set_of_options_changes_nothing(struct fixture *fx) {
  weir_fallback *fallback = with_value(fx, 9);
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  weir_error *error = NULL;
  assert_int_equal(weir_fallback_set_options(fallback, &options, &error), WEIR_EINVAL);
  assert_message(error, "operation");
  assert_int_equal(weir_fallback_set_options(fallback, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_fallback_set_options(NULL, &options, NULL), WEIR_EINVAL);
  /* What runs operations of its own would nest deeper than what was there. */
  options.operation = scripted(fx, "f1")->operation;
  weir_fallback *other = new_fallback(fx, &options);
  weir_operation *deeper = NULL;
  assert_int_equal(weir_policy_wrap(weir_fallback_policy(other), options.operation, &deeper, NULL),
                   WEIR_OK);
  weir_fallback_unref(other);
  options.operation = deeper;
  assert_int_equal(weir_fallback_set_options(fallback, &options, &error), WEIR_EINVAL);
  assert_message(error, "nest deeper");
  weir_operation_unref(deeper);
  struct run *run = begin_under(fx, weir_fallback_policy(fallback), scripted(fx, "f1")->operation);
  weir_fallback_unref(fallback);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 9);
}

TEST_MAIN("fallback", TEST(a_run_keeps_the_options_it_entered_with),
          TEST(a_bad_set_of_options_changes_nothing), TEST(what_succeeds_passes),
          TEST(what_fails_is_answered_with_the_value), TEST(no_value_is_a_value),
          TEST(F21_around_an_open_breaker_it_serves), TEST(it_serves_what_timed_out_further_in),
          TEST(what_is_cancelled_gets_none), TEST(classify_decides),
          TEST(only_listed_errors_are_failures), TEST(an_operation_sees_what_failed_and_answers),
          TEST(an_operation_elsewhere_sees_nothing),
          TEST(F07_a_fallback_that_fails_names_the_first_as_cause),
          TEST(F07_an_error_without_a_text_of_its_own_still_says_what_it_is),
          TEST(F07_a_judged_value_is_the_cause_as_exhausted), TEST(F07_an_aggregate_keeps_its_list),
          TEST(a_fallback_that_is_refused_says_who_refused),
          TEST(cancelled_while_it_falls_back_the_operation_is_told),
          TEST(cancelled_when_it_has_just_answered_nothing_leaks),
          TEST(a_timeout_around_it_covers_both), TEST(a_retry_around_it_sees_only_the_fallback),
          TEST(the_last_unref_may_come_while_it_falls_back),
          TEST(closing_while_it_falls_back_settles_once), TEST(stepping_in_is_told),
          TEST(C08_a_hedge_around_a_fallback_is_refused))
