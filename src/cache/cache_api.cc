// SPDX-License-Identifier: MIT
//
// The cache's exported functions but those that load: checking arguments, and saying which time
// counts.
#include "cache/cache.hh"
#include "engine/options.hh"
#include "engine/value.hh"

using weir::Write;

namespace {

bool legal_cache_key(const weir_cache *cache, const void *key, size_t key_size) {
  return cache != nullptr && (key != nullptr || key_size == 0) &&
         key_size <= weir::longest_cache_key;
}

bool legal_ttl(int64_t ttl_ms) { return ttl_ms >= WEIR_FOREVER; }

[[gnu::cold]] weir_status cache_new(weir_runtime &runtime, const weir_cache_options &options,
                                    weir::CacheRules &rules, weir_cache **out, weir_error **error) {
  weir::Heap *heap = runtime.heap();
  weir_status status = weir::check_cache_options(options, "cache", heap, error);
  if (status != WEIR_OK) return status;
  weir::read_cache_options(options, rules);
  auto *cache =
      weir::make_handle<weir_cache>(heap, &runtime, static_cast<weir::CacheRules &&>(rules));
  if (cache == nullptr || !cache->init(options.name) ||
      !weir::publish(*cache, weir::Metered::cache)) {
    weir_cache_unref(cache);
    return weir::report_no_memory(error, heap, "cache");
  }
  *out = cache;
  return WEIR_OK;
}

// Not copied into each of its callers: they are many, and it holds the hash function.
[[gnu::noinline]] weir_status cache_put(weir_cache *cache, const void *key, size_t key_size,
                                        Write &write) {
  if (!legal_cache_key(cache, key, key_size)) return WEIR_EINVAL;
  write.key = cache->key(key, key_size);
  return cache->put(write);
}

int64_t cache_clock(const weir_cache *cache) {
  return cache == nullptr ? 0 : cache->runtime()->clock();
}

}  // namespace

[[gnu::cold]] void weir_cache_options_init(weir_cache_options *options, size_t size) {
  weir::init_options(options, size, weir::default_cache_options());
}

[[gnu::cold]] weir_status weir_cache_new(weir_runtime *runtime, const weir_cache_options *given,
                                         weir_cache **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_cache_options options = weir::default_cache_options();
  weir_status status = weir::read_options(options, given, "cache", heap, error);
  if (status != WEIR_OK) return status;
  weir::CacheRules rules;
  rules.weigh = {options.weigh, options.weigh_data, options.weigh_free_data};
  rules.expire = {options.expire, options.expire_data, options.expire_free_data};
  rules.on_evict = {options.on_evict, options.evict_data, options.evict_free_data};
  weir::Check check("cache", heap, error);
  check.required("runtime", runtime).required("out", out);
  return check.ok() ? cache_new(*runtime, options, rules, out, error) : check.status();
}

weir_cache *weir_cache_ref(weir_cache *cache) { return weir::ref_handle(cache); }

void weir_cache_unref(weir_cache *cache) { weir::unref_handle(cache); }

// ---- looking up ----

[[gnu::noinline]] static weir_status cache_lookup(weir_cache *cache, const void *key,
                                                  size_t key_size, const int64_t *now_ns,
                                                  weir_value **value) {
  if (value == nullptr) return WEIR_EINVAL;
  *value = nullptr;
  if (!legal_cache_key(cache, key, key_size)) return WEIR_EINVAL;
  return cache->lookup(cache->key(key, key_size), now_ns, value);
}

weir_status weir_cache_lookup(weir_cache *cache, const void *key, size_t key_size,
                              weir_value **value) {
  return cache_lookup(cache, key, key_size, nullptr, value);
}

weir_status weir_cache_lookup_at(weir_cache *cache, const void *key, size_t key_size,
                                 int64_t now_ns, weir_value **value) {
  return cache_lookup(cache, key, key_size, &now_ns, value);
}

[[gnu::noinline]] static weir_status cache_lookup_copy(weir_cache *cache, const void *key,
                                                       size_t key_size, const int64_t *now_ns,
                                                       const weir_cache::Copy &copy) {
  if (copy.size != nullptr) *copy.size = 0;
  if (copy.buffer == nullptr && copy.capacity > 0) return WEIR_EINVAL;
  if (!legal_cache_key(cache, key, key_size)) return WEIR_EINVAL;
  return cache->lookup_copy(cache->key(key, key_size), now_ns, copy);
}

weir_status weir_cache_lookup_copy(weir_cache *cache, const void *key, size_t key_size,
                                   void *buffer, size_t capacity, size_t *size) {
  return cache_lookup_copy(cache, key, key_size, nullptr, {buffer, capacity, size});
}

weir_status weir_cache_lookup_copy_at(weir_cache *cache, const void *key, size_t key_size,
                                      int64_t now_ns, void *buffer, size_t capacity, size_t *size) {
  return cache_lookup_copy(cache, key, key_size, &now_ns, {buffer, capacity, size});
}

// ---- writing ----

weir_status weir_cache_put_at(weir_cache *cache, const void *key, size_t key_size,
                              weir_value *value, int64_t now_ns) {
  Write write(value, now_ns);
  return cache_put(cache, key, key_size, write);
}

weir_status weir_cache_put(weir_cache *cache, const void *key, size_t key_size, weir_value *value) {
  return weir_cache_put_at(cache, key, key_size, value, cache_clock(cache));
}

weir_status weir_cache_put_for_at(weir_cache *cache, const void *key, size_t key_size,
                                  weir_value *value, int64_t ttl_ms, int64_t now_ns) {
  if (!legal_ttl(ttl_ms)) return WEIR_EINVAL;
  Write write(value, now_ns);
  write.own_ttl = true;
  write.ttl_ns = weir::ms_to_ns(ttl_ms);
  return cache_put(cache, key, key_size, write);
}

weir_status weir_cache_put_for(weir_cache *cache, const void *key, size_t key_size,
                               weir_value *value, int64_t ttl_ms) {
  return weir_cache_put_for_at(cache, key, key_size, value, ttl_ms, cache_clock(cache));
}

weir_status weir_cache_put_if_absent_at(weir_cache *cache, const void *key, size_t key_size,
                                        weir_value *value, int64_t now_ns, weir_value **existing) {
  if (existing != nullptr) *existing = nullptr;
  Write write(value, now_ns);
  write.only_if_absent = true;
  write.existing = existing;
  return cache_put(cache, key, key_size, write);
}

weir_status weir_cache_put_if_absent(weir_cache *cache, const void *key, size_t key_size,
                                     weir_value *value, weir_value **existing) {
  return weir_cache_put_if_absent_at(cache, key, key_size, value, cache_clock(cache), existing);
}

weir_status weir_cache_touch_at(weir_cache *cache, const void *key, size_t key_size, int64_t ttl_ms,
                                int64_t now_ns) {
  if (!legal_cache_key(cache, key, key_size) || !legal_ttl(ttl_ms)) return WEIR_EINVAL;
  return cache->touch(cache->key(key, key_size), ttl_ms, now_ns);
}

weir_status weir_cache_touch(weir_cache *cache, const void *key, size_t key_size, int64_t ttl_ms) {
  return weir_cache_touch_at(cache, key, key_size, ttl_ms, cache_clock(cache));
}

weir_status weir_cache_invalidate(weir_cache *cache, const void *key, size_t key_size) {
  if (!legal_cache_key(cache, key, key_size)) return WEIR_EINVAL;
  return cache->invalidate(cache->key(key, key_size));
}

weir_status weir_cache_clear(weir_cache *cache) {
  return cache == nullptr ? WEIR_EINVAL : cache->clear();
}

// ---- looking ----

weir_status weir_cache_scan(weir_cache *cache, uint64_t *cursor, weir_cache_entry *entries,
                            size_t entry_size, size_t capacity, size_t *count) {
  if (count != nullptr) *count = 0;
  if (cache == nullptr || cursor == nullptr || count == nullptr) return WEIR_EINVAL;
  if (entries == nullptr || capacity == 0) return WEIR_EINVAL;
  // The references in it cannot be given away without a place.
  if (entry_size < offsetof(weir_cache_entry, remaining_ns)) return WEIR_EABI;
  if (cache->runtime()->forked()) return WEIR_EFORKED;
  return cache->scan(*cursor, entries, entry_size, capacity, *count);
}

[[gnu::cold]] weir_status weir_cache_get_stats(weir_cache *cache, weir_cache_stats *stats) {
  if (cache == nullptr || stats == nullptr) return WEIR_EINVAL;
  if (cache->runtime()->forked()) return WEIR_EFORKED;
  weir_cache_stats filled = {};
  cache->fill_stats(filled);
  return weir::write_sized(stats, filled);
}
