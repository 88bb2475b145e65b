// SPDX-License-Identifier: MIT
//
// Options that can be replaced while runs are under way. What was read from an options struct,
// callbacks and all, is one SET that never changes: a run takes the current one when it enters the
// policy, keeps it to its end, and pays a plain load and a plain count for that. Replacing puts
// another set in its place and sends the old one to the engine's thread, where a task of its own
// ends it as soon as no run uses it any more: so its free functions run once, there, after the last
// run that may call it, and inside of no run's step.
//
// Invariants:
// - Users are counted by the engine's thread alone. It takes the current set and counts itself in
//   one step, so a set that is about to be retired either was taken before its task runs, or is not
//   taken any more.
// - Other threads (a decide door) may look into the current set only under a lock that is held
//   around the exchange too, and may not call back from there.
// - The owner outlives the runs that use its sets; a retired set outlives the owner, if need be.

#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/heap.hh"
#include "engine/task.hh"

namespace weir {

// What does not depend on the type of the options.
class LiveSetBase : public Task {
 public:
  using EndFn = void (*)(Heap *heap, LiveSetBase *set);

  LiveSetBase(Heap *heap, EndFn end) : Task(retire_task), heap_(heap), end_(end) {}
  LiveSetBase(const LiveSetBase &) = delete;
  LiveSetBase &operator=(const LiveSetBase &) = delete;

  // The engine's thread.
  void enter() { ++users_; }
  void leave(weir_runtime &runtime) {
    if (--users_ == 0 && retired_) retire(runtime);
  }

  // It is not current any more. Any thread.
  void retire(weir_runtime &runtime);
  // Nobody ever used it, or nobody can any more.
  void end() { end_(heap_, this); }

 private:
  static void retire_task(weir_runtime &runtime, Task &task);

  Heap *heap_;
  EndFn end_;
  uint32_t users_ = 0;
  bool retired_ = false;
};

// T has a constructor that cannot fail, and a destructor that frees what is in it.
template <typename T>
struct LiveSet : LiveSetBase {
  template <typename... Args>
  explicit LiveSet(Heap *heap, Args &&...args)
      : LiveSetBase(heap, end_set), options(std::forward<Args>(args)...) {}

  static void end_set(Heap *heap, LiveSetBase *set) { heap->destroy(static_cast<LiveSet *>(set)); }

  T options;
};

template <typename T>
class LiveOptions {
 public:
  using Set = LiveSet<T>;

  LiveOptions() = default;
  LiveOptions(const LiveOptions &) = delete;
  LiveOptions &operator=(const LiveOptions &) = delete;
  ~LiveOptions() {
    if (Set *set = current_.load(std::memory_order_acquire)) set->end();
  }

  // The first one, before anybody knows the owner.
  void begin(Set *set) { current_.store(set, std::memory_order_release); }

  // What runs that enter now go by; leave() has to follow. The engine's thread.
  Set *take() {
    Set *set = current_.load(std::memory_order_acquire);
    set->enter();
    return set;
  }

  // For who has the lock, or knows that nobody replaces it.
  const T &current() const { return current_.load(std::memory_order_acquire)->options; }

  // Any thread; what it returns has to be retired, without any lock held.
  [[nodiscard]] Set *exchange(Set *set) {
    return current_.exchange(set, std::memory_order_acq_rel);
  }
  void replace(weir_runtime &runtime, Set *set) { exchange(set)->retire(runtime); }

 private:
  std::atomic<Set *> current_{nullptr};
};

}  // namespace weir
