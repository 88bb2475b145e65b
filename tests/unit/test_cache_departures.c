/* SPDX-License-Identifier: MIT */
/* What the cache tells of entries that left, and what its functions may do meanwhile (K09). */

#include "cache.h"

static weir_cache *new_telling(struct fixture *fx, struct departures *told, int64_t max_entries) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = max_entries;
  options.eviction = WEIR_EVICTION_LRU;
  options.on_evict = note_departure;
  options.evict_data = told;
  told->fx = fx;
  return new_cache(fx, &options);
}

static void entries_are_told_after_the_call_and_in_order(struct fixture *fx) {
  struct departures told = {0};
  weir_cache *cache = new_telling(fx, &told, 3);
  char key[16];
  for (int i = 0; i < 6; i++) {
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
  }
  assert_int_equal(told.count, 0);
  run_until_idle(fx);
  assert_string_equal(told.text, "k0:0 size, k1:1 size, k2:2 size");
  assert_int_equal(told.weight, 3);
  weir_cache_unref(cache);
  run_until_idle(fx);
  assert_int_equal(told.count, 3); /* not of what goes with the cache */
}

static void a_null_value_leaves_as_one(struct fixture *fx) {
  struct departures told = {0};
  weir_cache *cache = new_telling(fx, &told, 3);
  assert_int_equal(weir_cache_put(cache, "", 0, NULL), WEIR_OK);
  assert_int_equal(weir_cache_invalidate(cache, NULL, 0), WEIR_OK);
  run_until_idle(fx);
  assert_string_equal(told.text, ":-1 explicit");
  weir_cache_unref(cache);
}

/* An expired entry leaves as expired, whoever takes it out. */
static void what_was_expired_left_as_expired(struct fixture *fx) {
  struct departures told = {0};
  weir_cache *cache = new_telling(fx, &told, 10);
  weir_value *value = number_value(fx, 1);
  static const char *const keys[] = {"a", "b", "c"};
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    assert_int_equal(weir_cache_put_for_at(cache, keys[i], 1, value, 5, now_ns(fx) - 6 * MS),
                     WEIR_OK);
  }
  assert_int_equal(weir_cache_put(cache, "a", 1, value), WEIR_OK);
  assert_int_equal(invalidate(cache, "b"), WEIR_ENOTFOUND);
  assert_int_equal(weir_cache_clear(cache), WEIR_OK);
  run_until_idle(fx);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.expired, 3);
  assert_int_equal(stats.replaced, 0);
  assert_int_equal(stats.invalidated, 0);
  assert_int_equal(stats.cleared, 1);
  assert_int_equal(told.count, 4);
  weir_value_unref(value);
  weir_cache_unref(cache);
}

static void put_again(struct departures *self, weir_cache *cache, const weir_eviction *eviction) {
  if (self->count > 5) return;
  weir_cache_put(cache, eviction->key, eviction->key_size, eviction->value);
  weir_cache_stats stats = {.size = sizeof stats};
  weir_cache_get_stats(cache, &stats);
  expect(self->fx, stats.entries <= 2, "the bound holds");
}

static void K09_on_evict_may_write_to_the_cache(struct fixture *fx) {
  struct departures told = {.then = put_again};
  weir_cache *cache = new_telling(fx, &told, 2);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 3), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(told.count, 6); /* each put again drove the next one out */
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.entries, 2);
  assert_int_equal(stats.weight, 2);
  assert_int_equal(stats.puts, 8);
  weir_cache_unref(cache);
}

static void give_back(struct departures *self, weir_cache *cache, const weir_eviction *eviction) {
  (void)eviction;
  if (self->count == 1) weir_cache_unref(cache);
}

static void K09_on_evict_may_give_the_cache_back(struct fixture *fx) {
  if (under_oom()) return; /* the test's reference would be given back twice */
  struct departures told = {.then = give_back};
  weir_cache *cache = new_telling(fx, &told, 1);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 3), WEIR_OK);
  run_until_idle(fx);
  assert_string_equal(told.text, "a:1 size, b:2 size");
}

static void hold_and_drop(struct departures *self, weir_cache *cache,
                          const weir_eviction *eviction) {
  (void)self;
  (void)eviction;
  weir_cache_ref(cache);
  weir_cache_unref(cache);
}

/* What is to be told holds the cache by nothing that a user has. */
static void K09_on_evict_may_hold_a_cache_that_everybody_has_left(struct fixture *fx) {
  struct departures told = {.then = hold_and_drop};
  weir_cache *cache = new_telling(fx, &told, 1);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 3), WEIR_OK);
  weir_cache_unref(cache);
  run_until_idle(fx);
  assert_string_equal(told.text, "a:1 size, b:2 size");
}

static void keep_the_cache(struct departures *self, weir_cache *cache,
                           const weir_eviction *eviction) {
  (void)eviction;
  self->user = weir_cache_ref(cache);
}

static void K09_on_evict_may_keep_a_cache_that_everybody_has_left(struct fixture *fx) {
  struct departures told = {.then = keep_the_cache};
  weir_cache *cache = new_telling(fx, &told, 1);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  weir_cache_unref(cache);
  run_until_idle(fx);
  assert_ptr_equal(told.user, cache);
  assert_int_equal(look(cache, "b"), 2);
  assert_int_equal(put_number(fx, cache, "b", 3), WEIR_OK);
  told.then = NULL;
  run_until_idle(fx);
  assert_string_equal(told.text, "a:1 size, b:2 replaced");
  weir_cache_unref(cache);
}

static void write_and_remove(struct departures *self, weir_cache *cache,
                             const weir_eviction *eviction) {
  unsigned *times = self->user;
  times[*(const char *)eviction->key - 'a']++;
  self->text[0] = '\0';
  if (self->count > 200) return;
  weir_cache_put(cache, eviction->key, eviction->key_size, eviction->value);
  weir_cache_invalidate(cache, eviction->key, eviction->key_size);
}

/* What leaves one shard again and again keeps nobody from hearing of another. */
static void departures_of_all_shards_are_told_in_turn(struct fixture *fx) {
  unsigned times[16] = {0};
  struct departures told = {.then = write_and_remove, .user = times, .fx = fx};
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.shards = 4;
  options.on_evict = note_departure;
  options.evict_data = &told;
  weir_cache *cache = new_cache(fx, &options);
  for (char key = 'a'; key < 'a' + 16; key++) {
    assert_int_equal(weir_cache_put(cache, &key, 1, NULL), WEIR_OK);
    assert_int_equal(weir_cache_invalidate(cache, &key, 1), WEIR_OK);
  }
  run_until_idle(fx);
  for (size_t i = 0; i < COUNT_OF(times); i++) assert_true(times[i] > 1);
  weir_cache_unref(cache);
}

static void an_evicted_value_may_be_kept(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 1);
  weir_value *kept = NULL;
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(weir_cache_lookup(cache, "a", 1, &kept), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(value_number(kept), 1);
  weir_value_unref(kept);
  weir_cache_unref(cache);
}

/* ---- weigh ---- */

struct weighing {
  weir_cache *cache;
  int depth;
  weir_value *meanwhile; /* nullable; borrowed */
};

static int64_t weigh_and_write(void *data, const void *key, size_t key_size,
                               const weir_value *value) {
  struct weighing *self = data;
  if (self->cache != NULL && self->depth++ == 0) {
    weir_cache_put(self->cache, "inner", 5, NULL);
    weir_cache_put(self->cache, key, key_size, NULL); /* the key of the put that asks */
    weir_cache_clear(self->cache);
    weir_cache_put(self->cache, "inner", 5, NULL);
    self->depth = 0;
  }
  return value == NULL ? 1 : value_number(value);
}

static void K09_weigh_may_write_to_the_cache(struct fixture *fx) {
  struct weighing weighing = {0};
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 10;
  options.max_weight = 20;
  options.weigh = weigh_and_write;
  options.weigh_data = &weighing;
  weir_cache *cache = new_cache(fx, &options);
  weighing.cache = cache;
  assert_int_equal(put_number(fx, cache, "a", 5), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 7), WEIR_OK);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.entries, 2); /* inner and b */
  assert_int_equal(stats.weight, 8);
  assert_int_equal(put_number(fx, cache, "c", 30), WEIR_EFULL);
  assert_int_equal(put_number(fx, cache, "c", -1), WEIR_EFAILED);
  stats = stats_of(cache);
  assert_int_equal(stats.entries, 1);
  assert_int_equal(stats.weight, 1);
  weir_cache_unref(cache);
}

/* ---- put_if_absent ---- */

static void put_if_absent_gives_what_is_there(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 10);
  weir_value *one = number_value(fx, 1);
  weir_value *two = number_value(fx, 2);
  weir_value *existing = two;
  assert_int_equal(weir_cache_put_if_absent(cache, "a", 1, one, &existing), WEIR_OK);
  assert_null(existing);
  assert_int_equal(weir_cache_put_if_absent(cache, "a", 1, two, &existing), WEIR_EEXISTS);
  assert_ptr_equal(existing, one);
  weir_value_unref(existing);
  assert_int_equal(weir_cache_put_if_absent(cache, "a", 1, two, NULL), WEIR_EEXISTS);
  assert_int_equal(look(cache, "a"), 1);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.hits, 1);
  assert_int_equal(stats.puts, 1);
  weir_value_unref(one);
  weir_value_unref(two);
  weir_cache_unref(cache);
}

static void put_if_absent_replaces_what_has_expired(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 10;
  weir_cache *cache = new_cache(fx, &options);
  weir_value *one = number_value(fx, 1);
  int64_t now = now_ns(fx);
  assert_int_equal(weir_cache_put_if_absent_at(cache, "a", 1, one, now, NULL), WEIR_OK);
  assert_int_equal(weir_cache_put_if_absent_at(cache, "a", 1, one, now + 10 * MS - 1, NULL),
                   WEIR_EEXISTS);
  assert_int_equal(weir_cache_put_if_absent_at(cache, "a", 1, one, now + 10 * MS, NULL), WEIR_OK);
  assert_int_equal(stats_of(cache).expired, 1);
  weir_value_unref(one);
  weir_cache_unref(cache);
}

static int64_t weigh_and_put(void *data, const void *key, size_t key_size,
                             const weir_value *value) {
  struct weighing *self = data;
  if (self->depth++ == 0) weir_cache_put(self->cache, key, key_size, self->meanwhile);
  return value == NULL ? 1 : value_number(value);
}

/* What somebody put in the meantime is not taken away by what is too heavy to be put. */
static void K05_put_if_absent_of_too_much_takes_nothing_away(struct fixture *fx) {
  struct weighing weighing = {0};
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_weight = 20;
  options.weigh = weigh_and_put;
  options.weigh_data = &weighing;
  weir_cache *cache = weighing.cache = new_cache(fx, &options);
  weir_value *heavy = number_value(fx, 21);
  assert_int_equal(weir_cache_put_if_absent(cache, "a", 1, heavy, NULL), WEIR_EFULL);
  weir_value *found = heavy;
  assert_int_equal(weir_cache_lookup(cache, "a", 1, &found), WEIR_OK);
  assert_null(found);
  assert_int_equal(stats_of(cache).refused, 1);
  weir_value_unref(heavy);
  weir_cache_unref(cache);
}

static void K09_put_if_absent_gives_what_came_while_it_was_weighed(struct fixture *fx) {
  struct weighing weighing = {0};
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.weigh = weigh_and_put;
  options.weigh_data = &weighing;
  weir_cache *cache = weighing.cache = new_cache(fx, &options);
  weir_value *one = weighing.meanwhile = number_value(fx, 1);
  weir_value *two = number_value(fx, 2);
  weir_value *existing = NULL;
  assert_int_equal(weir_cache_put_if_absent(cache, "a", 1, two, &existing), WEIR_EEXISTS);
  assert_ptr_equal(existing, one);
  weir_value_unref(existing);
  weighing.depth = 0;
  assert_int_equal(weir_cache_put_if_absent(cache, "b", 1, two, NULL), WEIR_EEXISTS);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(look(cache, "b"), 1);
  assert_int_equal(stats_of(cache).puts, 2);
  weir_value_unref(one);
  weir_value_unref(two);
  weir_cache_unref(cache);
}

/* An expired entry is no entry to what is too heavy, and not replaced by it either. */
static void what_had_expired_goes_as_expired_when_too_much_is_put(struct fixture *fx) {
  struct weighing weighing = {.depth = 1};
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_weight = 20;
  options.weigh = weigh_and_put;
  options.weigh_data = &weighing;
  weir_cache *cache = new_cache(fx, &options);
  weir_value *light = number_value(fx, 1);
  weir_value *heavy = number_value(fx, 21);
  int64_t before = now_ns(fx) - 6 * MS;
  assert_int_equal(weir_cache_put_for_at(cache, "a", 1, light, 5, before), WEIR_OK);
  assert_int_equal(weir_cache_put_for_at(cache, "b", 1, light, 5, before), WEIR_OK);
  assert_int_equal(weir_cache_put(cache, "a", 1, heavy), WEIR_EFULL);
  assert_int_equal(weir_cache_put_if_absent(cache, "b", 1, heavy, NULL), WEIR_EFULL);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.entries, 0);
  assert_int_equal(stats.expired, 2);
  assert_int_equal(stats.replaced, 0);
  weir_value_unref(light);
  weir_value_unref(heavy);
  weir_cache_unref(cache);
}

/* ---- copying ---- */

static void a_copy_says_how_much_there_is(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 10);
  char large[1000];
  char buffer[1000];
  memset(large, 'x', sizeof large);
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, large, sizeof large, &value), WEIR_OK);
  assert_int_equal(weir_cache_put(cache, "large", 5, value), WEIR_OK);
  weir_value_unref(value);
  assert_int_equal(weir_value_new_pointer(fx->runtime, large, NULL, &value), WEIR_OK);
  assert_int_equal(weir_cache_put(cache, "pointer", 7, value), WEIR_OK);
  weir_value_unref(value);
  assert_int_equal(weir_cache_put(cache, "null", 4, NULL), WEIR_OK);
  static const size_t capacities[] = {0, 1, 256, 257, 1000};
  for (size_t i = 0; i < COUNT_OF(capacities); i++) {
    size_t size = 0;
    memset(buffer, 0, sizeof buffer);
    assert_int_equal(weir_cache_lookup_copy(cache, "large", 5, buffer, capacities[i], &size),
                     WEIR_OK);
    assert_int_equal(size, 1000);
    assert_memory_equal(buffer, large, capacities[i]);
    assert_true(capacities[i] == 1000 || buffer[capacities[i]] == 0);
  }
  size_t size = 5;
  assert_int_equal(weir_cache_lookup_copy(cache, "pointer", 7, buffer, 10, &size), WEIR_ENOTSUP);
  assert_int_equal(size, 0);
  assert_int_equal(weir_cache_lookup_copy(cache, "null", 4, buffer, 10, NULL), WEIR_ENOTSUP);
  assert_int_equal(weir_cache_lookup_copy(cache, "large", 5, NULL, 0, NULL), WEIR_OK);
  assert_int_equal(weir_cache_lookup_copy(cache, "none", 4, buffer, 10, &size), WEIR_ENOTFOUND);
  weir_cache_unref(cache);
}

/* ---- events ---- */

static struct {
  unsigned events;
  uint64_t count;
  char name[16];
} heard;

static void hear(void *data, const weir_event *event) {
  (void)data;
  if (event->kind != WEIR_EVENT_EVICTION) return;
  heard.events++;
  heard.count += event->count;
  snprintf(heard.name, sizeof heard.name, "%s", event->name);
}

static void the_event_listener_hears_of_evictions(struct fixture *fx) {
  memset(&heard, 0, sizeof heard);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.on_event = hear;
  remake_runtime(fx, &options);
  weir_cache_options cache_options = WEIR_CACHE_OPTIONS_INIT;
  cache_options.max_entries = 2;
  cache_options.name = "users";
  weir_cache *cache = new_cache(fx, &cache_options);
  static const char *const keys[] = {"a", "b", "c", "d", "e"};
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    assert_int_equal(put_number(fx, cache, keys[i], 1), WEIR_OK);
  }
  assert_int_equal(heard.events, 0);
  run_until_idle(fx);
  assert_int_equal(heard.events, 1);
  assert_int_equal(heard.count, 3);
  assert_string_equal(heard.name, "users");
  assert_int_equal(invalidate(cache, "e"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(heard.events, 1);
  weir_cache_unref(cache);
}

TEST_MAIN("cache departures", TEST(entries_are_told_after_the_call_and_in_order),
          TEST(a_null_value_leaves_as_one), TEST(what_was_expired_left_as_expired),
          TEST(K09_on_evict_may_write_to_the_cache), TEST(K09_on_evict_may_give_the_cache_back),
          TEST(K09_on_evict_may_hold_a_cache_that_everybody_has_left),
          TEST(K09_on_evict_may_keep_a_cache_that_everybody_has_left),
          TEST(K05_put_if_absent_of_too_much_takes_nothing_away),
          TEST(K09_put_if_absent_gives_what_came_while_it_was_weighed),
          TEST(what_had_expired_goes_as_expired_when_too_much_is_put),
          TEST(departures_of_all_shards_are_told_in_turn), TEST(an_evicted_value_may_be_kept),
          TEST(K09_weigh_may_write_to_the_cache), TEST(put_if_absent_gives_what_is_there),
          TEST(put_if_absent_replaces_what_has_expired), TEST(a_copy_says_how_much_there_is),
          TEST(the_event_listener_hears_of_evictions))
