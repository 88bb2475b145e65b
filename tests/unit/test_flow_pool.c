/* SPDX-License-Identifier: MIT */
/* pool: a parallel that is added to before and while it runs. */

#include "parallel.h"

static weir_pool *pool_of(struct fixture *fx, const weir_pool_options *options) {
  weir_pool *pool = NULL;
  weir_error *error = NULL;
  weir_status status = weir_pool_new(fx->runtime, options, &pool, &error);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  return pool;
}

static weir_pool_options pool_options(int64_t concurrency) {
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  options.concurrency = concurrency;
  return options;
}

static weir_pool *plain_pool(struct fixture *fx, int64_t concurrency) {
  weir_pool_options options = pool_options(concurrency);
  return pool_of(fx, &options);
}

static void add(struct fixture *fx, weir_pool *pool, struct script *script, int64_t input) {
  weir_value *value = number_value(fx, input);
  weir_error *error = NULL;
  weir_status status = weir_pool_add(pool, script->operation, value, &error);
  weir_value_unref(value);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
}

static struct run *run_pool(struct fixture *fx, weir_pool *pool) {
  struct run *run = begin(fx, weir_pool_operation(pool), NULL);
  run_until_idle(fx);
  return run;
}

static weir_pool_stats stats_of(weir_pool *pool) {
  weir_pool_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_pool_get_stats(pool, &stats), WEIR_OK);
  return stats;
}

static void U13_what_is_added_before_and_while_it_runs_is_listed_in_that_order(struct fixture *fx) {
  struct script *slow = scripted(fx, "v1+30");
  struct script *fast = scripted(fx, "v2");
  weir_pool *pool = plain_pool(fx, 2);
  add(fx, pool, slow, 10);
  add(fx, pool, fast, 11);
  struct run *run = run_pool(fx, pool);
  add(fx, pool, fast, 12);
  advance_ms(fx, 30);
  assert_pending(run);
  assert_int_equal(weir_pool_seal(pool), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_value_count(outcome_of(run)->value), 3);
  assert_int_equal(item_number(run, 0), 1);
  assert_int_equal(item_number(run, 2), 2);
  assert_int_equal(fast->attempts[1].input, 12);
  weir_pool_unref(pool);
}

static void a_pool_runs_no_more_at_once_than_asked_for(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+10");
  weir_pool *pool = plain_pool(fx, 2);
  for (int64_t i = 0; i < 5; i++) add(fx, pool, script, i);
  struct run *run = run_pool(fx, pool);
  weir_pool_stats stats = stats_of(pool);
  assert_int_equal(stats.added, 5);
  assert_int_equal(stats.waiting, 3);
  assert_int_equal(stats.running, 2);
  assert_int_equal(stats.sealed, 0);
  assert_int_equal(weir_pool_seal(pool), WEIR_OK);
  advance_ms(fx, 30);
  settled(run);
  assert_int_equal(script->max_running, 2);
  stats = stats_of(pool);
  assert_int_equal(stats.succeeded, 5);
  assert_int_equal(stats.running + stats.waiting + stats.failed, 0);
  weir_pool_unref(pool);
}

static void F19_adding_after_the_seal_is_an_error(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_pool *pool = plain_pool(fx, 2);
  assert_int_equal(weir_pool_seal(pool), WEIR_OK);
  assert_int_equal(weir_pool_seal(pool), WEIR_OK);
  weir_error *error = NULL;
  assert_int_equal(weir_pool_add(pool, script->operation, NULL, &error), WEIR_ECLOSED);
  assert_message(error, "pool: nothing more can be added");
  struct run *run = run_pool(fx, pool);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_LIST);
  assert_int_equal(weir_value_count(outcome_of(run)->value), 0);
  assert_int_equal(weir_pool_add(pool, script->operation, NULL, NULL), WEIR_ECLOSED);
  weir_pool_unref(pool);
}

struct adder {
  struct fixture *fx;
  weir_pool *pool;
  struct script *script;
  int left;
  int refused;
  uint64_t done;
  uint64_t total;
};

/* Adds another from inside a listener, and seals behind the last. */
static void add_another(void *data, uint64_t done, uint64_t total) {
  struct adder *adder = data;
  adder->done = done;
  adder->total = total;
  if (adder->left > 0 && adder->left-- > 0) {
    if (weir_pool_add(adder->pool, adder->script->operation, NULL, NULL) != WEIR_OK) {
      adder->refused++;
    }
    return;
  }
  weir_pool_seal(adder->pool);
}

static void F19_drained_while_a_callback_adds_it_keeps_running(struct fixture *fx) {
  struct adder adder = {.fx = fx, .script = scripted(fx, "v1"), .left = 50};
  weir_pool_options options = pool_options(1);
  options.on_progress = add_another;
  options.progress_data = &adder;
  adder.pool = pool_of(fx, &options);
  add(fx, adder.pool, adder.script, 0);
  struct run *run = run_pool(fx, adder.pool);
  assert_int_equal(adder.refused, 0);
  assert_int_equal(weir_value_count(outcome_of(run)->value), 51);
  assert_int_equal(adder.done, 51);
  assert_true(adder.total == UINT64_MAX);
  weir_pool_unref(adder.pool);
}

static void the_total_is_known_from_the_seal_on(struct fixture *fx) {
  struct noted noted = {.fx = fx};
  weir_pool_options options = pool_options(1);
  options.on_progress = note_progress;
  options.progress_data = &noted;
  options.progress_free_data = note_freed;
  struct script *script = scripted(fx, "v1+10");
  weir_pool *pool = pool_of(fx, &options);
  for (int64_t i = 0; i < 3; i++) add(fx, pool, script, i);
  struct run *run = run_pool(fx, pool);
  advance_ms(fx, 10);
  assert_true(noted.total == UINT64_MAX);
  weir_pool_seal(pool);
  advance_ms(fx, 10);
  assert_int_equal(noted.total, 3);
  advance_ms(fx, 10);
  settled(run);
  weir_pool_unref(pool);
  run_until_idle(fx);
  assert_int_equal(noted.done, 3);
}

static void a_failure_ends_a_pool_and_drops_what_waits(struct fixture *fx) {
  struct script *failing = scripted(fx, "f5+10");
  struct script *out = scripted(fx, "yield");
  weir_pool *pool = plain_pool(fx, 2);
  add(fx, pool, failing, 0);
  for (int64_t i = 0; i < 4; i++) add(fx, pool, out, i);
  struct run *run = run_pool(fx, pool);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->code, 5);
  assert_int_equal(out->started, 1);
  assert_int_equal(out->cancelled, 1);
  assert_int_equal(weir_pool_add(pool, out->operation, NULL, NULL), WEIR_ECLOSED);
  weir_pool_stats stats = stats_of(pool);
  assert_int_equal(stats.failed, 1);
  assert_int_equal(stats.sealed, 1);
  assert_int_equal(stats.waiting + stats.running, 0);
  weir_pool_unref(pool);
}

static void a_pool_may_go_on_after_failures_and_tell_each(struct fixture *fx) {
  struct noted noted = {.fx = fx};
  struct script *script = scripted(fx, "f1 v2 hang");
  weir_pool_options options = pool_options(WEIR_UNLIMITED);
  options.stop_on_error = 0;
  options.item_timeout_ms = 50;
  options.on_item = note_item;
  options.item_data = &noted;
  options.item_free_data = note_freed;
  weir_pool *pool = pool_of(fx, &options);
  for (int64_t i = 0; i < 3; i++) add(fx, pool, script, i);
  weir_pool_seal(pool);
  struct run *run = run_pool(fx, pool);
  advance_ms(fx, 50);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_null(outcome_of(run)->value);
  assert_int_equal(noted.items, 3);
  assert_int_equal(noted.statuses[0], WEIR_EFAILED);
  assert_int_equal(noted.statuses[2], WEIR_ETIMEDOUT);
  assert_int_equal(stats_of(pool).failed, 2);
  weir_pool_unref(pool);
  assert_int_equal(noted.freed, 0);
  finish(script, 2, "n"); /* what is still out keeps its run, and that the pool */
  run_until_idle(fx);
  assert_int_equal(noted.freed, 1);
}

static void one_run_takes_a_pool_and_the_second_is_stale(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+10");
  weir_pool *pool = plain_pool(fx, 2);
  add(fx, pool, script, 0);
  weir_pool_seal(pool);
  struct run *first = run_pool(fx, pool);
  struct run *second = run_pool(fx, pool);
  assert_int_equal(settled(second)->status, WEIR_ESTALE);
  assert_pending(first);
  advance_ms(fx, 10);
  assert_int_equal(item_number(first, 0), 1);
  struct run *third = run_pool(fx, pool);
  assert_int_equal(settled(third)->status, WEIR_ESTALE);
  weir_pool_unref(pool);
}

static void a_cancelled_pool_is_over(struct fixture *fx) {
  struct script *script = scripted(fx, "yield");
  weir_pool *pool = plain_pool(fx, 1);
  for (int64_t i = 0; i < 3; i++) add(fx, pool, script, i);
  struct run *run = run_pool(fx, pool);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(script->started, 1);
  assert_int_equal(weir_pool_add(pool, script->operation, NULL, NULL), WEIR_ECLOSED);
  weir_pool_unref(pool);
}

static void C06_a_runtime_that_closes_settles_a_pool_that_waits(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_pool *pool = plain_pool(fx, 1);
  struct run *run = run_pool(fx, pool);
  assert_pending(run);
  weir_runtime_close(fx->runtime);
  assert_int_equal(weir_pool_add(pool, script->operation, NULL, NULL), WEIR_ECLOSED);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(weir_pool_seal(pool), WEIR_OK);
  weir_pool_unref(pool);
}

static void a_pool_that_never_ran_frees_what_was_added(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_pool *pool = plain_pool(fx, 1);
  weir_pool *same = weir_pool_ref(pool);
  for (int64_t i = 0; i < 3; i++) add(fx, pool, script, i);
  weir_pool_unref(pool);
  weir_pool_unref(same);
  weir_pool_unref(NULL);
  assert_int_equal(script->started, 0);
}

static void a_run_keeps_its_pool_alive(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+10");
  weir_pool *pool = plain_pool(fx, 1);
  add(fx, pool, script, 0);
  weir_pool_seal(pool);
  struct run *run = run_pool(fx, pool);
  weir_pool_unref(pool);
  advance_ms(fx, 10);
  assert_int_equal(item_number(run, 0), 1);
}

static void C08_what_a_pool_cannot_take_is_named(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_pool *pool = plain_pool(fx, 1);
  weir_error *error = NULL;
  assert_int_equal(weir_pool_add(NULL, script->operation, NULL, &error), WEIR_EINVAL);
  assert_message(error, "pool.pool must not be NULL");
  assert_int_equal(weir_pool_add(pool, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "pool.operation must not be NULL");
  assert_int_equal(weir_pool_add(pool, weir_pool_operation(pool), NULL, &error), WEIR_EINVAL);
  assert_message(error, "pool.operation must not nest deeper than 31 in a pool (got 32)");
  assert_int_equal(weir_pool_seal(NULL), WEIR_EINVAL);
  assert_int_equal(weir_pool_get_stats(pool, NULL), WEIR_EINVAL);
  weir_pool_stats stats = {.size = 1};
  assert_int_equal(weir_pool_get_stats(pool, &stats), WEIR_EABI);
  weir_pool_unref(pool);
}

static void F12_a_pool_needs_a_concurrency(struct fixture *fx) {
  weir_pool *pool = (weir_pool *)1;
  weir_error *error = NULL;
  struct noted noted = {.fx = fx};
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  options.on_item = note_item;
  options.item_data = &noted;
  options.item_free_data = note_freed;
  assert_int_equal(weir_pool_new(fx->runtime, &options, &pool, &error), WEIR_EINVAL);
  assert_null(pool);
  assert_message(error, "pool.concurrency is required: at least 1, or -1 for unlimited (got 0)");
  assert_int_equal(noted.freed, 1);
  options = pool_options(1);
  options.stop_on_error = 2;
  assert_int_equal(weir_pool_new(fx->runtime, &options, &pool, &error), WEIR_EINVAL);
  assert_message(error, "pool.stop_on_error");
  assert_int_equal(weir_pool_new(NULL, &options, &pool, &error), WEIR_EINVAL);
  assert_message(error, "pool.runtime must not be NULL");
  assert_int_equal(weir_pool_new(fx->runtime, &options, NULL, &error), WEIR_EINVAL);
  assert_message(error, "pool.out must not be NULL");
}

TEST_MAIN("flow_pool", TEST(U13_what_is_added_before_and_while_it_runs_is_listed_in_that_order),
          TEST(a_pool_runs_no_more_at_once_than_asked_for),
          TEST(F19_adding_after_the_seal_is_an_error),
          TEST(F19_drained_while_a_callback_adds_it_keeps_running),
          TEST(the_total_is_known_from_the_seal_on),
          TEST(a_failure_ends_a_pool_and_drops_what_waits),
          TEST(a_pool_may_go_on_after_failures_and_tell_each),
          TEST(one_run_takes_a_pool_and_the_second_is_stale), TEST(a_cancelled_pool_is_over),
          TEST(C06_a_runtime_that_closes_settles_a_pool_that_waits),
          TEST(a_pool_that_never_ran_frees_what_was_added), TEST(a_run_keeps_its_pool_alive),
          TEST(C08_what_a_pool_cannot_take_is_named), TEST(F12_a_pool_needs_a_concurrency))
