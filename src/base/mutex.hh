// SPDX-License-Identifier: MIT
//
// pthread's mutex and condition under short names, with scoped locking. No code that weir does not
// own (callbacks, allocators) runs under a Mutex, except where a comment says so.

#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <ctime>

namespace weir {

class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex &) = delete;
  Mutex &operator=(const Mutex &) = delete;
  ~Mutex() { pthread_mutex_destroy(&mutex_); }

  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }
  pthread_mutex_t *native() { return &mutex_; }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

class Lock {
 public:
  explicit Lock(Mutex &mutex) : mutex_(mutex) { mutex_.lock(); }
  Lock(const Lock &) = delete;
  Lock &operator=(const Lock &) = delete;
  ~Lock() { mutex_.unlock(); }

 private:
  Mutex &mutex_;
};

// A mutex that is mostly held for less than it takes to put a thread to sleep and to wake it: who
// finds it held looks again for about that long first (Karlin et al., "Empirical studies of
// competitive spinning for a shared-memory multiprocessor", 1991). He only looks until it seems to
// be free: trying to take it would take its line away from the holder each time. Then he sleeps in
// the kernel, after Drepper, "Futexes Are Tricky", 2011:
//
//   free     lock   -> held      by a compare-exchange
//   held     unlock -> free      by an exchange
//   held     sleep  -> awaited   before the kernel is asked, which looks again
//   awaited  unlock -> free      and one sleeper is woken
//   free     sleep  -> awaited   who has slept takes it so: others may sleep still
class SoonMutex {
 public:
  SoonMutex() = default;
  SoonMutex(const SoonMutex &) = delete;
  SoonMutex &operator=(const SoonMutex &) = delete;
  ~SoonMutex() = default;

  void lock() {
    if (!try_lock()) contend();
  }
  void unlock() {
    if (state_.exchange(free, std::memory_order_release) == awaited) wake();
  }

 private:
  static constexpr uint32_t free = 0;
  static constexpr uint32_t held = 1;
  static constexpr uint32_t awaited = 2;

  bool try_lock() {
    uint32_t expected = free;
    return state_.compare_exchange_strong(expected, held, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }
  void contend();
  void wake();

  std::atomic<uint32_t> state_{free};
};

class SoonLock {
 public:
  explicit SoonLock(SoonMutex &mutex) : mutex_(mutex) { mutex_.lock(); }
  SoonLock(const SoonLock &) = delete;
  SoonLock &operator=(const SoonLock &) = delete;
  ~SoonLock() { mutex_.unlock(); }

 private:
  SoonMutex &mutex_;
};

// Waits by the monotonic clock.
class Condition {
 public:
  Condition();
  Condition(const Condition &) = delete;
  Condition &operator=(const Condition &) = delete;
  ~Condition() { pthread_cond_destroy(&condition_); }

  void wake_all() { pthread_cond_broadcast(&condition_); }
  void wait(Mutex &mutex) { pthread_cond_wait(&condition_, mutex.native()); }
  // False when `deadline_ns` of the monotonic clock has passed; INT64_MAX never does.
  bool wait_until(Mutex &mutex, int64_t deadline_ns);

 private:
  pthread_cond_t condition_;
};

}  // namespace weir
