/* SPDX-License-Identifier: MIT */
/* Options changed from other threads while runs go through the policies. Threads record, the body
 * asserts. */

#include <sched.h>
#include <stdatomic.h>

#include "support.h"

enum { RUNS = 3000, CHANGERS = 2 };

struct live {
  weir_runtime *runtime;
  weir_retry *retry;
  weir_timeout *timeout;
  weir_budget *budget;
  weir_breaker *breaker;
  weir_limiter *limiter;
  weir_hedge *hedge;
  weir_fallback *fallback;
  weir_pipeline *pipeline;
  weir_operation *work;
  atomic_bool over;
  atomic_uint sets;  /* option sets with a free_data that were handed in */
  atomic_uint freed; /* and freed */
  atomic_uint wrong; /* statuses that must not be */
  atomic_uint settled;
};

static void count_set_free(void *data) {
  struct live *live = data;
  atomic_fetch_add(&live->freed, 1);
}

static int32_t try_again(void *data, const weir_outcome *outcome, uint32_t attempt) {
  (void)data, (void)outcome;
  return attempt < 3;
}

static int64_t plenty(void *data, void *context, const void *key, size_t key_size) {
  (void)data, (void)context, (void)key, (void)key_size;
  return 20000;
}

static weir_retry_options retry_options(struct live *live, int64_t max_attempts) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.base_delay_ms = 0;
  options.max_attempts = max_attempts;
  options.budget = live->budget;
  options.should_retry = try_again;
  options.should_retry_data = live;
  options.should_retry_free_data = count_set_free;
  atomic_fetch_add(&live->sets, 1);
  return options;
}

static weir_timeout_options timeout_options(struct live *live, int per_run) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  if (!per_run) {
    options.timeout_ms = 30000;
    return options;
  }
  options.timeout_for = plenty;
  options.timeout_data = live;
  options.timeout_free_data = count_set_free;
  atomic_fetch_add(&live->sets, 1);
  return options;
}

static uint32_t judge_as_ever(void *data, const weir_outcome *outcome) {
  (void)data, (void)outcome;
  return WEIR_CLASS_NONE;
}

static weir_hedge_options hedge_options(struct live *live, uint32_t max_hedges) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  options.delay_ms = 20000;
  options.max_hedges = max_hedges;
  options.quantile = max_hedges == 2 ? 0.9 : WEIR_OFF;
  options.budget = live->budget;
  options.classify = judge_as_ever;
  options.classify_data = live;
  options.classify_free_data = count_set_free;
  atomic_fetch_add(&live->sets, 1);
  return options;
}

/* Never to open, from the first run on: an open one would have all retries wait for it. */
static weir_breaker_options breaker_options(uint32_t below) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.failure_threshold = 1000000 - below;
  return options;
}

/* With the operation itself, or without a value. */
static weir_fallback_options fallback_options(struct live *live, int by_operation) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.has_value = by_operation ? 0 : 1;
  options.operation = by_operation ? live->work : NULL;
  options.classify = judge_as_ever;
  options.classify_data = live;
  options.classify_free_data = count_set_free;
  atomic_fetch_add(&live->sets, 1);
  return options;
}

static void expect_ok(struct live *live, weir_status status) {
  if (status != WEIR_OK) atomic_fetch_add(&live->wrong, 1);
}

/* Every policy, again and again, and the retry's decide door beside it. */
static void change_all(struct live *live, unsigned round) {
  weir_retry_options retry = retry_options(live, 1 + round % 4);
  expect_ok(live, weir_retry_set_options(live->retry, &retry, NULL));
  weir_timeout_options timeout = timeout_options(live, round % 2 == 0);
  expect_ok(live, weir_timeout_set_options(live->timeout, &timeout, NULL));
  weir_budget_options budget = WEIR_BUDGET_OPTIONS_INIT;
  budget.min_per_second = 1000 + round % 3;
  expect_ok(live, weir_budget_set_options(live->budget, &budget, NULL));
  weir_breaker_options breaker = breaker_options(round % 5);
  expect_ok(live, weir_breaker_set_options(live->breaker, &breaker, NULL));
  weir_limiter_options limiter = WEIR_LIMITER_OPTIONS_INIT;
  limiter.max_concurrent = 1 + round % 8;
  limiter.max_queue = WEIR_UNLIMITED;
  expect_ok(live, weir_limiter_set_options(live->limiter, &limiter, NULL));
  weir_hedge_options hedge = hedge_options(live, 1 + round % 3);
  expect_ok(live, weir_hedge_set_options(live->hedge, &hedge, NULL));
  weir_fallback_options fallback = fallback_options(live, round % 2 == 0);
  expect_ok(live, weir_fallback_set_options(live->fallback, &fallback, NULL));
  weir_hedge_stats stats = {.size = sizeof stats};
  expect_ok(live, weir_hedge_get_stats(live->hedge, &stats));
  weir_retry_state state;
  int64_t delay_ns = 0;
  expect_ok(live, weir_retry_begin(live->retry, &state));
  weir_retry_next(live->retry, &state, WEIR_CLASS_FAILURE, -1, &delay_ns, NULL);
}

/* Not faster than runs settle: what is replaced waits for the runtime's thread. */
static void *change_until_over(void *data) {
  struct live *live = data;
  unsigned round = 0;
  for (unsigned seen = UINT32_MAX; !atomic_load(&live->over);) {
    unsigned settled_now = atomic_load(&live->settled);
    if (settled_now == seen) {
      sched_yield();
      continue;
    }
    seen = settled_now;
    change_all(live, round++);
  }
  return NULL;
}

static void fail_twice(void *data, weir_attempt *attempt) {
  (void)data;
  if (attempt->number % 3 != 0) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 1, NULL);
  } else {
    weir_complete(attempt->runtime, attempt->token, NULL);
  }
}

static void count_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct live *live = data;
  (void)call;
  if (outcome->channel == WEIR_CHANNEL_STOPPED) atomic_fetch_add(&live->wrong, 1);
  atomic_fetch_add(&live->settled, 1);
}

static weir_status make_live(struct live *live) {
  weir_runtime_options threaded = WEIR_RUNTIME_OPTIONS_INIT;
  weir_status status = weir_runtime_new(&threaded, &live->runtime, NULL);
  if (status == WEIR_OK) status = weir_budget_new(live->runtime, NULL, &live->budget, NULL);
  weir_retry_options retry = retry_options(live, 3);
  if (status == WEIR_OK) status = weir_retry_new(live->runtime, &retry, &live->retry, NULL);
  weir_timeout_options timeout = timeout_options(live, 0);
  if (status == WEIR_OK) status = weir_timeout_new(live->runtime, &timeout, &live->timeout, NULL);
  weir_breaker_options breaker = breaker_options(0);
  if (status == WEIR_OK) status = weir_breaker_new(live->runtime, &breaker, &live->breaker, NULL);
  if (status == WEIR_OK) {
    status = weir_bulkhead_new(live->runtime, 4, WEIR_UNLIMITED, NULL, &live->limiter, NULL);
  }
  if (status != WEIR_OK) return status;
  status = weir_operation_new(live->runtime, fail_twice, NULL, NULL, &live->work, NULL);
  if (status != WEIR_OK) return status;
  weir_hedge_options hedge = hedge_options(live, 1);
  status = weir_hedge_new(live->runtime, &hedge, &live->hedge, NULL);
  if (status != WEIR_OK) return status;
  weir_fallback_options fallback = fallback_options(live, 0);
  status = weir_fallback_new(live->runtime, &fallback, &live->fallback, NULL);
  if (status != WEIR_OK) return status;
  weir_policy *row[] = {weir_limiter_policy(live->limiter),   weir_timeout_policy(live->timeout),
                        weir_fallback_policy(live->fallback), weir_retry_policy(live->retry),
                        weir_hedge_policy(live->hedge),       weir_breaker_policy(live->breaker)};
  return weir_pipeline_new(live->runtime, row, COUNT_OF(row), NULL, &live->pipeline, NULL);
}

static void drop_live(struct live *live) {
  weir_operation_unref(live->work);
  weir_pipeline_unref(live->pipeline);
  weir_fallback_unref(live->fallback);
  weir_hedge_unref(live->hedge);
  weir_limiter_unref(live->limiter);
  weir_breaker_unref(live->breaker);
  weir_timeout_unref(live->timeout);
  weir_retry_unref(live->retry);
  weir_budget_unref(live->budget);
}

static void options_change_from_other_threads_under_runs(struct fixture *fx) {
  static struct live live;
  memset(&live, 0, sizeof live);
  (void)fx;
  assert_int_equal(make_live(&live), WEIR_OK);
  pthread_t threads[CHANGERS];
  for (size_t i = 0; i < CHANGERS; i++) {
    if (pthread_create(&threads[i], NULL, change_until_over, &live) != 0) abort();
  }
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_pipeline_policy(live.pipeline);
  unsigned accepted = 0;
  for (int i = 0; i < RUNS; i++) {
    weir_call *call = NULL;
    if (weir_run(live.work, &options, count_settled, &live, NULL, &call, NULL) != WEIR_OK) break;
    accepted++;
    if (i % 50 == 0) weir_call_wait(call, WEIR_FOREVER);
    weir_call_unref(call);
  }
  while (atomic_load(&live.settled) < accepted) sched_yield();
  atomic_store(&live.over, 1);
  for (size_t i = 0; i < CHANGERS; i++) pthread_join(threads[i], NULL);
  drop_live(&live);
  weir_status closed = weir_runtime_close_wait(live.runtime, 30000);
  weir_runtime_unref(live.runtime);
  assert_int_equal(closed, WEIR_OK);
  assert_int_equal(accepted, RUNS);
  assert_int_equal(atomic_load(&live.settled), RUNS);
  assert_int_equal(atomic_load(&live.wrong), 0);
  assert_int_equal(atomic_load(&live.freed), atomic_load(&live.sets));
}

TEST_MAIN("live threads", LONG_TEST(options_change_from_other_threads_under_runs))
