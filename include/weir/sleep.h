/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SLEEP_H
#define WEIR_SLEEP_H

/*
 * An operation that waits. By itself a timer; among racers a timeout or a
 * fallback. In the outcome it counts as an attempt. A deadline that comes first
 * stops it at the deadline, not before.
 */

#include <weir/operation.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an operation that settles `sleep_ms` (0 or more, or WEIR_FOREVER) after
 * it was started: with `value` (nullable) if `status` is WEIR_OK, otherwise
 * with `error_result` (nullable) or, if that is NULL, with a bare error; the
 * outcome's status is `status` either way. A reference of value and error is
 * taken. The caller owns one reference. Errors: WEIR_EINVAL (sleep_ms below -1,
 * a status that is none, value beside a failure, error_result beside WEIR_OK),
 * WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_sleep_new(weir_runtime *runtime, int64_t sleep_ms,
                                    weir_status status, weir_value *value,
                                    weir_error *error_result,
                                    weir_operation **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
