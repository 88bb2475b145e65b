/* SPDX-License-Identifier: MIT */
/* Gets between threads: four of them get, look up, put, invalidate, clear and cancel while loads
 * end inline on the runtime's thread or late on another one. Each get settles once, nothing is
 * left, and nobody is given what an invalidate before had ruled out (K12). */

#include <sched.h>
#include <stdatomic.h>

#include "../unit/support.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 1500 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
enum { ROUNDS = 1500 };
#else
enum { ROUNDS = 8000 };
#endif
#else
enum { ROUNDS = 8000 };
#endif

enum { THREADS = 4, KEYS = 6, LATE = 64 };

struct storm {
  weir_runtime *runtime;
  weir_operation *loader;
  weir_operation *lister;
  weir_cache *cache;
  weir_flight *flight;
  /* What each key's value is at its source: loads read it, and it only grows. */
  _Atomic int64_t source[KEYS];
  _Atomic uint64_t accepted;
  _Atomic uint64_t settled;
  _Atomic uint64_t freed;
  _Atomic uint64_t started;
  _Atomic uint64_t stale;   /* older than an invalidate that had returned allows */
  _Atomic uint64_t strange; /* outcomes that none of this explains */
  /* Tokens that a thread of its own completes. */
  pthread_mutex_t mutex;
  struct late {
    weir_token token;
    int64_t number;
  } late[LATE];
  size_t late_count;
  atomic_int over;
};

struct member {
  struct storm *storm;
  unsigned self;
  uint64_t random;
};

static unsigned next_random(struct member *member) {
  member->random = member->random * UINT64_C(6364136223846793005) + 1442695040888963407;
  return (unsigned)(member->random >> 33);
}

static size_t key_index(const void *key) { return (size_t)(((const char *)key)[0] - 'a'); }

/* ---- loaders --------------------------------------------------------------------------------- */

static int complete_late(struct storm *storm, weir_token token, int64_t number) {
  pthread_mutex_lock(&storm->mutex);
  int taken = storm->late_count < LATE;
  if (taken) storm->late[storm->late_count++] = (struct late){token, number};
  pthread_mutex_unlock(&storm->mutex);
  return taken;
}

static void load_one(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  uint64_t round = atomic_fetch_add(&storm->started, 1);
  int64_t number = atomic_load(&storm->source[key_index(attempt->key)]);
  if (round % 7 == 0) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 7, NULL);
  } else if (round % 2 == 0 || !complete_late(storm, attempt->token, number)) {
    weir_complete_bytes(attempt->runtime, attempt->token, &number, sizeof number);
  }
}

static void load_many(void *data, weir_attempt *attempt) {
  struct storm *storm = data;
  weir_value *values[KEYS] = {NULL};
  size_t count = weir_value_count(attempt->input);
  for (size_t i = 0; i < count && i < KEYS; i++) {
    const void *key = weir_value_data(weir_value_item(attempt->input, i));
    int64_t number = atomic_load(&storm->source[key_index(key)]);
    weir_value_new_bytes(attempt->runtime, &number, sizeof number, &values[i]);
  }
  weir_value *list = NULL;
  weir_value_new_list(attempt->runtime, values, NULL, count, &list);
  weir_values_unref(values, count);
  weir_complete(attempt->runtime, attempt->token, list);
}

static void *complete_them(void *data) {
  struct storm *storm = data;
  for (int over = 0; !over || storm->late_count > 0;) {
    struct late late[LATE];
    pthread_mutex_lock(&storm->mutex);
    over = atomic_load(&storm->over);
    size_t count = storm->late_count;
    memcpy(late, storm->late, sizeof late);
    storm->late_count = 0;
    pthread_mutex_unlock(&storm->mutex);
    for (size_t i = 0; i < count; i++) {
      weir_complete_bytes(storm->runtime, late[i].token, &late[i].number, sizeof late[i].number);
    }
    sched_yield();
  }
  return NULL;
}

/* ---- getters --------------------------------------------------------------------------------- */

struct asked {
  struct storm *storm;
  int64_t least[KEYS]; /* of each key that was asked for */
  size_t count;        /* 0: one, in least[0] */
};

static void check_number(struct asked *asked, const weir_value *value, int64_t least) {
  if (value != NULL && value_number(value) < least) atomic_fetch_add(&asked->storm->stale, 1);
}

static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct asked *asked = data;
  (void)call;
  int known = outcome->status == WEIR_OK || outcome->status == WEIR_EFAILED ||
              outcome->status == WEIR_ECANCELLED || outcome->status == WEIR_ECLOSED;
  if (!known) atomic_fetch_add(&asked->storm->strange, 1);
  if (asked->count == 0) check_number(asked, outcome->value, asked->least[0]);
  for (size_t i = 0; i < asked->count; i++) {
    check_number(asked, weir_value_item(outcome->value, i), asked->least[i]);
  }
  atomic_fetch_add(&asked->storm->settled, 1);
}

static void on_freed(void *data) {
  struct asked *asked = data;
  atomic_fetch_add(&asked->storm->freed, 1);
  free(asked);
}

static void end_call(struct storm *storm, weir_status status, weir_call *call, int cancel) {
  if (status == WEIR_OK) atomic_fetch_add(&storm->accepted, 1);
  if (call != NULL && cancel) weir_call_cancel(call);
  weir_call_unref(call);
}

static void get_one(struct member *member, size_t index, int64_t least) {
  struct storm *storm = member->storm;
  struct asked *asked = calloc(1, sizeof *asked);
  weir_call *call = NULL;
  char key = (char)('a' + index);
  if (asked == NULL) abort();
  asked->storm = storm;
  asked->least[0] = least;
  weir_status status = weir_cache_get(storm->cache, &key, 1, storm->loader, on_settled, asked,
                                      on_freed, &call, NULL);
  end_call(storm, status, call, next_random(member) % 4 == 0);
}

static void get_several(struct member *member) {
  struct storm *storm = member->storm;
  struct asked *asked = calloc(1, sizeof *asked);
  weir_call *call = NULL;
  const void *keys[KEYS];
  size_t sizes[KEYS];
  if (asked == NULL) abort();
  asked->storm = storm;
  asked->count = 1 + next_random(member) % (KEYS - 1);
  for (size_t i = 0; i < asked->count; i++) {
    keys[i] = &"abcdef"[next_random(member) % KEYS];
    sizes[i] = 1;
  }
  weir_status status = weir_cache_get_many(storm->cache, keys, sizes, asked->count, storm->lister,
                                           on_settled, asked, on_freed, &call, NULL);
  end_call(storm, status, call, next_random(member) % 4 == 0);
}

static void fly_one(struct member *member, size_t index) {
  struct storm *storm = member->storm;
  struct asked *asked = calloc(1, sizeof *asked);
  weir_call *call = NULL;
  char key = (char)('a' + index);
  if (asked == NULL) abort();
  asked->storm = storm;
  if (next_random(member) % 3 == 0) {
    asked->least[0] = atomic_load(&storm->source[index]);
    weir_flight_forget(storm->flight, &key, 1); /* what comes now reads the source anew */
  }
  weir_status status = weir_flight_run(storm->flight, &key, 1, storm->loader, NULL, on_settled,
                                       asked, on_freed, &call, NULL);
  end_call(storm, status, call, next_random(member) % 4 == 0);
}

/* The source changes; once this is invalidated nobody may be given what was before. */
static void change_one(struct member *member, size_t index) {
  struct storm *storm = member->storm;
  char key = (char)('a' + index);
  int64_t least = atomic_fetch_add(&storm->source[index], 1) + 1;
  weir_cache_invalidate(storm->cache, &key, 1);
  weir_value *value = NULL;
  if (weir_cache_lookup(storm->cache, &key, 1, &value) == WEIR_OK && value_number(value) < least) {
    atomic_fetch_add(&storm->stale, 1);
  }
  weir_value_unref(value);
  get_one(member, index, least);
}

/* Keys of their own, which no load reads. */
static void put_one(struct member *member) {
  weir_value *value = NULL;
  char key[2] = {'p', (char)('0' + next_random(member) % 10)};
  int64_t number = 1;
  if (weir_value_new_bytes(member->storm->runtime, &number, sizeof number, &value) != WEIR_OK)
    return;
  weir_cache_put(member->storm->cache, key, sizeof key, value);
  weir_value_unref(value);
}

static void *take_part(void *data) {
  struct member *member = data;
  struct storm *storm = member->storm;
  for (unsigned i = 0; i < ROUNDS; i++) {
    size_t index = next_random(member) % KEYS;
    switch (next_random(member) % 8) {
      case 0:
        change_one(member, index);
        break;
      case 1:
        put_one(member);
        break;
      case 2:
        get_several(member);
        break;
      case 3:
        fly_one(member, index);
        break;
      case 4:
        if (i % 64 == 0) weir_cache_clear(storm->cache);
        break;
      default:
        get_one(member, index, 0);
    }
  }
  return NULL;
}

/* ---- the storm ------------------------------------------------------------------------------- */

static void open_storm(struct fixture *fx, struct storm *storm) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  memset(storm, 0, sizeof *storm);
  pthread_mutex_init(&storm->mutex, NULL);
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &storm->runtime, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(storm->runtime, load_one, storm, NULL, &storm->loader, NULL),
                   WEIR_OK);
  assert_int_equal(weir_operation_new(storm->runtime, load_many, storm, NULL, &storm->lister, NULL),
                   WEIR_OK);
  weir_cache_options cache_options = WEIR_CACHE_OPTIONS_INIT;
  cache_options.max_entries = 10; /* some are always evicted */
  cache_options.refresh_ms = 1;
  cache_options.ttl_ms = 20;
  assert_int_equal(weir_cache_new(storm->runtime, &cache_options, &storm->cache, NULL), WEIR_OK);
  assert_int_equal(weir_flight_new(storm->runtime, NULL, &storm->flight, NULL), WEIR_OK);
}

static void let_it_rage(struct storm *storm, int close_in_the_middle) {
  pthread_t threads[THREADS];
  pthread_t completer;
  struct member members[THREADS];
  assert_int_equal(pthread_create(&completer, NULL, complete_them, storm), 0);
  for (unsigned i = 0; i < THREADS; i++) {
    members[i] = (struct member){storm, i, i + 1};
    assert_int_equal(pthread_create(&threads[i], NULL, take_part, &members[i]), 0);
  }
  if (close_in_the_middle) {
    while (atomic_load(&storm->settled) < ROUNDS / 2) sched_yield();
    weir_runtime_close(storm->runtime);
  }
  for (unsigned i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  while (atomic_load(&storm->settled) < atomic_load(&storm->accepted)) sched_yield();
  pthread_mutex_lock(&storm->mutex);
  atomic_store(&storm->over, 1);
  pthread_mutex_unlock(&storm->mutex);
  pthread_join(completer, NULL);
}

static void end_storm(struct storm *storm) {
  weir_cache_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_cache_get_stats(storm->cache, &stats), WEIR_OK);
  assert_true(stats.entries <= 10);
  assert_int_equal(stats.weight, stats.entries);
  weir_operation_unref(storm->loader);
  weir_operation_unref(storm->lister);
  weir_cache_unref(storm->cache);
  weir_flight_unref(storm->flight);
  assert_int_equal(weir_runtime_close_wait(storm->runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm->runtime);
  pthread_mutex_destroy(&storm->mutex);
  assert_int_equal(storm->settled, storm->accepted);
  assert_int_equal(storm->stale, 0);
  assert_int_equal(storm->strange, 0);
}

static void K12_gets_from_four_threads_are_never_given_what_was_invalidated(struct fixture *fx) {
  static struct storm storm;
  open_storm(fx, &storm);
  let_it_rage(&storm, 0);
  assert_int_equal(storm.freed, storm.accepted);
  end_storm(&storm);
}

static void K14_closing_in_the_middle_of_it_settles_each_get_once(struct fixture *fx) {
  static struct storm storm;
  open_storm(fx, &storm);
  let_it_rage(&storm, 1);
  end_storm(&storm);
}

TEST_MAIN("cache loads", LONG_TEST(K12_gets_from_four_threads_are_never_given_what_was_invalidated),
          LONG_TEST(K14_closing_in_the_middle_of_it_settles_each_get_once))
