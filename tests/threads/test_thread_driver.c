/* SPDX-License-Identifier: MIT */
/* The thread driver: run_wait, waiting for calls, blocking operations, closing and starting again,
 * and two runtimes side by side (C11). What is asserted holds whatever the machine's speed. */

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#include "../unit/support.h"

static weir_runtime *thread_runtime(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_runtime *runtime = NULL;
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  return runtime;
}

static void close_and_unref(weir_runtime *runtime) {
  assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(runtime);
}

struct where {
  pthread_t thread;
  char name[16];
  sigset_t blocked;
  weir_status inside;
  weir_operation *operation;
  int never;
};

static void start_here(void *data, weir_attempt *attempt) {
  struct where *where = data;
  where->thread = pthread_self();
  prctl(PR_GET_NAME, where->name);
  pthread_sigmask(SIG_BLOCK, NULL, &where->blocked);
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  where->inside = weir_run_wait(where->operation, NULL, 0, &outcome, NULL);
  if (!where->never) weir_complete_bytes(attempt->runtime, attempt->token, "result", 7);
}

static weir_operation *operation_of(weir_runtime *runtime, weir_start_fn start, void *data) {
  weir_operation *operation = NULL;
  assert_int_equal(weir_operation_new(runtime, start, data, NULL, &operation, NULL), WEIR_OK);
  return operation;
}

static void run_wait_runs_on_the_thread_named_weir_with_signals_blocked(struct fixture *fx) {
  struct where where = {0};
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_runtime *runtime = thread_runtime(fx);
  where.operation = operation_of(runtime, start_here, &where);
  assert_int_equal(weir_run_wait(where.operation, NULL, WEIR_FOREVER, &outcome, NULL), WEIR_OK);
  assert_int_equal(outcome.status, WEIR_OK);
  assert_string_equal(weir_value_data(outcome.value), "result");
  assert_false(pthread_equal(where.thread, pthread_self()));
  assert_string_equal(where.name, "weir");
  assert_int_equal(sigismember(&where.blocked, SIGINT), 1);
  assert_int_equal(sigismember(&where.blocked, SIGALRM), 1);
  assert_int_equal(where.inside, WEIR_ETHREAD);
  weir_outcome_release(&outcome);
  assert_null(outcome.value);
  weir_outcome_release(&outcome);
  weir_operation_unref(where.operation);
  close_and_unref(runtime);
}

struct kept {
  _Atomic uint64_t token;
};

static void start_keeping(void *data, weir_attempt *attempt) {
  atomic_store(&((struct kept *)data)->token, attempt->token);
}

static void run_wait_gives_up_and_cancels(struct fixture *fx) {
  struct kept kept = {0};
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *operation = operation_of(runtime, start_keeping, &kept);
  assert_int_equal(weir_run_wait(operation, NULL, 1, &outcome, NULL), WEIR_ETIMEDOUT);
  assert_null(outcome.value);
  weir_operation_unref(operation);
  assert_int_equal(weir_runtime_close(runtime), WEIR_OK);
  while (weir_runtime_close_wait(runtime, 1) == WEIR_ETIMEDOUT) {
    uint64_t token = atomic_load(&kept.token);
    if (token != 0) weir_complete(runtime, token, NULL);
  }
  weir_runtime_unref(runtime);
}

static void call_wait_gives_up_and_the_run_goes_on(struct fixture *fx) {
  struct kept kept = {0};
  weir_call *call = NULL;
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *operation = operation_of(runtime, start_keeping, &kept);
  assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  assert_int_equal(weir_call_wait(call, 0), WEIR_ETIMEDOUT);
  assert_int_equal(weir_call_wait(call, 1), WEIR_ETIMEDOUT);
  assert_null(weir_call_outcome(call));
  while (atomic_load(&kept.token) == 0) sched_yield();
  assert_int_equal(weir_complete(runtime, atomic_load(&kept.token), NULL), WEIR_OK);
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(weir_call_outcome(call)->status, WEIR_OK);
  assert_int_equal(weir_call_wait(call, 0), WEIR_OK);
  weir_call_unref(call);
  weir_operation_unref(operation);
  close_and_unref(runtime);
}

struct waiting {
  weir_call *call;
  weir_status status;
};

static void *wait_for_ever(void *data) {
  struct waiting *waiting = data;
  waiting->status = weir_call_wait(waiting->call, WEIR_FOREVER);
  return NULL;
}

static void start_and_complete(void *data, weir_attempt *attempt) {
  (void)data;
  weir_complete(attempt->runtime, attempt->token, NULL);
}

/* The ends of others wake it, too. */
static void a_wait_for_ever_goes_on_while_other_calls_settle(struct fixture *fx) {
  struct kept kept = {0};
  struct waiting waiting = {0};
  pthread_t thread;
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *operation = operation_of(runtime, start_keeping, &kept);
  weir_operation *other = operation_of(runtime, start_and_complete, NULL);
  assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, &waiting.call, NULL), WEIR_OK);
  assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &waiting), 0);
  int refused = 0;
  for (int i = 0; i < 100; i++) {
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    refused += weir_run_wait(other, NULL, WEIR_FOREVER, &outcome, NULL) != WEIR_OK;
    weir_outcome_release(&outcome);
  }
  while (atomic_load(&kept.token) == 0) sched_yield();
  weir_complete(runtime, atomic_load(&kept.token), NULL);
  pthread_join(thread, NULL);
  assert_int_equal(refused, 0);
  assert_int_equal(waiting.status, WEIR_OK);
  weir_call_unref(waiting.call);
  weir_operation_unref(operation);
  weir_operation_unref(other);
  close_and_unref(runtime);
}

/* ---- blocking -------------------------------------------------------------------------------- */

struct blocking {
  _Atomic int running;
  _Atomic int go;
  _Atomic int freed;
  int fails;
};

static weir_status block(void *data, const weir_attempt *attempt, weir_value **value,
                         weir_error **error) {
  struct blocking *blocking = data;
  atomic_fetch_add(&blocking->running, 1);
  while (!atomic_load(&blocking->go)) sched_yield();
  if (blocking->fails == 1) {
    return weir_error_new(attempt->runtime, WEIR_DOMAIN_ERRNO, 5, "read failed", error) == WEIR_OK
               ? WEIR_EFAILED
               : WEIR_ENOMEM;
  }
  if (blocking->fails == 2) return WEIR_ENOTFOUND; /* a status alone */
  return weir_value_new_bytes(attempt->runtime, "blocked", 8, value);
}

static void free_blocking(void *data) { atomic_fetch_add(&((struct blocking *)data)->freed, 1); }

static weir_operation *blocking_operation(weir_runtime *runtime, struct blocking *blocking) {
  weir_operation *operation = NULL;
  assert_int_equal(
      weir_operation_new_blocking(runtime, block, blocking, free_blocking, &operation, NULL),
      WEIR_OK);
  return operation;
}

static void blocking_operation_gives_values_errors_and_statuses(struct fixture *fx) {
  struct blocking blocking = {.go = 1};
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *operation = blocking_operation(runtime, &blocking);
  for (int fails = 0; fails < 3; fails++) {
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    blocking.fails = fails;
    assert_int_equal(weir_run_wait(operation, NULL, WEIR_FOREVER, &outcome, NULL), WEIR_OK);
    if (fails == 0) assert_string_equal(weir_value_data(outcome.value), "blocked");
    if (fails == 1) assert_string_equal(weir_error_message(outcome.error), "read failed");
    if (fails == 2) assert_int_equal(outcome.status, WEIR_ENOTFOUND);
    assert_int_equal(outcome.channel, fails == 0 ? WEIR_CHANNEL_VALUE : WEIR_CHANNEL_ERROR);
    weir_outcome_release(&outcome);
  }
  weir_operation_unref(operation);
  close_and_unref(runtime);
  assert_int_equal(atomic_load(&blocking.freed), 1);
}

static void blocking_operation_that_is_cancelled_has_its_result_freed(struct fixture *fx) {
  struct blocking blocking = {0};
  weir_call *call = NULL;
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *operation = blocking_operation(runtime, &blocking);
  assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  while (atomic_load(&blocking.running) == 0) sched_yield();
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(weir_call_outcome(call)->status, WEIR_ECANCELLED);
  atomic_store(&blocking.go, 1);
  weir_call_unref(call);
  weir_operation_unref(operation);
  close_and_unref(runtime);
  assert_int_equal(atomic_load(&blocking.freed), 1);
}

/* Reads its input and its key only after the run, its call and its maker have let go of them. */
static weir_status block_and_read(void *data, const weir_attempt *attempt, weir_value **value,
                                  weir_error **error) {
  struct blocking *blocking = data;
  (void)value, (void)error;
  atomic_store(&blocking->running, 1);
  while (!atomic_load(&blocking->go)) sched_yield();
  blocking->fails = strcmp(weir_value_data(attempt->input), "still here") != 0 ||
                    attempt->key_size != 4 || memcmp(attempt->key, "too", 4) != 0;
  return WEIR_OK;
}

static void blocking_function_keeps_its_input_and_key(struct fixture *fx) {
  struct blocking blocking = {.fails = 7};
  weir_call *call = NULL;
  weir_operation *operation = NULL;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_runtime *runtime = thread_runtime(fx);
  assert_int_equal(
      weir_operation_new_blocking(runtime, block_and_read, &blocking, NULL, &operation, NULL),
      WEIR_OK);
  assert_int_equal(weir_value_new_bytes(runtime, "still here", 11, &options.input), WEIR_OK);
  options.key = "too";
  options.key_size = 4;
  assert_int_equal(weir_run(operation, &options, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  weir_value_unref(options.input);
  while (atomic_load(&blocking.running) == 0) sched_yield();
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  weir_call_unref(call);
  weir_operation_unref(operation);
  atomic_store(&blocking.go, 1);
  close_and_unref(runtime);
  assert_int_equal(blocking.fails, 0);
}

static weir_status block_and_read_failed(void *data, const weir_attempt *attempt,
                                         weir_value **value, weir_error **error) {
  struct blocking *blocking = data;
  (void)value, (void)error;
  atomic_store(&blocking->running, 1);
  while (!atomic_load(&blocking->go)) sched_yield();
  const weir_outcome *failed = attempt->failed;
  blocking->fails = failed->status != WEIR_EFAILED || failed->channel != WEIR_CHANNEL_ERROR ||
                    strcmp(weir_error_message(failed->error), "no room left on the first one") != 0;
  return WEIR_OK;
}

static void fail_at_once(void *data, weir_attempt *attempt) {
  (void)data;
  weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 1, "no room left on the first one");
}

static void blocking_function_keeps_what_its_fallback_stands_in_for(struct fixture *fx) {
  struct blocking blocking = {.fails = 7};
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  weir_fallback *fallback = NULL;
  weir_call *call = NULL;
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *first = operation_of(runtime, fail_at_once, NULL);
  assert_int_equal(weir_operation_new_blocking(runtime, block_and_read_failed, &blocking, NULL,
                                               &options.operation, NULL),
                   WEIR_OK);
  assert_int_equal(weir_fallback_new(runtime, &options, &fallback, NULL), WEIR_OK);
  run_options.policy = weir_fallback_policy(fallback);
  assert_int_equal(weir_run(first, &run_options, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  while (atomic_load(&blocking.running) == 0) sched_yield();
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  assert_int_equal(weir_call_wait(call, WEIR_FOREVER), WEIR_OK);
  weir_call_unref(call);
  atomic_store(&blocking.go, 1);
  weir_fallback_unref(fallback);
  weir_operation_unref(options.operation);
  weir_operation_unref(first);
  close_and_unref(runtime);
  assert_int_equal(blocking.fails, 0);
}

static void many_blocking_operations_run_beside_each_other(struct fixture *fx) {
  enum { RUNS = 200 };
  struct blocking blocking = {.go = 1};
  weir_call *calls[RUNS];
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *operation = blocking_operation(runtime, &blocking);
  for (size_t i = 0; i < RUNS; i++) {
    assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, &calls[i], NULL), WEIR_OK);
  }
  for (size_t i = 0; i < RUNS; i++) {
    assert_int_equal(weir_call_wait(calls[i], WEIR_FOREVER), WEIR_OK);
    assert_int_equal(weir_call_outcome(calls[i])->status, WEIR_OK);
    weir_call_unref(calls[i]);
  }
  assert_int_equal(atomic_load(&blocking.running), RUNS);
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(runtime, &stats), WEIR_OK);
  assert_int_equal(stats.size, sizeof stats);
  assert_int_equal(stats.runs_accepted, RUNS);
  weir_operation_unref(operation);
  close_and_unref(runtime);
}

/* ---- closing --------------------------------------------------------------------------------- */

static void runtime_that_never_ran_closes(struct fixture *fx) {
  close_and_unref(thread_runtime(fx));
  weir_runtime_unref(thread_runtime(fx)); /* without close_wait: nothing ever ran */
}

static void close_wait_waits_for_orphans_no_longer_than_their_grace(struct fixture *fx) {
  struct kept kept = {0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_runtime *runtime = NULL;
  options.allocator = &allocator;
  options.close_grace_ms = 1;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  weir_operation *operation = operation_of(runtime, start_keeping, &kept);
  assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  while (atomic_load(&kept.token) == 0) sched_yield();
  assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(weir_runtime_close_wait(runtime, 0), WEIR_OK);
  weir_operation_unref(operation);
  weir_runtime_unref(runtime);
  assert_int_equal(weir_complete(runtime, atomic_load(&kept.token), NULL), WEIR_OK); /* C20 */
}

static void close_on_its_thread(void *data, weir_attempt *attempt) {
  *(weir_status *)data = weir_runtime_close_wait(attempt->runtime, 0);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void close_wait_on_the_runtimes_thread_is_refused(struct fixture *fx) {
  weir_status inside = WEIR_OK;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_runtime *runtime = thread_runtime(fx);
  weir_operation *operation = operation_of(runtime, close_on_its_thread, &inside);
  assert_int_equal(weir_run_wait(operation, NULL, WEIR_FOREVER, &outcome, NULL), WEIR_OK);
  assert_int_equal(inside, WEIR_ETHREAD);
  assert_int_equal(weir_runtime_state(runtime), WEIR_OK);
  weir_outcome_release(&outcome);
  weir_operation_unref(operation);
  close_and_unref(runtime);
}

static void what_belongs_to_the_manual_driver_does_nothing(struct fixture *fx) {
  weir_runtime *runtime = thread_runtime(fx);
  assert_int_equal(weir_runtime_process(runtime, 0), 0);
  assert_int_equal(weir_testing_advance(runtime, 1000), 0);
  assert_int_equal(weir_testing_run_until_idle(runtime), 0);
  assert_int_equal(weir_runtime_hold(runtime), WEIR_OK);
  assert_int_equal(weir_runtime_release(runtime), WEIR_OK);
  int64_t before = weir_runtime_now(runtime);
  assert_true(before > 0 && weir_runtime_now(runtime) >= before);
  assert_int_equal(weir_runtime_trim(runtime), WEIR_OK);
  close_and_unref(runtime);
}

static void C11_two_runtimes_do_not_meet(struct fixture *fx) {
  struct where first = {0};
  struct where second = {0};
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_runtime *runtimes[2] = {thread_runtime(fx), thread_runtime(fx)};
  first.operation = operation_of(runtimes[0], start_here, &first);
  second.operation = operation_of(runtimes[1], start_here, &second);
  for (size_t i = 0; i < 100; i++) {
    struct where *where = i % 2 == 0 ? &first : &second;
    assert_int_equal(weir_run_wait(where->operation, NULL, WEIR_FOREVER, &outcome, NULL), WEIR_OK);
    weir_outcome_release(&outcome);
  }
  assert_false(pthread_equal(first.thread, second.thread));
  weir_operation_unref(first.operation);
  close_and_unref(runtimes[0]);
  assert_int_equal(weir_run_wait(second.operation, NULL, WEIR_FOREVER, &outcome, NULL), WEIR_OK);
  weir_outcome_release(&outcome);
  weir_operation_unref(second.operation);
  close_and_unref(runtimes[1]);
}

TEST_MAIN("thread_driver", LONG_TEST(run_wait_runs_on_the_thread_named_weir_with_signals_blocked),
          LONG_TEST(run_wait_gives_up_and_cancels),
          LONG_TEST(call_wait_gives_up_and_the_run_goes_on),
          LONG_TEST(a_wait_for_ever_goes_on_while_other_calls_settle),
          LONG_TEST(blocking_operation_gives_values_errors_and_statuses),
          LONG_TEST(blocking_operation_that_is_cancelled_has_its_result_freed),
          LONG_TEST(blocking_function_keeps_its_input_and_key),
          LONG_TEST(blocking_function_keeps_what_its_fallback_stands_in_for),
          LONG_TEST(many_blocking_operations_run_beside_each_other),
          LONG_TEST(runtime_that_never_ran_closes),
          LONG_TEST(close_wait_waits_for_orphans_no_longer_than_their_grace),
          LONG_TEST(close_wait_on_the_runtimes_thread_is_refused),
          LONG_TEST(what_belongs_to_the_manual_driver_does_nothing),
          LONG_TEST(C11_two_runtimes_do_not_meet))
