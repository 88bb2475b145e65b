/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTING_H
#define WEIR_TESTING_H

/*
 * Virtual time for tests, weir's and users': a manual runtime whose clock goes
 * where the test says. An hour of retries passes in microseconds and the same
 * way each time. All on the thread that processes the runtime.
 *
 *   weir_runtime *runtime;
 *   weir_testing_runtime_new(42, &runtime);
 *   ... weir_run(...) ...
 *   weir_testing_advance(runtime, 1000);   // a second later
 */

#include <weir/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A manual runtime with `seed` (0 counts as 1) and otherwise defaults; its
 * clock begins at one second. Errors: WEIR_EINVAL, WEIR_ENOMEM. */
WEIR_API weir_status weir_testing_runtime_new(uint64_t seed,
                                              weir_runtime **out);

/* Does everything that is due now, without moving the clock. Returns the steps
 * taken. Stops after 100 million steps, so that a loop that never ends is
 * found: compare with weir_runtime_next_deadline(). */
WEIR_API uint64_t weir_testing_run_until_idle(weir_runtime *runtime);

/* Moves the clock forward by `ms`, stopping at each timer on the way, so that
 * each fires at its own time. Returns the steps taken. Errors: 0 of anything
 * but a manual runtime or a negative time. */
WEIR_API uint64_t weir_testing_advance(weir_runtime *runtime, int64_t ms);

/* As weir_testing_advance(), in nanoseconds. */
WEIR_API uint64_t weir_testing_advance_ns(weir_runtime *runtime, int64_t ns);

/* Moves the clock to the next timer and does what is due then; returns 0 if no
 * timer is armed. */
WEIR_API uint64_t weir_testing_advance_to_next(weir_runtime *runtime);

#ifdef __cplusplus
}
#endif
#endif
