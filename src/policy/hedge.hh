// SPDX-License-Identifier: MIT
//
// The inside of weir_hedge. The machine is in hedge_layer.cc.

#pragma once

#include <weir/hedge.h>

#include <atomic>

#include "engine/policy.hh"
#include "policy/hedge_latency.hh"

namespace weir {

extern const LayerType hedge_layer;

}  // namespace weir

struct weir_hedge : weir_policy {
  weir_hedge(weir_runtime *runtime, const weir_hedge_options &options);
  ~weir_hedge();

  // The part of making one that can fail; false without memory.
  bool complete(const weir_hedge_options &options, weir::Callback<weir_classify_fn> &&classify);

  // What a run waits for that starts now; never_ns: nothing.
  int64_t delay() const {
    int64_t measured_ns = measures ? latency.delay_ns() : -1;
    return measured_ns < 0 ? delay_ns : measured_ns;
  }

  uint32_t max_hedges;
  int64_t delay_ns;  // never_ns: off
  double quantile;
  bool measures;  // there is a quantile
  bool judges;    // there is more than the default to judge by
  weir_budget *budget;
  weir::Classifier classifier;

  weir::LatencyQuantile latency;
  // Written by the engine's thread alone.
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> hedged{0};
  std::atomic<uint64_t> won_by_hedge{0};
  std::atomic<uint64_t> refused_by_budget{0};
};
