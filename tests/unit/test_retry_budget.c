/* SPDX-License-Identifier: MIT */
/* Retries under a budget, in runs: what is deposited, withdrawn and given back. */

#include "support_retry.h"

/* `retries` in ten seconds, and `share` of the first attempts. */
static weir_budget *make_budget(struct fixture *fx, double share, double retries) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  options.ratio = share;
  options.min_per_second = retries / 10;
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, &options, &budget, NULL), WEIR_OK);
  return budget;
}

static weir_budget_stats stats_of(weir_budget *budget) {
  weir_budget_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_budget_get_stats(budget, &stats), WEIR_OK);
  return stats;
}

static weir_retry *make_budgeted(struct fixture *fx, weir_budget *budget, int64_t max_attempts,
                                 int64_t delay_ms) {
  weir_retry_options options = plain(max_attempts, delay_ms);
  options.budget = budget;
  return make_retry(fx, &options);
}

static void R11_an_empty_budget_fails_at_once_with_the_last_real_error(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1);
  weir_retry *retry = make_budgeted(fx, budget, 5, 100);
  struct script *fetch = scripted(fx, "f500 f501 f502");
  struct run *run = begin_under(fx, weir_retry_policy(retry), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 501);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_BUDGET);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(settled(run)->elapsed_ns, 100 * MS); /* nothing was slept for the third */
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_OK);
  assert_int_equal(stats.refused_by_budget, 1);
  assert_int_equal(stats.gave_up, 1);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

static void R11_what_already_runs_or_sleeps_is_not_killed_by_an_empty_budget(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1);
  weir_retry *retry = make_budgeted(fx, budget, 5, 100);
  struct run *sleeps = begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1 v2")->operation);
  struct run *runs = begin_under(fx, weir_retry_policy(retry), scripted(fx, "v3+150")->operation);
  run_until_idle(fx);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_ELIMITED);
  advance_ms(fx, 1000);
  assert_int_equal(settled(sleeps)->value, 2);
  assert_int_equal(settled(runs)->value, 3);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

static void an_outage_is_amplified_by_the_share_and_no_more(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.2, 0);
  weir_retry *retry = make_budgeted(fx, budget, 4, 1);
  struct script *fetch = scripted(fx, "f503");
  for (int i = 0; i < 1000; i++) begin_under(fx, weir_retry_policy(retry), fetch->operation);
  advance_ms(fx, 100);
  assert_int_equal(fetch->started, 1200);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

static void a_withdrawal_happens_before_sleeping(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 10);
  weir_retry *retry = make_budgeted(fx, budget, 2, 1000);
  begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1")->operation);
  run_until_idle(fx);
  assert_int_equal(stats_of(budget).withdrawn, 1);
  advance_ms(fx, 1000);
  assert_int_equal(stats_of(budget).withdrawn, 1);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

static void a_retry_that_is_stopped_for_another_reason_takes_nothing(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 10);
  weir_retry_options options = plain(3, 1000);
  options.budget = budget;
  begin_with_deadline(fx, &options, scripted(fx, "f1"), 500);
  options.max_elapsed_ms = 500;
  begin_retried(fx, &options, scripted(fx, "f1"));
  begin_retried(fx, &options, scripted(fx, "F1"));
  run_until_idle(fx);
  assert_int_equal(stats_of(budget).withdrawn, 0);
  assert_int_equal(stats_of(budget).deposits, 3);
  weir_budget_unref(budget);
}

static void a_cancelled_delay_gives_its_withdrawal_back(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 10);
  weir_retry *retry = make_budgeted(fx, budget, 3, 1000);
  struct run *run = begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1")->operation);
  advance_ms(fx, 999);
  assert_int_equal(stats_of(budget).withdrawn, 1);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(stats_of(budget).withdrawn, 0);
  assert_int_equal(stats_of(budget).deposits, 1);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

static void a_cancelled_try_keeps_its_withdrawal_because_it_started(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 10);
  weir_retry *retry = make_budgeted(fx, budget, 3, 100);
  struct run *run = begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1 hang")->operation);
  advance_ms(fx, 100);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(stats_of(budget).withdrawn, 1);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

static void a_try_that_came_too_late_gives_its_withdrawal_back(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 10);
  weir_retry_options options = plain(3, 100);
  options.budget = budget;
  options.max_elapsed_ms = 150;
  struct run *run = begin_retried(fx, &options, scripted(fx, "f1"));
  run_until_idle(fx);
  weir_runtime_process(fx->runtime, now_ns(fx) + 151 * MS);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ELAPSED);
  assert_int_equal(stats_of(budget).withdrawn, 0);
  weir_budget_unref(budget);
}

/* retry → breaker: a breaker that is open lets no attempt start. */
struct guarded {
  weir_breaker *breaker;
  weir_retry *retry;
  weir_pipeline *pipeline;
};

static struct guarded make_guarded(struct fixture *fx, weir_retry *retry) {
  struct guarded guarded = {.retry = retry};
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.failure_threshold = 1;
  options.reset_timeout_ms = 60000;
  options.name = "api";
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &guarded.breaker, NULL), WEIR_OK);
  weir_policy *policies[] = {weir_retry_policy(retry), weir_breaker_policy(guarded.breaker)};
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &guarded.pipeline, NULL),
                   WEIR_OK);
  return guarded;
}

static void drop_guarded(struct guarded *guarded) {
  weir_pipeline_unref(guarded->pipeline);
  weir_breaker_unref(guarded->breaker);
  weir_retry_unref(guarded->retry);
}

static void a_refused_retry_gives_its_withdrawal_back(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 10);
  struct guarded guarded = make_guarded(fx, make_budgeted(fx, budget, 3, 100));
  struct script *fetch = scripted(fx, "f500");
  struct run *run = begin_under(fx, weir_pipeline_policy(guarded.pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(fetch->started, 1); /* the failure opened the breaker */
  assert_int_equal(stats_of(budget).withdrawn, 0);
  assert_int_equal(stats_of(budget).deposits, 1);
  (void)settled(run);
  drop_guarded(&guarded);
  weir_budget_unref(budget);
}

static void R16_the_real_error_comes_out_with_the_breakers_refusal_beside_it(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  struct guarded guarded = make_guarded(fx, make_retry(fx, &options));
  struct script *fetch = scripted(fx, "f500");
  struct run *first = begin_under(fx, weir_pipeline_policy(guarded.pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(first)->status, WEIR_EFAILED);
  assert_int_equal(settled(first)->code, 500);
  assert_int_equal(settled(first)->stop_reason, WEIR_STOP_REFUSED);
  assert_int_equal(settled(first)->retry_after_ms, 59900);
  assert_true(settled(first)->has_rejection);
  assert_int_equal(settled(first)->rejection.status, WEIR_EOPEN);
  assert_string_equal(settled(first)->rejection.name, "api");
  struct run *second = begin_under(fx, weir_pipeline_policy(guarded.pipeline), fetch->operation);
  run_until_idle(fx);
  assert_int_equal(settled(second)->status, WEIR_EOPEN);
  assert_int_equal(settled(second)->attempts, 0);
  assert_int_equal(settled(second)->stop_reason, WEIR_STOP_REFUSED);
  drop_guarded(&guarded);
}

static void retry_refusals_waits_until_the_breaker_lets_it_try(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.retry_refusals = 1;
  options.max_delay_ms = 120000;
  struct guarded guarded = make_guarded(fx, make_retry(fx, &options));
  struct script *fetch = scripted(fx, "f500 v2");
  struct run *run = begin_under(fx, weir_pipeline_policy(guarded.pipeline), fetch->operation);
  advance_ms(fx, 60000);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(settled(run)->elapsed_ns, 60 * SECOND);
  assert_int_equal(settled(run)->attempts, 2);
  drop_guarded(&guarded);
}

static void a_refused_first_try_does_not_count_as_a_first_attempt(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.2, 0);
  struct guarded guarded = make_guarded(fx, make_budgeted(fx, budget, 3, 100));
  assert_int_equal(weir_breaker_isolate(guarded.breaker), WEIR_OK);
  struct script *fetch = scripted(fx, "v1");
  for (int i = 0; i < 10; i++) {
    begin_under(fx, weir_pipeline_policy(guarded.pipeline), fetch->operation);
  }
  run_until_idle(fx);
  assert_int_equal(fetch->started, 0);
  assert_int_equal(stats_of(budget).deposits, 0);
  drop_guarded(&guarded);
  weir_budget_unref(budget);
}

/* ---- nesting ---- */

static weir_pipeline *nested(struct fixture *fx, weir_retry *outer, weir_retry *inner) {
  weir_policy *policies[] = {weir_retry_policy(outer), weir_retry_policy(inner)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  return pipeline;
}

static void R17_nested_retries_of_one_budget_deposit_once(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.2, 100);
  weir_retry *outer = make_budgeted(fx, budget, 3, 10);
  weir_retry *inner = make_budgeted(fx, budget, 2, 1);
  weir_pipeline *pipeline = nested(fx, outer, inner);
  struct script *fetch = scripted(fx, "f1");
  begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  run_until_idle(fx);
  assert_int_equal(stats_of(budget).deposits, 1);
  advance_ms(fx, 1000);
  assert_int_equal(fetch->started, 6);
  assert_int_equal(stats_of(budget).deposits, 1);
  assert_int_equal(stats_of(budget).withdrawn, 5); /* every attempt but the first */
  weir_pipeline_unref(pipeline);
  weir_retry_unref(inner);
  weir_retry_unref(outer);
  weir_budget_unref(budget);
}

static void R17_an_inner_budget_counts_the_first_attempt_of_the_run_only(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.2, 100);
  weir_retry_options options = plain(3, 10);
  weir_retry *outer = make_retry(fx, &options);
  weir_retry *inner = make_budgeted(fx, budget, 2, 1);
  weir_pipeline *pipeline = nested(fx, outer, inner);
  struct script *fetch = scripted(fx, "f1");
  begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(fetch->started, 6);
  assert_int_equal(stats_of(budget).deposits, 1);
  assert_int_equal(stats_of(budget).withdrawn, 3);
  weir_pipeline_unref(pipeline);
  weir_retry_unref(inner);
  weir_retry_unref(outer);
  weir_budget_unref(budget);
}

static void R17_two_budgets_get_one_deposit_each(struct fixture *fx) {
  weir_budget *first = make_budget(fx, 0.2, 100);
  weir_budget *second = make_budget(fx, 0.2, 100);
  weir_retry *outer = make_budgeted(fx, first, 3, 10);
  weir_retry *inner = make_budgeted(fx, second, 2, 1);
  weir_pipeline *pipeline = nested(fx, outer, inner);
  begin_under(fx, weir_pipeline_policy(pipeline), scripted(fx, "f1")->operation);
  advance_ms(fx, 1000);
  assert_int_equal(stats_of(first).deposits, 1);
  assert_int_equal(stats_of(second).deposits, 1);
  assert_int_equal(stats_of(first).withdrawn, 2);
  assert_int_equal(stats_of(second).withdrawn, 3);
  weir_pipeline_unref(pipeline);
  weir_retry_unref(inner);
  weir_retry_unref(outer);
  weir_budget_unref(second);
  weir_budget_unref(first);
}

static void the_policy_keeps_its_budget_alive(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 10);
  weir_retry *retry = make_budgeted(fx, budget, 2, 100);
  weir_budget_unref(budget);
  struct run *run = begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1 v2")->operation);
  weir_retry_unref(retry);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->value, 2);
}

TEST_MAIN("retry budget", TEST(R11_an_empty_budget_fails_at_once_with_the_last_real_error),
          TEST(R11_what_already_runs_or_sleeps_is_not_killed_by_an_empty_budget),
          LONG_TEST(an_outage_is_amplified_by_the_share_and_no_more),
          TEST(a_withdrawal_happens_before_sleeping),
          TEST(a_retry_that_is_stopped_for_another_reason_takes_nothing),
          TEST(a_cancelled_delay_gives_its_withdrawal_back),
          TEST(a_cancelled_try_keeps_its_withdrawal_because_it_started),
          TEST(a_try_that_came_too_late_gives_its_withdrawal_back),
          TEST(a_refused_retry_gives_its_withdrawal_back),
          TEST(R16_the_real_error_comes_out_with_the_breakers_refusal_beside_it),
          TEST(retry_refusals_waits_until_the_breaker_lets_it_try),
          TEST(a_refused_first_try_does_not_count_as_a_first_attempt),
          TEST(R17_nested_retries_of_one_budget_deposit_once),
          TEST(R17_an_inner_budget_counts_the_first_attempt_of_the_run_only),
          TEST(R17_two_budgets_get_one_deposit_each), TEST(the_policy_keeps_its_budget_alive))
