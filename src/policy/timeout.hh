// SPDX-License-Identifier: MIT
//
// The inside of weir_timeout. The error it settles with is made with its options, so that timing
// out cannot fail; with a timeout per run a message with that run's number is tried first.

#pragma once

#include <weir/timeout.h>

#include <atomic>

#include "engine/live_options.hh"
#include "engine/policy.hh"

namespace weir {

extern const LayerType timeout_layer;

// What one options struct says; never changed.
struct TimeoutOptions {
  TimeoutOptions(int64_t milliseconds, Callback<weir_timeout_fn> &&callback)
      : timeout_ms(milliseconds), timeout_for(std::move(callback)) {}
  TimeoutOptions(const TimeoutOptions &) = delete;
  TimeoutOptions &operator=(const TimeoutOptions &) = delete;
  ~TimeoutOptions();

  // The part of making them that can fail; false without memory. `message` is nullable.
  bool complete(const weir_timeout &policy, const char *message);

  // A new reference: the error of a run that had `run_ms`.
  weir_error *timed_out_error(const weir_timeout &policy, int64_t run_ms) const;

  int64_t timeout_ms;  // without timeout_for; WEIR_FOREVER: none
  Callback<weir_timeout_fn> timeout_for;

 private:
  weir_error *error_ = nullptr;  // one reference, maybe an immortal one
  bool own_message_ = false;
};

}  // namespace weir

struct weir_timeout : weir_policy {
  explicit weir_timeout(weir_runtime *runtime)
      : weir_policy(runtime, weir::end_handle<weir_timeout>, WEIR_POLICY_TIMEOUT,
                    &weir::timeout_layer) {}

  weir::LiveOptions<weir::TimeoutOptions> live;

  // Written by the engine's thread alone.
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> timed_out{0};
};
