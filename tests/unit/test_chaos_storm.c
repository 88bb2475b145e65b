/* SPDX-License-Identifier: MIT */
/* Every policy and every flow pattern around an operation that chaos makes fail, be late, hang, or
 * all of it: 1,000 seeds each, some runs cancelled, chaos sometimes switched off halfway. Each run
 * settles exactly once, and at the end nothing is left. A new pattern is one function and one line
 * in the table. */

#include "limiter_help.h"

enum { SEEDS = 1000, RUNS = 3, PARTS = 3 };

struct storm {
  struct fixture *fx;
  uint64_t random;
  weir_chaos *chaos;
  weir_operation *work; /* under chaos */
};

static uint64_t below(struct storm *storm, uint64_t bound) {
  return next_random(&storm->random) % bound;
}

static void ok(weir_status status) { assert_int_equal(status, WEIR_OK); }

/* ---- what is under chaos --------------------------------------------------------------------- */

struct weather {
  const char *name;
  double failure_rate;
  double latency_rate;
  double hang_rate;
};

static const struct weather weathers[] = {
    {"failure", 0.5, 0, 0}, {"latency", 0, 0.7, 0}, {"hang", 0, 0, 0.3}, {"all", 0.3, 0.3, 0.1}};

static void succeed_at_once(void *data, weir_attempt *attempt) {
  (void)data;
  weir_complete_bytes(attempt->runtime, attempt->token, "value", 5);
}

/* `policy` around `operation`; both of the caller's references go. */
static weir_operation *under(weir_policy *policy, weir_operation *operation) {
  weir_operation *wrapped = NULL;
  ok(weir_policy_wrap(policy, operation, &wrapped, NULL));
  weir_policy_unref(policy);
  weir_operation_unref(operation);
  return wrapped;
}

static void begin_storm(struct storm *storm, struct fixture *fx, const struct weather *weather,
                        uint64_t seed) {
  weir_chaos_options options = WEIR_CHAOS_OPTIONS_INIT;
  weir_operation *leaf = NULL;
  storm->fx = fx;
  storm->random = seed;
  options.seed = seed;
  options.failure_rate = weather->failure_rate;
  options.latency_rate = weather->latency_rate;
  options.hang_rate = weather->hang_rate;
  options.latency_max_ms = 60;
  ok(weir_chaos_new(fx->runtime, &options, &storm->chaos, NULL));
  if (below(storm, 2) == 0) {
    ok(weir_operation_new(fx->runtime, succeed_at_once, NULL, NULL, &leaf, NULL));
  } else {
    ok(weir_sleep_new(fx->runtime, 7, WEIR_OK, NULL, NULL, &leaf, NULL));
  }
  storm->work = under(weir_policy_ref(weir_chaos_policy(storm->chaos)), leaf);
}

static void end_storm(struct storm *storm) {
  weir_operation_unref(storm->work);
  weir_chaos_unref(storm->chaos);
}

/* ---- policies -------------------------------------------------------------------------------- */

static weir_operation *work(struct storm *storm) { return weir_operation_ref(storm->work); }

static weir_policy *retry_policy(struct storm *storm) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *retry = NULL;
  options.base_delay_ms = 5;
  options.attempt_timeout_ms = below(storm, 2) == 0 ? 20 : WEIR_FOREVER;
  ok(weir_retry_new(storm->fx->runtime, &options, &retry, NULL));
  return weir_retry_policy(retry);
}

static weir_policy *timeout_policy(struct storm *storm) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_timeout *timeout = NULL;
  options.timeout_ms = (int64_t)below(storm, 50);
  ok(weir_timeout_new(storm->fx->runtime, &options, &timeout, NULL));
  return weir_timeout_policy(timeout);
}

static weir_policy *breaker_policy(struct storm *storm) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  weir_breaker *breaker = NULL;
  options.failure_threshold = 1 + (uint32_t)below(storm, 3);
  options.reset_timeout_ms = 10;
  ok(weir_breaker_new(storm->fx->runtime, &options, &breaker, NULL));
  return weir_breaker_policy(breaker);
}

static weir_policy *limiter_policy(struct storm *storm) {
  weir_limiter *limiter = NULL;
  ok(weir_bulkhead_new(storm->fx->runtime, 1, (int64_t)below(storm, 3), NULL, &limiter, NULL));
  return weir_limiter_policy(limiter);
}

static weir_policy *rate_policy(struct storm *storm) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 2, 30);
  options.queue_timeout_ms = 40;
  return weir_limiter_policy(make_limiter(storm->fx, &options));
}

static weir_policy *hedge_policy(struct storm *storm) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  weir_hedge *hedge = NULL;
  options.delay_ms = (int64_t)below(storm, 10);
  options.max_hedges = 2;
  ok(weir_hedge_new(storm->fx->runtime, &options, &hedge, NULL));
  return weir_hedge_policy(hedge);
}

static weir_policy *fallback_to(struct storm *storm, weir_operation *operation) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  weir_fallback *fallback = NULL;
  options.has_value = operation == NULL;
  options.operation = operation;
  ok(weir_fallback_new(storm->fx->runtime, &options, &fallback, NULL));
  return weir_fallback_policy(fallback);
}

static weir_operation *make_retry(struct storm *storm) {
  return under(retry_policy(storm), work(storm));
}
static weir_operation *make_timeout(struct storm *storm) {
  return under(timeout_policy(storm), work(storm));
}
static weir_operation *make_breaker(struct storm *storm) {
  return under(breaker_policy(storm), work(storm));
}
static weir_operation *make_bulkhead(struct storm *storm) {
  return under(limiter_policy(storm), work(storm));
}
static weir_operation *make_rate_limit(struct storm *storm) {
  return under(rate_policy(storm), work(storm));
}
static weir_operation *make_hedge(struct storm *storm) {
  return under(hedge_policy(storm), work(storm));
}
static weir_operation *make_fallback_to_value(struct storm *storm) {
  return under(fallback_to(storm, NULL), work(storm));
}
static weir_operation *make_fallback_to_operation(struct storm *storm) {
  return under(fallback_to(storm, storm->work), work(storm));
}

static weir_operation *make_pipeline(struct storm *storm) {
  weir_policy *row[] = {fallback_to(storm, NULL), timeout_policy(storm), limiter_policy(storm),
                        retry_policy(storm),      breaker_policy(storm), hedge_policy(storm)};
  weir_pipeline *pipeline = NULL;
  ok(weir_pipeline_new(storm->fx->runtime, row, COUNT_OF(row), NULL, &pipeline, NULL));
  for (size_t i = 0; i < COUNT_OF(row); i++) weir_policy_unref(row[i]);
  return under(weir_pipeline_policy(pipeline), work(storm));
}

static weir_operation *make_chaos_within_chaos(struct storm *storm) {
  return under(weir_policy_ref(weir_chaos_policy(storm->chaos)), work(storm));
}

/* ---- pacing and caching ---------------------------------------------------------------------- */

static weir_operation *make_debounce(struct storm *storm) {
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  weir_debounce *debounce = NULL;
  options.wait_ms = 10;
  options.overlap = (uint32_t)below(storm, 3);
  options.policy = timeout_policy(storm); /* its runs go on whoever leaves */
  ok(weir_debounce_new(storm->fx->runtime, storm->work, &options, &debounce, NULL));
  weir_operation *operation = weir_operation_ref(weir_debounce_operation(debounce));
  weir_debounce_unref(debounce);
  weir_policy_unref(options.policy);
  return operation;
}

static weir_operation *make_throttle(struct storm *storm) {
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  weir_throttle *throttle = NULL;
  options.interval_ms = 10;
  options.overlap = (uint32_t)below(storm, 3);
  options.policy = timeout_policy(storm);
  ok(weir_throttle_new(storm->fx->runtime, storm->work, &options, &throttle, NULL));
  weir_operation *operation = weir_operation_ref(weir_throttle_operation(throttle));
  weir_throttle_unref(throttle);
  weir_policy_unref(options.policy);
  return operation;
}

static weir_operation *make_cache(struct storm *storm) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  weir_cache *cache = NULL;
  weir_operation *operation = NULL;
  options.ttl_ms = 20;
  options.load_timeout_ms = 30;
  options.stale_if_error_ms = 100;
  ok(weir_cache_new(storm->fx->runtime, &options, &cache, NULL));
  ok(weir_cache_operation(cache, storm->work, &operation, NULL));
  weir_cache_unref(cache);
  return operation;
}

static weir_operation *make_memoize(struct storm *storm) {
  weir_memoize *memoize = NULL;
  ok(weir_memoize_new(storm->fx->runtime, storm->work, NULL, &memoize, NULL));
  weir_operation *operation = weir_operation_ref(weir_memoize_operation(memoize));
  weir_memoize_unref(memoize);
  return operation;
}

static weir_operation *make_flight(struct storm *storm) {
  weir_flight *flight = NULL;
  weir_operation *operation = NULL;
  ok(weir_flight_new(storm->fx->runtime, NULL, &flight, NULL));
  ok(weir_flight_operation(flight, storm->work, &operation, NULL));
  weir_flight_unref(flight);
  return operation;
}

/* ---- flow ------------------------------------------------------------------------------------ */

static weir_operation *make_race(struct storm *storm) {
  static const uint8_t decisive[PARTS] = {0, 0, 1};
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  weir_operation *parts[PARTS] = {storm->work, storm->work, NULL};
  weir_operation *operation = NULL;
  options.first_settled = (uint32_t)below(storm, 2);
  if (options.first_settled == 0 && below(storm, 2) == 0) options.decisive = decisive;
  ok(weir_sleep_new(storm->fx->runtime, 25, WEIR_ETIMEDOUT, NULL, NULL, &parts[2], NULL));
  ok(weir_race_new(storm->fx->runtime, parts, PARTS, &options, &operation, NULL));
  weir_operation_unref(parts[2]);
  return operation;
}

typedef weir_status (*make_row_fn)(weir_runtime *runtime, weir_operation *const *operations,
                                   size_t count, const char *name, weir_operation **out,
                                   weir_error **error);

static weir_operation *make_row(struct storm *storm, make_row_fn make) {
  weir_operation *parts[PARTS] = {storm->work, storm->work, storm->work};
  weir_operation *operation = NULL;
  ok(make(storm->fx->runtime, parts, PARTS, "row", &operation, NULL));
  return operation;
}

static weir_operation *make_any(struct storm *storm) { return make_row(storm, weir_any_new); }
static weir_operation *make_all(struct storm *storm) { return make_row(storm, weir_all_new); }
static weir_operation *make_all_settled(struct storm *storm) {
  return make_row(storm, weir_all_settled_new);
}
static weir_operation *make_waterfall(struct storm *storm) {
  return make_row(storm, weir_waterfall_new);
}

static weir_parallel_options parallel_options(struct storm *storm) {
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.concurrency = 1 + (int64_t)below(storm, 3);
  options.stop_on_error = (uint32_t)below(storm, 2);
  options.item_timeout_ms = below(storm, 2) == 0 ? 20 : WEIR_FOREVER;
  return options;
}

static weir_operation *make_parallel(struct storm *storm) {
  weir_parallel_options options = parallel_options(storm);
  weir_operation *parts[] = {storm->work, storm->work, storm->work, storm->work, storm->work};
  weir_operation *operation = NULL;
  ok(weir_parallel_new(storm->fx->runtime, parts, COUNT_OF(parts), &options, &operation, NULL));
  return operation;
}

static uint32_t pull_ten(void *data, uint64_t index, weir_value **item, weir_error **error) {
  (void)data, (void)item, (void)error;
  return index < 10 ? WEIR_PULL_ITEM : WEIR_PULL_END;
}

static weir_operation *make_parallel_each(struct storm *storm) {
  weir_parallel_options options = parallel_options(storm);
  weir_operation *operation = NULL;
  options.pull = pull_ten;
  options.policy = retry_policy(storm);
  ok(weir_parallel_new_each(storm->work, NULL, &options, &operation, NULL));
  weir_policy_unref(options.policy);
  return operation;
}

static weir_operation *make_pool(struct storm *storm) {
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  weir_pool *pool = NULL;
  options.concurrency = 2;
  options.stop_on_error = (uint32_t)below(storm, 2);
  ok(weir_pool_new(storm->fx->runtime, &options, &pool, NULL));
  for (int i = 0; i < PARTS; i++) ok(weir_pool_add(pool, storm->work, NULL, NULL));
  ok(weir_pool_seal(pool));
  weir_operation *operation = weir_operation_ref(weir_pool_operation(pool));
  weir_pool_unref(pool);
  return operation;
}

static weir_operation *make_poll(struct storm *storm) {
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  weir_operation *operation = NULL;
  options.interval_ms = (int64_t)below(storm, 5);
  options.max_attempts = 4;
  ok(weir_poll_new(storm->work, &options, &operation, NULL));
  return operation;
}

static weir_operation *make_scope(struct storm *storm) {
  static const uint32_t exits[] = {WEIR_SCOPE_JOIN, WEIR_SCOPE_CANCEL};
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  weir_operation *operation = NULL;
  options.exit = exits[below(storm, COUNT_OF(exits))];
  options.deadline_ms = below(storm, 2) == 0 ? 30 : WEIR_FOREVER;
  ok(weir_scope_operation(storm->work, &options, &operation, NULL));
  return operation;
}

/* Retry inside parallel, timeout around race, a cache in a pipeline, a scope around all (F22). */
static weir_operation *make_all_of_it(struct storm *storm) {
  weir_operation *items = make_parallel_each(storm);
  weir_operation *race = under(timeout_policy(storm), make_race(storm));
  weir_operation *cached = under(retry_policy(storm), make_cache(storm));
  weir_operation *parts[] = {items, race, cached};
  weir_operation *row = NULL;
  weir_operation *operation = NULL;
  ok(weir_all_settled_new(storm->fx->runtime, parts, PARTS, NULL, &row, NULL));
  ok(weir_scope_operation(row, NULL, &operation, NULL));
  weir_operation_unref(row);
  for (size_t i = 0; i < COUNT_OF(parts); i++) weir_operation_unref(parts[i]);
  return operation;
}

/* ---- the storm ------------------------------------------------------------------------------- */

typedef weir_operation *(*make_fn)(struct storm *storm);

static void cancel_some(struct storm *storm, struct run *const *runs) {
  advance_ms(storm->fx, (int64_t)below(storm, 40));
  if (below(storm, 3) == 0) ok(weir_chaos_enable(storm->chaos, 0));
  for (size_t i = 0; i < RUNS; i++) {
    if (runs[i]->settled == 0 && below(storm, 4) == 0) weir_call_cancel(runs[i]->call);
  }
}

static void one_seed(struct fixture *fx, make_fn make, const struct weather *weather,
                     uint64_t seed) {
  struct storm storm;
  struct run *runs[RUNS];
  begin_storm(&storm, fx, weather, seed);
  weir_operation *operation = make(&storm);
  for (size_t i = 0; i < RUNS; i++) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.key = i == 0 ? "a" : "b";
    options.key_size = 1;
    options.deadline_ms = 20 + (int64_t)below(&storm, 200);
    runs[i] = begin(fx, operation, &options);
    advance_ms(fx, (int64_t)below(&storm, 20));
  }
  cancel_some(&storm, runs);
  advance_ms(fx, 10000);
  for (size_t i = 0; i < RUNS; i++) {
    if (runs[i]->settled == 1) continue;
    print_error("%s, seed %llu, run %zu settled %u times\n", weather->name,
                (unsigned long long)seed, i, runs[i]->settled);
    assert_int_equal(runs[i]->settled, 1);
  }
  weir_operation_unref(operation);
  end_storm(&storm);
}

static void storm_over(struct fixture *fx, make_fn make) {
  for (size_t w = 0; w < COUNT_OF(weathers); w++) {
    for (uint64_t seed = 1; seed <= SEEDS; seed++) one_seed(fx, make, &weathers[w], seed);
  }
  run_until_idle(fx);
  weir_runtime_stats stats = {.size = sizeof stats};
  ok(weir_runtime_get_stats(fx->runtime, &stats));
  assert_int_equal(stats.live_calls, 0);
  assert_int_equal(stats.orphans, 0);
}

#define STORM(pattern)                                                    \
  static void every_run_of_##pattern##_settles_once(struct fixture *fx) { \
    storm_over(fx, make_##pattern);                                       \
  }

#define EACH_PATTERN(X)    \
  X(retry)                 \
  X(timeout)               \
  X(breaker)               \
  X(bulkhead)              \
  X(rate_limit)            \
  X(hedge)                 \
  X(fallback_to_value)     \
  X(fallback_to_operation) \
  X(pipeline)              \
  X(chaos_within_chaos)    \
  X(debounce)              \
  X(throttle)              \
  X(cache)                 \
  X(memoize)               \
  X(flight)                \
  X(race)                  \
  X(any)                   \
  X(all)                   \
  X(all_settled) X(waterfall) X(parallel) X(parallel_each) X(pool) X(poll) X(scope) X(all_of_it)

EACH_PATTERN(STORM)

#define STORM_TEST(pattern) LONG_TEST(every_run_of_##pattern##_settles_once),

TEST_MAIN("chaos storm", EACH_PATTERN(STORM_TEST))
