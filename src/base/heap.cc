// SPDX-License-Identifier: MIT
#include "base/heap.hh"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace weir {
namespace {

void *standard_alloc(void *, size_t size) { return std::malloc(size); }
void standard_free(void *, void *pointer, size_t) { std::free(pointer); }

// Never written: retain and release look at the count first, and it stays 0.
constinit Heap standard_heap(standard_alloc, standard_free, nullptr, nullptr);

}  // namespace

Heap *Heap::standard() { return &standard_heap; }

Heap *Heap::create(const weir_allocator &allocator) {
  void *memory = allocator.alloc(allocator.context, sizeof(Heap));
  if (memory == nullptr) return nullptr;
  Heap *heap =
      new (memory) Heap(allocator.alloc, allocator.free, allocator.context, allocator.release);
  heap->count_.store(1, std::memory_order_relaxed);
  return heap;
}

Heap *Heap::retain() {
  if (this != &standard_heap) count_.fetch_add(1, std::memory_order_relaxed);
  return this;
}

void Heap::release() {
  if (this == &standard_heap) return;
  if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  weir_release_fn release = release_;
  void *context = context_;
  free_(context, this, sizeof(Heap));
  if (release != nullptr) release(context);
}

void Heap::expect_random_access(void *memory, size_t size) {
  constexpr uintptr_t large_page = uintptr_t{2} << 20;
  if (this != &standard_heap) return;
  auto begin = (reinterpret_cast<uintptr_t>(memory) + large_page - 1) & ~(large_page - 1);
  auto end = (reinterpret_cast<uintptr_t>(memory) + size) & ~(large_page - 1);
  if (begin < end) madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
}

char *Heap::copy_text(const char *text, bool &ok) {
  if (text == nullptr) return nullptr;
  size_t size = std::strlen(text) + 1;
  char *copy = static_cast<char *>(allocate(size));
  if (copy == nullptr) {
    ok = false;
    return nullptr;
  }
  std::memcpy(copy, text, size);
  return copy;
}

void Heap::free_text(char *text) {
  if (text != nullptr) free(text, std::strlen(text) + 1);
}

}  // namespace weir
