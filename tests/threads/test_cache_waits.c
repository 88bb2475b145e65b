/* SPDX-License-Identifier: MIT */
/* A lookup never waits for code that allocates, evicts, calls back or frees: the thread that writes
 * is held in each allocation, each free, each call of a user's function it makes in turn, and
 * another thread looks up meanwhile. */

#include <errno.h>
#include <time.h>

#include "../unit/cache.h"

enum { BOUND = 24, WRITES = 40, HELD_TOO_LONG_S = 60 };

/* Where the writer is held: at the `stop`th thing it does. */
struct gate {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  pthread_t writer;
  int writing; /* `writer` is set and things count */
  uint64_t stop;
  uint64_t passed;
  int held;
  int open;
  int looked; /* the reader is through */
};

static void pass(struct gate *gate) {
  pthread_mutex_lock(&gate->mutex);
  if (gate->writing && pthread_equal(gate->writer, pthread_self()) &&
      ++gate->passed == gate->stop) {
    gate->held = 1;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open) pthread_cond_wait(&gate->changed, &gate->mutex);
  }
  pthread_mutex_unlock(&gate->mutex);
}

static void *allocate_through(void *context, size_t size) {
  pass(context);
  return malloc(size);
}

static void free_through(void *context, void *pointer, size_t size) {
  (void)size;
  pass(context);
  free(pointer);
}

static void pass_as_free(void *pointer) { pass(pointer); }

static int64_t weigh_through(void *data, const void *key, size_t key_size,
                             const weir_value *value) {
  (void)key, (void)key_size, (void)value;
  pass(data);
  return 1;
}

static void hear_through(void *data, weir_cache *cache, const weir_eviction *eviction) {
  (void)cache, (void)eviction;
  pass(data);
}

struct scene {
  struct gate gate;
  weir_runtime *runtime;
  weir_cache *cache;
  weir_status failed; /* of the writes, the last that did */
  uint64_t found;     /* by the reader */
};

static void put_through(struct scene *scene, uint32_t key) {
  weir_value *value = NULL;
  weir_status status = weir_value_new_pointer(scene->runtime, &scene->gate, pass_as_free, &value);
  if (status == WEIR_OK) status = weir_cache_put(scene->cache, &key, sizeof key, value);
  if (status != WEIR_OK) scene->failed = status;
  weir_value_unref(value);
}

/* New keys, which evict or have the table grow; writing over; removing; expiring; telling. */
static void *write_all(void *data) {
  struct scene *scene = data;
  struct gate *gate = &scene->gate;
  pthread_mutex_lock(&gate->mutex);
  gate->writer = pthread_self();
  gate->writing = 1;
  pthread_mutex_unlock(&gate->mutex);
  for (uint32_t key = 0; key < WRITES; key++) put_through(scene, key);
  uint32_t removed = WRITES - 2;
  weir_cache_invalidate(scene->cache, &removed, sizeof removed);
  weir_testing_advance(scene->runtime, 2000);
  put_through(scene, 0);
  weir_cache_clear(scene->cache);
  weir_testing_run_until_idle(scene->runtime);
  pthread_mutex_lock(&gate->mutex);
  gate->writing = 0;
  gate->held = gate->open = 1;
  pthread_cond_broadcast(&gate->changed);
  pthread_mutex_unlock(&gate->mutex);
  return NULL;
}

static void *look_all(void *data) {
  struct scene *scene = data;
  char copy[8];
  for (uint32_t key = 0; key < WRITES; key++) {
    weir_value *value = NULL;
    scene->found += weir_cache_lookup(scene->cache, &key, sizeof key, &value) == WEIR_OK;
    weir_value_unref(value);
    weir_cache_lookup_copy(scene->cache, &key, sizeof key, copy, sizeof copy, NULL);
  }
  pthread_mutex_lock(&scene->gate.mutex);
  scene->gate.looked = 1;
  pthread_cond_broadcast(&scene->gate.changed);
  pthread_mutex_unlock(&scene->gate.mutex);
  return NULL;
}

/* Whether the reader came through while the writer was held; lets go of that. */
static int looks_meanwhile(struct scene *scene) {
  struct gate *gate = &scene->gate;
  pthread_t reader;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += HELD_TOO_LONG_S;
  int through = 0;
  pthread_mutex_lock(&gate->mutex);
  while (!gate->held) pthread_cond_wait(&gate->changed, &gate->mutex);
  pthread_mutex_unlock(&gate->mutex);
  if (pthread_create(&reader, NULL, look_all, scene) != 0) abort();
  pthread_mutex_lock(&gate->mutex);
  int waited = 0;
  while (!gate->looked && waited != ETIMEDOUT) {
    waited = pthread_cond_timedwait(&gate->changed, &gate->mutex, &until);
  }
  through = gate->looked;
  gate->open = 1;
  pthread_cond_broadcast(&gate->changed);
  pthread_mutex_unlock(&gate->mutex);
  pthread_join(reader, NULL);
  return through;
}

static void begin_scene(struct scene *scene, uint64_t stop, int64_t max_entries,
                        int64_t refresh_ms) {
  *scene = (struct scene){.gate = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                   .changed = PTHREAD_COND_INITIALIZER,
                                   .stop = stop}};
  weir_allocator allocator = WEIR_ALLOCATOR_INIT;
  allocator.alloc = allocate_through;
  allocator.free = free_through;
  allocator.context = &scene->gate;
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.driver = WEIR_DRIVER_MANUAL;
  runtime_options.allocator = &allocator;
  runtime_options.seed = 1;
  weir_status made = weir_runtime_new(&runtime_options, &scene->runtime, NULL);
  assert_int_equal(made, WEIR_OK);
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = max_entries;
  options.ttl_ms = 1000;
  options.refresh_ms = refresh_ms;
  options.weigh = weigh_through;
  options.weigh_data = &scene->gate;
  options.on_evict = hear_through;
  options.evict_data = &scene->gate;
  made = weir_cache_new(scene->runtime, &options, &scene->cache, NULL);
  assert_int_equal(made, WEIR_OK);
}

/* How often the writer could be held at all; each time once. */
static uint64_t hold_everywhere(int64_t max_entries, int64_t refresh_ms) {
  static struct scene scene;
  uint64_t stop = 0;
  uint64_t found = 0;
  do {
    pthread_t writer;
    begin_scene(&scene, ++stop, max_entries, refresh_ms);
    if (pthread_create(&writer, NULL, write_all, &scene) != 0) abort();
    int through = looks_meanwhile(&scene);
    pthread_join(writer, NULL);
    assert_true(through);
    assert_int_equal(scene.failed, WEIR_OK);
    found += scene.found;
    weir_cache_unref(scene.cache);
    weir_runtime_unref(scene.runtime);
  } while (scene.gate.passed >= stop);
  assert_true(found > 0);
  return stop - 1;
}

static void lookups_do_not_wait_for_a_writer_that_evicts(struct fixture *fx) {
  (void)fx;
  assert_true(hold_everywhere(BOUND, WEIR_OFF) > 3 * WRITES);
}

static void lookups_do_not_wait_for_a_writer_whose_table_grows(struct fixture *fx) {
  (void)fx;
  assert_true(hold_everywhere(WEIR_UNLIMITED, 500) > 3 * WRITES);
}

TEST_MAIN("cache waits", LONG_TEST(lookups_do_not_wait_for_a_writer_that_evicts),
          LONG_TEST(lookups_do_not_wait_for_a_writer_whose_table_grows))
