// SPDX-License-Identifier: MIT
//
// A breaker's options: defaults, and the rules that every set of them keeps, so that no breaker can
// be made that cannot open or cannot close.

#pragma once

#include <weir/breaker.h>

#include "base/heap.hh"

namespace weir {

// The numbers that only transitions and windows need; the others are atomics in the core.
struct BreakerRules {
  double failure_rate;
  double slow_call_rate;
  double reset_multiplier;
  int64_t reset_timeout_ns;
  int64_t max_reset_timeout_ns;
  int64_t trial_timeout_ns;
  uint32_t min_calls;
  uint8_t half_open_max_calls;
  uint8_t half_open_success_threshold;
  uint8_t half_open_failures;
};

weir_breaker_options default_breaker_options();

// WEIR_OK, or WEIR_EINVAL with a message that names field, rule and value.
weir_status check_breaker_options(const weir_breaker_options &options, Heap *heap,
                                  weir_error **error);

// Of options that were checked.
BreakerRules breaker_rules(const weir_breaker_options &options);

}  // namespace weir
