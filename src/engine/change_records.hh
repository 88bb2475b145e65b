// SPDX-License-Identifier: MIT
//
// State changes as EVENT records in a completion queue. One record is in the queue at a time, the
// others wait here in a ring of 8 (full: newest kept) until the host has drained that one.
//
// Invariants:
// - The owner (a policy) holds one count, a record in the queue another; the owner may be gone
//   while a host still drains what is left.
// - The queue is held as one who posts holds it, which does not keep undrained records: when the
//   host has let go of the queue the record comes back, and nothing is posted any more.

#pragma once

#include <atomic>
#include <cstdint>

#include "base/heap.hh"
#include "base/mutex.hh"
#include "engine/completions.hh"

namespace weir {

class ChangeRecords : Record {
 public:
  // Takes a reference of `queue`, and its heap; NULL without memory.
  static ChangeRecords *create(weir_completions *queue, uint64_t user);

  // A change: its sequence number, reason, and states. Any thread, one at a time.
  void put(uint64_t sequence, int32_t reason, uint16_t states);

  // The owner's count, or the record's.
  void release();

 private:
  friend class Heap;
  struct Entry {
    uint64_t sequence;
    int32_t reason;
    uint16_t states;
  };
  static constexpr uint32_t capacity = 8;

  ChangeRecords(weir_completions *queue, uint64_t user)
      : Record(&ChangeRecords::on_drained), queue_(ref_handle(queue)), user_(user) {}

  static void on_drained(Record &record, bool kept);
  bool load_next();

  weir_completions *queue_;
  uint64_t user_;
  std::atomic<uint32_t> count_{1};
  Mutex mutex_;  // guards the rest
  uint64_t last_sequence_ = 0;
  uint32_t first_ = 0;
  uint32_t waiting_ = 0;
  bool in_queue_ = false;
  Entry entries_[capacity];
};

}  // namespace weir
