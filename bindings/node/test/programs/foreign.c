/* SPDX-License-Identifier: MIT */
/* Another addon of the process: it is handed a runtime, and hands its own out. */
#define NAPI_VERSION 8
#include <node_api.h>
#include <weir/weir.h>

static const napi_type_tag tag = {UINT64_C(0x776569722d72756e),
                                  UINT64_C(0x74696d6500000000) | WEIR_VERSION_MAJOR};

/* trip(external, name): reports a failure to the breaker of that name; its state afterwards */
static napi_value trip(napi_env env, napi_callback_info info) {
  napi_value arg[2], result = NULL;
  size_t given = 2, size = 0;
  void *runtime = NULL;
  bool tagged = false;
  char name[64];
  weir_policy *policy = NULL;
  weir_permit permit = 0;
  int32_t state = -1;
  napi_get_cb_info(env, info, &given, arg, NULL, NULL);
  napi_check_object_type_tag(env, arg[0], &tag, &tagged);
  napi_get_value_string_utf8(env, arg[1], name, sizeof name, &size);
  if (tagged && napi_get_value_external(env, arg[0], &runtime) == napi_ok)
    weir_policy_find(runtime, name, &policy, NULL);
  weir_breaker *breaker = policy == NULL ? NULL : weir_policy_breaker(policy);
  if (breaker != NULL && weir_breaker_acquire(breaker, &permit, NULL) == WEIR_OK)
    weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0);
  if (breaker != NULL) state = (int32_t)weir_breaker_state(breaker);
  weir_policy_unref(policy);
  napi_create_int32(env, state, &result);
  return result;
}

static void forget(napi_env env, void *runtime, void *hint) {
  (void)env, (void)hint;
  weir_runtime_unref(runtime);
}

/* own(): an external of a runtime of this addon's, with a breaker "foreign" in it */
static napi_value own(napi_env env, napi_callback_info info) {
  (void)info;
  weir_runtime *runtime = NULL;
  weir_breaker *breaker = NULL;
  napi_value external = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = "foreign";
  options.failure_threshold = 1;
  if (weir_runtime_new(NULL, &runtime, NULL) != WEIR_OK) return NULL;
  if (weir_breaker_new(runtime, &options, &breaker, NULL) == WEIR_OK)
    weir_policy_register(weir_breaker_policy(breaker), NULL);
  weir_breaker_unref(breaker);
  napi_create_external(env, runtime, forget, NULL, &external);
  napi_type_tag_object(env, external, &tag);
  return external;
}

NAPI_MODULE_INIT() {
  napi_value value = NULL;
  napi_create_function(env, "trip", NAPI_AUTO_LENGTH, trip, NULL, &value);
  napi_set_named_property(env, exports, "trip", value);
  napi_create_function(env, "own", NAPI_AUTO_LENGTH, own, NULL, &value);
  napi_set_named_property(env, exports, "own", value);
  return exports;
}
