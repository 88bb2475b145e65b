// SPDX-License-Identifier: MIT
//
// How a kind of handle says what its numbers are: a table of rows into the public stats struct that
// its get_stats fills, and a text that names them. To add a kind: a value in Metered
// (engine/meters.hh), a MetricSource beside the pattern, its line in `sources` in metrics.cc, and
// publish() at the end of the pattern's creation.
//
// The text has a line for each family, and one for each row of it:
//
//   =breaker_calls c Reports, by class.     name without "weir_", c(ounter) or g(auge), help
//   result="success"                        the row's own label; an empty line: none
//   result="failure"
//
// A family whose name ends in _seconds has rows in nanoseconds. Label keys of rows are `result` and
// `state`; others have to be added to those that users may not set (meters.cc).

#pragma once

#include <cstdint>

#include "engine/handle.hh"

namespace weir {

enum class MetricField : uint8_t {
  u64,
  i64,  // negative: there is no such number now
  u32,
  u32_is,  // 1 if it is `match`, else 0
};

struct MetricRow {
  uint16_t offset;  // in the stats struct
  MetricField field;
  uint8_t match;
};

struct MetricSource {
  const char *text;
  const MetricRow *rows;
  // Fills the stats struct at `stats`, whose size is set. NULL: there is none.
  int32_t (*read)(Handle &handle, void *stats);
  uint32_t stats_size;
};

inline constexpr size_t largest_stats = 256;
inline constexpr size_t most_family_rows = 8;

// The read function of a get_stats.
template <typename T, typename Stats, int32_t (*GetStats)(T *, Stats *)>
int32_t read_stats(Handle &handle, void *stats) {
  static_assert(sizeof(Stats) <= largest_stats);
  return GetStats(static_cast<T *>(&handle), static_cast<Stats *>(stats));
}

extern const MetricSource breaker_metrics;
extern const MetricSource limiter_metrics;
extern const MetricSource retry_metrics;
extern const MetricSource timeout_metrics;
extern const MetricSource hedge_metrics;
extern const MetricSource fallback_metrics;
extern const MetricSource chaos_metrics;
extern const MetricSource budget_metrics;
extern const MetricSource cache_metrics;
extern const MetricSource flight_metrics;
extern const MetricSource pacer_metrics;
extern const MetricSource pool_metrics;

}  // namespace weir
