// SPDX-License-Identifier: MIT
//
// The retry's rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/retry.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "policy/retry.hh"

namespace weir {
namespace {

constexpr MetricRow retry_rows[] = {
    {offsetof(weir_retry_stats, calls), MetricField::u64, 0},
    {offsetof(weir_retry_stats, retries), MetricField::u64, 0},
    {offsetof(weir_retry_stats, succeeded_first), MetricField::u64, 0},
    {offsetof(weir_retry_stats, succeeded_later), MetricField::u64, 0},
    {offsetof(weir_retry_stats, gave_up), MetricField::u64, 0},
    {offsetof(weir_retry_stats, refused_by_budget), MetricField::u64, 0},
};

}  // namespace

constinit const MetricSource retry_metrics = {
    "=retry_calls c First attempts.\n\n"
    "=retry_retries c Attempts after the first.\n\n"
    "=retry_results c Calls that ended, by how.\n"
    "result=\"first\"\nresult=\"later\"\nresult=\"gave_up\"\n"
    "=retry_budget_refusals c Retries that the budget did not allow.\n\n",
    retry_rows, read_stats<weir_retry, weir_retry_stats, weir_retry_get_stats>,
    sizeof(weir_retry_stats)};

}  // namespace weir
