// SPDX-License-Identifier: MIT
#include "engine/scope.hh"

#include <algorithm>
#include <cstring>

#include "base/text.hh"
#include "base/time.hh"
#include "engine/child.hh"
#include "engine/error.hh"
#include "engine/operation.hh"
#include "engine/value.hh"

namespace weir {
namespace {

// How many runs are cancelled before others have their turn.
constexpr int cancels_a_step = 64;

// So many leaks are told by name.
constexpr int leaks_told = 16;

}  // namespace
}  // namespace weir

using weir::Life;
using weir::Lock;
using weir::Resource;
using weir::ScopeEntry;
using weir::ScopeJoiner;

weir_scope::weir_scope(weir_runtime *runtime, const weir::ScopeSetup &setup)
    : Handle(runtime, end_scope),
      exit_(setup.exit),
      depth_(setup.parent == nullptr ? 1 : setup.parent->depth_ + 1),
      deadline_ns_(setup.parent == nullptr || !setup.joins
                       ? setup.deadline_ns
                       : std::min(setup.deadline_ns, setup.parent->deadline_ns_)),
      grace_ns_(setup.grace_ns),
      joins_(setup.joins && setup.parent != nullptr),
      parent_(setup.parent),
      task_(this),
      timer_(this),
      hook_(this) {
  if (parent_ != nullptr) parent_->ref();
}

weir_scope::~weir_scope() {
  while (ScopeEntry *entry = entries_) {
    entries_ = entry->next;
    free_entry(entry);
  }
  weir::unref_error(close_error_);
  if (parent_ != nullptr) parent_->unref();
}

void weir_scope::end_scope(weir::Handle *handle) { weir::end_handle<weir_scope>(handle); }

weir_status weir_scope::make(weir_runtime *runtime, const weir::ScopeSetup &setup,
                             weir_scope *&out) {
  auto *scope = weir::make_handle<weir_scope>(runtime->heap(), runtime, setup);
  if (scope == nullptr) return WEIR_ENOMEM;
  weir_status status = WEIR_OK;
  if (!scope->set_name(setup.name)) {
    status = WEIR_ENOMEM;
  } else if (!scope->join_parent()) {
    status = WEIR_ECLOSED;
  }
  if (status == WEIR_OK) {
    out = scope;
  } else {
    scope->unref();
  }
  return status;
}

// ---- references and wishes ----

void weir_scope::ref_user() {
  if (users_.fetch_add(1, std::memory_order_relaxed) == 0) ref();
}

void weir_scope::unref_user() {
  if (users_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (runtime()->forked()) return;  // in the child nothing is to be touched
  want_end();
  unref();
}

void weir_scope::want(std::atomic<bool> &wish) {
  if (!wish.exchange(true, std::memory_order_acq_rel)) post();
}

void weir_scope::post() {
  if (posted_.exchange(true, std::memory_order_acq_rel)) return;
  ref();
  runtime()->post(task_);
}

void weir_scope::run_step(weir_runtime &, weir::Task &task) {
  weir_scope *scope = static_cast<ScopeTask &>(task).scope;
  scope->posted_.store(false, std::memory_order_release);
  scope->step();
  scope->unref();
}

// ---- who is in it ----

bool weir_scope::admit() {
  if ((calls_.fetch_add(1, std::memory_order_acq_rel) & sealed) == 0) return true;
  unadmit();
  return false;
}

void weir_scope::unadmit() {
  if (calls_.fetch_sub(1, std::memory_order_acq_rel) - 1 == sealed) post();
}

void weir_scope::run_settled(weir_call &run) {
  using Node = weir::ListNode<weir_call, weir::OfScope>;
  if (static_cast<Node &>(run).linked()) {
    running_.remove(&run);
    lingering_.push_back(&run);
  }
  unadmit();
}

void weir_scope::run_over(weir_call &run) {
  using Node = weir::ListNode<weir_call, weir::OfScope>;
  if (!static_cast<Node &>(run).linked()) return;
  lingering_.remove(&run);
  if (phase() == Phase::draining && lingering_.empty()) post();
}

// Who seals the parent looks for children after that: either it finds this one, or this finds it
// sealed.
bool weir_scope::join_parent() {
  if (!joins_) return true;
  if (!parent_->admit()) return false;
  bool joined;
  {
    Lock lock(parent_->mutex_);
    joined = (parent_->calls_.load(std::memory_order_acquire) & sealed) == 0;
    if (joined) parent_->children_.push_back(this);
  }
  if (!joined) parent_->unadmit();
  return joined;
}

void weir_scope::leave_parent() {
  if (!joins_) return;
  {
    Lock lock(parent_->mutex_);
    parent_->children_.remove(this);
  }
  parent_->unadmit();
}

// Children cannot end meanwhile: that is done on this thread.
void weir_scope::wish_for_children(void (weir_scope::*wish)()) {
  Lock lock(mutex_);
  for (weir_scope *child = children_.front(); child != nullptr; child = children_.next(child)) {
    (child->*wish)();
  }
}

// ---- the end ----

void weir_scope::step() {
  if (phase() == Phase::ended) return;
  if (phase() == Phase::open && end_.load(std::memory_order_acquire)) begin_end();
  if (runtime()->life() >= Life::grace && phase() != Phase::open) {
    abandon();
    return;
  }
  if (cancel_.load(std::memory_order_acquire)) cancel_some();
  bool left = calls_.load(std::memory_order_acquire) != sealed;
  if (phase() == Phase::joining && !left) drain();
  if (phase() == Phase::draining && lingering_.empty()) {
    runtime()->wheel().disarm(timer_);
    set_phase(Phase::closing);
  }
  if (phase() == Phase::closing) close_next();
}

void weir_scope::begin_end() {
  ref();
  set_phase(Phase::joining);
  calls_.fetch_or(sealed, std::memory_order_acq_rel);
  runtime()->expect(1);
  if (runtime()->life() < Life::grace) runtime()->at_close(hook_);
  wish_for_children(&weir_scope::want_end);
  if (exit_ == WEIR_SCOPE_CANCEL) cancel_.store(true, std::memory_order_release);
  if (exit_ == WEIR_SCOPE_GRACE) arm_grace();
}

void weir_scope::cancel_some() {
  if (!cancelled_.exchange(true, std::memory_order_relaxed)) {
    calls_.fetch_or(sealed, std::memory_order_acq_rel);
    wish_for_children(&weir_scope::want_cancel);
  }
  for (int i = 0; i < weir::cancels_a_step && !running_.empty(); ++i) {
    running_.front()->stop(WEIR_ECANCELLED, WEIR_CANCEL_CALLER);
  }
  if (!running_.empty()) post();
}

void weir_scope::arm_grace() {
  if (grace_ns_ == weir::never_ns) return;
  weir_runtime &engine = *runtime();
  engine.wheel().disarm(timer_);
  engine.wheel().arm(timer_, weir::deadline_after(engine.now_to_arm(grace_ns_), grace_ns_));
}

void weir_scope::drain() {
  runtime()->wheel().disarm(timer_);
  set_phase(Phase::draining);
  if (!lingering_.empty()) arm_grace();
}

void weir_scope::grace_over(weir_runtime &, weir::Timer &timer) {
  weir_scope &scope = *static_cast<ScopeTimer &>(timer).scope;
  if (scope.phase() == Phase::joining) {
    scope.want_cancel();
    return;
  }
  scope.report_leaks();
  scope.set_phase(Phase::closing);
  scope.post();
}

void weir_scope::report_leaks() {
  int told = 0;
  uint64_t count = 0;
  for (weir_call *run = lingering_.front(); run != nullptr; run = lingering_.next(run)) {
    ++count;
    if (++told > weir::leaks_told) continue;
    const char *name = run->request().name;
    log("'%s' goes on though it was told to stop", name == nullptr ? "" : name);
  }
  leaked_.store(count, std::memory_order_relaxed);
  if (told <= weir::leaks_told) return;
  char more[32];
  weir::TextWriter(more, sizeof(more)).print("%d more go on", told - weir::leaks_told);
  log("%s", more);
}

void weir_scope::close_next() {
  if (closing_ != nullptr) return;
  Resource *last = resources_.back();
  if (last == nullptr) {
    finish();
    return;
  }
  if (runtime()->life() != Life::open) return;  // the close hook ends it
  resources_.remove(last);
  closing_ = last;
  weir::publish_run(*last->closing);
}

void weir_scope::closed_one(void *data, weir_call *, const weir_outcome *outcome) {
  auto *resource = static_cast<Resource *>(data);
  weir_scope &scope = *resource->scope;
  scope.closing_ = nullptr;
  resource->closing = nullptr;
  if (outcome->channel != WEIR_CHANNEL_VALUE) {
    weir_error *error =
        outcome->error != nullptr ? outcome->error : weir::bare_error(outcome->status);
    if (scope.close_error_ == nullptr) scope.close_error_ = weir::ref_error(error);
    scope.log("closing a resource failed: %s", weir_status_name(outcome->status));
  }
  scope.forget(*resource);
  scope.post();
}

void weir_scope::finish() {
  weir_runtime &engine = *runtime();
  engine.wheel().disarm(timer_);
  engine.forget_close(hook_);
  engine.expect(-1);
  set_phase(Phase::ended);
  while (ScopeJoiner *joiner = joiners_.pop_front()) {
    joiner->scope = nullptr;
    joiner->ended(*joiner);
  }
  leave_parent();
  unref();
}

void weir_scope::runtime_closes(weir::CloseHook &hook) {
  static_cast<ScopeHook &>(hook).scope->abandon();
}

// The runtime has closed and all runs have settled. What is still open stays so.
void weir_scope::abandon() {
  while (Resource *resource = resources_.pop_front()) {
    log("the runtime closed before a resource was%s", "");
    forget(*resource);
  }
  finish();
}

bool weir_scope::join(ScopeJoiner &joiner) {
  if (ended()) return true;
  joiner.scope = this;
  joiners_.push_back(&joiner);
  want_end();
  return false;
}

void weir_scope::leave_joiner(ScopeJoiner &joiner) {
  if (joiner.scope == nullptr) return;
  joiner.scope->joiners_.remove(&joiner);
  joiner.scope = nullptr;
}

// ---- resources ----

weir_status weir_scope::reserve(weir_operation &close, const char *key, Resource *&out) {
  if (phase() >= Phase::closing) return WEIR_ECLOSED;
  auto *resource = heap()->make<Resource>();
  if (resource == nullptr) return WEIR_ENOMEM;
  resource->scope = this;
  ref();
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.scope = this;
  weir_status status =
      weir::reserve_run(close, options, {closed_one, resource, nullptr}, resource->closing);
  if (status == WEIR_OK && key != nullptr) {
    resource->entry = make_entry(key);
    if (resource->entry == nullptr) status = WEIR_ENOMEM;
  }
  if (status == WEIR_OK) {
    out = resource;
  } else {
    discard(*resource);
  }
  return status;
}

void weir_scope::opened(Resource &resource, weir_value *value) {
  weir::set_input(*resource.closing, value);
  if (resource.entry != nullptr) {
    resource.entry->value = weir::ref_value(value);
    put(resource.entry);
    resource.entry = nullptr;
  }
  resources_.push_back(&resource);
  open_resources_.fetch_add(1, std::memory_order_relaxed);
}

// It was opened and is closed now, or never will be.
void weir_scope::forget(Resource &resource) {
  open_resources_.fetch_sub(1, std::memory_order_relaxed);
  discard(resource);
}

void weir_scope::discard(Resource &resource) {
  if (resource.closing != nullptr) weir::discard_run(*resource.closing);
  if (resource.entry != nullptr) free_entry(resource.entry);
  heap()->destroy(&resource);
  unref();
}

// ---- telling ----

void weir_scope::write_path(char *buffer, size_t size, const char *subject) const {
  const char *names[weir::max_nesting + 1];
  uint32_t count = 0;
  if (subject != nullptr) names[count++] = subject;
  for (const weir_scope *scope = this; scope != nullptr; scope = scope->parent_) {
    if (scope->name()[0] != '\0') names[count++] = scope->name();
  }
  weir::TextWriter text(buffer, size);
  while (count-- > 0) text.print("%s%s", names[count], count == 0 ? "" : "/");
}

void weir_scope::log(const char *format, const char *text) const {
  char path[weir::scope_path_size];
  char message[weir::scope_path_size];
  write_path(path, sizeof(path));
  std::snprintf(message, sizeof(message), format, text);
  runtime()->log_line(WEIR_LOG_WARNING, path, message);
}

void weir_scope::get_stats(weir_scope_stats &stats) const {
  switch (phase()) {
    case Phase::open:
      stats.state = WEIR_SCOPE_OPEN;
      break;
    case Phase::joining:
    case Phase::draining:
      stats.state = WEIR_SCOPE_ENDING;
      break;
    case Phase::closing:
      stats.state = WEIR_SCOPE_CLOSING;
      break;
    case Phase::ended:
      stats.state = WEIR_SCOPE_ENDED;
      break;
  }
  stats.cancelled = cancelled_.load(std::memory_order_relaxed) ? 1 : 0;
  stats.resources = open_resources_.load(std::memory_order_relaxed);
  stats.calls = calls_.load(std::memory_order_relaxed) & ~sealed;
  stats.leaked = leaked_.load(std::memory_order_relaxed);
}
