/* SPDX-License-Identifier: MIT */
/*
 * What lets a test be left in the middle. The linker sends the tests' calls of the functions below
 * (support.wrap lists them) here first. Each passes its call on; while tracking is on it also notes
 * the references that the test got or gave away, so that track_release_all() can give back what an
 * abandoned body still held.
 *
 * Ownership as the headers say: *_new and weir_run give a reference, *_ref one more, *_unref takes
 * one, drained records carry references; completing is in support_attempts.c.
 */

#include "support_inside.h"

typedef void (*unref_fn)(void *handle);

struct held {
  void *handle;
  unref_fn unref;
  uint64_t count;
};

static struct {
  pthread_mutex_t mutex;
  int on;
  struct held *entries;
  size_t count;
  size_t capacity;
} tracked = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct held *find(void *handle) {
  for (size_t i = tracked.count; i-- > 0;) {
    if (tracked.entries[i].handle == handle) return &tracked.entries[i];
  }
  return NULL;
}

static void add_entry(void *handle, unref_fn unref) {
  if (tracked.count == tracked.capacity) {
    tracked.capacity = tracked.capacity == 0 ? 64 : tracked.capacity * 2;
    tracked.entries = realloc(tracked.entries, tracked.capacity * sizeof *tracked.entries);
    if (tracked.entries == NULL) abort();
  }
  tracked.entries[tracked.count++] = (struct held){handle, unref, 1};
}

static void got(void *handle, unref_fn unref) {
  if (!tracked.on || handle == NULL) return;
  pthread_mutex_lock(&tracked.mutex);
  struct held *entry = find(handle);
  if (entry != NULL) {
    entry->count++;
  } else {
    add_entry(handle, unref);
  }
  pthread_mutex_unlock(&tracked.mutex);
}

static void gave(const void *handle) {
  if (!tracked.on || handle == NULL) return;
  pthread_mutex_lock(&tracked.mutex);
  struct held *entry = find((void *)handle);
  if (entry != NULL && --entry->count == 0) *entry = tracked.entries[--tracked.count];
  pthread_mutex_unlock(&tracked.mutex);
}

int tracking(void) { return tracked.on; }

void track_gave(const void *handle) { gave(handle); }

void handed_over(const void *handle) { gave(handle); }

void track_begin(void) {
  tracked.count = 0;
  tracked.on = 1;
}

void track_end(void) {
  tracked.on = 0;
  track_no_attempts();
  free(tracked.entries);
  tracked.entries = NULL;
  tracked.count = tracked.capacity = 0;
}

/* ---- the functions that give and take references --------------------------------------------- */

#define PARAMETERS(...) __VA_ARGS__
#define ARGUMENTS(...)  __VA_ARGS__

/* A function that stores a new handle in *out. */
#define WRAP_NEW(name, unref, parameters, arguments)        \
  weir_status __real_##name(parameters);                    \
  weir_status __wrap_##name(parameters);                    \
  weir_status __wrap_##name(parameters) {                   \
    weir_status status = __real_##name(arguments);          \
    if (status == WEIR_OK && out != NULL) got(*out, unref); \
    return status;                                          \
  }

/* The same with an error beside it. */
#define WRAP_NEW_OR_ERROR(name, unref, parameters, arguments)            \
  weir_status __real_##name(parameters);                                 \
  weir_status __wrap_##name(parameters);                                 \
  weir_status __wrap_##name(parameters) {                                \
    if (tracked.on && error != NULL) *error = NULL;                      \
    weir_status status = __real_##name(arguments);                       \
    if (status == WEIR_OK && out != NULL) got(*out, unref);              \
    if (status != WEIR_OK && error != NULL) got(*error, unref_an_error); \
    return status;                                                       \
  }

/* ref and unref of one type. */
#define WRAP_COUNTS(type)                                                        \
  weir_##type *__real_weir_##type##_ref(weir_##type *handle);                    \
  void __real_weir_##type##_unref(weir_##type *handle);                          \
  weir_##type *__wrap_weir_##type##_ref(weir_##type *handle);                    \
  void __wrap_weir_##type##_unref(weir_##type *handle);                          \
  static void unref_##type(void *handle) { __real_weir_##type##_unref(handle); } \
  weir_##type *__wrap_weir_##type##_ref(weir_##type *handle) {                   \
    got(handle, unref_##type);                                                   \
    return __real_weir_##type##_ref(handle);                                     \
  }                                                                              \
  void __wrap_weir_##type##_unref(weir_##type *handle) {                         \
    gave(handle);                                                                \
    __real_weir_##type##_unref(handle);                                          \
  }

WRAP_COUNTS(runtime)
WRAP_COUNTS(operation)
WRAP_COUNTS(policy)
WRAP_COUNTS(call)
WRAP_COUNTS(value)
WRAP_COUNTS(error)
WRAP_COUNTS(completions)
WRAP_COUNTS(retry)
WRAP_COUNTS(budget)
WRAP_COUNTS(breaker)
WRAP_COUNTS(limiter)
WRAP_COUNTS(timeout)
WRAP_COUNTS(pipeline)
WRAP_COUNTS(chaos)
WRAP_COUNTS(cache)
WRAP_COUNTS(debounce)
WRAP_COUNTS(throttle)
WRAP_COUNTS(flight)
WRAP_COUNTS(memoize)
WRAP_COUNTS(hedge)
WRAP_COUNTS(scope)
WRAP_COUNTS(fallback)
WRAP_COUNTS(pool)

#define unref_an_error unref_error

void track_got_operation(weir_operation *operation) { got(operation, unref_operation); }

WRAP_NEW_OR_ERROR(weir_runtime_new, unref_runtime,
                  PARAMETERS(const weir_runtime_options *options, weir_runtime **out,
                             weir_error **error),
                  ARGUMENTS(options, out, error))
WRAP_NEW(weir_testing_runtime_new, unref_runtime, PARAMETERS(uint64_t seed, weir_runtime **out),
         ARGUMENTS(seed, out))
WRAP_NEW_OR_ERROR(weir_operation_new_blocking, unref_operation,
                  PARAMETERS(weir_runtime *runtime, weir_blocking_fn function, void *data,
                             weir_free_fn free_data, weir_operation **out, weir_error **error),
                  ARGUMENTS(runtime, function, data, free_data, out, error))
WRAP_NEW_OR_ERROR(weir_operation_new_queued, unref_operation,
                  PARAMETERS(weir_completions *queue, uint64_t user, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(queue, user, out, error))
WRAP_NEW_OR_ERROR(weir_policy_wrap, unref_operation,
                  PARAMETERS(weir_policy *policy, weir_operation *operation, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(policy, operation, out, error))
WRAP_NEW_OR_ERROR(weir_sleep_new, unref_operation,
                  PARAMETERS(weir_runtime *runtime, int64_t sleep_ms, weir_status status_result,
                             weir_value *value, weir_error *error_result, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(runtime, sleep_ms, status_result, value, error_result, out, error))
WRAP_NEW_OR_ERROR(weir_completions_new, unref_completions,
                  PARAMETERS(weir_runtime *runtime, const weir_completions_options *options,
                             weir_completions **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_retry_new, unref_retry,
                  PARAMETERS(weir_runtime *runtime, const weir_retry_options *options,
                             weir_retry **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_budget_new, unref_budget,
                  PARAMETERS(weir_runtime *runtime, const weir_budget_options *options,
                             weir_budget **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_breaker_new, unref_breaker,
                  PARAMETERS(weir_runtime *runtime, const weir_breaker_options *options,
                             weir_breaker **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_limiter_new, unref_limiter,
                  PARAMETERS(weir_runtime *runtime, const weir_limiter_options *options,
                             weir_limiter **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_bulkhead_new, unref_limiter,
                  PARAMETERS(weir_runtime *runtime, int64_t max_concurrent, int64_t queue_limit,
                             const char *name, weir_limiter **out, weir_error **error),
                  ARGUMENTS(runtime, max_concurrent, queue_limit, name, out, error))
WRAP_NEW_OR_ERROR(weir_chaos_new, unref_chaos,
                  PARAMETERS(weir_runtime *runtime, const weir_chaos_options *options,
                             weir_chaos **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_timeout_new, unref_timeout,
                  PARAMETERS(weir_runtime *runtime, const weir_timeout_options *options,
                             weir_timeout **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_pipeline_new, unref_pipeline,
                  PARAMETERS(weir_runtime *runtime, weir_policy *const *policies, size_t count,
                             const char *name, weir_pipeline **out, weir_error **error),
                  ARGUMENTS(runtime, policies, count, name, out, error))
WRAP_NEW_OR_ERROR(weir_hedge_new, unref_hedge,
                  PARAMETERS(weir_runtime *runtime, const weir_hedge_options *options,
                             weir_hedge **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_fallback_new, unref_fallback,
                  PARAMETERS(weir_runtime *runtime, const weir_fallback_options *options,
                             weir_fallback **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_poll_new, unref_operation,
                  PARAMETERS(weir_operation *operation, const weir_poll_options *options,
                             weir_operation **out, weir_error **error),
                  ARGUMENTS(operation, options, out, error))
WRAP_NEW_OR_ERROR(weir_cache_new, unref_cache,
                  PARAMETERS(weir_runtime *runtime, const weir_cache_options *options,
                             weir_cache **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_debounce_new, unref_debounce,
                  PARAMETERS(weir_runtime *runtime, weir_operation *operation,
                             const weir_debounce_options *options, weir_debounce **out,
                             weir_error **error),
                  ARGUMENTS(runtime, operation, options, out, error))
WRAP_NEW_OR_ERROR(weir_throttle_new, unref_throttle,
                  PARAMETERS(weir_runtime *runtime, weir_operation *operation,
                             const weir_throttle_options *options, weir_throttle **out,
                             weir_error **error),
                  ARGUMENTS(runtime, operation, options, out, error))
WRAP_NEW_OR_ERROR(weir_flight_new, unref_flight,
                  PARAMETERS(weir_runtime *runtime, const weir_flight_options *options,
                             weir_flight **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_scope_new, unref_scope,
                  PARAMETERS(weir_runtime *runtime, const weir_scope_options *options,
                             weir_scope **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW_OR_ERROR(weir_scope_join, unref_operation,
                  PARAMETERS(weir_scope *scope, weir_operation **out, weir_error **error),
                  ARGUMENTS(scope, out, error))
WRAP_NEW_OR_ERROR(weir_scope_operation, unref_operation,
                  PARAMETERS(weir_operation *body, const weir_scope_options *options,
                             weir_operation **out, weir_error **error),
                  ARGUMENTS(body, options, out, error))
WRAP_NEW_OR_ERROR(weir_scope_resource, unref_operation,
                  PARAMETERS(weir_operation *open, weir_operation *close, const char *key,
                             weir_operation **out, weir_error **error),
                  ARGUMENTS(open, close, key, out, error))
WRAP_NEW(weir_scope_get_value, unref_value,
         PARAMETERS(weir_scope *scope, const char *key, weir_value **out),
         ARGUMENTS(scope, key, out))
WRAP_NEW_OR_ERROR(weir_flight_operation, unref_operation,
                  PARAMETERS(weir_flight *flight, weir_operation *operation, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(flight, operation, out, error))
WRAP_NEW_OR_ERROR(weir_cache_operation, unref_operation,
                  PARAMETERS(weir_cache *cache, weir_operation *loader, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(cache, loader, out, error))
WRAP_NEW_OR_ERROR(weir_cache_operation_many, unref_operation,
                  PARAMETERS(weir_cache *cache, weir_operation *loader, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(cache, loader, out, error))
WRAP_NEW_OR_ERROR(weir_memoize_new, unref_memoize,
                  PARAMETERS(weir_runtime *runtime, weir_operation *operation,
                             const weir_memoize_options *options, weir_memoize **out,
                             weir_error **error),
                  ARGUMENTS(runtime, operation, options, out, error))
WRAP_NEW_OR_ERROR(weir_operation_new_asked, unref_operation,
                  PARAMETERS(weir_completions *queue, uint64_t user, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(queue, user, out, error))
#define MANY_PARAMETERS                                                               \
  PARAMETERS(weir_runtime *runtime, weir_operation *const *operations, size_t number, \
             const char *name, weir_operation **out, weir_error **error)
#define MANY_ARGUMENTS ARGUMENTS(runtime, operations, number, name, out, error)
WRAP_NEW_OR_ERROR(weir_any_new, unref_operation, MANY_PARAMETERS, MANY_ARGUMENTS)
WRAP_NEW_OR_ERROR(weir_all_new, unref_operation, MANY_PARAMETERS, MANY_ARGUMENTS)
WRAP_NEW_OR_ERROR(weir_all_settled_new, unref_operation, MANY_PARAMETERS, MANY_ARGUMENTS)
WRAP_NEW_OR_ERROR(weir_waterfall_new, unref_operation, MANY_PARAMETERS, MANY_ARGUMENTS)
WRAP_NEW_OR_ERROR(weir_race_new, unref_operation,
                  PARAMETERS(weir_runtime *runtime, weir_operation *const *operations,
                             size_t number, const weir_race_options *options, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(runtime, operations, number, options, out, error))
WRAP_NEW_OR_ERROR(weir_parallel_new, unref_operation,
                  PARAMETERS(weir_runtime *runtime, weir_operation *const *operations,
                             size_t number, const weir_parallel_options *options,
                             weir_operation **out, weir_error **error),
                  ARGUMENTS(runtime, operations, number, options, out, error))
WRAP_NEW_OR_ERROR(weir_parallel_new_each, unref_operation,
                  PARAMETERS(weir_operation *operation, weir_value *items,
                             const weir_parallel_options *options, weir_operation **out,
                             weir_error **error),
                  ARGUMENTS(operation, items, options, out, error))
WRAP_NEW_OR_ERROR(weir_pool_new, unref_pool,
                  PARAMETERS(weir_runtime *runtime, const weir_pool_options *options,
                             weir_pool **out, weir_error **error),
                  ARGUMENTS(runtime, options, out, error))
WRAP_NEW(weir_error_new, unref_error,
         PARAMETERS(weir_runtime *runtime, uint32_t domain, int64_t code, const char *message,
                    weir_error **out),
         ARGUMENTS(runtime, domain, code, message, out))
WRAP_NEW(weir_error_new_with, unref_error,
         PARAMETERS(weir_runtime *runtime, uint32_t domain, int64_t code, const char *message,
                    weir_error *cause, weir_value *detail, weir_error **out),
         ARGUMENTS(runtime, domain, code, message, cause, detail, out))
WRAP_NEW(weir_value_new_bytes, unref_value,
         PARAMETERS(weir_runtime *runtime, const void *data, size_t size, weir_value **out),
         ARGUMENTS(runtime, data, size, out))
WRAP_NEW(weir_value_new_pointer, unref_value,
         PARAMETERS(weir_runtime *runtime, void *pointer, weir_free_fn free_pointer,
                    weir_value **out),
         ARGUMENTS(runtime, pointer, free_pointer, out))
WRAP_NEW(weir_value_new_list, unref_value,
         PARAMETERS(weir_runtime *runtime, weir_value *const *values, weir_error *const *errors,
                    size_t count, weir_value **out),
         ARGUMENTS(runtime, values, errors, count, out))
WRAP_NEW(weir_value_new_host, unref_value,
         PARAMETERS(weir_completions *queue, uint64_t id, weir_value **out),
         ARGUMENTS(queue, id, out))

/* Functions that only may give an error. */
#define WRAP_ERROR(name, parameters, arguments)                          \
  weir_status __real_##name(parameters);                                 \
  weir_status __wrap_##name(parameters);                                 \
  weir_status __wrap_##name(parameters) {                                \
    if (tracked.on && error != NULL) *error = NULL;                      \
    weir_status status = __real_##name(arguments);                       \
    if (status != WEIR_OK && error != NULL) got(*error, unref_an_error); \
    return status;                                                       \
  }

WRAP_NEW_OR_ERROR(weir_policy_find, unref_policy,
                  PARAMETERS(weir_runtime *runtime, const char *name, weir_policy **out,
                             weir_error **error),
                  ARGUMENTS(runtime, name, out, error))
WRAP_ERROR(weir_policy_register, PARAMETERS(weir_policy *policy, weir_error **error),
           ARGUMENTS(policy, error))
WRAP_ERROR(weir_breaker_set_options,
           PARAMETERS(weir_breaker *breaker, const weir_breaker_options *options,
                      weir_error **error),
           ARGUMENTS(breaker, options, error))
WRAP_ERROR(weir_limiter_set_options,
           PARAMETERS(weir_limiter *limiter, const weir_limiter_options *options,
                      weir_error **error),
           ARGUMENTS(limiter, options, error))
WRAP_ERROR(weir_retry_set_options,
           PARAMETERS(weir_retry *retry, const weir_retry_options *options, weir_error **error),
           ARGUMENTS(retry, options, error))
WRAP_ERROR(weir_budget_set_options,
           PARAMETERS(weir_budget *budget, const weir_budget_options *options, weir_error **error),
           ARGUMENTS(budget, options, error))
WRAP_ERROR(weir_timeout_set_options,
           PARAMETERS(weir_timeout *timeout, const weir_timeout_options *options,
                      weir_error **error),
           ARGUMENTS(timeout, options, error))
WRAP_ERROR(weir_hedge_set_options,
           PARAMETERS(weir_hedge *hedge, const weir_hedge_options *options, weir_error **error),
           ARGUMENTS(hedge, options, error))
WRAP_ERROR(weir_fallback_set_options,
           PARAMETERS(weir_fallback *fallback, const weir_fallback_options *options,
                      weir_error **error),
           ARGUMENTS(fallback, options, error))
WRAP_ERROR(weir_chaos_set_options,
           PARAMETERS(weir_chaos *chaos, const weir_chaos_options *options, weir_error **error),
           ARGUMENTS(chaos, options, error))
WRAP_ERROR(weir_debounce_set_options,
           PARAMETERS(weir_debounce *debounce, const weir_debounce_options *options,
                      weir_error **error),
           ARGUMENTS(debounce, options, error))
WRAP_ERROR(weir_throttle_set_options,
           PARAMETERS(weir_throttle *throttle, const weir_throttle_options *options,
                      weir_error **error),
           ARGUMENTS(throttle, options, error))
WRAP_ERROR(weir_limiter_add_limit,
           PARAMETERS(weir_limiter *limiter, uint32_t algorithm, int64_t permits,
                      int64_t interval_ms, int64_t burst, weir_error **error),
           ARGUMENTS(limiter, algorithm, permits, interval_ms, burst, error))
WRAP_ERROR(weir_pool_add,
           PARAMETERS(weir_pool *pool, weir_operation *operation, weir_value *input,
                      weir_error **error),
           ARGUMENTS(pool, operation, input, error))

/* ---- running --------------------------------------------------------------------------------- */

/* A function that begins a run: it gives a call, or an error. */
#define WRAP_RUN(name, parameters, arguments)                         \
  weir_status __real_##name(parameters);                              \
  weir_status __wrap_##name(parameters);                              \
  weir_status __wrap_##name(parameters) {                             \
    if (tracked.on && error != NULL) *error = NULL;                   \
    weir_status status = __real_##name(arguments);                    \
    if (status == WEIR_OK && call != NULL) got(*call, unref_call);    \
    if (status != WEIR_OK && error != NULL) got(*error, unref_error); \
    return status;                                                    \
  }

WRAP_RUN(weir_run,
         PARAMETERS(weir_operation *operation, const weir_run_options *options,
                    weir_settle_fn settle, void *data, weir_free_fn free_data, weir_call **call,
                    weir_error **error),
         ARGUMENTS(operation, options, settle, data, free_data, call, error))
WRAP_RUN(weir_flight_run,
         PARAMETERS(weir_flight *flight, const void *key, size_t key_size,
                    weir_operation *operation, weir_value *input, weir_settle_fn settle, void *data,
                    weir_free_fn free_data, weir_call **call, weir_error **error),
         ARGUMENTS(flight, key, key_size, operation, input, settle, data, free_data, call, error))

WRAP_RUN(weir_cache_get,
         PARAMETERS(weir_cache *cache, const void *key, size_t key_size, weir_operation *loader,
                    weir_settle_fn settle, void *data, weir_free_fn free_data, weir_call **call,
                    weir_error **error),
         ARGUMENTS(cache, key, key_size, loader, settle, data, free_data, call, error))
WRAP_RUN(weir_cache_get_many,
         PARAMETERS(weir_cache *cache, const void *const *keys, const size_t *key_sizes,
                    size_t count, weir_operation *loader, weir_settle_fn settle, void *data,
                    weir_free_fn free_data, weir_call **call, weir_error **error),
         ARGUMENTS(cache, keys, key_sizes, count, loader, settle, data, free_data, call, error))
WRAP_RUN(weir_memoize_call,
         PARAMETERS(weir_memoize *memoize, weir_value *input, weir_settle_fn settle, void *data,
                    weir_free_fn free_data, weir_call **call, weir_error **error),
         ARGUMENTS(memoize, input, settle, data, free_data, call, error))

void __real_weir_values_unref(weir_value *const *values, size_t count);
void __wrap_weir_values_unref(weir_value *const *values, size_t count);
void __wrap_weir_values_unref(weir_value *const *values, size_t count) {
  for (size_t i = 0; values != NULL && i < count; i++) gave(values[i]);
  __real_weir_values_unref(values, count);
}

/* ---- a cache gives values ------------------------------------------------------------------- */

weir_status __real_weir_cache_lookup(weir_cache *cache, const void *key, size_t key_size,
                                     weir_value **value);
weir_status __wrap_weir_cache_lookup(weir_cache *cache, const void *key, size_t key_size,
                                     weir_value **value);
weir_status __wrap_weir_cache_lookup(weir_cache *cache, const void *key, size_t key_size,
                                     weir_value **value) {
  weir_status status = __real_weir_cache_lookup(cache, key, key_size, value);
  if (status == WEIR_OK) got(*value, unref_value);
  return status;
}

weir_status __real_weir_cache_lookup_at(weir_cache *cache, const void *key, size_t key_size,
                                        int64_t now, weir_value **value);
weir_status __wrap_weir_cache_lookup_at(weir_cache *cache, const void *key, size_t key_size,
                                        int64_t now, weir_value **value);
weir_status __wrap_weir_cache_lookup_at(weir_cache *cache, const void *key, size_t key_size,
                                        int64_t now, weir_value **value) {
  weir_status status = __real_weir_cache_lookup_at(cache, key, key_size, now, value);
  if (status == WEIR_OK) got(*value, unref_value);
  return status;
}

weir_status __real_weir_cache_put_if_absent(weir_cache *cache, const void *key, size_t key_size,
                                            weir_value *value, weir_value **existing);
weir_status __wrap_weir_cache_put_if_absent(weir_cache *cache, const void *key, size_t key_size,
                                            weir_value *value, weir_value **existing);
weir_status __wrap_weir_cache_put_if_absent(weir_cache *cache, const void *key, size_t key_size,
                                            weir_value *value, weir_value **existing) {
  weir_status status = __real_weir_cache_put_if_absent(cache, key, key_size, value, existing);
  if (status == WEIR_EEXISTS && existing != NULL) got(*existing, unref_value);
  return status;
}

weir_status __real_weir_cache_put_if_absent_at(weir_cache *cache, const void *key, size_t key_size,
                                               weir_value *value, int64_t now,
                                               weir_value **existing);
weir_status __wrap_weir_cache_put_if_absent_at(weir_cache *cache, const void *key, size_t key_size,
                                               weir_value *value, int64_t now,
                                               weir_value **existing);
weir_status __wrap_weir_cache_put_if_absent_at(weir_cache *cache, const void *key, size_t key_size,
                                               weir_value *value, int64_t now,
                                               weir_value **existing) {
  weir_status status =
      __real_weir_cache_put_if_absent_at(cache, key, key_size, value, now, existing);
  if (status == WEIR_EEXISTS && existing != NULL) got(*existing, unref_value);
  return status;
}

weir_status __real_weir_cache_scan(weir_cache *cache, uint64_t *cursor, weir_cache_entry *entries,
                                   size_t entry_size, size_t capacity, size_t *count);
weir_status __wrap_weir_cache_scan(weir_cache *cache, uint64_t *cursor, weir_cache_entry *entries,
                                   size_t entry_size, size_t capacity, size_t *count);
weir_status __wrap_weir_cache_scan(weir_cache *cache, uint64_t *cursor, weir_cache_entry *entries,
                                   size_t entry_size, size_t capacity, size_t *count) {
  weir_status status = __real_weir_cache_scan(cache, cursor, entries, entry_size, capacity, count);
  for (size_t i = 0; status == WEIR_OK && entry_size == sizeof *entries && i < *count; i++) {
    got(entries[i].key, unref_value);
    got(entries[i].value, unref_value);
  }
  return status;
}

/* ---- drained records give -------------------------------------------------------------------- */

static void note_records(const weir_record *records, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const weir_record *record = &records[i];
    if (record->kind == WEIR_RECORD_START || record->kind == WEIR_RECORD_ASK) {
      track_started(NULL, record->object);
      got((void *)(uintptr_t)record->detail, unref_value);
    } else if (record->kind == WEIR_RECORD_SETTLED) {
      got((void *)(uintptr_t)record->object,
          record->channel == WEIR_CHANNEL_VALUE ? unref_value : unref_error);
    }
  }
}

size_t __real_weir_completions_drain(weir_completions *queue, weir_record *records,
                                     size_t record_size, size_t capacity);
size_t __wrap_weir_completions_drain(weir_completions *queue, weir_record *records,
                                     size_t record_size, size_t capacity);
size_t __wrap_weir_completions_drain(weir_completions *queue, weir_record *records,
                                     size_t record_size, size_t capacity) {
  size_t count = __real_weir_completions_drain(queue, records, record_size, capacity);
  if (record_size == sizeof *records) note_records(records, count);
  return count;
}

weir_status __real_weir_completions_wait(weir_completions *queue, weir_record *records,
                                         size_t record_size, size_t capacity, int64_t timeout_ms,
                                         size_t *count);
weir_status __wrap_weir_completions_wait(weir_completions *queue, weir_record *records,
                                         size_t record_size, size_t capacity, int64_t timeout_ms,
                                         size_t *count);
weir_status __wrap_weir_completions_wait(weir_completions *queue, weir_record *records,
                                         size_t record_size, size_t capacity, int64_t timeout_ms,
                                         size_t *count) {
  weir_status status =
      __real_weir_completions_wait(queue, records, record_size, capacity, timeout_ms, count);
  if (status == WEIR_OK && record_size == sizeof *records) note_records(records, *count);
  return status;
}

/* Runtimes last: what they are given back with may still be settling. */
void track_release_all(void) {
  if (!tracked.on) return;
  for (int runtimes = 0; runtimes < 2; runtimes++) {
    for (size_t i = 0; i < tracked.count; i++) {
      struct held entry = tracked.entries[i];
      if ((entry.unref == unref_runtime) != runtimes) continue;
      while (entry.count-- > 0) entry.unref(entry.handle);
    }
  }
  tracked.count = 0;
}
