/* SPDX-License-Identifier: MIT */
/* Where a runtime without a seed gets one: from the system, and if that has none, from the clock
 * and from where things lie in memory. This program's getrandom() stands in for the system's. */

#include "support.h"

#include <sys/types.h>

static struct {
  uint64_t number; /* what the system gives; 0: nothing */
  unsigned asked;
} entropy;

ssize_t getrandom(void *buffer, size_t size, unsigned flags) {
  (void)flags;
  entropy.asked++;
  if (entropy.number == 0 || size != sizeof entropy.number) return -1;
  memcpy(buffer, &entropy.number, size);
  return (ssize_t)size;
}

/* The first random delay on a runtime with seed 0, made while the system gives `number`. */
static int64_t first_delay(uint64_t number) {
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_runtime *runtime = NULL;
  weir_retry *retry = NULL;
  weir_retry_state state;
  int64_t delay_ns = -1;
  entropy.number = number;
  runtime_options.driver = WEIR_DRIVER_MANUAL;
  options.base_delay_ms = 20000;
  options.jitter = WEIR_JITTER_FULL;
  assert_int_equal(weir_runtime_new(&runtime_options, &runtime, NULL), WEIR_OK);
  assert_int_equal(weir_retry_new(runtime, &options, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, WEIR_OFF, &delay_ns, NULL),
                   WEIR_OK);
  weir_retry_unref(retry);
  weir_runtime_unref(runtime);
  return delay_ns;
}

static void the_system_is_asked_for_the_seed(struct fixture *fx) {
  (void)fx;
  unsigned before = entropy.asked;
  int64_t delay_ns = first_delay(7);
  assert_true(entropy.asked > before);
  assert_true(first_delay(7) == delay_ns);
  assert_true(first_delay(8) != delay_ns);
}

static void without_the_systems_two_seeds_still_differ(struct fixture *fx) {
  (void)fx;
  int64_t delay_ns = first_delay(0);
  assert_true(first_delay(0) != delay_ns);
}

TEST_MAIN("random", LONG_TEST(the_system_is_asked_for_the_seed),
          LONG_TEST(without_the_systems_two_seeds_still_differ))
