/* SPDX-License-Identifier: MIT */
/* The reference model of the entries: what the cache may say of a key at each moment. */

#include "model.h"

/* An idle time may end up to a tick of the coarse clock late, never early. */
#define IDLE_SLACK (11 * MS)
/* The wheel turns in ticks of 2^24 ns. */
#define SWEEP_SLACK (17 * MS)

/* ---- what may be there ----------------------------------------------------------------------- */

static int64_t idle_end(const struct world *world, const struct version *version, int64_t used_ns) {
  if (world->options.idle_ms == WEIR_OFF || version->own) return INT64_MAX;
  return used_ns + world->options.idle_ms * MS;
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

/* The least and the most that its end may be. */
static int64_t first_end(const struct world *world, const struct version *version) {
  return earlier(version->hard_ns, idle_end(world, version, version->used_ns));
}

static int64_t last_end(const struct world *world, const struct version *version) {
  int64_t idle_ns = idle_end(world, version, version->perhaps_ns);
  return earlier(version->hard_ns, idle_ns == INT64_MAX ? idle_ns : idle_ns + IDLE_SLACK);
}

/* Versions that live for `more_ns` after their end. */
static struct numbers numbers_at(const struct world *world, const struct key_model *key,
                                 int64_t more_ns) {
  struct numbers numbers = {.count = 0};
  int64_t then_ns = world_now(world) - more_ns;
  for (size_t i = 0; i < key->count; i++) {
    const struct version *version = &key->versions[i];
    if (then_ns < last_end(world, version)) numbers.of[numbers.count++] = version->number;
  }
  int known = key->count == 1 && key->certain && !key->shaken && key->stored_at == 0;
  numbers.must = known && then_ns < first_end(world, &key->versions[0]);
  return numbers;
}

struct numbers alive_numbers(const struct world *world, const struct key_model *key) {
  return numbers_at(world, key, 0);
}

struct numbers stale_numbers(const struct world *world, const struct key_model *key) {
  if (world->options.stale_if_error_ms <= 0) return (struct numbers){.count = 0};
  return numbers_at(world, key, world->options.stale_if_error_ms * MS);
}

int is_among(const struct numbers *numbers, uint64_t number) {
  for (size_t i = 0; i < numbers->count; i++) {
    if (numbers->of[i] == number) return 1;
  }
  return 0;
}

int may_be_alive(const struct world *world, const struct key_model *key) {
  return alive_numbers(world, key).count != 0;
}

int must_be_alive(const struct world *world, const struct key_model *key) {
  return alive_numbers(world, key).must;
}

int refresh_is_due(const struct world *world, const struct key_model *key) {
  int64_t refresh_ms = world->options.refresh_ms;
  return refresh_ms != WEIR_OFF && key->count == 1 &&
         world_now(world) >= key->versions[0].written_ns + refresh_ms * MS;
}

/* ---- writes ---------------------------------------------------------------------------------- */

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
    if (i != key && !world->exact) world->keys[i].shaken = 1;
  }
}

static struct version new_version(const struct world *world, uint64_t number, int64_t ttl_ms,
                                  int own) {
  int64_t now = world_now(world);
  return (struct version){
      number, own || world->options.expire != NULL, now, end_of(now, ttl_ms), now, now};
}

static void forget_failure(struct key_model *key) {
  key->negative_ns = 0;
  key->negative_certain = 0;
  key->negative_at = 0;
}

void model_gone(struct world *world, size_t index) {
  struct key_model *key = &world->keys[index];
  key->count = 0;
  key->certain = 0;
  key->shaken = 0;
  key->stored_at = 0;
  forget_failure(key);
}

void model_written(struct world *world, size_t index, uint64_t number, int64_t ttl_ms, int own) {
  struct key_model *key = &world->keys[index];
  model_gone(world, index);
  if (world->options.max_entries == 0) return;
  key->versions[0] = new_version(world, number, ttl_ms, own);
  key->count = 1;
  key->certain = 1;
  others_uncertain(world, index);
}

/* Without memory for it the key keeps what it had: alive, or expired and still serving. */
void model_loaded(struct world *world, size_t index, uint64_t number) {
  struct key_model *key = &world->keys[index];
  struct key_model before = *key;
  model_written(world, index, number, world->options.ttl_ms, 0);
  if (!world->memory_fails || world->options.max_entries == 0) return;
  for (size_t i = 0; i < before.count && key->count < VERSIONS; i++) {
    key->versions[key->count++] = before.versions[i];
  }
  key->stored_at = before.stored_at != 0 ? before.stored_at : world->injected + 1;
}

/* A value that serves instead is not given up for it. */
void model_failed(struct world *world, size_t index, int64_t code) {
  struct key_model *key = &world->keys[index];
  struct numbers alive = alive_numbers(world, key);
  struct numbers stale = stale_numbers(world, key);
  if (world->options.negative_ttl_ms == WEIR_OFF || world->options.max_entries == 0) return;
  if (alive.must || stale.must) return;
  forget_failure(key);
  key->negative_ns = world_now(world) + world->options.negative_ttl_ms * MS;
  key->failure = code;
  key->certain = 0;
  key->shaken = 0;
  if (alive.count == 0 && stale.count == 0) key->negative_at = world->injected + 1;
  others_uncertain(world, index);
}

/* So many that more would have no place; the cache is asked to forget them. */
static void clear_up(struct world *world, size_t index) {
  size_t size = 0;
  const void *bytes = key_bytes(index, &size);
  weir_cache_invalidate(world->cache, bytes, size);
  model_gone(world, index);
  world->keys[index].load = 0;
  run_idle(world);
}

/* Whether the bounds have taken anything away in this step. */
static int have_evicted(struct world *world) {
  const weir_cache_options *options = &world->options;
  weir_cache_stats stats = {.size = sizeof stats};
  MUST(world, weir_cache_get_stats(world->cache, &stats) == WEIR_OK, 0, 0);
  int evicted = stats.evicted != world->evicted;
  int by_count = options->max_weight == WEIR_UNLIMITED && world_now(world) == world->step_ns;
  MUST(world, !evicted || !world->exact, stats.evicted, world->evicted);
  MUST(world, !evicted || !by_count || (int64_t)stats.entries == options->max_entries,
       stats.entries, stats.evicted);
  world->evicted = stats.evicted;
  world->step_ns = world_now(world);
  return evicted;
}

static void settle_evictions(struct world *world) {
  int evicted = have_evicted(world);
  for (size_t i = 0; i < KEYS; i++) {
    struct key_model *key = &world->keys[i];
    if (evicted && key->shaken) {
      key->certain = key->negative_certain = 0;
      key->negative_at = 0;
    }
    key->shaken = 0;
  }
}

void settle_doubts(struct world *world) {
  settle_evictions(world);
  for (size_t i = 0; i < KEYS; i++) {
    struct key_model *key = &world->keys[i];
    int failed = key->stored_at != world->injected + 1;
    if (key->stored_at != 0 && failed) key->certain = 0;
    if (!failed) key->count = 1;
    if (key->negative_at == world->injected + 1) {
      key->negative_certain = 1;
      key->count = 0;
    }
    key->stored_at = key->negative_at = 0;
    if (key->count > VERSIONS / 2) clear_up(world, i);
  }
}

/* ---- what was seen --------------------------------------------------------------------------- */

/* It stays away until it is written again, but may still serve when loading fails. */
static void seen_gone(struct world *world, size_t index) {
  struct key_model *key = &world->keys[index];
  MUST(world, !must_be_alive(world, key), index, key->versions[0].number);
  for (size_t i = 0; i < key->count; i++) {
    key->versions[i].hard_ns = earlier(key->versions[i].hard_ns, world_now(world));
  }
}

void model_seen(struct world *world, size_t index, uint64_t number) {
  struct key_model *key = &world->keys[index];
  mix(world, number * 64 + index);
  if (number == 0) {
    seen_gone(world, index);
    return;
  }
  struct numbers alive = alive_numbers(world, key);
  MUST(world, is_among(&alive, number), index, number);
  for (size_t i = 0; i < key->count; i++) {
    if (key->versions[i].number == number) key->versions[0] = key->versions[i];
  }
  key->count = 1;
  key->certain = 1;
  key->shaken = 0;
  key->stored_at = 0;
  forget_failure(key);
}

void model_used(struct world *world, size_t index, int certainly) {
  struct key_model *key = &world->keys[index];
  for (size_t i = 0; i < key->count; i++) {
    if (certainly && key->count == 1) key->versions[i].used_ns = world_now(world);
    key->versions[i].perhaps_ns = world_now(world);
  }
}

/* What may have been dead was not it. */
void model_touched(struct world *world, size_t index, int64_t ttl_ms) {
  struct key_model *key = &world->keys[index];
  struct numbers alive = alive_numbers(world, key);
  size_t count = 0;
  MUST(world, alive.count != 0, index, 0);
  for (size_t i = 0; i < key->count; i++) {
    if (!is_among(&alive, key->versions[i].number)) continue;
    key->versions[count] = key->versions[i];
    key->versions[count++].hard_ns = end_of(world_now(world), ttl_ms);
  }
  key->count = count;
  key->certain = 1;
  key->shaken = 0;
  forget_failure(key);
  model_used(world, index, 1);
}

uint64_t number_of(struct world *world, const weir_value *value, size_t key) {
  const struct sim_value *content = weir_value_pointer(value);
  if (content == NULL) return 0;
  MUST(world, content->number != 0, key, 0); /* freed, and shown after all */
  MUST(world, content->key == key, content->key, key);
  return content->number;
}

void model_left(struct world *world, size_t index, const weir_value *value) {
  struct sim_value *content = weir_value_pointer(value);
  struct numbers alive = alive_numbers(world, &world->keys[index]);
  uint64_t number = number_of(world, value, index);
  MUST(world, number != 0 && !content->told, index, number);
  MUST(world, !alive.must || !is_among(&alive, number), index, number);
  content->told = 1;
  world->told++;
}

/* Keys that may have an entry: what has come to its end is swept soon after. */
static uint64_t most_entries(const struct world *world) {
  int64_t stale_ms = world->options.stale_if_error_ms;
  int64_t more_ns = SWEEP_SLACK + (stale_ms > 0 ? stale_ms * MS : 0);
  uint64_t most = 0;
  for (size_t i = 0; i < KEYS; i++) {
    const struct key_model *key = &world->keys[i];
    int remembers = world_now(world) < key->negative_ns + SWEEP_SLACK;
    most += remembers || numbers_at(world, key, more_ns).count != 0;
  }
  return most;
}

void check_stats(struct world *world) {
  weir_cache_stats stats = {.size = sizeof stats};
  uint64_t alive = 0;
  uint64_t loading = 0;
  for (size_t i = 0; i < KEYS; i++) {
    alive += must_be_alive(world, &world->keys[i]) != 0;
    loading += world->keys[i].load != 0;
  }
  MUST(world, weir_cache_get_stats(world->cache, &stats) == WEIR_OK, 0, 0);
  MUST(world, alive <= stats.entries, alive, stats.entries);
  MUST(world, stats.entries <= KEYS, stats.entries, KEYS);
  /* Without memory for the wheel nothing is swept. */
  if (world->fail_one_in == 0) {
    MUST(world, stats.entries <= most_entries(world), stats.entries, most_entries(world));
  }
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
  MUST(world, stats.load_failures == world->load_failures, stats.load_failures,
       world->load_failures);
  MUST(world, stats.loading == loading, stats.loading, loading);
  /* A remembered failure leaves without a word. */
  int all_told = world->options.on_evict != NULL && world->options.negative_ttl_ms == WEIR_OFF;
  MUST(world, all_told ? world->told == left : world->told <= left, world->told, left);
  mix(world, stats.hits + stats.misses * 3 + stats.evicted * 5 + stats.expired * 7);
}
