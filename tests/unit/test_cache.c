/* SPDX-License-Identifier: MIT */
/* The cache's decide door: values by key within a bound of entries. */

#include "cache.h"

static void what_was_put_is_looked_up(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 100);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(look(cache, "b"), 2);
  assert_int_equal(put_number(fx, cache, "a", 3), WEIR_OK);
  assert_int_equal(look(cache, "a"), 3);
  assert_int_equal(invalidate(cache, "a"), WEIR_OK);
  assert_int_equal(invalidate(cache, "a"), WEIR_ENOTFOUND);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.hits, 3);
  assert_int_equal(stats.misses, 2);
  assert_int_equal(stats.puts, 3);
  assert_int_equal(stats.replaced, 1);
  assert_int_equal(stats.invalidated, 1);
  assert_int_equal(stats.entries, 1);
  assert_int_equal(stats.weight, 1);
  weir_cache_unref(cache);
}

static void the_least_recently_used_goes_first(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 3;
  options.eviction = WEIR_EVICTION_LRU;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 3), WEIR_OK);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(put_number(fx, cache, "d", 4), WEIR_OK);
  assert_int_equal(look(cache, "b"), ABSENT);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(put_number(fx, cache, "c", 5), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "e", 6), WEIR_OK);
  assert_int_equal(look(cache, "d"), ABSENT);
  assert_int_equal(look(cache, "c"), 5);
  assert_int_equal(stats_of(cache).evicted, 2);
  weir_cache_unref(cache);
}

static void K06_present_until_the_nanosecond_it_expires(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 10;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  advance_ns(fx, 10 * MS - 1);
  assert_int_equal(look(cache, "a"), 1);
  advance_ns(fx, 1);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(stats_of(cache).entries, 1);
  advance_ms(fx, 20);
  assert_int_equal(stats_of(cache).entries, 0);
  assert_int_equal(stats_of(cache).expired, 1);
  weir_cache_unref(cache);
}

static void what_leaves_is_told_with_its_cause(struct fixture *fx) {
  static struct departures told;
  told = (struct departures){.fx = fx};
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 2;
  options.eviction = WEIR_EVICTION_LRU;
  options.on_evict = note_departure;
  options.evict_data = &told;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "a", 2), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 3), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 4), WEIR_OK);
  assert_int_equal(invalidate(cache, "b"), WEIR_OK);
  assert_int_equal(weir_cache_clear(cache), WEIR_OK);
  assert_int_equal(put_number_for(fx, cache, "d", 5, 7), WEIR_OK);
  assert_string_equal(told.text, "");
  advance_ms(fx, 30);
  assert_string_equal(told.text, "a:1 replaced, a:2 size, b:3 explicit, c:4 cleared, d:5 expired");
  weir_cache_unref(cache);
}

static void K15_a_scan_meets_each_entry_once(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 1000);
  char key[16];
  for (int i = 0; i < 300; i++) {
    snprintf(key, sizeof key, "key%d", i);
    assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
  }
  uint64_t cursor = 0;
  int seen[300] = {0};
  int extra = 300;
  do {
    weir_cache_entry entries[7];
    size_t count = 0;
    assert_int_equal(weir_cache_scan(cache, &cursor, entries, sizeof entries[0], 7, &count),
                     WEIR_OK);
    for (size_t i = 0; i < count; i++) {
      int64_t number = value_number(entries[i].value);
      if (number < 300) seen[number]++;
      weir_value_unref(entries[i].key);
      weir_value_unref(entries[i].value);
    }
    for (int i = 0; i < 10 && extra < 900; i++) {
      snprintf(key, sizeof key, "key%d", extra);
      assert_int_equal(put_number(fx, cache, key, extra++), WEIR_OK);
    }
  } while (cursor != 0);
  for (int i = 0; i < 300; i++) assert_int_equal(seen[i], 1);
  weir_cache_unref(cache);
}

TEST_MAIN("cache", TEST(what_was_put_is_looked_up), TEST(the_least_recently_used_goes_first),
          TEST(K06_present_until_the_nanosecond_it_expires),
          TEST(what_leaves_is_told_with_its_cause), LONG_TEST(K15_a_scan_meets_each_entry_once))
