// SPDX-License-Identifier: MIT

#include "cache/ghosts.hh"

#include <cstring>

namespace weir {

namespace {

constexpr uint32_t ghosts_line_bytes = 64;
constexpr uint32_t ghosts_per_line = 8;
constexpr uint64_t ghosts_per_entry = 2;

// What is allocated: a line more than what is used, to align the rest.
size_t ghosts_size(uint32_t lines) { return (size_t{lines} + 1) * ghosts_line_bytes; }

uint32_t ghosts_print(uint32_t fingerprint) { return fingerprint == 0 ? 1 : fingerprint; }

}  // namespace

void Ghosts::release(void *memory, uint32_t lines) {
  if (memory != nullptr) heap_->free(memory, ghosts_size(lines));
}

Ghosts::Ghost *Ghosts::line(uint32_t fingerprint) const {
  return ghosts_ + ((uint64_t{fingerprint} * lines_) >> 32) * ghosts_per_line;
}

// By then there are all the entries that a bound allows; where the bound is by weight they may
// become more, and the table grows by halves at least.
void Ghosts::remember(uint32_t fingerprint, uint32_t stamp, uint32_t entries) {
  uint64_t room = uint64_t{lines_} * ghosts_per_line;
  if (room * 3 < entries * ghosts_per_entry * 2 && entries >= refused_) grow(entries);
  if (ghosts_ != nullptr) place({ghosts_print(fingerprint), stamp});
}

// In a free place, or in that of the one used longest ago. Nobody is in it twice: who came in was
// taken out of it.
void Ghosts::place(Ghost ghost) {
  Ghost *place = line(ghost.fingerprint);
  Ghost *end = place + ghosts_per_line;
  for (Ghost *each = place; each != end; each++) {
    if (each->fingerprint == 0) {
      place = each;
      break;
    }
    if (stamp_later(place->stamp, each->stamp)) place = each;
  }
  *place = ghost;
}

EvictionPast Ghosts::take(uint32_t fingerprint) {
  if (ghosts_ == nullptr) return {false, 0};
  fingerprint = ghosts_print(fingerprint);
  Ghost *ghost = line(fingerprint);
  Ghost *last = ghost + ghosts_per_line - 1;
  while (ghost->fingerprint != fingerprint) {
    if (ghost++ == last) return {false, 0};
  }
  ghost->fingerprint = 0;
  return {true, ghost->stamp};
}

[[gnu::cold]] void Ghosts::grow(uint32_t entries) {
  auto lines = static_cast<uint32_t>((entries * ghosts_per_entry) / ghosts_per_line + 1);
  void *memory = heap_->allocate(ghosts_size(lines));
  if (memory == nullptr) {
    refused_ = entries + entries / 2 + 1;
    return;
  }
  void *old_memory = memory_;
  Ghost *old = ghosts_;
  uint32_t old_lines = lines_;
  auto address = reinterpret_cast<uintptr_t>(memory) + ghosts_line_bytes - 1;
  ghosts_ = reinterpret_cast<Ghost *>(address & ~uintptr_t{ghosts_line_bytes - 1});
  memory_ = memory;
  lines_ = lines;
  std::memset(static_cast<void *>(ghosts_), 0, size_t{lines} * ghosts_line_bytes);
  for (size_t i = 0; i < size_t{old_lines} * ghosts_per_line; i++) {
    if (old[i].fingerprint != 0) place(old[i]);
  }
  release(old_memory, old_lines);
}

}  // namespace weir
