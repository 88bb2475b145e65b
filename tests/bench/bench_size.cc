// SPDX-License-Identifier: MIT
//
// What things weigh: the bytes that the runtime's allocator hands out for them. The time of these
// rows is what making and unmaking costs.

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;
using bench::Scale;

namespace {

void idle_breaker(benchmark::State &state) {
  Scale scale;
  weir_allocator allocator = scale.allocator();
  Rig rig(WEIR_DRIVER_UV, &allocator);
  int64_t before = scale.bytes;
  int64_t bytes = 0;
  {
    Row row(state, Baseline::malloc_free);
    for (auto _ : state) {
      weir_breaker *breaker = nullptr;
      bench::require(weir_breaker_new(rig.runtime(), nullptr, &breaker, nullptr));
      bytes = scale.bytes - before;
      weir_breaker_unref(breaker);
    }
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

void keyed_limiter(benchmark::State &state) {
  constexpr int64_t keys = 1'000'000;
  Scale scale;
  weir_allocator allocator = scale.allocator();
  Rig rig(WEIR_DRIVER_UV, &allocator);
  int64_t before = scale.bytes;
  int64_t bytes = 0;
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.permits = 100;
  options.interval_ms = 1000;
  options.max_keys = keys;
  {
    Row row(state, Baseline::malloc_free);
    for (auto _ : state) {
      weir_limiter *limiter = nullptr;
      bench::require(weir_limiter_new(rig.runtime(), &options, &limiter, nullptr));
      bytes = scale.bytes - before;
      weir_limiter_unref(limiter);
    }
  }
  state.counters["bytes_a_key"] = static_cast<double>(bytes) / keys;
}

BENCHMARK(idle_breaker)->Apply(bench::row);
BENCHMARK(keyed_limiter)->Apply(bench::row);

}  // namespace
