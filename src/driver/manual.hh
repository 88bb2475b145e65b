// SPDX-License-Identifier: MIT
//
// The manual driver: the host gives the time and the turns. The virtual clock of all tests. And the
// host driver: the host gives the turns on whichever thread it likes, and time is the system's.

#pragma once

#include <weir/runtime.h>

#include <atomic>

#include "engine/callback.hh"
#include "engine/driver.hh"
#include "engine/runtime.hh"

namespace weir {

extern const DriverType manual_driver_type;
extern const DriverType host_driver_type;

struct ManualDriver : Driver {
  ManualDriver(const DriverType *driver_type, Heap *driver_heap);

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

// NULL unless `runtime` is manual: its time is the host's, too.
ManualDriver *manual_driver(const weir_runtime *runtime);

}  // namespace weir
