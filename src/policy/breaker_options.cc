// SPDX-License-Identifier: MIT
#include "policy/breaker_options.hh"

#include "base/time.hh"
#include "engine/options.hh"
#include "engine/policy.hh"

namespace weir {
namespace {

constexpr int64_t max_breaker_failures = 1000 * 1000;
constexpr int64_t max_breaker_window = int64_t{1} << 20;
constexpr int64_t max_breaker_window_ms = 24 * 60 * 60 * 1000;
constexpr int64_t max_breaker_trials = 32;

void check_breaker_judging(const weir_breaker_options &options, Check &check) {
  check.range("mode", options.mode, WEIR_BREAKER_CONSECUTIVE, WEIR_BREAKER_TIME_WINDOW)
      .range("failure_threshold", options.failure_threshold, 1, max_breaker_failures)
      .range("window_size", options.window_size, 1, max_breaker_window)
      .range("window_ms", options.window_ms, 10, max_breaker_window_ms)
      .real_above("failure_rate", options.failure_rate, 0, 1)
      .range("min_calls", options.min_calls, 1, UINT32_MAX)
      .rule(options.mode != WEIR_BREAKER_COUNT_WINDOW || options.min_calls <= options.window_size,
            "min_calls must not exceed window_size (got %u and %u)", options.min_calls,
            options.window_size)
      .range_or("slow_call_ms", options.slow_call_ms, 0, max_ms, "off")
      .real_above("slow_call_rate", options.slow_call_rate, 0, 1);
}

void check_breaker_recovering(const weir_breaker_options &options, Check &check) {
  uint64_t most_verdicts =
      uint64_t{options.half_open_success_threshold} + options.half_open_failures - 1;
  check.range("half_open_max_calls", options.half_open_max_calls, 1, max_breaker_trials)
      .range("half_open_success_threshold", options.half_open_success_threshold, 1, UINT32_MAX)
      .range("half_open_failures", options.half_open_failures, 1, UINT32_MAX)
      .rule(most_verdicts <= options.half_open_max_calls,
            "half_open_success_threshold + half_open_failures - 1 must not exceed "
            "half_open_max_calls (got %u + %u - 1 and %u)",
            options.half_open_success_threshold, options.half_open_failures,
            options.half_open_max_calls)
      .range("reset_timeout_ms", options.reset_timeout_ms, 0, max_ms)
      .real("reset_multiplier", options.reset_multiplier, 1, 1000)
      .range("max_reset_timeout_ms", options.max_reset_timeout_ms, 0, max_ms)
      .rule(options.max_reset_timeout_ms >= options.reset_timeout_ms,
            "max_reset_timeout_ms must be at least reset_timeout_ms (got %lld and %lld)",
            static_cast<long long>(options.max_reset_timeout_ms),
            static_cast<long long>(options.reset_timeout_ms))
      .range_or("trial_timeout_ms", options.trial_timeout_ms, 1, max_ms, "forever")
      .range_or("ramp_up_ms", options.ramp_up_ms, 0, max_ms, "off");
}

}  // namespace

weir_breaker_options default_breaker_options() {
  return weir_breaker_options WEIR_BREAKER_OPTIONS_INIT;
}

weir_status check_breaker_options(const weir_breaker_options &options, Heap *heap,
                                  weir_error **error) {
  Check check("breaker", heap, error);
  check_breaker_judging(options, check);
  check_breaker_recovering(options, check);
  check_failures(check, options.failures, options.failures_count);
  check.rule(options.queue == nullptr || options.on_state_change == nullptr,
             "on_state_change must be NULL where a queue takes the changes");
  return check.status();
}

BreakerRules breaker_rules(const weir_breaker_options &options) {
  return {options.failure_rate,
          options.slow_call_rate,
          options.reset_multiplier,
          ms_to_ns(options.reset_timeout_ms),
          ms_to_ns(options.max_reset_timeout_ms),
          ms_to_ns(options.trial_timeout_ms),
          options.min_calls,
          static_cast<uint8_t>(options.half_open_max_calls),
          static_cast<uint8_t>(options.half_open_success_threshold),
          static_cast<uint8_t>(options.half_open_failures)};
}

}  // namespace weir
