// SPDX-License-Identifier: MIT
//
// all, all_settled, parallel and pool: siblings whose results are collected in the order of their
// starts, or told to a listener one by one.
//
//   an item settles    stop_on_error    then (told: a listener, or a queue)
//   as a success       either           kept, or told
//   as a failure       yes              told; it is the outcome
//   as a failure       no               kept, or told
//
// Where the items come from differs: a list of operations, one operation over a list of values, a
// pull decider, a source operation (asked for one item at a time, when there is room for it), or a
// pool (flow/pool.cc).

#pragma once

#include <weir/parallel.h>

#include "engine/callback.hh"
#include "flow/siblings.hh"

namespace weir {

// What the options of a parallel and of a pool have in common.
struct ItemRules {
  uint32_t stop_on_error;
  int64_t concurrency;
  int64_t item_timeout_ms;
  weir_policy *policy;
  const char *name;
  weir_completions *queue;
  uint64_t user;
};

struct ItemListeners {
  Callback<weir_item_fn> item;
  Callback<weir_progress_fn> progress;
};

struct Collector : SiblingsOperation {
  Collector(weir_runtime *runtime, EndFn end, const Pattern &rules)
      : SiblingsOperation(runtime, end, rules) {}
  ~Collector();

  // Name, policy and what else the rules say; takes the listeners. WEIR_ENOMEM or, of a policy that
  // cannot stand there, WEIR_EINVAL.
  weir_status set_rules(const ItemRules &rules, ItemListeners &&given, const char *subject,
                        weir_error **error);

  bool stop_on_error = true;
  ItemListeners listeners;
  weir_completions *queue = nullptr;  // told each result; one reference
  uint64_t user = 0;                  // of its records
  Callback<weir_pull_fn> pull;
  weir_operation *source = nullptr;  // one reference
  weir_value *items = nullptr;       // one reference
};

// The rules of a pattern that collects.
bool begin_items(Siblings &state);
void item_ended(Siblings &state, const Ending &ending);
void complete_items(Siblings &state);

void check_items(Check &check, weir_runtime *runtime, const ItemRules &rules,
                 const ItemListeners &listeners);
// `policy` (nullable) must stand around `operation`.
void check_around(Check &check, const weir_policy *policy, const weir_operation &operation);

}  // namespace weir
