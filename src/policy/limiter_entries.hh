// SPDX-License-Identifier: MIT
//
// Keys of limiters that one token bucket in a word cannot serve: windows, several rates,
// concurrency. A hash table of entries with chains, all memory taken at the beginning. What
// limiter_keys.hh says of keys, idle keys, newcomers at max_keys and the floor holds here too;
// besides, a key of which permits are held is not idle and never gives way. The caller holds the
// limiter's mutex.

#pragma once

#include <atomic>

#include "base/heap.hh"
#include "policy/limiter_set.hh"

namespace weir {

struct alignas(16) KeyEntry {
  uint64_t hash;
  int64_t held;
  uint32_t next;  // in the chain
  uint32_t used;

  std::byte *states() { return reinterpret_cast<std::byte *>(this + 1); }
};

class KeyEntries {
 public:
  explicit KeyEntries(Heap *heap) : heap_(heap) {}
  KeyEntries(const KeyEntries &) = delete;
  KeyEntries &operator=(const KeyEntries &) = delete;
  ~KeyEntries() { clear(); }

  // Before there was any key, also again. False without memory; then nothing has changed.
  bool init(uint64_t max_keys, const RateSet &rates);

  // NULL if it is absent: all of it is there.
  KeyEntry *find(uint64_t hash);
  // A place for an absent key that is about to take `permits`; with `evict` also that of the key
  // closest to idle. It begins with the floor. NULL if there is none: then `wait_ns` says when
  // there may be one, -1 if that cannot be known.
  KeyEntry *insert(uint64_t hash, const RateSet &rates, int64_t now_ns, int64_t permits, bool evict,
                   int64_t &wait_ns);
  // What an absent key begins with.
  std::byte *floor() { return entry(max_keys_).states(); }

  void convert(const RateSet &rates, const RateRule &before, int64_t now_ns);

  void hold(KeyEntry &item, int64_t permits) {
    item.held += permits;
    held_ += permits;
  }
  // Permits held, of all keys.
  int64_t held() const { return held_; }
  uint64_t used() const { return used_; }
  uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t none = UINT32_MAX;

  KeyEntry &entry(uint64_t index) {
    return *reinterpret_cast<KeyEntry *>(entries_ + index * entry_size_);
  }
  uint32_t index_of(KeyEntry &item) const;
  uint32_t &head(uint64_t hash) { return heads_[hash & (head_count_ - 1)]; }
  void link(KeyEntry &item, uint64_t hash);
  void unlink(KeyEntry &item);
  KeyEntry *place(const RateSet &rates, int64_t now_ns, KeyEntry *&victim);
  KeyEntry *sweep(const RateSet &rates, int64_t now_ns, KeyEntry *&victim);
  bool displace(KeyEntry &victim, const RateSet &rates, int64_t now_ns, int64_t permits);
  void clear();

  Heap *heap_;
  std::byte *entries_ = nullptr;
  uint32_t *heads_ = nullptr;
  uint64_t entry_size_ = 0;
  uint64_t max_keys_ = 0;
  uint64_t head_count_ = 0;
  uint64_t fresh_ =
      0;  // entries from here on were never used; the one behind the last is the floor
  uint64_t hand_ = 0;
  uint64_t used_ = 0;
  std::atomic<uint64_t> evicted_{0};
  int64_t held_ = 0;
};

}  // namespace weir
