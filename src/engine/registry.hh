// SPDX-License-Identifier: MIT
//
// A runtime's policies by name: chains of entries, each of which holds an outside reference of its
// policy. Any thread.
//
// Invariants:
// - The mutex guards the chains and `closed_`; no entry is made, freed or let go of under it, since
//   that may run the user's code.
// - Once `closed_` is set, which the runtime's end does when everything has settled, nothing comes
//   in, and what was in is given back.

#pragma once

#include <weir/registry.h>

#include "base/heap.hh"
#include "base/mutex.hh"

namespace weir {

class Registry {
 public:
  explicit Registry(Heap *heap) : heap_(heap) {}
  Registry(const Registry &) = delete;
  Registry &operator=(const Registry &) = delete;

  // The name is legal. WEIR_OK, WEIR_EEXISTS, WEIR_ECLOSED, WEIR_ENOMEM.
  weir_status add(weir_policy &policy);
  // A new reference; NULL if there is none of that name.
  weir_policy *find(const char *name);
  bool remove(weir_policy &policy);
  // Gives everything back. Once.
  void close();

 private:
  struct Entry {
    Entry *next;
    weir_policy *policy;
  };

  static constexpr uint64_t chains = 16;

  // The link that leads to the entry of that name, or the chain's last, empty one.
  Entry **link_to(const char *name);

  Heap *heap_;
  Mutex mutex_;
  bool closed_ = false;
  Entry *chains_[chains] = {};
};

}  // namespace weir
