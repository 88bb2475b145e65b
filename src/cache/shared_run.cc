// SPDX-License-Identifier: MIT
//
// The layer around a shared run that has a timeout:
//
//   signal   when                                         then
//   start    timer armed, run's deadline narrowed         inner
//   result   the work is done                             outer, unchanged
//   timer    it took too long: inside stopped             outer, WEIR_ETIMEDOUT
//   stop     abandoned, or the runtime closes             let go of the timer
//
// It is the outermost layer of its run, so the deadline it has narrowed is nobody's afterwards.

#include "cache/shared_run.hh"

#include <cstring>

#include "base/time.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/scope.hh"
#include "engine/value.hh"

namespace weir {

uint32_t SharedKey::tell(const weir_outcome &outcome, weir_call *giver) {
  uint32_t told = 0;
  while (SharedWaiter *waiter = waiters.pop_front()) {
    waiter->key = nullptr;
    --worker->waiting;
    ++told;
    waiter->tell(*waiter, outcome, waiters.empty() ? giver : nullptr);
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
  worker.abandoned = true;
  if (worker.run != nullptr) worker.run->cancel();
}

// ---- the timeout ----

namespace {

SharedPolicy &policy_of(const Layer &layer) { return *static_cast<SharedPolicy *>(layer.owner); }

Next begin_shared(weir_call &run, Layer &layer) {
  int64_t timeout_ns = policy_of(layer).timeout_ns;
  int64_t deadline_ns = deadline_after(run.runtime().now_to_arm(timeout_ns), timeout_ns);
  run.arm(layer, deadline_ns);
  run.narrow_deadline(deadline_ns);
  return Next::inner;
}

Next time_out_shared(weir_call &run, Layer &layer) {
  run.stop_inside(layer, WEIR_CANCEL_TIMEOUT);
  run.result().set_error(ref_error(policy_of(layer).timed_out));
  return Next::outer;
}

[[gnu::cold]] Next shared_step(weir_call &run, Layer &layer, Signal signal) {
  switch (signal) {
    case Signal::start:
      return begin_shared(run, layer);
    case Signal::timer:
      return time_out_shared(run, layer);
    case Signal::result:
      run.disarm(layer);
      return Next::outer;
    case Signal::stop:
      run.disarm(layer);
      break;
    case Signal::wake:
      break;
  }
  return Next::wait;
}

constexpr LayerType shared_layer = {"shared run", layer_size(sizeof(Layer)), shared_step, nullptr};

}  // namespace

SharedPolicy::SharedPolicy(weir_runtime *runtime)
    : weir_policy(runtime, end_handle<SharedPolicy>, WEIR_POLICY_NONE, &shared_layer) {}

SharedPolicy::~SharedPolicy() { unref_error(timed_out); }

SharedPolicy *SharedPolicy::make(weir_runtime *runtime, int64_t timeout_ns, const char *subject,
                                 const char *name) {
  auto *policy = make_handle<SharedPolicy>(runtime->heap(), runtime);
  if (policy == nullptr || timeout_ns == never_ns) return policy;
  policy->timeout_ns = timeout_ns;
  bool named = name != nullptr && name[0] != '\0';
  report(&policy->timed_out, runtime->heap(), WEIR_ETIMEDOUT, "%s%s%s%s timed out after %lld ms",
         subject, named ? " '" : "", named ? name : "", named ? "'" : "",
         static_cast<long long>(timeout_ns / ns_per_ms));
  return policy;
}

// ---- the work ----

namespace {

// The one place where all ends meet: done, timed out, abandoned, closed, also before it began.
void end_shared(SharedRun &shared, const weir_outcome &outcome) {
  weir_runtime &runtime = *shared.policy->runtime();
  uint32_t size = shared.block_size;
  shared.kind->settled(shared, outcome);
  if (runtime.pool().give(&shared, size, true)) runtime.release_shell();
}

void shared_settled(void *shared, weir_call *, const weir_outcome *outcome) {
  end_shared(*static_cast<SharedRun *>(shared), *outcome);
}

// There is no memory for its run.
[[gnu::cold]] void fail_shared(weir_runtime &runtime, SharedRun &shared) {
  unref_value(shared.request.input);
  if (shared.request.scope != nullptr) shared.request.scope->leave();
  weir_operation *operation = shared.operation;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  outcome.channel = WEIR_CHANNEL_ERROR;
  outcome.status = WEIR_ENOMEM;
  outcome.error = bare_error(WEIR_ENOMEM);
  end_shared(shared, outcome);
  operation->leave();
  runtime.run_over();
}

// False without memory.
bool make_input(SharedRun &shared) {
  if (!shared.key_as_input) return true;
  RunRequest &request = shared.request;
  request.input = make_pooled_bytes(*shared.operation->runtime(), request.key, request.key_size);
  return request.input != nullptr;
}

void begin_shared_run(weir_runtime &runtime, Task &task) {
  auto &shared = static_cast<SharedRun &>(task);
  SharedPolicy *policy = shared.policy->timeout_ns == never_ns ? nullptr : shared.policy;
  weir_call *run = nullptr;
  if (make_input(shared)) {
    run = make_shared({shared.operation, policy, &shared.request, shared.name_size,
                       shared.key_as_input, shared_settled, &shared});
  }
  if (run == nullptr) {
    fail_shared(runtime, shared);
    return;
  }
  shared.run = run;
  if (shared.abandoned) run->cancel();
  run->begin_now();
}

}  // namespace

inline SharedRun::SharedRun(const Kind *which) : Task(begin_shared_run), kind(which) {}

weir_status start_shared(const SharedStart &start, SharedRun *&started) {
  weir_runtime &runtime = *start.operation->runtime();
  const RunRequest &first = *start.first;
  weir_status status = runtime.admit(true);
  if (status != WEIR_OK) return status;
  size_t name_size = first.name == nullptr ? 0 : std::strlen(first.name) + 1;
  uint32_t block =
      BlockPool::block_size(static_cast<uint32_t>(start.kind->size + start.key_size + name_size));
  void *memory = runtime.pool().take(block, true);
  if (memory == nullptr) {
    runtime.unadmit();
    return WEIR_ENOMEM;
  }
  auto *shared = new (memory) SharedRun(start.kind);
  shared->policy = start.policy;
  shared->operation = start.operation;
  shared->block_size = block;
  shared->name_size = static_cast<uint32_t>(name_size);
  shared->key_as_input = start.key_as_input;
  RunRequest &request = shared->request;
  request.context = first.context;
  request.input = ref_value(start.input);
  request.permits = first.permits;
  request.priority = first.priority;
  request.scope = first.scope;  // it only sees its values
  keep_tail(static_cast<char *>(memory) + start.kind->size, request,
            {start.key, start.key_size, first.name, name_size});
  start.operation->enter();
  if (first.scope != nullptr) first.scope->enter();
  runtime.accept(*shared, true);
  started = shared;
  return WEIR_OK;
}

// ---- those who wait ----

void RunWaiter::tell_run(SharedWaiter &waiter, const weir_outcome &outcome, weir_call *giver) {
  auto &leaf = static_cast<RunWaiter &>(waiter);
  leaf.run->share(outcome, giver);
  leaf.run->wake_later(leaf);
}

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
