// SPDX-License-Identifier: MIT
//
// The inside of debounce and throttle: one machine for both, as they differ in a few rules only.
//
// A Unit is one key's state: when its next run is due, the latest argument, the calls that wait. A
// call is a run whose leaf is a Member: it joins its unit and waits there for the run that covers
// it. That run is a Flight: a run of the pacer's own operation, which gives its outcome to its
// members.
//
//   unit     call                              timer                      idle when
//   idle     → open, lead if leading           -                          (freed, if keyed)
//   open     take the argument; move `due_ns`  early: wait again          the timer has found
//   nothing
//            (no timer is touched)             due: run what is pending   left to do, and no flight
//                                                                         is out
//
// Invariants:
// - An open unit's timer is armed at or before `due_ns`; a call only moves `due_ns` later (unless
//   the wait was made shorter meanwhile), so the timer wakes early at times and waits again, and a
//   call in an open unit is a few stores.
// - `pending` counts calls that no flight covers yet; `argument` is the latest of them. While it is
//   not 0 the runtime expects the unit: an attached loop does not return before its run.
// - `waiting` holds the pending calls that asked for a settlement: with superseded = cancel, one.
// - The pacer is entered while any unit is not idle, so it outlives what is pending.
// - An argument is given back last of all: its free function may call the pacer. That of a run that
//   could not begin stays until the next call, or until its unit is at rest.
// - Everything but the counters belongs to the engine's thread.

#pragma once

#include <weir/debounce.h>
#include <weir/throttle.h>

#include "base/hash_map.hh"
#include "base/list.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/policy.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"

namespace weir {

struct Flight;
struct Pacer;
struct Unit;

enum class PacerKind : uint8_t { debounce, throttle };

struct PacerRules {
  PacerKind kind;
  bool leading;
  bool trailing;
  uint32_t superseded;
  uint32_t overlap;
  // These two change live.
  int64_t wait_ns;      // debounce's quiet period, throttle's interval
  int64_t max_wait_ns;  // debounce
};

// A call in a unit: the state of a pacer's leaf layer.
struct Member : Layer, ListNode<Member> {
  Unit *unit;
  Flight *flight;  // NULL while waiting for one
};

// A million may be pending at once, so each byte counts.
struct Unit : Timer, HashNode, ListNode<Unit> {
  explicit Unit(Pacer *owner);

  Pacer *pacer;
  weir_value *argument = nullptr;
  int64_t due_ns = 0;
  // Debounce: the last call. Throttle: the last start; no_start: none to keep a distance from.
  int64_t last_ns = no_start;
  int64_t max_due_ns = 0;  // debounce: when max_wait forces a run
  uint64_t pending = 0;
  List<Member> waiting;
  List<Flight> flights;
  uint32_t key_size = 0;  // the key lies behind the unit
  bool keyed = false;
  bool open = false;
  bool overdue = false;  // due, but the last flight is still out
  bool active = false;   // in the pacer's list

  static constexpr int64_t no_start = INT64_MIN;
};

// One run of the pacer's operation.
struct Flight : ListNode<Flight> {
  Unit *unit;
  weir_call *call = nullptr;
  List<Member> members;
  uint64_t calls = 0;  // it stands for
};

struct Pacer : weir_operation {
  Pacer(weir_runtime *runtime, EndFn end, const PacerRules &rules, weir_operation &operation,
        weir_policy *policy);
  ~Pacer();

  // A call arrives. `argument` is borrowed, `member` nullable.
  weir_status arrive(const void *key, size_t key_size, weir_value *argument, Member *member,
                     int64_t now_ns);
  // A call leaves: cancelled, or its deadline passed.
  void leave_call(Member &member);
  void cancel(Unit &unit);
  void flush(Unit &unit);
  // The unit of a key, if it is not idle.
  Unit *find(const void *key, size_t key_size) {
    return key == nullptr ? &single_ : find_keyed(key, key_size);
  }
  void fill(weir_pacing_stats &stats) const;
  // The time that a call or a run counts from. The engine's thread.
  int64_t present() const;

  // What is open keeps its due time; the next call or run goes by these.
  void set_waits(const PacerRules &changed) {
    rules.wait_ns = changed.wait_ns;
    rules.max_wait_ns = changed.max_wait_ns;
  }

  // Changed by the engine's thread alone, and only the waits.
  PacerRules rules;

 private:
  friend struct Unit;

  Unit *find_keyed(const void *key, size_t key_size);
  Unit *obtain(const void *key, size_t key_size);
  Unit *make_keyed(const void *key, size_t key_size, uint64_t hash);
  weir_value *arrive_debounce(Unit &unit, weir_value *argument, Member *member, int64_t now_ns);
  weir_value *arrive_throttle(Unit &unit, weir_value *argument, Member *member, int64_t now_ns);
  weir_value *take(Unit &unit, weir_value *argument, Member *member);
  void take_uncovered(Unit &unit, Member *member);
  void supersede(Member &member);
  void supersede_waiting(Unit &unit);
  void open(Unit &unit, int64_t due_ns);
  void move_due(Unit &unit, int64_t due_ns);
  void close(Unit &unit);
  void due(Unit &unit, int64_t now_ns);
  void due_debounce(Unit &unit, int64_t now_ns);
  void run_pending(Unit &unit, int64_t now_ns);
  void launch(Unit &unit);
  void launch_overdue(Unit &unit);
  void settle_waiting(Unit &unit, weir_status status, uint32_t reason);
  weir_value *take_pending(Unit &unit);
  void activate(Unit &unit);
  void rest(Unit &unit);
  void arm(Unit &unit);
  void count(std::atomic<uint64_t> &counter, int64_t change);

  static void timer_fired(weir_runtime &runtime, Timer &timer);
  void tell(const Flight &flight, const weir_outcome &outcome);
  static void flight_settled(void *data, weir_call *call, const weir_outcome *outcome);
  static void runtime_closes(CloseHook &hook);

  struct Hook : CloseHook {
    explicit Hook(Pacer *owner) : CloseHook(runtime_closes), pacer(owner) {}
    Pacer *pacer;
  };

  weir_operation *operation_;
  weir_policy *policy_;
  Unit single_;
  HashMap<Unit> units_;
  List<Unit> active_;
  Hook hook_;
  uint64_t hash_seed_;
  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> runs_{0};
  std::atomic<uint64_t> superseded_{0};
  std::atomic<uint64_t> pending_{0};
  std::atomic<uint64_t> running_{0};
  std::atomic<uint64_t> keys_{0};
};

// The functions of both, with the handle already upcast.
weir_status pacer_check(weir_runtime *runtime, weir_operation *operation, weir_policy *policy,
                        const PacerRules &rules, Check &check);
weir_status pacer_call(Pacer *pacer, const void *key, size_t key_size, weir_value *argument,
                       Callback<weir_settle_fn> &&settle, weir_call **call, weir_error **error);
weir_status pacer_touch(Pacer *pacer, const void *key, size_t key_size, weir_value *argument,
                        int64_t now_ns);
// Checks what must stay as it is, and has the engine's thread take the new waits.
weir_status pacer_change(Pacer *pacer, const PacerRules &rules, Check &check, weir_error **error);
enum class PacerOrder { cancel, flush };
weir_status pacer_order(Pacer *pacer, PacerOrder order, const void *key, size_t key_size);
weir_status pacer_stats(const Pacer *pacer, weir_pacing_stats *stats);
uint64_t pacer_pending(const Pacer *pacer);

extern const LayerType member_layer;

}  // namespace weir

struct weir_debounce : weir::Pacer {
  using Pacer::Pacer;
};

struct weir_throttle : weir::Pacer {
  using Pacer::Pacer;
};
