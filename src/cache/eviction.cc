// SPDX-License-Identifier: MIT
#include "cache/eviction.hh"

namespace weir {

bool Eviction::init(Heap *, uint32_t, uint64_t) { return true; }

void Eviction::inserted(EvictionNode *node) {
  node->list = 1;
  push_newest(node);
}

void Eviction::accessed(EvictionNode *node) {
  if (node == newest_) return;
  unlink(node);
  push_newest(node);
}

void Eviction::replaced(EvictionNode *old, EvictionNode *next) {
  next->older = old->older;
  next->newer = old->newer;
  next->stamp = old->stamp;
  next->list = old->list;
  next->frequency = old->frequency;
  old->list = 0;
  (next->older != nullptr ? next->older->newer : oldest_) = next;
  (next->newer != nullptr ? next->newer->older : newest_) = next;
}

void Eviction::removed(EvictionNode *node) {
  unlink(node);
  node->list = 0;
}

EvictionNode *Eviction::victim(const EvictionNode *fresh, Room room) {
  EvictionNode *node = oldest_;
  while (node != nullptr && (node == fresh || (room == Room::weight && node->weight == 0))) {
    node = node->newer;
  }
  if (node != nullptr) removed(node);
  return node;
}

void Eviction::push_newest(EvictionNode *node) {
  node->older = newest_;
  node->newer = nullptr;
  (newest_ != nullptr ? newest_->newer : oldest_) = node;
  newest_ = node;
}

void Eviction::unlink(EvictionNode *node) {
  (node->older != nullptr ? node->older->newer : oldest_) = node->newer;
  (node->newer != nullptr ? node->newer->older : newest_) = node->older;
}

}  // namespace weir
