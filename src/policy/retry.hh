// SPDX-License-Identifier: MIT
//
// The inside of weir_retry. The rules (may it be tried again, and after which delay) are one plain
// class that is given the time, shared by both doors: the decide door (retry_api.cc) keeps its
// progress in the caller's 32 bytes, the run door (retry_layer.cc) in a layer's state.

#pragma once

#include <weir/retry.h>

#include <atomic>

#include "base/counter.hh"
#include "base/random.hh"
#include "base/short_lock.hh"
#include "engine/live_options.hh"
#include "engine/policy.hh"
#include "policy/backoff.hh"
#include "policy/budget.hh"

namespace weir {

// How far one logical call has come.
struct RetryProgress {
  uint64_t tries;  // begun, the first included
  double previous;
  int64_t started_ns;
};

// Try again after `delay_ns`, or stop because of `reason`.
struct RetryDecision {
  bool again;
  uint32_t reason;
  int64_t delay_ns;
};

// Immutable once set up; any thread.
struct RetryRules {
  RetryProgress begin(int64_t now_ns) const { return {1, backoff.first_previous(), now_ns}; }

  // A try ended and was judged worth another. `asked_ms`: the delay the peer asked for, negative if
  // none; `deadline_ns`: never_ns if there is none. WEIR_STOP_NONE with `again`; a retry is then
  // withdrawn from the budget and counted in `progress`.
  RetryDecision next(RetryProgress &progress, int64_t asked_ms, int64_t now_ns, int64_t deadline_ns,
                     Random &random) const;

  // Whether it is too late to begin a try at `now_ns`.
  bool is_over(const RetryProgress &progress, int64_t now_ns) const;

  Backoff backoff;
  int64_t max_attempts = 3;  // or WEIR_UNLIMITED
  int64_t max_elapsed_ns = INT64_MAX;
  int64_t attempt_timeout_ns = INT64_MAX;
  bool retry_refusals = false;
  weir_budget *budget = nullptr;  // one reference of the set's; nullable

 private:
  int64_t delay(RetryProgress &progress, int64_t asked_ms, Random &random) const;
};

enum class RetryCount : uint32_t {
  calls,
  retries,
  succeeded_first,
  succeeded_later,
  gave_up,
  refused_by_budget,
};
inline constexpr size_t retry_counts = 6;

// The callbacks in one piece, so that a creation that fails frees them all.
struct RetryCallbacks {
  explicit RetryCallbacks(const weir_retry_options &options);

  Callback<weir_classify_fn> classify;
  Callback<weir_should_retry_fn> should_retry;
  Callback<weir_on_retry_fn> on_retry;
};

// What one options struct says; never changed.
struct RetryOptions {
  RetryOptions(const weir_retry_options &options, RetryCallbacks &&callbacks);
  RetryOptions(const RetryOptions &) = delete;
  RetryOptions &operator=(const RetryOptions &) = delete;
  ~RetryOptions();

  // The part of making them that can fail; false without memory. `name` is the policy's.
  bool complete(Heap *heap, const char *name, const weir_retry_options &options,
                Callback<weir_classify_fn> &&classify);

  RetryRules rules;
  Classifier classifier;
  bool judges_values = false;  // a classify function may call a value a failure
  Callback<weir_should_retry_fn> should_retry;
  Callback<weir_on_retry_fn> on_retry;
  // What an attempt fails with that its own timeout cut off; one reference, maybe an immortal one.
  weir_error *attempt_timed_out = nullptr;
};

// The run door's machine.
extern const LayerType retry_layer;

}  // namespace weir

struct weir_retry : weir_policy {
  explicit weir_retry(weir_runtime *runtime)
      : weir_policy(runtime, weir::end_handle<weir_retry>, WEIR_POLICY_RETRY, &weir::retry_layer) {}

  // By the engine's thread, which alone writes these: no read-modify-write.
  void count(weir::RetryCount kind) { weir::count_one(run_counts[static_cast<size_t>(kind)]); }
  // By any thread.
  void count_decided(weir::RetryCount kind) {
    decide_counts[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t counted(weir::RetryCount kind) const {
    auto index = static_cast<size_t>(kind);
    return run_counts[index].load(std::memory_order_relaxed) +
           decide_counts[index].load(std::memory_order_relaxed);
  }

  weir::LiveOptions<weir::RetryOptions> live;
  // Held where the decide door reads them, and where they are exchanged.
  weir::ShortLock lock;

  std::atomic<uint64_t> run_counts[weir::retry_counts] = {};
  std::atomic<uint64_t> decide_counts[weir::retry_counts] = {};
};
