/* SPDX-License-Identifier: MIT */
/* A limiter whose options change while permits are out: what is used stays used, in whichever units
 * and windows, whenever it was granted. */

#include "limiter_help.h"

static void change(weir_limiter *limiter, const weir_limiter_options *options) {
  assert_int_equal(weir_limiter_set_options(limiter, options, NULL), WEIR_OK);
}

static weir_status acquire(weir_limiter *limiter, uint64_t key, uint32_t permits, int64_t at_ns) {
  return weir_limiter_try_acquire_key_at(limiter, &key, sizeof(key), permits, NULL, NULL, at_ns);
}

static int64_t count_key(weir_limiter *limiter, uint64_t key, int64_t at_ns, int64_t most) {
  int64_t count = 0;
  while (count < most && acquire(limiter, key, 1, at_ns) == WEIR_OK) ++count;
  return count;
}

/* The window that a shorter interval makes of the present one has what was used in it. */
static void L09_a_window_made_shorter_and_longer_is_not_granted_again(struct fixture *fx) {
  for (uint32_t algorithm = WEIR_LIMITER_FIXED_WINDOW; algorithm <= WEIR_LIMITER_SLIDING_WINDOW;
       ++algorithm) {
    weir_limiter_options options = rate_options(algorithm, 10, 60000);
    weir_limiter *limiter = make_limiter(fx, &options);
    advance_ms(fx, 50000);
    int64_t granted = 0;
    for (int i = 0; i < 8; ++i) {
      granted += count_passing(limiter, now_ns(fx), 100);
      options.interval_ms = i % 2 == 0 ? 7000 : 60000;
      change(limiter, &options);
    }
    assert_int_equal(granted, 10);
    weir_limiter_unref(limiter);
  }
}

static void L09_what_a_window_before_had_used_is_gone_after_a_change(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 10, 1000);
  weir_limiter *limiter = make_limiter(fx, &options);
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 10);
  advance_ms(fx, 1500);
  options.permits = 11;
  change(limiter, &options);
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 11);
  weir_limiter_unref(limiter);
}

/* And the next one has its own. */
static void L09_after_a_change_the_next_window_begins_in_time(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 10, 60000);
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t begin = now_ns(fx);
  advance_ms(fx, 50000);
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 10);
  options.interval_ms = 7000;
  change(limiter, &options);
  assert_int_equal(rejected_at(limiter, 1, now_ns(fx)).retry_after_ns, 6 * SECOND);
  assert_int_equal(count_passing(limiter, begin + 56 * SECOND - 1, 100), 0);
  assert_int_equal(count_passing(limiter, begin + 56 * SECOND, 100), 10);
  weir_limiter_unref(limiter);
}

/* What is left of an interval after a change still has what was granted in its oldest slice. */
static void L09_the_oldest_slice_counts_after_a_change(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_SLIDING_WINDOW, 10, 32 * 739);
  weir_limiter *limiter = make_limiter(fx, &options);
  advance_ms(fx, 2216);
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 10);
  advance_ms(fx, 999);
  options.interval_ms = 1000;
  change(limiter, &options);
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 0);
  advance_ms(fx, 33);
  assert_int_equal(count_passing(limiter, now_ns(fx), 100), 10);
  weir_limiter_unref(limiter);
}

/* Callers that are ahead of the one who changes: their window is not the one that is changed. */
static void L15_what_was_granted_ahead_of_a_change_stays_used(struct fixture *fx) {
  for (uint32_t algorithm = WEIR_LIMITER_FIXED_WINDOW; algorithm <= WEIR_LIMITER_SLIDING_WINDOW;
       ++algorithm) {
    for (int keyed = 0; keyed < 2; ++keyed) {
      weir_limiter_options options = rate_options(algorithm, 10, 1000);
      options.max_keys = keyed;
      weir_limiter *limiter = make_limiter(fx, &options);
      int64_t ahead = now_ns(fx) + 2500 * MS;
      for (int i = 0; i < 4; ++i) {
        int64_t granted =
            keyed ? count_key(limiter, 1, ahead, 100) : count_passing(limiter, ahead, 100);
        assert_int_equal(granted, i == 0 ? 10 : 0);
        options.interval_ms = 1000 + i % 2;
        change(limiter, &options);
      }
      int64_t soon = ahead + (algorithm == WEIR_LIMITER_FIXED_WINDOW ? 450 : 900) * MS;
      assert_int_equal(keyed ? count_key(limiter, 1, soon, 100) : count_passing(limiter, soon, 100),
                       0);
      weir_limiter_unref(limiter);
    }
  }
}

static void changing_a_bucket_to_and_fro_at_one_moment_gives_one_burst(struct fixture *fx) {
  for (int keyed = 0; keyed < 2; ++keyed) {
    weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 7, 1000);
    options.burst = 50;
    options.max_keys = keyed;
    weir_limiter *limiter = make_limiter(fx, &options);
    int64_t at = now_ns(fx);
    uint64_t random = 17;
    int64_t granted = 0;
    /* Long enough for the word's numbers to begin from below, many times. */
    for (int i = 0; i < 5000; ++i) {
      if (i % 100 == 0)
        granted += keyed ? acquire(limiter, 1, 1, at) == WEIR_OK : passes(limiter, 1, at);
      options.permits = 1 + (int64_t)(next_random(&random) % 1000);
      options.interval_ms = 1000 + (int64_t)(next_random(&random) % 3600000);
      change(limiter, &options);
      if (i % 100 == 50) {
        int64_t left = 50 - granted;
        assert_int_not_equal(keyed ? acquire(limiter, 1, (uint32_t)left + 1, at)
                                   : !passes(limiter, (uint32_t)left + 1, at),
                             WEIR_OK);
      }
    }
    assert_int_equal(granted, 50);
    assert_int_equal(keyed ? count_key(limiter, 1, at, 9) : count_passing(limiter, at, 9), 0);
    weir_limiter_unref(limiter);
  }
}

/* Wherever in the round of slices it was used. */
static void L13_a_newcomer_begins_with_what_was_displaced_in_any_slice(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_SLIDING_WINDOW, 10, 3200);
  options.max_keys = 1;
  options.key_overflow = WEIR_LIMITER_EVICT;
  weir_limiter *limiter = make_limiter(fx, &options);
  for (int i = 0; i < 33; ++i) {
    assert_int_equal(acquire(limiter, 1, 5, now_ns(fx)), WEIR_OK);
    assert_int_equal(count_key(limiter, 2, now_ns(fx), 100), 5);
    advance_ms(fx, 3400 + 100);
  }
  weir_limiter_unref(limiter);
}

/* So fine are these units that hours of them need more than 64 bits. */
static void L05_a_key_idle_for_hours_gets_one_burst(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1000000001, 1000);
  options.burst = 10;
  options.max_keys = 2;
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t at = now_ns(fx);
  uint64_t random = 23;
  for (int i = 0; i < 20000; ++i) {
    assert_int_equal(count_key(limiter, 1, at, 100), 10);
    at += 150 * SECOND + (int64_t)(next_random(&random) % (uint64_t)(7200 * SECOND));
  }
  weir_limiter_unref(limiter);
}

/* What the table knows of idle keys is in the numbers of before: a change makes it look again. */
static void L13_after_a_change_a_newcomer_finds_the_idle_key(struct fixture *fx) {
  for (int64_t later_ms = 1000; later_ms <= 2000; later_ms += 1000) {
    weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
    options.max_keys = 4;
    weir_limiter *limiter = make_limiter(fx, &options);
    for (uint64_t key = 0; key < 4; ++key) {
      assert_int_equal(acquire(limiter, key, 10, now_ns(fx)), WEIR_OK);
    }
    assert_int_equal(acquire(limiter, 10, 1, now_ns(fx)), WEIR_ELIMITED);
    options.interval_ms = later_ms;
    options.permits = 20;
    options.burst = 10;
    change(limiter, &options);
    assert_int_equal(acquire(limiter, 10, 1, now_ns(fx)), WEIR_ELIMITED);
    advance_ms(fx, later_ms / 2 - 1);
    assert_int_equal(acquire(limiter, 10, 1, now_ns(fx)), WEIR_ELIMITED);
    advance_ms(fx, 1);
    assert_int_equal(acquire(limiter, 10, 1, now_ns(fx)), WEIR_OK);
    weir_limiter_unref(limiter);
  }
}

TEST_MAIN("limiter: options that change", TEST(L05_a_key_idle_for_hours_gets_one_burst),
          TEST(L09_a_window_made_shorter_and_longer_is_not_granted_again),
          TEST(L09_the_oldest_slice_counts_after_a_change),
          TEST(L09_after_a_change_the_next_window_begins_in_time),
          TEST(L09_what_a_window_before_had_used_is_gone_after_a_change),
          TEST(L13_a_newcomer_begins_with_what_was_displaced_in_any_slice),
          TEST(L13_after_a_change_a_newcomer_finds_the_idle_key),
          TEST(L15_what_was_granted_ahead_of_a_change_stays_used),
          LONG_TEST(changing_a_bucket_to_and_fro_at_one_moment_gives_one_burst))
