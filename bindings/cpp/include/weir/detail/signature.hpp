// SPDX-License-Identifier: MIT
//
// Reads off a function what operation it makes. Parameters, each optional, in this order:
//
//   (const Input &, weir::attempt &, weir::completer<T>) -> void    completes later
//   (const Input &, weir::attempt &) -> T, void or result<T>       completes when it returns

#pragma once

#include <string>
#include <string_view>

#include "weir/result.hpp"

namespace weir {
inline namespace cpp {

class attempt;
template <class T>
class completer;

namespace detail {

template <class... T>
struct types {};

template <class F>
struct signature_of : signature_of<decltype(&F::operator())> {};
template <class R, class... A>
struct signature_of<R(A...)> {
  using returned = R;
  using parameters = types<A...>;
};
template <class R, class... A>
struct signature_of<R(A...) noexcept> : signature_of<R(A...)> {};
// A call operator that is static.
template <class R, class... A>
struct signature_of<R (*)(A...)> : signature_of<R(A...)> {};
template <class R, class... A>
struct signature_of<R (*)(A...) noexcept> : signature_of<R(A...)> {};
template <class C, class R, class... A>
struct signature_of<R (C::*)(A...) &> : signature_of<R(A...)> {};
template <class C, class R, class... A>
struct signature_of<R (C::*)(A...)> : signature_of<R(A...)> {};
template <class C, class R, class... A>
struct signature_of<R (C::*)(A...) const> : signature_of<R(A...)> {};
template <class C, class R, class... A>
struct signature_of<R (C::*)(A...) noexcept> : signature_of<R(A...)> {};
template <class C, class R, class... A>
struct signature_of<R (C::*)(A...) const noexcept> : signature_of<R(A...)> {};

template <class P>
inline constexpr bool is_attempt = std::is_same_v<std::decay_t<P>, attempt>;
template <class P>
struct completes : std::false_type {};
template <class T>
struct completes<completer<T>> : std::true_type {};
template <class P>
using completes_t = completes<std::decay_t<P>>;

// The parameters after the input: an attempt, a completer.
template <class... P>
struct rest_of {
  static_assert(sizeof...(P) == 0,
                "a function of an operation takes an input, a weir::attempt & and a "
                "weir::completer<T>, each optional, in this order");
  static constexpr bool takes_attempt = false;
  static constexpr bool takes_completer = false;
  using completed = void;
};
template <class P>
struct rest_of<P> {
  static_assert(is_attempt<P> || completes_t<P>::value, "unknown parameter of an operation");
  static constexpr bool takes_attempt = is_attempt<P>;
  static constexpr bool takes_completer = !is_attempt<P>;
  template <class Q, bool B>
  struct pick {
    using type = void;
  };
  template <class Q>
  struct pick<completer<Q>, true> {
    using type = Q;
  };
  using completed = typename pick<std::decay_t<P>, takes_completer>::type;
};
template <class P, class Q>
struct rest_of<P, Q> : rest_of<Q> {
  static_assert(is_attempt<P>, "the attempt stands before the completer");
  static constexpr bool takes_attempt = true;
};

template <class R>
struct unwrapped {
  using type = R;
};
template <class T>
struct unwrapped<result<T>> {
  using type = T;
};

// A function that looks at text is given one that is kept.
template <class P>
struct stored {
  using type = P;
};
template <>
struct stored<std::string_view> {
  using type = std::string;
};

template <class R, class Parameters>
struct shape;
template <class R>
struct shape<R, types<>> : rest_of<> {
  using input = void;
};
template <class R, class P, class... Rest>
struct shape<R, types<P, Rest...>> : std::conditional_t<is_attempt<P> || completes_t<P>::value,
                                                        rest_of<P, Rest...>, rest_of<Rest...>> {
  using input = std::conditional_t<is_attempt<P> || completes_t<P>::value, void,
                                   typename stored<std::decay_t<P>>::type>;
};

// What F makes: `value` is the operation's T, `input` its Input.
template <class F>
struct operation_shape {
  using signature = signature_of<std::remove_pointer_t<std::decay_t<F>>>;
  using returned = typename signature::returned;
  using form = shape<returned, typename signature::parameters>;
  using input = typename form::input;
  static constexpr bool takes_attempt = form::takes_attempt;
  static constexpr bool takes_completer = form::takes_completer;
  using value = std::conditional_t<takes_completer, typename form::completed,
                                   typename unwrapped<std::decay_t<returned>>::type>;
};

}  // namespace detail
}  // namespace cpp
}  // namespace weir
