// SPDX-License-Identifier: MIT
#include "policy/limiter_set.hh"

#include <algorithm>

namespace weir {

int64_t RateSet::capacity() const {
  int64_t least = INT64_MAX;
  for (uint32_t i = 0; i < count_; ++i) least = std::min(least, rules_[i].capacity());
  return least;
}

size_t RateSet::states_size() const {
  size_t size = 0;
  for (uint32_t i = 0; i < count_; ++i) size += aligned(rules_[i].state_size());
  return size;
}

// The three kinds begin with RateState, which is empty: a state's address is its place.
RateState *RateSet::at(std::byte *states, uint32_t index) const {
  for (uint32_t i = 0; i < index; ++i) states += aligned(rules_[i].state_size());
  return reinterpret_cast<RateState *>(states);
}

void RateSet::begin(std::byte *states) const {
  for (uint32_t i = 0; i < count_; ++i) rules_[i].begin(at(states, i));
}

int64_t RateSet::wait(std::byte *states, int64_t now_ns, int64_t permits) const {
  int64_t longest = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    longest = std::max(longest, rules_[i].wait(at(states, i), now_ns, permits));
  }
  return longest;
}

RateDenial RateSet::look(std::byte *states, int64_t now_ns, int64_t permits) const {
  RateDenial denial;
  for (uint32_t i = 0; i < count_; ++i) {
    int64_t wait = rules_[i].wait(at(states, i), now_ns, permits);
    if (wait <= denial.wait_ns) continue;
    denial = {wait, rules_[i].available(at(states, i), now_ns), rules_[i].permits(),
              rules_[i].interval_ns()};
  }
  return denial;
}

int64_t RateSet::available(std::byte *states, int64_t now_ns) const {
  int64_t least = INT64_MAX;
  for (uint32_t i = 0; i < count_; ++i) {
    least = std::min(least, rules_[i].available(at(states, i), now_ns));
  }
  return least;
}

void RateSet::take(std::byte *states, int64_t now_ns, int64_t permits) const {
  for (uint32_t i = 0; i < count_; ++i) rules_[i].take(at(states, i), now_ns, permits);
}

void RateSet::cover(std::byte *states, std::byte *others) const {
  for (uint32_t i = 0; i < count_; ++i) rules_[i].cover(at(states, i), at(others, i));
}

void RateSet::refund(std::byte *states, int64_t now_ns, int64_t permits) const {
  for (uint32_t i = 0; i < count_; ++i) rules_[i].refund(at(states, i), now_ns, permits);
}

int64_t RateSet::idle_at(std::byte *states) const {
  int64_t last = INT64_MIN;
  for (uint32_t i = 0; i < count_; ++i) last = std::max(last, rules_[i].idle_at(at(states, i)));
  return last;
}

}  // namespace weir
