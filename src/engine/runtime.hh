// SPDX-License-Identifier: MIT
//
// The engine: everything that has a clock. Sans-I/O: a driver gives it turns and the time.
//
// A turn takes the inbox (cancels, completions, runs); reads the clock once; runs the ready queue;
// fires due timers, the ready queue after each; and stops after 1024 steps to let the loop breathe.
//
// Threads. One thread at a time is the ENGINE'S THREAD: the one that last began a turn. It alone
// touches what is not marked "any thread". Before the first turn there is none, and everything goes
// through the inbox. After the end (dead), whoever posts becomes the engine's thread for as long as
// it drains the inbox, one at a time: so late completions and unrefs need no driver.
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

#include "base/fork.hh"
#include "base/heap.hh"
#include "base/list.hh"
#include "base/mutex.hh"
#include "base/random.hh"
#include "engine/attempt.hh"
#include "engine/callback.hh"
#include "engine/driver.hh"
#include "engine/pool.hh"
#include "engine/recorder.hh"
#include "engine/registry.hh"
#include "engine/run.hh"
#include "engine/task.hh"
#include "engine/timer_wheel.hh"

namespace weir {

class RunningRun;

// What tells the threads that there are from each other. (On Linux a pthread_t is a scalar, too,
// but asking for it is a call.)
inline uintptr_t this_thread() {
#ifdef __has_builtin
#if __has_builtin(__builtin_thread_pointer)
#define WEIR_THREAD_POINTER
#endif
#endif
#ifdef WEIR_THREAD_POINTER
  return reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
#undef WEIR_THREAD_POINTER
#else
  return reinterpret_cast<uintptr_t>(pthread_self());
#endif
}

enum class Life : uint32_t { open, closing, grace, dead };

// Something that has to let go when the runtime ends: timers of its own that no run owns.
struct CloseHook : ListNode<CloseHook> {
  explicit CloseHook(void (*function)(CloseHook &hook)) : run(function) {}
  void (*run)(CloseHook &hook);
};

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
  Recorder *recorder = nullptr;  // owned; nullable
  bool metrics = false;
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
  // Never before clock(), at most two ticks after it. Any thread.
  int64_t coarse_ceiling() const { return driver_->type->coarse_ceiling(*driver_); }
  // The time to arm a timer of `delay_ns` from: never before the truth, so that it cannot fire
  // early; up to 10 ms after it where the delay is over 64 ms. The engine's thread.
  int64_t now_to_arm(int64_t delay_ns);
  // User code ran on the engine's thread: this turn's time may be behind.
  void user_ran() { stale_ = true; }

  // Runs `task` in a turn. Any thread; from others than the engine's it goes through the inbox.
  void post(weir::Task &task);
  // The same on the engine's thread.
  void post_here(weir::Task &task) {
    ready_.push(&task);
    if (!in_turn_) driver_->type->schedule(*driver_);
  }
  bool on_thread() const {
    return owned_.load(std::memory_order_acquire) &&
           owner_.load(std::memory_order_relaxed) == weir::this_thread();
  }
  // As on_thread(), for functions that take the engine's thread only. Before the first turn that is
  // whoever calls them, unless the driver has a thread of its own: an attached loop is about to
  // run.
  bool claim_thread();

  weir::TimerWheel &wheel() { return wheel_; }
  // After arming a timer that no run owns: outside a turn the driver has to hear of it.
  void timer_armed();
  // `hook` runs once, when everything has settled at the end, unless it is forgotten before. The
  // engine's thread.
  void at_close(weir::CloseHook &hook) { close_hooks_.push_back(&hook); }
  void forget_close(weir::CloseHook &hook) {
    if (hook.linked()) close_hooks_.remove(&hook);
  }
  weir::BlockPool &pool() { return pool_; }
  weir::Registry &registry() { return registry_; }

  // NULL without memory. Counts 1; enters `policy`; takes a count of `outer` (nullable).
  weir::Obligation *new_obligation(weir::Obligation::ReleaseFn release, weir::Handle &policy,
                                   weir_permit permit, uint64_t detail, weir::Obligation *outer);
  void drop_obligation(weir::Obligation *obligation);

  // The gate: who wants to hear, fixed at creation. What is only for them stands behind it.
  enum : uint32_t { by_listener = 1, by_recorder = 2, by_metrics = 4 };
  uint32_t observed() const { return observed_; }
  // Whether anybody hears of what emit() tells.
  bool tells() const { return (observed_ & (by_listener | by_recorder)) != 0; }
  // Tells the event listener and the recorder; `event`'s size and time are filled in. The engine's
  // thread.
  void emit(weir_event event);
  weir::Recorder *recorder() const { return recorder_; }
  weir::MeterBook &meters() { return meters_; }
  // With the path of the scope that the running run is in before `subject`.
  void log(int32_t level, const char *subject, const char *message) const;
  void log_line(int32_t level, const char *subject, const char *message) const;

  // The run on whose behalf the engine's thread does what it does now; NULL: none.
  weir_call *running() const { return running_; }

  // ---- for runs and attempts ----

  weir::AttemptTable &attempts() { return attempts_; }
  // Whether a run may be accepted: WEIR_OK, WEIR_ECLOSED, WEIR_EFULL, WEIR_EFORKED, WEIR_ENOTSUP.
  // Any thread; off the engine's, between enter() and leave().
  weir_status admit(bool local) {
    if (life_.load(std::memory_order_seq_cst) != weir::Life::open) return WEIR_ECLOSED;
    if (forked()) return WEIR_EFORKED;
    bool counted = !local || max_in_flight_ != WEIR_UNLIMITED;
    return counted ? admit_counted(local) : weir_status{WEIR_OK};
  }
  // What admit() let in is not accepted after all.
  void unadmit() {
    if (max_in_flight_ != WEIR_UNLIMITED) in_flight_.fetch_sub(1, std::memory_order_relaxed);
  }
  int64_t max_in_flight() const { return max_in_flight_; }
  // The run is accepted. Any thread, as admit().
  void accept(weir::Task &task, bool local) {
    if (!local) {
      accept_remote(task);
      return;
    }
    accepted_.store(accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    post_here(task);
  }
  void run_begun(weir_call &run) { live_.push_back(&run); }
  // So much more (or less) is waited for that is no run yet: a touched pacer. The engine's thread.
  void expect(int64_t change);
  void run_settled(weir_call &run) {
    live_.remove(&run);
    run_over();
  }
  // An accepted run has settled, or will never be.
  void run_over() {
    settled_.store(settled_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    unadmit();
    if (life() != weir::Life::open) post_close_task();
  }
  void child_settled(weir_call &child) {
    using Node = weir::ListNode<weir_call>;
    if (static_cast<Node &>(child).linked()) live_.remove(&child);
  }
  // An attempt begins; is told to stop; is over.
  void attempt_started(weir::Attempt &attempt) {
    weir::AttemptTable::start(attempt);
    attempt.run->hold();
    if (attempt.obligation != nullptr) ++attempt.obligation->count;
    attempts_started_.store(attempts_started_.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
    ++started_out_;
  }
  void attempt_orphaned(weir::Attempt &attempt);
  void attempt_over(weir::Attempt &attempt);
  weir_status complete(weir_token token, weir::Result &&result);
  void cancel_attempt(weir::Attempt &attempt, uint32_t reason);
  weir::Mutex &settle_mutex() { return settle_mutex_; }
  weir::Condition &settle_condition() { return settle_condition_; }
  bool forked() const { return fork_sentinel_.forked(); }
  // Around whatever another thread does with a runtime that may end meanwhile.
  void enter() { entering_.fetch_add(1, std::memory_order_seq_cst); }
  void leave() { entering_.fetch_sub(1, std::memory_order_release); }

  // ---- for drivers ----

  // One turn. True if there is more to do now. The thread that calls is the engine's from then on.
  bool turn(uint64_t *steps = nullptr);
  // When the next turn is needed: now() or earlier if there is work, never_ns if nothing waits.
  int64_t next_deadline() const;
  bool in_turn() const { return in_turn_; }
  // Until the next turn no thread is the engine's.
  void disown() { owned_.store(false, std::memory_order_release); }
  bool has_work() const;
  // Another thread is the engine's.
  bool owned_elsewhere() const { return owned_.load(std::memory_order_acquire) && !on_thread(); }
  // Orphans are not waited for.
  void give_no_grace();
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
  void release_shell(uint64_t count = 1);

 private:
  friend class weir::Audit;
  friend class weir::RunningRun;

  static constexpr uint32_t turn_steps = 1024;
  static constexpr uint32_t turn_moves = 16 * turn_steps;

  weir_status admit_counted(bool local);
  void accept_remote(weir::Task &task);
  void become_owner();
  void run_ready(uint32_t &steps);
  void fire_timers(uint32_t &steps);
  void update_keep_alive();
  void wake_driver();
  uint64_t drain_dead();
  uint64_t drain_held();
  void destroy();
  void post_close_task();
  void close_step();
  void all_settled();
  void finish_close();
  bool complete_cancelling(weir::Attempt &attempt, uint64_t &state);
  void wait_for_cancel(weir::Attempt &attempt, uint64_t state);
  void attempt_ended(weir::Attempt &attempt);
  void give_back(weir::Attempt &attempt);
  void attempt_over_closing();
  void deliver(weir::Attempt &attempt);
  static void close_task_run(weir_runtime &runtime, weir::Task &task);
  static void trim_task_run(weir_runtime &runtime, weir::Task &task);
  static void grace_over(weir_runtime &runtime, weir::Timer &timer);
  static void attempt_completed(weir_runtime &runtime, weir::Task &task);
  friend weir::Task::RunFn weir::attempt_task_function();

  weir::Heap *heap_;
  weir::Driver *driver_;
  char *name_;
  weir::Random random_;
  weir::Callback<weir_log_fn> log_;
  int32_t log_level_;
  weir::Callback<weir_event_fn> on_event_;
  weir::Callback<weir_closed_fn> on_closed_;
  uint32_t observed_;
  weir::Recorder *recorder_;
  weir::MeterBook meters_;
  int64_t max_in_flight_;
  int64_t close_grace_ns_;
  weir::ForkSentinel fork_sentinel_;

  // Any thread.
  std::atomic<uint32_t> outside_{1};
  std::atomic<uint64_t> shell_{2};  // the engine, and all outside references together
  std::atomic<uint32_t> entering_{
      0};  // threads inside post() or weir_run(); the end waits for them
  std::atomic<weir::Life> life_{weir::Life::open};
  std::atomic<uintptr_t> owner_{0};
  std::atomic<bool> owned_{false};
  std::atomic<int64_t> in_flight_{0};  // kept only if max_in_flight_ bounds it
  std::atomic<uint64_t> accepted_remote_{0};
  std::atomic<uint32_t> cancel_waiters_{0};
  std::atomic<bool> close_posted_{false};
  std::atomic<bool> trim_posted_{false};
  weir::Inbox inbox_;
  std::atomic<bool> draining_{false};  // after the end: somebody does what was posted
  weir::Mutex wake_mutex_;             // the driver is not told anything after its stop
  bool driver_stopping_ = false;
  weir::Mutex settle_mutex_;  // for those who wait: for calls, for on_cancel, for the end
  weir::Condition settle_condition_;

  // The engine's thread; counters are atomic so that others may look.
  int64_t now_;
  bool stale_ = false;
  bool in_turn_ = false;
  bool kept_alive_ = true;  // until the first turn
  int64_t expected_ = 0;
  bool finishing_ = false;
  uint64_t deferred_releases_ = 0;
  weir::Attempt *starting_ = nullptr;
  bool started_inline_ = false;
  weir_call *running_ = nullptr;
  weir::TaskQueue ready_;
  weir::TimerWheel wheel_;
  weir::AttemptTable attempts_;
  weir::BlockPool pool_;
  weir::List<weir_call> live_;
  weir::List<weir::Attempt> orphans_;
  weir::List<weir_completions, weir::OfRuntime> queues_;
  weir::Mutex queues_mutex_;
  weir::List<weir::CloseHook> close_hooks_;
  weir::Registry registry_;
  weir::Task close_task_;
  weir::Task trim_task_;
  weir::Timer grace_timer_;
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> settled_{0};
  std::atomic<uint64_t> attempts_started_{0};
  uint64_t started_out_ = 0;  // attempts started and not yet over
  std::atomic<uint64_t> orphan_count_{0};
  std::atomic<uint64_t> turns_{0};

 public:
  // Around the user's start function: a completing call inside it, for that attempt, needs no
  // queue.
  void begin_start(weir::Attempt &attempt) { starting_ = &attempt; }
  // True if it came.
  bool end_start() {
    stale_ = true;
    starting_ = nullptr;
    bool completed = started_inline_;
    started_inline_ = false;
    return completed;
  }
  // Completion queues to be told of the end. Any thread.
  void add_queue(weir_completions &queue);
  void remove_queue(weir_completions &queue);
};

namespace weir {

// While it lives, what happens on the engine's thread happens for `run`.
class RunningRun {
 public:
  RunningRun(weir_runtime &runtime, weir_call &run) : runtime_(runtime), before_(runtime.running_) {
    runtime.running_ = &run;
  }
  RunningRun(const RunningRun &) = delete;
  RunningRun &operator=(const RunningRun &) = delete;
  ~RunningRun() { runtime_.running_ = before_; }

 private:
  weir_runtime &runtime_;
  weir_call *before_;
};

}  // namespace weir
