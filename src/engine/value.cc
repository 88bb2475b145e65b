// SPDX-License-Identifier: MIT
#include "engine/value.hh"

#include <bit>
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

constexpr uintptr_t error_bit = 1;

size_t list_room(const weir_value &list) {
  return list.room_bits == 0 ? list.size : size_t{1} << list.room_bits;
}

size_t block_size(const weir_value &value) {
  switch (value.kind) {
    case WEIR_VALUE_BYTES:
      return sizeof(weir_value) + value.size;
    case WEIR_VALUE_LIST:
      return sizeof(weir_value) + list_room(value) * sizeof(uintptr_t);
    default:
      return sizeof(weir_value);
  }
}

weir_value *item_value(uintptr_t item) {
  return (item & error_bit) != 0 ? nullptr : reinterpret_cast<weir_value *>(item);
}

weir_error *item_error(uintptr_t item) {
  return (item & error_bit) == 0 ? nullptr : reinterpret_cast<weir_error *>(item - error_bit);
}

uint32_t pooled_size(size_t size) {
  return weir::BlockPool::block_size(static_cast<uint32_t>(sizeof(weir_value) + size));
}

// A forked child leaves the pool alone: its mutex may be held for ever.
void free_pooled(weir_value *value) {
  weir_runtime &runtime = *value->pool_owner;
  uint32_t size = pooled_size(value->size);
  if (runtime.forked()) return;
  if (runtime.pool().give(value, size, runtime.on_thread())) runtime.release_shell();
}

void free_block(weir_value *value) {
  Heap *heap = value->heap;
  size_t size = block_size(*value);
  value->~weir_value();
  heap->free(value, size);
  heap->release();
}

// A list may hold lists, as deep as anybody likes: those whose end has come wait in a chain.
void free_list(weir_value *list) {
  list->next_to_free = nullptr;
  while (list != nullptr) {
    weir_value *next = list->next_to_free;
    for (size_t i = 0; i < list->size; ++i) {
      weir::unref_error(item_error(list->items()[i]));
      weir_value *value = item_value(list->items()[i]);
      if (value != nullptr && value->kind == WEIR_VALUE_LIST) {
        if (!value->drop()) continue;
        value->next_to_free = next;
        next = value;
      } else {
        weir::unref_value(value);
      }
    }
    free_block(list);
    list = next;
  }
}

// Not inline: to give back a reference that is not the last needs no registers saved.
[[gnu::noinline]] void free_value(weir_value *value) {
  if (value->kind == WEIR_VALUE_BYTES && value->pool_owner != nullptr) {
    free_pooled(value);
    return;
  }
  if (value->kind == WEIR_VALUE_LIST) {
    free_list(value);
    return;
  }
  if (value->kind == WEIR_VALUE_POINTER && value->free_pointer != nullptr) {
    value->free_pointer(value->pointer);
  }
  if (value->kind == WEIR_VALUE_HOST) {
    weir_completions *queue = value->release->queue;
    queue->post(*value->release);
    queue->unref();
  }
  free_block(value);
}

}  // namespace

bool weir_value::drop() {
  return references.load(std::memory_order_acquire) == 1 ||
         references.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

inline weir_value::weir_value(weir_runtime &runtime)
    : heap(runtime.heap()), kind(WEIR_VALUE_BYTES), pool_owner(&runtime) {}

void weir_value::unref() {
  if (drop()) free_value(this);
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
  if (size != 0) std::memcpy(static_cast<void *>(value + 1), data, size);
  return value;
}

weir_value *make_pooled_bytes(weir_runtime &runtime, const void *data, size_t size) {
  void *memory = runtime.pool().take(pooled_size(size), true);
  if (memory == nullptr) return nullptr;
  auto *value = new (memory) weir_value(runtime);
  value->size = size;
  if (size != 0) std::memcpy(static_cast<void *>(value + 1), data, size);
  return value;
}

weir_value *make_list(Heap *heap, size_t count) {
  if (count > (SIZE_MAX - sizeof(weir_value)) / sizeof(uintptr_t)) return nullptr;
  size_t size = count * sizeof(uintptr_t);
  void *memory = heap->allocate(sizeof(weir_value) + size);
  if (memory == nullptr) return nullptr;
  auto *list = new (memory) weir_value(heap, WEIR_VALUE_LIST);
  list->size = count;
  std::memset(static_cast<void *>(list + 1), 0, size);
  return list;
}

[[gnu::cold]] bool extend_list(weir_value *&list, size_t index) {
  if (index < list->size) return true;
  size_t before = list->size;
  if (index >= list_room(*list)) {
    auto bits = static_cast<uint16_t>(std::bit_width(index | 15));
    weir_value *longer = make_list(list->heap, size_t{1} << bits);
    if (longer == nullptr) return false;
    longer->room_bits = bits;
    std::memcpy(longer->items(), list->items(), before * sizeof(uintptr_t));
    free_block(list);
    list = longer;
  }
  list->size = index + 1;
  return true;
}

void set_item(weir_value &list, size_t index, weir_value *taken) {
  list.items()[index] = reinterpret_cast<uintptr_t>(taken);
}

void set_item(weir_value &list, size_t index, weir_error *taken) {
  list.items()[index] = reinterpret_cast<uintptr_t>(taken) | error_bit;
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
  if (out != nullptr) *out = nullptr;
  if (out == nullptr || (data == nullptr && size > 0)) return WEIR_EINVAL;
  *out = weir::make_bytes(weir::heap_of(runtime), data, size);
  return *out == nullptr ? WEIR_ENOMEM : WEIR_OK;
}

[[gnu::cold]] weir_status weir_value_new_pointer(weir_runtime *runtime, void *pointer,
                                                 weir_free_fn free_pointer, weir_value **out) {
  weir_value *value =
      out == nullptr ? nullptr : weir::make_pointer(weir::heap_of(runtime), pointer, free_pointer);
  if (value == nullptr && free_pointer != nullptr) free_pointer(pointer);
  if (out == nullptr) return WEIR_EINVAL;
  *out = value;
  return value == nullptr ? WEIR_ENOMEM : WEIR_OK;
}

[[gnu::cold]] weir_status weir_value_new_host(weir_completions *queue, uint64_t id,
                                              weir_value **out) {
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

[[gnu::cold]] weir_status weir_value_new_list(weir_runtime *runtime, weir_value *const *values,
                                              weir_error *const *errors, size_t count,
                                              weir_value **out) {
  if (out != nullptr) *out = nullptr;
  if (out == nullptr || (values == nullptr && errors == nullptr && count > 0)) return WEIR_EINVAL;
  weir_value *list = weir::make_list(weir::heap_of(runtime), count);
  if (list == nullptr) return WEIR_ENOMEM;
  for (size_t i = 0; i < count; ++i) {
    if (errors != nullptr && errors[i] != nullptr) {
      weir::set_item(*list, i, weir::ref_error(errors[i]));
    } else if (values != nullptr) {
      weir::set_item(*list, i, weir::ref_value(values[i]));
    }
  }
  *out = list;
  return WEIR_OK;
}

weir_value *weir_value_ref(weir_value *value) { return weir::ref_value(value); }

void weir_value_unref(weir_value *value) { weir::unref_value(value); }

void weir_values_unref(weir_value *const *values, size_t count) {
  if (values == nullptr) return;
  for (size_t i = 0; i < count; ++i) weir::unref_value(values[i]);
}

int32_t weir_value_is_unique(const weir_value *value) {
  return value != nullptr && value->references.load(std::memory_order_acquire) == 1 ? 1 : 0;
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

void *weir_value_pointer_of(const weir_value *value, weir_free_fn free_pointer) {
  if (value == nullptr || value->kind != WEIR_VALUE_POINTER) return nullptr;
  return free_pointer == nullptr || value->free_pointer != free_pointer ? nullptr : value->pointer;
}

uint64_t weir_value_host_id(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_HOST ? 0 : value->id;
}

uint64_t weir_value_host_id_of(const weir_value *value, const weir_completions *queue) {
  if (value == nullptr || value->kind != WEIR_VALUE_HOST) return 0;
  return value->release->queue == queue ? value->id : 0;
}

size_t weir_value_count(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_LIST ? 0 : value->size;
}

weir_value *weir_value_item(const weir_value *value, size_t index) {
  return index < weir_value_count(value) ? item_value(value->items()[index]) : nullptr;
}

weir_error *weir_value_item_error(const weir_value *value, size_t index) {
  return index < weir_value_count(value) ? item_error(value->items()[index]) : nullptr;
}
