// SPDX-License-Identifier: MIT
//
// Random numbers for jitter and for seeds; not for secrets. SplitMix64 (Steele, Lea and Flood,
// "Fast splittable pseudorandom number generators", 2014): its state is a counter, so threads share
// one generator with a single fetch_add and a seed replays bit for bit on one thread.

#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

constexpr uint64_t mix64(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // Any thread.
  uint64_t next() { return mix64(state_.fetch_add(golden_gamma, std::memory_order_relaxed)); }

  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // A seed from the system; never 0.
  static uint64_t system_seed();

 private:
  static constexpr uint64_t golden_gamma = 0x9e3779b97f4a7c15u;
  std::atomic<uint64_t> state_;
};

}  // namespace weir
