// SPDX-License-Identifier: MIT
//
// The inside of weir_error. Message and items lie behind the header in the same block. Immortal
// errors, one for each status, are constants without a heap: they cannot fail to be there, so every
// failure has an error to show.
//
// An AGGREGATE is made with room for all that may come before the first of it does, so that listing
// a failure cannot fail; it changes until whoever made it shows it.

#pragma once

#include <weir/error.h>
#include <weir/status.h>

#include <atomic>

#include "base/heap.hh"
#include "engine/outcome.hh"

namespace weir {

// One of an aggregate's errors, and the input it came from.
struct ErrorItem {
  weir_error *error;  // one reference
  uint64_t index;
};

}  // namespace weir

struct weir_error {
  // An immortal one.
  constexpr explicit weir_error(weir_status bare_status)
      : heap(nullptr), status(bare_status), domain(WEIR_DOMAIN_WEIR), code(bare_status) {}
  weir_error(weir::Heap *error_heap, weir_status error_status, uint32_t error_domain,
             int64_t error_code)
      : heap(error_heap->retain()), status(error_status), domain(error_domain), code(error_code) {}

  void ref() {
    if (heap != nullptr) references.fetch_add(1, std::memory_order_relaxed);
  }
  void unref();

  weir::Heap *heap;
  std::atomic<uint32_t> references{1};
  weir_status status;
  uint32_t domain;
  uint32_t item_count = 0;
  uint32_t item_room = 0;
  int64_t code;
  weir::ErrorItem *items = nullptr;  // by index
  union {
    const char *message = nullptr;
    weir_error *next_ended;  // of those about to be freed
  };
  weir_error *cause = nullptr;
  weir_value *detail = nullptr;
  size_t block_size = 0;
};

namespace weir {

// An error with a copy of `message` (nullable); NULL without memory.
weir_error *make_error(Heap *heap, weir_status status, uint32_t domain, int64_t code,
                       const char *message);

// A copy of `error` with another message (nullable: its own) and another cause, which it takes a
// reference of; NULL without memory.
weir_error *copy_error(Heap *heap, const weir_error &error, const char *message, weir_error *cause);

// An empty WEIR_EAGGREGATE with room for `room` errors; NULL without memory.
weir_error *make_aggregate(Heap *heap, uint32_t room);
// Takes the reference of `failure`. There must be room.
void add_failure(weir_error &aggregate, weir_error *failure, uint64_t index);
// Writes the message, such as "all 2 failed: connection reset; timed out after 5 ms".
void complete_aggregate(weir_error &aggregate);

// A reference to what stands for a result that was judged a failure: its error, or for a value an
// exhausted one whose detail it is (bare without memory).
weir_error *failure_of(Heap *heap, const ResultFields &result);

inline weir_error *ref_error(weir_error *error) {
  if (error != nullptr) error->ref();
  return error;
}

inline void unref_error(weir_error *error) {
  if (error != nullptr) error->unref();
}

}  // namespace weir
