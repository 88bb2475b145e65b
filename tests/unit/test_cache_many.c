/* SPDX-License-Identifier: MIT */
/* Gets of many keys: one load for what is missing, a list for what comes. */

#include "cache_get.h"

/* A loader that takes a list. Its attempts complete at once by `answer`, or stay out. */
struct lister {
  struct fixture *fx;
  weir_operation *operation;
  unsigned started;
  unsigned cancelled;
  char asked[128];    /* the keys of each start: "a b; c; " */
  weir_token token;   /* of the last */
  size_t key_size;    /* of the attempt itself */
  const char *answer; /* a word for each key, as below; NULL: stays out */
};

/* As `words` say for the keys in their order: a number, "e" for an error, "-" for nothing. */
static void answer(struct lister *lister, weir_token token, const char *words) {
  weir_value *values[16] = {NULL};
  weir_error *errors[16] = {NULL};
  weir_value *list = NULL;
  weir_runtime *runtime = lister->fx->runtime;
  size_t count = 0;
  char text[64];
  char *rest = NULL;
  snprintf(text, sizeof text, "%s", words);
  for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    int64_t number = strtoll(word, NULL, 10);
    if (word[0] == 'e') weir_error_new(runtime, WEIR_DOMAIN_USER, 66, "no such", &errors[count]);
    if (word[0] >= '0' && word[0] <= '9') {
      weir_value_new_bytes(runtime, &number, sizeof number, &values[count]);
    }
    count++;
  }
  weir_status status = weir_value_new_list(runtime, values, errors, count, &list);
  weir_values_unref(values, count);
  for (size_t i = 0; i < count; i++) weir_error_unref(errors[i]);
  if (status == WEIR_OK) {
    weir_complete(runtime, token, list);
  } else {
    weir_fail(runtime, token, WEIR_DOMAIN_USER, 1, NULL);
  }
}

static void note_cancel(void *data, uint32_t reason) {
  (void)reason;
  ((struct lister *)data)->cancelled++;
}

static void start_list(void *data, weir_attempt *attempt) {
  struct lister *lister = data;
  size_t used = strlen(lister->asked);
  lister->started++;
  lister->token = attempt->token;
  lister->key_size = attempt->key_size;
  for (size_t i = 0; i < weir_value_count(attempt->input); i++) {
    const weir_value *key = weir_value_item(attempt->input, i);
    used += (size_t)snprintf(lister->asked + used, sizeof lister->asked - used, "%s%.*s",
                             i == 0 ? "" : " ", (int)weir_value_size(key),
                             (const char *)weir_value_data(key));
  }
  snprintf(lister->asked + used, sizeof lister->asked - used, "; ");
  attempt->on_cancel = note_cancel;
  attempt->data = lister;
  if (lister->answer != NULL) answer(lister, attempt->token, lister->answer);
}

static void make_lister(struct fixture *fx, struct lister *lister, const char *words) {
  *lister = (struct lister){.fx = fx, .answer = words};
  assert_int_equal(
      weir_operation_new(fx->runtime, start_list, lister, NULL, &lister->operation, NULL), WEIR_OK);
}

enum { ITEM_NONE = -1001, ITEM_ERROR = -1002 };

/* What a get of many came to. */
struct got_many {
  size_t count;
  int64_t items[16]; /* the number, ITEM_NONE, or ITEM_ERROR minus the error's code */
};

static void copy_list(struct run *run) {
  struct got_many *got = run->user;
  const weir_value *list = weir_call_outcome(run->call)->value;
  got->count = weir_value_count(list);
  for (size_t i = 0; i < got->count && i < COUNT_OF(got->items); i++) {
    weir_value *value = weir_value_item(list, i);
    weir_error *error = weir_value_item_error(list, i);
    got->items[i] = value == NULL ? ITEM_NONE : value_number(value);
    if (error != NULL) got->items[i] = ITEM_ERROR - weir_error_code(error);
  }
}

static struct run *get_many(struct fixture *fx, weir_cache *cache, struct lister *lister,
                            const char *words, struct got_many *got) {
  const void *keys[16];
  size_t sizes[16];
  size_t count = 0;
  char text[64];
  char *rest = NULL;
  snprintf(text, sizeof text, "%s", words);
  for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    keys[count] = word;
    sizes[count++] = strlen(word);
  }
  struct run *run = new_run(fx);
  run->user = got;
  run->on_settled = copy_list;
  asked(run, weir_cache_get_many(cache, keys, sizes, count, lister->operation, record_settle, run,
                                 free_recorded, &run->call, NULL));
  assert_int_equal(run->status, WEIR_OK);
  memset(text, 'x', sizeof text);
  run_until_idle(fx);
  return run;
}

static void assert_items(const struct run *run, size_t count, const int64_t *items) {
  const struct got_many *got = run->user;
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_LIST);
  assert_int_equal(got->count, count);
  for (size_t i = 0; i < count; i++) assert_int_equal(got->items[i], items[i]);
}

#define ASSERT_ITEMS(run, ...) \
  assert_items(run, COUNT_OF(((int64_t[]){__VA_ARGS__})), (const int64_t[]){__VA_ARGS__})

static void many_missing_keys_are_loaded_in_one_run(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "1 2 3");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get_many(fx, cache, &lister, "a b c", &list);
  ASSERT_ITEMS(run, 1, 2, 3);
  assert_string_equal(lister.asked, "a b c; ");
  assert_int_equal(lister.key_size, 0);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(look(cache, "c"), 3);
  run = get_many(fx, cache, &lister, "c a", &list);
  ASSERT_ITEMS(run, 3, 1);
  assert_int_equal(lister.started, 1);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.loads, 3);
  assert_int_equal(stats.loading, 0);
  assert_int_equal(stats.puts, 3);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void many_keys_of_which_some_are_there(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "1 3");
  weir_cache *cache = new_cache(fx, NULL);
  assert_int_equal(put_number(fx, cache, "b", 22), WEIR_OK);
  struct run *run = get_many(fx, cache, &lister, "a b c", &list);
  ASSERT_ITEMS(run, 1, 22, 3);
  assert_string_equal(lister.asked, "a c; ");
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void no_keys_settle_with_an_empty_list(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {.count = 7};
  make_lister(fx, &lister, "");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get_many(fx, cache, &lister, "", &list);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_LIST);
  assert_int_equal(list.count, 0);
  assert_int_equal(lister.started, 0);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void a_key_that_occurs_twice_is_loaded_once(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "1 2");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get_many(fx, cache, &lister, "a b a a", &list);
  ASSERT_ITEMS(run, 1, 2, 1, 1);
  assert_string_equal(lister.asked, "a b; ");
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void keys_being_loaded_are_waited_for_and_not_loaded_twice(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "1 3");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *single = get(fx, cache, "b", loader);
  struct run *run = get_many(fx, cache, &lister, "a b c", &list);
  assert_string_equal(lister.asked, "a c; ");
  assert_pending(run);
  finish(loader, 0, "v22");
  run_until_idle(fx);
  assert_int_equal(settled(single)->value, 22);
  ASSERT_ITEMS(run, 1, 22, 3);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void single_gets_wait_for_a_load_of_many(struct fixture *fx) {
  struct script *loader = scripted(fx, "v9");
  struct lister lister;
  struct got_many lists[2] = {{0}, {0}};
  make_lister(fx, &lister, NULL);
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get_many(fx, cache, &lister, "a b", &lists[0]);
  struct run *single = get(fx, cache, "b", loader);
  struct run *second = get_many(fx, cache, &lister, "b a", &lists[1]);
  assert_int_equal(lister.started, 1);
  assert_int_equal(loader->started, 0);
  answer(&lister, lister.token, "1 2");
  run_until_idle(fx);
  ASSERT_ITEMS(run, 1, 2);
  ASSERT_ITEMS(second, 2, 1);
  assert_int_equal(settled(single)->value, 2);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void failed_keys_do_not_fail_the_others(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "1 e -");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get_many(fx, cache, &lister, "a b c", &list);
  ASSERT_ITEMS(run, 1, ITEM_ERROR - 66, ITEM_ERROR - WEIR_ENOTFOUND);
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(look(cache, "b"), ABSENT);
  assert_int_equal(stats_of(cache).load_failures, 2);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void a_loader_that_fails_as_a_whole_fails_each_of_its_keys(struct fixture *fx) {
  struct script *loader = scripted(fx, "f503");
  struct lister lister = {.fx = fx};
  struct got_many list = {0};
  weir_cache *cache = new_cache(fx, NULL);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  lister.operation = loader->operation;
  struct run *run = get_many(fx, cache, &lister, "a b c", &list);
  ASSERT_ITEMS(run, ITEM_ERROR - 503, 2, ITEM_ERROR - 503);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_cache_unref(cache);
}

static void a_loader_that_gives_no_list_or_another_length_fails_its_keys(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1 n");
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "1 2 3");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get_many(fx, cache, &lister, "a b", &list);
  ASSERT_ITEMS(run, ITEM_ERROR - WEIR_EINVAL, ITEM_ERROR - WEIR_EINVAL);
  weir_error *error = weir_value_item_error(weir_call_outcome(run->call)->value, 0);
  assert_string_equal(weir_error_message(error),
                      "cache.loader must give a list of 2 items (got 3)");
  weir_operation_unref(lister.operation);
  lister.operation = loader->operation;
  run = get_many(fx, cache, &lister, "a", &list);
  ASSERT_ITEMS(run, ITEM_ERROR - WEIR_EINVAL);
  run = get_many(fx, cache, &lister, "a", &list);
  ASSERT_ITEMS(run, ITEM_ERROR - WEIR_EINVAL);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_cache_unref(cache);
}

static void an_invalidate_during_a_load_of_many_wins_for_its_key(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, NULL);
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get_many(fx, cache, &lister, "a b", &list);
  invalidate(cache, "a");
  answer(&lister, lister.token, "1 2");
  run_until_idle(fx);
  ASSERT_ITEMS(run, 1, 2);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(look(cache, "b"), 2);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void who_leaves_many_leaves_all_and_the_last_cancels(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, NULL);
  weir_cache *cache = new_cache(fx, NULL);
  struct run *many = get_many(fx, cache, &lister, "a b c", &list);
  struct run *single = get(fx, cache, "b", loader);
  cancel_now(fx, many);
  assert_int_equal(settled(many)->status, WEIR_ECANCELLED);
  assert_int_equal(lister.cancelled, 0); /* one of its keys is waited for */
  cancel_now(fx, single);
  assert_int_equal(lister.cancelled, 1);
  assert_int_equal(stats_of(cache).loading, 0);
  answer(&lister, lister.token, "1 2 3");
  run_until_idle(fx);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void who_leaves_many_before_it_is_woken_is_stopped(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, NULL);
  weir_cache *cache = new_cache(fx, NULL);
  struct run *many = get_many(fx, cache, &lister, "a b", &list);
  answer(&lister, lister.token, "1 2");
  cancel_now(fx, many);
  assert_int_equal(many->settled, 1); /* as the one or the other: whichever came first */
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void old_values_of_many_are_refreshed_in_one_run(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "7 8");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.refresh_ms = 100;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "c", 3), WEIR_OK);
  advance_ms(fx, 100);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  struct run *run = get_many(fx, cache, &lister, "a b c a", &list);
  ASSERT_ITEMS(run, 1, 2, 3, 1);
  assert_string_equal(lister.asked, "a c; ");
  assert_int_equal(look(cache, "a"), 7);
  assert_int_equal(look(cache, "c"), 8);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void expired_values_of_many_serve_where_loading_failed(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "e e");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 100;
  options.stale_if_error_ms = 1000;
  options.negative_ttl_ms = 1000;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  advance_ms(fx, 100);
  struct run *run = get_many(fx, cache, &lister, "a b", &list);
  ASSERT_ITEMS(run, 1, ITEM_ERROR - 66);
  assert_int_equal(stats_of(cache).stale_hits, 1);
  lister.answer = "5";
  run = get_many(fx, cache, &lister, "a b", &list);
  ASSERT_ITEMS(run, 5, ITEM_ERROR - 66); /* that of b is remembered */
  assert_string_equal(lister.asked, "a b; a; ");
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void a_load_of_many_that_cannot_begin_gives_each_key_the_status(struct fixture *fx) {
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.max_in_flight = 1;
  remake_runtime(fx, &runtime_options);
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "1 2");
  weir_cache *cache = new_cache(fx, NULL);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  struct run *run = get_many(fx, cache, &lister, "a b a", &list);
  ASSERT_ITEMS(run, ITEM_ERROR - WEIR_EFULL, 2, ITEM_ERROR - WEIR_EFULL);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static int64_t end_by_reading(void *data, const weir_expiry *expiry) {
  (void)data;
  return expiry->moment == WEIR_EXPIRE_READ ? 0 : 1000;
}

/* The key is there the first time, old, and gone the second. */
static void a_key_that_ends_before_its_refresh_can_begin_has_the_status(struct fixture *fx) {
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.max_in_flight = 1;
  remake_runtime(fx, &runtime_options);
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "7");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.refresh_ms = 10;
  options.expire = end_by_reading;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  advance_ms(fx, 10);
  struct run *run = get_many(fx, cache, &lister, "a a", &list);
  ASSERT_ITEMS(run, 1, ITEM_ERROR - WEIR_EFULL);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void a_load_of_many_that_cannot_begin_is_served_expired_values(struct fixture *fx) {
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.max_in_flight = 1;
  remake_runtime(fx, &runtime_options);
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "1 2");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 100;
  options.stale_if_error_ms = 1000;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
  advance_ms(fx, 100);
  struct run *run = get_many(fx, cache, &lister, "a none b", &list);
  ASSERT_ITEMS(run, 1, ITEM_ERROR - WEIR_EFULL, 2);
  assert_int_equal(stats_of(cache).stale_hits, 2);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void the_timeout_of_loads_ends_a_load_of_many(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, NULL);
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.load_timeout_ms = 50;
  weir_cache *cache = new_cache(fx, &options);
  struct run *run = get_many(fx, cache, &lister, "a b", &list);
  advance_ms(fx, 50);
  ASSERT_ITEMS(run, ITEM_ERROR - WEIR_ETIMEDOUT, ITEM_ERROR - WEIR_ETIMEDOUT);
  assert_int_equal(lister.cancelled, 1);
  weir_complete(fx->runtime, lister.token, NULL);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

/* Each item is a value or an error, or else there is no list. */
static void without_memory_gets_of_many_leave_no_item_out(struct fixture *fx) {
  static const void *const keys[] = {"a", "b", "c"};
  static const size_t sizes[] = {1, 1, 1};
  struct lister lister;
  make_lister(fx, &lister, "1 3");
  int failures = 0;
  for (uint64_t nth = 1; nth <= 12; nth++) {
    struct got_many list = {0};
    weir_cache *cache = new_cache(fx, NULL);
    assert_int_equal(put_number(fx, cache, "b", 2), WEIR_OK);
    struct run *run = new_run(fx);
    run->user = &list;
    run->on_settled = copy_list;
    asked(run, weir_cache_get_many(cache, keys, sizes, 3, lister.operation, record_settle, run,
                                   free_recorded, &run->call, NULL));
    assert_int_equal(run->status, WEIR_OK);
    memory_fail(&fx->memory, nth, 0);
    run_until_idle(fx);
    memory_fail(&fx->memory, 0, 0);
    if (settled(run)->channel == WEIR_CHANNEL_ERROR) {
      assert_int_equal(settled(run)->status, WEIR_ENOMEM);
      failures++;
    } else {
      assert_int_equal(list.count, 3);
      assert_int_equal(list.items[1], 2);
      assert_int_not_equal(list.items[0], ITEM_NONE);
      assert_int_not_equal(list.items[2], ITEM_NONE);
    }
    weir_cache_unref(cache);
  }
  assert_true(failures > 0);
  weir_operation_unref(lister.operation);
}

static void K14_closing_settles_gets_of_many_once(struct fixture *fx) {
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, NULL);
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get_many(fx, cache, &lister, "a b", &list);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  weir_complete(fx->runtime, lister.token, NULL);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

/* Its only load belongs to an older get, and is stopped before it. */
static void K14_closing_stops_gets_of_many_whose_loads_were_stopped(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  struct lister lister;
  struct got_many list = {0};
  make_lister(fx, &lister, "");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *single = get(fx, cache, "a", loader);
  struct run *many = get_many(fx, cache, &lister, "a", &list);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(single)->status, WEIR_ECLOSED);
  assert_int_equal(settled(many)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(settled(many)->status, WEIR_ECLOSED);
  weir_operation_unref(lister.operation);
  weir_cache_unref(cache);
}

static void many_arguments_are_checked(struct fixture *fx) {
  struct script *loader = scripted(fx, "v1");
  weir_cache *cache = new_cache(fx, NULL);
  const void *keys[2] = {"a", NULL};
  size_t sizes[2] = {1, 1};
  weir_error *error = NULL;
  unsigned freed = 0;
  assert_int_equal(weir_cache_get_many(NULL, keys, sizes, 2, loader->operation, NULL, &freed,
                                       count_free, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "cache must not be NULL");
  assert_int_equal(
      weir_cache_get_many(cache, keys, sizes, 2, NULL, NULL, &freed, count_free, NULL, &error),
      WEIR_EINVAL);
  assert_message(error, "loader must not be NULL");
  assert_int_equal(weir_cache_get_many(cache, NULL, sizes, 2, loader->operation, NULL, &freed,
                                       count_free, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "keys and key_sizes must not be NULL");
  assert_int_equal(weir_cache_get_many(cache, keys, sizes, 2, loader->operation, NULL, &freed,
                                       count_free, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "key must not be NULL with a key_size (got 1)");
  sizes[1] = 0;
  sizes[0] = (size_t)1 << 24;
  assert_int_equal(weir_cache_get_many(cache, keys, sizes, 2, loader->operation, NULL, &freed,
                                       count_free, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "key_size must be at most 16777215 (got 16777216)");
  assert_int_equal(freed, 5);
  weir_cache_unref(cache);
}

TEST_MAIN("cache many", TEST(many_missing_keys_are_loaded_in_one_run),
          TEST(many_keys_of_which_some_are_there), TEST(no_keys_settle_with_an_empty_list),
          TEST(a_key_that_occurs_twice_is_loaded_once),
          TEST(keys_being_loaded_are_waited_for_and_not_loaded_twice),
          TEST(single_gets_wait_for_a_load_of_many), TEST(failed_keys_do_not_fail_the_others),
          TEST(a_loader_that_fails_as_a_whole_fails_each_of_its_keys),
          TEST(a_loader_that_gives_no_list_or_another_length_fails_its_keys),
          TEST(an_invalidate_during_a_load_of_many_wins_for_its_key),
          TEST(who_leaves_many_leaves_all_and_the_last_cancels),
          TEST(who_leaves_many_before_it_is_woken_is_stopped),
          TEST(old_values_of_many_are_refreshed_in_one_run),
          TEST(expired_values_of_many_serve_where_loading_failed),
          TEST(a_load_of_many_that_cannot_begin_gives_each_key_the_status),
          TEST(a_key_that_ends_before_its_refresh_can_begin_has_the_status),
          TEST(a_load_of_many_that_cannot_begin_is_served_expired_values),
          TEST(the_timeout_of_loads_ends_a_load_of_many),
          TEST(without_memory_gets_of_many_leave_no_item_out),
          TEST(K14_closing_settles_gets_of_many_once),
          TEST(K14_closing_stops_gets_of_many_whose_loads_were_stopped),
          TEST(many_arguments_are_checked))
