/* SPDX-License-Identifier: MIT */
/*
 * The glue between libcurl and libuv. curl tells which sockets to watch and when to be called
 * again; uv watches, waits, and reports back through curl_multi_socket_action. What must stay true:
 *
 * - curl's callbacks (on_socket_wanted, on_timer_wanted, on_socket_closing) only note what curl
 * wants: multi functions must not be called from inside them. A wait of 0 ms becomes a uv timer of
 * 0 ms.
 * - A poll error is passed on as CURL_CSELECT_ERR, or curl would wait for ever for a dead socket.
 * - Finished transfers are read after every socket_action, those for timeouts included: a transfer
 *   that runs out of patience has no socket event.
 * - A descriptor is no longer polled when curl closes it. curl announces most removals, but closes
 *   idle connections of its pool without; the close function is where none can be missed.
 */
#include "http_client.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Idle connections kept for the next transfer. curl's own default follows the number of transfers
 * and is small while there are few, so that busy upstreams would push out each other's connections.
 */
enum { IDLE_CONNECTIONS = 256 };

struct watch {
  uv_poll_t poll;
  struct http_client *client;
  int descriptor;
};

struct http_transfer {
  CURL *easy;
  struct curl_slist *headers;
  struct http_client *client;
  http_done_fn done;
  void *data;
  struct http_transfer *next_idle;
};

struct http_client {
  CURLM *multi;
  uv_loop_t *loop;
  uv_timer_t timer;
  struct watch **watches; /* by descriptor; null where none is watched */
  int watches_size;
  struct http_transfer *idle;
};

/* --- sockets ------------------------------------------------------------------------------------
 */

static void on_watch_closed(uv_handle_t *handle) { free(handle->data); }

static void unwatch(struct http_client *client, int descriptor) {
  struct watch *watch = descriptor < client->watches_size ? client->watches[descriptor] : NULL;
  if (watch != NULL) {
    client->watches[descriptor] = NULL;
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
  }
}

static void make_room(struct http_client *client, int descriptor) {
  int size = client->watches_size;
  if (descriptor >= size) {
    int new_size = 2 * descriptor + 64;
    client->watches = realloc(client->watches, (size_t)new_size * sizeof(*client->watches));
    require(client->watches != NULL, "realloc");
    for (; size < new_size; size++) {
      client->watches[size] = NULL;
    }
    client->watches_size = new_size;
  }
}

static struct watch *watch_for(struct http_client *client, int descriptor) {
  make_room(client, descriptor);
  struct watch *watch = client->watches[descriptor];
  if (watch == NULL) {
    watch = allocate(sizeof(*watch));
    watch->client = client;
    watch->descriptor = descriptor;
    watch->poll.data = watch;
    require(uv_poll_init(client->loop, &watch->poll, descriptor) == 0, "uv_poll_init");
    client->watches[descriptor] = watch;
  }
  return watch;
}

static void finish_transfers(struct http_client *client);

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct watch *watch = poll->data;
  struct http_client *client = watch->client;
  int flags = 0;
  int running;
  flags |= status < 0 ? CURL_CSELECT_ERR : 0;
  flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
  flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
  /* curl may end the watch in here: it is not touched again. */
  curl_multi_socket_action(client->multi, watch->descriptor, flags, &running);
  finish_transfers(client);
}

static int on_socket_wanted(CURL *easy, curl_socket_t socket, int what, void *data,
                            void *socket_data) {
  struct http_client *client = data;
  (void)easy;
  (void)socket_data;
  if (what == CURL_POLL_REMOVE) {
    unwatch(client, socket);
    return 0;
  }
  int events = (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
  events |= (what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
  uv_poll_start(&watch_for(client, socket)->poll, events, on_poll);
  return 0;
}

static int on_socket_closing(void *data, curl_socket_t socket) {
  unwatch(data, socket);
  return close(socket);
}

/* --- time ---------------------------------------------------------------------------------------
 */

static void on_timer(uv_timer_t *timer) {
  struct http_client *client = timer->data;
  int running;
  curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  finish_transfers(client);
}

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *data) {
  struct http_client *client = data;
  (void)multi;
  if (timeout_ms < 0) {
    return uv_timer_stop(&client->timer);
  }
  uv_update_time(client->loop); /* or a stale loop time would make it early */
  return uv_timer_start(&client->timer, on_timer, (uint64_t)timeout_ms, 0);
}

/* --- transfers ----------------------------------------------------------------------------------
 */

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
  (void)bytes;
  (void)data;
  return size * count;
}

static struct http_transfer *take_idle(struct http_client *client) {
  struct http_transfer *transfer = client->idle;
  if (transfer == NULL) {
    transfer = allocate(sizeof(*transfer));
    transfer->client = client;
    transfer->easy = curl_easy_init();
    require(transfer->easy != NULL, "curl_easy_init");
    return transfer;
  }
  client->idle = transfer->next_idle;
  return transfer;
}

/* Removing a transfer also removes its message, if curl has one waiting. */
static void put_idle(struct http_transfer *transfer) {
  struct http_client *client = transfer->client;
  curl_multi_remove_handle(client->multi, transfer->easy);
  curl_easy_reset(transfer->easy);
  curl_slist_free_all(transfer->headers);
  transfer->headers = NULL;
  transfer->next_idle = client->idle;
  client->idle = transfer;
}

static void add_number_header(struct http_transfer *transfer, const char *name, uint32_t number) {
  char line[64];
  snprintf(line, sizeof(line), "%s: %u", name, number);
  transfer->headers = curl_slist_append(transfer->headers, line);
  require(transfer->headers != NULL, "curl_slist_append");
}

static void set_up(struct http_transfer *transfer, const struct http_request *request) {
  CURL *easy = transfer->easy;
  add_number_header(transfer, "X-Request", request->number);
  add_number_header(transfer, "X-Attempt", request->attempt);
  curl_easy_setopt(easy, CURLOPT_URL, request->url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->patience_ms);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_closing);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->client);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* loopback, whatever the environment says */
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

struct http_transfer *http_client_get(struct http_client *client,
                                      const struct http_request *request, http_done_fn done,
                                      void *data) {
  struct http_transfer *transfer = take_idle(client);
  transfer->done = done;
  transfer->data = data;
  set_up(transfer, request);
  require(curl_multi_add_handle(client->multi, transfer->easy) == CURLM_OK,
          "curl_multi_add_handle");
  return transfer;
}

void http_transfer_cancel(struct http_transfer *transfer) { put_idle(transfer); }

static struct http_result result_of(CURL *easy, CURLcode code) {
  struct http_result result = {.code = code};
  long status = 0;
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
  result.status = (int32_t)status;
  result.retry_after_ms = (int64_t)retry_after_s * 1000;
  return result;
}

static void finish(CURL *easy, CURLcode code) {
  struct http_transfer *transfer;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  struct http_result result = result_of(easy, code);
  http_done_fn done = transfer->done;
  void *data = transfer->data;
  /* First given back, then reported: the done function may start the next transfer. */
  put_idle(transfer);
  done(data, &result);
}

static void finish_transfers(struct http_client *client) {
  int waiting;
  for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &waiting)) != NULL;) {
    if (message->msg == CURLMSG_DONE) {
      finish(message->easy_handle, message->data.result);
    }
  }
}

/* --- the client ---------------------------------------------------------------------------------
 */

struct http_client *http_client_new(uv_loop_t *loop) {
  struct http_client *client = allocate(sizeof(*client));
  client->loop = loop;
  client->multi = curl_multi_init();
  require(client->multi != NULL, "curl_multi_init");
  uv_timer_init(loop, &client->timer);
  client->timer.data = client;
  curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
  curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
  curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
  curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
  curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
  return client;
}

static void on_timer_closed(uv_handle_t *handle) {
  struct http_client *client = handle->data;
  free(client->watches);
  free(client);
}

void http_client_close(struct http_client *client) {
  while (client->idle != NULL) {
    struct http_transfer *transfer = client->idle;
    client->idle = transfer->next_idle;
    curl_easy_cleanup(transfer->easy);
    free(transfer);
  }
  curl_multi_cleanup(client->multi);
  uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}
