/* SPDX-License-Identifier: MIT */
/* The breaker on a real uv loop, with real sockets and the real clock: a server that hangs up opens
 * it; when it has recovered the breaker closes, and never before its time. */

#include <uv.h>

#include "breaker.h"

enum { THRESHOLD = 3, RESET_MS = 120, STEPS = 8 };

struct world {
  struct fixture *fx;
  uv_loop_t loop;
  uv_tcp_t server;
  uv_timer_t later;
  weir_runtime *runtime;
  weir_breaker *breaker;
  weir_operation *fetch;
  struct sockaddr_in address;
  int up;
  unsigned accepted;
  size_t step; /* runs begun */
  weir_status status[STEPS];
  int64_t retry_after_ms[STEPS];
  int64_t opened_at_ns;
  int64_t half_open_seen_ns; /* the clock when the first trial was let in */
  unsigned requests;         /* of the client, alive */
};

/* ---- the server: says "ok", or hangs up ------------------------------------------------------ */

struct peer {
  uv_tcp_t stream;
  uv_write_t write;
};

static void free_peer(uv_handle_t *handle) { free(handle->data); }

static void hang_up(uv_write_t *write, int status) {
  (void)status;
  struct peer *peer = write->data;
  uv_close((uv_handle_t *)&peer->stream, free_peer);
}

static void on_connection(uv_stream_t *server, int status) {
  struct world *world = server->data;
  struct peer *peer = calloc(1, sizeof *peer);
  if (status != 0 || peer == NULL) abort();
  peer->stream.data = peer->write.data = peer;
  uv_tcp_init(&world->loop, &peer->stream);
  uv_accept(server, (uv_stream_t *)&peer->stream);
  world->accepted++;
  uv_buf_t buffer = uv_buf_init("ok", 2);
  if (world->up) uv_write(&peer->write, (uv_stream_t *)&peer->stream, &buffer, 1, hang_up);
  if (!world->up) uv_close((uv_handle_t *)&peer->stream, free_peer);
}

/* ---- the client: one request an attempt ------------------------------------------------------ */

struct request {
  struct world *world;
  weir_token token;
  uv_tcp_t stream;
  uv_connect_t connect;
  char bytes[16];
};

static void free_request(uv_handle_t *handle) {
  struct request *request = handle->data;
  request->world->requests--;
  free(request);
}

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  (void)size;
  struct request *request = handle->data;
  *buffer = uv_buf_init(request->bytes, sizeof request->bytes);
}

static void end_request(struct request *request, ssize_t got) {
  weir_runtime *runtime = request->world->runtime;
  if (got > 0) {
    weir_complete_bytes(runtime, request->token, request->bytes, (size_t)got);
  } else {
    weir_fail(runtime, request->token, WEIR_DOMAIN_UV, got, NULL);
  }
  uv_close((uv_handle_t *)&request->stream, free_request);
}

static void on_bytes(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  (void)buffer;
  if (got == 0) return;
  uv_read_stop(stream);
  end_request(stream->data, got);
}

static void on_connected(uv_connect_t *connect, int status) {
  struct request *request = connect->data;
  if (status == 0) {
    uv_read_start((uv_stream_t *)&request->stream, give_room, on_bytes);
  } else {
    end_request(request, status);
  }
}

static void fetch(void *data, weir_attempt *attempt) {
  struct world *world = data;
  struct request *request = calloc(1, sizeof *request);
  if (request == NULL) abort();
  request->world = world;
  request->token = attempt->token;
  request->stream.data = request->connect.data = request;
  world->requests++;
  uv_tcp_init(&world->loop, &request->stream);
  uv_tcp_connect(&request->connect, &request->stream, (const struct sockaddr *)&world->address,
                 on_connected);
}

/* ---- the course of events -------------------------------------------------------------------- */

static void next_step(struct world *world);

static void on_later(uv_timer_t *timer) { next_step(timer->data); }

static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct world *world = data;
  (void)call;
  world->status[world->step] = outcome->status;
  world->retry_after_ms[world->step] = outcome->retry_after_ms;
  world->step++;
  if (world->step < STEPS) {
    world->up = world->step > THRESHOLD; /* recovers once it has been refused */
    uv_timer_start(&world->later, on_later,
                   outcome->status == WEIR_EOPEN ? (uint64_t)outcome->retry_after_ms / 4 : 0, 0);
    return;
  }
  uv_close((uv_handle_t *)&world->later, NULL);
  uv_close((uv_handle_t *)&world->server, NULL);
}

static void on_change(void *data, weir_breaker *breaker, const weir_breaker_change *change) {
  struct world *world = data;
  (void)breaker;
  if (change->to == WEIR_BREAKER_OPEN) world->opened_at_ns = change->at_ns;
}

static void next_step(struct world *world) {
  /* Refused as long as it is open: come again, the same step. */
  if (world->step > THRESHOLD && weir_breaker_state(world->breaker) == WEIR_BREAKER_OPEN) {
    uv_timer_start(&world->later, on_later, 1, 0);
    return;
  }
  if (world->step > THRESHOLD && world->half_open_seen_ns == 0) {
    world->half_open_seen_ns = weir_runtime_now(world->runtime);
  }
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_breaker_policy(world->breaker);
  weir_status status = weir_run(world->fetch, &options, on_settled, world, NULL, NULL, NULL);
  expect(world->fx, status == WEIR_OK, "weir_run");
}

static void make_world(struct world *world) {
  uv_loop_init(&world->loop);
  uv_tcp_init(&world->loop, &world->server);
  uv_timer_init(&world->loop, &world->later);
  world->server.data = world->later.data = world;
  assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &world->address), 0);
  assert_int_equal(uv_tcp_bind(&world->server, (const struct sockaddr *)&world->address, 0), 0);
  assert_int_equal(uv_listen((uv_stream_t *)&world->server, 16, on_connection), 0);
  int size = sizeof world->address;
  uv_tcp_getsockname(&world->server, (struct sockaddr *)&world->address, &size);

  weir_allocator allocator = memory_allocator(&world->fx->memory);
  weir_runtime_options with_loop = WEIR_RUNTIME_OPTIONS_INIT;
  with_loop.driver = WEIR_DRIVER_UV;
  with_loop.loop = &world->loop;
  with_loop.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&with_loop, &world->runtime, NULL), WEIR_OK);
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = THRESHOLD;
  options.reset_timeout_ms = RESET_MS;
  options.on_state_change = on_change;
  options.change_data = world;
  assert_int_equal(weir_breaker_new(world->runtime, &options, &world->breaker, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(world->runtime, fetch, world, NULL, &world->fetch, NULL),
                   WEIR_OK);
}

static void a_server_that_hangs_up_opens_it_and_its_recovery_closes_it(struct fixture *fx) {
  static struct world world;
  memset(&world, 0, sizeof world);
  world.fx = fx;
  weir_runtime_unref(fx->runtime); /* this one is on a loop */
  fx->runtime = NULL;
  make_world(&world);
  next_step(&world);
  assert_int_equal(uv_run(&world.loop, UV_RUN_DEFAULT), 0);

  assert_state(world.breaker, CLOSED);
  for (size_t i = 0; i < STEPS; i++) {
    weir_status expected = i < THRESHOLD ? WEIR_EFAILED : i == THRESHOLD ? WEIR_EOPEN : WEIR_OK;
    assert_int_equal(world.status[i], expected);
  }
  assert_in_range(world.retry_after_ms[THRESHOLD], 1, RESET_MS);
  assert_int_equal(world.accepted, STEPS - 1); /* the refused one asked nobody */
  assert_int_equal(world.requests, 0);
  assert_true(world.opened_at_ns > 0);
  assert_true(world.half_open_seen_ns >= world.opened_at_ns + RESET_MS * MS); /* never early */

  weir_operation_unref(world.fetch);
  weir_breaker_unref(world.breaker);
  weir_runtime_unref(world.runtime);
  assert_int_equal(uv_run(&world.loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&world.loop), 0);
}

TEST_MAIN("breaker_real", LONG_TEST(a_server_that_hangs_up_opens_it_and_its_recovery_closes_it))
