// SPDX-License-Identifier: MIT
//
// The inside of weir_sleep: an operation whose leaf is a timer. It starts no attempt that a user
// could complete, but counts as one in the outcome.

#pragma once

#include <weir/sleep.h>

#include "engine/operation.hh"

namespace weir {

struct Sleep : weir_operation {
  Sleep(weir_runtime *runtime, int64_t delay_ns, weir_status result_status,
        weir_value *result_value, weir_error *result_error);
  ~Sleep();

  int64_t sleep_ns;    // never_ns: until it is stopped
  weir_status status;  // what it settles with
  weir_value *value;   // one reference; nullable
  weir_error *error;   // one reference; NULL: the bare one of `status`
};

}  // namespace weir
