// SPDX-License-Identifier: MIT
//
// What every benchmark here has in common. A program first measures what the machine takes for the
// few things that weir is made of (the baselines) and prints them; then each of its rows says
//
//   ns        of one operation of the row
//   multiple  of the row's baseline, measured by the same process (the label names it)
//   mallocs   per operation, of the whole process: malloc and its like are interposed
//
// A row is timed by processor time, which leaves out what other programs took of the machine; rows
// named `manual_time` are timed by the clock. tests/bench/run reads the rows from --benchmark_out.

#pragma once

#include <benchmark/benchmark.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace bench {

enum class Baseline {
  clock,
  coarse_clock,
  cas,
  fetch_add,
  contended,
  handover,
  mutex,
  malloc_free,
  count
};

// What it is called in the tables.
const char *baseline_name(Baseline baseline);

// The least of several measurements, made when the program began.
double baseline_ns(Baseline baseline);

// Allocations of this process so far, all threads together.
uint64_t mallocs();

// The monotonic clock.
int64_t now_ns();

// The calling thread, and those it makes from now on, stay on this processor, if there is such a
// one; or may run everywhere again. A program begins pinned to the second.
void pin(int processor);
void unpin();

// Two threads on two processors do something at the same time: `body(0)` and `body(1)`, each
// `rounds` times. Nanoseconds a round, of the slower one.
//
// A busy machine takes one of them off its processor, which makes both numbers wrong: the other one
// then runs alone. So `rounds` should take less than a millisecond; of many tries only those count
// in which both began at the same time, and of these the quickest, in which none was interrupted.
class Together {
 public:
  template <typename Body>
  static double measure(int64_t rounds, Body body) {
    Together both;
    auto side = [&](int index) {
      pin(index);
      for (int i = 0; i < tries; ++i) {
        both.meet();
        both.began_ns_[index] = now_ns();
        for (int64_t round = 0; round < rounds; ++round) body(index);
        both.took_ns_[index] = now_ns() - both.began_ns_[index];
        both.meet();
        if (index == 0) both.judge();
      }
    };
    std::thread other(side, 1);
    std::thread one(side, 0);
    one.join();
    other.join();
    return both.best_ns_ / static_cast<double>(rounds);
  }

 private:
  static constexpr int tries = 200;

  void meet();
  void judge();

  std::atomic<uint32_t> met_{0};
  int64_t began_ns_[2];
  int64_t took_ns_[2];
  double best_ns_ = 1e9;
};

// Lives as long as the loop of one row and then writes the row's counters.
class Row {
 public:
  Row(benchmark::State &state, Baseline baseline);
  Row(const Row &) = delete;
  Row &operator=(const Row &) = delete;
  ~Row();

 private:
  benchmark::State &state_;
  Baseline baseline_;
  uint64_t mallocs_before_;
};

// For every row: of several repetitions (--benchmark_repetitions), the least is shown too.
void row(benchmark::internal::Benchmark *benchmark);

// The same for rows that look into much memory, which the work of other programs takes out of the
// caches: many short repetitions, some of them undisturbed.
void cold_row(benchmark::internal::Benchmark *benchmark);

// The same for rows that hand in their time, by the clock, because they have threads of their own.
void timed_row(benchmark::internal::Benchmark *benchmark);

}  // namespace bench
