// SPDX-License-Identifier: MIT
//
// The triple that every callback is: function, data, and what frees the data. The destructor frees,
// exactly once; so a function that takes a triple builds a Callback first, and every early return
// after that keeps the promise.

#pragma once

#include <weir/types.h>

namespace weir {

template <typename Fn>
class Callback {
 public:
  Callback() = default;
  Callback(Fn function, void *data, weir_free_fn free_data)
      : function_(function), data_(data), free_data_(free_data) {}
  Callback(const Callback &) = delete;
  Callback &operator=(const Callback &) = delete;
  Callback(Callback &&other) noexcept { take(other); }
  Callback &operator=(Callback &&other) noexcept {
    if (this != &other) {
      finish();
      take(other);
    }
    return *this;
  }
  ~Callback() { finish(); }

  explicit operator bool() const { return function_ != nullptr; }

  template <typename... Args>
  auto operator()(Args... args) const {
    return function_(data_, args...);
  }

  // Hands the triple on to a function that takes one; nothing is left here.
  struct Triple {
    Fn function;
    void *data;
    weir_free_fn free_data;
  };
  Triple release() {
    Triple triple = {function_, data_, free_data_};
    function_ = nullptr;
    data_ = nullptr;
    free_data_ = nullptr;
    return triple;
  }

  // Frees the data now; nothing is left.
  void finish() {
    weir_free_fn free_data = free_data_;
    void *data = data_;
    function_ = nullptr;
    free_data_ = nullptr;
    data_ = nullptr;
    if (free_data != nullptr) free_data(data);
  }

 private:
  void take(Callback &other) {
    function_ = other.function_;
    data_ = other.data_;
    free_data_ = other.free_data_;
    other.function_ = nullptr;
    other.data_ = nullptr;
    other.free_data_ = nullptr;
  }

  Fn function_ = nullptr;
  void *data_ = nullptr;
  weir_free_fn free_data_ = nullptr;
};

}  // namespace weir
