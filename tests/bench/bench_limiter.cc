// SPDX-License-Identifier: MIT
//
// The limiter's decide door. Rates are so high that every call passes, or so low that none does.
// `now` rows are given the time, `clock` rows let the limiter read it.

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;

namespace {

weir_limiter_options rate(uint32_t algorithm, int64_t permits, int64_t interval_ms) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.algorithm = algorithm;
  options.permits = permits;
  options.interval_ms = interval_ms;
  return options;
}

// 100 M a second: `now` rows ask ten million times a second, and no row faster than 50 million.
weir_limiter_options wide(uint32_t algorithm) { return rate(algorithm, 100'000'000, 1000); }

void allow_now(benchmark::State &state, uint32_t algorithm) {
  Rig rig;
  weir_limiter *limiter = rig.limiter(wide(algorithm));
  int64_t now = weir_runtime_now(rig.runtime());
  Row row(state, Baseline::cas);
  for (auto _ : state) {
    now += 100;
    if (weir_limiter_try_acquire_at(limiter, 1, nullptr, nullptr, now) != WEIR_OK) std::abort();
  }
}

void allow_clock(benchmark::State &state) {
  Rig rig;
  weir_limiter *limiter = rig.limiter(wide(WEIR_LIMITER_TOKEN_BUCKET));
  Row row(state, Baseline::clock);
  for (auto _ : state) {
    if (weir_limiter_try_acquire(limiter, 1, nullptr, nullptr) != WEIR_OK) std::abort();
  }
}

void deny_now(benchmark::State &state) {
  Rig rig;
  weir_limiter *limiter =
      rig.limiter(rate(WEIR_LIMITER_TOKEN_BUCKET, 1, int64_t{24} * 3600 * 1000));
  int64_t now = weir_runtime_now(rig.runtime());
  bench::require(weir_limiter_try_acquire_at(limiter, 1, nullptr, nullptr, now));
  Row row(state, Baseline::cas);
  for (auto _ : state) {
    if (weir_limiter_try_acquire_at(limiter, 1, nullptr, nullptr, ++now) == WEIR_OK) std::abort();
  }
}

void concurrency(benchmark::State &state) {
  Rig rig;
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 10;
  weir_limiter *limiter = rig.limiter(options);
  Row row(state, Baseline::cas);
  for (auto _ : state) {
    weir_permit permit;
    weir_limiter_try_acquire(limiter, 1, &permit, nullptr);
    benchmark::DoNotOptimize(weir_limiter_release(limiter, permit));
  }
}

// ---- a million keys ----

constexpr uint64_t key_count = 1'000'000;

struct Key {
  uint64_t words[2];
};

// One of the keys, in an order that no cache can foresee (a full-period congruential sequence).
class Keys {
 public:
  Key next() {
    at_ = (at_ * 1664525 + 1013904223) & ((uint64_t{1} << 32) - 1);
    uint64_t index = at_ * key_count >> 32;
    return {{index, ~index * 0x9e3779b97f4a7c15}};
  }

 private:
  uint64_t at_ = 1;
};

// Filled once: a million keys take a while, and every row may use them.
weir_limiter *keyed() {
  static Rig rig;
  static weir_limiter *limiter = [] {
    weir_limiter_options options = rate(WEIR_LIMITER_TOKEN_BUCKET, 1000, 1000);
    options.max_keys = key_count;
    weir_limiter *made = rig.limiter(options);
    for (uint64_t i = 0; i < key_count; ++i) {
      Key key = {{i, ~i * 0x9e3779b97f4a7c15}};
      weir_limiter_try_acquire_key(made, &key, sizeof(key), 1, nullptr, nullptr);
    }
    return made;
  }();
  return limiter;
}

void keyed_now(benchmark::State &state) {
  weir_limiter *limiter = keyed();
  static int64_t now = bench::now_ns();
  Keys keys;
  uint64_t denied = 0;
  Row row(state, Baseline::malloc_free);
  for (auto _ : state) {
    Key key = keys.next();
    now += 100;
    weir_status status =
        weir_limiter_try_acquire_key_at(limiter, &key, sizeof(key), 1, nullptr, nullptr, now);
    denied += status != WEIR_OK;
  }
  state.counters["denied"] = static_cast<double>(denied);
}

void keyed_clock(benchmark::State &state) {
  weir_limiter *limiter = keyed();
  Keys keys;
  uint64_t denied = 0;
  Row row(state, Baseline::clock);
  for (auto _ : state) {
    Key key = keys.next();
    weir_status status =
        weir_limiter_try_acquire_key(limiter, &key, sizeof(key), 1, nullptr, nullptr);
    denied += status != WEIR_OK;
  }
  state.counters["denied"] = static_cast<double>(denied);
}

// What the loop of the keyed rows does besides asking.
void keyed_nothing(benchmark::State &state) {
  Keys keys;
  Row row(state, Baseline::malloc_free);
  for (auto _ : state) {
    Key key = keys.next();
    benchmark::DoNotOptimize(key);
  }
}

BENCHMARK_CAPTURE(allow_now, token_bucket, WEIR_LIMITER_TOKEN_BUCKET)->Apply(bench::row);
BENCHMARK_CAPTURE(allow_now, fixed_window, WEIR_LIMITER_FIXED_WINDOW)->Apply(bench::row);
BENCHMARK_CAPTURE(allow_now, sliding_window, WEIR_LIMITER_SLIDING_WINDOW)->Apply(bench::row);
BENCHMARK(allow_clock)->Apply(bench::row);
BENCHMARK(deny_now)->Apply(bench::row);
BENCHMARK(concurrency)->Apply(bench::row);
BENCHMARK(keyed_nothing)->Apply(bench::row);
BENCHMARK(keyed_clock)->Apply(bench::cold_row);
BENCHMARK(keyed_now)->Apply(bench::cold_row);

}  // namespace
