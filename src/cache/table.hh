// SPDX-License-Identifier: MIT
//
// The nodes of a shard by hash: linear hashing (Litwin, "Linear hashing: a new tool for file and
// table addressing", 1980) in memory, after Larson, "Dynamic hash tables", 1988. The table grows
// by splitting one bucket at a time and shrinks by merging one, so that no step takes long; its
// buckets lie in segments, four for each doubling, which are never moved.
//
// Locks (shard.hh). The holder of the policy lock is the only one to change anything, and reads
// freely. He changes it under all the stripe locks, so that a lookup needs any one of them.
//
// Invariant: bucket b is there for all b < buckets(). Hash h is in bucket h mod 2^n, with 2^n the
// first power of two that is not below buckets(), or, if there is no such bucket, in h mod 2^(n-1).
//
// Walking. With the bits of its hash reversed, a bucket is an interval of numbers, and a split
// halves it. A walk that goes through these numbers in order sees every node that is there all the
// time exactly once, however the table grows and shrinks between its steps.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/heap.hh"
#include "cache/entry.hh"
#include "cache/node.hh"

namespace weir {

// A key that is being loaded, in the table. Belongs to who loads; the key too.
struct LoadNode : Node {
  const void *key = nullptr;
};

class Table {
 public:
  static constexpr uint64_t smallest = 64;  // buckets

  Table(Heap *heap, const EntryShape &shape) : heap_(heap), shape_(shape) {}
  Table(const Table &) = delete;
  Table &operator=(const Table &) = delete;
  ~Table();

  // ---- under a stripe lock or the policy lock ----

  // Where nodes of the hash are, until a bucket is split or merged.
  Node **bucket(uint64_t hash) const { return bucket_at(bucket_of(hash)); }
  Entry *find_in(Node *const *bucket, const Key &key) const {
    return static_cast<Entry *>(find_node(bucket, key, NodeKind::entry));
  }
  Entry *find(const Key &key) const;
  LoadNode *find_load_in(Node *const *bucket, const Key &key) const {
    return static_cast<LoadNode *>(find_node(bucket, key, NodeKind::load));
  }
  LoadNode *find_load(const Key &key) const;
  // Both in one look; `load` only if there is no entry.
  Entry *find(const Key &key, LoadNode *&load) const;

  // ---- under the policy lock; others may look meanwhile ----

  // `bucket` is that of its hash.
  void link(Node *node, Node **bucket) {
    node->next = *bucket;
    __atomic_store_n(bucket, node, __ATOMIC_RELEASE);
    ++nodes_;
  }

  // ---- under the policy lock and all stripe locks ----

  void unlink(Node *node) {
    Node **at = place_of(bucket(node->hash), node);
    *at = node->next;
    --nodes_;
  }
  // `next` takes the place of `old`, of the same hash, in its bucket.
  void replace(Node *old, Node *next, Node **bucket) {
    Node **at = place_of(bucket, old);
    next->next = old->next;
    *at = next;
  }
  // A new bucket, number buckets(), after make_room().
  void split();
  // The last bucket goes.
  void merge();

  // ---- under the policy lock ----

  uint64_t buckets() const { return count_; }
  // Whether a bucket has to be split, or merged.
  bool crowded() const { return nodes_ > count_; }
  bool sparse() const { return count_ > smallest && nodes_ < count_ / 4; }
  // Memory for one bucket more; false if there is none.
  bool make_room();
  // Gives back what merging has emptied.
  void trim();

  // ---- walking, under the policy lock ----

  static uint64_t reverse(uint64_t bits);
  // The chain of the bucket that holds `position`, a reversed hash; what is before it in the chain
  // (reverse(hash) < position) was seen. `end`: where the next begins, 0 after the last.
  Node *chain_at(uint64_t position, uint64_t &end) const;

 private:
  static constexpr int smallest_bits = 6;
  static constexpr int parts_bits = 2;  // segments for each doubling: 4
  static constexpr int directory_size = (33 - smallest_bits) << parts_bits;

  struct Place {
    int segment;  // -1: the first buckets, inside
    uint64_t offset;
    uint64_t size;  // of the segment
  };
  static Place place(uint64_t bucket);
  Node **bucket_at(uint64_t index) const;
  // Its first node, as it is when others link.
  static Node *first_in(Node *const *bucket) {
    return __atomic_load_n(bucket, __ATOMIC_ACQUIRE);  // atomic_ref is not everywhere
  }
  static Node **place_of(Node **at, const Node *node) {
    while (*at != node) at = &(*at)->next;
    return at;
  }
  uint64_t bucket_of(uint64_t hash) const;
  void set_count(uint64_t count) {
    count_ = count;
    mask_ = mask_for(count);
  }
  static constexpr uint64_t mask_for(uint64_t count) {
    return ~uint64_t{0} >> __builtin_clzll(count - 1);
  }
  bool matches(const Node *node, const Key &key) const;
  Node *find_node(Node *const *bucket, const Key &key, NodeKind kind) const;

  uint64_t count_ = smallest;           // of buckets
  uint64_t mask_ = mask_for(smallest);  // 2^n - 1
  Heap *heap_;
  const EntryShape &shape_;
  Node **segments_[directory_size] = {};
  mutable Node *first_[smallest] = {};
  uint64_t nodes_ = 0;  // often written: not beside what every lookup reads
};

static_assert(uint64_t{1} << 6 == Table::smallest);

inline Table::Place Table::place(uint64_t bucket) {
  if (bucket < smallest) return {-1, bucket, smallest};
  int bits = 63 - __builtin_clzll(bucket);
  int shift = bits - parts_bits;
  auto part = static_cast<int>(bucket >> shift) & ((1 << parts_bits) - 1);
  uint64_t size = uint64_t{1} << shift;
  return {((bits - smallest_bits) << parts_bits) + part, bucket & (size - 1), size};
}

// What place() says, in the few steps that every lookup takes: the leading bits name the segment.
inline Node **Table::bucket_at(uint64_t index) const {
  if (index < smallest) return &first_[index];
  int shift = 63 - parts_bits - __builtin_clzll(index);
  uint64_t leading = index >> shift;
  constexpr int first_shift = smallest_bits - parts_bits;
  uint64_t segment = (static_cast<uint64_t>(shift - first_shift - 1) << parts_bits) + leading;
  return &segments_[segment][index - (leading << shift)];
}

inline uint64_t Table::bucket_of(uint64_t hash) const {
  uint64_t index = hash & mask_;
  return index < count_ ? index : index & (mask_ >> 1);
}

inline bool Table::matches(const Node *node, const Key &key) const {
  const void *data = node->kind == NodeKind::entry ? shape_.key(*static_cast<const Entry *>(node))
                                                   : static_cast<const LoadNode *>(node)->key;
  return key.same(data, node->key_size);
}

inline Entry *Table::find(const Key &key, LoadNode *&load) const {
  LoadNode *found = nullptr;
  for (Node *node = first_in(bucket(key.hash)); node != nullptr; node = node->next) {
    if (node->hash != key.hash || !matches(node, key)) continue;
    if (node->kind == NodeKind::entry) return static_cast<Entry *>(node);
    found = static_cast<LoadNode *>(node);
  }
  load = found;
  return nullptr;
}

inline Node *Table::find_node(Node *const *bucket, const Key &key, NodeKind kind) const {
  for (Node *node = first_in(bucket); node != nullptr; node = node->next) {
    if (node->hash == key.hash && node->kind == kind && matches(node, key)) return node;
  }
  return nullptr;
}

}  // namespace weir
