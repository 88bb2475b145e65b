// SPDX-License-Identifier: MIT
//
// What result.value() and the constructors throw: one type for each family of statuses, all with
// the error inside. What a user's function threw comes back as itself, not wrapped in these.

#pragma once

#include <exception>
#include <system_error>

#include "weir/error.hpp"

namespace weir {
inline namespace cpp {

class exception : public std::exception {
 public:
  explicit exception(weir::error error) : error_(std::move(error)) {}
  exception(const exception &other) = default;
  exception &operator=(const exception &other) = default;
  WEIR_CPP_COLD ~exception() override = default;

  const char *what() const noexcept override { return error_.c_message(); }
  const weir::error &error() const { return error_; }
  weir::status status() const { return error_.status(); }

 private:
  weir::error error_;
};

// A policy refused: nothing was tried.
struct refused_error : exception {
  using exception::exception;
};
// A circuit breaker is open.
struct open_error : refused_error {
  using refused_error::refused_error;
};
// A limiter refused.
struct limited_error : refused_error {
  using refused_error::refused_error;
};
// A queue, or the runtime's limit of calls in flight, is full.
struct full_error : refused_error {
  using refused_error::refused_error;
};
// It did not fit into the time that was left.
struct no_time_error : refused_error {
  using refused_error::refused_error;
};
// A timeout or a deadline passed.
struct timeout_error : exception {
  using exception::exception;
};
struct cancelled_error : exception {
  using exception::exception;
};
// A later call took this one's place.
struct superseded_error : exception {
  using exception::exception;
};
// The runtime, scope, pool or queue is closed.
struct closed_error : exception {
  using exception::exception;
};
// The user's operation failed without an exception.
struct failed_error : exception {
  using exception::exception;
};
// Several failed; error().causes() lists them.
struct aggregate_error : exception {
  using exception::exception;
};
// The last value was judged a failure; error().detail_as<T>() has it.
struct exhausted_error : exception {
  using exception::exception;
};
// An argument or option is not legal; what() names it.
struct invalid_error : exception {
  using exception::exception;
};
struct not_found_error : exception {
  using exception::exception;
};
struct exists_error : exception {
  using exception::exception;
};
// There was no memory for it.
struct memory_error : exception {
  using exception::exception;
};
// It belongs to another thread or process, an earlier life, or cannot be done here.
struct state_error : exception {
  using exception::exception;
};

#if WEIR_CPP_EXCEPTIONS

WEIR_CPP_COLD inline void error::raise() const {
  if (std::exception_ptr thrown = exception()) std::rethrow_exception(thrown);
  switch (status()) {
    case status::open:
      throw open_error(*this);
    case status::limited:
      throw limited_error(*this);
    case status::full:
      throw full_error(*this);
    case status::no_time:
      throw no_time_error(*this);
    case status::timed_out:
      throw timeout_error(*this);
    case status::cancelled:
      throw cancelled_error(*this);
    case status::superseded:
      throw superseded_error(*this);
    case status::closed:
      throw closed_error(*this);
    case status::failed:
      throw failed_error(*this);
    case status::aggregate:
      throw aggregate_error(*this);
    case status::exhausted:
      throw exhausted_error(*this);
    case status::invalid:
    case status::abi:
      throw invalid_error(*this);
    case status::not_found:
      throw not_found_error(*this);
    case status::exists:
      throw exists_error(*this);
    case status::no_memory:
      throw memory_error(*this);
    default:
      throw state_error(*this);
  }
}

#else

inline void error::raise() const {
  std::fprintf(stderr, "weir: %s (%s)\n", c_message(), name_of(status()));
  std::abort();
}

#endif

namespace detail {

// The error that stands for the exception being handled: its message, and itself as the detail. A
// nested weir::exception is the cause, and says when to try again.
#if WEIR_CPP_EXCEPTIONS
inline error error_of_thrown(std::int64_t code, std::string_view message, weir::domain domain) {
  return error(code, message, domain).with_detail(std::current_exception());
}

inline error describe_current_exception() {
  try {
    throw;
  } catch (const weir::exception &thrown) {
    const weir::error &inner = thrown.error();
    error made = error(inner.code(), inner.message(), inner.domain())
                     .with_detail(std::current_exception())
                     .with_cause(inner);
    if (inner.retry_after()) made = std::move(made).with_retry_after(*inner.retry_after());
    return inner.is_final() ? std::move(made).as_final() : made;
  } catch (const std::system_error &thrown) {
    bool is_errno = thrown.code().category() == std::generic_category() ||
                    thrown.code().category() == std::system_category();
    return error_of_thrown(thrown.code().value(), thrown.what(),
                           is_errno ? domain::error_number : domain::user);
  } catch (const std::exception &thrown) {
    return error_of_thrown(0, thrown.what(), domain::user);
  } catch (...) {
    return error_of_thrown(0, "an exception of a type of its own", domain::user);
  }
}

// Without memory for that it is an error that says so.
WEIR_CPP_COLD inline error error_of_current_exception() noexcept {
  try {
    return describe_current_exception();
  } catch (...) {
    return error(status::no_memory);
  }
}
#endif

}  // namespace detail
}  // namespace cpp
}  // namespace weir
