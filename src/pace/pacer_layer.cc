// SPDX-License-Identifier: MIT
//
// How calls get to a pacer: as runs whose leaf is a Member, as touches on the engine's thread, and
// the orders cancel and flush from any thread.
//
//   signal   does                                                    answers
//   start    joins the unit of the run's key                         wait; outer without memory
//   wake     the covering run's outcome (or superseded) is there     outer
//   stop     leaves                                                  -

#include <cstring>

#include "base/text.hh"
#include "engine/options.hh"
#include "pace/pacer.hh"

namespace weir {
namespace {

Next member_start(weir_call &run, Member &member) {
  Pacer &pacer = *static_cast<Pacer *>(member.owner);
  const RunRequest &request = run.request();
  new (static_cast<ListNode<Member> *>(&member)) ListNode<Member>();
  weir_status status =
      pacer.arrive(request.key, request.key_size, request.input, &member, pacer.present());
  if (status == WEIR_OK) return Next::wait;
  run.result().set_status(status);
  return Next::outer;
}

Next member_step(weir_call &run, Layer &layer, Signal signal) {
  auto &member = static_cast<Member &>(layer);
  switch (signal) {
    case Signal::start:
      return member_start(run, member);
    case Signal::wake:
      return Next::outer;
    case Signal::stop:
      static_cast<Pacer *>(member.owner)->leave_call(member);
      weir_call::forget(member);
      return Next::wait;
    default:
      return Next::wait;
  }
}

void describe_member(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &member = static_cast<const Member &>(layer);
  TextWriter(buffer, size)
      .print("pacer '%s': %s", member.owner->name(),
             member.flight == nullptr ? "its turn" : "the run that covers it");
}

// An order on its way from another thread, with its key behind it.
struct OrderTask : Task {
  OrderTask(RunFn function, Pacer *target, PacerOrder what, bool with_key, size_t size)
      : Task(function, Lane::run), pacer(target), order(what), keyed(with_key), key_size(size) {}
  Pacer *pacer;
  PacerOrder order;
  bool keyed;
  size_t key_size;
};

[[gnu::cold]] void carry_out(Pacer &pacer, PacerOrder order, const void *key, size_t key_size) {
  Unit *unit = pacer.find(key, key_size);
  if (unit == nullptr) return;
  if (order == PacerOrder::cancel) {
    pacer.cancel(*unit);
  } else {
    pacer.flush(*unit);
  }
}

// New waits on their way from another thread.
struct WaitsTask : Task {
  WaitsTask(RunFn function, Pacer *target, const PacerRules &changed)
      : Task(function, Lane::run), pacer(target), rules(changed) {}
  Pacer *pacer;
  PacerRules rules;
};

[[gnu::cold]] void run_waits(weir_runtime &, Task &task) {
  auto &waits = static_cast<WaitsTask &>(task);
  Pacer *pacer = waits.pacer;
  pacer->set_waits(waits.rules);
  pacer->heap()->destroy(&waits);
  pacer->unref();
}

[[gnu::cold]] void run_order(weir_runtime &, Task &task) {
  auto &order = static_cast<OrderTask &>(task);
  Pacer *pacer = order.pacer;
  carry_out(*pacer, order.order, order.keyed ? &order + 1 : nullptr, order.key_size);
  pacer->heap()->free(&order, sizeof(OrderTask) + order.key_size);
  pacer->unref();
}

}  // namespace

const LayerType member_layer = {"pacer", layer_size(sizeof(Member)), member_step, describe_member,
                                false};

[[gnu::cold]] weir_status pacer_check(weir_runtime *runtime, weir_operation *operation,
                                      weir_policy *policy, const PacerRules &rules, Check &check) {
  check.required("runtime", runtime).required("operation", operation);
  if (!check.ok()) return check.status();
  check.rule(operation->runtime() == runtime, "operation must be of the same runtime")
      .rule(policy == nullptr || policy->runtime() == runtime, "policy must be of the same runtime")
      .rule(rules.leading || rules.trailing, "leading or trailing must be 1 (got 0 and 0)");
  if (policy != nullptr) {
    check_order(check, "policy and operation", PlanUse::build, *policy, *operation);
  }
  return check.status();
}

[[gnu::cold]] weir_status pacer_change(Pacer *pacer, const PacerRules &rules, Check &check,
                                       weir_error **error) {
  const PacerRules &now = pacer->rules;
  check.rule(rules.leading == now.leading, "leading cannot change (is %d)", now.leading ? 1 : 0)
      .rule(rules.trailing == now.trailing, "trailing cannot change (is %d)", now.trailing ? 1 : 0)
      .rule(rules.superseded == now.superseded, "superseded cannot change (is %u)", now.superseded)
      .rule(rules.overlap == now.overlap, "overlap cannot change (is %u)", now.overlap);
  if (!check.ok()) return check.status();
  weir_runtime &runtime = *pacer->runtime();
  if (runtime.forked()) return report_status(error, pacer->heap(), WEIR_EFORKED, "pacer");
  if (runtime.on_thread()) {
    pacer->set_waits(rules);
    return WEIR_OK;
  }
  auto *task = pacer->heap()->make<WaitsTask>(run_waits, pacer, rules);
  if (task == nullptr) return report_no_memory(error, pacer->heap(), "pacer");
  pacer->ref();
  runtime.post(*task);
  return WEIR_OK;
}

weir_status pacer_call(Pacer *pacer, const void *key, size_t key_size, weir_value *argument,
                       Callback<weir_settle_fn> &&settle, weir_call **call, weir_error **error) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = key;
  options.key_size = key_size;
  options.input = argument;
  auto [function, data, free_data] = settle.release();
  return weir_run(pacer, &options, function, data, free_data, call, error);
}

weir_status pacer_touch(Pacer *pacer, const void *key, size_t key_size, weir_value *argument,
                        int64_t now_ns) {
  if (pacer == nullptr || (key == nullptr && key_size > 0)) return WEIR_EINVAL;
  weir_runtime *runtime = pacer->runtime();
  if (runtime->life() != Life::open) return WEIR_ECLOSED;
  if (runtime->forked()) return WEIR_EFORKED;
  if (!runtime->on_thread() && !runtime->claim_thread()) return WEIR_ETHREAD;
  return pacer->arrive(key, key_size, argument, nullptr, now_ns);
}

[[gnu::cold]] weir_status pacer_order(Pacer *pacer, PacerOrder order, const void *key,
                                      size_t key_size) {
  if (pacer == nullptr || (key == nullptr && key_size > 0)) return WEIR_EINVAL;
  if (key_size > longest_run_key) return WEIR_EINVAL;
  if (pacer->runtime()->forked()) return WEIR_EFORKED;
  if (pacer->runtime()->on_thread()) {
    carry_out(*pacer, order, key, key_size);
    return WEIR_OK;
  }
  void *memory = pacer->heap()->allocate(sizeof(OrderTask) + key_size);
  if (memory == nullptr) return WEIR_ENOMEM;
  auto *task = new (memory) OrderTask(run_order, pacer, order, key != nullptr, key_size);
  if (key_size > 0) std::memcpy(static_cast<void *>(task + 1), key, key_size);
  pacer->ref();
  pacer->runtime()->post(*task);
  return WEIR_OK;
}

[[gnu::cold]] weir_status pacer_stats(const Pacer *pacer, weir_pacing_stats *stats) {
  if (pacer == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_pacing_stats filled = {};
  pacer->fill(filled);
  return write_sized(stats, filled);
}

[[gnu::cold]] uint64_t pacer_pending(const Pacer *pacer) {
  weir_pacing_stats stats = {};
  if (pacer != nullptr) pacer->fill(stats);
  return stats.pending;
}

}  // namespace weir
