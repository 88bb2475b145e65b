/* SPDX-License-Identifier: MIT */
/* C03 and its neighbours: every way to complete an attempt, at every wrong moment: a status each,
 * and what was handed over freed exactly once. */

#include "support.h"

/* Calls each completing function once for `token`; all take what they are given. */
enum { WAYS = 7 };

static weir_status complete_in(struct fixture *fx, size_t way, weir_token token, unsigned *freed) {
  weir_value *value = NULL;
  weir_error *error = NULL;
  switch (way) {
    case 0:
      return weir_complete(fx->runtime, token, NULL);
    case 1:
      return weir_complete_bytes(fx->runtime, token, "abc", 3);
    case 2:
      return weir_complete_pointer(fx->runtime, token, freed, count_free);
    case 3:
      return weir_fail(fx->runtime, token, WEIR_DOMAIN_USER, 1, "failed");
    case 4:
      assert_int_equal(weir_error_new(fx->runtime, 0, 1, NULL, &error), WEIR_OK);
      return weir_fail_with(fx->runtime, token, error);
    case 5:
      assert_int_equal(weir_value_new_pointer(fx->runtime, freed, count_free, &value), WEIR_OK);
      return weir_complete(fx->runtime, token, value);
    default:
      assert_int_equal(weir_value_new_pointer(fx->runtime, freed, count_free, &value), WEIR_OK);
      assert_int_equal(weir_error_new(fx->runtime, 0, 1, NULL, &error), WEIR_OK);
      return weir_complete_with(fx->runtime, token, value, error, NULL);
  }
}

static unsigned frees_of(size_t way) { return way == 2 || way >= 5; }

static int is_failure(size_t way) { return way == 3 || way == 4 || way == 6; }

static void C03_each_way_completes_once_and_is_stale_the_second_time(struct fixture *fx) {
  for (size_t way = 0; way < WAYS; way++) {
    unsigned freed = 0;
    struct script *script = scripted(fx, "hang");
    struct run *run = begin(fx, script->operation, NULL);
    run_until_idle(fx);
    weir_token token = script->attempts[0].token;
    assert_int_equal(complete_in(fx, way, token, &freed), WEIR_OK);
    script->attempts[0].completed = 1;
    assert_int_equal(complete_in(fx, way, token, &freed), WEIR_ESTALE);
    assert_pending(run);
    run_until_idle(fx);

    uint32_t channel = is_failure(way) ? WEIR_CHANNEL_ERROR : WEIR_CHANNEL_VALUE;
    assert_int_equal(settled(run)->channel, channel);
    assert_int_equal(complete_in(fx, way, token, &freed), WEIR_ESTALE);
    weir_call_unref(run->call);
    run->call = NULL;
    run_until_idle(fx);
    assert_int_equal(freed, 3 * frees_of(way));
  }
}

static void C03_completing_after_cancel_is_taken_and_freed(struct fixture *fx) {
  for (size_t way = 0; way < WAYS; way++) {
    unsigned freed = 0;
    struct script *script = scripted(fx, "hang");
    struct run *run = begin(fx, script->operation, NULL);
    run_until_idle(fx);
    assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(settled(run)->status, WEIR_ECANCELLED);

    assert_int_equal(complete_in(fx, way, script->attempts[0].token, &freed), WEIR_OK);
    script->attempts[0].completed = 1;
    run_until_idle(fx);
    assert_int_equal(freed, frees_of(way));
    assert_int_equal(complete_in(fx, way, script->attempts[0].token, &freed), WEIR_ESTALE);
    assert_int_equal(freed, 2 * frees_of(way));
    assert_int_equal(script->attempts[0].slot_freed, 1);
  }
}

static void C03_completing_after_the_runtime_closed_is_safe(struct fixture *fx) {
  enum { ATTEMPTS = WAYS };
  unsigned freed = 0;
  unsigned expected = 0;
  struct script *script = scripted(fx, "hang");
  for (size_t i = 0; i < ATTEMPTS; i++) begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  for (size_t way = 0; way < WAYS; way++) {
    assert_int_equal(complete_in(fx, way, script->attempts[way].token, &freed), WEIR_OK);
    script->attempts[way].completed = 1;
    assert_int_equal(complete_in(fx, way, script->attempts[way].token, &freed), WEIR_ESTALE);
    expected += 2 * frees_of(way);
  }
  run_until_idle(fx);
  assert_int_equal(freed, expected);
}

static void C03_token_that_never_was_is_stale(struct fixture *fx) {
  static const weir_token tokens[] = {
      0, 1, UINT64_MAX, UINT64_C(1) << 32, UINT32_MAX, UINT64_C(0xdeadbeefcafebabe)};
  unsigned freed = 0;
  unsigned expected = 0;
  for (size_t i = 0; i < COUNT_OF(tokens); i++) {
    for (size_t way = 0; way < WAYS; way++) {
      assert_int_equal(complete_in(fx, way, tokens[i], &freed), WEIR_ESTALE);
      expected += frees_of(way);
    }
  }
  assert_int_equal(freed, expected);
}

static void C03_token_of_an_ended_attempt_does_not_complete_its_successor(struct fixture *fx) {
  enum { LIVES = 300 };
  struct script *script = scripted(fx, "v1+1");
  weir_token first = 0;
  for (size_t i = 0; i < LIVES && i < SCRIPT_ATTEMPTS; i++) {
    struct run *run = begin(fx, script->operation, NULL);
    run_until_idle(fx);
    if (i == 0) first = script->attempts[0].token;
    if (i > 0) assert_int_equal(weir_complete(fx->runtime, first, NULL), WEIR_ESTALE);
    advance_ms(fx, 1);
    assert_int_equal(settled(run)->value, 1);
  }
}

static void completing_with_bad_arguments_leaves_the_attempt(struct fixture *fx) {
  unsigned freed = 0;
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  weir_token token = script->attempts[0].token;
  assert_int_equal(weir_complete(NULL, token, NULL), WEIR_EINVAL);
  assert_int_equal(weir_complete_bytes(NULL, token, "x", 1), WEIR_EINVAL);
  assert_int_equal(weir_complete_bytes(fx->runtime, token, NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_complete_pointer(NULL, token, &freed, count_free), WEIR_EINVAL);
  assert_int_equal(freed, 1);
  assert_int_equal(weir_fail(NULL, token, 0, 1, "x"), WEIR_EINVAL);
  assert_int_equal(weir_fail_with(NULL, token, NULL), WEIR_EINVAL);
  assert_int_equal(weir_fail_with(fx->runtime, token, NULL), WEIR_EINVAL);
  assert_int_equal(weir_complete_with(NULL, token, NULL, NULL, NULL), WEIR_EINVAL);
  run_until_idle(fx);
  assert_pending(run);
  assert_int_equal(finish(script, 0, "v5"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 5);
}

static void completion_struct_is_checked_and_its_value_taken(struct fixture *fx) {
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  unsigned freed = 0;
  run_until_idle(fx);
  weir_token token = script->attempts[0].token;
  static const struct {
    weir_completion completion;
    weir_status status;
  } wrong[] = {
      {{0, 0, 0, 0, WEIR_OFF}, WEIR_EABI},
      {{sizeof(weir_completion), 6, 0, 0, WEIR_OFF}, WEIR_EINVAL},
      {{sizeof(weir_completion), 0, 2, 0, WEIR_OFF}, WEIR_EINVAL},
      {{sizeof(weir_completion), 0, 0, 1, WEIR_OFF}, WEIR_EINVAL},
      {{sizeof(weir_completion), 0, 0, 0, -2}, WEIR_EINVAL},
  };
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    weir_value *value = NULL;
    assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &value), WEIR_OK);
    assert_int_equal(weir_complete_with(fx->runtime, token, value, NULL, &wrong[i].completion),
                     wrong[i].status);
    assert_int_equal(freed, i + 1);
  }
  assert_int_equal(finish(script, 0, "v5"), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 5);
}

static void bytes_without_memory_fail_the_attempt_and_say_so(struct fixture *fx) {
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  memory_fail(&fx->memory, 1, 1);
  weir_status status = weir_complete_bytes(fx->runtime, script->attempts[0].token, "abc", 3);
  memory_fail(&fx->memory, 0, 0);
  script->attempts[0].completed = 1;
  run_until_idle(fx);
  assert_int_equal(status, WEIR_ENOMEM);
  assert_int_equal(settled(run)->status, WEIR_ENOMEM);
  assert_int_equal(run->result.channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(run->result.error_status, WEIR_ENOMEM);
}

static void pointer_without_memory_is_freed_and_fails_the_attempt(struct fixture *fx) {
  unsigned freed = 0;
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  memory_fail(&fx->memory, 1, 1);
  weir_status status =
      weir_complete_pointer(fx->runtime, script->attempts[0].token, &freed, count_free);
  memory_fail(&fx->memory, 0, 0);
  script->attempts[0].completed = 1;
  run_until_idle(fx);
  assert_int_equal(status, WEIR_ENOMEM);
  assert_int_equal(freed, 1);
  assert_int_equal(settled(run)->status, WEIR_ENOMEM);
}

static void fail_without_memory_fails_the_attempt_for_no_memory(struct fixture *fx) {
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  memory_fail(&fx->memory, 1, 1);
  weir_status status = weir_fail(fx->runtime, script->attempts[0].token, 1000, 5, "lost");
  memory_fail(&fx->memory, 0, 0);
  script->attempts[0].completed = 1;
  run_until_idle(fx);
  assert_int_equal(status, WEIR_ENOMEM);
  assert_int_equal(settled(run)->status, WEIR_ENOMEM);
}

static void error_given_to_fail_with_reaches_the_outcome(struct fixture *fx) {
  unsigned freed = 0;
  weir_value *detail = NULL;
  weir_error *error = NULL;
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_value_new_pointer(fx->runtime, &freed, count_free, &detail), WEIR_OK);
  assert_int_equal(weir_error_new_with(fx->runtime, 3, 500, "body", NULL, detail, &error), WEIR_OK);
  weir_value_unref(detail);
  weir_error_ref(error);
  assert_int_equal(weir_fail_with(fx->runtime, script->attempts[0].token, error), WEIR_OK);
  script->attempts[0].completed = 1;
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 500);
  assert_ptr_equal(weir_call_outcome(run->call)->error, error);
  weir_error_unref(error);
  weir_call_unref(run->call);
  run->call = NULL;
  run_until_idle(fx);
  assert_int_equal(freed, 1);
}

static void C08_completions_are_taken_up_to_their_edges(struct fixture *fx) {
  static const weir_completion legal[] = {
      {sizeof(weir_completion), WEIR_CLASS_NONE, 0, 0, WEIR_OFF},
      {sizeof(weir_completion), WEIR_CLASS_SUCCESS, 0, 0, 0},
      {sizeof(weir_completion), WEIR_CLASS_ABANDON, 1, 0, INT64_MAX},
  };
  struct script *script = scripted(fx, "hang");
  for (size_t i = 0; i < COUNT_OF(legal); i++) {
    struct run *run = begin(fx, script->operation, NULL);
    run_until_idle(fx);
    weir_token token = script->attempts[i].token;
    assert_int_equal(weir_complete_with(fx->runtime, token, NULL, NULL, &legal[i]), WEIR_OK);
    script->attempts[i].completed = 1;
    run_until_idle(fx);
    assert_int_equal(settled(run)->class_, legal[i].class_);
    assert_int_equal(settled(run)->final, legal[i].final);
    assert_true(settled(run)->retry_after_ms == legal[i].retry_after_ms);
  }
}

TEST_MAIN("completing", TEST(C03_each_way_completes_once_and_is_stale_the_second_time),
          TEST(C03_completing_after_cancel_is_taken_and_freed),
          TEST(C03_completing_after_the_runtime_closed_is_safe),
          TEST(C03_token_that_never_was_is_stale),
          TEST(C03_token_of_an_ended_attempt_does_not_complete_its_successor),
          TEST(completing_with_bad_arguments_leaves_the_attempt),
          TEST(completion_struct_is_checked_and_its_value_taken),
          TEST(C08_completions_are_taken_up_to_their_edges),
          TEST(bytes_without_memory_fail_the_attempt_and_say_so),
          TEST(pointer_without_memory_is_freed_and_fails_the_attempt),
          TEST(fail_without_memory_fails_the_attempt_for_no_memory),
          TEST(error_given_to_fail_with_reaches_the_outcome))
