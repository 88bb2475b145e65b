/* SPDX-License-Identifier: MIT */
/* Hedges beside other policies: what is counted once and what for each copy. */

#include "hedge.h"

/* ---- breaker and limiter ---- */

static weir_breaker_stats breaker_stats(weir_breaker *breaker) {
  weir_breaker_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_breaker_get_stats(breaker, &stats), WEIR_OK);
  return stats;
}

static void B20_around_a_breaker_the_winner_gives_a_verdict_and_losers_none(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, 10);
  weir_hedge *hedge = make_hedge(fx, 2, 10);
  struct script *fetch = scripted(fx, "hang f503 v3");
  struct run *run =
      begin_under_two(fx, weir_hedge_policy(hedge), weir_breaker_policy(breaker), fetch);
  advance_ms(fx, 10); /* the second fails at once, so the third starts and wins */
  assert_int_equal(settled(run)->value, 3);
  assert_int_equal(fetch->attempts[0].cancel_reason, WEIR_CANCEL_LOST);
  assert_int_equal(breaker_stats(breaker).calls, 2); /* in the window: a failure and a success */
  assert_int_equal(breaker_stats(breaker).failures, 1);
  weir_hedge_unref(hedge);
  weir_breaker_unref(breaker);
}

static void B20_losing_trials_free_their_places(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, 1);
  weir_permit permit = 0;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
  advance_ms(fx, 60000); /* half-open */
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang");
  struct run *run =
      begin_under_two(fx, weir_hedge_policy(hedge), weir_breaker_policy(breaker), fetch);
  advance_ms(fx, 10);
  assert_int_equal(fetch->started, 2); /* both trial places are taken */
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_EOPEN);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  for (int i = 0; i < 2; i++) { /* and both are free again */
    assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  }
  weir_hedge_unref(hedge);
  weir_breaker_unref(breaker);
}

static void refusals_ask_for_the_next_and_are_listed(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, 1);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  weir_hedge *hedge = make_hedge(fx, 2, 10);
  struct script *fetch = scripted(fx, "v1");
  struct run *run =
      begin_under_two(fx, weir_hedge_policy(hedge), weir_breaker_policy(breaker), fetch);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  assert_int_equal(settled(run)->attempts, 0);
  assert_int_equal(weir_error_count(error_of(run)), 3);
  assert_int_equal(weir_error_status(weir_error_at(error_of(run), 2, NULL)), WEIR_EOPEN);
  assert_int_equal(hedge_stats(hedge).hedged, 2);
  weir_hedge_unref(hedge);
  weir_breaker_unref(breaker);
}

static int64_t held(weir_limiter *limiter) {
  weir_limiter_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_limiter_get_stats(limiter, &stats), WEIR_OK);
  return stats.concurrent;
}

static void F24_a_loser_keeps_its_permit_until_it_ends(struct fixture *fx) {
  weir_limiter *limiter = make_limiter(fx, 2, 0);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang v2");
  struct run *run =
      begin_under_two(fx, weir_hedge_policy(hedge), weir_limiter_policy(limiter), fetch);
  run_until_idle(fx);
  assert_int_equal(held(limiter), 1);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(held(limiter), 1); /* the loser's */
  assert_int_equal(finish(fetch, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(held(limiter), 0);
  weir_hedge_unref(hedge);
  weir_limiter_unref(limiter);
}

/* The copies' attempts hold the permit that was acquired further out, not each other's. */
static void F24_a_permit_around_the_hedge_is_held_until_the_last_loser_ends(struct fixture *fx) {
  weir_limiter *outer = make_limiter(fx, 5, 0);
  weir_limiter *inner = make_limiter(fx, 5, 0);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  weir_policy *policies[] = {weir_limiter_policy(outer), weir_hedge_policy(hedge),
                             weir_limiter_policy(inner)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 3, NULL, &pipeline, NULL), WEIR_OK);
  struct script *fetch = scripted(fx, "hang hang");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  weir_pipeline_unref(pipeline);
  advance_ms(fx, 10);
  assert_int_equal(held(outer), 1);
  assert_int_equal(held(inner), 2);
  assert_int_equal(finish(fetch, 0, "v1"), WEIR_OK); /* the first wins; the copy goes on */
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(held(outer), 1);
  assert_int_equal(held(inner), 1);
  assert_int_equal(finish(fetch, 1, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(held(outer), 0);
  assert_int_equal(held(inner), 0);
  weir_hedge_unref(hedge);
  weir_limiter_unref(inner);
  weir_limiter_unref(outer);
}

static void a_first_that_waits_for_a_permit_is_hedged_too(struct fixture *fx) {
  weir_limiter *limiter = make_limiter(fx, 1, 5);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *other = scripted(fx, "hang");
  struct run *holder = begin_under(fx, weir_limiter_policy(limiter), other->operation);
  struct script *fetch = scripted(fx, "v1 v2");
  struct run *run =
      begin_under_two(fx, weir_hedge_policy(hedge), weir_limiter_policy(limiter), fetch);
  advance_ms(fx, 10);
  assert_int_equal(hedge_stats(hedge).hedged, 1);
  assert_int_equal(finish(other, 0, "v9"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(holder)->value, 9);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(fetch->started, 1);
  assert_int_equal(held(limiter), 0);
  weir_hedge_unref(hedge);
  weir_limiter_unref(limiter);
}

/* ---- retry and timeout ---- */

static void a_hedge_inside_a_retry_begins_anew_each_time(struct fixture *fx) {
  weir_retry *retry = make_retry(fx, 2, 5, NULL);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "f1 f2 hang v4");
  struct run *run = begin_under_two(fx, weir_retry_policy(retry), weir_hedge_policy(hedge), fetch);
  advance_ms(fx, 15);
  assert_int_equal(settled(run)->value, 4);
  assert_int_equal(settled(run)->attempts, 4);
  assert_int_equal(settled(run)->elapsed_ns, 15 * MS);
  assert_int_equal(hedge_stats(hedge).started, 2);
  weir_hedge_unref(hedge);
  weir_retry_unref(retry);
}

static void the_last_aggregate_is_what_a_retry_shows(struct fixture *fx) {
  weir_retry *retry = make_retry(fx, 2, 0, NULL);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct run *run = begin_under_two(fx, weir_retry_policy(retry), weir_hedge_policy(hedge),
                                    scripted(fx, "f1 f2 f3 f4"));
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
  assert_listed(run, 0, 0, 3);
  assert_listed(run, 1, 1, 4);
  weir_hedge_unref(hedge);
  weir_retry_unref(retry);
}

static void a_retry_inside_a_hedge_is_every_copys_own(struct fixture *fx) {
  weir_retry *retry = make_retry(fx, 3, 20, NULL);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "f1 f2 f3 v4");
  struct run *run = begin_under_two(fx, weir_hedge_policy(hedge), weir_retry_policy(retry), fetch);
  advance_ms(fx, 30); /* tries at 0, the copy's at 10, the first's at 20, the copy's at 30 */
  assert_int_equal(settled(run)->value, 4);
  assert_int_equal(settled(run)->attempts, 4);
  assert_int_equal(hedge_stats(hedge).won_by_hedge, 1);
  assert_int_equal(armed_timers(fx), 0);
  weir_hedge_unref(hedge);
  weir_retry_unref(retry);
}

static weir_timeout *make_timeout(struct fixture *fx, int64_t timeout_ms) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_timeout *timeout = NULL;
  options.timeout_ms = timeout_ms;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  return timeout;
}

static void a_timeout_inside_is_every_copys_own(struct fixture *fx) {
  weir_timeout *timeout = make_timeout(fx, 30);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang hang");
  struct run *run =
      begin_under_two(fx, weir_hedge_policy(hedge), weir_timeout_policy(timeout), fetch);
  advance_ms(fx, 10);
  assert_int_equal(fetch->attempts[1].remaining_ns, 30 * MS); /* not the first's 20 */
  advance_ms(fx, 29);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  assert_int_equal(weir_error_status(weir_error_at(error_of(run), 0, NULL)), WEIR_ETIMEDOUT);
  assert_int_equal(fetch->attempts[1].cancel_reason, WEIR_CANCEL_TIMEOUT);
  weir_hedge_unref(hedge);
  weir_timeout_unref(timeout);
}

static void a_timeout_around_stops_all_copies(struct fixture *fx) {
  weir_timeout *timeout = make_timeout(fx, 30);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang hang");
  struct run *run =
      begin_under_two(fx, weir_timeout_policy(timeout), weir_hedge_policy(hedge), fetch);
  advance_ms(fx, 10);
  assert_int_equal(fetch->attempts[1].remaining_ns, 20 * MS);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(fetch->attempts[i].cancel_reason, WEIR_CANCEL_TIMEOUT);
  }
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(armed_timers(fx), 0);
  weir_hedge_unref(hedge);
  weir_timeout_unref(timeout);
}

static void F02_a_copys_timer_is_further_in_than_the_hedges(struct fixture *fx) {
  weir_timeout *outer = make_timeout(fx, 20);
  weir_timeout *inner = make_timeout(fx, 10);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  weir_policy *policies[] = {weir_timeout_policy(outer), weir_hedge_policy(hedge),
                             weir_timeout_policy(inner)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 3, NULL, &pipeline, NULL), WEIR_OK);
  struct script *fetch = scripted(fx, "hang hang");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  weir_pipeline_unref(pipeline);
  advance_ms(fx, 20); /* the copy began at 10: its timeout and the outer one are due at 20 */
  assert_int_equal(fetch->started, 2);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  weir_hedge_unref(hedge);
  weir_timeout_unref(inner);
  weir_timeout_unref(outer);
}

static void a_hedge_inside_a_hedge_multiplies(struct fixture *fx) {
  weir_hedge *outer = make_hedge(fx, 1, 10);
  weir_hedge *inner = make_hedge(fx, 1, 4);
  struct script *fetch = scripted(fx, "hang hang hang v4");
  struct run *run = begin_under_two(fx, weir_hedge_policy(outer), weir_hedge_policy(inner), fetch);
  advance_ms(fx, 10);
  assert_int_equal(fetch->started, 3);
  advance_ms(fx, 4);
  assert_int_equal(settled(run)->value, 4);
  assert_int_equal(fetch->cancelled, 3);
  assert_int_equal(armed_timers(fx), 0);
  weir_hedge_unref(inner);
  weir_hedge_unref(outer);
}

/* ---- other operations ---- */

static void a_sleep_and_a_poll_may_be_hedged(struct fixture *fx) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, 15, WEIR_OK, NULL, NULL, &sleep, NULL), WEIR_OK);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct run *slept = begin_under(fx, weir_hedge_policy(hedge), sleep);
  weir_operation_unref(sleep);
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  options.interval_ms = 3;
  weir_operation *poll = NULL;
  assert_int_equal(weir_poll_new(scripted(fx, "f1 f2 f3 f4 v5")->operation, &options, &poll, NULL),
                   WEIR_OK);
  struct run *polled = begin_under(fx, weir_hedge_policy(hedge), poll);
  weir_operation_unref(poll);
  advance_ms(fx, 15);
  assert_int_equal(settled(slept)->status, WEIR_OK);
  assert_int_equal(settled(slept)->attempts, 2);
  assert_int_equal(settled(polled)->value, 5);
  assert_int_equal(armed_timers(fx), 0);
  weir_hedge_unref(hedge);
}

static void a_shared_load_is_joined_by_the_copy(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_entries = 10;
  options.ttl_ms = 1000;
  weir_cache *cache = NULL;
  assert_int_equal(weir_cache_new(fx->runtime, &options, &cache, NULL), WEIR_OK);
  struct script *fetch = scripted(fx, "v7+30");
  weir_operation *cached = NULL;
  assert_int_equal(weir_cache_operation(cache, fetch->operation, &cached, NULL), WEIR_OK);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.policy = weir_hedge_policy(hedge);
  run_options.key = "key";
  run_options.key_size = 3;
  struct run *run = begin(fx, cached, &run_options);
  weir_operation_unref(cached);
  advance_ms(fx, 30);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(fetch->started, 1); /* the copy waits for the same load: nothing to gain */
  assert_int_equal(hedge_stats(hedge).hedged, 1);
  weir_hedge_unref(hedge);
  weir_cache_unref(cache);
}

static void an_error_named_superseded_is_a_failure(struct fixture *fx) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, 5, WEIR_ESUPERSEDED, NULL, NULL, &sleep, NULL),
                   WEIR_OK);
  weir_hedge_options options = hedge_options(1, 10);
  weir_hedge *hedge = new_hedge(fx, &options);
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), sleep);
  weir_operation_unref(sleep);
  advance_ms(fx, 10); /* it was not stopped */
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  weir_hedge_unref(hedge);
}

static uint32_t all_is_abandoned(void *data, const weir_outcome *outcome) {
  (void)data;
  return weir_error_code(outcome->error) == 2 ? WEIR_CLASS_FAILURE : WEIR_CLASS_ABANDON;
}

static void what_is_abandoned_starts_nothing_and_yields_to_a_failure(struct fixture *fx) {
  weir_hedge_options options = hedge_options(1, 10);
  options.classify = all_is_abandoned;
  weir_hedge *hedge = new_hedge(fx, &options);
  struct script *alone = scripted(fx, "f1");
  struct run *abandoned = begin_under(fx, weir_hedge_policy(hedge), alone->operation);
  struct script *both = scripted(fx, "f1+15 f2");
  struct run *failed = begin_under(fx, weir_hedge_policy(hedge), both->operation);
  struct script *later = scripted(fx, "f2+15 f1");
  struct run *first_failed = begin_under(fx, weir_hedge_policy(hedge), later->operation);
  advance_ms(fx, 15);
  assert_int_equal(settled(abandoned)->code, 1);
  assert_int_equal(alone->started, 1);
  assert_int_equal(settled(failed)->code, 2);
  assert_int_equal(settled(failed)->status, WEIR_EFAILED); /* it alone failed */
  assert_int_equal(settled(first_failed)->code, 2);
  weir_hedge_unref(hedge);
}

/* ---- lifetimes ---- */

static void closing_while_hedging_settles_once(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_hedged(fx, 2, 10, fetch);
  advance_ms(fx, 20);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(fetch->attempts[i].cancel_reason, WEIR_CANCEL_SHUTDOWN);
  }
}

static void closing_before_a_copy_has_begun_settles_once(struct fixture *fx) {
  struct script *fetch = scripted(fx, "f1+5 hang");
  struct run *run = begin_hedged(fx, 1, 100, fetch);
  run_until_idle(fx);
  assert_int_equal(finish(fetch, 0, "f1"), WEIR_OK);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_true(settled(run)->status != WEIR_OK);
}

static void cancelled_when_a_copy_has_just_won_nothing_leaks(struct fixture *fx) {
  weir_timeout *timeout = make_timeout(fx, 15);
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang");
  struct run *cancelled = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  struct script *other = scripted(fx, "hang");
  struct run *in_time =
      begin_under_two(fx, weir_timeout_policy(timeout), weir_hedge_policy(hedge), other);
  advance_ms(fx, 10);
  int64_t due_ns = now_ns(fx) + 5 * MS;
  assert_int_equal(finish(fetch, 1, "v2"), WEIR_OK);
  assert_int_equal(finish(other, 1, "v3"), WEIR_OK);
  assert_int_equal(weir_call_cancel(cancelled->call), WEIR_OK); /* cancels come first */
  weir_runtime_process(fx->runtime, due_ns);                    /* completions before timers */
  run_until_idle(fx);
  assert_int_equal(settled(cancelled)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(in_time)->value, 3);
  weir_hedge_unref(hedge);
  weir_timeout_unref(timeout);
}

static weir_operation *wrap(weir_policy *policy, weir_operation *operation) {
  weir_operation *out = NULL;
  assert_int_equal(weir_policy_wrap(policy, operation, &out, NULL), WEIR_OK);
  return out;
}

/* What the run brings along stays outside of the operation's own hedge, and is not copied. */
static void a_copy_is_of_what_the_operation_has_inside_its_hedge(struct fixture *fx) {
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  weir_limiter *outer = make_limiter(fx, 1, 0);
  weir_retry *inner = make_retry(fx, 2, 5, NULL);
  struct script *fetch = scripted(fx, "hang f503 v2");
  weir_operation *retried = wrap(weir_retry_policy(inner), fetch->operation);
  weir_operation *hedged = wrap(weir_hedge_policy(hedge), retried);
  struct run *run = begin_under(fx, weir_limiter_policy(outer), hedged);
  weir_operation_unref(hedged);
  weir_operation_unref(retried);
  /* when the copy fails at once, and its own retry tries again */
  advance_ms(fx, 14);
  assert_int_equal(fetch->started, 2);
  assert_pending(run);
  advance_ms(fx, 1);
  /* then it has won */
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(settled(run)->attempts, 3);
  weir_retry_unref(inner);
  weir_limiter_unref(outer);
  weir_hedge_unref(hedge);
}

static void the_policy_lives_as_long_as_its_runs(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_hedged(fx, 1, 10, fetch);
  advance_ms(fx, 10);
  weir_operation_unref(fetch->operation);
  fetch->operation = NULL;
  assert_int_equal(finish(fetch, 1, "v2"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(fetch->freed, 0); /* the loser is still out */
  assert_int_equal(finish(fetch, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(fetch->freed, 1);
}

TEST_MAIN("hedge compose", TEST(B20_around_a_breaker_the_winner_gives_a_verdict_and_losers_none),
          TEST(B20_losing_trials_free_their_places), TEST(refusals_ask_for_the_next_and_are_listed),
          TEST(F24_a_loser_keeps_its_permit_until_it_ends),
          TEST(F24_a_permit_around_the_hedge_is_held_until_the_last_loser_ends),
          TEST(a_first_that_waits_for_a_permit_is_hedged_too),
          TEST(a_hedge_inside_a_retry_begins_anew_each_time),
          TEST(the_last_aggregate_is_what_a_retry_shows),
          TEST(a_retry_inside_a_hedge_is_every_copys_own),
          TEST(a_timeout_inside_is_every_copys_own), TEST(a_timeout_around_stops_all_copies),
          TEST(F02_a_copys_timer_is_further_in_than_the_hedges),
          TEST(a_copy_is_of_what_the_operation_has_inside_its_hedge),
          TEST(a_hedge_inside_a_hedge_multiplies), TEST(a_sleep_and_a_poll_may_be_hedged),
          TEST(a_shared_load_is_joined_by_the_copy), TEST(an_error_named_superseded_is_a_failure),
          TEST(what_is_abandoned_starts_nothing_and_yields_to_a_failure),
          TEST(closing_while_hedging_settles_once),
          TEST(closing_before_a_copy_has_begun_settles_once),
          TEST(cancelled_when_a_copy_has_just_won_nothing_leaks),
          TEST(the_policy_lives_as_long_as_its_runs))
