// SPDX-License-Identifier: MIT
//
// Was this key here not long ago, and when was it last used? A set-associative table of what was
// evicted: 32 bits of the key's hash and the stamp of its last use. A line holds eight; a ninth
// takes the place of the one used longest ago. Two keys with the same 32 bits are taken for one:
// the answer is a hint.
//
// Invariants: a line is 64 bytes, aligned. A free place is all 0: older than any ghost, unless
// stamps have just begun anew. A key of fingerprint 0 goes as 1. A fingerprint's line follows from
// its high bits alone, so a table can be made larger. A new table has room for two ghosts per
// entry; when there is no memory for a larger one, the old one stays.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/heap.hh"
#include "cache/eviction_lists.hh"

namespace weir {

class Ghosts {
 public:
  Ghosts() = default;
  ~Ghosts() { release(memory_, lines_); }
  Ghosts(const Ghosts &) = delete;
  Ghosts &operator=(const Ghosts &) = delete;

  void init(Heap *heap) { heap_ = heap; }
  // One of `entries` was evicted; `now` is the latest stamp. May allocate.
  void remember(uint32_t fingerprint, uint32_t stamp, uint32_t now, uint32_t entries);
  // Who is here again is no ghost any more.
  EvictionPast take(uint32_t fingerprint);

 private:
  static constexpr uint32_t per_line = 8;

  typedef int32_t Four __attribute__((vector_size(16)));
  typedef uint32_t Unsigned __attribute__((vector_size(16)));

  struct Line {
    Four fingerprints[2];
    Four stamps[2];
  };
  static_assert(sizeof(Line) == 64);

  static uint32_t find(const Four (&in)[2], int32_t what);
  Line &line(uint32_t fingerprint) const { return table_[(uint64_t{fingerprint} * lines_) >> 32]; }
  void place(uint32_t fingerprint, uint32_t stamp, uint32_t now);
  void grow(uint32_t entries, uint32_t now);
  void release(void *memory, uint32_t lines);

  Heap *heap_ = nullptr;
  void *memory_ = nullptr;
  Line *table_ = nullptr;  // in memory_, 64-byte aligned
  uint32_t lines_ = 0;
  uint32_t refused_ = 0;  // no larger table was to be had until there are that many entries
};

}  // namespace weir
