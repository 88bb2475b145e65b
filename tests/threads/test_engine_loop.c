/* SPDX-License-Identifier: MIT */
/* A runtime attached to a loop that has a life of its own. */

#include "support.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <uv.h>

struct attached {
  uv_loop_t loop;
  weir_runtime *runtime;
  weir_operation *operation; /* its attempts stay out until told to stop */
  uint32_t started;
  uint32_t settled;
  weir_status status;
  int64_t settled_ns;
  atomic_uint closed;
  uv_prepare_t prepare;
  sem_t go; /* what another thread waits for */
};

static void stop_when_told(void *data, uint32_t reason) {
  weir_attempt *attempt = data;
  (void)reason;
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void wait_for_cancel(void *data, weir_attempt *attempt) {
  struct attached *at = data;
  at->started++;
  weir_attempt *copy = malloc(sizeof *copy);
  if (copy == NULL) abort();
  *copy = *attempt;
  attempt->on_cancel = stop_when_told;
  attempt->data = copy;
  attempt->free_data = free;
}

static void note_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct attached *at = data;
  (void)call;
  at->settled++;
  at->status = outcome->status;
  at->settled_ns = weir_runtime_now(at->runtime);
}

static void note_closed(void *data, uint64_t orphans) {
  (void)orphans;
  ((struct attached *)data)->closed++;
}

static void attach(struct attached *at) {
  memset(at, 0, sizeof *at);
  assert_int_equal(uv_loop_init(&at->loop), 0);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_UV;
  options.loop = &at->loop;
  options.on_closed = note_closed;
  options.closed_data = at;
  assert_int_equal(weir_runtime_new(&options, &at->runtime, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(at->runtime, wait_for_cancel, at, NULL, &at->operation, NULL),
                   WEIR_OK);
}

static void detach(struct attached *at) {
  weir_operation_unref(at->operation);
  weir_runtime_unref(at->runtime);
  uv_run(&at->loop, UV_RUN_DEFAULT);
  assert_int_equal(at->closed, 1);
  assert_int_equal(uv_loop_close(&at->loop), 0);
}

static weir_status run_with_deadline(struct attached *at, int64_t deadline_ms) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = deadline_ms;
  return weir_run(at->operation, &options, note_settled, at, NULL, NULL, NULL);
}

static void keep_busy(int64_t ms) {
  uint64_t until = uv_hrtime() + (uint64_t)(ms * MS);
  while (uv_hrtime() < until) {
  }
}

/* ---- the loop's own life --------------------------------------------------------------------- */

static void count_timer(uv_timer_t *timer) { ++*(unsigned *)timer->data; }

static void C09_the_loop_goes_on_with_its_own_after_weir_has_closed(struct fixture *fx) {
  (void)fx;
  struct attached at;
  uv_timer_t timer;
  unsigned ticks = 0;
  attach(&at);
  uv_timer_init(&at.loop, &timer);
  timer.data = &ticks;
  uv_timer_start(&timer, count_timer, 1, 1);
  assert_int_equal(run_with_deadline(&at, 5), WEIR_OK);
  while (at.settled == 0) uv_run(&at.loop, UV_RUN_ONCE);
  assert_int_equal(at.status, WEIR_ETIMEDOUT);
  weir_operation_unref(at.operation);
  weir_runtime_unref(at.runtime);
  while (at.closed == 0) uv_run(&at.loop, UV_RUN_ONCE);
  unsigned before = ticks;
  while (ticks < before + 5) uv_run(&at.loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&timer, NULL);
  uv_run(&at.loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&at.loop), 0);
}

static void C16_an_idle_runtime_lets_the_loop_end(struct fixture *fx) {
  (void)fx;
  struct attached at;
  attach(&at);
  assert_int_equal(uv_run(&at.loop, UV_RUN_DEFAULT), 0);
  /* and with something in flight it goes on until that has settled */
  assert_int_equal(run_with_deadline(&at, 5), WEIR_OK);
  assert_int_equal(uv_run(&at.loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(at.settled, 1);
  detach(&at);
}

static void raise_go(uv_prepare_t *prepare) { sem_post(&((struct attached *)prepare->data)->go); }

/* Raises `go` whenever `loop` is about to wait; that does not keep the loop alive. */
static void go_when_waiting(struct attached *at, uv_loop_t *loop) {
  sem_init(&at->go, 0, 0);
  uv_prepare_init(loop, &at->prepare);
  at->prepare.data = at;
  uv_prepare_start(&at->prepare, raise_go);
  uv_unref((uv_handle_t *)&at->prepare);
}

static void stop_going(struct attached *at) {
  uv_close((uv_handle_t *)&at->prepare, NULL);
  sem_destroy(&at->go);
}

static void *run_from_elsewhere(void *data) {
  struct attached *at = data;
  sem_wait(&at->go);
  if (run_with_deadline(at, 5) != WEIR_OK) abort();
  return NULL;
}

static void release_hold(void *data, weir_call *call, const weir_outcome *outcome) {
  struct attached *at = data;
  note_settled(data, call, outcome);
  if (weir_runtime_release(at->runtime) != WEIR_OK) at->settled = 99;
}

static void *run_and_release(void *data) {
  struct attached *at = data;
  sem_wait(&at->go);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 5;
  if (weir_run(at->operation, &options, release_hold, at, NULL, NULL, NULL) != WEIR_OK) abort();
  return NULL;
}

static void C16_a_held_runtime_waits_for_runs_of_other_threads(struct fixture *fx) {
  (void)fx;
  struct attached at;
  pthread_t thread;
  attach(&at);
  go_when_waiting(&at, &at.loop);
  assert_int_equal(weir_runtime_hold(at.runtime), WEIR_OK);
  pthread_create(&thread, NULL, run_and_release, &at);
  uv_run(&at.loop, UV_RUN_DEFAULT);
  pthread_join(thread, NULL);
  stop_going(&at);
  assert_int_equal(at.settled, 1);
  assert_int_equal(weir_runtime_release(at.runtime), WEIR_EINVAL);
  detach(&at);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void C17_no_deadline_comes_early_on_a_busy_loop(struct fixture *fx) {
  (void)fx;
  struct attached at;
  attach(&at);
  static const int64_t delays_ms[] = {1, 2, 5, 17, 64, 65, 120};
  for (size_t i = 0; i < COUNT_OF(delays_ms); i++) {
    uv_run(&at.loop, UV_RUN_NOWAIT);
    at.settled = 0;
    keep_busy(i % 2 == 0 ? 100 : 3); /* the loop's time is as old as that */
    int64_t began_ns = weir_runtime_now(at.runtime);
    assert_int_equal(run_with_deadline(&at, delays_ms[i]), WEIR_OK);
    while (at.settled == 0) uv_run(&at.loop, UV_RUN_ONCE);
    assert_int_equal(at.status, WEIR_ETIMEDOUT);
    int64_t waited_ns = at.settled_ns - began_ns;
    assert_true(waited_ns >= delays_ms[i] * MS);
    assert_true(waited_ns < (delays_ms[i] + 1000) * MS); /* nor lost */
  }
  detach(&at);
}

/* ---- two at once ----------------------------------------------------------------------------- */

static void C11_two_runtimes_on_two_loops(struct fixture *fx) {
  (void)fx;
  struct attached one;
  struct attached two;
  pthread_t thread;
  attach(&one);
  attach(&two);
  go_when_waiting(&one, &two.loop);
  assert_int_equal(weir_runtime_hold(one.runtime), WEIR_OK);
  pthread_create(&thread, NULL, run_from_elsewhere, &one);
  assert_int_equal(run_with_deadline(&two, 30), WEIR_OK);
  uv_run(&two.loop, UV_RUN_DEFAULT);
  while (one.settled == 0) uv_run(&one.loop, UV_RUN_ONCE);
  pthread_join(thread, NULL);
  stop_going(&one);
  assert_int_equal(one.settled, 1);
  assert_int_equal(two.settled, 1);
  detach(&one);
  detach(&two);
}

TEST_MAIN("engine_loop", TEST(C09_the_loop_goes_on_with_its_own_after_weir_has_closed),
          TEST(C16_an_idle_runtime_lets_the_loop_end),
          TEST(C16_a_held_runtime_waits_for_runs_of_other_threads),
          TEST(C17_no_deadline_comes_early_on_a_busy_loop), TEST(C11_two_runtimes_on_two_loops))
