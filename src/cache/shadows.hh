// SPDX-License-Identifier: MIT
//
// What would each mode do with this workload? Five small caches without values, one per mode, fed
// with the keys whose hash falls into a sample. Sampled by hash, a small cache behaves like the
// large one (Waldspurger et al., "Efficient MRC construction with SHARDS", 2015). A key is in one
// slot for all five; what the modes differ in, links, list and uses, is in the slot by mode.
//
// Invariants:
// - Every slot in use is in the chain of its bucket. One that is in no cache at all is a ghost, and
//   in the list of ghosts, oldest evicted first, whose links are those of mode 0.
// - A slot's stamp is the last use of its key in all modes alike.
// - Memory is taken by start() alone; when slots run out the oldest ghost's is taken. There are
//   more slots than the caches can hold together, so there is one: else a long scan would end with
//   caches that have nothing in common, and that no key enters any more.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/heap.hh"
#include "cache/eviction_lists.hh"
#include "cache/sketch.hh"

namespace weir {

inline constexpr int eviction_modes = 5;
inline constexpr int eviction_mode_lirs = 0;
inline constexpr int eviction_mode_lru = 4;
inline constexpr EvictionMode eviction_mode[eviction_modes] = {
    {EvictionRule::lirs, 1},      {EvictionRule::s3_fifo, 10}, {EvictionRule::tiny_lfu, 1},
    {EvictionRule::tiny_lfu, 20}, {EvictionRule::lru, 100},
};

struct ShadowSlot {
  struct Links {
    uint16_t older;
    uint16_t newer;
  };
  uint32_t fingerprint;
  uint32_t stamp;
  uint16_t chain;
  uint16_t residences;  // caches it is in
  Links links[eviction_modes];
  uint8_t marks[eviction_modes];  // list and, times four, uses
};

struct ShadowSpace {
  using Ref = uint16_t;
  static constexpr Ref none = 0xffff;
  static constexpr uint8_t list_bits = 3;

  ShadowSlot *slots = nullptr;
  const FrequencySketch *sketch = nullptr;
  int mode = 0;

  uint16_t &older(Ref ref) { return slots[ref].links[mode].older; }
  uint16_t &newer(Ref ref) { return slots[ref].links[mode].newer; }
  uint32_t stamp(Ref ref) { return slots[ref].stamp; }
  unsigned estimate(Ref ref) { return sketch->estimate(slots[ref].fingerprint); }
  uint8_t &mark(Ref ref) { return slots[ref].marks[mode]; }
  [[gnu::always_inline]] EvictionList list(Ref ref) {
    return static_cast<EvictionList>(mark(ref) & list_bits);
  }
  uint8_t uses(Ref ref) { return mark(ref) >> 2; }
  [[gnu::always_inline]] void set_list(Ref ref, EvictionList list) {
    mark(ref) = static_cast<uint8_t>((mark(ref) & ~list_bits) | static_cast<uint8_t>(list));
  }
  [[gnu::always_inline]] void set_uses(Ref ref, uint8_t uses) {
    mark(ref) = static_cast<uint8_t>((mark(ref) & list_bits) | uses << 2);
  }
};

class Shadows {
 public:
  Shadows() = default;
  ~Shadows() { stop(); }
  Shadows(const Shadows &) = delete;
  Shadows &operator=(const Shadows &) = delete;

  void init(Heap *heap, const FrequencySketch *sketch);
  // Empty caches of `capacity` entries, at most 2^13. False without memory: then there are none.
  bool start(uint32_t capacity);
  void stop();
  bool running() const { return slots_ != nullptr; }
  uint32_t capacity() const { return capacity_; }

  // A use of a key of the sample. Which caches had it, by bits; those that had not have it now.
  unsigned access(uint32_t fingerprint);
  void forget(uint32_t fingerprint);

 private:
  static constexpr uint16_t none = ShadowSpace::none;

  uint16_t *bucket(uint32_t fingerprint);
  uint16_t find(uint32_t fingerprint);
  uint16_t take(uint32_t fingerprint);
  uint16_t free_slot();
  void release(uint16_t at);
  unsigned access_all(uint16_t at, EvictionPast past);
  void admit(int mode, uint16_t at, EvictionPast past);
  void push_ghost(uint16_t at);
  void unlink_ghost(uint16_t at);

  Heap *heap_ = nullptr;
  ShadowSlot *slots_ = nullptr;
  uint16_t *buckets_ = nullptr;  // behind the slots, in the same memory
  uint32_t capacity_ = 0;
  uint32_t slots_count_ = 0;
  uint32_t slots_used_ = 0;  // at some time
  uint32_t buckets_count_ = 0;
  uint32_t clock_ = 0;
  uint16_t free_ = none;  // chain of released slots
  uint16_t oldest_ghost_ = none;
  uint16_t newest_ghost_ = none;
  const FrequencySketch *sketch_ = nullptr;
  EvictionLists<ShadowSpace> lists_[eviction_modes] = {
      EvictionLists<ShadowSpace>({}), EvictionLists<ShadowSpace>({}),
      EvictionLists<ShadowSpace>({}), EvictionLists<ShadowSpace>({}),
      EvictionLists<ShadowSpace>({})};
};

}  // namespace weir
