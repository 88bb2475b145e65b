/* SPDX-License-Identifier: MIT */
/* C10: every function that takes a free function runs it exactly once: when it works, at each bad
 * argument, and at each failing allocation; and not at all when the options struct itself was NULL
 * or its size rejected, because then nothing was taken. */

#include "support.h"

enum { MOST_FREES = 4 };

/* One taking function. `take` calls it with each free function counting in `freed`; what it made is
 * given back at once. */
enum mode {
  TAKE_LEGAL,
  TAKE_NO_RUNTIME,         /* or another required argument */
  TAKE_SHORTER_NO_RUNTIME, /* the struct ends before its last pointer: an older version's */
  TAKE_NO_OUT,
  TAKE_BAD_OPTION,
  TAKE_BAD_SIZE, /* nothing is taken */
};

struct taker {
  const char *name;
  size_t frees; /* how many free functions it takes */
  int has_options;
  weir_status (*take)(struct fixture *fx, enum mode mode, unsigned *freed);
};

static uint32_t judge(void *data, const weir_outcome *outcome) {
  (void)data, (void)outcome;
  return WEIR_CLASS_NONE;
}

static int32_t always(void *data, const weir_outcome *outcome, uint32_t attempt) {
  (void)data, (void)outcome, (void)attempt;
  return 1;
}

static void on_retry(void *data, uint32_t attempt, int64_t delay_ns, const weir_outcome *outcome) {
  (void)data, (void)attempt, (void)delay_ns, (void)outcome;
}

static void on_change(void *data, weir_breaker *breaker, const weir_breaker_change *change) {
  (void)data, (void)breaker, (void)change;
}

static int64_t timeout_for(void *data, void *context, const void *key, size_t key_size) {
  (void)data, (void)context, (void)key, (void)key_size;
  return 5;
}

static void notify(void *data) { (void)data; }

static void log_line(void *data, int32_t level, const char *subject, const char *message) {
  (void)data, (void)level, (void)subject, (void)message;
}

static void on_event(void *data, const weir_event *event) { (void)data, (void)event; }

static void on_closed(void *data, uint64_t orphans) { (void)data, (void)orphans; }

static void start(void *data, weir_attempt *attempt) { (void)data, (void)attempt; }

static weir_status block(void *data, const weir_attempt *attempt, weir_value **value,
                         weir_error **error) {
  (void)data, (void)attempt, (void)value, (void)error;
  return WEIR_OK;
}

static weir_runtime *runtime_of(struct fixture *fx, enum mode mode) {
  return mode == TAKE_NO_RUNTIME || mode == TAKE_SHORTER_NO_RUNTIME ? NULL : fx->runtime;
}

static uint32_t size_of(size_t size, enum mode mode) {
  if (mode == TAKE_SHORTER_NO_RUNTIME) size -= sizeof(void *);
  return mode == TAKE_BAD_SIZE ? 0 : (uint32_t)size;
}

static weir_status take_retry(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *out = NULL;
  options.classify = judge;
  options.classify_data = &freed[0];
  options.should_retry = always;
  options.should_retry_data = &freed[1];
  options.on_retry = on_retry;
  options.on_retry_data = &freed[2];
  options.classify_free_data = options.should_retry_free_data = options.on_retry_free_data =
      count_free;
  options.name = "a name to copy";
  options.size = size_of(sizeof options, mode);
  if (mode == TAKE_BAD_OPTION) options.max_attempts = 0;
  weir_status status =
      weir_retry_new(runtime_of(fx, mode), &options, mode == TAKE_NO_OUT ? NULL : &out, NULL);
  weir_retry_unref(out);
  return status;
}

static weir_status take_breaker(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  weir_breaker *out = NULL;
  static const weir_error_range ranges[] = {{3, 0, 500, 599}};
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  options.failures = ranges;
  options.failures_count = 1;
  options.classify = judge;
  options.classify_data = &freed[0];
  options.on_state_change = on_change;
  options.change_data = &freed[1];
  options.classify_free_data = options.change_free_data = count_free;
  options.name = "a name to copy";
  options.size = size_of(sizeof options, mode);
  if (mode == TAKE_BAD_OPTION) options.failure_threshold = 0;
  weir_status status =
      weir_breaker_new(runtime_of(fx, mode), &options, mode == TAKE_NO_OUT ? NULL : &out, NULL);
  weir_breaker_unref(out);
  return status;
}

static weir_status take_limiter(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  weir_limiter *out = NULL;
  options.permits = 5;
  options.interval_ms = 1000;
  options.max_keys = 100;
  options.classify = judge;
  options.classify_data = &freed[0];
  options.classify_free_data = count_free;
  options.name = "a name to copy";
  options.size = size_of(sizeof options, mode);
  if (mode == TAKE_BAD_OPTION) options.permits = 0;
  weir_status status =
      weir_limiter_new(runtime_of(fx, mode), &options, mode == TAKE_NO_OUT ? NULL : &out, NULL);
  weir_limiter_unref(out);
  return status;
}

static weir_status take_timeout(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_timeout *out = NULL;
  options.timeout_ms = mode == TAKE_BAD_OPTION ? -3 : WEIR_OFF;
  options.timeout_for = timeout_for;
  options.timeout_data = &freed[0];
  options.timeout_free_data = count_free;
  options.message = "a message to copy";
  options.name = "a name to copy";
  options.size = size_of(sizeof options, mode);
  weir_status status =
      weir_timeout_new(runtime_of(fx, mode), &options, mode == TAKE_NO_OUT ? NULL : &out, NULL);
  weir_timeout_unref(out);
  return status;
}

static weir_status take_completions(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_completions_options options = WEIR_COMPLETIONS_OPTIONS_INIT;
  weir_completions *out = NULL;
  options.notify = notify;
  options.notify_data = &freed[0];
  options.notify_free_data = count_free;
  options.name = "a name to copy";
  options.size = size_of(sizeof options, mode);
  if (mode == TAKE_BAD_OPTION) options.with_fd = 7;
  weir_status status =
      weir_completions_new(runtime_of(fx, mode), &options, mode == TAKE_NO_OUT ? NULL : &out, NULL);
  weir_completions_unref(out);
  return status;
}

static weir_status take_runtime(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_runtime *out = NULL;
  options.driver = mode == TAKE_NO_RUNTIME ? WEIR_DRIVER_UV : WEIR_DRIVER_MANUAL; /* and no loop */
  options.allocator = &allocator;
  options.wakeup = mode == TAKE_NO_RUNTIME ? NULL : notify;
  options.wakeup_data = &freed[0];
  options.log = log_line;
  options.log_data = &freed[1];
  options.on_event = on_event;
  options.event_data = &freed[2];
  options.on_closed = on_closed;
  options.closed_data = &freed[3];
  options.wakeup_free_data = options.log_free_data = options.event_free_data =
      options.closed_free_data = count_free;
  options.name = "a name to copy";
  options.size = size_of(sizeof options, mode);
  if (mode == TAKE_BAD_OPTION) options.max_in_flight = 0;
  weir_status status = weir_runtime_new(&options, mode == TAKE_NO_OUT ? NULL : &out, NULL);
  weir_runtime_unref(out);
  return status;
}

static weir_status take_operation(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_operation *out = NULL;
  weir_status status =
      weir_operation_new(runtime_of(fx, mode), mode == TAKE_BAD_OPTION ? NULL : start, &freed[0],
                         count_free, mode == TAKE_NO_OUT ? NULL : &out, NULL);
  weir_operation_unref(out);
  return status;
}

static weir_status take_blocking(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_operation *out = NULL;
  weir_status status =
      weir_operation_new_blocking(runtime_of(fx, mode), mode == TAKE_BAD_OPTION ? NULL : block,
                                  &freed[0], count_free, mode == TAKE_NO_OUT ? NULL : &out, NULL);
  weir_operation_unref(out);
  return status == WEIR_ENOTSUP ? WEIR_OK : status; /* the manual driver has no pool */
}

static weir_status take_value(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_value *out = NULL;
  weir_value **where = mode == TAKE_LEGAL ? &out : NULL;
  weir_status status = weir_value_new_pointer(fx->runtime, &freed[0], count_free, where);
  weir_value_unref(out);
  return status;
}

static weir_status take_complete(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_status status = weir_complete_pointer(runtime_of(fx, mode), 77, &freed[0], count_free);
  return mode == TAKE_NO_RUNTIME || status != WEIR_ESTALE ? status : WEIR_OK;
}

static weir_status take_run(struct fixture *fx, enum mode mode, unsigned *freed) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_operation *operation = NULL;
  options.name = "a name to copy";
  options.size = size_of(sizeof options, mode);
  options.permits = mode == TAKE_BAD_OPTION ? 0 : 1;
  if (weir_sleep_new(fx->runtime, 0, WEIR_OK, NULL, NULL, &operation, NULL) != WEIR_OK) {
    freed[0]++; /* nothing was called */
    return WEIR_ENOMEM;
  }
  weir_status status = weir_run(mode == TAKE_NO_RUNTIME ? NULL : operation, &options, NULL,
                                &freed[0], count_free, NULL, NULL);
  weir_operation_unref(operation);
  weir_testing_run_until_idle(fx->runtime);
  return status;
}

static const struct taker takers[] = {
    {"retry", 3, 1, take_retry},
    {"breaker", 2, 1, take_breaker},
    {"limiter", 1, 1, take_limiter},
    {"timeout", 1, 1, take_timeout},
    {"completions", 1, 1, take_completions},
    {"runtime", 4, 1, take_runtime},
    {"operation", 1, 0, take_operation},
    {"blocking operation", 1, 0, take_blocking},
    {"value", 1, 0, take_value},
    {"complete_pointer", 1, 0, take_complete},
    {"run", 1, 0, take_run}, /* its data is no part of its options */
};

static void assert_freed(const struct taker *taker, const unsigned *freed, unsigned times,
                         const char *when) {
  for (size_t i = 0; i < taker->frees; i++) {
    if (freed[i] != times && !under_oom())
      print_error("%s, free function %zu, %s\n", taker->name, i, when);
    assert_int_equal(freed[i], times);
  }
}

static void C10_free_functions_run_once_when_it_works(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  for (size_t i = 0; i < COUNT_OF(takers); i++) {
    unsigned freed[MOST_FREES] = {0};
    assert_int_equal(takers[i].take(fx, TAKE_LEGAL, freed), WEIR_OK);
    run_until_idle(fx);
    assert_freed(&takers[i], freed, 1, "when it works");
  }
}

static void C10_free_functions_run_once_at_each_bad_argument(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  static const enum mode modes[] = {TAKE_NO_RUNTIME, TAKE_SHORTER_NO_RUNTIME, TAKE_NO_OUT,
                                    TAKE_BAD_OPTION};
  for (size_t i = 0; i < COUNT_OF(takers); i++) {
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
      unsigned freed[MOST_FREES] = {0};
      takers[i].take(fx, modes[m], freed);
      run_until_idle(fx);
      assert_freed(&takers[i], freed, 1, "at a bad argument");
    }
  }
}

static void C10_nothing_is_taken_from_a_struct_of_a_rejected_size(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  for (size_t i = 0; i < COUNT_OF(takers); i++) {
    if (!takers[i].has_options) continue;
    unsigned freed[MOST_FREES] = {0};
    assert_int_equal(takers[i].take(fx, TAKE_BAD_SIZE, freed), WEIR_EABI);
    assert_freed(&takers[i], freed, 0, "at a rejected size");
  }
}

static void C10_free_functions_run_once_at_each_failing_allocation(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  for (size_t i = 0; i < COUNT_OF(takers); i++) {
    weir_status status = WEIR_ENOMEM;
    for (uint64_t n = 1; status != WEIR_OK && n < 100; n++) {
      unsigned freed[MOST_FREES] = {0};
      memory_fail(&fx->memory, n, 0);
      status = takers[i].take(fx, TAKE_LEGAL, freed);
      memory_fail(&fx->memory, 0, 0);
      run_until_idle(fx);
      assert_true(status == WEIR_OK || status == WEIR_ENOMEM);
      assert_freed(&takers[i], freed, 1, "without memory");
    }
    assert_int_equal(status, WEIR_OK);
  }
}

static void C10_allocator_is_released_once_also_when_creation_fails(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  static const enum mode modes[] = {TAKE_LEGAL, TAKE_NO_RUNTIME, TAKE_NO_OUT, TAKE_BAD_OPTION};
  for (size_t m = 0; m < COUNT_OF(modes); m++) {
    unsigned freed[MOST_FREES] = {0};
    uint64_t before = fx->memory.released;
    take_runtime(fx, modes[m], freed);
    assert_int_equal(fx->memory.released, before + 1);
  }
  for (uint64_t n = 1; n < 6; n++) {
    unsigned freed[MOST_FREES] = {0};
    uint64_t before = fx->memory.released;
    memory_fail(&fx->memory, n, 0);
    take_runtime(fx, TAKE_LEGAL, freed);
    memory_fail(&fx->memory, 0, 0);
    assert_int_equal(fx->memory.released, before + 1);
  }
}

TEST_MAIN("free_functions", TEST(C10_free_functions_run_once_when_it_works),
          TEST(C10_free_functions_run_once_at_each_bad_argument),
          TEST(C10_nothing_is_taken_from_a_struct_of_a_rejected_size),
          TEST(C10_free_functions_run_once_at_each_failing_allocation),
          TEST(C10_allocator_is_released_once_also_when_creation_fails))
