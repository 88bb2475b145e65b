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

BENCHMARK(flight_alone)->Apply(bench::row);
BENCHMARK(flight_shared)->Apply(bench::row);

}  // namespace
