/* SPDX-License-Identifier: MIT */
/* Runs under a keyed limiter: each key has a queue of its own. */

#include "limiter_help.h"

static const uint32_t algorithms[] = {WEIR_LIMITER_TOKEN_BUCKET, WEIR_LIMITER_FIXED_WINDOW,
                                      WEIR_LIMITER_SLIDING_WINDOW};

static struct run *begin_keyed(struct fixture *fx, weir_limiter *limiter, struct script *script,
                               const char *key) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = key;
  options.key_size = key == NULL ? 0 : strlen(key);
  options.context = (void *)(uintptr_t)key;
  return begin_limited(fx, limiter, script, &options);
}

static void a_key_that_waits_does_not_block_others(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 1, 1000, 10, WEIR_LIMITER_DENY);
    struct script *work = scripted(fx, "v1");
    struct run *busy[4];
    for (int i = 0; i < 4; ++i) busy[i] = begin_keyed(fx, limiter, work, "busy");
    struct run *other = begin_keyed(fx, limiter, work, "other");
    run_until_idle(fx);
    assert_int_equal(settled(other)->status, WEIR_OK);
    assert_int_equal(stats_of(limiter).queued, 3);
    /* Decide is refused for the key that is waited for, and for no other. */
    weir_rejection rejection = WEIR_REJECTION_INIT;
    int64_t soon = now_ns(fx) + 1500 * MS;
    assert_int_equal(weir_limiter_try_acquire_key_at(limiter, "busy", 4, 1, NULL, &rejection, soon),
                     WEIR_ELIMITED);
    assert_int_equal(rejection.reason, WEIR_REJECTION_WAITERS);
    assert_int_equal(weir_limiter_try_acquire_key(limiter, "third", 5, 1, NULL, NULL), WEIR_OK);
    advance_ms(fx, 10000);
    for (int i = 0; i < 4; ++i) assert_int_equal(settled(busy[i])->status, WEIR_OK);
    assert_true(settled(busy[1])->order < settled(busy[2])->order);
    assert_true(settled(busy[3])->elapsed_ns >= 3 * SECOND);
    assert_int_equal(stats_of(limiter).queued, 0);
    weir_limiter_unref(limiter);
  }
}

static void L20_a_released_permit_goes_to_the_first_waiter_of_its_key(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.max_keys = 10;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  weir_permit permit = 0;
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "a", 1, 1, &permit, NULL), WEIR_OK);
  begin_keyed(fx, limiter, work, "b");
  struct run *first = begin_keyed(fx, limiter, work, "a");
  struct run *second = begin_keyed(fx, limiter, work, "a");
  struct run *other = begin_keyed(fx, limiter, work, "b");
  run_until_idle(fx);
  assert_int_equal(work->started, 1);
  assert_int_equal(weir_limiter_release_key(limiter, "a", 1, permit), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(work->started, 2);
  assert_string_equal((const char *)work->attempts[1].context, "a");
  /* The queue's place is in the first one's block: it leaves, and the queue goes on. */
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_pending(second);
  end_attempt(fx, work, 1);
  assert_int_equal(work->started, 3);
  end_attempt(fx, work, 2);
  assert_int_equal(settled(second)->status, WEIR_OK);
  assert_pending(other);
  end_attempt(fx, work, 0);
  end_attempt(fx, work, 3);
  assert_int_equal(settled(other)->status, WEIR_OK);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

/* The first one's block is used again, by runs of another key, while those behind it still wait. */
static void L20_a_queue_goes_on_when_its_first_waiter_is_gone(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.max_keys = 10;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  begin_keyed(fx, limiter, work, "a");
  struct run *first = begin_keyed(fx, limiter, work, "a");
  struct run *second = begin_keyed(fx, limiter, work, "a");
  struct run *other = begin_keyed(fx, limiter, work, "b");
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  weir_call_unref(first->call);
  first->call = NULL;
  struct run *others[8];
  for (size_t i = 0; i < COUNT_OF(others); ++i) others[i] = begin_keyed(fx, limiter, work, "b");
  run_until_idle(fx);
  assert_int_equal(stats_of(limiter).queued, 1 + COUNT_OF(others));
  end_attempt(fx, work, 0);
  assert_int_equal(work->started, 3);
  assert_string_equal((const char *)work->attempts[2].context, "a");
  for (size_t i = 1; i < COUNT_OF(others) + 3; ++i) end_attempt(fx, work, i);
  assert_int_equal(settled(second)->status, WEIR_OK);
  assert_int_equal(settled(other)->status, WEIR_OK);
  for (size_t i = 0; i < COUNT_OF(others); ++i) {
    assert_int_equal(settled(others[i])->status, WEIR_OK);
  }
  weir_limiter_unref(limiter);
}

static void L20_permits_released_together_start_as_many_waiters(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 2;
  options.max_keys = 10;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  weir_permit permits[2] = {0, 0};
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(weir_limiter_try_acquire_key(limiter, "a", 1, 1, &permits[i], NULL), WEIR_OK);
  }
  for (int i = 0; i < 3; ++i) begin_keyed(fx, limiter, work, "a");
  run_until_idle(fx);
  assert_int_equal(work->started, 0);
  /* Both come back before the engine has looked for waiters. */
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(weir_limiter_release_key(limiter, "a", 1, permits[i]), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(work->started, 2);
  for (size_t i = 0; i < 3; ++i) end_attempt(fx, work, i);
  assert_int_equal(work->started, 3);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

/* The permit comes back and its waiter leaves before the engine has come to either. */
static void L03_a_waiter_leaves_before_its_released_permit_arrives(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.max_keys = 10;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "v1");
  for (int waiters = 1; waiters <= 3; ++waiters) {
    weir_permit permit = 0;
    struct run *runs[3];
    assert_int_equal(weir_limiter_try_acquire_key(limiter, "a", 1, 1, &permit, NULL), WEIR_OK);
    for (int i = 0; i < waiters; ++i) runs[i] = begin_keyed(fx, limiter, work, "a");
    run_until_idle(fx);
    uint32_t started = work->started;
    assert_int_equal(weir_limiter_release_key(limiter, "a", 1, permit), WEIR_OK);
    assert_int_equal(weir_call_cancel(runs[0]->call), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(settled(runs[0])->status, WEIR_ECANCELLED);
    for (int i = 1; i < waiters; ++i) assert_int_equal(settled(runs[i])->status, WEIR_OK);
    assert_int_equal(work->started, started + (uint32_t)waiters - 1);
    assert_int_equal(stats_of(limiter).concurrent, 0);
  }
  weir_limiter_unref(limiter);
}

/* Waiters of many keys come and go in a random order; each key's run one at a time. */
static void keyed_queues_survive_any_order_of_leaving(struct fixture *fx) {
  enum { RUNS = 100, KEYS = 7 };
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.max_keys = KEYS;
  options.max_queue = WEIR_UNLIMITED;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  static const char *const keys[KEYS] = {"a", "b", "c", "d", "e", "f", "g"};
  struct run *runs[RUNS];
  uint64_t random = 5;
  for (int i = 0; i < RUNS; ++i) {
    runs[i] = begin_keyed(fx, limiter, work, keys[next_random(&random) % KEYS]);
  }
  run_until_idle(fx);
  assert_int_equal(work->started, KEYS);
  for (int i = 0; i < RUNS; ++i) {
    if (next_random(&random) % 3 == 0) (void)weir_call_cancel(runs[i]->call);
    if (next_random(&random) % 4 == 0) run_until_idle(fx);
    size_t index = next_random(&random) % work->started;
    if (!work->attempts[index].completed) end_attempt(fx, work, index);
    weir_limiter_stats stats = stats_of(limiter);
    assert_int_equal(stats.concurrent, work->running);
    assert_true(work->running <= KEYS);
  }
  for (size_t i = 0; i < work->started; ++i) {
    if (!work->attempts[i].completed) end_attempt(fx, work, i);
  }
  for (int i = 0; i < RUNS; ++i) settled(runs[i]);
  assert_int_equal(stats_of(limiter).queued, 0);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

static void L16_a_paused_keyed_limiter_resumes_every_key(struct fixture *fx) {
  weir_limiter *limiter = make_keyed(fx, WEIR_LIMITER_TOKEN_BUCKET, 5, 1000, 10, WEIR_LIMITER_DENY);
  struct script *work = scripted(fx, "v1");
  static const char *const keys[] = {"a", "b", "c", NULL};
  struct run *runs[8];
  assert_int_equal(weir_limiter_pause(limiter), WEIR_OK);
  for (int i = 0; i < 8; ++i) runs[i] = begin_keyed(fx, limiter, work, keys[i % 4]);
  run_until_idle(fx);
  assert_int_equal(work->started, 0);
  assert_int_equal(weir_limiter_resume(limiter), WEIR_OK);
  run_until_idle(fx);
  for (int i = 0; i < 8; ++i) assert_int_equal(settled(runs[i])->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void a_run_whose_key_has_no_place_is_refused(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 2, 1000, 1, WEIR_LIMITER_DENY);
    struct script *work = scripted(fx, "v1");
    begin_keyed(fx, limiter, work, "first");
    struct run *refused = begin_keyed(fx, limiter, work, "second");
    run_until_idle(fx);
    assert_refused(refused, WEIR_ELIMITED, WEIR_REJECTION_KEYS);
    assert_true(settled(refused)->retry_after_ms > 0);
    weir_limiter_unref(limiter);
  }
}

static void L19_by_key(struct fixture *fx) {
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 1, 1000, 10, WEIR_LIMITER_DENY);
    struct script *work = scripted(fx, "v1");
    for (int i = 0; i < 3; ++i) begin_keyed(fx, limiter, work, "k");
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.key = "k";
    options.key_size = 1;
    options.deadline_ms = 2500;
    struct run *late = begin_limited(fx, limiter, work, &options);
    options.key = "o";
    struct run *other = begin_limited(fx, limiter, work, &options);
    run_until_idle(fx);
    assert_refused(late, WEIR_ELIMITED, WEIR_REJECTION_NO_TIME);
    assert_int_equal(settled(other)->status, WEIR_OK);
    advance_ms(fx, 5000);
    weir_limiter_unref(limiter);
  }
}

struct evictions {
  uint64_t count;
  const weir_policy *policy;
};

static void hear_eviction(void *data, const weir_event *event) {
  struct evictions *evictions = data;
  if (event->kind != WEIR_EVENT_EVICTION) return;
  evictions->count += event->count;
  evictions->policy = event->policy;
}

static void evictions_are_events(struct fixture *fx) {
  static struct evictions evictions;
  evictions = (struct evictions){0};
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.on_event = hear_eviction;
  runtime_options.event_data = &evictions;
  remake_runtime(fx, &runtime_options);
  for (size_t a = 0; a < COUNT_OF(algorithms); ++a) {
    evictions.count = 0;
    weir_limiter *limiter = make_keyed(fx, algorithms[a], 10, 60000, 2, WEIR_LIMITER_EVICT);
    struct script *work = scripted(fx, "v1");
    static const char *const keys[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; ++i) begin_keyed(fx, limiter, work, keys[i]);
    run_until_idle(fx);
    assert_int_equal(evictions.count, 2);
    /* The decide door's are told in the next turn. */
    assert_int_equal(weir_limiter_try_acquire_key(limiter, "e", 1, 1, NULL, NULL), WEIR_OK);
    assert_int_equal(evictions.count, 2);
    run_until_idle(fx);
    assert_int_equal(evictions.count, 3);
    assert_ptr_equal(evictions.policy, weir_limiter_policy(limiter));
    weir_limiter_unref(limiter);
  }
}

TEST_MAIN("limiter: runs by key", TEST(a_key_that_waits_does_not_block_others),
          TEST(L20_a_released_permit_goes_to_the_first_waiter_of_its_key),
          TEST(L20_a_queue_goes_on_when_its_first_waiter_is_gone),
          TEST(L20_permits_released_together_start_as_many_waiters),
          TEST(L03_a_waiter_leaves_before_its_released_permit_arrives),
          LONG_TEST(keyed_queues_survive_any_order_of_leaving),
          TEST(L16_a_paused_keyed_limiter_resumes_every_key),
          TEST(a_run_whose_key_has_no_place_is_refused), TEST(L19_by_key),
          TEST(evictions_are_events))
