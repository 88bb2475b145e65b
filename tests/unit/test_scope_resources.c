/* SPDX-License-Identifier: MIT */
/* Resources of scopes: opened by operations, closed in reverse when the scope ends. */

#include "scope_help.h"

/* Which closing operations began, by their input, in order. */
struct closings {
  int64_t inputs[8];
  size_t count;
};

static void note_closing(struct script *script, const weir_attempt *attempt) {
  struct closings *closings = script->user;
  if (closings->count < COUNT_OF(closings->inputs)) {
    closings->inputs[closings->count++] = value_number(attempt->input);
  }
}

static struct script *closer(struct fixture *fx, struct closings *closings, const char *words) {
  struct script *script = scripted(fx, words);
  memset(closings, 0, sizeof(*closings));
  script->on_start = note_closing;
  script->user = closings;
  return script;
}

static weir_operation *resource(struct fixture *fx, struct script *open, struct script *close,
                                const char *key) {
  (void)fx;
  weir_operation *operation = NULL;
  weir_status status =
      weir_scope_resource(open->operation, close->operation, key, &operation, NULL);
  assert_int_equal(status, WEIR_OK);
  return operation;
}

static void open_and_await(struct fixture *fx, weir_scope *scope, weir_operation *operation) {
  struct run *run = begin_in(fx, scope, operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
}

static void resources_close_in_reverse_with_what_open_gave(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1 v2 v3");
  struct script *close = closer(fx, &closings, "n+10");
  weir_operation *operation = resource(fx, open, close, "db");
  weir_scope *scope = make_scope(fx, NULL);
  for (int i = 0; i < 3; ++i) open_and_await(fx, scope, operation);
  weir_operation_unref(operation);
  assert_int_equal(stats_of(scope).resources, 3);
  weir_value *value = NULL;
  assert_int_equal(weir_scope_get_value(scope, "db", &value), WEIR_OK);
  assert_int_equal(value_number(value), 3);
  weir_value_unref(value);
  struct run *join = begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(close->started, 1);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_CLOSING);
  advance_ms(fx, 29);
  assert_pending(join);
  advance_ms(fx, 1);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(closings.count, 3);
  assert_int_equal(closings.inputs[0], 3);
  assert_int_equal(closings.inputs[1], 2);
  assert_int_equal(closings.inputs[2], 1);
  assert_int_equal(close->max_running, 1);
  assert_int_equal(stats_of(scope).resources, 0);
  weir_scope_unref(scope);
}

static void the_opening_operation_gets_the_runs_input(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1");
  struct script *close = closer(fx, &closings, "n");
  weir_scope *scope = make_scope(fx, NULL);
  weir_operation *operation = resource(fx, open, close, NULL);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.scope = scope;
  options.input = number_value(fx, 31);
  struct run *run = begin(fx, operation, &options);
  weir_value_unref(options.input);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(open->attempts[0].input, 31);
  weir_scope_unref(scope);
  run_until_idle(fx);
  assert_int_equal(closings.count, 1);
}

static void a_failing_close_does_not_keep_the_others(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1 v2 v3");
  struct script *close = closer(fx, &closings, "f500 f501 n");
  weir_operation *operation = resource(fx, open, close, NULL);
  weir_scope *scope = make_scope(fx, NULL);
  for (int i = 0; i < 3; ++i) open_and_await(fx, scope, operation);
  weir_operation_unref(operation);
  struct run *join = begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(close->started, 3);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(join)->code, 500);
  weir_scope_unref(scope);
}

static void a_failed_open_leaves_nothing_to_close(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "f503");
  struct script *close = closer(fx, &closings, "n");
  weir_operation *operation = resource(fx, open, close, "db");
  weir_scope *scope = make_scope(fx, NULL);
  struct run *run = begin_in(fx, scope, operation);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->code, 503);
  weir_value *value = NULL;
  assert_int_equal(weir_scope_get_value(scope, "db", &value), WEIR_ENOTFOUND);
  begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(close->started, 0);
  weir_scope_unref(scope);
}

static void a_cancelled_open_leaves_nothing_to_close(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "hang");
  struct script *close = closer(fx, &closings, "n");
  weir_operation *operation = resource(fx, open, close, "db");
  weir_scope *scope = make_scope(fx, NULL);
  struct run *run = begin_in(fx, scope, operation);
  weir_operation_unref(operation);
  run_until_idle(fx);
  weir_scope_cancel(scope);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  finish(open, 0, "v1");
  begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(close->started, 0);
  weir_scope_unref(scope);
}

static void close_the_runtime(struct run *run) { weir_runtime_close(run->fixture->runtime); }

static void closed_before_it_began_nothing_is_opened(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1");
  struct script *close = closer(fx, &closings, "n");
  weir_operation *operation = resource(fx, open, close, "db");
  weir_scope *scope = make_scope(fx, NULL);
  /* given a turn in which another run's end closes the runtime before this one begins */
  struct run *before = begin(fx, scripted(fx, "n")->operation, NULL);
  before->on_settled = close_the_runtime;
  struct run *run = begin_in(fx, scope, operation);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(open->started, 0);
  assert_int_equal(close->started, 0);
  weir_scope_unref(scope);
}

static void F16_scope_cancelled_while_a_cleanup_runs_lets_it_finish_and_runs_each_once(
    struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1 v2");
  struct script *close = closer(fx, &closings, "yield n");
  weir_operation *operation = resource(fx, open, close, NULL);
  weir_scope *scope = make_scope(fx, NULL);
  open_and_await(fx, scope, operation);
  open_and_await(fx, scope, operation);
  weir_operation_unref(operation);
  struct run *join = begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(close->running, 1);
  weir_scope_cancel(scope);
  weir_call_cancel(join->call);
  run_until_idle(fx);
  assert_int_equal(close->cancelled, 0);
  assert_int_equal(close->started, 1);
  finish(close, 0, "n");
  run_until_idle(fx);
  assert_int_equal(closings.count, 2);
  assert_int_equal(closings.inputs[0], 2);
  assert_int_equal(closings.inputs[1], 1);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_ENDED);
  weir_scope_unref(scope);
}

static void resources_close_after_the_attempts_that_may_use_them(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1");
  struct script *close = closer(fx, &closings, "n");
  struct script *user = scripted(fx, "hang");
  weir_operation *operation = resource(fx, open, close, NULL);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.exit = WEIR_SCOPE_CANCEL;
  weir_scope *scope = make_scope(fx, &options);
  open_and_await(fx, scope, operation);
  weir_operation_unref(operation);
  begin_in(fx, scope, user->operation);
  run_until_idle(fx);
  begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(user->running, 1);
  assert_int_equal(close->started, 0);
  finish(user, 0, "v1");
  run_until_idle(fx);
  assert_int_equal(close->started, 1);
  weir_scope_unref(scope);
}

static void scopes_within_close_theirs_first(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1 v2");
  struct script *close = closer(fx, &closings, "n+10");
  weir_operation *operation = resource(fx, open, close, NULL);
  weir_scope *outer = make_scope(fx, NULL);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.parent = outer;
  weir_scope *inner = make_scope(fx, &options);
  open_and_await(fx, outer, operation);
  open_and_await(fx, inner, operation);
  weir_operation_unref(operation);
  struct run *join = begin_join(fx, outer);
  advance_ms(fx, 20);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(closings.inputs[0], 2);
  assert_int_equal(closings.inputs[1], 1);
  weir_scope_unref(inner);
  weir_scope_unref(outer);
}

static void a_bodys_resources_close_before_its_outcome_shows(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v7");
  struct script *close = closer(fx, &closings, "f500+10");
  weir_operation *body = resource(fx, open, close, NULL);
  weir_operation *operation = NULL;
  weir_status status = weir_scope_operation(body, NULL, &operation, NULL);
  weir_operation_unref(body);
  assert_int_equal(status, WEIR_OK);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  advance_ms(fx, 9);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->code, 500);
  assert_int_equal(closings.inputs[0], 7);
}

static void cleanups_go_on_when_the_body_was_cancelled(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v7");
  struct script *close = closer(fx, &closings, "n+10");
  struct script *work = scripted(fx, "yield");
  weir_operation *opening = resource(fx, open, close, NULL);
  weir_operation *steps[] = {opening, work->operation};
  weir_operation *body = NULL;
  weir_status status = weir_waterfall_new(fx->runtime, steps, 2, NULL, &body, NULL);
  weir_operation_unref(opening);
  assert_int_equal(status, WEIR_OK);
  weir_operation *operation = NULL;
  status = weir_scope_operation(body, NULL, &operation, NULL);
  weir_operation_unref(body);
  assert_int_equal(status, WEIR_OK);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  weir_call_cancel(run->call);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(close->running, 1);
  assert_int_equal(closings.inputs[0], 7);
  advance_ms(fx, 10);
  assert_int_equal(close->running, 0);
}

static void F23_third_open_fails_and_the_two_open_ones_close_in_reverse(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1 v2 f503");
  struct script *close = closer(fx, &closings, "n");
  struct script *work = scripted(fx, "v9");
  weir_operation *opening = resource(fx, open, close, NULL);
  weir_operation *steps[] = {opening, opening, opening, work->operation};
  weir_operation *body = NULL;
  weir_status status = weir_waterfall_new(fx->runtime, steps, 4, NULL, &body, NULL);
  weir_operation_unref(opening);
  assert_int_equal(status, WEIR_OK);
  weir_operation *operation = NULL;
  status = weir_scope_operation(body, NULL, &operation, NULL);
  weir_operation_unref(body);
  assert_int_equal(status, WEIR_OK);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 503);
  assert_int_equal(work->started, 0);
  assert_int_equal(closings.count, 2);
  assert_int_equal(closings.inputs[0], 2);
  assert_int_equal(closings.inputs[1], 1);
}

static void outside_of_a_scope_nothing_is_opened(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1");
  struct script *close = closer(fx, &closings, "n");
  weir_operation *operation = resource(fx, open, close, NULL);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EINVAL);
  assert_int_equal(open->started, 0);
}

static void a_closing_runtime_leaves_resources_to_their_values(struct fixture *fx) {
  struct closings closings;
  static unsigned freed;
  struct script *open = scripted(fx, "hang");
  struct script *close = closer(fx, &closings, "n");
  struct script *work = scripted(fx, "yield");
  weir_operation *operation = resource(fx, open, close, "db");
  weir_scope *scope = make_scope(fx, NULL);
  begin_in(fx, scope, operation);
  begin_in(fx, scope, work->operation);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(open->started, 1);
  weir_complete_pointer(fx->runtime, open->attempts[0].token, &freed, count_free);
  open->attempts[0].completed = 1;
  run_until_idle(fx);
  begin_join(fx, scope);
  run_until_idle(fx);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(close->started, 0);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_ENDED);
  assert_int_equal(stats_of(scope).resources, 0);
  weir_scope_unref(scope);
}

static void a_closing_operation_may_have_a_scope_of_its_own(struct fixture *fx) {
  struct closings closings;
  struct script *open = scripted(fx, "v1");
  struct script *close = closer(fx, &closings, "n+10");
  weir_operation *closing = NULL;
  weir_operation *operation = NULL;
  weir_status made = weir_scope_operation(close->operation, NULL, &closing, NULL);
  assert_int_equal(made, WEIR_OK);
  made = weir_scope_resource(open->operation, closing, "db", &operation, NULL);
  weir_operation_unref(closing);
  assert_int_equal(made, WEIR_OK);
  weir_scope *scope = make_scope(fx, NULL);
  open_and_await(fx, scope, operation);
  weir_operation_unref(operation);
  struct run *join = begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(close->started, 1);
  assert_int_equal(closings.inputs[0], 1);
  /* Nothing cancels it. */
  assert_int_equal(weir_scope_cancel(scope), WEIR_OK);
  advance_ms(fx, 10);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_ENDED);
  weir_scope_unref(scope);
}

static void a_closing_operation_cannot_join_what_it_closes(struct fixture *fx) {
  struct script *open = scripted(fx, "v1");
  weir_scope *scope = make_scope(fx, NULL);
  weir_operation *join = NULL;
  weir_operation *operation = NULL;
  weir_status made = weir_scope_join(scope, &join, NULL);
  assert_int_equal(made, WEIR_OK);
  made = weir_scope_resource(open->operation, join, NULL, &operation, NULL);
  weir_operation_unref(join);
  assert_int_equal(made, WEIR_OK);
  open_and_await(fx, scope, operation);
  weir_operation_unref(operation);
  struct run *end = begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(settled(end)->status, WEIR_EINVAL);
  weir_scope_unref(scope);
}

TEST_MAIN("scope resources", TEST(resources_close_in_reverse_with_what_open_gave),
          TEST(the_opening_operation_gets_the_runs_input),
          TEST(a_failing_close_does_not_keep_the_others),
          TEST(a_failed_open_leaves_nothing_to_close),
          TEST(a_cancelled_open_leaves_nothing_to_close),
          TEST(closed_before_it_began_nothing_is_opened),
          TEST(F16_scope_cancelled_while_a_cleanup_runs_lets_it_finish_and_runs_each_once),
          TEST(resources_close_after_the_attempts_that_may_use_them),
          TEST(scopes_within_close_theirs_first),
          TEST(a_bodys_resources_close_before_its_outcome_shows),
          TEST(cleanups_go_on_when_the_body_was_cancelled),
          TEST(F23_third_open_fails_and_the_two_open_ones_close_in_reverse),
          TEST(outside_of_a_scope_nothing_is_opened),
          TEST(a_closing_runtime_leaves_resources_to_their_values),
          TEST(a_closing_operation_may_have_a_scope_of_its_own),
          TEST(a_closing_operation_cannot_join_what_it_closes))
