/* SPDX-License-Identifier: MIT */
/*
 * Upload 100 files to an HTTP server, 5 at a time, with progress; a file that the server refuses
 * for the moment is tried again. The server is a thread of this program on a port of its own; it
 * answers 503 to every tenth request, and counts how many it had at once.
 */

#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

enum { FILES = 100, AT_ONCE = 5 };

/* ---- the server ---- */

struct server {
  int listener;
  struct sockaddr_in address;
  _Atomic int requests;
  _Atomic int open;
  _Atomic int most_open;
  _Atomic int stored;
};

struct connection {
  struct server *server;
  int socket;
};

/* Reads one request; its body's length, -1 if it is none. */
static long read_request(int socket) {
  char text[8192];
  size_t used = 0;
  while (used < sizeof text - 1) {
    ssize_t got = read(socket, text + used, sizeof text - 1 - used);
    if (got <= 0) return -1;
    used += (size_t)got;
    text[used] = '\0';
    char *body = strstr(text, "\r\n\r\n");
    char *length = strstr(text, "Content-Length: ");
    if (body == NULL || length == NULL) continue;
    long expected = strtol(length + 16, NULL, 10);
    if ((long)used - (body + 4 - text) >= expected) return expected;
  }
  return -1;
}

static void *serve_one(void *data) {
  struct connection *connection = data;
  struct server *server = connection->server;
  struct timespec a_while = {0, 5000000};
  if (read_request(connection->socket) >= 0) {
    int open = ++server->open;
    if (open > server->most_open) server->most_open = open;
    nanosleep(&a_while, NULL);
    int refused = ++server->requests % 10 == 0;
    if (!refused) server->stored++;
    server->open--;
    dprintf(connection->socket, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            refused ? "503 Service Unavailable" : "201 Created");
  }
  close(connection->socket);
  free(connection);
  return NULL;
}

static void *serve(void *data) {
  struct server *server = data;
  for (;;) {
    int socket = accept(server->listener, NULL, NULL);
    if (socket < 0) return NULL; /* shut down */
    struct connection *connection = malloc(sizeof *connection);
    pthread_t thread;
    if (connection == NULL) abort();
    *connection = (struct connection){server, socket};
    if (pthread_create(&thread, NULL, serve_one, connection) != 0) abort();
    pthread_detach(thread);
  }
}

static int open_server(struct server *server) {
  socklen_t size = sizeof server->address;
  server->listener = socket(AF_INET, SOCK_STREAM, 0);
  server->address.sin_family = AF_INET;
  server->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return server->listener >= 0 &&
         bind(server->listener, (struct sockaddr *)&server->address, size) == 0 &&
         listen(server->listener, 64) == 0 &&
         getsockname(server->listener, (struct sockaddr *)&server->address, &size) == 0;
}

/* ---- one upload: blocks, on a thread of libuv's pool ---- */

/* Sends `body`; the status of the answer, 0 if there is none. */
static int post_file(const struct server *server, int file, const char *body) {
  char answer[256] = "";
  int status = 0;
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connection < 0) return 0;
  if (connect(connection, (const struct sockaddr *)&server->address, sizeof server->address) == 0) {
    dprintf(connection,
            "POST /files/%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s", file,
            strlen(body), body);
    if (read(connection, answer, sizeof answer - 1) > 12) status = atoi(answer + 9);
  }
  close(connection);
  return status;
}

static weir_status upload(void *data, const weir_attempt *attempt, weir_value **value,
                          weir_error **error) {
  const struct server *server = data;
  char body[1024];
  memset(body, 'x', sizeof body - 1);
  body[sizeof body - 1] = '\0';
  int status = post_file(server, (int)attempt->index, body);
  if (status == 201) return weir_value_new_bytes(attempt->runtime, NULL, 0, value);
  weir_error_new(attempt->runtime, WEIR_DOMAIN_HTTP, status, "not stored", error);
  return WEIR_EFAILED;
}

/* ---- all of them ---- */

static void on_progress(void *data, uint64_t done, uint64_t total) {
  (void)data;
  if (done % 20 == 0) printf("%d of %d files\n", (int)done, (int)total);
}

/* Each file is tried up to five times; the items of this list are the files, and could be names. */
static weir_status make_uploads(weir_runtime *runtime, struct server *server, weir_operation **out,
                                weir_error **error) {
  weir_value *none[FILES] = {NULL};
  weir_value *files = NULL;
  weir_operation *one = NULL;
  weir_retry *retry = NULL;
  weir_retry_options again = WEIR_RETRY_OPTIONS_INIT;
  again.max_attempts = 5;
  again.base_delay_ms = 10;
  weir_status status = weir_retry_new(runtime, &again, &retry, error);
  if (status == WEIR_OK) {
    status = weir_operation_new_blocking(runtime, upload, server, NULL, &one, error);
  }
  if (status == WEIR_OK) status = weir_value_new_list(runtime, none, NULL, FILES, &files);
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.concurrency = AT_ONCE;
  options.item_timeout_ms = 30000;
  options.policy = weir_retry_policy(retry);
  options.on_progress = on_progress;
  options.name = "upload";
  if (status == WEIR_OK) status = weir_parallel_new_each(one, files, &options, out, error);
  weir_value_unref(files);
  weir_operation_unref(one);
  weir_retry_unref(retry);
  return status;
}

int main(void) {
  struct server server = {.listener = -1};
  pthread_t thread;
  weir_runtime *runtime = NULL;
  weir_operation *uploads = NULL;
  weir_error *error = NULL;
  setenv("UV_THREADPOOL_SIZE", "5", 0); /* libuv has 4, unless told */
  if (!open_server(&server) || pthread_create(&thread, NULL, serve, &server) != 0) return 1;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_status status = weir_runtime_new(NULL, &runtime, &error);
  if (status == WEIR_OK) status = make_uploads(runtime, &server, &uploads, &error);
  if (status == WEIR_OK) status = weir_run_wait(uploads, NULL, WEIR_FOREVER, &outcome, &error);
  if (status != WEIR_OK) fprintf(stderr, "%s\n", weir_error_message(error));
  char line[256];
  weir_outcome_describe(&outcome, line, sizeof line);
  printf("%s\n%d requests, %d files stored, at most %d at once\n", line, server.requests,
         server.stored, server.most_open);
  int as_expected = outcome.status == WEIR_OK && server.stored == FILES &&
                    server.most_open <= AT_ONCE && weir_value_count(outcome.value) == FILES;
  weir_outcome_release(&outcome);
  weir_error_unref(error);
  weir_operation_unref(uploads);
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  shutdown(server.listener, SHUT_RDWR);
  pthread_join(thread, NULL);
  close(server.listener);
  return as_expected ? 0 : 1;
}
