/* SPDX-License-Identifier: MIT */
/* Single flight: runs of one key that overlap share one run of the work. */

#include "support.h"

static weir_flight *make_flight(struct fixture *fx, int64_t timeout_ms) {
  weir_flight_options options = WEIR_FLIGHT_OPTIONS_INIT;
  options.timeout_ms = timeout_ms;
  options.name = "users";
  weir_flight *flight = NULL;
  assert_int_equal(weir_flight_new(fx->runtime, &options, &flight, NULL), WEIR_OK);
  return flight;
}

static struct run *fly_with(struct fixture *fx, weir_flight *flight, const char *key,
                            struct script *work, weir_value *input) {
  struct run *run = new_run(fx);
  return asked(run, weir_flight_run(flight, key, key == NULL ? 0 : strlen(key), work->operation,
                                    input, record_settle, run, free_recorded, &run->call, NULL));
}

/* Begins a run and lets it come to its wait. */
static struct run *fly(struct fixture *fx, weir_flight *flight, const char *key,
                       struct script *work) {
  struct run *run = fly_with(fx, flight, key, work, NULL);
  assert_int_equal(run->status, WEIR_OK);
  run_until_idle(fx);
  return run;
}

static weir_flight_stats stats_of(weir_flight *flight) {
  weir_flight_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_flight_get_stats(flight, &stats), WEIR_OK);
  return stats;
}

static void a_hundred_runs_of_one_key_do_the_work_once(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *runs[100];
  for (size_t i = 0; i < COUNT_OF(runs); i++) runs[i] = fly(fx, flight, "7", work);
  assert_int_equal(work->started, 1);
  assert_int_equal(stats_of(flight).running, 1);
  assert_int_equal(stats_of(flight).waiting, 100);

  unsigned freed = 0;
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &value), WEIR_OK);
  work->attempts[0].completed = 1;
  work->running--;
  assert_int_equal(weir_complete(fx->runtime, work->attempts[0].token, value), WEIR_OK);
  run_until_idle(fx);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    assert_ptr_equal(settled(runs[i])->pointer, &freed);
    assert_int_equal(freed, 0);
    weir_call_unref(runs[i]->call);
    runs[i]->call = NULL;
  }
  assert_int_equal(freed, 1);
  weir_flight_stats stats = stats_of(flight);
  assert_int_equal(stats.calls, 100);
  assert_int_equal(stats.runs, 1);
  assert_int_equal(stats.shared, 99);
  assert_int_equal(stats.running, 0);
  assert_int_equal(stats.waiting, 0);
  weir_flight_unref(flight);
}

static void nothing_is_kept_after_the_work(struct fixture *fx) {
  struct script *work = scripted(fx, "v1 v2");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  assert_int_equal(settled(fly(fx, flight, "7", work))->value, 1);
  assert_int_equal(settled(fly(fx, flight, "7", work))->value, 2);
  weir_flight_unref(flight);
}

static void keys_do_not_share(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *one = fly(fx, flight, "a", work);
  struct run *other = fly(fx, flight, "b", work);
  struct run *empty = fly(fx, flight, "", work);
  struct run *none = fly(fx, flight, NULL, work); /* no key is the empty key */
  assert_int_equal(work->started, 3);
  finish(work, 1, "v2");
  finish(work, 0, "v1");
  finish(work, 2, "v3");
  run_until_idle(fx);
  assert_int_equal(settled(one)->value, 1);
  assert_int_equal(settled(other)->value, 2);
  assert_int_equal(settled(empty)->value, 3);
  assert_int_equal(settled(none)->value, 3);
  weir_flight_unref(flight);
}

static void many_keys_at_once_are_kept_apart(struct fixture *fx) {
  enum { KEYS = 100 };
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *runs[2 * KEYS];
  char key[16];
  for (size_t i = 0; i < 2 * KEYS; i++) {
    snprintf(key, sizeof key, "key %zu", i % KEYS);
    runs[i] = fly(fx, flight, key, work);
  }
  assert_int_equal(work->started, KEYS);
  for (size_t i = 0; i < KEYS; i++) {
    snprintf(key, sizeof key, "v%zu", i);
    finish(work, i, key);
  }
  run_until_idle(fx);
  for (size_t i = 0; i < 2 * KEYS; i++) assert_int_equal(settled(runs[i])->value, i % KEYS);
  weir_flight_unref(flight);
}

static void all_get_the_error(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *first = fly(fx, flight, "7", work);
  struct run *second = fly(fx, flight, "7", work);
  finish(work, 0, "F503@250");
  run_until_idle(fx);
  for (struct run *run = first; run != NULL; run = run == first ? second : NULL) {
    assert_int_equal(settled(run)->status, WEIR_EFAILED);
    assert_int_equal(settled(run)->code, 503);
    assert_int_equal(settled(run)->final, 1);
    assert_int_equal(settled(run)->retry_after_ms, 250);
    assert_int_equal(settled(run)->attempts, 0); /* none of its own */
  }
  weir_flight_unref(flight);
}

/* A breaker around the work refuses it: each run that waits is refused, and says by whom. */
static void all_get_the_refusal_of_a_policy_inside(struct fixture *fx) {
  struct script *work = scripted(fx, "v1");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  weir_breaker *breaker = NULL;
  weir_operation *guarded = NULL;
  weir_operation *shared = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = "api";
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(breaker), WEIR_OK);
  assert_int_equal(weir_policy_wrap(weir_breaker_policy(breaker), work->operation, &guarded, NULL),
                   WEIR_OK);
  assert_int_equal(weir_flight_operation(flight, guarded, &shared, NULL), WEIR_OK);
  struct run *first = begin(fx, shared, NULL);
  struct run *second = begin(fx, shared, NULL);
  run_until_idle(fx);
  assert_int_equal(work->started, 0);
  assert_int_equal(settled(first)->status, WEIR_EOPEN);
  assert_int_equal(settled(second)->status, WEIR_EOPEN);
  assert_int_equal(settled(second)->has_rejection, 1);
  assert_int_equal(settled(second)->rejection.policy, WEIR_POLICY_BREAKER);
  assert_string_equal(settled(second)->rejection.name, "api");
  assert_int_equal(stats_of(flight).runs, 1);
  weir_operation_unref(shared);
  weir_operation_unref(guarded);
  weir_breaker_unref(breaker);
  weir_flight_unref(flight);
}

static void the_first_leaves_and_the_work_goes_on(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *first = fly(fx, flight, "7", work);
  struct run *second = fly(fx, flight, "7", work);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_int_equal(work->cancelled, 0);
  assert_int_equal(stats_of(flight).waiting, 1);
  struct run *third = fly(fx, flight, "7", work);
  assert_int_equal(work->started, 1);
  finish(work, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(second)->value, 7);
  assert_int_equal(settled(third)->value, 7);
  weir_flight_unref(flight);
}

static void the_last_that_leaves_cancels_the_work(struct fixture *fx) {
  struct script *work = scripted(fx, "hang v8");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *first = fly(fx, flight, "7", work);
  struct run *second = fly(fx, flight, "7", work);
  weir_call_cancel(first->call);
  weir_call_cancel(second->call);
  struct run *next = fly(fx, flight, "7", work); /* does not join what is being cancelled */
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(second)->status, WEIR_ECANCELLED);
  assert_int_equal(work->attempts[0].cancels, 1);
  assert_int_equal(work->attempts[0].cancel_reason, WEIR_CANCEL_CALLER);
  assert_int_equal(work->started, 2);
  assert_int_equal(settled(next)->value, 8);

  unsigned freed = 0; /* the late result of the first */
  work->attempts[0].completed = 1;
  work->running--;
  assert_int_equal(weir_complete_pointer(fx->runtime, work->attempts[0].token, &freed, count_free),
                   WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(freed, 1);
  assert_int_equal(stats_of(flight).running, 0);
  weir_flight_unref(flight);
}

static void a_run_cancelled_before_its_turn_starts_nothing(struct fixture *fx) {
  struct script *work = scripted(fx, "v1");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *run = fly_with(fx, flight, "7", work, NULL);
  assert_int_equal(run->status, WEIR_OK);
  weir_call_cancel(run->call);
  weir_flight_unref(flight);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(work->started, 0);
}

static void each_run_has_its_own_deadline_and_the_work_has_none(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  weir_operation *shared = NULL;
  assert_int_equal(weir_flight_operation(flight, work->operation, &shared, NULL), WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = "7";
  options.key_size = 1;
  options.deadline_ms = 10;
  struct run *hurried = begin(fx, shared, &options);
  options.deadline_ms = 100;
  struct run *patient = begin(fx, shared, &options);
  weir_operation_unref(shared);
  weir_flight_unref(flight);
  advance_ms(fx, 10);
  assert_true(work->attempts[0].remaining_ns == INT64_MAX);
  assert_int_equal(settled(hurried)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(hurried)->cancel_reason, WEIR_CANCEL_DEADLINE);
  assert_pending(patient);
  assert_int_equal(work->cancelled, 0);
  advance_ms(fx, 90);
  assert_int_equal(settled(patient)->status, WEIR_ETIMEDOUT);
  assert_int_equal(work->cancelled, 1);
}

static void the_timeout_ends_the_work_for_all(struct fixture *fx) {
  struct script *work = scripted(fx, "hang v8");
  weir_flight *flight = make_flight(fx, 100);
  struct run *first = fly(fx, flight, "7", work);
  advance_ms(fx, 60);
  struct run *second = fly(fx, flight, "7", work);
  assert_true(work->attempts[0].remaining_ns == 100 * MS);
  advance_ns(fx, 40 * MS - 1);
  assert_pending(first);
  advance_ns(fx, 1);
  assert_int_equal(settled(first)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(first)->status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(first)->message, "flight 'users' timed out after 100 ms");
  assert_int_equal(settled(second)->status, WEIR_ETIMEDOUT);
  assert_int_equal(work->attempts[0].cancel_reason, WEIR_CANCEL_TIMEOUT);
  assert_int_equal(settled(fly(fx, flight, "7", work))->value, 8);
  advance_ms(fx, 1000); /* nothing fires for what is done */
  weir_flight_unref(flight);
}

static void the_first_ones_operation_and_input_are_used(struct fixture *fx) {
  struct script *one = scripted(fx, "hang");
  struct script *other = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  weir_value *input = number_value(fx, 5);
  struct run *first = fly_with(fx, flight, "7", one, input);
  assert_int_equal(first->status, WEIR_OK);
  weir_value_unref(input);
  struct run *second = fly(fx, flight, "7", other);
  assert_int_equal(one->started, 1);
  assert_int_equal(one->attempts[0].input, 5);
  assert_int_equal(other->started, 0);
  finish(one, 0, "v1");
  run_until_idle(fx);
  assert_int_equal(settled(first)->value, 1);
  assert_int_equal(settled(second)->value, 1);
  weir_flight_unref(flight);
}

struct told {
  size_t key_size;
  char key[8];
  const void *context;
};

static void note_key(struct script *script, const weir_attempt *attempt) {
  struct told *told = script->user;
  told->key_size = attempt->key_size;
  told->context = attempt->context;
  for (size_t i = 0; i < attempt->key_size && i < sizeof told->key; i++) {
    told->key[i] = ((const char *)attempt->key)[i];
  }
}

static void the_work_is_told_key_and_context(struct fixture *fx) {
  struct told told = {0};
  struct script *work = scripted(fx, "v1");
  work->on_start = note_key;
  work->user = &told;
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  weir_operation *shared = NULL;
  assert_int_equal(weir_flight_operation(flight, work->operation, &shared, NULL), WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.key = "a\0b";
  options.key_size = 3;
  options.context = &told;
  begin(fx, shared, &options);
  run_until_idle(fx);
  assert_int_equal(told.key_size, 3);
  assert_memory_equal(told.key, "a\0b", 3);
  assert_ptr_equal(told.context, &told);
  weir_operation_unref(shared);
  weir_flight_unref(flight);
}

static void forgotten_work_goes_on_and_the_next_run_begins_anew(struct fixture *fx) {
  struct script *work = scripted(fx, "hang hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *before = fly(fx, flight, "7", work);
  assert_int_equal(weir_flight_forget(flight, "other", 5), WEIR_OK);
  assert_int_equal(weir_flight_forget(flight, "7", 1), WEIR_OK);
  struct run *after = fly(fx, flight, "7", work);
  assert_int_equal(work->started, 2);
  assert_int_equal(stats_of(flight).running, 2);
  finish(work, 0, "v1");
  run_until_idle(fx);
  assert_int_equal(settled(before)->value, 1);
  assert_pending(after);
  struct run *later = fly(fx, flight, "7", work); /* the end of the old did not unlist the new */
  assert_int_equal(work->started, 2);
  finish(work, 1, "v2");
  run_until_idle(fx);
  assert_int_equal(settled(after)->value, 2);
  assert_int_equal(settled(later)->value, 2);
  weir_flight_unref(flight);
}

static void forgotten_work_is_cancelled_by_its_last_waiter(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *run = fly(fx, flight, "7", work);
  assert_int_equal(weir_flight_forget(flight, "7", 1), WEIR_OK);
  weir_call_cancel(run->call);
  run_until_idle(fx);
  assert_int_equal(work->cancelled, 1);
  weir_flight_unref(flight);
}

/* Longer than what goes to the other thread with it. */
static const char long_key[] =
    "a key of more than a hundred bytes, such as the text of a query with all of its parameters, "
    "and not a number";

struct forgetting {
  weir_flight *flight;
  weir_status status;
};

static void *forget_elsewhere(void *data) {
  struct forgetting *forgetting = data;
  forgetting->status = weir_flight_forget(forgetting->flight, long_key, sizeof long_key - 1);
  return NULL;
}

static weir_status forget_on_a_thread(weir_flight *flight) {
  struct forgetting forgetting = {flight, WEIR_EINVAL};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, forget_elsewhere, &forgetting), 0);
  pthread_join(thread, NULL);
  return forgetting.status;
}

static void forgetting_needs_memory_on_other_threads_alone(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  fly(fx, flight, long_key, work);
  memory_fail(&fx->memory, 1, 1);
  assert_int_equal(weir_flight_forget(flight, long_key, sizeof long_key - 1), WEIR_OK);
  memory_fail(&fx->memory, 0, 0);
  fly(fx, flight, long_key, work);
  assert_int_equal(work->started, 2);
  memory_fail(&fx->memory, 1, 1);
  assert_int_equal(forget_on_a_thread(flight), WEIR_ENOMEM);
  memory_fail(&fx->memory, 0, 0);
  fly(fx, flight, long_key, work);
  assert_int_equal(work->started, 2);
  assert_int_equal(forget_on_a_thread(flight), WEIR_OK);
  run_until_idle(fx);
  fly(fx, flight, long_key, work);
  assert_int_equal(work->started, 3);
  weir_flight_unref(flight);
}

static void a_retry_outside_runs_the_work_again(struct fixture *fx) {
  struct script *work = scripted(fx, "f503 v7");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  weir_operation *shared = NULL;
  weir_retry *retry = NULL;
  assert_int_equal(weir_flight_operation(flight, work->operation, &shared, NULL), WEIR_OK);
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  struct run *first = begin_under(fx, weir_retry_policy(retry), shared);
  struct run *second = begin_under(fx, weir_retry_policy(retry), shared);
  advance_ms(fx, 10000);
  assert_int_equal(settled(first)->value, 7);
  assert_int_equal(settled(second)->value, 7);
  weir_operation_unref(shared);
  weir_retry_unref(retry);
  weir_flight_unref(flight);
}

/* The work of a key waits for the same key: nobody can help it, and nothing breaks. */
static void work_that_waits_for_itself_ends_with_its_timeout(struct fixture *fx) {
  weir_flight *flight = make_flight(fx, 50);
  struct script *work = scripted(fx, "v1");
  weir_operation *inner = NULL;
  weir_operation *outer = NULL;
  assert_int_equal(weir_flight_operation(flight, work->operation, &inner, NULL), WEIR_OK);
  assert_int_equal(weir_flight_operation(flight, inner, &outer, NULL), WEIR_OK);
  struct run *run = begin(fx, outer, NULL);
  advance_ms(fx, 49);
  assert_pending(run);
  assert_int_equal(work->started, 0);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  weir_operation_unref(inner);
  weir_operation_unref(outer);
  weir_flight_unref(flight);
}

static void flight_may_be_given_back_while_runs_wait(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *run = fly(fx, flight, "7", work);
  weir_flight_unref(flight);
  finish(work, 0, "v7");
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
}

static void closing_settles_all_who_wait(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *first = fly(fx, flight, "7", work);
  struct run *second = fly(fx, flight, "7", work);
  struct run *third = fly_with(fx, flight, "8", work, NULL); /* has not begun */
  assert_int_equal(third->status, WEIR_OK);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECLOSED);
  assert_int_equal(settled(second)->status, WEIR_ECLOSED);
  assert_int_equal(settled(third)->status, WEIR_ECLOSED);
  assert_int_equal(work->started, 1);
  assert_int_equal(fly_with(fx, flight, "7", work, NULL)->status, WEIR_ECLOSED);
  weir_flight_unref(flight);
}

static void a_full_runtime_refuses_the_work_and_those_who_ask(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.max_in_flight = 1;
  remake_runtime(fx, &options);
  struct script *work = scripted(fx, "v1");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct run *run = fly(fx, flight, "7", work);
  assert_int_equal(settled(run)->status, WEIR_EFULL);
  assert_int_equal(work->started, 0);
  assert_int_equal(stats_of(flight).running, 0);
  weir_flight_unref(flight);
}

static void the_audit_shows_who_waits(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  fly(fx, flight, "7", work);
  weir_audit_entry entries[4];
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof entries[0], 4, &count), WEIR_OK);
  assert_int_equal(count, 2);
  assert_string_equal(entries[0].waits_for, "flight 'users': the run of its key");
  weir_flight_unref(flight);
}

/* Runs under queues: the work starts as a record, the runs settle as records. */
static void flight_by_records(struct fixture *fx) {
  weir_completions *queue = NULL;
  weir_operation *work = NULL;
  weir_operation *shared = NULL;
  weir_record records[4];
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  assert_int_equal(weir_completions_new(fx->runtime, NULL, &queue, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new_queued(queue, 9, &work, NULL), WEIR_OK);
  assert_int_equal(weir_flight_operation(flight, work, &shared, NULL), WEIR_OK);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.queue = queue;
  for (options.user = 1; options.user <= 2; options.user++) {
    assert_int_equal(weir_run(shared, &options, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(weir_completions_drain(queue, records, sizeof records[0], 4), 1);
  assert_int_equal(records[0].kind, WEIR_RECORD_START);
  int64_t number = 7;
  assert_int_equal(weir_complete_bytes(fx->runtime, records[0].object, &number, sizeof number),
                   WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_completions_drain(queue, records, sizeof records[0], 4), 2);
  for (size_t i = 0; i < 2; i++) {
    weir_value *value = (weir_value *)(uintptr_t)records[i].object;
    assert_int_equal(records[i].kind, WEIR_RECORD_SETTLED);
    assert_int_equal(records[i].user, i + 1);
    assert_int_equal(value_number(value), 7);
    weir_value_unref(value);
  }
  weir_operation_unref(shared);
  weir_operation_unref(work);
  weir_completions_unref(queue);
  weir_flight_unref(flight);
}

struct flying {
  weir_flight *flight;
  weir_operation *operation;
  struct run *run;
  weir_status status;
};

static void *fly_elsewhere(void *data) {
  struct flying *flying = data;
  flying->status = weir_flight_run(flying->flight, "7", 1, flying->operation, NULL, record_settle,
                                   flying->run, free_recorded, &flying->run->call, NULL);
  return NULL;
}

static void runs_of_another_thread_keep_the_operation_until_the_last_is_over(struct fixture *fx) {
  struct script *work = scripted(fx, "hang");
  weir_flight *flight = make_flight(fx, WEIR_FOREVER);
  struct flying flying[2];
  run_until_idle(fx);
  for (size_t i = 0; i < 2; i++) {
    pthread_t thread;
    flying[i] = (struct flying){flight, work->operation, new_run(fx), WEIR_OK};
    assert_int_equal(pthread_create(&thread, NULL, fly_elsewhere, &flying[i]), 0);
    pthread_join(thread, NULL);
    asked(flying[i].run, flying[i].status);
    assert_int_equal(flying[i].status, WEIR_OK);
  }
  run_until_idle(fx);
  /* given work for two whose operation nobody else has any more */
  weir_operation_unref(work->operation);
  work->operation = NULL;
  run_until_idle(fx);
  /* when one of them leaves, and gives all back */
  assert_int_equal(weir_call_cancel(flying[0].run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(flying[0].run)->status, WEIR_ECANCELLED);
  weir_call_unref(flying[0].run->call);
  flying[0].run->call = NULL;
  /* then the work goes on for the other */
  assert_int_equal(work->freed, 0);
  assert_int_equal(finish(work, 0, "v5"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(flying[1].run)->value, 5);
  weir_flight_unref(flight);
}

TEST_MAIN("flight", TEST(a_hundred_runs_of_one_key_do_the_work_once),
          TEST(nothing_is_kept_after_the_work), TEST(keys_do_not_share),
          TEST(many_keys_at_once_are_kept_apart), TEST(all_get_the_error),
          TEST(all_get_the_refusal_of_a_policy_inside), TEST(the_first_leaves_and_the_work_goes_on),
          TEST(the_last_that_leaves_cancels_the_work),
          TEST(a_run_cancelled_before_its_turn_starts_nothing),
          TEST(each_run_has_its_own_deadline_and_the_work_has_none),
          TEST(the_timeout_ends_the_work_for_all),
          TEST(the_first_ones_operation_and_input_are_used), TEST(the_work_is_told_key_and_context),
          TEST(forgotten_work_goes_on_and_the_next_run_begins_anew),
          TEST(forgotten_work_is_cancelled_by_its_last_waiter),
          TEST(forgetting_needs_memory_on_other_threads_alone),
          TEST(a_retry_outside_runs_the_work_again),
          TEST(work_that_waits_for_itself_ends_with_its_timeout),
          TEST(flight_may_be_given_back_while_runs_wait), TEST(closing_settles_all_who_wait),
          TEST(a_full_runtime_refuses_the_work_and_those_who_ask), TEST(the_audit_shows_who_waits),
          TEST(flight_by_records),
          TEST(runs_of_another_thread_keep_the_operation_until_the_last_is_over))
