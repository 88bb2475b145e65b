// SPDX-License-Identifier: MIT
//
// Debounce and throttle while armed, on the runtime's thread, without an argument and without a
// settlement: `touch_at` is given the time, `touch` reads it. The loop does not turn meanwhile, so
// the timer never fires.

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;

namespace {

// Both have the same functions under their own names.
struct Debounce {
  using Handle = weir_debounce;
  static constexpr auto make = weir_debounce_new;
  static constexpr auto unref = weir_debounce_unref;
  static constexpr auto touch = weir_debounce_touch;
  static constexpr auto touch_at = weir_debounce_touch_at;
};
struct Throttle {
  using Handle = weir_throttle;
  static constexpr auto make = weir_throttle_new;
  static constexpr auto unref = weir_throttle_unref;
  static constexpr auto touch = weir_throttle_touch;
  static constexpr auto touch_at = weir_throttle_touch_at;
};

// One that is armed and has something pending.
template <typename Pacer>
typename Pacer::Handle *armed(Rig &rig) {
  typename Pacer::Handle *pacer = nullptr;
  bench::require(Pacer::make(rig.runtime(), rig.inline_operation(), nullptr, &pacer, nullptr));
  for (int i = 0; i < 2; ++i) bench::require(Pacer::touch(pacer, nullptr, 0, nullptr));
  rig.turn();
  return pacer;
}

template <typename Pacer>
void touch_at(benchmark::State &state) {
  Rig rig;
  auto *pacer = armed<Pacer>(rig);
  int64_t now = weir_runtime_now(rig.runtime());
  {
    Row row(state, Baseline::fetch_add);
    for (auto _ : state) bench::require(Pacer::touch_at(pacer, nullptr, 0, nullptr, ++now));
  }
  Pacer::unref(pacer);
}

template <typename Pacer>
void touch(benchmark::State &state) {
  Rig rig;
  auto *pacer = armed<Pacer>(rig);
  {
    Row row(state, Baseline::clock);
    for (auto _ : state) bench::require(Pacer::touch(pacer, nullptr, 0, nullptr));
  }
  Pacer::unref(pacer);
}

BENCHMARK(touch_at<Debounce>)->Name("debounce_touch_at")->Apply(bench::row);
BENCHMARK(touch_at<Throttle>)->Name("throttle_touch_at")->Apply(bench::row);
BENCHMARK(touch<Debounce>)->Name("debounce_touch")->Apply(bench::row);
BENCHMARK(touch<Throttle>)->Name("throttle_touch")->Apply(bench::row);

}  // namespace
