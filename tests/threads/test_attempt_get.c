/* SPDX-License-Identifier: MIT */
/* weir_attempt_get() beside everything that ends an attempt: cancels, deadlines, settlements on the
 * runtime's thread, and a completing call on another. */

#include <sched.h>
#include <stdatomic.h>

#include "../unit/support.h"

enum { RUNS = 20000, AT_ONCE = 64, KEY_SIZE = 8 };

struct storm {
  weir_runtime *runtime;
  weir_completions *queue;
  weir_operation *operation;
  _Atomic weir_token latest;
  _Atomic int over;
  _Atomic uint64_t out;   /* runs that have not settled */
  _Atomic uint64_t wrong; /* shown otherwise than it was begun */
  _Atomic uint64_t shown;
  _Atomic uint64_t stale;
  uint64_t settled;
};

/* What a run was begun with says who it is, three times. */
static void compare(struct storm *storm, const weir_attempt *attempt, uint64_t user) {
  char key[KEY_SIZE + 1];
  snprintf(key, sizeof key, "%08llu", (unsigned long long)user);
  int right = (uint64_t)(uintptr_t)attempt->context == user && attempt->key_size == KEY_SIZE &&
              memcmp(attempt->key, key, KEY_SIZE) == 0 && attempt->number == 1 &&
              weir_value_size(attempt->input) == KEY_SIZE;
  if (!right) atomic_fetch_add(&storm->wrong, 1);
  atomic_fetch_add(&storm->shown, 1);
}

/* The one that may complete it: what it is shown stays until it does. */
static void serve_start(struct storm *storm, const weir_record *record) {
  weir_attempt attempt = {.size = sizeof attempt};
  weir_outcome failed = WEIR_OUTCOME_INIT;
  weir_value_unref((weir_value *)(uintptr_t)record->detail);
  atomic_store(&storm->latest, record->object);
  for (uint32_t i = 0; i < 1 + record->user % 3; i++) {
    if (weir_attempt_get(storm->runtime, record->object, &attempt, &failed) != WEIR_OK) {
      atomic_fetch_add(&storm->wrong, 1);
    }
    compare(storm, &attempt, record->user);
    if (record->user % 8 == 0) sched_yield();
  }
  weir_complete(storm->runtime, record->object, NULL);
}

static void *serve(void *data) {
  struct storm *storm = data;
  weir_record records[16];
  while (storm->settled < RUNS) {
    size_t count = 0;
    weir_completions_wait(storm->queue, records, sizeof *records, 16, WEIR_FOREVER, &count);
    for (size_t i = 0; i < count; i++) {
      if (records[i].kind == WEIR_RECORD_START) serve_start(storm, &records[i]);
      if (records[i].kind != WEIR_RECORD_SETTLED) continue;
      storm->settled++;
      atomic_fetch_sub(&storm->out, 1);
      if (records[i].channel == WEIR_CHANNEL_VALUE) continue;
      weir_error_unref((weir_error *)(uintptr_t)records[i].object);
    }
  }
  atomic_store(&storm->over, 1);
  return NULL;
}

/* Somebody else who asks for tokens that are being completed: told of it or not, but of nothing
 * that is gone. What it is pointed to is not its own to read. */
static void *peek(void *data) {
  struct storm *storm = data;
  while (!atomic_load(&storm->over)) {
    weir_attempt attempt = {.size = sizeof attempt};
    weir_outcome failed = WEIR_OUTCOME_INIT;
    weir_token token = atomic_load(&storm->latest);
    weir_status status = weir_attempt_get(storm->runtime, token, &attempt, &failed);
    if (status == WEIR_ESTALE) {
      atomic_fetch_add(&storm->stale, 1);
    } else if (status != WEIR_OK || attempt.token != token || attempt.number != 1) {
      atomic_fetch_add(&storm->wrong, 1);
    }
  }
  return NULL;
}

static void begin_one(struct storm *storm, uint64_t user) {
  char key[KEY_SIZE + 1];
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_call *call = NULL;
  snprintf(key, sizeof key, "%08llu", (unsigned long long)user);
  options.context = (void *)(uintptr_t)user;
  options.key = key;
  options.key_size = KEY_SIZE;
  options.queue = storm->queue;
  if (user % 5 == 0) options.deadline_ms = 1;
  weir_value_new_bytes(storm->runtime, key, KEY_SIZE, &options.input);
  atomic_fetch_add(&storm->out, 1);
  weir_run(storm->operation, &options, NULL, NULL, NULL, &call, NULL);
  weir_value_unref(options.input);
  if (user % 3 == 0) weir_call_cancel(call);
  weir_call_unref(call);
}

static void open_storm(struct fixture *fx, struct storm *storm) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  memset(storm, 0, sizeof *storm);
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &storm->runtime, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(storm->runtime, NULL, &storm->queue, NULL), WEIR_OK);
  assert_int_equal(
      weir_operation_new_queued(storm->queue, WEIR_USER_OF_RUN, &storm->operation, NULL), WEIR_OK);
}

static void what_is_shown_is_there_whoever_ends_the_attempt(struct fixture *fx) {
  static struct storm storm;
  pthread_t server;
  pthread_t peeker;
  open_storm(fx, &storm);
  assert_int_equal(pthread_create(&server, NULL, serve, &storm), 0);
  assert_int_equal(pthread_create(&peeker, NULL, peek, &storm), 0);
  for (uint64_t user = 1; user <= RUNS; user++) {
    while (atomic_load(&storm.out) >= AT_ONCE) sched_yield();
    begin_one(&storm, user);
  }
  pthread_join(server, NULL);
  pthread_join(peeker, NULL);
  assert_int_equal(storm.settled, RUNS);
  assert_int_equal(atomic_load(&storm.wrong), 0);
  assert_true(atomic_load(&storm.shown) > 0);
  assert_true(atomic_load(&storm.stale) > 0);
  weir_operation_unref(storm.operation);
  weir_completions_unref(storm.queue);
  assert_int_equal(weir_runtime_close_wait(storm.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm.runtime);
}

TEST_MAIN("attempt_get", LONG_TEST(what_is_shown_is_there_whoever_ends_the_attempt))
