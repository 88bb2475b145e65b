// SPDX-License-Identifier: MIT
//
// The chaos's public functions, and what its options come to.

#include "policy/chaos.hh"

#include <cstring>

#include "base/time.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {
namespace {

using ChaosSet = LiveOptions<ChaosOptions>::Set;

constexpr weir_chaos_options chaos_defaults = WEIR_CHAOS_OPTIONS_INIT;
constexpr uint64_t most_phases = 65536;

bool is_rate(double rate) { return rate >= 0 && rate <= 1; }

void check_phase(Check &check, uint64_t index, const weir_chaos_phase &phase) {
  auto position = static_cast<unsigned long long>(index);
  auto from_ms = static_cast<long long>(phase.from_ms);
  check
      .rule(phase.from_ms >= 0, "phases[%llu].from_ms must be at least 0 (got %lld)", position,
            from_ms)
      .rule(phase.until_ms == WEIR_FOREVER || phase.until_ms > phase.from_ms,
            "phases[%llu].until_ms must be above from_ms, or -1 for forever (got %lld and %lld)",
            position, static_cast<long long>(phase.until_ms), from_ms)
      .rule(phase.what >= WEIR_CHAOS_LATENCY && phase.what <= WEIR_CHAOS_HANG,
            "phases[%llu].what must be from 1 to 4 (got %u)", position, phase.what)
      .rule(phase.reserved == 0, "phases[%llu].reserved must be 0 (got %u)", position,
            phase.reserved)
      .rule(is_rate(phase.rate), "phases[%llu].rate must be from 0 to 1 (got %g)", position,
            phase.rate);
}

void check_phases(Check &check, const weir_chaos_options &options) {
  auto count = static_cast<unsigned long long>(options.phases_count);
  check
      .rule(options.phases != nullptr || count == 0,
            "phases must not be NULL with a phases_count (got %llu)", count)
      .rule(count <= most_phases, "phases_count must be at most %llu (got %llu)",
            static_cast<unsigned long long>(most_phases), count);
  for (uint64_t i = 0; check.ok() && i < count; ++i) check_phase(check, i, options.phases[i]);
}

void check_chaos(Check &check, const weir_chaos_options &options) {
  double together = options.failure_rate + options.outcome_rate + options.hang_rate;
  check.range("enabled", options.enabled, 0, 1)
      .real("failure_rate", options.failure_rate, 0, 1)
      .real("outcome_rate", options.outcome_rate, 0, 1)
      .real("hang_rate", options.hang_rate, 0, 1)
      .rule(together <= 1 + 1e-9,
            "failure_rate, outcome_rate and hang_rate must be at most 1 together (got %g)",
            together)
      .real("latency_rate", options.latency_rate, 0, 1)
      .range("latency_min_ms", options.latency_min_ms, 0, max_ms)
      .range("latency_max_ms", options.latency_max_ms, 0, max_ms)
      .rule(options.latency_min_ms <= options.latency_max_ms,
            "latency_min_ms must not exceed latency_max_ms (got %lld and %lld)",
            static_cast<long long>(options.latency_min_ms),
            static_cast<long long>(options.latency_max_ms));
  check_phases(check, options);
}

// NULL without memory.
ChaosSet *make_chaos_set(const weir_chaos &chaos, const weir_chaos_options &options) {
  Heap *heap = chaos.heap();
  uint64_t seed = options.seed != 0 ? options.seed : chaos.runtime()->random().next();
  auto *set = heap->make<ChaosSet>(heap, options, seed);
  if (set == nullptr) return nullptr;
  if (set->options.complete(heap, chaos.name(), options)) return set;
  set->end();
  return nullptr;
}

bool holds_at(const weir_chaos_phase &phase, int64_t elapsed_ns) {
  return elapsed_ns >= ms_to_ns(phase.from_ms) &&
         (phase.until_ms == WEIR_FOREVER || elapsed_ns < ms_to_ns(phase.until_ms));
}

}  // namespace

ChaosOptions::ChaosOptions(const weir_chaos_options &options, uint64_t seed)
    : failure(ref_error(options.failure)),
      value(ref_value(options.value)),
      random_(seed),
      rates_{
          {0, options.latency_rate, options.failure_rate, options.outcome_rate, options.hang_rate}},
      latency_min_ns_(ms_to_ns(options.latency_min_ms)),
      latency_max_ns_(ms_to_ns(options.latency_max_ms)) {}

ChaosOptions::~ChaosOptions() {
  unref_error(failure);
  unref_value(value);
  if (phases_ != nullptr) heap_->free(phases_, phases_count_ * sizeof(weir_chaos_phase));
}

bool ChaosOptions::complete(Heap *heap, const char *name, const weir_chaos_options &options) {
  heap_ = heap;
  if (failure == nullptr) {
    report(&failure, heap, WEIR_EFAILED, "injected by chaos '%s'", name);
  }
  if (options.phases_count == 0) return true;
  size_t size = options.phases_count * sizeof(weir_chaos_phase);
  phases_ = static_cast<weir_chaos_phase *>(heap->allocate(size));
  if (phases_ == nullptr) return false;
  std::memcpy(phases_, options.phases, size);
  phases_count_ = options.phases_count;
  return true;
}

ChaosOptions::Rates ChaosOptions::rates_at(int64_t elapsed_ns) const {
  Rates rates = rates_;
  for (uint64_t i = 0; i < phases_count_; ++i) {
    const weir_chaos_phase &phase = phases_[i];
    if (holds_at(phase, elapsed_ns)) rates.of[phase.what] = phase.rate;
  }
  return rates;
}

// Always the same number of draws, so that changing one rate does not change what the others hit.
ChaosDraw ChaosOptions::draw(int64_t elapsed_ns) {
  Rates rates = rates_at(elapsed_ns);
  double what = random_.uniform();
  double whether_late = random_.uniform();
  double how_late = random_.uniform();
  ChaosDraw drawn = {0, -1};
  for (uint32_t kind = WEIR_CHAOS_FAILURE; drawn.what == 0 && kind <= WEIR_CHAOS_HANG; ++kind) {
    if (what < rates.of[kind]) drawn.what = kind;
    what -= rates.of[kind];
  }
  if (whether_late < rates.of[WEIR_CHAOS_LATENCY]) {
    auto span = static_cast<double>(latency_max_ns_ - latency_min_ns_);
    drawn.latency_ns = saturating_add(latency_min_ns_, static_cast<int64_t>(how_late * span));
  }
  return drawn;
}

}  // namespace weir

void weir_chaos::enable(bool on) {
  since_ns.store(on ? runtime()->clock() : off, std::memory_order_relaxed);
}

void weir_chaos_options_init(weir_chaos_options *options, size_t size) {
  weir::init_options(options, size, weir::chaos_defaults);
}

weir_status weir_chaos_new(weir_runtime *runtime, const weir_chaos_options *given, weir_chaos **out,
                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_chaos_options options = weir::chaos_defaults;
  weir_status status = weir::read_options(options, given, "chaos", heap, error);
  if (status != WEIR_OK) return status;
  weir::Check check("chaos", heap, error);
  check.required("runtime", runtime).required("out", out);
  weir::check_chaos(check, options);
  if (!check.ok()) return check.status();
  auto *chaos = weir::make_handle<weir_chaos>(heap, runtime);
  weir::ChaosSet *set = nullptr;
  if (chaos != nullptr && chaos->set_name(options.name)) {
    set = weir::make_chaos_set(*chaos, options);
  }
  if (set != nullptr) {
    chaos->live.begin(set);
    chaos->enable(options.enabled == 1);
    if (weir::publish(*chaos, weir::Metered::chaos)) {
      *out = chaos;
      return WEIR_OK;
    }
  }
  weir::unref_handle(chaos);
  return weir::report_no_memory(error, heap, "chaos");
}

weir_status weir_chaos_enable(weir_chaos *chaos, uint32_t enabled) {
  if (chaos == nullptr || enabled > 1) return WEIR_EINVAL;
  chaos->enable(enabled == 1);
  return WEIR_OK;
}

weir_status weir_chaos_set_options(weir_chaos *chaos, const weir_chaos_options *given,
                                   weir_error **error) {
  weir::Heap *heap = weir::heap_of(chaos);
  weir_chaos_options options = weir::chaos_defaults;
  weir_status status = weir::read_new_options(options, given, "chaos", heap, error);
  if (status != WEIR_OK) return status;
  weir::Check check("chaos", heap, error);
  check.required("chaos", chaos).rule(options.name == nullptr, "name cannot change (must be NULL)");
  weir::check_chaos(check, options);
  if (!check.ok()) return check.status();
  if (chaos->runtime()->forked()) {
    return weir::report_status(error, heap, WEIR_EFORKED, "chaos");
  }
  weir::ChaosSet *set = weir::make_chaos_set(*chaos, options);
  if (set == nullptr) return weir::report_no_memory(error, heap, "chaos");
  chaos->live.replace(*chaos->runtime(), set);
  return WEIR_OK;
}

weir_chaos *weir_chaos_ref(weir_chaos *chaos) { return weir::ref_handle(chaos); }

void weir_chaos_unref(weir_chaos *chaos) { weir::unref_handle(chaos); }

weir_policy *weir_chaos_policy(weir_chaos *chaos) { return chaos; }

weir_chaos *weir_policy_chaos(weir_policy *policy) {
  return weir::policy_as<weir_chaos>(policy, WEIR_POLICY_CHAOS);
}

weir_status weir_chaos_get_stats(weir_chaos *chaos, weir_chaos_stats *stats) {
  if (chaos == nullptr || stats == nullptr) return WEIR_EINVAL;
  auto injected = [&](uint32_t what) {
    return chaos->injected[what].load(std::memory_order_relaxed);
  };
  weir_chaos_stats filled = {};
  filled.enabled = chaos->since_ns.load(std::memory_order_relaxed) == weir_chaos::off ? 0 : 1;
  filled.drawn = chaos->drawn.load(std::memory_order_relaxed);
  filled.delayed = injected(WEIR_CHAOS_LATENCY);
  filled.failed = injected(WEIR_CHAOS_FAILURE);
  filled.outcomes = injected(WEIR_CHAOS_OUTCOME);
  filled.hung = injected(WEIR_CHAOS_HANG);
  return weir::write_sized(stats, filled);
}
