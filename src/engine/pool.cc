// SPDX-License-Identifier: MIT
#include "engine/pool.hh"

namespace weir {

[[gnu::cold]] BlockPool::~BlockPool() {
  drain(local_);
  drain(shared_);
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

// One that is too large to be pooled, or one too many.
[[gnu::cold]] void BlockPool::give_surplus(void *block, uint32_t size) {
  uint32_t size_class = class_of(size);
  if (size_class == too_large || local_.lists[size_class].length >= 2 * local_limit) {
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
  if (!closed_ && size_class != too_large && shared_.lists[size_class].length < local_limit) {
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
    if (shared_.lists[size_class].length >= local_limit) return;
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
  drain(local_);
  drain(shared_);
}

}  // namespace weir
