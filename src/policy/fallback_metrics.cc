// SPDX-License-Identifier: MIT
//
// The fallback's rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/fallback.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "policy/fallback.hh"

namespace weir {
namespace {

constexpr MetricRow fallback_rows[] = {
    {offsetof(weir_fallback_stats, started), MetricField::u64, 0},
    {offsetof(weir_fallback_stats, fell_back), MetricField::u64, 0},
    {offsetof(weir_fallback_stats, failed), MetricField::u64, 0},
};

}  // namespace

constinit const MetricSource fallback_metrics = {
    "=fallback_runs c Runs, or tries of a retry outside.\n\n"
    "=fallback_served c Of these, those it stepped in for.\n\n"
    "=fallback_failures c Of these, those whose operation did not succeed.\n\n",
    fallback_rows, read_stats<weir_fallback, weir_fallback_stats, weir_fallback_get_stats>,
    sizeof(weir_fallback_stats)};

}  // namespace weir
