/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RECORDER_H
#define WEIR_RECORDER_H

/*
 * The flight recorder: the last decisions of a runtime's policies, each with
 * its time, the policy's name and the numbers behind it. Off unless the
 * runtime's option recorder_entries is at least 1; then so many are kept, in
 * memory that is taken at creation, and each decision costs a copy under a
 * mutex.
 *
 * Kept is what the runtime's event listener is told (WEIR_EVENT_*, see
 * weir/runtime.h), whether there is a listener or not: what happens to runs,
 * and every change of a breaker's state whoever caused it. The answers of
 * decide functions are not kept; metrics count them.
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes what is kept as text, oldest first, one line each, after a line that
 * says how many there were in all:
 *
 *   42 decisions, the last 2 of them:
 *   1.250000000 breaker 'api': closed -> open, by failures (5 of 5 calls)
 *   1.250000000 breaker 'api': refused: circuit breaker 'api' is open: ...
 *
 * `buffer` gets at most `size` bytes, always terminated; `needed` (nullable)
 * what the whole text takes, its terminator included. The text is for people:
 * its form is no promise. Decisions may go on meanwhile; what they overwrite is
 * left out. `buffer` NULL with `size` 0 only asks for `needed`. Any thread.
 * Errors: WEIR_EINVAL, WEIR_EFULL (cut off), WEIR_ENOTSUP (recorder_entries is
 * 0), WEIR_EFORKED. */
WEIR_API weir_status weir_recorder_dump(weir_runtime *runtime, char *buffer,
                                        size_t size, size_t *needed);

#ifdef __cplusplus
}
#endif
#endif
