/* SPDX-License-Identifier: MIT */
/* Debounce and throttle on a real uv loop, with real sockets and the real clock: a burst of calls
 * makes one request, a stream of them makes few, none too early. */

#include "loopback.h"

enum { WAIT_MS = 30, INTERVAL_MS = 20, CALLS = 12 };

struct world {
  uv_loop_t loop;
  uv_timer_t ticker;
  struct server server;
  struct client client;
  weir_operation *fetch;
  weir_runtime *runtime;
  weir_throttle *throttle;
  unsigned ticks;
  int64_t started_ns[CALLS];
};

/* The client's operation, which wants the loop as its context; a pacer's runs have none. */
static void fetch(void *data, weir_attempt *attempt) {
  struct world *world = data;
  if (world->client.started < CALLS) {
    world->started_ns[world->client.started] = weir_runtime_now(attempt->runtime);
  }
  attempt->context = &world->loop;
  start_request(&world->client, attempt);
}

static void open_world(struct fixture *fx, struct world *world) {
  memset(world, 0, sizeof *world);
  uv_loop_init(&world->loop);
  uv_timer_init(&world->loop, &world->ticker);
  world->ticker.data = world;
  open_server(&world->loop, &world->server, "ok", NULL, NULL);
  world->runtime = attached(fx, &world->loop);
  world->client.port = world->server.port;
  assert_int_equal(weir_operation_new(world->runtime, fetch, world, NULL, &world->fetch, NULL),
                   WEIR_OK);
}

static void close_world(struct world *world) {
  weir_operation_unref(world->fetch);
  uv_close((uv_handle_t *)&world->ticker, NULL);
  close_all(&world->loop, &world->server, NULL, world->runtime);
}

static void D01_a_burst_makes_one_request(struct fixture *fx) {
  static struct world world;
  struct answer answers[3] = {0};
  weir_debounce *debounce = NULL;
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = WAIT_MS;
  open_world(fx, &world);
  assert_int_equal(weir_debounce_new(world.runtime, world.fetch, &options, &debounce, NULL),
                   WEIR_OK);
  int64_t called_ns = weir_runtime_now(world.runtime);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(
        weir_debounce_call(debounce, NULL, 0, NULL, keep_answer, &answers[i], NULL, NULL, NULL),
        WEIR_OK);
  }
  run_loop(&world.loop);
  assert_int_equal(answers[0].result.status, WEIR_ESUPERSEDED);
  assert_int_equal(answers[1].result.status, WEIR_ESUPERSEDED);
  assert_int_equal(answers[2].result.status, WEIR_OK);
  assert_int_equal(world.server.connections, 1);
  assert_true(world.started_ns[0] - called_ns >= WAIT_MS * MS);
  weir_debounce_unref(debounce);
  close_world(&world);
}

static void tick(uv_timer_t *ticker) {
  struct world *world = ticker->data;
  if (++world->ticks == CALLS) uv_timer_stop(ticker);
  weir_throttle_touch(world->throttle, NULL, 0, NULL);
}

static void D10_a_stream_makes_requests_at_a_distance(struct fixture *fx) {
  static struct world world;
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  options.interval_ms = INTERVAL_MS;
  open_world(fx, &world);
  assert_int_equal(weir_throttle_new(world.runtime, world.fetch, &options, &world.throttle, NULL),
                   WEIR_OK);
  int64_t begun_ns = weir_runtime_now(world.runtime);
  uv_timer_start(&world.ticker, tick, 0, 5);
  run_loop(&world.loop);
  int64_t passed_ns = weir_runtime_now(world.runtime) - begun_ns;
  assert_true(world.server.connections >= 2); /* the first call, and the latest argument */
  assert_int_equal(world.client.started, world.server.connections);
  /* However late the loop was, no more of them fit into the time. */
  assert_true(world.server.connections <= passed_ns / (INTERVAL_MS * MS) + 1);
  weir_throttle_unref(world.throttle);
  close_world(&world);
}

TEST_MAIN("pace_real", LONG_TEST(D01_a_burst_makes_one_request),
          LONG_TEST(D10_a_stream_makes_requests_at_a_distance))
