// SPDX-License-Identifier: MIT
//
// Operations one after the other, each fed by the last. See weir/waterfall.h. Throws what it is
// refused with; make_waterfall() gives that as a result.
//
//   auto price = weir::waterfall(orders, total, discount);   // operation<money, user>

#pragma once

#include "weir/detail/composed.hpp"

namespace weir {
inline namespace cpp {
namespace detail {

template <class First, class... Rest>
struct chain {
  using last = First;
  static constexpr bool fits = true;
};
template <class First, class Second, class... Rest>
struct chain<First, Second, Rest...> {
  using next = chain<Second, Rest...>;
  using last = typename next::last;
  static constexpr bool fits =
      next::fits && (std::is_void_v<typename Second::input_type> ||
                     std::is_same_v<typename First::value_type, typename Second::input_type>);
};

}  // namespace detail

// The outcome is the last one's value, or the first failure, which says which step it was and has
// the step's own error as its cause.
template <class T, class Input, class... Rest>
auto make_waterfall(const operation<T, Input> &first, const Rest &...rest) {
  using chain = detail::chain<operation<T, Input>, Rest...>;
  static_assert(chain::fits, "each operation takes what the one before it gives");
  using made_of_all = operation<typename chain::last::value_type, Input>;
  weir_operation *list[] = {first.get(), rest.get()...};
  return detail::compose<made_of_all>(
      first.runtime(), [&](weir_operation **made, weir_error **why) {
        return weir_waterfall_new(first.runtime(), list, 1 + sizeof...(rest), nullptr, made, why);
      });
}
template <class T, class Input, class... Rest>
auto waterfall(const operation<T, Input> &first, const Rest &...rest) {
  return weir::make_waterfall(first, rest...).value();
}

// The same of a list, each of which takes what it gives; none of them: the run's input.
template <class T>
result<operation<T, T>> make_waterfall(const runtime &runtime,
                                       const std::vector<operation<T, T>> &steps,
                                       const std::string &name = {}) {
  auto list = detail::lend(steps);
  return detail::compose<operation<T, T>>(
      runtime.get(), [&](weir_operation **made, weir_error **why) {
        return weir_waterfall_new(runtime.get(), list.data(), list.size(), detail::text(name), made,
                                  why);
      });
}
template <class T>
operation<T, T> waterfall(const runtime &runtime, const std::vector<operation<T, T>> &steps,
                          const std::string &name = {}) {
  return make_waterfall(runtime, steps, name).value();
}

}  // namespace cpp
}  // namespace weir
