/* SPDX-License-Identifier: MIT */
/* The metrics' text: names, labels, series, numbers against the stats, histograms. */

#include "limiter_help.h"

static char text[1 << 17];

static const char *metrics(struct fixture *fx) {
  size_t needed = 0;
  assert_int_equal(weir_runtime_metrics(fx->runtime, text, sizeof text, &needed), WEIR_OK);
  assert_int_equal(needed, strlen(text) + 1);
  return text;
}

static void assert_has(const char *whole, const char *line) {
  const char *at = strstr(whole, line);
  if (at == NULL || (at != whole && at[-1] != '\n')) {
    print_message("not a line: %s\n", line);
    fail();
  }
}

static size_t count_of(const char *whole, const char *part) {
  size_t count = 0;
  for (const char *at = whole; (at = strstr(at, part)) != NULL; at++) count++;
  return count;
}

static weir_breaker *named_breaker(struct fixture *fx, const char *name) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.name = name;
  weir_breaker *breaker = NULL;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  return breaker;
}

static void calls_end(weir_breaker *breaker, int count, uint32_t class_) {
  for (int i = 0; i < count; i++) {
    weir_permit permit = 0;
    assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
    assert_int_equal(weir_breaker_report(breaker, permit, class_, 0), WEIR_OK);
  }
}

static void set_label(weir_breaker *breaker, const char *key, const char *value) {
  assert_int_equal(weir_policy_set_label(weir_breaker_policy(breaker), key, value, NULL), WEIR_OK);
}

static void each_family_has_one_head_and_the_text_its_end(struct fixture *fx) {
  weir_breaker *breaker = named_breaker(fx, "api");
  weir_breaker *other = named_breaker(fx, "db");
  calls_end(breaker, 3, WEIR_CLASS_SUCCESS);
  const char *whole = metrics(fx);
  assert_int_equal(count_of(whole, "# TYPE weir_breaker_calls counter\n"), 1);
  assert_int_equal(count_of(whole, "# HELP weir_breaker_calls "), 1);
  assert_has(whole,
             "weir_breaker_calls_total{runtime=\"weir\",name=\"api\",result=\"success\"} 3\n");
  assert_has(whole,
             "weir_breaker_calls_total{runtime=\"weir\",name=\"db\",result=\"success\"} 0\n");
  assert_has(whole, "weir_breaker_state{runtime=\"weir\",name=\"api\",state=\"closed\"} 1\n");
  assert_has(whole, "weir_breaker_state{runtime=\"weir\",name=\"api\",state=\"open\"} 0\n");
  assert_has(whole, "weir_runs_accepted_total{runtime=\"weir\"} 0\n");
  assert_string_equal(whole + strlen(whole) - 6, "# EOF\n");
  assert_null(strstr(whole, "weir_limiter")); /* there is none */
  assert_null(strstr(whole, "histogram"));
  weir_breaker_unref(breaker);
  assert_null(strstr(metrics(fx), "api"));
  weir_breaker_unref(other);
}

static void the_text_before_openmetrics_names_counters_whole(struct fixture *fx) {
  weir_breaker *breaker = named_breaker(fx, "api");
  assert_int_equal(weir_runtime_metrics_text(fx->runtime, text, sizeof text, NULL), WEIR_OK);
  assert_has(text, "# TYPE weir_breaker_calls_total counter\n");
  assert_has(text, "# HELP weir_breaker_calls_total ");
  assert_null(strstr(text, "# EOF"));
  assert_null(strstr(text, "# UNIT"));
  weir_breaker_unref(breaker);
}

static void what_has_the_same_name_and_labels_is_one_series(struct fixture *fx) {
  weir_breaker *breakers[6];
  for (int i = 0; i < 6; i++) {
    breakers[i] = named_breaker(fx, i < 2 ? NULL : "api");
    calls_end(breakers[i], i + 1, WEIR_CLASS_SUCCESS);
  }
  set_label(breakers[2], "region", "eu");
  set_label(breakers[2], "az", "1");
  set_label(breakers[3], "region", "us");
  set_label(breakers[4], "az", "1"); /* the other order */
  set_label(breakers[4], "region", "eu");
  const char *whole = metrics(fx);
  assert_has(whole, "weir_breaker_calls_total{runtime=\"weir\",result=\"success\"} 3\n");
  assert_has(whole,
             "weir_breaker_calls_total{runtime=\"weir\",name=\"api\",az=\"1\",region=\"eu\","
             "result=\"success\"} 8\n");
  assert_has(whole,
             "weir_breaker_calls_total{runtime=\"weir\",name=\"api\",region=\"us\","
             "result=\"success\"} 4\n");
  assert_has(whole,
             "weir_breaker_calls_total{runtime=\"weir\",name=\"api\",result=\"success\"} 6\n");
  assert_int_equal(count_of(whole, "\nweir_breaker_calls_total{"), 4 * 4);
  for (int i = 0; i < 6; i++) weir_breaker_unref(breakers[i]);
}

static void many_handles_are_sorted_whatever_their_order(struct fixture *fx) {
  enum { COUNT = 100 };
  weir_budget *budgets[COUNT] = {NULL};
  for (int i = 0; i < COUNT; i++) {
    char name[8];
    snprintf(name, sizeof name, "b%02d", i * 37 % COUNT / 2);
    weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
    options.name = name;
    assert_int_equal(weir_budget_new(fx->runtime, &options, &budgets[i], NULL), WEIR_OK);
    assert_int_equal(weir_budget_deposit(budgets[i]), WEIR_OK);
  }
  const char *whole = metrics(fx);
  assert_int_equal(count_of(whole, "\nweir_budget_window_attempts{"), COUNT / 2);
  for (int i = 0; i < COUNT / 2; i++) {
    char line[96];
    snprintf(line, sizeof line, "weir_budget_window_attempts{runtime=\"weir\",name=\"b%02d\"} 2\n",
             i);
    assert_has(whole, line);
  }
  for (int i = 0; i < COUNT; i++) weir_budget_unref(budgets[i]);
}

static void labels_with_quotes_newlines_and_utf8_are_escaped(struct fixture *fx) {
  weir_breaker *breaker = named_breaker(fx, "a \"b\" \\c\nd \xC3\xA9 \xFF!");
  set_label(breaker, "path", "C:\\dir \"x\"\n\xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x8C\x8A");
  assert_has(metrics(fx),
             "weir_breaker_rejections_total{runtime=\"weir\",name=\"a \\\"b\\\" \\\\c\\nd \xC3\xA9 "
             "\xEF\xBF\xBD!\",path=\"C:\\\\dir \\\"x\\\"\\n\xE6\x97\xA5\xE6\x9C\xAC "
             "\xF0\x9F\x8C\x8A\"} 0\n");
  weir_breaker_unref(breaker);
}

static void the_runtimes_labels_are_on_all_and_give_way(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.name = "edge";
  remake_runtime(fx, &options);
  assert_int_equal(weir_runtime_set_label(fx->runtime, "host", "h1", NULL), WEIR_OK);
  weir_breaker *breaker = named_breaker(fx, NULL);
  weir_breaker *own = named_breaker(fx, "own");
  set_label(own, "host", "h2");
  const char *whole = metrics(fx);
  assert_has(whole, "weir_turns_total{runtime=\"edge\",host=\"h1\"} ");
  assert_has(whole, "weir_breaker_openings_total{runtime=\"edge\",host=\"h1\"} 0\n");
  assert_has(whole, "weir_breaker_openings_total{runtime=\"edge\",name=\"own\",host=\"h2\"} 0\n");
  weir_breaker_unref(breaker);
  weir_breaker_unref(own);
}

static void assert_label_refused(weir_policy *policy, const char *key, const char *value,
                                 weir_status expected, const char *part) {
  char message[160];
  weir_error *error = NULL;
  weir_status status = weir_policy_set_label(policy, key, value, &error);
  snprintf(message, sizeof message, "%s", weir_error_message(error));
  weir_error_unref(error);
  assert_int_equal(status, expected);
  assert_non_null(strstr(message, part));
}

static void illegal_labels_are_refused_with_a_message(struct fixture *fx) {
  weir_breaker *breaker = named_breaker(fx, "api");
  weir_policy *policy = weir_breaker_policy(breaker);
  static const struct {
    const char *key, *value, *part;
  } cases[] = {
      {"le", "1", "label.key 'le' is used by weir itself"},
      {"quantile", "1", "used by weir itself"},
      {"name", "1", "used by weir itself"},
      {"runtime", "1", "used by weir itself"},
      {"kind", "1", "used by weir itself"},
      {"result", "1", "used by weir itself"},
      {"state", "1", "used by weir itself"},
      {"__x", "1", "must not begin with two underscores (got '__x')"},
      {"", "1", "must be [a-zA-Z_]"},
      {"1a", "1", "must be [a-zA-Z_]"},
      {"a-b", "1", "(got 'a-b')"},
      {"caf\xC3\xA9", "1", "must be [a-zA-Z_]"},
      {NULL, "1", "key must not be NULL"},
      {"a", NULL, "value must not be NULL"},
      {"a", "\xFF", "value must be UTF-8"},
      {"a", "\xC0\x80", "value must be UTF-8"},
      {"a", "\xED\xA0\x80", "value must be UTF-8"},
      {"a", "\xF4\x90\x80\x80", "value must be UTF-8"},
      {"a", "\xE2\x82", "value must be UTF-8"},
      {"a", "\xC1\xBF", "value must be UTF-8"}, /* longer than it need be */
      {"a", "\xE0\x9F\xBF", "value must be UTF-8"},
      {"a", "\xF0\x8F\xBF\xBF", "value must be UTF-8"},
      {"a", "\xF5\x80\x80\x80", "value must be UTF-8"}, /* beyond the last character */
      {"a", "\x80", "value must be UTF-8"},             /* the middle of one */
      {"a", "\xBF", "value must be UTF-8"},
      {"a", "\xC2\x7F", "value must be UTF-8"},
      {"a", "\xC2\xC0", "value must be UTF-8"},
      {"a", "\xE1\x80\xC0", "value must be UTF-8"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    assert_label_refused(policy, cases[i].key, cases[i].value, WEIR_EINVAL, cases[i].part);
  }
  static const char *const legal[] = {"_", "A", "Z", "a", "z", "_0", "_9", "AZaz_09"};
  for (size_t i = 0; i < COUNT_OF(legal); i++) set_label(breaker, legal[i], "1");
  static const char *const illegal[] = {"@", "[", "`", "{", "0", "9", "_/", "_:"};
  for (size_t i = 0; i < COUNT_OF(illegal); i++) {
    assert_label_refused(policy, illegal[i], "1", WEIR_EINVAL, "must be [a-zA-Z_]");
  }
  char longest[130];
  memset(longest, 'k', sizeof longest);
  longest[128] = '\0';
  assert_int_equal(weir_policy_set_label(policy, longest, "1", NULL), WEIR_EINVAL);
  longest[127] = '\0';
  set_label(breaker, longest, "1");
  char value[1025];
  memset(value, 'v', sizeof value);
  value[1024] = '\0';
  assert_int_equal(weir_policy_set_label(policy, "v", value, NULL), WEIR_EINVAL);
  value[1023] = '\0';
  set_label(breaker, "v", value);
  assert_label_refused(policy, "v", "2", WEIR_EEXISTS, "label.key 'v' is set already");
  assert_int_equal(weir_policy_set_label(NULL, "v", "2", NULL), WEIR_EINVAL);
  assert_int_equal(weir_operation_set_label(NULL, "v", "2", NULL), WEIR_EINVAL);
  assert_int_equal(weir_cache_set_label(NULL, "v", "2", NULL), WEIR_EINVAL);
  assert_int_equal(weir_budget_set_label(NULL, "v", "2", NULL), WEIR_EINVAL);
  assert_int_equal(weir_runtime_set_label(NULL, "v", "2", NULL), WEIR_EINVAL);
  weir_breaker_unref(breaker);
}

static void the_first_and_the_last_character_of_each_size_are_legal(struct fixture *fx) {
  weir_breaker *breaker = named_breaker(fx, "api");
  static const char value[] =
      "\x01 \x7F \xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF "
      "\xF0\x90\x80\x80 \xF3\xBF\xBF\xBF \xF4\x8F\xBF\xBF";
  set_label(breaker, "all", value);
  assert_non_null(strstr(metrics(fx), value));
  weir_breaker_unref(breaker);
}

static void a_buffer_is_never_overrun_and_the_need_is_told(struct fixture *fx) {
  weir_breaker *breaker = named_breaker(fx, "api");
  size_t needed = 0;
  assert_int_equal(weir_runtime_metrics(fx->runtime, NULL, 0, &needed), WEIR_OK);
  assert_int_equal(weir_runtime_metrics(fx->runtime, text, needed, NULL), WEIR_OK);
  assert_int_equal(strlen(text) + 1, needed);
  for (size_t size = 1; size < needed; size += 7) {
    memset(text, '#', needed + 1);
    size_t again = 0;
    assert_int_equal(weir_runtime_metrics(fx->runtime, text, size, &again), WEIR_EFULL);
    assert_int_equal(again, needed);
    assert_int_equal(text[size], '#');
    assert_int_equal(strlen(text), size - 1);
  }
  assert_int_equal(weir_runtime_metrics(fx->runtime, NULL, 1, NULL), WEIR_EINVAL);
  assert_int_equal(weir_runtime_metrics(NULL, text, 9, NULL), WEIR_EINVAL);
  weir_breaker_unref(breaker);
}

/* ---- each kind ------------------------------------------------------------------------------- */

static void a_limiter_s_numbers_are_those_of_its_stats(struct fixture *fx) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 2;
  options.max_queue = 1;
  options.name = "pool";
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "hang");
  for (int i = 0; i < 4; i++) begin_limited(fx, limiter, work, NULL);
  run_until_idle(fx);
  const char *whole = metrics(fx);
  assert_has(whole,
             "weir_limiter_runs_total{runtime=\"weir\",name=\"pool\",result=\"granted\"} 2\n");
  assert_has(whole,
             "weir_limiter_runs_total{runtime=\"weir\",name=\"pool\",result=\"refused\"} 1\n");
  assert_has(whole, "weir_limiter_queued_runs{runtime=\"weir\",name=\"pool\"} 1\n");
  assert_has(whole, "weir_limiter_held_permits{runtime=\"weir\",name=\"pool\"} 2\n");
  assert_has(whole, "weir_limiter_concurrency_limit{runtime=\"weir\",name=\"pool\"} 2\n");
  assert_null(strstr(whole, "weir_limiter_available_permits{")); /* no rate: no such number */
  assert_has(whole, "weir_live_runs{runtime=\"weir\"} 3\n");
  weir_limiter_unref(limiter);
}

static void the_other_kinds_are_there(struct fixture *fx) {
  weir_retry *retry = NULL;
  weir_timeout *timeout = NULL;
  weir_hedge *hedge = NULL;
  weir_cache *cache = NULL;
  weir_debounce *debounce = NULL;
  weir_timeout_options timeout_options = WEIR_TIMEOUT_OPTIONS_INIT;
  timeout_options.timeout_ms = 10;
  weir_hedge_options hedge_options = WEIR_HEDGE_OPTIONS_INIT;
  hedge_options.delay_ms = 1500;
  weir_debounce_options debounce_options = WEIR_DEBOUNCE_OPTIONS_INIT;
  debounce_options.wait_ms = 10;
  struct script *work = scripted(fx, "f503 v1");
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_timeout_new(fx->runtime, &timeout_options, &timeout, NULL), WEIR_OK);
  assert_int_equal(weir_hedge_new(fx->runtime, &hedge_options, &hedge, NULL), WEIR_OK);
  assert_int_equal(weir_cache_new(fx->runtime, NULL, &cache, NULL), WEIR_OK);
  assert_int_equal(
      weir_debounce_new(fx->runtime, work->operation, &debounce_options, &debounce, NULL), WEIR_OK);
  assert_int_equal(weir_cache_set_label(cache, "of", "users", NULL), WEIR_OK);
  begin_under(fx, weir_retry_policy(retry), work->operation);
  begin_under(fx, weir_timeout_policy(timeout), scripted(fx, "yield")->operation);
  advance_ms(fx, 60000);
  const char *whole = metrics(fx);
  assert_has(whole, "weir_retry_retries_total{runtime=\"weir\"} 1\n");
  assert_has(whole, "weir_retry_results_total{runtime=\"weir\",result=\"later\"} 1\n");
  assert_has(whole, "weir_timeout_timeouts_total{runtime=\"weir\"} 1\n");
  assert_has(whole, "# UNIT weir_hedge_delay_seconds seconds\n");
  assert_has(whole, "weir_hedge_delay_seconds{runtime=\"weir\"} 1.500000000\n");
  assert_has(whole, "weir_cache_lookups_total{runtime=\"weir\",of=\"users\",result=\"hit\"} 0\n");
  assert_has(whole, "weir_cache_load_seconds_total{runtime=\"weir\",of=\"users\"} 0.000000000\n");
  assert_has(whole, "weir_pacer_calls_total{runtime=\"weir\"} 0\n");
  weir_retry_unref(retry);
  weir_timeout_unref(timeout);
  weir_hedge_unref(hedge);
  weir_cache_unref(cache);
  weir_debounce_unref(debounce);
}

static void a_chaos_tells_what_it_injected(struct fixture *fx) {
  weir_chaos_options options = WEIR_CHAOS_OPTIONS_INIT;
  weir_chaos *chaos = NULL;
  options.failure_rate = 1;
  options.name = "storm";
  assert_int_equal(weir_chaos_new(fx->runtime, &options, &chaos, NULL), WEIR_OK);
  begin_under(fx, weir_chaos_policy(chaos), scripted(fx, "v1")->operation);
  run_until_idle(fx);
  const char *whole = metrics(fx);
  assert_has(whole, "weir_chaos_runs_total{runtime=\"weir\",name=\"storm\"} 1\n");
  assert_has(whole, "weir_chaos_latencies_total{runtime=\"weir\",name=\"storm\"} 0\n");
  assert_has(whole,
             "weir_chaos_injections_total{runtime=\"weir\",name=\"storm\",result=\"failure\"} 1\n");
  assert_has(whole, "weir_chaos_enabled{runtime=\"weir\",name=\"storm\"} 1\n");
  weir_chaos_unref(chaos);
}

/* ---- histograms ------------------------------------------------------------------------------ */

static void measure(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.metrics = 1;
  remake_runtime(fx, &options);
}

static void latency_is_measured_of_policies_and_operations(struct fixture *fx) {
  measure(fx);
  struct script *work = scripted(fx, "v1+7 v1+100 yield");
  assert_int_equal(weir_operation_set_label(work->operation, "to", "upstream", NULL), WEIR_OK);
  weir_breaker *breaker = named_breaker(fx, "api");
  for (int i = 0; i < 3; i++) {
    struct run *run = begin_under(fx, weir_breaker_policy(breaker), work->operation);
    advance_ms(fx, 100);
    if (i == 2) weir_call_cancel(run->call); /* is not measured */
    run_until_idle(fx);
  }
  const char *whole = metrics(fx);
  assert_int_equal(count_of(whole, "# TYPE weir_latency_seconds histogram\n"), 1);
  assert_has(whole, "# UNIT weir_latency_seconds seconds\n");
  static const char *const series[] = {
      "{runtime=\"weir\",kind=\"breaker\",name=\"api\"",
      "{runtime=\"weir\",kind=\"operation\",to=\"upstream\"",
  };
  for (size_t i = 0; i < COUNT_OF(series); i++) {
    static const struct {
      const char *suffix, *rest;
    } lines[] = {{"_bucket", ",le=\"0.005\"} 0\n"},
                 {"_bucket", ",le=\"0.01\"} 1\n"},
                 {"_bucket", ",le=\"0.05\"} 1\n"},
                 {"_bucket", ",le=\"0.1\"} 2\n"},
                 {"_bucket", ",le=\"1.0\"} 2\n"},
                 {"_bucket", ",le=\"+Inf\"} 2\n"},
                 {"_count", "} 2\n"},
                 {"_sum", "} 0.107000000\n"}};
    for (size_t j = 0; j < COUNT_OF(lines); j++) {
      char line[160];
      snprintf(line, sizeof line, "weir_latency_seconds%s%s%s", lines[j].suffix, series[i],
               lines[j].rest);
      assert_has(whole, line);
    }
  }
  weir_breaker_unref(breaker);
}

static void waiting_is_measured_of_limiters_and_retries(struct fixture *fx) {
  measure(fx);
  weir_limiter_options options = rate_options(WEIR_LIMITER_FIXED_WINDOW, 1, 1000);
  options.max_queue = 5;
  options.name = "gate";
  weir_limiter *limiter = make_limiter(fx, &options);
  struct script *work = scripted(fx, "v1");
  for (int i = 0; i < 3; i++) begin_limited(fx, limiter, work, NULL);
  advance_ms(fx, 5000);
  weir_retry_options retry_options = WEIR_RETRY_OPTIONS_INIT;
  retry_options.jitter = WEIR_JITTER_NONE;
  retry_options.base_delay_ms = 200;
  retry_options.name = "again";
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, &retry_options, &retry, NULL), WEIR_OK);
  begin_under(fx, weir_retry_policy(retry), scripted(fx, "f503 v1")->operation);
  advance_ms(fx, 1000);
  const char *whole = metrics(fx);
  assert_has(whole,
             "weir_waiting_seconds_count{runtime=\"weir\",kind=\"limiter\",name=\"gate\"} 2\n");
  assert_has(
      whole,
      "weir_waiting_seconds_sum{runtime=\"weir\",kind=\"limiter\",name=\"gate\"} 3.000000000\n");
  assert_has(whole,
             "weir_waiting_seconds_bucket{runtime=\"weir\",kind=\"limiter\",name=\"gate\","
             "le=\"1.0\"} 1\n");
  assert_has(
      whole,
      "weir_waiting_seconds_sum{runtime=\"weir\",kind=\"retry\",name=\"again\"} 0.200000000\n");
  weir_limiter_unref(limiter);
  weir_retry_unref(retry);
}

static void what_carries_a_shared_run_is_no_operation(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.metrics = 1;
  remake_runtime(fx, &options);
  weir_flight *flight = NULL;
  weir_operation *shared = NULL;
  weir_status made = weir_flight_new(fx->runtime, NULL, &flight, NULL);
  assert_int_equal(made, WEIR_OK);
  made = weir_flight_operation(flight, scripted(fx, "v1")->operation, &shared, NULL);
  assert_int_equal(made, WEIR_OK);
  begin(fx, shared, NULL);
  run_until_idle(fx);
  /* What is shared, and the operation that shares it. */
  assert_has(metrics(fx), "weir_latency_seconds_count{runtime=\"weir\",kind=\"operation\"} 2\n");
  weir_operation_unref(shared);
  weir_flight_unref(flight);
}

TEST_MAIN("metrics", TEST(each_family_has_one_head_and_the_text_its_end),
          TEST(the_text_before_openmetrics_names_counters_whole),
          TEST(what_has_the_same_name_and_labels_is_one_series),
          LONG_TEST(many_handles_are_sorted_whatever_their_order),
          TEST(labels_with_quotes_newlines_and_utf8_are_escaped),
          TEST(the_runtimes_labels_are_on_all_and_give_way),
          TEST(illegal_labels_are_refused_with_a_message),
          TEST(the_first_and_the_last_character_of_each_size_are_legal),
          TEST(a_buffer_is_never_overrun_and_the_need_is_told),
          TEST(a_limiter_s_numbers_are_those_of_its_stats), TEST(the_other_kinds_are_there),
          TEST(a_chaos_tells_what_it_injected), TEST(what_carries_a_shared_run_is_no_operation),
          TEST(latency_is_measured_of_policies_and_operations),
          TEST(waiting_is_measured_of_limiters_and_retries))
