/* SPDX-License-Identifier: MIT */
/*
 * Scopes: their values, their end, and resources.
 */
#include "weir_node.h"

static napi_value operation_value(struct environment *e, weir_status status, weir_operation *made,
                                  weir_error *error) {
  return status == WEIR_OK ? handle_value(e, KIND_OPERATION, made) : throw_status(e, status, error);
}

/* scopeNew(engine, options) */
static napi_value scope_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  struct options_memory memory = {.count = 0};
  weir_scope *scope = NULL;
  weir_error *error = NULL;
  bool fine = options_read(e, arg[1], scope_fields, &options, &memory, "scope");
  weir_status status = fine ? weir_scope_new(engine->runtime, &options, &scope, &error) : WEIR_OK;
  options_done(&memory);
  if (!fine) return NULL;
  return status == WEIR_OK ? handle_value(e, KIND_SCOPE, scope) : throw_status(e, status, error);
}

/* scopeOperation(engine, body or 0, options) */
static napi_value scope_operation(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_operation *body =
      int_of(e, arg[1]) == 0 ? engine->closure : handle_get(e, arg[1], KIND_OPERATION);
  if (body == NULL) return NULL;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  struct options_memory memory = {.count = 0};
  weir_operation *made = NULL;
  weir_error *error = NULL;
  bool fine = options_read(e, arg[2], scope_fields, &options, &memory, "scope");
  weir_status status = fine ? weir_scope_operation(body, &options, &made, &error) : WEIR_OK;
  options_done(&memory);
  return fine ? operation_value(e, status, made, error) : NULL;
}

static napi_value scope_join(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_scope *scope = handle_get(e, arg[0], KIND_SCOPE);
  weir_operation *made = NULL;
  weir_error *error = NULL;
  if (scope == NULL) return NULL;
  weir_status status = weir_scope_join(scope, &made, &error);
  return operation_value(e, status, made, error);
}

static napi_value scope_cancel(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_scope *scope = handle_get(e, arg[0], KIND_SCOPE);
  weir_status status = scope == NULL ? WEIR_OK : weir_scope_cancel(scope);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

/* scopeResource(open, close, key) */
static napi_value scope_resource(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  weir_operation *open = handle_get(e, arg[0], KIND_OPERATION);
  weir_operation *close = open == NULL ? NULL : handle_get(e, arg[1], KIND_OPERATION);
  weir_operation *made = NULL;
  weir_error *error = NULL;
  struct bytes key;
  if (close == NULL) return NULL;
  bool keyed = text_of(e, arg[2], &key);
  weir_status status = weir_scope_resource(open, close, keyed ? key.data : NULL, &made, &error);
  bytes_done(&key);
  return operation_value(e, status, made, error);
}

/* scopeSet(engine, scope, key, id) */
static napi_value scope_set(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  struct engine *engine = engine_get(e, arg[0]);
  weir_scope *scope = engine == NULL ? NULL : handle_get(e, arg[1], KIND_SCOPE);
  struct bytes key;
  if (scope == NULL) return NULL;
  weir_value *value = host_value(engine, number_of(e, arg[3]));
  weir_status status = WEIR_EINVAL;
  if (text_of(e, arg[2], &key)) status = weir_scope_set_value(scope, key.data, value);
  bytes_done(&key);
  weir_value_unref(value);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

/* scopeGet(scope, key): an id, { bytes }, { int64 }, or undefined */
static napi_value scope_get(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_scope *scope = handle_get(e, arg[0], KIND_SCOPE);
  struct bytes key;
  weir_value *value = NULL;
  int64_t number = 0;
  if (scope == NULL || !text_of(e, arg[1], &key)) return NULL;
  weir_status status = weir_scope_get_value(scope, key.data, &value);
  weir_status other =
      status == WEIR_ENOTFOUND ? weir_scope_get_int64(scope, key.data, &number) : status;
  bytes_done(&key);
  if (status == WEIR_OK) {
    napi_value result = value_value(e, value);
    weir_value_unref(value);
    return result;
  }
  if (other != WEIR_OK) return other == WEIR_ENOTFOUND ? NULL : throw_status(e, other, NULL);
  napi_value object = NULL;
  napi_create_object(env, &object);
  set_number(e, object, "int64", (double)number);
  return object;
}

/* scopeLog(scope, level, message) */
static napi_value scope_log(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  weir_scope *scope = handle_get(e, arg[0], KIND_SCOPE);
  struct bytes message;
  if (scope == NULL) return NULL;
  if (text_of(e, arg[2], &message)) weir_scope_log(scope, int_of(e, arg[1]), message.data);
  bytes_done(&message);
  return NULL;
}

static napi_value scope_read_stats(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_scope *scope = handle_get(e, arg[0], KIND_SCOPE);
  if (scope == NULL) return NULL;
  weir_scope_stats stats = {.size = sizeof stats};
  weir_status status = weir_scope_get_stats(scope, &stats);
  return status == WEIR_OK ? struct_value(e, scope_stats, &stats) : throw_status(e, status, NULL);
}

const struct function scope_functions[] = {
    {"scopeNew", scope_new},           {"scopeOperation", scope_operation},
    {"scopeJoin", scope_join},         {"scopeCancel", scope_cancel},
    {"scopeResource", scope_resource}, {"scopeSet", scope_set},
    {"scopeGet", scope_get},           {"scopeLog", scope_log},
    {"scopeStats", scope_read_stats},  {NULL, NULL},
};
