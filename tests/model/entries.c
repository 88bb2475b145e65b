/* SPDX-License-Identifier: MIT */
/* The reference model of the entries: what the cache may say of a key at each moment. */

#include "model.h"

/* An idle time may end up to a tick of the coarse clock late, never early. */
#define IDLE_SLACK (11 * MS)

static int64_t idle_end(const struct world *world, const struct key_model *key, int64_t slack) {
  if (world->options.idle_ms == WEIR_OFF || key->own) return INT64_MAX;
  return key->accessed_ns + world->options.idle_ms * MS + slack;
}

int may_be_alive(const struct world *world, const struct key_model *key) {
  int64_t now = world_now(world);
  return key->number != 0 && now < key->hard_ns && now < idle_end(world, key, IDLE_SLACK);
}

int must_be_alive(const struct world *world, const struct key_model *key) {
  int64_t now = world_now(world);
  return key->number != 0 && key->older == 0 && key->certain && now < key->hard_ns &&
         now < idle_end(world, key, 0);
}

int64_t weight_of(uint64_t number) { return number % 61 == 0 ? -1 : (int64_t)(number % 7); }

int storable(const struct world *world, uint64_t number) {
  if (world->options.weigh == NULL) return 1;
  if (weight_of(number) < 0) return 0;
  if (world->options.max_weight == WEIR_UNLIMITED) return 1;
  return weight_of(number) <= world->options.max_weight ? 1 : -1;
}

static int64_t end_of(int64_t now, int64_t ttl_ms) {
  return ttl_ms == WEIR_FOREVER ? INT64_MAX : now + ttl_ms * MS;
}

/* Whatever writes an entry may take others away for it. */
void others_uncertain(struct world *world, size_t key) {
  for (size_t i = 0; i < KEYS; i++) {
    if (i != key && !world->exact) world->keys[i].certain = 0;
  }
}

void model_written(struct world *world, size_t index, uint64_t number, int64_t ttl_ms, int own) {
  struct key_model *key = &world->keys[index];
  int64_t now = world_now(world);
  if (world->options.max_entries == 0) {
    model_gone(world, index);
    return;
  }
  key->number = number;
  key->older = 0;
  key->certain = 1;
  key->own = own || world->options.expire != NULL;
  key->written_ns = key->accessed_ns = now;
  key->hard_ns = end_of(now, ttl_ms);
  key->negative_ns = 0;
  others_uncertain(world, index);
}

void model_gone(struct world *world, size_t index) {
  world->keys[index].number = 0;
  world->keys[index].older = 0;
  world->keys[index].negative_ns = 0;
}

void model_seen(struct world *world, size_t index, uint64_t number) {
  struct key_model *key = &world->keys[index];
  mix(world, number * 64 + index);
  if (number == 0) {
    MUST(world, !must_be_alive(world, key), index, key->number);
    /* It stays away until it is written again, but may still serve when loading fails. */
    if (key->hard_ns > world_now(world)) key->hard_ns = world_now(world);
    return;
  }
  MUST(world, may_be_alive(world, key), index, number);
  MUST(world, number == key->number || number == key->older, number, key->number);
  key->number = number;
  key->older = 0;
}

void model_used(struct world *world, size_t index) {
  world->keys[index].accessed_ns = world_now(world);
}

uint64_t number_of(struct world *world, const weir_value *value, size_t key) {
  const struct sim_value *content = weir_value_pointer(value);
  if (content == NULL) return 0;
  MUST(world, content->number != 0, key, 0); /* freed, and shown after all */
  MUST(world, content->key == key, content->key, key);
  return content->number;
}

void check_stats(struct world *world) {
  weir_cache_stats stats = {.size = sizeof stats};
  uint64_t alive = 0;
  for (size_t i = 0; i < KEYS; i++) alive += must_be_alive(world, &world->keys[i]) != 0;
  MUST(world, weir_cache_get_stats(world->cache, &stats) == WEIR_OK, 0, 0);
  MUST(world, alive <= stats.entries, alive, stats.entries);
  MUST(world, stats.entries <= KEYS, stats.entries, KEYS);
  if (world->options.max_entries != WEIR_UNLIMITED) {
    MUST(world, (int64_t)stats.entries <= world->options.max_entries, stats.entries, 0);
  }
  if (world->options.max_weight != WEIR_UNLIMITED) {
    MUST(world, (int64_t)stats.weight <= world->options.max_weight, stats.weight,
         world->options.max_weight);
  }
  MUST(world, stats.loads == world->loads_begun, stats.loads, world->loads_begun);
  uint64_t left =
      stats.expired + stats.evicted + stats.replaced + stats.invalidated + stats.cleared;
  MUST(world, world->told <= left, world->told, left);
  mix(world, stats.hits + stats.misses * 3 + stats.evicted * 5 + stats.expired * 7);
}
