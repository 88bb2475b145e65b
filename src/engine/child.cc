// SPDX-License-Identifier: MIT
#include "engine/child.hh"

#include <algorithm>

#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/policy.hh"
#include "engine/runtime.hh"
#include "engine/scope.hh"
#include "engine/value.hh"

namespace weir {

void check_nesting(Check &check, uint32_t nesting) {
  check.rule(nesting <= max_nesting, "operations must not nest deeper than %u (got %u)",
             max_nesting, nesting);
}

weir_status stopped_status(uint32_t reason) {
  switch (reason) {
    case WEIR_CANCEL_DEADLINE:
    case WEIR_CANCEL_TIMEOUT:
      return WEIR_ETIMEDOUT;
    case WEIR_CANCEL_SUPERSEDED:
      return WEIR_ESUPERSEDED;
    case WEIR_CANCEL_SHUTDOWN:
      return WEIR_ECLOSED;
    default:
      return WEIR_ECANCELLED;
  }
}

class ChildBuilder {
 public:
  ChildBuilder(Layer &parent, ChildDone done) : parent_(parent), run_(*parent.run), done_(done) {}

  // A run of `operation`, with `policy` (nullable) around it, less the outermost `skipped` layers.
  weir_call *make(weir_operation &operation, weir_policy *policy, uint32_t skipped);
  static void join(weir_call &child, weir_scope &scope);
  static void take_input(weir_call &child, weir_value *input, uint64_t index);
  static void begin(weir_call &child) { child.runtime_.post(child.task_); }
  static weir_call *start(Layer &parent, ChildDone done, const ChildStart &start);
  static void stop(weir_call &child, uint32_t reason) {
    child.child_.done = nullptr;
    child.stop(stopped_status(reason), reason);
  }
  static weir_call *copy(Layer &parent, ChildDone done, const CopyStart &start);

 private:
  void link(weir_call &child) const;

  Layer &parent_;
  weir_call &run_;
  ChildDone done_;
};

weir_call *ChildBuilder::make(weir_operation &operation, weir_policy *policy, uint32_t skipped) {
  weir_call *child = weir_call::make(operation, policy, 0, skipped, true);
  if (child == nullptr) return nullptr;
  operation.enter();
  if (policy != nullptr) policy->enter();
  link(*child);
  return child;
}

void ChildBuilder::link(weir_call &child) const {
  run_.hold();
  child.child_.parent = &parent_;
  child.child_.done = done_;
  child.child_.depth = run_.child_.depth + parent_.index + 1;
  child.request_ = run_.request_;
  child.request_.inner = nullptr;
  child.deadline_ns_ = run_.deadline_ns_;
  child.obligation_ = run_.obligation_;
}

void ChildBuilder::take_input(weir_call &child, weir_value *input, uint64_t index) {
  child.request_.input = ref_value(input);
  child.request_.index = index;
}

weir_call *ChildBuilder::copy(Layer &parent, ChildDone done, const CopyStart &start) {
  weir_call &run = *parent.run;
  ChildBuilder builder(parent, done);
  weir_call *child = builder.make(*run.operation_, run.policy_, run.skipped_ + parent.index + 1);
  if (child == nullptr) return nullptr;
  take_input(*child, run.request_.input, run.request_.index);
  child->request_.failed = run.request_.failed;
  child->request_.inner = run.request_.inner;
  if (child->request_.inner != nullptr) child->request_.inner->enter();
  if (child->request_.scope != nullptr) child->request_.scope->enter();
  child->deadline_ns_ = start.deadline_ns;
  child->obligation_ = start.obligation;
  child->attempts_ = child->child_.attempts_before = start.attempts_before;
  begin(*child);
  return child;
}

void ChildBuilder::join(weir_call &child, weir_scope &scope) {
  scope.admit_child();
  child.request_.scope = &scope;
  child.request_.in_scope = child.counted_ = true;
  child.deadline_ns_ = std::min(child.deadline_ns_, scope.deadline_ns());
}

weir_call *ChildBuilder::start(Layer &parent, ChildDone done, const ChildStart &start) {
  ChildBuilder builder(parent, done);
  weir_call *child = builder.make(*start.operation, start.policy, 0);
  if (child == nullptr) return nullptr;
  take_input(*child, start.input, start.index);
  child->request_.failed = start.failed;
  if (start.scope != nullptr) join(*child, *start.scope);
  if (child->request_.scope != nullptr) child->request_.scope->enter();
  begin(*child);
  return child;
}

weir_call *start_child(Layer &parent, ChildDone done, const ChildStart &start) {
  return ChildBuilder::start(parent, done, start);
}

weir_call *start_copy(Layer &parent, ChildDone done, const CopyStart &start) {
  return ChildBuilder::copy(parent, done, start);
}

void stop_child(weir_call &child, uint32_t reason) { ChildBuilder::stop(child, reason); }

}  // namespace weir
