// SPDX-License-Identifier: MIT
//
// What calls do: acquire and report. Transitions are in breaker_states.cc.

#include "policy/breaker_core.hh"

namespace weir {
namespace {

// The last life is followed by the first, and neither is 0; a permit is as wide as a life.
constexpr BreakerWord last_breaker_life(UINT64_MAX << BreakerWord::life_shift);
static_assert(last_breaker_life.next(BreakerState::closed).life() == 1);
static_assert(last_breaker_life.permit() >> 1 == last_breaker_life.life() &&
              last_breaker_life.bare());
static_assert(last_breaker_life.with_windowed(true).next(BreakerState::open).windowed());
static_assert(last_breaker_life.with_failures(7).next(BreakerState::open).failures() == 0);

constexpr bool hands_out_its_life(BreakerState state) {
  return state != BreakerState::open && state != BreakerState::half_open &&
         state != BreakerState::forced_open;
}

// Ramp-up begins with a tenth. Shares are 32-bit fractions.
constexpr double first_ramp_share = 0.1;

uint64_t ramp_share(int64_t elapsed_ns, int64_t ramp_up_ns) {
  double done = static_cast<double>(elapsed_ns < 0 ? 0 : elapsed_ns);
  double share = first_ramp_share + (1 - first_ramp_share) * done / static_cast<double>(ramp_up_ns);
  return static_cast<uint64_t>(share * 0x1p32);
}

// The quotient of two integers is the closest double, as is the literal in the options: so 55 of
// 100 are exactly 0.55, which a product would miss.
bool reaches_rate(uint64_t part, uint64_t whole, double rate) {
  return part > 0 && static_cast<double>(part) / static_cast<double>(whole) >= rate;
}

}  // namespace

// ---- acquire ----

weir_status BreakerCore::acquire_otherwise(weir_permit &permit, BreakerRefusal &refusal,
                                           Moment &moment) {
  if (moment.forked()) return WEIR_EFORKED;
  for (;;) {
    BreakerWord word = this->word();
    if (word.state() == BreakerState::ramping) {
      return acquire_ramping(word, permit, refusal, moment);
    }
    if (hands_out_its_life(word.state())) {
      permit = word.permit();
      return WEIR_OK;
    }
    if (word.state() == BreakerState::forced_open) {
      return refuse(WEIR_REJECTION_FORCED_OPEN, never_ns, refusal, moment);
    }
    int64_t until_ns = refuse_until_ns_.load(std::memory_order_acquire);
    if (moment.before(until_ns)) {
      bool open = word.state() == BreakerState::open;
      // That may be the moment of a half-open period that others have begun and filled since.
      if (open && this->word().state() != BreakerState::open) continue;
      return refuse(open ? WEIR_REJECTION_OPEN : WEIR_REJECTION_HALF_OPEN, until_ns, refusal,
                    moment);
    }
    weir_status status = begin_trial(permit, refusal, moment);
    if (status != WEIR_ESTALE) return status;
  }
}

// Admits the share of calls that the time since closing allows: each call adds its share to a sum,
// and passes if the sum's whole part moves. So any n calls in a row get n × share, give or take
// one.
[[gnu::cold]] weir_status BreakerCore::acquire_ramping(BreakerWord word, weir_permit &permit,
                                                       BreakerRefusal &refusal, Moment &moment) {
  int64_t ramp_up_ns = ramp_up_ns_.load(std::memory_order_relaxed);
  int64_t from_ns = ramp_from_ns_.load(std::memory_order_acquire);
  int64_t elapsed_ns = saturating_sub(moment.within(ramp_up_ns / 10), from_ns);
  permit = word.permit();
  if (elapsed_ns >= ramp_up_ns) {
    Section section(*this);
    BreakerWord now = this->word();
    while (now.life() == word.life() && now.state() == BreakerState::ramping &&
           !replace(now, now.with_state(BreakerState::closed))) {
      now = this->word();
    }
    return WEIR_OK;
  }
  uint64_t share = ramp_share(elapsed_ns, ramp_up_ns);
  uint64_t before = ramp_credit_.fetch_add(share, std::memory_order_relaxed);
  if ((before + share) >> 32 != before >> 32) return WEIR_OK;
  refusal.share = static_cast<double>(share) / 0x1p32;
  return refuse(WEIR_REJECTION_RAMP_UP, saturating_add(from_ns, ramp_up_ns), refusal, moment);
}

weir_status BreakerCore::refuse(uint32_t reason, int64_t until_ns, BreakerRefusal &refusal,
                                Moment &moment) {
  stripe().rejected.fetch_add(1, std::memory_order_relaxed);
  refusal.reason = reason;
  if (until_ns == never_ns) {
    refusal.retry_after_ns = -1;
    return WEIR_EOPEN;
  }
  refusal.at_ns = moment.coarse();
  refusal.retry_after_ns = saturating_sub(until_ns, refusal.at_ns);
  return WEIR_EOPEN;
}

// ---- report ----

void BreakerCore::count_recorded(bool failed, bool slow) {
  if (failed) {
    failed_.fetch_add(1, std::memory_order_relaxed);
  } else {
    stripe().succeeded.fetch_add(1, std::memory_order_relaxed);
  }
  if (slow) slow_.fetch_add(1, std::memory_order_relaxed);
}

weir_status BreakerCore::count_stale(weir_status status) {
  stale_.fetch_add(1, std::memory_order_relaxed);
  return status;
}

weir_status BreakerCore::report_otherwise(weir_permit permit, uint32_t class_, int64_t elapsed_ns,
                                          Moment &moment) {
  if (moment.forked()) return WEIR_EFORKED;
  bool slow = elapsed_ns > slow_call_ns_.load(std::memory_order_relaxed);
  if ((permit & 1) != 0) return report_trial(permit, class_, slow, moment);
  bool failed = class_ == WEIR_CLASS_FAILURE;
  for (;;) {
    BreakerWord word = this->word();
    if (word.permit() != permit || !hands_out_its_life(word.state())) {
      return count_stale(WEIR_ESTALE);
    }
    if (class_ != WEIR_CLASS_SUCCESS && !failed) {
      ignored_.fetch_add(1, std::memory_order_relaxed);
      return WEIR_OK;
    }
    if (word.windowed() && word.state() != BreakerState::forced_closed) {
      if (count_in_window(word, failed, slow, moment)) return WEIR_OK;
    } else if (word.state() == BreakerState::forced_closed ||
               count_in_a_row(word, failed, moment)) {
      count_recorded(failed, slow);
      return WEIR_OK;
    }
  }
}

// False if the word is no longer `word`: look again.
bool BreakerCore::count_in_a_row(BreakerWord word, bool failed, Moment &moment) {
  BreakerWord next = word.with_failures(0);
  bool tripped = word.state() == BreakerState::tripped;
  if (!failed) {
    if (tripped) next = next.with_state(BreakerState::metrics_only);
    return next.bits() == word.bits() || replace(word, next);
  }
  uint64_t failures = word.failures() + 1;
  if (failures < failure_threshold_.load(std::memory_order_relaxed) || tripped) {
    return replace(
        word, word.with_failures(failures < BreakerWord::max_failures ? failures
                                                                      : BreakerWord::max_failures));
  }
  int64_t now_ns = moment.exact();
  Section section(*this);
  return trip(word, CallCounts{failures, failures, 0}, WEIR_BREAKER_BY_FAILURES, now_ns);
}

// False if the life or the mode has changed: look again.
bool BreakerCore::count_in_window(BreakerWord word, bool failed, bool slow, Moment &moment) {
  uint32_t slice_ms = slice_ms_.load(std::memory_order_relaxed);
  if (slice_ms != 0) moment.within(slice_ms * ns_per_ms);  // before it takes the mutex
  Section section(*this);
  BreakerWord now = this->word();
  if (now.life() != word.life() || !now.windowed()) return false;
  window_->add(failed, slow, window_->timed() ? moment.within(window_->slice_ns()) : 0);
  judge_window(now, moment);
  return true;
}

void BreakerCore::judge_window(BreakerWord word, Moment &moment) {
  const CallCounts &counts = window_->totals();
  uint32_t reason = 0;
  if (counts.calls >= rules_.min_calls) {
    if (reaches_rate(counts.failures, counts.calls, rules_.failure_rate)) {
      reason = WEIR_BREAKER_BY_FAILURES;
    } else if (reaches_rate(counts.slow_calls, counts.calls, rules_.slow_call_rate)) {
      reason = WEIR_BREAKER_BY_SLOW_CALLS;
    }
  }
  if (reason == 0) {
    if (word.state() == BreakerState::tripped) {
      replace(word, word.with_state(BreakerState::metrics_only));
    }
  } else if (word.state() != BreakerState::tripped) {
    trip(word, counts, reason, moment.exact());
  }
}

// ---- reading ----

[[gnu::cold]] uint32_t BreakerCore::state(Moment &moment) {
  BreakerWord word = this->word();
  bool timed = word.state() == BreakerState::open || word.state() == BreakerState::half_open;
  if (timed && !moment.before(refuse_until_ns_.load(std::memory_order_acquire)) &&
      !moment.forked()) {
    int64_t now_ns = moment.exact();
    Section section(*this);
    bring_up_to_date(now_ns);
    word = this->word();
  }
  return public_state(word.state());
}

[[gnu::cold]] void BreakerCore::get_stats(weir_breaker_stats &stats, Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  bring_up_to_date(now_ns);
  if (window_ != nullptr) window_->advance(now_ns);
  BreakerWord word = this->word();
  CallCounts counts = current_counts();
  CallCounts recorded = window_ == nullptr ? CallCounts{} : window_->recorded();
  stats.state = public_state(word.state());
  stats.calls = counts.calls;
  stats.failures = counts.failures;
  stats.slow_calls = counts.slow_calls;
  double calls = counts.calls == 0 ? 1 : static_cast<double>(counts.calls);
  stats.failure_rate = static_cast<double>(counts.failures) / calls;
  stats.slow_call_rate = static_cast<double>(counts.slow_calls) / calls;
  stats.succeeded = even_.succeeded.load(std::memory_order_relaxed) +
                    odd_.succeeded.load(std::memory_order_relaxed) +
                    engine_succeeded_.load(std::memory_order_relaxed) + recorded.calls -
                    recorded.failures;
  stats.failed = failed_.load(std::memory_order_relaxed) + recorded.failures;
  stats.slow = slow_.load(std::memory_order_relaxed) + recorded.slow_calls;
  stats.ignored = ignored_.load(std::memory_order_relaxed);
  stats.stale = stale_.load(std::memory_order_relaxed);
  stats.rejected = even_.rejected.load(std::memory_order_relaxed) +
                   odd_.rejected.load(std::memory_order_relaxed);
  stats.times_opened = times_opened_;
  if (word.state() == BreakerState::open) {
    int64_t until_ns = refuse_until_ns_.load(std::memory_order_relaxed);
    stats.open_remaining_ns = until_ns == never_ns ? never_ns : saturating_sub(until_ns, now_ns);
  }
  stats.missed_events = missed_changes();
}

}  // namespace weir
