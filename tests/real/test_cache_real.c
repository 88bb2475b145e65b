/* SPDX-License-Identifier: MIT */
/* The cache on a real loop: gets that share one request to a real server, a loader that completes
 * from a timer of the loop, deadlines, and a loop that a cache does not keep. */

#include "loopback.h"

static weir_cache *cache_of(weir_runtime *runtime, const weir_cache_options *options) {
  weir_cache *cache = NULL;
  assert_int_equal(weir_cache_new(runtime, options, &cache, NULL), WEIR_OK);
  return cache;
}

/* A get whose load uses the loop: its run's context. */
static void ask_cache(uv_loop_t *loop, weir_operation *get, int64_t deadline_ms,
                      struct answer *answer) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  memset(answer, 0, sizeof *answer);
  options.context = loop;
  options.key = "user 7";
  options.key_size = 6;
  options.deadline_ms = deadline_ms;
  assert_int_equal(weir_run(get, &options, keep_answer, answer, NULL, NULL, NULL), WEIR_OK);
}

static void assert_answer(const struct answer *answer, const char *bytes) {
  assert_int_equal(answer->settled, 1);
  assert_int_equal(answer->result.status, WEIR_OK);
  assert_memory_equal(answer->result.bytes, bytes, strlen(bytes));
}

static void three_gets_make_one_request_and_the_next_makes_none(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answers[3];
  weir_operation *get = NULL;
  assert_int_equal(uv_loop_init(&loop), 0);
  open_server(&loop, &server, "503", "ok", NULL);
  weir_runtime *runtime = attached(fx, &loop);
  open_client(runtime, &client, server.port);
  weir_cache *cache = cache_of(runtime, NULL);
  assert_int_equal(weir_cache_operation(cache, client.operation, &get, NULL), WEIR_OK);

  for (size_t i = 0; i < 3; i++) ask_cache(&loop, get, WEIR_FOREVER, &answers[i]);
  run_loop(&loop);
  for (size_t i = 0; i < 3; i++) assert_int_equal(answers[i].result.code, 503);
  assert_int_equal(server.connections, 1);

  for (size_t i = 0; i < 3; i++) ask_cache(&loop, get, WEIR_FOREVER, &answers[i]);
  run_loop(&loop);
  for (size_t i = 0; i < 3; i++) assert_answer(&answers[i], "ok");
  assert_int_equal(server.connections, 2);

  ask_cache(&loop, get, WEIR_FOREVER, &answers[0]);
  run_loop(&loop); /* ends at once: what is kept for five minutes holds no loop */
  assert_answer(&answers[0], "ok");
  assert_int_equal(server.connections, 2);

  weir_operation_unref(get);
  weir_cache_unref(cache);
  close_all(&loop, &server, &client, runtime);
}

static void a_get_that_gives_up_leaves_its_request_to_the_others(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer hurried;
  struct answer patient;
  weir_operation *get = NULL;
  assert_int_equal(uv_loop_init(&loop), 0);
  open_server(&loop, &server, "hang", NULL, NULL);
  weir_runtime *runtime = attached(fx, &loop);
  open_client(runtime, &client, server.port);
  weir_cache *cache = cache_of(runtime, NULL);
  assert_int_equal(weir_cache_operation(cache, client.operation, &get, NULL), WEIR_OK);

  ask_cache(&loop, get, 5, &hurried);
  ask_cache(&loop, get, 30, &patient);
  while (hurried.settled == 0) uv_run(&loop, UV_RUN_ONCE);
  assert_int_equal(hurried.result.status, WEIR_ETIMEDOUT);
  assert_int_equal(client.told, 0);
  run_loop(&loop);
  assert_int_equal(patient.result.status, WEIR_ETIMEDOUT);
  assert_int_equal(client.started, 1);
  assert_int_equal(client.told, 1); /* the last one to leave ended the request */

  weir_operation_unref(get);
  weir_cache_unref(cache);
  close_all(&loop, &server, &client, runtime);
}

/* ---- a loader by a timer --------------------------------------------------------------------- */

struct ticker {
  uv_loop_t *loop;
  uint64_t delay_ms;
  unsigned started;
};

struct tick {
  uv_timer_t timer;
  weir_runtime *runtime;
  weir_token token;
  int64_t number;
};

static void free_tick(uv_handle_t *handle) { free(handle->data); }

static void ticked(uv_timer_t *timer) {
  struct tick *tick = timer->data;
  weir_complete_bytes(tick->runtime, tick->token, &tick->number, sizeof tick->number);
  uv_close((uv_handle_t *)timer, free_tick);
}

static void start_ticking(void *data, weir_attempt *attempt) {
  struct ticker *ticker = data;
  struct tick *tick = calloc(1, sizeof *tick);
  if (tick == NULL) abort();
  tick->runtime = attempt->runtime;
  tick->token = attempt->token;
  tick->number = ++ticker->started;
  tick->timer.data = tick;
  uv_timer_init(ticker->loop, &tick->timer);
  uv_update_time(ticker->loop);
  uv_timer_start(&tick->timer, ticked, ticker->delay_ms, 0);
}

static void get_number(weir_cache *cache, weir_operation *loader, struct answer *answer) {
  memset(answer, 0, sizeof *answer);
  assert_int_equal(weir_cache_get(cache, "k", 1, loader, keep_answer, answer, NULL, NULL, NULL),
                   WEIR_OK);
}

static void an_old_value_is_served_while_a_timer_brings_the_new_one(struct fixture *fx) {
  uv_loop_t loop;
  struct ticker ticker = {.loop = &loop, .delay_ms = 5};
  struct answer answer;
  weir_operation *loader = NULL;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.refresh_ms = 30;
  weir_cache *cache = cache_of(runtime, &options);
  assert_int_equal(weir_operation_new(runtime, start_ticking, &ticker, NULL, &loader, NULL),
                   WEIR_OK);
  get_number(cache, loader, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.value, 1);
  uv_sleep(60);
  get_number(cache, loader, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.value, 1);
  assert_int_equal(ticker.started, 2);
  get_number(cache, loader, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.value, 2);
  weir_operation_unref(loader);
  weir_cache_unref(cache);
  close_all(&loop, NULL, NULL, runtime);
}

static void an_entry_is_gone_after_its_real_lifetime(struct fixture *fx) {
  uv_loop_t loop;
  struct ticker ticker = {.loop = &loop, .delay_ms = 1};
  struct answer answer;
  weir_operation *loader = NULL;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 40;
  weir_cache *cache = cache_of(runtime, &options);
  assert_int_equal(weir_operation_new(runtime, start_ticking, &ticker, NULL, &loader, NULL),
                   WEIR_OK);
  get_number(cache, loader, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.value, 1);
  uv_sleep(41);
  get_number(cache, loader, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.value, 2);
  weir_operation_unref(loader);
  weir_cache_unref(cache);
  close_all(&loop, NULL, NULL, runtime);
}

TEST_MAIN("cache real", LONG_TEST(three_gets_make_one_request_and_the_next_makes_none),
          LONG_TEST(a_get_that_gives_up_leaves_its_request_to_the_others),
          LONG_TEST(an_old_value_is_served_while_a_timer_brings_the_new_one),
          LONG_TEST(an_entry_is_gone_after_its_real_lifetime))
