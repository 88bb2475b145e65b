/* SPDX-License-Identifier: MIT */
/* The cache on a real loop and real clocks: its timer sweeps and tells, and does not keep the
 * caller's loop alive. */

#include <uv.h>

#include "../unit/cache.h"

static weir_runtime *attach(struct fixture *fx, uv_loop_t *loop) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  weir_runtime *runtime = NULL;
  options.driver = WEIR_DRIVER_UV;
  options.loop = loop;
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
  return runtime;
}

static weir_cache *cache_of(weir_runtime *runtime, struct departures *told, int64_t ttl_ms) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  weir_cache *cache = NULL;
  options.ttl_ms = ttl_ms;
  options.on_evict = note_departure;
  options.evict_data = told;
  assert_int_equal(weir_cache_new(runtime, &options, &cache, NULL), WEIR_OK);
  return cache;
}

static void close_loop(uv_loop_t *loop, weir_cache *cache, weir_runtime *runtime) {
  weir_cache_unref(cache);
  weir_runtime_unref(runtime);
  uv_run(loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(loop), 0);
}

static void lifetimes_do_not_keep_a_loop_alive(struct fixture *fx) {
  uv_loop_t loop;
  struct departures told = {.fx = fx};
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attach(fx, &loop);
  weir_cache *cache = cache_of(runtime, &told, 3600000);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  uv_run(&loop, UV_RUN_DEFAULT); /* returns, within the hour */
  assert_int_equal(look(cache, "a"), 1);
  assert_int_equal(told.count, 0);
  close_loop(&loop, cache, runtime);
}

static void nothing(uv_timer_t *timer) { uv_close((uv_handle_t *)timer, NULL); }

static void a_running_loop_sweeps_and_tells(struct fixture *fx) {
  uv_loop_t loop;
  uv_timer_t timer;
  struct departures told = {.fx = fx};
  assert_int_equal(uv_loop_init(&loop), 0);
  weir_runtime *runtime = attach(fx, &loop);
  weir_cache *cache = cache_of(runtime, &told, 5);
  assert_int_equal(put_number(fx, cache, "a", 1), WEIR_OK);
  assert_int_equal(put_number_for(fx, cache, "b", 2, 200), WEIR_OK);
  uv_timer_init(&loop, &timer);
  uv_timer_start(&timer, nothing, 120, 0);
  int64_t began = weir_runtime_now(runtime);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_string_equal(told.text, "a:1 expired");
  int64_t b = look(cache, "b");
  assert_true(b == 2 || weir_runtime_now(runtime) - began >= 190 * MS); /* on a busy machine */
  close_loop(&loop, cache, runtime);
}

TEST_MAIN("cache on a loop", TEST(lifetimes_do_not_keep_a_loop_alive),
          TEST(a_running_loop_sweeps_and_tells))
