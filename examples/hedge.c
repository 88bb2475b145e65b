/* SPDX-License-Identifier: MIT */
/*
 * A service of which one answer in twenty takes 200 ms instead of 2. Whatever is not there after
 * 20 ms is asked for once more, and the first answer wins: the tail goes, for one request in twenty
 * more, which a budget bounds.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/weir.h>

enum { CALLS = 200, SLOW_EVERY = 20, QUICK_MS = 2, SLOW_MS = 200, HEDGE_MS = 20 };

/* On a thread of the pool. Only a first attempt is slow here: another server would answer. */
static weir_status fetch(void *data, const weir_attempt *attempt, weir_value **value,
                         weir_error **error) {
  const int *number = weir_value_data(attempt->input);
  int is_slow = attempt->number == 1 && *number % SLOW_EVERY == 0;
  struct timespec pause = {0, (is_slow ? SLOW_MS : QUICK_MS) * 1000000L};
  (void)data;
  (void)value;
  (void)error;
  nanosleep(&pause, NULL);
  return WEIR_OK;
}

static int by_size(const void *left, const void *right) {
  double a = *(const double *)left;
  double b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Calls one after the other under `policy` (nullable); the 99th percentile in ms, or -1. */
static double measure(weir_runtime *runtime, weir_operation *operation, weir_policy *policy) {
  double latencies[CALLS];
  for (int i = 0; i < CALLS; i++) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    options.policy = policy;
    if (weir_value_new_bytes(runtime, &i, sizeof i, &options.input) != WEIR_OK) return -1;
    weir_status status = weir_run_wait(operation, &options, WEIR_FOREVER, &outcome, NULL);
    weir_value_unref(options.input);
    if (status != WEIR_OK || outcome.status != WEIR_OK) return -1;
    latencies[i] = (double)outcome.elapsed_ns / 1e6;
    weir_outcome_release(&outcome);
  }
  qsort(latencies, CALLS, sizeof latencies[0], by_size);
  return latencies[CALLS * 99 / 100];
}

static weir_status make_hedge(weir_runtime *runtime, weir_hedge **hedge, weir_error **error) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  options.delay_ms = HEDGE_MS; /* or .quantile = 0.9: learned from what is measured */
  options.name = "service";
  weir_status status = weir_budget_new(runtime, NULL, &options.budget, error);
  if (status == WEIR_OK) status = weir_hedge_new(runtime, &options, hedge, error);
  weir_budget_unref(options.budget); /* the hedge has a reference of its own */
  return status;
}

int main(void) {
  weir_runtime *runtime = NULL;
  weir_operation *operation = NULL;
  weir_hedge *hedge = NULL;
  weir_error *error = NULL;
  weir_hedge_stats stats = {.size = sizeof stats};
  if (weir_runtime_new(NULL, &runtime, &error) != WEIR_OK ||
      weir_operation_new_blocking(runtime, fetch, NULL, NULL, &operation, &error) != WEIR_OK ||
      make_hedge(runtime, &hedge, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  double bare = measure(runtime, operation, NULL);
  double hedged = measure(runtime, operation, weir_hedge_policy(hedge));
  weir_hedge_get_stats(hedge, &stats);
  printf("p99 of %d calls: %.0f ms bare, %.0f ms hedged, for %llu requests more\n", CALLS, bare,
         hedged, (unsigned long long)stats.hedged);
  weir_hedge_unref(hedge);
  weir_operation_unref(operation);
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  return hedged > 0 && hedged < bare ? 0 : 1;
}
