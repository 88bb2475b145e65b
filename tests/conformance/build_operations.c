/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* Operations, caches, flights and scopes from their definitions. */

#define FIELD(struct_, kind, name) \
  { #name, kind, offsetof(struct_, name), NULL }
#define WORD(struct_, name, words) \
  { #name, OPTION_WORD, offsetof(struct_, name), words }
enum { MOST = 32 };

static const struct option parallel_fields[] = {
    FIELD(weir_parallel_options, OPTION_I64, concurrency),
    FIELD(weir_parallel_options, OPTION_U32, stop_on_error),
    FIELD(weir_parallel_options, OPTION_I64, item_timeout_ms)};
static const struct option pool_fields[] = {FIELD(weir_pool_options, OPTION_I64, concurrency),
                                            FIELD(weir_pool_options, OPTION_U32, stop_on_error),
                                            FIELD(weir_pool_options, OPTION_I64, item_timeout_ms)};
static const struct option poll_fields[] = {FIELD(weir_poll_options, OPTION_I64, interval_ms),
                                            FIELD(weir_poll_options, OPTION_I64, max_attempts),
                                            FIELD(weir_poll_options, OPTION_I64, max_elapsed_ms)};
static const struct option memoize_fields[] = {
    FIELD(weir_memoize_options, OPTION_I64, max_entries),
    FIELD(weir_memoize_options, OPTION_I64, ttl_ms),
    FIELD(weir_memoize_options, OPTION_I64, load_timeout_ms)};
static const struct option debounce_fields[] = {
    FIELD(weir_debounce_options, OPTION_U32, leading),
    FIELD(weir_debounce_options, OPTION_U32, trailing),
    WORD(weir_debounce_options, superseded, superseded_words),
    WORD(weir_debounce_options, overlap, overlap_words),
    FIELD(weir_debounce_options, OPTION_I64, wait_ms),
    FIELD(weir_debounce_options, OPTION_I64, max_wait_ms)};
static const struct option throttle_fields[] = {
    FIELD(weir_throttle_options, OPTION_U32, leading),
    FIELD(weir_throttle_options, OPTION_U32, trailing),
    WORD(weir_throttle_options, superseded, superseded_words),
    WORD(weir_throttle_options, overlap, overlap_words),
    FIELD(weir_throttle_options, OPTION_I64, interval_ms)};
static const struct option scope_fields[] = {WORD(weir_scope_options, exit, exit_words),
                                             FIELD(weir_scope_options, OPTION_I64, deadline_ms),
                                             FIELD(weir_scope_options, OPTION_I64, grace_ms)};
static const struct option cache_fields[] = {
    WORD(weir_cache_options, eviction, eviction_words),
    FIELD(weir_cache_options, OPTION_I64, max_entries),
    FIELD(weir_cache_options, OPTION_I64, ttl_ms),
    FIELD(weir_cache_options, OPTION_I64, idle_ms),
    FIELD(weir_cache_options, OPTION_I64, load_timeout_ms),
    FIELD(weir_cache_options, OPTION_I64, refresh_ms),
    FIELD(weir_cache_options, OPTION_I64, stale_if_error_ms),
    FIELD(weir_cache_options, OPTION_I64, negative_ttl_ms)};

#define FILL(fields) fill_options(world, def, fields, COUNT_OF(fields), &options, NULL)

/* What a definition refers to by name, and where what is made goes. */
struct making {
  struct world *world;
  struct thing *thing;
  const cJSON *def;
  weir_error **error;
};

static weir_operation *operation_field(const struct making *m, const char *name) {
  const char *text = text_field(m->def, name, NULL);
  return text == NULL ? NULL : need_operation(m->world, text);
}

static size_t operations_field(const struct making *m, weir_operation **operations) {
  size_t count = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(m->def, "operations")) {
    if (count < MOST) operations[count++] = need_operation(m->world, item->valuestring);
  }
  return count;
}

static weir_policy *policy_field(const struct making *m) {
  const char *name = text_field(m->def, "policy", NULL);
  return name == NULL ? NULL : need_policy(m->world, name);
}

static weir_status make_leaf(const struct making *m) {
  return build_leaf(m->world, m->thing->name, m->def, &m->thing->operation, m->error);
}

static weir_status make_sleep(const struct making *m) {
  const cJSON *failure = cJSON_GetObjectItemCaseSensitive(m->def, "error");
  weir_value *value = value_from(m->world, cJSON_GetObjectItemCaseSensitive(m->def, "value"));
  weir_error *result = failure == NULL ? NULL : error_from(m->world, failure);
  weir_status kind =
      (weir_status)number_of(m->world, status_words, text_field(m->def, "status", "ok"));
  weir_status status = weir_sleep_new(m->world->runtime, number_field(m->def, "sleep_ms", 0), kind,
                                      value, result, &m->thing->operation, m->error);
  weir_value_unref(value);
  weir_error_unref(result);
  return status;
}

static weir_status make_wrap(const struct making *m) {
  return weir_policy_wrap(policy_field(m), operation_field(m, "operation"), &m->thing->operation,
                          m->error);
}

static weir_status make_race(const struct making *m) {
  weir_operation *operations[MOST];
  uint8_t decisive[MOST] = {0};
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  const cJSON *flags = cJSON_GetObjectItemCaseSensitive(m->def, "decisive"), *flag;
  size_t count = operations_field(m, operations), position = 0;
  cJSON_ArrayForEach(flag, flags) {
    if (position < MOST) decisive[position++] = (uint8_t)cJSON_IsTrue(flag);
  }
  if (flags != NULL) options.decisive = decisive;
  options.first_settled = (uint32_t)flag_field(m->def, "first_settled", 0);
  options.name = m->thing->name;
  return weir_race_new(m->world->runtime, operations, count, &options, &m->thing->operation,
                       m->error);
}

static weir_status make_together(const struct making *m) {
  static const struct {
    const char *type;
    weir_status (*make)(weir_runtime *, weir_operation *const *, size_t, const char *,
                        weir_operation **, weir_error **);
  } makers[] = {{"any", weir_any_new},
                {"all", weir_all_new},
                {"all_settled", weir_all_settled_new},
                {"waterfall", weir_waterfall_new}};
  weir_operation *operations[MOST];
  size_t count = operations_field(m, operations), i = 0;
  while (strcmp(makers[i].type, m->thing->type) != 0) i++;
  return makers[i].make(m->world->runtime, operations, count, m->thing->name, &m->thing->operation,
                        m->error);
}

static weir_status make_parallel(const struct making *m) {
  struct world *world = m->world;
  const cJSON *def = m->def, *items = cJSON_GetObjectItemCaseSensitive(def, "items");
  weir_operation *operations[MOST];
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  FILL(parallel_fields);
  options.policy = policy_field(m);
  options.name = m->thing->name;
  if (items == NULL) {
    size_t count = operations_field(m, operations);
    return weir_parallel_new(world->runtime, operations, count, &options, &m->thing->operation,
                             m->error);
  }
  weir_value *list = value_from(world, items);
  weir_status status = weir_parallel_new_each(operation_field(m, "operation"), list, &options,
                                              &m->thing->operation, m->error);
  weir_value_unref(list);
  return status;
}

static weir_status make_pool(const struct making *m) {
  struct world *world = m->world;
  const cJSON *def = m->def;
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  weir_pool *pool = NULL;
  FILL(pool_fields);
  options.policy = policy_field(m);
  options.name = m->thing->name;
  weir_status status = weir_pool_new(world->runtime, &options, &pool, m->error);
  m->thing->handle = pool;
  if (pool != NULL) m->thing->operation = weir_operation_ref(weir_pool_operation(pool));
  return status;
}

static weir_status make_poll(const struct making *m) {
  struct world *world = m->world;
  const cJSON *def = m->def;
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  FILL(poll_fields);
  options.name = m->thing->name;
  return weir_poll_new(operation_field(m, "operation"), &options, &m->thing->operation, m->error);
}

static weir_status make_cache_get(const struct making *m) {
  weir_cache *cache = need_handle(m->world, text_field(m->def, "cache", ""));
  return weir_cache_operation(cache, operation_field(m, "loader"), &m->thing->operation, m->error);
}

static weir_status make_memoize(const struct making *m) {
  struct world *world = m->world;
  const cJSON *def = m->def;
  weir_memoize_options options = WEIR_MEMOIZE_OPTIONS_INIT;
  weir_memoize *memoize = NULL;
  FILL(memoize_fields);
  options.name = m->thing->name;
  weir_status status = weir_memoize_new(world->runtime, operation_field(m, "operation"), &options,
                                        &memoize, m->error);
  m->thing->handle = memoize;
  if (memoize != NULL) m->thing->operation = weir_operation_ref(weir_memoize_operation(memoize));
  return status;
}

static weir_status make_flight(const struct making *m) {
  weir_flight *flight = need_handle(m->world, text_field(m->def, "flight", ""));
  return weir_flight_operation(flight, operation_field(m, "operation"), &m->thing->operation,
                               m->error);
}

static weir_status make_debounce(const struct making *m) {
  struct world *world = m->world;
  const cJSON *def = m->def;
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  weir_debounce *made = NULL;
  FILL(debounce_fields);
  options.policy = policy_field(m);
  options.name = m->thing->name;
  weir_status status =
      weir_debounce_new(world->runtime, operation_field(m, "operation"), &options, &made, m->error);
  m->thing->handle = made;
  if (made != NULL) m->thing->operation = weir_operation_ref(weir_debounce_operation(made));
  return status;
}

static weir_status make_throttle(const struct making *m) {
  struct world *world = m->world;
  const cJSON *def = m->def;
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  weir_throttle *made = NULL;
  FILL(throttle_fields);
  options.policy = policy_field(m);
  options.name = m->thing->name;
  weir_status status =
      weir_throttle_new(world->runtime, operation_field(m, "operation"), &options, &made, m->error);
  m->thing->handle = made;
  if (made != NULL) m->thing->operation = weir_operation_ref(weir_throttle_operation(made));
  return status;
}

static weir_status make_scope(const struct making *m) {
  struct world *world = m->world;
  const cJSON *def = m->def;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  FILL(scope_fields);
  options.name = m->thing->name;
  return weir_scope_operation(operation_field(m, "operation"), &options, &m->thing->operation,
                              m->error);
}

static weir_status make_resource(const struct making *m) {
  return weir_scope_resource(operation_field(m, "open"), operation_field(m, "close"),
                             text_field(m->def, "key", NULL), &m->thing->operation, m->error);
}

static weir_status make_join(const struct making *m) {
  return weir_scope_join(need_handle(m->world, text_field(m->def, "scope", "")),
                         &m->thing->operation, m->error);
}

static const struct {
  const char *type;
  weir_status (*make)(const struct making *m);
} makers[] = {{"leaf", make_leaf},
              {"sleep", make_sleep},
              {"wrap", make_wrap},
              {"race", make_race},
              {"any", make_together},
              {"all", make_together},
              {"all_settled", make_together},
              {"waterfall", make_together},
              {"parallel", make_parallel},
              {"parallel_each", make_parallel},
              {"pool", make_pool},
              {"poll", make_poll},
              {"cache", make_cache_get},
              {"cache_many", make_cache_get},
              {"memoize", make_memoize},
              {"flight", make_flight},
              {"debounce", make_debounce},
              {"throttle", make_throttle},
              {"scope", make_scope},
              {"resource", make_resource},
              {"join", make_join}};

weir_status build_operation(struct world *world, const char *name, const cJSON *def,
                            weir_error **error) {
  const char *type = text_field(def, "type", "");
  struct making m = {world, new_thing(world, name, THING_OPERATION, type), def, error};
  for (size_t i = 0; i < COUNT_OF(makers); i++) {
    if (strcmp(makers[i].type, type) == 0) return makers[i].make(&m);
  }
  problem(world, "there is no operation '%s'", type);
  return WEIR_ENOTSUP;
}

weir_status build_cache(struct world *world, const char *name, const cJSON *def,
                        weir_error **error) {
  struct thing *thing = new_thing(world, name, THING_CACHE, "cache");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  weir_cache *made = NULL;
  FILL(cache_fields);
  options.name = name;
  weir_status status = weir_cache_new(world->runtime, &options, &made, error);
  thing->handle = made;
  return status;
}

weir_status build_flight(struct world *world, const char *name, const cJSON *def,
                         weir_error **error) {
  struct thing *thing = new_thing(world, name, THING_FLIGHT, "flight");
  weir_flight_options options = WEIR_FLIGHT_OPTIONS_INIT;
  weir_flight *made = NULL;
  options.timeout_ms = number_field(def, "timeout_ms", WEIR_FOREVER);
  options.name = name;
  weir_status status = weir_flight_new(world->runtime, &options, &made, error);
  thing->handle = made;
  return status;
}

weir_status build_scope(struct world *world, const char *name, const cJSON *def,
                        weir_error **error) {
  struct thing *thing = new_thing(world, name, THING_SCOPE, "scope");
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  weir_scope *made = NULL;
  const char *parent = text_field(def, "parent", NULL);
  FILL(scope_fields);
  if (parent != NULL) options.parent = need_handle(world, parent);
  options.name = name;
  weir_status status = weir_scope_new(world->runtime, &options, &made, error);
  thing->handle = made;
  return status;
}
