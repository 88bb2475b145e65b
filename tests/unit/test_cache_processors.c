/* SPDX-License-Identifier: MIT */
/* Lookups are noted by processor. What was read on one counts when another writes, whatever he
 * writes: a note is never lost with the entry that somebody takes out. Keys are numbers. */

#define _GNU_SOURCE /* for sched_setaffinity() */
#include <sched.h>

#include "cache.h"

enum { ENTRIES = 64 }; /* the least for which uses are noted by processor */

static cpu_set_t all; /* that the program may run on; asked for once, as a test may end anywhere */
static size_t processors[2]; /* an even and an odd one */

/* False if there are none. */
static int find_processors(void) {
  int found[2] = {0, 0};
  if (CPU_COUNT(&all) == 0 && sched_getaffinity(0, sizeof all, &all) != 0) return 0;
  for (size_t i = 0; i < CPU_SETSIZE; i++) {
    if (!CPU_ISSET(i, &all)) continue;
    processors[i % 2] = i;
    found[i % 2] = 1;
  }
  return found[0] && found[1];
}

/* 0 or 1. */
static void go_to(size_t processor) {
  cpu_set_t there;
  CPU_ZERO(&there);
  CPU_SET(processors[processor], &there);
  (void)sched_setaffinity(0, sizeof there, &there);
}

static int has(weir_cache *cache, uint32_t key) {
  weir_value *value = NULL;
  return weir_cache_lookup(cache, &key, sizeof key, &value) == WEIR_OK;
}

static void put(weir_cache *cache, uint32_t key) {
  assert_int_equal(weir_cache_put(cache, &key, sizeof key, NULL), WEIR_OK);
}

/* Full of the keys from 0 on, of which 0 was used longest ago; written by the second processor. */
static weir_cache *new_full(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.eviction = WEIR_EVICTION_LRU;
  options.max_entries = ENTRIES;
  options.shards = 1;
  options.ttl_ms = WEIR_FOREVER;
  weir_cache *cache = new_cache(fx, &options);
  go_to(1);
  for (uint32_t key = 0; key < ENTRIES; key++) put(cache, key);
  return cache;
}

static void use_elsewhere(weir_cache *cache, uint32_t first, uint32_t count) {
  go_to(0);
  for (uint32_t key = first; key < first + count; key++) assert_true(has(cache, key));
  go_to(1);
}

static void remove_one(struct fixture *fx, weir_cache *cache) {
  uint32_t key = 5;
  (void)fx;
  assert_int_equal(weir_cache_invalidate(cache, &key, sizeof key), WEIR_OK);
  put(cache, 1000);
}

static void write_over_one(struct fixture *fx, weir_cache *cache) {
  (void)fx;
  put(cache, 5);
}

/* Its use in the meantime is seen at the latest with this eviction, and counts from then on. */
static void evict_one(struct fixture *fx, weir_cache *cache) {
  (void)fx;
  put(cache, 1000);
}

static void expire_one(struct fixture *fx, weir_cache *cache) {
  uint32_t key = 5;
  assert_int_equal(weir_cache_touch(cache, &key, sizeof key, 10), WEIR_OK);
  advance_ms(fx, 100);
  assert_int_equal(stats_of(cache).expired, 1);
  put(cache, 1000);
}

static void a_use_on_another_processor_counts_whatever_is_written(struct fixture *fx) {
  void (*const writes[])(struct fixture * fx, weir_cache * cache) = {remove_one, write_over_one,
                                                                     evict_one, expire_one};
  if (!find_processors()) {
    skip_because("there is one processor");
    return;
  }
  for (size_t i = 0; i < COUNT_OF(writes); i++) {
    weir_cache *cache = new_full(fx);
    use_elsewhere(cache, 1, 1);
    writes[i](fx, cache);
    /* The oldest two are 0 and 2, and one of these may have gone. */
    put(cache, 1001);
    put(cache, 1002);
    assert_true(has(cache, 1));
    assert_false(has(cache, 2) && has(cache, 0));
    weir_cache_unref(cache);
  }
  (void)sched_setaffinity(0, sizeof all, &all);
}

static void many_uses_on_another_processor_count_before_one_is_chosen_to_go(struct fixture *fx) {
  if (!find_processors()) {
    skip_because("there is one processor");
    return;
  }
  weir_cache *cache = new_full(fx);
  use_elsewhere(cache, 0, ENTRIES - 1);
  put(cache, 1000);
  assert_false(has(cache, ENTRIES - 1));
  assert_true(has(cache, 0));
  weir_cache_unref(cache);
  (void)sched_setaffinity(0, sizeof all, &all);
}

TEST_MAIN("cache_processors", TEST(a_use_on_another_processor_counts_whatever_is_written),
          TEST(many_uses_on_another_processor_count_before_one_is_chosen_to_go))
