/* SPDX-License-Identifier: MIT */
/* Giving back and closing: any order, from anywhere (C05), with everything pending (C06), from
 * inside a settle callback (C07), and tokens that outlive their runtime (C20). */

#include "support.h"

/* A run with every kind of handle, each held once. */
struct handles {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_breaker *breaker;
  weir_timeout *timeout;
  weir_pipeline *pipeline;
  weir_call *call;
  weir_token token;
  unsigned slot_freed;
  unsigned operation_freed;
  unsigned settled;
  unsigned data_freed;
  weir_status status;
};

enum { HANDLES = 6 };

static void start_handles(void *data, weir_attempt *attempt) {
  struct handles *handles = data;
  handles->token = attempt->token;
  attempt->data = &handles->slot_freed;
  attempt->free_data = count_free;
}

static void free_operation(void *data) { ((struct handles *)data)->operation_freed++; }

static void settle_handles(void *data, weir_call *call, const weir_outcome *outcome) {
  (void)call;
  ((struct handles *)data)->settled++;
  ((struct handles *)data)->status = outcome->status;
}

static void free_handles(void *data) { ((struct handles *)data)->data_freed++; }

static void make_policies(struct fixture *fx, struct handles *handles) {
  weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout_options.timeout_ms = 1000;
  assert_int_equal(weir_breaker_new(fx->runtime, NULL, &handles->breaker, NULL), WEIR_OK);
  assert_int_equal(weir_timeout_new(fx->runtime, &timeout_options, &handles->timeout, NULL),
                   WEIR_OK);
  weir_policy *policies[] = {weir_timeout_policy(handles->timeout),
                             weir_breaker_policy(handles->breaker)};
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 2, "both", &handles->pipeline, NULL),
                   WEIR_OK);
}

static void make_handles(struct fixture *fx, struct handles *handles) {
  memset(handles, 0, sizeof *handles);
  handles->runtime = fx->runtime;
  assert_int_equal(weir_operation_new(fx->runtime, start_handles, handles, free_operation,
                                      &handles->operation, NULL),
                   WEIR_OK);
  make_policies(fx, handles);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = weir_pipeline_policy(handles->pipeline);
  assert_int_equal(weir_run(handles->operation, &options, settle_handles, handles, free_handles,
                            &handles->call, NULL),
                   WEIR_OK);
}

static void give_back(struct fixture *fx, struct handles *handles, size_t which) {
  switch (which) {
    case 0:
      weir_runtime_unref(handles->runtime);
      fx->runtime = NULL;
      break;
    case 1:
      weir_operation_unref(handles->operation);
      break;
    case 2:
      weir_breaker_unref(handles->breaker);
      break;
    case 3:
      weir_timeout_unref(handles->timeout);
      break;
    case 4:
      weir_pipeline_unref(handles->pipeline);
      break;
    default:
      weir_call_unref(handles->call);
      break;
  }
}

/* The permutation number `rank` of 0..HANDLES-1. */
static void permutation(size_t rank, size_t *order) {
  size_t rest[HANDLES];
  for (size_t i = 0; i < HANDLES; i++) rest[i] = i;
  for (size_t i = 0; i < HANDLES; i++) {
    size_t pick = rank % (HANDLES - i);
    rank /= HANDLES - i;
    order[i] = rest[pick];
    rest[pick] = rest[HANDLES - i - 1];
  }
}

static void give_all_back_in(struct fixture *fx, size_t rank) {
  struct handles handles;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  options.driver = WEIR_DRIVER_MANUAL;
  options.allocator = &allocator;
  assert_null(fx->runtime);
  assert_int_equal(weir_runtime_new(&options, &fx->runtime, NULL), WEIR_OK);
  make_handles(fx, &handles);
  weir_runtime *runtime = fx->runtime;
  weir_testing_run_until_idle(runtime);
  assert_int_not_equal(handles.token, 0);

  size_t order[HANDLES];
  permutation(rank, order);
  for (size_t i = 0; i < HANDLES; i++) give_back(fx, &handles, order[i]);
  assert_int_equal(handles.settled, 1); /* by the runtime's end, inside its last unref */
  assert_int_equal(handles.status, WEIR_ECLOSED);
  assert_int_equal(handles.data_freed, 1);
  assert_int_equal(handles.slot_freed, 0);
  assert_int_equal(weir_complete(runtime, handles.token, NULL), WEIR_OK);
  assert_int_equal(handles.slot_freed, 1);
  assert_int_equal(handles.operation_freed, 1);
  assert_int_equal(fx->memory.live_bytes, 0);
}

static void give_back_in_orders(struct fixture *fx, size_t step) {
  enum { ORDERS = 720 };
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  for (size_t rank = 0; rank < ORDERS; rank += step) give_all_back_in(fx, rank);
}

static void C05_handles_are_given_back_in_every_order_with_a_run_in_flight(struct fixture *fx) {
  give_back_in_orders(fx, 1);
}

static void C05_handles_are_given_back_in_some_orders(struct fixture *fx) {
  give_back_in_orders(fx, 79);
}

/* Gives back, inside the settle callback, all that the test holds. */
struct inside {
  struct fixture *fx;
  struct script *script;
  weir_call *call;
  weir_breaker *breaker;
  unsigned done;
};

static void unref_everything(void *data, weir_call *call, const weir_outcome *outcome) {
  struct inside *inside = data;
  (void)call;
  inside->done += outcome->status == WEIR_OK;
  weir_call_unref(inside->call);
  weir_operation_unref(inside->script->operation);
  inside->script->operation = NULL;
  weir_breaker_unref(inside->breaker);
  weir_runtime_unref(inside->fx->runtime);
  inside->fx->runtime = NULL;
}

static void C05_everything_is_given_back_inside_the_settle_callback(struct fixture *fx) {
  struct inside inside = {fx, scripted(fx, "v1"), NULL, NULL, 0};
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  assert_int_equal(weir_breaker_new(fx->runtime, NULL, &inside.breaker, NULL), WEIR_OK);
  options.policy = weir_breaker_policy(inside.breaker);
  assert_int_equal(weir_run(inside.script->operation, &options, unref_everything, &inside, NULL,
                            &inside.call, NULL),
                   WEIR_OK);
  weir_testing_run_until_idle(fx->runtime);
  assert_int_equal(inside.done, 1);
  assert_null(fx->runtime);
}

static void unref_operation_in_start(struct script *script, const weir_attempt *attempt) {
  (void)attempt;
  weir_operation_unref(script->operation);
  script->operation = NULL;
}

static void C05_operation_is_given_back_inside_its_own_start(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  script->on_start = unref_operation_in_start;
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
}

struct telling {
  struct fixture *fx;
  weir_call *call;
  weir_token token;
  unsigned told;
};

static void unref_call_when_told(void *data, uint32_t reason) {
  struct telling *telling = data;
  (void)reason;
  telling->told++;
  weir_call_unref(telling->call);
  telling->call = NULL;
}

static void start_telling(void *data, weir_attempt *attempt) {
  struct telling *telling = data;
  telling->token = attempt->token;
  attempt->data = telling;
  attempt->on_cancel = unref_call_when_told;
}

static void C05_call_is_given_back_inside_on_cancel(struct fixture *fx) {
  struct telling telling = {fx, NULL, 0, 0};
  weir_operation *operation = NULL;
  assert_int_equal(weir_operation_new(fx->runtime, start_telling, &telling, NULL, &operation, NULL),
                   WEIR_OK);
  assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, &telling.call, NULL), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(telling.call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(telling.told, 1);
  assert_null(telling.call);
  assert_int_equal(weir_complete(fx->runtime, telling.token, NULL), WEIR_OK);
  weir_operation_unref(operation);
}

/* ---- closing --------------------------------------------------------------------------------- */

struct pending {
  weir_token tokens[10000];
  size_t count;
  unsigned slots_freed;
};

static void start_pending(void *data, weir_attempt *attempt) {
  struct pending *pending = data;
  pending->tokens[pending->count++] = attempt->token;
  attempt->data = &pending->slots_freed;
  attempt->free_data = count_free;
}

/* Ten kinds of state: not yet taken up, started, waiting to retry, in a limiter's queue, with a
 * deadline, cancelled, sleeping, ... */
static void begin_in_every_state(struct fixture *fx, weir_operation *out, weir_policy *retry,
                                 weir_policy *limiter, weir_operation *sleep, size_t count) {
  struct script *failing = scripted(fx, "f1");
  for (size_t i = 0; i < count; i++) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    weir_operation *operation = out;
    if (i % 10 == 1) operation = failing->operation, options.policy = retry;
    if (i % 10 == 2) options.policy = limiter;
    if (i % 10 == 3) options.deadline_ms = 60000;
    if (i % 10 == 4) operation = sleep;
    struct run *run = begin(fx, operation, &options);
    if (i % 10 == 5) weir_call_cancel(run->call);
    if (i % 10 == 6) weir_call_unref(run->call), run->call = NULL;
    if (i == count / 2) run_until_idle(fx); /* the second half is not taken up yet */
  }
}

static void C06_close_settles_ten_thousand_calls_in_every_state(struct fixture *fx) {
  enum { CALLS = 10000 };
  static struct pending pending;
  memset(&pending, 0, sizeof pending);
  weir_limiter_options limiter_options = WEIR_LIMITER_OPTIONS_INIT;
  weir_limiter *limiter = NULL;
  weir_retry *retry = NULL;
  weir_operation *operation = NULL;
  weir_operation *sleep = NULL;
  limiter_options.max_concurrent = 10;
  limiter_options.max_queue = WEIR_UNLIMITED;
  assert_int_equal(weir_limiter_new(fx->runtime, &limiter_options, &limiter, NULL), WEIR_OK);
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_sleep_new(fx->runtime, 1000, WEIR_OK, NULL, NULL, &sleep, NULL), WEIR_OK);
  assert_int_equal(weir_operation_new(fx->runtime, start_pending, &pending, NULL, &operation, NULL),
                   WEIR_OK);
  begin_in_every_state(fx, operation, weir_retry_policy(retry), weir_limiter_policy(limiter), sleep,
                       CALLS);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  weir_testing_run_until_idle(fx->runtime);

  assert_int_equal(fx->settled, CALLS);
  uint64_t closed = 0;
  for (struct run *run = fx->runs; run != NULL; run = run->next) {
    closed += run->result.status == WEIR_ECLOSED && run->result.channel == WEIR_CHANNEL_STOPPED &&
              run->result.cancel_reason == WEIR_CANCEL_SHUTDOWN;
  }
  assert_true(closed >= CALLS - CALLS / 10);
  assert_int_equal(try_begin(fx, operation, NULL, NULL)->status, WEIR_ECLOSED);
  weir_operation_unref(operation);
  weir_operation_unref(sleep);
  weir_retry_unref(retry);
  weir_limiter_unref(limiter);
  for (size_t i = 0; i < pending.count; i++) {
    assert_int_equal(weir_complete(fx->runtime, pending.tokens[i], NULL), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(pending.slots_freed, pending.count);
}

static void C06_closing_starts_nothing_that_waited(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  weir_limiter *limiter = NULL;
  options.max_concurrent = 1;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_OK);
  struct script *script = scripted(fx, "yield");
  struct run *holder = begin_under(fx, weir_limiter_policy(limiter), script->operation);
  struct run *waiter = begin_under(fx, weir_limiter_policy(limiter), script->operation);
  run_until_idle(fx);
  assert_int_equal(script->started, 1);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx); /* the holder's permit goes to the waiter, which is stopped in its turn */
  assert_int_equal(settled(holder)->status, WEIR_ECLOSED);
  assert_int_equal(settled(waiter)->status, WEIR_ECLOSED);
  assert_int_equal(waiter->result.attempts, 0);
  assert_int_equal(script->started, 1);
  weir_limiter_unref(limiter);
}

static void close_refuses_new_runs_and_is_idempotent(struct fixture *fx) {
  weir_error *error = NULL;
  struct script *script = scripted(fx, "v1");
  assert_int_equal(weir_runtime_state(fx->runtime), WEIR_OK);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  assert_int_equal(weir_runtime_state(fx->runtime), WEIR_ECLOSED);
  struct run *run = try_begin(fx, script->operation, NULL, &error);
  assert_int_equal(run->status, WEIR_ECLOSED);
  assert_int_equal(run->freed, 1);
  assert_message(error, "clos");
}

static void cancel_and_run_and_close(struct run *run) {
  struct fixture *fx = run->fixture;
  struct script *script = run->user;
  expect(fx, weir_call_cancel(run->call) == WEIR_ESTALE, "cancelling a settled call");
  for (size_t i = 0; i < 1000; i++) try_begin(fx, script->operation, NULL, NULL);
  expect(fx, weir_runtime_close(fx->runtime) == WEIR_OK, "closing inside settle");
}

static void C07_settle_callback_cancels_itself_runs_a_thousand_and_closes(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  struct run *run = begin(fx, script->operation, NULL);
  run->user = script;
  run->on_settled = cancel_and_run_and_close;
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(fx->run_count, 1001);
  assert_int_equal(fx->settled, fx->accepted);
  assert_int_equal(weir_runtime_state(fx->runtime), WEIR_ECLOSED);
}

static void C20_token_kept_past_the_runtime_completes_and_takes_the_shell_along(
    struct fixture *fx) {
  struct handles handles;
  make_handles(fx, &handles);
  weir_runtime *runtime = fx->runtime;
  weir_testing_run_until_idle(runtime);
  for (size_t which = HANDLES; which-- > 0;) give_back(fx, &handles, which);
  assert_int_equal(handles.settled, 1);
  assert_int_equal(handles.slot_freed, 0);
  assert_int_not_equal(fx->memory.live_bytes, 0);
  assert_int_equal(fx->memory.released, 0);

  assert_int_equal(weir_complete_bytes(runtime, handles.token, "late", 4), WEIR_OK);
  assert_int_equal(handles.slot_freed, 1);
  assert_int_equal(fx->memory.live_bytes, 0);
  assert_int_equal(fx->memory.released, 1);
}

struct ending {
  unsigned closed;
  uint64_t orphans;
  unsigned freed;
};

static void on_closed(void *data, uint64_t orphans) {
  struct ending *ending = data;
  ending->closed++;
  ending->orphans = orphans;
}

static void free_ending(void *data) { ((struct ending *)data)->freed++; }

static void closed_listener_hears_once_how_many_orphans_are_out(struct fixture *fx) {
  struct ending ending = {0, 99, 0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.on_closed = on_closed;
  options.closed_data = &ending;
  options.closed_free_data = free_ending;
  remake_runtime(fx, &options);
  struct script *script = scripted(fx, "hang");
  begin(fx, script->operation, NULL);
  begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  assert_int_equal(ending.closed, 0);
  run_until_idle(fx);
  assert_int_equal(ending.closed, 1);
  assert_int_equal(ending.orphans, 2);
  finish_all(script);
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  assert_int_equal(ending.closed, 1);
  assert_int_equal(ending.freed, 1);
}

TEST_MAIN("lifetime", LONG_TEST(C05_handles_are_given_back_in_every_order_with_a_run_in_flight),
          TEST(C05_handles_are_given_back_in_some_orders),
          TEST(C05_everything_is_given_back_inside_the_settle_callback),
          TEST(C05_operation_is_given_back_inside_its_own_start),
          TEST(C05_call_is_given_back_inside_on_cancel),
          LONG_TEST(C06_close_settles_ten_thousand_calls_in_every_state),
          TEST(C06_closing_starts_nothing_that_waited),
          TEST(close_refuses_new_runs_and_is_idempotent),
          TEST(C07_settle_callback_cancels_itself_runs_a_thousand_and_closes),
          TEST(C20_token_kept_past_the_runtime_completes_and_takes_the_shell_along),
          TEST(closed_listener_hears_once_how_many_orphans_are_out))
