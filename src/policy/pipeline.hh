// SPDX-License-Identifier: MIT
//
// The inside of weir_pipeline: the layers of its policies in one row. A pipeline in a pipeline is
// laid out flat, so depth costs a run nothing. The policies given are kept by references of the
// pipeline's.

#pragma once

#include <weir/pipeline.h>

#include "engine/policy.hh"

struct weir_pipeline : weir_policy {
  explicit weir_pipeline(weir_runtime *runtime);
  ~weir_pipeline();

  // The part of making one that can fail; false without memory. The policies were checked.
  bool complete(weir_policy *const *policies, uint32_t count, const char *name);

 private:
  weir_policy *members_[WEIR_PIPELINE_MAX] = {};  // one reference each
  uint32_t member_count_ = 0;
  weir::PlanEntry *entries_ = nullptr;  // plan.count of them
};
