// SPDX-License-Identifier: MIT
//
// How runs get to a flight, as leaves that wait, and the exported functions.

#include <cstring>

#include "base/text.hh"
#include "cache/flight.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {

namespace {

constexpr WorkNames flight_names = {"flight", "operation"};
constexpr weir_flight_options default_flight_options = WEIR_FLIGHT_OPTIONS_INIT;

// A closing runtime starts nothing more: the run is about to be stopped.
Next begin_flight(weir_flight &flight, weir_operation &operation, RunWaiter &waiter) {
  weir_call &run = *waiter.run;
  waiter.reset();
  if (run.runtime().life() != Life::open) return Next::wait;
  weir_status status = flight.begin(operation, waiter);
  if (status == WEIR_OK) return Next::wait;
  run.result().set_status(status);
  return Next::outer;
}

// Of both kinds of leaves: the flight's own, whose run brings its operation along, and a bound one.
Next flight_step(weir_call &run, Layer &layer, Signal signal) {
  auto &waiter = static_cast<RunWaiter &>(layer);
  auto *flight = static_cast<weir_flight *>(layer.owner);
  weir_operation *operation = run.request().inner;
  if (layer.type != &flight_layer) {
    const auto &bound = *static_cast<BoundOperation *>(layer.owner);
    flight = static_cast<weir_flight *>(bound.group);
    operation = bound.work;
  }
  if (signal == Signal::start) return begin_flight(*flight, *operation, waiter);
  if (signal == Signal::stop) flight->count_leaving(waiter);
  return run_waiter_step(waiter, signal);
}

void describe_flight_wait(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  TextWriter(buffer, size).print("flight '%s': the run of its key", layer.owner->name());
}

constexpr LayerType bound_flight_layer = {"flight", layer_size(sizeof(RunWaiter)), flight_step,
                                          describe_flight_wait};

// A forget on its way from another thread, with its key behind it.
struct ForgetTask : Task {
  ForgetTask(RunFn function, weir_flight *target, size_t size)
      : Task(function, Lane::run), flight(target), key_size(size) {}
  weir_flight *flight;
  size_t key_size;
};

void run_forget(weir_runtime &, Task &task) {
  auto &order = static_cast<ForgetTask &>(task);
  weir_flight *flight = order.flight;
  flight->forget(&order + 1, order.key_size);
  flight->heap()->free(&order, sizeof(ForgetTask) + order.key_size);
  flight->unref();
}

[[gnu::cold]] weir_status post_forget(weir_flight &flight, const void *key, size_t key_size) {
  if (key_size > SIZE_MAX - sizeof(ForgetTask)) return WEIR_ENOMEM;
  void *memory = flight.heap()->allocate(sizeof(ForgetTask) + key_size);
  if (memory == nullptr) return WEIR_ENOMEM;
  auto *order = new (memory) ForgetTask(run_forget, &flight, key_size);
  if (key_size > 0) std::memcpy(static_cast<void *>(order + 1), key, key_size);
  flight.ref();
  flight.runtime()->post(*order);
  return WEIR_OK;
}

[[gnu::cold]] weir_status check_flight(weir_runtime *runtime, const weir_flight_options &options,
                                       weir_flight **out, weir_error **error) {
  return Check("flight", heap_of(runtime), error)
      .required("runtime", runtime)
      .required("out", out)
      .reserved(options.reserved)
      .range_or("timeout_ms", options.timeout_ms, 0, max_ms, "forever")
      .status();
}

// The common case in a few comparisons.
inline bool is_plain(const weir_flight *flight, const weir_operation *operation,
                     const RunKey &key) {
  return flight != nullptr && operation != nullptr && operation->runtime() == flight->runtime() &&
         key.data != nullptr && key.size <= longest_run_key;
}

// What is wrong is said here; no key at all is legal, too.
[[gnu::cold]] weir_status run_other(weir_flight *flight, weir_operation *operation,
                                    const RunKey &key, Callback<weir_settle_fn> &&settle,
                                    weir_call **call, weir_error **error) {
  weir_status status = check_work(flight, operation, flight_names, error);
  if (status != WEIR_OK) return status;
  weir_run_options options = key.options();
  return run_with(flight, operation, &options, static_cast<Callback<weir_settle_fn> &&>(settle),
                  call, error);
}

}  // namespace

const LayerType flight_layer = {"flight", layer_size(sizeof(RunWaiter)), flight_step,
                                describe_flight_wait};

}  // namespace weir

void weir_flight_options_init(weir_flight_options *options, size_t size) {
  weir::init_options(options, size, weir::default_flight_options);
}

[[gnu::cold]] weir_status weir_flight_new(weir_runtime *runtime, const weir_flight_options *given,
                                          weir_flight **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_flight_options options = weir::default_flight_options;
  weir_status status = weir::read_options(options, given, "flight", heap, error);
  if (status != WEIR_OK) return status;
  status = weir::check_flight(runtime, options, out, error);
  if (status != WEIR_OK) return status;
  auto *flight = weir::make_handle<weir_flight>(heap, runtime);
  if (flight == nullptr || !flight->complete(options) ||
      !weir::publish(*flight, weir::Metered::flight)) {
    weir::unref_handle(flight);
    return weir::report_no_memory(error, heap, "flight");
  }
  *out = flight;
  return WEIR_OK;
}

weir_flight *weir_flight_ref(weir_flight *flight) { return weir::ref_handle(flight); }

void weir_flight_unref(weir_flight *flight) { weir::unref_handle(flight); }

// NOLINTNEXTLINE(readability-function-size): the public header says so
weir_status weir_flight_run(weir_flight *flight, const void *key, size_t key_size,
                            weir_operation *operation, weir_value *input, weir_settle_fn settle,
                            void *data, weir_free_fn free_data, weir_call **call,
                            weir_error **error) {
  weir::Callback<weir_settle_fn> callback(settle, data, free_data);
  if (call != nullptr) *call = nullptr;
  weir::RunKey asked = {key, key_size, input};
  if (!weir::is_plain(flight, operation, asked)) {
    return weir::run_other(flight, operation, asked,
                           static_cast<weir::Callback<weir_settle_fn> &&>(callback), call, error);
  }
  return weir::run_key(*flight, operation, asked,
                       static_cast<weir::Callback<weir_settle_fn> &&>(callback), call, error);
}

weir_status weir_flight_operation(weir_flight *flight, weir_operation *operation,
                                  weir_operation **out, weir_error **error) {
  return weir::bind_operation(flight, &weir::bound_flight_layer, operation, weir::flight_names, out,
                              error);
}

weir_status weir_flight_forget(weir_flight *flight, const void *key, size_t key_size) {
  if (flight == nullptr || (key == nullptr && key_size > 0)) return WEIR_EINVAL;
  if (flight->runtime()->forked()) return WEIR_EFORKED;
  if (!flight->runtime()->on_thread()) return weir::post_forget(*flight, key, key_size);
  flight->forget(key, key_size);
  return WEIR_OK;
}

weir_status weir_flight_get_stats(weir_flight *flight, weir_flight_stats *stats) {
  if (flight == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_flight_stats filled = {};
  flight->fill(filled);
  return weir::write_sized(stats, filled);
}
