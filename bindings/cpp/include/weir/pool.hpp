// SPDX-License-Identifier: MIT
//
// A parallel whose items are added before and while it runs, from any thread. See weir/pool.h.
//
//   weir::pool<int> pool{runtime, {.concurrency = 4}};
//   auto drained = pool.run();
//   pool.add(fetch, url);       // as often as you like
//   pool.seal();                // no more come
//   for (auto &size : drained.get().value()) ...

#pragma once

#include "weir/parallel.hpp"

namespace weir {
inline namespace cpp {

// A copy is the same pool.
template <class T>
class pool {
 public:
  // Throws what it is refused with.
  pool(const runtime &runtime, const parallel_options &options)
      : pool(make(runtime, options).value()) {}
  static result<pool> make(const runtime &runtime, const parallel_options &options) {
    weir_pool_options c = WEIR_POOL_OPTIONS_INIT;
    detail::fill_parallel(c, options);
    weir_pool *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_pool_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return pool(runtime.get(), detail::pool_handle::adopt(made));
  }

  // Adds an item; any thread. Errors: closed (sealed or over), invalid.
  template <class Input>
  result<void> add(const operation<T, Input> &operation, detail::same<Input> input) const {
    return add_value(operation.get(), detail::encode_object(std::move(input)).get());
  }
  result<void> add(const operation<T> &operation) const {
    return add_value(operation.get(), nullptr);
  }
  // No more is added.
  result<void> seal() const { return detail::done(weir_pool_seal(handle_.get())); }

  // The operation that runs what is added and settles when the pool is sealed and drained. One run
  // takes the pool.
  weir::operation<results<T>> operation() const {
    return weir::operation<results<T>>::adopt(
        runtime_, weir_operation_ref(weir_pool_operation(handle_.get())));
  }
  call<results<T>> run(const run_options &options = {}) const { return operation().run(options); }
  template <class F>
  call_base run(const run_options &options, F &&told) const {
    return operation().run(options, std::forward<F>(told));
  }

  weir_pool_stats stats() const {
    weir_pool_stats stats{};
    stats.size = sizeof stats;
    weir_pool_get_stats(handle_.get(), &stats);
    return stats;
  }

 private:
  pool(weir_runtime *runtime, detail::pool_handle handle)
      : runtime_(runtime), handle_(std::move(handle)) {}
  result<void> add_value(weir_operation *operation, weir_value *input) const {
    weir_error *why = nullptr;
    return detail::done(weir_pool_add(handle_.get(), operation, input, &why), why);
  }

  detail::lent<weir_runtime> runtime_;
  detail::pool_handle handle_;
};

}  // namespace cpp
}  // namespace weir
