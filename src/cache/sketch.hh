// SPDX-License-Identifier: MIT
//
// How often was a key used of late? A count-min sketch (Cormode, Muthukrishnan, "An improved data
// stream summary", 2005) of 4-bit counters with conservative update, as TinyLFU has it (Einziger et
// al., 2017). A key's four counters lie in one cache line. Aging: a hand sweeps over the table and
// halves what it passes, so that each counter is halved once in 16 uses per entry and no use pays
// for more than a few words.
//
// Invariants: a table is a power of two of lines, at least 128; reserve() makes it at least 8
// counters per entry if there is memory for that. It only grows. Fingerprints are 32 bits of a
// hash.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/heap.hh"

namespace weir {

class FrequencySketch {
 public:
  FrequencySketch() = default;
  ~FrequencySketch();
  FrequencySketch(const FrequencySketch &) = delete;
  FrequencySketch &operator=(const FrequencySketch &) = delete;

  void init(Heap *heap) { heap_ = heap; }
  // Before what else is done for that many entries. Allocates; without memory all stays as it is.
  void reserve(uint32_t entries);
  // Counts a use of one of `entries` keys.
  void add(uint32_t fingerprint, uint32_t entries);
  unsigned estimate(uint32_t fingerprint) const;

 private:
  void grow(uint32_t entries);
  void age(uint32_t entries);
  uint64_t *line(uint64_t mixed) const;

  Heap *heap_ = nullptr;
  void *memory_ = nullptr;
  uint64_t *words_ = nullptr;  // in memory_, 64-byte aligned
  uint32_t lines_ = 0;
  uint32_t refused_ = 0;  // no larger table was to be had until there are that many entries
  uint64_t owed_ = 0;     // words still to be halved, in uses of a round
  uint32_t hand_ = 0;
};

}  // namespace weir
