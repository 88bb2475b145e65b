// SPDX-License-Identifier: MIT
//
// An operation that runs a body in a scope of its own:
//
//   phase    signal   does                                              answers
//            start    makes the scope, starts the body in it            wait; outer without memory
//   body     wake     the body has settled: asks for the scope's end    wait; outer if it has ended
//            timer    the deadline: body stopped, scope cancelled       as wake
//            stop     body stopped, scope cancelled; it ends by itself  -
//   ending   wake     the scope has ended                               outer, with what the body
//                                                                       brought
//            stop     scope cancelled; it goes on ending                -
//
// and one that joins a scope: it begins in the phase `ending`.

#include "base/text.hh"
#include "base/time.hh"
#include "engine/child.hh"
#include "engine/error.hh"
#include "engine/operation.hh"
#include "engine/scope.hh"
#include "flow/scope.hh"

namespace weir {
namespace {

struct ScopeOperation : weir_operation {
  ScopeOperation(weir_operation &inner, const LayerType *type, const weir_scope_options &given)
      : weir_operation(inner.runtime(), end_handle<ScopeOperation>, type),
        body(ref_handle(&inner)),
        exit(given.exit),
        deadline_ns(ms_to_ns(given.deadline_ms)),
        grace_ns(ms_to_ns(given.grace_ms)) {
    nesting = inner.nesting + 1;
  }
  ~ScopeOperation() {
    body->unref();
    unref_error(timed_out);
  }

  weir_operation *body;
  uint32_t exit;
  int64_t deadline_ns;  // how long
  int64_t grace_ns;
  weir_error *timed_out = nullptr;
};

struct JoinOperation : weir_operation {
  JoinOperation(weir_scope &joined, const LayerType *type)
      : weir_operation(joined.runtime(), end_handle<JoinOperation>, type), scope(&joined) {
    scope->ref();
  }
  ~JoinOperation() { scope->unref(); }

  weir_scope *scope;
};

// The leaf of both. All behind Layer is set by start.
struct ScopeLeaf : Layer, ScopeJoiner {
  weir_scope *joined;
  weir_call *body;  // NULL: it has settled, or there is none
  bool ending;
  int64_t outer_deadline_ns;

  void reset(weir_scope *of) {
    new (static_cast<ScopeJoiner *>(this)) ScopeJoiner();
    joined = of;
    body = nullptr;
    ending = false;
  }
};

void scope_ended(ScopeJoiner &joiner) {
  auto &leaf = static_cast<ScopeLeaf &>(joiner);
  leaf.run->wake_later(leaf);
}

// The scope has ended: what came of closing shows if nothing worse did.
Next show_end(weir_call &run, const ScopeLeaf &leaf) {
  weir_error *failure = leaf.joined->close_error();
  if (failure == nullptr || run.result().channel != WEIR_CHANNEL_VALUE) return Next::outer;
  run.result().set_error(ref_error(failure));
  return Next::outer;
}

Next begin_join(weir_call &run, ScopeLeaf &leaf) {
  leaf.ending = true;
  leaf.ended = scope_ended;
  return leaf.joined->join(leaf) ? show_end(run, leaf) : Next::wait;
}

// ---- a body in a scope of its own ----

const ScopeOperation &operation_of(const ScopeLeaf &leaf) {
  return *static_cast<const ScopeOperation *>(leaf.owner);
}

void body_done(Layer &parent, weir_call &child) {
  auto &leaf = static_cast<ScopeLeaf &>(parent);
  leaf.body = nullptr;
  leaf.run->adopt(child);
  leaf.run->wake_later(leaf);
}

[[gnu::cold]] Next fail_scope(weir_call &run, ScopeLeaf &leaf, weir_status status) {
  if (leaf.joined != nullptr) leaf.joined->unref_user();
  run.result().set_status(status);
  return Next::outer;
}

void end_body(weir_call &run, ScopeLeaf &leaf) {
  run.disarm(leaf);
  run.restore_deadline(leaf.outer_deadline_ns);
}

Next start_scope(weir_call &run, ScopeLeaf &leaf) {
  const ScopeOperation &operation = operation_of(leaf);
  weir_runtime &runtime = run.runtime();
  leaf.reset(nullptr);
  if (runtime.life() != Life::open) return Next::wait;  // about to be stopped
  ScopeSetup setup;
  setup.exit = operation.exit;
  setup.grace_ns = operation.grace_ns;
  setup.parent = run.request().scope;
  setup.joins = run.request().in_scope;
  setup.name = operation.name();
  setup.deadline_ns =
      operation.deadline_ns == never_ns
          ? never_ns
          : deadline_after(runtime.now_to_arm(operation.deadline_ns), operation.deadline_ns);
  if (setup.parent != nullptr && setup.parent->depth() >= max_nesting) {
    return fail_scope(run, leaf, WEIR_EINVAL);
  }
  weir_status status = weir_scope::make(&runtime, setup, leaf.joined);
  if (status != WEIR_OK) return fail_scope(run, leaf, status);
  ChildStart start = {operation.body};
  start.input = run.request().input;
  start.scope = leaf.joined;
  leaf.body = start_child(leaf, body_done, start);
  if (leaf.body == nullptr) return fail_scope(run, leaf, WEIR_ENOMEM);
  run.arm(leaf, setup.deadline_ns);
  leaf.outer_deadline_ns = run.narrow_deadline(setup.deadline_ns);
  return Next::wait;
}

Next leave_scope(weir_call &run, ScopeLeaf &leaf) {
  show_end(run, leaf);
  leaf.joined->unref_user();
  return Next::outer;
}

Next end_scope_of(weir_call &run, ScopeLeaf &leaf) {
  end_body(run, leaf);
  return begin_join(run, leaf) == Next::outer ? leave_scope(run, leaf) : Next::wait;
}

Next wake_scope(weir_call &run, ScopeLeaf &leaf) {
  return leaf.ending ? leave_scope(run, leaf) : end_scope_of(run, leaf);
}

Next scope_deadline(weir_call &run, ScopeLeaf &leaf) {
  if (leaf.body != nullptr) {
    stop_child(*leaf.body, WEIR_CANCEL_DEADLINE);
    leaf.body = nullptr;
    run.result().set_error(ref_error(operation_of(leaf).timed_out));
  }
  weir_call::forget(leaf);
  leaf.joined->want_cancel();
  return end_scope_of(run, leaf);
}

void stop_scope(weir_call &run, ScopeLeaf &leaf) {
  if (leaf.joined == nullptr) return;
  if (!leaf.ending) end_body(run, leaf);
  if (leaf.body != nullptr) stop_child(*leaf.body, run.stop_reason());
  weir_call::forget(leaf);
  weir_scope::leave_joiner(leaf);
  leaf.joined->want_cancel();
  leaf.joined->unref_user();
}

Next scope_step(weir_call &run, Layer &layer, Signal signal) {
  auto &leaf = static_cast<ScopeLeaf &>(layer);
  switch (signal) {
    case Signal::start:
      return start_scope(run, leaf);
    case Signal::wake:
      // A runtime that closes is about to stop it.
      return run.runtime().life() == Life::open ? wake_scope(run, leaf) : Next::wait;
    case Signal::timer:
      return scope_deadline(run, leaf);
    case Signal::stop:
      stop_scope(run, leaf);
      break;
    case Signal::result:
      break;
  }
  return Next::wait;
}

void describe_scope(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &leaf = static_cast<const ScopeLeaf &>(layer);
  TextWriter(buffer, size)
      .print("scope '%s': %s", layer.owner->name(), leaf.ending ? "its end" : "its body");
}

constinit const LayerType scope_layer = {"scope", layer_size(sizeof(ScopeLeaf)), scope_step,
                                         describe_scope};

// ---- joining ----

// Also what only sees the scope's values: a closing operation that waited for the end of the scope
// it closes for would keep that from coming, as would a load that somebody in the scope waits for.
bool runs_inside(const RunRequest &request, const weir_scope *scope) {
  const weir_scope *around = request.scope;
  while (around != nullptr && around != scope) around = around->parent();
  return around != nullptr;
}

Next start_join(weir_call &run, ScopeLeaf &leaf) {
  leaf.reset(static_cast<JoinOperation *>(leaf.owner)->scope);
  run.result().set_value(nullptr);
  if (!runs_inside(run.request(), leaf.joined)) return begin_join(run, leaf);
  weir_error *error = nullptr;
  report(&error, leaf.owner->heap(), WEIR_EINVAL, "scope '%s' cannot be joined from inside",
         leaf.joined->name());
  run.result().set_error(error);
  return Next::outer;
}

Next join_step(weir_call &run, Layer &layer, Signal signal) {
  auto &leaf = static_cast<ScopeLeaf &>(layer);
  if (signal == Signal::start) return start_join(run, leaf);
  if (signal == Signal::wake) return show_end(run, leaf);
  if (signal == Signal::stop) {
    weir_call::forget(leaf);
    weir_scope::leave_joiner(leaf);
  }
  return Next::wait;
}

constinit const LayerType join_layer = {"join", layer_size(sizeof(ScopeLeaf)), join_step,
                                        describe_scope};

weir_status give(weir_operation *made, bool complete, const char *what, Heap *heap,
                 weir_operation **out, weir_error **error) {
  if (made != nullptr && complete) {
    *out = made;
    return WEIR_OK;
  }
  unref_handle(made);
  return report_no_memory(error, heap, what);
}

bool name_scope_operation(ScopeOperation &operation, const weir_scope_options &options) {
  if (!operation.set_name(options.name)) return false;
  bool named = operation.name()[0] != '\0';
  report(&operation.timed_out, operation.heap(), WEIR_ETIMEDOUT,
         "scope%s%s%s timed out after %lld ms", named ? " '" : "", operation.name(),
         named ? "'" : "", static_cast<long long>(options.deadline_ms));
  return true;
}

}  // namespace
}  // namespace weir

weir_status weir_scope_operation(weir_operation *body, const weir_scope_options *given,
                                 weir_operation **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(body);
  weir_scope_options options;
  weir_status status = weir::read_scope_options(options, given, heap, error);
  if (status != WEIR_OK) return status;
  weir::Check check("scope", heap, error);
  check.required("body", body)
      .required("out", out)
      .rule(options.parent == nullptr, "parent must be NULL: the run's scope is the parent");
  if (!check.ok()) return check.status();
  weir::check_nesting(check, body->nesting + 1);
  if (!check.ok()) return check.status();
  auto *made = weir::make_handle<weir::ScopeOperation>(heap, *body, &weir::scope_layer, options);
  bool complete = made != nullptr && weir::name_scope_operation(*made, options);
  return weir::give(made, complete, "scope", heap, out, error);
}

weir_status weir_scope_join(weir_scope *scope, weir_operation **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(scope);
  weir::Check check("scope", heap, error);
  check.required("scope", scope).required("out", out);
  if (!check.ok()) return check.status();
  auto *made = weir::make_handle<weir::JoinOperation>(heap, *scope, &weir::join_layer);
  bool complete = made != nullptr && made->set_name(scope->name());
  return weir::give(made, complete, "scope", heap, out, error);
}
