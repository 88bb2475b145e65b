// SPDX-License-Identifier: MIT
#include "policy/limiter_keys.hh"

#include <algorithm>

namespace weir {
namespace {

// At max_keys so many slots are looked at for one newcomer; small tables are looked at whole.
constexpr uint64_t key_sweep = 256;
constexpr uint64_t small_key_table = 4096;

}  // namespace

KeyTable::~KeyTable() {
  if (memory_ != nullptr) heap_->free(memory_, memory_size_);
}

bool KeyTable::init(uint64_t max_keys, bool evict, const RateRule &rule, int64_t now_ns) {
  uint64_t slots = max_keys + max_keys / 2;
  line_count_ = static_cast<uint32_t>(std::max<uint64_t>(2, (slots + line_slots - 1) / line_slots));
  memory_size_ = line_count_ * sizeof(Line) + cache_line;
  memory_ = heap_->allocate(memory_size_);
  if (memory_ == nullptr) return false;
  auto address = (reinterpret_cast<uintptr_t>(memory_) + cache_line - 1) & ~(cache_line - 1);
  lines_ = reinterpret_cast<Line *>(address);
  for (uint32_t i = 0; i < line_count_; ++i) new (&lines_[i]) Line{};
  max_keys_ = max_keys;
  evict_ = evict;
  rule_ = rule;
  scale_.set(rule, now_ns, 0);
  return true;
}

KeyTable::Lines KeyTable::lines_of(uint64_t tag) const {
  auto first = static_cast<uint32_t>((tag & UINT32_MAX) * line_count_ >> 32);
  auto second = static_cast<uint32_t>((tag >> 32) * line_count_ >> 32);
  if (first == second) second = first + 1 == line_count_ ? 0 : first + 1;
  return {&lines_[first], &lines_[second]};
}

KeyTable::Slot *KeyTable::find(const Lines &lines, uint64_t tag) {
  for (Line *line : {lines.first, lines.second}) {
    for (Slot &slot : line->slots) {
      if (slot.tag.load(std::memory_order_acquire) == tag) return &slot;
    }
  }
  return nullptr;
}

void KeyTable::prefetch(uint64_t hash) const {
  Lines lines = lines_of(tag_of(hash));
  __builtin_prefetch(lines.first);
  __builtin_prefetch(lines.second);
}

Take KeyTable::take(uint64_t hash, int64_t permits, int64_t now_ns) {
  uint64_t tag = tag_of(hash);
  Lines lines = lines_of(tag);
  __builtin_prefetch(lines.second);
  uint32_t epoch = epoch_.load(std::memory_order_acquire);
  Scale::Values scale = scale_.load();
  bool legal = scale.reaches(now_ns) && static_cast<uint64_t>(permits) <= scale.burst;
  if ((epoch & 1) != 0 || !legal) return Take::elsewhere;
  Slot *slot = find(lines, tag);
  if (slot == nullptr) return Take::elsewhere;
  uint64_t now = scale.number(now_ns);
  uint64_t number = slot->number.load(std::memory_order_acquire);
  while (number != moving && slot->tag.load(std::memory_order_acquire) == tag &&
         epoch_.load(std::memory_order_acquire) == epoch) {
    uint64_t next = std::max(number, now) + permits * scale.units_per_permit;
    if (next > now + scale.depth) return Take::limited;
    if (slot->number.compare_exchange_weak(number, next, std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
      return Take::granted;
    }
  }
  return Take::elsewhere;
}

// ---- under the mutex ----

// A time before the origin counts as the origin, which itself lies before the time it was made.
uint64_t KeyTable::number_of(int64_t now_ns) {
  Scale::Values scale = scale_.load();
  if (now_ns < scale.origin_ns) return 0;
  if (!scale.reaches(now_ns)) {
    convert(rule_, now_ns);
    scale = scale_.load();
  }
  return scale.number(now_ns);
}

uint64_t KeyTable::highest_number(uint64_t now) {
  uint64_t highest = now;
  for (uint64_t i = 0; i < slot_total(); ++i) {
    highest = std::max(highest, slot_at(i).number.load(std::memory_order_relaxed));
  }
  return highest;
}

void KeyTable::convert(const RateRule &rule, int64_t now_ns) {
  Scale::Values before = scale_.load();
  uint32_t epoch = epoch_.load(std::memory_order_relaxed);
  epoch_.store(epoch + 1, std::memory_order_release);
  uint64_t then = now_ns < before.origin_ns ? 0 : before.number(now_ns);
  // A swap that is under way may still add as much as the depth.
  scale_.set(rule, now_ns, highest_number(std::min(then, Scale::number_max)) + before.depth);
  uint64_t now = scale_.load().number(now_ns);
  for (uint64_t i = 0; i < slot_total(); ++i) {
    Slot &slot = slot_at(i);
    uint64_t old = slot.number.exchange(moving, std::memory_order_acq_rel);
    Wide debt = old > then ? rule.convert_debt(static_cast<Wide>(old - then), rule_) : 0;
    Wide number = std::min<Wide>(now + debt, Scale::number_max);
    slot.number.store(static_cast<uint64_t>(number), std::memory_order_release);
  }
  rule_ = rule;
  epoch_.store(epoch + 2, std::memory_order_release);
}

KeyTable::Answer KeyTable::limited(uint64_t next, uint64_t now) const {
  return {false, false, scale_.load().wait(next, now)};
}

KeyTable::Answer KeyTable::full(const Victim &victim, uint64_t now) const {
  bool known = victim.slot != nullptr && victim.number > now;
  uint64_t units = known ? victim.number - now : 0;
  return {false, true, known ? divide_up(units, scale_.load().units_per_ns) : -1};
}

KeyTable::Answer KeyTable::take_from(Slot &slot, uint64_t cost, uint64_t now) {
  uint64_t depth = scale_.load().depth;
  uint64_t number = slot.number.load(std::memory_order_acquire);
  while (true) {
    uint64_t next = std::max(number, now) + cost;
    if (next > now + depth) return limited(next, now);
    if (slot.number.compare_exchange_weak(number, next, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      return {true, false, 0};
    }
  }
}

KeyTable::Answer KeyTable::take_locked(uint64_t hash, int64_t permits, int64_t now_ns) {
  uint64_t tag = tag_of(hash);
  Lines lines = lines_of(tag);
  uint64_t now = number_of(now_ns);
  uint64_t cost = permits * scale_.load().units_per_permit;
  Slot *slot = find(lines, tag);
  return slot != nullptr ? take_from(*slot, cost, now) : insert(lines, tag, cost, now);
}

int64_t KeyTable::wait(uint64_t hash, int64_t permits, int64_t now_ns) {
  uint64_t tag = tag_of(hash);
  uint64_t now = number_of(now_ns);
  Slot *slot = find(lines_of(tag), tag);
  uint64_t number = slot == nullptr ? now : std::max(now, slot->number.load());
  Wide cost = static_cast<Wide>(permits) * rule_.units_per_permit();
  Wide missing = static_cast<Wide>(number - now) + cost - rule_.depth();
  return missing <= 0 ? 0 : divide_up(missing, rule_.units_per_ns());
}

int64_t KeyTable::available(uint64_t hash, int64_t now_ns) {
  uint64_t tag = tag_of(hash);
  uint64_t now = number_of(now_ns);
  Slot *slot = find(lines_of(tag), tag);
  uint64_t number = slot == nullptr ? now : std::max(now, slot->number.load());
  Wide free = rule_.depth() - static_cast<Wide>(number - now);
  return free <= 0 ? 0 : divide_down(free, rule_.units_per_permit());
}

// ---- newcomers ----

bool KeyTable::is_idle(const Slot &slot, uint64_t now) {
  return slot.tag.load(std::memory_order_relaxed) != 0 &&
         slot.number.load(std::memory_order_acquire) <= now;
}

// Frees an occupied slot; false if its number is not `number` any more.
bool KeyTable::vacate(Slot &slot, uint64_t number) {
  if (!slot.number.compare_exchange_strong(number, moving, std::memory_order_acq_rel)) return false;
  slot.tag.store(0, std::memory_order_release);
  slot.number.store(number + 1, std::memory_order_release);
  used_.store(used() - 1, std::memory_order_relaxed);
  return true;
}

KeyTable::Slot *KeyTable::vacate_idle(Line &line, uint64_t now) {
  for (Slot &slot : line.slots) {
    uint64_t number = slot.number.load(std::memory_order_acquire);
    if (is_idle(slot, now) && number <= now && vacate(slot, number)) return &slot;
  }
  return nullptr;
}

KeyTable::Slot *KeyTable::vacant(Line &line, uint64_t now) {
  for (Slot &slot : line.slots) {
    if (slot.tag.load(std::memory_order_relaxed) == 0) return &slot;
  }
  return vacate_idle(line, now);
}

KeyTable::Line &KeyTable::other_line(const Line &line, uint64_t tag) const {
  Lines lines = lines_of(tag);
  return lines.first == &line ? *lines.second : *lines.first;
}

bool KeyTable::move_out(Line &line, Slot &slot, uint64_t now) {
  uint64_t tag = slot.tag.load(std::memory_order_relaxed);
  if (tag == 0) return true;
  Slot *target = vacant(other_line(line, tag), now);
  if (target == nullptr) return false;
  uint64_t number = slot.number.exchange(moving, std::memory_order_acq_rel);
  uint64_t floor = target->number.load(std::memory_order_relaxed) + 1;
  target->number.store(std::max(number, floor), std::memory_order_release);
  target->tag.store(tag, std::memory_order_release);
  slot.tag.store(0, std::memory_order_release);
  slot.number.store(number + 1, std::memory_order_release);
  return true;
}

KeyTable::Slot *KeyTable::make_room(Line &line, uint64_t now) {
  for (Slot &slot : line.slots) {
    if (move_out(line, slot, now)) return &slot;
  }
  return nullptr;
}

KeyTable::Slot *KeyTable::make_room_deeply(Line &line, uint64_t now) {
  for (Slot &slot : line.slots) {
    Line &other = other_line(line, slot.tag.load(std::memory_order_relaxed));
    if (make_room(other, now) != nullptr && move_out(line, slot, now)) return &slot;
  }
  return nullptr;
}

KeyTable::Slot *KeyTable::room(const Lines &lines, uint64_t now) {
  Slot *slot = vacant(*lines.first, now);
  if (slot == nullptr) slot = vacant(*lines.second, now);
  if (slot == nullptr) slot = make_room(*lines.first, now);
  if (slot == nullptr) slot = make_room(*lines.second, now);
  if (slot == nullptr) slot = make_room_deeply(*lines.first, now);
  if (slot == nullptr) slot = make_room_deeply(*lines.second, now);
  return slot;
}

// Frees the first idle slot that the hand comes by, or says which key is closest to idle of those
// seen on the way and in the newcomer's own lines.
KeyTable::Victim KeyTable::sweep(const Lines &lines, uint64_t now) {
  Victim victim;
  auto consider = [&victim](Slot &slot) {
    uint64_t number = slot.number.load(std::memory_order_acquire);
    if (slot.tag.load(std::memory_order_relaxed) == 0 || number >= victim.number) return;
    victim = {&slot, number};
  };
  for (Line *line : {lines.first, lines.second}) {
    for (Slot &slot : line->slots) consider(slot);
  }
  uint64_t steps = slot_total() <= small_key_table ? slot_total() : key_sweep;
  for (; steps > 0; --steps) {
    Slot &slot = slot_at(hand_);
    hand_ = hand_ + 1 == slot_total() ? 0 : hand_ + 1;
    uint64_t number = slot.number.load(std::memory_order_acquire);
    if (is_idle(slot, now) && number <= now && vacate(slot, number)) return {};
    consider(slot);
  }
  return victim;
}

KeyTable::Answer KeyTable::insert(const Lines &lines, uint64_t tag, uint64_t cost, uint64_t now) {
  if (used() >= max_keys_ && vacate_idle(*lines.first, now) == nullptr &&
      vacate_idle(*lines.second, now) == nullptr) {
    Victim victim = sweep(lines, now);
    if (victim.slot != nullptr) return displace(lines, tag, victim, cost, now);
  }
  return occupy(room(lines, now), tag, now, cost, now);
}

KeyTable::Answer KeyTable::displace(const Lines &lines, uint64_t tag, Victim victim, uint64_t cost,
                                    uint64_t now) {
  bool fits = victim.number + cost <= now + scale_.load().depth;
  if (!evict_ || !fits || !vacate(*victim.slot, victim.number)) return full(victim, now);
  evicted_.store(evicted() + 1, std::memory_order_relaxed);
  return occupy(room(lines, now), tag, victim.number, cost, now);
}

// `floor`: what the key has used before it begins. A denial takes no slot.
KeyTable::Answer KeyTable::occupy(Slot *slot, uint64_t tag, uint64_t floor, uint64_t cost,
                                  uint64_t now) {
  if (slot == nullptr) return full({}, now);
  floor = std::max({floor, now, slot->number.load(std::memory_order_relaxed)});
  if (floor + cost > now + scale_.load().depth) return limited(floor + cost, now);
  slot->number.store(floor + cost, std::memory_order_release);
  slot->tag.store(tag, std::memory_order_release);
  used_.store(used() + 1, std::memory_order_relaxed);
  return {true, false, 0};
}

}  // namespace weir
