/* SPDX-License-Identifier: MIT */
/* Retry around a run: what is tried again, when, and until when. What comes out is in
 * test_retry_outcome.c, callbacks in test_retry_callbacks.c, budgets in test_retry_budget.c, the
 * decide door and bad input in test_retry_decide.c. */

#include "support_retry.h"

/* ---- trying ---- */

static void a_success_is_not_tried_again(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  struct script *fetch = scripted(fx, "v7");
  struct run *run = begin_retried(fx, &options, fetch);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NONE);
  assert_int_equal(fetch->started, 1);
}

static void failures_are_tried_again_after_their_delay(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  struct script *fetch = scripted(fx, "f500 f501 v7");
  int64_t begun_ns = now_ns(fx);
  struct run *run = begin_retried(fx, &options, fetch);
  run_until_idle(fx);
  advance_ns(fx, 100 * MS - 1);
  assert_int_equal(fetch->started, 1);
  advance_ns(fx, 1);
  assert_int_equal(fetch->started, 2);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(settled(run)->elapsed_ns, 200 * MS);
  assert_int_equal(settled(run)->statuses[0], WEIR_EFAILED);
  assert_int_equal(settled(run)->statuses[1], WEIR_EFAILED);
  assert_int_equal(settled(run)->statuses[2], WEIR_OK);
  assert_int_equal(fetch->attempts[1].number, 2);
  assert_int_equal(fetch->attempts[2].at_ns, begun_ns + 200 * MS);
}

static void the_last_real_error_comes_out_when_attempts_are_used_up(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  struct script *fetch = scripted(fx, "f500 f501 f502");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->domain, WEIR_DOMAIN_HTTP);
  assert_int_equal(settled(run)->code, 502);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(settled(run)->elapsed_ns, 200 * MS);
}

static void max_attempts_of_1_never_tries_again(struct fixture *fx) {
  weir_retry_options options = plain(1, 0);
  struct script *fetch = scripted(fx, "f500");
  struct run *run = begin_retried(fx, &options, fetch);
  run_until_idle(fx);
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
}

static void the_outcome_keeps_the_last_eight_statuses(struct fixture *fx) {
  weir_retry_options options = plain(WEIR_UNLIMITED, 1);
  options.attempt_timeout_ms = 5;
  struct script *fetch = scripted(fx, "f1 f2 f3 f4 f5 f6 f7 f8 hang v9");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->attempts, 10);
  for (int i = 0; i < 6; i++) assert_int_equal(settled(run)->statuses[i], WEIR_EFAILED);
  assert_int_equal(settled(run)->statuses[6], WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->statuses[7], WEIR_OK);
}

static void one_policy_serves_many_runs_and_starts_over_in_each(struct fixture *fx) {
  weir_retry_options options = plain(2, 100);
  weir_retry *retry = make_retry(fx, &options);
  struct script *fetch = scripted(fx, "f1 f2 f3 v4");
  struct run *first = begin_under(fx, weir_retry_policy(retry), fetch->operation);
  advance_ms(fx, 500);
  struct run *second = begin_under(fx, weir_retry_policy(retry), fetch->operation);
  advance_ms(fx, 500);
  assert_int_equal(settled(first)->code, 2);
  assert_int_equal(settled(second)->value, 4);
  assert_int_equal(settled(second)->attempts, 2);
  weir_retry_unref(retry);
}

static void R04_base_0_makes_no_timer_and_goes_through_the_ready_queue(struct fixture *fx) {
  weir_retry_options options = plain(5, 0);
  struct script *fetch = scripted(fx, "f1 f2 hang");
  struct run *run = begin_retried(fx, &options, fetch);
  weir_runtime_process(fx->runtime, now_ns(fx));
  assert_int_equal(fetch->started, 3);
  assert_int_equal(armed_timers(fx), 0);
  assert_int_equal(finish(fetch, 2, "v7"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(settled(run)->elapsed_ns, 0);
}

static void R04_retries_without_delay_let_other_runs_have_their_turn(struct fixture *fx) {
  weir_retry_options options = plain(1000, 0);
  struct script *failing = scripted(fx, "f1");
  struct script *quick = scripted(fx, "v7");
  struct run *slow = begin_retried(fx, &options, failing);
  struct run *other = begin(fx, quick->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(slow)->attempts, 1000);
  assert_true(settled(other)->order < settled(slow)->order);
}

static void C02_a_million_attempts_that_fail_inline_need_constant_stack(struct fixture *fx) {
  weir_retry_options options = plain(1000000, 0);
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_retried(fx, &options, fetch);
  uint64_t bytes = 0;
  for (int i = 0; i < 100; i++) weir_runtime_process(fx->runtime, now_ns(fx));
  bytes = fx->memory.live_bytes;
  run_until_idle(fx);
  assert_int_equal(settled(run)->attempts, 1000000);
  assert_true(fx->memory.peak_bytes <= bytes + 4096);
}

static void R05_the_delay_an_operation_asks_for_is_honoured(struct fixture *fx) {
  weir_retry_options options = plain(5, 1000);
  options.max_delay_ms = 2000;
  struct script *fetch = scripted(fx, "f1@250 f2@0 f3@5000 v4");
  int64_t begun_ns = now_ns(fx);
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 5000);
  assert_int_equal(fetch->attempts[1].at_ns - begun_ns, 250 * MS);
  assert_int_equal(fetch->attempts[2].at_ns - begun_ns, 250 * MS);
  assert_int_equal(fetch->attempts[3].at_ns - begun_ns, 2250 * MS);
  assert_int_equal(settled(run)->value, 4);
}

static void an_endless_delay_waits_for_the_deadline_only(struct fixture *fx) {
  weir_retry_options options = plain(5, INT64_MAX);
  options.max_delay_ms = INT64_MAX;
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, INT64_C(1000) * 86400000);
  assert_pending(run);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
}

/* ---- cancelling ---- */

static void R06_cancelled_before_start_never_starts(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_retried(fx, &options, fetch);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(run)->attempts, 0);
  assert_int_equal(fetch->started, 0);
}

static void R06_cancelled_during_a_try_tells_the_operation(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.attempt_timeout_ms = 1000;
  struct script *fetch = scripted(fx, "f1 hang");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 100);
  assert_int_equal(armed_timers(fx), 1);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(run)->cancel_reason, WEIR_CANCEL_CALLER);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(fetch->attempts[1].cancels, 1);
  assert_int_equal(fetch->attempts[1].cancel_reason, WEIR_CANCEL_CALLER);
  assert_int_equal(armed_timers(fx), 0);
}

static void R06_cancelled_while_sleeping_settles_now_and_drops_the_timer(struct fixture *fx) {
  weir_retry_options options = plain(3, 1000);
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 400);
  assert_int_equal(armed_timers(fx), 1);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(run)->elapsed_ns, 400 * MS);
  assert_int_equal(armed_timers(fx), 0);
  advance_ms(fx, 5000);
  assert_int_equal(fetch->started, 1);
}

static void R06_cancelled_while_a_delay_of_0_is_queued(struct fixture *fx) {
  weir_retry_options options = plain(WEIR_UNLIMITED, 0);
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_retried(fx, &options, fetch);
  weir_runtime_process(fx->runtime, now_ns(fx)); /* a thousand steps, and the next one queued */
  assert_pending(run);
  assert_int_equal(armed_timers(fx), 0);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
}

static void R06_closed_while_sleeping_settles_as_stopped(struct fixture *fx) {
  weir_retry_options options = plain(3, 1000);
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 400);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(settled(run)->cancel_reason, WEIR_CANCEL_SHUTDOWN);
}

/* Stands for a user's stop error: the class says abandon. */
static uint32_t call_it_abandoned(void *data, const weir_outcome *outcome) {
  (void)data;
  return outcome->channel == WEIR_CHANNEL_VALUE ? WEIR_CLASS_NONE : WEIR_CLASS_ABANDON;
}

static void R12_an_abandoned_try_is_not_tried_again(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.classify = call_it_abandoned;
  struct script *fetch = scripted(fx, "f1 v2");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->code, 1);
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_CLASSIFIED);
}

static void R12_a_completer_may_say_that_a_try_was_abandoned_or_is_to_be_ignored(
    struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  struct script *abandoned = scripted(fx, "c1/5 v2");
  struct script *ignored = scripted(fx, "c1/4 v2");
  struct run *first = begin_retried(fx, &options, abandoned);
  struct run *second = begin_retried(fx, &options, ignored);
  advance_ms(fx, 1000);
  assert_int_equal(settled(first)->attempts, 1);
  assert_int_equal(settled(second)->attempts, 1);
  assert_int_equal(settled(second)->status, WEIR_OK);
}

/* ---- limits in time ---- */

static void R08_max_elapsed_does_not_sleep_past_itself_and_says_so(struct fixture *fx) {
  weir_retry_options options = plain(WEIR_UNLIMITED, 100);
  options.max_elapsed_ms = 250;
  struct script *fetch = scripted(fx, "f1 f2 f3 f4");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 3);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ELAPSED);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(settled(run)->elapsed_ns, 200 * MS); /* at once, not at 250 */
}

static void R08_a_delay_that_ends_exactly_at_max_elapsed_is_slept(struct fixture *fx) {
  weir_retry_options options = plain(WEIR_UNLIMITED, 100);
  options.max_elapsed_ms = 200;
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->attempts, 3);
}

static void R08_no_try_starts_after_max_elapsed_when_the_loop_was_late(struct fixture *fx) {
  weir_retry_options options = plain(WEIR_UNLIMITED, 100);
  options.max_elapsed_ms = 150;
  struct script *fetch = scripted(fx, "f1 v2");
  struct run *run = begin_retried(fx, &options, fetch);
  run_until_idle(fx);
  weir_runtime_process(fx->runtime, now_ns(fx) + 151 * MS); /* the delay ended at 100 */
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ELAPSED);
  assert_int_equal(fetch->started, 1);
}

static void R08_max_elapsed_counts_the_time_of_the_tries(struct fixture *fx) {
  weir_retry_options options = plain(WEIR_UNLIMITED, 10);
  options.max_elapsed_ms = 100;
  struct script *fetch = scripted(fx, "f1+60 f2+60 f3+60");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->code, 2);
  assert_int_equal(settled(run)->elapsed_ns, 130 * MS); /* what began may end */
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ELAPSED);
}

static void R14_a_delay_that_does_not_fit_the_deadline_fails_now(struct fixture *fx) {
  weir_retry_options options = plain(5, 100);
  struct script *fetch = scripted(fx, "f503");
  struct run *run = begin_with_deadline(fx, &options, fetch, 50);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 503);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NO_TIME);
  assert_int_equal(settled(run)->elapsed_ns, 0);
}

static void R14_a_delay_that_just_fits_is_slept_and_one_that_ends_with_the_deadline_is_not(
    struct fixture *fx) {
  weir_retry_options options = plain(5, 100);
  struct script *fits = scripted(fx, "f1 v2");
  struct script *does_not = scripted(fx, "f1 v2");
  struct run *first = begin_with_deadline(fx, &options, fits, 101);
  struct run *second = begin_with_deadline(fx, &options, does_not, 100);
  advance_ms(fx, 200);
  assert_int_equal(settled(first)->value, 2);
  assert_int_equal(settled(second)->stop_reason, WEIR_STOP_NO_TIME);
}

static void R14_a_timeout_outside_counts_as_a_deadline(struct fixture *fx) {
  weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout_options.timeout_ms = 50;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &timeout_options, &timeout, NULL), WEIR_OK);
  weir_retry_options options = plain(5, 100);
  weir_retry *retry = make_retry(fx, &options);
  weir_policy *policies[] = {weir_timeout_policy(timeout), weir_retry_policy(retry)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct script *fetch = scripted(fx, "f503");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  weir_pipeline_unref(pipeline);
  weir_retry_unref(retry);
  weir_timeout_unref(timeout);
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 503);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NO_TIME);
}

/* ---- the attempt's timeout ---- */

static void attempt_timeout_is_a_failure_and_tried_again(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.attempt_timeout_ms = 50;
  options.name = "payments";
  struct script *fetch = scripted(fx, "hang hang v7");
  struct run *run = begin_retried(fx, &options, fetch);
  run_until_idle(fx);
  assert_int_equal(fetch->attempts[0].remaining_ns, 50 * MS);
  advance_ms(fx, 50);
  assert_int_equal(fetch->attempts[0].cancels, 1);
  assert_int_equal(fetch->attempts[0].cancel_reason, WEIR_CANCEL_TIMEOUT);
  advance_ms(fx, 250);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(settled(run)->elapsed_ns, 300 * MS);
  assert_int_equal(settled(run)->statuses[0], WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->statuses[1], WEIR_ETIMEDOUT);
  assert_int_equal(armed_timers(fx), 0);
}

static void the_last_attempts_timeout_comes_out_with_its_message(struct fixture *fx) {
  weir_retry_options options = plain(2, 10);
  options.attempt_timeout_ms = 50;
  options.name = "payments";
  struct script *fetch = scripted(fx, "f1 hang");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(run)->message, "payments attempt timed out after 50 ms");
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
}

static void an_attempt_that_is_fast_enough_leaves_no_timer(struct fixture *fx) {
  weir_retry_options options = plain(2, 10);
  options.attempt_timeout_ms = 50;
  struct script *fetch = scripted(fx, "v1+20");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(armed_timers(fx), 0);
}

static void the_attempts_deadline_is_gone_while_sleeping(struct fixture *fx) {
  weir_retry_options options = plain(3, 500); /* longer than the attempt may take */
  options.attempt_timeout_ms = 50;
  struct script *fetch = scripted(fx, "f1 hang v3");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 2000);
  assert_int_equal(settled(run)->value, 3);
  assert_int_equal(settled(run)->elapsed_ns, 1050 * MS);
}

static void attempt_timeout_0_fires_unless_the_attempt_completes_at_once(struct fixture *fx) {
  weir_retry_options options = plain(2, 10);
  options.attempt_timeout_ms = 0;
  struct script *inside = scripted(fx, "v1");
  struct script *later = scripted(fx, "hang v1");
  struct run *first = begin_retried(fx, &options, inside);
  struct run *second = begin_retried(fx, &options, later);
  advance_ms(fx, 10);
  assert_int_equal(settled(first)->attempts, 1);
  assert_int_equal(settled(second)->attempts, 2);
  assert_int_equal(settled(second)->value, 1);
}

/* ---- nesting, many at once ---- */

static void R10_nested_retries_multiply_attempts_exactly(struct fixture *fx) {
  weir_retry_options outer_options = plain(3, 10);
  weir_retry_options inner_options = plain(4, 1);
  weir_retry *outer = make_retry(fx, &outer_options);
  weir_retry *inner = make_retry(fx, &inner_options);
  weir_policy *policies[] = {weir_retry_policy(outer), weir_retry_policy(inner)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct script *fetch = scripted(fx, "f1");
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), fetch->operation);
  advance_ms(fx, 1000);
  assert_int_equal(fetch->started, 12);
  assert_int_equal(settled(run)->attempts, 12);
  assert_int_equal(settled(run)->elapsed_ns, (3 * 3 + 2 * 10) * MS);
  weir_pipeline_unref(pipeline);
  weir_retry_unref(inner);
  weir_retry_unref(outer);
}

enum { CROWD = 1000, BINS = 20 };

struct crowd {
  int64_t begun_ns;
  unsigned bins[BINS];
};

static void note_second_try(struct script *script, const weir_attempt *attempt) {
  struct crowd *crowd = script->user;
  if (attempt->number != 2) return;
  int64_t waited_ns = now_ns(script->fixture) - crowd->begun_ns;
  unsigned bin = (unsigned)(waited_ns * BINS / SECOND);
  crowd->bins[bin < BINS ? bin : BINS - 1]++;
}

static void R13_a_thousand_calls_that_fail_at_once_spread_over_the_interval(struct fixture *fx) {
  struct crowd crowd = {.begun_ns = now_ns(fx)};
  weir_retry_options options = plain(2, 1000);
  options.jitter = WEIR_JITTER_FULL;
  weir_retry *retry = make_retry(fx, &options);
  struct script *fetch = scripted(fx, "f1");
  fetch->on_start = note_second_try;
  fetch->user = &crowd;
  for (int i = 0; i < CROWD; i++) begin_under(fx, weir_retry_policy(retry), fetch->operation);
  weir_retry_unref(retry);
  advance_ms(fx, 1001);
  double chi_square = 0;
  unsigned total = 0;
  for (int i = 0; i < BINS; i++) {
    double difference = crowd.bins[i] - (double)CROWD / BINS;
    chi_square += difference * difference / ((double)CROWD / BINS);
    total += crowd.bins[i];
  }
  assert_int_equal(total, CROWD);
  assert_true(chi_square < 43.82); /* 19 degrees of freedom, 0.1 % */
  assert_true(chi_square > 5.41);  /* too even would not be random either */
}

TEST_MAIN("retry", TEST(a_success_is_not_tried_again),
          TEST(failures_are_tried_again_after_their_delay),
          TEST(the_last_real_error_comes_out_when_attempts_are_used_up),
          TEST(max_attempts_of_1_never_tries_again),
          TEST(the_outcome_keeps_the_last_eight_statuses),
          TEST(one_policy_serves_many_runs_and_starts_over_in_each),
          TEST(R04_base_0_makes_no_timer_and_goes_through_the_ready_queue),
          TEST(R04_retries_without_delay_let_other_runs_have_their_turn),
          LONG_TEST(C02_a_million_attempts_that_fail_inline_need_constant_stack),
          TEST(R05_the_delay_an_operation_asks_for_is_honoured),
          TEST(an_endless_delay_waits_for_the_deadline_only),
          TEST(R06_cancelled_before_start_never_starts),
          TEST(R06_cancelled_during_a_try_tells_the_operation),
          TEST(R06_cancelled_while_sleeping_settles_now_and_drops_the_timer),
          TEST(R06_cancelled_while_a_delay_of_0_is_queued),
          TEST(R06_closed_while_sleeping_settles_as_stopped),
          TEST(R12_an_abandoned_try_is_not_tried_again),
          TEST(R12_a_completer_may_say_that_a_try_was_abandoned_or_is_to_be_ignored),
          TEST(R08_max_elapsed_does_not_sleep_past_itself_and_says_so),
          TEST(R08_a_delay_that_ends_exactly_at_max_elapsed_is_slept),
          TEST(R08_no_try_starts_after_max_elapsed_when_the_loop_was_late),
          TEST(R08_max_elapsed_counts_the_time_of_the_tries),
          TEST(R14_a_delay_that_does_not_fit_the_deadline_fails_now),
          TEST(R14_a_delay_that_just_fits_is_slept_and_one_that_ends_with_the_deadline_is_not),
          TEST(R14_a_timeout_outside_counts_as_a_deadline),
          TEST(attempt_timeout_is_a_failure_and_tried_again),
          TEST(the_last_attempts_timeout_comes_out_with_its_message),
          TEST(an_attempt_that_is_fast_enough_leaves_no_timer),
          TEST(the_attempts_deadline_is_gone_while_sleeping),
          TEST(attempt_timeout_0_fires_unless_the_attempt_completes_at_once),
          TEST(R10_nested_retries_multiply_attempts_exactly),
          TEST(R13_a_thousand_calls_that_fail_at_once_spread_over_the_interval))
