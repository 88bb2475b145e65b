// SPDX-License-Identifier: MIT
//
// A C++ object inside a weir_value. Behind the address that the value holds stands first the
// function that frees such a box: it is the mark by which the type is known again, without RTTI.
// What is small and trivial lies in a bytes value, mark and all, so it is one allocation; anything
// else in a pointer value.

#pragma once

#include <weir/value.h>

#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "weir/detail/handle.hpp"

namespace weir {
inline namespace cpp {
namespace detail {

using mark = void (*)(void *);

template <class T>
struct box {
  template <class... Args>
  explicit box(Args &&...arguments) : value(std::forward<Args>(arguments)...) {}

  WEIR_CPP_IDENTITY static void destroy(void *self) { delete static_cast<box *>(self); }

  mark type = destroy;
  T value;
};

template <class T>
struct packed {
  // Never called: only its address counts, so it must not be folded into another one's.
  WEIR_CPP_IDENTITY static void destroy(void *self) {
    std::memset(self, static_cast<int>(sizeof(T)), sizeof(packed));
  }

  mark type;
  T value;
};

// Bytes values are aligned to 16.
template <class T>
inline constexpr bool is_packed =
    std::is_trivially_copyable_v<T> &&std::is_copy_constructible_v<T> && sizeof(packed<T>) <= 64 &&
    alignof(T) <= 16;

// A value that holds `value`; empty without memory.
template <class T>
value_handle box_up(T &&value) {
  using D = std::decay_t<T>;
  weir_value *made = nullptr;
  if constexpr (is_packed<D>) {
    packed<D> bytes{packed<D>::destroy, value};
    weir_value_new_bytes(nullptr, &bytes, sizeof bytes, &made);
  } else {
    auto *object = new box<D>(std::forward<T>(value));
    weir_value_new_pointer(nullptr, object, box<D>::destroy, &made);
  }
  return value_handle::adopt(made);
}

// The object in `value` (nullable) if it is a T, else NULL. Lent: others may see it, too.
template <class T>
T *unbox(const weir_value *value) {
  mark type;
  if constexpr (is_packed<T>) {
    if (weir_value_size(value) != sizeof(packed<T>)) return nullptr;
    auto *bytes = static_cast<const packed<T> *>(weir_value_data(value));
    std::memcpy(&type, bytes, sizeof type);
    return type == packed<T>::destroy ? const_cast<T *>(&bytes->value) : nullptr;
  } else {
    void *pointer = weir_value_pointer(value);
    if (pointer == nullptr) return nullptr;
    std::memcpy(&type, pointer, sizeof type);
    return type == box<T>::destroy ? &static_cast<box<T> *>(pointer)->value : nullptr;
  }
}

}  // namespace detail
}  // namespace cpp
}  // namespace weir
