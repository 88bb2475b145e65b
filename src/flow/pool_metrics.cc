// SPDX-License-Identifier: MIT
//
// The pools' rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/pool.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "flow/pool.hh"

namespace weir {
namespace {

constexpr MetricRow pool_rows[] = {
    {offsetof(weir_pool_stats, added), MetricField::u64, 0},
    {offsetof(weir_pool_stats, waiting), MetricField::u64, 0},
    {offsetof(weir_pool_stats, running), MetricField::u64, 0},
    {offsetof(weir_pool_stats, succeeded), MetricField::u64, 0},
    {offsetof(weir_pool_stats, failed), MetricField::u64, 0},
};

}  // namespace

constinit const MetricSource pool_metrics = {
    "=pool_added c Operations added.\n\n"
    "=pool_waiting_operations g Of these, those not started.\n\n"
    "=pool_running_operations g Started and not settled.\n\n"
    "=pool_results c Settled, by how.\n"
    "result=\"success\"\nresult=\"failure\"\n",
    pool_rows, read_stats<weir_pool, weir_pool_stats, weir_pool_get_stats>,
    sizeof(weir_pool_stats)};

}  // namespace weir
