/* SPDX-License-Identifier: MIT */
/* A runtime lives in the process that made it: in a forked child whatever needs the engine or a
 * lock says so, giving back touches nothing, and nothing hangs. The child reports by its exit
 * status. Forks while other threads hold locks are in threads/test_fork_storm.c. */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

/* Runs `body` in a child; what it returns (0: all well, else the number of what was wrong). */
static int in_child(int (*body)(void *data), void *data) {
  pid_t child = fork();
  if (child == 0) {
    signal(SIGALRM, SIG_DFL);
    alarm(20); /* a child that hangs is killed, which is -2 */
    _exit(body(data));
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

struct made {
  struct fixture *fx;
  weir_runtime *runtime;
  weir_operation *operation;
  weir_call *call;
};

static int use_in_child(void *data) {
  struct made *made = data;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_error *error = NULL;
  if (weir_run(made->operation, NULL, NULL, NULL, NULL, NULL, &error) != WEIR_EFORKED) return 1;
  if (strstr(weir_error_message(error), "parent") == NULL) return 2;
  if (weir_run_wait(made->operation, NULL, WEIR_FOREVER, &outcome, NULL) != WEIR_EFORKED) return 3;
  if (weir_call_wait(made->call, WEIR_FOREVER) != WEIR_EFORKED) return 4;
  return 0;
}

static int give_back_in_child(void *data) {
  struct made *made = data;
  uint64_t live = made->fx->memory.live_blocks;
  weir_runtime_unref(made->runtime);
  return made->fx->memory.live_blocks == live ? 0 : 1;
}

static void child_is_refused_and_the_parent_goes_on(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+10");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  struct made made = {fx, fx->runtime, script->operation, run->call};
  int result = in_child(use_in_child, &made);
  if (result != 4) assert_int_equal(result, 0); /* this thread is the runtime's: it may not wait */
  assert_int_equal(in_child(give_back_in_child, &made), 0);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 1);
}

static int turn_in_child(void *data) {
  weir_runtime *runtime = data;
  if (weir_testing_run_until_idle(runtime) != 0) return 1;
  if (weir_testing_advance(runtime, 1000) != 0) return 2;
  if (weir_testing_advance_to_next(runtime) != 0) return 3;
  return weir_runtime_process(runtime, INT64_MAX) == 0 ? 0 : 4;
}

static void work_that_was_due_in_the_parent_is_not_done_in_the_child(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+10");
  struct run *run = begin(fx, script->operation, NULL); /* in the ready queue */
  assert_int_equal(in_child(turn_in_child, fx->runtime), 0);
  run_until_idle(fx); /* a timer */
  assert_int_equal(in_child(turn_in_child, fx->runtime), 0);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 1);
}

static weir_status nothing(void *data, const weir_attempt *attempt, weir_value **value,
                           weir_error **error) {
  (void)data, (void)attempt, (void)value, (void)error;
  return WEIR_OK;
}

static void child_of_a_thread_driver_neither_hangs_nor_frees(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  struct made made = {fx, NULL, NULL, NULL};
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &made.runtime, NULL), WEIR_OK);
  assert_int_equal(
      weir_operation_new_blocking(made.runtime, nothing, NULL, NULL, &made.operation, NULL),
      WEIR_OK);
  assert_int_equal(weir_run(made.operation, NULL, NULL, NULL, NULL, &made.call, NULL), WEIR_OK);
  assert_int_equal(weir_call_wait(made.call, WEIR_FOREVER), WEIR_OK);
  int used = in_child(use_in_child, &made);
  if (used != 4) assert_int_equal(used, 0); /* a settled call may be waited for */
  assert_int_equal(in_child(give_back_in_child, &made), 0);
  weir_call_unref(made.call);
  weir_operation_unref(made.operation);
  assert_int_equal(weir_runtime_close_wait(made.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(made.runtime);
}

/* ---- everything else ------------------------------------------------------------------------- */

struct all {
  struct fixture *fx;
  struct script *script;
  weir_call *call;
  weir_completions *queue;
  weir_breaker *breaker;
  weir_breaker *isolated;
  weir_limiter *limiter;
  weir_limiter *keyed;
  weir_debounce *debounce;
  weir_throttle *throttle;
  weir_flight *flight;
  weir_cache *cache; /* has "a", and asks at each read */
  unsigned asked;
  weir_permit permit;
  weir_permit key_permit;
  weir_value *value;
};

/* Returns the line of the first call that does not give `expected`. */
#define CHILD_EXPECTS(expected, expression)                    \
  do {                                                         \
    if ((expression) != (expected)) return __LINE__ % 200 + 1; \
  } while (0)

static int engine_in_child(void *data) {
  struct all *all = data;
  weir_runtime *runtime = all->fx->runtime;
  weir_token token = all->script->attempts[0].token;
  weir_record record;
  weir_scope *scope = NULL;
  weir_completions *queue = NULL;
  size_t count = 0;
  weir_attempt attempt = {.size = sizeof attempt};
  CHILD_EXPECTS(WEIR_EFORKED, weir_call_cancel(all->call));
  CHILD_EXPECTS(WEIR_EFORKED, weir_call_wait(all->call, WEIR_FOREVER));
  CHILD_EXPECTS(WEIR_EFORKED, weir_complete(runtime, token, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_complete(runtime, token, weir_value_ref(all->value)));
  CHILD_EXPECTS(WEIR_EFORKED, weir_complete_bytes(runtime, token, "x", 1));
  CHILD_EXPECTS(WEIR_EFORKED, weir_complete_pointer(runtime, token, all, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_fail(runtime, token, WEIR_DOMAIN_USER, 1, "no"));
  CHILD_EXPECTS(WEIR_EFORKED, weir_complete_with(runtime, token, NULL, NULL, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_attempt_get(runtime, token, &attempt, NULL));
  CHILD_EXPECTS(0, weir_completions_drain(all->queue, &record, sizeof record, 1));
  CHILD_EXPECTS(WEIR_EFORKED,
                weir_completions_wait(all->queue, &record, sizeof record, 1, WEIR_FOREVER, &count));
  CHILD_EXPECTS(WEIR_EFORKED, weir_completions_new(runtime, NULL, &queue, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_scope_new(runtime, NULL, &scope, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_runtime_close(runtime));
  CHILD_EXPECTS(WEIR_EFORKED, weir_runtime_trim(runtime));
  CHILD_EXPECTS(WEIR_EFORKED,
                weir_runtime_audit(runtime, NULL, sizeof(weir_audit_entry), 0, &count));
  CHILD_EXPECTS(0, weir_runtime_process(runtime, INT64_MAX));
  CHILD_EXPECTS(INT64_MAX, weir_runtime_next_deadline(runtime));
  CHILD_EXPECTS(0, weir_testing_advance(runtime, 1000));
  CHILD_EXPECTS(0, weir_testing_run_until_idle(runtime));
  return all->script->cancelled == 0 ? 0 : 201;
}

static int recorder_in_child(void *data) {
  struct all *all = data;
  weir_runtime *runtime = all->fx->runtime;
  weir_recorded entry;
  uint64_t cursor = 0;
  size_t count = 0;
  char text[64];
  weir_log(runtime, WEIR_LOG_INFO, "child", "reaches no recorder");
  CHILD_EXPECTS(WEIR_EFORKED,
                weir_recorder_read(runtime, &cursor, &entry, sizeof entry, 1, &count));
  CHILD_EXPECTS(WEIR_EFORKED, weir_recorder_notify(runtime, all->queue, 0));
  CHILD_EXPECTS(WEIR_EFORKED, weir_recorder_dump(runtime, text, sizeof text, NULL));
  return 0;
}

static int policies_in_child(void *data) {
  struct all *all = data;
  weir_breaker_stats breaker_stats = {.size = sizeof breaker_stats};
  weir_limiter_stats limiter_stats = {.size = sizeof limiter_stats};
  weir_limiter_options limits = WEIR_LIMITER_OPTIONS_INIT;
  weir_breaker_options breaking = WEIR_BREAKER_OPTIONS_INIT;
  unsigned char bytes[WEIR_BREAKER_SNAPSHOT_SIZE];
  size_t size = sizeof bytes;
  size_t granted = 0;
  int64_t number = 0;
  weir_permit permit = 0;
  weir_rejection rejection = {.size = sizeof rejection};
  CHILD_EXPECTS(WEIR_OK, weir_breaker_acquire(all->breaker, &permit, NULL)); /* needs no lock */
  CHILD_EXPECTS(WEIR_EFORKED,
                weir_breaker_report(all->breaker, all->permit, WEIR_CLASS_FAILURE, 0));
  CHILD_EXPECTS(WEIR_BREAKER_CLOSED, weir_breaker_state(all->breaker));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_acquire(all->isolated, &permit, &rejection));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_acquire_at(all->isolated, &permit, NULL, INT64_MAX));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_get_stats(all->breaker, &breaker_stats));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_isolate(all->breaker));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_release(all->breaker));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_force(all->breaker, WEIR_BREAKER_CLOSED));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_reset(all->breaker));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_set_options(all->breaker, &breaking, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_breaker_snapshot(all->breaker, bytes, &size));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_try_acquire(all->limiter, 1, &permit, &rejection));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_acquire_n(all->limiter, 1, &granted, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_reserve(all->limiter, 1, &number, &permit));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_cancel_reservation(all->limiter, 1, 1));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_refund(all->limiter, 1));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_drain(all->limiter, &number));
  CHILD_EXPECTS(0, weir_limiter_available(all->limiter));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_get_stats(all->limiter, &limiter_stats));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_pause(all->limiter));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_resume(all->limiter));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_add_limit(all->limiter, WEIR_LIMITER_SLIDING_WINDOW, 1,
                                                     1, WEIR_OFF, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_set_options(all->limiter, &limits, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_try_acquire_key(all->keyed, "a", 1, 1, &permit, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_limiter_release_key(all->keyed, "a", 1, all->key_permit));
  CHILD_EXPECTS(WEIR_EFORKED,
                weir_limiter_release_with(all->keyed, all->key_permit, WEIR_CLASS_SUCCESS, 1));
  return 0;
}

static int pacers_in_child(void *data) {
  struct all *all = data;
  CHILD_EXPECTS(WEIR_EFORKED,
                weir_debounce_call(all->debounce, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_debounce_touch(all->debounce, NULL, 0, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_debounce_touch_at(all->debounce, NULL, 0, NULL, INT64_MAX));
  CHILD_EXPECTS(WEIR_EFORKED, weir_debounce_flush(all->debounce, NULL, 0));
  CHILD_EXPECTS(WEIR_EFORKED, weir_debounce_cancel(all->debounce, "a", 1));
  CHILD_EXPECTS(WEIR_EFORKED, weir_throttle_touch(all->throttle, NULL, 0, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_throttle_flush(all->throttle, "a", 1));
  CHILD_EXPECTS(WEIR_EFORKED, weir_throttle_cancel(all->throttle, NULL, 0));
  CHILD_EXPECTS(WEIR_EFORKED, weir_flight_run(all->flight, "a", 1, all->script->operation, NULL,
                                              NULL, NULL, NULL, NULL, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_flight_forget(all->flight, "a", 1));
  return 0;
}

static int cache_in_child(void *data) {
  struct all *all = data;
  weir_cache_stats stats = {.size = sizeof stats};
  weir_cache_entry entry;
  weir_value *value = NULL;
  uint64_t cursor = 0;
  size_t count = 0;
  int64_t number = 0;
  CHILD_EXPECTS(WEIR_OK, weir_cache_lookup(all->cache, "a", 1, &value)); /* waits for no lock */
  CHILD_EXPECTS(7, value_number(value));
  weir_value_unref(value);
  CHILD_EXPECTS(WEIR_OK,
                weir_cache_lookup_copy(all->cache, "a", 1, &number, sizeof number, &count));
  CHILD_EXPECTS(WEIR_ENOTFOUND, weir_cache_lookup(all->cache, "b", 1, &value));
  CHILD_EXPECTS(WEIR_EFORKED, weir_cache_put(all->cache, "b", 1, NULL));
  CHILD_EXPECTS(WEIR_EFORKED, weir_cache_touch(all->cache, "a", 1, 1));
  CHILD_EXPECTS(WEIR_EFORKED, weir_cache_invalidate(all->cache, "a", 1));
  CHILD_EXPECTS(WEIR_EFORKED, weir_cache_clear(all->cache));
  CHILD_EXPECTS(WEIR_EFORKED,
                weir_cache_scan(all->cache, &cursor, &entry, sizeof entry, 1, &count));
  CHILD_EXPECTS(WEIR_EFORKED, weir_cache_get_stats(all->cache, &stats));
  CHILD_EXPECTS(WEIR_EFORKED, weir_cache_get(all->cache, "a", 1, all->script->operation, NULL, NULL,
                                             NULL, NULL, NULL));
  return all->asked == 0 ? 0 : 202; /* its answer could not be carried out */
}

static int all_given_back_in_child(void *data) {
  struct all *all = data;
  uint64_t live = all->fx->memory.live_blocks;
  weir_value *value = NULL;
  if (weir_value_new_host(all->queue, 7, &value) != WEIR_OK) return 1;
  weir_value_unref(value); /* posts no record, since nobody is left to drain it */
  weir_call_unref(all->call);
  weir_completions_unref(all->queue);
  weir_breaker_unref(all->breaker);
  weir_breaker_unref(all->isolated);
  weir_limiter_unref(all->limiter);
  weir_limiter_unref(all->keyed);
  weir_debounce_unref(all->debounce);
  weir_throttle_unref(all->throttle);
  weir_cache_unref(all->cache);
  weir_flight_unref(all->flight);
  weir_runtime_unref(all->fx->runtime);
  return all->fx->memory.live_blocks == live ? 0 : 2;
}

static int64_t extend_at_read(void *data, const weir_expiry *expiry) {
  if (expiry->moment == WEIR_EXPIRE_READ) ++*(unsigned *)data;
  return 60000;
}

static void make_cache(struct all *all) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.expire = extend_at_read;
  options.expire_data = &all->asked;
  assert_int_equal(weir_cache_new(all->fx->runtime, &options, &all->cache, NULL), WEIR_OK);
  assert_int_equal(weir_cache_put(all->cache, "a", 1, all->value), WEIR_OK);
}

static void make_limiters(struct all *all) {
  weir_runtime *runtime = all->fx->runtime;
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.algorithm = WEIR_LIMITER_SLIDING_WINDOW;
  options.permits = 5;
  options.interval_ms = 1000;
  assert_int_equal(weir_limiter_new(runtime, &options, &all->limiter, NULL), WEIR_OK);
  options.max_concurrent = 3;
  options.max_keys = 100;
  assert_int_equal(weir_limiter_new(runtime, &options, &all->keyed, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire_key(all->keyed, "a", 1, 1, &all->key_permit, NULL),
                   WEIR_OK);
}

static void make_all(struct fixture *fx, struct all *all) {
  weir_runtime *runtime = fx->runtime;
  weir_debounce_options debounce = WEIR_DEBOUNCE_OPTIONS_INIT;
  weir_throttle_options throttle = WEIR_THROTTLE_OPTIONS_INIT;
  debounce.wait_ms = 10;
  throttle.interval_ms = 10;
  all->fx = fx;
  all->script = scripted(fx, "yield");
  all->value = number_value(fx, 7);
  weir_operation *operation = all->script->operation;
  assert_int_equal(weir_completions_new(runtime, NULL, &all->queue, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_new(runtime, NULL, &all->breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_acquire(all->breaker, &all->permit, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_new(runtime, NULL, &all->isolated, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(all->isolated), WEIR_OK);
  assert_int_equal(weir_debounce_new(runtime, operation, &debounce, &all->debounce, NULL), WEIR_OK);
  assert_int_equal(weir_throttle_new(runtime, operation, &throttle, &all->throttle, NULL), WEIR_OK);
  assert_int_equal(weir_flight_new(runtime, NULL, &all->flight, NULL), WEIR_OK);
  make_limiters(all);
  make_cache(all);
  all->call = begin(fx, operation, NULL)->call;
  run_until_idle(fx);
}

/* The child is forked on the runtime's own thread: it is the child's only one, too. */
static void whatever_the_child_calls_says_so_or_needs_no_engine(struct fixture *fx) {
  struct all all = {0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.recorder_entries = 4;
  options.log_level = WEIR_LOG_INFO;
  remake_runtime(fx, &options);
  make_all(fx, &all);
  int64_t due_ns = weir_runtime_next_deadline(fx->runtime);
  assert_int_equal(in_child(engine_in_child, &all), 0);
  assert_int_equal(in_child(recorder_in_child, &all), 0);
  assert_int_equal(in_child(policies_in_child, &all), 0);
  assert_int_equal(in_child(pacers_in_child, &all), 0);
  assert_int_equal(in_child(cache_in_child, &all), 0);
  assert_int_equal(in_child(all_given_back_in_child, &all), 0);
  /* and the parent has noticed nothing */
  weir_record record;
  assert_int_equal(weir_completions_drain(all.queue, &record, sizeof record, 1), 0);
  assert_int_equal(weir_runtime_next_deadline(fx->runtime), due_ns);
  assert_int_equal(weir_call_cancel(all.call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(all.script->cancelled, 1);
  weir_completions_unref(all.queue);
  weir_breaker_unref(all.breaker);
  weir_breaker_unref(all.isolated);
  weir_limiter_unref(all.limiter);
  weir_limiter_unref(all.keyed);
  weir_debounce_unref(all.debounce);
  weir_throttle_unref(all.throttle);
  weir_cache_unref(all.cache);
  weir_flight_unref(all.flight);
  weir_value_unref(all.value);
}

TEST_MAIN("fork", LONG_TEST(whatever_the_child_calls_says_so_or_needs_no_engine),
          LONG_TEST(child_is_refused_and_the_parent_goes_on),
          LONG_TEST(work_that_was_due_in_the_parent_is_not_done_in_the_child),
          LONG_TEST(child_of_a_thread_driver_neither_hangs_nor_frees))
