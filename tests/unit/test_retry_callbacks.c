/* SPDX-License-Identifier: MIT */
/* Who is asked and told by a retry, and what they may do meanwhile. */

#include "support_retry.h"

/* ---- callbacks ---- */

struct notes {
  struct fixture *fx;
  struct run *run;
  unsigned calls;
  uint32_t attempts[8];
  int64_t delays_ns[8];
  int64_t codes[8];
  int64_t at_ns[8];
  int32_t answer;
  weir_policy *policy; /* given back when told to */
  enum { DO_NOTHING, CANCEL, CLOSE, UNREF, UNREF_RUNTIME } deed;
};

static void do_deed(struct notes *notes) {
  weir_policy *policy = notes->policy;
  weir_runtime *runtime = notes->fx->runtime;
  switch (notes->deed) {
    case DO_NOTHING:
      break;
    case CANCEL:
      weir_call_cancel(notes->run->call);
      break;
    case CLOSE:
      weir_runtime_close(runtime);
      break;
    case UNREF:
      notes->policy = NULL;
      weir_policy_unref(policy);
      break;
    case UNREF_RUNTIME:
      notes->fx->runtime = NULL;
      weir_runtime_unref(runtime);
      break;
  }
}

static void note(struct notes *notes, uint32_t attempt, int64_t delay_ns,
                 const weir_outcome *outcome) {
  unsigned i = notes->calls++;
  if (i < COUNT_OF(notes->attempts)) {
    notes->attempts[i] = attempt;
    notes->delays_ns[i] = delay_ns;
    notes->codes[i] = weir_error_code(outcome->error);
    notes->at_ns[i] = now_ns(notes->fx);
  }
  do_deed(notes);
}

static void on_retry(void *data, uint32_t attempt, int64_t delay_ns, const weir_outcome *outcome) {
  note(data, attempt, delay_ns, outcome);
}

static int32_t should_retry(void *data, const weir_outcome *outcome, uint32_t attempt) {
  note(data, attempt, -1, outcome);
  return ((struct notes *)data)->answer;
}

static uint32_t classify(void *data, const weir_outcome *outcome) {
  note(data, outcome->attempts, -1, outcome);
  return WEIR_CLASS_NONE;
}

static void on_retry_is_told_before_each_wait_and_not_after_the_last_try(struct fixture *fx) {
  struct notes notes = {.fx = fx};
  weir_retry_options options = plain(3, 100);
  options.backoff = WEIR_BACKOFF_LINEAR;
  options.on_retry = on_retry;
  options.on_retry_data = &notes;
  struct script *fetch = scripted(fx, "f500 f501 f502");
  int64_t begun_ns = now_ns(fx);
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(notes.calls, 2);
  assert_int_equal(notes.attempts[0], 1);
  assert_int_equal(notes.attempts[1], 2);
  assert_int_equal(notes.delays_ns[0], 100 * MS);
  assert_int_equal(notes.delays_ns[1], 200 * MS);
  assert_int_equal(notes.codes[0], 500);
  assert_int_equal(notes.codes[1], 501);
  assert_int_equal(notes.at_ns[0], begun_ns);
  assert_int_equal(notes.at_ns[1], begun_ns + 100 * MS);
}

static void should_retry_is_asked_for_each_failure_and_may_stop(struct fixture *fx) {
  struct notes notes = {.fx = fx, .answer = 0};
  weir_retry_options options = plain(3, 100);
  options.should_retry = should_retry;
  options.should_retry_data = &notes;
  struct script *fetch = scripted(fx, "f404 v2");
  struct run *run = begin_retried(fx, &options, fetch);
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 404);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_CLASSIFIED);
  assert_int_equal(notes.calls, 1);
  assert_int_equal(notes.attempts[0], 1);
  notes.answer = 1;
  fetch = scripted(fx, "f500 f501 v2");
  run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(notes.calls, 3); /* not for the success */
  assert_int_equal(notes.attempts[2], 2);
}

static void a_final_failure_stops_at_once_and_nobody_is_asked(struct fixture *fx) {
  struct notes notes = {.fx = fx, .answer = 1};
  weir_retry_options options = plain(3, 100);
  options.should_retry = should_retry;
  options.should_retry_data = &notes;
  struct script *fetch = scripted(fx, "f500 F501 v2");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->code, 501);
  assert_int_equal(settled(run)->final, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_FINAL);
  assert_int_equal(settled(run)->attempts, 2);
  assert_int_equal(notes.calls, 1);
}

static void a_final_failure_is_not_retried_by_any_layer(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  weir_retry *outer = make_retry(fx, &options);
  weir_retry *inner = make_retry(fx, &options);
  struct script *fetch = scripted(fx, "F501 v2");
  weir_operation *wrapped = NULL;
  assert_int_equal(weir_policy_wrap(weir_retry_policy(inner), fetch->operation, &wrapped, NULL),
                   WEIR_OK);
  struct run *run = begin_under(fx, weir_retry_policy(outer), wrapped);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->attempts, 1);
  weir_operation_unref(wrapped);
  weir_retry_unref(inner);
  weir_retry_unref(outer);
}

static void an_empty_list_of_ranges_is_none(struct fixture *fx) {
  const weir_error_range unused = {WEIR_DOMAIN_HTTP, 0, 429, 429};
  weir_retry_options options = plain(5, 1);
  options.failures = &unused;
  options.failures_count = 0;
  struct run *run = begin_retried(fx, &options, scripted(fx, "f500 v2"));
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->value, 2);
}

static void only_failures_of_the_listed_ranges_are_tried_again(struct fixture *fx) {
  const weir_error_range ranges[] = {{WEIR_DOMAIN_HTTP, 0, 429, 429},
                                     {WEIR_DOMAIN_HTTP, 0, 500, 599}};
  weir_retry_options options = plain(5, 1);
  options.failures = ranges;
  options.failures_count = 2;
  struct script *fetch = scripted(fx, "f500 f429 f599 f404 v2");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->code, 404);
  assert_int_equal(settled(run)->attempts, 4);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_CLASSIFIED);
}

/* R09: the same deeds in each of the three callbacks. */
static struct run *begin_deed(struct fixture *fx, struct notes *notes, int callback) {
  weir_retry_options options = plain(5, 100);
  if (callback == 0) {
    options.on_retry = on_retry;
    options.on_retry_data = notes;
  } else if (callback == 1) {
    options.should_retry = should_retry;
    options.should_retry_data = notes;
  } else {
    options.classify = classify;
    options.classify_data = notes;
  }
  weir_retry *retry = make_retry(fx, &options);
  notes->fx = fx;
  notes->answer = 1;
  notes->policy = weir_retry_policy(retry);
  struct script *fetch = scripted(fx, "f1 v2");
  notes->run = begin_under(fx, notes->policy, fetch->operation);
  return notes->run;
}

static void R09_a_callback_cancels_the_call(struct fixture *fx) {
  for (int callback = 0; callback < 3; callback++) {
    struct notes notes = {.deed = CANCEL};
    struct run *run = begin_deed(fx, &notes, callback);
    advance_ms(fx, 1000);
    assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
    assert_int_equal(settled(run)->attempts, 1);
    weir_policy_unref(notes.policy);
  }
}

static void R09_a_callback_unrefs_the_policy(struct fixture *fx) {
  for (int callback = 0; callback < 3; callback++) {
    struct notes notes = {.deed = UNREF};
    struct run *run = begin_deed(fx, &notes, callback);
    advance_ms(fx, 1000);
    assert_int_equal(settled(run)->value, 2);
    assert_null(notes.policy);
    weir_policy_unref(notes.policy);
  }
}

static void check_closing(struct fixture *fx, int callback) {
  struct notes notes = {.deed = CLOSE};
  struct run *run = begin_deed(fx, &notes, callback);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  weir_policy_unref(notes.policy);
}

static void R09_on_retry_closes_the_runtime(struct fixture *fx) { check_closing(fx, 0); }

static void R09_should_retry_closes_the_runtime(struct fixture *fx) { check_closing(fx, 1); }

static void R09_classify_closes_the_runtime(struct fixture *fx) { check_closing(fx, 2); }

static void R09_a_callback_unrefs_the_runtime(struct fixture *fx) {
  struct notes notes = {.deed = UNREF_RUNTIME};
  struct run *run = begin_deed(fx, &notes, 0);
  weir_runtime_process(fx->runtime, now_ns(fx));
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_null(fx->runtime);
  weir_policy_unref(notes.policy);
}

/* ---- what is told and counted ---- */

struct told {
  unsigned count;
  weir_event event[4];
};

static void on_event(void *data, const weir_event *event) {
  struct told *told = data;
  if (told->count < 4) told->event[told->count] = *event;
  told->count++;
}

static void the_runtimes_event_listener_hears_of_retries(struct fixture *fx) {
  static struct told told;
  memset(&told, 0, sizeof told);
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.on_event = on_event;
  runtime_options.event_data = &told;
  remake_runtime(fx, &runtime_options);
  weir_retry_options options = plain(3, 100);
  weir_retry *retry = make_retry(fx, &options);
  begin_under(fx, weir_retry_policy(retry), scripted(fx, "f1 f2 v3")->operation);
  int64_t begun_ns = now_ns(fx);
  advance_ms(fx, 1000);
  assert_int_equal(told.count, 2);
  assert_int_equal(told.event[0].kind, WEIR_EVENT_RETRY);
  assert_ptr_equal(told.event[0].policy, weir_retry_policy(retry));
  assert_int_equal(told.event[0].status, WEIR_EFAILED);
  assert_int_equal(told.event[0].count, 1);
  assert_int_equal(told.event[1].count, 2);
  assert_int_equal(told.event[1].delay_ns, 100 * MS);
  assert_int_equal(told.event[1].at_ns, begun_ns + 100 * MS);
  weir_retry_unref(retry);
}

static void stats_count_calls_by_how_they_went(struct fixture *fx) {
  weir_retry_options options = plain(2, 100);
  weir_retry *retry = make_retry(fx, &options);
  const char *scripts[] = {"v1", "f1 v2", "f1 f2", "f9/3", "f1 f9/3", "F1"};
  for (size_t i = 0; i < COUNT_OF(scripts); i++) {
    begin_under(fx, weir_retry_policy(retry), scripted(fx, scripts[i])->operation);
  }
  advance_ms(fx, 1000);
  weir_retry_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_retry_get_stats(retry, &stats), WEIR_OK);
  assert_int_equal(stats.calls, 6);
  assert_int_equal(stats.retries, 3);
  assert_int_equal(stats.succeeded_first, 1);
  assert_int_equal(stats.succeeded_later, 1);
  assert_int_equal(stats.gave_up, 3);
  assert_int_equal(stats.refused_by_budget, 0);
  weir_retry_unref(retry);
}

static void the_audit_says_that_a_run_waits_for_its_next_try(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.name = "payments";
  begin_retried(fx, &options, scripted(fx, "f1"));
  run_until_idle(fx);
  weir_audit_entry entry;
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, sizeof entry, 1, &count), WEIR_OK);
  assert_int_equal(count, 1);
  assert_string_equal(entry.waits_for, "retry 'payments': the delay before try 2");
  advance_ms(fx, 1000);
}

TEST_MAIN("retry callbacks", TEST(on_retry_is_told_before_each_wait_and_not_after_the_last_try),
          TEST(should_retry_is_asked_for_each_failure_and_may_stop),
          TEST(a_final_failure_stops_at_once_and_nobody_is_asked),
          TEST(a_final_failure_is_not_retried_by_any_layer),
          TEST(only_failures_of_the_listed_ranges_are_tried_again),
          TEST(an_empty_list_of_ranges_is_none), TEST(R09_a_callback_cancels_the_call),
          TEST(R09_a_callback_unrefs_the_policy), TEST(R09_on_retry_closes_the_runtime),
          TEST(R09_should_retry_closes_the_runtime), TEST(R09_classify_closes_the_runtime),
          TEST(R09_a_callback_unrefs_the_runtime),
          TEST(the_runtimes_event_listener_hears_of_retries),
          TEST(stats_count_calls_by_how_they_went),
          TEST(the_audit_says_that_a_run_waits_for_its_next_try))
