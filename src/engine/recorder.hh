// SPDX-License-Identifier: MIT
//
// The flight recorder: a ring of the last decisions. Written by the engine's thread, read by any.
// Log lines come from any thread.
//
// Invariants:
// - Everything is copied: what a decision spoke of may be gone when it is read.
// - The mutex is held for a copy, never while text is made: a reader copies one entry at a time, by
//   its number, and passes over what has been overwritten meanwhile.
// - A queue that is told keeps the runtime alive, and is held here: so closing lets go of it.

#pragma once

#include <weir/outcome.h>
#include <weir/recorder.h>
#include <weir/runtime.h>

#include "base/heap.hh"
#include "base/mutex.hh"
#include "base/text.hh"
#include "engine/completions.hh"

namespace weir {

class Recorder {
 public:
  // NULL without memory.
  static Recorder *create(Heap *heap, uint32_t capacity);
  void destroy();

  void note(const weir_event &event);
  void note_line(int64_t at_ns, int32_t level, const char *subject, const char *message);
  void dump(TextWriter &text);

  // As weir_recorder_read; `out` has room for `capacity` times `entry_size` bytes.
  size_t read_on(uint64_t &cursor, char *out, size_t entry_size, size_t capacity);

  // Tells `queue` (nullable) instead of who was told before. False once closed.
  bool notify(weir_completions *queue, uint64_t user);
  // Tells nobody any more.
  void close();

 private:
  friend class Heap;

  struct Entry {
    weir_event event;
    uint32_t policy_kind;
    char name[48];
    union {
      weir_rejection rejection;  // of a refusal; size 0 elsewhere
      char line[208];
    };
  };

  Recorder(Heap *heap, Entry *entries, uint32_t capacity)
      : heap_(heap), entries_(entries), capacity_(capacity) {}

  Entry &add(const weir_event &event, const char *name);
  void told() {
    if (queue_ != nullptr) queue_->post(record_);
  }
  uint64_t first_from(uint64_t wanted, uint64_t &end);
  bool read(uint64_t number, Entry &entry);
  static void show(const Entry &entry, weir_recorded &shown);
  weir_completions *replace_queue(weir_completions *queue);
  static void print(TextWriter &text, const Entry &entry);

  Heap *heap_;
  Entry *entries_;
  uint32_t capacity_;
  Mutex mutex_;
  uint64_t count_ = 0;                 // ever
  weir_completions *queue_ = nullptr;  // one reference
  Record record_{nullptr};             // in it, or not
  bool closed_ = false;
};

}  // namespace weir
