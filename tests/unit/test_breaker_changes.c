/* SPDX-License-Identifier: MIT */
/* Who hears of a breaker's changes: listeners, completion queues, and the runtime's events. */

#include "breaker.h"

/* Does something to its breaker whenever it is told. */
struct meddler {
  struct changes changes;
  weir_status status;
  enum { RESETS, ISOLATES, UNREFS, SETS_OPTIONS, CALLS } does;
  unsigned freed;
};

static void meddle(void *data, weir_breaker *breaker, const weir_breaker_change *change) {
  struct meddler *meddler = data;
  note_change(&meddler->changes, breaker, change);
  weir_permit permit = 0;
  if (meddler->changes.count > 1) return;
  if (meddler->does == RESETS) meddler->status = weir_breaker_reset(breaker);
  if (meddler->does == ISOLATES) meddler->status = weir_breaker_isolate(breaker);
  if (meddler->does == UNREFS) weir_breaker_unref(breaker);
  if (meddler->does == SETS_OPTIONS) {
    weir_breaker_options defaults = BREAKER_OPTIONS;
    meddler->status = weir_breaker_set_options(breaker, &defaults, NULL);
  }
  if (meddler->does == CALLS) meddler->status = weir_breaker_acquire(breaker, &permit, NULL);
}

static void count_meddler_free(void *data) { ((struct meddler *)data)->freed++; }

static void B10_the_listener_may_do_anything_and_events_stay_in_order(struct fixture *fx) {
  for (int does = RESETS; does <= CALLS; does++) {
    static struct meddler meddler; /* told until the fixture ends */
    meddler = (struct meddler){.does = does, .status = WEIR_OK};
    weir_breaker_options options = BREAKER_OPTIONS;
    options.on_state_change = meddle;
    options.change_data = &meddler;
    options.change_free_data = count_meddler_free;
    weir_breaker *breaker = make_breaker(fx, &options);
    calls_fail(breaker, 5);
    assert_int_equal(meddler.changes.count, 0); /* never inside the call that caused it */
    run_until_idle(fx);
    assert_true(meddler.changes.count >= 1);
    assert_int_equal(meddler.changes.list[0].to, WEIR_BREAKER_OPEN);
    assert_int_equal(meddler.changes.state_seen[0], WEIR_BREAKER_OPEN);
    assert_int_equal(meddler.status, does == CALLS ? WEIR_EOPEN : WEIR_OK);
    if (does == RESETS || does == ISOLATES) {
      assert_int_equal(meddler.changes.count, 2);
      assert_int_equal(meddler.changes.list[1].from, WEIR_BREAKER_OPEN);
      assert_int_equal(meddler.changes.list[1].to,
                       does == RESETS ? WEIR_BREAKER_CLOSED : WEIR_BREAKER_FORCED_OPEN);
      assert_int_equal(meddler.changes.list[1].sequence, 2);
    }
    assert_int_equal(meddler.freed, does == UNREFS);
    if (does != UNREFS) weir_breaker_unref(breaker);
    assert_int_equal(meddler.freed, 1);
  }
}

static void B06_failures_beyond_the_threshold_make_one_opening(struct fixture *fx) {
  for (uint32_t mode = WEIR_BREAKER_CONSECUTIVE; mode <= WEIR_BREAKER_TIME_WINDOW; mode++) {
    struct changes *changes = fresh_changes();
    weir_breaker_options options = BREAKER_OPTIONS;
    options.mode = mode;
    options.min_calls = 5;
    options.on_state_change = note_change;
    options.change_data = changes;
    weir_breaker *breaker = make_breaker(fx, &options);
    weir_permit permits[20];
    for (size_t i = 0; i < 20; i++) permits[i] = admitted(breaker);
    for (size_t i = 0; i < 20; i++) {
      assert_int_equal(weir_breaker_report(breaker, permits[i], WEIR_CLASS_FAILURE, 0),
                       i < 5 ? WEIR_OK : WEIR_ESTALE);
    }
    run_until_idle(fx);
    assert_int_equal(changes->count, 1);
    assert_int_equal(changes->list[0].failures, 5);
    assert_int_equal(changes->list[0].at_ns, now_ns(fx));
    assert_int_equal(stats_of(breaker).times_opened, 1);
    weir_breaker_unref(breaker);
  }
}

static void a_full_circle_is_told_in_order(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 5);
  advance_ms(fx, 60000);
  calls_fail(breaker, 1);
  advance_ms(fx, 60000);
  calls_succeed(breaker, 2);
  run_until_idle(fx);
  static const uint32_t to[] = {WEIR_BREAKER_OPEN, WEIR_BREAKER_HALF_OPEN, WEIR_BREAKER_OPEN,
                                WEIR_BREAKER_HALF_OPEN, WEIR_BREAKER_CLOSED};
  static const uint32_t reason[] = {WEIR_BREAKER_BY_FAILURES, WEIR_BREAKER_BY_TIME,
                                    WEIR_BREAKER_BY_TRIALS, WEIR_BREAKER_BY_TIME,
                                    WEIR_BREAKER_BY_TRIALS};
  assert_int_equal(changes->count, COUNT_OF(to));
  for (size_t i = 0; i < COUNT_OF(to); i++) {
    assert_int_equal(changes->list[i].size, sizeof changes->list[i]);
    assert_int_equal(changes->list[i].sequence, i + 1);
    assert_int_equal(changes->list[i].from, i == 0 ? WEIR_BREAKER_CLOSED : to[i - 1]);
    assert_int_equal(changes->list[i].to, to[i]);
    assert_int_equal(changes->list[i].reason, reason[i]);
  }
  assert_int_equal(changes->list[4].calls, 2);
  assert_int_equal(changes->list[2].failures, 1);
  weir_breaker_unref(breaker);
}

static void slow_calls_are_given_as_the_reason(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.mode = WEIR_BREAKER_TIME_WINDOW;
  options.min_calls = 1;
  options.slow_call_ms = 1;
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  assert_int_equal(weir_breaker_report(breaker, admitted(breaker), WEIR_CLASS_SUCCESS, 2 * MS),
                   WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(changes->count, 1);
  assert_int_equal(changes->list[0].reason, WEIR_BREAKER_BY_SLOW_CALLS);
  assert_int_equal(changes->list[0].slow_calls, 1);
  weir_breaker_unref(breaker);
}

static void of_changes_that_come_too_fast_the_newest_eight_are_kept(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
    assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(changes->count, 8);
  for (size_t i = 0; i < 8; i++) assert_int_equal(changes->list[i].sequence, 13 + i);
  assert_int_equal(stats_of(breaker).missed_events, 12);
  weir_breaker_unref(breaker);
}

static void an_undelivered_change_outlives_the_last_unref(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.on_state_change = note_change;
  options.change_data = changes;
  for (int turned = 0; turned < 2; turned++) { /* from another thread's view, and the engine's */
    if (turned) run_until_idle(fx);
    changes->count = 0;
    weir_breaker *breaker = make_breaker(fx, &options);
    assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
    weir_breaker_unref(breaker);
    run_until_idle(fx);
    assert_int_equal(changes->count, 1);
  }
}

/* The decide door goes on when the runtime is over; who listens is told by whoever calls. */
static void B11_a_breaker_outlives_its_runtime(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  weir_permit permit = admitted(breaker);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
  calls_fail(breaker, 4);
  assert_state(breaker, OPEN);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  assert_int_equal(changes->count, 0); /* no thread is left to tell it on */
  weir_breaker_unref(breaker);
}

/* ---- completion queues ----------------------------------------------------------------------- */

static weir_completions *make_queue(struct fixture *fx) {
  weir_completions *queue = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  return queue;
}

static void changes_come_as_event_records(struct fixture *fx) {
  weir_completions *queue = make_queue(fx);
  weir_breaker_options options = BREAKER_OPTIONS;
  options.queue = queue;
  options.user = 4711;
  weir_breaker *breaker = make_breaker(fx, &options);
  calls_fail(breaker, 5);
  advance_ms(fx, 60000);
  assert_state(breaker, HALF_OPEN);
  run_until_idle(fx);
  weir_record record;
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
  assert_int_equal(record.kind, WEIR_RECORD_EVENT);
  assert_int_equal(record.user, 4711);
  assert_int_equal(record.object, 1);
  assert_int_equal(record.detail, 0);
  assert_int_equal(record.status, WEIR_BREAKER_BY_FAILURES);
  assert_int_equal(record.number, WEIR_BREAKER_CLOSED * 256 + WEIR_BREAKER_OPEN);
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
  assert_int_equal(record.object, 2);
  assert_int_equal(record.number, WEIR_BREAKER_OPEN * 256 + WEIR_BREAKER_HALF_OPEN);
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 0);
  weir_breaker_unref(breaker);
  weir_completions_unref(queue);
}

static void records_not_drained_keep_the_newest_and_say_what_is_missing(struct fixture *fx) {
  weir_completions *queue = make_queue(fx);
  weir_breaker_options options = BREAKER_OPTIONS;
  options.queue = queue;
  weir_breaker *breaker = make_breaker(fx, &options);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
    run_until_idle(fx);
  }
  weir_breaker_unref(breaker); /* the records are left */
  weir_record record;
  uint64_t last = 0;
  for (size_t i = 0; i < 9; i++) { /* one in the queue and eight behind it */
    assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
    assert_int_equal(record.object, i == 0 ? 1 : 12 + i);
    assert_int_equal(record.detail, record.object - last - 1);
    last = record.object;
  }
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 0);
  weir_completions_unref(queue);
}

static void records_nobody_drains_go_in_either_order(struct fixture *fx) {
  for (int breaker_first = 0; breaker_first < 2; breaker_first++) {
    weir_completions *queue = make_queue(fx);
    weir_breaker_options options = BREAKER_OPTIONS;
    options.queue = queue;
    weir_breaker *breaker = make_breaker(fx, &options);
    for (int i = 0; i < 3; i++) {
      assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
      assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
    }
    run_until_idle(fx);
    if (breaker_first) weir_breaker_unref(breaker);
    weir_completions_unref(queue);
    if (breaker_first) continue;
    assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
    run_until_idle(fx);
    weir_breaker_unref(breaker);
  }
}

static void close_with_changes(struct fixture *fx) {
  weir_completions *queue = make_queue(fx);
  weir_breaker_options options = BREAKER_OPTIONS;
  options.queue = queue;
  weir_breaker *breaker = make_breaker(fx, &options);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK); /* waits behind the first */
  run_until_idle(fx);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  run_until_idle(fx);
  weir_record record;
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
  assert_int_equal(record.kind, WEIR_RECORD_EVENT);
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
  assert_int_equal(record.kind, WEIR_RECORD_CLOSED);
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 0);
  weir_breaker_unref(breaker);
  weir_completions_unref(queue);
}

/* The runtime has no thread any more: it would have to be the caller's, inside the call. */
static void after_the_runtimes_end_nobody_is_told(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN); /* deciding goes on */
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  assert_int_equal(changes->count, 0);
  weir_breaker_unref(breaker);
}

static void after_the_record_of_closing_comes_no_other(struct fixture *fx) {
  close_with_changes(fx);
}

static void after_the_record_of_closing_comes_no_other_while_orphans_go_on(struct fixture *fx) {
  begin(fx, scripted(fx, "hang")->operation, NULL);
  run_until_idle(fx);
  close_with_changes(fx);
}

static void a_queue_and_a_listener_exclude_each_other(struct fixture *fx) {
  weir_completions *queue = make_queue(fx);
  weir_breaker_options options = BREAKER_OPTIONS;
  options.queue = queue;
  options.on_state_change = note_change;
  weir_breaker *breaker = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, &error), WEIR_EINVAL);
  assert_message(error, "breaker.on_state_change must be NULL where a queue");
  weir_completions_unref(queue);
}

/* ---- the runtime's events -------------------------------------------------------------------- */

struct events {
  weir_event list[16];
  char names[16][16];
  size_t count;
};

static void note_event(void *data, const weir_event *event) {
  struct events *events = data;
  if (events->count == COUNT_OF(events->list)) return;
  snprintf(events->names[events->count], sizeof events->names[0], "%s", event->name);
  events->list[events->count++] = *event;
}

static void the_runtimes_listener_hears_of_changes_and_refusals(struct fixture *fx) {
  static struct events events; /* told until the fixture ends */
  events.count = 0;
  weir_runtime_options with_listener = WEIR_RUNTIME_OPTIONS_INIT;
  with_listener.on_event = note_event;
  with_listener.event_data = &events;
  remake_runtime(fx, &with_listener);
  weir_breaker_options options = BREAKER_OPTIONS;
  options.name = "api";
  weir_breaker *breaker = make_breaker(fx, &options);
  struct script *script = scripted(fx, "f503");
  for (int i = 0; i < 6; i++) {
    begin_under(fx, weir_breaker_policy(breaker), script->operation);
    run_until_idle(fx);
  }
  assert_int_equal(events.count, 2);
  assert_int_equal(events.list[0].kind, WEIR_EVENT_STATE_CHANGE);
  assert_int_equal(events.list[0].from, WEIR_BREAKER_CLOSED);
  assert_int_equal(events.list[0].to, WEIR_BREAKER_OPEN);
  assert_int_equal(events.list[0].reason, WEIR_BREAKER_BY_FAILURES);
  assert_int_equal(events.list[0].count, 0);
  assert_ptr_equal(events.list[0].policy, weir_breaker_policy(breaker));
  assert_int_equal(events.list[1].kind, WEIR_EVENT_REFUSAL);
  assert_int_equal(events.list[1].status, WEIR_EOPEN);
  assert_int_equal(events.list[1].reason, WEIR_REJECTION_OPEN);
  assert_true(events.list[1].delay_ns > 0);
  assert_string_equal(events.names[0], "api");
  assert_string_equal(events.names[1], "api");

  for (int i = 0; i < 5; i++) { /* ten changes at once: two too many */
    assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
    assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(events.count, 2 + 8);
  assert_int_equal(events.list[2].count, 2);
  assert_int_equal(events.list[3].count, 0);
  weir_breaker_unref(breaker);
}

TEST_MAIN("breaker_changes", TEST(B10_the_listener_may_do_anything_and_events_stay_in_order),
          TEST(B06_failures_beyond_the_threshold_make_one_opening),
          TEST(a_full_circle_is_told_in_order), TEST(slow_calls_are_given_as_the_reason),
          TEST(of_changes_that_come_too_fast_the_newest_eight_are_kept),
          TEST(an_undelivered_change_outlives_the_last_unref),
          TEST(B11_a_breaker_outlives_its_runtime), TEST(changes_come_as_event_records),
          TEST(records_not_drained_keep_the_newest_and_say_what_is_missing),
          TEST(records_nobody_drains_go_in_either_order),
          TEST(after_the_record_of_closing_comes_no_other),
          TEST(after_the_runtimes_end_nobody_is_told),
          TEST(after_the_record_of_closing_comes_no_other_while_orphans_go_on),
          TEST(a_queue_and_a_listener_exclude_each_other),
          TEST(the_runtimes_listener_hears_of_changes_and_refusals))
