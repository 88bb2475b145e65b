/* SPDX-License-Identifier: MIT */
/* What a function gives through a pointer is NULL when it fails, whatever was there before; and the
 * pointer may be NULL where the header says so, or that is the failure. */

#include "support.h"

static char stale;

/* Of functions that end with `out` and `error`: the arguments before those are bad. */
#define GIVES_NONE(type, function, ...)                                 \
  do {                                                                  \
    type *given = (type *)(void *)&stale;                               \
    assert_int_equal(function(__VA_ARGS__, &given, NULL), WEIR_EINVAL); \
    assert_null(given);                                                 \
    assert_int_equal(function(__VA_ARGS__, NULL, NULL), WEIR_EINVAL);   \
  } while (0)

/* Of functions that end with `out`. */
#define GIVES_NO(type, function, ...)                             \
  do {                                                            \
    type *given = (type *)(void *)&stale;                         \
    assert_int_equal(function(__VA_ARGS__, &given), WEIR_EINVAL); \
    assert_null(given);                                           \
    assert_int_equal(function(__VA_ARGS__, NULL), WEIR_EINVAL);   \
  } while (0)

static void start_none(void *data, weir_attempt *attempt) { (void)data, (void)attempt; }

static void policies_are_not_made_of_nothing(struct fixture *fx) {
  (void)fx;
  weir_timeout_options timeout = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout.timeout_ms = 1;
  GIVES_NONE(weir_breaker, weir_breaker_new, NULL, NULL);
  GIVES_NONE(weir_budget, weir_budget_new, NULL, NULL);
  GIVES_NONE(weir_limiter, weir_limiter_new, NULL, NULL);
  GIVES_NONE(weir_retry, weir_retry_new, NULL, NULL);
  GIVES_NONE(weir_timeout, weir_timeout_new, NULL, &timeout);
  GIVES_NONE(weir_pipeline, weir_pipeline_new, NULL, NULL, 0, NULL);
  GIVES_NONE(weir_policy, weir_policy_find, NULL, "name");
}

static void operations_are_not_made_of_nothing(struct fixture *fx) {
  (void)fx;
  GIVES_NONE(weir_operation, weir_operation_new, NULL, start_none, NULL, NULL);
  GIVES_NONE(weir_operation, weir_operation_new_blocking, NULL, NULL, NULL, NULL);
  GIVES_NONE(weir_operation, weir_operation_new_queued, NULL, 1);
  GIVES_NONE(weir_operation, weir_policy_wrap, NULL, NULL);
  GIVES_NONE(weir_operation, weir_sleep_new, NULL, 1, WEIR_OK, NULL, NULL);
  GIVES_NONE(weir_operation, weir_cache_operation, NULL, NULL);
  GIVES_NONE(weir_operation, weir_flight_operation, NULL, NULL);
}

static void the_rest_is_not_made_of_nothing(struct fixture *fx) {
  (void)fx;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = UINT32_MAX;
  GIVES_NONE(weir_runtime, weir_runtime_new, &options);
  GIVES_NONE(weir_completions, weir_completions_new, NULL, NULL);
  GIVES_NONE(weir_cache, weir_cache_new, NULL, NULL);
  GIVES_NONE(weir_flight, weir_flight_new, NULL, NULL);
  GIVES_NONE(weir_memoize, weir_memoize_new, NULL, NULL, NULL);
  GIVES_NONE(weir_debounce, weir_debounce_new, NULL, NULL, NULL);
  GIVES_NONE(weir_throttle, weir_throttle_new, NULL, NULL, NULL);
}

/* With options that nothing is wrong with but the runtime, so that it is not their size. */
static void good_options_do_not_make_up_for_it(struct fixture *fx) {
  struct script *work = scripted(fx, "n");
  weir_cache_options cache = WEIR_CACHE_OPTIONS_INIT;
  weir_debounce_options debounce = WEIR_DEBOUNCE_OPTIONS_INIT;
  weir_throttle_options throttle = WEIR_THROTTLE_OPTIONS_INIT;
  weir_memoize_options memoize = WEIR_MEMOIZE_OPTIONS_INIT;
  GIVES_NONE(weir_cache, weir_cache_new, NULL, &cache);
  GIVES_NONE(weir_debounce, weir_debounce_new, NULL, work->operation, &debounce);
  GIVES_NONE(weir_throttle, weir_throttle_new, NULL, work->operation, &throttle);
  GIVES_NONE(weir_memoize, weir_memoize_new, NULL, work->operation, &memoize);
}

static void values_and_errors_are_not_made_of_nothing(struct fixture *fx) {
  GIVES_NO(weir_value, weir_value_new_bytes, fx->runtime, NULL, 1);
  GIVES_NO(weir_value, weir_value_new_host, NULL, 1);
  GIVES_NO(weir_value, weir_value_new_list, fx->runtime, NULL, NULL, 1);
  GIVES_NO(weir_value, weir_cache_lookup, NULL, "a", 1);
  GIVES_NO(weir_value, weir_cache_lookup_at, NULL, "a", 1, 0);
  GIVES_NO(weir_value, weir_cache_put_if_absent, NULL, "a", 1, NULL);
  GIVES_NO(weir_value, weir_cache_put_if_absent_at, NULL, "a", 1, NULL, 0);
}

static void runs_that_cannot_begin_have_no_call(struct fixture *fx) {
  (void)fx;
  GIVES_NONE(weir_call, weir_run, NULL, NULL, NULL, NULL, NULL);
  GIVES_NONE(weir_call, weir_flight_run, NULL, "a", 1, NULL, NULL, NULL, NULL, NULL);
  GIVES_NONE(weir_call, weir_cache_get, NULL, "a", 1, NULL, NULL, NULL, NULL);
  GIVES_NONE(weir_call, weir_cache_get_many, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL);
  GIVES_NONE(weir_call, weir_memoize_call, NULL, NULL, NULL, NULL, NULL);
  GIVES_NONE(weir_call, weir_debounce_call, NULL, NULL, 0, NULL, NULL, NULL, NULL);
  GIVES_NONE(weir_call, weir_throttle_call, NULL, NULL, 0, NULL, NULL, NULL, NULL);
}

TEST_MAIN("outputs", TEST(policies_are_not_made_of_nothing),
          TEST(operations_are_not_made_of_nothing), TEST(the_rest_is_not_made_of_nothing),
          TEST(good_options_do_not_make_up_for_it), TEST(values_and_errors_are_not_made_of_nothing),
          TEST(runs_that_cannot_begin_have_no_call))
