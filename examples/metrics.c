/* SPDX-License-Identifier: MIT */
/*
 * A service that Prometheus can watch: weir's own numbers, served over HTTP at /metrics by the loop
 * that does the work. Two upstreams, one of them flaky, are called ten times a second each through
 * a breaker and a retry, at most four at once.
 *
 *   metrics [--port N] [--seconds N]     port 0 (default): any; seconds 0: until killed; default 1
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <weir/weir.h>

/* ---- the workload ---------------------------------------------------------------------------- */

struct upstream {
  const char *name;
  unsigned failing; /* of a hundred */
  unsigned called;
  uv_loop_t *loop;
  weir_breaker *breaker;
  weir_retry *retry;
  weir_limiter *limiter;
  weir_pipeline *pipeline;
  weir_operation *call;
};

struct service {
  uv_loop_t loop;
  uv_timer_t ticks;
  uv_timer_t end;
  uv_tcp_t server;
  weir_runtime *runtime;
  struct upstream upstreams[2];
};

static void must(weir_status status, const char *what) {
  if (status == WEIR_OK) return;
  fprintf(stderr, "%s: %s\n", what, weir_status_message(status));
  exit(1);
}

/* A call that is on its way: answered by a timer. */
struct exchange {
  uv_timer_t timer;
  weir_runtime *runtime;
  weir_token token;
  int fails;
};

static void exchange_closed(uv_handle_t *timer) { free(timer->data); }

static void answered(uv_timer_t *timer) {
  struct exchange *exchange = timer->data;
  if (exchange->fails) {
    weir_fail(exchange->runtime, exchange->token, WEIR_DOMAIN_HTTP, 503, "unavailable");
  } else {
    weir_complete_bytes(exchange->runtime, exchange->token, "ok", 2);
  }
  uv_close((uv_handle_t *)timer, exchange_closed);
}

static void call_upstream(void *data, weir_attempt *attempt) {
  struct upstream *upstream = data;
  struct exchange *exchange = malloc(sizeof *exchange);
  if (exchange == NULL) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_ERRNO, 12, "no memory");
    return;
  }
  unsigned number = upstream->called++ * 37 % 100;
  exchange->runtime = attempt->runtime;
  exchange->token = attempt->token;
  exchange->fails = number < upstream->failing;
  uv_timer_init(upstream->loop, &exchange->timer);
  exchange->timer.data = exchange;
  uv_timer_start(&exchange->timer, answered, 2 + number / 4, 0);
}

static void make_upstream(struct service *service, struct upstream *upstream) {
  upstream->loop = &service->loop;
  weir_breaker_options breaker = WEIR_BREAKER_OPTIONS_INIT;
  breaker.name = upstream->name;
  breaker.mode = WEIR_BREAKER_COUNT_WINDOW;
  breaker.reset_timeout_ms = 500;
  weir_retry_options retry = WEIR_RETRY_OPTIONS_INIT;
  retry.name = upstream->name;
  retry.base_delay_ms = 20;
  weir_limiter_options limiter = WEIR_LIMITER_OPTIONS_INIT;
  limiter.name = upstream->name;
  limiter.max_concurrent = 4;
  must(weir_breaker_new(service->runtime, &breaker, &upstream->breaker, NULL), "breaker");
  must(weir_retry_new(service->runtime, &retry, &upstream->retry, NULL), "retry");
  must(weir_limiter_new(service->runtime, &limiter, &upstream->limiter, NULL), "limiter");
  weir_policy *policies[] = {weir_limiter_policy(upstream->limiter),
                             weir_retry_policy(upstream->retry),
                             weir_breaker_policy(upstream->breaker)};
  for (size_t i = 0; i < 3; i++) {
    must(weir_policy_set_label(policies[i], "upstream", upstream->name, NULL), "label");
  }
  must(weir_pipeline_new(service->runtime, policies, 3, upstream->name, &upstream->pipeline, NULL),
       "pipeline");
  must(weir_operation_new(service->runtime, call_upstream, upstream, NULL, &upstream->call, NULL),
       "operation");
  must(weir_operation_set_label(upstream->call, "upstream", upstream->name, NULL), "label");
}

static void tick(uv_timer_t *timer) {
  struct service *service = timer->data;
  for (size_t i = 0; i < 2; i++) {
    struct upstream *upstream = &service->upstreams[i];
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.policy = weir_pipeline_policy(upstream->pipeline);
    weir_run(upstream->call, &options, NULL, NULL, NULL, NULL, NULL);
  }
}

/* ---- HTTP: just enough of it ----------------------------------------------------------------- */

struct client {
  uv_tcp_t tcp;
  uv_write_t write;
  struct service *service;
  char request[4096];
  size_t size;
  char *response;
};

static void client_closed(uv_handle_t *handle) {
  struct client *client = handle->data;
  free(client->response);
  free(client);
}

static void close_client(struct client *client) {
  if (!uv_is_closing((uv_handle_t *)&client->tcp)) {
    uv_close((uv_handle_t *)&client->tcp, client_closed);
  }
}

static void written(uv_write_t *write, int status) {
  (void)status;
  close_client(write->data);
}

/* The text may grow between the two calls, so it is given room to. */
static char *read_metrics(weir_runtime *runtime, int open, size_t *size) {
  weir_status (*write)(weir_runtime *, char *, size_t, size_t *) =
      open ? weir_runtime_metrics : weir_runtime_metrics_text;
  size_t needed = 0;
  if (write(runtime, NULL, 0, &needed) != WEIR_OK) return NULL;
  size_t room = needed + 4096;
  char *text = malloc(room);
  if (text != NULL && write(runtime, text, room, &needed) != WEIR_OK) {
    free(text);
    text = NULL;
  }
  *size = needed - 1;
  return text;
}

static void respond(struct client *client) {
  static const char *const types[] = {
      "text/plain; version=0.0.4; charset=utf-8",
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
  };
  int found = strncmp(client->request, "GET /metrics ", 13) == 0;
  int open = strstr(client->request, "application/openmetrics-text") != NULL;
  size_t size = 0;
  char *text = found ? read_metrics(client->service->runtime, open, &size) : NULL;
  client->response = malloc(size + 256);
  if (client->response == NULL) {
    free(text);
    close_client(client);
    return;
  }
  int head = snprintf(client->response, 256,
                      "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                      "Connection: close\r\n\r\n",
                      text != NULL ? "200 OK" : "404 Not Found", types[open], size);
  if (text != NULL) memcpy(client->response + head, text, size);
  free(text);
  uv_buf_t buffer = uv_buf_init(client->response, (unsigned)((size_t)head + size));
  client->write.data = client;
  if (uv_write(&client->write, (uv_stream_t *)&client->tcp, &buffer, 1, written) != 0) {
    close_client(client);
  }
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  struct client *client = handle->data;
  (void)suggested;
  *buffer = uv_buf_init(client->request + client->size,
                        (unsigned)(sizeof client->request - 1 - client->size));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  struct client *client = stream->data;
  (void)buffer;
  if (count < 0) {
    close_client(client);
    return;
  }
  client->size += (size_t)count;
  client->request[client->size] = '\0';
  if (strstr(client->request, "\r\n\r\n") == NULL) return;
  uv_read_stop(stream);
  respond(client);
}

static void on_client(uv_stream_t *server, int status) {
  struct service *service = server->data;
  if (status < 0) return;
  struct client *client = calloc(1, sizeof *client);
  if (client == NULL) return;
  client->service = service;
  uv_tcp_init(&service->loop, &client->tcp);
  client->tcp.data = client;
  if (uv_accept(server, (uv_stream_t *)&client->tcp) != 0 ||
      uv_read_start((uv_stream_t *)&client->tcp, give_room, on_read) != 0) {
    close_client(client);
  }
}

static int listen_on(struct service *service, int port) {
  struct sockaddr_in address;
  int size = sizeof address;
  uv_tcp_init(&service->loop, &service->server);
  service->server.data = service;
  uv_ip4_addr("127.0.0.1", port, &address);
  if (uv_tcp_bind(&service->server, (const struct sockaddr *)&address, 0) != 0 ||
      uv_listen((uv_stream_t *)&service->server, 16, on_client) != 0) {
    return -1;
  }
  uv_tcp_getsockname(&service->server, (struct sockaddr *)&address, &size);
  return ntohs(address.sin_port);
}

/* ---- its life -------------------------------------------------------------------------------- */

static void show_some(struct service *service) {
  size_t size = 0;
  char *text = read_metrics(service->runtime, 1, &size);
  for (char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
    if (strncmp(line, "weir_retry_results", 18) == 0) {
      printf("%.*s\n", (int)(strchr(line, '\n') - line), line);
    }
  }
  free(text);
}

static void end(uv_timer_t *timer) {
  struct service *service = timer->data;
  show_some(service);
  for (size_t i = 0; i < 2; i++) {
    struct upstream *upstream = &service->upstreams[i];
    weir_operation_unref(upstream->call);
    weir_pipeline_unref(upstream->pipeline);
    weir_limiter_unref(upstream->limiter);
    weir_retry_unref(upstream->retry);
    weir_breaker_unref(upstream->breaker);
  }
  weir_runtime_unref(service->runtime);
  uv_close((uv_handle_t *)&service->ticks, NULL);
  uv_close((uv_handle_t *)&service->end, NULL);
  uv_close((uv_handle_t *)&service->server, NULL);
}

static int number_after(int argc, char **argv, const char *option, int otherwise) {
  for (int i = 1; i + 1 < argc; i++) {
    if (strcmp(argv[i], option) == 0) return atoi(argv[i + 1]);
  }
  return otherwise;
}

int main(int argc, char **argv) {
  static struct service service = {
      .upstreams = {{.name = "steady", .failing = 0}, {.name = "flaky", .failing = 30}}};
  int seconds = number_after(argc, argv, "--seconds", 1);
  uv_loop_init(&service.loop);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_UV;
  options.loop = &service.loop;
  options.name = "example";
  options.metrics = 1;
  must(weir_runtime_new(&options, &service.runtime, NULL), "runtime");
  for (size_t i = 0; i < 2; i++) make_upstream(&service, &service.upstreams[i]);

  int port = listen_on(&service, number_after(argc, argv, "--port", 0));
  if (port < 0) return fprintf(stderr, "cannot listen\n"), 1;
  printf("http://127.0.0.1:%d/metrics\n", port);
  fflush(stdout);
  uv_timer_init(&service.loop, &service.ticks);
  uv_timer_init(&service.loop, &service.end);
  service.ticks.data = service.end.data = &service;
  uv_timer_start(&service.ticks, tick, 0, 100);
  if (seconds > 0) uv_timer_start(&service.end, end, (uint64_t)seconds * 1000, 0);
  uv_run(&service.loop, UV_RUN_DEFAULT);
  return uv_loop_close(&service.loop) == 0 ? 0 : 1;
}
