// SPDX-License-Identifier: MIT
//
// Runs that a layer of another run starts: a race's racers, a hedge's copies, the items of a
// parallel. A CHILD is a run like any other, but for this:
//
// - It belongs to one layer of its PARENT, which starts it, hears of its end once (`done`) and
//   stops it when it is stopped itself. So a child never outlives the activity of that layer; what
//   may go on are its orphaned attempts.
// - It takes key, name, context, priority, permits, scope, deadline and obligation of its parent;
//   input and index are its own, but for a copy's.
// - It is no accepted run in the runtime's counts, and no limit of calls in flight refuses it.
// - It arms no timer for its deadline: whoever further out set that does. Among timers that are due
//   at one moment its own are further in than its parent's.
// - It begins from the ready queue, and `done` may only note what came and wake the parent's layer
//   later: so nothing recurses, however many children follow each other. Only stopping goes down
//   the tree at once; operations nest at most max_nesting deep.
// - Its attempts and their statuses count as its parent's when it ends.
//
// The engine's thread.

#pragma once

#include "engine/run.hh"

namespace weir {

class Check;

// Operations that run others, and these others ..., by reference.
inline constexpr uint32_t max_nesting = 64;

// Refuses what nests deeper; `nesting` is that of the new operation or policy.
void check_nesting(Check &check, uint32_t nesting);

struct ChildStart {
  weir_operation *operation;
  weir_policy *policy = nullptr;  // around it
  weir_value *input = nullptr;    // borrowed
  uint64_t index = 0;             // among its siblings
  // What failed before, lent until the child's attempt has started: a fallback's operation sees it.
  const weir_outcome *failed = nullptr;
  // What it joins, instead of being in its parent's.
  weir_scope *scope = nullptr;
};

// Starts a child of `parent`; `done` is called in its settlement, with the child lent until it
// returns. NULL without memory.
weir_call *start_child(Layer &parent, ChildDone done, const ChildStart &start);

// What a copy begins with. What stands inside of the layer may have changed deadline and obligation
// of the run meanwhile: these are the layer's own.
struct CopyStart {
  int64_t deadline_ns;
  Obligation *obligation;
  uint32_t attempts_before;  // its attempts count from here
};

// Starts everything that is inside of `parent` once more, as a child. NULL without memory.
weir_call *start_copy(Layer &parent, ChildDone done, const CopyStart &start);

// Ends a child that has not settled: `done` is not called, no outcome is made, and it is gone when
// this returns.
void stop_child(weir_call &child, uint32_t reason);

// The status that a run stopped for `reason` (WEIR_CANCEL_*) has.
weir_status stopped_status(uint32_t reason);

}  // namespace weir
