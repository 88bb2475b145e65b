// SPDX-License-Identifier: MIT
//
// A quantile of measured latency: a histogram with buckets whose width grows with what they hold,
// after DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
// Relative-Error Guarantees", VLDB 2019), with 16 buckets an octave as HdrHistogram has them, so
// that no logarithm is needed. Counts are halved when there are many: what is old counts less and
// less.
//
// Latencies are those of a hedge's FIRST start until anything succeeded, so of a first start that
// lost only what it took at least. That is enough: below the delay all counts are true, above it
// only the order matters, so the quantile stands where it would without hedging.
//
// The bucket where the quantile lies is kept up to date with each sample: it moves by little.
//
// The engine's thread; others may read the delay.

#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

class LatencyQuantile {
 public:
  // Samples before there is an answer.
  static constexpr uint64_t enough = 20;

  // `quantile` may be another one each time.
  void record(int64_t latency_ns, double quantile);

  // Rounded up to a bucket's end; negative: not enough samples.
  int64_t delay_ns() const { return delay_ns_.load(std::memory_order_relaxed); }
  uint64_t samples() const { return samples_.load(std::memory_order_relaxed); }

 private:
  static constexpr int octave_bits = 4;    // buckets an octave
  static constexpr int first_octave = 14;  // 16 microseconds; below it is one bucket
  static constexpr int octaves = 24;       // up to 275 seconds
  static constexpr uint32_t bucket_count = (octaves << octave_bits) + 1;
  static constexpr uint32_t halved_at = 2048;

  static uint32_t bucket_of(int64_t latency_ns);
  static int64_t end_of(uint32_t bucket);
  void halve();
  void move_to(double quantile);

  std::atomic<int64_t> delay_ns_{-1};
  std::atomic<uint64_t> samples_{0};
  uint32_t total_ = 0;
  uint32_t below_ = 0;  // the counts of the buckets before `bucket_`
  uint32_t bucket_ = 0;
  uint16_t counts_[bucket_count] = {};
};

}  // namespace weir
