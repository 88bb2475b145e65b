/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* The steps of a script that start, stop and end things; those of the decide doors are in
 * steps_decide.c and steps_store.c. */

void check_status(struct world *world, const cJSON *step, weir_status status) {
  const char *expected = text_field(step, "expect", "ok");
  const char *got = word_of(status_words, status);
  if (strcmp(expected, got) != 0) {
    problem(world, "%s answers %s, not %s", text_field(step, "do", "?"), got, expected);
  }
}

static struct run *run_labelled(struct world *world, const char *label) {
  struct run *run = world->runs;
  while (run != NULL && strcmp(run->label, label) != 0) run = run->next;
  if (run == NULL) problem(world, "no run '%s'", label);
  return run;
}

static struct run *new_run(struct world *world, const char *label) {
  struct run *run = calloc(1, sizeof(*run));
  run->world = world;
  strncpy(run->label, label, sizeof(run->label) - 1);
  run->next = world->runs;
  world->runs = run;
  return run;
}

static void run_options(struct world *world, const cJSON *step, weir_run_options *options) {
  const char *policy = text_field(step, "policy", NULL), *scope = text_field(step, "scope", NULL);
  if (policy != NULL) options->policy = need_policy(world, policy);
  if (scope != NULL) options->scope = need_handle(world, scope);
  options->key = text_field(step, "key", NULL);
  options->key_size = options->key == NULL ? 0 : strlen(options->key);
  options->deadline_ms = number_field(step, "deadline_ms", WEIR_FOREVER);
  options->permits = (uint32_t)number_field(step, "permits", 1);
  options->priority = (uint32_t)number_field(step, "priority", 31);
  options->name = text_field(step, "run", NULL);
  options->input = value_from(world, cJSON_GetObjectItemCaseSensitive(step, "input"));
}

static weir_status begin_get_many(struct world *world, const cJSON *step, struct run *run) {
  const struct thing *thing = need_thing(world, text_field(step, "operation", ""));
  const cJSON *all = cJSON_GetObjectItemCaseSensitive(world->scenario, "operations"), *item;
  const cJSON *def = cJSON_GetObjectItemCaseSensitive(all, thing->name);
  const void *keys[32];
  size_t sizes[32], count = 0;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(step, "keys")) {
    if (count == COUNT_OF(keys)) break;
    keys[count] = item->valuestring;
    sizes[count++] = strlen(item->valuestring);
  }
  return weir_cache_get_many(need_handle(world, text_field(def, "cache", "")), keys, sizes, count,
                             need_operation(world, text_field(def, "loader", "")), record_settle,
                             run, NULL, &run->call, NULL);
}

static void step_run(struct world *world, const cJSON *step) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_operation *operation = need_operation(world, text_field(step, "operation", ""));
  if (operation == NULL) return;
  struct run *run = new_run(world, text_field(step, "run", ""));
  weir_status status;
  run_options(world, step, &options);
  if (cJSON_GetObjectItemCaseSensitive(step, "keys") != NULL) {
    status = begin_get_many(world, step, run);
  } else {
    status = weir_run(operation, &options, record_settle, run, NULL, &run->call, NULL);
  }
  weir_value_unref(options.input);
  if (status == WEIR_OK) world->in_flight++;
  check_status(world, step, status);
}

static void step_cancel(struct world *world, const cJSON *step) {
  struct run *run = run_labelled(world, text_field(step, "run", ""));
  if (run != NULL) weir_call_cancel(run->call);
}

static void step_in_flight(struct world *world, const cJSON *step) {
  weir_runtime_stats stats = {.size = sizeof(stats)};
  weir_runtime_get_stats(world->runtime, &stats);
  int64_t calls = number_field(step, "calls", 0), orphans = number_field(step, "orphans", 0);
  if ((int64_t)stats.live_calls != calls || (int64_t)stats.orphans != orphans) {
    problem(world, "in flight are %lld calls and %lld orphans, not %lld and %lld",
            (long long)stats.live_calls, (long long)stats.orphans, (long long)calls,
            (long long)orphans);
  }
}

static void step_pacer(struct world *world, const cJSON *step, const char *verb) {
  const struct thing *thing = need_thing(world, text_field(step, "operation", ""));
  const char *key = text_field(step, "key", NULL);
  size_t size = key == NULL ? 0 : strlen(key);
  if (thing == NULL) return;
  int debounce = strcmp(thing->type, "debounce") == 0;
  if (strcmp(verb, "flush") == 0) {
    if (debounce) weir_debounce_flush(thing->handle, key, size);
    if (!debounce) weir_throttle_flush(thing->handle, key, size);
  } else if (strcmp(verb, "cancel_pacer") == 0) {
    if (debounce) weir_debounce_cancel(thing->handle, key, size);
    if (!debounce) weir_throttle_cancel(thing->handle, key, size);
  } else {
    uint64_t pending =
        debounce ? weir_debounce_pending(thing->handle) : weir_throttle_pending(thing->handle);
    if ((int64_t)pending != number_field(step, "expect", 0)) {
      problem(world, "%llu calls are pending", (unsigned long long)pending);
    }
  }
}

static void step_pool(struct world *world, const cJSON *step, const char *verb) {
  weir_pool *pool = need_handle(world, text_field(step, "pool", ""));
  if (strcmp(verb, "seal") == 0) {
    check_status(world, step, weir_pool_seal(pool));
    return;
  }
  weir_value *input = value_from(world, cJSON_GetObjectItemCaseSensitive(step, "input"));
  weir_operation *operation = need_operation(world, text_field(step, "operation", ""));
  check_status(world, step, weir_pool_add(pool, operation, input, NULL));
  weir_value_unref(input);
}

static void set_scope_value(struct world *world, const cJSON *step, weir_scope *scope) {
  const char *key = text_field(step, "key", "");
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(step, "value");
  check_status(world, step,
               cJSON_IsNumber(value) ? weir_scope_set_int64(scope, key, plain_number(value))
                                     : weir_scope_set_bytes(scope, key, value->valuestring,
                                                            strlen(value->valuestring)));
}

static void get_scope_value(struct world *world, const cJSON *step, weir_scope *scope) {
  const char *key = text_field(step, "key", "");
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(step, "value");
  int64_t number = 0;
  char bytes[256];
  size_t size = 0;
  if (cJSON_IsString(value)) {
    check_status(world, step, weir_scope_get_bytes(scope, key, bytes, sizeof(bytes), &size));
    if (size != strlen(value->valuestring) || memcmp(bytes, value->valuestring, size) != 0) {
      problem(world, "'%s' is '%.*s'", key, (int)size, bytes);
    }
    return;
  }
  check_status(world, step, weir_scope_get_int64(scope, key, &number));
  if (value != NULL && number != plain_number(value)) {
    problem(world, "'%s' is %lld", key, (long long)number);
  }
}

static void step_scope(struct world *world, const cJSON *step, const char *verb) {
  weir_scope *scope = need_handle(world, text_field(step, "scope", ""));
  if (scope == NULL) return;
  if (strcmp(verb, "cancel_scope") == 0) {
    check_status(world, step, weir_scope_cancel(scope));
  } else if (strcmp(verb, "set_value") == 0) {
    set_scope_value(world, step, scope);
  } else {
    get_scope_value(world, step, scope);
  }
}

static void step_find(struct world *world, const cJSON *step) {
  weir_policy *policy = NULL;
  const char *as = text_field(step, "as", NULL), *kind = text_field(step, "kind", NULL);
  check_status(world, step,
               weir_policy_find(world->runtime, text_field(step, "name", ""), &policy, NULL));
  if (policy == NULL) return;
  if (kind != NULL && strcmp(kind, word_of(policy_words, weir_policy_kind(policy))) != 0) {
    problem(world, "what was found is a %s", word_of(policy_words, weir_policy_kind(policy)));
  }
  if (as != NULL) {
    adopt_policy(world, as, policy);
  } else {
    weir_policy_unref(policy);
  }
}

static void step_registry(struct world *world, const cJSON *step, const char *verb) {
  weir_policy *policy = need_policy(world, text_field(step, "policy", ""));
  check_status(world, step,
               strcmp(verb, "register") == 0 ? weir_policy_register(policy, NULL)
                                             : weir_policy_unregister(policy));
}

static void step_create(struct world *world, const cJSON *step) {
  const cJSON *policy = cJSON_GetObjectItemCaseSensitive(step, "policy");
  const cJSON *operation = cJSON_GetObjectItemCaseSensitive(step, "operation");
  const cJSON *cache = cJSON_GetObjectItemCaseSensitive(step, "cache");
  const char *part = text_field(step, "message", "");
  weir_error *error = NULL;
  weir_status status = WEIR_OK;
  if (policy != NULL) status = build_policy(world, "created", policy, &error);
  if (operation != NULL) status = build_operation(world, "created", operation, &error);
  if (cache != NULL) status = build_cache(world, "created", cache, &error);
  check_status(world, step, status);
  if (strstr(weir_error_message(error), part) == NULL) {
    problem(world, "the message is '%s', without '%s'", weir_error_message(error), part);
  }
  weir_error_unref(error);
}

static int do_plain_step(struct world *world, const cJSON *step, const char *verb) {
  static const struct {
    const char *verb;
    void (*step)(struct world *, const cJSON *);
  } steps[] = {{"run", step_run},
               {"cancel", step_cancel},
               {"in_flight", step_in_flight},
               {"create", step_create},
               {"find", step_find}};
  for (size_t i = 0; i < COUNT_OF(steps); i++) {
    if (strcmp(steps[i].verb, verb) != 0) continue;
    steps[i].step(world, step);
    return 1;
  }
  return 0;
}

static int do_other_step(struct world *world, const cJSON *step, const char *verb) {
  static const struct {
    const char *verb;
    void (*step)(struct world *, const cJSON *, const char *);
  } steps[] = {{"flush", step_pacer},       {"cancel_pacer", step_pacer},
               {"pending", step_pacer},     {"add", step_pool},
               {"seal", step_pool},         {"cancel_scope", step_scope},
               {"set_value", step_scope},   {"get_value", step_scope},
               {"register", step_registry}, {"unregister", step_registry}};
  for (size_t i = 0; i < COUNT_OF(steps); i++) {
    if (strcmp(steps[i].verb, verb) != 0) continue;
    steps[i].step(world, step, verb);
    return 1;
  }
  return 0;
}

void do_step(struct world *world, const cJSON *step) {
  const char *verb = text_field(step, "do", "");
  if (strcmp(verb, "close") == 0) {
    weir_runtime_close(world->runtime);
  } else if (!do_plain_step(world, step, verb) && !do_other_step(world, step, verb) &&
             !do_decide_step(world, step, verb) && !do_store_step(world, step, verb)) {
    problem(world, "there is no step '%s'", verb);
  }
}
