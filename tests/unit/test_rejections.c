/* SPDX-License-Identifier: MIT */
/*
 * Explained rejections: of each kind of refusal the fields and the sentence against the real state,
 * and that trying again is refused just before retry_after and passes exactly then. Limiters' are
 * in test_rejections_limiter.c.
 */

#include "rejections.h"

static weir_breaker *make_breaker(struct fixture *fx, const weir_breaker_options *options) {
  weir_breaker *breaker = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, options, &breaker, NULL), WEIR_OK);
  return breaker;
}

static weir_breaker_options named(void) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = "api";
  return options;
}

/* Ends one call; asserts that it passes. */
static void call(weir_breaker *breaker, uint32_t class_, int64_t elapsed_ms) {
  weir_permit permit = 0;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_report(breaker, permit, class_, elapsed_ms * MS), WEIR_OK);
}

static void calls(weir_breaker *breaker, int count, uint32_t class_) {
  for (int i = 0; i < count; i++) call(breaker, class_, 0);
}

static weir_rejection refused(weir_breaker *breaker, uint32_t reason) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  weir_permit permit = 1;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, &rejection), WEIR_EOPEN);
  assert_int_equal(permit, 0);
  assert_int_equal(rejection.status, WEIR_EOPEN);
  assert_int_equal(rejection.policy, WEIR_POLICY_BREAKER);
  assert_int_equal(rejection.reason, reason);
  assert_string_equal(rejection.name, "api");
  return rejection;
}

/* Refused a nanosecond before, passes then; the call is given back. */
static void passes_exactly_then(struct fixture *fx, weir_breaker *breaker, int64_t after_ns) {
  assert_true(after_ns > 0);
  advance_ns(fx, after_ns - 1);
  weir_permit permit = 0;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_EOPEN);
  advance_ns(fx, 1);
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_ABANDON, 0), WEIR_OK);
}

/* The same breaker refuses a run: the same rejection beside the outcome. */
static void run_shows(struct fixture *fx, weir_breaker *breaker, const weir_rejection *decided) {
  struct script *work = scripted(fx, "v1");
  struct run *run = begin_under(fx, weir_breaker_policy(breaker), work->operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EOPEN);
  assert_true(settled(run)->has_rejection);
  assert_memory_equal(&settled(run)->rejection, decided, sizeof(*decided));
}

static void open_after_failures_in_a_row(struct fixture *fx) {
  weir_breaker_options options = named();
  weir_breaker *breaker = make_breaker(fx, &options);
  calls(breaker, 5, WEIR_CLASS_FAILURE);
  advance_ms(fx, 10000);
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_OPEN);
  assert_int_equal(rejection.failures, 5);
  assert_int_equal(rejection.calls, 5);
  assert_int_equal(rejection.cause, WEIR_BREAKER_BY_FAILURES);
  assert_true(rejection.threshold == 5);
  assert_int_equal(rejection.retry_after_ns, 50 * SECOND);
  assert_int_equal(rejection.retry_after_ms, 50000);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is open: 5 failures in a row (opens at 5); "
                  "try again in 50000 ms");
  run_shows(fx, breaker, &rejection);
  passes_exactly_then(fx, breaker, rejection.retry_after_ns);
  weir_breaker_unref(breaker);
}

static void open_after_one_failure(struct fixture *fx) {
  weir_breaker_options options = named();
  options.failure_threshold = 1;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls(breaker, 1, WEIR_CLASS_FAILURE);
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_OPEN);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is open: 1 failure in a row (opens at 1); "
                  "try again in 60000 ms");
  weir_breaker_unref(breaker);
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  options.failure_rate = 1.0;
  options.min_calls = 2;
  breaker = make_breaker(fx, &options);
  calls(breaker, 2, WEIR_CLASS_FAILURE);
  rejection = refused(breaker, WEIR_REJECTION_OPEN);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is open: 2 of 2 calls failed (opens at 100 %); "
                  "try again in 60000 ms");
  weir_breaker_unref(breaker);
}

static void open_by_the_rate_of_failures(struct fixture *fx) {
  weir_breaker_options options = named();
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  options.failure_rate = 0.55;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls(breaker, 9, WEIR_CLASS_SUCCESS);
  calls(breaker, 11, WEIR_CLASS_FAILURE);
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_OPEN);
  assert_int_equal(rejection.failures, 11);
  assert_int_equal(rejection.calls, 20);
  assert_true(rejection.threshold == 0.55);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is open: 11 of 20 calls failed (opens at 55 %); "
                  "try again in 60000 ms");
  run_shows(fx, breaker, &rejection);
  passes_exactly_then(fx, breaker, rejection.retry_after_ns);
  weir_breaker_unref(breaker);
}

static void open_by_the_rate_of_slow_calls(struct fixture *fx) {
  weir_breaker_options options = named();
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  options.slow_call_ms = 100;
  options.slow_call_rate = 0.5;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls(breaker, 5, WEIR_CLASS_SUCCESS);
  for (int i = 0; i < 5; i++) call(breaker, WEIR_CLASS_SUCCESS, 101);
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_OPEN);
  assert_int_equal(rejection.cause, WEIR_BREAKER_BY_SLOW_CALLS);
  assert_int_equal(rejection.slow_calls, 5);
  assert_int_equal(rejection.calls, 10);
  assert_int_equal(rejection.failures, 0);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is open: 5 of 10 calls were slow (opens at 50 %); "
                  "try again in 60000 ms");
  passes_exactly_then(fx, breaker, rejection.retry_after_ns);
  weir_breaker_unref(breaker);
}

static void open_again_after_a_failed_trial(struct fixture *fx) {
  weir_breaker_options options = named();
  options.reset_multiplier = 2;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls(breaker, 5, WEIR_CLASS_FAILURE);
  advance_ms(fx, 60000);
  calls(breaker, 1, WEIR_CLASS_SUCCESS);
  calls(breaker, 1, WEIR_CLASS_FAILURE);
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_OPEN);
  assert_int_equal(rejection.cause, WEIR_BREAKER_BY_TRIALS);
  assert_int_equal(rejection.calls, 2);
  assert_int_equal(rejection.failures, 1);
  assert_true(rejection.threshold == 1);
  assert_int_equal(rejection.retry_after_ms, 120000);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is open: 1 of 2 trial calls failed (opens at 1); "
                  "try again in 120000 ms");
  passes_exactly_then(fx, breaker, rejection.retry_after_ns);
  weir_breaker_unref(breaker);
}

static void half_open_with_all_trials_taken(struct fixture *fx) {
  weir_breaker_options options = named();
  options.half_open_failures = 2;
  options.trial_timeout_ms = 5000;
  options.reset_timeout_ms = 1000;
  options.reset_multiplier = 3;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls(breaker, 5, WEIR_CLASS_FAILURE);
  advance_ms(fx, 1000);
  weir_permit permits[3];
  for (int i = 0; i < 3; i++) {
    assert_int_equal(weir_breaker_acquire(breaker, &permits[i], NULL), WEIR_OK);
    advance_ms(fx, 1000);
  }
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_HALF_OPEN);
  assert_int_equal(rejection.limit, 3);
  assert_int_equal(rejection.failures, 5); /* what opened it */
  /* The second lease runs out in 3 s; then it is open for 3 s. */
  assert_int_equal(rejection.retry_after_ms, 6000);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is half-open: all of its 3 trial calls are taken; "
                  "try again in 6000 ms");
  run_shows(fx, breaker, &rejection);
  passes_exactly_then(fx, breaker, rejection.retry_after_ns);
  weir_breaker_unref(breaker);
}

static void half_open_with_leases_for_ever(struct fixture *fx) {
  weir_breaker_options options = named();
  options.half_open_max_calls = options.half_open_success_threshold = 1;
  options.trial_timeout_ms = WEIR_FOREVER;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls(breaker, 5, WEIR_CLASS_FAILURE);
  advance_ms(fx, 60000);
  weir_permit trial = 0;
  assert_int_equal(weir_breaker_acquire(breaker, &trial, NULL), WEIR_OK);
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_HALF_OPEN);
  assert_int_equal(rejection.retry_after_ns, -1);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is half-open: all of its 1 trial calls are taken; "
                  "nobody can know when to try again");
  assert_int_equal(weir_breaker_report(breaker, trial, WEIR_CLASS_SUCCESS, 0), WEIR_OK);
  calls(breaker, 1, WEIR_CLASS_SUCCESS);
  weir_breaker_unref(breaker);
}

static void held_open_by_hand(struct fixture *fx) {
  weir_breaker_options options = named();
  weir_breaker *breaker = make_breaker(fx, &options);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_FORCED_OPEN);
  assert_int_equal(rejection.retry_after_ns, -1);
  assert_int_equal(rejection.retry_after_ms, -1);
  assert_int_equal(rejection.failures, 0);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is held open by hand; nobody can know when to try again");
  run_shows(fx, breaker, &rejection);
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  calls(breaker, 1, WEIR_CLASS_SUCCESS);
  weir_breaker_unref(breaker);
}

static void outside_the_share_while_ramping_up(struct fixture *fx) {
  weir_breaker_options options = named();
  options.ramp_up_ms = 9000;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls(breaker, 5, WEIR_CLASS_FAILURE);
  advance_ms(fx, 60000);
  calls(breaker, 2, WEIR_CLASS_SUCCESS);
  calls(breaker, 1, WEIR_CLASS_SUCCESS); /* the first passes */
  advance_ms(fx, 1000);
  weir_rejection rejection = refused(breaker, WEIR_REJECTION_RAMP_UP);
  assert_true(rejection.threshold > 0.1999 && rejection.threshold < 0.2001);
  assert_int_equal(rejection.retry_after_ms, 8000);
  assert_sentence(&rejection,
                  "circuit breaker 'api' is closing again: it lets 20 % of calls pass now; "
                  "try again in 8000 ms");
  advance_ns(fx, rejection.retry_after_ns);
  calls(breaker, 20, WEIR_CLASS_SUCCESS);
  weir_breaker_unref(breaker);
}

/* ---- budgets --------------------------------------------------------------------------------- */

static weir_budget *make_budget(struct fixture *fx, double ratio, double min_per_second) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  options.ratio = ratio;
  options.min_per_second = min_per_second;
  options.window_ms = 1000;
  options.name = "shared";
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, &options, &budget, NULL), WEIR_OK);
  return budget;
}

static void a_budget_with_no_retry_left(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.2, 2);
  for (int i = 0; i < 5; i++) assert_int_equal(weir_budget_deposit(budget), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  advance_ms(fx, 130);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  advance_ms(fx, 200);
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_budget_try_withdraw(budget, &rejection), WEIR_ELIMITED);
  weir_budget_stats stats = {.size = sizeof(stats)};
  assert_int_equal(weir_budget_get_stats(budget, &stats), WEIR_OK);
  assert_int_equal(rejection.policy, WEIR_POLICY_BUDGET);
  assert_int_equal(rejection.reason, WEIR_REJECTION_BUDGET);
  assert_int_equal(rejection.requested, 1);
  assert_int_equal(rejection.failures, stats.withdrawn);
  assert_int_equal(rejection.failures, 2);
  assert_int_equal(rejection.limit, 2);
  assert_int_equal(rejection.calls, stats.deposits);
  assert_int_equal(rejection.available, stats.available);
  assert_int_equal(rejection.interval_ns, SECOND);
  assert_true(rejection.threshold == 0.2);
  assert_int_equal(rejection.retry_after_ns, 670 * MS);
  assert_sentence(&rejection,
                  "budget 'shared' has no retry left: 2 of 2 in 1000 ms (5 first attempts, ratio "
                  "0.2); try again in 670 ms");
  advance_ns(fx, rejection.retry_after_ns - 1);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_ELIMITED);
  advance_ns(fx, 1);
  assert_int_equal(weir_budget_try_withdraw(budget, &rejection), WEIR_OK);
  weir_budget_unref(budget);
}

static void a_budget_that_gives_nothing_by_itself(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0.5, 0);
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_budget_try_withdraw(budget, &rejection), WEIR_ELIMITED);
  assert_int_equal(rejection.retry_after_ns, -1);
  weir_rejection broken = WEIR_REJECTION_INIT;
  broken.size = 4;
  assert_int_equal(weir_budget_try_withdraw(budget, &broken), WEIR_EABI);
  assert_int_equal(weir_budget_try_withdraw(NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_try_withdraw(budget, NULL), WEIR_ELIMITED);
  weir_budget_unref(budget);
}

static void a_run_that_its_budget_stopped_shows_it_beside_its_own_error(struct fixture *fx) {
  weir_budget *budget = make_budget(fx, 0, 1);
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.budget = budget;
  options.base_delay_ms = 0;
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  struct script *work = scripted(fx, "f503");
  struct run *run = begin_under(fx, weir_retry_policy(retry), work->operation);
  run_until_idle(fx);
  const struct settlement *result = settled(run);
  assert_int_equal(result->status, WEIR_EFAILED);
  assert_int_equal(result->code, 503);
  assert_int_equal(result->attempts, 2);
  assert_int_equal(result->stop_reason, WEIR_STOP_BUDGET);
  assert_true(result->has_rejection);
  assert_int_equal(result->rejection.policy, WEIR_POLICY_BUDGET);
  assert_int_equal(result->rejection.reason, WEIR_REJECTION_BUDGET);
  assert_string_equal(result->rejection.name, "shared");
  assert_int_equal(result->rejection.retry_after_ms, 1000);
  advance_ns(fx, result->rejection.retry_after_ns);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

/* ---- the sentence itself --------------------------------------------------------------------- */

static void the_sentence_is_cut_off_and_its_length_told(struct fixture *fx) {
  (void)fx;
  char buffer[128];
  weir_rejection rejection = WEIR_REJECTION_INIT;
  rejection.policy = WEIR_POLICY_LIMITER;
  rejection.reason = WEIR_REJECTION_PAUSED;
  rejection.retry_after_ns = -1;
  size_t length = weir_rejection_describe(&rejection, buffer, sizeof buffer);
  assert_int_equal(length, strlen(buffer));
  assert_string_equal(buffer, "limiter is paused; nobody can know when to try again");
  char small[8];
  assert_int_equal(weir_rejection_describe(&rejection, small, sizeof small), length);
  assert_string_equal(small, "limiter");
  assert_int_equal(weir_rejection_describe(&rejection, NULL, 0), length);
  assert_int_equal(weir_rejection_describe(NULL, buffer, sizeof buffer), 12);
  assert_string_equal(buffer, "no rejection");
  rejection.policy = 4711;
  weir_rejection_describe(&rejection, buffer, sizeof buffer);
  assert_string_equal(buffer, "policy refused; nobody can know when to try again");
}

static void a_shorter_struct_of_an_earlier_version_is_read(struct fixture *fx) {
  (void)fx;
  char buffer[128];
  weir_rejection rejection = WEIR_REJECTION_INIT;
  rejection.size = offsetof(weir_rejection, threshold);
  rejection.policy = WEIR_POLICY_BREAKER;
  rejection.reason = WEIR_REJECTION_OPEN;
  rejection.calls = 7;
  rejection.failures = 6;
  rejection.threshold = 99; /* beyond its size */
  rejection.cause = WEIR_BREAKER_BY_FAILURES;
  weir_rejection_describe(&rejection, buffer, sizeof buffer);
  assert_string_equal(buffer,
                      "circuit breaker is open: 6 of 7 calls had failed; try again in 0 ms");
}

TEST_MAIN("rejections", TEST(open_after_failures_in_a_row), TEST(open_after_one_failure),
          TEST(open_by_the_rate_of_failures), TEST(open_by_the_rate_of_slow_calls),
          TEST(open_again_after_a_failed_trial), TEST(half_open_with_all_trials_taken),
          TEST(half_open_with_leases_for_ever), TEST(held_open_by_hand),
          TEST(outside_the_share_while_ramping_up), TEST(a_budget_with_no_retry_left),
          TEST(a_budget_that_gives_nothing_by_itself),
          TEST(a_run_that_its_budget_stopped_shows_it_beside_its_own_error),
          TEST(the_sentence_is_cut_off_and_its_length_told),
          TEST(a_shorter_struct_of_an_earlier_version_is_read))
