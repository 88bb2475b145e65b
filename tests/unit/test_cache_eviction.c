/* SPDX-License-Identifier: MIT */
/* Which entries stay: the three policies on workloads of known shape. Keys are numbers; an access
 * is a lookup, and a put where it misses. */

#include "cache.h"

static weir_cache *bounded_by(struct fixture *fx, uint32_t eviction, int64_t max_entries) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.eviction = eviction;
  options.max_entries = max_entries;
  options.ttl_ms = WEIR_FOREVER;
  options.shards = 1;
  return new_cache(fx, &options);
}

/* Whether it was a hit. */
static int use(weir_cache *cache, uint32_t key) {
  weir_value *value = NULL;
  if (weir_cache_lookup(cache, &key, sizeof key, &value) == WEIR_OK) return 1;
  assert_int_equal(weir_cache_put(cache, &key, sizeof key, NULL), WEIR_OK);
  return 0;
}

/* Hits of using `count` keys from `first` on, one after another. */
static int use_range(weir_cache *cache, uint32_t first, uint32_t count) {
  int hits = 0;
  for (uint32_t i = 0; i < count; i++) hits += use(cache, first + i);
  return hits;
}

/* How many of them are there; looks, and so uses them. */
static int present(weir_cache *cache, uint32_t first, uint32_t count) {
  int found = 0;
  for (uint32_t key = first; key < first + count; key++) {
    weir_value *value = NULL;
    found += weir_cache_lookup(cache, &key, sizeof key, &value) == WEIR_OK;
  }
  return found;
}

/* A few keys much used, many used once. */
static int use_popular(weir_cache *cache, uint32_t rounds, uint32_t popular, uint32_t *next_new) {
  int hits = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    hits += use(cache, i % popular);
    use(cache, (*next_new)++);
  }
  return hits;
}

static void lru_keeps_what_was_used_last_in_order(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_LRU, 50);
  use_range(cache, 0, 50);
  for (uint32_t key = 50; key > 0; key--) assert_int_equal(use(cache, key - 1), 1);
  /* The order is now 49 (oldest) to 0. */
  for (uint32_t key = 0; key < 50; key++) {
    assert_int_equal(use(cache, 1000 + key), 0);
    assert_int_equal(stats_of(cache).entries, 50);
    assert_int_equal(stats_of(cache).evicted, key + 1);
  }
  assert_int_equal(present(cache, 0, 50), 0);
  assert_int_equal(present(cache, 1000, 50), 50);
  weir_cache_unref(cache);
}

/* However often the cache was read since somebody wrote, and so whatever order is not kept. */
static void lru_keeps_what_was_read_among_very_many_reads(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_LRU, 100);
  use_range(cache, 0, 100);
  for (int i = 0; i < 2000; i++) assert_int_equal(present(cache, 3, 1), 1);
  assert_int_equal(present(cache, 0, 3), 3);
  use_range(cache, 1000, 10);
  assert_int_equal(present(cache, 0, 4), 4);
  assert_int_equal(present(cache, 4, 10), 0);
  weir_cache_unref(cache);
}

static void s3_fifo_keeps_what_was_used_through_a_scan(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_S3_FIFO, 100);
  weir_cache *lru = bounded_by(fx, WEIR_EVICTION_LRU, 100);
  for (int i = 0; i < 4; i++) {
    use_range(cache, 0, 50);
    use_range(lru, 0, 50);
  }
  use_range(cache, 1000, 150);
  use_range(lru, 1000, 150);
  assert_int_equal(present(cache, 0, 50), 50);
  assert_int_equal(present(lru, 0, 50), 0);
  weir_cache_unref(cache);
  weir_cache_unref(lru);
}

static void s3_fifo_takes_back_what_it_remembers(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_S3_FIFO, 100);
  use_range(cache, 0, 250);
  /* Evicted not long ago, so these enter the main queue, which a scan does not touch. A few may
   * have been forgotten: ghosts have places in common. */
  use_range(cache, 130, 20);
  use_range(cache, 1000, 60);
  assert_true(present(cache, 130, 20) >= 15);
  weir_cache_unref(cache);
}

/* What was taken back is forgotten: removed then, it comes as if for the first time. */
static void s3_fifo_remembers_nothing_of_what_was_removed(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_S3_FIFO, 100);
  use_range(cache, 0, 250);
  use_range(cache, 130, 20);
  for (uint32_t key = 130; key < 150; key++) weir_cache_invalidate(cache, &key, sizeof key);
  use_range(cache, 130, 20);
  use_range(cache, 1000, 60);
  assert_int_equal(present(cache, 130, 20), 0);
  weir_cache_unref(cache);
}

/* LRU has not one hit in a loop longer than the cache; the best possible are 99 of 120. */
static void adaptive_keeps_most_of_a_loop(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_ADAPTIVE, 100);
  weir_cache *lru = bounded_by(fx, WEIR_EVICTION_LRU, 100);
  int hits = 0;
  for (int i = 0; i < 40; i++) {
    hits += use_range(cache, 0, 120);
    assert_int_equal(use_range(lru, 0, 120), 0);
  }
  assert_true(hits > 40 * 120 * 3 / 4);
  weir_cache_unref(cache);
  weir_cache_unref(lru);
}

static void adaptive_keeps_the_popular_among_what_is_used_once(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_ADAPTIVE, 100);
  weir_cache *lru = bounded_by(fx, WEIR_EVICTION_LRU, 100);
  uint32_t new_key = 1000;
  uint32_t new_key_lru = 1000;
  int hits = use_popular(cache, 8000, 80, &new_key);
  int lru_hits = use_popular(lru, 8000, 80, &new_key_lru);
  assert_int_equal(lru_hits, 0);
  assert_true(hits > 8000 * 9 / 10);
  weir_cache_unref(cache);
  weir_cache_unref(lru);
}

/* Of a loop a little longer than the cache a sample may hold no more keys than it has room for, and
 * there LRU would hit always. With some of the hashes it does; in the cache it never hits. */
static void adaptive_keeps_most_of_a_loop_that_fits_into_a_sample(struct fixture *fx) {
  for (uint32_t first = 0; first < 20000; first += 1000) {
    weir_cache *cache = bounded_by(fx, WEIR_EVICTION_ADAPTIVE, 700);
    int hits = 0;
    for (int i = 0; i < 60; i++) hits += use_range(cache, first, 710);
    assert_true(hits > 60 * 710 * 4 / 5);
    weir_cache_unref(cache);
  }
}

/* What is used three times within a few dozen accesses and then never suits LRU alone. */
static int use_bursts(weir_cache *cache, uint32_t from, uint32_t rounds) {
  int hits = 0;
  for (uint32_t i = 60; i < rounds; i++) {
    hits += use(cache, from + i - 60);
    hits += use(cache, from + i - 30);
    hits += use(cache, from + i);
  }
  return hits;
}

static void adaptive_follows_the_workload_when_it_turns(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_ADAPTIVE, 100);
  weir_cache *lru = bounded_by(fx, WEIR_EVICTION_LRU, 100);
  for (int phase = 0; phase < 3; phase++) {
    int loop_hits = 0;
    for (int i = 0; i < 100; i++) {
      loop_hits += use_range(cache, 0, 130);
      use_range(lru, 0, 130);
    }
    assert_true(loop_hits > 100 * 130 / 2);
    uint32_t from = 100000 * (uint32_t)(phase + 1);
    int hits = use_bursts(cache, from, 5000);
    int lru_hits = use_bursts(lru, from, 5000);
    assert_true(hits > lru_hits * 9 / 10);
  }
  weir_cache_unref(cache);
  weir_cache_unref(lru);
}

/* However many keys were used once: what follows, each key used a second time soon, suits LRU. */
static void adaptive_follows_the_workload_after_a_long_scan(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_ADAPTIVE, 200);
  use_range(cache, 1000000, 20000);
  int hits = 0;
  for (uint32_t key = 1; key <= 8000; key++) {
    use(cache, key);
    if (key > 60) hits += use(cache, key - 60);
  }
  assert_true(hits > 8000 * 9 / 10);
  weir_cache_unref(cache);
}

/* No mode hits in a scan. It lasts until the cache watches fewer keys: that shows in its memory. */
static void adaptive_follows_the_workload_after_long_calm(struct fixture *fx) {
  weir_cache *cache = bounded_by(fx, WEIR_EVICTION_ADAPTIVE, 1000);
  use_range(cache, 0, 2000);
  uint64_t bytes = fx->memory.live_bytes;
  for (uint32_t turn = 1; turn <= 3; turn++) {
    use_range(cache, turn * 1000000, 200000);
    assert_true(fx->memory.live_bytes + 20000 < bytes);
    int hits = use_bursts(cache, turn * 1000000 + 500000, 10000);
    assert_true(hits > 2 * 10000 * 3 / 4);
  }
  weir_cache_unref(cache);
}

/* Through ghosts, sketch and shadows that were made for it. */
static void removing_and_writing_over_keep_the_count(struct fixture *fx) {
  for (uint32_t eviction = 0; eviction < 3; eviction++) {
    weir_cache *cache = bounded_by(fx, eviction, 64);
    for (uint32_t i = 0; i < 3000; i++) {
      uint32_t key = i * 7919 % 150;
      use(cache, key);
      if (i % 5 == 0) weir_cache_invalidate(cache, &key, sizeof key);
      if (i % 3 == 0) assert_int_equal(weir_cache_put(cache, &key, sizeof key, NULL), WEIR_OK);
      assert_true(stats_of(cache).entries <= 64);
    }
    assert_int_equal(weir_cache_clear(cache), WEIR_OK);
    assert_int_equal(stats_of(cache).entries, 0);
    use_range(cache, 0, 200);
    assert_int_equal(stats_of(cache).entries, 64);
    weir_cache_unref(cache);
  }
}

/* A bound of one leaves no choice, and must not leave the newest out. */
static void the_entry_just_written_stays(struct fixture *fx) {
  for (uint32_t eviction = 0; eviction < 3; eviction++) {
    for (int64_t entries = 1; entries <= 4; entries++) {
      weir_cache *cache = bounded_by(fx, eviction, entries);
      for (uint32_t i = 0; i < 400; i++) {
        uint32_t key = i * 31 % 17;
        use(cache, key);
        assert_int_equal(present(cache, key, 1), 1);
      }
      assert_int_equal(stats_of(cache).entries, entries);
      weir_cache_unref(cache);
    }
  }
}

static int64_t weigh_by_key(void *data, const void *key, size_t key_size, const weir_value *value) {
  (void)data, (void)value;
  uint32_t number = 0;
  memcpy(&number, key, key_size < sizeof number ? key_size : sizeof number);
  return number >= 1000;
}

/* Keys below 1000 weigh nothing: however many and old they are, others go for weight. */
static void what_weighs_nothing_is_not_evicted_for_weight(struct fixture *fx) {
  for (uint32_t eviction = 0; eviction < 3; eviction++) {
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.eviction = eviction;
    options.max_entries = WEIR_UNLIMITED;
    options.max_weight = 20;
    options.weigh = weigh_by_key;
    options.ttl_ms = WEIR_FOREVER;
    weir_cache *cache = new_cache(fx, &options);
    use_range(cache, 0, 200);
    use_range(cache, 1000, 300);
    assert_int_equal(stats_of(cache).weight, 20);
    assert_int_equal(stats_of(cache).entries, 220);
    assert_int_equal(present(cache, 0, 200), 200);
    weir_cache_unref(cache);
  }
}

TEST_MAIN("cache_eviction", TEST(lru_keeps_what_was_used_last_in_order),
          TEST(lru_keeps_what_was_read_among_very_many_reads),
          TEST(s3_fifo_keeps_what_was_used_through_a_scan),
          TEST(s3_fifo_takes_back_what_it_remembers),
          TEST(s3_fifo_remembers_nothing_of_what_was_removed), TEST(adaptive_keeps_most_of_a_loop),
          LONG_TEST(adaptive_keeps_most_of_a_loop_that_fits_into_a_sample),
          LONG_TEST(adaptive_keeps_the_popular_among_what_is_used_once),
          LONG_TEST(adaptive_follows_the_workload_when_it_turns),
          LONG_TEST(adaptive_follows_the_workload_after_a_long_scan),
          LONG_TEST(adaptive_follows_the_workload_after_long_calm),
          TEST(removing_and_writing_over_keep_the_count), TEST(the_entry_just_written_stays),
          TEST(what_weighs_nothing_is_not_evicted_for_weight))
