/* SPDX-License-Identifier: MIT */
/* K03: what is written, or taken away, while a key is being loaded is newer than the load. */

#include "cache_get.h"

enum { TOO_HEAVY = 11, NO_WEIGHT = -5 };

static int64_t weigh_number(void *data, const void *key, size_t key_size, const weir_value *value) {
  (void)data, (void)key, (void)key_size;
  return value_number(value);
}

static weir_cache *new_weighed(struct fixture *fx, int64_t refresh_ms) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_weight = 10;
  options.weigh = weigh_number;
  options.refresh_ms = refresh_ms;
  return new_cache(fx, &options);
}

/* What happens to the key "a" while it is being loaded. */
struct meanwhile {
  const char *what;
  int64_t number; /* put, for so long */
  int64_t ttl_ms;
  weir_status status;
  int64_t then; /* what is there once the load has brought 7 */
};

static const struct meanwhile meanwhiles[] = {
    {"a put", 5, 1000, WEIR_OK, 5},
    {"a put that is not kept for a moment", 5, 0, WEIR_OK, ABSENT},
    {"a put that is too heavy", TOO_HEAVY, 1000, WEIR_EFULL, ABSENT},
    {"a put that cannot be weighed", NO_WEIGHT, 1000, WEIR_EFAILED, 7},
};

static void load_meanwhile(struct fixture *fx, const struct meanwhile *meanwhile, int64_t before) {
  struct script *loader = scripted(fx, "hang hang");
  weir_cache *cache = new_weighed(fx, before == ABSENT ? WEIR_OFF : 0);
  if (before != ABSENT) assert_int_equal(put_number(fx, cache, "a", before), WEIR_OK);
  struct run *run = get(fx, cache, "a", loader);
  assert_int_equal(loader->started, 1);
  assert_int_equal(put_number_for(fx, cache, "a", meanwhile->number, meanwhile->ttl_ms),
                   meanwhile->status);
  assert_int_equal(finish(loader, 0, "v7"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, before == ABSENT ? 7 : before);
  int64_t then = look(cache, "a");
  if (then != meanwhile->then && !under_oom()) {
    fail_msg("%s: %lld is there", meanwhile->what, (long long)then);
  }
  assert_int_equal(stats_of(cache).loading, 0);
  weir_cache_unref(cache);
}

static void K03_a_write_during_a_load_wins_even_if_nothing_stays_of_it(struct fixture *fx) {
  for (size_t i = 0; i < COUNT_OF(meanwhiles); i++) load_meanwhile(fx, &meanwhiles[i], ABSENT);
}

static void K03_a_write_during_a_refresh_wins_even_if_nothing_stays_of_it(struct fixture *fx) {
  for (size_t i = 0; i < COUNT_OF(meanwhiles); i++) load_meanwhile(fx, &meanwhiles[i], 3);
}

/* What is refused as absent has not been written. */
static void K03_a_load_wins_over_what_was_not_absent(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_weighed(fx, 0);
  assert_int_equal(put_number(fx, cache, "a", 3), WEIR_OK);
  get(fx, cache, "a", loader);
  for (int64_t number = 5; number <= TOO_HEAVY; number += TOO_HEAVY - 5) {
    weir_value *value = number_value(fx, number);
    weir_status status = weir_cache_put_if_absent(cache, "a", 1, value, NULL);
    weir_value_unref(value);
    assert_int_equal(status, WEIR_EEXISTS);
  }
  assert_int_equal(finish(loader, 0, "v7"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(look(cache, "a"), 7);
  weir_cache_unref(cache);
}

/* A load that is refused has not been superseded, and takes away what it was to replace. */
static void K03_a_refresh_that_is_too_heavy_takes_the_old_value_away(struct fixture *fx) {
  struct script *loader = scripted(fx, "v11 v9");
  weir_cache *cache = new_weighed(fx, 0);
  assert_int_equal(put_number(fx, cache, "a", 3), WEIR_OK);
  assert_int_equal(got(fx, cache, "a", loader), 3);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.refused, 1);
  assert_int_equal(stats.replaced, 1);
  assert_int_equal(stats.weight, 0);
  assert_int_equal(got(fx, cache, "a", loader), 9);
  assert_int_equal(look(cache, "a"), 9);
  weir_cache_unref(cache);
}

/* And one that was superseded takes nothing away. */
static void K03_a_superseded_load_that_is_too_heavy_takes_nothing_away(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_weighed(fx, WEIR_OFF);
  struct run *run = get(fx, cache, "a", loader);
  assert_int_equal(put_number(fx, cache, "a", 3), WEIR_OK);
  assert_int_equal(finish(loader, 0, "v11"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, TOO_HEAVY);
  assert_int_equal(look(cache, "a"), 3);
  weir_cache_unref(cache);
}

TEST_MAIN("cache_supersede", TEST(K03_a_write_during_a_load_wins_even_if_nothing_stays_of_it),
          TEST(K03_a_write_during_a_refresh_wins_even_if_nothing_stays_of_it),
          TEST(K03_a_load_wins_over_what_was_not_absent),
          TEST(K03_a_refresh_that_is_too_heavy_takes_the_old_value_away),
          TEST(K03_a_superseded_load_that_is_too_heavy_takes_nothing_away))
