// SPDX-License-Identifier: MIT
#include "engine/value.hh"

#include <cstring>

#include "engine/runtime.hh"

using weir::Heap;

// The RELEASED record of a host value: made with the value, so that telling cannot fail. Until it
// is posted the value holds a reference of the queue.
struct weir_host_release : weir::Record {
  explicit weir_host_release(weir_completions *target)
      : Record(drained_by), queue(target), heap(target->heap()) {}

  static void drained_by(weir::Record &record, bool) {
    auto &self = static_cast<weir_host_release &>(record);
    self.heap->destroy(&self);
  }

  weir_completions *queue;
  weir::Heap *heap;
};

namespace {

size_t block_size(const weir_value &value) {
  return sizeof(weir_value) + (value.kind == WEIR_VALUE_BYTES ? value.size : 0);
}

void free_value(weir_value *value) {
  if (value->kind == WEIR_VALUE_POINTER && value->free_pointer != nullptr) {
    value->free_pointer(value->pointer);
  }
  if (value->kind == WEIR_VALUE_HOST) {
    weir_completions *queue = value->release->queue;
    queue->post(*value->release);
    queue->unref();
  }
  Heap *heap = value->heap;
  size_t size = block_size(*value);
  value->~weir_value();
  heap->free(value, size);
  heap->release();
}

}  // namespace

void weir_value::unref() {
  if (references.load(std::memory_order_acquire) != 1 &&
      references.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  free_value(this);
}

namespace weir {

Heap *heap_of(weir_runtime *runtime) {
  return runtime == nullptr ? Heap::standard() : runtime->heap();
}

weir_value *make_bytes(Heap *heap, const void *data, size_t size) {
  if (size > SIZE_MAX - sizeof(weir_value)) return nullptr;
  void *memory = heap->allocate(sizeof(weir_value) + size);
  if (memory == nullptr) return nullptr;
  auto *value = new (memory) weir_value(heap, WEIR_VALUE_BYTES);
  value->size = size;
  if (size > 0) std::memcpy(static_cast<void *>(value + 1), data, size);
  return value;
}

weir_value *make_pointer(Heap *heap, void *pointer, weir_free_fn free_pointer) {
  auto *value = heap->make<weir_value>(heap, uint32_t{WEIR_VALUE_POINTER});
  if (value == nullptr) return nullptr;
  value->pointer = pointer;
  value->free_pointer = free_pointer;
  return value;
}

}  // namespace weir

weir_status weir_value_new_bytes(weir_runtime *runtime, const void *data, size_t size,
                                 weir_value **out) {
  if (out == nullptr || (data == nullptr && size > 0)) return WEIR_EINVAL;
  *out = weir::make_bytes(weir::heap_of(runtime), data, size);
  return *out == nullptr ? WEIR_ENOMEM : WEIR_OK;
}

weir_status weir_value_new_pointer(weir_runtime *runtime, void *pointer, weir_free_fn free_pointer,
                                   weir_value **out) {
  weir_value *value =
      out == nullptr ? nullptr : weir::make_pointer(weir::heap_of(runtime), pointer, free_pointer);
  if (value == nullptr && free_pointer != nullptr) free_pointer(pointer);
  if (out == nullptr) return WEIR_EINVAL;
  *out = value;
  return value == nullptr ? WEIR_ENOMEM : WEIR_OK;
}

weir_status weir_value_new_host(weir_completions *queue, uint64_t id, weir_value **out) {
  if (out != nullptr) *out = nullptr;
  if (queue == nullptr || out == nullptr) return WEIR_EINVAL;
  Heap *heap = queue->heap();
  auto *value = heap->make<weir_value>(heap, uint32_t{WEIR_VALUE_HOST});
  if (value == nullptr) return WEIR_ENOMEM;
  value->id = id;
  value->release = heap->make<weir_host_release>(queue);
  if (value->release == nullptr) {
    heap->destroy(value);
    heap->release();
    return WEIR_ENOMEM;
  }
  value->release->content.kind = WEIR_RECORD_RELEASED;
  value->release->content.object = id;
  queue->ref();
  *out = value;
  return WEIR_OK;
}

weir_value *weir_value_ref(weir_value *value) { return weir::ref_value(value); }

void weir_value_unref(weir_value *value) { weir::unref_value(value); }

void weir_values_unref(weir_value *const *values, size_t count) {
  if (values == nullptr) return;
  for (size_t i = 0; i < count; ++i) weir::unref_value(values[i]);
}

uint32_t weir_value_kind(const weir_value *value) {
  return value == nullptr ? uint32_t{WEIR_VALUE_NONE} : value->kind;
}

const void *weir_value_data(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_BYTES ? nullptr : value->bytes();
}

size_t weir_value_size(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_BYTES ? 0 : value->size;
}

void *weir_value_pointer(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_POINTER ? nullptr : value->pointer;
}

uint64_t weir_value_host_id(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_HOST ? 0 : value->id;
}
