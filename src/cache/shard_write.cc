// SPDX-License-Identifier: MIT
//
// The operations on a shard that take its policy lock.
#include <utility>

#include "cache/shard.hh"
#include "engine/error.hh"
#include "engine/value.hh"

namespace weir {

// ---- putting ----

weir_status Shard::put(Write &write, Aftermath &after) {
  SoonLock lock(mutex_);
  if (write.load != nullptr && (write.load->flags & load_linked) == 0) return WEIR_ESUPERSEDED;
  Node **bucket = table_.bucket(write.key.hash);
  Entry *old = table_.find_in(bucket, write.key);
  bool present = old != nullptr && live(*old, write.now_ns);
  if (write.only_if_absent && present && !old->negative()) {
    if (write.existing != nullptr) *write.existing = ref_value(old->value);
    return WEIR_EEXISTS;
  }
  drain();
  if (write.keep_lifetime && present && !old->negative()) {
    write.entry->expires_ns = old->expires_ns;
    write.entry->flags |= old->flags & entry_own_lifetime;
  }
  store(old, present, bucket, write, after);
  adapt_table();
  return WEIR_OK;
}

// What cannot be kept, or not for a moment, takes the place of nothing.
inline void Shard::store(Entry *old, bool present, Node **bucket, Write &write, Aftermath &after) {
  Entry *entry = write.entry;
  uint32_t cause = present ? WEIR_EVICT_REPLACED : WEIR_EVICT_EXPIRED;
  int64_t deadline_ns = deadline_of(*entry);
  if (max_entries_ == 0 || deadline_ns <= write.now_ns) {
    end_load(mark_of(write.key));
    if (old != nullptr) drop(old, cause, after);
    entry->next = after.garbage;
    after.garbage = entry;
    return;
  }
  ++puts_;
  if (present && renews(*old, write)) return renew(old, write, after);
  uint32_t budget = evictions_at_once;
  if (old != nullptr) {
    write_over(old, cause, write, after, budget);
  } else {
    eviction_.inserted(entry);
    Entry *victim = make_room(entry, write.now_ns, budget, after);
    turn_over(victim, entry, bucket, mark_of(write));
    if (victim != nullptr) count_left(victim, WEIR_EVICT_SIZE, after);
  }
  ++entries_;
  weight_ += entry->weight;
  schedule(entry, deadline_ns, write.now_ns, after);
}

// Whether nothing but the value and its end change, and nobody wants to see the old entry.
bool Shard::renews(const Entry &old, const Write &write) const {
  const Entry &entry = *write.entry;
  return ((old.flags | entry.flags) & entry_negative) == 0 && old.weight == entry.weight &&
         !rules_.on_evict && mark_of(write) == nullptr;
}

// The two entries exchange what they hold. That this is a use is noted, and a later end waits until
// the wheel comes to the present one: so neither lists nor wheel are touched, whose entries may be
// in the caches of another processor.
void Shard::renew(Entry *old, const Write &write, Aftermath &after) {
  Entry *entry = write.entry;
  int64_t before_ns = deadline_of(*old);
  {
    AllStripes hold(*this);
    std::swap(old->value, entry->value);
    old->expires_ns = entry->expires_ns;
    old->flags = entry->flags;
    if (shape().used_at != 0) shape().used_ns(*old).store(write.now_ns, std::memory_order_relaxed);
    if (shape().written_at != 0) {
      shape().written_ns(*old).store(write.now_ns, std::memory_order_relaxed);
    }
    stripe_here().note(old);
  }
  count_left(entry, WEIR_EVICT_REPLACED, after);
  if (deadline_of(*old) < before_ns) reschedule(old, write.now_ns, after);
}

// The old one stays in the table until the new one takes its place, but counts no more.
void Shard::write_over(Entry *old, uint32_t cause, Write &write, Aftermath &after,
                       uint32_t &budget) {
  Entry *entry = write.entry;
  wheel_.remove(*old);
  eviction_.replaced(old, entry);
  eviction_.accessed(entry);
  --entries_;
  weight_ -= old->weight;
  Entry *victim = make_room(entry, write.now_ns, budget, after);
  if (victim != nullptr) unlink_evicted(victim, after);
  exchange(old, entry, mark_of(write));
  count_left(old, cause, after);
}

[[gnu::cold]] void Shard::refuse(const Write &write, Aftermath &after) {
  SoonLock lock(mutex_);
  ++refused_;
  if (write.load != nullptr && (write.load->flags & load_linked) == 0) return;
  Entry *old = table_.find(write.key);
  bool present = old != nullptr && live(*old, write.now_ns);
  if (write.only_if_absent && present && !old->negative()) return;
  end_load(mark_of(write.key));
  if (old == nullptr) return;
  drop(old, present ? WEIR_EVICT_REPLACED : WEIR_EVICT_EXPIRED, after);
  adapt_table();
}

[[gnu::cold]] void Shard::count_refused() {
  SoonLock lock(mutex_);
  ++refused_;
}

// ---- removing ----

[[gnu::cold]] bool Shard::remove(const Key &key, int64_t now_ns, Aftermath &after) {
  SoonLock lock(mutex_);
  end_load(mark_of(key));
  Entry *entry = table_.find(key);
  bool found = false;
  if (entry != nullptr) {
    bool present = live(*entry, now_ns);
    found = present && !entry->negative();
    drop(entry, present ? WEIR_EVICT_EXPLICIT : WEIR_EVICT_EXPIRED, after);
  }
  adapt_table();
  return found;
}

[[gnu::cold]] uint64_t Shard::clear(uint64_t position, int64_t now_ns, Aftermath &after) {
  constexpr int buckets_at_once = 64;
  SoonLock lock(mutex_);
  for (int i = 0; i < buckets_at_once; ++i) {
    uint64_t end = 0;
    Node *node = table_.chain_at(position, end);
    while (node != nullptr) {
      Node *next = node->next;
      if (Table::reverse(node->hash) >= position) clear_node(node, now_ns, after);
      node = next;
    }
    position = end;
    if (position == 0) break;
  }
  adapt_table();
  return position;
}

[[gnu::cold]] void Shard::clear_node(Node *node, int64_t now_ns, Aftermath &after) {
  if (node->kind == NodeKind::load) {
    end_load(static_cast<LoadNode *>(node));
    return;
  }
  auto *entry = static_cast<Entry *>(node);
  drop(entry, live(*entry, now_ns) ? WEIR_EVICT_CLEARED : WEIR_EVICT_EXPIRED, after);
}

// ---- lifetimes ----

[[gnu::cold]] bool Shard::touch(const Key &key, int64_t now_ns, int64_t until_ns,
                                Aftermath &after) {
  SoonLock lock(mutex_);
  Entry *entry = table_.find(key);
  if (entry == nullptr || entry->negative() || !live(*entry, now_ns)) return false;
  drain();
  eviction_.accessed(entry);
  set_end(entry, until_ns, now_ns, false, after);
  return true;
}

[[gnu::cold]] void Shard::set_lifetime(const Key &key, const Reading &read, int64_t until_ns,
                                       Aftermath &after) {
  SoonLock lock(mutex_);
  Entry *entry = table_.find(key);
  if (entry == nullptr || entry->negative() || entry->value != read.value ||
      entry->expires_ns != read.expires_ns) {
    return;
  }
  set_end(entry, until_ns, read.now_ns, true, after);
}

[[gnu::cold]] void Shard::sweep(int64_t now_ns, uint32_t &budget, Aftermath &after) {
  constexpr uint32_t steps_at_once = 64;
  bool more = true;
  while (more && budget > 0) {
    SoonLock lock(mutex_);
    uint32_t steps = budget < steps_at_once ? budget : steps_at_once;
    budget -= steps;
    more = false;
    for (; steps > 0; --steps) {
      Entry *entry = wheel_.pop_due(now_ns);
      if (entry == nullptr) break;
      expire(entry, now_ns, after);
      more = true;
    }
    if (weight_ > max_weight_) {
      drain();
      Entry *victim = make_room(nullptr, now_ns, steps, after);
      if (victim != nullptr) unlink_evicted(victim, after);
      more = true;
    }
    budget += steps;
    adapt_table();
  }
}

int64_t Shard::next_sweep_ns() {
  SoonLock lock(mutex_);
  return weight_ > max_weight_ ? 0 : wheel_.next_ns();
}

// ---- leaving ----

[[gnu::cold]] Entry *Shard::take_left() {
  SoonLock lock(mutex_);
  Node *first = left_first_;
  left_first_ = nullptr;
  left_end_ = &left_first_;
  return static_cast<Entry *>(first);
}

// ---- loads ----

// Beside an entry that is not live. Under a stripe lock.
void Shard::find_absent(const Key &key, const Entry *entry, Finding &finding) const {
  finding.load = table_.find_load(key);
  if (!entry->negative()) return;
  finding.error = ref_error(entry->error);
  finding.error_end_ns = entry->expires_ns;
}

[[gnu::cold]] LoadNode *Shard::find_load(const Key &key) {
  ShortHold hold(stripe_here().lock);
  return table_.find_load(key);
}

[[gnu::cold]] bool Shard::find_stale(const Key &key, int64_t now_ns, weir_value *&value) {
  ShortHold hold(stripe_here().lock);
  Entry *entry = table_.find(key);
  if (entry == nullptr || entry->negative() || deadline_of(*entry) <= now_ns) return false;
  value = ref_value(entry->value);
  return true;
}

LoadNode *Shard::begin_load(LoadNode &load, const Key &key) {
  SoonLock lock(mutex_);
  Node **bucket = table_.bucket(key.hash);
  if (LoadNode *other = table_.find_load_in(bucket, key)) return other;
  load.hash = key.hash;
  load.key = key.data;
  load.key_size = key.size;
  load.kind = NodeKind::load;
  load.flags = load_linked;
  ++loading_;
  table_.link(&load, bucket);
  adapt_table();
  return &load;
}

[[gnu::cold]] void Shard::abandon_load(LoadNode &load) {
  SoonLock lock(mutex_);
  if ((load.flags & load_linked) == 0) return;
  end_load(&load);
  adapt_table();
}

[[gnu::cold]] LoadNode *Shard::find_mark(const Key &key) const { return table_.find_load(key); }

// ---- looking ----

bool Shard::peek(const Key &key, int64_t now_ns, int64_t &end_ns, weir_value **value) {
  ShortHold hold(stripe_here().lock);
  Entry *entry = table_.find(key);
  if (entry == nullptr || entry->negative() || !live(*entry, now_ns)) return false;
  end_ns = end_of(*entry);
  if (value != nullptr) *value = ref_value(entry->value);
  return true;
}

[[gnu::cold]] void Shard::add_stats(weir_cache_stats &stats) {
  SoonLock lock(mutex_);
  stats.puts += puts_;
  stats.refused += refused_;
  stats.expired += left_by_cause_[WEIR_EVICT_EXPIRED];
  stats.evicted += left_by_cause_[WEIR_EVICT_SIZE];
  stats.replaced += left_by_cause_[WEIR_EVICT_REPLACED];
  stats.invalidated += left_by_cause_[WEIR_EVICT_EXPLICIT];
  stats.cleared += left_by_cause_[WEIR_EVICT_CLEARED];
  stats.entries += entries_;
  stats.weight += weight_;
  stats.loading += loading_;
  for (uint32_t i = 0; i <= stripe_mask_; ++i) {
    stats.hits += stripes_[i].hits.load(std::memory_order_relaxed);
    stats.misses += stripes_[i].misses.load(std::memory_order_relaxed);
  }
}

}  // namespace weir
