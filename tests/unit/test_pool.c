/* SPDX-License-Identifier: MIT */
/* The memory of runs is used again by whichever thread, stays within bounds, and goes back whole,
 * whatever its size. */

#include "support.h"

/* Runs of `operation` that another thread starts, and one call that it gives back. */
struct elsewhere {
  weir_operation *operation;
  const weir_run_options *options;
  size_t count;
  size_t accepted;
  weir_call *call; /* of the last one */
};

static void *start_elsewhere(void *data) {
  struct elsewhere *other = data;
  for (size_t i = 0; i < other->count; i++) {
    weir_call **call = i + 1 == other->count ? &other->call : NULL;
    other->accepted +=
        weir_run(other->operation, other->options, NULL, NULL, NULL, call, NULL) == WEIR_OK;
  }
  return NULL;
}

static void *unref_elsewhere(void *data) {
  weir_call_unref(((struct elsewhere *)data)->call);
  return NULL;
}

static void do_elsewhere(void *(*body)(void *data), struct elsewhere *other) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, body, other), 0);
  pthread_join(thread, NULL);
}

/* Lets another thread start `count` runs, serves them here, and gives the last call back here. */
static void wave(struct fixture *fx, weir_operation *operation, size_t count) {
  struct elsewhere other = {.operation = operation, .count = count};
  do_elsewhere(start_elsewhere, &other);
  assert_int_equal(other.accepted, count);
  run_until_idle(fx);
  weir_call_unref(other.call);
}

static weir_operation *make_sleep(struct fixture *fx) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, 0, WEIR_OK, NULL, NULL, &sleep, NULL), WEIR_OK);
  return sleep;
}

static void what_the_engine_has_too_much_of_is_used_by_other_threads(struct fixture *fx) {
  enum { MANY = 8000, SOME = 1000 };
  weir_operation *sleep = make_sleep(fx);
  run_until_idle(fx);
  uint64_t unused = fx->memory.live_blocks;
  /* given many runs of another thread whose memory the engine's thread got back */
  wave(fx, sleep, MANY);
  /* when another thread starts some, then they take no memory */
  uint64_t before = fx->memory.allocations;
  wave(fx, sleep, SOME);
  assert_true(fx->memory.allocations == before);
  /* and when told to, the runtime gives all of it back */
  assert_int_equal(weir_runtime_trim(fx->runtime), WEIR_OK);
  assert_true(fx->memory.live_blocks == unused);
  weir_operation_unref(sleep);
  /* and so it is with the slots of attempts */
  struct script *script = scripted(fx, "n");
  wave(fx, script->operation, MANY);
  before = fx->memory.allocations;
  wave(fx, script->operation, SOME);
  assert_true(fx->memory.allocations == before);
}

static void a_burst_does_not_hold_its_memory_for_ever(struct fixture *fx) {
  enum { BURST = 20000 };
  weir_operation *sleep = make_sleep(fx);
  run_until_idle(fx);
  uint64_t before = fx->memory.live_blocks;
  wave(fx, sleep, BURST);
  assert_true(fx->memory.live_blocks - before < BURST * 2 / 3);
  assert_true(fx->memory.live_blocks - before > BURST / 10);
  weir_operation_unref(sleep);
}

/* One run with a key of `key_size`, whose call is given back here or elsewhere. */
static void run_with_key(struct fixture *fx, weir_operation *operation, size_t key_size,
                         int unref_here) {
  static char key[8192];
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = key;
  options.key_size = key_size;
  options.name = "n";
  struct elsewhere other = {.operation = operation, .options = &options, .count = 1};
  if (unref_here) {
    start_elsewhere(&other);
  } else {
    do_elsewhere(start_elsewhere, &other);
  }
  assert_int_equal(other.accepted, 1);
  run_until_idle(fx);
  if (unref_here) {
    weir_call_unref(other.call);
  } else {
    do_elsewhere(unref_elsewhere, &other);
  }
}

static void what_one_thread_gives_back_another_uses(struct fixture *fx) {
  weir_operation *sleep = make_sleep(fx);
  run_until_idle(fx);
  run_with_key(fx, sleep, 1, 0);
  uint64_t before = fx->memory.allocations;
  for (int i = 0; i < 3; i++) run_with_key(fx, sleep, 1, 0);
  assert_true(fx->memory.allocations == before);
  weir_operation_unref(sleep);
}

static void a_run_too_large_for_the_pool_gives_its_memory_back_at_once(struct fixture *fx) {
  struct script *script = scripted(fx, "n");
  run_until_idle(fx);
  run_with_key(fx, script->operation, 1, 1);
  run_with_key(fx, script->operation, 1, 0);
  uint64_t before = fx->memory.live_bytes;
  run_with_key(fx, script->operation, 8192, 1);
  assert_true(fx->memory.live_bytes == before);
  run_with_key(fx, script->operation, 8192, 0);
  assert_true(fx->memory.live_bytes == before);
}

static void runs_of_every_size_give_all_back(struct fixture *fx) {
  struct script *script = scripted(fx, "n");
  /* given pooled blocks of the smallest sizes, too: what a held permit is noted in */
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  weir_limiter *limiter = NULL;
  options.max_concurrent = 1;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_OK);
  struct run *first = begin_under(fx, weir_limiter_policy(limiter), script->operation);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_OK);
  weir_limiter_unref(limiter);
  assert_int_equal(weir_runtime_trim(fx->runtime), WEIR_OK);
  uint64_t before = fx->memory.live_bytes;
  first = begin_under(fx, NULL, script->operation);
  run_until_idle(fx);
  weir_call_unref(first->call);
  first->call = NULL;
  for (size_t size = 0; size <= 4800; size += 48) run_with_key(fx, script->operation, size, 1);
  assert_true(fx->memory.live_bytes > before);
  assert_int_equal(weir_runtime_trim(fx->runtime), WEIR_OK);
  assert_true(fx->memory.live_bytes == before);
}

TEST_MAIN("pool", LONG_TEST(what_the_engine_has_too_much_of_is_used_by_other_threads),
          LONG_TEST(a_burst_does_not_hold_its_memory_for_ever),
          LONG_TEST(what_one_thread_gives_back_another_uses),
          LONG_TEST(a_run_too_large_for_the_pool_gives_its_memory_back_at_once),
          LONG_TEST(runs_of_every_size_give_all_back))
