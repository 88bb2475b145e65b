// SPDX-License-Identifier: MIT
//
// A token bucket for each of up to a million keys and more, 24 bytes a key, without a lock on the
// hot path. A key is its 64-bit seeded hash (two keys of one hash would share a bucket). A slot is
// {tag, mark}: the hash, 0 if the slot is free, and the arrival time as a number of
// limiter_bucket.hh, with a version in its lowest 6 bits. A cache line holds four slots, and each
// key has two lines to be in (Pagh and Rodler, "Cuckoo hashing", 2004; Azar et al., "Balanced
// allocations", 1999); there is room for half as many again.
//
// A slot whose number is not above now is IDLE: it equals an absent key and may be taken over at
// any time, so nothing has to be swept. At max_keys a newcomer needs an idle slot: one of its own
// two lines, or one that a hand going round finds. If there is none, the newcomer is denied, or
// (evict) displaces the key closest to idle. Each newcomer then begins with what any displaced key
// has used at most (the floor, which time wears off like any debt): so coming and going gains
// nobody a permit.
//
// Invariants:
// - Only a holder of the limiter's mutex writes tags, frees, claims, moves or evicts. Everybody may
//   swap the number of a slot upwards whose tag he has read before AND after the mark, in an epoch
//   that was even and the same before and after.
// - While a slot changes hands its mark is `moving`, and then has the next version; and a scale's
//   numbers are above those of the one before, as the bucket's. So a swap that was meant for an
//   earlier tag or scale fails (unless the slot changed hands 64 times in between and stands at the
//   very same number).

#pragma once

#include <atomic>
#include <cstdint>

#include "base/counter.hh"
#include "base/heap.hh"
#include "policy/limiter_bucket.hh"

namespace weir {

class KeyTable {
 public:
  explicit KeyTable(Heap *heap) : heap_(heap) {}
  KeyTable(const KeyTable &) = delete;
  KeyTable &operator=(const KeyTable &) = delete;
  ~KeyTable();

  static bool fits(const RateRule &rule) { return Scale::fits(rule, number_bits); }

  // False without memory.
  bool init(uint64_t max_keys, bool evict, const RateRule &rule, int64_t now_ns);

  struct Answer {
    bool granted;
    bool full;  // denied because max_keys keys are live
    int64_t
        wait_ns;  // where denied by the rate, or until the key that is closest to idle gives way
  };

  // Fetches what take() will look at. Any thread.
  void prefetch(uint64_t hash) const;
  // Any thread; `elsewhere`: use take_locked. In the limited case the wait is not computed.
  Take take(uint64_t hash, int64_t permits, int64_t now_ns);

  // The rest under the limiter's mutex. `permits` is at most the burst.
  Answer take_locked(uint64_t hash, int64_t permits, int64_t now_ns);
  // As RateRule::wait: more than the burst means one after the other.
  int64_t wait(uint64_t hash, int64_t permits, int64_t now_ns);
  int64_t available(uint64_t hash, int64_t now_ns);
  // Sends everybody to the mutex, until convert().
  void close() { epoch_.fetch_or(1, std::memory_order_acq_rel); }
  // What is used stays used, under the new rule.
  void convert(const RateRule &rule, int64_t now_ns);
  void set_evict(bool evict) { evict_ = evict; }

  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }

 private:
  struct Slot {
    std::atomic<uint64_t> tag;
    std::atomic<uint64_t> mark;
  };
  static constexpr size_t line_slots = 4;
  struct alignas(cache_line) Line {
    Slot slots[line_slots];
  };
  struct Lines {
    Line *first;
    Line *second;
  };
  // From one scale to the next.
  struct Change {
    const RateRule &rule;
    uint64_t units_per_ns_before;
    uint64_t units_per_ns;
    uint64_t now_before;
    uint64_t now;
    uint64_t idle_most_ns;  // is kept of a key's
  };
  struct Victim {
    Slot *slot = nullptr;
    uint64_t mark = UINT64_MAX;
  };

  static constexpr uint64_t moving = UINT64_MAX;
  static constexpr int number_bits = 58;
  static constexpr int version_bits = 6;
  static constexpr uint64_t version_mask = (1 << version_bits) - 1;
  static constexpr uint64_t number_most = (uint64_t{1} << number_bits) - 2;  // not that of `moving`

  static uint64_t number_in(uint64_t mark) { return mark >> version_bits; }
  // The same slot's, at another time.
  static uint64_t same_version(uint64_t number, uint64_t mark) {
    return number << version_bits | (mark & version_mask);
  }
  // After it has changed hands.
  static uint64_t next_version(uint64_t number, uint64_t mark) {
    return number << version_bits | ((mark + 1) & version_mask);
  }

  static uint64_t tag_of(uint64_t hash) { return hash == 0 ? 1 : hash; }
  Lines lines_of(uint64_t tag) const;
  uint64_t slot_total() const { return uint64_t{line_count_} * line_slots; }
  Slot &slot_at(uint64_t index) { return lines_[index / line_slots].slots[index % line_slots]; }
  static Slot *find(const Lines &lines, uint64_t tag);

  uint64_t number_of(int64_t now_ns);
  uint64_t converted(uint64_t number, const Change &change) const;
  Answer take_from(Slot &slot, uint64_t cost, uint64_t now);
  Answer insert(const Lines &lines, uint64_t tag, uint64_t cost, uint64_t now);
  bool displace(const Victim &victim, uint64_t cost, uint64_t now);
  Answer full(const Victim &victim, uint64_t cost, uint64_t now) const;
  Answer limited(uint64_t next, uint64_t now) const;

  bool vacate(Slot &slot, uint64_t mark);
  Slot *vacate_idle(Line &line, uint64_t now);
  Slot *vacant(Line &line, uint64_t now);
  Slot *room(const Lines &lines, uint64_t now);
  Slot *make_room(Line &line, uint64_t now);
  Slot *make_room_deeply(Line &line, uint64_t now);
  bool move_out(Line &line, Slot &slot, uint64_t now);
  Line &other_line(const Line &line, uint64_t tag) const;
  void note_number(uint64_t number);
  void advance_hand();
  Victim sweep(const Lines &lines, uint64_t now);

  std::atomic<uint32_t> epoch_{0};  // odd while the scale changes
  Scale scale_{number_bits};
  Line *lines_ = nullptr;
  uint32_t line_count_ = 0;

  // Under the mutex, but for the counts, which any thread may read.
  RateRule rule_;
  bool evict_ = false;
  uint64_t max_keys_ = 0;
  uint64_t hand_ = 0;
  uint64_t round_low_ = UINT64_MAX;  // the lowest number that the hand saw since it came round
  uint64_t idle_from_ = 0;           // no key is idle before this
  uint64_t floor_ = 0;               // the highest number of a key that was displaced
  std::atomic<uint64_t> used_{0};
  std::atomic<uint64_t> evicted_{0};
  Heap *heap_;
  void *memory_ = nullptr;
  size_t memory_size_ = 0;
};

}  // namespace weir
