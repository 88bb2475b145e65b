/* SPDX-License-Identifier: MIT */
/* parallel whose items come one by one, or whose results go one by one. */

#include "parallel.h"

/* ---- pulled ---------------------------------------------------------------------------------- */

static void pulled_items_run_until_the_end(struct fixture *fx) {
  struct noted noted = {.fx = fx, .limit = 40};
  struct script *script = scripted(fx, "v7");
  weir_parallel_options options = at_once(3);
  pull_from(&options, &noted);
  listen_to_progress(&options, &noted);
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(weir_value_count(outcome_of(run)->value), 40);
  assert_int_equal(item_number(run, 39), 7);
  assert_int_equal(script->attempts[39].input, 39);
  assert_int_equal(noted.pulls, 41);
  assert_int_equal(noted.steps, 40);
  assert_int_equal(noted.done, 40);
  assert_int_equal(noted.freed, 2);
}

static void no_item_is_pulled_before_there_is_room_for_it(struct fixture *fx) {
  struct noted noted = {.fx = fx, .limit = 6};
  struct script *script = scripted(fx, "v7+10");
  weir_parallel_options options = at_once(2);
  pull_from(&options, &noted);
  listen_to_progress(&options, &noted);
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(noted.pulls, 2);
  advance_ms(fx, 10);
  assert_int_equal(noted.pulls, 4);
  assert_true(noted.total == UINT64_MAX);
  advance_ms(fx, 20);
  settled(run);
  assert_int_equal(noted.total, 6);
}

static void a_pull_that_ends_at_once_is_an_empty_success(struct fixture *fx) {
  struct noted noted = {.fx = fx, .limit = 0};
  struct script *script = scripted(fx, "v7");
  weir_parallel_options options = at_once(2);
  pull_from(&options, &noted);
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_LIST);
  assert_int_equal(weir_value_count(outcome_of(run)->value), 0);
}

static void a_pull_that_fails_fails_the_whole(struct fixture *fx) {
  struct noted noted = {.fx = fx, .limit = 9, .error_at = 3};
  struct script *script = scripted(fx, "v7 yield");
  weir_parallel_options options = at_once(3);
  options.stop_on_error = 0;
  pull_from(&options, &noted);
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(settled(run)->code, 77);
  assert_string_equal(settled(run)->message, "no more pages");
  assert_int_equal(script->cancelled, 2);
}

static uint32_t pull_nonsense(void *data, uint64_t index, weir_value **item, weir_error **error) {
  (void)index;
  (void)error;
  if (weir_value_new_bytes(((struct noted *)data)->fx->runtime, "x", 1, item) == WEIR_OK) {
    handed_over(*item);
  }
  return 99;
}

static void an_unknown_answer_of_a_pull_is_a_failure(struct fixture *fx) {
  struct noted noted = {.fx = fx};
  struct script *script = scripted(fx, "v7");
  weir_parallel_options options = at_once(3);
  pull_from(&options, &noted);
  options.pull = pull_nonsense;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(script->started, 0);
}

/* ---- a listener for each item ---------------------------------------------------------------- */

static void each_result_is_told_with_its_index(struct fixture *fx) {
  struct noted noted = {.fx = fx};
  struct script *script = scripted(fx, "v1+20 f2+10 v3");
  weir_value *items = numbers(fx, 0, 3);
  weir_parallel_options options = at_once(3);
  options.stop_on_error = 0;
  listen_to_items(&options, &noted);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  assert_int_equal(noted.items, 1);
  assert_int_equal(noted.last_item, 2);
  advance_ms(fx, 20);
  assert_int_equal(noted.items, 3);
  assert_int_equal(noted.last_item, 0);
  assert_int_equal(noted.statuses[1], WEIR_EFAILED);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_null(outcome_of(run)->value);
  assert_int_equal(noted.freed, 1);
}

static void the_failure_that_stops_is_told_and_what_it_stopped_is_not(struct fixture *fx) {
  struct noted noted = {.fx = fx};
  struct script *script = scripted(fx, "yield f2");
  weir_value *items = numbers(fx, 0, 3);
  weir_parallel_options options = at_once(3);
  listen_to_items(&options, &noted);
  listen_to_progress(&options, &noted);
  struct run *run = run_once(fx, each(fx, script->operation, items, &options));
  weir_value_unref(items);
  assert_int_equal(settled(run)->code, 2);
  assert_int_equal(noted.items, 1);
  assert_int_equal(noted.last_item, 1);
  assert_int_equal(noted.done, 1);
  assert_int_equal(noted.total, 3);
}

static void a_listener_may_cancel_the_run_it_listens_to(struct fixture *fx) {
  struct noted noted = {.fx = fx, .limit = 100};
  struct script *script = scripted(fx, "v1");
  weir_parallel_options options = at_once(1);
  pull_from(&options, &noted);
  listen_to_items(&options, &noted);
  weir_operation *operation = each(fx, script->operation, NULL, &options);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  noted.call = run->call;
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_in_range(noted.items, 1, 2);
  assert_int_equal(noted.items, script->started);
}

static void note_item_and_close(void *data, uint64_t index, const weir_outcome *outcome) {
  struct noted *noted = data;
  note_item(noted, index, outcome);
  weir_runtime_close(noted->fx->runtime);
}

static void a_listener_may_close_the_runtime(struct fixture *fx) {
  struct noted noted = {.fx = fx, .limit = 100};
  struct script *script = scripted(fx, "v1");
  weir_parallel_options options = at_once(4);
  pull_from(&options, &noted);
  listen_to_items(&options, &noted);
  options.on_item = note_item_and_close;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(settled(run)->cancel_reason, WEIR_CANCEL_SHUTDOWN);
  assert_int_equal(noted.items, script->started);
  assert_in_range(noted.items, 1, 4);
}

static void stopping_while_items_are_told_counts_each_once(struct fixture *fx) {
  struct noted noted = {.fx = fx, .limit = 100};
  struct script *script = scripted(fx, "v1");
  weir_parallel_options options = at_once(10);
  pull_from(&options, &noted);
  listen_to_items(&options, &noted);
  weir_operation *operation = each(fx, script->operation, NULL, &options);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  settled(run);
  assert_int_equal(noted.items, 100);
  assert_int_equal(noted.disorder, 0);
}

static void F10_memory_does_not_grow_with_the_items(struct fixture *fx) {
  struct noted noted = {.fx = fx, .limit = 1000};
  struct script *script = scripted(fx, "v1");
  weir_parallel_options options = at_once(10);
  pull_from(&options, &noted);
  listen_to_items(&options, &noted);
  run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(noted.items, 1000);
  uint64_t peak = fx->memory.peak_bytes;
  struct noted many = {.fx = fx, .limit = 100000};
  pull_from(&options, &many);
  listen_to_items(&options, &many);
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(many.items, 100000);
  assert_int_equal(many.disorder, 0);
  assert_int_equal(settled(run)->attempts, 100000);
  assert_in_range(fx->memory.peak_bytes, peak, peak + 4096);
}

static void F10_a_million_items_in_order_and_in_bounded_memory(struct fixture *fx) {
  enum { MILLION = 1000000 };
  struct noted noted = {.fx = fx, .limit = MILLION};
  struct script *script = scripted(fx, "n");
  weir_parallel_options options = at_once(10);
  pull_from(&options, &noted);
  listen_to_items(&options, &noted);
  uint64_t before = fx->memory.live_bytes;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(settled(run)->attempts, MILLION);
  assert_int_equal(noted.items, MILLION);
  assert_int_equal(noted.last_item, MILLION - 1);
  assert_int_equal(noted.disorder, 0);
  /* The first runs and attempts of a runtime: chunks of slots, not a byte an item. */
  assert_in_range(fx->memory.peak_bytes, before, before + 100000);
}

/* ---- asked for ------------------------------------------------------------------------------- */

static void a_source_gives_one_item_after_another(struct fixture *fx) {
  struct script *source = scripted(fx, "v10 v11+10 v12 n");
  struct script *script = scripted(fx, "v1+5");
  weir_parallel_options options = at_once(2);
  options.source = source->operation;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(source->started, 2);
  assert_int_equal(script->started, 1);
  assert_int_equal(script->attempts[0].input, 10);
  advance_ms(fx, 15);
  assert_int_equal(weir_value_count(outcome_of(run)->value), 3);
  assert_int_equal(script->attempts[2].input, 12);
  assert_int_equal(source->started, 4);
}

static void a_source_is_not_asked_while_there_is_no_room(struct fixture *fx) {
  struct script *source = scripted(fx, "v10 v11 v12 n");
  struct script *script = scripted(fx, "v1+5");
  weir_parallel_options options = at_once(1);
  options.source = source->operation;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(source->started, 1);
  advance_ms(fx, 5);
  assert_int_equal(source->started, 2);
  advance_ms(fx, 10);
  assert_int_equal(weir_value_count(outcome_of(run)->value), 3);
}

static void a_source_that_fails_fails_the_whole(struct fixture *fx) {
  struct script *source = scripted(fx, "v10 f5");
  struct script *script = scripted(fx, "yield");
  weir_parallel_options options = at_once(3);
  options.stop_on_error = 0;
  options.source = source->operation;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  assert_int_equal(settled(run)->code, 5);
  assert_int_equal(script->cancelled, 1);
  assert_int_equal(script->attempts[0].cancel_reason, WEIR_CANCEL_LOST);
}

static void a_failing_item_stops_the_source_that_is_being_asked(struct fixture *fx) {
  struct script *source = scripted(fx, "v10 yield");
  struct script *script = scripted(fx, "f1+10");
  weir_parallel_options options = at_once(3);
  options.source = source->operation;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->code, 1);
  assert_int_equal(source->cancelled, 1);
}

/* Answers what is asked for: a number, then others, then the end. */
static unsigned answer(struct fixture *fx, weir_completions *queue, int64_t last) {
  weir_record records[8];
  size_t count = weir_completions_drain(queue, records, sizeof records[0], 8);
  unsigned asks = 0;
  for (size_t i = 0; i < count; i++) {
    if (records[i].kind != WEIR_RECORD_ASK || records[i].user != 7) continue;
    int64_t *asked = fx->user;
    if (++*asked <= last) {
      weir_complete_bytes(fx->runtime, records[i].object, asked, sizeof *asked);
    } else {
      weir_complete(fx->runtime, records[i].object, NULL);
    }
    asks++;
  }
  return asks;
}

static void items_are_asked_for_by_records(struct fixture *fx) {
  int64_t asked = 0;
  fx->user = &asked;
  weir_completions *queue = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  weir_operation *source = NULL;
  assert_int_equal(weir_operation_new_asked(queue, 7, &source, NULL), WEIR_OK);
  struct script *script = scripted(fx, "v1");
  weir_parallel_options options = at_once(2);
  options.source = source;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  weir_operation_unref(source);
  for (int round = 0; round < 4; round++) {
    assert_pending(run);
    assert_int_equal(answer(fx, queue, 3), 1);
    run_until_idle(fx);
  }
  assert_int_equal(weir_value_count(outcome_of(run)->value), 3);
  assert_int_equal(script->attempts[2].input, 3);
  weir_completions_unref(queue);
}

static void an_ask_that_nobody_drained_is_taken_back(struct fixture *fx) {
  weir_completions *queue = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  weir_operation *source = NULL;
  assert_int_equal(weir_operation_new_asked(queue, 7, &source, NULL), WEIR_OK);
  struct script *script = scripted(fx, "v1");
  weir_parallel_options options = at_once(2);
  options.source = source;
  struct run *run = run_once(fx, each(fx, script->operation, NULL, &options));
  weir_operation_unref(source);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  weir_record record;
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 0);
  assert_int_equal(orphans_of(fx), 0);
  weir_completions_unref(queue);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

static void expect_refused(weir_operation *operation, weir_value *items,
                           const weir_parallel_options *options, const char *message) {
  weir_operation *out = (weir_operation *)1;
  weir_error *error = NULL;
  assert_int_equal(weir_parallel_new_each(operation, items, options, &out, &error), WEIR_EINVAL);
  assert_null(out);
  assert_message(error, message);
}

static void F12_a_concurrency_of_0_cannot_be_made(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  expect_refused(script->operation, NULL, &options, "parallel.concurrency is required");
  expect_refused(script->operation, NULL, NULL, "parallel.concurrency is required");
  options.concurrency = -2;
  expect_refused(script->operation, NULL, &options, "(got -2)");
  options.concurrency = INT64_MIN;
  expect_refused(script->operation, NULL, &options, "parallel.concurrency is required");
  options.concurrency = INT64_MAX;
  weir_operation_unref(each(fx, script->operation, NULL, &options));
}

static void C08_contradictions_are_named_and_what_was_taken_is_freed(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  struct noted noted = {.fx = fx};
  weir_value *items = numbers(fx, 0, 1);
  weir_value *number = number_value(fx, 1);
  weir_parallel_options options = at_once(1);
  pull_from(&options, &noted);
  expect_refused(script->operation, items, &options, "items, pull and source exclude each other");
  options.source = script->operation;
  expect_refused(script->operation, NULL, &options, "items, pull and source exclude each other");
  weir_operation *out = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_parallel_new(fx->runtime, &script->operation, 1, &options, &out, &error),
                   WEIR_EINVAL);
  assert_message(error, "parallel.pull must be NULL beside a list of operations");
  assert_int_equal(noted.freed, 3);
  options = at_once(1);
  expect_refused(script->operation, number, &options, "parallel.items must be a list");
  expect_refused(NULL, items, &options, "parallel.operation must not be NULL");
  options.stop_on_error = 2;
  expect_refused(script->operation, items, &options,
                 "parallel.stop_on_error must be at most 1 (got 2)");
  options.stop_on_error = 1;
  options.item_timeout_ms = -2;
  expect_refused(script->operation, items, &options, "parallel.item_timeout_ms must be at least 0");
  options = at_once(1);
  assert_int_equal(
      weir_parallel_new(fx->runtime, COUNTED(script->operation, NULL), &options, &out, &error),
      WEIR_EINVAL);
  assert_message(error, "parallel.operations[1] must not be NULL");
  assert_int_equal(weir_parallel_new(NULL, NULL, 0, &options, &out, &error), WEIR_EINVAL);
  assert_message(error, "parallel.runtime must not be NULL");
  assert_int_equal(weir_parallel_new_each(script->operation, items, &options, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "parallel.out must not be NULL");
  weir_value_unref(items);
  weir_value_unref(number);
}

static void C08_a_policy_that_cannot_stand_there_is_refused(struct fixture *fx) {
  weir_limiter_options limits = WEIR_LIMITER_OPTIONS_INIT;
  limits.max_concurrent = 1;
  limits.name = "once";
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_limiter_new(fx->runtime, &limits, &limiter, NULL), WEIR_OK);
  struct script *script = scripted(fx, "v1");
  weir_operation *limited = NULL;
  assert_int_equal(
      weir_policy_wrap(weir_limiter_policy(limiter), script->operation, &limited, NULL), WEIR_OK);
  weir_parallel_options options = at_once(1);
  options.policy = weir_limiter_policy(limiter);
  expect_refused(limited, NULL, &options, "the same limiter 'once' twice");
  weir_operation_unref(limited);
  weir_limiter_unref(limiter);
}

TEST_MAIN("parallel_stream", TEST(pulled_items_run_until_the_end),
          TEST(no_item_is_pulled_before_there_is_room_for_it),
          TEST(a_pull_that_ends_at_once_is_an_empty_success),
          TEST(a_pull_that_fails_fails_the_whole), TEST(an_unknown_answer_of_a_pull_is_a_failure),
          TEST(each_result_is_told_with_its_index),
          TEST(the_failure_that_stops_is_told_and_what_it_stopped_is_not),
          TEST(a_listener_may_cancel_the_run_it_listens_to), TEST(a_listener_may_close_the_runtime),
          TEST(stopping_while_items_are_told_counts_each_once),
          LONG_TEST(F10_memory_does_not_grow_with_the_items),
          LONG_TEST(F10_a_million_items_in_order_and_in_bounded_memory),
          TEST(a_source_gives_one_item_after_another),
          TEST(a_source_is_not_asked_while_there_is_no_room),
          TEST(a_source_that_fails_fails_the_whole),
          TEST(a_failing_item_stops_the_source_that_is_being_asked),
          TEST(items_are_asked_for_by_records), TEST(an_ask_that_nobody_drained_is_taken_back),
          TEST(F12_a_concurrency_of_0_cannot_be_made),
          TEST(C08_contradictions_are_named_and_what_was_taken_is_freed),
          TEST(C08_a_policy_that_cannot_stand_there_is_refused))
