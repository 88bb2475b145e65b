/* SPDX-License-Identifier: MIT */
/* A limiter of concurrency by its short name. */

#include "limiter_help.h"

static weir_limiter *make_bulkhead(struct fixture *fx, int64_t max_concurrent,
                                   int64_t queue_limit) {
  weir_limiter *bulkhead = NULL;
  assert_int_equal(
      weir_bulkhead_new(fx->runtime, max_concurrent, queue_limit, "files", &bulkhead, NULL),
      WEIR_OK);
  return bulkhead;
}

static void runs_beyond_both_bounds_are_refused(struct fixture *fx) {
  weir_limiter *bulkhead = make_bulkhead(fx, 2, 1);
  struct script *read = scripted(fx, "hang");
  struct run *runs[4];
  for (size_t i = 0; i < 4; i++) runs[i] = begin_limited(fx, bulkhead, read, NULL);
  run_until_idle(fx);
  assert_int_equal(read->started, 2);
  assert_refused(runs[3], WEIR_EFULL, WEIR_REJECTION_QUEUE_FULL);
  assert_int_equal(settled(runs[3])->rejection.queued, 1);
  assert_string_equal(settled(runs[3])->rejection.name, "files");
  end_attempt(fx, read, 0);
  assert_int_equal(read->started, 3); /* the one that waited */
  assert_pending(runs[2]);
  end_attempt(fx, read, 1);
  end_attempt(fx, read, 2);
  for (size_t i = 0; i < 3; i++) assert_int_equal(settled(runs[i])->value, 1);
  assert_int_equal(read->max_running, 2);
  weir_limiter_unref(bulkhead);
}

static void without_a_queue_the_next_is_refused_at_once(struct fixture *fx) {
  weir_limiter *bulkhead = make_bulkhead(fx, 1, 0);
  struct script *read = scripted(fx, "hang");
  begin_limited(fx, bulkhead, read, NULL);
  run_until_idle(fx);
  struct run *second = begin_limited(fx, bulkhead, read, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(second)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(second)->attempts, 0);
  assert_int_equal(settled(second)->elapsed_ns, 0);
  weir_limiter_unref(bulkhead);
}

static void it_is_a_limiter_and_all_of_a_limiter_works_on_it(struct fixture *fx) {
  weir_limiter *bulkhead = make_bulkhead(fx, 2, WEIR_UNLIMITED);
  weir_policy *policy = weir_limiter_policy(bulkhead);
  assert_int_equal(weir_policy_kind(policy), WEIR_POLICY_LIMITER);
  assert_string_equal(weir_policy_name(policy), "files");
  weir_permit permit = 0;
  assert_int_equal(weir_limiter_try_acquire(bulkhead, 1, &permit, NULL), WEIR_OK);
  assert_int_equal(stats_of(bulkhead).concurrent, 1);
  assert_int_equal(stats_of(bulkhead).limit, 2);
  assert_int_equal(weir_limiter_release(bulkhead, permit), WEIR_OK);
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 3;
  assert_int_equal(weir_limiter_set_options(bulkhead, &options, NULL), WEIR_OK);
  assert_int_equal(stats_of(bulkhead).limit, 3);
  weir_limiter_unref(bulkhead);
}

static void C08_each_wrong_argument_is_named(struct fixture *fx) {
  static const struct {
    int64_t max_concurrent;
    int64_t queue_limit;
    const char *message;
  } wrong[] = {
      {0, 1, "bulkhead.max_concurrent must be at least 1 (got 0)"},
      {WEIR_UNLIMITED, 1, "bulkhead.max_concurrent must be at least 1 (got -1)"},
      {INT64_C(1) << 31, 1, "bulkhead.max_concurrent must be at most 2147483647"},
      {1, -2, "bulkhead.queue_limit must be at least 0, or -1 for unlimited (got -2)"},
      {INT64_MIN, INT64_MIN, "bulkhead.max_concurrent"},
  };
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    weir_limiter *bulkhead = (weir_limiter *)fx;
    weir_error *error = NULL;
    assert_int_equal(weir_bulkhead_new(fx->runtime, wrong[i].max_concurrent, wrong[i].queue_limit,
                                       NULL, &bulkhead, &error),
                     WEIR_EINVAL);
    assert_null(bulkhead);
    assert_message(error, wrong[i].message);
  }
  weir_limiter *bulkhead = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_bulkhead_new(NULL, 1, 1, NULL, &bulkhead, &error), WEIR_EINVAL);
  assert_message(error, "bulkhead.runtime must not be NULL");
  error = NULL;
  assert_int_equal(weir_bulkhead_new(fx->runtime, 1, 1, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "bulkhead.out must not be NULL");
  assert_int_equal(weir_bulkhead_new(fx->runtime, 0, 1, NULL, &bulkhead, NULL), WEIR_EINVAL);
}

TEST_MAIN("bulkhead", TEST(runs_beyond_both_bounds_are_refused),
          TEST(without_a_queue_the_next_is_refused_at_once),
          TEST(it_is_a_limiter_and_all_of_a_limiter_works_on_it),
          TEST(C08_each_wrong_argument_is_named))
