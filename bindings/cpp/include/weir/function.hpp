// SPDX-License-Identifier: MIT
//
// A function that options carry. Takes anything that is called with (), lambdas that can only be
// moved too; of a null pointer, or another function that is empty, it is empty. A copy shares it.
// What takes one calls it from any thread that its text names, also from several at once if that
// says "any thread", and it must not throw: an exception ends the program, since the caller is C.

#pragma once

#include <weir/types.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "weir/detail/config.hpp"

namespace weir {
inline namespace cpp {

template <class Signature>
class function;

template <class R, class... Args>
class function<R(Args...)> {
  struct head {
    R (*invoke)(head *, Args...);
    void (*destroy)(head *);
    std::atomic<unsigned> references{1};
  };

  template <class F>
  struct body : head {
    explicit body(F &&given) : callable(std::move(given)) {
      head::invoke = [](head *self, Args... arguments) -> R {
        return static_cast<R>(
            static_cast<body *>(self)->callable(std::forward<Args>(arguments)...));
      };
      head::destroy = [](head *self) { delete static_cast<body *>(self); };
    }
    F callable;
  };

 public:
  function() = default;
  function(std::nullptr_t) {}
  template <class F, class D = std::decay_t<F>,
            std::enable_if_t<!std::is_same_v<D, function> && !std::is_member_pointer_v<D> &&
                                 std::is_invocable_r_v<R, D &, Args...>,
                             int> = 0>
  function(F &&callable) {
    if constexpr (std::is_constructible_v<D, std::nullptr_t> && std::is_constructible_v<bool, D>) {
      if (!static_cast<bool>(callable)) return;
    }
    head_ = new body<D>(D(std::forward<F>(callable)));
  }

  function(const function &other) noexcept : head_(other.head_) {
    if (head_ != nullptr) head_->references.fetch_add(1, std::memory_order_relaxed);
  }
  function(function &&other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  function &operator=(function other) noexcept {
    std::swap(head_, other.head_);
    return *this;
  }
  ~function() { drop(head_); }

  explicit operator bool() const { return head_ != nullptr; }
  // Only if it is not empty.
  R operator()(Args... arguments) const {
    return head_->invoke(head_, std::forward<Args>(arguments)...);
  }

  // For the C API: a reference more as `data`, what it is given back with, and what calls it.
  void *share() const {
    if (head_ != nullptr) head_->references.fetch_add(1, std::memory_order_relaxed);
    return head_;
  }
  static void drop(void *data) {
    auto *head = static_cast<struct head *>(data);
    if (head != nullptr && head->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      head->destroy(head);
    }
  }
  static R call(void *data, Args... arguments) noexcept {
    auto *head = static_cast<struct head *>(data);
    return head->invoke(head, std::forward<Args>(arguments)...);
  }

 private:
  head *head_ = nullptr;
};

namespace detail {

// Fills the three fields of a callback in a struct of options.
template <class C>
struct as_given {
  using type = C;
};

template <class Signature, class C>
void give(const function<Signature> &from, typename as_given<C>::type trampoline, C &field,
          void *&data, weir_free_fn &free_data) {
  if (!from) return;
  field = trampoline;
  data = from.share();
  free_data = function<Signature>::drop;
}

inline const char *text(const std::string &name) { return name.empty() ? nullptr : name.c_str(); }

}  // namespace detail
}  // namespace cpp
}  // namespace weir
