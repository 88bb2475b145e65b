/* SPDX-License-Identifier: MIT */
/* The attached driver on the caller's own loop: what is the caller's stays the caller's (C09), two
 * loops do not meet (C11), the place of timers in an iteration does not matter (C12), an idle
 * runtime lets the loop go and a held one does not (C16), a stale loop time fires nothing early
 * (C17). */

#include <stdatomic.h>

#include "loopback.h"

/* ---- C09 ------------------------------------------------------------------------------------- */

struct own {
  uv_timer_t timer;
  uv_idle_t idle;
  uv_async_t async;
  unsigned ticks;
  unsigned idles;
  weir_runtime *runtime;
};

static void tick(uv_timer_t *timer) {
  struct own *own = timer->data;
  own->ticks++;
  if (own->ticks == 3 && own->runtime != NULL) { /* in the middle of the caller's own work */
    weir_runtime_unref(own->runtime);
    own->runtime = NULL;
  }
  if (own->ticks == 10) {
    uv_close((uv_handle_t *)&own->timer, NULL);
    uv_close((uv_handle_t *)&own->idle, NULL);
    uv_close((uv_handle_t *)&own->async, NULL);
  }
}

static void count_idle(uv_idle_t *idle) { ((struct own *)idle->data)->idles++; }

static void ignore_async(uv_async_t *async) { (void)async; }

static void C09_loop_runs_its_own_before_and_after_weir_is_closed(struct fixture *fx) {
  uv_loop_t loop;
  struct own own = {0};
  struct client client = {0};
  struct answer answer;
  assert_int_equal(uv_loop_init(&loop), 0);
  own.timer.data = own.idle.data = own.async.data = &own;
  assert_int_equal(uv_timer_init(&loop, &own.timer), 0);
  assert_int_equal(uv_idle_init(&loop, &own.idle), 0);
  assert_int_equal(uv_async_init(&loop, &own.async, ignore_async), 0);
  assert_int_equal(uv_timer_start(&own.timer, tick, 1, 1), 0);
  assert_int_equal(uv_idle_start(&own.idle, count_idle), 0);
  own.runtime = attached(fx, &loop);
  assert_int_equal(weir_sleep_new(own.runtime, 1, WEIR_OK, NULL, NULL, &client.operation, NULL),
                   WEIR_OK);
  ask(&loop, &client, NULL, &answer);
  weir_operation_unref(client.operation);
  run_loop(&loop);
  assert_int_equal(own.ticks, 10);
  assert_true(own.idles > 0);
  assert_int_equal(answer.settled, 1);
  assert_int_equal(uv_loop_close(&loop), 0);
}

struct walk {
  unsigned handles;
};

static void count_handle(uv_handle_t *handle, void *data) {
  ((struct walk *)data)->handles += !uv_is_closing(handle);
}

static void C09_weir_leaves_no_handle_behind(struct fixture *fx) {
  uv_loop_t loop;
  struct walk before = {0};
  struct walk after = {0};
  assert_int_equal(uv_loop_init(&loop), 0);
  uv_walk(&loop, count_handle, &before);
  for (size_t i = 0; i < 20; i++) {
    weir_runtime *runtime = attached(fx, &loop);
    if (i % 2 == 0) run_loop(&loop);
    weir_runtime_unref(runtime);
    if (i % 3 == 0) run_loop(&loop);
  }
  run_loop(&loop);
  uv_walk(&loop, count_handle, &after);
  assert_int_equal(before.handles, after.handles);
  assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- C11 ------------------------------------------------------------------------------------- */

static void C11_two_runtimes_on_two_loops_do_not_meet(struct fixture *fx) {
  uv_loop_t loops[2];
  weir_runtime *runtimes[2];
  struct client clients[2] = {{0}, {0}};
  struct answer answers[2];
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(uv_loop_init(&loops[i]), 0);
    runtimes[i] = attached(fx, &loops[i]);
    assert_int_equal(
        weir_sleep_new(runtimes[i], 2, WEIR_OK, NULL, NULL, &clients[i].operation, NULL), WEIR_OK);
    ask(&loops[i], &clients[i], NULL, &answers[i]);
  }
  run_loop(&loops[0]);
  assert_int_equal(answers[0].settled, 1);
  assert_int_equal(answers[1].settled, 0);
  run_loop(&loops[1]);
  assert_int_equal(answers[1].settled, 1);
  for (size_t i = 0; i < 2; i++) close_all(&loops[i], NULL, &clients[i], runtimes[i]);
}

/* ---- C12 ------------------------------------------------------------------------------------- */

/* Completes from the caller's own timer, which is due in the same iteration as weir's timeout. */
struct meeting {
  uv_timer_t timer;
  weir_runtime *runtime;
  weir_token token;
  unsigned freed;
};

static void complete_by_timer(uv_timer_t *timer) {
  struct meeting *meeting = timer->data;
  if (meeting->token == 0) { /* weir's first turn comes later in this iteration */
    uv_timer_start(timer, complete_by_timer, 1, 0);
    return;
  }
  weir_complete_pointer(meeting->runtime, meeting->token, &meeting->freed, count_free);
  uv_close((uv_handle_t *)timer, NULL);
}

static void start_meeting(void *data, weir_attempt *attempt) {
  ((struct meeting *)data)->token = attempt->token;
}

static void C12_result_and_timeout_in_one_iteration_settle_once(struct fixture *fx) {
  for (uint64_t delay = 4; delay < 8; delay++) {
    uv_loop_t loop;
    struct meeting meeting = {.token = 0};
    struct client client = {0};
    struct answer answer;
    weir_timeout *timeout = NULL;
    weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
    assert_int_equal(uv_loop_init(&loop), 0);
    meeting.runtime = attached(fx, &loop);
    meeting.timer.data = &meeting;
    options.timeout_ms = 5;
    assert_int_equal(weir_timeout_new(meeting.runtime, &options, &timeout, NULL), WEIR_OK);
    assert_int_equal(
        weir_operation_new(meeting.runtime, start_meeting, &meeting, NULL, &client.operation, NULL),
        WEIR_OK);
    assert_int_equal(uv_timer_init(&loop, &meeting.timer), 0);
    assert_int_equal(uv_timer_start(&meeting.timer, complete_by_timer, delay, 0), 0);
    ask(&loop, &client, weir_timeout_policy(timeout), &answer);
    uv_sleep(10); /* both are due when the loop begins, or soon after */
    run_loop(&loop);
    assert_int_equal(answer.settled, 1);
    assert_true(answer.result.status == WEIR_OK || answer.result.status == WEIR_ETIMEDOUT);
    if (answer.result.status == WEIR_ETIMEDOUT) assert_true(answer.result.elapsed_ns >= 5 * MS);
    weir_timeout_unref(timeout);
    close_all(&loop, NULL, &client, meeting.runtime);
    assert_int_equal(meeting.freed, 1);
  }
}

/* ---- C16 ------------------------------------------------------------------------------------- */

static void C16_idle_runtime_lets_the_loop_return(struct fixture *fx) {
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  run_loop(&loop); /* or this hangs */
  assert_int_equal(uv_loop_alive(&loop), 0);
  assert_int_equal(weir_runtime_release(runtime), WEIR_EINVAL);
  close_all(&loop, NULL, NULL, runtime);
}

/* ---- a touch ---- */

static void count_start(void *data, weir_attempt *attempt) {
  ++*(unsigned *)data;
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static weir_throttle *throttled(weir_runtime *runtime, unsigned *starts, int64_t interval_ms) {
  weir_throttle *throttle = NULL;
  weir_operation *operation = NULL;
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  options.interval_ms = interval_ms;
  assert_int_equal(weir_operation_new(runtime, count_start, starts, NULL, &operation, NULL),
                   WEIR_OK);
  assert_int_equal(weir_throttle_new(runtime, operation, &options, &throttle, NULL), WEIR_OK);
  weir_operation_unref(operation);
  return throttle;
}

static void C16_touch_that_is_pending_keeps_the_loop_until_it_has_run(struct fixture *fx) {
  uv_loop_t loop;
  unsigned starts = 0;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  weir_throttle *throttle = throttled(runtime, &starts, 5);
  for (int i = 0; i < 3; i++) assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), 0);
  assert_int_equal(weir_throttle_touch(throttle, "a", 1, NULL), WEIR_OK);
  run_loop(&loop);
  assert_int_equal(starts, 3); /* the first, the last, and the other key's one */
  weir_throttle_unref(throttle);
  close_all(&loop, NULL, NULL, runtime);
}

static void C16_throttle_with_nothing_pending_or_cancelled_lets_the_loop_return(
    struct fixture *fx) {
  uv_loop_t loop;
  unsigned starts = 0;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  weir_throttle *throttle = throttled(runtime, &starts, 3600000);
  assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), WEIR_OK);
  run_loop(&loop); /* or this hangs, for the interval, or after the cancel */
  assert_int_equal(weir_throttle_touch(throttle, NULL, 0, NULL), WEIR_OK);
  assert_int_not_equal(uv_run(&loop, UV_RUN_NOWAIT), 0);
  assert_int_equal(weir_throttle_cancel(throttle, NULL, 0), WEIR_OK);
  run_loop(&loop);
  assert_int_equal(starts, 1);
  weir_throttle_unref(throttle);
  close_all(&loop, NULL, NULL, runtime);
}

struct remote {
  weir_runtime *runtime;
  weir_operation *operation;
  _Atomic int started;
  int settled;
};

static void start_remote(void *data, weir_attempt *attempt) {
  atomic_store(&((struct remote *)data)->started, 1);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void settle_remote(void *data, weir_call *call, const weir_outcome *outcome) {
  struct remote *remote = data;
  (void)call, (void)outcome;
  remote->settled++;
  weir_runtime_release(remote->runtime); /* lets the loop return */
}

static void *run_from_elsewhere(void *data) {
  struct remote *remote = data;
  uv_sleep(5);
  weir_run(remote->operation, NULL, settle_remote, remote, NULL, NULL, NULL);
  return NULL;
}

static void C16_held_loop_is_woken_by_a_run_from_another_thread(struct fixture *fx) {
  uv_loop_t loop;
  struct remote remote = {0};
  pthread_t thread;
  assert_int_equal(uv_loop_init(&loop), 0);
  remote.runtime = attached(fx, &loop);
  assert_int_equal(
      weir_operation_new(remote.runtime, start_remote, &remote, NULL, &remote.operation, NULL),
      WEIR_OK);
  assert_int_equal(weir_runtime_hold(remote.runtime), WEIR_OK);
  assert_int_equal(pthread_create(&thread, NULL, run_from_elsewhere, &remote), 0);
  run_loop(&loop);
  pthread_join(thread, NULL);
  assert_int_equal(remote.settled, 1);
  weir_operation_unref(remote.operation);
  close_all(&loop, NULL, NULL, remote.runtime);
}

static void C16_holds_are_counted(struct fixture *fx) {
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  assert_int_equal(weir_runtime_hold(runtime), WEIR_OK);
  assert_int_equal(weir_runtime_hold(runtime), WEIR_OK);
  assert_int_equal(weir_runtime_release(runtime), WEIR_OK);
  assert_int_not_equal(uv_run(&loop, UV_RUN_NOWAIT), 0); /* still alive */
  assert_int_equal(weir_runtime_release(runtime), WEIR_OK);
  run_loop(&loop);
  assert_int_equal(weir_runtime_release(runtime), WEIR_EINVAL);
  close_all(&loop, NULL, NULL, runtime);
}

/* ---- C17 ------------------------------------------------------------------------------------- */

struct busy {
  uv_timer_t timer;
  struct client client;
  struct answer answer;
  uv_loop_t *loop;
};

/* Works for 100 ms without giving the loop its turn, and only then asks for a 20 ms sleep. */
static void work_and_ask(uv_timer_t *timer) {
  struct busy *busy = timer->data;
  uv_sleep(100);
  ask(busy->loop, &busy->client, NULL, &busy->answer);
  uv_close((uv_handle_t *)timer, NULL);
}

static void C17_timer_armed_in_a_stale_loop_does_not_fire_early(struct fixture *fx) {
  uv_loop_t loop;
  struct busy busy = {.loop = &loop};
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  busy.timer.data = &busy;
  assert_int_equal(weir_sleep_new(runtime, 20, WEIR_OK, NULL, NULL, &busy.client.operation, NULL),
                   WEIR_OK);
  assert_int_equal(uv_timer_init(&loop, &busy.timer), 0);
  assert_int_equal(uv_timer_start(&busy.timer, work_and_ask, 1, 0), 0);
  run_loop(&loop);
  assert_int_equal(busy.answer.settled, 1);
  assert_true(busy.answer.result.elapsed_ns >= 20 * MS);
  close_all(&loop, NULL, &busy.client, runtime);
}

/* A settle function that works for 40 ms and then asks for a 20 ms sleep. */
static void work_and_ask_when_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct busy *busy = data;
  (void)call, (void)outcome;
  uv_sleep(40);
  ask(busy->loop, &busy->client, NULL, &busy->answer);
}

static void C17_timer_armed_after_a_long_settle_function_does_not_fire_early(struct fixture *fx) {
  uv_loop_t loop;
  struct busy busy = {.loop = &loop};
  weir_operation *first = NULL;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  assert_int_equal(weir_sleep_new(runtime, 1, WEIR_OK, NULL, NULL, &first, NULL), WEIR_OK);
  assert_int_equal(weir_sleep_new(runtime, 20, WEIR_OK, NULL, NULL, &busy.client.operation, NULL),
                   WEIR_OK);
  /* when the run that the settle function asks for is taken up in the same turn */
  uint64_t begun_ns = uv_hrtime();
  assert_int_equal(weir_run(first, NULL, work_and_ask_when_settled, &busy, NULL, NULL, NULL),
                   WEIR_OK);
  run_loop(&loop);
  /* then its sleep begins after the work */
  assert_int_equal(busy.answer.settled, 1);
  assert_true(uv_hrtime() >= begun_ns + (1 + 40 + 20) * MS);
  weir_operation_unref(first);
  close_all(&loop, NULL, &busy.client, runtime);
}

/* ---- blocking functions ---------------------------------------------------------------------- */

static weir_status count_block(void *data, const weir_attempt *attempt, weir_value **value,
                               weir_error **error) {
  (void)attempt, (void)value, (void)error;
  ++*(unsigned *)data;
  return WEIR_OK;
}

static void blocking_function_without_memory_settles_as_no_memory(struct fixture *fx) {
  uv_loop_t loop;
  struct client client = {0};
  struct answer answer = {0};
  unsigned blocked = 0;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  assert_int_equal(
      weir_operation_new_blocking(runtime, count_block, &blocked, NULL, &client.operation, NULL),
      WEIR_OK);
  run_loop(&loop);
  /* given a run whose memory is used again */
  ask(&loop, &client, NULL, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.status, WEIR_OK);
  assert_int_equal(blocked, 1);
  /* when one of the two allocations fails that hand the work to the pool */
  for (uint64_t nth = 1; nth <= 2; nth++) {
    memory_fail(&fx->memory, nth, 0);
    ask(&loop, &client, NULL, &answer);
    run_loop(&loop);
    /* then the run ends and says so */
    assert_int_equal(answer.settled, 1);
    assert_int_equal(answer.result.channel, WEIR_CHANNEL_ERROR);
    assert_int_equal(answer.result.status, WEIR_ENOMEM);
    assert_int_equal(answer.result.stop_reason, WEIR_STOP_NO_MEMORY);
  }
  assert_int_equal(blocked, 1);
  close_all(&loop, NULL, &client, runtime);
}

static weir_status block_and_return(void *data, const weir_attempt *attempt, weir_value **value,
                                    weir_error **error) {
  (void)attempt, (void)value, (void)error;
  return *(weir_status *)data;
}

static void a_status_that_weir_does_not_know_counts_as_failed(struct fixture *fx) {
  static const weir_status unknown[] = {WEIR_ESTOP - 1, -1000, INT32_MIN, 1, INT32_MAX};
  uv_loop_t loop;
  struct client client = {0};
  struct answer answer = {0};
  weir_status status = WEIR_ESTOP; /* the last that it knows */
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  assert_int_equal(weir_operation_new_blocking(runtime, block_and_return, &status, NULL,
                                               &client.operation, NULL),
                   WEIR_OK);
  ask(&loop, &client, NULL, &answer);
  run_loop(&loop);
  assert_int_equal(answer.result.error_status, WEIR_ESTOP);
  for (size_t i = 0; i < COUNT_OF(unknown); i++) {
    status = unknown[i];
    ask(&loop, &client, NULL, &answer);
    run_loop(&loop);
    assert_int_equal(answer.result.channel, WEIR_CHANNEL_ERROR);
    assert_int_equal(answer.result.status, WEIR_EFAILED);
    assert_int_equal(answer.result.error_status, WEIR_EFAILED);
  }
  close_all(&loop, NULL, &client, runtime);
}

static void functions_of_the_loops_thread_are_refused_elsewhere_or_do_nothing(struct fixture *fx) {
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attached(fx, &loop);
  assert_int_equal(weir_runtime_close_wait(runtime, 0), WEIR_ENOTSUP);
  assert_int_equal(weir_runtime_process(runtime, 0), 0);
  assert_int_equal(weir_testing_advance(runtime, 5), 0);
  close_all(&loop, NULL, NULL, runtime);
}

TEST_MAIN("uv_driver", LONG_TEST(C09_loop_runs_its_own_before_and_after_weir_is_closed),
          LONG_TEST(C09_weir_leaves_no_handle_behind),
          LONG_TEST(C11_two_runtimes_on_two_loops_do_not_meet),
          LONG_TEST(C12_result_and_timeout_in_one_iteration_settle_once),
          LONG_TEST(C16_idle_runtime_lets_the_loop_return),
          LONG_TEST(C16_held_loop_is_woken_by_a_run_from_another_thread),
          LONG_TEST(C16_holds_are_counted),
          LONG_TEST(C16_touch_that_is_pending_keeps_the_loop_until_it_has_run),
          LONG_TEST(C16_throttle_with_nothing_pending_or_cancelled_lets_the_loop_return),
          LONG_TEST(C17_timer_armed_in_a_stale_loop_does_not_fire_early),
          LONG_TEST(C17_timer_armed_after_a_long_settle_function_does_not_fire_early),
          LONG_TEST(blocking_function_without_memory_settles_as_no_memory),
          LONG_TEST(a_status_that_weir_does_not_know_counts_as_failed),
          LONG_TEST(functions_of_the_loops_thread_are_refused_elsewhere_or_do_nothing))
