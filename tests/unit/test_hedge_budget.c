/* SPDX-License-Identifier: MIT */
/* What a hedge costs and learns: its budget, the measured quantile, and other options, live. */

#include "hedge.h"

/* ---- the budget ---- */

static weir_budget *make_budget(struct fixture *fx, double ratio, double min_per_second) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  weir_budget *budget = NULL;
  options.ratio = ratio;
  options.min_per_second = min_per_second;
  assert_int_equal(weir_budget_new(fx->runtime, &options, &budget, NULL), WEIR_OK);
  return budget;
}

static weir_budget_stats budget_stats(weir_budget *budget) {
  weir_budget_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_budget_get_stats(budget, &stats), WEIR_OK);
  return stats;
}

static weir_hedge *make_budgeted(struct fixture *fx, uint32_t max_hedges, weir_budget *budget) {
  weir_hedge_options options = hedge_options(max_hedges, 10);
  options.budget = budget;
  return new_hedge(fx, &options);
}

static void each_copy_counts_against_the_budget(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.5, 0);
  weir_hedge *hedge = make_budgeted(fx, 3, budget);
  struct script *quick = scripted(fx, "v1");
  for (int i = 0; i < 3; i++) begin_under(fx, weir_hedge_policy(hedge), quick->operation);
  run_until_idle(fx);
  struct script *slow = scripted(fx, "hang");
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), slow->operation);
  advance_ms(fx, 100); /* four first starts allow two copies */
  assert_int_equal(slow->started, 3);
  assert_int_equal(hedge_stats(hedge).hedged, 2);
  assert_int_equal(hedge_stats(hedge).refused_by_budget, 1);
  assert_int_equal(armed_timers(fx), 0); /* it does not ask again */
  assert_int_equal(budget_stats(budget).deposits, 4);
  assert_int_equal(budget_stats(budget).withdrawn, 2);
  assert_int_equal(finish(slow, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  weir_hedge_unref(hedge);
  weir_budget_unref(budget);
}

static void with_an_empty_budget_the_first_outcome_goes_on_unchanged(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 0);
  weir_hedge *hedge = make_budgeted(fx, 3, budget);
  struct script *fetch = scripted(fx, "f503@250");
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 503);
  assert_int_equal(settled(run)->retry_after_ms, 250);
  assert_int_equal(fetch->started, 1);
  assert_int_equal(hedge_stats(hedge).refused_by_budget, 1);
  weir_hedge_unref(hedge);
  weir_budget_unref(budget);
}

static void what_no_attempt_came_of_is_given_back(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 1, 10);
  weir_hedge *hedge = make_budgeted(fx, 2, budget);
  weir_breaker *breaker = make_breaker(fx, 1);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  struct run *run = begin_under_two(fx, weir_hedge_policy(hedge), weir_breaker_policy(breaker),
                                    scripted(fx, "v1"));
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  assert_int_equal(budget_stats(budget).deposits, 0);
  assert_int_equal(budget_stats(budget).withdrawn, 0);
  /* A copy that waits for a permit when it is stopped gives back, too. */
  weir_limiter *limiter = make_limiter(fx, 1, 5);
  struct script *fetch = scripted(fx, "v1+15 hang");
  struct run *limited =
      begin_under_two(fx, weir_hedge_policy(hedge), weir_limiter_policy(limiter), fetch);
  advance_ms(fx, 10);
  assert_int_equal(budget_stats(budget).withdrawn, 1);
  advance_ms(fx, 5);
  assert_int_equal(settled(limited)->value, 1);
  assert_int_equal(fetch->started, 1);
  assert_int_equal(budget_stats(budget).deposits, 1);
  assert_int_equal(budget_stats(budget).withdrawn, 0);
  weir_limiter_unref(limiter);
  weir_breaker_unref(breaker);
  weir_hedge_unref(hedge);
  weir_budget_unref(budget);
}

static void retry_and_hedge_of_one_budget_deposit_once(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 1, 10);
  weir_hedge *hedge = make_budgeted(fx, 1, budget);
  weir_retry *retry = make_retry(fx, 2, 1, budget);
  struct run *retried = begin_under_two(fx, weir_retry_policy(retry), weir_hedge_policy(hedge),
                                        scripted(fx, "f1 f2 v3"));
  advance_ms(fx, 1);
  assert_int_equal(settled(retried)->value, 3);
  assert_int_equal(budget_stats(budget).deposits, 1);
  assert_int_equal(budget_stats(budget).withdrawn, 2);
  struct run *hedged = begin_under_two(fx, weir_hedge_policy(hedge), weir_retry_policy(retry),
                                       scripted(fx, "hang v2"));
  advance_ms(fx, 10);
  assert_int_equal(settled(hedged)->value, 2);
  assert_int_equal(budget_stats(budget).deposits, 2);
  assert_int_equal(budget_stats(budget).withdrawn, 3);
  weir_retry_unref(retry);
  weir_hedge_unref(hedge);
  weir_budget_unref(budget);
}

/* ---- the quantile ---- */

static weir_hedge *make_measuring(struct fixture *fx, double quantile, int64_t delay_ms) {
  weir_hedge_options options = hedge_options(1, delay_ms);
  options.quantile = quantile;
  return new_hedge(fx, &options);
}

/* `count` runs that take `ms` each, one after the other. */
static void measure_runs(struct fixture *fx, weir_hedge *hedge, int count, int ms) {
  char word[16];
  snprintf(word, sizeof word, "v1+%d", ms);
  struct script *fetch = scripted(fx, word);
  for (int i = 0; i < count; i++) {
    begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
    advance_ms(fx, ms);
  }
}

static void before_20_samples_the_delay_counts(struct fixture *fx) {
  weir_hedge *hedge = make_measuring(fx, 0.95, 500);
  measure_runs(fx, hedge, 19, 10);
  assert_int_equal(hedge_stats(hedge).samples, 19);
  assert_int_equal(hedge_stats(hedge).delay_ns, 500 * MS);
  measure_runs(fx, hedge, 1, 10);
  assert_true(hedge_stats(hedge).delay_ns >= 10 * MS);
  assert_true(hedge_stats(hedge).delay_ns <= 10 * MS + 10 * MS / 16 + 1);
  weir_hedge_unref(hedge);
}

static void without_a_delay_nothing_is_hedged_before_20_samples(struct fixture *fx) {
  weir_hedge *hedge = make_measuring(fx, 0.9, WEIR_OFF);
  assert_int_equal(hedge_stats(hedge).delay_ns, -1);
  struct script *slow = scripted(fx, "hang");
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), slow->operation);
  advance_ms(fx, 60000);
  assert_int_equal(slow->started, 1);
  assert_int_equal(armed_timers(fx), 0);
  struct script *failing = scripted(fx, "f1 v2"); /* a failure still starts the next */
  struct run *failed = begin_under(fx, weir_hedge_policy(hedge), failing->operation);
  run_until_idle(fx);
  assert_int_equal(settled(failed)->value, 2);
  assert_int_equal(finish(slow, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  weir_hedge_unref(hedge);
}

static void the_quantile_is_that_of_the_samples(struct fixture *fx) {
  weir_hedge *hedge = make_measuring(fx, 0.5, 10000);
  measure_runs(fx, hedge, 30, 10);
  measure_runs(fx, hedge, 20, 100); /* hedged at about 10: the first wins, or its copy, at 100 */
  int64_t half_ns = hedge_stats(hedge).delay_ns;
  assert_true(half_ns >= 10 * MS && half_ns < 11 * MS);
  measure_runs(fx, hedge, 30, 100);
  half_ns = hedge_stats(hedge).delay_ns;
  assert_true(half_ns >= 100 * MS && half_ns <= 107 * MS);
  weir_hedge_unref(hedge);
}

static void old_samples_count_less_and_less(struct fixture *fx) {
  weir_hedge *hedge = make_measuring(fx, 0.5, WEIR_OFF);
  for (int i = 0; i < 21; i++) measure_runs(fx, hedge, 100, 10);
  assert_true(hedge_stats(hedge).delay_ns >= 10 * MS && hedge_stats(hedge).delay_ns < 11 * MS);
  /* fewer than those before, and yet most of what counts */
  for (int i = 0; i < 24; i++) measure_runs(fx, hedge, 50, 100);
  assert_true(hedge_stats(hedge).delay_ns >= 100 * MS && hedge_stats(hedge).delay_ns <= 107 * MS);
  weir_hedge_unref(hedge);
}

static void the_delay_is_known_to_a_sixteenth_at_every_latency(struct fixture *fx) {
  for (int ms = 1; ms < 200000; ms *= 3) {
    weir_hedge *hedge = make_measuring(fx, 0.5, WEIR_OFF);
    measure_runs(fx, hedge, 20, ms);
    assert_true(hedge_stats(hedge).delay_ns >= ms * MS);
    assert_true(hedge_stats(hedge).delay_ns <= ms * MS + ms * MS / 16 + 1);
    weir_hedge_unref(hedge);
  }
}

/* One in ten is slow, and the copy is quick. What won in its place must not make the tail look
 * shorter than it is: else the delay would sink and more and more be hedged. */
static void what_the_copies_win_does_not_draw_the_quantile_down(struct fixture *fx) {
  weir_hedge *hedge = make_measuring(fx, 0.8, 1000);
  measure_runs(fx, hedge, 20, 10);
  for (int i = 0; i < 30; i++) {
    measure_runs(fx, hedge, 9, 10);
    struct script *slow = scripted(fx, "hang v1+10");
    begin_under(fx, weir_hedge_policy(hedge), slow->operation);
    advance_ms(fx, 40);
  }
  assert_int_equal(hedge_stats(hedge).hedged, 30);
  assert_int_equal(hedge_stats(hedge).won_by_hedge, 30);
  assert_true(hedge_stats(hedge).delay_ns >= 10 * MS);
  assert_true(hedge_stats(hedge).delay_ns < 11 * MS);
  weir_hedge_unref(hedge);
}

/* ---- other options, live ---- */

static void a_run_keeps_the_options_it_entered_with(struct fixture *fx) {
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang");
  struct run *before = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  run_until_idle(fx);
  weir_hedge_options options = hedge_options(2, 30);
  assert_int_equal(weir_hedge_set_options(hedge, &options, NULL), WEIR_OK);
  assert_int_equal(hedge_stats(hedge).delay_ns, 30 * MS);
  struct run *after = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  advance_ms(fx, 10);
  assert_int_equal(fetch->started, 3); /* the first run's copy */
  advance_ms(fx, 90);
  assert_int_equal(fetch->started, 5); /* and two of the second's */
  finish_all(fetch);
  run_until_idle(fx);
  assert_int_equal(settled(before)->attempts, 2);
  assert_int_equal(settled(after)->attempts, 3);
  weir_hedge_unref(hedge);
}

static void a_bad_set_of_options_changes_nothing(struct fixture *fx) {
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  weir_error *error = NULL;
  weir_hedge_options options = hedge_options(0, 30);
  assert_int_equal(weir_hedge_set_options(hedge, &options, &error), WEIR_EINVAL);
  assert_message(error, "max_hedges");
  options = hedge_options(1, 30);
  options.name = "other";
  assert_int_equal(weir_hedge_set_options(hedge, &options, NULL), WEIR_EINVAL);
  assert_int_equal(weir_hedge_set_options(hedge, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_hedge_set_options(NULL, &options, NULL), WEIR_EINVAL);
  assert_int_equal(hedge_stats(hedge).delay_ns, 10 * MS);
  weir_hedge_unref(hedge);
}

static void measured_latencies_are_kept(struct fixture *fx) {
  weir_hedge *hedge = make_measuring(fx, 0.5, 500);
  measure_runs(fx, hedge, 20, 10);
  weir_hedge_options options = hedge_options(1, 700);
  options.quantile = 0.9;
  assert_int_equal(weir_hedge_set_options(hedge, &options, NULL), WEIR_OK);
  assert_int_equal(hedge_stats(hedge).samples, 20);
  assert_true(hedge_stats(hedge).delay_ns < 11 * MS);
  options = hedge_options(1, 700);
  assert_int_equal(weir_hedge_set_options(hedge, &options, NULL), WEIR_OK);
  assert_int_equal(hedge_stats(hedge).delay_ns, 700 * MS);
  weir_hedge_unref(hedge);
}

TEST_MAIN("hedge budget", TEST(each_copy_counts_against_the_budget),
          TEST(with_an_empty_budget_the_first_outcome_goes_on_unchanged),
          TEST(what_no_attempt_came_of_is_given_back),
          TEST(retry_and_hedge_of_one_budget_deposit_once),
          TEST(before_20_samples_the_delay_counts),
          TEST(without_a_delay_nothing_is_hedged_before_20_samples),
          TEST(the_quantile_is_that_of_the_samples), LONG_TEST(old_samples_count_less_and_less),
          LONG_TEST(the_delay_is_known_to_a_sixteenth_at_every_latency),
          LONG_TEST(what_the_copies_win_does_not_draw_the_quantile_down),
          TEST(a_run_keeps_the_options_it_entered_with), TEST(a_bad_set_of_options_changes_nothing),
          TEST(measured_latencies_are_kept))
