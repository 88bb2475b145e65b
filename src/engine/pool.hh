// SPDX-License-Identifier: MIT
//
// Memory that runs use again and again: free lists by size class over the runtime's heap. The
// engine's thread has lists of its own; other threads share a second set under a mutex. Blocks go
// back to the heap by trim() and at the end.
//
// Every block taken counts as out until it is given back; close() hands that number over, and from
// then on each block given back is freed at once and reported to the caller.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/heap.hh"
#include "base/mutex.hh"

namespace weir {

class BlockPool {
 public:
  explicit BlockPool(Heap *heap) : heap_(heap) {}
  BlockPool(const BlockPool &) = delete;
  BlockPool &operator=(const BlockPool &) = delete;
  ~BlockPool();

  // The size that a block of at least `size` bytes has.
  static uint32_t block_size(uint32_t size) { return (size + granule - 1) / granule * granule; }

  // `size` is a block size. NULL without memory. `local`: called on the engine's thread.
  void *take(uint32_t size, bool local) {
    if (!local) return take_shared(size);
    void *block = local_.pop(class_of(size));
    if (block == nullptr) return take_fresh(size);
    ++local_out_;
    return block;
  }

  // True if the pool was closed and the block was still counted as out.
  bool give(void *block, uint32_t size, bool local) {
    if (!local || closed_) return give_shared(block, size);
    --local_out_;
    uint32_t size_class = class_of(size);
    if (size_class == too_large || local_.lists[size_class].length >= local_limit) {
      give_surplus(block, size);
    } else {
      local_.push(size_class, block);
    }
    return false;
  }

  // Frees what is pooled. The engine's thread.
  void trim();

  // Frees what is pooled: a block that is out may stay for long, and the pool with it. Adds to
  // `count` how many blocks are out; from then on give() frees at once and says so. Both
  // under the mutex: nobody may take one off before it was added. The engine's thread, once.
  void close(std::atomic<uint64_t> &count);

 private:
  struct Free {
    Free *next;
  };
  static constexpr uint32_t granule = 64;
  static constexpr uint32_t classes = 64;         // pooled up to 4 KiB
  static constexpr uint32_t too_large = classes;  // the class of what is not; its list stays empty
  static constexpr uint32_t local_limit = 4096;

  struct Lists {
    struct List {
      Free *head = nullptr;
      uint32_t length = 0;
    };
    List lists[classes + 1];

    void *pop(uint32_t size_class) {
      List &list = lists[size_class];
      Free *block = list.head;
      if (block == nullptr) return nullptr;
      list.head = block->next;
      --list.length;
      return block;
    }
    void push(uint32_t size_class, void *block) {
      List &list = lists[size_class];
      list.head = new (block) Free{list.head};
      ++list.length;
    }
  };

  static uint32_t class_of(uint32_t size) { return std::min(size / granule - 1, too_large); }
  void *take_fresh(uint32_t size);
  void *take_shared(uint32_t size);
  bool give_shared(void *block, uint32_t size);
  void give_surplus(void *block, uint32_t size);
  void drain(Lists &lists);
  void spill(uint32_t size_class);

  Heap *heap_;
  uint64_t local_out_ = 0;  // may wrap below 0: the sum of both counts
  Lists local_;
  Mutex mutex_;
  uint64_t shared_out_ = 0;
  bool closed_ = false;
  Lists shared_;
};

}  // namespace weir
