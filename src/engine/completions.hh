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
// - Users' references are counted apart from those of what may still post: when the users' are
//   gone nobody can drain, so what is queued is given up, and what is posted later at once.
// - The descriptor is cleared before records are popped; if some stay, it is signalled again.

#pragma once

#include <weir/completions.h>

#include <atomic>

#include "base/list.hh"
#include "base/mutex.hh"
#include "engine/callback.hh"
#include "engine/handle.hh"

namespace weir {

struct Record : ListNode<Record> {
  // Called once for each record posted and not revoked; `kept`: the host got it. Otherwise the
  // queue ended before, and what the record carries (a token, references) must be given up. Any
  // thread.
  using DrainedFn = void (*)(Record &record, bool kept);

  enum class Tell { always, only_given_up };

  explicit Record(DrainedFn function, Tell tell_when = Tell::always)
      : drained(function), tell(tell_when) {}

  weir_record content = {};
  DrainedFn drained;  // nullable
  // only_given_up: the host may act on the record, and so free what it is embedded in, before the
  // draining call is back; nobody must touch it then.
  Tell tell;
  bool queued = false;
};

}  // namespace weir

namespace weir {
struct OfRuntime;  // tag: a runtime's list of its queues
}

struct weir_completions : weir::Handle, weir::ListNode<weir_completions, weir::OfRuntime> {
  explicit weir_completions(weir_runtime *runtime);
  ~weir_completions();

  // Users' references; the last gives up what is queued. Any thread.
  void user_ref() { users_.fetch_add(1, std::memory_order_relaxed); }
  void user_unref();

  // Any thread that holds a reference. May call `drained` at once. Nothing happens if it is queued
  // here already.
  void post(weir::Record &record);

  // Takes an undrained record back; false if it was drained (or never posted). Any thread.
  bool revoke(weir::Record &record);

  size_t drain(weir_record *records, size_t record_size, size_t capacity);
  size_t wait(weir_record *records, size_t record_size, size_t capacity, int64_t timeout_ms);

  // Posts the CLOSED record, the first time. Under the runtime's mutex for queues.
  void runtime_closed();

  weir::Callback<weir_notify_fn> notify;
  int descriptor = -1;

 private:
  size_t pop(weir_record *records, size_t record_size, size_t capacity,
             weir::List<weir::Record> &told);
  bool enqueue(weir::Record &record, bool &edge);
  weir::Record *pop_given_up();
  bool wait_for_record(int64_t until_ns);
  void signal() const;
  void clear_descriptor() const;

  weir::Mutex mutex_;
  weir::Condition condition_;
  weir::List<weir::Record> records_;
  weir::Record closed_record_;
  bool closed_told_ = false;
  uint32_t waiters_ = 0;
  bool ended_ = false;  // no user is left; under the mutex
  std::atomic<uint32_t> users_{1};
};
