/* SPDX-License-Identifier: MIT */
/* What cannot be raced, and how it is said. */

#include "flow.h"

static weir_operation *race(struct fixture *fx, weir_operation *const *operations, size_t count) {
  weir_operation *race = NULL;
  assert_int_equal(weir_race_new(fx->runtime, operations, count, NULL, &race, NULL), WEIR_OK);
  return race;
}

static void expect_refused(struct fixture *fx, weir_operation *const *operations, size_t count,
                           const weir_race_options *options, const char *message) {
  weir_operation *out = (weir_operation *)1;
  weir_error *error = NULL;
  assert_int_equal(weir_race_new(fx->runtime, operations, count, options, &out, &error),
                   WEIR_EINVAL);
  assert_null(out);
  assert_message(error, message);
}

static void F09_a_race_of_nothing_cannot_be_made(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  expect_refused(fx, &script->operation, 0, NULL, "race.count must be at least 1 (got 0)");
  expect_refused(fx, NULL, 0, NULL, "race.count must be at least 1 (got 0)");
  expect_refused(fx, NULL, 1, NULL, "race.operations must not be NULL");
  weir_operation *out = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_any_new(fx->runtime, NULL, 0, NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "any.count must be at least 1 (got 0)");
}

static void C08_what_cannot_race_is_named(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_operation *good = script->operation;
  expect_refused(fx, COUNTED(good, NULL, good), NULL, "race.operations[1] must not be NULL");
  expect_refused(fx, COUNTED(good), &(weir_race_options){sizeof(weir_race_options), 2, NULL, NULL},
                 "race.first_settled must be at most 1 (got 2)");
  static const uint8_t flags[] = {1, 7};
  expect_refused(fx, COUNTED(good, good),
                 &(weir_race_options){sizeof(weir_race_options), 0, flags, NULL},
                 "race.decisive[1] must be 0 or 1 (got 7)");
  expect_refused(fx, COUNTED(good), &(weir_race_options){sizeof(weir_race_options), 1, flags, NULL},
                 "race.decisive must be NULL beside first_settled");
  expect_refused(fx, &good, (size_t)-1, NULL, "race.count must be at most");
  weir_operation *out = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_race_new(NULL, COUNTED(good), NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "race.runtime must not be NULL");
  assert_int_equal(weir_race_new(fx->runtime, COUNTED(good), NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "race.out must not be NULL");
  assert_int_equal(weir_race_new(fx->runtime, COUNTED(good), &(weir_race_options){0, 0, NULL, NULL},
                                 &out, &error),
                   WEIR_EABI);
  weir_error_unref(error);
}

static void C08_a_racer_of_another_runtime_is_refused(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_runtime *other = NULL;
  weir_operation *strange = NULL;
  assert_int_equal(weir_testing_runtime_new(2, &other), WEIR_OK);
  assert_int_equal(weir_sleep_new(other, 1, WEIR_OK, NULL, NULL, &strange, NULL), WEIR_OK);
  expect_refused(fx, COUNTED(script->operation, strange), NULL,
                 "race.operations[1] must be of the same runtime");
  weir_operation_unref(strange);
  weir_runtime_unref(other);
}

static void C08_operations_nest_64_deep_and_no_deeper(struct fixture *fx) {
  struct script *script = scripted(fx, "f1");
  weir_operation *outer = weir_operation_ref(script->operation);
  for (int depth = 0; depth < 64; depth++) {
    weir_operation *inner = outer;
    outer = race(fx, &inner, 1);
    weir_operation_unref(inner);
  }
  expect_refused(fx, &outer, 1, NULL, "race.operations must not nest deeper than 64 (got 65)");
  struct run *run = run_once(fx, outer);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  assert_int_equal(settled(run)->attempts, 1);
}

static void C08_options_are_initialised_by_size(struct fixture *fx) {
  (void)fx;
  weir_race_options options;
  memset(&options, 0xff, sizeof options);
  weir_race_options_init(&options, sizeof options);
  static const weir_race_options defaults = WEIR_RACE_OPTIONS_INIT;
  assert_memory_equal(&options, &defaults, sizeof options);
}

TEST_MAIN("race", TEST(F09_a_race_of_nothing_cannot_be_made), TEST(C08_what_cannot_race_is_named),
          TEST(C08_a_racer_of_another_runtime_is_refused),
          TEST(C08_operations_nest_64_deep_and_no_deeper),
          TEST(C08_options_are_initialised_by_size))
