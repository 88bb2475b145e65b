/* SPDX-License-Identifier: MIT */
/* C08 for the core: every creating and running function of runtime, operation, run, completions,
 * value and error with each required argument NULL, each option at its edges, and structs of every
 * wrong size. */

#include "support_options.h"

/* ---- runtime --------------------------------------------------------------------------------- */

static void fill_runtime(struct fixture *fx, void *options) {
  static weir_allocator allocator; /* lives through the call; one per fixture */
  weir_runtime_options *runtime = options;
  allocator = memory_allocator(&fx->memory);
  *runtime = (weir_runtime_options)WEIR_RUNTIME_OPTIONS_INIT;
  runtime->driver = WEIR_DRIVER_MANUAL;
  runtime->allocator = &allocator;
}

static weir_status create_runtime(struct fixture *fx, const void *options, weir_error **error) {
  weir_runtime *runtime = NULL;
  (void)fx;
  weir_status status = weir_runtime_new(options, &runtime, error);
  if (status == WEIR_OK) weir_runtime_unref(runtime);
  return status;
}

#define RUNTIME(member, kind, value, legal) OPTION(weir_runtime_options, member, kind, value, legal)

static const struct option_row runtime_rows[] = {
    RUNTIME(driver, OPTION_U32, WEIR_DRIVER_HOST + 1, 0),
    RUNTIME(driver, OPTION_U32, UINT32_MAX, 0),
    RUNTIME(seed, OPTION_U64, 0, 1),
    RUNTIME(seed, OPTION_U64, -1, 1),
    RUNTIME(max_in_flight, OPTION_I64, 0, 0),
    RUNTIME(max_in_flight, OPTION_I64, -1, 1),
    RUNTIME(max_in_flight, OPTION_I64, -2, 0),
    RUNTIME(max_in_flight, OPTION_I64, 1, 1),
    RUNTIME(max_in_flight, OPTION_I64, INT64_MAX, 1),
    RUNTIME(max_in_flight, OPTION_I64, INT64_MIN, 0),
    RUNTIME(close_grace_ms, OPTION_I64, 0, 1),
    RUNTIME(close_grace_ms, OPTION_I64, -1, 1),
    RUNTIME(close_grace_ms, OPTION_I64, -2, 0),
    RUNTIME(close_grace_ms, OPTION_I64, INT64_MAX, 1),
    RUNTIME(close_grace_ms, OPTION_I64, INT64_MIN, 0),
    RUNTIME(log_level, OPTION_I32, WEIR_LOG_OFF, 1),
    RUNTIME(log_level, OPTION_I32, WEIR_LOG_DEBUG, 1),
    RUNTIME(log_level, OPTION_I32, WEIR_LOG_DEBUG + 1, 0),
    RUNTIME(log_level, OPTION_I32, -1, 0),
    RUNTIME(log_level, OPTION_I32, INT32_MIN, 0),
    RUNTIME(reserved, OPTION_U32, 1, 0),
    RUNTIME(recorder_entries, OPTION_U32, 1, 1),
    RUNTIME(recorder_entries, OPTION_U32, 1000, 1),
    RUNTIME(recorder_entries, OPTION_U32, 1000001, 0),
    RUNTIME(recorder_entries, OPTION_U32, UINT32_MAX, 0),
    RUNTIME(metrics, OPTION_U32, 1, 1),
    RUNTIME(metrics, OPTION_U32, 2, 0),
};

static const struct option_table runtime_table = {
    "runtime",    sizeof(weir_runtime_options), fill_runtime, create_runtime, NULL, 0,
    runtime_rows, COUNT_OF(runtime_rows)};

static void C08_runtime_options_at_their_edges(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  check_option_values(fx, &runtime_table);
}

/* A shorter struct would lack the allocator, and a thread driver is what NULL means: fine too. */
static void C08_runtime_options_of_every_size(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  check_option_sizes(fx, &runtime_table);
}

static void C08_runtime_contradictory_options(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  weir_runtime_options options;
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  fill_runtime(fx, &options);
  options.loop = (struct uv_loop_s *)(uintptr_t)64; /* a loop, and the manual driver */
  assert_refused(weir_runtime_new(&options, &runtime, &error), WEIR_EINVAL, &error, "loop");
  fill_runtime(fx, &options);
  options.driver = WEIR_DRIVER_UV; /* no loop */
  assert_refused(weir_runtime_new(&options, &runtime, &error), WEIR_EINVAL, &error, "loop");
  fill_runtime(fx, &options);
  options.driver = WEIR_DRIVER_THREAD;
  options.wakeup = count_free;
  assert_refused(weir_runtime_new(&options, &runtime, &error), WEIR_EINVAL, &error, "wakeup");
  fill_runtime(fx, &options);
  assert_refused(weir_runtime_new(&options, NULL, &error), WEIR_EINVAL, &error, "out");
  assert_null(runtime);
}

static void C08_runtime_allocator_is_checked(struct fixture *fx) {
  memory_ignore_releases(&fx->memory);
  weir_runtime_options options;
  weir_runtime *runtime = NULL;
  for (int broken = 0; broken < 3; broken++) {
    weir_error *error = NULL;
    weir_allocator allocator = memory_allocator(&fx->memory);
    fill_runtime(fx, &options);
    options.allocator = &allocator;
    if (broken == 0) allocator.size = 0;
    if (broken == 1) allocator.alloc = NULL;
    if (broken == 2) allocator.free = NULL;
    weir_status status = weir_runtime_new(&options, &runtime, &error);
    assert_refused(status, broken == 0 ? weir_error_status(error) : WEIR_EINVAL, &error,
                   "allocator");
    assert_true(status == WEIR_EINVAL || status == WEIR_EABI);
    assert_null(runtime);
  }
}

/* ---- run
 * ------------------------------------------------------------------------------------------- */

static void fill_run(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_run_options *)options = (weir_run_options)WEIR_RUN_OPTIONS_INIT;
}

static weir_status create_run(struct fixture *fx, const void *options, weir_error **error) {
  struct script *script = fx->user;
  struct run *run = try_begin(fx, script->operation, options, error);
  run_until_idle(fx);
  return run->status;
}

#define RUN(member, kind, value, legal) OPTION(weir_run_options, member, kind, value, legal)

static const struct option_row run_rows[] = {
    RUN(permits, OPTION_U32, 0, 0),
    RUN(permits, OPTION_U32, 1, 1),
    RUN(permits, OPTION_U32, INT32_MAX, 1),
    RUN(deadline_ms, OPTION_I64, 0, 1),
    RUN(deadline_ms, OPTION_I64, -1, 1),
    RUN(deadline_ms, OPTION_I64, -2, 0),
    RUN(deadline_ms, OPTION_I64, INT64_MIN, 0),
    RUN(deadline_ms, OPTION_I64, INT64_MAX, 1),
    RUN(key_size, OPTION_U64, 1, 0), /* without a key */
    RUN(key_size, OPTION_U64, -1, 0),
    RUN(user, OPTION_U64, -1, 1),
    RUN(priority, OPTION_U32, 0, 1),
    RUN(priority, OPTION_U32, 63, 1),
    RUN(priority, OPTION_U32, 64, 0),
    RUN(priority, OPTION_U32, UINT32_MAX, 0),
    RUN(reserved, OPTION_U32, 1, 0),
};

static const struct option_table run_table = {
    "run", sizeof(weir_run_options), fill_run, create_run, NULL, 0, run_rows, COUNT_OF(run_rows)};

static void C08_run_options_at_their_edges(struct fixture *fx) {
  fx->user = scripted(fx, "n");
  check_option_values(fx, &run_table);
}

static void C08_run_options_of_every_size(struct fixture *fx) {
  fx->user = scripted(fx, "n");
  check_option_sizes(fx, &run_table);
}

static void C08_run_key_of_a_gibibyte_is_the_longest(struct fixture *fx) {
  /* given no memory to copy a key into, so that its bytes need not be there */
  struct script *script = scripted(fx, "n");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = "";
  memory_fail(&fx->memory, 1, 1);
  options.key_size = UINT64_C(1) << 30;
  assert_int_equal(try_begin(fx, script->operation, &options, NULL)->status, WEIR_ENOMEM);
  options.key_size++;
  assert_int_equal(try_begin(fx, script->operation, &options, NULL)->status, WEIR_EINVAL);
  memory_fail(&fx->memory, 0, 0);
}

static void C08_run_arguments_are_checked_and_data_freed(struct fixture *fx) {
  unsigned freed = 0;
  weir_error *error = NULL;
  weir_call *call = NULL;
  assert_refused(weir_run(NULL, NULL, NULL, &freed, count_free, &call, &error), WEIR_EINVAL, &error,
                 "operation");
  assert_int_equal(freed, 1);
  assert_null(call);
  assert_int_equal(weir_call_wait(NULL, 0), WEIR_EINVAL);
  assert_null(weir_call_outcome(NULL));
  assert_null(weir_call_ref(NULL));
  weir_call_unref(NULL);
  struct script *script = scripted(fx, "n");
  struct run *run = begin(fx, script->operation, NULL);
  assert_int_equal(weir_call_wait(run->call, -2), WEIR_EINVAL);
  run_until_idle(fx);
}

static void C08_run_wait_arguments_are_checked(struct fixture *fx) {
  weir_error *error = NULL;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  struct script *script = scripted(fx, "n");
  run_until_idle(fx);
  assert_refused(weir_run_wait(NULL, NULL, 0, &outcome, &error), WEIR_EINVAL, &error, "operation");
  assert_refused(weir_run_wait(script->operation, NULL, 0, NULL, &error), WEIR_EINVAL, &error,
                 "outcome");
  assert_refused(weir_run_wait(script->operation, NULL, -2, &outcome, &error), WEIR_EINVAL, &error,
                 "timeout_ms");
  outcome.size = 0;
  assert_refused(weir_run_wait(script->operation, NULL, 0, &outcome, &error), WEIR_EABI, &error,
                 "outcome");
  outcome.size = sizeof outcome;
  assert_refused(weir_run_wait(script->operation, NULL, 0, &outcome, &error), WEIR_ETHREAD, &error,
                 "thread"); /* this thread processes it */
  assert_int_equal(script->started, 0);
}

static void C08_things_of_another_runtime_are_refused(struct fixture *fx) {
  weir_runtime *other = NULL;
  weir_breaker *breaker = NULL;
  weir_completions *queue = NULL;
  weir_operation *wrapped = NULL;
  weir_error *error = NULL;
  struct script *script = scripted(fx, "n");
  assert_int_equal(weir_testing_runtime_new(2, &other), WEIR_OK);
  assert_int_equal(weir_breaker_new(other, NULL, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(other, NULL, &queue, NULL), WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_breaker_policy(breaker);
  struct run *run = try_begin(fx, script->operation, &options, &error);
  assert_refused(run->status, WEIR_EINVAL, &error, "policy");
  options.policy = NULL;
  options.queue = queue;
  assert_refused(weir_run(script->operation, &options, NULL, NULL, NULL, NULL, &error), WEIR_EINVAL,
                 &error, "queue");
  assert_refused(
      weir_policy_wrap(weir_breaker_policy(breaker), script->operation, &wrapped, &error),
      WEIR_EINVAL, &error, "runtime");
  assert_null(wrapped);
  weir_completions_unref(queue);
  weir_breaker_unref(breaker);
  weir_runtime_unref(other);
}

/* ---- operation, policy, completions
 * ------------------------------------------------------------------ */

static void no_start(void *data, weir_attempt *attempt) {
  (void)data;
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static weir_status no_block(void *data, const weir_attempt *attempt, weir_value **value,
                            weir_error **error) {
  (void)data, (void)attempt, (void)value, (void)error;
  return WEIR_OK;
}

static void C08_operation_arguments_are_checked_and_data_freed(struct fixture *fx) {
  unsigned freed = 0;
  weir_error *error = NULL;
  weir_operation *out = NULL;
  assert_refused(weir_operation_new(NULL, no_start, &freed, count_free, &out, &error), WEIR_EINVAL,
                 &error, "runtime");
  assert_refused(weir_operation_new(fx->runtime, NULL, &freed, count_free, &out, &error),
                 WEIR_EINVAL, &error, "start");
  assert_refused(weir_operation_new(fx->runtime, no_start, &freed, count_free, NULL, &error),
                 WEIR_EINVAL, &error, "out");
  assert_int_equal(freed, 3);
  assert_refused(weir_operation_new_blocking(NULL, no_block, &freed, count_free, &out, &error),
                 WEIR_EINVAL, &error, "runtime");
  assert_refused(weir_operation_new_blocking(fx->runtime, NULL, &freed, count_free, &out, &error),
                 WEIR_EINVAL, &error, "function");
  assert_refused(
      weir_operation_new_blocking(fx->runtime, no_block, &freed, count_free, NULL, &error),
      WEIR_EINVAL, &error, "out");
  assert_refused(
      weir_operation_new_blocking(fx->runtime, no_block, &freed, count_free, &out, &error),
      WEIR_ENOTSUP, &error, "manual");
  assert_int_equal(freed, 7);
  assert_refused(weir_operation_new_queued(NULL, 0, &out, &error), WEIR_EINVAL, &error, "queue");
  assert_null(out);
  assert_null(weir_operation_ref(NULL));
  weir_operation_unref(NULL);
}

static void C08_policy_arguments_are_checked(struct fixture *fx) {
  weir_error *error = NULL;
  weir_operation *out = NULL;
  weir_breaker *breaker = NULL;
  struct script *script = scripted(fx, "n");
  assert_int_equal(weir_breaker_new(fx->runtime, NULL, &breaker, NULL), WEIR_OK);
  weir_policy *policy = weir_breaker_policy(breaker);
  assert_refused(weir_policy_wrap(NULL, script->operation, &out, &error), WEIR_EINVAL, &error,
                 "policy");
  assert_refused(weir_policy_wrap(policy, NULL, &out, &error), WEIR_EINVAL, &error, "operation");
  assert_refused(weir_policy_wrap(policy, script->operation, NULL, &error), WEIR_EINVAL, &error,
                 "out");
  assert_int_equal(weir_policy_kind(NULL), WEIR_POLICY_NONE);
  assert_string_equal(weir_policy_name(NULL), "");
  assert_int_equal(weir_policy_kind(policy), WEIR_POLICY_BREAKER);
  assert_string_equal(weir_policy_name(policy), "");
  assert_null(weir_policy_ref(NULL));
  weir_policy_unref(NULL);
  weir_breaker_unref(breaker);
}

static void fill_completions(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_completions_options *)options = (weir_completions_options)WEIR_COMPLETIONS_OPTIONS_INIT;
}

static weir_status create_completions(struct fixture *fx, const void *options, weir_error **error) {
  weir_completions *queue = NULL;
  weir_status status = weir_completions_new(fx->runtime, options, &queue, error);
  weir_completions_unref(queue);
  return status;
}

#define COMPLETIONS(member, kind, value, legal) \
  OPTION(weir_completions_options, member, kind, value, legal)

static const struct option_row completions_rows[] = {
    COMPLETIONS(with_fd, OPTION_U32, 0, 1),
    COMPLETIONS(with_fd, OPTION_U32, 1, 1),
    COMPLETIONS(with_fd, OPTION_U32, 2, 0),
    COMPLETIONS(with_fd, OPTION_U32, UINT32_MAX, 0),
};

static const struct option_table completions_table = {"completions",
                                                      sizeof(weir_completions_options),
                                                      fill_completions,
                                                      create_completions,
                                                      NULL,
                                                      0,
                                                      completions_rows,
                                                      COUNT_OF(completions_rows)};

static void C08_completions_options_and_arguments(struct fixture *fx) {
  weir_completions *queue = NULL;
  weir_error *error = NULL;
  check_option_values(fx, &completions_table);
  check_option_sizes(fx, &completions_table);
  assert_refused(weir_completions_new(NULL, NULL, &queue, &error), WEIR_EINVAL, &error, "runtime");
  assert_refused(weir_completions_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL, &error, "out");
  assert_null(queue);
  assert_null(weir_completions_ref(NULL));
  weir_completions_unref(NULL);
}

/* ---- the rest
 * ---------------------------------------------------------------------------------------- */

static void C08_runtime_functions_take_null(struct fixture *fx) {
  size_t count = 0;
  weir_audit_entry entry;
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_close(NULL), WEIR_EINVAL);
  assert_int_equal(weir_runtime_state(NULL), WEIR_EINVAL);
  assert_int_equal(weir_runtime_hold(NULL), WEIR_EINVAL);
  assert_int_equal(weir_runtime_release(NULL), WEIR_EINVAL);
  assert_int_equal(weir_runtime_now(NULL), 0);
  assert_int_equal(weir_runtime_process(NULL, 0), 0);
  assert_int_equal(weir_runtime_trim(NULL), WEIR_EINVAL);
  assert_int_equal(weir_runtime_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_int_equal(weir_runtime_get_stats(fx->runtime, NULL), WEIR_EINVAL);
  assert_int_equal(weir_runtime_audit(NULL, &entry, sizeof entry, 1, &count), WEIR_EINVAL);
  assert_int_equal(weir_runtime_audit(fx->runtime, NULL, sizeof entry, 1, &count), WEIR_EINVAL);
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, 0, 1, &count), WEIR_EABI);
  assert_int_equal(weir_testing_run_until_idle(NULL), 0);
  assert_int_equal(weir_testing_advance(NULL, 1), 0);
  assert_int_equal(weir_testing_advance_ns(NULL, 1), 0);
  assert_int_equal(weir_testing_advance_to_next(NULL), 0);
  assert_null(weir_runtime_ref(NULL));
  weir_runtime_unref(NULL);
}

/* Beyond sixteen times what there is now, a size is garbage rather than a later version's. */
static void C08_stats_of_every_size(struct fixture *fx) {
  enum { MOST = 16 * sizeof(weir_runtime_stats) };
  struct {
    weir_runtime_stats stats;
    unsigned char beyond[MOST];
  } wide;
  for (uint32_t size = 0; size <= MOST + 4; size += 4) {
    memset(&wide, 0x55, sizeof wide);
    wide.stats.size = size;
    int legal = size >= 8 && size <= MOST;
    weir_status status = weir_runtime_get_stats(fx->runtime, &wide.stats);
    assert_int_equal(status, legal ? WEIR_OK : WEIR_EABI);
    const unsigned char *bytes = (const unsigned char *)&wide;
    for (size_t i = legal ? size : 4; i < sizeof wide; i++) assert_int_equal(bytes[i], 0x55);
  }
}

static void C08_work_after_close_is_refused(struct fixture *fx) {
  weir_operation *operation = NULL;
  weir_completions *queue = NULL;
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  weir_status status = weir_operation_new(fx->runtime, no_start, NULL, NULL, &operation, NULL);
  if (status == WEIR_OK) { /* making is harmless; running is not */
    assert_int_equal(try_begin(fx, operation, NULL, NULL)->status, WEIR_ECLOSED);
    weir_operation_unref(operation);
  }
  if (weir_completions_new(fx->runtime, NULL, &queue, NULL) == WEIR_OK) {
    weir_completions_unref(queue);
  }
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
}

OPTION_INIT(runtime_options)
OPTION_INIT(run_options)
OPTION_INIT(completions_options)
OPTION_INIT(completion)

static void C08_core_options_init_writes_the_defaults_for_every_size(struct fixture *fx) {
  (void)fx;
  static const weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  static const weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  static const weir_completions_options completions_options = WEIR_COMPLETIONS_OPTIONS_INIT;
  static const weir_completion completion = WEIR_COMPLETION_INIT;
  check_option_init(init_runtime_options, &runtime_options, sizeof runtime_options);
  check_option_init(init_run_options, &run_options, sizeof run_options);
  check_option_init(init_completions_options, &completions_options, sizeof completions_options);
  check_option_init(init_completion, &completion, sizeof completion);
}

TEST_MAIN("misuse_core", TEST(C08_runtime_options_at_their_edges),
          TEST(C08_runtime_options_of_every_size), TEST(C08_runtime_contradictory_options),
          TEST(C08_runtime_allocator_is_checked), TEST(C08_run_options_at_their_edges),
          TEST(C08_run_options_of_every_size), TEST(C08_run_key_of_a_gibibyte_is_the_longest),
          TEST(C08_run_arguments_are_checked_and_data_freed),
          TEST(C08_run_wait_arguments_are_checked), TEST(C08_things_of_another_runtime_are_refused),
          TEST(C08_operation_arguments_are_checked_and_data_freed),
          TEST(C08_policy_arguments_are_checked), TEST(C08_completions_options_and_arguments),
          TEST(C08_runtime_functions_take_null), TEST(C08_stats_of_every_size),
          TEST(C08_work_after_close_is_refused),
          TEST(C08_core_options_init_writes_the_defaults_for_every_size))
