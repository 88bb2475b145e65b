/* SPDX-License-Identifier: MIT */
/* The operations that run others, on a real loop and real clocks, with work on libuv's pool. Only
 * what holds however late the machine is, is asked for. */

#include <uv.h>

#include "../unit/parallel.h"

struct real {
  uv_loop_t loop;
  weir_runtime *runtime;
  weir_operation *doubled; /* on libuv's pool: its input, a number, twice */
};

static weir_status twice(void *data, const weir_attempt *attempt, weir_value **value,
                         weir_error **error) {
  (void)data;
  (void)error;
  int64_t number = 2 * value_number(attempt->input);
  uv_sleep(2);
  return weir_value_new_bytes(attempt->runtime, &number, sizeof number, value);
}

static void open_real(struct fixture *fx, struct real *real) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  assert_int_equal(uv_loop_init(&real->loop), 0);
  options.driver = WEIR_DRIVER_UV;
  options.loop = &real->loop;
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &real->runtime, NULL), WEIR_OK);
  assert_int_equal(
      weir_operation_new_blocking(real->runtime, twice, NULL, NULL, &real->doubled, NULL), WEIR_OK);
}

static void close_real(struct real *real) {
  weir_operation_unref(real->doubled);
  weir_runtime_unref(real->runtime);
  uv_run(&real->loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&real->loop), 0);
}

static weir_operation *sleeper(struct real *real, int64_t ms, weir_status status) {
  weir_operation *sleep = NULL;
  assert_int_equal(weir_sleep_new(real->runtime, ms, status, NULL, NULL, &sleep, NULL), WEIR_OK);
  return sleep;
}

/* Runs it until the loop has nothing left to do; the call, settled. Gives `operation` back. */
static weir_call *run_real(struct real *real, weir_operation *operation, int64_t input) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_call *call = NULL;
  assert_int_equal(weir_value_new_bytes(real->runtime, &input, sizeof input, &options.input),
                   WEIR_OK);
  assert_int_equal(weir_run(operation, &options, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  weir_value_unref(options.input);
  weir_operation_unref(operation);
  uv_run(&real->loop, UV_RUN_DEFAULT);
  assert_non_null(weir_call_outcome(call));
  return call;
}

static void F20_a_race_ends_with_its_sleep_and_leaves_no_timer(struct fixture *fx) {
  struct real real;
  open_real(fx, &real);
  weir_operation *racers[] = {sleeper(&real, 3600000, WEIR_OK), sleeper(&real, 20, WEIR_ETIMEDOUT)};
  static const uint8_t decisive[] = {0, 1};
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  options.decisive = decisive;
  weir_operation *race = NULL;
  assert_int_equal(weir_race_new(real.runtime, racers, 2, &options, &race, NULL), WEIR_OK);
  for (size_t i = 0; i < 2; i++) weir_operation_unref(racers[i]);
  weir_call *call = run_real(&real, race, 0);
  const weir_outcome *outcome = weir_call_outcome(call);
  assert_int_equal(outcome->status, WEIR_ETIMEDOUT);
  assert_true(outcome->elapsed_ns >= 20 * MS);
  weir_call_unref(call);
  close_real(&real);
}

static void all_and_any_on_a_loop(struct fixture *fx) {
  struct real real;
  open_real(fx, &real);
  weir_operation *both[] = {real.doubled, real.doubled};
  weir_operation *all = NULL;
  assert_int_equal(weir_all_new(real.runtime, both, 2, NULL, &all, NULL), WEIR_OK);
  weir_call *call = run_real(&real, all, 21);
  assert_int_equal(value_number(weir_value_item(weir_call_outcome(call)->value, 1)), 42);
  weir_call_unref(call);
  weir_operation *any = NULL;
  assert_int_equal(weir_any_new(real.runtime, both, 2, NULL, &any, NULL), WEIR_OK);
  call = run_real(&real, any, 4);
  assert_int_equal(value_number(weir_call_outcome(call)->value), 8);
  weir_call_unref(call);
  close_real(&real);
}

static void parallel_over_the_pool_of_threads(struct fixture *fx) {
  struct real real;
  struct noted noted = {.fx = fx, .limit = 40};
  open_real(fx, &real);
  weir_runtime *virtual = fx->runtime;
  fx->runtime = real.runtime; /* whose allocator the pulled items come from */
  weir_parallel_options options = at_once(3);
  pull_from(&options, &noted);
  listen_to_progress(&options, &noted);
  weir_call *call = run_real(&real, each(fx, real.doubled, NULL, &options), 0);
  fx->runtime = virtual;
  const weir_outcome *outcome = weir_call_outcome(call);
  assert_int_equal(outcome->status, WEIR_OK);
  assert_int_equal(weir_value_count(outcome->value), 40);
  for (size_t i = 0; i < 40; i++) {
    assert_int_equal(value_number(weir_value_item(outcome->value, i)), 2 * i);
  }
  assert_int_equal(noted.done, 40);
  weir_call_unref(call);
  close_real(&real);
}

static void a_waterfall_doubles_three_times(struct fixture *fx) {
  struct real real;
  open_real(fx, &real);
  weir_operation *steps[] = {real.doubled, real.doubled, real.doubled};
  weir_operation *waterfall = NULL;
  assert_int_equal(weir_waterfall_new(real.runtime, steps, 3, NULL, &waterfall, NULL), WEIR_OK);
  weir_call *call = run_real(&real, waterfall, 5);
  assert_int_equal(value_number(weir_call_outcome(call)->value), 40);
  weir_call_unref(call);
  close_real(&real);
}

static void seal_later(uv_timer_t *timer) {
  weir_pool *pool = timer->data;
  (void)!weir_pool_seal(pool);
  uv_close((uv_handle_t *)timer, NULL);
}

static void a_pool_keeps_the_loop_alive_until_it_is_sealed(struct fixture *fx) {
  struct real real;
  uv_timer_t timer;
  open_real(fx, &real);
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  weir_pool *pool = NULL;
  options.concurrency = 2;
  assert_int_equal(weir_pool_new(real.runtime, &options, &pool, NULL), WEIR_OK);
  for (int64_t i = 0; i < 5; i++) {
    weir_value *input = NULL;
    assert_int_equal(weir_value_new_bytes(real.runtime, &i, sizeof i, &input), WEIR_OK);
    assert_int_equal(weir_pool_add(pool, real.doubled, input, NULL), WEIR_OK);
    weir_value_unref(input);
  }
  uv_timer_init(&real.loop, &timer);
  timer.data = pool;
  uv_timer_start(&timer, seal_later, 30, 0);
  weir_call *call = run_real(&real, weir_operation_ref(weir_pool_operation(pool)), 0);
  const weir_outcome *outcome = weir_call_outcome(call);
  assert_int_equal(weir_value_count(outcome->value), 5);
  assert_int_equal(value_number(weir_value_item(outcome->value, 4)), 8);
  assert_true(outcome->elapsed_ns >= 10 * MS);
  weir_call_unref(call);
  weir_pool_unref(pool);
  close_real(&real);
}

TEST_MAIN("flow on a loop", TEST(F20_a_race_ends_with_its_sleep_and_leaves_no_timer),
          TEST(all_and_any_on_a_loop), TEST(parallel_over_the_pool_of_threads),
          TEST(a_waterfall_doubles_three_times),
          TEST(a_pool_keeps_the_loop_alive_until_it_is_sealed))
