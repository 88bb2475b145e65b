/* SPDX-License-Identifier: MIT */
/* Scopes between threads: runs join, values change, scopes are cancelled, joined and given back
 * from several threads at once; each accepted run settles exactly once, each scope ends exactly
 * once and closes what was opened in it. */

#include <sched.h>
#include <stdatomic.h>

#include "../unit/support.h"

enum { THREADS = 4, ROUNDS = 400, RUNS = 8 };

struct storm {
  weir_runtime *runtime;
  weir_operation *work;
  weir_operation *resource;
  _Atomic uint64_t accepted;
  _Atomic uint64_t settled;
  _Atomic uint64_t freed;
  _Atomic uint64_t opened;
  _Atomic uint64_t closed;
  _Atomic uint64_t joined;
  _Atomic uint64_t wrong;
};

static void count_free_of(void *data) {
  struct storm *storm = data;
  atomic_fetch_add(&storm->freed, 1);
}

static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct storm *storm = data;
  (void)call;
  (void)outcome;
  atomic_fetch_add(&storm->settled, 1);
}

/* Looks for what the scope may have, and completes. */
static void work(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  int64_t number = 0;
  weir_status status = weir_scope_get_int64(attempt->scope, "number", &number);
  if (status != WEIR_OK && status != WEIR_ENOTFOUND) atomic_fetch_add(&storm->wrong, 1);
  if (weir_scope_current(attempt->runtime) != attempt->scope) atomic_fetch_add(&storm->wrong, 1);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void open_one(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  atomic_fetch_add(&storm->opened, 1);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void close_one(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  atomic_fetch_add(&storm->closed, 1);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void begin_in(struct storm *storm, weir_scope *scope, weir_operation *operation) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.scope = scope;
  weir_status status = weir_run(operation, &options, on_settled, storm, count_free_of, NULL, NULL);
  if (status == WEIR_OK) {
    atomic_fetch_add(&storm->accepted, 1);
  } else if (status != WEIR_ECLOSED) {
    atomic_fetch_add(&storm->wrong, 1);
  } else {
    atomic_fetch_sub(&storm->freed, 1); /* freed by the call that failed */
  }
}

static void join(struct storm *storm, weir_scope *scope) {
  weir_operation *operation = NULL;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  if (weir_scope_join(scope, &operation, NULL) == WEIR_OK &&
      weir_run_wait(operation, NULL, WEIR_FOREVER, &outcome, NULL) == WEIR_OK &&
      outcome.channel == WEIR_CHANNEL_VALUE) {
    atomic_fetch_add(&storm->joined, 1);
  }
  weir_outcome_release(&outcome);
  weir_operation_unref(operation);
}

struct pair {
  struct storm *storm;
  weir_scope *outer;
};

/* In the scope that all threads share, and in one of its own inside it. */
static void *stir(void *data) {
  struct pair *pair = data;
  struct storm *storm = pair->storm;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  weir_scope *inner = NULL;
  options.parent = pair->outer;
  options.exit = WEIR_SCOPE_CANCEL;
  weir_scope_new(storm->runtime, &options, &inner, NULL);
  for (int i = 0; i < RUNS; i++) {
    begin_in(storm, pair->outer, i % 4 == 0 ? storm->resource : storm->work);
    if (inner != NULL) begin_in(storm, inner, i % 4 == 1 ? storm->resource : storm->work);
    weir_scope_set_int64(pair->outer, "number", i);
    if (inner != NULL && i == RUNS / 2) weir_scope_cancel(inner);
  }
  weir_scope_unref(inner);
  return NULL;
}

static void one_round(struct storm *storm, int round) {
  pthread_t threads[THREADS];
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  struct pair pair = {storm, NULL};
  options.exit = (uint32_t)round % 3;
  options.grace_ms = 0;
  assert_int_equal(weir_scope_new(storm->runtime, &options, &pair.outer, NULL), WEIR_OK);
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, stir, &pair), 0);
  }
  if (round % 2 == 0) join(storm, pair.outer); /* while they begin runs */
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  if (round % 2 == 1) join(storm, pair.outer);
  weir_scope_unref(pair.outer);
}

static void scopes_end_once_whoever_joins_cancels_and_leaves(struct fixture *fx) {
  struct storm storm = {0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_operation *open = NULL;
  weir_operation *close = NULL;
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &storm.runtime, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(storm.runtime, work, &storm, NULL, &storm.work, NULL),
                   WEIR_OK);
  assert_int_equal(weir_operation_new(storm.runtime, open_one, &storm, NULL, &open, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(storm.runtime, close_one, &storm, NULL, &close, NULL),
                   WEIR_OK);
  assert_int_equal(weir_scope_resource(open, close, "resource", &storm.resource, NULL), WEIR_OK);
  weir_operation_unref(open);
  weir_operation_unref(close);
  for (int round = 0; round < ROUNDS; round++) one_round(&storm, round);
  weir_operation_unref(storm.work);
  weir_operation_unref(storm.resource);
  assert_int_equal(weir_runtime_close_wait(storm.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm.runtime);
  assert_int_equal(storm.wrong, 0);
  assert_int_equal(storm.joined, ROUNDS);
  assert_int_equal(storm.settled, storm.accepted);
  assert_int_equal(storm.freed, storm.accepted);
  assert_in_range(storm.opened, 1, UINT64_MAX);
  /* What was cancelled while it opened was never open. */
  assert_in_range(storm.closed, 1, storm.opened);
}

struct maker {
  weir_runtime *runtime;
  weir_scope *outer;
  weir_scope *made[64];
  _Atomic int begun;
};

/* Makes scopes inside of one that is about to end, until it takes no more. */
static void *make_within(void *data) {
  struct maker *maker = data;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.parent = maker->outer;
  for (size_t i = 0; i < COUNT_OF(maker->made); i++) {
    if (weir_scope_new(maker->runtime, &options, &maker->made[i], NULL) != WEIR_OK) break;
    atomic_store(&maker->begun, 1);
  }
  return NULL;
}

/* One that it took without telling it to end would hold the end up for ever. */
static void the_end_reaches_scopes_that_join_meanwhile(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_runtime *runtime = NULL;
  int ended = 0;
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  for (int round = 0; round < ROUNDS * 5 && ended == round; round++) {
    struct maker maker = {.runtime = runtime};
    pthread_t thread;
    weir_operation *end = NULL;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    assert_int_equal(weir_scope_new(runtime, NULL, &maker.outer, NULL), WEIR_OK);
    assert_int_equal(weir_scope_join(maker.outer, &end, NULL), WEIR_OK);
    assert_int_equal(pthread_create(&thread, NULL, make_within, &maker), 0);
    while (atomic_load(&maker.begun) == 0) sched_yield();
    if (weir_run_wait(end, NULL, 20000, &outcome, NULL) == WEIR_OK) ended++;
    pthread_join(thread, NULL);
    weir_outcome_release(&outcome);
    weir_operation_unref(end);
    for (size_t i = 0; i < COUNT_OF(maker.made); i++) weir_scope_unref(maker.made[i]);
    weir_scope_unref(maker.outer);
  }
  assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(runtime);
  assert_int_equal(ended, ROUNDS * 5);
}

TEST_MAIN("scope storm", LONG_TEST(the_end_reaches_scopes_that_join_meanwhile),
          LONG_TEST(scopes_end_once_whoever_joins_cancels_and_leaves))
