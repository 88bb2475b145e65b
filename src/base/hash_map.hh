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

template <typename T>
class HashMap {
 public:
  explicit HashMap(Heap *heap) : heap_(heap) {}
  HashMap(const HashMap &) = delete;
  HashMap &operator=(const HashMap &) = delete;
  ~HashMap() {
    if (table_ != nullptr) heap_->free(table_, capacity_ * sizeof(HashNode *));
  }

  size_t size() const { return size_; }

  // The element with `hash` for which `equal(element)` holds; NULL if there is none.
  template <typename Equal>
  T *find(uint64_t hash, Equal equal) const {
    if (table_ == nullptr) return nullptr;
    for (HashNode *node = table_[hash & (capacity_ - 1)]; node != nullptr;
         node = node->next_in_chain) {
      T *element = static_cast<T *>(node);
      if (node->hash == hash && equal(*element)) return element;
    }
    return nullptr;
  }

  // Makes the first table if there is none: then insert cannot fail. False without memory.
  bool prepare() { return table_ != nullptr || resize(first_capacity); }

  // False without memory for the first table.
  bool insert(T *element, uint64_t hash) {
    if (size_ >= capacity_ && !resize(capacity_ == 0 ? first_capacity : 2 * capacity_) &&
        table_ == nullptr) {
      return false;
    }
    element->hash = hash;
    link(element);
    ++size_;
    return true;
  }

  // `element` must be in the map.
  void remove(T *element) {
    HashNode **at = &table_[element->hash & (capacity_ - 1)];
    while (*at != static_cast<HashNode *>(element)) at = &(*at)->next_in_chain;
    *at = element->next_in_chain;
    --size_;
    if (capacity_ > first_capacity && size_ < capacity_ / 8) resize(capacity_ / 2);
  }

 private:
  static constexpr size_t first_capacity = 16;

  void link(HashNode *node) {
    HashNode **head = &table_[node->hash & (capacity_ - 1)];
    node->next_in_chain = *head;
    *head = node;
  }

  bool resize(size_t capacity) {
    auto **table = static_cast<HashNode **>(heap_->allocate(capacity * sizeof(HashNode *)));
    if (table == nullptr) return false;
    for (size_t i = 0; i < capacity; ++i) table[i] = nullptr;
    HashNode **old = table_;
    size_t old_capacity = capacity_;
    table_ = table;
    capacity_ = capacity;
    for (size_t i = 0; i < old_capacity; ++i) {
      for (HashNode *node = old[i]; node != nullptr;) {
        HashNode *next = node->next_in_chain;
        link(node);
        node = next;
      }
    }
    if (old != nullptr) heap_->free(old, old_capacity * sizeof(HashNode *));
    return true;
  }

  Heap *heap_;
  HashNode **table_ = nullptr;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace weir
