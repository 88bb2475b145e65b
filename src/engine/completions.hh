// SPDX-License-Identifier: MIT
//
// The inside of a completion queue: a list of records under a mutex, and one wake-up per edge from
// empty to non-empty. A Record is embedded in what it speaks of, so posting cannot fail and a
// record can be taken back in place.
//
// Invariants:
// - A record is in one queue at most; `queued` is read and written under the queue's mutex only.
// - What a record is embedded in stays alive until `drained` has been called for it, which the
//   queue does outside its mutex, on the draining thread.
// - The descriptor is cleared before records are popped; if some stay, it is signalled again.

#pragma once

#include <weir/completions.h>

#include "base/list.hh"
#include "base/mutex.hh"
#include "engine/callback.hh"
#include "engine/handle.hh"

namespace weir {

struct Record : ListNode<Record> {
  // Called once for each record posted and not revoked; `kept`: the host got it. Otherwise the
  // queue ended before, and what the record carries (a token, references) must be given up.
  using DrainedFn = void (*)(Record &record, bool kept);

  explicit Record(DrainedFn function) : drained(function) {}

  weir_record content = {};
  DrainedFn drained;
  bool queued = false;
};

}  // namespace weir

namespace weir {
struct OfRuntime;  // tag: a runtime's list of its queues
}

struct weir_completions : weir::Handle, weir::ListNode<weir_completions, weir::OfRuntime> {
  explicit weir_completions(weir_runtime *runtime);
  ~weir_completions();

  // Any thread that holds a reference.
  void post(weir::Record &record);

  // Takes an undrained record back; false if it was drained (or never posted). Any thread.
  bool revoke(weir::Record &record);

  size_t drain(weir_record *records, size_t record_size, size_t capacity);
  size_t wait(weir_record *records, size_t record_size, size_t capacity, int64_t timeout_ms);

  // Posts the CLOSED record. The engine's thread, once.
  void runtime_closed();

  weir::Callback<weir_notify_fn> notify;
  int descriptor = -1;

 private:
  size_t pop(weir_record *records, size_t record_size, size_t capacity,
             weir::List<weir::Record> &told);
  void signal() const;
  void clear_descriptor() const;

  weir::Mutex mutex_;
  weir::Condition condition_;
  weir::List<weir::Record> records_;
  weir::Record closed_record_;
  uint32_t waiters_ = 0;
};
