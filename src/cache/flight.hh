// SPDX-License-Identifier: MIT
//
// The inside of weir_flight: a table of the shared runs that are going on, by key. The key lies in
// the shared run's own request.
//
// Invariants:
// - A FlightRun is in the table from its start until it settles, is abandoned or forgotten.
// - The flight is entered for each FlightRun until that has settled, in the table or not.
// - Everything but the counters belongs to the engine's thread.

#pragma once

#include <weir/flight.h>

#include <atomic>

#include "base/hash_map.hh"
#include "cache/shared_run.hh"

namespace weir {

extern const LayerType flight_layer;

struct FlightRun : SharedRun, SharedKey, HashNode {
  weir_flight *flight;
  bool listed;  // in the table
};

}  // namespace weir

// As an operation it is the one whose runs bring along what they run (RunRequest::inner).
struct weir_flight : weir_operation {
  explicit weir_flight(weir_runtime *runtime);
  ~weir_flight();

  // False without memory.
  bool complete(const weir_flight_options &options);

  // The run of `waiter` begins to wait for its key, whose work is `operation`; unless this fails.
  weir_status begin(weir_operation &operation, weir::RunWaiter &waiter);
  // Before `waiter` leaves its key, if it has one.
  void count_leaving(const weir::RunWaiter &waiter);
  void forget(const void *key, size_t key_size);
  void fill(weir_flight_stats &stats) const;

 private:
  weir_status start(weir_operation &operation, const weir::RunRequest &first, uint64_t hash,
                    weir::FlightRun *&started);
  // The run that is going on for a key; NULL if there is none. `hash` gets the key's.
  weir::FlightRun *find(const void *key, size_t key_size, uint64_t &hash) const;
  void unlist(weir::FlightRun &run);

  static void run_settled(weir::SharedRun &shared, const weir_outcome &outcome);
  static void run_abandoned(weir::SharedRun &shared);
  static const weir::SharedRun::Kind kind;

  weir::SharedPolicy *policy_ = nullptr;
  weir::HashMap<weir::FlightRun> runs_;
  uint64_t hash_seed_;
  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> begun_{0};
  std::atomic<uint64_t> shared_{0};
  std::atomic<uint64_t> running_{0};
  std::atomic<uint64_t> waiting_{0};
};
