/* SPDX-License-Identifier: MIT */
/* What a user's first program does: a call that fails twice and that a retry saves. Every way to
 * get weir into a program builds this one and runs it. */

#ifdef WEIR_SINGLE_FILE
#include "weir.h"
#else
#include <weir/weir.h>
#endif

#include <stdio.h>
#include <string.h>

static void fetch(void *data, weir_attempt *attempt) {
  (void)data;
  if (attempt->number < 3) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_HTTP, 503, "not yet");
  } else {
    weir_complete_bytes(attempt->runtime, attempt->token, "hello", 5);
  }
}

/* Says which call failed and why; returns 1 for main() to return. */
static int failed(const char *what, weir_status status, weir_error *error) {
  fprintf(stderr, "%s: %s %s\n", what, weir_status_name(status), weir_error_message(error));
  weir_error_unref(error);
  return 1;
}

static int run_once(weir_retry *retry, weir_operation *operation) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_retry_policy(retry);
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_error *error = NULL;
  weir_status status = weir_run_wait(operation, &options, 10000, &outcome, &error);
  if (status != WEIR_OK) return failed("run", status, error);
  int good = outcome.status == WEIR_OK && outcome.attempts == 3 &&
             weir_value_size(outcome.value) == 5 &&
             memcmp(weir_value_data(outcome.value), "hello", 5) == 0;
  if (good)
    printf("weir %s: hello after 3 attempts\n", weir_version_string());
  else
    fprintf(stderr, "status %s, %u attempts\n", weir_status_name(outcome.status), outcome.attempts);
  weir_outcome_release(&outcome);
  return good ? 0 : 1;
}

int main(void) {
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  weir_status status = weir_runtime_new(NULL, &runtime, &error);
  if (status != WEIR_OK) return failed("runtime", status, error);

  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.base_delay_ms = 1;
  weir_retry *retry = NULL;
  status = weir_retry_new(runtime, &options, &retry, &error);
  if (status != WEIR_OK) return failed("retry", status, error);

  weir_operation *operation = NULL;
  status = weir_operation_new(runtime, fetch, NULL, NULL, &operation, &error);
  if (status != WEIR_OK) return failed("operation", status, error);

  int result = run_once(retry, operation);
  weir_operation_unref(operation);
  weir_retry_unref(retry);
  status = weir_runtime_close_wait(runtime, 10000);
  weir_runtime_unref(runtime);
  if (status != WEIR_OK) return failed("close", status, NULL);
  return result;
}
