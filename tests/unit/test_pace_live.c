/* SPDX-License-Identifier: MIT */
/* Debounce and throttle changed while calls are pending. */

#include "support_options.h"

static weir_debounce *make_debounce(struct fixture *fx, struct script *script, int64_t wait_ms) {
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  weir_debounce *debounce = NULL;
  options.wait_ms = wait_ms;
  assert_int_equal(weir_debounce_new(fx->runtime, script->operation, &options, &debounce, NULL),
                   WEIR_OK);
  return debounce;
}

static void set_wait(weir_debounce *debounce, int64_t wait_ms) {
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = wait_ms;
  assert_int_equal(weir_debounce_set_options(debounce, &options, NULL), WEIR_OK);
}

static void touch(weir_debounce *debounce) {
  assert_int_equal(weir_debounce_touch(debounce, NULL, 0, NULL), WEIR_OK);
}

static void what_is_pending_keeps_its_time_and_the_next_call_goes_by_the_new(struct fixture *fx) {
  struct script *save = scripted(fx, "v1");
  weir_debounce *debounce = make_debounce(fx, save, 1000);
  run_until_idle(fx);
  touch(debounce);
  set_wait(debounce, 50);
  advance_ms(fx, 999);
  assert_int_equal(save->started, 0);
  advance_ms(fx, 1);
  assert_int_equal(save->started, 1);
  touch(debounce);
  advance_ms(fx, 50);
  assert_int_equal(save->started, 2);
  weir_debounce_unref(debounce);
}

static void a_shorter_wait_is_kept_by_the_next_call_of_the_same_burst(struct fixture *fx) {
  static const int64_t waits[] = {10000, WEIR_FOREVER};
  for (size_t i = 0; i < COUNT_OF(waits); i++) {
    struct script *save = scripted(fx, "v1");
    weir_debounce *debounce = make_debounce(fx, save, waits[i]);
    run_until_idle(fx);
    touch(debounce); /* armed far away, or not at all */
    set_wait(debounce, 50);
    advance_ms(fx, 10);
    touch(debounce);
    advance_ms(fx, 49);
    assert_int_equal(save->started, 0);
    advance_ms(fx, 1);
    assert_int_equal(save->started, 1);
    weir_debounce_unref(debounce);
  }
}

static void a_longer_wait_holds_from_the_next_call(struct fixture *fx) {
  struct script *save = scripted(fx, "v1");
  weir_debounce *debounce = make_debounce(fx, save, 50);
  run_until_idle(fx);
  touch(debounce);
  set_wait(debounce, 500);
  touch(debounce);
  advance_ms(fx, 499);
  assert_int_equal(save->started, 0);
  advance_ms(fx, 1);
  assert_int_equal(save->started, 1);
  weir_debounce_unref(debounce);
}

static void a_throttles_interval_changes_from_its_next_run(struct fixture *fx) {
  struct script *report = scripted(fx, "v1");
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  weir_throttle *throttle = NULL;
  options.interval_ms = 100;
  assert_int_equal(weir_throttle_new(fx->runtime, report->operation, &options, &throttle, NULL),
                   WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), WEIR_OK); /* leads */
  assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), WEIR_OK); /* due at 100 */
  options.interval_ms = 20;
  assert_int_equal(weir_throttle_set_options(throttle, &options, NULL), WEIR_OK);
  advance_ms(fx, 99);
  assert_int_equal(report->started, 1);
  advance_ms(fx, 1);
  assert_int_equal(report->started, 2);
  assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), WEIR_OK);
  advance_ms(fx, 20);
  assert_int_equal(report->started, 3);
  weir_throttle_unref(throttle);
}

/* ---- from another thread --------------------------------------------------------------------- */

struct change {
  weir_debounce *debounce;
  weir_status status;
};

static void *shorten(void *data) {
  struct change *change = data;
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = 50;
  change->status = weir_debounce_set_options(change->debounce, &options, NULL);
  return NULL;
}

static void a_change_from_another_thread_takes_effect_on_the_runtimes(struct fixture *fx) {
  struct script *save = scripted(fx, "v1");
  weir_debounce *debounce = make_debounce(fx, save, 1000);
  run_until_idle(fx);
  struct change change = {debounce, WEIR_EINVAL};
  pthread_t thread;
  if (pthread_create(&thread, NULL, shorten, &change) != 0) abort();
  pthread_join(thread, NULL);
  assert_int_equal(change.status, WEIR_OK);
  run_until_idle(fx);
  touch(debounce);
  advance_ms(fx, 50);
  assert_int_equal(save->started, 1);
  weir_debounce_unref(debounce);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void C08_what_cannot_change_is_named_and_changes_nothing(struct fixture *fx) {
  struct script *save = scripted(fx, "v1");
  weir_debounce *debounce = make_debounce(fx, save, 50);
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  weir_debounce_options bad[8];
  static const char *const messages[COUNT_OF(bad)] = {
      "debounce.leading cannot change (is 0)",
      "debounce.trailing cannot change (is 1)",
      "debounce.superseded cannot change (is 0)",
      "debounce.overlap cannot change (is 0)",
      "debounce.policy cannot change (must be NULL)",
      "debounce.name cannot change (must be NULL)",
      "debounce.wait_ms must be at least 0, or -1 for forever (got -2)",
      "debounce.max_wait_ms must be at least wait_ms"};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    bad[i] = (weir_debounce_options)WEIR_DEBOUNCE_OPTIONS_INIT;
    bad[i].wait_ms = 9000;
  }
  bad[0].leading = 1;
  bad[1].trailing = 0;
  bad[2].superseded = WEIR_SUPERSEDED_SHARE;
  bad[3].overlap = WEIR_OVERLAP_CANCEL;
  bad[4].policy = weir_retry_policy(retry);
  bad[5].name = "other";
  bad[6].wait_ms = -2;
  bad[7].max_wait_ms = 1;
  weir_error *error = NULL;
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    assert_refused(weir_debounce_set_options(debounce, &bad[i], &error), WEIR_EINVAL, &error,
                   messages[i]);
  }
  assert_refused(weir_debounce_set_options(debounce, NULL, &error), WEIR_EINVAL, &error,
                 "debounce.options must not be NULL");
  assert_refused(weir_debounce_set_options(NULL, &bad[0], &error), WEIR_EINVAL, &error,
                 "debounce.debounce must not be NULL");
  assert_refused(weir_throttle_set_options(NULL, NULL, &error), WEIR_EINVAL, &error,
                 "throttle.options must not be NULL");
  run_until_idle(fx);
  touch(debounce);
  advance_ms(fx, 50);
  assert_int_equal(save->started, 1);
  weir_retry_unref(retry);
  weir_debounce_unref(debounce);
}

TEST_MAIN("pace live", TEST(what_is_pending_keeps_its_time_and_the_next_call_goes_by_the_new),
          TEST(a_shorter_wait_is_kept_by_the_next_call_of_the_same_burst),
          TEST(a_longer_wait_holds_from_the_next_call),
          TEST(a_throttles_interval_changes_from_its_next_run),
          LONG_TEST(a_change_from_another_thread_takes_effect_on_the_runtimes),
          TEST(C08_what_cannot_change_is_named_and_changes_nothing))
