/* SPDX-License-Identifier: MIT */
#ifndef WEIR_POLICY_H
#define WEIR_POLICY_H

/*
 * What all policies have in common. weir_breaker_policy() and its like turn a
 * typed handle into a weir_policy (borrowed: the same object, no reference
 * more).
 */

#include <weir/operation.h>
#include <weir/outcome.h>
#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A decider: how to judge this outcome (WEIR_CLASS_*; WEIR_CLASS_NONE or any
 * other number means the default). */
typedef uint32_t (*weir_classify_fn)(void *data, const weir_outcome *outcome);

/* One reference more; returns `policy`. Any thread. */
WEIR_API weir_policy *weir_policy_ref(weir_policy *policy);

/* One reference less; runs in flight and wrapped operations keep it alive. Any
 * thread. */
WEIR_API void weir_policy_unref(weir_policy *policy);

/* WEIR_POLICY_*; WEIR_POLICY_NONE of NULL. */
WEIR_API uint32_t weir_policy_kind(const weir_policy *policy);

/* The name from its options, "" if it has none; valid while a reference is
 * held. */
WEIR_API const char *weir_policy_name(const weir_policy *policy);

/* Makes an operation that runs `operation` under `policy`; the caller owns one
 * reference. Both must be of the same runtime. What weir_pipeline_new() would
 * refuse is refused here too, such as a breaker that the operation has around
 * it already; what is around an operation that this one runs in its turn (a
 * debounce's, a cache's load) is not seen. Errors: WEIR_EINVAL, WEIR_ENOMEM.
 * Any thread. */
WEIR_API weir_status weir_policy_wrap(weir_policy *policy,
                                      weir_operation *operation,
                                      weir_operation **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
