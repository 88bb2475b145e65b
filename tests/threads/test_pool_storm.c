/* SPDX-License-Identifier: MIT */
/* A pool that several threads add to while it runs on the runtime's own: nothing is lost, nothing
 * runs twice, and whoever comes behind the seal is told so. */

#include <sched.h>
#include <stdatomic.h>

#include "../unit/support.h"

enum { ADDERS = 3, PER_ADDER = 5000 };

struct storm {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_pool *pool;
  _Atomic uint64_t started;
  _Atomic uint64_t added;
  _Atomic uint64_t refused;
  _Atomic uint64_t strange; /* neither */
};

static void start_at_once(void *data, weir_attempt *attempt) {
  atomic_fetch_add(&((struct storm *)data)->started, 1);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void open_storm(struct fixture *fx, struct storm *storm, int64_t concurrency) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_pool_options pool_options = WEIR_POOL_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  memset(storm, 0, sizeof *storm);
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &storm->runtime, NULL), WEIR_OK);
  assert_int_equal(
      weir_operation_new(storm->runtime, start_at_once, storm, NULL, &storm->operation, NULL),
      WEIR_OK);
  pool_options.concurrency = concurrency;
  assert_int_equal(weir_pool_new(storm->runtime, &pool_options, &storm->pool, NULL), WEIR_OK);
}

static void close_storm(struct storm *storm) {
  weir_pool_unref(storm->pool);
  weir_operation_unref(storm->operation);
  assert_int_equal(weir_runtime_close_wait(storm->runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm->runtime);
}

static void *add_many(void *data) {
  struct storm *storm = data;
  for (int i = 0; i < PER_ADDER; i++) {
    weir_status status = weir_pool_add(storm->pool, storm->operation, NULL, NULL);
    _Atomic uint64_t *count = status == WEIR_OK        ? &storm->added
                              : status == WEIR_ECLOSED ? &storm->refused
                                                       : &storm->strange;
    atomic_fetch_add(count, 1);
    if (i % 64 == 0) sched_yield();
  }
  return NULL;
}

static void begin_adders(struct storm *storm, pthread_t *threads) {
  for (size_t i = 0; i < ADDERS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, add_many, storm), 0);
  }
}

static void join_adders(pthread_t *threads) {
  for (size_t i = 0; i < ADDERS; i++) pthread_join(threads[i], NULL);
}

static weir_call *run_pool(struct storm *storm) {
  weir_call *call = NULL;
  assert_int_equal(weir_run(weir_pool_operation(storm->pool), NULL, NULL, NULL, NULL, &call, NULL),
                   WEIR_OK);
  return call;
}

static void what_threads_add_runs_once_each(struct fixture *fx) {
  struct storm storm;
  pthread_t threads[ADDERS];
  open_storm(fx, &storm, 4);
  weir_call *call = run_pool(&storm);
  begin_adders(&storm, threads);
  join_adders(threads);
  assert_int_equal(weir_pool_seal(storm.pool), WEIR_OK);
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(storm.added, ADDERS * PER_ADDER);
  assert_int_equal(storm.started, storm.added);
  assert_int_equal(weir_value_count(weir_call_outcome(call)->value), storm.added);
  weir_call_unref(call);
  close_storm(&storm);
}

static void a_seal_among_the_adders_loses_nothing(struct fixture *fx) {
  struct storm storm;
  pthread_t threads[ADDERS];
  open_storm(fx, &storm, WEIR_UNLIMITED);
  weir_call *call = run_pool(&storm);
  begin_adders(&storm, threads);
  while (atomic_load(&storm.added) < PER_ADDER / 2) sched_yield();
  assert_int_equal(weir_pool_seal(storm.pool), WEIR_OK);
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  join_adders(threads);
  weir_pool_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_pool_get_stats(storm.pool, &stats), WEIR_OK);
  assert_int_equal(storm.strange, 0);
  assert_int_equal(storm.added + storm.refused, ADDERS * PER_ADDER);
  assert_int_equal(storm.started, storm.added);
  assert_int_equal(stats.added, storm.added);
  assert_int_equal(stats.succeeded, storm.added);
  weir_call_unref(call);
  close_storm(&storm);
}

static void a_cancel_among_the_adders_frees_what_waits(struct fixture *fx) {
  struct storm storm;
  pthread_t threads[ADDERS];
  open_storm(fx, &storm, 1);
  weir_call *call = run_pool(&storm);
  begin_adders(&storm, threads);
  while (atomic_load(&storm.added) < PER_ADDER / 2) sched_yield();
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(weir_call_outcome(call)->status, WEIR_ECANCELLED);
  join_adders(threads);
  assert_int_equal(storm.strange, 0);
  assert_int_equal(weir_pool_add(storm.pool, storm.operation, NULL, NULL), WEIR_ECLOSED);
  assert_true(storm.started <= storm.added);
  weir_call_unref(call);
  close_storm(&storm);
}

static void C06_a_close_among_the_adders_settles_the_pool(struct fixture *fx) {
  struct storm storm;
  pthread_t threads[ADDERS];
  open_storm(fx, &storm, 2);
  weir_call *call = run_pool(&storm);
  begin_adders(&storm, threads);
  while (atomic_load(&storm.added) < PER_ADDER / 2) sched_yield();
  weir_runtime_close(storm.runtime);
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(weir_call_outcome(call)->status, WEIR_ECLOSED);
  join_adders(threads);
  assert_int_equal(storm.strange, 0);
  weir_call_unref(call);
  close_storm(&storm);
}

TEST_MAIN("pool storm", TEST(what_threads_add_runs_once_each),
          TEST(a_seal_among_the_adders_loses_nothing),
          TEST(a_cancel_among_the_adders_frees_what_waits),
          TEST(C06_a_close_among_the_adders_settles_the_pool))
