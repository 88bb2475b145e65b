// SPDX-License-Identifier: MIT
//
// The inside of a pool: a parallel whose items wait in a queue that any thread adds to.
//
//   state     from                 to
//   fresh     weir_pool_new        taken (a run began), over (its runtime ended)
//   taken     a run began          over (that run settled)
//   over
//
// Invariants:
// - The queue, the counts and the state belong to the mutex; `run_state_` to the engine's thread.
// - Whoever adds to a taken pool, or seals it, sees to it that the run looks again: the wake task
//   is posted, with a reference of its own, unless it is on its way already. Who adds to a fresh
//   one has added before the run looks first.

#pragma once

#include <weir/pool.h>

#include <atomic>

#include "base/mutex.hh"
#include "flow/siblings_collect.hh"

namespace weir {

struct PoolItem : ListNode<PoolItem> {
  weir_operation *operation;  // one reference
  weir_value *input;          // one reference; nullable
};

// The operations that a pool may hold nest so deep at most, and so deep the pool counts.
inline constexpr uint32_t pool_nesting = max_nesting / 2;

}  // namespace weir

struct weir_pool : weir::Collector {
  explicit weir_pool(weir_runtime *runtime);
  ~weir_pool();

  // Takes the references that `item` holds, and `item`. False if nothing is taken any more.
  bool add(weir::PoolItem *item);
  void seal();
  void fill(weir_pool_stats &stats);

 private:
  enum class State { fresh, taken, over };

  struct WakeTask : weir::Task {
    explicit WakeTask(weir_pool *owner) : Task(run_wake), pool(owner) {}
    weir_pool *pool;
  };

  static weir_pool &of(const weir::Siblings &state) {
    return static_cast<weir_pool &>(state.operation());
  }
  static bool begin(weir::Siblings &state);
  static void ended(weir::Siblings &state, const weir::Ending &ending);
  static void leave(weir::Siblings &state);
  static weir::Supply take(weir::Siblings &state, weir::NextChild &child);
  static void run_wake(weir_runtime &runtime, weir::Task &task);
  static const weir::Pattern pattern_of_pool;

  bool take_over();
  void drop_item(weir::PoolItem *item);
  void wake();

  weir::Mutex mutex_;
  weir::List<weir::PoolItem> waiting_;
  State state_ = State::fresh;
  bool sealed_ = false;
  uint64_t added_ = 0;
  uint64_t started_ = 0;
  uint64_t succeeded_ = 0;
  uint64_t failed_ = 0;

  std::atomic<bool> wake_posted_{false};
  WakeTask wake_task_;
  weir::Siblings *run_state_ = nullptr;
};
