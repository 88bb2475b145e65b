/* SPDX-License-Identifier: MIT */
/* Races of the engine: many threads on what it shares, for the sanitizers to look at. */

#include "support.h"

#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { WORKERS = 3 };

static weir_runtime *thread_runtime(struct memory *memory) {
  weir_runtime *runtime = NULL;
  memory_begin(memory);
  weir_allocator allocator = memory_allocator(memory);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_THREAD;
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  return runtime;
}

static void check_freed(const struct memory *memory) {
  assert_true(memory->live_bytes == 0);
  assert_int_equal(memory->released, 1);
}

/* ---- stats and audit from elsewhere ---------------------------------------------------------- */

struct watched {
  weir_runtime *runtime;
  atomic_int stop;
  atomic_int wrong;
};

static void *watch_stats(void *data) {
  struct watched *watched = data;
  while (!watched->stop) {
    weir_runtime_stats stats = {.size = sizeof stats};
    if (weir_runtime_get_stats(watched->runtime, &stats) != WEIR_OK) watched->wrong++;
    size_t count = 0;
    weir_status status =
        weir_runtime_audit(watched->runtime, NULL, sizeof(weir_audit_entry), 0, &count);
    if (status != WEIR_ETHREAD) watched->wrong++;
    sched_yield();
  }
  return NULL;
}

static void complete_inline(void *data, weir_attempt *attempt) {
  (void)data;
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void stats_may_be_read_while_timers_come_and_go(struct fixture *fx) {
  (void)fx;
  struct memory memory;
  struct watched watched = {.runtime = thread_runtime(&memory)};
  weir_operation *operation = NULL;
  assert_int_equal(
      weir_operation_new(watched.runtime, complete_inline, NULL, NULL, &operation, NULL), WEIR_OK);
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  assert_int_equal(weir_run_wait(operation, NULL, 10000, &outcome, NULL), WEIR_OK);
  weir_outcome_release(&outcome);
  pthread_t thread;
  pthread_create(&thread, NULL, watch_stats, &watched);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 60000;
  for (int i = 0; i < 2000; i++) {
    if (weir_run_wait(operation, &options, 10000, &outcome, NULL) != WEIR_OK) watched.wrong++;
    weir_outcome_release(&outcome);
  }
  watched.stop = 1;
  pthread_join(thread, NULL);
  weir_operation_unref(operation);
  assert_int_equal(weir_runtime_close_wait(watched.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(watched.runtime);
  assert_int_equal(watched.wrong, 0);
  check_freed(&memory);
}

/* ---- cancel, complete and unref against each other ------------------------------------------- */

enum { ROUNDS = 3000, SLOTS = 8 };

/* One attempt at a time in each place; whoever takes the token out completes it. */
struct storm {
  weir_runtime *runtime;
  weir_operation *operation;
  _Atomic(weir_token) tokens[SLOTS];
  atomic_uint next_place;
  atomic_uint started;
  atomic_uint completed;
  atomic_uint cancelled;
  atomic_uint slots_freed;
  atomic_uint settled;
  atomic_uint freed;
  atomic_uint after_complete; /* on_cancel began after a completing call was back */
  atomic_int stop;
};

struct storm_attempt {
  struct storm *storm;
  weir_token token;
  atomic_int complete_returned;
};

static void storm_cancelled(void *data, uint32_t reason) {
  struct storm_attempt *attempt = data;
  (void)reason;
  if (attempt->complete_returned) attempt->storm->after_complete++;
  attempt->storm->cancelled++;
}

static void storm_slot_freed(void *data) {
  struct storm_attempt *attempt = data;
  attempt->storm->slots_freed++;
  free(attempt);
}

static void put_token(struct storm *storm, weir_token token) {
  for (unsigned i = 0;; i++) {
    weir_token none = 0;
    if (atomic_compare_exchange_strong(&storm->tokens[i % SLOTS], &none, token)) return;
    if (i > 2 * SLOTS) { /* all full: nobody may wait here */
      if (weir_complete(storm->runtime, token, NULL) == WEIR_OK) storm->completed++;
      return;
    }
  }
}

static void storm_start(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  struct storm_attempt *note = calloc(1, sizeof *note);
  note->storm = storm;
  note->token = attempt->token;
  attempt->data = note;
  attempt->on_cancel = storm_cancelled;
  attempt->free_data = storm_slot_freed;
  storm->started++;
  put_token(storm, attempt->token);
}

static void *complete_tokens(void *data) {
  struct storm *storm = data;
  while (!storm->stop || storm->completed < storm->started) {
    for (unsigned i = 0; i < SLOTS; i++) {
      weir_token token = atomic_exchange(&storm->tokens[i], 0);
      if (token == 0) continue;
      int64_t number = 7;
      weir_status status = weir_complete_bytes(storm->runtime, token, &number, sizeof number);
      if (status == WEIR_OK) storm->completed++;
      if (weir_complete(storm->runtime, token, NULL) != WEIR_ESTALE) storm->after_complete++;
    }
    sched_yield();
  }
  return NULL;
}

static void storm_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct storm *storm = data;
  (void)call;
  (void)outcome;
  storm->settled++;
}

static void storm_freed(void *data) { ((struct storm *)data)->freed++; }

static void *run_and_cancel(void *data) {
  struct storm *storm = data;
  for (unsigned i = 0; i < ROUNDS; i++) {
    weir_call *call = NULL;
    if (weir_run(storm->operation, NULL, storm_settled, storm, storm_freed, &call, NULL) !=
        WEIR_OK) {
      continue;
    }
    if (i % 3 == 0) sched_yield();
    if (i % 2 == 0) weir_call_cancel(call);
    if (i % 5 == 0) weir_call_wait(call, WEIR_FOREVER);
    weir_call_unref(call);
  }
  return NULL;
}

static void C04_cancel_races_completion_and_unref(struct fixture *fx) {
  (void)fx;
  struct memory memory;
  struct storm storm = {.runtime = thread_runtime(&memory)};
  assert_int_equal(
      weir_operation_new(storm.runtime, storm_start, &storm, NULL, &storm.operation, NULL),
      WEIR_OK);
  pthread_t runners[WORKERS];
  pthread_t completers[2];
  for (size_t i = 0; i < COUNT_OF(completers); i++) {
    pthread_create(&completers[i], NULL, complete_tokens, &storm);
  }
  for (size_t i = 0; i < WORKERS; i++) pthread_create(&runners[i], NULL, run_and_cancel, &storm);
  for (size_t i = 0; i < WORKERS; i++) pthread_join(runners[i], NULL);
  while (storm.settled < WORKERS * ROUNDS) sched_yield();
  storm.stop = 1;
  for (size_t i = 0; i < COUNT_OF(completers); i++) pthread_join(completers[i], NULL);
  weir_operation_unref(storm.operation);
  assert_int_equal(weir_runtime_close_wait(storm.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm.runtime);
  assert_int_equal(storm.settled, WORKERS * ROUNDS);
  assert_int_equal(storm.freed, WORKERS * ROUNDS);
  assert_int_equal(storm.completed, storm.started);
  assert_int_equal(storm.slots_freed, storm.started);
  assert_int_equal(storm.after_complete, 0);
  check_freed(&memory);
}

/* ---- handles and tokens against the end ------------------------------------------------------ */

enum { ENDS = 300, HELD = 6 };

struct ending {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_completions *queue;
  weir_call *calls[HELD];
  _Atomic(weir_token) tokens[HELD];
  atomic_uint started;
  atomic_uint freed;
  atomic_int go;
};

static void ending_start(void *data, weir_attempt *attempt) {
  struct ending *ending = data;
  unsigned place = ending->started++;
  if (place < HELD) ending->tokens[place] = attempt->token;
}

static void ending_freed(void *data) { ((struct ending *)data)->freed++; }

static void wait_for(atomic_int *flag) {
  while (!*flag) sched_yield();
}

static void *unref_calls(void *data) {
  struct ending *ending = data;
  wait_for(&ending->go);
  for (size_t i = 0; i < HELD; i++) weir_call_unref(ending->calls[i]);
  return NULL;
}

static void *complete_all(void *data) {
  struct ending *ending = data;
  wait_for(&ending->go);
  for (size_t i = 0; i < HELD; i++) weir_complete(ending->runtime, ending->tokens[i], NULL);
  return NULL;
}

static void *unref_handles(void *data) {
  struct ending *ending = data;
  wait_for(&ending->go);
  weir_completions_unref(ending->queue);
  weir_operation_unref(ending->operation);
  return NULL;
}

static void end_once(int64_t grace_ms) {
  struct memory memory;
  memory_begin(&memory);
  weir_allocator allocator = memory_allocator(&memory);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.allocator = &allocator;
  options.close_grace_ms = grace_ms;
  struct ending ending = {0};
  assert_int_equal(weir_runtime_new(&options, &ending.runtime, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(ending.runtime, NULL, &ending.queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(ending.runtime, ending_start, &ending, ending_freed,
                                      &ending.operation, NULL),
                   WEIR_OK);
  weir_run_options run = WEIR_RUN_OPTIONS_INIT;
  for (size_t i = 0; i < HELD; i++) {
    run.queue = i % 2 == 0 ? ending.queue : NULL;
    assert_int_equal(weir_run(ending.operation, &run, NULL, NULL, NULL, &ending.calls[i], NULL),
                     WEIR_OK);
  }
  while (ending.started < HELD) sched_yield();
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, unref_calls, &ending);
  pthread_create(&threads[1], NULL, complete_all, &ending);
  pthread_create(&threads[2], NULL, unref_handles, &ending);
  ending.go = 1;
  weir_runtime_unref(ending.runtime);
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
  /* The thread of the runtime is on its way out and takes the last byte along. */
  memory_await_releases(&memory, 1);
  assert_int_equal(ending.freed, 1);
  check_freed(&memory);
}

static void C05_everything_is_given_back_by_several_threads_at_once(struct fixture *fx) {
  (void)fx;
  for (int i = 0; i < ENDS; i++) end_once(i % 2 == 0 ? 0 : 5000);
}

/* ---- waiting on one queue -------------------------------------------------------------------- */

struct waiting {
  weir_completions *queue;
  atomic_uint empty; /* came back with nothing long before the time was over */
  sem_t about_to_wait;
  sem_t done;
};

static void *wait_for_one(void *data) {
  struct waiting *waiting = data;
  weir_record record;
  sem_post(&waiting->about_to_wait);
  size_t count = 0;
  if (weir_completions_wait(waiting->queue, &record, sizeof record, 1, 60000, &count) != WEIR_OK) {
    waiting->empty++;
  }
  sem_post(&waiting->done);
  return NULL;
}

static void C15_waiters_on_one_queue_get_a_record_each(struct fixture *fx) {
  (void)fx;
  enum { WAITERS = 4 };
  struct memory memory;
  weir_runtime *runtime = thread_runtime(&memory);
  struct waiting waiting = {0};
  weir_operation *operation = NULL;
  sem_init(&waiting.about_to_wait, 0, 0);
  sem_init(&waiting.done, 0, 0);
  assert_int_equal(weir_completions_new(runtime, NULL, &waiting.queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(runtime, complete_inline, NULL, NULL, &operation, NULL),
                   WEIR_OK);
  for (int round = 0; round < 50; round++) {
    pthread_t threads[WAITERS];
    for (size_t i = 0; i < WAITERS; i++) pthread_create(&threads[i], NULL, wait_for_one, &waiting);
    for (size_t i = 0; i < WAITERS; i++) sem_wait(&waiting.about_to_wait);
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.queue = waiting.queue;
    for (size_t i = 0; i < WAITERS; i++) { /* each wakes all who are left, and is for one of them */
      assert_int_equal(weir_run(operation, &options, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
      sem_wait(&waiting.done);
    }
    for (size_t i = 0; i < WAITERS; i++) pthread_join(threads[i], NULL);
    if (waiting.empty > 0) break;
  }
  unsigned empty = waiting.empty;
  weir_completions_unref(waiting.queue);
  weir_operation_unref(operation);
  assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(runtime);
  sem_destroy(&waiting.about_to_wait);
  sem_destroy(&waiting.done);
  assert_int_equal(empty, 0);
  check_freed(&memory);
}

TEST_MAIN("engine_storms", TEST(stats_may_be_read_while_timers_come_and_go),
          TEST(C04_cancel_races_completion_and_unref),
          TEST(C05_everything_is_given_back_by_several_threads_at_once),
          TEST(C15_waiters_on_one_queue_get_a_record_each))
