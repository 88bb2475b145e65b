// SPDX-License-Identifier: MIT
//
// A completion queue, for a loop of one's own that must not be called back: it is drained in
// batches. The records are those of weir/completions.h, which says what they own. C++ programs that
// may be called on the runtime's thread need none of this.
//
// What such a loop has otherwise in C++ has no record here: a parallel's or a pool's items come to
// on_item (C: ITEM), a breaker's changes to on_state_change (EVENT). Host values (RELEASED) are for
// languages whose objects cannot lie in a value; a C++ object can (weir::value::of).

#pragma once

#include "weir/operation.hpp"

namespace weir {
inline namespace cpp {

struct completions_options {
  bool with_fd = false;       // make a descriptor that is readable while records wait
  function<void()> notify{};  // from empty to non-empty, any thread; must not call weir
  std::string name{};
};

// What a function of an operation would be shown of an attempt that a record began. Valid until the
// attempt is completed.
class started_attempt {
 public:
  // As an attempt, whose on_cancel() does nothing and whose cancel_token() is never told: that
  // comes as a CANCEL record. Lent by this object.
  weir::attempt view() {
    if (shown_.failed != nullptr) shown_.failed = &failed_;
    return weir::attempt(static_cast<const weir_attempt *>(&shown_));
  }

 private:
  friend class completions;
  started_attempt() = default;
  weir_attempt shown_{};
  weir_outcome failed_ = WEIR_OUTCOME_INIT;
};

// A copy is the same queue, and equal.
class completions : public detail::same_object<completions> {
 public:
  // Throws what it is refused with.
  explicit completions(const runtime &runtime, const completions_options &options = {})
      : completions(make(runtime, options).value()) {}
  static result<completions> make(const runtime &runtime, const completions_options &options = {}) {
    weir_completions_options c = WEIR_COMPLETIONS_OPTIONS_INIT;
    c.with_fd = options.with_fd ? 1 : 0;
    detail::give(options.notify, function<void()>::call, c.notify, c.notify_data,
                 c.notify_free_data);
    c.name = detail::text(options.name);
    weir_completions *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_completions_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return completions(runtime.get(), detail::completions_handle::adopt(made));
  }

  // An operation whose attempts are START records with `user`, or with WEIR_USER_OF_RUN the context
  // of the run; completed with completer_of().
  template <class T = void>
  result<operation<T>> queued(std::uint64_t user) const {
    weir_operation *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_operation_new_queued(get(), user, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return operation<T>::adopt(runtime_, made);
  }
  // The same with ASK records, which ask for an item: the source of a parallel_from().
  template <class T>
  result<operation<std::optional<T>>> asked(std::uint64_t user) const {
    weir_operation *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_operation_new_asked(get(), user, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return operation<std::optional<T>>::adopt(runtime_, made);
  }
  // A RECORDED record with `user` when the runtime's recorder has something new. Errors: closed,
  // unsupported (it keeps nothing).
  result<void> notify_recorded(std::uint64_t user) const {
    return detail::done(weir_recorder_notify(runtime_, get(), user));
  }
  // What completes the attempt of a START or ASK record of `started`, which the queue gave out.
  template <class T>
  completer<T> completer_of(const operation<T> &started, const weir_record &record) const {
    return completer<T>(runtime_, record.object, detail::operation_handle::share(started.get()));
  }
  // What the attempt of a START or ASK record is: its number, key, context, scope, what failed
  // before ... Errors: stale (it was completed).
  result<started_attempt> attempt_of(const weir_record &record) const {
    started_attempt made;
    made.shown_.size = sizeof made.shown_;
    weir_status status = weir_attempt_get(runtime_, record.object, &made.shown_, &made.failed_);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return made;
  }
  // A run whose settlement is a SETTLED record with `user`.
  template <class T>
  call_base run(const operation<T> &operation, std::uint64_t user,
                const run_options &options = {}) const {
    return start(operation.get(), nullptr, user, options);
  }
  template <class T, class Input>
  call_base run(const operation<T, Input> &operation, detail::same<Input> input, std::uint64_t user,
                const run_options &options = {}) const {
    auto held = detail::encode_object(std::move(input));
    return start(operation.get(), held.get(), user, options);
  }
  // The result in a SETTLED record, whose reference is taken: once for each.
  template <class T>
  static result<T> result_of(const weir_record &record) {
    if (record.channel == WEIR_CHANNEL_ERROR) {
      return error::adopt(record.status, reinterpret_cast<weir_error *>(record.object));
    }
    auto held = detail::value_handle::adopt(reinterpret_cast<weir_value *>(record.object));
    if (record.channel != WEIR_CHANNEL_VALUE)
      return error(static_cast<weir::status>(record.status));
    return detail::codec<T>::decode(held.get(), true);
  }

  // Moves up to `capacity` records to `records`; how many.
  std::size_t drain(weir_record *records, std::size_t capacity) const {
    return weir_completions_drain(get(), records, sizeof *records, capacity);
  }
  // The same, but waits for the first. Errors: timed_out, wrong_thread.
  result<std::size_t> wait(weir_record *records, std::size_t capacity,
                           milliseconds timeout = forever) const {
    std::size_t count = 0;
    weir_status status =
        weir_completions_wait(get(), records, sizeof *records, capacity, timeout.count(), &count);
    if (status != WEIR_OK) return error(static_cast<weir::status>(status));
    return count;
  }
  // Readable while records wait; to be polled, never read. -1 without with_fd.
  int fd() const { return weir_completions_fd(get()); }
  weir_completions *get() const { return handle_.get(); }

 private:
  call_base start(weir_operation *operation, weir_value *input, std::uint64_t user,
                  const run_options &options) const {
    return detail::start_call(
        [&](weir_settle_fn, void *, weir_free_fn, weir_call **call, weir_error **why) {
          detail::run_options_in_c c(options, input);
          weir_run_options with_queue = *c.get();
          with_queue.queue = get();
          with_queue.user = user;
          return weir_run(operation, &with_queue, nullptr, nullptr, nullptr, call, why);
        });
  }
  completions(weir_runtime *runtime, detail::completions_handle handle)
      : runtime_(runtime), handle_(std::move(handle)) {}

  detail::lent<weir_runtime> runtime_;
  detail::completions_handle handle_;
};

}  // namespace cpp
}  // namespace weir
