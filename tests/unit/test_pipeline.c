/* SPDX-License-Identifier: MIT */
/* Several policies as one. */

#include "support.h"

/* One of each kind, constant and quick. */
struct kit {
  weir_breaker *breaker;
  weir_retry *retry;
  weir_timeout *timeout;
};

static struct kit make_kit(struct fixture *fx) {
  struct kit kit = {NULL, NULL, NULL};
  weir_breaker_options breaker = WEIR_BREAKER_OPTIONS_INIT;
  breaker.failure_threshold = 2;
  breaker.reset_timeout_ms = 10000;
  breaker.half_open_max_calls = 1;
  breaker.half_open_success_threshold = 1;
  breaker.name = "api";
  assert_int_equal(weir_breaker_new(fx->runtime, &breaker, &kit.breaker, NULL), WEIR_OK);
  weir_retry_options retry = WEIR_RETRY_OPTIONS_INIT;
  retry.backoff = WEIR_BACKOFF_CONSTANT;
  retry.jitter = WEIR_JITTER_NONE;
  retry.base_delay_ms = 100;
  assert_int_equal(weir_retry_new(fx->runtime, &retry, &kit.retry, NULL), WEIR_OK);
  weir_timeout_options timeout = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout.timeout_ms = 50;
  assert_int_equal(weir_timeout_new(fx->runtime, &timeout, &kit.timeout, NULL), WEIR_OK);
  return kit;
}

static void drop_kit(struct kit *kit) {
  weir_timeout_unref(kit->timeout);
  weir_retry_unref(kit->retry);
  weir_breaker_unref(kit->breaker);
}

static weir_pipeline *make_pipeline(struct fixture *fx, weir_policy *const *policies,
                                    size_t count) {
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, count, "api", &pipeline, NULL),
                   WEIR_OK);
  return pipeline;
}

/* Breaker around retry around timeout, as in U10. */
static weir_pipeline *make_u10(struct fixture *fx, const struct kit *kit) {
  weir_policy *policies[] = {weir_breaker_policy(kit->breaker), weir_retry_policy(kit->retry),
                             weir_timeout_policy(kit->timeout)};
  return make_pipeline(fx, policies, 3);
}

static void U10_breaker_around_retry_around_timeout_around_fetch(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_pipeline *pipeline = make_u10(fx, &kit);
  struct script *fetch = scripted(fx, "hang f503 v7 f1");
  struct run *good = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(good)->value, 7);
  assert_int_equal(settled(good)->attempts, 3);
  assert_int_equal(settled(good)->statuses[0], WEIR_ETIMEDOUT);
  assert_int_equal(settled(good)->elapsed_ns, 250 * MS);
  for (int i = 0; i < 2; i++) { /* two calls that fail, of three attempts each */
    struct run *bad = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
    advance_ms(fx, 1000);
    assert_int_equal(settled(bad)->code, 1);
    assert_int_equal(settled(bad)->attempts, 3);
  }
  struct run *refused = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  run_until_idle(fx);
  assert_int_equal(settled(refused)->status, WEIR_EOPEN);
  assert_int_equal(settled(refused)->attempts, 0);
  assert_int_equal(fetch->started, 9);
  weir_pipeline_unref(pipeline);
  drop_kit(&kit);
}

static void the_first_policy_is_the_outermost(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  /* The other way round each try gets a verdict of the breaker: the third is refused. */
  weir_policy *policies[] = {weir_retry_policy(kit.retry), weir_breaker_policy(kit.breaker)};
  weir_pipeline *pipeline = make_pipeline(fx, policies, 2);
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(fetch->started, 2);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_REFUSED);
  weir_pipeline_unref(pipeline);
  drop_kit(&kit);
}

static void a_pipeline_can_be_nested_wrapped_and_run_with_another(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_policy *inner_policies[] = {weir_retry_policy(kit.retry), weir_timeout_policy(kit.timeout)};
  weir_pipeline *inner = make_pipeline(fx, inner_policies, 2);
  weir_policy *outer_policies[] = {weir_breaker_policy(kit.breaker), weir_pipeline_policy(inner)};
  weir_pipeline *outer = make_pipeline(fx, outer_policies, 2);
  weir_pipeline_unref(inner);
  struct script *fetch = scripted(fx, "hang f503 v7");
  weir_operation *wrapped = NULL;
  assert_int_equal(weir_policy_wrap(weir_pipeline_policy(outer), fetch->operation, &wrapped, NULL),
                   WEIR_OK);
  weir_pipeline_unref(outer);
  struct run *run = begin_under(fx, weir_timeout_policy(kit.timeout), wrapped);
  weir_operation_unref(wrapped);
  advance_ms(fx, 49);
  assert_pending(run);
  advance_ms(fx, 1); /* both timeouts are due: the inner is first, and its retry has no time left */
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NO_TIME);
  drop_kit(&kit);
}

static void a_pipeline_of_one_is_that_policy(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_policy *policies[] = {weir_timeout_policy(kit.timeout)};
  weir_pipeline *pipeline = make_pipeline(fx, policies, 1);
  struct run *run =
      begin_under(fx, weir_pipeline_policy(pipeline), scripted(fx, "hang")->operation);
  advance_ms(fx, 50);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  weir_pipeline_unref(pipeline);
  drop_kit(&kit);
}

static void two_pipelines_share_the_state_of_their_breaker(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_policy *policies[] = {weir_breaker_policy(kit.breaker)};
  weir_pipeline *first = make_pipeline(fx, policies, 1);
  weir_pipeline *second = make_pipeline(fx, policies, 1);
  struct script *fetch = scripted(fx, "f1");
  begin_under(fx, weir_pipeline_policy(first), fetch->operation);
  begin_under(fx, weir_pipeline_policy(second), fetch->operation);
  run_until_idle(fx);
  struct run *refused = begin_under(fx, weir_pipeline_policy(first), fetch->operation);
  run_until_idle(fx);
  assert_int_equal(settled(refused)->status, WEIR_EOPEN);
  weir_pipeline_unref(second);
  weir_pipeline_unref(first);
  drop_kit(&kit);
}

static void a_run_keeps_the_whole_pipeline_alive(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_pipeline *pipeline = make_u10(fx, &kit);
  struct run *run =
      begin_under(fx, weir_pipeline_policy(pipeline), scripted(fx, "f1 v2")->operation);
  weir_pipeline_unref(pipeline);
  drop_kit(&kit);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->value, 2);
}

static void thirty_two_policies_are_the_most(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_policy *policies[WEIR_PIPELINE_MAX + 1];
  for (size_t i = 0; i < COUNT_OF(policies); i++) policies[i] = weir_timeout_policy(kit.timeout);
  weir_pipeline *full = make_pipeline(fx, policies, WEIR_PIPELINE_MAX);
  struct run *run = begin_under(fx, weir_pipeline_policy(full), scripted(fx, "v1+49")->operation);
  advance_ms(fx, 49);
  assert_int_equal(settled(run)->value, 1);
  weir_pipeline *pipeline = NULL;
  weir_error *error = NULL;
  assert_int_equal(
      weir_pipeline_new(fx->runtime, policies, COUNT_OF(policies), NULL, &pipeline, &error),
      WEIR_EINVAL);
  assert_message(error, "pipeline.count must be from 1 to 32 (got 33)");
  policies[0] = weir_pipeline_policy(full); /* 33 with what it holds */
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, &error),
                   WEIR_EINVAL);
  assert_message(error, "pipeline.policies must be at most 32 in all (got 33)");
  weir_pipeline_unref(full);
  drop_kit(&kit);
}

/* ---- cancelled between the stages ---- */

static void F08_cancelled_between_stages_runs_no_later_stage_and_gives_permits_back(
    struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_policy *policies[] = {weir_breaker_policy(kit.breaker), weir_retry_policy(kit.retry)};
  weir_pipeline *pipeline = make_pipeline(fx, policies, 2);
  struct script *fetch = scripted(fx, "f1 f2 f3 f4 f5 f6 f7 v8");
  for (int i = 0; i < 2; i++) {
    begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
    advance_ms(fx, 1000);
  }
  advance_ms(fx, 10000); /* half-open: there is one trial */
  struct run *trial = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  run_until_idle(fx); /* it holds the trial and sleeps before its second try */
  struct run *other = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  run_until_idle(fx);
  assert_int_equal(settled(other)->status, WEIR_EOPEN);
  uint32_t started = fetch->started;
  assert_int_equal(weir_call_cancel(trial->call), WEIR_OK);
  advance_ms(fx, 1000);
  assert_int_equal(settled(trial)->status, WEIR_ECANCELLED);
  assert_int_equal(fetch->started, started);
  struct run *next = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(next)->value, 8); /* the trial's place was free */
  weir_pipeline_unref(pipeline);
  drop_kit(&kit);
}

static weir_limiter *make_single(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_OK);
  return limiter;
}

static void F08_cancelled_while_it_waits_at_the_second_stage_frees_the_first(struct fixture *fx) {
  weir_limiter *first = make_single(fx);
  weir_limiter *second = make_single(fx);
  weir_policy *policies[] = {weir_limiter_policy(first), weir_limiter_policy(second)};
  weir_pipeline *pipeline = make_pipeline(fx, policies, 2);
  struct script *fetch = scripted(fx, "hang v2");
  struct run *holder = begin_under(fx, weir_limiter_policy(second), fetch->operation);
  run_until_idle(fx);
  struct run *waits = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  run_until_idle(fx);
  assert_int_equal(weir_limiter_available(first), 0);
  assert_int_equal(weir_call_cancel(waits->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(waits)->status, WEIR_ECANCELLED);
  assert_int_equal(fetch->started, 1);
  assert_int_equal(weir_limiter_available(first), 1);
  assert_int_equal(finish(fetch, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(holder)->value, 1);
  assert_int_equal(fetch->started, 1); /* its place in the queue was free too */
  struct run *next = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  run_until_idle(fx);
  assert_int_equal(settled(next)->value, 2);
  weir_pipeline_unref(pipeline);
  weir_limiter_unref(second);
  weir_limiter_unref(first);
}

/* ---- bad input ---- */

static void expect_invalid(struct fixture *fx, weir_policy *const *policies, size_t count,
                           const char *message) {
  weir_pipeline *pipeline = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, count, NULL, &pipeline, &error),
                   WEIR_EINVAL);
  assert_null(pipeline);
  assert_message(error, message);
}

static void C08_nulls_and_empty_lists_are_named(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_policy *policies[] = {weir_retry_policy(kit.retry), NULL};
  expect_invalid(fx, policies, 2, "pipeline.policies[1] must not be NULL");
  expect_invalid(fx, policies, 0, "pipeline.count must be from 1 to 32 (got 0)");
  expect_invalid(fx, policies, SIZE_MAX, "pipeline.count");
  expect_invalid(fx, NULL, 1, "pipeline.policies must not be NULL");
  weir_pipeline *pipeline = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_pipeline_new(NULL, policies, 1, NULL, &pipeline, &error), WEIR_EINVAL);
  assert_message(error, "pipeline.runtime");
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 1, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "pipeline.out");
  assert_null(weir_pipeline_ref(NULL));
  assert_null(weir_pipeline_policy(NULL));
  weir_pipeline_unref(NULL);
  drop_kit(&kit);
}

static void the_same_breaker_twice_is_refused_also_within_a_nested_pipeline(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_policy *breaker = weir_breaker_policy(kit.breaker);
  weir_policy *twice[] = {breaker, weir_retry_policy(kit.retry), breaker};
  expect_invalid(fx, twice, 3, "pipeline.policies must not have the same breaker 'api' twice");
  weir_policy *inner_policies[] = {weir_retry_policy(kit.retry), breaker};
  weir_pipeline *inner = make_pipeline(fx, inner_policies, 2);
  weir_policy *hidden[] = {breaker, weir_pipeline_policy(inner)};
  expect_invalid(fx, hidden, 2, "pipeline.policies must not have the same breaker 'api' twice");
  weir_pipeline_unref(inner);
  drop_kit(&kit);
}

static void the_same_limiter_twice_is_refused(struct fixture *fx) {
  weir_limiter *limiter = make_single(fx);
  weir_policy *twice[] = {weir_limiter_policy(limiter), weir_limiter_policy(limiter)};
  expect_invalid(fx, twice, 2, "pipeline.policies must not have the same limiter '' twice");
  weir_limiter_unref(limiter);
}

static void a_policy_of_the_operation_is_not_repeated_around_it(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_limiter *limiter = make_single(fx);
  weir_policy *members[] = {weir_retry_policy(kit.retry), weir_breaker_policy(kit.breaker),
                            weir_limiter_policy(limiter)};
  weir_pipeline *pipeline = make_pipeline(fx, members, 3);
  weir_operation *guarded = NULL;
  weir_operation *none = NULL;
  weir_error *error = NULL;
  struct script *fetch = scripted(fx, "v7");
  assert_int_equal(
      weir_policy_wrap(weir_pipeline_policy(pipeline), fetch->operation, &guarded, NULL), WEIR_OK);
  /* when it is wrapped once more in its breaker, then that is refused */
  assert_int_equal(weir_policy_wrap(weir_breaker_policy(kit.breaker), guarded, &none, &error),
                   WEIR_EINVAL);
  assert_message(error, "wrap.policy and operation must not have the same breaker 'api' twice");
  assert_null(none);
  /* as it is in a pipeline that has its limiter */
  weir_policy *outer_members[] = {weir_timeout_policy(kit.timeout), weir_limiter_policy(limiter)};
  weir_pipeline *outer = make_pipeline(fx, outer_members, 2);
  error = NULL;
  assert_int_equal(weir_policy_wrap(weir_pipeline_policy(outer), guarded, &none, &error),
                   WEIR_EINVAL);
  assert_message(error, "wrap.policy and operation must not have the same limiter '' twice");
  /* but not what has no state: the retry */
  weir_operation *retried = NULL;
  assert_int_equal(weir_policy_wrap(weir_retry_policy(kit.retry), guarded, &retried, NULL),
                   WEIR_OK);
  struct run *run = begin(fx, retried, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  weir_operation_unref(retried);
  weir_operation_unref(guarded);
  weir_pipeline_unref(outer);
  weir_pipeline_unref(pipeline);
  weir_limiter_unref(limiter);
  drop_kit(&kit);
}

static weir_breaker *make_named_breaker(struct fixture *fx, const char *name) {
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = name;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  return breaker;
}

static weir_limiter *make_bulkhead(struct fixture *fx, const char *name) {
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_bulkhead_new(fx->runtime, 1, 0, name, &limiter, NULL), WEIR_OK);
  return limiter;
}

static void C08_two_limiters_or_breakers_of_one_name_are_refused(struct fixture *fx) {
  weir_limiter *first = make_bulkhead(fx, "api");
  weir_limiter *second = make_bulkhead(fx, "api");
  weir_breaker *breaker = make_named_breaker(fx, "api");
  weir_breaker *namesake = make_named_breaker(fx, "api");
  weir_policy *limiters[] = {weir_limiter_policy(first), weir_limiter_policy(second)};
  expect_invalid(fx, limiters, 2, "pipeline.policies must not have two limiters named 'api'");
  weir_policy *breakers[] = {weir_breaker_policy(breaker), weir_limiter_policy(first),
                             weir_breaker_policy(namesake)};
  expect_invalid(fx, breakers, 3, "pipeline.policies must not have two breakers named 'api'");
  /* a limiter and a breaker may share a name */
  weir_pipeline *pipeline = make_pipeline(fx, breakers, 2);
  weir_policy *hidden[] = {weir_limiter_policy(second), weir_pipeline_policy(pipeline)};
  expect_invalid(fx, hidden, 2, "two limiters named 'api'");
  weir_pipeline_unref(pipeline);
  weir_breaker_unref(namesake);
  weir_breaker_unref(breaker);
  weir_limiter_unref(second);
  weir_limiter_unref(first);
}

static void two_limiters_without_a_name_may_be_in_one_pipeline(struct fixture *fx) {
  weir_limiter *first = make_bulkhead(fx, NULL);
  weir_limiter *second = make_bulkhead(fx, "");
  weir_limiter *third = make_bulkhead(fx, NULL);
  weir_policy *limiters[] = {weir_limiter_policy(first), weir_limiter_policy(second),
                             weir_limiter_policy(third)};
  weir_pipeline *pipeline = make_pipeline(fx, limiters, 3);
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), scripted(fx, "v7")->operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  weir_pipeline_unref(pipeline);
  weir_limiter_unref(third);
  weir_limiter_unref(second);
  weir_limiter_unref(first);
}

static void C08_a_run_under_a_namesake_of_its_operations_limiter_is_refused(struct fixture *fx) {
  weir_limiter *limiter = make_bulkhead(fx, "api");
  weir_limiter *namesake = make_bulkhead(fx, "api");
  struct script *fetch = scripted(fx, "v7");
  weir_operation *guarded = NULL;
  assert_int_equal(weir_policy_wrap(weir_limiter_policy(limiter), fetch->operation, &guarded, NULL),
                   WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_error *error = NULL;
  options.policy = weir_limiter_policy(namesake);
  assert_int_equal(try_begin(fx, guarded, &options, &error)->status, WEIR_EINVAL);
  assert_message(error, "run.policy and operation must not have two limiters named 'api'");
  weir_operation_unref(guarded);
  weir_limiter_unref(namesake);
  weir_limiter_unref(limiter);
}

static void C08_a_pacer_is_not_made_of_what_could_not_run(struct fixture *fx) {
  weir_limiter *limiter = make_bulkhead(fx, "api");
  struct script *fetch = scripted(fx, "v7");
  weir_operation *guarded = NULL;
  assert_int_equal(weir_policy_wrap(weir_limiter_policy(limiter), fetch->operation, &guarded, NULL),
                   WEIR_OK);
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.policy = weir_limiter_policy(limiter);
  weir_debounce *debounce = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_debounce_new(fx->runtime, guarded, &options, &debounce, &error),
                   WEIR_EINVAL);
  assert_message(error, "debounce.policy and operation must not have the same limiter 'api'");
  assert_null(debounce);
  weir_operation_unref(guarded);
  weir_limiter_unref(limiter);
}

static void the_same_retry_or_timeout_twice_works(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_policy *twice[] = {weir_retry_policy(kit.retry), weir_timeout_policy(kit.timeout),
                          weir_retry_policy(kit.retry), weir_timeout_policy(kit.timeout)};
  weir_pipeline *pipeline = make_pipeline(fx, twice, 4);
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->attempts, 3); /* 100 ms do not fit the inner retry's 50 */
  weir_pipeline_unref(pipeline);
  drop_kit(&kit);
}

static void an_operation_takes_thirty_one_policies_and_runs_under_thirty_two_more(
    struct fixture *fx) {
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  weir_policy *policies[WEIR_PIPELINE_MAX];
  for (size_t i = 0; i < WEIR_PIPELINE_MAX; i++) policies[i] = weir_retry_policy(retry);
  weir_pipeline *thirty = make_pipeline(fx, policies, 30);
  weir_pipeline *most = make_pipeline(fx, policies, WEIR_PIPELINE_MAX);
  struct script *fetch = scripted(fx, "v7");
  weir_operation *once = NULL;
  weir_operation *twice = NULL;
  weir_operation *none = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_policy_wrap(weir_retry_policy(retry), fetch->operation, &once, NULL),
                   WEIR_OK);
  assert_int_equal(weir_policy_wrap(weir_pipeline_policy(thirty), once, &twice, NULL), WEIR_OK);
  assert_int_equal(weir_policy_wrap(weir_retry_policy(retry), twice, &none, &error), WEIR_EINVAL);
  assert_message(error, "too many layers (33, at most 32)");
  assert_null(none);
  weir_poll_options polling = WEIR_POLL_OPTIONS_INIT;
  polling.interval_ms = 1;
  assert_int_equal(weir_poll_new(twice, &polling, &none, &error), WEIR_EINVAL);
  assert_message(error, "too many layers (32, at most 31)");
  assert_null(none);
  struct run *run = begin_under(fx, weir_pipeline_policy(most), twice);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  weir_operation_unref(twice);
  weir_operation_unref(once);
  weir_pipeline_unref(most);
  weir_pipeline_unref(thirty);
  weir_retry_unref(retry);
}

static void policies_of_another_runtime_are_refused(struct fixture *fx) {
  weir_runtime *other = NULL;
  assert_int_equal(weir_testing_runtime_new(1, &other), WEIR_OK);
  weir_retry *stranger = NULL;
  assert_int_equal(weir_retry_new(other, NULL, &stranger, NULL), WEIR_OK);
  weir_policy *policies[] = {weir_retry_policy(stranger)};
  expect_invalid(fx, policies, 1, "pipeline.policies[0] must be of the pipeline's runtime");
  weir_retry_unref(stranger);
  weir_runtime_unref(other);
}

static void a_pipeline_has_its_kind_and_its_name(struct fixture *fx) {
  struct kit kit = make_kit(fx);
  weir_pipeline *pipeline = make_u10(fx, &kit);
  assert_int_equal(weir_policy_kind(weir_pipeline_policy(pipeline)), WEIR_POLICY_PIPELINE);
  assert_string_equal(weir_policy_name(weir_pipeline_policy(pipeline)), "api");
  assert_ptr_equal(weir_pipeline_ref(pipeline), pipeline);
  weir_pipeline_unref(pipeline);
  weir_pipeline_unref(pipeline);
  drop_kit(&kit);
}

TEST_MAIN("pipeline", TEST(U10_breaker_around_retry_around_timeout_around_fetch),
          TEST(the_first_policy_is_the_outermost),
          TEST(a_pipeline_can_be_nested_wrapped_and_run_with_another),
          TEST(a_pipeline_of_one_is_that_policy),
          TEST(two_pipelines_share_the_state_of_their_breaker),
          TEST(a_run_keeps_the_whole_pipeline_alive), TEST(thirty_two_policies_are_the_most),
          TEST(an_operation_takes_thirty_one_policies_and_runs_under_thirty_two_more),
          TEST(F08_cancelled_between_stages_runs_no_later_stage_and_gives_permits_back),
          TEST(F08_cancelled_while_it_waits_at_the_second_stage_frees_the_first),
          TEST(C08_nulls_and_empty_lists_are_named), TEST(the_same_limiter_twice_is_refused),
          TEST(the_same_breaker_twice_is_refused_also_within_a_nested_pipeline),
          TEST(a_policy_of_the_operation_is_not_repeated_around_it),
          TEST(C08_two_limiters_or_breakers_of_one_name_are_refused),
          TEST(two_limiters_without_a_name_may_be_in_one_pipeline),
          TEST(C08_a_run_under_a_namesake_of_its_operations_limiter_is_refused),
          TEST(C08_a_pacer_is_not_made_of_what_could_not_run),
          TEST(the_same_retry_or_timeout_twice_works),
          TEST(policies_of_another_runtime_are_refused), TEST(a_pipeline_has_its_kind_and_its_name))
