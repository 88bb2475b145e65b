// SPDX-License-Identifier: MIT
//
// Where memory comes from. A Heap stands for one user's allocator, or for malloc. Handles, values
// and errors each point to the heap that frees them, and to nothing else of the runtime, so that
// they may outlive it. (But for a value in the runtime's pool, which keeps the shell of that.)
//
// Invariants:
// - The malloc heap is one constant object without a count; retain and release do nothing to it.
// - A user's heap lives in its own memory and is counted; when the count ends, the heap frees
//   itself and then tells the user's `release`, after which the context is never used again.
// - allocate returns NULL where the user's function does; nothing here aborts.

#pragma once

#include <weir/allocator.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace weir {

class Heap {
 public:
  // The heap that is malloc and free.
  static Heap *standard();

  // A counted heap for a user's allocator, or NULL without memory. `options` was checked.
  static Heap *create(const weir_allocator &allocator);

  void *allocate(size_t size) { return alloc_(context_, size); }
  void free(void *pointer, size_t size) { free_(context_, pointer, size); }

  // `size` bytes just allocated will be looked at in random places, so that few large pages are
  // better than many small ones. A hint, and only about memory of the malloc heap: how a user's
  // allocator maps its memory is the user's business.
  void expect_random_access(void *memory, size_t size);

  Heap *retain();
  void release();

  template <typename T, typename... Args>
  T *make(Args &&...args) {
    void *memory = allocate(sizeof(T));
    return memory == nullptr ? nullptr : new (memory) T(std::forward<Args>(args)...);
  }

  template <typename T>
  void destroy(T *object) {
    if (object == nullptr) return;
    object->~T();
    free(object, sizeof(T));
  }

  // A terminated copy of `text`; NULL stays NULL. `ok` becomes false when there is no memory.
  char *copy_text(const char *text, bool &ok);
  void free_text(char *text);

  constexpr Heap(weir_alloc_fn alloc, weir_dealloc_fn free, void *context, weir_release_fn release)
      : alloc_(alloc), free_(free), context_(context), release_(release) {}

 private:
  weir_alloc_fn alloc_;
  weir_dealloc_fn free_;
  void *context_;
  weir_release_fn release_;
  std::atomic<uint64_t> count_{0};  // 0: the malloc heap, not counted
};

}  // namespace weir
