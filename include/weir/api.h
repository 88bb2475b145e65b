/* SPDX-License-Identifier: MIT */
#ifndef WEIR_API_H
#define WEIR_API_H

/*
 * Every function of weir once, for programs that load the library with dlopen()
 * and want a table of pointers. X gets the result, the name and the parameters:
 *
 *   #define MEMBER(result, name, parameters) result(*name) parameters;
 *   struct { WEIR_FUNCTIONS(MEMBER) } weir;
 *
 *   #define LOAD(result, name, parameters) \
 *     *(void **)&weir.name = dlsym(library, #name);
 *   WEIR_FUNCTIONS(LOAD)
 *
 * Written by tests/abi/symbols.py from the other headers; do not edit.
 */

#include <weir/testing.h>
#include <weir/weir.h>

/* clang-format off */
#define WEIR_FUNCTIONS(X) \
  X(weir_status, weir_all_new, (weir_runtime *runtime, weir_operation *const \
    *operations, size_t count, const char *name, weir_operation **out, \
    weir_error **error)) \
  X(weir_status, weir_all_settled_new, (weir_runtime *runtime, weir_operation \
    *const *operations, size_t count, const char *name, weir_operation **out, \
    weir_error **error)) \
  X(weir_status, weir_any_new, (weir_runtime *runtime, weir_operation *const \
    *operations, size_t count, const char *name, weir_operation **out, \
    weir_error **error)) \
  X(void, weir_breaker_options_init, (weir_breaker_options *options, size_t \
    size)) \
  X(weir_status, weir_breaker_new, (weir_runtime *runtime, const \
    weir_breaker_options *options, weir_breaker **out, weir_error **error)) \
  X(weir_breaker *, weir_breaker_ref, (weir_breaker *breaker)) \
  X(void, weir_breaker_unref, (weir_breaker *breaker)) \
  X(weir_policy *, weir_breaker_policy, (weir_breaker *breaker)) \
  X(weir_breaker *, weir_policy_breaker, (weir_policy *policy)) \
  X(weir_status, weir_breaker_acquire, (weir_breaker *breaker, weir_permit \
    *permit, weir_rejection *rejection)) \
  X(weir_status, weir_breaker_acquire_at, (weir_breaker *breaker, weir_permit \
    *permit, weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_breaker_report, (weir_breaker *breaker, weir_permit \
    permit, uint32_t class_, int64_t elapsed_ns)) \
  X(weir_status, weir_breaker_report_at, (weir_breaker *breaker, weir_permit \
    permit, uint32_t class_, int64_t elapsed_ns, int64_t now_ns)) \
  X(weir_status, weir_breaker_acquire_n, (weir_breaker *breaker, size_t count, \
    weir_permit *permits, size_t *granted, weir_rejection *rejection)) \
  X(weir_status, weir_breaker_acquire_n_at, (weir_breaker *breaker, size_t \
    count, weir_permit *permits, size_t *granted, weir_rejection *rejection, \
    int64_t now_ns)) \
  X(weir_status, weir_breaker_report_many, (weir_breaker *breaker, \
    weir_breaker_report_entry *entries, size_t count)) \
  X(weir_status, weir_breaker_report_many_at, (weir_breaker *breaker, \
    weir_breaker_report_entry *entries, size_t count, int64_t now_ns)) \
  X(uint32_t, weir_breaker_state, (weir_breaker *breaker)) \
  X(uint32_t, weir_breaker_state_at, (weir_breaker *breaker, int64_t now_ns)) \
  X(weir_status, weir_breaker_isolate, (weir_breaker *breaker)) \
  X(weir_status, weir_breaker_release, (weir_breaker *breaker)) \
  X(weir_status, weir_breaker_force, (weir_breaker *breaker, uint32_t state)) \
  X(weir_status, weir_breaker_reset, (weir_breaker *breaker)) \
  X(weir_status, weir_breaker_set_options, (weir_breaker *breaker, const \
    weir_breaker_options *options, weir_error **error)) \
  X(weir_status, weir_breaker_get_stats, (weir_breaker *breaker, \
    weir_breaker_stats *stats)) \
  X(weir_status, weir_breaker_snapshot, (weir_breaker *breaker, void *buffer, \
    size_t *size)) \
  X(weir_status, weir_breaker_restore, (weir_breaker *breaker, const void \
    *bytes, size_t size, int64_t elapsed_ms)) \
  X(void, weir_budget_options_init, (weir_budget_options *options, size_t \
    size)) \
  X(weir_status, weir_budget_new, (weir_runtime *runtime, const \
    weir_budget_options *options, weir_budget **out, weir_error **error)) \
  X(weir_status, weir_budget_set_options, (weir_budget *budget, const \
    weir_budget_options *options, weir_error **error)) \
  X(weir_budget *, weir_budget_ref, (weir_budget *budget)) \
  X(void, weir_budget_unref, (weir_budget *budget)) \
  X(weir_status, weir_budget_deposit, (weir_budget *budget)) \
  X(weir_status, weir_budget_deposit_at, (weir_budget *budget, int64_t \
    now_ns)) \
  X(weir_status, weir_budget_withdraw, (weir_budget *budget)) \
  X(weir_status, weir_budget_withdraw_at, (weir_budget *budget, int64_t \
    now_ns)) \
  X(weir_status, weir_budget_try_withdraw, (weir_budget *budget, \
    weir_rejection *rejection)) \
  X(weir_status, weir_budget_try_withdraw_at, (weir_budget *budget, \
    weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_budget_refund, (weir_budget *budget)) \
  X(weir_status, weir_budget_refund_at, (weir_budget *budget, int64_t now_ns)) \
  X(weir_status, weir_budget_get_stats, (weir_budget *budget, \
    weir_budget_stats *stats)) \
  X(weir_status, weir_bulkhead_new, (weir_runtime *runtime, int64_t \
    max_concurrent, int64_t queue_limit, const char *name, weir_limiter **out, \
    weir_error **error)) \
  X(void, weir_cache_options_init, (weir_cache_options *options, size_t size)) \
  X(weir_status, weir_cache_new, (weir_runtime *runtime, const \
    weir_cache_options *options, weir_cache **out, weir_error **error)) \
  X(weir_cache *, weir_cache_ref, (weir_cache *cache)) \
  X(void, weir_cache_unref, (weir_cache *cache)) \
  X(weir_status, weir_cache_lookup, (weir_cache *cache, const void *key, \
    size_t key_size, weir_value **value)) \
  X(weir_status, weir_cache_lookup_at, (weir_cache *cache, const void *key, \
    size_t key_size, int64_t now_ns, weir_value **value)) \
  X(weir_status, weir_cache_lookup_copy, (weir_cache *cache, const void *key, \
    size_t key_size, void *buffer, size_t capacity, size_t *size)) \
  X(weir_status, weir_cache_lookup_copy_at, (weir_cache *cache, const void \
    *key, size_t key_size, int64_t now_ns, void *buffer, size_t capacity, \
    size_t *size)) \
  X(weir_status, weir_cache_put, (weir_cache *cache, const void *key, size_t \
    key_size, weir_value *value)) \
  X(weir_status, weir_cache_put_at, (weir_cache *cache, const void *key, \
    size_t key_size, weir_value *value, int64_t now_ns)) \
  X(weir_status, weir_cache_put_for, (weir_cache *cache, const void *key, \
    size_t key_size, weir_value *value, int64_t ttl_ms)) \
  X(weir_status, weir_cache_put_for_at, (weir_cache *cache, const void *key, \
    size_t key_size, weir_value *value, int64_t ttl_ms, int64_t now_ns)) \
  X(weir_status, weir_cache_put_if_absent, (weir_cache *cache, const void \
    *key, size_t key_size, weir_value *value, weir_value **existing)) \
  X(weir_status, weir_cache_put_if_absent_at, (weir_cache *cache, const void \
    *key, size_t key_size, weir_value *value, int64_t now_ns, weir_value \
    **existing)) \
  X(weir_status, weir_cache_touch, (weir_cache *cache, const void *key, size_t \
    key_size, int64_t ttl_ms)) \
  X(weir_status, weir_cache_touch_at, (weir_cache *cache, const void *key, \
    size_t key_size, int64_t ttl_ms, int64_t now_ns)) \
  X(weir_status, weir_cache_invalidate, (weir_cache *cache, const void *key, \
    size_t key_size)) \
  X(weir_status, weir_cache_clear, (weir_cache *cache)) \
  X(weir_status, weir_cache_scan, (weir_cache *cache, uint64_t *cursor, \
    weir_cache_entry *entries, size_t entry_size, size_t capacity, size_t \
    *count)) \
  X(weir_status, weir_cache_get_stats, (weir_cache *cache, weir_cache_stats \
    *stats)) \
  X(weir_status, weir_cache_get, (weir_cache *cache, const void *key, size_t \
    key_size, weir_operation *loader, weir_settle_fn settle, void *data, \
    weir_free_fn free_data, weir_call **call, weir_error **error)) \
  X(weir_status, weir_cache_operation, (weir_cache *cache, weir_operation \
    *loader, weir_operation **out, weir_error **error)) \
  X(weir_status, weir_cache_get_many, (weir_cache *cache, const void *const \
    *keys, const size_t *key_sizes, size_t count, weir_operation *loader, \
    weir_settle_fn settle, void *data, weir_free_fn free_data, weir_call \
    **call, weir_error **error)) \
  X(weir_status, weir_cache_operation_many, (weir_cache *cache, weir_operation \
    *loader, weir_operation **out, weir_error **error)) \
  X(void, weir_chaos_options_init, (weir_chaos_options *options, size_t size)) \
  X(weir_status, weir_chaos_new, (weir_runtime *runtime, const \
    weir_chaos_options *options, weir_chaos **out, weir_error **error)) \
  X(weir_status, weir_chaos_enable, (weir_chaos *chaos, uint32_t enabled)) \
  X(weir_status, weir_chaos_set_options, (weir_chaos *chaos, const \
    weir_chaos_options *options, weir_error **error)) \
  X(weir_chaos *, weir_chaos_ref, (weir_chaos *chaos)) \
  X(void, weir_chaos_unref, (weir_chaos *chaos)) \
  X(weir_policy *, weir_chaos_policy, (weir_chaos *chaos)) \
  X(weir_chaos *, weir_policy_chaos, (weir_policy *policy)) \
  X(weir_status, weir_chaos_get_stats, (weir_chaos *chaos, weir_chaos_stats \
    *stats)) \
  X(void, weir_completions_options_init, (weir_completions_options *options, \
    size_t size)) \
  X(weir_status, weir_completions_new, (weir_runtime *runtime, const \
    weir_completions_options *options, weir_completions **out, weir_error \
    **error)) \
  X(weir_completions *, weir_completions_ref, (weir_completions *queue)) \
  X(void, weir_completions_unref, (weir_completions *queue)) \
  X(size_t, weir_completions_drain, (weir_completions *queue, weir_record \
    *records, size_t record_size, size_t capacity)) \
  X(weir_status, weir_completions_wait, (weir_completions *queue, weir_record \
    *records, size_t record_size, size_t capacity, int64_t timeout_ms, size_t \
    *count)) \
  X(int, weir_completions_fd, (weir_completions *queue)) \
  X(void, weir_debounce_options_init, (weir_debounce_options *options, size_t \
    size)) \
  X(weir_status, weir_debounce_new, (weir_runtime *runtime, weir_operation \
    *operation, const weir_debounce_options *options, weir_debounce **out, \
    weir_error **error)) \
  X(weir_status, weir_debounce_set_options, (weir_debounce *debounce, const \
    weir_debounce_options *options, weir_error **error)) \
  X(weir_debounce *, weir_debounce_ref, (weir_debounce *debounce)) \
  X(void, weir_debounce_unref, (weir_debounce *debounce)) \
  X(weir_operation *, weir_debounce_operation, (weir_debounce *debounce)) \
  X(weir_status, weir_debounce_call, (weir_debounce *debounce, const void \
    *key, size_t key_size, weir_value *argument, weir_settle_fn settle, void \
    *data, weir_free_fn free_data, weir_call **call, weir_error **error)) \
  X(weir_status, weir_debounce_touch, (weir_debounce *debounce, const void \
    *key, size_t key_size, weir_value *argument)) \
  X(weir_status, weir_debounce_touch_at, (weir_debounce *debounce, const void \
    *key, size_t key_size, weir_value *argument, int64_t now_ns)) \
  X(weir_status, weir_debounce_cancel, (weir_debounce *debounce, const void \
    *key, size_t key_size)) \
  X(weir_status, weir_debounce_flush, (weir_debounce *debounce, const void \
    *key, size_t key_size)) \
  X(uint64_t, weir_debounce_pending, (weir_debounce *debounce)) \
  X(weir_status, weir_debounce_get_stats, (weir_debounce *debounce, \
    weir_pacing_stats *stats)) \
  X(weir_status, weir_error_new, (weir_runtime *runtime, uint32_t domain, \
    int64_t code, const char *message, weir_error **out)) \
  X(weir_status, weir_error_new_with, (weir_runtime *runtime, uint32_t domain, \
    int64_t code, const char *message, weir_error *cause, weir_value *detail, \
    weir_error **out)) \
  X(weir_error *, weir_error_ref, (weir_error *error)) \
  X(void, weir_error_unref, (weir_error *error)) \
  X(weir_status, weir_error_status, (const weir_error *error)) \
  X(uint32_t, weir_error_domain, (const weir_error *error)) \
  X(int64_t, weir_error_code, (const weir_error *error)) \
  X(const char *, weir_error_message, (const weir_error *error)) \
  X(weir_error *, weir_error_cause, (const weir_error *error)) \
  X(size_t, weir_error_count, (const weir_error *error)) \
  X(weir_error *, weir_error_at, (const weir_error *error, size_t position, \
    size_t *index)) \
  X(weir_value *, weir_error_detail, (const weir_error *error)) \
  X(void, weir_fallback_options_init, (weir_fallback_options *options, size_t \
    size)) \
  X(weir_status, weir_fallback_new, (weir_runtime *runtime, const \
    weir_fallback_options *options, weir_fallback **out, weir_error **error)) \
  X(weir_status, weir_fallback_set_options, (weir_fallback *fallback, const \
    weir_fallback_options *options, weir_error **error)) \
  X(weir_fallback *, weir_fallback_ref, (weir_fallback *fallback)) \
  X(void, weir_fallback_unref, (weir_fallback *fallback)) \
  X(weir_policy *, weir_fallback_policy, (weir_fallback *fallback)) \
  X(weir_status, weir_fallback_get_stats, (weir_fallback *fallback, \
    weir_fallback_stats *stats)) \
  X(void, weir_flight_options_init, (weir_flight_options *options, size_t \
    size)) \
  X(weir_status, weir_flight_new, (weir_runtime *runtime, const \
    weir_flight_options *options, weir_flight **out, weir_error **error)) \
  X(weir_flight *, weir_flight_ref, (weir_flight *flight)) \
  X(void, weir_flight_unref, (weir_flight *flight)) \
  X(weir_status, weir_flight_run, (weir_flight *flight, const void *key, \
    size_t key_size, weir_operation *operation, weir_value *input, \
    weir_settle_fn settle, void *data, weir_free_fn free_data, weir_call \
    **call, weir_error **error)) \
  X(weir_status, weir_flight_operation, (weir_flight *flight, weir_operation \
    *operation, weir_operation **out, weir_error **error)) \
  X(weir_status, weir_flight_forget, (weir_flight *flight, const void *key, \
    size_t key_size)) \
  X(weir_status, weir_flight_get_stats, (weir_flight *flight, \
    weir_flight_stats *stats)) \
  X(void, weir_hedge_options_init, (weir_hedge_options *options, size_t size)) \
  X(weir_status, weir_hedge_new, (weir_runtime *runtime, const \
    weir_hedge_options *options, weir_hedge **out, weir_error **error)) \
  X(weir_status, weir_hedge_set_options, (weir_hedge *hedge, const \
    weir_hedge_options *options, weir_error **error)) \
  X(weir_hedge *, weir_hedge_ref, (weir_hedge *hedge)) \
  X(void, weir_hedge_unref, (weir_hedge *hedge)) \
  X(weir_policy *, weir_hedge_policy, (weir_hedge *hedge)) \
  X(weir_status, weir_hedge_get_stats, (weir_hedge *hedge, weir_hedge_stats \
    *stats)) \
  X(void, weir_limiter_options_init, (weir_limiter_options *options, size_t \
    size)) \
  X(weir_status, weir_limiter_new, (weir_runtime *runtime, const \
    weir_limiter_options *options, weir_limiter **out, weir_error **error)) \
  X(weir_limiter *, weir_limiter_ref, (weir_limiter *limiter)) \
  X(void, weir_limiter_unref, (weir_limiter *limiter)) \
  X(weir_policy *, weir_limiter_policy, (weir_limiter *limiter)) \
  X(weir_limiter *, weir_policy_limiter, (weir_policy *policy)) \
  X(weir_status, weir_limiter_add_limit, (weir_limiter *limiter, uint32_t \
    algorithm, int64_t permits, int64_t interval_ms, int64_t burst, weir_error \
    **error)) \
  X(weir_status, weir_limiter_try_acquire, (weir_limiter *limiter, uint32_t \
    permits, weir_permit *permit, weir_rejection *rejection)) \
  X(weir_status, weir_limiter_try_acquire_at, (weir_limiter *limiter, uint32_t \
    permits, weir_permit *permit, weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_limiter_try_acquire_key, (weir_limiter *limiter, const \
    void *key, size_t key_size, uint32_t permits, weir_permit *permit, \
    weir_rejection *rejection)) \
  X(weir_status, weir_limiter_try_acquire_key_at, (weir_limiter *limiter, \
    const void *key, size_t key_size, uint32_t permits, weir_permit *permit, \
    weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_limiter_acquire_n, (weir_limiter *limiter, size_t count, \
    size_t *granted, weir_rejection *rejection)) \
  X(weir_status, weir_limiter_acquire_n_at, (weir_limiter *limiter, size_t \
    count, size_t *granted, weir_rejection *rejection, int64_t now_ns)) \
  X(weir_status, weir_limiter_reserve, (weir_limiter *limiter, uint32_t \
    permits, int64_t *wait_ns, weir_permit *reservation)) \
  X(weir_status, weir_limiter_reserve_at, (weir_limiter *limiter, uint32_t \
    permits, int64_t *wait_ns, weir_permit *reservation, int64_t now_ns)) \
  X(weir_status, weir_limiter_cancel_reservation, (weir_limiter *limiter, \
    uint32_t permits, weir_permit reservation)) \
  X(weir_status, weir_limiter_release, (weir_limiter *limiter, weir_permit \
    permit)) \
  X(weir_status, weir_limiter_release_with, (weir_limiter *limiter, \
    weir_permit permit, uint32_t class_, int64_t elapsed_ns)) \
  X(weir_status, weir_limiter_release_key, (weir_limiter *limiter, const void \
    *key, size_t key_size, weir_permit permit)) \
  X(weir_status, weir_limiter_refund, (weir_limiter *limiter, uint32_t \
    permits)) \
  X(int64_t, weir_limiter_available, (weir_limiter *limiter)) \
  X(int64_t, weir_limiter_available_at, (weir_limiter *limiter, int64_t \
    now_ns)) \
  X(weir_status, weir_limiter_drain, (weir_limiter *limiter, int64_t \
    *drained)) \
  X(weir_status, weir_limiter_pause, (weir_limiter *limiter)) \
  X(weir_status, weir_limiter_resume, (weir_limiter *limiter)) \
  X(weir_status, weir_limiter_set_options, (weir_limiter *limiter, const \
    weir_limiter_options *options, weir_error **error)) \
  X(weir_status, weir_limiter_get_stats, (weir_limiter *limiter, \
    weir_limiter_stats *stats)) \
  X(void, weir_log, (weir_runtime *runtime, int32_t level, const char \
    *subject, const char *message)) \
  X(void, weir_memoize_options_init, (weir_memoize_options *options, size_t \
    size)) \
  X(weir_status, weir_memoize_new, (weir_runtime *runtime, weir_operation \
    *operation, const weir_memoize_options *options, weir_memoize **out, \
    weir_error **error)) \
  X(weir_memoize *, weir_memoize_ref, (weir_memoize *memoize)) \
  X(void, weir_memoize_unref, (weir_memoize *memoize)) \
  X(weir_operation *, weir_memoize_operation, (weir_memoize *memoize)) \
  X(weir_status, weir_memoize_call, (weir_memoize *memoize, weir_value *input, \
    weir_settle_fn settle, void *data, weir_free_fn free_data, weir_call \
    **call, weir_error **error)) \
  X(weir_cache *, weir_memoize_cache, (weir_memoize *memoize)) \
  X(weir_status, weir_runtime_metrics, (weir_runtime *runtime, char *buffer, \
    size_t size, size_t *needed)) \
  X(weir_status, weir_runtime_metrics_text, (weir_runtime *runtime, char \
    *buffer, size_t size, size_t *needed)) \
  X(weir_status, weir_runtime_set_label, (weir_runtime *runtime, const char \
    *key, const char *value, weir_error **error)) \
  X(weir_status, weir_policy_set_label, (weir_policy *policy, const char *key, \
    const char *value, weir_error **error)) \
  X(weir_status, weir_operation_set_label, (weir_operation *operation, const \
    char *key, const char *value, weir_error **error)) \
  X(weir_status, weir_cache_set_label, (weir_cache *cache, const char *key, \
    const char *value, weir_error **error)) \
  X(weir_status, weir_budget_set_label, (weir_budget *budget, const char *key, \
    const char *value, weir_error **error)) \
  X(weir_status, weir_operation_new, (weir_runtime *runtime, weir_start_fn \
    start, void *data, weir_free_fn free_data, weir_operation **out, \
    weir_error **error)) \
  X(weir_status, weir_operation_new_blocking, (weir_runtime *runtime, \
    weir_blocking_fn function, void *data, weir_free_fn free_data, \
    weir_operation **out, weir_error **error)) \
  X(weir_status, weir_operation_new_queued, (weir_completions *queue, uint64_t \
    user, weir_operation **out, weir_error **error)) \
  X(weir_status, weir_operation_new_asked, (weir_completions *queue, uint64_t \
    user, weir_operation **out, weir_error **error)) \
  X(weir_status, weir_attempt_get, (weir_runtime *runtime, weir_token token, \
    weir_attempt *attempt, struct weir_outcome *failed)) \
  X(weir_operation *, weir_operation_ref, (weir_operation *operation)) \
  X(void, weir_operation_unref, (weir_operation *operation)) \
  X(void, weir_completion_init, (weir_completion *completion, size_t size)) \
  X(weir_status, weir_complete, (weir_runtime *runtime, weir_token token, \
    weir_value *value)) \
  X(weir_status, weir_complete_bytes, (weir_runtime *runtime, weir_token \
    token, const void *data, size_t size)) \
  X(weir_status, weir_complete_pointer, (weir_runtime *runtime, weir_token \
    token, void *pointer, weir_free_fn free_pointer)) \
  X(weir_status, weir_fail, (weir_runtime *runtime, weir_token token, uint32_t \
    domain, int64_t code, const char *message)) \
  X(weir_status, weir_fail_with, (weir_runtime *runtime, weir_token token, \
    weir_error *error)) \
  X(weir_status, weir_complete_with, (weir_runtime *runtime, weir_token token, \
    weir_value *value, weir_error *error, const weir_completion *completion)) \
  X(size_t, weir_outcome_describe, (const weir_outcome *outcome, char *buffer, \
    size_t size)) \
  X(size_t, weir_rejection_describe, (const weir_rejection *rejection, char \
    *buffer, size_t size)) \
  X(void, weir_outcome_release, (weir_outcome *outcome)) \
  X(void, weir_parallel_options_init, (weir_parallel_options *options, size_t \
    size)) \
  X(weir_status, weir_parallel_new, (weir_runtime *runtime, weir_operation \
    *const *operations, size_t count, const weir_parallel_options *options, \
    weir_operation **out, weir_error **error)) \
  X(weir_status, weir_parallel_new_each, (weir_operation *operation, \
    weir_value *items, const weir_parallel_options *options, weir_operation \
    **out, weir_error **error)) \
  X(weir_status, weir_pipeline_new, (weir_runtime *runtime, weir_policy *const \
    *policies, size_t count, const char *name, weir_pipeline **out, weir_error \
    **error)) \
  X(weir_pipeline *, weir_pipeline_ref, (weir_pipeline *pipeline)) \
  X(void, weir_pipeline_unref, (weir_pipeline *pipeline)) \
  X(weir_policy *, weir_pipeline_policy, (weir_pipeline *pipeline)) \
  X(weir_pipeline *, weir_policy_pipeline, (weir_policy *policy)) \
  X(weir_policy *, weir_policy_ref, (weir_policy *policy)) \
  X(void, weir_policy_unref, (weir_policy *policy)) \
  X(uint32_t, weir_policy_kind, (const weir_policy *policy)) \
  X(const char *, weir_policy_name, (const weir_policy *policy)) \
  X(weir_status, weir_policy_wrap, (weir_policy *policy, weir_operation \
    *operation, weir_operation **out, weir_error **error)) \
  X(void, weir_poll_options_init, (weir_poll_options *options, size_t size)) \
  X(weir_status, weir_poll_new, (weir_operation *operation, const \
    weir_poll_options *options, weir_operation **out, weir_error **error)) \
  X(void, weir_pool_options_init, (weir_pool_options *options, size_t size)) \
  X(weir_status, weir_pool_new, (weir_runtime *runtime, const \
    weir_pool_options *options, weir_pool **out, weir_error **error)) \
  X(weir_pool *, weir_pool_ref, (weir_pool *pool)) \
  X(void, weir_pool_unref, (weir_pool *pool)) \
  X(weir_operation *, weir_pool_operation, (weir_pool *pool)) \
  X(weir_status, weir_pool_add, (weir_pool *pool, weir_operation *operation, \
    weir_value *input, weir_error **error)) \
  X(weir_status, weir_pool_seal, (weir_pool *pool)) \
  X(weir_status, weir_pool_get_stats, (weir_pool *pool, weir_pool_stats \
    *stats)) \
  X(void, weir_race_options_init, (weir_race_options *options, size_t size)) \
  X(weir_status, weir_race_new, (weir_runtime *runtime, weir_operation *const \
    *operations, size_t count, const weir_race_options *options, \
    weir_operation **out, weir_error **error)) \
  X(weir_status, weir_recorder_dump, (weir_runtime *runtime, char *buffer, \
    size_t size, size_t *needed)) \
  X(weir_status, weir_recorder_read, (weir_runtime *runtime, uint64_t *cursor, \
    weir_recorded *entries, size_t entry_size, size_t capacity, size_t \
    *count)) \
  X(weir_status, weir_recorder_notify, (weir_runtime *runtime, \
    weir_completions *queue, uint64_t user)) \
  X(weir_status, weir_policy_register, (weir_policy *policy, weir_error \
    **error)) \
  X(weir_status, weir_policy_find, (weir_runtime *runtime, const char *name, \
    weir_policy **policy, weir_error **error)) \
  X(weir_status, weir_policy_unregister, (weir_policy *policy)) \
  X(void, weir_retry_options_init, (weir_retry_options *options, size_t size)) \
  X(weir_status, weir_retry_new, (weir_runtime *runtime, const \
    weir_retry_options *options, weir_retry **out, weir_error **error)) \
  X(weir_status, weir_retry_set_options, (weir_retry *retry, const \
    weir_retry_options *options, weir_error **error)) \
  X(weir_retry *, weir_retry_ref, (weir_retry *retry)) \
  X(void, weir_retry_unref, (weir_retry *retry)) \
  X(weir_policy *, weir_retry_policy, (weir_retry *retry)) \
  X(weir_retry *, weir_policy_retry, (weir_policy *policy)) \
  X(weir_status, weir_retry_begin, (weir_retry *retry, weir_retry_state \
    *state)) \
  X(weir_status, weir_retry_begin_at, (weir_retry *retry, weir_retry_state \
    *state, int64_t now_ns)) \
  X(weir_status, weir_retry_next, (weir_retry *retry, weir_retry_state *state, \
    uint32_t class_, int64_t asked_delay_ms, int64_t *delay_ns, uint32_t \
    *stop_reason)) \
  X(weir_status, weir_retry_next_at, (weir_retry *retry, weir_retry_state \
    *state, uint32_t class_, int64_t asked_delay_ms, int64_t *delay_ns, \
    uint32_t *stop_reason, int64_t now_ns)) \
  X(weir_status, weir_retry_get_stats, (weir_retry *retry, weir_retry_stats \
    *stats)) \
  X(void, weir_run_options_init, (weir_run_options *options, size_t size)) \
  X(weir_status, weir_run, (weir_operation *operation, const weir_run_options \
    *options, weir_settle_fn settle, void *data, weir_free_fn free_data, \
    weir_call **call, weir_error **error)) \
  X(weir_status, weir_run_wait, (weir_operation *operation, const \
    weir_run_options *options, int64_t timeout_ms, weir_outcome *outcome, \
    weir_error **error)) \
  X(weir_call *, weir_call_ref, (weir_call *call)) \
  X(void, weir_call_unref, (weir_call *call)) \
  X(weir_status, weir_call_cancel, (weir_call *call)) \
  X(weir_status, weir_call_wait, (weir_call *call, int64_t timeout_ms)) \
  X(const weir_outcome *, weir_call_outcome, (weir_call *call)) \
  X(void, weir_runtime_options_init, (weir_runtime_options *options, size_t \
    size)) \
  X(weir_status, weir_runtime_new, (const weir_runtime_options *options, \
    weir_runtime **out, weir_error **error)) \
  X(weir_runtime *, weir_runtime_ref, (weir_runtime *runtime)) \
  X(void, weir_runtime_unref, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_close, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_close_wait, (weir_runtime *runtime, int64_t \
    timeout_ms)) \
  X(weir_status, weir_runtime_state, (const weir_runtime *runtime)) \
  X(weir_status, weir_runtime_hold, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_release, (weir_runtime *runtime)) \
  X(int64_t, weir_runtime_now, (const weir_runtime *runtime)) \
  X(uint64_t, weir_runtime_process, (weir_runtime *runtime, int64_t now_ns)) \
  X(int64_t, weir_runtime_next_deadline, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_trim, (weir_runtime *runtime)) \
  X(weir_status, weir_runtime_get_stats, (const weir_runtime *runtime, \
    weir_runtime_stats *stats)) \
  X(weir_status, weir_runtime_audit, (weir_runtime *runtime, weir_audit_entry \
    *entries, size_t entry_size, size_t capacity, size_t *count)) \
  X(void, weir_scope_options_init, (weir_scope_options *options, size_t size)) \
  X(weir_status, weir_scope_new, (weir_runtime *runtime, const \
    weir_scope_options *options, weir_scope **out, weir_error **error)) \
  X(weir_scope *, weir_scope_ref, (weir_scope *scope)) \
  X(void, weir_scope_unref, (weir_scope *scope)) \
  X(weir_status, weir_scope_cancel, (weir_scope *scope)) \
  X(weir_status, weir_scope_join, (weir_scope *scope, weir_operation **out, \
    weir_error **error)) \
  X(weir_status, weir_scope_operation, (weir_operation *body, const \
    weir_scope_options *options, weir_operation **out, weir_error **error)) \
  X(weir_status, weir_scope_resource, (weir_operation *open, weir_operation \
    *close, const char *key, weir_operation **out, weir_error **error)) \
  X(weir_status, weir_scope_set_int64, (weir_scope *scope, const char *key, \
    int64_t number)) \
  X(weir_status, weir_scope_set_bytes, (weir_scope *scope, const char *key, \
    const void *bytes, size_t size)) \
  X(weir_status, weir_scope_set_value, (weir_scope *scope, const char *key, \
    weir_value *value)) \
  X(weir_status, weir_scope_get_int64, (weir_scope *scope, const char *key, \
    int64_t *number)) \
  X(weir_status, weir_scope_get_bytes, (weir_scope *scope, const char *key, \
    void *buffer, size_t capacity, size_t *size)) \
  X(weir_status, weir_scope_get_value, (weir_scope *scope, const char *key, \
    weir_value **value)) \
  X(weir_scope *, weir_scope_current, (weir_runtime *runtime)) \
  X(void, weir_scope_log, (weir_scope *scope, int32_t level, const char \
    *message)) \
  X(weir_status, weir_scope_get_stats, (weir_scope *scope, weir_scope_stats \
    *stats)) \
  X(weir_status, weir_sleep_new, (weir_runtime *runtime, int64_t sleep_ms, \
    weir_status status, weir_value *value, weir_error *error_result, \
    weir_operation **out, weir_error **error)) \
  X(const char *, weir_status_name, (weir_status status)) \
  X(const char *, weir_status_message, (weir_status status)) \
  X(weir_status, weir_testing_runtime_new, (uint64_t seed, weir_runtime \
    **out)) \
  X(uint64_t, weir_testing_run_until_idle, (weir_runtime *runtime)) \
  X(uint64_t, weir_testing_advance, (weir_runtime *runtime, int64_t ms)) \
  X(uint64_t, weir_testing_advance_ns, (weir_runtime *runtime, int64_t ns)) \
  X(uint64_t, weir_testing_advance_to_next, (weir_runtime *runtime)) \
  X(void, weir_throttle_options_init, (weir_throttle_options *options, size_t \
    size)) \
  X(weir_status, weir_throttle_new, (weir_runtime *runtime, weir_operation \
    *operation, const weir_throttle_options *options, weir_throttle **out, \
    weir_error **error)) \
  X(weir_status, weir_throttle_set_options, (weir_throttle *throttle, const \
    weir_throttle_options *options, weir_error **error)) \
  X(weir_throttle *, weir_throttle_ref, (weir_throttle *throttle)) \
  X(void, weir_throttle_unref, (weir_throttle *throttle)) \
  X(weir_operation *, weir_throttle_operation, (weir_throttle *throttle)) \
  X(weir_status, weir_throttle_call, (weir_throttle *throttle, const void \
    *key, size_t key_size, weir_value *argument, weir_settle_fn settle, void \
    *data, weir_free_fn free_data, weir_call **call, weir_error **error)) \
  X(weir_status, weir_throttle_touch, (weir_throttle *throttle, const void \
    *key, size_t key_size, weir_value *argument)) \
  X(weir_status, weir_throttle_touch_at, (weir_throttle *throttle, const void \
    *key, size_t key_size, weir_value *argument, int64_t now_ns)) \
  X(weir_status, weir_throttle_cancel, (weir_throttle *throttle, const void \
    *key, size_t key_size)) \
  X(weir_status, weir_throttle_flush, (weir_throttle *throttle, const void \
    *key, size_t key_size)) \
  X(uint64_t, weir_throttle_pending, (weir_throttle *throttle)) \
  X(weir_status, weir_throttle_get_stats, (weir_throttle *throttle, \
    weir_pacing_stats *stats)) \
  X(void, weir_timeout_options_init, (weir_timeout_options *options, size_t \
    size)) \
  X(weir_status, weir_timeout_new, (weir_runtime *runtime, const \
    weir_timeout_options *options, weir_timeout **out, weir_error **error)) \
  X(weir_status, weir_timeout_set_options, (weir_timeout *timeout, const \
    weir_timeout_options *options, weir_error **error)) \
  X(weir_timeout *, weir_timeout_ref, (weir_timeout *timeout)) \
  X(void, weir_timeout_unref, (weir_timeout *timeout)) \
  X(weir_policy *, weir_timeout_policy, (weir_timeout *timeout)) \
  X(weir_timeout *, weir_policy_timeout, (weir_policy *policy)) \
  X(weir_status, weir_timeout_get_stats, (weir_timeout *timeout, \
    weir_timeout_stats *stats)) \
  X(weir_status, weir_value_new_bytes, (weir_runtime *runtime, const void \
    *data, size_t size, weir_value **out)) \
  X(weir_status, weir_value_new_pointer, (weir_runtime *runtime, void \
    *pointer, weir_free_fn free_pointer, weir_value **out)) \
  X(weir_status, weir_value_new_host, (weir_completions *queue, uint64_t id, \
    weir_value **out)) \
  X(weir_status, weir_value_new_list, (weir_runtime *runtime, weir_value \
    *const *values, weir_error *const *errors, size_t count, weir_value \
    **out)) \
  X(weir_value *, weir_value_ref, (weir_value *value)) \
  X(void, weir_value_unref, (weir_value *value)) \
  X(void, weir_values_unref, (weir_value *const *values, size_t count)) \
  X(int32_t, weir_value_is_unique, (const weir_value *value)) \
  X(uint32_t, weir_value_kind, (const weir_value *value)) \
  X(const void *, weir_value_data, (const weir_value *value)) \
  X(size_t, weir_value_size, (const weir_value *value)) \
  X(void *, weir_value_pointer, (const weir_value *value)) \
  X(void *, weir_value_pointer_of, (const weir_value *value, weir_free_fn \
    free_pointer)) \
  X(uint64_t, weir_value_host_id, (const weir_value *value)) \
  X(uint64_t, weir_value_host_id_of, (const weir_value *value, const \
    weir_completions *queue)) \
  X(size_t, weir_value_count, (const weir_value *value)) \
  X(weir_value *, weir_value_item, (const weir_value *value, size_t index)) \
  X(weir_error *, weir_value_item_error, (const weir_value *value, size_t \
    index)) \
  X(uint32_t, weir_version, (void)) \
  X(const char *, weir_version_string, (void)) \
  X(weir_status, weir_waterfall_new, (weir_runtime *runtime, weir_operation \
    *const *operations, size_t count, const char *name, weir_operation **out, \
    weir_error **error))

#endif
