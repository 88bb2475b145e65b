// SPDX-License-Identifier: MIT
//
// The inside of weir_operation: a handle with a plan whose last layer is the leaf, which does the
// work. Kinds of operations differ only in their leaf; wrapping puts a policy's layers before it.

#pragma once

#include <weir/operation.h>

#include "engine/callback.hh"
#include "engine/handle.hh"
#include "engine/layer.hh"
#include "engine/plan_rules.hh"

struct weir_operation : weir::Handle {
  // An operation whose plan is the one leaf `type`.
  weir_operation(weir_runtime *runtime, EndFn end, const weir::LayerType *type);

  weir::PlanEntry single;
  weir::Plan plan;
  // How many operations deep those lie that this one runs as children (engine/child.hh).
  uint32_t nesting = 0;
  bool ruled = false;  // engine/plan_rules.hh
};
