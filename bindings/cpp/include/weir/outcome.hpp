// SPDX-License-Identifier: MIT
//
// How a run, or one attempt, ended, as listeners and deciders see it: a view that is valid while
// the function that got it runs.

#pragma once

#include "weir/value.hpp"

namespace weir {
inline namespace cpp {

class outcome {
 public:
  explicit outcome(const weir_outcome &lent) : lent_(&lent) {}

  bool has_value() const { return lent_->channel == WEIR_CHANNEL_VALUE; }
  weir::channel channel() const { return static_cast<weir::channel>(lent_->channel); }
  weir::status status() const { return static_cast<weir::status>(lent_->status); }
  // The value if it is a T, also beside status::exhausted; else NULL.
  template <class T>
  const T *value_as() const {
    return detail::unbox<T>(lent_->value);
  }
  // What went wrong, as a value that may be kept; only if not has_value().
  weir::error error() const { return weir::error::of(*lent_); }
  // What was judged by whom completed it; mostly none.
  classification judged() const { return static_cast<classification>(lent_->class_); }
  std::uint32_t attempts() const { return lent_->attempts; }
  weir::stop_reason stop_reason() const {
    return static_cast<weir::stop_reason>(lent_->stop_reason);
  }
  weir::cancel_reason cancel_reason() const {
    return static_cast<weir::cancel_reason>(lent_->cancel_reason);
  }
  bool is_final() const { return lent_->final != 0; }
  nanoseconds elapsed() const { return nanoseconds(lent_->elapsed_ns); }
  std::optional<milliseconds> retry_after() const {
    return detail::optional_ms(lent_->retry_after_ms);
  }
  std::optional<weir::rejection> rejection() const {
    if (lent_->rejection == nullptr) return std::nullopt;
    return weir::rejection(*lent_->rejection);
  }
  // Of the last 8 attempts, oldest first.
  std::vector<weir::status> statuses() const {
    std::vector<weir::status> list;
    for (std::uint32_t i = 0; i < lent_->attempts && i < WEIR_OUTCOME_STATUSES; ++i) {
      list.push_back(static_cast<weir::status>(lent_->statuses[i]));
    }
    return list;
  }
  // One line for logs.
  std::string describe() const {
    std::string text(weir_outcome_describe(lent_, nullptr, 0), '\0');
    weir_outcome_describe(lent_, text.data(), text.size() + 1);
    return text;
  }
  const weir_outcome &get() const { return *lent_; }

 private:
  const weir_outcome *lent_;
};

namespace detail {

// The result of a settled run. `take`: nobody else reads the call.
template <class T>
result<T> result_of(const weir_outcome &outcome, bool take) {
  if (outcome.channel != WEIR_CHANNEL_VALUE) return error::of(outcome);
  return codec<T>::decode(outcome.value, take);
}

}  // namespace detail
}  // namespace cpp
}  // namespace weir
