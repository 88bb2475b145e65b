/* SPDX-License-Identifier: MIT */
/* Keyed limiters: each key by itself, a hard cap on keys, and what happens at the cap. Each case
 * runs with the lock-free table of token buckets and with the general one. */

#include "limiter_help.h"

static weir_status acquire(weir_limiter *limiter, uint64_t key, uint32_t permits, int64_t at_ns) {
  return weir_limiter_try_acquire_key_at(limiter, &key, sizeof(key), permits, NULL, NULL, at_ns);
}

static int64_t count_key(weir_limiter *limiter, uint64_t key, int64_t at_ns, int64_t most) {
  int64_t count = 0;
  while (count < most && acquire(limiter, key, 1, at_ns) == WEIR_OK) ++count;
  return count;
}

static weir_rejection rejected_key(weir_limiter *limiter, uint64_t key, uint32_t permits,
                                   int64_t at_ns) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(
      weir_limiter_try_acquire_key_at(limiter, &key, sizeof(key), permits, NULL, &rejection, at_ns),
      WEIR_ELIMITED);
  return rejection;
}

static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_FIXED_WINDOW,
                                      WEIR_LIMITER_SLIDING_WINDOW};

static void L13_each_key_has_a_limit_of_its_own(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 3, 1000, 500, WEIR_LIMITER_DENY);
    int64_t at = now_ns(fx);
    for (uint64_t key = 0; key < 500; ++key) assert_int_equal(count_key(limiter, key, at, 9), 3);
    for (uint64_t key = 0; key < 500; ++key) assert_int_equal(count_key(limiter, key, at, 9), 0);
    assert_int_equal(stats_of(limiter).keys, 500);
    weir_rejection rejection = rejected_key(limiter, 7, 2, at);
    assert_int_equal(rejection.reason, WEIR_REJECTION_RATE);
    assert_int_equal(rejection.available, 0);
    assert_int_equal(rejection.limit, 3);
    assert_true(rejection.retry_after_ns > 0);
    assert_int_equal(acquire(limiter, 7, 2, at + rejection.retry_after_ns - 1), WEIR_ELIMITED);
    assert_int_equal(acquire(limiter, 7, 2, at + rejection.retry_after_ns), WEIR_OK);
    weir_limiter_unref(limiter);
  }
}

static void L13_keys_beyond_the_cap_are_denied_until_one_is_idle(struct fixture *fx) {
  static const int64_t caps[] = {1, 2, 3, 7, 64, 1000};
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    for (size_t c = 0; c < COUNT_OF(caps); ++c) {
      weir_limiter *limiter = make_keyed(fx, algorithms[a], 2, 1000, caps[c], WEIR_LIMITER_DENY);
      int64_t at = now_ns(fx);
      for (int64_t key = 0; key < caps[c]; ++key) {
        assert_int_equal(acquire(limiter, (uint64_t)key, 1, at), WEIR_OK);
      }
      weir_rejection rejection = rejected_key(limiter, 1000000, 1, at);
      assert_int_equal(rejection.reason, WEIR_REJECTION_KEYS);
      assert_int_equal(rejection.limit, caps[c]);
      assert_true(rejection.retry_after_ns > 0);
      assert_int_equal(stats_of(limiter).keys, caps[c]);
      /* Those that are there go on. */
      assert_int_equal(acquire(limiter, 0, 1, at), WEIR_OK);

      int64_t later = at + rejection.retry_after_ns;
      assert_int_equal(acquire(limiter, 1000000, 1, later - 1), WEIR_ELIMITED);
      if (caps[c] > 1) assert_int_equal(acquire(limiter, 1000000, 1, later), WEIR_OK);
      assert_true(stats_of(limiter).keys <= (uint64_t)caps[c]);
      weir_limiter_unref(limiter);
    }
  }
}

/* The rest of the bucket that the present key has not worked off yet is nobody else's: without
 * eviction a newcomer has to wait until it is idle, not until there is as much as he asks for. */
static void L13_at_the_cap_a_newcomer_waits_until_the_key_closest_to_idle_is(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 10, 1000, 1, WEIR_LIMITER_DENY);
    int64_t at = now_ns(fx);
    assert_int_equal(acquire(limiter, 1, 10, at), WEIR_OK);
    weir_rejection rejection = rejected_key(limiter, 2, 1, at);
    assert_int_equal(rejection.reason, WEIR_REJECTION_KEYS);
    int64_t slice = a == 2 ? (SECOND + 31) / 32 : 0;
    assert_int_equal(rejection.retry_after_ns, SECOND + slice);
    assert_int_equal(acquire(limiter, 2, 1, at + rejection.retry_after_ns), WEIR_OK);
    weir_limiter_unref(limiter);
  }
}

/* With eviction it need not wait until that key is idle, only until there is as much left as it
 * asks for, on top of what the key it displaces has used. */
static void L13_at_the_cap_with_eviction_a_newcomer_waits_for_what_it_asks(struct fixture *fx) {
  for (int rates = 1; rates <= 2; ++rates) {
    weir_limiter *limiter = make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, rates == 1 ? 10 : 1000, 1000,
                                       2, WEIR_LIMITER_EVICT);
    if (rates == 2) { /* their keys are kept in another way */
      assert_int_equal(
          weir_limiter_add_limit(limiter, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000, WEIR_OFF, NULL),
          WEIR_OK);
    }
    int64_t at = now_ns(fx);
    assert_int_equal(acquire(limiter, 1, 10, at), WEIR_OK);
    assert_int_equal(acquire(limiter, 2, 9, at), WEIR_OK);
    weir_rejection rejection = rejected_key(limiter, 3, 4, at);
    assert_int_equal(rejection.reason, WEIR_REJECTION_KEYS);
    if (rates == 1) assert_int_equal(rejection.retry_after_ns, 300 * MS);
    at += 300 * MS;
    assert_int_not_equal(acquire(limiter, 3, 4, at - 1), WEIR_OK);
    assert_int_equal(acquire(limiter, 3, 4, at), WEIR_OK);
    assert_int_not_equal(acquire(limiter, 3, 1, at), WEIR_OK);
    weir_limiter_unref(limiter);
  }
}

/* As many as there can be, of the largest kind. */
static void L13_a_newcomer_begins_with_what_was_displaced_of_eight_limits(struct fixture *fx) {
  weir_limiter *limiter =
      make_keyed(fx, WEIR_LIMITER_SLIDING_WINDOW, 100, 1000, 1, WEIR_LIMITER_EVICT);
  for (int i = 1; i < 8; ++i) {
    assert_int_equal(weir_limiter_add_limit(limiter, WEIR_LIMITER_SLIDING_WINDOW, i < 7 ? 100 : 10,
                                            1000, WEIR_OFF, NULL),
                     WEIR_OK);
  }
  int64_t at = now_ns(fx);
  assert_int_equal(acquire(limiter, 1, 6, at), WEIR_OK);
  assert_int_equal(acquire(limiter, 2, 4, at), WEIR_OK);
  assert_int_equal(rejected_key(limiter, 2, 1, at).limit, 10);
  assert_int_equal(acquire(limiter, 2, 10, at + 2 * SECOND), WEIR_OK);
  weir_limiter_unref(limiter);
}

/* A newcomer that needs nobody's place begins with what was displaced all the same. */
static void L13_a_newcomer_in_an_idle_place_begins_with_what_was_displaced(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  options.max_concurrent = 100;
  options.max_keys = 2;
  options.key_overflow = WEIR_LIMITER_EVICT;
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t at = now_ns(fx);
  static const uint32_t taken[] = {1, 8, 1};
  weir_permit permits[3];
  for (uint64_t key = 0; key < 3; ++key) {
    assert_int_equal(weir_limiter_try_acquire_key_at(limiter, &key, sizeof(key), taken[key],
                                                     &permits[key], NULL, at),
                     WEIR_OK);
    /* The first is held: it cannot give way to the third, the second can. */
    if (key != 1) continue;
    assert_int_equal(weir_limiter_release_key(limiter, &key, sizeof(key), permits[key]), WEIR_OK);
  }
  for (uint64_t key = 0; key < 3; key += 2) {
    assert_int_equal(weir_limiter_release_key(limiter, &key, sizeof(key), permits[key]), WEIR_OK);
  }
  at += 100 * MS;
  uint64_t key = 3;
  weir_permit permit = 0;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(
      weir_limiter_try_acquire_key_at(limiter, &key, sizeof(key), 4, &permit, &rejection, at),
      WEIR_ELIMITED);
  assert_int_equal(rejection.retry_after_ns, 100 * MS);
  assert_int_equal(
      weir_limiter_try_acquire_key_at(limiter, &key, sizeof(key), 3, &permit, NULL, at), WEIR_OK);
  weir_limiter_unref(limiter);
}

static void L13_idle_keys_are_taken_over_without_a_sweeper(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 2, 1000, 50, WEIR_LIMITER_DENY);
    int64_t at = now_ns(fx);
    for (uint64_t key = 0; key < 5000; ++key) {
      assert_int_equal(acquire(limiter, key, 2, at), WEIR_OK);
      if (key % 50 == 49) at += 3 * SECOND;
      assert_true(stats_of(limiter).keys <= 50);
    }
    weir_limiter_unref(limiter);
  }
}

static void L13_evict_takes_the_place_of_the_key_closest_to_idle(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 10, 10000, 8, WEIR_LIMITER_EVICT);
    int64_t at = now_ns(fx);
    /* Each key was last used a little later than the one before; key 0 is closest to idle. */
    for (uint64_t key = 0; key < 8; ++key) {
      assert_int_equal(acquire(limiter, key, 2 + (a == 0 ? (uint32_t)key : 0), at), WEIR_OK);
      if (a != 0) at += 350 * MS;
    }
    assert_int_equal(acquire(limiter, 100, 1, at), WEIR_OK);
    assert_int_equal(stats_of(limiter).keys, 8);
    /* The newcomer took over what key 0 had used. */
    weir_rejection rejection = rejected_key(limiter, 100, 8, at);
    assert_int_equal(rejection.available, 7);
    if (a == 0) assert_int_equal(rejected_key(limiter, 7, 2, at).available, 1);
    weir_limiter_unref(limiter);
  }
}

static void L13_a_key_with_nothing_left_is_never_evicted(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 5, 60000, 16, WEIR_LIMITER_EVICT);
    int64_t at = now_ns(fx);
    for (uint64_t key = 0; key < 16; ++key) assert_int_equal(count_key(limiter, key, at, 9), 5);
    for (uint64_t key = 100; key < 400; ++key) {
      assert_int_equal(rejected_key(limiter, key, 1, at).reason, WEIR_REJECTION_KEYS);
    }
    for (uint64_t key = 0; key < 16; ++key) assert_int_equal(count_key(limiter, key, at, 9), 0);
    weir_limiter_unref(limiter);
  }
}

/* A hot key among a flood of others gets what its rate gives it, at most. */
static void flood(struct fixture *fx, uint64_t keys, int64_t step_ns, int64_t cap,
                  uint32_t overflow) {
  weir_limiter *limiter = make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000, cap, overflow);
  int64_t start = now_ns(fx);
  int64_t at = start;
  int64_t hot = 0;
  uint64_t most_keys = 0;
  const uint64_t hot_key = UINT64_MAX;
  for (uint64_t key = 0; key < keys; ++key) {
    at += step_ns;
    (void)acquire(limiter, key, 1, at);
    if (key % 16 == 0) {
      hot += acquire(limiter, hot_key, 1, at) == WEIR_OK;
      int64_t allowed = 10 + (at - start) / (100 * MS);
      if (hot > allowed) assert_int_equal(hot, allowed);
    }
    if (key % 4096 == 0) {
      uint64_t live = stats_of(limiter).keys;
      if (live > most_keys) most_keys = live;
    }
  }
  assert_true(most_keys <= (uint64_t)cap);
  assert_true(hot >= (at - start) / (100 * MS) || overflow == WEIR_LIMITER_EVICT);
  weir_limiter_unref(limiter);
}

static void L13_ten_million_keys_stay_under_the_cap(struct fixture *fx) {
  flood(fx, 10000000, 100, 100000, WEIR_LIMITER_DENY);
}

static void L13_a_flood_of_keys_gives_a_hot_key_nothing(struct fixture *fx) {
  flood(fx, 60000, 5000, 500, WEIR_LIMITER_EVICT);
  flood(fx, 150000, 2000, 5000, WEIR_LIMITER_EVICT);
}

/* Random keys, weights and steps of time against plain buckets: no key ever gets more, and with
 * room for all each gets exactly as much. */
static void L13_no_key_ever_gets_more_than_its_bucket(struct fixture *fx) {
  enum { KEYS = 600 };
  static struct { int64_t tat; } model[KEYS];
  static const struct {
    int64_t cap;
    uint32_t overflow;
  } ways[] = {{KEYS, WEIR_LIMITER_DENY}, {40, WEIR_LIMITER_EVICT}, {40, WEIR_LIMITER_DENY}};
  for (size_t w = 0; w < COUNT_OF(ways); ++w) {
    weir_limiter *limiter =
        make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 100, 1000, ways[w].cap, ways[w].overflow);
    memset(model, 0, sizeof(model));
    uint64_t random = 13 + w;
    int64_t at = now_ns(fx);
    uint64_t more = 0;
    uint64_t less = 0;
    for (int i = 0; i < 100000; ++i) {
      at += (int64_t)(next_random(&random) % (4 * MS));
      uint64_t key = next_random(&random) % KEYS;
      if (next_random(&random) % 4 == 0) key %= 8;
      uint32_t permits = 1 + (uint32_t)(next_random(&random) % 20);
      int64_t base = model[key].tat > at ? model[key].tat : at;
      int expected = base + (int64_t)permits * 10 * MS <= at + SECOND;
      int64_t live = 0;
      for (int k = 0; k < KEYS && ways[w].cap < KEYS; ++k) live += model[k].tat > at;
      if (model[key].tat <= at && live >= ways[w].cap) expected = 0;
      int granted = acquire(limiter, key, permits, at) == WEIR_OK;
      more += granted && !expected;
      less += !granted && expected;
      if (granted) model[key].tat = base + (int64_t)permits * 10 * MS;
    }
    if (ways[w].overflow == WEIR_LIMITER_DENY) assert_int_equal(more + less, 0);
    assert_true(stats_of(limiter).keys <= (uint64_t)ways[w].cap);
    weir_limiter_unref(limiter);
  }
}

/* The cap is reached to the last key: a full line makes room by moving its keys. */
static void L13_a_table_fills_up_to_its_cap(struct fixture *fx) {
  enum { CAP = 200000 };
  weir_limiter *limiter =
      make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 2, 3600000, CAP, WEIR_LIMITER_DENY);
  int64_t at = now_ns(fx);
  uint64_t denied = 0;
  for (uint64_t key = 0; key < CAP; ++key) denied += acquire(limiter, key, 1, at) != WEIR_OK;
  assert_int_equal(denied, 0);
  assert_int_equal(stats_of(limiter).keys, CAP);
  for (uint64_t key = 0; key < CAP; ++key) {
    denied += acquire(limiter, key, 1, at) != WEIR_OK;
    denied += acquire(limiter, key, 1, at) == WEIR_OK;
  }
  assert_int_equal(denied, 0);
  assert_int_equal(rejected_key(limiter, CAP, 1, at).reason, WEIR_REJECTION_KEYS);
  weir_limiter_unref(limiter);
}

static void a_key_takes_at_most_24_bytes(struct fixture *fx) {
  uint64_t before = fx->memory.live_bytes;
  weir_limiter *limiter =
      make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000, 100000, WEIR_LIMITER_DENY);
  uint64_t taken = fx->memory.live_bytes - before;
  /* Besides the table: the handle and the index of waiting keys. */
  assert_true(taken <= 24 * 100000 + 16 * 1024);
  uint64_t allocations = fx->memory.allocations;
  for (uint64_t key = 0; key < 1000; ++key) acquire(limiter, key, 1, now_ns(fx));
  assert_int_equal(fx->memory.allocations, allocations);
  weir_limiter_unref(limiter);
}

static void keyed_limits_of_all_kinds_together(struct fixture *fx) {
  weir_limiter *limiter =
      make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 5, 1000, 100, WEIR_LIMITER_DENY);
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_SLIDING_WINDOW, 8, 60000, WEIR_OFF, NULL),
      WEIR_OK);
  int64_t at = now_ns(fx);
  assert_int_equal(count_key(limiter, 1, at, 9), 5);
  assert_int_equal(count_key(limiter, 2, at, 9), 5);
  assert_int_equal(count_key(limiter, 1, at + SECOND, 9), 3);
  assert_int_equal(rejected_key(limiter, 1, 1, at + SECOND).limit, 8);
  weir_error *error = NULL;
  assert_int_equal(weir_limiter_add_limit(limiter, 0, 10, 1000, WEIR_OFF, &error), WEIR_ENOTSUP);
  assert_message(error, "live keys");
  weir_limiter_unref(limiter);
}

static void keyed_concurrency_is_held_per_key(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 2;
  options.max_keys = 3;
  options.key_overflow = WEIR_LIMITER_EVICT;
  weir_limiter *limiter = make_limiter(fx, &options);
  weir_permit permit = 0;
  weir_permit none = 0;
  for (int key = 0; key < 3; ++key) {
    for (int i = 0; i < 2; ++i) {
      assert_int_equal(weir_limiter_try_acquire_key(limiter, &key, sizeof(key), 1, &permit, NULL),
                       WEIR_OK);
      assert_true(permit != 0);
    }
    weir_rejection rejection = WEIR_REJECTION_INIT;
    assert_int_equal(weir_limiter_try_acquire_key(limiter, &key, sizeof(key), 1, &none, &rejection),
                     WEIR_ELIMITED);
    assert_int_equal(rejection.reason, WEIR_REJECTION_CONCURRENCY);
    assert_int_equal(rejection.limit, 2);
  }
  assert_int_equal(stats_of(limiter).concurrent, 6);
  /* Held keys never give way. */
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "new", 3, 1, &none, &rejection),
                   WEIR_ELIMITED);
  assert_int_equal(rejection.reason, WEIR_REJECTION_KEYS);
  assert_int_equal(rejection.retry_after_ns, -1);
  int key = 1;
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(weir_limiter_release_key(limiter, &key, sizeof(key), permit), WEIR_OK);
  }
  assert_int_equal(weir_limiter_release_key(limiter, &key, sizeof(key), permit), WEIR_EINVAL);
  assert_int_equal(weir_limiter_release_key(limiter, "unknown", 7, permit), WEIR_EINVAL);
  assert_int_equal(weir_limiter_release(limiter, permit), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "new", 3, 1, &permit, NULL), WEIR_OK);
  assert_int_equal(stats_of(limiter).keys, 3);
  weir_limiter_unref(limiter);
}

static void keyed_concurrency_says_what_is_left_of_it(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 5;
  options.max_keys = 3;
  weir_limiter *limiter = make_limiter(fx, &options);
  weir_permit four = 0;
  weir_permit two = 0;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 4, &four, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 2, &two, &rejection),
                   WEIR_ELIMITED);
  assert_int_equal(rejection.available, 1);
  assert_int_equal(rejection.limit, 5);
  options.max_concurrent = 3;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 2, &two, &rejection),
                   WEIR_ELIMITED);
  assert_int_equal(rejection.available, 0);
  assert_int_equal(weir_limiter_release_key(limiter, "k", 1, four), WEIR_OK);
  weir_limiter_unref(limiter);
}

static void a_limit_without_memory_for_its_keys_is_not_added(struct fixture *fx) {
  weir_limiter *limiter = make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 1000, 8, WEIR_LIMITER_DENY);
  weir_status status = WEIR_OK;
  memory_fail(&fx->memory, 1, 1);
  status = weir_limiter_add_limit(limiter, WEIR_LIMITER_FIXED_WINDOW, 1, 1000, WEIR_OFF, NULL);
  memory_fail(&fx->memory, 0, 0);
  assert_int_equal(status, WEIR_ENOMEM);
  assert_int_equal(acquire(limiter, 1, 10, now_ns(fx)), WEIR_OK);
  weir_limiter_unref(limiter);
}

/* A permit that has to be given back needs a place; without one nothing is taken, of the rate
 * either. */
static void keyed_concurrency_needs_a_place_for_the_permit(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1, 1000);
  options.max_concurrent = 1;
  options.max_keys = 3;
  weir_limiter *limiter = make_limiter(fx, &options);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 1, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  assert_int_equal(stats_of(limiter).keys, 0);
  weir_permit permit = 0;
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 1, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_release_key(limiter, "k", 1, permit), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire(limiter, 1, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_release(limiter, permit), WEIR_OK);
  weir_limiter_unref(limiter);
}

static void no_key_is_the_key_of_no_bytes(struct fixture *fx) {
  weir_limiter *limiter = make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 3, 1000, 10, WEIR_LIMITER_DENY);
  int64_t at = now_ns(fx);
  assert_true(passes(limiter, 1, at));
  assert_int_equal(weir_limiter_available(limiter), 2);
  assert_int_equal(weir_limiter_try_acquire_key_at(limiter, NULL, 0, 2, NULL, NULL, at), WEIR_OK);
  assert_false(passes(limiter, 1, at));
  assert_int_equal(weir_limiter_try_acquire_key_at(limiter, NULL, 1, 1, NULL, NULL, at),
                   WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire_key_at(limiter, "k", 1, 0, NULL, NULL, at),
                   WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire_key_at(limiter, "k", 1, 4, NULL, NULL, at),
                   WEIR_EINVAL);
  assert_int_equal(weir_limiter_try_acquire_key(NULL, "k", 1, 1, NULL, NULL), WEIR_EINVAL);
  int64_t wait = 0;
  size_t granted = 0;
  assert_int_equal(weir_limiter_refund(limiter, 1), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_drain(limiter, NULL), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_reserve(limiter, 1, &wait, NULL), WEIR_ENOTSUP);
  assert_int_equal(weir_limiter_acquire_n(limiter, 1, &granted, NULL), WEIR_ENOTSUP);
  weir_limiter_unref(limiter);
}

static void available_counts_what_the_key_of_no_bytes_holds(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 3;
  options.max_keys = 10;
  for (int rated = 0; rated < 2; ++rated) {
    options.permits = rated ? 100 : WEIR_OFF;
    options.interval_ms = rated ? 1000 : WEIR_OFF;
    weir_limiter *limiter = make_limiter(fx, &options);
    weir_permit permit = 0;
    weir_permit other = 0;
    assert_int_equal(weir_limiter_available(limiter), 3);
    assert_int_equal(weir_limiter_try_acquire(limiter, 2, &permit, NULL), WEIR_OK);
    assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 3, &other, NULL), WEIR_OK);
    assert_int_equal(weir_limiter_available(limiter), 1);
    assert_int_equal(weir_limiter_release(limiter, permit), WEIR_OK);
    assert_int_equal(weir_limiter_available(limiter), 3);
    weir_limiter_unref(limiter);
  }
}

static void keys_that_are_alike_are_told_apart(struct fixture *fx) {
  weir_limiter *limiter =
      make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 1, 1000, 5000, WEIR_LIMITER_DENY);
  char bytes[64];
  memset(bytes, 'a', sizeof(bytes));
  int64_t at = now_ns(fx);
  for (size_t size = 0; size <= sizeof(bytes); ++size) {
    assert_int_equal(weir_limiter_try_acquire_key_at(limiter, bytes, size, 1, NULL, NULL, at),
                     WEIR_OK);
  }
  for (size_t i = 0; i < sizeof(bytes); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = (char)(bytes[i] ^ (1 << bit));
      assert_int_equal(
          weir_limiter_try_acquire_key_at(limiter, bytes, sizeof(bytes), 1, NULL, NULL, at),
          WEIR_OK);
      bytes[i] = (char)(bytes[i] ^ (1 << bit));
    }
  }
  weir_limiter_unref(limiter);
}

static void set_options_changes_live_keys(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter_options options = rate_options(algorithms[a], 10, 10000);
    options.max_keys = 100;
    weir_limiter *limiter = make_limiter(fx, &options);
    int64_t at = now_ns(fx);
    for (uint64_t key = 0; key < 10; ++key) {
      if (key > 0) assert_int_equal(acquire(limiter, key, (uint32_t)key, at), WEIR_OK);
    }
    options.permits = 21;
    options.interval_ms = 7000;
    assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    for (uint64_t key = 0; key < 10; ++key) {
      assert_int_equal(count_key(limiter, key, at, 100), 21 - (int64_t)key);
    }
    /* Of one bucket a change that does not fit is refused, and nothing changes. */
    options.permits = 1;
    options.interval_ms = INT64_C(3153600000000);
    weir_error *error = NULL;
    weir_status status = weir_limiter_set_options(limiter, &options, &error);
    assert_int_equal(status, a == 0 ? WEIR_ENOTSUP : WEIR_OK);
    if (a == 0) assert_message(error, "burst times interval_ms");
    if (a == 0) assert_int_equal(count_key(limiter, 50, at, 100), 21);
    weir_limiter_unref(limiter);
  }
}

/* What an evicted key had used is converted with all else, and is paid off in time. */
static void a_newcomer_after_a_change_is_not_held_to_what_was_used_long_ago(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter_options options = rate_options(algorithms[a], 10, 1000);
    options.max_keys = 1;
    options.key_overflow = WEIR_LIMITER_EVICT;
    weir_limiter *limiter = make_limiter(fx, &options);
    advance_ms(fx, 3600 * 1000);
    assert_int_equal(acquire(limiter, 1, 5, now_ns(fx)), WEIR_OK);
    assert_int_equal(acquire(limiter, 2, 1, now_ns(fx)), WEIR_OK);
    options.interval_ms = 2000;
    assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    assert_int_equal(acquire(limiter, 3, 6, now_ns(fx)), WEIR_ELIMITED);
    advance_ms(fx, 4000);
    assert_int_equal(count_key(limiter, 3, now_ns(fx), 100), 10);
    weir_limiter_unref(limiter);
  }
}

static void keys_survive_their_origin_moving_on(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, INT32_MAX, 1000);
  options.burst = 5;
  options.max_keys = 20;
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t at = now_ns(fx);
  for (int i = 0; i < 200; ++i) {
    at += 300 * MS + i;
    for (uint64_t key = 0; key < 10; ++key) {
      assert_int_equal(count_key(limiter, key, at, 100), 5);
      assert_int_equal(count_key(limiter, key, at - 1, 100), 0);
      assert_int_equal(count_key(limiter, key, at + 1, 100), 2);
    }
    at += 1;
  }
  /* A time from long before counts as the origin, and still grants nothing more. */
  for (uint64_t key = 0; key < 10; ++key) {
    assert_int_equal(count_key(limiter, key, at - 3600 * SECOND, 100), 0);
  }
  weir_limiter_unref(limiter);
}

static void keyed_limits_too_large_for_a_word(struct fixture *fx) {
  weir_limiter *limiter = make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, INT32_MAX,
                                     INT64_C(3153600000000), 4, WEIR_LIMITER_DENY);
  int64_t at = now_ns(fx);
  assert_int_equal(acquire(limiter, 1, INT32_MAX, at), WEIR_OK);
  assert_int_equal(acquire(limiter, 1, 1, at), WEIR_ELIMITED);
  assert_int_equal(acquire(limiter, 2, 1, at), WEIR_OK);
  weir_limiter_unref(limiter);
}

TEST_MAIN("limiter: keys", TEST(L13_each_key_has_a_limit_of_its_own),
          LONG_TEST(L13_keys_beyond_the_cap_are_denied_until_one_is_idle),
          TEST(L13_at_the_cap_a_newcomer_waits_until_the_key_closest_to_idle_is),
          TEST(L13_a_newcomer_in_an_idle_place_begins_with_what_was_displaced),
          TEST(L13_idle_keys_are_taken_over_without_a_sweeper),
          TEST(L13_at_the_cap_with_eviction_a_newcomer_waits_for_what_it_asks),
          TEST(L13_a_newcomer_begins_with_what_was_displaced_of_eight_limits),
          TEST(L13_evict_takes_the_place_of_the_key_closest_to_idle),
          TEST(L13_a_key_with_nothing_left_is_never_evicted),
          LONG_TEST(L13_ten_million_keys_stay_under_the_cap),
          LONG_TEST(L13_a_flood_of_keys_gives_a_hot_key_nothing),
          LONG_TEST(L13_no_key_ever_gets_more_than_its_bucket),
          LONG_TEST(L13_a_table_fills_up_to_its_cap), TEST(a_key_takes_at_most_24_bytes),
          TEST(keyed_limits_of_all_kinds_together), TEST(keyed_concurrency_is_held_per_key),
          TEST(keyed_concurrency_says_what_is_left_of_it),
          TEST(a_limit_without_memory_for_its_keys_is_not_added),
          TEST(keyed_concurrency_needs_a_place_for_the_permit), TEST(no_key_is_the_key_of_no_bytes),
          TEST(available_counts_what_the_key_of_no_bytes_holds),
          LONG_TEST(keys_that_are_alike_are_told_apart), TEST(set_options_changes_live_keys),
          TEST(a_newcomer_after_a_change_is_not_held_to_what_was_used_long_ago),
          LONG_TEST(keys_survive_their_origin_moving_on), TEST(keyed_limits_too_large_for_a_word))
