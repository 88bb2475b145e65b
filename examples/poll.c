/* SPDX-License-Identifier: MIT */
/*
 * A job that takes its time is polled every 2 s, at most 30 times, until it is completed. Polls
 * that fail are tolerated, the interval counts from the end of each, and a deadline that the next
 * one would miss ends it at once.
 */

#include <stdio.h>
#include <string.h>

#include <weir/weir.h>

/* Asks for the job's state. A real one would complete when the response is there. */
static void ask(void *data, weir_attempt *attempt) {
  static const char *const states[] = {"QUEUED", NULL, "COMPLETED"};
  const char *state = attempt->number <= 3 ? states[attempt->number - 1] : "COMPLETED";
  (void)data;
  printf("poll %u: %s\n", attempt->number, state == NULL ? "no answer" : state);
  if (state == NULL) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_HTTP, 502, "bad gateway");
  } else {
    weir_complete_bytes(attempt->runtime, attempt->token, state, strlen(state) + 1);
  }
}

static int32_t is_completed(void *data, const weir_outcome *outcome) {
  (void)data;
  return strcmp(weir_value_data(outcome->value), "COMPLETED") == 0;
}

static weir_status make_job(weir_runtime *runtime, weir_operation **job, weir_error **error) {
  weir_operation *question = NULL;
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  options.interval_ms = 2000;
  options.max_attempts = 30;
  options.until = is_completed;
  options.name = "job";
  weir_status status = weir_operation_new(runtime, ask, NULL, NULL, &question, error);
  if (status != WEIR_OK) return status;
  status = weir_poll_new(question, &options, job, error);
  weir_operation_unref(question); /* the poll has a reference of its own */
  return status;
}

int main(void) {
  weir_runtime *runtime = NULL;
  weir_operation *job = NULL;
  weir_error *error = NULL;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  char line[160];
  weir_status status = weir_runtime_new(NULL, &runtime, &error);
  if (status == WEIR_OK) status = make_job(runtime, &job, &error);
  if (status == WEIR_OK) status = weir_run_wait(job, NULL, WEIR_FOREVER, &outcome, &error);
  if (status != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  weir_outcome_describe(&outcome, line, sizeof line);
  printf("%s\n", line);
  int completed = outcome.status == WEIR_OK && outcome.attempts == 3;
  weir_outcome_release(&outcome);
  weir_operation_unref(job);
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  return completed ? 0 : 1;
}
