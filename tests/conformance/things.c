/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* The names of a scenario: found, or built from their definitions when first needed; their stats;
 * and giving all of it back. */

struct thing *new_thing(struct world *world, const char *name, enum thing_kind kind,
                        const char *type) {
  struct thing *thing = calloc(1, sizeof(*thing));
  strncpy(thing->name, name, sizeof(thing->name) - 1);
  thing->kind = kind;
  thing->type = type;
  thing->next = world->things;
  world->things = thing;
  return thing;
}

struct thing *find_thing(struct world *world, const char *name) {
  struct thing *thing = world->things;
  while (thing != NULL && strcmp(thing->name, name) != 0) thing = thing->next;
  return thing;
}

static const struct {
  const char *section;
  weir_status (*build)(struct world *, const char *, const cJSON *, weir_error **);
} sections[] = {{"policies", build_policy},
                {"operations", build_operation},
                {"caches", build_cache},
                {"flights", build_flight},
                {"scopes", build_scope}};

struct thing *need_thing(struct world *world, const char *name) {
  struct thing *thing = find_thing(world, name);
  for (size_t i = 0; thing == NULL && i < COUNT_OF(sections); i++) {
    const cJSON *section = cJSON_GetObjectItemCaseSensitive(world->scenario, sections[i].section);
    const cJSON *def = cJSON_GetObjectItemCaseSensitive(section, name);
    if (def == NULL) continue;
    weir_error *error = NULL;
    weir_status status = sections[i].build(world, name, def, &error);
    if (status != WEIR_OK) problem(world, "making '%s': %s", name, weir_error_message(error));
    weir_error_unref(error);
    thing = find_thing(world, name);
  }
  if (thing == NULL) problem(world, "nothing is named '%s'", name);
  return thing;
}

void need_everything(struct world *world) {
  for (size_t i = 0; i < COUNT_OF(sections); i++) {
    const cJSON *item;
    cJSON_ArrayForEach(item,
                       cJSON_GetObjectItemCaseSensitive(world->scenario, sections[i].section)) {
      need_thing(world, item->string);
    }
  }
}

weir_policy *need_policy(struct world *world, const char *name) {
  struct thing *thing = need_thing(world, name);
  return thing == NULL ? NULL : thing->policy;
}

weir_operation *need_operation(struct world *world, const char *name) {
  struct thing *thing = need_thing(world, name);
  return thing == NULL ? NULL : thing->operation;
}

void *need_handle(struct world *world, const char *name) {
  struct thing *thing = need_thing(world, name);
  return thing == NULL ? NULL : thing->handle;
}

static void free_thing(struct thing *thing) {
  weir_policy_unref(thing->policy); /* the typed handle is the same object */
  weir_operation_unref(thing->operation);
  if (thing->kind == THING_BUDGET) weir_budget_unref(thing->handle);
  if (thing->kind == THING_CACHE) weir_cache_unref(thing->handle);
  if (thing->kind == THING_FLIGHT) weir_flight_unref(thing->handle);
  if (thing->kind == THING_SCOPE) weir_scope_unref(thing->handle);
  if (thing->kind == THING_OPERATION && thing->handle != NULL) {
    if (strcmp(thing->type, "pool") == 0) weir_pool_unref(thing->handle);
    if (strcmp(thing->type, "memoize") == 0) weir_memoize_unref(thing->handle);
    if (strcmp(thing->type, "debounce") == 0) weir_debounce_unref(thing->handle);
    if (strcmp(thing->type, "throttle") == 0) weir_throttle_unref(thing->handle);
  }
  free(thing);
}

void free_things(struct world *world) {
  while (world->things != NULL) {
    struct thing *thing = world->things;
    world->things = thing->next;
    free_thing(thing);
  }
}

/* ---- stats ---- */

#define U32(struct_, name) \
  { #name, OPTION_U32, offsetof(struct_, name), NULL }
#define U64(struct_, name) \
  { #name, OPTION_U64, offsetof(struct_, name), NULL }

static const struct option retry_stats[] = {
    U64(weir_retry_stats, calls),           U64(weir_retry_stats, retries),
    U64(weir_retry_stats, succeeded_first), U64(weir_retry_stats, succeeded_later),
    U64(weir_retry_stats, gave_up),         U64(weir_retry_stats, refused_by_budget)};
static const struct option budget_stats[] = {
    U64(weir_budget_stats, deposits), U64(weir_budget_stats, withdrawn),
    U64(weir_budget_stats, refused), U64(weir_budget_stats, available)};
static const struct option breaker_stats[] = {
    U32(weir_breaker_stats, state),       U64(weir_breaker_stats, calls),
    U64(weir_breaker_stats, failures),    U64(weir_breaker_stats, slow_calls),
    U64(weir_breaker_stats, succeeded),   U64(weir_breaker_stats, failed),
    U64(weir_breaker_stats, slow),        U64(weir_breaker_stats, ignored),
    U64(weir_breaker_stats, stale),       U64(weir_breaker_stats, rejected),
    U64(weir_breaker_stats, times_opened)};
static const struct option limiter_stats[] = {
    U32(weir_limiter_stats, paused),     U64(weir_limiter_stats, available),
    U64(weir_limiter_stats, concurrent), U64(weir_limiter_stats, limit),
    U64(weir_limiter_stats, queued),     U64(weir_limiter_stats, granted),
    U64(weir_limiter_stats, refused),    U64(weir_limiter_stats, timed_out),
    U64(weir_limiter_stats, keys)};
static const struct option timeout_stats[] = {U64(weir_timeout_stats, started),
                                              U64(weir_timeout_stats, timed_out)};
static const struct option hedge_stats[] = {
    U64(weir_hedge_stats, started), U64(weir_hedge_stats, hedged),
    U64(weir_hedge_stats, won_by_hedge), U64(weir_hedge_stats, refused_by_budget)};
static const struct option fallback_stats[] = {U64(weir_fallback_stats, started),
                                               U64(weir_fallback_stats, fell_back),
                                               U64(weir_fallback_stats, failed)};
static const struct option chaos_stats[] = {
    U32(weir_chaos_stats, enabled), U64(weir_chaos_stats, drawn),    U64(weir_chaos_stats, delayed),
    U64(weir_chaos_stats, failed),  U64(weir_chaos_stats, outcomes), U64(weir_chaos_stats, hung)};
static const struct option cache_stats[] = {
    U64(weir_cache_stats, hits),        U64(weir_cache_stats, misses),
    U64(weir_cache_stats, stale_hits),  U64(weir_cache_stats, puts),
    U64(weir_cache_stats, loads),       U64(weir_cache_stats, load_failures),
    U64(weir_cache_stats, evicted),     U64(weir_cache_stats, replaced),
    U64(weir_cache_stats, invalidated), U64(weir_cache_stats, cleared),
    U64(weir_cache_stats, entries),     U64(weir_cache_stats, loading)};
static const struct option flight_stats[] = {
    U64(weir_flight_stats, calls), U64(weir_flight_stats, runs), U64(weir_flight_stats, shared),
    U64(weir_flight_stats, running), U64(weir_flight_stats, waiting)};
static const struct option scope_stats[] = {
    U32(weir_scope_stats, state), U32(weir_scope_stats, cancelled),
    U32(weir_scope_stats, resources), U64(weir_scope_stats, calls), U64(weir_scope_stats, leaked)};
static const struct option pacing_stats[] = {
    U64(weir_pacing_stats, calls),      U64(weir_pacing_stats, runs),
    U64(weir_pacing_stats, superseded), U64(weir_pacing_stats, pending),
    U64(weir_pacing_stats, running),    U64(weir_pacing_stats, keys)};
static const struct option pool_stats[] = {
    U32(weir_pool_stats, sealed),  U64(weir_pool_stats, added),     U64(weir_pool_stats, waiting),
    U64(weir_pool_stats, running), U64(weir_pool_stats, succeeded), U64(weir_pool_stats, failed)};

#define CHECK_STATS(word, struct_, get, fields)                           \
  if (strcmp(type, word) == 0) {                                          \
    struct_ stats = {.size = sizeof(stats)};                              \
    get((void *)thing->handle, &stats);                                   \
    compare_stats(world, name, expect, fields, COUNT_OF(fields), &stats); \
    return;                                                               \
  }

static void check_policy_stats(struct world *world, const char *name, const cJSON *expect) {
  const struct thing *thing = need_thing(world, name);
  const char *type = thing == NULL ? "" : thing->type;
  CHECK_STATS("retry", weir_retry_stats, weir_retry_get_stats, retry_stats)
  CHECK_STATS("budget", weir_budget_stats, weir_budget_get_stats, budget_stats)
  CHECK_STATS("breaker", weir_breaker_stats, weir_breaker_get_stats, breaker_stats)
  CHECK_STATS("limiter", weir_limiter_stats, weir_limiter_get_stats, limiter_stats)
  CHECK_STATS("bulkhead", weir_limiter_stats, weir_limiter_get_stats, limiter_stats)
  CHECK_STATS("timeout", weir_timeout_stats, weir_timeout_get_stats, timeout_stats)
  CHECK_STATS("hedge", weir_hedge_stats, weir_hedge_get_stats, hedge_stats)
  CHECK_STATS("fallback", weir_fallback_stats, weir_fallback_get_stats, fallback_stats)
  CHECK_STATS("chaos", weir_chaos_stats, weir_chaos_get_stats, chaos_stats)
  problem(world, "'%s' has no numbers", name);
}

void check_stats(struct world *world, const char *name, const cJSON *expect) {
  const struct thing *thing = need_thing(world, name);
  const char *type = thing == NULL ? "" : thing->type;
  CHECK_STATS("cache", weir_cache_stats, weir_cache_get_stats, cache_stats)
  CHECK_STATS("flight", weir_flight_stats, weir_flight_get_stats, flight_stats)
  CHECK_STATS("scope", weir_scope_stats, weir_scope_get_stats, scope_stats)
  CHECK_STATS("debounce", weir_pacing_stats, weir_debounce_get_stats, pacing_stats)
  CHECK_STATS("throttle", weir_pacing_stats, weir_throttle_get_stats, pacing_stats)
  CHECK_STATS("pool", weir_pool_stats, weir_pool_get_stats, pool_stats)
  check_policy_stats(world, name, expect);
}
