// SPDX-License-Identifier: MIT
//
// The ways in which a parallel gets its items.

#include "engine/runtime.hh"
#include "flow/siblings_collect.hh"

namespace weir {
namespace {

Collector &each_of(const Siblings &state) { return static_cast<Collector &>(state.operation()); }

// ---- operations ----

bool begin_operations(Siblings &state) {
  state.total = state.operation().count;
  return begin_items(state);
}

constexpr Pattern operations_pattern = {siblings_layer("parallel"), begin_operations, item_ended,
                                        complete_items, nullptr};

// ---- a list of values ----

weir_value *items_of(const Siblings &state) {
  weir_value *items = each_of(state).items;
  return items != nullptr ? items : state.run->request().input;
}

bool begin_list(Siblings &state) {
  const weir_value *items = items_of(state);
  if (weir_value_kind(items) != WEIR_VALUE_LIST) {
    weir_error *error = nullptr;
    report(&error, state.owner->heap(), WEIR_EINVAL, "parallel: the run's input must be a list");
    state.run->result().set_error(error);
    return false;
  }
  state.total = weir_value_count(items);
  return begin_items(state);
}

Supply next_of_list(Siblings &state, NextChild &child) {
  if (state.started == state.total) return Supply::end;
  const weir_value *items = items_of(state);
  child.operation = state.operation().operations[0];
  child.input = weir_value_item(items, state.started);
  child.error = weir_value_item_error(items, state.started);
  return Supply::item;
}

constexpr Pattern list_pattern = {siblings_layer("parallel"), begin_list, item_ended,
                                  complete_items, nullptr};

// ---- pulled ----

constexpr Pattern streamed_pattern = {siblings_layer("parallel"), begin_items, item_ended,
                                      complete_items, nullptr};

Supply pull_item(Siblings &state, NextChild &child) {
  weir_value *item = nullptr;
  weir_error *error = nullptr;
  uint32_t answer = each_of(state).pull(state.started, &item, &error);
  state.run->runtime().user_ran();
  if (answer == WEIR_PULL_ITEM) {
    unref_error(error);
    child.operation = state.operation().operations[0];
    child.input = item;
    child.gives_input = true;
    return Supply::item;
  }
  unref_value(item);
  if (answer == WEIR_PULL_END) {
    unref_error(error);
    return Supply::end;
  }
  state.run->result().set_error(error != nullptr ? error : bare_error(WEIR_EFAILED));
  decide(state);
  return Supply::none;
}

// ---- asked for ----

void source_ended(Layer &parent, weir_call &child) {
  auto &state = static_cast<Siblings &>(parent);
  ended_beside(state, child);
  state.asking = false;
  Result &result = child.result();
  if (!succeeded(result)) {
    decide(state, {state.started, &result, &child});
  } else if (result.value == nullptr) {
    state.exhausted = true;
    state.total = state.started;
  } else {
    state.carried = result.value;
    result.value = nullptr;
  }
  go_on_later(state);
}

Supply ask_source(Siblings &state, NextChild &child) {
  if (state.carried != nullptr) {
    child.operation = state.operation().operations[0];
    child.input = state.carried;
    child.gives_input = true;
    state.carried = nullptr;
    return Supply::item;
  }
  if (state.asking) return Supply::none;
  weir_value *input = state.run->request().input;
  state.asking =
      start_beside(state, source_ended, {each_of(state).source, nullptr, input, state.started});
  if (!state.asking) decide_no_memory(state);
  return Supply::none;
}

// ---- making one ----

constexpr weir_parallel_options parallel_defaults = WEIR_PARALLEL_OPTIONS_INIT;

// What both functions below are given, its callbacks taken.
struct ParallelSetup {
  ItemRules rules;
  ItemListeners listeners;
  Callback<weir_pull_fn> pull;
  weir_operation *source = nullptr;
  weir_value *items = nullptr;
  const Pattern *pattern = &operations_pattern;
  Supply (*next)(Siblings &, NextChild &) = next_operation;

  weir_status read(const weir_parallel_options *given, Heap *heap, weir_error **error);
  // With one operation for all items.
  void choose_source(weir_value *given);
};

weir_status ParallelSetup::read(const weir_parallel_options *given, Heap *heap,
                                weir_error **error) {
  weir_parallel_options options = parallel_defaults;
  weir_status status = read_options(options, given, "parallel", heap, error);
  if (status != WEIR_OK) return status;
  rules = {options.stop_on_error, options.concurrency, options.item_timeout_ms,
           options.policy,        options.name,        options.queue,
           options.user};
  listeners.item = {options.on_item, options.item_data, options.item_free_data};
  listeners.progress = {options.on_progress, options.progress_data, options.progress_free_data};
  pull = {options.pull, options.pull_data, options.pull_free_data};
  source = options.source;
  return WEIR_OK;
}

void ParallelSetup::choose_source(weir_value *given) {
  items = given;
  pattern = pull || source != nullptr ? &streamed_pattern : &list_pattern;
  next = pull ? pull_item : source != nullptr ? ask_source : next_of_list;
}

weir_status make_parallel(ParallelSetup &setup, weir_runtime *runtime,
                          weir_operation *const *operations, size_t count, weir_operation **out,
                          weir_error **error) {
  Heap *heap = runtime->heap();
  auto *made = make_handle<Collector>(heap, runtime, end_handle<Collector>, *setup.pattern);
  if (made != nullptr) {
    made->next = setup.next;
    made->pull = static_cast<Callback<weir_pull_fn> &&>(setup.pull);
    made->source = ref_handle(setup.source);
    made->items = ref_value(setup.items);
    if (setup.source != nullptr) made->nest(setup.source->nesting);
    weir_status status = made->set_rules(
        setup.rules, static_cast<ItemListeners &&>(setup.listeners), "parallel", error);
    if (status != WEIR_OK) {
      made->unref();
      return status;
    }
  }
  bool complete = made != nullptr && made->set_operations(operations, count);
  return hand_out(made, complete, out, heap, "parallel", error);
}

void check_sources(Check &check, const ParallelSetup &setup, const weir_operation &operation,
                   const weir_value *items) {
  int sources =
      (items != nullptr ? 1 : 0) + (setup.pull ? 1 : 0) + (setup.source != nullptr ? 1 : 0);
  check.rule(sources <= 1, "items, pull and source exclude each other")
      .rule(items == nullptr || items->kind == WEIR_VALUE_LIST, "items must be a list");
  if (setup.source == nullptr || !check.ok()) return;
  check.rule(setup.source->runtime() == operation.runtime(),
             "source must be of the operation's runtime");
  check_nesting(check, setup.source->nesting + 1);
}

}  // namespace
}  // namespace weir

void weir_parallel_options_init(weir_parallel_options *options, size_t size) {
  weir::init_options(options, size, weir::parallel_defaults);
}

weir_status weir_parallel_new(weir_runtime *runtime, weir_operation *const *operations,
                              size_t count, const weir_parallel_options *options,
                              weir_operation **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir::ParallelSetup setup;
  weir_status status = setup.read(options, heap, error);
  if (status != WEIR_OK) return status;
  weir::Check check("parallel", heap, error);
  check.required("out", out)
      .rule(!setup.pull, "pull must be NULL beside a list of operations")
      .rule(setup.source == nullptr, "source must be NULL beside a list of operations");
  if (check.ok()) weir::check_operations(check, runtime, operations, count, 0);
  if (check.ok()) weir::check_items(check, runtime, setup.rules, setup.listeners);
  for (size_t i = 0; check.ok() && i < count; ++i) {
    weir::check_around(check, setup.rules.policy, *operations[i]);
  }
  if (!check.ok()) return check.status();
  return weir::make_parallel(setup, runtime, operations, count, out, error);
}

weir_status weir_parallel_new_each(weir_operation *operation, weir_value *items,
                                   const weir_parallel_options *options, weir_operation **out,
                                   weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir_runtime *runtime = operation == nullptr ? nullptr : operation->runtime();
  weir::Heap *heap = weir::heap_of(runtime);
  weir::ParallelSetup setup;
  weir_status status = setup.read(options, heap, error);
  if (status != WEIR_OK) return status;
  setup.choose_source(items);
  weir::Check check("parallel", heap, error);
  check.required("operation", operation).required("out", out);
  if (!check.ok()) return check.status();
  weir::check_operations(check, runtime, &operation, 1, 1);
  weir::check_sources(check, setup, *operation, items);
  weir::check_items(check, runtime, setup.rules, setup.listeners);
  if (check.ok()) weir::check_around(check, setup.rules.policy, *operation);
  if (!check.ok()) return check.status();
  return weir::make_parallel(setup, runtime, &operation, 1, out, error);
}
