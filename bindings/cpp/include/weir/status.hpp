// SPDX-License-Identifier: MIT
//
// The enumerations of weir/status.h and weir/outcome.h as types. The numbers are theirs.

#pragma once

#include <weir/error.h>
#include <weir/operation.h>
#include <weir/outcome.h>
#include <weir/status.h>

#include <cstdint>

namespace weir {
inline namespace cpp {

// weir/status.h says what each means.
enum class status : std::int32_t {
  ok = WEIR_OK,
  invalid = WEIR_EINVAL,
  no_memory = WEIR_ENOMEM,
  abi = WEIR_EABI,
  cancelled = WEIR_ECANCELLED,
  timed_out = WEIR_ETIMEDOUT,
  no_time = WEIR_ENOTIME,
  open = WEIR_EOPEN,
  limited = WEIR_ELIMITED,
  full = WEIR_EFULL,
  failed = WEIR_EFAILED,
  aggregate = WEIR_EAGGREGATE,
  exhausted = WEIR_EEXHAUSTED,
  superseded = WEIR_ESUPERSEDED,
  stale = WEIR_ESTALE,
  closed = WEIR_ECLOSED,
  not_found = WEIR_ENOTFOUND,
  exists = WEIR_EEXISTS,
  unsupported = WEIR_ENOTSUP,
  wrong_thread = WEIR_ETHREAD,
  expired = WEIR_EEXPIRED,
  forked = WEIR_EFORKED,
  stop = WEIR_ESTOP
};

// "WEIR_EOPEN" for status::open.
inline const char *name_of(status status) {
  return weir_status_name(static_cast<weir_status>(status));
}
// One sentence, such as "circuit breaker is open".
inline const char *message_of(status status) {
  return weir_status_message(static_cast<weir_status>(status));
}

// How a policy judges an outcome; `none` leaves it to the default, which weir/status.h has a table
// of.
enum class classification : std::uint32_t {
  none = WEIR_CLASS_NONE,
  success = WEIR_CLASS_SUCCESS,
  failure = WEIR_CLASS_FAILURE,
  refusal = WEIR_CLASS_REFUSAL,
  ignore = WEIR_CLASS_IGNORE,
  abandon = WEIR_CLASS_ABANDON
};

// Why a retry or a poll gave up.
enum class stop_reason : std::uint32_t {
  none = WEIR_STOP_NONE,
  attempts = WEIR_STOP_ATTEMPTS,
  elapsed = WEIR_STOP_ELAPSED,
  budget = WEIR_STOP_BUDGET,
  no_time = WEIR_STOP_NO_TIME,
  refused = WEIR_STOP_REFUSED,
  final = WEIR_STOP_FINAL,
  classified = WEIR_STOP_CLASSIFIED,
  no_memory = WEIR_STOP_NO_MEMORY
};

// Why a run or an attempt was told to stop.
enum class cancel_reason : std::uint32_t {
  none = WEIR_CANCEL_NONE,
  caller = WEIR_CANCEL_CALLER,
  deadline = WEIR_CANCEL_DEADLINE,
  timeout = WEIR_CANCEL_TIMEOUT,
  lost = WEIR_CANCEL_LOST,
  superseded = WEIR_CANCEL_SUPERSEDED,
  shutdown = WEIR_CANCEL_SHUTDOWN
};

enum class channel : std::uint32_t {
  value = WEIR_CHANNEL_VALUE,
  error = WEIR_CHANNEL_ERROR,
  stopped = WEIR_CHANNEL_STOPPED
};

enum class policy_kind : std::uint32_t {
  none = WEIR_POLICY_NONE,
  retry = WEIR_POLICY_RETRY,
  breaker = WEIR_POLICY_BREAKER,
  limiter = WEIR_POLICY_LIMITER,
  timeout = WEIR_POLICY_TIMEOUT,
  pipeline = WEIR_POLICY_PIPELINE,
  budget = WEIR_POLICY_BUDGET,
  hedge = WEIR_POLICY_HEDGE,
  fallback = WEIR_POLICY_FALLBACK,
  chaos = WEIR_POLICY_CHAOS
};

// Why a policy refused.
enum class rejection_reason : std::uint32_t {
  none = WEIR_REJECTION_NONE,
  open = WEIR_REJECTION_OPEN,
  half_open = WEIR_REJECTION_HALF_OPEN,
  forced_open = WEIR_REJECTION_FORCED_OPEN,
  ramp_up = WEIR_REJECTION_RAMP_UP,
  rate = WEIR_REJECTION_RATE,
  concurrency = WEIR_REJECTION_CONCURRENCY,
  queue_full = WEIR_REJECTION_QUEUE_FULL,
  queue_timeout = WEIR_REJECTION_QUEUE_TIMEOUT,
  paused = WEIR_REJECTION_PAUSED,
  weight = WEIR_REJECTION_WEIGHT,
  keys = WEIR_REJECTION_KEYS,
  no_time = WEIR_REJECTION_NO_TIME,
  waiters = WEIR_REJECTION_WAITERS,
  budget = WEIR_REJECTION_BUDGET
};

// Whose number an error's code is; numbers from `user` on are the program's.
enum class domain : std::uint32_t {
  weir = WEIR_DOMAIN_WEIR,
  error_number = WEIR_DOMAIN_ERRNO,
  uv = WEIR_DOMAIN_UV,
  http = WEIR_DOMAIN_HTTP,
  grpc = WEIR_DOMAIN_GRPC,
  curl = WEIR_DOMAIN_CURL,
  user = WEIR_DOMAIN_USER
};

}  // namespace cpp
}  // namespace weir
