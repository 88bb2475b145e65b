// SPDX-License-Identifier: MIT
//
// Runs an operation again and again until its value is what is waited for. See weir/poll.h.

#pragma once

#include "weir/detail/composed.hpp"

namespace weir {
inline namespace cpp {

template <class T>
struct poll_options {
  milliseconds interval{-2};              // required; 0 or more; from the end of a try
  std::int64_t max_attempts = unlimited;  // tries, at least 1
  milliseconds max_elapsed = forever;     // from the first try; 0 or more
  // Is it the one? On the runtime's thread; empty: any value is.
  function<bool(const T &)> until{};
  std::string name{};
};

// Ends with the value that was accepted, or with the last error, or with status::exhausted and the
// last value (error.detail_as<T>()).
template <class T, class Input>
result<operation<T, Input>> make_poll(const operation<T, Input> &tried,
                                      const detail::same<poll_options<T>> &options) {
  weir_poll_options c = WEIR_POLL_OPTIONS_INIT;
  c.interval_ms = options.interval.count();
  c.max_attempts = options.max_attempts;
  c.max_elapsed_ms = options.max_elapsed.count();
  detail::give(
      options.until,
      +[](void *data, const weir_outcome *lent) -> std::int32_t {
        return detail::look_at<T>(lent->value, [data](const T *value) {
          return value != nullptr && function<bool(const T &)>::call(data, *value) ? 1 : 0;
        });
      },
      c.until, c.until_data, c.until_free_data);
  c.name = detail::text(options.name);
  return detail::compose<operation<T, Input>>(tried.runtime(),
                                              [&](weir_operation **made, weir_error **why) {
                                                return weir_poll_new(tried.get(), &c, made, why);
                                              });
}
// Throws what it is refused with.
template <class T, class Input>
operation<T, Input> poll(const operation<T, Input> &tried,
                         const detail::same<poll_options<T>> &options) {
  return make_poll(tried, options).value();
}

}  // namespace cpp
}  // namespace weir
