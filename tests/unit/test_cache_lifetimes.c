/* SPDX-License-Identifier: MIT */
/* How long the cache's entries live: after they were written and used, by their put, by the expire
 * function; and how they are swept. */

#include "cache.h"

static weir_cache *new_lived(struct fixture *fx, int64_t ttl_ms, int64_t idle_ms) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = ttl_ms;
  options.idle_ms = idle_ms;
  return new_cache(fx, &options);
}

static void K06_a_lifetime_of_zero_is_over_at_once(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 0, WEIR_OFF);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(put_number_for(fx, cache, "a", 2, 5), WEIR_OK);
  assert_int_equal(look(cache, "a"), 2);
  assert_int_equal(put_number(fx, cache, "a", 3), WEIR_OK); /* takes the old one with it */
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(stats_of(cache).entries, 0);
  weir_cache_unref(cache);
}

/* The same with the time given. */
static void K06_the_boundary_is_a_nanosecond(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 10, WEIR_OFF);
  weir_value *value = number_value(fx, 1);
  weir_value *found = NULL;
  int64_t now = now_ns(fx);
  assert_int_equal(weir_cache_put_at(cache, "a", 1, value, now), WEIR_OK);
  assert_int_equal(weir_cache_put_for_at(cache, "b", 1, value, 3, now), WEIR_OK);
  assert_int_equal(weir_cache_lookup_at(cache, "a", 1, now + 10 * MS - 1, &found), WEIR_OK);
  weir_value_unref(found);
  assert_int_equal(weir_cache_lookup_at(cache, "a", 1, now + 10 * MS, &found), WEIR_ENOTFOUND);
  assert_null(found);
  char bytes[8];
  size_t size = 0;
  assert_int_equal(
      weir_cache_lookup_copy_at(cache, "b", 1, now + 3 * MS - 1, bytes, sizeof bytes, &size),
      WEIR_OK);
  assert_int_equal(size, 8);
  assert_int_equal(
      weir_cache_lookup_copy_at(cache, "b", 1, now + 3 * MS, bytes, sizeof bytes, &size),
      WEIR_ENOTFOUND);
  assert_int_equal(size, 0);
  weir_value_unref(value);
  weir_cache_unref(cache);
}

static void an_idle_time_begins_anew_with_each_use(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 100, 10);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  for (int i = 0; i < 9; i++) {
    advance_ns(fx, 10 * MS - 1);
    assert_int_equal(look(cache, "a"), 1);
  }
  assert_int_equal(look(cache, "b"), ABSENT);
  assert_int_equal(stats_of(cache).expired, 1); /* b was swept, a moved on */
  advance_ms(fx, 10);
  assert_int_equal(look(cache, "a"), ABSENT); /* whichever comes first */
  advance_ms(fx, 20);
  assert_int_equal(stats_of(cache).entries, 0);
  weir_cache_unref(cache);
}

static void a_lifetime_of_its_own_replaces_those_of_the_cache(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 100, 10);
  assert_int_equal(put_number_for(fx, cache, "long", 1, 1000), WEIR_OK);
  assert_int_equal(put_number_for(fx, cache, "short", 2, 5), WEIR_OK);
  assert_int_equal(put_number_for(fx, cache, "ever", 3, WEIR_FOREVER), WEIR_OK);
  advance_ms(fx, 5);
  assert_int_equal(look(cache, "short"), ABSENT);
  advance_ms(fx, 994);
  assert_int_equal(look(cache, "long"), 1);
  advance_ms(fx, 1);
  assert_int_equal(look(cache, "long"), ABSENT);
  advance_ms(fx, 1000000);
  assert_int_equal(look(cache, "ever"), 3);
  assert_int_equal(stats_of(cache).entries, 1);
  weir_cache_unref(cache);
}

static uint64_t timers(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  weir_runtime_get_stats(fx->runtime, &stats);
  return stats.timers;
}

static void K17_an_update_arms_the_end_anew_and_forever_frees_it(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 100, WEIR_OFF);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(timers(fx), 1);
  advance_ms(fx, 90);
  assert_int_equal(put_number(fx, cache, "a", 2), WEIR_OK);
  advance_ms(fx, 90);
  assert_int_equal(look(cache, "a"), 2);
  assert_int_equal(put_number_for(fx, cache, "a", 3, WEIR_FOREVER), WEIR_OK);
  advance_ms(fx, 1000); /* the timer wakes once more, and finds nothing */
  assert_int_equal(timers(fx), 0);
  assert_int_equal(look(cache, "a"), 3);
  assert_int_equal(stats_of(cache).expired, 0);
  weir_cache_unref(cache);
}

static void an_earlier_end_wakes_the_timer_earlier(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 100000, WEIR_OFF);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(put_number_for(fx, cache, "b", 2, 50), WEIR_OK);
  advance_ms(fx, 70);
  assert_int_equal(stats_of(cache).entries, 1);
  advance_ms(fx, 100000);
  assert_int_equal(stats_of(cache).entries, 0);
  weir_cache_unref(cache);
}

static void a_later_end_does_not_trouble_the_engine(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 10);
  run_until_idle(fx);
  assert_int_equal(put_number_for(fx, cache, "a", 1, 100), WEIR_OK);
  assert_true(weir_testing_run_until_idle(fx->runtime) > 0);
  assert_int_equal(put_number_for(fx, cache, "b", 2, 200), WEIR_OK);
  assert_int_equal(weir_testing_run_until_idle(fx->runtime), 0);
  assert_int_equal(put_number_for(fx, cache, "c", 3, 50), WEIR_OK);
  assert_true(weir_testing_run_until_idle(fx->runtime) > 0);
  weir_cache_unref(cache);
}

static void writing_over_a_key_moves_its_end_both_ways(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 100, WEIR_OFF);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(put_number_for(fx, cache, "a", 2, 1000), WEIR_OK);
  advance_ms(fx, 999); /* past the first end */
  assert_int_equal(look(cache, "a"), 2);
  assert_int_equal(stats_of(cache).expired, 0);
  advance_ms(fx, 1);
  assert_int_equal(look(cache, "a"), ABSENT);
  advance_ms(fx, 20);
  assert_int_equal(stats_of(cache).expired, 1); /* swept at the second */
  assert_int_equal(put_number_for(fx, cache, "a", 3, 100000), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(put_number_for(fx, cache, "a", 4, 50), WEIR_OK);
  advance_ms(fx, 70);
  assert_int_equal(stats_of(cache).entries, 0);
  assert_int_equal(stats_of(cache).replaced, 2);
  weir_cache_unref(cache);
}

static void writing_over_a_key_is_a_use(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 1000, 10);
  for (int i = 0; i < 5; i++) {
    assert_int_equal(put_number(fx, cache, "a", i), WEIR_OK);
    advance_ns(fx, 10 * MS - 1);
  }
  assert_int_equal(look(cache, "a"), 4);
  advance_ms(fx, 10);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_cache_unref(cache);
}

static void touching_uses_and_sets_the_end(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, 10, WEIR_OFF);
  assert_int_equal(weir_cache_touch(cache, "a", 1, 5), WEIR_ENOTFOUND);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(weir_cache_touch(cache, "a", 1, 1000), WEIR_OK);
  advance_ms(fx, 999);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(weir_cache_touch(cache, "a", 1, WEIR_FOREVER), WEIR_OK);
  advance_ms(fx, 100000);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(weir_cache_touch_at(cache, "a", 1, 0, now_ns(fx)), WEIR_OK);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(weir_cache_touch(cache, "a", 1, 5), WEIR_ENOTFOUND);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.hits, 2);
  assert_int_equal(stats.misses, 1);
  weir_cache_unref(cache);
}

static void a_touch_counts_as_a_use(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 2;
  options.eviction = WEIR_EVICTION_LRU;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  assert_int_equal(weir_cache_touch(cache, "a", 1, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 3), WEIR_OK);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(look(cache, "b"), ABSENT);
  weir_cache_unref(cache);
}

static void what_has_expired_makes_room_first(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 3;
  options.eviction = WEIR_EVICTION_LRU;
  weir_cache *cache = new_cache(fx, &options);
  weir_value *value = number_value(fx, 1);
  int64_t now = now_ns(fx);
  assert_int_equal(weir_cache_put_at(cache, "a", 1, value, now), WEIR_OK);
  assert_int_equal(weir_cache_put_for_at(cache, "b", 1, value, 5, now), WEIR_OK);
  assert_int_equal(weir_cache_put_at(cache, "c", 1, value, now), WEIR_OK);
  assert_int_equal(weir_cache_put_at(cache, "d", 1, value, now + 50 * MS), WEIR_OK);
  weir_value_unref(value);
  assert_int_equal(look(cache, "a"), 1);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.expired, 1);
  assert_int_equal(stats.evicted, 0);
  weir_cache_unref(cache);
}

static void a_turn_sweeps_a_thousand_at_most(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 10000;
  options.shards = 4;
  weir_cache *cache = new_cache(fx, &options);
  char key[16];
  for (int i = 0; i < 3500; i++) {
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(put_number_for(fx, cache, key, i, 10), WEIR_OK);
  }
  int64_t at = now_ns(fx) + 40 * MS;
  uint64_t before = stats_of(cache).entries;
  int turns = 0;
  for (; before > 0 && turns < 100; turns++) {
    weir_runtime_process(fx->runtime, at + turns);
    uint64_t entries = stats_of(cache).entries;
    assert_true(before - entries <= 1000);
    before = entries;
  }
  assert_in_range(turns, 4, 20);
  assert_int_equal(stats_of(cache).expired, 3500);
  weir_cache_unref(cache);
}

/* Nothing is found from its end on, all is found before, and it is swept soon after. */
static void ends_of_all_magnitudes_are_kept(struct fixture *fx) {
  weir_cache *cache = new_lived(fx, WEIR_FOREVER, WEIR_OFF);
  char key[16];
  int64_t ttl_ms = 20;
  for (int i = 0; i < 30; i++, ttl_ms = ttl_ms * 2 + i % 3) {
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(put_number_for(fx, cache, key, ttl_ms, ttl_ms), WEIR_OK);
  }
  int64_t began = now_ns(fx);
  ttl_ms = 20;
  for (int i = 0; i < 30; i++, ttl_ms = ttl_ms * 2 + i % 3) {
    snprintf(key, sizeof key, "k%d", i);
    advance_ns(fx, began + ttl_ms * MS - 1 - now_ns(fx));
    assert_int_equal(look(cache, key), ttl_ms);
    advance_ns(fx, 1);
    assert_int_equal(look(cache, key), ABSENT);
    advance_ms(fx, 17);
    assert_in_range(stats_of(cache).entries, 0, 29 - i);
  }
  assert_int_equal(stats_of(cache).expired, 30);
  weir_cache_unref(cache);
}

/* ---- the expire function ---- */

struct asked {
  struct fixture *fx;
  int64_t answers[4]; /* by moment */
  char text[256];
  weir_cache *reenter; /* nullable: is cleared and written from inside */
};

static int64_t answer(void *data, const weir_expiry *expiry) {
  struct asked *self = data;
  size_t used = strlen(self->text);
  snprintf(self->text + used, sizeof self->text - used, "%.*s:%u:%lld:%lld ", (int)expiry->key_size,
           (const char *)expiry->key, expiry->moment, (long long)value_number(expiry->value),
           expiry->remaining_ns == INT64_MAX ? -1LL : (long long)(expiry->remaining_ns / MS));
  expect(self->fx, expiry->size == sizeof *expiry, "an expiry says its size");
  weir_cache *cache = self->reenter;
  if (cache != NULL) {
    self->reenter = NULL;
    weir_cache_clear(cache);
    weir_cache_put(cache, "inner", 5, NULL);
    weir_cache_invalidate(cache, expiry->key, expiry->key_size);
  }
  return self->answers[expiry->moment];
}

static weir_cache *new_asking(struct fixture *fx, struct asked *asked) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 100;
  options.expire = answer;
  options.expire_data = asked;
  asked->fx = fx;
  return new_cache(fx, &options);
}

static void expire_is_asked_at_create_update_and_read(struct fixture *fx) {
  struct asked asked = {.answers = {0, 50, WEIR_EXPIRE_KEEP, WEIR_EXPIRE_KEEP}};
  weir_cache *cache = new_asking(fx, &asked);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  advance_ms(fx, 20);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(put_number(fx, cache, "a", 2), WEIR_OK); /* keeps its 30 ms */
  assert_string_equal(asked.text, "a:1:1:0 a:3:1:30 a:2:2:30 ");
  advance_ns(fx, 30 * MS - 1);
  assert_int_equal(look(cache, "a"), 2);
  advance_ns(fx, 1);
  assert_int_equal(look(cache, "a"), ABSENT);
  asked.answers[WEIR_EXPIRE_CREATED] = WEIR_EXPIRE_KEEP; /* the cache's own */
  assert_int_equal(put_number(fx, cache, "a", 3), WEIR_OK);
  advance_ms(fx, 99);
  asked.answers[WEIR_EXPIRE_READ] = 10;
  assert_int_equal(look(cache, "a"), 3);
  advance_ms(fx, 9);
  asked.answers[WEIR_EXPIRE_READ] = WEIR_FOREVER;
  assert_int_equal(look(cache, "a"), 3);
  advance_ms(fx, 100000);
  asked.answers[WEIR_EXPIRE_READ] = 0; /* read for the last time */
  assert_int_equal(look(cache, "a"), 3);
  assert_int_equal(look(cache, "a"), ABSENT);
  advance_ms(fx, 30);
  assert_int_equal(stats_of(cache).entries, 0);
  weir_cache_unref(cache);
}

static void an_answer_that_is_none_keeps(struct fixture *fx) {
  struct asked asked = {.answers = {0, -77, INT64_MIN, -3}};
  weir_cache *cache = new_asking(fx, &asked);
  char bytes[8];
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "a", 2), WEIR_OK);
  assert_int_equal(look(cache, "a"), 2);
  assert_int_equal(weir_cache_lookup_copy(cache, "a", 1, bytes, sizeof bytes, NULL), WEIR_OK);
  assert_string_equal(asked.text, "a:1:1:0 a:2:2:100 a:3:2:100 a:3:2:100 ");
  advance_ms(fx, 100);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_cache_unref(cache);
}

static void a_put_with_its_own_lifetime_does_not_ask(struct fixture *fx) {
  struct asked asked = {.answers = {0, 1, 1, WEIR_EXPIRE_KEEP}};
  weir_cache *cache = new_asking(fx, &asked);
  assert_int_equal(put_number_for(fx, cache, "a", 1, 30), WEIR_OK);
  assert_string_equal(asked.text, "");
  advance_ms(fx, 29);
  assert_int_equal(look(cache, "a"), 1);
  weir_cache_unref(cache);
}

static void K09_expire_may_call_the_cache(struct fixture *fx) {
  struct asked asked = {.answers = {0, 50, 50, 50}};
  weir_cache *cache = new_asking(fx, &asked);
  assert_int_equal(put_number_for(fx, cache, "a", 1, 30), WEIR_OK);
  asked.reenter = cache;
  assert_int_equal(look(cache, "a"), 1); /* it was there; it is gone, so nothing is set */
  assert_int_equal(look(cache, "a"), ABSENT);
  asked.reenter = cache;
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  assert_int_equal(look(cache, "b"), 2);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.entries, 2); /* b and inner */
  assert_int_equal(stats.weight, 2);
  weir_cache_unref(cache);
}

static int64_t remember_remaining(void *data, const weir_expiry *expiry) {
  *(int64_t *)data = expiry->remaining_ns;
  return WEIR_EXPIRE_KEEP;
}

/* No overflow: this ended in an endless look at the clock. */
static void K06_the_first_and_last_of_all_times_are_times(struct fixture *fx) {
  int64_t remaining = -1;
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  for (int asks = 0; asks < 2; asks++) {
    options.expire = asks == 1 ? remember_remaining : NULL;
    options.expire_data = &remaining;
    weir_cache *cache = new_cache(fx, &options);
    weir_value *value = NULL;
    assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
    assert_int_equal(weir_cache_lookup_at(cache, "a", 1, INT64_MIN, &value), WEIR_OK);
    weir_value_unref(value);
    if (asks == 1) assert_int_equal(remaining, INT64_MAX);
    assert_int_equal(weir_cache_put_if_absent_at(cache, "a", 1, NULL, INT64_MIN, NULL),
                     WEIR_EEXISTS);
    assert_int_equal(weir_cache_lookup_at(cache, "a", 1, INT64_MAX, &value), WEIR_ENOTFOUND);
    assert_int_equal(weir_cache_put_at(cache, "b", 1, NULL, INT64_MIN), WEIR_OK);
    assert_int_equal(weir_cache_put_at(cache, "c", 1, NULL, INT64_MAX), WEIR_OK);
    weir_cache_unref(cache);
  }
}

TEST_MAIN("cache lifetimes", TEST(K06_the_first_and_last_of_all_times_are_times),
          TEST(K06_a_lifetime_of_zero_is_over_at_once), TEST(K06_the_boundary_is_a_nanosecond),
          TEST(an_idle_time_begins_anew_with_each_use),
          TEST(a_lifetime_of_its_own_replaces_those_of_the_cache),
          TEST(K17_an_update_arms_the_end_anew_and_forever_frees_it),
          TEST(an_earlier_end_wakes_the_timer_earlier),
          TEST(a_later_end_does_not_trouble_the_engine),
          TEST(writing_over_a_key_moves_its_end_both_ways), TEST(writing_over_a_key_is_a_use),
          TEST(touching_uses_and_sets_the_end), TEST(a_touch_counts_as_a_use),
          TEST(what_has_expired_makes_room_first), LONG_TEST(a_turn_sweeps_a_thousand_at_most),
          LONG_TEST(ends_of_all_magnitudes_are_kept),
          TEST(expire_is_asked_at_create_update_and_read), TEST(an_answer_that_is_none_keeps),
          TEST(a_put_with_its_own_lifetime_does_not_ask), TEST(K09_expire_may_call_the_cache))
