// SPDX-License-Identifier: MIT
#include "base/random.hh"

#include <sys/random.h>

#include "base/time.hh"

namespace weir {

uint64_t Random::system_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != static_cast<ssize_t>(sizeof(seed))) {
    // Early boot or a sandbox: the clock and an address that is laid out at random must do.
    seed = mix64(static_cast<uint64_t>(monotonic_now()) ^ reinterpret_cast<uintptr_t>(&seed));
  }
  return seed == 0 ? 1 : seed;
}

}  // namespace weir
