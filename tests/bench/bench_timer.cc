// SPDX-License-Identifier: MIT
//
// Timers, through what users can do with them, while many are pending: a population of runs that
// sleep for an hour or two. The same is done with sleeps that never end and so have no timer.
//
//   run/none      a run that completes inline
//   run/timeout   the same under a timeout: what is more is arming and disarming a timer, and the
//                 timeout's layer
//   replace       one of the population, chosen at random, is cancelled and another started: what
//                 sleeps with timers take more is the move of a timer that nobody has touched for
//                 long, so most of it is waiting for the cold memory of its neighbours
//
// Rows are compared with each other, so their repetitions take turns (tests/bench/run asks for
// that): whatever else the machine does meets both. All populations are kept until the end, two
// gigabytes.

#include <memory>
#include <random>
#include <vector>

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;
using bench::Runs;

namespace {

constexpr size_t batch = 64;

class Population {
 public:
  Population(size_t size, bool timed) : calls_(size), timed_(timed) {
    // Sleeps of one to two hours, none of which ends during a benchmark.
    for (int64_t i = 0; i < (timed ? 1024 : 1); ++i) {
      int64_t sleep_ms = timed ? 3'600'000 + i * 3517 : WEIR_FOREVER;
      weir_operation *operation = nullptr;
      bench::require(
          weir_sleep_new(rig_.runtime(), sleep_ms, WEIR_OK, nullptr, nullptr, &operation, nullptr));
      operations_.push_back(operation);
    }
    for (size_t i = 0; i < size; ++i) {
      start(i);
      if (i % batch == 0) settle();
    }
    settle();
    weir_runtime_stats stats = {};
    stats.size = sizeof(stats);
    bench::require(weir_runtime_get_stats(rig_.runtime(), &stats));
    if (stats.timers != (timed ? size : 0) || stats.live_calls != size) std::abort();
  }
  Population(const Population &) = delete;
  Population &operator=(const Population &) = delete;
  ~Population() {
    for (weir_call *call : calls_) weir_call_unref(call);
    for (weir_operation *operation : operations_) weir_operation_unref(operation);
  }

  Rig &rig() { return rig_; }

  bool is(size_t size, bool timed) const { return calls_.size() == size && timed_ == timed; }

  void replace_some() {
    for (size_t i = 0; i < batch; ++i) {
      size_t chosen = random_() % calls_.size();
      weir_call_cancel(calls_[chosen]);
      weir_call_unref(calls_[chosen]);
      start(chosen);
    }
    settle();
  }

 private:
  void start(size_t index) {
    weir_operation *operation = operations_[random_() % operations_.size()];
    bench::require(
        weir_run(operation, nullptr, nullptr, nullptr, nullptr, &calls_[index], nullptr));
  }

  // Two rounds: the loop calls its idle handle in the first that has work.
  void settle() {
    rig_.turn();
    rig_.turn();
  }

  Rig rig_;
  std::vector<weir_operation *> operations_;
  std::vector<weir_call *> calls_;
  std::minstd_rand random_;
  bool timed_;
};

Population &population(size_t size, bool timed) {
  static std::vector<std::unique_ptr<Population>> kept;
  for (auto &made : kept) {
    if (made->is(size, timed)) return *made;
  }
  kept.push_back(std::make_unique<Population>(size, timed));
  return *kept.back();
}

void replace(benchmark::State &state, bool timed) {
  Population &pending = population(static_cast<size_t>(state.range(0)), timed);
  Row row(state, Baseline::malloc_free);
  while (state.KeepRunningBatch(batch)) pending.replace_some();
}

void run(benchmark::State &state, bool timed) {
  Rig &rig = population(static_cast<size_t>(state.range(0)), true).rig();
  Runs runs(rig, rig.inline_operation(), timed ? rig.timeout(10'000) : nullptr);
  Row row(state, Baseline::malloc_free);
  while (state.KeepRunningBatch(batch)) runs.batch(batch);
}

BENCHMARK_CAPTURE(replace, forever, false)->Arg(1000)->Apply(bench::row);
BENCHMARK_CAPTURE(replace, sleeping, true)->Arg(1000)->Apply(bench::row);
BENCHMARK_CAPTURE(replace, forever, false)->Arg(1'000'000)->Apply(bench::cold_row);
BENCHMARK_CAPTURE(replace, sleeping, true)->Arg(1'000'000)->Apply(bench::cold_row);
BENCHMARK_CAPTURE(run, none, false)->Arg(1'000'000)->Apply(bench::cold_row);
BENCHMARK_CAPTURE(run, timeout, true)->Arg(1'000'000)->Apply(bench::cold_row);

}  // namespace
