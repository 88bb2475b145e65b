// SPDX-License-Identifier: MIT
//
//   signal   then
//   start    timer armed, wait
//   timer    outer, with the status, value or error of the operation
//   stop     timer disarmed

#include "flow/sleep.hh"

#include "base/text.hh"
#include "base/time.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {
namespace {

Next start(weir_call &run, Layer &layer, const Sleep &sleep) {
  run.note_attempt();
  run.arm(layer, deadline_after(run.runtime().now_to_arm(sleep.sleep_ns), sleep.sleep_ns));
  return Next::wait;
}

Next wake_up(weir_call &run, const Sleep &sleep) {
  run.note_status(sleep.status);
  if (sleep.status == WEIR_OK) {
    run.result().set_value(ref_value(sleep.value));
  } else if (sleep.error != nullptr) {
    run.result().set_error(ref_error(sleep.error));
    run.result().status = sleep.status;
  } else {
    run.result().set_status(sleep.status);
  }
  return Next::outer;
}

Next sleep_step(weir_call &run, Layer &layer, Signal signal) {
  const Sleep &sleep = *static_cast<const Sleep *>(layer.owner);
  switch (signal) {
    case Signal::start:
      return start(run, layer, sleep);
    case Signal::timer:
      return wake_up(run, sleep);
    case Signal::stop:
      run.note_status(run.stop_reason() == WEIR_CANCEL_TIMEOUT ? WEIR_ETIMEDOUT : WEIR_ECANCELLED);
      run.disarm(layer);
      break;
    case Signal::result:
    case Signal::wake:
      break;
  }
  return Next::wait;
}

void describe_sleep(const weir_call &, const Layer &, char *buffer, size_t size) {
  TextWriter(buffer, size).print("sleep: its time");
}

constinit const LayerType sleep_layer = {"sleep", layer_size(sizeof(Layer)), sleep_step,
                                         describe_sleep};

// The most negative weir_status there is.
constexpr weir_status last_status = WEIR_ESTOP;

}  // namespace

Sleep::Sleep(weir_runtime *runtime, int64_t delay_ns, weir_status result_status,
             weir_value *result_value, weir_error *result_error)
    : weir_operation(runtime, end_handle<Sleep>, &sleep_layer),
      sleep_ns(delay_ns),
      status(result_status),
      value(ref_value(result_value)),
      error(ref_error(result_error)) {}

Sleep::~Sleep() {
  unref_value(value);
  unref_error(error);
}

}  // namespace weir

weir_status weir_sleep_new(weir_runtime *runtime, int64_t sleep_ms, weir_status status,
                           weir_value *value, weir_error *error_result, weir_operation **out,
                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_status checked =
      weir::Check("sleep", heap, error)
          .required("runtime", runtime)
          .required("out", out)
          .range_or("sleep_ms", sleep_ms, 0, weir::max_ms, "forever")
          .range("status", status, weir::last_status, WEIR_OK)
          .rule(value == nullptr || status == WEIR_OK, "value must be NULL beside a failure")
          .rule(error_result == nullptr || status != WEIR_OK,
                "error_result must be NULL beside WEIR_OK")
          .status();
  if (checked != WEIR_OK) return checked;
  auto *sleep = weir::make_handle<weir::Sleep>(heap, runtime, weir::ms_to_ns(sleep_ms), status,
                                               value, error_result);
  if (sleep == nullptr) return weir::report_no_memory(error, heap, "sleep");
  *out = sleep;
  return WEIR_OK;
}
