// SPDX-License-Identifier: MIT
//
// Limiters: how often, how many at once, or both, also per key; and bulkheads. See weir/limiter.h.
// As a policy around runs, or for who makes the call himself:
//
//   weir::limiter limiter{runtime, {.permits = 100, .interval = 1min, .max_concurrent = 5}};
//   if (auto permit = limiter.try_acquire()) call_it();     // gives the permit back at the end

#pragma once

#include "weir/policy.hpp"

namespace weir {
inline namespace cpp {

enum class limiter_algorithm : std::uint32_t {
  token_bucket = WEIR_LIMITER_TOKEN_BUCKET,
  fixed_window = WEIR_LIMITER_FIXED_WINDOW,
  sliding_window = WEIR_LIMITER_SLIDING_WINDOW
};
enum class queue_order : std::uint32_t {
  fifo = WEIR_LIMITER_FIFO,
  priority = WEIR_LIMITER_PRIORITY
};
enum class key_overflow : std::uint32_t { deny = WEIR_LIMITER_DENY, evict = WEIR_LIMITER_EVICT };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // see weir::log_level
enum class adaptive : std::uint32_t {
  off = WEIR_ADAPTIVE_OFF,
  aimd = WEIR_ADAPTIVE_AIMD,
  gradient = WEIR_ADAPTIVE_GRADIENT
};
#pragma GCC diagnostic pop

struct limiter_options {
  limiter_algorithm algorithm = limiter_algorithm::token_bucket;
  // The rate: so many in an interval (1 ms to 100 years); both unset: none.
  std::int64_t permits = WEIR_OFF;
  milliseconds interval = off;
  std::int64_t burst = WEIR_OFF;            // the bucket's depth; unset: as permits
  std::int64_t max_concurrent = unlimited;  // hold a permit at once; adaptive: where that begins
  std::int64_t max_queue = 1024;            // runs that wait; 0 or more, or `unlimited`
  milliseconds queue_timeout = forever;     // how long a run waits; 0 or more, or `forever`
  weir::queue_order queue_order = weir::queue_order::fifo;
  weir::key_overflow key_overflow = weir::key_overflow::deny;
  std::int64_t max_keys = 0;  // keyed: so many are tracked, to 2^30; 0: not keyed
  weir::adaptive adaptive = weir::adaptive::off;
  // The permit of a run that was told to stop returns at once, not when its attempt has ended.
  bool early_release = false;
  std::int64_t adaptive_min = 1;
  std::int64_t adaptive_max = 1000;
  milliseconds adaptive_latency = off;  // aimd: what took longer counts as overload
  double adaptive_backoff = 0.9;        // aimd: the limit's factor on overload; above 0, below 1
  double adaptive_tolerance = 1.5;      // gradient: how much slower is still fine; 1 to 10
  classifier classify{};                // what adaptive counts as a failure
  std::vector<error_range> failures{};
  std::string name{};
};

class limiter : public detail::policy_of<limiter, weir_limiter, weir_policy_limiter> {
 public:
  limiter() = default;
  explicit limiter(const weir::runtime &runtime, const limiter_options &options)
      : limiter(make(runtime, options).value()) {}
  static result<limiter> make(const weir::runtime &runtime, const limiter_options &options) {
    detail::failure_ranges ranges(options.failures);
    weir_limiter_options c = to_c(options, ranges);
    weir_limiter *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_limiter_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime.get(), made, weir_limiter_policy);
  }
  // At most `max_concurrent` at once, `queue_limit` that wait (0 or more, or `unlimited`), and the
  // rest refused. See weir/bulkhead.h.
  static result<limiter> make_bulkhead(const weir::runtime &runtime, std::int64_t max_concurrent,
                                       std::int64_t queue_limit, const std::string &name = {}) {
    weir_limiter *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_bulkhead_new(runtime.get(), max_concurrent, queue_limit,
                                           detail::text(name), &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime.get(), made, weir_limiter_policy);
  }
  // One rate more; all are granted, or none. At most 8. Before any key is in use.
  result<void> add_limit(limiter_algorithm algorithm, std::int64_t permits, milliseconds interval,
                         std::int64_t burst = WEIR_OFF) const {
    weir_error *why = nullptr;
    return detail::done(weir_limiter_add_limit(native_, static_cast<std::uint32_t>(algorithm),
                                               permits, interval.count(), burst, &why),
                        why);
  }
  // Changes the numbers live; growing wakes waiters. Classify, failures and name must be empty.
  result<void> set_options(const limiter_options &options) const {
    detail::failure_ranges ranges(options.failures);
    weir_limiter_options c = to_c(options, ranges);
    weir_error *why = nullptr;
    return detail::done(weir_limiter_set_options(native_, &c, &why), why);
  }

  // Leave to go ahead; gives a place among max_concurrent back when it goes. Does not keep the
  // limiter.
  class [[nodiscard]] permit {
   public:
    permit(permit &&other) noexcept
        : limiter_(other.limiter_),
          permit_(std::exchange(other.permit_, 0)),
          status_(other.status_) {}
    permit &operator=(permit &&other) noexcept {
      if (this == &other) return *this;
      release();
      limiter_ = other.limiter_;
      permit_ = std::exchange(other.permit_, 0);
      status_ = other.status_;
      return *this;
    }
    ~permit() { release(); }

    // True: go ahead.
    explicit operator bool() const { return status_ == WEIR_OK; }
    // Why not: limited, mostly.
    weir::status status() const { return static_cast<weir::status>(status_); }
    void release() {
      if (permit_ != 0) weir_limiter_release(limiter_, std::exchange(permit_, 0));
    }
    // For adaptive limits: how the call ended, and how long it took.
    void release(classification ended, nanoseconds elapsed) {
      weir_limiter_release_with(limiter_, std::exchange(permit_, 0),
                                static_cast<std::uint32_t>(ended), elapsed.count());
    }

    // As a number, for limiter.release(): giving it back is then the caller's.
    weir_permit detach() { return std::exchange(permit_, 0); }

   private:
    friend class limiter;
    permit(weir_limiter *limiter, weir_permit given, weir_status status)
        : limiter_(limiter), permit_(given), status_(status) {}

    weir_limiter *limiter_;
    weir_permit permit_;
    weir_status status_;
  };

  // Takes `permits` (the weight, at least 1), or nothing; any thread. More than the limit can ever
  // give is status::invalid.
  permit try_acquire(std::uint32_t permits = 1) const {
    weir_permit given = 0;
    weir_status status = weir_limiter_try_acquire(native_, permits, &given, nullptr);
    return {native_, given, status};
  }
  permit try_acquire(std::uint32_t permits, rejection &why) const {
    weir_permit given = 0;
    weir_status status = weir_limiter_try_acquire(native_, permits, &given, why.out());
    return {native_, given, status};
  }
  permit try_acquire(std::uint32_t permits, rejection &why, time_point now) const {
    weir_permit given = 0;
    weir_status status =
        weir_limiter_try_acquire_at(native_, permits, &given, why.out(), detail::ns_of(now));
    return {native_, given, status};
  }

  // Of one key. Gives its place back when it goes, and keeps a copy of the key for that.
  class [[nodiscard]] key_permit {
   public:
    key_permit(key_permit &&other) noexcept
        : limiter_(other.limiter_),
          permit_(std::exchange(other.permit_, 0)),
          status_(other.status_),
          key_(std::move(other.key_)) {}
    key_permit &operator=(key_permit &&other) = delete;
    ~key_permit() { release(); }

    explicit operator bool() const { return status_ == WEIR_OK; }
    weir::status status() const { return static_cast<weir::status>(status_); }
    void release() {
      if (permit_ == 0) return;
      weir_limiter_release_key(limiter_, key_.data(), key_.size(), std::exchange(permit_, 0));
    }

    // As a number, for limiter.release_key().
    weir_permit detach() { return std::exchange(permit_, 0); }

   private:
    friend class limiter;
    key_permit(weir_limiter *limiter, weir_permit given, weir_status status, std::string_view key)
        : limiter_(limiter), permit_(given), status_(status) {
      if (given != 0) key_ = key;
    }

    weir_limiter *limiter_;
    weir_permit permit_;
    weir_status status_;
    std::string key_;
  };
  key_permit try_acquire_key(std::string_view key, std::uint32_t permits = 1) const {
    weir_permit given = 0;
    weir_status status =
        weir_limiter_try_acquire_key(native_, key.data(), key.size(), permits, &given, nullptr);
    return {native_, given, status, key};
  }
  key_permit try_acquire_key(std::string_view key, std::uint32_t permits, rejection &why) const {
    weir_permit given = 0;
    weir_status status =
        weir_limiter_try_acquire_key(native_, key.data(), key.size(), permits, &given, why.out());
    return {native_, given, status, key};
  }
  key_permit try_acquire_key(std::string_view key, std::uint32_t permits, rejection &why,
                             time_point now) const {
    weir_permit given = 0;
    weir_status status = weir_limiter_try_acquire_key_at(native_, key.data(), key.size(), permits,
                                                         &given, why.out(), detail::ns_of(now));
    return {native_, given, status, key};
  }

  // Give back permits that were detached from their guards.
  result<void> release(weir_permit given) const {
    return detail::done(weir_limiter_release(native_, given));
  }
  result<void> release_key(std::string_view key, weir_permit given) const {
    return detail::done(weir_limiter_release_key(native_, key.data(), key.size(), given));
  }

  // Up to `count` permits of a rate at once; how many. Not with max_concurrent or keys.
  std::size_t acquire_n(std::size_t count) const {
    std::size_t granted = 0;
    weir_limiter_acquire_n(native_, count, &granted, nullptr);
    return granted;
  }
  std::size_t acquire_n(std::size_t count, rejection &why, time_point now) const {
    std::size_t granted = 0;
    weir_limiter_acquire_n_at(native_, count, &granted, why.out(), detail::ns_of(now));
    return granted;
  }

  struct reservation {
    nanoseconds wait;  // before going ahead
    weir_permit id;
  };
  // Takes permits of one token bucket in advance. Errors: limited, unsupported, invalid.
  result<reservation> reserve(std::uint32_t permits = 1) const {
    std::int64_t wait = 0;
    weir_permit id = 0;
    weir_status status = weir_limiter_reserve(native_, permits, &wait, &id);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return reservation{nanoseconds(wait), id};
  }
  result<reservation> reserve(std::uint32_t permits, time_point now) const {
    std::int64_t wait = 0;
    weir_permit id = 0;
    weir_status status = weir_limiter_reserve_at(native_, permits, &wait, &id, detail::ns_of(now));
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return reservation{nanoseconds(wait), id};
  }
  // Gives back what nobody has reserved after. Errors: stale.
  result<void> cancel(const reservation &made, std::uint32_t permits = 1) const {
    return detail::done(weir_limiter_cancel_reservation(native_, permits, made.id));
  }
  // Gives permits of the rate back, for work that was not done.
  result<void> refund(std::uint32_t permits = 1) const {
    return detail::done(weir_limiter_refund(native_, permits));
  }
  // Permits there are now; INT64_MAX if nothing limits.
  std::int64_t available() const { return weir_limiter_available(native_); }
  std::int64_t available(time_point now) const {
    return weir_limiter_available_at(native_, detail::ns_of(now));
  }
  // Takes all the rate has now, such as after a 429; how many.
  result<std::int64_t> drain() const {
    std::int64_t drained = 0;
    weir_status status = weir_limiter_drain(native_, &drained);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return drained;
  }
  // Nothing passes until resume(); runs wait.
  void pause() const { weir_limiter_pause(native_); }
  void resume() const { weir_limiter_resume(native_); }
  weir_limiter_stats stats() const { return stats_by(weir_limiter_get_stats); }

 private:
  static weir_limiter_options to_c(const limiter_options &from,
                                   const detail::failure_ranges &ranges) {
    weir_limiter_options to = WEIR_LIMITER_OPTIONS_INIT;
    to.algorithm = static_cast<std::uint32_t>(from.algorithm);
    to.permits = from.permits;
    to.interval_ms = from.interval.count();
    to.burst = from.burst;
    to.max_concurrent = from.max_concurrent;
    to.max_queue = from.max_queue;
    to.queue_timeout_ms = from.queue_timeout.count();
    to.queue_order = static_cast<std::uint32_t>(from.queue_order);
    to.key_overflow = static_cast<std::uint32_t>(from.key_overflow);
    to.max_keys = from.max_keys;
    to.adaptive = static_cast<std::uint32_t>(from.adaptive);
    to.early_release = from.early_release ? 1 : 0;
    to.adaptive_min = from.adaptive_min;
    to.adaptive_max = from.adaptive_max;
    to.adaptive_latency_ms = from.adaptive_latency.count();
    to.adaptive_backoff = from.adaptive_backoff;
    to.adaptive_tolerance = from.adaptive_tolerance;
    ranges.give_to(to, from.classify);
    to.name = detail::text(from.name);
    return to;
  }
};

// See limiter::make_bulkhead().
inline limiter bulkhead(const runtime &runtime, std::int64_t max_concurrent,
                        std::int64_t queue_limit, const std::string &name = {}) {
  return limiter::make_bulkhead(runtime, max_concurrent, queue_limit, name).value();
}

}  // namespace cpp
}  // namespace weir
