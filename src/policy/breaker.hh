// SPDX-License-Identifier: MIT
//
// The breaker as a handle: a core that decides, and what connects it to a runtime. Everything that
// few breakers have (a classifier, listeners) is memory of its own, so that an idle breaker with
// its places for trials stays within 512 bytes.

#pragma once

#include "engine/change_records.hh"
#include "engine/changes.hh"
#include "engine/policy.hh"
#include "policy/breaker_core.hh"

namespace weir {

extern const LayerType breaker_layer;

// Who hears of changes: the option's function or queue, and the runtime's event listener.
class BreakerListeners : public BreakerCore::Ring {
 public:
  explicit BreakerListeners(weir_breaker &breaker);
  ~BreakerListeners();

  // `queue` nullable. False without memory.
  bool begin(Callback<weir_breaker_change_fn> &&callback, weir_completions *queue, uint64_t user);

 private:
  static void deliver(Handle &owner, const weir_breaker_change &change);
  uint64_t gap_before(uint64_t sequence);

  Callback<weir_breaker_change_fn> callback_;
  ChangeRecords *records_ = nullptr;
  uint64_t last_sequence_ = 0;
};

// The rejection that a refusal stands for.
weir_rejection breaker_rejection(weir_breaker &breaker, BreakerRefusal refusal);

}  // namespace weir

struct weir_breaker : weir_policy {
  explicit weir_breaker(weir_runtime *owner);
  ~weir_breaker();

  weir::BreakerCore core;
  // The core's ring is it; NULL: nobody listens.
  weir::BreakerListeners *listeners() const {
    return static_cast<weir::BreakerListeners *>(core.ring());
  }

  weir::Classifier *classifier = nullptr;  // NULL: the table in weir/status.h
  weir_error *refusal_error = nullptr;     // made by the first run; the engine's thread
};
