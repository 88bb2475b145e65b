// SPDX-License-Identifier: MIT
#include "policy/limiter_entries.hh"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weir {
namespace {

constexpr uint64_t entry_sweep = 64;
constexpr uint64_t small_entry_table = 1024;

}  // namespace

void KeyEntries::clear() {
  if (entries_ != nullptr) heap_->free(entries_, (max_keys_ + 1) * entry_size_);
  if (heads_ != nullptr) heap_->free(heads_, head_count_ * sizeof(uint32_t));
  entries_ = nullptr;
  heads_ = nullptr;
}

bool KeyEntries::init(uint64_t max_keys, const RateSet &rates) {
  uint64_t entry_size = sizeof(KeyEntry) + rates.states_size();
  uint64_t head_count = std::bit_ceil(max_keys);
  auto *entries = static_cast<std::byte *>(heap_->allocate((max_keys + 1) * entry_size));
  if (entries == nullptr) return false;
  auto *heads = static_cast<uint32_t *>(heap_->allocate(head_count * sizeof(uint32_t)));
  if (heads == nullptr) {
    heap_->free(entries, (max_keys + 1) * entry_size);
    return false;
  }
  clear();
  entries_ = entries;
  heads_ = heads;
  std::fill_n(heads_, head_count, none);
  entry_size_ = entry_size;
  max_keys_ = max_keys;
  head_count_ = head_count;
  rates.begin(floor());
  return true;
}

uint32_t KeyEntries::index_of(KeyEntry &item) const {
  auto distance = reinterpret_cast<std::byte *>(&item) - entries_;
  return static_cast<uint32_t>(static_cast<uint64_t>(distance) / entry_size_);
}

KeyEntry *KeyEntries::find(uint64_t hash) {
  if (heads_ == nullptr) return nullptr;
  for (uint32_t index = head(hash); index != none; index = entry(index).next) {
    if (entry(index).hash == hash) return &entry(index);
  }
  return nullptr;
}

void KeyEntries::link(KeyEntry &item, uint64_t hash) {
  item.hash = hash;
  item.used = 1;
  item.next = head(hash);
  head(hash) = index_of(item);
  ++used_;
}

void KeyEntries::unlink(KeyEntry &item) {
  uint32_t index = index_of(item);
  uint32_t *pointer = &head(item.hash);
  while (*pointer != index) pointer = &entry(*pointer).next;
  *pointer = item.next;
  item.used = 0;
  --used_;
}

// An idle entry that the hand comes by, unlinked; or in `victim` the one closest to idle of those
// seen, if there is one that may give way.
KeyEntry *KeyEntries::sweep(const RateSet &rates, int64_t now_ns, KeyEntry *&victim) {
  int64_t soonest = INT64_MAX;
  for (uint64_t steps = max_keys_ <= small_entry_table ? max_keys_ : entry_sweep; steps > 0;
       --steps) {
    KeyEntry &item = entry(hand_);
    hand_ = hand_ + 1 == max_keys_ ? 0 : hand_ + 1;
    if (item.used == 0 || item.held > 0) continue;
    int64_t idle_at = rates.idle_at(item.states());
    if (idle_at <= now_ns) {
      unlink(item);
      return &item;
    }
    if (idle_at < soonest) {
      soonest = idle_at;
      victim = &item;
    }
  }
  return nullptr;
}

// A free or idle entry, unlinked.
KeyEntry *KeyEntries::place(const RateSet &rates, int64_t now_ns, KeyEntry *&victim) {
  if (fresh_ < max_keys_) return &entry(fresh_++);
  return sweep(rates, now_ns, victim);
}

KeyEntry *KeyEntries::insert(uint64_t hash, const RateSet &rates, int64_t now_ns, int64_t permits,
                             bool evict, int64_t &wait_ns) {
  wait_ns = rates.wait(floor(), now_ns, permits);
  if (wait_ns > 0) return nullptr;
  KeyEntry *victim = nullptr;
  KeyEntry *item = place(rates, now_ns, victim);
  if (item == nullptr && victim != nullptr && evict && displace(*victim, rates, now_ns, permits)) {
    item = victim;
  }
  if (item == nullptr) {
    wait_ns = victim == nullptr ? -1 : saturating_sub(rates.idle_at(victim->states()), now_ns);
    return nullptr;
  }
  item->held = 0;
  std::memcpy(item->states(), floor(), entry_size_ - sizeof(KeyEntry));
  link(*item, hash);
  return item;
}

// True if the victim is gone and `permits` fit on top of what it had used.
bool KeyEntries::displace(KeyEntry &victim, const RateSet &rates, int64_t now_ns, int64_t permits) {
  if (rates.wait(victim.states(), now_ns, permits) > 0) return false;
  alignas(16) std::byte covered[states_size_max];
  std::memcpy(covered, floor(), entry_size_ - sizeof(KeyEntry));
  rates.cover(covered, victim.states());
  if (rates.wait(covered, now_ns, permits) > 0) return false;
  std::memcpy(floor(), covered, entry_size_ - sizeof(KeyEntry));
  unlink(victim);
  evicted_.store(evicted() + 1, std::memory_order_relaxed);
  return true;
}

void KeyEntries::convert(const RateSet &rates, const RateRule &before, int64_t now_ns) {
  for (uint64_t i = 0; i < fresh_; ++i) {
    if (entry(i).used != 0) rates.convert(entry(i).states(), before, now_ns);
  }
  rates.convert(floor(), before, now_ns);
}

}  // namespace weir
