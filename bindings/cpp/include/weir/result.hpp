// SPDX-License-Identifier: MIT
//
// A value or an error, in the manner of std::expected. Moving and copying are those of T; there is
// always one of both, also where T's own functions throw. A result that was moved from has what it
// had, moved from.
//
//   weir::result<int> answer = call.get();
//   if (answer) use(*answer); else log(answer.error().message());
//   use(answer.value());   // throws what the operation threw, or a weir::exception

#pragma once

#include <type_traits>
#include <utility>

#include "weir/error.hpp"

namespace weir {
inline namespace cpp {

template <class T>
class result;

// What stands for the value of an operation without one where a type is needed.
struct unit {
  friend constexpr bool operator==(unit, unit) noexcept { return true; }
  friend constexpr bool operator!=(unit, unit) noexcept { return false; }
};
template <class T>
using value_or_unit = std::conditional_t<std::is_void_v<T>, unit, T>;

namespace detail {

template <class T>
struct is_result : std::false_type {};
template <class T>
struct is_result<result<T>> : std::true_type {};

// A T or an error. Errors move without throwing, so what was there can be put back if making a T
// throws.
template <class T>
class either {
  static_assert(std::is_nothrow_move_constructible_v<error>, "an error can be put back");

 public:
  template <class U>
  either(std::true_type, U &&value) : has_value_(true), value_(std::forward<U>(value)) {}
  either(std::false_type, weir::error &&error) noexcept
      : has_value_(false), error_(std::move(error)) {}
  either(const either &other) : has_value_(other.has_value_) { fill(other); }
  either(either &&other) noexcept(std::is_nothrow_move_constructible_v<T>)
      : has_value_(other.has_value_) {
    fill(std::move(other));
  }
  either &operator=(const either &other) {
    if (this != &other) assign(other);
    return *this;
  }
  either &operator=(either &&other) noexcept(
      std::is_nothrow_move_constructible_v<T> &&std::is_nothrow_move_assignable_v<T>) {
    if (this != &other) assign(std::move(other));
    return *this;
  }
  ~either() {
    if (has_value_) {
      value_.~T();
    } else {
      error_.~error();
    }
  }

  bool has_value() const noexcept { return has_value_; }
  T *value() noexcept { return std::addressof(value_); }
  const T *value() const noexcept { return std::addressof(value_); }
  weir::error *failure() noexcept { return &error_; }
  const weir::error *failure() const noexcept { return &error_; }

 private:
  template <class U>
  void make_value(U &&from) {
    ::new (const_cast<void *>(static_cast<const void *>(value()))) T(std::forward<U>(from));
  }
  void make_error(weir::error &&from) noexcept {
    ::new (static_cast<void *>(&error_)) weir::error(std::move(from));
  }
  void fill(const either &other) {
    if (has_value_) {
      make_value(other.value_);
    } else {
      make_error(weir::error(other.error_));
    }
  }
  void fill(either &&other) {
    if (has_value_) {
      make_value(std::move(other.value_));
    } else {
      make_error(std::move(other.error_));
    }
  }
  template <class Other>
  void assign(Other &&other) {
    if (has_value_ && other.has_value_) {
      value_ = std::forward<Other>(other).value_;
    } else if (other.has_value_) {
      replace_error(std::forward<Other>(other).value_);
    } else if (has_value_) {
      weir::error taken(std::forward<Other>(other).error_);
      value_.~T();
      make_error(std::move(taken));
      has_value_ = false;
    } else {
      error_ = std::forward<Other>(other).error_;
    }
  }
  template <class U>
  void replace_error(U &&from) {
    struct keeper {
      either *self;
      weir::error kept;
      ~keeper() {
        if (self != nullptr) self->make_error(std::move(kept));
      }
    } keeps{this, std::move(error_)};
    error_.~error();
    make_value(std::forward<U>(from));
    has_value_ = true;
    keeps.self = nullptr;
  }

  bool has_value_;
  union {
    T value_;
    weir::error error_;
  };
};

// Takes copying away from results of what cannot be copied.
template <bool Construct, bool Assign>
struct copies {};
template <>
struct copies<true, false> {
  copies() = default;
  copies(const copies &) = default;
  copies(copies &&) = default;
  copies &operator=(const copies &) = delete;
  copies &operator=(copies &&) = default;
};
template <bool Assign>
struct copies<false, Assign> {
  copies() = default;
  copies(const copies &) = delete;
  copies(copies &&) = default;
  copies &operator=(const copies &) = delete;
  copies &operator=(copies &&) = default;
};
template <class T>
using copies_of = copies<std::is_copy_constructible_v<T>, std::is_copy_assignable_v<T>>;

// Whether a result<T> is made of a U that is a value.
template <class T, class U>
inline constexpr bool is_value_for =
    std::is_constructible_v<T, U &&> && !is_result<std::decay_t<U>>::value &&
    !std::is_same_v<std::decay_t<U>, weir::error>;

}  // namespace detail

template <class T>
class [[nodiscard]] result : private detail::copies_of<T> {
  static_assert(!std::is_reference_v<T>, "a result holds an object");
  static_assert(!std::is_same_v<std::remove_cv_t<T>, weir::error>,
                "a function that only fails says so: -> weir::result<T>");

 public:
  using value_type = T;

  // Of a value; explicit where making a T of it is.
  template <class U = T,
            std::enable_if_t<detail::is_value_for<T, U> && std::is_convertible_v<U &&, T>, int> = 0>
  result(U &&value) : content_(std::true_type(), std::forward<U>(value)) {}
  template <
      class U = T,
      std::enable_if_t<detail::is_value_for<T, U> && !std::is_convertible_v<U &&, T>, int> = 0>
  explicit result(U &&value) : content_(std::true_type(), std::forward<U>(value)) {}
  result(weir::error error) noexcept : content_(std::false_type(), std::move(error)) {}
  // Of a result of a type that becomes a T.
  template <class U, std::enable_if_t<!std::is_same_v<U, T> && !std::is_void_v<U> &&
                                          std::is_convertible_v<U &&, T>,
                                      int> = 0>
  result(result<U> other)
      : result(other.has_value() ? result(T(*std::move(other)))
                                 : result(std::move(other).error())) {}

  bool has_value() const noexcept { return content_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
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
  T &operator*() &noexcept { return *content_.value(); }
  const T &operator*() const &noexcept { return *content_.value(); }
  T &&operator*() &&noexcept { return std::move(*content_.value()); }
  T *operator->() noexcept { return content_.value(); }
  const T *operator->() const noexcept { return content_.value(); }

  // Only if not has_value().
  weir::error &error() &noexcept { return *content_.failure(); }
  const weir::error &error() const &noexcept { return *content_.failure(); }
  weir::error error() &&noexcept { return std::move(*content_.failure()); }

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
  detail::either<T> content_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  result() = default;
  result(unit) {}
  result(weir::error error) noexcept : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) error_->raise();
  }
  // Only if not has_value().
  weir::error &error() &noexcept { return *error_; }
  const weir::error &error() const &noexcept { return *error_; }
  weir::error error() &&noexcept { return *std::move(error_); }

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
