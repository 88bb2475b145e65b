/* SPDX-License-Identifier: MIT */
/* parallel and pool whose items settle as records of a completion queue. */

#include "parallel.h"

static weir_completions *open_queue(struct fixture *fx) {
  weir_completions *queue = NULL;
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  return queue;
}

static weir_parallel_options told_by(weir_completions *queue, int64_t concurrency) {
  weir_parallel_options options = at_once(concurrency);
  options.queue = queue;
  options.user = 6;
  return options;
}

static weir_record drain_one(weir_completions *queue) {
  weir_record record = {0};
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 1);
  return record;
}

static void assert_drained(weir_completions *queue) {
  weir_record record;
  assert_int_equal(weir_completions_drain(queue, &record, sizeof record, 1), 0);
}

/* The next record is of item `index`, which settled with the number. */
static void assert_number_told(weir_completions *queue, uint64_t index, int64_t number) {
  weir_record record = drain_one(queue);
  weir_value *value = (weir_value *)(uintptr_t)record.object;
  assert_int_equal(record.kind, WEIR_RECORD_ITEM);
  assert_int_equal(record.user, 6);
  assert_int_equal(record.detail, index);
  assert_int_equal(record.status, WEIR_OK);
  assert_int_equal(record.channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(record.number, 1);
  assert_int_equal(value_number(value), number);
  weir_value_unref(value);
}

/* ... which failed with the code. */
static void assert_failure_told(weir_completions *queue, uint64_t index, int64_t code) {
  weir_record record = drain_one(queue);
  weir_error *error = (weir_error *)(uintptr_t)record.object;
  assert_int_equal(record.kind, WEIR_RECORD_ITEM);
  assert_int_equal(record.detail, index);
  assert_int_equal(record.status, WEIR_EFAILED);
  assert_int_equal(record.channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(weir_error_code(error), code);
  weir_error_unref(error);
}

static void each_item_is_a_record_and_no_list_is_kept(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 2);
  struct script *script = scripted(fx, "v7 v8+20 v9");
  weir_value *items = numbers(fx, 0, 3);
  weir_operation *all = each(fx, script->operation, items, &options);
  weir_value_unref(items);
  struct run *run = run_once(fx, all);
  assert_number_told(queue, 0, 7);
  assert_number_told(queue, 2, 9);
  assert_drained(queue);
  assert_pending(run);
  advance_ms(fx, 20);
  assert_number_told(queue, 1, 8);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_NONE);
  assert_drained(queue);
  weir_completions_unref(queue);
}

static void a_failure_that_ends_the_whole_is_told_and_what_it_stops_is_not(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 3);
  struct script *script = scripted(fx, "v1 yield f503+10 v1");
  weir_value *items = numbers(fx, 0, 5);
  weir_operation *all = each(fx, script->operation, items, &options);
  weir_value_unref(items);
  struct run *run = run_once(fx, all);
  advance_ms(fx, 10);
  assert_number_told(queue, 0, 1);
  assert_number_told(queue, 3, 1);
  assert_number_told(queue, 4, 1);
  assert_failure_told(queue, 2, 503);
  assert_drained(queue);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 503);
  assert_int_equal(script->cancelled, 1);
  weir_completions_unref(queue);
}

static void failures_beside_others_are_told(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 1);
  struct script *script = scripted(fx, "f503 v2 f504");
  options.stop_on_error = 0;
  weir_value *items = numbers(fx, 0, 3);
  weir_operation *all = each(fx, script->operation, items, &options);
  weir_value_unref(items);
  struct run *run = run_once(fx, all);
  assert_failure_told(queue, 0, 503);
  assert_number_told(queue, 1, 2);
  assert_failure_told(queue, 2, 504);
  assert_int_equal(settled(run)->status, WEIR_OK);
  weir_completions_unref(queue);
}

/* Such an item begins no run whose record it could use. */
static void an_item_that_is_an_error_is_told(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 1);
  weir_error *errors[2] = {NULL};
  weir_value *list = NULL;
  struct script *script = scripted(fx, "v2");
  options.stop_on_error = 0;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_USER, 9, "no page", &errors[0]),
                   WEIR_OK);
  weir_status status = weir_value_new_list(fx->runtime, NULL, errors, 2, &list);
  weir_error_unref(errors[0]);
  assert_int_equal(status, WEIR_OK);
  weir_operation *all = each(fx, script->operation, list, &options);
  weir_value_unref(list);
  struct run *run = run_once(fx, all);
  weir_record told = drain_one(queue);
  assert_int_equal(told.number, 0);
  assert_int_equal(told.user, 6);
  assert_int_equal(told.detail, 0);
  assert_int_equal(weir_error_code((weir_error *)(uintptr_t)told.object), 9);
  weir_error_unref((weir_error *)(uintptr_t)told.object);
  assert_number_told(queue, 1, 2);
  assert_int_equal(settled(run)->status, WEIR_OK);
  weir_completions_unref(queue);
}

static void records_come_before_that_of_the_run_and_know_it(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 4);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  weir_operation *operations[2];
  weir_operation *all = NULL;
  operations[0] = operations[1] = scripted(fx, "n")->operation;
  options.user = WEIR_USER_OF_RUN;
  assert_int_equal(weir_parallel_new(fx->runtime, operations, 2, &options, &all, NULL), WEIR_OK);
  run_options.queue = queue;
  for (uint64_t i = 1; i <= 2; i++) {
    run_options.user = i;
    run_options.context = (void *)(uintptr_t)(100 + i);
    assert_int_equal(weir_run(all, &run_options, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
    run_until_idle(fx);
  }
  for (uint64_t i = 1; i <= 2; i++) {
    for (uint64_t item = 0; item < 2; item++) {
      weir_record told = drain_one(queue);
      assert_int_equal(told.kind, WEIR_RECORD_ITEM);
      assert_int_equal(told.user, 100 + i);
      assert_int_equal(told.detail, item);
      assert_int_equal(told.object, 0);
    }
    weir_record end = drain_one(queue);
    assert_int_equal(end.kind, WEIR_RECORD_SETTLED);
    assert_int_equal(end.user, i);
    assert_int_equal(end.object, 0);
  }
  weir_operation_unref(all);
  weir_completions_unref(queue);
}

static void a_record_counts_the_tries_of_its_item(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 1);
  weir_retry_options again = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *retry = NULL;
  again.base_delay_ms = 0;
  assert_int_equal(weir_retry_new(fx->runtime, &again, &retry, NULL), WEIR_OK);
  options.policy = weir_retry_policy(retry);
  weir_value *items = numbers(fx, 0, 2);
  weir_operation *all = each(fx, scripted(fx, "f503 f503 n n")->operation, items, &options);
  weir_value_unref(items);
  weir_retry_unref(retry);
  struct run *run = run_once(fx, all);
  assert_int_equal(drain_one(queue).number, 3);
  assert_int_equal(drain_one(queue).number, 1);
  assert_int_equal(settled(run)->attempts, 4);
  weir_completions_unref(queue);
}

static void a_timed_out_item_is_told_while_its_work_goes_on(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 1);
  options.item_timeout_ms = 10;
  options.stop_on_error = 0;
  weir_value *items = numbers(fx, 0, 1);
  struct script *script = scripted(fx, "hang");
  weir_operation *all = each(fx, script->operation, items, &options);
  weir_value_unref(items);
  struct run *run = run_once(fx, all);
  advance_ms(fx, 10);
  weir_record told = drain_one(queue);
  assert_int_equal(told.status, WEIR_ETIMEDOUT);
  weir_error_unref((weir_error *)(uintptr_t)told.object);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(finish(script, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_drained(queue);
  weir_completions_unref(queue);
}

static void records_are_drained_long_after_their_run_is_gone(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 2);
  weir_operation *all = NULL;
  struct script *script = scripted(fx, "v7 f503");
  weir_value *items = numbers(fx, 0, 2);
  options.stop_on_error = 0;
  all = each(fx, script->operation, items, &options);
  weir_value_unref(items);
  weir_status status = weir_run(all, NULL, NULL, NULL, NULL, NULL, NULL);
  weir_operation_unref(all);
  assert_int_equal(status, WEIR_OK);
  run_until_idle(fx);
  advance_ms(fx, 100000);
  assert_number_told(queue, 0, 7);
  assert_failure_told(queue, 1, 503);
  weir_completions_unref(queue);
}

static void a_queue_given_back_frees_what_its_records_carry(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 2);
  weir_error *errors[3] = {NULL};
  weir_value *list = NULL;
  options.stop_on_error = 0;
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_USER, 9, "no page", &errors[1]),
                   WEIR_OK);
  weir_status status = weir_value_new_list(fx->runtime, NULL, errors, 3, &list);
  weir_error_unref(errors[1]);
  assert_int_equal(status, WEIR_OK);
  weir_operation *all = each(fx, scripted(fx, "v7 f503")->operation, list, &options);
  weir_value_unref(list);
  struct run *told = begin(fx, all, NULL);
  run_until_idle(fx);
  weir_completions_unref(queue);
  struct run *untold = begin(fx, all, NULL); /* nobody will ever drain these */
  weir_operation_unref(all);
  run_until_idle(fx);
  assert_int_equal(settled(told)->status, WEIR_OK);
  assert_int_equal(settled(untold)->status, WEIR_OK);
}

static void a_pool_tells_its_items(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  weir_pool *pool = NULL;
  struct script *script = scripted(fx, "v7 v8+10");
  options.concurrency = 2;
  options.queue = queue;
  options.user = 6;
  assert_int_equal(weir_pool_new(fx->runtime, &options, &pool, NULL), WEIR_OK);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(weir_pool_add(pool, script->operation, NULL, NULL), WEIR_OK);
  }
  struct run *run = begin(fx, weir_pool_operation(pool), NULL);
  advance_ms(fx, 10);
  assert_number_told(queue, 0, 7);
  assert_number_told(queue, 1, 8);
  assert_pending(run);
  assert_int_equal(weir_pool_seal(pool), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_NONE);
  weir_pool_unref(pool);
  weir_completions_unref(queue);
}

static void a_queue_excludes_listeners_and_is_of_the_same_runtime(struct fixture *fx) {
  weir_completions *queue = open_queue(fx);
  weir_parallel_options options = told_by(queue, 2);
  weir_pool_options pool_options = WEIR_POOL_OPTIONS_INIT;
  struct noted noted = {.fx = fx};
  struct script *script = scripted(fx, "v7");
  weir_operation *all = NULL;
  weir_pool *pool = NULL;
  weir_error *error = NULL;
  listen_to_items(&options, &noted);
  assert_int_equal(weir_parallel_new_each(script->operation, NULL, &options, &all, &error),
                   WEIR_EINVAL);
  assert_message(error, "queue and on_item or on_progress exclude each other");
  options = told_by(queue, 2);
  listen_to_progress(&options, &noted);
  assert_int_equal(weir_parallel_new(fx->runtime, NULL, 0, &options, &all, &error), WEIR_EINVAL);
  assert_message(error, "queue and on_item or on_progress exclude each other");
  assert_int_equal(noted.freed, 2);
  pool_options.concurrency = 1;
  pool_options.queue = queue;
  pool_options.on_item = note_item;
  pool_options.item_data = &noted;
  assert_int_equal(weir_pool_new(fx->runtime, &pool_options, &pool, &error), WEIR_EINVAL);
  assert_message(error, "queue and on_item or on_progress exclude each other");

  weir_runtime *other = NULL;
  weir_runtime_options other_options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_completions *foreign = NULL;
  other_options.driver = WEIR_DRIVER_MANUAL;
  assert_int_equal(weir_runtime_new(&other_options, &other, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(other, NULL, &foreign, NULL), WEIR_OK);
  options = told_by(foreign, 2);
  assert_int_equal(weir_parallel_new_each(script->operation, NULL, &options, &all, &error),
                   WEIR_EINVAL);
  assert_message(error, "queue must be of the same runtime");
  weir_completions_unref(foreign);
  weir_runtime_unref(other);
  weir_completions_unref(queue);
}

TEST_MAIN("item records", TEST(each_item_is_a_record_and_no_list_is_kept),
          TEST(a_failure_that_ends_the_whole_is_told_and_what_it_stops_is_not),
          TEST(failures_beside_others_are_told), TEST(an_item_that_is_an_error_is_told),
          TEST(records_come_before_that_of_the_run_and_know_it),
          TEST(a_record_counts_the_tries_of_its_item),
          TEST(a_timed_out_item_is_told_while_its_work_goes_on),
          TEST(records_are_drained_long_after_their_run_is_gone),
          TEST(a_queue_given_back_frees_what_its_records_carry), TEST(a_pool_tells_its_items),
          TEST(a_queue_excludes_listeners_and_is_of_the_same_runtime))
