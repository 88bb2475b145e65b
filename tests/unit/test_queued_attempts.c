/* SPDX-License-Identifier: MIT */
/* Queued operations that serve all runs of a host (WEIR_USER_OF_RUN), and what such an attempt is
 * asked for after its START was drained (weir_attempt_get). */

#include "support.h"

struct host {
  weir_completions *queue;
  weir_operation *operation;
};

static void open_host(struct fixture *fx, struct host *host) {
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &host->queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new_queued(host->queue, WEIR_USER_OF_RUN, &host->operation, NULL),
                   WEIR_OK);
}

static void close_host(struct host *host) {
  weir_operation_unref(host->operation);
  weir_completions_unref(host->queue);
}

static weir_record drain_one(struct host *host) {
  weir_record record = {0};
  assert_int_equal(weir_completions_drain(host->queue, &record, sizeof record, 1), 1);
  weir_value_unref(record.kind == WEIR_RECORD_START || record.kind == WEIR_RECORD_ASK
                       ? (weir_value *)(uintptr_t)record.detail
                       : NULL);
  return record;
}

static weir_attempt attempt_of(struct fixture *fx, weir_token token, weir_outcome *failed) {
  weir_attempt attempt = {.size = sizeof attempt};
  assert_int_equal(weir_attempt_get(fx->runtime, token, &attempt, failed), WEIR_OK);
  return attempt;
}

/* ---- the run's user ---- */

static void user_of_run_is_its_context_in_every_record(struct fixture *fx) {
  struct host host;
  weir_operation *asked_for = NULL;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  open_host(fx, &host);
  assert_int_equal(weir_operation_new_asked(host.queue, WEIR_USER_OF_RUN, &asked_for, NULL),
                   WEIR_OK);
  options.context = (void *)(uintptr_t)77;
  struct run *run = begin(fx, host.operation, &options);
  options.context = (void *)(uintptr_t)78;
  struct run *question = begin(fx, asked_for, &options);
  struct run *without = begin(fx, host.operation, NULL);
  run_until_idle(fx);
  weir_record start = drain_one(&host);
  assert_int_equal(start.kind, WEIR_RECORD_START);
  assert_int_equal(start.user, 77);
  weir_record ask = drain_one(&host);
  assert_int_equal(ask.kind, WEIR_RECORD_ASK);
  assert_int_equal(ask.user, 78);
  weir_record none = drain_one(&host);
  assert_int_equal(none.user, 0);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  weir_record cancel = drain_one(&host);
  assert_int_equal(cancel.kind, WEIR_RECORD_CANCEL);
  assert_int_equal(cancel.user, 77);
  weir_complete(fx->runtime, start.object, NULL);
  weir_complete(fx->runtime, ask.object, NULL);
  weir_complete(fx->runtime, none.object, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(question)->status, WEIR_OK);
  assert_int_equal(settled(without)->status, WEIR_OK);
  weir_operation_unref(asked_for);
  close_host(&host);
}

static void a_racer_has_the_user_of_its_run(struct fixture *fx) {
  struct host host;
  weir_operation *race = NULL;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  open_host(fx, &host);
  weir_operation *racers[] = {host.operation, host.operation};
  assert_int_equal(weir_race_new(fx->runtime, racers, 2, NULL, &race, NULL), WEIR_OK);
  options.context = (void *)(uintptr_t)5;
  struct run *run = begin(fx, race, &options);
  run_until_idle(fx);
  for (uint64_t i = 0; i < 2; i++) {
    weir_record start = drain_one(&host);
    assert_int_equal(start.user, 5);
    assert_int_equal(attempt_of(fx, start.object, NULL).index, i);
    assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  weir_operation_unref(race);
  close_host(&host);
}

static void a_number_of_ones_own_stays_what_it_is(struct fixture *fx) {
  struct host host;
  weir_operation *plain = NULL;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  open_host(fx, &host);
  assert_int_equal(weir_operation_new_queued(host.queue, WEIR_USER_OF_RUN - 1, &plain, NULL),
                   WEIR_OK);
  options.context = (void *)(uintptr_t)5;
  begin(fx, plain, &options);
  run_until_idle(fx);
  weir_record start = drain_one(&host);
  assert_true(start.user == UINT64_MAX - 1);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  weir_operation_unref(plain);
  close_host(&host);
}

/* ---- what is shown ---- */

static void an_attempt_is_shown_as_to_a_start_function(struct fixture *fx) {
  struct host host;
  weir_scope *scope = NULL;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  open_host(fx, &host);
  assert_int_equal(weir_scope_new(fx->runtime, NULL, &scope, NULL), WEIR_OK);
  options.key = "one";
  options.key_size = 3;
  options.context = &host;
  options.input = number_value(fx, 4);
  options.deadline_ms = 100;
  options.scope = scope;
  struct run *run = begin(fx, host.operation, &options);
  weir_value_unref(options.input);
  run_until_idle(fx);
  weir_record start = drain_one(&host);
  advance_ms(fx, 30);

  weir_outcome failed = WEIR_OUTCOME_INIT;
  failed.channel = 99;
  weir_attempt attempt = attempt_of(fx, start.object, &failed);
  assert_int_equal(attempt.size, sizeof attempt);
  assert_int_equal(attempt.number, 1);
  assert_true(attempt.token == start.object);
  assert_ptr_equal(attempt.runtime, fx->runtime);
  assert_int_equal(value_number(attempt.input), 4);
  assert_ptr_equal(attempt.context, &host);
  assert_true(attempt.remaining_ns == 70 * MS);
  assert_int_equal(attempt.key_size, 3);
  assert_memory_equal(attempt.key, "one", 3);
  assert_int_equal(attempt.index, 0);
  assert_ptr_equal(attempt.scope, scope);
  assert_null(attempt.failed);
  assert_int_equal(failed.channel, 0);
  assert_null(attempt.on_cancel);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  weir_scope_unref(scope);
  close_host(&host);
}

static void without_options_there_is_little_to_show(struct fixture *fx) {
  struct host host;
  open_host(fx, &host);
  begin(fx, host.operation, NULL);
  run_until_idle(fx);
  weir_record start = drain_one(&host);
  weir_attempt attempt = attempt_of(fx, start.object, NULL);
  assert_true(attempt.remaining_ns == INT64_MAX);
  assert_null(attempt.input);
  assert_null(attempt.context);
  assert_null(attempt.key);
  assert_null(attempt.scope);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  close_host(&host);
}

/* The first attempt times out and is an orphan beside the second. */
static void an_orphan_is_shown_its_own_number_and_deadline(struct fixture *fx) {
  struct host host;
  weir_timeout *timeout = NULL;
  weir_retry *retry = NULL;
  weir_pipeline *pipeline = NULL;
  weir_timeout_options limit = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_retry_options again = WEIR_RETRY_OPTIONS_INIT;
  open_host(fx, &host);
  limit.timeout_ms = 10;
  again.max_attempts = 2;
  again.base_delay_ms = 0;
  assert_int_equal(weir_timeout_new(fx->runtime, &limit, &timeout, NULL), WEIR_OK);
  assert_int_equal(weir_retry_new(fx->runtime, &again, &retry, NULL), WEIR_OK);
  weir_policy *policies[] = {weir_retry_policy(retry), weir_timeout_policy(timeout)};
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), host.operation);
  run_until_idle(fx);
  weir_record first = drain_one(&host);
  assert_true(attempt_of(fx, first.object, NULL).remaining_ns == 10 * MS);
  advance_ms(fx, 10);
  weir_record cancel = drain_one(&host);
  assert_int_equal(cancel.kind, WEIR_RECORD_CANCEL);
  weir_record second = drain_one(&host);
  assert_int_equal(attempt_of(fx, first.object, NULL).number, 1);
  assert_true(attempt_of(fx, first.object, NULL).remaining_ns == 0);
  assert_int_equal(attempt_of(fx, second.object, NULL).number, 2);
  assert_int_equal(weir_complete(fx->runtime, second.object, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(attempt_of(fx, first.object, NULL).number, 1);
  assert_int_equal(weir_complete(fx->runtime, first.object, NULL), WEIR_OK);
  weir_pipeline_unref(pipeline);
  weir_retry_unref(retry);
  weir_timeout_unref(timeout);
  close_host(&host);
}

/* Nobody holds the call any more, and the scope was given back, but the work goes on. */
static void what_an_orphan_is_shown_outlives_its_run(struct fixture *fx) {
  struct host host;
  unsigned freed = 0;
  weir_call *call = NULL;
  weir_scope *scope = NULL;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  open_host(fx, &host);
  assert_int_equal(weir_scope_new(fx->runtime, NULL, &scope, NULL), WEIR_OK);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &options.input),
                   WEIR_OK);
  assert_int_equal(weir_scope_set_int64(scope, "tenant", 8), WEIR_OK);
  options.key = "a key that lives in the run";
  options.key_size = strlen(options.key);
  options.scope = scope;
  weir_status status = weir_run(host.operation, &options, NULL, NULL, NULL, &call, NULL);
  weir_value_unref(options.input);
  assert_int_equal(status, WEIR_OK);
  run_until_idle(fx);
  weir_record start = drain_one(&host);
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  weir_call_unref(call);
  weir_scope_unref(scope);
  run_until_idle(fx);
  advance_ms(fx, 1000);

  weir_attempt attempt = attempt_of(fx, start.object, NULL);
  assert_int_equal(attempt.key_size, options.key_size);
  assert_memory_equal(attempt.key, options.key, options.key_size);
  assert_ptr_equal(weir_value_pointer(attempt.input), &freed);
  int64_t tenant = 0;
  assert_int_equal(weir_scope_get_int64(attempt.scope, "tenant", &tenant), WEIR_OK);
  assert_int_equal(tenant, 8);
  assert_int_equal(freed, 0);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(freed, 1);
  close_host(&host);
}

/* ---- a fallback's ---- */

static struct run *begin_fallback(struct fixture *fx, struct host *host, weir_operation *first) {
  weir_fallback *fallback = NULL;
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.operation = host->operation;
  assert_int_equal(weir_fallback_new(fx->runtime, &options, &fallback, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_fallback_policy(fallback), first);
  weir_fallback_unref(fallback);
  run_until_idle(fx);
  return run;
}

static void a_fallbacks_attempt_is_shown_what_failed(struct fixture *fx) {
  struct host host;
  open_host(fx, &host);
  struct run *run = begin_fallback(fx, &host, scripted(fx, "f503")->operation);
  weir_record start = drain_one(&host);
  weir_outcome failed = WEIR_OUTCOME_INIT;
  weir_attempt attempt = attempt_of(fx, start.object, &failed);
  assert_ptr_equal(attempt.failed, &failed);
  assert_int_equal(failed.channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(failed.attempts, 1);
  assert_int_equal(weir_error_code(failed.error), 503);
  attempt = attempt_of(fx, start.object, NULL);
  assert_non_null(attempt.failed);
  assert_int_equal(attempt.failed->status, WEIR_EFAILED);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  close_host(&host);
}

static void what_failed_before_stays_for_an_orphan(struct fixture *fx) {
  struct host host;
  open_host(fx, &host);
  struct run *run = begin_fallback(fx, &host, scripted(fx, "f503")->operation);
  weir_record start = drain_one(&host);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  weir_outcome failed = WEIR_OUTCOME_INIT;
  attempt_of(fx, start.object, &failed);
  assert_int_equal(failed.status, WEIR_EFAILED);
  assert_int_equal(weir_error_code(failed.error), 503);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  close_host(&host);
}

static void a_refusal_that_failed_before_is_shown_with_its_numbers(struct fixture *fx) {
  struct host host;
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  weir_operation *guarded = NULL;
  open_host(fx, &host);
  options.name = "api";
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  assert_int_equal(
      weir_policy_wrap(weir_breaker_policy(breaker), scripted(fx, "v1")->operation, &guarded, NULL),
      WEIR_OK);
  struct run *run = begin_fallback(fx, &host, guarded);
  weir_record start = drain_one(&host);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  weir_outcome failed = WEIR_OUTCOME_INIT;
  attempt_of(fx, start.object, &failed);
  assert_int_equal(failed.status, WEIR_EOPEN);
  assert_non_null(failed.rejection);
  assert_string_equal(failed.rejection->name, "api");
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  weir_operation_unref(guarded);
  weir_breaker_unref(breaker);
  close_host(&host);
}

/* Its START is never drained: what was kept for it goes with it. */
static void a_fallbacks_attempt_that_nobody_asks_about_leaves_nothing(struct fixture *fx) {
  struct host host;
  open_host(fx, &host);
  struct run *run = begin_fallback(fx, &host, scripted(fx, "f503")->operation);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  close_host(&host);
}

/* ---- what cannot be shown ---- */

static void a_token_that_is_over_shows_nothing(struct fixture *fx) {
  struct host host;
  weir_attempt attempt = {.size = sizeof attempt, .number = 42};
  open_host(fx, &host);
  begin(fx, host.operation, NULL);
  run_until_idle(fx);
  weir_record start = drain_one(&host);
  assert_int_equal(
      weir_attempt_get(fx->runtime, start.object + (UINT64_C(1) << 32), &attempt, NULL),
      WEIR_ESTALE);
  assert_int_equal(weir_attempt_get(fx->runtime, start.object + 12345, &attempt, NULL),
                   WEIR_ESTALE);
  assert_int_equal(weir_attempt_get(fx->runtime, 0, &attempt, NULL), WEIR_ESTALE);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  assert_int_equal(weir_attempt_get(fx->runtime, start.object, &attempt, NULL), WEIR_ESTALE);
  run_until_idle(fx);
  assert_int_equal(weir_attempt_get(fx->runtime, start.object, &attempt, NULL), WEIR_ESTALE);
  assert_int_equal(attempt.number, 42);
  close_host(&host);
}

static void an_attempt_of_a_start_function_is_not_shown_again(struct fixture *fx) {
  struct script *script = scripted(fx, "hang");
  weir_attempt attempt = {.size = sizeof attempt};
  begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(script->started, 1);
  assert_int_equal(weir_attempt_get(fx->runtime, script->attempts[0].token, &attempt, NULL),
                   WEIR_ENOTSUP);
}

static void bad_arguments_show_nothing(struct fixture *fx) {
  struct host host;
  weir_attempt attempt = {.size = 0};
  open_host(fx, &host);
  begin(fx, host.operation, NULL);
  run_until_idle(fx);
  weir_record start = drain_one(&host);
  assert_int_equal(weir_attempt_get(NULL, start.object, &attempt, NULL), WEIR_EINVAL);
  assert_int_equal(weir_attempt_get(fx->runtime, start.object, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_attempt_get(fx->runtime, start.object, &attempt, NULL), WEIR_EABI);
  weir_outcome failed = {.size = 0};
  attempt.size = sizeof attempt;
  assert_int_equal(weir_attempt_get(fx->runtime, start.object, &attempt, &failed), WEIR_EABI);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  close_host(&host);
}

static void a_struct_of_an_earlier_version_gets_what_it_has(struct fixture *fx) {
  struct host host;
  weir_attempt attempt;
  open_host(fx, &host);
  begin(fx, host.operation, NULL);
  run_until_idle(fx);
  weir_record start = drain_one(&host);
  memset(&attempt, 0x5a, sizeof attempt);
  attempt.size = offsetof(weir_attempt, index);
  assert_int_equal(weir_attempt_get(fx->runtime, start.object, &attempt, NULL), WEIR_OK);
  assert_int_equal(attempt.size, offsetof(weir_attempt, index));
  assert_int_equal(attempt.number, 1);
  assert_true(attempt.index == UINT64_C(0x5a5a5a5a5a5a5a5a));
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  close_host(&host);
}

TEST_MAIN("queued_attempts", TEST(user_of_run_is_its_context_in_every_record),
          TEST(a_racer_has_the_user_of_its_run), TEST(a_number_of_ones_own_stays_what_it_is),
          TEST(an_attempt_is_shown_as_to_a_start_function),
          TEST(without_options_there_is_little_to_show),
          TEST(an_orphan_is_shown_its_own_number_and_deadline),
          TEST(what_an_orphan_is_shown_outlives_its_run),
          TEST(a_fallbacks_attempt_is_shown_what_failed),
          TEST(what_failed_before_stays_for_an_orphan),
          TEST(a_refusal_that_failed_before_is_shown_with_its_numbers),
          TEST(a_fallbacks_attempt_that_nobody_asks_about_leaves_nothing),
          TEST(a_token_that_is_over_shows_nothing),
          TEST(an_attempt_of_a_start_function_is_not_shown_again), TEST(bad_arguments_show_nothing),
          TEST(a_struct_of_an_earlier_version_gets_what_it_has))
