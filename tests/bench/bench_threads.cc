// SPDX-License-Identifier: MIT
//
// Runs from another thread to their settlement on the runtime's, each with a settle callback and a
// call that could be cancelled. The submitting thread keeps up to 4096 in flight. One iteration is
// one run; timed by the clock, over the quickest 16384 settlements in a row of each batch: several
// times what may be in flight, so both threads are at it, and short enough that on a busy machine
// some go undisturbed. Counters:
//
//   in_flight   how many were in flight, on average, when the submitting thread looked
//   submit_ns   processor time of the submitting thread for a run; waiting for a place is in it
//   settle_ns   processor time of the runtime's thread for a run

#include <algorithm>
#include <ctime>

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;

namespace {

constexpr uint64_t window = 4096;
constexpr uint64_t stretch = 16 * 1024;
constexpr uint64_t batch = 16 * stretch;

int64_t thread_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// The runs of one row.
class Flight {
 public:
  Flight(Rig &rig, bool with_retry) : rig_(rig), operation_(rig.inline_operation()) {
    if (with_retry) options_.policy = rig.retry();
  }

  // Runs a batch from the calling thread and waits for the last settlement.
  void submit() {
    int64_t began = thread_ns();
    for (uint64_t i = 0; i < batch; ++i) start();
    while (settled_.load(std::memory_order_acquire) < started_) sched_yield();
    submit_ns_ += thread_ns() - began;
  }

  // Nanoseconds a run, in the quickest stretch since this was last asked.
  double quickest_ns() {
    auto taken = static_cast<double>(best_ns_);
    best_ns_ = INT64_MAX;
    return taken / stretch;
  }

  // Forgets what was counted so far.
  void begin_counting() {
    looks_ = seen_ = 0;
    submit_ns_ = settle_ns_ = 0;
    counted_from_ = started_;
  }

  void count(benchmark::State &state) const {
    auto runs = static_cast<double>(started_ - counted_from_);
    state.counters["in_flight"] = static_cast<double>(seen_) / static_cast<double>(looks_);
    state.counters["submit_ns"] = static_cast<double>(submit_ns_) / runs;
    state.counters["settle_ns"] = static_cast<double>(settle_ns_) / runs;
  }

 private:
  void start() {
    while (started_ - settled_.load(std::memory_order_acquire) >= window) sched_yield();
    if (started_ % 256 == 0) {
      ++looks_;
      seen_ += started_ - settled_.load(std::memory_order_relaxed);
    }
    ++started_;
    weir_call *call = nullptr;
    bench::require(weir_run(operation_, &options_, on_settled, this, nullptr, &call, nullptr));
  }

  static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
    bench::require(outcome->status);
    static_cast<Flight *>(data)->settle(call);
  }

  void settle(weir_call *call) {
    weir_call_unref(call);
    uint64_t settled = settled_.load(std::memory_order_relaxed) + 1;
    if (settled % stretch == 0) {
      int64_t now = bench::now_ns();
      if (settled % batch != stretch) best_ns_ = std::min(best_ns_, now - stretch_began_);
      stretch_began_ = now;
    }
    if (settled % batch == 1) settle_began_ = thread_ns();
    if (settled % batch == 0) {
      settle_ns_ += thread_ns() - settle_began_;
      uv_stop(rig_.loop());
    }
    settled_.store(settled, std::memory_order_release);
  }

  Rig &rig_;
  weir_operation *operation_;
  weir_run_options options_ = WEIR_RUN_OPTIONS_INIT;
  // The submitting thread's.
  alignas(64) uint64_t started_ = 0;
  uint64_t counted_from_ = 0;
  uint64_t looks_ = 0;
  uint64_t seen_ = 0;
  int64_t submit_ns_ = 0;
  // The runtime's thread's; the other may look at the first.
  alignas(64) std::atomic<uint64_t> settled_{0};
  int64_t settle_began_ = 0;
  int64_t stretch_began_ = 0;  // the first of a batch, when it begins, is not known
  int64_t best_ns_ = INT64_MAX;
  int64_t settle_ns_ = 0;
};

template <typename Round>
void measure(benchmark::State &state, Flight &flight, Round round) {
  round();  // so that the memory that runs need is there
  flight.begin_counting();
  flight.quickest_ns();
  Row row(state, Baseline::contended);
  while (state.KeepRunningBatch(batch)) {
    round();
    state.SetIterationTime(flight.quickest_ns() * batch * 1e-9);
  }
  flight.count(state);
}

// This thread runs the loop that the runtime is attached to; another one submits.
void attached(benchmark::State &state, bool with_retry) {
  bench::unpin();
  Rig rig;
  bench::require(weir_runtime_hold(rig.runtime()));  // the loop waits while nothing is in flight
  Flight flight(rig, with_retry);
  measure(state, flight, [&] {
    std::thread other([&] { flight.submit(); });
    uv_run(rig.loop(), UV_RUN_DEFAULT);
    other.join();
  });
  weir_runtime_release(rig.runtime());
}

// The runtime has a thread of its own; this one submits.
void own_thread(benchmark::State &state, bool with_retry) {
  bench::unpin();
  Rig rig(WEIR_DRIVER_THREAD);
  Flight flight(rig, with_retry);
  measure(state, flight, [&] { flight.submit(); });
}

BENCHMARK_CAPTURE(attached, none, false)->Apply(bench::timed_row);
BENCHMARK_CAPTURE(attached, retry, true)->Apply(bench::timed_row);
BENCHMARK_CAPTURE(own_thread, none, false)->Apply(bench::timed_row);
BENCHMARK_CAPTURE(own_thread, retry, true)->Apply(bench::timed_row);

}  // namespace
