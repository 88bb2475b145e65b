// SPDX-License-Identifier: MIT
//
// What it costs to be observable: runs through five policies that decide nothing worth telling, on
// a runtime that nobody observes, with an event listener, with a flight recorder, with labels on
// every policy, and (the only one in use) with histograms. To be compared within one run.

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;
using bench::Runs;

namespace {

weir_runtime_options nobody() { return WEIR_RUNTIME_OPTIONS_INIT; }

weir_runtime_options listener() {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.on_event = [](void *, const weir_event *) {};
  return options;
}

weir_runtime_options recorder() {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.recorder_entries = 1024;
  return options;
}

weir_runtime_options histograms() {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.metrics = 1;
  return options;
}

weir_policy *labelled(weir_policy *policy, bool with_label) {
  if (with_label) bench::require(weir_policy_set_label(policy, "of", "this", nullptr));
  return policy;
}

void five_policies(benchmark::State &state, weir_runtime_options options, bool labels) {
  constexpr size_t length = 64;
  Rig rig(WEIR_DRIVER_UV, nullptr, options);
  weir_limiter_options limiter = WEIR_LIMITER_OPTIONS_INIT;
  limiter.max_concurrent = 1000;
  weir_breaker_options breaker = WEIR_BREAKER_OPTIONS_INIT;
  weir_policy *policy =
      rig.pipeline({labelled(weir_limiter_policy(rig.limiter(limiter)), labels),
                    labelled(rig.timeout(30'000), labels), labelled(rig.retry(), labels),
                    labelled(weir_breaker_policy(rig.breaker(breaker)), labels),
                    labelled(rig.timeout(10'000), labels)});
  Runs runs(rig, rig.inline_operation(), policy);
  runs.batch(length);
  Row row(state, Baseline::malloc_free);
  while (state.KeepRunningBatch(length)) runs.batch(length);
}

BENCHMARK_CAPTURE(five_policies, nobody, nobody(), false)->Apply(bench::row);
BENCHMARK_CAPTURE(five_policies, listener, listener(), false)->Apply(bench::row);
BENCHMARK_CAPTURE(five_policies, recorder, recorder(), false)->Apply(bench::row);
BENCHMARK_CAPTURE(five_policies, labels, nobody(), true)->Apply(bench::row);
BENCHMARK_CAPTURE(five_policies, histograms, histograms(), false)->Apply(bench::row);

}  // namespace
