/* SPDX-License-Identifier: MIT */
/* Explained rejections of limiters; see test_rejections.c. */

#include "limiter_help.h"
#include "rejections.h"

static weir_limiter *make_named(struct fixture *fx, weir_limiter_options options) {
  options.name = "api";
  return make_limiter(fx, &options);
}

static weir_rejection denied(weir_limiter *limiter, uint32_t permits, uint32_t reason) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  weir_status status = weir_limiter_try_acquire(limiter, permits, NULL, &rejection);
  assert_int_not_equal(status, WEIR_OK);
  assert_int_equal(rejection.policy, WEIR_POLICY_LIMITER);
  assert_int_equal(rejection.reason, reason);
  assert_int_equal(rejection.requested, permits);
  assert_string_equal(rejection.name, "api");
  return rejection;
}

static void passes_exactly_then(struct fixture *fx, weir_limiter *limiter, uint32_t permits,
                                int64_t after_ns) {
  assert_true(after_ns > 0);
  int64_t then_ns = now_ns(fx) + after_ns;
  assert_false(passes(limiter, permits, then_ns - 1));
  assert_true(passes(limiter, permits, then_ns));
}

static const weir_rejection *refused(const struct run *run, weir_status status, uint32_t reason) {
  assert_refused(run, status, reason);
  assert_string_equal(settled(run)->rejection.name, "api");
  return &settled(run)->rejection;
}

static void no_permit_in_this_interval(struct fixture *fx) {
  for (uint32_t kind = WEIR_LIMITER_TOKEN_BUCKET; kind <= WEIR_LIMITER_SLIDING_WINDOW; kind++) {
    weir_limiter_options options = rate_options(kind, 10, 1000);
    options.max_queue = 0;
    weir_limiter *limiter = make_named(fx, options);
    assert_true(passes(limiter, 8, now_ns(fx)));
    weir_rejection rejection = denied(limiter, 3, WEIR_REJECTION_RATE);
    assert_int_equal(rejection.available, 2);
    assert_int_equal(rejection.available, weir_limiter_available(limiter));
    assert_int_equal(rejection.limit, 10);
    assert_int_equal(rejection.interval_ns, SECOND);
    char sentence[128];
    snprintf(sentence, sizeof sentence,
             "limiter 'api' has 2 permits of the 3 asked for (10 in 1000 ms); try again in %.12g "
             "ms",
             (double)rejection.retry_after_ns / 1e6);
    assert_sentence(&rejection, sentence);
    struct run *run = begin_limited(fx, limiter, scripted(fx, "v1"),
                                    &(weir_run_options){.size = sizeof(weir_run_options),
                                                        .deadline_ms = WEIR_FOREVER,
                                                        .permits = 3,
                                                        .priority = 31});
    run_until_idle(fx);
    const weir_rejection *shown = refused(run, WEIR_ELIMITED, WEIR_REJECTION_RATE);
    assert_memory_equal(shown, &rejection, sizeof rejection);
    passes_exactly_then(fx, limiter, 3, rejection.retry_after_ns);
    weir_limiter_unref(limiter);
  }
}

static void of_two_rates_the_one_that_waits_longest_is_shown(struct fixture *fx) {
  weir_limiter *limiter = make_named(fx, rate_options(WEIR_LIMITER_TOKEN_BUCKET, 10, 1000));
  assert_int_equal(
      weir_limiter_add_limit(limiter, WEIR_LIMITER_FIXED_WINDOW, 15, 60000, WEIR_OFF, NULL),
      WEIR_OK);
  assert_true(passes(limiter, 10, now_ns(fx)));
  weir_rejection rejection = denied(limiter, 6, WEIR_REJECTION_RATE);
  assert_int_equal(rejection.limit, 15);
  assert_int_equal(rejection.available, 5);
  assert_int_equal(rejection.interval_ns, 60 * SECOND);
  passes_exactly_then(fx, limiter, 6, rejection.retry_after_ns);
  weir_limiter_unref(limiter);
}

static void a_key_has_no_permit(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_TOKEN_BUCKET, 4, 1000);
  options.max_keys = 10;
  weir_limiter *limiter = make_named(fx, options);
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 4, NULL, NULL), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "k", 1, 1, NULL, &rejection),
                   WEIR_ELIMITED);
  assert_sentence(&rejection,
                  "limiter 'api' has 0 permits of the 1 asked for (4 in 1000 ms); try again in "
                  "250 ms");
  int64_t then_ns = now_ns(fx) + rejection.retry_after_ns;
  assert_int_equal(weir_limiter_try_acquire_key_at(limiter, "k", 1, 1, NULL, NULL, then_ns - 1),
                   WEIR_ELIMITED);
  assert_int_equal(weir_limiter_try_acquire_key_at(limiter, "k", 1, 1, NULL, NULL, then_ns),
                   WEIR_OK);
  weir_limiter_unref(limiter);
}

static void all_permits_are_held(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 5;
  weir_limiter *limiter = make_named(fx, options);
  weir_permit held = 0;
  assert_int_equal(weir_limiter_try_acquire(limiter, 4, &held, NULL), WEIR_OK);
  weir_rejection rejection = WEIR_REJECTION_INIT;
  weir_permit permit = 0;
  assert_int_equal(weir_limiter_try_acquire(limiter, 2, &permit, &rejection), WEIR_ELIMITED);
  assert_int_equal(rejection.reason, WEIR_REJECTION_CONCURRENCY);
  assert_int_equal(rejection.available, 5 - stats_of(limiter).concurrent);
  assert_int_equal(rejection.limit, stats_of(limiter).limit);
  assert_int_equal(rejection.retry_after_ns, -1);
  assert_sentence(&rejection,
                  "limiter 'api' has 1 permit of the 2 asked for (5 at once); nobody can know when "
                  "to try again");
  assert_int_equal(weir_limiter_release(limiter, held), WEIR_OK);
  assert_int_equal(weir_limiter_try_acquire(limiter, 2, &permit, &rejection), WEIR_OK);
  assert_int_equal(weir_limiter_release(limiter, permit), WEIR_OK);
  weir_limiter_unref(limiter);
}

/* One permit a second, waited for by `max_queue`. */
static weir_limiter *make_queued(struct fixture *fx, int64_t max_queue, int64_t timeout_ms) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 1, 1000);
  options.max_queue = max_queue;
  options.queue_timeout_ms = timeout_ms;
  return make_named(fx, options);
}

static void the_queue_is_full(struct fixture *fx) {
  weir_limiter *limiter = make_queued(fx, 2, WEIR_FOREVER);
  struct script *work = scripted(fx, "v1");
  for (int i = 0; i < 3; i++) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  advance_ms(fx, 400);
  struct run *run = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  const weir_rejection *rejection = refused(run, WEIR_EFULL, WEIR_REJECTION_QUEUE_FULL);
  assert_int_equal(rejection->queued, stats_of(limiter).queued);
  assert_int_equal(rejection->queued, 2);
  assert_int_equal(rejection->limit, 2);
  assert_int_equal(rejection->retry_after_ms, 600);
  assert_sentence(rejection,
                  "limiter 'api': its queue is full (2 wait, at most 2); try again in 600 ms");
  advance_ns(fx, rejection->retry_after_ns);
  struct run *again = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_pending(again);
  advance_ms(fx, 2000);
  assert_int_equal(settled(again)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void it_waited_too_long(struct fixture *fx) {
  weir_limiter *limiter = make_queued(fx, 2, 300);
  struct script *work = scripted(fx, "v1");
  begin_limited(fx, limiter, work, NULL);
  struct run *late = begin_limited(fx, limiter, work, NULL);
  advance_ms(fx, 300);
  const weir_rejection *rejection = refused(late, WEIR_ELIMITED, WEIR_REJECTION_QUEUE_TIMEOUT);
  assert_int_equal(rejection->waited_ns, 300 * MS);
  assert_int_equal(rejection->requested, 1);
  assert_int_equal(rejection->queued, 0);
  assert_int_equal(rejection->retry_after_ms, 700);
  assert_sentence(rejection,
                  "limiter 'api': 1 permit could not be had in 300 ms of waiting; try again in 700 "
                  "ms");
  passes_exactly_then(fx, limiter, 1, rejection->retry_after_ns);
  weir_limiter_unref(limiter);
}

static void it_is_paused(struct fixture *fx) {
  weir_limiter *limiter = make_queued(fx, 0, WEIR_FOREVER);
  assert_int_equal(weir_limiter_pause(limiter), WEIR_OK);
  weir_rejection rejection = denied(limiter, 1, WEIR_REJECTION_PAUSED);
  assert_int_equal(rejection.retry_after_ns, -1);
  assert_sentence(&rejection, "limiter 'api' is paused; nobody can know when to try again");
  struct run *run = begin_limited(fx, limiter, scripted(fx, "v1"), NULL);
  run_until_idle(fx);
  refused(run, WEIR_ELIMITED, WEIR_REJECTION_PAUSED);
  assert_int_equal(weir_limiter_resume(limiter), WEIR_OK);
  assert_true(passes(limiter, 1, now_ns(fx)));
  weir_limiter_unref(limiter);
}

static void more_is_asked_for_than_it_can_ever_give(struct fixture *fx) {
  weir_limiter *limiter = make_queued(fx, 2, WEIR_FOREVER);
  weir_rejection rejection = denied(limiter, 2, WEIR_REJECTION_WEIGHT);
  assert_int_equal(rejection.status, WEIR_EINVAL);
  assert_int_equal(rejection.limit, 1);
  assert_int_equal(rejection.retry_after_ns, -1);
  assert_sentence(&rejection,
                  "limiter 'api' was asked for 2 permits and can give 1 at most; nobody can know "
                  "when to try again");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.permits = 2;
  struct script *work = scripted(fx, "v1");
  begin_limited(fx, limiter, work, NULL);
  begin_limited(fx, limiter, work, NULL); /* waits */
  struct run *heavy = begin_limited(fx, limiter, work, &options);
  run_until_idle(fx);
  const weir_rejection *shown = refused(heavy, WEIR_ELIMITED, WEIR_REJECTION_WEIGHT);
  assert_int_equal(shown->limit, 1);
  assert_int_equal(shown->requested, 2);
  weir_limiter_unref(limiter);
}

static void all_keys_are_in_use(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 1, 1000);
  options.max_keys = 2;
  options.key_overflow = WEIR_LIMITER_DENY;
  weir_limiter *limiter = make_named(fx, options);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "a", 1, 1, NULL, NULL), WEIR_OK);
  advance_ms(fx, 400);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "b", 1, 1, NULL, NULL), WEIR_OK);
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "c", 1, 1, NULL, &rejection),
                   WEIR_ELIMITED);
  assert_int_equal(rejection.reason, WEIR_REJECTION_KEYS);
  assert_int_equal(rejection.limit, 2);
  assert_int_equal(stats_of(limiter).keys, 2);
  char sentence[128];
  snprintf(sentence, sizeof sentence,
           "limiter 'api' has no room for another key (all 2 are in use); try again in %.12g ms",
           (double)rejection.retry_after_ns / 1e6);
  assert_sentence(&rejection, sentence);
  assert_true(rejection.retry_after_ns > 0);
  advance_ns(fx, rejection.retry_after_ns);
  assert_int_equal(weir_limiter_try_acquire_key(limiter, "c", 1, 1, NULL, NULL), WEIR_OK);
  weir_limiter_unref(limiter);
}

static void the_wait_does_not_fit_the_deadline(struct fixture *fx) {
  weir_limiter *limiter = make_queued(fx, 5, WEIR_FOREVER);
  struct script *work = scripted(fx, "v1");
  begin_limited(fx, limiter, work, NULL);
  begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 100;
  struct run *run = begin_limited(fx, limiter, work, &options);
  run_until_idle(fx);
  const weir_rejection *rejection = refused(run, WEIR_ELIMITED, WEIR_REJECTION_NO_TIME);
  assert_int_equal(rejection->remaining_ns, 100 * MS);
  assert_int_equal(rejection->retry_after_ms, 2000);
  assert_int_equal(rejection->queued, 1);
  assert_sentence(rejection,
                  "limiter 'api': a wait of 2000 ms does not fit the 100 ms left; try again in "
                  "2000 ms");
  advance_ns(fx, rejection->retry_after_ns);
  struct run *again = begin_limited(fx, limiter, work, &options);
  run_until_idle(fx);
  assert_int_equal(settled(again)->status, WEIR_OK);
  weir_limiter_unref(limiter);
}

static void others_wait(struct fixture *fx) {
  weir_limiter *limiter = make_queued(fx, 5, WEIR_FOREVER);
  struct script *work = scripted(fx, "v1");
  for (int i = 0; i < 3; i++) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  weir_rejection rejection = denied(limiter, 1, WEIR_REJECTION_WAITERS);
  assert_int_equal(rejection.queued, 2);
  assert_int_equal(rejection.queued, stats_of(limiter).queued);
  assert_int_equal(rejection.retry_after_ms, 3000);
  assert_sentence(&rejection,
                  "limiter 'api' lets nobody pass the 2 that wait; try again in 3000 ms");
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 1, 1000);
  options.max_queue = 0;
  assert_int_equal(weir_limiter_set_options(limiter, &options, NULL), WEIR_OK);
  struct run *run = begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  const weir_rejection *shown = refused(run, WEIR_ELIMITED, WEIR_REJECTION_WAITERS);
  assert_int_equal(shown->retry_after_ms, 3000);
  assert_int_equal(shown->limit, rejection.limit);
  advance_ns(fx, rejection.retry_after_ns - 1);
  assert_false(passes(limiter, 1, now_ns(fx)));
  advance_ns(fx, 1);
  assert_true(passes(limiter, 1, now_ns(fx)));
  weir_limiter_unref(limiter);
}

TEST_MAIN("rejections_limiter", TEST(no_permit_in_this_interval),
          TEST(of_two_rates_the_one_that_waits_longest_is_shown), TEST(a_key_has_no_permit),
          TEST(all_permits_are_held), TEST(the_queue_is_full), TEST(it_waited_too_long),
          TEST(it_is_paused), TEST(more_is_asked_for_than_it_can_ever_give),
          TEST(all_keys_are_in_use), TEST(the_wait_does_not_fit_the_deadline), TEST(others_wait))
