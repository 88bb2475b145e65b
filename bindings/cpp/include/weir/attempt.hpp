// SPDX-License-Identifier: MIT
//
// What an operation's function is shown, and what completes it.
//
//   weir::operation fetch{runtime, [&](weir::attempt &attempt, weir::completer<std::string> done) {
//     auto request = client.begin(url, [done = std::move(done)](auto reply) mutable {
//       if (reply.ok()) done.complete(reply.body()); else done.fail(weir::error(reply.code()));
//     });
//     attempt.on_cancel([request](weir::cancel_reason) { request->abort(); });
//   }};

#pragma once

#include "weir/detail/scope_view.hpp"
#include "weir/detail/signature.hpp"

namespace weir {
inline namespace cpp {

// Has an attempt been told to stop? Copies say the same; any thread, for as long as one likes.
class cancel_token {
 public:
  cancel_token() : reason_(std::make_shared<std::atomic<std::uint32_t>>(WEIR_CANCEL_NONE)) {}
  bool cancelled() const { return reason() != cancel_reason::none; }
  cancel_reason reason() const {
    return static_cast<cancel_reason>(reason_->load(std::memory_order_acquire));
  }

 private:
  friend class attempt;
  std::shared_ptr<std::atomic<std::uint32_t>> reason_;
};

// One start of an operation; valid while its function runs.
class attempt {
 public:
  explicit attempt(weir_attempt *lent) : lent_(lent), writable_(lent) {}
  // Of a blocking operation, which is not told when to stop.
  explicit attempt(const weir_attempt *lent) : lent_(lent) {}
  attempt(const attempt &) = delete;
  attempt &operator=(const attempt &) = delete;

  // Of this operation within its run, from 1.
  std::uint32_t number() const { return lent_->number; }
  // Until the nearest deadline; empty if there is none.
  std::optional<nanoseconds> remaining() const {
    if (lent_->remaining_ns == INT64_MAX) return std::nullopt;
    return nanoseconds(lent_->remaining_ns);
  }
  // The run's key; empty if it has none.
  std::string_view key() const {
    return {static_cast<const char *>(lent_->key), static_cast<std::size_t>(lent_->key_size)};
  }
  // Which of the operations or items of a race, a parallel ... this is, from 0.
  std::uint64_t index() const { return lent_->index; }
  // The run's input if it is a U; else NULL.
  template <class U>
  const U *input_as() const {
    return detail::unbox<U>(lent_->input);
  }
  // What failed before, for the operation of a fallback.
  std::optional<outcome> failed() const {
    if (lent_->failed == nullptr) return std::nullopt;
    return outcome(*lent_->failed);
  }
  // The run options' context.
  void *context() const { return lent_->context; }
  // The run's scope; empty if it is in none. Valid until the attempt is completed.
  scope_view scope() const { return scope_view(lent_->scope); }

  // Told on the runtime's thread, at most once, that the attempt should stop; it still has to be
  // completed. Never begins after completing has returned, which waits on other threads for one
  // that is running: hold no lock there that it takes. Once per attempt.
  void on_cancel(function<void(cancel_reason)> function) {
    if (cancelling *state = cancel_state()) state->function = std::move(function);
  }
  // The same as something to ask.
  weir::cancel_token cancel_token() {
    cancelling *state = cancel_state();
    return state == nullptr ? weir::cancel_token() : state->token;
  }

  const weir_attempt *get() const { return lent_; }

 private:
  struct cancelling {
    weir::cancel_token token;
    weir::function<void(cancel_reason)> function;

    static void told(void *data, std::uint32_t reason) noexcept {
      auto *self = static_cast<cancelling *>(data);
      self->token.reason_->store(reason, std::memory_order_release);
      if (self->function) self->function(static_cast<cancel_reason>(reason));
    }
    static void free(void *data) { delete static_cast<cancelling *>(data); }
  };

  cancelling *cancel_state() {
    if (writable_ == nullptr) return nullptr;
    if (writable_->data == nullptr) {
      writable_->data = new cancelling;
      writable_->on_cancel = cancelling::told;
      writable_->free_data = cancelling::free;
    }
    return static_cast<cancelling *>(writable_->data);
  }

  const weir_attempt *lent_;
  weir_attempt *writable_ = nullptr;
};

// A value that completes an attempt, and how policies are to judge it.
template <class T>
struct judged {
  T value;
  classification as = classification::success;
  bool final = false;  // a failure that no layer retries
  std::optional<milliseconds> retry_after{};
};

namespace detail {

template <class T>
struct unwrapped<judged<T>> {
  using type = T;
};

// U, where it is not to be deduced.
template <class U>
struct same_as {
  using type = U;
};
template <class U>
using same = typename same_as<U>::type;

// The start function that is running on this thread. When it throws, its own completer is destroyed
// on the way out, before anybody can see what was thrown: then completing is left to who catches
// it.
struct start_frame {
  explicit start_frame(weir_token started) : token(started), outer(current) {
#if WEIR_CPP_EXCEPTIONS
    exceptions = std::uncaught_exceptions();
#endif
    current = this;
  }
  start_frame(const start_frame &) = delete;
  start_frame &operator=(const start_frame &) = delete;
  ~start_frame() { current = outer; }

  // Whether a completer of `dropped_token` that goes now does so because the function throws.
  static bool unwinds(weir_token dropped_token) {
#if WEIR_CPP_EXCEPTIONS
    if (current == nullptr || current->token != dropped_token) return false;
    if (std::uncaught_exceptions() <= current->exceptions) return false;
    current->dropped = true;
    return true;
#else
    (void)dropped_token;
    return false;
#endif
  }

  weir_token token;
  start_frame *outer;
  int exceptions = 0;
  bool dropped = false;
  static inline thread_local start_frame *current = nullptr;
};

// Whether a completion counted: one without memory for what it brings fails the attempt.
inline bool counted(weir_status status) { return status == WEIR_OK || status == WEIR_ENOMEM; }

inline bool fail(weir_runtime *runtime, weir_token token, const error &why) {
  weir_completion completion = why.completion();
  weir_error *made = why.share_or_make();
  // NULL would be a success.
  if (made == nullptr) {
    return counted(weir_fail(runtime, token, WEIR_DOMAIN_WEIR,
                             static_cast<weir_status>(why.status()), nullptr));
  }
  return counted(weir_complete_with(runtime, token, nullptr, made, &completion));
}

inline bool fail_dropped(weir_runtime *runtime, weir_token token) {
  return counted(weir_fail(runtime, token, WEIR_DOMAIN_WEIR, WEIR_EFAILED,
                           "the completer was dropped without completing"));
}

// Takes the token when there is all that it is completed with: if making that throws, it is still
// there. Whoever has it may be gone when this returns.
template <class T>
bool complete(weir_runtime *runtime, weir_token &token, result<T> &&ended) {
  if (!ended) return fail(runtime, std::exchange(token, 0), ended.error());
  if constexpr (std::is_void_v<T>) {
    return counted(weir_complete(runtime, std::exchange(token, 0), nullptr));
  } else if constexpr (is_packed<T> && std::is_base_of_v<boxed, codec<T>>) {
    packed<T> bytes{&identity<T>::mark, *ended};
    return counted(weir_complete_bytes(runtime, std::exchange(token, 0), &bytes, sizeof bytes));
  } else {
    value_handle value = codec<T>::encode(*std::move(ended));
    return counted(weir_complete(runtime, std::exchange(token, 0), value.release()));
  }
}

template <class T>
bool complete(weir_runtime *runtime, weir_token &token, judged<T> &&ended) {
  weir_completion completion = WEIR_COMPLETION_INIT;
  if (ended.as <= classification::abandon) {
    completion.class_ = static_cast<std::uint32_t>(ended.as);
  }
  completion.final = ended.final ? 1 : 0;
  if (ended.retry_after && ended.retry_after->count() >= 0) {
    completion.retry_after_ms = ended.retry_after->count();
  }
  value_handle value = codec<T>::encode(std::move(ended.value));
  return counted(
      weir_complete_with(runtime, std::exchange(token, 0), value.release(), nullptr, &completion));
}

}  // namespace detail

// Completes one attempt, once, from any thread and at any time, also after the runtime's end.
// Dropped without having completed, the attempt fails. Each function is true if it counted, and
// false if the attempt was over already. Where a value's own functions throw, that comes out of
// complete(), and the attempt is still to be completed.
template <class T>
class completer {
 public:
  completer(weir_runtime *runtime, weir_token token, detail::operation_handle keeps)
      : runtime_(runtime), token_(token), keeps_(std::move(keeps)) {}
  completer(completer &&other) noexcept
      : runtime_(other.runtime_),
        token_(std::exchange(other.token_, 0)),
        keeps_(std::move(other.keeps_)) {}
  completer &operator=(completer other) noexcept {
    std::swap(runtime_, other.runtime_);
    std::swap(token_, other.token_);
    std::swap(keeps_, other.keeps_);
    return *this;
  }
  ~completer() {
    if (token_ != 0 && !detail::start_frame::unwinds(token_)) {
      detail::fail_dropped(runtime_, token_);
    }
  }

  // Succeeds with a value; without an argument if T is void.
  template <class U = T, std::enable_if_t<!std::is_void_v<U>, int> = 0>
  bool complete(detail::same<U> value) {
    return finish(result<T>(std::move(value)));
  }
  template <class U = T, std::enable_if_t<std::is_void_v<U>, int> = 0>
  bool complete() {
    return finish(result<void>());
  }
  // Succeeds with a value that policies judge so.
  template <class U = T, std::enable_if_t<!std::is_void_v<U>, int> = 0>
  bool complete(judged<detail::same<U>> ended) {
    return finish(std::move(ended));
  }
  bool fail(const weir::error &error) { return finish(result<T>(error)); }
  bool fail(std::int64_t code, std::string_view message = {}) {
    return fail(weir::error(code, message));
  }
#if WEIR_CPP_EXCEPTIONS
  // Fails with an exception, which comes out of result.value() again.
  bool fail(std::exception_ptr thrown) {
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (...) {
      return fail(detail::error_of_current_exception());
    }
  }
#endif
  // Either.
  bool operator()(result<T> ended) { return finish(std::move(ended)); }

  // False if it was moved from or has completed.
  explicit operator bool() const { return token_ != 0; }

 private:
  // A result<T> or a judged<T>.
  template <class Ended>
  bool finish(Ended ended) {
    return token_ != 0 && detail::complete(runtime_, token_, std::move(ended));
  }

  weir_runtime *runtime_;
  weir_token token_;
  // Keeps the runtime's memory, also if its last user has gone.
  detail::operation_handle keeps_;
};

}  // namespace cpp
}  // namespace weir
