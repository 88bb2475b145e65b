// SPDX-License-Identifier: MIT
//
// The inside of weir_error. The message lies behind the header in the same block. Immortal errors,
// one for each status, are constants without a heap: they cannot fail to be there, so every failure
// has an error to show.

#pragma once

#include <weir/error.h>
#include <weir/status.h>

#include <atomic>

#include "base/heap.hh"

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
  int64_t code;
  const char *message = nullptr;
  weir_error *cause = nullptr;
  weir_value *detail = nullptr;
  size_t block_size = 0;
};

namespace weir {

// An error with a copy of `message` (nullable); NULL without memory.
weir_error *make_error(Heap *heap, weir_status status, uint32_t domain, int64_t code,
                       const char *message);

inline weir_error *ref_error(weir_error *error) {
  if (error != nullptr) error->ref();
  return error;
}

inline void unref_error(weir_error *error) {
  if (error != nullptr) error->unref();
}

}  // namespace weir
