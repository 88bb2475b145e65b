/* SPDX-License-Identifier: MIT */
/*
 * Many timers at once, as sleeps: that each fires at its time, in the order of deadlines and then
 * of starts, whichever are taken out meanwhile and however their memory went. The timer of a
 * cancelled sleep is gone with its run, so what it stood between must not look at it again.
 */

#include "support.h"

enum { MOST = 400 };

/* A sleep that was started here, for whom the test holds the call only until it cancels it. */
struct sleeper {
  struct crowd *crowd;
  weir_call *call; /* NULL: settled or cancelled */
  int64_t due_ns;
  weir_status expected;
  uint64_t number; /* from 1, in the order of starts */
};

struct crowd {
  struct fixture *fixture;
  struct sleeper sleepers[MOST];
  uint64_t started;
  size_t pending;
  uint64_t random;
};

static uint64_t draw(struct crowd *crowd, uint64_t below) {
  crowd->random = crowd->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (crowd->random >> 33) % below;
}

static int is_before(const struct sleeper *a, const struct sleeper *b) {
  return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->number < b->number);
}

/* The one that must fire next. */
static struct sleeper *first_due(struct crowd *crowd) {
  struct sleeper *first = NULL;
  for (size_t i = 0; i < MOST; i++) {
    struct sleeper *sleeper = &crowd->sleepers[i];
    if (sleeper->call != NULL && (first == NULL || is_before(sleeper, first))) first = sleeper;
  }
  return first;
}

static void give_up(struct sleeper *sleeper) {
  weir_call_unref(sleeper->call);
  sleeper->call = NULL;
  sleeper->crowd->pending--;
}

static void woke_up(void *data, weir_call *call, const weir_outcome *outcome) {
  struct sleeper *sleeper = data;
  struct crowd *crowd = sleeper->crowd;
  if (outcome->cancel_reason == WEIR_CANCEL_CALLER) return;
  if (outcome->cancel_reason == WEIR_CANCEL_SHUTDOWN) return; /* the body was left without memory */
  expect(crowd->fixture, sleeper->call == call, "a cancelled sleep woke up");
  expect(crowd->fixture, sleeper == first_due(crowd), "a sleep woke up out of order");
  expect(crowd->fixture, sleeper->due_ns <= now_ns(crowd->fixture), "a sleep woke up too early");
  expect(crowd->fixture, outcome->status == sleeper->expected, "another timer was the first");
  give_up(sleeper);
}

/* Sleeps; with a deadline (0: none) until that if it is the nearer one. */
static void start(struct crowd *crowd, int64_t sleep_ms, int64_t deadline_ms) {
  struct sleeper *sleeper = crowd->sleepers;
  while (sleeper->call != NULL) sleeper++;
  int cut_off = deadline_ms != 0 && deadline_ms < sleep_ms;
  sleeper->crowd = crowd;
  sleeper->number = ++crowd->started;
  sleeper->due_ns = now_ns(crowd->fixture) + (cut_off ? deadline_ms : sleep_ms) * MS;
  sleeper->expected = cut_off ? WEIR_ETIMEDOUT : WEIR_OK;
  weir_operation *sleep = NULL;
  assert_int_equal(
      weir_sleep_new(crowd->fixture->runtime, sleep_ms, WEIR_OK, NULL, NULL, &sleep, NULL),
      WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  if (deadline_ms != 0) options.deadline_ms = deadline_ms;
  weir_status status = weir_run(sleep, &options, woke_up, sleeper, NULL, &sleeper->call, NULL);
  weir_operation_unref(sleep);
  assert_int_equal(status, WEIR_OK);
  crowd->pending++;
}

static void cancel(struct sleeper *sleeper) {
  assert_int_equal(weir_call_cancel(sleeper->call), WEIR_OK);
  give_up(sleeper);
}

/* Lets the engine do what it was told, and gives the memory of the runs that ended back. */
static void let_go(struct crowd *crowd) {
  run_until_idle(crowd->fixture);
  assert_int_equal(weir_runtime_trim(crowd->fixture->runtime), WEIR_OK);
  run_until_idle(crowd->fixture);
}

static struct crowd *make_crowd(struct fixture *fx, uint64_t seed) {
  struct crowd *crowd = calloc(1, sizeof *crowd);
  assert_non_null(crowd);
  crowd->fixture = fx;
  crowd->random = seed;
  return crowd;
}

static void assert_timers(struct crowd *crowd, size_t timers) {
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(crowd->fixture->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.timers, timers);
}

/* Of five sleeps with one deadline, `count` are cancelled in the order that `code` says to the base
 * of five; after each another may start. */
enum { FIVE = 5 };

static void cancel_some_of_five(struct fixture *fx, size_t count, size_t code, int another) {
  struct crowd *crowd = make_crowd(fx, 0);
  for (size_t i = 0; i < FIVE; i++) start(crowd, 500, 0);
  run_until_idle(fx);
  for (size_t i = 0; i < count; i++, code /= FIVE) {
    cancel(&crowd->sleepers[code % FIVE]);
    if (another) start(crowd, 500, 0); /* takes its place in the crowd */
    let_go(crowd);
    assert_timers(crowd, crowd->pending);
  }
  advance_ms(fx, 499);
  assert_int_equal(crowd->pending, another ? FIVE : FIVE - count);
  advance_ms(fx, 1);
  assert_int_equal(crowd->pending, 0);
  assert_timers(crowd, 0);
  free(crowd);
}

static int names_each_once(size_t count, size_t code) {
  unsigned seen = 0;
  for (size_t i = 0; i < count; i++, code /= FIVE) {
    if (seen & 1u << code % FIVE) return 0;
    seen |= 1u << code % FIVE;
  }
  return 1;
}

static void the_others_stay_in_order_whichever_are_cancelled(struct fixture *fx) {
  size_t codes = 1;
  for (size_t count = 1; count <= FIVE; count++) {
    codes *= FIVE;
    for (size_t code = 0; code < codes; code++) {
      if (!names_each_once(count, code)) continue;
      cancel_some_of_five(fx, count, code, 0);
      cancel_some_of_five(fx, count, code, 1);
    }
  }
}

static void a_timer_beside_a_cancelled_one_can_be_moved(struct fixture *fx) {
  for (int64_t moved_ms = 250; moved_ms <= 1000; moved_ms += 250) {
    struct crowd *crowd = make_crowd(fx, 0);
    for (size_t i = 0; i < 3; i++) start(crowd, 500, 0);
    run_until_idle(fx);
    cancel(&crowd->sleepers[1]);
    let_go(crowd);
    cancel(&crowd->sleepers[0]);
    start(crowd, moved_ms, 0);
    let_go(crowd);
    advance_ms(fx, 1000);
    assert_int_equal(crowd->pending, 0);
    free(crowd);
  }
}

/* Mostly short, up to a day and a half, often a time that others have too. */
static int64_t some_time_ms(struct crowd *crowd) {
  int64_t most_ms = INT64_C(1) << draw(crowd, 28);
  return draw(crowd, 2) == 0 ? most_ms : 1 + (int64_t)draw(crowd, (uint64_t)most_ms);
}

/* Timer by timer, or late for many at once. */
static void let_time_pass(struct crowd *crowd) {
  struct fixture *fx = crowd->fixture;
  int64_t passed_ms = some_time_ms(crowd) >> draw(crowd, 16);
  if (draw(crowd, 2) == 0) {
    advance_ms(fx, passed_ms);
  } else {
    weir_runtime_process(fx->runtime, now_ns(fx) + passed_ms * MS);
    run_until_idle(fx);
  }
  struct sleeper *first = first_due(crowd);
  assert_true(first == NULL || first->due_ns > now_ns(fx));
}

static void take_a_step(struct crowd *crowd) {
  struct sleeper *chosen = &crowd->sleepers[draw(crowd, MOST)];
  switch (draw(crowd, 16)) {
    case 0:
      run_until_idle(crowd->fixture);
      let_time_pass(crowd);
      break;
    case 1:
      let_go(crowd);
      assert_true(crowd->pending <= MOST);
      break;
    case 2:
      run_until_idle(crowd->fixture);
      break;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
      if (chosen->call != NULL) cancel(chosen);
      break;
    default:
      if (crowd->pending == MOST) break;
      start(crowd, some_time_ms(crowd), draw(crowd, 4) == 0 ? some_time_ms(crowd) : 0);
      break;
  }
}

static void random_timers_fire_as_the_model_says(struct fixture *fx) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct crowd *crowd = make_crowd(fx, seed);
    for (int step = 0; step < 10000 && fx->problem[0] == '\0'; step++) take_a_step(crowd);
    run_until_idle(fx);
    weir_runtime_process(fx->runtime, now_ns(fx) + (MS << 28));
    run_until_idle(fx);
    assert_string_equal(fx->problem, "");
    assert_int_equal(crowd->pending, 0);
    assert_timers(crowd, 0);
    free(crowd);
  }
}

/* They share one slot of the wheel, are moved into nearer ones again and again, and meet a late
 * turn in between. */
static void a_thousand_timers_come_nearer_in_order(struct fixture *fx) {
  enum { TIMERS = 1000 };
  struct run *runs[TIMERS];
  for (size_t i = 0; i < TIMERS; i++) {
    weir_operation *sleep = NULL;
    int64_t sleep_ms = 40000000 + (int64_t)(i * 7919 % TIMERS);
    assert_int_equal(weir_sleep_new(fx->runtime, sleep_ms, WEIR_OK, NULL, NULL, &sleep, NULL),
                     WEIR_OK);
    runs[i] = begin(fx, sleep, NULL);
    weir_operation_unref(sleep);
  }
  run_until_idle(fx);
  for (size_t i = 0; i < TIMERS; i += 3) {
    assert_int_equal(weir_call_cancel(runs[i]->call), WEIR_OK);
  }
  advance_ms(fx, 40000000 - 1);
  weir_runtime_process(fx->runtime, now_ns(fx) + 500 * MS);
  advance_ms(fx, 500);
  int64_t last_ns = 0;
  uint64_t last_order = 0;
  for (size_t rank = 0; rank < TIMERS; rank++) {
    size_t i = 0;
    while (i * 7919 % TIMERS != rank) i++;
    if (i % 3 == 0) continue;
    assert_int_equal(settled(runs[i])->status, WEIR_OK);
    assert_true(settled(runs[i])->order > last_order && settled(runs[i])->at_ns >= last_ns);
    last_order = settled(runs[i])->order;
    last_ns = settled(runs[i])->at_ns;
  }
}

TEST_MAIN("timers", LONG_TEST(the_others_stay_in_order_whichever_are_cancelled),
          TEST(a_timer_beside_a_cancelled_one_can_be_moved),
          LONG_TEST(random_timers_fire_as_the_model_says),
          LONG_TEST(a_thousand_timers_come_nearer_in_order))
