// SPDX-License-Identifier: MIT
#include "policy/limiter_rate.hh"

#include <algorithm>
#include <numeric>

namespace weir {
namespace {

constexpr int64_t clamp_to_int64(Wide value) {
  if (value > INT64_MAX) return INT64_MAX;
  if (value < INT64_MIN) return INT64_MIN;
  return static_cast<int64_t>(value);
}

// 64-bit division is several times faster than 128-bit, and nearly always enough.
Wide floor_quotient(Wide a, Wide b) {
  if (a >= 0 && a <= INT64_MAX && b <= INT64_MAX) {
    return static_cast<int64_t>(a) / static_cast<int64_t>(b);
  }
  Wide quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

BucketState &bucket_of(RateState *state) { return *static_cast<BucketState *>(state); }
FixedState &fixed_of(RateState *state) { return *static_cast<FixedState *>(state); }
SlidingState &sliding_of(RateState *state) { return *static_cast<SlidingState *>(state); }
const BucketState &bucket_of(const RateState *state) {
  return *static_cast<const BucketState *>(state);
}
const FixedState &fixed_of(const RateState *state) {
  return *static_cast<const FixedState *>(state);
}
const SlidingState &sliding_of(const RateState *state) {
  return *static_cast<const SlidingState *>(state);
}

// Slices before the origin are negative.
constexpr int64_t place_of(int64_t slice) {
  constexpr int64_t places = slice_count + 1;
  return (slice % places + places) % places;
}
uint32_t &count_of(SlidingState &state, int64_t slice) { return state.counts[place_of(slice)]; }
int64_t count_of(const SlidingState &state, int64_t slice) { return state.counts[place_of(slice)]; }

// Far below every real slice or window, far above the end of int64.
constexpr int64_t long_ago = INT64_MIN / 4;

}  // namespace

int64_t divide_down(Wide a, Wide b) { return clamp_to_int64(floor_quotient(a, b)); }

int64_t divide_up(Wide a, Wide b) { return clamp_to_int64(floor_quotient(a + b - 1, b)); }

[[gnu::cold]] void RateRule::set(const RateOptions &options, int64_t now_ns) {
  algorithm_ = options.algorithm;
  // The window that `now` is in goes on, with the new length.
  origin_ns_ =
      interval_ns_ == 0 || algorithm_ == WEIR_LIMITER_TOKEN_BUCKET
          ? now_ns
          : clamp_to_int64(origin_ns_ + static_cast<Wide>(window_at(now_ns)) * interval_ns_);
  permits_ = options.permits;
  burst_ = options.burst;
  interval_ns_ = options.interval_ns;
  int64_t common = std::gcd(permits_, interval_ns_);
  units_per_ns_ = permits_ / common;
  units_per_permit_ = interval_ns_ / common;
}

size_t RateRule::state_size() const {
  if (algorithm_ == WEIR_LIMITER_TOKEN_BUCKET) return sizeof(BucketState);
  return algorithm_ == WEIR_LIMITER_FIXED_WINDOW ? sizeof(FixedState) : sizeof(SlidingState);
}

void RateRule::begin(RateState *state) const {
  if (algorithm_ == WEIR_LIMITER_TOKEN_BUCKET) {
    bucket_of(state).tat = static_cast<Wide>(INT64_MIN) * units_per_ns_;
  } else if (algorithm_ == WEIR_LIMITER_FIXED_WINDOW) {
    fixed_of(state) = FixedState{{}, INT64_MIN, long_ago, 0};
  } else {
    sliding_of(state) = SlidingState{{}, INT64_MIN, long_ago, 0, {}};
  }
}

int64_t RateRule::window_at(int64_t now_ns) const {
  return divide_down(static_cast<Wide>(now_ns) - origin_ns_, interval_ns_);
}

int64_t RateRule::slice_at(int64_t now_ns) const {
  return divide_down((static_cast<Wide>(now_ns) - origin_ns_) * slice_count, interval_ns_);
}

int64_t RateRule::slice_begin(int64_t slice) const {
  Wide begin = static_cast<Wide>(slice) * interval_ns_;
  return clamp_to_int64(origin_ns_ + static_cast<Wide>(divide_up(begin, slice_count)));
}

int64_t RateRule::fixed_used(const FixedState &state, int64_t now_ns) const {
  return window_at(now_ns) > state.window ? 0 : state.used;
}

int64_t RateRule::sliding_used(const SlidingState &state, int64_t slice) const {
  if (slice > state.slice + slice_count) return 0;
  int64_t used = state.total;
  for (int64_t s = state.slice - slice_count; s < slice - slice_count; ++s) {
    used -= count_of(state, s);
  }
  return used;
}

int64_t RateRule::fixed_wait(const FixedState &state, int64_t now_ns, int64_t permits) const {
  int64_t missing = saturating_add(fixed_used(state, now_ns), permits) - permits_;
  if (missing <= 0) return 0;
  int64_t window = std::max(window_at(now_ns), state.window);
  Wide ahead = static_cast<Wide>(window) + divide_up(missing, permits_);
  return clamp_to_int64(origin_ns_ + ahead * interval_ns_ - now_ns);
}

int64_t RateRule::sliding_wait(const SlidingState &state, int64_t now_ns, int64_t permits) const {
  int64_t slice = std::max(slice_at(now_ns), state.slice);
  int64_t missing = saturating_add(sliding_used(state, slice), permits) - permits_;
  if (missing <= 0) return 0;
  // Beyond the capacity: each further lot of `permits_` waits an interval for the one before it.
  int64_t lots = (permits - 1) / permits_;
  missing -= lots * permits_;
  int64_t fits_ns = now_ns;
  for (int64_t s = slice - slice_count; missing > 0 && s <= state.slice; ++s) {
    missing -= count_of(state, s);
    fits_ns = slice_begin(s + slice_count + 1);
  }
  // At the end of time the slice to wait for begins beyond it: not 0 even then.
  Wide wait_ns = fits_ns + static_cast<Wide>(lots) * interval_ns_ - now_ns;
  return clamp_to_int64(std::max<Wide>(wait_ns, lots > 0 ? 0 : 1));
}

int64_t RateRule::wait(const RateState *state, int64_t now_ns, int64_t permits) const {
  if (algorithm_ == WEIR_LIMITER_FIXED_WINDOW) return fixed_wait(fixed_of(state), now_ns, permits);
  if (algorithm_ == WEIR_LIMITER_SLIDING_WINDOW) {
    return sliding_wait(sliding_of(state), now_ns, permits);
  }
  Wide now = units(now_ns);
  Wide end = std::max(bucket_of(state).tat, now) + static_cast<Wide>(permits) * units_per_permit_;
  Wide missing = end - depth() - now;
  return missing <= 0 ? 0 : divide_up(missing, units_per_ns_);
}

[[gnu::cold]] int64_t RateRule::available(const RateState *state, int64_t now_ns) const {
  Wide left = 0;
  if (algorithm_ == WEIR_LIMITER_FIXED_WINDOW) {
    left = permits_ - fixed_used(fixed_of(state), now_ns);
  } else if (algorithm_ == WEIR_LIMITER_SLIDING_WINDOW) {
    const SlidingState &sliding = sliding_of(state);
    left = permits_ - sliding_used(sliding, std::max(slice_at(now_ns), sliding.slice));
  } else {
    Wide now = units(now_ns);
    Wide free = depth() - (std::max(bucket_of(state).tat, now) - now);
    left = free <= 0 ? 0 : divide_down(free, units_per_permit_);
  }
  return left < 0 ? 0 : clamp_to_int64(left);
}

void RateRule::sliding_advance(SlidingState &state, int64_t slice) const {
  if (slice <= state.slice) return;
  if (slice - state.slice > slice_count) {
    state = SlidingState{{}, state.latest_ns, slice, 0, {}};
    return;
  }
  while (state.slice < slice) {
    ++state.slice;
    state.total -= count_of(state, state.slice);
    count_of(state, state.slice) = 0;
  }
}

void RateRule::take(RateState *state, int64_t now_ns, int64_t permits) const {
  if (algorithm_ == WEIR_LIMITER_TOKEN_BUCKET) {
    Wide &tat = bucket_of(state).tat;
    tat = std::max(tat, units(now_ns)) + static_cast<Wide>(permits) * units_per_permit_;
  } else if (algorithm_ == WEIR_LIMITER_FIXED_WINDOW) {
    FixedState &fixed = fixed_of(state);
    int64_t window = window_at(now_ns);
    if (window > fixed.window) fixed = FixedState{{}, now_ns, window, 0};
    fixed.latest_ns = std::max(fixed.latest_ns, now_ns);
    fixed.used += permits;
  } else {
    SlidingState &sliding = sliding_of(state);
    sliding_advance(sliding, slice_at(now_ns));
    count_of(sliding, sliding.slice) += static_cast<uint32_t>(permits);
    sliding.total += permits;
    sliding.latest_ns = std::max(sliding.latest_ns, now_ns);
  }
}

// Newest first: they would have counted longest.
[[gnu::cold]] void RateRule::sliding_refund(SlidingState &state, int64_t now_ns,
                                            int64_t permits) const {
  sliding_advance(state, slice_at(now_ns));
  for (int64_t s = state.slice; s >= state.slice - slice_count && permits > 0; --s) {
    int64_t back = std::min(count_of(static_cast<const SlidingState &>(state), s), permits);
    count_of(state, s) -= static_cast<uint32_t>(back);
    state.total -= back;
    permits -= back;
  }
}

void RateRule::refund(RateState *state, int64_t now_ns, int64_t permits) const {
  if (algorithm_ == WEIR_LIMITER_TOKEN_BUCKET) {
    Wide &tat = bucket_of(state).tat;
    tat = std::max(tat - static_cast<Wide>(permits) * units_per_permit_, units(INT64_MIN));
  } else if (algorithm_ == WEIR_LIMITER_FIXED_WINDOW) {
    FixedState &fixed = fixed_of(state);
    fixed.used -= std::min(fixed.used, permits);
  } else {
    sliding_refund(sliding_of(state), now_ns, permits);
  }
}

[[gnu::cold]] int64_t RateRule::idle_at(const RateState *state) const {
  if (algorithm_ == WEIR_LIMITER_TOKEN_BUCKET) {
    return divide_up(bucket_of(state).tat, units_per_ns_);
  }
  if (algorithm_ == WEIR_LIMITER_FIXED_WINDOW) {
    const FixedState &fixed = fixed_of(state);
    Wide next = static_cast<Wide>(fixed.window) + 1;
    return fixed.used == 0 ? INT64_MIN : clamp_to_int64(origin_ns_ + next * interval_ns_);
  }
  const SlidingState &sliding = sliding_of(state);
  return sliding.total == 0 ? INT64_MIN : slice_begin(sliding.slice + slice_count + 1);
}

[[gnu::cold]] void RateRule::cover(RateState *state, const RateState *other) const {
  if (algorithm_ == WEIR_LIMITER_TOKEN_BUCKET) {
    bucket_of(state).tat = std::max(bucket_of(state).tat, bucket_of(other).tat);
  } else if (algorithm_ == WEIR_LIMITER_FIXED_WINDOW) {
    FixedState &fixed = fixed_of(state);
    const FixedState &more = fixed_of(other);
    if (more.window > fixed.window) fixed = more;
    if (more.window == fixed.window) fixed.used = std::max(fixed.used, more.used);
    fixed.latest_ns = std::max(fixed.latest_ns, more.latest_ns);
  } else {
    SlidingState &sliding = sliding_of(state);
    SlidingState more = sliding_of(other);
    sliding_advance(sliding, more.slice);
    sliding_advance(more, sliding.slice);
    sliding.latest_ns = std::max(sliding.latest_ns, more.latest_ns);
    sliding.total = 0;
    for (int64_t i = 0; i <= slice_count; ++i) {
      sliding.counts[i] = std::max(sliding.counts[i], more.counts[i]);
      sliding.total += sliding.counts[i];
    }
  }
}

// Each old slice's grants count as made at its end, the latest moment they can have been.
[[gnu::cold]] void RateRule::convert_sliding(SlidingState &state, const RateRule &before,
                                             int64_t now_ns) const {
  SlidingState old = state;
  before.sliding_advance(old, before.slice_at(now_ns));
  now_ns = std::max(now_ns, old.latest_ns);
  state = SlidingState{{}, old.latest_ns, slice_at(now_ns) - slice_count, 0, {}};
  for (int64_t s = old.slice - slice_count; s <= old.slice; ++s) {
    int64_t count = count_of(static_cast<const SlidingState &>(old), s);
    int64_t slice = slice_at(std::min(before.slice_begin(s + 1), now_ns));
    if (count == 0 || slice < slice_at(now_ns) - slice_count) continue;
    sliding_advance(state, slice);
    count_of(state, state.slice) += static_cast<uint32_t>(count);
    state.total += count;
  }
}

Wide RateRule::convert_debt(Wide debt, const RateRule &before) const {
  Wide whole = debt / before.units_per_permit_;
  Wide rest = (debt % before.units_per_permit_) * units_per_permit_;
  return whole * units_per_permit_ +
         (rest + before.units_per_permit_ - 1) / before.units_per_permit_;
}

[[gnu::cold]] void RateRule::convert(RateState *state, const RateRule &before,
                                     int64_t now_ns) const {
  if (algorithm_ == WEIR_LIMITER_SLIDING_WINDOW) {
    convert_sliding(sliding_of(state), before, now_ns);
  } else if (algorithm_ == WEIR_LIMITER_FIXED_WINDOW) {
    FixedState &fixed = fixed_of(state);
    // In the window that it is now, or in that of a grant ahead of now.
    fixed.used = before.fixed_used(fixed, now_ns);
    fixed.window = window_at(std::max(now_ns, fixed.latest_ns));
  } else {
    Wide &tat = bucket_of(state).tat;
    Wide debt = std::max<Wide>(0, tat - before.units(now_ns));
    tat = units(now_ns) + convert_debt(debt, before);
  }
}

}  // namespace weir
