// SPDX-License-Identifier: MIT
//
// The uv driver: gives the engine its turns from a uv loop, the caller's or (driver/thread.cc) one
// of weir's own.
//
// Invariants:
// - It never runs, stops or walks the loop; it opens three handles and closes just these.
// - The async handle is how other threads ask for a turn. It keeps the loop alive from creation to
//   the first turn, while anything is in flight, while held, and always on an own loop.
// - The idle handle is active exactly while the engine has work now; the loop then does not block.
// - The timer stands at the engine's next deadline. uv's loop time lags behind, so the due time is
//   computed on uv's own scale (both count CLOCK_MONOTONIC) and rounded up: never early.
// - Blocking work in uv's pool keeps the engine's shell alive, not the engine.

#pragma once

#include <uv.h>

#include "base/heap.hh"
#include "engine/driver.hh"
#include "engine/runtime.hh"

namespace weir {

struct UvDriver : Driver {
  UvDriver(const DriverType *driver_type, Heap *driver_heap, bool own_loop);

  // Opens the handles; a uv error number on failure, and then nothing is open.
  int open(uv_loop_t *on);
  void turn();
  void update_reference();
  void close_handles();

  Heap *heap;
  uv_loop_t *loop = nullptr;
  bool own;
  bool alive = true;  // what keep_alive last said
  bool closing = false;
  uint64_t holds = 0;
  int open_handles = 0;
  int64_t armed_ns = INT64_MAX;
  void (*closed)(UvDriver &driver) = nullptr;  // all handles are closed

 private:
  void arm();
  static void handle_closed(uv_handle_t *handle);

  uv_async_t async_;
  uv_idle_t idle_;
  uv_timer_t timer_;
  friend void uv_wakeup(Driver &driver);
  friend void uv_schedule(Driver &driver);
};

extern const DriverType uv_driver_type;

// What the thread driver shares.
int64_t uv_clock(const Driver &driver);
int64_t uv_coarse_ceiling(const Driver &driver);
int64_t uv_coarse_floor(const Driver &driver);
void uv_wakeup(Driver &driver);
void uv_schedule(Driver &driver);
void uv_stop_driver(Driver &driver);
void uv_keep_alive(Driver &driver, bool alive);
int32_t uv_submit(Driver &driver, BlockingWork &work);

// A driver attached to `loop`; NULL and `uv_status` on failure.
Driver *make_uv_driver(Heap *heap, uv_loop_t *loop, int &uv_status);
// A driver with a thread of its own, not yet started; NULL without memory.
Driver *make_thread_driver(Heap *heap);

}  // namespace weir
