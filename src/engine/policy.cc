// SPDX-License-Identifier: MIT
#include "engine/policy.hh"

#include <algorithm>
#include <cstring>

#include "engine/error.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/outcome.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"

namespace weir {

namespace {

// So that a number that is none is found before memory is asked for.
constexpr uint64_t most_ranges = 65536;

void check_range(Check &check, uint64_t index, const weir_error_range &range) {
  auto position = static_cast<unsigned long long>(index);
  check
      .rule(range.code_min <= range.code_max,
            "failures[%llu] must have code_min up to code_max (got %lld and %lld)", position,
            static_cast<long long>(range.code_min), static_cast<long long>(range.code_max))
      .rule(range.reserved == 0, "failures[%llu].reserved must be 0 (got %u)", position,
            range.reserved);
}

}  // namespace

void check_failures(Check &check, const weir_error_range *ranges, uint64_t range_count) {
  auto count = static_cast<unsigned long long>(range_count);
  bool readable = ranges != nullptr && range_count <= most_ranges;
  check
      .rule(ranges != nullptr || range_count == 0,
            "failures must not be NULL with a failures_count (got %llu)", count)
      .rule(range_count <= most_ranges, "failures_count must be at most %llu (got %llu)",
            static_cast<unsigned long long>(most_ranges), count);
  for (uint64_t i = 0; readable && i < range_count; ++i) check_range(check, i, ranges[i]);
}

Classifier::~Classifier() {
  if (ranges_ != nullptr) heap_->free(ranges_, range_count_ * sizeof(weir_error_range));
}

bool Classifier::set(Heap *heap, Callback<weir_classify_fn> callback,
                     const weir_error_range *ranges, uint64_t range_count) {
  heap_ = heap;
  callback_ = static_cast<Callback<weir_classify_fn> &&>(callback);
  if (range_count == 0) return true;
  size_t size = range_count * sizeof(weir_error_range);
  ranges_ = static_cast<weir_error_range *>(heap->allocate(size));
  if (ranges_ == nullptr) return false;
  std::memcpy(ranges_, ranges, size);
  range_count_ = range_count;
  return true;
}

bool Classifier::counts(const weir_error *error) const {
  int64_t code = weir_error_code(error);
  for (const weir_error_range *range = ranges_; range != ranges_ + range_count_; ++range) {
    if (range->domain == weir_error_domain(error) && code >= range->code_min &&
        code <= range->code_max) {
      return true;
    }
  }
  return false;
}

uint32_t Classifier::judge(const weir_outcome &outcome) const {
  if (callback_) {
    uint32_t judged = callback_(&outcome);
    if (judged > WEIR_CLASS_NONE && judged <= WEIR_CLASS_ABANDON) return judged;
  }
  if (ranges_ != nullptr && outcome.status == WEIR_EFAILED) {
    return counts(outcome.error) ? WEIR_CLASS_FAILURE : WEIR_CLASS_IGNORE;
  }
  if (outcome.class_ != WEIR_CLASS_NONE) return outcome.class_;
  return default_class(outcome);
}

const char *policy_kind_text(uint32_t kind) {
  static constexpr char texts[][9] = {"policy",   "retry",  "breaker", "limiter",  "timeout",
                                      "pipeline", "budget", "hedge",   "fallback", "chaos"};
  return texts[kind < sizeof(texts) / sizeof(texts[0]) ? kind : 0];
}

weir_event event_of(uint32_t kind, const weir_policy &policy) {
  weir_event event = {};
  event.kind = kind;
  event.name = policy.name();
  event.policy = &policy;
  return event;
}

[[gnu::cold]] void tell_refusal(const weir_call &run, const weir_policy &policy) {
  const weir_rejection &rejection = run.rejection();
  weir_event event = event_of(WEIR_EVENT_REFUSAL, policy);
  event.status = rejection.status;
  event.reason = rejection.reason;
  event.delay_ns = rejection.retry_after_ns;
  event.rejection = &rejection;
  run.runtime().emit(event);
}

[[gnu::cold]] void tell_timeout(const weir_call &run, const weir_policy &policy, int64_t time_ns) {
  weir_event event = event_of(WEIR_EVENT_TIMEOUT, policy);
  event.status = WEIR_ETIMEDOUT;
  event.delay_ns = time_ns;
  run.runtime().emit(event);
}

uint32_t default_class(const weir_outcome &outcome) {
  if (outcome.channel == WEIR_CHANNEL_VALUE) return WEIR_CLASS_SUCCESS;
  if (outcome.channel == WEIR_CHANNEL_STOPPED) return WEIR_CLASS_ABANDON;
  return is_refusal(outcome.status) ? WEIR_CLASS_REFUSAL : WEIR_CLASS_FAILURE;
}

bool join_plans(Heap *heap, const Plan &outer, const Plan &inner, Plan &joined) {
  uint32_t count = outer.count + inner.count;
  auto *entries = static_cast<PlanEntry *>(heap->allocate(count * sizeof(PlanEntry)));
  if (entries == nullptr) return false;
  std::memcpy(entries, outer.entries, outer.count * sizeof(PlanEntry));
  for (uint32_t i = 0; i < inner.count; ++i) {
    entries[outer.count + i] = inner.entries[i];
    entries[outer.count + i].offset += outer.state_size;
  }
  joined = {entries, count, outer.state_size + inner.state_size};
  return true;
}

void free_plan(Heap *heap, const Plan &joined) {
  if (joined.entries == nullptr) return;
  heap->free(const_cast<PlanEntry *>(joined.entries), joined.count * sizeof(PlanEntry));
}

namespace {

// A policy around an operation: its plan is the policy's and then the operation's.
struct WrappedOperation : weir_operation {
  WrappedOperation(weir_policy &outer, weir_operation &inner)
      : weir_operation(inner.runtime(), end_handle<WrappedOperation>, nullptr),
        policy(ref_handle(&outer)),
        operation(ref_handle(&inner)) {
    nesting = std::max<uint32_t>(outer.nesting, inner.nesting);
    ruled = outer.ruled || inner.ruled;
    plan = {};
  }
  ~WrappedOperation() {
    free_plan(heap(), plan);
    policy->unref();
    operation->unref();
  }

  weir_policy *policy;
  weir_operation *operation;
};

}  // namespace
}  // namespace weir

weir_policy::weir_policy(weir_runtime *runtime, EndFn end, uint32_t policy_kind,
                         const weir::LayerType *type)
    : Handle(runtime, end),
      kind(static_cast<uint16_t>(policy_kind)),
      ruled(type != nullptr && weir::is_ruled(type->kind)),
      single{type, this, 0} {
  plan = {&single, 1, type == nullptr ? 0 : type->state_size};
}

weir_policy *weir_policy_ref(weir_policy *policy) { return weir::ref_handle(policy); }

void weir_policy_unref(weir_policy *policy) { weir::unref_handle(policy); }

uint32_t weir_policy_kind(const weir_policy *policy) {
  return policy == nullptr ? uint32_t{WEIR_POLICY_NONE} : policy->kind;
}

const char *weir_policy_name(const weir_policy *policy) {
  return policy == nullptr ? "" : policy->name();
}

weir_status weir_policy_wrap(weir_policy *policy, weir_operation *operation, weir_operation **out,
                             weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(policy);
  weir::Check check("wrap", heap, error);
  check.required("policy", policy).required("operation", operation).required("out", out);
  if (!check.ok()) return check.status();
  uint32_t layers = policy->plan.count + operation->plan.count;
  check.rule(policy->runtime() == operation->runtime(), "policy must be of the operation's runtime")
      .rule(layers <= weir::max_layers / 2, "policy makes too many layers (%u, at most %u)", layers,
            weir::max_layers / 2);
  weir::check_order(check, "policy and operation", weir::PlanUse::build, *policy, *operation);
  if (!check.ok()) return check.status();
  auto *wrapped = weir::make_handle<weir::WrappedOperation>(heap, *policy, *operation);
  if (wrapped == nullptr || !weir::join_plans(heap, policy->plan, operation->plan, wrapped->plan)) {
    weir::unref_handle(wrapped);
    return weir::report_no_memory(error, heap, "wrap");
  }
  *out = wrapped;
  return WEIR_OK;
}
