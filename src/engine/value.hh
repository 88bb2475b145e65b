// SPDX-License-Identifier: MIT
//
// The inside of weir_value. Bytes and a list's items lie behind the header in the same block. A
// value with one reference is freed without an atomic read-modify-write: nobody else can add one.
//
// An item of a list is one word: a value, or an error with the lowest bit set; 0 is no value.

#pragma once

#include <weir/value.h>

#include <atomic>
#include <cstdint>

#include "base/heap.hh"
#include "engine/completions.hh"
#include "engine/error.hh"

struct alignas(16) weir_value {
  weir_value(weir::Heap *value_heap, uint32_t value_kind)
      : heap(value_heap->retain()), kind(static_cast<uint16_t>(value_kind)) {}

  // Of bytes in the pool of `runtime`, which keeps its heap.
  explicit weir_value(weir_runtime &runtime);

  void ref() { references.fetch_add(1, std::memory_order_relaxed); }
  void unref();
  // Gives a reference back without freeing; true if it was the last.
  bool drop();

  const void *bytes() const { return this + 1; }
  uintptr_t *items() { return reinterpret_cast<uintptr_t *>(this + 1); }
  const uintptr_t *items() const { return reinterpret_cast<const uintptr_t *>(this + 1); }

  weir::Heap *heap;
  std::atomic<uint32_t> references{1};
  uint16_t kind;
  uint16_t room_bits = 0;  // of a list that grew: there is room for 2 to the power of this
  union {
    size_t size = 0;  // of bytes; of a list: its items
    void *pointer;
    uint64_t id;  // host
  };
  union {
    weir_free_fn free_pointer = nullptr;
    weir_runtime *pool_owner;           // of bytes: whose pool the block is of; NULL: the heap's
    struct weir_host_release *release;  // host: the record that will tell the queue
    weir_value *next_to_free;           // list, once nobody refers to it
  };
};

namespace weir {

// A bytes value in `heap`; NULL without memory.
weir_value *make_bytes(Heap *heap, const void *data, size_t size);
// The same in the pool of `runtime`, for what will mostly be freed soon, and there. The engine's
// thread.
weir_value *make_pooled_bytes(weir_runtime &runtime, const void *data, size_t size);
// A list of `count` items, none of which has a value yet; NULL without memory.
weir_value *make_list(Heap *heap, size_t count);
// Makes a list, which nobody else has seen yet, so long that it has an item at `index`. False
// without memory; `list` is then as it was.
bool extend_list(weir_value *&list, size_t index);
// Sets an item that is still empty; takes the reference (nullable).
void set_item(weir_value &list, size_t index, weir_value *taken);
void set_item(weir_value &list, size_t index, weir_error *taken);
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
