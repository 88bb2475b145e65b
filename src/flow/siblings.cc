// SPDX-License-Identifier: MIT
#include "flow/siblings.hh"

#include <algorithm>

#include "base/text.hh"
#include "engine/policy.hh"
#include "engine/runtime.hh"

namespace weir {

namespace {

// Children that one step starts at most.
constexpr uint32_t start_batch = 64;

void stop_children(Siblings &state, uint32_t reason) {
  while (weir_call *child = state.children.pop_front()) stop_child(*child, reason);
  state.running = 0;
}

void drop(Siblings &state) {
  weir_call::forget(state);
  const Pattern &pattern = *state.operation().pattern;
  if (pattern.leave != nullptr) pattern.leave(state);
  unref_value(state.list);
  unref_value(state.carried);
  unref_error(state.aggregate);
  state.list = state.carried = nullptr;
  state.aggregate = nullptr;
}

// ---- a child ends ----

void judge_ending(Siblings &state, const Ending &ending) {
  ++state.ended;
  state.operation().pattern->ended(state, ending);
  if (state.decided || state.running == 0 || !state.exhausted) go_on_later(state);
}

void child_ended(Layer &parent, weir_call &child) {
  auto &state = static_cast<Siblings &>(parent);
  state.children.remove(&child);
  --state.running;
  judge_ending(state, {child.request().index, &child.result(), &child});
}

[[gnu::cold]] void end_unstarted(Siblings &state, uint64_t index, weir_error *error) {
  Result result;
  result.set_error(ref_error(error));
  if (result.status == WEIR_ENOMEM) result.stop_reason = WEIR_STOP_NO_MEMORY;
  judge_ending(state, {index, &result, nullptr});
}

// ---- starting ----

void start_sibling(Siblings &state, const NextChild &next) {
  ChildStart start = {next.operation, state.operation().policy, next.input, state.started++};
  weir_call *child = next.error == nullptr ? start_child(state, child_ended, start) : nullptr;
  if (child != nullptr) {
    state.children.push_back(child);
    ++state.running;
  } else {
    end_unstarted(state, start.index, next.error == nullptr ? bare_error(WEIR_ENOMEM) : next.error);
  }
}

// Starts one child, if there is one; false if there is none now.
bool start_next(Siblings &state) {
  NextChild next;
  switch (state.operation().next(state, next)) {
    case Supply::item:
      break;
    case Supply::none:
      return false;
    case Supply::end:
      state.exhausted = true;
      state.total = state.started;
      return false;
  }
  // A result that has no place yet, and gets none, ends the run.
  if (state.list == nullptr || extend_list(state.list, state.started)) {
    start_sibling(state, next);
  } else {
    decide_no_memory(state);
  }
  if (next.gives_input) unref_value(next.input);
  if (next.gives_operation) next.operation->unref();
  return true;
}

void start_some(Siblings &state) {
  uint64_t most = state.operation().concurrency;
  for (uint32_t i = 0; i < state.batch; ++i) {
    if (state.decided || state.exhausted || state.running >= most || !start_next(state)) return;
  }
  state.batch = std::min(2 * state.batch, start_batch);
  go_on_later(state);
}

Next go_on(Siblings &state) {
  weir_call &run = *state.run;
  if (run.runtime().life() != Life::open) return Next::wait;  // about to be stopped
  if (!state.decided) start_some(state);
  bool over = state.exhausted && state.running == 0;
  if (!state.decided && !over) return Next::wait;
  if (!state.decided) state.operation().pattern->complete(state);
  drop(state);
  return Next::outer;
}

Next begin_siblings(Siblings &state) {
  new (&state.children) List<weir_call, OfParent>();
  state.running = state.started = state.ended = 0;
  state.exhausted = state.decided = state.asking = false;
  state.list = state.carried = nullptr;
  state.aggregate = nullptr;
  state.total = UINT64_MAX;
  state.batch = 1;
  if (state.operation().pattern->begin(state)) return go_on(state);
  drop(state);
  return Next::outer;
}

}  // namespace

Next siblings_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<Siblings &>(layer);
  switch (signal) {
    case Signal::start:
      return begin_siblings(state);
    case Signal::wake:
      return go_on(state);
    case Signal::stop:
      stop_children(state, run.stop_reason());
      drop(state);
      break;
    default:
      break;
  }
  return Next::wait;
}

void describe_siblings(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &state = static_cast<const Siblings &>(layer);
  TextWriter(buffer, size)
      .print("%s%s%s: %llu of its operations run, %llu have ended", layer.type->name,
             layer.owner->name()[0] == '\0' ? "" : " ", layer.owner->name(),
             static_cast<unsigned long long>(state.running),
             static_cast<unsigned long long>(state.ended));
}

void go_on_later(Siblings &state) { state.run->wake_later(state); }

void decide(Siblings &state) {
  state.decided = true;
  stop_children(state, WEIR_CANCEL_LOST);
}

void decide_no_memory(Siblings &state) {
  state.run->result().set_status(WEIR_ENOMEM);
  state.run->result().stop_reason = WEIR_STOP_NO_MEMORY;
  decide(state);
}

void decide(Siblings &state, const Ending &ending) {
  if (ending.child != nullptr) {
    state.run->adopt(*ending.child);
  } else {
    state.run->result() = static_cast<Result &&>(*ending.result);
  }
  decide(state);
}

bool start_beside(Siblings &state, ChildDone done, const ChildStart &start) {
  weir_call *child = start_child(state, done, start);
  if (child != nullptr) state.children.push_back(child);
  return child != nullptr;
}

void ended_beside(Siblings &state, weir_call &child) { state.children.remove(&child); }

Supply next_operation(Siblings &state, NextChild &child) {
  const SiblingsOperation &operation = state.operation();
  if (state.started == operation.count) return Supply::end;
  child.operation = operation.operations[state.started];
  child.input = state.run->request().input;
  return Supply::item;
}

// ---- making one ----

SiblingsOperation::~SiblingsOperation() {
  for (size_t i = 0; i < count; ++i) operations[i]->unref();
  if (operations != nullptr) heap()->free(operations, count * sizeof(weir_operation *));
  unref_handle(policy);
}

bool SiblingsOperation::set_operations(weir_operation *const *given, size_t given_count) {
  if (given_count == 0) return true;
  void *memory = heap()->allocate(given_count * sizeof(weir_operation *));
  if (memory == nullptr) return false;
  operations = static_cast<weir_operation **>(memory);
  count = given_count;
  for (size_t i = 0; i < count; ++i) {
    operations[i] = ref_handle(given[i]);
    nest(given[i]->nesting);
  }
  return true;
}

void SiblingsOperation::nest(uint32_t inner_nesting) {
  nesting = std::max(nesting, inner_nesting + 1);
}

void check_operations(Check &check, weir_runtime *runtime, weir_operation *const *operations,
                      size_t count, size_t least) {
  constexpr size_t most = size_t{1} << 30;
  check.required("runtime", runtime)
      .rule(operations != nullptr || count == 0, "operations must not be NULL")
      .rule(count >= least, "count must be at least %zu (got %zu)", least, count)
      .rule(count <= most, "count must be at most %zu (got %zu)", most, count);
  for (size_t i = 0; check.ok() && i < count; ++i) {
    check.rule(operations[i] != nullptr, "operations[%zu] must not be NULL", i);
    if (!check.ok()) return;
    check.rule(operations[i]->runtime() == runtime, "operations[%zu] must be of the same runtime",
               i);
    check_nesting(check, operations[i]->nesting + 1);
  }
}

weir_status hand_out(SiblingsOperation *made, bool complete, weir_operation **out, Heap *heap,
                     const char *subject, weir_error **error) {
  if (complete) {
    *out = made;
    return WEIR_OK;
  }
  unref_handle(made);
  return report_no_memory(error, heap, subject);
}

}  // namespace weir
