// SPDX-License-Identifier: MIT
//
// An operation that opens a resource in the scope of its run.
//
//   signal   does                                                     answers
//   start    reserves all that closing needs, starts `open`           wait; outer if that fails
//   wake     open has settled (and is registered if it succeeded)     outer, with its outcome
//   stop     open stopped; what is not registered is discarded        -

#include "base/text.hh"
#include "engine/child.hh"
#include "engine/error.hh"
#include "engine/operation.hh"
#include "engine/scope.hh"
#include "flow/scope.hh"

namespace weir {
namespace {

struct ResourceOperation : weir_operation {
  ResourceOperation(weir_operation &opener, weir_operation &closer, const LayerType *type)
      : weir_operation(opener.runtime(), end_handle<ResourceOperation>, type),
        open(ref_handle(&opener)),
        close(ref_handle(&closer)) {
    nesting = opener.nesting + 1;
  }
  ~ResourceOperation() {
    open->unref();
    close->unref();
    heap()->free_text(key);
  }

  weir_operation *open;
  weir_operation *close;
  char *key = nullptr;
};

// All behind Layer is set by start.
struct ResourceLeaf : Layer {
  weir_call *open;     // NULL: it has settled
  Resource *resource;  // NULL: registered, or given up
};

void open_done(Layer &parent, weir_call &child) {
  auto &leaf = static_cast<ResourceLeaf &>(parent);
  weir_call &run = *leaf.run;
  weir_scope &scope = *leaf.resource->scope;
  leaf.open = nullptr;
  run.adopt(child);
  if (run.result().channel == WEIR_CHANNEL_VALUE) {
    scope.opened(*leaf.resource, run.result().value);
  } else {
    scope.discard(*leaf.resource);
  }
  leaf.resource = nullptr;
  run.wake_later(leaf);
}

[[gnu::cold]] Next fail_resource(weir_call &run, const ResourceLeaf &leaf, weir_status status) {
  weir_error *error = nullptr;
  if (status == WEIR_EINVAL) {
    report(&error, leaf.owner->heap(), status, "resource: it is opened outside of a scope");
  } else {
    error = bare_error(status);
  }
  run.result().set_error(error);
  return Next::outer;
}

Next start_resource(weir_call &run, ResourceLeaf &leaf) {
  const auto &operation = *static_cast<const ResourceOperation *>(leaf.owner);
  const RunRequest &request = run.request();
  leaf.open = nullptr;
  leaf.resource = nullptr;
  if (run.runtime().life() != Life::open) return Next::wait;  // about to be stopped
  if (!request.in_scope) return fail_resource(run, leaf, WEIR_EINVAL);
  weir_status status = request.scope->reserve(*operation.close, operation.key, leaf.resource);
  if (status != WEIR_OK) return fail_resource(run, leaf, status);
  ChildStart start = {operation.open};
  start.input = request.input;
  leaf.open = start_child(leaf, open_done, start);
  if (leaf.open != nullptr) return Next::wait;
  request.scope->discard(*leaf.resource);
  return fail_resource(run, leaf, WEIR_ENOMEM);
}

void stop_resource(weir_call &run, ResourceLeaf &leaf) {
  if (leaf.open != nullptr) stop_child(*leaf.open, run.stop_reason());
  if (leaf.resource != nullptr) leaf.resource->scope->discard(*leaf.resource);
  weir_call::forget(leaf);
}

Next resource_step(weir_call &run, Layer &layer, Signal signal) {
  auto &leaf = static_cast<ResourceLeaf &>(layer);
  switch (signal) {
    case Signal::start:
      return start_resource(run, leaf);
    case Signal::wake:
      return Next::outer;
    case Signal::stop:
      stop_resource(run, leaf);
      break;
    case Signal::result:
    case Signal::timer:
      break;
  }
  return Next::wait;
}

void describe_resource(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const char *key = static_cast<const ResourceOperation *>(layer.owner)->key;
  TextWriter(buffer, size).print("resource '%s': its opening", key == nullptr ? "" : key);
}

constinit const LayerType resource_layer = {"resource", layer_size(sizeof(ResourceLeaf)),
                                            resource_step, describe_resource};

}  // namespace
}  // namespace weir

weir_status weir_scope_resource(weir_operation *open, weir_operation *close, const char *key,
                                weir_operation **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(open);
  weir::Check check("resource", heap, error);
  check.required("open", open).required("close", close).required("out", out);
  weir::check_scope_key(check, key);
  if (!check.ok()) return check.status();
  check.rule(open->runtime() == close->runtime(), "close must be of the same runtime as open");
  weir::check_nesting(check, open->nesting + 1);
  if (!check.ok()) return check.status();
  auto *made =
      weir::make_handle<weir::ResourceOperation>(heap, *open, *close, &weir::resource_layer);
  bool ok = made != nullptr;
  if (ok) made->key = heap->copy_text(key, ok);
  if (ok) {
    *out = made;
    return WEIR_OK;
  }
  weir::unref_handle(made);
  return weir::report_no_memory(error, heap, "resource");
}
