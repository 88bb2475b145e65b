// SPDX-License-Identifier: MIT
#include "pace/pacer.hh"

#include <cstring>

#include "base/hash.hh"
#include "base/time.hh"
#include "engine/value.hh"

namespace weir {

Unit::Unit(Pacer *owner) : Timer(Pacer::timer_fired), pacer(owner) {}

[[gnu::cold]] Pacer::Pacer(weir_runtime *runtime, EndFn end, const PacerRules &pacer_rules,
                           weir_operation &operation, weir_policy *policy)
    : weir_operation(runtime, end, &member_layer),
      rules(pacer_rules),
      operation_(ref_handle(&operation)),
      policy_(ref_handle(policy)),
      single_(this),
      units_(runtime->heap()),
      hook_(this),
      hash_seed_(runtime->random().next()) {}

[[gnu::cold]] Pacer::~Pacer() {
  operation_->unref();
  unref_handle(policy_);
}

void Pacer::count(std::atomic<uint64_t> &counter, int64_t change) {
  counter.store(counter.load(std::memory_order_relaxed) + static_cast<uint64_t>(change),
                std::memory_order_relaxed);
}

void Pacer::fill(weir_pacing_stats &stats) const {
  stats.calls = calls_.load(std::memory_order_relaxed);
  stats.runs = runs_.load(std::memory_order_relaxed);
  stats.superseded = superseded_.load(std::memory_order_relaxed);
  stats.pending = pending_.load(std::memory_order_relaxed);
  stats.running = running_.load(std::memory_order_relaxed);
  stats.keys = keys_.load(std::memory_order_relaxed);
}

// ---- units ----

Unit *Pacer::find_keyed(const void *key, size_t key_size) {
  if (key_size > longest_run_key) return nullptr;
  return units_.find(hash_bytes(key, key_size, hash_seed_), [&](const Unit &unit) {
    return unit.key_size == key_size && std::memcmp(&unit + 1, key, key_size) == 0;
  });
}

Unit *Pacer::obtain(const void *key, size_t key_size) {
  Unit *unit = find(key, key_size);
  if (unit != nullptr || key_size > longest_run_key) return unit;
  return make_keyed(key, key_size, hash_bytes(key, key_size, hash_seed_));
}

[[gnu::cold]] Unit *Pacer::make_keyed(const void *key, size_t key_size, uint64_t hash) {
  void *memory = heap()->allocate(sizeof(Unit) + key_size);
  if (memory == nullptr) return nullptr;
  Unit *unit = new (memory) Unit(this);
  unit->keyed = true;
  unit->key_size = static_cast<uint32_t>(key_size);
  if (key_size > 0) std::memcpy(static_cast<void *>(unit + 1), key, key_size);
  if (units_.insert(unit, hash)) return unit;
  heap()->free(memory, sizeof(Unit) + key_size);
  return nullptr;
}

[[gnu::cold]] void Pacer::activate(Unit &unit) {
  unit.active = true;
  if (active_.empty()) {
    enter();
    runtime()->at_close(hook_);
  }
  active_.push_back(&unit);
  count(keys_, 1);
}

// The unit may be idle now: a keyed one is freed, the last one lets the pacer go.
[[gnu::cold]] void Pacer::rest(Unit &unit) {
  if (!unit.active || unit.open || unit.armed() || !unit.flights.empty()) return;
  weir_value *argument = unit.argument;
  unit.argument = nullptr;
  unit.active = false;
  active_.remove(&unit);
  count(keys_, -1);
  if (unit.keyed) {
    units_.remove(&unit);
    size_t size = sizeof(Unit) + unit.key_size;
    unit.~Unit();
    heap()->free(&unit, size);
  }
  if (active_.empty()) {
    runtime()->forget_close(hook_);
    leave();
  }
  unref_value(argument);
}

// A turn's own time is too early once user code has run in it: waits would end before their time.
int64_t Pacer::present() const {
  return runtime()->in_turn() ? runtime()->now_to_arm(0) : runtime()->clock();
}

void Pacer::arm(Unit &unit) {
  runtime()->wheel().arm(unit, unit.due_ns);
  runtime()->timer_armed();
}

// The unit is active. Due for ever (a wait without end) is open without a timer.
[[gnu::cold]] void Pacer::open(Unit &unit, int64_t due_ns) {
  unit.open = true;
  move_due(unit, due_ns);
}

// An armed timer is too late only if the wait was made shorter since.
void Pacer::move_due(Unit &unit, int64_t due_ns) {
  unit.due_ns = due_ns;
  if (unit.armed()) {
    if (unit.deadline_ns <= due_ns) return;
    runtime()->wheel().disarm(unit);
  }
  arm(unit);
}

void Pacer::close(Unit &unit) {
  unit.open = false;
  runtime()->wheel().disarm(unit);
}

// ---- calls ----

// The call is the latest of its batch. What it replaces is the caller's to unref.
inline weir_value *Pacer::take(Unit &unit, weir_value *argument, Member *member) {
  if (unit.pending > 0) count(superseded_, 1);
  if (rules.superseded == WEIR_SUPERSEDED_CANCEL && !unit.waiting.empty()) supersede_waiting(unit);
  weir_value *replaced = nullptr;
  if (argument != unit.argument) {
    replaced = unit.argument;
    unit.argument = ref_value(argument);
  }
  if (unit.pending++ == 0) runtime()->expect(1);
  count(pending_, 1);
  if (member != nullptr) unit.waiting.push_back(member);
  return replaced;
}

[[gnu::cold]] void Pacer::supersede_waiting(Unit &unit) {
  while (Member *older = unit.waiting.pop_front()) supersede(*older);
}

weir_status Pacer::arrive(const void *key, size_t key_size, weir_value *argument, Member *member,
                          int64_t now_ns) {
  Unit *unit = obtain(key, key_size);
  if (unit == nullptr) return key_size > longest_run_key ? WEIR_EINVAL : WEIR_ENOMEM;
  count(calls_, 1);
  if (member != nullptr) {
    member->unit = unit;
    member->flight = nullptr;
  }
  // The loop was held up past the due time: what is pending runs first, the call begins afresh.
  if (unit->open && now_ns > unit->due_ns) due(*unit, now_ns);
  if (!unit->active) activate(*unit);
  weir_value *replaced = rules.kind == PacerKind::debounce
                             ? arrive_debounce(*unit, argument, member, now_ns)
                             : arrive_throttle(*unit, argument, member, now_ns);
  unref_value(replaced);
  return WEIR_OK;
}

weir_value *Pacer::arrive_debounce(Unit &unit, weir_value *argument, Member *member,
                                   int64_t now_ns) {
  weir_value *replaced = nullptr;
  bool first = !unit.open;
  if (now_ns < unit.last_ns) now_ns = unit.last_ns;
  if (first) unit.max_due_ns = deadline_after(now_ns, rules.max_wait_ns);
  unit.last_ns = now_ns;
  if (rules.trailing || first) {
    replaced = take(unit, argument, member);
  } else {
    take_uncovered(unit, member);
  }
  int64_t quiet_ns = deadline_after(now_ns, rules.wait_ns);
  int64_t due_ns = quiet_ns < unit.max_due_ns ? quiet_ns : unit.max_due_ns;
  if (!first) {
    move_due(unit, due_ns);
    return replaced;
  }
  if (rules.leading) run_pending(unit, now_ns);
  open(unit, due_ns);
  return replaced;
}

weir_value *Pacer::arrive_throttle(Unit &unit, weir_value *argument, Member *member,
                                   int64_t now_ns) {
  bool started = unit.last_ns != Unit::no_start;
  int64_t free_ns = started ? deadline_after(unit.last_ns, rules.wait_ns) : now_ns;
  bool at_rest = unit.pending == 0 && !unit.overdue && now_ns >= free_ns;
  bool leads = at_rest && rules.leading;
  if (!leads && !rules.trailing) {
    take_uncovered(unit, member);
    return nullptr;
  }
  weir_value *replaced = take(unit, argument, member);
  if (leads) run_pending(unit, now_ns);
  if (leads || (!unit.open && !unit.overdue)) {
    open(unit, at_rest ? deadline_after(now_ns, rules.wait_ns) : free_ns);
  }
  return replaced;
}

// No later run will cover the call; the one that is out may.
[[gnu::cold]] void Pacer::take_uncovered(Unit &unit, Member *member) {
  count(superseded_, 1);
  if (member == nullptr) return;
  Flight *flight = unit.flights.back();
  if (rules.superseded == WEIR_SUPERSEDED_SHARE && flight != nullptr) {
    member->flight = flight;
    flight->members.push_back(member);
  } else {
    supersede(*member);
  }
}

void Pacer::supersede(Member &member) {
  member.unit = nullptr;
  member.run->result().set_stopped(WEIR_ESUPERSEDED, WEIR_CANCEL_SUPERSEDED);
  member.run->wake_later(member);
}

// The run it asked for goes on, or comes, without it.
void Pacer::leave_call(Member &member) {
  if (member.unit == nullptr) return;
  if (member.flight != nullptr) {
    member.flight->members.remove(&member);
  } else {
    member.unit->waiting.remove(&member);
  }
}

// ---- runs ----

[[gnu::cold]] void Pacer::timer_fired(weir_runtime &runtime, Timer &timer) {
  Unit &unit = static_cast<Unit &>(timer);
  Pacer *pacer = unit.pacer;
  if (unit.open && runtime.now() < unit.due_ns) {
    pacer->arm(unit);
  } else {
    pacer->due(unit, pacer->present());
    pacer->rest(unit);
  }
}

[[gnu::cold]] void Pacer::due(Unit &unit, int64_t now_ns) {
  if (!unit.open) return;
  close(unit);
  if (rules.kind == PacerKind::debounce) {
    due_debounce(unit, now_ns);
  } else if (unit.pending > 0) {
    run_pending(unit, now_ns);
    // What is overdue starts with the last flight's end, which opens the unit again.
    if (!unit.overdue) open(unit, deadline_after(now_ns, rules.wait_ns));
  } else {
    unit.last_ns = Unit::no_start;
  }
}

// Without a trailing run the burst is over, for max_wait too: the next call leads.
[[gnu::cold]] void Pacer::due_debounce(Unit &unit, int64_t now_ns) {
  if (!rules.trailing) return;
  if (unit.pending > 0) run_pending(unit, now_ns);
  int64_t quiet_ns = deadline_after(unit.last_ns, rules.wait_ns);
  if (quiet_ns <= now_ns) return;
  // max_wait forced this: the burst goes on, and the next max_wait counts from here.
  unit.max_due_ns = deadline_after(now_ns, rules.max_wait_ns);
  open(unit, quiet_ns < unit.max_due_ns ? quiet_ns : unit.max_due_ns);
}

// A run is due for what is pending.
void Pacer::run_pending(Unit &unit, int64_t now_ns) {
  if (rules.kind == PacerKind::throttle) unit.last_ns = now_ns;
  Flight *last = unit.flights.back();
  if (last != nullptr && rules.overlap == WEIR_OVERLAP_QUEUE) {
    unit.overdue = true;
    return;
  }
  if (last != nullptr && rules.overlap == WEIR_OVERLAP_CANCEL) {
    last->call->cancel(WEIR_CANCEL_SUPERSEDED);
  }
  launch(unit);
}

// Nothing is pending any more. What was the latest argument is the caller's to unref.
[[gnu::cold]] weir_value *Pacer::take_pending(Unit &unit) {
  if (unit.pending > 0) runtime()->expect(-1);
  count(pending_, -static_cast<int64_t>(unit.pending));
  unit.pending = 0;
  unit.overdue = false;
  weir_value *argument = unit.argument;
  unit.argument = nullptr;
  return argument;
}

[[gnu::cold]] void Pacer::launch(Unit &unit) {
  uint64_t calls = unit.pending;
  weir_value *argument = take_pending(unit);
  auto *flight = heap()->make<Flight>();
  weir_status status = WEIR_ENOMEM;
  if (flight != nullptr) {
    flight->unit = &unit;
    flight->calls = calls;
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.policy = policy_;
    options.input = argument;
    options.name = name();
    if (unit.keyed) {
      options.key = &unit + 1;
      options.key_size = unit.key_size;
    }
    status =
        weir_run(operation_, &options, flight_settled, flight, nullptr, &flight->call, nullptr);
  }
  if (status != WEIR_OK) {
    heap()->destroy(flight);
    unit.argument = argument;
    settle_waiting(unit, status, status == WEIR_ECLOSED ? WEIR_CANCEL_SHUTDOWN : WEIR_CANCEL_NONE);
    return;
  }
  unref_value(argument);
  count(runs_, 1);
  count(running_, 1);
  unit.flights.push_back(flight);
  while (Member *member = unit.waiting.pop_front()) {
    member->flight = flight;
    flight->members.push_back(member);
  }
}

// Gives each waiting call this end; an error where there is no reason to have been stopped.
[[gnu::cold]] void Pacer::settle_waiting(Unit &unit, weir_status status, uint32_t reason) {
  while (Member *member = unit.waiting.pop_front()) {
    member->unit = nullptr;
    if (reason == WEIR_CANCEL_NONE) {
      member->run->result().set_status(status);
    } else {
      member->run->result().set_stopped(status, reason);
    }
    member->run->wake_later(*member);
  }
}

[[gnu::cold]] void Pacer::tell(const Flight &flight, const weir_outcome &outcome) {
  weir_event event = {};
  event.kind = WEIR_EVENT_PACED;
  event.name = name();
  event.status = outcome.status;
  event.count = flight.calls;
  event.delay_ns = outcome.elapsed_ns;
  runtime()->emit(event);
}

[[gnu::cold]] void Pacer::flight_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  auto *flight = static_cast<Flight *>(data);
  Unit &unit = *flight->unit;
  Pacer *pacer = unit.pacer;
  if (pacer->runtime()->tells()) pacer->tell(*flight, *outcome);
  while (Member *member = flight->members.pop_front()) {
    member->unit = nullptr;
    member->run->share(*outcome);
    member->run->wake_later(*member);
  }
  unit.flights.remove(flight);
  pacer->count(pacer->running_, -1);
  pacer->heap()->destroy(flight);
  call->unref();
  if (unit.overdue && unit.flights.empty()) pacer->launch_overdue(unit);
  pacer->rest(unit);
}

// A throttle's distance counts from this start; its open timer is then early and waits again.
[[gnu::cold]] void Pacer::launch_overdue(Unit &unit) {
  launch(unit);
  if (rules.kind != PacerKind::throttle) return;
  int64_t now_ns = present();
  unit.last_ns = now_ns;
  open(unit, deadline_after(now_ns, rules.wait_ns));
}

// ---- orders ----

[[gnu::cold]] void Pacer::cancel(Unit &unit) {
  if (!unit.active) return;
  weir_value *argument = take_pending(unit);
  settle_waiting(unit, WEIR_ECANCELLED, WEIR_CANCEL_CALLER);
  for (Flight *flight = unit.flights.front(); flight != nullptr;
       flight = unit.flights.next(flight)) {
    weir_call_cancel(flight->call);
  }
  close(unit);
  unit.last_ns = Unit::no_start;
  rest(unit);
  unref_value(argument);
}

[[gnu::cold]] void Pacer::flush(Unit &unit) {
  if (!unit.active || unit.pending == 0 || unit.overdue) return;
  int64_t now_ns = present();
  close(unit);
  run_pending(unit, now_ns);
  if (rules.kind == PacerKind::throttle) open(unit, deadline_after(now_ns, rules.wait_ns));
  rest(unit);
}

// Every call has settled with the runtime's end; what is still pending asked for no settlement.
void Pacer::runtime_closes(CloseHook &hook) {
  Pacer &pacer = *static_cast<Hook &>(hook).pacer;
  pacer.enter();
  while (Unit *unit = pacer.active_.front()) pacer.cancel(*unit);
  pacer.leave();
}

}  // namespace weir
