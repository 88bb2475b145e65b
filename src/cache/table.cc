// SPDX-License-Identifier: MIT
#include "cache/table.hh"

#include <bit>

namespace weir {

Table::~Table() {
  for (int i = 0; i < directory_size; ++i) {
    if (segments_[i] == nullptr) continue;
    uint64_t size = uint64_t{1} << ((i >> parts_bits) + smallest_bits - parts_bits);
    heap_->free(segments_[i], size * sizeof(Node *));
  }
}

Entry *Table::find(const Key &key) const { return find_in(bucket(key.hash), key); }

LoadNode *Table::find_load(const Key &key) const { return find_load_in(bucket(key.hash), key); }

bool Table::make_room() {
  uint64_t index = buckets();
  if (index >> 32 != 0) return false;
  Place at = place(index);
  Node **&segment = segments_[at.segment];
  if (segment != nullptr) return true;
  segment = static_cast<Node **>(heap_->allocate(at.size * sizeof(Node *)));
  if (segment == nullptr) return false;
  if (at.size >= 1 << 16) heap_->expect_random_access(segment, at.size * sizeof(Node *));
  return true;
}

// The new bucket takes from the one it comes from what has its number, in the same order.
void Table::split() {
  uint64_t index = buckets();
  uint64_t low = std::bit_floor(index);
  Node **from = bucket_at(index - low);
  Node **to = bucket_at(index);
  while (Node *node = *from) {
    if ((node->hash & low) != 0) {
      *from = node->next;
      *to = node;
      to = &node->next;
    } else {
      from = &node->next;
    }
  }
  *to = nullptr;
  set_count(index + 1);
}

[[gnu::cold]] void Table::merge() {
  uint64_t index = buckets() - 1;
  Node **end = bucket_at(index - std::bit_floor(index));
  while (*end != nullptr) end = &(*end)->next;
  *end = *bucket_at(index);
  set_count(index);
}

void Table::trim() {
  Place at = place(buckets());
  if (at.offset != 0 || at.segment < 0 || segments_[at.segment] == nullptr) return;
  heap_->free(segments_[at.segment], at.size * sizeof(Node *));
  segments_[at.segment] = nullptr;
}

uint64_t Table::reverse(uint64_t bits) {
  bits = (bits >> 1 & 0x5555555555555555u) | (bits & 0x5555555555555555u) << 1;
  bits = (bits >> 2 & 0x3333333333333333u) | (bits & 0x3333333333333333u) << 2;
  bits = (bits >> 4 & 0x0f0f0f0f0f0f0f0fu) | (bits & 0x0f0f0f0f0f0f0f0fu) << 4;
  return __builtin_bswap64(bits);
}

Node *Table::chain_at(uint64_t position, uint64_t &end) const {
  uint64_t count = buckets();
  uint64_t hash = reverse(position);
  uint64_t index = bucket_of(hash);
  int bits = 64 - __builtin_clzll(count - 1);
  uint64_t partner = index + (uint64_t{1} << (bits - 1));
  // Below half: split already if its partner is there; above: it is a partner.
  bool whole = partner < count || index >> (bits - 1) != 0;
  uint64_t size = uint64_t{1} << (64 - (whole ? bits : bits - 1));
  end = (position & ~(size - 1)) + size;
  return *bucket_at(index);
}

}  // namespace weir
