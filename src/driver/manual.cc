// SPDX-License-Identifier: MIT
#include "driver/manual.hh"

#include <algorithm>

#include "base/time.hh"

namespace weir {

namespace {

ManualDriver &manual_self(Driver &driver) { return static_cast<ManualDriver &>(driver); }

int64_t manual_now(const Driver &driver) {
  return static_cast<const ManualDriver &>(driver).clock.load(std::memory_order_acquire);
}

void manual_wakeup(Driver &driver) {
  if (manual_self(driver).on_wakeup) manual_self(driver).on_wakeup();
}

int32_t manual_ensure(Driver &) { return WEIR_OK; }

// The host looks at next_deadline() after what it did on its own thread, but a host that waits for
// its wake-up only must hear of it as well.
void manual_schedule(Driver &driver) { manual_wakeup(driver); }

void manual_stop(Driver &driver) { manual_self(driver).stopped = true; }

void manual_destroy(Driver &driver) {
  Heap *heap = manual_self(driver).heap;
  heap->destroy(&manual_self(driver));
}

void manual_keep_alive(Driver &, bool) {}

void manual_closing(Driver &) {}

int64_t host_now(const Driver &) { return monotonic_now(); }
int64_t host_coarse_ceiling(const Driver &) { return monotonic_coarse_ceiling(); }
int64_t host_coarse_floor(const Driver &) { return monotonic_coarse_floor(); }

}  // namespace

// The last unref settles what is left inside the call; from inside a callback, after that turn.
void manual_abandoned(Driver &driver) {
  ManualDriver &manual = manual_self(driver);
  if (driver.runtime->life() == Life::dead) return;
  manual.abandoned = true;
  if (!driver.runtime->in_turn()) manual.finish();
}

const DriverType manual_driver_type = {
    manual_now,      manual_now,       manual_now,     manual_wakeup,     manual_ensure,
    manual_schedule, manual_stop,      manual_destroy, manual_keep_alive, nullptr,
    manual_closing,  manual_abandoned, nullptr};

// Somebody else processes while a thread waits for the end, so there is something to wait for.
const DriverType host_driver_type = {
    host_now,        host_coarse_ceiling, host_coarse_floor, manual_wakeup,     manual_ensure,
    manual_schedule, manual_stop,         manual_destroy,    manual_keep_alive, nullptr,
    manual_closing,  manual_abandoned,    manual_closing};

ManualDriver::ManualDriver(const DriverType *driver_type, Heap *driver_heap)
    : Driver{driver_type}, heap(driver_heap) {}

uint64_t ManualDriver::process(int64_t now_ns) {
  // After the end another thread may be in a turn of its own, draining. What is due in a process is
  // not done again by its child.
  if (runtime->life() == Life::dead || runtime->in_turn() || runtime->forked()) return 0;
  if (now_ns == never_ns) --now_ns;  // the last moment there is; never does not come
  clock.store(std::max(clock.load(std::memory_order_relaxed), now_ns), std::memory_order_release);
  uint64_t steps = 0;
  runtime->turn(&steps);
  if (type == &host_driver_type) runtime->disown();
  if (stopped) {
    stopped = false;
    runtime->driver_gone();
  } else if (abandoned) {
    finish();
  }
  return steps;
}

// Nobody will process any more: turns until all has settled. Time stands still, so the grace for
// orphans is not waited for.
void ManualDriver::finish() {
  weir_runtime *engine = runtime;
  engine->retain_shell();
  engine->give_no_grace();
  while (engine->life() != Life::dead) {
    engine->turn();
    if (!stopped) continue;
    stopped = false;
    engine->driver_gone();
  }
  engine->release_shell();
}

namespace {

ManualDriver *driver_of(const weir_runtime *runtime, const DriverType &type) {
  if (runtime == nullptr || runtime->driver()->type != &type) return nullptr;
  return static_cast<ManualDriver *>(runtime->driver());
}

// Whose turns the host takes.
ManualDriver *processed(const weir_runtime *runtime) {
  ManualDriver *driver = manual_driver(runtime);
  return driver == nullptr ? driver_of(runtime, host_driver_type) : driver;
}

}  // namespace

ManualDriver *manual_driver(const weir_runtime *runtime) {
  return driver_of(runtime, manual_driver_type);
}

}  // namespace weir

uint64_t weir_runtime_process(weir_runtime *runtime, int64_t now_ns) {
  weir::ManualDriver *driver = weir::processed(runtime);
  return driver == nullptr ? 0 : driver->process(now_ns);
}

int64_t weir_runtime_next_deadline(weir_runtime *runtime) {
  bool over = weir::processed(runtime) == nullptr || runtime->life() == weir::Life::dead ||
              runtime->forked();
  return over ? weir::never_ns : runtime->next_deadline();
}
