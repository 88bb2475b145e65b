/* SPDX-License-Identifier: MIT */
/* Retry's decide door, for hosts that try and sleep themselves; and bad input. */

#include <math.h>

#include "support_retry.h"

struct decision {
  weir_status status;
  int64_t delay_ns;
  uint32_t reason;
};

static struct decision next_at(weir_retry *retry, weir_retry_state *state, uint32_t class_,
                               int64_t asked_ms, int64_t at_ns) {
  struct decision made = {.delay_ns = -1, .reason = 99};
  made.status =
      weir_retry_next_at(retry, state, class_, asked_ms, &made.delay_ns, &made.reason, at_ns);
  return made;
}

static struct decision next_of(struct fixture *fx, weir_retry *retry, weir_retry_state *state,
                               uint32_t class_) {
  return next_at(retry, state, class_, WEIR_OFF, now_ns(fx));
}

static void expect_again(struct decision made, int64_t delay_ns) {
  assert_int_equal(made.status, WEIR_OK);
  assert_int_equal(made.delay_ns, delay_ns);
  assert_int_equal(made.reason, WEIR_STOP_NONE);
}

static void expect_stop(struct decision made, uint32_t reason) {
  assert_int_equal(made.status, WEIR_ESTOP);
  assert_int_equal(made.delay_ns, 0);
  assert_int_equal(made.reason, reason);
}

static void failures_get_delays_until_the_attempts_are_used_up(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.backoff = WEIR_BACKOFF_EXPONENTIAL;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_again(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), 100 * MS);
  expect_again(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), 200 * MS);
  expect_stop(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), WEIR_STOP_ATTEMPTS);
  weir_retry_unref(retry);
}

static void a_stopped_state_says_the_same_again(struct fixture *fx) {
  weir_retry_options options = plain(1, 100);
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  for (int i = 0; i < 3; i++) {
    expect_stop(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), WEIR_STOP_ATTEMPTS);
  }
  expect_stop(next_of(fx, retry, &state, WEIR_CLASS_SUCCESS), WEIR_STOP_ATTEMPTS);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_stop(next_of(fx, retry, &state, WEIR_CLASS_SUCCESS), WEIR_STOP_NONE);
  expect_stop(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), WEIR_STOP_NONE);
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_OK);
  assert_int_equal(stats.calls, 2);
  assert_int_equal(stats.gave_up, 1);
  assert_int_equal(stats.succeeded_first, 1);
  weir_retry_unref(retry);
}

static void classes_other_than_failure_stop(struct fixture *fx) {
  const uint32_t classes[] = {WEIR_CLASS_SUCCESS, WEIR_CLASS_REFUSAL, WEIR_CLASS_IGNORE,
                              WEIR_CLASS_ABANDON};
  const uint32_t reasons[] = {WEIR_STOP_NONE, WEIR_STOP_REFUSED, WEIR_STOP_CLASSIFIED,
                              WEIR_STOP_CLASSIFIED};
  weir_retry_options options = plain(3, 100);
  weir_retry *retry = make_retry(fx, &options);
  for (size_t i = 0; i < COUNT_OF(classes); i++) {
    weir_retry_state state;
    assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
    expect_stop(next_at(retry, &state, classes[i], 50, now_ns(fx)), reasons[i]);
  }
  weir_retry_unref(retry);
}

static void retry_refusals_waits_for_what_was_asked(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.retry_refusals = 1;
  options.max_delay_ms = 500;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_again(next_at(retry, &state, WEIR_CLASS_REFUSAL, 50, now_ns(fx)), 50 * MS);
  expect_again(next_at(retry, &state, WEIR_CLASS_REFUSAL, 700, now_ns(fx)), 500 * MS);
  expect_stop(next_at(retry, &state, WEIR_CLASS_REFUSAL, 50, now_ns(fx)), WEIR_STOP_ATTEMPTS);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_stop(next_of(fx, retry, &state, WEIR_CLASS_REFUSAL), WEIR_STOP_REFUSED);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_again(next_at(retry, &state, WEIR_CLASS_REFUSAL, 0, now_ns(fx)), 0);
  weir_retry_unref(retry);
}

static void a_refusal_after_failures_counts_as_given_up(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_stop(next_of(fx, retry, &state, WEIR_CLASS_REFUSAL), WEIR_STOP_REFUSED);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_again(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), 100 * MS);
  expect_stop(next_of(fx, retry, &state, WEIR_CLASS_REFUSAL), WEIR_STOP_REFUSED);
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_OK);
  assert_int_equal(stats.gave_up, 1);
  weir_retry_unref(retry);
}

static void R08_max_elapsed_stops_a_delay_that_would_pass_it(struct fixture *fx) {
  weir_retry_options options = plain(WEIR_UNLIMITED, 100);
  options.max_elapsed_ms = 250;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  int64_t begun_ns = now_ns(fx);
  expect_again(next_at(retry, &state, WEIR_CLASS_FAILURE, WEIR_OFF, begun_ns), 100 * MS);
  expect_again(next_at(retry, &state, WEIR_CLASS_FAILURE, WEIR_OFF, begun_ns + 150 * MS), 100 * MS);
  expect_stop(next_at(retry, &state, WEIR_CLASS_FAILURE, WEIR_OFF, begun_ns + 150 * MS + 1),
              WEIR_STOP_ELAPSED);
  weir_retry_unref(retry);
}

static void the_forms_without_a_time_read_the_runtimes_clock(struct fixture *fx) {
  weir_retry_options options = plain(WEIR_UNLIMITED, 100);
  options.max_elapsed_ms = 250;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  int64_t delay_ns = 0;
  uint32_t reason = 0;
  advance_ms(fx, 5000);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  advance_ms(fx, 150);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, WEIR_OFF, &delay_ns, NULL),
                   WEIR_OK);
  advance_ms(fx, 1);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, WEIR_OFF, &delay_ns, &reason),
                   WEIR_ESTOP);
  assert_int_equal(reason, WEIR_STOP_ELAPSED);
  weir_retry_unref(retry);
}

static void begin_deposits_and_next_withdraws(struct fixture *fx) {
  weir_budget_options budget_options = WEIR_BUDGET_OPTIONS_INIT;
  budget_options.ratio = 0.5;
  budget_options.min_per_second = 0;
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, &budget_options, &budget, NULL), WEIR_OK);
  weir_retry_options options = plain(5, 100);
  options.budget = budget;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_again(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), 100 * MS);
  expect_stop(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), WEIR_STOP_BUDGET);
  assert_int_equal(weir_budget_refund(budget), WEIR_OK);
  weir_budget_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_budget_get_stats(budget, &stats), WEIR_OK);
  assert_int_equal(stats.deposits, 2);
  assert_int_equal(stats.withdrawn, 0);
  weir_retry_stats counts = {.size = sizeof counts};
  assert_int_equal(weir_retry_get_stats(retry, &counts), WEIR_OK);
  assert_int_equal(counts.calls, 2);
  assert_int_equal(counts.retries, 1);
  assert_int_equal(counts.refused_by_budget, 1);
  assert_int_equal(counts.gave_up, 1);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

static void both_doors_share_budget_and_stats(struct fixture *fx) {
  weir_budget_options budget_options = WEIR_BUDGET_OPTIONS_INIT;
  budget_options.ratio = 0;
  budget_options.min_per_second = 0.1;
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(fx->runtime, &budget_options, &budget, NULL), WEIR_OK);
  weir_retry_options options = plain(5, 100);
  options.budget = budget;
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  expect_again(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), 100 * MS);
  struct run *run = begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1")->operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_BUDGET);
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_OK);
  assert_int_equal(stats.calls, 2);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
}

enum { THREADS = 4, CALLS = 5000 };

/* Two tries each. */
static void *decide_many(void *data) {
  intptr_t wrong = 0;
  for (int i = 0; i < CALLS; i++) {
    weir_retry_state state;
    int64_t delay_ns = 0;
    wrong += weir_retry_begin(data, &state) != WEIR_OK;
    wrong += weir_retry_next(data, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL) != WEIR_OK;
    wrong += weir_retry_next(data, &state, WEIR_CLASS_SUCCESS, -1, &delay_ns, NULL) != WEIR_ESTOP;
  }
  return (void *)wrong;
}

static void threads_that_decide_at_once_are_counted_exactly(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.jitter = WEIR_JITTER_FULL;
  weir_retry *retry = make_retry(fx, &options);
  pthread_t threads[THREADS];
  intptr_t wrong = 0;
  int started = 0;
  while (started < THREADS && pthread_create(&threads[started], NULL, decide_many, retry) == 0) {
    started++;
  }
  for (int i = 0; i < started; i++) {
    void *result = NULL;
    pthread_join(threads[i], &result);
    wrong += (intptr_t)result;
  }
  assert_int_equal(started, THREADS);
  assert_int_equal(wrong, 0);
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_OK);
  assert_int_equal(stats.calls, THREADS * CALLS);
  assert_int_equal(stats.retries, THREADS * CALLS);
  assert_int_equal(stats.succeeded_later, THREADS * CALLS);
  weir_retry_unref(retry);
}

/* ---- bad input ---- */

static void C08_next_rejects_what_it_cannot_judge(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  weir_retry *retry = make_retry(fx, &options);
  weir_retry_state state = {{0, 0, 0, 0}};
  int64_t delay_ns = 0;
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL),
                   WEIR_EINVAL); /* never begun */
  memset(&state, 0xa5, sizeof state);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL),
                   WEIR_EINVAL);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  const uint32_t classes[] = {WEIR_CLASS_NONE, WEIR_CLASS_ABANDON + 1, UINT32_MAX};
  for (size_t i = 0; i < COUNT_OF(classes); i++) {
    assert_int_equal(weir_retry_next(retry, &state, classes[i], -1, &delay_ns, NULL), WEIR_EINVAL);
  }
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, -1, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_retry_next(retry, NULL, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL),
                   WEIR_EINVAL);
  assert_int_equal(weir_retry_next(NULL, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL),
                   WEIR_EINVAL);
  expect_again(next_of(fx, retry, &state, WEIR_CLASS_FAILURE), 100 * MS); /* nothing was lost */
  weir_retry_unref(retry);
}

static void C08_absurd_times_are_survived(struct fixture *fx) {
  const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
  weir_retry_options options = plain(WEIR_UNLIMITED, 100);
  options.max_elapsed_ms = INT64_MAX;
  weir_retry *retry = make_retry(fx, &options);
  for (size_t i = 0; i < COUNT_OF(times) * COUNT_OF(times); i++) {
    weir_retry_state state;
    assert_int_equal(weir_retry_begin_at(retry, &state, times[i % COUNT_OF(times)]), WEIR_OK);
    struct decision made =
        next_at(retry, &state, WEIR_CLASS_FAILURE, INT64_MIN, times[i / COUNT_OF(times)]);
    assert_true(made.status == WEIR_OK || made.status == WEIR_ESTOP);
  }
  weir_retry_unref(retry);
}

static void C08_null_arguments_are_errors(struct fixture *fx) {
  weir_retry *retry = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_retry_new(NULL, NULL, &retry, &error), WEIR_EINVAL);
  assert_message(error, "retry.runtime");
  assert_int_equal(weir_retry_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "retry.out");
  assert_int_equal(weir_retry_new(fx->runtime, NULL, NULL, NULL), WEIR_EINVAL);
  weir_retry_state state;
  assert_int_equal(weir_retry_begin(NULL, &state), WEIR_EINVAL);
  assert_int_equal(weir_retry_begin_at(NULL, &state, 0), WEIR_EINVAL);
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_null(weir_retry_ref(NULL));
  assert_null(weir_retry_policy(NULL));
  weir_retry_unref(NULL);
  weir_retry_options_init(NULL, sizeof(weir_retry_options));
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_retry_begin(retry, NULL), WEIR_EINVAL);
  assert_int_equal(weir_retry_get_stats(retry, NULL), WEIR_EINVAL);
  stats.size = 0;
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_EABI);
  assert_int_equal(weir_policy_kind(weir_retry_policy(retry)), WEIR_POLICY_RETRY);
  weir_retry_unref(retry);
}

static void expect_invalid(struct fixture *fx, const weir_retry_options *options,
                           const char *message) {
  weir_retry *retry = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, options, &retry, &error), WEIR_EINVAL);
  assert_null(retry);
  assert_message(error, message);
}

static void C08_counts_and_delays_out_of_range_are_named(struct fixture *fx) {
  const int64_t wrong[] = {-2, INT64_MIN};
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
    options.max_attempts = wrong[i];
    expect_invalid(fx, &options, "retry.max_attempts");
    options.max_attempts = 3;
    options.max_elapsed_ms = wrong[i];
    expect_invalid(fx, &options, "retry.max_elapsed_ms");
    options.max_elapsed_ms = 0;
    options.attempt_timeout_ms = wrong[i];
    expect_invalid(fx, &options, "retry.attempt_timeout_ms");
    options.attempt_timeout_ms = 0;
    options.base_delay_ms = wrong[i];
    expect_invalid(fx, &options, "retry.base_delay_ms");
    options.base_delay_ms = -1;
    expect_invalid(fx, &options, "retry.base_delay_ms");
    options.base_delay_ms = 0;
    options.max_delay_ms = -1;
    expect_invalid(fx, &options, "retry.max_delay_ms");
    options.max_delay_ms = 0;
    options.min_delay_ms = -1;
    expect_invalid(fx, &options, "retry.min_delay_ms");
  }
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.max_attempts = 0;
  expect_invalid(fx, &options, "retry.max_attempts must be at least 1");
  options.max_attempts = 3;
  options.min_delay_ms = 30001;
  expect_invalid(fx, &options, "min_delay_ms must not exceed max_delay_ms (got 30001 and 30000)");
}

static void C08_numbers_that_choose_are_checked(struct fixture *fx) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.backoff = WEIR_BACKOFF_DECORRELATED_V2 + 1;
  expect_invalid(fx, &options, "retry.backoff");
  options.backoff = 0;
  options.jitter = UINT32_MAX;
  expect_invalid(fx, &options, "retry.jitter");
  options.jitter = 0;
  options.retry_refusals = 2;
  expect_invalid(fx, &options, "retry.retry_refusals");
  options.retry_refusals = 1;
  const double multipliers[] = {0.999, 1000.1, -1, NAN, INFINITY};
  for (size_t i = 0; i < COUNT_OF(multipliers); i++) {
    options.multiplier = multipliers[i];
    expect_invalid(fx, &options, "retry.multiplier");
  }
  options.multiplier = 1;
  const double factors[] = {-0.001, 1.001, NAN};
  for (size_t i = 0; i < COUNT_OF(factors); i++) {
    options.jitter_factor = factors[i];
    expect_invalid(fx, &options, "retry.jitter_factor");
  }
}

static void C08_failure_ranges_are_checked(struct fixture *fx) {
  weir_error_range range = {WEIR_DOMAIN_HTTP, 0, 500, 499};
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.failures_count = 1;
  expect_invalid(fx, &options, "retry.failures");
  options.failures = &range;
  expect_invalid(fx, &options, "retry.failures");
  options.failures_count = UINT64_MAX;
  expect_invalid(fx, &options, "retry.failures_count");
}

static weir_status retry_with(struct fixture *fx, const weir_error_range *ranges, uint64_t count,
                              weir_error **error) {
  weir_retry *out = NULL;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.failures = ranges;
  options.failures_count = count;
  weir_status status = weir_retry_new(fx->runtime, &options, &out, error);
  weir_retry_unref(out);
  return status;
}

static weir_status breaker_with(struct fixture *fx, const weir_error_range *ranges, uint64_t count,
                                weir_error **error) {
  weir_breaker *out = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.failures = ranges;
  options.failures_count = count;
  weir_status status = weir_breaker_new(fx->runtime, &options, &out, error);
  weir_breaker_unref(out);
  return status;
}

static weir_status limiter_with(struct fixture *fx, const weir_error_range *ranges, uint64_t count,
                                weir_error **error) {
  weir_limiter *out = NULL;
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.failures = ranges;
  options.failures_count = count;
  weir_status status = weir_limiter_new(fx->runtime, &options, &out, error);
  weir_limiter_unref(out);
  return status;
}

static void C08_failure_ranges_have_one_rule_for_all_policies(struct fixture *fx) {
  static weir_status (*const policies[])(struct fixture *, const weir_error_range *, uint64_t,
                                         weir_error **) = {retry_with, breaker_with, limiter_with};
  const weir_error_range good = {WEIR_DOMAIN_HTTP, 0, 500, 500};
  const weir_error_range empty = {WEIR_DOMAIN_HTTP, 0, 500, 499};
  const weir_error_range later = {WEIR_DOMAIN_HTTP, 1, 500, 599};
  for (size_t i = 0; i < COUNT_OF(policies); i++) {
    weir_error *error = NULL;
    assert_int_equal(policies[i](fx, &good, 1, NULL), WEIR_OK);
    assert_int_equal(policies[i](fx, &empty, 1, &error), WEIR_EINVAL);
    assert_message(error, "failures[0] must have code_min up to code_max (got 500 and 499)");
    assert_int_equal(policies[i](fx, &later, 1, &error), WEIR_EINVAL);
    assert_message(error, "failures[0].reserved must be 0 (got 1)");
    const weir_error_range several[] = {good, good, empty};
    assert_int_equal(policies[i](fx, several, 2, NULL), WEIR_OK);
    assert_int_equal(policies[i](fx, several, 3, &error), WEIR_EINVAL);
    assert_message(error, "failures[2] must have code_min up to code_max (got 500 and 499)");
    weir_error_range *most = calloc(65536, sizeof *most); /* all of them legal */
    assert_non_null(most);
    weir_status status = policies[i](fx, most, 65536, NULL);
    free(most);
    assert_int_equal(status, WEIR_OK);
    assert_int_equal(policies[i](fx, &good, 65537, &error), WEIR_EINVAL);
    assert_message(error, "failures_count must be at most 65536 (got 65537)");
    assert_int_equal(policies[i](fx, NULL, 1, &error), WEIR_EINVAL);
    assert_message(error, "failures must not be NULL with a failures_count (got 1)");
  }
}

static void C08_a_budget_of_another_runtime_is_refused(struct fixture *fx) {
  weir_runtime *other = NULL;
  assert_int_equal(weir_testing_runtime_new(1, &other), WEIR_OK);
  weir_budget *budget = NULL;
  assert_int_equal(weir_budget_new(other, NULL, &budget, NULL), WEIR_OK);
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.budget = budget;
  expect_invalid(fx, &options, "retry.budget");
  weir_budget_unref(budget);
  weir_runtime_unref(other);
}

static void C08_sizes_of_the_options_are_checked(struct fixture *fx) {
  struct {
    weir_retry_options known;
    uint64_t unknown;
  } longer = {WEIR_RETRY_OPTIONS_INIT, 0};
  weir_retry *retry = NULL;
  weir_error *error = NULL;
  longer.known.size = 0;
  assert_int_equal(weir_retry_new(fx->runtime, &longer.known, &retry, &error), WEIR_EABI);
  assert_message(error, "retry.options");
  longer.known.size = sizeof longer;
  assert_int_equal(weir_retry_new(fx->runtime, &longer.known, &retry, NULL), WEIR_OK);
  weir_retry_unref(retry);
  longer.unknown = 1;
  assert_int_equal(weir_retry_new(fx->runtime, &longer.known, &retry, &error), WEIR_EABI);
  assert_message(error, "retry.options");
}

static void C08_a_shorter_struct_gets_defaults_for_the_rest(struct fixture *fx) {
  weir_retry_options options;
  memset(&options, 0x5a, sizeof options);
  weir_retry_options_init(&options, sizeof options);
  options.max_attempts = 2;
  memset((char *)&options + offsetof(weir_retry_options, base_delay_ms), 0x5a,
         sizeof options - offsetof(weir_retry_options, base_delay_ms));
  options.size = offsetof(weir_retry_options, base_delay_ms);
  struct run *run = begin_retried(fx, &options, scripted(fx, "f1"));
  advance_ms(fx, 2000);
  assert_int_equal(settled(run)->attempts, 2);
  assert_in_range(settled(run)->elapsed_ns, 1000 * MS, 1300 * MS);
}

static void the_macro_and_the_init_function_say_the_same(struct fixture *fx) {
  (void)fx;
  weir_retry_options by_macro = WEIR_RETRY_OPTIONS_INIT;
  weir_retry_options by_function;
  weir_retry_options_init(&by_function, sizeof by_function);
  assert_memory_equal(&by_macro, &by_function, sizeof by_macro);
}

static void C08_the_ends_of_each_range_work(struct fixture *fx) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.max_attempts = INT64_MAX;
  options.base_delay_ms = INT64_MAX;
  options.max_delay_ms = INT64_MAX;
  options.min_delay_ms = INT64_MAX;
  options.multiplier = 1000;
  options.jitter_factor = 1;
  options.max_elapsed_ms = INT64_MAX;
  options.attempt_timeout_ms = INT64_MAX;
  struct run *run = begin_retried(fx, &options, scripted(fx, "v1"));
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  options = (weir_retry_options)WEIR_RETRY_OPTIONS_INIT;
  options.base_delay_ms = 0;
  options.max_delay_ms = 0;
  options.max_elapsed_ms = 0;
  run = begin_retried(fx, &options, scripted(fx, "f1 v2"));
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 2);
}

static void C10_callbacks_data_is_freed_once_on_each_path(struct fixture *fx) {
  unsigned freed = 0;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.classify = small_is_pending;
  options.classify_data = options.should_retry_data = options.on_retry_data = &freed;
  options.classify_free_data = count_free;
  options.should_retry_free_data = count_free; /* also without its function */
  options.on_retry_free_data = count_free;
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  assert_int_equal(freed, 0);
  weir_retry_unref(retry);
  assert_int_equal(freed, 3);
  assert_int_equal(weir_retry_new(NULL, &options, &retry, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 6);
  assert_int_equal(weir_retry_new(fx->runtime, &options, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 9);
  options.multiplier = 0;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 12);
  options.size = 0; /* nothing was taken */
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_EABI);
  assert_int_equal(freed, 12);
}

TEST_MAIN("retry decide", TEST(failures_get_delays_until_the_attempts_are_used_up),
          TEST(a_stopped_state_says_the_same_again), TEST(classes_other_than_failure_stop),
          TEST(retry_refusals_waits_for_what_was_asked),
          TEST(a_refusal_after_failures_counts_as_given_up),
          TEST(R08_max_elapsed_stops_a_delay_that_would_pass_it),
          TEST(the_forms_without_a_time_read_the_runtimes_clock),
          TEST(begin_deposits_and_next_withdraws), TEST(both_doors_share_budget_and_stats),
          LONG_TEST(threads_that_decide_at_once_are_counted_exactly),
          TEST(C08_next_rejects_what_it_cannot_judge), TEST(C08_absurd_times_are_survived),
          TEST(C08_null_arguments_are_errors), TEST(C08_counts_and_delays_out_of_range_are_named),
          TEST(C08_numbers_that_choose_are_checked), TEST(C08_failure_ranges_are_checked),
          TEST(C08_failure_ranges_have_one_rule_for_all_policies),
          TEST(C08_a_budget_of_another_runtime_is_refused),
          TEST(C08_sizes_of_the_options_are_checked),
          TEST(C08_a_shorter_struct_gets_defaults_for_the_rest),
          TEST(the_macro_and_the_init_function_say_the_same), TEST(C08_the_ends_of_each_range_work),
          TEST(C10_callbacks_data_is_freed_once_on_each_path))
