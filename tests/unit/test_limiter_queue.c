/* SPDX-License-Identifier: MIT */
/* Runs under a limiter: how many at once, who waits, for how long and in which order. */

#include "limiter_help.h"

static void L01_n_run_q_wait_and_the_rest_are_refused(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 3, 4);
  struct script *work = scripted(fx, "hang");
  struct run *runs[10];
  for (int i = 0; i < 10; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(work->running, 3);
  weir_limiter_stats stats = stats_of(limiter);
  assert_int_equal(stats.concurrent, 3);
  assert_int_equal(stats.limit, 3);
  assert_int_equal(stats.queued, 4);
  assert_int_equal(stats.granted, 3);
  assert_int_equal(stats.refused, 3);
  for (int i = 0; i < 7; ++i) assert_pending(runs[i]);
  for (int i = 7; i < 10; ++i) assert_refused(runs[i], WEIR_EFULL, WEIR_REJECTION_QUEUE_FULL);
  assert_int_equal(settled(runs[7])->rejection.queued, 4);
  assert_int_equal(settled(runs[7])->rejection.limit, 4);
  assert_non_null(strstr(settled(runs[7])->message, "queue is full"));

  for (size_t i = 0; i < 7; ++i) end_attempt(fx, work, i);
  assert_int_equal(work->started, 7);
  assert_int_equal(work->max_running, 3);
  for (int i = 0; i < 7; ++i) assert_int_equal(settled(runs[i])->status, WEIR_OK);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  assert_int_equal(stats_of(limiter).granted, 7);
  weir_limiter_unref(limiter);
}

static void L01_max_queue_0_refuses_at_once_as_limited(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 0);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  struct run *second = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_refused(second, WEIR_ELIMITED, WEIR_REJECTION_CONCURRENCY);
  assert_int_equal(settled(second)->retry_after_ms, -1);
  assert_int_equal(settled(second)->rejection.limit, 1);
  assert_int_equal(settled(second)->rejection.available, 0);
  weir_limiter_unref(limiter);
}

static void L01_an_unlimited_queue_takes_all(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, WEIR_UNLIMITED);
  struct script *work = scripted(fx, "v1");
  assert_int_equal(weir_limiter_pause(limiter), WEIR_OK);
  for (int i = 0; i < 2000; ++i) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(stats_of(limiter).queued, 2000);
  assert_int_equal(weir_limiter_resume(limiter), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(work->started, 2000);
  weir_limiter_unref(limiter);
}

static void L02_a_waiting_call_is_cancelled_while_the_holders_hang(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 2);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  struct run *first = begin_limited(fx, limiter, work, NULL);
  struct run *second = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_pending(second);
  assert_int_equal(stats_of(limiter).queued, 1);

  struct run *third = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_pending(third);
  end_attempt(fx, work, 0);
  end_attempt(fx, work, 1);
  assert_int_equal(settled(second)->status, WEIR_OK);
  end_attempt(fx, work, 2);
  assert_int_equal(settled(third)->status, WEIR_OK);
  assert_int_equal(work->started, 3);
  weir_limiter_unref(limiter);
}

static void L02_a_heavy_waiter_that_leaves_lets_a_light_one_through(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 3, 10);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.permits = 3;
  struct run *heavy = begin_limited(fx, limiter, work, &options);
  begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(work->started, 1);
  assert_int_equal(weir_call_cancel(heavy->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(work->started, 2);
  weir_limiter_unref(limiter);
}

/* The holder ends and the waiter is cancelled before the engine comes to either. */
static void L03_grant_and_cancel_in_one_turn_are_accounted_once(struct fixture *fx) {
  for (int order = 0; order < 2; ++order) {
    weir_limiter *limiter = make_concurrent(fx, 1, 5);
    struct script *work = scripted(fx, "hang");
    begin_limited(fx, limiter, work, NULL);
    struct run *waiter = begin_limited(fx, limiter, work, NULL);
    struct run *next = begin_limited(fx, limiter, work, NULL);
    run_until_idle(fx);
    if (order == 0) assert_int_equal(weir_call_cancel(waiter->call), WEIR_OK);
    assert_int_equal(finish(work, 0, "v1"), WEIR_OK);
    if (order == 1) assert_int_equal(weir_call_cancel(waiter->call), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(settled(waiter)->status, WEIR_ECANCELLED);
    assert_int_equal(work->started, 2);
    assert_int_equal(stats_of(limiter).concurrent, 1);
    end_attempt(fx, work, 1);
    assert_int_equal(settled(next)->status, WEIR_OK);
    assert_int_equal(stats_of(limiter).concurrent, 0);
    weir_limiter_unref(limiter);
  }
}

struct granting {
  struct script *work;
  struct run *victim;
  weir_status completed;
  weir_status cancelled;
};

static void complete_then_cancel(struct run *run) {
  struct granting *granting = run->user;
  granting->completed = finish(granting->work, 0, "v1");
  granting->cancelled = weir_call_cancel(granting->victim->call);
}

/* Inside a turn the completion comes first: the waiter has its permit, and the rate's, but has not
 * started when the cancel comes. */
static void L03_a_granted_waiter_that_is_cancelled_gives_all_back(struct fixture *fx) {
  static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_SLIDING_WINDOW};
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter_options options = rate_options(algorithms[a], 10, 60000);
    options.max_concurrent = 1;
    weir_limiter *limiter = make_limiter(fx, &options);
    struct script *work = scripted(fx, "hang");
    struct script *at_once = scripted(fx, "n");
    begin_limited(fx, limiter, work, NULL);
    static struct granting granting;
    granting.work = work;
    granting.victim = begin_limited(fx, limiter, work, NULL);
    struct run *next = begin_limited(fx, limiter, work, NULL);
    run_until_idle(fx);
    assert_int_equal(stats_of(limiter).available, 9);

    struct run *trigger = begin(fx, at_once->operation, NULL);
    trigger->user = &granting;
    trigger->on_settled = complete_then_cancel;
    run_until_idle(fx);
    assert_int_equal(granting.completed, WEIR_OK);
    assert_int_equal(granting.cancelled, WEIR_OK);
    assert_int_equal(settled(granting.victim)->status, WEIR_ECANCELLED);
    /* The victim never ran and cost nothing; the next one took its place. */
    assert_int_equal(work->started, 2);
    assert_pending(next);
    assert_int_equal(stats_of(limiter).concurrent, 1);
    assert_int_equal(stats_of(limiter).available, 8);
    assert_int_equal(stats_of(limiter).queued, 0);
    end_attempt(fx, work, 1);
    assert_int_equal(stats_of(limiter).concurrent, 0);
    weir_limiter_unref(limiter);
  }
}

static void L04_a_waiter_past_its_queue_timeout_never_runs(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.queue_timeout_ms = 100;
  options.name = "api";
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  struct run *first = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  advance_ms(fx, 60);
  struct run *second = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  advance_ns(fx, 40 * MS - 1);
  assert_pending(first);
  advance_ns(fx, 1);
  assert_refused(first, WEIR_ELIMITED, WEIR_REJECTION_QUEUE_TIMEOUT);
  assert_string_equal(settled(first)->message, "limiter 'api' refuses");
  assert_string_equal(settled(first)->rejection.name, "api");
  assert_pending(second);
  assert_int_equal(stats_of(limiter).timed_out, 1);
  assert_int_equal(stats_of(limiter).refused, 1);
  end_attempt(fx, work, 0);
  assert_int_equal(work->started, 2);
  end_attempt(fx, work, 1);
  assert_int_equal(settled(second)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

/* The engine is busy elsewhere past the timeout; then the permit comes and the timer is due. */
static void L04_a_late_turn_does_not_run_who_waited_too_long(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.queue_timeout_ms = 100;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  struct run *late = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  int64_t at = now_ns(fx);
  options.queue_timeout_ms = 1000;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  struct run *patient = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(finish(work, 0, "v1"), WEIR_OK);
  weir_runtime_process(fx->runtime, at + 101 * MS);
  run_until_idle(fx);
  assert_refused(late, WEIR_ELIMITED, WEIR_REJECTION_QUEUE_TIMEOUT);
  assert_int_equal(work->started, 2);
  end_attempt(fx, work, 1);
  assert_int_equal(settled(patient)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void L04_its_turn_at_the_very_end_of_the_timeout_is_taken(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1, 100);
  options.queue_timeout_ms = 100;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "v1");
  struct run *runs[3];
  for (int i = 0; i < 3; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
  advance_ms(fx, 1000);
  assert_int_equal(settled(runs[0])->status, WEIR_OK);
  assert_int_equal(settled(runs[1])->status, WEIR_OK);
  assert_int_equal(settled(runs[1])->elapsed_ns, 100 * MS);
  assert_refused(runs[2], WEIR_ELIMITED, WEIR_REJECTION_QUEUE_TIMEOUT);
  assert_int_equal(settled(runs[2])->elapsed_ns, 100 * MS);
  assert_int_equal(settled(runs[2])->retry_after_ms, 100);
  weir_limiter_unref(limiter);
}

static void waiting_runs_start_exactly_at_the_rate(struct fixture *fx) {
  static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_FIXED_WINDOW};
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], 3, 1000);
    struct script *work = scripted(fx, "v1");
    struct run *runs[12];
    for (int i = 0; i < 12; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
    advance_ms(fx, 10000);
    for (int i = 0; i < 12; ++i) {
      int64_t turn = a == 0 ? (i < 3 ? 0 : ((i - 2) * SECOND + 2) / 3) : i / 3 * SECOND;
      assert_int_equal(settled(runs[i])->elapsed_ns, turn);
    }
    weir_limiter_unref(limiter);
  }
}

static void a_heavy_waiter_is_not_overtaken_by_light_ones(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  struct script *work = scripted(fx, "v1");
  weir_run_options heavy = WEIR_RUN_OPTIONS_INIT;
  heavy.permits = 8;
  struct run *first = begin_limited(fx, limiter, work, &heavy);
  struct run *second = begin_limited(fx, limiter, work, &heavy);
  struct run *light = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  settled(first);
  assert_pending(light);
  advance_ms(fx, 1000);
  assert_int_equal(settled(second)->elapsed_ns, 600 * MS);
  assert_int_equal(settled(light)->elapsed_ns, 700 * MS);
  weir_limiter_unref(limiter);
}

static void more_than_can_ever_be_given_is_refused_at_once(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 3, 10);
  struct script *work = scripted(fx, "hang");
  weir_run_options heavy = WEIR_RUN_OPTIONS_INIT;
  heavy.permits = 4;
  struct run *alone = begin_limited(fx, limiter, work, &heavy);
  run_until_idle(fx);
  assert_refused(alone, WEIR_ELIMITED, WEIR_REJECTION_WEIGHT);
  assert_int_equal(settled(alone)->retry_after_ms, -1);
  heavy.permits = 3;
  begin_limited(fx, limiter, work, &heavy);
  struct run *waiting = begin_limited(fx, limiter, work, &heavy);
  heavy.permits = INT32_MAX;
  struct run *behind = begin_limited(fx, limiter, work, &heavy);
  run_until_idle(fx);
  assert_pending(waiting);
  assert_refused(behind, WEIR_ELIMITED, WEIR_REJECTION_WEIGHT);
  assert_int_equal(stats_of(limiter).concurrent, 3);

  /* The limit shrinks below what a waiter asks for: it can never pass. */
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 2;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_refused(waiting, WEIR_ELIMITED, WEIR_REJECTION_WEIGHT);
  assert_int_equal(stats_of(limiter).concurrent, 3);
  end_attempt(fx, work, 0);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

static void L10_raising_the_limit_starts_waiting_calls_in_order(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 100);
  struct script *work = scripted(fx, "hang");
  struct run *runs[6];
  for (int i = 0; i < 6; ++i) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.context = (void *)(intptr_t)(i + 1);
    runs[i] = begin_limited(fx, limiter, work, &options);
  }
  run_until_idle(fx);
  assert_int_equal(work->started, 1);
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 4;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  assert_int_equal(work->started, 1);
  run_until_idle(fx);
  assert_int_equal(work->started, 4);
  options.max_concurrent = WEIR_UNLIMITED;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(work->started, 6);
  for (size_t i = 0; i < 6; ++i) {
    assert_int_equal((intptr_t)work->attempts[i].context, i + 1);
    end_attempt(fx, work, i);
    assert_int_equal(settled(runs[i])->status, WEIR_OK);
  }
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

static void L10_raising_the_rate_reschedules_who_waits(struct fixture *fx) {
  static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_FIXED_WINDOW,
                                        WEIR_LIMITER_SLIDING_WINDOW};
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter_options options = rate_options(algorithms[a], 1, 3600000);
    weir_limiter *limiter = make_limiter(fx, &options);
    struct script *work = scripted(fx, "v1");
    struct run *runs[4];
    for (int i = 0; i < 4; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
    advance_ms(fx, 1000);
    assert_int_equal(work->started, 1);
    options.permits = 3;
    assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(work->started, 3);
    options.interval_ms = 1000;
    assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    advance_ms(fx, 1100);
    assert_int_equal(settled(runs[3])->status, WEIR_OK);
    weir_limiter_unref(limiter);
  }
}

static void L10_a_refund_lets_a_waiter_through(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 2, 3600000);
  struct script *work = scripted(fx, "v1");
  struct run *runs[4];
  for (int i = 0; i < 4; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(work->started, 2);
  assert_int_equal(weir_limiter_refund(limiter, 1), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(runs[2])->status, WEIR_OK);
  assert_pending(runs[3]);
  weir_limiter_unref(limiter);
}

static void L10_shrinking_never_blocks(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 4, 10);
  struct script *work = scripted(fx, "hang");
  for (int i = 0; i < 5; ++i) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 2;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(stats_of(limiter).concurrent, 4);
  end_attempt(fx, work, 0);
  end_attempt(fx, work, 1);
  assert_int_equal(work->started, 4);
  end_attempt(fx, work, 2);
  assert_int_equal(work->started, 5);
  weir_limiter_unref(limiter);
}

static void L19_who_has_left_is_not_waited_for(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 1, 1000);
  struct script *work = scripted(fx, "v1");
  struct run *runs[4];
  for (int i = 0; i < 4; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(runs[2]->call), WEIR_OK);
  run_until_idle(fx);
  /* what comes now has its turn after three seconds, not four */
  weir_rejection rejection = rejected_at(limiter, 1, now_ns(fx));
  assert_int_equal(rejection.reason, WEIR_REJECTION_WAITERS);
  assert_int_equal(rejection.retry_after_ns, 3 * SECOND);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 3500;
  struct run *last = begin_limited(fx, limiter, work, &options);
  advance_ms(fx, 2999);
  assert_pending(last);
  advance_ms(fx, 1);
  assert_int_equal(settled(last)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void L10_who_can_never_pass_any_more_makes_way(struct fixture *fx) {
  weir_limiter_options limits = WEIR_LIMITER_OPTIONS_INIT;
  limits.max_concurrent = 4;
  weir_limiter *limiter = make_limiter(fx, &limits);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.permits = 4;
  struct run *heavy = begin_limited(fx, limiter, work, &options);
  begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(work->started, 1);
  /* when there will never be four again */
  limits.max_concurrent = 3;
  assert_int_equal(weir_limiter_set_options(limiter, &limits, NULL), WEIR_OK);
  run_until_idle(fx);
  /* then who waited for them is refused, and who came behind goes on */
  assert_refused(heavy, WEIR_ELIMITED, WEIR_REJECTION_WEIGHT);
  assert_int_equal(settled(heavy)->rejection.limit, 3);
  assert_int_equal(work->started, 2);
  weir_limiter_unref(limiter);
}

static void L11_priority_order_with_fifo_inside(struct fixture *fx) {
  static const uint32_t priorities[] = {31, 0, 63, 5, 31, 5, 0, 63, 31, 5};
  static const intptr_t expected[] = {1, 6, 3, 5, 9, 0, 4, 8, 2, 7};
  weir_limiter_options limits = WEIR_LIMITER_OPTIONS_INIT;
  limits.max_concurrent = 1;
  limits.queue_order = WEIR_LIMITER_PRIORITY;
  weir_limiter *limiter = make_limiter(fx, &limits);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  for (int i = 0; i < 10; ++i) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.priority = priorities[i];
    options.context = (void *)(intptr_t)i;
    begin_limited(fx, limiter, work, &options);
  }
  run_until_idle(fx);
  for (size_t i = 0; i <= 10; ++i) end_attempt(fx, work, i);
  assert_int_equal(work->started, 11);
  for (size_t i = 0; i < 10; ++i) {
    assert_int_equal((intptr_t)work->attempts[i + 1].context, expected[i]);
  }
  weir_limiter_unref(limiter);
}

static void L11_fifo_does_not_look_at_priorities(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 10);
  struct script *work = scripted(fx, "hang");
  for (int i = 0; i < 6; ++i) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.priority = (uint32_t)(10 - i);
    options.context = (void *)(intptr_t)i;
    begin_limited(fx, limiter, work, &options);
  }
  run_until_idle(fx);
  for (size_t i = 0; i < 6; ++i) {
    assert_int_equal((intptr_t)work->attempts[i].context, i);
    end_attempt(fx, work, i);
  }
  weir_limiter_unref(limiter);
}

/* Cancels at random and checks that priority and order survive any removal. */
static void L11_removals_keep_the_order(struct fixture *fx) {
  enum { RUNS = 120 };
  struct run *runs[RUNS];
  uint32_t priorities[RUNS];
  weir_limiter_options limits = WEIR_LIMITER_OPTIONS_INIT;
  limits.max_concurrent = 1;
  limits.queue_order = WEIR_LIMITER_PRIORITY;
  weir_limiter *limiter = make_limiter(fx, &limits);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  uint64_t random = 11;
  for (intptr_t i = 0; i < RUNS; ++i) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.priority = priorities[i] = (uint32_t)(next_random(&random) % 6) * 12;
    options.context = (void *)i;
    runs[i] = begin_limited(fx, limiter, work, &options);
  }
  run_until_idle(fx);
  size_t left = RUNS;
  for (int i = 0; i < RUNS; ++i) {
    if (next_random(&random) % 2 == 0) continue;
    assert_int_equal(weir_call_cancel(runs[i]->call), WEIR_OK);
    --left;
  }
  run_until_idle(fx);
  assert_int_equal(stats_of(limiter).queued, left);
  for (size_t i = 0; i <= left; ++i) end_attempt(fx, work, i);
  assert_int_equal(work->started, left + 1);
  for (size_t i = 2; i <= left; ++i) {
    intptr_t before = (intptr_t)work->attempts[i - 1].context;
    intptr_t after = (intptr_t)work->attempts[i].context;
    assert_true(priorities[before] < priorities[after] ||
                (priorities[before] == priorities[after] && before < after));
  }
  weir_limiter_unref(limiter);
}

static void L11_100000_waiting_calls(struct fixture *fx) {
  enum { RUNS = 100000 };
  weir_limiter_options limits = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1000, 1000);
  limits.max_queue = WEIR_UNLIMITED;
  limits.queue_order = WEIR_LIMITER_PRIORITY;
  weir_limiter *limiter = make_limiter(fx, &limits);
  struct script *work = scripted(fx, "v1");
  for (uint32_t i = 0; i < RUNS; ++i) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.priority = i % 64;
    options.deadline_ms = 200000;
    begin_limited(fx, limiter, work, &options);
  }
  run_until_idle(fx);
  assert_int_equal(stats_of(limiter).queued, RUNS - 1000);
  advance_ms(fx, 99 * 1000 - 1);
  assert_int_equal(work->started, RUNS - 1);
  advance_ms(fx, 1);
  assert_int_equal(work->started, RUNS);
  weir_limiter_unref(limiter);
}

/* What a granted waiter gives back on its way out lets the next one through at once, not at the
 * turn that the next one would have had after it. */
static void L03_the_rate_that_a_granted_waiter_gives_back_goes_to_the_next(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 1, 10000);
  struct script *work = scripted(fx, "v1");
  begin_limited(fx, limiter, work, NULL);
  struct run *first = begin_limited(fx, limiter, work, NULL);
  struct run *second = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(work->started, 1);
  assert_int_equal(weir_limiter_refund(limiter, 1), WEIR_OK);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(second)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

TEST_MAIN("limiter: queue", TEST(L01_n_run_q_wait_and_the_rest_are_refused),
          TEST(L01_max_queue_0_refuses_at_once_as_limited),
          LONG_TEST(L01_an_unlimited_queue_takes_all),
          TEST(L02_a_waiting_call_is_cancelled_while_the_holders_hang),
          TEST(L02_a_heavy_waiter_that_leaves_lets_a_light_one_through),
          TEST(L03_grant_and_cancel_in_one_turn_are_accounted_once),
          TEST(L03_a_granted_waiter_that_is_cancelled_gives_all_back),
          TEST(L03_the_rate_that_a_granted_waiter_gives_back_goes_to_the_next),
          TEST(L04_a_waiter_past_its_queue_timeout_never_runs),
          TEST(L04_a_late_turn_does_not_run_who_waited_too_long),
          TEST(L04_its_turn_at_the_very_end_of_the_timeout_is_taken),
          TEST(waiting_runs_start_exactly_at_the_rate),
          TEST(a_heavy_waiter_is_not_overtaken_by_light_ones),
          TEST(more_than_can_ever_be_given_is_refused_at_once),
          TEST(L10_raising_the_limit_starts_waiting_calls_in_order),
          TEST(L10_raising_the_rate_reschedules_who_waits),
          TEST(L10_a_refund_lets_a_waiter_through), TEST(L10_shrinking_never_blocks),
          TEST(L10_who_can_never_pass_any_more_makes_way), TEST(L19_who_has_left_is_not_waited_for),
          TEST(L11_priority_order_with_fifo_inside), TEST(L11_fifo_does_not_look_at_priorities),
          LONG_TEST(L11_removals_keep_the_order), LONG_TEST(L11_100000_waiting_calls))
