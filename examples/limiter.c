/* SPDX-License-Identifier: MIT */
/*
 * Calls an API at most 5 at once and 100 in any minute; the rest wait their turn. 250 calls are
 * made at the same moment. The API is a sleep of 200 ms here, and the clock is virtual, so that
 * more than two minutes pass in a blink; in your program the runtime has a real clock and the
 * operation begins a real request. The limiter is the same.
 */

#include <stdio.h>

#include <weir/testing.h>
#include <weir/weir.h>

enum { CALLS = 250 };

struct tally {
  weir_runtime *runtime;
  weir_limiter *limiter;
  int64_t begun_ns;
  int done;
  int refused;
  int64_t most_at_once;
  int in_minute[4];
};

static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct tally *tally = data;
  (void)call;
  if (outcome->status != WEIR_OK) {
    char line[160];
    weir_outcome_describe(outcome, line, sizeof line);
    printf("%s\n", line);
    tally->refused++;
    return;
  }
  int64_t minute = (weir_runtime_now(tally->runtime) - tally->begun_ns) / INT64_C(60000000000);
  tally->done++;
  tally->in_minute[minute < 3 ? minute : 3]++;

  weir_limiter_stats stats = {.size = sizeof stats};
  weir_limiter_get_stats(tally->limiter, &stats);
  if (stats.concurrent > tally->most_at_once) tally->most_at_once = stats.concurrent;
}

static weir_status make_limiter(weir_runtime *runtime, weir_limiter **limiter, weir_error **error) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.name = "api";
  options.algorithm = WEIR_LIMITER_SLIDING_WINDOW; /* never more in ANY minute */
  options.permits = 100;
  options.interval_ms = 60 * 1000;
  options.max_concurrent = 5;
  return weir_limiter_new(runtime, &options, limiter, error);
}

/* Starts all calls now; true if each was taken. */
static int start_calls(struct tally *tally, weir_operation *api) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_limiter_policy(tally->limiter);
  for (int i = 0; i < CALLS; i++) {
    if (weir_run(api, &options, on_settled, tally, NULL, NULL, NULL) != WEIR_OK) return 0;
  }
  return 1;
}

/* A decide caller, such as a thread of yours that blocks: does not get in before those who wait. */
static void ask_from_the_side(weir_limiter *limiter) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  weir_permit permit = 0;
  if (weir_limiter_try_acquire(limiter, 1, &permit, &rejection) == WEIR_OK) {
    weir_limiter_release(limiter, permit);
    return;
  }
  printf("from the side: not now, %lld wait, again in %lld ms\n", (long long)rejection.queued,
         (long long)rejection.retry_after_ms);
}

static int demonstrate(struct tally *tally, weir_operation *api) {
  if (!start_calls(tally, api)) return 0;
  weir_testing_run_until_idle(tally->runtime);
  ask_from_the_side(tally->limiter);
  weir_testing_advance(tally->runtime, 180 * 1000);
  printf("%d done, %d refused, at most %lld at once\n", tally->done, tally->refused,
         (long long)tally->most_at_once);
  for (int i = 0; i < 3; i++) printf("minute %d: %d\n", i + 1, tally->in_minute[i]);
  return tally->done == CALLS && tally->most_at_once <= 5 && tally->in_minute[0] == 100;
}

int main(void) {
  struct tally tally = {0};
  weir_operation *api = NULL;
  weir_error *error = NULL;
  int ok = 0;

  if (weir_testing_runtime_new(1, &tally.runtime) == WEIR_OK &&
      weir_sleep_new(tally.runtime, 200, WEIR_OK, NULL, NULL, &api, &error) == WEIR_OK &&
      make_limiter(tally.runtime, &tally.limiter, &error) == WEIR_OK) {
    tally.begun_ns = weir_runtime_now(tally.runtime);
    ok = demonstrate(&tally, api);
  }
  if (error != NULL) fprintf(stderr, "%s\n", weir_error_message(error));
  weir_error_unref(error);
  weir_limiter_unref(tally.limiter);
  weir_operation_unref(api);
  weir_runtime_unref(tally.runtime);
  return ok ? 0 : 1;
}
