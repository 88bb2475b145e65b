/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PIPELINE_H
#define WEIR_PIPELINE_H

/*
 * A pipeline is several policies as one: the first is outermost. Policies keep
 * their state wherever they are used: the same breaker may be in many
 * pipelines.
 */

#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Policies in one pipeline or around one operation at most. */
#define WEIR_PIPELINE_MAX 32

/* Makes a pipeline of `count` (1 to WEIR_PIPELINE_MAX, nested ones counted with
 * what they hold) policies, of each of which it takes a reference; the caller
 * owns one reference of the pipeline. `name` is copied, nullable. What cannot
 * work is refused with a message, also within a nested pipeline: a NULL;
 * policies of another runtime; the same breaker or limiter twice (each call
 * would count twice, and a limiter could wait for its own caller); two breakers
 * or two limiters of one name that is not empty (nobody could tell which of
 * them refused). The same retry twice multiplies its attempts. Errors:
 * WEIR_EINVAL, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_pipeline_new(weir_runtime *runtime,
                                       weir_policy *const *policies,
                                       size_t count, const char *name,
                                       weir_pipeline **out, weir_error **error);

/* One reference more; returns `pipeline`. Any thread. */
WEIR_API weir_pipeline *weir_pipeline_ref(weir_pipeline *pipeline);

/* One reference less. Any thread. */
WEIR_API void weir_pipeline_unref(weir_pipeline *pipeline);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_pipeline_policy(weir_pipeline *pipeline);

/* The pipeline that `policy` is, borrowed; NULL if it is of another kind, and
 * of NULL. Any thread. */
WEIR_API weir_pipeline *weir_policy_pipeline(weir_policy *policy);

#ifdef __cplusplus
}
#endif
#endif
