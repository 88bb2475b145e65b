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
  assert_message(error, "flight options");
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

struct flying {
  weir_flight *flight;
  weir_operation *operation;
  struct run *run;
  weir_status status;
};

static void *fly_elsewhere(void *data) {
  struct flying *flying = data;
  flying->status = weir_flight_run(flying->flight, "7", 1, flying->operation, NULL, record_settle,
                                   flying->run, free_recorded, &flying->run->call, NULL);
  return NULL;
}

static void runs_of_another_thread_keep_the_operation_until_the_last_is_over(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = NULL;
  struct flying flying[2];
  run_until_idle(fx);
  for (size_t i = 0; i < 2; i++) {
    pthread_t thread;
    flying[i] = (struct flying){flight, work->operation, new_run(fx), WEIR_OK};
    assert_int_equal(pthread_create(&thread, NULL, fly_elsewhere, &flying[i]), 0);
    pthread_join(thread, NULL);
    asked(flying[i].run, flying[i].status);
    assert_int_equal(flying[i].status, WEIR_OK);
  }
  run_until_idle(fx);
  /* given work for two whose operation nobody else has any more */
  weir_operation_unref(work->operation);
  work->operation = NULL;
  run_until_idle(fx);
  /* when one of them leaves, and gives all back */
  assert_int_equal(weir_call_cancel(flying[0].run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(flying[0].run)->status, WEIR_ECANCELLED);
  weir_call_unref(flying[0].run->call);
  flying[0].run->call = NULL;
  /* then the work goes on for the other */
  assert_int_equal(work->freed, 0);
  assert_int_equal(finish(work, 0, "v5"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(flying[1].run)->value, 5);
  weir_flight_unref(flight);
}

TEST_MAIN("flight misuse", TEST(flight_options_and_arguments_are_checked),
          TEST(an_operation_of_another_runtime_is_refused))
