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

static void first_of_scan(weir_cache *cache, char *text, size_t size) {
  weir_cache_entry entries[8];
  uint64_t cursor = 0;
  size_t count = 0;
  text[0] = 0;
  assert_int_equal(weir_cache_scan(cache, &cursor, entries, sizeof entries[0], 8, &count), WEIR_OK);
  for (size_t i = 0; i < count; i++) {
    snprintf(text + strlen(text), size - strlen(text), "%lld ",
             (long long)value_number(entries[i].value));
    weir_value_unref(entries[i].key);
    weir_value_unref(entries[i].value);
  }
}

/* Where a key lies shows in the order of a scan: no two caches agree, so nobody can know keys that
 * collide. */
static void K11_each_cache_hashes_with_a_seed_of_its_own(struct fixture *fx) {
  char orders[3][128];
  for (size_t c = 0; c < COUNT_OF(orders); c++) {
    weir_cache *cache = new_bounded(fx, 100);
    for (int i = 0; i < 40; i++) {
      char key[16];
      snprintf(key, sizeof key, "k%d", i);
      assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
    }
    first_of_scan(cache, orders[c], sizeof orders[c]);
    weir_cache_unref(cache);
  }
  assert_string_not_equal(orders[0], orders[1]);
  assert_string_not_equal(orders[1], orders[2]);
  assert_string_not_equal(orders[0], orders[2]);
}

TEST_MAIN("cache bounds", TEST(K05_a_bound_of_zero_stores_nothing),
          TEST(K05_what_is_heavier_than_the_bound_is_refused_and_others_stay),
          TEST(K05_a_weight_of_zero_counts_as_an_entry_only),
          LONG_TEST(what_takes_more_than_sixteen_evictions_ends_later),
          TEST(K05_writing_over_an_entry_changes_the_weight_by_the_difference),
          LONG_TEST(K13_a_cache_of_one_has_one), LONG_TEST(K13_bounds_of_shards_add_up),
          TEST(more_shards_than_entries_are_fewer),
          LONG_TEST(K16_an_entry_takes_less_than_120_bytes_beside_key_and_value),
          LONG_TEST(what_grew_shrinks_again_and_loses_nothing),
          LONG_TEST(without_memory_for_a_larger_table_it_goes_on_with_this_one),
          LONG_TEST(K11_each_cache_hashes_with_a_seed_of_its_own))
