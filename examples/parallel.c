/* SPDX-License-Identifier: MIT */
/*
 * Process 20 items, 3 at a time, each in 5 seconds at most, keep going on errors, and count what
 * succeeded and what failed. (Time is divided by 100 here, so that the example ends soon.)
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/weir.h>

enum { ITEMS = 20, FASTER = 100 };

static void rest(int64_t ms) {
  struct timespec time = {0, (long)(ms / FASTER) * 1000000L};
  nanosleep(&time, NULL);
}

/* The work, on a thread of libuv's pool: item 5 is broken, item 11 takes far too long. */
static weir_status process(void *data, const weir_attempt *attempt, weir_value **value,
                           weir_error **error) {
  (void)data;
  int item = 0;
  memcpy(&item, weir_value_data(attempt->input), sizeof item);
  if (item == 5) {
    weir_error_new(attempt->runtime, WEIR_DOMAIN_USER, 1, "cannot be read", error);
    return WEIR_EFAILED;
  }
  rest(item == 11 ? 20000 : 1000);
  return weir_value_new_bytes(attempt->runtime, &item, sizeof item, value);
}

static void on_progress(void *data, uint64_t done, uint64_t total) {
  (void)data;
  if (done % 5 == 0) printf("%d of %d\n", (int)done, (int)total);
}

static weir_value *make_items(weir_runtime *runtime) {
  weir_value *items[ITEMS] = {NULL};
  weir_value *list = NULL;
  for (int i = 0; i < ITEMS; i++) weir_value_new_bytes(runtime, &i, sizeof i, &items[i]);
  weir_value_new_list(runtime, items, NULL, ITEMS, &list);
  weir_values_unref(items, ITEMS);
  return list;
}

static weir_operation *make_batch(weir_runtime *runtime, weir_value *items) {
  weir_operation *work = NULL;
  weir_operation *batch = NULL;
  weir_error *error = NULL;
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.concurrency = 3;
  options.item_timeout_ms = 5000 / FASTER;
  options.stop_on_error = 0;
  options.on_progress = on_progress;
  options.name = "item";
  weir_status status = weir_operation_new_blocking(runtime, process, NULL, NULL, &work, &error);
  if (status == WEIR_OK) status = weir_parallel_new_each(work, items, &options, &batch, &error);
  if (status != WEIR_OK) fprintf(stderr, "%s\n", weir_error_message(error));
  weir_error_unref(error);
  weir_operation_unref(work);
  return batch;
}

/* Item by item: a value, or an error. */
static int count_failures(const weir_value *results) {
  int failures = 0;
  for (size_t i = 0; i < weir_value_count(results); i++) {
    const weir_error *error = weir_value_item_error(results, i);
    if (error == NULL) continue;
    failures++;
    printf("item %zu: %s\n", i, weir_error_message(error));
  }
  return failures;
}

int main(void) {
  weir_runtime *runtime = NULL;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  if (weir_runtime_new(NULL, &runtime, NULL) != WEIR_OK) return 1;
  weir_value *items = make_items(runtime);
  weir_operation *batch = make_batch(runtime, items);
  weir_status status = weir_run_wait(batch, NULL, WEIR_FOREVER, &outcome, NULL);
  int failed = status == WEIR_OK ? count_failures(outcome.value) : -1;
  printf("%d succeeded, %d failed\n", ITEMS - failed, failed);
  weir_outcome_release(&outcome);
  weir_operation_unref(batch);
  weir_value_unref(items);
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  return failed >= 2 ? 0 : 1; /* on a busy machine others may take too long, too */
}
