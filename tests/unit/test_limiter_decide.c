/* SPDX-License-Identifier: MIT */
/* What else the decide door does: reservations, what is given back or drained, many at once, and
 * options that change live. */

#include "limiter_help.h"

static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_FIXED_WINDOW,
                                      WEIR_LIMITER_SLIDING_WINDOW};

static void refund_gives_back_up_to_the_burst(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], 10, 1000);
    assert_int_equal(count_passing(limiter, now_ns(fx), 100), 10);
    assert_int_equal(weir_limiter_refund(limiter, 3), WEIR_OK);
    assert_int_equal(count_passing(limiter, now_ns(fx), 100), 3);
    assert_int_equal(weir_limiter_refund(limiter, UINT32_MAX), WEIR_OK);
    assert_int_equal(weir_limiter_refund(limiter, UINT32_MAX), WEIR_OK);
    assert_int_equal(weir_limiter_available(limiter), 10);
    assert_int_equal(count_passing(limiter, now_ns(fx), 100), 10);
    assert_int_equal(weir_limiter_refund(limiter, 0), WEIR_EINVAL);
    assert_int_equal(weir_limiter_refund(NULL, 1), WEIR_EINVAL);
    weir_limiter_unref(limiter);
  }
}

static void refund_finds_what_counts_longest(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_SLIDING_WINDOW, 10, 3200);
  assert_true(passes(limiter, 10, now_ns(fx)));
  advance_ms(fx, 3250); /* it counts a slice longer than the interval */
  assert_int_equal(weir_limiter_available(limiter), 0);
  assert_int_equal(weir_limiter_refund(limiter, 4), WEIR_OK);
  assert_int_equal(weir_limiter_available(limiter), 4);
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 4);
  weir_limiter_unref(limiter);
}

static void refund_gives_back_to_each_limit(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_FIXED_WINDOW, 8, 60000, WEIR_OFF, NULL),
      WEIR_OK);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_SLIDING_WINDOW, 6, 60000, WEIR_OFF, NULL),
      WEIR_OK);
  int64_t at = now_ns(fx);
  assert_true(passes(limiter, 6, at));
  assert_int_equal(weir_limiter_refund(limiter, 6), WEIR_OK);
  assert_true(passes(limiter, 6, at));
  assert_false(passes(limiter, 1, at));
  weir_limiter_unref(limiter);
}

/* As many as there can be: what is done to each is done to these, and to nothing behind them. */
static void L12_eight_limits_give_take_and_drain_together(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], 10, 1000);
    for (int i = 1; i < 8; ++i) {
      assert_int_equal(weir_limiter_add_limit(limiter, algorithms[a], 10 + i, 1000, WEIR_OFF, NULL),
                       WEIR_OK);
    }
    int64_t at = now_ns(fx);
    int64_t drained = 0;
    assert_true(passes(limiter, 10, at));
    assert_int_equal(rejected_at(limiter, 1, at).limit, 10);
    assert_int_equal(weir_limiter_refund(limiter, 4), WEIR_OK);
    assert_int_equal(weir_limiter_available(limiter), 4);
    assert_int_equal(weir_limiter_drain(limiter, &drained), WEIR_OK);
    assert_int_equal(drained, 4);
    assert_int_equal(weir_limiter_available_at(limiter, at + 2 * SECOND), 10);
    assert_int_equal(weir_limiter_try_acquire(limiter, 11, NULL, NULL), WEIR_EINVAL);
    weir_limiter_unref(limiter);
  }
}

static void drain_takes_all_there_is(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], 10, 1000);
    int64_t drained = -1;
    assert_true(passes(limiter, 4, now_ns(fx)));
    assert_int_equal(weir_limiter_drain(limiter, &drained), WEIR_OK);
    assert_int_equal(drained, 6);
    assert_int_equal(weir_limiter_available(limiter), 0);
    assert_int_equal(weir_limiter_drain(limiter, &drained), WEIR_OK);
    assert_int_equal(drained, 0);
    assert_int_equal(weir_limiter_drain(limiter, NULL), WEIR_OK);
    assert_int_equal(count_passing(limiter, now_ns(fx) + 2 * SECOND, 100), 10);
    weir_limiter_unref(limiter);
  }
  /* Of several limits each loses what it has. */
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_FIXED_WINDOW, 5, 1000);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_FIXED_WINDOW, 7, 60000, WEIR_OFF, NULL),
      WEIR_OK);
  int64_t drained = 0;
  assert_int_equal(weir_limiter_drain(limiter, &drained), WEIR_OK);
  assert_int_equal(drained, 5);
  assert_int_equal(weir_limiter_available_at(limiter, now_ns(fx) + SECOND), 0);
  weir_limiter_unref(limiter);
}

static void drain_takes_of_each_limit_also_when_one_has_nothing(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_FIXED_WINDOW, 2, 1000);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_FIXED_WINDOW, 7, 60000, WEIR_OFF, NULL),
      WEIR_OK);
  assert_true(passes(limiter, 2, now_ns(fx)));
  int64_t drained = -1;
  assert_int_equal(weir_limiter_drain(limiter, &drained), WEIR_OK);
  assert_int_equal(drained, 0);
  assert_int_equal(weir_limiter_available_at(limiter, now_ns(fx) + SECOND), 0);
  assert_int_equal(weir_limiter_available_at(limiter, now_ns(fx) + 60 * SECOND), 2);
  weir_limiter_unref(limiter);
}

static void a_reservation_waits_its_turn_and_is_given_back(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  options.burst = 2;
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t wait = -1;
  weir_permit first = 0;
  weir_permit second = 0;
  weir_permit third = 0;
  assert_int_equal(weir_limiter_reserve(limiter, 2, &wait, &first), WEIR_OK);
  assert_int_equal(wait, 0);
  assert_int_equal(weir_limiter_reserve(limiter, 1, &wait, &second), WEIR_OK);
  assert_int_equal(wait, 100 * MS);
  assert_int_equal(weir_limiter_reserve(limiter, 2, &wait, &third), WEIR_OK);
  assert_int_equal(wait, 300 * MS);
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).retry_after_ns, 400 * MS);

  /* After `second` 2 were reserved: nothing of its 1 can go back. Of `first`'s 2 neither. */
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 1, second), WEIR_ESTALE);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 2, first), WEIR_ESTALE);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 2, third), WEIR_OK);
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).retry_after_ns, 200 * MS);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 2, third), WEIR_ESTALE);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 1, second), WEIR_OK);
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).retry_after_ns, 100 * MS);
  weir_limiter_unref(limiter);
}

static void a_reservation_gives_back_what_nobody_reserved_after(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  int64_t wait = 0;
  weir_permit early = 0;
  assert_true(passes(limiter, 10, now_ns(fx)));
  assert_int_equal(weir_limiter_reserve(limiter, 5, &wait, &early), WEIR_OK);
  assert_int_equal(weir_limiter_reserve(limiter, 2, &wait, NULL), WEIR_OK);
  assert_int_equal(wait, 700 * MS);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 5, early), WEIR_OK);
  /* 3 of the 5 went back. */
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).retry_after_ns, 500 * MS);
  advance_ms(fx, 5000);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 5, early), WEIR_ESTALE);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 5, 0), WEIR_EINVAL);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 0, early), WEIR_EINVAL);
  assert_int_equal(weir_limiter_reserve(limiter, 11, &wait, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_reserve(limiter, 0, &wait, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_reserve(limiter, 1, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_reserve(NULL, 1, &wait, NULL), WEIR_EINVAL);
  weir_limiter_unref(limiter);
}

static void a_reservation_that_goes_back_brings_waiting_runs_forward(struct fixture *fx) {
  /* given one a second, of which two are reserved, and a run whose turn comes after them */
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1, 1000);
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t wait = 0;
  weir_permit second = 0;
  assert_int_equal(weir_limiter_reserve(limiter, 1, &wait, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_reserve(limiter, 1, &wait, &second), WEIR_OK);
  struct script *work = scripted(fx, "v1");
  struct run *run = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_pending(run);
  /* when the second reservation is given back */
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 1, second), WEIR_OK);
  /* then the run has its turn */
  advance_ms(fx, 999);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void reservations_end_somewhere(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, INT32_MAX, 1000);
  int64_t wait = 0;
  weir_status status = WEIR_OK;
  int accepted = 0;
  for (; accepted < 100 && status == WEIR_OK; ++accepted) {
    status = weir_limiter_reserve(limiter, INT32_MAX, &wait, NULL);
  }
  assert_int_equal(status, WEIR_ELIMITED);
  assert_true(wait >= SECOND);
  /* And the rate is what it was. */
  int64_t later = now_ns(fx) + wait + 2 * SECOND;
  assert_int_equal(weir_limiter_available_at(limiter, later), INT32_MAX);
  weir_limiter_unref(limiter);
}

/* More than fits the form that is quick to count in. */
static void reservations_of_centuries_are_counted_exactly(struct fixture *fx) {
  const int64_t year_ms = INT64_C(365) * 24 * 3600 * 1000;
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1, year_ms);
  options.burst = 30;
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t wait = 0;
  weir_permit last = 0;
  for (int years = 0; years <= 210; years += 30) {
    assert_int_equal(weir_limiter_reserve(limiter, 30, &wait, &last), WEIR_OK);
    assert_int_equal(wait, years * year_ms * MS);
  }
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).retry_after_ns, 211 * year_ms * MS);
  assert_int_equal(weir_limiter_available(limiter), 0);
  assert_int_equal(weir_limiter_available_at(limiter, now_ns(fx) + 217 * year_ms * MS), 7);
  assert_int_equal(weir_limiter_cancel_reservation(limiter, 30, last), WEIR_OK);
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).retry_after_ns, 181 * year_ms * MS);
  weir_limiter_unref(limiter);
}

static void reserving_needs_one_token_bucket(struct fixture *fx) {
  int64_t wait = 0;
  weir_limiter *windows = make_rate(fx, WEIR_LIMITER_SLIDING_WINDOW, 10, 1000);
  weir_limiter *concurrent = make_concurrent(fx, 3, 0);
  assert_int_equal(weir_limiter_reserve(windows, 1, &wait, NULL), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_reserve(concurrent, 1, &wait, NULL), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_cancel_reservation(windows, 1, UINT64_MAX), WEIR_ENOTSUP);
  size_t granted = 7;
  assert_int_equal(weir_limiter_acquire_n(concurrent, 2, &granted, NULL), WEIR_ENOTSUP);
  assert_int_equal(granted, 0);
  weir_limiter_unref(windows);
  weir_limiter_unref(concurrent);
}

static void acquire_n_takes_what_there_is(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_rate(fx, algorithms[a], 10, 1000);
    size_t granted = 0;
    assert_int_equal(weir_limiter_acquire_n(limiter, 4, &granted, NULL), WEIR_OK);
    assert_int_equal(granted, 4);
    assert_int_equal(weir_limiter_acquire_n(limiter, SIZE_MAX, &granted, NULL), WEIR_OK);
    assert_int_equal(granted, 6);
    weir_rejection rejection = WEIR_REJECTION_INIT;
    assert_int_equal(weir_limiter_acquire_n(limiter, 1, &granted, &rejection), WEIR_ELIMITED);
    assert_int_equal(granted, 0);
    assert_true(rejection.retry_after_ns > 0);
    int64_t later = now_ns(fx) + rejection.retry_after_ns;
    assert_int_equal(weir_limiter_acquire_n_at(limiter, 1, &granted, NULL, later), WEIR_OK);
    assert_int_equal(weir_limiter_acquire_n(limiter, 0, &granted, NULL), WEIR_EINVAL);
    assert_int_equal(weir_limiter_acquire_n(limiter, 1, NULL, NULL), WEIR_EINVAL);
    assert_int_equal(weir_limiter_acquire_n(NULL, 1, &granted, NULL), WEIR_EINVAL);
    weir_limiter_unref(limiter);
  }
}

/* What is used stays used; the rest follows the new numbers. */
static void set_options_changes_a_bucket_live(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t at = now_ns(fx);
  assert_true(passes(limiter, 4, at));

  options.permits = 21;
  options.interval_ms = 7000;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_available_at(limiter, at), 17);
  assert_true(passes(limiter, 17, at));
  assert_false(passes(limiter, 1, at + 333333333));
  assert_true(passes(limiter, 1, at + 333333334));

  /* Smaller than what is used: nothing until that is worked off. */
  options.burst = 3;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_available_at(limiter, at + 6 * SECOND), 0);
  assert_int_equal(weir_limiter_available_at(limiter, at + 20 * SECOND), 3);

  /* To one that needs more than 64 bits, and back. */
  options.permits = INT32_MAX;
  options.interval_ms = INT64_C(3000000000000);
  options.burst = WEIR_OFF;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_available_at(limiter, at), INT32_MAX - 22);
  options.permits = 100;
  options.interval_ms = 1000;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_available_at(limiter, at), 78);
  assert_int_equal(count_passing(limiter, at, 1000), 78);
  weir_limiter_unref(limiter);
}

static void raising_an_exhausted_limit_lets_callers_pass_at_once(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter_options options = rate_options(algorithms[a], 10, 1000);
    weir_limiter *limiter = make_limiter(fx, &options);
    assert_int_equal(count_passing(limiter, now_ns(fx), 100), 10);
    assert_false(passes(limiter, 1, now_ns(fx)));
    options.permits = 15;
    assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    assert_int_equal(count_passing(limiter, now_ns(fx), 100), 5);
    weir_limiter_unref(limiter);
  }
}

static void set_options_changes_windows_live(struct fixture *fx) {
  for (size_t a = 1; a < COUNT_OF(algorithms); ++a) {
    weir_limiter_options options = rate_options(algorithms[a], 10, 1000);
    weir_limiter *limiter = make_limiter(fx, &options);
    advance_ms(fx, 250);
    assert_true(passes(limiter, 6, now_ns(fx)));
    options.permits = 20;
    options.interval_ms = 10000;
    assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    assert_int_equal(weir_limiter_available(limiter), 14);
    assert_true(passes(limiter, 14, now_ns(fx)));
    int64_t wait = rejected_at(limiter, 1, now_ns(fx)).retry_after_ns;
    assert_true(wait > 9 * SECOND && wait <= 11 * SECOND);
    assert_false(passes(limiter, 1, now_ns(fx) + wait - 1));
    options.permits = 5;
    assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    assert_int_equal(weir_limiter_available(limiter), 0);
    assert_int_equal(weir_limiter_available_at(limiter, now_ns(fx) + wait), 5);
    weir_limiter_unref(limiter);
  }
}

/* Grants at handed-in times ahead of the clock stay used in the window of the latest of them. */
static void set_options_keeps_what_was_granted_ahead_of_the_clock(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 10, 1000);
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t at = now_ns(fx) + 5 * SECOND;
  assert_true(passes(limiter, 5, at));
  assert_true(passes(limiter, 5, at + 900 * MS));
  options.interval_ms = 100;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_available_at(limiter, at + 900 * MS), 0);
  assert_int_equal(weir_limiter_available_at(limiter, at + 1000 * MS), 10);
  weir_limiter_unref(limiter);
}

static void a_rate_survives_the_origin_moving_on(struct fixture *fx) {
  /* 2^31 - 1 a second needs so fine units that they are counted anew every half second. */
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, INT32_MAX, 1000);
  options.burst = 5;
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t at = now_ns(fx);
  uint64_t random = 31;
  for (int i = 0; i < 2000; ++i) {
    at += (int64_t)(next_random(&random) % SECOND) + 4;
    assert_int_equal(count_passing(limiter, at, 100), 5);
    assert_int_equal(count_passing(limiter, at - 1, 100), 0);
    assert_int_equal(count_passing(limiter, at + 1, 100), 2);
    at += 1;
  }
  weir_limiter_unref(limiter);
}

static void a_rejection_has_all_its_numbers(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  options.name = "a name that is longer than the forty-seven characters that fit";
  weir_limiter *limiter = make_limiter(fx, &options);
  assert_true(passes(limiter, 7, now_ns(fx)));
  weir_rejection rejection = rejected_at(limiter, 5, now_ns(fx));
  assert_int_equal(rejection.size, sizeof(rejection));
  assert_int_equal(rejection.reason, WEIR_REJECTION_RATE);
  assert_int_equal(rejection.requested, 5);
  assert_int_equal(rejection.available, 3);
  assert_int_equal(rejection.limit, 10);
  assert_int_equal(rejection.queued, 0);
  assert_int_equal(rejection.retry_after_ns, 200 * MS);
  assert_int_equal(rejection.retry_after_ms, 200);
  assert_int_equal(strlen(rejection.name), 47);
  weir_rejection unsized = {0};
  assert_int_equal(weir_limiter_try_acquire(limiter, 5, NULL, &unsized), WEIR_EABI);
  weir_limiter_unref(limiter);
}

static void an_acquire_needs_a_limiter_and_a_permit(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  weir_permit permit = 77;
  assert_int_equal(weir_limiter_try_acquire(NULL, 1, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire(limiter, 0, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(permit, 0);
  assert_int_equal(weir_limiter_try_acquire(limiter, 11, &permit, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 1, NULL, NULL), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_release_key(limiter, "k", 1, 1), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_available(NULL), 0);
  assert_int_equal(weir_limiter_drain(NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_pause(NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_resume(NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_release(NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_limiter_release(limiter, 1), WEIR_EINVAL);
  assert_int_equal(weir_limiter_release(limiter, 0), WEIR_OK);
  assert_int_equal(weir_limiter_get_stats(NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_get_stats(limiter, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_available(limiter), 10);
  weir_limiter_unref(limiter);
  weir_limiter_unref(NULL);
}

TEST_MAIN("limiter: decide", TEST(refund_gives_back_up_to_the_burst),
          TEST(refund_finds_what_counts_longest), TEST(refund_gives_back_to_each_limit),
          TEST(L12_eight_limits_give_take_and_drain_together), TEST(drain_takes_all_there_is),
          TEST(drain_takes_of_each_limit_also_when_one_has_nothing),
          TEST(a_reservation_waits_its_turn_and_is_given_back),
          TEST(a_reservation_gives_back_what_nobody_reserved_after),
          TEST(a_reservation_that_goes_back_brings_waiting_runs_forward),
          TEST(reservations_end_somewhere), TEST(reservations_of_centuries_are_counted_exactly),
          TEST(reserving_needs_one_token_bucket), TEST(acquire_n_takes_what_there_is),
          TEST(set_options_changes_a_bucket_live),
          TEST(raising_an_exhausted_limit_lets_callers_pass_at_once),
          TEST(set_options_keeps_what_was_granted_ahead_of_the_clock),
          TEST(set_options_changes_windows_live), LONG_TEST(a_rate_survives_the_origin_moving_on),
          TEST(a_rejection_has_all_its_numbers), TEST(an_acquire_needs_a_limiter_and_a_permit))
