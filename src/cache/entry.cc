// SPDX-License-Identifier: MIT
#include "cache/entry.hh"

#include "engine/error.hh"
#include "engine/value.hh"

namespace weir {

Entry *EntryShape::make(Heap *heap, const Key &key, int64_t now_ns) const {
  void *memory = heap->allocate(size(key.size));
  return memory == nullptr ? nullptr : make_in(memory, key, now_ns);
}

Entry *EntryShape::make_in(void *memory, const Key &key, int64_t now_ns) const {
  auto *entry = new (memory) Entry{};
  entry->hash = key.hash;
  entry->key_size = key.size;
  entry->kind = NodeKind::entry;
  if (used_at != 0) new (&used_ns(*entry)) std::atomic<int64_t>(now_ns);
  if (written_at != 0) new (&written_ns(*entry)) std::atomic<int64_t>(now_ns);
  if (key.size > 0) std::memcpy(static_cast<std::byte *>(memory) + key_at, key.data, key.size);
  return entry;
}

void EntryShape::empty(Entry *entry) {
  if (entry->negative()) {
    weir_error_unref(entry->error);
  } else {
    unref_value(entry->value);
  }
}

void EntryShape::free(Heap *heap, Entry *entry) const {
  empty(entry);
  heap->free(entry, size(entry->key_size));
}

void EntryShape::free_all(Heap *heap, Entry *first) const {
  while (first != nullptr) {
    Entry *next = first->next_entry();
    free(heap, first);
    first = next;
  }
}

}  // namespace weir
