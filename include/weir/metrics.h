/* SPDX-License-Identifier: MIT */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

/*
 * Metrics: what all handles of a runtime have counted, as text for Prometheus
 * and its like (OpenMetrics 1.0, https://openmetrics.io).
 *
 * Each sample has the label `runtime` (the runtime's name), `name` (the
 * handle's, left out if it has none) and what was set here. Handles of one kind
 * with the same name and the same labels are one series, their numbers added
 * up: so all that have no name and no labels are one series of their kind.
 *
 * Counted is always, whether anybody reads or not: it costs nothing more. With
 * the runtime's option `metrics` there are two histograms besides,
 * weir_latency_seconds and weir_waiting_seconds with the label `kind`, for
 * every policy and every operation (the flow patterns are operations):
 *
 *   latency  how long runs were inside, of those that left with a result; not
 *            of those that were stopped
 *   waiting  how long runs waited there before going on: in a limiter's queue,
 *            or for a retry's delay
 *
 * in the time of turns: what began and ended in one turn took 0. Decide
 * functions are counted, but measured nowhere: their callers know the time.
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the whole text into `buffer`, at most `size` bytes, terminated;
 * `needed` (nullable) becomes the size that it takes, terminator included,
 * which may have grown at the next call. `buffer` NULL with `size` 0 only asks.
 * Serve it as "application/openmetrics-text; version=1.0.0; charset=utf-8".
 * Handles are made and ended by other threads only before or after: it holds
 * the lock that this takes. Allocates nothing. Any thread. Errors: WEIR_EINVAL,
 * WEIR_EFULL (cut off: what is there is no legal text), WEIR_EFORKED. */
WEIR_API weir_status weir_runtime_metrics(weir_runtime *runtime, char *buffer,
                                          size_t size, size_t *needed);

/* The same in the text format 0.0.4 that came before OpenMetrics, for what
 * reads only that ("promtool check metrics" does, and whoever asks for
 * "text/plain; version=0.0.4"). */
WEIR_API weir_status weir_runtime_metrics_text(weir_runtime *runtime,
                                               char *buffer, size_t size,
                                               size_t *needed);

/*
 * Labels. `key` is [a-zA-Z_][a-zA-Z0-9_]*, at most 127 bytes, neither begins
 * with "__" nor is one that the text uses itself: le, quantile, runtime, name,
 * kind, result, state. `value` is any UTF-8, copied, at most 1023 bytes. A key
 * can be set once on a handle. What a handle has goes before the runtime's
 * label of that key. Any thread, at any time. Errors: WEIR_EINVAL (with a
 * message), WEIR_EEXISTS, WEIR_ENOMEM, WEIR_EFORKED. `error` nullable.
 */

/* On all samples. */
WEIR_API weir_status weir_runtime_set_label(weir_runtime *runtime,
                                            const char *key, const char *value,
                                            weir_error **error);

/* On a policy's (all kinds; weir_breaker_policy() and its like). */
WEIR_API weir_status weir_policy_set_label(weir_policy *policy, const char *key,
                                           const char *value,
                                           weir_error **error);

/* On an operation's: its latency, and the numbers of what it belongs to
 * (weir_debounce_operation() and its like). Without the runtime's option
 * `metrics` a plain operation has no sample. */
WEIR_API weir_status weir_operation_set_label(weir_operation *operation,
                                              const char *key,
                                              const char *value,
                                              weir_error **error);

/* On a cache's. */
WEIR_API weir_status weir_cache_set_label(weir_cache *cache, const char *key,
                                          const char *value,
                                          weir_error **error);

/* On a budget's. */
WEIR_API weir_status weir_budget_set_label(weir_budget *budget, const char *key,
                                           const char *value,
                                           weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
