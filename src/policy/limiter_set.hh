// SPDX-License-Identifier: MIT
//
// Several rates that grant together or not at all: the rules of one limiter, and beside them the
// states of whoever is limited by them (the limiter itself, or a key), one behind the other in one
// piece of memory. The caller holds the limiter's mutex.

#pragma once

#include "policy/limiter_rate.hh"

namespace weir {

inline constexpr uint32_t rates_max = 8;

// What a denial says: the rate that keeps one waiting longest.
struct RateDenial {
  int64_t wait_ns = 0;  // 0: granted
  int64_t available = 0;
  int64_t limit = 0;
  int64_t interval_ns = 0;
};

class RateSet {
 public:
  uint32_t count() const { return count_; }
  const RateRule &rule(uint32_t index) const { return rules_[index]; }
  // What one call may ask at most; INT64_MAX without a rate.
  int64_t capacity() const;

  void add(const RateOptions &options, int64_t now_ns) { rules_[count_++].set(options, now_ns); }
  void remove_last() { --count_; }
  // Changes the first rule; the states have to be converted.
  void change(const RateOptions &options, int64_t now_ns) { rules_[0].set(options, now_ns); }
  // Carries one limiter's or key's states over to what change() made of the rules.
  void convert(std::byte *states, const RateRule &before, int64_t now_ns) const {
    rules_[0].convert(at(states, 0), before, now_ns);
  }

  // Of the states of all rules; a multiple of 16.
  size_t states_size() const;
  void begin(std::byte *states) const;
  // Of a rule that was added last, where the others have their states already.
  void begin_last(std::byte *states) const { rules_[count_ - 1].begin(at(states, count_ - 1)); }
  RateState *at(std::byte *states, uint32_t index) const;

  int64_t wait(std::byte *states, int64_t now_ns, int64_t permits) const;
  RateDenial look(std::byte *states, int64_t now_ns, int64_t permits) const;
  int64_t available(std::byte *states, int64_t now_ns) const;
  void take(std::byte *states, int64_t now_ns, int64_t permits) const;
  void cover(std::byte *states, std::byte *others) const;
  void refund(std::byte *states, int64_t now_ns, int64_t permits) const;
  int64_t idle_at(std::byte *states) const;

 private:
  static constexpr size_t aligned(size_t size) { return (size + 15) / 16 * 16; }

  RateRule rules_[rates_max];
  uint32_t count_ = 0;
};

inline constexpr size_t states_size_max = rates_max * ((sizeof(SlidingState) + 15) / 16 * 16);

}  // namespace weir
