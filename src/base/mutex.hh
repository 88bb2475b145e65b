// SPDX-License-Identifier: MIT
//
// pthread's mutex and condition under short names, with scoped locking. No code that weir does not
// own (callbacks, allocators) runs under a Mutex, except where a comment says so.

#pragma once

#include <pthread.h>

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
  // For a mutex that is held for less than it takes to put a thread to sleep: looks again for a
  // while first.
  void lock_soon();
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

class SoonLock {
 public:
  explicit SoonLock(Mutex &mutex) : mutex_(mutex) { mutex_.lock_soon(); }
  SoonLock(const SoonLock &) = delete;
  SoonLock &operator=(const SoonLock &) = delete;
  ~SoonLock() { mutex_.unlock(); }

 private:
  Mutex &mutex_;
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
