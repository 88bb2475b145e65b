// SPDX-License-Identifier: MIT
#include "policy/limiter_adaptive.hh"

#include <weir/limiter.h>

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

// The gradient's fixed numbers: those of Gradient2.
constexpr int64_t gradient_window = 10;      // samples at least
constexpr double gradient_long_window = 60;  // windows that the long-term latency remembers
constexpr double gradient_smoothing = 0.2;   // share of a new estimate in the limit
constexpr double gradient_steepest = 0.5;    // a window halves the limit at most
constexpr double gradient_recovery = 0.95;   // of a long-term latency twice too high
constexpr uint32_t generation_mask = INT32_MAX;

}  // namespace

void AdaptiveLimit::set(const AdaptiveOptions &options, int64_t limit) {
  options_ = options;
  limit_ = std::clamp(limit, options.low, options.high);
  exact_ = static_cast<double>(limit_);
  begin_window();
}

void AdaptiveLimit::change(const AdaptiveOptions &options) {
  options_ = options;
  move_to(exact_);
}

void AdaptiveLimit::begin_window() {
  samples_ = 0;
  failures_ = 0;
  latency_sum_ = 0;
}

bool AdaptiveLimit::move_to(double limit) {
  exact_ = std::clamp(limit, static_cast<double>(options_.low), static_cast<double>(options_.high));
  auto rounded = static_cast<int64_t>(exact_);
  if (rounded == limit_) return false;
  limit_ = rounded;
  generation_ = (generation_ + 1) & generation_mask;
  begin_window();
  return true;
}

bool AdaptiveLimit::note(const Sample &sample) {
  if (options_.kind == WEIR_ADAPTIVE_OFF || sample.generation != generation_ ||
      sample.held < (limit_ + 1) / 2) {
    return false;
  }
  return options_.kind == WEIR_ADAPTIVE_AIMD ? note_aimd(sample) : note_gradient(sample);
}

bool AdaptiveLimit::note_aimd(const Sample &sample) {
  bool slow = options_.latency_ns >= 0 && sample.elapsed_ns > options_.latency_ns;
  if (sample.failed || slow) {
    // At least one less: a backoff below 1 is never rounded up to the limit.
    return move_to(std::floor(static_cast<double>(limit_) * options_.backoff));
  }
  if (++samples_ < limit_) return false;
  begin_window();
  return move_to(static_cast<double>(limit_ + 1));
}

bool AdaptiveLimit::note_gradient(const Sample &sample) {
  ++samples_;
  if (sample.failed) ++failures_;
  latency_sum_ += static_cast<double>(sample.elapsed_ns);
  if (samples_ < std::max(limit_, gradient_window)) return false;
  double latency = std::max(1.0, latency_sum_ / static_cast<double>(samples_));
  bool failing = failures_ * 2 > samples_;
  begin_window();
  double target = failing ? exact_ * gradient_steepest : window_limit(latency);
  return move_to(exact_ * (1 - gradient_smoothing) + target * gradient_smoothing);
}

// Also folds the window's latency into the long-term one.
double AdaptiveLimit::window_limit(double latency) {
  if (long_term_ == 0) long_term_ = latency;
  long_term_ += (latency - long_term_) * 2 / (gradient_long_window + 1);
  if (long_term_ / latency > 2) long_term_ *= gradient_recovery;
  double gradient = std::clamp(options_.tolerance * long_term_ / latency, gradient_steepest, 1.0);
  return exact_ * gradient + std::max(1.0, std::sqrt(exact_));
}

}  // namespace weir
