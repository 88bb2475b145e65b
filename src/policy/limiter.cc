// SPDX-License-Identifier: MIT
//
// The limiter's decisions. Each way in ends in one of three: the bucket's word, the exact rates
// under the mutex, or a key's bucket or entry.
#include "policy/limiter.hh"

#include <algorithm>

#include "base/hash.hh"
#include "engine/runtime.hh"
#include "policy/limiter_exact.hh"

using weir::LimiterDenial;
using weir::Take;

namespace {

weir_status deny_limited(LimiterDenial *denial, uint32_t reason, int64_t wait_ns, int64_t available,
                         int64_t limit, int64_t interval_ns = 0) {
  if (denial != nullptr) *denial = {WEIR_ELIMITED, reason, wait_ns, available, limit, interval_ns};
  return WEIR_ELIMITED;
}

weir_status deny_weight(LimiterDenial *denial, int64_t heaviest) {
  if (denial != nullptr) *denial = {WEIR_EINVAL, WEIR_REJECTION_WEIGHT, -1, heaviest, heaviest};
  return WEIR_EINVAL;
}

// What a permit carries: its weight, and the generation of the adaptive limit it was given under.
constexpr uint64_t weight_of(weir_permit permit) { return permit & UINT32_MAX; }
constexpr uint32_t generation_of(weir_permit permit) { return static_cast<uint32_t>(permit >> 32); }

}  // namespace

uint64_t weir_limiter::hash_key(const void *key, size_t size) const {
  return weir::hash_bytes(key, size, seed_);
}

// ---- concurrency ----

// With `counted`; else there is nothing to hold. A call heavier than an adaptive limit has become
// passes when it is alone. A limit that changes on the way is noticed by the gate (a generation by
// being too old: then what is measured does not count).
bool weir_limiter::hold(uint32_t permits, weir_permit &permit) {
  uint64_t gate = gate_.load(std::memory_order_acquire);
  uint64_t generation = 0;
  do {
    if ((gate & counted) == 0) return true;
    uint64_t held = held_in(gate);
    generation = generation_.load(std::memory_order_relaxed);
    bool alone = adaptive_kind_ != WEIR_ADAPTIVE_OFF && held == 0;
    auto limit = static_cast<uint64_t>(limit_.load(std::memory_order_acquire));
    if (held + permits > limit && !alone) return false;
  } while (!gate_.compare_exchange_weak(gate, gate + permits, std::memory_order_acq_rel,
                                        std::memory_order_acquire));
  permit = permits | generation << 32;
  return true;
}

// False if so many are not held. Whoever calls sees to those who wait for them.
bool weir_limiter::unhold(weir_permit permit) {
  uint64_t weight = weight_of(permit);
  uint64_t gate = gate_.load(std::memory_order_relaxed);
  do {
    if (held_in(gate) < weight) return false;
  } while (!gate_.compare_exchange_weak(gate, gate - weight, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  return true;
}

// What was held for a moment may have turned a waiter away; unless that was the engine's own doing.
void weir_limiter::unhold_unused(weir_permit &permit) {
  unhold(permit);
  permit = 0;
  bool wanted = (gate_.load(std::memory_order_acquire) & waiting) != 0;
  if (wanted && !runtime()->on_thread()) post_wake();
}

weir_status weir_limiter::release_entry(weir_permit permit, uint64_t hash) {
  if (runtime()->forked()) return WEIR_EFORKED;
  bool wanted = false;
  weir_status status = unhold_entry(permit, hash, wanted);
  if (wanted) post_wake();
  return status;
}

// In `wanted` whether somebody waits for it.
weir_status weir_limiter::unhold_entry(weir_permit permit, uint64_t hash, bool &wanted) {
  auto weight = static_cast<int64_t>(weight_of(permit));
  weir::Lock lock(mutex_);
  weir::KeyEntry *entry = key_table_.load(std::memory_order_relaxed) == nullptr && max_keys_ > 0
                              ? entries_.find(hash)
                              : nullptr;
  if (entry == nullptr || entry->held < weight) return WEIR_EINVAL;
  entries_.hold(*entry, -weight);
  if (weir::KeyQueue *queue = key_queues_.find(hash)) {
    key_queues_.kick(*queue);
    wanted = true;
  }
  return WEIR_OK;
}

weir_status weir_limiter::release(weir_permit permit, uint64_t hash) {
  if (permit == 0) return WEIR_OK;
  if (keyed()) return release_entry(permit, hash);
  if (!unhold(permit)) return WEIR_EINVAL;
  if ((gate_.load(std::memory_order_acquire) & waiting) != 0) post_wake();
  return WEIR_OK;
}

void weir_limiter::note(weir_permit permit, uint32_t class_, int64_t elapsed_ns) {
  bool failed = class_ == WEIR_CLASS_FAILURE;
  if (permit == 0 || (!failed && class_ != WEIR_CLASS_SUCCESS)) return;
  auto held = static_cast<int64_t>(held_in(gate_.load(std::memory_order_relaxed)));
  weir::Lock lock(mutex_);
  if (!adaptive_.note({generation_of(permit), failed, elapsed_ns, held})) return;
  limit_.store(adaptive_.limit(), std::memory_order_release);
  generation_.store(adaptive_.generation(), std::memory_order_relaxed);
}

// ---- denials ----

weir_status weir_limiter::deny_held(LimiterDenial *denial) const {
  int64_t limit = limit_.load(std::memory_order_relaxed);
  auto held = static_cast<int64_t>(held_in(gate_.load(std::memory_order_relaxed)));
  return deny_limited(denial, WEIR_REJECTION_CONCURRENCY, -1, std::max<int64_t>(0, limit - held),
                      limit);
}

weir_status weir_limiter::deny_full(int64_t wait_ns, LimiterDenial *denial) const {
  return deny_limited(denial, WEIR_REJECTION_KEYS, wait_ns, 0, static_cast<int64_t>(max_keys_));
}

weir_status weir_limiter::deny_bucket(uint32_t permits, int64_t now_ns, LimiterDenial *denial) {
  if (denial == nullptr) return WEIR_ELIMITED;
  int64_t wait_ns = 0;
  int64_t available = 0;
  if (bucket_.look(permits, now_ns, wait_ns) != Take::elsewhere &&
      bucket_.available(now_ns, available) != Take::elsewhere) {
    return deny_limited(denial, WEIR_REJECTION_RATE, wait_ns, available,
                        bucket_permits_.load(std::memory_order_relaxed),
                        bucket_interval_ns_.load(std::memory_order_relaxed));
  }
  Exact exact_rates(*this, now_ns);
  weir::RateDenial why = rates_.look(states_, now_ns, permits);
  return deny_limited(denial, WEIR_REJECTION_RATE, why.wait_ns, why.available, why.limit,
                      why.interval_ns);
}

weir_status weir_limiter::deny_waiters(uint32_t permits, int64_t now_ns, uint64_t hash,
                                       LimiterDenial *denial) {
  if (denial == nullptr) return WEIR_ELIMITED;
  int64_t wait_ns =
      wait_for(queued_permits_.load(std::memory_order_relaxed) + permits, now_ns, hash);
  return deny_limited(denial, WEIR_REJECTION_WAITERS, wait_ns > 0 ? wait_ns : -1, 0,
                      heaviest_.load(std::memory_order_relaxed));
}

// How long until so many permits will have been granted, one after the other, as far as the rate is
// concerned: at least. 0 without one.
[[gnu::cold]] int64_t weir_limiter::wait_for(int64_t permits, int64_t now_ns, uint64_t hash) {
  if (!keyed()) {
    Exact exact_rates(*this, now_ns);
    return rates_.wait(states_, now_ns, permits);
  }
  weir::Lock lock(mutex_);
  if (weir::KeyTable *table = key_table_.load(std::memory_order_relaxed)) {
    return table->wait(hash, permits, now_ns);
  }
  weir::KeyEntry *entry = entries_.find(hash);
  return entry == nullptr ? 0 : rates_.wait(entry->states(), now_ns, permits);
}

bool weir_limiter::has_waiters(uint64_t hash) {
  if (!keyed()) return true;
  weir::Lock lock(mutex_);
  return key_queues_.find(hash) != nullptr;
}

// ---- deciding ----

weir_status weir_limiter::decide(uint32_t permits, int64_t now_ns, uint64_t hash,
                                 weir_permit &permit, LimiterDenial *denial) {
  permit = 0;
  if (permits == 0) return WEIR_EINVAL;
  if (runtime()->forked()) return WEIR_EFORKED;
  uint64_t gate = gate_.load(std::memory_order_acquire);
  bool legal = permits <= heaviest_.load(std::memory_order_relaxed);
  if (legal && (gate & paused) == 0 && (gate & waiting) != 0 && has_waiters(hash)) {
    return deny_waiters(permits, now_ns, hash, denial);
  }
  if (!keyed() || !runtime()->tells()) {
    return admit(permits, now_ns, hash, permit, denial);
  }
  uint64_t before = evictions();
  weir_status status = admit(permits, now_ns, hash, permit, denial);
  if (evictions() != before) post_wake();
  return status;
}

// The decision whoever waits: the engine's, on behalf of the first who does.
weir_status weir_limiter::admit(uint32_t permits, int64_t now_ns, uint64_t hash,
                                weir_permit &permit, LimiterDenial *denial) {
  permit = 0;
  int64_t heaviest = heaviest_.load(std::memory_order_relaxed);
  if (permits > heaviest) return deny_weight(denial, heaviest);
  uint64_t gate = gate_.load(std::memory_order_acquire);
  if ((gate & paused) != 0) return deny_limited(denial, WEIR_REJECTION_PAUSED, -1, 0, heaviest);
  if (keyed()) return admit_key(permits, now_ns, hash, permit, denial);
  if ((gate & bucket) != 0) return admit_by_word(permits, now_ns, permit, denial);
  if ((gate & exact) != 0) return admit_exactly(permits, now_ns, permit, denial);
  return hold(permits, permit) ? WEIR_OK : deny_held(denial);
}

weir_status weir_limiter::admit_by_word(uint32_t permits, int64_t now_ns, weir_permit &permit,
                                        LimiterDenial *denial) {
  int64_t wait_ns = 0;
  bool counts = holds_permits();
  Take taken = counts ? bucket_.look(permits, now_ns, wait_ns) : Take::granted;
  if (taken == Take::granted) {
    if (counts && !hold(permits, permit)) return deny_held(denial);
    taken = bucket_.take(permits, now_ns);
    if (taken == Take::granted) return WEIR_OK;
    if (permit != 0) unhold_unused(permit);
  }
  if (taken == Take::limited) return deny_bucket(permits, now_ns, denial);
  return admit_exactly(permits, now_ns, permit, denial);
}

weir_status weir_limiter::admit_exactly(uint32_t permits, int64_t now_ns, weir_permit &permit,
                                        LimiterDenial *denial) {
  if (denial == nullptr && now_ns < closed_ns_.load(std::memory_order_relaxed)) {
    return WEIR_ELIMITED;
  }
  Exact exact_rates(*this, now_ns);
  weir::RateDenial why = rates_.look(states_, now_ns, permits);
  if (why.wait_ns > 0) {
    return deny_limited(denial, WEIR_REJECTION_RATE, why.wait_ns, why.available, why.limit,
                        why.interval_ns);
  }
  if (!hold(permits, permit)) return deny_held(denial);
  rates_.take(states_, now_ns, permits);
  taken_exactly(now_ns);
  return WEIR_OK;
}

// Under the mutex, after a grant: until when those who come will be denied without taking it.
void weir_limiter::taken_exactly(int64_t now_ns) {
  int64_t wait_ns = rates_.wait(states_, now_ns, 1);
  closed_ns_.store(wait_ns > 0 ? weir::saturating_add(now_ns, wait_ns) : INT64_MIN,
                   std::memory_order_relaxed);
}

weir_status weir_limiter::admit_key(uint32_t permits, int64_t now_ns, uint64_t hash,
                                    weir_permit &permit, LimiterDenial *denial) {
  uint64_t gate = gate_.load(std::memory_order_relaxed);
  if ((gate & (exact | counted)) == 0) return WEIR_OK;
  weir::KeyTable *table = key_table_.load(std::memory_order_acquire);
  if (table != nullptr && denial == nullptr) {
    Take taken = table->take(hash, permits, now_ns);
    if (taken == Take::granted) return WEIR_OK;
    if (taken == Take::limited) return WEIR_ELIMITED;
  }
  weir::Lock lock(mutex_);
  int64_t heaviest = heaviest_.load(std::memory_order_relaxed);
  if (permits > heaviest) return deny_weight(denial, heaviest);  // it may have just changed
  table = key_table_.load(std::memory_order_relaxed);
  if (table == nullptr) return admit_entry(permits, now_ns, hash, permit, denial);
  weir::KeyTable::Answer answer = table->take_locked(hash, permits, now_ns);
  if (answer.granted) return WEIR_OK;
  if (answer.full) return deny_full(answer.wait_ns, denial);
  return deny_limited(denial, WEIR_REJECTION_RATE, answer.wait_ns, table->available(hash, now_ns),
                      rates_.rule(0).permits(), rates_.rule(0).interval_ns());
}

// Under the mutex. A denial makes no entry.
weir_status weir_limiter::admit_entry(uint32_t permits, int64_t now_ns, uint64_t hash,
                                      weir_permit &permit, LimiterDenial *denial) {
  bool counts = holds_permits();
  weir::KeyEntry *entry = entries_.find(hash);
  if (entry != nullptr) {
    weir::RateDenial why = rates_.look(entry->states(), now_ns, permits);
    if (why.wait_ns > 0) {
      return deny_limited(denial, WEIR_REJECTION_RATE, why.wait_ns, why.available, why.limit,
                          why.interval_ns);
    }
    int64_t limit = limit_.load(std::memory_order_relaxed);
    int64_t room = limit - entry->held;
    if (counts && permits > room) {
      return deny_limited(denial, WEIR_REJECTION_CONCURRENCY, -1, std::max<int64_t>(0, room),
                          limit);
    }
  } else {
    int64_t wait_ns = -1;
    entry = entries_.insert(hash, rates_, now_ns, permits, evict_.load(std::memory_order_relaxed),
                            wait_ns);
    if (entry == nullptr) return deny_full(wait_ns, denial);
  }
  rates_.take(entry->states(), now_ns, permits);
  if (!counts) return WEIR_OK;
  entries_.hold(*entry, permits);
  permit = permits;
  return WEIR_OK;
}
