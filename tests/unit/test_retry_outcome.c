/* SPDX-License-Identifier: MIT */
/* What comes out of a retry, and what is given back on the way: judged values, refusals, the last
 * real error. */

#include "support_retry.h"

/* ---- what is given back ---- */

static unsigned values_freed;

static void free_value(void *pointer) { values_freed += *(unsigned *)pointer; }

static void complete_with_pointer(void *data, weir_attempt *attempt) {
  weir_complete_pointer(attempt->runtime, attempt->token, data, free_value);
}

static uint32_t always_pending(void *data, const weir_outcome *outcome) {
  (void)data;
  return outcome->channel == WEIR_CHANNEL_VALUE ? WEIR_CLASS_FAILURE : WEIR_CLASS_NONE;
}

static void R07_each_discarded_result_is_freed_once_and_the_last_is_the_callers(
    struct fixture *fx) {
  static unsigned one = 1;
  values_freed = 0;
  weir_operation *operation = NULL;
  assert_int_equal(
      weir_operation_new(fx->runtime, complete_with_pointer, &one, NULL, &operation, NULL),
      WEIR_OK);
  weir_retry_options options = plain(4, 10);
  options.classify = always_pending;
  weir_retry *retry = make_retry(fx, &options);
  struct run *run = begin_under(fx, weir_retry_policy(retry), operation);
  weir_retry_unref(retry);
  weir_operation_unref(operation);
  advance_ms(fx, 15);
  assert_int_equal(values_freed, 1); /* the second took the first one's place */
  advance_ms(fx, 15);
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
  assert_int_equal(values_freed, 3);
  assert_ptr_equal(settled(run)->pointer, &one);
  assert_ptr_equal(weir_value_pointer(weir_call_outcome(run->call)->value), &one);
  weir_call_unref(run->call);
  run->call = NULL;
  assert_int_equal(values_freed, 4);
}

static void R07_a_result_kept_over_a_cancelled_delay_is_freed(struct fixture *fx) {
  static unsigned one = 1;
  values_freed = 0;
  weir_operation *operation = NULL;
  assert_int_equal(
      weir_operation_new(fx->runtime, complete_with_pointer, &one, NULL, &operation, NULL),
      WEIR_OK);
  weir_retry_options options = plain(4, 10);
  options.classify = always_pending;
  weir_retry *retry = make_retry(fx, &options);
  struct run *run = begin_under(fx, weir_retry_policy(retry), operation);
  weir_retry_unref(retry);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(values_freed, 0);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(values_freed, 1);
}

/* ---- values and refusals ---- */

static void R15_U1_five_pending_values_end_as_exhausted_with_the_fifth(struct fixture *fx) {
  weir_retry_options options = plain(5, 1000);
  options.backoff = WEIR_BACKOFF_EXPONENTIAL;
  options.classify = small_is_pending;
  struct script *poll = scripted(fx, "v1 v2 v3 v4 v5");
  struct run *run = begin_retried(fx, &options, poll);
  advance_ms(fx, 15000);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->error_status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->value, 5);
  assert_int_equal(settled(run)->attempts, 5);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
  assert_int_equal(settled(run)->elapsed_ns, 15 * SECOND);
}

static void R15_U1_a_value_that_is_no_longer_pending_comes_out(struct fixture *fx) {
  weir_retry_options options = plain(5, 1000);
  options.classify = small_is_pending;
  struct script *poll = scripted(fx, "v1 v2 v100");
  struct run *run = begin_retried(fx, &options, poll);
  advance_ms(fx, 15000);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(settled(run)->value, 100);
  assert_int_equal(settled(run)->attempts, 3);
}

static void R15_an_error_after_pending_values_comes_out_itself(struct fixture *fx) {
  weir_retry_options options = plain(3, 10);
  options.classify = small_is_pending;
  struct script *poll = scripted(fx, "v1 v2 f500");
  struct run *run = begin_retried(fx, &options, poll);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 500);
  assert_int_equal(settled(run)->value_kind, WEIR_VALUE_NONE);
}

static int32_t never_again(void *data, const weir_outcome *outcome, uint32_t attempt) {
  (void)data;
  (void)outcome;
  (void)attempt;
  return 0;
}

static void R15_a_judged_value_never_comes_out_as_a_success(struct fixture *fx) {
  weir_retry_options options = plain(5, 1000);
  options.classify = small_is_pending;
  options.max_elapsed_ms = 500;
  struct run *elapsed = begin_retried(fx, &options, scripted(fx, "v1"));
  options.max_elapsed_ms = WEIR_FOREVER;
  struct run *no_time = begin_with_deadline(fx, &options, scripted(fx, "v1"), 500);
  options.should_retry = never_again;
  struct run *stopped = begin_retried(fx, &options, scripted(fx, "v1"));
  run_until_idle(fx);
  assert_int_equal(settled(elapsed)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(elapsed)->stop_reason, WEIR_STOP_ELAPSED);
  assert_int_equal(settled(elapsed)->value, 1);
  assert_int_equal(settled(no_time)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(no_time)->stop_reason, WEIR_STOP_NO_TIME);
  assert_int_equal(settled(stopped)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(stopped)->stop_reason, WEIR_STOP_CLASSIFIED);
}

static void R15_a_completer_may_call_a_value_a_failure(struct fixture *fx) {
  weir_retry_options options = plain(2, 10);
  struct script *poll = scripted(fx, "c1/2 c2/2");
  struct run *run = begin_retried(fx, &options, poll);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(settled(run)->attempts, 2);
}

/* Refusals, told by their completer: class 3. */
static void R16_a_refusal_on_the_first_try_returns_itself(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  struct script *fetch = scripted(fx, "f9/3@700 v2");
  struct run *run = begin_retried(fx, &options, fetch);
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 9);
  assert_int_equal(settled(run)->retry_after_ms, 700);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_REFUSED);
  assert_int_equal(settled(run)->attempts, 1);
}

static void R16_after_two_real_failures_a_refusal_returns_the_last_of_them(struct fixture *fx) {
  weir_retry_options options = plain(5, 100);
  struct script *fetch = scripted(fx, "f500 f501 f9/3@700");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 501);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_REFUSED);
  assert_int_equal(settled(run)->retry_after_ms, 700);
  assert_int_equal(settled(run)->attempts, 3);
}

static void R16_after_a_pending_value_a_refusal_returns_it_as_exhausted(struct fixture *fx) {
  weir_retry_options options = plain(5, 100);
  options.classify = small_is_pending;
  struct script *fetch = scripted(fx, "v1 f9/3");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->status, WEIR_EEXHAUSTED);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_REFUSED);
}

static void retry_refusals_sleeps_for_what_the_refusal_says(struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.retry_refusals = 1;
  struct script *fetch = scripted(fx, "f9/3@700 v2");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 699);
  assert_int_equal(fetch->started, 1);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->value, 2);
  assert_int_equal(settled(run)->elapsed_ns, 700 * MS);
}

static void retry_refusals_returns_at_once_without_a_time_or_beyond_the_deadline(
    struct fixture *fx) {
  weir_retry_options options = plain(3, 100);
  options.retry_refusals = 1;
  struct run *unknown = begin_retried(fx, &options, scripted(fx, "f9/3 v2"));
  struct run *late = begin_with_deadline(fx, &options, scripted(fx, "f9/3@700 v2"), 600);
  run_until_idle(fx);
  assert_int_equal(settled(unknown)->code, 9);
  assert_int_equal(settled(unknown)->stop_reason, WEIR_STOP_REFUSED);
  assert_int_equal(settled(late)->code, 9);
  assert_int_equal(settled(late)->stop_reason, WEIR_STOP_NO_TIME);
}

static void retry_refusals_still_shows_the_last_real_error(struct fixture *fx) {
  weir_retry_options options = plain(4, 100);
  options.retry_refusals = 1;
  struct script *fetch = scripted(fx, "f500 f9/3@50 f9/3@60 f9/3@70");
  struct run *run = begin_retried(fx, &options, fetch);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->code, 500);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
  assert_int_equal(settled(run)->retry_after_ms, 70);
  assert_int_equal(settled(run)->attempts, 4);
}

static void retry_refusals_that_comes_too_late_returns_the_refusal(struct fixture *fx) {
  weir_retry_options options = plain(4, 100);
  options.retry_refusals = 1;
  options.max_elapsed_ms = 100;
  struct script *fetch = scripted(fx, "f9/3@50 v2");
  struct run *run = begin_retried(fx, &options, fetch);
  run_until_idle(fx);
  weir_runtime_process(fx->runtime, now_ns(fx) + 101 * MS);
  assert_int_equal(settled(run)->code, 9);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ELAPSED);
}

/* ---- out of memory ---- */

/* The slots that there are after the first growth of the table of attempts. */
enum { SLOTS = 64 };

static void use_up_the_slots(struct fixture *fx) {
  struct script *endless = scripted(fx, "hang");
  for (int i = 0; i < SLOTS; i++) begin(fx, endless->operation, NULL);
  run_until_idle(fx);
  memory_fail(&fx->memory, 1, 1);
}

static void a_later_attempt_without_memory_returns_the_last_real_error(struct fixture *fx) {
  weir_retry_options options = plain(5, 100);
  struct run *run = begin_retried(fx, &options, scripted(fx, "f1"));
  run_until_idle(fx);
  use_up_the_slots(fx);
  advance_ms(fx, 100);
  memory_fail(&fx->memory, 0, 0);
  assert_int_equal(settled(run)->code, 1);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NO_MEMORY);
  assert_int_equal(settled(run)->attempts, 1);
}

static void nested_retries_without_memory_return_the_last_real_error(struct fixture *fx) {
  weir_retry_options options = plain(2, 100);
  weir_retry *outer = make_retry(fx, &options);
  weir_retry *inner = make_retry(fx, &options);
  struct script *fetch = scripted(fx, "f1 f2 f3");
  weir_operation *wrapped = NULL;
  assert_int_equal(weir_policy_wrap(weir_retry_policy(inner), fetch->operation, &wrapped, NULL),
                   WEIR_OK);
  struct run *run = begin_under(fx, weir_retry_policy(outer), wrapped);
  advance_ms(fx, 200); /* the outer one holds the second error, the inner one the third */
  use_up_the_slots(fx);
  advance_ms(fx, 100);
  memory_fail(&fx->memory, 0, 0);
  assert_int_equal(settled(run)->code, 3);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NO_MEMORY);
  assert_int_equal(settled(run)->elapsed_ns, 300 * MS); /* the outer one does not go on */
  weir_operation_unref(wrapped);
  weir_retry_unref(inner);
  weir_retry_unref(outer);
}

static void an_outer_retry_without_memory_returns_what_it_has_kept(struct fixture *fx) {
  weir_retry_options options = plain(2, 100);
  weir_retry *outer = make_retry(fx, &options);
  weir_retry *inner = make_retry(fx, &options);
  struct script *fetch = scripted(fx, "f1 f2 f3");
  weir_operation *wrapped = NULL;
  assert_int_equal(weir_policy_wrap(weir_retry_policy(inner), fetch->operation, &wrapped, NULL),
                   WEIR_OK);
  struct run *run = begin_under(fx, weir_retry_policy(outer), wrapped);
  advance_ms(fx, 100); /* the outer one sleeps: the next attempt is the inner one's first */
  use_up_the_slots(fx);
  advance_ms(fx, 100);
  memory_fail(&fx->memory, 0, 0);
  assert_int_equal(settled(run)->code, 2);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_NO_MEMORY);
  assert_int_equal(settled(run)->elapsed_ns, 200 * MS);
  weir_operation_unref(wrapped);
  weir_retry_unref(inner);
  weir_retry_unref(outer);
}

TEST_MAIN("retry outcome",
          TEST(R07_each_discarded_result_is_freed_once_and_the_last_is_the_callers),
          TEST(R07_a_result_kept_over_a_cancelled_delay_is_freed),
          TEST(R15_U1_five_pending_values_end_as_exhausted_with_the_fifth),
          TEST(R15_U1_a_value_that_is_no_longer_pending_comes_out),
          TEST(R15_an_error_after_pending_values_comes_out_itself),
          TEST(R15_a_judged_value_never_comes_out_as_a_success),
          TEST(R15_a_completer_may_call_a_value_a_failure),
          TEST(R16_a_refusal_on_the_first_try_returns_itself),
          TEST(R16_after_two_real_failures_a_refusal_returns_the_last_of_them),
          TEST(R16_after_a_pending_value_a_refusal_returns_it_as_exhausted),
          TEST(retry_refusals_sleeps_for_what_the_refusal_says),
          TEST(retry_refusals_returns_at_once_without_a_time_or_beyond_the_deadline),
          TEST(retry_refusals_still_shows_the_last_real_error),
          TEST(retry_refusals_that_comes_too_late_returns_the_refusal),
          LONG_TEST(a_later_attempt_without_memory_returns_the_last_real_error),
          LONG_TEST(nested_retries_without_memory_return_the_last_real_error),
          LONG_TEST(an_outer_retry_without_memory_returns_what_it_has_kept))
