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
// Handles are values: a copy is a reference more, and equal; what was moved from is empty, and
// refuses what is asked of it (status::invalid). Functions come as lambdas, also such that can only
// be moved. Constructors, and functions that make an operation of others, throw a weir::exception
// where something is not legal; classes have a make(), and those functions a make_ form, that
// returns a weir::result instead, for programs without exceptions, which what throws ends. An
// operation's function may throw; any other function must not: that ends the program.
//
// Views are lent: a std::string_view of an error, a rejection or an attempt lives as long as that
// object, and what a listener is shown as long as it runs. Functions are kept: what they capture by
// reference has to live until the last run of their operation is over.
//
// Beside these: weir/testing.hpp (virtual time), weir/coroutine.hpp (co_await, C++20).
//
// What of the C API has no name of its own here:
//
//   host values, ITEM and EVENT   for languages that must not be called back; see completions.hpp
//   weir_run_wait                 run({.deadline = ...}).get()
//   weir_complete_pointer,        any object completes (box.hpp), any error fails
//   weir_fail_with
//   weir_x_init, weir_x_ref,      structs of options have their defaults, handles are counted, and
//   weir_x_unref, _release        values go with their last copy
//   stats, audit, recorder        structs of C: their numbers need no other names; nor do limits
//                                 such as WEIR_PIPELINE_MAX, and the version's macros

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
