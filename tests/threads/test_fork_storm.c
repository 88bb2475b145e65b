/* SPDX-License-Identifier: MIT */
/* Forks while other threads are in the middle of everything: in many a child some lock is held by a
 * thread that is not there. Whatever the child calls must come back. */

#include "support.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 100, HELD = 8, CHILD_FINE = 0 };

struct storm {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_completions *queue;
  weir_breaker *breaker; /* each report takes its mutex */
  weir_limiter *limiter; /* each acquire takes its mutex */
  weir_limiter *keyed;
  weir_cache *cache;
  weir_call *call; /* stays out */
  _Atomic(weir_token) tokens[HELD];
  atomic_int stop;
};

/* Leaves the token where the storm finds it, and completes the one that lay there. */
static void keep_token(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  weir_token old = atomic_exchange(&storm->tokens[attempt->token % HELD], attempt->token);
  if (old != 0) weir_complete(attempt->runtime, old, NULL);
}

/* ---- the storm ------------------------------------------------------------------------------- */

static void *decide(void *data) {
  struct storm *storm = data;
  for (uint32_t i = 0; !storm->stop; i++) {
    weir_permit permit = 0;
    if (weir_breaker_acquire(storm->breaker, &permit, NULL) == WEIR_OK) {
      weir_breaker_report(storm->breaker, permit, WEIR_CLASS_FAILURE, 0);
    }
    weir_limiter_try_acquire(storm->limiter, 1, NULL, NULL);
    weir_limiter_refund(storm->limiter, 1);
    weir_limiter_try_acquire_key(storm->keyed, &i, sizeof i, 1, &permit, NULL);
    weir_limiter_release_key(storm->keyed, &i, sizeof i, permit);
    uint32_t key = i % 128;
    weir_cache_put(storm->cache, &key, sizeof key, NULL);
    weir_cache_lookup_copy(storm->cache, &i, sizeof i, NULL, 0, NULL);
  }
  return NULL;
}

static void *run_and_cancel(void *data) {
  struct storm *storm = data;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.queue = storm->queue;
  for (uint32_t i = 0; !storm->stop; i++) {
    weir_call *call = NULL;
    weir_record record;
    if (weir_run(storm->operation, &options, NULL, NULL, NULL, &call, NULL) != WEIR_OK) continue;
    if (i % 2 == 0) weir_call_cancel(call);
    weir_call_unref(call);
    weir_complete(storm->runtime, atomic_exchange(&storm->tokens[i % HELD], 0), NULL);
    while (weir_completions_drain(storm->queue, &record, sizeof record, 1) > 0) {
      if (record.channel == WEIR_CHANNEL_VALUE) {
        weir_value_unref((weir_value *)(uintptr_t)record.object);
      } else {
        weir_error_unref((weir_error *)(uintptr_t)record.object);
      }
    }
  }
  return NULL;
}

/* ---- a child --------------------------------------------------------------------------------- */

/* What does without a lock may answer, what does not says so. */
static int is_answer(weir_status status) {
  return status == WEIR_EFORKED || status == WEIR_OK || status == WEIR_EOPEN ||
         status == WEIR_ELIMITED;
}

static int decides(struct storm *storm) {
  weir_permit permit = 0;
  weir_breaker_stats stats = {.size = sizeof stats};
  for (uint32_t key = 0; key < 4; key++) {
    if (!is_answer(weir_limiter_try_acquire_key(storm->keyed, &key, sizeof key, 1, &permit, NULL)))
      return 0;
  }
  weir_breaker_state(storm->breaker);
  weir_limiter_available(storm->limiter);
  return is_answer(weir_breaker_acquire(storm->breaker, &permit, NULL)) &&
         weir_breaker_report(storm->breaker, 1, WEIR_CLASS_FAILURE, 0) == WEIR_EFORKED &&
         weir_breaker_get_stats(storm->breaker, &stats) == WEIR_EFORKED &&
         is_answer(weir_limiter_try_acquire(storm->limiter, 1, NULL, NULL)) &&
         weir_limiter_refund(storm->limiter, 1) == WEIR_EFORKED;
}

/* Lookups take a lock of their own, which may be free. */
static int caches(struct storm *storm) {
  weir_cache_stats stats = {.size = sizeof stats};
  for (uint32_t key = 0; key < 32; key++) {
    weir_status status = weir_cache_lookup_copy(storm->cache, &key, sizeof key, NULL, 0, NULL);
    if (status != WEIR_EFORKED && status != WEIR_ENOTSUP && status != WEIR_ENOTFOUND) return 0;
  }
  return weir_cache_put(storm->cache, "a", 1, NULL) == WEIR_EFORKED &&
         weir_cache_invalidate(storm->cache, "a", 1) == WEIR_EFORKED &&
         weir_cache_clear(storm->cache) == WEIR_EFORKED &&
         weir_cache_get_stats(storm->cache, &stats) == WEIR_EFORKED;
}

static int child(struct storm *storm) {
  weir_record record;
  weir_token token = storm->tokens[0];
  if (weir_run(storm->operation, NULL, NULL, NULL, NULL, NULL, NULL) != WEIR_EFORKED) return 1;
  if (weir_call_cancel(storm->call) != WEIR_EFORKED) return 2;
  if (weir_call_wait(storm->call, WEIR_FOREVER) != WEIR_EFORKED) return 3;
  if (weir_complete(storm->runtime, token, NULL) != WEIR_EFORKED) return 4;
  if (weir_completions_drain(storm->queue, &record, sizeof record, 1) != 0) return 5;
  if (weir_runtime_close_wait(storm->runtime, WEIR_FOREVER) != WEIR_EFORKED) return 6;
  if (weir_runtime_trim(storm->runtime) != WEIR_EFORKED) return 7;
  if (!decides(storm)) return 8;
  if (!caches(storm)) return 9;
  weir_call_unref(storm->call);
  weir_completions_unref(storm->queue);
  weir_breaker_unref(storm->breaker);
  weir_limiter_unref(storm->limiter);
  weir_limiter_unref(storm->keyed);
  weir_cache_unref(storm->cache);
  weir_operation_unref(storm->operation);
  weir_runtime_unref(storm->runtime);
  return CHILD_FINE;
}

/* What the child returned; -2: it hung, and was killed. */
static int fork_once(struct storm *storm) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    signal(SIGALRM, SIG_DFL);
    alarm(20);
    _exit(child(storm));
  }
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

/* ---- the test -------------------------------------------------------------------------------- */

static void open_storm(struct storm *storm) {
  weir_breaker_options breaker = WEIR_BREAKER_OPTIONS_INIT;
  weir_limiter_options limiter = WEIR_LIMITER_OPTIONS_INIT;
  breaker.mode = WEIR_BREAKER_COUNT_WINDOW;
  breaker.min_calls = breaker.window_size;
  breaker.reset_timeout_ms = 1;
  limiter.algorithm = WEIR_LIMITER_SLIDING_WINDOW;
  limiter.permits = 1000000;
  limiter.interval_ms = 1000;
  assert_int_equal(weir_runtime_new(NULL, &storm->runtime, NULL), WEIR_OK);
  weir_runtime *runtime = storm->runtime;
  assert_int_equal(weir_operation_new(runtime, keep_token, storm, NULL, &storm->operation, NULL),
                   WEIR_OK);
  assert_int_equal(weir_completions_new(runtime, NULL, &storm->queue, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_new(runtime, &breaker, &storm->breaker, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_new(runtime, &limiter, &storm->limiter, NULL), WEIR_OK);
  limiter.max_keys = 100;
  limiter.max_concurrent = 2;
  limiter.key_overflow = WEIR_LIMITER_EVICT;
  assert_int_equal(weir_limiter_new(runtime, &limiter, &storm->keyed, NULL), WEIR_OK);
  weir_cache_options cache = WEIR_CACHE_OPTIONS_INIT;
  cache.max_entries = 100;
  assert_int_equal(weir_cache_new(runtime, &cache, &storm->cache, NULL), WEIR_OK);
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(runtime, WEIR_FOREVER, WEIR_OK, NULL, NULL, &sleep, NULL),
                   WEIR_OK);
  assert_int_equal(weir_run(sleep, NULL, NULL, NULL, NULL, &storm->call, NULL), WEIR_OK);
  weir_operation_unref(sleep);
}

static void close_storm(struct storm *storm) {
  assert_int_equal(weir_runtime_close(storm->runtime), WEIR_OK);
  for (size_t i = 0; i < HELD; i++) weir_complete(storm->runtime, storm->tokens[i], NULL);
  weir_call_unref(storm->call);
  weir_completions_unref(storm->queue);
  weir_breaker_unref(storm->breaker);
  weir_limiter_unref(storm->limiter);
  weir_limiter_unref(storm->keyed);
  weir_cache_unref(storm->cache);
  weir_operation_unref(storm->operation);
  assert_int_equal(weir_runtime_close_wait(storm->runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm->runtime);
}

static void child_of_a_busy_process_never_hangs(struct fixture *fx) {
  (void)fx;
  static struct storm storm; /* a failed test leaves its threads with it */
  pthread_t threads[3];
  int result = CHILD_FINE;
  memset(&storm, 0, sizeof storm);
  open_storm(&storm);
  for (size_t i = 0; i < COUNT_OF(threads); i++) {
    pthread_create(&threads[i], NULL, i == 0 ? run_and_cancel : decide, &storm);
  }
  for (int i = 0; i < FORKS && result == CHILD_FINE; i++) result = fork_once(&storm);
  storm.stop = 1;
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
  close_storm(&storm);
  assert_int_equal(result, CHILD_FINE);
}

TEST_MAIN("fork_storm", LONG_TEST(child_of_a_busy_process_never_hangs))
