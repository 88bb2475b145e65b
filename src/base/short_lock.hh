// SPDX-License-Identifier: MIT
//
// A lock for some tens of instructions: one atomic exchange to take it, one store to give it back.
// Who finds it taken spins for about as long as it is ever held, then lets others run, then sleeps:
// so a holder that lost its processor gets it back, also if the waiter has the higher priority. Who
// waits says so, and whoever comes then waits a moment too: otherwise a thread that takes the lock
// again and again would keep it, as the line is in its own cache. Nothing that waits, allocates or
// calls back may happen under it.

#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

// Tells the processor that this thread waits for another one's store.
inline void relax_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb");
#endif
}

class ShortLock {
 public:
  ShortLock() = default;
  ShortLock(const ShortLock &) = delete;
  ShortLock &operator=(const ShortLock &) = delete;

  void lock() {
    lock_unless([] { return false; });
  }

  // False if the lock was not to be had and `hopeless()` says that it never will be: in a forked
  // child the holder may be a thread that does not exist.
  template <typename Hopeless>
  bool lock_unless(Hopeless hopeless) {
    if (waiting_.load(std::memory_order_relaxed) == 0 && take()) return true;
    return contend(hopeless);
  }

  void unlock() { state_.store(0, std::memory_order_release); }

 private:
  static constexpr uint32_t spin_rounds = 100;
  static constexpr uint32_t yield_rounds = spin_rounds + 10;

  bool take() { return state_.exchange(1, std::memory_order_acquire) == 0; }
  static void wait(uint32_t round);

  template <typename Hopeless>
  __attribute__((noinline)) bool contend(Hopeless hopeless) {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    bool taken = false;
    for (uint32_t round = 0; !taken; ++round) {
      wait(round);
      taken = state_.load(std::memory_order_relaxed) == 0 && take();
      if (!taken && round > spin_rounds && hopeless()) break;
    }
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return taken;
  }

  std::atomic<uint32_t> state_{0};
  std::atomic<uint32_t> waiting_{0};
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
