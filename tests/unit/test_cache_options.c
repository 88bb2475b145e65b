/* SPDX-License-Identifier: MIT */
/* What the cache refuses: options that cannot be or contradict each other (C08), keys and lifetimes
 * beyond their limits (K10), handles that are none. */

#include "cache.h"
#include "support_options.h"

static int64_t weigh_one(void *data, const void *key, size_t key_size, const weir_value *value) {
  (void)data, (void)key, (void)key_size, (void)value;
  return 1;
}

static void fill_cache(struct fixture *fx, void *options) {
  (void)fx;
  weir_cache_options *cache = options;
  *cache = (weir_cache_options)WEIR_CACHE_OPTIONS_INIT;
  cache->weigh = weigh_one;
}

static weir_status create_cache(struct fixture *fx, const void *options, weir_error **error) {
  weir_cache *cache = NULL;
  weir_status status = weir_cache_new(fx->runtime, options, &cache, error);
  weir_cache_unref(cache);
  return status;
}

#define I64(member, value, legal) OPTION(weir_cache_options, member, OPTION_I64, value, legal)
#define U32(member, value, legal) OPTION(weir_cache_options, member, OPTION_U32, value, legal)

static const struct option_row cache_rows[] = {
    U32(eviction, WEIR_EVICTION_S3_FIFO, 1),
    U32(eviction, WEIR_EVICTION_LRU, 1),
    U32(eviction, 3, 0),
    I64(max_entries, 0, 1),
    I64(max_entries, 1, 1),
    I64(max_entries, UINT32_MAX, 1),
    I64(max_entries, INT64_C(1) << 32, 0),
    I64(max_entries, WEIR_UNLIMITED, 1),
    I64(max_entries, -2, 0),
    I64(max_entries, INT64_MIN, 0),
    I64(max_weight, 0, 1),
    I64(max_weight, INT64_MAX, 1),
    I64(max_weight, -2, 0),
    I64(ttl_ms, 0, 1),
    I64(ttl_ms, WEIR_FOREVER, 1),
    I64(ttl_ms, INT64_MAX, 1),
    I64(ttl_ms, -2, 0),
    I64(idle_ms, 0, 1),
    I64(idle_ms, WEIR_OFF, 1),
    I64(idle_ms, INT64_MAX, 1),
    I64(idle_ms, -2, 0),
    I64(load_timeout_ms, 0, 1),
    I64(load_timeout_ms, WEIR_FOREVER, 1),
    I64(load_timeout_ms, -2, 0),
    I64(refresh_ms, 0, 1),
    I64(refresh_ms, 300000, 1),
    I64(refresh_ms, 300001, 0), /* above ttl_ms */
    I64(refresh_ms, -2, 0),
    I64(stale_if_error_ms, 0, 1),
    I64(stale_if_error_ms, INT64_MAX, 1),
    I64(stale_if_error_ms, -2, 0),
    I64(negative_ttl_ms, 0, 1),
    I64(negative_ttl_ms, -2, 0),
    U32(shards, 1, 1),
    U32(shards, 3, 1),
    U32(shards, 256, 1),
    U32(shards, 257, 0),
    U32(reserved, 1, 0),
};

static const struct option_table cache_table = {
    .subject = "cache",
    .size = sizeof(weir_cache_options),
    .fill = fill_cache,
    .create = create_cache,
    .rows = cache_rows,
    .count = COUNT_OF(cache_rows),
};

static void C08_each_option_has_its_limits(struct fixture *fx) {
  check_option_values(fx, &cache_table);
}

static void C08_options_of_other_sizes(struct fixture *fx) { check_option_sizes(fx, &cache_table); }

OPTION_INIT(cache_options)

static void C08_the_init_function_writes_the_defaults(struct fixture *fx) {
  (void)fx;
  static const weir_cache_options defaults = WEIR_CACHE_OPTIONS_INIT;
  check_option_init(init_cache_options, &defaults, sizeof defaults);
}

static void C08_a_bound_of_weight_needs_weigh(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  weir_cache *cache = NULL;
  weir_error *error = NULL;
  options.max_weight = 10;
  assert_refused(weir_cache_new(fx->runtime, &options, &cache, &error), WEIR_EINVAL, &error,
                 "cache.max_weight needs weigh (got 10 and NULL)");
  assert_null(cache);
}

static void C08_a_refresh_after_any_time_needs_no_end(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = WEIR_FOREVER;
  options.refresh_ms = INT64_MAX;
  assert_int_equal(create_cache(fx, &options, NULL), WEIR_OK);
}

/* Refused or not, each function's data is freed once. */
static void C08_callbacks_are_freed_once_whatever_happens(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  unsigned weigh_freed = 0;
  unsigned expire_freed = 0;
  unsigned evict_freed = 0;
  options.weigh = weigh_one;
  options.weigh_data = &weigh_freed;
  options.weigh_free_data = count_free;
  options.expire_data = &expire_freed;
  options.expire_free_data = count_free;
  options.evict_data = &evict_freed;
  options.evict_free_data = count_free;
  weir_cache *cache = NULL;
  options.ttl_ms = -7;
  assert_int_equal(weir_cache_new(fx->runtime, &options, &cache, NULL), WEIR_EINVAL);
  assert_int_equal(weigh_freed + 10 * expire_freed + 100 * evict_freed, 111);
  options.ttl_ms = 5;
  assert_int_equal(weir_cache_new(NULL, &options, &cache, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_new(fx->runtime, &options, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weigh_freed + 10 * expire_freed + 100 * evict_freed, 333);
  weir_status status = weir_cache_new(fx->runtime, &options, &cache, NULL);
  if (status != WEIR_OK) assert_int_equal(weigh_freed, 4); /* without memory */
  assert_int_equal(status, WEIR_OK);
  assert_int_equal(weigh_freed, 3);
  weir_cache_unref(cache);
  assert_int_equal(weigh_freed + 10 * expire_freed + 100 * evict_freed, 444);
}

/* ---- arguments ---- */

static void C08_handles_and_pointers_that_are_none(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 10);
  weir_value *value = NULL;
  uint64_t cursor = 0;
  size_t count = 7;
  weir_cache_entry entry;
  weir_cache_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_cache_lookup(NULL, "a", 1, &value), WEIR_EINVAL);
  assert_int_equal(weir_cache_lookup(cache, NULL, 1, &value), WEIR_EINVAL);
  assert_int_equal(weir_cache_lookup(cache, "a", 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_lookup_copy(NULL, "a", 1, NULL, 0, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_lookup_copy(cache, "a", 1, NULL, 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_put(NULL, "a", 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_put(cache, NULL, 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_put_for(cache, "a", 1, NULL, -2), WEIR_EINVAL);
  assert_int_equal(weir_cache_put_if_absent(NULL, "a", 1, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_touch(NULL, "a", 1, 5), WEIR_EINVAL);
  assert_int_equal(weir_cache_touch(cache, "a", 1, -2), WEIR_EINVAL);
  assert_int_equal(weir_cache_invalidate(NULL, "a", 1), WEIR_EINVAL);
  assert_int_equal(weir_cache_clear(NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_scan(NULL, &cursor, &entry, sizeof entry, 1, &count), WEIR_EINVAL);
  assert_int_equal(count, 0);
  assert_int_equal(weir_cache_scan(cache, NULL, &entry, sizeof entry, 1, &count), WEIR_EINVAL);
  assert_int_equal(weir_cache_scan(cache, &cursor, NULL, sizeof entry, 1, &count), WEIR_EINVAL);
  assert_int_equal(weir_cache_scan(cache, &cursor, &entry, sizeof entry, 0, &count), WEIR_EINVAL);
  assert_int_equal(weir_cache_scan(cache, &cursor, &entry, sizeof entry, 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_scan(cache, &cursor, &entry, 8, 1, &count), WEIR_EABI);
  assert_int_equal(weir_cache_get_stats(NULL, &stats), WEIR_EINVAL);
  assert_int_equal(weir_cache_get_stats(cache, NULL), WEIR_EINVAL);
  stats.size = 0;
  assert_int_equal(weir_cache_get_stats(cache, &stats), WEIR_EABI);
  weir_cache_unref(cache);
  weir_cache_unref(NULL);
  assert_null(weir_cache_ref(NULL));
}

static void K10_keys_of_any_bytes_up_to_their_limit(struct fixture *fx) {
  enum { LIMIT = (1 << 24) - 1 };
  weir_cache *cache = new_bounded(fx, 10);
  char *long_key = calloc(1, LIMIT + 1);
  assert_non_null(long_key);
  static const struct {
    const char *key;
    size_t size;
  } keys[] = {{"", 0}, {NULL, 0}, {"a\0b", 3}, {"a\0c", 3}, {"a", 1}, {"\0", 1}};
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    weir_value *value = number_value(fx, (int64_t)i);
    assert_int_equal(weir_cache_put(cache, keys[i].key, keys[i].size, value), WEIR_OK);
    weir_value_unref(value);
  }
  assert_int_equal(weir_cache_put(cache, long_key, LIMIT + 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_put(cache, long_key, LIMIT, NULL), WEIR_OK);
  long_key[LIMIT - 1] = 1;
  weir_value *found = NULL;
  assert_int_equal(weir_cache_lookup(cache, long_key, LIMIT, &found), WEIR_ENOTFOUND);
  long_key[LIMIT - 1] = 0;
  assert_int_equal(weir_cache_lookup(cache, long_key, LIMIT, &found), WEIR_OK);
  assert_null(found);
  free(long_key);
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    weir_status status = weir_cache_lookup(cache, keys[i].key, keys[i].size, &found);
    assert_int_equal(status, WEIR_OK);
    assert_int_equal(value_number(found), i == 0 ? 1 : (int64_t)i); /* the empty key is one key */
    weir_value_unref(found);
  }
  weir_cache_unref(cache);
}

TEST_MAIN("cache options", TEST(C08_each_option_has_its_limits), TEST(C08_options_of_other_sizes),
          TEST(C08_the_init_function_writes_the_defaults), TEST(C08_a_bound_of_weight_needs_weigh),
          TEST(C08_a_refresh_after_any_time_needs_no_end),
          TEST(C08_callbacks_are_freed_once_whatever_happens),
          TEST(C08_handles_and_pointers_that_are_none),
          LONG_TEST(K10_keys_of_any_bytes_up_to_their_limit))
