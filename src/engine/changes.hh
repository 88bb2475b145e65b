// SPDX-License-Identifier: MIT
//
// From a policy's transitions to its listeners. A transition happens under the policy's mutex on
// any thread; its listeners run later, on the engine's thread, with no lock held. In between a
// change waits here, in a ring of 8: when it is full the newest is kept, the oldest is given up and
// counted.
//
// Use: under the mutex `wake = ring.push(change)`; after unlocking, if it said so, `ring.post()`.
//
// Invariants:
// - The owner's mutex guards everything but `entered_`, which belongs to the task.
// - `posted_` from the push that found it false until the task finds the ring empty: so the task is
//   queued once at most, and changes are delivered one after the other, in order.
// - A queued task keeps the owner alive: by an inside reference when it was posted on the engine's
//   thread (where a run may hold the owner by nothing else), by an outside one otherwise.
// - One change a task: a listener that changes the state again cannot hold up the turn.

#pragma once

#include <cstdint>

#include "base/mutex.hh"
#include "engine/handle.hh"
#include "engine/runtime.hh"
#include "engine/task.hh"

namespace weir {

// `Change` has a `sequence`, which push() fills in: 1, 2, 3 ...; what was given up leaves a gap.
template <typename Change>
class ChangeRing : Task {
 public:
  // Tells everybody who listens. The engine's thread, no lock held.
  using DeliverFn = void (*)(Handle &owner, const Change &change);

  ChangeRing(Handle &owner, Mutex &mutex, DeliverFn deliver)
      : Task(&ChangeRing::run_task), owner_(owner), mutex_(mutex), deliver_(deliver) {}
  ChangeRing(const ChangeRing &) = delete;
  ChangeRing &operator=(const ChangeRing &) = delete;

  // Under the mutex. True: post() has to follow.
  bool push(Change change) {
    change.sequence = ++sequence_;
    if (count_ == capacity) {
      first_ = (first_ + 1) % capacity;
      --count_;
      ++missed_;
    }
    slots_[(first_ + count_) % capacity] = change;
    ++count_;
    bool wake = !posted_;
    posted_ = true;
    return wake;
  }

  // Without the mutex; the caller holds a reference of the owner.
  void post() {
    weir_runtime &runtime = *owner_.runtime();
    entered_ = runtime.on_thread();
    if (entered_) {
      owner_.enter();
    } else {
      owner_.ref();
    }
    runtime.post(*this);
  }

  // Under the mutex: changes that were given up.
  uint64_t missed() const { return missed_; }

 private:
  static constexpr uint32_t capacity = 8;

  static void run_task(weir_runtime &runtime, Task &task) {
    ChangeRing &ring = static_cast<ChangeRing &>(task);
    Change change = ring.pop();
    ring.deliver_(ring.owner_, change);
    bool entered = ring.entered_;
    Handle &owner = ring.owner_;
    if (ring.more()) {
      runtime.post(task);
    } else if (entered) {
      owner.leave();
    } else {
      owner.unref();
    }
  }

  Change pop() {
    Lock lock(mutex_);
    Change change = slots_[first_];
    first_ = (first_ + 1) % capacity;
    --count_;
    return change;
  }

  // Whether there is another; if not, the next push posts again.
  bool more() {
    Lock lock(mutex_);
    posted_ = count_ > 0;
    return posted_;
  }

  Handle &owner_;
  Mutex &mutex_;
  DeliverFn deliver_;
  uint64_t sequence_ = 0;
  uint64_t missed_ = 0;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  bool posted_ = false;
  bool entered_ = false;
  Change slots_[capacity];
};

}  // namespace weir
