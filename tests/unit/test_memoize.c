/* SPDX-License-Identifier: MIT */
/* Memoize: an operation runs once for each input, and its value is kept. */

#include "cache.h"

static weir_memoize *new_memoize(struct fixture *fx, struct script *work,
                                 const weir_memoize_options *options) {
  weir_memoize *memoize = NULL;
  assert_int_equal(weir_memoize_new(fx->runtime, work->operation, options, &memoize, NULL),
                   WEIR_OK);
  return memoize;
}

static struct run *try_call(struct fixture *fx, weir_memoize *memoize, weir_value *input) {
  struct run *run = new_run(fx);
  return asked(
      run, weir_memoize_call(memoize, input, record_settle, run, free_recorded, &run->call, NULL));
}

static struct run *call(struct fixture *fx, weir_memoize *memoize, int64_t number) {
  weir_value *input = number_value(fx, number);
  struct run *run = try_call(fx, memoize, input);
  weir_value_unref(input);
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  return run;
}

static void equal_inputs_run_once(struct fixture *fx) {
  struct script *work = scripted(fx, "v10 v20");
  weir_memoize *memoize = new_memoize(fx, work, NULL);
  assert_int_equal(settled(call(fx, memoize, 1))->value, 10);
  assert_int_equal(settled(call(fx, memoize, 2))->value, 20);
  assert_int_equal(settled(call(fx, memoize, 1))->value, 10);
  assert_int_equal(work->started, 2);
  assert_int_equal(work->attempts[0].input, 1); /* its input, not a copy of the key */
  advance_ms(fx, INT64_C(1000) * 3600 * 24 * 365);
  assert_int_equal(settled(call(fx, memoize, 2))->value, 20); /* for ever */
  weir_memoize_unref(memoize);
}

static void equal_inputs_at_the_same_time_wait_for_one_run(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_memoize *memoize = new_memoize(fx, work, NULL);
  struct run *first = call(fx, memoize, 1);
  struct run *second = call(fx, memoize, 1);
  assert_int_equal(work->started, 1);
  finish(work, 0, "v10");
  run_until_idle(fx);
  assert_int_equal(settled(first)->value, 10);
  assert_int_equal(settled(second)->value, 10);
  weir_memoize_unref(memoize);
}

static void errors_are_never_kept(struct fixture *fx) {
  struct script *work = scripted(fx, "f500 v10");
  weir_memoize *memoize = new_memoize(fx, work, NULL);
  assert_int_equal(settled(call(fx, memoize, 1))->code, 500);
  assert_int_equal(settled(call(fx, memoize, 1))->value, 10);
  weir_memoize_unref(memoize);
}

static void no_input_is_the_empty_key_and_stays_no_input(struct fixture *fx) {
  struct script *work = scripted(fx, "v10");
  weir_memoize *memoize = new_memoize(fx, work, NULL);
  struct run *none = try_call(fx, memoize, NULL);
  assert_int_equal(none->status, WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(none)->value, 10);
  assert_int_equal(work->attempts[0].input, -1);
  weir_value *empty = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, NULL, 0, &empty), WEIR_OK);
  struct run *again = try_call(fx, memoize, empty);
  weir_value_unref(empty);
  assert_int_equal(again->status, WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(again)->value, 10);
  assert_int_equal(work->started, 1);
  weir_memoize_unref(memoize);
}

static void an_input_without_bytes_is_refused(struct fixture *fx) {
  struct script *work = scripted(fx, "v10");
  weir_memoize *memoize = new_memoize(fx, work, NULL);
  static unsigned freed; /* by the end of the fixture, which keeps the call */
  weir_value *pointer = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &pointer), WEIR_OK);
  struct run *run = try_call(fx, memoize, pointer);
  weir_value_unref(pointer);
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_EINVAL);
  assert_non_null(strstr(settled(run)->message, "the run's input"));
  assert_int_equal(work->started, 0);
  weir_memoize_unref(memoize);
}

/* ---- key functions --------------------------------------------------------------------------- */

struct keying {
  size_t size;   /* of the key it writes */
  size_t second; /* what it says when asked again; 0: the same */
  unsigned asked;
  unsigned freed;
};

/* The last digit of a number, or of a pointer's target, again and again. */
static size_t last_digit(void *data, const weir_value *input, void *buffer, size_t capacity) {
  struct keying *keying = data;
  size_t size = keying->asked++ > 0 && keying->second > 0 ? keying->second : keying->size;
  int64_t number = weir_value_kind(input) == WEIR_VALUE_POINTER
                       ? *(const int64_t *)weir_value_pointer(input)
                       : value_number(input);
  if (size <= capacity) {
    memset(buffer, (char)('0' + number % 10), size);
  } else {
    memset(buffer, '?', capacity);
  }
  return size;
}

static void free_keying(void *data) { ((struct keying *)data)->freed++; }

static weir_memoize *new_keyed(struct fixture *fx, struct script *work, struct keying *keying) {
  weir_memoize_options options = WEIR_MEMOIZE_OPTIONS_INIT;
  options.key = last_digit;
  options.key_data = keying;
  options.key_free_data = free_keying;
  return new_memoize(fx, work, &options);
}

static void a_key_function_says_which_inputs_are_equal(struct fixture *fx) {
  static struct keying keying;
  keying = (struct keying){.size = 1};
  struct script *work = scripted(fx, "v10 v20");
  weir_memoize *memoize = new_keyed(fx, work, &keying);
  assert_int_equal(settled(call(fx, memoize, 17))->value, 10);
  assert_int_equal(settled(call(fx, memoize, 27))->value, 10);
  assert_int_equal(settled(call(fx, memoize, 28))->value, 20);
  assert_int_equal(look(weir_memoize_cache(memoize), "7"), 10);
  assert_int_equal(look(weir_memoize_cache(memoize), "8"), 20);
  assert_int_equal(keying.asked, 3);
  weir_memoize_unref(memoize);
  assert_int_equal(keying.freed, 1);
}

static void a_key_function_takes_inputs_of_every_kind(struct fixture *fx) {
  static struct keying keying;
  keying = (struct keying){.size = 1};
  struct script *work = scripted(fx, "v10");
  int64_t number = 33;
  weir_value *pointer = NULL;
  weir_memoize *memoize = new_keyed(fx, work, &keying);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &number, NULL, &pointer), WEIR_OK);
  struct run *run = try_call(fx, memoize, pointer);
  weir_value_unref(pointer);
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 10);
  assert_int_equal(settled(call(fx, memoize, 3))->value, 10);
  weir_memoize_unref(memoize);
}

static void a_long_key_is_asked_for_again_with_enough_room(struct fixture *fx) {
  static struct keying keying;
  struct script *work = scripted(fx, "v10 v20 v30 v40");
  size_t sizes[] = {256, 257, 100000};
  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    keying = (struct keying){.size = sizes[i]};
    weir_memoize *memoize = new_keyed(fx, work, &keying);
    int64_t value = settled(call(fx, memoize, 7))->value;
    assert_int_equal(settled(call(fx, memoize, 17))->value, value);
    assert_int_equal(keying.asked, sizes[i] > 256 ? 4 : 2);
    assert_int_equal(work->started, i + 1);
    weir_memoize_unref(memoize);
  }
}

static void a_key_that_grows_while_it_is_asked_for_is_refused(struct fixture *fx) {
  static struct keying keying;
  keying = (struct keying){.size = 300, .second = 301};
  struct script *work = scripted(fx, "v10");
  weir_memoize *memoize = new_keyed(fx, work, &keying);
  struct run *run = call(fx, memoize, 7);
  assert_int_equal(settled(run)->status, WEIR_EINVAL);
  assert_non_null(strstr(settled(run)->message, "what key gives"));
  assert_int_equal(work->started, 0);
  weir_memoize_unref(memoize);
}

static void a_key_that_shrinks_while_it_is_asked_for_is_taken(struct fixture *fx) {
  static struct keying keying;
  keying = (struct keying){.size = 300, .second = 1};
  struct script *work = scripted(fx, "v10");
  weir_memoize *memoize = new_keyed(fx, work, &keying);
  assert_int_equal(settled(call(fx, memoize, 7))->value, 10);
  assert_int_equal(look(weir_memoize_cache(memoize), "7"), 10);
  weir_memoize_unref(memoize);
}

static void the_longest_key_is_taken(struct fixture *fx) {
  static struct keying keying;
  keying = (struct keying){.size = ((size_t)1 << 24) - 1};
  struct script *work = scripted(fx, "v10");
  weir_memoize *memoize = new_keyed(fx, work, &keying);
  assert_int_equal(settled(call(fx, memoize, 7))->value, 10);
  assert_int_equal(settled(call(fx, memoize, 17))->value, 10);
  assert_int_equal(work->started, 1);
  weir_memoize_unref(memoize);
}

static void a_key_too_long_is_refused(struct fixture *fx) {
  static struct keying keying;
  keying = (struct keying){.size = (size_t)1 << 24};
  struct script *work = scripted(fx, "v10");
  weir_memoize *memoize = new_keyed(fx, work, &keying);
  assert_int_equal(settled(call(fx, memoize, 7))->status, WEIR_EINVAL);
  assert_int_equal(keying.asked, 1);
  weir_memoize_unref(memoize);
}

/* ---- its cache ------------------------------------------------------------------------------- */

static void its_cache_can_be_told_to_forget(struct fixture *fx) {
  struct script *work = scripted(fx, "v10 v20 hang v40");
  weir_memoize *memoize = new_memoize(fx, work, NULL);
  weir_cache *cache = weir_memoize_cache(memoize);
  int64_t key = 1;
  assert_int_equal(settled(call(fx, memoize, 1))->value, 10);
  assert_int_equal(weir_cache_invalidate(cache, &key, sizeof key), WEIR_OK);
  assert_int_equal(settled(call(fx, memoize, 1))->value, 20);

  /* Forgotten while it runs: who waits gets the value, later runs begin anew. */
  assert_int_equal(weir_cache_clear(cache), WEIR_OK);
  struct run *running = call(fx, memoize, 1);
  assert_int_equal(weir_cache_invalidate(cache, &key, sizeof key), WEIR_ENOTFOUND);
  assert_int_equal(settled(call(fx, memoize, 1))->value, 40);
  finish(work, 2, "v30");
  run_until_idle(fx);
  assert_int_equal(settled(running)->value, 30);
  assert_int_equal(settled(call(fx, memoize, 1))->value, 40);
  assert_int_equal(stats_of(cache).entries, 1);
  weir_memoize_unref(memoize);
}

static void its_options_bound_the_cache(struct fixture *fx) {
  struct script *work = scripted(fx, "v10 v20 v30 hang");
  weir_memoize_options options = WEIR_MEMOIZE_OPTIONS_INIT;
  options.max_entries = 1;
  options.ttl_ms = 100;
  options.load_timeout_ms = 50;
  options.name = "squares";
  weir_memoize *memoize = new_memoize(fx, work, &options);
  assert_int_equal(settled(call(fx, memoize, 1))->value, 10);
  assert_int_equal(settled(call(fx, memoize, 2))->value, 20);
  assert_int_equal(stats_of(weir_memoize_cache(memoize)).entries, 1);
  advance_ms(fx, 100);
  assert_int_equal(settled(call(fx, memoize, 2))->value, 30);
  struct run *run = call(fx, memoize, 3);
  advance_ms(fx, 50);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  weir_memoize_unref(memoize);
}

static void it_is_an_operation(struct fixture *fx) {
  struct script *work = scripted(fx, "f503 v10");
  weir_memoize *memoize = new_memoize(fx, work, NULL);
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_retry_policy(retry);
  options.input = number_value(fx, 1);
  struct run *first = begin(fx, weir_memoize_operation(memoize), &options);
  struct run *second = begin(fx, weir_memoize_operation(memoize), &options);
  weir_value_unref(options.input);
  weir_memoize_unref(memoize);
  weir_retry_unref(retry);
  advance_ms(fx, 60000);
  assert_int_equal(settled(first)->value, 10);
  assert_int_equal(settled(second)->value, 10);
  assert_int_equal(work->started, 2);
}

static void the_audit_shows_runs_that_wait(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_memoize_options options = WEIR_MEMOIZE_OPTIONS_INIT;
  options.name = "squares";
  weir_memoize *memoize = new_memoize(fx, work, &options);
  call(fx, memoize, 1);
  weir_audit_entry entries[4];
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof entries[0], 4, &count), WEIR_OK);
  assert_int_equal(count, 2);
  assert_string_equal(entries[0].waits_for, "memoize 'squares': the run of its input");
  weir_memoize_unref(memoize);
}

static void memoize_options_and_arguments_are_checked(struct fixture *fx) {
  struct script *work = scripted(fx, "v1");
  weir_memoize_options options = WEIR_MEMOIZE_OPTIONS_INIT;
  weir_memoize *memoize = NULL;
  weir_error *error = NULL;
  static struct keying keying;
  keying = (struct keying){.size = 1};
  options.key = last_digit;
  options.key_data = &keying;
  options.key_free_data = free_keying;
  assert_int_equal(weir_memoize_new(NULL, work->operation, &options, &memoize, &error),
                   WEIR_EINVAL);
  assert_message(error, "memoize.runtime must not be NULL");
  assert_int_equal(weir_memoize_new(fx->runtime, NULL, &options, &memoize, &error), WEIR_EINVAL);
  assert_message(error, "memoize.operation must not be NULL");
  assert_int_equal(weir_memoize_new(fx->runtime, work->operation, &options, NULL, &error),
                   WEIR_EINVAL);
  assert_message(error, "memoize.out must not be NULL");
  options.max_entries = -2;
  assert_int_equal(weir_memoize_new(fx->runtime, work->operation, &options, &memoize, &error),
                   WEIR_EINVAL);
  assert_message(error, "memoize.max_entries must be at least 0");
  options.max_entries = 1;
  options.ttl_ms = -2;
  assert_int_equal(weir_memoize_new(fx->runtime, work->operation, &options, &memoize, &error),
                   WEIR_EINVAL);
  assert_message(error, "memoize.ttl_ms must be at least 0");
  assert_int_equal(keying.freed, 5);
  options.size = 0;
  assert_int_equal(weir_memoize_new(fx->runtime, work->operation, &options, &memoize, &error),
                   WEIR_EABI);
  assert_message(error, "memoize.options");
  assert_int_equal(keying.freed, 5);
  assert_null(memoize);

  weir_memoize_options_init(&options, sizeof options);
  assert_int_equal(options.size, sizeof options);
  assert_true(options.ttl_ms == WEIR_FOREVER);
  assert_true(options.max_entries == 1000);
  assert_null(weir_memoize_cache(NULL));
  assert_null(weir_memoize_operation(NULL));
  unsigned freed = 0;
  assert_int_equal(weir_memoize_call(NULL, NULL, NULL, &freed, count_free, NULL, NULL),
                   WEIR_EINVAL);
  assert_int_equal(freed, 1);
  memoize = new_memoize(fx, work, NULL);
  assert_ptr_equal(weir_memoize_ref(memoize), memoize);
  weir_memoize_unref(memoize);
  weir_memoize_unref(memoize);
  weir_memoize_unref(NULL);
}

static void memoize_of_another_runtimes_operation_is_refused(struct fixture *fx) {
  weir_runtime *other = NULL;
  weir_operation *foreign = NULL;
  weir_memoize *memoize = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_testing_runtime_new(2, &other), WEIR_OK);
  assert_int_equal(weir_sleep_new(other, 1, WEIR_OK, NULL, NULL, &foreign, NULL), WEIR_OK);
  assert_int_equal(weir_memoize_new(fx->runtime, foreign, NULL, &memoize, &error), WEIR_EINVAL);
  assert_message(error, "memoize.operation must be of the same runtime");
  weir_operation_unref(foreign);
  weir_runtime_unref(other);
}

TEST_MAIN("memoize", TEST(equal_inputs_run_once),
          TEST(equal_inputs_at_the_same_time_wait_for_one_run), TEST(errors_are_never_kept),
          TEST(no_input_is_the_empty_key_and_stays_no_input),
          TEST(an_input_without_bytes_is_refused), TEST(a_key_function_says_which_inputs_are_equal),
          TEST(a_key_function_takes_inputs_of_every_kind),
          TEST(a_long_key_is_asked_for_again_with_enough_room),
          TEST(a_key_that_grows_while_it_is_asked_for_is_refused),
          TEST(a_key_that_shrinks_while_it_is_asked_for_is_taken),
          LONG_TEST(the_longest_key_is_taken), TEST(a_key_too_long_is_refused),
          TEST(its_cache_can_be_told_to_forget), TEST(its_options_bound_the_cache),
          TEST(it_is_an_operation), TEST(the_audit_shows_runs_that_wait),
          TEST(memoize_options_and_arguments_are_checked),
          TEST(memoize_of_another_runtimes_operation_is_refused))
