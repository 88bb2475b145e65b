/* SPDX-License-Identifier: MIT */
/* A chaos's schedule beside a real clock, which goes on while a turn's time stands. */

#include "../unit/support.h"

struct switching {
  weir_chaos *chaos;
  weir_operation *target;
  weir_call *call;
  weir_status status;
};

static void answer(void *data, weir_attempt *attempt) {
  (void)data;
  weir_complete(attempt->runtime, attempt->token, NULL);
}

/* Switches the chaos on and begins a run under it, in one turn. */
static void switch_on_and_run(void *data, weir_attempt *attempt) {
  struct switching *switching = data;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_chaos_policy(switching->chaos);
  weir_chaos_enable(switching->chaos, 1);
  switching->status =
      weir_run(switching->target, &options, NULL, NULL, NULL, &switching->call, NULL);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void a_phase_from_0_holds_for_runs_of_the_turn_that_switched_it_on(struct fixture *fx) {
  struct switching switching = {0};
  weir_chaos_phase phase = {0, WEIR_FOREVER, WEIR_CHAOS_FAILURE, 0, 1};
  weir_chaos_options options = WEIR_CHAOS_OPTIONS_INIT;
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_runtime *runtime = NULL;
  weir_operation *operation = NULL;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  runtime_options.allocator = &allocator;
  options.enabled = 0;
  options.phases = &phase;
  options.phases_count = 1;
  assert_int_equal(weir_runtime_new(&runtime_options, &runtime, NULL), WEIR_OK);
  assert_int_equal(weir_chaos_new(runtime, &options, &switching.chaos, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(runtime, answer, NULL, NULL, &switching.target, NULL),
                   WEIR_OK);
  assert_int_equal(
      weir_operation_new(runtime, switch_on_and_run, &switching, NULL, &operation, NULL), WEIR_OK);
  assert_int_equal(weir_run_wait(operation, NULL, WEIR_FOREVER, &outcome, NULL), WEIR_OK);
  weir_outcome_release(&outcome);
  assert_int_equal(switching.status, WEIR_OK);
  assert_int_equal(weir_call_wait(switching.call, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(weir_call_outcome(switching.call)->status, WEIR_EFAILED);
  weir_call_unref(switching.call);
  weir_operation_unref(operation);
  weir_operation_unref(switching.target);
  weir_chaos_unref(switching.chaos);
  assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(runtime);
}

TEST_MAIN("chaos schedule",
          LONG_TEST(a_phase_from_0_holds_for_runs_of_the_turn_that_switched_it_on))
