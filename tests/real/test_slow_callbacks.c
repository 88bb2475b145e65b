/* SPDX-License-Identifier: MIT */
/* Deciders and listeners that work for long on the loop's thread: a timer that is armed after one
 * of them begins after it, so no wait is shorter than it was asked for (C17). The loop has a timer
 * of its own that ticks: it keeps the loop's time fresh, as a loop with other work is. */

#include "loopback.h"

enum { WORK_MS = 40, WAIT_MS = 20 };

struct scene {
  weir_runtime *runtime;
  unsigned asked; /* how often the slow one was called; it is slow the first time */
  uint64_t settled_ns;
};

static void work(void *data) {
  struct scene *scene = data;
  if (scene->asked++ == 0) uv_sleep(WORK_MS);
}

/* ---- what is slow ---------------------------------------------------------------------------- */

static uint32_t judge_slowly(void *data, const weir_outcome *outcome) {
  work(data);
  return outcome->channel == WEIR_CHANNEL_VALUE ? WEIR_CLASS_SUCCESS : WEIR_CLASS_FAILURE;
}

static int32_t should_retry_slowly(void *data, const weir_outcome *outcome, uint32_t attempt) {
  (void)outcome, (void)attempt;
  work(data);
  return 1;
}

static void on_retry_slowly(void *data, uint32_t attempt, int64_t delay_ns,
                            const weir_outcome *outcome) {
  (void)attempt, (void)delay_ns, (void)outcome;
  work(data);
}

static void on_event_slowly(void *data, const weir_event *event) {
  if (event->kind == WEIR_EVENT_RETRY) work(data);
}

static int32_t until_slowly(void *data, const weir_outcome *outcome) {
  (void)outcome;
  work(data);
  return ((struct scene *)data)->asked > 1;
}

static int64_t timeout_for_slowly(void *data, void *context, const void *key, size_t key_size) {
  (void)context, (void)key, (void)key_size;
  work(data);
  return WAIT_MS;
}

static uint32_t pull_slowly(void *data, uint64_t index, weir_value **item, weir_error **error) {
  (void)item, (void)error;
  work(data);
  return index == 0 ? WEIR_PULL_ITEM : WEIR_PULL_END;
}

static void on_item_slowly(void *data, uint64_t index, const weir_outcome *outcome) {
  (void)index, (void)outcome;
  work(data);
}

static void on_progress_slowly(void *data, uint64_t done, uint64_t total) {
  (void)done, (void)total;
  work(data);
}

static void start_slowly(void *data, weir_attempt *attempt) {
  work(data);
  weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 1, "failed");
}

struct stopping {
  struct scene *scene;
  weir_token token;
};

static void stop_slowly(void *data, uint32_t reason) {
  struct stopping *stopping = data;
  (void)reason;
  work(stopping->scene);
  weir_fail(stopping->scene->runtime, stopping->token, WEIR_DOMAIN_USER, 1, "stopped");
}

static void start_to_stop_slowly(void *data, weir_attempt *attempt) {
  struct stopping *stopping = malloc(sizeof *stopping);
  if (stopping == NULL) abort();
  stopping->scene = data;
  stopping->token = attempt->token;
  attempt->data = stopping;
  attempt->on_cancel = stop_slowly;
  attempt->free_data = free;
}

/* ---- operations; each made of what it takes with it ----------------------------------------- */

static weir_operation *sleeping(struct scene *scene, int64_t ms, weir_status status) {
  weir_operation *out = NULL;
  assert_int_equal(weir_sleep_new(scene->runtime, ms, status, NULL, NULL, &out, NULL), WEIR_OK);
  return out;
}

static weir_operation *started_by(struct scene *scene, weir_start_fn start) {
  weir_operation *out = NULL;
  assert_int_equal(weir_operation_new(scene->runtime, start, scene, NULL, &out, NULL), WEIR_OK);
  return out;
}

static weir_operation *under(weir_policy *policy, weir_operation *operation) {
  weir_operation *out = NULL;
  assert_int_equal(weir_policy_wrap(policy, operation, &out, NULL), WEIR_OK);
  weir_operation_unref(operation);
  weir_policy_unref(policy);
  return out;
}

/* Twice, WAIT_MS between them. */
static weir_retry_options twice(void) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.backoff = WEIR_BACKOFF_CONSTANT;
  options.jitter = WEIR_JITTER_NONE;
  options.max_attempts = 2;
  options.base_delay_ms = WAIT_MS;
  return options;
}

static weir_operation *retried(struct scene *scene, const weir_retry_options *options,
                               weir_operation *operation) {
  weir_retry *retry = NULL;
  weir_retry_options plain = twice();
  if (options == NULL) options = &plain;
  assert_int_equal(weir_retry_new(scene->runtime, options, &retry, NULL), WEIR_OK);
  return under(weir_retry_policy(retry), operation);
}

static weir_operation *retry_that_judges(struct scene *scene) {
  weir_retry_options options = twice();
  options.classify = judge_slowly;
  options.classify_data = scene;
  return retried(scene, &options, sleeping(scene, 1, WEIR_EFAILED));
}

static weir_operation *retry_that_asks(struct scene *scene) {
  weir_retry_options options = twice();
  options.should_retry = should_retry_slowly;
  options.should_retry_data = scene;
  return retried(scene, &options, sleeping(scene, 1, WEIR_EFAILED));
}

static weir_operation *retry_that_tells(struct scene *scene) {
  weir_retry_options options = twice();
  options.on_retry = on_retry_slowly;
  options.on_retry_data = scene;
  return retried(scene, &options, sleeping(scene, 1, WEIR_EFAILED));
}

static weir_operation *retry_of_which_a_listener_hears(struct scene *scene) {
  return retried(scene, NULL, sleeping(scene, 1, WEIR_EFAILED));
}

static weir_operation *start_that_works(struct scene *scene) {
  return retried(scene, NULL, started_by(scene, start_slowly));
}

static weir_operation *stop_that_works(struct scene *scene) {
  weir_timeout *timeout = NULL;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 5;
  assert_int_equal(weir_timeout_new(scene->runtime, &options, &timeout, NULL), WEIR_OK);
  return retried(scene, NULL,
                 under(weir_timeout_policy(timeout), started_by(scene, start_to_stop_slowly)));
}

static weir_operation *breaker_that_judges(struct scene *scene) {
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.classify = judge_slowly;
  options.classify_data = scene;
  assert_int_equal(weir_breaker_new(scene->runtime, &options, &breaker, NULL), WEIR_OK);
  return retried(scene, NULL,
                 under(weir_breaker_policy(breaker), sleeping(scene, 1, WEIR_EFAILED)));
}

static weir_operation *limiter_that_judges(struct scene *scene) {
  weir_limiter *limiter = NULL;
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.adaptive = WEIR_ADAPTIVE_AIMD;
  options.classify = judge_slowly;
  options.classify_data = scene;
  assert_int_equal(weir_limiter_new(scene->runtime, &options, &limiter, NULL), WEIR_OK);
  return retried(scene, NULL,
                 under(weir_limiter_policy(limiter), sleeping(scene, 1, WEIR_EFAILED)));
}

static weir_operation *hedge_that_judges(struct scene *scene) {
  weir_hedge *hedge = NULL;
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  options.delay_ms = 1000;
  options.classify = judge_slowly;
  options.classify_data = scene;
  assert_int_equal(weir_hedge_new(scene->runtime, &options, &hedge, NULL), WEIR_OK);
  return under(weir_hedge_policy(hedge), sleeping(scene, WAIT_MS, WEIR_EFAILED));
}

static weir_operation *fallback_that_judges(struct scene *scene) {
  weir_fallback *fallback = NULL;
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.operation = sleeping(scene, WAIT_MS, WEIR_OK);
  options.classify = judge_slowly;
  options.classify_data = scene;
  assert_int_equal(weir_fallback_new(scene->runtime, &options, &fallback, NULL), WEIR_OK);
  weir_operation_unref(options.operation);
  return under(weir_fallback_policy(fallback), sleeping(scene, 1, WEIR_EFAILED));
}

static weir_operation *timeout_that_is_asked_for(struct scene *scene) {
  weir_timeout *timeout = NULL;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_for = timeout_for_slowly;
  options.timeout_data = scene;
  assert_int_equal(weir_timeout_new(scene->runtime, &options, &timeout, NULL), WEIR_OK);
  return under(weir_timeout_policy(timeout), sleeping(scene, 10000, WEIR_OK));
}

static weir_operation *poll_that_asks(struct scene *scene) {
  weir_operation *polled = sleeping(scene, 1, WEIR_OK);
  weir_operation *out = NULL;
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  options.interval_ms = WAIT_MS;
  options.until = until_slowly;
  options.until_data = scene;
  assert_int_equal(weir_poll_new(polled, &options, &out, NULL), WEIR_OK);
  weir_operation_unref(polled);
  return out;
}

/* Two, one after the other. */
static weir_operation *two_items(struct scene *scene, weir_parallel_options *options) {
  weir_operation *item = sleeping(scene, WAIT_MS, WEIR_OK);
  weir_operation *items[] = {item, item};
  weir_operation *out = NULL;
  options->concurrency = 1;
  assert_int_equal(weir_parallel_new(scene->runtime, items, 2, options, &out, NULL), WEIR_OK);
  weir_operation_unref(item);
  return out;
}

static weir_operation *parallel_that_tells_items(struct scene *scene) {
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.on_item = on_item_slowly;
  options.item_data = scene;
  return two_items(scene, &options);
}

static weir_operation *parallel_that_tells_progress(struct scene *scene) {
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.on_progress = on_progress_slowly;
  options.progress_data = scene;
  return two_items(scene, &options);
}

static weir_operation *parallel_that_pulls(struct scene *scene) {
  weir_operation *item = sleeping(scene, WAIT_MS, WEIR_OK);
  weir_operation *out = NULL;
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.concurrency = 1;
  options.pull = pull_slowly;
  options.pull_data = scene;
  assert_int_equal(weir_parallel_new_each(item, NULL, &options, &out, NULL), WEIR_OK);
  weir_operation_unref(item);
  return out;
}

/* ---- the test -------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  weir_operation *(*make)(struct scene *scene);
  int least_ms; /* what it takes besides the work and one wait */
} cases[] = {
    {"retry: classify", retry_that_judges, 2},
    {"retry: should_retry", retry_that_asks, 2},
    {"retry: on_retry", retry_that_tells, 2},
    {"retry: event", retry_of_which_a_listener_hears, 2},
    {"start", start_that_works, 0},
    {"on_cancel", stop_that_works, 10},
    {"breaker: classify", breaker_that_judges, 2},
    {"limiter: classify", limiter_that_judges, 2},
    {"hedge: classify", hedge_that_judges, WAIT_MS},
    {"fallback: classify", fallback_that_judges, 1},
    {"timeout: timeout_for", timeout_that_is_asked_for, 0},
    {"poll: until", poll_that_asks, 2},
    {"parallel: on_item", parallel_that_tells_items, WAIT_MS},
    {"parallel: on_progress", parallel_that_tells_progress, WAIT_MS},
    {"parallel: pull", parallel_that_pulls, 0},
};

static void note_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  (void)call, (void)outcome;
  ((struct scene *)data)->settled_ns = uv_hrtime();
}

static void ignore_tick(uv_timer_t *timer) { (void)timer; }

/* How long a run takes of what `make` makes. */
static int64_t take_ns(struct fixture *fx, weir_operation *(*make)(struct scene *),
                       struct scene *scene) {
  uv_loop_t loop;
  uv_timer_t ticker;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_int_equal(uv_timer_init(&loop, &ticker), 0);
  assert_int_equal(uv_timer_start(&ticker, ignore_tick, 1, 1), 0);
  uv_unref((uv_handle_t *)&ticker);
  options.driver = WEIR_DRIVER_UV;
  options.loop = &loop;
  options.allocator = &allocator;
  options.on_event = on_event_slowly;
  options.event_data = scene;
  if (make != retry_of_which_a_listener_hears) options.on_event = NULL;
  assert_int_equal(weir_runtime_new(&options, &scene->runtime, NULL), WEIR_OK);
  weir_operation *operation = make(scene);
  uint64_t begun_ns = uv_hrtime();
  assert_int_equal(weir_run(operation, NULL, note_settled, scene, NULL, NULL, NULL), WEIR_OK);
  run_loop(&loop);
  uv_close((uv_handle_t *)&ticker, NULL);
  weir_operation_unref(operation);
  close_all(&loop, NULL, NULL, scene->runtime);
  return (int64_t)(scene->settled_ns - begun_ns);
}

static void C17_timers_armed_after_slow_callbacks_do_not_fire_early(struct fixture *fx) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct scene scene = {0};
    int64_t took_ns = take_ns(fx, cases[i].make, &scene);
    if (scene.asked == 0 || took_ns < (cases[i].least_ms + WORK_MS + WAIT_MS) * MS) {
      print_message("%s: asked %u times, took %.3f ms\n", cases[i].name, scene.asked,
                    (double)took_ns / 1e6);
      fail();
    }
  }
}

TEST_MAIN("slow callbacks", LONG_TEST(C17_timers_armed_after_slow_callbacks_do_not_fire_early))
