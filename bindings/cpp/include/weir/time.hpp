// SPDX-License-Identifier: MIT
//
// Times. Options take std::chrono::milliseconds, which seconds and minutes become by themselves;
// what is finer has to be rounded by the caller (std::chrono::ceil), who knows in which direction.

#pragma once

#include <weir/types.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace weir {
inline namespace cpp {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// No bound in time; any option whose text says so accepts it.
inline constexpr milliseconds forever{WEIR_FOREVER};
// The feature is not used; for options of time.
inline constexpr milliseconds off{WEIR_OFF};
// No bound in number.
inline constexpr std::int64_t unlimited = WEIR_UNLIMITED;

// A runtime's monotonic time, or what a manual clock was last given: runtime.now() reads it. Times
// of different runtimes do not compare.
struct clock {
  using duration = nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock>;
  static constexpr bool is_steady = true;
};
using time_point = clock::time_point;

namespace detail {

inline time_point at(std::int64_t ns) { return time_point(nanoseconds(ns)); }
inline std::int64_t ns_of(time_point time) { return time.time_since_epoch().count(); }
inline std::optional<milliseconds> optional_ms(std::int64_t ms) {
  return ms < 0 ? std::nullopt : std::optional<milliseconds>(ms);
}

}  // namespace detail
}  // namespace cpp
}  // namespace weir
