/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* The decide door of the cache, what forgets a flight, and the numbers of everything. */

static weir_cache *cache_of(struct world *world, const cJSON *step) {
  const struct thing *thing = need_thing(world, text_field(step, "cache", ""));
  if (thing == NULL) return NULL;
  return thing->kind == THING_OPERATION ? weir_memoize_cache(thing->handle) : thing->handle;
}

static void check_value(struct world *world, const cJSON *expected, weir_value *value) {
  cJSON *got = value_to_json(value);
  if (expected != NULL && !cJSON_Compare(expected, got, 1)) {
    char *text = cJSON_PrintUnformatted(got);
    problem(world, "the value is %s", text);
    cJSON_free(text);
  }
  cJSON_Delete(got);
  weir_value_unref(value);
}

static void step_lookup(struct world *world, const cJSON *step) {
  const char *key = text_field(step, "key", "");
  weir_value *value = NULL;
  check_status(world, step, weir_cache_lookup(cache_of(world, step), key, strlen(key), &value));
  check_value(world, cJSON_GetObjectItemCaseSensitive(step, "value"), value);
}

static void step_put(struct world *world, const cJSON *step) {
  const char *key = text_field(step, "key", "");
  weir_cache *cache = cache_of(world, step);
  weir_value *value = value_from(world, cJSON_GetObjectItemCaseSensitive(step, "value"));
  const cJSON *ttl = cJSON_GetObjectItemCaseSensitive(step, "ttl_ms");
  check_status(world, step,
               ttl == NULL ? weir_cache_put(cache, key, strlen(key), value)
                           : weir_cache_put_for(cache, key, strlen(key), value, plain_number(ttl)));
  weir_value_unref(value);
}

static void step_put_if_absent(struct world *world, const cJSON *step) {
  const char *key = text_field(step, "key", "");
  weir_value *existing = NULL;
  weir_value *value = value_from(world, cJSON_GetObjectItemCaseSensitive(step, "value"));
  check_status(world, step,
               weir_cache_put_if_absent(cache_of(world, step), key, strlen(key), value, &existing));
  check_value(world, cJSON_GetObjectItemCaseSensitive(step, "existing"), existing);
  weir_value_unref(value);
}

static void step_invalidate(struct world *world, const cJSON *step) {
  const char *key = text_field(step, "key", "");
  check_status(world, step, weir_cache_invalidate(cache_of(world, step), key, strlen(key)));
}

static void step_touch(struct world *world, const cJSON *step) {
  const char *key = text_field(step, "key", "");
  check_status(world, step,
               weir_cache_touch(cache_of(world, step), key, strlen(key),
                                number_field(step, "ttl_ms", WEIR_FOREVER)));
}

static void step_clear(struct world *world, const cJSON *step) {
  check_status(world, step, weir_cache_clear(cache_of(world, step)));
}

static void step_forget(struct world *world, const cJSON *step) {
  const char *key = text_field(step, "key", "");
  weir_flight *flight = need_handle(world, text_field(step, "flight", ""));
  check_status(world, step, weir_flight_forget(flight, key, strlen(key)));
}

static void step_stats(struct world *world, const cJSON *step) {
  check_stats(world, text_field(step, "of", ""), cJSON_GetObjectItemCaseSensitive(step, "expect"));
}

static const struct {
  const char *verb;
  void (*step)(struct world *, const cJSON *);
} store_steps[] = {
    {"lookup", step_lookup},         {"put", step_put},     {"put_if_absent", step_put_if_absent},
    {"invalidate", step_invalidate}, {"touch", step_touch}, {"clear", step_clear},
    {"forget", step_forget},         {"stats", step_stats}};

int do_store_step(struct world *world, const cJSON *step, const char *verb) {
  for (size_t i = 0; i < COUNT_OF(store_steps); i++) {
    if (strcmp(store_steps[i].verb, verb) != 0) continue;
    store_steps[i].step(world, step);
    return 1;
  }
  return 0;
}
