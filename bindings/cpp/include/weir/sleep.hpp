// SPDX-License-Identifier: MIT
//
// Operations that wait. By themselves timers; among racers timeouts or fallbacks. See weir/sleep.h.

#pragma once

#include "weir/operation.hpp"

namespace weir {
inline namespace cpp {
namespace detail {

inline weir_operation *make_sleep(const runtime &runtime, milliseconds time, weir_status status,
                                  weir_value *value, weir_error *failure) {
  weir_operation *made = nullptr;
  weir_error *why = nullptr;
  weir_status answer =
      weir_sleep_new(runtime.get(), time.count(), status, value, failure, &made, &why);
  if (answer != WEIR_OK) error::adopt(answer, why).raise();
  return made;
}

}  // namespace detail

// Succeeds after `time` (0 or more, or `forever`).
inline operation<void> sleep(const runtime &runtime, milliseconds time) {
  return operation<void>::adopt(runtime.get(),
                                detail::make_sleep(runtime, time, WEIR_OK, nullptr, nullptr));
}
// The same with a value, which all its runs share: T is copyable.
template <class T>
operation<T> sleep(const runtime &runtime, milliseconds time, T value) {
  auto held = detail::encode_object(std::move(value));
  return operation<T>::adopt(runtime.get(),
                             detail::make_sleep(runtime, time, WEIR_OK, held.get(), nullptr));
}
// Fails after `time`, as an operation that would give a T.
template <class T = void>
operation<T> sleep_and_fail(const runtime &runtime, milliseconds time,
                            const error &failure = error(status::timed_out)) {
  return operation<T>::adopt(
      runtime.get(), detail::make_sleep(runtime, time, static_cast<weir_status>(failure.status()),
                                        nullptr, failure.get()));
}

}  // namespace cpp
}  // namespace weir
