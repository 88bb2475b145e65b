// SPDX-License-Identifier: MIT
//
// How a pattern takes part in a run. Each layer of a plan has a state in the run's block, derived
// from Layer, and one step function: a hand-written machine that gets a signal and answers where
// the run goes next. The run (engine/run.hh) walks inwards and outwards in a loop, so nothing
// recurses.
//
//   signal   comes when                                       legal answers
//   start    the layer outside goes inwards                   inner, outer, wait
//   result   the layer inside answered outer; run.outcome     inner, outer, wait
//            holds what came
//   timer    the layer's own timer is due                     inner, outer, wait
//   wake     something posted the layer's own task            inner, outer, wait
//   stop     a layer outside, or the caller, gives up on      (ignored)
//            what is inside it: let go of everything now;
//            run.stop_reason says why
//
// A layer is ACTIVE from start until it answers outer or is stopped; only active layers get other
// signals. A layer that answers outer has disarmed its timer and released what it holds. `start`
// may come again after that (a retry outside), so it sets every field behind Layer. One step may
// answer `inner` only if nothing inside is active: a layer that cuts its inside short calls
// run.stop_inner first.

#pragma once

#include <cstdint>

#include "engine/task.hh"
#include "engine/timer_wheel.hh"

struct weir_call;
struct weir_runtime;
struct weir_budget;

namespace weir {

class Handle;

enum class Signal : uint8_t { start, result, timer, wake, stop };
enum class Next : uint8_t { wait, inner, outer };

struct LayerType;

// A layer's timer: signals the layer when it is due. Armed with run.arm, which knows the order in
// which one run's timers fire; disarmed with run.disarm.
struct LayerTimer : Timer {
  struct Layer *layer;  // set by arming
};

// A layer's way to be signalled `wake` from the ready queue: run.wake_later makes and posts it,
// run.forget takes the wish back (the task itself stays queued and then does nothing).
struct LayerTask : Task {
  LayerTask(RunFn function, struct Layer *woken) : Task(function), layer(woken) {}
  struct Layer *layer;
};

// What every layer's state begins with. Made once, with the run, but for what only some layers
// need: most runs touch no more than its first cache line. The rest of the state is raw memory
// until `start` sets it.
struct Layer {
  Layer(weir_call *owning_run, const LayerType *layer_type, Handle *layer_owner,
        uint32_t layer_index, Layer *outer_layer);

  weir_call *run;
  const LayerType *type;
  Layer *outer;   // NULL: the outermost
  Layer *inner;   // NULL: the leaf
  Handle *owner;  // the policy or operation whose layer this is
  uint32_t index;
  bool task_queued = false;
  bool task_wanted = false;
  LayerTimer timer;
  int64_t entered_ns;  // with metrics: when it was started
  union {
    LayerTask task;  // while it is queued
  };
};

struct LayerType {
  const char *name;  // for the audit: "retry"
  uint32_t state_size;
  Next (*step)(weir_call &run, Layer &layer, Signal signal);
  // Writes what the active layer waits for, for the audit; NULL: it only waits for its inside.
  void (*describe)(const weir_call &run, const Layer &layer, char *buffer, size_t size);
  // A leaf that starts attempts: the run reserves the first one.
  bool needs_attempt = false;
  // WEIR_POLICY_*, of those that engine/plan_rules.hh speaks of.
  uint32_t kind = 0;
  // The budget that the layer counts first attempts and later ones in; NULL: it has none.
  weir_budget *(*budget)(const Layer &layer) = nullptr;
};

struct PlanEntry {
  const LayerType *type;
  Handle *owner;
  uint32_t offset;  // of the state, from the plan's begin in the block
};

struct Plan {
  const PlanEntry *entries = nullptr;
  uint32_t count = 0;
  uint32_t state_size = 0;
};

// Layers around and in one run at most; what weir_pipeline_new allows, for both plans of a run.
inline constexpr uint32_t max_layers = 64;

// Each state is aligned to this.
inline constexpr uint32_t layer_alignment = 16;

constexpr uint32_t layer_size(size_t size) {
  return static_cast<uint32_t>((size + layer_alignment - 1) / layer_alignment * layer_alignment);
}

}  // namespace weir
