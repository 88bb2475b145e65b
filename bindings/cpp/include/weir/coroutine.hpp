// SPDX-License-Identifier: MIT
//
// co_await for C++20: runs that are awaited, and operations that are coroutines. Compiled by your
// compiler, which has to be GCC 13 or Clang 17 or later: earlier ones miscompile temporaries in
// co_await expressions, or write to a coroutine's frame after it was suspended.
//
//   weir::operation price = weir::coroutine(runtime, [=](user_id id) -> weir::task<money> {
//     auto orders = (co_await weir::async(fetch_orders, id)).value();
//     co_return total(orders);
//   });
//
// What is awaited resumes on the runtime's thread. When an attempt of a coroutine is told to stop,
// the run that it awaits is cancelled; it goes on from there with that error.

#pragma once

#include "weir/operation.hpp"

#if !defined(__cpp_impl_coroutine) || __cplusplus < 202002L
#error "weir/coroutine.hpp needs C++20 coroutines"
#endif
#if defined(__clang__) ? __clang_major__ < 17 : defined(__GNUC__) && __GNUC__ < 13
#error "weir/coroutine.hpp needs GCC 13 or Clang 17: this compiler miscompiles coroutines"
#endif

#include <atomic>
#include <coroutine>
#include <mutex>

namespace weir {
inline namespace cpp {
namespace detail {

// What an attempt's on_cancel and the coroutine share: the run that is awaited now.
class awaited_call {
 public:
  // Starts a run as `start(&call)` does. It may settle before this returns, on the runtime's
  // thread, which waits in over() until it is known here.
  template <class Start>
  weir_status awaits(Start start, weir_call **call) {
    std::lock_guard<std::mutex> lock(mutex_);
    weir_status status = start(call);
    if (status != WEIR_OK) return status;
    call_ = call_handle::share(*call);
    if (cancelled_) weir_call_cancel(*call);
    return status;
  }
  void over() {
    std::lock_guard<std::mutex> lock(mutex_);
    call_ = {};
  }
  void cancel() {
    std::lock_guard<std::mutex> lock(mutex_);
    cancelled_ = true;
    if (call_) weir_call_cancel(call_.get());
  }

 private:
  std::mutex mutex_;
  call_handle call_;
  bool cancelled_ = false;
};

// Lies in the frame of who awaits. If that frame is destroyed before the run has settled (on the
// runtime's thread, or where nothing else can resume it), the run is cancelled and resumes nobody.
template <class T>
class awaited_run {
  // What the run's listener knows: it outlives both the run and the frame.
  struct link {
    std::atomic<awaited_run *> waiting;
    static void free(void *data) { delete static_cast<link *>(data); }
  };

 public:
  awaited_run(operation_handle operation, value_handle input, const run_options &options)
      : operation_(std::move(operation)),
        input_(std::move(input)),
        name_(options.name),
        key_(options.key ? std::optional<std::string>(*options.key) : std::nullopt),
        options_(options) {
    options_.name = name_;
    if (key_) options_.key = *key_;
  }
  awaited_run(const awaited_run &) = delete;
  awaited_run &operator=(const awaited_run &) = delete;
  ~awaited_run() {
    if (link_ != nullptr && link_->waiting.exchange(nullptr) != nullptr) {
      if (cancels_) cancels_->over();
      weir_call_cancel(started_);
    }
    if (started_ != nullptr) weir_call_unref(started_);
  }

  void cancelled_by(std::shared_ptr<awaited_call> cancels) { cancels_ = std::move(cancels); }

  bool await_ready() const { return false; }
  // Once the run is published it may settle on the runtime's thread, resume, and end this object:
  // then nothing of it is touched here any more.
  bool await_suspend(std::coroutine_handle<> waits) {
    waits_ = waits;
    std::shared_ptr<awaited_call> cancels = cancels_;
    run_options_in_c c(options_, input_.get());
    if (started_ != nullptr) weir_call_unref(std::exchange(started_, nullptr));
    link_ = new link{{this}};
    weir_error *why = nullptr;
    auto start = [&, data = link_](weir_call **call) {
      return weir_run(operation_.get(), c.get(), settle, data, link::free, call, &why);
    };
    // The call is stored before the run is published.
    weir_status status = cancels ? cancels->awaits(start, &started_) : start(&started_);
    if (status == WEIR_OK) return true;
    link_ = nullptr;
    ended_.emplace(error::adopt(status, why));
    return false;
  }
  result<T> await_resume() { return std::move(*ended_); }

 private:
  static void settle(void *data, weir_call *, const weir_outcome *lent) noexcept {
    awaited_run *self = static_cast<link *>(data)->waiting.exchange(nullptr);
    if (self == nullptr) return;
    self->link_ = nullptr;
    if (self->cancels_) self->cancels_->over();
    self->ended_.emplace(result_for_listener<T>(*lent));
    self->waits_.resume();
  }

  operation_handle operation_;
  value_handle input_;
  std::string name_;
  std::optional<std::string> key_;
  run_options options_;
  std::coroutine_handle<> waits_;
  weir_call *started_ = nullptr;
  link *link_ = nullptr;  // while it has not settled
  std::shared_ptr<awaited_call> cancels_;
  std::optional<result<T>> ended_;
};

}  // namespace detail

// Runs an operation when it is awaited, and gives its weir::result<T>.
template <class T>
detail::awaited_run<T> async(const operation<T> &operation, const run_options &options = {}) {
  return {detail::operation_handle::share(operation.get()), {}, options};
}
template <class T, class Input>
detail::awaited_run<T> async(const operation<T, Input> &operation, detail::same<Input> input,
                             const run_options &options = {}) {
  return {detail::operation_handle::share(operation.get()), detail::encode_object(std::move(input)),
          options};
}

// A coroutine that gives a T, started when it is awaited, by another task or as an operation. What
// it throws comes out where it is awaited.
template <class T>
class [[nodiscard]] task;

namespace detail {

struct task_promise_base {
  std::suspend_always initial_suspend() noexcept { return {}; }
  struct final_awaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      return ended.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  final_awaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept {
#if WEIR_CPP_EXCEPTIONS
    thrown = std::current_exception();
#else
    std::abort();
#endif
  }
  template <class T>
  awaited_run<T> &&await_transform(awaited_run<T> &&run) {
    run.cancelled_by(cancels);
    return std::move(run);
  }
  template <class Awaitable>
  Awaitable &&await_transform(Awaitable &&awaitable) {
    if constexpr (requires { awaitable.cancelled_by(cancels); }) awaitable.cancelled_by(cancels);
    return static_cast<Awaitable &&>(awaitable);
  }

  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::shared_ptr<awaited_call> cancels;
  std::exception_ptr thrown;
};

template <class T>
struct task_promise : task_promise_base {
  task<T> get_return_object();
  template <class U>
  void return_value(U &&value) {
    returned.emplace(std::forward<U>(value));
  }
  std::optional<T> returned;
};

template <>
struct task_promise<void> : task_promise_base {
  task<void> get_return_object();
  void return_void() {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  explicit task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  task(task &&other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  task &operator=(task &&) = delete;
  ~task() {
    if (frame_) frame_.destroy();
  }

  // One that is awaited again gives what is left of its value.
  bool await_ready() const { return frame_.done(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waits) {
    frame_.promise().continuation = waits;
    return frame_;
  }
  T await_resume() {
#if WEIR_CPP_EXCEPTIONS
    if (frame_.promise().thrown) std::rethrow_exception(frame_.promise().thrown);
#endif
    if constexpr (!std::is_void_v<T>) return std::move(*frame_.promise().returned);
  }
  // Whoever awaits it hands on by what it is told to stop.
  void cancelled_by(std::shared_ptr<detail::awaited_call> cancels) {
    frame_.promise().cancels = std::move(cancels);
  }

 private:
  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() {
  return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}
inline task<void> task_promise<void>::get_return_object() {
  return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
}

template <class R>
struct unwrapped<task<R>> : unwrapped<R> {};

// A coroutine that nobody awaits and that frees itself.
struct detached {
  struct promise_type {
    detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::abort(); }
  };
};

// Awaits `running` and completes with what it brings; `done` goes last, as its parameter is first.
// The function whose coroutine it is lives as long as the operation, of which the completer holds a
// reference.
template <class T, class R>
detached complete_with_task(completer<T> done, task<R> running) {
#if WEIR_CPP_EXCEPTIONS
  std::optional<error> failed;
  try {
#endif
    if constexpr (std::is_void_v<R>) {
      co_await running;
      done.complete();
    } else {
      R returned = co_await running;
      done(result<T>(std::move(returned)));
    }
#if WEIR_CPP_EXCEPTIONS
  } catch (...) {
    failed.emplace(error_of_current_exception());
  }
  if (failed) done.fail(*failed);
#endif
}

template <class T, class R>
void start_task(task<R> running, attempt &view, completer<T> &&done) {
  auto cancels = std::make_shared<awaited_call>();
  running.cancelled_by(cancels);
  view.on_cancel([cancels](cancel_reason) { cancels->cancel(); });
  complete_with_task<T>(std::move(done), std::move(running));
}

}  // namespace detail

// An operation of a function that is a coroutine: task<T> or task<result<T>>, of an input or none
// (by value: a reference would not outlive the first co_await). Throws what it is refused with.
template <class F>
auto coroutine(const runtime &runtime, F function) {
  using shape = detail::operation_shape<F>;
  using T = typename shape::value;
  using Input = typename shape::input;
  static_assert(!shape::takes_attempt && !shape::takes_completer,
                "a coroutine takes its input, by value, or nothing");
  if constexpr (std::is_void_v<Input>) {
    return operation<T>(runtime,
                        [function = std::move(function)](attempt &view, completer<T> done) mutable {
                          detail::start_task<T>(function(), view, std::move(done));
                        });
  } else {
    return operation<T, Input>(runtime,
                               [function = std::move(function)](const Input &input, attempt &view,
                                                                completer<T> done) mutable {
                                 detail::start_task<T>(function(input), view, std::move(done));
                               });
  }
}

}  // namespace cpp
}  // namespace weir
