// SPDX-License-Identifier: MIT
#include "cache/expiry.hh"

namespace weir {

namespace {

// A sixth, for the bits of a word.
constexpr int level_of(int bit) { return bit * 43 >> 8; }
static_assert(level_of(5) == 0 && level_of(6) == 1 && level_of(41) == 6 && level_of(42) == 7);

}  // namespace

ExpiryWheel::~ExpiryWheel() {
  if (slots_ != nullptr) heap_->free(slots_, sizeof(Entry *) * levels * slots);
}

bool ExpiryWheel::make_slots(int64_t now_ns) {
  slots_ = static_cast<Entry **>(heap_->allocate(sizeof(Entry *) * levels * slots));
  if (slots_ == nullptr) return false;
  std::memset(static_cast<void *>(slots_), 0, sizeof(Entry *) * levels * slots);
  tick_ = now_ns <= 0 ? 0 : static_cast<uint64_t>(now_ns) >> tick_shift;
  return true;
}

void ExpiryWheel::push(Entry *&head, Entry &entry) {
  entry.expiry_next = head;
  entry.expiry_here = &head;
  if (head != nullptr) head->expiry_here = &entry.expiry_next;
  head = &entry;
}

void ExpiryWheel::insert(Entry &entry, int64_t deadline_ns) {
  if (deadline_ns == never_ns) return;
  uint64_t tick = tick_of(deadline_ns);
  if (tick < tick_) tick = tick_;
  uint64_t difference = tick ^ tick_;
  int level = difference == 0 ? 0 : level_of(63 - __builtin_clzll(difference));
  auto slot = static_cast<int>(tick >> (level * slot_bits)) & (slots - 1);
  occupied_[level] |= uint64_t{1} << slot;
  push(slots_[level * slots + slot], entry);
}

void ExpiryWheel::remove(Entry &entry) {
  Entry **here = entry.expiry_here;
  if (here == nullptr) return;
  *here = entry.expiry_next;
  if (entry.expiry_next != nullptr) {
    entry.expiry_next->expiry_here = here;
  } else if (here >= slots_ && here < slots_ + levels * slots) {
    auto index = static_cast<uint32_t>(here - slots_);
    occupied_[index / slots] &= ~(uint64_t{1} << (index % slots));
  }
  entry.expiry_here = nullptr;
}

// The occupied slot that begins first. At a level above the first the current slot is empty: what
// is in the current group lies lower.
bool ExpiryWheel::next_slot(Position &position) const {
  for (int level = 0; level < levels; ++level) {
    int shift = level * slot_bits;
    auto current = static_cast<int>(tick_ >> shift) & (slots - 1);
    uint64_t ahead = occupied_[level] >> current << current;
    if (ahead == 0) continue;
    int slot = __builtin_ctzll(ahead);
    uint64_t group = tick_ >> shift >> slot_bits << slot_bits;
    position = {level, slot, (group | static_cast<uint64_t>(slot)) << shift};
    return true;
  }
  return false;
}

void ExpiryWheel::take_slot(const Position &position) {
  Entry *&head = slots_[position.level * slots + position.slot];
  due_ = head;
  due_->expiry_here = &due_;
  head = nullptr;
  occupied_[position.level] &= ~(uint64_t{1} << position.slot);
  if (tick_ < position.start) tick_ = position.start;
}

Entry *ExpiryWheel::pop_due(int64_t now_ns) {
  if (slots_ == nullptr) return nullptr;
  uint64_t now = now_ns <= 0 ? 0 : static_cast<uint64_t>(now_ns) >> tick_shift;
  if (due_ == nullptr) {
    // What every put asks, mostly within the tick of the last one.
    if (now <= tick_ && (occupied_[0] >> (tick_ & (slots - 1)) & 1) == 0) return nullptr;
    Position position;
    bool found = next_slot(position);
    if (!found || position.start > now) {
      if (now > tick_) tick_ = now;
      return nullptr;
    }
    take_slot(position);
  }
  Entry *entry = due_;
  remove(*entry);
  return entry;
}

int64_t ExpiryWheel::next_ns() const {
  if (due_ != nullptr) return static_cast<int64_t>(tick_ << tick_shift);
  Position position;
  if (slots_ == nullptr || !next_slot(position)) return never_ns;
  return static_cast<int64_t>(position.start << tick_shift);
}

}  // namespace weir
