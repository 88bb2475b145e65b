// SPDX-License-Identifier: MIT
//
// Scopes group calls: one deadline and one cancel for all, values they see, resources that are
// closed at the end, and an end at which all of it is over. See weir/scope.h.
//
//   {
//     weir::scope scope{runtime, {.deadline = 2s, .name = "import"}};
//     auto user = fetch_user.run(id, {.scope = scope});
//     ...
//   }   // waits for all that runs in it
//
// or an operation that runs its body in a scope of its own: weir::scoped(body, options). There,
// attempt.scope() is it.

#pragma once

#include "weir/detail/composed.hpp"

namespace weir {
inline namespace cpp {

// What the end does with calls that have not settled.
enum class scope_exit : std::uint32_t {
  join = WEIR_SCOPE_JOIN,      // waits for them
  cancel = WEIR_SCOPE_CANCEL,  // cancels them at once
  grace = WEIR_SCOPE_GRACE     // waits `grace`, then cancels them
};

struct scope_options {
  scope_exit exit = scope_exit::join;
  milliseconds deadline = forever;  // of every run in it; 0 or more, or `forever`
  milliseconds grace{5000};         // how long the end waits for what does not stop
  scope_view parent{};              // not for scoped(), which takes that of its run
  std::string name{};
};

namespace detail {

inline weir_scope_options to_c(const scope_options &from) {
  weir_scope_options to = WEIR_SCOPE_OPTIONS_INIT;
  to.exit = static_cast<std::uint32_t>(from.exit);
  to.deadline_ms = from.deadline.count();
  to.grace_ms = from.grace.count();
  to.parent = from.parent.get();
  to.name = text(from.name);
  return to;
}

}  // namespace detail

// Ends with the object, which waits for that: not on the runtime's thread nor with a manual
// runtime, where the end only begins. Moves, but does not copy.
class scope : public scope_view {
 public:
  // Throws what it is refused with.
  explicit scope(const runtime &runtime, const scope_options &options = {})
      : scope(make(runtime, options).value()) {}
  static result<scope> make(const runtime &runtime, const scope_options &options = {}) {
    weir_scope_options c = detail::to_c(options);
    weir_scope *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_scope_new(runtime.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return scope(runtime, detail::scope_handle::adopt(made));
  }
  scope(scope &&other) noexcept
      : scope_view(std::exchange(other.lent_, nullptr)),
        handle_(std::move(other.handle_)),
        runtime_(std::move(other.runtime_)),
        waits_(other.waits_) {}
  scope &operator=(scope &&) = delete;
  ~scope() {
    if (handle_ && waits_) (void)join();
  }

  // Cancels every call in it and refuses new ones; resources stay open until its end.
  void cancel() const { weir_scope_cancel(get()); }
  // Ends it and waits: the error of the first resource that could not be closed, or wrong_thread on
  // the runtime's own thread.
  result<void> join() {
    result<operation<void>> made = make_join_operation();
    if (!made) return std::move(made).error();
    return made->run().get();
  }
  // The operation whose run ends it and settles when it has ended; must not run inside of it.
  // Throws what it is refused with.
  operation<void> join_operation() const { return make_join_operation().value(); }
  result<operation<void>> make_join_operation() const {
    return detail::compose<operation<void>>(runtime_,
                                            [this](weir_operation **made, weir_error **why) {
                                              return weir_scope_join(get(), made, why);
                                            });
  }
  weir_scope_stats stats() const {
    weir_scope_stats stats{};
    stats.size = sizeof stats;
    weir_scope_get_stats(get(), &stats);
    return stats;
  }

 private:
  scope(const runtime &runtime, detail::scope_handle handle)
      : scope_view(handle.get()),
        handle_(std::move(handle)),
        runtime_(runtime.get()),
        waits_(runtime.driver() == driver::thread) {}

  detail::scope_handle handle_;
  detail::lent<weir_runtime> runtime_;
  bool waits_;
};

// Runs `body` in a fresh scope, inside the run's own if there is one; settles with the body's
// outcome when the scope has ended. Throws what it is refused with.
template <class T, class Input>
result<operation<T, Input>> make_scoped(const operation<T, Input> &body,
                                        const scope_options &options = {}) {
  weir_scope_options c = detail::to_c(options);
  return detail::compose<operation<T, Input>>(
      body.runtime(), [&](weir_operation **made, weir_error **why) {
        return weir_scope_operation(body.get(), &c, made, why);
      });
}
template <class T, class Input>
operation<T, Input> scoped(const operation<T, Input> &body, const scope_options &options = {}) {
  return make_scoped(body, options).value();
}

// Opens a resource in the scope of its run: `close` runs at the scope's end, with open's value as
// its input. The value is set in the scope as `key`, if there is one; it is shared. Throws what it
// is refused with.
template <class T, class Input, class Closed>
result<operation<T, Input>> make_resource(const operation<T, Input> &open,
                                          const operation<Closed, T> &close,
                                          const std::string &key = {}) {
  return detail::compose<operation<T, Input>>(
      open.runtime(), [&](weir_operation **made, weir_error **why) {
        return weir_scope_resource(open.get(), close.get(), detail::text(key), made, why);
      });
}
template <class T, class Input, class Closed>
operation<T, Input> resource(const operation<T, Input> &open, const operation<Closed, T> &close,
                             const std::string &key = {}) {
  return make_resource(open, close, key).value();
}

}  // namespace cpp
}  // namespace weir
