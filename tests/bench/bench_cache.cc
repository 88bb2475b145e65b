// SPDX-License-Identifier: MIT
//
// The cache's decide door: 1000 keys of 16 bytes in a cache that holds them all, looked up in an
// order that has no pattern. `now` rows are given the time, `clock` rows let the cache read what it
// needs. Rows of two threads time one thread's operation while another does the same.

#include <algorithm>
#include <cstdlib>

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;

namespace {

struct Key {
  uint64_t words[2];
};

Key key_of(uint64_t index) { return {{index, ~index * 0x9e3779b97f4a7c15}}; }

class Cache {
 public:
  Cache(Rig &rig, int64_t max_entries, uint32_t eviction = WEIR_EVICTION_ADAPTIVE) : rig_(rig) {
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.max_entries = max_entries;
    options.eviction = eviction;
    weir_error *error = nullptr;
    bench::require(weir_cache_new(rig.runtime(), &options, &cache_, &error), error);
  }
  Cache(const Cache &) = delete;
  Cache &operator=(const Cache &) = delete;
  ~Cache() { weir_cache_unref(cache_); }

  weir_cache *get() const { return cache_; }

  // Keys 0 to count - 1, each with a value of 16 bytes of its own.
  void fill(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      Key key = key_of(i);
      weir_value *value = nullptr;
      bench::require(weir_value_new_bytes(rig_.runtime(), &key, sizeof(key), &value));
      bench::require(weir_cache_put(cache_, &key, sizeof(key), value));
      weir_value_unref(value);
    }
  }

 private:
  Rig &rig_;
  weir_cache *cache_ = nullptr;
};

// Indices below a bound in an order without a pattern, made beforehand.
class alignas(64) Order {
 public:
  static constexpr size_t length = 1 << 14;

  Order(uint64_t bound, uint64_t seed) : keys_(length) {
    for (Key &key : keys_) {
      seed = seed * 6364136223846793005 + 1442695040888963407;
      key = key_of((seed >> 33) % bound);
    }
  }
  const Key &next() { return keys_[at_++ & (length - 1)]; }

 private:
  std::vector<Key> keys_;
  size_t at_ = 0;
};

constexpr uint64_t hit_keys = 1000;

void hit(benchmark::State &state, bool clock) {
  Rig rig;
  Cache cache(rig, hit_keys + 24);
  cache.fill(hit_keys);
  Order order(hit_keys, 1);
  int64_t now = weir_runtime_now(rig.runtime());
  Row row(state, clock ? Baseline::coarse_clock : Baseline::cas);
  for (auto _ : state) {
    const Key &key = order.next();
    weir_value *value = nullptr;
    weir_status status = clock ? weir_cache_lookup(cache.get(), &key, sizeof(key), &value)
                               : weir_cache_lookup_at(cache.get(), &key, sizeof(key), now, &value);
    if (status != WEIR_OK) std::abort();
    weir_value_unref(value);
  }
}

void hit_copy(benchmark::State &state, bool clock) {
  Rig rig;
  Cache cache(rig, hit_keys + 24);
  cache.fill(hit_keys);
  Order order(hit_keys, 1);
  int64_t now = weir_runtime_now(rig.runtime());
  Row row(state, clock ? Baseline::coarse_clock : Baseline::cas);
  char bytes[16];
  for (auto _ : state) {
    const Key &key = order.next();
    weir_status status = clock ? weir_cache_lookup_copy(cache.get(), &key, sizeof(key), bytes,
                                                        sizeof(bytes), nullptr)
                               : weir_cache_lookup_copy_at(cache.get(), &key, sizeof(key), now,
                                                           bytes, sizeof(bytes), nullptr);
    if (status != WEIR_OK) std::abort();
    benchmark::DoNotOptimize(bytes);
  }
}

void miss(benchmark::State &state) {
  Rig rig;
  Cache cache(rig, hit_keys + 24);
  cache.fill(hit_keys);
  int64_t now = weir_runtime_now(rig.runtime());
  uint64_t index = hit_keys;
  Row row(state, Baseline::cas);
  for (auto _ : state) {
    Key key = key_of(++index);
    weir_value *value = nullptr;
    if (weir_cache_lookup_at(cache.get(), &key, sizeof(key), now, &value) == WEIR_OK) std::abort();
  }
}

// Each put is of a new key and evicts; all put one value.
void put_evicting(benchmark::State &state, uint32_t eviction, bool clock) {
  Rig rig;
  Cache cache(rig, hit_keys, eviction);
  cache.fill(2 * hit_keys);
  weir_value *value = nullptr;
  bench::require(weir_value_new_bytes(rig.runtime(), "0123456789abcdef", 16, &value));
  int64_t now = weir_runtime_now(rig.runtime());
  uint64_t index = 2 * hit_keys;
  {
    Row row(state, Baseline::malloc_free);
    for (auto _ : state) {
      Key key = key_of(++index);
      weir_status status = clock ? weir_cache_put(cache.get(), &key, sizeof(key), value)
                                 : weir_cache_put_at(cache.get(), &key, sizeof(key), value, now);
      if (status != WEIR_OK) std::abort();
    }
  }
  weir_value_unref(value);
}

void put_over(benchmark::State &state) {
  Rig rig;
  Cache cache(rig, hit_keys + 24);
  cache.fill(hit_keys);
  Order order(hit_keys, 1);
  weir_value *value = nullptr;
  bench::require(weir_value_new_bytes(rig.runtime(), "0123456789abcdef", 16, &value));
  int64_t now = weir_runtime_now(rig.runtime());
  {
    Row row(state, Baseline::malloc_free);
    for (auto _ : state) {
      const Key &key = order.next();
      if (weir_cache_put_at(cache.get(), &key, sizeof(key), value, now) != WEIR_OK) std::abort();
    }
  }
  weir_value_unref(value);
}

// ---- two threads ----

constexpr int64_t together_rounds = 1000;

void together(benchmark::State &state, auto body) {
  Row row(state, Baseline::contended);
  for (auto _ : state) {
    double ns = bench::Together::measure(together_rounds, body);
    state.SetIterationTime(ns * 1e-9);
  }
}

enum class Share { lookups, lookups_apart, copies, copies_apart, refs };

// Both threads look the same keys up, in orders of their own (`apart`: in caches of their own); or
// only ref and unref their values.
void two_threads_hit(benchmark::State &state, uint64_t keys, Share share) {
  Rig rig;
  Cache one(rig, hit_keys + 24);
  Cache other(rig, hit_keys + 24);
  one.fill(keys);
  other.fill(keys);
  bool apart = share == Share::lookups_apart || share == Share::copies_apart;
  weir_cache *caches[] = {one.get(), apart ? other.get() : one.get()};
  Order orders[] = {Order(keys, 1), Order(keys, 99)};
  int64_t now = weir_runtime_now(rig.runtime());
  std::vector<weir_value *> values[2];
  for (int side = 0; side < 2; ++side) {
    for (size_t i = 0; i < Order::length; ++i) {
      const Key &key = orders[side].next();
      weir_value *value = nullptr;
      bench::require(weir_cache_lookup(one.get(), &key, sizeof(key), &value));
      values[side].push_back(value);
    }
  }
  struct alignas(64) At {
    size_t index = 0;
  };
  At at[2];
  if (share == Share::refs) {
    together(state, [&](int side) {
      weir_value *value = values[side][at[side].index++ & (Order::length - 1)];
      weir_value_unref(weir_value_ref(value));
    });
  } else if (share == Share::copies || share == Share::copies_apart) {
    together(state, [&](int side) {
      const Key &key = orders[side].next();
      char bytes[16];
      if (weir_cache_lookup_copy_at(caches[side], &key, sizeof(key), now, bytes, sizeof(bytes),
                                    nullptr) != WEIR_OK) {
        std::abort();
      }
    });
  } else {
    together(state, [&](int side) {
      const Key &key = orders[side].next();
      weir_value *value = nullptr;
      if (weir_cache_lookup_at(caches[side], &key, sizeof(key), now, &value) != WEIR_OK) {
        std::abort();
      }
      weir_value_unref(value);
    });
  }
  for (auto &side : values) weir_values_unref(side.data(), side.size());
}

// Indices of keys by a Zipf distribution of exponent 1.
class alignas(64) Skewed {
 public:
  static constexpr size_t length = 1 << 16;

  Skewed(uint64_t keys, uint64_t seed) : indices_(length) {
    std::vector<double> sums(keys);
    double sum = 0;
    for (uint64_t i = 0; i < keys; ++i) sums[i] = sum += 1.0 / static_cast<double>(i + 1);
    for (uint32_t &index : indices_) {
      seed = seed * 6364136223846793005 + 1442695040888963407;
      double point = static_cast<double>(seed >> 11) * 0x1.0p-53 * sum;
      auto found = std::lower_bound(sums.begin(), sums.end(), point) - sums.begin();
      index = static_cast<uint32_t>(found);
    }
  }
  uint32_t next() { return indices_[at_++ & (length - 1)]; }
  size_t at() const { return at_; }

 private:
  std::vector<uint32_t> indices_;
  size_t at_ = 0;
};

// A cache that holds a tenth of the keys; of ten operations one is a put, the others look up.
class Mixed {
 public:
  Mixed(Rig &rig, uint64_t entries)
      : cache_(rig, static_cast<int64_t>(entries)),
        sides_{Skewed(10 * entries, 1), Skewed(10 * entries, 99)},
        now_(weir_runtime_now(rig.runtime())) {
    for (uint64_t i = 0; i < 10 * entries; ++i) {
      Key key = key_of(i);
      weir_value *value = nullptr;
      bench::require(weir_value_new_bytes(rig.runtime(), &key, sizeof(key), &value));
      values_.push_back(value);
    }
    for (int i = 0; i < 400000; ++i) step(i % 2);
  }
  ~Mixed() { weir_values_unref(values_.data(), values_.size()); }

  void step(int side) {
    Skewed &order = sides_[side];
    uint32_t index = order.next();
    Key key = key_of(index);
    if (order.at() % 10 == 0) {
      weir_status status = weir_cache_put_at(cache_.get(), &key, sizeof(key), values_[index], now_);
      if (status != WEIR_OK) std::abort();
      return;
    }
    weir_value *found = nullptr;
    weir_cache_lookup_at(cache_.get(), &key, sizeof(key), now_, &found);
    weir_value_unref(found);
  }

 private:
  Cache cache_;
  std::vector<weir_value *> values_;
  Skewed sides_[2];
  int64_t now_;
};

enum class Threads { one, two, two_apart };

// Two threads at one cache, or (`two_apart`) each at one of its own: what the machine can do.
void skewed(benchmark::State &state, uint64_t entries, Threads threads) {
  Rig rig;
  Mixed mixed(rig, entries);
  Mixed other(rig, entries);
  if (threads != Threads::one) {
    Mixed *caches[] = {&mixed, threads == Threads::two ? &mixed : &other};
    together(state, [&](int side) { caches[side]->step(side); });
    return;
  }
  Row row(state, Baseline::contended);
  for (auto _ : state) {
    int64_t best = INT64_MAX;
    for (int i = 0; i < 200; ++i) {
      int64_t began = bench::now_ns();
      for (int64_t j = 0; j < together_rounds; ++j) mixed.step(0);
      best = std::min(best, bench::now_ns() - began);
    }
    state.SetIterationTime(static_cast<double>(best) / together_rounds * 1e-9);
  }
}

BENCHMARK_CAPTURE(hit, now, false)->Apply(bench::row);
BENCHMARK_CAPTURE(hit, clock, true)->Apply(bench::row);
BENCHMARK_CAPTURE(hit_copy, now, false)->Apply(bench::row);
BENCHMARK_CAPTURE(hit_copy, clock, true)->Apply(bench::row);
BENCHMARK(miss)->Apply(bench::row);
BENCHMARK_CAPTURE(put_evicting, adaptive, WEIR_EVICTION_ADAPTIVE, false)->Apply(bench::row);
BENCHMARK_CAPTURE(put_evicting, adaptive_clock, WEIR_EVICTION_ADAPTIVE, true)->Apply(bench::row);
BENCHMARK_CAPTURE(put_evicting, s3_fifo, WEIR_EVICTION_S3_FIFO, false)->Apply(bench::row);
BENCHMARK_CAPTURE(put_evicting, lru, WEIR_EVICTION_LRU, false)->Apply(bench::row);
BENCHMARK(put_over)->Apply(bench::row);
BENCHMARK_CAPTURE(two_threads_hit, lookups_1000, 1000, Share::lookups)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(two_threads_hit, apart_1000, 1000, Share::lookups_apart)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(two_threads_hit, copies_1000, 1000, Share::copies)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(two_threads_hit, copies_apart_1000, 1000, Share::copies_apart)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(two_threads_hit, refs_1000, 1000, Share::refs)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(two_threads_hit, lookups_1, 1, Share::lookups)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(two_threads_hit, refs_1, 1, Share::refs)->Apply(bench::timed_row)->Iterations(1);
BENCHMARK_CAPTURE(skewed, one_thread_1000, 1000, Threads::one)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(skewed, two_threads_1000, 1000, Threads::two)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(skewed, apart_1000, 1000, Threads::two_apart)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(skewed, one_thread_16384, 16384, Threads::one)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(skewed, two_threads_16384, 16384, Threads::two)
    ->Apply(bench::timed_row)
    ->Iterations(1);
BENCHMARK_CAPTURE(skewed, apart_16384, 16384, Threads::two_apart)
    ->Apply(bench::timed_row)
    ->Iterations(1);

}  // namespace
