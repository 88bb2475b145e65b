/* SPDX-License-Identifier: MIT */
/* Permits of runs: who holds them and until when; pause, nesting, deadlines, and both doors at
 * once. */

#include "limiter_help.h"

static weir_timeout *make_timeout(struct fixture *fx, int64_t timeout_ms) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = timeout_ms;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  return timeout;
}

static weir_operation *wrapped(weir_policy *policy, weir_operation *operation) {
  weir_operation *out = NULL;
  assert_int_equal(weir_policy_wrap(policy, operation, &out, NULL), WEIR_OK);
  return out;
}

static void L14_work_that_outlives_its_timeout_keeps_its_permit(struct fixture *fx) {
  /* The timeout inside the limiter, and outside of it. */
  for (int inside = 0; inside < 2; ++inside) {
    weir_limiter *limiter = make_concurrent(fx, 2, 10);
    weir_timeout *timeout = make_timeout(fx, 50);
    struct script *work = scripted(fx, "hang");
    weir_policy *policies[] = {weir_timeout_policy(timeout), weir_limiter_policy(limiter)};
    weir_operation *inner = wrapped(policies[1 - inside], work->operation);
    weir_operation *outer = wrapped(policies[inside], inner);
    struct run *first = begin(fx, outer, NULL);
    struct run *second = begin(fx, outer, NULL);
    advance_ms(fx, 50);
    assert_int_equal(settled(first)->status, WEIR_ETIMEDOUT);
    assert_int_equal(settled(second)->status, WEIR_ETIMEDOUT);
    assert_int_equal(work->running, 2);
    assert_int_equal(stats_of(limiter).concurrent, 2);

    struct run *third = begin_limited(fx, limiter, work, NULL);
    run_until_idle(fx);
    assert_int_equal(work->started, 2);
    end_attempt(fx, work, 1);
    assert_int_equal(work->started, 3);
    assert_int_equal(work->max_running, 2);
    assert_int_equal(stats_of(limiter).concurrent, 2);
    end_attempt(fx, work, 0);
    end_attempt(fx, work, 2);
    assert_int_equal(settled(third)->status, WEIR_OK);
    assert_int_equal(stats_of(limiter).concurrent, 0);
    weir_operation_unref(outer);
    weir_operation_unref(inner);
    weir_timeout_unref(timeout);
    weir_limiter_unref(limiter);
  }
}

static void L14_early_release_returns_the_permit_when_told_to_stop(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.early_release = 1;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  struct run *first = begin_limited(fx, limiter, work, NULL);
  struct run *second = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(work->running, 2);
  assert_int_equal(stats_of(limiter).concurrent, 1);
  end_attempt(fx, work, 0);
  assert_int_equal(stats_of(limiter).concurrent, 1);
  end_attempt(fx, work, 1);
  assert_int_equal(settled(second)->status, WEIR_OK);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

static void L14_the_limiter_lives_as_long_as_its_permits(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 10);
  struct script *work = scripted(fx, "hang");
  struct run *first = begin_limited(fx, limiter, work, NULL);
  struct run *second = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  weir_limiter_unref(limiter);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_pending(second);
  end_attempt(fx, work, 0);
  end_attempt(fx, work, 1);
  assert_int_equal(settled(second)->status, WEIR_OK);
}

static void L14_a_failed_obligation_gives_the_permit_back(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 10);
  struct script *work = scripted(fx, "v1");
  struct run *run = begin_limited(fx, limiter, work, NULL);
  memory_fail(&fx->memory, 1, 1);
  run_until_idle(fx);
  memory_fail(&fx->memory, 0, 0);
  assert_true(settled(run)->status == WEIR_ENOMEM || settled(run)->status == WEIR_OK);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  run = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void L16_paused_nothing_passes_and_runs_wait(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  struct script *work = scripted(fx, "v1");
  assert_int_equal(weir_limiter_pause(limiter), WEIR_OK);
  assert_int_equal(stats_of(limiter).paused, 1);
  weir_rejection rejection = rejected_at(limiter, 1, now_ns(fx));
  assert_int_equal(rejection.reason, WEIR_REJECTION_PAUSED);
  assert_int_equal(rejection.retry_after_ns, -1);
  assert_int_equal(weir_limiter_available(limiter), 0);
  size_t granted = 9;
  assert_int_equal(weir_limiter_acquire_n(limiter, 3, &granted, NULL), WEIR_ELIMITED);
  int64_t wait = 0;
  assert_int_equal(weir_limiter_reserve(limiter, 1, &wait, NULL), WEIR_ELIMITED);
  struct run *runs[3];
  for (int i = 0; i < 3; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
  advance_ms(fx, 100000);
  for (int i = 0; i < 3; ++i) assert_pending(runs[i]);

  weir_limiter_options none = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  none.max_queue = 0;
  assert_int_equal(weir_limiter_set_options(limiter, &none, NULL), WEIR_OK);
  struct run *refused = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  settled(refused);
  assert_int_equal(weir_limiter_resume(limiter), WEIR_OK);
  run_until_idle(fx);
  for (int i = 0; i < 3; ++i) assert_int_equal(settled(runs[i])->order, i + 2);
  assert_int_equal(stats_of(limiter).paused, 0);
  weir_limiter_unref(limiter);
}

static void L16_a_paused_limiter_still_takes_permits_back(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 10);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  struct run *waiting = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_limiter_pause(limiter), WEIR_OK);
  end_attempt(fx, work, 0);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  assert_pending(waiting);
  assert_int_equal(weir_limiter_resume(limiter), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(work->started, 2);
  weir_limiter_unref(limiter);
}

/* Limiter within itself: the inner waits for what the outer holds. */
static void L17_nested_use_settles_by_queue_timeout_deadline_or_full(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.queue_timeout_ms = 300;
  options.name = "twice";
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "v1");
  weir_operation *once = wrapped(weir_limiter_policy(limiter), work->operation);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.policy = weir_limiter_policy(limiter);
  struct run *by_timeout = begin(fx, once, &run_options);
  run_until_idle(fx);
  weir_audit_entry entry = {0};
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, sizeof(entry), 1, &count), WEIR_OK);
  assert_int_equal(count, 1);
  assert_string_equal(entry.waits_for, "limiter 'twice': a permit (it holds one itself)");
  advance_ms(fx, 300);
  assert_refused(by_timeout, WEIR_ELIMITED, WEIR_REJECTION_QUEUE_TIMEOUT);

  run_options.deadline_ms = 100;
  struct run *by_deadline = begin(fx, once, &run_options);
  advance_ms(fx, 100);
  assert_int_equal(settled(by_deadline)->status, WEIR_ETIMEDOUT);

  options.max_queue = 1;
  assert_int_equal(weir_limiter_set_options(limiter, &(weir_limiter_options){0}, NULL), WEIR_EABI);
  weir_limiter_options unnamed = options;
  unnamed.name = NULL;
  assert_int_equal(weir_limiter_set_options(limiter, &unnamed, NULL), WEIR_OK);
  run_options.deadline_ms = WEIR_FOREVER;
  struct run *waits = begin(fx, once, &run_options);
  struct run *waiting = begin(fx, once, &run_options);
  run_until_idle(fx);
  assert_refused(waiting, WEIR_EFULL, WEIR_REJECTION_QUEUE_FULL);
  advance_ms(fx, 300);
  assert_refused(waits, WEIR_ELIMITED, WEIR_REJECTION_QUEUE_TIMEOUT);
  assert_int_equal(work->started, 0);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_operation_unref(once);
  weir_limiter_unref(limiter);
}

static void L19_a_turn_after_the_deadline_is_refused_now(struct fixture *fx) {
  static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_FIXED_WINDOW,
                                        WEIR_LIMITER_SLIDING_WINDOW};
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter_options options = rate_options(algorithms[a], 2, 1000);
    weir_limiter *limiter = make_limiter(fx, &options);
    struct script *work = scripted(fx, "v1");
    struct run *runs[8];
    weir_run_options patient = WEIR_RUN_OPTIONS_INIT;
    for (int i = 0; i < 4; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
    /* Two wait already; the turn of the next is after the first second at least. */
    patient.deadline_ms = 999;
    runs[4] = begin_limited(fx, limiter, work, &patient);
    run_until_idle(fx);
    assert_refused(runs[4], WEIR_ELIMITED, WEIR_REJECTION_NO_TIME);
    assert_int_equal(settled(runs[4])->elapsed_ns, 0);
    assert_true(settled(runs[4])->rejection.retry_after_ns > 999 * MS);
    assert_true(settled(runs[4])->retry_after_ms >= 1000);
    if (a == 0) {
      assert_int_equal(settled(runs[4])->rejection.retry_after_ns, 1500 * MS);
      patient.deadline_ms = 1500;
      runs[5] = begin_limited(fx, limiter, work, &patient);
      patient.deadline_ms = 1999;
      runs[6] = begin_limited(fx, limiter, work, &patient);
      run_until_idle(fx);
      assert_refused(runs[6], WEIR_ELIMITED, WEIR_REJECTION_NO_TIME);
      advance_ms(fx, 1500);
      /* At the moment of its deadline either is right, and nothing hangs. */
      settled(runs[5]);
    }
    advance_ms(fx, 5000);
    for (int i = 0; i < 4; ++i) assert_int_equal(settled(runs[i])->status, WEIR_OK);
    weir_limiter_unref(limiter);
  }
}

static void L19_who_has_left_the_queue_delays_nobody(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 1, 1000);
  struct script *work = scripted(fx, "v1");
  struct run *runs[4];
  for (int i = 0; i < 4; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(runs[1]->call), WEIR_OK);
  run_until_idle(fx);
  /* Two still wait, for the turns at 1 s and 2 s: the next one's is at 3 s. */
  weir_run_options patient = WEIR_RUN_OPTIONS_INIT;
  patient.deadline_ms = 2999;
  struct run *late = begin_limited(fx, limiter, work, &patient);
  patient.deadline_ms = 3000;
  struct run *in_time = begin_limited(fx, limiter, work, &patient);
  run_until_idle(fx);
  assert_refused(late, WEIR_ELIMITED, WEIR_REJECTION_NO_TIME);
  assert_int_equal(settled(late)->rejection.retry_after_ns, 3 * SECOND);
  assert_pending(in_time);
  advance_ms(fx, 3000);
  assert_int_equal(settled(in_time)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void L19_priority_counts_only_who_is_before(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1, 1000);
  options.queue_order = WEIR_LIMITER_PRIORITY;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "v1");
  weir_run_options low = WEIR_RUN_OPTIONS_INIT;
  low.priority = 50;
  for (int i = 0; i < 5; ++i) begin_limited(fx, limiter, work, &low);
  weir_run_options high = WEIR_RUN_OPTIONS_INIT;
  high.priority = 3;
  high.deadline_ms = 1500;
  low.deadline_ms = 1500;
  struct run *first = begin_limited(fx, limiter, work, &high);
  struct run *last = begin_limited(fx, limiter, work, &low);
  run_until_idle(fx);
  assert_pending(first);
  assert_refused(last, WEIR_ELIMITED, WEIR_REJECTION_NO_TIME);
  advance_ms(fx, 1000);
  assert_int_equal(settled(first)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void L20_while_runs_wait_decide_is_refused(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 10);
  struct script *work = scripted(fx, "hang");
  weir_permit permit = 0;
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, &permit, NULL), WEIR_OK);
  assert_true(permit != 0);
  struct run *waiting = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_pending(waiting);

  /* The permit is free, but it is the waiter's. */
  assert_int_equal(weir_limiter_release(limiter, permit), WEIR_OK);
  weir_rejection rejection = rejected_at(limiter, 1, now_ns(fx));
  assert_int_equal(rejection.reason, WEIR_REJECTION_WAITERS);
  assert_int_equal(rejection.queued, 1);
  assert_int_equal(weir_limiter_available(limiter), 0);
  assert_int_equal(work->started, 0);
  run_until_idle(fx);
  assert_int_equal(work->started, 1);
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).reason, WEIR_REJECTION_CONCURRENCY);
  end_attempt(fx, work, 0);
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_release(limiter, permit), WEIR_OK);
  weir_limiter_unref(limiter);
}

static void L20_of_a_rate_too(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 1, 1000);
  struct script *work = scripted(fx, "v1");
  for (int i = 0; i < 3; ++i) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  weir_rejection rejection = rejected_at(limiter, 1, now_ns(fx));
  assert_int_equal(rejection.reason, WEIR_REJECTION_WAITERS);
  assert_int_equal(rejection.retry_after_ns, 3 * SECOND);
  /* A permit there would be, but it is not a caller's from the side. */
  assert_int_equal(weir_limiter_try_acquire_at(limiter, 1, NULL, NULL, now_ns(fx) + SECOND),
                   WEIR_ELIMITED);
  advance_ms(fx, 2000);
  assert_int_equal(work->started, 3);
  assert_true(passes(limiter, 1, now_ns(fx) + SECOND));
  weir_limiter_unref(limiter);
}

static void a_permit_is_given_back_once(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 5, 10);
  weir_permit permit = 0;
  assert_int_equal(weir_limiter_available(limiter), 5);
  assert_int_equal(weir_limiter_try_acquire(limiter, 3, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_available(limiter), 2);
  weir_rejection rejection = rejected_at(limiter, 3, now_ns(fx));
  assert_int_equal(rejection.reason, WEIR_REJECTION_CONCURRENCY);
  assert_int_equal(rejection.available, 2);
  assert_int_equal(rejection.limit, 5);
  assert_int_equal(rejection.retry_after_ns, -1);
  assert_int_equal(weir_limiter_try_acquire(limiter, 6, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_release(limiter, permit), WEIR_OK);
  assert_int_equal(weir_limiter_release(limiter, permit), WEIR_EINVAL);
  assert_int_equal(weir_limiter_available(limiter), 5);
  assert_int_equal(weir_limiter_release_with(limiter, 0, WEIR_CLASS_ABANDON + 1, 0), WEIR_EINVAL);
  assert_int_equal(weir_limiter_release_with(limiter, 0, WEIR_CLASS_SUCCESS, -1), WEIR_EINVAL);
  weir_limiter_unref(limiter);
}

static void L01_near_the_largest_numbers_permits_stay_exact(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, INT32_MAX, 10);
  weir_permit all = 0;
  weir_permit one = 0;
  assert_int_equal(weir_limiter_try_acquire(limiter, INT32_MAX - 1, &all, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire(limiter, 2, NULL, NULL), WEIR_ELIMITED);
  assert_int_equal(weir_limiter_try_acquire(limiter, INT32_MAX, NULL, NULL), WEIR_ELIMITED);
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, &one, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, NULL, NULL), WEIR_ELIMITED);
  assert_int_equal(weir_limiter_try_acquire(limiter, UINT32_MAX, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(stats_of(limiter).concurrent, INT32_MAX);
  assert_int_equal(weir_limiter_release(limiter, all), WEIR_OK);
  assert_int_equal(weir_limiter_release(limiter, one), WEIR_OK);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

static void a_rate_and_concurrency_together(struct fixture *fx) {
  static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_SLIDING_WINDOW};
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter_options options = rate_options(algorithms[a], 4, 1000);
    options.max_concurrent = 3;
    weir_limiter *limiter = make_limiter(fx, &options);
    weir_permit permits[4] = {0};
    for (int i = 0; i < 3; ++i) {
      assert_int_equal(weir_limiter_try_acquire(limiter, 1, &permits[i], NULL), WEIR_OK);
    }
    /* Concurrency refuses and the rate keeps its one. */
    for (int i = 0; i < 10; ++i) {
      assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).reason, WEIR_REJECTION_CONCURRENCY);
    }
    assert_int_equal(weir_limiter_release(limiter, permits[0]), WEIR_OK);
    assert_int_equal(weir_limiter_try_acquire(limiter, 1, &permits[3], NULL), WEIR_OK);
    assert_int_equal(weir_limiter_release(limiter, permits[1]), WEIR_OK);
    /* The rate refuses and nothing more is held. */
    for (int i = 0; i < 10; ++i) {
      assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).reason, WEIR_REJECTION_RATE);
    }
    assert_int_equal(stats_of(limiter).concurrent, 2);
    weir_limiter_unref(limiter);
  }
}

struct heard {
  uint64_t refusals;
  uint32_t reason;
  weir_status status;
  int64_t delay_ns;
  char name[16];
};

static void hear(void *data, const weir_event *event) {
  struct heard *heard = data;
  if (event->kind != WEIR_EVENT_REFUSAL) return;
  heard->refusals++;
  heard->reason = event->reason;
  heard->status = event->status;
  heard->delay_ns = event->delay_ns;
  snprintf(heard->name, sizeof(heard->name), "%s", event->name);
}

static void a_refusal_is_an_event(struct fixture *fx) {
  struct heard heard = {0};
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.on_event = hear;
  runtime_options.event_data = &heard;
  remake_runtime(fx, &runtime_options);
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1, 1000);
  options.max_queue = 0;
  options.name = "busy";
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "v1");
  begin_limited(fx, limiter, work, NULL);
  struct run *refused = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_refused(refused, WEIR_ELIMITED, WEIR_REJECTION_RATE);
  assert_int_equal(settled(refused)->retry_after_ms, 1000);
  assert_int_equal(heard.refusals, 1);
  assert_int_equal(heard.reason, WEIR_REJECTION_RATE);
  assert_int_equal(heard.status, WEIR_ELIMITED);
  assert_int_equal(heard.delay_ns, SECOND);
  assert_string_equal(heard.name, "busy");
  weir_limiter_unref(limiter);
}

static void the_audit_says_what_a_run_waits_for(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.name = "api";
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  begin_limited(fx, limiter, work, NULL);
  begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  weir_audit_entry entries[2] = {0};
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof(entries[0]), 2, &count),
                   WEIR_OK);
  assert_int_equal(count, 2);
  int waits = strcmp(entries[0].waits_for, "limiter 'api': a permit") == 0 ||
              strcmp(entries[1].waits_for, "limiter 'api': a permit") == 0;
  assert_true(waits);
  assert_int_equal(weir_limiter_pause(limiter), WEIR_OK);
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof(entries[0]), 2, &count),
                   WEIR_OK);
  waits = strcmp(entries[0].waits_for, "limiter 'api': a permit, while it is paused") == 0 ||
          strcmp(entries[1].waits_for, "limiter 'api': a permit, while it is paused") == 0;
  assert_true(waits);
  weir_limiter_unref(limiter);
}

static void closing_the_runtime_settles_who_waits(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, 1, 100);
  struct script *work = scripted(fx, "hang");
  struct run *runs[20];
  for (int i = 0; i < 20; ++i) runs[i] = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  for (int i = 0; i < 20; ++i) assert_int_equal(settled(runs[i])->status, WEIR_ECLOSED);
  assert_int_equal(work->started, 1);
  weir_limiter_unref(limiter);
}

TEST_MAIN("limiter: permits", TEST(L01_near_the_largest_numbers_permits_stay_exact),
          TEST(L14_work_that_outlives_its_timeout_keeps_its_permit),
          TEST(L14_early_release_returns_the_permit_when_told_to_stop),
          TEST(L14_the_limiter_lives_as_long_as_its_permits),
          TEST(L14_a_failed_obligation_gives_the_permit_back),
          TEST(L16_paused_nothing_passes_and_runs_wait),
          TEST(L16_a_paused_limiter_still_takes_permits_back),
          TEST(L17_nested_use_settles_by_queue_timeout_deadline_or_full),
          TEST(L19_a_turn_after_the_deadline_is_refused_now),
          TEST(L19_who_has_left_the_queue_delays_nobody),
          TEST(L19_priority_counts_only_who_is_before), TEST(L20_while_runs_wait_decide_is_refused),
          TEST(L20_of_a_rate_too), TEST(a_permit_is_given_back_once),
          TEST(a_rate_and_concurrency_together), TEST(a_refusal_is_an_event),
          TEST(the_audit_says_what_a_run_waits_for), TEST(closing_the_runtime_settles_who_waits))
