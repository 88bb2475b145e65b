// SPDX-License-Identifier: MIT
#include "policy/retry.hh"

#include "base/time.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"

namespace weir {
namespace {

RetryDecision stop(uint32_t reason) { return {false, reason, 0}; }

}  // namespace

// The sequence goes on where the peer asked for a delay of its own, so that the next computed one
// is what it would have been.
int64_t RetryRules::delay(RetryProgress &progress, int64_t asked_ms, Random &random) const {
  double u = backoff.draws() ? random.uniform() : 0;
  Backoff::Step step = backoff.step(progress.tries - 1, progress.previous, u);
  progress.previous = step.previous;
  return asked_ms >= 0 ? backoff.asked(asked_ms) : step.delay_ns;
}

RetryDecision RetryRules::next(RetryProgress &progress, int64_t asked_ms, int64_t now_ns,
                               int64_t deadline_ns, Random &random) const {
  if (max_attempts != WEIR_UNLIMITED && progress.tries >= static_cast<uint64_t>(max_attempts)) {
    return stop(WEIR_STOP_ATTEMPTS);
  }
  int64_t delay_ns = delay(progress, asked_ms, random);
  int64_t at_ns = saturating_add(now_ns, delay_ns);
  if (is_over(progress, at_ns)) return stop(WEIR_STOP_ELAPSED);
  if (deadline_ns != never_ns && at_ns >= deadline_ns) return stop(WEIR_STOP_NO_TIME);
  if (budget != nullptr && !budget->core.withdraw(now_ns)) return stop(WEIR_STOP_BUDGET);
  ++progress.tries;
  return {true, WEIR_STOP_NONE, delay_ns};
}

bool RetryRules::is_over(const RetryProgress &progress, int64_t now_ns) const {
  return now_ns > deadline_after(progress.started_ns, max_elapsed_ns);
}

RetryCallbacks::RetryCallbacks(const weir_retry_options &options)
    : classify(options.classify, options.classify_data, options.classify_free_data),
      should_retry(options.should_retry, options.should_retry_data, options.should_retry_free_data),
      on_retry(options.on_retry, options.on_retry_data, options.on_retry_free_data) {}

RetryOptions::RetryOptions(const weir_retry_options &options, RetryCallbacks &&callbacks)
    : judges_values(options.classify != nullptr),
      should_retry(std::move(callbacks.should_retry)),
      on_retry(std::move(callbacks.on_retry)) {
  rules.backoff.kind = options.backoff;
  rules.backoff.jitter = options.jitter;
  rules.backoff.base_ns = ms_to_ns(options.base_delay_ms);
  rules.backoff.min_ns = ms_to_ns(options.min_delay_ms);
  rules.backoff.max_ns = ms_to_ns(options.max_delay_ms);
  rules.backoff.multiplier = options.multiplier;
  rules.backoff.jitter_factor = options.jitter_factor;
  rules.max_attempts = options.max_attempts;
  rules.max_elapsed_ns = ms_to_ns(options.max_elapsed_ms);
  rules.attempt_timeout_ns = ms_to_ns(options.attempt_timeout_ms);
  rules.retry_refusals = options.retry_refusals != 0;
  rules.budget = ref_handle(options.budget);
}

RetryOptions::~RetryOptions() {
  unref_error(attempt_timed_out);
  unref_handle(rules.budget);
}

bool RetryOptions::complete(Heap *heap, const char *name, const weir_retry_options &options,
                            Callback<weir_classify_fn> &&classify) {
  if (!classifier.set(heap, std::move(classify), options.failures, options.failures_count)) {
    return false;
  }
  const char *space = name[0] == '\0' ? "" : " ";
  report(&attempt_timed_out, heap, WEIR_ETIMEDOUT, "%s%sattempt timed out after %lld ms", name,
         space, static_cast<long long>(options.attempt_timeout_ms));
  return true;
}

}  // namespace weir
