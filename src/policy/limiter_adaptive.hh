// SPDX-License-Identifier: MIT
//
// A concurrency limit that follows what it sees. Plain code; the caller holds the limiter's mutex.
//
//   aimd       additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the increase
//              and decrease algorithms for congestion avoidance", 1989): one more after as many
//              good samples as the limit is, times `backoff` at the first bad one.
//   gradient   a window of samples at a time: the limit goes with the ratio of the long-term
//              latency, times `tolerance`, to the window's, and may always keep a small queue
//              (Netflix, concurrency-limits, Gradient2, 2018).
//
// Invariants:
// - low ≤ limit ≤ high.
// - A sample counts only if its permit was given under the present limit (its generation) and if at
//   least half of the limit was in use: an idle period says nothing about the limit. So one burst
//   of failures is one decrease.

#pragma once

#include <cstdint>

namespace weir {

struct AdaptiveOptions {
  uint32_t kind = 0;  // WEIR_ADAPTIVE_*
  int64_t low = 1;
  int64_t high = 1000;
  int64_t latency_ns = -1;  // aimd: longer is overload; -1: off
  double backoff = 0.9;
  double tolerance = 1.5;
};

struct Sample {
  uint32_t generation;
  bool failed;
  int64_t elapsed_ns;
  int64_t held;  // permits, this one's included
};

class AdaptiveLimit {
 public:
  void set(const AdaptiveOptions &options, int64_t limit);
  // Live: the limit stays, within the new bounds.
  void change(const AdaptiveOptions &options);

  uint32_t kind() const { return options_.kind; }
  int64_t limit() const { return limit_; }
  int64_t high() const { return options_.high; }
  uint32_t generation() const { return generation_; }

  // True if the limit changed.
  bool note(const Sample &sample);

 private:
  bool note_aimd(const Sample &sample);
  bool note_gradient(const Sample &sample);
  double window_limit(double latency);
  bool move_to(double limit);
  void begin_window();

  AdaptiveOptions options_;
  int64_t limit_ = 0;
  uint32_t generation_ = 0;
  // Since the limit last changed.
  int64_t samples_ = 0;
  int64_t failures_ = 0;
  double latency_sum_ = 0;
  // Long-term latency; 0: not known yet.
  double long_term_ = 0;
  // The limit before it is rounded.
  double exact_ = 0;
};

}  // namespace weir
