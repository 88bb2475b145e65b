// SPDX-License-Identifier: MIT
#include "base/hash_map.hh"

namespace weir {

HashTable::~HashTable() {
  if (table_ != nullptr) heap_->free(table_, capacity_ * sizeof(HashNode *));
}

bool HashTable::insert(HashNode *element, uint64_t hash) {
  if (size_ >= capacity_ && !resize(capacity_ == 0 ? first_capacity : 2 * capacity_) &&
      table_ == nullptr) {
    return false;
  }
  element->hash = hash;
  link(element);
  ++size_;
  return true;
}

void HashTable::remove(HashNode *element) {
  HashNode **at = &table_[element->hash & (capacity_ - 1)];
  while (*at != element) at = &(*at)->next_in_chain;
  *at = element->next_in_chain;
  --size_;
  if (capacity_ > first_capacity && size_ < capacity_ / 8) resize(capacity_ / 2);
}

void HashTable::link(HashNode *node) {
  HashNode **head = &table_[node->hash & (capacity_ - 1)];
  node->next_in_chain = *head;
  *head = node;
}

bool HashTable::resize(size_t capacity) {
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

}  // namespace weir
