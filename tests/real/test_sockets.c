/* SPDX-License-Identifier: MIT */
/* Each pattern once end to end: a real uv loop, real sockets, real time. Nothing about time is
 * asserted but that what was promised came. */

#include "loopback.h"

static void retry_gets_through_a_reset_and_an_overload(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answer;
  weir_retry *retry = NULL;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  open_server(&loop, &server, "reset", "503", "ok");
  open_client(runtime, &client, server.port);
  options.base_delay_ms = 1;
  assert_int_equal(weir_retry_new(runtime, &options, &retry, NULL), WEIR_OK);
  ask(&loop, &client, weir_retry_policy(retry), &answer);
  run_loop(&loop);
  assert_int_equal(answer.settled, 1);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_memory_equal(answer.result.bytes, "ok", 2);
  assert_int_equal(answer.result.attempts, 3);
  assert_int_equal(server.connections, 3);
  weir_retry_unref(retry);
  close_all(&loop, &server, &client, runtime);
}

static void budget_spares_an_overloaded_server(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answers[10];
  weir_retry *retry = NULL;
  weir_budget *budget = NULL;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_budget_options budget_options = WEIR_BUDGET_OPTIONS_INIT;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  open_server(&loop, &server, "503", NULL, NULL);
  open_client(runtime, &client, server.port);
  budget_options.ratio = 0.2;
  budget_options.min_per_second = 0;
  assert_int_equal(weir_budget_new(runtime, &budget_options, &budget, NULL), WEIR_OK);
  options.base_delay_ms = 1;
  options.budget = budget;
  assert_int_equal(weir_retry_new(runtime, &options, &retry, NULL), WEIR_OK);
  for (size_t i = 0; i < 10; i++) ask(&loop, &client, weir_retry_policy(retry), &answers[i]);
  run_loop(&loop);
  assert_int_equal(server.connections, 12); /* a fifth more */
  for (size_t i = 0; i < 10; i++) assert_int_equal(answers[i].result.code, 503);
  weir_retry_unref(retry);
  weir_budget_unref(budget);
  close_all(&loop, &server, &client, runtime);
}

static void breaker_spares_a_failing_server_and_comes_back(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answer;
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  open_server(&loop, &server, "503", "503", "ok");
  open_client(runtime, &client, server.port);
  options.failure_threshold = 2;
  options.half_open_success_threshold = 1;
  options.reset_timeout_ms = 300000;
  options.max_reset_timeout_ms = 300000;
  assert_int_equal(weir_breaker_new(runtime, &options, &breaker, NULL), WEIR_OK);
  for (size_t i = 0; i < 4; i++) {
    ask(&loop, &client, weir_breaker_policy(breaker), &answer);
    run_loop(&loop);
    assert_int_equal(answer.result.status, i < 2 ? WEIR_EFAILED : WEIR_EOPEN);
  }
  assert_int_equal(server.connections, 2);
  options.reset_timeout_ms = 1;
  assert_int_equal(weir_breaker_reset(breaker), WEIR_OK);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_CLOSED);
  ask(&loop, &client, weir_breaker_policy(breaker), &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.status, WEIR_OK);
  weir_breaker_unref(breaker);
  close_all(&loop, &server, &client, runtime);
}

static void breaker_half_opens_after_its_time(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answer;
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  open_server(&loop, &server, "reset", "ok", NULL);
  open_client(runtime, &client, server.port);
  options.failure_threshold = 1;
  options.half_open_success_threshold = 1;
  options.reset_timeout_ms = 5;
  assert_int_equal(weir_breaker_new(runtime, &options, &breaker, NULL), WEIR_OK);
  ask(&loop, &client, weir_breaker_policy(breaker), &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.status, WEIR_EFAILED);
  while (weir_breaker_state(breaker) == WEIR_BREAKER_OPEN) uv_sleep(1);
  ask(&loop, &client, weir_breaker_policy(breaker), &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_CLOSED);
  weir_breaker_unref(breaker);
  close_all(&loop, &server, &client, runtime);
}

static void limiter_lets_two_at_a_time_through(struct fixture *fx) {
  enum { RUNS = 20 };
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answers[RUNS];
  weir_limiter *limiter = NULL;
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  open_server(&loop, &server, "ok", NULL, NULL);
  open_client(runtime, &client, server.port);
  options.max_concurrent = 2;
  options.permits = 10; /* and ten in any 20 ms */
  options.interval_ms = 20;
  options.algorithm = WEIR_LIMITER_SLIDING_WINDOW;
  assert_int_equal(weir_limiter_new(runtime, &options, &limiter, NULL), WEIR_OK);
  for (size_t i = 0; i < RUNS; i++) {
    ask(&loop, &client, weir_limiter_policy(limiter), &answers[i]);
  }
  run_loop(&loop);
  for (size_t i = 0; i < RUNS; i++) assert_int_equal(answers[i].result.status, WEIR_OK);
  assert_int_equal(server.connections, RUNS);
  weir_limiter_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_limiter_get_stats(limiter, &stats), WEIR_OK);
  assert_int_equal(stats.concurrent, 0);
  assert_int_equal(stats.granted, RUNS);
  weir_limiter_unref(limiter);
  close_all(&loop, &server, &client, runtime);
}

static void timeout_hangs_up_on_a_server_that_hangs(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answer;
  weir_timeout *timeout = NULL;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  open_server(&loop, &server, "hang", NULL, NULL);
  open_client(runtime, &client, server.port);
  options.timeout_ms = 20;
  assert_int_equal(weir_timeout_new(runtime, &options, &timeout, NULL), WEIR_OK);
  ask(&loop, &client, weir_timeout_policy(timeout), &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.status, WEIR_ETIMEDOUT);
  assert_true(answer.result.elapsed_ns >= 20 * MS); /* never early */
  assert_int_equal(client.told, 1);
  assert_int_equal(server.connections, 1);
  weir_timeout_unref(timeout);
  close_all(&loop, &server, &client, runtime);
  assert_int_equal(server.open, 0);
}

/* U10: breaker around retry around timeout around fetch, one call. */
static void pipeline_gets_through_a_hang_and_a_reset(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answer;
  weir_retry_options retry_options = WEIR_RETRY_OPTIONS_INIT;
  weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_breaker *breaker = NULL;
  weir_retry *retry = NULL;
  weir_timeout *timeout = NULL;
  weir_pipeline *pipeline = NULL;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  open_server(&loop, &server, "hang", "reset", "ok");
  open_client(runtime, &client, server.port);
  retry_options.base_delay_ms = 1;
  timeout_options.timeout_ms = 500;
  assert_int_equal(weir_breaker_new(runtime, NULL, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_retry_new(runtime, &retry_options, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_timeout_new(runtime, &timeout_options, &timeout, NULL), WEIR_OK);
  weir_policy *policies[] = {weir_breaker_policy(breaker), weir_retry_policy(retry),
                             weir_timeout_policy(timeout)};
  assert_int_equal(weir_pipeline_new(runtime, policies, 3, "fetch", &pipeline, NULL), WEIR_OK);
  ask(&loop, &client, weir_pipeline_policy(pipeline), &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_int_equal(answer.result.attempts, 3);
  assert_int_equal(answer.result.statuses[0], WEIR_ETIMEDOUT);
  assert_int_equal(answer.result.statuses[1], WEIR_EFAILED);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_CLOSED);
  weir_breaker_unref(breaker);
  weir_retry_unref(retry);
  weir_timeout_unref(timeout);
  weir_pipeline_unref(pipeline);
  close_all(&loop, &server, &client, runtime);
}

static void sleep_settles_after_its_time(struct fixture *fx) {
  uv_loop_t loop;
  struct client client = {0};
  struct answer answer;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  assert_int_equal(weir_sleep_new(runtime, 10, WEIR_OK, NULL, NULL, &client.operation, NULL),
                   WEIR_OK);
  ask(&loop, &client, NULL, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_true(answer.result.elapsed_ns >= 10 * MS);
  close_all(&loop, NULL, &client, runtime);
}

static weir_status read_slowly(void *data, const weir_attempt *attempt, weir_value **value,
                               weir_error **error) {
  (void)data, (void)error;
  uv_sleep(1);
  return weir_value_new_bytes(attempt->runtime, "ok", 2, value);
}

static void blocking_operation_runs_on_the_loops_pool(struct fixture *fx) {
  uv_loop_t loop;
  struct client client = {0};
  struct answer answer;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  assert_int_equal(
      weir_operation_new_blocking(runtime, read_slowly, NULL, NULL, &client.operation, NULL),
      WEIR_OK);
  ask(&loop, &client, NULL, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_memory_equal(answer.result.bytes, "ok", 2);
  close_all(&loop, NULL, &client, runtime);
}

TEST_MAIN("sockets", LONG_TEST(retry_gets_through_a_reset_and_an_overload),
          LONG_TEST(budget_spares_an_overloaded_server),
          LONG_TEST(breaker_spares_a_failing_server_and_comes_back),
          LONG_TEST(breaker_half_opens_after_its_time),
          LONG_TEST(limiter_lets_two_at_a_time_through),
          LONG_TEST(timeout_hangs_up_on_a_server_that_hangs),
          LONG_TEST(pipeline_gets_through_a_hang_and_a_reset),
          LONG_TEST(sleep_settles_after_its_time),
          LONG_TEST(blocking_operation_runs_on_the_loops_pool))
