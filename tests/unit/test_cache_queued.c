/* SPDX-License-Identifier: MIT */
/* Loads that were asked for and have not begun: what may come between. A get whose key is absent
 * queues its load, so what starts in the same turn behind the get comes before it. */

#include "cache_get.h"

/* Queues what `hook` does between a get's look and its load. */
static void between(struct fixture *fx, void (*hook)(struct script *, const weir_attempt *),
                    void *user) {
  struct script *intruder = scripted(fx, "n");
  intruder->on_start = hook;
  intruder->user = user;
  begin(fx, intruder->operation, NULL);
}

/* So many runs that the steps of two turns do not reach what is queued behind them. */
static void fill_the_queue(struct fixture *fx) {
  struct script *filler = scripted(fx, "n");
  for (int i = 0; i < 1600; i++) begin(fx, filler->operation, NULL);
}

static struct run *begin_impatient(struct fixture *fx, weir_cache *cache, struct script *loader) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 1;
  weir_timeout *timeout = NULL;
  weir_operation *operation = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  assert_int_equal(weir_cache_operation(cache, loader->operation, &operation, NULL), WEIR_OK);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.policy = weir_timeout_policy(timeout);
  run_options.key = "a";
  run_options.key_size = 1;
  struct run *run = begin(fx, operation, &run_options);
  weir_operation_unref(operation);
  weir_timeout_unref(timeout);
  return run;
}

static void leave_before_the_load(struct fixture *fx) {
  int64_t now = now_ns(fx);
  weir_runtime_process(fx->runtime, now);
  weir_runtime_process(fx->runtime, now + 1 * MS);
}

static void a_load_that_nobody_waits_for_any_more_never_starts(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = begin_impatient(fx, cache, loader);
  fill_the_queue(fx);
  leave_before_the_load(fx);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(stats_of(cache).loading, 0);
  assert_int_equal(stats_of(cache).loads, 1);
  run_until_idle(fx);
  assert_int_equal(loader->started, 0);
  assert_int_equal(stats_of(cache).load_failures, 0);
  assert_int_equal(got(fx, cache, "a", loader), 7);
  assert_int_equal(stats_of(cache).loads, 2);
  weir_cache_unref(cache);
}

static void the_first_leaves_before_the_load_and_it_serves_the_others(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = begin_impatient(fx, cache, loader);
  struct run *second = try_get(fx, cache, "a", loader);
  assert_int_equal(second->status, WEIR_OK);
  fill_the_queue(fx);
  leave_before_the_load(fx);
  assert_int_equal(settled(first)->status, WEIR_ETIMEDOUT);
  assert_pending(second);
  assert_int_equal(stats_of(cache).loading, 1);
  run_until_idle(fx);
  assert_int_equal(settled(second)->value, 7);
  assert_int_equal(loader->started, 1);
  assert_int_equal(look(cache, "a"), 7);
  weir_cache_unref(cache);
}

static void a_new_load_begins_where_the_abandoned_one_is_still_queued(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = begin_impatient(fx, cache, loader);
  fill_the_queue(fx);
  leave_before_the_load(fx);
  struct run *second = get(fx, cache, "a", loader);
  assert_int_equal(settled(first)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(second)->value, 7);
  assert_int_equal(loader->started, 1);
  weir_cache_unref(cache);
}

static void close_runtime(struct script *script, const weir_attempt *attempt) {
  (void)attempt;
  weir_runtime_close(script->fixture->runtime);
}

static void K14_closing_before_the_load_begins_settles_who_waits(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = try_get(fx, cache, "a", loader);
  struct run *second = try_get(fx, cache, "a", loader);
  assert_int_equal(first->status, WEIR_OK);
  assert_int_equal(second->status, WEIR_OK);
  between(fx, close_runtime, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECLOSED);
  assert_int_equal(settled(second)->status, WEIR_ECLOSED);
  assert_int_equal(loader->started, 0);
  weir_cache_unref(cache);
}

static void clear_cache(struct script *script, const weir_attempt *attempt) {
  (void)attempt;
  weir_cache_clear(script->user);
}

static void K14_clear_before_the_load_begins_wins(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7 v8");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = try_get(fx, cache, "a", loader);
  assert_int_equal(run->status, WEIR_OK);
  between(fx, clear_cache, cache);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(got(fx, cache, "a", loader), 8);
  assert_int_equal(look(cache, "a"), 8);
  weir_cache_unref(cache);
}

/* ---- without memory for the run, or for the key as its input ---- */

struct shortage {
  struct fixture *fx;
  uint64_t nth;
};

static void run_short(struct script *script, const weir_attempt *attempt) {
  (void)attempt;
  struct shortage *shortage = script->user;
  memory_fail(&shortage->fx->memory, shortage->nth, 0);
}

static void a_load_without_memory_for_its_run_is_none(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.negative_ttl_ms = 1000;
  weir_cache *cache = new_cache(fx, &options);
  for (uint64_t nth = 1; nth <= 2; nth++) {
    weir_runtime_trim(fx->runtime);
    struct shortage shortage = {fx, nth};
    struct run *first = try_get(fx, cache, "a", loader);
    struct run *second = try_get(fx, cache, "a", loader);
    assert_int_equal(first->status, WEIR_OK);
    assert_int_equal(second->status, WEIR_OK);
    between(fx, run_short, &shortage);
    run_until_idle(fx);
    assert_int_equal(settled(first)->status, WEIR_ENOMEM);
    assert_int_equal(settled(second)->status, WEIR_ENOMEM);
    assert_int_equal(loader->started, 0);
    assert_int_equal(stats_of(cache).loads, 0);
    assert_int_equal(stats_of(cache).load_failures, 0);
    assert_int_equal(stats_of(cache).loading, 0);
  }
  assert_int_equal(got(fx, cache, "a", loader), 7); /* it was not remembered either */
  weir_cache_unref(cache);
}

static void a_stale_value_serves_where_there_is_no_memory_for_the_run(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7 v8");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 10;
  options.stale_if_error_ms = 1000;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(got(fx, cache, "a", loader), 7);
  advance_ms(fx, 10);
  weir_runtime_trim(fx->runtime);
  struct shortage shortage = {fx, 1};
  struct run *run = try_get(fx, cache, "a", loader);
  assert_int_equal(run->status, WEIR_OK);
  between(fx, run_short, &shortage);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(loader->started, 1);
  assert_int_equal(stats_of(cache).stale_hits, 1);
  assert_int_equal(got(fx, cache, "a", loader), 8);
  weir_cache_unref(cache);
}

/* ---- what is told ---- */

struct told {
  uint32_t loads;
  weir_status status;
};

static void note_load(void *data, const weir_event *event) {
  struct told *told = data;
  if (event->kind != WEIR_EVENT_LOAD) return;
  told->loads++;
  told->status = event->status;
}

static void an_abandoned_load_is_told_as_cancelled_and_counts_as_a_run(struct fixture *fx) {
  struct told told = {0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.on_event = note_load;
  options.event_data = &told;
  remake_runtime(fx, &options);
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  begin_impatient(fx, cache, loader);
  fill_the_queue(fx);
  leave_before_the_load(fx);
  assert_int_equal(told.loads, 0);
  run_until_idle(fx);
  assert_int_equal(told.loads, 1);
  assert_int_equal(told.status, WEIR_ECANCELLED);
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.runs_accepted, 1602); /* the get, what filled the queue, the load */
  assert_int_equal(stats.runs_settled, 1602);
  weir_cache_unref(cache);
}

TEST_MAIN("cache: queued loads", LONG_TEST(a_load_that_nobody_waits_for_any_more_never_starts),
          LONG_TEST(the_first_leaves_before_the_load_and_it_serves_the_others),
          LONG_TEST(a_new_load_begins_where_the_abandoned_one_is_still_queued),
          TEST(K14_closing_before_the_load_begins_settles_who_waits),
          TEST(K14_clear_before_the_load_begins_wins),
          LONG_TEST(a_load_without_memory_for_its_run_is_none),
          LONG_TEST(a_stale_value_serves_where_there_is_no_memory_for_the_run),
          LONG_TEST(an_abandoned_load_is_told_as_cancelled_and_counts_as_a_run))
