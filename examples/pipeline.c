/* SPDX-License-Identifier: MIT */
/*
 * A breaker around a retry around a timeout around fetch, as one call, on the program's own libuv
 * loop. First the server is slow once and fails once, and the call succeeds all the same; then it
 * is down, and after two calls that failed the breaker refuses the third without asking it.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include <weir/weir.h>

/* ---- fetch: a request to a server that a timer stands for ---- */

struct server {
  uv_loop_t *loop;
  int requests;
};

struct request {
  uv_timer_t answer;
  weir_runtime *runtime;
  weir_token token;
  int number;
};

static void on_answer(uv_timer_t *timer) {
  struct request *request = timer->data;
  if (request->number == 3) {
    weir_complete_bytes(request->runtime, request->token, "hello", 5);
  } else {
    weir_fail(request->runtime, request->token, WEIR_DOMAIN_HTTP, 503, "overloaded");
  }
}

/* Told to stop: also then the attempt has to be completed. */
static void request_abort(void *data, uint32_t reason) {
  struct request *request = data;
  (void)reason;
  uv_timer_stop(&request->answer);
  weir_fail(request->runtime, request->token, WEIR_DOMAIN_USER, 1, "aborted");
}

static void request_closed(uv_handle_t *handle) { free(handle->data); }

/* After completion and on_cancel are both over. */
static void request_free(void *data) {
  struct request *request = data;
  uv_close((uv_handle_t *)&request->answer, request_closed);
}

static void fetch(void *data, weir_attempt *attempt) {
  struct server *server = data;
  struct request *request = calloc(1, sizeof *request);
  if (request == NULL) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_ERRNO, 12, "out of memory");
    return;
  }
  request->runtime = attempt->runtime;
  request->token = attempt->token;
  request->number = ++server->requests;
  uv_timer_init(server->loop, &request->answer);
  request->answer.data = request;
  uv_timer_start(&request->answer, on_answer, request->number == 1 ? 1000 : 5, 0);
  attempt->on_cancel = request_abort;
  attempt->data = request;
  attempt->free_data = request_free;
}

/* ---- the policies ---- */

struct policies {
  weir_breaker *breaker;
  weir_retry *retry;
  weir_timeout *timeout;
  weir_pipeline *pipeline;
};

static weir_status make_policies(weir_runtime *runtime, struct policies *made, weir_error **error) {
  weir_breaker_options breaker = WEIR_BREAKER_OPTIONS_INIT;
  breaker.failure_threshold = 2;
  breaker.name = "api";
  weir_retry_options retry = WEIR_RETRY_OPTIONS_INIT;
  retry.base_delay_ms = 10;
  weir_timeout_options timeout = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout.timeout_ms = 50;

  weir_status status = weir_breaker_new(runtime, &breaker, &made->breaker, error);
  if (status == WEIR_OK) status = weir_retry_new(runtime, &retry, &made->retry, error);
  if (status == WEIR_OK) status = weir_timeout_new(runtime, &timeout, &made->timeout, error);
  if (status != WEIR_OK) return status;
  weir_policy *outermost_first[] = {weir_breaker_policy(made->breaker),
                                    weir_retry_policy(made->retry),
                                    weir_timeout_policy(made->timeout)};
  return weir_pipeline_new(runtime, outermost_first, 3, "api", &made->pipeline, error);
}

/* What was given out keeps what it needs alive, so the order does not matter. */
static void drop_policies(struct policies *made) {
  weir_breaker_unref(made->breaker);
  weir_retry_unref(made->retry);
  weir_timeout_unref(made->timeout);
  weir_pipeline_unref(made->pipeline);
}

/* ---- the calls ---- */

static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  weir_status *status = data;
  char line[256];
  (void)call;
  weir_outcome_describe(outcome, line, sizeof line);
  printf("%s\n", line);
  *status = outcome->status;
}

/* One call, until the loop has nothing left to do. */
static weir_status call(weir_operation *operation, const struct policies *made, uv_loop_t *loop) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_pipeline_policy(made->pipeline);
  weir_status settled = WEIR_EINVAL;
  weir_status status = weir_run(operation, &options, on_settled, &settled, NULL, NULL, NULL);
  if (status != WEIR_OK) return status;
  uv_run(loop, UV_RUN_DEFAULT);
  return settled;
}

int main(void) {
  uv_loop_t *loop = uv_default_loop();
  struct server server = {.loop = loop};
  struct policies made = {NULL, NULL, NULL, NULL};
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  weir_operation *operation = NULL;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_UV;
  options.loop = loop;

  if (weir_runtime_new(&options, &runtime, &error) != WEIR_OK ||
      weir_operation_new(runtime, fetch, &server, NULL, &operation, &error) != WEIR_OK ||
      make_policies(runtime, &made, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }

  int as_expected = call(operation, &made, loop) == WEIR_OK;
  as_expected &= call(operation, &made, loop) == WEIR_EFAILED;
  as_expected &= call(operation, &made, loop) == WEIR_EFAILED;
  as_expected &= call(operation, &made, loop) == WEIR_EOPEN;
  printf("%d requests for 4 calls\n", server.requests);

  drop_policies(&made);
  weir_operation_unref(operation);
  weir_runtime_unref(runtime);  /* begins closing ... */
  uv_run(loop, UV_RUN_DEFAULT); /* ... which ends on the loop */
  return as_expected && uv_loop_close(loop) == 0 ? 0 : 1;
}
