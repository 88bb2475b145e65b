// SPDX-License-Identifier: MIT
//
// The inside of weir_hedge. The machine is in hedge_layer.cc.

#pragma once

#include <weir/hedge.h>

#include <atomic>

#include "engine/live_options.hh"
#include "engine/policy.hh"
#include "policy/hedge_latency.hh"

namespace weir {

extern const LayerType hedge_layer;

// What one options struct says; never changed.
struct HedgeOptions {
  explicit HedgeOptions(const weir_hedge_options &options);
  HedgeOptions(const HedgeOptions &) = delete;
  HedgeOptions &operator=(const HedgeOptions &) = delete;
  ~HedgeOptions();

  uint32_t max_hedges;
  int64_t delay_ns;  // never_ns: off
  double quantile;
  bool measures;        // there is a quantile
  bool judges;          // there is more than the default to judge by
  weir_budget *budget;  // one reference; nullable
  Classifier classifier;
};

}  // namespace weir

struct weir_hedge : weir_policy {
  explicit weir_hedge(weir_runtime *runtime)
      : weir_policy(runtime, weir::end_handle<weir_hedge>, WEIR_POLICY_HEDGE, &weir::hedge_layer) {}

  // What a run waits for that starts now by `options`; never_ns: nothing.
  int64_t delay(const weir::HedgeOptions &options) const {
    int64_t measured_ns = options.measures ? latency.delay_ns() : -1;
    return measured_ns < 0 ? options.delay_ns : measured_ns;
  }

  weir::LiveOptions<weir::HedgeOptions> live;
  // What other threads are shown, who must not look into `live`.
  std::atomic<int64_t> shown_delay_ns{0};
  std::atomic<bool> shown_measures{false};

  weir::LatencyQuantile latency;
  // Written by the engine's thread alone.
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> hedged{0};
  std::atomic<uint64_t> won_by_hedge{0};
  std::atomic<uint64_t> refused_by_budget{0};
};
