// SPDX-License-Identifier: MIT
//
// The time of one decision, read only if the decision needs it, and no dearer than it needs: most
// calls of a breaker end without a clock, most others with the coarse one.
//
// - exact() is the truth, or what the caller gave.
// - coarse() is never after the truth, so what waits for a time is never let through early; it is
//   behind by a tick (10 ms), or on the engine's thread by the age of the turn.

#pragma once

#include <cstdint>

#include "base/time.hh"

struct weir_runtime;

namespace weir {

// How far apart two times must be for the coarse clock to tell which is first.
inline constexpr int64_t coarse_margin_ns = 64 * ns_per_ms;

class Moment {
 public:
  // A given time: no clock is ever read.
  static Moment at(const weir_runtime &runtime, int64_t now_ns) {
    return {&runtime, now_ns, Known::exact};
  }
  // Whatever the runtime's clocks say when asked. Any thread.
  static Moment live(const weir_runtime &runtime) { return {&runtime, 0, Known::nothing}; }
  // The turn's time where coarse time is enough. The engine's thread.
  static Moment turn(const weir_runtime &runtime, int64_t turn_ns) {
    return {&runtime, turn_ns, Known::coarse};
  }

  int64_t exact() {
    if (known_ != Known::exact) read_exact();
    return now_ns_;
  }
  int64_t coarse() {
    if (known_ == Known::nothing) read_coarse();
    return now_ns_;
  }

  // For what happens every `grain_ns`: coarse if that is coarse enough.
  int64_t within(int64_t grain_ns) { return grain_ns > coarse_margin_ns ? coarse() : exact(); }

  // Whether `deadline_ns` is still ahead; exact, yet rarely reads the exact clock.
  bool before(int64_t deadline_ns) {
    int64_t now_ns = coarse();
    if (now_ns >= deadline_ns) return false;
    if (saturating_sub(deadline_ns, now_ns) > coarse_margin_ns) return true;
    return exact() < deadline_ns;
  }

  // Whether this is a forked child: then a mutex may be held for ever.
  bool forked() const;

 private:
  enum class Known : uint8_t { nothing, coarse, exact };

  Moment(const weir_runtime *runtime, int64_t now_ns, Known known)
      : runtime_(runtime), now_ns_(now_ns), known_(known) {}
  void read_exact();
  void read_coarse();

  const weir_runtime *runtime_;
  int64_t now_ns_;
  Known known_;
};

}  // namespace weir
