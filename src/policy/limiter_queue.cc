// SPDX-License-Identifier: MIT
#include "policy/limiter_queue.hh"

#include <algorithm>
#include <bit>

namespace weir {

void WaitQueue::lead(Waiter &waiter, Waiter *previous_level, Waiter *next_level) {
  waiter.leads = true;
  waiter.previous_level = previous_level;
  waiter.next_level = next_level;
  if (previous_level != nullptr) previous_level->next_level = &waiter;
  if (next_level != nullptr) next_level->previous_level = &waiter;
  if (previous_level == nullptr) first_ = &waiter;
}

void WaitQueue::join(Waiter &leader, Waiter &waiter) {
  waiter.next = &leader;
  waiter.previous = leader.previous;
  leader.previous->next = &waiter;
  leader.previous = &waiter;
  waiter.leads = false;
  leader.level_permits += waiter.permits;
}

void WaitQueue::push(Waiter &waiter) {
  ++count_;
  Waiter *before = nullptr;
  Waiter *level = first_;
  while (level != nullptr && level->priority < waiter.priority) {
    before = level;
    level = level->next_level;
  }
  if (level != nullptr && level->priority == waiter.priority) {
    join(*level, waiter);
    return;
  }
  waiter.next = waiter.previous = &waiter;
  waiter.level_permits = waiter.permits;
  lead(waiter, before, level);
}

Waiter *WaitQueue::leader_of(const Waiter &waiter) const {
  Waiter *level = first_;
  while (level->priority != waiter.priority) level = level->next_level;
  return level;
}

void WaitQueue::remove(Waiter &waiter) {
  --count_;
  if (!waiter.leads) {
    leader_of(waiter)->level_permits -= waiter.permits;
  } else if (waiter.next != &waiter) {
    waiter.next->level_permits = waiter.level_permits - waiter.permits;
    lead(*waiter.next, waiter.previous_level, waiter.next_level);
  } else {
    Waiter *before = waiter.previous_level;
    Waiter *after = waiter.next_level;
    if (before == nullptr) first_ = after;
    if (before != nullptr) before->next_level = after;
    if (after != nullptr) after->previous_level = before;
  }
  waiter.previous->next = waiter.next;
  waiter.next->previous = waiter.previous;
}

int64_t WaitQueue::permits_before(uint32_t priority) const {
  int64_t permits = 0;
  for (Waiter *level = first_; level != nullptr && level->priority <= priority;
       level = level->next_level) {
    permits += level->level_permits;
  }
  return permits;
}

// ---- by key ----

KeyQueues::~KeyQueues() {
  if (heads_ != nullptr) heap_->free(heads_, head_count_ * sizeof(*heads_));
}

bool KeyQueues::init(uint64_t count) {
  constexpr uint64_t most = 1 << 16;
  head_count_ = std::bit_ceil(std::clamp<uint64_t>(count, 1, most));
  heads_ = static_cast<KeyQueue **>(heap_->allocate(head_count_ * sizeof(*heads_)));
  if (heads_ == nullptr) return false;
  std::fill_n(heads_, head_count_, nullptr);
  return true;
}

KeyQueue *KeyQueues::find(uint64_t hash) {
  KeyQueue *queue = head(hash);
  while (queue != nullptr && queue->hash != hash) queue = queue->next;
  return queue;
}

KeyQueue &KeyQueues::add(KeyQueue &home, uint64_t hash) {
  home.queue.begin();
  home.hash = hash;
  home.kicked = false;
  home.next = head(hash);
  head(hash) = &home;
  return home;
}

// What points to it: of the chain, and of the kicked.
KeyQueue **KeyQueues::place_of(KeyQueue &queue) {
  KeyQueue **place = &head(queue.hash);
  while (*place != &queue) place = &(*place)->next;
  return place;
}

KeyQueue **KeyQueues::kicked_place_of(KeyQueue &queue) {
  KeyQueue **place = &kicked_;
  while (*place != &queue) place = &(*place)->next_kicked;
  return place;
}

void KeyQueues::remove(KeyQueue &queue) {
  *place_of(queue) = queue.next;
  if (queue.kicked) *kicked_place_of(queue) = queue.next_kicked;
}

void KeyQueues::move(KeyQueue &queue, KeyQueue &home) {
  home = queue;
  *place_of(queue) = &home;
  if (queue.kicked) *kicked_place_of(queue) = &home;
}

void KeyQueues::kick(KeyQueue &queue) {
  if (queue.kicked) return;
  queue.kicked = true;
  queue.next_kicked = kicked_;
  kicked_ = &queue;
}

void KeyQueues::kick_all() {
  for (uint64_t i = 0; i < head_count_; ++i) {
    for (KeyQueue *queue = heads_[i]; queue != nullptr; queue = queue->next) kick(*queue);
  }
}

KeyQueue *KeyQueues::take_kicked() {
  KeyQueue *queue = kicked_;
  if (queue == nullptr) return nullptr;
  kicked_ = queue->next_kicked;
  queue->kicked = false;
  return queue;
}

}  // namespace weir
