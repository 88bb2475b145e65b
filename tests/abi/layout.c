/* SPDX-License-Identifier: MIT */
/* Where every field of every public struct lies, on 64-bit machines. Written by layout.py --update;
 * a line that changes is a change of the ABI. */

#include <stddef.h>

#include <weir/testing.h>
#include <weir/weir.h>

_Static_assert(sizeof(weir_allocator) == 40, "weir_allocator");
_Static_assert(offsetof(weir_allocator, size) == 0, "weir_allocator.size");
_Static_assert(offsetof(weir_allocator, alloc) == 8, "weir_allocator.alloc");
_Static_assert(offsetof(weir_allocator, free) == 16, "weir_allocator.free");
_Static_assert(offsetof(weir_allocator, context) == 24, "weir_allocator.context");
_Static_assert(offsetof(weir_allocator, release) == 32, "weir_allocator.release");
_Static_assert(sizeof(weir_breaker_stats) == 120, "weir_breaker_stats");
_Static_assert(offsetof(weir_breaker_stats, size) == 0, "weir_breaker_stats.size");
_Static_assert(offsetof(weir_breaker_stats, state) == 4, "weir_breaker_stats.state");
_Static_assert(offsetof(weir_breaker_stats, calls) == 8, "weir_breaker_stats.calls");
_Static_assert(offsetof(weir_breaker_stats, failures) == 16, "weir_breaker_stats.failures");
_Static_assert(offsetof(weir_breaker_stats, slow_calls) == 24, "weir_breaker_stats.slow_calls");
_Static_assert(offsetof(weir_breaker_stats, failure_rate) == 32, "weir_breaker_stats.failure_rate");
_Static_assert(offsetof(weir_breaker_stats, slow_call_rate) == 40,
               "weir_breaker_stats.slow_call_rate");
_Static_assert(offsetof(weir_breaker_stats, succeeded) == 48, "weir_breaker_stats.succeeded");
_Static_assert(offsetof(weir_breaker_stats, failed) == 56, "weir_breaker_stats.failed");
_Static_assert(offsetof(weir_breaker_stats, slow) == 64, "weir_breaker_stats.slow");
_Static_assert(offsetof(weir_breaker_stats, ignored) == 72, "weir_breaker_stats.ignored");
_Static_assert(offsetof(weir_breaker_stats, stale) == 80, "weir_breaker_stats.stale");
_Static_assert(offsetof(weir_breaker_stats, rejected) == 88, "weir_breaker_stats.rejected");
_Static_assert(offsetof(weir_breaker_stats, times_opened) == 96, "weir_breaker_stats.times_opened");
_Static_assert(offsetof(weir_breaker_stats, open_remaining_ns) == 104,
               "weir_breaker_stats.open_remaining_ns");
_Static_assert(offsetof(weir_breaker_stats, missed_events) == 112,
               "weir_breaker_stats.missed_events");
_Static_assert(sizeof(weir_breaker_change) == 56, "weir_breaker_change");
_Static_assert(offsetof(weir_breaker_change, size) == 0, "weir_breaker_change.size");
_Static_assert(offsetof(weir_breaker_change, from) == 4, "weir_breaker_change.from");
_Static_assert(offsetof(weir_breaker_change, to) == 8, "weir_breaker_change.to");
_Static_assert(offsetof(weir_breaker_change, reason) == 12, "weir_breaker_change.reason");
_Static_assert(offsetof(weir_breaker_change, sequence) == 16, "weir_breaker_change.sequence");
_Static_assert(offsetof(weir_breaker_change, calls) == 24, "weir_breaker_change.calls");
_Static_assert(offsetof(weir_breaker_change, failures) == 32, "weir_breaker_change.failures");
_Static_assert(offsetof(weir_breaker_change, slow_calls) == 40, "weir_breaker_change.slow_calls");
_Static_assert(offsetof(weir_breaker_change, at_ns) == 48, "weir_breaker_change.at_ns");
_Static_assert(sizeof(weir_breaker_options) == 192, "weir_breaker_options");
_Static_assert(offsetof(weir_breaker_options, size) == 0, "weir_breaker_options.size");
_Static_assert(offsetof(weir_breaker_options, mode) == 4, "weir_breaker_options.mode");
_Static_assert(offsetof(weir_breaker_options, failure_threshold) == 8,
               "weir_breaker_options.failure_threshold");
_Static_assert(offsetof(weir_breaker_options, window_size) == 12,
               "weir_breaker_options.window_size");
_Static_assert(offsetof(weir_breaker_options, window_ms) == 16, "weir_breaker_options.window_ms");
_Static_assert(offsetof(weir_breaker_options, failure_rate) == 24,
               "weir_breaker_options.failure_rate");
_Static_assert(offsetof(weir_breaker_options, min_calls) == 32, "weir_breaker_options.min_calls");
_Static_assert(offsetof(weir_breaker_options, half_open_max_calls) == 36,
               "weir_breaker_options.half_open_max_calls");
_Static_assert(offsetof(weir_breaker_options, half_open_success_threshold) == 40,
               "weir_breaker_options.half_open_success_threshold");
_Static_assert(offsetof(weir_breaker_options, half_open_failures) == 44,
               "weir_breaker_options.half_open_failures");
_Static_assert(offsetof(weir_breaker_options, slow_call_ms) == 48,
               "weir_breaker_options.slow_call_ms");
_Static_assert(offsetof(weir_breaker_options, slow_call_rate) == 56,
               "weir_breaker_options.slow_call_rate");
_Static_assert(offsetof(weir_breaker_options, reset_timeout_ms) == 64,
               "weir_breaker_options.reset_timeout_ms");
_Static_assert(offsetof(weir_breaker_options, reset_multiplier) == 72,
               "weir_breaker_options.reset_multiplier");
_Static_assert(offsetof(weir_breaker_options, max_reset_timeout_ms) == 80,
               "weir_breaker_options.max_reset_timeout_ms");
_Static_assert(offsetof(weir_breaker_options, trial_timeout_ms) == 88,
               "weir_breaker_options.trial_timeout_ms");
_Static_assert(offsetof(weir_breaker_options, ramp_up_ms) == 96, "weir_breaker_options.ramp_up_ms");
_Static_assert(offsetof(weir_breaker_options, classify) == 104, "weir_breaker_options.classify");
_Static_assert(offsetof(weir_breaker_options, classify_data) == 112,
               "weir_breaker_options.classify_data");
_Static_assert(offsetof(weir_breaker_options, classify_free_data) == 120,
               "weir_breaker_options.classify_free_data");
_Static_assert(offsetof(weir_breaker_options, failures) == 128, "weir_breaker_options.failures");
_Static_assert(offsetof(weir_breaker_options, failures_count) == 136,
               "weir_breaker_options.failures_count");
_Static_assert(offsetof(weir_breaker_options, on_state_change) == 144,
               "weir_breaker_options.on_state_change");
_Static_assert(offsetof(weir_breaker_options, change_data) == 152,
               "weir_breaker_options.change_data");
_Static_assert(offsetof(weir_breaker_options, change_free_data) == 160,
               "weir_breaker_options.change_free_data");
_Static_assert(offsetof(weir_breaker_options, queue) == 168, "weir_breaker_options.queue");
_Static_assert(offsetof(weir_breaker_options, user) == 176, "weir_breaker_options.user");
_Static_assert(offsetof(weir_breaker_options, name) == 184, "weir_breaker_options.name");
_Static_assert(sizeof(weir_breaker_report_entry) == 24, "weir_breaker_report_entry");
_Static_assert(offsetof(weir_breaker_report_entry, permit) == 0,
               "weir_breaker_report_entry.permit");
_Static_assert(offsetof(weir_breaker_report_entry, elapsed_ns) == 8,
               "weir_breaker_report_entry.elapsed_ns");
_Static_assert(offsetof(weir_breaker_report_entry, class_) == 16,
               "weir_breaker_report_entry.class_");
_Static_assert(offsetof(weir_breaker_report_entry, result) == 20,
               "weir_breaker_report_entry.result");
_Static_assert(sizeof(weir_budget_options) == 40, "weir_budget_options");
_Static_assert(offsetof(weir_budget_options, size) == 0, "weir_budget_options.size");
_Static_assert(offsetof(weir_budget_options, reserved) == 4, "weir_budget_options.reserved");
_Static_assert(offsetof(weir_budget_options, ratio) == 8, "weir_budget_options.ratio");
_Static_assert(offsetof(weir_budget_options, min_per_second) == 16,
               "weir_budget_options.min_per_second");
_Static_assert(offsetof(weir_budget_options, window_ms) == 24, "weir_budget_options.window_ms");
_Static_assert(offsetof(weir_budget_options, name) == 32, "weir_budget_options.name");
_Static_assert(sizeof(weir_budget_stats) == 40, "weir_budget_stats");
_Static_assert(offsetof(weir_budget_stats, size) == 0, "weir_budget_stats.size");
_Static_assert(offsetof(weir_budget_stats, reserved) == 4, "weir_budget_stats.reserved");
_Static_assert(offsetof(weir_budget_stats, deposits) == 8, "weir_budget_stats.deposits");
_Static_assert(offsetof(weir_budget_stats, withdrawn) == 16, "weir_budget_stats.withdrawn");
_Static_assert(offsetof(weir_budget_stats, refused) == 24, "weir_budget_stats.refused");
_Static_assert(offsetof(weir_budget_stats, available) == 32, "weir_budget_stats.available");
_Static_assert(sizeof(weir_expiry) == 40, "weir_expiry");
_Static_assert(offsetof(weir_expiry, size) == 0, "weir_expiry.size");
_Static_assert(offsetof(weir_expiry, moment) == 4, "weir_expiry.moment");
_Static_assert(offsetof(weir_expiry, key) == 8, "weir_expiry.key");
_Static_assert(offsetof(weir_expiry, key_size) == 16, "weir_expiry.key_size");
_Static_assert(offsetof(weir_expiry, value) == 24, "weir_expiry.value");
_Static_assert(offsetof(weir_expiry, remaining_ns) == 32, "weir_expiry.remaining_ns");
_Static_assert(sizeof(weir_eviction) == 40, "weir_eviction");
_Static_assert(offsetof(weir_eviction, size) == 0, "weir_eviction.size");
_Static_assert(offsetof(weir_eviction, cause) == 4, "weir_eviction.cause");
_Static_assert(offsetof(weir_eviction, key) == 8, "weir_eviction.key");
_Static_assert(offsetof(weir_eviction, key_size) == 16, "weir_eviction.key_size");
_Static_assert(offsetof(weir_eviction, value) == 24, "weir_eviction.value");
_Static_assert(offsetof(weir_eviction, weight) == 32, "weir_eviction.weight");
_Static_assert(sizeof(weir_cache_options) == 160, "weir_cache_options");
_Static_assert(offsetof(weir_cache_options, size) == 0, "weir_cache_options.size");
_Static_assert(offsetof(weir_cache_options, eviction) == 4, "weir_cache_options.eviction");
_Static_assert(offsetof(weir_cache_options, max_entries) == 8, "weir_cache_options.max_entries");
_Static_assert(offsetof(weir_cache_options, max_weight) == 16, "weir_cache_options.max_weight");
_Static_assert(offsetof(weir_cache_options, ttl_ms) == 24, "weir_cache_options.ttl_ms");
_Static_assert(offsetof(weir_cache_options, idle_ms) == 32, "weir_cache_options.idle_ms");
_Static_assert(offsetof(weir_cache_options, load_timeout_ms) == 40,
               "weir_cache_options.load_timeout_ms");
_Static_assert(offsetof(weir_cache_options, refresh_ms) == 48, "weir_cache_options.refresh_ms");
_Static_assert(offsetof(weir_cache_options, stale_if_error_ms) == 56,
               "weir_cache_options.stale_if_error_ms");
_Static_assert(offsetof(weir_cache_options, negative_ttl_ms) == 64,
               "weir_cache_options.negative_ttl_ms");
_Static_assert(offsetof(weir_cache_options, shards) == 72, "weir_cache_options.shards");
_Static_assert(offsetof(weir_cache_options, reserved) == 76, "weir_cache_options.reserved");
_Static_assert(offsetof(weir_cache_options, weigh) == 80, "weir_cache_options.weigh");
_Static_assert(offsetof(weir_cache_options, weigh_data) == 88, "weir_cache_options.weigh_data");
_Static_assert(offsetof(weir_cache_options, weigh_free_data) == 96,
               "weir_cache_options.weigh_free_data");
_Static_assert(offsetof(weir_cache_options, expire) == 104, "weir_cache_options.expire");
_Static_assert(offsetof(weir_cache_options, expire_data) == 112, "weir_cache_options.expire_data");
_Static_assert(offsetof(weir_cache_options, expire_free_data) == 120,
               "weir_cache_options.expire_free_data");
_Static_assert(offsetof(weir_cache_options, on_evict) == 128, "weir_cache_options.on_evict");
_Static_assert(offsetof(weir_cache_options, evict_data) == 136, "weir_cache_options.evict_data");
_Static_assert(offsetof(weir_cache_options, evict_free_data) == 144,
               "weir_cache_options.evict_free_data");
_Static_assert(offsetof(weir_cache_options, name) == 152, "weir_cache_options.name");
_Static_assert(sizeof(weir_cache_entry) == 32, "weir_cache_entry");
_Static_assert(offsetof(weir_cache_entry, key) == 0, "weir_cache_entry.key");
_Static_assert(offsetof(weir_cache_entry, value) == 8, "weir_cache_entry.value");
_Static_assert(offsetof(weir_cache_entry, remaining_ns) == 16, "weir_cache_entry.remaining_ns");
_Static_assert(offsetof(weir_cache_entry, weight) == 24, "weir_cache_entry.weight");
_Static_assert(sizeof(weir_cache_stats) == 136, "weir_cache_stats");
_Static_assert(offsetof(weir_cache_stats, size) == 0, "weir_cache_stats.size");
_Static_assert(offsetof(weir_cache_stats, reserved) == 4, "weir_cache_stats.reserved");
_Static_assert(offsetof(weir_cache_stats, hits) == 8, "weir_cache_stats.hits");
_Static_assert(offsetof(weir_cache_stats, misses) == 16, "weir_cache_stats.misses");
_Static_assert(offsetof(weir_cache_stats, stale_hits) == 24, "weir_cache_stats.stale_hits");
_Static_assert(offsetof(weir_cache_stats, puts) == 32, "weir_cache_stats.puts");
_Static_assert(offsetof(weir_cache_stats, loads) == 40, "weir_cache_stats.loads");
_Static_assert(offsetof(weir_cache_stats, load_failures) == 48, "weir_cache_stats.load_failures");
_Static_assert(offsetof(weir_cache_stats, load_time_ns) == 56, "weir_cache_stats.load_time_ns");
_Static_assert(offsetof(weir_cache_stats, refused) == 64, "weir_cache_stats.refused");
_Static_assert(offsetof(weir_cache_stats, expired) == 72, "weir_cache_stats.expired");
_Static_assert(offsetof(weir_cache_stats, evicted) == 80, "weir_cache_stats.evicted");
_Static_assert(offsetof(weir_cache_stats, replaced) == 88, "weir_cache_stats.replaced");
_Static_assert(offsetof(weir_cache_stats, invalidated) == 96, "weir_cache_stats.invalidated");
_Static_assert(offsetof(weir_cache_stats, cleared) == 104, "weir_cache_stats.cleared");
_Static_assert(offsetof(weir_cache_stats, entries) == 112, "weir_cache_stats.entries");
_Static_assert(offsetof(weir_cache_stats, weight) == 120, "weir_cache_stats.weight");
_Static_assert(offsetof(weir_cache_stats, loading) == 128, "weir_cache_stats.loading");
_Static_assert(sizeof(weir_chaos_phase) == 32, "weir_chaos_phase");
_Static_assert(offsetof(weir_chaos_phase, from_ms) == 0, "weir_chaos_phase.from_ms");
_Static_assert(offsetof(weir_chaos_phase, until_ms) == 8, "weir_chaos_phase.until_ms");
_Static_assert(offsetof(weir_chaos_phase, what) == 16, "weir_chaos_phase.what");
_Static_assert(offsetof(weir_chaos_phase, reserved) == 20, "weir_chaos_phase.reserved");
_Static_assert(offsetof(weir_chaos_phase, rate) == 24, "weir_chaos_phase.rate");
_Static_assert(sizeof(weir_chaos_options) == 104, "weir_chaos_options");
_Static_assert(offsetof(weir_chaos_options, size) == 0, "weir_chaos_options.size");
_Static_assert(offsetof(weir_chaos_options, enabled) == 4, "weir_chaos_options.enabled");
_Static_assert(offsetof(weir_chaos_options, seed) == 8, "weir_chaos_options.seed");
_Static_assert(offsetof(weir_chaos_options, failure_rate) == 16, "weir_chaos_options.failure_rate");
_Static_assert(offsetof(weir_chaos_options, outcome_rate) == 24, "weir_chaos_options.outcome_rate");
_Static_assert(offsetof(weir_chaos_options, hang_rate) == 32, "weir_chaos_options.hang_rate");
_Static_assert(offsetof(weir_chaos_options, latency_rate) == 40, "weir_chaos_options.latency_rate");
_Static_assert(offsetof(weir_chaos_options, latency_min_ms) == 48,
               "weir_chaos_options.latency_min_ms");
_Static_assert(offsetof(weir_chaos_options, latency_max_ms) == 56,
               "weir_chaos_options.latency_max_ms");
_Static_assert(offsetof(weir_chaos_options, failure) == 64, "weir_chaos_options.failure");
_Static_assert(offsetof(weir_chaos_options, value) == 72, "weir_chaos_options.value");
_Static_assert(offsetof(weir_chaos_options, phases) == 80, "weir_chaos_options.phases");
_Static_assert(offsetof(weir_chaos_options, phases_count) == 88, "weir_chaos_options.phases_count");
_Static_assert(offsetof(weir_chaos_options, name) == 96, "weir_chaos_options.name");
_Static_assert(sizeof(weir_chaos_stats) == 48, "weir_chaos_stats");
_Static_assert(offsetof(weir_chaos_stats, size) == 0, "weir_chaos_stats.size");
_Static_assert(offsetof(weir_chaos_stats, enabled) == 4, "weir_chaos_stats.enabled");
_Static_assert(offsetof(weir_chaos_stats, drawn) == 8, "weir_chaos_stats.drawn");
_Static_assert(offsetof(weir_chaos_stats, delayed) == 16, "weir_chaos_stats.delayed");
_Static_assert(offsetof(weir_chaos_stats, failed) == 24, "weir_chaos_stats.failed");
_Static_assert(offsetof(weir_chaos_stats, outcomes) == 32, "weir_chaos_stats.outcomes");
_Static_assert(offsetof(weir_chaos_stats, hung) == 40, "weir_chaos_stats.hung");
_Static_assert(sizeof(weir_record) == 32, "weir_record");
_Static_assert(offsetof(weir_record, user) == 0, "weir_record.user");
_Static_assert(offsetof(weir_record, object) == 8, "weir_record.object");
_Static_assert(offsetof(weir_record, detail) == 16, "weir_record.detail");
_Static_assert(offsetof(weir_record, status) == 24, "weir_record.status");
_Static_assert(offsetof(weir_record, number) == 28, "weir_record.number");
_Static_assert(offsetof(weir_record, kind) == 30, "weir_record.kind");
_Static_assert(offsetof(weir_record, channel) == 31, "weir_record.channel");
_Static_assert(sizeof(weir_completions_options) == 40, "weir_completions_options");
_Static_assert(offsetof(weir_completions_options, size) == 0, "weir_completions_options.size");
_Static_assert(offsetof(weir_completions_options, with_fd) == 4,
               "weir_completions_options.with_fd");
_Static_assert(offsetof(weir_completions_options, notify) == 8, "weir_completions_options.notify");
_Static_assert(offsetof(weir_completions_options, notify_data) == 16,
               "weir_completions_options.notify_data");
_Static_assert(offsetof(weir_completions_options, notify_free_data) == 24,
               "weir_completions_options.notify_free_data");
_Static_assert(offsetof(weir_completions_options, name) == 32, "weir_completions_options.name");
_Static_assert(sizeof(weir_debounce_options) == 56, "weir_debounce_options");
_Static_assert(offsetof(weir_debounce_options, size) == 0, "weir_debounce_options.size");
_Static_assert(offsetof(weir_debounce_options, leading) == 4, "weir_debounce_options.leading");
_Static_assert(offsetof(weir_debounce_options, trailing) == 8, "weir_debounce_options.trailing");
_Static_assert(offsetof(weir_debounce_options, superseded) == 12,
               "weir_debounce_options.superseded");
_Static_assert(offsetof(weir_debounce_options, overlap) == 16, "weir_debounce_options.overlap");
_Static_assert(offsetof(weir_debounce_options, reserved) == 20, "weir_debounce_options.reserved");
_Static_assert(offsetof(weir_debounce_options, wait_ms) == 24, "weir_debounce_options.wait_ms");
_Static_assert(offsetof(weir_debounce_options, max_wait_ms) == 32,
               "weir_debounce_options.max_wait_ms");
_Static_assert(offsetof(weir_debounce_options, policy) == 40, "weir_debounce_options.policy");
_Static_assert(offsetof(weir_debounce_options, name) == 48, "weir_debounce_options.name");
_Static_assert(sizeof(weir_error_range) == 24, "weir_error_range");
_Static_assert(offsetof(weir_error_range, domain) == 0, "weir_error_range.domain");
_Static_assert(offsetof(weir_error_range, reserved) == 4, "weir_error_range.reserved");
_Static_assert(offsetof(weir_error_range, code_min) == 8, "weir_error_range.code_min");
_Static_assert(offsetof(weir_error_range, code_max) == 16, "weir_error_range.code_max");
_Static_assert(sizeof(weir_fallback_options) == 72, "weir_fallback_options");
_Static_assert(offsetof(weir_fallback_options, size) == 0, "weir_fallback_options.size");
_Static_assert(offsetof(weir_fallback_options, has_value) == 4, "weir_fallback_options.has_value");
_Static_assert(offsetof(weir_fallback_options, value) == 8, "weir_fallback_options.value");
_Static_assert(offsetof(weir_fallback_options, operation) == 16, "weir_fallback_options.operation");
_Static_assert(offsetof(weir_fallback_options, classify) == 24, "weir_fallback_options.classify");
_Static_assert(offsetof(weir_fallback_options, classify_data) == 32,
               "weir_fallback_options.classify_data");
_Static_assert(offsetof(weir_fallback_options, classify_free_data) == 40,
               "weir_fallback_options.classify_free_data");
_Static_assert(offsetof(weir_fallback_options, failures) == 48, "weir_fallback_options.failures");
_Static_assert(offsetof(weir_fallback_options, failures_count) == 56,
               "weir_fallback_options.failures_count");
_Static_assert(offsetof(weir_fallback_options, name) == 64, "weir_fallback_options.name");
_Static_assert(sizeof(weir_fallback_stats) == 32, "weir_fallback_stats");
_Static_assert(offsetof(weir_fallback_stats, size) == 0, "weir_fallback_stats.size");
_Static_assert(offsetof(weir_fallback_stats, reserved) == 4, "weir_fallback_stats.reserved");
_Static_assert(offsetof(weir_fallback_stats, started) == 8, "weir_fallback_stats.started");
_Static_assert(offsetof(weir_fallback_stats, fell_back) == 16, "weir_fallback_stats.fell_back");
_Static_assert(offsetof(weir_fallback_stats, failed) == 24, "weir_fallback_stats.failed");
_Static_assert(sizeof(weir_flight_options) == 24, "weir_flight_options");
_Static_assert(offsetof(weir_flight_options, size) == 0, "weir_flight_options.size");
_Static_assert(offsetof(weir_flight_options, reserved) == 4, "weir_flight_options.reserved");
_Static_assert(offsetof(weir_flight_options, timeout_ms) == 8, "weir_flight_options.timeout_ms");
_Static_assert(offsetof(weir_flight_options, name) == 16, "weir_flight_options.name");
_Static_assert(sizeof(weir_flight_stats) == 48, "weir_flight_stats");
_Static_assert(offsetof(weir_flight_stats, size) == 0, "weir_flight_stats.size");
_Static_assert(offsetof(weir_flight_stats, reserved) == 4, "weir_flight_stats.reserved");
_Static_assert(offsetof(weir_flight_stats, calls) == 8, "weir_flight_stats.calls");
_Static_assert(offsetof(weir_flight_stats, runs) == 16, "weir_flight_stats.runs");
_Static_assert(offsetof(weir_flight_stats, shared) == 24, "weir_flight_stats.shared");
_Static_assert(offsetof(weir_flight_stats, running) == 32, "weir_flight_stats.running");
_Static_assert(offsetof(weir_flight_stats, waiting) == 40, "weir_flight_stats.waiting");
_Static_assert(sizeof(weir_hedge_options) == 80, "weir_hedge_options");
_Static_assert(offsetof(weir_hedge_options, size) == 0, "weir_hedge_options.size");
_Static_assert(offsetof(weir_hedge_options, max_hedges) == 4, "weir_hedge_options.max_hedges");
_Static_assert(offsetof(weir_hedge_options, delay_ms) == 8, "weir_hedge_options.delay_ms");
_Static_assert(offsetof(weir_hedge_options, quantile) == 16, "weir_hedge_options.quantile");
_Static_assert(offsetof(weir_hedge_options, budget) == 24, "weir_hedge_options.budget");
_Static_assert(offsetof(weir_hedge_options, classify) == 32, "weir_hedge_options.classify");
_Static_assert(offsetof(weir_hedge_options, classify_data) == 40,
               "weir_hedge_options.classify_data");
_Static_assert(offsetof(weir_hedge_options, classify_free_data) == 48,
               "weir_hedge_options.classify_free_data");
_Static_assert(offsetof(weir_hedge_options, failures) == 56, "weir_hedge_options.failures");
_Static_assert(offsetof(weir_hedge_options, failures_count) == 64,
               "weir_hedge_options.failures_count");
_Static_assert(offsetof(weir_hedge_options, name) == 72, "weir_hedge_options.name");
_Static_assert(sizeof(weir_hedge_stats) == 56, "weir_hedge_stats");
_Static_assert(offsetof(weir_hedge_stats, size) == 0, "weir_hedge_stats.size");
_Static_assert(offsetof(weir_hedge_stats, reserved) == 4, "weir_hedge_stats.reserved");
_Static_assert(offsetof(weir_hedge_stats, started) == 8, "weir_hedge_stats.started");
_Static_assert(offsetof(weir_hedge_stats, hedged) == 16, "weir_hedge_stats.hedged");
_Static_assert(offsetof(weir_hedge_stats, won_by_hedge) == 24, "weir_hedge_stats.won_by_hedge");
_Static_assert(offsetof(weir_hedge_stats, refused_by_budget) == 32,
               "weir_hedge_stats.refused_by_budget");
_Static_assert(offsetof(weir_hedge_stats, delay_ns) == 40, "weir_hedge_stats.delay_ns");
_Static_assert(offsetof(weir_hedge_stats, samples) == 48, "weir_hedge_stats.samples");
_Static_assert(sizeof(weir_limiter_options) == 168, "weir_limiter_options");
_Static_assert(offsetof(weir_limiter_options, size) == 0, "weir_limiter_options.size");
_Static_assert(offsetof(weir_limiter_options, algorithm) == 4, "weir_limiter_options.algorithm");
_Static_assert(offsetof(weir_limiter_options, permits) == 8, "weir_limiter_options.permits");
_Static_assert(offsetof(weir_limiter_options, interval_ms) == 16,
               "weir_limiter_options.interval_ms");
_Static_assert(offsetof(weir_limiter_options, burst) == 24, "weir_limiter_options.burst");
_Static_assert(offsetof(weir_limiter_options, max_concurrent) == 32,
               "weir_limiter_options.max_concurrent");
_Static_assert(offsetof(weir_limiter_options, max_queue) == 40, "weir_limiter_options.max_queue");
_Static_assert(offsetof(weir_limiter_options, queue_timeout_ms) == 48,
               "weir_limiter_options.queue_timeout_ms");
_Static_assert(offsetof(weir_limiter_options, queue_order) == 56,
               "weir_limiter_options.queue_order");
_Static_assert(offsetof(weir_limiter_options, key_overflow) == 60,
               "weir_limiter_options.key_overflow");
_Static_assert(offsetof(weir_limiter_options, max_keys) == 64, "weir_limiter_options.max_keys");
_Static_assert(offsetof(weir_limiter_options, adaptive) == 72, "weir_limiter_options.adaptive");
_Static_assert(offsetof(weir_limiter_options, early_release) == 76,
               "weir_limiter_options.early_release");
_Static_assert(offsetof(weir_limiter_options, adaptive_min) == 80,
               "weir_limiter_options.adaptive_min");
_Static_assert(offsetof(weir_limiter_options, adaptive_max) == 88,
               "weir_limiter_options.adaptive_max");
_Static_assert(offsetof(weir_limiter_options, adaptive_latency_ms) == 96,
               "weir_limiter_options.adaptive_latency_ms");
_Static_assert(offsetof(weir_limiter_options, adaptive_backoff) == 104,
               "weir_limiter_options.adaptive_backoff");
_Static_assert(offsetof(weir_limiter_options, adaptive_tolerance) == 112,
               "weir_limiter_options.adaptive_tolerance");
_Static_assert(offsetof(weir_limiter_options, classify) == 120, "weir_limiter_options.classify");
_Static_assert(offsetof(weir_limiter_options, classify_data) == 128,
               "weir_limiter_options.classify_data");
_Static_assert(offsetof(weir_limiter_options, classify_free_data) == 136,
               "weir_limiter_options.classify_free_data");
_Static_assert(offsetof(weir_limiter_options, failures) == 144, "weir_limiter_options.failures");
_Static_assert(offsetof(weir_limiter_options, failures_count) == 152,
               "weir_limiter_options.failures_count");
_Static_assert(offsetof(weir_limiter_options, name) == 160, "weir_limiter_options.name");
_Static_assert(sizeof(weir_limiter_stats) == 72, "weir_limiter_stats");
_Static_assert(offsetof(weir_limiter_stats, size) == 0, "weir_limiter_stats.size");
_Static_assert(offsetof(weir_limiter_stats, paused) == 4, "weir_limiter_stats.paused");
_Static_assert(offsetof(weir_limiter_stats, available) == 8, "weir_limiter_stats.available");
_Static_assert(offsetof(weir_limiter_stats, concurrent) == 16, "weir_limiter_stats.concurrent");
_Static_assert(offsetof(weir_limiter_stats, limit) == 24, "weir_limiter_stats.limit");
_Static_assert(offsetof(weir_limiter_stats, queued) == 32, "weir_limiter_stats.queued");
_Static_assert(offsetof(weir_limiter_stats, granted) == 40, "weir_limiter_stats.granted");
_Static_assert(offsetof(weir_limiter_stats, refused) == 48, "weir_limiter_stats.refused");
_Static_assert(offsetof(weir_limiter_stats, timed_out) == 56, "weir_limiter_stats.timed_out");
_Static_assert(offsetof(weir_limiter_stats, keys) == 64, "weir_limiter_stats.keys");
_Static_assert(sizeof(weir_memoize_options) == 64, "weir_memoize_options");
_Static_assert(offsetof(weir_memoize_options, size) == 0, "weir_memoize_options.size");
_Static_assert(offsetof(weir_memoize_options, eviction) == 4, "weir_memoize_options.eviction");
_Static_assert(offsetof(weir_memoize_options, max_entries) == 8,
               "weir_memoize_options.max_entries");
_Static_assert(offsetof(weir_memoize_options, ttl_ms) == 16, "weir_memoize_options.ttl_ms");
_Static_assert(offsetof(weir_memoize_options, load_timeout_ms) == 24,
               "weir_memoize_options.load_timeout_ms");
_Static_assert(offsetof(weir_memoize_options, key) == 32, "weir_memoize_options.key");
_Static_assert(offsetof(weir_memoize_options, key_data) == 40, "weir_memoize_options.key_data");
_Static_assert(offsetof(weir_memoize_options, key_free_data) == 48,
               "weir_memoize_options.key_free_data");
_Static_assert(offsetof(weir_memoize_options, name) == 56, "weir_memoize_options.name");
_Static_assert(sizeof(weir_attempt) == 120, "weir_attempt");
_Static_assert(offsetof(weir_attempt, size) == 0, "weir_attempt.size");
_Static_assert(offsetof(weir_attempt, number) == 4, "weir_attempt.number");
_Static_assert(offsetof(weir_attempt, token) == 8, "weir_attempt.token");
_Static_assert(offsetof(weir_attempt, runtime) == 16, "weir_attempt.runtime");
_Static_assert(offsetof(weir_attempt, input) == 24, "weir_attempt.input");
_Static_assert(offsetof(weir_attempt, context) == 32, "weir_attempt.context");
_Static_assert(offsetof(weir_attempt, remaining_ns) == 40, "weir_attempt.remaining_ns");
_Static_assert(offsetof(weir_attempt, on_cancel) == 48, "weir_attempt.on_cancel");
_Static_assert(offsetof(weir_attempt, data) == 56, "weir_attempt.data");
_Static_assert(offsetof(weir_attempt, free_data) == 64, "weir_attempt.free_data");
_Static_assert(offsetof(weir_attempt, key) == 72, "weir_attempt.key");
_Static_assert(offsetof(weir_attempt, key_size) == 80, "weir_attempt.key_size");
_Static_assert(offsetof(weir_attempt, index) == 88, "weir_attempt.index");
_Static_assert(offsetof(weir_attempt, failed) == 96, "weir_attempt.failed");
_Static_assert(offsetof(weir_attempt, scope) == 104, "weir_attempt.scope");
_Static_assert(offsetof(weir_attempt, shared) == 112, "weir_attempt.shared");
_Static_assert(offsetof(weir_attempt, reserved) == 116, "weir_attempt.reserved");
_Static_assert(sizeof(weir_completion) == 24, "weir_completion");
_Static_assert(offsetof(weir_completion, size) == 0, "weir_completion.size");
_Static_assert(offsetof(weir_completion, class_) == 4, "weir_completion.class_");
_Static_assert(offsetof(weir_completion, final) == 8, "weir_completion.final");
_Static_assert(offsetof(weir_completion, reserved) == 12, "weir_completion.reserved");
_Static_assert(offsetof(weir_completion, retry_after_ms) == 16, "weir_completion.retry_after_ms");
_Static_assert(sizeof(weir_rejection) == 176, "weir_rejection");
_Static_assert(offsetof(weir_rejection, size) == 0, "weir_rejection.size");
_Static_assert(offsetof(weir_rejection, status) == 4, "weir_rejection.status");
_Static_assert(offsetof(weir_rejection, policy) == 8, "weir_rejection.policy");
_Static_assert(offsetof(weir_rejection, reason) == 12, "weir_rejection.reason");
_Static_assert(offsetof(weir_rejection, retry_after_ns) == 16, "weir_rejection.retry_after_ns");
_Static_assert(offsetof(weir_rejection, retry_after_ms) == 24, "weir_rejection.retry_after_ms");
_Static_assert(offsetof(weir_rejection, requested) == 32, "weir_rejection.requested");
_Static_assert(offsetof(weir_rejection, available) == 40, "weir_rejection.available");
_Static_assert(offsetof(weir_rejection, limit) == 48, "weir_rejection.limit");
_Static_assert(offsetof(weir_rejection, queued) == 56, "weir_rejection.queued");
_Static_assert(offsetof(weir_rejection, calls) == 64, "weir_rejection.calls");
_Static_assert(offsetof(weir_rejection, failures) == 72, "weir_rejection.failures");
_Static_assert(offsetof(weir_rejection, slow_calls) == 80, "weir_rejection.slow_calls");
_Static_assert(offsetof(weir_rejection, name) == 88, "weir_rejection.name");
_Static_assert(offsetof(weir_rejection, threshold) == 136, "weir_rejection.threshold");
_Static_assert(offsetof(weir_rejection, interval_ns) == 144, "weir_rejection.interval_ns");
_Static_assert(offsetof(weir_rejection, waited_ns) == 152, "weir_rejection.waited_ns");
_Static_assert(offsetof(weir_rejection, remaining_ns) == 160, "weir_rejection.remaining_ns");
_Static_assert(offsetof(weir_rejection, cause) == 168, "weir_rejection.cause");
_Static_assert(offsetof(weir_rejection, reserved) == 172, "weir_rejection.reserved");
_Static_assert(sizeof(weir_outcome) == 112, "weir_outcome");
_Static_assert(offsetof(weir_outcome, size) == 0, "weir_outcome.size");
_Static_assert(offsetof(weir_outcome, channel) == 4, "weir_outcome.channel");
_Static_assert(offsetof(weir_outcome, status) == 8, "weir_outcome.status");
_Static_assert(offsetof(weir_outcome, class_) == 12, "weir_outcome.class_");
_Static_assert(offsetof(weir_outcome, attempts) == 16, "weir_outcome.attempts");
_Static_assert(offsetof(weir_outcome, stop_reason) == 20, "weir_outcome.stop_reason");
_Static_assert(offsetof(weir_outcome, cancel_reason) == 24, "weir_outcome.cancel_reason");
_Static_assert(offsetof(weir_outcome, final) == 28, "weir_outcome.final");
_Static_assert(offsetof(weir_outcome, elapsed_ns) == 32, "weir_outcome.elapsed_ns");
_Static_assert(offsetof(weir_outcome, retry_after_ms) == 40, "weir_outcome.retry_after_ms");
_Static_assert(offsetof(weir_outcome, value) == 48, "weir_outcome.value");
_Static_assert(offsetof(weir_outcome, error) == 56, "weir_outcome.error");
_Static_assert(offsetof(weir_outcome, rejection) == 64, "weir_outcome.rejection");
_Static_assert(offsetof(weir_outcome, statuses) == 72, "weir_outcome.statuses");
_Static_assert(offsetof(weir_outcome, held) == 104, "weir_outcome.held");
_Static_assert(sizeof(weir_pacing_stats) == 56, "weir_pacing_stats");
_Static_assert(offsetof(weir_pacing_stats, size) == 0, "weir_pacing_stats.size");
_Static_assert(offsetof(weir_pacing_stats, reserved) == 4, "weir_pacing_stats.reserved");
_Static_assert(offsetof(weir_pacing_stats, calls) == 8, "weir_pacing_stats.calls");
_Static_assert(offsetof(weir_pacing_stats, runs) == 16, "weir_pacing_stats.runs");
_Static_assert(offsetof(weir_pacing_stats, superseded) == 24, "weir_pacing_stats.superseded");
_Static_assert(offsetof(weir_pacing_stats, pending) == 32, "weir_pacing_stats.pending");
_Static_assert(offsetof(weir_pacing_stats, running) == 40, "weir_pacing_stats.running");
_Static_assert(offsetof(weir_pacing_stats, keys) == 48, "weir_pacing_stats.keys");
_Static_assert(sizeof(weir_parallel_options) == 136, "weir_parallel_options");
_Static_assert(offsetof(weir_parallel_options, size) == 0, "weir_parallel_options.size");
_Static_assert(offsetof(weir_parallel_options, stop_on_error) == 4,
               "weir_parallel_options.stop_on_error");
_Static_assert(offsetof(weir_parallel_options, concurrency) == 8,
               "weir_parallel_options.concurrency");
_Static_assert(offsetof(weir_parallel_options, item_timeout_ms) == 16,
               "weir_parallel_options.item_timeout_ms");
_Static_assert(offsetof(weir_parallel_options, policy) == 24, "weir_parallel_options.policy");
_Static_assert(offsetof(weir_parallel_options, source) == 32, "weir_parallel_options.source");
_Static_assert(offsetof(weir_parallel_options, pull) == 40, "weir_parallel_options.pull");
_Static_assert(offsetof(weir_parallel_options, pull_data) == 48, "weir_parallel_options.pull_data");
_Static_assert(offsetof(weir_parallel_options, pull_free_data) == 56,
               "weir_parallel_options.pull_free_data");
_Static_assert(offsetof(weir_parallel_options, on_item) == 64, "weir_parallel_options.on_item");
_Static_assert(offsetof(weir_parallel_options, item_data) == 72, "weir_parallel_options.item_data");
_Static_assert(offsetof(weir_parallel_options, item_free_data) == 80,
               "weir_parallel_options.item_free_data");
_Static_assert(offsetof(weir_parallel_options, on_progress) == 88,
               "weir_parallel_options.on_progress");
_Static_assert(offsetof(weir_parallel_options, progress_data) == 96,
               "weir_parallel_options.progress_data");
_Static_assert(offsetof(weir_parallel_options, progress_free_data) == 104,
               "weir_parallel_options.progress_free_data");
_Static_assert(offsetof(weir_parallel_options, name) == 112, "weir_parallel_options.name");
_Static_assert(offsetof(weir_parallel_options, queue) == 120, "weir_parallel_options.queue");
_Static_assert(offsetof(weir_parallel_options, user) == 128, "weir_parallel_options.user");
_Static_assert(sizeof(weir_poll_options) == 64, "weir_poll_options");
_Static_assert(offsetof(weir_poll_options, size) == 0, "weir_poll_options.size");
_Static_assert(offsetof(weir_poll_options, reserved) == 4, "weir_poll_options.reserved");
_Static_assert(offsetof(weir_poll_options, interval_ms) == 8, "weir_poll_options.interval_ms");
_Static_assert(offsetof(weir_poll_options, max_attempts) == 16, "weir_poll_options.max_attempts");
_Static_assert(offsetof(weir_poll_options, max_elapsed_ms) == 24,
               "weir_poll_options.max_elapsed_ms");
_Static_assert(offsetof(weir_poll_options, until) == 32, "weir_poll_options.until");
_Static_assert(offsetof(weir_poll_options, until_data) == 40, "weir_poll_options.until_data");
_Static_assert(offsetof(weir_poll_options, until_free_data) == 48,
               "weir_poll_options.until_free_data");
_Static_assert(offsetof(weir_poll_options, name) == 56, "weir_poll_options.name");
_Static_assert(sizeof(weir_pool_options) == 104, "weir_pool_options");
_Static_assert(offsetof(weir_pool_options, size) == 0, "weir_pool_options.size");
_Static_assert(offsetof(weir_pool_options, stop_on_error) == 4, "weir_pool_options.stop_on_error");
_Static_assert(offsetof(weir_pool_options, concurrency) == 8, "weir_pool_options.concurrency");
_Static_assert(offsetof(weir_pool_options, item_timeout_ms) == 16,
               "weir_pool_options.item_timeout_ms");
_Static_assert(offsetof(weir_pool_options, policy) == 24, "weir_pool_options.policy");
_Static_assert(offsetof(weir_pool_options, on_item) == 32, "weir_pool_options.on_item");
_Static_assert(offsetof(weir_pool_options, item_data) == 40, "weir_pool_options.item_data");
_Static_assert(offsetof(weir_pool_options, item_free_data) == 48,
               "weir_pool_options.item_free_data");
_Static_assert(offsetof(weir_pool_options, on_progress) == 56, "weir_pool_options.on_progress");
_Static_assert(offsetof(weir_pool_options, progress_data) == 64, "weir_pool_options.progress_data");
_Static_assert(offsetof(weir_pool_options, progress_free_data) == 72,
               "weir_pool_options.progress_free_data");
_Static_assert(offsetof(weir_pool_options, name) == 80, "weir_pool_options.name");
_Static_assert(offsetof(weir_pool_options, queue) == 88, "weir_pool_options.queue");
_Static_assert(offsetof(weir_pool_options, user) == 96, "weir_pool_options.user");
_Static_assert(sizeof(weir_pool_stats) == 48, "weir_pool_stats");
_Static_assert(offsetof(weir_pool_stats, size) == 0, "weir_pool_stats.size");
_Static_assert(offsetof(weir_pool_stats, sealed) == 4, "weir_pool_stats.sealed");
_Static_assert(offsetof(weir_pool_stats, added) == 8, "weir_pool_stats.added");
_Static_assert(offsetof(weir_pool_stats, waiting) == 16, "weir_pool_stats.waiting");
_Static_assert(offsetof(weir_pool_stats, running) == 24, "weir_pool_stats.running");
_Static_assert(offsetof(weir_pool_stats, succeeded) == 32, "weir_pool_stats.succeeded");
_Static_assert(offsetof(weir_pool_stats, failed) == 40, "weir_pool_stats.failed");
_Static_assert(sizeof(weir_race_options) == 24, "weir_race_options");
_Static_assert(offsetof(weir_race_options, size) == 0, "weir_race_options.size");
_Static_assert(offsetof(weir_race_options, first_settled) == 4, "weir_race_options.first_settled");
_Static_assert(offsetof(weir_race_options, decisive) == 8, "weir_race_options.decisive");
_Static_assert(offsetof(weir_race_options, name) == 16, "weir_race_options.name");
_Static_assert(sizeof(weir_recorded) == 336, "weir_recorded");
_Static_assert(offsetof(weir_recorded, number) == 0, "weir_recorded.number");
_Static_assert(offsetof(weir_recorded, at_ns) == 8, "weir_recorded.at_ns");
_Static_assert(offsetof(weir_recorded, kind) == 16, "weir_recorded.kind");
_Static_assert(offsetof(weir_recorded, policy) == 20, "weir_recorded.policy");
_Static_assert(offsetof(weir_recorded, status) == 24, "weir_recorded.status");
_Static_assert(offsetof(weir_recorded, reason) == 28, "weir_recorded.reason");
_Static_assert(offsetof(weir_recorded, from) == 32, "weir_recorded.from");
_Static_assert(offsetof(weir_recorded, to) == 36, "weir_recorded.to");
_Static_assert(offsetof(weir_recorded, count) == 40, "weir_recorded.count");
_Static_assert(offsetof(weir_recorded, delay_ns) == 48, "weir_recorded.delay_ns");
_Static_assert(offsetof(weir_recorded, calls) == 56, "weir_recorded.calls");
_Static_assert(offsetof(weir_recorded, failures) == 64, "weir_recorded.failures");
_Static_assert(offsetof(weir_recorded, slow_calls) == 72, "weir_recorded.slow_calls");
_Static_assert(offsetof(weir_recorded, name) == 80, "weir_recorded.name");
_Static_assert(offsetof(weir_recorded, text) == 128, "weir_recorded.text");
_Static_assert(sizeof(weir_retry_options) == 184, "weir_retry_options");
_Static_assert(offsetof(weir_retry_options, size) == 0, "weir_retry_options.size");
_Static_assert(offsetof(weir_retry_options, backoff) == 4, "weir_retry_options.backoff");
_Static_assert(offsetof(weir_retry_options, max_attempts) == 8, "weir_retry_options.max_attempts");
_Static_assert(offsetof(weir_retry_options, base_delay_ms) == 16,
               "weir_retry_options.base_delay_ms");
_Static_assert(offsetof(weir_retry_options, max_delay_ms) == 24, "weir_retry_options.max_delay_ms");
_Static_assert(offsetof(weir_retry_options, min_delay_ms) == 32, "weir_retry_options.min_delay_ms");
_Static_assert(offsetof(weir_retry_options, multiplier) == 40, "weir_retry_options.multiplier");
_Static_assert(offsetof(weir_retry_options, jitter_factor) == 48,
               "weir_retry_options.jitter_factor");
_Static_assert(offsetof(weir_retry_options, jitter) == 56, "weir_retry_options.jitter");
_Static_assert(offsetof(weir_retry_options, retry_refusals) == 60,
               "weir_retry_options.retry_refusals");
_Static_assert(offsetof(weir_retry_options, max_elapsed_ms) == 64,
               "weir_retry_options.max_elapsed_ms");
_Static_assert(offsetof(weir_retry_options, attempt_timeout_ms) == 72,
               "weir_retry_options.attempt_timeout_ms");
_Static_assert(offsetof(weir_retry_options, budget) == 80, "weir_retry_options.budget");
_Static_assert(offsetof(weir_retry_options, classify) == 88, "weir_retry_options.classify");
_Static_assert(offsetof(weir_retry_options, classify_data) == 96,
               "weir_retry_options.classify_data");
_Static_assert(offsetof(weir_retry_options, classify_free_data) == 104,
               "weir_retry_options.classify_free_data");
_Static_assert(offsetof(weir_retry_options, failures) == 112, "weir_retry_options.failures");
_Static_assert(offsetof(weir_retry_options, failures_count) == 120,
               "weir_retry_options.failures_count");
_Static_assert(offsetof(weir_retry_options, should_retry) == 128,
               "weir_retry_options.should_retry");
_Static_assert(offsetof(weir_retry_options, should_retry_data) == 136,
               "weir_retry_options.should_retry_data");
_Static_assert(offsetof(weir_retry_options, should_retry_free_data) == 144,
               "weir_retry_options.should_retry_free_data");
_Static_assert(offsetof(weir_retry_options, on_retry) == 152, "weir_retry_options.on_retry");
_Static_assert(offsetof(weir_retry_options, on_retry_data) == 160,
               "weir_retry_options.on_retry_data");
_Static_assert(offsetof(weir_retry_options, on_retry_free_data) == 168,
               "weir_retry_options.on_retry_free_data");
_Static_assert(offsetof(weir_retry_options, name) == 176, "weir_retry_options.name");
_Static_assert(sizeof(weir_retry_state) == 32, "weir_retry_state");
_Static_assert(offsetof(weir_retry_state, opaque) == 0, "weir_retry_state.opaque");
_Static_assert(sizeof(weir_retry_stats) == 56, "weir_retry_stats");
_Static_assert(offsetof(weir_retry_stats, size) == 0, "weir_retry_stats.size");
_Static_assert(offsetof(weir_retry_stats, reserved) == 4, "weir_retry_stats.reserved");
_Static_assert(offsetof(weir_retry_stats, calls) == 8, "weir_retry_stats.calls");
_Static_assert(offsetof(weir_retry_stats, retries) == 16, "weir_retry_stats.retries");
_Static_assert(offsetof(weir_retry_stats, succeeded_first) == 24,
               "weir_retry_stats.succeeded_first");
_Static_assert(offsetof(weir_retry_stats, succeeded_later) == 32,
               "weir_retry_stats.succeeded_later");
_Static_assert(offsetof(weir_retry_stats, gave_up) == 40, "weir_retry_stats.gave_up");
_Static_assert(offsetof(weir_retry_stats, refused_by_budget) == 48,
               "weir_retry_stats.refused_by_budget");
_Static_assert(sizeof(weir_run_options) == 96, "weir_run_options");
_Static_assert(offsetof(weir_run_options, size) == 0, "weir_run_options.size");
_Static_assert(offsetof(weir_run_options, permits) == 4, "weir_run_options.permits");
_Static_assert(offsetof(weir_run_options, policy) == 8, "weir_run_options.policy");
_Static_assert(offsetof(weir_run_options, deadline_ms) == 16, "weir_run_options.deadline_ms");
_Static_assert(offsetof(weir_run_options, key) == 24, "weir_run_options.key");
_Static_assert(offsetof(weir_run_options, key_size) == 32, "weir_run_options.key_size");
_Static_assert(offsetof(weir_run_options, name) == 40, "weir_run_options.name");
_Static_assert(offsetof(weir_run_options, input) == 48, "weir_run_options.input");
_Static_assert(offsetof(weir_run_options, context) == 56, "weir_run_options.context");
_Static_assert(offsetof(weir_run_options, queue) == 64, "weir_run_options.queue");
_Static_assert(offsetof(weir_run_options, user) == 72, "weir_run_options.user");
_Static_assert(offsetof(weir_run_options, priority) == 80, "weir_run_options.priority");
_Static_assert(offsetof(weir_run_options, reserved) == 84, "weir_run_options.reserved");
_Static_assert(offsetof(weir_run_options, scope) == 88, "weir_run_options.scope");
_Static_assert(sizeof(weir_event) == 96, "weir_event");
_Static_assert(offsetof(weir_event, size) == 0, "weir_event.size");
_Static_assert(offsetof(weir_event, kind) == 4, "weir_event.kind");
_Static_assert(offsetof(weir_event, name) == 8, "weir_event.name");
_Static_assert(offsetof(weir_event, policy) == 16, "weir_event.policy");
_Static_assert(offsetof(weir_event, status) == 24, "weir_event.status");
_Static_assert(offsetof(weir_event, from) == 28, "weir_event.from");
_Static_assert(offsetof(weir_event, to) == 32, "weir_event.to");
_Static_assert(offsetof(weir_event, reason) == 36, "weir_event.reason");
_Static_assert(offsetof(weir_event, count) == 40, "weir_event.count");
_Static_assert(offsetof(weir_event, delay_ns) == 48, "weir_event.delay_ns");
_Static_assert(offsetof(weir_event, at_ns) == 56, "weir_event.at_ns");
_Static_assert(offsetof(weir_event, rejection) == 64, "weir_event.rejection");
_Static_assert(offsetof(weir_event, calls) == 72, "weir_event.calls");
_Static_assert(offsetof(weir_event, failures) == 80, "weir_event.failures");
_Static_assert(offsetof(weir_event, slow_calls) == 88, "weir_event.slow_calls");
_Static_assert(sizeof(weir_runtime_options) == 168, "weir_runtime_options");
_Static_assert(offsetof(weir_runtime_options, size) == 0, "weir_runtime_options.size");
_Static_assert(offsetof(weir_runtime_options, driver) == 4, "weir_runtime_options.driver");
_Static_assert(offsetof(weir_runtime_options, loop) == 8, "weir_runtime_options.loop");
_Static_assert(offsetof(weir_runtime_options, wakeup) == 16, "weir_runtime_options.wakeup");
_Static_assert(offsetof(weir_runtime_options, wakeup_data) == 24,
               "weir_runtime_options.wakeup_data");
_Static_assert(offsetof(weir_runtime_options, wakeup_free_data) == 32,
               "weir_runtime_options.wakeup_free_data");
_Static_assert(offsetof(weir_runtime_options, allocator) == 40, "weir_runtime_options.allocator");
_Static_assert(offsetof(weir_runtime_options, seed) == 48, "weir_runtime_options.seed");
_Static_assert(offsetof(weir_runtime_options, max_in_flight) == 56,
               "weir_runtime_options.max_in_flight");
_Static_assert(offsetof(weir_runtime_options, close_grace_ms) == 64,
               "weir_runtime_options.close_grace_ms");
_Static_assert(offsetof(weir_runtime_options, log) == 72, "weir_runtime_options.log");
_Static_assert(offsetof(weir_runtime_options, log_data) == 80, "weir_runtime_options.log_data");
_Static_assert(offsetof(weir_runtime_options, log_free_data) == 88,
               "weir_runtime_options.log_free_data");
_Static_assert(offsetof(weir_runtime_options, on_event) == 96, "weir_runtime_options.on_event");
_Static_assert(offsetof(weir_runtime_options, event_data) == 104,
               "weir_runtime_options.event_data");
_Static_assert(offsetof(weir_runtime_options, event_free_data) == 112,
               "weir_runtime_options.event_free_data");
_Static_assert(offsetof(weir_runtime_options, on_closed) == 120, "weir_runtime_options.on_closed");
_Static_assert(offsetof(weir_runtime_options, closed_data) == 128,
               "weir_runtime_options.closed_data");
_Static_assert(offsetof(weir_runtime_options, closed_free_data) == 136,
               "weir_runtime_options.closed_free_data");
_Static_assert(offsetof(weir_runtime_options, name) == 144, "weir_runtime_options.name");
_Static_assert(offsetof(weir_runtime_options, log_level) == 152, "weir_runtime_options.log_level");
_Static_assert(offsetof(weir_runtime_options, reserved) == 156, "weir_runtime_options.reserved");
_Static_assert(offsetof(weir_runtime_options, recorder_entries) == 160,
               "weir_runtime_options.recorder_entries");
_Static_assert(offsetof(weir_runtime_options, metrics) == 164, "weir_runtime_options.metrics");
_Static_assert(sizeof(weir_runtime_stats) == 64, "weir_runtime_stats");
_Static_assert(offsetof(weir_runtime_stats, size) == 0, "weir_runtime_stats.size");
_Static_assert(offsetof(weir_runtime_stats, reserved) == 4, "weir_runtime_stats.reserved");
_Static_assert(offsetof(weir_runtime_stats, runs_accepted) == 8,
               "weir_runtime_stats.runs_accepted");
_Static_assert(offsetof(weir_runtime_stats, runs_settled) == 16, "weir_runtime_stats.runs_settled");
_Static_assert(offsetof(weir_runtime_stats, attempts_started) == 24,
               "weir_runtime_stats.attempts_started");
_Static_assert(offsetof(weir_runtime_stats, live_calls) == 32, "weir_runtime_stats.live_calls");
_Static_assert(offsetof(weir_runtime_stats, orphans) == 40, "weir_runtime_stats.orphans");
_Static_assert(offsetof(weir_runtime_stats, timers) == 48, "weir_runtime_stats.timers");
_Static_assert(offsetof(weir_runtime_stats, turns) == 56, "weir_runtime_stats.turns");
_Static_assert(sizeof(weir_audit_entry) == 144, "weir_audit_entry");
_Static_assert(offsetof(weir_audit_entry, kind) == 0, "weir_audit_entry.kind");
_Static_assert(offsetof(weir_audit_entry, attempts) == 4, "weir_audit_entry.attempts");
_Static_assert(offsetof(weir_audit_entry, age_ns) == 8, "weir_audit_entry.age_ns");
_Static_assert(offsetof(weir_audit_entry, name) == 16, "weir_audit_entry.name");
_Static_assert(offsetof(weir_audit_entry, waits_for) == 64, "weir_audit_entry.waits_for");
_Static_assert(sizeof(weir_scope_options) == 40, "weir_scope_options");
_Static_assert(offsetof(weir_scope_options, size) == 0, "weir_scope_options.size");
_Static_assert(offsetof(weir_scope_options, exit) == 4, "weir_scope_options.exit");
_Static_assert(offsetof(weir_scope_options, deadline_ms) == 8, "weir_scope_options.deadline_ms");
_Static_assert(offsetof(weir_scope_options, grace_ms) == 16, "weir_scope_options.grace_ms");
_Static_assert(offsetof(weir_scope_options, parent) == 24, "weir_scope_options.parent");
_Static_assert(offsetof(weir_scope_options, name) == 32, "weir_scope_options.name");
_Static_assert(sizeof(weir_scope_stats) == 32, "weir_scope_stats");
_Static_assert(offsetof(weir_scope_stats, size) == 0, "weir_scope_stats.size");
_Static_assert(offsetof(weir_scope_stats, state) == 4, "weir_scope_stats.state");
_Static_assert(offsetof(weir_scope_stats, cancelled) == 8, "weir_scope_stats.cancelled");
_Static_assert(offsetof(weir_scope_stats, resources) == 12, "weir_scope_stats.resources");
_Static_assert(offsetof(weir_scope_stats, calls) == 16, "weir_scope_stats.calls");
_Static_assert(offsetof(weir_scope_stats, leaked) == 24, "weir_scope_stats.leaked");
_Static_assert(sizeof(weir_throttle_options) == 48, "weir_throttle_options");
_Static_assert(offsetof(weir_throttle_options, size) == 0, "weir_throttle_options.size");
_Static_assert(offsetof(weir_throttle_options, leading) == 4, "weir_throttle_options.leading");
_Static_assert(offsetof(weir_throttle_options, trailing) == 8, "weir_throttle_options.trailing");
_Static_assert(offsetof(weir_throttle_options, superseded) == 12,
               "weir_throttle_options.superseded");
_Static_assert(offsetof(weir_throttle_options, overlap) == 16, "weir_throttle_options.overlap");
_Static_assert(offsetof(weir_throttle_options, reserved) == 20, "weir_throttle_options.reserved");
_Static_assert(offsetof(weir_throttle_options, interval_ms) == 24,
               "weir_throttle_options.interval_ms");
_Static_assert(offsetof(weir_throttle_options, policy) == 32, "weir_throttle_options.policy");
_Static_assert(offsetof(weir_throttle_options, name) == 40, "weir_throttle_options.name");
_Static_assert(sizeof(weir_timeout_options) == 56, "weir_timeout_options");
_Static_assert(offsetof(weir_timeout_options, size) == 0, "weir_timeout_options.size");
_Static_assert(offsetof(weir_timeout_options, reserved) == 4, "weir_timeout_options.reserved");
_Static_assert(offsetof(weir_timeout_options, timeout_ms) == 8, "weir_timeout_options.timeout_ms");
_Static_assert(offsetof(weir_timeout_options, timeout_for) == 16,
               "weir_timeout_options.timeout_for");
_Static_assert(offsetof(weir_timeout_options, timeout_data) == 24,
               "weir_timeout_options.timeout_data");
_Static_assert(offsetof(weir_timeout_options, timeout_free_data) == 32,
               "weir_timeout_options.timeout_free_data");
_Static_assert(offsetof(weir_timeout_options, message) == 40, "weir_timeout_options.message");
_Static_assert(offsetof(weir_timeout_options, name) == 48, "weir_timeout_options.name");
_Static_assert(sizeof(weir_timeout_stats) == 24, "weir_timeout_stats");
_Static_assert(offsetof(weir_timeout_stats, size) == 0, "weir_timeout_stats.size");
_Static_assert(offsetof(weir_timeout_stats, reserved) == 4, "weir_timeout_stats.reserved");
_Static_assert(offsetof(weir_timeout_stats, started) == 8, "weir_timeout_stats.started");
_Static_assert(offsetof(weir_timeout_stats, timed_out) == 16, "weir_timeout_stats.timed_out");

int main(void) { return 0; }
