/* SPDX-License-Identifier: MIT */
/* Debounce and throttle by the real clock, on a loop that user code holds up: times count from when
 * a call comes and a run begins, not from the beginning of the turn that this happens in. */

#include "loopback.h"

enum { WAIT_MS = 20, BUSY_MS = 30, MOST_STARTS = 8 };

struct paced {
  weir_runtime *runtime;
  weir_debounce *debounce;
  uint64_t called_ns;
  uint64_t started_ns[MOST_STARTS];
  unsigned starts;
};

static void busy(uint64_t ms) {
  uint64_t until_ns = uv_hrtime() + ms * MS;
  while (uv_hrtime() < until_ns) continue;
}

static void note_paced_start(void *data, weir_attempt *attempt) {
  struct paced *paced = data;
  if (paced->starts < MOST_STARTS) paced->started_ns[paced->starts++] = uv_hrtime();
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static weir_operation *paced_operation(struct paced *paced) {
  weir_operation *operation = NULL;
  assert_int_equal(
      weir_operation_new(paced->runtime, note_paced_start, paced, NULL, &operation, NULL), WEIR_OK);
  return operation;
}

static void call_after_a_while(void *data, weir_call *call, const weir_outcome *outcome) {
  struct paced *paced = data;
  (void)call, (void)outcome;
  busy(BUSY_MS);
  paced->called_ns = uv_hrtime();
  weir_debounce_call(paced->debounce, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL);
}

static void C17_quiet_period_counts_from_the_call_in_a_turn_that_takes_long(struct fixture *fx) {
  uv_loop_t loop;
  struct paced paced = {0};
  weir_operation *now = NULL;
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = WAIT_MS;
  assert_int_equal(uv_loop_init(&loop), 0);
  paced.runtime = attached(fx, &loop);
  weir_operation *operation = paced_operation(&paced);
  assert_int_equal(weir_debounce_new(paced.runtime, operation, &options, &paced.debounce, NULL),
                   WEIR_OK);
  assert_int_equal(weir_sleep_new(paced.runtime, 0, WEIR_OK, NULL, NULL, &now, NULL), WEIR_OK);
  assert_int_equal(weir_run(now, NULL, call_after_a_while, &paced, NULL, NULL, NULL), WEIR_OK);
  run_loop(&loop);
  assert_int_equal(paced.starts, 1);
  assert_true(paced.started_ns[0] - paced.called_ns >= WAIT_MS * (uint64_t)MS);
  weir_operation_unref(operation);
  weir_operation_unref(now);
  weir_debounce_unref(paced.debounce);
  close_all(&loop, NULL, NULL, paced.runtime);
}

/* A run that outlasts the interval, ends in a turn that takes long, and has another due. */
struct slow_start {
  struct paced paced;
  weir_token token;
};

static void start_slowly(void *data, weir_attempt *attempt) {
  struct slow_start *slow = data;
  if (slow->paced.starts < MOST_STARTS) slow->paced.started_ns[slow->paced.starts++] = uv_hrtime();
  if (slow->paced.starts == 1) {
    slow->token = attempt->token;
  } else {
    weir_complete(attempt->runtime, attempt->token, NULL);
  }
}

static void end_slowly(void *data, weir_call *call, const weir_outcome *outcome) {
  struct slow_start *slow = data;
  (void)call, (void)outcome;
  busy(BUSY_MS);
  weir_complete(slow->paced.runtime, slow->token, NULL);
}

static void C17_interval_counts_from_the_start_in_a_turn_that_takes_long(struct fixture *fx) {
  uv_loop_t loop;
  struct slow_start slow = {.token = 0};
  weir_operation *later = NULL;
  weir_operation *operation = NULL;
  weir_throttle *throttle = NULL;
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  options.interval_ms = WAIT_MS;
  assert_int_equal(uv_loop_init(&loop), 0);
  slow.paced.runtime = attached(fx, &loop);
  assert_int_equal(
      weir_operation_new(slow.paced.runtime, start_slowly, &slow, NULL, &operation, NULL), WEIR_OK);
  assert_int_equal(weir_throttle_new(slow.paced.runtime, operation, &options, &throttle, NULL),
                   WEIR_OK);
  assert_int_equal(
      weir_sleep_new(slow.paced.runtime, WAIT_MS + 5, WEIR_OK, NULL, NULL, &later, NULL), WEIR_OK);
  assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), WEIR_OK);
  assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), WEIR_OK);
  assert_int_equal(weir_run(later, NULL, end_slowly, &slow, NULL, NULL, NULL), WEIR_OK);
  while (slow.paced.starts < 2) uv_run(&loop, UV_RUN_ONCE);
  assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), WEIR_OK);
  run_loop(&loop);
  assert_int_equal(slow.paced.starts, 3);
  for (unsigned i = 1; i < 3; i++) {
    assert_true(slow.paced.started_ns[i] - slow.paced.started_ns[i - 1] >= WAIT_MS * (uint64_t)MS);
  }
  weir_operation_unref(operation);
  weir_operation_unref(later);
  weir_throttle_unref(throttle);
  close_all(&loop, NULL, NULL, slow.paced.runtime);
}

TEST_MAIN("pacing, by the real clock",
          LONG_TEST(C17_quiet_period_counts_from_the_call_in_a_turn_that_takes_long),
          LONG_TEST(C17_interval_counts_from_the_start_in_a_turn_that_takes_long))
