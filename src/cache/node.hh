// SPDX-License-Identifier: MIT
//
// What the cache's parts chain together, one inside the other so that an entry is 80 bytes:
//
//   Node          in a table: found by hash, kind and key
//   EvictionNode  and in the lists of an eviction policy
//   Entry         (entry.hh) and with a value, a lifetime and a place in the expiry wheel
//
// Each part touches its own fields only. `hash`, `key_size` and `kind` never change while a node is
// in a table.

#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

enum class NodeKind : uint8_t {
  entry,
  load  // marks a key that is being loaded (cache.hh)
};

struct Node {
  // The table's: next in the chain. Free for other chains while the node is in no table.
  Node *next;
  uint64_t hash;
  uint32_t key_size;
  NodeKind kind;
  uint8_t flags;  // the store's
  // Eviction's, of entries: 0 if the node is in no list; which one and how often it was used.
  uint8_t list;
  // Set, under a stripe lock, by a use that could not be noted; eviction makes up for it.
  std::atomic<uint8_t> unnoted;
};

struct EvictionNode : Node {
  // Neighbours in the list: towards the end that goes next, and away from it.
  EvictionNode *older;
  EvictionNode *newer;
  uint32_t stamp;   // eviction's: a time, in accesses
  uint32_t weight;  // the store's: never evicted to make room for weight if 0
};

static_assert(sizeof(Node) == 24 && sizeof(EvictionNode) == 48);

}  // namespace weir
