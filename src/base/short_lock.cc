// SPDX-License-Identifier: MIT
#include "base/short_lock.hh"

#include <sched.h>

#include <ctime>

namespace weir {

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

void ShortLock::await_long() const {
  for (uint32_t round = 0; state_.load(std::memory_order_seq_cst) != 0; ++round) wait(round);
}

}  // namespace weir
