/* SPDX-License-Identifier: MIT */
/* What is told of decisions: the kinds of events, and the flight recorder that keeps them. */

#include "limiter_help.h"

struct heard {
  weir_event events[64];
  weir_rejection rejections[64];
  char names[64][48];
  size_t count;
};

static void hear(void *data, const weir_event *event) {
  struct heard *heard = data;
  if (heard->count == COUNT_OF(heard->events)) return;
  size_t i = heard->count++;
  heard->events[i] = *event;
  snprintf(heard->names[i], sizeof heard->names[i], "%s", event->name);
  if (event->rejection != NULL) heard->rejections[i] = *event->rejection;
}

/* A listener and a recorder of `entries`. */
static struct heard *listen(struct fixture *fx, uint32_t entries) {
  static struct heard heard; /* told until the fixture ends */
  memset(&heard, 0, sizeof heard);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.on_event = hear;
  options.event_data = &heard;
  options.recorder_entries = entries;
  remake_runtime(fx, &options);
  return &heard;
}

static const char *dump(struct fixture *fx) {
  static char text[1 << 14];
  size_t needed = 0;
  assert_int_equal(weir_recorder_dump(fx->runtime, text, sizeof text, &needed), WEIR_OK);
  assert_int_equal(needed, strlen(text) + 1);
  return text;
}

static void assert_told(const struct heard *heard, size_t index, uint32_t kind, const char *name) {
  assert_true(index < heard->count);
  assert_int_equal(heard->events[index].size, sizeof(weir_event));
  assert_int_equal(heard->events[index].kind, kind);
  assert_string_equal(heard->names[index], name);
}

static weir_limiter *one_a_second(struct fixture *fx) {
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 1, 1000);
  options.max_queue = 2;
  options.name = "gate";
  return make_limiter(fx, &options);
}

static void a_limiter_tells_of_waiting_going_on_and_refusing(struct fixture *fx) {
  struct heard *heard = listen(fx, 16);
  weir_limiter *limiter = one_a_second(fx);
  struct script *work = scripted(fx, "v1");
  for (int i = 0; i < 4; i++) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_int_equal(heard->count, 3);
  assert_told(heard, 0, WEIR_EVENT_WAITING, "gate");
  assert_int_equal(heard->events[0].count, 1);
  assert_told(heard, 1, WEIR_EVENT_WAITING, "gate");
  assert_int_equal(heard->events[1].count, 2);
  assert_told(heard, 2, WEIR_EVENT_REFUSAL, "gate");
  assert_int_equal(heard->rejections[2].reason, WEIR_REJECTION_QUEUE_FULL);
  assert_int_equal(heard->rejections[2].queued, 2);
  advance_ms(fx, 1000);
  assert_told(heard, 3, WEIR_EVENT_GRANTED, "gate");
  assert_int_equal(heard->events[3].count, 1);
  assert_int_equal(heard->events[3].delay_ns, SECOND);
  advance_ms(fx, 1000);
  assert_told(heard, 4, WEIR_EVENT_GRANTED, "gate");
  assert_int_equal(heard->events[4].delay_ns, 2 * SECOND);
  assert_string_equal(dump(fx),
                      "5 decisions, the last 5 of them:\n"
                      "1.000000000 limiter 'gate': waits, 1 in the queue\n"
                      "1.000000000 limiter 'gate': waits, 2 in the queue\n"
                      "1.000000000 limiter 'gate': refused (WEIR_EFULL): limiter 'gate': its queue "
                      "is full (2 wait, at most 2); try again in 1000 ms\n"
                      "2.000000000 limiter 'gate': goes on, 1 left in the queue after 1000 ms\n"
                      "3.000000000 limiter 'gate': goes on, 0 left in the queue after 2000 ms\n");
  weir_limiter_unref(limiter);
}

static void a_breaker_tells_its_numbers(struct fixture *fx) {
  struct heard *heard = listen(fx, 16);
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = "api";
  weir_breaker *breaker = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  for (int i = 0; i < 5; i++) {
    weir_permit permit = 0;
    assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
    assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
  }
  begin_under(fx, weir_breaker_policy(breaker), scripted(fx, "v1")->operation);
  run_until_idle(fx);
  assert_int_equal(heard->count, 2);
  size_t changed = heard->events[0].kind == WEIR_EVENT_STATE_CHANGE ? 0 : 1;
  assert_told(heard, changed, WEIR_EVENT_STATE_CHANGE, "api");
  assert_int_equal(heard->events[changed].calls, 5);
  assert_int_equal(heard->events[changed].failures, 5);
  assert_told(heard, 1 - changed, WEIR_EVENT_REFUSAL, "api");
  assert_int_equal(heard->rejections[1 - changed].failures, 5);
  assert_non_null(
      strstr(dump(fx), "breaker 'api': closed -> open, by failures (5 of 5 calls failed, 0 slow)"));
  assert_non_null(strstr(dump(fx), "circuit breaker 'api' is open: 5 failures in a row"));
  weir_breaker_unref(breaker);
}

static void each_state_of_a_breaker_has_its_word(struct fixture *fx) {
  listen(fx, 32);
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = "api";
  options.failure_threshold = 1;
  options.half_open_success_threshold = 1;
  weir_breaker *breaker = NULL;
  weir_permit permit = 0;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
  run_until_idle(fx);
  advance_ms(fx, 60000);
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_SUCCESS, 0), WEIR_OK);
  run_until_idle(fx);
  static const uint32_t forced[] = {WEIR_BREAKER_FORCED_OPEN, WEIR_BREAKER_FORCED_CLOSED,
                                    WEIR_BREAKER_METRICS_ONLY, WEIR_BREAKER_CLOSED};
  for (size_t i = 0; i < COUNT_OF(forced); i++) {
    assert_int_equal(weir_breaker_force(breaker, forced[i]), WEIR_OK);
    run_until_idle(fx);
  }
  static const char *const lines[] = {
      "closed -> open, by failures (1 of 1 calls failed, 0 slow)\n",
      "open -> half-open, by time (1 of 1 calls failed, 0 slow)\n",
      "half-open -> closed, by trials (0 of 1 calls failed, 0 slow)\n",
      "closed -> forced open, by hand (0 of 0 calls failed, 0 slow)\n",
      "forced open -> forced closed, by hand (0 of 0 calls failed, 0 slow)\n",
      "forced closed -> metrics only, by hand (0 of 0 calls failed, 0 slow)\n",
      "metrics only -> closed, by hand (0 of 0 calls failed, 0 slow)\n",
  };
  const char *at = dump(fx);
  for (size_t i = 0; i < COUNT_OF(lines); i++) {
    at = strstr(at, "breaker 'api': ");
    assert_non_null(at);
    at += strlen("breaker 'api': ");
    assert_memory_equal(at, lines[i], strlen(lines[i]));
  }
  weir_breaker_unref(breaker);
}

static void timeouts_retries_and_deadlines_are_told(struct fixture *fx) {
  struct heard *heard = listen(fx, 16);
  weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout_options.timeout_ms = 50;
  timeout_options.name = "slow";
  weir_timeout *timeout = NULL;
  assert_int_equal(weir_timeout_new(fx->runtime, &timeout_options, &timeout, NULL), WEIR_OK);
  begin_under(fx, weir_timeout_policy(timeout), scripted(fx, "yield")->operation);
  advance_ms(fx, 50);
  assert_told(heard, 0, WEIR_EVENT_TIMEOUT, "slow");
  assert_int_equal(heard->events[0].delay_ns, 50 * MS);
  assert_int_equal(heard->events[0].status, WEIR_ETIMEDOUT);
  weir_timeout_unref(timeout);

  weir_retry_options retry_options = WEIR_RETRY_OPTIONS_INIT;
  retry_options.max_attempts = 2;
  retry_options.attempt_timeout_ms = 20;
  retry_options.jitter = WEIR_JITTER_NONE;
  retry_options.base_delay_ms = 10;
  retry_options.name = "again";
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, &retry_options, &retry, NULL), WEIR_OK);
  begin_under(fx, weir_retry_policy(retry), scripted(fx, "yield f503")->operation);
  advance_ms(fx, 100);
  assert_told(heard, 1, WEIR_EVENT_TIMEOUT, "again");
  assert_told(heard, 2, WEIR_EVENT_RETRY, "again");
  assert_told(heard, 3, WEIR_EVENT_GAVE_UP, "again");
  assert_int_equal(heard->events[3].reason, WEIR_STOP_ATTEMPTS);
  assert_int_equal(heard->events[3].count, 2);
  assert_int_equal(heard->events[3].status, WEIR_EFAILED);
  weir_retry_unref(retry);

  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.deadline_ms = 30;
  options.name = "job";
  begin(fx, scripted(fx, "yield")->operation, &options);
  advance_ms(fx, 30);
  assert_told(heard, 4, WEIR_EVENT_TIMEOUT, "job");
  assert_null(heard->events[4].policy);
  assert_int_equal(heard->count, 5);
  const char *text = dump(fx);
  assert_non_null(
      strstr(text, "1.050000000 timeout 'slow': timed out after 50 ms (WEIR_ETIMEDOUT)"));
  assert_non_null(strstr(text, "retry 'again': try 1 failed, the next one in 10 ms"));
  assert_non_null(strstr(text, "retry 'again': gave up after 2 tries (WEIR_EFAILED): attempts"));
  assert_non_null(strstr(text, "run 'job': timed out after 30 ms"));
}

static void a_pacers_run_tells_how_many_calls_it_stood_for(struct fixture *fx) {
  struct heard *heard = listen(fx, 16);
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = 10;
  options.name = "save";
  weir_debounce *debounce = NULL;
  struct script *work = scripted(fx, "v1+5");
  assert_int_equal(weir_debounce_new(fx->runtime, work->operation, &options, &debounce, NULL),
                   WEIR_OK);
  for (int i = 0; i < 3; i++)
    assert_int_equal(weir_debounce_touch(debounce, NULL, 0, NULL), WEIR_OK);
  advance_ms(fx, 20);
  assert_int_equal(heard->count, 1);
  assert_told(heard, 0, WEIR_EVENT_PACED, "save");
  assert_int_equal(heard->events[0].count, 3);
  assert_int_equal(heard->events[0].delay_ns, 5 * MS);
  assert_non_null(strstr(dump(fx), "pacer 'save': ran once for 3 calls in 5 ms"));
  weir_debounce_unref(debounce);
}

static void a_load_and_an_eviction_are_told(struct fixture *fx) {
  struct heard *heard = listen(fx, 16);
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.name = "users";
  options.max_entries = 1;
  weir_cache *cache = NULL;
  assert_int_equal(weir_cache_new(fx->runtime, &options, &cache, NULL), WEIR_OK);
  struct script *load = scripted(fx, "v7+3");
  weir_operation *getter = NULL;
  assert_int_equal(weir_cache_operation(cache, load->operation, &getter, NULL), WEIR_OK);
  weir_run_options run = WEIR_RUN_OPTIONS_INIT;
  run.key = "k";
  run.key_size = 1;
  begin(fx, getter, &run);
  advance_ms(fx, 3);
  assert_int_equal(heard->count, 1);
  assert_told(heard, 0, WEIR_EVENT_LOAD, "users");
  assert_int_equal(heard->events[0].count, 1);
  assert_int_equal(heard->events[0].delay_ns, 3 * MS);
  weir_value *value = number_value(fx, 1);
  for (int i = 0; i < 8; i++) weir_cache_put(cache, &"abcdefgh"[i], 1, value);
  run_until_idle(fx);
  assert_told(heard, 1, WEIR_EVENT_EVICTION, "users");
  assert_non_null(strstr(dump(fx), "cache 'users': loaded 1 in 3 ms"));
  assert_non_null(strstr(dump(fx), "evicted"));
  weir_value_unref(value);
  weir_operation_unref(getter);
  weir_cache_unref(cache);
}

static void what_failed_is_told_with_its_status(struct fixture *fx) {
  struct heard *heard = listen(fx, 16);
  struct script *work = scripted(fx, "f503");
  weir_debounce *debounce = NULL;
  assert_int_equal(weir_debounce_new(fx->runtime, work->operation, NULL, &debounce, NULL), WEIR_OK);
  assert_int_equal(weir_debounce_touch(debounce, NULL, 0, NULL), WEIR_OK);
  advance_ms(fx, 300);
  assert_told(heard, 0, WEIR_EVENT_PACED, "");
  assert_int_equal(heard->events[0].status, WEIR_EFAILED);
  weir_debounce_unref(debounce);

  weir_cache *cache = NULL;
  weir_operation *getter = NULL;
  assert_int_equal(weir_cache_new(fx->runtime, NULL, &cache, NULL), WEIR_OK);
  assert_int_equal(weir_cache_operation(cache, work->operation, &getter, NULL), WEIR_OK);
  weir_run_options run = WEIR_RUN_OPTIONS_INIT;
  run.key = "k";
  run.key_size = 1;
  begin(fx, getter, &run);
  run_until_idle(fx);
  assert_told(heard, 1, WEIR_EVENT_LOAD, "");
  assert_int_equal(heard->events[1].status, WEIR_EFAILED);
  weir_operation_unref(getter);
  weir_cache_unref(cache);
}

static void a_load_of_many_tells_how_many(struct fixture *fx) {
  struct heard *heard = listen(fx, 16);
  struct script *work = scripted(fx, "f503");
  static const void *const keys[] = {"a", "b", "c"};
  static const size_t sizes[] = {1, 1, 1};
  weir_cache *cache = NULL;
  assert_int_equal(weir_cache_new(fx->runtime, NULL, &cache, NULL), WEIR_OK);
  assert_int_equal(weir_cache_put(cache, "b", 1, NULL), WEIR_OK);
  struct run *run = new_run(fx);
  asked(run, weir_cache_get_many(cache, keys, sizes, 3, work->operation, record_settle, run,
                                 free_recorded, &run->call, NULL));
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  assert_told(heard, 0, WEIR_EVENT_LOAD, "");
  assert_int_equal(heard->events[0].count, 2);
  weir_cache_unref(cache);
}

/* ---- the ring -------------------------------------------------------------------------------- */

static void the_oldest_go_first(struct fixture *fx) {
  listen(fx, 3);
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1;
  options.max_queue = WEIR_UNLIMITED;
  weir_limiter *limiter = make_limiter(fx, &options);
  assert_string_equal(dump(fx), "0 decisions, the last 0 of them:\n");
  struct script *work = scripted(fx, "hang");
  for (int i = 0; i < 6; i++) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  assert_string_equal(dump(fx),
                      "5 decisions, the last 3 of them:\n"
                      "1.000000000 limiter '': waits, 3 in the queue\n"
                      "1.000000000 limiter '': waits, 4 in the queue\n"
                      "1.000000000 limiter '': waits, 5 in the queue\n");
  weir_limiter_unref(limiter);
}

static void a_buffer_that_is_too_small_is_filled_and_said_to_be(struct fixture *fx) {
  listen(fx, 3);
  char text[16];
  size_t needed = 0;
  assert_int_equal(weir_recorder_dump(fx->runtime, NULL, 0, &needed), WEIR_OK);
  assert_int_equal(needed, strlen("0 decisions, the last 0 of them:\n") + 1);
  assert_int_equal(weir_recorder_dump(fx->runtime, text, sizeof text, &needed), WEIR_EFULL);
  assert_string_equal(text, "0 decisions, th");
  char whole[64];
  assert_int_equal(weir_recorder_dump(fx->runtime, whole, needed, NULL), WEIR_OK);
  assert_int_equal(weir_recorder_dump(fx->runtime, whole, needed - 1, NULL), WEIR_EFULL);
  assert_int_equal(weir_recorder_dump(fx->runtime, NULL, 5, NULL), WEIR_EINVAL);
  assert_int_equal(weir_recorder_dump(NULL, text, sizeof text, NULL), WEIR_EINVAL);
}

static void off_it_is_not_supported(struct fixture *fx) {
  char text[16] = "x";
  assert_int_equal(weir_recorder_dump(fx->runtime, text, sizeof text, NULL), WEIR_ENOTSUP);
  assert_string_equal(text, "");
}

static void it_keeps_without_a_listener_and_of_policies_that_are_gone(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.recorder_entries = 4;
  remake_runtime(fx, &options);
  weir_limiter *limiter = one_a_second(fx);
  struct script *work = scripted(fx, "v1");
  for (int i = 0; i < 2; i++) begin_limited(fx, limiter, work, NULL);
  advance_ms(fx, 1000);
  weir_limiter_unref(limiter);
  run_until_idle(fx);
  assert_non_null(strstr(dump(fx), "limiter 'gate': goes on, 0 left in the queue after 1000 ms"));
}

TEST_MAIN("recorder", TEST(a_limiter_tells_of_waiting_going_on_and_refusing),
          TEST(a_breaker_tells_its_numbers), TEST(each_state_of_a_breaker_has_its_word),
          TEST(timeouts_retries_and_deadlines_are_told),
          TEST(a_pacers_run_tells_how_many_calls_it_stood_for),
          TEST(a_load_and_an_eviction_are_told), TEST(what_failed_is_told_with_its_status),
          TEST(a_load_of_many_tells_how_many), TEST(the_oldest_go_first),
          TEST(a_buffer_that_is_too_small_is_filled_and_said_to_be), TEST(off_it_is_not_supported),
          TEST(it_keeps_without_a_listener_and_of_policies_that_are_gone))
