/* SPDX-License-Identifier: MIT */
/* The flight recorder read entry by entry, with the lines of the log, and by whom a completion
 * queue tells that there are some. */

#include "limiter_help.h"

static void record(struct fixture *fx, uint32_t entries) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.recorder_entries = entries;
  options.log_level = WEIR_LOG_INFO;
  remake_runtime(fx, &options);
}

static weir_recorded read_one(struct fixture *fx, uint64_t *cursor) {
  weir_recorded entry;
  size_t count = 99;
  memset(&entry, 0x5a, sizeof entry);
  assert_int_equal(weir_recorder_read(fx->runtime, cursor, &entry, sizeof entry, 1, &count),
                   WEIR_OK);
  assert_int_equal(count, 1);
  return entry;
}

static void assert_read_all(struct fixture *fx, uint64_t *cursor) {
  weir_recorded entry;
  size_t count = 99;
  assert_int_equal(weir_recorder_read(fx->runtime, cursor, &entry, sizeof entry, 1, &count),
                   WEIR_OK);
  assert_int_equal(count, 0);
}

static void say(struct fixture *fx, const char *line) {
  weir_log(fx->runtime, WEIR_LOG_INFO, "test", line);
}

/* ---- reading ---- */

static void entries_are_read_once_in_their_order(struct fixture *fx) {
  uint64_t cursor = 0;
  record(fx, 8);
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 1, 1000);
  options.max_queue = 1;
  options.name = "gate";
  weir_limiter *limiter = make_limiter(fx, &options);
  assert_read_all(fx, &cursor);
  struct script *work = scripted(fx, "v1");
  for (int i = 0; i < 3; i++) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  int64_t at_ns = now_ns(fx);

  weir_recorded waiting = read_one(fx, &cursor);
  assert_int_equal(waiting.number, 0);
  assert_true(waiting.at_ns == at_ns);
  assert_int_equal(waiting.kind, WEIR_EVENT_WAITING);
  assert_int_equal(waiting.policy, WEIR_POLICY_LIMITER);
  assert_int_equal(waiting.count, 1);
  assert_string_equal(waiting.name, "gate");
  assert_string_equal(waiting.text, "");
  weir_recorded refusal = read_one(fx, &cursor);
  assert_int_equal(refusal.number, 1);
  assert_int_equal(refusal.kind, WEIR_EVENT_REFUSAL);
  assert_int_equal(refusal.status, WEIR_EFULL);
  assert_int_equal(refusal.reason, WEIR_REJECTION_QUEUE_FULL);
  assert_true(refusal.delay_ns == SECOND);
  assert_string_equal(refusal.name, "gate");
  assert_non_null(strstr(refusal.text, "its queue is full (1 wait, at most 1)"));
  assert_read_all(fx, &cursor);
  advance_ms(fx, 1000);
  assert_int_equal(read_one(fx, &cursor).kind, WEIR_EVENT_GRANTED);
  assert_read_all(fx, &cursor);
  weir_limiter_unref(limiter);
}

static void a_change_of_state_is_read_with_its_numbers(struct fixture *fx) {
  uint64_t cursor = 0;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  weir_breaker *breaker = NULL;
  record(fx, 4);
  options.name = "api";
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  for (int i = 0; i < 5; i++) {
    weir_permit permit = 0;
    assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
    assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
  }
  run_until_idle(fx);
  weir_recorded change = read_one(fx, &cursor);
  assert_int_equal(change.kind, WEIR_EVENT_STATE_CHANGE);
  assert_int_equal(change.policy, WEIR_POLICY_BREAKER);
  assert_int_equal(change.from, WEIR_BREAKER_CLOSED);
  assert_int_equal(change.to, WEIR_BREAKER_OPEN);
  assert_int_equal(change.calls, 5);
  assert_int_equal(change.failures, 5);
  weir_breaker_unref(breaker);
}

static void what_was_overwritten_shows_as_a_gap(struct fixture *fx) {
  weir_recorded entries[8];
  uint64_t cursor = 0;
  size_t count = 0;
  record(fx, 4);
  say(fx, "0");
  assert_string_equal(read_one(fx, &cursor).text, "0");
  for (char line[2] = "1"; line[0] <= '7'; line[0]++) say(fx, line);
  assert_int_equal(weir_recorder_read(fx->runtime, &cursor, entries, sizeof *entries, 8, &count),
                   WEIR_OK);
  assert_int_equal(count, 4);
  for (uint64_t i = 0; i < count; i++) {
    assert_int_equal(entries[i].number, 4 + i); /* 1, 2 and 3 were missed */
    assert_int_equal(entries[i].text[0], (char)('4' + i));
  }
  assert_read_all(fx, &cursor);
  cursor = 1000; /* of nothing yet */
  assert_read_all(fx, &cursor);
}

static void two_readers_read_the_same(struct fixture *fx) {
  uint64_t first = 0;
  uint64_t second = 0;
  record(fx, 4);
  say(fx, "a");
  say(fx, "b");
  assert_string_equal(read_one(fx, &first).text, "a");
  assert_string_equal(read_one(fx, &second).text, "a");
  assert_string_equal(read_one(fx, &first).text, "b");
  assert_string_equal(read_one(fx, &second).text, "b");
}

static void an_entry_of_another_version_gets_what_it_has(struct fixture *fx) {
  uint64_t cursor = 0;
  size_t count = 0;
  struct {
    weir_recorded known;
    uint64_t later;
  } longer = {.later = 7};
  weir_recorded shorter;
  record(fx, 4);
  say(fx, "a");
  assert_int_equal(
      weir_recorder_read(fx->runtime, &cursor, &longer.known, sizeof longer, 1, &count), WEIR_OK);
  assert_string_equal(longer.known.text, "a");
  assert_int_equal(longer.later, 0);
  memset(&shorter, 0x5a, sizeof shorter);
  cursor = 0;
  assert_int_equal(
      weir_recorder_read(fx->runtime, &cursor, &shorter, offsetof(weir_recorded, count), 1, &count),
      WEIR_OK);
  assert_int_equal(shorter.kind, WEIR_EVENT_LOG);
  assert_true(shorter.count == UINT64_C(0x5a5a5a5a5a5a5a5a));
}

/* ---- lines of the log ---- */

static unsigned lines;

static void count_line(void *data, int32_t level, const char *subject, const char *message) {
  (void)data;
  (void)level;
  (void)subject;
  (void)message;
  lines++;
}

static void lines_that_the_level_lets_pass_are_kept(struct fixture *fx) {
  uint64_t cursor = 0;
  char text[256];
  record(fx, 4);
  weir_log(fx->runtime, WEIR_LOG_DEBUG, "test", "not this");
  weir_log(fx->runtime, WEIR_LOG_WARNING, "test", "one");
  weir_log(fx->runtime, WEIR_LOG_INFO, NULL, NULL);
  weir_recorded line = read_one(fx, &cursor);
  assert_int_equal(line.kind, WEIR_EVENT_LOG);
  assert_int_equal(line.reason, WEIR_LOG_WARNING);
  assert_int_equal(line.policy, WEIR_POLICY_NONE);
  assert_true(line.at_ns == now_ns(fx));
  assert_string_equal(line.name, "test");
  assert_string_equal(line.text, "one");
  line = read_one(fx, &cursor);
  assert_string_equal(line.name, "weir");
  assert_string_equal(line.text, "");
  assert_read_all(fx, &cursor);
  assert_int_equal(weir_recorder_dump(fx->runtime, text, sizeof text, NULL), WEIR_OK);
  assert_non_null(strstr(text, " log 'test': one\n"));
}

static void a_long_line_is_cut_off(struct fixture *fx) {
  uint64_t cursor = 0;
  char line[512];
  record(fx, 4);
  memset(line, 'x', sizeof line - 1);
  line[sizeof line - 1] = '\0';
  weir_log(fx->runtime, WEIR_LOG_INFO, line, line);
  weir_recorded kept = read_one(fx, &cursor);
  assert_int_equal(strlen(kept.name), sizeof kept.name - 1);
  assert_int_equal(strlen(kept.text), sizeof kept.text - 1);
}

static void lines_go_to_the_hook_as_well(struct fixture *fx) {
  uint64_t cursor = 0;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.recorder_entries = 4;
  options.log_level = WEIR_LOG_INFO;
  options.log = count_line;
  remake_runtime(fx, &options);
  lines = 0;
  say(fx, "both");
  assert_int_equal(lines, 1);
  assert_string_equal(read_one(fx, &cursor).text, "both");
}

/* ---- by queue ---- */

static weir_completions *notified(struct fixture *fx, uint64_t user) {
  weir_completions *queue = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  assert_int_equal(weir_recorder_notify(fx->runtime, queue, user), WEIR_OK);
  return queue;
}

/* Of RECORDED with `user`; CLOSED does not count. */
static size_t drain_told(weir_completions *queue, uint64_t user) {
  weir_record records[8];
  size_t told = 0;
  size_t count = weir_completions_drain(queue, records, sizeof *records, COUNT_OF(records));
  for (size_t i = 0; i < count; i++) {
    if (records[i].kind == WEIR_RECORD_RECORDED && records[i].user == user) told++;
  }
  return told;
}

static void a_queue_is_told_once_until_it_is_drained(struct fixture *fx) {
  record(fx, 4);
  weir_completions *queue = notified(fx, 5);
  assert_int_equal(drain_told(queue, 5), 0);
  say(fx, "a");
  say(fx, "b");
  assert_int_equal(drain_told(queue, 5), 1);
  assert_int_equal(drain_told(queue, 5), 0);
  say(fx, "c");
  assert_int_equal(drain_told(queue, 5), 1);
  weir_completions_unref(queue);
}

static void another_queue_takes_the_place_of_the_first(struct fixture *fx) {
  record(fx, 4);
  weir_completions *first = notified(fx, 1);
  say(fx, "a");
  weir_completions *second = notified(fx, 2);
  assert_int_equal(drain_told(first, 1), 0); /* taken back */
  say(fx, "b");
  assert_int_equal(drain_told(first, 1), 0);
  assert_int_equal(drain_told(second, 2), 1);
  assert_int_equal(weir_recorder_notify(fx->runtime, NULL, 0), WEIR_OK);
  say(fx, "c");
  assert_int_equal(drain_told(second, 2), 0);
  weir_completions_unref(first);
  weir_completions_unref(second);
}

static void a_queue_that_was_given_back_is_told_no_more(struct fixture *fx) {
  uint64_t cursor = 0;
  record(fx, 4);
  weir_completions *queue = notified(fx, 1);
  say(fx, "a");
  weir_completions_unref(queue); /* with its record undrained */
  say(fx, "b");
  assert_string_equal(read_one(fx, &cursor).text, "a");
  assert_string_equal(read_one(fx, &cursor).text, "b");
}

static void closing_lets_go_of_the_queue(struct fixture *fx) {
  uint64_t cursor = 0;
  record(fx, 4);
  weir_completions *queue = notified(fx, 1);
  say(fx, "a");
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  say(fx, "b");
  assert_int_equal(drain_told(queue, 1), 0);
  assert_int_equal(weir_recorder_notify(fx->runtime, queue, 1), WEIR_ECLOSED);
  assert_int_equal(weir_recorder_notify(fx->runtime, NULL, 1), WEIR_ECLOSED);
  assert_string_equal(read_one(fx, &cursor).text, "a");
  assert_string_equal(read_one(fx, &cursor).text, "b");
  weir_completions_unref(queue);
}

/* ---- arguments ---- */

static void read_arguments_are_checked(struct fixture *fx) {
  weir_recorded entry;
  uint64_t cursor = 0;
  size_t count = 99;
  record(fx, 4);
  assert_int_equal(weir_recorder_read(NULL, &cursor, &entry, sizeof entry, 1, &count), WEIR_EINVAL);
  assert_int_equal(count, 0);
  assert_int_equal(weir_recorder_read(fx->runtime, NULL, &entry, sizeof entry, 1, &count),
                   WEIR_EINVAL);
  assert_int_equal(weir_recorder_read(fx->runtime, &cursor, NULL, sizeof entry, 1, &count),
                   WEIR_EINVAL);
  assert_int_equal(weir_recorder_read(fx->runtime, &cursor, &entry, sizeof entry, 0, &count),
                   WEIR_EINVAL);
  assert_int_equal(weir_recorder_read(fx->runtime, &cursor, &entry, sizeof entry, 1, NULL),
                   WEIR_EINVAL);
  assert_int_equal(weir_recorder_read(fx->runtime, &cursor, &entry, 16, 1, &count), WEIR_EABI);
}

static void without_a_recorder_there_is_nothing_to_read(struct fixture *fx) {
  weir_recorded entry;
  uint64_t cursor = 0;
  size_t count = 99;
  assert_int_equal(weir_recorder_read(fx->runtime, &cursor, &entry, sizeof entry, 1, &count),
                   WEIR_ENOTSUP);
  assert_int_equal(weir_recorder_notify(fx->runtime, NULL, 0), WEIR_ENOTSUP);
}

static void notify_arguments_are_checked(struct fixture *fx) {
  weir_runtime *other = NULL;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_completions *foreign = NULL;
  record(fx, 4);
  options.driver = WEIR_DRIVER_MANUAL;
  assert_int_equal(weir_runtime_new(&options, &other, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(other, NULL, &foreign, NULL), WEIR_OK);
  assert_int_equal(weir_recorder_notify(NULL, NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_recorder_notify(fx->runtime, foreign, 0), WEIR_EINVAL);
  weir_completions_unref(foreign);
  weir_runtime_unref(other);
}

TEST_MAIN("recorder read", TEST(entries_are_read_once_in_their_order),
          TEST(a_change_of_state_is_read_with_its_numbers),
          TEST(what_was_overwritten_shows_as_a_gap), TEST(two_readers_read_the_same),
          TEST(an_entry_of_another_version_gets_what_it_has),
          TEST(lines_that_the_level_lets_pass_are_kept), TEST(a_long_line_is_cut_off),
          TEST(lines_go_to_the_hook_as_well), TEST(a_queue_is_told_once_until_it_is_drained),
          TEST(another_queue_takes_the_place_of_the_first),
          TEST(a_queue_that_was_given_back_is_told_no_more), TEST(closing_lets_go_of_the_queue),
          TEST(read_arguments_are_checked), TEST(without_a_recorder_there_is_nothing_to_read),
          TEST(notify_arguments_are_checked))
