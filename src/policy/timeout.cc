// SPDX-License-Identifier: MIT
//
//   signal   when                                            then
//   start    forever                                         inner
//            otherwise: timer armed, run's deadline narrowed inner
//   result   the inside was faster                           outer, unchanged
//   timer    it was not: inside stopped                      outer, WEIR_ETIMEDOUT
//   stop     the caller, or something outside, gave up       let go of timer and deadline
//
// Invariants: while this layer is active the run's deadline is not later than its timer; when it is
// not, the deadline is what it was before. A nearer deadline further out fires by its own timer.

#include "policy/timeout.hh"

#include "base/counter.hh"
#include "base/text.hh"
#include "base/time.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {
namespace {

struct TimeoutState : Layer {
  weir_timeout &policy() const { return *static_cast<weir_timeout *>(owner); }

  LiveOptions<TimeoutOptions>::Set *set;  // what this run goes by
  int64_t outer_deadline_ns;
  int64_t timeout_ms;  // this run's
};

int64_t timeout_of(weir_call &run, const TimeoutOptions &options) {
  if (!options.timeout_for) return options.timeout_ms;
  const RunRequest &request = run.request();
  int64_t timeout_ms = options.timeout_for(request.context, request.key, request.key_size);
  run.runtime().user_ran();
  return timeout_ms < 0 && timeout_ms != WEIR_FOREVER ? 0 : timeout_ms;
}

Next start(weir_call &run, TimeoutState &state) {
  weir_timeout &policy = state.policy();
  count_one(policy.started);
  state.set = policy.live.take();
  state.timeout_ms = timeout_of(run, state.set->options);
  int64_t timeout_ns = ms_to_ns(state.timeout_ms);
  int64_t deadline_ns = never_ns;
  if (timeout_ns != never_ns) {
    deadline_ns = deadline_after(run.runtime().now_to_arm(timeout_ns), timeout_ns);
    run.arm(state, deadline_ns);
  }
  state.outer_deadline_ns = run.narrow_deadline(deadline_ns);
  return Next::inner;
}

void let_go(weir_call &run, TimeoutState &state) {
  run.disarm(state);
  run.restore_deadline(state.outer_deadline_ns);
  state.set->leave(run.runtime());
}

Next time_out(weir_call &run, TimeoutState &state) {
  weir_timeout &policy = state.policy();
  count_one(policy.timed_out);
  run.stop_inside(state, WEIR_CANCEL_TIMEOUT);
  run.result().set_error(state.set->options.timed_out_error(policy, state.timeout_ms));
  let_go(run, state);
  if (run.runtime().tells()) tell_timeout(run, policy, ms_to_ns(state.timeout_ms));
  return Next::outer;
}

Next timeout_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<TimeoutState &>(layer);
  switch (signal) {
    case Signal::start:
      return start(run, state);
    case Signal::timer:
      return time_out(run, state);
    case Signal::result:
      let_go(run, state);
      return Next::outer;
    case Signal::stop:
      let_go(run, state);
      break;
    case Signal::wake:
      break;
  }
  return Next::wait;
}

constexpr weir_timeout_options timeout_defaults = WEIR_TIMEOUT_OPTIONS_INIT;

// What the macro leaves in timeout_ms, so that forgetting it is found.
constexpr int64_t untouched_ms = -2;

void check_timeout(Check &check, const weir_timeout_options &options) {
  bool per_run = options.timeout_for != nullptr;
  auto milliseconds = static_cast<long long>(options.timeout_ms);
  check.reserved(options.reserved)
      .rule(per_run || options.timeout_ms >= WEIR_FOREVER,
            "timeout_ms is required: at least 0, or -1 for forever (got %lld)", milliseconds)
      .rule(!per_run || options.timeout_ms == WEIR_OFF || options.timeout_ms == untouched_ms,
            "timeout_ms must be -1 (off) beside timeout_for (got %lld)", milliseconds);
}

// NULL without memory.
LiveOptions<TimeoutOptions>::Set *make_timeout_set(const weir_timeout &timeout,
                                                   const weir_timeout_options &options,
                                                   Callback<weir_timeout_fn> &&callback) {
  Heap *heap = timeout.heap();
  auto *set =
      heap->make<LiveOptions<TimeoutOptions>::Set>(heap, options.timeout_ms, std::move(callback));
  if (set == nullptr) return nullptr;
  if (set->options.complete(timeout, options.message)) return set;
  set->end();
  return nullptr;
}

}  // namespace

constinit const LayerType timeout_layer = {"timeout", layer_size(sizeof(TimeoutState)),
                                           timeout_step, nullptr};

TimeoutOptions::~TimeoutOptions() { unref_error(error_); }

bool TimeoutOptions::complete(const weir_timeout &policy, const char *message) {
  Heap *heap = policy.heap();
  const char *name = policy.name();
  const char *space = name[0] == '\0' ? "" : " ";
  own_message_ = message != nullptr;
  if (own_message_) {
    error_ = make_error(heap, WEIR_ETIMEDOUT, WEIR_DOMAIN_WEIR, WEIR_ETIMEDOUT, message);
  } else if (timeout_for) {
    report(&error_, heap, WEIR_ETIMEDOUT, "%s%stimed out", name, space);
  } else {
    report(&error_, heap, WEIR_ETIMEDOUT, "%s%stimed out after %lld ms", name, space,
           static_cast<long long>(timeout_ms));
  }
  return error_ != nullptr;
}

weir_error *TimeoutOptions::timed_out_error(const weir_timeout &policy, int64_t run_ms) const {
  if (!timeout_for || own_message_) return ref_error(error_);
  weir_error *error = nullptr;
  const char *space = policy.name()[0] == '\0' ? "" : " ";
  report(&error, policy.heap(), WEIR_ETIMEDOUT, "%s%stimed out after %lld ms", policy.name(), space,
         static_cast<long long>(run_ms));
  bool has_message = error != bare_error(WEIR_ETIMEDOUT);
  return has_message ? error : ref_error(error_);
}

}  // namespace weir

[[gnu::cold]] void weir_timeout_options_init(weir_timeout_options *options, size_t size) {
  weir::init_options(options, size, weir::timeout_defaults);
}

[[gnu::cold]] weir_status weir_timeout_new(weir_runtime *runtime, const weir_timeout_options *given,
                                           weir_timeout **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_timeout_options options = weir::timeout_defaults;
  weir_status status = weir::read_options(options, given, "timeout", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_timeout_fn> callback(options.timeout_for, options.timeout_data,
                                           options.timeout_free_data);
  weir::Check check("timeout", heap, error);
  check.required("runtime", runtime).required("out", out);
  weir::check_timeout(check, options);
  if (!check.ok()) return check.status();
  auto *timeout = weir::make_handle<weir_timeout>(heap, runtime);
  weir::LiveOptions<weir::TimeoutOptions>::Set *set = nullptr;
  if (timeout != nullptr && timeout->set_name(options.name)) {
    set = weir::make_timeout_set(*timeout, options, std::move(callback));
  }
  if (set != nullptr) {
    timeout->live.begin(set);
    if (weir::publish(*timeout, weir::Metered::timeout)) {
      *out = timeout;
      return WEIR_OK;
    }
  }
  weir::unref_handle(timeout);
  return weir::report_no_memory(error, heap, "timeout");
}

[[gnu::cold]] weir_status weir_timeout_set_options(weir_timeout *timeout,
                                                   const weir_timeout_options *given,
                                                   weir_error **error) {
  weir::Heap *heap = weir::heap_of(timeout);
  weir_timeout_options options = weir::timeout_defaults;
  weir_status status = weir::read_new_options(options, given, "timeout", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_timeout_fn> callback(options.timeout_for, options.timeout_data,
                                           options.timeout_free_data);
  weir::Check check("timeout", heap, error);
  check.required("timeout", timeout)
      .rule(options.name == nullptr, "name cannot change (must be NULL)");
  weir::check_timeout(check, options);
  if (!check.ok()) return check.status();
  if (timeout->runtime()->forked()) {
    return weir::report_status(error, heap, WEIR_EFORKED, "timeout");
  }
  auto *set = weir::make_timeout_set(*timeout, options, std::move(callback));
  if (set == nullptr) return weir::report_no_memory(error, heap, "timeout");
  timeout->live.replace(*timeout->runtime(), set);
  return WEIR_OK;
}

weir_timeout *weir_timeout_ref(weir_timeout *timeout) { return weir::ref_handle(timeout); }

void weir_timeout_unref(weir_timeout *timeout) { weir::unref_handle(timeout); }

weir_policy *weir_timeout_policy(weir_timeout *timeout) { return timeout; }

weir_timeout *weir_policy_timeout(weir_policy *policy) {
  return weir::policy_as<weir_timeout>(policy, WEIR_POLICY_TIMEOUT);
}

[[gnu::cold]] weir_status weir_timeout_get_stats(weir_timeout *timeout, weir_timeout_stats *stats) {
  if (timeout == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_timeout_stats filled = {};
  filled.started = timeout->started.load(std::memory_order_relaxed);
  filled.timed_out = timeout->timed_out.load(std::memory_order_relaxed);
  return weir::write_sized(stats, filled);
}
