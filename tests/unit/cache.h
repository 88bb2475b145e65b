/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_CACHE_H
#define WEIR_TESTS_CACHE_H

/* What the tests of the cache share: caches by options, keys that are texts, values that are
 * numbers, and a listener that writes down what left. */

#include "support.h"

/* Asserts that it could be made. */
static inline weir_cache *new_cache(struct fixture *fx, const weir_cache_options *options) {
  weir_cache *cache = NULL;
  weir_error *error = NULL;
  weir_status status = weir_cache_new(fx->runtime, options, &cache, &error);
  if (status != WEIR_OK && !under_oom()) print_error("%s\n", weir_error_message(error));
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  return cache;
}

/* With a bound and no lifetimes. */
static inline weir_cache *new_bounded(struct fixture *fx, int64_t max_entries) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = max_entries;
  options.ttl_ms = WEIR_FOREVER;
  return new_cache(fx, &options);
}

static inline weir_status put_number(struct fixture *fx, weir_cache *cache, const char *key,
                                     int64_t number) {
  weir_value *value = number_value(fx, number);
  weir_status status = weir_cache_put(cache, key, strlen(key), value);
  weir_value_unref(value);
  return status;
}

static inline weir_status put_number_for(struct fixture *fx, weir_cache *cache, const char *key,
                                         int64_t number, int64_t ttl_ms) {
  weir_value *value = number_value(fx, number);
  weir_status status = weir_cache_put_for(cache, key, strlen(key), value, ttl_ms);
  weir_value_unref(value);
  return status;
}

enum { ABSENT = -1000 };

/* The number, or ABSENT. */
static inline int64_t look(weir_cache *cache, const char *key) {
  weir_value *value = NULL;
  weir_status status = weir_cache_lookup(cache, key, strlen(key), &value);
  int64_t number = status == WEIR_OK ? value_number(value) : ABSENT;
  weir_value_unref(value);
  return number;
}

static inline weir_status invalidate(weir_cache *cache, const char *key) {
  return weir_cache_invalidate(cache, key, strlen(key));
}

static inline weir_cache_stats stats_of(weir_cache *cache) {
  weir_cache_stats stats = {0};
  stats.size = sizeof stats;
  weir_cache_get_stats(cache, &stats);
  return stats;
}

/* What on_evict was told, as text: "a:1 replaced, b:2 size". */
struct departures {
  struct fixture *fx;
  char text[512];
  uint64_t count;
  uint64_t weight;
  void (*then)(struct departures *self, weir_cache *cache, const weir_eviction *eviction);
  void *user;
};

static inline void note_departure(void *data, weir_cache *cache, const weir_eviction *eviction) {
  static const char *const causes[] = {"?", "expired", "size", "replaced", "explicit", "cleared"};
  struct departures *self = data;
  size_t used = strlen(self->text);
  snprintf(self->text + used, sizeof self->text - used, "%s%.*s:%lld %s", used == 0 ? "" : ", ",
           (int)eviction->key_size, (const char *)eviction->key,
           (long long)value_number(eviction->value),
           eviction->cause < COUNT_OF(causes) ? causes[eviction->cause] : causes[0]);
  self->count++;
  self->weight += eviction->weight;
  expect(self->fx, eviction->size == sizeof *eviction, "an eviction says its size");
  if (self->then != NULL) self->then(self, cache, eviction);
}

#endif
