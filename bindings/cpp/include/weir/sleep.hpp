// SPDX-License-Identifier: MIT
//
// Operations that wait. By themselves timers; among racers timeouts or fallbacks. See weir/sleep.h.
// Each throws what it is refused with; its make_ form gives that as a result.

#pragma once

#include "weir/detail/composed.hpp"

namespace weir {
inline namespace cpp {

// The general form, as weir_sleep_new(): settles after `time` (0 or more, or `forever`) with
// `value` if `ended` is ok, else with `failure` or a bare error of that status. What is given is
// shared by all runs.
template <class T>
result<operation<T>> make_sleep_as(const runtime &runtime, milliseconds time, weir::status ended,
                                   const value &value, const std::optional<error> &failure = {}) {
  detail::error_handle held;
  if (failure) held = detail::error_handle::adopt(failure->share_or_make());
  return detail::compose<operation<T>>(runtime.get(), [&](weir_operation **made, weir_error **why) {
    return weir_sleep_new(runtime.get(), time.count(), static_cast<weir_status>(ended), value.get(),
                          held.get(), made, why);
  });
}
template <class T>
operation<T> sleep_as(const runtime &runtime, milliseconds time, weir::status ended,
                      const value &value, const std::optional<error> &failure = {}) {
  return make_sleep_as<T>(runtime, time, ended, value, failure).value();
}

// Succeeds after `time` (0 or more, or `forever`).
inline result<operation<void>> make_sleep(const runtime &runtime, milliseconds time) {
  return make_sleep_as<void>(runtime, time, status::ok, {});
}
inline operation<void> sleep(const runtime &runtime, milliseconds time) {
  return sleep_as<void>(runtime, time, status::ok, {});
}
// The same with a value: T is copyable.
template <class T>
result<operation<T>> make_sleep(const runtime &runtime, milliseconds time, T value) {
  return make_sleep_as<T>(runtime, time, status::ok,
                          weir::value(detail::encode_object(std::move(value))));
}
template <class T>
operation<T> sleep(const runtime &runtime, milliseconds time, T value) {
  return make_sleep(runtime, time, std::move(value)).value();
}
// Fails after `time`, as an operation that would give a T.
template <class T = void>
result<operation<T>> make_sleep_and_fail(const runtime &runtime, milliseconds time,
                                         const error &failure = error(status::timed_out)) {
  std::optional<error> own;
  if (failure.get() != nullptr) own = failure;
  return make_sleep_as<T>(runtime, time, failure.status(), {}, own);
}
template <class T = void>
operation<T> sleep_and_fail(const runtime &runtime, milliseconds time,
                            const error &failure = error(status::timed_out)) {
  return make_sleep_and_fail<T>(runtime, time, failure).value();
}

}  // namespace cpp
}  // namespace weir
