// SPDX-License-Identifier: MIT
//
// Who refused, why, and by which numbers: weir_rejection by its C++ names. A value of its own.

#pragma once

#include <weir/outcome.h>

#include <optional>
#include <string>
#include <string_view>

#include "weir/status.hpp"
#include "weir/time.hpp"

namespace weir {
inline namespace cpp {

class rejection {
 public:
  rejection() = default;
  explicit rejection(const weir_rejection &numbers) : numbers_(numbers) {}

  weir::status status() const { return static_cast<weir::status>(numbers_.status); }
  policy_kind policy() const { return static_cast<policy_kind>(numbers_.policy); }
  rejection_reason reason() const { return static_cast<rejection_reason>(numbers_.reason); }
  // The policy's name, cut off at 47 bytes; empty if it has none.
  std::string_view name() const { return numbers_.name; }
  // After so long trying again passes, if nobody else comes first; empty if nobody can know.
  std::optional<nanoseconds> retry_after() const {
    if (numbers_.retry_after_ns < 0) return std::nullopt;
    return nanoseconds(numbers_.retry_after_ns);
  }
  // One sentence for people, such as "circuit breaker 'api' is open: 5 failures in a row (opens at
  // 5); try again in 60000 ms".
  std::string describe() const {
    std::string text(weir_rejection_describe(&numbers_, nullptr, 0), '\0');
    weir_rejection_describe(&numbers_, text.data(), text.size() + 1);
    return text;
  }
  // All of it, as weir/outcome.h explains.
  const weir_rejection &numbers() const { return numbers_; }
  // For decide functions, which fill it.
  weir_rejection *out() { return &numbers_; }

 private:
  weir_rejection numbers_ = WEIR_REJECTION_INIT;
};

}  // namespace cpp
}  // namespace weir
