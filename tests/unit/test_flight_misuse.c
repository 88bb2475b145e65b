/* SPDX-License-Identifier: MIT */
/* Single flight, used wrongly: each mistake is named and changes nothing. */

#include "support.h"

static void flight_options_and_arguments_are_checked(struct fixture *fx) {
  weir_flight_options options = WEIR_FLIGHT_OPTIONS_INIT;
  weir_flight *flight = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_flight_new(NULL, NULL, &flight, &error), WEIR_EINVAL);
  assert_message(error, "flight.runtime must not be NULL");
  assert_int_equal(weir_flight_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "flight.out must not be NULL");
  options.timeout_ms = -2;
  assert_int_equal(weir_flight_new(fx->runtime, &options, &flight, &error), WEIR_EINVAL);
  assert_message(error, "flight.timeout_ms must be at least 0, or -1 for forever (got -2)");
  options.timeout_ms = 5;
  options.reserved = 1;
  assert_int_equal(weir_flight_new(fx->runtime, &options, &flight, &error), WEIR_EINVAL);
  assert_message(error, "flight.reserved must be 0 (got 1)");
  options.size = 0;
  assert_int_equal(weir_flight_new(fx->runtime, &options, &flight, &error), WEIR_EABI);
  assert_message(error, "flight.options");
  assert_null(flight);

  weir_flight_options_init(&options, sizeof options);
  assert_int_equal(options.size, sizeof options);
  assert_true(options.timeout_ms == WEIR_FOREVER);
  assert_int_equal(weir_flight_new(fx->runtime, NULL, &flight, NULL), WEIR_OK);
  struct script *work = scripted(fx, "v1");
  unsigned freed = 0;
  assert_int_equal(
      weir_flight_run(NULL, "k", 1, work->operation, NULL, NULL, &freed, count_free, NULL, &error),
      WEIR_EINVAL);
  assert_message(error, "flight must not be NULL");
  assert_int_equal(
      weir_flight_run(flight, "k", 1, NULL, NULL, NULL, &freed, count_free, NULL, &error),
      WEIR_EINVAL);
  assert_message(error, "operation must not be NULL");
  assert_int_equal(weir_flight_run(flight, NULL, 1, work->operation, NULL, NULL, &freed, count_free,
                                   NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "key must not be NULL");
  assert_int_equal(freed, 3);

  weir_operation *shared = NULL;
  assert_int_equal(weir_flight_operation(flight, work->operation, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_flight_operation(NULL, work->operation, &shared, NULL), WEIR_EINVAL);
  assert_int_equal(weir_flight_operation(flight, NULL, &shared, NULL), WEIR_EINVAL);
  assert_null(shared);
  assert_int_equal(weir_flight_forget(NULL, "k", 1), WEIR_EINVAL);
  assert_int_equal(weir_flight_forget(flight, NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_flight_get_stats(flight, NULL), WEIR_EINVAL);
  weir_flight_stats stats = {.size = 1};
  assert_int_equal(weir_flight_get_stats(flight, &stats), WEIR_EABI);
  assert_ptr_equal(weir_flight_ref(flight), flight);
  weir_flight_unref(flight);
  weir_flight_unref(flight);
  weir_flight_unref(NULL);
}

static void an_operation_of_another_runtime_is_refused(struct fixture *fx) {
  weir_runtime *other = NULL;
  weir_operation *foreign = NULL;
  weir_operation *shared = NULL;
  weir_error *error = NULL;
  weir_flight *flight = NULL;
  assert_int_equal(weir_flight_new(fx->runtime, NULL, &flight, NULL), WEIR_OK);
  assert_int_equal(weir_testing_runtime_new(2, &other), WEIR_OK);
  assert_int_equal(weir_sleep_new(other, 1, WEIR_OK, NULL, NULL, &foreign, NULL), WEIR_OK);
  assert_int_equal(weir_flight_run(flight, "k", 1, foreign, NULL, NULL, NULL, NULL, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "flight.operation must be of the same runtime");
  assert_int_equal(weir_flight_operation(flight, foreign, &shared, &error), WEIR_EINVAL);
  assert_message(error, "flight.operation must be of the same runtime");
  weir_operation_unref(foreign);
  weir_runtime_unref(other);
  weir_flight_unref(flight);
}

TEST_MAIN("flight misuse", TEST(flight_options_and_arguments_are_checked),
          TEST(an_operation_of_another_runtime_is_refused))
