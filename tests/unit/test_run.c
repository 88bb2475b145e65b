/* SPDX-License-Identifier: MIT */
/* Running: when an operation starts and settles, what its attempt is told, and what run options do.
 * */

#include "support.h"

static void C01_operation_that_completes_inside_start_settles_after_run_returned(
    struct fixture *fx) {
  struct script *script = scripted(fx, "v7");
  struct run *run = begin(fx, script->operation, NULL);
  assert_int_equal(script->started, 0);
  assert_pending(run);

  run_until_idle(fx);
  assert_int_equal(script->started, 1);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(run->result.status, WEIR_OK);
  assert_int_equal(run->result.value, 7);
  assert_int_equal(run->result.attempts, 1);
  assert_int_equal(run->freed, 1);
}

/* Runs another and notes whether that one had settled when weir_run() returned. */
static void run_inside(struct run *run) {
  struct script *script = run->user;
  struct run *inner = try_begin(run->fixture, script->operation, NULL, NULL);
  expect(run->fixture, inner->settled == 0, "settled inside weir_run()");
  script->user = inner;
}

static void C01_run_from_a_settle_callback_settles_after_it_too(struct fixture *fx) {
  struct script *script = scripted(fx, "v1 v2");
  struct run *run = begin(fx, script->operation, NULL);
  run->user = script;
  run->on_settled = run_inside;
  run_until_idle(fx);

  assert_non_null(script->user);
  struct run *inner = script->user;
  assert_int_equal(inner->status, WEIR_OK);
  assert_int_equal(settled(inner)->value, 2);
  assert_true(inner->result.order > run->result.order);
}

/* A settle callback that notes how deep the stack is. */
struct depth {
  char *lowest;
  char *highest;
  uint64_t starts;
};

static void start_and_fail(void *data, weir_attempt *attempt) {
  struct depth *depth = data;
  char *address = __builtin_frame_address(0); /* a local's can be elsewhere under ASan */
  if (depth->lowest == NULL || address < depth->lowest) depth->lowest = address;
  if (depth->highest == NULL || address > depth->highest) depth->highest = address;
  depth->starts++;
  weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 1, NULL);
}

static void C02_ten_million_attempts_that_complete_inline_use_constant_stack_and_memory(
    struct fixture *fx) {
  enum { ATTEMPTS = 10000000 };
  struct depth depth = {NULL, NULL, 0};
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *retry = NULL;
  weir_operation *operation = NULL;
  options.max_attempts = ATTEMPTS;
  options.base_delay_ms = 0;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(fx->runtime, start_and_fail, &depth, NULL, &operation, NULL),
                   WEIR_OK);
  struct run *run = begin_under(fx, weir_retry_policy(retry), operation);
  uint64_t before = fx->memory.peak_bytes;
  weir_testing_run_until_idle(fx->runtime);

  assert_int_equal(settled(run)->attempts, ATTEMPTS);
  assert_int_equal(run->result.stop_reason, WEIR_STOP_ATTEMPTS);
  assert_int_equal(depth.starts, ATTEMPTS);
  assert_true(depth.highest - depth.lowest < 4096);
  assert_true(fx->memory.peak_bytes < before + 65536);
  weir_operation_unref(operation);
  weir_retry_unref(retry);
}

static void attempt_is_told_number_input_context_and_time(struct fixture *fx) {
  int context = 0;
  struct script *script = scripted(fx, "v1+5");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.input = number_value(fx, 99);
  options.context = &context;
  options.deadline_ms = 250;
  struct run *run = begin(fx, script->operation, &options);
  weir_value_unref(options.input);
  advance_ms(fx, 5);

  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(script->attempts[0].number, 1);
  assert_int_equal(script->attempts[0].input, 99);
  assert_ptr_equal(script->attempts[0].context, &context);
  assert_true(script->attempts[0].remaining_ns == 250 * MS);
  assert_int_not_equal(script->attempts[0].token, 0);
}

static void attempt_without_options_has_no_input_no_context_and_all_time(struct fixture *fx) {
  struct script *script = scripted(fx, "n");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_NONE);
  assert_int_equal(script->attempts[0].input, -1);
  assert_null(script->attempts[0].context);
  assert_true(script->attempts[0].remaining_ns == INT64_MAX);
}

struct seen_key {
  int has_key;
  size_t size;
  char bytes[16];
};

static void see_key(struct script *script, const weir_attempt *attempt) {
  struct seen_key *seen = script->user;
  seen->has_key = attempt->key != NULL;
  seen->size = attempt->key_size;
  for (size_t i = 0; i < seen->size && i < sizeof seen->bytes; i++) {
    seen->bytes[i] = ((const char *)attempt->key)[i];
  }
}

static void attempt_is_told_the_runs_key(struct fixture *fx) {
  char key[3] = {'a', 0, 'b'};
  struct seen_key seen = {0};
  struct script *script = scripted(fx, "n");
  script->on_start = see_key;
  script->user = &seen;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = key;
  options.key_size = sizeof key;
  begin(fx, script->operation, &options);
  memset(key, 'x', sizeof key);
  run_until_idle(fx);
  assert_int_equal(seen.has_key, 1);
  assert_int_equal(seen.size, 3);
  assert_memory_equal(seen.bytes, "a\0b", 3);

  options.key_size = 0; /* the empty key is a key */
  begin(fx, script->operation, &options);
  run_until_idle(fx);
  assert_int_equal(seen.has_key, 1);
  assert_int_equal(seen.size, 0);
  begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(seen.has_key, 0);
  assert_int_equal(seen.size, 0);
}

static void one_operation_serves_many_runs_at_once(struct fixture *fx) {
  enum { RUNS = 100 };
  struct script *script = scripted(fx, "v1+10");
  struct run *runs[RUNS];
  for (size_t i = 0; i < RUNS; i++) runs[i] = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(script->running, RUNS);
  advance_ms(fx, 10);
  for (size_t i = 0; i < RUNS; i++) {
    assert_int_equal(settled(runs[i])->value, 1);
    assert_int_equal(runs[i]->result.order, i + 1);
    for (size_t j = 0; j < i; j++) {
      assert_true(script->attempts[i].token != script->attempts[j].token);
    }
  }
}

/* Attempts and runs are used again: the second wave of a thousand takes no memory. */
static void waves_of_runs_use_the_same_memory(struct fixture *fx) {
  enum { RUNS = 1000, WAVES = 8 };
  struct script *script = scripted(fx, "n+1");
  uint64_t first = 0;
  for (size_t wave = 0; wave < WAVES; wave++) {
    uint64_t before = fx->memory.allocations;
    weir_operation *sleep = NULL;
    assert_int_equal(weir_sleep_new(fx->runtime, 5, WEIR_OK, NULL, NULL, &sleep, NULL), WEIR_OK);
    for (size_t i = 0; i < RUNS; i++) {
      weir_operation *operation = i < SCRIPT_ATTEMPTS / WAVES ? script->operation : sleep;
      assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
    }
    weir_operation_unref(sleep);
    advance_ms(fx, 5);
    if (wave == 0) first = fx->memory.allocations - before;
    if (wave > 1) assert_true(fx->memory.allocations - before < first / 10);
  }
}

struct held_tokens {
  weir_token tokens[1000];
  size_t count;
};

static void start_holding(void *data, weir_attempt *attempt) {
  struct held_tokens *held = data;
  held->tokens[held->count++] = attempt->token;
}

static void waves_of_attempts_use_the_same_slots(struct fixture *fx) {
  enum { WAVES = 6 };
  static struct held_tokens held;
  weir_operation *operation = NULL;
  uint64_t second = 0;
  assert_int_equal(weir_operation_new(fx->runtime, start_holding, &held, NULL, &operation, NULL),
                   WEIR_OK);
  for (size_t wave = 0; wave < WAVES; wave++) {
    held.count = 0;
    for (size_t i = 0; i < COUNT_OF(held.tokens); i++) {
      assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
    }
    run_until_idle(fx);
    for (size_t i = 0; i < held.count; i++) weir_complete(fx->runtime, held.tokens[i], NULL);
    run_until_idle(fx);
    if (wave == 1) second = fx->memory.peak_bytes;
  }
  assert_true(fx->memory.peak_bytes == second);
  weir_operation_unref(operation);
}

static void operation_may_be_given_back_while_it_runs(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+10");
  struct run *run = begin(fx, script->operation, NULL);
  weir_operation_unref(script->operation);
  script->operation = NULL;
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 1);
}

static void deadline_settles_as_stopped_and_tells_the_attempt(struct fixture *fx) {
  struct script *script = scripted(fx, "yield");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 50;
  struct run *run = begin(fx, script->operation, &options);
  int64_t began = now_ns(fx);
  advance_ns(fx, 50 * MS - 1);
  assert_pending(run);
  advance_ns(fx, 1);

  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(run->result.status, WEIR_ETIMEDOUT);
  assert_int_equal(run->result.cancel_reason, WEIR_CANCEL_DEADLINE);
  assert_true(run->result.at_ns == began + 50 * MS);
  assert_int_equal(script->cancelled, 1);
  assert_int_equal(script->attempts[0].cancel_reason, WEIR_CANCEL_DEADLINE);
}

static void deadline_of_zero_settles_without_starting(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 0;
  struct run *run = begin(fx, script->operation, &options);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(run->result.channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(run->result.attempts, 0);
  assert_int_equal(script->started, 0);
}

static void deadline_counts_from_the_run_call(struct fixture *fx) {
  struct script *script = scripted(fx, "yield");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 50;
  struct run *run = begin(fx, script->operation, &options);
  weir_runtime_process(fx->runtime, now_ns(fx) + 30 * MS); /* taken up 30 ms late */
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
}

static void deadline_in_the_far_future_does_not_overflow(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+1");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = INT64_MAX;
  struct run *run = begin(fx, script->operation, &options);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_true(script->attempts[0].remaining_ns > 365 * 86400 * SECOND);
}

static void deadline_timer_goes_with_the_run(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_runtime_stats stats = {.size = sizeof stats};
  options.deadline_ms = 1000;
  struct run *run = begin(fx, script->operation, &options);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  assert_int_equal(stats.timers, 0);
  assert_true(weir_runtime_next_deadline(fx->runtime) == INT64_MAX);
}

static void run_without_settle_call_or_error_is_legal(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  assert_int_equal(weir_run(script->operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(script->started, 1);
}

static void run_free_data_runs_once_after_settle(struct fixture *fx) {
  unsigned freed = 0;
  struct script *script = scripted(fx, "v1+5");
  assert_int_equal(weir_run(script->operation, NULL, NULL, &freed, count_free, NULL, NULL),
                   WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(freed, 0);
  advance_ms(fx, 5);
  assert_int_equal(freed, 1);
}

static void elapsed_is_measured_from_the_run_to_its_settlement(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+17");
  struct run *run = begin(fx, script->operation, NULL);
  advance_ms(fx, 100);
  assert_true(settled(run)->elapsed_ns == 17 * MS);
}

static void completion_marks_reach_the_outcome(struct fixture *fx) {
  struct run *final = begin(fx, scripted(fx, "F404")->operation, NULL);
  struct run *asked = begin(fx, scripted(fx, "f503@250")->operation, NULL);
  struct run *judged = begin(fx, scripted(fx, "c9/2")->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(final)->final, 1);
  assert_int_equal(final->result.code, 404);
  assert_int_equal(settled(asked)->retry_after_ms, 250);
  assert_int_equal(asked->result.final, 0);
  assert_int_equal(settled(judged)->class_, WEIR_CLASS_FAILURE);
  assert_int_equal(judged->result.value, 9);
  assert_int_equal(judged->result.channel, WEIR_CHANNEL_VALUE);
}

static void failure_carries_the_users_error(struct fixture *fx) {
  struct run *run = begin(fx, scripted(fx, "f503")->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(run->result.status, WEIR_EFAILED);
  assert_int_equal(run->result.error_status, WEIR_EFAILED);
  assert_int_equal(run->result.domain, WEIR_DOMAIN_HTTP);
  assert_int_equal(run->result.code, 503);
  assert_string_equal(run->result.message, "scripted");
}

TEST_MAIN("run", TEST(C01_operation_that_completes_inside_start_settles_after_run_returned),
          TEST(C01_run_from_a_settle_callback_settles_after_it_too),
          LONG_TEST(C02_ten_million_attempts_that_complete_inline_use_constant_stack_and_memory),
          TEST(attempt_is_told_number_input_context_and_time),
          TEST(attempt_without_options_has_no_input_no_context_and_all_time),
          TEST(attempt_is_told_the_runs_key), TEST(one_operation_serves_many_runs_at_once),
          LONG_TEST(waves_of_runs_use_the_same_memory),
          LONG_TEST(waves_of_attempts_use_the_same_slots),
          TEST(operation_may_be_given_back_while_it_runs),
          TEST(deadline_settles_as_stopped_and_tells_the_attempt),
          TEST(deadline_of_zero_settles_without_starting), TEST(deadline_counts_from_the_run_call),
          TEST(deadline_in_the_far_future_does_not_overflow),
          TEST(deadline_timer_goes_with_the_run), TEST(run_without_settle_call_or_error_is_legal),
          TEST(run_free_data_runs_once_after_settle),
          TEST(elapsed_is_measured_from_the_run_to_its_settlement),
          TEST(completion_marks_reach_the_outcome), TEST(failure_carries_the_users_error))
