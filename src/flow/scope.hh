// SPDX-License-Identifier: MIT
//
// What the operations of scopes share; the scope itself is engine/scope.hh.

#pragma once

#include <weir/scope.h>

#include "engine/options.hh"

namespace weir {

// Defaults, and what is given, checked; but for the parent.
weir_status read_scope_options(weir_scope_options &options, const weir_scope_options *given,
                               Heap *heap, weir_error **error);

// A nullable key must be one.
void check_scope_key(Check &check, const char *key);

}  // namespace weir
