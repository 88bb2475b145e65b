// SPDX-License-Identifier: MIT
//
// Single flight: of runs with the same key that overlap, one does the work. See weir/flight.h.

#pragma once

#include "weir/key.hpp"
#include "weir/operation.hpp"

namespace weir {
inline namespace cpp {

struct flight_options {
  milliseconds timeout = forever;  // of the shared run; 0 or more, or `forever`
  std::string name{};
};

// Runs by keys of type K. A copy is the same flight.
template <class K = std::string>
class flight {
 public:
  flight() = default;
  // Throws what it is refused with.
  explicit flight(const runtime &runtime, const flight_options &options = {})
      : flight(make(runtime, options).value()) {}
  static result<flight> make(const runtime &runtime, const flight_options &options = {}) {
    weir_flight_options c = WEIR_FLIGHT_OPTIONS_INIT;
    c.timeout_ms = options.timeout.count();
    c.name = detail::text(options.name);
    weir_flight *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_flight_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    flight result;
    result.handle_ = detail::flight_handle::adopt(made);
    return result;
  }

  // Runs `work`, or waits for the run of this key that is going on. All share the value: T is
  // copyable.
  template <class T>
  call<T> run(const K &key, const operation<T> &work) const {
    return call<T>(detail::start_call(begin(key, work, nullptr)));
  }
  template <class T, class Input>
  call<T> run(const K &key, const operation<T, Input> &work, detail::same<Input> input) const {
    auto value = detail::encode_object(std::move(input));
    return call<T>(detail::start_call(begin(key, work, value.get())));
  }
  // The same, and `told` is told.
  template <class T, class F>
  call_base run(const K &key, const operation<T> &work, F &&told) const {
    return detail::start_call<T>(begin(key, work, nullptr), std::forward<F>(told));
  }
  template <class T, class Input, class F>
  call_base run(const K &key, const operation<T, Input> &work, detail::same<Input> input,
                F &&told) const {
    auto value = detail::encode_object(std::move(input));
    return detail::start_call<T>(begin(key, work, value.get()), std::forward<F>(told));
  }
  // As an operation: the run's key is the key (key_bytes()). Throws what it is refused with.
  template <class T, class Input>
  weir::operation<T, Input> operation(const weir::operation<T, Input> &work) const {
    return make_operation(work).value();
  }
  template <class T, class Input>
  result<weir::operation<T, Input>> make_operation(const weir::operation<T, Input> &work) const {
    static_assert(std::is_copy_constructible_v<value_or_unit<T>>, "the value is shared");
    weir_operation *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_flight_operation(handle_.get(), work.get(), &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return weir::operation<T, Input>::adopt(work.runtime(), made);
  }
  // The next run with this key begins anew.
  void forget(const K &key) const {
    auto &&bytes = key_bytes(key);
    weir_flight_forget(handle_.get(), bytes.data(), bytes.size());
  }
  weir_flight_stats stats() const {
    weir_flight_stats stats{};
    stats.size = sizeof stats;
    weir_flight_get_stats(handle_.get(), &stats);
    return stats;
  }

 private:
  template <class T, class Input>
  auto begin(const K &key, const weir::operation<T, Input> &work, weir_value *input) const {
    static_assert(std::is_copy_constructible_v<value_or_unit<T>>, "the value is shared");
    return [this, &key, &work, input](weir_settle_fn settle, void *data, weir_free_fn free_data,
                                      weir_call **call, weir_error **why) {
      auto &&bytes = key_bytes(key);
      return weir_flight_run(handle_.get(), bytes.data(), bytes.size(), work.get(), input, settle,
                             data, free_data, call, why);
    };
  }

  detail::flight_handle handle_;
};

}  // namespace cpp
}  // namespace weir
