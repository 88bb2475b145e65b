// SPDX-License-Identifier: MIT
//
// The hedge's public functions.

#include "policy/hedge.hh"

#include "base/time.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"
#include "policy/budget.hh"

namespace weir {
namespace {

constexpr weir_hedge_options hedge_defaults = WEIR_HEDGE_OPTIONS_INIT;

// What the macro leaves in delay_ms, so that forgetting it is found.
constexpr int64_t untouched_delay_ms = -2;

bool is_measured(const weir_hedge_options &options) { return options.quantile != WEIR_OFF; }

void check_hedge(Check &check, const weir_hedge_options &options, const weir_runtime *runtime) {
  auto delay_ms = static_cast<long long>(options.delay_ms);
  bool inside = options.quantile > 0 && options.quantile < 1;
  check.range("max_hedges", options.max_hedges, 1, WEIR_HEDGE_MAX)
      .rule(!is_measured(options) || inside,
            "quantile must be above 0 and below 1, or -1 for off (got %g)", options.quantile)
      .rule(is_measured(options) || options.delay_ms >= 0,
            "delay_ms is required without a quantile: at least 0 (got %lld)", delay_ms)
      .rule(options.delay_ms >= untouched_delay_ms,
            "delay_ms must be at least 0, or -1 for off beside a quantile (got %lld)", delay_ms)
      .rule(options.budget == nullptr || runtime == nullptr || options.budget->runtime() == runtime,
            "budget must be of the same runtime");
  check_failures(check, options.failures, options.failures_count);
}

using HedgeSet = LiveOptions<HedgeOptions>::Set;

// NULL without memory.
HedgeSet *make_hedge_set(weir_hedge &hedge, const weir_hedge_options &options,
                         Callback<weir_classify_fn> &&classify) {
  Heap *heap = hedge.heap();
  auto *set = heap->make<HedgeSet>(heap, options);
  if (set == nullptr) return nullptr;
  if (!set->options.classifier.set(heap, std::move(classify), options.failures,
                                   options.failures_count)) {
    set->end();
    return nullptr;
  }
  hedge.shown_delay_ns.store(set->options.delay_ns, std::memory_order_relaxed);
  hedge.shown_measures.store(set->options.measures, std::memory_order_relaxed);
  return set;
}

}  // namespace

HedgeOptions::HedgeOptions(const weir_hedge_options &options)
    : max_hedges(options.max_hedges),
      delay_ns(options.delay_ms < 0 ? never_ns : ms_to_ns(options.delay_ms)),
      quantile(options.quantile),
      measures(is_measured(options)),
      judges(options.classify != nullptr),
      budget(ref_handle(options.budget)) {}

HedgeOptions::~HedgeOptions() { unref_handle(budget); }

}  // namespace weir

void weir_hedge_options_init(weir_hedge_options *options, size_t size) {
  weir::init_options(options, size, weir::hedge_defaults);
}

weir_status weir_hedge_new(weir_runtime *runtime, const weir_hedge_options *given, weir_hedge **out,
                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_hedge_options options = weir::hedge_defaults;
  weir_status status = weir::read_options(options, given, "hedge", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_classify_fn> classify(options.classify, options.classify_data,
                                            options.classify_free_data);
  weir::Check check("hedge", heap, error);
  check.required("runtime", runtime).required("out", out);
  weir::check_hedge(check, options, runtime);
  if (!check.ok()) return check.status();
  auto *hedge = weir::make_handle<weir_hedge>(heap, runtime);
  weir::HedgeSet *set = nullptr;
  if (hedge != nullptr && hedge->set_name(options.name)) {
    set = weir::make_hedge_set(*hedge, options, std::move(classify));
  }
  if (set != nullptr) {
    hedge->live.begin(set);
    if (weir::publish(*hedge, weir::Metered::hedge)) {
      *out = hedge;
      return WEIR_OK;
    }
  }
  weir::unref_handle(hedge);
  return weir::report_no_memory(error, heap, "hedge");
}

weir_status weir_hedge_set_options(weir_hedge *hedge, const weir_hedge_options *given,
                                   weir_error **error) {
  weir::Heap *heap = weir::heap_of(hedge);
  weir_hedge_options options = weir::hedge_defaults;
  weir_status status = weir::read_new_options(options, given, "hedge", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_classify_fn> classify(options.classify, options.classify_data,
                                            options.classify_free_data);
  weir::Check check("hedge", heap, error);
  check.required("hedge", hedge).rule(options.name == nullptr, "name cannot change (must be NULL)");
  weir::check_hedge(check, options, hedge == nullptr ? nullptr : hedge->runtime());
  if (!check.ok()) return check.status();
  if (hedge->runtime()->forked()) return weir::report_status(error, heap, WEIR_EFORKED, "hedge");
  auto *set = weir::make_hedge_set(*hedge, options, std::move(classify));
  if (set == nullptr) return weir::report_no_memory(error, heap, "hedge");
  hedge->live.replace(*hedge->runtime(), set);
  return WEIR_OK;
}

weir_hedge *weir_hedge_ref(weir_hedge *hedge) { return weir::ref_handle(hedge); }

void weir_hedge_unref(weir_hedge *hedge) { weir::unref_handle(hedge); }

weir_policy *weir_hedge_policy(weir_hedge *hedge) { return hedge; }

weir_status weir_hedge_get_stats(weir_hedge *hedge, weir_hedge_stats *stats) {
  if (hedge == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_hedge_stats filled = {};
  filled.started = hedge->started.load(std::memory_order_relaxed);
  filled.hedged = hedge->hedged.load(std::memory_order_relaxed);
  filled.won_by_hedge = hedge->won_by_hedge.load(std::memory_order_relaxed);
  filled.refused_by_budget = hedge->refused_by_budget.load(std::memory_order_relaxed);
  bool measures = hedge->shown_measures.load(std::memory_order_relaxed);
  int64_t delay_ns = measures ? hedge->latency.delay_ns() : -1;
  if (delay_ns < 0) delay_ns = hedge->shown_delay_ns.load(std::memory_order_relaxed);
  filled.delay_ns = delay_ns == weir::never_ns ? -1 : delay_ns;
  filled.samples = hedge->latency.samples();
  return weir::write_sized(stats, filled);
}
