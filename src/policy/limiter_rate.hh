// SPDX-License-Identifier: MIT
//
// One rate: the rule (shared, what the options say) and the state (of a limiter, or of one key).
// The exact arithmetic behind every limiter; plain code that is given the time. The caller holds a
// lock.
//
//   token bucket    GCRA (ITU-T I.371, appendix I): the state is the theoretical arrival time (TAT)
//                   of the next permit. Time is counted in units of 1/q ns and a permit in units of
//                   u = interval/permits, with q and u reduced to whole numbers; so nothing is
//                   rounded, and sums never drift. 128 bits hold every product.
//   fixed window    windows of the interval's length, the first of which begins with the limiter.
//   sliding window  33 counts of slices of interval/32. At time t in slice k everything granted in
//                   [t - interval, t] lies in slices k-32 to k, whose sum is kept at most
//                   `permits`.
//
// Invariants:
// - `wait` is 0 exactly if `take` may follow; nothing but take, refund and convert changes a state.
// - A time before one seen earlier counts as that one where a window is concerned; for a bucket it
//   counts as it is, and the TAT does not move back. Neither grants anything more.

#pragma once

#include <weir/limiter.h>

#include <cstddef>
#include <cstdint>

#include "base/time.hh"

namespace weir {

__extension__ using Wide = __int128;

// `burst` is resolved: that of a window is its permits.
struct RateOptions {
  uint32_t algorithm = WEIR_LIMITER_TOKEN_BUCKET;
  int64_t permits = 0;
  int64_t interval_ns = 0;
  int64_t burst = 0;
};

// What a rule keeps for each limiter or key; one of the three below.
struct RateState {};

struct BucketState : RateState {
  Wide tat;
};

// `latest_ns`: when it was last granted from; a call may be ahead of whoever changes the rule.
struct FixedState : RateState {
  int64_t latest_ns;
  int64_t window;
  int64_t used;
};

inline constexpr int64_t slice_count = 32;

struct SlidingState : RateState {
  int64_t latest_ns;
  int64_t slice;  // the latest that was granted in
  int64_t total;  // of all counts
  uint32_t counts[slice_count + 1];
};

class RateRule {
 public:
  // From now on; what is kept in states is converted by `convert`.
  void set(const RateOptions &options, int64_t now_ns);

  uint32_t algorithm() const { return algorithm_; }
  bool same(const RateOptions &options) const {
    return options.permits == permits_ && options.interval_ns == interval_ns_ &&
           options.burst == burst_;
  }
  // What one call may ask at most.
  int64_t capacity() const { return burst_; }
  int64_t permits() const { return permits_; }
  int64_t interval_ns() const { return interval_ns_; }
  size_t state_size() const;

  // A state of which nothing is used.
  void begin(RateState *state) const;
  // How long until `permits` (beyond the capacity: one after the other) could be had; 0: now.
  int64_t wait(const RateState *state, int64_t now_ns, int64_t permits) const;
  int64_t available(const RateState *state, int64_t now_ns) const;
  // Of a bucket also more than there is: a reservation.
  void take(RateState *state, int64_t now_ns, int64_t permits) const;
  void refund(RateState *state, int64_t now_ns, int64_t permits) const;
  // When nothing of it counts any more: it equals a new one.
  int64_t idle_at(const RateState *state) const;
  // Makes `state` one that has used at least as much as `other` at any time.
  void cover(RateState *state, const RateState *other) const;
  // Makes what was kept under `before` a state of this rule: what is used stays used.
  void convert(RateState *state, const RateRule &before, int64_t now_ns) const;
  // So many permits, in units of `before`, in units of this rule, rounded up.
  Wide convert_debt(Wide debt, const RateRule &before) const;

  // The bucket's units.
  int64_t units_per_ns() const { return units_per_ns_; }
  int64_t units_per_permit() const { return units_per_permit_; }
  Wide depth() const { return static_cast<Wide>(burst_) * units_per_permit_; }
  Wide units(int64_t time_ns) const { return static_cast<Wide>(time_ns) * units_per_ns_; }

 private:
  int64_t window_at(int64_t now_ns) const;
  int64_t slice_at(int64_t now_ns) const;
  int64_t slice_begin(int64_t slice) const;
  int64_t fixed_used(const FixedState &state, int64_t now_ns) const;
  int64_t sliding_used(const SlidingState &state, int64_t slice) const;
  int64_t fixed_wait(const FixedState &state, int64_t now_ns, int64_t permits) const;
  int64_t sliding_wait(const SlidingState &state, int64_t now_ns, int64_t permits) const;
  void sliding_advance(SlidingState &state, int64_t slice) const;
  void sliding_refund(SlidingState &state, int64_t now_ns, int64_t permits) const;
  void convert_sliding(SlidingState &state, const RateRule &before, int64_t now_ns) const;

  uint32_t algorithm_ = WEIR_LIMITER_TOKEN_BUCKET;
  int64_t permits_ = 0;
  int64_t burst_ = 0;
  int64_t interval_ns_ = 0;
  int64_t origin_ns_ = 0;  // where a window, and so a slice, begins
  int64_t units_per_ns_ = 1;
  int64_t units_per_permit_ = 1;
};

// a / b rounded up or down, b > 0, within int64.
int64_t divide_up(Wide a, Wide b);
int64_t divide_down(Wide a, Wide b);

}  // namespace weir
