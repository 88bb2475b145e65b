/* SPDX-License-Identifier: MIT */
/*
 * The options and stats of what has a handle, by JavaScript's names.
 */
#include "weir_node.h"

#define OPTION(type_, member, name, field_type) \
  { name, offsetof(weir_##type_##_options, member), field_type, NULL }
#define WORD(type_, member, name, words) \
  { name, offsetof(weir_##type_##_options, member), FIELD_WORD, words }
#define STAT(type_, member, name, field_type) \
  { name, offsetof(weir_##type_##_stats, member), field_type, NULL }
#define STAT_WORD(type_, member, name, words) \
  { name, offsetof(weir_##type_##_stats, member), FIELD_WORD, words }

static const char *const backoffs[] = {"constant",     "linear",          "exponential",
                                       "decorrelated", "decorrelated-v2", NULL};
static const char *const jitters[] = {"none", "full", "equal", "proportional", "symmetric", NULL};
static const char *const modes[] = {"consecutive", "count", "time", NULL};
static const char *const states[] = {"closed",        "open",         "half-open", "forced-open",
                                     "forced-closed", "metrics-only", NULL};
static const char *const algorithms[] = {"token-bucket", "fixed-window", "sliding-window", NULL};
static const char *const orders[] = {"fifo", "priority", NULL};
static const char *const overflows[] = {"deny", "evict", NULL};
static const char *const adaptives[] = {"off", "aimd", "gradient", NULL};
static const char *const evictions[] = {"adaptive", "s3-fifo", "lru", NULL};
static const char *const superseded[] = {"cancel", "share", NULL};
static const char *const overlaps[] = {"queue", "concurrent", "cancel", NULL};
static const char *const exits[] = {"join", "cancel", "grace", NULL};
static const char *const scope_states[] = {"open", "ending", "closing", "ended", NULL};

const struct field retry_fields[] = {
    WORD(retry, backoff, "backoff", backoffs),
    OPTION(retry, max_attempts, "maxAttempts", FIELD_I64),
    OPTION(retry, base_delay_ms, "baseDelayMs", FIELD_I64),
    OPTION(retry, max_delay_ms, "maxDelayMs", FIELD_I64),
    OPTION(retry, min_delay_ms, "minDelayMs", FIELD_I64),
    OPTION(retry, multiplier, "multiplier", FIELD_F64),
    OPTION(retry, jitter_factor, "jitterFactor", FIELD_F64),
    WORD(retry, jitter, "jitter", jitters),
    OPTION(retry, retry_refusals, "retryRefusals", FIELD_FLAG),
    OPTION(retry, max_elapsed_ms, "maxElapsedMs", FIELD_I64),
    OPTION(retry, attempt_timeout_ms, "attemptTimeoutMs", FIELD_I64),
    OPTION(retry, budget, "budget", FIELD_BUDGET),
    OPTION(retry, failures, "failures", FIELD_RANGES),
    OPTION(retry, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field retry_stats[] = {
    STAT(retry, calls, "calls", FIELD_U64),
    STAT(retry, retries, "retries", FIELD_U64),
    STAT(retry, succeeded_first, "succeededFirst", FIELD_U64),
    STAT(retry, succeeded_later, "succeededLater", FIELD_U64),
    STAT(retry, gave_up, "gaveUp", FIELD_U64),
    STAT(retry, refused_by_budget, "refusedByBudget", FIELD_U64),
    FIELDS_END,
};
const struct field breaker_fields[] = {
    WORD(breaker, mode, "mode", modes),
    OPTION(breaker, failure_threshold, "failureThreshold", FIELD_U32),
    OPTION(breaker, window_size, "windowSize", FIELD_U32),
    OPTION(breaker, window_ms, "windowMs", FIELD_I64),
    OPTION(breaker, failure_rate, "failureRate", FIELD_F64),
    OPTION(breaker, min_calls, "minCalls", FIELD_U32),
    OPTION(breaker, half_open_max_calls, "halfOpenMaxCalls", FIELD_U32),
    OPTION(breaker, half_open_success_threshold, "halfOpenSuccessThreshold", FIELD_U32),
    OPTION(breaker, half_open_failures, "halfOpenFailures", FIELD_U32),
    OPTION(breaker, slow_call_ms, "slowCallMs", FIELD_I64),
    OPTION(breaker, slow_call_rate, "slowCallRate", FIELD_F64),
    OPTION(breaker, reset_timeout_ms, "resetTimeoutMs", FIELD_I64),
    OPTION(breaker, reset_multiplier, "resetMultiplier", FIELD_F64),
    OPTION(breaker, max_reset_timeout_ms, "maxResetTimeoutMs", FIELD_I64),
    OPTION(breaker, trial_timeout_ms, "trialTimeoutMs", FIELD_I64),
    OPTION(breaker, ramp_up_ms, "rampUpMs", FIELD_I64),
    OPTION(breaker, failures, "failures", FIELD_RANGES),
    OPTION(breaker, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field breaker_stats[] = {
    STAT_WORD(breaker, state, "state", states),
    STAT(breaker, calls, "calls", FIELD_U64),
    STAT(breaker, failures, "failures", FIELD_U64),
    STAT(breaker, slow_calls, "slowCalls", FIELD_U64),
    STAT(breaker, failure_rate, "failureRate", FIELD_F64),
    STAT(breaker, slow_call_rate, "slowCallRate", FIELD_F64),
    STAT(breaker, succeeded, "succeeded", FIELD_U64),
    STAT(breaker, failed, "failed", FIELD_U64),
    STAT(breaker, slow, "slow", FIELD_U64),
    STAT(breaker, ignored, "ignored", FIELD_U64),
    STAT(breaker, stale, "stale", FIELD_U64),
    STAT(breaker, rejected, "rejected", FIELD_U64),
    STAT(breaker, times_opened, "timesOpened", FIELD_U64),
    STAT(breaker, open_remaining_ns, "openRemainingMs", FIELD_NS),
    STAT(breaker, missed_events, "missedEvents", FIELD_U64),
    FIELDS_END,
};
const struct field limiter_fields[] = {
    WORD(limiter, algorithm, "algorithm", algorithms),
    OPTION(limiter, permits, "permits", FIELD_I64),
    OPTION(limiter, interval_ms, "intervalMs", FIELD_I64),
    OPTION(limiter, burst, "burst", FIELD_I64),
    OPTION(limiter, max_concurrent, "maxConcurrent", FIELD_I64),
    OPTION(limiter, max_queue, "maxQueue", FIELD_I64),
    OPTION(limiter, queue_timeout_ms, "queueTimeoutMs", FIELD_I64),
    WORD(limiter, queue_order, "queueOrder", orders),
    WORD(limiter, key_overflow, "keyOverflow", overflows),
    OPTION(limiter, max_keys, "maxKeys", FIELD_I64),
    WORD(limiter, adaptive, "adaptive", adaptives),
    OPTION(limiter, early_release, "earlyRelease", FIELD_FLAG),
    OPTION(limiter, adaptive_min, "adaptiveMin", FIELD_I64),
    OPTION(limiter, adaptive_max, "adaptiveMax", FIELD_I64),
    OPTION(limiter, adaptive_latency_ms, "adaptiveLatencyMs", FIELD_I64),
    OPTION(limiter, adaptive_backoff, "adaptiveBackoff", FIELD_F64),
    OPTION(limiter, adaptive_tolerance, "adaptiveTolerance", FIELD_F64),
    OPTION(limiter, failures, "failures", FIELD_RANGES),
    OPTION(limiter, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field limiter_stats[] = {
    STAT(limiter, paused, "paused", FIELD_FLAG),
    STAT(limiter, available, "available", FIELD_I64),
    STAT(limiter, concurrent, "concurrent", FIELD_I64),
    STAT(limiter, limit, "limit", FIELD_I64),
    STAT(limiter, queued, "queued", FIELD_U64),
    STAT(limiter, granted, "granted", FIELD_U64),
    STAT(limiter, refused, "refused", FIELD_U64),
    STAT(limiter, timed_out, "timedOut", FIELD_U64),
    STAT(limiter, keys, "keys", FIELD_U64),
    FIELDS_END,
};
const struct field timeout_fields[] = {
    OPTION(timeout, timeout_ms, "timeoutMs", FIELD_I64),
    OPTION(timeout, message, "message", FIELD_TEXT),
    OPTION(timeout, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field timeout_stats[] = {
    STAT(timeout, started, "started", FIELD_U64),
    STAT(timeout, timed_out, "timedOut", FIELD_U64),
    FIELDS_END,
};
const struct field hedge_fields[] = {
    OPTION(hedge, max_hedges, "maxHedges", FIELD_U32),
    OPTION(hedge, delay_ms, "delayMs", FIELD_I64),
    OPTION(hedge, quantile, "quantile", FIELD_OFF_F64),
    OPTION(hedge, budget, "budget", FIELD_BUDGET),
    OPTION(hedge, failures, "failures", FIELD_RANGES),
    OPTION(hedge, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field hedge_stats[] = {
    STAT(hedge, started, "started", FIELD_U64),
    STAT(hedge, hedged, "hedged", FIELD_U64),
    STAT(hedge, won_by_hedge, "wonByHedge", FIELD_U64),
    STAT(hedge, refused_by_budget, "refusedByBudget", FIELD_U64),
    STAT(hedge, delay_ns, "delayMs", FIELD_NS),
    STAT(hedge, samples, "samples", FIELD_U64),
    FIELDS_END,
};
const struct field fallback_fields[] = {
    OPTION(fallback, has_value, "hasValue", FIELD_FLAG),
    OPTION(fallback, failures, "failures", FIELD_RANGES),
    OPTION(fallback, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field fallback_stats[] = {
    STAT(fallback, started, "started", FIELD_U64),
    STAT(fallback, fell_back, "fellBack", FIELD_U64),
    STAT(fallback, failed, "failed", FIELD_U64),
    FIELDS_END,
};
const struct field chaos_fields[] = {
    OPTION(chaos, enabled, "enabled", FIELD_FLAG),
    OPTION(chaos, seed, "seed", FIELD_U64),
    OPTION(chaos, failure_rate, "failureRate", FIELD_F64),
    OPTION(chaos, outcome_rate, "outcomeRate", FIELD_F64),
    OPTION(chaos, hang_rate, "hangRate", FIELD_F64),
    OPTION(chaos, latency_rate, "latencyRate", FIELD_F64),
    OPTION(chaos, latency_min_ms, "latencyMinMs", FIELD_I64),
    OPTION(chaos, latency_max_ms, "latencyMaxMs", FIELD_I64),
    OPTION(chaos, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field chaos_stats[] = {
    STAT(chaos, enabled, "enabled", FIELD_FLAG),
    STAT(chaos, drawn, "drawn", FIELD_U64),
    STAT(chaos, delayed, "delayed", FIELD_U64),
    STAT(chaos, failed, "failed", FIELD_U64),
    STAT(chaos, outcomes, "outcomes", FIELD_U64),
    STAT(chaos, hung, "hung", FIELD_U64),
    FIELDS_END,
};
const struct field budget_fields[] = {
    OPTION(budget, ratio, "ratio", FIELD_F64),
    OPTION(budget, min_per_second, "minPerSecond", FIELD_F64),
    OPTION(budget, window_ms, "windowMs", FIELD_I64),
    OPTION(budget, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field budget_stats[] = {
    STAT(budget, deposits, "deposits", FIELD_U64),
    STAT(budget, withdrawn, "withdrawn", FIELD_U64),
    STAT(budget, refused, "refused", FIELD_U64),
    STAT(budget, available, "available", FIELD_I64),
    FIELDS_END,
};
const struct field cache_fields[] = {
    WORD(cache, eviction, "eviction", evictions),
    OPTION(cache, max_entries, "maxEntries", FIELD_I64),
    OPTION(cache, max_weight, "maxWeight", FIELD_I64),
    OPTION(cache, ttl_ms, "ttlMs", FIELD_I64),
    OPTION(cache, idle_ms, "idleMs", FIELD_I64),
    OPTION(cache, load_timeout_ms, "loadTimeoutMs", FIELD_I64),
    OPTION(cache, refresh_ms, "refreshMs", FIELD_I64),
    OPTION(cache, stale_if_error_ms, "staleIfErrorMs", FIELD_I64),
    OPTION(cache, negative_ttl_ms, "negativeTtlMs", FIELD_I64),
    OPTION(cache, shards, "shards", FIELD_U32),
    OPTION(cache, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field cache_stats[] = {
    STAT(cache, hits, "hits", FIELD_U64),
    STAT(cache, misses, "misses", FIELD_U64),
    STAT(cache, stale_hits, "staleHits", FIELD_U64),
    STAT(cache, puts, "puts", FIELD_U64),
    STAT(cache, loads, "loads", FIELD_U64),
    STAT(cache, load_failures, "loadFailures", FIELD_U64),
    STAT(cache, load_time_ns, "loadTimeMs", FIELD_NS),
    STAT(cache, refused, "refused", FIELD_U64),
    STAT(cache, expired, "expired", FIELD_U64),
    STAT(cache, evicted, "evicted", FIELD_U64),
    STAT(cache, replaced, "replaced", FIELD_U64),
    STAT(cache, invalidated, "invalidated", FIELD_U64),
    STAT(cache, cleared, "cleared", FIELD_U64),
    STAT(cache, entries, "entries", FIELD_U64),
    STAT(cache, weight, "weight", FIELD_U64),
    STAT(cache, loading, "loading", FIELD_U64),
    FIELDS_END,
};
const struct field memoize_fields[] = {
    WORD(memoize, eviction, "eviction", evictions),
    OPTION(memoize, max_entries, "maxEntries", FIELD_I64),
    OPTION(memoize, ttl_ms, "ttlMs", FIELD_I64),
    OPTION(memoize, load_timeout_ms, "loadTimeoutMs", FIELD_I64),
    OPTION(memoize, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field flight_fields[] = {
    OPTION(flight, timeout_ms, "timeoutMs", FIELD_I64),
    OPTION(flight, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field flight_stats[] = {
    STAT(flight, calls, "calls", FIELD_U64),     STAT(flight, runs, "runs", FIELD_U64),
    STAT(flight, shared, "shared", FIELD_U64),   STAT(flight, running, "running", FIELD_U64),
    STAT(flight, waiting, "waiting", FIELD_U64), FIELDS_END,
};
const struct field debounce_fields[] = {
    OPTION(debounce, leading, "leading", FIELD_FLAG),
    OPTION(debounce, trailing, "trailing", FIELD_FLAG),
    WORD(debounce, superseded, "superseded", superseded),
    WORD(debounce, overlap, "overlap", overlaps),
    OPTION(debounce, wait_ms, "waitMs", FIELD_I64),
    OPTION(debounce, max_wait_ms, "maxWaitMs", FIELD_I64),
    OPTION(debounce, policy, "policy", FIELD_POLICY),
    OPTION(debounce, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field throttle_fields[] = {
    OPTION(throttle, leading, "leading", FIELD_FLAG),
    OPTION(throttle, trailing, "trailing", FIELD_FLAG),
    WORD(throttle, superseded, "superseded", superseded),
    WORD(throttle, overlap, "overlap", overlaps),
    OPTION(throttle, interval_ms, "intervalMs", FIELD_I64),
    OPTION(throttle, policy, "policy", FIELD_POLICY),
    OPTION(throttle, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field pacing_stats[] = {
    STAT(pacing, calls, "calls", FIELD_U64),
    STAT(pacing, runs, "runs", FIELD_U64),
    STAT(pacing, superseded, "superseded", FIELD_U64),
    STAT(pacing, pending, "pending", FIELD_U64),
    STAT(pacing, running, "running", FIELD_U64),
    STAT(pacing, keys, "keys", FIELD_U64),
    FIELDS_END,
};
const struct field race_fields[] = {
    OPTION(race, first_settled, "firstSettled", FIELD_FLAG),
    OPTION(race, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field parallel_fields[] = {
    OPTION(parallel, stop_on_error, "stopOnError", FIELD_FLAG),
    OPTION(parallel, concurrency, "concurrency", FIELD_I64),
    OPTION(parallel, item_timeout_ms, "itemTimeoutMs", FIELD_I64),
    OPTION(parallel, policy, "policy", FIELD_POLICY),
    OPTION(parallel, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field pool_fields[] = {
    OPTION(pool, stop_on_error, "stopOnError", FIELD_FLAG),
    OPTION(pool, concurrency, "concurrency", FIELD_I64),
    OPTION(pool, item_timeout_ms, "itemTimeoutMs", FIELD_I64),
    OPTION(pool, policy, "policy", FIELD_POLICY),
    OPTION(pool, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field pool_stats[] = {
    STAT(pool, sealed, "sealed", FIELD_FLAG),
    STAT(pool, added, "added", FIELD_U64),
    STAT(pool, waiting, "waiting", FIELD_U64),
    STAT(pool, running, "running", FIELD_U64),
    STAT(pool, succeeded, "succeeded", FIELD_U64),
    STAT(pool, failed, "failed", FIELD_U64),
    FIELDS_END,
};
const struct field poll_fields[] = {
    OPTION(poll, interval_ms, "intervalMs", FIELD_I64),
    OPTION(poll, max_attempts, "maxAttempts", FIELD_I64),
    OPTION(poll, max_elapsed_ms, "maxElapsedMs", FIELD_I64),
    OPTION(poll, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field scope_fields[] = {
    WORD(scope, exit, "exit", exits),
    OPTION(scope, deadline_ms, "deadlineMs", FIELD_I64),
    OPTION(scope, grace_ms, "graceMs", FIELD_I64),
    OPTION(scope, parent, "parent", FIELD_SCOPE),
    OPTION(scope, name, "name", FIELD_TEXT),
    FIELDS_END,
};
const struct field scope_stats[] = {
    STAT_WORD(scope, state, "state", scope_states), STAT(scope, cancelled, "cancelled", FIELD_FLAG),
    STAT(scope, resources, "resources", FIELD_U32), STAT(scope, calls, "calls", FIELD_U64),
    STAT(scope, leaked, "leaked", FIELD_U64),       FIELDS_END,
};
