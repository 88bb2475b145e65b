/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANY_H
#define WEIR_ANY_H

/*
 * The first success of several operations: a race (weir/race.h) without
 * options, by its familiar name.
 */

#include <weir/operation.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an operation that runs `count` (at least 1) `operations` at once, each
 * with the run's input; it takes a reference of each. Its outcome is the first
 * success, or when all have failed an error with status WEIR_EAGGREGATE. `name`
 * is copied; nullable. The caller owns one reference. Errors: WEIR_EINVAL (one
 * that is NULL, of another runtime, or nests others 64 levels deep),
 * WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_any_new(weir_runtime *runtime,
                                  weir_operation *const *operations,
                                  size_t count, const char *name,
                                  weir_operation **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
