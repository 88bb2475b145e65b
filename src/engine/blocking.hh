// SPDX-License-Identifier: MIT
//
// Work that a driver hands to a pool thread.

#pragma once

namespace weir {

struct BlockingWork {
  void (*work)(BlockingWork &work) = nullptr;  // on a pool thread
  void (*done)(BlockingWork &work) = nullptr;  // on the engine's thread afterwards; frees it
};

}  // namespace weir
