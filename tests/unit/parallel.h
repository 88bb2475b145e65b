/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_PARALLEL_H
#define WEIR_TESTS_PARALLEL_H

/* What the tests of parallel share. */

#include "flow.h"

static inline weir_parallel_options at_once(int64_t concurrency) {
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.concurrency = concurrency;
  return options;
}

static inline weir_operation *each(struct fixture *fx, weir_operation *operation, weir_value *items,
                                   const weir_parallel_options *options) {
  (void)fx;
  weir_operation *made = NULL;
  weir_error *error = NULL;
  weir_status status = weir_parallel_new_each(operation, items, options, &made, &error);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  return made;
}

/* A list of the numbers from `first` on. */
static inline weir_value *numbers(struct fixture *fx, int64_t first, size_t count) {
  weir_value *values[16] = {NULL};
  weir_value *list = NULL;
  assert_in_range(count, 0, 16);
  for (size_t i = 0; i < count; i++) values[i] = number_value(fx, first + (int64_t)i);
  assert_int_equal(weir_value_new_list(fx->runtime, values, NULL, count, &list), WEIR_OK);
  weir_values_unref(values, count);
  return list;
}

/* What listeners and deciders note. */
struct noted {
  struct fixture *fx;
  uint64_t pulls;
  uint64_t limit;     /* a pull ends there */
  uint64_t error_at;  /* a pull fails there; 0: nowhere */
  uint64_t items;     /* told */
  uint64_t last_item; /* index */
  uint64_t disorder;  /* told, but not after the one before */
  weir_status statuses[16];
  uint64_t steps; /* of progress */
  uint64_t done;
  uint64_t total;
  unsigned freed;
  weir_call *call; /* cancelled by the listener */
};

static inline uint32_t pull_number(void *data, uint64_t index, weir_value **item,
                                   weir_error **error) {
  struct noted *noted = data;
  expect(noted->fx, index == noted->pulls, "pulls come in their order");
  noted->pulls++;
  if (noted->error_at != 0 && index == noted->error_at) {
    weir_error_new(noted->fx->runtime, WEIR_DOMAIN_USER, 77, "no more pages", error);
    handed_over(*error);
    return WEIR_PULL_ERROR;
  }
  if (index == noted->limit) return WEIR_PULL_END;
  int64_t number = (int64_t)index;
  if (weir_value_new_bytes(noted->fx->runtime, &number, sizeof number, item) != WEIR_OK) {
    return WEIR_PULL_ERROR;
  }
  handed_over(*item);
  return WEIR_PULL_ITEM;
}

static inline void note_item(void *data, uint64_t index, const weir_outcome *outcome) {
  struct noted *noted = data;
  if (noted->items > 0 && index <= noted->last_item) noted->disorder++;
  noted->last_item = index;
  noted->items++;
  if (index < COUNT_OF(noted->statuses)) noted->statuses[index] = outcome->status;
  if (noted->call != NULL) weir_call_cancel(noted->call);
}

static inline void note_progress(void *data, uint64_t done, uint64_t total) {
  struct noted *noted = data;
  expect(noted->fx, done >= noted->done, "progress goes forwards");
  noted->steps++;
  noted->done = done;
  noted->total = total;
}

static inline void note_freed(void *data) { ((struct noted *)data)->freed++; }

static inline void listen_to_items(weir_parallel_options *options, struct noted *noted) {
  options->on_item = note_item;
  options->item_data = noted;
  options->item_free_data = note_freed;
}

static inline void listen_to_progress(weir_parallel_options *options, struct noted *noted) {
  options->on_progress = note_progress;
  options->progress_data = noted;
  options->progress_free_data = note_freed;
}

static inline void pull_from(weir_parallel_options *options, struct noted *noted) {
  options->pull = pull_number;
  options->pull_data = noted;
  options->pull_free_data = note_freed;
}

#endif
