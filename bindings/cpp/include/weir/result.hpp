// SPDX-License-Identifier: MIT
//
// A value or an error, in the manner of std::expected. Moving and copying are those of T.
//
//   weir::result<int> answer = call.get();
//   if (answer) use(*answer); else log(answer.error().message());
//   use(answer.value());   // throws what the operation threw, or a weir::exception

#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "weir/error.hpp"

namespace weir {
inline namespace cpp {

template <class T>
class result;

// What stands for the value of an operation without one where a type is needed.
using unit = std::monostate;
template <class T>
using value_or_unit = std::conditional_t<std::is_void_v<T>, unit, T>;

namespace detail {

template <class T>
struct is_result : std::false_type {};
template <class T>
struct is_result<result<T>> : std::true_type {};

// result<U> of what F returns, which is a U or a result<U> itself.
template <class R>
struct as_result {
  using type = result<R>;
};
template <class R>
struct as_result<result<R>> {
  using type = result<R>;
};

}  // namespace detail

template <class T>
class [[nodiscard]] result {
  static_assert(!std::is_reference_v<T>, "a result holds an object");
  static_assert(!std::is_same_v<std::remove_cv_t<T>, weir::error>,
                "a function that only fails says so: -> weir::result<T>");

 public:
  using value_type = T;

  template <class U = T, std::enable_if_t<std::is_constructible_v<T, U &&> &&
                                              !detail::is_result<std::decay_t<U>>::value &&
                                              !std::is_same_v<std::decay_t<U>, weir::error>,
                                          int> = 0>
  result(U &&value) : content_(std::in_place_index<0>, std::forward<U>(value)) {}
  result(weir::error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // The value; without one it throws (error().raise()).
  T &value() & {
    if (!has_value()) error().raise();
    return **this;
  }
  const T &value() const & {
    if (!has_value()) error().raise();
    return **this;
  }
  T value() && {
    if (!has_value()) error().raise();
    return std::move(**this);
  }
  template <class U>
  T value_or(U &&other) const & {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  T value_or(U &&other) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(other));
  }

  // Only if has_value().
  T &operator*() & { return *std::get_if<0>(&content_); }
  const T &operator*() const & { return *std::get_if<0>(&content_); }
  T &&operator*() && { return std::move(*std::get_if<0>(&content_)); }
  T *operator->() { return std::get_if<0>(&content_); }
  const T *operator->() const { return std::get_if<0>(&content_); }

  // Only if not has_value().
  weir::error &error() & { return *std::get_if<1>(&content_); }
  const weir::error &error() const & { return *std::get_if<1>(&content_); }
  weir::error error() && { return std::move(*std::get_if<1>(&content_)); }

  // The result of function(value), which is a result; or the error.
  template <class F>
  auto and_then(F &&function) && -> std::invoke_result_t<F, T &&> {
    if (!has_value()) return std::move(*this).error();
    return std::forward<F>(function)(std::move(**this));
  }
  template <class F>
  auto and_then(F &&function) const & -> std::invoke_result_t<F, const T &> {
    if (!has_value()) return error();
    return std::forward<F>(function)(**this);
  }
  // A result of what function(value) returns; or the error.
  template <class F>
  auto transform(F &&function) && -> result<std::invoke_result_t<F, T &&>> {
    if (!has_value()) return std::move(*this).error();
    if constexpr (std::is_void_v<std::invoke_result_t<F, T &&>>) {
      std::forward<F>(function)(std::move(**this));
      return {};
    } else {
      return std::forward<F>(function)(std::move(**this));
    }
  }
  // This value; or what function(error) returns, a result of the same type.
  template <class F>
  result or_else(F &&function) && {
    if (has_value()) return std::move(*this);
    return std::forward<F>(function)(std::move(*this).error());
  }

 private:
  std::variant<T, weir::error> content_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  result() = default;
  result(unit) {}
  result(weir::error error) : error_(std::move(error)) {}

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  void value() const {
    if (error_) error_->raise();
  }
  // Only if not has_value().
  const weir::error &error() const { return *error_; }

  template <class F>
  auto and_then(F &&function) const -> std::invoke_result_t<F> {
    if (error_) return *error_;
    return std::forward<F>(function)();
  }
  template <class F>
  auto transform(F &&function) const -> result<std::invoke_result_t<F>> {
    if (error_) return *error_;
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::forward<F>(function)();
      return {};
    } else {
      return std::forward<F>(function)();
    }
  }
  template <class F>
  result or_else(F &&function) const {
    if (!error_) return *this;
    return std::forward<F>(function)(*error_);
  }

 private:
  std::optional<weir::error> error_;
};

namespace detail {

// The result of a function of the C API that makes something.
inline result<void> done(weir_status status, weir_error *made = nullptr) {
  if (status == WEIR_OK) return {};
  return error::adopt(status, made);
}

}  // namespace detail
}  // namespace cpp
}  // namespace weir
