// SPDX-License-Identifier: MIT

#include "cache/sketch.hh"

#include <cstring>

namespace weir {

namespace {

constexpr uint32_t sketch_line_bytes = 64;
constexpr uint32_t sketch_line_words = 8;
constexpr uint32_t sketch_line_counters = 128;
constexpr uint32_t sketch_least_lines = 128;
constexpr uint32_t sketch_counters_per_entry = 8;
constexpr uint32_t sketch_uses_per_entry = 16;  // a round of the hand
constexpr uint32_t sketch_least_entries = 10;   // for a round
constexpr unsigned sketch_rows = 4;
constexpr unsigned sketch_most = 15;

uint64_t sketch_mix(uint32_t fingerprint) {
  uint64_t mixed = (uint64_t{fingerprint} + 0x9e3779b9u) * 0xd6e8feb86659fd93u;
  return mixed ^ (mixed >> 32);
}

// Which of a row's 32 counters is a key's. A row of a line is two words.
unsigned sketch_column(uint64_t mixed, unsigned row) {
  return static_cast<unsigned>(mixed >> (row * 5)) & 31;
}

uint64_t &sketch_word(uint64_t *line, unsigned row, unsigned column) {
  return line[row * 2 + (column >> 4)];
}

unsigned sketch_shift(unsigned column) { return column * 4 & 63; }

unsigned sketch_least(uint64_t *line, uint64_t mixed) {
  unsigned least = sketch_most;
#pragma GCC unroll 4
  for (unsigned row = 0; row < sketch_rows; row++) {
    unsigned column = sketch_column(mixed, row);
    uint64_t shifted = sketch_word(line, row, column) >> sketch_shift(column);
    unsigned each = static_cast<unsigned>(shifted) & sketch_most;
    least = each < least ? each : least;
  }
  return least;
}

// The least of a key's counters, unless it is the most that there is, becomes one more, and those
// that equal it.
void sketch_raise(uint64_t *line, uint64_t mixed) {
  uint64_t *words[sketch_rows];
  unsigned shifts[sketch_rows];
  unsigned counts[sketch_rows];
  unsigned least = sketch_most;
#pragma GCC unroll 4
  for (unsigned row = 0; row < sketch_rows; row++) {
    unsigned column = sketch_column(mixed, row);
    shifts[row] = sketch_shift(column);
    words[row] = &sketch_word(line, row, column);
    counts[row] = static_cast<unsigned>(*words[row] >> shifts[row]) & sketch_most;
    least = counts[row] < least ? counts[row] : least;
  }
  if (least == sketch_most) return;
#pragma GCC unroll 4
  for (unsigned row = 0; row < sketch_rows; row++) {
    *words[row] += uint64_t{counts[row] == least} << shifts[row];
  }
}

// What is allocated: a line more than what is used, to align the rest.
size_t sketch_size(uint32_t lines) { return (size_t{lines} + 1) * sketch_line_bytes; }

}  // namespace

FrequencySketch::~FrequencySketch() {
  if (memory_ != nullptr) heap_->free(memory_, sketch_size(lines_));
}

uint64_t *FrequencySketch::line(uint64_t mixed) const {
  return words_ + ((mixed >> 32) & (lines_ - 1)) * sketch_line_words;
}

unsigned FrequencySketch::estimate(uint32_t fingerprint) const {
  if (words_ == nullptr) return 0;
  uint64_t mixed = sketch_mix(fingerprint);
  return sketch_least(line(mixed), mixed);
}

void FrequencySketch::add(uint32_t fingerprint, uint32_t entries) {
  if (words_ == nullptr) return;
  uint64_t mixed = sketch_mix(fingerprint);
  sketch_raise(line(mixed), mixed);
  age(entries);
}

void FrequencySketch::age(uint32_t entries) {
  constexpr uint64_t low_bits = 0x7777777777777777u;
  if (entries < sketch_least_entries) entries = sketch_least_entries;
  uint64_t round = uint64_t{entries} * sketch_uses_per_entry;
  uint32_t words = lines_ * sketch_line_words;
  for (owed_ += words; owed_ >= round; owed_ -= round) {
    words_[hand_] = (words_[hand_] >> 1) & low_bits;
    hand_ = (hand_ + 1) & (words - 1);
  }
}

void FrequencySketch::reserve(uint32_t entries) {
  uint64_t counters = uint64_t{lines_} * sketch_line_counters;
  if (lines_ != 0 && counters >= uint64_t{entries} * sketch_counters_per_entry) return;
  if (entries >= refused_) grow(entries);
}

// Keys of one line part, by one bit more, into it and its twin: both begin with its counters.
[[gnu::cold]] void FrequencySketch::grow(uint32_t entries) {
  uint32_t lines = lines_ == 0 ? sketch_least_lines : lines_ * 2;
  void *memory = heap_->allocate(sketch_size(lines));
  if (memory == nullptr) {
    refused_ = entries + entries / 2 + 1;
    return;
  }
  auto address = reinterpret_cast<uintptr_t>(memory) + sketch_line_bytes - 1;
  auto *words = reinterpret_cast<uint64_t *>(address & ~uintptr_t{sketch_line_bytes - 1});
  size_t size = size_t{lines_} * sketch_line_bytes;
  if (words_ == nullptr) {
    std::memset(words, 0, size_t{lines} * sketch_line_bytes);
  } else {
    std::memcpy(words, words_, size);
    std::memcpy(words + size / sizeof(*words), words_, size);
    heap_->free(memory_, sketch_size(lines_));
  }
  memory_ = memory;
  words_ = words;
  lines_ = lines;
}

}  // namespace weir
