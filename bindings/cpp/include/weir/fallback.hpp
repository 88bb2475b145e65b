// SPDX-License-Identifier: MIT
//
// Fallbacks answer in the place of what failed or was refused. See weir/fallback.h.
//
//   auto fallback = weir::fallback::with_value(runtime, profile::anonymous());
//   weir::fallback other{runtime, weir::operation{runtime, [](weir::attempt &attempt) {
//     return stale_copy(attempt.failed()->error()); }}};
//
// The value, or the operation's, must be of the type of what the fallback is put around; otherwise
// that is the error (status::invalid).

#pragma once

#include "weir/operation.hpp"

namespace weir {
inline namespace cpp {

struct fallback_options {
  classifier classify{};  // judges the inside
  std::vector<error_range> failures{};
  std::string name{};
};

class fallback : public policy {
 public:
  fallback() = default;
  // The operation runs with the run's input and the time that is left; attempt.failed() says how
  // the inside ended.
  template <class T, class Input>
  fallback(const weir::runtime &runtime, const operation<T, Input> &instead,
           const fallback_options &options = {})
      : fallback(make(runtime, instead, options).value()) {}
  template <class T, class Input>
  static result<fallback> make(const weir::runtime &runtime, const operation<T, Input> &instead,
                               const fallback_options &options = {}) {
    return create(runtime, options, nullptr, instead.get());
  }
  // The same value for all, which is shared: T is copyable.
  template <class T>
  static fallback with_value(const weir::runtime &runtime, T value,
                             const fallback_options &options = {}) {
    return make_with_value(runtime, std::move(value), options).value();
  }
  template <class T>
  static result<fallback> make_with_value(const weir::runtime &runtime, T value,
                                          const fallback_options &options = {}) {
    return create(runtime, options, detail::encode_object(std::move(value)).get(), nullptr);
  }
  // For operations without a value.
  static fallback with_nothing(const weir::runtime &runtime, const fallback_options &options = {}) {
    return create(runtime, options, nullptr, nullptr).value();
  }

  // Change all options but the name, which must be empty; runs that entered before keep theirs.
  template <class T, class Input>
  result<void> set_options(const operation<T, Input> &instead,
                           const fallback_options &options) const {
    return change(options, nullptr, instead.get());
  }
  template <class T>
  result<void> set_options_with_value(T value, const fallback_options &options) const {
    return change(options, detail::encode_object(std::move(value)).get(), nullptr);
  }
  weir_fallback_stats stats() const {
    weir_fallback_stats stats{};
    stats.size = sizeof stats;
    weir_fallback_get_stats(native_, &stats);
    return stats;
  }
  weir_fallback *native() const { return native_; }

 private:
  static result<fallback> create(const weir::runtime &runtime, const fallback_options &options,
                                 weir_value *value, weir_operation *operation) {
    detail::failure_ranges ranges(options.failures);
    weir_fallback_options c = to_c(options, ranges, value, operation);
    weir_fallback *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_fallback_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    fallback result;
    static_cast<policy &>(result) = policy::adopt(runtime.get(), weir_fallback_policy(made));
    result.native_ = made;
    return result;
  }
  result<void> change(const fallback_options &options, weir_value *value,
                      weir_operation *operation) const {
    detail::failure_ranges ranges(options.failures);
    weir_fallback_options c = to_c(options, ranges, value, operation);
    weir_error *why = nullptr;
    return detail::done(weir_fallback_set_options(native_, &c, &why), why);
  }
  static weir_fallback_options to_c(const fallback_options &from,
                                    const detail::failure_ranges &ranges, weir_value *value,
                                    weir_operation *operation) {
    weir_fallback_options to = WEIR_FALLBACK_OPTIONS_INIT;
    to.has_value = operation == nullptr ? 1 : 0;
    to.value = value;
    to.operation = operation;
    ranges.give_to(to, from.classify);
    to.name = detail::text(from.name);
    return to;
  }

  detail::lent<weir_fallback> native_;
};

}  // namespace cpp
}  // namespace weir
