// SPDX-License-Identifier: MIT
//
// The breaker's rows in the metrics; the form is explained in engine/metrics.hh.

#include <weir/breaker.h>

#include <cstddef>

#include "engine/metrics.hh"
#include "policy/breaker.hh"

namespace weir {
namespace {

constexpr MetricRow breaker_rows[] = {
    {offsetof(weir_breaker_stats, state), MetricField::u32_is, WEIR_BREAKER_CLOSED},
    {offsetof(weir_breaker_stats, state), MetricField::u32_is, WEIR_BREAKER_OPEN},
    {offsetof(weir_breaker_stats, state), MetricField::u32_is, WEIR_BREAKER_HALF_OPEN},
    {offsetof(weir_breaker_stats, state), MetricField::u32_is, WEIR_BREAKER_FORCED_OPEN},
    {offsetof(weir_breaker_stats, state), MetricField::u32_is, WEIR_BREAKER_FORCED_CLOSED},
    {offsetof(weir_breaker_stats, state), MetricField::u32_is, WEIR_BREAKER_METRICS_ONLY},
    {offsetof(weir_breaker_stats, succeeded), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, failed), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, ignored), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, stale), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, slow), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, rejected), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, times_opened), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, calls), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, failures), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, slow_calls), MetricField::u64, 0},
    {offsetof(weir_breaker_stats, missed_events), MetricField::u64, 0},
};

}  // namespace

constinit const MetricSource breaker_metrics = {
    "=breaker_state g 1 for the state that it is in.\n"
    "state=\"closed\"\nstate=\"open\"\nstate=\"half_open\"\n"
    "state=\"forced_open\"\nstate=\"forced_closed\"\nstate=\"metrics_only\"\n"
    "=breaker_calls c Calls reported, by how they were taken.\n"
    "result=\"success\"\nresult=\"failure\"\nresult=\"ignored\"\nresult=\"stale\"\n"
    "=breaker_slow_calls c Calls reported that were slow.\n\n"
    "=breaker_rejections c Calls refused.\n\n"
    "=breaker_openings c Changes to open.\n\n"
    "=breaker_window_calls g Calls that it judges by now, or that opened it.\n\n"
    "=breaker_window_failures g Of these, failures.\n\n"
    "=breaker_window_slow_calls g Of these, slow ones.\n\n"
    "=breaker_missed_changes c Changes of state that came too fast to be told.\n\n",
    breaker_rows, read_stats<weir_breaker, weir_breaker_stats, weir_breaker_get_stats>,
    sizeof(weir_breaker_stats)};

}  // namespace weir
