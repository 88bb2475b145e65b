// SPDX-License-Identifier: MIT
//
// An entry of a cache: one block of 80 bytes, then the words that only some caches' entries have,
// then the key.
//
// Who may touch it: `weight` and the key never change. `value`, `expires_ns` and `flags` change
// under the policy lock and all stripe locks (shard.hh), and are read under any one. The time of
// the last use is moved forward by lookups, under one stripe lock.

#pragma once

#include <weir/cache.h>

#include <atomic>
#include <cstddef>
#include <cstring>

#include "base/hash.hh"
#include "base/heap.hh"
#include "base/time.hh"
#include "cache/node.hh"

namespace weir {

// A key as a caller gave it.
struct Key {
  const void *data;
  uint32_t size;
  uint64_t hash;

  bool same(const void *other, uint32_t other_size) const {
    return size == other_size && (size == 0 || std::memcmp(data, other, size) == 0);
  }
};

enum EntryFlag : uint8_t {
  entry_negative = 1,     // a remembered failure: `error` instead of `value`
  entry_own_lifetime = 2  // given by its put or the expire function: no idle time
};
inline constexpr int entry_cause_shift = 4;  // WEIR_EVICT_*, once it has left

// What is left of a lifetime that may have ended while the clock was read again.
constexpr int64_t remaining_of(int64_t end_ns, int64_t now_ns) {
  if (end_ns == never_ns) return never_ns;
  return end_ns > now_ns ? saturating_sub(end_ns, now_ns) : 0;
}

struct Entry : EvictionNode {
  union {
    weir_value *value;  // one reference; nullable
    weir_error *error;  // one reference
  };
  int64_t expires_ns;
  Entry *expiry_next;   // in its slot of the expiry wheel
  Entry **expiry_here;  // what points here; NULL: not in the wheel

  bool negative() const { return (flags & entry_negative) != 0; }
  uint32_t cause() const { return static_cast<uint32_t>(flags) >> entry_cause_shift; }
  Entry *next_entry() const { return static_cast<Entry *>(next); }
};

static_assert(sizeof(Entry) == 80);

// Where a cache's entries keep what not all caches need; offsets into the block, 0 for nowhere.
struct EntryShape {
  uint32_t used_at = 0;     // when last used, for idle_ms
  uint32_t written_at = 0;  // for refresh_ms
  uint32_t key_at = sizeof(Entry);

  EntryShape() = default;
  EntryShape(bool idle, bool refresh) {
    if (idle) used_at = take_word();
    if (refresh) written_at = take_word();
  }

  const void *key(const Entry &entry) const {
    return reinterpret_cast<const std::byte *>(&entry) + key_at;
  }
  // Of entries whose cache has an idle time.
  std::atomic<int64_t> &used_ns(const Entry &entry) const { return word(entry, used_at); }
  std::atomic<int64_t> &written_ns(const Entry &entry) const { return word(entry, written_at); }
  void used(const Entry &entry, int64_t now_ns) const {
    std::atomic<int64_t> &last = used_ns(entry);
    int64_t before_ns = last.load(std::memory_order_relaxed);
    while (before_ns < now_ns &&
           !last.compare_exchange_weak(before_ns, now_ns, std::memory_order_relaxed)) {
    }
  }
  size_t size(uint32_t key_size) const { return key_at + size_t{key_size}; }

  // Without a value, in no list; NULL without memory.
  Entry *make(Heap *heap, const Key &key, int64_t now_ns) const;
  // The same in a block of that size.
  Entry *make_in(void *memory, const Key &key, int64_t now_ns) const;
  // Gives back what it holds. Runs user code, as the next two do.
  static void empty(Entry *entry);
  // Gives back what it holds, and itself. Runs user code: no lock may be held.
  void free(Heap *heap, Entry *entry) const;
  void free_all(Heap *heap, Entry *first) const;

 private:
  uint32_t take_word() {
    uint32_t at = key_at;
    key_at += sizeof(int64_t);
    return at;
  }
  static std::atomic<int64_t> &word(const Entry &entry, uint32_t at) {
    auto *bytes = reinterpret_cast<std::byte *>(const_cast<Entry *>(&entry));
    return *reinterpret_cast<std::atomic<int64_t> *>(bytes + at);
  }
};

}  // namespace weir
