// SPDX-License-Identifier: MIT
//
// The engine: everything that has a clock. Sans-I/O: a driver gives it turns and the time.
//
// A turn reads the clock once; takes the inbox (cancels, completions, runs); runs the ready queue;
// fires due timers, the ready queue after each; and stops after 1024 steps to let the loop breathe.
//
// Threads. One thread at a time is the ENGINE'S THREAD: the one that last began a turn. It alone
// touches what is not marked "any thread". Before the first turn there is none, and everything goes
// through the inbox. After the end (dead), whoever posts becomes the engine's thread for as long as
// it drains the inbox, under shell_mutex_: so late completions and unrefs need no driver.
//
// Lifetime. `outside_` counts users' references; the last begins closing. `shell_` counts what must
// keep this object's memory: the engine until it is dead, every handle, and from then on every
// block and started attempt that is still out.
//
//   open → closing (no new runs; live runs are stopped a few at a time)
//        → grace   (all settled, on_closed told; waiting for orphans)
//        → dead    (driver stopped)

#pragma once

#include <weir/runtime.h>

#include <atomic>

#include "base/heap.hh"
#include "base/list.hh"
#include "base/mutex.hh"
#include "base/random.hh"
#include "engine/attempt.hh"
#include "engine/callback.hh"
#include "engine/driver.hh"
#include "engine/pool.hh"
#include "engine/run.hh"
#include "engine/task.hh"
#include "engine/timer_wheel.hh"

namespace weir {

enum class Life : uint32_t { open, closing, grace, dead };

// What weir_runtime_new read from its options, callbacks taken.
struct RuntimeSetup {
  Heap *heap = nullptr;      // one reference
  Driver *driver = nullptr;  // owned
  uint64_t seed = 0;
  int64_t max_in_flight = WEIR_UNLIMITED;
  int64_t close_grace_ns = 0;
  Callback<weir_log_fn> log;
  int32_t log_level = WEIR_LOG_OFF;
  Callback<weir_event_fn> on_event;
  Callback<weir_closed_fn> on_closed;
  char *name = nullptr;  // owned
};

}  // namespace weir

struct weir_runtime {
 public:
  explicit weir_runtime(weir::RuntimeSetup &&setup);
  weir_runtime(const weir_runtime &) = delete;
  weir_runtime &operator=(const weir_runtime &) = delete;

  // ---- for policies and layers ----

  weir::Heap *heap() const { return heap_; }
  const char *name() const { return name_ == nullptr ? "weir" : name_; }
  weir::Random &random() { return random_; }

  // The time of this turn; reads no clock. The engine's thread.
  int64_t now() const { return now_; }
  // The clock. Any thread.
  int64_t clock() const { return driver_->now(); }
  // At most one tick (10 ms) before clock(), never after it; a fraction of its cost. Any thread.
  int64_t coarse_clock() const { return driver_->type->coarse_floor(*driver_); }
  // The time to arm a timer of `delay_ns` from: never before the truth, so that it cannot fire
  // early; up to 10 ms after it where the delay is over 64 ms. The engine's thread.
  int64_t now_to_arm(int64_t delay_ns);
  // User code ran on the engine's thread: this turn's time may be behind.
  void user_ran() { stale_ = true; }

  // Runs `task` in a turn. Any thread; from others than the engine's it goes through the inbox.
  void post(weir::Task &task);
  bool on_thread() const;

  weir::TimerWheel &wheel() { return wheel_; }
  weir::BlockPool &pool() { return pool_; }

  // NULL without memory. Counts 1; enters `policy`; takes a count of `outer` (nullable).
  weir::Obligation *new_obligation(weir::Obligation::ReleaseFn release, weir::Handle &policy,
                                   weir_permit permit, uint64_t detail, weir::Obligation *outer);
  void drop_obligation(weir::Obligation *obligation);

  // Tells the event listener; `event`'s size and time are filled in. The engine's thread.
  void emit(weir_event event);
  bool has_event_listener() const { return static_cast<bool>(on_event_); }
  void log(int32_t level, const char *subject, const char *message) const;

  // ---- for runs and attempts ----

  weir::AttemptTable &attempts() { return attempts_; }
  // Accepting a run: WEIR_OK, WEIR_ECLOSED, WEIR_EFULL, WEIR_EFORKED, WEIR_ENOTSUP. Any thread.
  weir_status admit();
  // A run that admit() let in begins, or was given up before it did.
  void run_begun(weir_call &run);
  void run_settled(weir_call &run);
  // An attempt begins; is told to stop; is over.
  void attempt_started(weir::Attempt &attempt);
  void attempt_orphaned(weir::Attempt &attempt);
  void attempt_over(weir::Attempt &attempt);
  weir_status complete(weir_token token, weir::Result &&result);
  void cancel_attempt(weir::Attempt &attempt, uint32_t reason);
  weir::Mutex &settle_mutex() { return settle_mutex_; }
  weir::Condition &settle_condition() { return settle_condition_; }
  bool forked() const;

  // ---- for drivers ----

  // One turn. True if there is more to do now. The thread that calls is the engine's from then on.
  bool turn(uint64_t *steps = nullptr);
  // When the next turn is needed: now() or earlier if there is work, never_ns if nothing waits.
  int64_t next_deadline() const;
  bool in_turn() const { return in_turn_; }
  bool has_work() const;
  weir::Driver *driver() const { return driver_; }
  // The driver has given everything back: the engine is dead from here on.
  void driver_gone();

  // ---- for the API ----

  void ref() { outside_.fetch_add(1, std::memory_order_relaxed); }
  void unref();
  void close();
  weir_status close_wait(int64_t timeout_ms);
  weir::Life life() const { return life_.load(std::memory_order_acquire); }
  void trim();
  void get_stats(weir_runtime_stats &stats) const;
  weir_status audit(weir_audit_entry *entries, size_t entry_size, size_t capacity, size_t &count);

  void retain_shell() { shell_.fetch_add(1, std::memory_order_relaxed); }
  void release_shell();
  // Completion queues to be told of the end. The engine's thread.
  weir::List<weir_completions> queues;
};
