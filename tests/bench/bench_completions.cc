// SPDX-License-Identifier: MIT
//
// The completion queue, as a binding uses it: runs settle into records, which are drained in
// batches, and the values are given back in one call.

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;

namespace {

constexpr size_t batch = 256;

class Queue {
 public:
  explicit Queue(Rig &rig) : rig_(rig) {
    bench::require(weir_completions_new(rig.runtime(), nullptr, &queue_, nullptr));
    options_.queue = queue_;
  }
  Queue(const Queue &) = delete;
  Queue &operator=(const Queue &) = delete;
  ~Queue() { weir_completions_unref(queue_); }

  // Starts runs until a batch of records is waiting.
  void fill() {
    for (size_t i = 0; i < batch; ++i) {
      options_.user = i;
      bench::require(weir_run(rig_.inline_operation(), &options_, nullptr, nullptr, nullptr,
                              nullptr, nullptr));
    }
    rig_.turn();
    rig_.turn();
  }

  void drain() {
    if (weir_completions_drain(queue_, records_, sizeof(weir_record), batch) != batch) std::abort();
  }

  void give_back() {
    weir_value *values[batch];
    for (size_t i = 0; i < batch; ++i) {
      values[i] = reinterpret_cast<weir_value *>(static_cast<uintptr_t>(records_[i].object));
    }
    weir_values_unref(values, batch);
  }

 private:
  Rig &rig_;
  weir_completions *queue_ = nullptr;
  weir_run_options options_ = WEIR_RUN_OPTIONS_INIT;
  weir_record records_[batch];
};

// Draining alone, by the clock: the rest of a round is left out.
void drain(benchmark::State &state) {
  Rig rig;
  Queue queue(rig);
  queue.fill();
  queue.drain();
  queue.give_back();
  Row row(state, Baseline::mutex);
  while (state.KeepRunningBatch(batch)) {
    queue.fill();
    int64_t began = bench::now_ns();
    queue.drain();
    state.SetIterationTime(static_cast<double>(bench::now_ns() - began) * 1e-9);
    queue.give_back();
  }
}

// From weir_run() to the value given back.
void run_to_record(benchmark::State &state) {
  Rig rig;
  Queue queue(rig);
  Row row(state, Baseline::malloc_free);
  while (state.KeepRunningBatch(batch)) {
    queue.fill();
    queue.drain();
    queue.give_back();
  }
}

BENCHMARK(drain)->Apply(bench::timed_row);
BENCHMARK(run_to_record)->Apply(bench::row);

}  // namespace
