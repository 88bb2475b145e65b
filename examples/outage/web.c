/* SPDX-License-Identifier: MIT */
#include "web.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct visit;

struct web {
  uv_tcp_t listener;
  web_handler_fn handler;
  void *data;
  struct visit *visits; /* the open ones */
  uint32_t open_handles;
  bool closing;
};

/* One connection. */
struct visit {
  uv_tcp_t socket;
  uv_write_t write;
  struct web *web;
  struct visit *next;
  struct visit **here; /* what points to it */
  char *answer;
  uint32_t used;
  char input[4096];
};

static void release_web(struct web *web) {
  if (--web->open_handles == 0 && web->closing) free(web);
}

static void on_visit_closed(uv_handle_t *handle) {
  struct visit *visit = handle->data;
  struct web *web = visit->web;
  free(visit->answer);
  free(visit);
  release_web(web);
}

static void end_visit(struct visit *visit) {
  if (uv_is_closing((uv_handle_t *)&visit->socket)) return;
  *visit->here = visit->next;
  if (visit->next != NULL) visit->next->here = visit->here;
  uv_close((uv_handle_t *)&visit->socket, on_visit_closed);
}

static void on_written(uv_write_t *write, int status) {
  (void)status;
  end_visit(write->data);
}

static const char *reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    default:
      return "Bad Request";
  }
}

static void send_answer(struct visit *visit, struct web_answer answer) {
  size_t body_length = answer.body_length > 0 ? answer.body_length : strlen(answer.body);
  visit->answer = allocate(body_length + 256);
  int head = snprintf(visit->answer, 256,
                      "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                      "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
                      answer.status, reason(answer.status), answer.type, body_length);
  memcpy(visit->answer + head, answer.body, body_length);
  uv_buf_t buffer = uv_buf_init(visit->answer, (unsigned)((size_t)head + body_length));
  visit->write.data = visit;
  uv_read_stop((uv_stream_t *)&visit->socket);
  if (uv_write(&visit->write, (uv_stream_t *)&visit->socket, &buffer, 1, on_written) != 0) {
    end_visit(visit);
  }
}

static void take_request(struct visit *visit) {
  char method[8];
  char path[64];
  bool readable = sscanf(visit->input, "%7[A-Z] %63[^ \r\n] HTTP/1.", method, path) == 2;
  bool writes = readable && strcmp(method, "GET") != 0;
  if (!readable) {
    send_answer(visit, (struct web_answer){400, "text/plain", "what?\n", 0});
  } else if (writes && strstr(visit->input, "\r\nX-Weir:") == NULL &&
             strstr(visit->input, "\r\nx-weir:") == NULL) {
    send_answer(visit, (struct web_answer){403, "text/plain", "X-Weir is missing\n", 0});
  } else {
    send_answer(visit, visit->web->handler(visit->web->data, method, path));
  }
}

static void on_buffer_wanted(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer) {
  struct visit *visit = handle->data;
  (void)suggested_size;
  *buffer =
      uv_buf_init(visit->input + visit->used, (unsigned)(sizeof(visit->input) - 1 - visit->used));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  struct visit *visit = stream->data;
  (void)buffer;
  if (count < 0) { /* gone, or its headers do not fit */
    end_visit(visit);
    return;
  }
  visit->used += (uint32_t)count;
  visit->input[visit->used] = '\0';
  if (strstr(visit->input, "\r\n\r\n") != NULL) take_request(visit);
}

static void on_visit(uv_stream_t *listener, int status) {
  struct web *web = listener->data;
  if (status < 0) return;
  struct visit *visit = allocate(sizeof(*visit));
  visit->web = web;
  visit->socket.data = visit;
  visit->next = web->visits;
  visit->here = &web->visits;
  if (visit->next != NULL) visit->next->here = &visit->next;
  web->visits = visit;
  web->open_handles++;
  uv_tcp_init(listener->loop, &visit->socket);
  if (uv_accept(listener, (uv_stream_t *)&visit->socket) != 0 ||
      uv_read_start((uv_stream_t *)&visit->socket, on_buffer_wanted, on_read) != 0) {
    end_visit(visit);
  }
}

static void on_listener_closed(uv_handle_t *handle) { release_web(handle->data); }

struct web *web_open(uv_loop_t *loop, uint16_t port, web_handler_fn handler, void *data) {
  struct web *web = allocate(sizeof(*web));
  struct sockaddr_in address;
  web->handler = handler;
  web->data = data;
  web->open_handles = 1;
  web->listener.data = web;
  uv_ip4_addr("127.0.0.1", port, &address);
  uv_tcp_init(loop, &web->listener);
  if (uv_tcp_bind(&web->listener, (const struct sockaddr *)&address, 0) != 0 ||
      uv_listen((uv_stream_t *)&web->listener, 16, on_visit) != 0) {
    web_close(web);
    return NULL;
  }
  return web;
}

uint16_t web_port(const struct web *web) {
  struct sockaddr_in address;
  int length = sizeof(address);
  uv_tcp_getsockname(&web->listener, (struct sockaddr *)&address, &length);
  return ntohs(address.sin_port);
}

void web_close(struct web *web) {
  web->closing = true;
  while (web->visits != NULL) end_visit(web->visits);
  uv_close((uv_handle_t *)&web->listener, on_listener_closed);
}
