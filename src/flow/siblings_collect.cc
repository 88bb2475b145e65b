// SPDX-License-Identifier: MIT
#include "flow/siblings_collect.hh"

#include <weir/pipeline.h>
#include <weir/timeout.h>

#include "engine/policy.hh"
#include "engine/runtime.hh"

namespace weir {
namespace {

Collector &collector_of(const Siblings &state) {
  return static_cast<Collector &>(state.operation());
}

// ---- an item ends ----

weir_outcome unstarted_outcome(const Result &result) {
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  outcome.channel = result.channel;
  outcome.status = result.status;
  outcome.stop_reason = result.stop_reason;
  outcome.error = result.error;
  return outcome;
}

// Of an item that no child has a record for.
struct ItemRecord : Record {
  explicit ItemRecord(Heap *given) : Record(drained_by), heap(given->retain()) {}
  static void drained_by(Record &record, bool kept) {
    auto *item = static_cast<ItemRecord *>(&record);
    if (!kept) drop_shown(item->content);
    Heap *heap = item->heap;
    heap->destroy(item);
    heap->release();
  }
  Heap *heap;
};

// Without memory for a record the whole ends: nothing is left untold.
[[gnu::cold]] void post_item(Siblings &state, const Ending &ending) {
  Collector &collector = collector_of(state);
  uint64_t user = collector.user;
  if (user == WEIR_USER_OF_RUN) user = reinterpret_cast<uintptr_t>(state.run->request().context);
  if (ending.child != nullptr) {
    ending.child->post_item(*collector.queue, user);
    return;
  }
  auto *record = collector.heap()->make<ItemRecord>(collector.heap());
  if (record == nullptr) {
    decide_no_memory(state);
    return;
  }
  record->content.kind = WEIR_RECORD_ITEM;
  record->content.user = user;
  record->content.detail = ending.index;
  show_result(record->content, *ending.result);
  collector.queue->post(*record);
}

void tell_item(Siblings &state, const Ending &ending) {
  if (collector_of(state).queue != nullptr) post_item(state, ending);
  const auto &listener = collector_of(state).listeners.item;
  if (!listener) return;
  if (ending.child != nullptr) {
    listener(ending.index, &ending.child->outcome());
  } else {
    weir_outcome outcome = unstarted_outcome(*ending.result);
    listener(ending.index, static_cast<const weir_outcome *>(&outcome));
  }
  state.run->runtime().user_ran();
}

void keep_item(Siblings &state, const Ending &ending) {
  Result &result = *ending.result;
  if (result.channel == WEIR_CHANNEL_VALUE) {
    set_item(*state.list, ending.index, result.value);
    result.value = nullptr;
  } else if (result.channel == WEIR_CHANNEL_ERROR) {
    set_item(*state.list, ending.index, result.error);
    result.error = nullptr;
  } else {
    set_item(*state.list, ending.index, bare_error(result.status));
  }
}

}  // namespace

bool begin_items(Siblings &state) {
  const Collector &collector = collector_of(state);
  if (collector.listeners.item || collector.queue != nullptr) return true;
  size_t known = state.total == UINT64_MAX ? 0 : state.total;
  state.list = make_list(collector.heap(), known);
  if (state.list == nullptr) decide_no_memory(state);
  return state.list != nullptr;
}

void item_ended(Siblings &state, const Ending &ending) {
  const Collector &collector = collector_of(state);
  tell_item(state, ending);
  if (state.decided) return;
  if (collector.stop_on_error && !succeeded(*ending.result)) {
    decide(state, ending);
  } else if (state.list != nullptr) {
    keep_item(state, ending);
  }
  if (!collector.listeners.progress) return;
  collector.listeners.progress(state.ended, state.total);
  state.run->runtime().user_ran();
}

void complete_items(Siblings &state) {
  state.run->result().set_value(state.list);
  state.list = nullptr;
}

// ---- making one ----

Collector::~Collector() {
  unref_handle(source);
  unref_handle(queue);
  unref_value(items);
}

namespace {

// Stores the policy for each item: the timeout, with the user's inside. One reference.
weir_status make_item_policy(weir_runtime *runtime, const ItemRules &rules, weir_policy **out,
                             weir_error **error) {
  if (rules.item_timeout_ms == WEIR_FOREVER) {
    *out = ref_handle(rules.policy);
    return WEIR_OK;
  }
  weir_timeout *timeout = nullptr;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = rules.item_timeout_ms;
  options.name = rules.name;
  weir_status status = weir_timeout_new(runtime, &options, &timeout, error);
  if (status != WEIR_OK) return status;
  weir_policy *around = weir_timeout_policy(timeout);
  if (rules.policy == nullptr) {
    *out = around;
    return WEIR_OK;
  }
  weir_pipeline *pipeline = nullptr;
  weir_policy *members[] = {around, rules.policy};
  status = weir_pipeline_new(runtime, members, 2, rules.name, &pipeline, error);
  weir_timeout_unref(timeout);
  *out = weir_pipeline_policy(pipeline);
  return status;
}

}  // namespace

weir_status Collector::set_rules(const ItemRules &rules, ItemListeners &&given, const char *subject,
                                 weir_error **error) {
  stop_on_error = rules.stop_on_error != 0;
  concurrency =
      rules.concurrency == WEIR_UNLIMITED ? UINT64_MAX : static_cast<uint64_t>(rules.concurrency);
  listeners = static_cast<ItemListeners &&>(given);
  queue = ref_handle(rules.queue);
  user = rules.user;
  weir_status status = make_item_policy(runtime(), rules, &policy, error);
  if (status != WEIR_OK) return status;
  if (policy != nullptr) nest(policy->nesting);
  if (set_name(rules.name)) return WEIR_OK;
  return report_no_memory(error, heap(), subject);
}

void check_items(Check &check, weir_runtime *runtime, const ItemRules &rules,
                 const ItemListeners &listeners) {
  check.range("stop_on_error", rules.stop_on_error, 0, 1)
      .rule(rules.concurrency >= 1 || rules.concurrency == WEIR_UNLIMITED,
            "concurrency is required: at least 1, or -1 for unlimited (got %lld)",
            static_cast<long long>(rules.concurrency))
      .range_or("item_timeout_ms", rules.item_timeout_ms, 0, max_ms, "forever")
      .rule(rules.queue == nullptr || rules.queue->runtime() == runtime,
            "queue must be of the same runtime")
      .rule(rules.queue == nullptr || !(listeners.item || listeners.progress),
            "queue and on_item or on_progress exclude each other");
  if (rules.policy == nullptr || !check.ok()) return;
  check.rule(rules.policy->runtime() == runtime, "policy must be of the same runtime");
  check_nesting(check, rules.policy->nesting + 1);
}

void check_around(Check &check, const weir_policy *policy, const weir_operation &operation) {
  if (policy == nullptr || !check.ok()) return;
  check_order(check, "policy and operation", PlanUse::build, *policy, operation);
}

}  // namespace weir
