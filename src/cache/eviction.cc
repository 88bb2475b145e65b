// SPDX-License-Identifier: MIT

#include "cache/eviction.hh"

#include <weir/cache.h>

namespace weir {

namespace {

constexpr int eviction_passes = 64;  // entries that are passed over by moving them

}  // namespace

void Eviction::init(Heap *heap, uint32_t kind) {
  kind_ = kind;
  ghosts_.init(heap);
  sketch_.init(heap);
  steering_.init(heap, &sketch_);
  if (kind == WEIR_EVICTION_ADAPTIVE) lists_.set_mode(steering_.mode());
  if (kind == WEIR_EVICTION_S3_FIFO) lists_.set_mode({EvictionRule::s3_fifo, 10});
}

void Eviction::inserted(EvictionNode *node) {
  node->stamp = ++clock_;
  node->unnoted.store(0, std::memory_order_relaxed);
  if (node->weight != 0) weighty_++;
  if (kind_ == WEIR_EVICTION_LRU) return lists_.insert(node, {false, 0});
  lists_.insert(node, ghosts_.take(NodeSpace::fingerprint(node)));
  if (kind_ != WEIR_EVICTION_ADAPTIVE) return;
  sketch_.reserve(lists_.count());
  observe(node, false);
}

void Eviction::accessed(EvictionNode *node) {
  uint32_t previous = node->stamp;
  node->stamp = ++clock_;
  lists_.hit(node, previous);
  if (kind_ == WEIR_EVICTION_ADAPTIVE) observe(node, true);
}

void Eviction::observe(EvictionNode *node, bool hit) {
  uint32_t fingerprint = NodeSpace::fingerprint(node);
  sketch_.add(fingerprint, lists_.count());
  if (steering_.observe(fingerprint, hit)) lists_.set_mode(steering_.mode());
}

void Eviction::replaced(EvictionNode *old, EvictionNode *next) {
  next->stamp = old->stamp;
  next->unnoted.store(0, std::memory_order_relaxed);
  if (old->weight != 0) weighty_--;
  if (next->weight != 0) weighty_++;
  lists_.replace(old, next);
}

void Eviction::removed(EvictionNode *node) {
  if (node->weight != 0) weighty_--;
  lists_.remove(node);
  steering_.forget(NodeSpace::fingerprint(node));
}

// Who was used without a note is no victim yet: the use is made up for when its turn comes.
inline EvictionNode *Eviction::choose_unused(EvictionNode *fresh) {
  EvictionNode *node = lists_.candidate(fresh);
  bool used = node != nullptr && node->unnoted.load(std::memory_order_relaxed) != 0;
  return used ? pass_used(node, fresh) : node;
}

[[gnu::cold]] EvictionNode *Eviction::pass_used(EvictionNode *node, EvictionNode *fresh) {
  for (int i = 0; i < eviction_passes && node->unnoted.load(std::memory_order_relaxed) != 0; i++) {
    node->unnoted.store(0, std::memory_order_relaxed);
    accessed(node);
    node = lists_.candidate(fresh);
  }
  return node;
}

// Those of weight 0 are passed over by making them young's newest. If that takes long, the oldest
// one that has a weight is looked for instead.
EvictionNode *Eviction::choose_weighty(EvictionNode *fresh) {
  if (weighty_ == (fresh != nullptr && fresh->weight != 0 ? 1u : 0u)) return nullptr;
  for (int i = 0; i < eviction_passes; i++) {
    EvictionNode *node = choose_unused(fresh);
    if (node == nullptr || node->weight != 0) return node;
    lists_.pass(node);
  }
  return lists_.first([fresh](EvictionNode *each) { return each != fresh && each->weight != 0; });
}

EvictionNode *Eviction::victim(EvictionNode *fresh, Room room) {
  uint32_t count = lists_.count() - (fresh != nullptr ? 1 : 0);
  if (kind_ == WEIR_EVICTION_ADAPTIVE) steering_.fit(count);
  EvictionNode *node = room == Room::entries ? choose_unused(fresh) : choose_weighty(fresh);
  if (node == nullptr) return nullptr;
  lists_.remove(node);
  if (node->weight != 0) weighty_--;
  if (kind_ != WEIR_EVICTION_LRU) {
    ghosts_.remember(NodeSpace::fingerprint(node), node->stamp, clock_, count);
  }
  return node;
}

}  // namespace weir
