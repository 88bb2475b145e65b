// SPDX-License-Identifier: MIT
//
// The limiter in a run: acquires, waiting if it may, runs its inside, and gives the permit back
// when the work has really ended. All on the engine's thread. The queues are in limiter_waiting.cc.
//
//   phase     signal   does                                              then
//   (none)    start    admitted                                          running, inner
//             start    denied; may not wait, or the wait is known to     outer (refused)
//                      be too long
//             start    denied                                            waiting, wait
//   waiting   timer    past its queue timeout                            outer (refused)
//             timer    its turn: serves the queue                        waiting or granted, wait
//             stop     leaves the queue; the next one is served          over
//   granted   wake     has its permits since the queue was served        running, inner
//             stop     gives permits and rate back                       over
//   expired   wake     was found past its timeout when served            outer (refused)
//   refused   wake     asks for more than new options can ever give      outer (refused)
//   running   result   judges (adaptive), drops its obligation           outer
//             stop     as result; early_release returns the permit       over
#include <algorithm>

#include "base/counter.hh"
#include "base/text.hh"
#include "engine/attempt.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"
#include "policy/limiter.hh"

using weir::LimiterDenial;
using weir::LimiterPhase;
using weir::LimiterState;
using weir::Next;

Next weir_limiter::enter(weir_call &run, LimiterState &state) {
  const weir::RunRequest &request = run.request();
  state.permits = request.permits;
  state.priority = by_priority_ ? request.priority : 0;
  state.hash = keyed() ? hash_key(request.key, request.key_size) : 0;
  state.permit = 0;
  state.obligation = nullptr;
  weir::WaitQueue *queue = queue_of(state.hash);
  LimiterDenial denial;
  int64_t now_ns = runtime()->now();
  weir_status status = WEIR_ELIMITED;
  if (queue == nullptr || queue->empty()) {
    status = admit(state.permits, now_ns, state.hash, state.permit, &denial);
    if (keyed()) emit_evictions();
  } else if (state.permits > heaviest_.load(std::memory_order_relaxed)) {
    denial.reason = WEIR_REJECTION_WEIGHT;
  } else {
    denial.reason = WEIR_REJECTION_WAITERS;
  }
  return status == WEIR_OK ? start_inside(run, state) : wait(run, state, denial);
}

// The rate alone says at least how long this run would wait. Not while paused: nobody knows then.
[[gnu::cold]] bool weir_limiter::too_late(weir_call &run, const LimiterState &state,
                                          int64_t &wait_ns) {
  if (run.deadline() == weir::never_ns || is_paused()) return false;
  weir::WaitQueue *queue = queue_of(state.hash);
  int64_t before = queue == nullptr ? 0 : queue->permits_before(state.priority);
  int64_t now_ns = runtime()->now();
  wait_ns = wait_for(before + state.permits, now_ns, state.hash);
  return weir::saturating_add(now_ns, wait_ns) > run.deadline();
}

// How long until the first of the queue has its permits, and so its place is free; -1: nobody
// knows.
int64_t weir_limiter::first_wait(uint64_t hash) {
  weir::WaitQueue *queue = queue_of(hash);
  if (queue == nullptr || queue->empty() || is_paused()) return -1;
  int64_t wait_ns = wait_for(queue->first()->permits, runtime()->now(), hash);
  return wait_ns > 0 ? wait_ns : -1;
}

Next weir_limiter::wait(weir_call &run, LimiterState &state, LimiterDenial &denial) {
  uint64_t most = max_queue_.load(std::memory_order_relaxed);
  if (denial.is_hopeless() || most == 0) return refuse(run, state, denial);
  int64_t wait_ns = 0;
  if (too_late(run, state, wait_ns)) {
    denial.reason = WEIR_REJECTION_NO_TIME;
    denial.wait_ns = wait_ns;
    denial.remaining_ns = weir::saturating_sub(run.deadline(), runtime()->now());
    return refuse(run, state, denial);
  }
  if (queued_.load(std::memory_order_relaxed) >= most) {
    denial.status = WEIR_EFULL;
    denial.reason = WEIR_REJECTION_QUEUE_FULL;
    denial.wait_ns = first_wait(state.hash);
    denial.interval_ns = 0;
    denial.limit = static_cast<int64_t>(std::min<uint64_t>(most, INT64_MAX));
    return refuse(run, state, denial);
  }
  int64_t timeout_ns = queue_timeout_ns_.load(std::memory_order_relaxed);
  state.expires_ns = weir::deadline_after(runtime()->now_to_arm(timeout_ns), timeout_ns);
  state.phase = LimiterPhase::waiting;
  state.started_ns = runtime()->now();
  join(state);
  if (queue_of(state.hash)->first() == &state) {
    serve(state.hash);
  } else {
    run.arm(state, state.expires_ns);
  }
  if (runtime()->tells()) tell_waiting(WEIR_EVENT_WAITING, 0);
  return Next::wait;
}

// The numbers of what was found without asking the core.
void weir_limiter::complete(const LimiterState &state, LimiterDenial &denial) {
  if (denial.reason == WEIR_REJECTION_WEIGHT) {
    // Whoever asks for too much is refused, not failed: it says nothing about what is inside.
    denial.status = WEIR_ELIMITED;
    denial.limit = denial.available = heaviest_.load(std::memory_order_relaxed);
  } else if (denial.reason == WEIR_REJECTION_WAITERS) {
    int64_t before = queue_of(state.hash)->permits_before(state.priority);
    int64_t wait_ns = wait_for(before + state.permits, runtime()->now(), state.hash);
    denial.wait_ns = wait_ns > 0 ? wait_ns : -1;
    denial.limit = heaviest_.load(std::memory_order_relaxed);
  }
}

Next weir_limiter::refuse(weir_call &run, const LimiterState &state, LimiterDenial &denial) {
  complete(state, denial);
  weir::count_one(refused_);
  if (denial.reason == WEIR_REJECTION_QUEUE_TIMEOUT) weir::count_one(timed_out_);
  run.refuse(rejection(state.permits, denial),
             denial.status == WEIR_EFULL ? full_error_ : limited_error_);
  if (runtime()->tells()) weir::tell_refusal(run, *this);
  return Next::outer;
}

Next weir_limiter::refuse_late(weir_call &run, LimiterState &state) {
  int64_t wait_ns = wait_for(state.permits, runtime()->now(), state.hash);
  LimiterDenial denial;
  denial.reason = WEIR_REJECTION_QUEUE_TIMEOUT;
  denial.wait_ns = wait_ns > 0 ? wait_ns : -1;
  denial.waited_ns = weir::saturating_sub(runtime()->now(), state.started_ns);
  return refuse(run, state, denial);
}

[[gnu::cold]] void weir_limiter::tell_waiting(uint32_t kind, int64_t waited_ns) {
  weir_event event = weir::event_of(kind, *this);
  event.count = queued_.load(std::memory_order_relaxed);
  event.delay_ns = waited_ns;
  runtime()->emit(event);
}

[[gnu::cold]] Next weir_limiter::timer(weir_call &run, LimiterState &state) {
  int64_t now_ns = runtime()->now();
  bool first = queue_of(state.hash)->first() == &state;
  if (first && now_ns <= state.expires_ns) serve(state.hash);
  if (state.phase != LimiterPhase::waiting || now_ns < state.expires_ns) return Next::wait;
  leave(state);
  if (first) serve(state.hash);
  return refuse_late(run, state);
}

Next weir_limiter::wake(weir_call &run, LimiterState &state) {
  if (state.phase == LimiterPhase::granted) {
    int64_t waited_ns = weir::saturating_sub(runtime()->now(), state.started_ns);
    if (runtime()->tells()) tell_waiting(WEIR_EVENT_GRANTED, waited_ns);
    if (runtime()->observed() != 0) note_time(*this, weir::Measure::waiting, waited_ns);
    return start_inside(run, state);
  }
  if (state.phase == LimiterPhase::expired) return refuse_late(run, state);
  LimiterDenial denial;
  denial.reason = state.reason;
  return refuse(run, state, denial);
}

Next weir_limiter::start_inside(weir_call &run, LimiterState &state) {
  state.phase = LimiterPhase::running;
  if (state.permit != 0) {
    state.obligation = runtime()->new_obligation(end_obligation, *this, state.permit, state.hash,
                                                 run.obligation());
    if (state.obligation == nullptr) {
      give_back(state.permit, state.hash);
      run.result().set_status(WEIR_ENOMEM);
      return Next::outer;
    }
    run.set_obligation(state.obligation);
  }
  if (adaptive_kind_ != WEIR_ADAPTIVE_OFF) state.started_ns = runtime()->now();
  weir::count_one(granted_);
  return Next::inner;
}

// Of the engine's thread: serves who waits itself. A permit of 0 is nothing to give back.
void weir_limiter::give_back(weir_permit permit, uint64_t hash) {
  if (permit != 0 && !keyed()) {
    unhold(permit);
  } else if (permit != 0) {
    weir::Lock lock(mutex_);
    weir::KeyEntry *entry = entries_.find(hash);
    if (entry != nullptr) entries_.hold(*entry, -static_cast<int64_t>(permit));
  }
  serve(hash);
}

void weir_limiter::end_obligation(weir::Handle &policy, weir_permit permit, uint64_t detail) {
  static_cast<weir_limiter &>(policy).give_back(permit, detail);
}

void weir_limiter::drop_obligation(weir_call &run, LimiterState &state) {
  weir::Obligation *obligation = state.obligation;
  if (obligation == nullptr) return;
  state.obligation = nullptr;
  run.set_obligation(obligation->outer);
  runtime()->drop_obligation(obligation);
}

Next weir_limiter::result(weir_call &run, LimiterState &state) {
  if (adaptive_kind_ != WEIR_ADAPTIVE_OFF) {
    uint32_t judged = classifier_.judge(run.view());
    if (asks_user_) runtime()->user_ran();
    note(state.permit, judged, runtime()->now() - state.started_ns);
  }
  drop_obligation(run, state);
  return Next::outer;
}

[[gnu::cold]] void weir_limiter::stop_running(weir_call &run, LimiterState &state) {
  if (adaptive_kind_ != WEIR_ADAPTIVE_OFF && run.stop_reason() == WEIR_CANCEL_TIMEOUT) {
    note(state.permit, WEIR_CLASS_FAILURE, runtime()->now() - state.started_ns);
  }
  if (state.obligation != nullptr && early_release_.load(std::memory_order_relaxed)) {
    weir_permit permit = state.obligation->permit;
    state.obligation->permit = 0;
    give_back(permit, state.hash);
  }
  drop_obligation(run, state);
}

[[gnu::cold]] void weir_limiter::stop(weir_call &run, LimiterState &state) {
  if (state.phase == LimiterPhase::running) return stop_running(run, state);
  if (state.phase == LimiterPhase::waiting) {
    bool first = queue_of(state.hash)->first() == &state;
    leave(state);
    if (first) serve(state.hash);
    return;
  }
  weir_call::forget(state);
  if (state.phase != LimiterPhase::granted) return;
  if (!keyed()) refund_rate(state.permits, runtime()->now());
  give_back(state.permit, state.hash);
}

namespace weir {
namespace {

Next limiter_step(weir_call &run, Layer &layer, Signal signal) {
  auto &limiter = *static_cast<weir_limiter *>(layer.owner);
  auto &state = static_cast<LimiterState &>(layer);
  switch (signal) {
    case Signal::start:
      return limiter.enter(run, state);
    case Signal::result:
      return limiter.result(run, state);
    case Signal::timer:
      return limiter.timer(run, state);
    case Signal::wake:
      return limiter.wake(run, state);
    case Signal::stop:
      limiter.stop(run, state);
  }
  return Next::wait;
}

bool held_further_out(const Layer &layer) {
  for (const Layer *outer = weir_call::around(layer); outer != nullptr;
       outer = weir_call::around(*outer)) {
    if (outer->owner == layer.owner) return true;
  }
  return false;
}

[[gnu::cold]] void describe_limiter(const weir_call &, const Layer &layer, char *buffer,
                                    size_t size) {
  const auto &limiter = *static_cast<const weir_limiter *>(layer.owner);
  const auto &state = static_cast<const LimiterState &>(layer);
  TextWriter text(buffer, size);
  if (state.phase == LimiterPhase::running) return;
  text.print("limiter '%s': ", limiter.name());
  if (state.phase != LimiterPhase::waiting) {
    text.print("its next turn");
  } else if (limiter.is_paused()) {
    text.print("a permit, while it is paused");
  } else {
    text.print("a permit%s", held_further_out(layer) ? " (it holds one itself)" : "");
  }
}

}  // namespace

const LayerType limiter_layer = {"limiter",    layer_size(sizeof(LimiterState)),
                                 limiter_step, describe_limiter,
                                 false,        WEIR_POLICY_LIMITER};

}  // namespace weir
