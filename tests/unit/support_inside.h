/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_SUPPORT_INSIDE_H
#define WEIR_TESTS_SUPPORT_INSIDE_H

/* What the parts of the support share among themselves; tests use support.h. */

#include "support.h"

/* The fixture's life: begin, open (makes the runtime), the body, close (the checks), end (frees the
 * fixture's own memory, and weir's after a failure). */
weir_status fixture_begin(struct fixture *fx, const struct test *test);
weir_status fixture_open(struct fixture *fx);
void fixture_close(struct fixture *fx);
void fixture_end(struct fixture *fx);

/* Tracking: the references that a body holds and the attempts it has to complete, so that this can
 * be done for it when it was left in the middle. Off until track_begin(). */
void track_begin(void);
void track_release_all(void);
/* Completes, without a value, the attempts that were started and not completed; `runtime`
 * (nullable) is that of attempts which came as START records. */
void track_complete_all(weir_runtime *runtime);

/* Whether it is on. */
int tracking(void);
/* Gave a reference away. */
void track_gave(const void *handle);
/* Got the first reference of an operation. */
void track_got_operation(weir_operation *operation);
/* An attempt was started, an attempt was completed. */
void track_started(weir_runtime *runtime, weir_token token);
void track_completed(weir_token token);
/* Forgets all attempts. */
void track_no_attempts(void);
void track_end(void);

/* While not NULL, an assertion that does not hold calls this instead of failing; it does not
 * return. */
extern void (*abandon)(void);

/* The --oom mode. */
int run_with_failing_allocations(const char *group, const struct test *tests, size_t count);

#endif
