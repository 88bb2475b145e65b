// SPDX-License-Identifier: MIT
//
// Single flight: one run does the work that several runs wait for. (The idea is old; the name is
// that of Go's package singleflight.)
//
// A SharedRun is the work: a block of its own, which knows all that its run will be made of. The
// run itself is made when its turn has come, so that the memory it needs is that of the one before.
// What it works on is a SharedKey, or several; each has the list of those who wait for it.
//
//   SharedRun   comes when                                          then
//   queued      start_shared: accepted, its task is queued          working, settled, abandoned
//   working     its task: the run is made and begins                settled, abandoned
//   abandoned   the last waiter of the last key has left: the run   settled
//               is cancelled, as soon as it is made
//   settled     its kind's `settled` tells the waiters of each key  (gone)
//
// Invariants:
// - Whoever waits is in exactly one key's list; `waiting` is how many wait, over all keys of a run.
// - A run that may go on without waiters (`kept`) is never abandoned.
// - Nobody can join an abandoned run: its kind takes its keys out of reach.
// - Waiters are told from the run's settlement and only note the outcome and wake themselves later,
//   so chains of waiting runs do not recurse. So it never begins inside of who asks for it, either:
//   all who ask in one turn share one run, even if that is done at once.
// - The runtime has counted the run from its start on, so without memory for it that count is
//   settled, and the waiters are told, like those of any other failure.
// - All of this belongs to the engine's thread.

#pragma once

#include "base/list.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/policy.hh"
#include "engine/run.hh"

namespace weir {

struct SharedKey;
struct SharedPolicy;
struct SharedRun;

struct SharedWaiter : ListNode<SharedWaiter> {
  // `outcome` is lent. `giver` (nullable) is the run whose outcome it is, if nobody else will hear
  // of it: its value may be taken.
  using TellFn = void (*)(SharedWaiter &waiter, const weir_outcome &outcome, weir_call *giver);

  explicit SharedWaiter(TellFn function) : tell(function) {}

  // Waits no longer. The last one to leave a run's keys abandons the run.
  void leave();

  TellFn tell;
  SharedKey *key = nullptr;  // NULL: waits for nothing
};

struct SharedKey {
  explicit SharedKey(SharedRun *run) : worker(run) {}

  void join(SharedWaiter &waiter);
  // Tells all who wait; returns how many. The last of them gets the value of `giver` (nullable).
  uint32_t tell(const weir_outcome &outcome, weir_call *giver);

  SharedRun *worker;
  List<SharedWaiter> waiters;
};

struct SharedRun : Task {
  // What the kinds of shared runs do differently.
  struct Kind {
    uint32_t size;  // of what is derived from SharedRun
    // The run has settled: tell the waiters. The SharedRun is gone afterwards.
    void (*settled)(SharedRun &run, const weir_outcome &outcome);
    // Nobody waits any more: nobody may join from here on. It is cancelled, and will settle.
    void (*abandoned)(SharedRun &run);
  };

  explicit SharedRun(const Kind *which);

  const Kind *kind;
  weir_call *run = nullptr;  // NULL: it has not begun
  SharedPolicy *policy;
  weir_operation *operation;  // entered until the run is made
  // Its own copy: key and name lie in the block, behind what is derived. The run takes over what it
  // holds.
  RunRequest request;
  uint32_t block_size;
  uint32_t name_size;  // with its terminator
  uint32_t waiting = 0;
  bool kept = false;
  bool abandoned = false;
  bool key_as_input;  // the input will be made of the key
};

inline void SharedKey::join(SharedWaiter &waiter) {
  waiter.key = this;
  waiters.push_back(&waiter);
  ++worker->waiting;
}

// The layer around shared runs of one owner, if they have a timeout. Made with their owner, which
// holds a reference.
struct SharedPolicy : weir_policy {
  explicit SharedPolicy(weir_runtime *runtime);
  ~SharedPolicy();

  // NULL without memory. `subject` and `name` (nullable) begin the message when time is out:
  // "flight 'users' timed out after 100 ms".
  [[gnu::cold]] static SharedPolicy *make(weir_runtime *runtime, int64_t timeout_ns,
                                          const char *subject, const char *name);

  int64_t timeout_ns = INT64_MAX;
  weir_error *timed_out = nullptr;
};

struct SharedStart {
  SharedPolicy *policy;
  const SharedRun::Kind *kind;
  weir_operation *operation;
  const RunRequest *first;  // of the first who asks: context, permits, priority and name are his
  weir_value *input;        // nullable; borrowed
  const void *key;          // nullable: none
  size_t key_size;
  bool key_as_input;  // the input is the key, as a value, instead
};

// Starts a run. In `started` the state, of the kind's size; what is derived from SharedRun is raw.
// It begins later, so the caller has the time to finish it. The engine's thread.
weir_status start_shared(const SharedStart &start, SharedRun *&started);

// The leaf of a run that waits for one key.
//
//   signal   does                                     answers
//   start    (its owner's: finds or starts the work)  wait, outer
//   wake     the outcome is there                     outer
//   stop     leaves                                   -
struct RunWaiter : Layer, SharedWaiter {
  // Makes the part that is behind Layer.
  void reset() { new (static_cast<SharedWaiter *>(this)) SharedWaiter(tell_run); }

 private:
  static void tell_run(SharedWaiter &waiter, const weir_outcome &outcome, weir_call *giver);
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
