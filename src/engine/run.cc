// SPDX-License-Identifier: MIT
#include "engine/run.hh"

#include <algorithm>
#include <cstring>

#include "base/time.hh"
#include "engine/child.hh"
#include "engine/error.hh"
#include "engine/operation.hh"
#include "engine/policy.hh"
#include "engine/runtime.hh"
#include "engine/scope.hh"
#include "engine/value.hh"

namespace weir {
namespace {

void layer_timer_fired(weir_runtime &, Timer &timer) {
  Layer &layer = *static_cast<LayerTimer &>(timer).layer;
  layer.run->signal(layer, Signal::timer);
}

void layer_task_run(weir_runtime &, Task &task) {
  Layer &layer = *static_cast<LayerTask &>(task).layer;
  weir_call &run = *layer.run;
  layer.task_queued = false;
  if (layer.task_wanted) {
    layer.task_wanted = false;
    run.signal(layer, Signal::wake);
  }
  run.unhold();
}

}  // namespace

// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): see its declaration
Layer::Layer(weir_call *owning_run, const LayerType *layer_type, Handle *layer_owner,
             uint32_t layer_index, Layer *outer_layer)
    : run(owning_run),
      type(layer_type),
      outer(outer_layer),
      inner(nullptr),
      owner(layer_owner),
      index(layer_index) {
  if (outer != nullptr) outer->inner = this;
}

}  // namespace weir

using weir::Layer;
using weir::Next;
using weir::Phase;
using weir::Signal;

// ---- layers ----

[[gnu::always_inline]] inline weir_call::weir_call(weir_runtime &runtime, weir_operation &operation,
                                                   weir_policy *policy, uint32_t block_size,
                                                   uint32_t skipped)
    : task_(run_task, weir::Lane::run, this),
      runtime_(runtime),
      operation_(&operation),
      policy_(policy),
      block_size_(block_size),
      skipped_(skipped),
      skipped_size_(skipped == 0 ? 0 : state_offset(skipped)),
      layer_count_(operation.plan.count + (policy == nullptr ? 0 : policy->plan.count) - skipped) {
  std::memset(outcome_.statuses, 0, sizeof(outcome_.statuses));
  char *states = reinterpret_cast<char *>(&outermost()) - skipped_size_;
  Layer *outer = nullptr;
  if (policy != nullptr) {
    outer = make_layers(policy->plan, skipped, states, nullptr);
    states += policy->plan.state_size;
    skipped = skipped > policy->plan.count ? skipped - policy->plan.count : 0;
  }
  make_layers(operation.plan, skipped, states, outer);
}

weir_call *weir_call::make(weir_operation &operation, weir_policy *policy, size_t tail,
                           uint32_t skipped, bool local) {
  return make_in(operation, policy, tail, skipped, local);
}

weir_call *weir_call::make_here(weir_operation &operation, weir_policy *policy, size_t tail) {
  return make_in(operation, policy, tail, 0, true);
}

[[gnu::always_inline]] inline weir_call *weir_call::make_in(weir_operation &operation,
                                                            weir_policy *policy, size_t tail,
                                                            uint32_t skipped, bool local) {
  weir_runtime &runtime = *operation.runtime();
  const weir::Plan &plan = operation.plan;
  size_t size = weir::call_size + plan.state_size + tail;
  if (policy != nullptr) size += policy->plan.state_size;
  uint32_t block = weir::BlockPool::block_size(static_cast<uint32_t>(size));
  void *memory = runtime.pool().take(block, local);
  if (memory == nullptr) return nullptr;
  weir::Attempt *attempt = nullptr;
  if (plan.entries[plan.count - 1].type->needs_attempt) {
    attempt = runtime.attempts().reserve(local);
    if (attempt == nullptr) {
      runtime.pool().give(memory, block, local);
      return nullptr;
    }
  }
  auto *call = new (memory) weir_call(runtime, operation, policy, block, skipped);
  call->reserved_ = attempt;
  return call;
}

// Makes the layers of `plan` from `first` on, inside of `outer` (nullable); returns the innermost.
inline Layer *weir_call::make_layers(const weir::Plan &plan, uint32_t first, char *states,
                                     Layer *outer) {
  for (uint32_t i = first; i < plan.count; ++i) {
    const weir::PlanEntry &made = plan.entries[i];
    uint32_t index = outer == nullptr ? 0 : outer->index + 1;
    outer = new (states + made.offset) Layer(this, made.type, made.owner, index, outer);
  }
  return outer;
}

const weir::PlanEntry &weir_call::entry(uint32_t index) const {
  uint32_t position = index + skipped_;
  uint32_t outer = policy_ == nullptr ? 0 : policy_->plan.count;
  return position < outer ? policy_->plan.entries[position]
                          : operation_->plan.entries[position - outer];
}

// Where the state at `position` of both plans lies, were all of them here.
inline uint32_t weir_call::state_offset(uint32_t position) const {
  uint32_t outer = policy_ == nullptr ? 0 : policy_->plan.count;
  if (position < outer) return policy_->plan.entries[position].offset;
  uint32_t outer_size = policy_ == nullptr ? 0 : policy_->plan.state_size;
  return outer_size + operation_->plan.entries[position - outer].offset;
}

Layer &weir_call::layer(uint32_t index) {
  char *states = reinterpret_cast<char *>(this) + layers_offset - skipped_size_;
  return *reinterpret_cast<Layer *>(states + state_offset(index + skipped_));
}

Layer *weir_call::around(const Layer &layer) {
  return layer.outer != nullptr ? layer.outer : layer.run->child_.parent;
}

const Layer &weir_call::layer(uint32_t index) const {
  return const_cast<weir_call *>(this)->layer(index);
}

void weir_call::arm(Layer &layer, int64_t deadline_ns) {
  runtime_.wheel().disarm(layer.timer);
  layer.timer.fire = weir::layer_timer_fired;
  layer.timer.layer = &layer;
  runtime_.wheel().arm(layer.timer, deadline_ns, child_.depth + layer.index + 1,
                       outer_timer(layer, deadline_ns));
}

void weir_call::disarm(Layer &layer) { runtime_.wheel().disarm(layer.timer); }

// The nearest timer outside that is due at the same moment, so that the inner one fires first.
const weir::Timer *weir_call::outer_timer(const Layer &layer, int64_t deadline_ns) {
  const Layer *outermost = &layer;
  for (const Layer *outer = around(layer); outer != nullptr; outer = around(*outer)) {
    const weir::Timer &timer = outer->timer;
    if (timer.armed() && timer.deadline_ns == deadline_ns) return &timer;
    outermost = outer;
  }
  return &outermost->run->deadline_timer_;
}

void weir_call::wake_later(Layer &layer) {
  layer.task_wanted = true;
  if (layer.task_queued) return;
  layer.task_queued = true;
  new (&layer.task) weir::LayerTask(weir::layer_task_run, &layer);
  hold();
  runtime_.post_here(layer.task);
}

int64_t weir_call::narrow_deadline(int64_t deadline_ns) {
  int64_t before = deadline_ns_;
  deadline_ns_ = std::min(before, deadline_ns);
  return before;
}

[[gnu::cold]] void weir_call::refuse(const weir_rejection &rejection, weir_error *error) {
  weir_error *shown =
      weir::ref_error(error == nullptr ? weir::bare_error(rejection.status) : error);
  result_.set_error(shown);
  result_.retry_after_ms = rejection.retry_after_ms;
  result_.refused = true;
  rejection_ = rejection;
}

[[gnu::cold]] void weir_call::adopt(weir_call &child) {
  result_ = static_cast<weir::Result &&>(child.result_);
  if (result_.refused) rejection_ = child.rejection_;
}

void weir_call::share(const weir_outcome &outcome, weir_call *giver) {
  if (outcome.channel == WEIR_CHANNEL_VALUE) {
    result_.set_value(giver != nullptr ? giver->result_.give_value()
                                       : weir::ref_value(outcome.value));
  } else if (outcome.channel == WEIR_CHANNEL_STOPPED) {
    result_.set_stopped(outcome.status, outcome.cancel_reason);
  } else {
    result_.set_error(weir::ref_error(outcome.error));
    result_.status = outcome.status;
  }
  result_.class_ = outcome.class_;
  result_.final = outcome.final;
  result_.stop_reason = outcome.stop_reason;
  result_.retry_after_ms = outcome.retry_after_ms;
  if (outcome.rejection == nullptr) return;
  result_.refused = true;
  rejection_ = *outcome.rejection;
}

// The oldest of them.
[[gnu::cold]] void weir_call::forget_status() {
  --noted_;
  weir_status *statuses = outcome_.statuses;
  std::memmove(statuses, statuses + 1, sizeof(outcome_.statuses) - sizeof(statuses[0]));
}

[[gnu::cold]] void weir_call::note_child(const weir_call &child) {
  attempts_ += child.own_attempts();
  for (uint32_t i = 0; i < child.noted_; ++i) note_status(child.outcome_.statuses[i]);
}

[[gnu::cold]] weir::Attempt *weir_call::fresh_attempt() {
  return runtime_.attempts().reserve(true);
}

// ---- walking ----

inline void weir_call::begin() {
  if (phase_.load(std::memory_order_relaxed) != Phase::queued) return;
  if (child_.parent != nullptr) {
    begin_child();
    return;
  }
  enlist();
  if (runtime_.life() != weir::Life::open) {
    stop(WEIR_ECLOSED, WEIR_CANCEL_SHUTDOWN);
    return;
  }
  uint32_t reason = cancel_posted_.load(std::memory_order_relaxed);
  if (counted_ && request_.scope->cancelled()) reason = WEIR_CANCEL_CALLER;
  if (reason != WEIR_CANCEL_NONE) {
    stop(weir::stopped_status(reason), reason);  // its task comes behind this one
    return;
  }
  if (deadline_ns_ <= runtime_.now()) {
    stop(WEIR_ETIMEDOUT, WEIR_CANCEL_DEADLINE);  // what cannot fit is not started
    return;
  }
  phase_.store(Phase::running, std::memory_order_relaxed);
  if (deadline_ns_ != weir::never_ns) {
    deadline_timer_.fire = deadline_fired;
    deadline_timer_.call = this;
    runtime_.wheel().arm(deadline_timer_, deadline_ns_);
  }
  active_ = 1;
  drive(outermost(), Signal::start);
}

// Its parent is there, or it would have been stopped; a closing runtime is about to stop both.
void weir_call::begin_child() {
  if (runtime_.life() != weir::Life::open) return;
  begun_ns_ = runtime_.now();
  runtime_.run_begun(*this);
  if (counted_) request_.scope->run_begun(*this);
  phase_.store(Phase::running, std::memory_order_relaxed);
  active_ = 1;
  drive(outermost(), Signal::start);
}

// The run is the engine's now.
inline void weir_call::enlist() {
  begun_ns_ = runtime_.now();
  runtime_.run_begun(*this);
  if (counted_) request_.scope->run_begun(*this);
  if (!remote_) return;
  operation_->enter();
  operation_->unref();
  if (request_.scope != nullptr) {
    request_.scope->enter();
    request_.scope->unref();
  }
  if (request_.inner != nullptr) {
    request_.inner->enter();
    request_.inner->unref();
  }
  if (policy_ == nullptr) return;
  policy_->enter();
  policy_->unref();
}

void weir_call::signal(uint32_t index, Signal signal) {
  if (index < active_) drive(layer(index), signal);
}

// What no creation has published (an operation) is from its first run on; without memory not yet. A
// policy that none has is the library's own.
[[gnu::cold]] void weir_call::begin_measure(Layer &layer) {
  layer.entered_ns = runtime_.now();
  bool of_policy = policy_ != nullptr && layer.index + skipped_ < policy_->plan.count;
  if (!of_policy && !layer.owner->is_listed()) publish(*layer.owner, weir::Metered::operation);
}

[[gnu::cold]] void weir_call::end_measure(const Layer &layer) {
  note_time(*layer.owner, weir::Measure::latency, runtime_.now() - layer.entered_ns);
}

void weir_call::drive(Layer &from, Signal signal) {
  weir::RunningRun running(runtime_, *this);
  if ((runtime_.observed() & weir_runtime::by_metrics) == 0) {
    walk<false>(from, signal);
  } else {
    walk_measured(from, signal);
  }
}

[[gnu::noinline, gnu::cold]] void weir_call::walk_measured(Layer &from, Signal signal) {
  walk<true>(from, signal);
}

template <bool measured>
[[gnu::always_inline]] inline void weir_call::walk(Layer &from, Signal signal) {
  Layer *layer = &from;
  while (true) {
    if (measured && signal == Signal::start) begin_measure(*layer);
    switch (layer->type->step(*this, *layer, signal)) {
      case Next::wait:
        return;
      case Next::inner:
        layer = layer->inner;
        active_ = layer->index + 1;
        signal = Signal::start;
        break;
      case Next::outer:
        if (measured) end_measure(*layer);
        active_ = layer->index;
        layer = layer->outer;
        if (layer == nullptr) {
          settle();
          return;
        }
        signal = Signal::result;
        break;
    }
  }
}

[[gnu::cold]] void weir_call::stop_inside(const Layer &layer, uint32_t reason) {
  stop_from(layer.index + 1, reason);
}

void weir_call::stop_from(uint32_t index, uint32_t reason) {
  stop_reason_ = reason;
  while (active_ > index) {
    Layer &innermost = layer(--active_);
    innermost.type->step(*this, innermost, Signal::stop);
  }
}

void weir_call::stop(weir_status status, uint32_t reason) {
  if (settling()) return;
  weir::RunningRun running(runtime_, *this);
  hold();
  stop_from(0, reason);
  result_.set_stopped(status, reason);
  settle();
  unhold();
}

[[gnu::cold]] void weir_call::deadline_fired(weir_runtime &runtime, weir::Timer &timer) {
  weir_call *call = static_cast<weir::CallTimer &>(timer).call;
  if (runtime.tells()) call->tell_deadline();
  call->stop(WEIR_ETIMEDOUT, WEIR_CANCEL_DEADLINE);
}

void weir_call::discard() {
  runtime_.unadmit();
  --holds_;  // of the task, which is queued nowhere
  unhold();
}

void weir_call::run_task(weir_runtime &, weir::Task &task) {
  static_cast<weir::CallTask &>(task).call->begin_now();
}

void weir_call::begin_now() {
  begin();
  unhold();
}

[[gnu::cold]] void weir_call::cancel_task(weir_runtime &, weir::Task &task) {
  weir_call *call = static_cast<weir::CallTask &>(task).call;
  if (call->phase_.load(std::memory_order_relaxed) == Phase::queued) call->enlist();
  uint32_t reason = call->cancel_posted_.load(std::memory_order_relaxed);
  call->stop(weir::stopped_status(reason), reason);
  call->unref();
}

[[gnu::cold]] void weir_call::tell_deadline() const {
  weir_event event = {};
  event.kind = WEIR_EVENT_TIMEOUT;
  event.name = request_.name == nullptr ? "" : request_.name;
  event.status = WEIR_ETIMEDOUT;
  event.delay_ns = weir::saturating_sub(runtime_.now(), begun_ns_);
  runtime_.emit(event);
}

// ---- settling ----

const weir_outcome &weir_call::view() {
  show();
  return outcome_;
}

[[gnu::always_inline]] inline void weir_call::show() {
  outcome_.size = sizeof(weir_outcome);
  outcome_.channel = result_.channel;
  outcome_.status = result_.status;
  outcome_.class_ = result_.class_;
  outcome_.attempts = attempts_;
  outcome_.stop_reason = result_.stop_reason;
  outcome_.cancel_reason = result_.cancel_reason;
  outcome_.final = result_.final;
  outcome_.elapsed_ns = runtime_.now() - begun_ns_;
  outcome_.retry_after_ms = result_.retry_after_ms;
  outcome_.value = result_.value;
  outcome_.error = result_.error;
  outcome_.rejection = result_.refused ? &rejection_ : nullptr;
  outcome_.held = nullptr;
}

void weir_call::settle() {
  if (child_.parent != nullptr) {
    settle_child();
    return;
  }
  if (deadline_timer_.armed()) runtime_.wheel().disarm(deadline_timer_);
  show();
  phase_.store(Phase::settling, std::memory_order_release);
  if (queue_ != nullptr) {
    post_record(*queue_, WEIR_RECORD_SETTLED, static_cast<uint64_t>(outcome_.elapsed_ns));
  } else if (settle_) {
    settle_(this, &outcome_);
    runtime_.user_ran();
  }
  settle_.finish();
  note_settled();
  runtime_.run_settled(*this);
  if (counted_) request_.scope->run_settled(*this);
  unhold();
}

inline void weir_call::note_settled() {
  // With nobody else's reference there is nobody who waits, or ever could.
  if (references_.load(std::memory_order_acquire) == 1) {
    phase_.store(Phase::settled, std::memory_order_relaxed);
    return;
  }
  phase_.store(Phase::settled, std::memory_order_seq_cst);
  if (waiters_.load(std::memory_order_seq_cst) == 0) return;
  weir::Lock lock(runtime_.settle_mutex());
  runtime_.settle_condition().wake_all();
}

[[gnu::cold]] void weir_call::settle_child() {
  if (child_.done != nullptr) view();
  phase_.store(Phase::settled, std::memory_order_relaxed);
  runtime_.child_settled(*this);
  if (counted_) request_.scope->run_settled(*this);
  Layer &parent = *child_.parent;
  parent.run->note_child(*this);
  if (child_.done != nullptr) child_.done(parent, *this);
  unhold();
}

void weir_call::post_record(weir_completions &queue, uint8_t kind, uint64_t detail) {
  new (&record_) weir::CallRecord(record_drained, this);
  record_.content.kind = kind;
  record_.content.user = user_;
  record_.content.detail = detail;
  weir::show_result(record_.content, result_);
  record_.content.number = static_cast<uint16_t>(std::min<uint32_t>(attempts_, UINT16_MAX));
  ref();
  queue.post(record_);
}

[[gnu::cold]] void weir_call::post_item(weir_completions &queue, uint64_t user) {
  user_ = user;
  post_record(queue, WEIR_RECORD_ITEM, request_.index);
}

void weir_call::record_drained(weir::Record &record, bool kept) {
  if (!kept) weir::drop_shown(record.content);
  static_cast<weir::CallRecord &>(record).call->unref();
}

// ---- ends ----

inline weir_call::~weir_call() {
  weir::unref_value(request_.input);
  if (queue_ != nullptr) queue_->unref();
}

// `local`: on the engine's thread.
[[gnu::always_inline]] inline void weir_call::end_at(bool local) {
  weir_runtime &runtime = runtime_;
  uint32_t size = block_size_;
  this->~weir_call();
  if (runtime.pool().give(this, size, local)) runtime.release_shell();
}

// The engine holds it no longer.
void weir_call::let_go() {
  if (reserved_ != nullptr) runtime_.attempts().release(reserved_, true);
  operation_->leave();
  if (request_.inner != nullptr) request_.inner->leave();
  if (policy_ != nullptr) policy_->leave();
  leave_scope();
  weir_call *parent = child_.parent == nullptr ? nullptr : child_.parent->run;
  if (drop()) end_at(true);
  if (parent != nullptr) parent->unhold();
}

// What is freed from here on, the scope's own values first, runs in none: it may be gone.
void weir_call::leave_scope() {
  weir_scope *scope = request_.scope;
  if (scope == nullptr) return;
  if (counted_) scope->run_over(*this);
  request_.scope = nullptr;
  scope->leave();
}

// Nobody holds it any longer.
void weir_call::end() { end_at(runtime_.on_thread()); }
