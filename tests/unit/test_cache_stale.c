/* SPDX-License-Identifier: MIT */
/* What gets do with old values and failures: refresh_ms, stale_if_error_ms, negative_ttl_ms. */

#include "cache_get.h"

static weir_cache *refreshing(struct fixture *fx, int64_t refresh_ms, int64_t ttl_ms) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.refresh_ms = refresh_ms;
  options.ttl_ms = ttl_ms;
  return new_cache(fx, &options);
}

static weir_cache *forgiving(struct fixture *fx, int64_t ttl_ms, int64_t stale_ms) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = ttl_ms;
  options.stale_if_error_ms = stale_ms;
  return new_cache(fx, &options);
}

static weir_cache *remembering(struct fixture *fx, int64_t negative_ms) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.negative_ttl_ms = negative_ms;
  return new_cache(fx, &options);
}

/* ---- refresh --------------------------------------------------------------------------------- */

static void an_old_value_is_served_and_loaded_again_once(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 hang");
  weir_cache *cache = refreshing(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ns(fx, 100 * MS - 1);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(loader->started, 1);
  advance_ns(fx, 1);
  for (int i = 0; i < 3; i++) assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(loader->started, 2);
  assert_int_equal(stats_of(cache).loading, 1);
  finish(loader, 1, "v2");
  run_until_idle(fx);
  assert_int_equal(got(fx, cache, "a", loader), 2);
  assert_int_equal(loader->started, 2);
  advance_ms(fx, 99);
  assert_int_equal(got(fx, cache, "a", loader), 2); /* its age counts from the new write */
  assert_int_equal(loader->started, 2);
  weir_cache_unref(cache);
}

static void a_lookup_refreshes_nothing(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 v2");
  weir_cache *cache = refreshing(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 200);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(loader->started, 1);
  weir_cache_unref(cache);
}

static void a_refresh_age_of_zero_loads_with_every_get(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 v2 v3");
  weir_cache *cache = refreshing(fx, 0, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(got(fx, cache, "a", loader), 2);
  weir_cache_unref(cache);
}

static void K07_a_failed_refresh_keeps_the_value_and_each_later_get_tries_again(
    struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 f500 f500 v4");
  weir_cache *cache = refreshing(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(loader->started, 2);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(loader->started, 3);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(got(fx, cache, "a", loader), 4);
  assert_int_equal(stats_of(cache).load_failures, 2);
  weir_cache_unref(cache);
}

static void K07_a_failed_refresh_is_not_remembered_over_a_live_value(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 f500 v3");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.refresh_ms = 100;
  options.ttl_ms = 1000;
  options.negative_ttl_ms = 10000;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(got(fx, cache, "a", loader), 3);
  weir_cache_unref(cache);
}

static void a_refresh_goes_on_when_the_get_that_asked_is_long_gone(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 hang");
  weir_cache *cache = refreshing(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 500);
  assert_int_equal(loader->cancelled, 0);
  finish(loader, 1, "v2");
  run_until_idle(fx);
  assert_int_equal(look(cache, "a"), 2);
  weir_cache_unref(cache);
}

static void gets_of_a_value_that_expired_wait_for_its_refresh(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 hang");
  weir_cache *cache = refreshing(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 900);
  struct run *first = get(fx, cache, "a", loader);
  struct run *second = get(fx, cache, "a", loader);
  assert_pending(first);
  assert_int_equal(loader->started, 2);
  cancel_now(fx, first); /* a refresh is nobody's: it goes on though all have left */
  cancel_now(fx, second);
  assert_int_equal(loader->cancelled, 0);
  struct run *third = get(fx, cache, "a", loader);
  finish(loader, 1, "v2");
  run_until_idle(fx);
  assert_int_equal(settled(third)->value, 2);
  weir_cache_unref(cache);
}

static void a_put_during_a_refresh_wins(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 hang");
  weir_cache *cache = refreshing(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(put_number(fx, cache, "a", 5), WEIR_OK);
  finish(loader, 1, "v2");
  run_until_idle(fx);
  assert_int_equal(look(cache, "a"), 5);
  weir_cache_unref(cache);
}

static void the_age_counts_from_a_put_over_the_value(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 v2");
  weir_cache *cache = refreshing(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 60);
  assert_int_equal(put_number(fx, cache, "a", 5), WEIR_OK);
  advance_ms(fx, 99);
  assert_int_equal(got(fx, cache, "a", loader), 5);
  assert_int_equal(loader->started, 1);
  advance_ms(fx, 1);
  assert_int_equal(got(fx, cache, "a", loader), 5);
  assert_int_equal(loader->started, 2);
  weir_cache_unref(cache);
}

static void a_refreshed_entry_may_be_evicted_meanwhile_and_is_stored_anew(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 hang");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.refresh_ms = 100;
  options.max_entries = 1;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(put_number(fx, cache, "b", 5), WEIR_OK);
  assert_int_equal(look(cache, "a"), ABSENT);
  finish(loader, 1, "v2");
  run_until_idle(fx);
  assert_int_equal(look(cache, "a"), 2);
  assert_int_equal(stats_of(cache).entries, 1);
  weir_cache_unref(cache);
}

static void a_refresh_that_hangs_ends_with_the_timeout_of_loads(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 hang v3");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.refresh_ms = 100;
  options.load_timeout_ms = 50;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 50);
  assert_int_equal(loader->attempts[1].cancel_reason, WEIR_CANCEL_TIMEOUT);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(got(fx, cache, "a", loader), 3);
  weir_cache_unref(cache);
}

static void closing_ends_a_refresh(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 hang");
  weir_cache *cache = refreshing(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(loader->attempts[1].cancel_reason, WEIR_CANCEL_SHUTDOWN);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_cache_unref(cache);
}

/* ---- stale if error -------------------------------------------------------------------------- */

static void an_expired_value_serves_gets_whose_load_failed(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 f500 hang v4");
  weir_cache *cache = forgiving(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(look(cache, "a"), ABSENT); /* never by a lookup */
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(loader->started, 2);
  struct run *first = get(fx, cache, "a", loader);
  struct run *second = get(fx, cache, "a", loader);
  assert_pending(first); /* the load comes first */
  finish(loader, 2, "f503");
  run_until_idle(fx);
  assert_int_equal(settled(first)->value, 1);
  assert_int_equal(settled(second)->value, 1);
  assert_int_equal(settled(second)->has_error, 0);
  assert_int_equal(stats_of(cache).stale_hits, 3);
  assert_int_equal(got(fx, cache, "a", loader), 4);
  assert_int_equal(look(cache, "a"), 4);
  weir_cache_unref(cache);
}

static void a_value_serves_no_longer_than_it_may(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 f500 f500");
  weir_cache *cache = forgiving(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ns(fx, 1100 * MS - 1);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ns(fx, 1);
  assert_int_equal(failed(fx, cache, "a", loader), 500);
  advance_ms(fx, 1000);
  assert_int_equal(stats_of(cache).entries, 0);
  weir_cache_unref(cache);
}

static void an_invalidated_value_serves_nobody(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 f500");
  weir_cache *cache = forgiving(fx, 100, 1000);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(invalidate(cache, "a"), WEIR_ENOTFOUND); /* it had expired */
  assert_int_equal(failed(fx, cache, "a", loader), 500);
  weir_cache_unref(cache);
}

static void a_load_that_times_out_is_served_the_expired_value(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 hang");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 100;
  options.stale_if_error_ms = 1000;
  options.load_timeout_ms = 50;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  struct run *run = get(fx, cache, "a", loader);
  advance_ms(fx, 50);
  assert_int_equal(settled(run)->value, 1);
  weir_cache_unref(cache);
}

static void a_load_that_cannot_begin_is_served_the_expired_value(struct fixture *fx) {
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.max_in_flight = 1;
  remake_runtime(fx, &runtime_options);
  struct script *loader = scripted(fx, "v1");
  weir_cache *cache = forgiving(fx, 100, 1000);
  assert_int_equal(put_number(fx, cache, "a", 5), WEIR_OK);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 5);
  assert_int_equal(stats_of(cache).stale_hits, 1);
  assert_int_equal(settled(get(fx, cache, "b", loader))->status, WEIR_EFULL);
  weir_cache_unref(cache);
}

static void a_breaker_in_the_loader_lets_the_expired_value_serve(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1");
  weir_cache *cache = forgiving(fx, 100, 1000);
  weir_breaker *breaker = NULL;
  weir_operation *guarded = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, NULL, &breaker, NULL), WEIR_OK);
  assert_int_equal(
      weir_policy_wrap(weir_breaker_policy(breaker), loader->operation, &guarded, NULL), WEIR_OK);
  struct script shown = *loader;
  shown.operation = guarded;
  assert_int_equal(got(fx, cache, "a", &shown), 1);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", &shown), 1);
  struct run *refused = get(fx, cache, "b", &shown);
  assert_int_equal(settled(refused)->status, WEIR_EOPEN);
  assert_int_equal(settled(refused)->has_rejection, 1);
  assert_int_equal(loader->started, 1);
  weir_operation_unref(guarded);
  weir_breaker_unref(breaker);
  weir_cache_unref(cache);
}

/* ---- remembered failures --------------------------------------------------------------------- */

static void a_failure_is_remembered_and_given_out_without_loading(struct fixture *fx) {
  struct script *loader = scripted(fx, "f404 v2");
  weir_cache *cache = remembering(fx, 100);
  assert_int_equal(failed(fx, cache, "a", loader), 404);
  advance_ns(fx, 100 * MS - 1);
  struct run *run = get(fx, cache, "a", loader);
  assert_int_equal(settled(run)->code, 404);
  assert_string_equal(settled(run)->message, "scripted");
  assert_int_equal(loader->started, 1);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(stats_of(cache).entries, 1);
  advance_ns(fx, 1);
  assert_int_equal(got(fx, cache, "a", loader), 2);
  weir_cache_unref(cache);
}

/* Nobody has swept it yet: it has expired all the same. */
static void a_failure_may_be_remembered_for_as_long_as_numbers_go(struct fixture *fx) {
  struct script *loader = scripted(fx, "f7 v8");
  weir_cache *cache = remembering(fx, INT64_MAX);
  assert_int_equal(failed(fx, cache, "a", loader), 7);
  advance_ms(fx, 10000000);
  assert_int_equal(failed(fx, cache, "a", loader), 7);
  assert_int_equal(loader->started, 1);
  weir_cache_unref(cache);
}

static void a_remembered_failure_does_not_replace_what_has_expired(struct fixture *fx) {
  struct script *loader = scripted(fx, "f404");
  weir_cache *cache = remembering(fx, 1000);
  weir_value *one = number_value(fx, 1);
  assert_int_equal(weir_cache_put_for_at(cache, "a", 1, one, 5, now_ns(fx) - 6 * MS), WEIR_OK);
  weir_value_unref(one);
  assert_int_equal(failed(fx, cache, "a", loader), 404);
  assert_int_equal(stats_of(cache).expired, 1);
  assert_int_equal(stats_of(cache).replaced, 0);
  assert_int_equal(failed(fx, cache, "a", loader), 404);
  assert_int_equal(loader->started, 1);
  weir_cache_unref(cache);
}

static void a_put_replaces_a_remembered_failure(struct fixture *fx) {
  struct script *loader = scripted(fx, "f404");
  weir_cache *cache = remembering(fx, 1000);
  assert_int_equal(failed(fx, cache, "a", loader), 404);
  weir_value *five = number_value(fx, 5);
  assert_int_equal(weir_cache_put_if_absent(cache, "a", 1, five, NULL), WEIR_OK);
  weir_value_unref(five);
  assert_int_equal(got(fx, cache, "a", loader), 5);
  assert_int_equal(stats_of(cache).entries, 1);
  weir_cache_unref(cache);
}

static void an_invalidate_forgets_a_remembered_failure(struct fixture *fx) {
  struct script *loader = scripted(fx, "f404 v2");
  weir_cache *cache = remembering(fx, 1000);
  assert_int_equal(failed(fx, cache, "a", loader), 404);
  assert_int_equal(invalidate(cache, "a"), WEIR_ENOTFOUND);
  assert_int_equal(got(fx, cache, "a", loader), 2);
  weir_cache_unref(cache);
}

static void remembered_failures_are_bounded_like_entries(struct fixture *fx) {
  struct script *loader = scripted(fx, "f404");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.negative_ttl_ms = 1000;
  options.max_entries = 2;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(failed(fx, cache, "a", loader), 404);
  assert_int_equal(failed(fx, cache, "b", loader), 404);
  assert_int_equal(failed(fx, cache, "c", loader), 404);
  assert_int_equal(stats_of(cache).entries, 2);
  weir_cache_unref(cache);
}

static void a_failure_is_not_remembered_while_an_expired_value_may_serve(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 f500 v3");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 100;
  options.stale_if_error_ms = 1000;
  options.negative_ttl_ms = 1000;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  advance_ms(fx, 100);
  assert_int_equal(got(fx, cache, "a", loader), 1);
  assert_int_equal(got(fx, cache, "a", loader), 3);
  weir_cache_unref(cache);
}

static void a_superseded_load_that_fails_is_not_remembered(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang v2");
  weir_cache *cache = remembering(fx, 1000);
  struct run *run = get(fx, cache, "a", loader);
  invalidate(cache, "a");
  finish(loader, 0, "f500");
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 500);
  assert_int_equal(got(fx, cache, "a", loader), 2);
  weir_cache_unref(cache);
}

TEST_MAIN("cache stale", TEST(an_old_value_is_served_and_loaded_again_once),
          TEST(a_lookup_refreshes_nothing), TEST(a_refresh_age_of_zero_loads_with_every_get),
          TEST(K07_a_failed_refresh_keeps_the_value_and_each_later_get_tries_again),
          TEST(K07_a_failed_refresh_is_not_remembered_over_a_live_value),
          TEST(a_refresh_goes_on_when_the_get_that_asked_is_long_gone),
          TEST(gets_of_a_value_that_expired_wait_for_its_refresh),
          TEST(a_put_during_a_refresh_wins), TEST(the_age_counts_from_a_put_over_the_value),
          TEST(a_refreshed_entry_may_be_evicted_meanwhile_and_is_stored_anew),
          TEST(a_refresh_that_hangs_ends_with_the_timeout_of_loads), TEST(closing_ends_a_refresh),
          TEST(an_expired_value_serves_gets_whose_load_failed),
          TEST(a_value_serves_no_longer_than_it_may), TEST(an_invalidated_value_serves_nobody),
          TEST(a_load_that_times_out_is_served_the_expired_value),
          TEST(a_load_that_cannot_begin_is_served_the_expired_value),
          TEST(a_breaker_in_the_loader_lets_the_expired_value_serve),
          TEST(a_failure_is_remembered_and_given_out_without_loading),
          TEST(a_failure_may_be_remembered_for_as_long_as_numbers_go),
          TEST(a_remembered_failure_does_not_replace_what_has_expired),
          TEST(a_put_replaces_a_remembered_failure),
          TEST(an_invalidate_forgets_a_remembered_failure),
          TEST(remembered_failures_are_bounded_like_entries),
          TEST(a_failure_is_not_remembered_while_an_expired_value_may_serve),
          TEST(a_superseded_load_that_fails_is_not_remembered))
