// SPDX-License-Identifier: MIT
//
// The budget's rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/budget.h>
#include <weir/metrics.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "policy/budget.hh"

namespace weir {
namespace {

constexpr MetricRow budget_rows[] = {
    {offsetof(weir_budget_stats, deposits), MetricField::u64, 0},
    {offsetof(weir_budget_stats, withdrawn), MetricField::u64, 0},
    {offsetof(weir_budget_stats, available), MetricField::i64, 0},
    {offsetof(weir_budget_stats, refused), MetricField::u64, 0},
};

}  // namespace

constinit const MetricSource budget_metrics = {
    "=budget_window_attempts g First attempts in the window.\n\n"
    "=budget_window_retries g Retries in the window.\n\n"
    "=budget_available_retries g Retries that would be allowed now.\n\n"
    "=budget_refusals c Retries refused.\n\n",
    budget_rows, read_stats<weir_budget, weir_budget_stats, weir_budget_get_stats>,
    sizeof(weir_budget_stats)};

}  // namespace weir

weir_status weir_budget_set_label(weir_budget *budget, const char *key, const char *value,
                                  weir_error **error) {
  return weir::set_label(budget, key, value, error);
}
