// SPDX-License-Identifier: MIT
//
// What went wrong, as a value: a status, a message, the user's own domain and code, what it was
// caused by, and when to try again. Cheap to copy; outlives its runtime.
//
//   return weir::error(503, "overloaded", weir::domain::http).with_retry_after(2s);
//
// An exception that left a user's function is inside: error.exception() is the same object, and
// result.value() rethrows it.

#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/detail/box.hpp"
#include "weir/rejection.hpp"

namespace weir {
inline namespace cpp {

class error {
 public:
  // A user's own error (status::failed).
  explicit error(std::int64_t code, std::string_view message = {},
                 weir::domain domain = weir::domain::user)
      : status_(WEIR_EFAILED) {
    weir_error *made = nullptr;
    weir_error_new(nullptr, static_cast<std::uint32_t>(domain), code, std::string(message).c_str(),
                   &made);
    error_ = detail::error_handle::adopt(made);
  }
  // An error of weir's own by its status.
  explicit error(weir::status status) : status_(static_cast<weir_status>(status)) {}

  WEIR_CPP_COLD error(const error &other) = default;
  error(error &&other) noexcept = default;
  error &operator=(const error &other) = default;
  error &operator=(error &&other) noexcept = default;
  WEIR_CPP_COLD ~error() = default;

  // What a function of the C API failed with; takes over the reference.
  static error adopt(weir_status status, weir_error *made) {
    error result{static_cast<weir::status>(status)};
    result.error_ = detail::error_handle::adopt(made);
    return result;
  }
  // Of an error that was lent.
  static error of(weir_error *lent) {
    error result{static_cast<weir::status>(weir_error_status(lent))};
    result.error_ = detail::error_handle::share(lent);
    return result;
  }
  // Of an outcome that is none of success; the outcome may go afterwards.
  WEIR_CPP_COLD static error of(const weir_outcome &outcome) {
    error result{static_cast<weir::status>(outcome.status)};
    result.error_ = detail::error_handle::share(outcome.error);
    result.value_ = detail::value_handle::share(outcome.value);
    result.attempts_ = outcome.attempts;
    result.stop_reason_ = outcome.stop_reason;
    result.cancel_reason_ = outcome.cancel_reason;
    result.final_ = outcome.final != 0;
    result.retry_after_ms_ = outcome.retry_after_ms;
    if (outcome.rejection != nullptr) {
      result.rejection_ = std::make_shared<const weir::rejection>(*outcome.rejection);
    }
    return result;
  }

  weir::status status() const { return static_cast<weir::status>(status_); }
  // Valid as long as this error, or a copy of it.
  std::string_view message() const { return c_message(); }
  weir::domain domain() const { return static_cast<weir::domain>(weir_error_domain(get())); }
  std::int64_t code() const { return error_ ? weir_error_code(get()) : status_; }

  // The errors that an aggregate lists, in their order, or else what caused this one, if anything.
  std::vector<error> causes() const {
    std::vector<error> list;
    for (std::size_t i = 0; i < weir_error_count(get()); ++i) {
      std::size_t index = 0;
      list.push_back(of(weir_error_at(get(), i, &index)));
      list.back().index_ = index;
    }
    if (list.empty() && weir_error_cause(get()) != nullptr) {
      list.push_back(of(weir_error_cause(get())));
    }
    return list;
  }
  // Of an aggregate's cause: which operation, copy or item it came from.
  std::size_t index() const { return index_; }

  // When trying again makes sense; empty if nobody said.
  std::optional<milliseconds> retry_after() const { return detail::optional_ms(retry_after_ms_); }
  // Set if a policy's refusal decided, or stopped a retry; valid as long as this error.
  const weir::rejection *rejection() const { return rejection_.get(); }
  // Attempts that were started in the run.
  std::uint32_t attempts() const { return attempts_; }
  weir::stop_reason stop_reason() const { return static_cast<weir::stop_reason>(stop_reason_); }
  weir::cancel_reason cancel_reason() const {
    return static_cast<weir::cancel_reason>(cancel_reason_);
  }
  bool is_refusal() const {
    return status_ == WEIR_EOPEN || status_ == WEIR_ELIMITED || status_ == WEIR_EFULL ||
           status_ == WEIR_ENOTIME;
  }
  bool is_final() const { return final_; }

  // What the user's function threw, itself: of this error or the nearest cause; empty if none.
  std::exception_ptr exception() const {
    for (weir_error *at = get(); at != nullptr; at = weir_error_cause(at)) {
      if (auto *thrown = detail::unbox<std::exception_ptr>(weir_error_detail(at))) return *thrown;
    }
    return nullptr;
  }
  // The object that with_detail() put in, if it is a T; or, of status::exhausted, the value that
  // was judged a failure. Valid as long as this error; else NULL.
  template <class T>
  const T *detail_as() const {
    if (auto *value = detail::unbox<T>(value_.get())) return value;
    for (weir_error *at = get(); at != nullptr; at = weir_error_cause(at)) {
      if (auto *found = detail::unbox<T>(weir_error_detail(at))) return found;
    }
    return nullptr;
  }

  // How an attempt that ends with this error is to be judged; see weir_completion. A negative
  // delay: nobody said.
  error with_retry_after(milliseconds delay) && {
    retry_after_ms_ = delay.count() < 0 ? WEIR_OFF : delay.count();
    return std::move(*this);
  }
  // No layer tries again.
  error as_final() && {
    final_ = true;
    return std::move(*this);
  }
  error with_class(classification judged) && {
    class_ = static_cast<std::uint32_t>(judged);
    return std::move(*this);
  }
  // An object of the user's that goes along; detail_as() finds it.
  template <class T>
  error with_detail(T object) && {
    rebuild(weir_error_cause(get()), detail::box_up(std::move(object)).get());
    return std::move(*this);
  }
  error with_cause(const error &cause) && {
    rebuild(cause.get(), weir_error_detail(get()));
    return std::move(*this);
  }

  // Rethrows what the user's function threw, or throws the exception of the status
  // (weir/exception.hpp). Without exceptions: says it on stderr and aborts.
  [[noreturn]] void raise() const;

  weir_error *get() const { return error_.get(); }
  const char *c_message() const {
    const char *text = weir_error_message(get());
    return *text != '\0' ? text : weir_status_message(status_);
  }
  weir_completion completion() const {
    weir_completion made = WEIR_COMPLETION_INIT;
    made.class_ = class_ <= WEIR_CLASS_ABANDON ? class_ : std::uint32_t{WEIR_CLASS_NONE};
    made.final = final_ ? 1 : 0;
    made.retry_after_ms = retry_after_ms_;
    return made;
  }
  // For completing with: a reference of what there is, or of a user's error that says as much; NULL
  // without memory.
  weir_error *share_or_make() const {
    if (error_) return weir_error_ref(get());
    weir_error *made = nullptr;
    weir_error_new(nullptr, WEIR_DOMAIN_WEIR, status_, c_message(), &made);
    return made;
  }

 private:
  void rebuild(weir_error *cause, weir_value *detail) {
    weir_error *made = nullptr;
    weir_error_new_with(nullptr, weir_error_domain(get()), code(), c_message(), cause, detail,
                        &made);
    if (made != nullptr) error_ = detail::error_handle::adopt(made);
  }

  weir_status status_;
  std::uint32_t attempts_ = 0;
  std::uint32_t stop_reason_ = 0;
  std::uint32_t cancel_reason_ = 0;
  std::uint32_t class_ = WEIR_CLASS_NONE;
  bool final_ = false;
  std::int64_t retry_after_ms_ = WEIR_OFF;
  std::size_t index_ = 0;
  detail::error_handle error_;
  detail::value_handle value_;
  std::shared_ptr<const weir::rejection> rejection_;
};

}  // namespace cpp
}  // namespace weir

#include "weir/exception.hpp"
