/* SPDX-License-Identifier: MIT */
/*
 * What the benchmark compares with: Node-API calls that do nothing but take numbers and give one
 * (or not even that), and the library's own calls in a loop of C.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <time.h>
#include <weir/weir.h>

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

/* bare1(a): takes one number */
static napi_value bare1(napi_env env, napi_callback_info info) {
  napi_value arg[1];
  size_t given = 1;
  void *data = NULL;
  uint32_t handle = 0;
  napi_get_cb_info(env, info, &given, arg, NULL, &data);
  napi_get_value_uint32(env, arg[0], &handle);
  return number(env, handle);
}

/* bare2(a, b): takes two numbers, gives nothing */
static napi_value bare2(napi_env env, napi_callback_info info) {
  napi_value arg[2];
  size_t given = 2;
  void *data = NULL;
  uint32_t handle = 0;
  double permit = 0;
  napi_get_cb_info(env, info, &given, arg, NULL, &data);
  napi_get_value_uint32(env, arg[0], &handle);
  napi_get_value_double(env, arg[1], &permit);
  return NULL;
}

/* bare0(): takes and gives nothing, but looks up its data */
static napi_value bare0(napi_env env, napi_callback_info info) {
  void *data = NULL;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
  return NULL;
}

/* breaker(count): nanoseconds of a closed breaker's acquire and report in C */
static napi_value breaker(napi_env env, napi_callback_info info) {
  napi_value arg[1];
  size_t given = 1;
  uint32_t count = 0;
  napi_get_cb_info(env, info, &given, arg, NULL, NULL);
  napi_get_value_uint32(env, arg[0], &count);
  weir_runtime *runtime = NULL;
  weir_breaker *made = NULL;
  weir_runtime_new(NULL, &runtime, NULL);
  weir_breaker_new(runtime, NULL, &made, NULL);
  double begun = now_ns();
  for (uint32_t i = 0; i < count; i++) {
    weir_permit permit = 0;
    weir_breaker_acquire(made, &permit, NULL);
    weir_breaker_report(made, permit, WEIR_CLASS_SUCCESS, 0);
  }
  double spent = now_ns() - begun;
  weir_breaker_unref(made);
  weir_runtime_unref(runtime);
  return number(env, spent / count);
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback callback;
  } functions[] = {{"bare0", bare0}, {"bare1", bare1}, {"bare2", bare2}, {"breaker", breaker}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value value = NULL;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL,
                         &value);
    napi_set_named_property(env, exports, functions[i].name, value);
  }
  return exports;
}
