// SPDX-License-Identifier: MIT
//
// What holders of the policy lock do: notes, room, entries in and out. shard_write.cc has the
// operations that are made of it.
#include "cache/shard.hh"

#include "engine/value.hh"

namespace weir {

[[gnu::cold]] Shard::Shard(Heap *heap, const CacheRules &rules, std::atomic<int64_t> &armed_ns)
    : rules_(rules), table_(heap, rules.shape), heap_(heap), wheel_(heap), armed_ns_(armed_ns) {}

void Shard::init(uint64_t max_entries, uint64_t max_weight, uint32_t stripes) {
  // The order of accesses is kept within a stripe only; a small cache has it exactly.
  constexpr uint64_t exact_order = 64;
  stripe_mask_ = max_entries < exact_order ? 0 : stripes - 1;
  max_entries_ = max_entries;
  max_weight_ = max_weight;
  eviction_.init(heap_, rules_.eviction);
}

// Nobody uses the cache any more, so no load is in the table.
[[gnu::cold]] Shard::~Shard() {
  uint64_t position = 0;
  do {
    Node *node = table_.chain_at(position, position);
    while (node != nullptr) {
      auto *entry = static_cast<Entry *>(node);
      node = node->next;
      shape().free(heap_, entry);
    }
  } while (position != 0);
  shape().free_all(heap_, static_cast<Entry *>(left_first_));
}

// ---- notes ----

void Shard::lock_stripes() {
  uint32_t last = stripe_mask_;
  for (uint32_t i = 0; i <= last; ++i) stripes_[i].lock.shut();
  ShortLock::shut_now();
  for (uint32_t i = 0; i <= last; ++i) stripes_[i].lock.await();
}

[[gnu::noinline]] void Shard::unlock_stripes() {
  uint32_t last = stripe_mask_;
  for (uint32_t i = 0; i <= last; ++i) stripes_[i].lock.open();
}

// Notes taken out of the stripes, each one's oldest first.
struct Shard::Notes {
  Entry *entries[max_stripes * Stripe::capacity];
  uint32_t count = 0;

  // Under the stripe's lock.
  void take(Stripe &stripe) {
    uint32_t noted = stripe.noted.load(std::memory_order_relaxed);
    if (noted == 0) return;
    for (uint32_t i = 0; i < noted; ++i) entries[count++] = stripe.notes[i];
    stripe.noted.store(0, std::memory_order_relaxed);
  }

  void take_all(Shard &shard) {
    for (uint32_t i = 0; i <= shard.stripe_mask_; ++i) take(shard.stripes_[i]);
  }
};

// What has just been taken out of the lists, but not yet out of the table, is passed over.
inline void Shard::replay(const Notes &notes) {
  for (uint32_t i = 0; i < notes.count; ++i) {
    if (notes.entries[i]->list != 0) eviction_.accessed(notes.entries[i]);
  }
}

// So that few are left to be taken under all the locks, and what this processor has noted counts
// before anything is chosen to go. A few notes of others are not worth stopping them for.
void Shard::drain() {
  uint32_t noted = 0;
  for (uint32_t i = 0; i <= stripe_mask_; ++i) {
    noted |= stripes_[i].noted.load(std::memory_order_relaxed);
  }
  if (noted != 0) drain_noted();
}

void Shard::drain_noted() {
  constexpr uint32_t few = 32;
  Notes notes;
  for (uint32_t i = 0; i <= stripe_mask_; ++i) {
    Stripe &stripe = stripes_[i];
    uint32_t noted = stripe.noted.load(std::memory_order_relaxed);
    if (noted == 0 || (noted < few && i != stripe_index())) continue;
    stripe.lock.shut();
    ShortLock::shut_now();
    stripe.lock.await();
    notes.take(stripe);
    stripe.lock.open();
  }
  replay(notes);
}

// ---- the table ----

// A mark was never noted, so nothing has to be taken for it.
void Shard::take_mark(LoadNode *mark) {
  if (mark == nullptr) return;
  table_.unlink(mark);
  forget_mark(mark);
}

void Shard::end_load(LoadNode *mark) {
  if (mark == nullptr) return;
  AllStripes hold(*this);
  take_mark(mark);
}

void Shard::unlink(Node *node) {
  drain();
  Notes notes;
  {
    AllStripes hold(*this);
    table_.unlink(node);
    notes.take_all(*this);
  }
  replay(notes);
}

void Shard::exchange(Entry *old, Entry *entry, LoadNode *mark) {
  Notes notes;
  {
    AllStripes hold(*this);
    take_mark(mark);
    table_.replace(old, entry, table_.bucket(entry->hash));
    notes.take_all(*this);
  }
  replay(notes);
}

// `victim` and `mark` (nullable both) go, `entry` comes, into its `bucket`, where its mark is.
void Shard::turn_over(Entry *victim, Entry *entry, Node **bucket, LoadNode *mark) {
  if (victim == nullptr && mark == nullptr) {
    table_.link(entry, bucket);
    return;
  }
  Notes notes;
  {
    AllStripes hold(*this);
    if (mark != nullptr) {
      table_.replace(mark, entry, bucket);
      forget_mark(mark);
    } else {
      table_.link(entry, bucket);
    }
    if (victim != nullptr) {
      table_.unlink(victim);
      notes.take_all(*this);
    }
  }
  replay(notes);
}

void Shard::resize_table() {
  constexpr int splits_at_once = 8;  // more than one only after memory was short
  for (int i = 0; i < splits_at_once && table_.crowded() && table_.make_room(); ++i) {
    AllStripes hold(*this);
    table_.split();
  }
  while (table_.sparse()) {
    {
      AllStripes hold(*this);
      table_.merge();
    }
    table_.trim();
  }
}

// ---- leaving ----

// `entry` is out of everything.
void Shard::leave(Entry *entry, uint32_t cause, Aftermath &after) {
  --entries_;
  weight_ -= entry->weight;
  count_left(entry, cause, after);
}

void Shard::count_left(Entry *entry, uint32_t cause, Aftermath &after) {
  ++left_by_cause_[cause];
  if (cause == WEIR_EVICT_SIZE) after.evicted = true;
  if (!rules_.on_evict || entry->negative()) {
    entry->next = after.garbage;
    after.garbage = entry;
    return;
  }
  entry->flags = static_cast<uint8_t>(entry->flags | cause << entry_cause_shift);
  entry->next = nullptr;
  *left_end_ = entry;
  left_end_ = &entry->next;
  after.tell = true;
}

void Shard::drop(Entry *entry, uint32_t cause, Aftermath &after) {
  drain();
  wheel_.remove(*entry);
  eviction_.removed(entry);
  unlink(entry);
  leave(entry, cause, after);
}

// `entry` was just taken out of the wheel. What was used or written in the meantime is put back;
// that is decided under the stripe locks, as using is noted under those.
[[gnu::cold]] void Shard::expire(Entry *entry, int64_t now_ns, Aftermath &after) {
  Notes notes;
  int64_t deadline_ns = deadline_of(*entry);
  if (deadline_ns <= now_ns) {
    AllStripes hold(*this);
    deadline_ns = deadline_of(*entry);
    if (deadline_ns <= now_ns) {
      table_.unlink(entry);
      notes.take_all(*this);
    }
  }
  if (deadline_ns > now_ns) {
    wheel_.insert(*entry, deadline_ns);
    return;
  }
  eviction_.removed(entry);
  replay(notes);
  leave(entry, WEIR_EVICT_EXPIRED, after);
}

// ---- room ----

// Makes room for `fresh` (nullable), which is in the eviction's lists already, within the bounds:
// what has expired goes first. At most `budget` steps, and one more if there is an entry too many.
// The last victim is returned, counted out but still in the table: so that it can go in the same
// hold in which the new entry comes.
Entry *Shard::make_room(Entry *fresh, int64_t now_ns, uint32_t &budget, Aftermath &after) {
  uint64_t entries = fresh == nullptr ? 0 : 1;
  uint64_t weight = fresh == nullptr ? 0 : fresh->weight;
  Entry *last = nullptr;
  while (true) {
    bool many = entries_ + entries > max_entries_;
    if (!many && weight_ + weight <= max_weight_) return last;
    if (budget > 0) {
      --budget;
      if (Entry *due = wheel_.pop_due(now_ns)) {
        expire(due, now_ns, after);
        continue;
      }
    } else if (!many) {
      after.trim = true;
      return last;
    }
    auto room = many ? Eviction::Room::entries : Eviction::Room::weight;
    auto *victim = static_cast<Entry *>(eviction_.victim(fresh, room));
    if (victim == nullptr) return last;
    if (last != nullptr) unlink_evicted(last, after);
    wheel_.remove(*victim);
    --entries_;
    weight_ -= victim->weight;
    last = victim;
  }
}

void Shard::unlink_evicted(Entry *victim, Aftermath &after) {
  unlink(victim);
  count_left(victim, WEIR_EVICT_SIZE, after);
}

// ---- lifetimes ----

// When it is to be taken out: gets may be served an expired one for a while.
int64_t Shard::deadline_of(const Entry &entry) const {
  int64_t end_ns = end_of(entry);
  if (end_ns == never_ns || entry.negative()) return end_ns;
  return saturating_add(end_ns, rules_.stale_ns);
}

void Shard::schedule(Entry *entry, int64_t deadline_ns, int64_t now_ns, Aftermath &after) {
  // Without memory for the wheel it stays, expired, until it is evicted.
  if (deadline_ns == never_ns || !wheel_.ready(now_ns)) return;
  wheel_.insert(*entry, deadline_ns);
  if (ExpiryWheel::sweep_ns(deadline_ns) < armed_ns_.load(std::memory_order_relaxed)) {
    after.arm = true;
  }
}

void Shard::reschedule(Entry *entry, int64_t now_ns, Aftermath &after) {
  wheel_.remove(*entry);
  schedule(entry, deadline_of(*entry), now_ns, after);
}

void Shard::set_end(Entry *entry, int64_t until_ns, int64_t now_ns, bool own, Aftermath &after) {
  {
    AllStripes hold(*this);
    entry->expires_ns = until_ns;
    if (own) entry->flags |= entry_own_lifetime;
    if (shape().used_at != 0) shape().used(*entry, now_ns);
  }
  reschedule(entry, now_ns, after);
}

}  // namespace weir
