/* SPDX-License-Identifier: MIT */
/* The limiter's decide door on several threads at once, alone and while keys come and go and runs
 * wait. Threads record, the body asserts; nothing depends on which of them is
 * faster. */

#include "limiter_crowd.h"

/* ---- rates ---- */

static void L08_threads_get_exactly_the_rate(struct fixture *fx) {
  static const struct {
    uint32_t algorithm;
    int64_t permits, interval_ms, burst;
  } rates[] = {{WEIR_LIMITER_TOKEN_BUCKET, 100000, 1000, 50},
               {WEIR_LIMITER_TOKEN_BUCKET, 1000000001, 1000, 20},
               {WEIR_LIMITER_TOKEN_BUCKET, 1000000001, 3153600000000, 20},
               {WEIR_LIMITER_TOKEN_BUCKET, 10, 13, 3},
               {WEIR_LIMITER_FIXED_WINDOW, 30, 1, WEIR_OFF},
               {WEIR_LIMITER_SLIDING_WINDOW, 30, 1, WEIR_OFF}};
  for (size_t r = 0; r < COUNT_OF(rates); ++r) {
    weir_limiter_options options =
        rate_options(rates[r].algorithm, rates[r].permits, rates[r].interval_ms);
    options.burst = rates[r].burst;
    weir_limiter *limiter = make_limiter(fx, &options);
    struct crowd crowd = {.limiter = limiter, .start_ns = now_ns(fx)};
    together(&crowd, take_singles);
    int64_t elapsed = (int64_t)crowd.clock_ns;
    int64_t per_ms = elapsed / MS * rates[r].permits / rates[r].interval_ms;
    int64_t burst = rates[r].burst == WEIR_OFF ? rates[r].permits : rates[r].burst;
    int64_t most = burst + per_ms + rates[r].permits / rates[r].interval_ms + 1;
    if (rates[r].algorithm == WEIR_LIMITER_FIXED_WINDOW) most += burst;
    assert_int_equal(crowd.errors, 0);
    assert_true(granted_by_all(&crowd) <= most);
    assert_true(granted_by_all(&crowd) >= 1);
    weir_limiter_unref(limiter);
  }
}

static void take_weights(struct crowd *crowd, size_t self) {
  uint64_t random = self + 1;
  for (int i = 0; i < ROUNDS; ++i) {
    uint32_t permits = 1 + (uint32_t)(next_random(&random) % 40);
    weir_rejection rejection = WEIR_REJECTION_INIT;
    weir_status status = weir_limiter_try_acquire_at(crowd->limiter, permits, NULL, &rejection,
                                                     crowd->start_ns - (int64_t)(i % 2));
    if (status == WEIR_OK) crowd->granted[self] += permits;
    if (status != WEIR_OK && status != WEIR_ELIMITED) note_error(crowd);
  }
}

/* All at one moment, give or take a tick: the burst to the last permit. */
static void L15_at_one_moment_all_threads_share_one_burst(struct fixture *fx) {
  for (uint32_t algorithm = 0; algorithm < 3; ++algorithm) {
    weir_limiter *limiter = make_rate(fx, algorithm, 20000, 3600000);
    struct crowd crowd = {.limiter = limiter, .start_ns = now_ns(fx) + 1};
    together(&crowd, take_weights);
    int64_t left = count_passing(limiter, crowd.start_ns, 100);
    assert_int_equal(crowd.errors, 0);
    assert_int_equal(granted_by_all(&crowd) + left, 20000);
    weir_limiter_unref(limiter);
  }
}

static void refund_what_was_taken(struct crowd *crowd, size_t self) {
  (void)self;
  for (int i = 0; i < ROUNDS / 4; ++i) {
    if (weir_limiter_try_acquire_at(crowd->limiter, 3, NULL, NULL, crowd->start_ns) == WEIR_OK &&
        weir_limiter_refund(crowd->limiter, 3) != WEIR_OK) {
      note_error(crowd);
    }
  }
}

static void refunds_from_threads_leave_the_whole_burst(struct fixture *fx) {
  weir_limiter *limiter = make_rate(fx, WEIR_LIMITER_TOKEN_BUCKET, 10, 3600000);
  struct crowd crowd = {.limiter = limiter, .start_ns = now_ns(fx)};
  together(&crowd, refund_what_was_taken);
  assert_int_equal(crowd.errors, 0);
  assert_int_equal(count_passing(limiter, crowd.start_ns, 100), 10);
  weir_limiter_unref(limiter);
}

/* ---- concurrency ---- */

static void hold_and_release(struct crowd *crowd, size_t self) {
  uint64_t random = self + 11;
  for (int i = 0; i < ROUNDS; ++i) {
    uint32_t permits = 1 + (uint32_t)(next_random(&random) % 3);
    weir_permit permit = 0;
    if (weir_limiter_try_acquire(crowd->limiter, permits, &permit, NULL) != WEIR_OK) continue;
    int64_t held = __atomic_add_fetch(&crowd->held, permits, __ATOMIC_SEQ_CST);
    int64_t most = __atomic_load_n(&crowd->most_held, __ATOMIC_SEQ_CST);
    while (held > most && !__atomic_compare_exchange_n(&crowd->most_held, &most, held, 0,
                                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    ++crowd->granted[self];
    __atomic_sub_fetch(&crowd->held, permits, __ATOMIC_SEQ_CST);
    if (weir_limiter_release(crowd->limiter, permit) != WEIR_OK) note_error(crowd);
  }
}

static void L01_max_concurrent_holds_under_a_storm(struct fixture *fx) {
  for (int rated = 0; rated < 3; ++rated) {
    weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
    if (rated == 1) options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1000000, 1);
    if (rated == 2) options = rate_options(WEIR_LIMITER_SLIDING_WINDOW, INT32_MAX, 1000);
    options.max_concurrent = 5;
    weir_limiter *limiter = make_limiter(fx, &options);
    struct crowd crowd = {.limiter = limiter};
    together(&crowd, hold_and_release);
    assert_int_equal(crowd.errors, 0);
    assert_in_range(crowd.most_held, 1, 5);
    assert_int_equal(stats_of(limiter).concurrent, 0);
    weir_limiter_unref(limiter);
  }
}

static void storm_near_the_end(struct crowd *crowd, size_t self) {
  for (int i = 0; i < ROUNDS; ++i) {
    weir_permit permit = 0;
    uint32_t permits = INT32_MAX - (uint32_t)(i % 3);
    weir_status status = weir_limiter_try_acquire(crowd->limiter, permits, &permit, NULL);
    if (status == WEIR_ELIMITED) continue;
    if (status != WEIR_OK || weir_limiter_release(crowd->limiter, permit) != WEIR_OK) {
      note_error(crowd);
    }
    ++crowd->granted[self];
  }
}

static void L01_near_INT32_MAX_under_a_storm(struct fixture *fx) {
  weir_limiter *limiter = make_concurrent(fx, INT32_MAX, 0);
  struct crowd crowd = {.limiter = limiter};
  together(&crowd, storm_near_the_end);
  assert_int_equal(crowd.errors, 0);
  assert_true(granted_by_all(&crowd) > 0);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

/* ---- keys ---- */

static void take_keys(struct crowd *crowd, size_t self) {
  uint64_t random = self + 21;
  for (int i = 0; i < ROUNDS; ++i) {
    uint64_t key = next_random(&random) % 64;
    weir_status status = weir_limiter_try_acquire_key_at(crowd->limiter, &key, sizeof(key), 1, NULL,
                                                         NULL, crowd->start_ns);
    crowd->granted[self] += status == WEIR_OK;
    if (status != WEIR_OK && status != WEIR_ELIMITED) note_error(crowd);
  }
}

/* One key never gets two slots: 64 keys get exactly 64 bursts. */
static void L13_threads_share_each_keys_bucket(struct fixture *fx) {
  for (uint32_t algorithm = 0; algorithm < 3; ++algorithm) {
    weir_limiter_options options = rate_options(algorithm, 10, 3600000);
    options.max_keys = 64;
    weir_limiter *limiter = make_limiter(fx, &options);
    struct crowd crowd = {.limiter = limiter, .start_ns = now_ns(fx)};
    together(&crowd, take_keys);
    assert_int_equal(crowd.errors, 0);
    assert_int_equal(granted_by_all(&crowd), 64 * 10);
    weir_limiter_unref(limiter);
  }
}

static void churn_keys(struct crowd *crowd, size_t self) {
  uint64_t random = self + 31;
  for (int i = 0; i < ROUNDS; ++i) {
    /* One key is always asked for; the others come and go and make it move. */
    uint64_t key = i % 4 == 0 ? UINT64_MAX : next_random(&random) % 100000;
    int64_t at = next_time(crowd, 1000);
    weir_status status =
        weir_limiter_try_acquire_key_at(crowd->limiter, &key, sizeof(key), 1, NULL, NULL, at);
    crowd->granted[self] += status == WEIR_OK && key == UINT64_MAX;
    if (status != WEIR_OK && status != WEIR_ELIMITED) note_error(crowd);
    if (i % 4096 == 4095 && self == 0) {
      weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1000, 1000);
      options.burst = 5;
      options.max_keys = 300;
      options.key_overflow = i % 8192 == 4095 ? WEIR_LIMITER_EVICT : WEIR_LIMITER_DENY;
      options.max_queue = i;
      if (weir_limiter_set_options(crowd->limiter, &options, NULL) != WEIR_OK) note_error(crowd);
    }
  }
}

static void L13_a_hot_key_under_churn_gets_its_rate_at_most(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 1000, 1000);
  options.burst = 5;
  options.max_keys = 300;
  options.key_overflow = WEIR_LIMITER_EVICT;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct crowd crowd = {.limiter = limiter, .start_ns = now_ns(fx)};
  together(&crowd, churn_keys);
  assert_int_equal(crowd.errors, 0);
  assert_true(granted_by_all(&crowd) <= 5 + (int64_t)crowd.clock_ns / MS + 1);
  assert_true(stats_of(limiter).keys <= 300);
  weir_limiter_unref(limiter);
}

/* ---- both doors ---- */

struct doors {
  weir_limiter *limiter;
  weir_runtime *runtime;
  int stop;
  uint64_t taken;
  uint64_t errors;
};

static void *decide_door(void *data) {
  struct doors *doors = data;
  while (!__atomic_load_n(&doors->stop, __ATOMIC_ACQUIRE)) {
    weir_permit permit = 0;
    weir_status status = weir_limiter_try_acquire(doors->limiter, 1, &permit, NULL);
    if (status == WEIR_ELIMITED) continue;
    if (status != WEIR_OK || weir_limiter_release(doors->limiter, permit) != WEIR_OK) {
      __atomic_add_fetch(&doors->errors, 1, __ATOMIC_RELAXED);
    }
    __atomic_add_fetch(&doors->taken, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

/* While other threads take and give permits through decide, every run gets its turn: no wake-up is
 * lost between a release and a run that begins to wait. */
static void L20_no_wake_up_is_lost_between_the_doors(struct fixture *fx) {
  enum { RUNS = SLOW_BUILD ? 300 : 3000, DECIDERS = 3 };
  for (int rated = 0; rated < 2; ++rated) {
    weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
    if (rated == 1) options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, INT32_MAX, 1);
    options.max_concurrent = 1;
    options.max_queue = WEIR_UNLIMITED;
    weir_limiter *limiter = make_limiter(fx, &options);
    struct script *work = scripted(fx, "v1");
    struct doors doors = {.limiter = limiter, .runtime = fx->runtime};
    pthread_t threads[DECIDERS];
    for (int i = 0; i < DECIDERS; ++i) {
      if (pthread_create(&threads[i], NULL, decide_door, &doors) != 0) abort();
    }
    struct run *last = NULL;
    for (int i = 0; i < RUNS; ++i) {
      last = begin_limited(fx, limiter, work, NULL);
      run_until_idle(fx);
    }
    /* Processed for as long as it takes; a lost wake-up would show as a test that does not end. */
    while (last->settled == 0 || stats_of(limiter).queued > 0) run_until_idle(fx);
    __atomic_store_n(&doors.stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < DECIDERS; ++i) pthread_join(threads[i], NULL);
    run_until_idle(fx);
    assert_int_equal(work->started, RUNS);
    assert_int_equal(doors.errors, 0);
    assert_int_equal(stats_of(limiter).concurrent, 0);
    weir_limiter_unref(limiter);
  }
}

struct meddling {
  weir_limiter *limiter;
  int stop;
  uint64_t errors;
};

static void *meddle(void *data) {
  struct meddling *meddling = data;
  uint64_t random = 55;
  while (!__atomic_load_n(&meddling->stop, __ATOMIC_ACQUIRE)) {
    weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, INT32_MAX, 1000);
    options.max_queue = WEIR_UNLIMITED;
    options.max_concurrent = 1 + (int64_t)(next_random(&random) % 3);
    weir_status status = WEIR_OK;
    switch (next_random(&random) % 4) {
      case 0:
        status = weir_limiter_set_options(meddling->limiter, &options, NULL);
        break;
      case 1:
        status = weir_limiter_pause(meddling->limiter);
        break;
      case 2:
        status = weir_limiter_refund(meddling->limiter, 1);
        break;
      default:
        status = weir_limiter_resume(meddling->limiter);
        break;
    }
    if (status != WEIR_OK) __atomic_add_fetch(&meddling->errors, 1, __ATOMIC_RELAXED);
  }
  weir_limiter_resume(meddling->limiter);
  return NULL;
}

static void pause_resume_and_options_from_threads_lose_nobody(struct fixture *fx) {
  enum { RUNS = SLOW_BUILD ? 500 : 5000 };
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, INT32_MAX, 1000);
  options.max_queue = WEIR_UNLIMITED;
  options.max_concurrent = 2;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "v1");
  struct meddling meddling = {.limiter = limiter};
  pthread_t thread;
  if (pthread_create(&thread, NULL, meddle, &meddling) != 0) abort();
  for (int i = 0; i < RUNS; ++i) {
    begin_limited(fx, limiter, work, NULL);
    if (i % 7 == 0) run_until_idle(fx);
  }
  run_until_idle(fx);
  __atomic_store_n(&meddling.stop, 1, __ATOMIC_RELEASE);
  pthread_join(thread, NULL);
  run_until_idle(fx);
  advance_ms(fx, 1);
  assert_int_equal(meddling.errors, 0);
  assert_int_equal(work->started, RUNS);
  assert_int_equal(stats_of(limiter).queued, 0);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

TEST_MAIN("limiter: threads", LONG_TEST(L08_threads_get_exactly_the_rate),
          LONG_TEST(L15_at_one_moment_all_threads_share_one_burst),
          LONG_TEST(refunds_from_threads_leave_the_whole_burst),
          LONG_TEST(L01_max_concurrent_holds_under_a_storm),
          LONG_TEST(L01_near_INT32_MAX_under_a_storm),
          LONG_TEST(L13_threads_share_each_keys_bucket),
          LONG_TEST(L13_a_hot_key_under_churn_gets_its_rate_at_most),
          LONG_TEST(L20_no_wake_up_is_lost_between_the_doors),
          LONG_TEST(pause_resume_and_options_from_threads_lose_nobody))
