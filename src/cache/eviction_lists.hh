// SPDX-License-Identifier: MIT
//
// One set of lists that can be run by four rules. `young` is W-TinyLFU's window, S3-FIFO's small
// queue, or LIRS' queue of HIR entries; `probation` and `guarded`, together main, are W-TinyLFU's
// segments, S3-FIFO's main queue, or LIRS' LIR entries. A rule says only what a hit and an eviction
// move. So the rule can change at any time, at no cost: entries migrate by being used.
//
// - LRU: what is used becomes young's newest; the victim is the one used longest ago.
// - W-TinyLFU (Einziger, Friedman, Manes, "TinyLFU: a highly efficient cache admission policy",
//   2017): young is LRU; what falls out of it duels with main's oldest, and the one used less often
//   of late goes. Main is a segmented LRU, four fifths of it guarded.
// - LIRS (Jiang, Zhang, "LIRS: an efficient low inter-reference recency set replacement policy",
//   2002): an entry belongs to main if the time between its last two uses is shorter than the time
//   since main's oldest was used. The paper's stack S exists to answer that question; here stamps
//   of the last use answer it, and nothing has to be pruned.
// - S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", 2023): hits only
//   count, up to 3; what leaves young goes to main if it was used twice; main is a CLOCK; what
//   comes back while it is remembered enters main at once.
//
// Invariants:
// - An entry is in one list, or outside; counts are exact.
// - `full_` is how many entries there were before the latest insertion. Young's share is a share of
//   what is there, never of a bound: a bound by weight needs no guess.
// - Each operation but first() takes a bounded number of steps, whatever change was before it.
//
// What is always inline is shorter than a call, which a compiler that is to save space overlooks.
//
// Space is where entries are: their links, list, uses (0 to 3), stamp of the last use, and
// estimated frequency, by Ref, a pointer or an index.

#pragma once

#include <cstdint>

namespace weir {

enum class EvictionRule : uint8_t { lru, tiny_lfu, lirs, s3_fifo };

struct EvictionMode {
  EvictionRule rule;
  uint8_t young_percent;
};

// What is remembered of an entry that was evicted: the stamp of its last use.
struct EvictionPast {
  bool known;
  uint32_t stamp;
};

// Stamps count accesses and wrap around. One older than 2^31 accesses is taken for a young one: a
// bad guess, and no worse.
inline bool stamp_later(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }

enum class EvictionList : uint8_t { outside, young, probation, guarded };

template <typename Space>
class EvictionLists {
  using List = EvictionList;
  static constexpr uint8_t most_uses = 3;
  static constexpr int moves_at_once = 8;
  static constexpr int clock_steps = 64;

 public:
  using Ref = typename Space::Ref;

  explicit EvictionLists(const Space &space) : space_(space) {}

  void set_mode(EvictionMode mode) {
    mode_ = mode;
    share();
  }

  uint32_t count() const { return count_of(List::young) + main_count(); }
  bool resident(Ref ref) { return space_.list(ref) != List::outside; }

  void insert(Ref ref, EvictionPast past) {
    if (uint32_t full = count(); full != full_ || full == 0) fill(full);
    // Young never grows while there is room in main; S3-FIFO's may, once it is full.
    if (count_of(List::young) > young_share_ &&
        (filling_ || rule() == EvictionRule::lirs || rule() == EvictionRule::tiny_lfu)) {
      shrink_young();
    }
    bool back = past.known && comes_back(past.stamp);
    push(ref, back ? List::probation : List::young);
    space_.set_uses(ref, 0);
    if (main_count() > main_share() && rule() == EvictionRule::lirs) shrink_main();
  }

  // `previous` is the stamp it had before this use.
  void hit(Ref ref, uint32_t previous) {
    uint8_t uses = space_.uses(ref);
    if (uses < most_uses) space_.set_uses(ref, static_cast<uint8_t>(uses + 1));
    switch (rule()) {
      case EvictionRule::lru:
        return move(ref, List::young);
      case EvictionRule::tiny_lfu:
        return hit_tiny_lfu(ref);
      case EvictionRule::lirs:
        return hit_lirs(ref, previous);
      case EvictionRule::s3_fifo:
        return;
    }
  }

  void remove(Ref ref) {
    unlink(ref);
    space_.set_list(ref, List::outside);
  }

  // `next` takes the place of `old`.
  void replace(Ref old, Ref next) {
    Queue &in = queue(space_.list(old));
    Ref older = space_.older(old);
    Ref newer = space_.newer(old);
    space_.older(next) = older;
    space_.newer(next) = newer;
    space_.set_list(next, space_.list(old));
    space_.set_uses(next, space_.uses(old));
    space_.set_list(old, List::outside);
    (older == Space::none ? in.oldest : space_.newer(older)) = next;
    (newer == Space::none ? in.newest : space_.older(newer)) = next;
  }

  // What goes next, never `fresh`; none if there is no other. It is still in its list.
  Ref candidate(Ref fresh) {
    filling_ = false;
    return choose(fresh);
  }

  // Takes that out.
  Ref victim(Ref fresh) {
    Ref ref = candidate(fresh);
    if (ref != Space::none) remove(ref);
    return ref;
  }

  // The oldest of its list that `fits`; none if no one does. Takes time.
  template <typename Fits>
  Ref first(Fits fits) {
    for (const Queue &in : queues_) {
      for (Ref ref = in.oldest; ref != Space::none; ref = space_.newer(ref)) {
        if (fits(ref)) return ref;
      }
    }
    return Space::none;
  }

  // What candidate() gave may not go.
  void pass(Ref ref) { move(ref, List::young); }

 private:
  struct Queue {
    Ref oldest = Space::none;
    Ref newest = Space::none;
    uint32_t count = 0;
  };

  EvictionRule rule() const { return mode_.rule; }
  Queue &queue(List list) { return queues_[static_cast<int>(list) - 1]; }
  uint32_t count_of(List list) const { return queues_[static_cast<int>(list) - 1].count; }
  uint32_t main_count() const { return count_of(List::probation) + count_of(List::guarded); }
  uint32_t main_share() const { return full_ - young_share_; }

  [[gnu::cold]] void fill(uint32_t full) {
    full_ = full;
    if (full == 0) filling_ = true;
    share();
  }

  // Young has at least one entry.
  void share() {
    auto young = static_cast<uint32_t>((uint64_t{full_} * mode_.young_percent + 50) / 100);
    young_share_ = young > 0 || full_ == 0 ? young : 1;
  }

  [[gnu::always_inline]] void unlink(Ref ref) {
    Queue &from = queue(space_.list(ref));
    Ref older = space_.older(ref);
    Ref newer = space_.newer(ref);
    (older == Space::none ? from.oldest : space_.newer(older)) = newer;
    (newer == Space::none ? from.newest : space_.older(newer)) = older;
    from.count--;
  }

  [[gnu::always_inline]] void push(Ref ref, List list) {
    Queue &to = queue(list);
    space_.set_list(ref, list);
    space_.older(ref) = to.newest;
    space_.newer(ref) = Space::none;
    (to.newest == Space::none ? to.oldest : space_.newer(to.newest)) = ref;
    to.newest = ref;
    to.count++;
  }

  void move(Ref ref, List list) {
    if (queue(list).newest == ref) return;
    unlink(ref);
    push(ref, list);
  }

  [[gnu::always_inline]] Ref oldest(List list, Ref but = Space::none) {
    Ref ref = queue(list).oldest;
    return ref != Space::none && ref == but ? space_.newer(ref) : ref;
  }

  [[gnu::always_inline]] Ref older_of(Ref a, Ref b) {
    if (a == Space::none) return b;
    if (b == Space::none) return a;
    return stamp_later(space_.stamp(a), space_.stamp(b)) ? b : a;
  }

  Ref main_oldest(Ref but = Space::none) {
    return older_of(oldest(List::probation, but), oldest(List::guarded, but));
  }

  // What is guarded goes after all that is on probation.
  Ref main_next(Ref but) {
    Ref ref = oldest(List::probation, but);
    return ref != Space::none ? ref : oldest(List::guarded, but);
  }

  // Was the previous use later than the last one of main's oldest?
  bool recurs(uint32_t previous) {
    Ref ref = main_oldest();
    return ref == Space::none || stamp_later(previous, space_.stamp(ref));
  }

  bool comes_back(uint32_t previous) {
    return rule() == EvictionRule::s3_fifo || (rule() == EvictionRule::lirs && recurs(previous));
  }

  void guard(Ref ref) {
    move(ref, List::guarded);
    auto most = static_cast<uint32_t>(uint64_t{main_share()} * 4 / 5);
    for (int i = 0; i < moves_at_once && count_of(List::guarded) > most; i++) {
      move(oldest(List::guarded), List::probation);
    }
  }

  // While main is below its share young's oldest move there without a duel: when the lists fill,
  // and after a change of rule. Then those that were used belong among the guarded.
  [[gnu::cold]] void shrink_young() {
    for (int i = 0; i < moves_at_once && count_of(List::young) > young_share_; i++) {
      Ref ref = oldest(List::young);
      if (!filling_ && space_.uses(ref) > 0) {
        guard(ref);
      } else {
        move(ref, List::probation);
      }
    }
  }

  [[gnu::noinline]] void shrink_main() {
    for (int i = 0; i < moves_at_once && main_count() > main_share(); i++) {
      move(main_oldest(), List::young);
    }
  }

  void hit_tiny_lfu(Ref ref) {
    if (space_.list(ref) == List::young) return move(ref, List::young);
    guard(ref);
  }

  void hit_lirs(Ref ref, uint32_t previous) {
    bool low = main_count() < main_share();
    if (space_.list(ref) == List::young && !low && !recurs(previous)) return move(ref, List::young);
    move(ref, List::guarded);
    shrink_main();
  }

  Ref choose(Ref fresh) {
    switch (rule()) {
      case EvictionRule::lru:
        return older_of(oldest(List::young, fresh), main_oldest(fresh));
      case EvictionRule::tiny_lfu:
        return choose_tiny_lfu(fresh);
      case EvictionRule::lirs:
        return choose_lirs(fresh);
      case EvictionRule::s3_fifo:
        return choose_s3_fifo(fresh);
    }
    return Space::none;
  }

  Ref choose_lirs(Ref fresh) {
    Ref ref = oldest(List::young, fresh);
    return ref != Space::none ? ref : main_oldest(fresh);
  }

  Ref choose_tiny_lfu(Ref fresh) {
    Ref candidate = oldest(List::young, fresh);
    Ref holder = main_next(fresh);
    if (candidate == Space::none) return holder;
    if (holder == Space::none) return candidate;
    if (count_of(List::young) <= young_share_) return holder;
    if (space_.estimate(candidate) <= space_.estimate(holder)) return candidate;
    move(candidate, List::probation);
    return holder;
  }

  // Each step uses up what hits have paid; where very many were hit it stops to look.
  Ref choose_s3_fifo(Ref fresh) {
    for (int step = 0; step < clock_steps; step++) {
      Ref small = oldest(List::young, fresh);
      Ref large = main_next(fresh);
      if (small == Space::none && large == Space::none) break;
      bool fresh_is_young = fresh != Space::none && space_.list(fresh) == List::young;
      bool from_young = small != Space::none &&
                        (large == Space::none ||
                         count_of(List::young) - (fresh_is_young ? 1 : 0) >= young_share_);
      Ref ref = from_young ? small : large;
      uint8_t uses = space_.uses(ref);
      if (uses < (from_young ? 2 : 1)) return ref;
      space_.set_uses(ref, static_cast<uint8_t>(from_young ? 0 : uses - 1));
      move(ref, List::probation);
    }
    Ref ref = main_next(fresh);
    return ref != Space::none ? ref : oldest(List::young, fresh);
  }

  Space space_;
  Queue queues_[3];
  uint32_t full_ = 0;
  uint32_t young_share_ = 0;
  bool filling_ = true;  // nothing was evicted yet
  EvictionMode mode_{EvictionRule::lru, 100};
};

}  // namespace weir
