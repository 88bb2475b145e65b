/* SPDX-License-Identifier: MIT */
#ifndef WEIR_WATERFALL_H
#define WEIR_WATERFALL_H

/*
 * Operations one after the other, each fed by the last: the input of the first
 * is the run's, that of every other the value of the one before (no value is
 * legal). The outcome is the last one's value.
 *
 *   weir_operation *steps[] = {orders, total, discount};
 *   weir_waterfall_new(runtime, steps, 3, "price", &price, &error);
 *
 * It stops at the first failure, a refusal included. The outcome is that
 * step's, but for the error: it has the same status, domain and code, and says
 * "step 2 of 3 failed: MESSAGE"; the step's own is its cause.
 */

#include <weir/operation.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an operation that runs `count` `operations` in their order; it takes a
 * reference of each. 0 of them succeed with the run's input. `name` is copied;
 * nullable. The caller owns one reference. Errors: WEIR_EINVAL (one that is
 * NULL, of another runtime, or nests others 64 levels deep), WEIR_ENOMEM. Any
 * thread. */
WEIR_API weir_status weir_waterfall_new(weir_runtime *runtime,
                                        weir_operation *const *operations,
                                        size_t count, const char *name,
                                        weir_operation **out,
                                        weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
