// SPDX-License-Identifier: MIT
//
//   signal   when                                  then
//   start                                          inner
//   result   success, ignored, abandoned           outer, unchanged
//            failure or refusal, a value is there  outer, with the value
//            otherwise                             its operation as a child; wait
//   wake     the child has ended                   outer, with what it brought
//   stop                                           stop the child
//
// Invariants: while the child runs, the run's result is what failed: the child's attempts see it.
// The child is held from its end to the wake.

#include "policy/fallback.hh"

#include "base/counter.hh"
#include "base/text.hh"
#include "engine/child.hh"
#include "engine/error.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {
namespace {

struct FallbackState : Layer {
  weir_fallback &policy() const { return *static_cast<weir_fallback *>(owner); }
  const FallbackOptions &options() const { return set->options; }

  LiveOptions<FallbackOptions>::Set *set;  // what this run goes by
  weir_call *child;                        // lent while it runs, held once it has ended; nullable
  bool ended;
};

void fallback_done(Layer &parent, weir_call &child) {
  auto &state = static_cast<FallbackState &>(parent);
  child.hold();
  state.ended = true;
  parent.run->wake_later(state);
}

void tell_fallback(weir_call &run, const FallbackState &state) {
  weir_runtime &runtime = run.runtime();
  if (!runtime.tells()) return;
  weir_event event = {};
  event.kind = WEIR_EVENT_FALLBACK;
  event.name = state.owner->name();
  event.policy = &state.policy();
  event.status = run.result().status;
  runtime.emit(event);
}

Next leave_fallback(FallbackState &state) {
  state.set->leave(state.run->runtime());
  return Next::outer;
}

// Without memory for the operation what failed stays the outcome.
Next begin_fallback(weir_call &run, FallbackState &state) {
  ChildStart start = {state.options().operation};
  start.input = run.request().input;
  start.index = run.request().index;
  start.failed = &run.view();
  state.ended = false;
  state.child = start_child(state, fallback_done, start);
  if (state.child != nullptr) return Next::wait;
  count_one(state.policy().failed);
  run.result().stop_reason = WEIR_STOP_NO_MEMORY;
  return leave_fallback(state);
}

__attribute__((cold)) Next fall_back(weir_call &run, FallbackState &state) {
  count_one(state.policy().fell_back);
  tell_fallback(run, state);
  if (state.options().operation != nullptr) return begin_fallback(run, state);
  run.result().set_value(ref_value(state.options().value));
  return leave_fallback(state);
}

Next judge_inside(weir_call &run, FallbackState &state) {
  const FallbackOptions &options = state.options();
  uint32_t class_ = options.classifier.judge(run.view());
  if (options.judges) run.runtime().user_ran();
  bool steps_in = class_ == WEIR_CLASS_FAILURE || class_ == WEIR_CLASS_REFUSAL;
  return steps_in ? fall_back(run, state) : leave_fallback(state);
}

Next on_inside(weir_call &run, FallbackState &state) {
  const Result &result = run.result();
  bool is_plain_value = result.channel == WEIR_CHANNEL_VALUE && result.class_ == WEIR_CLASS_NONE;
  bool passes = is_plain_value && !state.options().judges;
  return passes ? leave_fallback(state) : judge_inside(run, state);
}

// The operation's error with what failed before as its cause.
void blame(Heap *heap, Result &result, weir_error *first) {
  if (result.channel != WEIR_CHANNEL_ERROR) return;
  weir_error *blamed = copy_error(heap, *result.error, nullptr, first);
  if (blamed == nullptr) return;
  unref_error(result.error);
  result.error = blamed;
}

__attribute__((cold)) Next end_fallback(weir_call &run, FallbackState &state) {
  weir_call *child = state.child;
  state.child = nullptr;
  if (child->result().channel != WEIR_CHANNEL_VALUE) count_one(state.policy().failed);
  Heap *heap = state.owner->heap();
  weir_error *first = failure_of(heap, run.result());
  run.adopt(*child);
  child->unhold();
  blame(heap, run.result(), first);
  unref_error(first);
  return leave_fallback(state);
}

__attribute__((cold)) void stop_fallback(weir_call &run, FallbackState &state) {
  weir_call::forget(state);
  weir_call *child = state.child;
  state.child = nullptr;
  if (child != nullptr && state.ended) child->unhold();
  if (child != nullptr && !state.ended) stop_child(*child, run.stop_reason());
  leave_fallback(state);
}

Next fallback_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<FallbackState &>(layer);
  switch (signal) {
    case Signal::start:
      count_one(state.policy().started);
      state.set = state.policy().live.take();
      state.child = nullptr;
      return Next::inner;
    case Signal::result:
      return on_inside(run, state);
    case Signal::wake:
      return end_fallback(run, state);
    case Signal::stop:
      stop_fallback(run, state);
      break;
    case Signal::timer:
      break;
  }
  return Next::wait;
}

void describe_fallback(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &state = static_cast<const FallbackState &>(layer);
  TextWriter(buffer, size)
      .print("fallback '%s': %s", layer.owner->name(),
             state.child == nullptr ? "its inside" : "its operation");
}

constexpr weir_fallback_options fallback_defaults = WEIR_FALLBACK_OPTIONS_INIT;

void check_fallback(Check &check, const weir_fallback_options &options,
                    const weir_runtime *runtime) {
  weir_operation *operation = options.operation;
  check.range("has_value", options.has_value, 0, 1)
      .rule(options.has_value != 0 || operation != nullptr,
            "operation is required, or has_value must be 1")
      .rule(options.has_value == 0 || operation == nullptr,
            "operation must be NULL with has_value 1")
      .rule(options.has_value != 0 || options.value == nullptr,
            "value must be NULL with has_value 0");
  check_failures(check, options.failures, options.failures_count);
  if (!check.ok() || operation == nullptr) return;
  check.rule(operation->runtime() == runtime, "operation must be of the same runtime");
}

using FallbackSet = LiveOptions<FallbackOptions>::Set;

// NULL without memory.
FallbackSet *make_fallback_set(Heap *heap, const weir_fallback_options &options,
                               Callback<weir_classify_fn> &&classify) {
  auto *set = heap->make<FallbackSet>(heap, options);
  if (set == nullptr) return nullptr;
  if (set->options.classifier.set(heap, std::move(classify), options.failures,
                                  options.failures_count)) {
    return set;
  }
  set->end();
  return nullptr;
}

// A value counts as an operation that runs no others, so that one can take its place.
uint32_t nesting_of(const weir_fallback_options &options) {
  return options.operation == nullptr ? 1 : options.operation->nesting + 1;
}

}  // namespace

constinit const LayerType fallback_layer = {"fallback",    layer_size(sizeof(FallbackState)),
                                            fallback_step, describe_fallback,
                                            false,         WEIR_POLICY_FALLBACK};

FallbackOptions::FallbackOptions(const weir_fallback_options &options)
    : value(ref_value(options.value)),
      operation(ref_handle(options.operation)),
      judges(options.classify != nullptr) {}

FallbackOptions::~FallbackOptions() {
  unref_value(value);
  unref_handle(operation);
}

}  // namespace weir

void weir_fallback_options_init(weir_fallback_options *options, size_t size) {
  weir::init_options(options, size, weir::fallback_defaults);
}

weir_status weir_fallback_new(weir_runtime *runtime, const weir_fallback_options *given,
                              weir_fallback **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_fallback_options options = weir::fallback_defaults;
  weir_status status = weir::read_options(options, given, "fallback", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_classify_fn> classify(options.classify, options.classify_data,
                                            options.classify_free_data);
  weir::Check check("fallback", heap, error);
  check.required("runtime", runtime).required("out", out);
  weir::check_fallback(check, options, runtime);
  if (!check.ok()) return check.status();
  weir::check_nesting(check, weir::nesting_of(options));
  if (!check.ok()) return check.status();
  auto *fallback = weir::make_handle<weir_fallback>(heap, runtime);
  weir::FallbackSet *set = nullptr;
  if (fallback != nullptr && fallback->set_name(options.name)) {
    set = weir::make_fallback_set(heap, options, std::move(classify));
  }
  if (set != nullptr) {
    fallback->nesting = weir::nesting_of(options);
    fallback->live.begin(set);
    if (weir::publish(*fallback, weir::Metered::fallback)) {
      *out = fallback;
      return WEIR_OK;
    }
  }
  weir::unref_handle(fallback);
  return weir::report_no_memory(error, heap, "fallback");
}

weir_status weir_fallback_set_options(weir_fallback *fallback, const weir_fallback_options *given,
                                      weir_error **error) {
  weir::Heap *heap = weir::heap_of(fallback);
  weir_fallback_options options = weir::fallback_defaults;
  weir_status status = weir::read_new_options(options, given, "fallback", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_classify_fn> classify(options.classify, options.classify_data,
                                            options.classify_free_data);
  weir::Check check("fallback", heap, error);
  check.required("fallback", fallback)
      .rule(options.name == nullptr, "name cannot change (must be NULL)");
  weir::check_fallback(check, options, fallback == nullptr ? nullptr : fallback->runtime());
  if (!check.ok()) return check.status();
  // What was made with it counted on this depth.
  check.rule(weir::nesting_of(options) <= fallback->nesting,
             "operation must not nest deeper than the first one did (%u, at most %u)",
             weir::nesting_of(options), fallback->nesting);
  if (!check.ok()) return check.status();
  if (fallback->runtime()->forked()) {
    return weir::report_status(error, heap, WEIR_EFORKED, "fallback");
  }
  auto *set = weir::make_fallback_set(heap, options, std::move(classify));
  if (set == nullptr) return weir::report_no_memory(error, heap, "fallback");
  fallback->live.replace(*fallback->runtime(), set);
  return WEIR_OK;
}

weir_fallback *weir_fallback_ref(weir_fallback *fallback) { return weir::ref_handle(fallback); }

void weir_fallback_unref(weir_fallback *fallback) { weir::unref_handle(fallback); }

weir_policy *weir_fallback_policy(weir_fallback *fallback) { return fallback; }

weir_status weir_fallback_get_stats(weir_fallback *fallback, weir_fallback_stats *stats) {
  if (fallback == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_fallback_stats filled = {};
  filled.started = fallback->started.load(std::memory_order_relaxed);
  filled.fell_back = fallback->fell_back.load(std::memory_order_relaxed);
  filled.failed = fallback->failed.load(std::memory_order_relaxed);
  return weir::write_sized(stats, filled);
}
