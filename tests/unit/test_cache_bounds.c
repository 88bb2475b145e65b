/* SPDX-License-Identifier: MIT */
/* The cache's bounds by number and by weight, and what its entries take of memory. */

#include "cache.h"

/* A number weighs itself. */
static int64_t weigh_number(void *data, const void *key, size_t key_size, const weir_value *value) {
  (void)key, (void)key_size;
  if (data != NULL) ++*(unsigned *)data;
  return value_number(value);
}

static weir_cache *new_weighed(struct fixture *fx, int64_t max_weight, unsigned *asked) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = WEIR_UNLIMITED;
  options.max_weight = max_weight;
  options.eviction = WEIR_EVICTION_LRU;
  options.weigh = weigh_number;
  options.weigh_data = asked;
  return new_cache(fx, &options);
}

static void K05_a_bound_of_zero_stores_nothing(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 0);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.entries, 0);
  assert_int_equal(stats.puts, 0);
  weir_cache_unref(cache);
}

static void K05_what_is_heavier_than_the_bound_is_refused_and_others_stay(struct fixture *fx) {
  unsigned asked = 0;
  weir_cache *cache = new_weighed(fx, 100, &asked);
  assert_int_equal(put_number(fx, cache, "a", 60), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 40), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 101), WEIR_EFULL);
  assert_int_equal(look(cache, "a"), 60);
  assert_int_equal(look(cache, "b"), 40);
  assert_int_equal(put_number(fx, cache, "b", 101), WEIR_EFULL); /* what it had is out of date */
  assert_int_equal(look(cache, "b"), ABSENT);
  assert_int_equal(look(cache, "a"), 60);
  assert_int_equal(put_number(fx, cache, "d", INT64_C(1) << 32), WEIR_EFULL);
  assert_int_equal(put_number(fx, cache, "a", -5), WEIR_EFAILED);
  assert_int_equal(look(cache, "a"), 60);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.refused, 4);
  assert_int_equal(stats.weight, 60);
  assert_int_equal(stats.entries, 1);
  assert_int_equal(asked, 6);
  weir_cache_unref(cache);
}

static void K05_a_weight_is_what_32_bits_hold(struct fixture *fx) {
  weir_cache *cache = new_weighed(fx, WEIR_UNLIMITED, NULL);
  assert_int_equal(put_number(fx, cache, "a", UINT32_MAX), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", UINT32_MAX), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", INT64_C(1) << 32), WEIR_EFULL);
  assert_int_equal(stats_of(cache).weight, 2 * (uint64_t)UINT32_MAX);
  assert_int_equal(stats_of(cache).entries, 2);
  weir_cache_unref(cache);
}

static void K05_a_weight_of_zero_counts_as_an_entry_only(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 4;
  options.max_weight = 10;
  options.weigh = weigh_number;
  options.eviction = WEIR_EVICTION_LRU;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "zero", 0), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "a", 5), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 5), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 10), WEIR_OK); /* a and b go, zero is of no help */
  assert_int_equal(look(cache, "zero"), 0);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(look(cache, "b"), ABSENT);
  assert_int_equal(look(cache, "c"), 10);
  assert_int_equal(put_number(fx, cache, "zero2", 0), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "zero3", 0), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "zero4", 0), WEIR_OK); /* too many: the oldest goes */
  assert_int_equal(stats_of(cache).entries, 4);
  assert_int_equal(look(cache, "zero"), ABSENT);
  weir_cache_unref(cache);
}

/* The first 16 go inside the put, the rest with the runtime's next turn. */
static void what_takes_more_than_sixteen_evictions_ends_later(struct fixture *fx) {
  weir_cache *cache = new_weighed(fx, 100, NULL);
  char key[16];
  for (int i = 0; i < 100; i++) {
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(put_number(fx, cache, key, 1), WEIR_OK);
  }
  assert_int_equal(stats_of(cache).weight, 100);
  assert_int_equal(put_number(fx, cache, "heavy", 90), WEIR_OK);
  assert_int_equal(stats_of(cache).weight, 174);
  assert_int_equal(put_number(fx, cache, "more", 1), WEIR_OK); /* later writes take their share */
  assert_int_equal(stats_of(cache).weight, 159);
  advance_ms(fx, 1);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.weight, 100);
  assert_int_equal(stats.entries, 11);
  assert_int_equal(look(cache, "heavy"), 90);
  assert_int_equal(look(cache, "k99"), 1);
  assert_int_equal(look(cache, "k90"), ABSENT);
  weir_cache_unref(cache);
}

static void K05_writing_over_an_entry_changes_the_weight_by_the_difference(struct fixture *fx) {
  weir_cache *cache = new_weighed(fx, 100, NULL);
  assert_int_equal(put_number(fx, cache, "a", 30), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 30), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "a", 70), WEIR_OK);
  assert_int_equal(stats_of(cache).weight, 100);
  assert_int_equal(stats_of(cache).evicted, 0);
  assert_int_equal(put_number(fx, cache, "a", 71), WEIR_OK);
  assert_int_equal(look(cache, "b"), ABSENT);
  assert_int_equal(stats_of(cache).weight, 71);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(stats_of(cache).weight, 1);
  assert_int_equal(stats_of(cache).replaced, 3);
  weir_cache_unref(cache);
}

static void K13_a_cache_of_one_has_one(struct fixture *fx) {
  static const uint32_t policies[] = {WEIR_EVICTION_ADAPTIVE, WEIR_EVICTION_S3_FIFO,
                                      WEIR_EVICTION_LRU};
  for (size_t p = 0; p < COUNT_OF(policies); p++) {
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.max_entries = 1;
    options.eviction = policies[p];
    weir_cache *cache = new_cache(fx, &options);
    for (int i = 0; i < 50; i++) {
      char key[16];
      snprintf(key, sizeof key, "k%d", i);
      assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
      assert_int_equal(look(cache, key), i); /* what was just written is there */
      assert_int_equal(stats_of(cache).entries, 1);
    }
    weir_cache_unref(cache);
  }
}

static void K13_bounds_of_shards_add_up(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 101;
  options.shards = 8;
  weir_cache *cache = new_cache(fx, &options);
  char key[16];
  for (int i = 0; i < 3000; i++) {
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
    assert_int_equal(look(cache, key), i);
  }
  assert_int_equal(stats_of(cache).entries, 101);
  weir_cache_unref(cache);
}

static void more_shards_than_entries_are_fewer(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 3;
  options.shards = 256;
  weir_cache *cache = new_cache(fx, &options);
  char key[16];
  for (int i = 0; i < 20; i++) {
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
    assert_int_equal(look(cache, key), i);
  }
  assert_true(stats_of(cache).entries <= 3);
  weir_cache_unref(cache);
}

/* ---- growing and shrinking ---- */

static void fill(struct fixture *fx, weir_cache *cache, uint64_t first, uint64_t count,
                 weir_value *value) {
  (void)fx;
  for (uint64_t i = first; i < first + count; i++) {
    uint64_t key[2] = {i, ~i};
    assert_int_equal(weir_cache_put(cache, key, sizeof key, value), WEIR_OK);
  }
}

/* Ten millions, also by the adaptive policy, which takes a part of its memory however few entries
 * there are, are in tests/bench. */
static void K16_an_entry_takes_less_than_120_bytes_beside_key_and_value(struct fixture *fx) {
  enum { ENTRIES = 50000 };
  static const uint32_t policies[] = {WEIR_EVICTION_S3_FIFO, WEIR_EVICTION_LRU};
  weir_value *value = number_value(fx, 1);
  for (size_t p = 0; p < COUNT_OF(policies); p++) {
    uint64_t before = fx->memory.live_bytes;
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.max_entries = ENTRIES;
    options.eviction = policies[p];
    weir_cache *cache = new_cache(fx, &options);
    fill(fx, cache, 0, ENTRIES, value); /* some shards get more keys than their part, some fewer */
    uint64_t entries = stats_of(cache).entries;
    assert_in_range(entries, ENTRIES * 95 / 100, ENTRIES);
    assert_in_range((fx->memory.live_bytes - before) / entries, 80 + 16, 119 + 16);
    fill(fx, cache, ENTRIES, 4 * ENTRIES, value);
    assert_int_equal(stats_of(cache).entries, ENTRIES);
    assert_in_range((fx->memory.live_bytes - before) / ENTRIES, 80 + 16, 119 + 16);
    weir_cache_unref(cache);
  }
  weir_value_unref(value);
}

/* Eight counters of four bits for each entry, and at most twice that. */
static void the_adaptive_policy_takes_at_least_4_bytes_an_entry_to_count_uses(struct fixture *fx) {
  enum { ENTRIES = 40000 };
  weir_value *value = number_value(fx, 1);
  uint64_t taken[2];
  for (uint32_t eviction = 0; eviction < 2; eviction++) { /* adaptive; S3-FIFO counts nothing */
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.max_entries = WEIR_UNLIMITED;
    options.eviction = eviction;
    options.shards = 1;
    weir_cache *cache = new_cache(fx, &options);
    uint64_t before = fx->memory.live_bytes;
    fill(fx, cache, 0, ENTRIES, value);
    taken[eviction] = fx->memory.live_bytes - before;
    weir_cache_unref(cache);
  }
  weir_value_unref(value);
  assert_in_range(taken[0] - taken[1], 4 * ENTRIES, 8 * ENTRIES + 4096);
}

static void what_grew_shrinks_again_and_loses_nothing(struct fixture *fx) {
  enum { ENTRIES = 20000, KEPT = 10 };
  weir_value *value = number_value(fx, 1);
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = WEIR_UNLIMITED;
  options.eviction = WEIR_EVICTION_LRU;
  options.shards = 1;
  weir_cache *cache = new_cache(fx, &options);
  uint64_t empty = fx->memory.live_bytes;
  fill(fx, cache, 0, ENTRIES, value);
  for (uint64_t i = KEPT; i < ENTRIES; i++) {
    uint64_t key[2] = {i, ~i};
    assert_int_equal(weir_cache_invalidate(cache, key, sizeof key), WEIR_OK);
  }
  for (uint64_t i = 0; i < KEPT; i++) {
    uint64_t key[2] = {i, ~i};
    weir_value *found = NULL;
    assert_int_equal(weir_cache_lookup(cache, key, sizeof key, &found), WEIR_OK);
    weir_value_unref(found);
  }
  assert_int_equal(stats_of(cache).entries, KEPT);
  assert_true(fx->memory.live_bytes - empty < 8192);
  fill(fx, cache, 0, ENTRIES, value);
  assert_int_equal(stats_of(cache).entries, ENTRIES);
  assert_int_equal(weir_cache_clear(cache), WEIR_OK);
  assert_int_equal(stats_of(cache).entries, 0);
  assert_true(fx->memory.live_bytes - empty < 8192);
  weir_cache_unref(cache);
  weir_value_unref(value);
}

/* As many entries as make a table grow, and room to say how much memory it takes. */
enum { MANY = 5000, SMALL_TABLE = 8192 };

static void what_is_refused_lets_the_table_shrink(struct fixture *fx) {
  weir_value *light = number_value(fx, 1);
  weir_value *heavy = number_value(fx, 2 * MANY);
  weir_cache *cache = new_weighed(fx, MANY, NULL);
  uint64_t empty = fx->memory.live_bytes;
  fill(fx, cache, 0, MANY, light);
  for (uint64_t i = 0; i < MANY; i++) {
    uint64_t key[2] = {i, ~i};
    assert_int_equal(weir_cache_put(cache, key, sizeof key, heavy), WEIR_EFULL);
  }
  assert_int_equal(stats_of(cache).entries, 0);
  assert_true(fx->memory.live_bytes - empty < SMALL_TABLE);
  weir_cache_unref(cache);
  weir_value_unref(heavy);
  weir_value_unref(light);
}

static void what_expires_lets_the_table_shrink(struct fixture *fx) {
  weir_value *value = number_value(fx, 1);
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.eviction = WEIR_EVICTION_LRU;
  options.ttl_ms = 1000;
  options.max_entries = WEIR_UNLIMITED;
  options.shards = 1;
  weir_cache *cache = new_cache(fx, &options);
  fill(fx, cache, 0, 1, value);
  advance_ms(fx, 2000);
  uint64_t empty = fx->memory.live_bytes;
  fill(fx, cache, 0, MANY, value);
  advance_ms(fx, 2000);
  assert_int_equal(stats_of(cache).entries, 0);
  assert_int_equal(stats_of(cache).expired, MANY + 1);
  assert_true(fx->memory.live_bytes - empty < SMALL_TABLE);
  weir_cache_unref(cache);
  weir_value_unref(value);
}

/* More than a table has buckets at first. */
enum { LOADS = 70 };

/* Begins so many loads at once and leaves them. Returns how many
 * allocations that took. */
static uint64_t load_and_leave(struct fixture *fx, weir_cache *cache) {
  struct script *load = scripted(fx, "hang");
  struct run *runs[LOADS];
  uint64_t before = fx->memory.allocations;
  for (uint64_t i = 0; i < LOADS; i++) {
    struct run *run = runs[i] = new_run(fx);
    asked(run, weir_cache_get(cache, &i, sizeof i, load->operation, record_settle, run,
                              free_recorded, &run->call, NULL));
    assert_int_equal(run->status, WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(stats_of(cache).loading, LOADS);
  uint64_t taken = fx->memory.allocations - before;
  for (size_t i = 0; i < LOADS; i++) {
    assert_int_equal(weir_call_cancel(runs[i]->call), WEIR_OK);
    weir_call_unref(runs[i]->call);
    runs[i]->call = NULL;
  }
  run_until_idle(fx);
  assert_int_equal(finish_all(load), LOADS);
  run_until_idle(fx);
  assert_int_equal(stats_of(cache).loading, 0);
  return taken;
}

/* The second time the blocks of the runs and of their inputs, the keys, are there already: only the
 * table grows again. */
static void loads_take_room_in_the_table_and_give_it_back(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 10);
  load_and_leave(fx, cache);
  assert_in_range(load_and_leave(fx, cache), 1, 8);
  weir_cache_unref(cache);
}

static void without_memory_for_a_larger_table_it_goes_on_with_this_one(struct fixture *fx) {
  weir_value *value = number_value(fx, 1);
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 5000;
  options.eviction = WEIR_EVICTION_LRU;
  weir_cache *cache = new_cache(fx, &options);
  for (uint64_t i = 0; i < 1000; i++) {
    uint64_t key[2] = {i, ~i};
    memory_fail(&fx->memory, 2, 1); /* the entry comes, nothing after it */
    assert_int_equal(weir_cache_put(cache, key, sizeof key, value), WEIR_OK);
    memory_fail(&fx->memory, 0, 0);
  }
  memory_fail(&fx->memory, 1, 1);
  assert_int_equal(weir_cache_put(cache, "no", 2, value), WEIR_ENOMEM);
  memory_fail(&fx->memory, 0, 0);
  fill(fx, cache, 1000, 1000, value);
  for (uint64_t i = 0; i < 2000; i++) {
    uint64_t key[2] = {i, ~i};
    weir_value *found = NULL;
    assert_int_equal(weir_cache_lookup(cache, key, sizeof key, &found), WEIR_OK);
    weir_value_unref(found);
  }
  weir_cache_unref(cache);
  weir_value_unref(value);
}

/* ---- hostile keys ---- */

enum { ALL_KEYS = 8192, HOSTILE_KEYS = 256, PARTS = 8 };

/* The numbers of all keys in the order of a scan, which is that of their places in the table. */
static void scan_order(struct fixture *fx, uint16_t *order) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = ALL_KEYS;
  options.shards = 1;
  weir_cache *cache = new_cache(fx, &options);
  for (int i = 0; i < ALL_KEYS; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
  }
  weir_cache_entry entries[64];
  uint64_t cursor = 0;
  size_t count = 0;
  size_t all = 0;
  do {
    assert_int_equal(weir_cache_scan(cache, &cursor, entries, sizeof entries[0], 64, &count),
                     WEIR_OK);
    for (size_t i = 0; i < count; i++, all++) {
      if (all < ALL_KEYS) order[all] = (uint16_t)value_number(entries[i].value);
      weir_value_unref(entries[i].key);
      weir_value_unref(entries[i].value);
    }
  } while (cursor != 0);
  weir_cache_unref(cache);
  assert_int_equal(all, ALL_KEYS);
}

/* Who knows one cache's seed prepares keys whose hashes there agree in the bits that choose the
 * place: in a table of 32 buckets all of them are in one. In other caches they lie as any others.
 */
static void K11_keys_that_collide_under_one_seed_are_spread_under_others(struct fixture *fx) {
  uint16_t known[ALL_KEYS] = {0};
  scan_order(fx, known);
  unsigned char hostile[ALL_KEYS] = {0};
  for (size_t i = 0; i < HOSTILE_KEYS; i++) hostile[known[i]] = 1;
  for (int other = 0; other < 20; other++) {
    uint16_t order[ALL_KEYS] = {0};
    scan_order(fx, order);
    int in_part[PARTS] = {0};
    for (size_t i = 0; i < ALL_KEYS; i++) in_part[i * PARTS / ALL_KEYS] += hostile[order[i]];
    for (size_t i = 0; i < PARTS; i++) {
      /* 32 are to be expected, with a standard deviation of 5.2 */
      assert_in_range(in_part[i], 3, 61);
    }
  }
}

TEST_MAIN("cache bounds", TEST(K05_a_bound_of_zero_stores_nothing),
          TEST(K05_what_is_heavier_than_the_bound_is_refused_and_others_stay),
          TEST(K05_a_weight_is_what_32_bits_hold),
          TEST(K05_a_weight_of_zero_counts_as_an_entry_only),
          LONG_TEST(what_takes_more_than_sixteen_evictions_ends_later),
          TEST(K05_writing_over_an_entry_changes_the_weight_by_the_difference),
          LONG_TEST(K13_a_cache_of_one_has_one), LONG_TEST(K13_bounds_of_shards_add_up),
          TEST(more_shards_than_entries_are_fewer),
          LONG_TEST(K16_an_entry_takes_less_than_120_bytes_beside_key_and_value),
          LONG_TEST(the_adaptive_policy_takes_at_least_4_bytes_an_entry_to_count_uses),
          LONG_TEST(what_grew_shrinks_again_and_loses_nothing),
          LONG_TEST(what_is_refused_lets_the_table_shrink),
          LONG_TEST(what_expires_lets_the_table_shrink),
          TEST(loads_take_room_in_the_table_and_give_it_back),
          LONG_TEST(without_memory_for_a_larger_table_it_goes_on_with_this_one),
          LONG_TEST(K11_keys_that_collide_under_one_seed_are_spread_under_others))
