// SPDX-License-Identifier: MIT
//
// The retry budget: how many retries the last window may still have, after Finagle's RetryBudget,
// but with a bound that holds at every withdrawal: the retries of the window that ends with it are
// never more than max(ratio × first attempts of that window, min_per_second × window in seconds).
//
// Time is cut into slices of a tenth of the window. A ring of 16 words holds one slice each, for
// first attempts and for retries; the word says which slice it counts, so nothing has to be swept.
//
// Invariants:
// - A word is {slice number, 36 bits | count, 28 bits}, changed by compare-and-swap only. A count
//   that is full stays full: too few retries, never too many.
// - First attempts count for ten slices, so for at most one window; a retry counts as long as the
//   latest one of its slice is in the window, so for at least one window. Both errors are on the
//   side of fewer retries.
// - A withdrawal adds itself first and looks at the sum after, and goes by its own place in the
//   slice's order of adding: of threads that race for the last retry exactly one gets it.
// - A caller whose clock is behind counts at its own time, or, where the ring has moved on, later.
//   Never earlier.

#pragma once

#include <weir/budget.h>
#include <weir/outcome.h>

#include <atomic>
#include <cstdint>

#include "engine/handle.hh"

namespace weir {

// Counts per slice.
class SliceRing {
 public:
  // Adds one in the slice of number `slice` and returns the count that made; 0 if it is full. Where
  // the ring has moved on, `slice` becomes the later one that was counted in.
  uint64_t add(uint64_t &slice);
  // Takes one off; false if that slice has none, or is no longer held.
  bool remove(uint64_t slice);
  uint64_t count(uint64_t slice) const;
  // The sum over the `length` slices before `slice`, and those that faster clocks began, without
  // `slice` itself.
  uint64_t sum_others(uint64_t slice, int64_t length) const;

  static constexpr int places = 16;
  static size_t place(uint64_t slice) { return slice % places; }

 private:
  std::atomic<uint64_t> words_[places] = {};
};

// The budget itself; any thread, no lock, no clock.
class Budget {
 public:
  Budget(double ratio, double min_per_second, int64_t window_ns);

  // What is counted stays; a withdrawal under way goes by the old numbers or the new ones, each of
  // which is a bound somebody set.
  void set_bounds(double ratio, double min_per_second);

  void deposit(int64_t now_ns);
  // Takes back a first attempt counted at `deposited_ns` that did not start.
  void undeposit(int64_t deposited_ns);

  bool withdraw(int64_t now_ns);
  // Gives back the retry withdrawn at `withdrawn_ns`.
  void refund(int64_t withdrawn_ns);
  // Gives back some retry: the oldest in the window, so that what stays counted is never too old.
  void refund_oldest(int64_t now_ns);

  uint64_t deposits(int64_t now_ns) const;
  uint64_t withdrawn(int64_t now_ns) const;
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  // How long until a withdrawal passes if nothing else happens; -1: it never will. 0: it does now.
  int64_t wait(int64_t now_ns) const;
  // The numbers of a refusal.
  weir_rejection rejection(const char *name, int64_t now_ns) const;
  // How many withdrawals the window may hold in all.
  uint64_t allowed(int64_t now_ns) const;

 private:
  static constexpr int slices = 10;

  uint64_t slice_of(int64_t now_ns) const;
  uint64_t older_withdrawn(uint64_t slice, int64_t now_ns) const;
  bool still_counts(uint64_t slice, int64_t now_ns) const;
  void note_latest(uint64_t slice, int64_t now_ns);

  std::atomic<double> ratio_;
  std::atomic<double> floor_;  // min_per_second × window
  const int64_t window_ns_;
  int64_t slice_ns_;
  SliceRing deposits_;
  SliceRing withdrawals_;
  // When each place of withdrawals_ last got one.
  std::atomic<int64_t> latest_[SliceRing::places] = {};
  std::atomic<uint64_t> refused_{0};
};

struct Layer;

// Whether `layer`, about to start what is inside of it, is to deposit in `budget` (nullable): it is
// the run's first attempt, and no layer around it that knows this budget did.
bool deposits_first(const Layer &layer, const weir_budget *budget);

}  // namespace weir

struct weir_budget : weir::Handle {
  weir_budget(weir_runtime *runtime, const weir_budget_options &options);

  // Coarse where a slice is far above the coarse clock's tick.
  int64_t clock() const;

  int64_t window_ms() const { return window_ms_; }

  weir::Budget core;

 private:
  int64_t window_ms_;
  bool coarse_;
};
