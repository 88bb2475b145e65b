// SPDX-License-Identifier: MIT
//
// One operation that runs others, beside each other or one after the other: what race, all, any,
// parallel, pool and waterfall have in common. A pattern says which child comes next, and what the
// end of one means; everything else is here: starting no more than may run at once, the outcome,
// and stopping what is no longer wanted.
//
//   signal   does                                                          answers
//   start    begins the pattern, starts children                           wait; outer if the
//                                                                          outcome is there
//   wake     starts what there is room for                                 the same
//   stop     stops all children for the same reason, drops what it has     -
//
// A child that ends (child_ended) is judged at once. If that DECIDES, the run has its result from
// then on and the others are stopped in the same step, so that none of them begins any more; then,
// and when there may be room for others, the layer wakes itself.
//
// Invariants:
// - `children` are those started and not ended, in the order of their starts; the source's among
//   them, if it is being asked, does not count in `running`.
// - Once `decided` nothing runs and nothing is started.
// - Children begin from the ready queue. The first step starts one, and each further one twice as
//   many, up to start_batch: what is decided by the first needs no others, and a million operations
//   neither recurse nor hold up a turn.
// - All that an outcome needs is there before the first child starts, or before the child whose
//   result needs it: settling cannot fail.

#pragma once

#include "engine/child.hh"
#include "engine/error.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/value.hh"

namespace weir {

struct Siblings;

// How a child ended, or that it could not begin.
struct Ending {
  uint64_t index;
  Result *result;    // the pattern may take it
  weir_call *child;  // NULL: it did not begin
};

// What is to be started next.
struct NextChild {
  weir_operation *operation = nullptr;
  weir_value *input = nullptr;
  weir_error *error = nullptr;  // borrowed; there: nothing is started, this is how it ended
  // Whether a reference is given back once the child has its own.
  bool gives_operation = false;
  bool gives_input = false;
};

enum class Supply { item, none, end };

// The rules of one pattern.
struct Pattern {
  LayerType layer;
  // Reserves what the outcome needs. False: the run's result says why not.
  bool (*begin)(Siblings &state);
  // Judges a child's end.
  void (*ended)(Siblings &state, const Ending &ending);
  // All have ended and nothing decided: makes the result. NULL where that cannot be.
  void (*complete)(Siblings &state);
  // The run lets go of the pattern; nullable.
  void (*leave)(Siblings &state);
};

struct SiblingsOperation : weir_operation {
  SiblingsOperation(weir_runtime *runtime, EndFn end, const Pattern &rules)
      : weir_operation(runtime, end, &rules.layer), pattern(&rules) {}
  ~SiblingsOperation();

  // Takes references of the operations; false without memory. Once.
  bool set_operations(weir_operation *const *given, size_t given_count);
  // As many levels deep as `inner`, and one more.
  void nest(uint32_t inner_nesting);

  const Pattern *pattern;
  Supply (*next)(Siblings &state, NextChild &child) = nullptr;
  weir_policy *policy = nullptr;  // around each child; one reference
  uint64_t concurrency = UINT64_MAX;
  weir_operation **operations = nullptr;  // one reference of each
  size_t count = 0;
};

struct Siblings : Layer {
  SiblingsOperation &operation() const { return *static_cast<SiblingsOperation *>(owner); }

  List<weir_call, OfParent> children;
  uint64_t running;
  uint64_t started;  // so also the next one's index
  uint64_t ended;
  uint64_t total;  // UINT64_MAX: not known yet
  uint32_t batch;  // how many the next step starts at most
  bool exhausted;  // no more come
  bool decided;
  bool asking;            // the source is being asked
  weir_value *list;       // results
  weir_value *carried;    // between a child and the next: a step's value, a source's item
  weir_error *aggregate;  // failures
};

// The children are `operations`, each with the run's input.
Supply next_operation(Siblings &state, NextChild &child);

// Starts a child that does not count as one of the siblings.
bool start_beside(Siblings &state, ChildDone done, const ChildStart &start);
// What a `done` given to start_beside() must call first.
void ended_beside(Siblings &state, weir_call &child);
// `ending` is the outcome, unchanged; the others are stopped.
void decide(Siblings &state, const Ending &ending);
// The run's result is the outcome.
void decide(Siblings &state);
// The outcome is that there is no memory.
void decide_no_memory(Siblings &state);
// To be called where something may have changed for a layer that waits.
void go_on_later(Siblings &state);

// Whether a result is a success: as its completer classed it, else if it is a value.
inline bool succeeded(const Result &result) {
  return result.class_ == WEIR_CLASS_NONE ? result.channel == WEIR_CHANNEL_VALUE
                                          : result.class_ == WEIR_CLASS_SUCCESS;
}

Next siblings_step(weir_call &run, Layer &layer, Signal signal);
void describe_siblings(const weir_call &run, const Layer &layer, char *buffer, size_t size);

constexpr LayerType siblings_layer(const char *name) {
  return {name, layer_size(sizeof(Siblings)), siblings_step, describe_siblings};
}

// ---- making one ----

// The rules of a list of operations: at least `least`, each there, of `runtime`, and not nested too
// deep.
void check_operations(Check &check, weir_runtime *runtime, weir_operation *const *operations,
                      size_t count, size_t least);

// `made` (nullable), an operation with a name, goes to `out`; otherwise there was no memory.
weir_status hand_out(SiblingsOperation *made, bool complete, weir_operation **out, Heap *heap,
                     const char *subject, weir_error **error);

}  // namespace weir
