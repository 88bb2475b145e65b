/* SPDX-License-Identifier: MIT */
/*
 * HTTP GET with libcurl's multi interface on a uv loop.
 *
 * Everything happens on the loop's thread. A transfer ends once: by its done function, never called
 * inside http_client_get, or by http_transfer_cancel, after which it is not called. Connections
 * stay open and are used again.
 */
#ifndef OUTAGE_HTTP_CLIENT_H
#define OUTAGE_HTTP_CLIENT_H

#include <curl/curl.h>
#include <stdint.h>
#include <uv.h>

struct http_client;
struct http_transfer;

struct http_request {
  const char *url;     /* must live as long as the transfer */
  uint32_t number;     /* sent as X-Request */
  uint32_t attempt;    /* sent as X-Attempt */
  int32_t patience_ms; /* then it ends with CURLE_OPERATION_TIMEDOUT */
};

struct http_result {
  CURLcode code;          /* what the transport says */
  int32_t status;         /* what the server says; 0 when it did not */
  int64_t retry_after_ms; /* what the server asks for; 0 when it does not */
};

typedef void (*http_done_fn)(void *data, const struct http_result *result);

struct http_client *http_client_new(uv_loop_t *loop);

/* Closes every connection. Transfers must have ended; the loop must run once more to free the rest.
 */
void http_client_close(struct http_client *client);

struct http_transfer *http_client_get(struct http_client *client,
                                      const struct http_request *request, http_done_fn done,
                                      void *data);

void http_transfer_cancel(struct http_transfer *transfer);

#endif
