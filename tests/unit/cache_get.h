/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_CACHE_GET_H
#define WEIR_TESTS_CACHE_GET_H

/* What the tests of the cache's run door share. */

#include "cache.h"

static inline struct run *try_get(struct fixture *fx, weir_cache *cache, const char *key,
                                  struct script *loader) {
  struct run *run = new_run(fx);
  return asked(run, weir_cache_get(cache, key, strlen(key), loader->operation, record_settle, run,
                                   free_recorded, &run->call, NULL));
}

/* Begins a get and lets it come to its end or its wait. */
static inline struct run *get(struct fixture *fx, weir_cache *cache, const char *key,
                              struct script *loader) {
  struct run *run = try_get(fx, cache, key, loader);
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  return run;
}

/* The number that a get settles with at once; fails if it does not. */
static inline int64_t got(struct fixture *fx, weir_cache *cache, const char *key,
                          struct script *loader) {
  struct run *run = get(fx, cache, key, loader);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  return settled(run)->value;
}

/* The code of the error that a get fails with at once. */
static inline int64_t failed(struct fixture *fx, weir_cache *cache, const char *key,
                             struct script *loader) {
  struct run *run = get(fx, cache, key, loader);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  return settled(run)->code;
}

/* Completes attempt `index` with a pointer value that counts how often it is freed. */
static inline void finish_counted(struct script *script, size_t index, unsigned *freed) {
  struct script_attempt *attempt = &script->attempts[index];
  attempt->completed = 1;
  script->running--;
  assert_int_equal(
      weir_complete_pointer(script->fixture->runtime, attempt->token, freed, count_free), WEIR_OK);
}

static inline void cancel(struct run *run) {
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
}

static inline void cancel_now(struct fixture *fx, struct run *run) {
  cancel(run);
  run_until_idle(fx);
}

#endif
