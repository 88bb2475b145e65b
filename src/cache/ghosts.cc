// SPDX-License-Identifier: MIT

#include "cache/ghosts.hh"

#include <cstring>

namespace weir {

namespace {

constexpr uint32_t ghosts_line_bytes = 64;
constexpr uint64_t ghosts_per_entry = 2;

// What is allocated: a line more than what is used, to align the rest.
size_t ghosts_size(uint32_t lines) { return (size_t{lines} + 1) * ghosts_line_bytes; }

uint32_t ghosts_print(uint32_t fingerprint) { return fingerprint == 0 ? 1 : fingerprint; }

}  // namespace

void Ghosts::release(void *memory, uint32_t lines) {
  if (memory != nullptr) heap_->free(memory, ghosts_size(lines));
}

// By then there are all the entries that a bound allows; where the bound is by weight they may
// become more, and the table grows by halves at least.
void Ghosts::remember(uint32_t fingerprint, uint32_t stamp, uint32_t now, uint32_t entries) {
  uint64_t room = uint64_t{lines_} * per_line;
  if (room * 3 < entries * ghosts_per_entry * 2 && entries >= refused_) grow(entries, now);
  if (table_ != nullptr) place(ghosts_print(fingerprint), stamp, now);
}

// The lanes it is in, a bit for each.
[[gnu::always_inline]] inline uint32_t Ghosts::find(const Four (&in)[2], int32_t what) {
  constexpr Four lanes[] = {{1, 2, 4, 8}, {16, 32, 64, 128}};
  Four found = ((in[0] == what) & lanes[0]) | ((in[1] == what) & lanes[1]);
  uint64_t halves[2];
  std::memcpy(halves, &found, sizeof(found));
  uint64_t both = halves[0] | halves[1];
  return static_cast<uint32_t>(both | both >> 32);
}

// In a free place, or in that of the one used longest ago, without a branch. Nobody is in it twice:
// who came in was taken out of it.
void Ghosts::place(uint32_t fingerprint, uint32_t stamp, uint32_t now) {
  Line &line = this->line(fingerprint);
  uint32_t base = now ^ 0x80000000;  // ages may wrap; signed comparisons do for these
  Four ages[] = {reinterpret_cast<Four>(base - reinterpret_cast<Unsigned>(line.stamps[0])),
                 reinterpret_cast<Four>(base - reinterpret_cast<Unsigned>(line.stamps[1]))};
  Four most = ages[0] > ages[1] ? ages[0] : ages[1];
  Four other = __builtin_shufflevector(most, most, 2, 3, 0, 1);
  most = most > other ? most : other;
  other = __builtin_shufflevector(most, most, 1, 0, 3, 2);
  most = most > other ? most : other;
  int lane = __builtin_ctz(find(ages, most[0]));
  line.fingerprints[lane / 4][lane % 4] = static_cast<int32_t>(fingerprint);
  line.stamps[lane / 4][lane % 4] = static_cast<int32_t>(stamp);
}

EvictionPast Ghosts::take(uint32_t fingerprint) {
  if (table_ == nullptr) return {false, 0};
  fingerprint = ghosts_print(fingerprint);
  Line &line = this->line(fingerprint);
  uint32_t lanes = find(line.fingerprints, static_cast<int32_t>(fingerprint));
  if (lanes == 0) return {false, 0};
  int lane = __builtin_ctz(lanes);
  auto stamp = static_cast<uint32_t>(line.stamps[lane / 4][lane % 4]);
  line.fingerprints[lane / 4][lane % 4] = line.stamps[lane / 4][lane % 4] = 0;
  return {true, stamp};
}

[[gnu::cold]] void Ghosts::grow(uint32_t entries, uint32_t now) {
  auto lines = static_cast<uint32_t>((entries * ghosts_per_entry) / per_line + 1);
  void *memory = heap_->allocate(ghosts_size(lines));
  if (memory == nullptr) {
    refused_ = entries + entries / 2 + 1;
    return;
  }
  void *old_memory = memory_;
  auto *old = reinterpret_cast<uint32_t *>(table_);
  uint32_t old_lines = lines_;
  auto address = reinterpret_cast<uintptr_t>(memory) + ghosts_line_bytes - 1;
  table_ = reinterpret_cast<Line *>(address & ~uintptr_t{ghosts_line_bytes - 1});
  memory_ = memory;
  lines_ = lines;
  std::memset(static_cast<void *>(table_), 0, size_t{lines} * ghosts_line_bytes);
  for (uint32_t i = 0; i < old_lines * per_line; i++) {
    uint32_t *fingerprint = old + i + i / per_line * per_line;
    if (*fingerprint != 0) place(*fingerprint, fingerprint[per_line], now);
  }
  release(old_memory, old_lines);
}

}  // namespace weir
