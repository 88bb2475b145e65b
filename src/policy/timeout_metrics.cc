// SPDX-License-Identifier: MIT
//
// The timeout's rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/timeout.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "policy/timeout.hh"

namespace weir {
namespace {

constexpr MetricRow timeout_rows[] = {
    {offsetof(weir_timeout_stats, started), MetricField::u64, 0},
    {offsetof(weir_timeout_stats, timed_out), MetricField::u64, 0},
};

}  // namespace

constinit const MetricSource timeout_metrics = {
    "=timeout_runs c Runs, or tries of a retry outside.\n\n"
    "=timeout_timeouts c Of these, those that it cut off.\n\n",
    timeout_rows, read_stats<weir_timeout, weir_timeout_stats, weir_timeout_get_stats>,
    sizeof(weir_timeout_stats)};

}  // namespace weir
