/* SPDX-License-Identifier: MIT */
/*
 * One attempt is a struct fetch: made by start, freed by weir through free_data once completion and
 * cancel are both over. That is the whole of the ownership, whoever wins the race between an answer
 * and a timeout.
 *
 *   start      -> transfer runs
 *   done       -> complete or fail the token; the transfer is gone
 *   on_cancel  -> end the transfer, then fail the token: the attempt is really over, so a limiter's
 *                 permit returns now instead of when the upstream would have answered
 */
#include "fetch.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>

/* Longer than any policy's patience; the bare arm, which has no other, ends its silent calls by it.
 */
enum { PATIENCE_MS = 3000 };

struct fetch {
  weir_runtime *runtime;
  weir_token token;
  struct http_transfer *transfer;
  char url[96];
};

static void fail_with_status(struct fetch *fetch, const struct http_result *result) {
  weir_completion completion = WEIR_COMPLETION_INIT;
  weir_error *error;
  completion.retry_after_ms = result->retry_after_ms > 0 ? result->retry_after_ms : WEIR_OFF;
  if (weir_error_new(fetch->runtime, WEIR_DOMAIN_HTTP, result->status, "not a 200", &error) !=
      WEIR_OK) {
    weir_fail(fetch->runtime, fetch->token, WEIR_DOMAIN_HTTP, result->status, NULL);
    return;
  }
  weir_complete_with(fetch->runtime, fetch->token, NULL, error, &completion);
}

static void on_done(void *data, const struct http_result *result) {
  struct fetch *fetch = data;
  if (result->code != CURLE_OK) {
    weir_fail(fetch->runtime, fetch->token, WEIR_DOMAIN_CURL, result->code,
              curl_easy_strerror(result->code));
  } else if (result->status != 200) {
    fail_with_status(fetch, result);
  } else {
    int64_t now_ns = (int64_t)uv_hrtime();
    weir_complete_bytes(fetch->runtime, fetch->token, &now_ns, sizeof(now_ns));
  }
}

static void on_cancel(void *data, uint32_t reason) {
  struct fetch *fetch = data;
  (void)reason;
  http_transfer_cancel(fetch->transfer);
  weir_fail(fetch->runtime, fetch->token, WEIR_DOMAIN_CURL, CURLE_ABORTED_BY_CALLBACK,
            "told to stop");
}

static void start(void *data, weir_attempt *attempt) {
  const struct fetch_request *request = weir_value_pointer(attempt->input);
  struct fetch *fetch = allocate(sizeof(*fetch));
  struct http_request get = {fetch->url, request->number, attempt->number, PATIENCE_MS};
  (void)data;
  snprintf(fetch->url, sizeof(fetch->url), "%s%u", request->base_url, request->path);
  fetch->runtime = attempt->runtime;
  fetch->token = attempt->token;
  fetch->transfer = http_client_get(request->client, &get, on_done, fetch);
  attempt->on_cancel = on_cancel;
  attempt->data = fetch;
  attempt->free_data = free;
}

weir_operation *fetch_operation_new(weir_runtime *runtime) {
  weir_operation *operation;
  weir_status status = weir_operation_new(runtime, start, NULL, NULL, &operation, NULL);
  require(status == WEIR_OK, "weir_operation_new");
  return operation;
}
