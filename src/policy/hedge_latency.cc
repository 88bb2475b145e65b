// SPDX-License-Identifier: MIT
#include "policy/hedge_latency.hh"

#include <bit>

namespace weir {

// The octave, and in it the bits that follow the highest.
uint32_t LatencyQuantile::bucket_of(int64_t latency_ns) {
  if (latency_ns < int64_t{1} << first_octave) return 0;
  auto latency = static_cast<uint64_t>(latency_ns);
  int octave = 63 - std::countl_zero(latency);
  if (octave >= first_octave + octaves) return bucket_count - 1;
  uint64_t part = (latency >> (octave - octave_bits)) - (1 << octave_bits);
  return static_cast<uint32_t>((octave - first_octave) << octave_bits) +
         static_cast<uint32_t>(part) + 1;
}

int64_t LatencyQuantile::end_of(uint32_t bucket) {
  int octave = first_octave + static_cast<int>(bucket >> octave_bits);
  int64_t part = (bucket & ((1 << octave_bits) - 1)) + (1 << octave_bits);
  return part << (octave - octave_bits);
}

// Halves are carried over, so that a tail of single samples stays what it is as a share.
void LatencyQuantile::halve() {
  total_ = 0;
  below_ = 0;
  bucket_ = 0;
  uint32_t odd = 0;
  for (uint16_t &count : counts_) {
    uint32_t whole = count + odd;
    odd = whole & 1;
    count = static_cast<uint16_t>(whole / 2);
    total_ += count;
  }
}

void LatencyQuantile::record(int64_t latency_ns, double quantile) {
  if (total_ == halved_at) halve();
  uint32_t bucket = bucket_of(latency_ns);
  ++counts_[bucket];
  ++total_;
  below_ += bucket < bucket_ ? 1 : 0;
  samples_.store(samples() + 1, std::memory_order_relaxed);
  move_to(quantile);
}

// The first bucket that, with those before it, holds the quantile's share.
void LatencyQuantile::move_to(double quantile) {
  auto rank = static_cast<uint32_t>(quantile * total_);
  if (rank >= total_) rank = total_ - 1;
  while (below_ > rank) below_ -= counts_[--bucket_];
  while (below_ + counts_[bucket_] <= rank) below_ += counts_[bucket_++];
  if (samples() >= enough) delay_ns_.store(end_of(bucket_), std::memory_order_relaxed);
}

}  // namespace weir
