// SPDX-License-Identifier: MIT
//
// The runtime's functions that do not depend on its driver; weir_runtime_new and what only one
// driver does are in src/driver.

#include <algorithm>

#include "base/time.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"

weir_runtime *weir_runtime_ref(weir_runtime *runtime) {
  if (runtime != nullptr) runtime->ref();
  return runtime;
}

void weir_runtime_unref(weir_runtime *runtime) {
  if (runtime != nullptr) runtime->unref();
}

weir_status weir_runtime_close(weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  runtime->close();
  return runtime->forked() ? WEIR_EFORKED : WEIR_OK;
}

weir_status weir_runtime_close_wait(weir_runtime *runtime, int64_t timeout_ms) {
  if (runtime == nullptr || timeout_ms < WEIR_FOREVER) return WEIR_EINVAL;
  return runtime->close_wait(timeout_ms);
}

weir_status weir_runtime_state(const weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  return runtime->life() == weir::Life::open ? WEIR_OK : WEIR_ECLOSED;
}

int64_t weir_runtime_now(const weir_runtime *runtime) {
  return runtime == nullptr ? 0 : runtime->clock();
}

weir_status weir_runtime_trim(weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  runtime->trim();
  return runtime->forked() ? WEIR_EFORKED : WEIR_OK;
}

void weir_runtime::get_stats(weir_runtime_stats &stats) const {
  auto value = [](const std::atomic<uint64_t> &counter) {
    return counter.load(std::memory_order_relaxed);
  };
  stats.runs_settled = value(settled_);
  stats.runs_accepted = value(accepted_) + value(accepted_remote_);
  stats.attempts_started = value(attempts_started_);
  stats.live_calls = stats.runs_accepted - std::min(stats.runs_settled, stats.runs_accepted);
  stats.orphans = value(orphan_count_);
  stats.timers = wheel_.size();
  stats.turns = value(turns_);
}

weir_status weir_runtime_get_stats(const weir_runtime *runtime, weir_runtime_stats *stats) {
  if (runtime == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_runtime_stats filled = {};
  runtime->get_stats(filled);
  return weir::write_sized(stats, filled);
}

void weir_log(weir_runtime *runtime, int32_t level, const char *subject, const char *message) {
  if (runtime != nullptr) runtime->log(level, subject, message);
}
