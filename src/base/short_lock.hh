// SPDX-License-Identifier: MIT
//
// A lock for some tens of instructions: one atomic exchange to take it, one store to give it back.
// Who finds it taken spins for about as long as it is ever held, then lets others run, then
// sleeps: so a holder that lost its processor gets it back, also if the waiter has the higher
// priority. Who waits long says so, and whoever comes then waits a moment too: otherwise a thread
// that takes the lock again and again would keep it, as the line is in its own cache. Nothing that
// waits, allocates or calls back may happen under it.
//
// It can also be shut, by one thread at a time: then nobody gets in, and who is in leaves. That
// goes before all who wait, and costs few transfers of the line. Either the one who comes in sees
// that it is shut, or the one who shuts it sees him (Dekker's way, hence the sequential
// consistency).

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

  // Then shut_now() and await(). Who shuts several shuts all of them first: one fence does for all,
  // and those inside leave at the same time.
  void shut() { shut_.store(1, std::memory_order_relaxed); }
  static void shut_now() { std::atomic_thread_fence(std::memory_order_seq_cst); }
  // From here on it belongs to who has shut it, until open().
  void await() const {
    if (state_.load(std::memory_order_seq_cst) != 0) await_long();
  }
  void open() { shut_.store(0, std::memory_order_release); }

  // What a waiter does in the nth round: also for those who wait for something else so short.
  static void wait(uint32_t round);

 private:
  static constexpr uint32_t patient_rounds = 24;
  static constexpr uint32_t spin_rounds = 100;
  static constexpr uint32_t yield_rounds = spin_rounds + 10;

  bool take() {
    if (state_.exchange(1, std::memory_order_seq_cst) != 0) return false;
    if (shut_.load(std::memory_order_seq_cst) == 0) return true;
    state_.store(0, std::memory_order_release);
    return false;
  }
  bool free() const {
    return shut_.load(std::memory_order_relaxed) == 0 &&
           state_.load(std::memory_order_relaxed) == 0;
  }

  void await_long() const;

  template <typename Hopeless>
  __attribute__((noinline)) bool contend(Hopeless hopeless) {
    bool taken = false;
    uint32_t round = 0;
    for (; !taken; ++round) {
      if (round == patient_rounds) waiting_.fetch_add(1, std::memory_order_relaxed);
      wait(round);
      taken = free() && take();
      if (!taken && round > spin_rounds && hopeless()) break;
    }
    if (round > patient_rounds) waiting_.fetch_sub(1, std::memory_order_relaxed);
    return taken;
  }

  std::atomic<uint32_t> state_{0};
  std::atomic<uint32_t> shut_{0};
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
