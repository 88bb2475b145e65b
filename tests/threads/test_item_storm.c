/* SPDX-License-Identifier: MIT */
/* The ITEM records of a parallel are drained on another thread than the one its items end on: each
 * comes once, and before its run's. */

#include "../unit/support.h"

enum { RUNS = 40, ITEMS = 1000 };

static void answer(void *data, weir_attempt *attempt) {
  (void)data;
  if (attempt->index % 4 == 3) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 1, NULL);
  } else {
    weir_complete_bytes(attempt->runtime, attempt->token, &attempt->index, 8);
  }
}

struct counts {
  uint64_t items[RUNS];
  uint64_t sums[RUNS]; /* of the indices */
  uint64_t settled;
  uint64_t wrong;
};

static void count_item(struct counts *counts, const weir_record *record) {
  uint64_t run = record->user;
  counts->items[run]++;
  counts->sums[run] += record->detail;
  if (record->channel == WEIR_CHANNEL_VALUE) {
    weir_value *value = (weir_value *)(uintptr_t)record->object;
    if (weir_value_size(value) != 8 || memcmp(weir_value_data(value), &record->detail, 8) != 0) {
      counts->wrong++;
    }
    weir_value_unref(value);
  } else {
    if (record->detail % 4 != 3) counts->wrong++;
    weir_error_unref((weir_error *)(uintptr_t)record->object);
  }
}

static void count_record(struct counts *counts, const weir_record *record) {
  if (record->kind == WEIR_RECORD_ITEM) count_item(counts, record);
  if (record->kind != WEIR_RECORD_SETTLED) return;
  counts->settled++;
  if (counts->items[record->user] != ITEMS) counts->wrong++;
}

static weir_operation *make_parallel(weir_runtime *runtime, weir_completions *queue) {
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  weir_operation *each = NULL;
  weir_operation *all = NULL;
  weir_value *none[ITEMS] = {NULL};
  weir_value *items = NULL;
  options.concurrency = 16;
  options.stop_on_error = 0;
  options.queue = queue;
  options.user = WEIR_USER_OF_RUN;
  assert_int_equal(weir_value_new_list(runtime, none, NULL, ITEMS, &items), WEIR_OK);
  assert_int_equal(weir_operation_new(runtime, answer, NULL, NULL, &each, NULL), WEIR_OK);
  assert_int_equal(weir_parallel_new_each(each, items, &options, &all, NULL), WEIR_OK);
  weir_operation_unref(each);
  weir_value_unref(items);
  return all;
}

static void every_item_comes_once_and_before_its_run(struct fixture *fx) {
  static struct counts counts;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  weir_runtime *runtime = NULL;
  weir_completions *queue = NULL;
  weir_record records[64];
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(runtime, NULL, &queue, NULL), WEIR_OK);
  weir_operation *all = make_parallel(runtime, queue);
  run_options.queue = queue;
  for (uint64_t i = 0; i < RUNS; i++) {
    run_options.user = i;
    run_options.context = (void *)(uintptr_t)i;
    assert_int_equal(weir_run(all, &run_options, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  }
  weir_operation_unref(all);
  while (counts.settled < RUNS) {
    size_t count = 0;
    weir_completions_wait(queue, records, sizeof *records, 64, WEIR_FOREVER, &count);
    for (size_t i = 0; i < count; i++) count_record(&counts, &records[i]);
  }
  assert_int_equal(counts.wrong, 0);
  for (size_t i = 0; i < RUNS; i++) assert_int_equal(counts.sums[i], ITEMS * (ITEMS - 1) / 2);
  weir_completions_unref(queue);
  assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(runtime);
}

TEST_MAIN("item storm", LONG_TEST(every_item_comes_once_and_before_its_run))
