// SPDX-License-Identifier: MIT
//
// A token bucket in one 64-bit word, without a lock: the hot path. The exact state of
// limiter_rate.hh, a 128-bit arrival time, is kept as a NUMBER: its distance in units (1/q ns) from
// an origin. Every number fits because the origin moves along (a new scale, about once in 2^60
// units).
//
//   word = parked   the state is in RateRule's form, whoever holds the limiter's mutex has it
//   word = number   anybody may compare-and-swap it upwards
//
// Invariants:
// - The scale changes only while the word is parked, and then the word comes back larger than it
//   ever was under the old scale. So a swap that was computed with another scale, or with half of
//   one, fails, and a denial is believed only if the word is still the same.
// - Numbers start again from below only after about 2^60 units, each time from another place: a
//   swap would have to be stalled until they have come round and then to meet the very same one.
// - Under one scale the word alone is the state, so it does no harm if a refund makes it smaller.
// - With b bits for numbers: now ≤ 2^(b-1) units (reach), depth ≤ 2^(b-2), numbers < 2^b: no sum
//   overflows. The bucket has 62, a key's slot 58.

#pragma once

#include <atomic>
#include <cstdint>

#include "policy/limiter_rate.hh"

namespace weir {

// How numbers are to be read. Written by one thread at a time, read by any; a reader that may have
// seen half a change finds that out by its word (above).
class Scale {
 public:
  explicit Scale(int bits) : bits_(bits) {}

  struct Values {
    int64_t origin_ns;
    uint64_t units_per_ns;
    uint64_t units_per_permit;
    uint64_t depth;
    uint64_t reach_ns;  // from the origin; what is beyond takes the exact way
    uint64_t burst;

    bool reaches(int64_t now_ns) const { return since(now_ns) <= reach_ns; }
    // Meaningful if it reaches; beyond that see bounded_number.
    uint64_t number(int64_t now_ns) const { return since(now_ns) * units_per_ns; }
    uint64_t since(int64_t now_ns) const {
      return static_cast<uint64_t>(now_ns) - static_cast<uint64_t>(origin_ns);
    }
    // 0 before the origin.
    uint64_t bounded_number(int64_t now_ns, uint64_t most) const {
      if (now_ns < origin_ns) return 0;
      __extension__ using Product = unsigned __int128;
      Product product = static_cast<Product>(since(now_ns)) * units_per_ns;
      return product < most ? static_cast<uint64_t>(product) : most;
    }
    Wide units(uint64_t number) const {
      return static_cast<Wide>(origin_ns) * static_cast<int64_t>(units_per_ns) + number;
    }
    // How long until `next` would be within the depth.
    int64_t wait(uint64_t next, uint64_t now_number) const {
      return divide_up(static_cast<Wide>(next - depth - now_number), units_per_ns);
    }
  };

  uint64_t number_max() const { return uint64_t{1} << bits_; }

  static bool fits(const RateRule &rule, int bits);
  // A scale in which number(now_ns), and those of times a little earlier, are above `top`, or above
  // another place if that is too high; returns which.
  uint64_t set(const RateRule &rule, int64_t now_ns, uint64_t top);

  // Acquire loads cost nothing on x86; they order a reader's next look at its word behind them.
  Values load() const {
    return {origin_ns_.load(std::memory_order_acquire),
            units_per_ns_.load(std::memory_order_acquire),
            units_per_permit_.load(std::memory_order_acquire),
            depth_.load(std::memory_order_acquire),
            reach_ns_.load(std::memory_order_acquire),
            burst_.load(std::memory_order_acquire)};
  }

 private:
  uint64_t fresh_start();

  int bits_;
  uint32_t starts_ = 0;  // from below
  std::atomic<int64_t> origin_ns_{0};
  std::atomic<uint64_t> units_per_ns_{1};
  std::atomic<uint64_t> units_per_permit_{1};
  std::atomic<uint64_t> depth_{0};
  std::atomic<uint64_t> reach_ns_{0};
  std::atomic<uint64_t> burst_{0};
};

enum class Take : uint8_t {
  granted,
  limited,
  elsewhere,  // this way cannot tell: park, and take the exact way
};

class Bucket {
 public:
  static constexpr int number_bits = 62;

  // Any thread.
  Take take(int64_t permits, int64_t now_ns) {
    uint64_t word = word_.load(std::memory_order_acquire);
    while (word != parked) {
      Scale::Values scale = scale_.load();
      if (!scale.reaches(now_ns) || static_cast<uint64_t>(permits) > scale.burst) break;
      uint64_t now = scale.number(now_ns);
      uint64_t next = (word > now ? word : now) + permits * scale.units_per_permit;
      if (next <= now + scale.depth) {
        if (word_.compare_exchange_weak(word, next, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
          return Take::granted;
        }
        continue;
      }
      uint64_t again = word_.load(std::memory_order_acquire);
      if (again == word) return Take::limited;
      word = again;
    }
    return Take::elsewhere;
  }

  // Whether `permits` could be had; in `wait_ns` how long until then. `permits` may be beyond the
  // burst: one after the other. Writes nothing. Any thread.
  Take look(int64_t permits, int64_t now_ns, int64_t &wait_ns) const;
  // How many could be had. Any thread.
  Take available(int64_t now_ns, int64_t &permits) const;

  // Under the limiter's mutex: to the exact form (if it is not there already) ...
  void park(BucketState &state);
  // ... and back. It stays parked if it does not fit, and everything goes the exact way.
  void unpark(const RateRule &rule, const BucketState &state, int64_t now_ns, bool rule_changed);

 private:
  static constexpr uint64_t parked = UINT64_MAX;

  std::atomic<uint64_t> word_{parked};
  Scale scale_{number_bits};
  // Under the mutex: the largest word there was, or where the scale begins.
  uint64_t top_ = 0;
};

}  // namespace weir
