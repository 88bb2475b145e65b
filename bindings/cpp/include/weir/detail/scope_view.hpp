// SPDX-License-Identifier: MIT
//
// What a run, or an attempt, sees of the scope that it is in: its values and its log. Lent: valid
// while the scope is, or until the attempt is completed. See weir/scope.hpp.

#pragma once

#include "weir/runtime.hpp"

namespace weir {
inline namespace cpp {

class scope_view {
 public:
  scope_view() = default;
  explicit scope_view(weir_scope *lent) : lent_(lent) {}
  // The scope of the run whose function is running on this thread; empty if there is none.
  static scope_view current(const runtime &runtime) {
    return scope_view(weir_scope_current(runtime.get()));
  }

  explicit operator bool() const { return lent_ != nullptr; }
  weir_scope *get() const { return lent_; }

  // Values: who runs in the scope sees them, and those of the scopes around it, the innermost
  // first. Keys are 1 to 255 bytes. A number, bytes and objects are of different types: get what
  // was set.
  result<void> set_number(const std::string &key, std::int64_t number) const {
    return detail::done(weir_scope_set_int64(lent_, key.c_str(), number));
  }
  result<void> set_bytes(const std::string &key, std::string_view bytes) const {
    return detail::done(weir_scope_set_bytes(lent_, key.c_str(), bytes.data(), bytes.size()));
  }
  template <class T>
  result<void> set(const std::string &key, T object) const {
    detail::value_handle value = detail::encode_object(std::move(object));
    return detail::done(weir_scope_set_value(lent_, key.c_str(), value.get()));
  }
  // Errors of all: not_found (none of that key, or of another type).
  result<std::int64_t> number(const std::string &key) const {
    std::int64_t number = 0;
    weir_status status = weir_scope_get_int64(lent_, key.c_str(), &number);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return number;
  }
  result<std::string> bytes(const std::string &key) const {
    std::string bytes;
    for (;;) {
      std::size_t size = 0;
      weir_status status =
          weir_scope_get_bytes(lent_, key.c_str(), bytes.data(), bytes.size(), &size);
      if (status != WEIR_OK) return error(static_cast<weir::status>(status));
      bool all = size <= bytes.size();
      bytes.resize(size);
      if (all) return bytes;
    }
  }
  template <class T>
  result<shared<T>> get(const std::string &key) const {
    weir_value *value = nullptr;
    weir_status status = weir_scope_get_value(lent_, key.c_str(), &value);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    shared<T> object(detail::value_handle::adopt(value));
    if (!object) return error(weir::status::not_found);
    return object;
  }

  // Any value, bytes as one, too.
  result<weir::value> value(const std::string &key) const {
    weir_value *value = nullptr;
    weir_status status = weir_scope_get_value(lent_, key.c_str(), &value);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return weir::value(detail::value_handle::adopt(value));
  }

  // A line in the runtime's log, under the names of the scopes from the outermost on.
  void log(log_level level, const std::string &message) const {
    weir_scope_log(lent_, static_cast<std::int32_t>(level), message.c_str());
  }

 protected:
  weir_scope *lent_ = nullptr;
};

}  // namespace cpp
}  // namespace weir
