// SPDX-License-Identifier: MIT
//
// A part of a cache's entries, with a part of its bounds. Two kinds of locks:
//
// - THE POLICY LOCK, one: whoever writes holds it. It covers the bounds, the eviction policy, the
//   expiry wheel and the counters, and whatever takes time. The allocator may run under it, other
//   code of users never does.
// - STRIPE LOCKS, one for each of a few processors: who looks a key up holds that of the processor
//   he is on, for the probe, the reference and the note. So lookups on different processors share
//   no line that is written, but for the value's count. Writers shut all of them, inside the policy
//   lock, for the few stores that take a node out; putting one in disturbs nobody. Nothing
//   allocates, evicts, calls back or frees under them, so lookups never wait for any of that.
//
// What was read is noted in the stripe, the first 252 reads after a write in order, of later ones
// only that there were any; the next writer tells the eviction policy. So reading changes no list.
//
// Invariants:
// - A note names an entry that is in the table: who takes an entry out takes all notes in the same
//   hold of the stripe locks.
// - A key has one entry and one load marker at most. An entry that is written over gets the new
//   value, or is exchanged, in one hold of the stripe locks: nobody sees the key absent.
// - The wheel comes to an entry at its end at the latest, but perhaps sooner: a later end is found
//   only then.
// - Room is made before an entry goes in, so the bounds hold at every moment; only more than 16
//   evictions are left to later (`overweight`).
// - What a write leaves to do without locks (freeing, telling, arming) is in its Aftermath.

#pragma once

#include <sched.h>

#include "base/mutex.hh"
#include "base/short_lock.hh"
#include "cache/entry.hh"
#include "cache/eviction.hh"
#include "cache/expiry.hh"
#include "cache/rules.hh"
#include "cache/table.hh"

namespace weir {

// What a lookup knows of the time: `now_ns` may be behind by the margin.
struct LookTime {
  int64_t now_ns;
  int64_t margin_ns;
  int64_t used_ns;  // not before the truth: when it is used
};

enum class Look : uint8_t {
  hit,
  miss,
  unsure,  // it may have expired within the margin
  stuck    // the lock's holder does not exist in this process
};

struct alignas(64) Stripe {
  static constexpr uint32_t capacity = 252;

  ShortLock lock;
  std::atomic<uint16_t> noted{0};  // up to capacity
  std::atomic<uint64_t> hits{0};
  std::atomic<uint64_t> misses{0};
  Entry *notes[capacity];

  // In order, as long as there is room; later uses leave a mark on the entry, which is at hand.
  void note(Entry *entry) {
    uint16_t count = noted.load(std::memory_order_relaxed);
    if (count == capacity) {
      // Only once: other processors read this line.
      if (entry->unnoted.load(std::memory_order_relaxed) == 0) {
        entry->unnoted.store(1, std::memory_order_relaxed);
      }
      return;
    }
    notes[count] = entry;
    noted.store(static_cast<uint16_t>(count + 1), std::memory_order_relaxed);
  }
  static void count(std::atomic<uint64_t> &counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

static_assert(sizeof(Stripe) == 2048);

// What is left to do after the locks.
struct Aftermath {
  Entry *garbage = nullptr;  // chained by `next`, to be freed
  bool tell = false;         // on_evict has something to hear
  bool evicted = false;      // the event listener has
  bool trim = false;         // the shard is still too heavy
  bool arm = false;          // something expires before the timer looks
};

// One put, filled in on its way.
struct Write {
  Write(weir_value *given, int64_t given_now_ns) : now_ns(given_now_ns), value(given) {}

  Key key;
  int64_t now_ns;
  weir_value *value;                // borrowed, nullable
  int64_t ttl_ns;                   // with own_ttl; then for all
  Entry *entry;                     // made for it; the shard's with WEIR_OK only
  LoadNode *load = nullptr;         // stored only if nothing has superseded this load
  weir_value **existing = nullptr;  // with only_if_absent, nullable: gets a reference
  bool only_if_absent = false;
  bool own_ttl = false;        // not the cache's
  bool keep_lifetime = false;  // of the entry that it is written over, if there is one
};

// What a lookup found.
struct Reading {
  weir_value *value;
  int64_t expires_ns;
  int64_t end_ns;
  int64_t written_ns;  // in a cache that refreshes
  int64_t now_ns;
};

// What a get finds.
struct Finding {
  weir_value *value = nullptr;  // a reference
  weir_error *error = nullptr;  // a reference: a remembered failure
  int64_t error_end_ns = 0;
  LoadNode *load = nullptr;  // the key is being loaded
  bool found = false;        // `value`, which may be NULL
  bool refresh = false;      // found, and old enough to be loaded again
};

enum LoadFlag : uint8_t {
  load_linked = 1  // in the table; afterwards it was superseded, or is over
};

class Shard {
 public:
  Shard(Heap *heap, const CacheRules &rules, std::atomic<int64_t> &armed_ns);
  Shard(const Shard &) = delete;
  Shard &operator=(const Shard &) = delete;
  ~Shard();

  static constexpr uint32_t max_stripes = 4;

  // With its part of the bounds, and a power of two of stripes.
  void init(uint64_t max_entries, uint64_t max_weight, uint32_t stripes);

  // Looks for a value, and calls `take(entry)` for a live one under a stripe lock. If there is
  // none, `absent` (nullable) gets what a get finds instead: a load, and a failure that may have
  // expired.
  // `time()` is asked for if there is an entry.
  template <typename Time, typename Hopeless, typename Take>
  Look look(const Key &key, Time time, Hopeless hopeless, Finding *absent, Take take);
  // Whether there is a live value, without counting as a use; its end, and in `value` (nullable) a
  // reference.
  bool peek(const Key &key, int64_t now_ns, int64_t &end_ns, weir_value **value);

  // WEIR_OK (stored, or it was not to be kept for a moment), WEIR_EEXISTS, WEIR_ESUPERSEDED.
  weir_status put(Write &write, Aftermath &after);
  // An entry too heavy for the bound was to be written, `write` has none: nor has the key then,
  // but what only_if_absent finds stays.
  void refuse(const Write &write, Aftermath &after);
  void count_refused();
  // False if there was no live value.
  bool remove(const Key &key, int64_t now_ns, Aftermath &after);
  // A step of clearing: the nodes from `position` on; returns where to go on, 0 at the end.
  uint64_t clear(uint64_t position, int64_t now_ns, Aftermath &after);
  // A use that sets the end. False if there is no live value.
  bool touch(const Key &key, int64_t now_ns, int64_t until_ns, Aftermath &after);
  // The expire function's answer to a reading, unless the entry has changed since.
  void set_lifetime(const Key &key, const Reading &read, int64_t until_ns, Aftermath &after);

  // Expires what is due and evicts what is too heavy; each entry looked at costs one of `budget`.
  void sweep(int64_t now_ns, uint32_t &budget, Aftermath &after);
  // When to sweep next.
  int64_t next_sweep_ns();
  // What has left and is to be told, in order, chained by `next`.
  Entry *take_left();

  LoadNode *find_load(const Key &key);
  bool find_stale(const Key &key, int64_t now_ns, weir_value *&value);
  // Marks the key as being loaded, unless it is marked: then it returns that load. `key.data` must
  // stay while the load is linked.
  LoadNode *begin_load(LoadNode &load, const Key &key);
  // Nothing, if it was superseded.
  void abandon_load(LoadNode &load);

  // Adds its part.
  void add_stats(weir_cache_stats &stats);

  // When it is gone for lookups.
  int64_t end_of(const Entry &entry) const;

 private:
  friend class CacheScan;

  static constexpr uint32_t evictions_at_once = 16;

  uint32_t stripe_index() const {
    return stripe_mask_ == 0 ? 0 : static_cast<uint32_t>(sched_getcpu()) & stripe_mask_;
  }
  Stripe &stripe_here() { return stripes_[stripe_index()]; }
  const EntryShape &shape() const { return rules_.shape; }
  int64_t deadline_of(const Entry &entry) const;
  bool live(const Entry &entry, int64_t now_ns) const { return now_ns < end_of(entry); }
  Look judge(const Entry *entry, const LookTime &time) const;
  void use(Stripe &stripe, Entry *entry, int64_t used_ns);
  void find_absent(const Key &key, const Entry *entry, Finding &finding) const;

  class AllStripes;
  struct Notes;

  void lock_stripes();
  void unlock_stripes();
  void replay(const Notes &notes);
  void drain();
  void drain_noted();
  void unlink(Node *node);
  void exchange(Entry *old, Entry *entry, LoadNode *mark);
  void turn_over(Entry *victim, Entry *entry, Node **bucket, LoadNode *mark);
  void adapt_table() {
    if (table_.crowded() || table_.sparse()) resize_table();
  }
  void resize_table();
  void store(Entry *old, bool present, Node **bucket, Write &write, Aftermath &after);
  bool renews(const Entry &old, const Write &write) const;
  void renew(Entry *old, const Write &write, Aftermath &after);
  void write_over(Entry *old, uint32_t cause, Write &write, Aftermath &after, uint32_t &budget);
  Entry *make_room(Entry *fresh, int64_t now_ns, uint32_t &budget, Aftermath &after);
  void unlink_evicted(Entry *victim, Aftermath &after);
  void drop(Entry *entry, uint32_t cause, Aftermath &after);
  void expire(Entry *entry, int64_t now_ns, Aftermath &after);
  void leave(Entry *entry, uint32_t cause, Aftermath &after);
  void count_left(Entry *entry, uint32_t cause, Aftermath &after);
  void clear_node(Node *node, int64_t now_ns, Aftermath &after);
  void schedule(Entry *entry, int64_t deadline_ns, int64_t now_ns, Aftermath &after);
  void reschedule(Entry *entry, int64_t now_ns, Aftermath &after);
  void set_end(Entry *entry, int64_t until_ns, int64_t now_ns, bool own, Aftermath &after);
  LoadNode *find_mark(const Key &key) const;
  // NULL if the key is not being loaded.
  LoadNode *mark_of(const Key &key) const { return loading_ == 0 ? nullptr : find_mark(key); }
  LoadNode *mark_of(const Write &write) const {
    return write.load != nullptr ? write.load : mark_of(write.key);
  }
  void take_mark(LoadNode *mark);
  void forget_mark(LoadNode *mark) {
    mark->flags = 0;
    --loading_;
  }
  void end_load(LoadNode *mark);

  // Read by lookups.
  const CacheRules &rules_;
  uint32_t stripe_mask_ = 0;
  Table table_;

  // Apart from what its holder writes, as others look at it meanwhile.
  alignas(64) SoonMutex mutex_;

  // Under the policy lock.
  alignas(64) Heap *heap_;
  uint64_t max_entries_ = 0;
  uint64_t max_weight_ = 0;
  uint64_t entries_ = 0;
  uint64_t weight_ = 0;
  uint64_t loading_ = 0;
  uint64_t puts_ = 0;
  uint64_t refused_ = 0;
  uint64_t left_by_cause_[WEIR_EVICT_CLEARED + 1] = {};
  Eviction eviction_;
  ExpiryWheel wheel_;
  Node *left_first_ = nullptr;
  Node **left_end_ = &left_first_;
  // When the cache's timer looks next; read under the policy lock (cache.cc says why).
  std::atomic<int64_t> &armed_ns_;

  Stripe stripes_[max_stripes];
};

class Shard::AllStripes {
 public:
  explicit AllStripes(Shard &shard) : shard_(shard) { shard_.lock_stripes(); }
  AllStripes(const AllStripes &) = delete;
  AllStripes &operator=(const AllStripes &) = delete;
  ~AllStripes() { shard_.unlock_stripes(); }

 private:
  Shard &shard_;
};

inline int64_t Shard::end_of(const Entry &entry) const {
  if (rules_.shape.used_at == 0 || (entry.flags & entry_own_lifetime) != 0) return entry.expires_ns;
  int64_t used = rules_.shape.used_ns(entry).load(std::memory_order_relaxed);
  int64_t idle = deadline_after(used, rules_.idle_ns);
  return idle < entry.expires_ns ? idle : entry.expires_ns;
}

inline Look Shard::judge(const Entry *entry, const LookTime &time) const {
  if (entry == nullptr || entry->negative()) return Look::miss;
  int64_t end = end_of(*entry);
  if (end == never_ns) return Look::hit;
  if (time.now_ns >= end) return Look::miss;
  return saturating_sub(end, time.now_ns) > time.margin_ns ? Look::hit : Look::unsure;
}

inline void Shard::use(Stripe &stripe, Entry *entry, int64_t used_ns) {
  stripe.note(entry);
  Stripe::count(stripe.hits);
  if (shape().used_at != 0) shape().used(*entry, used_ns);
}

template <typename Time, typename Hopeless, typename Take>
Look Shard::look(const Key &key, Time time, Hopeless hopeless, Finding *absent, Take take) {
  Stripe &stripe = stripe_here();
  if (!stripe.lock.lock_unless(hopeless)) return Look::stuck;
  Entry *entry = absent == nullptr ? table_.find_in(table_.bucket(key.hash), key)
                                   : table_.find(key, absent->load);
  LookTime now = entry == nullptr ? LookTime{} : time();
  Look result = judge(entry, now);
  if (result == Look::hit) {
    take(*entry);
    use(stripe, entry, now.used_ns);
  } else if (result == Look::miss) {
    if (absent != nullptr && entry != nullptr) find_absent(key, entry, *absent);
    Stripe::count(stripe.misses);
  }
  stripe.lock.unlock();
  return result;
}

}  // namespace weir
