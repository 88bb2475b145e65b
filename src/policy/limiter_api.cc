// SPDX-License-Identifier: MIT
//
// The limiter's exported functions: checking arguments, and saying which time counts.
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"
#include "policy/limiter.hh"

using weir::LimiterDenial;

namespace {

using ClassifyCallback = weir::Callback<weir_classify_fn>;

// A status for decide, with the rejection that goes with it.
weir_status limiter_answer(const weir_limiter &limiter, weir_status status, uint32_t permits,
                           const LimiterDenial &denial, weir_rejection *rejection) {
  bool denied = status == WEIR_ELIMITED || denial.reason == WEIR_REJECTION_WEIGHT;
  if (!denied || rejection == nullptr) return status;
  weir_status written = weir::write_sized(rejection, limiter.rejection(permits, denial));
  return written == WEIR_OK ? status : written;
}

[[gnu::cold]] weir_status check_limiter_fixed(const weir_limiter_options &options, weir::Heap *heap,
                                              weir_error **error) {
  weir::Check check("limiter", heap, error);
  check
      .rule(options.classify == nullptr && options.classify_free_data == nullptr,
            "classify cannot change (must be NULL)")
      .rule(options.failures == nullptr && options.failures_count == 0,
            "failures cannot change (must be NULL)")
      .rule(options.name == nullptr, "name cannot change (must be NULL)");
  return check.status();
}

// Not in a forked child, where the mutex may be held for ever.
weir_status limiter_here(const weir_limiter &limiter, weir_error **error) {
  if (!limiter.runtime()->forked()) return WEIR_OK;
  return weir::report(error, limiter.heap(), WEIR_EFORKED, "limiter: %s",
                      weir_status_message(WEIR_EFORKED));
}

bool legal_key(const weir_limiter *limiter, const void *key, size_t key_size) {
  return limiter != nullptr && (key != nullptr || key_size == 0);
}

}  // namespace

[[gnu::cold]] void weir_limiter_options_init(weir_limiter_options *options, size_t size) {
  weir::init_options(options, size, weir::default_limiter_options());
}

[[gnu::cold]] weir_status weir_limiter_new(weir_runtime *runtime,
                                           const weir_limiter_options *options, weir_limiter **out,
                                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_limiter_options given = weir::default_limiter_options();
  weir_status status = weir::read_options(given, options, "limiter", heap, error);
  if (status != WEIR_OK) return status;
  ClassifyCallback classify(given.classify, given.classify_data, given.classify_free_data);
  weir::Check check("limiter", heap, error);
  check.required("runtime", runtime).required("out", out);
  if (!check.ok()) return check.status();
  weir::LimiterSettings settings;
  status = weir::read_limiter_options(given, settings, heap, error);
  if (status != WEIR_OK) return status;
  auto *limiter = weir::make_handle<weir_limiter>(heap, runtime);
  if (limiter == nullptr ||
      !limiter->set_classifier(static_cast<ClassifyCallback &&>(classify), given.failures,
                               given.failures_count) ||
      !limiter->init(settings, given.name, runtime->clock()) ||
      !weir::publish(*limiter, weir::Metered::limiter)) {
    weir_limiter_unref(limiter);
    return weir::report_no_memory(error, heap, "limiter");
  }
  *out = limiter;
  return WEIR_OK;
}

weir_limiter *weir_limiter_ref(weir_limiter *limiter) { return weir::ref_handle(limiter); }

void weir_limiter_unref(weir_limiter *limiter) { weir::unref_handle(limiter); }

weir_policy *weir_limiter_policy(weir_limiter *limiter) { return limiter; }

weir_limiter *weir_policy_limiter(weir_policy *policy) {
  return weir::policy_as<weir_limiter>(policy, WEIR_POLICY_LIMITER);
}

[[gnu::cold]] weir_status weir_limiter_add_limit(weir_limiter *limiter, uint32_t algorithm,
                                                 int64_t permits, int64_t interval_ms,
                                                 int64_t burst, weir_error **error) {
  if (limiter == nullptr) {
    return weir::Check("limiter", weir::Heap::standard(), error)
        .required("limiter", limiter)
        .status();
  }
  weir::RateOptions rate;
  weir_status status =
      weir::read_rate_options(algorithm, permits, interval_ms, burst, rate, limiter->heap(), error);
  if (status == WEIR_OK) status = limiter_here(*limiter, error);
  if (status != WEIR_OK) return status;
  return limiter->add_rate(rate, limiter->runtime()->clock(), error);
}

// ---- acquiring ----

namespace {

// A permit that has to be given back needs a place; without one nothing is taken.
weir_status limiter_hand_out(weir_limiter &limiter, weir_status status, uint32_t permits,
                             weir_permit granted, weir_permit *permit) {
  if (permit != nullptr) {
    *permit = granted;
    return status;
  }
  if (granted == 0) return status;
  weir_limiter_release(&limiter, granted);
  weir_limiter_refund(&limiter, permits);
  return WEIR_EINVAL;
}

// The same of a keyed limiter, which gives no rate back, known beforehand.
bool lacks_place(const weir_limiter &limiter, const weir_permit *permit) {
  return permit == nullptr && limiter.keyed() && limiter.holds_permits();
}

}  // namespace

weir_status weir_limiter_try_acquire_at(weir_limiter *limiter, uint32_t permits,
                                        weir_permit *permit, weir_rejection *rejection,
                                        int64_t now_ns) {
  if (limiter == nullptr || lacks_place(*limiter, permit)) return WEIR_EINVAL;
  weir_permit granted = 0;
  if (rejection == nullptr) {
    weir_status status = limiter->try_acquire(permits, now_ns, granted, nullptr);
    return limiter_hand_out(*limiter, status, permits, granted, permit);
  }
  LimiterDenial denial;
  weir_status status = limiter->try_acquire(permits, now_ns, granted, &denial);
  status = limiter_hand_out(*limiter, status, permits, granted, permit);
  return limiter_answer(*limiter, status, permits, denial, rejection);
}

weir_status weir_limiter_try_acquire(weir_limiter *limiter, uint32_t permits, weir_permit *permit,
                                     weir_rejection *rejection) {
  if (limiter == nullptr) return WEIR_EINVAL;
  return weir_limiter_try_acquire_at(limiter, permits, permit, rejection,
                                     limiter->runtime()->clock());
}

static weir_status limiter_ask_key(weir_limiter *limiter, uint64_t hash, uint32_t permits,
                                   weir_permit *permit, weir_rejection *rejection, int64_t now_ns) {
  if (lacks_place(*limiter, permit)) return WEIR_EINVAL;
  LimiterDenial denial;
  weir_permit granted = 0;
  weir_status status = limiter->try_acquire_key(permits, now_ns, hash, granted,
                                                rejection == nullptr ? nullptr : &denial);
  if (permit != nullptr) *permit = granted;
  return limiter_answer(*limiter, status, permits, denial, rejection);
}

weir_status weir_limiter_try_acquire_key_at(weir_limiter *limiter, const void *key, size_t key_size,
                                            uint32_t permits, weir_permit *permit,
                                            weir_rejection *rejection, int64_t now_ns) {
  if (!legal_key(limiter, key, key_size)) return WEIR_EINVAL;
  if (!limiter->keyed()) return WEIR_ENOTSUP;
  uint64_t hash = limiter->hash_key(key, key_size);
  return limiter_ask_key(limiter, hash, permits, permit, rejection, now_ns);
}

weir_status weir_limiter_try_acquire_key(weir_limiter *limiter, const void *key, size_t key_size,
                                         uint32_t permits, weir_permit *permit,
                                         weir_rejection *rejection) {
  if (!legal_key(limiter, key, key_size)) return WEIR_EINVAL;
  if (!limiter->keyed()) return WEIR_ENOTSUP;
  uint64_t hash = limiter->hash_key(key, key_size);
  limiter->prefetch_key(hash);  // comes while the clock is read
  return limiter_ask_key(limiter, hash, permits, permit, rejection, limiter->runtime()->clock());
}

weir_status weir_limiter_acquire_n_at(weir_limiter *limiter, size_t count, size_t *granted,
                                      weir_rejection *rejection, int64_t now_ns) {
  if (granted != nullptr) *granted = 0;
  if (granted == nullptr || count == 0) return WEIR_EINVAL;
  weir_status status = weir::usable(limiter);
  if (status != WEIR_OK) return status;
  LimiterDenial denial;
  uint64_t some = 0;
  status = limiter->acquire_some(count, now_ns, some, &denial);
  *granted = some;
  return limiter_answer(*limiter, status, 1, denial, rejection);
}

weir_status weir_limiter_acquire_n(weir_limiter *limiter, size_t count, size_t *granted,
                                   weir_rejection *rejection) {
  int64_t now_ns = limiter == nullptr ? 0 : limiter->runtime()->clock();
  return weir_limiter_acquire_n_at(limiter, count, granted, rejection, now_ns);
}

// ---- in advance, and back ----

weir_status weir_limiter_reserve_at(weir_limiter *limiter, uint32_t permits, int64_t *wait_ns,
                                    weir_permit *reservation, int64_t now_ns) {
  if (wait_ns == nullptr) return WEIR_EINVAL;
  weir_status status = weir::usable(limiter);
  if (status != WEIR_OK) return status;
  weir_permit reserved = 0;
  status = limiter->reserve(permits, now_ns, *wait_ns, reserved);
  if (reservation != nullptr) *reservation = reserved;
  return status;
}

weir_status weir_limiter_reserve(weir_limiter *limiter, uint32_t permits, int64_t *wait_ns,
                                 weir_permit *reservation) {
  int64_t now_ns = limiter == nullptr ? 0 : limiter->runtime()->clock();
  return weir_limiter_reserve_at(limiter, permits, wait_ns, reservation, now_ns);
}

weir_status weir_limiter_cancel_reservation(weir_limiter *limiter, uint32_t permits,
                                            weir_permit reservation) {
  weir_status status = weir::usable(limiter);
  if (status != WEIR_OK) return status;
  return limiter->cancel_reservation(permits, reservation, limiter->runtime()->clock());
}

weir_status weir_limiter_release(weir_limiter *limiter, weir_permit permit) {
  if (limiter == nullptr) return WEIR_EINVAL;
  return limiter->release(permit, limiter->keyed() ? limiter->hash_key(nullptr, 0) : 0);
}

weir_status weir_limiter_release_with(weir_limiter *limiter, weir_permit permit, uint32_t class_,
                                      int64_t elapsed_ns) {
  if (limiter == nullptr || elapsed_ns < 0 || class_ > WEIR_CLASS_ABANDON) return WEIR_EINVAL;
  if (limiter->runtime()->forked()) return WEIR_EFORKED;
  limiter->note(permit, class_, elapsed_ns);
  return weir_limiter_release(limiter, permit);
}

weir_status weir_limiter_release_key(weir_limiter *limiter, const void *key, size_t key_size,
                                     weir_permit permit) {
  if (!legal_key(limiter, key, key_size)) return WEIR_EINVAL;
  if (!limiter->keyed()) return WEIR_ENOTSUP;
  return limiter->release(permit, limiter->hash_key(key, key_size));
}

weir_status weir_limiter_refund(weir_limiter *limiter, uint32_t permits) {
  weir_status status = weir::usable(limiter);
  if (status != WEIR_OK) return status;
  return limiter->refund(permits, limiter->runtime()->clock());
}

weir_status weir_limiter_drain(weir_limiter *limiter, int64_t *drained) {
  weir_status status = weir::usable(limiter);
  if (status != WEIR_OK) return status;
  int64_t some = 0;
  status = limiter->drain(limiter->runtime()->clock(), some);
  if (drained != nullptr) *drained = some;
  return status;
}

// ---- looking, and changing ----

int64_t weir_limiter_available_at(weir_limiter *limiter, int64_t now_ns) {
  return weir::usable(limiter) == WEIR_OK ? limiter->available(now_ns) : 0;
}

int64_t weir_limiter_available(weir_limiter *limiter) {
  return limiter == nullptr ? 0 : weir_limiter_available_at(limiter, limiter->runtime()->clock());
}

weir_status weir_limiter_pause(weir_limiter *limiter) {
  weir_status status = weir::usable(limiter);
  if (status != WEIR_OK) return status;
  limiter->pause();
  return WEIR_OK;
}

weir_status weir_limiter_resume(weir_limiter *limiter) {
  weir_status status = weir::usable(limiter);
  if (status != WEIR_OK) return status;
  limiter->resume();
  return WEIR_OK;
}

[[gnu::cold]] weir_status weir_limiter_set_options(weir_limiter *limiter,
                                                   const weir_limiter_options *options,
                                                   weir_error **error) {
  weir::Heap *heap = weir::heap_of(limiter);
  weir_limiter_options read = weir::default_limiter_options();
  weir_status status = weir::read_new_options(read, options, "limiter", heap, error);
  if (status != WEIR_OK) return status;
  ClassifyCallback classify(read.classify, read.classify_data, read.classify_free_data);
  weir::Check check("limiter", heap, error);
  check.required("limiter", limiter);
  if (!check.ok()) return check.status();
  status = check_limiter_fixed(read, heap, error);
  if (status != WEIR_OK) return status;
  weir::LimiterSettings settings;
  status = weir::read_limiter_options(read, settings, heap, error);
  if (status == WEIR_OK) status = limiter_here(*limiter, error);
  if (status != WEIR_OK) return status;
  return limiter->change(settings, error);
}

[[gnu::cold]] weir_status weir_limiter_get_stats(weir_limiter *limiter, weir_limiter_stats *stats) {
  if (stats == nullptr) return WEIR_EINVAL;
  weir_status status = weir::usable(limiter);
  if (status != WEIR_OK) return status;
  weir_limiter_stats filled = {};
  limiter->fill_stats(filled, limiter->runtime()->clock());
  return weir::write_sized(stats, filled);
}
