/* SPDX-License-Identifier: MIT */
/* Debounce and throttle between threads: calls, orders and cancels from four of them while runs end
 * on a fifth. Each call settles exactly once, and nothing is left. */

#include <stdatomic.h>

#include "../unit/support.h"

enum { THREADS = 4, CALLS = 3000, KEYS = 5 };

struct storm {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_debounce *debounce;
  weir_throttle *throttle;
  _Atomic uint64_t accepted;
  _Atomic uint64_t settled;
  _Atomic uint64_t freed;
  _Atomic uint64_t started;
  _Atomic uint64_t strange; /* outcomes that none of this explains */
};

static void work(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  uint64_t number = atomic_fetch_add(&storm->started, 1);
  if (number % 7 == 0) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 7, NULL);
  } else {
    weir_complete(attempt->runtime, attempt->token, weir_value_ref(attempt->input));
  }
}

static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct storm *storm = data;
  (void)call;
  int known = outcome->status == WEIR_OK || outcome->status == WEIR_EFAILED ||
              outcome->status == WEIR_ECANCELLED || outcome->status == WEIR_ESUPERSEDED ||
              outcome->status == WEIR_ECLOSED;
  if (!known) atomic_fetch_add(&storm->strange, 1);
  atomic_fetch_add(&storm->settled, 1);
}

static void on_freed(void *data) { atomic_fetch_add(&((struct storm *)data)->freed, 1); }

static void call_one(struct storm *storm, unsigned i, const void *key, size_t size,
                     weir_value *argument) {
  weir_call *call = NULL;
  weir_call **kept = i % 3 == 0 ? &call : NULL;
  weir_status status = i % 2 == 0 ? weir_debounce_call(storm->debounce, key, size, argument,
                                                       on_settled, storm, on_freed, kept, NULL)
                                  : weir_throttle_call(storm->throttle, key, size, argument,
                                                       on_settled, storm, on_freed, kept, NULL);
  if (status == WEIR_OK) atomic_fetch_add(&storm->accepted, 1);
  if (call != NULL && i % 6 == 0) weir_call_cancel(call);
  weir_call_unref(call);
}

static void order_one(struct storm *storm, unsigned i, const void *key, size_t size) {
  switch (i / 16 % 4) {
    case 0:
      weir_debounce_cancel(storm->debounce, key, size);
      break;
    case 1:
      weir_debounce_flush(storm->debounce, key, size);
      break;
    case 2:
      weir_throttle_cancel(storm->throttle, key, size);
      break;
    default:
      weir_throttle_flush(storm->throttle, key, size);
  }
}

static void *call_many(void *data) {
  struct storm *storm = data;
  static const char keys[] = "abcde";
  for (unsigned i = 0; i < CALLS; i++) {
    weir_value *argument = NULL;
    size_t size = i % (KEYS + 1);
    const void *key = size == 0 ? NULL : keys;
    if (weir_value_new_bytes(storm->runtime, &i, sizeof i, &argument) != WEIR_OK) continue;
    call_one(storm, i, key, size, argument);
    weir_value_unref(argument);
    if (i % 16 == 0) order_one(storm, i, key, size);
  }
  return NULL;
}

static void open_storm(struct fixture *fx, struct storm *storm, uint32_t overlap) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_debounce_options quiet = WEIR_DEBOUNCE_OPTIONS_INIT;
  weir_throttle_options steady = WEIR_THROTTLE_OPTIONS_INIT;
  memset(storm, 0, sizeof *storm);
  options.allocator = &allocator;
  quiet.wait_ms = 1;
  quiet.max_wait_ms = 2;
  quiet.overlap = overlap;
  steady.interval_ms = 1;
  steady.overlap = overlap;
  assert_int_equal(weir_runtime_new(&options, &storm->runtime, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(storm->runtime, work, storm, NULL, &storm->operation, NULL),
                   WEIR_OK);
  assert_int_equal(
      weir_debounce_new(storm->runtime, storm->operation, &quiet, &storm->debounce, NULL), WEIR_OK);
  assert_int_equal(
      weir_throttle_new(storm->runtime, storm->operation, &steady, &storm->throttle, NULL),
      WEIR_OK);
}

/* After the storm a call with nobody beside it gets its run. */
static void call_alone(struct storm *storm) {
  weir_call *call = NULL;
  uint64_t started = storm->started;
  assert_int_equal(
      weir_debounce_call(storm->debounce, "z", 1, NULL, on_settled, storm, on_freed, &call, NULL),
      WEIR_OK);
  storm->accepted++;
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  assert_true(storm->started > started);
  weir_call_unref(call);
}

/* The handles go while calls are pending: what is pending keeps itself alive. */
static void close_storm(struct storm *storm) {
  weir_debounce_unref(storm->debounce);
  weir_throttle_unref(storm->throttle);
  weir_operation_unref(storm->operation);
  assert_int_equal(weir_runtime_close_wait(storm->runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm->runtime);
}

static void storm_with(struct fixture *fx, uint32_t overlap) {
  static struct storm storm;
  pthread_t threads[THREADS];
  open_storm(fx, &storm, overlap);
  for (size_t i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, call_many, &storm), 0);
  }
  for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  call_alone(&storm);
  close_storm(&storm);
  assert_int_equal(storm.accepted, THREADS * CALLS + 1);
  assert_int_equal(storm.settled, storm.accepted);
  assert_int_equal(storm.freed, storm.accepted);
  assert_int_equal(storm.strange, 0);
}

static void D02_each_call_settles_once_in_a_storm_that_queues(struct fixture *fx) {
  storm_with(fx, WEIR_OVERLAP_QUEUE);
}

static void D02_each_call_settles_once_in_a_storm_that_cancels(struct fixture *fx) {
  storm_with(fx, WEIR_OVERLAP_CANCEL);
}

TEST_MAIN("pace_storm", LONG_TEST(D02_each_call_settles_once_in_a_storm_that_queues),
          LONG_TEST(D02_each_call_settles_once_in_a_storm_that_cancels))
