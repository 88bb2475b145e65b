/* SPDX-License-Identifier: MIT */
/* Adaptive concurrency, and the options: which are legal, what the messages say. */

#include "limiter_help.h"

static weir_limiter_options adaptive_options(uint32_t kind, int64_t begin) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.adaptive = kind;
  options.max_concurrent = begin;
  options.adaptive_max = 100;
  return options;
}

/* Holds as many permits as there are, up to 256. */
static int hold_all(weir_limiter *limiter, weir_permit *permits) {
  int held = 0;
  while (held < 256 && weir_limiter_try_acquire(limiter, 1, &permits[held], NULL) == WEIR_OK) {
    ++held;
  }
  return held;
}

/* Gives back `count` permits as calls that took `elapsed_ns`. */
static void give_back(weir_limiter *limiter, const weir_permit *permits, int count, uint32_t class_,
                      int64_t elapsed_ns) {
  for (int i = 0; i < count; ++i) {
    assert_int_equal(weir_limiter_release_with(limiter, permits[i], class_, elapsed_ns), WEIR_OK);
  }
}

/* A full round: all permits are held, then all are given back. The limit before it. */
static int busy_round(weir_limiter *limiter, uint32_t class_, int64_t elapsed_ns) {
  weir_permit permits[256];
  int held = hold_all(limiter, permits);
  give_back(limiter, permits, held, class_, elapsed_ns);
  return held;
}

/* Keeps all permits held and calls `samples` times in a row end and begin. */
static void steady(weir_limiter *limiter, int samples, uint32_t class_, int64_t elapsed_ns) {
  weir_permit permits[256];
  int held = hold_all(limiter, permits);
  for (int i = 0; i < samples; ++i) {
    int at = i % held;
    give_back(limiter, &permits[at], 1, class_, elapsed_ns);
    if (weir_limiter_try_acquire(limiter, 1, &permits[at], NULL) != WEIR_OK) {
      permits[at] = permits[--held];
    }
    while (held < 256 && weir_limiter_try_acquire(limiter, 1, &permits[held], NULL) == WEIR_OK) {
      ++held;
    }
  }
  give_back(limiter, permits, held, WEIR_CLASS_IGNORE, 0);
}

static void aimd_adds_one_after_a_full_round_of_good_calls(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 10);
  weir_limiter *limiter = make_limiter(fx, &options);
  assert_int_equal(stats_of(limiter).limit, 10);
  steady(limiter, 9, WEIR_CLASS_SUCCESS, MS);
  assert_int_equal(stats_of(limiter).limit, 10);
  steady(limiter, 1, WEIR_CLASS_SUCCESS, MS);
  assert_int_equal(stats_of(limiter).limit, 11);
  for (int i = 0; i < 40; ++i) steady(limiter, 400, WEIR_CLASS_SUCCESS, MS);
  assert_int_equal(stats_of(limiter).limit, 100);
  weir_limiter_unref(limiter);
}

static void aimd_shrinks_once_for_one_burst_of_failures(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 50);
  options.adaptive_backoff = 0.5;
  options.adaptive_min = 3;
  weir_limiter *limiter = make_limiter(fx, &options);
  /* 50 fail, all begun under the same limit: one decrease. */
  assert_int_equal(busy_round(limiter, WEIR_CLASS_FAILURE, MS), 50);
  assert_int_equal(stats_of(limiter).limit, 25);
  busy_round(limiter, WEIR_CLASS_FAILURE, MS);
  assert_int_equal(stats_of(limiter).limit, 12);
  for (int i = 0; i < 10; ++i) busy_round(limiter, WEIR_CLASS_FAILURE, MS);
  assert_int_equal(stats_of(limiter).limit, 3);
  weir_limiter_unref(limiter);
}

static void aimd_shrinks_by_one_at_least(struct fixture *fx) {
  for (int64_t begin = 2; begin < 100; ++begin) {
    weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, begin);
    options.adaptive_backoff = 0x1.fffffffffffffp-1; /* nearest to 1 */
    weir_limiter *limiter = make_limiter(fx, &options);
    busy_round(limiter, WEIR_CLASS_FAILURE, MS);
    assert_int_equal(stats_of(limiter).limit, begin - 1);
    weir_limiter_unref(limiter);
  }
}

static void aimd_counts_a_slow_call_as_overload(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 20);
  options.adaptive_latency_ms = 100;
  weir_limiter *limiter = make_limiter(fx, &options);
  steady(limiter, 5, WEIR_CLASS_SUCCESS, 100 * MS);
  assert_int_equal(stats_of(limiter).limit, 20);
  steady(limiter, 1, WEIR_CLASS_SUCCESS, 100 * MS + 1);
  assert_int_equal(stats_of(limiter).limit, 18);
  weir_limiter_unref(limiter);
}

static void samples_of_idle_periods_do_not_count(struct fixture *fx) {
  static const uint32_t kinds[] = {WEIR_ADAPTIVE_AIMD, WEIR_ADAPTIVE_GRADIENT};
  for (size_t k = 0; k < COUNT_OF(kinds); ++k) {
    weir_limiter_options options = adaptive_options(kinds[k], 20);
    weir_limiter *limiter = make_limiter(fx, &options);
    weir_permit permits[9];
    for (int round = 0; round < 200; ++round) {
      for (int i = 0; i < 9; ++i) {
        assert_int_equal(weir_limiter_try_acquire(limiter, 1, &permits[i], NULL), WEIR_OK);
      }
      give_back(limiter, permits, 9, round % 2 == 0 ? WEIR_CLASS_SUCCESS : WEIR_CLASS_FAILURE,
                round * MS);
    }
    assert_int_equal(stats_of(limiter).limit, 20);
    weir_limiter_unref(limiter);
  }
}

static void samples_from_before_a_change_do_not_count(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 10);
  weir_limiter *limiter = make_limiter(fx, &options);
  weir_permit permits[256];
  int held = hold_all(limiter, permits);
  assert_int_equal(held, 10);
  give_back(limiter, permits, 1, WEIR_CLASS_FAILURE, MS);
  assert_int_equal(stats_of(limiter).limit, 9);
  /* 9 more fail and would each take the limit down. */
  give_back(limiter, permits + 1, 4, WEIR_CLASS_FAILURE, MS);
  assert_int_equal(stats_of(limiter).limit, 9);
  /* Nor do they count as the good ones that take it up. */
  give_back(limiter, permits + 5, 5, WEIR_CLASS_SUCCESS, MS);
  steady(limiter, 8, WEIR_CLASS_SUCCESS, MS);
  assert_int_equal(stats_of(limiter).limit, 9);
  weir_limiter_unref(limiter);
}

static void ignored_abandoned_and_refused_calls_do_not_count(struct fixture *fx) {
  static const uint32_t classes[] = {WEIR_CLASS_NONE, WEIR_CLASS_REFUSAL, WEIR_CLASS_IGNORE,
                                     WEIR_CLASS_ABANDON};
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 10);
  weir_limiter *limiter = make_limiter(fx, &options);
  for (size_t i = 0; i < COUNT_OF(classes); ++i) steady(limiter, 100, classes[i], 1000 * MS);
  assert_int_equal(stats_of(limiter).limit, 10);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

static void gradient_grows_while_latency_is_steady_and_shrinks_when_it_rises(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_GRADIENT, 10);
  weir_limiter *limiter = make_limiter(fx, &options);
  for (int i = 0; i < 60; ++i) steady(limiter, 100, WEIR_CLASS_SUCCESS, 10 * MS);
  int64_t grown = stats_of(limiter).limit;
  assert_true(grown > 40);
  for (int i = 0; i < 20; ++i) steady(limiter, 100, WEIR_CLASS_SUCCESS, 200 * MS);
  int64_t shrunk = stats_of(limiter).limit;
  assert_true(shrunk < grown / 2);
  assert_true(shrunk >= 1);
  /* Failures shrink it however fast they are. */
  for (int i = 0; i < 60; ++i) steady(limiter, 100, WEIR_CLASS_SUCCESS, 10 * MS);
  grown = stats_of(limiter).limit;
  for (int i = 0; i < 20; ++i) steady(limiter, 100, WEIR_CLASS_FAILURE, MS);
  assert_true(stats_of(limiter).limit < grown / 2);
  weir_limiter_unref(limiter);
}

/* A service that becomes slower little by little is not overloaded: long-term latency follows. */
static void gradient_gets_used_to_what_rises_slowly(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_GRADIENT, 10);
  options.adaptive_max = 50;
  weir_limiter *limiter = make_limiter(fx, &options);
  for (int i = 0; i < 60; ++i) steady(limiter, 100, WEIR_CLASS_SUCCESS, 10 * MS);
  assert_int_equal(stats_of(limiter).limit, 50);
  for (int64_t ms = 12; ms < 40; ms += 2) {
    for (int i = 0; i < 60; ++i) steady(limiter, 100, WEIR_CLASS_SUCCESS, ms * MS);
    assert_int_equal(stats_of(limiter).limit, 50);
  }
  weir_limiter_unref(limiter);
}

/* One in three fails, for many windows: never most of one. */
static void gradient_judges_the_failures_of_each_window_by_themselves(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_GRADIENT, 10);
  weir_limiter *limiter = make_limiter(fx, &options);
  int64_t limit = 10;
  for (int i = 0; i < 100; ++i) {
    steady(limiter, 2, WEIR_CLASS_SUCCESS, 10 * MS);
    steady(limiter, 1, WEIR_CLASS_FAILURE, 10 * MS);
    assert_true(stats_of(limiter).limit >= limit);
    limit = stats_of(limiter).limit;
  }
  assert_true(limit > 12);
  weir_limiter_unref(limiter);
}

static void the_limit_stays_between_its_bounds(struct fixture *fx) {
  static const uint32_t kinds[] = {WEIR_ADAPTIVE_AIMD, WEIR_ADAPTIVE_GRADIENT};
  for (size_t k = 0; k < COUNT_OF(kinds); ++k) {
    weir_limiter_options options = adaptive_options(kinds[k], WEIR_UNLIMITED);
    options.adaptive_min = 4;
    options.adaptive_max = 32;
    weir_limiter *limiter = make_limiter(fx, &options);
    assert_int_equal(stats_of(limiter).limit, 20);
    uint64_t random = 4;
    for (int i = 0; i < 300; ++i) {
      steady(limiter, 50, next_random(&random) % 2 == 0 ? WEIR_CLASS_SUCCESS : WEIR_CLASS_FAILURE,
             (int64_t)(next_random(&random) % (uint64_t)SECOND));
      assert_in_range(stats_of(limiter).limit, 4, 32);
    }
    /* Heavier than the limit has become, but not than it may be: passes alone. */
    for (int i = 0; i < 100; ++i) busy_round(limiter, WEIR_CLASS_FAILURE, SECOND);
    assert_int_equal(stats_of(limiter).limit, 4);
    weir_permit permit = 0;
    assert_int_equal(weir_limiter_try_acquire(limiter, 32, &permit, NULL), WEIR_OK);
    assert_int_equal(weir_limiter_try_acquire(limiter, 1, NULL, NULL), WEIR_ELIMITED);
    assert_int_equal(weir_limiter_release(limiter, permit), WEIR_OK);
    assert_int_equal(weir_limiter_try_acquire(limiter, 33, NULL, NULL), WEIR_EINVAL);

    options.adaptive_min = 10;
    assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
    assert_int_equal(stats_of(limiter).limit, 10);
    weir_limiter_unref(limiter);
  }
}

static uint32_t everything_fails(void *data, const weir_outcome *outcome) {
  (void)outcome;
  ++*(unsigned *)data;
  return WEIR_CLASS_FAILURE;
}

static void runs_are_samples_as_classify_judges(struct fixture *fx) {
  static unsigned judged;
  static unsigned freed;
  judged = freed = 0;
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 4);
  options.classify = everything_fails;
  options.classify_data = &judged;
  options.classify_free_data = NULL;
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  for (int i = 0; i < 6; ++i) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(work->running, 4);
  advance_ms(fx, 10);
  end_attempt(fx, work, 0);
  assert_int_equal(judged, 1);
  assert_int_equal(stats_of(limiter).limit, 3);
  assert_int_equal(work->running, 3);
  end_attempt(fx, work, 1);
  assert_int_equal(stats_of(limiter).limit, 3);
  assert_int_equal(work->running, 3);
  weir_limiter_unref(limiter);
}

static void runs_raise_the_limit_and_start_who_waits(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 2);
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "v1+10");
  for (int i = 0; i < 60; ++i) begin_limited(fx, limiter, work, NULL);
  advance_ms(fx, 1000);
  assert_int_equal(work->started, 60);
  assert_true(work->max_running > 4);
  assert_int_equal(stats_of(limiter).concurrent, 0);
  weir_limiter_unref(limiter);
}

static void a_timeout_outside_is_a_failure(struct fixture *fx) {
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 4);
  weir_limiter *limiter = make_limiter(fx, &options);
  weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout_options.timeout_ms = 50;
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &timeout_options, &timeout, NULL), WEIR_OK);
  struct script *work = scripted(fx, "hang");
  weir_operation *limited = NULL;
  assert_int_equal(weir_policy_wrap(weir_limiter_policy(limiter), work->operation, &limited, NULL),
                   WEIR_OK);
  struct run *runs[4];
  for (int i = 0; i < 4; ++i) runs[i] = begin_under(fx, weir_timeout_policy(timeout), limited);
  run_until_idle(fx);
  /* A caller's cancel is not. */
  assert_int_equal(weir_call_cancel(runs[0]->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(stats_of(limiter).limit, 4);
  advance_ms(fx, 50);
  assert_int_equal(settled(runs[1])->status, WEIR_ETIMEDOUT);
  assert_int_equal(stats_of(limiter).limit, 3);
  weir_operation_unref(limited);
  weir_timeout_unref(timeout);
  weir_limiter_unref(limiter);
}

/* ---- options ---- */

#define BAD(field_value, part)                                                           \
  do {                                                                                   \
    weir_limiter_options bad_ = good;                                                    \
    weir_limiter *out_ = (weir_limiter *)1;                                              \
    weir_error *error_ = NULL;                                                           \
    bad_.field_value;                                                                    \
    assert_int_equal(weir_limiter_new(fx->runtime, &bad_, &out_, &error_), WEIR_EINVAL); \
    assert_null(out_);                                                                   \
    assert_message(error_, part);                                                        \
  } while (0)

static void C08_each_option_that_is_not_legal_is_named(struct fixture *fx) {
  weir_limiter_options good = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  BAD(permits = 0, "limiter.permits must be at least 1 (got 0)");
  BAD(permits = -2, "limiter.permits must be at least 1 (got -2)");
  BAD(permits = (int64_t)INT32_MAX + 1, "limiter.permits must be at most 2147483647");
  BAD(permits = INT64_MAX, "limiter.permits");
  BAD(permits = WEIR_OFF, "permits and interval_ms must be given together (got -1 and 1000)");
  BAD(interval_ms = WEIR_OFF, "permits and interval_ms must be given together");
  BAD(interval_ms = 0, "limiter.interval_ms must be at least 1 (got 0)");
  BAD(interval_ms = INT64_MIN, "limiter.interval_ms");
  BAD(interval_ms = INT64_MAX, "limiter.interval_ms must be at most");
  BAD(burst = 0, "limiter.burst must be at least 1, or -1 for as permits (got 0)");
  BAD(burst = INT64_MAX, "limiter.burst");
  BAD(algorithm = 3, "limiter.algorithm must be at most 2 (got 3)");
  BAD(max_concurrent = 0, "limiter.max_concurrent must be at least 1, or -1 for unlimited (got 0)");
  BAD(max_concurrent = INT64_MAX, "limiter.max_concurrent");
  BAD(max_queue = -2, "limiter.max_queue must be at least 0, or -1 for unlimited (got -2)");
  BAD(queue_timeout_ms = -2, "limiter.queue_timeout_ms must be at least 0, or -1 for forever");
  BAD(queue_order = 2, "limiter.queue_order");
  BAD(key_overflow = 2, "limiter.key_overflow");
  BAD(max_keys = -1, "limiter.max_keys must be at least 0 (got -1)");
  BAD(max_keys = INT64_MAX, "limiter.max_keys");
  BAD(adaptive = 3, "limiter.adaptive");
  BAD(early_release = 2, "limiter.early_release");
  BAD(adaptive_min = 0, "limiter.adaptive_min");
  BAD(adaptive_min = 1001, "limiter.adaptive_min must be at most 1000");
  BAD(adaptive_max = 0, "limiter.adaptive_max");
  BAD(adaptive_latency_ms = 0, "limiter.adaptive_latency_ms");
  BAD(adaptive_backoff = 0, "limiter.adaptive_backoff must be above 0 and below 1 (got 0)");
  BAD(adaptive_backoff = 1, "limiter.adaptive_backoff");
  BAD(adaptive_backoff = 0.0 / 0.0, "limiter.adaptive_backoff");
  BAD(adaptive_tolerance = 0.5, "limiter.adaptive_tolerance must be from 1 to 10 (got 0.5)");
  BAD(failures_count = 3, "limiter.failures must not be NULL");

  good.adaptive = WEIR_ADAPTIVE_AIMD;
  BAD(max_keys = 10, "limiter.adaptive cannot be combined with max_keys");
  BAD(max_concurrent = 1001, "limiter.max_concurrent must be at most 1000");
  good = rate_options(WEIR_LIMITER_FIXED_WINDOW, 10, 1000);
  BAD(burst = 10, "limiter.burst belongs to the token bucket");
  good = (weir_limiter_options)WEIR_LIMITER_OPTIONS_INIT;
  BAD(burst = 10, "limiter.burst needs permits and interval_ms");
}

static void C08_sizes_of_other_versions(struct fixture *fx) {
  struct {
    weir_limiter_options known;
    uint64_t later;
  } options = {WEIR_LIMITER_OPTIONS_INIT, 0};
  weir_limiter *limiter = NULL;
  weir_error *error = NULL;
  options.known.size = 0;
  assert_int_equal(weir_limiter_new(fx->runtime, &options.known, &limiter, &error), WEIR_EABI);
  assert_message(error, "size");
  options.known.size = sizeof(options);
  options.later = 1;
  assert_int_equal(weir_limiter_new(fx->runtime, &options.known, &limiter, NULL), WEIR_EABI);
  options.later = 0;
  options.known.max_concurrent = 5;
  assert_int_equal(weir_limiter_new(fx->runtime, &options.known, &limiter, NULL), WEIR_OK);
  assert_int_equal(stats_of(limiter).limit, 5);
  weir_limiter_unref(limiter);
  /* A shorter one has defaults for the rest. */
  options.known.size = offsetof(weir_limiter_options, max_concurrent);
  assert_int_equal(weir_limiter_new(fx->runtime, &options.known, &limiter, NULL), WEIR_OK);
  assert_int_equal(stats_of(limiter).limit, -1);
  weir_limiter_stats small = {.size = 24};
  assert_int_equal(weir_limiter_get_stats(limiter, &small), WEIR_OK);
  assert_int_equal(small.limit, 0);
  small.size = 0;
  assert_int_equal(weir_limiter_get_stats(limiter, &small), WEIR_EABI);
  weir_limiter_unref(limiter);

  weir_limiter_options defaults;
  weir_limiter_options expected = WEIR_LIMITER_OPTIONS_INIT;
  memset(&defaults, 0xff, sizeof(defaults));
  weir_limiter_options_init(&defaults, sizeof(defaults));
  assert_memory_equal(&defaults, &expected, sizeof(defaults));
  weir_limiter_options_init(NULL, sizeof(defaults));
}

static void C10_free_data_runs_once_on_every_path(struct fixture *fx) {
  static unsigned freed;
  freed = 0;
  static const weir_error_range range = {WEIR_DOMAIN_HTTP, 0, 500, 599};
  weir_limiter_options options = adaptive_options(WEIR_ADAPTIVE_AIMD, 5);
  options.classify = everything_fails;
  options.classify_data = &freed;
  options.classify_free_data = count_free;
  options.failures = &range;
  options.failures_count = 1;
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_limiter_new(NULL, &options, &limiter, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 1);
  assert_int_equal(weir_limiter_new(fx->runtime, &options, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 2);
  options.max_queue = -5;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 3);
  options.max_queue = 5;
  limiter = make_limiter(fx, &options);
  assert_int_equal(freed, 3);
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_EINVAL);
  assert_int_equal(freed, 4);
  weir_limiter_unref(limiter);
  assert_int_equal(freed, 5);
  options.size = 0;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_EABI);
  assert_int_equal(freed, 5);
}

#define FIXED(field_value, part)                                                      \
  do {                                                                                \
    weir_limiter_options bad_ = good;                                                 \
    weir_error *error_ = NULL;                                                        \
    bad_.field_value;                                                                 \
    assert_int_equal(weir_limiter_set_options(limiter, &bad_, &error_), WEIR_EINVAL); \
    assert_message(error_, part);                                                     \
  } while (0)

static void C08_what_cannot_change_is_named_and_nothing_changes(struct fixture *fx) {
  weir_limiter_options good = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000);
  good.max_concurrent = 5;
  weir_limiter *limiter = make_limiter(fx, &good);
  FIXED(algorithm = WEIR_LIMITER_FIXED_WINDOW, "limiter.algorithm cannot change");
  FIXED(max_keys = 10, "limiter.max_keys cannot change");
  FIXED(adaptive = WEIR_ADAPTIVE_AIMD, "limiter.adaptive cannot change");
  FIXED(queue_order = WEIR_LIMITER_PRIORITY, "limiter.queue_order cannot change");
  FIXED(name = "other", "limiter.name cannot change");
  const weir_error_range range = {WEIR_DOMAIN_HTTP, 0, 500, 599};
  FIXED(failures = &range, "limiter.failures cannot change");
  FIXED(failures_count = 1, "limiter.failures cannot change");
  FIXED(classify = everything_fails, "limiter.classify cannot change");
  FIXED(permits = 0, "limiter.permits must be at least 1 (got 0)");
  weir_limiter_options unrated = WEIR_LIMITER_OPTIONS_INIT;
  unrated.max_concurrent = 9;
  weir_error *error = NULL;
  assert_int_equal(weir_limiter_set_options(limiter, &unrated, &error), WEIR_EINVAL);
  assert_message(error, "limiter.permits cannot be turned on or off");
  assert_int_equal(weir_limiter_set_options(limiter, NULL, &error), WEIR_EINVAL);
  assert_message(error, "limiter.options must not be NULL");
  assert_int_equal(weir_limiter_set_options(NULL, &good, &error), WEIR_EINVAL);
  assert_message(error, "limiter.limiter must not be NULL");
  assert_int_equal(stats_of(limiter).limit, 5);
  assert_int_equal(stats_of(limiter).available, 10);
  weir_limiter_unref(limiter);

  good = (weir_limiter_options)WEIR_LIMITER_OPTIONS_INIT;
  good.max_keys = 10;
  good.max_concurrent = 3;
  limiter = make_limiter(fx, &good);
  FIXED(max_concurrent = WEIR_UNLIMITED, "limiter.max_concurrent of a keyed limiter");
  weir_limiter_unref(limiter);
}

static void C08_limits_that_are_not_legal_are_not_added(struct fixture *fx) {
  weir_limiter *limiter = make_limiter(fx, NULL);
  weir_error *error = NULL;
  assert_int_equal(weir_limiter_add_limit(limiter, 9, 1, 1, WEIR_OFF, &error), WEIR_EINVAL);
  assert_message(error, "limiter.algorithm");
  assert_int_equal(weir_limiter_add_limit(limiter, 0, 0, 1, WEIR_OFF, &error), WEIR_EINVAL);
  assert_message(error, "limiter.permits");
  assert_int_equal(weir_limiter_add_limit(limiter, 0, 1, 0, WEIR_OFF, &error), WEIR_EINVAL);
  assert_message(error, "limiter.interval_ms");
  assert_int_equal(weir_limiter_add_limit(limiter, 1, 1, 1, 5, &error), WEIR_EINVAL);
  assert_message(error, "limiter.burst");
  assert_int_equal(weir_limiter_add_limit(NULL, 0, 1, 1, WEIR_OFF, &error), WEIR_EINVAL);
  assert_message(error, "limiter.limiter");
  assert_int_equal(weir_limiter_available(limiter), INT64_MAX);
  weir_limiter_unref(limiter);
}

static void a_limiter_is_a_policy_with_a_name(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.name = "api";
  weir_limiter *limiter = make_limiter(fx, &options);
  assert_int_equal(weir_policy_kind(weir_limiter_policy(limiter)), WEIR_POLICY_LIMITER);
  assert_string_equal(weir_policy_name(weir_limiter_policy(limiter)), "api");
  assert_ptr_equal(weir_limiter_ref(limiter), limiter);
  weir_limiter_unref(limiter);
  weir_limiter_unref(limiter);
  assert_null(weir_limiter_ref(NULL));
}

TEST_MAIN("limiter: adaptive and options", TEST(aimd_adds_one_after_a_full_round_of_good_calls),
          TEST(aimd_shrinks_once_for_one_burst_of_failures), TEST(aimd_shrinks_by_one_at_least),
          TEST(aimd_counts_a_slow_call_as_overload), TEST(samples_of_idle_periods_do_not_count),
          TEST(samples_from_before_a_change_do_not_count),
          TEST(ignored_abandoned_and_refused_calls_do_not_count),
          LONG_TEST(gradient_grows_while_latency_is_steady_and_shrinks_when_it_rises),
          LONG_TEST(gradient_gets_used_to_what_rises_slowly),
          TEST(gradient_judges_the_failures_of_each_window_by_themselves),
          LONG_TEST(the_limit_stays_between_its_bounds), TEST(runs_are_samples_as_classify_judges),
          TEST(runs_raise_the_limit_and_start_who_waits), TEST(a_timeout_outside_is_a_failure),
          TEST(C08_each_option_that_is_not_legal_is_named), TEST(C08_sizes_of_other_versions),
          TEST(C10_free_data_runs_once_on_every_path),
          TEST(C08_what_cannot_change_is_named_and_nothing_changes),
          TEST(C08_limits_that_are_not_legal_are_not_added),
          TEST(a_limiter_is_a_policy_with_a_name))
