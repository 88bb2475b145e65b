// SPDX-License-Identifier: MIT
//
// A layer around the polled operation's own, as a retry is, but part of an operation.
//
//   signal   when                                  then
//   start                                          inner
//   result   a value that is accepted; stopped     outer, unchanged
//            final, or no further try allowed      outer, with the reason
//            otherwise                             kept; timer armed; wait
//   timer    it is too late                        outer, with what was kept
//            otherwise                             inner
//   wake     as timer, for an interval of 0
//   stop                                           let go of all
//
// Invariants: the timer is the interval's. `kept` is the last result: there from the first sleep
// on, so that a try that cannot be had for want of memory does not hide it.

#include <weir/poll.h>

#include "base/text.hh"
#include "base/time.hh"
#include "engine/callback.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/policy.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"

namespace weir {

extern const LayerType poll_layer;

namespace {

struct Poll : weir_operation {
  Poll(weir_operation &polled, const weir_poll_options &options,
       Callback<weir_poll_until_fn> &&until_fn)
      : weir_operation(polled.runtime(), end_handle<Poll>, &poll_layer),
        operation(ref_handle(&polled)),
        interval_ns(ms_to_ns(options.interval_ms)),
        max_elapsed_ns(ms_to_ns(options.max_elapsed_ms)),
        max_attempts(options.max_attempts),
        until(std::move(until_fn)) {}
  ~Poll() {
    if (plan.entries != &single) free_plan(heap(), plan);
    operation->unref();
  }

  // The part of making one that can fail; false without memory.
  bool complete(const weir_poll_options &options) {
    nesting = operation->nesting;
    ruled = operation->ruled;
    return set_name(options.name) && join_plans(heap(), plan, operation->plan, plan);
  }

  weir_operation *operation;
  int64_t interval_ns;
  int64_t max_elapsed_ns;
  int64_t max_attempts;  // or WEIR_UNLIMITED
  Callback<weir_poll_until_fn> until;
};

struct PollState : Layer {
  const Poll &poll() const { return *static_cast<const Poll *>(owner); }
  Result &kept() { return *reinterpret_cast<Result *>(kept_storage); }

  int64_t started_ns;
  uint64_t tries;  // begun
  bool keeps;      // there is an object in kept_storage
  alignas(Result) unsigned char kept_storage[sizeof(Result)];
};

void drop_last(PollState &state) {
  if (state.keeps) state.kept().~Result();
  state.keeps = false;
}

void keep_last(PollState &state, Result &result) {
  drop_last(state);
  new (state.kept_storage) Result(std::move(result));
  state.keeps = true;
  result = Result();
}

Next leave_poll(PollState &state) {
  drop_last(state);
  return Next::outer;
}

Next end_poll(weir_call &run, PollState &state, uint32_t reason) {
  Result &result = run.result();
  if (result.channel == WEIR_CHANNEL_VALUE) {
    result.channel = WEIR_CHANNEL_ERROR;
    result.status = WEIR_EEXHAUSTED;
    result.error = bare_error(WEIR_EEXHAUSTED);
  }
  result.stop_reason = reason;
  return leave_poll(state);
}

Next end_with_last(weir_call &run, PollState &state, uint32_t reason) {
  if (state.keeps) run.result() = std::move(state.kept());
  return end_poll(run, state, reason);
}

bool is_too_late(const PollState &state, int64_t at_ns) {
  return at_ns > deadline_after(state.started_ns, state.poll().max_elapsed_ns);
}

// Why there is no further try; WEIR_STOP_NONE if there is.
uint32_t reason_to_end(weir_call &run, const PollState &state) {
  const Poll &poll = state.poll();
  if (run.result().final != 0) return WEIR_STOP_FINAL;
  if (poll.max_attempts != WEIR_UNLIMITED &&
      state.tries >= static_cast<uint64_t>(poll.max_attempts)) {
    return WEIR_STOP_ATTEMPTS;
  }
  int64_t at_ns = deadline_after(run.runtime().now(), poll.interval_ns);
  if (is_too_late(state, at_ns)) return WEIR_STOP_ELAPSED;
  return run.deadline() != never_ns && at_ns >= run.deadline() ? WEIR_STOP_NO_TIME : WEIR_STOP_NONE;
}

Next poll_again(weir_call &run, PollState &state) {
  uint32_t reason = reason_to_end(run, state);
  if (reason != WEIR_STOP_NONE) return end_poll(run, state, reason);
  keep_last(state, run.result());
  int64_t interval_ns = state.poll().interval_ns;
  if (interval_ns == 0) {
    run.wake_later(state);
  } else {
    run.arm(state, deadline_after(run.runtime().now_to_arm(interval_ns), interval_ns));
  }
  return Next::wait;
}

bool is_accepted(weir_call &run, const Poll &poll) {
  if (!poll.until) {
    uint32_t class_ = run.result().class_;
    return class_ == WEIR_CLASS_NONE || class_ == WEIR_CLASS_SUCCESS;
  }
  int32_t answer = poll.until(&run.view());
  run.runtime().user_ran();
  return answer != 0;
}

Next on_polled(weir_call &run, PollState &state) {
  const Result &result = run.result();
  if (result.channel == WEIR_CHANNEL_STOPPED) return leave_poll(state);
  if (result.channel == WEIR_CHANNEL_VALUE && is_accepted(run, state.poll())) {
    return leave_poll(state);
  }
  if (result.status == WEIR_ENOMEM && result.stop_reason == WEIR_STOP_NO_MEMORY) {
    return end_with_last(run, state, WEIR_STOP_NO_MEMORY);
  }
  return poll_again(run, state);
}

Next on_interval_over(weir_call &run, PollState &state) {
  if (is_too_late(state, run.runtime().now())) {
    return end_with_last(run, state, WEIR_STOP_ELAPSED);
  }
  ++state.tries;
  return Next::inner;
}

Next poll_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<PollState &>(layer);
  switch (signal) {
    case Signal::start:
      state.started_ns = run.runtime().now();
      state.tries = 1;
      state.keeps = false;
      return Next::inner;
    case Signal::result:
      return on_polled(run, state);
    case Signal::timer:
    case Signal::wake:
      return on_interval_over(run, state);
    case Signal::stop:
      run.disarm(state);
      weir_call::forget(state);
      drop_last(state);
      break;
  }
  return Next::wait;
}

void describe_poll(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &state = static_cast<const PollState &>(layer);
  TextWriter(buffer, size)
      .print("poll '%s': the interval after try %llu", layer.owner->name(),
             static_cast<unsigned long long>(state.tries));
}

constexpr weir_poll_options poll_defaults = WEIR_POLL_OPTIONS_INIT;

weir_status check_poll(const weir_poll_options &options, const weir_operation *operation,
                       weir_operation **out, Heap *heap, weir_error **error) {
  Check check("poll", heap, error);
  check.required("operation", operation)
      .required("out", out)
      .reserved(options.reserved)
      .rule(options.interval_ms >= 0, "interval_ms is required: at least 0 (got %lld)",
            static_cast<long long>(options.interval_ms))
      .range_or("max_attempts", options.max_attempts, 1, INT64_MAX, "unlimited")
      .range_or("max_elapsed_ms", options.max_elapsed_ms, 0, max_ms, "forever");
  if (!check.ok()) return check.status();
  return check
      .rule(operation->plan.count < max_layers / 2,
            "operation has too many layers (%u, at most %u)", operation->plan.count,
            max_layers / 2 - 1)
      .status();
}

}  // namespace

constinit const LayerType poll_layer = {"poll", layer_size(sizeof(PollState)), poll_step,
                                        describe_poll};

}  // namespace weir

void weir_poll_options_init(weir_poll_options *options, size_t size) {
  weir::init_options(options, size, weir::poll_defaults);
}

weir_status weir_poll_new(weir_operation *operation, const weir_poll_options *given,
                          weir_operation **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(operation);
  weir_poll_options options = weir::poll_defaults;
  weir_status status = weir::read_options(options, given, "poll", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_poll_until_fn> until(options.until, options.until_data,
                                           options.until_free_data);
  status = weir::check_poll(options, operation, out, heap, error);
  if (status != WEIR_OK) return status;
  auto *poll = weir::make_handle<weir::Poll>(heap, *operation, options, std::move(until));
  if (poll != nullptr && poll->complete(options)) {
    *out = poll;
    return WEIR_OK;
  }
  weir::unref_handle(poll);
  return weir::report_no_memory(error, heap, "poll");
}
