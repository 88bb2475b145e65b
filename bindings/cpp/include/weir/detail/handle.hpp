// SPDX-License-Identifier: MIT
//
// Owns one reference of a handle of the C API: a copy is a reference more, a move hands it over.
// May be empty. Taking and giving references works on any thread; one object is for one thread at
// a time, like any value.

#pragma once

#include <weir/weir.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "weir/detail/config.hpp"

namespace weir {
inline namespace cpp {
namespace detail {

template <class H, H *(*Ref)(H *), void (*Unref)(H *)>
class handle {
 public:
  handle() = default;
  handle(const handle &other) noexcept : pointer_(other.pointer_) {
    if (pointer_ != nullptr) Ref(pointer_);
  }
  handle(handle &&other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  handle &operator=(handle other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~handle() {
    if (pointer_ != nullptr) Unref(pointer_);
  }

  // Takes over the caller's reference.
  static handle adopt(H *pointer) {
    handle made;
    made.pointer_ = pointer;
    return made;
  }
  // Adds a reference to what was lent.
  static handle share(H *pointer) { return adopt(pointer == nullptr ? nullptr : Ref(pointer)); }

  H *get() const { return pointer_; }
  H *release() { return std::exchange(pointer_, nullptr); }
  explicit operator bool() const { return pointer_ != nullptr; }

 private:
  H *pointer_ = nullptr;
};

// A pointer that goes with a handle, which keeps what it points to: who is moved from has neither.
template <class T>
class lent {
 public:
  lent() = default;
  lent(T *pointer) noexcept : pointer_(pointer) {}
  lent(const lent &) = default;
  lent(lent &&other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  lent &operator=(lent other) noexcept {
    pointer_ = other.pointer_;
    return *this;
  }
  ~lent() = default;
  operator T *() const { return pointer_; }

 private:
  T *pointer_ = nullptr;
};

// Handles of the same object are equal.
template <class Handle>
struct same_object {
  friend bool operator==(const Handle &a, const Handle &b) { return a.get() == b.get(); }
  friend bool operator!=(const Handle &a, const Handle &b) { return a.get() != b.get(); }
};
template <class Handle>
struct hash_of_object {
  std::size_t operator()(const Handle &handle) const noexcept {
    return reinterpret_cast<std::uintptr_t>(handle.get());
  }
};

using value_handle = handle<weir_value, weir_value_ref, weir_value_unref>;
using error_handle = handle<weir_error, weir_error_ref, weir_error_unref>;
using runtime_handle = handle<weir_runtime, weir_runtime_ref, weir_runtime_unref>;
using operation_handle = handle<weir_operation, weir_operation_ref, weir_operation_unref>;
using call_handle = handle<weir_call, weir_call_ref, weir_call_unref>;
using policy_handle = handle<weir_policy, weir_policy_ref, weir_policy_unref>;
using budget_handle = handle<weir_budget, weir_budget_ref, weir_budget_unref>;
using cache_handle = handle<weir_cache, weir_cache_ref, weir_cache_unref>;
using memoize_handle = handle<weir_memoize, weir_memoize_ref, weir_memoize_unref>;
using flight_handle = handle<weir_flight, weir_flight_ref, weir_flight_unref>;
using debounce_handle = handle<weir_debounce, weir_debounce_ref, weir_debounce_unref>;
using throttle_handle = handle<weir_throttle, weir_throttle_ref, weir_throttle_unref>;
using pool_handle = handle<weir_pool, weir_pool_ref, weir_pool_unref>;
using scope_handle = handle<weir_scope, weir_scope_ref, weir_scope_unref>;
using completions_handle = handle<weir_completions, weir_completions_ref, weir_completions_unref>;

}  // namespace detail
}  // namespace cpp
}  // namespace weir
