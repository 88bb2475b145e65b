// SPDX-License-Identifier: MIT
#include "engine/plan_rules.hh"

#include <cstdio>
#include <cstring>

#include "engine/handle.hh"
#include "engine/options.hh"

namespace weir {

bool is_same_policy(const PlanEntry &outer, const PlanEntry &inner) {
  return outer.owner == inner.owner;
}

bool is_namesake(const PlanEntry &outer, const PlanEntry &inner) {
  const char *name = inner.owner->name();
  return outer.owner != inner.owner && name[0] != '\0' &&
         std::strcmp(outer.owner->name(), name) == 0;
}

bool is_any(const PlanEntry &, const PlanEntry &) { return true; }

namespace {

const PlanRule *broken_rule(PlanUse use, const PlanEntry &outer, const PlanEntry &inner) {
  for (const PlanRule &rule : plan_rules) {
    bool applies = rule.outer == outer.type->kind && rule.inner == inner.type->kind &&
                   (use == PlanUse::build || rule.applies_to == PlanUse::run);
    if (applies && rule.broken(outer, inner)) return &rule;
  }
  return nullptr;
}

void check_layer(Check &check, const char *field, PlanUse use, const Plan &outer,
                 const PlanEntry &inner) {
  for (uint32_t i = 0; i < outer.count && check.ok(); ++i) {
    const PlanRule *rule = broken_rule(use, outer.entries[i], inner);
    if (rule == nullptr) continue;
    char what[192];
    std::snprintf(what, sizeof(what), rule->what, inner.type->name, inner.owner->name());
    check.rule(false, "%s must not have %s", field, what);
  }
}

}  // namespace

void find_objection(Check &check, const char *field, PlanUse use, const Plan &outer,
                    const Plan &inner) {
  for (uint32_t i = 0; i < inner.count && check.ok(); ++i) {
    check_layer(check, field, use, outer, inner.entries[i]);
  }
}

}  // namespace weir
