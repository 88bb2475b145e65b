/* SPDX-License-Identifier: MIT */
/* Debounce: cases D01 to D07 and D11 to D18 of its kind. */

#include "support.h"

static weir_debounce *make(struct fixture *fx, struct script *script,
                           const weir_debounce_options *options) {
  weir_debounce *debounce = NULL;
  assert_int_equal(weir_debounce_new(fx->runtime, script->operation, options, &debounce, NULL),
                   WEIR_OK);
  return debounce;
}

static weir_debounce_options waiting(int64_t wait_ms) {
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = wait_ms;
  return options;
}

/* A call with a number, for a key (nullable). */
static struct run *call_key(struct fixture *fx, weir_debounce *debounce, const char *key,
                            int64_t number) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.input = number_value(fx, number);
  options.key = key;
  options.key_size = key == NULL ? 0 : strlen(key);
  struct run *run = try_begin(fx, weir_debounce_operation(debounce), &options, NULL);
  weir_value_unref(options.input);
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  return run;
}

static struct run *call(struct fixture *fx, weir_debounce *debounce, int64_t number) {
  return call_key(fx, debounce, NULL, number);
}

static void assert_superseded(const struct run *run) {
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(settled(run)->status, WEIR_ESUPERSEDED);
  assert_int_equal(settled(run)->cancel_reason, WEIR_CANCEL_SUPERSEDED);
}

static void D01_three_calls_make_one_run_with_the_last_argument(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce *debounce = make(fx, save, NULL);
  struct run *first = call(fx, debounce, 1);
  struct run *second = call(fx, debounce, 2);
  struct run *third = call(fx, debounce, 3);
  assert_int_equal(save->started, 0);
  assert_int_equal(weir_debounce_pending(debounce), 3);
  assert_superseded(first);
  assert_superseded(second);
  advance_ns(fx, 300 * MS - 1);
  assert_int_equal(save->started, 0);
  advance_ns(fx, 1);
  assert_int_equal(save->started, 1);
  assert_int_equal(save->attempts[0].input, 3);
  assert_int_equal(settled(third)->value, 7);
  assert_int_equal(weir_debounce_pending(debounce), 0);
  weir_debounce_unref(debounce);
}

static void D02_with_share_a_batch_gets_one_value(struct fixture *fx) {
  struct script *save = scripted(fx, "hang v8");
  weir_debounce_options options = waiting(100);
  options.superseded = WEIR_SUPERSEDED_SHARE;
  weir_debounce *debounce = make(fx, save, &options);
  struct run *first = call(fx, debounce, 1);
  struct run *second = call(fx, debounce, 2);
  advance_ms(fx, 100);
  struct run *next = call(fx, debounce, 3);
  assert_pending(first);
  finish(save, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(first)->value, 7);
  assert_int_equal(settled(second)->value, 7);
  assert_pending(next);
  advance_ms(fx, 100);
  assert_int_equal(settled(next)->value, 8);
  weir_debounce_unref(debounce);
}

static void D02_with_share_a_batch_gets_one_error(struct fixture *fx) {
  struct script *save = scripted(fx, "f503");
  weir_debounce_options options = waiting(100);
  options.superseded = WEIR_SUPERSEDED_SHARE;
  weir_debounce *debounce = make(fx, save, &options);
  struct run *first = call(fx, debounce, 1);
  struct run *second = call(fx, debounce, 2);
  advance_ms(fx, 100);
  assert_int_equal(settled(first)->code, 503);
  assert_int_equal(settled(second)->code, 503);
  weir_debounce_unref(debounce);
}

/* The fixture's end checks that each call settled once. */
static void D02_every_option_combination_settles_each_call_once(struct fixture *fx) {
  struct script *save = scripted(fx, "v1+30 f2+10 v3");
  for (uint32_t bits = 0; bits < 24; ++bits) {
    weir_debounce_options options = waiting(20);
    options.leading = bits & 1;
    options.trailing = (bits >> 1) & 1;
    options.superseded = (bits >> 2) & 1;
    options.overlap = bits >> 3;
    options.max_wait_ms = 40;
    if (!options.leading && !options.trailing) continue;
    weir_debounce *debounce = make(fx, save, &options);
    struct run *runs[12];
    for (size_t i = 0; i < COUNT_OF(runs); ++i) {
      runs[i] = call(fx, debounce, (int64_t)i);
      advance_ms(fx, (int64_t)(i % 4) * 9);
    }
    weir_debounce_unref(debounce);
    advance_ms(fx, 500);
    for (size_t i = 0; i < COUNT_OF(runs); ++i) assert_int_equal(runs[i]->settled, 1);
  }
}

static void D03_wait_0_runs_once_and_not_inside_the_call(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(0);
  weir_debounce *debounce = make(fx, save, &options);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  struct run *first = begin(fx, weir_debounce_operation(debounce), &run_options);
  struct run *second = begin(fx, weir_debounce_operation(debounce), &run_options);
  assert_int_equal(save->started, 0);
  run_until_idle(fx);
  assert_int_equal(save->started, 1);
  assert_superseded(first);
  assert_int_equal(settled(second)->value, 7);
  assert_int_equal(weir_debounce_touch(debounce, NULL, 0, NULL), WEIR_OK);
  assert_int_equal(save->started, 1);
  run_until_idle(fx);
  assert_int_equal(save->started, 2);
  weir_debounce_unref(debounce);
}

static void D04_leading_only_runs_once_a_burst(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(100);
  options.leading = 1;
  options.trailing = 0;
  weir_debounce *debounce = make(fx, save, &options);
  struct run *first = call(fx, debounce, 1);
  assert_int_equal(settled(first)->value, 7);
  advance_ms(fx, 50);
  struct run *late = call(fx, debounce, 2);
  assert_superseded(late);
  advance_ms(fx, 100);
  assert_int_equal(save->started, 1);
  struct run *next = call(fx, debounce, 3);
  assert_int_equal(settled(next)->value, 7);
  assert_int_equal(save->attempts[1].input, 3);
  weir_debounce_unref(debounce);
}

static void D05_leading_and_trailing_run_twice_for_two_calls_once_for_one(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(100);
  options.leading = 1;
  weir_debounce *debounce = make(fx, save, &options);
  call(fx, debounce, 1);
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 1);
  call(fx, debounce, 2);
  call(fx, debounce, 3);
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 3);
  assert_int_equal(save->attempts[1].input, 2);
  assert_int_equal(save->attempts[2].input, 3);
  weir_debounce_unref(debounce);
}

static void D06_neither_leading_nor_trailing_is_an_error(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(100);
  options.trailing = 0;
  weir_debounce *debounce = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_debounce_new(fx->runtime, save->operation, &options, &debounce, &error),
                   WEIR_EINVAL);
  assert_null(debounce);
  assert_message(error, "leading or trailing must be 1");
}

static void D07_max_wait_bounds_a_burst(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(32);
  options.max_wait_ms = 64;
  weir_debounce *debounce = make(fx, save, &options);
  int64_t begun = now_ns(fx);
  call(fx, debounce, 1);
  call(fx, debounce, 2);
  advance_ms(fx, 128);
  assert_int_equal(save->started, 1);
  call(fx, debounce, 3);
  call(fx, debounce, 4);
  advance_ms(fx, 128);
  assert_int_equal(save->started, 2);
  assert_int_equal(save->attempts[0].at_ns - begun, 32 * MS);
  assert_int_equal(save->attempts[1].at_ns - begun, 160 * MS);
  /* A burst of 20 calls, 10 ms apart: runs inside it, 64 ms apart, and at its end. */
  begun = now_ns(fx);
  for (int64_t i = 0; i < 20; ++i) {
    call(fx, debounce, i);
    advance_ms(fx, 10);
  }
  advance_ms(fx, 1000);
  assert_int_equal(save->attempts[2].at_ns - begun, 64 * MS);
  assert_int_equal(save->attempts[3].at_ns - begun, 128 * MS);
  assert_int_equal(save->attempts[4].at_ns - begun, 192 * MS);
  assert_int_equal(save->started, 5);
  weir_debounce_unref(debounce);
}

static void D11_cancel_before_the_end_runs_nothing_and_the_next_leads(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(100);
  options.leading = 1;
  weir_debounce *debounce = make(fx, save, &options);
  call(fx, debounce, 1);
  struct run *second = call(fx, debounce, 2);
  assert_int_equal(weir_debounce_cancel(debounce, NULL, 0), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(second)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(second)->channel, WEIR_CHANNEL_STOPPED);
  struct run *third = call(fx, debounce, 3);
  assert_int_equal(settled(third)->value, 7);
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 2);
  weir_debounce_unref(debounce);
}

static void D12_flush_runs_now_and_not_again(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce *debounce = make(fx, save, NULL);
  assert_int_equal(weir_debounce_flush(debounce, NULL, 0), WEIR_OK);
  assert_int_equal(weir_debounce_cancel(debounce, NULL, 0), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(save->started, 0);
  struct run *run = call(fx, debounce, 1);
  assert_int_equal(weir_debounce_flush(debounce, NULL, 0), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 1);
  weir_debounce_unref(debounce);
}

static void order_inside(struct script *script, const weir_attempt *attempt) {
  (void)attempt;
  weir_debounce *debounce = script->user;
  weir_debounce_touch(debounce, NULL, 0, NULL);
  weir_debounce_flush(debounce, NULL, 0);
  weir_debounce_touch(debounce, NULL, 0, NULL);
  weir_debounce_cancel(debounce, NULL, 0);
}

static void D13_cancel_and_flush_inside_the_operation(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce *debounce = make(fx, save, NULL);
  save->user = debounce;
  save->on_start = order_inside;
  struct run *run = call(fx, debounce, 1);
  advance_ms(fx, 300);
  run_until_idle(fx);
  /* The flushed run waits for the first's end; the cancel takes it back and tells the first, which
   * had completed inside its start. */
  assert_int_equal(run->settled, 1);
  save->on_start = NULL;
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 1);
  weir_debounce_unref(debounce);
}

static void D14_a_failing_leading_run_leaves_the_trailing_due(struct fixture *fx) {
  struct script *save = scripted(fx, "f503 v7");
  weir_debounce_options options = waiting(100);
  options.leading = 1;
  weir_debounce *debounce = make(fx, save, &options);
  struct run *first = call(fx, debounce, 1);
  assert_int_equal(settled(first)->code, 503);
  struct run *second = call(fx, debounce, 2);
  advance_ms(fx, 100);
  assert_int_equal(settled(second)->value, 7);
  weir_debounce_unref(debounce);
}

static void touch_inside(struct script *script, const weir_attempt *attempt) {
  (void)attempt;
  if (script->started < 4) weir_debounce_touch(script->user, NULL, 0, NULL);
}

static void D15_a_call_inside_the_operation_schedules_the_next_run(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(100);
  weir_debounce *debounce = make(fx, save, &options);
  save->user = debounce;
  save->on_start = touch_inside;
  int64_t begun = now_ns(fx);
  call(fx, debounce, 1);
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 4);
  for (int64_t i = 0; i < 4; ++i) {
    assert_int_equal(save->attempts[i].at_ns - begun, (i + 1) * 100 * MS);
  }
  weir_debounce_unref(debounce);
}

static void D16_a_call_after_a_late_timer_is_a_fresh_leading_edge(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(100);
  options.leading = 1;
  weir_debounce *debounce = make(fx, save, &options);
  call(fx, debounce, 1);
  call(fx, debounce, 2);
  /* The loop is held up: the call is taken before the timer that is long due. */
  int64_t late = now_ns(fx) + 500 * MS;
  weir_value *third = number_value(fx, 3);
  assert_int_equal(weir_debounce_touch_at(debounce, NULL, 0, third, late), WEIR_OK);
  weir_value_unref(third);
  advance_ms(fx, 500);
  assert_int_equal(save->started, 3);
  assert_int_equal(save->attempts[1].input, 2);
  assert_int_equal(save->attempts[2].input, 3);
  weir_debounce_unref(debounce);
}

static void D17_a_wait_without_end_is_not_now(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(INT64_MAX);
  weir_debounce *debounce = make(fx, save, &options);
  struct run *run = call(fx, debounce, 1);
  advance_ms(fx, INT64_C(1000) * 3600 * 24 * 365);
  assert_pending(run);
  assert_int_equal(weir_debounce_flush(debounce, NULL, 0), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  weir_debounce_unref(debounce);
}

struct order {
  uint32_t next;
  uint32_t wrong;
};

static void check_order(struct script *script, const weir_attempt *attempt) {
  struct order *order = script->user;
  uint32_t key = 0;
  if (attempt->key_size == sizeof key) memcpy(&key, attempt->key, sizeof key);
  order->wrong += key != order->next++;
}

static void D17_a_million_pending_pacers_fit_and_fire_in_order(struct fixture *fx) {
  struct order order = {0, 0};
  struct script *save = scripted(fx, "n");
  save->on_start = check_order;
  save->user = &order;
  weir_debounce_options options = waiting(1000);
  weir_debounce *debounce = make(fx, save, &options);
  uint64_t before = fx->memory.live_bytes;
  for (uint32_t i = 0; i < 1000000; ++i) {
    assert_int_equal(weir_debounce_touch(debounce, &i, sizeof i, NULL), WEIR_OK);
    if (i % 1000 == 999) advance_ns(fx, 1);
  }
  uint64_t each = (fx->memory.live_bytes - before) / 1000000;
  print_message("%llu bytes a pending key\n", (unsigned long long)each);
  assert_true(each <= 200);
  weir_pacing_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_debounce_get_stats(debounce, &stats), WEIR_OK);
  assert_int_equal(stats.keys, 1000000);
  advance_ns(fx, 999 * MS);
  assert_int_equal(save->started, 0);
  for (uint32_t step = 0; step < 1000; ++step) advance_ns(fx, 1100);
  assert_int_equal(save->started, 1000000);
  assert_int_equal(order.wrong, 0);
  assert_int_equal(weir_debounce_get_stats(debounce, &stats), WEIR_OK);
  assert_int_equal(stats.keys, 0);
  weir_debounce_unref(debounce);
}

static void D18_an_earlier_time_does_not_bring_a_run_forward(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(100);
  weir_debounce *debounce = make(fx, save, &options);
  int64_t begun = now_ns(fx);
  assert_int_equal(weir_debounce_touch_at(debounce, NULL, 0, NULL, begun), WEIR_OK);
  advance_ms(fx, 50);
  assert_int_equal(weir_debounce_touch_at(debounce, NULL, 0, NULL, begun + 50 * MS), WEIR_OK);
  assert_int_equal(weir_debounce_touch_at(debounce, NULL, 0, NULL, begun), WEIR_OK);
  advance_ms(fx, 99);
  assert_int_equal(save->started, 0);
  advance_ms(fx, 1);
  assert_int_equal(save->started, 1);
  weir_debounce_unref(debounce);
}

static void keys_are_paced_apart_and_idle_keys_cost_nothing(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce_options options = waiting(100);
  weir_debounce *debounce = make(fx, save, &options);
  struct run *a = call_key(fx, debounce, "a", 1);
  advance_ms(fx, 50);
  struct run *b = call_key(fx, debounce, "b", 2);
  struct run *none = call(fx, debounce, 3);
  advance_ms(fx, 50);
  assert_int_equal(settled(a)->value, 7);
  assert_pending(b);
  assert_pending(none);
  assert_int_equal(weir_debounce_cancel(debounce, "b", 1), WEIR_OK);
  advance_ms(fx, 100);
  assert_int_equal(settled(b)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(none)->value, 7);
  weir_pacing_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_debounce_get_stats(debounce, &stats), WEIR_OK);
  assert_int_equal(stats.keys, 0);
  weir_debounce_unref(debounce);
}

static void overlap_cancel_tells_the_running_one(struct fixture *fx) {
  struct script *save = scripted(fx, "yield v7");
  weir_debounce_options options = waiting(100);
  options.overlap = WEIR_OVERLAP_CANCEL;
  weir_debounce *debounce = make(fx, save, &options);
  struct run *first = call(fx, debounce, 1);
  advance_ms(fx, 100);
  struct run *second = call(fx, debounce, 2);
  advance_ms(fx, 100);
  assert_superseded(first);
  assert_int_equal(save->attempts[0].cancels, 1);
  assert_int_equal(save->attempts[0].cancel_reason, WEIR_CANCEL_SUPERSEDED);
  assert_int_equal(settled(second)->value, 7);
  weir_debounce_unref(debounce);
}

static void overlap_queue_waits_and_overlap_concurrent_does_not(struct fixture *fx) {
  for (uint32_t overlap = WEIR_OVERLAP_QUEUE; overlap <= WEIR_OVERLAP_CONCURRENT; ++overlap) {
    struct script *save = scripted(fx, "hang v8");
    weir_debounce_options options = waiting(100);
    options.overlap = overlap;
    weir_debounce *debounce = make(fx, save, &options);
    struct run *first = call(fx, debounce, 1);
    advance_ms(fx, 100);
    struct run *second = call(fx, debounce, 2);
    advance_ms(fx, 100);
    assert_int_equal(save->started, overlap == WEIR_OVERLAP_QUEUE ? 1 : 2);
    assert_int_equal(second->settled, overlap == WEIR_OVERLAP_QUEUE ? 0 : 1);
    finish(save, 0, "v7");
    run_until_idle(fx);
    assert_int_equal(settled(first)->value, 7);
    assert_int_equal(settled(second)->value, 8);
    weir_debounce_unref(debounce);
  }
}

static void a_pacer_runs_what_is_pending_after_its_last_unref(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce *debounce = make(fx, save, NULL);
  assert_int_equal(weir_debounce_touch(debounce, NULL, 0, NULL), WEIR_OK);
  weir_debounce_unref(debounce);
  advance_ms(fx, 300);
  assert_int_equal(save->started, 1);
}

static void closing_the_runtime_settles_and_forgets(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce *debounce = make(fx, save, NULL);
  struct run *run = call(fx, debounce, 1);
  assert_int_equal(weir_debounce_touch(debounce, "k", 1, NULL), WEIR_OK);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(save->started, 0);
  assert_int_equal(weir_debounce_touch(debounce, NULL, 0, NULL), WEIR_ECLOSED);
  weir_debounce_unref(debounce);
}

static void a_call_that_leaves_does_not_take_its_run_along(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  weir_debounce *debounce = make(fx, save, NULL);
  struct run *run = call(fx, debounce, 5);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  advance_ms(fx, 300);
  assert_int_equal(save->started, 1);
  assert_int_equal(save->attempts[0].input, 5);
  weir_debounce_unref(debounce);
}

/* ---- an argument whose free function calls the pacer ---- */

struct meddler {
  weir_debounce *debounce;
  unsigned freed;
};

static void cancel_when_freed(void *data) {
  struct meddler *meddler = data;
  if (meddler->freed++ == 0) weir_debounce_cancel(meddler->debounce, "k", 1);
}

static void touch_with(struct fixture *fx, struct meddler *meddler) {
  weir_value *argument = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, meddler, cancel_when_freed, &argument),
                   WEIR_OK);
  weir_status status = weir_debounce_touch(meddler->debounce, "k", 1, argument);
  if (status != WEIR_OK) meddler->freed = 1; /* it goes now */
  weir_value_unref(argument);
  assert_int_equal(status, WEIR_OK);
}

static void D13_an_argument_that_is_freed_by_cancel_may_cancel_too(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  struct meddler meddler = {make(fx, save, NULL), 0};
  touch_with(fx, &meddler);
  assert_int_equal(weir_debounce_cancel(meddler.debounce, "k", 1), WEIR_OK);
  assert_int_equal(meddler.freed, 1);
  assert_int_equal(weir_debounce_pending(meddler.debounce), 0);
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 0);
  weir_debounce_unref(meddler.debounce);
}

static void D13_an_argument_that_is_replaced_may_cancel(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  struct meddler meddler = {make(fx, save, NULL), 0};
  touch_with(fx, &meddler);
  assert_int_equal(weir_debounce_touch(meddler.debounce, "k", 1, NULL), WEIR_OK);
  assert_int_equal(meddler.freed, 1);
  assert_int_equal(weir_debounce_pending(meddler.debounce), 0);
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 0);
  weir_debounce_unref(meddler.debounce);
}

/* What a run was to come with that could not begin is given back at the very end. */
static void D13_an_argument_of_a_run_that_cannot_begin_may_cancel(struct fixture *fx) {
  struct script *save = scripted(fx, "v7");
  struct meddler meddler = {make(fx, save, NULL), 0};
  touch_with(fx, &meddler);
  memory_fail(&fx->memory, 1, 1);
  advance_ms(fx, 1000);
  memory_fail(&fx->memory, 0, 0);
  assert_int_equal(meddler.freed, 1);
  weir_pacing_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_debounce_get_stats(meddler.debounce, &stats), WEIR_OK);
  assert_int_equal(stats.keys + stats.pending + stats.runs, 0);
  touch_with(fx, &meddler);
  advance_ms(fx, 1000);
  assert_int_equal(save->started, 1);
  weir_debounce_unref(meddler.debounce);
}

TEST_MAIN("debounce", TEST(D01_three_calls_make_one_run_with_the_last_argument),
          TEST(D02_with_share_a_batch_gets_one_value), TEST(D02_with_share_a_batch_gets_one_error),
          LONG_TEST(D02_every_option_combination_settles_each_call_once),
          TEST(D03_wait_0_runs_once_and_not_inside_the_call),
          TEST(D04_leading_only_runs_once_a_burst),
          TEST(D05_leading_and_trailing_run_twice_for_two_calls_once_for_one),
          TEST(D06_neither_leading_nor_trailing_is_an_error), TEST(D07_max_wait_bounds_a_burst),
          TEST(D11_cancel_before_the_end_runs_nothing_and_the_next_leads),
          TEST(D12_flush_runs_now_and_not_again), TEST(D13_cancel_and_flush_inside_the_operation),
          TEST(D13_an_argument_that_is_freed_by_cancel_may_cancel_too),
          TEST(D13_an_argument_that_is_replaced_may_cancel),
          TEST(D13_an_argument_of_a_run_that_cannot_begin_may_cancel),
          TEST(D14_a_failing_leading_run_leaves_the_trailing_due),
          TEST(D15_a_call_inside_the_operation_schedules_the_next_run),
          TEST(D16_a_call_after_a_late_timer_is_a_fresh_leading_edge),
          TEST(D17_a_wait_without_end_is_not_now),
          LONG_TEST(D17_a_million_pending_pacers_fit_and_fire_in_order),
          TEST(D18_an_earlier_time_does_not_bring_a_run_forward),
          TEST(keys_are_paced_apart_and_idle_keys_cost_nothing),
          TEST(overlap_cancel_tells_the_running_one),
          TEST(overlap_queue_waits_and_overlap_concurrent_does_not),
          TEST(a_pacer_runs_what_is_pending_after_its_last_unref),
          TEST(closing_the_runtime_settles_and_forgets),
          TEST(a_call_that_leaves_does_not_take_its_run_along))
