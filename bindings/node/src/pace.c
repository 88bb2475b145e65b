/* SPDX-License-Identifier: MIT */
/*
 * Debounce and throttle: what they do is the same but for their options.
 */
#include "weir_node.h"

/* [pacer, operation] */
static napi_value pacer_value(struct environment *e, uint32_t kind, void *pacer,
                              weir_operation *operation) {
  napi_value pair = NULL;
  weir_operation_ref(operation);
  napi_create_array(e->env, &pair);
  napi_set_element(e->env, pair, 0, handle_value(e, kind, pacer));
  napi_set_element(e->env, pair, 1, handle_value(e, KIND_OPERATION, operation));
  return pair;
}

#define PACER(noun, KIND)                                                                        \
  /* nounNew(engine, operation or 0: the input's function, options): [pacer, operation] */       \
  static napi_value noun##_new(napi_env env, napi_callback_info info) {                          \
    ARGUMENTS(3);                                                                                \
    struct engine *engine = engine_get(e, arg[0]);                                               \
    if (engine == NULL) return NULL;                                                             \
    weir_operation *operation =                                                                  \
        int_of(e, arg[1]) == 0 ? engine->loader : handle_get(e, arg[1], KIND_OPERATION);         \
    if (operation == NULL) return NULL;                                                          \
    weir_##noun##_options options;                                                               \
    struct options_memory memory = {.count = 0};                                                 \
    weir_##noun *made = NULL;                                                                    \
    weir_error *error = NULL;                                                                    \
    weir_##noun##_options_init(&options, sizeof options);                                        \
    bool fine = options_read(e, arg[2], noun##_fields, &options, &memory, #noun);                \
    weir_status status =                                                                         \
        fine ? weir_##noun##_new(engine->runtime, operation, &options, &made, &error) : WEIR_OK; \
    options_done(&memory);                                                                       \
    if (!fine) return NULL;                                                                      \
    if (status != WEIR_OK) return throw_status(e, status, error);                                \
    return pacer_value(e, KIND, made, weir_##noun##_operation(made));                            \
  }                                                                                              \
  /* nounControl(pacer, what, key): cancel 0, flush 1, pending 2 */                              \
  static napi_value noun##_control(napi_env env, napi_callback_info info) {                      \
    ARGUMENTS(3);                                                                                \
    weir_##noun *pacer = handle_get(e, arg[0], KIND);                                            \
    if (pacer == NULL) return NULL;                                                              \
    struct bytes key;                                                                            \
    int32_t what = int_of(e, arg[1]);                                                            \
    if (what == 2) return number_value(e, (double)weir_##noun##_pending(pacer));                 \
    bytes_of(e, arg[2], &key);                                                                   \
    weir_status status = what == 0 ? weir_##noun##_cancel(pacer, key.data, key.size)             \
                                   : weir_##noun##_flush(pacer, key.data, key.size);             \
    bytes_done(&key);                                                                            \
    return status == WEIR_OK ? NULL : throw_status(e, status, NULL);                             \
  }                                                                                              \
  /* nounChange(pacer, options) */                                                               \
  static napi_value noun##_change(napi_env env, napi_callback_info info) {                       \
    ARGUMENTS(2);                                                                                \
    weir_##noun *pacer = handle_get(e, arg[0], KIND);                                            \
    if (pacer == NULL) return NULL;                                                              \
    weir_##noun##_options options;                                                               \
    struct options_memory memory = {.count = 0};                                                 \
    weir_error *error = NULL;                                                                    \
    weir_##noun##_options_init(&options, sizeof options);                                        \
    bool fine = options_read(e, arg[1], noun##_fields, &options, &memory, #noun);                \
    weir_status status = fine ? weir_##noun##_set_options(pacer, &options, &error) : WEIR_OK;    \
    options_done(&memory);                                                                       \
    return status == WEIR_OK ? NULL : throw_status(e, status, error);                            \
  }                                                                                              \
  static napi_value noun##_stats(napi_env env, napi_callback_info info) {                        \
    ARGUMENTS(1);                                                                                \
    weir_##noun *pacer = handle_get(e, arg[0], KIND);                                            \
    if (pacer == NULL) return NULL;                                                              \
    weir_pacing_stats stats = {.size = sizeof stats};                                            \
    weir_status status = weir_##noun##_get_stats(pacer, &stats);                                 \
    return status == WEIR_OK ? struct_value(e, pacing_stats, &stats)                             \
                             : throw_status(e, status, NULL);                                    \
  }
PACER(debounce, KIND_DEBOUNCE)
PACER(throttle, KIND_THROTTLE)

const struct function pace_functions[] = {
    {"debounceNew", debounce_new},
    {"debounceControl", debounce_control},
    {"debounceChange", debounce_change},
    {"debounceStats", debounce_stats},
    {"throttleNew", throttle_new},
    {"throttleControl", throttle_control},
    {"throttleChange", throttle_change},
    {"throttleStats", throttle_stats},
    {NULL, NULL},
};
