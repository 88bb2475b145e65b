// SPDX-License-Identifier: MIT
#include "base/short_lock.hh"

#include <sched.h>

#include <ctime>

namespace weir {
namespace {

void relax_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb");
#endif
}

}  // namespace

void ShortLock::wait(uint32_t round) {
  if (round < spin_rounds) {
    relax_processor();
  } else if (round < yield_rounds) {
    sched_yield();
  } else {
    constexpr timespec moment = {0, 50 * 1000};
    nanosleep(&moment, nullptr);
  }
}

}  // namespace weir
