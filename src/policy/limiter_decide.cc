// SPDX-License-Identifier: MIT
//
// What is decided less often than acquire and release: in bulk, in advance, back, all of it; and
// the limiter's numbers.
#include <algorithm>

#include "base/text.hh"
#include "engine/runtime.hh"
#include "policy/limiter.hh"
#include "policy/limiter_exact.hh"

using weir::LimiterDenial;

namespace {

// So many permits may lie ahead in reservations.
constexpr int64_t reserved_max = INT32_MAX;
// Tells a reservation from no permit at all; the rest is when its bucket's arrival time ends.
constexpr uint64_t reservation_mark = uint64_t{1} << 63;

}  // namespace

weir_status weir_limiter::acquire_some(uint64_t count, int64_t now_ns, uint64_t &granted,
                                       LimiterDenial *denial) {
  granted = 0;
  uint64_t gate = gate_.load(std::memory_order_acquire);
  if (keyed() || (gate & counted) != 0) return WEIR_ENOTSUP;
  weir_permit none = 0;
  if ((gate & (paused | waiting)) != 0) return decide(1, now_ns, 0, none, denial);
  int64_t wanted = static_cast<int64_t>(std::min<uint64_t>(count, INT64_MAX));
  {
    Exact exact_rates(*this, now_ns);
    int64_t some = std::min(wanted, rates_.available(states_, now_ns));
    if (some > 0) {
      rates_.take(states_, now_ns, some);
      taken_exactly(now_ns);
      granted = static_cast<uint64_t>(some);
      return WEIR_OK;
    }
  }
  return deny_bucket(1, now_ns, denial);
}

weir_status weir_limiter::reserve(uint32_t permits, int64_t now_ns, int64_t &wait_ns,
                                  weir_permit &reservation) {
  uint64_t gate = gate_.load(std::memory_order_acquire);
  if (keyed() || (gate & counted) != 0) return WEIR_ENOTSUP;
  if (permits == 0 || permits > heaviest_.load(std::memory_order_relaxed)) return WEIR_EINVAL;
  if ((gate & (paused | waiting)) != 0) return WEIR_ELIMITED;
  Exact exact_rates(*this, now_ns);
  if (rates_.count() != 1 || rates_.rule(0).algorithm() != WEIR_LIMITER_TOKEN_BUCKET) {
    return WEIR_ENOTSUP;
  }
  const weir::RateRule &rule = rates_.rule(0);
  weir::RateState *state = rates_.at(states_, 0);
  int64_t wait = rule.wait(state, now_ns, permits);
  weir::Wide ahead = static_cast<weir::Wide>(rule.units_per_permit()) * reserved_max;
  if (rule.units(wait) > ahead) return WEIR_ELIMITED;
  rule.take(state, now_ns, permits);
  taken_exactly(now_ns);
  wait_ns = wait;
  int64_t end_ns =
      weir::divide_down(static_cast<weir::BucketState *>(state)->tat, rule.units_per_ns());
  reservation = static_cast<uint64_t>(std::max<int64_t>(end_ns, 0)) | reservation_mark;
  return WEIR_OK;
}

// What was reserved later begins where this one ended: so much of it cannot be given back.
weir_status weir_limiter::cancel_reservation(uint32_t permits, weir_permit reservation,
                                             int64_t now_ns) {
  if (permits == 0 || (reservation & reservation_mark) == 0) return WEIR_EINVAL;
  {
    Exact exact_rates(*this, now_ns);
    const weir::RateRule &rule = rates_.rule(0);
    if (keyed() || rates_.count() != 1 || rule.algorithm() != WEIR_LIMITER_TOKEN_BUCKET) {
      return WEIR_ENOTSUP;
    }
    if (permits > rule.capacity()) return WEIR_EINVAL;
    weir::Wide &tat = static_cast<weir::BucketState *>(rates_.at(states_, 0))->tat;
    weir::Wide end = rule.units(static_cast<int64_t>(reservation & ~reservation_mark));
    weir::Wide back = static_cast<weir::Wide>(permits) * rule.units_per_permit() -
                      std::max<weir::Wide>(0, tat - end);
    if (tat < end || tat <= rule.units(now_ns) || back <= 0) return WEIR_ESTALE;
    tat -= back;
    closed_ns_.store(INT64_MIN, std::memory_order_relaxed);
  }
  wake_all();
  return WEIR_OK;
}

void weir_limiter::refund_rate(uint32_t permits, int64_t now_ns) {
  Exact exact_rates(*this, now_ns);
  rates_.refund(states_, now_ns, permits);
  closed_ns_.store(INT64_MIN, std::memory_order_relaxed);
}

weir_status weir_limiter::refund(uint32_t permits, int64_t now_ns) {
  if (permits == 0) return WEIR_EINVAL;
  if (keyed()) return WEIR_ENOTSUP;
  refund_rate(permits, now_ns);
  wake_all();
  return WEIR_OK;
}

weir_status weir_limiter::drain(int64_t now_ns, int64_t &drained) {
  drained = 0;
  if (keyed()) return WEIR_ENOTSUP;
  Exact exact_rates(*this, now_ns);
  if (rates_.count() == 0) return WEIR_OK;
  drained = rates_.available(states_, now_ns);
  for (uint32_t i = 0; i < rates_.count(); ++i) {
    const weir::RateRule &rule = rates_.rule(i);
    weir::RateState *state = rates_.at(states_, i);
    rule.take(state, now_ns, rule.available(state, now_ns));
  }
  taken_exactly(now_ns);
  return WEIR_OK;
}

int64_t weir_limiter::available(int64_t now_ns) {
  uint64_t gate = gate_.load(std::memory_order_acquire);
  if ((gate & paused) != 0) return 0;
  uint64_t hash = keyed() ? hash_key(nullptr, 0) : 0;
  if ((gate & waiting) != 0 && has_waiters(hash)) return 0;
  auto held = static_cast<int64_t>(held_in(gate));
  int64_t rate = INT64_MAX;
  if (!keyed()) {
    if ((gate & bucket) == 0 || bucket_.available(now_ns, rate) == weir::Take::elsewhere) {
      Exact exact_rates(*this, now_ns);
      rate = rates_.available(states_, now_ns);
    }
  } else {
    weir::Lock lock(mutex_);
    weir::KeyTable *table = key_table_.load(std::memory_order_relaxed);
    weir::KeyEntry *entry = table == nullptr ? entries_.find(hash) : nullptr;
    if (table != nullptr) rate = table->available(hash, now_ns);
    if (table == nullptr)
      rate = entry == nullptr ? rates_.capacity() : rates_.available(entry->states(), now_ns);
    held = entry == nullptr ? 0 : entry->held;
  }
  if ((gate & counted) == 0) return rate;
  int64_t room = limit_.load(std::memory_order_relaxed) - held;
  return std::max<int64_t>(0, std::min(rate, room));
}

void weir_limiter::fill_stats(weir_limiter_stats &stats, int64_t now_ns) {
  uint64_t gate = gate_.load(std::memory_order_acquire);
  stats.paused = (gate & paused) != 0 ? 1 : 0;
  stats.concurrent = static_cast<int64_t>(held_in(gate));
  stats.limit = (gate & counted) != 0 ? limit_.load(std::memory_order_relaxed) : -1;
  stats.queued = queued_.load(std::memory_order_relaxed);
  stats.granted = granted_.load(std::memory_order_relaxed);
  stats.refused = refused_.load(std::memory_order_relaxed);
  stats.timed_out = timed_out_.load(std::memory_order_relaxed);
  if (!keyed()) {
    Exact exact_rates(*this, now_ns);
    stats.available = rates_.available(states_, now_ns);
    return;
  }
  weir::Lock lock(mutex_);
  weir::KeyTable *table = key_table_.load(std::memory_order_relaxed);
  stats.available = rates_.capacity();
  stats.keys = table != nullptr ? table->used() : entries_.used();
  stats.concurrent = entries_.held();
}

weir_rejection weir_limiter::rejection(uint32_t permits, const LimiterDenial &denial) const {
  weir_rejection rejection = {};
  rejection.size = sizeof(rejection);
  rejection.status = denial.status;
  rejection.policy = WEIR_POLICY_LIMITER;
  rejection.reason = denial.reason;
  rejection.retry_after_ns = denial.wait_ns;
  rejection.retry_after_ms = weir::ns_to_ms_up(denial.wait_ns);
  rejection.requested = permits;
  rejection.available = denial.available;
  rejection.limit = denial.limit;
  rejection.interval_ns = denial.interval_ns;
  rejection.waited_ns = denial.waited_ns;
  rejection.remaining_ns = denial.remaining_ns;
  rejection.queued = static_cast<int64_t>(queued_.load(std::memory_order_relaxed));
  weir::copy_name(rejection.name, name());
  return rejection;
}
