/* SPDX-License-Identifier: MIT */
/* race and any: who wins, what losers hear, what comes out when all fail. */

#include "flow.h"
#include "support_retry.h"

static weir_operation *race_with(struct fixture *fx, weir_operation *const *operations,
                                 size_t count, const weir_race_options *options) {
  weir_operation *race = NULL;
  weir_error *error = NULL;
  weir_status status = weir_race_new(fx->runtime, operations, count, options, &race, &error);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  return race;
}

static weir_operation *race(struct fixture *fx, weir_operation *const *operations, size_t count) {
  return race_with(fx, operations, count, NULL);
}

/* The second is decisive. */
static weir_operation *race_with_decisive_second(struct fixture *fx,
                                                 weir_operation *const *operations, size_t count) {
  static const uint8_t decisive[] = {0, 1, 0, 0};
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  options.decisive = decisive;
  return race_with(fx, operations, count, &options);
}

/* ---- who wins -------------------------------------------------------------------------------- */

static void the_first_success_wins_and_the_others_are_told(struct fixture *fx) {
  struct script *slow = scripted(fx, "v1+30");
  struct script *fast = scripted(fx, "v2+10");
  struct run *run = run_once(fx, race(fx, COUNTED(slow->operation, fast->operation)));
  advance_ms(fx, 9);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(settled(run)->elapsed_ns, 10 * MS);
  assert_int_equal(slow->cancelled, 1);
  assert_int_equal(slow->attempts[0].cancel_reason, WEIR_CANCEL_LOST);
  assert_int_equal(fast->cancelled, 0);
}

static void a_failure_leaves_the_race_to_the_others(struct fixture *fx) {
  struct script *failing = scripted(fx, "f503");
  struct script *later = scripted(fx, "v7+20");
  struct run *run = run_once(fx, race(fx, COUNTED(failing->operation, later->operation)));
  assert_pending(run);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(settled(run)->statuses[0], WEIR_EFAILED);
  assert_int_equal(settled(run)->statuses[1], WEIR_OK);
}

static void racers_behind_an_inline_winner_do_not_begin(struct fixture *fx) {
  struct script *first = scripted(fx, "v1");
  struct script *second = scripted(fx, "v2");
  struct run *run = run_once(fx, race(fx, COUNTED(first->operation, second->operation)));
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(second->started, 0);
}

static void first_settled_takes_a_failure_too(struct fixture *fx) {
  struct script *slow = scripted(fx, "v1+30");
  struct script *failing = scripted(fx, "f500+10");
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  options.first_settled = 1;
  struct run *run =
      run_once(fx, race_with(fx, COUNTED(slow->operation, failing->operation), &options));
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 500);
  assert_int_equal(slow->cancelled, 1);
}

static void what_the_completer_classed_is_what_counts(struct fixture *fx) {
  char failed[16];
  char fine[16];
  snprintf(failed, sizeof failed, "c503/%d", WEIR_CLASS_FAILURE);
  snprintf(fine, sizeof fine, "v2+5");
  struct script *value_that_failed = scripted(fx, failed);
  struct script *value = scripted(fx, fine);
  struct run *run = run_once(fx, race(fx, COUNTED(value_that_failed->operation, value->operation)));
  assert_pending(run);
  advance_ms(fx, 5);
  assert_int_equal(settled(run)->value, 2);
}

static void one_operation_may_race_against_itself(struct fixture *fx) {
  struct script *script = scripted(fx, "hang v2+5");
  struct run *run = run_once(fx, race(fx, COUNTED(script->operation, script->operation)));
  advance_ms(fx, 5);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(script->started, 2);
}

static void note_index(struct script *script, const weir_attempt *attempt) {
  *(uint64_t *)script->user = attempt->index + 10 * attempt->number;
}

static void racers_get_the_input_and_their_index(struct fixture *fx) {
  uint64_t seen[2] = {0, 0};
  struct script *racers[2] = {scripted(fx, "hang"), scripted(fx, "v1")};
  for (size_t i = 0; i < 2; i++) {
    racers[i]->on_start = note_index;
    racers[i]->user = &seen[i];
  }
  weir_value *input = number_value(fx, 42);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.input = input;
  options.context = fx;
  weir_operation *operation = race(fx, COUNTED(racers[0]->operation, racers[1]->operation));
  struct run *run = begin(fx, operation, &options);
  weir_operation_unref(operation);
  weir_value_unref(input);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(seen[i], i + 10);
    assert_int_equal(racers[i]->attempts[0].input, 42);
    assert_ptr_equal(racers[i]->attempts[0].context, fx);
  }
}

static void F01_result_and_timer_in_the_same_turn_have_the_same_winner_each_time(
    struct fixture *fx) {
  int64_t winner = 0;
  for (int round = 0; round < 3; round++) {
    struct script *fetch = scripted(fx, "v1+100");
    weir_operation *timer = sleep_of(fx, 100, WEIR_ETIMEDOUT);
    struct run *run = run_once(fx, race_with_decisive_second(fx, COUNTED(fetch->operation, timer)));
    weir_operation_unref(timer);
    advance_ms(fx, 100);
    int64_t status = settled(run)->status;
    if (round == 0) winner = status;
    assert_int_equal(status, winner);
    assert_int_equal(settled(run)->elapsed_ns, 100 * MS);
  }
}

/* ---- losers ---------------------------------------------------------------------------------- */

static void F04_a_loser_that_ignores_cancel_does_not_delay_the_winner(struct fixture *fx) {
  struct script *deaf = scripted(fx, "hang");
  struct script *fast = scripted(fx, "v2+10");
  struct run *run = run_once(fx, race(fx, COUNTED(deaf->operation, fast->operation)));
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(orphans_of(fx), 1);
  weir_audit_entry entry;
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, sizeof entry, 1, &count), WEIR_OK);
  assert_int_equal(count, 1);
  assert_int_equal(entry.kind, WEIR_AUDIT_ORPHAN);
  assert_int_equal(finish(deaf, 0, "v9"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(orphans_of(fx), 0);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(deaf->slots_freed, 1);
}

struct late {
  weir_token token;
  unsigned freed;
};

static void start_late(void *data, weir_attempt *attempt) {
  ((struct late *)data)->token = attempt->token;
}

static void a_losers_late_value_is_freed_once(struct fixture *fx) {
  struct late late = {0, 0};
  struct script *fast = scripted(fx, "v2");
  weir_operation *deaf = NULL;
  assert_int_equal(weir_operation_new(fx->runtime, start_late, &late, NULL, &deaf, NULL), WEIR_OK);
  struct run *run = run_once(fx, race(fx, COUNTED(deaf, fast->operation)));
  weir_operation_unref(deaf);
  assert_int_equal(settled(run)->value, 2);
  assert_true(late.token != 0);
  weir_complete_pointer(fx->runtime, late.token, &late.freed, count_free);
  run_until_idle(fx);
  assert_int_equal(late.freed, 1);
}

static void a_loser_keeps_its_concurrency_permit_until_it_ends(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_OK);
  struct script *deaf = scripted(fx, "hang");
  struct script *fast = scripted(fx, "v2+10");
  weir_operation *limited = NULL;
  assert_int_equal(weir_policy_wrap(weir_limiter_policy(limiter), deaf->operation, &limited, NULL),
                   WEIR_OK);
  struct run *run = run_once(fx, race(fx, COUNTED(limited, fast->operation)));
  weir_operation_unref(limited);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, NULL, NULL), WEIR_ELIMITED);
  finish(deaf, 0, "n");
  run_until_idle(fx);
  weir_permit permit = 0;
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, &permit, NULL), WEIR_OK);
  weir_limiter_release(limiter, permit);
  weir_limiter_unref(limiter);
}

/* ---- all fail -------------------------------------------------------------------------------- */

static void F06_when_all_fail_their_errors_are_listed_in_launch_order(struct fixture *fx) {
  struct script *racers[] = {scripted(fx, "f1+30"), scripted(fx, "f2+10"), scripted(fx, "f3")};
  struct run *run = run_once(
      fx, race(fx, COUNTED(racers[0]->operation, racers[1]->operation, racers[2]->operation)));
  advance_ms(fx, 29);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_failures(run, 3, (size_t[]){0, 1, 2}, (int64_t[]){1, 2, 3});
  assert_int_equal(settled(run)->attempts, 3);
  assert_non_null(strstr(settled(run)->message, "all 3 failed"));
}

static void a_refusal_counts_as_a_failure_of_its_racer(struct fixture *fx) {
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  struct script *fetch = scripted(fx, "v1");
  struct script *failing = scripted(fx, "f2+10");
  weir_operation *guarded = NULL;
  assert_int_equal(weir_policy_wrap(weir_breaker_policy(breaker), fetch->operation, &guarded, NULL),
                   WEIR_OK);
  struct run *run = run_once(fx, race(fx, COUNTED(guarded, failing->operation)));
  weir_operation_unref(guarded);
  weir_breaker_unref(breaker);
  advance_ms(fx, 10);
  const weir_outcome *outcome = outcome_of(run);
  assert_int_equal(weir_error_status(weir_error_at(outcome->error, 0, NULL)), WEIR_EOPEN);
  assert_int_equal(weir_error_code(weir_error_at(outcome->error, 1, NULL)), 2);
  assert_null(outcome->rejection);
  assert_int_equal(outcome->attempts, 1);
}

static void a_value_that_failed_is_the_detail_of_its_error(struct fixture *fx) {
  char word[16];
  snprintf(word, sizeof word, "c503/%d", WEIR_CLASS_FAILURE);
  struct script *script = scripted(fx, word);
  struct run *run = run_once(fx, race(fx, COUNTED(script->operation)));
  const weir_outcome *outcome = outcome_of(run);
  assert_int_equal(outcome->status, WEIR_EAGGREGATE);
  weir_error *failure = weir_error_at(outcome->error, 0, NULL);
  assert_int_equal(weir_error_status(failure), WEIR_EEXHAUSTED);
  assert_int_equal(value_number(weir_error_detail(failure)), 503);
}

/* ---- decisive -------------------------------------------------------------------------------- */

static void F20_slow_regions_time_out_at_the_sleeps_end(struct fixture *fx) {
  struct script *eu = scripted(fx, "hang");
  struct script *us = scripted(fx, "v2+9000");
  weir_operation *timer = sleep_of(fx, 5000, WEIR_ETIMEDOUT);
  struct run *run =
      run_once(fx, race_with_decisive_second(fx, COUNTED(eu->operation, timer, us->operation)));
  weir_operation_unref(timer);
  advance_ms(fx, 4999);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(eu->cancelled, 1);
  assert_int_equal(us->cancelled, 1);
}

static void F20_when_both_regions_fail_the_sleep_is_not_waited_for(struct fixture *fx) {
  struct script *eu = scripted(fx, "f1+1000");
  struct script *us = scripted(fx, "f2+1000");
  weir_operation *timer = sleep_of(fx, 5000, WEIR_ETIMEDOUT);
  struct run *run =
      run_once(fx, race_with_decisive_second(fx, COUNTED(eu->operation, timer, us->operation)));
  weir_operation_unref(timer);
  advance_ms(fx, 1000);
  assert_failures(run, 2, (size_t[]){0, 2}, (int64_t[]){1, 2});
  assert_int_equal(settled(run)->elapsed_ns, 1000 * MS);
  weir_runtime_stats stats = {.size = sizeof stats};
  weir_runtime_get_stats(fx->runtime, &stats);
  assert_int_equal(stats.timers, 0);
}

static void a_decisive_racer_may_win_and_may_be_beaten(struct fixture *fx) {
  struct script *plain = scripted(fx, "v1+20 v1+5");
  struct script *decisive = scripted(fx, "v2+10");
  for (int64_t winner = 2; winner > 0; winner--) {
    struct run *run =
        run_once(fx, race_with_decisive_second(fx, COUNTED(plain->operation, decisive->operation)));
    advance_ms(fx, 20);
    assert_int_equal(settled(run)->value, winner);
  }
}

static void a_race_of_decisive_racers_ends_with_the_first(struct fixture *fx) {
  static const uint8_t decisive[] = {1, 1};
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  options.decisive = decisive;
  struct script *slow = scripted(fx, "v1+20");
  struct script *failing = scripted(fx, "f2+10");
  struct run *run =
      run_once(fx, race_with(fx, COUNTED(slow->operation, failing->operation), &options));
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->code, 2);
}

/* ---- what may stand around and inside -------------------------------------------------------- */

static void F22_a_timeout_around_a_race_tells_all_racers(struct fixture *fx) {
  struct script *a = scripted(fx, "hang");
  struct script *b = scripted(fx, "hang");
  weir_timeout *timeout = NULL;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 50;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  weir_operation *both = race(fx, COUNTED(a->operation, b->operation));
  struct run *run = begin_under(fx, weir_timeout_policy(timeout), both);
  weir_operation_unref(both);
  weir_timeout_unref(timeout);
  advance_ms(fx, 50);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(a->attempts[0].cancel_reason, WEIR_CANCEL_TIMEOUT);
  assert_int_equal(b->attempts[0].cancel_reason, WEIR_CANCEL_TIMEOUT);
  assert_int_equal(a->attempts[0].remaining_ns, 50 * MS);
  assert_int_equal(settled(run)->statuses[1], WEIR_ETIMEDOUT);
}

static void F22_a_retry_around_a_race_races_again(struct fixture *fx) {
  weir_retry_options options = plain(3, 10);
  weir_retry *retry = make_retry(fx, &options);
  struct script *a = scripted(fx, "f1 f1 hang");
  struct script *b = scripted(fx, "f2 v2");
  weir_operation *both = race(fx, COUNTED(a->operation, b->operation));
  struct run *run = begin_under(fx, weir_retry_policy(retry), both);
  weir_operation_unref(both);
  weir_retry_unref(retry);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(settled(run)->attempts, 4);
}

static void F22_a_retry_inside_of_a_race_tries_its_racer_again(struct fixture *fx) {
  weir_retry_options options = plain(3, 10);
  weir_retry *retry = make_retry(fx, &options);
  struct script *flaky = scripted(fx, "f1 f1 v1");
  struct script *slow = scripted(fx, "v2+100");
  weir_operation *retried = NULL;
  assert_int_equal(weir_policy_wrap(weir_retry_policy(retry), flaky->operation, &retried, NULL),
                   WEIR_OK);
  struct run *run = run_once(fx, race(fx, COUNTED(retried, slow->operation)));
  weir_operation_unref(retried);
  weir_retry_unref(retry);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(run)->attempts, 4);
  assert_int_equal(flaky->attempts[2].number, 3);
}

static void a_race_in_a_race_lists_its_failures_in_theirs(struct fixture *fx) {
  struct script *a = scripted(fx, "f1");
  struct script *b = scripted(fx, "f2");
  struct script *c = scripted(fx, "f3");
  weir_operation *inner = race(fx, COUNTED(a->operation, b->operation));
  struct run *run = run_once(fx, race(fx, COUNTED(c->operation, inner)));
  weir_operation_unref(inner);
  const weir_outcome *outcome = outcome_of(run);
  assert_int_equal(weir_error_count(outcome->error), 2);
  weir_error *nested = weir_error_at(outcome->error, 1, NULL);
  assert_int_equal(weir_error_status(nested), WEIR_EAGGREGATE);
  assert_int_equal(weir_error_code(weir_error_at(nested, 1, NULL)), 2);
  assert_int_equal(outcome->attempts, 3);
}

static void a_race_that_loses_stops_its_own_racers(struct fixture *fx) {
  struct script *deep = scripted(fx, "yield");
  struct script *fast = scripted(fx, "v2+10");
  weir_operation *inner = race(fx, COUNTED(deep->operation, deep->operation));
  struct run *run = run_once(fx, race(fx, COUNTED(inner, fast->operation)));
  weir_operation_unref(inner);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(deep->cancelled, 2);
  assert_int_equal(deep->attempts[1].cancel_reason, WEIR_CANCEL_LOST);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(orphans_of(fx), 0);
}

/* ---- ends from outside ----------------------------------------------------------------------- */

static void the_callers_cancel_stops_all_racers(struct fixture *fx) {
  struct script *a = scripted(fx, "yield");
  struct run *run = run_once(fx, race(fx, COUNTED(a->operation, a->operation)));
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(a->attempts[0].cancel_reason, WEIR_CANCEL_CALLER);
}

static void a_cancel_before_the_racers_begin_starts_none(struct fixture *fx) {
  struct script *a = scripted(fx, "v1");
  weir_operation *operation = race(fx, COUNTED(a->operation, a->operation));
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(a->started, 0);
}

static void the_callers_deadline_flows_into_each_racer(struct fixture *fx) {
  struct script *a = scripted(fx, "hang");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 70;
  weir_operation *operation = race(fx, COUNTED(a->operation, a->operation));
  struct run *run = begin(fx, operation, &options);
  weir_operation_unref(operation);
  advance_ms(fx, 70);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(a->attempts[1].remaining_ns, 70 * MS);
  assert_int_equal(a->attempts[1].cancel_reason, WEIR_CANCEL_DEADLINE);
}

static void C06_a_runtime_that_closes_settles_races_in_flight(struct fixture *fx) {
  struct script *a = scripted(fx, "yield");
  struct run *runs[3];
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    runs[i] = run_once(fx, race(fx, COUNTED(a->operation, a->operation)));
  }
  assert_int_equal(a->started, 6);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    assert_int_equal(settled(runs[i])->status, WEIR_ECLOSED);
  }
  assert_int_equal(a->attempts[5].cancel_reason, WEIR_CANCEL_SHUTDOWN);
}

static void a_winner_that_completes_late_after_the_close_changes_nothing(struct fixture *fx) {
  struct script *a = scripted(fx, "hang");
  weir_operation *operation = race(fx, COUNTED(a->operation, a->operation));
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  finish(a, 0, "v1");
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  settled(run);
}

static void operation_and_racers_may_be_given_back_while_it_runs(struct fixture *fx) {
  struct script *a = scripted(fx, "v1+10");
  struct script *b = scripted(fx, "hang");
  struct run *run = run_once(fx, race(fx, COUNTED(a->operation, b->operation)));
  weir_operation_unref(a->operation);
  weir_operation_unref(b->operation);
  a->operation = b->operation = NULL;
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 1);
}

/* ---- any ------------------------------------------------------------------------------------- */

static void any_is_a_race_by_another_name(struct fixture *fx) {
  struct script *failing = scripted(fx, "f1 f1");
  struct script *second = scripted(fx, "v2+10 f2+10");
  weir_operation *any = NULL;
  assert_int_equal(
      weir_any_new(fx->runtime, COUNTED(failing->operation, second->operation), "two", &any, NULL),
      WEIR_OK);
  struct run *won = begin(fx, any, NULL);
  advance_ms(fx, 10);
  assert_int_equal(settled(won)->value, 2);
  struct run *lost = begin(fx, any, NULL);
  run_until_idle(fx);
  weir_audit_entry entry;
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, sizeof entry, 1, &count), WEIR_OK);
  assert_string_equal(entry.waits_for, "any two: 1 of its operations run, 1 have ended");
  advance_ms(fx, 10);
  assert_failures(lost, 2, (size_t[]){0, 1}, (int64_t[]){1, 2});
  weir_operation_unref(any);
}

static void a_hundred_thousand_racers_need_no_stack(struct fixture *fx) {
  enum { MANY = 100000 };
  struct script *script = scripted(fx, "f1");
  weir_operation **racers = malloc(MANY * sizeof *racers);
  if (racers == NULL) abort();
  for (size_t i = 0; i < MANY; i++) racers[i] = script->operation;
  weir_operation *operation = race(fx, racers, MANY);
  free(racers);
  struct run *run = run_once(fx, operation);
  const weir_outcome *outcome = outcome_of(run);
  assert_int_equal(weir_error_count(outcome->error), MANY);
  assert_int_equal(outcome->attempts, MANY);
}

TEST_MAIN("race", TEST(the_first_success_wins_and_the_others_are_told),
          TEST(a_failure_leaves_the_race_to_the_others),
          TEST(racers_behind_an_inline_winner_do_not_begin),
          TEST(first_settled_takes_a_failure_too), TEST(what_the_completer_classed_is_what_counts),
          TEST(one_operation_may_race_against_itself), TEST(racers_get_the_input_and_their_index),
          TEST(F01_result_and_timer_in_the_same_turn_have_the_same_winner_each_time),
          TEST(F04_a_loser_that_ignores_cancel_does_not_delay_the_winner),
          TEST(a_losers_late_value_is_freed_once),
          TEST(a_loser_keeps_its_concurrency_permit_until_it_ends),
          TEST(F06_when_all_fail_their_errors_are_listed_in_launch_order),
          TEST(a_refusal_counts_as_a_failure_of_its_racer),
          TEST(a_value_that_failed_is_the_detail_of_its_error),
          TEST(F20_slow_regions_time_out_at_the_sleeps_end),
          TEST(F20_when_both_regions_fail_the_sleep_is_not_waited_for),
          TEST(a_decisive_racer_may_win_and_may_be_beaten),
          TEST(a_race_of_decisive_racers_ends_with_the_first),
          TEST(F22_a_timeout_around_a_race_tells_all_racers),
          TEST(F22_a_retry_around_a_race_races_again),
          TEST(F22_a_retry_inside_of_a_race_tries_its_racer_again),
          TEST(a_race_in_a_race_lists_its_failures_in_theirs),
          TEST(a_race_that_loses_stops_its_own_racers), TEST(the_callers_cancel_stops_all_racers),
          TEST(a_cancel_before_the_racers_begin_starts_none),
          TEST(the_callers_deadline_flows_into_each_racer),
          TEST(C06_a_runtime_that_closes_settles_races_in_flight),
          TEST(a_winner_that_completes_late_after_the_close_changes_nothing),
          TEST(operation_and_racers_may_be_given_back_while_it_runs),
          TEST(any_is_a_race_by_another_name), LONG_TEST(a_hundred_thousand_racers_need_no_stack))
