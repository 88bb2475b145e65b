// SPDX-License-Identifier: MIT
//
// All timers of a runtime: a hierarchical timing wheel (Varghese and Lauck, "Hashed and
// hierarchical timing wheels", 1987) over a small heap. Start, move and cancel are O(1) while a
// timer's tick (about a millisecond) is ahead; timers of the tick that has come are ordered to the
// nanosecond in the heap.
//
// Invariants:
// - tick_ is a tick index. A timer whose tick is ≤ tick_ is in the heap, every other in the slot
//   that the highest differing group of 6 bits between its tick and tick_ names. So the heap's top
//   is the earliest of all, and slots before the current one are empty.
// - While a slot is being emptied (draining_), nothing fires: the heap may lack timers of this
//   tick.
// - A timer taken out of the middle of its slot leaves a gap: its two neighbours point to where it
//   was, which may be freed by now, until they are linked to each other. That is done when the next
//   timer is taken out of a slot: their memory is cold, and comes meanwhile. There is one gap at
//   most, never at the front of a slot, and the timer before it is in the same slot: so whoever
//   looks at a slot's first timer, or whether there is one, need not know of it.
// - Firing order: deadline, then the order armed; but timers of one run that share a deadline fire
//   innermost first (`order` is inherited from the outermost of them, `depth` decides within).
//
// The engine's thread only, but for size(). Allocates nothing.

#pragma once

#include <atomic>
#include <cstdint>

struct weir_runtime;

namespace weir {

struct Timer {
  using FireFn = void (*)(weir_runtime &runtime, Timer &timer);

  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): see below
  explicit Timer(FireFn function = nullptr) : fire(function) {}

  bool armed() const { return place != Place::nowhere; }

  enum class Place : uint8_t { nowhere, slot, heap };

  FireFn fire;
  Place place = Place::nowhere;
  // The rest is set by arming: a run makes a timer for each of its layers and arms few.
  uint8_t level;
  uint8_t slot;
  uint32_t depth;
  // In a slot: neighbour, and what points here. In the heap: sibling, what points here, children.
  // First, so that what taking it out of a slot needs is within 40 bytes; and the two of a slot not
  // side by side, or compilers fetch them at once, before the two stores that set them have ended.
  Timer *next;
  Timer *children;
  Timer **pointer_here;
  int64_t deadline_ns;
  uint64_t order;
  uint64_t sequence;
};

class TimerWheel {
 public:
  // Starts at this time; before the first arm.
  void begin(int64_t now_ns) { tick_ = tick_of(now_ns); }

  // `timer` must not be armed; a deadline of never_ns leaves it so. `outer` (nullable) is a timer
  // of the same run, further out, that is armed: with the same deadline it fires after this one.
  void arm(Timer &timer, int64_t deadline_ns, uint32_t depth = 0, const Timer *outer = nullptr);

  // Harmless on a timer that is not armed.
  void disarm(Timer &timer);

  // The next timer due at `now_ns`, disarmed; NULL if there is none or `budget` (one unit a timer
  // that is moved on the way) ran out: then it is 0 and more may be due.
  Timer *pop_due(int64_t now_ns, uint32_t &budget);

  // Not later than the first deadline; never_ns if nothing is armed.
  int64_t next_deadline() const;

  // Any thread.
  uint64_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr int tick_shift = 20;
  static constexpr int slot_bits = 6;
  static constexpr int slots = 1 << slot_bits;
  static constexpr int levels = 8;  // 2^(20 + 6·8) ns: more than an int64 holds

  struct Position {
    int level;
    int slot;
    uint64_t start;  // tick
  };

  static uint64_t tick_of(int64_t ns) {
    return ns <= 0 ? 0 : static_cast<uint64_t>(ns) >> tick_shift;
  }
  static bool before(const Timer &a, const Timer &b);
  static Timer *meld(Timer *a, Timer *b);
  static Timer *combine(Timer *first);

  void set_size(uint64_t size) { size_.store(size, std::memory_order_relaxed); }
  void place(Timer &timer);
  void unlink(Timer &timer);
  void close_gap();
  void heap_insert(Timer &timer);
  void heap_remove(Timer &timer);
  bool next_slot(Position &position) const;
  void drain(uint32_t &budget);

  uint64_t tick_ = 0;
  uint64_t sequence_ = 0;
  std::atomic<uint64_t> size_{0};  // one writer
  bool draining_ = false;
  int draining_level_ = 0;
  int draining_slot_ = 0;
  Timer *heap_ = nullptr;
  Timer **gap_ = nullptr;  // what points into it; NULL: there is none
  Timer *behind_gap_ = nullptr;
  uint64_t occupied_[levels] = {};
  Timer *slots_[levels][slots] = {};
};

}  // namespace weir
