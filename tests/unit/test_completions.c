/* SPDX-License-Identifier: MIT */
/* The completion queue: records instead of callbacks (C14), one wake-up per edge (C15). */

#include <poll.h>

#include "support.h"

/* Static in each test: its queue may end, and be told so, only when the fixture does. */
struct queue_fixture {
  weir_completions *queue;
  weir_operation *operation;
  unsigned notified;
  unsigned notify_freed;
};

static void count_notify(void *data) { ((struct queue_fixture *)data)->notified++; }
static void free_notify(void *data) { ((struct queue_fixture *)data)->notify_freed++; }

static void open_queue(struct fixture *fx, struct queue_fixture *q) {
  weir_completions_options options = WEIR_COMPLETIONS_OPTIONS_INIT;
  memset(q, 0, sizeof *q);
  options.notify = count_notify;
  options.notify_data = q;
  options.notify_free_data = free_notify;
  assert_int_equal(weir_completions_new(fx->runtime, &options, &q->queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new_queued(q->queue, 11, &q->operation, NULL), WEIR_OK);
}

static void close_queue(struct queue_fixture *q) {
  weir_operation_unref(q->operation);
  weir_completions_unref(q->queue);
}

/* Starts a run of `operation` whose settlement comes as a record with `user`. */
static weir_call *run_queued(struct queue_fixture *q, weir_operation *operation, uint64_t user,
                             weir_value *input) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_call *call = NULL;
  options.queue = q->queue;
  options.user = user;
  options.input = input;
  assert_int_equal(weir_run(operation, &options, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  return call;
}

static weir_record drain_one(struct queue_fixture *q) {
  weir_record record = {0};
  assert_int_equal(weir_completions_drain(q->queue, &record, sizeof record, 1), 1);
  return record;
}

static void assert_drained(struct queue_fixture *q) {
  weir_record record;
  assert_int_equal(weir_completions_drain(q->queue, &record, sizeof record, 1), 0);
}

static void queued_operation_starts_and_settles_by_records(struct fixture *fx) {
  static struct queue_fixture q;
  int64_t number = 5;
  weir_value *input = number_value(fx, 70);
  open_queue(fx, &q);
  weir_call *call = run_queued(&q, q.operation, 12, input);
  weir_value_unref(input);
  run_until_idle(fx);

  weir_record start = drain_one(&q);
  assert_int_equal(start.kind, WEIR_RECORD_START);
  assert_int_equal(start.user, 11);
  assert_int_equal(start.number, 1);
  assert_int_equal(value_number((weir_value *)(uintptr_t)start.detail), 70);
  weir_value_unref((weir_value *)(uintptr_t)start.detail);
  advance_ms(fx, 30);
  assert_int_equal(weir_complete_bytes(fx->runtime, start.object, &number, sizeof number), WEIR_OK);
  run_until_idle(fx);

  weir_record settled_record = drain_one(&q);
  assert_int_equal(settled_record.kind, WEIR_RECORD_SETTLED);
  assert_int_equal(settled_record.user, 12);
  assert_int_equal(settled_record.status, WEIR_OK);
  assert_int_equal(settled_record.channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(settled_record.number, 1);
  assert_true(settled_record.detail == 30 * MS);
  weir_value *value = (weir_value *)(uintptr_t)settled_record.object;
  weir_call_unref(call);
  close_queue(&q);
  assert_int_equal(value_number(value), 5);
  weir_value_unref(value);
}

static void settled_record_carries_an_error_of_the_hosts_own(struct fixture *fx) {
  static struct queue_fixture q;
  open_queue(fx, &q);
  weir_call *call = run_queued(&q, scripted(fx, "f503")->operation, 1, NULL);
  weir_call_unref(call);
  run_until_idle(fx);
  weir_record record = drain_one(&q);
  assert_int_equal(record.channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(record.status, WEIR_EFAILED);
  weir_error *error = (weir_error *)(uintptr_t)record.object;
  assert_int_equal(weir_error_code(error), 503);
  weir_error_unref(error);
  close_queue(&q);
}

static void attempts_beyond_65535_show_as_65535(struct fixture *fx) {
  static struct queue_fixture q;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *retry = NULL;
  weir_operation *wrapped = NULL;
  options.max_attempts = 65538;
  options.base_delay_ms = 0;
  open_queue(fx, &q);
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_policy_wrap(weir_retry_policy(retry), q.operation, &wrapped, NULL),
                   WEIR_OK);
  weir_call *call = run_queued(&q, wrapped, 12, NULL);
  for (uint32_t attempt = 1; attempt <= options.max_attempts; attempt++) {
    run_until_idle(fx);
    weir_record start = drain_one(&q);
    assert_int_equal(start.kind, WEIR_RECORD_START);
    assert_int_equal(start.number, attempt < 65535 ? attempt : 65535);
    assert_int_equal(weir_fail(fx->runtime, start.object, WEIR_DOMAIN_USER, 1, NULL), WEIR_OK);
  }
  run_until_idle(fx);
  weir_record end = drain_one(&q);
  assert_int_equal(end.kind, WEIR_RECORD_SETTLED);
  assert_int_equal(end.number, 65535);
  weir_error_unref((weir_error *)(uintptr_t)end.object);
  weir_call_unref(call);
  weir_operation_unref(wrapped);
  weir_retry_unref(retry);
  close_queue(&q);
}

static void C14_settled_record_is_drained_long_after_cancel_and_unref(struct fixture *fx) {
  static struct queue_fixture q;
  open_queue(fx, &q);
  weir_call *call = run_queued(&q, scripted(fx, "yield")->operation, 5, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  weir_call_unref(call);
  run_until_idle(fx);
  advance_ms(fx, 100000);

  weir_record record = drain_one(&q);
  assert_int_equal(record.kind, WEIR_RECORD_SETTLED);
  assert_int_equal(record.user, 5);
  assert_int_equal(record.status, WEIR_ECANCELLED);
  assert_int_equal(record.channel, WEIR_CHANNEL_STOPPED);
  weir_error_unref((weir_error *)(uintptr_t)record.object);
  assert_drained(&q);
  close_queue(&q);
}

static void C14_undrained_start_is_revoked_by_a_cancel(struct fixture *fx) {
  static struct queue_fixture q;
  weir_value *input = NULL;
  unsigned freed = 0;
  open_queue(fx, &q);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &input), WEIR_OK);
  weir_call *call = run_queued(&q, q.operation, 5, input);
  weir_value_unref(input);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  weir_call_unref(call);
  run_until_idle(fx);

  weir_record record = drain_one(&q);
  assert_int_equal(record.kind, WEIR_RECORD_SETTLED); /* neither START nor CANCEL before it */
  assert_int_equal(record.status, WEIR_ECANCELLED);
  weir_error_unref((weir_error *)(uintptr_t)record.object);
  assert_drained(&q);
  assert_int_equal(freed, 1);
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.orphans, 0);
  close_queue(&q);
}

static void C14_drained_start_is_followed_by_its_cancel(struct fixture *fx) {
  static struct queue_fixture q;
  open_queue(fx, &q);
  weir_call *call = run_queued(&q, q.operation, 5, NULL);
  run_until_idle(fx);
  weir_record start = drain_one(&q);
  assert_int_equal(start.kind, WEIR_RECORD_START);
  assert_int_equal(start.detail, 0);
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  weir_call_unref(call);
  run_until_idle(fx);

  weir_record records[4];
  memset(records, 0, sizeof records);
  assert_int_equal(weir_completions_drain(q.queue, records, sizeof *records, 4), 2);
  size_t cancel = records[0].kind == WEIR_RECORD_CANCEL ? 0 : 1;
  assert_int_equal(records[cancel].kind, WEIR_RECORD_CANCEL);
  assert_int_equal(records[cancel].user, 11);
  assert_true(records[cancel].object == start.object);
  assert_int_equal(records[cancel].number, WEIR_CANCEL_CALLER);
  assert_int_equal(records[1 - cancel].kind, WEIR_RECORD_SETTLED);
  weir_error_unref((weir_error *)(uintptr_t)records[1 - cancel].object);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_drained(&q);
  close_queue(&q);
}

static void C14_cancel_record_says_why(struct fixture *fx) {
  static struct queue_fixture q;
  weir_record records[4];
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  open_queue(fx, &q);
  options.deadline_ms = 10;
  assert_int_equal(weir_run(q.operation, &options, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  run_until_idle(fx);
  weir_record start = drain_one(&q);
  advance_ms(fx, 10);
  assert_int_equal(weir_completions_drain(q.queue, records, sizeof *records, 4), 1);
  assert_int_equal(records[0].kind, WEIR_RECORD_CANCEL);
  assert_int_equal(records[0].number, WEIR_CANCEL_DEADLINE);
  assert_int_equal(records[0].detail, 0);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  close_queue(&q);
}

static void C14_cancel_record_is_taken_back_when_the_attempt_ends_first(struct fixture *fx) {
  static struct queue_fixture q;
  open_queue(fx, &q);
  weir_call *call = run_queued(&q, q.operation, 5, NULL);
  run_until_idle(fx);
  weir_record start = drain_one(&q);
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  weir_call_unref(call);
  run_until_idle(fx);
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  run_until_idle(fx);
  weir_record records[4];
  size_t count = weir_completions_drain(q.queue, records, sizeof *records, 4);
  assert_in_range(count, 1, 2); /* a CANCEL that was posted may still be seen; it is harmless */
  for (size_t i = 0; i < count; i++) {
    if (records[i].kind != WEIR_RECORD_SETTLED) continue;
    weir_error_unref((weir_error *)(uintptr_t)records[i].object);
  }
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_ESTALE);
  close_queue(&q);
}

static void C14_queue_given_back_with_records_undrained_frees_what_they_carry(struct fixture *fx) {
  static struct queue_fixture q;
  unsigned freed = 0;
  weir_value *input = NULL;
  open_queue(fx, &q);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &input), WEIR_OK);
  weir_call *undrained = run_queued(&q, q.operation, 1, input);
  weir_value_unref(input);
  weir_call *settled_call = run_queued(&q, scripted(fx, "v1")->operation, 2, NULL);
  run_until_idle(fx);
  close_queue(&q);
  run_until_idle(fx);
  const weir_outcome *outcome = weir_call_outcome(undrained);
  assert_non_null(outcome); /* an undrained START fails as closed */
  assert_int_equal(outcome->status, WEIR_ECLOSED);
  weir_call_unref(undrained);
  weir_call_unref(settled_call);
  run_until_idle(fx);
  assert_int_equal(freed, 1);
  assert_int_equal(q.notify_freed, 1);
}

static void C15_one_wake_up_per_edge_and_leftovers_signal_again(struct fixture *fx) {
  enum { RUNS = 10 };
  static struct queue_fixture q;
  weir_record records[RUNS];
  struct script *script = scripted(fx, "n");
  open_queue(fx, &q);
  for (size_t i = 0; i < RUNS; i++) {
    weir_call_unref(run_queued(&q, script->operation, i, NULL));
  }
  run_until_idle(fx);
  assert_int_equal(q.notified, 1);
  assert_int_equal(weir_completions_drain(q.queue, records, sizeof *records, 4), 4);
  assert_int_equal(q.notified, 2); /* six are left over */
  assert_int_equal(weir_completions_drain(q.queue, records + 4, sizeof *records, RUNS), 6);
  assert_int_equal(q.notified, 2);
  for (size_t i = 0; i < RUNS; i++) assert_int_equal(records[i].user, i);

  weir_call_unref(run_queued(&q, script->operation, 0, NULL));
  run_until_idle(fx);
  assert_int_equal(q.notified, 3);
  assert_int_equal(weir_completions_drain(q.queue, records, sizeof *records, RUNS), 1);
  close_queue(&q);
}

static int readable(int fd) {
  struct pollfd wait = {fd, POLLIN, 0};
  return poll(&wait, 1, 0) == 1;
}

static void C15_descriptor_is_readable_while_records_wait(struct fixture *fx) {
  weir_completions_options options = WEIR_COMPLETIONS_OPTIONS_INIT;
  static struct queue_fixture q;
  memset(&q, 0, sizeof q);
  weir_record records[3];
  options.with_fd = 1;
  assert_int_equal(weir_completions_new(fx->runtime, &options, &q.queue, NULL), WEIR_OK);
  int fd = weir_completions_fd(q.queue);
  assert_true(fd >= 0);
  assert_false(readable(fd));
  struct script *script = scripted(fx, "n");
  for (size_t i = 0; i < 3; i++) weir_call_unref(run_queued(&q, script->operation, i, NULL));
  run_until_idle(fx);
  assert_true(readable(fd));
  assert_int_equal(weir_completions_drain(q.queue, records, sizeof *records, 2), 2);
  assert_true(readable(fd));
  assert_int_equal(weir_completions_drain(q.queue, records, sizeof *records, 2), 1);
  assert_false(readable(fd));
  assert_int_equal(weir_completions_drain(q.queue, records, sizeof *records, 2), 0);
  weir_completions_unref(q.queue);
}

static void queue_without_a_descriptor_has_none(struct fixture *fx) {
  static struct queue_fixture q;
  open_queue(fx, &q);
  assert_int_equal(weir_completions_fd(q.queue), -1);
  assert_int_equal(weir_completions_fd(NULL), -1);
  close_queue(&q);
}

struct other_waiter {
  weir_completions *queue;
  weir_status status[2];
  size_t counts[2];
};

static void *wait_elsewhere(void *data) {
  struct other_waiter *waiter = data;
  weir_record record;
  for (int64_t i = 0; i < 2; i++) {
    waiter->counts[i] = 99;
    waiter->status[i] =
        weir_completions_wait(waiter->queue, &record, sizeof record, 1, i, &waiter->counts[i]);
  }
  return NULL;
}

static void wait_says_why_there_is_nothing(struct fixture *fx) {
  static struct queue_fixture q;
  weir_record record;
  size_t count = 99;
  pthread_t thread;
  open_queue(fx, &q);
  run_until_idle(fx);
  /* on the runtime's thread nothing can come while it waits */
  assert_int_equal(weir_completions_wait(q.queue, &record, sizeof record, 1, WEIR_FOREVER, &count),
                   WEIR_ETHREAD);
  assert_int_equal(count, 0);
  /* on another the time passes */
  struct other_waiter waiter = {.queue = q.queue};
  assert_int_equal(pthread_create(&thread, NULL, wait_elsewhere, &waiter), 0);
  pthread_join(thread, NULL);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(waiter.status[i], WEIR_ETIMEDOUT);
    assert_int_equal(waiter.counts[i], 0);
  }
  /* and what is there may be taken anywhere */
  weir_call_unref(run_queued(&q, scripted(fx, "n")->operation, 3, NULL));
  run_until_idle(fx);
  assert_int_equal(weir_completions_wait(q.queue, &record, sizeof record, 1, WEIR_FOREVER, &count),
                   WEIR_OK);
  assert_int_equal(count, 1);
  assert_int_equal(record.user, 3);
  close_queue(&q);
}

static void wait_with_bad_arguments_takes_nothing(struct fixture *fx) {
  static struct queue_fixture q;
  weir_record record = {0};
  size_t count = 99;
  open_queue(fx, &q);
  weir_call_unref(run_queued(&q, scripted(fx, "n")->operation, 3, NULL));
  run_until_idle(fx);
  assert_int_equal(weir_completions_wait(NULL, &record, sizeof record, 1, 0, &count), WEIR_EINVAL);
  assert_int_equal(count, 0);
  assert_int_equal(weir_completions_wait(q.queue, NULL, sizeof record, 1, 0, &count), WEIR_EINVAL);
  assert_int_equal(weir_completions_wait(q.queue, &record, 12, 1, 0, &count), WEIR_EINVAL);
  assert_int_equal(weir_completions_wait(q.queue, &record, sizeof record, 0, 0, &count),
                   WEIR_EINVAL);
  assert_int_equal(weir_completions_wait(q.queue, &record, sizeof record, 1, -2, &count),
                   WEIR_EINVAL);
  assert_int_equal(weir_completions_wait(q.queue, &record, sizeof record, 1, 0, NULL), WEIR_EINVAL);
  assert_int_equal(drain_one(&q).user, 3);
  close_queue(&q);
}

static void drain_with_bad_arguments_takes_nothing(struct fixture *fx) {
  static struct queue_fixture q;
  weir_record record = {0};
  open_queue(fx, &q);
  weir_call_unref(run_queued(&q, scripted(fx, "n")->operation, 3, NULL));
  run_until_idle(fx);
  assert_int_equal(weir_completions_drain(NULL, &record, sizeof record, 1), 0);
  assert_int_equal(weir_completions_drain(q.queue, NULL, sizeof record, 1), 0);
  assert_int_equal(weir_completions_drain(q.queue, &record, 0, 1), 0);
  assert_int_equal(weir_completions_drain(q.queue, &record, sizeof record, 0), 0);
  assert_int_equal(drain_one(&q).user, 3);
  close_queue(&q);
}

static void drain_fills_records_of_an_older_and_a_newer_size(struct fixture *fx) {
  static struct queue_fixture q;
  uint64_t users[2] = {0, 0};
  unsigned char wide[2 * (sizeof(weir_record) + 8)];
  struct script *script = scripted(fx, "n");
  open_queue(fx, &q);
  for (uint64_t i = 0; i < 4; i++) weir_call_unref(run_queued(&q, script->operation, 90 + i, NULL));
  run_until_idle(fx);
  assert_int_equal(
      weir_completions_drain(q.queue, (weir_record *)(void *)users, sizeof(uint64_t), 2), 2);
  assert_int_equal(users[0], 90);
  assert_int_equal(users[1], 91);
  memset(wide, 0x55, sizeof wide);
  assert_int_equal(
      weir_completions_drain(q.queue, (weir_record *)(void *)wide, sizeof(weir_record) + 8, 2), 2);
  assert_int_equal(((weir_record *)(void *)wide)->user, 92);
  for (size_t i = 0; i < 8; i++) assert_int_equal(wide[sizeof(weir_record) + i], 0);
  close_queue(&q);
}

static void closed_record_is_the_last_one(struct fixture *fx) {
  static struct queue_fixture q; /* the attempt holds the queue until the end of the test */
  weir_record records[8];
  open_queue(fx, &q);
  weir_call_unref(run_queued(&q, scripted(fx, "hang")->operation, 3, NULL));
  run_until_idle(fx);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  size_t count = weir_completions_drain(q.queue, records, sizeof *records, 8);
  assert_int_equal(count, 2);
  assert_int_equal(records[0].kind, WEIR_RECORD_SETTLED);
  assert_int_equal(records[0].status, WEIR_ECLOSED);
  weir_error_unref((weir_error *)(uintptr_t)records[0].object);
  assert_int_equal(records[1].kind, WEIR_RECORD_CLOSED);
  close_queue(&q);
}

static void settle_function_beside_a_queue_is_refused(struct fixture *fx) {
  static struct queue_fixture q;
  weir_error *error = NULL;
  unsigned freed = 0;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  struct run unused = {.fixture = fx};
  open_queue(fx, &q);
  options.queue = q.queue;
  assert_int_equal(weir_run(q.operation, &options, record_settle, &freed, count_free, NULL, &error),
                   WEIR_EINVAL);
  assert_int_equal(freed, 1);
  assert_int_equal(unused.settled, 0);
  assert_message(error, "queue");
  close_queue(&q);
}

TEST_MAIN("completions", TEST(queued_operation_starts_and_settles_by_records),
          TEST(settled_record_carries_an_error_of_the_hosts_own),
          LONG_TEST(attempts_beyond_65535_show_as_65535),
          TEST(C14_settled_record_is_drained_long_after_cancel_and_unref),
          TEST(C14_undrained_start_is_revoked_by_a_cancel),
          TEST(C14_drained_start_is_followed_by_its_cancel), TEST(C14_cancel_record_says_why),
          TEST(C14_cancel_record_is_taken_back_when_the_attempt_ends_first),
          TEST(C14_queue_given_back_with_records_undrained_frees_what_they_carry),
          TEST(C15_one_wake_up_per_edge_and_leftovers_signal_again),
          TEST(C15_descriptor_is_readable_while_records_wait),
          TEST(queue_without_a_descriptor_has_none), TEST(wait_says_why_there_is_nothing),
          TEST(wait_with_bad_arguments_takes_nothing), TEST(drain_with_bad_arguments_takes_nothing),
          TEST(drain_fills_records_of_an_older_and_a_newer_size),
          TEST(closed_record_is_the_last_one), TEST(settle_function_beside_a_queue_is_refused))
