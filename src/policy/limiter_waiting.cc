// SPDX-License-Identifier: MIT
//
// Who waits for a limiter, and who comes next: its queues, serving them, and how other threads have
// them served. What a run does in between is in limiter_layer.cc.
//
// Invariants:
// - Only the first waiter of a queue has a timer for its turn; each has one for its timeout, and
//   one timer serves for both. Whoever leaves a queue, or frees permits, serves it.
// - A granted waiter has left the queue and holds what it was granted: it is accounted once, by
//   whichever of wake and stop comes.
#include <algorithm>

#include "engine/run.hh"
#include "engine/runtime.hh"
#include "policy/limiter.hh"

using weir::LimiterDenial;
using weir::LimiterPhase;
using weir::LimiterState;

namespace {

LimiterState &state_of(weir::Waiter &waiter) { return static_cast<LimiterState &>(waiter); }

}  // namespace

// ---- queues ----

weir::WaitQueue *weir_limiter::queue_of(uint64_t hash) {
  if (!keyed()) return &queue_;
  if (queued_.load(std::memory_order_relaxed) == 0) return nullptr;
  weir::KeyQueue *queue = key_queues_.find(hash);
  return queue == nullptr ? nullptr : &queue->queue;
}

void weir_limiter::join(LimiterState &state) {
  uint64_t queued = queued_.load(std::memory_order_relaxed);
  if (keyed()) {
    weir::Lock lock(mutex_);
    weir::KeyQueue *queue = key_queues_.find(state.hash);
    if (queue == nullptr) queue = &key_queues_.add(state.home, state.hash);
    queue->queue.push(state);
  } else {
    queue_.push(state);
    queued_permits_.store(queued_permits_.load(std::memory_order_relaxed) + state.permits,
                          std::memory_order_relaxed);
  }
  queued_.store(queued + 1, std::memory_order_relaxed);
  if (queued == 0) gate_.fetch_or(waiting, std::memory_order_acq_rel);
}

void weir_limiter::leave(LimiterState &state) {
  if (keyed()) {
    weir::Lock lock(mutex_);
    weir::KeyQueue &queue = *key_queues_.find(state.hash);
    queue.queue.remove(state);
    if (queue.queue.empty()) {
      key_queues_.remove(queue);
    } else if (&queue == &state.home) {
      key_queues_.move(queue, state_of(*queue.queue.first()).home);
    }
  } else {
    queue_.remove(state);
    queued_permits_.store(queued_permits_.load(std::memory_order_relaxed) - state.permits,
                          std::memory_order_relaxed);
  }
  state.run->disarm(state);
  uint64_t queued = queued_.load(std::memory_order_relaxed) - 1;
  queued_.store(queued, std::memory_order_relaxed);
  if (queued == 0) gate_.fetch_and(~waiting, std::memory_order_acq_rel);
}

void weir_limiter::send(LimiterState &state, LimiterPhase phase) {
  leave(state);
  state.phase = phase;
  state.run->wake_later(state);
}

// True if the first waiter left and the next is to be looked at.
bool weir_limiter::serve_first(LimiterState &state, int64_t now_ns) {
  if (state.expires_ns < now_ns) {
    send(state, LimiterPhase::expired);
    return true;
  }
  LimiterDenial denial;
  if (admit(state.permits, now_ns, state.hash, state.permit, &denial) == WEIR_OK) {
    send(state, LimiterPhase::granted);
    return true;
  }
  if (denial.is_hopeless()) {
    state.reason = denial.reason;
    send(state, LimiterPhase::refused);
    return true;
  }
  int64_t turn_ns =
      denial.wait_ns < 0 ? weir::never_ns : weir::saturating_add(now_ns, denial.wait_ns);
  state.run->arm(state, std::min(turn_ns, state.expires_ns));
  return false;
}

void weir_limiter::serve(uint64_t hash) {
  int64_t now_ns = runtime()->now();
  while (weir::WaitQueue *queue = queue_of(hash)) {
    if (queue->empty() || !serve_first(state_of(*queue->first()), now_ns)) return;
  }
}

// ---- waking from other threads ----

void weir_limiter::post_wake() {
  if (runtime()->forked()) return;
  if (wake_posted_.exchange(true, std::memory_order_acq_rel)) return;
  ref();
  runtime()->post(wake_task_);
}

// After something changed that may let waiters through.
void weir_limiter::wake_all() {
  if ((gate_.fetch_add(0, std::memory_order_acq_rel) & waiting) == 0) return;
  wake_all_keys_.store(true, std::memory_order_release);
  post_wake();
}

void weir_limiter::run_wake(weir_runtime &, weir::Task &task) {
  weir_limiter &limiter = *static_cast<weir::WakeLimiterTask &>(task).limiter;
  limiter.wake_posted_.exchange(false, std::memory_order_acq_rel);
  if (!limiter.keyed()) {
    limiter.serve(0);
  } else {
    limiter.serve_kicked();
  }
  limiter.emit_evictions();
  limiter.unref();
}

void weir_limiter::serve_kicked() {
  bool all = wake_all_keys_.exchange(false, std::memory_order_acq_rel);
  while (true) {
    uint64_t hash = 0;
    {
      weir::Lock lock(mutex_);
      if (all) key_queues_.kick_all();
      all = false;
      weir::KeyQueue *queue = key_queues_.take_kicked();
      if (queue == nullptr) return;
      hash = queue->hash;
    }
    serve(hash);
  }
}

// Keys are evicted on whatever thread decides; the listener hears of them here.
void weir_limiter::emit_evictions() {
  if (!runtime()->tells() || !keyed()) return;
  uint64_t evicted = evictions();
  if (evicted == evictions_told_) return;
  weir_event event = weir::event_of(WEIR_EVENT_EVICTION, *this);
  event.count = evicted - evictions_told_;
  evictions_told_ = evicted;
  runtime()->emit(event);
}
