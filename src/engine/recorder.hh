// SPDX-License-Identifier: MIT
//
// The flight recorder: a ring of the last decisions. Written by the engine's thread, read by any.
//
// Invariants:
// - Everything is copied: what a decision spoke of may be gone when it is read.
// - The mutex is held for a copy, never while text is made: a reader copies one entry at a time, by
//   its number, and passes over what has been overwritten meanwhile.

#pragma once

#include <weir/outcome.h>
#include <weir/runtime.h>

#include "base/heap.hh"
#include "base/mutex.hh"
#include "base/text.hh"

namespace weir {

class Recorder {
 public:
  // NULL without memory.
  static Recorder *create(Heap *heap, uint32_t capacity);
  void destroy();

  void note(const weir_event &event);
  void dump(TextWriter &text);

 private:
  friend class Heap;

  struct Entry {
    weir_event event;
    uint32_t policy_kind;
    weir_rejection rejection;  // its name is the entry's, whatever the kind
  };

  Recorder(Heap *heap, Entry *entries, uint32_t capacity)
      : heap_(heap), entries_(entries), capacity_(capacity) {}

  bool read(uint64_t number, Entry &entry);
  static void print(TextWriter &text, const Entry &entry);

  Heap *heap_;
  Entry *entries_;
  uint32_t capacity_;
  Mutex mutex_;
  uint64_t count_ = 0;  // ever
};

}  // namespace weir
