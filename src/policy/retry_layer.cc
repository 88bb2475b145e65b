// SPDX-License-Identifier: MIT
//
// The retry's run door: the machine that tries again.
//
//   phase     signal   when                                    then
//   (any)     start                                            → running, inner
//   running   result   success, ignored, abandoned             outer, unchanged
//             result   failure, may be tried again             → sleeping, wait
//             result   failure, may not                        outer, with the reason
//             result   refusal, where these are retried        as a failure
//             result   refusal, otherwise                      outer, with the last failure
//             timer    the attempt's timeout                   stop inside, then as a failure
//   sleeping  timer    the delay is over                       → running, inner
//             wake     the same, for a delay of 0              → running, inner
//             both     but it is too late to begin             outer, with the last failure
//   (any)     stop                                             let go of all
//
// Invariants:
// - The layer's one timer belongs to the attempt while running and to the delay while sleeping.
// - `kept` is the last result that was not good enough: always there while sleeping, and while a
//   later try runs, because a refusal or a lack of memory there must not hide the last real error.
// - A try is booked in the budget before it begins, the first as a deposit, later ones as
//   withdrawals; the booking is undone when the try ends without any attempt having started.
// - A judged failure never leaves as a success: a value that was judged one leaves as exhausted.

#include "base/text.hh"
#include "base/time.hh"
#include "engine/error.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"
#include "policy/retry.hh"

namespace weir {
namespace {

enum class RetryPhase : uint8_t { running, sleeping };
enum class Kept : uint8_t { none, refusal, failure };

struct RetryState : Layer {
  weir_retry &policy() { return *static_cast<weir_retry *>(owner); }
  const RetryOptions &options() const { return set->options; }
  Result &kept() { return *reinterpret_cast<Result *>(kept_storage); }

  LiveOptions<RetryOptions>::Set *set;  // what this run goes by
  RetryProgress progress;
  int64_t outer_deadline_ns;
  int64_t booked_ns;
  uint32_t attempts_before;  // the run's, when this try was booked
  RetryPhase phase;
  Kept kept_kind;  // none: there is no object in kept_storage
  bool booked;
  alignas(Result) unsigned char kept_storage[sizeof(Result)];
};

// ---- what is kept ----

void drop_kept(RetryState &state) {
  if (state.kept_kind != Kept::none) state.kept().~Result();
  state.kept_kind = Kept::none;
}

void keep(RetryState &state, Kept kind, Result &result) {
  drop_kept(state);
  new (state.kept_storage) Result(std::move(result));
  state.kept_kind = kind;
  result = Result();
}

// A refusal after a real failure: the failure stays, with what the refusal says beside it.
[[gnu::cold]] void keep_refusal(RetryState &state, Result &refusal) {
  if (state.kept_kind != Kept::failure) {
    keep(state, Kept::refusal, refusal);
    return;
  }
  state.kept().retry_after_ms = refusal.retry_after_ms;
  state.kept().refused = refusal.refused;
  refusal.clear();
}

// ---- the budget ----

void book(weir_call &run, RetryState &state) {
  state.booked = true;
  state.booked_ns = run.runtime().now();
  state.attempts_before = run.attempts();
}

void deposit(weir_call &run, RetryState &state) {
  weir_budget *budget = state.options().rules.budget;
  if (!deposits_first(state, budget)) return;
  book(run, state);
  budget->core.deposit(state.booked_ns);
}

weir_budget *budget_of_retry(const Layer &layer) {
  return static_cast<const RetryState &>(layer).options().rules.budget;
}

// This try is over, or will not be.
void close_booking(weir_call &run, RetryState &state) {
  if (!state.booked) return;
  state.booked = false;
  if (run.attempts() != state.attempts_before) return;
  Budget &budget = state.options().rules.budget->core;
  if (state.progress.tries == 1) {
    budget.undeposit(state.booked_ns);
  } else {
    budget.refund(state.booked_ns);
  }
}

// ---- running ----

Next begin_try(weir_call &run, RetryState &state) {
  state.phase = RetryPhase::running;
  int64_t timeout_ns = state.options().rules.attempt_timeout_ns;
  if (timeout_ns == never_ns) return Next::inner;
  int64_t deadline_ns = deadline_after(run.runtime().now_to_arm(timeout_ns), timeout_ns);
  run.arm(state, deadline_ns);
  state.outer_deadline_ns = run.narrow_deadline(deadline_ns);
  return Next::inner;
}

Next start(weir_call &run, RetryState &state) {
  weir_retry &policy = state.policy();
  state.set = policy.live.take();
  state.progress = state.options().rules.begin(run.runtime().now());
  state.kept_kind = Kept::none;
  state.booked = false;
  policy.count(RetryCount::calls);
  deposit(run, state);
  return begin_try(run, state);
}

// The attempt's timer and deadline are over.
void end_try(weir_call &run, RetryState &state) {
  if (state.options().rules.attempt_timeout_ns != never_ns) {
    run.disarm(state);
    run.restore_deadline(state.outer_deadline_ns);
  }
  close_booking(run, state);
}

// ---- leaving ----

// Of everything this run had of the policy.
void let_go(RetryState &state) {
  drop_kept(state);
  state.set->leave(state.run->runtime());
}

Next leave(RetryState &state) {
  let_go(state);
  return Next::outer;
}

Next succeed(RetryState &state) {
  bool is_first = state.progress.tries == 1;
  state.policy().count(is_first ? RetryCount::succeeded_first : RetryCount::succeeded_later);
  return leave(state);
}

[[gnu::cold]] void tell_end(weir_call &run, RetryState &state) {
  weir_event event = event_of(WEIR_EVENT_GAVE_UP, state.policy());
  event.status = run.result().status;
  event.reason = run.result().stop_reason;
  event.count = state.progress.tries;
  run.runtime().emit(event);
}

Next give_up(weir_call &run, RetryState &state, uint32_t reason) {
  Result &result = run.result();
  if (result.channel == WEIR_CHANNEL_VALUE) {
    result.channel = WEIR_CHANNEL_ERROR;
    result.status = WEIR_EEXHAUSTED;
    result.error = bare_error(WEIR_EEXHAUSTED);
  }
  result.stop_reason = reason;
  state.policy().count(RetryCount::gave_up);
  if (run.runtime().tells()) tell_end(run, state);
  return leave(state);
}

// What came last is not to be shown, if there is something better.
[[gnu::cold]] Next give_up_with_kept(weir_call &run, RetryState &state, uint32_t reason) {
  if (state.kept_kind != Kept::none) run.result() = std::move(state.kept());
  if (state.kept_kind == Kept::failure) return give_up(run, state, reason);
  run.result().stop_reason = reason;
  return leave(state);
}

Next leave_refused(weir_call &run, RetryState &state, uint32_t reason) {
  keep_refusal(state, run.result());
  return give_up_with_kept(run, state, reason);
}

// ---- trying again ----

void tell(weir_call &run, RetryState &state, int64_t delay_ns) {
  weir_retry &policy = state.policy();
  weir_runtime &runtime = run.runtime();
  uint64_t ended = state.progress.tries - 1;
  if (state.options().on_retry) {
    auto attempt = static_cast<uint32_t>(ended < UINT32_MAX ? ended : UINT32_MAX);
    state.options().on_retry(attempt, delay_ns, &run.view());
    runtime.user_ran();
  }
  if (runtime.observed() != 0) note_time(policy, Measure::waiting, delay_ns);
  if (!runtime.tells()) return;
  weir_event event = event_of(WEIR_EVENT_RETRY, policy);
  event.status = run.result().status;
  event.count = ended;
  event.delay_ns = delay_ns;
  runtime.emit(event);
}

Next sleep(weir_call &run, RetryState &state, int64_t delay_ns) {
  state.phase = RetryPhase::sleeping;
  if (delay_ns == 0) {
    run.wake_later(state);
  } else {
    run.arm(state, deadline_after(run.runtime().now_to_arm(delay_ns), delay_ns));
  }
  return Next::wait;
}

// A failure stays what it is; the budget's numbers go beside it, as an inner refusal's do.
void explain_budget(weir_call &run, RetryState &state, Kept kind) {
  state.policy().count(RetryCount::refused_by_budget);
  if (kind != Kept::failure) return;
  const weir_budget &budget = *state.options().rules.budget;
  run.note_rejection(budget.core.rejection(budget.name(), run.runtime().now()));
}

[[gnu::cold]] Next try_again(weir_call &run, RetryState &state, Kept kind) {
  weir_runtime &runtime = run.runtime();
  RetryDecision decision = state.options().rules.next(
      state.progress, run.result().retry_after_ms, runtime.now(), run.deadline(), runtime.random());
  if (!decision.again) {
    if (decision.reason == WEIR_STOP_BUDGET) explain_budget(run, state, kind);
    return kind == Kept::failure ? give_up(run, state, decision.reason)
                                 : leave_refused(run, state, decision.reason);
  }
  if (state.options().rules.budget != nullptr) book(run, state);
  tell(run, state, decision.delay_ns);
  if (kind == Kept::failure) {
    keep(state, Kept::failure, run.result());
  } else {
    keep_refusal(state, run.result());
  }
  return sleep(run, state, decision.delay_ns);
}

Next failed(weir_call &run, RetryState &state) {
  if (run.result().final != 0) return give_up(run, state, WEIR_STOP_FINAL);
  if (state.options().should_retry) {
    uint64_t tries = state.progress.tries;
    auto attempt = static_cast<uint32_t>(tries < UINT32_MAX ? tries : UINT32_MAX);
    int32_t answer = state.options().should_retry(&run.view(), attempt);
    run.runtime().user_ran();
    if (answer == 0) return give_up(run, state, WEIR_STOP_CLASSIFIED);
  }
  return try_again(run, state, Kept::failure);
}

Next refused(weir_call &run, RetryState &state) {
  if (!state.options().rules.retry_refusals || run.result().retry_after_ms < 0) {
    return leave_refused(run, state, WEIR_STOP_REFUSED);
  }
  return try_again(run, state, Kept::refusal);
}

[[gnu::cold]] Next judge(weir_call &run, RetryState &state) {
  const RetryOptions &options = state.options();
  uint32_t class_ = options.classifier.judge(run.view());
  if (options.judges_values) run.runtime().user_ran();
  switch (class_) {
    case WEIR_CLASS_SUCCESS:
      return succeed(state);
    case WEIR_CLASS_FAILURE:
      return failed(run, state);
    case WEIR_CLASS_REFUSAL:
      return refused(run, state);
    default:
      run.result().stop_reason = WEIR_STOP_CLASSIFIED;
      return leave(state);
  }
}

// A later attempt could not be had: a run's flag, set by the leaf, or by a retry further in that
// has already put the last real error in its place.
Next lacked_memory(weir_call &run, RetryState &state) {
  if (run.result().status == WEIR_ENOMEM && state.kept_kind == Kept::failure) {
    return give_up_with_kept(run, state, WEIR_STOP_NO_MEMORY);
  }
  return give_up(run, state, WEIR_STOP_NO_MEMORY);
}

// ---- signals ----

Next on_result(weir_call &run, RetryState &state) {
  end_try(run, state);
  const Result &result = run.result();
  bool is_plain_value = result.channel == WEIR_CHANNEL_VALUE && result.class_ == WEIR_CLASS_NONE;
  if (is_plain_value && !state.options().judges_values) return succeed(state);
  if (result.stop_reason == WEIR_STOP_NO_MEMORY) return lacked_memory(run, state);
  return judge(run, state);
}

Next on_attempt_timeout(weir_call &run, RetryState &state) {
  run.stop_inside(state, WEIR_CANCEL_TIMEOUT);
  end_try(run, state);
  run.result().set_error(ref_error(state.options().attempt_timed_out));
  if (run.runtime().tells()) {
    tell_timeout(run, state.policy(), state.options().rules.attempt_timeout_ns);
  }
  return judge(run, state);
}

Next on_delay_over(weir_call &run, RetryState &state) {
  weir_retry &policy = state.policy();
  if (state.options().rules.is_over(state.progress, run.runtime().now())) {
    close_booking(run, state);
    return give_up_with_kept(run, state, WEIR_STOP_ELAPSED);
  }
  policy.count(RetryCount::retries);
  return begin_try(run, state);
}

void on_stop(weir_call &run, RetryState &state) {
  if (state.phase == RetryPhase::running) {
    end_try(run, state);
  } else {
    run.disarm(state);
    run.forget(state);
    close_booking(run, state);
  }
  let_go(state);
}

Next retry_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<RetryState &>(layer);
  switch (signal) {
    case Signal::start:
      return start(run, state);
    case Signal::result:
      return on_result(run, state);
    case Signal::timer:
    case Signal::wake:
      return state.phase == RetryPhase::running ? on_attempt_timeout(run, state)
                                                : on_delay_over(run, state);
    case Signal::stop:
      on_stop(run, state);
      break;
  }
  return Next::wait;
}

void describe_retry(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &state = static_cast<const RetryState &>(layer);
  TextWriter(buffer, size)
      .print("retry '%s': the delay before try %llu", layer.owner->name(),
             static_cast<unsigned long long>(state.progress.tries));
}

}  // namespace

constinit const LayerType retry_layer = {
    "retry", layer_size(sizeof(RetryState)), retry_step, describe_retry, false, 0, budget_of_retry};

}  // namespace weir
