// SPDX-License-Identifier: MIT
//
// The breaker's exported functions, but weir_breaker_new (breaker.cc) and the snapshots
// (breaker_snapshot.cc): checking arguments, and saying which time counts.

#include "engine/options.hh"
#include "engine/runtime.hh"
#include "policy/breaker.hh"

using weir::Moment;

namespace {

Moment breaker_time(const weir_breaker &breaker) { return Moment::live(*breaker.runtime()); }

weir_status breaker_acquire(weir_breaker &breaker, weir_permit &permit, weir_rejection *rejection,
                            Moment &moment) {
  weir::BreakerRefusal refusal;
  weir_status status = breaker.core.acquire(permit, refusal, moment);
  if (status == WEIR_OK) return WEIR_OK;
  permit = 0;
  if (status != WEIR_EOPEN || rejection == nullptr) return status;
  weir_status written = weir::write_sized(rejection, breaker_rejection(breaker, refusal));
  return written == WEIR_OK ? status : written;
}

weir_status breaker_acquire_n(weir_breaker *breaker, size_t count, weir_permit *permits,
                              size_t *granted, weir_rejection *rejection, Moment &moment) {
  if (granted != nullptr) *granted = 0;
  if (permits == nullptr || granted == nullptr || count == 0) return WEIR_EINVAL;
  for (; *granted < count; ++*granted) {
    weir_rejection *wanted = *granted == 0 ? rejection : nullptr;
    weir_status status = breaker_acquire(*breaker, permits[*granted], wanted, moment);
    if (status != WEIR_OK) return *granted == 0 ? status : weir_status{WEIR_OK};
  }
  return WEIR_OK;
}

bool breaker_reportable(weir_permit permit, uint32_t class_, int64_t elapsed_ns) {
  return permit != 0 && class_ >= WEIR_CLASS_SUCCESS && class_ <= WEIR_CLASS_ABANDON &&
         elapsed_ns >= 0;
}

weir_status breaker_report(weir_breaker *breaker, weir_permit permit, uint32_t class_,
                           int64_t elapsed_ns, Moment &moment) {
  if (!breaker_reportable(permit, class_, elapsed_ns)) return WEIR_EINVAL;
  return breaker->core.report(permit, class_, elapsed_ns, moment);
}

weir_status breaker_report_many(weir_breaker *breaker, weir_breaker_report_entry *entries,
                                size_t count, Moment &moment) {
  if (entries == nullptr && count > 0) return WEIR_EINVAL;
  for (size_t i = 0; i < count; ++i) {
    weir_breaker_report_entry &entry = entries[i];
    entry.result = breaker_report(breaker, entry.permit, entry.class_, entry.elapsed_ns, moment);
  }
  return WEIR_OK;
}

// What cannot change with weir_breaker_set_options().
weir_status check_breaker_unchanged(const weir_breaker_options &options, weir::Heap *heap,
                                    weir_error **error) {
  weir::Check check("breaker", heap, error);
  check
      .rule(options.classify == nullptr && options.classify_free_data == nullptr,
            "classify cannot change (must be NULL)")
      .rule(options.failures == nullptr && options.failures_count == 0,
            "failures cannot change (must be NULL)")
      .rule(options.on_state_change == nullptr && options.change_free_data == nullptr,
            "on_state_change cannot change (must be NULL)")
      .rule(options.queue == nullptr, "queue cannot change (must be NULL)")
      .rule(options.name == nullptr, "name cannot change (must be NULL)");
  return check.status();
}

}  // namespace

[[gnu::cold]] void weir_breaker_options_init(weir_breaker_options *options, size_t size) {
  weir::init_options(options, size, weir::default_breaker_options());
}

weir_breaker *weir_breaker_ref(weir_breaker *breaker) { return weir::ref_handle(breaker); }

void weir_breaker_unref(weir_breaker *breaker) { weir::unref_handle(breaker); }

weir_policy *weir_breaker_policy(weir_breaker *breaker) { return breaker; }

weir_breaker *weir_policy_breaker(weir_policy *policy) {
  return weir::policy_as<weir_breaker>(policy, WEIR_POLICY_BREAKER);
}

// ---- deciding ----

weir_status weir_breaker_acquire(weir_breaker *breaker, weir_permit *permit,
                                 weir_rejection *rejection) {
  if (breaker == nullptr || permit == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker_acquire(*breaker, *permit, rejection, moment);
}

weir_status weir_breaker_acquire_at(weir_breaker *breaker, weir_permit *permit,
                                    weir_rejection *rejection, int64_t now_ns) {
  if (breaker == nullptr || permit == nullptr) return WEIR_EINVAL;
  Moment moment = Moment::at(*breaker->runtime(), now_ns);
  return breaker_acquire(*breaker, *permit, rejection, moment);
}

weir_status weir_breaker_report(weir_breaker *breaker, weir_permit permit, uint32_t class_,
                                int64_t elapsed_ns) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker_report(breaker, permit, class_, elapsed_ns, moment);
}

weir_status weir_breaker_report_at(weir_breaker *breaker, weir_permit permit, uint32_t class_,
                                   int64_t elapsed_ns, int64_t now_ns) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = Moment::at(*breaker->runtime(), now_ns);
  return breaker_report(breaker, permit, class_, elapsed_ns, moment);
}

[[gnu::cold]] weir_status weir_breaker_acquire_n(weir_breaker *breaker, size_t count,
                                                 weir_permit *permits, size_t *granted,
                                                 weir_rejection *rejection) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker_acquire_n(breaker, count, permits, granted, rejection, moment);
}

[[gnu::cold]] weir_status weir_breaker_acquire_n_at(weir_breaker *breaker, size_t count,
                                                    weir_permit *permits, size_t *granted,
                                                    weir_rejection *rejection, int64_t now_ns) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = Moment::at(*breaker->runtime(), now_ns);
  return breaker_acquire_n(breaker, count, permits, granted, rejection, moment);
}

[[gnu::cold]] weir_status weir_breaker_report_many(weir_breaker *breaker,
                                                   weir_breaker_report_entry *entries,
                                                   size_t count) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker_report_many(breaker, entries, count, moment);
}

[[gnu::cold]] weir_status weir_breaker_report_many_at(weir_breaker *breaker,
                                                      weir_breaker_report_entry *entries,
                                                      size_t count, int64_t now_ns) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = Moment::at(*breaker->runtime(), now_ns);
  return breaker_report_many(breaker, entries, count, moment);
}

uint32_t weir_breaker_state(weir_breaker *breaker) {
  if (breaker == nullptr) return WEIR_BREAKER_CLOSED;
  Moment moment = breaker_time(*breaker);
  return breaker->core.state(moment);
}

uint32_t weir_breaker_state_at(weir_breaker *breaker, int64_t now_ns) {
  if (breaker == nullptr) return WEIR_BREAKER_CLOSED;
  Moment moment = Moment::at(*breaker->runtime(), now_ns);
  return breaker->core.state(moment);
}

[[gnu::cold]] weir_status weir_breaker_get_stats(weir_breaker *breaker, weir_breaker_stats *stats) {
  weir_status status = weir::usable(breaker);
  if (status != WEIR_OK) return status;
  weir_breaker_stats filled = {};
  Moment moment = breaker_time(*breaker);
  breaker->core.get_stats(filled, moment);
  return weir::write_sized(stats, filled);
}

// ---- by hand ----

weir_status weir_breaker_isolate(weir_breaker *breaker) {
  weir_status status = weir::usable(breaker);
  if (status != WEIR_OK) return status;
  Moment moment = breaker_time(*breaker);
  return breaker->core.isolate(moment);
}

weir_status weir_breaker_release(weir_breaker *breaker) {
  weir_status status = weir::usable(breaker);
  if (status != WEIR_OK) return status;
  Moment moment = breaker_time(*breaker);
  return breaker->core.release(moment);
}

weir_status weir_breaker_force(weir_breaker *breaker, uint32_t state) {
  bool known = state == WEIR_BREAKER_CLOSED || state == WEIR_BREAKER_FORCED_OPEN ||
               state == WEIR_BREAKER_FORCED_CLOSED || state == WEIR_BREAKER_METRICS_ONLY;
  if (breaker == nullptr || !known) return WEIR_EINVAL;
  if (breaker->runtime()->forked()) return WEIR_EFORKED;
  Moment moment = breaker_time(*breaker);
  breaker->core.force(static_cast<weir::BreakerState>(state), moment);
  return WEIR_OK;
}

weir_status weir_breaker_reset(weir_breaker *breaker) {
  weir_status status = weir::usable(breaker);
  if (status != WEIR_OK) return status;
  Moment moment = breaker_time(*breaker);
  breaker->core.reset(moment);
  return WEIR_OK;
}

[[gnu::cold]] weir_status weir_breaker_set_options(weir_breaker *breaker,
                                                   const weir_breaker_options *options,
                                                   weir_error **error) {
  weir::Heap *heap = weir::heap_of(breaker);
  weir_breaker_options given = weir::default_breaker_options();
  weir_status status = weir::read_new_options(given, options, "breaker", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_classify_fn> classify(given.classify, given.classify_data,
                                            given.classify_free_data);
  weir::Callback<weir_breaker_change_fn> on_change(given.on_state_change, given.change_data,
                                                   given.change_free_data);
  if (breaker == nullptr) {
    return weir::report(error, heap, WEIR_EINVAL, "breaker must not be NULL");
  }
  status = check_breaker_unchanged(given, heap, error);
  if (status == WEIR_OK) status = weir::check_breaker_options(given, heap, error);
  if (status != WEIR_OK) return status;
  if (breaker->runtime()->forked()) {
    return weir::report_status(error, heap, WEIR_EFORKED, "breaker");
  }
  Moment moment = breaker_time(*breaker);
  if (breaker->core.set_options(heap, given, moment)) return WEIR_OK;
  return weir::report_no_memory(error, heap, "breaker");
}
