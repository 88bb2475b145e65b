// SPDX-License-Identifier: MIT
//
// What the tests share: a type that counts its copies and that can be told to have been moved, an
// exception of the tests' own, and no chrono suffixes spelled out.

#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "weir/testing.hpp"
#include "weir/weir.hpp"

using namespace std::chrono_literals;

namespace support {

struct mishap : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Counts copies of what began as one object.
struct counted {
  explicit counted(int number) : number(number), copies(std::make_shared<int>(0)) {}
  counted(const counted &other) : number(other.number), copies(other.copies) { ++*copies; }
  counted(counted &&) = default;
  counted &operator=(const counted &) = delete;
  counted &operator=(counted &&) = default;

  int number;
  std::shared_ptr<int> copies;
};

// An operation that fails so often, then succeeds with the number of its try.
inline weir::operation<int> fails(const weir::runtime &runtime, std::uint32_t times) {
  return {runtime, [times](weir::attempt &attempt) -> weir::result<int> {
            if (attempt.number() <= times) return weir::error(attempt.number(), "not yet");
            return static_cast<int>(attempt.number());
          }};
}

// One that never completes by itself, until it is told to stop.
inline weir::operation<int> hangs(const weir::runtime &runtime) {
  return {runtime, [](weir::attempt &attempt, weir::completer<int> done) {
            attempt.on_cancel([done = std::make_shared<weir::completer<int>>(std::move(done))](
                                  weir::cancel_reason) { done->fail(1, "stopped"); });
          }};
}

}  // namespace support
