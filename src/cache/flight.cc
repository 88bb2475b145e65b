// SPDX-License-Identifier: MIT
#include "cache/flight.hh"

#include <cstring>

#include "base/hash.hh"
#include "base/time.hh"
#include "engine/runtime.hh"

namespace weir {

namespace {

void count_flight(std::atomic<uint64_t> &counter, int64_t change) {
  counter.store(counter.load(std::memory_order_relaxed) + static_cast<uint64_t>(change),
                std::memory_order_relaxed);
}

}  // namespace
}  // namespace weir

using weir::FlightRun;
using weir::RunRequest;
using weir::SharedRun;

const SharedRun::Kind weir_flight::kind = {sizeof(FlightRun), run_settled, run_abandoned};

weir_flight::weir_flight(weir_runtime *runtime)
    : weir_operation(runtime, weir::end_handle<weir_flight>, &weir::flight_layer),
      runs_(runtime->heap()),
      hash_seed_(runtime->random().next()) {}

weir_flight::~weir_flight() { weir::unref_handle(policy_); }

bool weir_flight::complete(const weir_flight_options &options) {
  if (!set_name(options.name)) return false;
  policy_ = weir::SharedPolicy::make(runtime(), weir::ms_to_ns(options.timeout_ms), "flight",
                                     options.name);
  return policy_ != nullptr;
}

FlightRun *weir_flight::find(const void *key, size_t key_size, uint64_t &hash) const {
  hash = weir::hash_bytes(key, key_size, hash_seed_);
  return runs_.find(hash, [&](const FlightRun &run) {
    const RunRequest &request = run.request;
    return request.key_size == key_size &&
           (key_size == 0 || std::memcmp(request.key, key, key_size) == 0);
  });
}

// ---- runs come and leave ----

weir_status weir_flight::begin(weir_operation &operation, weir::RunWaiter &waiter) {
  const RunRequest &request = waiter.run->request();
  uint64_t hash = 0;
  FlightRun *run = find(request.key, request.key_size, hash);
  bool found = run != nullptr;
  if (!found) {
    weir_status status = start(operation, request, hash, run);
    if (status != WEIR_OK) return status;
  }
  run->join(waiter);
  weir::count_flight(calls_, 1);
  weir::count_flight(waiting_, 1);
  weir::count_flight(found ? shared_ : begun_, 1);
  return WEIR_OK;
}

weir_status weir_flight::start(weir_operation &operation, const RunRequest &first, uint64_t hash,
                               FlightRun *&started) {
  if (!runs_.prepare()) return WEIR_ENOMEM;
  const void *key = first.key == nullptr ? "" : first.key;
  SharedRun *shared = nullptr;
  weir_status status = weir::start_shared(
      {policy_, &kind, &operation, &first, first.input, key, first.key_size, false}, shared);
  if (status != WEIR_OK) return status;
  started = static_cast<FlightRun *>(shared);
  new (static_cast<weir::SharedKey *>(started)) weir::SharedKey(shared);
  new (static_cast<weir::HashNode *>(started)) weir::HashNode();
  started->flight = this;
  started->listed = true;
  runs_.insert(started, hash);
  weir::count_flight(running_, 1);
  enter();
  return WEIR_OK;
}

void weir_flight::count_leaving(const weir::RunWaiter &waiter) {
  if (waiter.key != nullptr) weir::count_flight(waiting_, -1);
}

// ---- the work ends ----

void weir_flight::unlist(FlightRun &run) {
  if (!run.listed) return;
  run.listed = false;
  runs_.remove(&run);
}

void weir_flight::run_settled(SharedRun &shared, const weir_outcome &outcome) {
  auto &run = static_cast<FlightRun &>(shared);
  weir_flight &flight = *run.flight;
  flight.unlist(run);
  uint32_t told = run.tell(outcome, run.run);
  weir::count_flight(flight.waiting_, -static_cast<int64_t>(told));
  weir::count_flight(flight.running_, -1);
  flight.leave();
}

void weir_flight::run_abandoned(SharedRun &shared) {
  auto &run = static_cast<FlightRun &>(shared);
  run.flight->unlist(run);
}

void weir_flight::forget(const void *key, size_t key_size) {
  uint64_t hash = 0;
  FlightRun *run = find(key, key_size, hash);
  if (run != nullptr) unlist(*run);
}

void weir_flight::fill(weir_flight_stats &stats) const {
  stats.calls = calls_.load(std::memory_order_relaxed);
  stats.runs = begun_.load(std::memory_order_relaxed);
  stats.shared = shared_.load(std::memory_order_relaxed);
  stats.running = running_.load(std::memory_order_relaxed);
  stats.waiting = waiting_.load(std::memory_order_relaxed);
}
