/* SPDX-License-Identifier: MIT */
/*
 * The host driver: threads of the host take turns at processing, one at a time under a lock of
 * theirs, while others begin, complete and cancel runs without it. Time is the system's.
 */

#include "support.h"

#include <sched.h>
#include <stdatomic.h>

enum { DRIVERS = 3, CALLERS = 3, RUNS = 400 };

struct host {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_completions *queue;
  pthread_mutex_t turn; /* around process(), next_deadline(), audit() */
  atomic_uint over;     /* the drivers end */
  atomic_uint wakeups;
  atomic_uint settled;
  atomic_uint succeeded;
  atomic_uint stopped;
  atomic_uint refused; /* runs that were not accepted, audits that failed */
};

static void note_wakeup(void *data) { atomic_fetch_add(&((struct host *)data)->wakeups, 1); }

static void note_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct host *host = data;
  (void)call;
  if (outcome->status == WEIR_OK) atomic_fetch_add(&host->succeeded, 1);
  if (outcome->channel == WEIR_CHANNEL_STOPPED) atomic_fetch_add(&host->stopped, 1);
  atomic_fetch_add(&host->settled, 1);
}

static void open_host(struct host *host) {
  memset(host, 0, sizeof *host);
  pthread_mutex_init(&host->turn, NULL);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_HOST;
  options.wakeup = note_wakeup;
  options.wakeup_data = host;
  assert_int_equal(weir_runtime_new(&options, &host->runtime, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(host->runtime, NULL, &host->queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new_queued(host->queue, 1, &host->operation, NULL), WEIR_OK);
}

static void close_host(struct host *host) {
  weir_operation_unref(host->operation);
  weir_completions_unref(host->queue);
  weir_runtime_unref(host->runtime);
  pthread_mutex_destroy(&host->turn);
}

/* One turn, as any of the host's threads takes it. */
static void take_turn(struct host *host) {
  weir_audit_entry entry;
  size_t count = 0;
  pthread_mutex_lock(&host->turn);
  weir_runtime_process(host->runtime, 0);
  weir_runtime_next_deadline(host->runtime);
  if (weir_runtime_audit(host->runtime, &entry, sizeof entry, 1, &count) != WEIR_OK) {
    atomic_fetch_add(&host->refused, 1);
  }
  pthread_mutex_unlock(&host->turn);
}

/* Drivers complete what they drain, outside the lock. */
static void *drive(void *data) {
  struct host *host = data;
  while (!host->over) {
    weir_record records[32];
    take_turn(host);
    size_t count = weir_completions_drain(host->queue, records, sizeof records[0], 32);
    for (size_t i = 0; i < count; ++i) {
      if (records[i].kind == WEIR_RECORD_START || records[i].kind == WEIR_RECORD_CANCEL) {
        weir_complete(host->runtime, records[i].object, NULL);
      }
    }
    if (count == 0) sched_yield();
  }
  return NULL;
}

/* Every third run is cancelled at once, every third has no time. */
static void *call(void *data) {
  struct host *host = data;
  for (int i = 0; i < RUNS; ++i) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_call *run = NULL;
    if (i % 3 == 0) options.deadline_ms = 0;
    if (weir_run(host->operation, &options, note_settled, host, NULL, &run, NULL) != WEIR_OK) {
      atomic_fetch_add(&host->refused, 1);
      continue;
    }
    if (i % 3 == 1) weir_call_cancel(run);
    weir_call_unref(run);
    if (i % 16 == 0) sched_yield();
  }
  return NULL;
}

static void begin_all(pthread_t *threads, int count, void *(*run)(void *), struct host *host) {
  for (int i = 0; i < count; ++i) pthread_create(&threads[i], NULL, run, host);
}

static void join_all(const pthread_t *threads, int count) {
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
}

static void threads_that_process_in_turn_settle_what_others_begin(struct fixture *fx) {
  struct host host;
  pthread_t drivers[DRIVERS];
  pthread_t callers[CALLERS];
  (void)fx;
  open_host(&host);
  begin_all(drivers, DRIVERS, drive, &host);
  begin_all(callers, CALLERS, call, &host);
  join_all(callers, CALLERS);
  weir_status closed = weir_runtime_close_wait(host.runtime, 60 * 1000);
  host.over = 1;
  join_all(drivers, DRIVERS);
  assert_int_equal(closed, WEIR_OK);
  assert_int_equal(host.refused, 0);
  assert_int_equal(host.settled, CALLERS * RUNS);
  assert_int_equal(host.succeeded + host.stopped, CALLERS * RUNS);
  assert_true(host.stopped >= CALLERS * (RUNS / 3));
  assert_true(host.wakeups > 0);
  close_host(&host);
}

/* No thread is the runtime's between two turns: the one that processed may wait. */
static void thread_that_processed_is_as_any_other(struct fixture *fx) {
  struct host host;
  weir_outcome outcome = {.size = sizeof outcome};
  (void)fx;
  open_host(&host);
  take_turn(&host);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  assert_int_equal(weir_run_wait(host.operation, &options, 0, &outcome, NULL), WEIR_ETIMEDOUT);
  assert_int_equal(weir_runtime_close_wait(host.runtime, 0), WEIR_ETIMEDOUT);
  while (weir_runtime_close_wait(host.runtime, 0) != WEIR_OK) take_turn(&host);
  close_host(&host);
}

/* A timer fires by the system's clock, and never early. */
static void time_is_the_systems_whatever_process_is_told(struct fixture *fx) {
  struct host host;
  (void)fx;
  open_host(&host);
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(host.runtime, 5, WEIR_OK, NULL, NULL, &sleep, NULL), WEIR_OK);
  int64_t begun = weir_runtime_now(host.runtime);
  assert_int_equal(weir_run(sleep, NULL, note_settled, &host, NULL, NULL, NULL), WEIR_OK);
  weir_runtime_process(host.runtime, INT64_MAX);
  int64_t next = weir_runtime_next_deadline(host.runtime);
  while (host.settled == 0) take_turn(&host);
  assert_true(weir_runtime_now(host.runtime) - begun >= 5 * MS);
  assert_true(next > begun);
  assert_true(next < INT64_MAX);
  weir_operation_unref(sleep);
  close_host(&host);
}

/* What is left at the last unref settles inside of it. */
static void last_unref_settles_what_is_left(struct fixture *fx) {
  struct host host;
  (void)fx;
  open_host(&host);
  assert_int_equal(weir_run(host.operation, NULL, note_settled, &host, NULL, NULL, NULL), WEIR_OK);
  take_turn(&host);
  close_host(&host);
  assert_int_equal(host.settled, 1);
}

TEST_MAIN("host_driver", TEST(threads_that_process_in_turn_settle_what_others_begin),
          TEST(thread_that_processed_is_as_any_other),
          TEST(time_is_the_systems_whatever_process_is_told), TEST(last_unref_settles_what_is_left))
