/* SPDX-License-Identifier: MIT */
/* Polling: when tries begin, what ends it, and with what. */

#include "support.h"

static weir_poll_options poll_options(int64_t interval_ms, int64_t max_attempts) {
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  options.interval_ms = interval_ms;
  options.max_attempts = max_attempts;
  return options;
}

/* Values from 100 on are what is waited for. */
static int32_t is_big(void *data, const weir_outcome *outcome) {
  if (data != NULL) ++*(unsigned *)data;
  return value_number(outcome->value) >= 100;
}

static weir_operation *make_poll(struct fixture *fx, weir_operation *polled,
                                 const weir_poll_options *options) {
  weir_operation *poll = NULL;
  (void)fx;
  assert_int_equal(weir_poll_new(polled, options, &poll, NULL), WEIR_OK);
  return poll;
}

/* The run alone keeps the operation alive. */
static struct run *begin_polling(struct fixture *fx, const weir_poll_options *options,
                                 struct script *script) {
  weir_operation *poll = make_poll(fx, script->operation, options);
  struct run *run = begin(fx, poll, NULL);
  weir_operation_unref(poll);
  return run;
}

static struct run *begin_until_big(struct fixture *fx, int64_t interval_ms, int64_t max_attempts,
                                   struct script *script) {
  weir_poll_options options = poll_options(interval_ms, max_attempts);
  options.until = is_big;
  return begin_polling(fx, &options, script);
}

static uint64_t armed_timers(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  return stats.timers;
}

static void U9_a_job_is_polled_until_it_is_done(struct fixture *fx) {
  struct script *job = scripted(fx, "v1 v2 v100");
  struct run *run = begin_until_big(fx, 2000, 30, job);
  run_until_idle(fx);
  assert_int_equal(job->started, 1); /* the first try at once */
  advance_ms(fx, 1999);
  assert_int_equal(job->started, 1);
  advance_ms(fx, 1);
  assert_int_equal(job->started, 2);
  advance_ms(fx, 2000);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(settled(run)->value, 100);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(settled(run)->elapsed_ns, 4000 * MS);
  for (uint32_t i = 0; i < 3; i++) assert_int_equal(job->attempts[i].number, i + 1);
  assert_int_equal(armed_timers(fx), 0);
}

static void any_value_ends_it_by_default(struct fixture *fx) {
  weir_poll_options options = poll_options(10, WEIR_UNLIMITED);
  struct run *first = begin_polling(fx, &options, scripted(fx, "v1"));
  struct run *none = begin_polling(fx, &options, scripted(fx, "n"));
  struct run *failed_before = begin_polling(fx, &options, scripted(fx, "f1 f2 v3"));
  struct run *judged = begin_polling(fx, &options, scripted(fx, "c7/2 c8/1"));
  advance_ms(fx, 20);
  assert_int_equal(settled(first)->value, 1);
  assert_int_equal(settled(none)->status, WEIR_OK);
  assert_int_equal(settled(failed_before)->value, 3);
  assert_int_equal(settled(failed_before)->attempts, 3);
  assert_int_equal(settled(judged)->value, 8); /* 7 was completed as a failure */
}

static void F14_satisfied_on_the_last_attempt_is_success(struct fixture *fx) {
  struct script *job = scripted(fx, "v1 f503 v100");
  struct run *run = begin_until_big(fx, 10, 3, job);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(settled(run)->value, 100);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NONE);
}

/* Another run that wants its turn between the tries. */
static void F14_interval_0_does_not_starve_the_loop(struct fixture *fx) {
  struct script *job = scripted(fx, "v1");
  struct run *run = begin_until_big(fx, 0, 8000, job);
  int64_t start_ns = now_ns(fx);
  for (int turn = 0; turn < 5; turn++) weir_runtime_process(fx->runtime, start_ns);
  assert_pending(run);
  assert_true(job->started > 5);
  assert_int_equal(armed_timers(fx), 0);
  struct script *other = scripted(fx, "v7");
  struct run *beside = begin(fx, other->operation, NULL);
  weir_runtime_process(fx->runtime, start_ns);
  weir_runtime_process(fx->runtime, start_ns);
  assert_int_equal(settled(beside)->value, 7);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
}

static void F15_the_interval_counts_from_the_completion(struct fixture *fx) {
  struct script *job = scripted(fx, "v1+25 v2+25 v100");
  struct run *run = begin_until_big(fx, 10, WEIR_UNLIMITED, job);
  advance_ms(fx, 34);
  assert_int_equal(job->started, 1);
  advance_ms(fx, 1);
  assert_int_equal(job->started, 2);
  advance_ms(fx, 35);
  assert_int_equal(settled(run)->value, 100);
  assert_int_equal(settled(run)->elapsed_ns, 70 * MS);
  assert_int_equal(job->max_running, 1); /* tries never overlap */
}

/* ---- ends ---- */

static void the_last_value_is_exhausted_and_carried(struct fixture *fx) {
  struct script *job = scripted(fx, "v1 v2 v3");
  struct run *run = begin_until_big(fx, 10, 3, job);
  advance_ms(fx, 20); /* no sleep after the last */
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->error_status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->value, 3);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(armed_timers(fx), 0);
}

static void the_last_error_ends_it_after_values(struct fixture *fx) {
  struct run *run = begin_until_big(fx, 10, 3, scripted(fx, "f1 v2 f3"));
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 3);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_NONE);
}

static void one_attempt_sleeps_never(struct fixture *fx) {
  struct run *run = begin_until_big(fx, INT64_MAX, 1, scripted(fx, "v1"));
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
}

static void a_final_failure_ends_it(struct fixture *fx) {
  struct run *run = begin_until_big(fx, 10, WEIR_UNLIMITED, scripted(fx, "v1 F404"));
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->code, 404);
  assert_int_equal(settled(run)->final, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_FINAL);
}

static void no_try_starts_after_max_elapsed(struct fixture *fx) {
  weir_poll_options options = poll_options(10, WEIR_UNLIMITED);
  options.until = is_big;
  options.max_elapsed_ms = 25;
  struct script *job = scripted(fx, "v1");
  struct run *run = begin_polling(fx, &options, job);
  advance_ms(fx, 20);
  assert_int_equal(job->started, 3); /* at 0, 10 and 20: 30 would be too late */
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ELAPSED);
  assert_int_equal(settled(run)->elapsed_ns, 20 * MS);
}

static void max_elapsed_is_reached_exactly(struct fixture *fx) {
  weir_poll_options options = poll_options(10, WEIR_UNLIMITED);
  options.until = is_big;
  options.max_elapsed_ms = 20;
  struct script *job = scripted(fx, "v1 v2 v100");
  struct run *run = begin_polling(fx, &options, job);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->value, 100);
}

static void a_loop_that_came_too_late_ends_it_with_the_last(struct fixture *fx) {
  weir_poll_options options = poll_options(10, WEIR_UNLIMITED);
  options.until = is_big;
  options.max_elapsed_ms = 15;
  struct script *job = scripted(fx, "v1 v100");
  struct run *run = begin_polling(fx, &options, job);
  run_until_idle(fx);
  weir_runtime_process(fx->runtime, now_ns(fx) + 16 * MS); /* the timer was due at 10 */
  run_until_idle(fx);
  assert_int_equal(job->started, 1);
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ELAPSED);
}

static void a_sleep_that_does_not_fit_the_deadline_is_refused_now(struct fixture *fx) {
  weir_poll_options options = poll_options(10, WEIR_UNLIMITED);
  options.until = is_big;
  struct script *job = scripted(fx, "v1 f2");
  weir_operation *poll = make_poll(fx, job->operation, &options);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.deadline_ms = 15;
  struct run *run = begin(fx, poll, &run_options);
  weir_operation_unref(poll);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->code, 2);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NO_TIME);
  assert_int_equal(settled(run)->elapsed_ns, 10 * MS);
  assert_int_equal(job->attempts[1].remaining_ns, 5 * MS);
}

/* ---- around it and inside ---- */

static void refusals_are_tolerated(struct fixture *fx) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.failure_threshold = 1;
  options.reset_timeout_ms = 25;
  options.half_open_success_threshold = 1;
  weir_breaker *breaker = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  struct script *job = scripted(fx, "f1 v100");
  weir_operation *guarded = NULL;
  assert_int_equal(weir_policy_wrap(weir_breaker_policy(breaker), job->operation, &guarded, NULL),
                   WEIR_OK);
  weir_breaker_unref(breaker);
  weir_poll_options polled = poll_options(10, WEIR_UNLIMITED);
  weir_operation *poll = make_poll(fx, guarded, &polled);
  weir_operation_unref(guarded);
  struct run *run = begin(fx, poll, NULL);
  weir_operation_unref(poll);
  advance_ms(fx, 30); /* refused at 10 and 20 */
  assert_int_equal(settled(run)->value, 100);
  assert_int_equal(settled(run)->attempts, 2);
}

static void a_timeout_inside_is_tolerated_one_outside_ends_it(struct fixture *fx) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 5;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  struct script *job = scripted(fx, "hang v100");
  weir_operation *limited = NULL;
  assert_int_equal(weir_policy_wrap(weir_timeout_policy(timeout), job->operation, &limited, NULL),
                   WEIR_OK);
  weir_poll_options polled = poll_options(10, WEIR_UNLIMITED);
  weir_operation *poll = make_poll(fx, limited, &polled);
  weir_operation_unref(limited);
  struct run *run = begin(fx, poll, NULL);
  struct script *slow = scripted(fx, "f1+4 hang");
  weir_operation *slow_poll = make_poll(fx, slow->operation, &polled);
  struct run *cut_off = begin_under(fx, weir_timeout_policy(timeout), slow_poll);
  weir_operation_unref(slow_poll);
  weir_operation_unref(poll);
  weir_timeout_unref(timeout);
  advance_ms(fx, 4); /* the next try would be at 14 */
  assert_int_equal(settled(cut_off)->code, 1);
  assert_int_equal(settled(cut_off)->stop_reason, WEIR_STOP_NO_TIME);
  advance_ms(fx, 11);
  assert_int_equal(settled(run)->value, 100);
  assert_int_equal(settled(run)->statuses[0], WEIR_ETIMEDOUT);
}

static void a_poll_may_be_polled_and_retried(struct fixture *fx) {
  weir_poll_options inner_options = poll_options(1, 2);
  inner_options.until = is_big;
  struct script *job = scripted(fx, "v1 v2 v3 v100");
  weir_operation *inner = make_poll(fx, job->operation, &inner_options);
  weir_poll_options outer_options = poll_options(10, 3);
  weir_operation *outer = make_poll(fx, inner, &outer_options);
  weir_operation_unref(inner);
  struct run *run = begin(fx, outer, NULL);
  weir_operation_unref(outer);
  advance_ms(fx, 12);
  assert_int_equal(settled(run)->value, 100);
  assert_int_equal(settled(run)->attempts, 4);
}

static void a_try_without_memory_ends_it_with_the_last(struct fixture *fx) {
  struct run *run = begin_until_big(fx, 10, WEIR_UNLIMITED, scripted(fx, "f1 f2 v100"));
  advance_ms(fx, 10);
  assert_pending(run);
  /* given no slot for the next attempt, and no memory for more slots */
  struct script *endless = scripted(fx, "hang");
  for (int i = 0; i < 64; i++) begin(fx, endless->operation, NULL);
  run_until_idle(fx);
  memory_fail(&fx->memory, 1, 1);
  advance_ms(fx, 10);
  memory_fail(&fx->memory, 0, 0);
  assert_int_equal(settled(run)->code, 2);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NO_MEMORY);
  assert_int_equal(settled(run)->attempts, 2);
}

static void one_poll_serves_many_runs(struct fixture *fx) {
  weir_poll_options options = poll_options(10, WEIR_UNLIMITED);
  struct script *job = scripted(fx, "f1 f2 f3 v4");
  weir_operation *poll = make_poll(fx, job->operation, &options);
  struct run *runs[3];
  for (int i = 0; i < 3; i++) runs[i] = begin(fx, poll, NULL);
  weir_operation_unref(poll);
  advance_ms(fx, 10);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(settled(runs[i])->value, 4);
    assert_int_equal(settled(runs[i])->attempts, 2);
  }
}

static void cancelled_in_a_try_and_between_tries(struct fixture *fx) {
  struct script *job = scripted(fx, "hang");
  struct run *trying = begin_until_big(fx, 10, WEIR_UNLIMITED, job);
  struct run *sleeping = begin_until_big(fx, 10, WEIR_UNLIMITED, scripted(fx, "v1"));
  advance_ms(fx, 5);
  assert_int_equal(weir_call_cancel(trying->call), WEIR_OK);
  assert_int_equal(weir_call_cancel(sleeping->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(trying)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(sleeping)->status, WEIR_ECANCELLED);
  assert_int_equal(job->attempts[0].cancel_reason, WEIR_CANCEL_CALLER);
  assert_int_equal(armed_timers(fx), 0);
}

static void closing_ends_a_sleeping_poll(struct fixture *fx) {
  struct run *run = begin_until_big(fx, 1000, WEIR_UNLIMITED, scripted(fx, "v1"));
  run_until_idle(fx);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
}

static void the_audit_says_that_it_sleeps(struct fixture *fx) {
  weir_poll_options options = poll_options(1000, WEIR_UNLIMITED);
  options.name = "job 7";
  struct run *run = begin_polling(fx, &options, scripted(fx, "f1"));
  advance_ms(fx, 1);
  weir_audit_entry entry;
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, sizeof entry, 1, &count), WEIR_OK);
  assert_int_equal(count, 1);
  assert_string_equal(entry.waits_for, "poll 'job 7': the interval after try 1");
  assert_pending(run);
}

static unsigned freed;

static void the_condition_is_asked_for_values_only_and_freed_once(struct fixture *fx) {
  static unsigned asked;
  asked = 0;
  freed = 0;
  weir_poll_options options = poll_options(10, WEIR_UNLIMITED);
  options.until = is_big;
  options.until_data = &asked;
  struct run *run = begin_polling(fx, &options, scripted(fx, "f1 v2 v100"));
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->value, 100);
  assert_int_equal(asked, 2);
  options.until_data = &freed;
  options.until_free_data = count_free;
  options.interval_ms = -1;
  weir_operation *poll = NULL;
  assert_int_equal(weir_poll_new(scripted(fx, "v1")->operation, &options, &poll, NULL),
                   WEIR_EINVAL);
  assert_null(poll);
  assert_int_equal(freed, 1);
}

TEST_MAIN("poll", TEST(U9_a_job_is_polled_until_it_is_done), TEST(any_value_ends_it_by_default),
          TEST(F14_satisfied_on_the_last_attempt_is_success),
          TEST(F14_interval_0_does_not_starve_the_loop),
          TEST(F15_the_interval_counts_from_the_completion),
          TEST(the_last_value_is_exhausted_and_carried), TEST(the_last_error_ends_it_after_values),
          TEST(one_attempt_sleeps_never), TEST(a_final_failure_ends_it),
          TEST(no_try_starts_after_max_elapsed), TEST(max_elapsed_is_reached_exactly),
          TEST(a_loop_that_came_too_late_ends_it_with_the_last),
          TEST(a_sleep_that_does_not_fit_the_deadline_is_refused_now), TEST(refusals_are_tolerated),
          TEST(a_timeout_inside_is_tolerated_one_outside_ends_it),
          TEST(a_poll_may_be_polled_and_retried), TEST(a_try_without_memory_ends_it_with_the_last),
          TEST(one_poll_serves_many_runs), TEST(cancelled_in_a_try_and_between_tries),
          TEST(closing_ends_a_sleeping_poll), TEST(the_audit_says_that_it_sleeps),
          TEST(the_condition_is_asked_for_values_only_and_freed_once))
