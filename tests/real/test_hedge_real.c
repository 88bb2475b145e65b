/* SPDX-License-Identifier: MIT */
/* Hedge, fallback and poll on a real uv loop with real sockets. Only what holds however late the
 * machine is, is asked for. */

#include "loopback.h"

static void a_hedge_asks_again_and_the_loser_hangs_up(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answer;
  assert_int_equal(uv_loop_init(&loop), 0);
  open_server(&loop, &server, "hang", "ok", NULL);
  weir_runtime *runtime = attached(fx, &loop);
  open_client(runtime, &client, server.port);
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  options.delay_ms = 20;
  weir_hedge *hedge = NULL;
  assert_int_equal(weir_hedge_new(runtime, &options, &hedge, NULL), WEIR_OK);
  ask(&loop, &client, weir_hedge_policy(hedge), &answer);
  run_loop(&loop);
  assert_int_equal(answer.settled, 1);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_memory_equal(answer.result.bytes, "ok", 2);
  assert_int_equal(answer.result.attempts, 2);
  assert_true(answer.result.elapsed_ns >= 20 * MS);
  assert_int_equal(client.told, 1);
  assert_int_equal(server.connections, 2);
  assert_int_equal(server.open, 0);
  weir_hedge_unref(hedge);
  close_all(&loop, &server, &client, runtime);
}

static void a_reset_connection_is_hedged_at_once(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answer;
  assert_int_equal(uv_loop_init(&loop), 0);
  open_server(&loop, &server, "reset", "503", "ok");
  weir_runtime *runtime = attached(fx, &loop);
  open_client(runtime, &client, server.port);
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  options.delay_ms = 3600000;
  options.max_hedges = 2;
  weir_hedge *hedge = NULL;
  assert_int_equal(weir_hedge_new(runtime, &options, &hedge, NULL), WEIR_OK);
  ask(&loop, &client, weir_hedge_policy(hedge), &answer);
  run_loop(&loop);
  assert_int_equal(answer.settled, 1);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_int_equal(answer.result.attempts, 3);
  weir_hedge_unref(hedge);
  close_all(&loop, &server, &client, runtime);
}

/* Another server. */
static void a_fallback_asks_elsewhere(struct fixture *fx) {
  uv_loop_t loop;
  struct server down;
  struct server up;
  struct client first;
  struct client second;
  struct answer answer;
  assert_int_equal(uv_loop_init(&loop), 0);
  open_server(&loop, &down, "503", NULL, NULL);
  open_server(&loop, &up, "old", NULL, NULL);
  weir_runtime *runtime = attached(fx, &loop);
  open_client(runtime, &first, down.port);
  open_client(runtime, &second, up.port);
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.operation = second.operation;
  weir_fallback *fallback = NULL;
  assert_int_equal(weir_fallback_new(runtime, &options, &fallback, NULL), WEIR_OK);
  weir_operation_unref(second.operation);
  ask(&loop, &first, weir_fallback_policy(fallback), &answer);
  run_loop(&loop);
  assert_int_equal(answer.settled, 1);
  assert_memory_equal(answer.result.bytes, "old", 3);
  assert_int_equal(answer.result.attempts, 2);
  assert_int_equal(first.started, 1);
  assert_int_equal(second.started, 1);
  weir_fallback_unref(fallback);
  uv_close((uv_handle_t *)&up.listener, NULL);
  close_all(&loop, &down, &first, runtime);
}

static int32_t is_ok(void *data, const weir_outcome *outcome) {
  (void)data;
  return weir_value_size(outcome->value) == 2;
}

static void U9_a_job_is_polled_until_it_is_done(struct fixture *fx) {
  uv_loop_t loop;
  struct server server;
  struct client client;
  struct answer answer;
  assert_int_equal(uv_loop_init(&loop), 0);
  open_server(&loop, &server, "wait", "503", "ok");
  weir_runtime *runtime = attached(fx, &loop);
  open_client(runtime, &client, server.port);
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  options.interval_ms = 15;
  options.max_attempts = 30;
  options.until = is_ok;
  weir_operation *poll = NULL;
  assert_int_equal(weir_poll_new(client.operation, &options, &poll, NULL), WEIR_OK);
  weir_operation_unref(client.operation);
  client.operation = poll;
  ask(&loop, &client, NULL, &answer);
  run_loop(&loop);
  assert_int_equal(answer.settled, 1);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_int_equal(answer.result.attempts, 3);
  assert_true(answer.result.elapsed_ns >= 30 * MS);
  assert_int_equal(server.most_open, 1); /* polls never overlap */
  close_all(&loop, &server, &client, runtime);
}

TEST_MAIN("hedge on a loop", TEST(a_hedge_asks_again_and_the_loser_hangs_up),
          TEST(a_reset_connection_is_hedged_at_once), TEST(a_fallback_asks_elsewhere),
          TEST(U9_a_job_is_polled_until_it_is_done))
