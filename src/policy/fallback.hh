// SPDX-License-Identifier: MIT
//
// The inside of weir_fallback.

#pragma once

#include <weir/fallback.h>

#include <atomic>

#include "engine/live_options.hh"
#include "engine/policy.hh"

namespace weir {

extern const LayerType fallback_layer;

// What one options struct says; never changed.
struct FallbackOptions {
  explicit FallbackOptions(const weir_fallback_options &options);
  FallbackOptions(const FallbackOptions &) = delete;
  FallbackOptions &operator=(const FallbackOptions &) = delete;
  ~FallbackOptions();

  weir_value *value;          // one reference; nullable
  weir_operation *operation;  // one reference; NULL: the value
  bool judges;                // there is more than the default to judge by
  Classifier classifier;
};

}  // namespace weir

struct weir_fallback : weir_policy {
  explicit weir_fallback(weir_runtime *runtime)
      : weir_policy(runtime, weir::end_handle<weir_fallback>, WEIR_POLICY_FALLBACK,
                    &weir::fallback_layer) {}

  weir::LiveOptions<weir::FallbackOptions> live;

  // Written by the engine's thread alone.
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> fell_back{0};
  std::atomic<uint64_t> failed{0};
};
