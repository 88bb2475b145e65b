// SPDX-License-Identifier: MIT
#include "policy/pipeline.hh"

#include <algorithm>

#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {
namespace {

using Policies = weir_policy *const *;

// An operation has as many at most (weir_policy_wrap), so no run has too many.
static_assert(WEIR_PIPELINE_MAX <= max_layers / 2);

uint64_t layer_count(Policies policies, size_t count) {
  uint64_t layers = 0;
  for (size_t i = 0; i < count; ++i) layers += policies[i]->plan.count;
  return layers;
}

// Layer `position` of the row, counted over all policies.
const PlanEntry &entry_at(Policies policies, uint32_t position) {
  while (position >= (*policies)->plan.count) position -= (*policies++)->plan.count;
  return (*policies)->plan.entries[position];
}

void check_pairs(Check &check, Policies policies, size_t count) {
  for (size_t later = 1; later < count; ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      check_order(check, "policies", PlanUse::build, *policies[earlier], *policies[later]);
    }
  }
}

weir_status check_members(weir_runtime *runtime, Policies policies, size_t count, Heap *heap,
                          weir_error **error) {
  Check check("pipeline", heap, error);
  for (size_t i = 0; i < count && check.ok(); ++i) {
    check.rule(policies[i] != nullptr, "policies[%zu] must not be NULL", i);
    if (!check.ok()) break;
    check.rule(policies[i]->runtime() == runtime, "policies[%zu] must be of the pipeline's runtime",
               i);
  }
  if (!check.ok()) return check.status();
  uint64_t layers = layer_count(policies, count);
  check.rule(layers <= WEIR_PIPELINE_MAX, "policies must be at most %d in all (got %llu)",
             WEIR_PIPELINE_MAX, static_cast<unsigned long long>(layers));
  if (check.ok()) check_pairs(check, policies, count);
  return check.status();
}

weir_status check_arguments(weir_runtime *runtime, Policies policies, size_t count,
                            weir_pipeline **out, Heap *heap, weir_error **error) {
  Check check("pipeline", heap, error);
  check.required("runtime", runtime)
      .required("out", out)
      .required("policies", policies)
      .rule(count >= 1 && count <= WEIR_PIPELINE_MAX, "count must be from 1 to %d (got %zu)",
            WEIR_PIPELINE_MAX, count);
  if (!check.ok()) return check.status();
  return check_members(runtime, policies, count, heap, error);
}

}  // namespace
}  // namespace weir

weir_pipeline::weir_pipeline(weir_runtime *runtime)
    : weir_policy(runtime, weir::end_handle<weir_pipeline>, WEIR_POLICY_PIPELINE, nullptr) {
  plan = {};
}

weir_pipeline::~weir_pipeline() {
  for (uint32_t i = 0; i < member_count_; ++i) members_[i]->unref();
  if (entries_ != nullptr) heap()->free(entries_, sizeof(weir::PlanEntry) * plan.count);
}

bool weir_pipeline::complete(weir_policy *const *policies, uint32_t count, const char *name) {
  if (!set_name(name)) return false;
  auto layers = static_cast<uint32_t>(weir::layer_count(policies, count));
  void *memory = heap()->allocate(sizeof(weir::PlanEntry) * layers);
  if (memory == nullptr) return false;
  entries_ = static_cast<weir::PlanEntry *>(memory);
  plan = {entries_, layers};
  for (uint32_t i = 0; i < layers; ++i) {
    const weir::PlanEntry &entry = weir::entry_at(policies, i);
    entries_[i] = {entry.type, entry.owner, plan.state_size};
    plan.state_size += entry.type->state_size;
  }
  for (; member_count_ < count; ++member_count_) {
    weir_policy *member = policies[member_count_];
    members_[member_count_] = weir::ref_handle(member);
    nesting = std::max(nesting, member->nesting);
    ruled = ruled || member->ruled;
  }
  return true;
}

weir_status weir_pipeline_new(weir_runtime *runtime, weir_policy *const *policies, size_t count,
                              const char *name, weir_pipeline **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_status status = weir::check_arguments(runtime, policies, count, out, heap, error);
  if (status != WEIR_OK) return status;
  auto *pipeline = weir::make_handle<weir_pipeline>(heap, runtime);
  if (pipeline != nullptr && pipeline->complete(policies, static_cast<uint32_t>(count), name)) {
    *out = pipeline;
    return WEIR_OK;
  }
  weir::unref_handle(pipeline);
  return weir::report_no_memory(error, heap, "pipeline");
}

weir_pipeline *weir_pipeline_ref(weir_pipeline *pipeline) { return weir::ref_handle(pipeline); }

void weir_pipeline_unref(weir_pipeline *pipeline) { weir::unref_handle(pipeline); }

weir_policy *weir_pipeline_policy(weir_pipeline *pipeline) { return pipeline; }

weir_pipeline *weir_policy_pipeline(weir_policy *policy) {
  return weir::policy_as<weir_pipeline>(policy, WEIR_POLICY_PIPELINE);
}
