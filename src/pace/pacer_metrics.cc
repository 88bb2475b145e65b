// SPDX-License-Identifier: MIT
//
// The rows of debounces and throttles in the metrics; the form is explained in engine/metrics.hh.

#include <weir/pacing.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "pace/pacer.hh"

namespace weir {
namespace {

constexpr MetricRow pacer_rows[] = {
    {offsetof(weir_pacing_stats, calls), MetricField::u64, 0},
    {offsetof(weir_pacing_stats, runs), MetricField::u64, 0},
    {offsetof(weir_pacing_stats, superseded), MetricField::u64, 0},
    {offsetof(weir_pacing_stats, pending), MetricField::u64, 0},
    {offsetof(weir_pacing_stats, running), MetricField::u64, 0},
    {offsetof(weir_pacing_stats, keys), MetricField::u64, 0},
};

int32_t read_pacer(Handle &handle, void *stats) {
  return pacer_stats(static_cast<Pacer *>(&handle), static_cast<weir_pacing_stats *>(stats));
}

}  // namespace

constinit const MetricSource pacer_metrics = {
    "=pacer_calls c Calls of a debounce or throttle.\n\n"
    "=pacer_runs c Runs started for them.\n\n"
    "=pacer_superseded_calls c Calls that another replaced.\n\n"
    "=pacer_pending_calls g Calls that wait for a run to begin.\n\n"
    "=pacer_running_runs g Runs that have not settled.\n\n"
    "=pacer_active_keys g Keys that are not idle.\n\n",
    pacer_rows, read_pacer, sizeof(weir_pacing_stats)};

}  // namespace weir
