/* SPDX-License-Identifier: MIT */
/* A limiter whose options change all the time while other threads decide: at no moment may it count
 * less than its options before or after. The threads' time hardly moves against its intervals, so
 * what may be granted is known to the permit. */

#include "limiter_crowd.h"

enum { CHANGES = ROUNDS / 25, PERMITS_MOST = 1000 };

/* What changes, beside the permits: any of these. */
struct changing {
  struct crowd crowd;
  weir_limiter_options options; /* at first, and again at the end */
  int intervals;
  int concurrency; /* sometimes without a limit */
  int done;        /* changing: so long the others go on */
};

static int still_changes(struct changing *changing) {
  return !__atomic_load_n(&changing->done, __ATOMIC_ACQUIRE);
}

static void change_options(struct changing *changing, uint64_t *random) {
  struct crowd *crowd = &changing->crowd;
  weir_limiter_options options = changing->options;
  options.permits = 1 + (int64_t)(next_random(random) % (uint64_t)options.permits);
  if (changing->intervals) options.interval_ms += (int64_t)(next_random(random) % 3600000);
  if (changing->concurrency && next_random(random) % 2 == 0) {
    options.max_concurrent = 1000 + (int64_t)(next_random(random) % 1000);
  }
  if (weir_limiter_set_options(crowd->limiter, &options, NULL) != WEIR_OK) note_error(crowd);
}

static void take_and_release(struct crowd *crowd, size_t self) {
  for (int i = 0; i < ROUNDS || still_changes((struct changing *)crowd); ++i) {
    weir_permit permit = 0;
    int64_t at = next_time(crowd, 10);
    weir_status status = weir_limiter_try_acquire_at(crowd->limiter, 1, &permit, NULL, at);
    crowd->granted[self] += status == WEIR_OK;
    if (status != WEIR_OK && status != WEIR_ELIMITED) note_error(crowd);
    if (weir_limiter_release(crowd->limiter, permit) != WEIR_OK) note_error(crowd);
  }
}

static void change_while_taking(struct crowd *crowd, size_t self) {
  struct changing *changing = (struct changing *)crowd;
  if (self > 0) {
    take_and_release(crowd, self);
    return;
  }
  uint64_t random = 3;
  for (int i = 0; i < CHANGES; ++i) change_options(changing, &random);
  __atomic_store_n(&changing->done, 1, __ATOMIC_RELEASE);
}

/* What a rate of 1000 an hour gives on top of the burst. */
static int64_t most_granted(const struct changing *changing) {
  int64_t seconds = (int64_t)changing->crowd.clock_ns / SECOND + 1;
  return PERMITS_MOST + seconds * PERMITS_MOST / 3600 + 1;
}

static int64_t granted_while_changing(struct fixture *fx, struct changing *changing) {
  struct crowd *crowd = &changing->crowd;
  crowd->limiter = make_limiter(fx, &changing->options);
  crowd->start_ns = now_ns(fx);
  together(crowd, change_while_taking);
  assert_int_equal(crowd->errors, 0);
  assert_int_equal(weir_limiter_set_options(crowd->limiter, &changing->options, NULL), WEIR_OK);
  int64_t at = crowd->start_ns + (int64_t)crowd->clock_ns;
  int64_t left = count_passing(crowd->limiter, at, 2 * PERMITS_MOST);
  weir_limiter_unref(crowd->limiter);
  return granted_by_all(crowd) + left;
}

/* Each change parks the word, counts in other units and puts it back: no grant gets lost, and none
 * is made by half a change. */
static void changing_options_under_a_storm_grants_nothing_more(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, PERMITS_MOST, 3600000);
  options.burst = PERMITS_MOST;
  for (int intervals = 0; intervals < 2; ++intervals) {
    struct changing changing = {.options = options, .intervals = intervals};
    int64_t granted = granted_while_changing(fx, &changing);
    assert_in_range(granted, PERMITS_MOST, most_granted(&changing));
  }
}

static void changing_windows_under_a_storm_grants_nothing_more(struct fixture *fx) {
  for (uint32_t algorithm = WEIR_LIMITER_FIXED_WINDOW; algorithm <= WEIR_LIMITER_SLIDING_WINDOW;
       ++algorithm) {
    weir_limiter_options options = rate_options(algorithm, PERMITS_MOST, 3600000);
    struct changing changing = {.options = options, .intervals = 1};
    assert_int_equal(granted_while_changing(fx, &changing), PERMITS_MOST);
  }
}

/* With a limit of concurrency that comes and goes. */
static void changing_concurrency_under_a_storm_grants_no_more_of_the_rate(struct fixture *fx) {
  for (uint32_t algorithm = 0; algorithm < 3; ++algorithm) {
    weir_limiter_options options = rate_options(algorithm, PERMITS_MOST, 3600000);
    if (algorithm == WEIR_LIMITER_TOKEN_BUCKET) options.burst = PERMITS_MOST;
    struct changing changing = {.options = options, .concurrency = 1};
    int64_t granted = granted_while_changing(fx, &changing);
    assert_in_range(granted, PERMITS_MOST, most_granted(&changing));
  }
}

/* ---- keys ---- */

enum { KEYS = 128, KEY_BURST = 10 };

static void change_while_taking_keys(struct crowd *crowd, size_t self) {
  struct changing *changing = (struct changing *)crowd;
  uint64_t random = self + 41;
  if (self == 0) {
    for (int i = 0; i < CHANGES / 8; ++i) change_options(changing, &random);
    __atomic_store_n(&changing->done, 1, __ATOMIC_RELEASE);
    return;
  }
  for (int i = 0; i < ROUNDS / 8 || still_changes(changing); ++i) {
    uint64_t key = next_random(&random) % KEYS;
    weir_permit permit = 0;
    weir_status status = weir_limiter_try_acquire_key_at(crowd->limiter, &key, sizeof(key), 1,
                                                         &permit, NULL, crowd->start_ns);
    crowd->granted[self] += status == WEIR_OK;
    if (status != WEIR_OK && status != WEIR_ELIMITED) note_error(crowd);
    if (weir_limiter_release_key(crowd->limiter, &key, sizeof(key), permit) != WEIR_OK) {
      note_error(crowd);
    }
  }
}

static int64_t take_what_keys_have_left(struct crowd *crowd) {
  int64_t left = 0;
  for (uint64_t key = 0; key < KEYS; ++key) {
    while (weir_limiter_try_acquire_key_at(crowd->limiter, &key, sizeof(key), 1, &(weir_permit){0},
                                           NULL, crowd->start_ns) == WEIR_OK) {
      ++left;
    }
  }
  return left;
}

/* Newcomers too, whose way in is under the mutex: each key gets its burst to the permit. */
static void L13_changing_options_under_a_storm_grants_no_key_more(struct fixture *fx) {
  for (uint32_t algorithm = 0; algorithm < 3; ++algorithm) {
    for (int counted = 0; counted < 2; ++counted) {
      weir_limiter_options options = rate_options(algorithm, KEY_BURST, 3600000);
      if (algorithm == WEIR_LIMITER_TOKEN_BUCKET) options.burst = KEY_BURST;
      if (counted) options.max_concurrent = INT32_MAX;
      options.max_keys = KEYS;
      struct changing changing = {.options = options, .intervals = 1};
      struct crowd *crowd = &changing.crowd;
      crowd->limiter = make_limiter(fx, &options);
      crowd->start_ns = now_ns(fx);
      together(crowd, change_while_taking_keys);
      assert_int_equal(crowd->errors, 0);
      assert_int_equal(weir_limiter_set_options(crowd->limiter, &options, NULL), WEIR_OK);
      assert_int_equal(granted_by_all(crowd) + take_what_keys_have_left(crowd), KEYS * KEY_BURST);
      weir_limiter_unref(crowd->limiter);
    }
  }
}

/* ---- concurrency ---- */

enum { WIDE = 6, NARROW = 2 };

/* Who changes it looks whether a limit that was reached after it shrank is ever passed again. */
static void narrow_and_watch(struct crowd *crowd) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  for (int i = 0; i < CHANGES; ++i) {
    weir_limiter_stats stats = {.size = sizeof(stats)};
    options.max_concurrent = i % 2 == 0 ? NARROW : WIDE;
    if (weir_limiter_set_options(crowd->limiter, &options, NULL) != WEIR_OK) note_error(crowd);
    int64_t fits = 0;
    for (int look = 0; i % 2 == 0 && look < 50; ++look) {
      if (weir_limiter_get_stats(crowd->limiter, &stats) != WEIR_OK) note_error(crowd);
      if (fits && stats.concurrent > NARROW) note_error(crowd);
      fits |= stats.concurrent <= NARROW;
    }
  }
}

static void hold_two_while_it_changes(struct crowd *crowd, size_t self) {
  if (self == 0) {
    narrow_and_watch(crowd);
    return;
  }
  for (int i = 0; i < ROUNDS; ++i) {
    weir_permit permits[2] = {0, 0};
    for (int k = 0; k < 2; ++k) {
      weir_status status = weir_limiter_try_acquire(crowd->limiter, 1, &permits[k], NULL);
      crowd->granted[self] += status == WEIR_OK;
      if (status != WEIR_OK && status != WEIR_ELIMITED) note_error(crowd);
    }
    for (int k = 0; k < 2; ++k) {
      if (weir_limiter_release(crowd->limiter, permits[k]) != WEIR_OK) note_error(crowd);
    }
  }
}

/* A call that had read the wider limit swaps in vain: the gate counts changes. */
static void L14_a_limit_that_has_shrunk_is_not_passed_by_whoever_read_it_before(
    struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, WIDE, 0);
  struct crowd crowd = {.limiter = limiter};
  together(&crowd, hold_two_while_it_changes);
  assert_int_equal(crowd.errors, 0);
  assert_true(granted_by_all(&crowd) > 0);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

TEST_MAIN("limiter: changes under storms",
          LONG_TEST(changing_options_under_a_storm_grants_nothing_more),
          LONG_TEST(changing_windows_under_a_storm_grants_nothing_more),
          LONG_TEST(changing_concurrency_under_a_storm_grants_no_more_of_the_rate),
          LONG_TEST(L13_changing_options_under_a_storm_grants_no_key_more),
          LONG_TEST(L14_a_limit_that_has_shrunk_is_not_passed_by_whoever_read_it_before))
