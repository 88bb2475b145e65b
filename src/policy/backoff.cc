// SPDX-License-Identifier: MIT
#include "policy/backoff.hh"

#include <algorithm>
#include <cmath>

#include "base/time.hh"

namespace weir {
namespace {

// Above any delay and far below what a double holds, so that products with a base and a jitter stay
// finite, and 0 · growth stays 0.
constexpr double growth_limit = 1e280;

// 2ᵗ is far above any delay from here on; beyond 2¹⁰²⁴ it would be infinite.
constexpr double v2_limit = 900;

double growth(const Backoff &backoff, double n) {
  switch (backoff.kind) {
    case WEIR_BACKOFF_LINEAR:
      return n + 1;
    case WEIR_BACKOFF_EXPONENTIAL:
      return std::min(growth_limit, std::pow(backoff.multiplier, n));
    default:
      return 1;
  }
}

double jittered(const Backoff &backoff, double delay, double u) {
  switch (backoff.jitter) {
    case WEIR_JITTER_FULL:
      return u * delay;
    case WEIR_JITTER_EQUAL:
      return delay / 2 + u * delay / 2;
    case WEIR_JITTER_PROPORTIONAL:
      return delay * (1 + backoff.jitter_factor * u);
    case WEIR_JITTER_SYMMETRIC:
      return delay * (1 + backoff.jitter_factor * (2 * u - 1));
    default:
      return delay;
  }
}

double v2_curve(double t) { return std::exp2(t) * std::tanh(std::sqrt(4 * t)); }

// The bounds come first here and below: they are what is left of a state that is no number.
double clamp(const Backoff &backoff, double delay) {
  double raised = std::max(static_cast<double>(backoff.min_ns), delay);
  return std::min(static_cast<double>(backoff.max_ns), raised);
}

// `delay` is clamped. The cap may have been rounded on its way to a double; any double below that
// is not above the cap.
int64_t to_ns(const Backoff &backoff, double delay) {
  if (delay >= static_cast<double>(backoff.max_ns)) return backoff.max_ns;
  return static_cast<int64_t>(std::ceil(delay));
}

Backoff::Step decorrelated(const Backoff &backoff, double previous, double u) {
  double base = static_cast<double>(backoff.base_ns);
  double high = std::min(static_cast<double>(backoff.max_ns), 3 * previous);
  double delay = clamp(backoff, base + u * (high - base));
  return {to_ns(backoff, delay), delay};
}

Backoff::Step decorrelated_v2(const Backoff &backoff, double n, double previous, double u) {
  double t = std::min(v2_limit, n + u);
  double reached = v2_curve(t);
  double base = static_cast<double>(backoff.base_ns);
  double delay = t < v2_limit ? (reached - previous) * base / 1.4 : growth_limit * base;
  return {to_ns(backoff, clamp(backoff, delay)), reached};
}

}  // namespace

double Backoff::first_previous() const {
  return kind == WEIR_BACKOFF_DECORRELATED ? static_cast<double>(base_ns) : 0;
}

bool Backoff::draws() const {
  return jitter != WEIR_JITTER_NONE || kind == WEIR_BACKOFF_DECORRELATED ||
         kind == WEIR_BACKOFF_DECORRELATED_V2;
}

Backoff::Step Backoff::step(uint64_t n, double previous, double u) const {
  double number = static_cast<double>(n);
  if (kind == WEIR_BACKOFF_DECORRELATED) return decorrelated(*this, previous, u);
  if (kind == WEIR_BACKOFF_DECORRELATED_V2) return decorrelated_v2(*this, number, previous, u);
  double delay = static_cast<double>(base_ns) * growth(*this, number);
  return {to_ns(*this, clamp(*this, jittered(*this, delay, u))), 0};
}

int64_t Backoff::asked(int64_t asked_ms) const {
  int64_t delay_ns = ms_to_ns(asked_ms);
  return delay_ns < max_ns ? delay_ns : max_ns;
}

}  // namespace weir
