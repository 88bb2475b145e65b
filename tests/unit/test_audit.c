/* SPDX-License-Identifier: MIT */
/* The audit: what is in flight, under which name, for how long, and what it waits for. */

#include "support.h"

static size_t audit(struct fixture *fx, weir_audit_entry *entries, size_t capacity) {
  size_t count = 0;
  assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof *entries, capacity, &count),
                   WEIR_OK);
  return count;
}

static void audit_of_nothing_is_empty(struct fixture *fx) {
  weir_audit_entry entry;
  assert_int_equal(audit(fx, &entry, 1), 0);
  assert_int_equal(audit(fx, NULL, 0), 0);
}

static void audit_names_a_run_its_age_and_what_it_waits_for(struct fixture *fx) {
  weir_audit_entry entry;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  struct script *script = scripted(fx, "hang");
  options.name = "load the profile";
  begin(fx, script->operation, &options);
  advance_ms(fx, 70);
  assert_int_equal(audit(fx, &entry, 1), 1);
  assert_int_equal(entry.kind, WEIR_AUDIT_CALL);
  assert_string_equal(entry.name, "load the profile");
  assert_int_equal(entry.attempts, 1);
  assert_true(entry.age_ns == 70 * MS);
  assert_non_null(strstr(entry.waits_for, "complet"));
}

static void audit_cuts_a_long_name_off(struct fixture *fx) {
  char name[200];
  weir_audit_entry entry;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  memset(name, 'n', sizeof name);
  name[sizeof name - 1] = '\0';
  options.name = name;
  struct script *script = scripted(fx, "hang");
  begin(fx, script->operation, &options);
  run_until_idle(fx);
  assert_int_equal(audit(fx, &entry, 1), 1);
  assert_int_equal(strlen(entry.name), sizeof entry.name - 1);
}

static void audit_counts_all_and_writes_what_fits(struct fixture *fx) {
  weir_audit_entry entries[4];
  struct script *script = scripted(fx, "hang");
  for (size_t i = 0; i < 10; i++) begin(fx, script->operation, NULL);
  run_until_idle(fx);
  memset(entries, 0x55, sizeof entries);
  assert_int_equal(audit(fx, entries, 3), 10);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(entries[i].kind, WEIR_AUDIT_CALL);
    assert_string_equal(entries[i].name, "");
  }
  assert_int_equal(entries[3].kind, 0x55555555);
}

static void audit_entries_of_every_size(struct fixture *fx) {
  struct {
    weir_audit_entry entry;
    unsigned char beyond[32];
  } wide[2];
  size_t count = 0;
  struct script *script = scripted(fx, "hang");
  begin(fx, script->operation, NULL);
  begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_runtime_audit(fx->runtime, &wide[0].entry, sizeof wide[0], 2, &count),
                   WEIR_OK);
  assert_int_equal(count, 2);
  assert_int_equal(wide[1].entry.kind, WEIR_AUDIT_CALL);
  assert_int_equal(wide[0].beyond[0], 0);
}

static void C18_audit_shows_an_orphan_until_it_ends(struct fixture *fx) {
  weir_audit_entry entry;
  struct script *script = scripted(fx, "hang");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(run->call), WEIR_OK);
  run_until_idle(fx);
  advance_ms(fx, 30);
  assert_int_equal(audit(fx, &entry, 1), 1);
  assert_int_equal(entry.kind, WEIR_AUDIT_ORPHAN);
  assert_true(entry.age_ns == 30 * MS);
  finish_all(script);
  run_until_idle(fx);
  assert_int_equal(audit(fx, &entry, 1), 0);
}

static void audit_tells_who_waits_for_a_permit_and_who_for_a_retry(struct fixture *fx) {
  weir_audit_entry entries[3];
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  weir_retry_options retry_options = WEIR_RETRY_OPTIONS_INIT;
  weir_limiter *limiter = NULL;
  weir_retry *retry = NULL;
  options.max_concurrent = 1;
  options.name = "api";
  retry_options.name = "patient";
  assert_int_equal(weir_limiter_new(fx->runtime, &options, &limiter, NULL), WEIR_OK);
  assert_int_equal(weir_retry_new(fx->runtime, &retry_options, &retry, NULL), WEIR_OK);
  struct script *hanging = scripted(fx, "hang");
  struct script *failing = scripted(fx, "f1");
  begin_under(fx, weir_limiter_policy(limiter), hanging->operation);
  run_until_idle(fx);
  begin_under(fx, weir_limiter_policy(limiter), hanging->operation);
  run_until_idle(fx);
  begin_under(fx, weir_retry_policy(retry), failing->operation);
  run_until_idle(fx);
  assert_int_equal(audit(fx, entries, 3), 3);
  size_t limited = 0;
  size_t retrying = 0;
  for (size_t i = 0; i < 3; i++) {
    limited += strstr(entries[i].waits_for, "limiter 'api'") != NULL;
    retrying += strstr(entries[i].waits_for, "retry 'patient'") != NULL;
  }
  assert_int_equal(limited, 1);
  assert_int_equal(retrying, 1);
  weir_limiter_unref(limiter);
  weir_retry_unref(retry);
}

static void *audit_elsewhere(void *data) {
  weir_runtime *runtime = ((struct fixture *)data)->runtime;
  weir_audit_entry entry;
  size_t count = 7;
  weir_status status = weir_runtime_audit(runtime, &entry, sizeof entry, 1, &count);
  expect(data, status == WEIR_ETHREAD, "an audit on another thread");
  expect(data, count == 0, "an audit on another thread counted something");
  return NULL;
}

static void audit_on_another_thread_is_refused(struct fixture *fx) {
  pthread_t thread;
  run_until_idle(fx);
  assert_int_equal(pthread_create(&thread, NULL, audit_elsewhere, fx), 0);
  pthread_join(thread, NULL);
}

struct looking {
  struct fixture *fx;
  size_t count;
  weir_audit_entry entry;
};

static void look_while_settling(struct run *run) {
  struct looking *seen = run->user;
  weir_status status =
      weir_runtime_audit(seen->fx->runtime, &seen->entry, sizeof seen->entry, 1, &seen->count);
  expect(seen->fx, status == WEIR_OK, "audit failed");
}

static void audit_inside_a_settle_function_says_that_its_run_waits_for_it(struct fixture *fx) {
  struct looking seen = {.fx = fx};
  struct run *run = begin(fx, scripted(fx, "v1")->operation, NULL);
  run->user = &seen;
  run->on_settled = look_while_settling;
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_OK);
  assert_int_equal(seen.count, 1);
  assert_string_equal(seen.entry.waits_for, "its settle function");
}

TEST_MAIN("audit", TEST(audit_of_nothing_is_empty),
          TEST(audit_names_a_run_its_age_and_what_it_waits_for), TEST(audit_cuts_a_long_name_off),
          TEST(audit_counts_all_and_writes_what_fits), TEST(audit_entries_of_every_size),
          TEST(C18_audit_shows_an_orphan_until_it_ends),
          TEST(audit_tells_who_waits_for_a_permit_and_who_for_a_retry),
          TEST(audit_on_another_thread_is_refused),
          TEST(audit_inside_a_settle_function_says_that_its_run_waits_for_it))
