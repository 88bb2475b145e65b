// SPDX-License-Identifier: MIT
//
// What operations made of several others have in common.

#pragma once

#include "weir/operation.hpp"

namespace weir {
inline namespace cpp {

// What runs with many results give: in the order of the operations or items.
template <class T>
using results = std::vector<result<T>>;

namespace detail {

// The input that all of them take; void ones look at none.
template <class... Inputs>
struct common_input {
  using type = void;
};
template <class Input, class... Rest>
struct common_input<Input, Rest...> {
  using rest = typename common_input<Rest...>::type;
  static_assert(std::is_void_v<Input> || std::is_void_v<rest> || std::is_same_v<Input, rest>,
                "operations that run together take the same input");
  using type = std::conditional_t<std::is_void_v<Input>, rest, Input>;
};

template <class T, class Input>
std::vector<weir_operation *> lend(const std::vector<operation<T, Input>> &operations) {
  std::vector<weir_operation *> list;
  list.reserve(operations.size());
  for (const auto &one : operations) list.push_back(one.get());
  return list;
}

// What `make(&made, &why)` makes, as an Operation.
template <class Operation, class Make>
result<Operation> compose(weir_runtime *runtime, Make make) {
  weir_operation *made = nullptr;
  weir_error *why = nullptr;
  weir_status status = make(&made, &why);
  if (status != WEIR_OK) return error::adopt(status, why);
  return Operation::adopt(runtime, made);
}

}  // namespace detail
}  // namespace cpp
}  // namespace weir
