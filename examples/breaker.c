/* SPDX-License-Identifier: MIT */
/*
 * A circuit breaker around a service that fails for a while: five failures open it, calls are then
 * refused at once, and when the open time is over two successes close it again. The service answers
 * on the runtime's thread, main() waits for each call.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <weir/weir.h>

/* ---- the service: down from the start until it is mended ---- */

struct service {
  atomic_int up;
  atomic_int asked;
};

static void ask(void *data, weir_attempt *attempt) {
  struct service *service = data;
  atomic_fetch_add(&service->asked, 1);
  if (atomic_load(&service->up)) {
    weir_complete_bytes(attempt->runtime, attempt->token, "hello", 5);
  } else {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_HTTP, 503, "down");
  }
}

/* ---- what the breaker tells, on the runtime's thread ---- */

static void on_change(void *data, weir_breaker *breaker, const weir_breaker_change *change) {
  static const char *const names[] = {"closed", "open", "half-open"};
  (void)data;
  (void)breaker;
  printf("  breaker: %s -> %s (%u of %u calls failed)\n", names[change->from], names[change->to],
         (unsigned)change->failures, (unsigned)change->calls);
}

/* One call, waited for; says what became of it and returns its status. */
static weir_status call(weir_operation *operation) {
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_error *error = NULL;
  weir_status status = weir_run_wait(operation, NULL, 10000, &outcome, &error);
  if (status == WEIR_OK) {
    char line[256];
    weir_outcome_describe(&outcome, line, sizeof line);
    printf("%s\n", line);
    status = outcome.status;
  } else {
    fprintf(stderr, "%s\n", weir_error_message(error));
  }
  weir_error_unref(error);
  weir_outcome_release(&outcome);
  return status;
}

static int outage_and_recovery(struct service *service, weir_operation *guarded,
                               int64_t reset_timeout_ms) {
  for (int i = 0; i < 5; i++) {
    if (call(guarded) != WEIR_EFAILED) return 0;
  }
  if (call(guarded) != WEIR_EOPEN || atomic_load(&service->asked) != 5) return 0;

  printf("the service is mended, and the open time passes\n");
  atomic_store(&service->up, 1);
  nanosleep(&(struct timespec){.tv_nsec = (long)reset_timeout_ms * 1000 * 1000}, NULL);
  return call(guarded) == WEIR_OK && call(guarded) == WEIR_OK && call(guarded) == WEIR_OK;
}

int main(void) {
  struct service service = {0, 0};
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  weir_operation *operation = NULL;
  weir_operation *guarded = NULL;
  weir_breaker *breaker = NULL;

  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT; /* 5 failures, 2 successes */
  options.reset_timeout_ms = 300;                           /* a minute in earnest */
  options.on_state_change = on_change;
  options.name = "hello service";

  if (weir_runtime_new(NULL, &runtime, &error) != WEIR_OK ||
      weir_operation_new(runtime, ask, &service, NULL, &operation, &error) != WEIR_OK ||
      weir_breaker_new(runtime, &options, &breaker, &error) != WEIR_OK ||
      weir_policy_wrap(weir_breaker_policy(breaker), operation, &guarded, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }

  int good = outage_and_recovery(&service, guarded, options.reset_timeout_ms) &&
             weir_breaker_state(breaker) == WEIR_BREAKER_CLOSED;

  weir_operation_unref(guarded);
  weir_operation_unref(operation);
  weir_breaker_unref(breaker);
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  printf("%s\n", good ? "recovered" : "this is not how it should have gone");
  return good ? 0 : 1;
}
