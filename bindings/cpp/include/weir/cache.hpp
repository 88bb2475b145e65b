// SPDX-License-Identifier: MIT
//
// Caches with typed keys and values. See weir/cache.h.
//
//   weir::cache<std::string, profile> cache{runtime, {.max_entries = 1000, .ttl = 1min}};
//   if (auto hit = cache.lookup(id)) use(*hit);                        // any thread, never waits
//   auto load = cache.loader([](const std::string &id) { return fetch(id); });
//   auto profile = cache.get(id, load).get();                          // loads at most once
//
// Values are immutable and shared, and keys bytes (weir/key.hpp). What other modules or languages
// put into the same cache is not a V: lookup_value(), put_value() and lookup_copy() are for that.

#pragma once

#include "weir/key.hpp"
#include "weir/operation.hpp"

namespace weir {
inline namespace cpp {

enum class eviction : std::uint32_t {
  adaptive = WEIR_EVICTION_ADAPTIVE,
  s3_fifo = WEIR_EVICTION_S3_FIFO,
  lru = WEIR_EVICTION_LRU
};

// Why an entry left.
enum class evict_cause : std::uint32_t {
  expired = WEIR_EVICT_EXPIRED,
  size = WEIR_EVICT_SIZE,
  replaced = WEIR_EVICT_REPLACED,
  removed = WEIR_EVICT_EXPLICIT,
  cleared = WEIR_EVICT_CLEARED
};

// When an expire function is asked.
enum class expire_moment : std::uint32_t {
  created = WEIR_EXPIRE_CREATED,
  updated = WEIR_EXPIRE_UPDATED,
  read = WEIR_EXPIRE_READ
};

// An expire function's answer: the entry keeps the lifetime it has.
inline constexpr milliseconds keep_lifetime{WEIR_EXPIRE_KEEP};

template <class K, class V>
struct cache_options {
  std::int64_t max_entries = 1000;      // 0 (stores nothing) or more, or `unlimited`
  std::int64_t max_weight = unlimited;  // 0 or more, or `unlimited`; a bound needs weigh
  milliseconds ttl{300000};             // after write; 0 or more, or `forever`
  milliseconds idle = off;              // after the last use; 0 or more, or `off`
  milliseconds load_timeout = forever;  // of one load; 0 or more, or `forever`
  milliseconds refresh = off;           // older entries are loaded again beside; 0 to ttl, or `off`
  milliseconds stale_if_error = off;    // so long after expiry still serves failed loads; or `off`
  milliseconds negative_ttl = off;      // so long a failed load is remembered; or `off`
  weir::eviction eviction = weir::eviction::adaptive;
  std::uint32_t shards = 0;  // 0: by the processors and the bound; at most 256
  // An entry's weight, asked when it is written, any thread; below 0 refuses the write.
  function<std::int64_t(const K &, const V &)> weigh{};
  // An entry's lifetime from now (0: gone at once), `forever` or `keep_lifetime`; any thread.
  function<milliseconds(expire_moment, const K &, const V &, std::optional<nanoseconds> left)>
      expire{};
  // On the runtime's thread, after the fact.
  function<void(const K &, const V &, evict_cause)> on_evict{};
  std::string name{};
};

namespace detail {

// A loader's key, read from the attempt's.
template <class K>
class key_slot {
 public:
  bool load(const weir_attempt &attempt, std::optional<error> &) {
    key_.emplace(key_traits<K>::read(std::string_view(static_cast<const char *>(attempt.key),
                                                      static_cast<std::size_t>(attempt.key_size))));
    return true;
  }
  const K &get() const { return *key_; }

 private:
  std::optional<K> key_;
};

inline std::string_view bytes_of(const weir_value *value) {
  return {static_cast<const char *>(weir_value_data(value)), weir_value_size(value)};
}

// A bulk loader's keys, read from the list that is its input.
template <class K>
class keys_slot {
 public:
  bool load(const weir_attempt &attempt, std::optional<error> &) {
    for (std::size_t i = 0; i < weir_value_count(attempt.input); ++i) {
      keys_.push_back(key_traits<K>::read(bytes_of(weir_value_item(attempt.input, i))));
    }
    return true;
  }
  const std::vector<K> &get() const { return keys_; }

 private:
  std::vector<K> keys_;
};

}  // namespace detail

// The keys of a run of cache.getting_many().
template <class K>
struct cache_keys {
  std::vector<K> list;
};

namespace detail {

template <class K>
struct codec<cache_keys<K>> {
  static value_handle encode(const cache_keys<K> &keys) {
    std::vector<value_handle> values;
    values.reserve(keys.list.size());
    for (const K &key : keys.list) {
      auto &&bytes = key_bytes(key);
      weir_value *made = nullptr;
      weir_value_new_bytes(nullptr, bytes.data(), bytes.size(), &made);
      values.push_back(own(made));
    }
    return make_list(values, {});
  }
};

}  // namespace detail

// A copy is the same cache, and equal. V is copyable: what is in the cache stays there. All take
// any thread.
template <class K, class V>
class cache : public detail::same_object<cache<K, V>> {
  static_assert(std::is_copy_constructible_v<V>,
                "a cache shares its values; std::shared_ptr<const V> may be one");
  static_assert(std::is_base_of_v<detail::object, detail::codec<V>>,
                "a std::optional, a weir::value or a list of results is not kept as one object");
  using traits = key_traits<K>;

 public:
  using options = cache_options<K, V>;

  cache() = default;
  // Throws what it is refused with.
  explicit cache(const runtime &runtime, const options &given = {})
      : cache(make(runtime, given).value()) {}
  static result<cache> make(const runtime &runtime, const options &given = {}) {
    weir_cache_options c = to_c(given);
    weir_cache *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_cache_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime.get(), made);
  }
  // Takes over a reference of a cache that holds such values.
  static cache adopt(weir_runtime *runtime, weir_cache *made) {
    cache result;
    result.handle_ = detail::cache_handle::adopt(made);
    result.runtime_ = runtime;
    return result;
  }

  // The value, shared and not copied; empty if it is absent. Never waits.
  shared<V> lookup(const K &key) const {
    auto &&bytes = traits::bytes(key);
    weir_value *value = nullptr;
    weir_cache_lookup(get(), bytes.data(), bytes.size(), &value);
    return shared<V>(detail::value_handle::adopt(value));
  }
  shared<V> lookup(const K &key, time_point now) const {
    auto &&bytes = traits::bytes(key);
    weir_value *value = nullptr;
    weir_cache_lookup_at(get(), bytes.data(), bytes.size(), detail::ns_of(now), &value);
    return shared<V>(detail::value_handle::adopt(value));
  }
  // Writes an entry. Errors: full (heavier than the bound, and the key is absent now), failed
  // (weigh refused), closed, no_memory.
  result<void> put(const K &key, V value) const {
    auto &&bytes = traits::bytes(key);
    auto held = detail::box_up(std::move(value));
    return detail::done(weir_cache_put(get(), bytes.data(), bytes.size(), held.get()));
  }
  result<void> put(const K &key, V value, time_point now) const {
    auto &&bytes = traits::bytes(key);
    auto held = detail::box_up(std::move(value));
    return detail::done(
        weir_cache_put_at(get(), bytes.data(), bytes.size(), held.get(), detail::ns_of(now)));
  }
  // With a lifetime of its own: 0 or more, or `forever`.
  result<void> put(const K &key, V value, milliseconds ttl) const {
    auto &&bytes = traits::bytes(key);
    auto held = detail::box_up(std::move(value));
    return detail::done(
        weir_cache_put_for(get(), bytes.data(), bytes.size(), held.get(), ttl.count()));
  }
  result<void> put(const K &key, V value, milliseconds ttl, time_point now) const {
    auto &&bytes = traits::bytes(key);
    auto held = detail::box_up(std::move(value));
    return detail::done(weir_cache_put_for_at(get(), bytes.data(), bytes.size(), held.get(),
                                              ttl.count(), detail::ns_of(now)));
  }
  // Unless the key has a value: that one is given then; empty: `value` was put. A value that is no
  // V is status::exists. Errors otherwise as put().
  result<shared<V>> put_if_absent(const K &key, V value) const {
    auto &&bytes = traits::bytes(key);
    auto held = detail::box_up(std::move(value));
    weir_value *existing = nullptr;
    weir_status status =
        weir_cache_put_if_absent(get(), bytes.data(), bytes.size(), held.get(), &existing);
    return what_was_there(status, existing);
  }
  result<shared<V>> put_if_absent(const K &key, V value, time_point now) const {
    auto &&bytes = traits::bytes(key);
    auto held = detail::box_up(std::move(value));
    weir_value *existing = nullptr;
    weir_status status = weir_cache_put_if_absent_at(get(), bytes.data(), bytes.size(), held.get(),
                                                     detail::ns_of(now), &existing);
    return what_was_there(status, existing);
  }

  // Entries of any type, as other modules and languages write and read them: empty if the key is
  // absent.
  std::optional<weir::value> lookup_value(const K &key) const {
    auto &&bytes = traits::bytes(key);
    weir_value *found = nullptr;
    if (weir_cache_lookup(get(), bytes.data(), bytes.size(), &found) != WEIR_OK) return {};
    return weir::value(detail::value_handle::adopt(found));
  }
  // Copies the bytes of a bytes value to `buffer`, at most `capacity` of them, and says how many it
  // has. Allocates nothing. Errors: not_found, unsupported (a value of another kind).
  result<std::size_t> lookup_copy(const K &key, void *buffer, std::size_t capacity) const {
    auto &&bytes = traits::bytes(key);
    std::size_t size = 0;
    weir_status status =
        weir_cache_lookup_copy(get(), bytes.data(), bytes.size(), buffer, capacity, &size);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return size;
  }
  result<std::size_t> lookup_copy(const K &key, void *buffer, std::size_t capacity,
                                  time_point now) const {
    auto &&bytes = traits::bytes(key);
    std::size_t size = 0;
    weir_status status = weir_cache_lookup_copy_at(get(), bytes.data(), bytes.size(),
                                                   detail::ns_of(now), buffer, capacity, &size);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return size;
  }
  // With `ttl` (0 or more, or `forever`) as a lifetime of its own, if there is one. The functions
  // of the options are not asked about what is no V. Errors as put().
  result<void> put_value(const K &key, const weir::value &value,
                         std::optional<milliseconds> ttl = {}) const {
    auto &&bytes = traits::bytes(key);
    if (!ttl) return detail::done(weir_cache_put(get(), bytes.data(), bytes.size(), value.get()));
    return detail::done(
        weir_cache_put_for(get(), bytes.data(), bytes.size(), value.get(), ttl->count()));
  }

  // Its idle time begins anew, and it has `ttl` from now on. False: absent.
  bool touch(const K &key, milliseconds ttl) const {
    auto &&bytes = traits::bytes(key);
    return weir_cache_touch(get(), bytes.data(), bytes.size(), ttl.count()) == WEIR_OK;
  }
  bool touch(const K &key, milliseconds ttl, time_point now) const {
    auto &&bytes = traits::bytes(key);
    return weir_cache_touch_at(get(), bytes.data(), bytes.size(), ttl.count(),
                               detail::ns_of(now)) == WEIR_OK;
  }
  // Once this has returned nobody sees the value. False: it had none.
  bool invalidate(const K &key) const {
    auto &&bytes = traits::bytes(key);
    return weir_cache_invalidate(get(), bytes.data(), bytes.size()) == WEIR_OK;
  }
  void clear() const { weir_cache_clear(get()); }

  // A loader: an operation whose function takes the key (const K &), and the rest as any other's:
  // an attempt, a completer<V>. Policies go around it with with(). Only for gets of such caches.
  // Throws what it is refused with, as all here that give an operation; the make_ forms give that
  // as a result.
  template <class F>
  operation<V, K> loader(F &&function) const {
    return make_loader(std::forward<F>(function)).value();
  }
  template <class F>
  result<operation<V, K>> make_loader(F &&function) const {
    return operation<V, K>::template make_from<detail::key_slot<K>>(runtime_,
                                                                    std::forward<F>(function));
  }
  // One that loads many keys at once: const std::vector<K> & to std::vector<result<V>>, one for
  // each key in their order.
  template <class F>
  operation<std::vector<result<V>>, std::vector<K>> bulk_loader(F &&function) const {
    return make_bulk_loader(std::forward<F>(function)).value();
  }
  template <class F>
  result<operation<std::vector<result<V>>, std::vector<K>>> make_bulk_loader(F &&function) const {
    using made = operation<std::vector<result<V>>, std::vector<K>>;
    return made::template make_from<detail::keys_slot<K>>(runtime_, std::forward<F>(function));
  }

  // The value, loaded if it is absent; however many wait for a key, it is loaded once.
  call<V> get(const K &key, const operation<V, K> &load) const {
    return call<V>(detail::start_call(begin(key, load)));
  }
  // The same, and `told` is told of the result<V> on the runtime's thread.
  template <class F>
  call_base get(const K &key, const operation<V, K> &load, F &&told) const {
    return detail::start_call<V>(begin(key, load), std::forward<F>(told));
  }
  // The get as an operation, for deadlines and policies: the run's key is the key (key_bytes()).
  operation<V> getting(const operation<V, K> &load) const { return make_getting(load).value(); }
  result<operation<V>> make_getting(const operation<V, K> &load) const {
    weir_operation *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_cache_operation(get(), load.get(), &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return operation<V>::adopt(runtime_, made);
  }
  // Many keys: those that are absent are loaded in one run. One result for each key, in their
  // order.
  call<std::vector<result<V>>> get_many(
      const std::vector<K> &keys,
      const operation<std::vector<result<V>>, std::vector<K>> &load) const {
    return call<std::vector<result<V>>>(start_many(keys, load));
  }
  // The same, and `told` is told.
  template <class F>
  call_base get_many(const std::vector<K> &keys,
                     const operation<std::vector<result<V>>, std::vector<K>> &load,
                     F &&told) const {
    return start_many(keys, load, std::forward<F>(told));
  }

  // The same as an operation, for deadlines and policies: `.run({{a, b, c}}, options)`.
  operation<std::vector<result<V>>, cache_keys<K>> getting_many(
      const operation<std::vector<result<V>>, std::vector<K>> &load) const {
    return make_getting_many(load).value();
  }
  result<operation<std::vector<result<V>>, cache_keys<K>>> make_getting_many(
      const operation<std::vector<result<V>>, std::vector<K>> &load) const {
    weir_operation *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_cache_operation_many(get(), load.get(), &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return operation<std::vector<result<V>>, cache_keys<K>>::adopt(runtime_, made);
  }

  // Calls function(const K &, const shared<V> &) for each entry that is there all the time, and for
  // some that come or go meanwhile. Is no use of the entries. Errors: no_memory.
  template <class F>
  result<void> scan(F &&function) const {
    weir_cache_entry entries[64];
    std::uint64_t cursor = 0;
    do {
      std::size_t count = 0;
      weir_status status = weir_cache_scan(get(), &cursor, entries, sizeof entries[0], 64, &count);
      if (status != WEIR_OK) return error(static_cast<weir::status>(status));
      batch page(entries, count);
      for (std::size_t i = 0; i < count; ++i) {
        shared<V> value(detail::value_handle::share(entries[i].value));
        function(traits::read(detail::bytes_of(entries[i].key)), value);
      }
    } while (cursor != 0);
    return {};
  }
  weir_cache_stats stats() const {
    weir_cache_stats stats{};
    stats.size = sizeof stats;
    weir_cache_get_stats(get(), &stats);
    return stats;
  }
  result<void> set_label(const std::string &key, const std::string &value) const {
    weir_error *why = nullptr;
    return detail::done(weir_cache_set_label(get(), key.c_str(), value.c_str(), &why), why);
  }
  weir_cache *get() const { return handle_.get(); }

 private:
  // Gives a page of a scan back, also if the function throws.
  struct batch {
    batch(weir_cache_entry *page, std::size_t size) : entries(page), count(size) {}
    batch(const batch &) = delete;
    ~batch() {
      for (std::size_t i = 0; i < count; ++i) {
        weir_value_unref(entries[i].key);
        weir_value_unref(entries[i].value);
      }
    }
    weir_cache_entry *entries;
    std::size_t count;
  };

  static result<shared<V>> what_was_there(weir_status status, weir_value *existing) {
    if (status == WEIR_OK) return shared<V>();
    shared<V> found(detail::value_handle::adopt(existing));
    if (status == WEIR_EEXISTS && found) return found;
    return error(static_cast<weir::status>(status));
  }
  auto begin(const K &key, const operation<V, K> &load) const {
    return [this, &key, &load](weir_settle_fn settle, void *data, weir_free_fn free_data,
                               weir_call **call, weir_error **why) {
      auto &&bytes = traits::bytes(key);
      return weir_cache_get(get(), bytes.data(), bytes.size(), load.get(), settle, data, free_data,
                            call, why);
    };
  }
  template <class... Told>
  call_base start_many(const std::vector<K> &keys,
                       const operation<std::vector<result<V>>, std::vector<K>> &load,
                       Told &&...told) const {
    std::vector<std::decay_t<decltype(traits::bytes(keys[0]))>> bytes;
    std::vector<const void *> data;
    std::vector<std::size_t> sizes;
    bytes.reserve(keys.size());
    for (const K &key : keys) {
      bytes.push_back(traits::bytes(key));
      data.push_back(bytes.back().data());
      sizes.push_back(bytes.back().size());
    }
    auto begin = [&](weir_settle_fn settle, void *with, weir_free_fn free_with, weir_call **call,
                     weir_error **why) {
      return weir_cache_get_many(get(), data.data(), sizes.data(), keys.size(), load.get(), settle,
                                 with, free_with, call, why);
    };
    if constexpr (sizeof...(Told) == 0) {
      return detail::start_call(begin);
    } else {
      return detail::start_call<std::vector<result<V>>>(begin, std::forward<Told>(told)...);
    }
  }
  static K read_key(const void *key, std::size_t size) {
    return traits::read(std::string_view(static_cast<const char *>(key), size));
  }
  static std::int64_t weigh_in_c(void *data, const void *key, std::size_t size,
                                 const weir_value *value) noexcept {
    const V *object = detail::unbox<V>(value);
    if (object == nullptr) return 0;
    return decltype(options::weigh)::call(data, read_key(key, size), *object);
  }
  static std::int64_t expire_in_c(void *data, const weir_expiry *entry) noexcept {
    const V *object = detail::unbox<V>(entry->value);
    if (object == nullptr) return WEIR_EXPIRE_KEEP;
    std::optional<nanoseconds> left;
    if (entry->remaining_ns != INT64_MAX) left = nanoseconds(entry->remaining_ns);
    return decltype(options::expire)::call(
               data, static_cast<expire_moment>(entry->moment),
               read_key(entry->key, static_cast<std::size_t>(entry->key_size)), *object, left)
        .count();
  }
  static void evict_in_c(void *data, weir_cache *, const weir_eviction *entry) noexcept {
    const V *object = detail::unbox<V>(entry->value);
    if (object == nullptr) return;
    decltype(options::on_evict)::call(
        data, read_key(entry->key, static_cast<std::size_t>(entry->key_size)), *object,
        static_cast<evict_cause>(entry->cause));
  }
  static weir_cache_options to_c(const options &from) {
    weir_cache_options to = WEIR_CACHE_OPTIONS_INIT;
    to.eviction = static_cast<std::uint32_t>(from.eviction);
    to.max_entries = from.max_entries;
    to.max_weight = from.max_weight;
    to.ttl_ms = from.ttl.count();
    to.idle_ms = from.idle.count();
    to.load_timeout_ms = from.load_timeout.count();
    to.refresh_ms = from.refresh.count();
    to.stale_if_error_ms = from.stale_if_error.count();
    to.negative_ttl_ms = from.negative_ttl.count();
    to.shards = from.shards;
    detail::give(from.weigh, weigh_in_c, to.weigh, to.weigh_data, to.weigh_free_data);
    detail::give(from.expire, expire_in_c, to.expire, to.expire_data, to.expire_free_data);
    detail::give(from.on_evict, evict_in_c, to.on_evict, to.evict_data, to.evict_free_data);
    to.name = detail::text(from.name);
    return to;
  }

  detail::cache_handle handle_;
  detail::lent<weir_runtime> runtime_;
};

}  // namespace cpp
}  // namespace weir
