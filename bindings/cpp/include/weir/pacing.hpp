// SPDX-License-Identifier: MIT
//
// Debounce and throttle: callables that decide when to run their operation for a stream of calls.
// See weir/pacing.h, weir/debounce.h and weir/throttle.h.
//
//   weir::debounce search{runtime, find, {.wait = 300ms}};
//   search("we"), search("wei"), search("weir");          // one run, with "weir"

#pragma once

#include "weir/key.hpp"
#include "weir/operation.hpp"

namespace weir {
inline namespace cpp {

// What a call gets that a later one of its batch replaced.
enum class superseded : std::uint32_t {
  cancel = WEIR_SUPERSEDED_CANCEL,  // status::superseded, at once
  share = WEIR_SUPERSEDED_SHARE     // the outcome of the run that covers its batch
};
// A run is due while the last one is still going.
enum class overlap : std::uint32_t {
  queue = WEIR_OVERLAP_QUEUE,
  concurrent = WEIR_OVERLAP_CONCURRENT,
  cancel = WEIR_OVERLAP_CANCEL
};

struct debounce_options {
  milliseconds wait{300};           // the quiet period; 0 or more, or `forever`
  milliseconds max_wait = forever;  // under constant calls it runs at least this often
  bool leading = false;             // run at the first call of a burst
  bool trailing = true;             // run after the quiet period with the latest argument
  weir::superseded superseded = weir::superseded::cancel;
  weir::overlap overlap = weir::overlap::queue;
  weir::policy policy{};  // around each run; may be empty
  std::string name{};
};

struct throttle_options {
  milliseconds interval{100};  // 0 or more, or `forever`
  bool leading = true;         // run at the first call at once
  bool trailing = true;        // run at the interval's end with the latest argument
  weir::superseded superseded = weir::superseded::share;
  weir::overlap overlap = weir::overlap::queue;
  weir::policy policy{};  // around each run; may be empty
  std::string name{};
};

namespace detail {

// What the two have alike: Pacer has the functions of the C API.
template <class Pacer, class T, class Input>
class pacing {
 public:
  // Calls with an argument; the rest is as operation::run(). With superseded::share several calls
  // get one value: T is copyable then.
  template <class I = Input, std::enable_if_t<!std::is_void_v<I>, int> = 0>
  call<T> operator()(same<I> argument, const run_options &options = {}) const {
    return operation().run(std::move(argument), options);
  }
  template <class I = Input, std::enable_if_t<std::is_void_v<I>, int> = 0>
  call<T> operator()(const run_options &options = {}) const {
    return operation().run(options);
  }
  template <class F, class I = Input, std::enable_if_t<!std::is_void_v<I>, int> = 0>
  call_base operator()(same<I> argument, const run_options &options, F &&told) const {
    return operation().run(std::move(argument), options, std::forward<F>(told));
  }
  template <class F, class I = Input, std::enable_if_t<std::is_void_v<I>, int> = 0>
  call_base operator()(const run_options &options, F &&told) const {
    return operation().run(options, std::forward<F>(told));
  }
  // Calls without asking how it ends: the cheapest form. The runtime's thread only (wrong_thread).
  template <class I = Input, std::enable_if_t<!std::is_void_v<I>, int> = 0>
  result<void> touch(same<I> argument, std::optional<std::string_view> key = {}) const {
    auto value = encode_object(std::move(argument));
    return done(Pacer::touch(get(), data(key), size(key), value.get()));
  }
  template <class I = Input, std::enable_if_t<std::is_void_v<I>, int> = 0>
  result<void> touch(std::optional<std::string_view> key = {}) const {
    return done(Pacer::touch(get(), data(key), size(key), nullptr));
  }
  // The same at a time of the runtime's clock, for who has read it already.
  template <class I = Input, std::enable_if_t<!std::is_void_v<I>, int> = 0>
  result<void> touch(same<I> argument, std::optional<std::string_view> key, time_point now) const {
    auto value = encode_object(std::move(argument));
    return done(Pacer::touch_at(get(), data(key), size(key), value.get(), ns_of(now)));
  }
  template <class I = Input, std::enable_if_t<std::is_void_v<I>, int> = 0>
  result<void> touch(std::optional<std::string_view> key, time_point now) const {
    return done(Pacer::touch_at(get(), data(key), size(key), nullptr, ns_of(now)));
  }
  // Forgets what is pending for a key, or for calls without one, and begins afresh.
  void cancel(std::optional<std::string_view> key = {}) const {
    Pacer::cancel(get(), data(key), size(key));
  }
  // Runs now what is pending.
  void flush(std::optional<std::string_view> key = {}) const {
    Pacer::flush(get(), data(key), size(key));
  }
  // Calls that wait for a run to begin, of all keys.
  std::uint64_t pending() const { return Pacer::pending(get()); }
  weir_pacing_stats stats() const {
    weir_pacing_stats stats{};
    stats.size = sizeof stats;
    Pacer::get_stats(get(), &stats);
    return stats;
  }
  // As an operation: the run's input is the argument, its key the key.
  weir::operation<T, Input> operation() const {
    return weir::operation<T, Input>::adopt(runtime_, weir_operation_ref(Pacer::operation(get())));
  }
  typename Pacer::type *get() const { return handle_.get(); }

 protected:
  pacing(weir_runtime *runtime, typename Pacer::handle handle)
      : runtime_(runtime), handle_(std::move(handle)) {}

 private:
  static const void *data(std::optional<std::string_view> key) {
    return !key ? nullptr : key->data() == nullptr ? "" : key->data();
  }
  static std::size_t size(std::optional<std::string_view> key) { return key ? key->size() : 0; }

  lent<weir_runtime> runtime_;
  typename Pacer::handle handle_;
};

template <class Options, class COptions>
void fill_pacing(const Options &from, COptions &to) {
  to.leading = from.leading ? 1 : 0;
  to.trailing = from.trailing ? 1 : 0;
  to.superseded = static_cast<std::uint32_t>(from.superseded);
  to.overlap = static_cast<std::uint32_t>(from.overlap);
  to.policy = from.policy.get();
  to.name = text(from.name);
}

struct debounce_in_c {
  using type = weir_debounce;
  using handle = debounce_handle;
  static constexpr auto touch = weir_debounce_touch;
  static constexpr auto touch_at = weir_debounce_touch_at;
  static constexpr auto cancel = weir_debounce_cancel;
  static constexpr auto flush = weir_debounce_flush;
  static constexpr auto pending = weir_debounce_pending;
  static constexpr auto get_stats = weir_debounce_get_stats;
  static constexpr auto operation = weir_debounce_operation;
};
struct throttle_in_c {
  using type = weir_throttle;
  using handle = throttle_handle;
  static constexpr auto touch = weir_throttle_touch;
  static constexpr auto touch_at = weir_throttle_touch_at;
  static constexpr auto cancel = weir_throttle_cancel;
  static constexpr auto flush = weir_throttle_flush;
  static constexpr auto pending = weir_throttle_pending;
  static constexpr auto get_stats = weir_throttle_get_stats;
  static constexpr auto operation = weir_throttle_operation;
};

}  // namespace detail

// Runs its operation once a stream of calls has been quiet. A copy is the same one.
template <class T, class Input>
class debounce : public detail::pacing<detail::debounce_in_c, T, Input> {
  using base = detail::pacing<detail::debounce_in_c, T, Input>;

 public:
  // Throws what it is refused with.
  debounce(const runtime &runtime, const operation<T, Input> &paced,
           const debounce_options &options = {})
      : debounce(make(runtime, paced, options).value()) {}
  static result<debounce> make(const runtime &runtime, const operation<T, Input> &paced,
                               const debounce_options &options = {}) {
    weir_debounce_options c = to_c(options);
    weir_debounce *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_debounce_new(runtime.get(), paced.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return debounce(runtime.get(), detail::debounce_handle::adopt(made));
  }
  // Changes wait and max_wait; the rest must be as it is, policy and name empty.
  result<void> set_options(const debounce_options &options) const {
    weir_debounce_options c = to_c(options);
    weir_error *why = nullptr;
    return detail::done(weir_debounce_set_options(this->get(), &c, &why), why);
  }

 private:
  debounce(weir_runtime *runtime, detail::debounce_handle handle)
      : base(runtime, std::move(handle)) {}
  static weir_debounce_options to_c(const debounce_options &from) {
    weir_debounce_options to = WEIR_DEBOUNCE_OPTIONS_INIT;
    detail::fill_pacing(from, to);
    to.wait_ms = from.wait.count();
    to.max_wait_ms = from.max_wait.count();
    return to;
  }
};

// Runs its operation at most once in an interval. A copy is the same one.
template <class T, class Input>
class throttle : public detail::pacing<detail::throttle_in_c, T, Input> {
  using base = detail::pacing<detail::throttle_in_c, T, Input>;

 public:
  // Throws what it is refused with.
  throttle(const runtime &runtime, const operation<T, Input> &paced,
           const throttle_options &options = {})
      : throttle(make(runtime, paced, options).value()) {}
  static result<throttle> make(const runtime &runtime, const operation<T, Input> &paced,
                               const throttle_options &options = {}) {
    weir_throttle_options c = to_c(options);
    weir_throttle *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_throttle_new(runtime.get(), paced.get(), &c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return throttle(runtime.get(), detail::throttle_handle::adopt(made));
  }
  // Changes the interval; the rest must be as it is, policy and name empty.
  result<void> set_options(const throttle_options &options) const {
    weir_throttle_options c = to_c(options);
    weir_error *why = nullptr;
    return detail::done(weir_throttle_set_options(this->get(), &c, &why), why);
  }

 private:
  throttle(weir_runtime *runtime, detail::throttle_handle handle)
      : base(runtime, std::move(handle)) {}
  static weir_throttle_options to_c(const throttle_options &from) {
    weir_throttle_options to = WEIR_THROTTLE_OPTIONS_INIT;
    detail::fill_pacing(from, to);
    to.interval_ms = from.interval.count();
    return to;
  }
};

}  // namespace cpp
}  // namespace weir
