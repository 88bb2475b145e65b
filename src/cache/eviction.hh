// SPDX-License-Identifier: MIT
//
// Which entry of a shard goes next. The store tells what happens to its entries and asks for
// victims; this class knows nothing of tables, values and time. Under the shard's policy lock.
//
// Invariants:
// - Between inserted() and removed(), or being returned by victim(), a node is in exactly one list
//   and its `list` is not 0. All calls but inserted() take such nodes only.
// - victim() never returns `fresh` (nullable), and returns NULL only if there is no other node.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/heap.hh"
#include "cache/node.hh"

namespace weir {

class Eviction {
 public:
  Eviction() = default;
  Eviction(const Eviction &) = delete;
  Eviction &operator=(const Eviction &) = delete;
  ~Eviction() = default;

  // `kind` is WEIR_EVICTION_*; `capacity` the most entries, UINT64_MAX if they are not bounded by
  // number. Tables grow with the entries there are. False without memory.
  bool init(Heap *heap, uint32_t kind, uint64_t capacity);

  // A new key was written: its first access (lookups that miss are not told).
  void inserted(EvictionNode *node);
  // A hit, or a write over the key.
  void accessed(EvictionNode *node);
  // `next` takes the place of `old`, of the same key; no access by itself.
  void replaced(EvictionNode *old, EvictionNode *next);
  // Expired, invalidated or cleared: leaves no trace.
  void removed(EvictionNode *node);
  // Takes out and returns what goes next. To make room for weight it is none of weight 0, which may
  // leave nothing to return.
  enum class Room { entries, weight };
  EvictionNode *victim(const EvictionNode *fresh, Room room);

  // Of its own tables.
  size_t bytes() const { return 0; }

 private:
  void push_newest(EvictionNode *node);
  void unlink(EvictionNode *node);

  EvictionNode *oldest_ = nullptr;
  EvictionNode *newest_ = nullptr;
};

}  // namespace weir
