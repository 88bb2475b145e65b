// SPDX-License-Identifier: MIT
//
// The manual driver: the host gives the time and the turns. The virtual clock of all tests.

#pragma once

#include <weir/runtime.h>

#include <atomic>

#include "engine/callback.hh"
#include "engine/driver.hh"
#include "engine/runtime.hh"

namespace weir {

extern const DriverType manual_driver_type;

struct ManualDriver : Driver {
  explicit ManualDriver(Heap *driver_heap);

  // Sets the clock, never backwards, and takes one turn; 0 from inside a callback.
  uint64_t process(int64_t now_ns);

  Heap *heap;
  Callback<weir_wakeup_fn> on_wakeup;
  std::atomic<int64_t> clock{0};
  bool abandoned = false;  // the last outside reference went while in a turn
  bool stopped = false;    // the engine asked to stop; told back after the turn

 private:
  friend void manual_abandoned(Driver &driver);
  void finish();
};

// NULL unless `runtime` is manual.
ManualDriver *manual_driver(const weir_runtime *runtime);

}  // namespace weir
