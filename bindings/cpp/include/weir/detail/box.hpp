// SPDX-License-Identifier: MIT
//
// A C++ object inside a weir_value. Its type is known again without RTTI, by the address of an
// object that each type has one of, and what other modules and languages made is told apart. What
// is small and trivial lies in a bytes value, mark and all, so it is one allocation; anything else
// in a pointer value.

#pragma once

#include <weir/value.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "weir/detail/handle.hpp"

namespace weir {
inline namespace cpp {
namespace detail {

// As new does where there is no memory: throws std::bad_alloc, or ends a program without them.
[[noreturn]] inline void no_memory() {
#if WEIR_CPP_EXCEPTIONS
  throw std::bad_alloc();
#else
  std::abort();
#endif
}

// Only its address counts. Not constant, so that no linker folds two of them into one.
template <class T>
struct identity {
  WEIR_CPP_IDENTITY static inline char mark = 0;
};

template <class T>
struct box {
  template <class... Args>
  explicit box(Args &&...arguments) : value(std::forward<Args>(arguments)...) {}

  WEIR_CPP_IDENTITY static void destroy(void *self) { delete static_cast<box *>(self); }

  const char *type = &identity<T>::mark;
  T value;
};

template <class T>
struct packed {
  const char *type;
  T value;
};

// Bytes values are aligned to 16.
template <class T>
inline constexpr bool is_packed =
    std::is_trivially_copyable_v<T> &&std::is_copy_constructible_v<T> && sizeof(packed<T>) <= 64 &&
    alignof(T) <= 16;

// Takes over what a function that makes a value has made.
inline value_handle own(weir_value *made) {
  if (made == nullptr) no_memory();
  return value_handle::adopt(made);
}

// A value that holds `value`.
template <class T>
value_handle box_up(T &&value) {
  using D = std::decay_t<T>;
  weir_value *made = nullptr;
  if constexpr (is_packed<D>) {
    packed<D> bytes{&identity<D>::mark, value};
    weir_value_new_bytes(nullptr, &bytes, sizeof bytes, &made);
  } else {
    auto *object = new box<D>(std::forward<T>(value));
    weir_value_new_pointer(nullptr, object, box<D>::destroy, &made);
  }
  return own(made);
}

// The object in `value` (nullable) if it is a T, else NULL. Lent: others may see it, too.
template <class T>
T *unbox(const weir_value *value) {
  if constexpr (is_packed<T>) {
    if (weir_value_size(value) != sizeof(packed<T>)) return nullptr;
    auto *bytes = static_cast<const packed<T> *>(weir_value_data(value));
    const char *type;
    std::memcpy(&type, bytes, sizeof type);
    return type == &identity<T>::mark ? const_cast<T *>(std::addressof(bytes->value)) : nullptr;
  } else {
    // Nothing is read of what somebody else's pointer points to.
    auto *object = static_cast<box<T> *>(weir_value_pointer_of(value, box<T>::destroy));
    if (object == nullptr || object->type != &identity<T>::mark) return nullptr;
    return std::addressof(object->value);
  }
}

}  // namespace detail
}  // namespace cpp
}  // namespace weir
