// SPDX-License-Identifier: MIT
//
// Gets: the leaves of runs that ask a cache for a value, and wait for its load if it has to be
// loaded.

#pragma once

#include "cache/load.hh"

namespace weir {

struct GetStart {
  weir_cache *cache;
  weir_operation *loader;
  Key key;
  KeyInput input;
};

// The signal start of a leaf that gets one key.
//
//   the cache has                   answers
//   a value                         outer; loads it again in the background if it is old
//   a remembered failure            outer
//   a load of the key, or nothing   wait, for that load or a new one; outer if it cannot begin
Next begin_get(RunWaiter &waiter, const GetStart &start);

// A key that an exported function was given.
void check_cache_key(Check &check, const void *key, size_t key_size);

}  // namespace weir
