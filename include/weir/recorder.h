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
 * decide functions are not kept; metrics count them. Lines of the log that the
 * runtime's log_level lets pass are kept too, with a hook or without.
 *
 * A program reads it as text (weir_recorder_dump), or entry by entry
 * (weir_recorder_read): so a host that must not be called back hears of events
 * and log lines, when it likes or when its completion queue says that there are
 * some (weir_recorder_notify).
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

/* One entry, copied: nothing in it is borrowed. */
typedef struct weir_recorded {
  uint64_t number;    /* counts all there ever were, from 0 */
  int64_t at_ns;      /* the runtime's time */
  uint32_t kind;      /* WEIR_EVENT_*: which fields say what */
  uint32_t policy;    /* WEIR_POLICY_*; WEIR_POLICY_NONE of runs, caches ... */
  weir_status status; /* these as in weir_event ... */
  uint32_t reason;    /* ... but a refusal's is its WEIR_REJECTION_* */
  uint32_t from;
  uint32_t to;
  uint64_t count;
  int64_t delay_ns;
  uint64_t calls;
  uint64_t failures;
  uint64_t slow_calls;
  char name[48];  /* of the policy, or the line's subject, cut off */
  char text[208]; /* of a refusal: a sentence; of a line: the line; cut off */
} weir_recorded;

/* Copies up to `capacity` entries, oldest first, each `entry_size` (the
 * caller's sizeof(weir_recorded)) bytes, into `entries`, and in `count` how
 * many: 0 if there is nothing new. `cursor` is where to go on: 0 at first, for
 * all that is kept. What was overwritten before it was read is left out, which
 * shows as a gap in the numbers. Several readers may each have a cursor of
 * their own. Any thread. Errors: WEIR_EINVAL (a pointer NULL, capacity 0),
 * WEIR_EABI, WEIR_ENOTSUP (recorder_entries is 0), WEIR_EFORKED. */
WEIR_API weir_status weir_recorder_read(weir_runtime *runtime, uint64_t *cursor,
                                        weir_recorded *entries,
                                        size_t entry_size, size_t capacity,
                                        size_t *count);

/* From now on an entry that is added posts a RECORDED record with `user` to
 * `queue` (a reference is held until the runtime has closed), unless one waits
 * there already: who drains it and then reads until `count` is 0 misses none.
 * Another queue takes the place of the last; NULL: no more records. Errors:
 * WEIR_EINVAL (runtime NULL, or a queue of another one), WEIR_ECLOSED,
 * WEIR_ENOTSUP (recorder_entries is 0), WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_recorder_notify(weir_runtime *runtime,
                                          weir_completions *queue,
                                          uint64_t user);

#ifdef __cplusplus
}
#endif
#endif
