// SPDX-License-Identifier: MIT
//
// Which layers must not be around one another: one row a rule. They are looked at wherever two
// plans come together: in a pipeline, around a wrapped operation, and in a run under a policy.
//
// Most plans hold nothing that any rule speaks of, so policies and operations say whether theirs
// does (`ruled`); most runs ask no more than that.

#pragma once

#include <weir/outcome.h>

#include <cstdint>

#include "engine/layer.hh"

namespace weir {

class Check;

// Where two plans come together. A run under a limiter that its operation has already is let in: it
// waits for itself until a timeout of its own or a full queue ends that, and the audit says why.
enum class PlanUse : uint8_t { build, run };

struct PlanRule {
  uint32_t outer;  // WEIR_POLICY_*
  uint32_t inner;
  PlanUse applies_to;  // run: to both
  bool (*broken)(const PlanEntry &outer, const PlanEntry &inner);
  char what[80];  // printed with what the inner layer is, and its name
};

bool is_same_policy(const PlanEntry &outer, const PlanEntry &inner);
// Two of one name that is not empty: nobody could tell which of them refused.
bool is_namesake(const PlanEntry &outer, const PlanEntry &inner);

bool is_any(const PlanEntry &outer, const PlanEntry &inner);

inline constexpr PlanRule plan_rules[] = {
    {WEIR_POLICY_BREAKER, WEIR_POLICY_BREAKER, PlanUse::build, is_same_policy,
     "the same %s '%s' twice"},
    {WEIR_POLICY_LIMITER, WEIR_POLICY_LIMITER, PlanUse::build, is_same_policy,
     "the same %s '%s' twice"},
    {WEIR_POLICY_BREAKER, WEIR_POLICY_BREAKER, PlanUse::run, is_namesake, "two %ss named '%s'"},
    {WEIR_POLICY_LIMITER, WEIR_POLICY_LIMITER, PlanUse::run, is_namesake, "two %ss named '%s'"},
    {WEIR_POLICY_HEDGE, WEIR_POLICY_FALLBACK, PlanUse::run, is_any,
     "a hedge around the %s '%s', which leaves nothing to hedge: put it outside"},
};

// Whether any rule speaks of this kind.
constexpr bool is_ruled(uint32_t kind) {
  for (const PlanRule &rule : plan_rules) {
    if (rule.outer == kind || rule.inner == kind) return true;
  }
  return false;
}

// Fails with "FIELD must not have the same limiter 'x' twice" or its like, if `inner` must not be
// inside of `outer`: policies or operations.
void find_objection(Check &check, const char *field, PlanUse use, const Plan &outer,
                    const Plan &inner);
template <typename Outer, typename Inner>
void check_order(Check &check, const char *field, PlanUse use, const Outer &outer,
                 const Inner &inner) {
  if (!outer.ruled || !inner.ruled) return;
  find_objection(check, field, use, outer.plan, inner.plan);
}

}  // namespace weir
