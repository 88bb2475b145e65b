// SPDX-License-Identifier: MIT
//
// weir_runtime_new: reads the options, picks the driver, makes the engine.

#include <weir/testing.h>

#include "base/random.hh"
#include "base/time.hh"
#include "driver/manual.hh"
#include "driver/uv.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"

namespace weir {
namespace {

constexpr weir_runtime_options default_runtime_options = WEIR_RUNTIME_OPTIONS_INIT;

constexpr int64_t most_recorder_entries = 1000 * 1000;

weir_status check_runtime_options(const weir_runtime_options &options, weir_runtime **out,
                                  weir_error **error) {
  Check check("runtime", Heap::standard(), error);
  const weir_allocator *allocator = options.allocator;
  bool uv = options.driver == WEIR_DRIVER_UV;
  check.required("out", out)
      .range("driver", options.driver, WEIR_DRIVER_THREAD, WEIR_DRIVER_HOST)
      .rule(!uv || options.loop != nullptr, "loop must be set with the uv driver")
      .rule(uv || options.loop == nullptr, "loop is set, so driver must be WEIR_DRIVER_UV")
      .rule(options.wakeup == nullptr || options.driver >= WEIR_DRIVER_MANUAL,
            "wakeup must be NULL but with the manual and the host driver")
      .range("max_in_flight", options.max_in_flight == WEIR_UNLIMITED ? 1 : options.max_in_flight,
             1, INT64_MAX)
      .range_or("close_grace_ms", options.close_grace_ms, 0, max_ms, "forever")
      .range("log_level", options.log_level, WEIR_LOG_OFF, WEIR_LOG_DEBUG)
      .range("recorder_entries", options.recorder_entries, 0, most_recorder_entries)
      .range("metrics", options.metrics, 0, 1)
      .reserved(options.reserved)
      .rule(allocator == nullptr || allocator->size >= sizeof(weir_allocator),
            "allocator.size must be sizeof(weir_allocator)")
      .rule(allocator == nullptr || (allocator->alloc != nullptr && allocator->free != nullptr),
            "allocator.alloc and allocator.free must not be NULL");
  return check.status();
}

Driver *make_driver(const weir_runtime_options &options, Heap *heap,
                    Callback<weir_wakeup_fn> &&wakeup, weir_status &status, weir_error **error) {
  status = WEIR_ENOMEM;
  if (options.driver == WEIR_DRIVER_UV) {
    int uv_status = 0;
    Driver *driver = make_uv_driver(heap, options.loop, uv_status);
    if (driver == nullptr && uv_status != UV_ENOMEM) {
      status = report(error, heap, WEIR_ENOTSUP, "runtime: the loop gives no handle (%s)",
                      uv_err_name(uv_status));
    }
    return driver;
  }
  if (options.driver == WEIR_DRIVER_THREAD) return make_thread_driver(heap);
  bool host = options.driver == WEIR_DRIVER_HOST;
  auto *driver = heap->make<ManualDriver>(host ? &host_driver_type : &manual_driver_type, heap);
  if (driver != nullptr) driver->on_wakeup = static_cast<Callback<weir_wakeup_fn> &&>(wakeup);
  return driver;
}

// The callbacks, taken from the options: from here on they are freed exactly once.
struct Callbacks {
  explicit Callbacks(const weir_runtime_options &options)
      : wakeup(options.wakeup, options.wakeup_data, options.wakeup_free_data),
        log(options.log, options.log_data, options.log_free_data),
        event(options.on_event, options.event_data, options.event_free_data),
        closed(options.on_closed, options.closed_data, options.closed_free_data) {}

  Callback<weir_wakeup_fn> wakeup;
  Callback<weir_log_fn> log;
  Callback<weir_event_fn> event;
  Callback<weir_closed_fn> closed;
};

template <typename T>
T &&move_out(T &value) {
  return static_cast<T &&>(value);
}

// Gets the driver after everything else that can fail, so that an opened one need not be undone.
weir_status make_runtime(const weir_runtime_options &options, Callbacks &callbacks, Heap *heap,
                         weir_runtime **out, weir_error **error) {
  RuntimeSetup setup;
  bool ok = true;
  setup.name = heap->copy_text(options.name, ok);
  if (ok && options.recorder_entries > 0) {
    setup.recorder = Recorder::create(heap, options.recorder_entries);
    ok = setup.recorder != nullptr;
  }
  void *memory = ok ? heap->allocate(sizeof(weir_runtime)) : nullptr;
  weir_status status = WEIR_ENOMEM;
  if (memory != nullptr) {
    setup.driver = make_driver(options, heap, move_out(callbacks.wakeup), status, error);
  }
  if (setup.driver == nullptr) {
    if (memory != nullptr) heap->free(memory, sizeof(weir_runtime));
    if (setup.recorder != nullptr) setup.recorder->destroy();
    heap->free_text(setup.name);
    if (status != WEIR_ENOMEM) return status;
    return report_no_memory(error, Heap::standard(), "runtime");
  }
  setup.heap = heap->retain();
  setup.seed = options.seed == 0 ? Random::system_seed() : options.seed;
  setup.metrics = options.metrics != 0;
  setup.max_in_flight = options.max_in_flight;
  setup.close_grace_ns = ms_to_ns(options.close_grace_ms);
  setup.log = move_out(callbacks.log);
  setup.log_level = options.log_level;
  setup.on_event = move_out(callbacks.event);
  setup.on_closed = move_out(callbacks.closed);
  *out = new (memory) weir_runtime(move_out(setup));
  return WEIR_OK;
}

// An allocator of which no heap was made is told, too, that nothing will use it.
void release_unused(const weir_allocator *allocator) {
  if (allocator == nullptr || allocator->size < sizeof(weir_allocator)) return;
  if (allocator->release != nullptr) allocator->release(allocator->context);
}

}  // namespace
}  // namespace weir

using weir::Heap;

void weir_runtime_options_init(weir_runtime_options *options, size_t size) {
  weir::init_options(options, size, weir::default_runtime_options);
}

weir_status weir_runtime_new(const weir_runtime_options *given, weir_runtime **out,
                             weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir_runtime_options options = weir::default_runtime_options;
  weir_status status = weir::read_options(options, given, "runtime", Heap::standard(), error);
  if (status != WEIR_OK) return status;
  weir::Callbacks callbacks(options);
  status = weir::check_runtime_options(options, out, error);
  if (status != WEIR_OK) {
    weir::release_unused(options.allocator);
    return status;
  }
  Heap *heap = options.allocator == nullptr ? Heap::standard() : Heap::create(*options.allocator);
  if (heap == nullptr) {
    weir::release_unused(options.allocator);
    return weir::report_no_memory(error, Heap::standard(), "runtime");
  }
  status = weir::make_runtime(options, callbacks, heap, out, error);
  heap->release();
  return status;
}
