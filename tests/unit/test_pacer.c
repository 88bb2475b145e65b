/* SPDX-License-Identifier: MIT */
/* Debounce and throttle by timelines: when calls come, and when which of them is run. */

#include "support_options.h"

enum pacer { DEBOUNCE, THROTTLE };

/*
 * `calls`: what happens when, in milliseconds and in order. "50" is a call; its argument is its
 * number, from 1. "50f" is a flush, "50c" a cancel. "50!" is a call that says it comes at 50 while
 * the runtime's time has not gone on: the loop was held up. `runs`: when which argument is run.
 */
struct timeline {
  enum pacer pacer;
  int64_t wait_ms; /* or the interval */
  int64_t max_wait_ms;
  uint32_t leading;
  uint32_t trailing;
  uint32_t overlap;
  const char *work; /* what a run does */
  const char *calls;
  const char *runs;
  uint64_t superseded; /* calls that another took the place of */
};

static const struct timeline timelines[] = {
    /* the quiet period */
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 50 149 248 400", "348:4 500:5",
     3},
    {DEBOUNCE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 50 149 248 400",
     "0:1 348:4 400:5", 2},
    {DEBOUNCE, 100, WEIR_FOREVER, 1, 0, WEIR_OVERLAP_QUEUE, "n", "0 50 149 248 400", "0:1 400:5",
     3},
    {DEBOUNCE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 200 300", "0:1 200:2 300:3", 0},
    {DEBOUNCE, 0, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 0 5", "0:1 0:2 5:3", 0},
    /* max_wait bounds a burst, and again from there */
    {DEBOUNCE, 100, 250, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 80 160 240 320 400 480 560",
     "250:4 500:7 660:8", 5},
    {DEBOUNCE, 100, 250, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 80 160 240 320 400 480 560",
     "0:1 250:4 500:7 660:8", 4},
    {DEBOUNCE, 100, 250, 1, 0, WEIR_OVERLAP_QUEUE, "n", "0 80 160 240 320 400 480 560", "0:1 320:5",
     6},
    {DEBOUNCE, 100, 250, 1, 0, WEIR_OVERLAP_QUEUE, "n", "0 80 160 240 251! 330 420 510",
     "0:1 240:5 510:8", 5},
    {DEBOUNCE, 100, 100, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 60 120 180", "100:2 200:4", 2},
    {DEBOUNCE, 100, 250, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 300 380 460 540 620",
     "100:1 550:5 720:6", 3},
    /* orders */
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 50f 60 90f 95f 300",
     "50:1 90:2 400:3", 0},
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 50c 60 90c 95c 300", "400:3",
     0},
    {DEBOUNCE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 50c 60 90f 95 120f",
     "0:1 60:2 120:3", 0},
    {DEBOUNCE, 100, 250, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 80 160 170f 240 320 400 480",
     "170:3 490:7", 5},
    /* a loop that was held up */
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 100! 250", "200:2 350:3", 1},
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 101! 250", "0:1 201:2 350:3",
     0},
    {DEBOUNCE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 100! 400", "0:1 200:2 400:3",
     0},
    {DEBOUNCE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 101! 400", "0:1 0:2 400:3", 0},
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 60! 40! 300", "160:3 400:4", 2},
    /* runs that take long */
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n+250", "0 150 200 600",
     "100:1 350:3 700:4", 1},
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_CONCURRENT, "n+250", "0 150 200 600",
     "100:1 300:3 700:4", 1},
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_CANCEL, "yield", "0 150 200 600",
     "100:1 300:3 700:4", 1},
    {DEBOUNCE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n+250", "0 50 200 600",
     "0:1 250:3 600:4", 1},
    {DEBOUNCE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n+250", "0 150f 160 170c 600",
     "100:1 700:3", 0},
    /* a wait without end is not over when the run is */
    {DEBOUNCE, WEIR_FOREVER, WEIR_FOREVER, 1, 0, WEIR_OVERLAP_QUEUE, "n", "0 50 90c 95 99c",
     "0:1 95:3", 1},
    /* throttle: distances */
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 50 150 160 170 500",
     "0:1 100:2 200:5 500:6", 2},
    {THROTTLE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 50 150 160 170 500",
     "100:2 200:5 600:6", 3},
    {THROTTLE, 100, WEIR_FOREVER, 1, 0, WEIR_OVERLAP_QUEUE, "n", "0 50 150 160 170 300",
     "0:1 150:3 300:6", 3},
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 99 100 200 301",
     "0:1 100:2 200:3 300:4 400:5", 0},
    {THROTTLE, 0, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 0 5", "0:1 0:2 5:3", 0},
    {THROTTLE, 0, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 0 5", "0:1 0:2 5:3", 0},
    /* orders */
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 50 60f 70 90c 95 96",
     "0:1 60:2 95:4 195:5", 0},
    {THROTTLE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 50f 60 90c 95 96", "50:1 195:4",
     1},
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 50f 50c 60 300f 400c",
     "0:1 60:2", 0},
    /* a loop that was held up */
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 50 100! 300", "0:1 100:3 300:4",
     1},
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 50 101! 300",
     "0:1 50:2 201:3 301:4", 0},
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n", "0 100! 300", "0:1 0:2 300:3", 0},
    {THROTTLE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n", "0 101! 300", "0:1 201:2 301:3",
     0},
    /* runs that take long */
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n+250", "0 50 150 260 600 620",
     "0:1 250:3 500:4 750:6", 2},
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_CONCURRENT, "n+250", "0 50 150 260 600 620",
     "0:1 100:2 200:3 300:4 600:5 700:6", 0},
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_CANCEL, "yield", "0 50 150 260 600 620",
     "0:1 100:2 200:3 300:4 600:5 700:6", 0},
    {THROTTLE, 100, WEIR_FOREVER, 0, 1, WEIR_OVERLAP_QUEUE, "n+250", "0 50 150 260 600 620",
     "100:2 350:4 700:6", 3},
    {THROTTLE, 100, WEIR_FOREVER, 1, 0, WEIR_OVERLAP_QUEUE, "n+250", "0 50 150 260 600 620",
     "0:1 250:3 600:5", 3},
    {THROTTLE, 100, WEIR_FOREVER, 1, 1, WEIR_OVERLAP_QUEUE, "n+250", "0 50 120f 150 160c 170 600",
     "0:1 170:4 600:5", 1},
};

/* And of which key: NULL, or of one byte. */
struct handle {
  weir_debounce *debounce;
  weir_throttle *throttle;
  const char *key;
  size_t key_size;
};

static struct handle make(struct fixture *fx, const struct timeline *line, struct script *work,
                          const char *key) {
  struct handle handle = {NULL, NULL, key, key == NULL ? 0 : 1};
  if (line->pacer == DEBOUNCE) {
    weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
    options.wait_ms = line->wait_ms;
    options.max_wait_ms = line->max_wait_ms;
    options.leading = line->leading;
    options.trailing = line->trailing;
    options.overlap = line->overlap;
    assert_int_equal(
        weir_debounce_new(fx->runtime, work->operation, &options, &handle.debounce, NULL), WEIR_OK);
  } else {
    weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
    options.interval_ms = line->wait_ms;
    options.leading = line->leading;
    options.trailing = line->trailing;
    options.overlap = line->overlap;
    assert_int_equal(
        weir_throttle_new(fx->runtime, work->operation, &options, &handle.throttle, NULL), WEIR_OK);
  }
  return handle;
}

static void touch(struct fixture *fx, enum pacer pacer, struct handle handle, int64_t number,
                  int64_t at_ns) {
  weir_value *value = number_value(fx, number);
  weir_status status =
      pacer == DEBOUNCE
          ? weir_debounce_touch_at(handle.debounce, handle.key, handle.key_size, value, at_ns)
          : weir_throttle_touch_at(handle.throttle, handle.key, handle.key_size, value, at_ns);
  weir_value_unref(value);
  assert_int_equal(status, WEIR_OK);
}

static void order(enum pacer pacer, struct handle handle, char what) {
  if (pacer == DEBOUNCE && what == 'f') {
    assert_int_equal(weir_debounce_flush(handle.debounce, handle.key, handle.key_size), WEIR_OK);
  } else if (pacer == DEBOUNCE) {
    assert_int_equal(weir_debounce_cancel(handle.debounce, handle.key, handle.key_size), WEIR_OK);
  } else if (what == 'f') {
    assert_int_equal(weir_throttle_flush(handle.throttle, handle.key, handle.key_size), WEIR_OK);
  } else {
    assert_int_equal(weir_throttle_cancel(handle.throttle, handle.key, handle.key_size), WEIR_OK);
  }
}

/* Returns how many calls there were. */
static int64_t play(struct fixture *fx, const struct timeline *line, struct handle handle) {
  int64_t begun = now_ns(fx);
  int64_t number = 0;
  const char *at = line->calls;
  while (*at != '\0') {
    char *end = NULL;
    int64_t time_ns = begun + strtoll(at, &end, 10) * MS;
    if (*end != '!') advance_ns(fx, time_ns - now_ns(fx));
    if (*end == 'f' || *end == 'c') {
      order(line->pacer, handle, *end);
    } else {
      touch(fx, line->pacer, handle, ++number, time_ns);
    }
    run_until_idle(fx);
    for (at = end; *at != '\0' && (*at < '0' || *at > '9');) at++;
  }
  advance_ms(fx, 10000);
  return number;
}

static void check_timeline(struct fixture *fx, const struct timeline *line, size_t index,
                           const char *key) {
  struct script *work = scripted(fx, line->work);
  struct handle handle = make(fx, line, work, key);
  int64_t begun = now_ns(fx);
  uint64_t calls = (uint64_t)play(fx, line, handle);
  finish_all(work); /* that were not told to stop */
  run_until_idle(fx);
  char runs[256] = "";
  for (size_t i = 0; i < work->started; i++) {
    size_t used = strlen(runs);
    snprintf(runs + used, sizeof runs - used, "%s%lld:%lld", i == 0 ? "" : " ",
             (long long)((work->attempts[i].at_ns - begun) / MS),
             (long long)work->attempts[i].input);
  }
  weir_pacing_stats stats = {.size = sizeof stats};
  if (line->pacer == DEBOUNCE) {
    assert_int_equal(weir_debounce_get_stats(handle.debounce, &stats), WEIR_OK);
    weir_debounce_unref(handle.debounce);
  } else {
    assert_int_equal(weir_throttle_get_stats(handle.throttle, &stats), WEIR_OK);
    weir_throttle_unref(handle.throttle);
  }
  int right = strcmp(runs, line->runs) == 0 && stats.superseded == line->superseded;
  if (!right && !under_oom()) {
    print_error("timeline %zu (%s): %s, %llu superseded\n", index, line->calls, runs,
                (unsigned long long)stats.superseded);
  }
  assert_true(right);
  assert_int_equal(stats.runs, work->started);
  assert_int_equal(stats.calls, calls);
  assert_int_equal(stats.pending + stats.running + stats.keys, 0);
}

static void each_timeline_runs_what_it_should_when_it_should(struct fixture *fx) {
  for (size_t i = 0; i < COUNT_OF(timelines); i++) {
    check_timeline(fx, &timelines[i], i, NULL);
    check_timeline(fx, &timelines[i], i, "k");
  }
}

/* ---- calls that leave ---- */

static weir_debounce *make_debounce(struct fixture *fx, struct script *work, uint32_t superseded) {
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = 100;
  options.superseded = superseded;
  weir_debounce *debounce = NULL;
  assert_int_equal(weir_debounce_new(fx->runtime, work->operation, &options, &debounce, NULL),
                   WEIR_OK);
  return debounce;
}

/* A call for the key "k", as far as its turn. */
static struct run *call_key(struct fixture *fx, weir_debounce *debounce) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = "k";
  options.key_size = 1;
  return begin(fx, weir_debounce_operation(debounce), &options);
}

/* Cancelled when its end is certain, and before it has heard of it: it was waiting for a unit that
 * may be gone by now. */
static void a_superseded_call_may_be_cancelled_before_it_is_told(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce *debounce = make_debounce(fx, save, WEIR_SUPERSEDED_CANCEL);
  struct run *first = call_key(fx, debounce);
  run_until_idle(fx);
  struct run *second = call_key(fx, debounce);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  struct run *third = call_key(fx, debounce);
  advance_ms(fx, 100);
  assert_int_equal(settled(second)->status, WEIR_ESUPERSEDED);
  assert_int_equal(settled(third)->value, 7);
  weir_debounce_unref(debounce);
}

static void a_cancelled_pacers_call_may_be_cancelled_before_it_is_told(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce *debounce = make_debounce(fx, save, WEIR_SUPERSEDED_CANCEL);
  struct run *first = call_key(fx, debounce);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  assert_int_equal(weir_debounce_cancel(debounce, "k", 1), WEIR_OK);
  struct run *second = call_key(fx, debounce);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_int_equal(save->started, 0);
  advance_ms(fx, 100);
  assert_int_equal(settled(second)->value, 7);
  weir_debounce_unref(debounce);
}

static void a_served_call_may_be_cancelled_before_it_is_told(struct fixture *fx) {
  struct script *save = scripted(fx, "hang v8");
  weir_debounce *debounce = make_debounce(fx, save, WEIR_SUPERSEDED_SHARE);
  struct run *first = call_key(fx, debounce);
  struct run *second = call_key(fx, debounce);
  advance_ms(fx, 100);
  assert_int_equal(finish(save, 0, "v7"), WEIR_OK);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(second)->value, 7);
  struct run *third = call_key(fx, debounce);
  advance_ms(fx, 100);
  assert_int_equal(settled(third)->value, 8);
  weir_debounce_unref(debounce);
}

/* A batch is one run, whoever of it has left; the last one to leave takes it not along. */
static void who_leaves_a_batch_leaves_the_others_waiting(struct fixture *fx) {
  struct script *save = scripted(fx, "hang v8");
  weir_debounce *debounce = make_debounce(fx, save, WEIR_SUPERSEDED_SHARE);
  struct run *runs[4];
  for (size_t i = 0; i < COUNT_OF(runs); i++) runs[i] = call_key(fx, debounce);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(runs[1]->call), WEIR_OK);
  advance_ms(fx, 100);
  assert_int_equal(weir_call_cancel(runs[2]->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(save->cancelled, 0);
  assert_int_equal(finish(save, 0, "v7"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(runs[0])->value, 7);
  assert_int_equal(settled(runs[1])->status, WEIR_ECANCELLED);
  assert_int_equal(settled(runs[2])->status, WEIR_ECANCELLED);
  assert_int_equal(settled(runs[3])->value, 7);
  weir_debounce_unref(debounce);
}

/* A call that no later run will cover shares the one that is out, and can leave it. */
static void a_call_that_shares_what_is_out_waits_for_that(struct fixture *fx) {
  struct script *save = scripted(fx, "hang");
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.superseded = WEIR_SUPERSEDED_SHARE;
  options.leading = 1;
  options.trailing = 0;
  weir_debounce *debounce = NULL;
  assert_int_equal(weir_debounce_new(fx->runtime, save->operation, &options, &debounce, NULL),
                   WEIR_OK);
  struct run *runs[3];
  for (size_t i = 0; i < COUNT_OF(runs); i++) runs[i] = call_key(fx, debounce);
  run_until_idle(fx);
  weir_audit_entry entries[4];
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof *entries, 4, &count), WEIR_OK);
  assert_int_equal(count, 4); /* with the run that is out */
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    assert_string_equal(entries[i].waits_for, "pacer '': the run that covers it");
  }
  assert_int_equal(weir_call_cancel(runs[1]->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(finish(save, 0, "v7"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(runs[0])->value, 7);
  assert_int_equal(settled(runs[1])->status, WEIR_ECANCELLED);
  assert_int_equal(settled(runs[2])->value, 7);
  weir_debounce_unref(debounce);
}

static void its_policy_is_around_each_run(struct fixture *fx) {
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  weir_debounce_options debounce_options = WEIR_DEBOUNCE_OPTIONS_INIT;
  weir_throttle_options throttle_options = WEIR_THROTTLE_OPTIONS_INIT;
  debounce_options.policy = throttle_options.policy = weir_retry_policy(retry);
  weir_debounce *debounce = NULL;
  weir_throttle *throttle = NULL;
  struct script *saved = scripted(fx, "f503 v7");
  struct script *shown = scripted(fx, "f503 v8");
  assert_int_equal(
      weir_debounce_new(fx->runtime, saved->operation, &debounce_options, &debounce, NULL),
      WEIR_OK);
  assert_int_equal(
      weir_throttle_new(fx->runtime, shown->operation, &throttle_options, &throttle, NULL),
      WEIR_OK);
  weir_retry_unref(retry);
  struct run *save = begin(fx, weir_debounce_operation(debounce), NULL);
  struct run *show = begin(fx, weir_throttle_operation(throttle), NULL);
  advance_ms(fx, 60000);
  assert_int_equal(settled(save)->value, 7);
  assert_int_equal(settled(show)->value, 8);
  weir_debounce_unref(debounce);
  weir_throttle_unref(throttle);
}

/* Whatever was to be run: the unit of a key goes when there is nothing to be done for it. */
static void without_memory_a_run_fails_its_calls_and_leaves_nothing(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  for (int flushed = 0; flushed < 2; flushed++) {
    weir_debounce *debounce = make_debounce(fx, save, WEIR_SUPERSEDED_CANCEL);
    struct run *run = call_key(fx, debounce);
    run_until_idle(fx);
    memory_fail(&fx->memory, 1, 1);
    if (flushed) assert_int_equal(weir_debounce_flush(debounce, "k", 1), WEIR_OK);
    advance_ms(fx, flushed ? 0 : 100);
    memory_fail(&fx->memory, 0, 0);
    assert_int_equal(settled(run)->status, WEIR_ENOMEM);
    weir_pacing_stats stats = {.size = sizeof stats};
    assert_int_equal(weir_debounce_get_stats(debounce, &stats), WEIR_OK);
    assert_int_equal(stats.keys + stats.pending + stats.running + stats.runs, 0);
    weir_debounce_unref(debounce);
  }
}

static void the_audit_shows_what_a_call_waits_for(struct fixture *fx) {
  struct script *save = scripted(fx, "hang");
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.name = "save";
  weir_debounce *debounce = NULL;
  assert_int_equal(weir_debounce_new(fx->runtime, save->operation, &options, &debounce, NULL),
                   WEIR_OK);
  call_key(fx, debounce);
  run_until_idle(fx);
  weir_audit_entry entries[2];
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof *entries, 2, &count), WEIR_OK);
  assert_int_equal(count, 1);
  assert_string_equal(entries[0].waits_for, "pacer 'save': its turn");
  advance_ms(fx, 300);
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof *entries, 2, &count), WEIR_OK);
  assert_int_equal(count, 2);
  assert_string_equal(entries[0].waits_for, "pacer 'save': the run that covers it");
  assert_string_equal(entries[1].name, "save");
  weir_pacing_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_debounce_get_stats(debounce, &stats), WEIR_OK);
  assert_int_equal(stats.runs, 1);
  assert_int_equal(stats.running, 1);
  assert_int_equal(stats.keys, 1);
  weir_debounce_unref(debounce);
}

OPTION_INIT(debounce_options)
OPTION_INIT(throttle_options)

static void C08_the_init_functions_write_the_defaults(struct fixture *fx) {
  static const weir_debounce_options debounce = WEIR_DEBOUNCE_OPTIONS_INIT;
  static const weir_throttle_options throttle = WEIR_THROTTLE_OPTIONS_INIT;
  (void)fx;
  check_option_init(init_debounce_options, &debounce, sizeof debounce);
  check_option_init(init_throttle_options, &throttle, sizeof throttle);
}

static void stats_need_a_place(struct fixture *fx) {
  struct script *save = scripted(fx, "n");
  weir_debounce *debounce = make_debounce(fx, save, WEIR_SUPERSEDED_CANCEL);
  weir_pacing_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_debounce_get_stats(debounce, NULL), WEIR_EINVAL);
  assert_int_equal(weir_debounce_get_stats(NULL, &stats), WEIR_EINVAL);
  weir_debounce_unref(debounce);
}

TEST_MAIN("pacer", TEST(C08_the_init_functions_write_the_defaults), TEST(stats_need_a_place),
          TEST(each_timeline_runs_what_it_should_when_it_should),
          TEST(a_superseded_call_may_be_cancelled_before_it_is_told),
          TEST(a_cancelled_pacers_call_may_be_cancelled_before_it_is_told),
          TEST(a_served_call_may_be_cancelled_before_it_is_told),
          TEST(who_leaves_a_batch_leaves_the_others_waiting),
          TEST(a_call_that_shares_what_is_out_waits_for_that), TEST(its_policy_is_around_each_run),
          TEST(without_memory_a_run_fails_its_calls_and_leaves_nothing),
          TEST(the_audit_shows_what_a_call_waits_for))
