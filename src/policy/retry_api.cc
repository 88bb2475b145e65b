// SPDX-License-Identifier: MIT
//
// The retry's public functions, and its decide door.
//
// A weir_retry_state holds {start time, what the last delay left behind, tries begun, marks}. The
// marks say that it was begun, and, once it was stopped, why: asking again says the same.

#include <weir/retry.h>

#include <bit>

#include "base/time.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"
#include "policy/retry.hh"

namespace weir {
namespace {

constexpr weir_retry_options retry_defaults = WEIR_RETRY_OPTIONS_INIT;

void check_delays(Check &check, const weir_retry_options &options) {
  check.range("backoff", options.backoff, 0, WEIR_BACKOFF_DECORRELATED_V2)
      .range("base_delay_ms", options.base_delay_ms, 0, max_ms)
      .range("max_delay_ms", options.max_delay_ms, 0, max_ms)
      .range("min_delay_ms", options.min_delay_ms, 0, max_ms)
      .rule(options.min_delay_ms <= options.max_delay_ms,
            "min_delay_ms must not exceed max_delay_ms (got %lld and %lld)",
            static_cast<long long>(options.min_delay_ms),
            static_cast<long long>(options.max_delay_ms))
      .real("multiplier", options.multiplier, 1, 1000)
      .real("jitter_factor", options.jitter_factor, 0, 1)
      .range("jitter", options.jitter, 0, WEIR_JITTER_SYMMETRIC);
}

void check_retry(Check &check, const weir_retry_options &options, const weir_runtime *runtime) {
  check.range_or("max_attempts", options.max_attempts, 1, INT64_MAX, "unlimited");
  check_delays(check, options);
  check.range("retry_refusals", options.retry_refusals, 0, 1)
      .range_or("max_elapsed_ms", options.max_elapsed_ms, 0, max_ms, "forever")
      .range_or("attempt_timeout_ms", options.attempt_timeout_ms, 0, max_ms, "forever")
      .rule(options.budget == nullptr || runtime == nullptr || options.budget->runtime() == runtime,
            "budget must be of the same runtime");
  check_failures(check, options.failures, options.failures_count);
}

// NULL without memory.
LiveOptions<RetryOptions>::Set *make_retry_set(weir_retry &retry, const weir_retry_options &options,
                                               RetryCallbacks &&callbacks) {
  Callback<weir_classify_fn> classify(std::move(callbacks.classify));
  Heap *heap = retry.heap();
  auto *set = heap->make<LiveOptions<RetryOptions>::Set>(heap, options, std::move(callbacks));
  if (set == nullptr) return nullptr;
  if (set->options.complete(heap, retry.name(), options, std::move(classify))) return set;
  set->end();
  return nullptr;
}

// ---- the caller's 32 bytes ----

constexpr uint64_t begun_mark = uint64_t{0x72657472} << 32;
constexpr uint64_t done_mark = uint64_t{1} << 8;

enum Word { started_word, previous_word, tries_word, marks_word };

void save(weir_retry_state &state, const RetryProgress &progress, uint64_t marks) {
  state.opaque[started_word] = static_cast<uint64_t>(progress.started_ns);
  state.opaque[previous_word] = std::bit_cast<uint64_t>(progress.previous);
  state.opaque[tries_word] = progress.tries;
  state.opaque[marks_word] = marks;
}

RetryProgress load(const weir_retry_state &state) {
  return {state.opaque[tries_word], std::bit_cast<double>(state.opaque[previous_word]),
          static_cast<int64_t>(state.opaque[started_word])};
}

bool was_begun(const weir_retry_state &state) {
  return (state.opaque[marks_word] & ~(done_mark | 0xff)) == begun_mark;
}

bool is_done(const weir_retry_state &state) { return (state.opaque[marks_word] & done_mark) != 0; }

uint32_t done_reason(const weir_retry_state &state) { return state.opaque[marks_word] & 0xff; }

// The current rules, for as long as this lives; none in a forked child whose parent held the lock.
class RetryReading {
 public:
  explicit RetryReading(weir_retry &retry)
      : retry_(retry),
        locked_(retry.lock.lock_unless([&retry] { return retry.runtime()->forked(); })) {}
  RetryReading(const RetryReading &) = delete;
  RetryReading &operator=(const RetryReading &) = delete;
  ~RetryReading() {
    if (locked_) retry_.lock.unlock();
  }

  explicit operator bool() const { return locked_; }
  const RetryRules &rules() const { return retry_.live.current().rules; }

  // Where no option asks for the time, none is read.
  int64_t clock() const {
    if (rules().max_elapsed_ns != never_ns) return retry_.runtime()->clock();
    return rules().budget != nullptr ? rules().budget->clock() : 0;
  }

 private:
  weir_retry &retry_;
  bool locked_;
};

void count_end(weir_retry &retry, const RetryProgress &progress, uint32_t class_, uint32_t reason) {
  if (class_ == WEIR_CLASS_SUCCESS) {
    retry.count_decided(progress.tries == 1 ? RetryCount::succeeded_first
                                            : RetryCount::succeeded_later);
  }
  bool failed = class_ == WEIR_CLASS_FAILURE;
  bool failed_before = class_ == WEIR_CLASS_REFUSAL && progress.tries > 1;
  if (failed || failed_before) retry.count_decided(RetryCount::gave_up);
  if (reason == WEIR_STOP_BUDGET) retry.count_decided(RetryCount::refused_by_budget);
}

RetryDecision decide(const RetryRules &rules, RetryProgress &progress, uint32_t class_,
                     int64_t asked_ms, int64_t now_ns, Random &random) {
  switch (class_) {
    case WEIR_CLASS_SUCCESS:
      return {false, WEIR_STOP_NONE, 0};
    case WEIR_CLASS_FAILURE:
      return rules.next(progress, asked_ms, now_ns, never_ns, random);
    case WEIR_CLASS_REFUSAL:
      if (!rules.retry_refusals || asked_ms < 0) return {false, WEIR_STOP_REFUSED, 0};
      return rules.next(progress, asked_ms, now_ns, never_ns, random);
    default:
      return {false, WEIR_STOP_CLASSIFIED, 0};
  }
}

weir_status retry_begin(weir_retry *retry, weir_retry_state *state, const int64_t *given_ns) {
  if (retry == nullptr || state == nullptr) return WEIR_EINVAL;
  {
    RetryReading reading(*retry);
    if (!reading) return WEIR_EFORKED;
    int64_t now_ns = given_ns == nullptr ? reading.clock() : *given_ns;
    save(*state, reading.rules().begin(now_ns), begun_mark);
    if (reading.rules().budget != nullptr) reading.rules().budget->core.deposit(now_ns);
  }
  retry->count_decided(RetryCount::calls);
  return WEIR_OK;
}

weir_status retry_next(weir_retry &retry, weir_retry_state &state, uint32_t class_,
                       int64_t asked_ms, const int64_t *given_ns, RetryDecision &decision) {
  RetryProgress progress = load(state);
  {
    RetryReading reading(retry);
    if (!reading) return WEIR_EFORKED;
    int64_t now_ns = 0;
    if (given_ns != nullptr) {
      now_ns = *given_ns;
    } else if (class_ != WEIR_CLASS_SUCCESS) {
      now_ns = reading.clock();
    }
    decision =
        decide(reading.rules(), progress, class_, asked_ms, now_ns, retry.runtime()->random());
  }
  save(state, progress, begun_mark | (decision.again ? 0 : done_mark | decision.reason));
  if (decision.again) {
    retry.count_decided(RetryCount::retries);
    return WEIR_OK;
  }
  count_end(retry, progress, class_, decision.reason);
  return WEIR_ESTOP;
}

// What the exported functions check and hand out.
weir_status retry_ask(weir_retry *retry, weir_retry_state *state, uint32_t class_, int64_t asked_ms,
                      int64_t *delay_ns, uint32_t *stop_reason, const int64_t *now_ns) {
  if (retry == nullptr || state == nullptr || delay_ns == nullptr) return WEIR_EINVAL;
  if (class_ == WEIR_CLASS_NONE || class_ > WEIR_CLASS_ABANDON) return WEIR_EINVAL;
  if (!was_begun(*state)) return WEIR_EINVAL;
  RetryDecision decision = {false, done_reason(*state), 0};
  weir_status status = WEIR_ESTOP;
  if (!is_done(*state)) status = retry_next(*retry, *state, class_, asked_ms, now_ns, decision);
  *delay_ns = decision.delay_ns;
  if (stop_reason != nullptr) *stop_reason = decision.reason;
  return status;
}

}  // namespace
}  // namespace weir

void weir_retry_options_init(weir_retry_options *options, size_t size) {
  weir::init_options(options, size, weir::retry_defaults);
}

weir_status weir_retry_new(weir_runtime *runtime, const weir_retry_options *given, weir_retry **out,
                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_retry_options options = weir::retry_defaults;
  weir_status status = weir::read_options(options, given, "retry", heap, error);
  if (status != WEIR_OK) return status;
  weir::RetryCallbacks callbacks(options);
  weir::Check check("retry", heap, error);
  check.required("runtime", runtime).required("out", out);
  weir::check_retry(check, options, runtime);
  if (!check.ok()) return check.status();
  auto *retry = weir::make_handle<weir_retry>(heap, runtime);
  weir::LiveOptions<weir::RetryOptions>::Set *set = nullptr;
  if (retry != nullptr && retry->set_name(options.name)) {
    set = weir::make_retry_set(*retry, options, std::move(callbacks));
  }
  if (set != nullptr) {
    retry->live.begin(set);
    if (weir::publish(*retry, weir::Metered::retry)) {
      *out = retry;
      return WEIR_OK;
    }
  }
  weir::unref_handle(retry);
  return weir::report_no_memory(error, heap, "retry");
}

weir_status weir_retry_set_options(weir_retry *retry, const weir_retry_options *given,
                                   weir_error **error) {
  weir::Heap *heap = weir::heap_of(retry);
  weir_retry_options options = weir::retry_defaults;
  weir_status status = weir::read_new_options(options, given, "retry", heap, error);
  if (status != WEIR_OK) return status;
  weir::RetryCallbacks callbacks(options);
  weir::Check check("retry", heap, error);
  check.required("retry", retry).rule(options.name == nullptr, "name cannot change (must be NULL)");
  weir::check_retry(check, options, retry == nullptr ? nullptr : retry->runtime());
  if (!check.ok()) return check.status();
  if (retry->runtime()->forked()) {
    return weir::report_status(error, heap, WEIR_EFORKED, "retry");
  }
  auto *set = weir::make_retry_set(*retry, options, std::move(callbacks));
  if (set == nullptr) return weir::report_no_memory(error, heap, "retry");
  {
    weir::ShortHold hold(retry->lock);
    set = retry->live.exchange(set);
  }
  set->retire(*retry->runtime());
  return WEIR_OK;
}

weir_retry *weir_retry_ref(weir_retry *retry) { return weir::ref_handle(retry); }

void weir_retry_unref(weir_retry *retry) { weir::unref_handle(retry); }

weir_policy *weir_retry_policy(weir_retry *retry) { return retry; }

weir_retry *weir_policy_retry(weir_policy *policy) {
  return weir::policy_as<weir_retry>(policy, WEIR_POLICY_RETRY);
}

weir_status weir_retry_begin(weir_retry *retry, weir_retry_state *state) {
  return weir::retry_begin(retry, state, nullptr);
}

weir_status weir_retry_begin_at(weir_retry *retry, weir_retry_state *state, int64_t now_ns) {
  return weir::retry_begin(retry, state, &now_ns);
}

weir_status weir_retry_next(weir_retry *retry, weir_retry_state *state, uint32_t class_,
                            int64_t asked_delay_ms, int64_t *delay_ns, uint32_t *stop_reason) {
  return weir::retry_ask(retry, state, class_, asked_delay_ms, delay_ns, stop_reason, nullptr);
}

weir_status weir_retry_next_at(weir_retry *retry, weir_retry_state *state, uint32_t class_,
                               int64_t asked_delay_ms, int64_t *delay_ns, uint32_t *stop_reason,
                               int64_t now_ns) {
  return weir::retry_ask(retry, state, class_, asked_delay_ms, delay_ns, stop_reason, &now_ns);
}

weir_status weir_retry_get_stats(weir_retry *retry, weir_retry_stats *stats) {
  if (retry == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_retry_stats filled = {};
  filled.calls = retry->counted(weir::RetryCount::calls);
  filled.retries = retry->counted(weir::RetryCount::retries);
  filled.succeeded_first = retry->counted(weir::RetryCount::succeeded_first);
  filled.succeeded_later = retry->counted(weir::RetryCount::succeeded_later);
  filled.gave_up = retry->counted(weir::RetryCount::gave_up);
  filled.refused_by_budget = retry->counted(weir::RetryCount::refused_by_budget);
  return weir::write_sized(stats, filled);
}
