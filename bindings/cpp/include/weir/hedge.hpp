// SPDX-License-Identifier: MIT
//
// Hedges start another copy of what is slow; the first success wins. See weir/hedge.h.

#pragma once

#include "weir/retry.hpp"

namespace weir {
inline namespace cpp {

struct hedge_options {
  std::uint32_t max_hedges = 1;  // copies beside the first, 1 to 16
  // Required, unless quantile is set: a copy is started when nothing succeeded so long after the
  // last start; 0 or more. `off` beside quantile: none before there are samples enough.
  milliseconds delay{-2};
  double quantile = WEIR_OFF;  // instead, from 20 samples on: of the latency; above 0, below 1
  weir::budget budget{};       // may be empty
  classifier classify{};
  std::vector<error_range> failures{};
  std::string name{};
};

class hedge : public policy {
 public:
  hedge() = default;
  hedge(const weir::runtime &runtime, const hedge_options &options)
      : hedge(make(runtime, options).value()) {}
  static result<hedge> make(const weir::runtime &runtime, const hedge_options &options) {
    detail::failure_ranges ranges(options.failures);
    weir_hedge_options c = to_c(options, ranges);
    weir_hedge *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_hedge_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    hedge result;
    static_cast<policy &>(result) = policy::adopt(runtime.get(), weir_hedge_policy(made));
    result.native_ = made;
    return result;
  }
  // Changes all options but the name, which must be empty; runs that entered before keep theirs.
  result<void> set_options(const hedge_options &options) const {
    detail::failure_ranges ranges(options.failures);
    weir_hedge_options c = to_c(options, ranges);
    weir_error *why = nullptr;
    return detail::done(weir_hedge_set_options(native_, &c, &why), why);
  }
  weir_hedge_stats stats() const {
    weir_hedge_stats stats{};
    stats.size = sizeof stats;
    weir_hedge_get_stats(native_, &stats);
    return stats;
  }
  weir_hedge *native() const { return native_; }

 private:
  static weir_hedge_options to_c(const hedge_options &from, const detail::failure_ranges &ranges) {
    weir_hedge_options to = WEIR_HEDGE_OPTIONS_INIT;
    to.max_hedges = from.max_hedges;
    to.delay_ms = from.delay.count();
    to.quantile = from.quantile;
    to.budget = from.budget.get();
    ranges.give_to(to, from.classify);
    to.name = detail::text(from.name);
    return to;
  }

  detail::lent<weir_hedge> native_;
};

}  // namespace cpp
}  // namespace weir
