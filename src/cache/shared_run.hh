// SPDX-License-Identifier: MIT
//
// Single flight: one run does the work that several runs wait for. (The idea is old; the name is
// that of Go's package singleflight.)
//
// A SharedRun is the run that works; it lives in the block of that run, as the state of its
// outermost layer, and so costs no memory of its own. What it works on is a SharedKey, or several;
// each has the list of those who wait for it.
//
//   SharedRun   comes when                                          then
//   working     start_shared                                        settled, abandoned
//   abandoned   the last waiter of the last key has left: cancelled settled
//   settled     its type's `settled` tells the waiters of each key  (gone)
//
// Invariants:
// - Whoever waits is in exactly one key's list; `waiting` is how many wait, over all keys of a run.
// - A run that may go on without waiters (`kept`) is never abandoned.
// - Nobody can join an abandoned run: its type takes its keys out of reach.
// - Waiters are told from the run's settlement and only note the outcome and wake themselves later,
//   so chains of waiting runs do not recurse.
// - All of this belongs to the engine's thread.

#pragma once

#include "base/list.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/policy.hh"
#include "engine/run.hh"

namespace weir {

struct SharedKey;
struct SharedRun;

struct SharedWaiter : ListNode<SharedWaiter> {
  // `outcome` is lent.
  using TellFn = void (*)(SharedWaiter &waiter, const weir_outcome &outcome);

  explicit SharedWaiter(TellFn function) : tell(function) {}

  // Waits no longer. The last one to leave a run's keys abandons the run.
  void leave();

  TellFn tell;
  SharedKey *key = nullptr;  // NULL: waits for nothing
};

struct SharedKey {
  explicit SharedKey(SharedRun *run) : worker(run) {}

  void join(SharedWaiter &waiter);
  // Tells all who wait; returns how many.
  uint32_t tell(const weir_outcome &outcome);

  SharedRun *worker;
  List<SharedWaiter> waiters;
};

struct SharedRun : Layer {
  // What the kinds of shared runs do differently.
  struct Kind {
    // The run has settled: tell the waiters. The SharedRun is gone afterwards.
    void (*settled)(SharedRun &run, const weir_outcome &outcome);
    // Nobody waits any more: nobody may join from here on. It is cancelled, and will settle.
    void (*abandoned)(SharedRun &run);
  };

  const Kind *kind;
  uint32_t waiting;
  bool kept;
};

// The outermost layer of shared runs of one owner, with their timeout. Made with their owner, which
// holds a reference.
struct SharedPolicy : weir_policy {
  SharedPolicy(weir_runtime *runtime, const LayerType *type)
      : weir_policy(runtime, end_handle<SharedPolicy>, WEIR_POLICY_NONE, type) {}
  ~SharedPolicy();

  // NULL without memory. `subject` and `name` (nullable) begin the message when time is out:
  // "flight 'users' timed out after 100 ms".
  [[gnu::cold]] static SharedPolicy *make(weir_runtime *runtime, const LayerType *type,
                                          int64_t timeout_ns, const char *subject,
                                          const char *name);

  int64_t timeout_ns = INT64_MAX;
  weir_error *timed_out = nullptr;
};

// The step function of LayerTypes for SharedPolicy, whose states derive from SharedRun.
Next shared_run_step(weir_call &run, Layer &layer, Signal signal);

struct SharedStart {
  SharedPolicy *policy;
  const SharedRun::Kind *kind;
  weir_operation *operation;
  const RunRequest *first;  // of the first who asks: context, permits, priority and name are his
  weir_value *input;        // nullable; borrowed
  const void *key;          // nullable: none
  size_t key_size;
};

// Starts a run. In `started` the state, as big as the policy's LayerType says; what is derived from
// SharedRun is raw. It begins later, so the caller has the time to finish it. The engine's thread.
weir_status start_shared(const SharedStart &start, SharedRun *&started);

// The leaf of a run that waits for one key.
//
//   signal   does                                     answers
//   start    (its owner's: finds or starts the work)  wait, outer
//   wake     the outcome is there                     outer
//   stop     leaves                                   -
struct RunWaiter : Layer, SharedWaiter {
  // Makes the part that is behind Layer.
  void reset();
};

// For signals but start.
Next run_waiter_step(RunWaiter &waiter, Signal signal);

// A group (a flight, a cache) bound to the operation that does its work: an operation of its own,
// whose leaf is of a type that knows the group.
struct BoundOperation : weir_operation {
  BoundOperation(weir_operation &owner, const LayerType *type, weir_operation &operation)
      : weir_operation(owner.runtime(), end_handle<BoundOperation>, type),
        group(ref_handle(&owner)),
        work(ref_handle(&operation)) {}
  ~BoundOperation() {
    group->unref();
    work->unref();
  }

  weir_operation *group;
  weir_operation *work;
};

// Whose arguments an exported function checks, in messages: "cache", and what runs: "loader".
struct WorkNames {
  const char *group;
  const char *work;
};

weir_status check_work(weir_operation *group, weir_operation *work, const WorkNames &names,
                       weir_error **error);

// Makes a BoundOperation, for an exported function; checks the arguments.
[[gnu::cold]] weir_status bind_operation(weir_operation *group, const LayerType *type,
                                         weir_operation *work, const WorkNames &names,
                                         weir_operation **out, weir_error **error);

}  // namespace weir
