// SPDX-License-Identifier: MIT
//
// The layer around a shared run:
//
//   signal   when                                         then
//   start    timer armed, run's deadline narrowed         inner
//   result   the work is done                             outer, unchanged
//   timer    it took too long: inside stopped             outer, WEIR_ETIMEDOUT
//   stop     abandoned, or the runtime closes             let go of the timer
//
// It is the outermost layer of its run, so the deadline it has narrowed is nobody's afterwards.

#include "cache/shared_run.hh"

#include "base/time.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"

namespace weir {

void SharedKey::join(SharedWaiter &waiter) {
  waiter.key = this;
  waiters.push_back(&waiter);
  ++worker->waiting;
}

uint32_t SharedKey::tell(const weir_outcome &outcome) {
  uint32_t told = 0;
  while (SharedWaiter *waiter = waiters.pop_front()) {
    waiter->key = nullptr;
    --worker->waiting;
    ++told;
    waiter->tell(*waiter, outcome);
  }
  return told;
}

void SharedWaiter::leave() {
  if (key == nullptr) return;
  SharedRun &worker = *key->worker;
  key->waiters.remove(this);
  key = nullptr;
  if (--worker.waiting > 0 || worker.kept) return;
  worker.kind->abandoned(worker);
  worker.run->cancel();
}

SharedPolicy::~SharedPolicy() { unref_error(timed_out); }

SharedPolicy *SharedPolicy::make(weir_runtime *runtime, const LayerType *type, int64_t timeout_ns,
                                 const char *subject, const char *name) {
  auto *policy = make_handle<SharedPolicy>(runtime->heap(), runtime, type);
  if (policy == nullptr || timeout_ns == never_ns) return policy;
  policy->timeout_ns = timeout_ns;
  bool named = name != nullptr && name[0] != '\0';
  report(&policy->timed_out, runtime->heap(), WEIR_ETIMEDOUT, "%s%s%s%s timed out after %lld ms",
         subject, named ? " '" : "", named ? name : "", named ? "'" : "",
         static_cast<long long>(timeout_ns / ns_per_ms));
  return policy;
}

namespace {

SharedPolicy &policy_of(const SharedRun &shared) {
  return *static_cast<SharedPolicy *>(shared.owner);
}

Next begin_shared(weir_call &run, SharedRun &shared) {
  int64_t timeout_ns = policy_of(shared).timeout_ns;
  int64_t deadline_ns = never_ns;
  if (timeout_ns != never_ns) {
    deadline_ns = deadline_after(run.runtime().now_to_arm(timeout_ns), timeout_ns);
    run.arm(shared, deadline_ns);
  }
  run.narrow_deadline(deadline_ns);
  return Next::inner;
}

Next time_out_shared(weir_call &run, SharedRun &shared) {
  run.stop_inside(shared, WEIR_CANCEL_TIMEOUT);
  run.result().set_error(ref_error(policy_of(shared).timed_out));
  return Next::outer;
}

// The one place where all ends meet: done, timed out, abandoned, closed, also before it began.
void shared_settled(void *, weir_call *call, const weir_outcome *outcome) {
  auto &shared = static_cast<SharedRun &>(call->layer(0));
  shared.kind->settled(shared, *outcome);
}

}  // namespace

Next shared_run_step(weir_call &run, Layer &layer, Signal signal) {
  auto &shared = static_cast<SharedRun &>(layer);
  switch (signal) {
    case Signal::start:
      return begin_shared(run, shared);
    case Signal::timer:
      return time_out_shared(run, shared);
    case Signal::result:
      run.disarm(shared);
      return Next::outer;
    case Signal::stop:
      run.disarm(shared);
      break;
    case Signal::wake:
      break;
  }
  return Next::wait;
}

weir_status start_shared(const SharedStart &start, SharedRun *&started) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = start.policy;
  options.input = start.input;
  options.key = start.key;
  options.key_size = start.key_size;
  options.context = start.first->context;
  options.permits = start.first->permits;
  options.priority = start.first->priority;
  options.name = start.first->name;
  options.scope = start.first->scope;  // it only sees its values
  weir_call *call = nullptr;
  weir_status status = run_inside(*start.operation, options, shared_settled, call);
  if (status != WEIR_OK) return status;
  started = static_cast<SharedRun *>(&call->layer(0));
  started->kind = start.kind;
  started->waiting = 0;
  started->kept = false;
  return WEIR_OK;
}

namespace {

void tell_run(SharedWaiter &waiter, const weir_outcome &outcome) {
  auto &leaf = static_cast<RunWaiter &>(waiter);
  leaf.run->share(outcome);
  leaf.run->wake_later(leaf);
}

}  // namespace

void RunWaiter::reset() { new (static_cast<SharedWaiter *>(this)) SharedWaiter(tell_run); }

Next run_waiter_step(RunWaiter &waiter, Signal signal) {
  if (signal == Signal::wake) return Next::outer;
  if (signal == Signal::stop) {
    waiter.leave();
    weir_call::forget(waiter);
  }
  return Next::wait;
}

weir_status check_work(weir_operation *group, weir_operation *work, const WorkNames &names,
                       weir_error **error) {
  Check check(names.group, heap_of(group), error);
  check.rule(group != nullptr, "%s must not be NULL", names.group)
      .rule(work != nullptr, "%s must not be NULL", names.work);
  if (!check.ok()) return check.status();
  return check
      .rule(work->runtime() == group->runtime(), "%s must be of the same runtime", names.work)
      .status();
}

weir_status bind_operation(weir_operation *group, const LayerType *type, weir_operation *work,
                           const WorkNames &names, weir_operation **out, weir_error **error) {
  if (out == nullptr) {
    Heap *heap = heap_of(group);
    return Check(names.group, heap, error).required("out", out).status();
  }
  *out = nullptr;
  weir_status status = check_work(group, work, names, error);
  if (status != WEIR_OK) return status;
  auto *bound = make_handle<BoundOperation>(group->heap(), *group, type, *work);
  if (bound == nullptr || !bound->set_name(group->name())) {
    unref_handle(bound);
    return report_no_memory(error, group->heap(), names.group);
  }
  *out = bound;
  return WEIR_OK;
}

}  // namespace weir
