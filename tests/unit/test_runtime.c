/* SPDX-License-Identifier: MIT */
/* The runtime on the manual driver: its clock, its turns, its limits, its listeners. */

#include "support.h"

static void clock_goes_where_process_says_and_never_back(struct fixture *fx) {
  int64_t began = now_ns(fx);
  weir_runtime_process(fx->runtime, began + 5 * MS);
  assert_true(now_ns(fx) == began + 5 * MS);
  weir_runtime_process(fx->runtime, began);
  assert_true(now_ns(fx) == began + 5 * MS);
  weir_runtime_process(fx->runtime, INT64_MIN);
  assert_true(now_ns(fx) == began + 5 * MS);
}

static void clock_at_its_very_end_does_not_reach_never(struct fixture *fx) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = WEIR_FOREVER;
  struct run *run = begin(fx, scripted(fx, "hang")->operation, &options);
  run_until_idle(fx);
  weir_runtime_process(fx->runtime, INT64_MAX);
  run_until_idle(fx);
  assert_pending(run);
  assert_true(now_ns(fx) < INT64_MAX);
}

static void next_deadline_says_now_with_work_and_never_without(struct fixture *fx) {
  assert_true(weir_runtime_next_deadline(fx->runtime) == INT64_MAX);
  struct script *script = scripted(fx, "yield");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 100;
  int64_t began = now_ns(fx);
  struct run *run = begin(fx, script->operation, &options);
  assert_true(weir_runtime_next_deadline(fx->runtime) <= began);
  run_until_idle(fx);
  int64_t next = weir_runtime_next_deadline(fx->runtime);
  assert_true(next > began && next <= began + 100 * MS);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_true(weir_runtime_next_deadline(fx->runtime) == INT64_MAX);
}

static void process_is_bounded_and_asks_to_be_called_again(struct fixture *fx) {
  enum { RUNS = 5000 };
  struct script *script = scripted(fx, "n");
  for (size_t i = 0; i < RUNS; i++) begin(fx, script->operation, NULL);
  uint64_t steps = weir_runtime_process(fx->runtime, now_ns(fx));
  assert_true(steps >= 512 && steps <= 2048);
  assert_true(weir_runtime_next_deadline(fx->runtime) <= now_ns(fx));
  assert_true(fx->settled < RUNS);
  run_until_idle(fx);
  assert_int_equal(fx->settled, RUNS);
}

static void process_from_inside(struct run *run) {
  struct fixture *fx = run->fixture;
  uint64_t settled_before = fx->settled;
  expect(fx, weir_runtime_process(fx->runtime, now_ns(fx)) == 0, "process() inside a callback");
  expect(fx, weir_testing_run_until_idle(fx->runtime) == 0, "run until idle inside a callback");
  expect(fx, weir_testing_advance(fx->runtime, 1) == 0, "advance inside a callback");
  expect(fx, weir_testing_advance_to_next(fx->runtime) == 0, "advance inside a callback");
  expect(fx, fx->settled == settled_before, "process() inside a callback took up another run");
}

static void process_inside_a_callback_does_nothing(struct fixture *fx) {
  struct run *run = begin(fx, scripted(fx, "v1")->operation, NULL);
  run->on_settled = process_from_inside;
  struct run *other = begin(fx, scripted(fx, "v2")->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(other)->value, 2);
}

static void C13_a_year_between_two_calls_fires_everything_due_once(struct fixture *fx) {
  enum { RUNS = 3000 };
  static const int64_t year_ms = INT64_C(365) * 86400 * 1000;
  struct script *script = scripted(fx, "hang");
  for (size_t i = 0; i < RUNS; i++) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.deadline_ms = 1 + (int64_t)(i * i) % (30 * 86400000LL);
    if (i >= SCRIPT_ATTEMPTS) options.deadline_ms += 1;
    weir_operation *operation = NULL;
    assert_int_equal(
        weir_sleep_new(fx->runtime, 2 * year_ms, WEIR_OK, NULL, NULL, &operation, NULL), WEIR_OK);
    begin(fx, operation, &options);
    weir_operation_unref(operation);
  }
  run_until_idle(fx);
  int64_t later = now_ns(fx) + year_ms * MS;
  uint64_t steps = weir_runtime_process(fx->runtime, later);
  assert_true(steps <= 2048);
  for (size_t i = 0; i < 100 && fx->settled < RUNS; i++) {
    assert_true(weir_runtime_process(fx->runtime, later) <= 2048);
  }
  assert_int_equal(fx->settled, RUNS);
  for (struct run *run = fx->runs; run != NULL; run = run->next) {
    assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  }
  assert_int_equal(script->started, 0);
}

static void C13_far_timers_fire_at_their_time_and_not_before(struct fixture *fx) {
  static const int64_t delays_ms[] = {1,    9,     10,     11,       63,
                                      64,   65,    640,    999,      4095,
                                      4096, 40960, 262144, 86400000, INT64_C(31536000000)};
  for (size_t i = 0; i < COUNT_OF(delays_ms); i++) {
    weir_operation *sleep = NULL;
    assert_int_equal(weir_sleep_new(fx->runtime, delays_ms[i], WEIR_OK, NULL, NULL, &sleep, NULL),
                     WEIR_OK);
    struct run *run = begin(fx, sleep, NULL);
    weir_operation_unref(sleep);
    int64_t due = now_ns(fx) + delays_ms[i] * MS;
    run_until_idle(fx);
    weir_runtime_process(fx->runtime, due - 1);
    run_until_idle(fx);
    assert_pending(run);
    weir_runtime_process(fx->runtime, due);
    run_until_idle(fx);
    assert_int_equal(settled(run)->status, WEIR_OK);
  }
}

static void equal_deadlines_fire_in_the_order_armed(struct fixture *fx) {
  enum { RUNS = 64 };
  struct run *runs[RUNS];
  for (size_t i = 0; i < RUNS; i++) {
    weir_operation *sleep = NULL;
    assert_int_equal(weir_sleep_new(fx->runtime, 500, WEIR_OK, NULL, NULL, &sleep, NULL), WEIR_OK);
    runs[i] = begin(fx, sleep, NULL);
    weir_operation_unref(sleep);
  }
  advance_ms(fx, 500);
  for (size_t i = 0; i < RUNS; i++) assert_int_equal(settled(runs[i])->order, i + 1);
}

struct wakeups {
  unsigned count;
  unsigned freed;
};

static void wake(void *data) { ((struct wakeups *)data)->count++; }
static void free_wakeups(void *data) { ((struct wakeups *)data)->freed++; }

static void wakeup_is_called_when_there_is_new_work(struct fixture *fx) {
  struct wakeups wakeups = {0, 0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.wakeup = wake;
  options.wakeup_data = &wakeups;
  options.wakeup_free_data = free_wakeups;
  remake_runtime(fx, &options);
  run_until_idle(fx);
  unsigned before = wakeups.count;
  struct script *script = scripted(fx, "hang");
  begin(fx, script->operation, NULL);
  assert_true(wakeups.count > before);
  run_until_idle(fx);
  before = wakeups.count;
  finish_all(script);
  assert_true(wakeups.count > before);
  run_until_idle(fx);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  weir_operation_unref(script->operation);
  script->operation = NULL;
  for (struct run *run = fx->runs; run != NULL; run = run->next) {
    weir_call_unref(run->call);
    run->call = NULL;
  }
  assert_int_equal(wakeups.freed, 1);
}

static void in_flight_beyond_the_maximum_is_full(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_error *error = NULL;
  options.max_in_flight = 3;
  remake_runtime(fx, &options);
  struct script *script = scripted(fx, "v1+10");
  for (size_t i = 0; i < 3; i++) begin(fx, script->operation, NULL);
  struct run *fourth = try_begin(fx, script->operation, NULL, &error);
  assert_int_equal(fourth->status, WEIR_EFULL);
  assert_int_equal(fourth->freed, 1);
  assert_message(error, "flight");
  advance_ms(fx, 10);
  assert_int_equal(fx->settled, 3);
  begin(fx, script->operation, NULL);
  advance_ms(fx, 10);
  assert_int_equal(fx->settled, 4);
}

static void stats_count_runs_attempts_orphans_and_timers(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 1000;
  struct script *script = scripted(fx, "v1 hang hang");
  for (size_t i = 0; i < 3; i++) begin(fx, script->operation, &options);
  run_until_idle(fx);
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.runs_accepted, 3);
  assert_int_equal(stats.runs_settled, 1);
  assert_int_equal(stats.live_calls, 2);
  assert_int_equal(stats.attempts_started, 3);
  assert_int_equal(stats.timers, 2);
  assert_int_equal(stats.orphans, 0);
  uint64_t turns = stats.turns;
  for (uint64_t more = 1; more <= 3; more++) {
    weir_runtime_process(fx->runtime, now_ns(fx));
    assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
    assert_true(stats.turns == turns + more);
  }
  advance_ms(fx, 1000);
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.orphans, 2);
  assert_int_equal(stats.live_calls, 0);
  assert_int_equal(stats.timers, 0);
}

static void run_many(struct fixture *fx, struct script *script, size_t count) {
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(weir_run(script->operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  }
  run_until_idle(fx);
}

static void trim_gives_pooled_memory_back(struct fixture *fx) {
  struct script *script = scripted(fx, "n");
  run_many(fx, script, 500);
  uint64_t pooled = fx->memory.live_bytes;
  assert_int_equal(weir_runtime_trim(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  uint64_t trimmed = fx->memory.live_bytes;
  assert_true(trimmed + 500 * sizeof(weir_outcome) < pooled);
  run_many(fx, script, 500);
  assert_int_equal(weir_runtime_trim(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  assert_true(fx->memory.live_bytes == trimmed);
}

struct lines {
  unsigned count;
  int32_t level;
  char subject[64];
  char message[128];
  unsigned freed;
};

static void keep_line(void *data, int32_t level, const char *subject, const char *message) {
  struct lines *lines = data;
  lines->count++;
  lines->level = level;
  snprintf(lines->subject, sizeof lines->subject, "%s", subject);
  snprintf(lines->message, sizeof lines->message, "%s", message);
}

static void free_lines(void *data) { ((struct lines *)data)->freed++; }

static void log_passes_lines_up_to_its_level(struct fixture *fx) {
  struct lines lines = {0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.log = keep_line;
  options.log_data = &lines;
  options.log_free_data = free_lines;
  options.log_level = WEIR_LOG_WARNING;
  options.name = "engine room";
  remake_runtime(fx, &options);
  weir_log(fx->runtime, WEIR_LOG_INFO, "test", "too quiet");
  weir_log(fx->runtime, WEIR_LOG_OFF, "test", "no level");
  assert_int_equal(lines.count, 0);
  weir_log(fx->runtime, WEIR_LOG_ERROR, "test", "loud");
  assert_int_equal(lines.count, 1);
  assert_int_equal(lines.level, WEIR_LOG_ERROR);
  assert_string_equal(lines.subject, "test");
  assert_string_equal(lines.message, "loud");
  weir_log(fx->runtime, WEIR_LOG_WARNING, NULL, "whose");
  assert_string_equal(lines.subject, "engine room");
  weir_log(NULL, WEIR_LOG_ERROR, "test", "nowhere");
  weir_log(fx->runtime, WEIR_LOG_ERROR, "test", NULL);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  assert_int_equal(lines.freed, 1);
}

static void orphans_beyond_the_grace_are_reported_by_the_log(struct fixture *fx) {
  struct lines lines = {0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.log = keep_line;
  options.log_data = &lines;
  options.log_level = WEIR_LOG_WARNING;
  options.close_grace_ms = 200;
  remake_runtime(fx, &options);
  struct script *script = scripted(fx, "hang");
  begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  advance_ms(fx, 199);
  assert_int_equal(lines.count, 0);
  advance_ms(fx, 1);
  assert_int_equal(lines.count, 1);
}

static void log_is_off_by_default(struct fixture *fx) {
  weir_log(fx->runtime, WEIR_LOG_ERROR, "test", "nobody listens");
}

static void what_belongs_to_other_drivers_is_refused_or_does_nothing(struct fixture *fx) {
  assert_int_equal(weir_runtime_close_wait(fx->runtime, 0), WEIR_ENOTSUP);
  assert_int_equal(weir_runtime_close_wait(NULL, 0), WEIR_EINVAL);
  assert_int_equal(weir_runtime_hold(fx->runtime), WEIR_OK);
  assert_int_equal(weir_runtime_release(fx->runtime), WEIR_OK);
  weir_operation *operation = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_operation_new_blocking(fx->runtime, (weir_blocking_fn)(uintptr_t)1, NULL,
                                               NULL, &operation, &error),
                   WEIR_ENOTSUP);
  assert_message(error, "manual");
}

static void testing_functions_move_the_clock_timer_by_timer(struct fixture *fx) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(fx->runtime, 40, WEIR_OK, NULL, NULL, &sleep, NULL), WEIR_OK);
  struct run *run = begin(fx, sleep, NULL);
  int64_t began = now_ns(fx);
  assert_true(weir_testing_run_until_idle(fx->runtime) > 0);
  assert_int_equal(weir_testing_run_until_idle(fx->runtime), 0);
  assert_in_range(weir_testing_advance_to_next(fx->runtime), 1, 10);
  assert_true(now_ns(fx) == began + 40 * MS);
  assert_true(settled(run)->at_ns == began + 40 * MS);
  assert_int_equal(weir_testing_advance_to_next(fx->runtime), 0);
  assert_int_equal(weir_testing_advance(fx->runtime, -1), 0);
  assert_true(now_ns(fx) == began + 40 * MS);

  struct run *second = begin(fx, sleep, NULL);
  weir_testing_advance(fx->runtime, 1000); /* stops at the timer on the way */
  assert_true(settled(second)->at_ns == began + 80 * MS);
  assert_true(now_ns(fx) == began + 1040 * MS);
  weir_operation_unref(sleep);
}

static void testing_runtime_begins_at_one_second(struct fixture *fx) {
  (void)fx;
  weir_runtime *runtime = NULL;
  assert_int_equal(weir_testing_runtime_new(0, &runtime), WEIR_OK);
  assert_true(weir_runtime_now(runtime) == SECOND);
  weir_runtime_unref(runtime);
  assert_int_equal(weir_testing_runtime_new(0, NULL), WEIR_EINVAL);
}

/* The first random delay on a testing runtime with `seed`. */
static int64_t first_delay(uint64_t seed) {
  weir_runtime *runtime = NULL;
  weir_retry *retry = NULL;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry_state state;
  int64_t delay_ns = -1;
  options.base_delay_ms = 20000;
  options.jitter = WEIR_JITTER_FULL;
  assert_int_equal(weir_testing_runtime_new(seed, &runtime), WEIR_OK);
  assert_int_equal(weir_retry_new(runtime, &options, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_retry_begin(retry, &state), WEIR_OK);
  assert_int_equal(weir_retry_next(retry, &state, WEIR_CLASS_FAILURE, WEIR_OFF, &delay_ns, NULL),
                   WEIR_OK);
  weir_retry_unref(retry);
  weir_runtime_unref(runtime);
  return delay_ns;
}

static void testing_runtimes_with_one_seed_draw_the_same(struct fixture *fx) {
  (void)fx;
  int64_t delay_ns = first_delay(5);
  assert_true(delay_ns > 0);
  assert_true(first_delay(5) == delay_ns);
  assert_true(first_delay(6) != delay_ns);
  assert_true(first_delay(0) == first_delay(1));
}

TEST_MAIN("runtime", TEST(clock_goes_where_process_says_and_never_back),
          TEST(clock_at_its_very_end_does_not_reach_never),
          TEST(next_deadline_says_now_with_work_and_never_without),
          LONG_TEST(process_is_bounded_and_asks_to_be_called_again),
          TEST(process_inside_a_callback_does_nothing),
          LONG_TEST(C13_a_year_between_two_calls_fires_everything_due_once),
          TEST(C13_far_timers_fire_at_their_time_and_not_before),
          TEST(equal_deadlines_fire_in_the_order_armed),
          TEST(wakeup_is_called_when_there_is_new_work), TEST(in_flight_beyond_the_maximum_is_full),
          TEST(stats_count_runs_attempts_orphans_and_timers), TEST(trim_gives_pooled_memory_back),
          TEST(log_passes_lines_up_to_its_level),
          TEST(orphans_beyond_the_grace_are_reported_by_the_log), TEST(log_is_off_by_default),
          TEST(what_belongs_to_other_drivers_is_refused_or_does_nothing),
          TEST(testing_functions_move_the_clock_timer_by_timer),
          TEST(testing_runtime_begins_at_one_second),
          LONG_TEST(testing_runtimes_with_one_seed_draw_the_same))
