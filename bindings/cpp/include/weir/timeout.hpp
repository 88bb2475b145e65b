// SPDX-License-Identifier: MIT
//
// Timeouts: what takes too long settles at once with status::timed_out. See weir/timeout.h.

#pragma once

#include "weir/policy.hpp"

namespace weir {
inline namespace cpp {

struct timeout_options {
  // Required, unless timeout_for is set; 0 or more, or `forever`.
  milliseconds timeout{-2};
  // Asked for each run, instead; gets the run's context and key. 0 fires on the next turn.
  function<milliseconds(void *context, std::string_view key)> timeout_for{};
  std::string message{};  // empty: "NAME timed out after N ms"
  std::string name{};
};

class timeout : public detail::policy_of<timeout, weir_timeout, weir_policy_timeout> {
 public:
  timeout() = default;
  timeout(const weir::runtime &runtime, const timeout_options &options)
      : timeout(make(runtime, options).value()) {}
  timeout(const weir::runtime &runtime, milliseconds time, const std::string &name = {})
      : timeout(runtime, simple(time, name)) {}
  static result<timeout> make(const weir::runtime &runtime, const timeout_options &options) {
    weir_timeout_options c = to_c(options);
    weir_timeout *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_timeout_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime.get(), made, weir_timeout_policy);
  }
  // Changes all options but the name, which must be empty; runs that entered before keep theirs.
  result<void> set_options(const timeout_options &options) const {
    weir_timeout_options c = to_c(options);
    weir_error *why = nullptr;
    return detail::done(weir_timeout_set_options(native_, &c, &why), why);
  }
  weir_timeout_stats stats() const { return stats_by(weir_timeout_get_stats); }

 private:
  static timeout_options simple(milliseconds time, const std::string &name) {
    timeout_options options;
    options.timeout = time;
    options.name = name;
    return options;
  }
  static weir_timeout_options to_c(const timeout_options &from) {
    weir_timeout_options to = WEIR_TIMEOUT_OPTIONS_INIT;
    to.timeout_ms = from.timeout.count();
    detail::give(
        from.timeout_for,
        +[](void *data, void *context, const void *key, std::size_t size) -> std::int64_t {
          std::string_view bytes(static_cast<const char *>(key), size);
          return decltype(from.timeout_for)::call(data, context, bytes).count();
        },
        to.timeout_for, to.timeout_data, to.timeout_free_data);
    to.message = detail::text(from.message);
    to.name = detail::text(from.name);
    return to;
  }
};

}  // namespace cpp
}  // namespace weir
