// SPDX-License-Identifier: MIT
//
// What a breaker's rates are taken of: the last N calls, or the calls of the last milliseconds.
//
// Invariants:
// - `totals()` is the sum of what the window holds; it is kept up to date, never summed up anew.
// - Work per call is bounded: a count window replaces one outcome; a time window drops at most its
//   number of slices, however long nobody called.
// - Time never runs backwards in a window: an earlier time counts into the newest slice.
//
// The policy's mutex guards it. `recorded` are calls ever added, which clear() leaves alone.

#pragma once

#include <cstdint>

#include "base/heap.hh"

namespace weir {

struct CallCounts {
  uint64_t calls = 0;
  uint64_t failures = 0;
  uint64_t slow_calls = 0;

  void add(bool failed, bool slow) {
    calls += 1;
    failures += failed ? 1 : 0;
    slow_calls += slow ? 1 : 0;
  }
  void add(const CallCounts &other) {
    calls += other.calls;
    failures += other.failures;
    slow_calls += other.slow_calls;
  }
  void subtract(const CallCounts &other) {
    calls -= other.calls;
    failures -= other.failures;
    slow_calls -= other.slow_calls;
  }
};

class CallWindow {
 public:
  static constexpr uint32_t slices = 10;

  // The last `calls` calls; NULL without memory.
  static CallWindow *of_calls(Heap *heap, uint32_t calls);
  // The last `slices` times slice_ns; NULL without memory.
  static CallWindow *of_time(Heap *heap, int64_t slice_ns);
  void free(Heap *heap);

  // Whether the two judge the same calls.
  bool same_shape(const CallWindow &other) const {
    return capacity_ == other.capacity_ && slice_ns_ == other.slice_ns_;
  }
  bool timed() const { return slice_ns_ != 0; }
  int64_t slice_ns() const { return slice_ns_; }

  // One call that ended. `now_ns` matters to a time window only.
  void add(bool failed, bool slow, int64_t now_ns) {
    recorded_.add(failed, slow);
    if (timed()) {
      add_to_slice(failed, slow, now_ns);
    } else {
      replace_oldest(failed, slow);
    }
  }

  // Forgets what is older than the window at `now_ns`; nothing to do for a count window.
  void advance(int64_t now_ns);
  void clear();

  const CallCounts &totals() const { return totals_; }
  const CallCounts &recorded() const { return recorded_; }

 private:
  CallWindow(uint32_t capacity, int64_t slice_ns) : capacity_(capacity), slice_ns_(slice_ns) {}

  static size_t block_size(uint32_t capacity, int64_t slice_ns);
  static CallWindow *create(Heap *heap, uint32_t capacity, int64_t slice_ns);
  void add_to_slice(bool failed, bool slow, int64_t now_ns);
  void replace_oldest(bool failed, bool slow);
  void drop_slices(int64_t now_ns);

  // Behind this object in its block: slices, or two bits a call (1 failed, 2 slow).
  CallCounts *slice_array() { return reinterpret_cast<CallCounts *>(this + 1); }
  uint64_t *outcome_bits() { return reinterpret_cast<uint64_t *>(this + 1); }

  CallCounts totals_;
  CallCounts recorded_;
  uint32_t capacity_;                 // count window: how many calls; otherwise 0
  uint32_t position_ = 0;             // of the oldest call, or the newest slice
  int64_t slice_ns_;                  // time window: how long a slice is; otherwise 0
  int64_t slice_end_ns_ = INT64_MIN;  // time window: when the newest slice ends
};

}  // namespace weir
