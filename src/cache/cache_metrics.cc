// SPDX-License-Identifier: MIT
//
// The rows of caches and single flights in the metrics; the form is explained in engine/metrics.hh.

#include <weir/cache.h>
#include <weir/flight.h>
#include <weir/metrics.h>

#include <cstddef>

#include "cache/cache.hh"
#include "cache/flight.hh"
#include "engine/metrics.hh"

namespace weir {
namespace {

constexpr MetricRow cache_rows[] = {
    {offsetof(weir_cache_stats, hits), MetricField::u64, 0},
    {offsetof(weir_cache_stats, misses), MetricField::u64, 0},
    {offsetof(weir_cache_stats, stale_hits), MetricField::u64, 0},
    {offsetof(weir_cache_stats, puts), MetricField::u64, 0},
    {offsetof(weir_cache_stats, refused), MetricField::u64, 0},
    {offsetof(weir_cache_stats, loads), MetricField::u64, 0},
    {offsetof(weir_cache_stats, load_failures), MetricField::u64, 0},
    {offsetof(weir_cache_stats, load_time_ns), MetricField::u64, 0},
    {offsetof(weir_cache_stats, expired), MetricField::u64, 0},
    {offsetof(weir_cache_stats, evicted), MetricField::u64, 0},
    {offsetof(weir_cache_stats, replaced), MetricField::u64, 0},
    {offsetof(weir_cache_stats, invalidated), MetricField::u64, 0},
    {offsetof(weir_cache_stats, cleared), MetricField::u64, 0},
    {offsetof(weir_cache_stats, entries), MetricField::u64, 0},
    {offsetof(weir_cache_stats, weight), MetricField::u64, 0},
    {offsetof(weir_cache_stats, loading), MetricField::u64, 0},
};

constexpr MetricRow flight_rows[] = {
    {offsetof(weir_flight_stats, calls), MetricField::u64, 0},
    {offsetof(weir_flight_stats, runs), MetricField::u64, 0},
    {offsetof(weir_flight_stats, shared), MetricField::u64, 0},
    {offsetof(weir_flight_stats, running), MetricField::u64, 0},
    {offsetof(weir_flight_stats, waiting), MetricField::u64, 0},
};

}  // namespace

constinit const MetricSource cache_metrics = {
    "=cache_lookups c Lookups and gets.\n"
    "result=\"hit\"\nresult=\"miss\"\n"
    "=cache_stale_hits c Gets served by what had expired.\n\n"
    "=cache_puts c Values stored.\n\n"
    "=cache_refusals c Values that were too heavy.\n\n"
    "=cache_loads c Loads begun.\n\n"
    "=cache_load_failures c Loads that failed.\n\n"
    "=cache_load_seconds c Time of all loads that ended.\n\n"
    "=cache_removals c Values that left, by why.\n"
    "result=\"expired\"\nresult=\"evicted\"\nresult=\"replaced\"\nresult=\"invalidated\"\n"
    "result=\"cleared\"\n"
    "=cache_entries g Values now, not yet swept ones included.\n\n"
    "=cache_weight g What they weigh.\n\n"
    "=cache_loading_keys g Keys being loaded.\n\n",
    cache_rows, read_stats<weir_cache, weir_cache_stats, weir_cache_get_stats>,
    sizeof(weir_cache_stats)};

constinit const MetricSource flight_metrics = {
    "=flight_calls c Calls.\n\n"
    "=flight_runs c Runs of the work begun.\n\n"
    "=flight_shared_calls c Calls that found one going on.\n\n"
    "=flight_running_runs g Runs of the work now.\n\n"
    "=flight_waiting_calls g Calls that have not settled.\n\n",
    flight_rows, read_stats<weir_flight, weir_flight_stats, weir_flight_get_stats>,
    sizeof(weir_flight_stats)};

}  // namespace weir

weir_status weir_cache_set_label(weir_cache *cache, const char *key, const char *value,
                                 weir_error **error) {
  return weir::set_label(cache, key, value, error);
}
