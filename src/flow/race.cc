// SPDX-License-Identifier: MIT
//
// race and any: the first success is the outcome. A failure is listed in the aggregate, and when
// all have failed that are waited for, the aggregate is the outcome.
//
//   a racer settles        as           then
//   first_settled          anything     it is the outcome
//   any racer              a success    it is the outcome
//   decisive               a failure    it is the outcome
//   not decisive           a failure    listed; the aggregate if it was the last not decisive one

#include <weir/any.h>
#include <weir/race.h>

#include <cstring>

#include "flow/siblings.hh"

namespace weir {
namespace {

struct Race : SiblingsOperation {
  Race(weir_runtime *runtime, const Pattern &rules)
      : SiblingsOperation(runtime, end_handle<Race>, rules) {
    next = next_operation;
  }
  ~Race() {
    if (decisive != nullptr) heap()->free(decisive, count);
  }
  bool complete(weir_operation *const *given, size_t given_count, const weir_race_options &options);

  bool first_settled = false;
  uint8_t *decisive = nullptr;  // a flag for each racer; NULL: none is
  size_t awaited = 0;           // racers that are not decisive
};

const Race &race_of(const Siblings &state) { return static_cast<const Race &>(state.operation()); }

bool begin_race(Siblings &state) {
  const Race &race = race_of(state);
  if (race.first_settled || race.awaited == 0) return true;
  state.aggregate = make_aggregate(race.heap(), static_cast<uint32_t>(race.awaited));
  if (state.aggregate == nullptr) decide_no_memory(state);
  return state.aggregate != nullptr;
}

void racer_ended(Siblings &state, const Ending &ending) {
  const Race &race = race_of(state);
  bool decisive =
      race.first_settled || (race.decisive != nullptr && race.decisive[ending.index] != 0);
  if (decisive || succeeded(*ending.result)) {
    decide(state, ending);
    return;
  }
  const Result &failure = *ending.result;
  add_failure(*state.aggregate,
              failure.channel == WEIR_CHANNEL_STOPPED ? bare_error(failure.status)
                                                      : failure_of(race.heap(), failure),
              ending.index);
  if (state.aggregate->item_count < race.awaited) return;
  complete_aggregate(*state.aggregate);
  state.run->result().set_error(state.aggregate);
  state.aggregate = nullptr;
  decide(state);
}

// When the last has ended, that was decided.
constexpr Pattern race_pattern = {siblings_layer("race"), begin_race, racer_ended, nullptr,
                                  nullptr};
constexpr Pattern any_pattern = {siblings_layer("any"), begin_race, racer_ended, nullptr, nullptr};

bool Race::complete(weir_operation *const *given, size_t given_count,
                    const weir_race_options &options) {
  if (!set_name(options.name) || !set_operations(given, given_count)) return false;
  first_settled = options.first_settled != 0;
  awaited = given_count;
  if (options.decisive == nullptr) return true;
  decisive = static_cast<uint8_t *>(heap()->allocate(count));
  if (decisive == nullptr) return false;
  std::memcpy(decisive, options.decisive, count);
  for (size_t i = 0; i < count; ++i) awaited -= decisive[i];
  return true;
}

void check_race(Check &check, const weir_race_options &options, size_t count) {
  check.range("first_settled", options.first_settled, 0, 1)
      .rule(options.first_settled == 0 || options.decisive == nullptr,
            "decisive must be NULL beside first_settled: every racer is");
  for (size_t i = 0; check.ok() && options.decisive != nullptr && i < count; ++i) {
    check.rule(options.decisive[i] <= 1, "decisive[%zu] must be 0 or 1 (got %u)", i,
               options.decisive[i]);
  }
}

constexpr weir_race_options race_defaults = WEIR_RACE_OPTIONS_INIT;

weir_status new_race(const Pattern &pattern, weir_runtime *runtime,
                     weir_operation *const *operations, size_t count,
                     const weir_race_options &options, weir_operation **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  Heap *heap = heap_of(runtime);
  const char *subject = pattern.layer.name;
  Check check(subject, heap, error);
  check.required("out", out);
  if (check.ok()) check_operations(check, runtime, operations, count, 1);
  if (check.ok()) check_race(check, options, count);
  if (!check.ok()) return check.status();
  auto *race = make_handle<Race>(heap, runtime, pattern);
  bool complete = race != nullptr && race->complete(operations, count, options);
  return hand_out(race, complete, out, heap, subject, error);
}

}  // namespace
}  // namespace weir

void weir_race_options_init(weir_race_options *options, size_t size) {
  weir::init_options(options, size, weir::race_defaults);
}

weir_status weir_race_new(weir_runtime *runtime, weir_operation *const *operations, size_t count,
                          const weir_race_options *options, weir_operation **out,
                          weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir_race_options read = weir::race_defaults;
  weir_status status = weir::read_options(read, options, "race", weir::heap_of(runtime), error);
  if (status != WEIR_OK) return status;
  return weir::new_race(weir::race_pattern, runtime, operations, count, read, out, error);
}

weir_status weir_any_new(weir_runtime *runtime, weir_operation *const *operations, size_t count,
                         const char *name, weir_operation **out, weir_error **error) {
  weir_race_options options = weir::race_defaults;
  options.name = name;
  return weir::new_race(weir::any_pattern, runtime, operations, count, options, out, error);
}
