/* SPDX-License-Identifier: MIT */
/*
 * The module: one `environment` per environment of Node, and the functions of all families.
 */
#include "weir_node.h"

/* The environment ends: its engines' own hooks have ended them already. */
static void environment_free(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct environment *e = data;
  while (e->engines != NULL) engine_end(e->engines);
  for (uint32_t i = 1; i < e->handles_count; i++)
    if (e->handles[i].kind != KIND_ENGINE) handle_free(e, i);
  for (uint32_t i = 1; i < e->handles_count; i++)
    if (e->handles[i].kind == KIND_ENGINE) free(e->handles[i].pointer);
  free(e->handles);
  free(e);
}

/* setErrors(make): who makes the errors that are thrown */
static napi_value set_errors(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  if (e->make_error != NULL) napi_delete_reference(env, e->make_error);
  napi_create_reference(env, arg[0], 1, &e->make_error);
  return NULL;
}

/* shareDoor(ArrayBuffer): through which the hot decide functions speak; once */
static napi_value share_door(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  void *data = NULL;
  size_t size = 0;
  if (napi_get_arraybuffer_info(env, arg[0], &data, &size) != napi_ok ||
      size < sizeof(struct door) || e->door_buffer != NULL)
    return throw_status(e, WEIR_EINVAL, NULL);
  if (napi_create_reference(env, arg[0], 1, &e->door_buffer) == napi_ok) e->door = data;
  return NULL;
}

static const struct function module_functions[] = {
    {"setErrors", set_errors}, {"shareDoor", share_door}, {NULL, NULL}};

static const struct function *const families[] = {
    module_functions, engine_functions, sharing_functions, exchange_functions, policy_functions,
    door_functions,   cache_functions,  flow_functions,    pace_functions,     scope_functions};

static struct environment *environment_new(napi_env env) {
  struct environment *e = calloc(1, sizeof *e);
  if (e == NULL) return NULL;
  e->env = env;
  e->rejection.size = sizeof e->rejection;
  e->handles_capacity = 64;
  e->handles_count = 1;
  e->handles = calloc(e->handles_capacity, sizeof *e->handles);
  if (e->handles == NULL || napi_set_instance_data(env, e, environment_free, NULL) != napi_ok) {
    free(e->handles);
    free(e);
    return NULL;
  }
  return e;
}

NAPI_MODULE_INIT() {
  struct environment *e = environment_new(env);
  if (e == NULL) {
    napi_throw_error(env, NULL, "weir: no memory");
    return NULL;
  }
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    for (const struct function *function = families[i]; function->name != NULL; function++) {
      napi_value value = NULL;
      napi_create_function(env, function->name, NAPI_AUTO_LENGTH, function->callback, e, &value);
      napi_set_named_property(env, exports, function->name, value);
    }
  return exports;
}
