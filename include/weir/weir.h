/* SPDX-License-Identifier: MIT */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

/*
 * All of weir. See weir/types.h for the words, weir/runtime.h for threads and
 * lifetimes, weir/operation.h and weir/run.h for the first program.
 */

#include <weir/all.h>
#include <weir/allocator.h>
#include <weir/any.h>
#include <weir/breaker.h>
#include <weir/budget.h>
#include <weir/bulkhead.h>
#include <weir/cache.h>
#include <weir/chaos.h>
#include <weir/completions.h>
#include <weir/debounce.h>
#include <weir/error.h>
#include <weir/fallback.h>
#include <weir/flight.h>
#include <weir/hedge.h>
#include <weir/limiter.h>
#include <weir/log.h>
#include <weir/memoize.h>
#include <weir/metrics.h>
#include <weir/operation.h>
#include <weir/outcome.h>
#include <weir/pacing.h>
#include <weir/parallel.h>
#include <weir/pipeline.h>
#include <weir/policy.h>
#include <weir/poll.h>
#include <weir/pool.h>
#include <weir/race.h>
#include <weir/recorder.h>
#include <weir/registry.h>
#include <weir/retry.h>
#include <weir/run.h>
#include <weir/runtime.h>
#include <weir/scope.h>
#include <weir/sleep.h>
#include <weir/status.h>
#include <weir/throttle.h>
#include <weir/timeout.h>
#include <weir/types.h>
#include <weir/value.h>
#include <weir/version.h>
#include <weir/waterfall.h>

#endif
