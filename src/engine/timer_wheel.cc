// SPDX-License-Identifier: MIT
#include "engine/timer_wheel.hh"

#include <algorithm>
#include <bit>

#include "base/time.hh"

namespace weir {

void TimerWheel::arm(Timer &timer, int64_t deadline_ns, uint32_t depth, const Timer *outer) {
  if (deadline_ns == never_ns) return;
  timer.deadline_ns = deadline_ns;
  timer.sequence = ++sequence_;
  timer.depth = depth;
  bool tied = outer != nullptr && outer->armed() && outer->deadline_ns == deadline_ns;
  timer.order = tied ? outer->order : timer.sequence;
  set_size(size() + 1);
  place(timer);
}

void TimerWheel::disarm(Timer &timer) {
  if (!timer.armed()) return;
  if (timer.place == Timer::Place::heap) {
    heap_remove(timer);
  } else {
    unlink(timer);
  }
  timer.place = Timer::Place::nowhere;
  set_size(size() - 1);
}

Timer *TimerWheel::pop_due(int64_t now_ns, uint32_t &budget) {
  uint64_t now_tick = tick_of(now_ns);
  while (true) {
    if (draining_) drain(budget);
    if (draining_) return nullptr;
    if (heap_ != nullptr && heap_->deadline_ns <= now_ns) {
      Timer *timer = heap_;
      disarm(*timer);
      return timer;
    }
    Position position;
    if (!next_slot(position) || position.start > now_tick) {
      // Everything skipped is empty, so no timer's place changes.
      tick_ = std::max(tick_, now_tick);
      return nullptr;
    }
    tick_ = position.start;
    draining_ = true;
    draining_level_ = position.level;
    draining_slot_ = position.slot;
  }
}

int64_t TimerWheel::next_deadline() const {
  if (draining_) return static_cast<int64_t>(tick_ << tick_shift);
  if (heap_ != nullptr) return heap_->deadline_ns;
  Position position;
  if (!next_slot(position)) return never_ns;
  return static_cast<int64_t>(position.start << tick_shift);
}

// Empties the slot that tick_ has just reached into the heap and lower levels.
void TimerWheel::drain(uint32_t &budget) {
  while (Timer *timer = slots_[draining_level_][draining_slot_]) {
    if (budget == 0) return;
    --budget;
    unlink(*timer);
    place(*timer);
  }
  draining_ = false;
}

void TimerWheel::place(Timer &timer) {
  uint64_t tick = tick_of(timer.deadline_ns);
  if (tick <= tick_) {
    heap_insert(timer);
    return;
  }
  int level = (63 - std::countl_zero(tick ^ tick_)) / slot_bits;
  int slot = static_cast<int>(tick >> (level * slot_bits)) & (slots - 1);
  Timer **head = &slots_[level][slot];
  timer.place = Timer::Place::slot;
  timer.level = static_cast<uint8_t>(level);
  timer.slot = static_cast<uint8_t>(slot);
  timer.next = *head;
  timer.pointer_here = head;
  if (timer.next != nullptr) timer.next->pointer_here = &timer.next;
  *head = &timer;
  occupied_[level] |= uint64_t{1} << slot;
}

void TimerWheel::unlink(Timer &timer) {
  close_gap();
  Timer **head = &slots_[timer.level][timer.slot];
  if (timer.pointer_here != head) {
    gap_ = timer.pointer_here;
    behind_gap_ = timer.next;
    __builtin_prefetch(gap_, 1);
    if (behind_gap_ != nullptr) __builtin_prefetch(&behind_gap_->pointer_here, 1);
    return;
  }
  *head = timer.next;
  if (timer.next != nullptr) {
    timer.next->pointer_here = head;
  } else {
    occupied_[timer.level] &= ~(uint64_t{1} << timer.slot);
  }
}

void TimerWheel::close_gap() {
  if (gap_ == nullptr) return;
  *gap_ = behind_gap_;
  if (behind_gap_ != nullptr) behind_gap_->pointer_here = gap_;
  gap_ = nullptr;
}

// The first slot that holds anything. A lower level's slots all come before a higher level's.
bool TimerWheel::next_slot(Position &position) const {
  for (int level = 0; level < levels; ++level) {
    int current = static_cast<int>(tick_ >> (level * slot_bits)) & (slots - 1);
    uint64_t ahead = occupied_[level] & (~uint64_t{1} << current);
    if (ahead == 0) continue;
    int slot = std::countr_zero(ahead);
    uint64_t block = tick_ >> ((level + 1) * slot_bits) << slot_bits;
    position = {level, slot, (block | static_cast<uint64_t>(slot)) << (level * slot_bits)};
    return true;
  }
  return false;
}

bool TimerWheel::before(const Timer &a, const Timer &b) {
  if (a.deadline_ns != b.deadline_ns) return a.deadline_ns < b.deadline_ns;
  if (a.order != b.order) return a.order < b.order;
  if (a.depth != b.depth) return a.depth > b.depth;
  return a.sequence < b.sequence;
}

// A pairing heap (Fredman, Sedgewick, Sleator and Tarjan, 1986) of the timers themselves. The root
// has no `next`, and what points to it is heap_, so that its `pointer_here` says nothing.

Timer *TimerWheel::meld(Timer *a, Timer *b) {
  if (a == nullptr) return b;
  if (b == nullptr) return a;
  if (before(*b, *a)) {
    Timer *swap = a;
    a = b;
    b = swap;
  }
  b->next = a->children;
  if (b->next != nullptr) b->next->pointer_here = &b->next;
  b->pointer_here = &a->children;
  a->children = b;
  return a;
}

// Melds siblings pairwise from the front, then the pairs from the back.
Timer *TimerWheel::combine(Timer *first) {
  Timer *pairs = nullptr;
  while (first != nullptr) {
    Timer *a = first;
    Timer *b = a->next;
    first = b == nullptr ? nullptr : b->next;
    a->next = nullptr;
    if (b != nullptr) b->next = nullptr;
    Timer *pair = meld(a, b);
    pair->next = pairs;
    pairs = pair;
  }
  Timer *root = nullptr;
  while (pairs != nullptr) {
    Timer *next = pairs->next;
    pairs->next = nullptr;
    root = meld(root, pairs);
    pairs = next;
  }
  return root;
}

void TimerWheel::heap_insert(Timer &timer) {
  timer.place = Timer::Place::heap;
  timer.next = nullptr;
  timer.children = nullptr;
  heap_ = meld(heap_, &timer);
}

void TimerWheel::heap_remove(Timer &timer) {
  Timer *orphans = combine(timer.children);
  if (&timer == heap_) {
    heap_ = orphans;
  } else {
    *timer.pointer_here = timer.next;
    if (timer.next != nullptr) timer.next->pointer_here = timer.pointer_here;
    heap_ = meld(heap_, orphans);
  }
}

}  // namespace weir
