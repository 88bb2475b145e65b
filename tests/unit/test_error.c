/* SPDX-License-Identifier: MIT */
/* Errors: what went wrong, in whose numbers, with what cause; and the names of the statuses. */

#include "support.h"

static void error_carries_domain_code_and_message(struct fixture *fx) {
  char message[] = "overloaded";
  weir_error *error = NULL;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_HTTP, 503, message, &error), WEIR_OK);
  memset(message, 'x', sizeof message - 1);

  assert_int_equal(weir_error_status(error), WEIR_EFAILED);
  assert_int_equal(weir_error_domain(error), WEIR_DOMAIN_HTTP);
  assert_int_equal(weir_error_code(error), 503);
  assert_string_equal(weir_error_message(error), "overloaded");
  assert_null(weir_error_cause(error));
  assert_null(weir_error_detail(error));
  assert_int_equal(weir_error_count(error), 0);
  assert_null(weir_error_at(error, 0, NULL));
  weir_error_unref(error);
}

static void error_keeps_extreme_codes(struct fixture *fx) {
  static const int64_t codes[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
  for (size_t i = 0; i < COUNT_OF(codes); i++) {
    weir_error *error = NULL;
    assert_int_equal(weir_error_new(fx->runtime, UINT32_MAX, codes[i], NULL, &error), WEIR_OK);
    assert_true(weir_error_code(error) == codes[i]);
    assert_int_equal(weir_error_domain(error), UINT32_MAX);
    assert_string_equal(weir_error_message(error), "");
    weir_error_unref(error);
  }
}

static void error_holds_a_reference_of_cause_and_detail(struct fixture *fx) {
  unsigned freed = 0;
  weir_error *cause = NULL;
  weir_error *error = NULL;
  weir_value *detail = NULL;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_ERRNO, 111, "refused", &cause), WEIR_OK);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &detail), WEIR_OK);
  assert_int_equal(
      weir_error_new_with(fx->runtime, WEIR_DOMAIN_USER, 1, "no user", cause, detail, &error),
      WEIR_OK);
  weir_error_unref(cause);
  weir_value_unref(detail);

  assert_string_equal(weir_error_message(weir_error_cause(error)), "refused");
  assert_ptr_equal(weir_value_pointer(weir_error_detail(error)), &freed);
  assert_int_equal(freed, 0);
  weir_error_unref(error);
  assert_int_equal(freed, 1);
}

static void error_chain_of_many_causes_is_freed_without_recursion(struct fixture *fx) {
  enum { DEPTH = 200000 };
  weir_error *error = NULL;
  for (int i = 0; i < DEPTH; i++) {
    weir_error *outer = NULL;
    assert_int_equal(weir_error_new_with(fx->runtime, 0, i, NULL, error, NULL, &outer), WEIR_OK);
    weir_error_unref(error);
    error = outer;
  }
  weir_error_unref(error);
}

static void error_getters_answer_for_no_error(struct fixture *fx) {
  (void)fx;
  size_t index = 7;
  assert_int_equal(weir_error_status(NULL), WEIR_OK);
  assert_int_equal(weir_error_domain(NULL), 0);
  assert_int_equal(weir_error_code(NULL), 0);
  assert_string_equal(weir_error_message(NULL), "");
  assert_null(weir_error_cause(NULL));
  assert_null(weir_error_detail(NULL));
  assert_int_equal(weir_error_count(NULL), 0);
  assert_null(weir_error_at(NULL, 0, &index));
  assert_null(weir_error_ref(NULL));
  weir_error_unref(NULL);
}

static void error_arguments_are_checked(struct fixture *fx) {
  assert_int_equal(weir_error_new(fx->runtime, 0, 0, "x", NULL), WEIR_EINVAL);
  assert_int_equal(weir_error_new_with(fx->runtime, 0, 0, "x", NULL, NULL, NULL), WEIR_EINVAL);
}

static void error_outlives_its_runtime(struct fixture *fx) {
  weir_error *error = NULL;
  assert_int_equal(weir_error_new(fx->runtime, 5, 6, "late", &error), WEIR_OK);
  weir_error_ref(error);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  weir_error_unref(error);
  assert_string_equal(weir_error_message(error), "late");
  assert_int_equal(fx->memory.released, 0);
  weir_error_unref(error);
  assert_int_equal(fx->memory.released, 1);
}

static void error_without_a_runtime_is_malloced(struct fixture *fx) {
  uint64_t before = fx->memory.allocations;
  weir_error *error = NULL;
  assert_int_equal(weir_error_new(NULL, 1, 2, "standing alone", &error), WEIR_OK);
  assert_string_equal(weir_error_message(error), "standing alone");
  assert_int_equal(fx->memory.allocations, before);
  weir_error_unref(error);
}

static void error_keeps_a_long_message_whole(struct fixture *fx) {
  static char message[10000];
  memset(message, 'm', sizeof message - 1);
  weir_error *error = NULL;
  assert_int_equal(weir_error_new(fx->runtime, 0, 0, message, &error), WEIR_OK);
  assert_string_equal(weir_error_message(error), message);
  weir_error_unref(error);
}

static const struct {
  weir_status status;
  const char *name;
} statuses[] = {
    {0, "WEIR_OK"},           {-1, "WEIR_EINVAL"},       {-2, "WEIR_ENOMEM"},
    {-3, "WEIR_EABI"},        {-4, "WEIR_ECANCELLED"},   {-5, "WEIR_ETIMEDOUT"},
    {-6, "WEIR_ENOTIME"},     {-7, "WEIR_EOPEN"},        {-8, "WEIR_ELIMITED"},
    {-9, "WEIR_EFULL"},       {-10, "WEIR_EFAILED"},     {-11, "WEIR_EAGGREGATE"},
    {-12, "WEIR_EEXHAUSTED"}, {-13, "WEIR_ESUPERSEDED"}, {-14, "WEIR_ESTALE"},
    {-15, "WEIR_ECLOSED"},    {-16, "WEIR_ENOTFOUND"},   {-17, "WEIR_EEXISTS"},
    {-18, "WEIR_ENOTSUP"},    {-19, "WEIR_ETHREAD"},     {-20, "WEIR_EEXPIRED"},
    {-21, "WEIR_EFORKED"},    {-22, "WEIR_ESTOP"},
};

static void status_numbers_are_fixed_and_named(struct fixture *fx) {
  (void)fx;
  for (size_t i = 0; i < COUNT_OF(statuses); i++) {
    assert_string_equal(weir_status_name(statuses[i].status), statuses[i].name);
    assert_true(strlen(weir_status_message(statuses[i].status)) > 3);
    for (size_t j = 0; j < i; j++) {
      assert_string_not_equal(weir_status_message(statuses[i].status),
                              weir_status_message(statuses[j].status));
    }
  }
}

static void status_that_is_none_is_unknown(struct fixture *fx) {
  (void)fx;
  static const weir_status unknown[] = {1, -23, -1000, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < COUNT_OF(unknown); i++) {
    assert_string_equal(weir_status_name(unknown[i]), "WEIR_UNKNOWN");
    assert_true(strlen(weir_status_message(unknown[i])) > 3);
  }
}

TEST_MAIN("error", TEST(error_carries_domain_code_and_message), TEST(error_keeps_extreme_codes),
          TEST(error_holds_a_reference_of_cause_and_detail),
          LONG_TEST(error_chain_of_many_causes_is_freed_without_recursion),
          TEST(error_getters_answer_for_no_error), TEST(error_arguments_are_checked),
          TEST(error_outlives_its_runtime), TEST(error_without_a_runtime_is_malloced),
          TEST(error_keeps_a_long_message_whole), TEST(status_numbers_are_fixed_and_named),
          TEST(status_that_is_none_is_unknown))
