// SPDX-License-Identifier: MIT
//
// A seeded 64-bit hash of bytes: folded 64×64→128-bit multiplications over 16 bytes a step. Not for
// secrets; the seed is per table and from the system, so that keys that collide cannot be prepared.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weir {

inline uint64_t fold_multiply(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t load64(const unsigned char *bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

inline uint64_t load32(const unsigned char *bytes) {
  uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

inline uint64_t hash_bytes(const void *data, size_t size, uint64_t seed) {
  // Digits of pi: odd, without structure, and nobody's choice.
  constexpr uint64_t k0 = 0x243f6a8885a308d3u;
  constexpr uint64_t k1 = 0x13198a2e03707345u;
  constexpr uint64_t k2 = 0xa4093822299f31d1u;
  const auto *bytes = static_cast<const unsigned char *>(data);
  uint64_t state = fold_multiply(seed ^ k0, size + k1);
  size_t left = size;
  for (; left > 16; left -= 16, bytes += 16) {
    state = fold_multiply(load64(bytes) ^ state ^ k1, load64(bytes + 8) ^ seed ^ k2);
  }
  uint64_t low = 0;
  uint64_t high = 0;
  if (left >= 8) {
    low = load64(bytes);
    high = load64(bytes + left - 8);
  } else if (left >= 4) {
    low = load32(bytes);
    high = load32(bytes + left - 4);
  } else if (left > 0) {
    low = static_cast<uint64_t>(bytes[0]) << 16 | static_cast<uint64_t>(bytes[left / 2]) << 8 |
          bytes[left - 1];
  }
  return fold_multiply(fold_multiply(low ^ state ^ k1, high ^ seed ^ k2) ^ k0, state ^ k2);
}

}  // namespace weir
