/* SPDX-License-Identifier: MIT */
/* The fixture: its beginning, its runs, and the checks at its end. */

#include "support.h"

#include "support_inside.h"

void expect(struct fixture *fx, int condition, const char *what) {
  if (condition || fx->problem[0] != '\0') return;
  snprintf(fx->problem, sizeof fx->problem, "%s", what);
}

static void expect_equal(struct fixture *fx, uint64_t got, uint64_t wanted, const char *what) {
  char text[200];
  snprintf(text, sizeof text, "%s: %llu instead of %llu", what, (unsigned long long)got,
           (unsigned long long)wanted);
  expect(fx, got == wanted, text);
}

/* ---- runs ------------------------------------------------------------------------------------ */

int64_t value_number(const weir_value *value) {
  int64_t number = -1;
  if (weir_value_kind(value) != WEIR_VALUE_BYTES) return -1;
  if (weir_value_size(value) != sizeof number) return -1;
  memcpy(&number, weir_value_data(value), sizeof number);
  return number;
}

static void copy_value(struct settlement *result, const weir_value *value) {
  result->value_kind = weir_value_kind(value);
  result->value_size = weir_value_size(value);
  result->value = value_number(value);
  result->pointer = weir_value_pointer(value);
  size_t count =
      result->value_size < sizeof result->bytes ? result->value_size : sizeof result->bytes;
  if (count > 0) memcpy(result->bytes, weir_value_data(value), count);
}

static void copy_error(struct settlement *result, const weir_error *error) {
  result->has_error = error != NULL;
  result->error_status = weir_error_status(error);
  result->domain = weir_error_domain(error);
  result->code = weir_error_code(error);
  snprintf(result->message, sizeof result->message, "%s", weir_error_message(error));
}

void copy_outcome(struct settlement *result, const weir_outcome *outcome) {
  memset(result, 0, sizeof *result);
  result->channel = outcome->channel;
  result->status = outcome->status;
  result->class_ = outcome->class_;
  result->attempts = outcome->attempts;
  result->stop_reason = outcome->stop_reason;
  result->cancel_reason = outcome->cancel_reason;
  result->final = outcome->final;
  result->elapsed_ns = outcome->elapsed_ns;
  result->retry_after_ms = outcome->retry_after_ms;
  memcpy(result->statuses, outcome->statuses, sizeof result->statuses);
  result->has_rejection = outcome->rejection != NULL;
  if (result->has_rejection) result->rejection = *outcome->rejection;
  copy_value(result, outcome->value);
  copy_error(result, outcome->error);
}

void record_settle(void *data, weir_call *call, const weir_outcome *outcome) {
  struct run *run = data;
  struct fixture *fx = run->fixture;
  expect(fx, call != NULL, "a settle listener without its call");
  expect(fx, outcome == weir_call_outcome(call), "the outcome told is not the call's");
  run->settled++;
  copy_outcome(&run->result, outcome);
  if (fx->runtime != NULL) run->result.at_ns = now_ns(fx);
  run->result.order = ++fx->settled;
  if (run->on_settled != NULL) run->on_settled(run);
}

void free_recorded(void *data) {
  struct run *run = data;
  run->freed++;
}

struct run *new_run(struct fixture *fx) {
  struct run *run = calloc(1, sizeof *run);
  if (run == NULL) abort();
  run->fixture = fx;
  run->number = fx->run_count++;
  run->next = fx->runs;
  fx->runs = run;
  return run;
}

struct run *asked(struct run *run, weir_status status) {
  run->status = status;
  if (status == WEIR_OK) run->fixture->accepted++;
  if (status != WEIR_OK) run->call = NULL;
  return run;
}

struct run *try_begin(struct fixture *fx, weir_operation *operation,
                      const weir_run_options *options, weir_error **error) {
  struct run *run = new_run(fx);
  return asked(run,
               weir_run(operation, options, record_settle, run, free_recorded, &run->call, error));
}

struct run *begin(struct fixture *fx, weir_operation *operation, const weir_run_options *options) {
  struct run *run = try_begin(fx, operation, options, NULL);
  assert_int_equal(run->status, WEIR_OK);
  return run;
}

struct run *begin_under(struct fixture *fx, weir_policy *policy, weir_operation *operation) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = policy;
  return begin(fx, operation, &options);
}

const struct settlement *settled(const struct run *run) {
  assert_int_equal(run->settled, 1);
  return &run->result;
}

void assert_pending(const struct run *run) { assert_int_equal(run->settled, 0); }

/* ---- small things ---------------------------------------------------------------------------- */

void count_free(void *counter) { __atomic_fetch_add((unsigned *)counter, 1, __ATOMIC_RELAXED); }

weir_value *number_value(struct fixture *fx, int64_t number) {
  weir_value *value = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, &number, sizeof number, &value), WEIR_OK);
  return value;
}

void assert_message(weir_error *error, const char *part) {
  char message[256];
  assert_non_null(error);
  snprintf(message, sizeof message, "%s", weir_error_message(error));
  weir_error_unref(error);
  if (strstr(message, part) == NULL) assert_string_equal(message, part);
}

void skip_because(const char *why) {
  printf("# skipped: %s\n", why);
  skip();
}

int under_oom(void) { return abandon != NULL; }

/* ---- the fixture's life ---------------------------------------------------------------------- */

static weir_status make_runtime(struct fixture *fx, const weir_runtime_options *wanted) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  if (wanted != NULL) options = *wanted;
  options.driver = WEIR_DRIVER_MANUAL;
  options.allocator = &allocator;
  if (options.seed == 0) options.seed = 1;
  weir_status status = weir_runtime_new(&options, &fx->runtime, NULL);
  if (status != WEIR_OK) {
    fx->runtime = NULL;
    return status;
  }
  weir_runtime_process(fx->runtime, SECOND); /* not at 0, where "unset" and "now" look the same */
  return WEIR_OK;
}

weir_status fixture_begin(struct fixture *fx, const struct test *test) {
  memset(fx, 0, sizeof *fx);
  fx->test = test;
  memory_begin(&fx->memory);
  return WEIR_OK;
}

weir_status fixture_open(struct fixture *fx) { return make_runtime(fx, NULL); }

void remake_runtime(struct fixture *fx, const weir_runtime_options *options) {
  weir_runtime_unref(fx->runtime);
  fx->runtime = NULL;
  assert_int_equal(make_runtime(fx, options), WEIR_OK);
}

static void check_runs(struct fixture *fx) {
  for (struct run *run = fx->runs; run != NULL; run = run->next) {
    expect_equal(fx, run->settled, run->status == WEIR_OK, "settlements of a run");
    expect_equal(fx, run->freed, 1, "calls of a run's free_data");
  }
}

static void check_script(struct fixture *fx, const struct script *script) {
  expect(fx, script->freed == 1, "an operation's data was not freed exactly once");
  size_t known = script->started < SCRIPT_ATTEMPTS ? script->started : SCRIPT_ATTEMPTS;
  for (size_t i = 0; i < known; i++) {
    const struct script_attempt *attempt = &script->attempts[i];
    expect(fx, attempt->slot_freed == 1, "an attempt's slot was not freed exactly once");
    expect(fx, attempt->cancels <= 1, "an attempt was told to stop more than once");
  }
}

static void check_stats(struct fixture *fx) {
  weir_runtime_stats stats = {.size = sizeof stats};
  expect(fx, weir_runtime_get_stats(fx->runtime, &stats) == WEIR_OK, "no stats at the end");
  expect_equal(fx, stats.runs_settled, stats.runs_accepted, "runs settled of those accepted");
  expect_equal(fx, stats.live_calls, 0, "calls live at the end");
  expect_equal(fx, stats.orphans, 0, "orphans at the end");
}

static void finish_what_is_out(struct fixture *fx) {
  for (struct script *script = fx->scripts; script != NULL; script = script->next) {
    finish_all(script);
  }
  track_complete_all(fx->runtime);
  weir_testing_run_until_idle(fx->runtime);
}

/* Ends what is out and closes. */
static void settle_everything(struct fixture *fx) {
  if (fx->runtime == NULL) return;
  weir_testing_run_until_idle(fx->runtime);
  finish_what_is_out(fx);
  expect(fx, weir_runtime_close(fx->runtime) == WEIR_OK, "closing failed");
  weir_testing_run_until_idle(fx->runtime);
  finish_what_is_out(fx); /* what started in the last turns before closing */
  check_stats(fx);
}

void fixture_close(struct fixture *fx) {
  settle_everything(fx);
  for (struct run *run = fx->runs; run != NULL; run = run->next) weir_call_unref(run->call);
  for (struct script *script = fx->scripts; script != NULL; script = script->next) {
    weir_operation_unref(script->operation);
  }
  weir_runtime_unref(fx->runtime); /* before: it is tracked as well */
  track_release_all();
  check_runs(fx);
  for (struct script *script = fx->scripts; script != NULL; script = script->next) {
    if (script->operation != NULL || script->freed != 0 || script->started != 0) {
      check_script(fx, script);
    }
  }
  expect_equal(fx, fx->settled, fx->accepted, "settlements recorded");
  expect_equal(fx, fx->memory.live_bytes, 0, "bytes left");
  expect_equal(fx, fx->memory.live_blocks, 0, "blocks left");
  expect_equal(fx, fx->memory.wrong_sizes, 0, "blocks freed with a wrong size");
  expect_equal(fx, fx->memory.overruns, 0, "blocks written beyond their ends");
  if (!fx->memory.ignore_releases) {
    expect_equal(fx, fx->memory.released, fx->memory.handed_out, "releases of the allocator");
  }
}

void fixture_end(struct fixture *fx) {
  memory_drop(&fx->memory);
  while (fx->runs != NULL) {
    struct run *run = fx->runs;
    fx->runs = run->next;
    free(run);
  }
  while (fx->scripts != NULL) {
    struct script *script = fx->scripts;
    fx->scripts = script->next;
    free(script);
  }
  pthread_mutex_destroy(&fx->memory.mutex);
}
