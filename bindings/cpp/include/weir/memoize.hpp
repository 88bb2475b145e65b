// SPDX-License-Identifier: MIT
//
// An operation that runs once for each input; later runs with the same input get its value. See
// weir/memoize.h. Errors are never kept.
//
//   auto square = weir::memoize(runtime, weir::operation{runtime, [](int n) { return n * n; }});
//   square(7).get();

#pragma once

#include "weir/cache.hpp"

namespace weir {
inline namespace cpp {

struct memoize_options {
  std::int64_t max_entries = 1000;  // 0 or more, or `unlimited`
  milliseconds ttl = forever;
  milliseconds load_timeout = forever;
  weir::eviction eviction = weir::eviction::adaptive;
  std::string name{};
};

// The key of an input is that of its type (weir/key.hpp). A copy is the same one.
template <class T, class Input>
class memoize {
  static_assert(std::is_copy_constructible_v<value_or_unit<T>>, "the value is shared");
  static_assert(!std::is_void_v<Input>, "what takes no input has nothing to be memoized by");

 public:
  // Throws what it is refused with.
  memoize(const runtime &runtime, const operation<T, Input> &once,
          const memoize_options &options = {})
      : memoize(make(runtime, once, options).value()) {}
  static result<memoize> make(const runtime &runtime, const operation<T, Input> &once,
                              const memoize_options &options = {}) {
    weir_memoize_options c = WEIR_MEMOIZE_OPTIONS_INIT;
    c.eviction = static_cast<std::uint32_t>(options.eviction);
    c.max_entries = options.max_entries;
    c.ttl_ms = options.ttl.count();
    c.load_timeout_ms = options.load_timeout.count();
    c.key = key_in_c;
    c.name = detail::text(options.name);
    weir_memoize *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_memoize_new(runtime.get(), once.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return memoize(runtime.get(), detail::memoize_handle::adopt(made));
  }

  call<T> operator()(Input input, const run_options &options = {}) const {
    return operation_of().run(std::move(input), options);
  }
  template <class F>
  call_base operator()(Input input, const run_options &options, F &&told) const {
    return operation_of().run(std::move(input), options, std::forward<F>(told));
  }
  operation<T, Input> operation_of() const {
    return operation<T, Input>::adopt(runtime_,
                                      weir_operation_ref(weir_memoize_operation(handle_.get())));
  }
  // The cache behind it.
  weir::cache<Input, value_or_unit<T>> cache() const {
    return weir::cache<Input, value_or_unit<T>>::adopt(
        runtime_, weir_cache_ref(weir_memoize_cache(handle_.get())));
  }

 private:
  memoize(weir_runtime *runtime, detail::memoize_handle handle)
      : runtime_(runtime), handle_(std::move(handle)) {}
  // No input is the empty key. One of another type has none: what is too long for a key is refused
  // (status::invalid).
  static std::size_t key_in_c(void *, const weir_value *input, void *buffer,
                              std::size_t capacity) noexcept {
    if (input == nullptr) return 0;
    return detail::look_at<Input>(const_cast<weir_value *>(input), [&](const Input *object) {
      if (object == nullptr) return SIZE_MAX;
      auto &&bytes = key_bytes(*object);
      if (bytes.size() <= capacity && bytes.size() != 0) {
        std::memcpy(buffer, bytes.data(), bytes.size());
      }
      return bytes.size();
    });
  }

  detail::lent<weir_runtime> runtime_;
  detail::memoize_handle handle_;
};

}  // namespace cpp
}  // namespace weir
