// SPDX-License-Identifier: MIT
//
// Which mode serves this workload best now? Hits of the shadow caches over the last accesses, old
// ones fading, are compared every few accesses.
//
// - A mode takes over when it leads by more than chance explains, and not by the accident of one
//   capacity's time: sure(). It leads against the lesser of the present mode's shadow and the cache
//   itself: after a change the cache has not the content that the shadow has gathered, and may do
//   worse for long.
// - A change is a trial. The shadow of the mode before shows what would be without it: if that does
//   better from then on, the change is taken back.
// - After each change, for a while, a lead has to be larger, so that changes do not follow noise.
// - When nothing has changed for long the sample of a small cache, of which it is a large share, is
//   made smaller, until the next change.
// - What the cache has missed against LRU in the long run is put to LRU's credit: nobody who has an
//   LRU now should regret the change.
// - LRU's shadow may promise what LRU does not keep: of a loop a little longer than the cache the
//   sample may hold no more keys than it has room for, and there LRU hits always, in the cache
//   never. When LRU is left and the cache had less than half of what was promised, LRU is passed
//   over for a while, and twice as long each time that it happens again.
//
// Invariants: all is counted in accesses of the sample, and horizons are multiples of the shadows'
// capacity, so that caches of all sizes are steered alike. Memory is taken by watch() alone.

#pragma once

#include <cstddef>
#include <cstdint>

#include "cache/shadows.hh"

namespace weir {

class Steering {
 public:
  void init(Heap *heap, const FrequencySketch *sketch) { shadows_.init(heap, sketch); }

  // A cache that is full with so many entries; again when that has changed by half. May allocate,
  // and without memory the present mode stays.
  void fit(uint32_t entries) {
    if (entries != entries_) fit_changed(entries);
  }
  // An access, and whether the cache had the key. True: mode() has changed.
  bool observe(uint32_t fingerprint, bool hit) {
    return sampled(fingerprint) && observe_sampled(fingerprint, hit);
  }
  void forget(uint32_t fingerprint);

  EvictionMode mode() const { return eviction_mode[current_]; }

 private:
  static constexpr int actual = eviction_modes;  // beside the modes: the cache itself
  static constexpr int nobody = -1;
  static constexpr int blocks = 9;

  struct Score {
    double hits[eviction_modes + 1] = {};
    double accesses = 0;
  };

  void watch(uint32_t capacity);
  void relax();
  bool sampled(uint32_t fingerprint) const {
    return entries_ != 0 && fingerprint * 0x9e3779b1u <= sample_;
  }
  void fit_changed(uint32_t entries);
  bool observe_sampled(uint32_t fingerprint, bool hit);
  void fade();
  bool judge();
  bool regret() const;
  bool sure(int mode) const;
  void leave_lru(bool for_better);
  bool change(int mode, int before);
  double credit(int mode) const;
  int best() const;
  static bool leads(double hits, double base, double accesses, double factor);

  Shadows shadows_;
  uint32_t entries_ = 0;   // 0: not started
  uint32_t capacity_ = 0;  // of the shadows, unless nothing has changed for long
  uint32_t retry_at_ = 0;
  uint32_t sample_ = 0;  // fingerprints, mixed, up to this one
  uint32_t epoch_left_ = 0;
  uint32_t epoch_[eviction_modes + 1] = {};
  // Hits in the latest capacities of accesses, the last first, which is being filled.
  uint16_t block_[blocks][eviction_modes + 1] = {};
  uint32_t block_filled_ = 0;
  Score recent_;
  Score trial_;        // since the last change
  double behind_ = 0;  // LRU's hits less the cache's own, in the long run
  double reluctance_ = 0;
  double since_change_ = 0;
  uint32_t lru_pause_ = 0;  // for so long LRU is passed over, in capacities
  int32_t lru_wait_ = 0;    // what is left of that, in accesses
  bool chosen_ = false;     // the present mode, not only begun with
  int current_ = eviction_mode_lirs;
  int before_ = nobody;
};

}  // namespace weir
