/* SPDX-License-Identifier: MIT */
/*
 * The child's side of the upstream: a small HTTP/1.1 server on libuv.
 *
 * One connection carries one request at a time (clients do not pipeline) and stays open after a
 * reply. A request is counted when its last header line has been read, then the schedule is asked
 * what happens to it. Two handles make a connection, the socket and the timer of its delayed reply;
 * its memory goes when both are closed.
 *
 * A reset comes after part of a reply has been sent. libcurl silently repeats a request whose
 * reused connection dies without a single byte, which would be a retry that nobody asked for or
 * counts.
 */
#include "upstream.h"

#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

struct server {
  uv_loop_t loop;
  uv_tcp_t listener;
  uv_poll_t control_poll;
  int control;
  const struct schedule *schedule;
  int64_t epoch_ns;
  uint32_t request_count;
  struct upstream_counts counts;
};

struct connection {
  uv_tcp_t socket;
  uv_timer_t delay;
  struct server *server;
  struct reply reply;
  uint32_t open_handles;
  uint32_t used;
  char input[2048];
};

static const char reply_ok[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 3\r\n\r\nok\n";

/* One second is the shortest wait that Retry-After can ask for (RFC 9110, 10.2.3), 0 aside. */
static const char reply_unavailable[] =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Retry-After: 1\r\n"
    "Content-Length: 0\r\n\r\n";

static const char reply_cut_short[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Length: 3\r\n";

static void on_handle_closed(uv_handle_t *handle) {
  struct connection *connection = handle->data;
  if (--connection->open_handles == 0) {
    free(connection);
  }
}

static void close_connection(struct connection *connection) {
  if (!uv_is_closing((uv_handle_t *)&connection->delay)) {
    uv_close((uv_handle_t *)&connection->delay, on_handle_closed);
    uv_close((uv_handle_t *)&connection->socket, on_handle_closed);
  }
}

static void reset_connection(struct connection *connection) {
  uv_close((uv_handle_t *)&connection->delay, on_handle_closed);
  if (uv_tcp_close_reset(&connection->socket, on_handle_closed) != 0) {
    uv_close((uv_handle_t *)&connection->socket, on_handle_closed);
  }
}

/* A reply is far smaller than an idle socket's buffer, so it goes out whole or the peer is gone. */
static bool send_text(struct connection *connection, const char *text) {
  uv_buf_t buffer = uv_buf_init((char *)text, (unsigned)strlen(text));
  int sent = uv_try_write((uv_stream_t *)&connection->socket, &buffer, 1);
  return sent == (int)buffer.len;
}

static void on_delay_over(uv_timer_t *timer) {
  struct connection *connection = timer->data;
  bool sent = true;
  switch (connection->reply.kind) {
    case REPLY_OK:
      sent = send_text(connection, reply_ok);
      break;
    case REPLY_UNAVAILABLE:
      sent = send_text(connection, reply_unavailable);
      break;
    case REPLY_RESET:
      send_text(connection, reply_cut_short);
      reset_connection(connection);
      return;
    case REPLY_SILENCE:
      return;
  }
  if (!sent) {
    close_connection(connection);
  }
}

static uint32_t header_number(const char *headers, const char *name) {
  const char *at = strstr(headers, name);
  return at == NULL ? 0 : (uint32_t)strtoul(at + strlen(name), NULL, 10);
}

static void count_arrival(struct server *server, uint32_t request, int64_t at_ns) {
  server->counts.arrivals++;
  server->counts.per_slice[schedule_slice(server->schedule, at_ns)]++;
  if (request < server->request_count) {
    server->counts.per_request[request]++;
  }
}

static void take_request(struct connection *connection) {
  struct server *server = connection->server;
  uint32_t request = header_number(connection->input, "\r\nX-Request: ");
  uint32_t attempt = header_number(connection->input, "\r\nX-Attempt: ");
  int64_t at_ns = (int64_t)uv_hrtime() - server->epoch_ns;
  count_arrival(server, request, at_ns);
  connection->used = 0;
  connection->reply = schedule_reply(server->schedule, at_ns, request, attempt);
  uv_update_time(&server->loop);
  uv_timer_start(&connection->delay, on_delay_over, (uint64_t)connection->reply.delay_ms, 0);
}

static void on_buffer_wanted(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer) {
  struct connection *connection = handle->data;
  size_t room = sizeof(connection->input) - 1 - connection->used;
  (void)suggested_size;
  *buffer = uv_buf_init(connection->input + connection->used, (unsigned)room);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  struct connection *connection = stream->data;
  (void)buffer;
  /* The client has gone, or its headers do not fit. */
  if (count < 0) {
    close_connection(connection);
    return;
  }
  connection->used += (uint32_t)count;
  connection->input[connection->used] = '\0';
  if (strstr(connection->input, "\r\n\r\n") != NULL) {
    take_request(connection);
  }
}

static void on_connection(uv_stream_t *listener, int status) {
  struct server *server = listener->data;
  if (status < 0) {
    return;
  }
  struct connection *connection = allocate(sizeof(*connection));
  connection->server = server;
  connection->open_handles = 2;
  connection->socket.data = connection;
  connection->delay.data = connection;
  uv_timer_init(&server->loop, &connection->delay);
  uv_tcp_init(&server->loop, &connection->socket);
  if (uv_accept(listener, (uv_stream_t *)&connection->socket) != 0) {
    close_connection(connection);
    return;
  }
  server->counts.connections++;
  uv_tcp_nodelay(&connection->socket, 1);
  uv_read_start((uv_stream_t *)&connection->socket, on_buffer_wanted, on_read);
}

/* The parent writes the epoch once; the end of its stream is the end of the run. */
static void on_control(uv_poll_t *poll, int status, int events) {
  struct server *server = poll->data;
  ssize_t count = read(server->control, &server->epoch_ns, sizeof(server->epoch_ns));
  (void)status;
  (void)events;
  if (count == 0) {
    uv_stop(&server->loop);
  }
}

static void listen_on_loopback(struct server *server) {
  struct sockaddr_in address;
  int length = sizeof(address);
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(&server->loop, &server->listener);
  server->listener.data = server;
  require(uv_tcp_bind(&server->listener, (const struct sockaddr *)&address, 0) == 0, "bind");
  require(uv_listen((uv_stream_t *)&server->listener, 1024, on_connection) == 0, "listen");
  uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &length);
  uint16_t port = ntohs(address.sin_port);
  write_all(server->control, &port, sizeof(port));
}

static void send_counts(struct server *server) {
  /* uv_poll made the socket non-blocking. */
  fcntl(server->control, F_SETFL, fcntl(server->control, F_GETFL) & ~O_NONBLOCK);
  write_all(server->control, &server->counts, sizeof(server->counts));
  write_all(server->control, server->counts.per_request, server->request_count * sizeof(uint16_t));
}

void upstream_serve(const struct schedule *schedule, uint32_t request_count, int control) {
  struct server *server = allocate(sizeof(*server));
  signal(SIGPIPE, SIG_IGN); /* clients that give up must not end the server */
  server->schedule = schedule;
  server->request_count = request_count;
  server->control = control;
  server->counts.per_request = allocate(request_count * sizeof(uint16_t));
  require(uv_loop_init(&server->loop) == 0, "uv_loop_init");
  listen_on_loopback(server);
  uv_poll_init(&server->loop, &server->control_poll, control);
  server->control_poll.data = server;
  uv_poll_start(&server->control_poll, UV_READABLE | UV_DISCONNECT, on_control);
  uv_run(&server->loop, UV_RUN_DEFAULT);
  send_counts(server);
  /* The process ends here, and what it still has open goes with it. */
}
