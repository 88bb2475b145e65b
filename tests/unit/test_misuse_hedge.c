/* SPDX-License-Identifier: MIT */
/* C08 for hedge, fallback and poll: each option at its edges, structs of every wrong size, each
 * required argument NULL. */

#include <math.h>

#include "support_options.h"

/* ---- hedge ---- */

static void fill_hedge(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_hedge_options *)options = (weir_hedge_options)WEIR_HEDGE_OPTIONS_INIT;
  ((weir_hedge_options *)options)->delay_ms = 10;
}

static void fill_measuring(struct fixture *fx, void *options) {
  fill_hedge(fx, options);
  ((weir_hedge_options *)options)->quantile = 0.95;
}

static weir_status create_hedge(struct fixture *fx, const void *options, weir_error **error) {
  weir_hedge *hedge = NULL;
  weir_status status = weir_hedge_new(fx->runtime, options, &hedge, error);
  weir_hedge_unref(hedge);
  return status;
}

#define HEDGE(member, kind, value, legal) OPTION(weir_hedge_options, member, kind, value, legal)

static const struct option_row hedge_rows[] = {
    HEDGE(max_hedges, OPTION_U32, 0, 0),          HEDGE(max_hedges, OPTION_U32, 1, 1),
    HEDGE(max_hedges, OPTION_U32, 16, 1),         HEDGE(max_hedges, OPTION_U32, 17, 0),
    HEDGE(max_hedges, OPTION_U32, UINT32_MAX, 0), HEDGE(delay_ms, OPTION_I64, 0, 1),
    HEDGE(delay_ms, OPTION_I64, INT64_MAX, 1),    HEDGE(delay_ms, OPTION_I64, -1, 0),
    HEDGE(delay_ms, OPTION_I64, -2, 0),           HEDGE(delay_ms, OPTION_I64, INT64_MIN, 0),
    HEDGE(quantile, OPTION_DOUBLE, -1, 1),        HEDGE(quantile, OPTION_DOUBLE, 0, 0),
    HEDGE(quantile, OPTION_DOUBLE, 1, 0),         HEDGE(quantile, OPTION_DOUBLE, -0.5, 0),
    HEDGE(quantile, OPTION_DOUBLE, 1e-9, 1),      HEDGE(quantile, OPTION_DOUBLE, 0.999999, 1),
    HEDGE(quantile, OPTION_DOUBLE, NAN, 0),       HEDGE(quantile, OPTION_DOUBLE, INFINITY, 0),
    HEDGE(failures_count, OPTION_U64, 1, 0), /* without failures */
};

static const struct option_row measuring_rows[] = {
    HEDGE(delay_ms, OPTION_I64, 0, 1),  HEDGE(delay_ms, OPTION_I64, -1, 1),
    HEDGE(delay_ms, OPTION_I64, -2, 1), /* as the macro left it */
    HEDGE(delay_ms, OPTION_I64, -3, 0), HEDGE(delay_ms, OPTION_I64, INT64_MIN, 0),
};

static const struct option_table hedge_table = {
    "hedge",    sizeof(weir_hedge_options), fill_hedge, create_hedge, "delay_ms", 16,
    hedge_rows, COUNT_OF(hedge_rows)};
static const struct option_table measuring_table = {
    "hedge",        sizeof(weir_hedge_options), fill_measuring, create_hedge, "delay_ms", 16,
    measuring_rows, COUNT_OF(measuring_rows)};

static void C08_hedge_options_at_their_edges(struct fixture *fx) {
  check_option_values(fx, &hedge_table);
  check_option_values(fx, &measuring_table);
}

static void C08_hedge_options_of_every_size(struct fixture *fx) {
  check_option_sizes(fx, &hedge_table);
}

static void C08_hedge_arguments_are_checked(struct fixture *fx) {
  weir_error *error = NULL;
  weir_hedge *hedge = NULL;
  weir_hedge_options options;
  fill_hedge(fx, &options);
  assert_refused(weir_hedge_new(NULL, &options, &hedge, &error), WEIR_EINVAL, &error, "runtime");
  assert_refused(weir_hedge_new(fx->runtime, &options, NULL, &error), WEIR_EINVAL, &error, "out");
  weir_runtime *other = NULL;
  assert_int_equal(weir_testing_runtime_new(1, &other), WEIR_OK);
  assert_int_equal(weir_budget_new(other, NULL, &options.budget, NULL), WEIR_OK);
  assert_refused(weir_hedge_new(fx->runtime, &options, &hedge, &error), WEIR_EINVAL, &error,
                 "budget");
  weir_budget_unref(options.budget);
  weir_runtime_unref(other);
  assert_null(hedge);
  weir_hedge_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_hedge_get_stats(NULL, &stats), WEIR_EINVAL);
  options.budget = NULL;
  assert_int_equal(weir_hedge_new(fx->runtime, &options, &hedge, NULL), WEIR_OK);
  assert_int_equal(weir_hedge_get_stats(hedge, NULL), WEIR_EINVAL);
  stats.size = 0;
  assert_int_equal(weir_hedge_get_stats(hedge, &stats), WEIR_EABI);
  assert_int_equal(weir_policy_kind(weir_hedge_policy(hedge)), WEIR_POLICY_HEDGE);
  weir_hedge_unref(weir_hedge_ref(hedge));
  weir_hedge_unref(hedge);
  weir_hedge_unref(NULL);
}

/* ---- fallback ---- */

static void fill_fallback(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_fallback_options *)options = (weir_fallback_options)WEIR_FALLBACK_OPTIONS_INIT;
  ((weir_fallback_options *)options)->has_value = 1;
}

static weir_status create_fallback(struct fixture *fx, const void *options, weir_error **error) {
  weir_fallback *fallback = NULL;
  weir_status status = weir_fallback_new(fx->runtime, options, &fallback, error);
  weir_fallback_unref(fallback);
  return status;
}

#define FALLBACK(member, kind, value, legal) \
  OPTION(weir_fallback_options, member, kind, value, legal)

static const struct option_row fallback_rows[] = {
    FALLBACK(has_value, OPTION_U32, 1, 1), FALLBACK(has_value, OPTION_U32, 2, 0),
    FALLBACK(has_value, OPTION_U32, UINT32_MAX, 0),
    FALLBACK(failures_count, OPTION_U64, 1, 0), /* without failures */
};

static const struct option_table fallback_table = {
    "fallback",    sizeof(weir_fallback_options), fill_fallback, create_fallback, "operation", 0,
    fallback_rows, COUNT_OF(fallback_rows)};

static void C08_fallback_options_at_their_edges(struct fixture *fx) {
  check_option_values(fx, &fallback_table);
}

static void C08_fallback_options_of_every_size(struct fixture *fx) {
  check_option_sizes(fx, &fallback_table);
}

static void C08_fallback_arguments_are_checked(struct fixture *fx) {
  weir_error *error = NULL;
  weir_fallback *fallback = NULL;
  weir_fallback_options options;
  fill_fallback(fx, &options);
  assert_refused(weir_fallback_new(NULL, &options, &fallback, &error), WEIR_EINVAL, &error,
                 "runtime");
  assert_refused(weir_fallback_new(fx->runtime, &options, NULL, &error), WEIR_EINVAL, &error,
                 "out");
  options.operation = scripted(fx, "v1")->operation; /* both */
  assert_refused(weir_fallback_new(fx->runtime, &options, &fallback, &error), WEIR_EINVAL, &error,
                 "operation");
  options.has_value = 0;
  options.value = number_value(fx, 1);
  assert_refused(weir_fallback_new(fx->runtime, &options, &fallback, &error), WEIR_EINVAL, &error,
                 "value");
  weir_value_unref(options.value);
  options.value = NULL;
  weir_runtime *other = NULL;
  assert_int_equal(weir_testing_runtime_new(1, &other), WEIR_OK);
  assert_refused(weir_fallback_new(other, &options, &fallback, &error), WEIR_EINVAL, &error,
                 "operation");
  weir_runtime_unref(other);
  assert_null(fallback);
  weir_fallback_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_fallback_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_int_equal(weir_fallback_new(fx->runtime, &options, &fallback, NULL), WEIR_OK);
  assert_int_equal(weir_fallback_get_stats(fallback, NULL), WEIR_EINVAL);
  assert_int_equal(weir_policy_kind(weir_fallback_policy(fallback)), WEIR_POLICY_FALLBACK);
  weir_fallback_unref(weir_fallback_ref(fallback));
  weir_fallback_unref(fallback);
  weir_fallback_unref(NULL);
}

/* ---- poll ---- */

static void fill_poll(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_poll_options *)options = (weir_poll_options)WEIR_POLL_OPTIONS_INIT;
  ((weir_poll_options *)options)->interval_ms = 10;
}

static weir_status create_poll(struct fixture *fx, const void *options, weir_error **error) {
  if (fx->scripts == NULL) scripted(fx, "v1");
  weir_operation *poll = NULL;
  weir_status status = weir_poll_new(fx->scripts->operation, options, &poll, error);
  weir_operation_unref(poll);
  return status;
}

#define POLL(member, kind, value, legal) OPTION(weir_poll_options, member, kind, value, legal)

static const struct option_row poll_rows[] = {
    POLL(reserved, OPTION_U32, 1, 0),
    POLL(interval_ms, OPTION_I64, 0, 1),
    POLL(interval_ms, OPTION_I64, INT64_MAX, 1),
    POLL(interval_ms, OPTION_I64, -1, 0),
    POLL(interval_ms, OPTION_I64, -2, 0),
    POLL(interval_ms, OPTION_I64, INT64_MIN, 0),
    POLL(max_attempts, OPTION_I64, 0, 0),
    POLL(max_attempts, OPTION_I64, 1, 1),
    POLL(max_attempts, OPTION_I64, -1, 1),
    POLL(max_attempts, OPTION_I64, -2, 0),
    POLL(max_attempts, OPTION_I64, INT64_MAX, 1),
    POLL(max_elapsed_ms, OPTION_I64, 0, 1),
    POLL(max_elapsed_ms, OPTION_I64, -1, 1),
    POLL(max_elapsed_ms, OPTION_I64, -2, 0),
    POLL(max_elapsed_ms, OPTION_I64, INT64_MIN, 0),
};

static const struct option_table poll_table = {
    "poll",    sizeof(weir_poll_options), fill_poll, create_poll, "interval_ms", 16,
    poll_rows, COUNT_OF(poll_rows)};

static void C08_poll_options_at_their_edges(struct fixture *fx) {
  check_option_values(fx, &poll_table);
}

static void C08_poll_options_of_every_size(struct fixture *fx) {
  check_option_sizes(fx, &poll_table);
}

static void C08_poll_arguments_are_checked(struct fixture *fx) {
  weir_error *error = NULL;
  weir_operation *poll = NULL;
  weir_poll_options options;
  fill_poll(fx, &options);
  assert_refused(weir_poll_new(NULL, &options, &poll, &error), WEIR_EINVAL, &error, "operation");
  struct script *script = scripted(fx, "v1");
  assert_refused(weir_poll_new(script->operation, &options, NULL, &error), WEIR_EINVAL, &error,
                 "out");
  weir_operation *nested = weir_operation_ref(script->operation);
  weir_status status = WEIR_OK;
  int deep = 0;
  while (status == WEIR_OK && deep < 100) {
    status = weir_poll_new(nested, &options, &poll, &error);
    if (status != WEIR_OK) break;
    weir_operation_unref(nested);
    nested = poll;
    poll = NULL;
    deep++;
  }
  assert_refused(status, WEIR_EINVAL, &error, "too many layers");
  assert_int_equal(deep, 31);
  struct run *run = begin(fx, nested, NULL);
  weir_operation_unref(nested);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
}

/* ---- defaults ---- */

static void init_hedge(void *options, size_t size) { weir_hedge_options_init(options, size); }
static void init_fallback(void *options, size_t size) { weir_fallback_options_init(options, size); }
static void init_poll(void *options, size_t size) { weir_poll_options_init(options, size); }

static void the_init_functions_write_the_defaults(struct fixture *fx) {
  (void)fx;
  weir_hedge_options hedge = WEIR_HEDGE_OPTIONS_INIT;
  weir_fallback_options fallback = WEIR_FALLBACK_OPTIONS_INIT;
  weir_poll_options poll = WEIR_POLL_OPTIONS_INIT;
  check_option_init(init_hedge, &hedge, sizeof hedge);
  check_option_init(init_fallback, &fallback, sizeof fallback);
  check_option_init(init_poll, &poll, sizeof poll);
}

TEST_MAIN("misuse of hedge, fallback and poll", TEST(C08_hedge_options_at_their_edges),
          TEST(C08_hedge_options_of_every_size), TEST(C08_hedge_arguments_are_checked),
          TEST(C08_fallback_options_at_their_edges), TEST(C08_fallback_options_of_every_size),
          TEST(C08_fallback_arguments_are_checked), TEST(C08_poll_options_at_their_edges),
          TEST(C08_poll_options_of_every_size), TEST(C08_poll_arguments_are_checked),
          TEST(the_init_functions_write_the_defaults))
