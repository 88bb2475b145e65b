/* SPDX-License-Identifier: MIT */
/* The breaker's decide door on several threads at once: B05, B06, B15, B19. Threads record, the
 * body asserts; nothing depends on which of them is faster. */

#include "breaker.h"

#if defined(__SANITIZE_THREAD__)
#define SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLOW_BUILD 1
#endif
#endif
#ifndef SLOW_BUILD
#define SLOW_BUILD 0
#endif

enum { THREADS = 8 };

struct crowd {
  weir_breaker *breaker;
  pthread_barrier_t gate;
  int64_t now_ns;
  void (*act)(struct crowd *crowd, size_t self);
  weir_permit permits[THREADS];
  weir_status status[THREADS];
  weir_rejection rejections[THREADS];
};

struct member {
  struct crowd *crowd;
  size_t self;
};

static void *join_crowd(void *data) {
  struct member *member = data;
  pthread_barrier_wait(&member->crowd->gate);
  member->crowd->act(member->crowd, member->self);
  return NULL;
}

/* All threads do `act` as nearly at once as can be. */
static void together(struct crowd *crowd, void (*act)(struct crowd *crowd, size_t self)) {
  pthread_t threads[THREADS];
  struct member members[THREADS];
  crowd->act = act;
  pthread_barrier_init(&crowd->gate, NULL, THREADS);
  for (size_t i = 0; i < THREADS; i++) {
    members[i] = (struct member){crowd, i};
    if (pthread_create(&threads[i], NULL, join_crowd, &members[i]) != 0) abort();
  }
  for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&crowd->gate);
}

static void acquire_one(struct crowd *crowd, size_t self) {
  crowd->rejections[self] = (weir_rejection)WEIR_REJECTION_INIT;
  crowd->status[self] = weir_breaker_acquire_at(crowd->breaker, &crowd->permits[self],
                                                &crowd->rejections[self], crowd->now_ns);
}

static void report_failure(struct crowd *crowd, size_t self) {
  crowd->status[self] = weir_breaker_report_at(crowd->breaker, crowd->permits[self],
                                               WEIR_CLASS_FAILURE, 0, crowd->now_ns);
}

static size_t count_status(const struct crowd *crowd, weir_status status) {
  size_t count = 0;
  for (size_t i = 0; i < THREADS; i++) count += crowd->status[i] == status ? 1 : 0;
  return count;
}

static void B05_of_many_threads_exactly_the_trials_get_in_when_the_open_time_ends(
    struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  struct crowd crowd = {0};
  crowd.breaker = make_breaker(fx, &options);
  for (int round = 0; round < 300; round++) {
    crowd.now_ns = now_ns(fx);
    weir_permit permit = admitted(crowd.breaker);
    assert_int_equal(weir_breaker_report(crowd.breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
    advance_ms(fx, 60000);
    crowd.now_ns = now_ns(fx);
    together(&crowd, acquire_one);
    assert_int_equal(count_status(&crowd, WEIR_OK), 3);
    assert_int_equal(count_status(&crowd, WEIR_EOPEN), THREADS - 3);
    for (size_t i = 0; i < THREADS; i++) {
      if (crowd.status[i] == WEIR_OK) continue;
      assert_int_equal(crowd.rejections[i].retry_after_ms, 120000);
      assert_int_equal(crowd.rejections[i].failures, 1);
    }
    assert_int_equal(weir_breaker_reset(crowd.breaker), WEIR_OK);
    run_until_idle(fx);
  }
  assert_int_equal(stats_of(crowd.breaker).rejected, 300 * (THREADS - 3));
  weir_breaker_unref(crowd.breaker);
}

static void B06_failures_that_complete_together_make_one_opening_and_one_event(struct fixture *fx) {
  for (uint32_t mode = WEIR_BREAKER_CONSECUTIVE; mode <= WEIR_BREAKER_TIME_WINDOW; mode++) {
    struct changes *changes = fresh_changes();
    weir_breaker_options options = BREAKER_OPTIONS;
    options.mode = mode;
    options.failure_threshold = options.min_calls = THREADS / 2;
    options.on_state_change = note_change;
    options.change_data = changes;
    struct crowd crowd = {0};
    crowd.breaker = make_breaker(fx, &options);
    for (int round = 0; round < 100; round++) {
      changes->count = 0;
      crowd.now_ns = now_ns(fx);
      for (size_t i = 0; i < THREADS; i++) crowd.permits[i] = admitted(crowd.breaker);
      together(&crowd, report_failure);
      assert_int_equal(count_status(&crowd, WEIR_OK), THREADS / 2);
      assert_int_equal(count_status(&crowd, WEIR_ESTALE), THREADS - THREADS / 2);
      run_until_idle(fx);
      assert_int_equal(changes->count, 1);
      assert_int_equal(changes->list[0].to, WEIR_BREAKER_OPEN);
      assert_int_equal(stats_of(crowd.breaker).times_opened, round + 1);
      assert_int_equal(weir_breaker_reset(crowd.breaker), WEIR_OK);
      run_until_idle(fx);
    }
    weir_breaker_unref(crowd.breaker);
  }
}

/* ---- B15 ------------------------------------------------------------------------------------- */

struct deadline_check {
  weir_breaker *breaker;
  uint64_t round; /* even: between rounds; odd: open since now_ns, until a second later */
  int64_t now_ns;
  int done;
  uint64_t wrong;
  uint64_t seen;
};

static void *watch_deadline(void *data) {
  struct deadline_check *check = data;
  while (!__atomic_load_n(&check->done, __ATOMIC_ACQUIRE)) {
    uint64_t round = __atomic_load_n(&check->round, __ATOMIC_ACQUIRE);
    int64_t at_ns = __atomic_load_n(&check->now_ns, __ATOMIC_ACQUIRE) + SECOND - 1;
    weir_permit permit = 0;
    weir_rejection rejection = WEIR_REJECTION_INIT;
    weir_status status = weir_breaker_acquire_at(check->breaker, &permit, &rejection, at_ns);
    if (status == WEIR_OK) {
      weir_breaker_report_at(check->breaker, permit, WEIR_CLASS_ABANDON, 0, at_ns);
    }
    if (round % 2 == 0 || round != __atomic_load_n(&check->round, __ATOMIC_ACQUIRE)) continue;
    __atomic_fetch_add(&check->seen, 1, __ATOMIC_RELAXED);
    if (status != WEIR_EOPEN || rejection.retry_after_ns != 1) {
      __atomic_fetch_add(&check->wrong, 1, __ATOMIC_RELAXED);
    }
  }
  return NULL;
}

static void B15_no_reader_sees_open_with_an_older_deadline(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  options.reset_timeout_ms = 1000;
  options.half_open_max_calls = 32;
  struct deadline_check check = {0};
  check.breaker = make_breaker(fx, &options);
  int64_t time_ns = now_ns(fx);
  check.now_ns = time_ns;
  pthread_t readers[2];
  for (size_t i = 0; i < 2; i++) pthread_create(&readers[i], NULL, watch_deadline, &check);
  for (int round = 0; round < (SLOW_BUILD ? 2000 : 50000); round++) {
    time_ns += 10 * SECOND;
    weir_permit permit = 0;
    weir_status status = weir_breaker_acquire_at(check.breaker, &permit, NULL, time_ns);
    if (status == WEIR_OK) {
      weir_breaker_report_at(check.breaker, permit, WEIR_CLASS_FAILURE, 0, time_ns);
    }
    if (weir_breaker_state_at(check.breaker, time_ns) != WEIR_BREAKER_OPEN) continue;
    __atomic_store_n(&check.now_ns, time_ns, __ATOMIC_RELEASE);
    __atomic_fetch_add(&check.round, 1, __ATOMIC_ACQ_REL);
    for (int i = 0; i < 20; i++) weir_breaker_state_at(check.breaker, time_ns);
    __atomic_fetch_add(&check.round, 1, __ATOMIC_ACQ_REL);
  }
  __atomic_store_n(&check.done, 1, __ATOMIC_RELEASE);
  for (size_t i = 0; i < 2; i++) pthread_join(readers[i], NULL);
  assert_int_equal(check.wrong, 0);
  weir_breaker_unref(check.breaker);
}

/* ---- B19 ------------------------------------------------------------------------------------- */

struct reporter {
  weir_breaker *breaker;
  uint64_t reports;
  uint64_t seed;
  uint64_t succeeded, failed, ignored, stale, refused, invalid; /* as the statuses say */
};

static uint64_t draw(uint64_t *seed) {
  *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
  return *seed >> 33;
}

static void report_one(struct reporter *self, weir_permit permit, int64_t now_ns) {
  uint64_t number = draw(&self->seed) % 16;
  uint32_t class_ = number < 9    ? WEIR_CLASS_SUCCESS
                    : number < 15 ? WEIR_CLASS_FAILURE
                                  : WEIR_CLASS_IGNORE;
  weir_status status = weir_breaker_report_at(self->breaker, permit, class_, 0, now_ns);
  if (status == WEIR_ESTALE || status == WEIR_EEXPIRED) {
    self->stale++;
  } else if (status != WEIR_OK) {
    self->invalid++;
  } else if (class_ == WEIR_CLASS_SUCCESS) {
    self->succeeded++;
  } else if (class_ == WEIR_CLASS_FAILURE) {
    self->failed++;
  } else {
    self->ignored++;
  }
}

static void *report_all(void *data) {
  struct reporter *self = data;
  weir_permit held[16] = {0};
  int64_t now_ns = SECOND;
  uint64_t done = 0;
  while (done < self->reports) {
    now_ns += 1000;
    weir_permit *place = &held[draw(&self->seed) % COUNT_OF(held)];
    if (*place != 0) { /* some are held for a while, over changes of state */
      report_one(self, *place, now_ns);
      done++;
    }
    *place = 0;
    if (weir_breaker_acquire_at(self->breaker, place, NULL, now_ns) != WEIR_OK) self->refused++;
  }
  return NULL;
}

static void B19_ten_million_reports_on_two_threads_add_up_exactly(struct fixture *fx) {
  static const uint64_t reports[] = {8000000, 1000000, 1000000};
  for (uint32_t mode = WEIR_BREAKER_CONSECUTIVE; mode <= WEIR_BREAKER_TIME_WINDOW; mode++) {
    weir_breaker_options options = BREAKER_OPTIONS;
    options.mode = mode;
    options.failure_threshold = 6;
    options.failure_rate = 0.4; /* which is what they will be about */
    options.window_ms = 10;
    options.reset_timeout_ms = 1;
    options.trial_timeout_ms = 1;
    weir_breaker *breaker = make_breaker(fx, &options);
    struct reporter reporters[2] = {{0}, {0}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
      reporters[i].breaker = breaker;
      reporters[i].reports = reports[mode] / (SLOW_BUILD ? 20 : 2);
      reporters[i].seed = 17 + i;
      pthread_create(&threads[i], NULL, report_all, &reporters[i]);
    }
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    weir_breaker_stats stats = stats_of(breaker);
    const struct reporter *a = &reporters[0];
    const struct reporter *b = &reporters[1];
    assert_int_equal(a->invalid + b->invalid, 0);
    assert_int_equal(stats.succeeded, a->succeeded + b->succeeded);
    assert_int_equal(stats.failed, a->failed + b->failed);
    assert_int_equal(stats.ignored, a->ignored + b->ignored);
    assert_int_equal(stats.stale, a->stale + b->stale);
    assert_int_equal(stats.rejected, a->refused + b->refused);
    assert_true(stats.times_opened > 100);
    assert_true(stats.stale > 100);
    weir_breaker_unref(breaker);
  }
}

/* ---- everything at once ---------------------------------------------------------------------- */

struct storm {
  weir_breaker *breaker;
  int done;
};

static void *change_everything(void *data) {
  struct storm *storm = data;
  uint64_t seed = 5;
  weir_breaker_options options = BREAKER_OPTIONS;
  while (!__atomic_load_n(&storm->done, __ATOMIC_ACQUIRE)) {
    unsigned char bytes[WEIR_BREAKER_SNAPSHOT_SIZE];
    size_t size = sizeof bytes;
    weir_breaker_stats stats;
    stats.size = sizeof stats;
    options.mode = (uint32_t)(draw(&seed) % 3);
    options.half_open_max_calls = 3 + (uint32_t)(draw(&seed) % 5);
    options.reset_timeout_ms = 1;
    weir_breaker_set_options(storm->breaker, &options, NULL);
    weir_breaker_get_stats(storm->breaker, &stats);
    weir_breaker_snapshot(storm->breaker, bytes, &size);
    switch (draw(&seed) % 5) {
      case 0:
        weir_breaker_reset(storm->breaker);
        break;
      case 1:
        weir_breaker_isolate(storm->breaker);
        break;
      case 2:
        weir_breaker_force(storm->breaker, WEIR_BREAKER_METRICS_ONLY);
        break;
      case 3:
        weir_breaker_restore(storm->breaker, bytes, size, 0);
        break;
      default:
        break;
    }
    weir_breaker_force(storm->breaker, WEIR_BREAKER_CLOSED);
    while (weir_breaker_release(storm->breaker) == WEIR_OK) continue;
  }
  return NULL;
}

static void reports_stay_exact_while_everything_changes(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.on_state_change = note_change;
  options.change_data = changes;
  struct storm storm = {make_breaker(fx, &options), 0};
  struct reporter reporters[2] = {{0}, {0}};
  pthread_t threads[3];
  pthread_create(&threads[2], NULL, change_everything, &storm);
  for (size_t i = 0; i < 2; i++) {
    reporters[i].breaker = storm.breaker;
    reporters[i].reports = SLOW_BUILD ? 20000 : 500000;
    reporters[i].seed = 3 + i;
    pthread_create(&threads[i], NULL, report_all, &reporters[i]);
  }
  for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  __atomic_store_n(&storm.done, 1, __ATOMIC_RELEASE);
  pthread_join(threads[2], NULL);
  run_until_idle(fx);
  weir_breaker_stats stats = stats_of(storm.breaker);
  const struct reporter *a = &reporters[0];
  const struct reporter *b = &reporters[1];
  assert_int_equal(stats.succeeded, a->succeeded + b->succeeded);
  assert_int_equal(stats.failed, a->failed + b->failed);
  assert_int_equal(stats.ignored, a->ignored + b->ignored);
  assert_int_equal(stats.stale, a->stale + b->stale);
  assert_int_equal(stats.rejected, a->refused + b->refused);
  for (size_t i = 1; i < changes->count; i++) {
    assert_true(changes->list[i].sequence > changes->list[i - 1].sequence);
  }
  weir_breaker_unref(storm.breaker);
}

TEST_MAIN("breaker_threads",
          LONG_TEST(B05_of_many_threads_exactly_the_trials_get_in_when_the_open_time_ends),
          LONG_TEST(B06_failures_that_complete_together_make_one_opening_and_one_event),
          LONG_TEST(B15_no_reader_sees_open_with_an_older_deadline),
          LONG_TEST(B19_ten_million_reports_on_two_threads_add_up_exactly),
          LONG_TEST(reports_stay_exact_while_everything_changes))
