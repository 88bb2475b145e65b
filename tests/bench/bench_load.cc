// SPDX-License-Identifier: MIT
//
// What waits for shared work, on the thread of an attached uv loop: flights, and the cache's run
// door. Runs are started in batches of 64 with a settle callback and a call that could be
// cancelled, as in bench_run; the work completes inline with a value of 16 bytes made beforehand,
// or stays out until the batch is there.

#include <cstring>

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;

namespace {

constexpr size_t batch_size = 64;

size_t in_flight;

void note_settled(void *, weir_call *call, const weir_outcome *outcome) {
  bench::require(outcome->status);
  weir_call_unref(call);
  --in_flight;
}

// An operation whose attempts stay out until complete().
struct Held {
  explicit Held(Rig &rig) : runtime(rig.runtime()) {
    weir_start_fn start = [](void *data, weir_attempt *attempt) {
      static_cast<Held *>(data)->token = attempt->token;
    };
    bench::require(weir_value_new_bytes(runtime, "0123456789abcdef", 16, &value));
    bench::require(weir_operation_new(runtime, start, this, nullptr, &operation, nullptr));
  }
  ~Held() {
    weir_operation_unref(operation);
    weir_value_unref(value);
  }
  void complete() { bench::require(weir_complete(runtime, token, weir_value_ref(value))); }

  weir_runtime *runtime;
  weir_operation *operation = nullptr;
  weir_value *value = nullptr;
  weir_token token = 0;
};

// The keys of a batch, 16 bytes each; `round` makes them new.
struct Keys {
  struct Key {
    uint64_t words[2];
  };
  void next() {
    ++round;
    for (uint64_t i = 0; i < batch_size; ++i) keys[i] = {{i, round}};
  }
  uint64_t round = 0;
  Key keys[batch_size] = {};
};

void fly(weir_flight *flight, const Keys::Key &key, weir_operation *operation) {
  weir_call *call = nullptr;
  bench::require(weir_flight_run(flight, &key, sizeof(key), operation, nullptr, note_settled,
                                 nullptr, nullptr, &call, nullptr));
  ++in_flight;
}

void settle_all(Rig &rig) {
  while (in_flight > 0) rig.turn();
}

// Each run is the only one of its key.
void flight_alone(benchmark::State &state) {
  Rig rig;
  weir_operation *operation = rig.inline_operation();
  weir_flight *flight = nullptr;
  bench::require(weir_flight_new(rig.runtime(), nullptr, &flight, nullptr));
  Keys keys;
  auto batch = [&] {
    keys.next();
    for (const Keys::Key &key : keys.keys) fly(flight, key, operation);
    settle_all(rig);
  };
  batch();
  {
    Row row(state, Baseline::malloc_free);
    while (state.KeepRunningBatch(batch_size)) batch();
  }
  weir_flight_unref(flight);
}

// All runs of a batch wait for the work of the first.
void flight_shared(benchmark::State &state) {
  Rig rig;
  Held held(rig);
  weir_flight *flight = nullptr;
  bench::require(weir_flight_new(rig.runtime(), nullptr, &flight, nullptr));
  Keys keys;
  auto batch = [&] {
    for (size_t i = 0; i < batch_size; ++i) fly(flight, keys.keys[0], held.operation);
    rig.turn();
    held.complete();
    settle_all(rig);
  };
  batch();
  {
    Row row(state, Baseline::malloc_free);
    while (state.KeepRunningBatch(batch_size)) batch();
  }
  weir_flight_unref(flight);
}

weir_cache *new_cache(Rig &rig) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  weir_cache *cache = nullptr;
  bench::require(weir_cache_new(rig.runtime(), &options, &cache, nullptr));
  return cache;
}

void get(weir_cache *cache, const Keys::Key &key, weir_operation *loader) {
  weir_call *call = nullptr;
  bench::require(weir_cache_get(cache, &key, sizeof(key), loader, note_settled, nullptr, nullptr,
                                &call, nullptr));
  ++in_flight;
}

// Gets of keys that are there.
void get_hit(benchmark::State &state) {
  Rig rig;
  weir_operation *loader = rig.inline_operation();
  weir_cache *cache = new_cache(rig);
  Keys keys;
  keys.next();
  auto batch = [&] {
    for (const Keys::Key &key : keys.keys) get(cache, key, loader);
    settle_all(rig);
  };
  batch();
  {
    Row row(state, Baseline::malloc_free);
    while (state.KeepRunningBatch(batch_size)) batch();
  }
  weir_cache_unref(cache);
}

// Gets of keys that are new, in a cache that is full: each loads, stores and evicts.
void get_miss(benchmark::State &state) {
  Rig rig;
  weir_operation *loader = rig.inline_operation();
  weir_cache *cache = new_cache(rig);
  Keys keys;
  auto batch = [&] {
    keys.next();
    for (const Keys::Key &key : keys.keys) get(cache, key, loader);
    settle_all(rig);
  };
  for (int i = 0; i < 100; ++i) batch();
  {
    Row row(state, Baseline::malloc_free);
    while (state.KeepRunningBatch(batch_size)) batch();
  }
  weir_cache_unref(cache);
}

// All gets of a batch wait for the load of the first.
void get_shared(benchmark::State &state) {
  Rig rig;
  Held held(rig);
  weir_cache *cache = new_cache(rig);
  Keys keys;
  keys.next();
  auto batch = [&] {
    for (size_t i = 0; i < batch_size; ++i) get(cache, keys.keys[0], held.operation);
    rig.turn();
    held.complete();
    settle_all(rig);
    bench::require(weir_cache_invalidate(cache, &keys.keys[0], sizeof(Keys::Key)));
  };
  batch();
  {
    Row row(state, Baseline::malloc_free);
    while (state.KeepRunningBatch(batch_size)) batch();
  }
  weir_cache_unref(cache);
}

// A batch as one get of many, all there.
void get_many_hit(benchmark::State &state) {
  Rig rig;
  weir_operation *loader = rig.inline_operation();
  weir_cache *cache = new_cache(rig);
  Keys keys;
  keys.next();
  for (const Keys::Key &key : keys.keys) get(cache, key, loader);
  settle_all(rig);
  const void *names[batch_size];
  size_t sizes[batch_size];
  for (size_t i = 0; i < batch_size; ++i) {
    names[i] = &keys.keys[i];
    sizes[i] = sizeof(Keys::Key);
  }
  {
    Row row(state, Baseline::malloc_free);
    while (state.KeepRunningBatch(batch_size)) {
      weir_call *call = nullptr;
      bench::require(weir_cache_get_many(cache, names, sizes, batch_size, loader, note_settled,
                                         nullptr, nullptr, &call, nullptr));
      ++in_flight;
      settle_all(rig);
    }
  }
  weir_cache_unref(cache);
}

BENCHMARK(flight_alone)->Apply(bench::row);
BENCHMARK(flight_shared)->Apply(bench::row);
BENCHMARK(get_hit)->Apply(bench::row);
BENCHMARK(get_miss)->Apply(bench::row);
BENCHMARK(get_shared)->Apply(bench::row);
BENCHMARK(get_many_hit)->Apply(bench::row);

}  // namespace
