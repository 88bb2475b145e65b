// SPDX-License-Identifier: MIT
//
//   phase     signal   when                        then
//   (any)     start    off                         → passed, inner
//             start    drawn: latency              → late, wait
//             start    otherwise                   what was drawn
//   late      timer    the latency is over         what was drawn:
//                      nothing                     → passed, inner
//                      failure, outcome            outer
//                      hang                        → hung, wait
//   passed    result                               outer, unchanged
//   (any)     stop                                 let go of all
//
// Invariants: the run keeps its set of options while it is late, and at no other time; a late or
// hung run has nothing active inside.

#include <algorithm>

#include "base/counter.hh"
#include "base/text.hh"
#include "base/time.hh"
#include "engine/error.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"
#include "policy/chaos.hh"

namespace weir {
namespace {

enum class ChaosPhase : uint8_t { passed, late, hung };

struct ChaosState : Layer {
  weir_chaos &policy() const { return *static_cast<weir_chaos *>(owner); }

  LiveOptions<ChaosOptions>::Set *set;  // while late
  uint32_t what;
  ChaosPhase phase;
};

void note_chaos(weir_call &run, weir_chaos &policy, uint32_t what, int64_t delay_ns) {
  count_one(policy.injected[what]);
  if (!run.runtime().tells()) return;
  weir_event event = event_of(WEIR_EVENT_CHAOS, policy);
  event.reason = what;
  event.delay_ns = delay_ns;
  run.runtime().emit(event);
}

Next end_injected(weir_call &run) {
  run.note_attempt();
  run.note_status(run.result().status);
  return Next::outer;
}

Next inject(weir_call &run, ChaosState &state, const ChaosOptions &options) {
  if (state.what != 0) note_chaos(run, state.policy(), state.what, 0);
  switch (state.what) {
    case WEIR_CHAOS_FAILURE:
      run.result().set_error(ref_error(options.failure));
      return end_injected(run);
    case WEIR_CHAOS_OUTCOME:
      run.result().set_value(ref_value(options.value));
      return end_injected(run);
    case WEIR_CHAOS_HANG:
      state.phase = ChaosPhase::hung;
      run.note_attempt();
      return Next::wait;
    default:
      state.phase = ChaosPhase::passed;
      return Next::inner;
  }
}

__attribute__((noinline)) Next draw_chaos(weir_call &run, ChaosState &state, int64_t since_ns) {
  weir_chaos &policy = state.policy();
  count_one(policy.drawn);
  auto *set = policy.live.take();
  // The turn's time may be before that of somebody who switched it on meanwhile.
  int64_t elapsed_ns = std::max<int64_t>(saturating_sub(run.runtime().now(), since_ns), 0);
  ChaosDraw drawn = set->options.draw(elapsed_ns);
  state.what = drawn.what;
  if (drawn.latency_ns > 0) {
    state.phase = ChaosPhase::late;
    state.set = set;
    note_chaos(run, policy, WEIR_CHAOS_LATENCY, drawn.latency_ns);
    run.arm(state, deadline_after(run.runtime().now_to_arm(drawn.latency_ns), drawn.latency_ns));
    return Next::wait;
  }
  if (drawn.latency_ns == 0) note_chaos(run, policy, WEIR_CHAOS_LATENCY, 0);
  Next next = inject(run, state, set->options);
  set->leave(run.runtime());
  return next;
}

Next start_chaos(weir_call &run, ChaosState &state) {
  int64_t since_ns = state.policy().since_ns.load(std::memory_order_relaxed);
  if (since_ns != weir_chaos::off) return draw_chaos(run, state, since_ns);
  state.phase = ChaosPhase::passed;
  return Next::inner;
}

Next latency_over(weir_call &run, ChaosState &state) {
  auto *set = state.set;
  Next next = inject(run, state, set->options);
  set->leave(run.runtime());
  return next;
}

void stop_chaos(weir_call &run, ChaosState &state) {
  if (state.phase == ChaosPhase::late) {
    run.disarm(state);
    state.set->leave(run.runtime());
  } else if (state.phase == ChaosPhase::hung) {
    run.note_status(run.stop_reason() == WEIR_CANCEL_TIMEOUT ? WEIR_ETIMEDOUT : WEIR_ECANCELLED);
  }
}

Next chaos_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<ChaosState &>(layer);
  switch (signal) {
    case Signal::start:
      return start_chaos(run, state);
    case Signal::timer:
      return latency_over(run, state);
    case Signal::result:
      return Next::outer;
    case Signal::stop:
      stop_chaos(run, state);
      break;
    case Signal::wake:
      break;
  }
  return Next::wait;
}

void describe_chaos(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &state = static_cast<const ChaosState &>(layer);
  if (state.phase == ChaosPhase::passed) return;
  TextWriter(buffer, size)
      .print("chaos '%s': %s", layer.owner->name(),
             state.phase == ChaosPhase::late ? "the end of its latency" : "nothing, it hangs");
}

}  // namespace

constinit const LayerType chaos_layer = {"chaos", layer_size(sizeof(ChaosState)), chaos_step,
                                         describe_chaos};

}  // namespace weir
