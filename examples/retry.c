/* SPDX-License-Identifier: MIT */
/*
 * Polls a payment until it is no longer PENDING: a value that is judged a failure, five attempts,
 * exponential backoff. The bank's client library blocks, so the operation runs on a thread of the
 * pool, and main() waits for the settlement.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/weir.h>

/* ---- the bank, as good as real ---- */

struct bank {
  int asked;
};

static const char *bank_ask(struct bank *bank) {
  nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
  return ++bank->asked < 4 ? "PENDING" : "PAID";
}

/* ---- one attempt: may block, it has a thread of its own ---- */

static weir_status ask(void *data, const weir_attempt *attempt, weir_value **value,
                       weir_error **error) {
  (void)error; /* for a connection that broke, say: weir_error_new() and WEIR_EFAILED */
  const char *state = bank_ask(data);
  return weir_value_new_bytes(attempt->runtime, state, strlen(state), value);
}

/* ---- what the retry asks and tells ---- */

static int is(const weir_value *value, const char *text) {
  size_t size = weir_value_size(value);
  return size == strlen(text) && memcmp(weir_value_data(value), text, size) == 0;
}

static uint32_t judge(void *data, const weir_outcome *outcome) {
  (void)data;
  return is(outcome->value, "PENDING") ? WEIR_CLASS_FAILURE : WEIR_CLASS_NONE;
}

static void tell(void *data, uint32_t attempt, int64_t delay_ns, const weir_outcome *outcome) {
  (void)data;
  (void)outcome;
  printf("attempt %u: still pending, asking again in %.0f ms\n", (unsigned)attempt,
         (double)delay_ns / 1e6);
}

int main(void) {
  struct bank bank = {0};
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  weir_operation *payment = NULL;
  weir_retry *retry = NULL;

  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT; /* exponential, with jitter */
  options.max_attempts = 5;
  options.base_delay_ms = 20; /* a second in earnest */
  options.classify = judge;
  options.on_retry = tell;
  options.name = "payment";

  if (weir_runtime_new(NULL, &runtime, &error) != WEIR_OK ||
      weir_operation_new_blocking(runtime, ask, &bank, NULL, &payment, &error) != WEIR_OK ||
      weir_retry_new(runtime, &options, &retry, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }

  weir_run_options run = WEIR_RUN_OPTIONS_INIT;
  run.policy = weir_retry_policy(retry);
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_status status = weir_run_wait(payment, &run, 10000, &outcome, &error);

  int paid = status == WEIR_OK && outcome.status == WEIR_OK && is(outcome.value, "PAID");
  char line[256];
  weir_outcome_describe(&outcome, line, sizeof line);
  printf("%s: %s\n", paid ? "paid" : "not paid", line);

  weir_outcome_release(&outcome);
  weir_error_unref(error);
  weir_retry_unref(retry);
  weir_operation_unref(payment);
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  return paid ? 0 : 1;
}
