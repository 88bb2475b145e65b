/* SPDX-License-Identifier: MIT */
/*
 * Making policies and budgets, changing their options, reading their stats; the registry.
 *
 * All families go the same way, by a table of what differs. Deciders (classify, shouldRetry ...)
 * are not here: JavaScript judges before it completes an attempt.
 */
#include <stdio.h>

#include "weir_node.h"

union any_options {
  weir_retry_options retry;
  weir_breaker_options breaker;
  weir_limiter_options limiter;
  weir_timeout_options timeout;
  weir_hedge_options hedge;
  weir_fallback_options fallback;
  weir_chaos_options chaos;
  weir_budget_options budget;
};

union any_stats {
  uint32_t size;
  weir_retry_stats retry;
  weir_breaker_stats breaker;
  weir_limiter_stats limiter;
  weir_timeout_stats timeout;
  weir_hedge_stats hedge;
  weir_fallback_stats fallback;
  weir_chaos_stats chaos;
  weir_budget_stats budget;
};

struct family {
  const char *name;
  uint32_t kind;
  const struct field *fields;
  const struct field *stats_fields;
  size_t stats_size;
  void (*init)(union any_options *options);
  weir_status (*make)(weir_runtime *runtime, const union any_options *options, void **out,
                      weir_policy **policy, weir_error **error);
  weir_status (*set)(void *pointer, const union any_options *options, weir_error **error);
  weir_status (*stats)(void *pointer, union any_stats *stats);
};

#define COMMON(noun)                                                             \
  static void noun##_init(union any_options *options) {                          \
    weir_##noun##_options_init(&options->noun, sizeof options->noun);            \
  }                                                                              \
  static weir_status noun##_set(void *pointer, const union any_options *options, \
                                weir_error **error) {                            \
    return weir_##noun##_set_options(pointer, &options->noun, error);            \
  }                                                                              \
  static weir_status noun##_get_stats(void *pointer, union any_stats *stats) {   \
    return weir_##noun##_get_stats(pointer, &stats->noun);                       \
  }
#define POLICY(noun)                                                                      \
  COMMON(noun)                                                                            \
  static weir_status noun##_make(weir_runtime *runtime, const union any_options *options, \
                                 void **out, weir_policy **policy, weir_error **error) {  \
    weir_##noun *made = NULL;                                                             \
    weir_status status = weir_##noun##_new(runtime, &options->noun, &made, error);        \
    *out = made;                                                                          \
    *policy = status == WEIR_OK ? weir_##noun##_policy(made) : NULL;                      \
    return status;                                                                        \
  }
POLICY(retry)
POLICY(breaker)
POLICY(limiter)
POLICY(timeout)
POLICY(hedge)
POLICY(fallback)
POLICY(chaos)
COMMON(budget)

static weir_status budget_make(weir_runtime *runtime, const union any_options *options, void **out,
                               weir_policy **policy, weir_error **error) {
  weir_budget *made = NULL;
  weir_status status = weir_budget_new(runtime, &options->budget, &made, error);
  *out = made;
  *policy = NULL;
  return status;
}

#define FAMILY(noun, kind)                                                              \
  {                                                                                     \
#noun, kind, noun##_fields, noun##_stats, sizeof(weir_##noun##_stats), noun##_init, \
        noun##_make, noun##_set, noun##_get_stats                                       \
  }
static const struct family families[] = {
    FAMILY(retry, KIND_POLICY + WEIR_POLICY_RETRY),
    FAMILY(breaker, KIND_POLICY + WEIR_POLICY_BREAKER),
    FAMILY(limiter, KIND_POLICY + WEIR_POLICY_LIMITER),
    FAMILY(timeout, KIND_POLICY + WEIR_POLICY_TIMEOUT),
    FAMILY(hedge, KIND_POLICY + WEIR_POLICY_HEDGE),
    FAMILY(fallback, KIND_POLICY + WEIR_POLICY_FALLBACK),
    FAMILY(chaos, KIND_POLICY + WEIR_POLICY_CHAOS),
    FAMILY(budget, KIND_BUDGET),
};

static const struct family *family_of(struct environment *e, napi_value value) {
  char name[24];
  size_t size = 0;
  if (napi_get_value_string_utf8(e->env, value, name, sizeof name, &size) == napi_ok)
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
      if (strcmp(families[i].name, name) == 0) return &families[i];
  throw_invalid(e, "no such policy");
  return NULL;
}

static napi_value property(struct environment *e, napi_value object, const char *name) {
  napi_value value = NULL;
  if (is_nothing(e, object) || napi_get_named_property(e->env, object, name, &value) != napi_ok)
    napi_get_undefined(e->env, &value);
  return value;
}

/* What weir takes references of, and the caller of make or set gives back. */
struct borrowed {
  weir_value *value;
  weir_error *error;
};

static bool add_fallback(struct environment *e, struct engine *engine, napi_value object,
                         weir_fallback_options *options, struct borrowed *borrowed) {
  napi_value operation = property(e, object, "operation"), value = property(e, object, "valueId");
  if (!is_nothing(e, operation)) {
    options->operation = handle_get(e, operation, KIND_OPERATION);
    return options->operation != NULL;
  }
  if (options->has_value != 0)
    options->value = borrowed->value = host_value(engine, number_of(e, value));
  return true;
}

/* phases: [[fromMs, untilMs, what, rate], ...] */
static bool add_phases(struct environment *e, napi_value list, weir_chaos_options *options,
                       struct options_memory *memory) {
  uint32_t count = 0;
  if (napi_get_array_length(e->env, list, &count) != napi_ok) return true;
  weir_chaos_phase *phases = calloc(count + 1, sizeof *phases);
  if (phases == NULL || memory->count == sizeof memory->pieces / sizeof *memory->pieces) {
    free(phases);
    throw_status(e, WEIR_ENOMEM, NULL);
    return false;
  }
  memory->pieces[memory->count++] = phases;
  for (uint32_t i = 0; i < count; i++) {
    napi_value phase = NULL, part[4] = {NULL, NULL, NULL, NULL};
    napi_get_element(e->env, list, i, &phase);
    for (uint32_t j = 0; j < 4; j++) napi_get_element(e->env, phase, j, &part[j]);
    phases[i] = (weir_chaos_phase){ms_from(number_of(e, part[0])), ms_from(number_of(e, part[1])),
                                   (uint32_t)number_of(e, part[2]), 0, number_of(e, part[3])};
  }
  options->phases = phases;
  options->phases_count = count;
  return true;
}

static bool add_chaos(struct environment *e, struct engine *engine, napi_value object,
                      weir_chaos_options *options, struct borrowed *borrowed,
                      struct options_memory *memory) {
  napi_value failure = property(e, object, "failureId"), value = property(e, object, "valueId");
  if (!is_nothing(e, failure))
    options->failure = borrowed->error =
        host_error(engine, number_of(e, failure), WEIR_DOMAIN_USER, 0, "injected");
  if (!is_nothing(e, value))
    options->value = borrowed->value = host_value(engine, number_of(e, value));
  return add_phases(e, property(e, object, "phaseList"), options, memory);
}

/* A decider on weir's thread: what JavaScript said for this run. */
static int64_t timeout_of_run(void *data, void *context, const void *key, size_t key_size) {
  (void)key, (void)key_size;
  return numbers_get(data, (uint32_t)(uintptr_t)context, -1);
}

/* What is not in the table: handles, ids and listeners. */
static bool add_more(struct environment *e, struct engine *engine, const struct family *family,
                     napi_value object, union any_options *options, struct borrowed *borrowed,
                     struct options_memory *memory, bool changes) {
  napi_value listener = property(e, object, "listener");
  bool listens = !is_nothing(e, listener);
  uint32_t user = (uint32_t)number_of(e, listener);
  if (family->init == retry_init && listens) {
    options->retry.on_retry = side_retry;
    options->retry.on_retry_data = listener_new(engine->waker, user);
    options->retry.on_retry_free_data = listener_free;
  }
  if (family->init == breaker_init && listens && !changes) {
    options->breaker.queue = engine->queue;
    options->breaker.user = user;
  }
  if (family->init == timeout_init && listens) {
    options->timeout.timeout_for = timeout_of_run;
    options->timeout.timeout_data = numbers_ref(engine->timeouts);
    options->timeout.timeout_free_data = numbers_unref;
  }
  if (family->init == fallback_init)
    return add_fallback(e, engine, object, &options->fallback, borrowed);
  if (family->init == chaos_init)
    return add_chaos(e, engine, object, &options->chaos, borrowed, memory);
  return true;
}

/* make(engine, family, options): a handle */
static napi_value make(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  const struct family *family = engine == NULL ? NULL : family_of(e, arg[1]);
  if (family == NULL) return NULL;
  union any_options options;
  struct options_memory memory = {.count = 0};
  struct borrowed borrowed = {NULL, NULL};
  void *made = NULL;
  weir_policy *policy = NULL;
  weir_error *error = NULL;
  family->init(&options);
  bool fine = options_read(e, arg[2], family->fields, &options, &memory, family->name) &&
              add_more(e, engine, family, arg[2], &options, &borrowed, &memory, false);
  weir_status status = WEIR_EINVAL;
  if (fine) status = family->make(engine->runtime, &options, &made, &policy, &error);
  options_done(&memory);
  weir_value_unref(borrowed.value);
  weir_error_unref(borrowed.error);
  if (!fine) return NULL;
  if (status != WEIR_OK) return throw_status(e, status, error);
  return policy == NULL ? handle_value(e, family->kind, made) : policy_value(e, made, policy);
}

/* change(engine, family, handle, options) */
static napi_value change(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  struct engine *engine = engine_get(e, arg[0]);
  const struct family *family = engine == NULL ? NULL : family_of(e, arg[1]);
  void *pointer = family == NULL ? NULL : handle_get(e, arg[2], family->kind);
  if (pointer == NULL) return NULL;
  union any_options options;
  struct options_memory memory = {.count = 0};
  struct borrowed borrowed = {NULL, NULL};
  weir_error *error = NULL;
  family->init(&options);
  bool fine = options_read(e, arg[3], family->fields, &options, &memory, family->name) &&
              add_more(e, engine, family, arg[3], &options, &borrowed, &memory, true);
  weir_status status = fine ? family->set(pointer, &options, &error) : WEIR_EINVAL;
  options_done(&memory);
  weir_value_unref(borrowed.value);
  weir_error_unref(borrowed.error);
  return !fine || status == WEIR_OK ? NULL : throw_status(e, status, error);
}

/* stats(family, handle) */
static napi_value stats(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  const struct family *family = family_of(e, arg[0]);
  void *pointer = family == NULL ? NULL : handle_get(e, arg[1], family->kind);
  if (pointer == NULL) return NULL;
  union any_stats read;
  memset(&read, 0, sizeof read);
  read.size = (uint32_t)family->stats_size;
  weir_status status = family->stats(pointer, &read);
  return status == WEIR_OK ? struct_value(e, family->stats_fields, &read)
                           : throw_status(e, status, NULL);
}

/* What has options and is no policy. */
static const struct {
  const char *name;
  const struct field *fields;
} others[] = {
    {"cache", cache_fields},       {"flight", flight_fields}, {"debounce", debounce_fields},
    {"throttle", throttle_fields}, {"race", race_fields},     {"parallel", parallel_fields},
    {"pool", pool_fields},         {"poll", poll_fields},     {"scope", scope_fields},
    {"runtime", runtime_fields},
};

/* names(what): of its options */
static napi_value names(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char name[24] = "";
  napi_get_value_string_utf8(env, arg[0], name, sizeof name, NULL);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(others[i].name, name) == 0) return field_names(e, others[i].fields);
  const struct family *family = family_of(e, arg[0]);
  return family == NULL ? NULL : field_names(e, family->fields);
}

/* pipeline(engine, [handles], name) */
static napi_value pipeline(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_policy *policies[WEIR_PIPELINE_MAX + 1];
  uint32_t count = 0;
  napi_get_array_length(env, arg[1], &count);
  if (count > WEIR_PIPELINE_MAX) count = WEIR_PIPELINE_MAX + 1;
  for (uint32_t i = 0; i < count; i++) {
    napi_value handle = NULL;
    napi_get_element(env, arg[1], i, &handle);
    if ((policies[i] = policy_get(e, handle)) == NULL) return NULL;
  }
  struct bytes name;
  bool named = text_of(e, arg[2], &name);
  weir_pipeline *made = NULL;
  weir_error *error = NULL;
  weir_status status =
      weir_pipeline_new(engine->runtime, policies, count, named ? name.data : NULL, &made, &error);
  bytes_done(&name);
  return status == WEIR_OK ? policy_value(e, made, weir_pipeline_policy(made))
                           : throw_status(e, status, error);
}

/* bulkhead(engine, maxConcurrent, queueLimit, name) */
static napi_value bulkhead(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  struct bytes name;
  bool named = text_of(e, arg[3], &name);
  weir_limiter *made = NULL;
  weir_error *error = NULL;
  weir_status status =
      weir_bulkhead_new(engine->runtime, ms_from(number_of(e, arg[1])),
                        ms_from(number_of(e, arg[2])), named ? name.data : NULL, &made, &error);
  bytes_done(&name);
  return status == WEIR_OK ? policy_value(e, made, weir_limiter_policy(made))
                           : throw_status(e, status, error);
}

static napi_value register_policy(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_policy *policy = policy_get(e, arg[0]);
  weir_error *error = NULL;
  if (policy == NULL) return NULL;
  weir_status status = weir_policy_register(policy, &error);
  return status == WEIR_OK ? NULL : throw_status(e, status, error);
}

static napi_value unregister_policy(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_policy *policy = policy_get(e, arg[0]);
  if (policy == NULL) return NULL;
  weir_status status = weir_policy_unregister(policy);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

static void *typed(weir_policy *policy) {
  switch (weir_policy_kind(policy)) {
    case WEIR_POLICY_BREAKER:
      return weir_policy_breaker(policy);
    case WEIR_POLICY_LIMITER:
      return weir_policy_limiter(policy);
    case WEIR_POLICY_RETRY:
      return weir_policy_retry(policy);
    case WEIR_POLICY_TIMEOUT:
      return weir_policy_timeout(policy);
    case WEIR_POLICY_CHAOS:
      return weir_policy_chaos(policy);
    case WEIR_POLICY_PIPELINE:
      return weir_policy_pipeline(policy);
    default:
      return NULL;
  }
}

/* find(engine, name): { handle, kind }, or undefined */
static napi_value find_policy(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  struct bytes name;
  weir_policy *policy = NULL;
  weir_error *error = NULL;
  weir_status status = WEIR_EINVAL;
  if (text_of(e, arg[1], &name))
    status = weir_policy_find(engine->runtime, name.data, &policy, &error);
  bytes_done(&name);
  if (status == WEIR_ENOTFOUND) {
    weir_error_unref(error);
    return NULL;
  }
  if (status != WEIR_OK) return throw_status(e, status, error);
  napi_value object = NULL;
  napi_create_object(env, &object);
  set_number(e, object, "kind", weir_policy_kind(policy));
  napi_set_named_property(env, object, "handle", policy_value(e, typed(policy), policy));
  return object;
}

/* label(what, handle, key, value): what is "runtime", "policy", "operation", "cache", "budget" */
static napi_value label(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  struct bytes what, key, text;
  weir_error *error = NULL;
  weir_status status = WEIR_EINVAL;
  uint32_t handle = (uint32_t)int_of(e, arg[1]);
  struct engine *engine = handle_peek(e, handle, KIND_ENGINE);
  bool fine = text_of(e, arg[0], &what);
  fine = text_of(e, arg[2], &key) && fine;
  fine = text_of(e, arg[3], &text) && fine;
  if (fine && engine != NULL)
    status = weir_runtime_set_label(engine->runtime, key.data, text.data, &error);
  else if (fine && strcmp(what.data, "policy") == 0)
    status = weir_policy_set_label(policy_get(e, arg[1]), key.data, text.data, &error);
  else if (fine && strcmp(what.data, "operation") == 0)
    status = weir_operation_set_label(handle_peek(e, handle, KIND_OPERATION), key.data, text.data,
                                      &error);
  else if (fine && strcmp(what.data, "cache") == 0)
    status = weir_cache_set_label(handle_peek(e, handle, KIND_CACHE), key.data, text.data, &error);
  else if (fine && strcmp(what.data, "budget") == 0)
    status =
        weir_budget_set_label(handle_peek(e, handle, KIND_BUDGET), key.data, text.data, &error);
  bytes_done(&what);
  bytes_done(&key);
  bytes_done(&text);
  return status == WEIR_OK ? NULL : throw_status(e, status, error);
}

const struct function policy_functions[] = {
    {"make", make},
    {"change", change},
    {"stats", stats},
    {"names", names},
    {"pipeline", pipeline},
    {"bulkhead", bulkhead},
    {"registerPolicy", register_policy},
    {"unregisterPolicy", unregister_policy},
    {"findPolicy", find_policy},
    {"label", label},
    {NULL, NULL},
};
