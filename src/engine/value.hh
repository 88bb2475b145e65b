// SPDX-License-Identifier: MIT
//
// The inside of weir_value. Bytes lie behind the header in the same block. A value with one
// reference is freed without an atomic read-modify-write: nobody else can add one.

#pragma once

#include <weir/value.h>

#include <atomic>

#include "base/heap.hh"
#include "engine/completions.hh"

struct alignas(16) weir_value {
  weir_value(weir::Heap *value_heap, uint32_t value_kind)
      : heap(value_heap->retain()), kind(value_kind) {}

  void ref() { references.fetch_add(1, std::memory_order_relaxed); }
  void unref();

  const void *bytes() const { return this + 1; }

  weir::Heap *heap;
  std::atomic<uint32_t> references{1};
  uint32_t kind;
  union {
    size_t size = 0;  // bytes
    void *pointer;
    uint64_t id;  // host
  };
  union {
    weir_free_fn free_pointer = nullptr;
    struct weir_host_release *release;  // host: the record that will tell the queue
  };
};

namespace weir {

// A bytes value in `heap`; NULL without memory.
weir_value *make_bytes(Heap *heap, const void *data, size_t size);
// A pointer value; NULL without memory, and then `free_pointer` has not run.
weir_value *make_pointer(Heap *heap, void *pointer, weir_free_fn free_pointer);

inline weir_value *ref_value(weir_value *value) {
  if (value != nullptr) value->ref();
  return value;
}

inline void unref_value(weir_value *value) {
  if (value != nullptr) value->unref();
}

// The heap that `runtime` (nullable) lends.
Heap *heap_of(weir_runtime *runtime);

}  // namespace weir
