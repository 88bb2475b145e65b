// SPDX-License-Identifier: MIT
//
// All of weir for C++17 and later: thin, typed handles over the C API, which weir/weir.h and the
// headers it includes explain; link weir::cpp, or what pkg-config says for weir.
//
//   weir::runtime runtime;
//   weir::operation fetch{runtime, [](weir::attempt &, weir::completer<std::string> done) { ... }};
//   weir::breaker breaker{runtime, {.failure_threshold = 5}};
//   weir::retry retry{runtime, {.max_attempts = 3, .base_delay = 100ms}};
//   weir::result<std::string> page = fetch.with(breaker | retry).run({.deadline = 2s}).get();
//
// Handles are values: a copy is a reference more. Functions come as lambdas, also such that can
// only be moved. Constructors, and functions that make an operation of others, throw a
// weir::exception where something is not legal; classes have a make() that returns a weir::result
// instead, for programs without exceptions, which what throws ends. An operation's function may
// throw; any other function must not: that ends the program.
//
// Beside these: weir/testing.hpp (virtual time), weir/coroutine.hpp (co_await, C++20).

#pragma once

#include "weir/breaker.hpp"
#include "weir/cache.hpp"
#include "weir/chaos.hpp"
#include "weir/completions.hpp"
#include "weir/fallback.hpp"
#include "weir/flight.hpp"
#include "weir/hedge.hpp"
#include "weir/limiter.hpp"
#include "weir/memoize.hpp"
#include "weir/operation.hpp"
#include "weir/pacing.hpp"
#include "weir/parallel.hpp"
#include "weir/poll.hpp"
#include "weir/pool.hpp"
#include "weir/race.hpp"
#include "weir/retry.hpp"
#include "weir/scope.hpp"
#include "weir/sleep.hpp"
#include "weir/timeout.hpp"
#include "weir/waterfall.hpp"
