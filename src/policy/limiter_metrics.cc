// SPDX-License-Identifier: MIT
//
// The limiter's rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/limiter.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "policy/limiter.hh"

namespace weir {
namespace {

constexpr MetricRow limiter_rows[] = {
    {offsetof(weir_limiter_stats, granted), MetricField::u64, 0},
    {offsetof(weir_limiter_stats, refused), MetricField::u64, 0},
    {offsetof(weir_limiter_stats, timed_out), MetricField::u64, 0},
    {offsetof(weir_limiter_stats, queued), MetricField::u64, 0},
    {offsetof(weir_limiter_stats, concurrent), MetricField::i64, 0},
    {offsetof(weir_limiter_stats, limit), MetricField::i64, 0},
    {offsetof(weir_limiter_stats, available), MetricField::i64, 0},
    {offsetof(weir_limiter_stats, keys), MetricField::u64, 0},
    {offsetof(weir_limiter_stats, paused), MetricField::u32, 0},
};

}  // namespace

constinit const MetricSource limiter_metrics = {
    "=limiter_runs c Runs that were let through or refused.\n"
    "result=\"granted\"\nresult=\"refused\"\n"
    "=limiter_queue_timeouts c Runs refused after waiting.\n\n"
    "=limiter_queued_runs g Runs waiting.\n\n"
    "=limiter_held_permits g Permits held.\n\n"
    "=limiter_concurrency_limit g Permits that may be held at once.\n\n"
    "=limiter_available_permits g Permits of the rate that there are now.\n\n"
    "=limiter_live_keys g Keys that are not idle.\n\n"
    "=limiter_paused g 1 while it is paused.\n\n",
    limiter_rows, read_stats<weir_limiter, weir_limiter_stats, weir_limiter_get_stats>,
    sizeof(weir_limiter_stats)};

}  // namespace weir
