// SPDX-License-Identifier: MIT
//
// A run: one block that holds the call, its outcome and its layers' states side by side. It walks
// through its layers as their steps say (engine/layer.hh), in a loop.
//
//   phase      from                 to
//   queued     weir_run             running (its task), settled (cancelled before)
//   running    the run's task       settling (the outermost layer answered outer, or it stopped)
//   settling   settle() queued      settled (settle function returned, or record posted)
//   settled
//
// Invariants:
// - All but the fields marked "any thread" belong to the engine's thread.
// - `active_` layers, the first ones of the plan, are active; the run's result is on its way out or
//   belongs to the layer that last got it.
// - The block lives while the call is referenced; the engine holds one reference until `holds_` is
//   0: one for the run until settled, one for each attempt not yet over, one for each queued task.
// - It enters its operation and policy, and leaves them with the engine's last hold.

#pragma once

#include <weir/run.h>

#include <atomic>
#include <cstring>

#include "base/list.hh"
#include "engine/callback.hh"
#include "engine/completions.hh"
#include "engine/layer.hh"
#include "engine/outcome.hh"
#include "engine/task.hh"

namespace weir {

struct Attempt;
struct Obligation;
struct OfScope;
struct OfParent;  // tag: a layer's list of its children
class RunBuilder;
class ChildBuilder;
class Audit;

// Parts of a call that find their way back to it.
struct CallTask : Task {
  CallTask(RunFn function, Lane where, weir_call *owner) : Task(function, where), call(owner) {}
  weir_call *call;
};
struct CallTimer : Timer {
  weir_call *call;  // set by arming
};
struct CallRecord : Record {
  CallRecord(DrainedFn function, weir_call *owner) : Record(function), call(owner) {}
  weir_call *call;
};

enum class Phase : uint32_t { queued, running, settling, settled };

// A child (engine/child.hh) has settled.
using ChildDone = void (*)(Layer &parent, weir_call &child);

// Whose child a run is; all but `depth` meaningless unless `parent` is there.
struct ChildLink {
  Layer *parent = nullptr;  // NULL: nobody's
  ChildDone done = nullptr;
  uint32_t depth = 0;            // of its outermost layer, counted from the outermost run's
  uint32_t attempts_before = 0;  // what attempts() began with
};

// A run's own copy of what weir_run was given; key and name lie behind the layers in the block.
struct RunRequest {
  void *context = nullptr;
  weir_value *input = nullptr;
  // For a leaf that runs another operation and is not told which at its making; held like the run's
  // own.
  weir_operation *inner = nullptr;
  const void *key = nullptr;
  size_t key_size = 0;
  const char *name = nullptr;
  uint32_t permits = 1;
  uint32_t priority = 31;
  uint64_t index = 0;  // among its siblings
  const weir_outcome *failed = nullptr;
  weir_scope *scope = nullptr;  // whose values it sees; held like the run's own
  bool in_scope = false;        // it, or the run whose child it is, has joined it
  bool shared = false;          // it, or the run whose child it is, serves several runs
};

// The bytes that a request refers to, both nullable.
struct RequestTail {
  const void *key;
  size_t key_size;
  const char *name;
  size_t name_size;  // with its terminator
};
// `request` gets a copy of them at `tail`.
inline void keep_tail(char *tail, RunRequest &request, const RequestTail &given) {
  if (given.key != nullptr) {
    std::memcpy(tail, given.key, given.key_size);
    request.key = tail;
    request.key_size = given.key_size;
  }
  if (given.name != nullptr) {
    tail += given.key_size;
    std::memcpy(tail, given.name, given.name_size - 1);
    tail[given.name_size - 1] = '\0';
    request.name = tail;
  }
}

}  // namespace weir

struct weir_call : weir::ListNode<weir_call>,
                   weir::ListNode<weir_call, weir::OfScope>,
                   weir::ListNode<weir_call, weir::OfParent> {
  // ---- for layers ----

  const weir::RunRequest &request() const { return request_; }
  weir_runtime &runtime() const { return runtime_; }

  // What came from the inside (at Signal::result), or goes outwards (set before answering outer).
  weir::Result &result() { return result_; }
  // The result as classify and listeners see it; valid until the next change of the result.
  const weir_outcome &view();

  // Fills in a refusal: the rejection is copied, the error is `error` (borrowed, of the rejection's
  // status; nullable: bare).
  void refuse(const weir_rejection &rejection, weir_error *error = nullptr);
  // What a result that stays shows beside itself: the refusal that kept it from another try.
  void note_rejection(const weir_rejection &rejection) {
    result_.refused = true;
    rejection_ = rejection;
  }
  // The rejection that the last refusal left; meaningful while result().refused.
  const weir_rejection &rejection() const { return rejection_; }

  // Another run's outcome becomes this one's result. `giver` (nullable) is that run, if nobody will
  // look at its value any more: that is taken instead of shared.
  void share(const weir_outcome &outcome, weir_call *giver = nullptr);

  // The nearest deadline of the layers outside `index` and of the caller; never_ns if none.
  int64_t deadline() const { return deadline_ns_; }
  // A layer narrows the deadline while it is active and puts back what this returned.
  int64_t narrow_deadline(int64_t deadline_ns);
  void restore_deadline(int64_t deadline_ns) { deadline_ns_ = deadline_ns; }

  // Attempts started so far in this run; in a copy, together with those before it.
  uint32_t attempts() const { return attempts_; }
  // Of a child: the attempts of its own.
  uint32_t own_attempts() const { return attempts_ - child_.attempts_before; }

  // The layer around `layer`, be it of the run whose child this is; NULL: none.
  static weir::Layer *around(const weir::Layer &layer);

  void arm(weir::Layer &layer, int64_t deadline_ns);
  void disarm(weir::Layer &layer);
  void wake_later(weir::Layer &layer);
  static void forget(weir::Layer &layer) { layer.task_wanted = false; }

  // Stops what is active inside of `layer`, innermost first. Layers see `reason` (WEIR_CANCEL_*) in
  // stop_reason().
  void stop_inside(const weir::Layer &layer, uint32_t reason);
  uint32_t stop_reason() const { return stop_reason_; }

  // The layer at `index` of the plan, and what it is.
  weir::Layer &layer(uint32_t index);
  const weir::Layer &layer(uint32_t index) const;
  const weir::LayerType &layer_type(uint32_t index) const { return *entry(index).type; }
  uint32_t layer_count() const { return layer_count_; }
  // Whose child this run is; NULL: nobody's.
  weir::Layer *parent() const { return child_.parent; }

  // Obligations (engine/attempt.hh): what attempts started from here on hold until they really end.
  weir::Obligation *obligation() const { return obligation_; }
  void set_obligation(weir::Obligation *obligation) { obligation_ = obligation; }

  // A child that has settled tells `queue` with its own record, which keeps it until drained.
  void post_item(weir_completions &queue, uint64_t user);

  // What a child that has settled brought: takes over result and rejection.
  void adopt(weir_call &child);

  // ---- for the engine ----

  // In a block of the pool with `tail` bytes to spare at its end, and with its first attempt
  // reserved; NULL without memory. Of the plans' layers the outermost `skipped` ones are left out.
  // `local`: on the engine's thread.
  static weir_call *make(weir_operation &operation, weir_policy *policy, size_t tail,
                         uint32_t skipped, bool local);
  // The same on the engine's thread, with all layers.
  static weir_call *make_here(weir_operation &operation, weir_policy *policy, size_t tail);
  weir_call(weir_runtime &runtime, weir_operation &operation, weir_policy *policy,
            uint32_t block_size, uint32_t skipped);
  weir_call(const weir_call &) = delete;
  weir_call &operator=(const weir_call &) = delete;
  ~weir_call();

  // Its first turn; goes inwards from the outermost layer.
  void begin();
  // The same as what the run's task does, instead of that.
  void begin_now();
  // It never will have one: reserved, and not published.
  void discard();
  // Gives a layer a signal, if it is active, and walks on from there.
  void signal(uint32_t index, weir::Signal signal);
  void signal(weir::Layer &layer, weir::Signal signal) {
    if (layer.index < active_) drive(layer, signal);
  }
  // Gives up on everything and settles as stopped.
  void stop(weir_status status, uint32_t reason);

  void hold() { ++holds_; }
  void unhold() {
    if (--holds_ == 0) let_go();
  }

  void note_attempt() { ++attempts_; }
  // A child has ended: its attempts are this run's, too.
  void note_child(const weir_call &child);
  void note_status(weir_status status) {
    if (noted_ == WEIR_OUTCOME_STATUSES) forget_status();
    outcome_.statuses[noted_++] = status;
  }
  // The reserved attempt, or a new one; NULL without memory.
  weir::Attempt *take_attempt() {
    weir::Attempt *attempt = reserved_;
    reserved_ = nullptr;
    return attempt != nullptr ? attempt : fresh_attempt();
  }

  // ---- any thread ----

  void ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void unref() {
    if (drop()) end();
  }
  weir_status cancel(uint8_t reason = WEIR_CANCEL_CALLER);
  weir_status wait(int64_t timeout_ms);
  bool settled() const { return phase_.load(std::memory_order_acquire) == weir::Phase::settled; }
  bool settling() const { return phase_.load(std::memory_order_acquire) >= weir::Phase::settling; }
  // Lent while a reference is held; once settled.
  const weir_outcome &outcome() const { return outcome_; }

 private:
  friend class weir::RunBuilder;
  friend class weir::ChildBuilder;
  friend class weir::Audit;

  // Where the layers' states begin, from the begin of the block.
  static const size_t layers_offset;

  static weir_call *make_in(weir_operation &operation, weir_policy *policy, size_t tail,
                            uint32_t skipped, bool local);
  const weir::PlanEntry &entry(uint32_t index) const;
  uint32_t state_offset(uint32_t position) const;
  weir::Layer *make_layers(const weir::Plan &plan, uint32_t first, char *states,
                           weir::Layer *outer);
  weir::Layer &outermost();
  // In the block's last bytes, which make() has left.
  void keep_tail(const weir::RequestTail &given) {
    char *end = reinterpret_cast<char *>(this) + block_size_;
    weir::keep_tail(end - given.key_size - given.name_size, request_, given);
  }
  void enlist();
  void forget_status();
  weir::Attempt *fresh_attempt();
  void begin_measure(weir::Layer &layer);
  void end_measure(const weir::Layer &layer);
  void drive(weir::Layer &from, weir::Signal signal);
  template <bool measured>
  void walk(weir::Layer &from, weir::Signal signal);
  void walk_measured(weir::Layer &from, weir::Signal signal);
  void stop_from(uint32_t index, uint32_t reason);
  void prefetch() const;
  void show();
  void settle();
  void note_settled();
  void begin_child();
  void settle_child();
  void post_record(weir_completions &queue, uint8_t kind, uint64_t detail);
  void leave_scope();
  void let_go();
  // Gives a reference back; true if it was the last.
  bool drop() {
    return references_.load(std::memory_order_acquire) == 1 ||
           references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  void end();
  void end_at(bool local);
  static const weir::Timer *outer_timer(const weir::Layer &layer, int64_t deadline_ns);
  static void run_task(weir_runtime &runtime, weir::Task &task);
  static void cancel_task(weir_runtime &runtime, weir::Task &task);
  void tell_deadline() const;
  static void deadline_fired(weir_runtime &runtime, weir::Timer &timer);
  static void record_drained(weir::Record &record, bool kept);

  // Any thread.
  std::atomic<uint32_t> references_{1};
  std::atomic<weir::Phase> phase_{weir::Phase::queued};
  std::atomic<uint32_t> waiters_{0};
  std::atomic<uint8_t> cancel_posted_{WEIR_CANCEL_NONE};  // why
  bool remote_ = false;   // handles are held by outside references, not entered
  bool counted_ = false;  // it has joined its request's scope
  weir::CallTask task_;

  // The engine's thread.
  weir_runtime &runtime_;
  weir_operation *operation_;
  weir_policy *policy_;
  uint32_t block_size_;
  uint32_t skipped_;       // layers of the plans that this run has not
  uint32_t skipped_size_;  // what their states would have taken
  uint32_t layer_count_;
  uint32_t active_ = 0;
  uint32_t holds_ = 2;  // the run, and its task
  uint32_t attempts_ = 0;
  uint32_t noted_ = 0;  // how many of the outcome's statuses there are, which are kept right there
  uint32_t stop_reason_ = 0;
  int64_t begun_ns_ = 0;
  int64_t deadline_ns_ = INT64_MAX;
  weir::Obligation *obligation_ = nullptr;
  weir::Attempt *reserved_ = nullptr;
  weir::CallTimer deadline_timer_;
  weir::RunRequest request_;
  weir::ChildLink child_;
  weir::Callback<weir_settle_fn> settle_;
  weir_completions *queue_ = nullptr;
  uint64_t user_;  // its record's
  weir::Result result_;
  weir_outcome outcome_;

  // What few runs need, and make then.
  union {
    weir::CallTask cancel_task_;  // any thread, once
  };
  union {
    weir::CallRecord record_;
  };
  weir_rejection rejection_;
};

inline constexpr size_t weir_call::layers_offset = weir::layer_size(sizeof(weir_call));

inline weir::Layer &weir_call::outermost() {
  return *reinterpret_cast<weir::Layer *>(reinterpret_cast<char *>(this) + layers_offset);
}

namespace weir {

// What a block needs before its layers' states.
inline constexpr size_t call_size = layer_size(sizeof(weir_call));

// weir_run() for operations whose leaf runs `inner`; see RunRequest::inner. `inner` must be of the
// operation's runtime.
weir_status run_with(weir_operation *operation, weir_operation *inner,
                     const weir_run_options *options, Callback<weir_settle_fn> &&settle,
                     weir_call **call, weir_error **error);

// The same with a key that is known to be legal, an input (nullable), and no other options.
inline constexpr uint64_t longest_run_key = uint64_t{1} << 30;
struct RunKey {
  const void *data;
  size_t size;
  weir_value *input;

  weir_run_options options() const {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.key = data;
    options.key_size = size;
    options.input = input;
    return options;
  }
};
weir_status run_key(weir_operation &operation, weir_operation *inner, const RunKey &key,
                    Callback<weir_settle_fn> &&settle, weir_call **call, weir_error **error);

// What a run is made of that several will wait for.
struct SharedMaking {
  weir_operation *operation;
  weir_policy *policy;
  const RunRequest *request;
  size_t name_size;   // with its terminator
  bool key_as_input;  // the input is the key, so that the run needs no copy of it
  weir_settle_fn settle;
  void *data;
};

// Makes such a run, whose task was accepted before. It takes what the request holds (the input's
// reference, the inside ones of the operation and the scope), and is to begin with begin_now().
// NULL without memory: then nothing was taken. The engine's thread.
weir_call *make_shared(const SharedMaking &making);

// As weir_run() with options that are known to be legal, but the run does not begin before it is
// published, which needs no memory, and may be discarded instead. It sees the options' scope, but
// does not join it. The engine's thread.
weir_status reserve_run(weir_operation &operation, const weir_run_options &options,
                        Callback<weir_settle_fn> &&settle, weir_call *&reserved);
void set_input(weir_call &reserved, weir_value *input);
void publish_run(weir_call &reserved);
void discard_run(weir_call &reserved);

}  // namespace weir
