/* SPDX-License-Identifier: MIT */
/* Outcomes: what they say, for how long they can be read, and their line for logs. */

#include "support.h"

static void outcome_is_null_until_settled_and_then_lent(struct fixture *fx) {
  struct script *script = scripted(fx, "v42+10");
  struct run *run = begin(fx, script->operation, NULL);
  assert_null(weir_call_outcome(run->call));
  run_until_idle(fx);
  assert_null(weir_call_outcome(run->call));
  advance_ms(fx, 10);

  const weir_outcome *outcome = weir_call_outcome(run->call);
  assert_non_null(outcome);
  assert_int_equal(outcome->size, sizeof *outcome);
  assert_int_equal(outcome->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(outcome->status, WEIR_OK);
  assert_int_equal(value_number(outcome->value), 42);
  assert_int_equal(outcome->attempts, 1);
  assert_int_equal(outcome->statuses[0], WEIR_OK);
  assert_true(outcome->elapsed_ns == 10 * MS);
  assert_int_equal(outcome->retry_after_ms, -1);
  assert_null(outcome->held);
}

static void outcome_value_can_be_kept_beyond_its_call(struct fixture *fx) {
  struct script *script = scripted(fx, "v42");
  weir_call *call = NULL;
  assert_int_equal(weir_run(script->operation, NULL, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  run_until_idle(fx);
  weir_value *value = weir_value_ref(weir_call_outcome(call)->value);
  weir_call_unref(call);
  run_until_idle(fx);
  assert_int_equal(value_number(value), 42);
  weir_value_unref(value);
}

static void outcome_error_can_be_kept_beyond_its_call(struct fixture *fx) {
  struct script *script = scripted(fx, "f503");
  weir_call *call = NULL;
  assert_int_equal(weir_run(script->operation, NULL, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  run_until_idle(fx);
  weir_error *error = weir_error_ref(weir_call_outcome(call)->error);
  weir_call_unref(call);
  run_until_idle(fx);
  assert_int_equal(weir_error_code(error), 503);
  weir_error_unref(error);
}

static void describe_names_what_happened(struct fixture *fx) {
  char line[256];
  struct run *good = begin(fx, scripted(fx, "v1")->operation, NULL);
  struct run *bad = begin(fx, scripted(fx, "f503")->operation, NULL);
  struct run *stopped = begin(fx, scripted(fx, "hang")->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(stopped->call), WEIR_OK);
  run_until_idle(fx);

  weir_outcome_describe(weir_call_outcome(good->call), line, sizeof line);
  assert_true(strlen(line) > 5);
  weir_outcome_describe(weir_call_outcome(bad->call), line, sizeof line);
  assert_non_null(strstr(line, "503"));
  assert_non_null(strstr(line, "http"));
  assert_non_null(strstr(line, "scripted"));
  weir_outcome_describe(weir_call_outcome(stopped->call), line, sizeof line);
  assert_non_null(strstr(line, "cancel"));
}

/* What describe says of a failure of `domain` and `code`. */
static void describe_failure(struct fixture *fx, uint32_t domain, int64_t code, char *line,
                             size_t size) {
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  script->attempts[0].completed = 1;
  assert_int_equal(weir_fail(fx->runtime, script->attempts[0].token, domain, code, NULL), WEIR_OK);
  run_until_idle(fx);
  settled(run);
  weir_outcome_describe(weir_call_outcome(run->call), line, size);
}

static void describe_names_the_domains_it_knows_and_numbers_the_others(struct fixture *fx) {
  static const struct {
    uint32_t domain;
    const char *says;
  } domains[] = {{WEIR_DOMAIN_ERRNO, "errno 7"}, {WEIR_DOMAIN_UV, "uv 7"},
                 {WEIR_DOMAIN_HTTP, "http 7"},   {WEIR_DOMAIN_GRPC, "grpc 7"},
                 {WEIR_DOMAIN_CURL, "curl 7"},   {WEIR_DOMAIN_CURL + 1, "6"},
                 {WEIR_DOMAIN_USER, "1000"},     {UINT32_MAX, "4294967295"}};
  for (size_t i = 0; i < COUNT_OF(domains); i++) {
    char line[256];
    describe_failure(fx, domains[i].domain, 7, line, sizeof line);
    assert_non_null(strstr(line, domains[i].says));
  }
}

static void describe_says_why_a_retry_stopped(struct fixture *fx) {
  char line[256];
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *retry = NULL;
  options.max_attempts = 2;
  options.base_delay_ms = 0;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_retry_policy(retry), scripted(fx, "f503")->operation);
  run_until_idle(fx);
  settled(run);
  weir_outcome_describe(weir_call_outcome(run->call), line, sizeof line);
  assert_non_null(strstr(line, "2 attempts"));
  assert_non_null(strstr(line, "(stopped: attempts)"));
  weir_retry_unref(retry);
}

static void describe_cuts_off_and_terminates_at_every_size(struct fixture *fx) {
  char whole[256];
  char part[256];
  struct run *run = begin(fx, scripted(fx, "f503")->operation, NULL);
  run_until_idle(fx);
  const weir_outcome *outcome = weir_call_outcome(run->call);
  assert_non_null(outcome);
  size_t length = weir_outcome_describe(outcome, whole, sizeof whole);
  assert_int_equal(length, strlen(whole));
  assert_int_equal(weir_outcome_describe(outcome, NULL, 0), length);
  for (size_t size = 1; size <= length + 2; size++) {
    memset(part, '#', sizeof part);
    assert_int_equal(weir_outcome_describe(outcome, part, size), length);
    size_t kept = size - 1 < length ? size - 1 : length;
    assert_int_equal(strlen(part), kept);
    assert_memory_equal(part, whole, kept);
    assert_int_equal(part[size], '#');
  }
}

static void describe_of_a_strange_outcome_does_not_crash(struct fixture *fx) {
  (void)fx;
  char line[256] = "#";
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_outcome_describe(&outcome, line, sizeof line);
  outcome.channel = 99;
  outcome.status = 12345;
  outcome.attempts = UINT32_MAX;
  outcome.elapsed_ns = INT64_MIN;
  outcome.stop_reason = 77;
  outcome.cancel_reason = 78;
  size_t length = weir_outcome_describe(&outcome, line, sizeof line);
  assert_true(length > 0);
  weir_outcome_describe(NULL, line, sizeof line);
}

static void describe_says_the_status_of_what_weir_refused(struct fixture *fx) {
  (void)fx;
  char line[256];
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  outcome.channel = WEIR_CHANNEL_ERROR;
  outcome.status = WEIR_EOPEN;
  weir_outcome_describe(&outcome, line, sizeof line);
  assert_memory_equal(line, "failed: circuit breaker is open (WEIR_EOPEN)", 44);
}

static void assert_line(const weir_outcome *outcome, const char *wanted) {
  char line[256];
  size_t length = weir_outcome_describe(outcome, line, sizeof line);
  assert_string_equal(line, wanted);
  assert_int_equal(length, strlen(wanted));
}

static void describe_says_all_that_is_known(struct fixture *fx) {
  static const char *const stopped[] = {
      "",
      " (stopped: attempts)",
      " (stopped: elapsed)",
      " (stopped: budget)",
      " (stopped: no time left)",
      " (stopped: refused)",
      " (stopped: final)",
      " (stopped: classified)",
      " (stopped: no memory)",
      " (stopped: unknown)",
  };
  static const char *const cancelled[] = {
      "",          "by the caller", "by its deadline", "by a timeout",
      "lost race", "superseded",    "by shutdown",     "unknown"};
  char wanted[256];
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  assert_line(NULL, "no outcome");
  assert_line(&outcome, "not settled");
  outcome.retry_after_ms = -1;
  outcome.channel = WEIR_CHANNEL_VALUE;
  outcome.attempts = 1;
  outcome.elapsed_ns = 412 * MS;
  assert_line(&outcome, "succeeded after 1 attempt in 412.000 ms");
  outcome.channel = WEIR_CHANNEL_ERROR;
  outcome.status = WEIR_EFAILED;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_HTTP, 503, "overloaded", &outcome.error),
                   WEIR_OK);
  outcome.attempts = 3;
  for (uint32_t reason = 0; reason < COUNT_OF(stopped); reason++) {
    outcome.stop_reason = reason;
    snprintf(wanted, sizeof wanted,
             "failed: http 503 'overloaded' after 3 attempts in 412.000 ms%s", stopped[reason]);
    assert_line(&outcome, wanted);
  }
  weir_error_unref(outcome.error);
  outcome.error = NULL;
  outcome.stop_reason = WEIR_STOP_NONE;
  outcome.status = WEIR_EOPEN;
  outcome.attempts = 0;
  outcome.elapsed_ns = 0;
  outcome.retry_after_ms = 60000;
  assert_line(&outcome,
              "failed: circuit breaker is open (WEIR_EOPEN) after 0 attempts in 0.000 ms (retry "
              "after 60000 ms)");
  outcome.retry_after_ms = 0;
  assert_line(&outcome,
              "failed: circuit breaker is open (WEIR_EOPEN) after 0 attempts in 0.000 ms (retry "
              "after 0 ms)");
  outcome.retry_after_ms = -1;
  outcome.channel = WEIR_CHANNEL_STOPPED;
  outcome.status = WEIR_ECANCELLED;
  for (uint32_t reason = 0; reason < COUNT_OF(cancelled); reason++) {
    outcome.cancel_reason = reason;
    snprintf(wanted, sizeof wanted, "stopped %s: %s after 0 attempts in 0.000 ms",
             cancelled[reason], weir_status_message(WEIR_ECANCELLED));
    assert_line(&outcome, wanted);
  }
}

static void release_is_harmless_on_cleared_and_on_null(struct fixture *fx) {
  (void)fx;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_outcome_release(&outcome);
  weir_outcome_release(&outcome);
  weir_outcome_release(NULL);
}

static void statuses_keep_the_last_eight_oldest_first(struct fixture *fx) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *retry = NULL;
  options.max_attempts = 10;
  options.base_delay_ms = 0;
  options.attempt_timeout_ms = 5;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  struct script *script = scripted(fx, "f1 f2 f3 yield f5 f6 f7 yield f9 v10");
  struct run *run = begin_under(fx, weir_retry_policy(retry), script->operation);
  advance_ms(fx, 100);

  const struct settlement *result = settled(run);
  assert_int_equal(result->attempts, 10);
  static const weir_status expected[8] = {WEIR_EFAILED, WEIR_ETIMEDOUT, WEIR_EFAILED, WEIR_EFAILED,
                                          WEIR_EFAILED, WEIR_ETIMEDOUT, WEIR_EFAILED, WEIR_OK};
  assert_memory_equal(result->statuses, expected, sizeof expected);
  weir_retry_unref(retry);
}

TEST_MAIN("outcome", TEST(outcome_is_null_until_settled_and_then_lent),
          TEST(outcome_value_can_be_kept_beyond_its_call),
          TEST(outcome_error_can_be_kept_beyond_its_call), TEST(describe_names_what_happened),
          TEST(describe_names_the_domains_it_knows_and_numbers_the_others),
          TEST(describe_says_why_a_retry_stopped),
          TEST(describe_cuts_off_and_terminates_at_every_size),
          TEST(describe_of_a_strange_outcome_does_not_crash),
          TEST(describe_says_the_status_of_what_weir_refused),
          TEST(describe_says_all_that_is_known), TEST(release_is_harmless_on_cleared_and_on_null),
          TEST(statuses_keep_the_last_eight_oldest_first))
