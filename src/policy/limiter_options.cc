// SPDX-License-Identifier: MIT
//
// The limiter's options: what is legal, how one is made of them, and how they change while it
// works.
#include <algorithm>

#include "base/random.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "policy/limiter.hh"
#include "policy/limiter_exact.hh"

namespace weir {
namespace {

constexpr int64_t longest_interval_ms = int64_t{100} * 366 * 24 * 3600 * 1000;
constexpr int64_t most_keys = int64_t{1} << 30;
// Where an adaptive limit begins if nothing is said.
constexpr int64_t adaptive_begin = 20;

void check_rate(Check &check, uint32_t algorithm, int64_t permits, int64_t interval_ms,
                int64_t burst) {
  check.range("algorithm", algorithm, WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_SLIDING_WINDOW)
      .range("permits", permits, 1, INT32_MAX)
      .range("interval_ms", interval_ms, 1, longest_interval_ms)
      .range_or("burst", burst, 1, INT32_MAX, "as permits")
      .rule(burst == WEIR_OFF || algorithm == WEIR_LIMITER_TOKEN_BUCKET,
            "burst belongs to the token bucket (got %lld with a window)",
            static_cast<long long>(burst));
}

void check_adaptive(Check &check, const weir_limiter_options &options) {
  check.range("adaptive", options.adaptive, WEIR_ADAPTIVE_OFF, WEIR_ADAPTIVE_GRADIENT)
      .range("adaptive_max", options.adaptive_max, 1, INT32_MAX)
      .range("adaptive_min", options.adaptive_min, 1, options.adaptive_max)
      .range_or("adaptive_latency_ms", options.adaptive_latency_ms, 1, INT64_MAX, "off")
      .rule(options.adaptive_backoff > 0 && options.adaptive_backoff < 1,
            "adaptive_backoff must be above 0 and below 1 (got %g)", options.adaptive_backoff)
      .real("adaptive_tolerance", options.adaptive_tolerance, 1, 10);
  if (options.adaptive == WEIR_ADAPTIVE_OFF) return;
  check.rule(options.max_keys == 0, "adaptive cannot be combined with max_keys");
  if (options.max_concurrent == WEIR_UNLIMITED) return;
  check.range("max_concurrent", options.max_concurrent, options.adaptive_min, options.adaptive_max);
}

void check_limiter(Check &check, const weir_limiter_options &options) {
  check.rule((options.permits == WEIR_OFF) == (options.interval_ms == WEIR_OFF),
             "permits and interval_ms must be given together (got %lld and %lld)",
             static_cast<long long>(options.permits), static_cast<long long>(options.interval_ms));
  if (options.permits != WEIR_OFF) {
    check_rate(check, options.algorithm, options.permits, options.interval_ms, options.burst);
  } else {
    check.range("algorithm", options.algorithm, 0, WEIR_LIMITER_SLIDING_WINDOW)
        .rule(options.burst == WEIR_OFF, "burst needs permits and interval_ms (got %lld)",
              static_cast<long long>(options.burst));
  }
  check.range_or("max_concurrent", options.max_concurrent, 1, INT32_MAX, "unlimited")
      .range_or("max_queue", options.max_queue, 0, INT64_MAX, "unlimited")
      .range_or("queue_timeout_ms", options.queue_timeout_ms, 0, max_ms, "forever")
      .range("queue_order", options.queue_order, WEIR_LIMITER_FIFO, WEIR_LIMITER_PRIORITY)
      .range("key_overflow", options.key_overflow, WEIR_LIMITER_DENY, WEIR_LIMITER_EVICT)
      .range("max_keys", options.max_keys, 0, most_keys)
      .range("early_release", options.early_release, 0, 1);
  check_failures(check, options.failures, options.failures_count);
  check_adaptive(check, options);
}

RateOptions rate_of(uint32_t algorithm, int64_t permits, int64_t interval_ms, int64_t burst) {
  return {algorithm, permits, interval_ms * ns_per_ms, burst == WEIR_OFF ? permits : burst};
}

AdaptiveOptions adaptive_of(const weir_limiter_options &options) {
  int64_t latency_ns =
      options.adaptive_latency_ms == WEIR_OFF ? -1 : ms_to_ns(options.adaptive_latency_ms);
  return {options.adaptive, options.adaptive_min,     options.adaptive_max,
          latency_ns,       options.adaptive_backoff, options.adaptive_tolerance};
}

}  // namespace

weir_limiter_options default_limiter_options() { return WEIR_LIMITER_OPTIONS_INIT; }

weir_status read_rate_options(uint32_t algorithm, int64_t permits, int64_t interval_ms,
                              int64_t burst, RateOptions &rate, Heap *heap, weir_error **error) {
  Check check("limiter", heap, error);
  check_rate(check, algorithm, permits, interval_ms, burst);
  if (check.ok()) rate = rate_of(algorithm, permits, interval_ms, burst);
  return check.status();
}

weir_status read_limiter_options(const weir_limiter_options &options, LimiterSettings &settings,
                                 Heap *heap, weir_error **error) {
  Check check("limiter", heap, error);
  check_limiter(check, options);
  if (!check.ok()) return check.status();
  settings.rated = options.permits != WEIR_OFF;
  settings.rate.algorithm = options.algorithm;
  if (settings.rated) {
    settings.rate = rate_of(options.algorithm, options.permits, options.interval_ms, options.burst);
  }
  settings.max_concurrent = options.max_concurrent;
  settings.max_queue =
      options.max_queue == WEIR_UNLIMITED ? UINT64_MAX : static_cast<uint64_t>(options.max_queue);
  settings.queue_timeout_ns = ms_to_ns(options.queue_timeout_ms);
  settings.by_priority = options.queue_order == WEIR_LIMITER_PRIORITY;
  settings.evict = options.key_overflow == WEIR_LIMITER_EVICT;
  settings.early_release = options.early_release == 1;
  settings.max_keys = static_cast<uint64_t>(options.max_keys);
  settings.adaptive = adaptive_of(options);
  if (settings.adaptive.kind != WEIR_ADAPTIVE_OFF && settings.max_concurrent == WEIR_UNLIMITED) {
    settings.max_concurrent =
        std::clamp(adaptive_begin, settings.adaptive.low, settings.adaptive.high);
  }
  return WEIR_OK;
}

}  // namespace weir

using weir::LimiterSettings;

weir_limiter::weir_limiter(weir_runtime *runtime)
    : weir_policy(runtime, weir::end_handle<weir_limiter>, WEIR_POLICY_LIMITER,
                  &weir::limiter_layer),
      entries_(heap()),
      key_queues_(heap()),
      seed_(runtime->random().next()),
      wake_task_(run_wake) {
  wake_task_.limiter = this;
}

weir_limiter::~weir_limiter() {
  heap()->destroy(table_.load(std::memory_order_relaxed));
  weir_error_unref(limited_error_);
  weir_error_unref(full_error_);
}

void weir_limiter::make_errors() {
  const char *kind = name()[0] == '\0' ? "limiter" : "limiter ";
  const char *quote = name()[0] == '\0' ? "" : "'";
  weir::report(&limited_error_, heap(), WEIR_ELIMITED, "%s%s%s%s refuses", kind, quote, name(),
               quote);
  weir::report(&full_error_, heap(), WEIR_EFULL, "%s%s%s%s: its queue is full", kind, quote, name(),
               quote);
}

bool weir_limiter::init(const LimiterSettings &settings, const char *name, int64_t now_ns) {
  if (!set_name(name)) return false;
  make_errors();
  rated_ = settings.rated;
  by_priority_ = settings.by_priority;
  adaptive_kind_ = settings.adaptive.kind;
  max_keys_ = settings.max_keys;
  if (rated_) {
    rates_.add(settings.rate, now_ns);
    rates_.begin(states_);
  }
  if (adaptive_kind_ != WEIR_ADAPTIVE_OFF) {
    adaptive_.set(settings.adaptive, settings.max_concurrent);
  }
  apply(settings);
  if (!keyed()) {
    Exact(*this, now_ns).rule_changed(now_ns);
    return true;
  }
  uint64_t waiting_keys = std::min(settings.max_queue, max_keys_);
  return key_queues_.init(waiting_keys) && configure_keys(now_ns);
}

bool weir_limiter::set_classifier(weir::Callback<weir_classify_fn> classify,
                                  const weir_error_range *ranges, uint64_t range_count) {
  asks_user_ = static_cast<bool>(classify);
  return classifier_.set(heap(), static_cast<weir::Callback<weir_classify_fn> &&>(classify), ranges,
                         range_count);
}

int64_t weir_limiter::heaviest() const {
  int64_t heaviest = rates_.capacity();
  if (!holds_permits()) return heaviest;
  int64_t most = adaptive_kind_ != WEIR_ADAPTIVE_OFF ? adaptive_.high()
                                                     : limit_.load(std::memory_order_relaxed);
  return std::min(heaviest, most);
}

// Under the mutex (or before anybody knows this limiter), the bucket parked: which way in is right.
void weir_limiter::configure_gate(bool counts) {
  bucketed_ = !keyed() && rates_.count() == 1 &&
              weir::Scale::fits(rates_.rule(0), weir::Bucket::number_bits);
  bucket_permits_.store(rates_.rule(0).permits(), std::memory_order_relaxed);
  bucket_interval_ns_.store(rates_.rule(0).interval_ns(), std::memory_order_relaxed);
  uint64_t ways = rates_.count() == 0 ? 0 : (bucketed_ ? bucket : exact);
  if (counts) ways |= counted;
  uint64_t gate = gate_.load(std::memory_order_relaxed);
  uint64_t changed = 0;
  do {
    changed = (gate & ~(bucket | exact | counted | changes_mask)) | ways |
              ((gate + one_change) & changes_mask);
  } while (!gate_.compare_exchange_weak(gate, changed, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  closed_ns_.store(INT64_MIN, std::memory_order_relaxed);
  heaviest_.store(heaviest(), std::memory_order_relaxed);
}

// Under the mutex, or before anybody knows this limiter; no key is live. False without memory.
bool weir_limiter::configure_keys(int64_t now_ns) {
  bool counts = holds_permits();
  if (rates_.count() == 0 && !counts) return true;
  if (counts || rates_.count() > 1 || !weir::KeyTable::fits(rates_.rule(0))) {
    if (!entries_.init(max_keys_, rates_)) return false;
    key_table_.store(nullptr, std::memory_order_release);
    return true;
  }
  auto *table = heap()->make<weir::KeyTable>(heap());
  if (table == nullptr) return false;
  if (!table->init(max_keys_, evict_.load(std::memory_order_relaxed), rates_.rule(0), now_ns)) {
    heap()->destroy(table);
    return false;
  }
  table_.store(table, std::memory_order_release);
  key_table_.store(table, std::memory_order_release);
  return true;
}

// ---- changes ----

weir_status weir_limiter::check_change(const LimiterSettings &settings, weir_error **error) {
  weir::Check check("limiter", heap(), error);
  bool counts = holds_permits();
  check.rule(settings.rated == rated_, "permits cannot be turned on or off later")
      .rule(!rated_ || settings.rate.algorithm == rates_.rule(0).algorithm(),
            "algorithm cannot change")
      .rule(settings.max_keys == max_keys_, "max_keys cannot change")
      .rule(settings.by_priority == by_priority_, "queue_order cannot change")
      .rule(settings.adaptive.kind == adaptive_kind_, "adaptive cannot change")
      .rule(!keyed() || counts == (settings.max_concurrent >= 0),
            "max_concurrent of a keyed limiter cannot be turned on or off later");
  if (!check.ok() || !rated_ || key_table_.load(std::memory_order_relaxed) == nullptr) {
    return check.status();
  }
  weir::RateRule rule;
  rule.set(settings.rate, 0);
  if (weir::KeyTable::fits(rule)) return WEIR_OK;
  return weir::report(error, heap(), WEIR_ENOTSUP,
                      "limiter.burst times interval_ms is too large for a change of live keys");
}

// Under the mutex, the bucket parked. A limit is stored before the gate that makes it count.
void weir_limiter::apply(const LimiterSettings &settings) {
  max_queue_.store(settings.max_queue, std::memory_order_relaxed);
  queue_timeout_ns_.store(settings.queue_timeout_ns, std::memory_order_relaxed);
  early_release_.store(settings.early_release, std::memory_order_relaxed);
  evict_.store(settings.evict, std::memory_order_relaxed);
  if (weir::KeyTable *table = key_table_.load(std::memory_order_relaxed)) {
    table->set_evict(settings.evict);
  }
  int64_t limit = settings.max_concurrent;
  if (adaptive_kind_ != WEIR_ADAPTIVE_OFF) limit = adaptive_.limit();
  if (limit >= 0) limit_.store(limit, std::memory_order_release);
  generation_.store(adaptive_.generation(), std::memory_order_relaxed);
  configure_gate(limit >= 0);
}

// Under the mutex, the bucket parked. Returns since when the rule holds: it is read when nobody can
// be granted anything any more, and so not before any of the clock's times that somebody was.
int64_t weir_limiter::change_rate(const weir::RateOptions &rate) {
  weir::KeyTable *table = keyed() ? key_table_.load(std::memory_order_relaxed) : nullptr;
  if (table != nullptr) table->close();
  int64_t now_ns = runtime()->clock();
  weir::RateRule before = rates_.rule(0);
  rates_.change(rate, now_ns);
  if (!keyed()) {
    rates_.convert(states_, before, now_ns);
  } else if (table != nullptr) {
    table->convert(rates_.rule(0), now_ns);
  } else {
    entries_.convert(rates_, before, now_ns);
  }
  return now_ns;
}

weir_status weir_limiter::change(const LimiterSettings &settings, weir_error **error) {
  {
    Exact exact_rates(*this, runtime()->clock());
    weir_status status = check_change(settings, error);
    if (status != WEIR_OK) return status;
    if (rated_ && !rates_.rule(0).same(settings.rate)) {
      exact_rates.rule_changed(change_rate(settings.rate));
    }
    if (adaptive_kind_ != WEIR_ADAPTIVE_OFF) adaptive_.change(settings.adaptive);
    apply(settings);
  }
  wake_all();
  return WEIR_OK;
}

weir_status weir_limiter::add_rate(const weir::RateOptions &rate, int64_t now_ns,
                                   weir_error **error) {
  {
    Exact exact_rates(*this, now_ns);
    weir_status status = add_exactly(rate, now_ns, error);
    if (status != WEIR_OK) return status;
    exact_rates.rule_changed(now_ns);
  }
  wake_all();
  return WEIR_OK;
}

// Under the mutex, the bucket parked.
weir_status weir_limiter::add_exactly(const weir::RateOptions &rate, int64_t now_ns,
                                      weir_error **error) {
  if (rates_.count() == weir::rates_max) {
    return weir::report(error, heap(), WEIR_EFULL, "limiter has %u limits already",
                        weir::rates_max);
  }
  weir::KeyTable *table = key_table_.load(std::memory_order_relaxed);
  if (entries_.used() > 0 || (table != nullptr && table->used() > 0)) {
    return weir::report(error, heap(), WEIR_ENOTSUP,
                        "limiter has live keys: limits have to be added before");
  }
  rates_.add(rate, now_ns);
  if (keyed() && !configure_keys(now_ns)) {
    rates_.remove_last();
    return weir::report(error, heap(), WEIR_ENOMEM, "limiter has no memory for its keys");
  }
  rates_.begin_last(states_);
  configure_gate(holds_permits());
  return WEIR_OK;
}

void weir_limiter::pause() { gate_.fetch_or(paused, std::memory_order_acq_rel); }

void weir_limiter::resume() {
  gate_.fetch_and(~paused, std::memory_order_acq_rel);
  wake_all();
}
