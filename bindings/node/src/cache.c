/* SPDX-License-Identifier: MIT */
/*
 * Caches, single flight.
 *
 * A cached value's weight was computed by JavaScript before it handed the value over, and is the
 * high half of the host id; so `weigh` needs no JavaScript on weir's thread.
 */
#include "weir_node.h"

static int64_t weigh(void *data, const void *key, size_t key_size, const weir_value *value) {
  (void)data, (void)key, (void)key_size;
  return (int64_t)(weir_value_host_id(value) >> 32);
}

/* A decider on any thread: what JavaScript said when it handed the value over. */
static int64_t lifetime(void *data, const weir_expiry *expiry) {
  uint64_t id = weir_value_host_id(expiry->value) & INT32_MAX;
  if (expiry->moment == WEIR_EXPIRE_READ || id == 0) return WEIR_EXPIRE_KEEP;
  return numbers_get(data, id, WEIR_EXPIRE_KEEP);
}

/* cacheNew(engine, options, weighs, listener, hasLifetimes) */
static napi_value cache_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  struct options_memory memory = {.count = 0};
  bool weighs = false;
  napi_get_value_bool(env, arg[2], &weighs);
  if (!options_read(e, arg[1], cache_fields, &options, &memory, "cache")) {
    options_done(&memory);
    return NULL;
  }
  if (weighs) options.weigh = weigh;
  bool has_lifetimes = false;
  napi_get_value_bool(env, arg[4], &has_lifetimes);
  if (has_lifetimes) {
    options.expire = lifetime;
    options.expire_data = numbers_ref(engine->lifetimes);
    options.expire_free_data = numbers_unref;
  }
  if (!is_nothing(e, arg[3])) {
    options.on_evict = side_eviction;
    options.evict_data = listener_new(engine->waker, (uint32_t)int_of(e, arg[3]));
    options.evict_free_data = listener_free;
  }
  weir_cache *cache = NULL;
  weir_error *error = NULL;
  weir_status status = weir_cache_new(engine->runtime, &options, &cache, &error);
  options_done(&memory);
  return status == WEIR_OK ? handle_value(e, KIND_CACHE, cache) : throw_status(e, status, error);
}

enum { ABSENT = -3 };

static napi_value found(struct environment *e, weir_value *value) {
  napi_value result = value_value(e, value);
  weir_value_unref(value);
  return result;
}

/* cacheLookup(cache, key): an id (-1: undefined), a description, or -3: absent */
static napi_value cache_lookup(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_cache *cache = handle_get(e, arg[0], KIND_CACHE);
  struct bytes key;
  weir_value *value = NULL;
  weir_status status = WEIR_EINVAL;
  if (cache == NULL) return NULL;
  if (bytes_of(e, arg[1], &key)) status = weir_cache_lookup(cache, key.data, key.size, &value);
  bytes_done(&key);
  if (status == WEIR_ENOTFOUND) return number_value(e, ABSENT);
  return status == WEIR_OK ? found(e, value) : throw_status(e, status, NULL);
}

static weir_value *bytes_value(struct environment *e, struct engine *engine, napi_value argument) {
  struct bytes bytes;
  weir_value *value = NULL;
  if (bytes_of(e, argument, &bytes))
    weir_value_new_bytes(engine->runtime, bytes.data, bytes.size, &value);
  bytes_done(&bytes);
  return value;
}

/* cachePut(engine, cache, key, id or bytes, weight, ttlMs or -2): whether it has room */
static napi_value cache_put(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  struct engine *engine = engine_get(e, arg[0]);
  weir_cache *cache = engine == NULL ? NULL : handle_get(e, arg[1], KIND_CACHE);
  struct bytes key;
  if (cache == NULL) return NULL;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, arg[3], &type);
  weir_value *value = type == napi_number
                          ? weighed_value(engine, number_of(e, arg[3]), number_of(e, arg[4]))
                          : bytes_value(e, engine, arg[3]);
  double ttl = number_of(e, arg[5]);
  weir_status status = WEIR_EINVAL;
  if (bytes_of(e, arg[2], &key))
    status = ttl == -2 ? weir_cache_put(cache, key.data, key.size, value)
                       : weir_cache_put_for(cache, key.data, key.size, value, ms_from(ttl));
  bytes_done(&key);
  weir_value_unref(value);
  if (status != WEIR_OK && status != WEIR_EFULL) return throw_at(e, "cache.put", status);
  napi_value stored = NULL;
  napi_get_boolean(env, status == WEIR_OK, &stored);
  return stored;
}

/* cachePutIfAbsent(engine, cache, key, id, weight): as lookup what was there; -3: it was put */
static napi_value cache_put_if_absent(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct engine *engine = engine_get(e, arg[0]);
  weir_cache *cache = engine == NULL ? NULL : handle_get(e, arg[1], KIND_CACHE);
  struct bytes key;
  if (cache == NULL) return NULL;
  weir_value *value = weighed_value(engine, number_of(e, arg[3]), number_of(e, arg[4]));
  weir_value *existing = NULL;
  weir_status status = WEIR_EINVAL;
  if (bytes_of(e, arg[2], &key))
    status = weir_cache_put_if_absent(cache, key.data, key.size, value, &existing);
  bytes_done(&key);
  weir_value_unref(value);
  if (status == WEIR_EEXISTS) return found(e, existing);
  return status == WEIR_OK ? number_value(e, ABSENT) : throw_at(e, "cache.putIfAbsent", status);
}

/* cacheControl(cache, what, key, ttlMs): touch 0, invalidate 1, clear 2; whether there was one */
static napi_value cache_control(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  weir_cache *cache = handle_get(e, arg[0], KIND_CACHE);
  struct bytes key;
  napi_value result = NULL;
  if (cache == NULL) return NULL;
  bool keyed = bytes_of(e, arg[2], &key);
  weir_status status = WEIR_EINVAL;
  int32_t what = int_of(e, arg[1]);
  if (what == 2) status = weir_cache_clear(cache);
  if (what == 1 && keyed) status = weir_cache_invalidate(cache, key.data, key.size);
  if (what == 0 && keyed)
    status = weir_cache_touch(cache, key.data, key.size, ms_from(number_of(e, arg[3])));
  bytes_done(&key);
  static const char *const names[] = {"cache.touch", "cache.invalidate", "cache.clear"};
  if (status != WEIR_OK && status != WEIR_ENOTFOUND) return throw_at(e, names[what], status);
  napi_get_boolean(env, status == WEIR_OK, &result);
  return result;
}

static napi_value entry_value(struct environment *e, const weir_cache_entry *entry) {
  napi_value object = NULL, key = NULL;
  napi_create_object(e->env, &object);
  napi_create_string_utf8(e->env, weir_value_data(entry->key), weir_value_size(entry->key), &key);
  napi_set_named_property(e->env, object, "key", key);
  napi_set_named_property(e->env, object, "value", value_value(e, entry->value));
  set_number(e, object, "remainingMs", ms_of_ns(entry->remaining_ns));
  set_number(e, object, "weight", (double)entry->weight);
  weir_value_unref(entry->key);
  weir_value_unref(entry->value);
  return object;
}

/* cacheScan(cache, cursor: BigUint64Array of 1): entries, at most 64 */
static napi_value cache_scan(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_cache *cache = handle_get(e, arg[0], KIND_CACHE);
  size_t length = 0, count = 0;
  weir_cache_entry entries[64];
  napi_value list = NULL;
  if (cache == NULL) return NULL;
  uint64_t *cursor = words_of(e, arg[1], 1, &length);
  weir_status status = weir_cache_scan(cache, cursor, entries, sizeof *entries, 64, &count);
  if (status != WEIR_OK) return throw_status(e, status, NULL);
  napi_create_array_with_length(env, count, &list);
  for (size_t i = 0; i < count; i++)
    napi_set_element(env, list, (uint32_t)i, entry_value(e, &entries[i]));
  return list;
}

static napi_value cache_read_stats(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_cache *cache = handle_get(e, arg[0], KIND_CACHE);
  if (cache == NULL) return NULL;
  weir_cache_stats stats = {.size = sizeof stats};
  weir_status status = weir_cache_get_stats(cache, &stats);
  return status == WEIR_OK ? struct_value(e, cache_stats, &stats) : throw_status(e, status, NULL);
}

/* The operation of a handle; 0: the one whose input is the function's id. */
static weir_operation *loader_of(struct environment *e, struct engine *engine, napi_value value) {
  return int_of(e, value) == 0 ? engine->loader : handle_get(e, value, KIND_OPERATION);
}

/* cacheOperationMany(engine, cache, loader) */
static napi_value cache_operation_many(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  weir_cache *cache = engine == NULL ? NULL : handle_get(e, arg[1], KIND_CACHE);
  weir_operation *loader = cache == NULL ? NULL : handle_get(e, arg[2], KIND_OPERATION),
                 *made = NULL;
  weir_error *error = NULL;
  if (loader == NULL) return NULL;
  weir_status status = weir_cache_operation_many(cache, loader, &made, &error);
  return status == WEIR_OK ? handle_value(e, KIND_OPERATION, made) : throw_status(e, status, error);
}

/* cacheOperation(engine, cache, loader or 0) */
static napi_value cache_operation(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  weir_cache *cache = engine == NULL ? NULL : handle_get(e, arg[1], KIND_CACHE);
  weir_operation *loader = cache == NULL ? NULL : loader_of(e, engine, arg[2]), *made = NULL;
  weir_error *error = NULL;
  if (loader == NULL) return NULL;
  weir_status status = weir_cache_operation(cache, loader, &made, &error);
  return status == WEIR_OK ? handle_value(e, KIND_OPERATION, made) : throw_status(e, status, error);
}

/* flightNew(engine, options) */
static napi_value flight_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_flight_options options = WEIR_FLIGHT_OPTIONS_INIT;
  struct options_memory memory = {.count = 0};
  weir_flight *flight = NULL;
  weir_error *error = NULL;
  weir_status status = WEIR_EINVAL;
  bool fine = options_read(e, arg[1], flight_fields, &options, &memory, "flight");
  if (fine) status = weir_flight_new(engine->runtime, &options, &flight, &error);
  options_done(&memory);
  if (!fine) return NULL;
  return status == WEIR_OK ? handle_value(e, KIND_FLIGHT, flight) : throw_status(e, status, error);
}

/* flightOperation(engine, flight, operation or 0) */
static napi_value flight_operation(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  weir_flight *flight = engine == NULL ? NULL : handle_get(e, arg[1], KIND_FLIGHT);
  weir_operation *work = flight == NULL ? NULL : loader_of(e, engine, arg[2]), *made = NULL;
  weir_error *error = NULL;
  if (work == NULL) return NULL;
  weir_status status = weir_flight_operation(flight, work, &made, &error);
  return status == WEIR_OK ? handle_value(e, KIND_OPERATION, made) : throw_status(e, status, error);
}

static napi_value flight_forget(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_flight *flight = handle_get(e, arg[0], KIND_FLIGHT);
  struct bytes key;
  if (flight == NULL) return NULL;
  weir_status status = WEIR_EINVAL;
  if (bytes_of(e, arg[1], &key)) status = weir_flight_forget(flight, key.data, key.size);
  bytes_done(&key);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

static napi_value flight_read_stats(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_flight *flight = handle_get(e, arg[0], KIND_FLIGHT);
  if (flight == NULL) return NULL;
  weir_flight_stats stats = {.size = sizeof stats};
  weir_status status = weir_flight_get_stats(flight, &stats);
  return status == WEIR_OK ? struct_value(e, flight_stats, &stats) : throw_status(e, status, NULL);
}

const struct function cache_functions[] = {
    {"cacheNew", cache_new},
    {"cacheLookup", cache_lookup},
    {"cachePut", cache_put},
    {"cachePutIfAbsent", cache_put_if_absent},
    {"cacheControl", cache_control},
    {"cacheScan", cache_scan},
    {"cacheStats", cache_read_stats},
    {"cacheOperation", cache_operation},
    {"cacheOperationMany", cache_operation_many},
    {"flightNew", flight_new},
    {"flightOperation", flight_operation},
    {"flightForget", flight_forget},
    {"flightStats", flight_read_stats},
    {NULL, NULL},
};
