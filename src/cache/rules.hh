// SPDX-License-Identifier: MIT
//
// What a cache's options come to: checked, in nanoseconds, never changed after creation.

#pragma once

#include <weir/cache.h>

#include "base/time.hh"
#include "cache/entry.hh"
#include "engine/callback.hh"

namespace weir {

struct CacheRules {
  EntryShape shape;
  uint32_t eviction = WEIR_EVICTION_ADAPTIVE;
  uint32_t shards = 1;   // a power of two
  uint32_t stripes = 1;  // of each, for lookups (shard.hh); a power of two
  uint64_t max_entries = 0;
  uint64_t max_weight = 0;  // UINT64_MAX: unbounded, as the above
  int64_t ttl_ns = never_ns;
  int64_t idle_ns = never_ns;  // never_ns: off, as all below
  int64_t load_timeout_ns = never_ns;
  int64_t refresh_ns = never_ns;
  int64_t stale_ns = 0;  // 0: off
  int64_t negative_ns = never_ns;
  Callback<weir_weigh_fn> weigh;
  Callback<weir_expire_fn> expire;
  Callback<weir_evict_fn> on_evict;
};

weir_cache_options default_cache_options();
// WEIR_EINVAL with a message that begins with `subject`, or WEIR_OK.
weir_status check_cache_options(const weir_cache_options &options, const char *subject, Heap *heap,
                                weir_error **error);
// Reads checked options into `rules`, but for the callbacks.
void read_cache_options(const weir_cache_options &options, CacheRules &rules);

inline constexpr size_t longest_cache_key = (size_t{1} << 24) - 1;

}  // namespace weir
