// SPDX-License-Identifier: MIT
#include "policy/limiter_bucket.hh"

#include <algorithm>

namespace weir {
namespace {

// So many units before `now` a scale begins: times a little earlier are still within it.
constexpr uint64_t scale_margin = uint64_t{1} << 44;

}  // namespace

bool Scale::fits(const RateRule &rule, int bits) {
  return rule.algorithm() == WEIR_LIMITER_TOKEN_BUCKET && rule.depth() <= Wide{1} << (bits - 2);
}

// Multiples of the golden ratio, in the lowest sixteenth: all far from each other.
uint64_t Scale::fresh_start() { return ++starts_ * UINT64_C(0x9e3779b97f4a7c15) >> (68 - bits_); }

uint64_t Scale::set(const RateRule &rule, int64_t now_ns, uint64_t top) {
  auto units_per_ns = static_cast<uint64_t>(rule.units_per_ns());
  if (top == 0 || top > number_max() / 8) top = fresh_start();
  auto before_ns = static_cast<int64_t>((top + scale_margin) / units_per_ns + 1);
  origin_ns_.store(saturating_sub(now_ns, before_ns), std::memory_order_release);
  units_per_ns_.store(units_per_ns, std::memory_order_release);
  units_per_permit_.store(static_cast<uint64_t>(rule.units_per_permit()),
                          std::memory_order_release);
  depth_.store(static_cast<uint64_t>(rule.depth()), std::memory_order_release);
  reach_ns_.store(number_max() / 2 / units_per_ns, std::memory_order_release);
  burst_.store(static_cast<uint64_t>(rule.capacity()), std::memory_order_release);
  return top;
}

Take Bucket::look(int64_t permits, int64_t now_ns, int64_t &wait_ns) const {
  while (true) {
    uint64_t word = word_.load(std::memory_order_acquire);
    if (word == parked) return Take::elsewhere;
    Scale::Values scale = scale_.load();
    uint64_t cost = 0;
    if (!scale.reaches(now_ns) ||
        __builtin_mul_overflow(static_cast<uint64_t>(permits), scale.units_per_permit, &cost) ||
        cost > scale_.number_max()) {
      return Take::elsewhere;
    }
    uint64_t now = scale.number(now_ns);
    uint64_t next = std::max(word, now) + cost;
    bool fits = next <= now + scale.depth;
    int64_t wait = fits ? 0 : scale.wait(next, now);
    if (word_.load(std::memory_order_acquire) != word) continue;
    wait_ns = wait;
    return fits ? Take::granted : Take::limited;
  }
}

Take Bucket::available(int64_t now_ns, int64_t &permits) const {
  while (true) {
    uint64_t word = word_.load(std::memory_order_acquire);
    if (word == parked) return Take::elsewhere;
    Scale::Values scale = scale_.load();
    if (!scale.reaches(now_ns)) return Take::elsewhere;
    uint64_t now = scale.number(now_ns);
    uint64_t debt = std::max(word, now) - now;
    uint64_t free = debt >= scale.depth ? 0 : scale.depth - debt;
    auto count = static_cast<int64_t>(free / scale.units_per_permit);
    if (word_.load(std::memory_order_acquire) != word) continue;
    permits = count;
    return Take::granted;
  }
}

void Bucket::park(BucketState &state) {
  uint64_t word = word_.exchange(parked, std::memory_order_acq_rel);
  if (word == parked) return;
  top_ = std::max(top_, word);
  state.tat = scale_.load().units(word);
}

void Bucket::unpark(const RateRule &rule, const BucketState &state, int64_t now_ns,
                    bool rule_changed) {
  Wide number = state.tat - scale_.load().units(0);
  bool keeps = !rule_changed && scale_.load().reaches(now_ns) && number >= 0;
  if (!keeps) {
    top_ = scale_.set(rule, now_ns, top_);
    Scale::Values scale = scale_.load();
    // Not reached by `now`: a time at the ends of int64. Then all goes the exact way, as it does
    // when a reservation lies too far ahead.
    if (!scale.reaches(now_ns) || scale.number(now_ns) <= top_) return;
    number = std::max<Wide>(state.tat - scale.units(0), static_cast<Wide>(top_) + 1);
  }
  if (number >= static_cast<Wide>(scale_.number_max())) return;
  word_.store(static_cast<uint64_t>(number), std::memory_order_release);
}

}  // namespace weir
