// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <bit>

#include "cache/shard.hh"
#include "engine/options.hh"

namespace weir {
namespace {

constexpr weir_cache_options cache_defaults = WEIR_CACHE_OPTIONS_INIT;
constexpr int64_t most_entries = UINT32_MAX;
constexpr uint32_t most_shards = 256;
// Bounds below this are kept by one shard, and each shard of a larger one has half as many at
// least.
constexpr uint64_t divided_from = 8192;

uint64_t bound_of(int64_t option) {
  return option == WEIR_UNLIMITED ? UINT64_MAX : static_cast<uint64_t>(option);
}

// Off is never_ns; what is on and that long comes to the moment before.
int64_t negative_ns_of(int64_t ttl_ms) {
  int64_t ttl_ns = ms_to_ns(ttl_ms);
  return ttl_ms != WEIR_OFF && ttl_ns == never_ns ? never_ns - 1 : ttl_ns;
}

uint64_t processors() {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : static_cast<uint64_t>(count);
}

uint32_t stripe_count() {
  uint64_t count = std::bit_ceil(processors());
  return static_cast<uint32_t>(count < Shard::max_stripes ? count : Shard::max_stripes);
}

// A power of two, and none of them without a place for an entry.
uint32_t shard_count(const weir_cache_options &options) {
  uint64_t entries = bound_of(options.max_entries);
  uint64_t wanted = options.shards;
  if (wanted == 0) {
    if (options.max_weight != WEIR_UNLIMITED || entries < divided_from) return 1;
    wanted = 4 * processors();
    if (wanted > entries / (divided_from / 2))
      wanted = std::bit_floor(entries / (divided_from / 2));
  }
  if (wanted > most_shards) wanted = most_shards;
  wanted = std::bit_ceil(wanted);
  while (wanted > 1 && wanted > entries) wanted /= 2;
  return static_cast<uint32_t>(wanted);
}

}  // namespace

weir_cache_options default_cache_options() { return cache_defaults; }

weir_status check_cache_options(const weir_cache_options &options, const char *subject, Heap *heap,
                                weir_error **error) {
  int64_t ttl_ms = options.ttl_ms == WEIR_FOREVER ? max_ms : options.ttl_ms;
  return Check(subject, heap, error)
      .range("eviction", options.eviction, WEIR_EVICTION_ADAPTIVE, WEIR_EVICTION_LRU)
      .range_or("max_entries", options.max_entries, 0, most_entries, "unlimited")
      .range_or("max_weight", options.max_weight, 0, INT64_MAX, "unlimited")
      .rule(options.max_weight == WEIR_UNLIMITED || options.weigh != nullptr,
            "max_weight needs weigh (got %lld and NULL)",
            static_cast<long long>(options.max_weight))
      .range_or("ttl_ms", options.ttl_ms, 0, max_ms, "forever")
      .range_or("idle_ms", options.idle_ms, 0, max_ms, "off")
      .range_or("load_timeout_ms", options.load_timeout_ms, 0, max_ms, "forever")
      .range_or("refresh_ms", options.refresh_ms, 0, max_ms, "off")
      .rule(options.refresh_ms <= ttl_ms, "refresh_ms must not exceed ttl_ms (got %lld and %lld)",
            static_cast<long long>(options.refresh_ms), static_cast<long long>(options.ttl_ms))
      .range_or("stale_if_error_ms", options.stale_if_error_ms, 0, max_ms, "off")
      .range_or("negative_ttl_ms", options.negative_ttl_ms, 0, max_ms, "off")
      .range("shards", options.shards, 0, most_shards)
      .reserved(options.reserved)
      .status();
}

void read_cache_options(const weir_cache_options &options, CacheRules &rules) {
  rules.shape = EntryShape(options.idle_ms != WEIR_OFF, options.refresh_ms != WEIR_OFF);
  rules.eviction = options.eviction;
  rules.shards = shard_count(options);
  rules.stripes = stripe_count();
  rules.max_entries = bound_of(options.max_entries);
  rules.max_weight = bound_of(options.max_weight);
  rules.ttl_ns = ms_to_ns(options.ttl_ms);
  rules.idle_ns = ms_to_ns(options.idle_ms);
  rules.load_timeout_ns = ms_to_ns(options.load_timeout_ms);
  rules.refresh_ns = ms_to_ns(options.refresh_ms);
  rules.stale_ns = options.stale_if_error_ms == WEIR_OFF ? 0 : ms_to_ns(options.stale_if_error_ms);
  rules.negative_ns = negative_ns_of(options.negative_ttl_ms);
}

}  // namespace weir
