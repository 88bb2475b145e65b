// SPDX-License-Identifier: MIT
//
// Making a breaker, and telling of its changes.

#include "policy/breaker.hh"

#include "base/text.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

static_assert(sizeof(weir_breaker) <= 464, "an idle breaker is at most 512 bytes");

[[gnu::cold]] weir_breaker::weir_breaker(weir_runtime *owner)
    : weir_policy(owner, weir::end_handle<weir_breaker>, WEIR_POLICY_BREAKER,
                  &weir::breaker_layer) {}

[[gnu::cold]] weir_breaker::~weir_breaker() {
  core.end(heap());
  heap()->destroy(classifier);
  heap()->destroy(listeners());
  weir::unref_error(refusal_error);
}

namespace weir {

// ---- listeners ----

BreakerListeners::BreakerListeners(weir_breaker &breaker)
    : ChangeRing(breaker, breaker.core.mutex(), &BreakerListeners::deliver) {}

BreakerListeners::~BreakerListeners() {
  if (records_ != nullptr) records_->release();
}

bool BreakerListeners::begin(Callback<weir_breaker_change_fn> &&callback, weir_completions *queue,
                             uint64_t user) {
  callback_ = std::move(callback);
  if (queue == nullptr) return true;
  records_ = ChangeRecords::create(queue, user);
  return records_ != nullptr;
}

// How many changes were given up between the last one told and this one.
uint64_t BreakerListeners::gap_before(uint64_t sequence) {
  uint64_t gap = sequence - last_sequence_ - 1;
  last_sequence_ = sequence;
  return gap;
}

[[gnu::cold]] void BreakerListeners::deliver(Handle &owner, const weir_breaker_change &change) {
  weir_breaker &breaker = static_cast<weir_breaker &>(owner);
  BreakerListeners &self = *breaker.listeners();
  weir_runtime &runtime = *breaker.runtime();
  if (self.records_ != nullptr) {
    self.records_->put(change.sequence, static_cast<int32_t>(change.reason),
                       static_cast<uint16_t>(change.from << 8 | change.to));
  }
  // After the end there is no thread but the one whose call changed the state, and listeners are
  // not called inside that.
  if (runtime.life() == Life::dead) return;
  if (self.callback_) {
    self.callback_(&breaker, &change);
    runtime.user_ran();
  }
  weir_event event = event_of(WEIR_EVENT_STATE_CHANGE, breaker);
  event.from = change.from;
  event.to = change.to;
  event.reason = change.reason;
  event.count = self.gap_before(change.sequence);
  event.calls = change.calls;
  event.failures = change.failures;
  event.slow_calls = change.slow_calls;
  runtime.emit(event);
}

// ---- refusals ----

weir_rejection breaker_rejection(weir_breaker &breaker, BreakerRefusal refusal) {
  Opening opening = breaker.core.explain(refusal);
  weir_rejection rejection = {};
  rejection.size = sizeof(rejection);
  rejection.status = WEIR_EOPEN;
  rejection.policy = WEIR_POLICY_BREAKER;
  rejection.reason = refusal.reason;
  rejection.retry_after_ns = refusal.retry_after_ns;
  rejection.retry_after_ms = ns_to_ms_up(refusal.retry_after_ns);
  rejection.limit = refusal.trials;
  rejection.calls = opening.counts.calls;
  rejection.failures = opening.counts.failures;
  rejection.slow_calls = opening.counts.slow_calls;
  bool ramps = refusal.reason == WEIR_REJECTION_RAMP_UP;
  rejection.threshold = ramps ? refusal.share : opening.threshold;
  rejection.cause = opening.cause;
  copy_name(rejection.name, breaker.name());
  return rejection;
}

// ---- making one ----

namespace {

bool add_breaker_classifier(weir_breaker &breaker, const weir_breaker_options &options,
                            Callback<weir_classify_fn> &&callback) {
  if (!callback && options.failures_count == 0) return true;
  breaker.classifier = breaker.heap()->make<Classifier>();
  return breaker.classifier != nullptr &&
         breaker.classifier->set(breaker.heap(), std::move(callback), options.failures,
                                 options.failures_count);
}

bool add_breaker_listeners(weir_breaker &breaker, const weir_breaker_options &options,
                           Callback<weir_breaker_change_fn> &&callback) {
  if (!callback && options.queue == nullptr && !breaker.runtime()->tells()) {
    return true;
  }
  auto *listeners = breaker.heap()->make<BreakerListeners>(breaker);
  if (listeners == nullptr) return false;
  breaker.core.announce_to(listeners);
  return listeners->begin(std::move(callback), options.queue, options.user);
}

}  // namespace
}  // namespace weir

[[gnu::cold]] weir_status weir_breaker_new(weir_runtime *runtime,
                                           const weir_breaker_options *options, weir_breaker **out,
                                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_breaker_options given = weir::default_breaker_options();
  weir_status status = weir::read_options(given, options, "breaker", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_classify_fn> classify(given.classify, given.classify_data,
                                            given.classify_free_data);
  weir::Callback<weir_breaker_change_fn> on_change(given.on_state_change, given.change_data,
                                                   given.change_free_data);
  weir::Check check("breaker", heap, error);
  check.required("runtime", runtime).required("out", out);
  if (!check.ok()) return check.status();
  status = weir::check_breaker_options(given, heap, error);
  if (status != WEIR_OK) return status;
  auto *breaker = weir::make_handle<weir_breaker>(heap, runtime);
  if (breaker == nullptr || !breaker->set_name(given.name) || !breaker->core.begin(heap, given) ||
      !weir::add_breaker_classifier(*breaker, given, std::move(classify)) ||
      !weir::add_breaker_listeners(*breaker, given, std::move(on_change)) ||
      !weir::publish(*breaker, weir::Metered::breaker)) {
    weir::unref_handle(breaker);
    return weir::report_no_memory(error, heap, "breaker");
  }
  *out = breaker;
  return WEIR_OK;
}
