// SPDX-License-Identifier: MIT
//
// A lock for some tens of instructions: one atomic exchange to take it, one store to give it back.
// Who finds it taken spins for about as long as it is ever held, then lets others run, then sleeps:
// so a holder that lost its processor gets it back, also if the waiter has the higher priority.
// Nothing that waits, allocates or calls back may happen under it.

#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

class ShortLock {
 public:
  ShortLock() = default;
  ShortLock(const ShortLock &) = delete;
  ShortLock &operator=(const ShortLock &) = delete;

  bool try_lock() { return state_.exchange(1, std::memory_order_acquire) == 0; }

  void lock() {
    lock_unless([] { return false; });
  }

  // False if the lock was not to be had and `hopeless()` says that it never will be: in a forked
  // child the holder may be a thread that does not exist.
  template <typename Hopeless>
  bool lock_unless(Hopeless hopeless) {
    if (try_lock()) return true;
    for (uint32_t round = 0;; ++round) {
      wait(round);
      if (state_.load(std::memory_order_relaxed) == 0 && try_lock()) return true;
      if (round > spin_rounds && hopeless()) return false;
    }
  }

  void unlock() { state_.store(0, std::memory_order_release); }

 private:
  static constexpr uint32_t spin_rounds = 100;
  static constexpr uint32_t yield_rounds = spin_rounds + 10;

  static void wait(uint32_t round);

  std::atomic<uint32_t> state_{0};
};

class ShortHold {
 public:
  explicit ShortHold(ShortLock &lock) : lock_(lock) { lock_.lock(); }
  ShortHold(const ShortHold &) = delete;
  ShortHold &operator=(const ShortHold &) = delete;
  ~ShortHold() { lock_.unlock(); }

 private:
  ShortLock &lock_;
};

}  // namespace weir
