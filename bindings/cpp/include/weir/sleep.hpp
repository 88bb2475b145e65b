// SPDX-License-Identifier: MIT
//
// Operations that wait. By themselves timers; among racers timeouts or fallbacks. See weir/sleep.h.

#pragma once

#include "weir/detail/composed.hpp"

namespace weir {
inline namespace cpp {

// The general form, as weir_sleep_new(): settles after `time` (0 or more, or `forever`) with
// `value` if `ended` is ok, else with `failure` or a bare error of that status. What is given is
// shared by all runs. Throws what it is refused with, as all here.
template <class T>
operation<T> sleep_as(const runtime &runtime, milliseconds time, weir::status ended,
                      const value &value, const std::optional<error> &failure = {}) {
  detail::error_handle held;
  if (failure) held = detail::error_handle::adopt(failure->share_or_make());
  return detail::compose<operation<T>>(runtime.get(), [&](weir_operation **made, weir_error **why) {
    return weir_sleep_new(runtime.get(), time.count(), static_cast<weir_status>(ended), value.get(),
                          held.get(), made, why);
  });
}

// Succeeds after `time` (0 or more, or `forever`).
inline operation<void> sleep(const runtime &runtime, milliseconds time) {
  return sleep_as<void>(runtime, time, status::ok, {});
}
// The same with a value: T is copyable.
template <class T>
operation<T> sleep(const runtime &runtime, milliseconds time, T value) {
  return sleep_as<T>(runtime, time, status::ok,
                     weir::value(detail::encode_object(std::move(value))));
}
// Fails after `time`, as an operation that would give a T.
template <class T = void>
operation<T> sleep_and_fail(const runtime &runtime, milliseconds time,
                            const error &failure = error(status::timed_out)) {
  std::optional<error> own;
  if (failure.get() != nullptr) own = failure;
  return sleep_as<T>(runtime, time, failure.status(), {}, own);
}

}  // namespace cpp
}  // namespace weir
