/* SPDX-License-Identifier: MIT */
/* Hedges around runs: who is started when, who wins, what the losers are told, what is shown when
 * all fail. */

#include "hedge.h"

/* ---- who is started, and when ---- */

static void what_is_fast_enough_is_not_hedged(struct fixture *fx) {
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "v1 v2+9 n");
  struct run *inside = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  struct run *later = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  struct run *empty = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  advance_ms(fx, 9);
  assert_int_equal(settled(inside)->value, 1);
  assert_int_equal(settled(inside)->attempts, 1);
  assert_int_equal(settled(later)->value, 2);
  assert_int_equal(settled(empty)->status, WEIR_OK);
  assert_int_equal(fetch->started, 3);
  assert_int_equal(armed_timers(fx), 0);
  assert_int_equal(hedge_stats(hedge).started, 3);
  assert_int_equal(hedge_stats(hedge).hedged, 0);
  assert_int_equal(hedge_stats(hedge).won_by_hedge, 0);
  assert_int_equal(hedge_stats(hedge).delay_ns, 10 * MS);
  weir_hedge_unref(hedge);
}

static void a_copy_of_what_is_slow_wins(struct fixture *fx) {
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang v7+5");
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  advance_ns(fx, 10 * MS - 1);
  assert_int_equal(fetch->started, 1);
  advance_ns(fx, 1);
  assert_int_equal(fetch->started, 2);
  assert_int_equal(fetch->attempts[1].number, 2);
  assert_pending(run);
  advance_ms(fx, 5);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(settled(run)->elapsed_ns, 15 * MS);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(settled(run)->statuses[0], WEIR_OK);
  assert_int_equal(settled(run)->statuses[1], WEIR_ECANCELLED);
  assert_int_equal(fetch->attempts[0].cancels, 1);
  assert_int_equal(fetch->attempts[0].cancel_reason, WEIR_CANCEL_LOST);
  assert_int_equal(fetch->attempts[1].cancels, 0);
  assert_int_equal(armed_timers(fx), 0);
  assert_int_equal(hedge_stats(hedge).hedged, 1);
  assert_int_equal(hedge_stats(hedge).won_by_hedge, 1);
  weir_hedge_unref(hedge);
}

static void the_first_may_win_after_all(struct fixture *fx) {
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "v1+20 hang");
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(fetch->attempts[1].cancels, 1);
  assert_int_equal(fetch->attempts[1].cancel_reason, WEIR_CANCEL_LOST);
  assert_int_equal(hedge_stats(hedge).hedged, 1);
  assert_int_equal(hedge_stats(hedge).won_by_hedge, 0);
  weir_hedge_unref(hedge);
}

static void each_delay_starts_one_up_to_max_hedges(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_hedged(fx, 3, 10, fetch);
  for (uint32_t started = 1; started <= 4; started++) {
    run_until_idle(fx);
    assert_int_equal(fetch->started, started);
    advance_ms(fx, 10);
  }
  assert_int_equal(armed_timers(fx), 0);
  advance_ms(fx, 1000);
  assert_int_equal(fetch->started, 4);
  assert_int_equal(finish(fetch, 2, "v9"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 9);
  assert_int_equal(settled(run)->attempts, 4);
  assert_int_equal(fetch->cancelled, 3);
}

static void sixteen_copies_are_the_most(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_hedged(fx, WEIR_HEDGE_MAX, 1, fetch);
  advance_ms(fx, 100);
  assert_int_equal(fetch->started, 17);
  assert_int_equal(finish(fetch, 16, "v16"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 16);
  assert_int_equal(fetch->cancelled, 16);
}

static void without_a_delay_all_start_at_once(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang hang v3+5");
  struct run *run = begin_hedged(fx, 2, 0, fetch);
  run_until_idle(fx);
  assert_int_equal(fetch->started, 3);
  assert_int_equal(armed_timers(fx), 0);
  for (uint32_t i = 0; i < 3; i++) assert_int_equal(fetch->attempts[i].number, i + 1);
  advance_ms(fx, 5);
  assert_int_equal(settled(run)->value, 3);
  assert_int_equal(fetch->cancelled, 2);
  struct script *inside = scripted(fx, "v1"); /* over before another could start */
  struct run *quick = begin_hedged(fx, 2, 0, inside);
  run_until_idle(fx);
  assert_int_equal(settled(quick)->value, 1);
  assert_int_equal(inside->started, 1);
}

static void a_failure_starts_the_next_at_once(struct fixture *fx) {
  struct script *fetch = scripted(fx, "f503 f504+3 v3");
  struct run *run = begin_hedged(fx, 2, 1000, fetch);
  run_until_idle(fx);
  assert_int_equal(fetch->started, 2);
  advance_ms(fx, 3);
  assert_int_equal(fetch->started, 3);
  assert_int_equal(settled(run)->value, 3);
  assert_int_equal(settled(run)->elapsed_ns, 3 * MS);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(settled(run)->statuses[0], WEIR_EFAILED);
  assert_int_equal(settled(run)->statuses[2], WEIR_OK);
  assert_int_equal(armed_timers(fx), 0);
}

static void the_delay_counts_from_the_last_start(struct fixture *fx) {
  struct script *fetch = scripted(fx, "f503+6 hang v3");
  struct run *run = begin_hedged(fx, 2, 10, fetch);
  advance_ms(fx, 15); /* the copy started at 6 */
  assert_int_equal(fetch->started, 2);
  advance_ms(fx, 1);
  assert_int_equal(fetch->started, 3);
  assert_int_equal(settled(run)->value, 3);
}

static void a_final_failure_starts_nothing(struct fixture *fx) {
  struct script *fetch = scripted(fx, "F404");
  struct run *run = begin_hedged(fx, 2, 10, fetch);
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 404);
  assert_int_equal(settled(run)->final, 1);
  assert_int_equal(fetch->started, 1);
  assert_int_equal(armed_timers(fx), 0);
}

static void a_copy_has_what_the_first_had(struct fixture *fx) {
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_hedge_policy(hedge);
  options.input = number_value(fx, 41);
  options.context = &options;
  options.deadline_ms = 100;
  struct run *run = begin(fx, fetch->operation, &options);
  weir_value_unref(options.input);
  weir_hedge_unref(hedge);
  advance_ms(fx, 10);
  assert_int_equal(fetch->started, 2);
  assert_int_equal(fetch->attempts[1].input, 41);
  assert_ptr_equal(fetch->attempts[1].context, &options);
  assert_int_equal(fetch->attempts[1].remaining_ns, 90 * MS);
  advance_ms(fx, 90);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(fetch->attempts[0].cancel_reason, WEIR_CANCEL_DEADLINE);
  assert_int_equal(fetch->attempts[1].cancel_reason, WEIR_CANCEL_DEADLINE);
}

/* ---- F05 ---- */

static void F05_cancelled_before_its_delay_nothing_is_launched(struct fixture *fx) {
  weir_hedge *hedge = make_hedge(fx, 1, 10);
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  advance_ns(fx, 10 * MS - 1);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(fetch->started, 1);
  assert_int_equal(fetch->attempts[0].cancel_reason, WEIR_CANCEL_CALLER);
  assert_int_equal(armed_timers(fx), 0);
  assert_int_equal(hedge_stats(hedge).hedged, 0);
  weir_hedge_unref(hedge);
}

static void F05_timer_and_cancel_in_the_same_turn_are_exactly_one(struct fixture *fx) {
  for (int round = 0; round < 3; round++) { /* the same each time */
    struct script *fetch = scripted(fx, "hang");
    struct run *run = begin_hedged(fx, 1, 10, fetch);
    run_until_idle(fx);
    int64_t due_ns = now_ns(fx) + 10 * MS;
    assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
    weir_runtime_process(fx->runtime, due_ns);
    run_until_idle(fx);
    assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
    assert_int_equal(fetch->started, 1);
  }
}

static void F05_cancelled_while_hedging_all_are_told(struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang");
  struct run *run = begin_hedged(fx, 2, 10, fetch);
  advance_ms(fx, 20);
  assert_int_equal(fetch->started, 3);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(run)->attempts, 3);
  for (uint32_t i = 0; i < 3; i++) {
    assert_int_equal(fetch->attempts[i].cancels, 1);
    assert_int_equal(fetch->attempts[i].cancel_reason, WEIR_CANCEL_CALLER);
  }
}

static void F05_cancelled_before_a_copy_has_begun_it_never_does(struct fixture *fx) {
  struct script *fetch = scripted(fx, "f503 hang");
  struct run *run = begin_hedged(fx, 1, 10, fetch);
  /* The cancel is in the inbox, the copy in the ready queue, when the same turn begins. */
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_true(fetch->started <= 1);
}

static void F01_two_successes_in_the_same_turn_have_one_winner(struct fixture *fx) {
  for (int round = 0; round < 3; round++) {
    struct script *fetch = scripted(fx, "hang");
    struct run *copy_first = begin_hedged(fx, 2, 10, fetch);
    advance_ms(fx, 20);
    assert_int_equal(fetch->started, 3);
    assert_int_equal(finish(fetch, 2, "v3"), WEIR_OK);
    assert_int_equal(finish(fetch, 1, "v2"), WEIR_OK);
    assert_int_equal(finish(fetch, 0, "v1"), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(settled(copy_first)->value, 3);
    assert_int_equal(settled(copy_first)->attempts, 3);
  }
}

static void F04_a_loser_that_ignores_cancel_delays_nobody_and_shows_in_the_audit(
    struct fixture *fx) {
  struct script *fetch = scripted(fx, "hang v2");
  struct run *run = begin_hedged(fx, 1, 10, fetch);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 2);
  weir_audit_entry entries[2];
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof *entries, 2, &count), WEIR_OK);
  assert_int_equal(count, 1);
  assert_int_equal(entries[0].kind, WEIR_AUDIT_ORPHAN);
  assert_int_equal(finish(fetch, 0, "v1"), WEIR_OK); /* freed, nobody's */
  run_until_idle(fx);
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof *entries, 2, &count), WEIR_OK);
  assert_int_equal(count, 0);
}

/* ---- F06 ---- */

static void F06_all_fail_in_launch_order_each_cause_kept(struct fixture *fx) {
  struct script *fetch = scripted(fx, "f1+50 f2+20 f3+5");
  struct run *run = begin_hedged(fx, 2, 10, fetch);
  advance_ms(fx, 49); /* the third failed at 25, the second at 30 */
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  assert_int_equal(settled(run)->error_status, WEIR_EAGGREGATE);
  assert_int_equal(settled(run)->attempts, 3);
  assert_string_equal(settled(run)->message, "all 3 failed: scripted; scripted; scripted");
  assert_int_equal(weir_error_count(error_of(run)), 3);
  assert_listed(run, 0, 0, 1);
  assert_listed(run, 1, 1, 2);
  assert_listed(run, 2, 2, 3);
  assert_null(weir_error_at(error_of(run), 3, NULL));
  assert_int_equal(armed_timers(fx), 0);
}

static void F06_the_last_failure_may_be_a_copys(struct fixture *fx) {
  struct script *fetch = scripted(fx, "f1 f2 f3+5");
  struct run *run = begin_hedged(fx, 2, 10, fetch);
  advance_ms(fx, 5);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  assert_listed(run, 0, 0, 1);
  assert_listed(run, 1, 1, 2);
  assert_listed(run, 2, 2, 3);
}

static void F06_what_was_asked_for_is_the_least(struct fixture *fx) {
  struct script *fetch = scripted(fx, "f1@250 f2@100 f3");
  struct run *run = begin_hedged(fx, 2, 10, fetch);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EAGGREGATE);
  assert_int_equal(settled(run)->retry_after_ms, 100);
}

static void F06_an_aggregate_outlives_its_run(struct fixture *fx) {
  struct script *fetch = scripted(fx, "f1 f2");
  struct run *run = begin_hedged(fx, 1, 10, fetch);
  run_until_idle(fx);
  weir_error *kept = weir_error_ref(error_of(run));
  weir_call_unref(run->call);
  run->call = NULL;
  assert_int_equal(weir_error_count(kept), 2);
  assert_int_equal(weir_error_code(weir_error_at(kept, 1, NULL)), 2);
  weir_error_unref(kept);
}

/* ---- classes ---- */

static uint32_t big_is_good(void *data, const weir_outcome *outcome) {
  (void)data;
  if (outcome->channel != WEIR_CHANNEL_VALUE) return WEIR_CLASS_NONE;
  return value_number(outcome->value) < 100 ? WEIR_CLASS_FAILURE : WEIR_CLASS_SUCCESS;
}

static struct run *begin_judged(struct fixture *fx, uint32_t max_hedges, struct script *script) {
  weir_hedge_options options = hedge_options(max_hedges, 10);
  options.classify = big_is_good;
  weir_hedge *hedge = new_hedge(fx, &options);
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), script->operation);
  weir_hedge_unref(hedge);
  return run;
}

static void a_value_that_is_judged_a_failure_is_one(struct fixture *fx) {
  struct script *fetch = scripted(fx, "v1 v2+5 v300");
  struct run *run = begin_judged(fx, 2, fetch);
  advance_ms(fx, 5);
  assert_int_equal(settled(run)->value, 300);
  struct run *failed = begin_judged(fx, 1, scripted(fx, "v1 v2"));
  run_until_idle(fx);
  assert_int_equal(settled(failed)->status, WEIR_EAGGREGATE);
  assert_int_equal(weir_error_count(error_of(failed)), 2);
  weir_error *second = weir_error_at(error_of(failed), 1, NULL);
  assert_int_equal(weir_error_status(second), WEIR_EEXHAUSTED);
  assert_int_equal(value_number(weir_error_detail(second)), 2);
}

static void a_judged_value_alone_is_exhausted_and_carried(struct fixture *fx) {
  weir_budget_options none = WEIR_BUDGET_OPTIONS_INIT;
  none.ratio = 0;
  none.min_per_second = 0;
  weir_hedge_options options = hedge_options(1, 10);
  options.classify = big_is_good;
  assert_int_equal(weir_budget_new(fx->runtime, &none, &options.budget, NULL), WEIR_OK);
  weir_hedge *hedge = new_hedge(fx, &options);
  weir_budget_unref(options.budget);
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), scripted(fx, "v7")->operation);
  weir_hedge_unref(hedge);
  run_until_idle(fx);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->value, 7);
}

static void the_completers_class_counts(struct fixture *fx) {
  struct script *fetch = scripted(fx, "c9/2 v2"); /* a value that was completed as a failure */
  struct run *run = begin_hedged(fx, 1, 10, fetch);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 2);
  struct script *ignored = scripted(fx, "c9/4 v3"); /* as ignored: the next one */
  struct run *other = begin_hedged(fx, 1, 10, ignored);
  run_until_idle(fx);
  assert_int_equal(settled(other)->value, 3);
}

static void only_listed_errors_are_failures_but_all_start_the_next(struct fixture *fx) {
  weir_error_range range = {WEIR_DOMAIN_HTTP, 0, 500, 599};
  weir_hedge_options options = hedge_options(1, 10);
  options.failures = &range;
  options.failures_count = 1;
  weir_hedge *hedge = new_hedge(fx, &options);
  struct script *fetch = scripted(fx, "f404 v2");
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  weir_hedge_unref(hedge);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 2);
}

static uint32_t errors_are_fine(void *data, const weir_outcome *outcome) {
  (void)data;
  return outcome->channel == WEIR_CHANNEL_ERROR ? WEIR_CLASS_SUCCESS : WEIR_CLASS_FAILURE;
}

static void an_error_that_is_judged_a_success_wins_as_it_is(struct fixture *fx) {
  weir_hedge_options options = hedge_options(1, 10);
  options.classify = errors_are_fine;
  weir_hedge *hedge = new_hedge(fx, &options);
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), scripted(fx, "v1 f404")->operation);
  weir_hedge_unref(hedge);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 404);
}

static unsigned classifiers_freed;

static void callbacks_are_freed_once_also_when_refused(struct fixture *fx) {
  classifiers_freed = 0;
  weir_hedge_options options = hedge_options(1, 10);
  options.classify = big_is_good;
  options.classify_data = &classifiers_freed;
  options.classify_free_data = count_free;
  weir_hedge_unref(new_hedge(fx, &options));
  assert_int_equal(classifiers_freed, 1);
  options.max_hedges = 0;
  weir_hedge *hedge = NULL;
  assert_int_equal(weir_hedge_new(fx->runtime, &options, &hedge, NULL), WEIR_EINVAL);
  assert_int_equal(classifiers_freed, 2);
}

/* ---- events ---- */

static weir_event told[4];
static size_t told_count;

static void note_event(void *data, const weir_event *event) {
  (void)data;
  if (told_count < COUNT_OF(told)) told[told_count++] = *event;
}

static void each_copy_is_told(struct fixture *fx) {
  told_count = 0;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.on_event = note_event;
  remake_runtime(fx, &options);
  struct script *fetch = scripted(fx, "f1+3 hang v1");
  weir_hedge_options limits = hedge_options(2, 10);
  limits.name = "mirror";
  weir_hedge *hedge = new_hedge(fx, &limits);
  struct run *run = begin_under(fx, weir_hedge_policy(hedge), fetch->operation);
  advance_ms(fx, 13);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(told_count, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_ptr_equal(told[i].policy, weir_hedge_policy(hedge));
    assert_string_equal(told[i].name, "mirror");
  }
  assert_int_equal(told[0].kind, WEIR_EVENT_HEDGE);
  assert_int_equal(told[0].count, 1);
  assert_int_equal(told[0].delay_ns, 3 * MS);
  assert_int_equal(told[1].count, 2);
  assert_int_equal(told[1].delay_ns, 13 * MS);
  assert_int_equal(told[2].kind, WEIR_EVENT_HEDGE_WON);
  assert_int_equal(told[2].count, 2);
  assert_int_equal(told[2].delay_ns, 13 * MS);
  weir_hedge_unref(hedge);
}

TEST_MAIN("hedge", TEST(what_is_fast_enough_is_not_hedged), TEST(a_copy_of_what_is_slow_wins),
          TEST(the_first_may_win_after_all), TEST(each_delay_starts_one_up_to_max_hedges),
          TEST(sixteen_copies_are_the_most), TEST(without_a_delay_all_start_at_once),
          TEST(a_failure_starts_the_next_at_once), TEST(the_delay_counts_from_the_last_start),
          TEST(a_final_failure_starts_nothing), TEST(a_copy_has_what_the_first_had),
          TEST(F05_cancelled_before_its_delay_nothing_is_launched),
          TEST(F05_timer_and_cancel_in_the_same_turn_are_exactly_one),
          TEST(F05_cancelled_while_hedging_all_are_told),
          TEST(F05_cancelled_before_a_copy_has_begun_it_never_does),
          TEST(F01_two_successes_in_the_same_turn_have_one_winner),
          TEST(F04_a_loser_that_ignores_cancel_delays_nobody_and_shows_in_the_audit),
          TEST(F06_all_fail_in_launch_order_each_cause_kept),
          TEST(F06_the_last_failure_may_be_a_copys), TEST(F06_what_was_asked_for_is_the_least),
          TEST(F06_an_aggregate_outlives_its_run), TEST(a_value_that_is_judged_a_failure_is_one),
          TEST(a_judged_value_alone_is_exhausted_and_carried), TEST(the_completers_class_counts),
          TEST(only_listed_errors_are_failures_but_all_start_the_next),
          TEST(an_error_that_is_judged_a_success_wins_as_it_is),
          TEST(callbacks_are_freed_once_also_when_refused), TEST(each_copy_is_told))
