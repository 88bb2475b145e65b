// SPDX-License-Identifier: MIT
//
// The inside of weir_timeout. The error it settles with is made at creation, so that timing out
// cannot fail; with a timeout per run a message with that run's number is tried first.

#pragma once

#include <weir/timeout.h>

#include <atomic>

#include "engine/policy.hh"

namespace weir {

extern const LayerType timeout_layer;

}  // namespace weir

struct weir_timeout : weir_policy {
  weir_timeout(weir_runtime *runtime, int64_t milliseconds,
               weir::Callback<weir_timeout_fn> &&callback);
  ~weir_timeout();

  // The part of making one that can fail; false without memory.
  bool complete(const weir_timeout_options &options);

  // A new reference: the error of a run that had `run_ms`.
  weir_error *timed_out_error(int64_t run_ms) const;

  int64_t timeout_ms;  // without timeout_for; WEIR_FOREVER: none
  weir::Callback<weir_timeout_fn> timeout_for;

  // Written by the engine's thread alone.
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> timed_out{0};

 private:
  weir_error *error_ = nullptr;  // one reference, maybe an immortal one
  bool own_message_ = false;
};
