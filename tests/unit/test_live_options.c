/* SPDX-License-Identifier: MIT */
/* Options of retry, timeout and budget changed while runs are under way; F18. The breaker's and the
 * limiter's own are in their tests. */

#include "support_options.h"

#include "support_retry.h"

static uint32_t judge_failure(void *data, const weir_outcome *outcome) {
  (void)data;
  return outcome->channel == WEIR_CHANNEL_VALUE ? WEIR_CLASS_SUCCESS : WEIR_CLASS_FAILURE;
}

/* Constant delays of 100 ms; `freed` (nullable) counts the end of the set. */
static weir_retry_options tries(int64_t max_attempts, unsigned *freed) {
  weir_retry_options options = plain(max_attempts, 100);
  if (freed != NULL) {
    options.classify = judge_failure;
    options.classify_data = freed;
    options.classify_free_data = count_free;
  }
  return options;
}

static void set_retry(weir_retry *retry, const weir_retry_options *options) {
  assert_int_equal(weir_retry_set_options(retry, options, NULL), WEIR_OK);
}

/* ---- retry ----------------------------------------------------------------------------------- */

static void a_run_in_flight_keeps_the_retry_it_began_with(struct fixture *fx) {
  weir_retry_options few = tries(3, NULL);
  weir_retry *retry = make_retry(fx, &few);
  struct script *first = scripted(fx, "f1");
  struct script *second = scripted(fx, "f1");
  struct run *before = begin_under(fx, weir_retry_policy(retry), first->operation);
  advance_ms(fx, 50); /* it waits for its second try */
  weir_retry_options many = tries(5, NULL);
  many.base_delay_ms = 10;
  set_retry(retry, &many);
  struct run *after = begin_under(fx, weir_retry_policy(retry), second->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(before)->attempts, 3);
  assert_int_equal(settled(before)->elapsed_ns, 200 * MS);
  assert_int_equal(settled(after)->attempts, 5);
  assert_int_equal(settled(after)->elapsed_ns, 40 * MS);
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_OK);
  assert_int_equal(stats.calls, 2); /* what it counted stays */
  assert_int_equal(stats.retries, 6);
  weir_retry_unref(retry);
}

static void a_replaced_set_is_freed_once_when_its_last_run_is_over(struct fixture *fx) {
  static unsigned freed[3];
  memset(freed, 0, sizeof freed);
  weir_retry_options options = tries(3, &freed[0]);
  weir_retry *retry = make_retry(fx, &options);
  struct script *work = scripted(fx, "hang");
  struct run *one = begin_under(fx, weir_retry_policy(retry), work->operation);
  struct run *two = begin_under(fx, weir_retry_policy(retry), work->operation);
  run_until_idle(fx);
  options = tries(3, &freed[1]);
  set_retry(retry, &options);
  run_until_idle(fx);
  assert_int_equal(freed[0], 0);
  assert_int_equal(finish(work, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(one)->value, 1);
  assert_int_equal(freed[0], 0);
  assert_int_equal(weir_call_cancel(two->call), WEIR_OK); /* the last one is stopped */
  run_until_idle(fx);
  assert_int_equal(freed[0], 1);
  /* one that nobody uses goes with the next turn */
  options = tries(3, &freed[2]);
  set_retry(retry, &options);
  assert_int_equal(freed[1], 0);
  run_until_idle(fx);
  assert_int_equal(freed[1], 1);
  /* and the last with the policy, which the stopped run's attempt still holds */
  finish_all(work);
  run_until_idle(fx);
  assert_int_equal(freed[2], 0);
  weir_retry_unref(retry);
  assert_int_equal(freed[2], 1);
  assert_int_equal(freed[0] + freed[1], 2);
}

static void a_set_replaced_and_its_policy_given_back_before_a_turn_are_freed_once(
    struct fixture *fx) {
  static unsigned freed[2];
  freed[0] = freed[1] = 0;
  weir_retry_options options = tries(3, &freed[0]);
  weir_retry *retry = make_retry(fx, &options);
  options = tries(3, &freed[1]);
  set_retry(retry, &options);
  weir_retry_unref(retry);
  assert_int_equal(freed[1], 1);
  run_until_idle(fx);
  assert_int_equal(freed[0], 1);
}

/* An on_retry listener that replaces the very set it belongs to. */
struct replacer {
  weir_retry *retry;
  unsigned freed;
  unsigned told;
  weir_status status;
};

static void replace_self(void *data, uint32_t attempt, int64_t delay_ns,
                         const weir_outcome *outcome) {
  struct replacer *replacer = data;
  (void)attempt, (void)delay_ns, (void)outcome;
  weir_retry_options options = tries(2, NULL);
  replacer->told++;
  replacer->status = weir_retry_set_options(replacer->retry, &options, NULL);
}

static void count_replacer_free(void *data) { ((struct replacer *)data)->freed++; }

static void a_listener_may_replace_the_set_it_belongs_to(struct fixture *fx) {
  static struct replacer replacer;
  memset(&replacer, 0, sizeof replacer);
  weir_retry_options options = tries(4, NULL);
  options.on_retry = replace_self;
  options.on_retry_data = &replacer;
  options.on_retry_free_data = count_replacer_free;
  replacer.retry = make_retry(fx, &options);
  struct run *run =
      begin_under(fx, weir_retry_policy(replacer.retry), scripted(fx, "f1")->operation);
  advance_ms(fx, 250);
  assert_pending(run);
  assert_int_equal(replacer.freed, 0);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->attempts, 4);
  assert_int_equal(replacer.told, 3); /* of the set it began with */
  assert_int_equal(replacer.status, WEIR_OK);
  assert_int_equal(replacer.freed, 1);
  weir_retry_unref(replacer.retry);
}

static void the_decide_door_goes_by_the_new_set_at_once(struct fixture *fx) {
  weir_retry_options options = tries(2, NULL);
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  int64_t delay_ns = 0;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL),
                   WEIR_OK);
  options.max_attempts = 3;
  options.base_delay_ms = 7;
  set_retry(retry, &options);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL),
                   WEIR_OK);
  assert_int_equal(delay_ns, 7 * MS);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL),
                   WEIR_ESTOP);
  weir_retry_unref(retry);
}

static void a_run_in_flight_books_in_the_budget_it_began_with(struct fixture *fx) {
  weir_budget *old_budget = NULL;
  weir_budget *new_budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, NULL, &old_budget, NULL), WEIR_OK);
  assert_int_equal(weir_budget_new(fx->runtime, NULL, &new_budget, NULL), WEIR_OK);
  weir_retry_options options = tries(3, NULL);
  options.budget = old_budget;
  weir_retry *retry = make_retry(fx, &options);
  struct run *run = begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1")->operation);
  run_until_idle(fx);
  options.budget = new_budget;
  set_retry(retry, &options);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->attempts, 3);
  weir_budget_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_budget_get_stats(old_budget, &stats), WEIR_OK);
  assert_int_equal(stats.deposits, 1);
  assert_int_equal(stats.withdrawn, 2);
  assert_int_equal(weir_budget_get_stats(new_budget, &stats), WEIR_OK);
  assert_int_equal(stats.deposits, 0);
  assert_int_equal(stats.withdrawn, 0);
  weir_retry_unref(retry);
  weir_budget_unref(new_budget);
  weir_budget_unref(old_budget);
}

static void a_bad_retry_set_changes_nothing_and_is_freed(struct fixture *fx) {
  static unsigned freed;
  freed = 0;
  weir_retry_options good = tries(2, NULL);
  weir_retry *retry = make_retry(fx, &good);
  weir_retry_options bad[5];
  static const char *const names[] = {"retry.max_attempts", "retry.min_delay_ms",
                                      "retry.multiplier", "retry.failures",
                                      "retry.name cannot change (must be NULL)"};
  for (size_t i = 0; i < COUNT_OF(bad); i++) bad[i] = tries(9, &freed);
  bad[0].max_attempts = 0;
  bad[1].min_delay_ms = bad[1].max_delay_ms + 1;
  bad[2].multiplier = 0.5;
  bad[3].failures_count = 1;
  bad[4].name = "other";
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    weir_error *error = NULL;
    assert_int_equal(weir_retry_set_options(retry, &bad[i], &error), WEIR_EINVAL);
    assert_message(error, names[i]);
    assert_int_equal(freed, i + 1);
  }
  struct run *run = begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1")->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->attempts, 2);
  weir_retry_unref(retry);
}

/* ---- timeout --------------------------------------------------------------------------------- */

static weir_timeout *new_timeout(struct fixture *fx, int64_t timeout_ms) {
  weir_timeout *timeout = NULL;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = timeout_ms;
  options.name = "slow";
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  return timeout;
}

static void a_run_in_flight_keeps_its_timeout(struct fixture *fx) {
  weir_timeout *timeout = new_timeout(fx, 100);
  struct script *work = scripted(fx, "hang");
  struct run *before = begin_under(fx, weir_timeout_policy(timeout), work->operation);
  run_until_idle(fx);
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 500;
  assert_int_equal(weir_timeout_set_options(timeout, &options, NULL), WEIR_OK);
  struct run *after = begin_under(fx, weir_timeout_policy(timeout), work->operation);
  advance_ms(fx, 100);
  assert_int_equal(settled(before)->status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(before)->message, "slow timed out after 100 ms");
  assert_pending(after);
  advance_ms(fx, 400);
  assert_string_equal(settled(after)->message, "slow timed out after 500 ms");
  weir_timeout_unref(timeout);
}

static int64_t half_a_second(void *data, void *context, const void *key, size_t key_size) {
  (void)data, (void)context, (void)key, (void)key_size;
  return 500;
}

static void a_timeout_may_become_one_per_run_and_back(struct fixture *fx) {
  static unsigned freed;
  freed = 0;
  weir_timeout *timeout = new_timeout(fx, 100);
  struct script *work = scripted(fx, "hang");
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_for = half_a_second;
  options.timeout_data = &freed;
  options.timeout_free_data = count_free;
  assert_int_equal(weir_timeout_set_options(timeout, &options, NULL), WEIR_OK);
  struct run *asked_each = begin_under(fx, weir_timeout_policy(timeout), work->operation);
  run_until_idle(fx);
  options = (weir_timeout_options)WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 50;
  options.message = "too slow";
  assert_int_equal(weir_timeout_set_options(timeout, &options, NULL), WEIR_OK);
  struct run *fixed = begin_under(fx, weir_timeout_policy(timeout), work->operation);
  advance_ms(fx, 499);
  assert_string_equal(settled(fixed)->message, "too slow");
  assert_pending(asked_each);
  assert_int_equal(freed, 0);
  advance_ms(fx, 1);
  assert_string_equal(settled(asked_each)->message, "slow timed out after 500 ms");
  run_until_idle(fx);
  assert_int_equal(freed, 1);
  weir_timeout_unref(timeout);
}

static void a_bad_timeout_set_changes_nothing(struct fixture *fx) {
  weir_timeout *timeout = new_timeout(fx, 100);
  weir_timeout_options bad = WEIR_TIMEOUT_OPTIONS_INIT; /* timeout_ms is missing */
  weir_error *error = NULL;
  assert_int_equal(weir_timeout_set_options(timeout, &bad, &error), WEIR_EINVAL);
  assert_message(error, "timeout.timeout_ms is required");
  bad.timeout_ms = 5;
  bad.name = "other";
  error = NULL;
  assert_int_equal(weir_timeout_set_options(timeout, &bad, &error), WEIR_EINVAL);
  assert_message(error, "timeout.name cannot change");
  struct run *run = begin_under(fx, weir_timeout_policy(timeout), scripted(fx, "hang")->operation);
  advance_ms(fx, 99);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  weir_timeout_unref(timeout);
}

/* ---- budget ---------------------------------------------------------------------------------- */

static void a_budgets_bounds_change_and_what_it_counted_stays(struct fixture *fx) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  options.ratio = 0.1;
  options.min_per_second = 0;
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, &options, &budget, NULL), WEIR_OK);
  for (int i = 0; i < 20; i++) assert_int_equal(weir_budget_deposit(budget), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_ELIMITED);
  options.ratio = 0.2;
  assert_int_equal(weir_budget_set_options(budget, &options, NULL), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_ELIMITED);
  options.ratio = 0;
  options.min_per_second = 0.5; /* 5 in the window */
  assert_int_equal(weir_budget_set_options(budget, &options, NULL), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_OK);
  assert_int_equal(weir_budget_withdraw(budget), WEIR_ELIMITED);
  weir_error *error = NULL;
  weir_budget_options bad = options;
  bad.window_ms = 5000;
  bad.ratio = 100;
  assert_int_equal(weir_budget_set_options(budget, &bad, &error), WEIR_EINVAL);
  assert_message(error, "budget.window_ms cannot change (is 10000, got 5000)");
  assert_int_equal(weir_budget_withdraw(budget), WEIR_ELIMITED); /* nothing changed */
  weir_budget_unref(budget);
}

/* ---- breaker --------------------------------------------------------------------------------- */

static void F18_a_breaker_in_a_live_pipeline_keeps_its_counts(struct fixture *fx) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.failure_threshold = 5;
  weir_breaker *breaker = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  weir_retry_options once = tries(1, NULL);
  weir_retry *retry = make_retry(fx, &once);
  weir_policy *members[] = {weir_retry_policy(retry), weir_breaker_policy(breaker)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, members, 2, "live", &pipeline, NULL), WEIR_OK);
  struct script *work = scripted(fx, "f1 f1 f1 hang");
  for (int i = 0; i < 4; i++) {
    begin_under(fx, weir_pipeline_policy(pipeline), work->operation);
    run_until_idle(fx);
  }
  weir_breaker_stats stats = {.size = sizeof stats};
  /* given three failures counted and a call in flight, when the threshold becomes four */
  weir_breaker_options bad = options;
  bad.failure_threshold = 0;
  weir_error *error = NULL;
  assert_int_equal(weir_breaker_set_options(breaker, &bad, &error), WEIR_EINVAL);
  assert_message(error, "breaker.failure_threshold");
  options.failure_threshold = 4;
  assert_int_equal(weir_breaker_set_options(breaker, &options, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_get_stats(breaker, &stats), WEIR_OK);
  assert_int_equal(stats.failures, 3);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_CLOSED);
  /* then the call in flight is the fourth */
  assert_int_equal(finish(work, 3, "f1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_OPEN);
  struct run *refused = begin_under(fx, weir_pipeline_policy(pipeline), work->operation);
  run_until_idle(fx);
  assert_int_equal(settled(refused)->status, WEIR_EOPEN);
  weir_pipeline_unref(pipeline);
  weir_retry_unref(retry);
  weir_breaker_unref(breaker);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void fill_retry(struct fixture *fx, void *options) {
  (void)fx;
  weir_retry_options legal = tries(3, NULL);
  memcpy(options, &legal, sizeof legal);
}

static weir_status change_retry(struct fixture *fx, const void *options, weir_error **error) {
  weir_retry_options first = tries(3, NULL);
  weir_retry *retry = make_retry(fx, &first);
  weir_status status = weir_retry_set_options(retry, options, error);
  weir_retry_unref(retry);
  run_until_idle(fx);
  return status;
}

static void fill_timeout(struct fixture *fx, void *options) {
  (void)fx;
  weir_timeout_options legal = WEIR_TIMEOUT_OPTIONS_INIT;
  legal.timeout_ms = 5;
  memcpy(options, &legal, sizeof legal);
}

static weir_status change_timeout(struct fixture *fx, const void *options, weir_error **error) {
  weir_timeout *timeout = new_timeout(fx, 100);
  weir_status status = weir_timeout_set_options(timeout, options, error);
  weir_timeout_unref(timeout);
  run_until_idle(fx);
  return status;
}

static void fill_budget(struct fixture *fx, void *options) {
  (void)fx;
  weir_budget_options legal = WEIR_BUDGET_OPTIONS_INIT;
  memcpy(options, &legal, sizeof legal);
}

static weir_status change_budget(struct fixture *fx, const void *options, weir_error **error) {
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, NULL, &budget, NULL), WEIR_OK);
  weir_status status = weir_budget_set_options(budget, options, error);
  weir_budget_unref(budget);
  return status;
}

static const struct option_row retry_rows[] = {
    OPTION(weir_retry_options, backoff, OPTION_U32, 5, 0),
    OPTION(weir_retry_options, max_attempts, OPTION_I64, 0, 0),
    OPTION(weir_retry_options, max_attempts, OPTION_I64, WEIR_UNLIMITED, 1),
    OPTION(weir_retry_options, jitter_factor, OPTION_DOUBLE, 1.5, 0),
    OPTION(weir_retry_options, jitter, OPTION_U32, 5, 0),
    OPTION(weir_retry_options, retry_refusals, OPTION_U32, 2, 0),
    OPTION(weir_retry_options, max_elapsed_ms, OPTION_I64, -2, 0),
    OPTION(weir_retry_options, attempt_timeout_ms, OPTION_I64, -2, 0),
};

static const struct option_row timeout_rows[] = {
    OPTION(weir_timeout_options, timeout_ms, OPTION_I64, -3, 0),
    OPTION(weir_timeout_options, timeout_ms, OPTION_I64, 0, 1),
    OPTION(weir_timeout_options, timeout_ms, OPTION_I64, WEIR_FOREVER, 1),
    OPTION(weir_timeout_options, reserved, OPTION_U32, 1, 0),
};

static const struct option_row budget_rows[] = {
    OPTION(weir_budget_options, ratio, OPTION_DOUBLE, -0.1, 0),
    OPTION(weir_budget_options, ratio, OPTION_DOUBLE, 1000, 1),
    OPTION(weir_budget_options, min_per_second, OPTION_DOUBLE, 2e6, 0),
    OPTION(weir_budget_options, window_ms, OPTION_I64, 9, 0),
    OPTION(weir_budget_options, window_ms, OPTION_I64, 10001, 0),
    OPTION(weir_budget_options, reserved, OPTION_U32, 1, 0),
};

static const struct option_table tables[] = {
    {"retry", sizeof(weir_retry_options), fill_retry, change_retry,
     "retry.options must not be NULL", 0, retry_rows, COUNT_OF(retry_rows)},
    {"timeout", sizeof(weir_timeout_options), fill_timeout, change_timeout,
     "timeout.options must not be NULL", 16, timeout_rows, COUNT_OF(timeout_rows)},
    {"budget", sizeof(weir_budget_options), fill_budget, change_budget,
     "budget.options must not be NULL", 0, budget_rows, COUNT_OF(budget_rows)},
};

static void C08_each_wrong_option_of_a_change_is_named(struct fixture *fx) {
  for (size_t i = 0; i < COUNT_OF(tables); i++) {
    check_option_values(fx, &tables[i]);
    check_option_sizes(fx, &tables[i]);
  }
}

static void C08_changing_nothing_that_is_there_is_named(struct fixture *fx) {
  static unsigned freed;
  freed = 0;
  (void)fx;
  weir_error *error = NULL;
  weir_retry_options retry = tries(3, &freed);
  assert_int_equal(weir_retry_set_options(NULL, &retry, &error), WEIR_EINVAL);
  assert_message(error, "retry.retry must not be NULL");
  assert_int_equal(freed, 1);
  error = NULL;
  weir_timeout_options timeout = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout.timeout_for = half_a_second;
  timeout.timeout_data = &freed;
  timeout.timeout_free_data = count_free;
  assert_int_equal(weir_timeout_set_options(NULL, &timeout, &error), WEIR_EINVAL);
  assert_message(error, "timeout.timeout must not be NULL");
  assert_int_equal(freed, 2);
  error = NULL;
  weir_budget_options budget = WEIR_BUDGET_OPTIONS_INIT;
  assert_int_equal(weir_budget_set_options(NULL, &budget, &error), WEIR_EINVAL);
  assert_message(error, "budget.budget must not be NULL");
  error = NULL;
  assert_int_equal(weir_breaker_set_options(NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "breaker.options must not be NULL");
  error = NULL;
  assert_int_equal(weir_limiter_set_options(NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "limiter.options must not be NULL");
}

TEST_MAIN("live options", TEST(a_run_in_flight_keeps_the_retry_it_began_with),
          TEST(a_replaced_set_is_freed_once_when_its_last_run_is_over),
          TEST(a_set_replaced_and_its_policy_given_back_before_a_turn_are_freed_once),
          TEST(a_listener_may_replace_the_set_it_belongs_to),
          TEST(the_decide_door_goes_by_the_new_set_at_once),
          TEST(a_run_in_flight_books_in_the_budget_it_began_with),
          TEST(a_bad_retry_set_changes_nothing_and_is_freed),
          TEST(a_run_in_flight_keeps_its_timeout), TEST(a_timeout_may_become_one_per_run_and_back),
          TEST(a_bad_timeout_set_changes_nothing),
          TEST(a_budgets_bounds_change_and_what_it_counted_stays),
          TEST(F18_a_breaker_in_a_live_pipeline_keeps_its_counts),
          TEST(C08_each_wrong_option_of_a_change_is_named),
          TEST(C08_changing_nothing_that_is_there_is_named))
