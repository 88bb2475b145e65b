/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_H
#define WEIR_TYPES_H

/*
 * The words that every other header of weir uses.
 *
 * Five of them carry the API. An OPERATION is what to do: a recipe that can be
 * started any number of times, also at once. A POLICY is how: breaker, limiter,
 * retry, timeout, pipeline; wrapping an operation in a policy gives an
 * operation. A RUN is this time: weir_run() starts one. An ATTEMPT is one start
 * of a user's operation; its TOKEN completes it, from any thread, once. A CALL
 * is the handle of a run in flight; it settles exactly once, with an OUTCOME.
 *
 * Handles are pointers to incomplete structs. Each has weir_X_ref and
 * weir_X_unref; both take any thread, unref also takes NULL, and handles may be
 * given back in any order: what still needs a parent keeps it alive.
 *
 * Every function that can fail returns a weir_status. Where the text says
 * "error: nullable", a call that fails stores a message there that names the
 * field, the rule and the value; give it back with weir_error_unref().
 */

#include <stddef.h>
#include <stdint.h>

#if defined(WEIR_STATIC) || !defined(__GNUC__)
#define WEIR_API
#else
#define WEIR_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* No bound in time; any option named *_ms that says so accepts it. */
#define WEIR_FOREVER (-1)
/* No bound in number. */
#define WEIR_UNLIMITED (-1)
/* The feature is not used. */
#define WEIR_OFF (-1)

typedef struct weir_runtime weir_runtime;
typedef struct weir_operation weir_operation;
typedef struct weir_policy weir_policy;
typedef struct weir_call weir_call;
typedef struct weir_value weir_value;
typedef struct weir_error weir_error;
typedef struct weir_completions weir_completions;
typedef struct weir_retry weir_retry;
typedef struct weir_budget weir_budget;
typedef struct weir_breaker weir_breaker;
typedef struct weir_limiter weir_limiter;
typedef struct weir_timeout weir_timeout;
typedef struct weir_pipeline weir_pipeline;
typedef struct weir_hedge weir_hedge;
typedef struct weir_fallback weir_fallback;
typedef struct weir_chaos weir_chaos;
typedef struct weir_cache weir_cache;
typedef struct weir_scope weir_scope;

/* 0 (WEIR_OK) or one of the negative numbers in weir/status.h. */
typedef int32_t weir_status;

/* Names one attempt: {index, generation}. Never 0. Completing with a token
 * whose attempt is over returns WEIR_ESTALE and does nothing. */
typedef uint64_t weir_token;

/* What a decide function hands out and a report or release gives back. Its
 * bits mean something only to the policy that made it. 0 is never a permit
 * that has to be given back. */
typedef uint64_t weir_permit;

/* Frees the `data` that came with a callback. Runs exactly once, on the thread
 * that drops the last reference, also when the call that took it fails. */
typedef void (*weir_free_fn)(void *data);

#ifdef __cplusplus
}
#endif
#endif
