// SPDX-License-Identifier: MIT
#include "driver/uv.hh"

#include <algorithm>

#include "base/time.hh"
#include "engine/blocking.hh"

namespace weir {
namespace {

UvDriver &uv_self(Driver &driver) { return static_cast<UvDriver &>(driver); }

template <typename Handle>
void on_uv_event(Handle *handle) {
  static_cast<UvDriver *>(handle->data)->turn();
}

int32_t uv_ensure(Driver &) { return WEIR_OK; }

void uv_destroy(Driver &driver) {
  Heap *heap = uv_self(driver).heap;
  heap->destroy(&uv_self(driver));
}

void uv_nothing(Driver &) {}

void uv_all_closed(UvDriver &driver) { driver.runtime->driver_gone(); }

// One piece of blocking work with its request.
struct UvWork {
  uv_work_t request;
  BlockingWork *work;
  Heap *heap;
};

void work_on_pool(uv_work_t *request) {
  BlockingWork *work = static_cast<UvWork *>(request->data)->work;
  work->work(*work);
}

void work_done(uv_work_t *request, int) {
  auto *item = static_cast<UvWork *>(request->data);
  BlockingWork *work = item->work;
  item->heap->destroy(item);
  work->done(*work);
}

}  // namespace

UvDriver::UvDriver(const DriverType *driver_type, Heap *driver_heap, bool own_loop)
    : Driver{driver_type}, heap(driver_heap), own(own_loop) {}

int UvDriver::open(uv_loop_t *on) {
  loop = on;
  int status = uv_async_init(loop, &async_, on_uv_event<uv_async_t>);
  if (status != 0) return status;
  // These two cannot fail.
  uv_idle_init(loop, &idle_);
  uv_timer_init(loop, &timer_);
  async_.data = idle_.data = timer_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t *>(&timer_));
  open_handles = 3;
  // The first turn tells the engine its thread.
  uv_async_send(&async_);
  return 0;
}

void UvDriver::turn() {
  if (closing) return;
  // A forked child that goes on with the loop does not do again what its parent does.
  bool here = !runtime->forked();
  bool more = here && runtime->turn();
  if (closing) return;
  if (more) {
    uv_idle_start(&idle_, on_uv_event<uv_idle_t>);
  } else {
    uv_idle_stop(&idle_);
  }
  if (here) arm();
}

void UvDriver::arm() {
  int64_t deadline_ns = runtime->next_deadline();
  if (deadline_ns == armed_ns && uv_is_active(reinterpret_cast<uv_handle_t *>(&timer_)) != 0)
    return;
  armed_ns = deadline_ns;
  if (deadline_ns == never_ns) {
    uv_timer_stop(&timer_);
    return;
  }
  auto due_ms = static_cast<uint64_t>(ns_to_ms_up(deadline_ns));
  uint64_t loop_ms = uv_now(loop);
  uv_timer_start(&timer_, on_uv_event<uv_timer_t>, due_ms - std::min(due_ms, loop_ms), 0);
}

void UvDriver::update_reference() {
  if (closing) return;
  auto *handle = reinterpret_cast<uv_handle_t *>(&async_);
  if (own || alive || holds > 0) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void UvDriver::close_handles() {
  closing = true;
  uv_handle_t *handles[] = {reinterpret_cast<uv_handle_t *>(&async_),
                            reinterpret_cast<uv_handle_t *>(&idle_),
                            reinterpret_cast<uv_handle_t *>(&timer_)};
  for (uv_handle_t *handle : handles) {
    uv_ref(handle);  // so that the loop goes round for the close callback
    uv_close(handle, handle_closed);
  }
}

void UvDriver::handle_closed(uv_handle_t *handle) {
  auto *driver = static_cast<UvDriver *>(handle->data);
  if (--driver->open_handles == 0) driver->closed(*driver);
}

int64_t uv_clock(const Driver &) { return monotonic_now(); }
int64_t uv_coarse_ceiling(const Driver &) { return monotonic_coarse_ceiling(); }
int64_t uv_coarse_floor(const Driver &) { return monotonic_coarse_floor(); }

void uv_wakeup(Driver &driver) { uv_async_send(&uv_self(driver).async_); }

// Once the handles close there are no more turns: the end takes what is left.
void uv_schedule(Driver &driver) {
  UvDriver &uv = uv_self(driver);
  if (!uv.closing) uv_idle_start(&uv.idle_, on_uv_event<uv_idle_t>);
}

[[gnu::cold]] void uv_stop_driver(Driver &driver) { uv_self(driver).close_handles(); }

void uv_keep_alive(Driver &driver, bool alive) {
  uv_self(driver).alive = alive;
  uv_self(driver).update_reference();
}

int32_t uv_submit(Driver &driver, BlockingWork &work) {
  UvDriver &uv = uv_self(driver);
  auto *item = uv.heap->make<UvWork>();
  if (item == nullptr) return WEIR_ENOMEM;
  item->request.data = item;
  item->work = &work;
  item->heap = uv.heap;
  uv_queue_work(uv.loop, &item->request, work_on_pool, work_done);  // cannot fail, given a function
  return WEIR_OK;
}

const DriverType uv_driver_type = {uv_clock,      uv_coarse_ceiling, uv_coarse_floor, uv_wakeup,
                                   uv_ensure,     uv_schedule,       uv_stop_driver,  uv_destroy,
                                   uv_keep_alive, uv_submit,         uv_nothing,      uv_nothing,
                                   nullptr};

[[gnu::cold]] Driver *make_uv_driver(Heap *heap, uv_loop_t *loop, int &uv_status) {
  auto *driver = heap->make<UvDriver>(&uv_driver_type, heap, false);
  uv_status = driver == nullptr ? UV_ENOMEM : driver->open(loop);
  if (uv_status == 0) {
    driver->closed = uv_all_closed;
    return driver;
  }
  heap->destroy(driver);
  return nullptr;
}

}  // namespace weir

namespace {

// The attached driver, or NULL.
weir::UvDriver *attached(weir_runtime *runtime) {
  if (runtime->driver()->type != &weir::uv_driver_type) return nullptr;
  return static_cast<weir::UvDriver *>(runtime->driver());
}

}  // namespace

[[gnu::cold]] weir_status weir_runtime_hold(weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  weir::UvDriver *driver = attached(runtime);
  if (driver == nullptr) return WEIR_OK;
  if (runtime->owned_elsewhere()) return WEIR_ETHREAD;
  ++driver->holds;
  driver->update_reference();
  return WEIR_OK;
}

weir_status weir_runtime_release(weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  weir::UvDriver *driver = attached(runtime);
  if (driver == nullptr) return WEIR_OK;
  if (runtime->owned_elsewhere()) return WEIR_ETHREAD;
  if (driver->holds == 0) return WEIR_EINVAL;
  --driver->holds;
  driver->update_reference();
  return WEIR_OK;
}
