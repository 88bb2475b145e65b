// SPDX-License-Identifier: MIT
#include "base/time.hh"

#include <ctime>

namespace weir {
namespace {

int64_t read_clock(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<int64_t>(time.tv_sec) * ns_per_second + time.tv_nsec;
}

// The coarse clock advances with the kernel's tick: 100 Hz at the slowest, so 10 ms.
constexpr int64_t coarse_tick_ns = 10 * ns_per_ms;

}  // namespace

int64_t ms_to_ns(int64_t ms) { return ms < 0 ? never_ns : saturating_mul(ms, ns_per_ms); }

int64_t monotonic_now() { return read_clock(CLOCK_MONOTONIC); }

int64_t monotonic_coarse_floor() { return read_clock(CLOCK_MONOTONIC_COARSE); }

int64_t monotonic_coarse_ceiling() { return monotonic_coarse_floor() + coarse_tick_ns; }

}  // namespace weir
