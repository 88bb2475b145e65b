// SPDX-License-Identifier: MIT
//
// A scope: what groups runs (include/weir/scope.h). Runs join it when they are accepted and leave
// it when nothing of them is left; a scope inside another counts as one of its calls until it has
// ended. What is done to it from any thread (cancel, end) is a wish that its task carries out on
// the engine's thread, one step at a time: so scopes within scopes do not recurse.
//
//   phase      comes when                                then
//   open                                                 takes runs, scopes, resources
//   joining    somebody wants the end: sealed; exit      no call is left
//              policy CANCEL cancels, GRACE after its
//              time
//   draining   attempts go on that were told to stop     the last is over, or the grace: reported
//   closing    resources are closed, last opened first   none is left
//   ended      joiners told; parent has one call less
//
// Invariants:
// - `calls_` counts accepted runs that have not settled and child scopes that have not ended; with
//   the bit `sealed` nothing joins any more. Whoever makes it 0 then posts the task.
// - A run that joined is in running_ from its begin to its settlement, then in lingering_ until its
//   attempts are over.
// - Users hold one outside reference together, the task one while it is posted, the phases from
//   joining to closing one, a child scope one.
// - When the runtime has stopped everything, the close hook ends what has not ended.

#pragma once

#include <weir/scope.h>

#include <atomic>

#include "base/list.hh"
#include "base/mutex.hh"
#include "engine/handle.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"

namespace weir {

struct OfParent;

// A longer path is cut off.
inline constexpr size_t scope_path_size = 256;

// Waits for a scope's end. The engine's thread.
struct ScopeJoiner : ListNode<ScopeJoiner> {
  void (*ended)(ScopeJoiner &joiner) = nullptr;
  weir_scope *scope = nullptr;  // NULL: waits for nothing
};

// What a scope knows under a key.
struct ScopeEntry {
  ScopeEntry *next = nullptr;
  char *key = nullptr;          // owned
  weir_value *value = nullptr;  // NULL: `number`
  int64_t number = 0;
};

// Something to be closed. Its closing run is made before it is opened, so closing needs no memory.
struct Resource : ListNode<Resource> {
  weir_scope *scope = nullptr;
  weir_call *closing = nullptr;  // not yet begun
  ScopeEntry *entry = nullptr;   // for its value; NULL: it has no key
};

struct ScopeSetup {
  uint32_t exit = WEIR_SCOPE_JOIN;
  int64_t deadline_ns = INT64_MAX;  // of the clock
  int64_t grace_ns = 0;
  weir_scope *parent = nullptr;
  bool joins = true;  // the parent; else it only sees its values
  const char *name = nullptr;
};

}  // namespace weir

struct weir_scope : weir::Handle, weir::ListNode<weir_scope, weir::OfParent> {
 public:
  weir_scope(weir_runtime *runtime, const weir::ScopeSetup &setup);
  ~weir_scope();

  // WEIR_ENOMEM, or WEIR_ECLOSED if the parent takes nothing more. Any thread.
  static weir_status make(weir_runtime *runtime, const weir::ScopeSetup &setup, weir_scope *&out);

  // ---- any thread ----

  weir_scope *parent() const { return parent_; }
  int64_t deadline_ns() const { return deadline_ns_; }
  uint32_t depth() const { return depth_; }

  void ref_user();
  void unref_user();
  // A run is about to join; false if it may not.
  bool admit();
  // It does not after all, or has settled.
  void unadmit();
  void want_cancel() { want(cancel_); }
  void want_end() { want(end_); }
  // "outer/inner", or "outer/inner/subject" with a `subject` (nullable).
  void write_path(char *buffer, size_t size, const char *subject = nullptr) const;
  void get_stats(weir_scope_stats &stats) const;

  // Takes the entry; one of that key goes.
  void put(weir::ScopeEntry *entry);
  weir::ScopeEntry *make_entry(const char *key) const;
  void free_entry(weir::ScopeEntry *entry) const;
  // What this scope or one around it has: a value, with a reference, if there is somewhere to put
  // it, else a number. WEIR_ENOTFOUND: nothing, or something of the other type.
  weir_status get(const char *key, weir_value **value, int64_t *number);

  // ---- the engine's thread ----

  // For runs that begin inside without asking.
  void admit_child() { calls_.fetch_add(1, std::memory_order_relaxed); }
  void run_begun(weir_call &run) { running_.push_back(&run); }
  void run_settled(weir_call &run);
  void run_over(weir_call &run);
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  bool ended() const { return phase() == Phase::ended; }
  // Asks for the end; `joiner` is told later if it has not ended. True if it has.
  bool join(weir::ScopeJoiner &joiner);
  static void leave_joiner(weir::ScopeJoiner &joiner);
  // Borrowed; what the first closing operation that failed said, once ended. NULL: none did.
  weir_error *close_error() const { return close_error_; }

  // A resource that may be opened, or why not.
  weir_status reserve(weir_operation &close, const char *key, weir::Resource *&out);
  void opened(weir::Resource &resource, weir_value *value);
  void discard(weir::Resource &resource);

 private:
  enum class Phase : uint32_t { open, joining, draining, closing, ended };

  static constexpr uint64_t sealed = uint64_t{1} << 63;

  struct ScopeTask : weir::Task {
    explicit ScopeTask(weir_scope *owner) : Task(run_step, weir::Lane::cancel), scope(owner) {}
    weir_scope *scope;
  };
  struct ScopeTimer : weir::Timer {
    explicit ScopeTimer(weir_scope *owner) : Timer(grace_over), scope(owner) {}
    weir_scope *scope;
  };
  struct ScopeHook : weir::CloseHook {
    explicit ScopeHook(weir_scope *owner) : CloseHook(runtime_closes), scope(owner) {}
    weir_scope *scope;
  };

  static void end_scope(weir::Handle *handle);
  static void run_step(weir_runtime &runtime, weir::Task &task);
  static void grace_over(weir_runtime &runtime, weir::Timer &timer);
  static void runtime_closes(weir::CloseHook &hook);
  static void closed_one(void *data, weir_call *call, const weir_outcome *outcome);

  Phase phase() const { return phase_.load(std::memory_order_relaxed); }
  void set_phase(Phase phase) { phase_.store(phase, std::memory_order_relaxed); }
  void want(std::atomic<bool> &wish);
  void post();
  void step();
  void begin_end();
  void cancel_some();
  void wish_for_children(void (weir_scope::*wish)());
  void arm_grace();
  void drain();
  void report_leaks();
  void close_next();
  void finish();
  void abandon();
  void forget(weir::Resource &resource);
  bool join_parent();
  void leave_parent();
  // `format` with one text in it.
  __attribute__((format(printf, 2, 0))) void log(const char *format, const char *text) const;

  // Any thread.
  std::atomic<uint32_t> users_{1};
  std::atomic<uint64_t> calls_{0};
  std::atomic<bool> posted_{false};
  std::atomic<bool> end_{false};     // wanted
  std::atomic<bool> cancel_{false};  // wanted
  std::atomic<bool> cancelled_{false};
  std::atomic<Phase> phase_{Phase::open};
  std::atomic<uint32_t> open_resources_{0};
  std::atomic<uint64_t> leaked_{0};
  const uint32_t exit_;
  const uint32_t depth_;
  const int64_t deadline_ns_;
  const int64_t grace_ns_;
  const bool joins_;    // it counts as one of its parent's calls, until it has ended
  weir_scope *parent_;  // one outside reference
  weir::Mutex mutex_;   // of the two that follow
  weir::List<weir_scope, weir::OfParent> children_;
  weir::ScopeEntry *entries_ = nullptr;

  // The engine's thread.
  ScopeTask task_;
  ScopeTimer timer_;
  ScopeHook hook_;
  weir::List<weir_call, weir::OfScope> running_;
  weir::List<weir_call, weir::OfScope> lingering_;
  weir::List<weir::Resource> resources_;
  weir::List<weir::ScopeJoiner> joiners_;
  weir::Resource *closing_ = nullptr;
  weir_error *close_error_ = nullptr;
};
