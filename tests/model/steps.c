/* SPDX-License-Identifier: MIT */
/* The random steps of an episode. */

#include "model.h"

#include <string.h>

/* ---- reading --------------------------------------------------------------------------------- */

static void lookup_step(struct world *world, size_t index) {
  size_t size = 0;
  const void *key = key_bytes(index, &size);
  weir_value *value = NULL;
  weir_status status = weir_cache_lookup(world->cache, key, size, &value);
  MUST(world, status == WEIR_OK || status == WEIR_ENOTFOUND, status, index);
  MUST(world, (status == WEIR_OK) == (value != NULL), status, index);
  model_seen(world, index, value == NULL ? 0 : number_of(world, value, index));
  if (value != NULL) model_used(world, index, 1);
  weir_value_unref(value);
}

/* Often so that a value ends while it is being loaded again. */
static void touch_step(struct world *world) {
  size_t size = 0;
  size_t index = choose_key(world, 2);
  const void *key = key_bytes(index, &size);
  int64_t ttl_ms = one_in(world, 4) ? WEIR_FOREVER : (int64_t)below(world, 400);
  if (one_in(world, 4)) ttl_ms = (int64_t)below(world, 4);
  weir_status status = weir_cache_touch(world->cache, key, size, ttl_ms);
  if (status == WEIR_ENOTFOUND) {
    model_seen(world, index, 0);
    return;
  }
  MUST(world, status == WEIR_OK, status, index);
  model_touched(world, index, ttl_ms);
}

/* Each live key exactly once, the others at most once. */
static void scan_step(struct world *world) {
  weir_cache_entry entries[8];
  uint64_t seen[KEYS] = {0};
  uint64_t cursor = 0;
  size_t capacity = 1 + below(world, 8);
  do {
    size_t count = 0;
    weir_status status =
        weir_cache_scan(world->cache, &cursor, entries, sizeof entries[0], capacity, &count);
    if (status == WEIR_ENOMEM && world->fail_one_in != 0) return;
    MUST(world, status == WEIR_OK && count <= capacity, status, count);
    for (size_t i = 0; i < count && count <= capacity; i++) {
      size_t index =
          key_index(world, weir_value_data(entries[i].key), weir_value_size(entries[i].key));
      MUST(world, seen[index] == 0, index, 0);
      seen[index] = number_of(world, entries[i].value, index);
      if (world->options.weigh != NULL) {
        MUST(world, (int64_t)entries[i].weight == weight_of(seen[index]), index, entries[i].weight);
      }
      weir_value_unref(entries[i].key);
      weir_value_unref(entries[i].value);
    }
  } while (cursor != 0 && world->problem == NULL);
  for (size_t i = 0; i < KEYS; i++) model_seen(world, i, seen[i]);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void wrote(struct world *world, size_t index, uint64_t number, weir_status status,
                  int64_t ttl_ms, int own) {
  switch (status) {
    case WEIR_OK:
      MUST(world, storable(world, number) > 0 || world->options.max_entries == 0, index, number);
      model_written(world, index, number, ttl_ms, own);
      world->keys[index].load = 0;
      break;
    case WEIR_EFULL:
      MUST(world, storable(world, number) < 0, index, number);
      model_gone(world, index);
      world->keys[index].load = 0;
      break;
    case WEIR_EFAILED:
      MUST(world, storable(world, number) == 0, index, number);
      break;
    default:
      MUST(world, status == WEIR_ENOMEM && world->fail_one_in != 0, status, index);
  }
}

static void put_step(struct world *world, size_t index) {
  size_t size = 0;
  uint64_t number = 0;
  const void *key = key_bytes(index, &size);
  weir_value *value = new_value(world, index, &number);
  int64_t ttl_ms = world->options.ttl_ms;
  if (value == NULL) return;
  if (one_in(world, 3)) {
    ttl_ms = one_in(world, 4) ? WEIR_FOREVER : (int64_t)below(world, 400);
    wrote(world, index, number, weir_cache_put_for(world->cache, key, size, value, ttl_ms), ttl_ms,
          1);
  } else {
    wrote(world, index, number, weir_cache_put(world->cache, key, size, value), ttl_ms, 0);
  }
  weir_value_unref(value);
}

static void put_if_absent_step(struct world *world, size_t index) {
  size_t size = 0;
  uint64_t number = 0;
  const void *key = key_bytes(index, &size);
  weir_value *existing = NULL;
  weir_value *value = new_value(world, index, &number);
  if (value == NULL) return;
  int must = must_be_alive(world, &world->keys[index]);
  weir_status status = weir_cache_put_if_absent(world->cache, key, size, value, &existing);
  if (status == WEIR_EEXISTS) {
    model_seen(world, index, number_of(world, existing, index));
    MUST(world, existing != NULL, index, 0); /* no use of the entry */
  } else {
    MUST(world, !must || status != WEIR_OK, index, number);
    wrote(world, index, number, status, world->options.ttl_ms, 0);
  }
  weir_value_unref(existing);
  weir_value_unref(value);
}

static void invalidate_step(struct world *world, size_t index) {
  size_t size = 0;
  const void *key = key_bytes(index, &size);
  struct numbers alive = alive_numbers(world, &world->keys[index]);
  weir_status status = weir_cache_invalidate(world->cache, key, size);
  int right = status == WEIR_OK ? alive.count != 0 : status == WEIR_ENOTFOUND && !alive.must;
  MUST(world, right, status, index);
  model_gone(world, index);
  world->keys[index].load = 0;
}

static void clear_step(struct world *world) {
  MUST(world, weir_cache_clear(world->cache) == WEIR_OK, 0, 0);
  for (size_t i = 0; i < KEYS; i++) {
    model_gone(world, i);
    world->keys[i].load = 0;
  }
  weir_cache_stats stats = {.size = sizeof stats};
  weir_cache_get_stats(world->cache, &stats);
  MUST(world, stats.entries == 0 && stats.weight == 0, stats.entries, stats.weight);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void advance_step(struct world *world) {
  int64_t ns = (int64_t)below(world, 30 * MS);
  if (one_in(world, 4)) ns = (int64_t)below(world, 60) * MS; /* exactly onto a boundary */
  if (one_in(world, 50)) ns *= 20;
  weir_testing_advance_ns(world->runtime, ns);
}

void take_step(struct world *world) {
  if (one_in(world, 4)) {
    pace_step(world);
    return;
  }
  uint64_t kind = below(world, 64);
  size_t index = below(world, KEYS);
  if (kind < 14) {
    lookup_step(world, index);
  } else if (kind < 24) {
    put_step(world, index);
  } else if (kind < 27) {
    put_if_absent_step(world, index);
  } else if (kind < 31) {
    invalidate_step(world, index);
  } else if (kind < 34) {
    touch_step(world);
  } else if (kind < 46) {
    get_step(world);
  } else if (kind < 49) {
    get_many_step(world);
  } else if (kind < 56) {
    complete_step(world);
  } else if (kind < 58) {
    cancel_step(world);
  } else if (kind < 62) {
    advance_step(world);
  } else if (kind == 62) {
    scan_step(world);
  } else if (one_in(world, 8)) {
    clear_step(world);
  } else if (one_in(world, 8)) {
    world->memory_fails = world->fail_one_in != 0 && !world->memory_fails;
  }
  run_idle(world);
  settle_doubts(world);
  check_gets(world);
  check_stats(world);
}
