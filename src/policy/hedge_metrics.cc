// SPDX-License-Identifier: MIT
//
// The hedge's rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/hedge.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "policy/hedge.hh"

namespace weir {
namespace {

constexpr MetricRow hedge_rows[] = {
    {offsetof(weir_hedge_stats, started), MetricField::u64, 0},
    {offsetof(weir_hedge_stats, hedged), MetricField::u64, 0},
    {offsetof(weir_hedge_stats, won_by_hedge), MetricField::u64, 0},
    {offsetof(weir_hedge_stats, refused_by_budget), MetricField::u64, 0},
    {offsetof(weir_hedge_stats, delay_ns), MetricField::i64, 0},
};

}  // namespace

constinit const MetricSource hedge_metrics = {
    "=hedge_runs c Runs, or tries of a retry outside.\n\n"
    "=hedge_copies c Copies started.\n\n"
    "=hedge_wins c Runs that a copy won.\n\n"
    "=hedge_budget_refusals c Copies that the budget did not allow.\n\n"
    "=hedge_delay_seconds g What the next run waits before it starts a copy.\n\n",
    hedge_rows, read_stats<weir_hedge, weir_hedge_stats, weir_hedge_get_stats>,
    sizeof(weir_hedge_stats)};

}  // namespace weir
