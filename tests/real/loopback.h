/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_LOOPBACK_H
#define WEIR_TESTS_LOOPBACK_H

/* A TCP server and a client operation on one uv loop. The server answers each connection by the
 * next word of its script ("ok", "503", "reset", "hang"; the last repeats) and counts what it sees.
 * The client's operation connects, waits for the answer, and closes when it is told to stop. */

#include <uv.h>

#include "../unit/support.h"

struct server {
  uv_tcp_t listener;
  const char *words[16];
  size_t count;
  int port;
  unsigned connections; /* ever */
  unsigned open;
  unsigned most_open; /* at once */
};

struct peer {
  uv_tcp_t tcp;
  uv_write_t write;
  struct server *server;
  const char *word;
};

struct client {
  weir_operation *operation;
  int port;
  unsigned started;
  unsigned told;
};

struct request {
  uv_tcp_t tcp;
  uv_connect_t connect;
  struct client *client;
  weir_runtime *runtime;
  weir_token token;
  int completed;
  char buffer[64];
};

/* ---- server ---------------------------------------------------------------------------------- */

static void free_peer(uv_handle_t *handle) {
  struct peer *peer = handle->data;
  peer->server->open--;
  free(peer);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  static char bytes[64];
  (void)handle, (void)suggested;
  *buffer = uv_buf_init(bytes, sizeof bytes);
}

/* The peer hung up. */
static void peer_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  (void)buffer;
  if (count < 0 && !uv_is_closing((uv_handle_t *)stream))
    uv_close((uv_handle_t *)stream, free_peer);
}

static void on_connection(uv_stream_t *listener, int status) {
  struct server *server = listener->data;
  struct peer *peer = calloc(1, sizeof *peer);
  if (status != 0 || peer == NULL) abort();
  size_t index = server->connections < server->count ? server->connections : server->count - 1;
  peer->server = server;
  peer->word = server->words[index];
  peer->tcp.data = peer;
  server->connections++;
  if (++server->open > server->most_open) server->most_open = server->open;
  uv_tcp_init(listener->loop, &peer->tcp);
  uv_accept(listener, (uv_stream_t *)&peer->tcp);
  uv_read_start((uv_stream_t *)&peer->tcp, give_buffer, peer_read);
  if (strcmp(peer->word, "hang") == 0) return;
  if (strcmp(peer->word, "reset") == 0) {
    uv_tcp_close_reset(&peer->tcp, free_peer);
    return;
  }
  uv_buf_t text = uv_buf_init((char *)peer->word, (unsigned)strlen(peer->word));
  uv_write(&peer->write, (uv_stream_t *)&peer->tcp, &text, 1, NULL);
}

static inline void open_server(uv_loop_t *loop, struct server *server, const char *first,
                               const char *second, const char *third) {
  struct sockaddr_in address;
  int length = sizeof address;
  memset(server, 0, sizeof *server);
  server->words[server->count++] = first;
  if (second != NULL) server->words[server->count++] = second;
  if (third != NULL) server->words[server->count++] = third;
  server->listener.data = server;
  assert_int_equal(uv_tcp_init(loop, &server->listener), 0);
  assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &address), 0);
  assert_int_equal(uv_tcp_bind(&server->listener, (struct sockaddr *)&address, 0), 0);
  assert_int_equal(uv_listen((uv_stream_t *)&server->listener, 128, on_connection), 0);
  assert_int_equal(uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &length), 0);
  server->port = ntohs(address.sin_port);
  uv_unref((uv_handle_t *)&server->listener); /* what weir does keeps the loop running */
}

/* ---- client ---------------------------------------------------------------------------------- */

static void free_request(uv_handle_t *handle) { free(handle->data); }

/* The last thing of a request: its token, then its handle. */
static void end_request(struct request *request, int64_t code, const char *answer, size_t size) {
  if (request->completed) return;
  request->completed = 1;
  if (answer == NULL) {
    weir_fail(request->runtime, request->token, WEIR_DOMAIN_UV, code, uv_strerror((int)code));
  } else if (size == 3 && memcmp(answer, "503", 3) == 0) {
    weir_fail(request->runtime, request->token, WEIR_DOMAIN_HTTP, 503, "overloaded");
  } else {
    weir_complete_bytes(request->runtime, request->token, answer, size);
  }
  uv_close((uv_handle_t *)&request->tcp, free_request);
}

static void request_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  struct request *request = stream->data;
  if (count < 0) end_request(request, count, NULL, 0);
  if (count > 0) end_request(request, 0, buffer->base, (size_t)count);
}

static void request_connected(uv_connect_t *connect, int status) {
  struct request *request = connect->data;
  if (request->completed) return;
  if (status != 0) {
    end_request(request, status, NULL, 0);
    return;
  }
  uv_read_start((uv_stream_t *)&request->tcp, give_buffer, request_read);
}

static void stop_request(void *data, uint32_t reason) {
  struct request *request = data;
  (void)reason;
  request->client->told++;
  end_request(request, UV_ECANCELED, NULL, 0);
}

static void start_request(void *data, weir_attempt *attempt) {
  struct client *client = data;
  struct request *request = calloc(1, sizeof *request);
  struct sockaddr_in address;
  if (request == NULL) abort();
  client->started++;
  request->client = client;
  request->runtime = attempt->runtime;
  request->token = attempt->token;
  request->tcp.data = request->connect.data = request;
  attempt->on_cancel = stop_request;
  attempt->data = request;
  uv_ip4_addr("127.0.0.1", client->port, &address);
  uv_tcp_init(attempt->context, &request->tcp); /* a run's context is the loop */
  uv_tcp_connect(&request->connect, &request->tcp, (struct sockaddr *)&address, request_connected);
}

static inline void open_client(weir_runtime *runtime, struct client *client, int port) {
  memset(client, 0, sizeof *client);
  client->port = port;
  assert_int_equal(
      weir_operation_new(runtime, start_request, client, NULL, &client->operation, NULL), WEIR_OK);
}

/* ---- runs ------------------------------------------------------------------------------------ */

struct answer {
  int settled;
  struct settlement result;
};

static void keep_answer(void *data, weir_call *call, const weir_outcome *outcome) {
  struct answer *answer = data;
  (void)call;
  answer->settled++;
  copy_outcome(&answer->result, outcome);
}

static inline void ask(uv_loop_t *loop, struct client *client, weir_policy *policy,
                       struct answer *answer) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  memset(answer, 0, sizeof *answer);
  options.policy = policy;
  options.context = loop;
  assert_int_equal(weir_run(client->operation, &options, keep_answer, answer, NULL, NULL, NULL),
                   WEIR_OK);
}

/* Until nothing is left to do: weir must let go of the loop (C16). */
static inline void run_loop(uv_loop_t *loop) { uv_run(loop, UV_RUN_DEFAULT); }

static inline weir_runtime *attached(struct fixture *fx, uv_loop_t *loop) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_runtime *runtime = NULL;
  options.driver = WEIR_DRIVER_UV;
  options.loop = loop;
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  return runtime;
}

/* Gives the runtime back and closes the loop, which must have nothing of weir's left. */
static inline void close_all(uv_loop_t *loop, struct server *server, struct client *client,
                             weir_runtime *runtime) {
  if (client != NULL) weir_operation_unref(client->operation);
  weir_runtime_unref(runtime);
  run_loop(loop);
  if (server != NULL) uv_close((uv_handle_t *)&server->listener, NULL);
  run_loop(loop);
  assert_int_equal(uv_loop_close(loop), 0);
}

#endif
