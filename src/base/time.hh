// SPDX-License-Identifier: MIT
//
// Time is monotonic nanoseconds in an int64, with saturating arithmetic: INT64_MAX means never.

#pragma once

#include <cstdint>

namespace weir {

inline constexpr int64_t never_ns = INT64_MAX;
inline constexpr int64_t ns_per_us = 1000;
inline constexpr int64_t ns_per_ms = 1000 * 1000;
inline constexpr int64_t ns_per_second = 1000 * 1000 * 1000;

// a + b, at the ends of the range instead of beyond them.
constexpr int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? INT64_MAX : INT64_MIN;
}

constexpr int64_t saturating_sub(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? INT64_MAX : INT64_MIN;
}

constexpr int64_t saturating_mul(int64_t a, int64_t b) {
  int64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

// An option's milliseconds; negative (forever, off) becomes never.
int64_t ms_to_ns(int64_t ms);

// Rounded up; never and negative stay as WEIR_FOREVER.
constexpr int64_t ns_to_ms_up(int64_t ns) {
  if (ns < 0 || ns == never_ns) return -1;
  return ns / ns_per_ms + (ns % ns_per_ms != 0 ? 1 : 0);
}

// now + delay, never beyond never; a delay of never gives never.
constexpr int64_t deadline_after(int64_t now_ns, int64_t delay_ns) {
  return delay_ns == never_ns ? never_ns : saturating_add(now_ns, delay_ns);
}

// CLOCK_MONOTONIC; about 44 ns.
int64_t monotonic_now();

// Not earlier than monotonic_now() was at the call, later by at most two ticks of the coarse clock
// (a few ms); about 10 ns. For what has a margin far above that.
int64_t monotonic_coarse_ceiling();

// Not later than monotonic_now() at the call, earlier by at most one tick of the coarse clock.
int64_t monotonic_coarse_floor();

}  // namespace weir
