/* SPDX-License-Identifier: MIT */
/* The cache's end: before and after its runtime's, on other threads, in a forked child; and scans.
 * */

#include <sys/wait.h>
#include <unistd.h>

#include "cache_get.h"

static void a_closed_runtime_takes_no_more_and_still_gives(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 10);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_ECLOSED);
  assert_int_equal(weir_cache_touch(cache, "a", 1, 5), WEIR_ECLOSED);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(invalidate(cache, "a"), WEIR_OK);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(weir_cache_clear(cache), WEIR_OK);
  weir_cache_unref(cache);
}

/* With an armed timer, entries to be told of, and entries. */
static weir_cache *busy_cache(struct fixture *fx, struct departures *told) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 2;
  options.on_evict = note_departure;
  options.evict_data = told;
  told->fx = fx;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(put_number(fx, cache, "a", 2), WEIR_OK);
  return cache;
}

static void a_cache_outlives_its_runtime(struct fixture *fx) {
  struct departures told = {0};
  weir_cache *cache = busy_cache(fx, &told);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  assert_int_equal(told.count, 1);
  assert_int_equal(look(cache, "a"), 2);
  weir_value *value = NULL;
  assert_int_equal(weir_cache_lookup_at(cache, "a", 1, INT64_MAX, &value), WEIR_ENOTFOUND);
  assert_int_equal(weir_cache_put(cache, "b", 1, NULL), WEIR_ECLOSED);
  assert_int_equal(invalidate(cache, "a"), WEIR_OK);
  assert_int_equal(stats_of(cache).entries, 0);
  weir_cache_unref(cache);
}

static void a_cache_goes_before_its_runtime(struct fixture *fx) {
  struct departures told = {0};
  weir_cache *cache = busy_cache(fx, &told);
  weir_cache_unref(cache); /* what is to be told holds it */
  assert_int_equal(told.count, 0);
  run_until_idle(fx);
  assert_int_equal(told.count, 1);
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.timers, 0);
}

static void *unref_elsewhere(void *cache) {
  weir_cache_unref(cache);
  return NULL;
}

static void unref_on_a_thread(weir_cache *cache) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, unref_elsewhere, cache) != 0) abort();
  pthread_join(thread, NULL);
}

static void a_cache_ends_on_another_thread(struct fixture *fx) {
  if (under_oom()) return; /* the other thread's unref is not seen */
  weir_cache *cache = new_bounded(fx, 2);
  assert_int_equal(put_number_for(fx, cache, "a", 1, 50), WEIR_OK);
  run_until_idle(fx);
  unref_on_a_thread(cache);
  advance_ms(fx, 100);
  weir_cache *later = new_bounded(fx, 2);
  assert_int_equal(put_number_for(fx, later, "a", 1, 50), WEIR_OK);
  run_until_idle(fx);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  unref_on_a_thread(later); /* the runtime has ended: that thread does what is left */
}

static void unref_cache(void *cache) { weir_cache_unref(cache); }

/* It is freed while the cache's timer fires. */
static void an_expired_value_may_have_the_last_reference(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 2);
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, weir_cache_ref(cache), unref_cache, &value),
                   WEIR_OK);
  assert_int_equal(weir_cache_put_for(cache, "a", 1, value, 50), WEIR_OK);
  assert_int_equal(put_number_for(fx, cache, "b", 1, 500), WEIR_OK);
  weir_value_unref(value);
  weir_cache_unref(cache);
  advance_ms(fx, 100);
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.timers, 0);
}

static void keep_input(struct script *script, const weir_attempt *attempt) {
  weir_value **kept = script->user;
  *kept = weir_value_ref(attempt->input);
}

static void *unref_value_elsewhere(void *value) {
  weir_value_unref(value);
  return NULL;
}

/* A loader's key is a value in the runtime's memory: that stays as long as somebody reads it. */
static void a_key_that_a_loader_keeps_outlives_cache_and_runtime(struct fixture *fx) {
  static const char *const keys[] = {"k", "a key that is longer than most of the others are"};
  weir_value *kept[COUNT_OF(keys)] = {NULL};
  weir_cache *cache = new_bounded(fx, 10);
  struct script *loader = scripted(fx, "v7");
  loader->on_start = keep_input;
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    loader->user = &kept[i];
    assert_int_equal(got(fx, cache, keys[i], loader), 7);
  }
  weir_cache_unref(cache);
  weir_operation_unref(loader->operation);
  loader->operation = NULL;
  for (struct run *run = fx->runs; run != NULL; run = run->next) {
    weir_call_unref(run->call);
    run->call = NULL;
  }
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  assert_true(fx->memory.live_bytes > 0);
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    assert_int_equal(weir_value_size(kept[i]), strlen(keys[i]));
    assert_memory_equal(weir_value_data(kept[i]), keys[i], strlen(keys[i]));
  }
  weir_value_unref(kept[0]);
  assert_true(fx->memory.live_bytes > 0);
  pthread_t thread;
  if (pthread_create(&thread, NULL, unref_value_elsewhere, kept[1]) != 0) abort();
  pthread_join(thread, NULL);
  assert_int_equal(fx->memory.live_bytes, 0);
}

static void references_are_counted(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 2);
  assert_ptr_equal(weir_cache_ref(cache), cache);
  weir_cache_unref(cache);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(look(cache, "a"), 1);
  weir_cache_unref(cache);
}

/* ---- fork ---- */

static int in_child(weir_cache *cache) {
  weir_cache_stats stats = {.size = sizeof stats};
  weir_cache_entry entry;
  weir_value *value = NULL;
  uint64_t cursor = 0;
  size_t count = 0;
  if (weir_cache_put(cache, "b", 1, NULL) != WEIR_EFORKED) return 1;
  if (weir_cache_touch(cache, "a", 1, 5) != WEIR_EFORKED) return 2;
  if (weir_cache_invalidate(cache, "a", 1) != WEIR_EFORKED) return 3;
  if (weir_cache_clear(cache) != WEIR_EFORKED) return 4;
  if (weir_cache_scan(cache, &cursor, &entry, sizeof entry, 1, &count) != WEIR_EFORKED) return 5;
  if (weir_cache_get_stats(cache, &stats) != WEIR_EFORKED) return 6;
  if (weir_cache_lookup(cache, "a", 1, &value) != WEIR_OK) return 7; /* nobody was at it */
  weir_cache_unref(cache);
  return 0;
}

static void a_forked_child_reads_at_most(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 2);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  pid_t child = fork();
  if (child == 0) _exit(in_child(cache));
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_int_equal(look(cache, "a"), 1);
  weir_cache_unref(cache);
}

/* ---- scans ---- */

enum { SCANNED = 200 };

/* Counts in `seen` what a scan gives, calling `between` (nullable) between its steps. */
static void scan_all(weir_cache *cache, size_t step, int *seen, void (*between)(void *data),
                     void *data) {
  uint64_t cursor = 0;
  do {
    weir_cache_entry entries[64];
    size_t count = 0;
    assert_int_equal(weir_cache_scan(cache, &cursor, entries, sizeof entries[0], step, &count),
                     WEIR_OK);
    assert_true(count <= step);
    for (size_t i = 0; i < count; i++) {
      int64_t number = value_number(entries[i].value);
      if (number >= 0 && number < SCANNED) seen[number]++;
      weir_value_unref(entries[i].key);
      weir_value_unref(entries[i].value);
    }
    if (between != NULL) between(data);
  } while (cursor != 0);
}

static void fill_scanned(struct fixture *fx, weir_cache *cache) {
  char key[16];
  for (int i = 0; i < SCANNED; i++) {
    snprintf(key, sizeof key, "key%d", i);
    assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
  }
}

struct churn {
  struct fixture *fx;
  weir_cache *cache;
  int next;
  int shrink;
};

static void grow_or_shrink(void *data) {
  struct churn *churn = data;
  char key[16];
  for (int i = 0; i < 40 && churn->next < 2000; i++, churn->next++) {
    snprintf(key, sizeof key, "more%d", churn->next);
    if (churn->shrink) {
      invalidate(churn->cache, key);
    } else {
      put_number(churn->fx, churn->cache, key, SCANNED + churn->next);
    }
  }
}

static void K15_a_scan_meets_each_once_while_the_table_grows_and_shrinks(struct fixture *fx) {
  static const uint32_t shards[] = {1, 8};
  for (size_t s = 0; s < COUNT_OF(shards); s++) {
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.max_entries = WEIR_UNLIMITED;
    options.shards = shards[s];
    weir_cache *cache = new_cache(fx, &options);
    fill_scanned(fx, cache);
    struct churn churn = {fx, cache, 0, 0};
    for (size_t step = 1; step <= 64; step *= 4) {
      int seen[SCANNED] = {0};
      churn.next = 0;
      scan_all(cache, step, seen, grow_or_shrink, &churn);
      for (int i = 0; i < SCANNED; i++) assert_int_equal(seen[i], 1);
      churn.shrink = !churn.shrink;
    }
    weir_cache_unref(cache);
  }
}

static void a_scan_says_what_is_left_of_lifetimes(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 10;
  options.eviction = WEIR_EVICTION_LRU;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number_for(fx, cache, "a", 1, 30), WEIR_OK);
  assert_int_equal(put_number_for(fx, cache, "b", 2, WEIR_FOREVER), WEIR_OK);
  assert_int_equal(put_number_for(fx, cache, "c", 3, 5), WEIR_OK);
  int64_t began = now_ns(fx);
  advance_ms(fx, 5);
  weir_cache_entry entries[4];
  uint64_t cursor = 0;
  size_t count = 0;
  assert_int_equal(weir_cache_scan(cache, &cursor, entries, sizeof entries[0], 4, &count), WEIR_OK);
  assert_int_equal(cursor, 0);
  assert_int_equal(count, 2);
  int64_t remaining_ns = 0;
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(weir_value_size(entries[i].key), 1);
    assert_int_equal(entries[i].weight, 1);
    if (value_number(entries[i].value) == 1) remaining_ns = entries[i].remaining_ns;
    if (value_number(entries[i].value) == 2) {
      assert_int_equal(entries[i].remaining_ns, INT64_MAX);
    }
    weir_value_unref(entries[i].key);
    weir_value_unref(entries[i].value);
  }
  assert_int_equal(remaining_ns, began + 30 * MS - now_ns(fx));
  assert_int_equal(stats_of(cache).hits, 0);
  weir_cache_unref(cache);
}

static void a_scan_without_memory_gives_nothing_and_stays(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 10);
  assert_int_equal(put_number(fx, cache, "a", 0), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 1), WEIR_OK);
  weir_cache_entry entries[4];
  uint64_t cursor = 0;
  size_t count = 9;
  memory_fail(&fx->memory, 2, 0);
  assert_int_equal(weir_cache_scan(cache, &cursor, entries, sizeof entries[0], 4, &count),
                   WEIR_ENOMEM);
  memory_fail(&fx->memory, 0, 0);
  assert_int_equal(count, 0);
  assert_int_equal(cursor, 0);
  int seen[SCANNED] = {0};
  scan_all(cache, 4, seen, NULL, NULL);
  assert_int_equal(seen[0] + seen[1], 2);
  weir_cache_unref(cache);
}

static void a_cursor_from_nowhere_ends(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 10);
  assert_int_equal(put_number(fx, cache, "a", 0), WEIR_OK);
  static const uint64_t cursors[] = {1, UINT64_MAX, UINT64_C(1) << 63};
  for (size_t i = 0; i < COUNT_OF(cursors); i++) {
    uint64_t cursor = cursors[i];
    weir_cache_entry entries[4];
    size_t count = 0;
    assert_int_equal(weir_cache_scan(cache, &cursor, entries, sizeof entries[0], 4, &count),
                     WEIR_OK);
    assert_int_equal(cursor, 0);
    for (size_t j = 0; j < count; j++) {
      weir_value_unref(entries[j].key);
      weir_value_unref(entries[j].value);
    }
  }
  weir_cache_unref(cache);
}

TEST_MAIN("cache ends", TEST(a_closed_runtime_takes_no_more_and_still_gives),
          TEST(a_cache_outlives_its_runtime), TEST(a_cache_goes_before_its_runtime),
          TEST(a_cache_ends_on_another_thread), TEST(an_expired_value_may_have_the_last_reference),
          LONG_TEST(a_key_that_a_loader_keeps_outlives_cache_and_runtime),
          TEST(references_are_counted), LONG_TEST(a_forked_child_reads_at_most),
          LONG_TEST(K15_a_scan_meets_each_once_while_the_table_grows_and_shrinks),
          TEST(a_scan_says_what_is_left_of_lifetimes),
          LONG_TEST(a_scan_without_memory_gives_nothing_and_stays),
          TEST(a_cursor_from_nowhere_ends))
