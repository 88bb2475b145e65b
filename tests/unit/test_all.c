/* SPDX-License-Identifier: MIT */
/* all and all_settled: one list, in the order of the operations. */

#include "flow.h"
#include "support_retry.h"

typedef weir_status (*make_fn)(weir_runtime *runtime, weir_operation *const *operations,
                               size_t count, const char *name, weir_operation **out,
                               weir_error **error);

static weir_operation *made(struct fixture *fx, make_fn make, weir_operation *const *operations,
                            size_t count) {
  weir_operation *operation = NULL;
  weir_error *error = NULL;
  weir_status status = make(fx->runtime, operations, count, NULL, &operation, &error);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  return operation;
}

/* Wrapped functions are chosen by the linker only where they are called by name. */
static weir_status new_all(weir_runtime *runtime, weir_operation *const *operations, size_t count,
                           const char *name, weir_operation **out, weir_error **error) {
  return weir_all_new(runtime, operations, count, name, out, error);
}

static weir_status new_all_settled(weir_runtime *runtime, weir_operation *const *operations,
                                   size_t count, const char *name, weir_operation **out,
                                   weir_error **error) {
  return weir_all_settled_new(runtime, operations, count, name, out, error);
}

static void all_gives_the_values_in_the_order_of_the_operations(struct fixture *fx) {
  struct script *slow = scripted(fx, "v1+30");
  struct script *none = scripted(fx, "n");
  struct script *fast = scripted(fx, "v3+10");
  struct run *run =
      run_once(fx, made(fx, new_all, COUNTED(slow->operation, none->operation, fast->operation)));
  advance_ms(fx, 29);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(weir_value_count(outcome_of(run)->value), 3);
  assert_int_equal(item_number(run, 0), 1);
  assert_null(weir_value_item(outcome_of(run)->value, 1));
  assert_null(weir_value_item_error(outcome_of(run)->value, 1));
  assert_int_equal(item_number(run, 2), 3);
  assert_int_equal(settled(run)->attempts, 3);
}

static void the_first_failure_of_all_is_its_outcome_unchanged(struct fixture *fx) {
  struct script *deaf = scripted(fx, "hang");
  struct script *failing = scripted(fx, "F503@250+10");
  struct script *value = scripted(fx, "v3");
  struct run *run = run_once(
      fx, made(fx, new_all, COUNTED(deaf->operation, failing->operation, value->operation)));
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 503);
  assert_int_equal(settled(run)->domain, WEIR_DOMAIN_HTTP);
  assert_int_equal(settled(run)->final, 1);
  assert_int_equal(settled(run)->retry_after_ms, 250);
  assert_int_equal(deaf->attempts[0].cancel_reason, WEIR_CANCEL_LOST);
}

static void a_refusal_inside_of_all_comes_out_with_its_rejection(struct fixture *fx) {
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = "guard";
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  struct script *fetch = scripted(fx, "v1");
  weir_operation *guarded = NULL;
  assert_int_equal(weir_policy_wrap(weir_breaker_policy(breaker), fetch->operation, &guarded, NULL),
                   WEIR_OK);
  struct run *run = run_once(fx, made(fx, new_all, COUNTED(fetch->operation, guarded)));
  weir_operation_unref(guarded);
  weir_breaker_unref(breaker);
  assert_int_equal(settled(run)->status, WEIR_EOPEN);
  assert_true(settled(run)->has_rejection);
  assert_string_equal(settled(run)->rejection.name, "guard");
}

static void what_would_begin_after_the_failure_does_not(struct fixture *fx) {
  struct script *failing = scripted(fx, "f1");
  struct script *next = scripted(fx, "v2");
  struct run *run = run_once(fx, made(fx, new_all, COUNTED(failing->operation, next->operation)));
  assert_int_equal(settled(run)->code, 1);
  assert_int_equal(next->started, 0);
}

static void all_settled_lists_values_and_errors(struct fixture *fx) {
  struct script *failing = scripted(fx, "f1+20");
  struct script *value = scripted(fx, "v2");
  weir_operation *timed_out = sleep_of(fx, 10, WEIR_ETIMEDOUT);
  struct run *run = run_once(
      fx, made(fx, new_all_settled, COUNTED(failing->operation, value->operation, timed_out)));
  weir_operation_unref(timed_out);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(item_code(run, 0), 1);
  assert_int_equal(item_number(run, 1), 2);
  assert_int_equal(weir_error_status(weir_value_item_error(outcome_of(run)->value, 2)),
                   WEIR_ETIMEDOUT);
}

static void F09_all_of_nothing_is_an_empty_success(struct fixture *fx) {
  static const make_fn makers[] = {new_all, new_all_settled};
  for (size_t i = 0; i < COUNT_OF(makers); i++) {
    struct run *run = run_once(fx, made(fx, makers[i], NULL, 0));
    assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
    assert_int_equal(settled(run)->value_kind, WEIR_VALUE_LIST);
    assert_int_equal(weir_value_count(outcome_of(run)->value), 0);
  }
}

static void a_list_may_be_kept_longer_than_its_call(struct fixture *fx) {
  struct script *script = scripted(fx, "v1 f2");
  weir_operation *operation =
      made(fx, new_all_settled, COUNTED(script->operation, script->operation));
  struct run *run = run_once(fx, operation);
  weir_value *list = weir_value_ref(outcome_of(run)->value);
  weir_call_unref(run->call);
  run->call = NULL;
  assert_int_equal(value_number(weir_value_item(list, 0)), 1);
  assert_int_equal(weir_error_code(weir_value_item_error(list, 1)), 2);
  weir_value_unref(list);
}

static void a_cancel_frees_what_has_come(struct fixture *fx) {
  struct script *value = scripted(fx, "v1");
  struct script *out = scripted(fx, "yield");
  struct run *run = run_once(fx, made(fx, new_all, COUNTED(value->operation, out->operation)));
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(out->attempts[0].cancel_reason, WEIR_CANCEL_CALLER);
}

static void a_retry_around_all_begins_with_a_new_list(struct fixture *fx) {
  weir_retry_options options = plain(2, 10);
  weir_retry *retry = make_retry(fx, &options);
  struct script *first = scripted(fx, "v1 v11");
  struct script *second = scripted(fx, "f2 v12");
  weir_operation *both = made(fx, new_all, COUNTED(first->operation, second->operation));
  struct run *run = begin_under(fx, weir_retry_policy(retry), both);
  weir_operation_unref(both);
  weir_retry_unref(retry);
  advance_ms(fx, 10);
  assert_int_equal(item_number(run, 0), 11);
  assert_int_equal(item_number(run, 1), 12);
}

static void all_of_a_hundred_thousand_operations(struct fixture *fx) {
  enum { MANY = 100000 };
  struct script *script = scripted(fx, "v1");
  weir_operation **operations = malloc(MANY * sizeof *operations);
  if (operations == NULL) abort();
  for (size_t i = 0; i < MANY; i++) operations[i] = script->operation;
  struct run *run = run_once(fx, made(fx, new_all, operations, MANY));
  free(operations);
  assert_int_equal(weir_value_count(outcome_of(run)->value), MANY);
  assert_int_equal(item_number(run, MANY - 1), 1);
  assert_int_equal(settled(run)->attempts, MANY);
  /* What completes at once needs no block for each. */
  assert_in_range(fx->memory.peak_bytes, 1, MANY * 100);
}

static void C08_what_all_cannot_run_is_named(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_operation *out = (weir_operation *)1;
  weir_error *error = NULL;
  assert_int_equal(weir_all_new(fx->runtime, COUNTED(script->operation, NULL), NULL, &out, &error),
                   WEIR_EINVAL);
  assert_null(out);
  assert_message(error, "all.operations[1] must not be NULL");
  assert_int_equal(weir_all_settled_new(fx->runtime, NULL, 2, NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "all_settled.operations must not be NULL");
  assert_int_equal(weir_all_new(NULL, COUNTED(script->operation), NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "all.runtime must not be NULL");
  assert_int_equal(weir_all_new(fx->runtime, COUNTED(script->operation), NULL, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "all.out must not be NULL");
}

TEST_MAIN("all", TEST(all_gives_the_values_in_the_order_of_the_operations),
          TEST(the_first_failure_of_all_is_its_outcome_unchanged),
          TEST(a_refusal_inside_of_all_comes_out_with_its_rejection),
          TEST(what_would_begin_after_the_failure_does_not),
          TEST(all_settled_lists_values_and_errors), TEST(F09_all_of_nothing_is_an_empty_success),
          TEST(a_list_may_be_kept_longer_than_its_call), TEST(a_cancel_frees_what_has_come),
          TEST(a_retry_around_all_begins_with_a_new_list),
          LONG_TEST(all_of_a_hundred_thousand_operations), TEST(C08_what_all_cannot_run_is_named))
