// SPDX-License-Identifier: MIT
//
// The triple that every callback is: function, data, and what frees the data. The destructor frees,
// exactly once; so a function that takes a triple builds a Callback first, and every early return
// after that keeps the promise.

#pragma once

#include <weir/types.h>

namespace weir {

// What callbacks of all types have in common, so that it exists once: who owns the data does not
// depend on what the function takes. Fn only converts the function back, and calls it.
class AnyCallback {
 public:
  AnyCallback(const AnyCallback &) = delete;
  AnyCallback &operator=(const AnyCallback &) = delete;

  explicit operator bool() const { return function_ != nullptr; }

  // Frees the data now; nothing is left.
  void finish() {
    weir_free_fn free_data = free_data_;
    void *data = data_;
    forget();
    if (free_data != nullptr) free_data(data);
  }

 protected:
  using Function = void (*)();

  AnyCallback() = default;
  AnyCallback(Function function, void *data, weir_free_fn free_data)
      : function_(function), data_(data), free_data_(free_data) {}
  AnyCallback(AnyCallback &&other) noexcept { take(other); }
  AnyCallback &operator=(AnyCallback &&other) noexcept {
    if (this != &other) {
      finish();
      take(other);
    }
    return *this;
  }
  ~AnyCallback() {
    if (free_data_ != nullptr) free_data_(data_);
  }

  void forget() {
    function_ = nullptr;
    data_ = nullptr;
    free_data_ = nullptr;
  }

  Function function_ = nullptr;
  void *data_ = nullptr;
  weir_free_fn free_data_ = nullptr;

 private:
  void take(AnyCallback &other) {
    function_ = other.function_;
    data_ = other.data_;
    free_data_ = other.free_data_;
    other.forget();
  }
};

template <typename Fn>
class Callback : public AnyCallback {
 public:
  Callback() = default;
  Callback(Fn function, void *data, weir_free_fn free_data)
      : AnyCallback(reinterpret_cast<Function>(function), data, free_data) {}

  template <typename... Args>
  auto operator()(Args... args) const {
    return function()(data_, args...);
  }

  // Hands the triple on to a function that takes one; nothing is left here.
  struct Triple {
    Fn function;
    void *data;
    weir_free_fn free_data;
  };
  Triple release() {
    Triple triple = {function(), data_, free_data_};
    forget();
    return triple;
  }

 private:
  Fn function() const { return reinterpret_cast<Fn>(function_); }
};

}  // namespace weir
