/* SPDX-License-Identifier: MIT */
/* Values (but lists): immutable, counted, freed once, on any thread and after their runtime. */

#include "support.h"

static void value_of_bytes_is_an_aligned_copy(struct fixture *fx) {
  char text[] = "seventeen bytes..";
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, text, sizeof text, &value), WEIR_OK);
  memset(text, 'x', sizeof text);

  assert_int_equal(weir_value_kind(value), WEIR_VALUE_BYTES);
  assert_int_equal(weir_value_size(value), 18);
  assert_string_equal(weir_value_data(value), "seventeen bytes..");
  assert_int_equal((uintptr_t)weir_value_data(value) % 16, 0);
  assert_null(weir_value_pointer(value));
  assert_int_equal(weir_value_host_id(value), 0);
  weir_value_unref(value);
}

static void value_of_no_bytes_is_legal(struct fixture *fx) {
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, NULL, 0, &value), WEIR_OK);
  assert_non_null(value);
  assert_int_equal(weir_value_kind(value), WEIR_VALUE_BYTES);
  assert_int_equal(weir_value_size(value), 0);
  weir_value_unref(value);
}

static void value_of_every_size_keeps_its_bytes(struct fixture *fx) {
  char bytes[300];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7);
  for (size_t size = 0; size < sizeof bytes; size++) {
    weir_value *value = NULL;
    assert_int_equal(weir_value_new_bytes(fx->runtime, bytes, size, &value), WEIR_OK);
    assert_int_equal(weir_value_size(value), size);
    if (size > 0) assert_memory_equal(weir_value_data(value), bytes, size);
    weir_value_unref(value);
  }
}

static void value_of_a_pointer_frees_it_with_its_last_reference(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &value), WEIR_OK);
  assert_int_equal(weir_value_kind(value), WEIR_VALUE_POINTER);
  assert_ptr_equal(weir_value_pointer(value), &freed);
  assert_null(weir_value_data(value));
  assert_int_equal(weir_value_size(value), 0);

  assert_ptr_equal(weir_value_ref(value), value);
  weir_value_unref(value);
  assert_int_equal(freed, 0);
  weir_value_unref(value);
  assert_int_equal(freed, 1);
}

static void value_of_a_pointer_without_a_free_function(struct fixture *fx) {
  int thing = 0;
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, &thing, NULL, &value), WEIR_OK);
  assert_ptr_equal(weir_value_pointer(value), &thing);
  weir_value_unref(value);
}

static void value_getters_answer_for_no_value(struct fixture *fx) {
  (void)fx;
  assert_int_equal(weir_value_kind(NULL), WEIR_VALUE_NONE);
  assert_null(weir_value_data(NULL));
  assert_int_equal(weir_value_size(NULL), 0);
  assert_null(weir_value_pointer(NULL));
  assert_int_equal(weir_value_host_id(NULL), 0);
  assert_null(weir_value_ref(NULL));
  weir_value_unref(NULL);
  weir_values_unref(NULL, 0);
}

static void value_arguments_are_checked(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, "x", 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_value_new_bytes(fx->runtime, NULL, 1, &value), WEIR_EINVAL);
  assert_int_equal(weir_value_new_host(NULL, 1, &value), WEIR_EINVAL);
  assert_null(value);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 1);
}

static void value_too_large_is_no_memory(struct fixture *fx) {
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, "x", SIZE_MAX, &value), WEIR_ENOMEM);
  assert_int_equal(weir_value_new_bytes(fx->runtime, "x", SIZE_MAX - 64, &value), WEIR_ENOMEM);
  assert_null(value);
}

static void value_outlives_its_runtime(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *bytes = NULL;
  weir_value *pointer = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, "kept", 5, &bytes), WEIR_OK);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &pointer), WEIR_OK);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;

  assert_string_equal(weir_value_data(bytes), "kept");
  assert_int_equal(fx->memory.released, 0);
  weir_value_unref(bytes);
  assert_int_equal(fx->memory.released, 0);
  weir_value_unref(pointer);
  assert_int_equal(freed, 1);
  assert_int_equal(fx->memory.released, 1);
}

static void value_without_a_runtime_is_malloced(struct fixture *fx) {
  uint64_t before = fx->memory.allocations;
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_bytes(NULL, "x", 2, &value), WEIR_OK);
  assert_string_equal(weir_value_data(value), "x");
  assert_int_equal(fx->memory.allocations, before);
  weir_value_unref(value);
}

static void values_unref_skips_nulls_and_frees_each_once(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *values[5] = {NULL, NULL, NULL, NULL, NULL};
  for (size_t i = 0; i < COUNT_OF(values); i += 2) {
    assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &values[i]), WEIR_OK);
  }
  weir_values_unref(values, COUNT_OF(values));
  assert_int_equal(freed, 3);
}

static void value_is_unique_while_it_has_one_reference(struct fixture *fx) {
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, "x", 1, &value), WEIR_OK);
  assert_int_equal(weir_value_is_unique(value), 1);
  weir_value_ref(value);
  assert_int_equal(weir_value_is_unique(value), 0);
  weir_value_unref(value);
  assert_int_equal(weir_value_is_unique(value), 1);
  weir_value_unref(value);
  assert_int_equal(weir_value_is_unique(NULL), 0);
}

static void free_other(void *pointer) { (void)pointer; }

static void pointer_is_told_by_what_frees_it(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *mine = NULL;
  weir_value *bare = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &mine), WEIR_OK);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, NULL, &bare), WEIR_OK);
  assert_ptr_equal(weir_value_pointer_of(mine, count_free), &freed);
  assert_null(weir_value_pointer_of(mine, free_other));
  assert_null(weir_value_pointer_of(mine, NULL));
  assert_null(weir_value_pointer_of(bare, NULL));
  assert_null(weir_value_pointer_of(NULL, count_free));
  weir_value_unref(mine);
  weir_value_unref(bare);
}

static void host_value_posts_released_when_its_last_reference_goes(struct fixture *fx) {
  weir_completions *queue = NULL;
  weir_value *value = NULL;
  weir_record record;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  assert_int_equal(weir_value_new_host(queue, 77, &value), WEIR_OK);
  assert_int_equal(weir_value_kind(value), WEIR_VALUE_HOST);
  assert_int_equal(weir_value_host_id(value), 77);
  weir_value_ref(value);
  weir_value_unref(value);
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 0);

  weir_value_unref(value);
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
  assert_int_equal(record.kind, WEIR_RECORD_RELEASED);
  assert_int_equal(record.object, 77);
  weir_completions_unref(queue);
}

static void host_value_keeps_its_queue_alive(struct fixture *fx) {
  weir_completions *queue = NULL;
  weir_value *value = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  assert_int_equal(weir_value_new_host(queue, 1, &value), WEIR_OK);
  weir_completions_unref(queue);
  run_until_idle(fx);
  assert_int_equal(weir_value_host_id(value), 1);
  weir_value_unref(value); /* nobody will drain its record: freed with the queue */
}

static void host_value_is_told_by_its_queue(struct fixture *fx) {
  weir_completions *mine = NULL;
  weir_completions *other = NULL;
  weir_value *value = NULL;
  weir_value *bytes = number_value(fx, 1);
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &mine, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &other, NULL), WEIR_OK);
  assert_int_equal(weir_value_new_host(mine, 5, &value), WEIR_OK);
  assert_int_equal(weir_value_host_id_of(value, mine), 5);
  assert_int_equal(weir_value_host_id_of(value, other), 0);
  assert_int_equal(weir_value_host_id_of(value, NULL), 0);
  assert_int_equal(weir_value_host_id_of(NULL, mine), 0);
  assert_int_equal(weir_value_host_id_of(bytes, mine), 0);
  weir_value_unref(bytes);
  weir_value_unref(value);
  weir_completions_unref(mine);
  weir_completions_unref(other);
}

TEST_MAIN("value", TEST(value_of_bytes_is_an_aligned_copy), TEST(value_of_no_bytes_is_legal),
          TEST(value_of_every_size_keeps_its_bytes),
          TEST(value_of_a_pointer_frees_it_with_its_last_reference),
          TEST(value_of_a_pointer_without_a_free_function), TEST(value_getters_answer_for_no_value),
          TEST(value_arguments_are_checked), TEST(value_too_large_is_no_memory),
          TEST(value_outlives_its_runtime), TEST(value_without_a_runtime_is_malloced),
          TEST(values_unref_skips_nulls_and_frees_each_once),
          TEST(value_is_unique_while_it_has_one_reference), TEST(pointer_is_told_by_what_frees_it),
          TEST(host_value_posts_released_when_its_last_reference_goes),
          TEST(host_value_keeps_its_queue_alive), TEST(host_value_is_told_by_its_queue))
