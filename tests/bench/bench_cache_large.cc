// SPDX-License-Identifier: MIT
//
// A cache of ten million entries (WEIR_BENCH_ENTRIES in the environment; 100 000 without it), and
// what the slowest lookups wait for.
//
// `entries` puts a key of 16 bytes for each, all with one value, and then twice as many others:
//   bytes           of the allocator's for an entry beside the key's, right after filling
//   bytes_churned   the same after the others
//   put_ns, churn_ns   of one put
//   look_ns         of one lookup at random, cold; hit_ratio says how many were hits
//
// `tail` takes the time of each lookup by two clock reads, whose own time is in it, while another
// thread does nothing, or writes to the same cache as fast as it can; percentiles in nanoseconds.
// The machine's own interruptions are in the last ones: see the row without a writer.

#include <algorithm>
#include <cstdlib>

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;
using bench::Scale;

namespace {

struct Key {
  uint64_t words[2];
};

Key key_of(uint64_t index) { return {{index, ~index * 0x9e3779b97f4a7c15}}; }

class Cache {
 public:
  Cache(Rig &rig, int64_t max_entries, uint32_t eviction) {
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.max_entries = max_entries;
    options.eviction = eviction;
    weir_error *error = nullptr;
    bench::require(weir_cache_new(rig.runtime(), &options, &cache_, &error), error);
    bench::require(weir_value_new_bytes(rig.runtime(), "0123456789abcdef", 16, &value_));
    now_ = weir_runtime_now(rig.runtime());
  }
  Cache(const Cache &) = delete;
  Cache &operator=(const Cache &) = delete;
  ~Cache() {
    weir_cache_unref(cache_);
    weir_value_unref(value_);
  }

  void put(uint64_t index) {
    Key key = key_of(index);
    bench::require(weir_cache_put_at(cache_, &key, sizeof(key), value_, now_));
  }
  // Nanoseconds a put.
  double put_all(uint64_t first, uint64_t end) {
    int64_t began = bench::now_ns();
    for (uint64_t i = first; i < end; ++i) put(i);
    return static_cast<double>(bench::now_ns() - began) / static_cast<double>(end - first);
  }
  bool look(uint64_t index) {
    Key key = key_of(index);
    char bytes[16];
    return weir_cache_lookup_copy_at(cache_, &key, sizeof(key), now_, bytes, sizeof(bytes),
                                     nullptr) == WEIR_OK;
  }
  uint64_t entries() {
    weir_cache_stats stats = {};
    stats.size = sizeof(stats);
    bench::require(weir_cache_get_stats(cache_, &stats));
    return stats.entries;
  }

 private:
  weir_cache *cache_ = nullptr;
  weir_value *value_ = nullptr;
  int64_t now_ = 0;
};

uint64_t entry_count() {
  const char *given = std::getenv("WEIR_BENCH_ENTRIES");
  return given == nullptr ? 100'000 : std::strtoull(given, nullptr, 10);
}

uint64_t next_random(uint64_t &state) {
  state = state * 6364136223846793005 + 1442695040888963407;
  return state >> 33;
}

void entries(benchmark::State &state, uint32_t eviction) {
  uint64_t count = entry_count();
  Scale scale;
  weir_allocator allocator = scale.allocator();
  Rig rig(WEIR_DRIVER_UV, &allocator);
  Cache cache(rig, static_cast<int64_t>(count), eviction);
  int64_t before = scale.bytes;
  auto bytes_an_entry = [&] {
    auto held = static_cast<double>(cache.entries());
    return static_cast<double>(scale.bytes - before) / held - sizeof(Key);
  };
  Row row(state, Baseline::malloc_free);
  for (auto _ : state) {
    state.counters["entries"] = static_cast<double>(count);
    double put_ns = cache.put_all(0, count);
    state.counters["put_ns"] = put_ns;
    state.counters["bytes"] = bytes_an_entry();
    state.counters["churn_ns"] = cache.put_all(count, 3 * count);
    state.counters["bytes_churned"] = bytes_an_entry();
    uint64_t random = 1;
    uint64_t hits = 0;
    constexpr uint64_t looks = 1'000'000;
    int64_t began = bench::now_ns();
    for (uint64_t i = 0; i < looks; ++i) {
      hits += cache.look(3 * count - 1 - next_random(random) % (count / 2)) ? 1 : 0;
    }
    state.counters["look_ns"] = static_cast<double>(bench::now_ns() - began) / looks;
    state.counters["hit_ratio"] = static_cast<double>(hits) / looks;
    state.SetIterationTime(put_ns * 1e-9);
  }
}

void tail(benchmark::State &state, bool with_writer) {
  constexpr uint64_t keys = 100'000;
  constexpr size_t looks = 2'000'000;
  bench::unpin();
  Rig rig(WEIR_DRIVER_THREAD);
  Cache cache(rig, keys, WEIR_EVICTION_ADAPTIVE);
  cache.put_all(0, keys);
  std::vector<uint32_t> took(looks);
  for (auto _ : state) {
    std::atomic<bool> stop{false};
    std::thread writer([&] {
      bench::pin(0);
      uint64_t random = 7;
      while (with_writer && !stop.load(std::memory_order_relaxed)) {
        cache.put(next_random(random) % (2 * keys));
      }
    });
    bench::pin(1);
    uint64_t random = 1;
    Row row(state, Baseline::clock);
    for (uint32_t &nanoseconds : took) {
      uint64_t index = next_random(random) % keys;
      int64_t began = bench::now_ns();
      cache.look(index);
      nanoseconds = static_cast<uint32_t>(bench::now_ns() - began);
    }
    stop.store(true, std::memory_order_relaxed);
    writer.join();
    std::sort(took.begin(), took.end());
    state.SetIterationTime(took[looks / 2] * 1e-9);
    state.counters["p50"] = took[looks / 2];
    state.counters["p99"] = took[looks / 100 * 99];
    state.counters["p99.9"] = took[looks / 1000 * 999];
    state.counters["p99.99"] = took[looks / 10000 * 9999];
    state.counters["max"] = took.back();
  }
}

void once(benchmark::internal::Benchmark *benchmark) {
  benchmark->UseManualTime()->Iterations(1)->Repetitions(1)->Unit(benchmark::kNanosecond);
}

BENCHMARK_CAPTURE(entries, adaptive, WEIR_EVICTION_ADAPTIVE)->Apply(once);
BENCHMARK_CAPTURE(entries, s3_fifo, WEIR_EVICTION_S3_FIFO)->Apply(once);
BENCHMARK_CAPTURE(entries, lru, WEIR_EVICTION_LRU)->Apply(once);
BENCHMARK_CAPTURE(tail, alone, false)->Apply(once);
BENCHMARK_CAPTURE(tail, beside_a_writer, true)->Apply(once);

}  // namespace
