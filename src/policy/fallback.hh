// SPDX-License-Identifier: MIT
//
// The inside of weir_fallback.

#pragma once

#include <weir/fallback.h>

#include <atomic>

#include "engine/policy.hh"

namespace weir {

extern const LayerType fallback_layer;

}  // namespace weir

struct weir_fallback : weir_policy {
  weir_fallback(weir_runtime *runtime, const weir_fallback_options &options);
  ~weir_fallback();

  // The part of making one that can fail; false without memory.
  bool complete(const weir_fallback_options &options, weir::Callback<weir_classify_fn> &&classify);

  weir_value *value;          // one reference; nullable
  weir_operation *operation;  // one reference; NULL: the value
  bool judges;                // there is more than the default to judge by
  weir::Classifier classifier;

  // Written by the engine's thread alone.
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> fell_back{0};
  std::atomic<uint64_t> failed{0};
};
