/* SPDX-License-Identifier: MIT */
/*
 * Operations and what is built of them. An operation handle of 0 stands for the engine's own
 * operation, whose attempts JavaScript tells apart by the run's slot and the attempt's index.
 */
#include "weir_node.h"

static napi_value operation_value(struct environment *e, weir_status status, weir_operation *made,
                                  weir_error *error) {
  return status == WEIR_OK ? handle_value(e, KIND_OPERATION, made) : throw_status(e, status, error);
}

static weir_operation *operation_of(struct environment *e, struct engine *engine,
                                    napi_value value) {
  return int_of(e, value) == 0 ? engine->closure : handle_get(e, value, KIND_OPERATION);
}

/* operationNew(engine, asks, id) */
static napi_value operation_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_operation *made = NULL;
  weir_error *error = NULL;
  uint32_t id = (uint32_t)int_of(e, arg[2]);
  bool asks = false;
  napi_get_value_bool(env, arg[1], &asks);
  weir_status status =
      asks ? weir_operation_new_asked(engine->queue, USER_OF(USER_ASK, id), &made, &error)
           : weir_operation_new_queued(engine->queue, USER_OF(USER_OPERATION, id), &made, &error);
  return operation_value(e, status, made, error);
}

/* sleepNew(engine, ms, status, valueId, errorId) */
static napi_value sleep_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_operation *made = NULL;
  weir_error *error = NULL, *result = NULL;
  double error_id = number_of(e, arg[4]);
  weir_value *value = host_value(engine, number_of(e, arg[3]));
  if (error_id >= 0) result = host_error(engine, error_id, WEIR_DOMAIN_USER, 0, NULL);
  weir_status status = weir_sleep_new(engine->runtime, ms_from(number_of(e, arg[1])),
                                      int_of(e, arg[2]), value, result, &made, &error);
  weir_value_unref(value);
  weir_error_unref(result);
  return operation_value(e, status, made, error);
}

static napi_value policy_wrap(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  weir_policy *policy = engine == NULL ? NULL : policy_get(e, arg[1]);
  weir_operation *inner = policy == NULL ? NULL : operation_of(e, engine, arg[2]), *made = NULL;
  weir_error *error = NULL;
  if (inner == NULL) return NULL;
  weir_status status = weir_policy_wrap(policy, inner, &made, &error);
  return operation_value(e, status, made, error);
}

enum many { MANY_RACE, MANY_ANY, MANY_ALL, MANY_ALL_SETTLED, MANY_WATERFALL, MANY_PARALLEL };

union many_options {
  weir_race_options race;
  weir_parallel_options parallel;
};

static bool read_many(struct environment *e, enum many what, napi_value *arg,
                      union many_options *options, struct options_memory *memory) {
  void *decisive = NULL;
  size_t count = 0;
  if (what == MANY_PARALLEL) {
    weir_parallel_options_init(&options->parallel, sizeof options->parallel);
    return options_read(e, arg[3], parallel_fields, &options->parallel, memory, "parallel");
  }
  weir_race_options_init(&options->race, sizeof options->race);
  if (!options_read(e, arg[3], race_fields, &options->race, memory, "race")) return false;
  if (!is_nothing(e, arg[4])) {
    napi_get_typedarray_info(e->env, arg[4], NULL, &count, &decisive, NULL, NULL);
    options->race.decisive = decisive;
  }
  return true;
}

static weir_status make_many(struct engine *engine, enum many what, weir_operation **operations,
                             size_t count, const union many_options *options, weir_operation **made,
                             weir_error **error) {
  weir_runtime *runtime = engine->runtime;
  const char *name = what == MANY_PARALLEL ? NULL : options->race.name;
  switch (what) {
    case MANY_RACE:
      return weir_race_new(runtime, operations, count, &options->race, made, error);
    case MANY_ANY:
      return weir_any_new(runtime, operations, count, name, made, error);
    case MANY_ALL:
      return weir_all_new(runtime, operations, count, name, made, error);
    case MANY_ALL_SETTLED:
      return weir_all_settled_new(runtime, operations, count, name, made, error);
    case MANY_WATERFALL:
      return weir_waterfall_new(runtime, operations, count, name, made, error);
    case MANY_PARALLEL:
      return weir_parallel_new(runtime, operations, count, &options->parallel, made, error);
    default:
      return WEIR_EINVAL;
  }
}

/* manyNew(engine, what, [handles], options, decisive) */
static napi_value many_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  enum many what = (enum many)int_of(e, arg[1]);
  uint32_t count = 0;
  napi_get_array_length(env, arg[2], &count);
  weir_operation **operations = calloc(count + 1, sizeof(weir_operation *)), *made = NULL;
  union many_options options;
  struct options_memory memory = {.count = 0};
  weir_error *error = NULL;
  bool fine = operations != NULL && read_many(e, what, arg, &options, &memory);
  for (uint32_t i = 0; i < count && fine; i++) {
    napi_value handle = NULL;
    napi_get_element(env, arg[2], i, &handle);
    fine = (operations[i] = operation_of(e, engine, handle)) != NULL;
  }
  weir_status status =
      fine ? make_many(engine, what, operations, count, &options, &made, &error) : WEIR_OK;
  options_done(&memory);
  free(operations);
  return fine ? operation_value(e, status, made, error) : NULL;
}

/* The items: a number of them, which JavaScript has by index, an array of ids, or nothing. */
static weir_value *items_value(struct environment *e, struct engine *engine, napi_value argument) {
  bool listed = false;
  uint32_t count = 0;
  napi_is_array(e->env, argument, &listed);
  if (!listed && number_of(e, argument) < 0) return NULL;
  if (listed)
    napi_get_array_length(e->env, argument, &count);
  else
    count = (uint32_t)number_of(e, argument);
  weir_value **values = calloc((size_t)count + 1, sizeof *values), *list = NULL;
  if (values == NULL) return NULL;
  for (uint32_t i = 0; listed && i < count; i++) {
    napi_value id = NULL;
    napi_get_element(e->env, argument, i, &id);
    values[i] = host_value(engine, number_of(e, id));
  }
  weir_value_new_list(engine->runtime, values, NULL, count, &list);
  weir_values_unref(values, count);
  free(values);
  return list;
}

/* parallelEach(engine, operation, items (-1: the run's input), source or 0, options, byItem):
 * byItem, each item's end is a record with the run's slot, and there is no list. */
static napi_value parallel_each(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  struct engine *engine = engine_get(e, arg[0]);
  weir_operation *operation = engine == NULL ? NULL : operation_of(e, engine, arg[1]), *made = NULL;
  if (operation == NULL) return NULL;
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  struct options_memory memory = {.count = 0};
  weir_error *error = NULL;
  bool fine = options_read(e, arg[4], parallel_fields, &options, &memory, "parallel");
  if (fine && int_of(e, arg[3]) != 0)
    fine = (options.source = handle_get(e, arg[3], KIND_OPERATION)) != NULL;
  if (!fine) {
    options_done(&memory);
    return NULL;
  }
  bool by_item = false;
  napi_get_value_bool(env, arg[5], &by_item);
  if (by_item) {
    options.queue = engine->queue;
    options.user = WEIR_USER_OF_RUN;
  }
  weir_value *items = items_value(e, engine, arg[2]);
  weir_status status = weir_parallel_new_each(operation, items, &options, &made, &error);
  weir_value_unref(items);
  options_done(&memory);
  return operation_value(e, status, made, error);
}

/* poolNew(engine, options, listener): [pool, operation]; the listener is told of each item */
static napi_value pool_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  struct options_memory memory = {.count = 0};
  weir_pool *pool = NULL;
  weir_error *error = NULL;
  napi_value pair = NULL;
  bool fine = options_read(e, arg[1], pool_fields, &options, &memory, "pool");
  if (fine && !is_nothing(e, arg[2])) {
    options.queue = engine->queue;
    options.user = (uint32_t)-int_of(e, arg[2]); /* a negative number is no slot */
  }
  weir_status status = fine ? weir_pool_new(engine->runtime, &options, &pool, &error) : WEIR_OK;
  options_done(&memory);
  if (!fine) return NULL;
  if (status != WEIR_OK) return throw_status(e, status, error);
  weir_operation *operation = weir_operation_ref(weir_pool_operation(pool));
  napi_create_array(env, &pair);
  napi_set_element(env, pair, 0, handle_value(e, KIND_POOL, pool));
  napi_set_element(env, pair, 1, handle_value(e, KIND_OPERATION, operation));
  return pair;
}

/* poolAdd(engine, pool, operation or 0: the input's function, inputId) */
static napi_value pool_add(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  struct engine *engine = engine_get(e, arg[0]);
  weir_pool *pool = engine == NULL ? NULL : handle_get(e, arg[1], KIND_POOL);
  if (pool == NULL) return NULL;
  weir_operation *operation =
      int_of(e, arg[2]) == 0 ? engine->loader : handle_get(e, arg[2], KIND_OPERATION);
  if (operation == NULL) return NULL;
  weir_value *input = host_value(engine, number_of(e, arg[3]));
  weir_error *error = NULL;
  weir_status status = weir_pool_add(pool, operation, input, &error);
  weir_value_unref(input);
  return status == WEIR_OK ? NULL : throw_status(e, status, error);
}

static napi_value pool_seal(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_pool *pool = handle_get(e, arg[0], KIND_POOL);
  weir_status status = pool == NULL ? WEIR_OK : weir_pool_seal(pool);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

static napi_value pool_read_stats(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_pool *pool = handle_get(e, arg[0], KIND_POOL);
  if (pool == NULL) return NULL;
  weir_pool_stats stats = {.size = sizeof stats};
  weir_status status = weir_pool_get_stats(pool, &stats);
  return status == WEIR_OK ? struct_value(e, pool_stats, &stats) : throw_status(e, status, NULL);
}

/* pollNew(engine, operation, options) */
static napi_value poll_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  weir_operation *operation = engine == NULL ? NULL : operation_of(e, engine, arg[1]), *made = NULL;
  if (operation == NULL) return NULL;
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  struct options_memory memory = {.count = 0};
  weir_error *error = NULL;
  bool fine = options_read(e, arg[2], poll_fields, &options, &memory, "poll");
  weir_status status = fine ? weir_poll_new(operation, &options, &made, &error) : WEIR_OK;
  options_done(&memory);
  return fine ? operation_value(e, status, made, error) : NULL;
}

const struct function flow_functions[] = {
    {"operationNew", operation_new},
    {"sleepNew", sleep_new},
    {"policyWrap", policy_wrap},
    {"manyNew", many_new},
    {"parallelEach", parallel_each},
    {"poolNew", pool_new},
    {"poolAdd", pool_add},
    {"poolSeal", pool_seal},
    {"poolStats", pool_read_stats},
    {"pollNew", poll_new},
    {NULL, NULL},
};
