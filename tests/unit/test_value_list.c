/* SPDX-License-Identifier: MIT */
/* Lists: values that hold values and errors, in a fixed order. */

#include "support.h"

static weir_error *coded_error(struct fixture *fx, int64_t code) {
  weir_error *error = NULL;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_USER, code, "item", &error), WEIR_OK);
  return error;
}

static weir_value *list_of(struct fixture *fx, weir_value *const *values, size_t count) {
  weir_value *list = NULL;
  assert_int_equal(weir_value_new_list(fx->runtime, values, NULL, count, &list), WEIR_OK);
  return list;
}

static void list_holds_values_and_errors_in_their_places(struct fixture *fx) {
  weir_value *values[4] = {number_value(fx, 1), number_value(fx, 2), NULL, number_value(fx, 4)};
  weir_error *errors[4] = {NULL, coded_error(fx, 22), NULL, NULL};
  weir_value *list = NULL;
  assert_int_equal(weir_value_new_list(fx->runtime, values, errors, 4, &list), WEIR_OK);
  weir_values_unref(values, 4);
  weir_error_unref(errors[1]);

  assert_int_equal(weir_value_kind(list), WEIR_VALUE_LIST);
  assert_int_equal(weir_value_count(list), 4);
  assert_int_equal(value_number(weir_value_item(list, 0)), 1);
  assert_null(weir_value_item_error(list, 0));
  assert_null(weir_value_item(list, 1)); /* an error beside a value: the error is the item */
  assert_int_equal(weir_error_code(weir_value_item_error(list, 1)), 22);
  assert_null(weir_value_item(list, 2));
  assert_null(weir_value_item_error(list, 2));
  assert_int_equal(value_number(weir_value_item(list, 3)), 4);
  weir_value_unref(list);
}

static void list_frees_each_item_with_its_last_reference(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &value), WEIR_OK);
  weir_value *values[3] = {value, value, value};
  weir_value *list = list_of(fx, values, 3);
  weir_value_unref(value);
  assert_int_equal(freed, 0);
  assert_ptr_equal(weir_value_ref(list), list);
  weir_value_unref(list);
  assert_ptr_equal(weir_value_pointer(weir_value_item(list, 2)), &freed);
  weir_value_unref(list);
  assert_int_equal(freed, 1);
}

static void list_of_nothing_is_legal(struct fixture *fx) {
  weir_value *list = list_of(fx, NULL, 0);
  assert_int_equal(weir_value_kind(list), WEIR_VALUE_LIST);
  assert_int_equal(weir_value_count(list), 0);
  assert_null(weir_value_item(list, 0));
  assert_null(weir_value_item_error(list, 0));
  weir_value_unref(list);
}

static void list_of_errors_alone_needs_no_values(struct fixture *fx) {
  weir_error *errors[2] = {coded_error(fx, 1), NULL};
  weir_value *list = NULL;
  assert_int_equal(weir_value_new_list(fx->runtime, NULL, errors, 2, &list), WEIR_OK);
  weir_error_unref(errors[0]);
  assert_int_equal(weir_error_code(weir_value_item_error(list, 0)), 1);
  assert_null(weir_value_item(list, 0));
  assert_null(weir_value_item_error(list, 1));
  weir_value_unref(list);
}

static void list_getters_answer_for_what_is_no_list(struct fixture *fx) {
  weir_value *number = number_value(fx, 7);
  assert_int_equal(weir_value_count(NULL), 0);
  assert_null(weir_value_item(NULL, 0));
  assert_null(weir_value_item_error(NULL, 0));
  assert_int_equal(weir_value_count(number), 0);
  assert_null(weir_value_item(number, 0));
  assert_null(weir_value_item_error(number, 0));

  weir_value *list = list_of(fx, &number, 1);
  weir_value_unref(number);
  assert_null(weir_value_data(list));
  assert_int_equal(weir_value_size(list), 0);
  assert_null(weir_value_pointer(list));
  assert_int_equal(weir_value_host_id(list), 0);
  assert_null(weir_value_item(list, 1));
  assert_null(weir_value_item(list, SIZE_MAX));
  weir_value_unref(list);
}

static void list_arguments_are_checked(struct fixture *fx) {
  weir_value *number = number_value(fx, 7);
  weir_value *list = number;
  assert_int_equal(weir_value_new_list(fx->runtime, &number, NULL, 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_value_new_list(fx->runtime, NULL, NULL, 1, &list), WEIR_EINVAL);
  assert_null(list);
  assert_int_equal(weir_value_new_list(fx->runtime, &number, NULL, SIZE_MAX / 4, &list),
                   WEIR_ENOMEM);
  assert_null(list);
  weir_value_unref(number);
}

static void list_without_memory_takes_no_reference(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *value = NULL;
  weir_value *list = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &value), WEIR_OK);
  memory_fail(&fx->memory, 1, 0);
  assert_int_equal(weir_value_new_list(fx->runtime, &value, NULL, 1, &list), WEIR_ENOMEM);
  memory_fail(&fx->memory, 0, 0);
  assert_null(list);
  weir_value_unref(value);
  assert_int_equal(freed, 1);
}

static void lists_within_lists_are_freed_without_recursion(struct fixture *fx) {
  enum { DEPTH = 300000 };
  weir_value *list = list_of(fx, NULL, 0);
  for (size_t i = 0; i < DEPTH; i++) {
    weir_value *outer = list_of(fx, &list, 1);
    weir_value_unref(list);
    list = outer;
  }
  weir_value_unref(list);
  assert_int_equal(fx->memory.wrong_sizes, 0);
}

static void lists_beside_each_other_in_a_list_are_all_freed(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *value = NULL;
  weir_value *lists[3];
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &value), WEIR_OK);
  for (size_t i = 0; i < COUNT_OF(lists); i++) lists[i] = list_of(fx, &value, 1);
  weir_value *outer = list_of(fx, lists, COUNT_OF(lists));
  weir_value_unref(value);
  for (size_t i = 0; i < COUNT_OF(lists); i++) weir_value_unref(lists[i]);
  assert_int_equal(freed, 0);
  weir_value_unref(outer);
  assert_int_equal(freed, 1);
}

/* Two lists hold a third, which is freed with the last of them. */
static void a_list_in_two_lists_is_freed_once(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &value), WEIR_OK);
  weir_value *inner = list_of(fx, &value, 1);
  weir_value_unref(value);
  weir_value *twice[2] = {inner, inner};
  weir_value *one = list_of(fx, twice, 2);
  weir_value *other = list_of(fx, &inner, 1);
  weir_value_unref(inner);
  weir_value_unref(one);
  assert_int_equal(freed, 0);
  weir_value_unref(other);
  assert_int_equal(freed, 1);
}

static void list_outlives_its_runtime(struct fixture *fx) {
  weir_value *number = number_value(fx, 7);
  weir_value *list = list_of(fx, &number, 1);
  weir_value_unref(number);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  assert_int_equal(value_number(weir_value_item(list, 0)), 7);
  weir_value_unref(list);
  assert_int_equal(fx->memory.released, 1);
}

static void start_with_list(void *data, weir_attempt *attempt) {
  weir_complete(attempt->runtime, attempt->token, weir_value_ref(data));
}

static void a_run_settles_with_a_list_and_its_outcome_is_described(struct fixture *fx) {
  weir_value *number = number_value(fx, 7);
  weir_value *list = list_of(fx, &number, 1);
  weir_value_unref(number);
  weir_operation *operation = NULL;
  assert_int_equal(weir_operation_new(fx->runtime, start_with_list, list, NULL, &operation, NULL),
                   WEIR_OK);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_LIST);
  const weir_outcome *outcome = weir_call_outcome(run->call);
  assert_int_equal(value_number(weir_value_item(outcome->value, 0)), 7);
  char line[80];
  weir_outcome_describe(outcome, line, sizeof line);
  assert_string_equal(line, "succeeded after 1 attempt in 0.000 ms");
  weir_value_unref(list);
}

/* A drained record hands the list over like any other value. */
static void a_list_arrives_by_a_record(struct fixture *fx) {
  weir_completions *queue = NULL;
  weir_operation *operation = NULL;
  weir_record record = {0};
  weir_value *number = number_value(fx, 7);
  weir_value *list = list_of(fx, &number, 1);
  weir_value_unref(number);
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(fx->runtime, start_with_list, list, NULL, &operation, NULL),
                   WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.queue = queue;
  assert_int_equal(weir_run(operation, &options, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  run_until_idle(fx);
  weir_value_unref(list);
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
  weir_value *drained = (weir_value *)(uintptr_t)record.object;
  assert_int_equal(weir_value_count(drained), 1);
  assert_int_equal(value_number(weir_value_item(drained, 0)), 7);
  weir_value_unref(drained);
  weir_operation_unref(operation);
  weir_completions_unref(queue);
}

TEST_MAIN("value list", TEST(list_holds_values_and_errors_in_their_places),
          TEST(list_frees_each_item_with_its_last_reference), TEST(list_of_nothing_is_legal),
          TEST(list_of_errors_alone_needs_no_values), TEST(list_getters_answer_for_what_is_no_list),
          TEST(list_arguments_are_checked), TEST(list_without_memory_takes_no_reference),
          LONG_TEST(lists_within_lists_are_freed_without_recursion),
          TEST(lists_beside_each_other_in_a_list_are_all_freed),
          TEST(a_list_in_two_lists_is_freed_once), TEST(list_outlives_its_runtime),
          TEST(a_run_settles_with_a_list_and_its_outcome_is_described),
          TEST(a_list_arrives_by_a_record))
