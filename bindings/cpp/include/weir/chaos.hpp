// SPDX-License-Identifier: MIT
//
// Chaos makes an operation misbehave on purpose. See weir/chaos.h.

#pragma once

#include "weir/policy.hpp"

namespace weir {
inline namespace cpp {

enum class chaos_kind : std::uint32_t {
  latency = WEIR_CHAOS_LATENCY,
  failure = WEIR_CHAOS_FAILURE,
  outcome = WEIR_CHAOS_OUTCOME,
  hang = WEIR_CHAOS_HANG
};

// In this time the rate of `what` is `rate`.
struct chaos_phase {
  milliseconds from{0};          // since the chaos was made or last enabled
  milliseconds until = forever;  // not included
  chaos_kind what = chaos_kind::failure;
  double rate = 0;  // 0 to 1
};

struct chaos_options {
  bool enabled = true;
  std::uint64_t seed = 0;  // of the draws; 0: from the runtime's
  // Shares of the runs, 0 to 1; the first three exclude each other.
  double failure_rate = 0;
  double outcome_rate = 0;
  double hang_rate = 0;
  double latency_rate = 0;
  milliseconds latency_min{0};
  milliseconds latency_max{1000};
  std::optional<error> failure{};  // empty: "injected by chaos 'NAME'"
  weir::value outcome{};           // what outcomes succeed with: value::of(...)
  std::vector<chaos_phase> phases{};
  std::string name{};
};

class chaos : public detail::policy_of<chaos, weir_chaos, weir_policy_chaos> {
 public:
  chaos() = default;
  chaos(const weir::runtime &runtime, const chaos_options &options)
      : chaos(make(runtime, options).value()) {}
  static result<chaos> make(const weir::runtime &runtime, const chaos_options &options) {
    in_c c(options);
    weir_chaos *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_chaos_new(runtime.get(), &c.options, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime.get(), made, weir_chaos_policy);
  }
  // On, which begins the schedule at its beginning, or off; any thread.
  void enable(bool on = true) const { weir_chaos_enable(native_, on ? 1 : 0); }
  void disable() const { enable(false); }
  // Changes all options but the name, which must be empty, and enabled.
  result<void> set_options(const chaos_options &options) const {
    in_c c(options);
    weir_error *why = nullptr;
    return detail::done(weir_chaos_set_options(native_, &c.options, &why), why);
  }
  weir_chaos_stats stats() const { return stats_by(weir_chaos_get_stats); }

 private:
  struct in_c {
    explicit in_c(const chaos_options &from) {
      options.enabled = from.enabled ? 1 : 0;
      options.seed = from.seed;
      options.failure_rate = from.failure_rate;
      options.outcome_rate = from.outcome_rate;
      options.hang_rate = from.hang_rate;
      options.latency_rate = from.latency_rate;
      options.latency_min_ms = from.latency_min.count();
      options.latency_max_ms = from.latency_max.count();
      if (from.failure) failure = detail::error_handle::adopt(from.failure->share_or_make());
      options.failure = failure.get();
      options.value = from.outcome.get();
      for (const chaos_phase &phase : from.phases) {
        phases.push_back({phase.from.count(), phase.until.count(),
                          static_cast<std::uint32_t>(phase.what), 0, phase.rate});
      }
      options.phases = phases.empty() ? nullptr : phases.data();
      options.phases_count = phases.size();
      options.name = detail::text(from.name);
    }
    weir_chaos_options options = WEIR_CHAOS_OPTIONS_INIT;
    detail::error_handle failure;
    std::vector<weir_chaos_phase> phases;
  };
};

}  // namespace cpp
}  // namespace weir
