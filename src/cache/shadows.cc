// SPDX-License-Identifier: MIT

#include "cache/shadows.hh"

#include <cstring>

namespace weir {

namespace {

// Of one cache's capacity: the modes may have no key in common. What they have is room for ghosts.
constexpr uint32_t shadow_slots_per_entry = eviction_modes;
constexpr uint32_t shadow_slots_more = 16;

}  // namespace

void Shadows::init(Heap *heap, const FrequencySketch *sketch) {
  heap_ = heap;
  sketch_ = sketch;
}

bool Shadows::start(uint32_t capacity) {
  stop();
  uint32_t slots = capacity * shadow_slots_per_entry + shadow_slots_more;
  uint32_t buckets = shadow_slots_more;
  while (buckets < slots) buckets *= 2;
  size_t size = slots * sizeof(ShadowSlot);
  auto *memory = static_cast<char *>(heap_->allocate(size + buckets * sizeof(*buckets_)));
  if (memory == nullptr) return false;
  slots_ = reinterpret_cast<ShadowSlot *>(memory);
  buckets_ = reinterpret_cast<uint16_t *>(memory + size);
  std::memset(buckets_, 0xff, buckets * sizeof(*buckets_));
  capacity_ = capacity;
  slots_count_ = slots;
  buckets_count_ = buckets;
  slots_used_ = 0;
  free_ = oldest_ghost_ = newest_ghost_ = none;
  for (int mode = 0; mode < eviction_modes; mode++) {
    lists_[mode] = EvictionLists<ShadowSpace>({slots_, sketch_, mode});
    lists_[mode].set_mode(eviction_mode[mode]);
  }
  return true;
}

void Shadows::stop() {
  if (slots_ == nullptr) return;
  heap_->free(slots_, slots_count_ * sizeof(ShadowSlot) + buckets_count_ * sizeof(*buckets_));
  slots_ = nullptr;
}

// ---- slots ----

uint16_t *Shadows::bucket(uint32_t fingerprint) {
  return &buckets_[(fingerprint * 0x85ebca6bu) >> 12 & (buckets_count_ - 1)];
}

uint16_t Shadows::find(uint32_t fingerprint) {
  uint16_t at = *bucket(fingerprint);
  while (at != none && slots_[at].fingerprint != fingerprint) at = slots_[at].chain;
  return at;
}

uint16_t Shadows::free_slot() {
  if (slots_used_ < slots_count_) return static_cast<uint16_t>(slots_used_++);
  if (free_ == none && oldest_ghost_ != none) {
    uint16_t ghost = oldest_ghost_;
    unlink_ghost(ghost);
    release(ghost);
  }
  uint16_t at = free_;
  if (at != none) free_ = slots_[at].chain;
  return at;
}

uint16_t Shadows::take(uint32_t fingerprint) {
  uint16_t at = free_slot();
  if (at == none) return none;
  uint16_t *head = bucket(fingerprint);
  ShadowSlot &slot = slots_[at];
  slot.fingerprint = fingerprint;
  slot.chain = *head;
  slot.residences = 0;
  std::memset(slot.marks, 0, sizeof(slot.marks));
  *head = at;
  return at;
}

void Shadows::release(uint16_t at) {
  uint16_t *link = bucket(slots_[at].fingerprint);
  while (*link != at) link = &slots_[*link].chain;
  *link = slots_[at].chain;
  slots_[at].chain = free_;
  free_ = at;
}

void Shadows::push_ghost(uint16_t at) {
  slots_[at].links[0] = {newest_ghost_, none};
  (newest_ghost_ == none ? oldest_ghost_ : slots_[newest_ghost_].links[0].newer) = at;
  newest_ghost_ = at;
}

void Shadows::unlink_ghost(uint16_t at) {
  ShadowSlot::Links links = slots_[at].links[0];
  (links.older == none ? oldest_ghost_ : slots_[links.older].links[0].newer) = links.newer;
  (links.newer == none ? newest_ghost_ : slots_[links.newer].links[0].older) = links.older;
}

// ---- using them ----

unsigned Shadows::access(uint32_t fingerprint) {
  uint16_t at = find(fingerprint);
  EvictionPast past{at != none, 0};
  if (past.known) {
    past.stamp = slots_[at].stamp;
    if (slots_[at].residences == 0) unlink_ghost(at);
  } else {
    at = take(fingerprint);
    if (at == none) return 0;
  }
  slots_[at].stamp = ++clock_;
  return access_all(at, past);
}

unsigned Shadows::access_all(uint16_t at, EvictionPast past) {
  unsigned had = 0;
  for (int mode = 0; mode < eviction_modes; mode++) {
    if (lists_[mode].resident(at)) {
      had |= 1u << mode;
      lists_[mode].hit(at, past.stamp);
    } else {
      admit(mode, at, past);
    }
  }
  return had;
}

void Shadows::admit(int mode, uint16_t at, EvictionPast past) {
  lists_[mode].insert(at, past);
  slots_[at].residences++;
  if (lists_[mode].count() <= capacity_) return;
  uint16_t gone = lists_[mode].victim(at);
  if (gone != none && --slots_[gone].residences == 0) push_ghost(gone);
}

void Shadows::forget(uint32_t fingerprint) {
  uint16_t at = find(fingerprint);
  if (at == none) return;
  if (slots_[at].residences == 0) unlink_ghost(at);
  for (auto &lists : lists_) {
    if (lists.resident(at)) lists.remove(at);
  }
  release(at);
}

}  // namespace weir
