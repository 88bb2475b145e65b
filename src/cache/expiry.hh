// SPDX-License-Identifier: MIT
//
// The entries of a shard that end some day, in a hierarchical timing wheel (Varghese and Lauck,
// "Hashed and hierarchical timing wheels", 1987): 16 bytes of links an entry, O(1) to put in and
// take out. A tick is 17 ms: nobody is served an expired entry, so sweeping may come that late, and
// the timer that drives it wakes 60 times a second at most. Under the policy lock.
//
// The wheel does not know deadlines: pop_due() gives out the entries of every slot that time has
// reached, and who asked expires them or puts them back by what their deadline is by now. So an
// entry moves down the levels, and one that was used in the meantime (idle_ms) moves back, by the
// same rule.
//
// Invariants:
// - Everything of ticks before tick_ was given out. An entry lies in the slot that the highest
//   differing group of 6 bits between its tick and tick_ names, or in `due_`.
// - A bit in occupied_ is set exactly where a slot is not empty.

#pragma once

#include <cstdint>

#include "base/heap.hh"
#include "base/time.hh"
#include "cache/entry.hh"

namespace weir {

class ExpiryWheel {
 public:
  explicit ExpiryWheel(Heap *heap) : heap_(heap) {}
  ExpiryWheel(const ExpiryWheel &) = delete;
  ExpiryWheel &operator=(const ExpiryWheel &) = delete;
  ~ExpiryWheel();

  // Before the first insertion; false without memory.
  bool ready(int64_t now_ns) { return slots_ != nullptr || make_slots(now_ns); }

  // `entry` is not in the wheel; a deadline of never_ns leaves it so.
  void insert(Entry &entry, int64_t deadline_ns);
  // Harmless if it is not in it.
  void remove(Entry &entry);

  // An entry that may be due by now, taken out; NULL if none is.
  Entry *pop_due(int64_t now_ns);
  bool may_be_due(int64_t now_ns) const { return next_ns() <= now_ns; }

  // When to ask next; never_ns if the wheel is empty.
  int64_t next_ns() const;
  // When an entry with this deadline is given out at the latest, if somebody asks.
  static int64_t sweep_ns(int64_t deadline_ns) {
    return saturating_add(deadline_ns, (int64_t{1} << tick_shift) - 1) >> tick_shift << tick_shift;
  }

 private:
  static constexpr int tick_shift = 24;
  static constexpr int slot_bits = 6;
  static constexpr int slots = 1 << slot_bits;
  static constexpr int levels = 7;  // 2^(24 + 6·7) ns: more than an int64 holds

  struct Position {
    int level;
    int slot;
    uint64_t start;  // tick
  };

  // The first tick whose beginning is not before the deadline.
  static uint64_t tick_of(int64_t deadline_ns) {
    return deadline_ns <= 0 ? 0 : static_cast<uint64_t>(sweep_ns(deadline_ns)) >> tick_shift;
  }

  bool make_slots(int64_t now_ns);
  bool next_slot(Position &position) const;
  void take_slot(const Position &position);
  static void push(Entry *&head, Entry &entry);

  Heap *heap_;
  uint64_t tick_ = 0;
  uint64_t occupied_[levels] = {};
  Entry *due_ = nullptr;
  Entry **slots_ = nullptr;  // levels × slots
};

}  // namespace weir
