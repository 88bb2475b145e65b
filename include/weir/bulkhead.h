/* SPDX-License-Identifier: MIT */
#ifndef WEIR_BULKHEAD_H
#define WEIR_BULKHEAD_H

/*
 * A bulkhead keeps one dependency from taking all there is: at most so many
 * runs at once, a bounded queue before them, and the rest refused. The pattern
 * is Nygard's ("Release It!", 2007). It is a limiter and nothing else: all of
 * weir/limiter.h works on it.
 */

#include <weir/limiter.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a limiter of concurrency alone, with the limiter's defaults besides;
 * the caller owns one reference. `max_concurrent` runs hold a permit at once, 1
 * to 2^31 - 1. `queue_limit` runs wait at most, 0 (the next is refused at once)
 * or more, or WEIR_UNLIMITED. `name` is copied, nullable. Errors: WEIR_EINVAL,
 * WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_bulkhead_new(weir_runtime *runtime,
                                       int64_t max_concurrent,
                                       int64_t queue_limit, const char *name,
                                       weir_limiter **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
