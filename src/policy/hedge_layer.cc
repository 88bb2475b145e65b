// SPDX-License-Identifier: MIT
//
// The hedge's machine. The first copy of the inside is the run's own; more are child runs
// (engine/child.hh). What a child brings is noted in `done`, and acted upon at the wake after it.
//
//   signal   when                                        then
//   start                                                timer armed, inner
//   timer    nothing has won                             one copy more, timer armed again; wait
//   result   a child won before, in the same turn        stop the others, outer with that
//            success                                     stop the others, outer, unchanged
//            abandoned, others run                       wait
//            failure, refusal, ignored                   one copy more if there may be; then wait,
//                                                        or if nothing runs: outer, all failed
//   wake     a child won                                 stop own inside and others, outer
//            children failed (or delay 0)                as after result
//   stop                                                 stop the children, let go of all
//
// Invariants:
// - While the own inside has not ended, the run's result is not touched: what a child that has
//   ended brought is in `shown`, which is held for it.
// - Once the own inside has ended, the run's result is what would be shown.
// - `aggregate` has room for all that may fail, from the first copy on, or there was no memory for
//   it; then the last real error is shown.
// - A copy that was withdrawn from the budget and no attempt came of is given back when it ends.

#include "base/counter.hh"
#include "base/text.hh"
#include "base/time.hh"
#include "engine/child.hh"
#include "engine/error.hh"
#include "engine/runtime.hh"
#include "policy/budget.hh"
#include "policy/hedge.hh"

namespace weir {
namespace {

struct HedgeState : Layer {
  weir_hedge &policy() const { return *static_cast<weir_hedge *>(owner); }
  const HedgeOptions &options() const { return set->options; }

  LiveOptions<HedgeOptions>::Set *set;  // what this run goes by
  int64_t begun_ns;
  int64_t delay_ns;
  int64_t outer_deadline_ns;
  Obligation *obligation;
  weir_error *aggregate;   // one reference; nullable
  weir_call *shown;        // held; nullable
  int64_t retry_after_ms;  // the least that was asked for
  uint32_t attempts_before;
  uint32_t wanted;   // copies that failures ask for
  uint32_t copies;   // started
  uint32_t running;  // of these, not ended
  uint32_t winner;   // which of them, from 1, if one won
  bool own_runs;
  bool own_failed;
  bool shows_failure;                   // what would be shown was judged a failure or refusal
  bool won;                             // by `shown`
  bool no_more;                         // no copy may be started any more
  bool no_memory;                       // because there was none
  bool deposited;                       // in the budget, at begun_ns
  weir_call *children[WEIR_HEDGE_MAX];  // `copies` of them; NULL: ended
};

// ---- what is kept ----

void show_copy(HedgeState &state, weir_call *child) {
  if (child != nullptr) child->hold();
  if (state.shown != nullptr) state.shown->unhold();
  state.shown = child;
}

// What could not even begin for want of memory says nothing about the operation.
bool is_no_failure(HedgeState &state, const ResultFields &result) {
  if (result.status != WEIR_ENOMEM || result.stop_reason != WEIR_STOP_NO_MEMORY) return false;
  state.no_memory = true;
  state.no_more = true;
  return true;
}

void list_hedge_failure(HedgeState &state, const ResultFields &result, uint64_t index) {
  int64_t asked_ms = result.retry_after_ms;
  bool is_less = state.retry_after_ms < 0 || asked_ms < state.retry_after_ms;
  if (asked_ms >= 0 && is_less) state.retry_after_ms = asked_ms;
  if (state.aggregate == nullptr) return;
  add_failure(*state.aggregate, failure_of(state.owner->heap(), result), index);
}

// ---- copies ----

void copy_done(Layer &parent, weir_call &child);

uint32_t copy_position(const HedgeState &state, const weir_call &child) {
  uint32_t position = 0;
  while (state.children[position] != &child) ++position;
  return position;
}

void give_back_unused(weir_call &run, HedgeState &state, const weir_call &child) {
  weir_budget *budget = state.options().budget;
  if (budget != nullptr && child.own_attempts() == 0) {
    budget->core.refund_oldest(run.runtime().now());
  }
}

bool may_copy(const HedgeState &state) {
  return state.copies < state.options().max_hedges && !state.no_more;
}

// Room for all that may fail, and what has failed before.
void reserve_aggregate(weir_call &run, HedgeState &state) {
  if (state.copies != 0) return;
  state.aggregate = make_aggregate(state.owner->heap(), state.options().max_hedges + 1);
  if (state.own_failed) list_hedge_failure(state, run.result(), 0);
}

__attribute__((cold)) void tell_hedge(weir_call &run, const HedgeState &state, uint32_t kind,
                                      uint32_t which) {
  weir_runtime &runtime = run.runtime();
  if (!runtime.tells()) return;
  weir_event event = {};
  event.kind = kind;
  event.name = state.owner->name();
  event.policy = &state.policy();
  event.count = which;
  event.delay_ns = saturating_sub(runtime.now(), state.begun_ns);
  runtime.emit(event);
}

// True if the budget, if there is one, allows one copy more.
bool withdraw_copy(weir_call &run, HedgeState &state) {
  weir_budget *budget = state.options().budget;
  if (budget == nullptr || budget->core.withdraw(run.runtime().now())) return true;
  count_one(state.policy().refused_by_budget);
  return false;
}

bool begin_copy(weir_call &run, HedgeState &state) {
  if (!withdraw_copy(run, state)) return false;
  reserve_aggregate(run, state);
  // Numbers of attempts go on; a first one that still waits somewhere will have the first number.
  uint32_t before = run.attempts() + state.running;
  CopyStart start = {state.outer_deadline_ns, state.obligation, before == 0 ? 1 : before};
  weir_call *child = start_copy(state, copy_done, start);
  if (child == nullptr) {
    state.no_memory = true;
    if (state.options().budget != nullptr) {
      state.options().budget->core.refund_oldest(run.runtime().now());
    }
    return false;
  }
  state.children[state.copies++] = child;
  ++state.running;
  count_one(state.policy().hedged);
  return true;
}

void arm_hedge(weir_call &run, HedgeState &state) {
  if (state.delay_ns == never_ns || state.delay_ns == 0) return;
  run.arm(state, deadline_after(run.runtime().now_to_arm(state.delay_ns), state.delay_ns));
}

void copy_once(weir_call &run, HedgeState &state) {
  if (begin_copy(run, state)) {
    tell_hedge(run, state, WEIR_EVENT_HEDGE, state.copies);
  } else {
    state.no_more = true;
  }
  run.disarm(state);
  if (may_copy(state)) arm_hedge(run, state);
}

void stop_copies(weir_call &run, HedgeState &state, uint32_t reason) {
  for (uint32_t i = 0; i < state.copies; ++i) {
    weir_call *child = state.children[i];
    if (child == nullptr) continue;
    state.children[i] = nullptr;
    give_back_unused(run, state, *child);
    stop_child(*child, reason);
  }
}

// ---- the end ----

void let_go_of_hedge(weir_call &run, HedgeState &state, uint32_t reason) {
  run.disarm(state);
  weir_call::forget(state);
  if (state.copies != 0) stop_copies(run, state, reason);
  unref_error(state.aggregate);
  show_copy(state, nullptr);
  if (state.deposited && run.attempts() == state.attempts_before) {
    state.options().budget->core.undeposit(state.begun_ns);
  }
  state.set->leave(run.runtime());
}

// The latency is the first start's; of one that failed it says nothing.
void measure_first(weir_call &run, const HedgeState &state) {
  const HedgeOptions &options = state.options();
  if (!options.measures || state.own_failed) return;
  state.policy().latency.record(saturating_sub(run.runtime().now(), state.begun_ns),
                                options.quantile);
}

Next succeed_first(weir_call &run, HedgeState &state) {
  measure_first(run, state);
  let_go_of_hedge(run, state, WEIR_CANCEL_LOST);
  return Next::outer;
}

__attribute__((cold)) Next succeed_by_copy(weir_call &run, HedgeState &state) {
  if (state.own_runs) run.stop_inside(state, WEIR_CANCEL_LOST);
  measure_first(run, state);
  count_one(state.policy().won_by_hedge);
  tell_hedge(run, state, WEIR_EVENT_HEDGE_WON, state.winner);
  run.adopt(*state.shown);
  let_go_of_hedge(run, state, WEIR_CANCEL_LOST);
  return Next::outer;
}

// A value that was judged a failure does not leave as a success.
void show_judged_value(Result &result) {
  if (result.channel != WEIR_CHANNEL_VALUE) return;
  result.channel = WEIR_CHANNEL_ERROR;
  result.status = WEIR_EEXHAUSTED;
  result.error = bare_error(WEIR_EEXHAUSTED);
}

__attribute__((cold)) Next fail_all(weir_call &run, HedgeState &state) {
  Result &result = run.result();
  if (state.shown != nullptr) run.adopt(*state.shown);
  weir_error *aggregate = state.aggregate;
  if (aggregate != nullptr && aggregate->item_count > 1) {
    complete_aggregate(*aggregate);
    result.set_error(ref_error(aggregate));
    result.retry_after_ms = state.retry_after_ms;
  } else if (state.shows_failure) {
    show_judged_value(result);
  }
  if (state.no_memory) result.stop_reason = WEIR_STOP_NO_MEMORY;
  let_go_of_hedge(run, state, WEIR_CANCEL_LOST);
  return Next::outer;
}

__attribute__((cold)) Next go_on_hedging(weir_call &run, HedgeState &state) {
  for (; state.wanted > 0 && may_copy(state); --state.wanted) copy_once(run, state);
  return state.own_runs || state.running > 0 ? Next::wait : fail_all(run, state);
}

// ---- judging ----

uint32_t class_for_hedge(weir_call &run, const HedgeOptions &options, const weir_outcome &outcome) {
  uint32_t class_ = options.classifier.judge(outcome);
  if (options.judges) run.runtime().user_ran();
  return class_;
}

void own_has_failed(HedgeState &state, const Result &result, uint32_t class_) {
  if (is_no_failure(state, result)) return;
  state.own_failed = true;
  state.shows_failure = class_ != WEIR_CLASS_IGNORE;
  show_copy(state, nullptr);
  if (state.copies != 0) list_hedge_failure(state, result, 0);
  if (result.final == 0) ++state.wanted;
}

__attribute__((cold)) Next judge_own(weir_call &run, HedgeState &state) {
  uint32_t class_ = class_for_hedge(run, state.options(), run.view());
  if (class_ == WEIR_CLASS_SUCCESS) return succeed_first(run, state);
  if (class_ != WEIR_CLASS_ABANDON) own_has_failed(state, run.result(), class_);
  return go_on_hedging(run, state);
}

Next own_result(weir_call &run, HedgeState &state) {
  state.own_runs = false;
  if (state.won) return succeed_by_copy(run, state);
  const Result &result = run.result();
  bool is_plain_value = result.channel == WEIR_CHANNEL_VALUE && result.class_ == WEIR_CLASS_NONE;
  if (is_plain_value && !state.options().judges) return succeed_first(run, state);
  return judge_own(run, state);
}

// What it brought is to be shown, unless something better comes.
void keep_failed(weir_call &run, HedgeState &state, weir_call &child, uint32_t index) {
  const Result &result = child.result();
  if (is_no_failure(state, result)) return;
  list_hedge_failure(state, result, index);
  if (result.final == 0) ++state.wanted;
  show_copy(state, state.own_runs ? &child : nullptr);
  if (!state.own_runs) run.adopt(child);
}

__attribute__((cold)) void copy_done(Layer &parent, weir_call &child) {
  auto &state = static_cast<HedgeState &>(parent);
  weir_call &run = *parent.run;
  uint32_t position = copy_position(state, child);
  state.children[position] = nullptr;
  --state.running;
  give_back_unused(run, state, child);
  if (state.won) return;
  run.wake_later(state);
  uint32_t class_ = class_for_hedge(run, state.options(), child.outcome());
  if (class_ == WEIR_CLASS_ABANDON) return;
  state.won = class_ == WEIR_CLASS_SUCCESS;
  if (state.won) {
    state.winner = position + 1;
    show_copy(state, &child);
  } else {
    state.shows_failure = class_ != WEIR_CLASS_IGNORE;
    keep_failed(run, state, child, position + 1);
  }
}

// ---- signals ----

void deposit_first(weir_call &run, HedgeState &state) {
  weir_budget *budget = state.options().budget;
  state.deposited = deposits_first(state, budget);
  if (!state.deposited) return;
  state.attempts_before = run.attempts();
  budget->core.deposit(state.begun_ns);
}

Next start_hedge(weir_call &run, HedgeState &state) {
  weir_hedge &policy = state.policy();
  count_one(policy.started);
  state.set = policy.live.take();
  state.begun_ns = run.runtime().now();
  state.delay_ns = policy.delay(state.options());
  state.outer_deadline_ns = run.deadline();
  state.obligation = run.obligation();
  state.aggregate = nullptr;
  state.shown = nullptr;
  state.retry_after_ms = -1;
  state.wanted = 0;
  state.copies = 0;
  state.running = 0;
  state.own_runs = true;
  state.own_failed = false;
  state.shows_failure = false;
  state.won = false;
  state.no_more = false;
  state.no_memory = false;
  deposit_first(run, state);
  arm_hedge(run, state);
  if (state.delay_ns == 0) {
    state.wanted = state.options().max_hedges;
    run.wake_later(state);
  }
  return Next::inner;
}

Next hedge_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<HedgeState &>(layer);
  switch (signal) {
    case Signal::start:
      return start_hedge(run, state);
    case Signal::result:
      return own_result(run, state);
    case Signal::timer:
      if (!state.won && may_copy(state)) copy_once(run, state);
      break;
    case Signal::wake:
      return state.won ? succeed_by_copy(run, state) : go_on_hedging(run, state);
    case Signal::stop:
      let_go_of_hedge(run, state, run.stop_reason());
      break;
  }
  return Next::wait;
}

void describe_hedge(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &state = static_cast<const HedgeState &>(layer);
  TextWriter(buffer, size)
      .print("hedge '%s': the first of %u copies", layer.owner->name(), state.running);
}

weir_budget *budget_of_hedge(const Layer &layer) {
  return static_cast<const HedgeState &>(layer).options().budget;
}

}  // namespace

constinit const LayerType hedge_layer = {"hedge",        layer_size(sizeof(HedgeState)),
                                         hedge_step,     describe_hedge,
                                         false,          WEIR_POLICY_HEDGE,
                                         budget_of_hedge};

}  // namespace weir
