/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALL_H
#define WEIR_ALL_H

/*
 * Several operations at once, each with the run's input; their results as one
 * list (weir/value.h), in the order of the operations, whichever ends first.
 *
 *   all          each must succeed: the first failure is the outcome, as it
 *                is, and the others are told to stop (WEIR_CANCEL_LOST) and
 *                not waited for
 *   all_settled  each may fail: the list has its error then
 *
 * What counts as a success: what its completer classed as one, otherwise every
 * value. Operations begin in their order; one that has not begun when another
 * fails does not begin. To bound how many run at once: weir/parallel.h.
 */

#include <weir/operation.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an operation that runs `count` `operations` and succeeds with the list
 * of their values (read them with weir_value_item); 0 of them: an empty list.
 * It takes a reference of each. `name` is copied; nullable. The caller owns one
 * reference. Errors: WEIR_EINVAL (one that is NULL, of another runtime, or
 * nests others 64 levels deep), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_all_new(weir_runtime *runtime,
                                  weir_operation *const *operations,
                                  size_t count, const char *name,
                                  weir_operation **out, weir_error **error);

/* The same, but a failure is an item, too: weir_value_item_error has it. Errors
 * as above. Any thread. */
WEIR_API weir_status weir_all_settled_new(weir_runtime *runtime,
                                          weir_operation *const *operations,
                                          size_t count, const char *name,
                                          weir_operation **out,
                                          weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
