// SPDX-License-Identifier: MIT

#include "cache/steering.hh"

#include <cstring>

namespace weir {

namespace {

constexpr uint32_t steering_sample = 512;        // the shadows' capacity at most
constexpr uint32_t steering_small_sample = 256;  // of small caches
constexpr uint32_t steering_large = 1024;        // from so many entries on it is not small
constexpr uint32_t steering_calm_sample = 64;    // and while the workload is the same
constexpr uint32_t steering_calm_share = 16;     // where that is more than one in so many entries
constexpr uint32_t steering_least = 4;           // smaller caches are not steered
constexpr uint32_t steering_epoch = 8;           // accesses between two judgements
constexpr double steering_horizon = 8;           // of the scores, in capacities, as all below
constexpr double steering_long_horizon = 64;     // of what is behind LRU
constexpr double steering_caution_horizon = 4;   // of reluctance after a change
constexpr double steering_reluctance = 4;        // a lead has to be so many times larger, and once
constexpr uint32_t steering_pause = 16;          // of LRU when it did not keep its promise
constexpr uint32_t steering_long_pause = 100;    // and from here on it grows no more
constexpr double steering_rest = 0.1;            // no change sooner after a change
constexpr double steering_calm = 128;            // without a change for so long
constexpr double steering_least_horizon = 50;    // added, in accesses
constexpr double steering_lead = 4;              // hits that are chance in any case
constexpr double steering_lead_share = 0.002;    // of the accesses
constexpr double steering_promise = 2;           // hits promised for each one had: not kept
constexpr int steering_sure = 2;                 // square of a lead in half standard errors
constexpr int steering_sure_past_lru = 9;        // and where LRU is to be left

// What is sampled costs several times what is not.
uint32_t steering_capacity(uint32_t entries) {
  uint32_t most = entries < steering_large ? steering_small_sample : steering_sample;
  return most < entries ? most : entries;
}

}  // namespace

// Where the bound is by weight the number of entries may change later.
void Steering::fit_changed(uint32_t entries) {
  if (entries < steering_least || entries < retry_at_) return;
  if (entries_ != 0 && entries >= entries_ / 2 && entries <= entries_ + entries_ / 2) return;
  behind_ = reluctance_ = since_change_ = 0;
  entries_ = entries;
  capacity_ = steering_capacity(entries);
  watch(capacity_);
}

// Begins anew with shadows of `capacity` entries.
void Steering::watch(uint32_t capacity) {
  recent_ = trial_ = {};
  std::memset(block_, 0, sizeof(block_));
  before_ = nobody;
  if (shadows_.start(capacity)) {
    sample_ = static_cast<uint32_t>((uint64_t{capacity} << 32) / entries_ - 1);
  } else {
    retry_at_ = entries_ + entries_ / 2 + 1;
    entries_ = 0;
  }
}

// Fewer keys take longer to say the same, which is no harm while nothing changes.
inline void Steering::relax() {
  uint32_t capacity = entries_ / steering_calm_share;
  if (capacity < steering_calm_sample) capacity = steering_calm_sample;
  if (capacity < shadows_.capacity()) watch(capacity);
}

void Steering::forget(uint32_t fingerprint) {
  if (sampled(fingerprint)) shadows_.forget(fingerprint);
}

bool Steering::observe_sampled(uint32_t fingerprint, bool hit) {
  unsigned had = shadows_.access(fingerprint);
  for (int mode = 0; mode < eviction_modes; mode++) epoch_[mode] += had >> mode & 1;
  epoch_[actual] += hit ? 1 : 0;
  if (++epoch_left_ < steering_epoch) return false;
  epoch_left_ = 0;
  fade();
  return judge();
}

inline void Steering::fade() {
  double capacity = shadows_.capacity();
  double horizon = steering_horizon * capacity + steering_least_horizon;
  double long_horizon = steering_long_horizon * capacity + steering_least_horizon;
  double caution_horizon = steering_caution_horizon * capacity + steering_least_horizon;
  behind_ -= behind_ * steering_epoch / long_horizon;
  behind_ += static_cast<double>(epoch_[eviction_mode_lru]) - epoch_[actual];
  reluctance_ -= reluctance_ * steering_epoch / caution_horizon;
  if (lru_wait_ > 0) lru_wait_ -= steering_epoch;
  since_change_ += steering_epoch;
  recent_.accesses += steering_epoch - recent_.accesses * steering_epoch / horizon;
  trial_.accesses += steering_epoch;
  for (int i = 0; i <= eviction_modes; i++) {
    recent_.hits[i] += epoch_[i] - recent_.hits[i] * steering_epoch / horizon;
    trial_.hits[i] += epoch_[i];
    block_[0][i] = static_cast<uint16_t>(block_[0][i] + epoch_[i]);
    epoch_[i] = 0;
  }
  block_filled_ += steering_epoch;
  if (block_filled_ < shadows_.capacity()) return;
  block_filled_ = 0;
  std::memmove(block_[1], block_[0], sizeof(block_) - sizeof(block_[0]));
  std::memset(block_[0], 0, sizeof(block_[0]));
}

// A share of the accesses, a quarter of the root of the hits (about what two modes differ by when
// they are equally good) and a few; times `factor`.
bool Steering::leads(double hits, double base, double accesses, double factor) {
  double lead = (hits - base) / factor - steering_lead - steering_lead_share * accesses;
  return lead > 0 && 16 * lead * lead > hits;
}

// A lead that came about in one capacity may be an accident of what is in the caches, and be lost
// in the next one. What it is in each block tells its standard error about nought. To leave LRU
// takes more, and what was only begun with is left for LRU at once: nobody chose it.
inline bool Steering::sure(int mode) const {
  if (mode == eviction_mode_lru && !chosen_) return true;
  int sum = 0;
  int squares = 0;
  for (const uint16_t *block : block_) {
    int lead = block[mode] - block[actual];
    sum += lead;
    squares += lead * lead;
  }
  int least = current_ == eviction_mode_lru ? steering_sure_past_lru : steering_sure;
  return sum > 0 && 4 * sum * sum > least * squares;
}

double Steering::credit(int mode) const {
  bool more = mode == eviction_mode_lru && behind_ > 0;
  return recent_.hits[mode] + (more ? behind_ : 0);
}

int Steering::best() const {
  int best = nobody;
  for (int mode = 0; mode < eviction_modes; mode++) {
    if (mode == current_ || (mode == eviction_mode_lru && lru_wait_ > 0)) continue;
    if (best == nobody || credit(mode) > credit(best)) best = mode;
  }
  return best;
}

inline bool Steering::regret() const {
  return before_ != nobody && leads(trial_.hits[before_], trial_.hits[actual], trial_.accesses, 1);
}

bool Steering::judge() {
  if (since_change_ < steering_rest * capacity_) return false;
  if (regret()) return change(before_, nobody);
  double base = credit(current_);
  if (recent_.hits[actual] < base) base = recent_.hits[actual];
  int mode = best();
  if (leads(credit(mode), base, recent_.accesses, 1 + reluctance_) && sure(mode)) {
    return change(mode, current_);
  }
  if (since_change_ > steering_calm * capacity_) relax();
  return false;
}

void Steering::leave_lru(bool for_better) {
  double kept = steering_promise * trial_.hits[actual] + steering_lead;
  if (trial_.hits[eviction_mode_lru] > kept) {
    if (lru_pause_ < steering_long_pause) lru_pause_ = 2 * lru_pause_ + steering_pause;
    lru_wait_ = static_cast<int32_t>(lru_pause_ * capacity_);
  } else if (for_better) {
    lru_pause_ = 0;
  }
}

// After a change for the better, the cache is given time to become what the shadow is.
bool Steering::change(int mode, int before) {
  if (shadows_.capacity() < capacity_) watch(capacity_);
  if (current_ == eviction_mode_lru) leave_lru(before != nobody);
  current_ = mode;
  chosen_ = true;
  before_ = before;
  if (before != nobody) recent_.hits[actual] = recent_.hits[mode];
  trial_ = {};
  reluctance_ = steering_reluctance;
  since_change_ = 0;
  return true;
}

}  // namespace weir
