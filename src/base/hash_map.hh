// SPDX-License-Identifier: MIT
//
// A hash map whose nodes are its elements: T derives from HashNode, is found by a 64-bit hash and a
// comparison. Chains in a table of a power of two; growing and shrinking move a table at a time and
// are skipped where there is no memory, so insertion cannot fail once the first table is there
// (prepare, insert).

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/heap.hh"

namespace weir {

struct HashNode {
  HashNode *next_in_chain = nullptr;
  uint64_t hash = 0;
};

// What does not depend on the type of the elements.
class HashTable {
 public:
  explicit HashTable(Heap *heap) : heap_(heap) {}
  HashTable(const HashTable &) = delete;
  HashTable &operator=(const HashTable &) = delete;
  ~HashTable();

  size_t size() const { return size_; }

  // Makes the first table if there is none: then insert cannot fail. False without memory.
  bool prepare() { return table_ != nullptr || resize(first_capacity); }

  // False without memory for the first table.
  bool insert(HashNode *element, uint64_t hash);

  // `element` must be in the map.
  void remove(HashNode *element);

 protected:
  // The begin of a chain.
  HashNode *first(uint64_t hash) const {
    return table_ == nullptr ? nullptr : table_[hash & (capacity_ - 1)];
  }

 private:
  static constexpr size_t first_capacity = 16;

  void link(HashNode *node);
  bool resize(size_t capacity);

  Heap *heap_;
  HashNode **table_ = nullptr;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

template <typename T>
class HashMap : public HashTable {
 public:
  using HashTable::HashTable;

  // The element with `hash` for which `equal(element)` holds; NULL if there is none.
  template <typename Equal>
  T *find(uint64_t hash, Equal equal) const {
    for (HashNode *node = first(hash); node != nullptr; node = node->next_in_chain) {
      T *element = static_cast<T *>(node);
      if (node->hash == hash && equal(*element)) return element;
    }
    return nullptr;
  }
};

}  // namespace weir
