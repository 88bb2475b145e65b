// SPDX-License-Identifier: MIT
//
// Operations made from start functions, blocking functions and completion queues: three leaves that
// differ in how an attempt begins.

#include "engine/operation.hh"

#include <algorithm>
#include <utility>

#include "base/text.hh"
#include "base/time.hh"
#include "engine/blocking.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {
namespace {

// ---- the leaf that all three share ----
//
//   signal   does                                              answers
//   start    reserves and starts an attempt                    wait; outer if it completed inline,
//                                                              or could not be had
//   wake     the attempt's completion arrived                  outer
//   stop     tells the attempt                                 -

struct LeafState : Layer {
  Attempt *attempt;
};

struct UserOperation : weir_operation {
  UserOperation(weir_runtime *runtime, const LayerType *type, Callback<weir_start_fn> &&start_fn)
      : weir_operation(runtime, end_handle<UserOperation>, type),
        start(static_cast<Callback<weir_start_fn> &&>(start_fn)) {}
  Callback<weir_start_fn> start;
};

struct BlockingOperation : weir_operation {
  BlockingOperation(weir_runtime *runtime, const LayerType *type,
                    Callback<weir_blocking_fn> &&blocking_fn)
      : weir_operation(runtime, end_handle<BlockingOperation>, type),
        function(static_cast<Callback<weir_blocking_fn> &&>(blocking_fn)) {}
  Callback<weir_blocking_fn> function;
};

struct QueuedOperation : weir_operation {
  QueuedOperation(weir_completions &target, const LayerType *type, uint8_t kind, uint64_t user_word)
      : weir_operation(target.runtime(), end_handle<QueuedOperation>, type),
        queue(ref_handle(&target)),
        user(user_word),
        record_kind(kind) {}
  ~QueuedOperation() { queue->unref(); }
  weir_completions *queue;
  uint64_t user;
  uint8_t record_kind;
};

int64_t remaining(const weir_call &run) {
  int64_t deadline = run.deadline();
  if (deadline == never_ns) return never_ns;
  int64_t left = deadline - run.runtime().now();
  return left < 0 ? 0 : left;
}

weir_attempt describe(const weir_call &run, const Attempt &attempt) {
  const RunRequest &request = run.request();
  return {sizeof(weir_attempt),
          run.attempts(),
          attempt.token(),
          &run.runtime(),
          request.input,
          request.context,
          remaining(run),
          nullptr,
          nullptr,
          nullptr,
          request.key,
          request.key_size,
          request.index,
          request.failed,
          request.scope,
          request.shared,
          0u};
}

[[gnu::cold]] Next no_memory(weir_call &run) {
  run.result().set_status(WEIR_ENOMEM);
  run.result().stop_reason = WEIR_STOP_NO_MEMORY;
  return Next::outer;
}

// Starts the reserved attempt, or answers that there is none: out of memory.
Attempt *begin_attempt(weir_call &run, LeafState &state) {
  Attempt *attempt = run.take_attempt();
  state.attempt = attempt;
  if (attempt == nullptr) {
    no_memory(run);
    return nullptr;
  }
  attempt->run = &run;
  attempt->leaf = state.index;
  attempt->obligation = run.obligation();
  run.note_attempt();
  run.runtime().attempt_started(*attempt);
  return attempt;
}

// The attempt's result becomes the run's.
Next finish_attempt(weir_call &run, LeafState &state) {
  Attempt *attempt = state.attempt;
  run.result() = static_cast<Result &&>(attempt->result);
  run.note_status(run.result().status);
  run.runtime().attempt_over(*attempt);
  return Next::outer;
}

Next stop_attempt(weir_call &run, LeafState &state) {
  if (state.attempt == nullptr) return Next::wait;
  run.note_status(run.stop_reason() == WEIR_CANCEL_TIMEOUT ? WEIR_ETIMEDOUT : WEIR_ECANCELLED);
  run.runtime().cancel_attempt(*state.attempt, run.stop_reason());
  return Next::wait;
}

// A closing runtime starts nothing more: the run, let in by another's end, is about to be stopped.
template <Next (*begin)(weir_call &, LeafState &)>
Next start_unless_closing(weir_call &run, Layer &layer) {
  auto &state = static_cast<LeafState &>(layer);
  state.attempt = nullptr;
  return run.runtime().life() == Life::open ? begin(run, state) : Next::wait;
}

// ---- user's start function ----

Next start_user(weir_call &run, LeafState &state) {
  Attempt *attempt = begin_attempt(run, state);
  if (attempt == nullptr) return Next::outer;
  weir_runtime &runtime = run.runtime();
  weir_attempt shown = describe(run, *attempt);
  runtime.begin_start(*attempt);
  static_cast<UserOperation *>(state.owner)->start(&shown);
  bool completed = runtime.end_start();
  attempt->on_cancel = shown.on_cancel;
  attempt->data = shown.data;
  attempt->free_data = shown.free_data;
  return completed ? finish_attempt(run, state) : Next::wait;
}

Next user_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<LeafState &>(layer);
  switch (signal) {
    case Signal::start:
      return start_unless_closing<start_user>(run, layer);
    case Signal::wake:
      return finish_attempt(run, state);
    case Signal::stop:
      return stop_attempt(run, state);
    default:
      return Next::wait;
  }
}

void describe_leaf(const weir_call &, const Layer &, char *buffer, size_t size) {
  TextWriter(buffer, size).print("operation: completion");
}

// ---- START or ASK record ----

uint64_t user_of(const QueuedOperation &operation, const RunRequest &request) {
  if (operation.user != WEIR_USER_OF_RUN) return operation.user;
  return reinterpret_cast<uintptr_t>(request.context);
}

// What the host may ask for and the run does not keep so long, or changes (weir_attempt_get). False
// without memory.
bool keep_shown(const weir_call &run, LeafState &state, KeptOutcome *&failed) {
  failed = nullptr;
  if (run.request().failed == nullptr) return true;
  failed = state.owner->heap()->make<KeptOutcome>();
  if (failed != nullptr) failed->keep(*run.request().failed);
  return failed != nullptr;
}

void free_kept(Heap *heap, KeptOutcome *failed) {
  if (failed == nullptr) return;
  failed->give_back();
  heap->destroy(failed);
}

Next start_queued(weir_call &run, LeafState &state) {
  KeptOutcome *failed;
  if (!keep_shown(run, state, failed)) return no_memory(run);
  Attempt *attempt = begin_attempt(run, state);
  if (attempt == nullptr) {
    free_kept(state.owner->heap(), failed);
    return Next::outer;
  }
  auto *operation = static_cast<QueuedOperation *>(state.owner);
  attempt->queue = ref_handle(operation->queue);
  attempt->number = run.attempts();
  attempt->deadline_ns = run.deadline();
  attempt->failed = failed;
  weir_record &start = attempt->start_record.content;
  start.kind = operation->record_kind;
  start.user = user_of(*operation, run.request());
  start.object = attempt->token();
  start.detail = reinterpret_cast<uintptr_t>(ref_value(run.request().input));
  start.number = static_cast<uint16_t>(std::min<uint32_t>(run.attempts(), UINT16_MAX));
  attempt->cancel_record.content = start;
  attempt->cancel_record.content.kind = WEIR_RECORD_CANCEL;
  attempt->cancel_record.content.detail = 0;
  operation->queue->post(attempt->start_record);
  return Next::wait;
}

[[gnu::cold]] Next queued_step(weir_call &run, Layer &layer, Signal signal) {
  if (signal == Signal::start) return start_unless_closing<start_queued>(run, layer);
  return user_step(run, layer, signal);
}

// ---- blocking function ----

struct BlockingAttempt : BlockingWork {
  weir_runtime *runtime;
  Callback<weir_blocking_fn> *function;
  weir_attempt shown;
  // What shown.failed points to, for the run may settle while the function still looks at it.
  KeptOutcome failed;
};

// What the function may look at stays until end_shown().
void begin_shown(BlockingAttempt &attempt) {
  ref_value(attempt.shown.input);
  if (attempt.shown.failed == nullptr) return;
  attempt.failed.keep(*attempt.shown.failed);
  attempt.shown.failed = &attempt.failed.outcome;
}

void end_shown(const BlockingAttempt &attempt) {
  unref_value(attempt.shown.input);
  if (attempt.shown.failed != nullptr) attempt.failed.give_back();
}

// On a thread of the pool.
[[gnu::cold]] void do_blocking(BlockingWork &work) {
  auto &attempt = static_cast<BlockingAttempt &>(work);
  weir_value *value = nullptr;
  weir_error *error = nullptr;
  weir_status status = (*attempt.function)(&attempt.shown, &value, &error);
  Result result;
  if (status == WEIR_OK) {
    result.set_value(value);
    unref_error(error);
  } else {
    unref_value(value);
    result.set_error(error != nullptr ? error : bare_error(status));
  }
  end_shown(attempt);
  attempt.runtime->complete(attempt.shown.token, static_cast<Result &&>(result));
}

// On the engine's thread, after do_blocking or instead of it.
[[gnu::cold]] void end_blocking(BlockingWork &work) {
  auto &attempt = static_cast<BlockingAttempt &>(work);
  weir_runtime *runtime = attempt.runtime;
  runtime->heap()->destroy(&attempt);
  runtime->release_shell();
}

[[gnu::cold]] Next start_blocking(weir_call &run, LeafState &state) {
  weir_runtime &runtime = run.runtime();
  auto *work = runtime.heap()->make<BlockingAttempt>();
  Attempt *attempt = work == nullptr ? nullptr : begin_attempt(run, state);
  if (attempt == nullptr) {
    runtime.heap()->destroy(work);
    return no_memory(run);
  }
  work->work = do_blocking;
  work->done = end_blocking;
  work->runtime = &runtime;
  work->function = &static_cast<BlockingOperation *>(state.owner)->function;
  work->shown = describe(run, *attempt);
  begin_shown(*work);
  runtime.retain_shell();
  if (runtime.driver()->type->submit(*runtime.driver(), *work) == WEIR_OK) return Next::wait;
  end_shown(*work);
  weir_token token = work->shown.token;
  end_blocking(*work);
  Result failure;
  failure.set_status(WEIR_ENOMEM);
  failure.stop_reason = WEIR_STOP_NO_MEMORY;
  runtime.complete(token, static_cast<Result &&>(failure));
  return Next::wait;
}

[[gnu::cold]] Next blocking_step(weir_call &run, Layer &layer, Signal signal) {
  if (signal == Signal::start) return start_unless_closing<start_blocking>(run, layer);
  return user_step(run, layer, signal);
}

constexpr LayerType user_type = {"operation", layer_size(sizeof(LeafState)), user_step,
                                 describe_leaf, true};
constexpr LayerType queued_type = {"operation", layer_size(sizeof(LeafState)), queued_step,
                                   describe_leaf, true};
constexpr LayerType blocking_type = {"operation", layer_size(sizeof(LeafState)), blocking_step,
                                     describe_leaf, true};

template <typename T, typename... Args>
weir_status make_operation(Heap *heap, weir_operation **out, weir_error **error, Args &&...args) {
  *out = make_handle<T>(heap, std::forward<Args>(args)...);
  if (*out != nullptr) return WEIR_OK;
  return report_no_memory(error, heap, "operation");
}

}  // namespace

void Attempt::start_drained(Record &record, bool) {
  Attempt *attempt = static_cast<AttemptRecord &>(record).attempt;
  Result closed;
  closed.set_status(WEIR_ECLOSED);
  unref_value(reinterpret_cast<weir_value *>(static_cast<uintptr_t>(record.content.detail)));
  attempt->run->runtime().complete(record.content.object, static_cast<Result &&>(closed));
}

}  // namespace weir

using weir::Check;
using weir::Heap;

[[gnu::cold]] weir_operation::weir_operation(weir_runtime *runtime, EndFn end,
                                             const weir::LayerType *type)
    : Handle(runtime, end), single{type, this, 0} {
  plan = {&single, 1, type == nullptr ? 0 : type->state_size};
}

[[gnu::cold]] weir_status weir_operation_new(weir_runtime *runtime, weir_start_fn start, void *data,
                                             weir_free_fn free_data, weir_operation **out,
                                             weir_error **error) {
  weir::Callback<weir_start_fn> callback(start, data, free_data);
  if (out != nullptr) *out = nullptr;
  Heap *heap = weir::heap_of(runtime);
  Check check("operation", heap, error);
  check.required("runtime", runtime).required("start", start).required("out", out);
  if (!check.ok()) return check.status();
  return weir::make_operation<weir::UserOperation>(
      heap, out, error, runtime, &weir::user_type,
      static_cast<weir::Callback<weir_start_fn> &&>(callback));
}

[[gnu::cold]] weir_status weir_operation_new_blocking(weir_runtime *runtime,
                                                      weir_blocking_fn function, void *data,
                                                      weir_free_fn free_data, weir_operation **out,
                                                      weir_error **error) {
  weir::Callback<weir_blocking_fn> callback(function, data, free_data);
  if (out != nullptr) *out = nullptr;
  Heap *heap = weir::heap_of(runtime);
  Check check("operation", heap, error);
  check.required("runtime", runtime).required("function", function).required("out", out);
  if (!check.ok()) return check.status();
  if (runtime->driver()->type->submit == nullptr) {
    return weir::report(error, heap, WEIR_ENOTSUP,
                        "operation: the manual driver has no threads for blocking functions");
  }
  return weir::make_operation<weir::BlockingOperation>(
      heap, out, error, runtime, &weir::blocking_type,
      static_cast<weir::Callback<weir_blocking_fn> &&>(callback));
}

namespace weir {
namespace {

weir_status new_queued(weir_completions *queue, uint8_t kind, uint64_t user, weir_operation **out,
                       weir_error **error) {
  if (out != nullptr) *out = nullptr;
  Heap *heap = heap_of(queue);
  Check check("operation", heap, error);
  check.required("queue", queue).required("out", out);
  if (!check.ok()) return check.status();
  return make_operation<QueuedOperation>(heap, out, error, *queue, &queued_type, kind, user);
}

}  // namespace
}  // namespace weir

[[gnu::cold]] weir_status weir_operation_new_queued(weir_completions *queue, uint64_t user,
                                                    weir_operation **out, weir_error **error) {
  return weir::new_queued(queue, WEIR_RECORD_START, user, out, error);
}

[[gnu::cold]] weir_status weir_operation_new_asked(weir_completions *queue, uint64_t user,
                                                   weir_operation **out, weir_error **error) {
  return weir::new_queued(queue, WEIR_RECORD_ASK, user, out, error);
}

weir_operation *weir_operation_ref(weir_operation *operation) {
  return weir::ref_handle(operation);
}

void weir_operation_unref(weir_operation *operation) { weir::unref_handle(operation); }
