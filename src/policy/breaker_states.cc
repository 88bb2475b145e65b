// SPDX-License-Identifier: MIT
//
// The breaker's transitions and trials, under its mutex. The table of states is in breaker_core.hh.

#include <bit>

#include "engine/changes.hh"
#include "policy/breaker_core.hh"

namespace weir {
namespace {

// Beyond this the open time is at its maximum for every legal option but a reset timeout of 0.
constexpr double max_stretch = 1e19;

constexpr uint32_t place_bits = 5;
constexpr uint32_t no_place = 32;

// The cause shares a word with the slow calls that opened it.
constexpr int cause_shift = 56;
constexpr uint64_t slow_calls_mask = (uint64_t{1} << cause_shift) - 1;

uint32_t place_of(weir_permit permit) { return permit >> 1 & ((1u << place_bits) - 1); }

}  // namespace

// ---- opening ----

int64_t BreakerCore::open_time_ns(double stretch) const {
  if (stretch <= 1.0) return rules_.reset_timeout_ns;
  double stretched = static_cast<double>(rules_.reset_timeout_ns) * stretch;
  if (stretched >= static_cast<double>(rules_.max_reset_timeout_ns)) {
    return rules_.max_reset_timeout_ns;
  }
  return static_cast<int64_t>(stretched);
}

double BreakerCore::threshold_of(uint32_t cause) const {
  if (cause == WEIR_BREAKER_BY_TRIALS) return rules_.half_open_failures;
  if (cause == WEIR_BREAKER_BY_SLOW_CALLS) return rules_.slow_call_rate;
  if (cause != WEIR_BREAKER_BY_FAILURES) return 0;
  return window_ != nullptr ? rules_.failure_rate
                            : failure_threshold_.load(std::memory_order_relaxed);
}

// What a reader of the word "open" relies on goes first.
void BreakerCore::publish_opening(int64_t until_ns, const CallCounts &counts, uint32_t cause) {
  opened_calls_.store(counts.calls, std::memory_order_release);
  opened_failures_.store(counts.failures, std::memory_order_release);
  opened_slow_calls_.store((counts.slow_calls & slow_calls_mask) | uint64_t{cause} << cause_shift,
                           std::memory_order_release);
  opened_threshold_.store(std::bit_cast<uint64_t>(threshold_of(cause)), std::memory_order_release);
  refuse_until_ns_.store(until_ns, std::memory_order_release);
}

// Opens, or in metrics-only mode says that it would have. False if `word` is no longer the word: of
// another life, and then what that one published must stay, or with another count.
bool BreakerCore::trip(BreakerWord word, CallCounts counts, uint32_t reason, int64_t now_ns) {
  if (this->word().life() != word.life()) return false;
  if (word.state() == BreakerState::metrics_only) {
    BreakerWord tripped = word.with_state(BreakerState::tripped);
    if (!word.windowed()) tripped = tripped.with_failures(counts.failures);
    if (!replace(word, tripped)) return false;
    announce(WEIR_BREAKER_METRICS_ONLY, reason, counts, now_ns);
    return true;
  }
  publish_opening(deadline_after(now_ns, open_time_ns(stretch_)), counts, reason);
  if (!replace(word, word.next(BreakerState::open))) return false;
  ++times_opened_;
  if (window_ != nullptr) window_->clear();
  announce(WEIR_BREAKER_CLOSED, reason, counts, now_ns);
  return true;
}

void BreakerCore::reopen(int64_t now_ns) {
  CallCounts counts = trial_counts();
  stretch_ *= rules_.reset_multiplier;
  if (stretch_ > max_stretch) stretch_ = max_stretch;
  publish_opening(deadline_after(now_ns, open_time_ns(stretch_)), counts, WEIR_BREAKER_BY_TRIALS);
  enter(BreakerState::open);
  ++times_opened_;
  announce(WEIR_BREAKER_HALF_OPEN, WEIR_BREAKER_BY_TRIALS, counts, now_ns);
}

Opening BreakerCore::opening() const {
  uint64_t slow_calls = opened_slow_calls_.load(std::memory_order_acquire);
  return {{opened_calls_.load(std::memory_order_acquire),
           opened_failures_.load(std::memory_order_acquire), slow_calls & slow_calls_mask},
          std::bit_cast<double>(opened_threshold_.load(std::memory_order_acquire)),
          static_cast<uint32_t>(slow_calls >> cause_shift)};
}

// ---- half-open and closing ----

void BreakerCore::begin_half_open() {
  refuse_until_ns_.store(INT64_MIN, std::memory_order_release);
  enter(BreakerState::half_open);
}

void BreakerCore::close(int64_t now_ns) {
  CallCounts counts = trial_counts();
  bool ramps = ramp_up_ns_.load(std::memory_order_relaxed) > 0;
  stretch_ = 1.0;
  if (window_ != nullptr) window_->clear();
  ramp_from_ns_.store(now_ns, std::memory_order_release);
  ramp_credit_.store(UINT32_MAX, std::memory_order_relaxed);  // the first call passes
  enter(ramps ? BreakerState::ramping : BreakerState::closed);
  announce(WEIR_BREAKER_HALF_OPEN, WEIR_BREAKER_BY_TRIALS, counts, now_ns);
}

// A new life, in which no trial has begun.
void BreakerCore::enter(BreakerState state) {
  forget_trials();
  word_.store(word().next(state).bits(), std::memory_order_release);
}

void BreakerCore::forget_trials() {
  taken_ = 0;
  out_ = 0;
  trial_successes_ = 0;
  trial_failures_ = 0;
}

// Replays what time alone has changed, each at its own time.
void BreakerCore::bring_up_to_date(int64_t now_ns) {
  for (;;) {
    BreakerState state = word().state();
    if (state == BreakerState::open) {
      int64_t until_ns = refuse_until_ns_.load(std::memory_order_relaxed);
      if (until_ns == never_ns || until_ns > now_ns) return;
      CallCounts counts = opened_by();
      begin_half_open();
      announce(WEIR_BREAKER_OPEN, WEIR_BREAKER_BY_TIME, counts, until_ns);
    } else if (state == BreakerState::half_open && out_ != 0) {
      uint32_t place = first_to_expire(out_);
      int64_t lease_ns = places_[place].lease_ns;
      if (lease_ns == never_ns || lease_ns > now_ns) return;
      out_ &= ~(1u << place);
      expired_ |= 1u << place;
      judge_trial(true, lease_ns);
    } else {
      return;
    }
  }
}

// ---- trials ----

// Of some trials that are out, the place of the one whose lease ends first.
uint32_t BreakerCore::first_to_expire(uint32_t among) const {
  uint32_t first = no_place;
  for (uint32_t left = among; left != 0; left &= left - 1) {
    uint32_t place = static_cast<uint32_t>(__builtin_ctz(left));
    if (first == no_place || places_[place].lease_ns < places_[first].lease_ns) first = place;
  }
  return first;
}

uint32_t BreakerCore::free_place() const {
  uint64_t all = (uint64_t{1} << rules_.half_open_max_calls) - 1;
  uint64_t free = all & ~uint64_t{taken_};
  return free == 0 ? no_place : static_cast<uint32_t>(__builtin_ctzll(free));
}

// With no place free: each lease that runs out is a failure that keeps its place, so nobody passes
// before enough of them have opened it again and that is over.
int64_t BreakerCore::refused_until() const {
  int64_t reopened_ns = never_ns;
  uint32_t left = out_;
  for (uint32_t failures = trial_failures_; failures < rules_.half_open_failures; ++failures) {
    uint32_t place = first_to_expire(left);
    if (place == no_place) return never_ns;
    reopened_ns = places_[place].lease_ns;
    left &= ~(1u << place);
  }
  if (reopened_ns == never_ns) return never_ns;
  double stretch = stretch_ * rules_.reset_multiplier;
  return deadline_after(reopened_ns, open_time_ns(stretch));
}

Opening BreakerCore::explain(BreakerRefusal &refusal) {
  if (refusal.reason == WEIR_REJECTION_FORCED_OPEN) return {};
  if (refusal.reason == WEIR_REJECTION_HALF_OPEN) {
    Section section(*this);
    refusal.trials = rules_.half_open_max_calls;
    if (word().state() == BreakerState::half_open && free_place() == no_place) {
      int64_t until_ns = refused_until();
      refusal.retry_after_ns = until_ns == never_ns ? -1 : saturating_sub(until_ns, refusal.at_ns);
    }
    return opening();
  }
  // Without the mutex: the counts change only when it opens, and then the word does too.
  for (;;) {
    uint64_t before = word_.load(std::memory_order_acquire);
    Opening opened = opening();
    if (word_.load(std::memory_order_acquire) == before) return opened;
  }
}

// While no place is free, nobody need ask before the first lease ends.
void BreakerCore::publish_free_places() {
  bool full = free_place() == no_place && out_ != 0;
  refuse_until_ns_.store(full ? places_[first_to_expire(out_)].lease_ns : INT64_MIN,
                         std::memory_order_release);
}

// WEIR_ESTALE if it is neither open nor half-open any more: look again.
weir_status BreakerCore::begin_trial(weir_permit &permit, BreakerRefusal &refusal, Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  bring_up_to_date(now_ns);
  BreakerState state = word().state();
  int64_t until_ns = refuse_until_ns_.load(std::memory_order_relaxed);
  if (state == BreakerState::open) return refuse(WEIR_REJECTION_OPEN, until_ns, refusal, moment);
  if (state != BreakerState::half_open) return WEIR_ESTALE;
  uint32_t place = free_place();
  if (place == no_place) return refuse(WEIR_REJECTION_HALF_OPEN, until_ns, refusal, moment);
  permit = ++last_serial_ << (place_bits + 1) | place << 1 | 1;
  places_[place] = {permit, deadline_after(now_ns, rules_.trial_timeout_ns)};
  taken_ |= 1u << place;
  out_ |= 1u << place;
  expired_ &= ~(1u << place);
  publish_free_places();
  return WEIR_OK;
}

weir_status BreakerCore::report_trial(weir_permit permit, uint32_t class_, bool slow,
                                      Moment &moment) {
  Section section(*this);
  if (word().state() == BreakerState::half_open) bring_up_to_date(moment.exact());
  uint32_t place = place_of(permit);
  if (place >= place_count_ || places_[place].permit != permit) return count_stale(WEIR_ESTALE);
  uint32_t bit = 1u << place;
  if ((expired_ & bit) != 0) return count_stale(WEIR_EEXPIRED);
  if ((out_ & bit) == 0) return count_stale(WEIR_ESTALE);
  out_ &= ~bit;
  if (class_ == WEIR_CLASS_SUCCESS || class_ == WEIR_CLASS_FAILURE) {
    count_recorded(class_ == WEIR_CLASS_FAILURE, slow);
    judge_trial(class_ == WEIR_CLASS_FAILURE, moment.exact());
  } else {
    taken_ &= ~bit;
    ignored_.fetch_add(1, std::memory_order_relaxed);
    publish_free_places();
  }
  return WEIR_OK;
}

// A trial succeeded, failed or hung.
void BreakerCore::judge_trial(bool failed, int64_t at_ns) {
  if (failed) {
    ++trial_failures_;
  } else {
    ++trial_successes_;
  }
  if (trial_failures_ >= rules_.half_open_failures) {
    reopen(at_ns);
  } else if (trial_successes_ >= rules_.half_open_success_threshold) {
    close(at_ns);
  } else {
    publish_free_places();
  }
}

CallCounts BreakerCore::trial_counts() const {
  return {static_cast<uint64_t>(trial_successes_) + trial_failures_, trial_failures_, 0};
}

// ---- telling ----

CallCounts BreakerCore::current_counts() const {
  BreakerWord word = this->word();
  if (word.state() == BreakerState::open) return opened_by();
  if (word.state() == BreakerState::half_open) return trial_counts();
  if (word.windowed()) return window_->totals();
  return {word.failures(), word.failures(), 0};
}

// The breaker is now in another state than `from`, or in metrics-only mode would be.
void BreakerCore::announce(uint32_t from, uint32_t reason, const CallCounts &counts,
                           int64_t at_ns) {
  if (ring_ == nullptr) return;
  weir_breaker_change change = {};
  change.size = sizeof(change);
  change.from = from;
  change.to = public_state(word().state());
  change.reason = reason;
  change.calls = counts.calls;
  change.failures = counts.failures;
  change.slow_calls = counts.slow_calls;
  change.at_ns = at_ns;
  if (ring_->push(change)) wake_ = true;
}

void BreakerCore::wake_listeners() { ring_->post(); }

uint64_t BreakerCore::missed_changes() const { return ring_ == nullptr ? 0 : ring_->missed(); }

}  // namespace weir
