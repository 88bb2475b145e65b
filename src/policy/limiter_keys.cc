// SPDX-License-Identifier: MIT
#include "policy/limiter_keys.hh"

#include <algorithm>
#include <bit>

namespace weir {
namespace {

// At max_keys so many slots are looked at for one newcomer; small tables are looked at whole.
constexpr uint64_t key_sweep = 64;
constexpr uint64_t small_key_table = 1024;

}  // namespace

KeyTable::~KeyTable() {
  if (memory_ != nullptr) heap_->free(memory_, memory_size_);
}

[[gnu::cold]] bool KeyTable::init(uint64_t max_keys, bool evict, const RateRule &rule,
                                  int64_t now_ns) {
  uint64_t slots = max_keys + max_keys / 2;
  line_count_ = static_cast<uint32_t>(std::max<uint64_t>(2, (slots + line_slots - 1) / line_slots));
  memory_size_ = line_count_ * sizeof(Line) + cache_line;
  memory_ = heap_->allocate(memory_size_);
  if (memory_ == nullptr) return false;
  heap_->expect_random_access(memory_, memory_size_);
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
    uint32_t found = 0;  // no branch a slot: which one it is cannot be foreseen
    for (uint32_t i = 0; i < line_slots; ++i) {
      found |= static_cast<uint32_t>(line->slots[i].tag.load(std::memory_order_acquire) == tag)
               << i;
    }
    if (found != 0) return &line->slots[std::countr_zero(found)];
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
  uint64_t mark = slot->mark.load(std::memory_order_acquire);
  while (mark != moving && slot->tag.load(std::memory_order_acquire) == tag &&
         epoch_.load(std::memory_order_acquire) == epoch) {
    uint64_t next = std::max(number_in(mark), now) + permits * scale.units_per_permit;
    if (next > now + scale.depth) return Take::limited;
    if (slot->mark.compare_exchange_weak(mark, same_version(next, mark), std::memory_order_acq_rel,
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

// Debt is kept in permits, idleness (for times that come late) as time.
uint64_t KeyTable::converted(uint64_t number, const Change &change) const {
  if (number <= change.now_before) {
    uint64_t idle = change.now_before - number;
    uint64_t idle_ns = std::min(idle / change.units_per_ns_before, change.idle_most_ns);
    return change.now - idle_ns * change.units_per_ns;
  }
  Wide debt = change.rule.convert_debt(static_cast<Wide>(number - change.now_before), rule_);
  return static_cast<uint64_t>(std::min<Wide>(change.now + debt, number_most));
}

// Of the clock's times none is ahead of `now`, and so no number above the highest reckoned here.
[[gnu::cold]] void KeyTable::convert(const RateRule &rule, int64_t now_ns) {
  close();
  Scale::Values before = scale_.load();
  uint64_t then = before.bounded_number(now_ns, number_most);
  uint64_t top = scale_.set(rule, now_ns, then + before.depth);
  Scale::Values scale = scale_.load();
  uint64_t now = scale.bounded_number(now_ns, number_most);
  uint64_t idle_most_ns = now > top ? (now - top - 1) / scale.units_per_ns : 0;
  Change change = {rule, before.units_per_ns, scale.units_per_ns, then, now, idle_most_ns};
  for (uint64_t i = 0; i < slot_total(); ++i) {
    std::atomic<uint64_t> &mark = slot_at(i).mark;
    uint64_t old = mark.exchange(moving, std::memory_order_acq_rel);
    mark.store(next_version(converted(number_in(old), change), old), std::memory_order_release);
  }
  idle_from_ = round_low_ = 0;
  floor_ = converted(floor_, change);
  rule_ = rule;
  epoch_.store(epoch_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

KeyTable::Answer KeyTable::limited(uint64_t next, uint64_t now) const {
  return {false, false, scale_.load().wait(next, now)};
}

// It passes as soon as the key closest to idle is idle, or has as much left as is asked for.
KeyTable::Answer KeyTable::full(const Victim &victim, uint64_t cost, uint64_t now) const {
  if (victim.slot == nullptr) return {false, true, -1};
  Scale::Values scale = scale_.load();
  uint64_t idle = number_in(victim.mark);
  uint64_t fits = std::max(idle, floor_) + cost - scale.depth;
  uint64_t passes = evict_ && fits < idle ? fits : idle;
  return {false, true, passes <= now ? 1 : divide_up(passes - now, scale.units_per_ns)};
}

KeyTable::Answer KeyTable::take_from(Slot &slot, uint64_t cost, uint64_t now) {
  uint64_t depth = scale_.load().depth;
  uint64_t mark = slot.mark.load(std::memory_order_acquire);
  while (true) {
    uint64_t next = std::max(number_in(mark), now) + cost;
    if (next > now + depth) return limited(next, now);
    if (slot.mark.compare_exchange_weak(mark, same_version(next, mark), std::memory_order_acq_rel,
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
  uint64_t number = std::max(now, slot == nullptr ? floor_ : number_in(slot->mark.load()));
  Wide cost = static_cast<Wide>(permits) * rule_.units_per_permit();
  Wide missing = static_cast<Wide>(number - now) + cost - rule_.depth();
  return missing <= 0 ? 0 : divide_up(missing, rule_.units_per_ns());
}

[[gnu::cold]] int64_t KeyTable::available(uint64_t hash, int64_t now_ns) {
  uint64_t tag = tag_of(hash);
  uint64_t now = number_of(now_ns);
  Slot *slot = find(lines_of(tag), tag);
  uint64_t number = std::max(now, slot == nullptr ? floor_ : number_in(slot->mark.load()));
  Wide free = rule_.depth() - static_cast<Wide>(number - now);
  return free <= 0 ? 0 : divide_down(free, rule_.units_per_permit());
}

// ---- newcomers ----

// Frees an occupied slot; false if its mark is not `mark` any more.
bool KeyTable::vacate(Slot &slot, uint64_t mark) {
  uint64_t expected = mark;
  if (!slot.mark.compare_exchange_strong(expected, moving, std::memory_order_acq_rel)) return false;
  slot.tag.store(0, std::memory_order_release);
  slot.mark.store(next_version(0, mark), std::memory_order_release);
  used_.store(used() - 1, std::memory_order_relaxed);
  return true;
}

KeyTable::Slot *KeyTable::vacate_idle(Line &line, uint64_t now) {
  for (Slot &slot : line.slots) {
    uint64_t mark = slot.mark.load(std::memory_order_acquire);
    bool idle = slot.tag.load(std::memory_order_relaxed) != 0 && number_in(mark) <= now;
    if (idle && vacate(slot, mark)) return &slot;
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
  uint64_t mark = slot.mark.exchange(moving, std::memory_order_acq_rel);
  uint64_t target_mark = target->mark.load(std::memory_order_relaxed);
  target->mark.store(next_version(number_in(mark), target_mark), std::memory_order_release);
  target->tag.store(tag, std::memory_order_release);
  note_number(number_in(mark));
  slot.tag.store(0, std::memory_order_release);
  slot.mark.store(next_version(0, mark), std::memory_order_release);
  return true;
}

KeyTable::Slot *KeyTable::make_room(Line &line, uint64_t now) {
  for (Slot &slot : line.slots) {
    if (move_out(line, slot, now)) return &slot;
  }
  return nullptr;
}

[[gnu::cold]] KeyTable::Slot *KeyTable::make_room_deeply(Line &line, uint64_t now) {
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

// Of a key that came, or went to where the hand may have been: what the hand knows stays true. Else
// numbers only grow.
void KeyTable::note_number(uint64_t number) {
  round_low_ = std::min(round_low_, number);
  idle_from_ = std::min(idle_from_, number);
}

void KeyTable::advance_hand() {
  if (++hand_ < slot_total()) return;
  hand_ = 0;
  idle_from_ = round_low_;
  round_low_ = UINT64_MAX;
}

// Frees the first idle slot that the hand comes by, or says which key is closest to idle of those
// seen on the way and in the newcomer's own lines.
KeyTable::Victim KeyTable::sweep(const Lines &lines, uint64_t now) {
  Victim victim;
  auto consider = [&victim](Slot &slot, uint64_t mark) {
    bool closer = number_in(mark) < number_in(victim.mark);
    if (closer && slot.tag.load(std::memory_order_relaxed) != 0) victim = {&slot, mark};
  };
  for (Line *line : {lines.first, lines.second}) {
    for (Slot &slot : line->slots) consider(slot, slot.mark.load(std::memory_order_acquire));
  }
  uint64_t steps = slot_total() <= small_key_table ? slot_total() : key_sweep;
  for (; steps > 0; --steps) {
    Slot &slot = slot_at(hand_);
    uint64_t mark = slot.mark.load(std::memory_order_acquire);
    bool taken = slot.tag.load(std::memory_order_relaxed) != 0;
    if (taken && number_in(mark) <= now && vacate(slot, mark)) return {};
    if (taken) round_low_ = std::min(round_low_, number_in(mark));
    consider(slot, mark);
    advance_hand();
  }
  return victim;
}

// A denial takes no slot and displaces nobody.
KeyTable::Answer KeyTable::insert(const Lines &lines, uint64_t tag, uint64_t cost, uint64_t now) {
  uint64_t next = std::max(now, floor_) + cost;
  if (next > now + scale_.load().depth) return limited(next, now);
  if (used() >= max_keys_ && !evict_ && now < idle_from_) {
    return {false, true, divide_up(idle_from_ - now, scale_.load().units_per_ns)};
  }
  if (used() >= max_keys_ && vacate_idle(*lines.first, now) == nullptr &&
      vacate_idle(*lines.second, now) == nullptr) {
    Victim victim = sweep(lines, now);
    if (victim.slot != nullptr && !displace(victim, cost, now)) return full(victim, cost, now);
  }
  Slot *slot = room(lines, now);
  if (slot == nullptr) return full({}, cost, now);
  next = std::max(now, floor_) + cost;
  uint64_t mark = slot->mark.load(std::memory_order_relaxed);
  slot->mark.store(next_version(next, mark), std::memory_order_release);
  slot->tag.store(tag, std::memory_order_release);
  note_number(next);
  used_.store(used() + 1, std::memory_order_relaxed);
  return {true, false, 0};
}

// True if the victim's place is free and `cost` fits on top of what it had used.
bool KeyTable::displace(const Victim &victim, uint64_t cost, uint64_t now) {
  uint64_t floor = std::max(floor_, number_in(victim.mark));
  bool fits = std::max(floor, now) + cost <= now + scale_.load().depth;
  if (!evict_ || !fits || !vacate(*victim.slot, victim.mark)) return false;
  floor_ = floor;
  evicted_.store(evicted() + 1, std::memory_order_relaxed);
  return true;
}

}  // namespace weir
