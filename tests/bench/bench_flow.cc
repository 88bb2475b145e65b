// SPDX-License-Identifier: MIT
//
// Operations that run others, on the thread of an attached uv loop. Each child completes inline
// with a value of 16 bytes made beforehand.

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;
using bench::Runs;

namespace {

constexpr size_t million = 1'000'000;

// ---- parallel: the time is an item's ----

// Pulls so many items of no value and counts what a listener is told.
struct Stream {
  uint64_t items = million;
  uint64_t told = 0;
};

weir_operation *parallel(Rig &rig, Stream &stream, bool listens) {
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.concurrency = 10;
  options.pull = [](void *data, uint64_t index, weir_value **, weir_error **) -> uint32_t {
    return index == static_cast<Stream *>(data)->items ? WEIR_PULL_END : WEIR_PULL_ITEM;
  };
  options.pull_data = &stream;
  if (listens) {
    options.on_item = [](void *data, uint64_t, const weir_outcome *outcome) {
      bench::require(outcome->status);
      ++static_cast<Stream *>(data)->told;
    };
    options.item_data = &stream;
  }
  weir_operation *made = nullptr;
  weir_error *error = nullptr;
  bench::require(weir_parallel_new_each(rig.inline_operation(), nullptr, &options, &made, &error),
                 error);
  return made;
}

void stream(benchmark::State &state, bool listens) {
  Rig rig;
  Stream stream;
  weir_operation *operation = parallel(rig, stream, listens);
  Runs runs(rig, operation, nullptr);
  {
    Row row(state, Baseline::malloc_free);
    while (state.KeepRunningBatch(million)) runs.batch(1);
  }
  if (listens && stream.told < million) bench::require(WEIR_EFAILED);
  weir_operation_unref(operation);
}

// ---- the others: the time is a run's ----

using MakeMany = weir_status (*)(weir_runtime *, weir_operation *const *, size_t, const char *,
                                 weir_operation **, weir_error **);

weir_status make_race(weir_runtime *runtime, weir_operation *const *operations, size_t count,
                      const char *, weir_operation **out, weir_error **error) {
  return weir_race_new(runtime, operations, count, nullptr, out, error);
}

void of_three(benchmark::State &state, MakeMany make) {
  Rig rig;
  weir_operation *child = rig.inline_operation();
  weir_operation *children[] = {child, child, child};
  weir_operation *operation = nullptr;
  weir_error *error = nullptr;
  bench::require(make(rig.runtime(), children, 3, nullptr, &operation, &error), error);
  Runs runs(rig, operation, nullptr);
  runs.batch(64);
  {
    Row row(state, Baseline::malloc_free);
    while (state.KeepRunningBatch(64)) runs.batch(64);
  }
  weir_operation_unref(operation);
}

BENCHMARK_CAPTURE(stream, listened, true)->Apply(bench::row);
BENCHMARK_CAPTURE(stream, collected, false)->Apply(bench::row);
BENCHMARK_CAPTURE(of_three, race, make_race)->Apply(bench::row);
BENCHMARK_CAPTURE(of_three, all, weir_all_new)->Apply(bench::row);
BENCHMARK_CAPTURE(of_three, waterfall, weir_waterfall_new)->Apply(bench::row);

}  // namespace
