/* SPDX-License-Identifier: MIT */
/* Turns, time and the end, where they are at their limits. */

#include "support.h"

/* ---- runs that keep each other going --------------------------------------------------------- */

struct chain {
  struct fixture *fx;
  weir_operation *operation;
  uint32_t left;
};

static void run_next(void *data, weir_call *call, const weir_outcome *outcome) {
  struct chain *chain = data;
  (void)call;
  (void)outcome;
  if (chain->left == 0) return;
  chain->left--;
  if (weir_run(chain->operation, NULL, run_next, chain, NULL, NULL, NULL) != WEIR_OK) {
    chain->left = 0;
  }
}

static void timers_are_served_while_runs_keep_each_other_going(struct fixture *fx) {
  /* given a run that starts another when it settles, and so on for many turns */
  struct chain chain = {fx, scripted(fx, "n")->operation, 1000000};
  weir_call *call = NULL;
  assert_int_equal(weir_run(chain.operation, NULL, run_next, &chain, NULL, &call, NULL), WEIR_OK);
  weir_call_unref(call);
  /* and some with deadlines */
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 10;
  struct script *hang = scripted(fx, "yield");
  struct run *runs[10];
  for (size_t i = 0; i < COUNT_OF(runs); i++) runs[i] = begin(fx, hang->operation, &options);
  weir_runtime_process(fx->runtime, now_ns(fx));
  /* when their deadline is over */
  int64_t late = now_ns(fx) + 10 * MS;
  for (size_t i = 0; i < 2 * COUNT_OF(runs); i++) weir_runtime_process(fx->runtime, late);
  /* then they settle, though there is always another run to take up */
  assert_true(chain.left > 0);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    assert_int_equal(settled(runs[i])->status, WEIR_ETIMEDOUT);
  }
  chain.left = 0;
  run_until_idle(fx);
}

/* ---- the end of time ------------------------------------------------------------------------- */

static void the_last_moment_is_like_any_other(struct fixture *fx) {
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  weir_testing_advance_ns(fx->runtime, INT64_MAX);
  assert_pending(run);
  assert_true(weir_runtime_next_deadline(fx->runtime) == INT64_MAX);
  weir_runtime_process(fx->runtime, INT64_MAX);
  assert_int_equal(finish(script, 0, "v3"), WEIR_OK);
  weir_testing_run_until_idle(fx->runtime);
  assert_int_equal(settled(run)->status, WEIR_OK);
}

/* ---- trim ------------------------------------------------------------------------------------ */

struct trimming {
  struct fixture *fx;
  uint64_t before;
  uint64_t after;
};

static void trim_here(struct run *run) {
  struct trimming *seen = run->user;
  seen->before = seen->fx->memory.live_bytes;
  expect(seen->fx, weir_runtime_trim(seen->fx->runtime) == WEIR_OK, "trim failed");
  seen->after = seen->fx->memory.live_bytes;
}

static void trim_on_the_runtimes_thread_takes_effect_at_once(struct fixture *fx) {
  struct trimming seen = {.fx = fx};
  struct script *script = scripted(fx, "n");
  for (size_t i = 0; i < 50; i++) {
    assert_int_equal(weir_run(script->operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  }
  run_until_idle(fx);
  struct run *run = begin(fx, script->operation, NULL);
  run->user = &seen;
  run->on_settled = trim_here;
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_true(seen.after < seen.before);
}

static void *trim_elsewhere(void *runtime) {
  weir_runtime_trim(runtime);
  return NULL;
}

static void trim_on_other_threads_takes_effect_in_the_next_turn_each_time(struct fixture *fx) {
  struct script *script = scripted(fx, "n");
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < 50; i++) {
      assert_int_equal(weir_run(script->operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
    }
    run_until_idle(fx);
    uint64_t before = fx->memory.live_bytes;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, trim_elsewhere, fx->runtime), 0);
    pthread_join(thread, NULL);
    run_until_idle(fx);
    assert_true(fx->memory.live_bytes < before);
  }
}

/* ---- queues and the end ---------------------------------------------------------------------- */

static void queue_made_after_the_end_hears_of_it(struct fixture *fx) {
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  weir_testing_run_until_idle(fx->runtime);
  weir_completions *queue = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  weir_record records[4];
  assert_int_equal(weir_completions_drain(queue, records, sizeof records[0], 4), 1);
  assert_int_equal(records[0].kind, WEIR_RECORD_CLOSED);
  weir_completions_unref(queue);
}

static void queue_made_while_closing_hears_of_the_end_once(struct fixture *fx) {
  struct script *script = scripted(fx, "hang");
  begin(fx, script->operation, NULL);
  weir_testing_run_until_idle(fx->runtime);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  weir_completions *queue = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  weir_record records[4];
  assert_int_equal(weir_completions_drain(queue, records, sizeof records[0], 4), 0);
  weir_testing_run_until_idle(fx->runtime);
  finish_all(script);
  weir_testing_run_until_idle(fx->runtime);
  assert_int_equal(weir_completions_drain(queue, records, sizeof records[0], 4), 1);
  assert_int_equal(records[0].kind, WEIR_RECORD_CLOSED);
  weir_completions_unref(queue);
}

/* ---- short options --------------------------------------------------------------------------- */

static void run_wait_sees_the_queue_in_a_shorter_struct(struct fixture *fx) {
  weir_completions *queue = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  struct script *script = scripted(fx, "n");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.queue = queue;
  options.size = offsetof(weir_run_options, user); /* the queue is its last field */
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_error *error = NULL;
  assert_int_equal(weir_run_wait(script->operation, &options, 0, &outcome, &error), WEIR_EINVAL);
  assert_message(error, "queue must be NULL");
  weir_completions_unref(queue);
}

/* ---- steps ---- */

static void what_completes_inside_its_start_takes_no_step_of_its_own(struct fixture *fx) {
  struct script *inside = scripted(fx, "v7");
  struct script *later = scripted(fx, "hang");
  begin(fx, inside->operation, NULL);
  uint64_t at_once = weir_testing_run_until_idle(fx->runtime);
  struct run *run = begin(fx, later->operation, NULL);
  uint64_t started = weir_testing_run_until_idle(fx->runtime);
  assert_int_equal(finish(later, 0, "v7"), WEIR_OK);
  uint64_t completed = weir_testing_run_until_idle(fx->runtime);
  assert_int_equal(settled(run)->value, 7);
  assert_true(completed > 0);
  assert_int_equal(at_once, started);
}

/* Sleeps for `sleep_ms` and moves the clock on; returns the steps. */
static uint64_t steps_of_sleep(struct fixture *fx, int64_t sleep_ms, int64_t clock_ms) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, sleep_ms, WEIR_OK, NULL, NULL, &sleep, NULL),
                   WEIR_OK);
  struct run *run = try_begin(fx, sleep, NULL, NULL);
  weir_operation_unref(sleep);
  assert_int_equal(run->status, WEIR_OK);
  uint64_t steps = weir_testing_run_until_idle(fx->runtime);
  assert_true(steps > 0);
  assert_int_equal(weir_testing_run_until_idle(fx->runtime), 0);
  steps = clock_ms == 0 ? weir_testing_advance_to_next(fx->runtime)
                        : weir_testing_advance(fx->runtime, clock_ms);
  settled(run);
  return steps;
}

static void advancing_returns_the_steps_however_it_comes_to_the_time(struct fixture *fx) {
  uint64_t steps = steps_of_sleep(fx, 100, 100);
  assert_in_range(steps, 1, 10);
  assert_int_equal(steps_of_sleep(fx, 100, 150), steps);
  assert_int_equal(steps_of_sleep(fx, 100, 0), steps);
  assert_int_equal(weir_testing_advance(fx->runtime, 1000), 0);
  assert_int_equal(weir_testing_advance_to_next(fx->runtime), 0);
}

TEST_MAIN("engine_turns", LONG_TEST(timers_are_served_while_runs_keep_each_other_going),
          TEST(the_last_moment_is_like_any_other),
          TEST(trim_on_the_runtimes_thread_takes_effect_at_once),
          TEST(trim_on_other_threads_takes_effect_in_the_next_turn_each_time),
          TEST(queue_made_after_the_end_hears_of_it),
          TEST(queue_made_while_closing_hears_of_the_end_once),
          TEST(run_wait_sees_the_queue_in_a_shorter_struct),
          TEST(what_completes_inside_its_start_takes_no_step_of_its_own),
          TEST(advancing_returns_the_steps_however_it_comes_to_the_time))
