// SPDX-License-Identifier: MIT
//
// all and all_settled: a parallel of operations, as many at once as there are.

#include <weir/all.h>

#include "flow/siblings_collect.hh"

namespace weir {
namespace {

bool begin_all(Siblings &state) {
  state.total = state.operation().count;
  return begin_items(state);
}

constexpr Pattern all_pattern = {siblings_layer("all"), begin_all, item_ended, complete_items,
                                 nullptr};
constexpr Pattern all_settled_pattern = {siblings_layer("all_settled"), begin_all, item_ended,
                                         complete_items, nullptr};

weir_status new_all(const Pattern &pattern, weir_runtime *runtime,
                    weir_operation *const *operations, size_t count, const char *name,
                    weir_operation **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  Heap *heap = heap_of(runtime);
  Check check(pattern.layer.name, heap, error);
  check.required("out", out);
  if (check.ok()) check_operations(check, runtime, operations, count, 0);
  if (!check.ok()) return check.status();
  auto *all = make_handle<Collector>(heap, runtime, end_handle<Collector>, pattern);
  bool complete = all != nullptr && all->set_name(name) && all->set_operations(operations, count);
  if (complete) {
    all->stop_on_error = &pattern == &all_pattern;
    all->next = next_operation;
  }
  return hand_out(all, complete, out, heap, pattern.layer.name, error);
}

}  // namespace
}  // namespace weir

weir_status weir_all_new(weir_runtime *runtime, weir_operation *const *operations, size_t count,
                         const char *name, weir_operation **out, weir_error **error) {
  return weir::new_all(weir::all_pattern, runtime, operations, count, name, out, error);
}

weir_status weir_all_settled_new(weir_runtime *runtime, weir_operation *const *operations,
                                 size_t count, const char *name, weir_operation **out,
                                 weir_error **error) {
  return weir::new_all(weir::all_settled_pattern, runtime, operations, count, name, out, error);
}
