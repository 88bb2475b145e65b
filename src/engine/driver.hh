// SPDX-License-Identifier: MIT
//
// What the engine needs of a driver: a clock, a call when there is work, a call at a time. A driver
// (src/driver) calls weir_runtime::turn and asks next_deadline; it owns everything uv.

#pragma once

#include <cstdint>

struct weir_runtime;

namespace weir {

struct BlockingWork;

struct DriverType {
  // Any thread.
  int64_t (*now)(const struct Driver &driver);
  int64_t (*coarse_ceiling)(const struct Driver &driver);
  int64_t (*coarse_floor)(const struct Driver &driver);
  // Any thread: have turn() called soon. Cheap when already asked.
  void (*wakeup)(struct Driver &driver);
  // Any thread, before a run is accepted: whatever must be there to carry it (the thread driver's
  // thread). WEIR_OK, WEIR_ENOTSUP, WEIR_ECLOSED, WEIR_EFORKED.
  int32_t (*ensure)(struct Driver &driver);
  // The engine's thread, outside a turn: there is work for turn().
  void (*schedule)(struct Driver &driver);
  // The engine's thread, at the end of closing: give everything back, then runtime.driver_gone().
  void (*stop)(struct Driver &driver);
  // Frees the driver object itself; the shell's end.
  void (*destroy)(struct Driver &driver);
  // The engine's thread: whether anything is in flight, so whether a loop is to be kept alive.
  void (*keep_alive)(struct Driver &driver, bool alive);
  // Hands work to a pool thread: WEIR_OK, WEIR_ENOMEM; NULL: there is none. The engine's thread.
  int32_t (*submit)(struct Driver &driver, BlockingWork &work);
  // Any thread: closing has begun and its task is posted.
  void (*closing)(struct Driver &driver);
  // Any thread: the last outside reference is gone, closing has begun.
  void (*abandoned)(struct Driver &driver);
  // Any thread but the engine's, after the engine is dead: until the driver's thread is gone too.
  // NULL: there is nobody to wait for.
  void (*join)(struct Driver &driver);
};

struct Driver {
  const DriverType *type;
  weir_runtime *runtime = nullptr;

  int64_t now() const { return type->now(*this); }
  void wakeup() { type->wakeup(*this); }
};

}  // namespace weir
