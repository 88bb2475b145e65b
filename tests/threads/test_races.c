/* SPDX-License-Identifier: MIT */
/* C04: cancel races completion on two threads, a million times. And the neighbours: completions and
 * handles given back from several threads while everything runs. No test here asserts a time. */

#include <sched.h>
#include <stdatomic.h>

#include "../unit/support.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOWED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SLOWED 1
#endif
#endif
#ifdef SLOWED
enum { RACES = 60000, STORM_RUNS = 20000, LIFETIMES = 300 };
#else
enum { RACES = 1000000, STORM_RUNS = 200000, LIFETIMES = 3000 };
#endif

static weir_runtime *thread_runtime(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_runtime *runtime = NULL;
  options.allocator = &allocator;
  options.seed = 1;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  return runtime;
}

static void close_and_unref(weir_runtime *runtime) {
  assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(runtime);
}

/* ---- C04 ------------------------------------------------------------------------------------- */

enum { BATCH = 250 };

struct race {
  weir_runtime *runtime;
  weir_call *call;
  _Atomic uint64_t token;
  _Atomic int completed; /* the completing call has returned */
  _Atomic int in_cancel; /* on_cancel is running */
  _Atomic int settled;
  _Atomic int slot_freed;
  _Atomic int values_freed;
  _Atomic int late_cancels; /* on_cancel began after complete returned */
  _Atomic int early_frees;  /* the slot was freed while on_cancel ran */
};

struct races {
  struct race batch[BATCH];
  pthread_barrier_t begin;
  pthread_barrier_t end;
  _Atomic int stop;
};

static void race_free_value(void *pointer) {
  atomic_fetch_add(&((struct race *)pointer)->values_freed, 1);
}

static void race_cancel(void *data, uint32_t reason) {
  struct race *race = data;
  (void)reason;
  atomic_store(&race->in_cancel, 1);
  if (atomic_load(&race->completed)) atomic_fetch_add(&race->late_cancels, 1);
  atomic_store(&race->in_cancel, 0);
}

static void race_free_slot(void *data) {
  struct race *race = data;
  if (atomic_load(&race->in_cancel)) atomic_fetch_add(&race->early_frees, 1);
  atomic_fetch_add(&race->slot_freed, 1);
}

static void race_start(void *data, weir_attempt *attempt) {
  struct race *race = attempt->context;
  (void)data;
  attempt->data = race;
  attempt->on_cancel = race_cancel;
  attempt->free_data = race_free_slot;
  atomic_store(&race->token, attempt->token);
}

static void race_settle(void *data, weir_call *call, const weir_outcome *outcome) {
  (void)call, (void)outcome;
  atomic_fetch_add(&((struct race *)data)->settled, 1);
}

static uint64_t wait_for_token(struct race *race) {
  uint64_t token;
  while ((token = atomic_load(&race->token)) == 0) sched_yield();
  return token;
}

static void *complete_races(void *data) {
  struct races *races = data;
  for (;;) {
    pthread_barrier_wait(&races->begin);
    if (atomic_load(&races->stop)) return NULL;
    for (size_t i = 0; i < BATCH; i++) {
      struct race *race = &races->batch[i];
      uint64_t token = wait_for_token(race);
      weir_complete_pointer(race->runtime, token, race, race_free_value);
      atomic_store(&race->completed, 1);
    }
    pthread_barrier_wait(&races->end);
  }
}

static void begin_batch(struct races *races, weir_runtime *runtime, weir_operation *operation) {
  for (size_t i = 0; i < BATCH; i++) {
    struct race *race = &races->batch[i];
    memset(race, 0, sizeof *race);
    race->runtime = runtime;
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.context = race;
    assert_int_equal(weir_run(operation, &options, race_settle, race, NULL, &race->call, NULL),
                     WEIR_OK);
  }
}

/* Cancels at varying distances from the completer, which goes through the batch at the same time.
 * */
static void cancel_batch(struct races *races, size_t round) {
  for (size_t i = 0; i < BATCH; i++) {
    struct race *race = &races->batch[i];
    if (round % 3 != 0) wait_for_token(race);
    for (volatile size_t spin = 0; spin < (round * 7 + i) % 200; spin++) continue;
    weir_call_cancel(race->call);
  }
}

/* A cancel that comes before the start leaves the completer without a token: give it one. */
static void end_batch(struct races *races) {
  for (size_t i = 0; i < BATCH; i++) {
    struct race *race = &races->batch[i];
    assert_int_equal(weir_call_wait(race->call, WEIR_FOREVER), WEIR_OK);
    if (weir_call_outcome(race->call)->attempts == 0) atomic_store(&race->token, UINT64_MAX);
  }
  pthread_barrier_wait(&races->end);
}

static void check_batch(struct races *races, size_t *won) {
  for (size_t i = 0; i < BATCH; i++) {
    struct race *race = &races->batch[i];
    int started = weir_call_outcome(race->call)->attempts == 1;
    won[weir_call_outcome(race->call)->channel == WEIR_CHANNEL_VALUE]++;
    while (started && atomic_load(&race->slot_freed) == 0) sched_yield();
    weir_call_unref(race->call);
    while (atomic_load(&race->values_freed) == 0) sched_yield();
    assert_int_equal(atomic_load(&race->settled), 1);
    assert_int_equal(atomic_load(&race->slot_freed), started);
    assert_int_equal(atomic_load(&race->values_freed), 1);
    assert_int_equal(atomic_load(&race->late_cancels), 0);
    assert_int_equal(atomic_load(&race->early_frees), 0);
  }
}

static void C04_cancel_races_completion_a_million_times(struct fixture *fx) {
  static struct races races;
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *operation = NULL;
  pthread_t completer;
  assert_int_equal(weir_operation_new(runtime, race_start, NULL, NULL, &operation, NULL), WEIR_OK);
  pthread_barrier_init(&races.begin, NULL, 2);
  pthread_barrier_init(&races.end, NULL, 2);
  size_t won[2] = {0, 0};
  atomic_store(&races.stop, 0);
  assert_int_equal(pthread_create(&completer, NULL, complete_races, &races), 0);
  for (size_t round = 0; round < RACES / BATCH; round++) {
    begin_batch(&races, runtime, operation);
    pthread_barrier_wait(&races.begin);
    cancel_batch(&races, round);
    end_batch(&races);
    check_batch(&races, won);
  }
  atomic_store(&races.stop, 1);
  pthread_barrier_wait(&races.begin);
  pthread_join(completer, NULL);
  printf("# %zu cancelled, %zu completed\n", won[0], won[1]); /* how many is the machine's affair */
  weir_operation_unref(operation);
  close_and_unref(runtime);
}

/* ---- storms ---------------------------------------------------------------------------------- */

enum { STORMERS = 4 };

struct storm {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_pipeline *pipeline;
  _Atomic uint64_t tokens[64];
  _Atomic uint64_t accepted;
  _Atomic uint64_t settled;
  _Atomic uint64_t freed;
  _Atomic uint64_t values;
};

static void storm_free_value(void *pointer) {
  atomic_fetch_sub(&((struct storm *)pointer)->values, 1);
}

static void complete_in_storm(struct storm *storm, uint64_t token) {
  if (token == 0) return;
  atomic_fetch_add(&storm->values, 1);
  weir_complete_pointer(storm->runtime, token, storm, storm_free_value);
}

/* Leaves the token where any thread finds it, and completes the one that lay there. */
static void storm_start(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  uint64_t place = attempt->token * 11 % COUNT_OF(storm->tokens);
  complete_in_storm(storm, atomic_exchange(&storm->tokens[place], attempt->token));
}

static void storm_settle(void *data, weir_call *call, const weir_outcome *outcome) {
  (void)call, (void)outcome;
  atomic_fetch_add(&((struct storm *)data)->settled, 1);
}

static void storm_free(void *data) { atomic_fetch_add(&((struct storm *)data)->freed, 1); }

static void *storm_through(void *data) {
  struct storm *storm = data;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_pipeline_policy(storm->pipeline);
  for (size_t i = 0; i < STORM_RUNS / STORMERS; i++) {
    weir_call *call = NULL;
    options.deadline_ms = i % 7 == 0 ? 1 : WEIR_FOREVER;
    if (weir_run(storm->operation, &options, storm_settle, storm, storm_free, &call, NULL) ==
        WEIR_OK) {
      atomic_fetch_add(&storm->accepted, 1);
    }
    if (i % 3 == 0) weir_call_cancel(call);
    complete_in_storm(storm, atomic_exchange(&storm->tokens[i % COUNT_OF(storm->tokens)], 0));
    if (i % 5 == 0) weir_call_cancel(call);
    weir_call_unref(call);
  }
  return NULL;
}

static void open_storm(struct fixture *fx, struct storm *storm) {
  weir_retry_options retry_options = WEIR_RETRY_OPTIONS_INIT;
  weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_retry *retry = NULL;
  weir_timeout *timeout = NULL;
  weir_breaker *breaker = NULL;
  retry_options.base_delay_ms = 0;
  timeout_options.timeout_ms = 1000;
  memset(storm, 0, sizeof *storm);
  storm->runtime = thread_runtime(fx);
  assert_int_equal(weir_retry_new(storm->runtime, &retry_options, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_timeout_new(storm->runtime, &timeout_options, &timeout, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_new(storm->runtime, NULL, &breaker, NULL), WEIR_OK);
  weir_policy *policies[] = {weir_timeout_policy(timeout), weir_retry_policy(retry),
                             weir_breaker_policy(breaker)};
  assert_int_equal(weir_pipeline_new(storm->runtime, policies, 3, NULL, &storm->pipeline, NULL),
                   WEIR_OK);
  weir_retry_unref(retry);
  weir_timeout_unref(timeout);
  weir_breaker_unref(breaker);
  assert_int_equal(
      weir_operation_new(storm->runtime, storm_start, storm, NULL, &storm->operation, NULL),
      WEIR_OK);
}

static void close_storm(struct storm *storm) {
  assert_int_equal(weir_runtime_close(storm->runtime), WEIR_OK);
  while (atomic_load(&storm->settled) < atomic_load(&storm->accepted)) sched_yield();
  for (size_t i = 0; i < COUNT_OF(storm->tokens); i++) {
    complete_in_storm(storm, atomic_exchange(&storm->tokens[i], 0));
  }
  weir_operation_unref(storm->operation);
  weir_pipeline_unref(storm->pipeline);
  close_and_unref(storm->runtime);
}

static void runs_completions_cancels_and_unrefs_from_four_threads(struct fixture *fx) {
  static struct storm storm;
  pthread_t threads[STORMERS];
  open_storm(fx, &storm);
  for (size_t i = 0; i < STORMERS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, storm_through, &storm), 0);
  }
  for (size_t i = 0; i < STORMERS; i++) pthread_join(threads[i], NULL);
  close_storm(&storm);
  assert_int_equal(atomic_load(&storm.settled), atomic_load(&storm.accepted));
  assert_int_equal(atomic_load(&storm.freed), STORM_RUNS);
  assert_int_equal(atomic_load(&storm.values), 0);
}

/* The runtime closes in the middle of it: from then on every run is refused, none is lost. */
static void closing_in_the_middle_of_a_storm_loses_nothing(struct fixture *fx) {
  static struct storm storm;
  pthread_t threads[STORMERS];
  open_storm(fx, &storm);
  for (size_t i = 0; i < STORMERS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, storm_through, &storm), 0);
  }
  while (atomic_load(&storm.accepted) < STORM_RUNS / 10) sched_yield();
  assert_int_equal(weir_runtime_close(storm.runtime), WEIR_OK);
  for (size_t i = 0; i < STORMERS; i++) pthread_join(threads[i], NULL);
  close_storm(&storm);
  assert_int_equal(atomic_load(&storm.settled), atomic_load(&storm.accepted));
  assert_int_equal(atomic_load(&storm.freed), STORM_RUNS);
  assert_int_equal(atomic_load(&storm.values), 0);
}

/* ---- lifetimes ------------------------------------------------------------------------------- */

struct lifetime {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_breaker *breaker;
  weir_call *call;
  _Atomic uint64_t token;
  _Atomic int settled;
  _Atomic int operation_freed;
  pthread_barrier_t begin;
};

static void lifetime_start(void *data, weir_attempt *attempt) {
  atomic_store(&((struct lifetime *)data)->token, attempt->token);
}

static void lifetime_settle(void *data, weir_call *call, const weir_outcome *outcome) {
  (void)call, (void)outcome;
  atomic_fetch_add(&((struct lifetime *)data)->settled, 1);
}

static void lifetime_free(void *data) {
  atomic_fetch_add(&((struct lifetime *)data)->operation_freed, 1);
}

static void *unref_operation(void *data) {
  struct lifetime *lifetime = data;
  pthread_barrier_wait(&lifetime->begin);
  weir_operation_unref(lifetime->operation);
  weir_call_unref(lifetime->call);
  return NULL;
}

static void *unref_breaker(void *data) {
  struct lifetime *lifetime = data;
  pthread_barrier_wait(&lifetime->begin);
  weir_breaker_unref(lifetime->breaker);
  return NULL;
}

static void open_lifetime(struct fixture *fx, struct lifetime *lifetime) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  memset(lifetime, 0, sizeof *lifetime);
  pthread_barrier_init(&lifetime->begin, NULL, 3);
  lifetime->runtime = thread_runtime(fx);
  assert_int_equal(weir_breaker_new(lifetime->runtime, NULL, &lifetime->breaker, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(lifetime->runtime, lifetime_start, lifetime, lifetime_free,
                                      &lifetime->operation, NULL),
                   WEIR_OK);
  options.policy = weir_breaker_policy(lifetime->breaker);
  assert_int_equal(weir_run(lifetime->operation, &options, lifetime_settle, lifetime, NULL,
                            &lifetime->call, NULL),
                   WEIR_OK);
}

static void C05_handles_are_given_back_from_three_threads_at_once(struct fixture *fx) {
  static struct lifetime lifetime;
  for (size_t round = 0; round < LIFETIMES; round++) {
    pthread_t first;
    pthread_t second;
    open_lifetime(fx, &lifetime);
    if (round % 2 == 0) {
      while (atomic_load(&lifetime.token) == 0) sched_yield();
    }
    assert_int_equal(pthread_create(&first, NULL, unref_operation, &lifetime), 0);
    assert_int_equal(pthread_create(&second, NULL, unref_breaker, &lifetime), 0);
    weir_runtime *runtime = weir_runtime_ref(lifetime.runtime);
    pthread_barrier_wait(&lifetime.begin);
    weir_runtime_unref(lifetime.runtime);
    if (round % 4 == 0) weir_complete(runtime, atomic_load(&lifetime.token), NULL);
    assert_int_equal(weir_runtime_close(runtime), WEIR_OK);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    while (atomic_load(&lifetime.settled) == 0) sched_yield();
    if (atomic_load(&lifetime.token) != 0) {
      weir_complete(runtime, atomic_load(&lifetime.token), NULL);
    }
    close_and_unref(runtime);
    assert_int_equal(atomic_load(&lifetime.settled), 1);
    assert_int_equal(atomic_load(&lifetime.operation_freed), 1);
    pthread_barrier_destroy(&lifetime.begin);
  }
}

static void *complete_later(void *data) {
  struct lifetime *lifetime = data;
  pthread_barrier_wait(&lifetime->begin);
  weir_complete(lifetime->runtime, atomic_load(&lifetime->token), NULL);
  return NULL;
}

static void C20_token_completes_on_another_thread_while_the_runtime_goes(struct fixture *fx) {
  static struct lifetime lifetime;
  for (size_t round = 0; round < LIFETIMES; round++) {
    pthread_t other;
    uint64_t released = fx->memory.released;
    open_lifetime(fx, &lifetime);
    pthread_barrier_destroy(&lifetime.begin);
    pthread_barrier_init(&lifetime.begin, NULL, 2);
    while (atomic_load(&lifetime.token) == 0) sched_yield();
    assert_int_equal(pthread_create(&other, NULL, complete_later, &lifetime), 0);
    weir_operation_unref(lifetime.operation);
    weir_breaker_unref(lifetime.breaker);
    weir_call_unref(lifetime.call);
    pthread_barrier_wait(&lifetime.begin);
    weir_runtime_unref(lifetime.runtime);
    pthread_join(other, NULL);
    memory_await_releases(&fx->memory, released + 1); /* the runtime's thread ends by itself */
    assert_true(fx->memory.released == released + 1);
    assert_int_equal(atomic_load(&lifetime.settled), 1);
    pthread_barrier_destroy(&lifetime.begin);
  }
}

TEST_MAIN("races", LONG_TEST(C04_cancel_races_completion_a_million_times),
          LONG_TEST(runs_completions_cancels_and_unrefs_from_four_threads),
          LONG_TEST(closing_in_the_middle_of_a_storm_loses_nothing),
          LONG_TEST(C05_handles_are_given_back_from_three_threads_at_once),
          LONG_TEST(C20_token_completes_on_another_thread_while_the_runtime_goes))
