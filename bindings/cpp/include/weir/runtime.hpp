// SPDX-License-Identifier: MIT
//
// A runtime: the engine with its clock, timers and thread. See weir/runtime.h.
//
//   weir::runtime runtime;                                  // a thread of its own, all defaults
//   weir::runtime named{{.max_in_flight = 1000, .name = "api"}};
//
// The object that made a runtime closes it when it goes, and waits until all of it is over, as
// std::jthread joins: after that no function of the user's runs any more. It waits close_grace at
// most for attempts that nobody completes. With a loop of yours it does not wait, that has to run
// on for a while; and on the runtime's own thread it cannot. Copies are references that do not keep
// it open; a manual runtime that copies or handles keep is processed on, or settles what is left
// with the last of them.

#pragma once

#include "weir/function.hpp"
#include "weir/outcome.hpp"

struct uv_loop_s;

namespace weir {
inline namespace cpp {

enum class driver : std::uint32_t {
  thread = WEIR_DRIVER_THREAD,  // a thread of its own
  uv = WEIR_DRIVER_UV,          // the thread that runs the caller's libuv loop
  manual = WEIR_DRIVER_MANUAL,  // the one that calls process()
  host = WEIR_DRIVER_HOST       // any that calls process(), one at a time; real time
};

// GCC takes enumerators of these for variables that `off` is hidden by.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
enum class log_level : std::int32_t {
  off = WEIR_LOG_OFF,
  error = WEIR_LOG_ERROR,
  warning = WEIR_LOG_WARNING,
  info = WEIR_LOG_INFO,
  debug = WEIR_LOG_DEBUG
};
#pragma GCC diagnostic pop

enum class event_kind : std::uint32_t {
  state_change = WEIR_EVENT_STATE_CHANGE,
  retry = WEIR_EVENT_RETRY,
  refusal = WEIR_EVENT_REFUSAL,
  eviction = WEIR_EVENT_EVICTION,
  hedge = WEIR_EVENT_HEDGE,
  fallback = WEIR_EVENT_FALLBACK,
  waiting = WEIR_EVENT_WAITING,
  granted = WEIR_EVENT_GRANTED,
  timeout = WEIR_EVENT_TIMEOUT,
  gave_up = WEIR_EVENT_GAVE_UP,
  load = WEIR_EVENT_LOAD,
  paced = WEIR_EVENT_PACED,
  hedge_won = WEIR_EVENT_HEDGE_WON,
  chaos = WEIR_EVENT_CHAOS,
  log = WEIR_EVENT_LOG  // only in the recorder
};

// What a policy did; valid while the listener runs. get() has all fields, as weir/runtime.h
// explains them.
class event {
 public:
  explicit event(const weir_event &lent) : lent_(&lent) {}
  event_kind kind() const { return static_cast<event_kind>(lent_->kind); }
  std::string_view name() const { return lent_->name; }
  weir::status status() const { return static_cast<weir::status>(lent_->status); }
  std::uint64_t count() const { return lent_->count; }
  nanoseconds delay() const { return nanoseconds(lent_->delay_ns); }
  time_point at() const { return detail::at(lent_->at_ns); }
  const weir_event &get() const { return *lent_; }

 private:
  const weir_event *lent_;
};

struct runtime_options {
  weir::driver driver = weir::driver::thread;
  // Required with driver::uv, otherwise NULL.
  uv_loop_s *loop = nullptr;
  // driver::manual and host: called on any thread when process() should be called soon; must not
  // call weir.
  function<void()> wakeup{};
  // NULL: malloc and free. C++ objects themselves are made with new.
  const weir_allocator *allocator = nullptr;
  // Seeds jitter and hashing; 0: from the system.
  std::uint64_t seed = 0;
  // Unsettled calls and orphans at most, or `unlimited`.
  std::int64_t max_in_flight = unlimited;
  // How long closing waits for attempts that were told to stop; 0 or more, or `forever`.
  milliseconds close_grace{5000};
  // Lines up to log_level; any thread, must not call weir.
  function<void(weir::log_level, std::string_view subject, std::string_view message)> log{};
  // On the runtime's thread.
  function<void(const event &)> on_event{};
  // Told once, at the end; `orphans` attempts were then still running.
  function<void(std::uint64_t orphans)> on_closed{};
  std::string name{};
  weir::log_level log_level = weir::log_level::off;
  // Decisions that recorder_dump() shows, about 400 bytes each; at most 10^6; 0: off.
  std::uint32_t recorder_entries = 0;
  // Histograms of latency and waiting, too.
  bool metrics = false;
};

namespace detail {

inline weir_runtime_options to_c(const runtime_options &from) {
  weir_runtime_options to = WEIR_RUNTIME_OPTIONS_INIT;
  to.driver = static_cast<std::uint32_t>(from.driver);
  to.loop = from.loop;
  give(from.wakeup, function<void()>::call, to.wakeup, to.wakeup_data, to.wakeup_free_data);
  to.allocator = from.allocator;
  to.seed = from.seed;
  to.max_in_flight = from.max_in_flight;
  to.close_grace_ms = from.close_grace.count();
  give(
      from.log,
      +[](void *data, std::int32_t level, const char *subject, const char *message) {
        decltype(from.log)::call(data, static_cast<log_level>(level), subject, message);
      },
      to.log, to.log_data, to.log_free_data);
  give(
      from.on_event,
      +[](void *data, const weir_event *lent) {
        function<void(const event &)>::call(data, event(*lent));
      },
      to.on_event, to.event_data, to.event_free_data);
  give(from.on_closed, function<void(std::uint64_t)>::call, to.on_closed, to.closed_data,
       to.closed_free_data);
  to.name = text(from.name);
  to.log_level = static_cast<std::int32_t>(from.log_level);
  to.recorder_entries = from.recorder_entries;
  to.metrics = from.metrics ? 1 : 0;
  return to;
}

// Text that a function of the C API writes into a buffer: asked for the size first, and again if it
// grew.
template <class Write>
result<std::string> text_of(Write write) {
  std::string text;
  std::size_t needed = 0;
  weir_status status = write(nullptr, 0, &needed);
  while (status == WEIR_OK || status == WEIR_EFULL) {
    text.resize(needed);
    status = write(text.data(), text.size(), &needed);
    if (status != WEIR_OK) continue;
    text.resize(needed == 0 ? 0 : needed - 1);
    return text;
  }
  return error(static_cast<weir::status>(status));
}

}  // namespace detail

class runtime : public detail::same_object<runtime> {
 public:
  // Throws invalid_error and its like; see make() for a form that does not.
  explicit runtime(const runtime_options &options = {}) : runtime(make(options).value()) {}
  static result<runtime> make(const runtime_options &options = {}) {
    weir_runtime_options c = detail::to_c(options);
    weir_runtime *made = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_runtime_new(&c, &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    runtime result(detail::runtime_handle::adopt(made), options.driver);
    result.closes_ = true;
    return result;
  }
  // A reference of a runtime that other code made, in any language; does not close it.
  static runtime share(weir_runtime *lent, weir::driver driver = weir::driver::thread) {
    return runtime(detail::runtime_handle::share(lent), driver);
  }

  runtime(const runtime &other) : handle_(other.handle_), driver_(other.driver_) {}
  runtime(runtime &&other) noexcept
      : handle_(std::move(other.handle_)),
        driver_(other.driver_),
        closes_(std::exchange(other.closes_, false)) {}
  runtime &operator=(runtime other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(driver_, other.driver_);
    std::swap(closes_, other.closes_);
    return *this;
  }
  ~runtime() {
    if (!closes_ || get() == nullptr) return;
    weir_runtime_close(get());
    // On its own thread, or in a forked child, this returns at once.
    if (driver_ == driver::thread) weir_runtime_close_wait(get(), WEIR_FOREVER);
  }
  // From here on the end of this object only gives its reference back.
  void detach() { closes_ = false; }

  // Begins closing: new runs are refused, everything in flight settles as stopped (status::closed).
  void close() const { weir_runtime_close(get()); }
  // Closes and waits, for `timeout` at most. Errors: timed_out; wrong_thread on the runtime's own
  // thread; unsupported with the manual driver or an attached loop.
  result<void> close_wait(milliseconds timeout = forever) const {
    return detail::done(weir_runtime_close_wait(get(), timeout.count()));
  }
  bool is_open() const { return weir_runtime_state(get()) == WEIR_OK; }

  time_point now() const { return detail::at(weir_runtime_now(get())); }

  // Manual driver: sets the clock and does what is due; the number of steps taken.
  std::uint64_t process(time_point now) const {
    return weir_runtime_process(get(), detail::ns_of(now));
  }
  // Manual driver: when process() is due next; empty if nothing waits for time.
  std::optional<time_point> next_deadline() const {
    std::int64_t at = weir_runtime_next_deadline(get());
    if (at == INT64_MAX) return std::nullopt;
    return detail::at(at);
  }
  // Keeps an attached loop alive while nothing is in flight; counted. The loop's thread only.
  result<void> hold() const { return detail::done(weir_runtime_hold(get())); }
  result<void> release() const { return detail::done(weir_runtime_release(get())); }
  // Gives pooled memory back.
  void trim() const { weir_runtime_trim(get()); }

  weir_runtime_stats stats() const {
    weir_runtime_stats stats{};
    stats.size = sizeof stats;
    weir_runtime_get_stats(get(), &stats);
    return stats;
  }
  // What is in flight and what it waits for; the runtime's thread only (wrong_thread elsewhere).
  result<std::vector<weir_audit_entry>> audit() const {
    std::vector<weir_audit_entry> list(16);
    for (;;) {
      std::size_t count = 0;
      weir_status status =
          weir_runtime_audit(get(), list.data(), sizeof list[0], list.size(), &count);
      if (status != WEIR_OK) return error(static_cast<weir::status>(status));
      bool all = count <= list.size();
      list.resize(count);
      if (all) return list;
    }
  }

  // All that its handles counted, as OpenMetrics 1.0; see weir/metrics.h.
  result<std::string> metrics() const {
    return detail::text_of([this](char *buffer, std::size_t size, std::size_t *needed) {
      return weir_runtime_metrics(get(), buffer, size, needed);
    });
  }
  // The same in the Prometheus text format 0.0.4.
  result<std::string> metrics_text() const {
    return detail::text_of([this](char *buffer, std::size_t size, std::size_t *needed) {
      return weir_runtime_metrics_text(get(), buffer, size, needed);
    });
  }
  // A label on all samples.
  result<void> set_label(const std::string &key, const std::string &value) const {
    weir_error *why = nullptr;
    return detail::done(weir_runtime_set_label(get(), key.c_str(), value.c_str(), &why), why);
  }
  // The last decisions of the policies, one line each; needs recorder_entries.
  result<std::string> recorder_dump() const {
    return detail::text_of([this](char *buffer, std::size_t size, std::size_t *needed) {
      return weir_recorder_dump(get(), buffer, size, needed);
    });
  }
  // The decisions that are kept and not read yet, oldest first; `cursor` begins at 0 and goes on
  // from call to call. What was overwritten before it was read is a gap in their numbers.
  result<std::vector<weir_recorded>> recorder_read(std::uint64_t &cursor) const {
    std::vector<weir_recorded> list;
    for (;;) {
      weir_recorded page[16];
      std::size_t count = 0;
      weir_status status = weir_recorder_read(get(), &cursor, page, sizeof page[0], 16, &count);
      if (status != WEIR_OK) return error(static_cast<weir::status>(status));
      if (count == 0) return list;
      list.insert(list.end(), page, page + count);
    }
  }
  // Hands a line to the runtime's log, if its level lets it pass. Empty subject: the runtime's
  // name.
  void log(log_level level, const std::string &subject, const std::string &message) const {
    weir_log(get(), static_cast<std::int32_t>(level), detail::text(subject), message.c_str());
  }

  weir_runtime *get() const { return handle_.get(); }
  weir::driver driver() const { return driver_; }

 protected:
  runtime(detail::runtime_handle handle, weir::driver driver)
      : handle_(std::move(handle)), driver_(driver) {}

 private:
  detail::runtime_handle handle_;
  weir::driver driver_ = weir::driver::thread;
  bool closes_ = false;
};

// The version of the library in use, such as 100 for 0.1.0.
inline std::uint32_t version() { return weir_version(); }
inline const char *version_string() { return weir_version_string(); }

}  // namespace cpp
}  // namespace weir
