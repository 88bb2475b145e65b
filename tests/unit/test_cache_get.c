/* SPDX-License-Identifier: MIT */
/* The cache's run door: gets that load, share a load, leave it, and get what is there. */

#include "cache_get.h"

static void a_get_loads_what_is_absent_and_then_hits(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7 v8");
  weir_cache *cache = new_cache(fx, NULL);
  assert_int_equal(got(fx, cache, "a", loader), 7);
  assert_int_equal(got(fx, cache, "a", loader), 7);
  assert_int_equal(look(cache, "a"), 7);
  assert_int_equal(loader->started, 1);
  weir_cache_stats stats = stats_of(cache);
  assert_int_equal(stats.loads, 1);
  assert_int_equal(stats.load_failures, 0);
  assert_int_equal(stats.loading, 0);
  assert_int_equal(stats.hits, 2);
  assert_int_equal(stats.misses, 1);
  assert_int_equal(stats.puts, 1);
  weir_cache_unref(cache);
}

static void a_get_hits_what_was_put(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  assert_int_equal(put_number(fx, cache, "a", 5), WEIR_OK);
  assert_int_equal(got(fx, cache, "a", loader), 5);
  assert_int_equal(loader->started, 0);
  weir_cache_unref(cache);
}

static void a_value_that_is_none_is_kept_too(struct fixture *fx) {
  struct script *loader = scripted(fx, "n v8");
  weir_cache *cache = new_cache(fx, NULL);
  for (int i = 0; i < 2; i++) {
    struct run *run = get(fx, cache, "a", loader);
    assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
    assert_int_equal(settled(run)->value_kind, WEIR_VALUE_NONE);
  }
  assert_int_equal(loader->started, 1);
  weir_cache_unref(cache);
}

static void K01_a_hundred_gets_of_one_key_load_once_and_the_value_is_freed_once(
    struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *runs[100];
  for (size_t i = 0; i < COUNT_OF(runs); i++) runs[i] = get(fx, cache, "a", loader);
  assert_int_equal(loader->started, 1);
  assert_int_equal(stats_of(cache).loading, 1);
  unsigned freed = 0;
  finish_counted(loader, 0, &freed);
  run_until_idle(fx);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    assert_int_equal(settled(runs[i])->status, WEIR_OK);
    assert_ptr_equal(settled(runs[i])->pointer, &freed);
    weir_call_unref(runs[i]->call);
    runs[i]->call = NULL;
  }
  assert_int_equal(freed, 0);
  assert_int_equal(invalidate(cache, "a"), WEIR_OK);
  assert_int_equal(freed, 1);
  assert_int_equal(stats_of(cache).loads, 1);
  weir_cache_unref(cache);
}

static void K02_a_failed_load_gives_all_its_error_and_the_next_get_loads_again(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang v8");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = get(fx, cache, "a", loader);
  struct run *second = get(fx, cache, "a", loader);
  finish(loader, 0, "f503");
  run_until_idle(fx);
  assert_int_equal(settled(first)->code, 503);
  assert_int_equal(settled(second)->code, 503);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(stats_of(cache).load_failures, 1);
  assert_int_equal(stats_of(cache).entries, 0);
  assert_int_equal(got(fx, cache, "a", loader), 8);
  weir_cache_unref(cache);
}

static void K03_an_invalidate_during_a_load_wins(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *before = get(fx, cache, "a", loader);
  assert_int_equal(invalidate(cache, "a"), WEIR_ENOTFOUND);
  struct run *after = get(fx, cache, "a", loader);
  assert_int_equal(loader->started, 2);
  finish(loader, 0, "v1");
  run_until_idle(fx);
  assert_int_equal(settled(before)->value, 1);
  assert_pending(after);
  assert_int_equal(look(cache, "a"), ABSENT);
  finish(loader, 1, "v2");
  run_until_idle(fx);
  assert_int_equal(settled(after)->value, 2);
  assert_int_equal(look(cache, "a"), 2);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_cache_unref(cache);
}

/* The newer load ends first: the older one does not overwrite it. */
static void K03_the_older_of_two_loads_ends_last_and_is_not_stored(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *before = get(fx, cache, "a", loader);
  invalidate(cache, "a");
  struct run *after = get(fx, cache, "a", loader);
  finish(loader, 1, "v2");
  run_until_idle(fx);
  finish(loader, 0, "v1");
  run_until_idle(fx);
  assert_int_equal(settled(before)->value, 1);
  assert_int_equal(settled(after)->value, 2);
  assert_int_equal(look(cache, "a"), 2);
  weir_cache_unref(cache);
}

static void K03_a_put_during_a_load_wins(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get(fx, cache, "a", loader);
  assert_int_equal(put_number(fx, cache, "a", 5), WEIR_OK);
  assert_int_equal(got(fx, cache, "a", loader), 5);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(look(cache, "a"), 5);
  weir_cache_unref(cache);
}

static void K03_a_put_if_absent_during_a_load_wins(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get(fx, cache, "a", loader);
  weir_value *five = number_value(fx, 5);
  assert_int_equal(weir_cache_put_if_absent(cache, "a", 1, five, NULL), WEIR_OK);
  weir_value_unref(five);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(look(cache, "a"), 5);
  weir_cache_unref(cache);
}

static void K04_a_loader_that_fails_inline_fails_all_who_ask(struct fixture *fx) {
  struct script *loader = scripted(fx, "f500 v8");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = try_get(fx, cache, "a", loader);
  struct run *second = try_get(fx, cache, "a", loader);
  assert_int_equal(first->status, WEIR_OK);
  assert_int_equal(second->status, WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->code, 500);
  assert_int_equal(settled(second)->code, 500);
  assert_int_equal(loader->started, 1);
  assert_int_equal(got(fx, cache, "a", loader), 8);
  weir_cache_unref(cache);
}

static void K04_a_loader_that_completes_inline_serves_all_who_ask(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7 v8");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = try_get(fx, cache, "a", loader);
  struct run *second = try_get(fx, cache, "a", loader);
  assert_int_equal(first->status, WEIR_OK);
  assert_int_equal(second->status, WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->value, 7);
  assert_int_equal(settled(second)->value, 7);
  weir_cache_unref(cache);
}

struct completing {
  weir_runtime *runtime;
  weir_token token;
};

static void *complete_elsewhere(void *data) {
  struct completing *completing = data;
  int64_t number = 7;
  weir_complete_bytes(completing->runtime, completing->token, &number, sizeof number);
  return NULL;
}

static void K04_a_loader_that_completes_on_another_thread_is_the_same(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = get(fx, cache, "a", loader);
  struct run *second = get(fx, cache, "a", loader);
  struct completing completing = {fx->runtime, loader->attempts[0].token};
  loader->attempts[0].completed = 1;
  loader->running--;
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, complete_elsewhere, &completing), 0);
  pthread_join(thread, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(first)->value, 7);
  assert_int_equal(settled(second)->value, 7);
  assert_int_equal(look(cache, "a"), 7);
  weir_cache_unref(cache);
}

static void K08_a_key_being_loaded_is_not_evicted_from_under_its_waiters(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_bounded(fx, 1);
  struct run *run = get(fx, cache, "a", loader);
  char key[8];
  for (int64_t i = 0; i < 100; i++) {
    snprintf(key, sizeof key, "k%d", (int)i);
    assert_int_equal(put_number(fx, cache, key, i), WEIR_OK);
  }
  struct run *joined = get(fx, cache, "a", loader);
  assert_int_equal(loader->started, 1);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(settled(joined)->value, 7);
  assert_int_equal(look(cache, "a"), 7);
  assert_int_equal(stats_of(cache).entries, 1);
  weir_cache_unref(cache);
}

static void K08_a_key_being_loaded_outlasts_every_lifetime(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.ttl_ms = 10;
  weir_cache *cache = new_cache(fx, &options);
  struct run *run = get(fx, cache, "a", loader);
  advance_ms(fx, 100000);
  struct run *joined = get(fx, cache, "a", loader);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(settled(joined)->value, 7);
  advance_ns(fx, 10 * MS - 1);
  assert_int_equal(look(cache, "a"), 7);
  advance_ns(fx, 1);
  assert_int_equal(look(cache, "a"), ABSENT);
  weir_cache_unref(cache);
}

static void the_first_leaves_and_the_load_goes_on(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = get(fx, cache, "a", loader);
  struct run *second = get(fx, cache, "a", loader);
  cancel_now(fx, first);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_int_equal(loader->cancelled, 0);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(second)->value, 7);
  assert_int_equal(look(cache, "a"), 7);
  weir_cache_unref(cache);
}

static void the_last_that_leaves_cancels_the_load_and_its_late_result_is_freed(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang v8");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *first = get(fx, cache, "a", loader);
  struct run *second = get(fx, cache, "a", loader);
  cancel(first);
  cancel(second);
  assert_int_equal(got(fx, cache, "a", loader), 8); /* a load of its own */
  assert_int_equal(loader->attempts[0].cancels, 1);
  unsigned freed = 0;
  finish_counted(loader, 0, &freed);
  run_until_idle(fx);
  assert_int_equal(freed, 1);
  assert_int_equal(look(cache, "a"), 8);
  assert_int_equal(stats_of(cache).loading, 0);
  assert_int_equal(stats_of(cache).load_failures, 0);
  weir_cache_unref(cache);
}

/* The result comes in the turn in which the last waiter leaves, before the load is told. */
static void a_result_for_nobody_is_not_stored(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get(fx, cache, "a", loader);
  cancel(run);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(look(cache, "a"), ABSENT);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_cache_unref(cache);
}

static void each_get_has_its_own_deadline_and_the_load_has_none(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  weir_operation *operation = NULL;
  assert_int_equal(weir_cache_operation(cache, loader->operation, &operation, NULL), WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = "a";
  options.key_size = 1;
  options.deadline_ms = 10;
  struct run *hurried = begin(fx, operation, &options);
  options.deadline_ms = 100;
  struct run *patient = begin(fx, operation, &options);
  advance_ms(fx, 10);
  assert_int_equal(settled(hurried)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(hurried)->channel, WEIR_CHANNEL_STOPPED);
  assert_true(loader->attempts[0].remaining_ns == INT64_MAX);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(patient)->value, 7);
  weir_operation_unref(operation);
  weir_cache_unref(cache);
}

static void a_load_that_hangs_ends_with_its_timeout(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang v8");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.load_timeout_ms = 100;
  options.name = "users";
  weir_cache *cache = new_cache(fx, &options);
  struct run *first = get(fx, cache, "a", loader);
  advance_ms(fx, 50);
  struct run *second = get(fx, cache, "a", loader);
  advance_ns(fx, 50 * MS - 1);
  assert_pending(first);
  advance_ns(fx, 1);
  assert_int_equal(settled(first)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(first)->status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(first)->message, "load of cache 'users' timed out after 100 ms");
  assert_int_equal(settled(second)->status, WEIR_ETIMEDOUT);
  assert_int_equal(loader->attempts[0].cancel_reason, WEIR_CANCEL_TIMEOUT);
  assert_int_equal(stats_of(cache).load_failures, 1);
  assert_true(stats_of(cache).load_time_ns == 100 * MS);
  assert_int_equal(got(fx, cache, "a", loader), 8);
  weir_cache_unref(cache);
}

static void what_cannot_be_stored_still_goes_to_who_waits(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7 v8");
  weir_cache *cache = new_bounded(fx, 0);
  assert_int_equal(got(fx, cache, "a", loader), 7);
  assert_int_equal(got(fx, cache, "a", loader), 8);
  assert_int_equal(stats_of(cache).entries, 0);
  assert_int_equal(stats_of(cache).loading, 0);
  weir_cache_unref(cache);
}

static int64_t weigh_by_number(void *data, const void *key, size_t key_size,
                               const weir_value *value) {
  (void)data, (void)key, (void)key_size;
  return value_number(value);
}

static void what_is_too_heavy_or_refused_still_goes_to_who_waits(struct fixture *fx) {
  struct script *loader = scripted(fx, "v11 v-5 v10");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.max_weight = 10;
  options.weigh = weigh_by_number;
  weir_cache *cache = new_cache(fx, &options);
  assert_int_equal(put_number(fx, cache, "b", 1), WEIR_OK);
  assert_int_equal(got(fx, cache, "a", loader), 11);
  assert_int_equal(got(fx, cache, "a", loader), -5);
  assert_int_equal(stats_of(cache).refused, 2);
  assert_int_equal(look(cache, "b"), 1);
  assert_int_equal(got(fx, cache, "a", loader), 10);
  assert_int_equal(look(cache, "a"), 10);
  assert_int_equal(stats_of(cache).weight, 10);
  weir_cache_unref(cache);
}

struct told {
  weir_value *input;
  size_t input_size;
  char input_bytes[8];
  size_t key_size;
  char key[8];
};

static void note_told(struct script *script, const weir_attempt *attempt) {
  struct told *told = script->user;
  told->input = attempt->input;
  told->input_size = weir_value_size(attempt->input);
  for (size_t i = 0; i < told->input_size && i < sizeof told->input_bytes; i++) {
    told->input_bytes[i] = ((const char *)weir_value_data(attempt->input))[i];
  }
  told->key_size = attempt->key_size;
  for (size_t i = 0; i < attempt->key_size && i < sizeof told->key; i++) {
    told->key[i] = ((const char *)attempt->key)[i];
  }
}

static void a_loader_gets_the_key_and_as_input_the_key_or_the_runs_own(struct fixture *fx) {
  struct told told = {0};
  struct script *loader = scripted(fx, "v7");
  loader->on_start = note_told;
  loader->user = &told;
  weir_cache *cache = new_cache(fx, NULL);
  got(fx, cache, "abc", loader);
  assert_int_equal(told.key_size, 3);
  assert_memory_equal(told.key, "abc", 3);
  assert_int_equal(told.input_size, 3);
  assert_memory_equal(told.input_bytes, "abc", 3);

  weir_operation *operation = NULL;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  assert_int_equal(weir_cache_operation(cache, loader->operation, &operation, NULL), WEIR_OK);
  options.key = "d\0e";
  options.key_size = 3;
  options.input = number_value(fx, 5);
  begin(fx, operation, &options);
  run_until_idle(fx);
  assert_memory_equal(told.key, "d\0e", 3);
  assert_ptr_equal(told.input, options.input);
  weir_value_unref(options.input);
  weir_operation_unref(operation);
  weir_cache_unref(cache);
}

static void the_empty_key_is_a_key_and_no_key_is_an_error(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  assert_int_equal(got(fx, cache, "", loader), 7);
  weir_operation *operation = NULL;
  assert_int_equal(weir_cache_operation(cache, loader->operation, &operation, NULL), WEIR_OK);
  struct run *run = begin(fx, operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EINVAL);
  assert_non_null(strstr(settled(run)->message, "the run must have a key"));
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = "";
  run = begin(fx, operation, &options);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(loader->started, 1);
  weir_operation_unref(operation);
  weir_cache_unref(cache);
}

static void K10_a_key_of_a_megabyte_is_loaded(struct fixture *fx) {
  enum { LENGTH = 1 << 20 };
  char *key = malloc(LENGTH + 1);
  if (key == NULL) abort();
  memset(key, 'k', LENGTH);
  key[LENGTH] = '\0';
  struct script *loader = scripted(fx, "v7 v8");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get(fx, cache, key, loader);
  struct run *again = get(fx, cache, key, loader);
  free(key);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(settled(again)->value, 7);
  weir_cache_unref(cache);
}

static void get_arguments_are_checked(struct fixture *fx) {
  struct script *loader = scripted(fx, "v7");
  weir_cache *cache = new_cache(fx, NULL);
  weir_error *error = NULL;
  unsigned freed = 0;
  assert_int_equal(
      weir_cache_get(NULL, "a", 1, loader->operation, NULL, &freed, count_free, NULL, &error),
      WEIR_EINVAL);
  assert_message(error, "cache must not be NULL");
  assert_int_equal(weir_cache_get(cache, "a", 1, NULL, NULL, &freed, count_free, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "loader must not be NULL");
  assert_int_equal(
      weir_cache_get(cache, NULL, 1, loader->operation, NULL, &freed, count_free, NULL, &error),
      WEIR_EINVAL);
  assert_message(error, "cache.key must not be NULL with a key_size (got 1)");
  assert_int_equal(weir_cache_get(cache, "a", (size_t)1 << 24, loader->operation, NULL, &freed,
                                  count_free, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "cache.key_size must be at most 16777215 (got 16777216)");
  assert_int_equal(freed, 4);
  weir_operation *operation = NULL;
  assert_int_equal(weir_cache_operation(NULL, loader->operation, &operation, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_operation(cache, NULL, &operation, NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_operation(cache, loader->operation, NULL, NULL), WEIR_EINVAL);
  weir_cache_unref(cache);
}

static void a_loader_of_another_runtime_is_refused(struct fixture *fx) {
  weir_runtime *other = NULL;
  weir_operation *foreign = NULL;
  weir_operation *operation = NULL;
  weir_error *error = NULL;
  weir_cache *cache = new_cache(fx, NULL);
  assert_int_equal(weir_testing_runtime_new(2, &other), WEIR_OK);
  assert_int_equal(weir_sleep_new(other, 1, WEIR_OK, NULL, NULL, &foreign, NULL), WEIR_OK);
  assert_int_equal(weir_cache_get(cache, "a", 1, foreign, NULL, NULL, NULL, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "cache.loader must be of the same runtime");
  assert_int_equal(weir_cache_operation(cache, foreign, &operation, &error), WEIR_EINVAL);
  assert_message(error, "cache.loader must be of the same runtime");
  weir_operation_unref(foreign);
  weir_runtime_unref(other);
  weir_cache_unref(cache);
}

static void cache_and_loader_may_be_given_back_while_gets_wait(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache *cache = new_cache(fx, NULL);
  struct run *run = get(fx, cache, "a", loader);
  weir_operation_unref(loader->operation);
  loader->operation = NULL;
  weir_cache_unref(cache);
  assert_int_equal(loader->freed, 0);
  finish(loader, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  assert_int_equal(loader->freed, 1);
}

static void the_audit_shows_what_a_get_waits_for(struct fixture *fx) {
  struct script *loader = scripted(fx, "hang");
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.name = "users";
  weir_cache *cache = new_cache(fx, &options);
  get(fx, cache, "a", loader);
  weir_audit_entry entries[4];
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof entries[0], 4, &count), WEIR_OK);
  assert_int_equal(count, 2);
  assert_string_equal(entries[0].waits_for, "cache 'users': the load of its key");
  assert_string_equal(entries[1].waits_for, "operation: completion");
  weir_cache_unref(cache);
}

TEST_MAIN("cache get", TEST(a_get_loads_what_is_absent_and_then_hits),
          TEST(a_get_hits_what_was_put), TEST(a_value_that_is_none_is_kept_too),
          TEST(K01_a_hundred_gets_of_one_key_load_once_and_the_value_is_freed_once),
          TEST(K02_a_failed_load_gives_all_its_error_and_the_next_get_loads_again),
          TEST(K03_an_invalidate_during_a_load_wins),
          TEST(K03_the_older_of_two_loads_ends_last_and_is_not_stored),
          TEST(K03_a_put_during_a_load_wins), TEST(K03_a_put_if_absent_during_a_load_wins),
          TEST(K04_a_loader_that_fails_inline_fails_all_who_ask),
          TEST(K04_a_loader_that_completes_inline_serves_all_who_ask),
          TEST(K04_a_loader_that_completes_on_another_thread_is_the_same),
          TEST(K08_a_key_being_loaded_is_not_evicted_from_under_its_waiters),
          TEST(K08_a_key_being_loaded_outlasts_every_lifetime),
          TEST(the_first_leaves_and_the_load_goes_on),
          TEST(the_last_that_leaves_cancels_the_load_and_its_late_result_is_freed),
          TEST(a_result_for_nobody_is_not_stored),
          TEST(each_get_has_its_own_deadline_and_the_load_has_none),
          TEST(a_load_that_hangs_ends_with_its_timeout),
          TEST(what_cannot_be_stored_still_goes_to_who_waits),
          TEST(what_is_too_heavy_or_refused_still_goes_to_who_waits),
          TEST(a_loader_gets_the_key_and_as_input_the_key_or_the_runs_own),
          TEST(the_empty_key_is_a_key_and_no_key_is_an_error),
          LONG_TEST(K10_a_key_of_a_megabyte_is_loaded), TEST(get_arguments_are_checked),
          TEST(a_loader_of_another_runtime_is_refused),
          TEST(cache_and_loader_may_be_given_back_while_gets_wait),
          TEST(the_audit_shows_what_a_get_waits_for))
