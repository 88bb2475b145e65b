// SPDX-License-Identifier: MIT
//
// Which entry of a shard goes next. The store tells what happens to its entries and asks for
// victims; this class knows nothing of tables, values and time. Under the shard's policy lock.
//
// LRU is the lists alone; S3-FIFO has ghosts besides; the adaptive policy also counts frequencies
// and steers: eviction_lists.hh has the rules, steering.hh how one is chosen.
//
// Invariants:
// - Between inserted() and removed(), or being returned by victim(), a node is in exactly one list
//   and its `list` is not 0. All calls but inserted() take such nodes only.
// - victim() never returns `fresh` (nullable), and returns NULL only if there is no other node.
// - Only inserted() and victim() allocate. What cannot be had makes the choice worse, and no more.
// - A key is known by 32 bits of its hash, others than those that choose its shard and its bucket.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/heap.hh"
#include "cache/ghosts.hh"
#include "cache/node.hh"
#include "cache/sketch.hh"
#include "cache/steering.hh"

namespace weir {

struct NodeSpace {
  using Ref = EvictionNode *;
  static constexpr Ref none = nullptr;
  const FrequencySketch *sketch = nullptr;

  static uint32_t fingerprint(const EvictionNode *node) {
    return static_cast<uint32_t>(node->hash >> 20);
  }
  EvictionNode *&older(Ref ref) { return ref->older; }
  EvictionNode *&newer(Ref ref) { return ref->newer; }
  uint32_t stamp(Ref ref) { return ref->stamp; }
  unsigned estimate(Ref ref) { return sketch->estimate(fingerprint(ref)); }
  // Both in one byte, 0 when outside.
  EvictionList list(Ref ref) { return static_cast<EvictionList>(ref->list & 3); }
  uint8_t uses(Ref ref) { return ref->list >> 2; }
  void set_list(Ref ref, EvictionList list) {
    uint8_t uses = list == EvictionList::outside ? 0 : ref->list & ~3;
    ref->list = static_cast<uint8_t>(uses | static_cast<uint8_t>(list));
  }
  void set_uses(Ref ref, uint8_t uses) {
    if ((ref->list & 3) != 0) ref->list = static_cast<uint8_t>((ref->list & 3) | uses << 2);
  }
};

class Eviction {
 public:
  Eviction() = default;
  Eviction(const Eviction &) = delete;
  Eviction &operator=(const Eviction &) = delete;
  ~Eviction() = default;

  // `kind` is WEIR_EVICTION_*. Bounds are the store's matter: when it asks for a victim, what there
  // is is what it has room for.
  void init(Heap *heap, uint32_t kind);

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
  EvictionNode *victim(EvictionNode *fresh, Room room);

 private:
  EvictionNode *choose_unused(EvictionNode *fresh);
  EvictionNode *pass_used(EvictionNode *node, EvictionNode *fresh);
  EvictionNode *choose_weighty(EvictionNode *fresh);
  void observe(EvictionNode *node, bool hit);

  uint32_t kind_ = 0;
  uint32_t clock_ = 0;    // accesses
  uint64_t weighty_ = 0;  // nodes whose weight is not 0
  EvictionLists<NodeSpace> lists_{NodeSpace{&sketch_}};
  Ghosts ghosts_;
  FrequencySketch sketch_;
  Steering steering_;
};

}  // namespace weir
