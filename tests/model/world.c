/* SPDX-License-Identifier: MIT */
/* An episode's world: memory that may fail, a cache with random options, and the end at which
 * nothing may be left. */

#include "model.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory ---------------------------------------------------------------------------------- */

static void *memory_alloc(void *context, size_t size) {
  struct world *world = context;
  if (world->memory_fails && one_in(world, world->fail_one_in)) {
    world->injected++;
    return NULL;
  }
  size_t *block = malloc(size + 16);
  if (block == NULL) abort();
  *block = size;
  world->live_blocks++;
  return block + 2;
}

static void memory_free(void *context, void *pointer, size_t size) {
  struct world *world = context;
  size_t *block = (size_t *)pointer - 2;
  MUST(world, *block == size, *block, size);
  *block = SIZE_MAX;
  world->live_blocks--;
  free(block);
}

static void memory_release(void *context) { ((struct world *)context)->released++; }

/* ---- keys and values ------------------------------------------------------------------------- */

const void *key_bytes(size_t index, size_t *size) {
  static const char text[] = "\0\0key-abcdefghijklmnopqrstuvwxyz-0123456789";
  *size = index == 0 ? 0 : index; /* prefixes of one another, with zero bytes, the first empty */
  return text;
}

size_t key_index(struct world *world, const void *key, size_t size) {
  size_t expected = 0;
  MUST(world, size < KEYS, size, KEYS);
  if (size >= KEYS) return 0;
  const void *bytes = key_bytes(size, &expected);
  MUST(world, size == 0 || memcmp(bytes, key, size) == 0, size, 0);
  return size;
}

size_t choose_key(struct world *world, uint64_t n) {
  size_t index = below(world, KEYS);
  if (!one_in(world, n)) return index;
  for (size_t i = 0; i < KEYS; i++) {
    if (world->keys[(index + i) % KEYS].load != 0) return (index + i) % KEYS;
  }
  return index;
}

static void free_value(void *pointer) {
  struct sim_value *value = pointer;
  MUST(value->world, value->number != 0, 0, 0);
  value->number = 0;
  value->world->values--;
  free(value);
}

weir_value *new_value(struct world *world, size_t key, uint64_t *number) {
  struct sim_value *value = malloc(sizeof *value);
  weir_value *made = NULL;
  if (value == NULL) abort();
  *value = (struct sim_value){world, ++world->numbers, key, 0};
  *number = value->number;
  world->values++;
  return weir_value_new_pointer(world->runtime, value, free_value, &made) == WEIR_OK ? made : NULL;
}

/* ---- deciders and listeners ------------------------------------------------------------------ */

static int64_t weigh(void *data, const void *key, size_t key_size, const weir_value *value) {
  struct world *world = data;
  const struct sim_value *content = weir_value_pointer(value);
  weir_cache_stats stats = {.size = sizeof stats};
  MUST(world, key_index(world, key, key_size) == content->key, key_size, content->key);
  weir_cache_get_stats(world->cache, &stats); /* it may enter the cache */
  return weight_of(content->number);
}

static int64_t expire(void *data, const weir_expiry *expiry) {
  struct world *world = data;
  size_t key = key_index(world, expiry->key, (size_t)expiry->key_size);
  uint64_t number = number_of(world, expiry->value, key);
  const struct key_model *model = &world->keys[key];
  MUST(world, number != 0, key, 0);
  if (expiry->moment == WEIR_EXPIRE_READ) {
    MUST(world, may_be_alive(world, model), key, number);
    return WEIR_EXPIRE_KEEP;
  }
  /* What a load brings is in the model already. */
  int loaded = model->count != 0 && model->versions[0].number == number;
  int updates = expiry->moment == WEIR_EXPIRE_UPDATED;
  int right = updates ? may_be_alive(world, model) : !must_be_alive(world, model);
  MUST(world, loaded || right, key, expiry->moment);
  return world->options.ttl_ms;
}

static void on_evict(void *data, weir_cache *cache, const weir_eviction *eviction) {
  struct world *world = data;
  size_t key = key_index(world, eviction->key, (size_t)eviction->key_size);
  weir_value *value = NULL;
  MUST(world, cache == world->cache, 0, 0);
  MUST(world, eviction->cause >= WEIR_EVICT_EXPIRED && eviction->cause <= WEIR_EVICT_CLEARED,
       eviction->cause, key);
  model_left(world, key, eviction->value);
  /* It may enter the cache; what it sees there is a use like any other. */
  weir_status status = weir_cache_lookup(cache, eviction->key, (size_t)eviction->key_size, &value);
  if (status == WEIR_OK) {
    model_seen(world, key, number_of(world, value, key));
    model_used(world, key, 1);
  }
  weir_value_unref(value);
}

/* ---- beginning ------------------------------------------------------------------------------- */

static int open_runtime(struct world *world) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = WEIR_ALLOCATOR_INIT;
  allocator.alloc = memory_alloc;
  allocator.free = memory_free;
  allocator.context = world;
  allocator.release = memory_release;
  options.driver = WEIR_DRIVER_MANUAL;
  options.allocator = &allocator;
  options.seed = world->seed | 1;
  options.close_grace_ms = 1000;
  options.recorder_entries = 32;
  return weir_runtime_new(&options, &world->runtime, NULL) == WEIR_OK;
}

static int64_t off_or(struct world *world, uint64_t chance, uint64_t reach) {
  return one_in(world, chance) ? (int64_t)below(world, reach) : WEIR_OFF;
}

/* Where the order of uses tells, that is the order on all processors: for below 64 entries. */
static void choose_bounds(struct world *world, weir_cache_options *options) {
  uint64_t kind = below(world, 4);
  world->exact = kind < 2;
  options->max_entries = kind == 0 ? WEIR_UNLIMITED : 200;
  if (kind == 2) options->max_entries = (int64_t)below(world, KEYS);
  if (kind == 3) {
    options->max_entries = 2 * KEYS;
    options->max_weight = (int64_t)below(world, 40);
  }
  if (kind == 3 || one_in(world, 3)) {
    options->weigh = weigh;
    options->weigh_data = world;
  }
}

static void choose_lifetimes(struct world *world, weir_cache_options *options) {
  options->ttl_ms = one_in(world, 3) ? WEIR_FOREVER : (int64_t)below(world, 400);
  options->idle_ms = off_or(world, 3, 200);
  options->load_timeout_ms = off_or(world, 3, 100);
  options->stale_if_error_ms = off_or(world, 3, 200);
  options->negative_ttl_ms = off_or(world, 2, 100);
  uint64_t longest = options->ttl_ms == WEIR_FOREVER ? 400 : (uint64_t)options->ttl_ms + 1;
  options->refresh_ms = off_or(world, 3, longest);
}

static int open_cache(struct world *world) {
  weir_cache_options *options = &world->options;
  *options = (weir_cache_options)WEIR_CACHE_OPTIONS_INIT;
  options->eviction = (uint32_t)below(world, 3);
  choose_bounds(world, options);
  choose_lifetimes(world, options);
  if (one_in(world, 3)) {
    options->expire = expire;
    options->expire_data = world;
  }
  if (one_in(world, 2)) {
    options->on_evict = on_evict;
    options->evict_data = world;
  }
  options->name = "store";
  return weir_cache_new(world->runtime, options, &world->cache, NULL) == WEIR_OK;
}

int world_open(struct world *world) {
  uint64_t reach = one_in(world, 2) ? 20 : 200;
  world->fail_one_in = one_in(world, world->scarce ? 1 : 3) ? 2 + (uint32_t)below(world, reach) : 0;
  world->memory_fails = world->fail_one_in != 0 && one_in(world, 4); /* from the very first */
  if (!open_runtime(world)) return 0;
  weir_runtime_process(world->runtime, 1000 * MS);
  int opened = open_cache(world) &&
               weir_operation_new(world->runtime, load_started, world, NULL, &world->loader,
                                  NULL) == WEIR_OK &&
               weir_operation_new(world->runtime, bulk_started, world, NULL, &world->bulk_loader,
                                  NULL) == WEIR_OK &&
               weir_cache_operation(world->cache, world->loader, &world->getter, NULL) == WEIR_OK &&
               pace_open(world);
  world->memory_fails = world->fail_one_in != 0;
  if (!opened) world_close(world, 0);
  return opened;
}

void run_idle(struct world *world) { weir_testing_run_until_idle(world->runtime); }

/* ---- the end --------------------------------------------------------------------------------- */

static void give_back(struct world *world) {
  size_t first = below(world, 6);
  for (size_t i = 0; i < 6; i++) {
    switch ((first + i) % 6) {
      case 0:
        weir_cache_unref(world->cache);
        break;
      case 1:
        weir_operation_unref(world->loader);
        break;
      case 2:
        weir_operation_unref(world->bulk_loader);
        break;
      case 3:
        weir_operation_unref(world->getter);
        break;
      case 4:
        pace_give_back(world);
        break;
      default:
        weir_runtime_unref(world->runtime);
        world->ended = 1;
    }
  }
}

static void check_end(struct world *world) {
  MUST(world, world->settled == world->calls, world->settled, world->calls);
  MUST(world, world->values == 0, world->values, 0);
  MUST(world, world->live_blocks == 0, world->live_blocks, 0);
  MUST(world, world->released == 1, world->released, 1);
}

void world_close(struct world *world, int opened) {
  int drained = one_in(world, 2);
  if (drained && opened) {
    finish_loads(world);
    pace_finish(world);
    settle_doubts(world);
    check_gets(world);
    check_stats(world);
  }
  world->closing = 1;
  weir_runtime_close(world->runtime);
  if (one_in(world, 2)) run_idle(world);
  finish_loads(world);
  pace_finish(world);
  forget_gets(world);
  give_back(world);
  world->runtime = NULL; /* the clock is gone with it */
  check_end(world);
}
