/* SPDX-License-Identifier: MIT */
/* What chaos injects, when, and how it is switched. The storms are in test_chaos_storm.c. */

#include "support_options.h"

#include "support_retry.h"

#define CHAOS ((weir_chaos_options)WEIR_CHAOS_OPTIONS_INIT)

static weir_chaos *make_chaos(struct fixture *fx, const weir_chaos_options *options) {
  weir_chaos *chaos = NULL;
  assert_int_equal(weir_chaos_new(fx->runtime, options, &chaos, NULL), WEIR_OK);
  return chaos;
}

static weir_chaos_stats stats_of(weir_chaos *chaos) {
  weir_chaos_stats stats;
  memset(&stats, 0xEE, sizeof stats);
  stats.size = sizeof stats;
  assert_int_equal(weir_chaos_get_stats(chaos, &stats), WEIR_OK);
  return stats;
}

static struct run *begin_in(struct fixture *fx, weir_chaos *chaos, struct script *script) {
  return begin_under(fx, weir_chaos_policy(chaos), script->operation);
}

/* ---- what is injected ------------------------------------------------------------------------ */

static void a_failure_is_its_own_error_and_starts_nothing(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.failure_rate = 1;
  options.name = "storm";
  weir_chaos *chaos = make_chaos(fx, &options);
  struct script *work = scripted(fx, "v1");
  struct run *run = begin_in(fx, chaos, work);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  assert_int_equal(settled(run)->domain, WEIR_DOMAIN_WEIR);
  assert_string_equal(settled(run)->message, "injected by chaos 'storm'");
  assert_int_equal(settled(run)->attempts, 1);
  assert_int_equal(settled(run)->statuses[0], WEIR_EFAILED);
  assert_int_equal(work->started, 0);
  assert_int_equal(stats_of(chaos).failed, 1);
  weir_chaos_unref(chaos);
}

static void a_failure_may_be_the_users_and_an_outcome_a_value(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.failure_rate = 1;
  assert_int_equal(
      weir_error_new(fx->runtime, WEIR_DOMAIN_HTTP, 503, "overloaded", &options.failure), WEIR_OK);
  weir_chaos *failing = make_chaos(fx, &options);
  weir_error_unref(options.failure);
  options = CHAOS;
  options.outcome_rate = 1;
  options.value = number_value(fx, 42);
  weir_chaos *answering = make_chaos(fx, &options);
  weir_value_unref(options.value);
  struct script *work = scripted(fx, "v1");
  struct run *failed = begin_in(fx, failing, work);
  struct run *answered = begin_in(fx, answering, work);
  run_until_idle(fx);
  assert_int_equal(settled(failed)->domain, WEIR_DOMAIN_HTTP);
  assert_int_equal(settled(failed)->code, 503);
  assert_int_equal(settled(answered)->value, 42);
  assert_int_equal(work->started, 0);
  assert_int_equal(stats_of(answering).outcomes, 1);
  weir_chaos_unref(answering);
  weir_chaos_unref(failing);
}

static void an_injected_failure_counts_for_what_is_around_it(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.failure_rate = 1;
  weir_chaos *chaos = make_chaos(fx, &options);
  weir_retry_options three = plain(3, 10);
  weir_retry *retry = make_retry(fx, &three);
  weir_policy *row[] = {weir_retry_policy(retry), weir_chaos_policy(chaos)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, row, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), scripted(fx, "v1")->operation);
  advance_ms(fx, 1000);
  assert_int_equal(settled(run)->attempts, 3);
  assert_int_equal(settled(run)->stop_reason, WEIR_STOP_ATTEMPTS);
  weir_pipeline_unref(pipeline);
  weir_retry_unref(retry);
  weir_chaos_unref(chaos);
}

static void latency_comes_before_the_start_and_within_its_bounds(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.latency_rate = 1;
  options.latency_min_ms = 20;
  options.latency_max_ms = 40;
  weir_chaos *chaos = make_chaos(fx, &options);
  struct script *work = scripted(fx, "v1");
  struct run *runs[50];
  int64_t least = INT64_MAX;
  int64_t most = 0;
  for (size_t i = 0; i < COUNT_OF(runs); i++) runs[i] = begin_in(fx, chaos, work);
  run_until_idle(fx);
  assert_int_equal(work->started, 0);
  advance_ms(fx, 100);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    int64_t elapsed_ns = settled(runs[i])->elapsed_ns;
    assert_int_equal(settled(runs[i])->value, 1);
    least = elapsed_ns < least ? elapsed_ns : least;
    most = elapsed_ns > most ? elapsed_ns : most;
  }
  assert_true(least >= 20 * MS && least < 25 * MS);
  assert_true(most <= 41 * MS && most > 35 * MS);
  assert_int_equal(stats_of(chaos).delayed, COUNT_OF(runs));
  weir_chaos_unref(chaos);
}

static void a_run_stopped_while_late_starts_nothing(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.latency_rate = 1;
  options.latency_min_ms = options.latency_max_ms = 1000;
  weir_chaos *chaos = make_chaos(fx, &options);
  struct script *work = scripted(fx, "v1");
  weir_run_options soon = WEIR_RUN_OPTIONS_INIT;
  soon.policy = weir_chaos_policy(chaos);
  soon.deadline_ms = 50;
  struct run *late = begin(fx, work->operation, &soon);
  struct run *cancelled = begin_in(fx, chaos, work);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(cancelled->call), WEIR_OK);
  advance_ms(fx, 50);
  assert_int_equal(settled(cancelled)->status, WEIR_ECANCELLED);
  assert_int_equal(settled(late)->status, WEIR_ETIMEDOUT);
  advance_ms(fx, 5000);
  assert_int_equal(work->started, 0);
  weir_chaos_unref(chaos);
}

static void a_hang_ends_when_the_run_is_stopped_and_the_audit_shows_it(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.hang_rate = 1;
  options.name = "storm";
  weir_chaos *chaos = make_chaos(fx, &options);
  weir_timeout_options hour = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_timeout *timeout = NULL;
  hour.timeout_ms = 3600000;
  assert_int_equal(weir_timeout_new(fx->runtime, &hour, &timeout, NULL), WEIR_OK);
  weir_policy *row[] = {weir_timeout_policy(timeout), weir_chaos_policy(chaos)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, row, 2, NULL, &pipeline, NULL), WEIR_OK);
  struct run *run = begin_under(fx, weir_pipeline_policy(pipeline), scripted(fx, "v1")->operation);
  run_until_idle(fx);
  weir_audit_entry entry = {0};
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, &entry, sizeof entry, 1, &count), WEIR_OK);
  assert_string_equal(entry.waits_for, "chaos 'storm': nothing, it hangs");
  advance_ms(fx, 3600000 - 1);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_ETIMEDOUT);
  assert_int_equal(settled(run)->statuses[0], WEIR_ETIMEDOUT);
  assert_int_equal(stats_of(chaos).hung, 1);
  weir_pipeline_unref(pipeline);
  weir_timeout_unref(timeout);
  weir_chaos_unref(chaos);
}

/* ---- by probability -------------------------------------------------------------------------- */

enum { DRAWS = 2000 };

/* What each of DRAWS runs came to, as a string of one letter each. */
static void record_draws(struct fixture *fx, uint64_t seed, double failure_rate, char *letters) {
  weir_chaos_options options = CHAOS;
  options.seed = seed;
  options.failure_rate = failure_rate;
  options.outcome_rate = 0.2;
  weir_chaos *chaos = make_chaos(fx, &options);
  struct script *work = scripted(fx, "v1");
  for (size_t i = 0; i < DRAWS; i++) {
    struct run *run = begin_in(fx, chaos, work);
    run_until_idle(fx);
    const struct settlement *result = settled(run);
    letters[i] = result->status != WEIR_OK ? 'f' : result->value == 1 ? 'v' : 'o';
  }
  weir_chaos_stats stats = stats_of(chaos);
  assert_int_equal(stats.drawn, DRAWS);
  assert_int_equal(stats.failed + stats.outcomes + work->started, DRAWS);
  weir_chaos_unref(chaos);
}

static void a_seed_injects_the_same_at_the_rates_asked_for(struct fixture *fx) {
  static char first[DRAWS], again[DRAWS], other[DRAWS], none[DRAWS];
  record_draws(fx, 7, 0.3, first);
  record_draws(fx, 7, 0.3, again);
  record_draws(fx, 8, 0.3, other);
  record_draws(fx, 7, 0, none);
  assert_memory_equal(first, again, DRAWS);
  assert_memory_not_equal(first, other, DRAWS);
  size_t failures = 0;
  size_t outcomes = 0;
  for (size_t i = 0; i < DRAWS; i++) {
    failures += first[i] == 'f';
    outcomes += first[i] == 'o';
    assert_int_not_equal(none[i], 'f');
  }
  assert_in_range(failures, 500, 700); /* 600, five standard deviations either way */
  assert_in_range(outcomes, 310, 490);
}

/* ---- switched -------------------------------------------------------------------------------- */

static void it_is_switched_live_and_draws_nothing_while_off(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.failure_rate = 1;
  options.enabled = 0;
  weir_chaos *chaos = make_chaos(fx, &options);
  struct script *work = scripted(fx, "v1");
  struct run *before = begin_in(fx, chaos, work);
  run_until_idle(fx);
  assert_int_equal(settled(before)->value, 1);
  assert_int_equal(stats_of(chaos).enabled, 0);
  assert_int_equal(weir_chaos_enable(chaos, 1), WEIR_OK);
  struct run *during = begin_in(fx, chaos, work);
  run_until_idle(fx);
  assert_int_equal(settled(during)->status, WEIR_EFAILED);
  assert_int_equal(stats_of(chaos).enabled, 1);
  assert_int_equal(weir_chaos_enable(chaos, 0), WEIR_OK);
  struct run *after = begin_in(fx, chaos, work);
  run_until_idle(fx);
  assert_int_equal(settled(after)->value, 1);
  assert_int_equal(stats_of(chaos).drawn, 1);
  weir_chaos_unref(chaos);
}

static void what_was_drawn_stays_when_it_is_switched_off(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.failure_rate = options.latency_rate = 1;
  options.latency_min_ms = options.latency_max_ms = 100;
  weir_chaos *chaos = make_chaos(fx, &options);
  struct run *run = begin_in(fx, chaos, scripted(fx, "v1"));
  run_until_idle(fx);
  assert_int_equal(weir_chaos_enable(chaos, 0), WEIR_OK);
  advance_ms(fx, 99);
  assert_pending(run);
  advance_ms(fx, 1);
  assert_int_equal(settled(run)->status, WEIR_EFAILED);
  weir_chaos_unref(chaos);
}

/* The status of a run that is begun now. */
static weir_status now_comes(struct fixture *fx, weir_chaos *chaos, struct script *work) {
  struct run *run = begin_in(fx, chaos, work);
  run_until_idle(fx);
  return settled(run)->status;
}

static void a_schedule_goes_by_the_time_since_it_was_switched_on(struct fixture *fx) {
  static const weir_chaos_phase phases[] = {{100, 200, WEIR_CHAOS_FAILURE, 0, 1},
                                            {150, 160, WEIR_CHAOS_FAILURE, 0, 0},
                                            {300, WEIR_FOREVER, WEIR_CHAOS_FAILURE, 0, 1}};
  static const struct {
    int64_t at_ms;
    weir_status expected;
  } looks[] = {{0, WEIR_OK},   {99, WEIR_OK},       {100, WEIR_EFAILED}, {149, WEIR_EFAILED},
               {150, WEIR_OK}, {160, WEIR_EFAILED}, {199, WEIR_EFAILED}, {200, WEIR_OK},
               {299, WEIR_OK}, {300, WEIR_EFAILED}, {9999, WEIR_EFAILED}};
  weir_chaos_options options = CHAOS;
  options.phases = phases;
  options.phases_count = COUNT_OF(phases);
  weir_chaos *chaos = make_chaos(fx, &options);
  struct script *work = scripted(fx, "v1");
  for (int round = 0; round < 2; round++) {
    int64_t begun_ns = now_ns(fx);
    for (size_t i = 0; i < COUNT_OF(looks); i++) {
      advance_ns(fx, begun_ns + looks[i].at_ms * MS - now_ns(fx));
      assert_int_equal(now_comes(fx, chaos, work), looks[i].expected);
    }
    assert_int_equal(weir_chaos_enable(chaos, 1), WEIR_OK); /* from its beginning again */
  }
  weir_chaos_unref(chaos);
}

/* ---- changed live ---------------------------------------------------------------------------- */

static void options_change_live_and_a_late_run_keeps_what_it_drew(struct fixture *fx) {
  weir_chaos_options options = CHAOS;
  options.outcome_rate = options.latency_rate = 1;
  options.latency_min_ms = options.latency_max_ms = 100;
  options.value = number_value(fx, 42);
  weir_chaos *chaos = make_chaos(fx, &options);
  weir_value_unref(options.value);
  struct script *work = scripted(fx, "v1");
  struct run *late = begin_in(fx, chaos, work);
  run_until_idle(fx);
  weir_chaos_options failing = CHAOS;
  failing.failure_rate = 1;
  failing.enabled = 0; /* not looked at here */
  assert_int_equal(weir_chaos_set_options(chaos, &failing, NULL), WEIR_OK);
  assert_int_equal(now_comes(fx, chaos, work), WEIR_EFAILED);
  advance_ms(fx, 100);
  assert_int_equal(settled(late)->value, 42);
  weir_chaos_options bad = CHAOS;
  weir_error *error = NULL;
  bad.hang_rate = 2;
  assert_int_equal(weir_chaos_set_options(chaos, &bad, &error), WEIR_EINVAL);
  assert_message(error, "chaos.hang_rate must be from 0 to 1 (got 2)");
  bad.hang_rate = 1;
  bad.name = "other";
  error = NULL;
  assert_int_equal(weir_chaos_set_options(chaos, &bad, &error), WEIR_EINVAL);
  assert_message(error, "chaos.name cannot change (must be NULL)");
  assert_int_equal(now_comes(fx, chaos, work), WEIR_EFAILED); /* nothing changed */
  weir_chaos_unref(chaos);
}

/* ---- telling --------------------------------------------------------------------------------- */

struct told {
  uint32_t reasons[8];
  int64_t delays_ns[8];
  size_t count;
};

static void note_event(void *data, const weir_event *event) {
  struct told *told = data;
  if (event->kind != WEIR_EVENT_CHAOS || told->count == COUNT_OF(told->reasons)) return;
  told->reasons[told->count] = event->reason;
  told->delays_ns[told->count++] = event->delay_ns;
}

static void what_is_injected_is_told(struct fixture *fx) {
  static struct told told;
  memset(&told, 0, sizeof told);
  weir_runtime_options listening = WEIR_RUNTIME_OPTIONS_INIT;
  listening.on_event = note_event;
  listening.event_data = &told;
  remake_runtime(fx, &listening);
  weir_chaos_options options = CHAOS;
  options.failure_rate = options.latency_rate = 1;
  options.latency_min_ms = options.latency_max_ms = 5;
  weir_chaos *chaos = make_chaos(fx, &options);
  begin_in(fx, chaos, scripted(fx, "v1"));
  advance_ms(fx, 5);
  assert_int_equal(told.count, 2);
  assert_int_equal(told.reasons[0], WEIR_CHAOS_LATENCY);
  assert_int_equal(told.delays_ns[0], 5 * MS);
  assert_int_equal(told.reasons[1], WEIR_CHAOS_FAILURE);
  weir_chaos_unref(chaos);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void fill_chaos(struct fixture *fx, void *options) {
  (void)fx;
  weir_chaos_options legal = CHAOS;
  memcpy(options, &legal, sizeof legal);
}

static weir_status create_chaos(struct fixture *fx, const void *options, weir_error **error) {
  weir_chaos *chaos = (weir_chaos *)fx;
  weir_status status = weir_chaos_new(fx->runtime, options, &chaos, error);
  assert_true(status == WEIR_OK ? chaos != NULL : chaos == NULL);
  weir_chaos_unref(chaos);
  return status;
}

static weir_status change_chaos(struct fixture *fx, const void *options, weir_error **error) {
  weir_chaos *chaos = make_chaos(fx, NULL);
  weir_status status = weir_chaos_set_options(chaos, options, error);
  weir_chaos_unref(chaos);
  run_until_idle(fx);
  return status;
}

static const struct option_row rows[] = {
    OPTION(weir_chaos_options, enabled, OPTION_U32, 2, 0),
    OPTION(weir_chaos_options, enabled, OPTION_U32, 0, 1),
    OPTION(weir_chaos_options, failure_rate, OPTION_DOUBLE, -0.1, 0),
    OPTION(weir_chaos_options, failure_rate, OPTION_DOUBLE, 1.1, 0),
    OPTION(weir_chaos_options, failure_rate, OPTION_DOUBLE, 1, 1),
    OPTION(weir_chaos_options, outcome_rate, OPTION_DOUBLE, 1.1, 0),
    OPTION(weir_chaos_options, hang_rate, OPTION_DOUBLE, -1, 0),
    OPTION(weir_chaos_options, latency_rate, OPTION_DOUBLE, 1.5, 0),
    OPTION(weir_chaos_options, latency_min_ms, OPTION_I64, -1, 0),
    OPTION(weir_chaos_options, latency_min_ms, OPTION_I64, 1001, 0),
    OPTION(weir_chaos_options, latency_max_ms, OPTION_I64, WEIR_FOREVER, 0),
    OPTION(weir_chaos_options, latency_max_ms, OPTION_I64, 0, 1),
    OPTION(weir_chaos_options, phases_count, OPTION_U64, 1, 0),
};

static const struct option_table makes = {
    "chaos", sizeof(weir_chaos_options), fill_chaos, create_chaos, NULL, 0, rows, COUNT_OF(rows)};
static const struct option_table changes = {"chaos",
                                            sizeof(weir_chaos_options),
                                            fill_chaos,
                                            change_chaos,
                                            "chaos.options must not be NULL",
                                            0,
                                            rows,
                                            COUNT_OF(rows)};

OPTION_INIT(chaos_options)

static void C08_each_wrong_option_is_named(struct fixture *fx) {
  weir_chaos_options defaults = CHAOS;
  check_option_values(fx, &makes);
  check_option_sizes(fx, &makes);
  check_option_values(fx, &changes);
  check_option_sizes(fx, &changes);
  check_option_init(init_chaos_options, &defaults, sizeof defaults);
}

static void C08_rates_and_phases_that_cannot_be_are_named(struct fixture *fx) {
  static const struct {
    weir_chaos_phase phase;
    const char *message;
  } wrong[] = {
      {{-1, 5, 1, 0, 0}, "chaos.phases[1].from_ms must be at least 0 (got -1)"},
      {{5, 5, 1, 0, 0}, "chaos.phases[1].until_ms must be above from_ms"},
      {{0, -2, 1, 0, 0}, "chaos.phases[1].until_ms"},
      {{0, 5, 0, 0, 0}, "chaos.phases[1].what must be from 1 to 4 (got 0)"},
      {{0, 5, 5, 0, 0}, "chaos.phases[1].what"},
      {{0, 5, 1, 1, 0}, "chaos.phases[1].reserved must be 0 (got 1)"},
      {{0, 5, 1, 0, 1.5}, "chaos.phases[1].rate must be from 0 to 1 (got 1.5)"},
  };
  weir_error *error = NULL;
  weir_chaos_options options = CHAOS;
  options.failure_rate = options.outcome_rate = options.hang_rate = 0.4;
  assert_refused(create_chaos(fx, &options, &error), WEIR_EINVAL, &error,
                 "hang_rate must be at most 1 together (got 1.2)");
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    weir_chaos_phase phases[] = {{0, 5, WEIR_CHAOS_HANG, 0, 1}, wrong[i].phase};
    options = CHAOS;
    options.phases = phases;
    options.phases_count = COUNT_OF(phases);
    assert_refused(create_chaos(fx, &options, &error), WEIR_EINVAL, &error, wrong[i].message);
  }
  options.phases_count = 65537;
  assert_refused(create_chaos(fx, &options, &error), WEIR_EINVAL, &error,
                 "chaos.phases_count must be at most 65536 (got 65537)");
}

static void C08_nulls_are_named(struct fixture *fx) {
  weir_chaos *chaos = (weir_chaos *)fx;
  weir_chaos_options options = CHAOS;
  weir_error *error = NULL;
  assert_refused(weir_chaos_new(NULL, &options, &chaos, &error), WEIR_EINVAL, &error,
                 "chaos.runtime must not be NULL");
  assert_null(chaos);
  assert_refused(weir_chaos_new(fx->runtime, &options, NULL, &error), WEIR_EINVAL, &error,
                 "chaos.out must not be NULL");
  assert_refused(weir_chaos_set_options(NULL, &options, &error), WEIR_EINVAL, &error,
                 "chaos.chaos must not be NULL");
  chaos = make_chaos(fx, NULL);
  assert_int_equal(weir_chaos_enable(NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_chaos_enable(chaos, 2), WEIR_EINVAL);
  assert_int_equal(stats_of(chaos).enabled, 1);
  assert_int_equal(weir_chaos_get_stats(NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_chaos_get_stats(chaos, NULL), WEIR_EINVAL);
  assert_ptr_equal(weir_policy_chaos(weir_chaos_policy(chaos)), chaos);
  assert_null(weir_policy_breaker(weir_chaos_policy(chaos)));
  assert_null(weir_policy_chaos(NULL));
  assert_int_equal(weir_policy_kind(weir_chaos_policy(chaos)), WEIR_POLICY_CHAOS);
  weir_chaos_unref(chaos);
  weir_chaos_unref(NULL);
  assert_null(weir_chaos_ref(NULL));
}

TEST_MAIN("chaos", TEST(a_failure_is_its_own_error_and_starts_nothing),
          TEST(a_failure_may_be_the_users_and_an_outcome_a_value),
          TEST(an_injected_failure_counts_for_what_is_around_it),
          TEST(latency_comes_before_the_start_and_within_its_bounds),
          TEST(a_run_stopped_while_late_starts_nothing),
          TEST(a_hang_ends_when_the_run_is_stopped_and_the_audit_shows_it),
          LONG_TEST(a_seed_injects_the_same_at_the_rates_asked_for),
          TEST(it_is_switched_live_and_draws_nothing_while_off),
          TEST(what_was_drawn_stays_when_it_is_switched_off),
          TEST(a_schedule_goes_by_the_time_since_it_was_switched_on),
          TEST(options_change_live_and_a_late_run_keeps_what_it_drew),
          TEST(what_is_injected_is_told), TEST(C08_each_wrong_option_is_named),
          TEST(C08_rates_and_phases_that_cannot_be_are_named), TEST(C08_nulls_are_named))
