// SPDX-License-Identifier: MIT
//
// Scanning. A cursor is a place in the order of reversed hashes (table.hh), the shards one after
// the other: the number of the shard above, the reversed rest of the hash below. An entry's place
// never changes, so that a scan meets it once, whatever the tables do meanwhile. (Two keys of one
// 64-bit hash share a place; a scan that stops between them passes the second over.)
#include "cache/cache.hh"
#include "engine/value.hh"

namespace weir {

// What one call collects.
class CacheScan {
 public:
  CacheScan(Heap *heap, weir_cache_entry *entries, size_t entry_size, size_t capacity)
      : heap_(heap),
        target_(reinterpret_cast<unsigned char *>(entries)),
        entry_size_(entry_size),
        capacity_(capacity) {}

  size_t count() const { return count_; }
  bool full() const { return count_ == capacity_; }

  // Takes entries from `position`, a reversed hash, on. Returns where to go on, 0 at the shard's
  // end; `enough` when there is no room or no memory.
  uint64_t take(Shard &shard, uint64_t position, uint64_t step, int64_t now_ns, bool &enough) {
    constexpr int buckets_at_once = 64;
    SoonLock lock(shard.mutex_);
    for (int i = 0; i < buckets_at_once && !enough; ++i) {
      position = take_bucket(shard, position, step, now_ns, enough);
      if (position == 0) break;
    }
    return position;
  }

  void give_back() {
    for (; count_ > 0; --count_) {
      weir_cache_entry entry = {};
      std::memcpy(&entry, target_ + (count_ - 1) * entry_size_, known());
      unref_value(entry.key);
      unref_value(entry.value);
    }
  }

  bool failed = false;

 private:
  size_t known() const {
    return entry_size_ < sizeof(weir_cache_entry) ? entry_size_ : sizeof(weir_cache_entry);
  }

  // Of the nodes in a chain the one that is first in order from `position` on.
  static Node *first_from(Node *chain, uint64_t position) {
    Node *first = nullptr;
    for (Node *node = chain; node != nullptr; node = node->next) {
      if (node->kind != NodeKind::entry || Table::reverse(node->hash) < position) continue;
      if (first == nullptr || Table::reverse(node->hash) < Table::reverse(first->hash))
        first = node;
    }
    return first;
  }

  uint64_t take_bucket(Shard &shard, uint64_t position, uint64_t step, int64_t now_ns,
                       bool &enough) {
    uint64_t end = 0;
    Node *chain = shard.table_.chain_at(position, end);
    while (Node *node = first_from(chain, position)) {
      auto *entry = static_cast<Entry *>(node);
      if (!entry->negative() && shard.live(*entry, now_ns)) {
        enough = full() || !add(shard, *entry, now_ns);
        if (enough) return position;
      }
      position = (Table::reverse(node->hash) & ~(step - 1)) + step;
      if (position == end) return end;
    }
    return end;
  }

  bool add(Shard &shard, const Entry &entry, int64_t now_ns) {
    weir_cache_entry out = {};
    out.key = make_bytes(heap_, shard.shape().key(entry), entry.key_size);
    failed = out.key == nullptr;
    if (failed) return false;
    int64_t end_ns = shard.end_of(entry);
    out.value = ref_value(entry.value);
    out.remaining_ns = remaining_of(end_ns, now_ns);
    out.weight = entry.weight;
    unsigned char *at = target_ + count_++ * entry_size_;
    std::memcpy(at, &out, known());
    if (entry_size_ > known()) std::memset(at + known(), 0, entry_size_ - known());
    return true;
  }

  Heap *heap_;
  unsigned char *target_;
  size_t entry_size_;
  size_t capacity_;
  size_t count_ = 0;
};

}  // namespace weir

[[gnu::cold]] weir_status weir_cache::scan(uint64_t &cursor, weir_cache_entry *entries,
                                           size_t entry_size, size_t capacity, size_t &count) {
  weir::CacheScan scan(heap(), entries, entry_size, capacity);
  int bits = 63 - shard_shift_;
  uint64_t step = uint64_t{1} << bits;
  uint64_t index = cursor >> shard_shift_ >> 1;
  uint64_t position = cursor << bits;
  int64_t now_ns = runtime()->clock();
  bool enough = false;
  while (index < shard_count_ && !enough) {
    position = scan.take(shards_[index], position, step, now_ns, enough);
    if (position == 0 && !enough) ++index;
  }
  if (scan.failed) scan.give_back();
  count = scan.count();
  if (scan.failed) return WEIR_ENOMEM;
  cursor = index == shard_count_ ? 0 : index << shard_shift_ << 1 | position >> bits;
  return WEIR_OK;
}
