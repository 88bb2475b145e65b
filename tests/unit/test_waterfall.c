/* SPDX-License-Identifier: MIT */
/* waterfall: each step fed by the last, and what a failing step says. */

#include "flow.h"
#include "support_retry.h"

static weir_operation *waterfall(struct fixture *fx, weir_operation *const *operations,
                                 size_t count) {
  weir_operation *made = NULL;
  weir_error *error = NULL;
  weir_status status = weir_waterfall_new(fx->runtime, operations, count, "price", &made, &error);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  return made;
}

static struct run *run_with(struct fixture *fx, weir_operation *operation, int64_t input) {
  weir_value *value = number_value(fx, input);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.input = value;
  struct run *run = begin(fx, operation, &options);
  weir_operation_unref(operation);
  weir_value_unref(value);
  run_until_idle(fx);
  return run;
}

static void U08_each_step_gets_the_value_of_the_one_before(struct fixture *fx) {
  struct script *orders = scripted(fx, "v2+10");
  struct script *total = scripted(fx, "v3");
  struct script *discount = scripted(fx, "v4+10");
  struct run *run = run_with(
      fx, waterfall(fx, COUNTED(orders->operation, total->operation, discount->operation)), 1);
  advance_ms(fx, 19);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->value, 4);
  assert_int_equal(orders->attempts[0].input, 1);
  assert_int_equal(total->attempts[0].input, 2);
  assert_int_equal(discount->attempts[0].input, 3);
  assert_int_equal(settled(run)->attempts, 3);
}

static void a_failing_step_is_named_and_the_rest_does_not_run(struct fixture *fx) {
  struct script *first = scripted(fx, "v2");
  struct script *second = scripted(fx, "F503@250");
  struct script *third = scripted(fx, "v4");
  struct run *run = run_with(
      fx, waterfall(fx, COUNTED(first->operation, second->operation, third->operation)), 1);
  const weir_outcome *outcome = outcome_of(run);
  assert_int_equal(outcome->status, WEIR_EFAILED);
  assert_int_equal(outcome->final, 1);
  assert_int_equal(outcome->retry_after_ms, 250);
  assert_int_equal(weir_error_domain(outcome->error), WEIR_DOMAIN_HTTP);
  assert_int_equal(weir_error_code(outcome->error), 503);
  assert_string_equal(weir_error_message(outcome->error), "step 2 of 3 failed: scripted");
  assert_string_equal(weir_error_message(weir_error_cause(outcome->error)), "scripted");
  assert_int_equal(third->started, 0);
}

static void a_refused_step_keeps_its_rejection(struct fixture *fx) {
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = "orders";
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  struct script *script = scripted(fx, "v1");
  weir_operation *guarded = NULL;
  assert_int_equal(
      weir_policy_wrap(weir_breaker_policy(breaker), script->operation, &guarded, NULL), WEIR_OK);
  struct run *run = run_with(fx, waterfall(fx, COUNTED(guarded, script->operation)), 1);
  weir_operation_unref(guarded);
  weir_breaker_unref(breaker);
  assert_int_equal(settled(run)->status, WEIR_EOPEN);
  assert_true(settled(run)->has_rejection);
  assert_string_equal(settled(run)->rejection.name, "orders");
  assert_non_null(strstr(settled(run)->message, "step 1 of 2 failed: "));
}

static void a_step_that_is_a_race_keeps_what_its_aggregate_lists(struct fixture *fx) {
  struct script *a = scripted(fx, "f1");
  struct script *b = scripted(fx, "f2");
  weir_operation *any = NULL;
  assert_int_equal(weir_any_new(fx->runtime, COUNTED(a->operation, b->operation), NULL, &any, NULL),
                   WEIR_OK);
  struct run *run = run_with(fx, waterfall(fx, COUNTED(any)), 1);
  weir_operation_unref(any);
  assert_failures(run, 2, (size_t[]){0, 1}, (int64_t[]){1, 2});
  assert_non_null(strstr(settled(run)->message, "step 1 of 1 failed: all 2 failed"));
}

static void F13_a_step_may_get_no_value(struct fixture *fx) {
  struct script *nothing = scripted(fx, "n");
  struct script *next = scripted(fx, "v2");
  struct run *run = run_with(fx, waterfall(fx, COUNTED(nothing->operation, next->operation)), 1);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(next->attempts[0].input, -1);
}

static void F13_ten_thousand_steps_need_no_stack(struct fixture *fx) {
  enum { STEPS = 10000 };
  struct script *script = scripted(fx, "v1");
  weir_operation **steps = malloc(STEPS * sizeof *steps);
  if (steps == NULL) abort();
  for (size_t i = 0; i < STEPS; i++) steps[i] = script->operation;
  struct run *run = run_with(fx, waterfall(fx, steps, STEPS), 1);
  free(steps);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(run)->attempts, STEPS);
}

static void F09_a_waterfall_of_nothing_gives_its_input(struct fixture *fx) {
  struct run *run = run_with(fx, waterfall(fx, NULL, 0), 42);
  assert_int_equal(settled(run)->value, 42);
  assert_int_equal(settled(run)->attempts, 0);
}

static void F08_a_cancel_between_steps_runs_no_later_one(struct fixture *fx) {
  struct script *first = scripted(fx, "v1");
  struct script *second = scripted(fx, "yield");
  struct script *third = scripted(fx, "v3");
  struct run *run = run_with(
      fx, waterfall(fx, COUNTED(first->operation, second->operation, third->operation)), 1);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(second->cancelled, 1);
  assert_int_equal(third->started, 0);
}

static void F22_a_retry_around_a_waterfall_begins_at_its_first_step(struct fixture *fx) {
  weir_retry_options options = plain(2, 10);
  weir_retry *retry = make_retry(fx, &options);
  struct script *first = scripted(fx, "v1 v11");
  struct script *second = scripted(fx, "f2 v12");
  weir_operation *both = waterfall(fx, COUNTED(first->operation, second->operation));
  struct run *run = begin_under(fx, weir_retry_policy(retry), both);
  weir_operation_unref(both);
  weir_retry_unref(retry);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 12);
  assert_int_equal(second->attempts[1].input, 11);
  assert_int_equal(settled(run)->attempts, 4);
}

static void a_deadline_flows_into_the_steps_left(struct fixture *fx) {
  struct script *first = scripted(fx, "v1+30");
  struct script *second = scripted(fx, "hang");
  weir_operation *both = waterfall(fx, COUNTED(first->operation, second->operation));
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 100;
  struct run *run = begin(fx, both, &options);
  weir_operation_unref(both);
  advance_ms(fx, 100);
  assert_int_equal(second->attempts[0].remaining_ns, 70 * MS);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_STOPPED);
}

static void C08_what_cannot_be_a_step_is_named(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_operation *out = (weir_operation *)1;
  weir_error *error = NULL;
  assert_int_equal(
      weir_waterfall_new(fx->runtime, COUNTED(script->operation, NULL), NULL, &out, &error),
      WEIR_EINVAL);
  assert_null(out);
  assert_message(error, "waterfall.operations[1] must not be NULL");
  assert_int_equal(weir_waterfall_new(fx->runtime, NULL, 1, NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "waterfall.operations must not be NULL");
  assert_int_equal(weir_waterfall_new(NULL, NULL, 0, NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "waterfall.runtime must not be NULL");
  assert_int_equal(weir_waterfall_new(fx->runtime, NULL, 0, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "waterfall.out must not be NULL");
}

TEST_MAIN("waterfall", TEST(U08_each_step_gets_the_value_of_the_one_before),
          TEST(a_failing_step_is_named_and_the_rest_does_not_run),
          TEST(a_refused_step_keeps_its_rejection),
          TEST(a_step_that_is_a_race_keeps_what_its_aggregate_lists),
          TEST(F13_a_step_may_get_no_value), LONG_TEST(F13_ten_thousand_steps_need_no_stack),
          TEST(F09_a_waterfall_of_nothing_gives_its_input),
          TEST(F08_a_cancel_between_steps_runs_no_later_one),
          TEST(F22_a_retry_around_a_waterfall_begins_at_its_first_step),
          TEST(a_deadline_flows_into_the_steps_left), TEST(C08_what_cannot_be_a_step_is_named))
