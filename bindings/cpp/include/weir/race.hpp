// SPDX-License-Identifier: MIT
//
// Several operations at once, each with the run's input: the first success of them (race, any), or
// the values of all (all, all_settled). See weir/race.h and weir/all.h. Which have to give the same
// type, says each; each throws what it is refused with, and its make_ form gives that as a result.

#pragma once

#include "weir/detail/composed.hpp"

namespace weir {
inline namespace cpp {

struct race_options {
  bool first_settled = false;  // the first settlement of any kind is the outcome
  // For each operation: it ends the race however it settles. Empty: none does.
  std::vector<bool> decisive{};
  std::string name{};
};

// The first success, or an aggregate of all failures. The others are told to stop.
template <class T, class Input>
result<operation<T, Input>> make_race(const runtime &runtime,
                                      const std::vector<operation<T, Input>> &operations,
                                      const race_options &options = {}) {
  if (!options.decisive.empty() && options.decisive.size() != operations.size()) {
    return detail::invalid("race.decisive must have an entry for each operation");
  }
  std::vector<std::uint8_t> decisive(options.decisive.begin(), options.decisive.end());
  weir_race_options c = WEIR_RACE_OPTIONS_INIT;
  c.first_settled = options.first_settled ? 1 : 0;
  c.decisive = decisive.empty() ? nullptr : decisive.data();
  c.name = detail::text(options.name);
  auto list = detail::lend(operations);
  return detail::compose<operation<T, Input>>(
      runtime.get(), [&](weir_operation **made, weir_error **why) {
        return weir_race_new(runtime.get(), list.data(), list.size(), &c, made, why);
      });
}
template <class T, class Input>
operation<T, Input> race(const runtime &runtime, const std::vector<operation<T, Input>> &operations,
                         const race_options &options = {}) {
  return make_race(runtime, operations, options).value();
}

// A race without options.
template <class T, class Input>
result<operation<T, Input>> make_any(const runtime &runtime,
                                     const std::vector<operation<T, Input>> &operations,
                                     const std::string &name = {}) {
  auto list = detail::lend(operations);
  return detail::compose<operation<T, Input>>(
      runtime.get(), [&](weir_operation **made, weir_error **why) {
        return weir_any_new(runtime.get(), list.data(), list.size(), detail::text(name), made, why);
      });
}
template <class T, class Input>
operation<T, Input> any(const runtime &runtime, const std::vector<operation<T, Input>> &operations,
                        const std::string &name = {}) {
  return make_any(runtime, operations, name).value();
}
// any(eu, us)
template <class T, class Input, class... Rest>
auto make_any(const operation<T, Input> &first, const Rest &...rest) {
  static_assert((std::is_same_v<T, typename Rest::value_type> && ...),
                "operations that race give the same type");
  using input = typename detail::common_input<Input, typename Rest::input_type...>::type;
  weir_operation *list[] = {first.get(), rest.get()...};
  return detail::compose<operation<T, input>>(
      first.runtime(), [&](weir_operation **made, weir_error **why) {
        return weir_any_new(first.runtime(), list, 1 + sizeof...(rest), nullptr, made, why);
      });
}
template <class T, class Input, class... Rest>
auto any(const operation<T, Input> &first, const Rest &...rest) {
  return weir::make_any(first, rest...).value();
}

// The values of all, in their order; the first failure is the outcome, and stops the others.
template <class T, class Input>
result<operation<std::vector<value_or_unit<T>>, Input>> make_all(
    const runtime &runtime, const std::vector<operation<T, Input>> &operations,
    const std::string &name = {}) {
  auto list = detail::lend(operations);
  return detail::compose<operation<std::vector<value_or_unit<T>>, Input>>(
      runtime.get(), [&](weir_operation **made, weir_error **why) {
        return weir_all_new(runtime.get(), list.data(), list.size(), detail::text(name), made, why);
      });
}
template <class T, class Input>
operation<std::vector<value_or_unit<T>>, Input> all(
    const runtime &runtime, const std::vector<operation<T, Input>> &operations,
    const std::string &name = {}) {
  return make_all(runtime, operations, name).value();
}
// all(user, orders) gives a std::tuple; operations without a value give a weir::unit.
template <class T, class Input, class... Rest>
auto make_all(const operation<T, Input> &first, const Rest &...rest) {
  using input = typename detail::common_input<Input, typename Rest::input_type...>::type;
  using values = std::tuple<value_or_unit<T>, value_or_unit<typename Rest::value_type>...>;
  weir_operation *list[] = {first.get(), rest.get()...};
  return detail::compose<operation<values, input>>(
      first.runtime(), [&](weir_operation **made, weir_error **why) {
        return weir_all_new(first.runtime(), list, 1 + sizeof...(rest), nullptr, made, why);
      });
}
template <class T, class Input, class... Rest>
auto all(const operation<T, Input> &first, const Rest &...rest) {
  return weir::make_all(first, rest...).value();
}

// The results of all, in their order, failures too.
template <class T, class Input>
result<operation<results<T>, Input>> make_all_settled(
    const runtime &runtime, const std::vector<operation<T, Input>> &operations,
    const std::string &name = {}) {
  auto list = detail::lend(operations);
  return detail::compose<operation<results<T>, Input>>(
      runtime.get(), [&](weir_operation **made, weir_error **why) {
        return weir_all_settled_new(runtime.get(), list.data(), list.size(), detail::text(name),
                                    made, why);
      });
}
template <class T, class Input>
operation<results<T>, Input> all_settled(const runtime &runtime,
                                         const std::vector<operation<T, Input>> &operations,
                                         const std::string &name = {}) {
  return make_all_settled(runtime, operations, name).value();
}

}  // namespace cpp
}  // namespace weir
