/* SPDX-License-Identifier: MIT */
/* The breaker around runs: what counts, what does not, and what a refused run looks like. */

#include "breaker.h"

static struct run *run_under(struct fixture *fx, weir_breaker *breaker, struct script *script) {
  struct run *run = begin_under(fx, weir_breaker_policy(breaker), script->operation);
  run_until_idle(fx);
  return run;
}

static void failing_runs_open_it_and_later_ones_are_refused(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.name = "orders";
  weir_breaker *breaker = make_breaker(fx, &options);
  struct script *script = scripted(fx, "f503 f503 f503 f503 f503 v1");
  for (int i = 0; i < 5; i++) {
    assert_int_equal(settled(run_under(fx, breaker, script))->status, WEIR_EFAILED);
  }
  assert_state(breaker, OPEN);
  advance_ms(fx, 15000);
  const struct settlement *refused = settled(run_under(fx, breaker, script));
  assert_int_equal(refused->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(refused->status, WEIR_EOPEN);
  assert_int_equal(refused->error_status, WEIR_EOPEN);
  assert_string_equal(refused->message, "circuit breaker 'orders' is open");
  assert_int_equal(refused->attempts, 0);
  assert_int_equal(refused->retry_after_ms, 45000);
  assert_true(refused->has_rejection);
  assert_int_equal(refused->rejection.policy, WEIR_POLICY_BREAKER);
  assert_int_equal(refused->rejection.reason, WEIR_REJECTION_OPEN);
  assert_int_equal(refused->rejection.retry_after_ms, 45000);
  assert_int_equal(refused->rejection.failures, 5);
  assert_string_equal(refused->rejection.name, "orders");
  assert_int_equal(script->started, 5);

  advance_ms(fx, 45000);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(settled(run_under(fx, breaker, script))->status, WEIR_OK);
  }
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void a_refusal_without_a_name_says_what_it_is(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  struct script *script = scripted(fx, "v1");
  const struct settlement *refused = settled(run_under(fx, breaker, script));
  assert_int_equal(refused->status, WEIR_EOPEN);
  assert_string_equal(refused->message, "circuit breaker is open");
  assert_int_equal(refused->retry_after_ms, -1);
  assert_int_equal(refused->rejection.reason, WEIR_REJECTION_FORCED_OPEN);
  assert_int_equal(stats_of(breaker).rejected, 1);
  weir_breaker_unref(breaker);
}

static void both_doors_share_one_state(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  struct script *script = scripted(fx, "f500");
  for (int i = 0; i < 3; i++) run_under(fx, breaker, script);
  calls_fail(breaker, 2);
  assert_int_equal(settled(run_under(fx, breaker, script))->status, WEIR_EOPEN);
  weir_breaker_unref(breaker);
}

static void a_runs_own_time_makes_it_slow(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  options.min_calls = 2;
  options.slow_call_ms = 20;
  weir_breaker *breaker = make_breaker(fx, &options);
  struct script *script = scripted(fx, "v1+20 v1+21 v1+21 v1+21");
  for (int i = 0; i < 2; i++) {
    run_under(fx, breaker, script);
    advance_ms(fx, 30);
    assert_state(breaker, CLOSED); /* one of two was not slow */
  }
  assert_int_equal(stats_of(breaker).slow, 1);
  weir_breaker_unref(breaker);
}

static void B03_a_cancelled_trial_run_frees_its_slot(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.half_open_max_calls = 1;
  options.half_open_success_threshold = 1;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 5);
  advance_ms(fx, 60000);
  struct script *script = scripted(fx, "hang v1");
  struct run *trial = run_under(fx, breaker, script);
  struct run *refused = run_under(fx, breaker, script);
  assert_int_equal(settled(refused)->rejection.reason, WEIR_REJECTION_HALF_OPEN);
  assert_int_equal(weir_call_cancel(trial->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(trial)->status, WEIR_ECANCELLED);
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(finish(script, 0, "f503"), WEIR_OK); /* the orphan's result is nobody's */
  run_until_idle(fx);
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(settled(run_under(fx, breaker, script))->status, WEIR_OK);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

static void B02_a_trial_run_that_hangs_is_a_failed_verdict(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.trial_timeout_ms = 2000;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 5);
  advance_ms(fx, 60000);
  struct script *script = scripted(fx, "hang v1");
  struct run *trial = run_under(fx, breaker, script);
  advance_ms(fx, 2000);
  assert_state(breaker, OPEN);
  assert_pending(trial); /* the breaker is no timeout */
  assert_int_equal(finish(script, 0, "v7"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(trial)->status, WEIR_OK);
  assert_state(breaker, OPEN);
  assert_int_equal(stats_of(breaker).stale, 1);
  weir_breaker_unref(breaker);
}

static void B17_an_inner_refusal_does_not_count(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  weir_breaker *outer = make_breaker(fx, &options);
  weir_limiter_options limit = WEIR_LIMITER_OPTIONS_INIT;
  limit.permits = 1;
  limit.interval_ms = 1000;
  limit.max_queue = 0;
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_limiter_new(fx->runtime, &limit, &limiter, NULL), WEIR_OK);
  weir_policy *row[] = {weir_breaker_policy(outer), weir_limiter_policy(limiter)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, row, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct script *script = scripted(fx, "v1");
  for (int i = 0; i < 10; i++) {
    struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
    run_until_idle(fx);
    assert_int_equal(settled(run)->status == WEIR_OK, i == 0);
    assert_state(outer, CLOSED);
  }
  assert_int_equal(stats_of(outer).ignored, 9);
  assert_int_equal(stats_of(outer).succeeded, 1);
  weir_pipeline_unref(pipeline);
  weir_limiter_unref(limiter);
  weir_breaker_unref(outer);
}

static uint32_t refusals_fail(void *data, const weir_outcome *outcome) {
  ++*(unsigned *)data;
  return outcome->status == WEIR_EOPEN ? WEIR_CLASS_FAILURE : WEIR_CLASS_NONE;
}

static void B17_unless_classify_says_so(struct fixture *fx) {
  static unsigned asked; /* asked until the fixture ends */
  asked = 0;
  weir_breaker *inner = make_breaker(fx, NULL);
  assert_int_equal(weir_breaker_isolate(inner), WEIR_OK);
  for (int with_classify = 0; with_classify < 2; with_classify++) {
    weir_breaker_options options = BREAKER_OPTIONS;
    if (with_classify) options.classify = refusals_fail;
    if (with_classify) options.classify_data = &asked;
    weir_breaker *outer = make_breaker(fx, &options);
    weir_policy *row[] = {weir_breaker_policy(outer), weir_breaker_policy(inner)};
    weir_pipeline *pipeline = NULL;
    assert_int_equal(weir_pipeline_new(fx->runtime, row, 2, NULL, &pipeline, NULL), WEIR_OK);
    struct script *script = scripted(fx, "v1");
    for (int i = 0; i < 5; i++) {
      begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
      run_until_idle(fx);
    }
    assert_int_equal(weir_breaker_state(outer),
                     with_classify ? WEIR_BREAKER_OPEN : WEIR_BREAKER_CLOSED);
    weir_pipeline_unref(pipeline);
    weir_breaker_unref(outer);
  }
  assert_int_equal(asked, 5);
  weir_breaker_unref(inner);
}

static void only_listed_errors_are_failures(struct fixture *fx) {
  static const weir_error_range ranges[] = {{WEIR_DOMAIN_HTTP, 0, 500, 599},
                                            {WEIR_DOMAIN_HTTP, 0, 429, 429}};
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  options.failures = ranges;
  options.failures_count = COUNT_OF(ranges);
  weir_breaker *breaker = make_breaker(fx, &options);
  struct script *script = scripted(fx, "f404 f428 f499 f600 f599");
  for (int i = 0; i < 4; i++) {
    run_under(fx, breaker, script);
    assert_state(breaker, CLOSED);
  }
  run_under(fx, breaker, script);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

static void what_the_completer_attaches_counts(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  weir_breaker *breaker = make_breaker(fx, &options);
  struct script *script = scripted(fx, "c1/4 c1/5 c1/2"); /* ignore, abandon, failure */
  run_under(fx, breaker, script);
  run_under(fx, breaker, script);
  assert_state(breaker, CLOSED);
  assert_int_equal(stats_of(breaker).ignored, 2);
  assert_int_equal(settled(run_under(fx, breaker, script))->status, WEIR_OK);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);
}

static void B18_a_callers_own_deadline_or_cancel_does_not_count(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  weir_breaker *breaker = make_breaker(fx, &options);
  struct script *script = scripted(fx, "yield");
  weir_run_options impatient = WEIR_RUN_OPTIONS_INIT;
  impatient.policy = weir_breaker_policy(breaker);
  impatient.deadline_ms = 5;
  struct run *late = begin(fx, script->operation, &impatient);
  struct run *cancelled = begin_under(fx, weir_breaker_policy(breaker), script->operation);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(cancelled->call), WEIR_OK);
  advance_ms(fx, 10);
  assert_int_equal(settled(late)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(late)->cancel_reason, WEIR_CANCEL_DEADLINE);
  assert_int_equal(settled(cancelled)->status, WEIR_ECANCELLED);
  assert_state(breaker, CLOSED);
  assert_int_equal(stats_of(breaker).ignored, 2);
  weir_breaker_unref(breaker);
}

static weir_timeout *make_timeout(struct fixture *fx, int64_t timeout_ms) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = timeout_ms;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  return timeout;
}

static void B18_a_timeout_around_it_or_inside_counts(struct fixture *fx) {
  for (int outside = 0; outside < 2; outside++) {
    weir_breaker_options options = BREAKER_OPTIONS;
    options.failure_threshold = 2;
    weir_breaker *breaker = make_breaker(fx, &options);
    weir_timeout *timeout = make_timeout(fx, 100);
    weir_policy *row[] = {weir_breaker_policy(breaker), weir_breaker_policy(breaker)};
    row[outside ? 0 : 1] = weir_timeout_policy(timeout);
    weir_pipeline *pipeline = NULL;
    assert_int_equal(weir_pipeline_new(fx->runtime, row, 2, NULL, &pipeline, NULL), WEIR_OK);
    struct script *script = scripted(fx, "yield");
    for (int i = 0; i < 2; i++) {
      assert_state(breaker, CLOSED);
      struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
      advance_ms(fx, 100);
      assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
    }
    assert_state(breaker, OPEN);
    weir_pipeline_unref(pipeline);
    weir_timeout_unref(timeout);
    weir_breaker_unref(breaker);
  }
}

static void B18_with_timeout_retry_breaker_hangs_open_the_breaker(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 2;
  weir_breaker *breaker = make_breaker(fx, &options);
  weir_timeout *timeout = make_timeout(fx, 250);
  weir_retry_options retrying = WEIR_RETRY_OPTIONS_INIT;
  retrying.attempt_timeout_ms = 100;
  retrying.base_delay_ms = 0;
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, &retrying, &retry, NULL), WEIR_OK);
  weir_policy *row[] = {weir_timeout_policy(timeout), weir_retry_policy(retry),
                        weir_breaker_policy(breaker)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, row, 3, NULL, &pipeline, NULL), WEIR_OK);
  struct script *script = scripted(fx, "hang");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
  advance_ms(fx, 100);
  assert_int_equal(stats_of(breaker).failures, 1);
  advance_ms(fx, 100);
  assert_state(breaker, OPEN);
  run_until_idle(fx);
  assert_int_equal(settled(run)->attempts, 2); /* the third was refused: the last real error */
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  weir_pipeline_unref(pipeline);
  weir_retry_unref(retry);
  weir_timeout_unref(timeout);
  weir_breaker_unref(breaker);
}

static void B11_calls_in_flight_keep_the_breaker_alive(struct fixture *fx) {
  static unsigned asked; /* asked until the fixture ends */
  asked = 0;
  weir_breaker_options options = BREAKER_OPTIONS;
  options.classify = refusals_fail;
  options.classify_data = &asked;
  struct changes *changes = fresh_changes();
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  struct script *script = scripted(fx, "hang");
  struct run *runs[6];
  for (size_t i = 0; i < COUNT_OF(runs); i++) runs[i] = run_under(fx, breaker, script);
  admitted(breaker); /* never reported: leaks nothing */
  weir_breaker_unref(breaker);
  run_until_idle(fx);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    assert_int_equal(finish(script, i, "f500"), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(settled(runs[i])->status, WEIR_EFAILED);
  }
  assert_int_equal(asked, 6);
  assert_int_equal(changes->count, 1);
  assert_int_equal(changes->list[0].to, WEIR_BREAKER_OPEN);
}

static weir_breaker *held_by_listener;

static void hold_it(void *data, weir_breaker *breaker, const weir_breaker_change *change) {
  (void)data, (void)change;
  if (held_by_listener == NULL) held_by_listener = weir_breaker_ref(breaker);
}

static void B11_a_listener_may_keep_what_nobody_else_holds(struct fixture *fx) {
  held_by_listener = NULL;
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  options.on_state_change = hold_it;
  weir_breaker *breaker = make_breaker(fx, &options);
  struct script *script = scripted(fx, "hang");
  struct run *run = run_under(fx, breaker, script);
  weir_breaker_unref(breaker);
  run_until_idle(fx);
  /* when a call in flight, which alone keeps it alive, opens it */
  assert_int_equal(finish(script, 0, "f503"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 503);
  weir_call_unref(run->call);
  run->call = NULL;
  run_until_idle(fx);
  /* then the listener's reference goes on holding it */
  assert_non_null(held_by_listener);
  assert_state(held_by_listener, OPEN);
  assert_int_equal(stats_of(held_by_listener).failed, 1);
  weir_breaker_unref(held_by_listener);
}

TEST_MAIN("breaker_run", TEST(B11_a_listener_may_keep_what_nobody_else_holds),
          TEST(failing_runs_open_it_and_later_ones_are_refused),
          TEST(a_refusal_without_a_name_says_what_it_is), TEST(both_doors_share_one_state),
          TEST(a_runs_own_time_makes_it_slow), TEST(B03_a_cancelled_trial_run_frees_its_slot),
          TEST(B02_a_trial_run_that_hangs_is_a_failed_verdict),
          TEST(B17_an_inner_refusal_does_not_count), TEST(B17_unless_classify_says_so),
          TEST(only_listed_errors_are_failures), TEST(what_the_completer_attaches_counts),
          TEST(B18_a_callers_own_deadline_or_cancel_does_not_count),
          TEST(B18_a_timeout_around_it_or_inside_counts),
          TEST(B18_with_timeout_retry_breaker_hangs_open_the_breaker),
          TEST(B11_calls_in_flight_keep_the_breaker_alive))
