// SPDX-License-Identifier: MIT
//
// The inside of weir_policy: a handle with a plan. A plan is the row of layers that a run passes
// through, outermost first, with the place of each layer's state in the run's block. A plain policy
// is a plan of one layer; a pipeline and a wrapped operation put several plans in a row.

#pragma once

#include <weir/policy.h>
#include <weir/runtime.h>

#include "engine/callback.hh"
#include "engine/handle.hh"
#include "engine/layer.hh"
#include "engine/plan_rules.hh"

namespace weir {

// Judges outcomes as a policy's options say: callback, or list of error ranges, or what the
// completer attached, or the table in weir/status.h. Immutable once set up; any thread.
class Classifier {
 public:
  Classifier() = default;
  Classifier(const Classifier &) = delete;
  Classifier &operator=(const Classifier &) = delete;
  ~Classifier();

  // Takes the callback triple; copies the ranges (not NULL if there are any). False without memory
  // (the triple is then freed with this object).
  bool set(Heap *heap, Callback<weir_classify_fn> callback, const weir_error_range *ranges,
           uint64_t range_count);

  // Never WEIR_CLASS_NONE.
  uint32_t judge(const weir_outcome &outcome) const;

 private:
  bool counts(const weir_error *error) const;

  Callback<weir_classify_fn> callback_;
  Heap *heap_ = nullptr;
  weir_error_range *ranges_ = nullptr;
  uint64_t range_count_ = 0;
};

// The policy as its own type, NULL if it is of another kind.
template <typename T>
T *policy_as(weir_policy *policy, uint32_t kind);

// `inner` behind `outer` in one row, which is freed with free_plan; false without memory.
bool join_plans(Heap *heap, const Plan &outer, const Plan &inner, Plan &joined);
void free_plan(Heap *heap, const Plan &joined);

class Check;

// The rules of a list of error ranges among a policy's options.
void check_failures(Check &check, const weir_error_range *ranges, uint64_t range_count);

// A kind of policy in a word or two: "breaker".
const char *policy_kind_text(uint32_t kind);

// The event that a policy tells.
weir_event event_of(uint32_t kind, const weir_policy &policy);

// Tells of run.rejection(), which `policy` has just put there. Cold: behind runtime.tells().
void tell_refusal(const weir_call &run, const weir_policy &policy);

// Tells that a time of `policy` is over. Cold, as tell_refusal().
void tell_timeout(const weir_call &run, const weir_policy &policy, int64_t time_ns);

// The class by the table alone.
uint32_t default_class(const weir_outcome &outcome);

}  // namespace weir

struct weir_policy : weir::Handle {
  // A policy of one layer.
  weir_policy(weir_runtime *runtime, EndFn end, uint32_t policy_kind, const weir::LayerType *type);

  uint16_t kind;
  bool ruled;           // engine/plan_rules.hh
  uint8_t nesting = 0;  // as an operation's; in the hole that these three fill
  weir::PlanEntry single;
  weir::Plan plan;
};

template <typename T>
T *weir::policy_as(weir_policy *policy, uint32_t kind) {
  return policy != nullptr && policy->kind == kind ? static_cast<T *>(policy) : nullptr;
}
