// SPDX-License-Identifier: MIT
//
// waterfall: siblings one after the other. The value of each is carried to the next as its input,
// from the last one outwards; a failure is the outcome, with an error that names the step.

#include <weir/waterfall.h>

#include "base/text.hh"
#include "flow/siblings.hh"

namespace weir {
namespace {

// A step's message is cut off beyond this.
constexpr size_t step_text = 512;

bool begin_waterfall(Siblings &state) {
  state.total = state.operation().count;
  state.carried = ref_value(state.run->request().input);
  return true;
}

Supply next_step(Siblings &state, NextChild &child) {
  Supply supply = next_operation(state, child);
  child.input = state.carried;
  return supply;
}

// Without memory the step's own error has to do.
[[gnu::cold]] void name_step(const Siblings &state, uint64_t index) {
  Result &result = state.run->result();
  if (result.error == nullptr) return;
  char text[step_text];
  unsigned long long step = index + 1;
  TextWriter(text, sizeof(text))
      .print("step %llu of %zu failed: %s", step, state.operation().count,
             weir_error_message(result.error));
  weir_error *named = copy_error(state.owner->heap(), *result.error, text, result.error);
  if (named == nullptr) return;
  unref_error(result.error);
  result.error = named;
}

void step_ended(Siblings &state, const Ending &ending) {
  Result &result = *ending.result;
  if (!succeeded(result)) {
    decide(state, ending);
    name_step(state, ending.index);
    return;
  }
  unref_value(state.carried);
  state.carried = result.value;
  result.value = nullptr;
}

void complete_waterfall(Siblings &state) {
  state.run->result().set_value(state.carried);
  state.carried = nullptr;
}

constexpr Pattern waterfall_pattern = {siblings_layer("waterfall"), begin_waterfall, step_ended,
                                       complete_waterfall, nullptr};

struct Waterfall : SiblingsOperation {
  explicit Waterfall(weir_runtime *runtime)
      : SiblingsOperation(runtime, end_handle<Waterfall>, waterfall_pattern) {
    next = next_step;
    concurrency = 1;
  }
};

}  // namespace
}  // namespace weir

weir_status weir_waterfall_new(weir_runtime *runtime, weir_operation *const *operations,
                               size_t count, const char *name, weir_operation **out,
                               weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir::Check check("waterfall", heap, error);
  check.required("out", out);
  if (check.ok()) weir::check_operations(check, runtime, operations, count, 0);
  if (!check.ok()) return check.status();
  auto *waterfall = weir::make_handle<weir::Waterfall>(heap, runtime);
  bool complete = waterfall != nullptr && waterfall->set_name(name) &&
                  waterfall->set_operations(operations, count);
  return weir::hand_out(waterfall, complete, out, heap, "waterfall", error);
}
