// SPDX-License-Identifier: MIT
//
// How C++ objects travel as weir_value. Any type that can be moved may be an operation's result;
// one that is shared by several (a cache's, a flight's) must be copyable as well. A result that
// nobody else can see is moved out, others are copied: std::shared_ptr<const T> makes that cheap.

#pragma once

#include <tuple>
#include <vector>

#include "weir/result.hpp"

namespace weir {
inline namespace cpp {

// Any value as it is: for what other languages made, or to keep one without copying. Shared,
// immutable, cheap to copy; NULL is "no value".
class value {
 public:
  value() = default;
  explicit value(detail::value_handle held) : held_(std::move(held)) {}

  // A value with an object inside. Like the other two it throws std::bad_alloc where there is no
  // memory.
  template <class T>
  static value of(T object) {
    return value(detail::box_up(std::move(object)));
  }
  // A copy of bytes, as every language understands them.
  static value of_bytes(std::string_view bytes) {
    weir_value *made = nullptr;
    weir_value_new_bytes(nullptr, bytes.data(), bytes.size(), &made);
    return value(detail::own(made));
  }

  // A list of values and errors, as the runs with many results make.
  static value of_list(const std::vector<result<value>> &items);
  bool is_list() const { return weir_value_kind(get()) == WEIR_VALUE_LIST; }
  // The number of a list's items; 0 of others.
  std::size_t size() const { return weir_value_count(get()); }
  // A list's item; only of an index below size().
  result<value> item(std::size_t index) const {
    if (weir_error *failed = weir_value_item_error(get(), index)) return error::of(failed);
    return value(detail::value_handle::share(weir_value_item(get(), index)));
  }

  // The object inside if it is a T, else NULL; lives as long as this value.
  template <class T>
  const T *as() const {
    return detail::unbox<T>(get());
  }
  // The bytes of a bytes value; empty of others.
  std::string_view bytes() const {
    return {static_cast<const char *>(weir_value_data(get())), weir_value_size(get())};
  }
  explicit operator bool() const { return static_cast<bool>(held_); }
  weir_value *get() const { return held_.get(); }

 private:
  detail::value_handle held_;
};

// A shared, immutable T that lies in a value: what a cache's lookup gives. Cheap to copy, no copy
// of the T; on any thread. May be empty.
template <class T>
class shared {
 public:
  shared() = default;
  // Takes over the reference of a value that holds a T; empty if it holds something else.
  explicit shared(detail::value_handle held)
      : held_(std::move(held)), object_(detail::unbox<T>(held_.get())) {}

  explicit operator bool() const { return object_ != nullptr; }
  const T &operator*() const { return *object_; }
  const T *operator->() const { return object_; }
  const T *get() const { return object_; }

 private:
  detail::value_handle held_;
  const T *object_ = nullptr;
};

namespace detail {

inline error invalid(const char *message) {
  weir_error *made = nullptr;
  weir_error_new(nullptr, WEIR_DOMAIN_WEIR, WEIR_EINVAL, message, &made);
  return error::adopt(WEIR_EINVAL, made);
}
inline error not_this_type() {
  return invalid("the value is none, or of another type than is asked for");
}
inline error shared_and_not_copyable() {
  return invalid("the value is shared and of a type that cannot be copied");
}

// What lies in a box as it is (weir/detail/box.hpp); the special ones below do not.
// encode() makes a weir_value of a T; decode() reads one. `take`: the caller owns the reference and
// nobody can come by another way, so what is unique may be moved out.
struct boxed {};
// What is an object in a box at least where one operation made it: what a cache may hold.
struct object {};

template <class T>
struct codec : boxed, object {
  static value_handle encode(T &&object) { return box_up(std::move(object)); }
  static value_handle encode(const T &object) { return box_up(object); }

  static result<T> decode(weir_value *value, bool take) {
    T *object = unbox<T>(value);
    if (object == nullptr) return not_this_type();
    if constexpr (is_packed<T>) {
      return *object;
    } else {
      if (take && weir_value_is_unique(value) != 0) return std::move(*object);
      if constexpr (std::is_copy_constructible_v<T>) {
        return static_cast<const T &>(*object);
      } else {
        return shared_and_not_copyable();
      }
    }
  }
};

// Calls function(const T *) with the T in `value`, where it lies or read from it; NULL: there is
// none.
template <class T, class F>
auto look_at(weir_value *value, F function) {
  if constexpr (std::is_base_of_v<boxed, codec<T>>) {
    return function(static_cast<const T *>(unbox<T>(value)));
  } else {
    result<T> read = codec<T>::decode(value, false);
    return function(read ? static_cast<const T *>(std::addressof(*read)) : nullptr);
  }
}

template <>
struct codec<void> {
  static result<void> decode(weir_value *, bool) { return {}; }
};

template <>
struct codec<unit> {
  static value_handle encode(unit) { return {}; }
  static result<unit> decode(weir_value *, bool) { return unit{}; }
};

template <>
struct codec<value> {
  static value_handle encode(const value &object) { return value_handle::share(object.get()); }
  static result<value> decode(weir_value *value, bool) {
    return weir::value(value_handle::share(value));
  }
};

template <class T>
struct codec<shared<T>> {
  static result<shared<T>> decode(weir_value *value, bool) {
    shared<T> made(value_handle::share(value));
    if (!made) return not_this_type();
    return made;
  }
};

// Nothing is no value: the end of a source of items.
template <class T>
struct codec<std::optional<T>> {
  static value_handle encode(std::optional<T> object) {
    return object ? codec<T>::encode(std::move(*object)) : value_handle();
  }
  static result<std::optional<T>> decode(weir_value *value, bool take) {
    if (value == nullptr) return std::optional<T>();
    result<T> object = codec<T>::decode(value, take);
    if (!object) return std::move(object).error();
    return std::optional<T>(*std::move(object));
  }
};

inline bool may_take(weir_value *list, bool take) {
  return take && weir_value_is_unique(list) != 0;
}

template <class T>
value_handle encode_object(T &&object) {
  return codec<std::decay_t<T>>::encode(std::forward<T>(object));
}

// Item `index` of a list.
template <class T>
result<T> decode_item(weir_value *list, std::size_t index, bool take) {
  if (weir_error *failed = weir_value_item_error(list, index)) return error::of(failed);
  return codec<T>::decode(weir_value_item(list, index), take);
}

inline value_handle make_list(const std::vector<value_handle> &values,
                              const std::vector<error_handle> &errors) {
  std::vector<weir_value *> lent_values;
  std::vector<weir_error *> lent_errors;
  lent_values.reserve(values.size());
  lent_errors.reserve(errors.size());
  for (const value_handle &value : values) lent_values.push_back(value.get());
  for (const error_handle &error : errors) lent_errors.push_back(error.get());
  weir_value *list = nullptr;
  weir_value_new_list(nullptr, lent_values.data(), errors.empty() ? nullptr : lent_errors.data(),
                      values.size(), &list);
  return own(list);
}

// The results of several operations.
template <class T>
struct codec<std::vector<result<T>>> {
  static value_handle encode(const std::vector<result<T>> &results) {
    std::vector<value_handle> values(results.size());
    std::vector<error_handle> errors(results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!results[i]) {
        errors[i] = error_handle::adopt(results[i].error().share_or_make());
      } else if constexpr (!std::is_void_v<T>) {
        values[i] = codec<T>::encode(*results[i]);
      }
    }
    return make_list(values, errors);
  }
  static result<std::vector<result<T>>> decode(weir_value *list, bool take) {
    std::vector<result<T>> results;
    std::size_t count = weir_value_count(list);
    results.reserve(count);
    bool unique = may_take(list, take);
    for (std::size_t i = 0; i < count; ++i) results.push_back(decode_item<T>(list, i, unique));
    return results;
  }
};

// The values of several operations that all succeeded; or a vector that is one operation's value.
template <class T>
struct codec<std::vector<T>> : object {
  using vector = std::vector<T>;
  static value_handle encode(vector object) { return box_up(std::move(object)); }
  static result<vector> decode(weir_value *value, bool take) {
    if (weir_value_kind(value) != WEIR_VALUE_LIST) return decode_object(value, take);
    vector items;
    items.reserve(weir_value_count(value));
    bool unique = may_take(value, take);
    for (std::size_t i = 0; i < weir_value_count(value); ++i) {
      result<T> item = decode_item<T>(value, i, unique);
      if (!item) return std::move(item).error();
      items.push_back(*std::move(item));
    }
    return items;
  }

 private:
  static result<vector> decode_object(weir_value *value, bool take) {
    auto *object = unbox<vector>(value);
    if (object == nullptr) return not_this_type();
    if (may_take(value, take)) return std::move(*object);
    if constexpr (std::is_copy_constructible_v<T>) {
      return static_cast<const vector &>(*object);
    } else {
      return shared_and_not_copyable();
    }
  }
};

// The values of several operations of different types.
template <class... T>
struct codec<std::tuple<T...>> : object {
  using tuple = std::tuple<T...>;
  static value_handle encode(tuple object) { return box_up(std::move(object)); }
  static result<tuple> decode(weir_value *value, bool take) {
    if (weir_value_kind(value) != WEIR_VALUE_LIST) {
      auto *object = unbox<tuple>(value);
      if (object == nullptr) return not_this_type();
      if constexpr ((std::is_copy_constructible_v<T> && ...)) {
        return static_cast<const tuple &>(*object);
      } else {
        if (!may_take(value, take)) return shared_and_not_copyable();
        return std::move(*object);
      }
    }
    return decode_list(value, may_take(value, take), std::index_sequence_for<T...>());
  }

 private:
  template <std::size_t... I>
  static result<tuple> decode_list(weir_value *list, bool take, std::index_sequence<I...>) {
    std::tuple<result<T>...> items(decode_item<T>(list, I, take)...);
    const error *failed = nullptr;
    ((failed = failed == nullptr && !std::get<I>(items) ? &std::get<I>(items).error() : failed),
     ...);
    if (failed != nullptr) return *failed;
    return tuple(*std::get<I>(std::move(items))...);
  }
};

}  // namespace detail

inline value value::of_list(const std::vector<result<value>> &items) {
  return value(detail::codec<std::vector<result<value>>>::encode(items));
}

// A list of inputs for an operation that runs another one for each (parallel_each): travels as a
// list, so that each item is a value of its own.
template <class T>
struct items {
  std::vector<T> list;
};

namespace detail {

template <class T>
value_handle make_items(std::vector<T> list) {
  std::vector<value_handle> values;
  values.reserve(list.size());
  for (T &item : list) values.push_back(codec<T>::encode(std::move(item)));
  return make_list(values, {});
}

template <class T>
struct codec<items<T>> {
  static value_handle encode(items<T> object) { return make_items(std::move(object.list)); }
};

}  // namespace detail
}  // namespace cpp
}  // namespace weir
