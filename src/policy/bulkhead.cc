// SPDX-License-Identifier: MIT
//
// A convenience: the arguments become a limiter's options, and what is wrong with them is said in
// the caller's own words.

#include <weir/bulkhead.h>

#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

weir_status weir_bulkhead_new(weir_runtime *runtime, int64_t max_concurrent, int64_t queue_limit,
                              const char *name, weir_limiter **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir_status status = weir::Check("bulkhead", weir::heap_of(runtime), error)
                           .required("runtime", runtime)
                           .required("out", out)
                           .range("max_concurrent", max_concurrent, 1, INT32_MAX)
                           .range_or("queue_limit", queue_limit, 0, INT64_MAX, "unlimited")
                           .status();
  if (status != WEIR_OK) return status;
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = max_concurrent;
  options.max_queue = queue_limit;
  options.name = name;
  return weir_limiter_new(runtime, &options, out, error);
}
