// SPDX-License-Identifier: MIT
//
// The chaos's rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/chaos.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "policy/chaos.hh"

namespace weir {
namespace {

constexpr MetricRow chaos_rows[] = {
    {offsetof(weir_chaos_stats, drawn), MetricField::u64, 0},
    {offsetof(weir_chaos_stats, delayed), MetricField::u64, 0},
    {offsetof(weir_chaos_stats, failed), MetricField::u64, 0},
    {offsetof(weir_chaos_stats, outcomes), MetricField::u64, 0},
    {offsetof(weir_chaos_stats, hung), MetricField::u64, 0},
    {offsetof(weir_chaos_stats, enabled), MetricField::u32, 0},
};

}  // namespace

constinit const MetricSource chaos_metrics = {
    "=chaos_runs c Runs that entered while it was on.\n\n"
    "=chaos_latencies c Of these, those that latency was injected into.\n\n"
    "=chaos_injections c What else was injected, by what.\n"
    "result=\"failure\"\nresult=\"outcome\"\nresult=\"hang\"\n"
    "=chaos_enabled g 1 while it is on.\n\n",
    chaos_rows, read_stats<weir_chaos, weir_chaos_stats, weir_chaos_get_stats>,
    sizeof(weir_chaos_stats)};

}  // namespace weir
