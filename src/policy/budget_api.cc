// SPDX-License-Identifier: MIT
//
// The budget's public functions.

#include <weir/budget.h>

#include "base/time.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"
#include "policy/budget.hh"

namespace weir {
namespace {

constexpr weir_budget_options budget_defaults = WEIR_BUDGET_OPTIONS_INIT;

constexpr int64_t day_ms = 24 * 60 * 60 * 1000;

// Windows from here on have slices of at least 640 ms, for which a clock that is 10 ms behind does.
constexpr int64_t coarse_window_ms = 6400;

weir_status check_budget(Check &check, const weir_budget_options &options) {
  return check.reserved(options.reserved)
      .real("ratio", options.ratio, 0, 1000)
      .real("min_per_second", options.min_per_second, 0, 1e6)
      .range("window_ms", options.window_ms, 10, day_ms)
      .status();
}

}  // namespace
}  // namespace weir

weir_budget::weir_budget(weir_runtime *runtime, const weir_budget_options &options)
    : Handle(runtime, weir::end_handle<weir_budget>),
      core(options.ratio, options.min_per_second, weir::ms_to_ns(options.window_ms)),
      window_ms_(options.window_ms),
      coarse_(options.window_ms >= weir::coarse_window_ms) {}

int64_t weir_budget::clock() const {
  return coarse_ ? runtime()->coarse_clock() : runtime()->clock();
}

void weir_budget_options_init(weir_budget_options *options, size_t size) {
  weir::init_options(options, size, weir::budget_defaults);
}

weir_status weir_budget_new(weir_runtime *runtime, const weir_budget_options *given,
                            weir_budget **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_budget_options options = weir::budget_defaults;
  weir_status status = weir::read_options(options, given, "budget", heap, error);
  if (status != WEIR_OK) return status;
  weir::Check check("budget", heap, error);
  check.required("runtime", runtime).required("out", out);
  status = weir::check_budget(check, options);
  if (status != WEIR_OK) return status;
  auto *budget = weir::make_handle<weir_budget>(heap, runtime, options);
  if (budget != nullptr && budget->set_name(options.name) &&
      weir::publish(*budget, weir::Metered::budget)) {
    *out = budget;
    return WEIR_OK;
  }
  weir::unref_handle(budget);
  return weir::report_no_memory(error, heap, "budget");
}

weir_status weir_budget_set_options(weir_budget *budget, const weir_budget_options *given,
                                    weir_error **error) {
  weir::Heap *heap = weir::heap_of(budget);
  weir_budget_options options = weir::budget_defaults;
  weir_status status = weir::read_new_options(options, given, "budget", heap, error);
  if (status != WEIR_OK) return status;
  weir::Check check("budget", heap, error);
  check.required("budget", budget)
      .rule(options.name == nullptr, "name cannot change (must be NULL)");
  weir::check_budget(check, options);
  if (!check.ok()) return check.status();
  check.rule(
      options.window_ms == budget->window_ms(), "window_ms cannot change (is %lld, got %lld)",
      static_cast<long long>(budget->window_ms()), static_cast<long long>(options.window_ms));
  if (check.ok()) budget->core.set_bounds(options.ratio, options.min_per_second);
  return check.status();
}

weir_budget *weir_budget_ref(weir_budget *budget) { return weir::ref_handle(budget); }

void weir_budget_unref(weir_budget *budget) { weir::unref_handle(budget); }

weir_status weir_budget_deposit(weir_budget *budget) {
  return budget == nullptr ? WEIR_EINVAL : weir_budget_deposit_at(budget, budget->clock());
}

weir_status weir_budget_deposit_at(weir_budget *budget, int64_t now_ns) {
  if (budget == nullptr) return WEIR_EINVAL;
  budget->core.deposit(now_ns);
  return WEIR_OK;
}

weir_status weir_budget_withdraw(weir_budget *budget) {
  return budget == nullptr ? WEIR_EINVAL : weir_budget_withdraw_at(budget, budget->clock());
}

weir_status weir_budget_withdraw_at(weir_budget *budget, int64_t now_ns) {
  if (budget == nullptr) return WEIR_EINVAL;
  return budget->core.withdraw(now_ns) ? WEIR_OK : WEIR_ELIMITED;
}

weir_status weir_budget_try_withdraw(weir_budget *budget, weir_rejection *rejection) {
  int64_t now_ns = budget == nullptr ? 0 : budget->clock();
  return weir_budget_try_withdraw_at(budget, rejection, now_ns);
}

weir_status weir_budget_try_withdraw_at(weir_budget *budget, weir_rejection *rejection,
                                        int64_t now_ns) {
  if (budget == nullptr) return WEIR_EINVAL;
  // Checks the size before anything is taken.
  if (rejection != nullptr && weir::write_sized(rejection, weir_rejection{}) != WEIR_OK) {
    return WEIR_EABI;
  }
  if (budget->core.withdraw(now_ns)) return WEIR_OK;
  if (rejection != nullptr) {
    weir::write_sized(rejection, budget->core.rejection(budget->name(), now_ns));
  }
  return WEIR_ELIMITED;
}

weir_status weir_budget_refund(weir_budget *budget) {
  return budget == nullptr ? WEIR_EINVAL : weir_budget_refund_at(budget, budget->clock());
}

weir_status weir_budget_refund_at(weir_budget *budget, int64_t now_ns) {
  if (budget == nullptr) return WEIR_EINVAL;
  budget->core.refund_oldest(now_ns);
  return WEIR_OK;
}

weir_status weir_budget_get_stats(weir_budget *budget, weir_budget_stats *stats) {
  if (budget == nullptr || stats == nullptr) return WEIR_EINVAL;
  const weir::Budget &core = budget->core;
  int64_t now_ns = budget->runtime()->clock();
  uint64_t withdrawn = core.withdrawn(now_ns);
  uint64_t allowed = core.allowed(now_ns);
  weir_budget_stats filled = {};
  filled.deposits = core.deposits(now_ns);
  filled.withdrawn = withdrawn;
  filled.refused = core.refused();
  filled.available = allowed > withdrawn ? static_cast<int64_t>(allowed - withdrawn) : 0;
  return weir::write_sized(stats, filled);
}
