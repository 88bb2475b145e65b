/* SPDX-License-Identifier: MIT */
/* The get of many keys as an operation: under run options, by queue, wrapped, cancelled. */

#include "cache_get.h"

struct many {
  weir_cache *cache;
  weir_completions *queue;
  weir_operation *loader; /* of the queue */
  weir_operation *operation;
};

static void open_many(struct fixture *fx, struct many *many) {
  many->cache = new_cache(fx, NULL);
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &many->queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new_queued(many->queue, 3, &many->loader, NULL), WEIR_OK);
  assert_int_equal(weir_cache_operation_many(many->cache, many->loader, &many->operation, NULL),
                   WEIR_OK);
}

static void close_many(struct many *many) {
  weir_operation_unref(many->operation);
  weir_operation_unref(many->loader);
  weir_completions_unref(many->queue);
  weir_cache_unref(many->cache);
}

/* A list of bytes values of one letter each. */
static weir_value *letters(struct fixture *fx, const char *each) {
  weir_value *values[8] = {NULL};
  weir_value *list = NULL;
  size_t count = strlen(each);
  weir_status status = WEIR_OK;
  for (size_t i = 0; status == WEIR_OK && i < count; i++) {
    status = weir_value_new_bytes(fx->runtime, each + i, 1, &values[i]);
  }
  if (status == WEIR_OK) status = weir_value_new_list(fx->runtime, values, NULL, count, &list);
  weir_values_unref(values, count);
  assert_int_equal(status, WEIR_OK);
  return list;
}

static void assert_letters(const weir_value *list, const char *each) {
  assert_int_equal(weir_value_count(list), strlen(each));
  for (size_t i = 0; each[i] != '\0'; i++) {
    const weir_value *item = weir_value_item(list, i);
    assert_int_equal(weir_value_size(item), 1);
    assert_int_equal(*(const char *)weir_value_data(item), each[i]);
  }
}

static weir_call *run_many(struct fixture *fx, struct many *many, weir_operation *operation,
                           const char *keys) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_call *call = NULL;
  options.queue = many->queue;
  options.user = 9;
  options.input = letters(fx, keys);
  weir_status status = weir_run(operation, &options, NULL, NULL, NULL, &call, NULL);
  weir_value_unref(options.input);
  assert_int_equal(status, WEIR_OK);
  run_until_idle(fx);
  return call;
}

static weir_record drain_one(struct many *many) {
  weir_record record = {0};
  assert_int_equal(weir_completions_drain(many->queue, &record, sizeof record, 1), 1);
  return record;
}

static void keys_are_loaded_and_given_out_by_queue(struct fixture *fx) {
  struct many many;
  open_many(fx, &many);
  weir_call_unref(run_many(fx, &many, many.operation, "abc"));
  weir_record start = drain_one(&many);
  weir_value *asked_for = (weir_value *)(uintptr_t)start.detail;
  assert_int_equal(start.kind, WEIR_RECORD_START);
  assert_letters(asked_for, "abc");
  weir_value_unref(asked_for);
  assert_int_equal(weir_complete(fx->runtime, start.object, letters(fx, "xyz")), WEIR_OK);
  run_until_idle(fx);
  weir_record end = drain_one(&many);
  assert_int_equal(end.kind, WEIR_RECORD_SETTLED);
  assert_int_equal(end.user, 9);
  assert_int_equal(end.channel, WEIR_CHANNEL_VALUE);
  assert_letters((weir_value *)(uintptr_t)end.object, "xyz");
  weir_value_unref((weir_value *)(uintptr_t)end.object);

  /* what is there needs no loader, in another order */
  weir_call_unref(run_many(fx, &many, many.operation, "cb"));
  end = drain_one(&many);
  assert_int_equal(end.kind, WEIR_RECORD_SETTLED);
  assert_letters((weir_value *)(uintptr_t)end.object, "zy");
  weir_value_unref((weir_value *)(uintptr_t)end.object);
  close_many(&many);
}

static void a_timeout_around_ends_the_wait_and_the_load(struct fixture *fx) {
  struct many many;
  weir_timeout *timeout = NULL;
  weir_operation *wrapped = NULL;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  open_many(fx, &many);
  options.timeout_ms = 10;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  assert_int_equal(weir_policy_wrap(weir_timeout_policy(timeout), many.operation, &wrapped, NULL),
                   WEIR_OK);
  weir_call_unref(run_many(fx, &many, wrapped, "ab"));
  weir_record start = drain_one(&many);
  weir_value_unref((weir_value *)(uintptr_t)start.detail);
  advance_ms(fx, 10);
  weir_record end = drain_one(&many);
  assert_int_equal(end.kind, WEIR_RECORD_SETTLED);
  assert_int_equal(end.status, WEIR_ETIMEDOUT);
  weir_error_unref((weir_error *)(uintptr_t)end.object);
  weir_record cancel = drain_one(&many);
  assert_int_equal(cancel.kind, WEIR_RECORD_CANCEL); /* nobody else waits for these keys */
  assert_int_equal(weir_complete(fx->runtime, start.object, NULL), WEIR_OK);
  weir_operation_unref(wrapped);
  weir_timeout_unref(timeout);
  close_many(&many);
}

static void a_cancelled_get_leaves_the_load_to_the_others(struct fixture *fx) {
  struct many many;
  open_many(fx, &many);
  weir_call *first = run_many(fx, &many, many.operation, "a");
  weir_record start = drain_one(&many);
  weir_value_unref((weir_value *)(uintptr_t)start.detail);
  weir_call_unref(run_many(fx, &many, many.operation, "a"));
  assert_int_equal(weir_call_cancel(first), WEIR_OK);
  weir_call_unref(first);
  run_until_idle(fx);
  weir_record end = drain_one(&many);
  assert_int_equal(end.status, WEIR_ECANCELLED);
  weir_error_unref((weir_error *)(uintptr_t)end.object);
  assert_int_equal(weir_complete(fx->runtime, start.object, letters(fx, "v")), WEIR_OK);
  run_until_idle(fx);
  end = drain_one(&many);
  assert_int_equal(end.kind, WEIR_RECORD_SETTLED);
  assert_letters((weir_value *)(uintptr_t)end.object, "v");
  weir_value_unref((weir_value *)(uintptr_t)end.object);
  close_many(&many);
}

/* Takes the reference of `input`. */
static void assert_refused(struct fixture *fx, struct many *many, weir_value *input) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.input = input;
  struct run *run = try_begin(fx, many->operation, &options, NULL);
  weir_value_unref(input);
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EINVAL);
  if (!under_oom()) assert_non_null(strstr(settled(run)->message, "must be a list of keys"));
}

static void an_input_that_is_no_list_of_keys_is_the_outcome(struct fixture *fx) {
  struct many many;
  weir_value *list = NULL;
  weir_error *error = NULL;
  weir_value *items[2];
  open_many(fx, &many);
  assert_refused(fx, &many, NULL);
  assert_refused(fx, &many, number_value(fx, 1));
  items[0] = number_value(fx, 1);
  items[1] = NULL;
  weir_status status = weir_value_new_list(fx->runtime, items, NULL, 2, &list);
  weir_value_unref(items[0]);
  assert_int_equal(status, WEIR_OK);
  assert_refused(fx, &many, list);
  assert_int_equal(weir_error_new(fx->runtime, WEIR_DOMAIN_USER, 1, NULL, &error), WEIR_OK);
  status = weir_value_new_list(fx->runtime, NULL, &error, 1, &list);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  assert_refused(fx, &many, list);
  assert_int_equal(stats_of(many.cache).loads, 0);
  close_many(&many);
}

static void a_key_that_is_too_long_is_the_outcome(struct fixture *fx) {
  struct many many;
  weir_value *key = NULL;
  weir_value *list = NULL;
  size_t size = (size_t)1 << 24;
  open_many(fx, &many);
  char *bytes = calloc(1, size);
  weir_status status = weir_value_new_bytes(fx->runtime, bytes, size, &key);
  free(bytes);
  assert_int_equal(status, WEIR_OK);
  status = weir_value_new_list(fx->runtime, &key, NULL, 1, &list);
  weir_value_unref(key);
  assert_int_equal(status, WEIR_OK);
  assert_refused(fx, &many, list);
  close_many(&many);
}

static void K10_the_longest_key_is_one_for_every_get(struct fixture *fx) {
  static char key[(1 << 24) - 1];
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  weir_operation *one = NULL;
  weir_operation *many = NULL;
  assert_int_equal(weir_cache_operation(cache, loader->operation, &one, NULL), WEIR_OK);
  assert_int_equal(weir_cache_operation_many(cache, loader->operation, &many, NULL), WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = key;
  options.key_size = sizeof key;
  struct run *run = begin(fx, one, &options);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);

  weir_value *name = NULL;
  weir_run_options list_options = WEIR_RUN_OPTIONS_INIT;
  assert_int_equal(weir_value_new_bytes(fx->runtime, key, sizeof key, &name), WEIR_OK);
  assert_int_equal(weir_value_new_list(fx->runtime, &name, NULL, 1, &list_options.input), WEIR_OK);
  weir_value_unref(name);
  run = begin(fx, many, &list_options);
  weir_value_unref(list_options.input);
  run_until_idle(fx);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(stats_of(cache).hits, 1);
  assert_int_equal(loader->started, 1);
  weir_operation_unref(one);
  weir_operation_unref(many);
  weir_cache_unref(cache);
}

static void arguments_are_checked(struct fixture *fx) {
  struct many many;
  weir_operation *operation = NULL;
  open_many(fx, &many);
  assert_int_equal(weir_cache_operation_many(NULL, many.loader, &operation, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_operation_many(many.cache, NULL, &operation, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_operation_many(many.cache, many.loader, NULL, NULL), WEIR_EINVAL);
  close_many(&many);
}

TEST_MAIN("cache many runs", TEST(keys_are_loaded_and_given_out_by_queue),
          TEST(a_timeout_around_ends_the_wait_and_the_load),
          TEST(a_cancelled_get_leaves_the_load_to_the_others),
          TEST(an_input_that_is_no_list_of_keys_is_the_outcome),
          LONG_TEST(a_key_that_is_too_long_is_the_outcome),
          LONG_TEST(K10_the_longest_key_is_one_for_every_get), TEST(arguments_are_checked))
