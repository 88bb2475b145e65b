// SPDX-License-Identifier: MIT
//
// Counters that threads on different processors bump without sharing a cache line: a few stripes,
// chosen by the processor that runs the caller. Sums are exact once the bumping threads are done.

#pragma once

#include <sched.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weir {

inline constexpr size_t cache_line = 64;

// One more: for a number that one thread at a time writes and any may read.
template <typename T>
void count_one(std::atomic<T> &number) {
  number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// Kinds ≤ 8 counters share one line a stripe; two stripes keep an idle breaker small and serve the
// common case of a few busy threads, four serve larger machines.
template <size_t Kinds, size_t Stripes = 2>
class StripedCounters {
  static_assert(Kinds <= 8);

 public:
  void add(size_t kind, uint64_t amount = 1) {
    stripes_[stripe()].counts[kind].fetch_add(amount, std::memory_order_relaxed);
  }

  uint64_t sum(size_t kind) const {
    uint64_t total = 0;
    for (const Stripe &stripe : stripes_) {
      total += stripe.counts[kind].load(std::memory_order_relaxed);
    }
    return total;
  }

 private:
  struct alignas(cache_line) Stripe {
    std::atomic<uint64_t> counts[Kinds]{};
  };

  static size_t stripe() { return static_cast<size_t>(sched_getcpu()) % Stripes; }

  Stripe stripes_[Stripes];
};

}  // namespace weir
