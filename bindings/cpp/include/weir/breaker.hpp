// SPDX-License-Identifier: MIT
//
// Circuit breakers. See weir/breaker.h. Two doors: as a policy around runs, and for who makes the
// call himself:
//
//   if (auto permit = breaker.acquire()) {
//     bool ok = call_it();
//     permit.report(ok ? classification::success : classification::failure);
//   }
//
// A permit that goes unreported, as when an exception passes, is reported as abandoned: its place
// is free again, and nothing is counted.

#pragma once

#include <array>

#include "weir/policy.hpp"

namespace weir {
inline namespace cpp {

enum class breaker_state : std::uint32_t {
  closed = WEIR_BREAKER_CLOSED,
  open = WEIR_BREAKER_OPEN,
  half_open = WEIR_BREAKER_HALF_OPEN,
  forced_open = WEIR_BREAKER_FORCED_OPEN,
  forced_closed = WEIR_BREAKER_FORCED_CLOSED,  // all pass, nothing is judged
  metrics_only = WEIR_BREAKER_METRICS_ONLY     // all pass, judged; never opens
};

enum class breaker_mode : std::uint32_t {
  consecutive = WEIR_BREAKER_CONSECUTIVE,
  count_window = WEIR_BREAKER_COUNT_WINDOW,
  time_window = WEIR_BREAKER_TIME_WINDOW
};

enum class breaker_reason : std::uint32_t {
  none = 0,
  failures = WEIR_BREAKER_BY_FAILURES,
  slow_calls = WEIR_BREAKER_BY_SLOW_CALLS,
  time = WEIR_BREAKER_BY_TIME,
  trials = WEIR_BREAKER_BY_TRIALS,
  hand = WEIR_BREAKER_BY_HAND
};

struct breaker_change {
  breaker_state from;
  breaker_state to;
  breaker_reason reason;
  std::uint64_t sequence;  // 1, 2, 3 ...; gaps are changes missed under load
  std::uint64_t calls;     // the counts that decided
  std::uint64_t failures;
  std::uint64_t slow_calls;
  time_point at;
};

struct breaker_options {
  breaker_mode mode = breaker_mode::consecutive;
  std::uint32_t failure_threshold = 5;    // consecutive: failures in a row that open; 1 to 10^6
  std::uint32_t window_size = 100;        // count window: the last so many calls; 1 to 2^20
  milliseconds window{60000};             // time window: the last so long; 10 ms to one day
  double failure_rate = 0.5;              // windows: opens at this share or more; above 0 to 1
  std::uint32_t min_calls = 10;           // windows: judged only from so many calls on
  std::uint32_t half_open_max_calls = 3;  // verdicts a half-open period judges; 1 to 32
  std::uint32_t half_open_success_threshold = 2;  // successes that close
  std::uint32_t half_open_failures = 1;           // failed trials that reopen
  milliseconds slow_call = off;                   // what took longer is slow; 0 or more, or `off`
  double slow_call_rate = 1.0;        // windows: opens at this share of slow calls or more
  milliseconds reset_timeout{60000};  // how long it stays open; 0 or more
  double reset_multiplier = 1.0;      // each reopening multiplies the next open period; 1 to 1000
  milliseconds max_reset_timeout{600000};  // at most
  milliseconds trial_timeout{60000};       // the lease of a trial; 1 or more, or `forever`
  milliseconds ramp_up = off;  // after closing, the share that passes grows over this; or `off`
  classifier classify{};       // of runs; decide callers judge by themselves
  std::vector<error_range> failures{};  // if there are any: only these user errors are failures
  // On the runtime's thread, in order.
  function<void(const breaker_change &)> on_state_change{};
  std::string name{};
};

class breaker : public detail::policy_of<breaker, weir_breaker, weir_policy_breaker> {
 public:
  breaker() = default;
  explicit breaker(const weir::runtime &runtime, const breaker_options &options = {})
      : breaker(make(runtime, options).value()) {}
  static result<breaker> make(const weir::runtime &runtime, const breaker_options &options = {}) {
    detail::failure_ranges ranges(options.failures);
    weir_breaker_options c = to_c(options, ranges);
    weir_breaker *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_breaker_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime.get(), made, weir_breaker_policy);
  }
  // Changes the numbers; its state stays, and its counts where mode and window do. Classify,
  // failures, on_state_change and name must be empty.
  result<void> set_options(const breaker_options &options) const {
    detail::failure_ranges ranges(options.failures);
    weir_breaker_options c = to_c(options, ranges);
    weir_error *why = nullptr;
    return detail::done(weir_breaker_set_options(native_, &c, &why), why);
  }

  // Leave to make one call, to be reported once. Does not keep the breaker.
  class [[nodiscard]] permit {
   public:
    permit(permit &&other) noexcept
        : breaker_(other.breaker_),
          permit_(std::exchange(other.permit_, 0)),
          status_(other.status_) {}
    permit &operator=(permit &&other) noexcept {
      if (this == &other) return *this;
      abandon();
      breaker_ = other.breaker_;
      permit_ = std::exchange(other.permit_, 0);
      status_ = other.status_;
      return *this;
    }
    ~permit() { abandon(); }

    // True: make the call.
    explicit operator bool() const { return permit_ != 0; }
    // Why not: open, mostly.
    weir::status status() const { return static_cast<weir::status>(status_); }

    // The call ended so; `elapsed` counts if slow calls do. Answers stale, if the permit is of an
    // earlier life of the breaker; expired, if its lease had run out; else ok.
    weir::status report(classification ended, nanoseconds elapsed = nanoseconds(0)) {
      return static_cast<weir::status>(weir_breaker_report(
          breaker_, std::exchange(permit_, 0), static_cast<std::uint32_t>(ended), elapsed.count()));
    }
    weir::status report(classification ended, nanoseconds elapsed, time_point now) {
      return static_cast<weir::status>(weir_breaker_report_at(breaker_, std::exchange(permit_, 0),
                                                              static_cast<std::uint32_t>(ended),
                                                              elapsed.count(), detail::ns_of(now)));
    }
    weir::status succeed(nanoseconds elapsed = nanoseconds(0)) {
      return report(classification::success, elapsed);
    }
    weir::status fail(nanoseconds elapsed = nanoseconds(0)) {
      return report(classification::failure, elapsed);
    }
    // As a number, for breaker.report() or report_many(): reporting it is then the caller's.
    weir_permit release() { return std::exchange(permit_, 0); }

   private:
    friend class breaker;
    permit(weir_breaker *breaker, weir_permit given, weir_status status)
        : breaker_(breaker), permit_(given), status_(status) {}
    void abandon() {
      if (permit_ != 0) report(classification::abandon);
    }

    weir_breaker *breaker_;
    weir_permit permit_;
    weir_status status_;
  };

  // Asks to make a call; any thread, allocates nothing.
  permit acquire() const {
    weir_permit given = 0;
    weir_status status = weir_breaker_acquire(native_, &given, nullptr);
    return {native_, given, status};
  }
  permit acquire(time_point now) const {
    weir_permit given = 0;
    weir_status status = weir_breaker_acquire_at(native_, &given, nullptr, detail::ns_of(now));
    return {native_, given, status};
  }
  // A refusal fills `why`.
  permit acquire(rejection &why) const {
    weir_permit given = 0;
    weir_status status = weir_breaker_acquire(native_, &given, why.out());
    return {native_, given, status};
  }
  permit acquire(rejection &why, time_point now) const {
    weir_permit given = 0;
    weir_status status = weir_breaker_acquire_at(native_, &given, why.out(), detail::ns_of(now));
    return {native_, given, status};
  }
  // Reports a permit that was released from its guard; see permit::report().
  weir::status report(weir_permit given, classification ended,
                      nanoseconds elapsed = nanoseconds(0)) const {
    return static_cast<weir::status>(
        weir_breaker_report(native_, given, static_cast<std::uint32_t>(ended), elapsed.count()));
  }
  // Up to `count` permits into `permits`; how many. They are reported by report_many().
  std::size_t acquire_n(std::size_t count, weir_permit *permits) const {
    std::size_t granted = 0;
    weir_breaker_acquire_n(native_, count, permits, &granted, nullptr);
    return granted;
  }
  std::size_t acquire_n(std::size_t count, weir_permit *permits, rejection &why,
                        time_point now) const {
    std::size_t granted = 0;
    weir_breaker_acquire_n_at(native_, count, permits, &granted, why.out(), detail::ns_of(now));
    return granted;
  }
  // Reports calls in their order; each entry gets its own result.
  void report_many(weir_breaker_report_entry *entries, std::size_t count) const {
    weir_breaker_report_many(native_, entries, count);
  }
  void report_many(weir_breaker_report_entry *entries, std::size_t count, time_point now) const {
    weir_breaker_report_many_at(native_, entries, count, detail::ns_of(now));
  }

  breaker_state state() const { return static_cast<breaker_state>(weir_breaker_state(native_)); }
  breaker_state state(time_point now) const {
    return static_cast<breaker_state>(weir_breaker_state_at(native_, detail::ns_of(now)));
  }
  // Forces it open until as many release() came.
  result<void> isolate() const { return detail::done(weir_breaker_isolate(native_)); }
  result<void> release() const { return detail::done(weir_breaker_release(native_)); }
  // forced_open, forced_closed or metrics_only; or closed: back to judging by itself.
  result<void> force(breaker_state state) const {
    return detail::done(weir_breaker_force(native_, static_cast<std::uint32_t>(state)));
  }
  // Closed, with counts as new; permits that are out become stale.
  void reset() const { weir_breaker_reset(native_); }
  weir_breaker_stats stats() const { return stats_by(weir_breaker_get_stats); }

  // The state as bytes, portable between processes and machines.
  std::string snapshot() const {
    std::array<char, WEIR_BREAKER_SNAPSHOT_SIZE> bytes;
    std::size_t size = bytes.size();
    if (weir_breaker_snapshot(native_, bytes.data(), &size) != WEIR_OK) return {};
    return std::string(bytes.data(), size);
  }
  // Takes a snapshot over that is `elapsed` old. Errors: invalid, abi (of a later version).
  result<void> restore(std::string_view snapshot, milliseconds elapsed) const {
    return detail::done(
        weir_breaker_restore(native_, snapshot.data(), snapshot.size(), elapsed.count()));
  }

 private:
  static weir_breaker_options to_c(const breaker_options &from,
                                   const detail::failure_ranges &ranges) {
    weir_breaker_options to = WEIR_BREAKER_OPTIONS_INIT;
    to.mode = static_cast<std::uint32_t>(from.mode);
    to.failure_threshold = from.failure_threshold;
    to.window_size = from.window_size;
    to.window_ms = from.window.count();
    to.failure_rate = from.failure_rate;
    to.min_calls = from.min_calls;
    to.half_open_max_calls = from.half_open_max_calls;
    to.half_open_success_threshold = from.half_open_success_threshold;
    to.half_open_failures = from.half_open_failures;
    to.slow_call_ms = from.slow_call.count();
    to.slow_call_rate = from.slow_call_rate;
    to.reset_timeout_ms = from.reset_timeout.count();
    to.reset_multiplier = from.reset_multiplier;
    to.max_reset_timeout_ms = from.max_reset_timeout.count();
    to.trial_timeout_ms = from.trial_timeout.count();
    to.ramp_up_ms = from.ramp_up.count();
    ranges.give_to(to, from.classify);
    detail::give(
        from.on_state_change,
        +[](void *data, weir_breaker *, const weir_breaker_change *change) {
          decltype(from.on_state_change)::call(
              data, breaker_change{static_cast<breaker_state>(change->from),
                                   static_cast<breaker_state>(change->to),
                                   static_cast<breaker_reason>(change->reason), change->sequence,
                                   change->calls, change->failures, change->slow_calls,
                                   detail::at(change->at_ns)});
        },
        to.on_state_change, to.change_data, to.change_free_data);
    to.name = detail::text(from.name);
    return to;
  }
};

}  // namespace cpp
}  // namespace weir
