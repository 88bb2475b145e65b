// SPDX-License-Identifier: MIT
#include "base/mutex.hh"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/short_lock.hh"
#include "base/time.hh"

namespace weir {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "the kernel reads the word");

[[gnu::cold]] void SoonMutex::contend() {
  constexpr int looks = 512;
  for (int i = 0; i < looks; ++i) {
    relax_processor();
    if (state_.load(std::memory_order_relaxed) == free && try_lock()) return;
  }
  while (state_.exchange(awaited, std::memory_order_acquire) != free) {
    syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, awaited, nullptr);
  }
}

[[gnu::cold]] void SoonMutex::wake() { syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1); }

Condition::Condition() {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&condition_, &attributes);
  pthread_condattr_destroy(&attributes);
}

bool Condition::wait_until(Mutex &mutex, int64_t deadline_ns) {
  if (deadline_ns == never_ns) {
    wait(mutex);
    return true;
  }
  timespec until;
  until.tv_sec = static_cast<time_t>(deadline_ns / ns_per_second);
  until.tv_nsec = static_cast<long>(deadline_ns % ns_per_second);
  return pthread_cond_timedwait(&condition_, mutex.native(), &until) != ETIMEDOUT;
}

}  // namespace weir
