/* SPDX-License-Identifier: MIT */
/* Cancelling, and what becomes of attempts that do not heed it: orphans (C18) and the permits they
 * hold (C19). */

#include "support.h"

static void cancel_settles_in_a_later_turn_and_tells_the_attempt_once(struct fixture *fx) {
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  assert_pending(run);
  assert_int_equal(script->cancelled, 0);
  run_until_idle(fx);

  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_STOPPED);
  assert_int_equal(run->result.status, WEIR_ECANCELLED);
  assert_int_equal(run->result.cancel_reason, WEIR_CANCEL_CALLER);
  assert_int_equal(script->cancelled, 1);
  assert_int_equal(script->attempts[0].cancel_reason, WEIR_CANCEL_CALLER);
  assert_int_equal(weir_call_cancel(run->call), WEIR_ESTALE);
}

static void cancel_before_the_start_never_starts(struct fixture *fx) {
  struct script *script = scripted(fx, "v1");
  struct run *run = begin(fx, script->operation, NULL);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(run->result.attempts, 0);
  assert_int_equal(script->started, 0);
}

static void cancel_beside_a_completion_settles_once(struct fixture *fx) {
  for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
    struct script *script = scripted(fx, "hang");
    struct run *run = begin(fx, script->operation, NULL);
    run_until_idle(fx);
    if (cancel_first) assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
    assert_int_equal(finish(script, 0, "v5"), WEIR_OK);
    if (!cancel_first) assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
    run_until_idle(fx);
    const struct settlement *result = settled(run);
    assert_true(result->status == WEIR_ECANCELLED || result->value == 5);
    assert_int_equal(script->attempts[0].slot_freed, 1);
    assert_true(script->cancelled == 0); /* completing had returned: on_cancel must not start */
  }
}

static void cancel_completed_inside_on_cancel_frees_the_slot_after_it(struct fixture *fx) {
  struct script *script = scripted(fx, "yield");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(script->attempts[0].complete_status, WEIR_OK);
  assert_int_equal(script->attempts[0].slot_freed, 1);
  assert_int_equal(script->running, 0);
}

static void cancel_of_nothing_is_invalid(struct fixture *fx) {
  (void)fx;
  assert_int_equal(weir_call_cancel(NULL), WEIR_EINVAL);
}

/* ---- orphans --------------------------------------------------------------------------------- */

static uint64_t orphans(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_runtime_get_stats(fx->runtime, &stats), WEIR_OK);
  return stats.orphans;
}

/* A bare operation that keeps its tokens. */
struct tokens {
  weir_token all[1000];
  size_t count;
  unsigned slots_freed;
};

static void start_keeping_the_token(void *data, weir_attempt *attempt) {
  struct tokens *tokens = data;
  tokens->all[tokens->count++] = attempt->token;
  attempt->data = &tokens->slots_freed;
  attempt->free_data = count_free;
}

static void C18_a_thousand_orphans_count_in_flight_show_in_the_audit_and_free_everything(
    struct fixture *fx) {
  enum { COUNT = 1000 };
  static struct tokens tokens;
  memset(&tokens, 0, sizeof tokens);
  weir_operation *operation = NULL;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.max_in_flight = COUNT;
  remake_runtime(fx, &options);
  assert_int_equal(
      weir_operation_new(fx->runtime, start_keeping_the_token, &tokens, NULL, &operation, NULL),
      WEIR_OK);
  for (size_t i = 0; i < COUNT; i++) begin(fx, operation, NULL);
  run_until_idle(fx);
  assert_int_equal(tokens.count, COUNT);
  for (struct run *run = fx->runs; run != NULL; run = run->next) weir_call_cancel(run->call);
  run_until_idle(fx);

  assert_int_equal(fx->settled, COUNT);
  assert_int_equal(orphans(fx), COUNT);
  assert_int_equal(try_begin(fx, operation, NULL, NULL)->status, WEIR_EFULL);
  weir_audit_entry entry;
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, sizeof entry, 1, &count), WEIR_OK);
  assert_int_equal(count, COUNT);
  assert_int_equal(entry.kind, WEIR_AUDIT_ORPHAN);

  assert_int_equal(weir_complete_bytes(fx->runtime, tokens.all[0], "late", 4), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(orphans(fx), COUNT - 1);
  for (size_t i = 1; i < COUNT; i++) {
    assert_int_equal(weir_complete_bytes(fx->runtime, tokens.all[i], "late", 4), WEIR_OK);
  }
  run_until_idle(fx);
  assert_int_equal(orphans(fx), 0);
  assert_int_equal(tokens.slots_freed, COUNT);
  weir_operation_unref(operation);
}

static void C18_orphan_gives_its_place_back_when_it_ends(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.max_in_flight = 1;
  remake_runtime(fx, &options);
  struct script *script = scripted(fx, "hang v2");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  weir_call_cancel(run->call);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(try_begin(fx, script->operation, NULL, NULL)->status, WEIR_EFULL);

  assert_int_equal(finish(script, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  struct run *second = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(settled(second)->value, 2);
}

/* ---- permits of what goes on ---------------------------------------------------------------- */

static weir_limiter *one_at_a_time(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  weir_limiter *limiter = NULL;
  options.max_concurrent = 1;
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_OK);
  return limiter;
}

static weir_timeout *timeout_of(struct fixture *fx, int64_t timeout_ms) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_timeout *timeout = NULL;
  options.timeout_ms = timeout_ms;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  return timeout;
}

static weir_breaker *breaker_after(struct fixture *fx, uint32_t failures) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  weir_breaker *breaker = NULL;
  options.failure_threshold = failures;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  return breaker;
}

static int64_t concurrent(weir_limiter *limiter) {
  weir_limiter_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_limiter_get_stats(limiter, &stats), WEIR_OK);
  return stats.concurrent;
}

static weir_operation *wrapped(weir_policy *policy, weir_operation *operation) {
  weir_operation *out = NULL;
  assert_int_equal(weir_policy_wrap(policy, operation, &out, NULL), WEIR_OK);
  return out;
}

static void C19_timed_out_attempt_returns_its_permit_when_it_really_ends(struct fixture *fx) {
  weir_limiter *limiter = one_at_a_time(fx);
  weir_timeout *timeout = timeout_of(fx, 50);
  struct script *script = scripted(fx, "hang v2");
  weir_operation *limited = wrapped(weir_limiter_policy(limiter), script->operation);
  struct run *first = begin_under(fx, weir_timeout_policy(timeout), limited);
  struct run *second = begin(fx, limited, NULL);
  advance_ms(fx, 50);
  assert_int_equal(settled(first)->status, WEIR_ETIMEDOUT);
  assert_int_equal(concurrent(limiter), 1);
  advance_ms(fx, 1000);
  assert_pending(second);
  assert_int_equal(script->started, 1);

  assert_int_equal(finish(script, 0, "v1"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(second)->value, 2);
  assert_int_equal(concurrent(limiter), 0);
  assert_int_equal(script->max_running, 1);
  weir_operation_unref(limited);
  weir_timeout_unref(timeout);
  weir_limiter_unref(limiter);
}

static void C19_breaker_judges_a_timed_out_attempt_at_the_timeout(struct fixture *fx) {
  weir_breaker *breaker = breaker_after(fx, 1);
  weir_timeout *timeout = timeout_of(fx, 50);
  struct script *script = scripted(fx, "hang");
  weir_operation *guarded = wrapped(weir_breaker_policy(breaker), script->operation);
  struct run *run = begin_under(fx, weir_timeout_policy(timeout), guarded);
  advance_ms(fx, 49);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_CLOSED);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_OPEN);

  assert_int_equal(finish(script, 0, "v1"), WEIR_OK); /* a late success changes nothing */
  run_until_idle(fx);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_OPEN);
  weir_breaker_stats stats = {.size = sizeof stats};
  assert_int_equal(weir_breaker_get_stats(breaker, &stats), WEIR_OK);
  assert_int_equal(stats.failed, 1);
  assert_int_equal(stats.succeeded, 0);
  weir_operation_unref(guarded);
  weir_timeout_unref(timeout);
  weir_breaker_unref(breaker);
}

static void C19_both_together_under_one_timeout(struct fixture *fx) {
  weir_limiter *limiter = one_at_a_time(fx);
  weir_breaker *breaker = breaker_after(fx, 2);
  weir_timeout *timeout = timeout_of(fx, 10);
  weir_policy *policies[] = {weir_timeout_policy(timeout), weir_breaker_policy(breaker),
                             weir_limiter_policy(limiter)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, policies, 3, NULL, &pipeline, NULL), WEIR_OK);
  struct script *script = scripted(fx, "hang");
  struct run *first = begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
  advance_ms(fx, 10);
  struct run *second = begin_under(fx, weir_pipeline_policy(pipeline), script->operation);
  advance_ms(fx, 10);
  assert_int_equal(settled(first)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(second)->status, WEIR_ETIMEDOUT);
  assert_int_equal(script->started, 1); /* the second waited for the permit to its timeout */
  assert_int_equal(concurrent(limiter), 1);
  assert_int_equal(weir_breaker_state(breaker), WEIR_BREAKER_OPEN);
  finish_all(script);
  run_until_idle(fx);
  assert_int_equal(concurrent(limiter), 0);
  weir_pipeline_unref(pipeline);
  weir_timeout_unref(timeout);
  weir_breaker_unref(breaker);
  weir_limiter_unref(limiter);
}

TEST_MAIN("cancel", TEST(cancel_settles_in_a_later_turn_and_tells_the_attempt_once),
          TEST(cancel_before_the_start_never_starts), TEST(cancel_beside_a_completion_settles_once),
          TEST(cancel_completed_inside_on_cancel_frees_the_slot_after_it),
          TEST(cancel_of_nothing_is_invalid),
          TEST(C18_a_thousand_orphans_count_in_flight_show_in_the_audit_and_free_everything),
          TEST(C18_orphan_gives_its_place_back_when_it_ends),
          TEST(C19_timed_out_attempt_returns_its_permit_when_it_really_ends),
          TEST(C19_breaker_judges_a_timed_out_attempt_at_the_timeout),
          TEST(C19_both_together_under_one_timeout))
