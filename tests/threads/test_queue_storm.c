/* SPDX-License-Identifier: MIT */
/* C15: a completion queue between threads: one wake-up per edge and none lost, whoever posts,
 * drains and waits. No test here asserts a time; one that loses a wake-up hangs and is ended by its
 * name. */

#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "../unit/support.h"

enum { PRODUCERS = 2, PER_PRODUCER = 40000 };

struct storm {
  weir_runtime *runtime;
  weir_completions *queue;
  weir_operation *operation;
  sem_t notified;
  _Atomic uint64_t notifications;
};

static void notify(void *data) {
  struct storm *storm = data;
  atomic_fetch_add(&storm->notifications, 1);
  sem_post(&storm->notified);
}

static void start_at_once(void *data, weir_attempt *attempt) {
  (void)data;
  weir_complete_bytes(attempt->runtime, attempt->token, "done", 4);
}

static void open_storm(struct fixture *fx, struct storm *storm, int with_fd) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_completions_options queue_options = WEIR_COMPLETIONS_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  memset(storm, 0, sizeof *storm);
  sem_init(&storm->notified, 0, 0);
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &storm->runtime, NULL), WEIR_OK);
  queue_options.with_fd = (uint32_t)with_fd;
  queue_options.notify = with_fd ? NULL : notify;
  queue_options.notify_data = storm;
  assert_int_equal(weir_completions_new(storm->runtime, &queue_options, &storm->queue, NULL),
                   WEIR_OK);
  assert_int_equal(
      weir_operation_new(storm->runtime, start_at_once, NULL, NULL, &storm->operation, NULL),
      WEIR_OK);
}

static void close_storm(struct storm *storm) {
  weir_operation_unref(storm->operation);
  weir_completions_unref(storm->queue);
  assert_int_equal(weir_runtime_close_wait(storm->runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm->runtime);
  sem_destroy(&storm->notified);
}

/* Half runs that settle on the runtime's thread, half host values released on this one. */
static void *produce(void *data) {
  struct storm *storm = data;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.queue = storm->queue;
  for (uint64_t i = 0; i < PER_PRODUCER; i++) {
    weir_value *value = NULL;
    options.user = i;
    if (i % 2 == 0) {
      weir_run(storm->operation, &options, NULL, NULL, NULL, NULL, NULL);
    } else if (weir_value_new_host(storm->queue, i, &value) == WEIR_OK) {
      weir_value_unref(value);
    }
  }
  return NULL;
}

static size_t take(struct storm *storm, size_t capacity, uint64_t *sum) {
  weir_record records[64];
  size_t count = weir_completions_drain(storm->queue, records, sizeof *records, capacity);
  for (size_t i = 0; i < count; i++) {
    if (records[i].kind == WEIR_RECORD_SETTLED) {
      *sum += records[i].user;
      weir_value_unref((weir_value *)(uintptr_t)records[i].object);
    } else {
      *sum += records[i].object;
    }
  }
  return count;
}

static const uint64_t all = (uint64_t)PRODUCERS * PER_PRODUCER;
static const uint64_t sum_of_all = (uint64_t)PRODUCERS * PER_PRODUCER * (PER_PRODUCER - 1) / 2;

static void begin_producers(struct storm *storm, pthread_t *threads) {
  for (size_t i = 0; i < PRODUCERS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, produce, storm), 0);
  }
}

static void join_producers(pthread_t *threads) {
  for (size_t i = 0; i < PRODUCERS; i++) pthread_join(threads[i], NULL);
}

static void C15_storm_loses_no_wake_up_by_function(struct fixture *fx) {
  static struct storm storm;
  pthread_t threads[PRODUCERS];
  uint64_t taken = 0;
  uint64_t sum = 0;
  uint64_t waits = 0;
  open_storm(fx, &storm, 0);
  begin_producers(&storm, threads);
  while (taken < all) { /* one drain a wake-up: what is left over must signal again */
    sem_wait(&storm.notified);
    waits++;
    taken += take(&storm, 1 + taken % 64, &sum);
  }
  join_producers(threads);
  assert_int_equal(taken, all);
  assert_int_equal(sum, sum_of_all);
  assert_int_equal(take(&storm, 64, &sum), 0);
  assert_true(atomic_load(&storm.notifications) <= all);
  assert_true(atomic_load(&storm.notifications) >= waits);
  close_storm(&storm);
}

static void C15_storm_loses_no_wake_up_by_descriptor(struct fixture *fx) {
  static struct storm storm;
  pthread_t threads[PRODUCERS];
  uint64_t taken = 0;
  uint64_t sum = 0;
  open_storm(fx, &storm, 1);
  begin_producers(&storm, threads);
  while (taken < all) {
    struct pollfd wait = {weir_completions_fd(storm.queue), POLLIN, 0};
    if (poll(&wait, 1, -1) == 1) taken += take(&storm, 1 + taken % 64, &sum);
  }
  join_producers(threads);
  assert_int_equal(sum, sum_of_all);
  struct pollfd wait = {weir_completions_fd(storm.queue), POLLIN, 0};
  assert_int_equal(poll(&wait, 1, 0), 0);
  close_storm(&storm);
}

struct waiter {
  struct storm *storm;
  _Atomic uint64_t *taken;
};

static void *wait_and_take(void *data) {
  struct waiter *waiter = data;
  while (atomic_load(waiter->taken) < all) {
    weir_record records[16];
    size_t count = 0;
    weir_completions_wait(waiter->storm->queue, records, sizeof *records, 16, 5, &count);
    for (size_t i = 0; i < count; i++) {
      if (records[i].kind == WEIR_RECORD_SETTLED) {
        weir_value_unref((weir_value *)(uintptr_t)records[i].object);
      }
    }
    atomic_fetch_add(waiter->taken, count);
  }
  return NULL;
}

static void C15_two_threads_wait_on_one_queue(struct fixture *fx) {
  static struct storm storm;
  static _Atomic uint64_t taken;
  pthread_t threads[PRODUCERS];
  pthread_t waiters[2];
  struct waiter waiter = {&storm, &taken};
  atomic_store(&taken, 0);
  open_storm(fx, &storm, 0);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(pthread_create(&waiters[i], NULL, wait_and_take, &waiter), 0);
  }
  begin_producers(&storm, threads);
  for (size_t i = 0; i < 2; i++) pthread_join(waiters[i], NULL);
  join_producers(threads);
  assert_int_equal(atomic_load(&taken), all);
  close_storm(&storm);
}

/* Queued operations: one thread runs and cancels, another drains STARTs and completes. */
struct host {
  struct storm *storm;
  weir_operation *operation;
  _Atomic int stop;
  uint64_t settled;
};

static void serve_record(struct host *host, const weir_record *record) {
  weir_runtime *runtime = host->storm->runtime;
  switch (record->kind) {
    case WEIR_RECORD_START:
      weir_value_unref((weir_value *)(uintptr_t)record->detail);
      weir_complete_bytes(runtime, record->object, "x", 1);
      break;
    case WEIR_RECORD_SETTLED:
      host->settled++;
      if (record->channel == WEIR_CHANNEL_VALUE) {
        weir_value_unref((weir_value *)(uintptr_t)record->object);
      } else {
        weir_error_unref((weir_error *)(uintptr_t)record->object);
      }
      break;
    default:
      break;
  }
}

static void *serve_host(void *data) {
  struct host *host = data;
  while (!atomic_load(&host->stop) || host->settled < PER_PRODUCER) {
    weir_record records[8];
    size_t count = 0;
    weir_completions_wait(host->storm->queue, records, sizeof *records, 8, 5, &count);
    for (size_t i = 0; i < count; i++) serve_record(host, &records[i]);
  }
  return NULL;
}

static void C14_starts_are_drained_while_their_runs_are_cancelled(struct fixture *fx) {
  static struct storm storm;
  static struct host host;
  pthread_t server;
  open_storm(fx, &storm, 0);
  memset(&host, 0, sizeof host);
  host.storm = &storm;
  assert_int_equal(weir_operation_new_queued(storm.queue, 1, &host.operation, NULL), WEIR_OK);
  assert_int_equal(pthread_create(&server, NULL, serve_host, &host), 0);
  for (size_t i = 0; i < PER_PRODUCER; i++) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_call *call = NULL;
    options.queue = storm.queue;
    assert_int_equal(weir_run(host.operation, &options, NULL, NULL, NULL, &call, NULL), WEIR_OK);
    if (i % 2 == 0) weir_call_cancel(call);
    weir_call_unref(call);
  }
  atomic_store(&host.stop, 1);
  pthread_join(server, NULL);
  assert_int_equal(host.settled, PER_PRODUCER);
  weir_operation_unref(host.operation);
  close_storm(&storm);
}

TEST_MAIN("queue_storm", LONG_TEST(C15_storm_loses_no_wake_up_by_function),
          LONG_TEST(C15_storm_loses_no_wake_up_by_descriptor),
          LONG_TEST(C15_two_threads_wait_on_one_queue),
          LONG_TEST(C14_starts_are_drained_while_their_runs_are_cancelled))
