/* SPDX-License-Identifier: MIT */
/* C08 for retry, budget, timeout, pipeline and sleep: each option at its edges, structs of every
 * wrong size, each required argument NULL. */

#include <math.h>

#include "support_options.h"

/* ---- retry ----------------------------------------------------------------------------------- */

static void fill_retry(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_retry_options *)options = (weir_retry_options)WEIR_RETRY_OPTIONS_INIT;
}

static weir_status create_retry(struct fixture *fx, const void *options, weir_error **error) {
  weir_retry *retry = NULL;
  weir_status status = weir_retry_new(fx->runtime, options, &retry, error);
  weir_retry_unref(retry);
  return status;
}

#define RETRY(member, kind, value, legal) OPTION(weir_retry_options, member, kind, value, legal)

static const struct option_row retry_rows[] = {
    RETRY(backoff, OPTION_U32, 0, 1),
    RETRY(backoff, OPTION_U32, WEIR_BACKOFF_DECORRELATED_V2, 1),
    RETRY(backoff, OPTION_U32, WEIR_BACKOFF_DECORRELATED_V2 + 1, 0),
    RETRY(backoff, OPTION_U32, UINT32_MAX, 0),
    RETRY(max_attempts, OPTION_I64, 0, 0),
    RETRY(max_attempts, OPTION_I64, -1, 1),
    RETRY(max_attempts, OPTION_I64, -2, 0),
    RETRY(max_attempts, OPTION_I64, 1, 1),
    RETRY(max_attempts, OPTION_I64, INT64_MAX, 1),
    RETRY(max_attempts, OPTION_I64, INT64_MIN, 0),
    RETRY(base_delay_ms, OPTION_I64, 0, 1),
    RETRY(base_delay_ms, OPTION_I64, -1, 0),
    RETRY(base_delay_ms, OPTION_I64, -2, 0),
    RETRY(base_delay_ms, OPTION_I64, INT64_MAX, 1),
    RETRY(base_delay_ms, OPTION_I64, INT64_MIN, 0),
    RETRY(max_delay_ms, OPTION_I64, 0, 1),
    RETRY(max_delay_ms, OPTION_I64, -1, 0),
    RETRY(max_delay_ms, OPTION_I64, -2, 0),
    RETRY(max_delay_ms, OPTION_I64, INT64_MAX, 1),
    RETRY(max_delay_ms, OPTION_I64, INT64_MIN, 0),
    RETRY(min_delay_ms, OPTION_I64, 0, 1),
    RETRY(min_delay_ms, OPTION_I64, -1, 0),
    RETRY(min_delay_ms, OPTION_I64, 30000, 1),
    RETRY(min_delay_ms, OPTION_I64, 30001, 0), /* above max_delay_ms */
    RETRY(min_delay_ms, OPTION_I64, INT64_MIN, 0),
    RETRY(multiplier, OPTION_DOUBLE, 1, 1),
    RETRY(multiplier, OPTION_DOUBLE, 1000, 1),
    RETRY(multiplier, OPTION_DOUBLE, 0.999, 0),
    RETRY(multiplier, OPTION_DOUBLE, 1000.001, 0),
    RETRY(multiplier, OPTION_DOUBLE, 0, 0),
    RETRY(multiplier, OPTION_DOUBLE, -1, 0),
    RETRY(multiplier, OPTION_DOUBLE, NAN, 0),
    RETRY(multiplier, OPTION_DOUBLE, INFINITY, 0),
    RETRY(jitter_factor, OPTION_DOUBLE, 0, 1),
    RETRY(jitter_factor, OPTION_DOUBLE, 1, 1),
    RETRY(jitter_factor, OPTION_DOUBLE, 1.001, 0),
    RETRY(jitter_factor, OPTION_DOUBLE, -0.001, 0),
    RETRY(jitter_factor, OPTION_DOUBLE, -1, 0),
    RETRY(jitter_factor, OPTION_DOUBLE, -2, 0),
    RETRY(jitter_factor, OPTION_DOUBLE, NAN, 0),
    RETRY(jitter, OPTION_U32, 0, 1),
    RETRY(jitter, OPTION_U32, WEIR_JITTER_SYMMETRIC, 1),
    RETRY(jitter, OPTION_U32, WEIR_JITTER_SYMMETRIC + 1, 0),
    RETRY(jitter, OPTION_U32, UINT32_MAX, 0),
    RETRY(retry_refusals, OPTION_U32, 1, 1),
    RETRY(retry_refusals, OPTION_U32, 2, 0),
    RETRY(max_elapsed_ms, OPTION_I64, 0, 1),
    RETRY(max_elapsed_ms, OPTION_I64, -1, 1),
    RETRY(max_elapsed_ms, OPTION_I64, -2, 0),
    RETRY(max_elapsed_ms, OPTION_I64, INT64_MAX, 1),
    RETRY(max_elapsed_ms, OPTION_I64, INT64_MIN, 0),
    RETRY(attempt_timeout_ms, OPTION_I64, 0, 1),
    RETRY(attempt_timeout_ms, OPTION_I64, -1, 1),
    RETRY(attempt_timeout_ms, OPTION_I64, -2, 0),
    RETRY(attempt_timeout_ms, OPTION_I64, INT64_MAX, 1),
    RETRY(attempt_timeout_ms, OPTION_I64, INT64_MIN, 0),
    RETRY(failures_count, OPTION_U64, 1, 0), /* without failures */
};

static const struct option_table retry_table = {
    "retry",    sizeof(weir_retry_options), fill_retry, create_retry, NULL, 0,
    retry_rows, COUNT_OF(retry_rows)};

static void C08_retry_options_at_their_edges(struct fixture *fx) {
  check_option_values(fx, &retry_table);
}

static void C08_retry_options_of_every_size(struct fixture *fx) {
  check_option_sizes(fx, &retry_table);
}

static void C08_retry_arguments_are_checked(struct fixture *fx) {
  weir_error *error = NULL;
  weir_retry *retry = NULL;
  weir_retry_state state;
  int64_t delay_ns = 0;
  uint32_t reason = 0;
  assert_refused(weir_retry_new(NULL, NULL, &retry, &error), WEIR_EINVAL, &error, "runtime");
  assert_refused(weir_retry_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL, &error, "out");
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_retry_begin(NULL, &state), WEIR_EINVAL);
  assert_int_equal(weir_retry_begin(retry, NULL), WEIR_EINVAL);
  assert_int_equal(weir_retry_begin_at(NULL, &state, 0), WEIR_EINVAL);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  assert_int_equal(weir_retry_next(NULL, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, &reason),
                   WEIR_EINVAL);
  assert_int_equal(weir_retry_next(retry, NULL, WEIR_CLASS_FAILURE, -1, &delay_ns, &reason),
                   WEIR_EINVAL);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, -1, NULL, &reason),
                   WEIR_EINVAL);
  assert_int_equal(weir_retry_next(retry, &state, 77, -1, &delay_ns, &reason), WEIR_EINVAL);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL),
                   WEIR_OK);
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_int_equal(weir_retry_get_stats(retry, NULL), WEIR_EINVAL);
  stats.size = 0;
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_EABI);
  assert_null(weir_retry_ref(NULL));
  assert_null(weir_retry_policy(NULL));
  weir_retry_unref(NULL);
  weir_retry_unref(retry);
}

/* ---- budget ---------------------------------------------------------------------------------- */

static void fill_budget(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_budget_options *)options = (weir_budget_options)WEIR_BUDGET_OPTIONS_INIT;
}

static weir_status create_budget(struct fixture *fx, const void *options, weir_error **error) {
  weir_budget *budget = NULL;
  weir_status status = weir_budget_new(fx->runtime, options, &budget, error);
  weir_budget_unref(budget);
  return status;
}

#define BUDGET(member, kind, value, legal) OPTION(weir_budget_options, member, kind, value, legal)

static const struct option_row budget_rows[] = {
    BUDGET(reserved, OPTION_U32, 1, 0),
    BUDGET(ratio, OPTION_DOUBLE, 0, 1),
    BUDGET(ratio, OPTION_DOUBLE, 1000, 1),
    BUDGET(ratio, OPTION_DOUBLE, 1000.1, 0),
    BUDGET(ratio, OPTION_DOUBLE, -1, 0),
    BUDGET(ratio, OPTION_DOUBLE, -2, 0),
    BUDGET(ratio, OPTION_DOUBLE, NAN, 0),
    BUDGET(min_per_second, OPTION_DOUBLE, 0, 1),
    BUDGET(min_per_second, OPTION_DOUBLE, 1e6, 1),
    BUDGET(min_per_second, OPTION_DOUBLE, 1e6 + 1, 0),
    BUDGET(min_per_second, OPTION_DOUBLE, -1, 0),
    BUDGET(min_per_second, OPTION_DOUBLE, NAN, 0),
    BUDGET(window_ms, OPTION_I64, 10, 1),
    BUDGET(window_ms, OPTION_I64, 9, 0),
    BUDGET(window_ms, OPTION_I64, 0, 0),
    BUDGET(window_ms, OPTION_I64, -1, 0),
    BUDGET(window_ms, OPTION_I64, -2, 0),
    BUDGET(window_ms, OPTION_I64, 86400000, 1),
    BUDGET(window_ms, OPTION_I64, 86400001, 0),
    BUDGET(window_ms, OPTION_I64, INT64_MAX, 0),
    BUDGET(window_ms, OPTION_I64, INT64_MIN, 0),
};

static const struct option_table budget_table = {
    "budget",    sizeof(weir_budget_options), fill_budget, create_budget, NULL, 0,
    budget_rows, COUNT_OF(budget_rows)};

static void C08_budget_options_and_arguments(struct fixture *fx) {
  weir_error *error = NULL;
  weir_budget *budget = NULL;
  check_option_values(fx, &budget_table);
  check_option_sizes(fx, &budget_table);
  assert_refused(weir_budget_new(NULL, NULL, &budget, &error), WEIR_EINVAL, &error, "runtime");
  assert_refused(weir_budget_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL, &error, "out");
  assert_int_equal(weir_budget_deposit(NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_deposit_at(NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_budget_withdraw(NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_withdraw_at(NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_budget_refund(NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_refund_at(NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_budget_new(fx->runtime, NULL, &budget, NULL), WEIR_OK);
  weir_budget_stats stats = {.size = 0};
  assert_int_equal(weir_budget_get_stats(budget, &stats), WEIR_EABI);
  assert_int_equal(weir_budget_get_stats(budget, NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_null(weir_budget_ref(NULL));
  weir_budget_unref(NULL);
  weir_budget_unref(budget);
}

/* ---- timeout --------------------------------------------------------------------------------- */

static void fill_timeout(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_timeout_options *)options = (weir_timeout_options)WEIR_TIMEOUT_OPTIONS_INIT;
  ((weir_timeout_options *)options)->timeout_ms = 1000;
}

static weir_status create_timeout(struct fixture *fx, const void *options, weir_error **error) {
  weir_timeout *timeout = NULL;
  weir_status status = weir_timeout_new(fx->runtime, options, &timeout, error);
  weir_timeout_unref(timeout);
  return status;
}

#define TIMEOUT(member, kind, value, legal) OPTION(weir_timeout_options, member, kind, value, legal)

static const struct option_row timeout_rows[] = {
    TIMEOUT(reserved, OPTION_U32, 1, 0),           TIMEOUT(timeout_ms, OPTION_I64, 0, 1),
    TIMEOUT(timeout_ms, OPTION_I64, -1, 1),        TIMEOUT(timeout_ms, OPTION_I64, -2, 0),
    TIMEOUT(timeout_ms, OPTION_I64, 1, 1),         TIMEOUT(timeout_ms, OPTION_I64, INT64_MAX, 1),
    TIMEOUT(timeout_ms, OPTION_I64, INT64_MIN, 0),
};

static const struct option_table timeout_table = {
    "timeout",    sizeof(weir_timeout_options), fill_timeout, create_timeout, "timeout_ms", 16,
    timeout_rows, COUNT_OF(timeout_rows)};

static int64_t any_timeout(void *data, void *context, const void *key, size_t key_size) {
  (void)data, (void)context, (void)key, (void)key_size;
  return 1;
}

static void C08_timeout_options_and_arguments(struct fixture *fx) {
  weir_error *error = NULL;
  weir_timeout *timeout = NULL;
  weir_timeout_options options;
  check_option_values(fx, &timeout_table);
  check_option_sizes(fx, &timeout_table);
  fill_timeout(fx, &options);
  assert_refused(weir_timeout_new(NULL, &options, &timeout, &error), WEIR_EINVAL, &error,
                 "runtime");
  assert_refused(weir_timeout_new(fx->runtime, &options, NULL, &error), WEIR_EINVAL, &error, "out");
  options.timeout_for = any_timeout; /* both */
  assert_refused(weir_timeout_new(fx->runtime, &options, &timeout, &error), WEIR_EINVAL, &error,
                 "timeout");
  assert_null(timeout);
  weir_timeout_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_timeout_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_null(weir_timeout_ref(NULL));
  assert_null(weir_timeout_policy(NULL));
  weir_timeout_unref(NULL);
}

/* ---- pipeline and sleep ---------------------------------------------------------------------- */

static void C08_pipeline_arguments_are_checked(struct fixture *fx) {
  enum { MANY = WEIR_PIPELINE_MAX + 1 };
  weir_error *error = NULL;
  weir_pipeline *pipeline = NULL;
  weir_retry *retries[MANY];
  weir_policy *policies[MANY];
  for (size_t i = 0; i < MANY; i++) {
    assert_int_equal(weir_retry_new(fx->runtime, NULL, &retries[i], NULL), WEIR_OK);
    policies[i] = weir_retry_policy(retries[i]);
  }
  assert_refused(weir_pipeline_new(NULL, policies, 2, NULL, &pipeline, &error), WEIR_EINVAL, &error,
                 "runtime");
  assert_refused(weir_pipeline_new(fx->runtime, NULL, 2, NULL, &pipeline, &error), WEIR_EINVAL,
                 &error, "policies");
  assert_refused(weir_pipeline_new(fx->runtime, policies, 2, NULL, NULL, &error), WEIR_EINVAL,
                 &error, "out");
  assert_refused(weir_pipeline_new(fx->runtime, policies, 0, NULL, &pipeline, &error), WEIR_EINVAL,
                 &error, "count");
  assert_refused(weir_pipeline_new(fx->runtime, policies, MANY, NULL, &pipeline, &error),
                 WEIR_EINVAL, &error, "32");
  weir_policy *kept = policies[1];
  policies[1] = NULL;
  assert_refused(weir_pipeline_new(fx->runtime, policies, 3, NULL, &pipeline, &error), WEIR_EINVAL,
                 &error, "policies[1]");
  policies[1] = kept;
  assert_null(pipeline);
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, MANY - 1, "p", &pipeline, NULL),
                   WEIR_OK);
  assert_string_equal(weir_policy_name(weir_pipeline_policy(pipeline)), "p");
  for (size_t i = 0; i < MANY; i++) weir_retry_unref(retries[i]);
  weir_pipeline_unref(pipeline);
  assert_null(weir_pipeline_ref(NULL));
  assert_null(weir_pipeline_policy(NULL));
  weir_pipeline_unref(NULL);
}

static void C08_sleep_arguments_are_checked(struct fixture *fx) {
  static const struct {
    int64_t sleep_ms;
    weir_status status;
    int with_value;
    int with_error;
    const char *field; /* NULL: legal */
  } rows[] = {
      {0, WEIR_OK, 0, 0, NULL},
      {-1, WEIR_OK, 0, 0, NULL},
      {INT64_MAX, WEIR_OK, 1, 0, NULL},
      {-2, WEIR_OK, 0, 0, "sleep_ms"},
      {INT64_MIN, WEIR_OK, 0, 0, "sleep_ms"},
      {0, 1, 0, 0, "status"},
      {0, INT32_MAX, 0, 0, "status"},
      {0, WEIR_ETIMEDOUT, 0, 1, NULL},
      {0, WEIR_ETIMEDOUT, 1, 0, "value"},
      {0, WEIR_OK, 0, 1, "error"},
  };
  weir_value *value = number_value(fx, 1);
  weir_error *result = NULL;
  assert_int_equal(weir_error_new(fx->runtime, 1, 2, NULL, &result), WEIR_OK);
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    weir_operation *sleep = NULL;
    weir_error *error = NULL;
    weir_status status = weir_sleep_new(fx->runtime, rows[i].sleep_ms, rows[i].status,
                                        rows[i].with_value ? value : NULL,
                                        rows[i].with_error ? result : NULL, &sleep, &error);
    if (rows[i].field == NULL) {
      assert_int_equal(status, WEIR_OK);
      weir_operation_unref(sleep);
    } else {
      assert_refused(status, WEIR_EINVAL, &error, rows[i].field);
      assert_null(sleep);
    }
  }
  weir_error *error = NULL;
  weir_operation *sleep = NULL;
  assert_refused(weir_sleep_new(NULL, 1, WEIR_OK, NULL, NULL, &sleep, &error), WEIR_EINVAL, &error,
                 "runtime");
  assert_refused(weir_sleep_new(fx->runtime, 1, WEIR_OK, NULL, NULL, NULL, &error), WEIR_EINVAL,
                 &error, "out");
  weir_value_unref(value);
  weir_error_unref(result);
}

OPTION_INIT(retry_options)
OPTION_INIT(budget_options)
OPTION_INIT(timeout_options)

static void C08_retry_options_init_writes_the_defaults_for_every_size(struct fixture *fx) {
  (void)fx;
  static const weir_retry_options retry_options = WEIR_RETRY_OPTIONS_INIT;
  static const weir_budget_options budget_options = WEIR_BUDGET_OPTIONS_INIT;
  static const weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  check_option_init(init_retry_options, &retry_options, sizeof retry_options);
  check_option_init(init_budget_options, &budget_options, sizeof budget_options);
  check_option_init(init_timeout_options, &timeout_options, sizeof timeout_options);
}

TEST_MAIN("misuse_retry", TEST(C08_retry_options_at_their_edges),
          TEST(C08_retry_options_of_every_size), TEST(C08_retry_arguments_are_checked),
          TEST(C08_budget_options_and_arguments), TEST(C08_timeout_options_and_arguments),
          TEST(C08_pipeline_arguments_are_checked), TEST(C08_sleep_arguments_are_checked),
          TEST(C08_retry_options_init_writes_the_defaults_for_every_size))
