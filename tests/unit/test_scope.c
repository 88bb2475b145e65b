/* SPDX-License-Identifier: MIT */
/* Scopes: calls grouped, cancelled and joined together. */

#include "scope_help.h"

static weir_operation *scope_around(struct fixture *fx, weir_operation *body,
                                    const weir_scope_options *options) {
  (void)fx;
  weir_operation *operation = NULL;
  weir_status status = weir_scope_operation(body, options, &operation, NULL);
  assert_int_equal(status, WEIR_OK);
  return operation;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void a_join_waits_for_all_calls(struct fixture *fx) {
  weir_scope *scope = make_scope(fx, NULL);
  struct script *work = scripted(fx, "v1+20 v2+50");
  struct run *first = begin_in(fx, scope, work->operation);
  struct run *second = begin_in(fx, scope, work->operation);
  struct run *join = begin_join(fx, scope);
  advance_ms(fx, 20);
  assert_int_equal(settled(first)->value, 1);
  assert_pending(join);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_ENDING);
  assert_int_equal(stats_of(scope).calls, 1);
  advance_ms(fx, 30);
  assert_int_equal(settled(second)->value, 2);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(settled(join)->at_ns, settled(second)->at_ns);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_ENDED);
  weir_scope_unref(scope);
}

static void an_empty_scope_ends_at_once(struct fixture *fx) {
  weir_scope *scope = make_scope(fx, NULL);
  struct run *join = begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(settled(join)->elapsed_ns, 0);
  struct run *again = begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(settled(again)->channel, WEIR_CHANNEL_VALUE);
  weir_scope_unref(scope);
}

static void an_ending_scope_takes_no_runs(struct fixture *fx) {
  weir_scope *scope = make_scope(fx, NULL);
  struct script *work = scripted(fx, "v1+20");
  begin_in(fx, scope, work->operation);
  begin_join(fx, scope);
  run_until_idle(fx);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.scope = scope;
  weir_error *error = NULL;
  struct run *late = try_begin(fx, work->operation, &options, &error);
  assert_int_equal(late->status, WEIR_ECLOSED);
  assert_message(error, "takes no more runs");
  weir_scope_options inside = WEIR_SCOPE_OPTIONS_INIT;
  inside.parent = scope;
  weir_scope *child = NULL;
  error = NULL;
  assert_int_equal(weir_scope_new(fx->runtime, &inside, &child, &error), WEIR_ECLOSED);
  assert_null(child);
  assert_message(error, "takes no more");
  advance_ms(fx, 20);
  weir_scope_unref(scope);
}

static void the_last_unref_ends_it(struct fixture *fx) {
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.exit = WEIR_SCOPE_CANCEL;
  weir_scope *scope = make_scope(fx, &options);
  struct script *work = scripted(fx, "yield");
  struct run *run = begin_in(fx, scope, work->operation);
  run_until_idle(fx);
  weir_scope_unref(scope);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
}

static void exit_cancel_cancels_at_once(struct fixture *fx) {
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.exit = WEIR_SCOPE_CANCEL;
  weir_scope *scope = make_scope(fx, &options);
  struct script *work = scripted(fx, "yield");
  struct run *runs[100];
  for (size_t i = 0; i < COUNT_OF(runs); ++i) runs[i] = begin_in(fx, scope, work->operation);
  run_until_idle(fx);
  struct run *join = begin_join(fx, scope);
  run_until_idle(fx);
  for (size_t i = 0; i < COUNT_OF(runs); ++i) {
    assert_int_equal(settled(runs[i])->channel, WEIR_CHANNEL_STOPPED);
    assert_int_equal(settled(runs[i])->cancel_reason, WEIR_CANCEL_CALLER);
  }
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  weir_scope_unref(scope);
}

static void exit_grace_waits_and_then_cancels(struct fixture *fx) {
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.exit = WEIR_SCOPE_GRACE;
  options.grace_ms = 100;
  weir_scope *scope = make_scope(fx, &options);
  struct script *quick = scripted(fx, "v1+99");
  struct script *slow = scripted(fx, "yield");
  struct run *in_time = begin_in(fx, scope, quick->operation);
  struct run *late = begin_in(fx, scope, slow->operation);
  struct run *join = begin_join(fx, scope);
  advance_ms(fx, 99);
  assert_int_equal(settled(in_time)->value, 1);
  assert_pending(late);
  advance_ms(fx, 1);
  assert_int_equal(settled(late)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  weir_scope_unref(scope);
}

struct lines {
  char text[20][128];
  size_t count;
};

static void keep_line(void *data, int32_t level, const char *subject, const char *message) {
  struct lines *lines = data;
  if (lines->count == COUNT_OF(lines->text)) return;
  snprintf(lines->text[lines->count++], sizeof(lines->text[0]), "%d %s: %s", level, subject,
           message);
}

static void log_to(struct fixture *fx, struct lines *lines) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.log = keep_line;
  options.log_data = lines;
  options.log_level = WEIR_LOG_DEBUG;
  memset(lines, 0, sizeof(*lines));
  remake_runtime(fx, &options);
}

static void F17_scope_with_a_stuck_operation_ends_after_its_grace_with_a_report(
    struct fixture *fx) {
  struct lines lines;
  log_to(fx, &lines);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.exit = WEIR_SCOPE_CANCEL;
  options.grace_ms = 100;
  options.name = "import";
  weir_scope *scope = make_scope(fx, &options);
  struct script *stuck = scripted(fx, "hang");
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.scope = scope;
  run_options.name = "download";
  struct run *run = begin(fx, stuck->operation, &run_options);
  run_until_idle(fx);
  struct run *join = begin_join(fx, scope);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  advance_ms(fx, 99);
  assert_pending(join);
  assert_int_equal(lines.count, 0);
  advance_ms(fx, 1);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(stats_of(scope).leaked, 1);
  assert_int_equal(lines.count, 1);
  assert_string_equal(lines.text[0], "2 import: 'download' goes on though it was told to stop");
  weir_scope_unref(scope);
}

static void F17_a_report_of_many_names_sixteen_and_counts_the_rest(struct fixture *fx) {
  for (uint64_t stuck = 16; stuck <= 18; stuck++) {
    struct lines lines;
    log_to(fx, &lines);
    weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
    options.exit = WEIR_SCOPE_CANCEL;
    options.grace_ms = 100;
    weir_scope *scope = make_scope(fx, &options);
    struct script *hang = scripted(fx, "hang");
    for (uint64_t i = 0; i < stuck; i++) begin_in(fx, scope, hang->operation);
    run_until_idle(fx);
    begin_join(fx, scope);
    advance_ms(fx, 100);
    assert_int_equal(stats_of(scope).leaked, stuck);
    assert_int_equal(lines.count, stuck == 16 ? 16 : 17);
    if (stuck == 17) assert_non_null(strstr(lines.text[16], "1 more go on"));
    if (stuck == 18) assert_non_null(strstr(lines.text[16], "2 more go on"));
    weir_scope_unref(scope);
    finish_all(hang);
  }
}

static void what_stops_within_the_grace_is_no_leak(struct fixture *fx) {
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.exit = WEIR_SCOPE_CANCEL;
  options.grace_ms = 100;
  weir_scope *scope = make_scope(fx, &options);
  struct script *slow = scripted(fx, "v1+60");
  begin_in(fx, scope, slow->operation);
  run_until_idle(fx);
  struct run *join = begin_join(fx, scope);
  advance_ms(fx, 59);
  assert_pending(join);
  advance_ms(fx, 1);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(stats_of(scope).leaked, 0);
  weir_scope_unref(scope);
}

static void a_stopped_join_does_not_stop_the_end(struct fixture *fx) {
  weir_scope *scope = make_scope(fx, NULL);
  struct script *work = scripted(fx, "v1+20");
  begin_in(fx, scope, work->operation);
  struct run *join = begin_join(fx, scope);
  run_until_idle(fx);
  weir_call_cancel(join->call);
  run_until_idle(fx);
  assert_int_equal(settled(join)->status, WEIR_ECANCELLED);
  advance_ms(fx, 20);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_ENDED);
  weir_scope_unref(scope);
}

static void a_scope_cannot_be_joined_from_inside(struct fixture *fx) {
  weir_scope *scope = make_scope(fx, NULL);
  weir_operation *join = NULL;
  weir_status status = weir_scope_join(scope, &join, NULL);
  assert_int_equal(status, WEIR_OK);
  struct run *run = begin_in(fx, scope, join);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EINVAL);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_OPEN);
  weir_operation_unref(join);
  weir_scope_unref(scope);
}

/* ---- cancel and deadline --------------------------------------------------------------------- */

static void cancel_reaches_calls_and_scopes_within(struct fixture *fx) {
  weir_scope *outer = make_scope(fx, NULL);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.parent = outer;
  weir_scope *inner = make_scope(fx, &options);
  struct script *work = scripted(fx, "yield");
  struct run *first = begin_in(fx, outer, work->operation);
  struct run *second = begin_in(fx, inner, work->operation);
  run_until_idle(fx);
  struct run *queued = begin_in(fx, inner, work->operation);
  assert_int_equal(weir_scope_cancel(outer), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(second)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(queued)->status, WEIR_ECANCELLED);
  assert_int_equal(stats_of(inner).cancelled, 1);
  assert_int_equal(stats_of(inner).state, WEIR_SCOPE_OPEN);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.scope = inner;
  assert_int_equal(try_begin(fx, work->operation, &run_options, NULL)->status, WEIR_ECLOSED);
  weir_scope_unref(inner);
  weir_scope_unref(outer);
}

static void cancelling_the_inner_leaves_the_outer(struct fixture *fx) {
  weir_scope *outer = make_scope(fx, NULL);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.parent = outer;
  weir_scope *inner = make_scope(fx, &options);
  struct script *work = scripted(fx, "v1+10");
  struct run *kept = begin_in(fx, outer, work->operation);
  struct run *gone = begin_in(fx, inner, work->operation);
  weir_scope_cancel(inner);
  run_until_idle(fx);
  assert_int_equal(settled(gone)->status, WEIR_ECANCELLED);
  advance_ms(fx, 10);
  assert_int_equal(settled(kept)->value, 1);
  weir_scope_unref(inner);
  weir_scope_unref(outer);
}

static void the_deadline_holds_for_every_call(struct fixture *fx) {
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.deadline_ms = 100;
  weir_scope *outer = make_scope(fx, &options);
  options.deadline_ms = 500;
  options.parent = outer;
  weir_scope *inner = make_scope(fx, &options);
  struct script *work = scripted(fx, "yield");
  struct run *first = begin_in(fx, outer, work->operation);
  advance_ms(fx, 60);
  struct run *second = begin_in(fx, inner, work->operation);
  advance_ms(fx, 39);
  assert_pending(first);
  assert_int_equal(work->attempts[1].remaining_ns, 40 * MS);
  advance_ms(fx, 1);
  assert_int_equal(settled(first)->cancel_reason, WEIR_CANCEL_DEADLINE);
  assert_int_equal(settled(second)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(second)->elapsed_ns, 40 * MS);
  struct run *late = begin_in(fx, outer, work->operation);
  run_until_idle(fx);
  assert_int_equal(settled(late)->status, WEIR_ETIMEDOUT);
  assert_int_equal(work->started, 2);
  weir_scope_unref(inner);
  weir_scope_unref(outer);
}

static void a_parent_waits_for_the_scopes_within(struct fixture *fx) {
  weir_scope *outer = make_scope(fx, NULL);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.parent = outer;
  weir_scope *inner = make_scope(fx, &options);
  weir_scope *idle = make_scope(fx, &options);
  struct script *work = scripted(fx, "v1+20");
  begin_in(fx, inner, work->operation);
  struct run *join = begin_join(fx, outer);
  advance_ms(fx, 19);
  assert_pending(join);
  assert_int_equal(stats_of(idle).state, WEIR_SCOPE_ENDED);
  assert_int_equal(stats_of(inner).state, WEIR_SCOPE_ENDING);
  advance_ms(fx, 1);
  assert_int_equal(settled(join)->channel, WEIR_CHANNEL_VALUE);
  assert_int_equal(stats_of(inner).state, WEIR_SCOPE_ENDED);
  weir_scope_unref(idle);
  weir_scope_unref(inner);
  weir_scope_unref(outer);
}

/* ---- a body in a scope of its own ------------------------------------------------------------ */

static void start_another_in_the_scope(struct script *script, const weir_attempt *attempt) {
  struct script *other = script->user;
  if (attempt->scope == NULL) return;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.scope = attempt->scope;
  options.name = "background";
  weir_run(other->operation, &options, NULL, NULL, NULL, NULL, NULL);
}

static void the_bodys_calls_are_joined(struct fixture *fx) {
  struct script *other = scripted(fx, "v9+30");
  struct script *body = scripted(fx, "v1");
  body->on_start = start_another_in_the_scope;
  body->user = other;
  weir_operation *operation = scope_around(fx, body->operation, NULL);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  advance_ms(fx, 29);
  assert_int_equal(other->started, 1);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(settled(run)->attempts, 1);
}

static void the_bodys_failure_is_the_outcome(struct fixture *fx) {
  struct script *body = scripted(fx, "f503+10");
  weir_operation *operation = scope_around(fx, body->operation, NULL);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->code, 503);
}

static void the_bodys_deadline_stops_everything(struct fixture *fx) {
  struct script *other = scripted(fx, "yield");
  struct script *body = scripted(fx, "yield");
  body->on_start = start_another_in_the_scope;
  body->user = other;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.deadline_ms = 100;
  options.name = "page";
  weir_operation *operation = scope_around(fx, body->operation, &options);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  advance_ms(fx, 99);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_ERROR);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_string_equal(settled(run)->message, "scope 'page' timed out after 100 ms");
  assert_int_equal(settled(run)->elapsed_ns, 100 * MS);
  assert_int_equal(body->attempts[0].cancel_reason, WEIR_CANCEL_DEADLINE);
  assert_int_equal(other->cancelled, 1);
}

static void what_the_body_ends_by_at_its_deadline_is_in_time(struct fixture *fx) {
  weir_operation *sleep = NULL;
  weir_status status = weir_sleep_new(fx->runtime, 100, WEIR_OK, NULL, NULL, &sleep, NULL);
  assert_int_equal(status, WEIR_OK);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.deadline_ms = 100;
  weir_operation *operation = scope_around(fx, sleep, &options);
  weir_operation_unref(sleep);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  advance_ms(fx, 100);
  assert_int_equal(settled(run)->channel, WEIR_CHANNEL_VALUE);
}

static void cancelling_the_run_cancels_its_scope(struct fixture *fx) {
  struct script *other = scripted(fx, "yield");
  struct script *body = scripted(fx, "yield");
  body->on_start = start_another_in_the_scope;
  body->user = other;
  weir_operation *operation = scope_around(fx, body->operation, NULL);
  struct run *run = begin(fx, operation, NULL);
  weir_operation_unref(operation);
  run_until_idle(fx);
  weir_call_cancel(run->call);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECANCELLED);
  assert_int_equal(body->cancelled, 1);
  assert_int_equal(other->cancelled, 1);
}

static void closing_the_runtime_ends_what_is_left(struct fixture *fx) {
  weir_scope *scope = make_scope(fx, NULL);
  struct script *work = scripted(fx, "yield");
  struct run *run = begin_in(fx, scope, work->operation);
  struct run *join = begin_join(fx, scope);
  weir_operation *operation = scope_around(fx, work->operation, NULL);
  struct run *body = begin_in(fx, scope, operation);
  weir_operation_unref(operation);
  run_until_idle(fx);
  weir_runtime_close(fx->runtime);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(settled(join)->status, WEIR_ECLOSED);
  if (body->status == WEIR_OK) assert_int_equal(settled(body)->status, WEIR_ECLOSED);
  assert_int_equal(stats_of(scope).state, WEIR_SCOPE_ENDED);
  weir_scope_unref(scope);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void values_are_seen_from_within(struct fixture *fx) {
  weir_scope *outer = make_scope(fx, NULL);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.parent = outer;
  weir_scope *inner = make_scope(fx, &options);
  weir_value *value = number_value(fx, 7);
  weir_status number_set = weir_scope_set_int64(outer, "ttl", 60);
  weir_status bytes_set = weir_scope_set_bytes(outer, "user", "ada", 3);
  weir_status value_set = weir_scope_set_value(inner, "db", value);
  weir_value_unref(value);
  assert_int_equal(number_set, WEIR_OK);
  assert_int_equal(bytes_set, WEIR_OK);
  assert_int_equal(value_set, WEIR_OK);
  int64_t number = 0;
  assert_int_equal(weir_scope_get_int64(inner, "ttl", &number), WEIR_OK);
  assert_int_equal(number, 60);
  char text[8] = "";
  size_t size = 0;
  assert_int_equal(weir_scope_get_bytes(inner, "user", text, 2, &size), WEIR_OK);
  assert_int_equal(size, 3);
  assert_string_equal(text, "ad");
  weir_value *got = NULL;
  assert_int_equal(weir_scope_get_value(inner, "db", &got), WEIR_OK);
  assert_int_equal(value_number(got), 7);
  weir_value_unref(got);
  assert_int_equal(weir_scope_get_value(outer, "db", &got), WEIR_ENOTFOUND);
  assert_null(got);
  assert_int_equal(weir_scope_get_int64(inner, "user", &number), WEIR_ENOTFOUND);
  assert_int_equal(weir_scope_get_bytes(inner, "ttl", text, 2, &size), WEIR_ENOTFOUND);
  weir_status shadowed = weir_scope_set_int64(inner, "ttl", 5);
  weir_status replaced = weir_scope_set_int64(inner, "ttl", 6);
  assert_int_equal(shadowed, WEIR_OK);
  assert_int_equal(replaced, WEIR_OK);
  assert_int_equal(weir_scope_get_int64(inner, "ttl", &number), WEIR_OK);
  assert_int_equal(number, 6);
  assert_int_equal(weir_scope_get_int64(outer, "ttl", &number), WEIR_OK);
  assert_int_equal(number, 60);
  weir_scope_unref(inner);
  weir_scope_unref(outer);
}

static void note_current(struct script *script, const weir_attempt *attempt) {
  struct fixture *fx = script->fixture;
  expect(fx, weir_scope_current(attempt->runtime) == attempt->scope, "the attempt's scope");
  int64_t ttl = 0;
  if (attempt->scope != NULL) weir_scope_get_int64(attempt->scope, "ttl", &ttl);
  *(int64_t *)script->user = ttl;
  weir_log(attempt->runtime, WEIR_LOG_INFO, "fetch", "begins");
}

static uint32_t note_scope(void *data, const weir_outcome *outcome) {
  (void)outcome;
  struct fixture *fx = data;
  int64_t ttl = 0;
  weir_scope_get_int64(weir_scope_current(fx->runtime), "ttl", &ttl);
  expect(fx, ttl == 60 || under_oom(), "a decider sees the scope");
  return WEIR_CLASS_NONE;
}

static void U12_attempts_and_deciders_see_the_scope_and_lines_carry_its_path(struct fixture *fx) {
  struct lines lines;
  log_to(fx, &lines);
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.name = "import";
  weir_scope *outer = make_scope(fx, &options);
  weir_status set = weir_scope_set_int64(outer, "ttl", 60);
  assert_int_equal(set, WEIR_OK);
  weir_retry_options retry_options = WEIR_RETRY_OPTIONS_INIT;
  retry_options.classify = note_scope;
  retry_options.classify_data = fx;
  weir_retry *retry = NULL;
  weir_status made = weir_retry_new(fx->runtime, &retry_options, &retry, NULL);
  assert_int_equal(made, WEIR_OK);
  int64_t ttl = 0;
  struct script *fetch = scripted(fx, "v1");
  fetch->on_start = note_current;
  fetch->user = &ttl;
  options.name = "user 7";
  weir_operation *operation = scope_around(fx, fetch->operation, &options);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.scope = outer;
  run_options.policy = weir_retry_policy(retry);
  struct run *run = begin(fx, operation, &run_options);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 1);
  assert_int_equal(ttl, 60);
  assert_int_equal(lines.count, 1);
  assert_string_equal(lines.text[0], "3 import/user 7/fetch: begins");
  weir_scope_log(outer, WEIR_LOG_INFO, "done");
  assert_string_equal(lines.text[1], "3 import: done");
  assert_null(weir_scope_current(fx->runtime));
  weir_retry_unref(retry);
  weir_scope_unref(outer);
}

TEST_MAIN("scope", TEST(a_join_waits_for_all_calls), TEST(an_empty_scope_ends_at_once),
          TEST(an_ending_scope_takes_no_runs), TEST(the_last_unref_ends_it),
          TEST(exit_cancel_cancels_at_once), TEST(exit_grace_waits_and_then_cancels),
          TEST(F17_scope_with_a_stuck_operation_ends_after_its_grace_with_a_report),
          TEST(F17_a_report_of_many_names_sixteen_and_counts_the_rest),
          TEST(what_stops_within_the_grace_is_no_leak), TEST(a_stopped_join_does_not_stop_the_end),
          TEST(a_scope_cannot_be_joined_from_inside), TEST(cancel_reaches_calls_and_scopes_within),
          TEST(cancelling_the_inner_leaves_the_outer), TEST(the_deadline_holds_for_every_call),
          TEST(a_parent_waits_for_the_scopes_within), TEST(the_bodys_calls_are_joined),
          TEST(the_bodys_failure_is_the_outcome), TEST(the_bodys_deadline_stops_everything),
          TEST(what_the_body_ends_by_at_its_deadline_is_in_time),
          TEST(cancelling_the_run_cancels_its_scope), TEST(closing_the_runtime_ends_what_is_left),
          TEST(values_are_seen_from_within),
          TEST(U12_attempts_and_deciders_see_the_scope_and_lines_carry_its_path))
