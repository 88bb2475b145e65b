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

/* Tracking: the references that a body holds, so that they can be given back for it when it was
 * left in the middle. Off until track_begin(). */
void track_begin(void);
void track_release_all(void);
void track_end(void);

/* While not NULL, an assertion that does not hold calls this instead of failing; it does not
 * return. */
extern void (*abandon)(void);

/* The --oom mode. */
int run_with_failing_allocations(const char *group, const struct test *tests, size_t count);

#endif
