// SPDX-License-Identifier: MIT
//
// Operations: what to do, as a recipe that can be started any number of times, also at once. Made
// from a function; its parameters and its result say what it takes and gives:
//
//   weir::operation now{runtime, [] { return 42; }};                        // operation<int>
//   weir::operation twice{runtime, [](int n) { return 2 * n; }};            // operation<int, int>
//   weir::operation later{runtime, [](weir::completer<int> done) { ... }};  // when it likes
//
// The function runs on the runtime's thread, once for each attempt, must not block there
// (weir::blocking() makes an operation of one that does), and may run while an earlier attempt of
// it has not been completed. What it throws is the failure of that attempt, and comes out of
// result.value() again.

#pragma once

#include "weir/attempt.hpp"
#include "weir/run.hpp"

namespace weir {
inline namespace cpp {
namespace detail {

// The input of an attempt: lent where it lies in the run's value, else read into a place of its
// own.
template <class Input>
class input_slot {
 public:
  // False and `why` if it is of another type.
  bool load(const weir_attempt &attempt, std::optional<error> &why) {
    lent_ = unbox<Input>(attempt.input);
    if (lent_ != nullptr) return true;
    result<Input> read = codec<Input>::decode(attempt.input, false);
    if (!read) {
      why.emplace(std::move(read).error());
      return false;
    }
    own_.emplace(*std::move(read));
    lent_ = std::addressof(*own_);
    return true;
  }
  const Input &get() const { return *lent_; }

 private:
  const Input *lent_ = nullptr;
  std::optional<Input> own_;
};

template <>
class input_slot<void> {
 public:
  bool load(const weir_attempt &, std::optional<error> &) { return true; }
};

// Calls a user's function with those of its parameters that it has.
template <class F, class Slot, class... Rest>
decltype(auto) call_user(F &function, const Slot &slot, Rest &&...rest) {
  if constexpr (std::is_same_v<Slot, input_slot<void>>) {
    return function(std::forward<Rest>(rest)...);
  } else {
    return function(slot.get(), std::forward<Rest>(rest)...);
  }
}

// A user's function with what it is called through. Slot: where the input comes from.
template <class T, class F, class Slot>
struct operation_body {
  using form = operation_shape<F>;

  F function;
  weir_operation *self = nullptr;

  static void free(void *data) { delete static_cast<operation_body *>(data); }

  // The value that the function returned, as a result.
  template <class... Rest>
  auto call(const Slot &slot, Rest &&...rest) {
    using returned = typename form::returned;
    if constexpr (std::is_void_v<returned>) {
      detail::call_user(function, slot, std::forward<Rest>(rest)...);
      return result<T>();
    } else if constexpr (std::is_same_v<returned, judged<T>>) {
      return detail::call_user(function, slot, std::forward<Rest>(rest)...);
    } else {
      return result<T>(detail::call_user(function, slot, std::forward<Rest>(rest)...));
    }
  }
  auto call_with(const Slot &slot, attempt &view) {
    if constexpr (form::takes_attempt) {
      return call(slot, view);
    } else {
      return call(slot);
    }
  }
  void begin(const Slot &slot, attempt &view, completer<T> &&done) {
    if constexpr (form::takes_attempt) {
      detail::call_user(function, slot, view, std::move(done));
    } else {
      detail::call_user(function, slot, std::move(done));
    }
  }

  // Returns without having completed only if the function completes later.
  void attempt_it(const Slot &slot, weir_attempt &lent, attempt &view) {
    if constexpr (form::takes_completer) {
      begin(slot, view, completer<T>(lent.runtime, lent.token, operation_handle::share(self)));
    } else {
      weir_token token = lent.token;
      detail::complete(lent.runtime, token, call_with(slot, view));
    }
  }

  // Reads the input, and starts.
  void begin_attempt(weir_attempt &lent) {
    attempt view(&lent);
    Slot slot;
    std::optional<error> why;
    if (slot.load(lent, why)) {
      attempt_it(slot, lent, view);
    } else {
      detail::fail(lent.runtime, lent.token, *why);
    }
  }

  static void start(void *data, weir_attempt *lent) noexcept {
    auto *body = static_cast<operation_body *>(data);
#if WEIR_CPP_EXCEPTIONS
    // Once it has completed, others may end the runtime: these are good for completing only.
    weir_runtime *runtime = lent->runtime;
    weir_token token = lent->token;
    if constexpr (form::takes_completer) {
      start_frame frame(token);
      try {
        body->begin_attempt(*lent);
        if (frame.dropped) fail_dropped(runtime, token);
      } catch (...) {
        detail::fail(runtime, token, error_of_current_exception());
      }
    } else {
      try {
        body->begin_attempt(*lent);
      } catch (...) {
        detail::fail(runtime, token, error_of_current_exception());
      }
    }
#else
    body->begin_attempt(*lent);
#endif
  }

  // On a thread of libuv's pool.
  static weir_status block(void *data, const weir_attempt *lent, weir_value **value,
                           weir_error **failure) noexcept {
    auto *body = static_cast<operation_body *>(data);
    std::optional<error> why;
#if WEIR_CPP_EXCEPTIONS
    try {
      body->block_attempt(*lent, value, why);
    } catch (...) {
      why.emplace(error_of_current_exception());
    }
#else
    body->block_attempt(*lent, value, why);
#endif
    if (!why) return WEIR_OK;
    *failure = why->share_or_make();
    return why->status() == status::ok ? weir_status{WEIR_EFAILED}
                                       : static_cast<weir_status>(why->status());
  }
  void block_attempt(const weir_attempt &lent, weir_value **value, std::optional<error> &why) {
    attempt view(&lent);
    Slot slot;
    if (slot.load(lent, why)) block_result(call_with(slot, view), value, why);
  }
  static void block_result(result<T> ended, weir_value **value, std::optional<error> &why) {
    if (!ended) {
      why.emplace(ended.error());
    } else if constexpr (!std::is_void_v<T>) {
      *value = codec<T>::encode(*std::move(ended)).release();
    }
  }
};

}  // namespace detail

// An operation that gives a T and takes an Input (void: any, which its function does not look at).
// A copy is the same operation, and equal.
template <class T, class Input = void>
class operation : public detail::same_object<operation<T, Input>> {
  template <class Slot, bool Blocks, class F>
  static result<operation> build(weir_runtime *runtime, F &&function) {
    using body = detail::operation_body<T, std::decay_t<F>, Slot>;
    auto *data = new body{std::forward<F>(function)};
    weir_operation *made = nullptr;
    weir_error *why = nullptr;
    weir_status status;
    if constexpr (Blocks) {
      status = weir_operation_new_blocking(runtime, body::block, data, body::free, &made, &why);
    } else {
      status = weir_operation_new(runtime, body::start, data, body::free, &made, &why);
    }
    if (status != WEIR_OK) return error::adopt(status, why);
    data->self = made;
    return adopt(runtime, made);
  }

 public:
  using value_type = T;
  using input_type = Input;

  operation() = default;
  // Throws what make() fails with.
  template <class F>
  operation(const runtime &runtime, F &&function)
      : operation(make(runtime, std::forward<F>(function)).value()) {}
  template <class F>
  static result<operation> make(const runtime &runtime, F &&function) {
    return build<detail::input_slot<Input>, false>(runtime.get(), std::forward<F>(function));
  }
  // Of a function that blocks, and so runs on a thread of libuv's pool; it is not told when to
  // stop, and its error says neither final nor when to try again. Errors: unsupported with the
  // manual driver, which has no pool.
  template <class F>
  static result<operation> make_blocking(const runtime &runtime, F &&function) {
    static_assert(!detail::operation_shape<F>::takes_completer,
                  "what blocks completes when it returns");
    return build<detail::input_slot<Input>, true>(runtime.get(), std::forward<F>(function));
  }
  // The same with its input from elsewhere (a cache's key).
  template <class Slot, class F>
  static result<operation> make_from(weir_runtime *runtime, F &&function) {
    return build<Slot, false>(runtime, std::forward<F>(function));
  }
  // Takes over a reference of an operation that gives such values.
  static operation adopt(weir_runtime *runtime, weir_operation *made) {
    operation result;
    result.handle_ = detail::operation_handle::adopt(made);
    result.runtime_ = runtime;
    return result;
  }

  // An operation that runs this one under `policy`. Throws what pipeline's constructor throws.
  operation with(const policy &policy) const { return make_with(policy).value(); }
  result<operation> make_with(const policy &policy) const {
    weir_operation *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_policy_wrap(policy.get(), get(), &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime_, made);
  }

  // The same operation by other types, for what only the program knows to fit: a value of another
  // type is found when it is read, and is an error then (status::invalid).
  template <class U, class OtherInput = Input>
  operation<U, OtherInput> as() const {
    return operation<U, OtherInput>::adopt(runtime_, weir_operation_ref(get()));
  }

  // Starts a run, any thread; it begins in a later turn, never inside of this.
  template <class I = Input, std::enable_if_t<std::is_void_v<I>, int> = 0>
  call<T> run(const run_options &options = {}) const {
    return call<T>(start(options, nullptr));
  }
  template <class I = Input, std::enable_if_t<!std::is_void_v<I>, int> = 0>
  call<T> run(detail::same<I> input, const run_options &options = {}) const {
    return call<T>(start(options, detail::codec<I>::encode(std::move(input)).get()));
  }
  // The same, and `told` is told of the result on the runtime's thread: void(weir::result<T>), or
  // void(weir::result<T>, const weir::outcome &).
  template <class F, class I = Input, std::enable_if_t<std::is_void_v<I>, int> = 0>
  call_base run(const run_options &options, F &&told) const {
    return start(options, nullptr, std::forward<F>(told));
  }
  template <class F, class I = Input, std::enable_if_t<!std::is_void_v<I>, int> = 0>
  call_base run(detail::same<I> input, const run_options &options, F &&told) const {
    return start(options, detail::codec<I>::encode(std::move(input)).get(), std::forward<F>(told));
  }
  // With an input that is encoded already, or none; `settle` etc. as weir_run().
  weir_status run_in_c(const run_options &options, weir_value *input, weir_settle_fn settle,
                       void *data, weir_free_fn free_data, weir_call **call,
                       weir_error **why) const {
    detail::run_options_in_c c(options, input);
    return weir_run(get(), c.get(), settle, data, free_data, call, why);
  }

  // A label on its metrics.
  result<void> set_label(const std::string &key, const std::string &value) const {
    weir_error *why = nullptr;
    return detail::done(weir_operation_set_label(get(), key.c_str(), value.c_str(), &why), why);
  }
  explicit operator bool() const { return static_cast<bool>(handle_); }
  weir_operation *get() const { return handle_.get(); }
  // Lent; valid as long as this operation.
  weir_runtime *runtime() const { return runtime_; }

 private:
  template <class... Told>
  call_base start(const run_options &options, weir_value *input, Told &&...told) const {
    auto begin = [&](weir_settle_fn settle, void *data, weir_free_fn free_data, weir_call **call,
                     weir_error **why) {
      return run_in_c(options, input, settle, data, free_data, call, why);
    };
    if constexpr (sizeof...(Told) == 0) {
      return detail::start_call(begin);
    } else {
      return detail::start_call<T>(begin, std::forward<Told>(told)...);
    }
  }

  detail::operation_handle handle_;
  detail::lent<weir_runtime> runtime_;
};

template <class F>
operation(const runtime &, F &&) -> operation<typename detail::operation_shape<F>::value,
                                              typename detail::operation_shape<F>::input>;

namespace detail {

template <class F>
using operation_of =
    operation<typename operation_shape<F>::value, typename operation_shape<F>::input>;

}  // namespace detail

// An operation of a function that blocks, or computes for long: it runs on a thread of libuv's
// pool.
template <class F>
detail::operation_of<F> blocking(const runtime &runtime, F &&function) {
  return detail::operation_of<F>::make_blocking(runtime, std::forward<F>(function)).value();
}

// Runs a function once: an operation that is made and run.
template <class F>
call<typename detail::operation_shape<F>::value> run(const runtime &runtime, F &&function,
                                                     const run_options &options = {}) {
  using operation = detail::operation_of<F>;
  static_assert(std::is_void_v<typename operation::input_type>,
                "what takes an input is made an operation first");
  auto made = operation::make(runtime, std::forward<F>(function));
  if (!made) {
    return call<typename operation::value_type>(call_base::refused(made.error()));
  }
  return made->run(options);
}

}  // namespace cpp
}  // namespace weir

template <class T, class Input>
struct std::hash<weir::operation<T, Input>>
    : weir::detail::hash_of_object<weir::operation<T, Input>> {};
