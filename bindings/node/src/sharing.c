/* SPDX-License-Identifier: MIT */
/*
 * One runtime for several parties: other addons of this process, other threads of Node (each with
 * an environment and so an engine of its own), other languages.
 *
 * A runtime is handed out as an external, which holds a reference of its own and has a type tag, or
 * as an address, which holds nothing. An engine that is made of either holds a reference, but the
 * runtime stays that of whoever made it: only he closes it.
 */
#include "weir_node.h"

/* "weir-runtime" and the ABI's version. Who makes an external for Runtime.from() tags it so. */
static const napi_type_tag runtime_tag = {UINT64_C(0x776569722d72756e),
                                          UINT64_C(0x74696d6500000000) | WEIR_VERSION_MAJOR};

static void runtime_forgotten(napi_env env, void *runtime, void *hint) {
  (void)env, (void)hint;
  weir_runtime_unref(runtime);
}

/* runtimeExternal(engine) */
static napi_value runtime_external(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  napi_value external = NULL;
  if (engine == NULL) return NULL;
  weir_runtime *runtime = weir_runtime_ref(engine->runtime);
  if (napi_create_external(env, runtime, runtime_forgotten, NULL, &external) != napi_ok) {
    weir_runtime_unref(runtime);
    return throw_status(e, WEIR_ENOMEM, NULL);
  }
  napi_type_tag_object(env, external, &runtime_tag);
  return external;
}

/* runtimeAddress(engine): a bigint */
static napi_value runtime_address(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  napi_value address = NULL;
  if (engine == NULL) return NULL;
  napi_create_bigint_uint64(env, (uintptr_t)engine->runtime, &address);
  return address;
}

/* The runtime that an external or an address stands for; NULL: it is neither. */
static weir_runtime *runtime_of(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  bool tagged = false, lossless = false;
  uint64_t address = 0;
  void *runtime = NULL;
  napi_typeof(env, value, &type);
  if (type == napi_bigint) {
    napi_get_value_bigint_uint64(env, value, &address, &lossless);
    return lossless ? (weir_runtime *)(uintptr_t)address : NULL;
  }
  if (type != napi_external) return NULL;
  napi_check_object_type_tag(env, value, &runtime_tag, &tagged);
  if (tagged) napi_get_value_external(env, value, &runtime);
  return runtime;
}

/* adopt(external or address, ... as open()) */
static napi_value adopt(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  weir_runtime *runtime = runtime_of(env, arg[0]);
  if (runtime == NULL) return throw_invalid(e, "a runtime's handle or address is needed");
  struct engine *engine = calloc(1, sizeof *engine);
  if (engine == NULL) return throw_status(e, WEIR_ENOMEM, NULL);
  weir_error *error = NULL;
  weir_status status = WEIR_ENOMEM;
  if (engine_prepare(e, engine, arg)) {
    engine->lent = true;
    engine->runtime = weir_runtime_ref(runtime);
    status = engine_queue(engine, &error);
  }
  return engine_made(engine, status, error);
}

/* isOpen(engine) */
static napi_value is_open(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  napi_value result = NULL;
  if (engine == NULL) return NULL;
  napi_get_boolean(env, weir_runtime_state(engine->runtime) == WEIR_OK, &result);
  return result;
}

const struct function sharing_functions[] = {
    {"runtimeExternal", runtime_external},
    {"runtimeAddress", runtime_address},
    {"adopt", adopt},
    {"isOpen", is_open},
    {NULL, NULL},
};
