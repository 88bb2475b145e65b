/* SPDX-License-Identifier: MIT */
/* The cache's decide door on several threads at once. Threads record, the body asserts; nothing
 * depends on which of them is faster. */

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "../unit/cache.h"

#if defined(__SANITIZE_THREAD__)
#define SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLOW_BUILD 1
#endif
#endif
#ifndef SLOW_BUILD
#define SLOW_BUILD 0
#endif

/* K12 asks for ten seconds: WEIR_CACHE_ROUNDS=1000000 in the environment makes it so. */
enum { CROWD = 8, ROUNDS = SLOW_BUILD ? 3000 : 20000, KEYS = 400 };

struct crowd {
  weir_cache *cache;
  void (*act)(struct crowd *crowd, size_t self);
  pthread_barrier_t gate;
  int rounds;
  /* Of each key: no lookup that begins from now on may see this version or an older one. */
  int64_t dead[KEYS];
  uint64_t stale;
  uint64_t errors;
  uint64_t most_entries;
  int done;
};

struct member {
  struct crowd *crowd;
  size_t self;
};

static void *join_crowd(void *data) {
  struct member *member = data;
  pthread_barrier_wait(&member->crowd->gate);
  member->crowd->act(member->crowd, member->self);
  return NULL;
}

static void together(struct crowd *crowd, void (*act)(struct crowd *crowd, size_t self)) {
  const char *rounds = getenv("WEIR_CACHE_ROUNDS");
  pthread_t threads[CROWD];
  struct member members[CROWD];
  crowd->rounds = rounds != NULL ? atoi(rounds) : ROUNDS;
  crowd->act = act;
  pthread_barrier_init(&crowd->gate, NULL, CROWD);
  for (size_t i = 0; i < CROWD; ++i) {
    members[i] = (struct member){crowd, i};
    if (pthread_create(&threads[i], NULL, join_crowd, &members[i]) != 0) abort();
  }
  for (size_t i = 0; i < CROWD; ++i) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&crowd->gate);
}

static void note_error(struct crowd *crowd) {
  __atomic_add_fetch(&crowd->errors, 1, __ATOMIC_RELAXED);
}

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

/* A number as a value of the malloc heap: the fixture's does not belong to threads. */
static weir_value *version_value(int64_t version) {
  weir_value *value = NULL;
  if (weir_value_new_bytes(NULL, &version, sizeof version, &value) != WEIR_OK) abort();
  return value;
}

/* ---- no stale value ---- */

static void check_read(struct crowd *crowd, uint32_t key) {
  int64_t dead = __atomic_load_n(&crowd->dead[key], __ATOMIC_ACQUIRE);
  weir_value *value = NULL;
  weir_status status = weir_cache_lookup(crowd->cache, &key, sizeof key, &value);
  if (status == WEIR_OK && value_number(value) <= dead) {
    __atomic_add_fetch(&crowd->stale, 1, __ATOMIC_RELAXED);
  }
  if (status != WEIR_OK && status != WEIR_ENOTFOUND) note_error(crowd);
  weir_value_unref(value);
}

/* Each key has one thread that writes it, all read. */
static void write_and_read(struct crowd *crowd, size_t self) {
  uint32_t state = (uint32_t)self + 1;
  int64_t version = 0;
  for (int i = 0; i < crowd->rounds; ++i) {
    uint32_t choice = next_random(&state) % 10;
    uint32_t key = next_random(&state) % (KEYS / CROWD) * CROWD + (uint32_t)self;
    if (choice < 6) {
      check_read(crowd, next_random(&state) % KEYS);
    } else if (choice < 9) {
      weir_value *value = version_value(++version);
      if (weir_cache_put(crowd->cache, &key, sizeof key, value) != WEIR_OK) note_error(crowd);
      weir_value_unref(value);
    } else {
      weir_cache_invalidate(crowd->cache, &key, sizeof key);
      __atomic_store_n(&crowd->dead[key], version, __ATOMIC_RELEASE);
      check_read(crowd, key);
    }
  }
}

static int64_t weigh_version(void *data, const void *key, size_t key_size,
                             const weir_value *value) {
  (void)data, (void)key, (void)key_size;
  return value_number(value) % 7;
}

/* What a scan adds up to is what the stats say. */
static void assert_sums(weir_cache *cache) {
  uint64_t cursor = 0;
  uint64_t weight = 0;
  uint64_t entries = 0;
  do {
    weir_cache_entry some[64];
    size_t count = 0;
    assert_int_equal(weir_cache_scan(cache, &cursor, some, sizeof some[0], 64, &count), WEIR_OK);
    for (size_t i = 0; i < count; ++i) {
      weight += some[i].weight;
      weir_value_unref(some[i].key);
      weir_value_unref(some[i].value);
    }
    entries += count;
  } while (cursor != 0);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.weight, weight);
  assert_int_equal(stats.entries, entries);
  uint64_t left =
      stats.expired + stats.evicted + stats.replaced + stats.invalidated + stats.cleared;
  assert_int_equal(stats.puts, left + entries);
}

static void no_stale_value(struct fixture *fx, int64_t max_entries, uint32_t shards) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = max_entries;
  options.max_weight = max_entries * 3;
  options.weigh = weigh_version;
  options.shards = shards;
  weir_cache *cache = new_cache(fx, &options);
  static struct crowd crowd;
  crowd = (struct crowd){.cache = cache};
  together(&crowd, write_and_read);
  assert_int_equal(crowd.stale, 0);
  assert_int_equal(crowd.errors, 0);
  assert_sums(cache);
  assert_true(stats_of(cache).entries <= (uint64_t)max_entries);
  weir_cache_unref(cache);
}

static void K12_no_stale_value_after_its_invalidate_in_one_shard(struct fixture *fx) {
  no_stale_value(fx, 200, 1);
}

static void K12_no_stale_value_after_its_invalidate_in_shards(struct fixture *fx) {
  no_stale_value(fx, 300, 8);
}

static void K12_no_stale_value_after_its_invalidate_in_a_tiny_cache(struct fixture *fx) {
  no_stale_value(fx, 5, 1);
}

/* ---- bounds ---- */

static void put_or_watch(struct crowd *crowd, size_t self) {
  for (int i = 0; i < crowd->rounds; ++i) {
    uint32_t key = (uint32_t)i * CROWD + (uint32_t)self;
    if (self < CROWD - 1) {
      weir_value *value = version_value(i);
      if (weir_cache_put(crowd->cache, &key, sizeof key, value) != WEIR_OK) note_error(crowd);
      weir_value_unref(value);
    } else {
      uint64_t entries = stats_of(crowd->cache).entries;
      if (entries > crowd->most_entries) crowd->most_entries = entries;
      weir_cache_entry some[4];
      uint64_t cursor = 0;
      size_t count = 0;
      weir_cache_scan(crowd->cache, &cursor, some, sizeof some[0], 4, &count);
      if (count > 1) note_error(crowd);
      for (size_t j = 0; j < count; ++j) {
        weir_value_unref(some[j].key);
        weir_value_unref(some[j].value);
      }
    }
  }
}

static void K13_one_entry_at_most_whenever_one_looks(struct fixture *fx) {
  weir_cache *cache = new_bounded(fx, 1);
  static struct crowd crowd;
  crowd = (struct crowd){.cache = cache};
  /* The one who watches may be through before the others begin. */
  assert_int_equal(weir_cache_put(cache, "first", 5, NULL), WEIR_OK);
  together(&crowd, put_or_watch);
  assert_int_equal(crowd.errors, 0);
  assert_int_equal(crowd.most_entries, 1);
  assert_int_equal(stats_of(cache).entries, 1);
  weir_cache_unref(cache);
}

/* ---- everything at once ---- */

static void scan_some(weir_cache *cache, uint64_t *cursor) {
  weir_cache_entry some[16];
  size_t count = 0;
  weir_cache_scan(cache, cursor, some, sizeof some[0], 16, &count);
  for (size_t i = 0; i < count; ++i) {
    weir_value_unref(some[i].key);
    weir_value_unref(some[i].value);
  }
}

static void do_anything(struct crowd *crowd, size_t self) {
  uint32_t state = (uint32_t)self * 77 + 5;
  uint64_t cursor = 0;
  weir_cache *cache = crowd->cache;
  char bytes[64];
  for (int i = 0; i < crowd->rounds; ++i) {
    uint32_t key = next_random(&state) % 3000;
    uint32_t choice = next_random(&state) % 100;
    weir_value *value = version_value(i);
    weir_value *existing = NULL;
    if (choice < 30) {
      weir_cache_lookup(cache, &key, sizeof key, &existing);
    } else if (choice < 40) {
      weir_cache_lookup_copy(cache, &key, sizeof key, bytes, sizeof bytes, NULL);
    } else if (choice < 60) {
      weir_cache_put(cache, &key, sizeof key, value);
    } else if (choice < 75) {
      weir_cache_put_for(cache, &key, sizeof key, value, next_random(&state) % 20);
    } else if (choice < 80) {
      weir_cache_put_if_absent(cache, &key, sizeof key, value, &existing);
    } else if (choice < 85) {
      weir_cache_touch(cache, &key, sizeof key, 5);
    } else if (choice < 95) {
      weir_cache_invalidate(cache, &key, sizeof key);
    } else if (choice < 99) {
      scan_some(cache, &cursor);
    } else if (next_random(&state) % 20 == 0) {
      weir_cache_clear(cache);
    }
    weir_value_unref(existing);
    weir_value_unref(value);
  }
}

static void count_departure(void *data, weir_cache *cache, const weir_eviction *eviction) {
  weir_cache_unref(weir_cache_ref(cache));
  uint64_t *told = data;
  told[0] += 1;
  told[1] += eviction->weight;
}

/* Beside the runtime's own thread, which sweeps and tells. */
static void storm(struct fixture *fx, int64_t max_entries, int64_t idle_ms) {
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  runtime_options.allocator = &allocator;
  weir_runtime *runtime = NULL;
  assert_int_equal(weir_runtime_new(&runtime_options, &runtime, NULL), WEIR_OK);
  uint64_t told[2] = {0, 0};
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = max_entries;
  options.ttl_ms = 30;
  options.idle_ms = idle_ms;
  options.on_evict = count_departure;
  options.evict_data = told;
  weir_cache *cache = NULL;
  assert_int_equal(weir_cache_new(runtime, &options, &cache, NULL), WEIR_OK);
  static struct crowd crowd;
  crowd = (struct crowd){.cache = cache};
  together(&crowd, do_anything);
  weir_cache_clear(cache);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.entries, 0);
  assert_int_equal(stats.weight, 0);
  weir_cache_unref(cache);
  assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
  uint64_t left =
      stats.expired + stats.evicted + stats.replaced + stats.invalidated + stats.cleared;
  assert_int_equal(left, stats.puts);
  assert_int_equal(told[0], left);
  assert_int_equal(told[1], left);
  weir_runtime_unref(runtime);
}

static void everything_at_once_within_a_bound(struct fixture *fx) { storm(fx, 1000, WEIR_OFF); }

static void everything_at_once_with_an_idle_time(struct fixture *fx) {
  storm(fx, WEIR_UNLIMITED, 2);
}

/* The last reference goes on another thread while the timer may be firing. */
static void a_cache_ends_while_its_timer_fires(struct fixture *fx) {
  for (int round = 0; round < (SLOW_BUILD ? 10 : 40); ++round) {
    weir_runtime *runtime = NULL;
    weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
    weir_allocator allocator = memory_allocator(&fx->memory);
    runtime_options.allocator = &allocator;
    assert_int_equal(weir_runtime_new(&runtime_options, &runtime, NULL), WEIR_OK);
    uint64_t told[2] = {0, 0};
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.ttl_ms = 1;
    options.on_evict = count_departure;
    options.evict_data = told;
    weir_cache *cache = NULL;
    assert_int_equal(weir_cache_new(runtime, &options, &cache, NULL), WEIR_OK);
    for (uint32_t key = 0; key < 3000; ++key) {
      weir_value *value = version_value(key);
      weir_cache_put(cache, &key, sizeof key, value);
      weir_value_unref(value);
    }
    weir_cache_unref(cache);
    assert_int_equal(weir_runtime_close_wait(runtime, WEIR_FOREVER), WEIR_OK);
    weir_runtime_unref(runtime);
  }
}

/* ---- asleep at the lock ---- */

enum { SLEEPERS = 3, NAPS = 30 };

/* Who scans is held up while he has the lock, so that those who write meanwhile go to sleep. */
struct doze {
  pthread_barrier_t gate;
  pthread_t holder;
  _Atomic int holding;
  _Atomic int coming;
  weir_cache *cache;
};

static void *allocate_dozing(void *context, size_t size) {
  struct doze *doze = context;
  if (atomic_load(&doze->holding) && pthread_equal(doze->holder, pthread_self())) {
    const struct timespec nap = {0, 2 * 1000 * 1000};
    while (atomic_load(&doze->coming) < SLEEPERS) sched_yield();
    nanosleep(&nap, NULL);
    atomic_store(&doze->holding, 0);
  }
  return malloc(size);
}

static void free_dozing(void *context, void *pointer, size_t size) {
  (void)context, (void)size;
  free(pointer);
}

static void *write_asleep(void *data) {
  struct doze *doze = data;
  for (int i = 0; i < NAPS; i++) {
    pthread_barrier_wait(&doze->gate);
    atomic_fetch_add(&doze->coming, 1);
    weir_cache_put(doze->cache, "a", 1, NULL);
    pthread_barrier_wait(&doze->gate);
  }
  return NULL;
}

static void scan_dozing(struct doze *doze) {
  uint64_t cursor = 0;
  weir_cache_entry entry = {0};
  size_t count = 0;
  atomic_store(&doze->coming, 0);
  atomic_store(&doze->holding, 1);
  pthread_barrier_wait(&doze->gate);
  weir_cache_scan(doze->cache, &cursor, &entry, sizeof entry, 1, &count);
  weir_value_unref(entry.key);
  weir_value_unref(entry.value);
  pthread_barrier_wait(&doze->gate);
}

/* One that is not woken sleeps for ever, and so does this test. */
static void writers_that_sleep_at_the_lock_are_all_woken(struct fixture *fx) {
  (void)fx;
  struct doze doze = {.holder = pthread_self()};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = WEIR_ALLOCATOR_INIT;
  weir_runtime *runtime = NULL;
  pthread_t threads[SLEEPERS];
  allocator.alloc = allocate_dozing;
  allocator.free = free_dozing;
  allocator.context = &doze;
  options.allocator = &allocator;
  options.driver = WEIR_DRIVER_MANUAL;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  assert_int_equal(weir_cache_new(runtime, NULL, &doze.cache, NULL), WEIR_OK);
  assert_int_equal(weir_cache_put(doze.cache, "a", 1, NULL), WEIR_OK);
  pthread_barrier_init(&doze.gate, NULL, SLEEPERS + 1);
  for (int i = 0; i < SLEEPERS; i++) {
    if (pthread_create(&threads[i], NULL, write_asleep, &doze) != 0) abort();
  }
  for (int i = 0; i < NAPS; i++) scan_dozing(&doze);
  for (int i = 0; i < SLEEPERS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&doze.gate);
  assert_int_equal(stats_of(doze.cache).puts, SLEEPERS * NAPS + 1);
  weir_cache_unref(doze.cache);
  weir_runtime_unref(runtime);
}

TEST_MAIN("cache threads", TEST(K12_no_stale_value_after_its_invalidate_in_one_shard),
          TEST(K12_no_stale_value_after_its_invalidate_in_shards),
          TEST(K12_no_stale_value_after_its_invalidate_in_a_tiny_cache),
          TEST(K13_one_entry_at_most_whenever_one_looks), TEST(everything_at_once_within_a_bound),
          TEST(everything_at_once_with_an_idle_time), TEST(a_cache_ends_while_its_timer_fires),
          LONG_TEST(writers_that_sleep_at_the_lock_are_all_woken))
