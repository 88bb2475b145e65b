// SPDX-License-Identifier: MIT
//
// The inside of weir_chaos: what one options struct says, with the sequence it draws from, and one
// word that says whether it is on and since when. The machine is in chaos_layer.cc.

#pragma once

#include <weir/chaos.h>

#include <atomic>

#include "base/random.hh"
#include "engine/live_options.hh"
#include "engine/policy.hh"

namespace weir {

// What one run has to go through.
struct ChaosDraw {
  uint32_t what;       // WEIR_CHAOS_*, 0: go on inwards
  int64_t latency_ns;  // before that; -1: none
};

// Never changed, but for the sequence; the engine's thread draws.
struct ChaosOptions {
  ChaosOptions(const weir_chaos_options &options, uint64_t seed);
  ChaosOptions(const ChaosOptions &) = delete;
  ChaosOptions &operator=(const ChaosOptions &) = delete;
  ~ChaosOptions();

  // The part of making them that can fail; false without memory. `name` is the policy's.
  bool complete(Heap *heap, const char *name, const weir_chaos_options &options);

  // `elapsed_ns` is the schedule's time.
  ChaosDraw draw(int64_t elapsed_ns);

  weir_error *failure;  // one reference, maybe an immortal one
  weir_value *value;    // one reference; nullable

 private:
  struct Rates {
    double of[WEIR_CHAOS_HANG + 1];
  };

  Rates rates_at(int64_t elapsed_ns) const;

  Random random_;
  Rates rates_;
  int64_t latency_min_ns_;
  int64_t latency_max_ns_;
  Heap *heap_ = nullptr;
  weir_chaos_phase *phases_ = nullptr;
  uint64_t phases_count_ = 0;
};

extern const LayerType chaos_layer;

}  // namespace weir

struct weir_chaos : weir_policy {
  explicit weir_chaos(weir_runtime *runtime)
      : weir_policy(runtime, weir::end_handle<weir_chaos>, WEIR_POLICY_CHAOS, &weir::chaos_layer) {}

  void enable(bool on);

  static constexpr int64_t off = INT64_MIN;
  std::atomic<int64_t> since_ns{off};  // when it was switched on
  weir::LiveOptions<weir::ChaosOptions> live;

  // Written by the engine's thread alone; `injected` by WEIR_CHAOS_*.
  std::atomic<uint64_t> drawn{0};
  std::atomic<uint64_t> injected[WEIR_CHAOS_HANG + 1] = {};
};
