/* SPDX-License-Identifier: MIT */
/* Gets among everything else: policies around and inside, queues, deciders that call back into the
 * cache, loaders that get, clearing and closing (K09, K14). */

#include "cache_get.h"

static weir_operation *get_operation(weir_cache *cache, weir_operation *loader) {
  weir_operation *operation = NULL;
  assert_int_equal(weir_cache_operation(cache, loader, &operation, NULL), WEIR_OK);
  return operation;
}

static struct run *begin_key(struct fixture *fx, weir_operation *operation, weir_policy *policy,
                             const char *key) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = policy;
  options.key = key;
  options.key_size = strlen(key);
  return begin(fx, operation, &options);
}

/* ---- policies -------------------------------------------------------------------------------- */

static void a_retry_outside_loads_again(struct fixture *fx) {
  struct script *loader = scripted(fx, "f503 f503 v7");
  weir_cache *cache = new_cache(fx, NULL);
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  weir_operation *operation = get_operation(cache, loader->operation);
  struct run *first = begin_key(fx, operation, weir_retry_policy(retry), "a");
  struct run *second = begin_key(fx, operation, weir_retry_policy(retry), "a");
  advance_ms(fx, 60000);
  assert_int_equal(settled(first)->value, 7);
  assert_int_equal(settled(second)->value, 7);
  assert_int_equal(loader->started, 3);
  weir_operation_unref(operation);
  weir_retry_unref(retry);
  weir_cache_unref(cache);
}

static void a_retry_inside_the_loader_counts_as_one_load(struct fixture *fx) {
  struct script *loader = scripted(fx, "f503 v7");
  weir_cache *cache = new_cache(fx, NULL);
  weir_retry *retry = NULL;
  weir_operation *insistent = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_policy_wrap(weir_retry_policy(retry), loader->operation, &insistent, NULL),
                   WEIR_OK);
  weir_operation *operation = get_operation(cache, insistent);
  struct run *run = begin_key(fx, operation, NULL, "a");
  advance_ms(fx, 60000);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(stats_of(cache).loads, 1);
  assert_int_equal(stats_of(cache).load_failures, 0);
  weir_operation_unref(operation);
  weir_operation_unref(insistent);
  weir_retry_unref(retry);
  weir_cache_unref(cache);
}

/* A timed-out load is a failure to a breaker inside the loader. */
static void the_timeout_of_loads_counts_for_a_breaker_inside(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.load_timeout_ms = 50;
  weir_cache *cache = new_cache(fx, &options);
  weir_breaker_options breaker_options = WEIR_BREAKER_OPTIONS_INIT;
  breaker_options.failure_threshold = 1;
  weir_breaker *breaker = NULL;
  weir_operation *guarded = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, &breaker_options, &breaker, NULL), WEIR_OK);
  assert_int_equal(
      weir_policy_wrap(weir_breaker_policy(breaker), loader->operation, &guarded, NULL), WEIR_OK);
  weir_operation *operation = get_operation(cache, guarded);
  struct run *run = begin_key(fx, operation, NULL, "a");
  advance_ms(fx, 50);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  run = begin_key(fx, operation, NULL, "a");
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EOPEN);
  weir_operation_unref(operation);
  weir_operation_unref(guarded);
  weir_breaker_unref(breaker);
  weir_cache_unref(cache);
}

static void a_pipeline_around_gets_holds_its_permits_for_the_wait_alone(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang v8");
  weir_cache *cache = new_cache(fx, NULL);
  weir_limiter_options limiter_options = WEIR_LIMITER_OPTIONS_INIT;
  limiter_options.max_concurrent = 1;
  weir_limiter *limiter = NULL;
  weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout_options.timeout_ms = 20;
  weir_timeout *timeout = NULL;
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_limiter_new(fx->runtime, &limiter_options, &limiter, NULL), WEIR_OK);
  assert_int_equal(weir_timeout_new(fx->runtime, &timeout_options, &timeout, NULL), WEIR_OK);
  weir_policy *policies[2] = {weir_limiter_policy(limiter), weir_timeout_policy(timeout)};
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  weir_operation *operation = get_operation(cache, loader->operation);
  struct run *impatient = begin_key(fx, operation, weir_pipeline_policy(pipeline), "a");
  struct run *patient = begin_key(fx, operation, NULL, "a");
  advance_ms(fx, 20);
  assert_int_equal(settled(impatient)->status, WEIR_ETIMEDOUT);
  assert_pending(patient); /* the load is shared: no single caller's limits apply to it */
  struct run *next = begin_key(fx, operation, weir_pipeline_policy(pipeline), "b");
  run_until_idle(fx);
  assert_int_equal(settled(next)->value, 8);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(patient)->value, 7);
  weir_operation_unref(operation);
  weir_pipeline_unref(pipeline);
  weir_timeout_unref(timeout);
  weir_limiter_unref(limiter);
  weir_cache_unref(cache);
}

/* ---- queues ---------------------------------------------------------------------------------- */

static void gets_and_loads_by_records(struct fixture *fx) {
  weir_completions *queue = NULL;
  weir_operation *loader = NULL;
  weir_record records[4];
  weir_cache *cache = new_cache(fx, NULL);
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new_queued(queue, 9, &loader, NULL), WEIR_OK);
  weir_operation *operation = get_operation(cache, loader);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.queue = queue;
  options.key = "abc";
  options.key_size = 3;
  for (options.user = 1; options.user <= 2; options.user++) {
    assert_int_equal(weir_run(operation, &options, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(weir_completions_drain(queue, records, sizeof records[0], 4), 1);
  assert_int_equal(records[0].kind, WEIR_RECORD_START);
  weir_value *input = (weir_value *)(uintptr_t)records[0].detail;
  assert_int_equal(weir_value_size(input), 3);
  assert_memory_equal(weir_value_data(input), "abc", 3);
  weir_value_unref(input);
  int64_t number = 7;
  assert_int_equal(weir_complete_bytes(fx->runtime, records[0].object, &number, sizeof number),
                   WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_completions_drain(queue, records, sizeof records[0], 4), 2);
  for (size_t i = 0; i < 2; i++) {
    weir_value *value = (weir_value *)(uintptr_t)records[i].object;
    assert_int_equal(records[i].kind, WEIR_RECORD_SETTLED);
    assert_int_equal(value_number(value), 7);
    weir_value_unref(value);
  }
  weir_operation_unref(operation);
  weir_operation_unref(loader);
  weir_completions_unref(queue);
  weir_cache_unref(cache);
}

/* ---- deciders that call back ----------------------------------------------------------------- */

struct meddler {
  struct fixture *fx;
  weir_cache *cache;
  struct script *loader;
  struct run *victim; /* is cancelled */
  unsigned asked;
  unsigned limit; /* how often it meddles at most */
};

static void meddle(struct meddler *meddler) {
  if (meddler->asked++ >= meddler->limit) return;
  weir_cache_invalidate(meddler->cache, "a", 1);
  weir_cache_put(meddler->cache, "b", 1, NULL);
  weir_cache_touch(meddler->cache, "c", 1, 5);
  if (meddler->victim != NULL) weir_call_cancel(meddler->victim->call);
  weir_cache_get(meddler->cache, "d", 1, meddler->loader->operation, NULL, NULL, NULL, NULL, NULL);
}

static int64_t weigh_and_meddle(void *data, const void *key, size_t key_size,
                                const weir_value *value) {
  (void)key, (void)key_size, (void)value;
  meddle(data);
  return 1;
}

static int64_t expire_and_meddle(void *data, const weir_expiry *expiry) {
  (void)expiry;
  meddle(data);
  return WEIR_EXPIRE_KEEP;
}

static void K09_weigh_that_meddles_while_a_load_is_stored(struct fixture *fx) {
  struct meddler meddler = {.fx = fx, .limit = 3};
  struct script *loader = scripted(fx, "hang v2");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.weigh = weigh_and_meddle;
  options.weigh_data = &meddler;
  weir_cache *cache = new_cache(fx, &options);
  meddler.cache = cache;
  meddler.loader = loader;
  struct run *first = get(fx, cache, "a", loader);
  struct run *second = get(fx, cache, "a", loader);
  meddler.victim = second;
  finish(loader, 0, "v7");
  run_until_idle(fx);
  /* Its own key was invalidated while it was weighed: not stored, but told. */
  assert_int_equal(settled(first)->value, 7);
  assert_int_equal(second->settled, 1);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.entries, 2); /* b and d */
  assert_int_equal(stats.weight, 2);
  assert_int_equal(stats.loading, 0);
  weir_cache_unref(cache);
}

static void K09_expire_that_meddles_while_a_get_reads(struct fixture *fx) {
  struct meddler meddler = {.fx = fx};
  struct script *loader = scripted(fx, "v2");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.expire = expire_and_meddle;
  options.expire_data = &meddler;
  weir_cache *cache = new_cache(fx, &options);
  meddler.cache = cache;
  meddler.loader = loader;
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  meddler.limit = meddler.asked + 1; /* the next question: the get's */
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(look(cache, "d"), 2);
  assert_int_equal(stats_of(cache).entries, 2);
  weir_cache_unref(cache);
}

static void evict_and_meddle(void *data, weir_cache *cache, const weir_eviction *eviction) {
  (void)cache, (void)eviction;
  meddle(data);
}

static void K09_on_evict_that_meddles_after_a_load(struct fixture *fx) {
  struct meddler meddler = {.fx = fx, .limit = 2};
  struct script *loader = scripted(fx, "v1");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 1;
  options.on_evict = evict_and_meddle;
  options.evict_data = &meddler;
  weir_cache *cache = new_cache(fx, &options);
  meddler.cache = cache;
  meddler.loader = loader;
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(got(fx, cache, "e", loader), 1);
  assert_true(meddler.asked > 0);
  weir_cache_stats stats = stats_of(cache);
  assert_true(stats.entries <= 1);
  assert_int_equal(stats.weight, stats.entries);
  assert_int_equal(stats.loading, 0);
  weir_cache_unref(cache);
}

/* The listener of a settlement gives back the last reference of the cache. */
static void give_back_the_cache(struct run *run) {
  weir_cache **cache = run->user;
  weir_cache_unref(*cache);
  *cache = NULL;
}

static void a_cache_may_be_given_back_in_a_settle_listener(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = try_get(fx, cache, "a", loader);
  assert_int_equal(run->status, WEIR_OK);
  run->user = &cache;
  run->on_settled = give_back_the_cache;
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
}

/* ---- loaders that get ------------------------------------------------------------------------ */

/* An operation that is a get of the key "b", whatever it is run with. */
struct inner_get {
  weir_operation *operation;
  weir_runtime *runtime;
  weir_token token;
  weir_cache *cache;
  struct script *loader;
  weir_call *call;
  const char *key; /* what it gets; NULL: what it is to load */
};

static void inner_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct inner_get *inner = data;
  (void)call;
  if (outcome->channel == WEIR_CHANNEL_VALUE) {
    weir_complete(inner->runtime, inner->token, weir_value_ref(outcome->value));
  } else {
    weir_fail(inner->runtime, inner->token, WEIR_DOMAIN_USER, outcome->status, NULL);
  }
}

static void inner_cancel(void *data, uint32_t reason) {
  struct inner_get *inner = data;
  (void)reason;
  if (inner->call != NULL) weir_call_cancel(inner->call);
}

static void inner_free(void *data) {
  struct inner_get *inner = data;
  weir_call_unref(inner->call);
  inner->call = NULL;
}

static void start_inner(void *data, weir_attempt *attempt) {
  struct inner_get *inner = data;
  inner->runtime = attempt->runtime;
  inner->token = attempt->token;
  attempt->on_cancel = inner_cancel;
  attempt->free_data = inner_free;
  attempt->data = inner;
  weir_operation *loader = inner->loader == NULL ? inner->operation : inner->loader->operation;
  weir_status status = inner->key != NULL
                           ? weir_cache_get(inner->cache, inner->key, strlen(inner->key), loader,
                                            inner_settled, inner, NULL, &inner->call, NULL)
                           : weir_cache_get(inner->cache, attempt->key, attempt->key_size, loader,
                                            inner_settled, inner, NULL, &inner->call, NULL);
  if (status != WEIR_OK)
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, status, NULL);
}

static void a_loader_may_get_another_key_of_the_cache(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct inner_get inner = {.cache = cache, .loader = loader, .key = "b"};
  assert_int_equal(
      weir_operation_new(fx->runtime, start_inner, &inner, NULL, &inner.operation, NULL), WEIR_OK);
  weir_operation *operation = get_operation(cache, inner.operation);
  struct run *run = begin_key(fx, operation, NULL, "a");
  run_until_idle(fx);
  assert_int_equal(stats_of(cache).loading, 2);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(look(cache, "a"), 7);
  assert_int_equal(look(cache, "b"), 7);
  weir_operation_unref(operation);
  weir_operation_unref(inner.operation);
  weir_cache_unref(cache);
}

/* A loader that gets the very key it is to load waits for itself, until somebody gives up. */
static void a_loader_that_gets_its_own_key_ends_with_the_timeout(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.load_timeout_ms = 50;
  weir_cache *cache = new_cache(fx, &options);
  struct inner_get inner = {.cache = cache};
  assert_int_equal(
      weir_operation_new(fx->runtime, start_inner, &inner, NULL, &inner.operation, NULL), WEIR_OK);
  weir_operation *operation = get_operation(cache, inner.operation);
  struct run *run = begin_key(fx, operation, NULL, "a");
  advance_ms(fx, 49);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_operation_unref(operation);
  weir_operation_unref(inner.operation);
  weir_cache_unref(cache);
}

static void K14_closing_ends_a_load_that_waits_for_itself(struct fixture *fx) {
  weir_cache *cache = new_cache(fx, NULL);
  struct inner_get inner = {.cache = cache};
  assert_int_equal(
      weir_operation_new(fx->runtime, start_inner, &inner, NULL, &inner.operation, NULL), WEIR_OK);
  weir_operation *operation = get_operation(cache, inner.operation);
  struct run *run = begin_key(fx, operation, NULL, "a");
  run_until_idle(fx);
  assert_pending(run);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  weir_operation_unref(operation);
  weir_operation_unref(inner.operation);
  weir_cache_unref(cache);
}

/* ---- clearing and closing -------------------------------------------------------------------- */

static void K14_clear_during_loads_settles_each_waiter_once_and_stores_nothing(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *runs[20];
  char key[8];
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    snprintf(key, sizeof key, "k%zu", i / 2);
    runs[i] = get(fx, cache, key, loader);
  }
  assert_int_equal(stats_of(cache).loading, 10);
  assert_int_equal(weir_cache_clear(cache), WEIR_OK);
  assert_int_equal(stats_of(cache).loading, 0);
  struct run *anew = get(fx, cache, "k0", loader);
  assert_int_equal(loader->started, 11);
  for (size_t i = 0; i < 11; i++) {
    snprintf(key, sizeof key, "v%zu", i);
    finish(loader, i, key);
  }
  run_until_idle(fx);
  for (size_t i = 0; i < COUNT_OF(runs); i++) assert_int_equal(settled(runs[i])->value, i / 2);
  assert_int_equal(settled(anew)->value, 10);
  assert_int_equal(stats_of(cache).entries, 1);
  assert_int_equal(look(cache, "k0"), 10);
  weir_cache_unref(cache);
}

static void K14_close_during_loads_settles_each_waiter_once(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *runs[20];
  char key[8];
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    snprintf(key, sizeof key, "k%zu", i / 2);
    runs[i] = i % 5 == 4 ? try_get(fx, cache, key, loader) : get(fx, cache, key, loader);
    assert_int_equal(runs[i]->status, WEIR_OK);
  }
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    assert_int_equal(settled(runs[i])->status, WEIR_ECLOSED);
    assert_int_equal(settled(runs[i])->channel, WEIR_CHANNEL_STOPPED);
  }
  assert_int_equal(try_get(fx, cache, "k0", loader)->status, WEIR_ECLOSED);
  for (size_t i = 0; i < loader->started; i++) finish(loader, i, "v1");
  assert_int_equal(stats_of(cache).entries, 0);
  weir_cache_unref(cache);
}

/* All handles go while loads are out; the runtime with them. */
static void K14_the_runtime_goes_before_the_cache(struct fixture *fx) {
  struct script *loader = scripted(fx, "yield");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get(fx, cache, "a", loader);
  assert_int_equal(put_number(fx, cache, "b", 1), WEIR_OK);
  weir_operation_unref(loader->operation);
  loader->operation = NULL;
  weir_runtime_unref(fx->runtime);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  weir_call_unref(run->call);
  run->call = NULL;
  fx->runtime = NULL;
  assert_int_equal(look(cache, "b"), 1);
  weir_cache_unref(cache);
}

/* ---- whose an attempt is --------------------------------------------------------------------- */

struct seen {
  uint32_t shared[8];
  void *context[8];
  uint32_t count;
};

static void see(void *data, weir_attempt *attempt) {
  struct seen *seen = data;
  seen->shared[seen->count % 8] = attempt->shared;
  seen->context[seen->count++ % 8] = attempt->context;
  weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 1, NULL);
}

static void only_a_loads_attempts_are_shared_with_all_that_is_inside(struct fixture *fx) {
  struct seen seen = {0};
  weir_operation *leaf = NULL;
  weir_operation *race = NULL;
  weir_flight *flight = NULL;
  weir_operation *flown = NULL;
  assert_int_equal(weir_operation_new(fx->runtime, see, &seen, NULL, &leaf, NULL), WEIR_OK);
  assert_int_equal(weir_race_new(fx->runtime, &leaf, 1, NULL, &race, NULL), WEIR_OK);
  assert_int_equal(weir_flight_new(fx->runtime, NULL, &flight, NULL), WEIR_OK);
  assert_int_equal(weir_flight_operation(flight, leaf, &flown, NULL), WEIR_OK);
  weir_cache *cache = new_cache(fx, NULL);
  weir_operation *get = get_operation(cache, race);
  weir_operation *runs[] = {leaf, race, get, flown};
  for (uint32_t i = 0; i < 4; i++) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.key = "k";
    options.key_size = 1;
    options.context = &runs[i];
    begin(fx, runs[i], &options);
    run_until_idle(fx);
    assert_int_equal(seen.count, i + 1);
    assert_int_equal(seen.shared[i], i >= 2);
    assert_ptr_equal(seen.context[i], &runs[i]);
  }
  weir_operation_unref(get);
  weir_cache_unref(cache);
  weir_operation_unref(flown);
  weir_flight_unref(flight);
  weir_operation_unref(race);
  weir_operation_unref(leaf);
}

/* A host that drains a START sees the same. */
static void a_queued_load_is_shown_as_shared(struct fixture *fx) {
  weir_completions *queue = NULL;
  weir_operation *leaf = NULL;
  weir_record record;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new_queued(queue, WEIR_USER_OF_RUN, &leaf, NULL), WEIR_OK);
  weir_cache *cache = new_cache(fx, NULL);
  weir_operation *get = get_operation(cache, leaf);
  weir_operation *runs[] = {leaf, get};
  for (uint32_t i = 0; i < 2; i++) {
    weir_attempt attempt = {.size = sizeof attempt};
    begin_key(fx, runs[i], NULL, "k");
    run_until_idle(fx);
    assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
    assert_int_equal(weir_attempt_get(fx->runtime, record.object, &attempt, NULL), WEIR_OK);
    assert_int_equal(attempt.shared, i);
    weir_value_unref((weir_value *)(uintptr_t)record.detail);
    weir_complete(fx->runtime, record.object, NULL);
    run_until_idle(fx);
  }
  weir_operation_unref(get);
  weir_cache_unref(cache);
  weir_operation_unref(leaf);
  weir_completions_unref(queue);
}

TEST_MAIN("cache compose", TEST(a_retry_outside_loads_again),
          TEST(only_a_loads_attempts_are_shared_with_all_that_is_inside),
          TEST(a_queued_load_is_shown_as_shared),
          TEST(a_retry_inside_the_loader_counts_as_one_load),
          TEST(the_timeout_of_loads_counts_for_a_breaker_inside),
          TEST(a_pipeline_around_gets_holds_its_permits_for_the_wait_alone),
          TEST(gets_and_loads_by_records), TEST(K09_weigh_that_meddles_while_a_load_is_stored),
          TEST(K09_expire_that_meddles_while_a_get_reads),
          TEST(K09_on_evict_that_meddles_after_a_load),
          TEST(a_cache_may_be_given_back_in_a_settle_listener),
          TEST(a_loader_may_get_another_key_of_the_cache),
          TEST(a_loader_that_gets_its_own_key_ends_with_the_timeout),
          TEST(K14_closing_ends_a_load_that_waits_for_itself),
          TEST(K14_clear_during_loads_settles_each_waiter_once_and_stores_nothing),
          TEST(K14_close_during_loads_settles_each_waiter_once),
          TEST(K14_the_runtime_goes_before_the_cache))
