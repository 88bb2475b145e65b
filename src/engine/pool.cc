// SPDX-License-Identifier: MIT
#include "engine/pool.hh"

namespace weir {

[[gnu::cold]] BlockPool::~BlockPool() {
  drain(local_);
  drain(shared_);
}

void *BlockPool::Lists::pop(uint32_t size_class) {
  Free *block = heads[size_class];
  if (block == nullptr) return nullptr;
  heads[size_class] = block->next;
  --lengths[size_class];
  return block;
}

void BlockPool::Lists::push(uint32_t size_class, void *block) {
  heads[size_class] = new (block) Free{heads[size_class]};
  ++lengths[size_class];
}

// What is not pooled; the engine's thread.
[[gnu::cold]] void *BlockPool::take_fresh(uint32_t size) {
  void *block = heap_->allocate(size);
  if (block != nullptr) ++local_out_;
  return block;
}

[[gnu::noinline]] void *BlockPool::take_shared(uint32_t size) {
  Lock lock(mutex_);
  void *block = shared_.pop(class_of(size));
  if (block == nullptr) block = heap_->allocate(size);
  if (block != nullptr) ++shared_out_;
  return block;
}

void *BlockPool::take(uint32_t size, bool local) {
  if (!local) return take_shared(size);
  void *block = local_.pop(class_of(size));
  if (block == nullptr) return take_fresh(size);
  ++local_out_;
  return block;
}

bool BlockPool::give(void *block, uint32_t size, bool local) {
  if (!local || closed_) return give_shared(block, size);
  --local_out_;
  uint32_t size_class = class_of(size);
  if (size_class == too_large || local_.lengths[size_class] >= local_limit) {
    give_surplus(block, size);
  } else {
    local_.push(size_class, block);
  }
  return false;
}

// One that is too large to be pooled, or one too many.
[[gnu::cold]] void BlockPool::give_surplus(void *block, uint32_t size) {
  uint32_t size_class = class_of(size);
  if (size_class == too_large || local_.lengths[size_class] >= 2 * local_limit) {
    heap_->free(block, size);
    return;
  }
  local_.push(size_class, block);
  spill(size_class);
}

[[gnu::noinline]] bool BlockPool::give_shared(void *block, uint32_t size) {
  uint32_t size_class = class_of(size);
  Lock lock(mutex_);
  if (!closed_) --shared_out_;
  if (!closed_ && size_class != too_large && shared_.lengths[size_class] < local_limit) {
    shared_.push(size_class, block);
  } else {
    // Under the mutex: close() must not pass, and the heap go, before this is done.
    heap_->free(block, size);
  }
  return closed_;
}

// Half of what the engine has too much of goes where other threads find it.
void BlockPool::spill(uint32_t size_class) {
  Lock lock(mutex_);
  for (uint32_t i = 0; i < local_limit / 2; ++i) {
    if (shared_.lengths[size_class] >= local_limit) return;
    shared_.push(size_class, local_.pop(size_class));
  }
}

void BlockPool::drain(Lists &lists) {
  for (uint32_t size_class = classes; size_class-- > 0;) {
    while (void *block = lists.pop(size_class)) heap_->free(block, (size_class + 1) * granule);
  }
}

[[gnu::cold]] void BlockPool::trim() {
  drain(local_);
  Lock lock(mutex_);
  drain(shared_);
}

void BlockPool::close(std::atomic<uint64_t> &count) {
  Lock lock(mutex_);
  closed_ = true;
  count.fetch_add(local_out_ + shared_out_, std::memory_order_relaxed);
}

}  // namespace weir
