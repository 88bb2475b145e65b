// SPDX-License-Identifier: MIT
//
// How long to wait before trying again: a pure function of the options, the number of the delay,
// what the delay before left behind, and one uniform draw. Nothing here knows a clock or a
// generator.
//
// Sources: Brooker, "Exponential Backoff And Jitter" (2015), for full, equal and decorrelated
// jitter; Polly's DecorrelatedJitterBackoffV2 (2019) for decorrelated-v2.
//
// Invariants:
// - Arithmetic is in doubles of nanoseconds, so fractions carry from one delay to the next; only
// the
//   delay handed out is rounded, upwards.
// - 0 ≤ delay ≤ max at any number, base, multiplier and draw; never NaN, never an overflow.
// - The cap comes after the jitter. Where b·mⁿ is far above it, delays lie at the cap and no longer
//   spread; decorrelated goes on spreading over [base, max].

#pragma once

#include <weir/retry.h>

#include <cstdint>

namespace weir {

struct Backoff {
  uint32_t kind = WEIR_BACKOFF_EXPONENTIAL;
  uint32_t jitter = WEIR_JITTER_PROPORTIONAL;
  int64_t base_ns = 0;
  int64_t min_ns = 0;
  int64_t max_ns = 0;
  double multiplier = 2;
  double jitter_factor = 0.3;

  // What stands for "the delay before" at the first one.
  double first_previous() const;

  // True if delays depend on the draw.
  bool draws() const;

  struct Step {
    int64_t delay_ns;
    double previous;  // to be given to the next call
  };

  // Delay number `n`, from 0, with `u` uniform in [0, 1).
  Step step(uint64_t n, double previous, double u) const;

  // What an operation asked for, instead of the computed delay.
  int64_t asked(int64_t asked_ms) const;
};

}  // namespace weir
