// SPDX-License-Identifier: MIT
#include "policy/budget.hh"

#include <algorithm>
#include <cmath>

#include "base/text.hh"
#include "base/time.hh"
#include "engine/run.hh"

namespace weir {
namespace {

constexpr int count_bits = 28;
constexpr uint64_t count_mask = (uint64_t{1} << count_bits) - 1;
constexpr int number_bits = 64 - count_bits;

// A slice that is ahead of the caller's by more than this comes from a clock gone wrong (or from
// before this one's numbers wrapped) and counts as never.
constexpr int64_t ahead_limit = int64_t{1} << 20;

uint64_t count_of(uint64_t word) { return word & count_mask; }

uint64_t word_of(uint64_t slice, uint64_t count) { return slice << count_bits | count; }

// How many slices `slice` is after the one of `word`, by 36 bits that wrap.
int64_t distance(uint64_t slice, uint64_t word) {
  uint64_t difference = (slice - (word >> count_bits)) << (64 - number_bits);
  return static_cast<int64_t>(difference) >> (64 - number_bits);
}

}  // namespace

uint64_t SliceRing::add(uint64_t &slice) {
  std::atomic<uint64_t> &word = words_[place(slice)];
  uint64_t seen = word.load(std::memory_order_relaxed);
  for (;;) {
    int64_t behind = distance(slice, seen);
    bool is_later = behind < 0 && behind >= -ahead_limit;
    uint64_t wanted = behind == 0 || is_later ? seen + 1 : word_of(slice, 1);
    if (count_of(wanted) == 0) return 0;
    if (word.compare_exchange_weak(seen, wanted, std::memory_order_seq_cst)) {
      if (is_later) slice += static_cast<uint64_t>(-behind);
      return count_of(wanted);
    }
  }
}

bool SliceRing::remove(uint64_t slice) {
  std::atomic<uint64_t> &word = words_[place(slice)];
  uint64_t seen = word.load(std::memory_order_relaxed);
  do {
    if (distance(slice, seen) != 0 || count_of(seen) == 0) return false;
  } while (!word.compare_exchange_weak(seen, seen - 1, std::memory_order_seq_cst));
  return true;
}

uint64_t SliceRing::count(uint64_t slice) const {
  uint64_t word = words_[place(slice)].load(std::memory_order_seq_cst);
  return distance(slice, word) == 0 ? count_of(word) : 0;
}

uint64_t SliceRing::sum_others(uint64_t slice, int64_t length) const {
  uint64_t sum = 0;
  for (const std::atomic<uint64_t> &place : words_) {
    uint64_t word = place.load(std::memory_order_seq_cst);
    int64_t behind = distance(slice, word);
    if (behind != 0 && behind <= length && behind >= -ahead_limit) sum += count_of(word);
  }
  return sum;
}

Budget::Budget(double ratio, double min_per_second, int64_t window_ns)
    : window_ns_(window_ns), slice_ns_(window_ns / slices) {
  set_bounds(ratio, min_per_second);
}

void Budget::set_bounds(double ratio, double min_per_second) {
  double floor = min_per_second * (static_cast<double>(window_ns_) / ns_per_second);
  ratio_.store(ratio, std::memory_order_relaxed);
  floor_.store(floor, std::memory_order_relaxed);
}

uint64_t Budget::slice_of(int64_t now_ns) const {
  return now_ns <= 0 ? 0 : static_cast<uint64_t>(now_ns / slice_ns_);
}

void Budget::deposit(int64_t now_ns) {
  uint64_t slice = slice_of(now_ns);
  deposits_.add(slice);
}

void Budget::undeposit(int64_t deposited_ns) { deposits_.remove(slice_of(deposited_ns)); }

void Budget::note_latest(uint64_t slice, int64_t now_ns) {
  std::atomic<int64_t> &latest = latest_[SliceRing::place(slice)];
  int64_t seen = latest.load(std::memory_order_relaxed);
  while (seen < now_ns && !latest.compare_exchange_weak(seen, now_ns, std::memory_order_seq_cst)) {
  }
}

// Whether the eleventh slice back, of which only a part is in the window, has a retry in that part.
bool Budget::still_counts(uint64_t slice, int64_t now_ns) const {
  int64_t latest = latest_[SliceRing::place(slice)].load(std::memory_order_seq_cst);
  return latest > saturating_sub(now_ns, window_ns_);
}

// What counts besides `slice` itself.
uint64_t Budget::older_withdrawn(uint64_t slice, int64_t now_ns) const {
  uint64_t sum = withdrawals_.sum_others(slice, slices - 1);
  if (slice >= slices && still_counts(slice - slices, now_ns)) {
    sum += withdrawals_.count(slice - slices);
  }
  return sum;
}

uint64_t Budget::allowed(int64_t now_ns) const {
  double share = ratio_.load(std::memory_order_relaxed) * static_cast<double>(deposits(now_ns));
  double floor = floor_.load(std::memory_order_relaxed);
  // 0.29 × 100 is 28.999999999999996 in doubles: the last digits must not cost a retry.
  return static_cast<uint64_t>(std::floor(std::max(floor, share) * (1 + 1e-12)));
}

bool Budget::withdraw(int64_t now_ns) {
  uint64_t slice = slice_of(now_ns);
  uint64_t limit = allowed(now_ns);
  while (older_withdrawn(slice, now_ns) + withdrawals_.count(slice) < limit) {
    note_latest(slice, now_ns);
    uint64_t place = withdrawals_.add(slice);
    if (place == 0) break;
    if (older_withdrawn(slice, now_ns) + place <= limit) return true;
    withdrawals_.remove(slice);
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

// First attempts that go out of the window allow less, never more: so it is a retry that has to go,
// and each slice's go when its latest does.
int64_t Budget::wait(int64_t now_ns) const {
  int64_t first_ns = never_ns;
  for (size_t i = 0; i <= SliceRing::places; ++i) {
    int64_t latest_ns = i == 0 ? 0 : latest_[i - 1].load(std::memory_order_relaxed);
    int64_t at_ns = i == 0 ? now_ns : saturating_add(latest_ns, window_ns_);
    if (at_ns >= now_ns && at_ns < first_ns && withdrawn(at_ns) < allowed(at_ns)) first_ns = at_ns;
  }
  return first_ns == never_ns ? -1 : first_ns - now_ns;
}

weir_rejection Budget::rejection(const char *name, int64_t now_ns) const {
  weir_rejection rejection = {};
  rejection.size = sizeof(rejection);
  rejection.status = WEIR_ELIMITED;
  rejection.policy = WEIR_POLICY_BUDGET;
  rejection.reason = WEIR_REJECTION_BUDGET;
  rejection.retry_after_ns = wait(now_ns);
  rejection.retry_after_ms = ns_to_ms_up(rejection.retry_after_ns);
  rejection.requested = 1;
  rejection.limit = static_cast<int64_t>(allowed(now_ns));
  rejection.calls = deposits(now_ns);
  rejection.failures = withdrawn(now_ns);
  rejection.threshold = ratio_.load(std::memory_order_relaxed);
  rejection.interval_ns = window_ns_;
  copy_name(rejection.name, name);
  return rejection;
}

void Budget::refund(int64_t withdrawn_ns) { withdrawals_.remove(slice_of(withdrawn_ns)); }

void Budget::refund_oldest(int64_t now_ns) {
  // One slice ahead too: a coarse clock may be behind the one that withdrew.
  uint64_t slice = slice_of(now_ns) + 1;
  uint64_t oldest = slice > slices + 1 ? slice - slices - 1 : 0;
  if (!still_counts(oldest, now_ns)) ++oldest;
  while (oldest <= slice && !withdrawals_.remove(oldest)) ++oldest;
}

uint64_t Budget::deposits(int64_t now_ns) const {
  uint64_t slice = slice_of(now_ns);
  return deposits_.sum_others(slice, slices - 1) + deposits_.count(slice);
}

uint64_t Budget::withdrawn(int64_t now_ns) const {
  uint64_t slice = slice_of(now_ns);
  return older_withdrawn(slice, now_ns) + withdrawals_.count(slice);
}

bool deposits_first(const Layer &layer, const weir_budget *budget) {
  if (budget == nullptr || layer.run->attempts() != 0) return false;
  for (const Layer *outer = weir_call::around(layer); outer != nullptr;
       outer = weir_call::around(*outer)) {
    if (outer->type->budget != nullptr && outer->type->budget(*outer) == budget) return false;
  }
  return true;
}

}  // namespace weir
