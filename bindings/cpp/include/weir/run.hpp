// SPDX-License-Identifier: MIT
//
// Runs: their options, and the call, which is the handle of one in flight.
//
//   weir::call<std::string> call = fetch.run({.policy = guard, .deadline = 2s});
//   weir::result<std::string> body = call.get();          // waits
//
// or, without waiting, with a function that is told on the runtime's thread:
//
//   fetch.run({.deadline = 2s}, [](weir::result<std::string> body) { ... });
//
// A run that is refused at the door (the runtime is closed or full, an option is not legal) has
// settled already: get() has that error. The function is not called then, as weir_run() has failed;
// started() tells.

#pragma once

#include "weir/detail/scope_view.hpp"
#include "weir/policy.hpp"

namespace weir {
inline namespace cpp {

// Texts are read while the run is started, and copied.
struct run_options {
  // Around this run, outside of the operation's own policies.
  weir::policy policy{};
  // From now until the call settles as stopped (status::timed_out); 0 or more, or `forever`. Flows
  // inwards: nothing is started or waited for that cannot fit.
  milliseconds deadline = forever;
  // For keyed policies: any bytes. Unset is not the same as empty.
  std::optional<std::string_view> key{};
  // For logs and the audit.
  std::string_view name{};
  // What limiters count it as; at least 1.
  std::uint32_t permits = 1;
  // In queues that go by priority: 0 (first) to 63.
  std::uint32_t priority = 31;
  // The scope that the run joins.
  scope_view scope{};
  // Attempts find it as attempt.context(); has to live until they are over.
  void *context = nullptr;
};

namespace detail {

// The options in C, and what they point to.
class run_options_in_c {
 public:
  explicit run_options_in_c(const run_options &from, weir_value *input = nullptr)
      : name_(from.name) {
    options_.permits = from.permits;
    options_.policy = from.policy.get();
    options_.deadline_ms = from.deadline.count();
    if (from.key) {
      options_.key = from.key->data() == nullptr ? "" : from.key->data();
      options_.key_size = from.key->size();
    }
    options_.name = text(name_);
    options_.input = input;
    options_.context = from.context;
    options_.priority = from.priority;
    options_.scope = from.scope.get();
  }
  const weir_run_options *get() const { return &options_; }

 private:
  weir_run_options options_ = WEIR_RUN_OPTIONS_INIT;
  std::string name_;
};

}  // namespace detail

// A run in flight. May be dropped: the run goes on. The value of one that a function is told of is
// the function's.
class call_base {
 public:
  call_base() = default;
  call_base(call_base &&) noexcept = default;
  call_base &operator=(call_base &&) noexcept = default;
  call_base(const call_base &) = delete;
  call_base &operator=(const call_base &) = delete;

  // False: it was refused at the door, start_error() says why; or this is no run: made without one,
  // or moved from.
  bool started() const { return static_cast<bool>(handle_); }
  // Only of a run that was refused.
  const weir::error &start_error() const { return *refused_; }

  // Asks it to stop: it settles as stopped (status::cancelled), attempts are told. True also if it
  // is about to settle otherwise; false if it has settled. Any thread.
  bool cancel() const { return weir_call_cancel(get()) == WEIR_OK; }
  // Has it settled?
  bool done() const { return !started() || weir_call_outcome(get()) != nullptr; }
  // Waits until it has settled, and its function, if there is one, has returned; for `timeout` at
  // most. Errors: timed_out (it goes on); wrong_thread on the runtime's own thread, which would
  // wait for itself. A manual runtime has to be processed by another thread meanwhile.
  result<void> wait(milliseconds timeout = forever) const {
    if (!started()) return {};
    return detail::done(weir_call_wait(get(), timeout.count()));
  }
  // How it ended, if it has; valid as long as this object. Its value is there until a result is
  // taken out.
  std::optional<weir::outcome> outcome() const {
    const weir_outcome *lent = weir_call_outcome(get());
    if (lent == nullptr) return std::nullopt;
    return weir::outcome(*lent);
  }

  weir_call *get() const { return handle_.get(); }
  static call_base adopt(weir_call *started) {
    call_base made;
    made.handle_ = detail::call_handle::adopt(started);
    return made;
  }
  static call_base refused(weir::error why) {
    call_base made;
    made.refused_ = std::make_unique<weir::error>(std::move(why));
    return made;
  }

 protected:
  // Of what has not started.
  weir::error why_not() const {
    return refused_ ? *refused_
                    : detail::invalid("there is no run: made without one, or moved from");
  }

 private:
  detail::call_handle handle_;
  std::unique_ptr<weir::error> refused_;
};

// A run in flight that gives a T. get() takes the result out; once.
template <class T>
class call : public call_base {
 public:
  call() = default;
  explicit call(call_base &&base) : call_base(std::move(base)) {}

  // Waits, and gives the result: moved out if nobody else has the value, else copied. Also the
  // error wrong_thread (see wait()).
  result<T> get() {
    if (!started()) return why_not();
    result<void> waited = wait();
    if (!waited) return waited.error();
    return take();
  }
  // The result of a run that is known to have settled; invalid if it has not.
  result<T> take() {
    if (!started()) return why_not();
    const weir_outcome *lent = weir_call_outcome(call_base::get());
    if (lent == nullptr) return detail::invalid("the run has not settled");
    return detail::result_of<T>(*lent, true);
  }
  // get().value()
  T value() { return get().value(); }
  weir_call *native() const { return call_base::get(); }
};

namespace detail {

// `start(settle, data, free_data, &call, &why)` is weir_run() or one of its like.
template <class Start>
call_base start_call(Start start) {
  weir_call *started = nullptr;
  weir_error *why = nullptr;
  weir_status status = start(nullptr, nullptr, nullptr, &started, &why);
  if (status != WEIR_OK) return call_base::refused(error::adopt(status, why));
  return call_base::adopt(started);
}

// As result_of(), for listeners: what copying or moving the value throws is an error.
template <class T>
result<T> result_for_listener(const weir_outcome &lent) noexcept {
#if WEIR_CPP_EXCEPTIONS
  try {
    return result_of<T>(lent, true);
  } catch (...) {
    return error_of_current_exception();
  }
#else
  return result_of<T>(lent, true);
#endif
}

template <class T, class F>
struct told {
  F function;

  static void settle(void *data, weir_call *, const weir_outcome *lent) noexcept {
    F &function = static_cast<told *>(data)->function;
    if constexpr (std::is_invocable_v<F &, result<T>, const outcome &>) {
      outcome view(*lent);
      function(result_for_listener<T>(*lent), view);
    } else {
      function(result_for_listener<T>(*lent));
    }
  }
  static void free(void *data) { delete static_cast<told *>(data); }
};

// The same, with a function that is told the result<T>, and if it likes the outcome.
template <class T, class Start, class F>
call_base start_call(Start start, F &&function) {
  using box = told<T, std::decay_t<F>>;
  static_assert(std::is_invocable_v<std::decay_t<F> &, result<T>> ||
                    std::is_invocable_v<std::decay_t<F> &, result<T>, const outcome &>,
                "the function takes a weir::result<T>, and may take a const weir::outcome &");
  weir_call *started = nullptr;
  weir_error *why = nullptr;
  std::unique_ptr<box> data(new box{std::forward<F>(function)});
  weir_status status = start(box::settle, data.get(), box::free, &started, &why);
  data.release();  // started or not, it has been taken
  if (status != WEIR_OK) return call_base::refused(error::adopt(status, why));
  return call_base::adopt(started);
}

}  // namespace detail
}  // namespace cpp
}  // namespace weir
