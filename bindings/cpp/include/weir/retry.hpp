// SPDX-License-Identifier: MIT
//
// Retries, and the budget that bounds them. See weir/retry.h and weir/budget.h.

#pragma once

#include "weir/policy.hpp"

namespace weir {
inline namespace cpp {

struct budget_options {
  double ratio = 0.2;           // retries per first attempt; 0 to 1000
  double min_per_second = 1.0;  // always allowed; 0 to 1e6
  milliseconds window{10000};   // looks back this far; 10 ms to one day
  std::string name{};
};

// Bounds retries and hedges to a share of traffic; one may serve many policies. A copy is the same
// budget, and equal. All functions take any thread.
class budget : public detail::same_object<budget> {
 public:
  budget() = default;
  explicit budget(const runtime &runtime, const budget_options &options = {})
      : budget(make(runtime, options).value()) {}
  static result<budget> make(const runtime &runtime, const budget_options &options = {}) {
    weir_budget_options c = to_c(options);
    weir_budget *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_budget_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    budget result;
    result.handle_ = detail::budget_handle::adopt(made);
    return result;
  }
  // Changes ratio and min_per_second; the window must be as it is, the name empty.
  result<void> set_options(const budget_options &options) const {
    weir_budget_options c = to_c(options);
    weir_error *why = nullptr;
    return detail::done(weir_budget_set_options(get(), &c, &why), why);
  }

  // For hosts that retry by themselves: counts an outermost first attempt.
  void deposit() const { weir_budget_deposit(get()); }
  void deposit(time_point now) const { weir_budget_deposit_at(get(), detail::ns_of(now)); }
  // Takes one retry; false if there is nothing left.
  bool withdraw() const { return weir_budget_withdraw(get()) == WEIR_OK; }
  bool withdraw(time_point now) const {
    return weir_budget_withdraw_at(get(), detail::ns_of(now)) == WEIR_OK;
  }
  bool withdraw(rejection &why) const {
    return weir_budget_try_withdraw(get(), why.out()) == WEIR_OK;
  }
  bool withdraw(rejection &why, time_point now) const {
    return weir_budget_try_withdraw_at(get(), why.out(), detail::ns_of(now)) == WEIR_OK;
  }
  // Gives back a withdrawn retry that never started.
  void refund() const { weir_budget_refund(get()); }
  void refund(time_point now) const { weir_budget_refund_at(get(), detail::ns_of(now)); }

  weir_budget_stats stats() const {
    weir_budget_stats stats{};
    stats.size = sizeof stats;
    weir_budget_get_stats(get(), &stats);
    return stats;
  }
  result<void> set_label(const std::string &key, const std::string &value) const {
    weir_error *why = nullptr;
    return detail::done(weir_budget_set_label(get(), key.c_str(), value.c_str(), &why), why);
  }
  explicit operator bool() const { return static_cast<bool>(handle_); }
  weir_budget *get() const { return handle_.get(); }

 private:
  static weir_budget_options to_c(const budget_options &from) {
    weir_budget_options to = WEIR_BUDGET_OPTIONS_INIT;
    to.ratio = from.ratio;
    to.min_per_second = from.min_per_second;
    to.window_ms = from.window.count();
    to.name = detail::text(from.name);
    return to;
  }

  detail::budget_handle handle_;
};

enum class backoff : std::uint32_t {
  constant = WEIR_BACKOFF_CONSTANT,
  linear = WEIR_BACKOFF_LINEAR,
  exponential = WEIR_BACKOFF_EXPONENTIAL,
  decorrelated = WEIR_BACKOFF_DECORRELATED,
  decorrelated_v2 = WEIR_BACKOFF_DECORRELATED_V2
};

enum class jitter : std::uint32_t {
  none = WEIR_JITTER_NONE,
  full = WEIR_JITTER_FULL,
  equal = WEIR_JITTER_EQUAL,
  proportional = WEIR_JITTER_PROPORTIONAL,
  symmetric = WEIR_JITTER_SYMMETRIC
};

struct retry_options {
  // Tries, the first included; at least 1, or `unlimited`.
  std::int64_t max_attempts = 3;
  weir::backoff backoff = weir::backoff::exponential;
  milliseconds base_delay{1000};
  milliseconds max_delay{30000};  // always holds
  milliseconds min_delay{0};      // of computed delays
  double multiplier = 2.0;        // 1 to 1000
  weir::jitter jitter = weir::jitter::proportional;
  double jitter_factor = 0.3;  // 0 to 1
  // A refusal that says when to come back is waited for, if that fits the deadline.
  bool retry_refusals = false;
  // From the first try: none starts after it; 0 or more, or `forever`.
  milliseconds max_elapsed = forever;
  // For each try, a failure (status::timed_out) when it passes; 0 or more, or `forever`.
  milliseconds attempt_timeout = forever;
  // May be empty.
  weir::budget budget{};
  classifier classify{};
  // If there are any, only these user errors are failures, unless classify says otherwise.
  std::vector<error_range> failures{};
  // Asked for each failure that is not final, on the runtime's thread; `attempt` counts from 1.
  function<bool(const outcome &, std::uint32_t attempt)> should_retry{};
  // Told before each wait, on the runtime's thread: `attempt` ended so.
  function<void(std::uint32_t attempt, nanoseconds delay, const outcome &)> on_retry{};
  std::string name{};
};

// Tries again what failed.
class retry : public detail::policy_of<retry, weir_retry, weir_policy_retry> {
 public:
  retry() = default;
  explicit retry(const weir::runtime &runtime, const retry_options &options = {})
      : retry(make(runtime, options).value()) {}
  static result<retry> make(const weir::runtime &runtime, const retry_options &options = {}) {
    detail::failure_ranges ranges(options.failures);
    weir_retry_options c = to_c(options, ranges);
    weir_retry *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_retry_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime.get(), made, weir_retry_policy);
  }
  // Changes all options but the name, which must be empty. Runs that entered before keep theirs.
  result<void> set_options(const retry_options &options) const {
    detail::failure_ranges ranges(options.failures);
    weir_retry_options c = to_c(options, ranges);
    weir_error *why = nullptr;
    return detail::done(weir_retry_set_options(native(), &c, &why), why);
  }

  weir_retry_stats stats() const { return stats_by(weir_retry_get_stats); }

  // The decide door, for who does the trying and the sleeping himself. One thread at a time.
  //
  //   for (auto tries = retry.begin();;) {
  //     auto delay = tries.next(attempt_it());
  //     if (!delay) break;                        // tries.stopped_by() says why
  //     std::this_thread::sleep_for(*delay);
  //   }
  class tries {
   public:
    // A try ended so, and the peer asked for `asked` (empty: did not). The delay before the next
    // one; empty: stop.
    std::optional<nanoseconds> next(classification ended,
                                    std::optional<milliseconds> asked = std::nullopt) {
      std::int64_t delay = 0;
      weir_status status = weir_retry_next(native_, &state_, static_cast<std::uint32_t>(ended),
                                           asked ? asked->count() : WEIR_OFF, &delay, &reason_);
      return answer(status, delay);
    }
    std::optional<nanoseconds> next(classification ended, std::optional<milliseconds> asked,
                                    time_point now) {
      std::int64_t delay = 0;
      weir_status status = weir_retry_next_at(native_, &state_, static_cast<std::uint32_t>(ended),
                                              asked ? asked->count() : WEIR_OFF, &delay, &reason_,
                                              detail::ns_of(now));
      return answer(status, delay);
    }
    stop_reason stopped_by() const { return static_cast<stop_reason>(reason_); }

   private:
    friend class retry;
    explicit tries(const retry &retry) : keeps_(retry), native_(retry.native()) {}
    static std::optional<nanoseconds> answer(weir_status status, std::int64_t delay) {
      if (status != WEIR_OK) return std::nullopt;
      return nanoseconds(delay);
    }
    policy keeps_;
    weir_retry *native_;
    weir_retry_state state_{};
    std::uint32_t reason_ = WEIR_STOP_NONE;
  };
  // The first try begins now.
  tries begin() const {
    tries made(*this);
    weir_retry_begin(native(), &made.state_);
    return made;
  }
  tries begin(time_point now) const {
    tries made(*this);
    weir_retry_begin_at(native(), &made.state_, detail::ns_of(now));
    return made;
  }

 private:
  static weir_retry_options to_c(const retry_options &from, const detail::failure_ranges &ranges) {
    weir_retry_options to = WEIR_RETRY_OPTIONS_INIT;
    to.backoff = static_cast<std::uint32_t>(from.backoff);
    to.max_attempts = from.max_attempts;
    to.base_delay_ms = from.base_delay.count();
    to.max_delay_ms = from.max_delay.count();
    to.min_delay_ms = from.min_delay.count();
    to.multiplier = from.multiplier;
    to.jitter_factor = from.jitter_factor;
    to.jitter = static_cast<std::uint32_t>(from.jitter);
    to.retry_refusals = from.retry_refusals ? 1 : 0;
    to.max_elapsed_ms = from.max_elapsed.count();
    to.attempt_timeout_ms = from.attempt_timeout.count();
    to.budget = from.budget.get();
    ranges.give_to(to, from.classify);
    detail::give(
        from.should_retry,
        +[](void *data, const weir_outcome *lent, std::uint32_t attempt) -> std::int32_t {
          return decltype(from.should_retry)::call(data, outcome(*lent), attempt) ? 1 : 0;
        },
        to.should_retry, to.should_retry_data, to.should_retry_free_data);
    detail::give(
        from.on_retry,
        +[](void *data, std::uint32_t attempt, std::int64_t delay, const weir_outcome *lent) {
          decltype(from.on_retry)::call(data, attempt, nanoseconds(delay), outcome(*lent));
        },
        to.on_retry, to.on_retry_data, to.on_retry_free_data);
    to.name = detail::text(from.name);
    return to;
  }
};

}  // namespace cpp
}  // namespace weir
