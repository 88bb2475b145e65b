// SPDX-License-Identifier: MIT
#include "baseline.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

// ---- counted allocation ----

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
}

namespace {

// One counter a thread, so that counting costs next to nothing; threads beyond the 64th share.
struct alignas(64) Slot {
  std::atomic<uint64_t> count;
};
Slot slots[64];
std::atomic<uint32_t> slots_taken;
thread_local Slot *slot;

void count_malloc() {
  if (slot == nullptr) slot = &slots[slots_taken.fetch_add(1) % std::size(slots)];
  slot->count.store(slot->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void *malloc(size_t size) {
  count_malloc();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  count_malloc();
  return __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size) {
  count_malloc();
  return __libc_realloc(pointer, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count_malloc();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size) {
  count_malloc();
  *pointer = __libc_memalign(alignment, size);
  return *pointer == nullptr ? ENOMEM : 0;
}

}  // extern "C"

namespace bench {

uint64_t mallocs() {
  uint64_t sum = 0;
  for (const Slot &each : slots) sum += each.count.load(std::memory_order_relaxed);
  return sum;
}

int64_t now_ns() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void pin(int processor) {
  if (processor >= sysconf(_SC_NPROCESSORS_CONF)) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void unpin() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < sysconf(_SC_NPROCESSORS_CONF); ++i) CPU_SET(i, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

// ---- two threads ----

// Waits until both have come as often.
void Together::meet() {
  uint32_t all = (met_.fetch_add(1) / 2 + 1) * 2;
  for (uint32_t looks = 1; met_.load() < all; ++looks) {
    if (looks % 10'000 == 0) sched_yield();
  }
}

void Together::judge() {
  auto apart = static_cast<double>(std::abs(began_ns_[0] - began_ns_[1]));
  auto slower = static_cast<double>(std::max(took_ns_[0], took_ns_[1]));
  if (apart < slower / 20) best_ns_ = std::min(best_ns_, slower);
}

// ---- baselines ----

namespace {

constexpr int samples = 21;

struct Measured {
  const char *name;
  double ns;
};
Measured measured[static_cast<int>(Baseline::count)];

// The least of what `body` takes in several stretches of up to a millisecond.
template <typename Body>
void measure(Baseline baseline, const char *name, Body body) {
  constexpr int rounds = 20'000;
  int64_t best = INT64_MAX;
  for (int sample = 0; sample < samples; ++sample) {
    int64_t begin = now_ns();
    for (int i = 0; i < rounds; ++i) body();
    best = std::min(best, now_ns() - begin);
  }
  measured[static_cast<int>(baseline)] = {name, static_cast<double>(best) / rounds};
}

void read_clock(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  benchmark::DoNotOptimize(time);
}

void measure_contended() {
  alignas(64) std::atomic<uint64_t> counter{0};
  double ns = Together::measure(5000, [&](int) { counter.fetch_add(1); });
  measured[static_cast<int>(Baseline::contended)] = {"contended counter", ns};
}

// How long it takes until the other processor sees what this one has stored, and no counter tells:
// who holds a contended line may add to it many times before he has to give it away.
void measure_handover() {
  alignas(64) std::atomic<int> turn{0};
  double ns = Together::measure(1000, [&](int side) {
    for (uint32_t looks = 1; turn.load(std::memory_order_acquire) != side; ++looks) {
      if (looks % 10'000 == 0) sched_yield();
    }
    turn.store(1 - side, std::memory_order_release);
  });
  measured[static_cast<int>(Baseline::handover)] = {"line handed over", ns / 2};
}

void measure_baselines() {
  measure(Baseline::clock, "monotonic clock", [] { read_clock(CLOCK_MONOTONIC); });
  measure(Baseline::coarse_clock, "coarse clock", [] { read_clock(CLOCK_MONOTONIC_COARSE); });
  std::atomic<uint64_t> word{0};
  measure(Baseline::cas, "compare-and-swap", [&] {
    uint64_t expected = word.load(std::memory_order_relaxed);
    word.compare_exchange_strong(expected, expected + 1);
  });
  measure(Baseline::fetch_add, "fetch-add", [&] { word.fetch_add(1); });
  measure_contended();
  measure_handover();
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  measure(Baseline::mutex, "mutex pair", [&] {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
  });
  measure(Baseline::malloc_free, "malloc+free", [] {
    void *memory = __libc_malloc(64);
    benchmark::DoNotOptimize(memory);
    free(memory);
  });
}

void print_baselines() {
  std::printf("baselines, ns:");
  for (const Measured &each : measured) {
    std::printf(" %s %.1f%s", each.name, each.ns, &each == std::end(measured) - 1 ? "\n" : ",");
    char text[32];
    std::snprintf(text, sizeof(text), "%.2f", each.ns);
    benchmark::AddCustomContext(std::string("baseline: ") + each.name, text);
  }
  std::fflush(stdout);
}

double least(const std::vector<double> &values) {
  return *std::min_element(values.begin(), values.end());
}

}  // namespace

const char *baseline_name(Baseline baseline) { return measured[static_cast<int>(baseline)].name; }

double baseline_ns(Baseline baseline) { return measured[static_cast<int>(baseline)].ns; }

// ---- rows ----

Row::Row(benchmark::State &state, Baseline baseline)
    : state_(state), baseline_(baseline), mallocs_before_(mallocs()) {}

Row::~Row() {
  using benchmark::Counter;
  auto allocated = static_cast<double>(mallocs() - mallocs_before_);
  state_.SetLabel(std::string("x ") + baseline_name(baseline_));
  state_.counters["mallocs"] = Counter(allocated, Counter::kAvgIterations);
  // A rate is the value by the time, so the inverse of (baseline × iterations) by the time is how
  // many baselines one iteration takes.
  state_.counters["multiple"] =
      Counter(baseline_ns(baseline_) * 1e-9,
              Counter::kIsIterationInvariant | Counter::kIsRate | Counter::kInvert);
}

void row(benchmark::internal::Benchmark *benchmark) {
  benchmark->ComputeStatistics("least", least);
}

void cold_row(benchmark::internal::Benchmark *benchmark) {
  row(benchmark);
  benchmark->Repetitions(60)->MinTime(0.01);
}

void timed_row(benchmark::internal::Benchmark *benchmark) {
  row(benchmark);
  benchmark->UseManualTime();
}

}  // namespace bench

int main(int argc, char **argv) {
  bench::pin(1);
  bench::measure_baselines();
  bench::print_baselines();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
