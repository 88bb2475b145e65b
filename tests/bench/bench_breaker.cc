// SPDX-License-Identifier: MIT
//
// The breaker's decide door: acquire and report of a successful call, and refusals. Rows named
// `two_threads` time the acquire and report of one thread while another does the same; what they
// hand in is the best of many tries, so they run once.

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;

namespace {

weir_breaker *plain_breaker(Rig &rig) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  return rig.breaker(options);
}

// Windows are as long as by default. Slow calls are judged if asked for.
weir_breaker *window_breaker(Rig &rig, int64_t slow_call_ms) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.mode = WEIR_BREAKER_TIME_WINDOW;
  options.slow_call_ms = slow_call_ms;
  return rig.breaker(options);
}

void call(weir_breaker *breaker, int64_t elapsed_ns) {
  weir_permit permit;
  weir_breaker_acquire(breaker, &permit, nullptr);
  benchmark::DoNotOptimize(weir_breaker_report(breaker, permit, WEIR_CLASS_SUCCESS, elapsed_ns));
}

void consecutive(benchmark::State &state) {
  Rig rig;
  weir_breaker *breaker = plain_breaker(rig);
  Row row(state, Baseline::fetch_add);
  for (auto _ : state) call(breaker, 0);
}

void time_window(benchmark::State &state) {
  Rig rig;
  weir_breaker *breaker = window_breaker(rig, WEIR_OFF);
  Row row(state, Baseline::mutex);
  for (auto _ : state) call(breaker, 0);
}

void time_window_slow_calls(benchmark::State &state) {
  Rig rig;
  weir_breaker *breaker = window_breaker(rig, 1000);
  Row row(state, Baseline::mutex);
  for (auto _ : state) call(breaker, 5'000'000);
}

void time_window_slow_calls_two_clock_reads(benchmark::State &state) {
  Rig rig;
  weir_breaker *breaker = window_breaker(rig, 1000);
  Row row(state, Baseline::clock);
  for (auto _ : state) {
    weir_permit permit;
    int64_t began = weir_runtime_now(rig.runtime());
    weir_breaker_acquire_at(breaker, &permit, nullptr, began);
    int64_t now = weir_runtime_now(rig.runtime());
    weir_breaker_report_at(breaker, permit, WEIR_CLASS_SUCCESS, now - began, now);
  }
}

weir_breaker *open_breaker(Rig &rig) {
  weir_breaker *breaker = plain_breaker(rig);
  while (weir_breaker_state(breaker) != WEIR_BREAKER_OPEN) {
    weir_permit permit;
    bench::require(weir_breaker_acquire(breaker, &permit, nullptr));
    weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0);
  }
  return breaker;
}

void reject(benchmark::State &state) {
  Rig rig;
  weir_breaker *breaker = open_breaker(rig);
  Row row(state, Baseline::coarse_clock);
  weir_permit permit;
  for (auto _ : state) benchmark::DoNotOptimize(weir_breaker_acquire(breaker, &permit, nullptr));
}

void reject_with_rejection(benchmark::State &state) {
  Rig rig;
  weir_breaker *breaker = open_breaker(rig);
  weir_rejection rejection = WEIR_REJECTION_INIT;
  Row row(state, Baseline::coarse_clock);
  weir_permit permit;
  for (auto _ : state) {
    benchmark::DoNotOptimize(weir_breaker_acquire(breaker, &permit, &rejection));
  }
}

void two_threads(benchmark::State &state, bool shared) {
  constexpr int64_t rounds = 5000;
  Rig rig;
  weir_breaker *one = plain_breaker(rig);
  weir_breaker *breakers[] = {one, shared ? one : plain_breaker(rig)};
  Row row(state, Baseline::contended);
  for (auto _ : state) {
    double ns = bench::Together::measure(rounds, [&](int side) { call(breakers[side], 0); });
    state.SetIterationTime(ns * 1e-9);
  }
}

BENCHMARK(consecutive)->Apply(bench::row);
BENCHMARK(time_window)->Apply(bench::row);
BENCHMARK(time_window_slow_calls)->Apply(bench::row);
BENCHMARK(time_window_slow_calls_two_clock_reads)->Apply(bench::row);
BENCHMARK(reject)->Apply(bench::row);
BENCHMARK(reject_with_rejection)->Apply(bench::row);
BENCHMARK_CAPTURE(two_threads, one_breaker, true)->Apply(bench::timed_row)->Iterations(1);
BENCHMARK_CAPTURE(two_threads, a_breaker_each, false)->Apply(bench::timed_row)->Iterations(1);

}  // namespace
